// The configuration file: every mistake in it is named, none is silent.
#include "core/error.hpp"
#include "listener/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vedfolnir;

namespace
{

std::string refusal(const std::string &text, bool secrets_allowed = true)
{
    try {
        parse_config(text, secrets_allowed);
    } catch (const Error &error) {
        return error.what();
    }
    return {};
}

const char *const files = "[service images]\ntype = files\nroot = /srv/images/\nallow = public.images:file\n";

struct TemporaryFile
{
    explicit TemporaryFile(const std::string &content, mode_t mode)
    {
        const int fd = mkstemp(path);
        if (fd < 0 || write(fd, content.data(), content.size()) < 0)
            std::abort();
        close(fd);
        chmod(path, mode);
    }
    ~TemporaryFile() { unlink(path); }
    char path[32] = "/tmp/vedfolnir-test-XXXXXX";
};

} // namespace

TEST(Duration, HasUnits)
{
    EXPECT_EQ(parse_duration("250ms").count(), 250);
    EXPECT_EQ(parse_duration("5s").count(), 5000);
    EXPECT_EQ(parse_duration("5").count(), 5000);
    EXPECT_EQ(parse_duration("2 min").count(), 120000);
    EXPECT_EQ(parse_duration("1h").count(), 3600000);
    EXPECT_EQ(parse_duration("7d").count(), 604800000);
    for (const char *bad : {"", "s", "-1s", "1.5s", "5 parsecs", "99999999999s", "5s5s"})
        EXPECT_THROW(parse_duration(bad), Error) << bad;
}

TEST(Config, ReadsAService)
{
    const Config config = parse_config(std::string("[database]\nconninfo = dbname=app\n[listener]\nbatch = 7\n") + files, false);
    EXPECT_EQ(config.conninfo, "dbname=app");
    EXPECT_EQ(config.batch, 7);
    ASSERT_EQ(config.services.size(), 1u);
    EXPECT_EQ(config.services[0].name, "images");
    EXPECT_EQ(config.services[0].files.root, "/srv/images");
    EXPECT_EQ(config.services[0].allow.count({"public.images", "file"}), 1u);
}

TEST(Config, GoesOnWithAListOnIndentedLines)
{
    const Config config = parse_config("[service s]\ntype = redis\nallow = public.a:redis_key,\n  public.b:redis_key\n"
                                       "  public.\"c:d\":redis_pattern\n",
                                       true);
    EXPECT_EQ(config.services[0].allow.size(), 3u);
    EXPECT_EQ(config.services[0].allow.count({"public.\"c:d\"", "redis_pattern"}), 1u);
}

TEST(Config, NamesTheMistake)
{
    const struct
    {
        const char *text, *part;
    } cases[] = {
        {"[listener]\nbatch = many\n", "[listener] batch must be a number"},
        {"[listener]\nbatch = 0\n", "[listener] batch must be a number"},
        {"[listener]\nbatch = 5x\n", "[listener] batch must be a number"},
        {"[listener]\nbatches = 5\n", "no option \"batches\"; perhaps batch is meant"},
        {"[listener]\npoll = 0\n", "[listener] poll must be more than zero"},
        {"[listener]\nlog_level = loud\n", "log level must be"},
        {"[listener]\nlog_format = xml\n", "log_format must be one of text, json"},
        {"[listener]\nallow_root = perhaps\n", "allow_root must be yes or no"},
        {"[listener]\nbatch = 5\nbatch = 6\n", "[listener] batch is given twice"},
        {"[listener]\nbackoff_base = 1h\n", "backoff_cap must not be less"},
        {"[database]\nhost = x\n", "[database] has no option \"host\""},
        {"[databse]\nconninfo = x\n", "section [databse] is not known"},
        {"conninfo\n", "line 1 is neither"},
        {"[service x]\nroot = /x\n", "[service x] has no type"},
        {"[service x]\ntype = tape\n", "[service x] type must be one of files, redis, keycloak, webhook"},
        {"[service ]\ntype = files\n", "has no name"},
        {"[service x]\ntype = files\n", "root must be an absolute path"},
        {"[service x]\ntype = files\nroot = srv\n", "root must be an absolute path"},
        {"[service x]\ntype = files\nroot = //\n", "root must not be the root of the file system"},
        {"[service x]\ntype = files\nroot = /x\nthreads = 0\n", "[service x] threads must be a number from 1 to 64"},
        {"[service x]\ntype = files\nroot = /x\nthreads = 65\n", "[service x] threads must be a number from 1 to 64"},
        {"[service x]\ntype = files\nroot = /x\nport = 1\n", "[service x] has no option \"port\""},
        {"[service x]\ntype = files\nroot = /x\nallow = images:file\n", "needs its schema"},
        {"[service x]\ntype = files\nroot = /x\nallow = public.images\n", "must be a list of RELATION:KIND"},
        {"[service x]\ntype = files\nroot = /x\nallow = public.s:redis_key\n", "cannot be done by a service of type files"},
        {"[service x]\ntype = redis\ntls = yes\n", "no TLS for Redis"},
        {"[service x]\ntype = redis\ndeny_ttl = 1h\n", "deny_prefix and deny_ttl belong together"},
        {"[service x]\ntype = redis\ndeny_prefix = d:\ndeny_ttl = 60s\n", "deny_ttl must be longer than second_pass"},
        {"[service x]\ntype = redis\nuser = u\n", "user needs a password"},
        {"[service x]\ntype = redis\nport = 70000\n", "port must be a number from 1 to 65535"},
        {"[service x]\ntype = keycloak\nurl = https://k\n", "client_id and client_secret are needed"},
        {"[service x]\ntype = keycloak\nurl = ftp://k\n", "url must begin with"},
        {"[service x]\ntype = keycloak\nurl = https://k\nclient_id = c\nclient_secret = s\n", "realms must list"},
        {"[service x]\ntype = webhook\nurl = https://k\n", "secret is needed"},
        {"[service x]\ntype = files\nroot = /srv\n[service y]\ntype = files\nroot = /srv/a\n", "lies within the root"},
        {"[service x]\ntype = files\nroot = /srv\n[service y]\ntype = files\nroot = /srv/\n", "lies within the root"},
        {"[service x]\ntype = keycloak\nurl = https://k\nclient_id = c\nclient_secret = s\nrealms = a, b\n"
         "[service y]\ntype = keycloak\nurl = https://k/\nclient_id = c\nclient_secret = s\nrealms = b\n",
         "both have the realm b"},
    };
    for (const auto &one : cases)
        EXPECT_NE(refusal(one.text).find(one.part), std::string::npos) << one.text << "gives: " << refusal(one.text);
    EXPECT_EQ(refusal("[service x]\ntype = files\nroot = /srv/a\n[service y]\ntype = files\nroot = /srv/ab\n"), "");
}

TEST(Config, RefusesLinesThatTheParserWouldCut)
{
    EXPECT_EQ(refusal("[database]\nconninfo = " + std::string(180, 'x') + "\n"), "");
    EXPECT_EQ(parse_config("[database]\nconninfo = " + std::string(180, 'x') + "\n", true).conninfo.size(), 180u);
    EXPECT_NE(refusal("[database]\nconninfo = " + std::string(300, 'x') + "\n").find("line 2 is longer"), std::string::npos);
}

TEST(Config, KeepsSecretsOutOfOpenFiles)
{
    const std::string redis = "[service x]\ntype = redis\npassword = p\n";
    EXPECT_EQ(refusal(redis, true), "");
    EXPECT_NE(refusal(redis, false), "");
    EXPECT_EQ(refusal(redis, false).find("= p"), std::string::npos);
    EXPECT_NE(refusal("[database]\nconninfo = dbname=a password=p\n", false), "");
    const TemporaryFile open_file(redis, 0644), closed_file(redis, 0600);
    EXPECT_THROW(read_config(open_file.path), Error);
    EXPECT_NO_THROW(read_config(closed_file.path));
    EXPECT_THROW(read_config("/nonexistent/listener.ini"), Error);
}

TEST(Secret, ComesFromItsPlace)
{
    const TemporaryFile closed_file(" word \n", 0600), open_file("word\n", 0644), empty_file("\n", 0600);
    SecretSource source;
    EXPECT_EQ(read_secret(source), "");
    source.file = closed_file.path;
    EXPECT_EQ(read_secret(source), "word");
    source.file = open_file.path;
    EXPECT_THROW(read_secret(source), Error);
    source.file = empty_file.path;
    EXPECT_THROW(read_secret(source), Error);
    source = {};
    source.environment = "VEDFOLNIR_TEST_SECRET";
    EXPECT_THROW(read_secret(source), Error);
    setenv("VEDFOLNIR_TEST_SECRET", "word", 1);
    EXPECT_EQ(read_secret(source), "word");
    unsetenv("VEDFOLNIR_TEST_SECRET");
    source = {};
    source.credential = std::string(open_file.path).substr(5);
    EXPECT_THROW(read_secret(source), Error);
    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    EXPECT_EQ(read_secret(source), "word");
    unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(Options, AreListedOnce)
{
    const std::vector<std::string> names = option_names();
    EXPECT_GT(names.size(), 40u);
    EXPECT_NE(std::find(names.begin(), names.end(), "listener batch"), names.end());
}

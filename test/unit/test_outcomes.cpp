// What an error of a service means: wait, or never again (R56, R68, R73). And what a log line looks like.
#include "listener/files.hpp"
#include "listener/log.hpp"
#include "listener/queue.hpp"
#include "listener/redis.hpp"
#include "listener/redis_pattern.hpp"

#include <cerrno>
#include <gtest/gtest.h>

using namespace vedfolnir;

TEST(ErrnoOutcome, IsAsTheManualSays)
{
    EXPECT_EQ(outcome_of_errno(ENOENT, "x").verdict, Verdict::skipped);
    for (int number : {ELOOP, EXDEV, ENOTDIR, EPERM, EACCES, EISDIR, ENAMETOOLONG})
        EXPECT_EQ(outcome_of_errno(number, "x").verdict, Verdict::dead) << number;
    for (int number : {EROFS, EBUSY, EIO, ENOSPC, EMFILE, ENFILE, ENOMEM, EAGAIN, ESTALE})
        EXPECT_EQ(outcome_of_errno(number, "x").verdict, Verdict::retry) << number;
}

TEST(RedisOutcome, IsAsTheManualSays)
{
    for (const char *text : {"WRONGPASS invalid username-password pair", "NOAUTH Authentication required.",
                             "ERR invalid password", "ERR AUTH <password> called without any password configured",
                             "ERR Client sent AUTH, but no password is set", "NOPERM this user has no permissions",
                             "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381", "CROSSSLOT Keys in request"})
        EXPECT_EQ(outcome_of_redis_error(text).verdict, Verdict::dead) << text;
    for (const char *text : {"LOADING Redis is loading", "BUSY Redis is busy", "READONLY You can't write",
                             "MASTERDOWN Link with MASTER is down", "OOM command not allowed", "TRYAGAIN Multiple keys",
                             "CLUSTERDOWN The cluster is down", "MISCONF Redis is configured"})
        EXPECT_EQ(outcome_of_redis_error(text).verdict, Verdict::unavailable) << text;
    EXPECT_EQ(outcome_of_redis_error("ERR something else").verdict, Verdict::retry);
}

TEST(RedisOutcome, NeverRepeatsWhatTheServerQuotes)
{
    for (const char *text : {"NOPERM No permissions to access the 'session:1' key", "ERR bad session:1", "MOVED 1 session:1", "session:1 is bad", "session:1"})
        EXPECT_EQ(outcome_of_redis_error(text).message.find("session:1"), std::string::npos);
    EXPECT_EQ(outcome_of_redis_error("\xff\xfe").message, "the server says something else") << "the queue takes text only";
    EXPECT_EQ(outcome_of_redis_error(std::string(100000, 'A')).message, "the server says something else");
}

TEST(RedisPattern, GivesAKeyThatFits)
{
    const std::pair<const char *, const char *> table[] = {
        {"session:1:*", "session:1:"}, {"a*b*", "ab"},       {"a?b", "a?b"},       {"a\\*b", "a*b"}, {"a\\\\", "a\\"},
        {"a[bc]d", "abd"},             {"a[c-b]d", "abd"},   {"a[^\x01]d", "a\x02" "d"}, {"a[\\]]d", "a]d"}, {"a[b", "ab"},
        {"a\\", "a\\"},                {"a[^b-c]", "a\x01"}};
    for (const auto &[pattern, key] : table)
        EXPECT_EQ(key_of_pattern(pattern).value_or("none"), key) << pattern;
    EXPECT_FALSE(key_of_pattern("a[]d").has_value()) << "no key fits";
}

TEST(LogLine, IsOneEventALine)
{
    const LogFields fields = {{"deletion", "0f6c1c1e"}, {"task", "9182..9381"}, {"service", "images"}};
    EXPECT_EQ(format_log_line(LogLevel::info, "2026-11-21T10:02:11Z", fields, "", false),
              "2026-11-21T10:02:11Z info  deletion=0f6c1c1e task=9182..9381 service=images");
    EXPECT_EQ(format_log_line(LogLevel::warn, "2026-11-21T10:02:11Z", {}, "two\nlines\n", false),
              "2026-11-21T10:02:11Z warn  two lines");
    EXPECT_EQ(format_log_line(LogLevel::error, "2026-11-21T10:02:11Z", {{"task", "1"}}, "a \"b\"", true),
              R"({"time":"2026-11-21T10:02:11Z","level":"error","task":"1","message":"a \"b\""})");
}

TEST(Handshake, KnowsItsSchemaVersionOnly)
{
    EXPECT_TRUE(is_known_schema_version("1.0"));
    for (const char *other : {"", "1", "1.1", "2.0", "1.0 ", "0.9"})
        EXPECT_FALSE(is_known_schema_version(other)) << other;
}

TEST(ArrayLiteral, QuotesWhatAPathMayHold)
{
    EXPECT_EQ(array_literal(std::vector<std::string>{"a", "b \"c\" \\ {d},", "NULL", ""}),
              R"({"a","b \"c\" \\ {d},","NULL",""})");
    EXPECT_EQ(array_literal(std::vector<std::string>{}), "{}");
    EXPECT_EQ(array_literal(std::vector<int64_t>{1, -2}), "{1,-2}");
}

// config.cpp: reads the INI file. An unknown section or key is an error: a typing mistake must not be silent.
#include "listener/config.hpp"

#include "core/error.hpp"
#include "listener/config_check.hpp"
#include "listener/config_text.hpp"

#include <climits>
#include <cstring>
#include <fstream>
#include <functional>
#include <ini.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace vedfolnir
{
namespace
{

std::vector<std::string> words(const std::string &text)
{
    std::vector<std::string> found;
    std::istringstream in(text);
    for (std::string word; std::getline(in, word, ',');)
        if (!trimmed(word).empty())
            found.push_back(trimmed(word));
    return found;
}

int number(const std::string &text, int least, int most)
{
    size_t used = 0;
    long value = 0;
    try {
        value = std::stol(text, &used);
    } catch (const std::exception &) {
        used = 0;
    }
    if (used != text.size() || text.empty() || value < least || value > most)
        fail("must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    return static_cast<int>(value);
}

bool yes_or_no(const std::string &text)
{
    if (text == "yes" || text == "on" || text == "true")
        return true;
    if (text == "no" || text == "off" || text == "false")
        return false;
    fail("must be yes or no");
}

std::string one_of(const std::string &text, std::initializer_list<const char *> choices)
{
    std::string list;
    for (const char *choice : choices) {
        if (text == choice)
            return text;
        list += list.empty() ? choice : std::string(", ") + choice;
    }
    fail("must be one of " + list);
}

Milliseconds positive(const std::string &text)
{
    const Milliseconds value = parse_duration(text);
    if (value.count() == 0)
        fail("must be more than zero");
    return value;
}

template <typename Target> using Setters = std::map<std::string, std::function<void(Target &, const std::string &)>>;

const Setters<Config> &listener_setters()
{
    static const Setters<Config> setters = {
        {"worker", [](Config &c, const std::string &v) { c.worker = v; }},
        {"batch", [](Config &c, const std::string &v) { c.batch = number(v, 1, 10000); }},
        {"lease", [](Config &c, const std::string &v) { c.lease = positive(v); }},
        {"poll", [](Config &c, const std::string &v) { c.poll = positive(v); }},
        {"heartbeat", [](Config &c, const std::string &v) { c.heartbeat = positive(v); }},
        {"backoff_base", [](Config &c, const std::string &v) { c.backoff_base = positive(v); }},
        {"backoff_cap", [](Config &c, const std::string &v) { c.backoff_cap = positive(v); }},
        {"max_attempts", [](Config &c, const std::string &v) { c.max_attempts = number(v, 1, 1000000); }},
        {"prune_after", [](Config &c, const std::string &v) { c.prune_after = parse_duration(v); }},
        {"stop_timeout", [](Config &c, const std::string &v) { c.stop_timeout = positive(v); }},
        {"log_level", [](Config &c, const std::string &v) { c.log_level = parse_log_level(v); }},
        {"log_format", [](Config &c, const std::string &v) { c.log_json = one_of(v, {"text", "json"}) == "json"; }},
        {"allow_root", [](Config &c, const std::string &v) { c.allow_root = yes_or_no(v); }},
    };
    return setters;
}

using Service = ServiceConfig;
using Text = const std::string &;

const Setters<Service> &service_setters(const std::string &type)
{
    static const Setters<Service> files = {
        {"root", [](Service &s, Text v) { s.files.root = v; }},
        {"marker", [](Service &s, Text v) { s.files.marker = v; }},
        {"symlinks", [](Service &s, Text v) { s.files.unlink_symlinks = one_of(v, {"refuse", "unlink"}) == "unlink"; }},
        {"max_depth", [](Service &s, Text v) { s.files.max_depth = number(v, 1, 500); }},
        {"max_entries", [](Service &s, Text v) { s.files.max_entries = number(v, 1, INT_MAX); }},
        {"threads", [](Service &s, Text v) { s.files.threads = number(v, 1, 64); }},
    };
    static const Setters<Service> redis = {
        {"host", [](Service &s, Text v) { s.redis.host = v; }},
        {"port", [](Service &s, Text v) { s.redis.port = number(v, 1, 65535); }},
        {"socket", [](Service &s, Text v) { s.redis.socket = v; }},
        {"database", [](Service &s, Text v) { s.redis.database = number(v, 0, 1000000); }},
        {"user", [](Service &s, Text v) { s.redis.user = v; }},
        {"password", [](Service &s, Text v) { s.redis.password.text = v; }},
        {"password_file", [](Service &s, Text v) { s.redis.password.file = v; }},
        {"password_env", [](Service &s, Text v) { s.redis.password.environment = v; }},
        {"password_credential", [](Service &s, Text v) { s.redis.password.credential = v; }},
        {"tls", [](Service &s, Text v) { s.redis.tls = yes_or_no(v); }},
        {"timeout", [](Service &s, Text v) { s.redis.timeout = positive(v); }},
        {"scan_count", [](Service &s, Text v) { s.redis.scan_count = number(v, 1, 100000); }},
        {"deny_prefix", [](Service &s, Text v) { s.redis.deny_prefix = v; }},
        {"deny_ttl", [](Service &s, Text v) { s.redis.deny_ttl = parse_duration(v); }},
        {"second_pass", [](Service &s, Text v) { s.redis.second_pass = positive(v); }},
    };
    static const Setters<Service> keycloak = {
        {"url", [](Service &s, Text v) { s.identity.http.url = v; }},
        {"ca_file", [](Service &s, Text v) { s.identity.http.ca_file = v; }},
        {"timeout", [](Service &s, Text v) { s.identity.http.timeout = positive(v); }},
        {"max_response", [](Service &s, Text v) { s.identity.http.max_response = number(v, 1024, INT_MAX); }},
        {"token_realm", [](Service &s, Text v) { s.identity.token_realm = v; }},
        {"client_id", [](Service &s, Text v) { s.identity.client_id = v; }},
        {"client_secret", [](Service &s, Text v) { s.identity.client_secret.text = v; }},
        {"client_secret_file", [](Service &s, Text v) { s.identity.client_secret.file = v; }},
        {"client_secret_env", [](Service &s, Text v) { s.identity.client_secret.environment = v; }},
        {"client_secret_credential", [](Service &s, Text v) { s.identity.client_secret.credential = v; }},
        {"realms", [](Service &s, Text v) {
             const auto names = words(v);
             s.identity.realms.insert(names.begin(), names.end());
         }},
    };
    static const Setters<Service> webhook = {
        {"url", [](Service &s, Text v) { s.webhook.http.url = v; }},
        {"ca_file", [](Service &s, Text v) { s.webhook.http.ca_file = v; }},
        {"timeout", [](Service &s, Text v) { s.webhook.http.timeout = positive(v); }},
        {"max_response", [](Service &s, Text v) { s.webhook.http.max_response = number(v, 1024, INT_MAX); }},
        {"secret", [](Service &s, Text v) { s.webhook.secret.text = v; }},
        {"secret_file", [](Service &s, Text v) { s.webhook.secret.file = v; }},
        {"secret_env", [](Service &s, Text v) { s.webhook.secret.environment = v; }},
        {"secret_credential", [](Service &s, Text v) { s.webhook.secret.credential = v; }},
    };
    if (type == "files")
        return files;
    if (type == "redis")
        return redis;
    if (type == "keycloak")
        return keycloak;
    return webhook;
}

const char *const service_types[] = {"files", "redis", "keycloak", "webhook"};

// "public.images:file": the last colon divides, for a quoted relation may contain one.
void add_allowed(Service &service, const std::string &value)
{
    for (const std::string &word : words(value)) {
        const size_t colon = word.rfind(':');
        if (colon == std::string::npos || colon == 0)
            fail("must be a list of RELATION:KIND");
        const std::string relation = trimmed(word.substr(0, colon)), kind = trimmed(word.substr(colon + 1));
        if (relation.find('.') == std::string::npos)
            fail("relation \"" + relation + "\" needs its schema");
        if (service.kinds().count(kind) == 0)
            fail("kind \"" + kind + "\" cannot be done by a service of type " + service.type);
        service.allow.emplace(relation, kind);
    }
}

using Values = std::vector<std::pair<std::string, std::string>>;

struct Sections
{
    std::vector<std::pair<std::string, Values>> list;
    std::string error;

    Values &named(const std::string &name)
    {
        for (auto &[section, values] : list)
            if (section == name)
                return values;
        list.emplace_back(name, Values());
        return list.back().second;
    }
};

int collect(void *user, const char *section, const char *name, const char *value)
{
    Sections &sections = *static_cast<Sections *>(user);
    Values &values = sections.named(section);
    // An indented line goes on with the list above it: libinih hands it out under the same name.
    for (const auto &[known, ignored] : values)
        if (known == name && std::strcmp(name, "allow") != 0 && std::strcmp(name, "realms") != 0) {
            sections.error = std::string("[") + section + "] " + name + " is given twice";
            return 0;
        }
    values.emplace_back(name, value);
    return 1;
}

std::string nearest_hint(const std::string &name, const std::vector<std::string> &known)
{
    for (const std::string &candidate : known)
        if (candidate.find(name) == 0 || name.find(candidate) == 0)
            return "; perhaps " + candidate + " is meant";
    return {};
}

template <typename Target>
void set(Target &target, const Setters<Target> &setters, const std::string &section, const std::string &name,
         const std::string &value)
{
    const auto found = setters.find(name);
    if (found == setters.end()) {
        std::vector<std::string> known;
        for (const auto &entry : setters)
            known.push_back(entry.first);
        fail("[" + section + "] has no option \"" + name + "\"" + nearest_hint(name, known));
    }
    try {
        found->second(target, value);
    } catch (const Error &error) {
        fail("[" + section + "] " + name + " " + error.what());
    }
}

Service read_service(const std::string &section, const Values &values)
{
    Service service;
    service.name = trimmed(section.substr(std::strlen("service ")));
    if (service.name.empty())
        fail("[" + section + "] has no name");
    for (const auto &[name, value] : values)
        if (name == "type") {
            try {
                service.type = one_of(value, {"files", "redis", "keycloak", "webhook"});
            } catch (const Error &error) {
                fail("[" + section + "] type " + error.what());
            }
        }
    if (service.type.empty())
        fail("[" + section + "] has no type");
    for (const auto &[name, value] : values) {
        if (name == "type")
            continue;
        if (name == "allow") {
            try {
                add_allowed(service, value);
            } catch (const Error &error) {
                fail("[" + section + "] allow " + error.what());
            }
            continue;
        }
        set(service, service_setters(service.type), section, name, value);
    }
    return service;
}

} // namespace

std::set<std::string> ServiceConfig::kinds() const
{
    if (type == "files")
        return {"file", "directory"};
    if (type == "redis")
        return {"redis_key", "redis_pattern"};
    if (type == "keycloak")
        return {"identity"};
    return {"webhook"};
}

Milliseconds parse_duration(const std::string &text)
{
    static const std::pair<const char *, long long> units[] = {{"ms", 1},       {"s", 1000},       {"min", 60000},
                                                               {"h", 3600000}, {"d", 86400000}, {"", 1000}};
    const size_t digits = text.find_first_not_of("0123456789");
    const std::string count = text.substr(0, digits);
    const std::string unit = digits == std::string::npos ? "" : trimmed(text.substr(digits));
    if (!count.empty() && count.size() <= 9)
        for (const auto &[name, factor] : units)
            if (unit == name)
                return Milliseconds(std::stoll(count) * factor);
    fail("must be a duration such as 500ms, 5s, 2min, 1h or 7d");
}

std::vector<std::string> option_names()
{
    std::vector<std::string> names = {"database conninfo", "service type", "service allow"};
    for (const auto &entry : listener_setters())
        names.push_back("listener " + entry.first);
    for (const char *type : service_types)
        for (const auto &entry : service_setters(type))
            names.push_back(std::string("service ") + entry.first);
    return names;
}

Config parse_config(const std::string &text, bool secrets_allowed)
{
    // libinih cuts longer lines without a word.
    std::istringstream lines(text);
    int count = 0;
    for (std::string line; std::getline(lines, line);)
        if (++count, line.size() > INI_MAX_LINE - 2)
            fail("line " + std::to_string(count) + " is longer than " + std::to_string(INI_MAX_LINE - 2) +
                 " bytes; continue a list on an indented line");
    Sections sections;
    const int line = ini_parse_string(text.c_str(), collect, &sections);
    if (!sections.error.empty())
        fail(sections.error);
    if (line != 0)
        fail("line " + std::to_string(line) + " is neither a section nor an option");
    Config config;
    for (const auto &[section, values] : sections.list) {
        if (section == "database") {
            for (const auto &[name, value] : values) {
                if (name != "conninfo")
                    fail("[database] has no option \"" + name + "\"");
                config.conninfo = value;
            }
        } else if (section == "listener") {
            for (const auto &[name, value] : values)
                set(config, listener_setters(), section, name, value);
        } else if (section.compare(0, 8, "service ") == 0) {
            config.services.push_back(read_service(section, values));
            check_service(config.services.back(), secrets_allowed);
        } else {
            fail("section [" + section + "] is not known; there are [database], [listener] and [service NAME]");
        }
    }
    check_overlaps(config.services);
    if (config.backoff_cap < config.backoff_base)
        fail("[listener] backoff_cap must not be less than backoff_base");
    if (config.conninfo.find("password") != std::string::npos && !secrets_allowed)
        fail("[database] conninfo holds a password, but the configuration file can be read by others");
    return config;
}

Config read_config(const std::string &path)
{
    std::ifstream in(path);
    struct stat status;
    if (!in || stat(path.c_str(), &status) != 0)
        fail("could not read configuration file \"" + path + "\": " + std::strerror(errno));
    std::ostringstream text;
    text << in.rdbuf();
    try {
        return parse_config(text.str(), (status.st_mode & 077) == 0);
    } catch (const Error &error) {
        fail("configuration file \"" + path + "\": " + error.what());
    }
}

} // namespace vedfolnir

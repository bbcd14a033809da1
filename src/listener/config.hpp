// config.hpp: the listener's configuration file. Roots, addresses and secrets are here and never in the database.
#ifndef VEDFOLNIR_LISTENER_CONFIG_HPP
#define VEDFOLNIR_LISTENER_CONFIG_HPP

#include "listener/backoff.hpp"
#include "listener/log.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace vedfolnir
{

// A secret is given directly (file mode 0600), or by the name of a file, variable or systemd credential.
struct SecretSource
{
    std::string text, file, environment, credential;
    bool given() const { return !text.empty() || !file.empty() || !environment.empty() || !credential.empty(); }
};

struct FilesConfig
{
    std::string root;
    std::string marker; // must exist in the root: an unmounted file system is not an empty one
    bool unlink_symlinks = false;
    int max_depth = 64;
    int max_entries = 100000; // per run of one directory task; the rest is done in the next run
    int threads = 8; // that remove files of one batch: each waits for the disk most of the time
};

struct RedisConfig
{
    std::string host = "127.0.0.1";
    int port = 6379;
    std::string socket;
    int database = 0;
    std::string user;
    SecretSource password;
    bool tls = false;
    Milliseconds timeout{5000};
    int scan_count = 1000;
    std::string deny_prefix;
    Milliseconds deny_ttl{0};
    Milliseconds second_pass{60000};
};

struct HttpConfig
{
    std::string url;
    std::string ca_file;
    Milliseconds timeout{10000};
    long max_response = 1048576;
};

struct IdentityConfig
{
    HttpConfig http;
    std::string token_realm; // realm of the client's token; empty: the realm of the target
    std::string client_id;
    SecretSource client_secret;
    std::set<std::string> realms;
};

struct WebhookConfig
{
    HttpConfig http;
    SecretSource secret;
};

struct ServiceConfig
{
    std::string name;
    std::string type; // files, redis, keycloak or webhook
    std::set<std::pair<std::string, std::string>> allow; // (relation, kind)
    FilesConfig files;
    RedisConfig redis;
    IdentityConfig identity;
    WebhookConfig webhook;

    std::set<std::string> kinds() const; // that the type can do
};

struct Config
{
    std::string conninfo;
    std::string worker;
    int batch = 500;
    Milliseconds lease{60000};
    Milliseconds poll{5000};
    Milliseconds heartbeat{10000};
    Milliseconds backoff_base{1000};
    Milliseconds backoff_cap{300000};
    int max_attempts = 20;
    Milliseconds prune_after{0};
    Milliseconds stop_timeout{5000};
    LogLevel log_level = LogLevel::info;
    bool log_json = false;
    bool allow_root = false;
    std::vector<ServiceConfig> services;
};

// Throws Error F0000 that names the file and what is wrong in it.
Config read_config(const std::string &path);
Config parse_config(const std::string &text, bool secrets_allowed);

// "250ms", "5s", "2min", "1h", "7d"; a plain number is seconds.
Milliseconds parse_duration(const std::string &text);

// Every option as "section key", for the check that the manual and the sample name it.
std::vector<std::string> option_names();

// The secret itself. Empty if none was given; Error F0000 if its place is missing or open to others.
std::string read_secret(const SecretSource &source);

} // namespace vedfolnir
#endif

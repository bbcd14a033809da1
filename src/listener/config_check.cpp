// config_check.cpp: mistakes that only show when the options are looked at together.
#include "listener/config_check.hpp"

#include "listener/config_text.hpp"

namespace vedfolnir
{
namespace
{

bool lies_within(const std::string &inner, const std::string &outer)
{
    return (inner + "/").compare(0, outer.size() + 1, outer + "/") == 0;
}

std::string without_trailing_slash(std::string path)
{
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

void require_http(const ServiceConfig &service, const HttpConfig &http)
{
    if (http.url.compare(0, 8, "https://") != 0 && http.url.compare(0, 7, "http://") != 0)
        fail("service " + service.name + ": url must begin with https:// or http://");
}

} // namespace

void check_service(ServiceConfig &service, bool secrets_allowed)
{
    const std::string prefix = "service " + service.name + ": ";
    if (service.type == "files") {
        if (service.files.root.empty() || service.files.root.front() != '/')
            fail(prefix + "root must be an absolute path");
        service.files.root = without_trailing_slash(service.files.root);
        if (service.files.root == "/")
            fail(prefix + "root must not be the root of the file system");
    }
    if (service.type == "redis") {
        if (service.redis.tls)
            fail(prefix + "this build has no TLS for Redis; use a local socket, a tunnel, or a TLS proxy");
        if (!service.redis.deny_prefix.empty() != (service.redis.deny_ttl.count() > 0))
            fail(prefix + "deny_prefix and deny_ttl belong together");
        // A mark that is gone by then would begin with the first pass again, for ever.
        if (!service.redis.deny_prefix.empty() && service.redis.deny_ttl <= service.redis.second_pass)
            fail(prefix + "deny_ttl must be longer than second_pass");
        if (!service.redis.user.empty() && !service.redis.password.given())
            fail(prefix + "user needs a password");
    }
    if (service.type == "keycloak") {
        require_http(service, service.identity.http);
        if (service.identity.client_id.empty() || !service.identity.client_secret.given())
            fail(prefix + "client_id and client_secret are needed");
        if (service.identity.realms.empty())
            fail(prefix + "realms must list the realms that may be changed");
    }
    if (service.type == "webhook") {
        require_http(service, service.webhook.http);
        if (!service.webhook.secret.given())
            fail(prefix + "secret is needed: the receiver must be able to tell who sent the call");
    }
    const bool has_text = !service.redis.password.text.empty() || !service.identity.client_secret.text.empty() ||
                          !service.webhook.secret.text.empty();
    if (has_text && !secrets_allowed)
        fail(prefix + "holds a secret, but the configuration file can be read by others; use mode 0600 or a secret file");
}

// One directory tree must belong to one service: who names a file is asked by service. So must one realm: its users are
// changed one after the other, and each service has a thread.
void check_overlaps(const std::vector<ServiceConfig> &services)
{
    for (const ServiceConfig &one : services)
        for (const ServiceConfig &other : services) {
            if (&one != &other && one.type == "files" && other.type == "files" &&
                lies_within(one.files.root, other.files.root))
                fail("the root of service " + one.name + " lies within the root of service " + other.name +
                     "; use one service for both");
            if (&one != &other && one.type == "keycloak" && other.type == "keycloak" &&
                without_trailing_slash(one.identity.http.url) == without_trailing_slash(other.identity.http.url))
                for (const std::string &realm : one.identity.realms)
                    if (other.identity.realms.count(realm) != 0)
                        fail("services " + one.name + " and " + other.name + " both have the realm " + realm +
                             "; use one service for both");
        }
}

} // namespace vedfolnir

// services.cpp: which class does which type of service.
#include "core/error.hpp"
#include "listener/files.hpp"
#include "listener/identity.hpp"
#include "listener/redis.hpp"
#include "listener/webhook.hpp"

namespace vedfolnir
{

std::unique_ptr<Service> make_service(const ServiceConfig &config)
{
    if (config.type == "files")
        return std::make_unique<FileService>(config.name, config.files);
    if (config.type == "redis")
        return std::make_unique<RedisService>(config.name, config.redis);
    if (config.type == "keycloak")
        return std::make_unique<IdentityService>(config.identity, make_curl_client(config.identity.http));
    if (config.type == "webhook")
        return std::make_unique<WebhookService>(config.webhook, make_curl_client(config.webhook.http));
    throw Error("F0000", "service type " + config.type + " is not known");
}

} // namespace vedfolnir

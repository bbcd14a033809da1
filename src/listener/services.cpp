// services.cpp: which class does which type of service.
#include "core/error.hpp"
#include "listener/files.hpp"
#include "listener/redis.hpp"

namespace vedfolnir
{

std::unique_ptr<Service> make_service(const ServiceConfig &config)
{
    if (config.type == "files")
        return std::make_unique<FileService>(config.name, config.files);
    if (config.type == "redis")
        return std::make_unique<RedisService>(config.name, config.redis);
    throw Error("0A000", "service type " + config.type + " is not built in");
}

} // namespace vedfolnir

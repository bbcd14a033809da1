// config_check.hpp: what the options of a service, and of the services together, must fit.
#ifndef VEDFOLNIR_LISTENER_CONFIG_CHECK_HPP
#define VEDFOLNIR_LISTENER_CONFIG_CHECK_HPP

#include "listener/config.hpp"

namespace vedfolnir
{

// Error F0000 that names the service. Takes trailing slashes off the root.
void check_service(ServiceConfig &service, bool secrets_allowed);
void check_overlaps(const std::vector<ServiceConfig> &services);

} // namespace vedfolnir
#endif

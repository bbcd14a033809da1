// sd_notify.hpp: tells systemd how we are; does nothing where there is no systemd.
#ifndef VEDFOLNIR_LISTENER_SD_NOTIFY_HPP
#define VEDFOLNIR_LISTENER_SD_NOTIFY_HPP

#include <string>

namespace vedfolnir
{

void notify_systemd(const std::string &state);

} // namespace vedfolnir
#endif

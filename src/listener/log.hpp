// log.hpp: one event a line, as text or JSON, on standard error. Never a path, a key or a name of a person.
#ifndef VEDFOLNIR_LISTENER_LOG_HPP
#define VEDFOLNIR_LISTENER_LOG_HPP

#include <string>
#include <utility>
#include <vector>

namespace vedfolnir
{

enum class LogLevel { debug, info, warn, error };

// Ordered, so that a line reads the same way each time: deletion, task, service, then the rest.
using LogFields = std::vector<std::pair<std::string, std::string>>;

void configure_log(LogLevel least, bool json);
LogLevel parse_log_level(const std::string &name);

void log_event(LogLevel level, const LogFields &fields, const std::string &message = {});
std::string format_log_line(LogLevel level, const std::string &time, const LogFields &fields, const std::string &message,
                            bool json);

} // namespace vedfolnir
#endif

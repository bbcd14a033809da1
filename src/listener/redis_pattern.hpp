// redis_pattern.hpp: what can be told of a pattern without the server.
#ifndef VEDFOLNIR_LISTENER_REDIS_PATTERN_HPP
#define VEDFOLNIR_LISTENER_REDIS_PATTERN_HPP

#include <optional>
#include <string>

namespace vedfolnir
{

// A key that fits the pattern, or nothing if none can.
std::optional<std::string> key_of_pattern(const std::string &pattern);

} // namespace vedfolnir
#endif

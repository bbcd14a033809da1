// config_text.hpp: what reading the configuration file and its secrets has in common.
#ifndef VEDFOLNIR_LISTENER_CONFIG_TEXT_HPP
#define VEDFOLNIR_LISTENER_CONFIG_TEXT_HPP

#include "core/error.hpp"

#include <string>

namespace vedfolnir
{

// A mistake in the configuration; F0000 is config_file_error.
[[noreturn]] inline void fail(const std::string &message)
{
    throw Error("F0000", message);
}

inline std::string trimmed(const std::string &text)
{
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

} // namespace vedfolnir

#endif

// redis_pattern.cpp: reads a pattern as Redis does.
#include "listener/redis_pattern.hpp"

#include <algorithm>

namespace vedfolnir
{
namespace
{

// The first byte of the class that begins behind "[", as Redis reads it; at is moved behind it. Nothing if it has none.
std::optional<char> byte_of_class(const std::string &pattern, size_t &at)
{
    bool listed[256] = {};
    const bool negated = at < pattern.size() && pattern[at] == '^';
    for (at += negated ? 1 : 0; at < pattern.size() && pattern[at] != ']'; at++) {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            listed[static_cast<unsigned char>(pattern[++at])] = true;
        } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            const auto [least, most] = std::minmax({static_cast<unsigned char>(pattern[at]), static_cast<unsigned char>(pattern[at + 2])});
            for (int byte = least; byte <= most; byte++)
                listed[byte] = true;
            at += 2;
        } else {
            listed[static_cast<unsigned char>(pattern[at])] = true;
        }
    }
    at++;
    for (int byte = 1; byte < 256; byte++)
        if (listed[byte] != negated)
            return static_cast<char>(byte);
    return std::nullopt;
}

} // namespace

std::optional<std::string> key_of_pattern(const std::string &pattern)
{
    std::string key;
    for (size_t at = 0; at < pattern.size();) {
        const char c = pattern[at++];
        if (c == '[') {
            const std::optional<char> byte = byte_of_class(pattern, at);
            if (!byte)
                return std::nullopt;
            key += *byte;
        } else if (c == '\\' && at < pattern.size()) {
            key += pattern[at++];
        } else if (c != '*') {
            key += c; // "?" fits itself
        }
    }
    return key;
}

} // namespace vedfolnir

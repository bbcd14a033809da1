/*
 * task.cpp: normalisation, validation and escaping of targets.
 */
#include "core/task.hpp"

#include "core/error.hpp"

#include <cstring>
#include <vector>

namespace vedfolnir {
namespace {

constexpr std::size_t path_max = 4096;
constexpr std::size_t name_max = 255;
constexpr std::size_t other_max = 65536;

bool is_path_kind(std::string_view kind) { return kind == "file" || kind == "directory"; }

std::vector<std::string_view> split_path(std::string_view path)
{
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    while (start <= path.size()) {
        std::size_t end = path.find('/', start);
        if (end == std::string_view::npos)
            end = path.size();
        parts.push_back(path.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

std::string refusal_of_path(std::string_view target)
{
    if (target.front() == '/')
        return "target is an absolute path";
    if (target.size() >= path_max)
        return "target is longer than 4095 bytes";
    const std::string normal = normalise_target("file", target);
    if (normal == ".")
        return "target is the root directory itself";
    for (std::string_view part : split_path(normal)) {
        if (part == "..")
            return "target contains \"..\"";
        if (part.size() > name_max)
            return "target contains a name longer than 255 bytes";
    }
    return {};
}

std::string refusal_of_identity(std::string_view target)
{
    try {
        const IdentityTarget identity = parse_identity_target(target);
        unescape_percent(identity.realm);
        unescape_percent(identity.id.empty() ? identity.username : identity.id);
    } catch (const Error &error) {
        return error.what();
    }
    return {};
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

} // namespace

std::string normalise_target(std::string_view kind, std::string_view target)
{
    if (!is_path_kind(kind) || target.empty())
        return std::string(target);
    std::string normal;
    normal.reserve(target.size());
    for (std::string_view part : split_path(target)) {
        if (part.empty() || part == ".")
            continue;
        if (!normal.empty())
            normal += '/';
        normal += part;
    }
    if (target.front() == '/')
        normal.insert(normal.begin(), '/');
    return normal.empty() ? "." : normal;
}

size_t normalise_as_sql(char *path, size_t length) noexcept
{
    size_t from = 0, to = 0;
    while (from < length) { // "/" and all of "/" and "./" behind it are one "/"
        const char c = path[from++];
        path[to++] = c;
        while (c == '/' && from < length) {
            if (path[from] == '/')
                from++;
            else if (path[from] == '.' && from + 1 < length && path[from + 1] == '/')
                from += 2;
            else
                break;
        }
    }
    from = 0;
    while (to - from >= 2 && path[from] == '.' && path[from + 1] == '/')
        from += 2;
    for (;;) {
        if (to > from && path[to - 1] == '/')
            to--;
        else if (to - from >= 2 && path[to - 1] == '.' && path[to - 2] == '/')
            to -= 2;
        else
            break;
    }
    if (from > 0)
        std::memmove(path, path + from, to - from);
    return to - from;
}

std::string refusal_of_target(std::string_view kind, std::string_view target)
{
    if (target.empty())
        return "target is empty";
    if (target.find('\0') != std::string_view::npos)
        return "target contains a NUL byte";
    if (target.find(refused_segment_mark) != std::string_view::npos)
        return "a value inside the target contains a slash, or is empty, \".\" or \"..\"";
    if (is_path_kind(kind))
        return refusal_of_path(target);
    if (target.size() > other_max)
        return "target is longer than 65536 bytes";
    // A pattern that starts with a wildcard would have to be tried on the keys of everybody.
    if (kind == "redis_pattern" && (target.front() == '*' || target.front() == '?' || target.front() == '['))
        return "pattern starts with a wildcard";
    if (kind == "identity")
        return refusal_of_identity(target);
    if (kind == "redis_key" || kind == "redis_pattern" || kind == "webhook")
        return {};
    return "the kind of the task is not known to this listener";
}

std::string escape_percent(std::string_view value)
{
    static const char digits[] = "0123456789ABCDEF";
    std::string escaped;
    escaped.reserve(value.size());
    for (char c : value) {
        if (is_unreserved(c)) {
            escaped += c;
            continue;
        }
        const unsigned char byte = static_cast<unsigned char>(c);
        escaped += '%';
        escaped += digits[byte >> 4];
        escaped += digits[byte & 15];
    }
    return escaped;
}

std::string unescape_percent(std::string_view value)
{
    std::string plain;
    plain.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); i++) {
        if (value[i] != '%') {
            plain += value[i];
            continue;
        }
        const int high = i + 2 < value.size() ? hex_digit(value[i + 1]) : -1;
        const int low = i + 2 < value.size() ? hex_digit(value[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            throw Error("22023", "target contains a malformed percent escape");
        plain += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return plain;
}

IdentityTarget parse_identity_target(std::string_view target)
{
    static constexpr std::string_view by_name = "username=";
    const std::size_t slash = target.find('/');
    if (slash == std::string_view::npos || slash == 0)
        throw Error("22023", "target does not have the form realm/id or realm/username=name");
    IdentityTarget identity;
    identity.realm = target.substr(0, slash);
    std::string_view rest = target.substr(slash + 1);
    if (rest.substr(0, by_name.size()) == by_name)
        identity.username = rest.substr(by_name.size());
    else
        identity.id = rest;
    if (rest.find('/') != std::string_view::npos || (identity.id.empty() && identity.username.empty()))
        throw Error("22023", "target does not have the form realm/id or realm/username=name");
    if (identity.realm == "." || identity.realm == ".." || identity.id == "." || identity.id == "..")
        throw Error("22023", "target contains a dot name");
    return identity;
}

size_t realm_of_target(char *target, size_t length) noexcept
{
    std::size_t to = 0;
    for (std::size_t from = 0; from < length && target[from] != '/';) {
        const int high = target[from] == '%' && from + 2 < length ? hex_digit(target[from + 1]) : -1;
        const int low = high >= 0 ? hex_digit(target[from + 2]) : -1;
        target[to++] = low >= 0 ? static_cast<char>(high * 16 + low) : target[from];
        from += low >= 0 ? 3 : 1;
    }
    return to;
}

} // namespace vedfolnir

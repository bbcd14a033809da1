/*
 * task.hpp: what a target of a clean-up task may look like, and how values are put into one.
 * Shared by the extension (when tasks are queued) and the listener (when they are done).
 */
#ifndef VEDFOLNIR_CORE_TASK_HPP
#define VEDFOLNIR_CORE_TASK_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace vedfolnir {

// Put before a value that must not be part of a path when a template is expanded (a slash, an empty or a dot name).
constexpr char refused_segment_mark = '\001';

// Gives one spelling per file: "a//b", "./a/./b" and "a/b/" name the same one. Other kinds are left alone.
std::string normalise_target(std::string_view kind, std::string_view target);

// What sql_normalised() makes of a path, in place; returns its new length. It differs from normalise_target() where
// nothing is left of a path.
size_t normalise_as_sql(char *path, size_t length) noexcept;

// Returns why a target cannot be worked on, or nothing if it can. The text never contains the target.
std::string refusal_of_target(std::string_view kind, std::string_view target);

// Percent-encodes everything but the unreserved characters of RFC 3986.
std::string escape_percent(std::string_view value);

// Undoes escape_percent(); throws Error 22023 for a malformed escape or a NUL.
std::string unescape_percent(std::string_view value);

// The two halves of "{realm}/{id}" or "{realm}/username={name}", still percent-encoded.
struct IdentityTarget
{
    std::string realm;
    std::string id;       // empty if the identity is named by its user name
    std::string username;
};
IdentityTarget parse_identity_target(std::string_view target);

// Leaves of a target of an identity its realm, decoded, in place; returns its length. One realm may be spelled in
// several ways; what is malformed stays as it is.
size_t realm_of_target(char *target, size_t length) noexcept;

} // namespace vedfolnir

#endif

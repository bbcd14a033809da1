// column_role.hpp: what the names of columns and tables say of the person behind a reference.
#ifndef VEDFOLNIR_CORE_COLUMN_ROLE_HPP
#define VEDFOLNIR_CORE_COLUMN_ROLE_HPP

#include <string>
#include <vector>

namespace vedfolnir
{

// What a column's name says of the person behind it.
enum class Role
{
    owner,       // author, owner, receiver: the row is theirs
    neutral,     // user_id: nothing but the reference
    actor,       // created_by, last_editor_id: they did something to the row
    responsible, // manager, assignee: they look after the row
    pointer      // active_platform_id: one of several, chosen for now
};

Role role_of_columns(const std::vector<std::string> &columns);
// companies, tenants, workspaces: what owns records in which people only act
bool is_organisation(const std::string &relation);
bool is_evidence(const std::string &relation);
// Does a column without a key look like a reference to a person of this root table? Also for arrays: "member_ids".
bool names_person(const std::string &column, const std::string &root_relation);

} // namespace vedfolnir
#endif

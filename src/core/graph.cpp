#include "core/graph.hpp"

#include <tuple>

namespace vedfolnir
{

const char *action_name(Action action)
{
    switch (action) {
    case Action::del: return "delete";
    case Action::nullify: return "nullify";
    case Action::set_default: return "default";
    case Action::reassign: return "reassign";
    case Action::retain: return "retain";
    case Action::block: return "block";
    case Action::none: break;
    }
    return "";
}

Action effective_action(Action declared, Action policy)
{
    if (policy != Action::none)
        return policy;
    if (declared != Action::none)
        return declared;
    return Action::block;
}

bool edge_before(const Edge &a, const Edge &b)
{
    return std::tie(a.schema, a.relation, a.name) < std::tie(b.schema, b.relation, b.name);
}

} // namespace vedfolnir

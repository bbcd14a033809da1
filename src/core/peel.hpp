// peel.hpp: which relations of a plan can be emptied of the person's rows before the deletion as a whole, and in which order.
#ifndef VEDFOLNIR_CORE_PEEL_HPP
#define VEDFOLNIR_CORE_PEEL_HPP

#include "core/plan.hpp"

#include <vector>

namespace vedfolnir
{

// Nodes from the leaves up: when the rows of a node go, nothing of the walk refers to them any more. A node of a cycle,
// the root, and whatever such a node hangs on are left out, and so is a node to which rows refer through an edge that
// does not delete (referred, per edge): their references are changed once, together with all others of their row.
std::vector<int> peel_order(const Plan &plan, const std::vector<bool> &referred);

// The nodes through which the walk may come to a node.
std::vector<bool> ancestors(const Plan &plan, int node);

} // namespace vedfolnir
#endif

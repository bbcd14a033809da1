// plan.hpp: the ordered steps of a deletion, computed from a graph. The same plan serves dry run and run.
#ifndef VEDFOLNIR_CORE_PLAN_HPP
#define VEDFOLNIR_CORE_PLAN_HPP

#include "core/graph.hpp"

#include <string>
#include <vector>

namespace vedfolnir
{

// A strongly connected component of the delete edges; outer edges lead into it, inner ones stay inside.
struct Component
{
    std::vector<int> nodes;
    std::vector<int> outer;
    std::vector<int> inner;
    bool loop = false;
};

struct Plan
{
    Graph graph;
    std::vector<Component> components; // topological, ties by name
    std::vector<int> detach;           // nullify, default, reassign, retain edges, by name
    std::vector<int> block;            // block edges, by name
    std::vector<int> component_of;     // per node, -1: not reached
    std::vector<std::vector<std::string>> key_columns; // per node: quoted columns that its children refer to
    std::vector<std::vector<int>> delete_edges_into;   // per node
    std::vector<bool> needs_tableoid;                  // per node: a child refers to one partition only
};

// Which edges have a parent that the walk can reach? Needs only child, parent, declared and policy of each edge.
std::vector<bool> reachable_edges(const Graph &graph);

// Orders the graph; throws Error when the graph has no root.
Plan make_plan(Graph graph);

} // namespace vedfolnir
#endif

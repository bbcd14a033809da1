#include "core/peel.hpp"

namespace vedfolnir
{

std::vector<int> peel_order(const Plan &plan, const std::vector<bool> &referred)
{
    const Graph &graph = plan.graph;
    std::vector<bool> free(graph.nodes.size(), false);
    std::vector<std::vector<int>> from(graph.nodes.size());
    std::vector<int> order;
    for (size_t i = 0; i < graph.edges.size(); i++)
        from[graph.edges[i].parent].push_back(static_cast<int>(i));
    // Children come later in the order of the walk, so that they are decided first here.
    for (auto c = plan.components.rbegin(); c != plan.components.rend(); ++c) {
        if (c->loop || c->nodes.front() == graph.root)
            continue;
        int node = c->nodes.front();
        bool peels = true;
        for (int e : from[node])
            peels = peels && (graph.edges[e].action() == Action::del ? free[graph.edges[e].child] : !referred[e]);
        free[node] = peels;
        if (peels)
            order.push_back(node);
    }
    return order;
}

std::vector<bool> ancestors(const Plan &plan, int node)
{
    std::vector<bool> found(plan.graph.nodes.size(), false);
    std::vector<int> todo{node};
    while (!todo.empty()) {
        int child = todo.back();
        todo.pop_back();
        for (int e : plan.delete_edges_into[child]) {
            int parent = plan.graph.edges[e].parent;
            if (!found[parent]) {
                found[parent] = true;
                todo.push_back(parent);
            }
        }
    }
    return found;
}

} // namespace vedfolnir

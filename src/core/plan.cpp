#include "core/plan.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

namespace vedfolnir
{

namespace
{

// The edges that the walk follows, per parent.
std::vector<std::vector<int>> delete_edges_from(const Graph &graph)
{
    std::vector<std::vector<int>> out(graph.nodes.size());
    for (size_t i = 0; i < graph.edges.size(); i++)
        if (graph.edges[i].action() == Action::del)
            out[graph.edges[i].parent].push_back(static_cast<int>(i));
    return out;
}

std::vector<bool> reached_nodes(const Graph &graph, const std::vector<std::vector<int>> &from)
{
    std::vector<bool> reached(graph.nodes.size(), false);
    std::vector<int> todo{graph.root};
    reached[graph.root] = true;
    while (!todo.empty()) {
        int node = todo.back();
        todo.pop_back();
        for (int e : from[node]) {
            int child = graph.edges[e].child;
            if (!reached[child]) {
                reached[child] = true;
                todo.push_back(child);
            }
        }
    }
    return reached;
}

// Tarjan's algorithm with a stack of its own: a schema may be thousands of tables deep.
class Components
{
  public:
    Components(const Graph &graph, const std::vector<std::vector<int>> &from)
        : graph_(graph), from_(from), index_(graph.nodes.size(), 0), low_(graph.nodes.size(), 0),
          on_stack_(graph.nodes.size(), false), component_(graph.nodes.size(), -1)
    {
        visit(graph.root);
    }
    const std::vector<int> &component() const { return component_; }
    int count() const { return count_; }

  private:
    struct Frame
    {
        int node;
        size_t next;
    };

    void visit(int root)
    {
        std::vector<Frame> frames;
        enter(root, frames);
        while (!frames.empty()) {
            Frame &frame = frames.back();
            if (frame.next < from_[frame.node].size()) {
                int child = graph_.edges[from_[frame.node][frame.next++]].child;
                if (index_[child] == 0)
                    enter(child, frames);
                else if (on_stack_[child])
                    low_[frame.node] = std::min(low_[frame.node], index_[child]);
                continue;
            }
            int node = frame.node;
            frames.pop_back();
            if (!frames.empty())
                low_[frames.back().node] = std::min(low_[frames.back().node], low_[node]);
            if (low_[node] == index_[node])
                close(node);
        }
    }

    void enter(int node, std::vector<Frame> &frames)
    {
        index_[node] = low_[node] = ++last_;
        stack_.push_back(node);
        on_stack_[node] = true;
        frames.push_back({node, 0});
    }

    void close(int node)
    {
        int member;
        do {
            member = stack_.back();
            stack_.pop_back();
            on_stack_[member] = false;
            component_[member] = count_;
        } while (member != node);
        count_++;
    }

    const Graph &graph_;
    const std::vector<std::vector<int>> &from_;
    std::vector<int> index_, low_;
    std::vector<bool> on_stack_;
    std::vector<int> component_;
    std::vector<int> stack_;
    int last_ = 0;
    int count_ = 0;
};

bool node_before(const Node &a, const Node &b)
{
    return std::tie(a.schema, a.relation) < std::tie(b.schema, b.relation);
}

// Kahn's algorithm with the smallest name first, so that the order depends on names alone.
std::vector<int> topological(const Graph &graph, const std::vector<int> &component, int count)
{
    std::vector<int> first(count, -1), incoming(count, 0), order;
    std::vector<std::vector<int>> next(count);
    for (size_t n = 0; n < graph.nodes.size(); n++) {
        int c = component[n];
        if (c >= 0 && (first[c] < 0 || node_before(graph.nodes[n], graph.nodes[first[c]])))
            first[c] = static_cast<int>(n);
    }
    for (const Edge &edge : graph.edges) {
        if (edge.action() != Action::del || component[edge.parent] < 0)
            continue;
        int from = component[edge.parent], to = component[edge.child];
        if (from != to) {
            next[from].push_back(to);
            incoming[to]++;
        }
    }
    auto later = [&](int a, int b) { return node_before(graph.nodes[first[b]], graph.nodes[first[a]]); };
    std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
    for (int c = 0; c < count; c++)
        if (incoming[c] == 0)
            ready.push(c);
    while (!ready.empty()) {
        int c = ready.top();
        ready.pop();
        order.push_back(c);
        for (int to : next[c])
            if (--incoming[to] == 0)
                ready.push(to);
    }
    return order;
}

void add_unique(std::vector<std::string> &list, const std::string &item)
{
    if (std::find(list.begin(), list.end(), item) == list.end())
        list.push_back(item);
}

} // namespace

std::vector<bool> reachable_edges(const Graph &graph)
{
    std::vector<bool> nodes = reached_nodes(graph, delete_edges_from(graph));
    std::vector<bool> edges(graph.edges.size(), false);
    for (size_t i = 0; i < graph.edges.size(); i++)
        edges[i] = nodes[graph.edges[i].parent];
    return edges;
}

Plan make_plan(Graph graph)
{
    if (graph.root < 0 || graph.root >= static_cast<int>(graph.nodes.size()))
        throw Error("XX000", "the plan has no root relation");

    Plan plan;
    auto from = delete_edges_from(graph);
    Components found(graph, from);
    const std::vector<int> &component = found.component();
    std::vector<int> order = topological(graph, component, found.count());
    std::vector<int> position(found.count());
    for (size_t i = 0; i < order.size(); i++)
        position[order[i]] = static_cast<int>(i);

    plan.components.resize(order.size());
    plan.component_of.assign(graph.nodes.size(), -1);
    plan.key_columns.resize(graph.nodes.size());
    plan.delete_edges_into.resize(graph.nodes.size());
    plan.needs_tableoid.assign(graph.nodes.size(), false);
    for (size_t n = 0; n < graph.nodes.size(); n++)
        if (component[n] >= 0) {
            plan.component_of[n] = position[component[n]];
            plan.components[plan.component_of[n]].nodes.push_back(static_cast<int>(n));
        }

    std::vector<int> by_name;
    for (size_t i = 0; i < graph.edges.size(); i++)
        if (plan.component_of[graph.edges[i].parent] >= 0)
            by_name.push_back(static_cast<int>(i));
    std::sort(by_name.begin(), by_name.end(),
              [&](int a, int b) { return edge_before(graph.edges[a], graph.edges[b]); });

    for (int i : by_name) {
        const Edge &edge = graph.edges[i];
        for (const Pair &pair : edge.pairs)
            add_unique(plan.key_columns[edge.parent], pair.parent_column);
        if (!edge.parent_leaves.empty())
            plan.needs_tableoid[edge.parent] = true;
        if (edge.action() != Action::del && !edge.blocker.empty()) {
            plan.block.push_back(i);
            continue;
        }
        switch (edge.action()) {
        case Action::del: {
            Component &into = plan.components[plan.component_of[edge.child]];
            bool inner = plan.component_of[edge.child] == plan.component_of[edge.parent];
            (inner ? into.inner : into.outer).push_back(i);
            into.loop = into.loop || inner;
            plan.delete_edges_into[edge.child].push_back(i);
            break;
        }
        case Action::block: plan.block.push_back(i); break;
        default: plan.detach.push_back(i);
        }
    }
    if (graph.tombstone)
        add_unique(plan.key_columns[graph.root], graph.key_column);
    auto by_node = [&](int a, int b) { return node_before(graph.nodes[a], graph.nodes[b]); };
    for (Component &c : plan.components)
        std::sort(c.nodes.begin(), c.nodes.end(), by_node);
    plan.graph = std::move(graph);
    return plan;
}

} // namespace vedfolnir

#include "core/sql_parts.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace vedfolnir {

std::string Pattern::str() const
{
    std::string out;
    size_t used = 0;
    for (const char *at = text_; *at; at++) {
        if (*at != '%') {
            out += *at;
            continue;
        }
        const char *end = at + 1;
        size_t n = 0;
        while (*end >= '0' && *end <= '9')
            n = n * 10 + static_cast<size_t>(*end++ - '0');
        if (*end != '%' || n == 0 || n > values_.size())
            throw Error("XX000", "a pattern names a value that it was not given");
        used = std::max(used, n);
        out += values_[n - 1];
        at = end;
    }
    if (used != values_.size())
        throw Error("XX000", "a pattern was given a value that it does not name");
    return out;
}

std::string number(int n)
{
    return std::to_string(n);
}

std::string join(const std::vector<std::string> &parts, const char *separator)
{
    std::string out;
    for (const std::string &part : parts) {
        if (!out.empty())
            out += separator;
        out += part;
    }
    return out;
}

int key_number(const Plan &plan, int node, const std::string &column)
{
    const auto &columns = plan.key_columns[node];
    auto at = std::find(columns.begin(), columns.end(), column);
    if (at == columns.end())
        throw Error("XX000", "a key column of the plan is missing");
    return static_cast<int>(at - columns.begin());
}

std::string in_leaves(const std::string &alias, const std::string &leaves)
{
    return (Pattern("%1% %2% ANY ('%3%'::pg_catalog.oid[])") % alias % EQ % leaves).str();
}

// The child side of a pair as it stands in the relation (alias c) or in a key set (alias a).
std::string child_in_relation(const Pair &pair)
{
    return pair.child_is_column ? "c." + pair.child : "(" + pair.child + ")";
}

// Its cast was applied when the row was taken, as the owner of its relation: a cast may be a function of
// anybody.
std::string child_in_keys(int edge, size_t pair)
{
    return "a.vdf_f" + number(edge) + "_" + number(static_cast<int>(pair));
}

std::string compare(const Pair &pair, const std::string &parent, const std::string &child)
{
    std::string right = child + pair.child_cast;
    if (pair.any)
        right = "ANY (" + right + ")";
    return parent + pair.parent_cast + " " + pair.op + " " + right;
}

// The pair that compares one element where the column is an array of references.
Pair one_element(Pair pair)
{
    const std::string brackets = "[]";
    if (pair.any && pair.child_cast.size() > brackets.size() &&
        pair.child_cast.compare(pair.child_cast.size() - brackets.size(), brackets.size(), brackets) == 0)
        pair.child_cast.resize(pair.child_cast.size() - brackets.size());
    pair.any = false;
    return pair;
}

std::string pairs_condition(const Plan &plan, int number_of_edge, Parent parent, Child child)
{
    const Edge &edge = plan.graph.edges[number_of_edge];
    std::vector<std::string> parts;
    for (size_t i = 0; i < edge.pairs.size(); i++) {
        const Pair &pair = edge.pairs[i];
        std::string left = parent == Parent::keys
                               ? "d.vdf_k" + number(key_number(plan, edge.parent, pair.parent_column))
                               : "p." + pair.parent_column;
        Pair uncast = pair;
        uncast.child_cast.clear();
        parts.push_back(child == Child::relation ? compare(pair, left, child_in_relation(pair))
                                                 : compare(uncast, left, child_in_keys(number_of_edge, i)));
    }
    if (parent == Parent::keys && !edge.parent_leaves.empty())
        parts.push_back(in_leaves("d.vdf_t", edge.parent_leaves));
    if (child == Child::relation && !edge.condition.empty())
        parts.push_back("(" + edge.condition + ")");
    return join(parts, " AND ");
}

bool shields_tombstone(const Plan &plan, const Edge &edge)
{
    return plan.graph.tombstone && edge.child == plan.graph.root;
}

// A tombstone stays even where a cycle of delete edges leads back to it.
std::string except_tombstone(const Plan &plan)
{
    const Graph &graph = plan.graph;
    return (Pattern(" AND NOT EXISTS (SELECT FROM vdf_root r WHERE c.%1% %2% r.vdf_r)") % graph.key_column %
            graph.key_op)
        .str();
}

std::string root_condition(const Plan &plan, const std::string &alias)
{
    return "c." + plan.graph.key_column + " " + plan.graph.key_op + " " + alias + ".vdf_r";
}

} // namespace vedfolnir

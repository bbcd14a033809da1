// graph.hpp: relations and the edges between them, as read from the catalogue, with a policy per edge.
#ifndef VEDFOLNIR_CORE_GRAPH_HPP
#define VEDFOLNIR_CORE_GRAPH_HPP

#include <string>
#include <vector>

namespace vedfolnir
{

// What happens to the rows behind an edge. Values are stable: they cross the wall.
enum class Action : char
{
    none = 0,
    del = 'd',
    nullify = 'n',
    set_default = 'f',
    reassign = 'r',
    retain = 'k',
    block = 'b'
};

const char *action_name(Action action);
// A policy wins; else the declared action; NO ACTION and RESTRICT decide nothing and therefore block.
Action effective_action(Action declared, Action policy);

// One column pair of an edge: parent side OPERATOR child side, with the casts and the collation that RI would use.
struct Pair
{
    std::string parent_column; // quoted
    std::string parent_cast;   // "" or "::schema.type COLLATE ..."
    std::string op;            // "OPERATOR(schema.=)"
    std::string child;         // quoted column or (expression), without alias
    std::string child_cast;    // "" or "::schema.type"
    bool child_is_column = true;
    bool any = false;          // the child side is an array of references
};

// A column that nullify, default or reassign writes.
struct SetColumn
{
    std::string column;   // quoted
    std::string defaults; // the column's default as SQL, "NULL" if there is none
    bool not_null = false;
    int pair = -1;        // which column pair it belongs to, for reassign
};

struct Node
{
    std::string schema;
    std::string relation;
    std::string display; // qualified and quoted
    std::string from;    // what a statement addresses: ONLY unless partitioned
};

struct Edge
{
    int child = -1;
    int parent = -1;
    std::string name;
    std::string schema;
    std::string relation;
    std::string display;
    std::string from;
    std::string parent_from; // the referenced relation itself (it may be one partition)
    Action declared = Action::none; // none: NO ACTION, RESTRICT or a link without action
    Action policy = Action::none;
    bool link = false;
    bool collateral_ok = false;
    bool validated = true;
    std::vector<Pair> pairs;
    std::string parent_leaves; // "{oid,...}": the key references one partition only
    std::string child_leaves;  // "{oid,...}": the key lies on some partitions only
    std::string condition;     // on the child side: links only
    std::vector<SetColumn> sets;
    std::string reassign_expression; // "" = parameter

    std::string blocker; // why this edge cannot be followed although a policy or the declared action says so

    Action action() const { return effective_action(declared, policy); }
    bool undeclared() const { return action() == Action::block && policy == Action::none; }
};

struct ColumnRule
{
    int edge = -1; // -1: the root row of a tombstone
    int node = -1;
    std::string column;
    std::string expression;
};

struct TargetRule
{
    int node = -1;
    std::string kind;
    std::string expression; // over the row, unqualified columns
    std::string filter;     // "" or a condition on c.tableoid
};

struct Graph
{
    std::vector<Node> nodes;
    std::vector<Edge> edges;
    std::vector<ColumnRule> column_rules;
    std::vector<TargetRule> target_rules;
    int root = -1;
    std::string key_column; // quoted
    std::string key_op;     // equality of the key column
    std::string label_column;
    bool tombstone = false;
};

// Sorts as C collation does: by schema, relation, name.
bool edge_before(const Edge &a, const Edge &b);

} // namespace vedfolnir
#endif

#include "core/sql_text.hpp"

#include "core/error.hpp"

#include <boost/format.hpp>

#include <algorithm>
#include <set>

namespace vedfolnir
{

namespace
{

const char *const EQ = "OPERATOR(pg_catalog.=)";

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
    return (boost::format("%1% %2% ANY ('%3%'::pg_catalog.oid[])") % alias % EQ % leaves).str();
}

// The child side of a pair as it stands in the relation (alias c) or in a key set (alias a).
std::string child_in_relation(const Pair &pair)
{
    return pair.child_is_column ? "c." + pair.child : "(" + pair.child + ")";
}

// Its cast was applied when the row was taken, as the owner of its relation: a cast may be a function of anybody.
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

// How the columns of the referred rows are addressed.
enum class Parent
{
    keys,    // d.vdf_k<n>
    relation // p."column"
};
enum class Child
{
    relation,
    keys
};

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
    return (boost::format(" AND NOT EXISTS (SELECT FROM vdf_root r WHERE c.%1% %2% r.vdf_r)") % graph.key_column %
            graph.key_op)
        .str();
}

std::string root_condition(const Plan &plan, const std::string &alias)
{
    return "c." + plan.graph.key_column + " " + plan.graph.key_op + " " + alias + ".vdf_r";
}

// The referring values of an edge, NULL for rows to which the edge does not apply.
std::string referring_value(const Edge &edge, const Pair &pair)
{
    std::string value = child_in_relation(pair) + pair.child_cast;
    std::vector<std::string> only;
    if (!edge.child_leaves.empty())
        only.push_back(in_leaves("c.tableoid", edge.child_leaves));
    if (!edge.condition.empty())
        only.push_back("(" + edge.condition + ")");
    return only.empty() ? value : "CASE WHEN " + join(only, " AND ") + " THEN " + value + " END";
}

std::string select_list(const Plan &plan, int node, const RowShape &shape, int edge, const char *users)
{
    std::vector<std::string> list;
    if (shape.identity || (shape.keys && plan.needs_tableoid[node]))
        list.push_back("c.tableoid AS vdf_t");
    if (shape.identity)
        list.push_back("c.ctid AS vdf_i");
    if (shape.users)
        list.push_back(std::string(users) + ".vdf_u");
    if (shape.collateral) {
        list.push_back("(" + number(edge) + ")::pg_catalog.int4 AS vdf_e");
        for (int e : plan.delete_edges_into[node]) {
            const Edge &into = plan.graph.edges[e];
            for (size_t i = 0; i < into.pairs.size(); i++)
                list.push_back(referring_value(into, into.pairs[i]) + " AS vdf_f" + number(e) + "_" +
                               number(static_cast<int>(i)));
        }
    }
    if (shape.keys)
        for (size_t k = 0; k < plan.key_columns[node].size(); k++)
            list.push_back("c." + plan.key_columns[node][k] + " AS vdf_k" + number(static_cast<int>(k)));
    if (shape.targets) {
        int x = 0;
        for (const TargetRule &rule : plan.graph.target_rules)
            if (rule.node == node)
                list.push_back((rule.filter.empty() ? "(" + rule.expression + ")"
                                                    : "CASE WHEN " + rule.filter + " THEN (" + rule.expression +
                                                          ") END") +
                               "::pg_catalog.text AS vdf_x" + number(x++));
    }
    return list.empty() ? "" : join(list, ", ");
}

std::string take(const std::string &from, const std::string &keys, const std::string &where,
                 const std::string &list, bool del)
{
    if (del)
        return "DELETE FROM " + from + " c USING " + keys + " WHERE " + where +
               (list.empty() ? "" : " RETURNING " + list);
    return "SELECT " + list + " FROM " + from + " c, " + keys + " WHERE " + where;
}

} // namespace

std::string sql_find_root(const Plan &plan, RootKeys keys, bool lock)
{
    const Graph &g = plan.graph;
    const std::string label =
        g.label_column.empty() ? "NULL::pg_catalog.text" : "c." + g.label_column + "::pg_catalog.text";
    std::string sql;
    if (keys == RootKeys::one)
        sql = (boost::format("SELECT c.%1% AS vdf_r, %2% AS vdf_l, 1 AS vdf_u FROM %3% c WHERE c.%1% %4% $1") %
               g.key_column % label % g.nodes[g.root].from % g.key_op)
                  .str();
    else
        sql = (boost::format("SELECT c.%1% AS vdf_r, %2% AS vdf_l, a.vdf_u::pg_catalog.int4 AS vdf_u FROM %3% c, "
                             "pg_catalog.unnest($1) WITH ORDINALITY AS a(vdf_key, vdf_u) WHERE c.%1% %4% a.vdf_key "
                             "ORDER BY 3") %
               g.key_column % label % g.nodes[g.root].from % g.key_op)
                  .str();
    return lock ? sql + " FOR UPDATE OF c" : sql;
}

std::string sql_take_root(const Plan &plan, const RowShape &shape, bool del)
{
    const Graph &g = plan.graph;
    return take(g.nodes[g.root].from, "vdf_root d", root_condition(plan, "d"),
                select_list(plan, g.root, shape, -1, "d"), del);
}

std::string sql_take_ghost(const Plan &plan, const RowShape &shape)
{
    const Graph &g = plan.graph;
    auto typed_null = [&](const std::string &value) {
        return "(SELECT " + value + " FROM " + g.nodes[g.root].from + " c WHERE false)";
    };
    std::vector<std::string> list;
    if (shape.identity || (shape.keys && plan.needs_tableoid[g.root]))
        list.push_back("0::pg_catalog.oid AS vdf_t");
    if (shape.identity)
        list.push_back("'(0,0)'::pg_catalog.tid AS vdf_i");
    if (shape.users)
        list.push_back("d.vdf_u");
    if (shape.collateral) {
        list.push_back("(-1)::pg_catalog.int4 AS vdf_e");
        for (int e : plan.delete_edges_into[g.root])
            for (size_t i = 0; i < g.edges[e].pairs.size(); i++)
                list.push_back(typed_null(referring_value(g.edges[e], g.edges[e].pairs[i])) + " AS vdf_f" + number(e) + "_" +
                               number(static_cast<int>(i)));
    }
    if (shape.keys)
        for (size_t k = 0; k < plan.key_columns[g.root].size(); k++) {
            const std::string &column = plan.key_columns[g.root][k];
            list.push_back((column == g.key_column ? "d.vdf_r" : typed_null("c." + column)) + " AS vdf_k" +
                           number(static_cast<int>(k)));
        }
    return "SELECT " + join(list, ", ") + " FROM vdf_root d";
}

std::string sql_take_edge(const Plan &plan, int edge, const RowShape &shape, bool del)
{
    const Edge &e = plan.graph.edges[edge];
    std::string where = pairs_condition(plan, edge, Parent::keys, Child::relation);
    if (shields_tombstone(plan, e))
        where += except_tombstone(plan);
    return take(e.from, "vdf_d d", where, select_list(plan, e.child, shape, edge, "d"), del);
}

std::string sql_find_references(const Plan &plan, int edge, bool users, bool lock)
{
    const Edge &e = plan.graph.edges[edge];
    return (boost::format("SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (%1%)::pg_catalog.int4 AS vdf_e%2% FROM %3% c, "
                          "vdf_d d WHERE %4%%5%") %
            edge % (users ? ", d.vdf_u" : "") % e.from % pairs_condition(plan, edge, Parent::keys, Child::relation) %
            (lock ? " FOR NO KEY UPDATE OF c" : ""))
        .str();
}

std::string sql_find_tombstone(const Plan &plan, bool users, bool lock)
{
    const Graph &g = plan.graph;
    return (boost::format("SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (-1)::pg_catalog.int4 AS vdf_e%1% FROM %2% c, "
                          "vdf_root d WHERE %3%%4%") %
            (users ? ", d.vdf_u" : "") % g.nodes[g.root].from % root_condition(plan, "d") %
            (lock ? " FOR NO KEY UPDATE OF c" : ""))
        .str();
}

namespace
{

std::string flag(int edge)
{
    return edge < 0 ? "x.vdf_root" : "x.vdf_e" + number(edge);
}

// The new value of one column, from the strongest claim to the weakest: column rule, reassign, nullify, default.
class ColumnValue
{
  public:
    explicit ColumnValue(std::string column) : column_(std::move(column)) {}
    const std::string &column() const { return column_; }
    void claim(int rank, const std::string &when, const std::string &value) { claims_.push_back({rank, when, value}); }
    void conditions(std::set<std::string> &found) const
    {
        for (const Claim &c : claims_)
            found.insert(c.when);
    }
    std::string sql() const
    {
        auto claims = claims_;
        std::stable_sort(claims.begin(), claims.end(), [](const Claim &a, const Claim &b) { return a.rank < b.rank; });
        std::string sql = "CASE";
        for (const Claim &c : claims)
            sql += " WHEN " + c.when + " THEN " + c.value;
        return column_ + " = " + sql + " ELSE c." + column_ + " END";
    }

  private:
    struct Claim
    {
        int rank;
        std::string when;
        std::string value;
    };
    std::string column_;
    std::vector<Claim> claims_;
};

ColumnValue &value_of(std::vector<ColumnValue> &values, const std::string &column)
{
    for (ColumnValue &v : values)
        if (v.column() == column)
            return v;
    values.emplace_back(column);
    return values.back();
}

// An array of references loses the elements that refer to what goes.
std::string remaining_elements(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    const Pair element = one_element(e.pairs[0]);
    std::string key = "d.vdf_k" + number(key_number(plan, e.parent, element.parent_column));
    return (boost::format("ARRAY(SELECT u.vdf_v FROM pg_catalog.unnest(c.%1%) WITH ORDINALITY AS u(vdf_v, vdf_o) WHERE "
                          "NOT EXISTS (SELECT FROM vdf_p%2% d WHERE %3%) ORDER BY u.vdf_o)") %
            element.child % edge % compare(element, key, "u.vdf_v"))
        .str();
}

} // namespace

std::string sql_detach(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone)
{
    std::vector<ColumnValue> values;
    std::vector<std::string> flags;
    int parameter = 0;
    auto rules = [&](int edge) {
        for (const ColumnRule &rule : plan.graph.column_rules)
            if (rule.edge == edge && rule.node == node)
                value_of(values, rule.column).claim(0, flag(edge), "(" + rule.expression + ")");
    };
    for (int i : edges) {
        const Edge &e = plan.graph.edges[i];
        flags.push_back((boost::format("pg_catalog.bool_or(vdf_e %1% %2%) AS vdf_e%2%") % EQ % i).str());
        std::string parameter_name;
        if (e.action() == Action::reassign && e.reassign_expression.empty())
            parameter_name = "$" + number(++parameter);
        for (const SetColumn &set : e.sets) {
            // A retained reference claims nothing; it is here for its column rules.
            if (e.action() == Action::retain)
                break;
            ColumnValue &value = value_of(values, set.column);
            switch (e.action()) {
            case Action::reassign:
                value.claim(1, flag(i), parameter_name.empty() ? "(" + e.reassign_expression + ")" : parameter_name);
                break;
            case Action::nullify:
                value.claim(2, flag(i), e.pairs[0].any ? remaining_elements(plan, i) : "NULL");
                break;
            case Action::set_default: value.claim(3, flag(i), "(" + set.defaults + ")"); break;
            default: break;
            }
        }
        rules(i);
    }
    if (tombstone) {
        flags.push_back((boost::format("pg_catalog.bool_or(vdf_e %1% (-1)) AS vdf_root") % EQ).str());
        rules(-1);
    }
    if (values.empty())
        return {};
    std::vector<std::string> sets;
    std::set<std::string> conditions;
    for (const ColumnValue &v : values) {
        sets.push_back(v.sql());
        v.conditions(conditions);
    }
    // A row that was reached through a retained edge only is not touched: its triggers have nothing to see.
    const std::vector<std::string> touched(conditions.begin(), conditions.end());
    return (boost::format("UPDATE %1% c SET %2% FROM (SELECT vdf_t, vdf_i, %3% FROM vdf_m GROUP BY vdf_t, vdf_i) x "
                          "WHERE c.ctid %4% x.vdf_i AND c.tableoid %4% x.vdf_t AND (%5%)") %
            plan.graph.nodes[node].from % join(sets, ", ") % join(flags, ", ") % EQ % join(touched, " OR "))
        .str();
}

std::string sql_find_left(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    std::string where = pairs_condition(plan, edge, Parent::keys, Child::relation);
    if (shields_tombstone(plan, e) && e.action() == Action::del)
        where += except_tombstone(plan); // see sql_find_tombstone_left
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i FROM " + e.from + " c, vdf_d d WHERE " + where;
}

std::string sql_find_foreign(const Plan &plan, int edge, bool parents_go)
{
    const Edge &e = plan.graph.edges[edge];
    std::vector<std::string> not_null;
    for (size_t i = 0; i < e.pairs.size(); i++)
        not_null.push_back(child_in_keys(edge, i) + " IS NOT NULL");
    std::string sql = "SELECT a.vdf_t, a.vdf_i, a.vdf_e FROM vdf_a a WHERE " + join(not_null, " AND ");
    if (parents_go)
        sql += (boost::format(" AND NOT EXISTS (SELECT FROM vdf_d d WHERE %1%)") %
                pairs_condition(plan, edge, Parent::keys, Child::keys))
                   .str();
    // A key that was validated cannot lead nowhere; a link or a NOT VALID key can, and then nobody else owns the row.
    if (e.link || !e.validated)
        sql += (boost::format(" AND EXISTS (SELECT FROM %1% p WHERE %2%)") % e.parent_from %
                pairs_condition(plan, edge, Parent::relation, Child::keys))
                   .str();
    return sql;
}

std::string sql_follow_own(const Plan &plan, int edge)
{
    return "SELECT a.* FROM vdf_a a, vdf_d d WHERE " + pairs_condition(plan, edge, Parent::keys, Child::keys);
}

std::string sql_find_tombstone_left(const Plan &plan, int edge)
{
    const Graph &g = plan.graph;
    const Edge &e = g.edges[edge];
    std::string where = pairs_condition(plan, edge, Parent::keys, Child::relation) + " AND " + root_condition(plan, "r");
    if (e.parent == g.root) // a tombstone that refers to itself refers to a row that stays
        where += (boost::format(" AND NOT EXISTS (SELECT FROM vdf_root x WHERE d.vdf_k%1% %2% x.vdf_r)") %
                  key_number(plan, g.root, g.key_column) % g.key_op)
                     .str();
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i FROM " + e.from + " c, vdf_d d, vdf_root r WHERE " + where;
}

std::string sql_find_successor(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    std::vector<std::string> where;
    for (size_t i = 0; i < e.pairs.size(); i++) {
        Pair pair = e.pairs[i];
        std::string value = e.action() == Action::reassign ? "$1" : "NULL";
        for (const SetColumn &set : e.sets)
            if (e.action() == Action::set_default && set.column == pair.child)
                value = "(" + set.defaults + ")";
        where.push_back(compare(one_element(pair), "p." + pair.parent_column, value));
    }
    return "SELECT p.tableoid AS vdf_t, p.ctid AS vdf_i FROM " + e.parent_from + " p WHERE " + join(where, " AND ");
}

std::string sql_find_new_values(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    const std::string value = "(" + e.reassign_expression + ")";
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, " + value + " AS vdf_v FROM " + e.from + " c, vdf_d d WHERE " +
           pairs_condition(plan, edge, Parent::keys, Child::relation) + " AND " + value + " IS NOT NULL";
}

std::string sql_find_successors(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    return (boost::format("SELECT a.vdf_t, a.vdf_i, p.tableoid AS vdf_pt, p.ctid AS vdf_pi FROM vdf_a a LEFT JOIN %1% p ON %2%") %
            e.parent_from % compare(e.pairs[0], "p." + e.pairs[0].parent_column, "a.vdf_v"))
        .str();
}

std::string sql_count_key(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    std::string where = compare(e.pairs[0], "$1", child_in_relation(e.pairs[0]));
    if (!e.condition.empty())
        where += " AND (" + e.condition + ")";
    return "SELECT pg_catalog.count(*) FROM " + e.from + " c WHERE " + where;
}

std::string sql_find_referring(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    std::vector<std::string> values, where;
    std::string from = e.from + " c";
    for (size_t i = 0; i < e.pairs.size(); i++) {
        std::string value = child_in_relation(e.pairs[i]);
        if (e.pairs[i].any) { // each element is a reference of its own
            from += ", pg_catalog.unnest(" + value + ") AS v(vdf_v)";
            value = "v.vdf_v";
        }
        values.push_back(value + " AS vdf_f" + number(edge) + "_" + number(static_cast<int>(i)));
        where.push_back(value + " IS NOT NULL");
    }
    if (!e.condition.empty())
        where.push_back("(" + e.condition + ")");
    return "SELECT " + join(values, ", ") + " FROM " + from + " WHERE " + join(where, " AND ");
}

std::string sql_count_dangling(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    std::vector<std::string> on;
    for (size_t i = 0; i < e.pairs.size(); i++) {
        const Pair pair = one_element(e.pairs[i]);
        on.push_back(compare(pair, "p." + pair.parent_column, child_in_keys(edge, i)));
    }
    return (boost::format("SELECT pg_catalog.count(*) FROM vdf_a a WHERE NOT EXISTS (SELECT FROM %1% p WHERE %2%)") %
            e.parent_from % join(on, " AND "))
        .str();
}

std::string sql_normalised(const std::string &kind, const std::string &expression)
{
    const std::string value = "(" + expression + ")::pg_catalog.text";
    if (kind != "file" && kind != "directory")
        return value;
    // "a//b", "./a/./b" and "a/b/" are one file. Most paths are normal already, and the test for it is cheap.
    return (boost::format("CASE WHEN pg_catalog.strpos(%1%, '//') OPERATOR(pg_catalog.=) 0 AND pg_catalog.strpos(%1%, './') "
                          "OPERATOR(pg_catalog.=) 0 AND pg_catalog.right(%1%, 1) OPERATOR(pg_catalog.<>) '/' AND "
                          "pg_catalog.right(%1%, 2) OPERATOR(pg_catalog.<>) '/.' THEN %1% ELSE pg_catalog.regexp_replace("
                          "pg_catalog.regexp_replace(pg_catalog.regexp_replace(%1%, E'/(\\\\.?/)+', '/', 'g'), "
                          "E'^(\\\\./)+', ''), E'(/\\\\.?)+$', '') END") %
            value)
        .str();
}

std::string sql_find_named(const Plan &plan, int rule, bool exclude_root)
{
    const Graph &g = plan.graph;
    const TargetRule &r = g.target_rules[rule];
    std::string where = sql_normalised(r.kind, r.expression) + " COLLATE pg_catalog.\"C\" " + EQ + " d.vdf_target";
    if (!r.filter.empty())
        where += " AND " + r.filter;
    if (exclude_root)
        where += except_tombstone(plan);
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, d.vdf_n FROM " + g.nodes[r.node].from + " c, vdf_d d WHERE " +
           where;
}

} // namespace vedfolnir

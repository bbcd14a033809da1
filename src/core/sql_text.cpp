#include "core/sql_text.hpp"

#include "core/sql_parts.hpp"

namespace vedfolnir {

namespace {

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
                list.push_back((rule.filter.empty()
                                    ? "(" + rule.expression + ")"
                                    : "CASE WHEN " + rule.filter + " THEN (" + rule.expression + ") END") +
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
        sql = (Pattern("SELECT c.%1% AS vdf_r, %2% AS vdf_l, 1 AS vdf_u FROM %3% c WHERE c.%1% %4% $1") %
               g.key_column % label % g.nodes[g.root].from % g.key_op)
                  .str();
    else
        sql = (Pattern("SELECT c.%1% AS vdf_r, %2% AS vdf_l, a.vdf_u::pg_catalog.int4 AS vdf_u FROM %3% c, "
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
                list.push_back(typed_null(referring_value(g.edges[e], g.edges[e].pairs[i])) + " AS vdf_f" +
                               number(e) + "_" + number(static_cast<int>(i)));
    }
    if (shape.keys)
        for (size_t k = 0; k < plan.key_columns[g.root].size(); k++) {
            const std::string &column = plan.key_columns[g.root][k];
            list.push_back((column == g.key_column ? "d.vdf_r" : typed_null("c." + column)) + " AS vdf_k" +
                           number(static_cast<int>(k)));
        }
    return "SELECT " + join(list, ", ") + " FROM vdf_root d";
}

std::string sql_take_edge(const Plan &plan, int edge, const RowShape &shape, bool del, bool lock)
{
    const Edge &e = plan.graph.edges[edge];
    std::string where = pairs_condition(plan, edge, Parent::keys, Child::relation);
    if (shields_tombstone(plan, e))
        where += except_tombstone(plan);
    return take(e.from, "vdf_d d", where, select_list(plan, e.child, shape, edge, "d"), del) +
           (lock ? " FOR UPDATE OF c" : "");
}

std::string sql_take_node(const Plan &plan, int node, const RowShape &shape, bool del, const std::string &part)
{
    const std::string &from = part.empty() ? plan.graph.nodes[node].from : part;
    const std::string list = select_list(plan, node, shape, -1, "d");
    if (del)
        return "DELETE FROM " + from + " c" + (list.empty() ? "" : " RETURNING " + list);
    return "SELECT " + list + " FROM " + from + " c";
}

std::string sql_find_references(const Plan &plan, int edge, bool users, bool lock, bool scan)
{
    const Edge &e = plan.graph.edges[edge];
    const std::string keys =
        scan ? "" : ", vdf_d d WHERE " + pairs_condition(plan, edge, Parent::keys, Child::relation);
    return (Pattern("SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (%1%)::pg_catalog.int4 AS vdf_e%2% FROM %3% c%4%%5%") %
            edge % (users ? ", d.vdf_u" : "") % e.from % keys % (lock ? " FOR NO KEY UPDATE OF c" : ""))
        .str();
}

std::string sql_find_tombstone(const Plan &plan, bool users, bool lock)
{
    const Graph &g = plan.graph;
    return (Pattern(
                "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (-1)::pg_catalog.int4 AS vdf_e%1% FROM %2% c, "
                "vdf_root d WHERE %3%%4%") %
            (users ? ", d.vdf_u" : "") % g.nodes[g.root].from % root_condition(plan, "d") %
            (lock ? " FOR NO KEY UPDATE OF c" : ""))
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
        sql += (Pattern(" AND NOT EXISTS (SELECT FROM vdf_d d WHERE %1%)") %
                pairs_condition(plan, edge, Parent::keys, Child::keys))
                   .str();
    // A key that was validated cannot lead nowhere; a link or a NOT VALID key can, and then nobody else owns
    // the row.
    if (e.link || !e.validated)
        sql += (Pattern(" AND EXISTS (SELECT FROM %1% p WHERE %2%)") % e.parent_from %
                pairs_condition(plan, edge, Parent::relation, Child::keys))
                   .str();
    return sql;
}

std::string sql_find_other_parents(const Plan &plan, int edge)
{
    return "SELECT a.vdf_t, a.vdf_i, a.vdf_e, p.tableoid AS vdf_pt, p.ctid AS vdf_pi FROM vdf_a a, " +
           plan.graph.edges[edge].parent_from + " p WHERE " +
           pairs_condition(plan, edge, Parent::relation, Child::keys);
}

std::string sql_leads_out(const Plan &plan, int edge, bool parents_go)
{
    std::vector<std::string> where;
    for (size_t i = 0; i < plan.graph.edges[edge].pairs.size(); i++)
        where.push_back(child_in_keys(edge, i) + " IS NOT NULL");
    if (parents_go)
        where.push_back("NOT EXISTS (SELECT FROM vdf_d d WHERE " + pairs_condition(plan, edge, Parent::keys, Child::keys) + ")");
    return "SELECT a.vdf_e FROM vdf_a a WHERE " + join(where, " AND ") + " LIMIT 1";
}

std::string sql_follow_own(const Plan &plan, int edge, bool parents)
{
    return "SELECT a.vdf_t, a.vdf_i" + std::string(parents ? ", d.vdf_t AS vdf_pt, d.vdf_i AS vdf_pi" : "") +
           " FROM vdf_a a, vdf_d d WHERE " + pairs_condition(plan, edge, Parent::keys, Child::keys);
}

std::string sql_find_tombstone_left(const Plan &plan, int edge)
{
    const Graph &g = plan.graph;
    const Edge &e = g.edges[edge];
    std::string where =
        pairs_condition(plan, edge, Parent::keys, Child::relation) + " AND " + root_condition(plan, "r");
    if (e.parent == g.root) // a tombstone that refers to itself refers to a row that stays
        where += (Pattern(" AND NOT EXISTS (SELECT FROM vdf_root x WHERE d.vdf_k%1% %2% x.vdf_r)") %
                  key_number(plan, g.root, g.key_column) % g.key_op)
                     .str();
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i FROM " + e.from + " c, vdf_d d, vdf_root r WHERE " +
           where;
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
    return "SELECT p.tableoid AS vdf_t, p.ctid AS vdf_i FROM " + e.parent_from + " p WHERE " +
           join(where, " AND ");
}

std::string sql_find_new_values(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    const std::string value = "(" + e.reassign_expression + ")";
    // NULL clears the reference, which a NOT NULL column cannot take: then it leads nowhere like any other wrong value.
    const std::string given = !e.sets.empty() && e.sets[0].not_null ? "" : " AND " + value + " IS NOT NULL";
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, " + value + " AS vdf_v FROM " + e.from +
           " c, vdf_d d WHERE " + pairs_condition(plan, edge, Parent::keys, Child::relation) + given;
}

std::string sql_find_successors(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    return (Pattern("SELECT a.vdf_t, a.vdf_i, p.tableoid AS vdf_pt, p.ctid AS vdf_pi FROM vdf_a a LEFT JOIN "
                    "%1% p ON %2%") %
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
    return (Pattern(
                "SELECT pg_catalog.count(*) FROM vdf_a a WHERE NOT EXISTS (SELECT FROM %1% p WHERE %2%)") %
            e.parent_from % join(on, " AND "))
        .str();
}

std::string sql_normalised(const std::string &kind, const std::string &expression)
{
    const std::string value = "(" + expression + ")::pg_catalog.text";
    if (kind != "file" && kind != "directory")
        return value;
    // "a//b", "./a/./b" and "a/b/" are one file. Most paths are normal already, and the test for it is cheap.
    return (Pattern("CASE WHEN pg_catalog.strpos(%1%, '//') OPERATOR(pg_catalog.=) 0 AND "
                    "pg_catalog.strpos(%1%, './') "
                    "OPERATOR(pg_catalog.=) 0 AND pg_catalog.right(%1%, 1) OPERATOR(pg_catalog.<>) '/' AND "
                    "pg_catalog.right(%1%, 2) OPERATOR(pg_catalog.<>) '/.' THEN %1% ELSE "
                    "pg_catalog.regexp_replace("
                    "pg_catalog.regexp_replace(pg_catalog.regexp_replace(%1%, E'/(\\\\.?/)+', '/', 'g'), "
                    "E'^(\\\\./)+', ''), E'(/\\\\.?)+$', '') END") %
            value)
        .str();
}

std::string sql_find_named(const Plan &plan, int rule, bool exclude_root)
{
    const Graph &g = plan.graph;
    const TargetRule &r = g.target_rules[rule];
    std::string where =
        sql_normalised(r.kind, r.expression) + " COLLATE pg_catalog.\"C\" " + EQ + " d.vdf_target";
    if (!r.filter.empty())
        where += " AND " + r.filter;
    if (exclude_root)
        where += except_tombstone(plan);
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, d.vdf_n FROM " + g.nodes[r.node].from +
           " c, vdf_d d WHERE " + where;
}

std::string sql_scan_named(const Plan &plan, int rule)
{
    const TargetRule &r = plan.graph.target_rules[rule];
    return "SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (" + r.expression + ")::pg_catalog.text AS vdf_target FROM " +
           plan.graph.nodes[r.node].from + " c" + (r.filter.empty() ? "" : " WHERE " + r.filter);
}

} // namespace vedfolnir

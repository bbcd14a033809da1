// sql_detach.cpp: the one UPDATE of a row whose references change, and the same row shown beforehand.
#include "core/sql_parts.hpp"
#include "core/sql_text.hpp"

#include <algorithm>
#include <set>

namespace vedfolnir {

namespace {

std::string flag(int edge)
{
    return edge < 0 ? "x.vdf_root" : "x.vdf_e" + number(edge);
}

// The new value of one column, from the strongest claim to the weakest: column rule, reassign, nullify,
// default.
class ColumnValue {
  public:
    explicit ColumnValue(std::string column) : column_(std::move(column)) {}
    const std::string &column() const { return column_; }
    void claim(int rank, const std::string &when, const std::string &value)
    {
        claims_.push_back({rank, when, value});
    }
    void conditions(std::set<std::string> &found) const
    {
        for (const Claim &c : claims_)
            found.insert(c.when);
    }
    std::string value() const
    {
        auto claims = claims_;
        std::stable_sort(claims.begin(), claims.end(),
                         [](const Claim &a, const Claim &b) { return a.rank < b.rank; });
        std::string sql = "CASE";
        for (const Claim &c : claims)
            sql += " WHEN " + c.when + " THEN " + c.value;
        return sql + " ELSE c." + column_ + " END";
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

// An array of references loses the elements that refer to what goes, and what stays begins where it began, as with
// array_remove. An array of several dimensions cannot lose single elements: array_remove says so.
std::string remaining_elements(const Plan &plan, int edge)
{
    const Edge &e = plan.graph.edges[edge];
    const Pair element = one_element(e.pairs[0]);
    std::string key = "d.vdf_k" + number(key_number(plan, e.parent, element.parent_column));
    return (Pattern(
                "CASE WHEN pg_catalog.array_ndims(c.%1%) OPERATOR(pg_catalog.>) 1 THEN pg_catalog.array_remove(c.%1%, NULL) "
                "ELSE (SELECT CASE WHEN pg_catalog.array_lower(c.%1%, 1) OPERATOR(pg_catalog.<>) 1 AND "
                "pg_catalog.cardinality(w.vdf_a) OPERATOR(pg_catalog.>) 0 THEN pg_catalog.array_cat(pg_catalog.array_fill("
                "w.vdf_a[1], ARRAY[1], ARRAY[pg_catalog.array_lower(c.%1%, 1)]), w.vdf_a[2:]) ELSE w.vdf_a END FROM (SELECT "
                "ARRAY(SELECT u.vdf_v FROM pg_catalog.unnest(c.%1%) WITH ORDINALITY AS u(vdf_v, vdf_o) WHERE "
                "NOT EXISTS (SELECT FROM vdf_p%2% d WHERE %3%) ORDER BY u.vdf_o) AS vdf_a) w) END") %
            element.child % edge % compare(element, key, "u.vdf_v"))
        .str();
}

// Does an edge, or the tombstone, lead to a row of vdf_m?
struct Flag
{
    std::string leads;
    std::string name;
};

// What becomes of the rows of vdf_m in one relation.
struct Change
{
    std::vector<ColumnValue> values;
    std::vector<Flag> flags;

    // A row that was reached through a retained edge only is not touched: its triggers have nothing to see.
    std::string touched() const
    {
        std::set<std::string> conditions;
        for (const ColumnValue &v : values)
            v.conditions(conditions);
        return join(std::vector<std::string>(conditions.begin(), conditions.end()), " OR ");
    }
    // A row is found once through an edge; through several, what leads to it is put together.
    std::string rows() const
    {
        const bool one = flags.size() == 1;
        std::string list;
        for (const Flag &f : flags)
            list += (one ? ", " + f.leads : ", pg_catalog.bool_or(" + f.leads + ")") + " AS " + f.name;
        return "(SELECT vdf_t, vdf_i" + list + " FROM vdf_m" + (one ? "" : " GROUP BY vdf_t, vdf_i") + ") x";
    }
};

Change change_of(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone)
{
    Change change;
    std::vector<ColumnValue> &values = change.values;
    std::vector<Flag> &flags = change.flags;
    int parameter = 0;
    auto rules = [&](int edge) {
        for (const ColumnRule &rule : plan.graph.column_rules)
            if (rule.edge == edge && rule.node == node)
                value_of(values, rule.column).claim(0, flag(edge), "(" + rule.expression + ")");
    };
    for (int i : edges) {
        const Edge &e = plan.graph.edges[i];
        flags.push_back({(Pattern("vdf_e %1% %2%") % EQ % i).str(), "vdf_e" + number(i)});
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
                value.claim(1, flag(i),
                            parameter_name.empty() ? "(" + e.reassign_expression + ")" : parameter_name);
                break;
            case Action::nullify:
                value.claim(2, flag(i), e.pairs[0].any ? remaining_elements(plan, i) : "NULL");
                break;
            case Action::set_default:
                value.claim(3, flag(i), "(" + set.defaults + ")");
                break;
            default:
                break;
            }
        }
        rules(i);
    }
    if (tombstone) {
        flags.push_back({(Pattern("vdf_e %1% (-1)") % EQ).str(), "vdf_root"});
        rules(-1);
    }
    return change;
}

std::string same_row()
{
    return (Pattern("c.ctid %1% x.vdf_i AND c.tableoid %1% x.vdf_t") % EQ).str();
}

} // namespace

std::string sql_detach(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone)
{
    const Change change = change_of(plan, node, edges, tombstone);
    if (change.values.empty())
        return {};
    std::vector<std::string> sets;
    for (const ColumnValue &v : change.values)
        sets.push_back(v.column() + " = " + v.value());
    return (Pattern("UPDATE %1% c SET %2% FROM %3% WHERE %4% AND (%5%)") % plan.graph.nodes[node].from %
            join(sets, ", ") % change.rows() % same_row() % change.touched())
        .str();
}

std::string sql_new_rows(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone,
                         const std::string &others)
{
    const Change change = change_of(plan, node, edges, tombstone);
    if (change.values.empty())
        return {};
    std::string columns;
    for (const ColumnValue &v : change.values)
        columns += ", " + v.value() + " AS " + v.column();
    return (Pattern("SELECT c.tableoid AS vdf_t, c.ctid AS vdf_i, (%1%) AS vdf_w%2%%3% FROM %4% c, %5% WHERE %6%") %
            change.touched() % columns % others % plan.graph.nodes[node].from % change.rows() % same_row())
        .str();
}

} // namespace vedfolnir

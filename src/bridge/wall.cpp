// wall.cpp: every function is one call of walled(), so that no C++ exception reaches PostgreSQL.
#include "bridge/wall.h"

#include "bridge/fault.hpp"
#include "core/error.hpp"
#include "core/peel.hpp"
#include "core/plan.hpp"
#include "core/sql_text.hpp"
#include "core/suggestion.hpp"
#include "core/task.hpp"
#include "core/template.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

using namespace vedfolnir;

namespace
{

void fill(VdfError *error, const char *sqlstate, const char *message, const char *detail, const char *hint)
{
    std::snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", sqlstate);
    std::snprintf(error->message, sizeof(error->message), "%s", message);
    std::snprintf(error->detail, sizeof(error->detail), "%s", detail);
    std::snprintf(error->hint, sizeof(error->hint), "%s", hint);
}

template <typename Body> bool walled(const char *entry, VdfError *error, Body body) noexcept
{
    try {
        VDF_FAULT_SCOPE(entry);
        body();
        return true;
    } catch (const Error &e) {
        fill(error, e.sqlstate().c_str(), e.what(), e.detail().c_str(), e.hint().c_str());
    } catch (const std::bad_alloc &) {
        fill(error, "53200", "out of memory", "", "");
    } catch (const std::exception &e) {
        fill(error, "XX000", e.what(), "", "");
    } catch (...) {
        fill(error, "XX000", "unexpected exception", "", "");
    }
    return false;
}

std::string text(const char *s)
{
    return s ? s : "";
}

Edge edge_of(const VdfEdge &in)
{
    Edge e;
    e.child = in.child;
    e.parent = in.parent;
    e.name = text(in.name);
    e.schema = text(in.schema);
    e.relation = text(in.relation);
    e.display = text(in.display);
    e.from = text(in.from);
    e.parent_from = text(in.parent_from);
    e.declared = static_cast<Action>(in.declared);
    e.policy = static_cast<Action>(in.policy);
    e.link = in.link;
    e.collateral_ok = in.collateral_ok;
    e.validated = in.validated;
    for (int i = 0; i < in.npairs; i++) {
        const VdfPair &p = in.pairs[i];
        e.pairs.push_back({text(p.parent_column), text(p.parent_cast), text(p.op), text(p.child), text(p.child_cast),
                           p.child_is_column, p.any});
    }
    for (int i = 0; i < in.nsets; i++)
        e.sets.push_back({text(in.sets[i].column), text(in.sets[i].defaults), in.sets[i].not_null});
    e.parent_leaves = text(in.parent_leaves);
    e.child_leaves = text(in.child_leaves);
    e.condition = text(in.condition);
    e.reassign_expression = text(in.reassign_expression);
    e.blocker = text(in.blocker);
    return e;
}

Graph graph_of(const VdfGraph &in)
{
    Graph g;
    g.nodes.reserve(in.nnodes);
    g.edges.reserve(in.nedges);
    for (int i = 0; i < in.nnodes; i++)
        g.nodes.push_back({text(in.nodes[i].schema), text(in.nodes[i].relation), text(in.nodes[i].display),
                           text(in.nodes[i].from)});
    for (int i = 0; i < in.nedges; i++)
        g.edges.push_back(edge_of(in.edges[i]));
    for (int i = 0; i < in.ncolumn_rules; i++)
        g.column_rules.push_back({in.column_rules[i].edge, in.column_rules[i].node, text(in.column_rules[i].column),
                                  text(in.column_rules[i].expression)});
    for (int i = 0; i < in.ntarget_rules; i++)
        g.target_rules.push_back({in.target_rules[i].node, text(in.target_rules[i].kind),
                                  text(in.target_rules[i].expression), text(in.target_rules[i].filter)});
    g.root = in.root;
    g.key_column = text(in.key_column);
    g.key_op = text(in.key_op);
    g.label_column = text(in.label_column);
    g.tombstone = in.tombstone;
    return g;
}

long live_plans = 0;

} // namespace

// A plan, the last text asked of it, and plain views of its vectors.
struct VdfPlan
{
    explicit VdfPlan(Plan p) : plan(std::move(p))
    {
        const size_t n = plan.graph.nodes.size();
        for (const Component &c : plan.components)
            components.push_back({static_cast<int>(c.nodes.size()), c.nodes.data(), static_cast<int>(c.outer.size()),
                                  c.outer.data(), static_cast<int>(c.inner.size()), c.inner.data(), c.loop});
        ntargets.assign(n, 0);
        for (const TargetRule &rule : plan.graph.target_rules)
            ntargets[rule.node]++;
        for (size_t i = 0; i < n; i++) {
            nkeys.push_back(static_cast<int>(plan.key_columns[i].size()));
            ninto.push_back(static_cast<int>(plan.delete_edges_into[i].size()));
            into.push_back(plan.delete_edges_into[i].data());
            key_names.emplace_back();
            for (const std::string &column : plan.key_columns[i])
                key_names.back().push_back(column.c_str());
        }
        for (const auto &names : key_names)
            keys.push_back(names.data());
        view = {static_cast<int>(components.size()),
                components.data(),
                static_cast<int>(plan.detach.size()),
                plan.detach.data(),
                static_cast<int>(plan.block.size()),
                plan.block.data(),
                plan.component_of.data(),
                nkeys.data(),
                keys.data(),
                ninto.data(),
                into.data(),
                ntargets.data()};
        live_plans++; /* last: an exception above calls no destructor */
    }
    ~VdfPlan() { live_plans--; }
    VdfPlan(const VdfPlan &) = delete;
    VdfPlan &operator=(const VdfPlan &) = delete;

    Plan plan;
    std::string text;
    std::vector<VdfComponent> components;
    std::vector<int> nkeys, ninto, ntargets;
    std::vector<const int *> into;
    std::vector<std::vector<const char *>> key_names;
    std::vector<const char *const *> keys;
    VdfPlanView view;
};

namespace
{

RowShape shape_of(unsigned flags)
{
    RowShape shape;
    shape.identity = flags & VDF_IDENTITY;
    shape.users = flags & VDF_USERS;
    shape.collateral = flags & VDF_COLLATERAL;
    shape.keys = flags & VDF_KEYS;
    shape.targets = flags & VDF_TARGETS;
    return shape;
}

std::string sql_of(const Plan &plan, const VdfSqlRequest &r)
{
    const bool users = r.flags & VDF_USERS, lock = r.flags & VDF_LOCK, del = r.flags & VDF_DELETE;
    switch (r.kind) {
    case VDF_SQL_FIND_ROOT: return sql_find_root(plan, r.flags & VDF_MANY ? RootKeys::many : RootKeys::one, lock);
    case VDF_SQL_TAKE_ROOT: return sql_take_root(plan, shape_of(r.flags), del);
    case VDF_SQL_TAKE_GHOST: return sql_take_ghost(plan, shape_of(r.flags));
    case VDF_SQL_TAKE_EDGE: return sql_take_edge(plan, r.number, shape_of(r.flags), del, lock);
    case VDF_SQL_FIND_REFERENCES: return sql_find_references(plan, r.number, users, lock, r.flags & VDF_SCAN);
    case VDF_SQL_FIND_TOMBSTONE: return sql_find_tombstone(plan, users, lock);
    case VDF_SQL_DETACH:
        return sql_detach(plan, r.number, std::vector<int>(r.edges, r.edges + r.nedges), r.flags & VDF_TOMBSTONE);
    case VDF_SQL_NEW_ROWS:
        return sql_new_rows(plan, r.number, std::vector<int>(r.edges, r.edges + r.nedges), r.flags & VDF_TOMBSTONE,
                            text(r.others));
    case VDF_SQL_FIND_LEFT: return sql_find_left(plan, r.number);
    case VDF_SQL_FIND_FOREIGN: return sql_find_foreign(plan, r.number, r.flags & VDF_KEYS);
    case VDF_SQL_FIND_OTHER_PARENTS: return sql_find_other_parents(plan, r.number);
    case VDF_SQL_FOLLOW_OWN: return sql_follow_own(plan, r.number, (r.flags & VDF_IDENTITY) != 0);
    case VDF_SQL_FIND_TOMBSTONE_LEFT: return sql_find_tombstone_left(plan, r.number);
    case VDF_SQL_FIND_NEW_VALUES: return sql_find_new_values(plan, r.number);
    case VDF_SQL_FIND_REFERRING: return sql_find_referring(plan, r.number);
    case VDF_SQL_FIND_SUCCESSORS: return sql_find_successors(plan, r.number);
    case VDF_SQL_FIND_SUCCESSOR: return sql_find_successor(plan, r.number);
    case VDF_SQL_COUNT_KEY: return sql_count_key(plan, r.number);
    case VDF_SQL_COUNT_DANGLING: return sql_count_dangling(plan, r.number);
    case VDF_SQL_TAKE_NODE: return sql_take_node(plan, r.number, shape_of(r.flags), del, text(r.from));
    case VDF_SQL_LEADS_OUT: return sql_leads_out(plan, r.number, r.flags & VDF_KEYS);
    case VDF_SQL_SCAN_NAMED: return sql_scan_named(plan, r.number);
    case VDF_SQL_FIND_NAMED: return sql_find_named(plan, r.number, r.flags & VDF_TOMBSTONE);
    }
    throw Error("XX000", "no such statement");
}

} // namespace

char vdf_edge_action(char declared, char policy) VDF_NOEXCEPT
{
    return static_cast<char>(effective_action(static_cast<Action>(declared), static_cast<Action>(policy)));
}

const char *vdf_action_name(char action) VDF_NOEXCEPT
{
    return action_name(static_cast<Action>(action));
}

bool vdf_reachable(const VdfGraph *graph, unsigned char *reachable, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::vector<bool> found = reachable_edges(graph_of(*graph));
        for (size_t i = 0; i < found.size(); i++)
            reachable[i] = found[i];
    });
}

bool vdf_plan_create(const VdfGraph *graph, VdfPlan **plan, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] { *plan = new VdfPlan(make_plan(graph_of(*graph))); });
}

const VdfPlanView *vdf_plan_view(const VdfPlan *plan) VDF_NOEXCEPT
{
    return &plan->view;
}

bool vdf_plan_sql(VdfPlan *plan, const VdfSqlRequest *request, const char **text, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        plan->text = sql_of(plan->plan, *request);
        *text = plan->text.c_str();
    });
}

bool vdf_normalised_sql(const char *kind, const char *expression, char *buffer, int size, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::string sql = sql_normalised(kind, expression);
        if (static_cast<int>(sql.size()) >= size)
            throw Error("54000", "the target expression is too long");
        std::memcpy(buffer, sql.c_str(), sql.size() + 1);
    });
}

size_t vdf_path_as_sql(char *path, size_t length) VDF_NOEXCEPT
{
    return normalise_as_sql(path, length);
}

bool vdf_plan_peel(const VdfPlan *plan, const bool *referred, int *nodes, int *n, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::vector<int> order = peel_order(plan->plan, std::vector<bool>(referred, referred + plan->plan.graph.edges.size()));
        std::copy(order.begin(), order.end(), nodes);
        *n = static_cast<int>(order.size());
    });
}

bool vdf_plan_ancestors(const VdfPlan *plan, int node, bool *found, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::vector<bool> marks = ancestors(plan->plan, node);
        std::copy(marks.begin(), marks.end(), found);
    });
}

void vdf_plan_free(VdfPlan *plan) VDF_NOEXCEPT
{
    delete plan;
}

long vdf_live_plans(void) VDF_NOEXCEPT
{
    return live_plans;
}

bool vdf_template_parse(const char *text, VdfTemplatePart *parts, int *nparts, char *buffer, int size,
                        VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        int used = 0, n = 0;
        for (const TemplatePart &part : parse_template(text)) {
            int length = static_cast<int>(part.text.size()) + 1;
            if (n == VDF_TEMPLATE_PARTS || used + length > size)
                throw Error("22023", "the target template is too long");
            std::memcpy(buffer + used, part.text.c_str(), length);
            parts[n++] = {part.column, buffer + used};
            used += length;
        }
        *nparts = n;
    });
}

bool vdf_template_refusal(const char *kind, const char *text, char *refusal, int size, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::string target;
        for (const TemplatePart &part : parse_template(text))
            target += part.column ? "x" : part.text; // values are escaped, so an ordinary one stands for all
        std::snprintf(refusal, static_cast<size_t>(size), "%s", refusal_of_target(kind, target).c_str());
    });
}

// ---- targets of clean-up tasks ----

int vdf_normalise_path(const char *path, int length, char *out, int capacity, VdfError *error) VDF_NOEXCEPT
{
    int written = -1;
    walled(__func__, error, [&] {
        const std::string result = normalise_target("file", std::string_view(path, length));
        if (result.size() > static_cast<size_t>(capacity))
            throw Error("54000", "target is too long");
        std::memcpy(out, result.data(), result.size());
        written = static_cast<int>(result.size());
    });
    return written;
}

size_t vdf_realm_of_target(char *target, size_t length) VDF_NOEXCEPT
{
    return realm_of_target(target, length);
}

namespace
{

SchemaFacts facts_of(const VdfSchemaFacts &in)
{
    SchemaFacts facts;
    for (int i = 0; i < in.ntables; i++) {
        const VdfTableFacts &t = in.tables[i];
        facts.tables.push_back({text(t.schema), text(t.relation), text(t.display), t.content_free, t.referenced, t.subject});
    }
    for (int i = 0; i < in.nedges; i++) {
        const VdfEdgeFacts &e = in.edges[i];
        facts.edges.push_back({e.child, e.parent, text(e.name), std::vector<std::string>(e.columns, e.columns + e.ncolumns),
                               static_cast<Action>(e.declared), static_cast<Action>(e.policy), e.foreign_key, e.nullable,
                               e.defaulted, e.listed, e.shared_key});
    }
    facts.root = in.root;
    facts.tombstone = in.tombstone;
    return facts;
}

} // namespace

bool vdf_names_person(const char *column, const char *root_relation, bool *answer, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] { *answer = names_person(text(column), text(root_relation)); });
}

bool vdf_names_actor(const char *column, bool *answer, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] { *answer = role_of_columns({text(column)}) == Role::actor; });
}

bool vdf_suggest(const VdfSchemaFacts *facts, VdfSuggestion *suggestions, int *n, VdfError *error) VDF_NOEXCEPT
{
    return walled(__func__, error, [&] {
        std::vector<Suggestion> found = suggest(facts_of(*facts));
        *n = static_cast<int>(found.size());
        for (size_t i = 0; i < found.size(); i++) {
            suggestions[i].edge = found[i].edge;
            suggestions[i].action = static_cast<char>(found[i].action);
            suggestions[i].collateral = found[i].collateral;
            suggestions[i].as_link = found[i].as_link;
            std::snprintf(suggestions[i].why, sizeof(suggestions[i].why), "%s", found[i].why.c_str());
        }
    });
}

/*
 * settled.cpp: a tombstone may be filled in again, and rows that stay behind it may come late. Then the person is not yet
 * deleted, although nothing refers to a row that goes.
 */
#include "ext/settled.h"

#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/names.h"

static bool sets_column(VdfRun *run, int node, const VdfColumnRule *rule, const char *column)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < graph->nedges; i++)
        for (int j = 0; graph->edges[i].child == node && j < graph->edges[i].nsets; j++)
            if (strcmp(graph->edges[i].sets[j].column, column) == 0)
                return true;
    for (int i = 0; i < graph->ncolumn_rules; i++)
        if (&graph->column_rules[i] != rule && graph->column_rules[i].node == node &&
            strcmp(graph->column_rules[i].column, column) == 0)
            return true;
    return false;
}

/* Does the expression read what the run that applied it may have changed? */
static bool reads_what_changes(VdfRun *run, int node, const char *expression)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < graph->ncolumn_rules; i++)
        if (graph->column_rules[i].node == node && vdf_expression_names_column(expression, vdf_unquoted(graph->column_rules[i].column)))
            return true;
    for (int i = 0; i < graph->nedges; i++)
        for (int j = 0; graph->edges[i].child == node && j < graph->edges[i].nsets; j++)
            if (vdf_expression_names_column(expression, vdf_unquoted(graph->edges[i].sets[j].column)))
                return true;
    return false;
}

/* The time of the day and the like. Other stable functions, such as casts to text, give the same for the same row. */
static bool changes_by_itself(Node *node, void *arg)
{
    if (node == NULL)
        return false;
    if (IsA(node, SQLValueFunction))
        return true;
    if (IsA(node, FuncExpr) && ((FuncExpr *) node)->args == NIL && func_volatile(((FuncExpr *) node)->funcid) != PROVOLATILE_IMMUTABLE)
        return true;
    return vdf_tree_walker(node, changes_by_itself, arg);
}

/* Is the value the same at any time? Of others nobody can tell whether they were set before. */
static bool can_be_told(VdfRun *run, int node, const VdfColumnRule *rule)
{
    int level;
    Node *expression;

    if (sets_column(run, node, rule, rule->column) || reads_what_changes(run, node, rule->expression))
        return false;
    level = vdf_set_path();
    expression = vdf_expression_parse(run->plan->nodes[node].relation, rule->expression, true);
    vdf_unset_path(level);
    return !contain_volatile_functions(expression) && !changes_by_itself(expression, NULL);
}

static bool is_among(int edge, const int *edges, int nedges, bool tombstone)
{
    for (int i = 0; i < nedges; i++)
        if (edges[i] == edge)
            return true;
    return edge < 0 && tombstone;
}

#define AS_TEXT "((%s)::pg_catalog.text COLLATE pg_catalog.\"C\")"

uint64 vdf_unsettled_rows(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    const VdfGraph *graph = &run->plan->graph;
    VdfStatement statement;
    StringInfoData sql;
    int rules = 0;

    if (found->count == 0)
        return 0;
    initStringInfo(&sql);
    appendStringInfo(&sql,
                     "SELECT FROM %s c, vdf_m m WHERE c.ctid OPERATOR(pg_catalog.=) m.vdf_i "
                     "AND c.tableoid OPERATOR(pg_catalog.=) m.vdf_t AND (",
                     graph->nodes[node].from);
    for (int i = 0; i < graph->ncolumn_rules; i++) {
        const VdfColumnRule *rule = &graph->column_rules[i];
        char *now, *then;

        if (rule->node != node || !is_among(rule->edge, edges, nedges, tombstone) || !can_be_told(run, node, rule))
            continue;
        now = psprintf(AS_TEXT, psprintf("c.%s", rule->column));
        then = psprintf(AS_TEXT, rule->expression);
        appendStringInfo(&sql,
                         "%sm.vdf_e OPERATOR(pg_catalog.=) (%d) AND ((%s IS NULL) OPERATOR(pg_catalog.<>) (%s IS NULL) "
                         "OR %s OPERATOR(pg_catalog.<>) %s)",
                         rules++ > 0 ? " OR " : "", rule->edge, now, then, now, then);
    }
    if (rules == 0)
        return 0;
    appendStringInfoChar(&sql, ')');
    memset(&statement, 0, sizeof(statement));
    statement.sql = sql.data;
    statement.owner = run->plan->nodes[node].owner;
    vdf_statement_input(&statement, "vdf_m", found);
    return vdf_execute(&run->executor, &statement);
}

/*
 * plan_rules.cpp: column rules and clean-up rules, brought to the nodes of a plan.
 */
#include "ext/catalog.h"
#include "ext/deletion_plan.h"
#include "ext/expression.h"

/* A rule that sets NULL where no NULL may be, or what the server computes, fails in every run, so that it is said before. */
const char *vdf_rule_fault(const VdfColumnSetting *setting, Oid relation)
{
    AttrNumber number = get_attnum(relation, setting->column);
    bool generated;

    if (number == InvalidAttrNumber)
        return NULL;
    if (vdf_is_computed(relation, number))
        return psprintf("the column rule sets %s, which the server computes", quote_identifier(setting->column));
    if (vdf_expression_is_null(setting->expression) && vdf_forbids_null(relation, number, &generated))
        return psprintf("the column rule sets %s to NULL, which is not allowed there", quote_identifier(setting->column));
    return NULL;
}

const char *vdf_fault_in_tombstone(const VdfDeletionPlan *plan)
{
    const char *fault = NULL;

    for (int i = 0; plan->configuration->tombstone && fault == NULL && i < plan->configuration->ncolumns; i++)
        if (plan->configuration->columns[i].edge[0] == '\0')
            fault = vdf_rule_fault(&plan->configuration->columns[i], plan->configuration->columns[i].relation);
    return fault;
}

static void foresee_fault(const VdfColumnSetting *setting, VdfEdge *edge, VdfEdgeInfo *info)
{
    char action = vdf_edge_action(edge->declared, edge->policy);

    if (edge->blocker != NULL || action == VDF_ACTION_DELETE || action == VDF_ACTION_BLOCK)
        return;
    edge->blocker = vdf_rule_fault(setting, info->relation);
    info->rule_fault = edge->blocker != NULL;
}

List *vdf_with_heirs(Oid relation)
{
    if (get_rel_relkind(relation) != RELKIND_RELATION || !has_subclass(relation))
        return list_make1_oid(relation);
    return find_all_inheritors(relation, NoLock, NULL);
}

static void put_column_rule(VdfDeletionPlan *plan, VdfColumnRule **rules, const VdfColumnSetting *setting, int edge, int node)
{
    int n = plan->graph.ncolumn_rules++;
    VdfColumnRule *rule;

    *rules = *rules ? (VdfColumnRule *) repalloc(*rules, sizeof(VdfColumnRule) * (n + 1)) : (VdfColumnRule *) palloc(sizeof(VdfColumnRule));
    rule = &(*rules)[n];
    memset(rule, 0, sizeof(VdfColumnRule));
    rule->edge = edge;
    rule->node = node;
    rule->column = quote_identifier(setting->column);
    rule->expression = setting->expression;
}

static void add_column_rule(VdfDeletionPlan *plan, VdfEdge *edges, VdfColumnRule **rules, const VdfColumnSetting *setting,
                            Oid relation)
{
    int node = vdf_plan_node(plan, relation);

    if (node < 0)
        return; /* the walk does not come there; check() says so */
    if (setting->edge[0] == '\0')
        put_column_rule(plan, rules, setting, -1, node);
    /* A table that inherits from two others can have two edges of one name. */
    for (int i = 0; setting->edge[0] && i < plan->graph.nedges; i++) {
        if (plan->edges[i].relation != relation || strcmp(edges[i].name, setting->edge) != 0)
            continue;
        foresee_fault(setting, &edges[i], &plan->edges[i]);
        put_column_rule(plan, rules, setting, i, node);
    }
}

static void add_target_rule(VdfDeletionPlan *plan, VdfTargetRule *rules, VdfCleanup *rule, Oid relation)
{
    int node = vdf_plan_node(plan, relation), n = plan->graph.ntarget_rules;
    VdfNodeInfo *info;
    VdfTargetRule *target;

    if (node < 0)
        return;
    info = &plan->nodes[node];
    target = &rules[n];
    target->node = node;
    target->kind = rule->kind;
    target->expression = rule->expression;
    if (info->relation != relation)
        target->filter = psprintf("c.tableoid OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", vdf_partition_leaves(relation));
    info->rules = info->rules ? (int *) repalloc(info->rules, sizeof(int) * (info->nrules + 1)) : (int *) palloc(sizeof(int));
    info->rules[info->nrules++] = n;
    plan->rules[n] = rule;
    plan->graph.ntarget_rules++;
}

void vdf_plan_rules(VdfDeletionPlan *plan, VdfEdge *edges)
{
    VdfConfiguration *c = plan->configuration;
    List **heirs = (List **) palloc0(sizeof(List *) * (c->ncolumns + c->ncleanups + 1));
    VdfColumnRule *column_rules = NULL;
    VdfTargetRule *target_rules;
    int targets = 0;
    ListCell *cell;

    for (int i = 0; i < c->ncolumns; i++)
        heirs[i] = vdf_with_heirs(c->columns[i].relation);
    for (int i = 0; i < c->ncleanups; i++)
        targets += list_length(heirs[c->ncolumns + i] = vdf_with_heirs(c->cleanups[i].relation));
    target_rules = (VdfTargetRule *) palloc0(sizeof(VdfTargetRule) * (targets + 1));
    plan->rules = (VdfCleanup **) palloc0(sizeof(VdfCleanup *) * (targets + 1));
    plan->rule_indexed = (signed char *) palloc0(targets + 1);
    plan->rule_unique = (signed char *) palloc0(targets + 1);
    /* A table's own rule goes before one that it inherits: the rule of fewer tables comes first. */
    for (int most = 0, todo = c->ncolumns; todo > 0; most++)
        for (int i = 0; i < c->ncolumns; i++)
            if (list_length(heirs[i]) == most) {
                todo--;
                foreach (cell, heirs[i])
                    add_column_rule(plan, edges, &column_rules, &c->columns[i], lfirst_oid(cell));
            }
    for (int i = 0; i < c->ncleanups; i++)
        foreach (cell, heirs[c->ncolumns + i])
            add_target_rule(plan, target_rules, &c->cleanups[i], lfirst_oid(cell));
    plan->graph.column_rules = column_rules;
    plan->graph.target_rules = target_rules;
}

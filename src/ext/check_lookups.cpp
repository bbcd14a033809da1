/*
 * check_lookups.cpp: does a row that stays still name a file? Without an index each deletion asks the whole table.
 */
#include "ext/catalog.h"
#include "ext/check.h"
#include "ext/execute.h"
#include "ext/expression.h"
#include "ext/report.h"
#include "ext/target_overlap.h"

/* Below this many pages a scan costs no more than the rest of a deletion. */
#define FEW_PAGES 100

static int pages_of(Oid relation)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    int pages = 0;

    if (HeapTupleIsValid(tuple)) {
        pages = ((Form_pg_class) GETSTRUCT(tuple))->relpages;
        ReleaseSysCache(tuple);
    }
    return pages;
}

/* What the look-up compares, without its collation; NULL where no index can hold it. */
static Node *compared(VdfDeletionPlan *plan, int rule)
{
    const VdfTargetRule *r = &plan->graph.target_rules[rule];
    int size = strlen(r->expression) * 8 + 1024, level;
    char *text = (char *) palloc(size);
    VdfError error;
    Node *node;

    if (!vdf_normalised_sql(r->kind, r->expression, text, size, &error))
        vdf_raise(&error);
    level = vdf_set_path();
    node = vdf_expression_parse(plan->rules[rule]->relation, text, true);
    vdf_unset_path(level);
    if (checkExprHasSubLink(node) || contain_mutable_functions(node))
        return NULL;
    node = eval_const_expressions(NULL, node);
    fix_opfuncids(node);
    return node;
}

static bool begins_with(Oid number, Node *node)
{
    Relation index = index_open(number, AccessShareLock);
    bool found = index->rd_index->indisvalid && index->rd_indcollation[0] == C_COLLATION_OID &&
                 heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);

    if (found && index->rd_index->indkey.values[0] != 0)
        found = IsA(node, Var) && ((Var *) node)->varattno == index->rd_index->indkey.values[0];
    else if (found) {
        List *expressions = RelationGetIndexExpressions(index);

        found = expressions != NIL && equal(linitial(expressions), node);
    }
    index_close(index, AccessShareLock);
    return found;
}

static bool has_index(Oid relation, Node *node)
{
    Relation table = table_open(relation, AccessShareLock);
    List *indexes = RelationGetIndexList(table);
    ListCell *cell;
    bool found = false;

    foreach (cell, indexes)
        found = found || begins_with(lfirst_oid(cell), node);
    table_close(table, AccessShareLock);
    return found;
}

bool vdf_lookup_indexed(VdfDeletionPlan *plan, int rule)
{
    if (plan->rule_indexed[rule] == 0) {
        Node *node = compared(plan, rule);

        plan->rule_indexed[rule] = node != NULL && has_index(plan->rules[rule]->relation, node) ? 1 : -1;
    }
    return plan->rule_indexed[rule] > 0;
}

static char *index_command(Oid relation, Node *node)
{
    return psprintf("CREATE INDEX%s ON %s ((%s) COLLATE pg_catalog.\"C\");",
                    get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE ? "" : " CONCURRENTLY", vdf_relation_name(relation),
                    vdf_deparse(node, deparse_context_for("c", relation), false));
}

static bool is_looked_up(VdfDeletionPlan *plan, int rule)
{
    for (int i = 0; i < plan->graph.ntarget_rules; i++)
        if (strcmp(plan->rules[i]->kind, plan->rules[rule]->kind) == 0 &&
            strcmp(plan->rules[i]->service, plan->rules[rule]->service) == 0 && vdf_targets_may_overlap(plan, rule, i))
            return true;
    return false;
}

void vdf_review_lookups(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;

    for (int i = 0; i < plan->graph.ntarget_rules; i++) {
        const VdfCleanup *rule = plan->rules[i];
        Node *node;

        if (pages_of(rule->relation) < FEW_PAGES || OidIsValid(rule->mirror) || !is_looked_up(plan, i))
            continue;
        node = compared(plan, i);
        if (node == NULL || has_index(rule->relation, node))
            continue;
        vdf_find(review, VDF_SEVERITY_WARNING, "missing_lookup_index",
                 psprintf("%s (%s)", vdf_relation_name(rule->relation), rule->target),
                 psprintf("no index: each deletion scans the table for other rows that name the same %s",
                          strcmp(rule->kind, "file") == 0 || strcmp(rule->kind, "directory") == 0 ? "file" : "target"),
                 index_command(rule->relation, node));
    }
}

/*
 * blockers.cpp: what refuses a run: rows that nobody has decided about, and what is known to fail.
 */
#include "ext/catalog.h"
#include "ext/guc.h"
#include "ext/run.h"
#include "ext/schema_facts.h"

static void add_blocker(VdfRun *run, VdfBlocker blocker, uint64 rows, const char *reason, const char *remedy, bool listed)
{
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    VdfBlocker *kept = (VdfBlocker *) palloc(sizeof(VdfBlocker));

    blocker.rows = rows;
    blocker.reason = pstrdup(reason);
    blocker.remedy = remedy ? pstrdup(remedy) : NULL;
    blocker.listed = listed;
    *kept = blocker;
    run->blockers = lappend(run->blockers, kept);
    MemoryContextSwitchTo(caller);
}

void vdf_block(VdfRun *run, int edge, uint64 rows, char *reason, char *remedy, bool listed)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfBlocker blocker;

    memset(&blocker, 0, sizeof(blocker));
    blocker.relation = e->display;
    blocker.schema = e->schema;
    blocker.table = e->relation;
    blocker.via = e->name;
    add_blocker(run, blocker, rows, reason, remedy, listed);
}

void vdf_block_root(VdfRun *run, uint64 rows, char *reason, char *remedy)
{
    const VdfNode *root = &run->plan->graph.nodes[run->plan->graph.root];
    VdfBlocker blocker;

    memset(&blocker, 0, sizeof(blocker));
    blocker.relation = root->display;
    blocker.schema = root->schema;
    blocker.table = root->relation;
    add_blocker(run, blocker, rows, reason, remedy, true);
}

char *vdf_policy_call(const VdfRun *run, int edge, const char *action)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    return psprintf("SELECT vedfolnir_set_policy(%s, %s, %s%s);", quote_literal_cstr(e->display), quote_literal_cstr(e->name),
                    action, vdf_subject_argument(run->plan->configuration->subject));
}

static char *check_call(const VdfRun *run)
{
    const char *subject = run->plan->configuration->subject;

    return psprintf("SELECT * FROM vedfolnir_check(%s);", strcmp(subject, "user") == 0 ? "" : quote_literal_cstr(subject));
}

char *vdf_collateral_remedy(const VdfRun *run, int edge)
{
    return vdf_policy_call(run, edge, "'delete', collateral => 'delete'");
}

/* The call that a missing decision asks for: the suggestion; where that is to refuse, what else would do. */
static char *undeclared_remedy(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    const VdfSuggestion *s;
    const char *stays;
    char *above;
    bool nullable = e->nsets > 0, settable = e->npairs == 1 && e->nsets == 1 && !e->pairs[0].any &&
                                             !vdf_is_computed(run->plan->edges[edge].relation, run->plan->edges[edge].attributes[0]);

    if (run->schema == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(run->context);

        run->schema = vdf_schema_of(run->plan->configuration->subject);
        MemoryContextSwitchTo(caller);
    }
    s = vdf_suggestion_for(run->schema, run->plan->edges[edge].declared_on, e->name);
    if (s != NULL && s->action != VDF_ACTION_BLOCK)
        return vdf_suggested_call(run->schema, s);
    above = vdf_suggested_above(run->schema, run->plan->edges[edge].declared_on, e->name, &stays);
    if (above != NULL)
        return above;
    for (int i = 0; i < e->nsets; i++)
        nullable = nullable && !e->sets[i].not_null;
    return vdf_policy_call(run, edge, nullable ? "'nullify'" : settable ? "'reassign', reassign_to => '...'" : "'delete'");
}

static void block_edge(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfEdgeInfo *info = &run->plan->edges[edge];
    uint64 rows = run->edges[edge].before ? vdf_rows_in_the_way(run, edge) : 0;

    /* In a run somebody may have come since. */
    if (run->edges[edge].before == NULL || (rows == 0 && !run->dry))
        rows = vdf_count_left(run, edge, VDF_SQL_FIND_LEFT);
    run->edges[edge].rows = rows;
    if (rows == 0 && !(vdf_strict && e->policy == VDF_ACTION_NONE && run->nodes[e->parent].all.count > 0))
        return;
    if (e->blocker != NULL)
        vdf_block(run, edge, rows, pstrdup(e->blocker), info->rule_fault ? check_call(run) : undeclared_remedy(run, edge), true);
    else if (e->policy == VDF_ACTION_NONE)
        vdf_block(run, edge, rows, pstrdup("no policy"), undeclared_remedy(run, edge), true);
    else
        vdf_block(run, edge, rows,
                  info->reason ? psprintf("the policy is block: %s", info->reason) : pstrdup("the policy is block"), NULL,
                  true);
}

/* What is known to fail later is said now: by relation, for edges that found rows. */
static void predict(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfEdgeState *state = &run->edges[edge];
    VdfFacts *facts;
    char action = vdf_action(run->plan, edge);

    if (state->rows == 0 || !vdf_changes_rows(run->plan, edge))
        return;
    facts = vdf_facts(run->plan, run->plan->edges[edge].relation);
    if (facts->foreign)
        vdf_block(run, edge, state->rows, pstrdup("the table is or has a foreign table"), NULL, true);
    if (action == VDF_ACTION_DELETE && facts->no_replica != NULL)
        vdf_block(run, edge, state->rows, facts->no_replica, facts->replica_remedy, true);
    if (action != VDF_ACTION_DELETE && facts->no_replica_update != NULL)
        vdf_block(run, edge, state->rows, facts->no_replica_update, facts->replica_update_remedy, true);
    if (facts->disabled_ri != NULL && !vdf_allow_unsafe && action != VDF_ACTION_RETAIN)
        vdf_block(run, edge, state->rows, psprintf("a trigger of foreign key \"%s\" is disabled", facts->disabled_ri),
                  psprintf("ALTER TABLE %s ENABLE TRIGGER ALL;", e->display), true);
}

/* Retained behind the tombstone is retained; what refers to another root row that goes is in the way. */
static void block_retained(VdfRun *run)
{
    const VdfPlanView *view = run->plan->view;

    for (int i = 0; i < view->ndetach; i++) {
        int edge = view->detach[i];
        const VdfEdge *e = &run->plan->graph.edges[edge];
        uint64 rows;

        if (vdf_action(run->plan, edge) != VDF_ACTION_RETAIN || e->link ||
            run->nodes[e->parent].all.count == run->tombstone_keys.count)
            continue;
        rows = vdf_count_left(run, edge, VDF_SQL_FIND_LEFT);
        if (rows > run->edges[edge].rows)
            vdf_block(run, edge, rows - run->edges[edge].rows,
                      pstrdup("rows cannot be retained: the row they refer to goes"), undeclared_remedy(run, edge), true);
    }
}

/* A tombstone stays, so what it refers to cannot go. */
static void block_tombstone(VdfRun *run)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < graph->nedges; i++) {
        uint64 rows;

        if (graph->edges[i].child != graph->root || vdf_action(run->plan, i) != VDF_ACTION_DELETE)
            continue;
        rows = vdf_count_left(run, i, VDF_SQL_FIND_TOMBSTONE_LEFT);
        if (rows > 0)
            vdf_block(run, i, rows, pstrdup("the tombstone refers to a row that goes"), vdf_policy_call(run, i, "'nullify'"),
                      true);
    }
}

void vdf_foresee_limit(VdfRun *run)
{
    if (run->dry && vdf_max_rows > 0 && run->changed > (uint64) vdf_max_rows)
        vdf_block_root(run, run->changed, psprintf("more rows than vedfolnir.max_rows (%d)", vdf_max_rows),
                   psprintf("SET vedfolnir.max_rows = %llu;", (unsigned long long) run->changed));
}

static void predict_root(VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    VdfFacts *facts = vdf_facts(plan, plan->nodes[plan->graph.root].relation);
    char *reason = NULL, *remedy = NULL;
    const char *fault = run->tombstone ? vdf_fault_in_tombstone(plan) : NULL;

    if (facts->disabled_ri != NULL && !vdf_allow_unsafe) {
        reason = psprintf("a trigger of foreign key \"%s\" is disabled", facts->disabled_ri);
        remedy = psprintf("ALTER TABLE %s ENABLE TRIGGER ALL;", plan->graph.nodes[plan->graph.root].display);
    } else {
        reason = run->tombstone ? facts->no_replica_update : facts->no_replica;
        remedy = run->tombstone ? facts->replica_update_remedy : facts->replica_remedy;
    }
    if (reason == NULL && fault != NULL) {
        reason = pstrdup(fault);
        remedy = check_call(run);
    }
    if (reason == NULL)
        return;
    vdf_block_root(run, run->root_rows, reason, remedy);
}

static void block_stale(VdfRun *run)
{
    ListCell *cell;

    foreach (cell, run->plan->configuration->stale) {
        VdfStale *stale = (VdfStale *) lfirst(cell);
        VdfBlocker *blocker = (VdfBlocker *) palloc0(sizeof(VdfBlocker));

        blocker->relation = stale->relation;
        blocker->schema = stale->schema;
        blocker->table = stale->table;
        blocker->via = stale->edge;
        blocker->reason = stale->message;
        blocker->remedy = check_call(run);
        blocker->listed = true;
        run->blockers = lappend(run->blockers, blocker);
    }
}

static void block_collateral(VdfRun *run)
{
    for (int i = 0; i < run->plan->graph.nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[i];

        if (run->edges[i].sources > 0 && !e->collateral_ok)
            vdf_block(run, i, run->edges[i].sources,
                      psprintf("%s to other users", run->edges[i].sources == 1 ? "belongs" : "belong"),
                      vdf_collateral_remedy(run, i), false);
    }
}

void vdf_find_blockers(VdfRun *run)
{
    const VdfPlanView *view = run->plan->view;

    for (int i = 0; i < view->nblock; i++)
        block_edge(run, view->block[i]);
    if (run->root_rows > 0)
        predict_root(run);
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (vdf_action(run->plan, i) != VDF_ACTION_BLOCK && run->plan->graph.edges[i].blocker == NULL)
            predict(run, i);
    if (run->tombstone) {
        block_tombstone(run);
        block_retained(run);
    }
    block_stale(run);
    if (run->seed == NULL)
        block_collateral(run);
}

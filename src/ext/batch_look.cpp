#include "ext/batch.h"

#include "ext/catalog.h"
#include "ext/facts.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/targets.h"

/*
 * Can a batch take rows of the node, and will its audit be that of a run? A run counts a row for the relation of the
 * edge that reached it first.
 */
static bool is_plain(VdfDeletionPlan *plan, int node)
{
    const VdfPlanView *view = plan->view;
    VdfFacts *facts = vdf_facts(plan, plan->nodes[node].relation);

    for (int i = 1; i < view->ninto[node]; i++)
        if (plan->edges[view->into[node][i]].relation != plan->edges[view->into[node][0]].relation)
            return false;
    return !facts->delete_rule && !facts->no_replica && !facts->foreign;
}

/* The nodes through which the walk comes to a node. */
static bool *ancestors_of(VdfDeletionPlan *plan, int node)
{
    bool *found = (bool *) palloc0(sizeof(bool) * (plan->graph.nnodes + 1));
    VdfError error;

    if (!vdf_plan_ancestors(plan->core, node, found, &error))
        vdf_raise(&error);
    return found;
}

/* Rows that cannot be told apart by page are for the last transaction, and so is what was reached through them. */
static bool is_opaque(VdfBatches *b, VdfDeletionPlan *plan, int node)
{
    bool *above = ancestors_of(plan, node);
    bool opaque = b->nodes[node].versions.opaque;

    for (int i = 0; i < plan->graph.nnodes; i++)
        opaque = opaque || (above[i] && b->nodes[i].versions.opaque);
    return opaque;
}

/*
 * A row whose reference the last transaction clears may name until then what a row of the node names; nobody would queue it
 * afterwards.
 */
static bool is_named_until_cleared(VdfRun *run, int node)
{
    VdfDeletionPlan *plan = run->plan;
    const VdfNodeInfo *info = &plan->nodes[node];

    for (int i = 0; i < info->nrules; i++)
        for (int j = 0; j < plan->graph.ntarget_rules; j++) {
            const VdfCleanup *mine = plan->rules[info->rules[i]], *other = plan->rules[j];

            if (strcmp(mine->kind, other->kind) != 0 || strcmp(mine->service, other->service) != 0)
                continue;
            for (int e = 0; e < plan->graph.nedges; e++)
                if (run->edges[e].rows > 0 && vdf_edge_renames(plan, e, j))
                    return true;
        }
    return false;
}

static void learn_nodes(VdfBatches *b, VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    bool *referred = (bool *) palloc0(sizeof(bool) * (plan->graph.nedges + 1));
    VdfError error;

    b->nodes = (VdfBatchNode *) palloc0(sizeof(VdfBatchNode) * (plan->graph.nnodes + 1));
    b->pages = (List **) palloc0(sizeof(List *) * (plan->graph.nedges + 1));
    b->order = (int *) palloc0(sizeof(int) * (plan->graph.nnodes + 1));
    for (int i = 0; i < plan->graph.nnodes; i++) {
        b->nodes[i].rows = run->nodes[i].rows;
        if (run->nodes[i].goes != NULL)
            vdf_versions_learn(&b->nodes[i].versions, run->nodes[i].goes);
    }
    for (int i = 0; i < plan->graph.nedges; i++)
        referred[i] = vdf_action(plan, i) != VDF_ACTION_DELETE && run->edges[i].rows > 0;
    if (!vdf_plan_peel(plan->core, referred, b->order, &b->norder, &error))
        vdf_raise(&error);
    for (int i = 0; i < b->norder; i++) {
        int node = b->order[i];

        b->nodes[node].left = b->nodes[node].rows > 0 && (!is_plain(plan, node) || is_opaque(b, plan, node) || is_named_until_cleared(run, node));
    }
    b->at = 0;
    memset(&b->cursor, 0, sizeof(b->cursor));
}

void vdf_batch_look(VdfBatches *b, VdfDeletionPlan *plan)
{
    MemoryContext caller;
    VdfWork w;

    elog(DEBUG1, "looking at what goes");
    MemoryContextReset(b->memory);
    caller = MemoryContextSwitchTo(b->memory);
    b->plan = 0;
    memset(&w, 0, sizeof(w));
    w.call = b->call;
    w.id = b->id;
    w.run = vdf_run_begin(plan, true, false, false);
    vdf_read_keys(&w);
    w.run->nusers = w.n;
    vdf_find_people(&w, false);
    vdf_progress_phase(VDF_PHASE_WALK);
    vdf_walk(w.run);
    vdf_progress_phase(VDF_PHASE_DETACH);
    vdf_detach(w.run);
    vdf_progress_phase(VDF_PHASE_PROVE);
    vdf_prove(w.run);
    vdf_require_limit(w.run->changed); /* before what is in the way, as in a run */
    if (w.run->blockers != NIL)
        vdf_raise_blocked(&w);
    learn_nodes(b, w.run);
    b->look = vdf_snapshot_copy(w.run->executor.snapshot);
    b->found = w.run->changed;
    b->plan = plan->serial;
    vdf_run_end(w.run);
    MemoryContextSwitchTo(caller);
}

bool vdf_batch_stands(VdfBatches *b, VdfDeletionPlan *plan, int node, Snapshot now)
{
    bool *above = ancestors_of(plan, node);

    for (int i = 0; i < plan->graph.nnodes; i++)
        if (above[i] && !vdf_versions_stand(&b->nodes[i].versions, b->look, now))
            return false;
    return true;
}

/* Rows of a child that stay for the last transaction keep what they refer to. */
static bool holds_left(VdfBatches *b, VdfDeletionPlan *plan, int node)
{
    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];

        if (e->parent == node && vdf_action(plan, i) == VDF_ACTION_DELETE && b->nodes[e->child].left)
            return true;
    }
    return false;
}

int vdf_batch_node(VdfBatches *b, VdfDeletionPlan *plan)
{
    for (; b->at < b->norder; vdf_batch_skip(b)) {
        int node = b->order[b->at];
        VdfBatchNode *state = &b->nodes[node];

        /* Asked before its first batch; what it leaves itself does not stop the next one. */
        if (b->cursor.block == 0 && b->cursor.offset == 0) {
            state->left = state->left || holds_left(b, plan, node);
            if (state->left)
                continue;
        }
        if (!vdf_versions_over(&state->versions, &b->cursor))
            return node;
        state->emptied = true;
    }
    return -1;
}

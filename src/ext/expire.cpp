#include "ext/expire.h"

#include "ext/targets.h"

/* Nodes that lie on a way of delete edges from the root to a marked rule. */
static bool *nodes_on_the_way(VdfDeletionPlan *plan, const bool *marked)
{
    bool *needed = (bool *) palloc0(sizeof(bool) * (plan->graph.nnodes + 1));
    bool any = true;

    memcpy(needed, marked, sizeof(bool) * plan->graph.nnodes);
    while (any) {
        any = false;
        for (int i = 0; i < plan->graph.nedges; i++) {
            const VdfEdge *e = &plan->graph.edges[i];

            if (vdf_action(plan, i) == VDF_ACTION_DELETE && needed[e->child] && !needed[e->parent])
                needed[e->parent] = any = true;
        }
    }
    return needed;
}

void vdf_expire(VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    VdfRun *look = (VdfRun *) palloc(sizeof(VdfRun));
    bool *marked = (bool *) palloc0(sizeof(bool) * (plan->graph.nnodes + 1));
    bool *seeded = (bool *) palloc0(sizeof(bool) * (plan->graph.nnodes + 1));

    for (int i = 0; i < plan->graph.ntarget_rules; i++)
        if (plan->rules[i]->on_expire != VDF_EXPIRE_NO) {
            marked[plan->graph.target_rules[i].node] = true;
            if (plan->rules[i]->on_expire == VDF_EXPIRE_DELETE)
                seeded[plan->graph.target_rules[i].node] = true;
        }

    *look = *run;
    look->dry = true;
    look->nodes = (VdfNodeState *) palloc0(sizeof(VdfNodeState) * (plan->graph.nnodes + 1));
    look->edges = (VdfEdgeState *) palloc0(sizeof(VdfEdgeState) * (plan->graph.nedges + 1));
    look->needed = nodes_on_the_way(plan, marked);
    look->blockers = NIL;
    vdf_executor_begin(&look->executor, true);
    vdf_walk(look);

    run->seed = look;
    run->seeded = seeded;
    vdf_walk(run);
    vdf_prove_deletes(run);
    vdf_detach(run);
    vdf_targets_settle(run, false);
    vdf_prove(run);

    for (int i = 0; i < plan->graph.nnodes; i++) {
        vdf_keys_free(&look->nodes[i].all);
        vdf_keys_free(&look->nodes[i].delta);
        vdf_keys_free(&look->nodes[i].next);
    }
    vdf_executor_end(&look->executor);
}

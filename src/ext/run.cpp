/*
 * run.cpp: begins and ends a run.
 */
#include "ext/run.h"

#include "ext/guc.h"
#include "ext/leftover.h"
#include "ext/targets.h"

VdfRun *vdf_run_begin(VdfDeletionPlan *plan, bool dry, bool many, bool expire)
{
    VdfRun *run = (VdfRun *) palloc0(sizeof(VdfRun));

    run->plan = plan;
    run->context = CurrentMemoryContext;
    run->dry = dry;
    run->tombstone = plan->configuration->tombstone && !expire;
    run->many = many;
    run->check_shared = !expire;
    run->nodes = (VdfNodeState *) palloc0(sizeof(VdfNodeState) * (plan->graph.nnodes + 1));
    run->edges = (VdfEdgeState *) palloc0(sizeof(VdfEdgeState) * (plan->graph.nedges + 1));
    run->targets = vdf_targets_create(plan);
    run->executor.fast_ri = vdf_fast_ri && VDF_FAST_RI_KNOWN;
    run->executor.walked = plan->walked;
    run->executor.nwalked = plan->nwalked;
    vdf_executor_begin(&run->executor, dry);
    run->user_counts = (VdfUserCounts *) palloc0(sizeof(VdfUserCounts) * (plan->graph.nedges + 1));
    if (!dry)
        vdf_leftovers_before(run);
    return run;
}

void vdf_run_end(VdfRun *run)
{
    for (int i = 0; i < run->plan->graph.nnodes; i++) {
        vdf_keys_free(&run->nodes[i].all);
        vdf_keys_free(&run->nodes[i].delta);
        vdf_keys_free(&run->nodes[i].next);
        vdf_keys_free(&run->nodes[i].foreign);
        vdf_keys_free(&run->nodes[i].own);
    }
    vdf_keys_free(&run->root);
    vdf_keys_free(&run->tombstone_keys);
    vdf_targets_free(run->targets);
    vdf_executor_end(&run->executor);
}


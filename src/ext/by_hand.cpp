#include "ext/by_hand.h"

#include "ext/targets.h"

/* Does a relation that the walk deletes from have a trigger of the application that runs before the rows go? */
static bool has_before_trigger(VdfDeletionPlan *plan)
{
    Relation catalog = table_open(TriggerRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
    HeapTuple tuple;
    bool found = false;

    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
        int node;

        if (form->tgisinternal || form->tgenabled == TRIGGER_DISABLED || form->tgenabled == TRIGGER_FIRES_ON_REPLICA ||
            !TRIGGER_FOR_BEFORE(form->tgtype) || !TRIGGER_FOR_DELETE(form->tgtype))
            continue;
        node = vdf_plan_node(plan, form->tgrelid);
        found = node >= 0 && plan->view->component_of[node] >= 0;
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return found;
}

static bool has_targets(VdfDeletionPlan *plan)
{
    for (int i = 0; i < plan->graph.ntarget_rules; i++)
        if (plan->view->component_of[plan->graph.target_rules[i].node] >= 0 && !OidIsValid(plan->rules[i]->mirror))
            return true;
    return false;
}

VdfRun *vdf_by_hand_look(VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    VdfRun *look;

    if (run->dry)
        return NULL;
    /* Catalogue news makes the plan anew, so one answer does for its life. */
    if (plan->by_hand == 0)
        plan->by_hand = has_targets(plan) && has_before_trigger(plan) ? 1 : -1;
    if (plan->by_hand < 0)
        return NULL;
    look = vdf_run_begin(plan, false, run->many, false);
    look->dry = true; /* with the snapshots of a run: what a lock waited for is seen */
    look->look = true;
    look->nusers = run->nusers;
    look->ghost = run->ghost;
    look->root = run->root;
    vdf_walk(look);
    memset(&look->root, 0, sizeof(look->root));
    return look;
}

void vdf_by_hand_add(VdfRun *run, VdfRun *look)
{
    if (look == NULL)
        return;
    vdf_targets_add(run, look);
    vdf_run_end(look);
}

#include "ext/full_scan.h"

/*
 * The scans of a plan that reads every row of one relation. A node that is neither one of these nor ours may
 * leave rows out or bring others in, so the whole plan is refused then. Subplans of the target list are of no
 * concern.
 */
static bool collect_scans(Plan **at, const CustomScanMethods *methods, List **scans)
{
    Plan *plan = *at;
    ListCell *cell;

    if (plan == NULL || plan->qual != NIL)
        return false;
    switch (nodeTag(plan)) {
    case T_SeqScan:
        if (plan->lefttree != NULL || plan->righttree != NULL)
            return false;
        *scans = lappend(*scans, at);
        return true;
    case T_CustomScan:
        return ((CustomScan *) plan)->methods == methods;
    case T_Append:
        if (vdf_append_prunes((Append *) plan) || ((Append *) plan)->nasyncplans != 0)
            return false;
        foreach (cell, ((Append *) plan)->appendplans)
            if (!collect_scans((Plan **) &lfirst(cell), methods, scans))
                return false;
        return true;
    case T_Result: /* only computes the target list */
        return ((Result *) plan)->resconstantqual == NULL && collect_scans(&plan->lefttree, methods, scans);
    default:
        return false;
    }
}

static Plan *scan_of(Plan *plan, const CustomScanMethods *methods)
{
    CustomScan *custom = makeNode(CustomScan);

    custom->scan = *(Scan *) plan;
    NodeSetTag(custom, T_CustomScan);
    custom->custom_relids = bms_make_singleton(custom->scan.scanrelid);
    custom->methods = methods;
    return (Plan *) custom;
}

/* False: the plan asks for no privileges on the relation, so it is not what it was taken for. */
static bool ask_privileges(PlannedStmt *plan, const VdfScanExchange *exchange)
{
    ListCell *cell;

    foreach (cell, plan->rtable) {
        RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);
        VdfPermissions *permissions;

        if (entry->rtekind != RTE_RELATION || entry->relid != exchange->relation)
            continue;
        permissions = vdf_permissions_of(plan, entry);
        if (permissions == NULL || permissions->requiredPerms == 0)
            continue;
        permissions->selectedCols = bms_add_members(permissions->selectedCols, exchange->columns);
        permissions->requiredPerms |= ACL_SELECT;
        return true;
    }
    return false;
}

bool vdf_exchange_scans(PlannedStmt *plan, const VdfScanExchange *exchange)
{
    bool wrapped = IsA(plan->planTree, ModifyTable) || IsA(plan->planTree, LockRows);
    Plan **top = wrapped ? &plan->planTree->lefttree : &plan->planTree;
    List *scans = NIL;
    ListCell *cell;
    MemoryContext caller;
    bool asked;

    if (plan->hasModifyingCTE || !collect_scans(top, exchange->methods, &scans))
        return false;
    caller = MemoryContextSwitchTo(exchange->context);
    asked = ask_privileges(plan, exchange);
    for (cell = list_head(scans); asked && cell != NULL; cell = lnext(scans, cell)) {
        Plan **at = (Plan **) lfirst(cell);

        *at = scan_of(*at, exchange->methods);
    }
    MemoryContextSwitchTo(caller);
    if (!asked)
        return false;
    (*top)->plan_rows = exchange->expected;
    plan->jitFlags = 0; /* compiling costs more than these statements gain */
    return true;
}

#include "ext/key_scan.h"

#define KEY_SCAN_ARMS 32

typedef struct ArmState
{
    const VdfKeySet *set;
    int ncolumns;
    int attributes[VDF_KEY_COLUMNS]; /* of this relation, from 0 */
    Oid types[VDF_KEY_COLUMNS];
} ArmState;

typedef struct KeyScanState
{
    CustomScanState custom;
    TableScanDesc scan;
    int narms;
    int last_attribute;
    ArmState arms[KEY_SCAN_ARMS];
} KeyScanState;

static bool passes(KeyScanState *state, TupleTableSlot *slot)
{
    slot_getsomeattrs(slot, state->last_attribute);
    for (int i = 0; i < state->narms; i++) {
        const ArmState *arm = &state->arms[i];
        Datum values[VDF_KEY_COLUMNS];
        bool null = false;

        for (int c = 0; c < arm->ncolumns; c++) {
            null = null || slot->tts_isnull[arm->attributes[c]];
            values[c] = slot->tts_values[arm->attributes[c]];
        }
        if (!null && vdf_key_set_find(arm->set, values, arm->types) != 0)
            return true;
    }
    return false;
}

static TupleTableSlot *next_row(ScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;
    TupleTableSlot *slot = node->ss_ScanTupleSlot;

    if (state->scan == NULL)
        state->scan = table_beginscan(node->ss_currentRelation, node->ps.state->es_snapshot, 0, NULL);
    while (table_scan_getnextslot(state->scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        if (passes(state, slot))
            return slot;
    }
    return NULL;
}

static bool recheck_row(ScanState *node, TupleTableSlot *slot)
{
    return passes((KeyScanState *) node, slot);
}

static TupleTableSlot *exec_key_scan(CustomScanState *node)
{
    return ExecScan(&node->ss, next_row, recheck_row);
}

static void begin_key_scan(CustomScanState *node, EState *estate, int flags)
{
    KeyScanState *state = (KeyScanState *) node;
    CustomScan *plan = (CustomScan *) node->ss.ps.plan;
    Relation relation = node->ss.ss_currentRelation;
    const VdfKeyScan *scan =
        (const VdfKeyScan *) DatumGetPointer(linitial_node(Const, plan->custom_private)->constvalue);

    /* The slot that a custom scan is given holds values, ours the tuples of the table. */
    ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation), table_slot_callbacks(relation));
    node->ss.ps.subPlan = NIL; /* of the projection that this one replaces */
    ExecAssignScanProjectionInfoWithVarno(&node->ss, plan->scan.scanrelid);

    state->narms = scan->narms;
    for (int i = 0; i < scan->narms; i++) {
        ArmState *arm = &state->arms[i];

        arm->set = scan->arms[i].set;
        arm->ncolumns = scan->arms[i].ncolumns;
        for (int c = 0; c < arm->ncolumns; c++) {
            AttrNumber number = get_attnum(RelationGetRelid(relation), scan->arms[i].columns[c]);

            if (number <= 0)
                elog(ERROR, "column \"%s\" of relation \"%s\" does not exist", scan->arms[i].columns[c],
                     RelationGetRelationName(relation));
            arm->attributes[c] = number - 1;
            arm->types[c] = TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;
            state->last_attribute = Max(state->last_attribute, number);
        }
    }
}

static void end_key_scan(CustomScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;

    if (state->scan != NULL)
        table_endscan(state->scan);
    state->scan = NULL;
}

static void rescan_key_scan(CustomScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;

    if (state->scan != NULL)
        table_rescan(state->scan, NULL);
    ExecScanReScan(&node->ss);
}

static CustomExecMethods exec_methods;

static Node *create_key_scan(CustomScan *plan)
{
    KeyScanState *state = (KeyScanState *) newNode(sizeof(KeyScanState), T_CustomScanState);

    state->custom.methods = &exec_methods;
    return (Node *) state;
}

static CustomScanMethods scan_methods;

static void fill_methods(void)
{
    exec_methods.CustomName = "vedfolnir key scan";
    exec_methods.BeginCustomScan = begin_key_scan;
    exec_methods.ExecCustomScan = exec_key_scan;
    exec_methods.EndCustomScan = end_key_scan;
    exec_methods.ReScanCustomScan = rescan_key_scan;
    scan_methods.CustomName = "vedfolnir key scan";
    scan_methods.CreateCustomScanState = create_key_scan;
}

/*
 * The scans of a plan that reads every row of one relation. A node that is not one of these may leave rows out or
 * bring others in, so the whole plan is refused then. Subplans of the target list are of no concern.
 */
static bool collect_scans(Plan **at, List **scans)
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
    case T_Append:
        if (vdf_append_prunes((Append *) plan) || ((Append *) plan)->nasyncplans != 0)
            return false;
        foreach (cell, ((Append *) plan)->appendplans)
            if (!collect_scans((Plan **) &lfirst(cell), scans))
                return false;
        return true;
    case T_Result: /* only computes the target list */
        return ((Result *) plan)->resconstantqual == NULL && collect_scans(&plan->lefttree, scans);
    default:
        return false;
    }
}

static Plan *key_scan_of(Plan *plan, const VdfKeyScan *scan)
{
    CustomScan *custom = makeNode(CustomScan);

    custom->scan = *(Scan *) plan;
    NodeSetTag(custom, T_CustomScan);
    custom->custom_relids = bms_make_singleton(custom->scan.scanrelid);
    custom->custom_private = list_make1(makeConst(INT8OID, -1, InvalidOid, sizeof(int64), PointerGetDatum(scan), false, true));
    custom->methods = &scan_methods;
    return (Plan *) custom;
}

/* A condition would have asked for the privilege to read its columns. */
static bool ask_privileges(PlannedStmt *plan, const VdfKeyScan *scan)
{
    ListCell *cell;

    foreach (cell, plan->rtable) {
        RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);
        VdfPermissions *permissions;

        if (entry->rtekind != RTE_RELATION || entry->relid != scan->relation)
            continue;
        permissions = vdf_permissions_of(plan, entry);
        if (permissions == NULL || permissions->requiredPerms == 0)
            continue;
        for (int i = 0; i < scan->narms; i++)
            for (int c = 0; c < scan->arms[i].ncolumns; c++)
                permissions->selectedCols =
                    bms_add_member(permissions->selectedCols, get_attnum(scan->relation, scan->arms[i].columns[c]) -
                                                                  FirstLowInvalidHeapAttributeNumber);
        permissions->requiredPerms |= ACL_SELECT;
        return true;
    }
    return false;
}

bool vdf_key_scan_install(PlannedStmt *plan, const VdfKeyScan *scan)
{
    Plan **top = IsA(plan->planTree, ModifyTable) ? &plan->planTree->lefttree : &plan->planTree;
    List *scans = NIL;
    ListCell *cell;

    if (scan->narms < 1 || scan->narms > KEY_SCAN_ARMS || plan->hasModifyingCTE || !collect_scans(top, &scans) ||
        !ask_privileges(plan, scan))
        return false;
    fill_methods();
    foreach (cell, scans) {
        Plan **at = (Plan **) lfirst(cell);

        *at = key_scan_of(*at, scan);
    }
    (*top)->plan_rows = scan->expected;
    return true;
}

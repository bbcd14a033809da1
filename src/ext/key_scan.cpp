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
    ExecAssignScanProjectionInfoWithVarno(&node->ss, plan->scan.scanrelid);
    node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);

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

static Plan *exchange(Plan *plan, const VdfKeyScan *scan)
{
    CustomScan *custom;

    if (plan == NULL)
        return NULL;
    if (IsA(plan, Append)) {
        ListCell *cell;

        if (((Append *) plan)->part_prune_info != NULL)
            return NULL;
        foreach (cell, ((Append *) plan)->appendplans) {
            lfirst(cell) = exchange((Plan *) lfirst(cell), scan);
            if (lfirst(cell) == NULL)
                return NULL;
        }
        return plan;
    }
    if (IsA(plan, Result) && plan->lefttree == NULL)
        return plan; /* a partitioned table without partitions */
    if (!IsA(plan, SeqScan) || plan->lefttree != NULL || plan->righttree != NULL)
        return NULL;
    custom = makeNode(CustomScan);
    custom->scan = *(Scan *) plan;
    NodeSetTag(custom, T_CustomScan);
    custom->custom_private = list_make1(makeConst(INT8OID, -1, InvalidOid, sizeof(int64), PointerGetDatum(scan), false, true));
    custom->methods = &scan_methods;
    return (Plan *) custom;
}

bool vdf_key_scan_install(PlannedStmt *plan, const VdfKeyScan *scan)
{
    Plan *top = plan->planTree;
    Plan *leaf;

    if (scan->narms < 1 || scan->narms > KEY_SCAN_ARMS || plan->subplans != NIL)
        return false;
    fill_methods();
    if (IsA(top, ModifyTable)) {
        leaf = exchange(top->lefttree, scan);
        if (leaf != NULL)
            top->lefttree = leaf;
    } else {
        leaf = exchange(top, scan);
        if (leaf != NULL)
            plan->planTree = leaf;
    }
    return leaf != NULL;
}

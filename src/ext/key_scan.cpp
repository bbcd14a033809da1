#include "ext/key_scan.h"

#include "ext/key_ahead.h"
#include "ext/report.h"

#define KEY_SCAN_ARMS 32

typedef struct KeyScanState
{
    CustomScanState custom;
    VdfKeyAhead *ahead;
    VdfKeyProbe *probe;
    bool tell; /* whether to look keys up in indexes: not asked yet, or they are */
    int narms;
    VdfProbeArm arms[KEY_SCAN_ARMS];
    VdfKeyWatch *watch;
    AttrNumber *watched; /* its columns in the relation at hand */
} KeyScanState;

static TupleTableSlot *find_row(KeyScanState *state)
{
    ScanState *node = &state->custom.ss;
    TupleTableSlot *slot = node->ss_ScanTupleSlot;
    int done;

    if (state->tell && state->probe == NULL) {
        state->probe = vdf_key_probe_begin(node->ss_currentRelation, node->ps.state->es_snapshot, state->narms, state->arms);
        state->tell = state->probe != NULL;
    }
    if (state->probe != NULL) {
        while (vdf_key_probe_next(state->probe, slot, &done))
            if (vdf_leading_arm(slot, state->narms, state->arms) >= done)
                return slot;
        return NULL;
    }
    if (state->ahead == NULL)
        state->ahead = vdf_key_ahead_begin(node->ss_currentRelation, node->ps.state, state->narms, state->arms);
    return vdf_key_ahead_next(state->ahead);
}

static TupleTableSlot *next_row(ScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;
    TupleTableSlot *slot;

    if (state->watch == NULL)
        return find_row(state);
    vdf_key_watch_settle(state->watch, node->ps.state);
    slot = find_row(state);
    if (slot != NULL)
        vdf_key_watch_give(state->watch, node->ps.state, slot, state->watched);
    return slot;
}

static bool recheck_row(ScanState *node, TupleTableSlot *slot)
{
    KeyScanState *state = (KeyScanState *) node;

    if (vdf_leading_arm(slot, state->narms, state->arms) < 0)
        return false;
    if (state->watch != NULL)
        vdf_key_watch_change(state->watch, slot, state->watched);
    return true;
}

static TupleTableSlot *exec_key_scan(CustomScanState *node)
{
    return ExecScan(&node->ss, next_row, recheck_row);
}

static void refuse_column(Relation relation, const char *column)
{
    ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the schema or the policy changed during the deletion"),
                    errdetail("Column %s of table \"%s\" is not what it was. Nothing was changed.", quote_identifier(column),
                              RelationGetRelationName(relation)),
                    errhint("Run the statement again."), errtable(relation)));
}

/* Partitions may have the columns in other places, and the plan is older than the lock on the table. */
static AttrNumber number_of(Relation relation, const char *column, AttrNumber number)
{
    TupleDesc desc = RelationGetDescr(relation);

    if (number <= 0 || number > desc->natts || TupleDescAttr(desc, number - 1)->attisdropped ||
        strcmp(NameStr(TupleDescAttr(desc, number - 1)->attname), column) != 0)
        number = get_attnum(RelationGetRelid(relation), column);
    if (number <= 0)
        refuse_column(relation, column);
    return number;
}

static AttrNumber number_of_reference(Relation relation, const VdfKeyArm *arm, int column)
{
    AttrNumber number = number_of(relation, arm->columns[column], arm->numbers[column]);
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);

    if (!vdf_key_set_takes(arm->set, column, attribute->atttypid, attribute->attcollation))
        refuse_column(relation, arm->columns[column]);
    return number;
}

static void begin_watch(KeyScanState *state, Relation relation, VdfKeyWatch *watch)
{
    state->watch = watch;
    state->watched = (AttrNumber *) palloc(sizeof(AttrNumber) * watch->ncolumns);
    for (int i = 0; i < watch->ncolumns; i++) {
        const VdfWatchColumn *column = &watch->columns[i];

        state->watched[i] = number_of(relation, column->name, column->number);
        if (TupleDescAttr(RelationGetDescr(relation), state->watched[i] - 1)->atttypid != column->type)
            refuse_column(relation, column->name);
    }
}

static void begin_key_scan(CustomScanState *node, EState *estate, int flags)
{
    KeyScanState *state = (KeyScanState *) node;
    CustomScan *plan = (CustomScan *) node->ss.ps.plan;
    Relation relation = node->ss.ss_currentRelation;
    EphemeralNamedRelation named = get_ENR(estate->es_queryEnv, VDF_KEY_SCAN_NAME);
    const VdfKeyScan *scan;

    if (named == NULL)
        elog(ERROR, "a key scan was begun without its keys");
    scan = (const VdfKeyScan *) named->reldata;
    /* The slot that a custom scan is given holds values, ours the tuples of the table. */
    ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation), table_slot_callbacks(relation));
    node->ss.ps.subPlan = NIL; /* of the projection that this one replaces */
    ExecAssignScanProjectionInfoWithVarno(&node->ss, plan->scan.scanrelid);

    state->tell = scan->probe;
    state->narms = scan->narms;
    for (int i = 0; i < scan->narms; i++) {
        VdfProbeArm *arm = &state->arms[i];

        arm->set = scan->arms[i].set;
        arm->ncolumns = scan->arms[i].ncolumns;
        arm->index = RelationGetRelid(relation) == scan->relation ? scan->arms[i].index : NULL;
        for (int c = 0; c < arm->ncolumns; c++) {
            arm->columns[c] = number_of_reference(relation, &scan->arms[i], c);
            arm->types[c] = TupleDescAttr(RelationGetDescr(relation), arm->columns[c] - 1)->atttypid;
            arm->last_column = Max(arm->last_column, arm->columns[c]);
        }
    }
    if (scan->watch != NULL)
        begin_watch(state, relation, scan->watch);
}

static void end_key_scan(CustomScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;

    if (state->probe != NULL)
        vdf_key_probe_end(state->probe);
    state->probe = NULL;
    if (state->ahead != NULL)
        vdf_key_ahead_end(state->ahead);
    state->ahead = NULL;
}

static void rescan_key_scan(CustomScanState *node)
{
    KeyScanState *state = (KeyScanState *) node;

    if (state->probe != NULL)
        vdf_key_probe_end(state->probe);
    state->probe = NULL;
    if (state->ahead != NULL)
        vdf_key_ahead_rescan(state->ahead);
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
 * The scans of a plan that reads every row of one relation. A node that is neither one of these nor ours may leave rows
 * out or bring others in, so the whole plan is refused then. Subplans of the target list are of no concern.
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
    case T_CustomScan:
        return ((CustomScan *) plan)->methods == &scan_methods;
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

static Plan *key_scan_of(Plan *plan)
{
    CustomScan *custom = makeNode(CustomScan);

    custom->scan = *(Scan *) plan;
    NodeSetTag(custom, T_CustomScan);
    custom->custom_relids = bms_make_singleton(custom->scan.scanrelid);
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
                    bms_add_member(permissions->selectedCols, scan->arms[i].numbers[c] - FirstLowInvalidHeapAttributeNumber);
        for (int i = 0; scan->watch != NULL && i < scan->watch->ncolumns; i++)
            permissions->selectedCols = bms_add_member(permissions->selectedCols,
                                                       scan->watch->columns[i].number - FirstLowInvalidHeapAttributeNumber);
        permissions->requiredPerms |= ACL_SELECT;
        return true;
    }
    return false;
}

bool vdf_key_scan_install(PlannedStmt *plan, MemoryContext context, const VdfKeyScan *scan)
{
    bool wrapped = IsA(plan->planTree, ModifyTable) || IsA(plan->planTree, LockRows);
    Plan **top = wrapped ? &plan->planTree->lefttree : &plan->planTree;
    List *scans = NIL;
    ListCell *cell;
    MemoryContext caller;

    if (scan->narms < 1 || scan->narms > KEY_SCAN_ARMS || plan->hasModifyingCTE || !collect_scans(top, &scans))
        return false;
    caller = MemoryContextSwitchTo(context);
    if (!ask_privileges(plan, scan)) {
        MemoryContextSwitchTo(caller);
        return false;
    }
    fill_methods();
    foreach (cell, scans) {
        Plan **at = (Plan **) lfirst(cell);

        *at = key_scan_of(*at);
    }
    (*top)->plan_rows = scan->expected;
    plan->jitFlags = 0; /* compiling costs more than these statements gain */
    MemoryContextSwitchTo(caller);
    return true;
}

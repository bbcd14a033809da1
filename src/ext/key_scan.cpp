#include "ext/key_scan.h"

#include "ext/full_scan.h"
#include "ext/key_ahead.h"

#define KEY_SCAN_ARMS 32

struct VdfKeyFound
{
    Relation relation;
    VdfKeyProbe *probe; /* NULL: the scan has taken it over */
    VdfProbeArm arms[KEY_SCAN_ARMS];
};

typedef struct KeyScanState
{
    CustomScanState custom;
    VdfKeyAhead *ahead;
    VdfKeyProbe *probe;
    VdfKeyScan *scan;
    bool tell; /* whether to look keys up in indexes: not asked yet, or they are */
    int narms;
    VdfProbeArm arms[KEY_SCAN_ARMS];
    VdfKeyWatch *watch;
    AttrNumber *watched; /* its columns in the relation at hand */
} KeyScanState;

static VdfKeyProbe *begin_probe(KeyScanState *state)
{
    ScanState *node = &state->custom.ss;
    VdfKeyFound *found = state->scan->found;
    VdfKeyProbe *probe;

    if (found == NULL || found->probe == NULL)
        return vdf_key_probe_begin(node->ss_currentRelation, node->ps.state->es_snapshot, state->scan->updated, state->narms,
                                   state->arms);
    probe = found->probe;
    found->probe = NULL;
    return probe;
}

static TupleTableSlot *find_row(KeyScanState *state)
{
    ScanState *node = &state->custom.ss;
    TupleTableSlot *slot = node->ss_ScanTupleSlot;
    int done;

    if (state->tell && state->probe == NULL) {
        state->probe = begin_probe(state);
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

static AttrNumber arm_column(Relation relation, const VdfKeyArm *arm, int column)
{
    AttrNumber number = vdf_column_number(relation, arm->columns[column], arm->numbers[column]);
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);

    if (!vdf_key_set_takes(arm->set, column, attribute->atttypid, attribute->attcollation))
        vdf_refuse_column(relation, arm->columns[column]);
    return number;
}

VdfProbeArm vdf_key_arm_in(Relation relation, const VdfKeyArm *scanned)
{
    VdfProbeArm arm;

    memset(&arm, 0, sizeof(arm));
    arm.set = scanned->set;
    arm.ncolumns = scanned->ncolumns;
    for (int c = 0; c < arm.ncolumns; c++) {
        arm.columns[c] = arm_column(relation, scanned, c);
        arm.types[c] = vdf_key_type(TupleDescAttr(RelationGetDescr(relation), arm.columns[c] - 1)->atttypid);
        arm.last_column = Max(arm.last_column, arm.columns[c]);
    }
    return arm;
}

static void resolve_arms(Relation relation, const VdfKeyScan *scan, VdfProbeArm *arms)
{
    for (int i = 0; i < scan->narms; i++) {
        arms[i] = vdf_key_arm_in(relation, &scan->arms[i]);
        arms[i].index = RelationGetRelid(relation) == scan->relation ? scan->arms[i].index : NULL;
    }
}

static void begin_key_scan(CustomScanState *node, EState *estate, int flags)
{
    KeyScanState *state = (KeyScanState *) node;
    CustomScan *plan = (CustomScan *) node->ss.ps.plan;
    Relation relation = node->ss.ss_currentRelation;
    EphemeralNamedRelation named = get_ENR(estate->es_queryEnv, VDF_KEY_SCAN_NAME);
    VdfKeyScan *scan;

    if (named == NULL)
        elog(ERROR, "a key scan was begun without its keys");
    scan = (VdfKeyScan *) named->reldata;
    /* The slot that a custom scan is given holds values, ours the tuples of the table. */
    ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation), table_slot_callbacks(relation));
    node->ss.ps.subPlan = NIL; /* of the projection that this one replaces */
    ExecAssignScanProjectionInfoWithVarno(&node->ss, plan->scan.scanrelid);

    state->scan = scan;
    state->tell = scan->probe;
    state->narms = scan->narms;
    if (scan->found != NULL && RelationGetRelid(relation) == RelationGetRelid(scan->found->relation))
        memcpy(state->arms, scan->found->arms, sizeof(VdfProbeArm) * scan->narms);
    else
        resolve_arms(relation, scan, state->arms);
    state->watch = scan->watch;
    if (scan->watch != NULL)
        state->watched = vdf_key_watch_columns(scan->watch, relation);
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

static Bitmapset *columns_asked(const VdfKeyScan *scan)
{
    Bitmapset *columns = NULL;

    for (int i = 0; i < scan->narms; i++)
        for (int c = 0; c < scan->arms[i].ncolumns; c++)
            columns = bms_add_member(columns, scan->arms[i].numbers[c] - FirstLowInvalidHeapAttributeNumber);
    for (int i = 0; scan->watch != NULL && i < scan->watch->ncolumns; i++)
        columns = bms_add_member(columns, scan->watch->columns[i].number - FirstLowInvalidHeapAttributeNumber);
    return columns;
}

bool vdf_key_scan_install(PlannedStmt *plan, MemoryContext context, const VdfKeyScan *scan)
{
    VdfScanExchange exchange = {&scan_methods, context, scan->relation, NULL, scan->expected};

    if (scan->narms < 1 || scan->narms > KEY_SCAN_ARMS)
        return false;
    fill_methods();
    exchange.columns = columns_asked(scan);
    return vdf_exchange_scans(plan, &exchange);
}

/* A trigger for the statement fires without rows as well. */
static bool acts_without_rows(Relation relation)
{
    TriggerDesc *triggers = relation->trigdesc;

    return triggers != NULL && (triggers->trig_delete_before_statement || triggers->trig_delete_after_statement);
}

bool vdf_key_scan_finds(VdfKeyScan *scan, Snapshot snapshot, LOCKMODE lock)
{
    Relation relation;

    if (!scan->probe || scan->narms < 1 || scan->narms > KEY_SCAN_ARMS)
        return true;
    relation = table_open(scan->relation, lock);
    if (relation->rd_rel->relkind != RELKIND_RELATION || acts_without_rows(relation)) {
        table_close(relation, NoLock);
        return true;
    }
    scan->found = (VdfKeyFound *) palloc0(sizeof(VdfKeyFound));
    scan->found->relation = relation;
    resolve_arms(relation, scan, scan->found->arms);
    scan->found->probe = vdf_key_probe_begin(relation, snapshot, scan->updated, scan->narms, scan->found->arms);
    return scan->found->probe == NULL || vdf_key_probe_leads(scan->found->probe);
}

void vdf_key_scan_end(VdfKeyScan *scan)
{
    if (scan->found == NULL)
        return;
    if (scan->found->probe != NULL)
        vdf_key_probe_end(scan->found->probe);
    table_close(scan->found->relation, NoLock);
    scan->found = NULL;
}

#include "ext/place_scan.h"

#include "ext/full_scan.h"

typedef struct PlaceScanState
{
    CustomScanState custom;
    VdfPlaceScan *scan; /* NULL: none of the rows are in this relation */
    VdfVersionReader reader;
    AttrNumber *watched; /* columns of the watch in the relation at hand */
    Buffer buffer;       /* of the rows */
    int nrows;
    int at;
    HeapTupleData rows[MaxHeapTuplesPerPage];
} PlaceScanState;

static void leave_page(PlaceScanState *state)
{
    if (BufferIsValid(state->buffer))
        ReleaseBuffer(state->buffer);
    state->buffer = InvalidBuffer;
    state->nrows = state->at = 0;
}

static bool next_page(PlaceScanState *state)
{
    VdfPlaceScan *scan = state->scan;

    leave_page(state);
    state->reader.now = state->custom.ss.ps.state->es_snapshot;
    while (state->nrows == 0 && scan->given < scan->limit && vdf_versions_more(&state->reader)) {
        CHECK_FOR_INTERRUPTS();
        state->nrows =
            vdf_versions_read(&state->reader, (int) Min(scan->limit - scan->given, MaxHeapTuplesPerPage),
                              state->rows, &state->buffer);
    }
    scan->given += state->nrows;
    scan->changed = state->reader.changed;
    return state->nrows > 0;
}

static TupleTableSlot *next_row(ScanState *node)
{
    PlaceScanState *state = (PlaceScanState *) node;
    TupleTableSlot *slot = node->ss_ScanTupleSlot;

    if (state->scan == NULL)
        return NULL;
    if (state->scan->watch != NULL)
        vdf_key_watch_settle(state->scan->watch, node->ps.state);
    if (state->at == state->nrows && !next_page(state))
        return NULL;
    (void) ExecStoreBufferHeapTuple(&state->rows[state->at++], slot, state->buffer);
    if (state->scan->watch != NULL)
        vdf_key_watch_give(state->scan->watch, node->ps.state, slot, state->watched);
    return slot;
}

/* A row that changed meanwhile is another version than the look saw. */
static bool recheck_row(ScanState *node, TupleTableSlot *slot)
{
    return false;
}

static TupleTableSlot *exec_place_scan(CustomScanState *node)
{
    return ExecScan(&node->ss, next_row, recheck_row);
}

static void begin_place_scan(CustomScanState *node, EState *estate, int flags)
{
    PlaceScanState *state = (PlaceScanState *) node;
    Relation relation = node->ss.ss_currentRelation;
    EphemeralNamedRelation named = get_ENR(estate->es_queryEnv, VDF_PLACE_SCAN_NAME);
    VdfPlaceScan *scan;

    if (named == NULL)
        elog(ERROR, "a place scan was begun without its places");
    scan = (VdfPlaceScan *) named->reldata;
    /* The slot that a custom scan is given holds values, ours the tuples of the table. */
    ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation), table_slot_callbacks(relation));
    node->ss.ps.subPlan = NIL; /* of the projection that this one replaces */
    ExecAssignScanProjectionInfoWithVarno(&node->ss, ((CustomScan *) node->ss.ps.plan)->scan.scanrelid);
    state->buffer = InvalidBuffer;
    if (RelationGetRelid(relation) != scan->table)
        return;
    state->scan = scan;
    memset(&state->reader, 0, sizeof(state->reader));
    state->reader.versions = scan->versions;
    state->reader.cursor = scan->cursor;
    state->reader.table = relation;
    state->reader.blocks = RelationGetNumberOfBlocks(relation);
    state->reader.look = scan->look;
    if (scan->watch != NULL)
        state->watched = vdf_key_watch_columns(scan->watch, relation);
}

static void end_place_scan(CustomScanState *node)
{
    leave_page((PlaceScanState *) node);
}

/* EvalPlanQual begins anew for each row; the statement itself never does. */
static void rescan_place_scan(CustomScanState *node)
{
    ExecScanReScan(&node->ss);
}

static CustomExecMethods exec_methods;

static Node *create_place_scan(CustomScan *plan)
{
    PlaceScanState *state = (PlaceScanState *) newNode(sizeof(PlaceScanState), T_CustomScanState);

    state->custom.methods = &exec_methods;
    return (Node *) state;
}

static CustomScanMethods scan_methods;

static void fill_methods(void)
{
    exec_methods.CustomName = "vedfolnir place scan";
    exec_methods.BeginCustomScan = begin_place_scan;
    exec_methods.ExecCustomScan = exec_place_scan;
    exec_methods.EndCustomScan = end_place_scan;
    exec_methods.ReScanCustomScan = rescan_place_scan;
    scan_methods.CustomName = "vedfolnir place scan";
    scan_methods.CreateCustomScanState = create_place_scan;
}

bool vdf_place_scan_install(PlannedStmt *plan, MemoryContext context, const VdfPlaceScan *scan)
{
    VdfScanExchange exchange = {&scan_methods, context, scan->relation, NULL, (double) scan->limit};

    fill_methods();
    exchange.columns =
        bms_make_singleton(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber);
    for (int i = 0; scan->watch != NULL && i < scan->watch->ncolumns; i++)
        exchange.columns = bms_add_member(exchange.columns, scan->watch->columns[i].number -
                                                                FirstLowInvalidHeapAttributeNumber);
    return vdf_exchange_scans(plan, &exchange);
}

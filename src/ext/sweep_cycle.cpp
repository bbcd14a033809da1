/*
 * sweep_cycle.cpp: components with cycles. Which references lead out is known when the last round is over.
 */
#include "ext/sweep.h"

/* Calls for each remembered row of a cycle; true if any call says so. */
static bool each_row_of_cycle(VdfRun *run, const VdfComponent *component,
                              bool (*row)(VdfRun *run, int node, TupleTableSlot *slot))
{
    bool any = false;

    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *state = &run->nodes[component->nodes[i]];
        TupleTableSlot *slot;

        if (state->rows_store == NULL)
            continue;
        slot = MakeSingleTupleTableSlot(state->rows_desc, &TTSOpsMinimalTuple);
        tuplestore_rescan(state->rows_store);
        while (tuplestore_gettupleslot(state->rows_store, true, false, slot)) {
            slot_getallattrs(slot);
            any = row(run, component->nodes[i], slot) || any;
        }
        ExecDropSingleTupleTableSlot(slot);
    }
    return any;
}

typedef struct RowOfCycle
{
    int edge;
    int state;
    bool leads_out;   /* an inner reference leads to a row that stays */
    bool leads_to_own; /* ... to a row of the person's own */
    Datum *key;
    Oid types[VDF_KEY_COLUMNS];
} RowOfCycle;

static void read_row(VdfRun *run, int node, TupleTableSlot *slot, RowOfCycle *row)
{
    VdfSweep *sweep = run->plan->sweeps[node];
    int n = run->plan->view->nkeys[node];

    row->key = slot->tts_values;
    for (int c = 0; c < n; c++)
        row->types[c] = TupleDescAttr(slot->tts_tupleDescriptor, c)->atttypid;
    row->leads_out = row->leads_to_own = false;
    for (int i = 0; i < sweep->nedges; i++) {
        SweepEdge *e = &sweep->edges[i];
        VdfKeySet *parents;
        bool null = false;
        uint32 mark;

        if (!e->inner)
            continue;
        for (int c = 0; c < e->ncolumns; c++)
            null = null || slot->tts_isnull[n + c];
        parents = run->nodes[run->plan->graph.edges[e->edge].parent].packed;
        mark = null || parents == NULL ? 0 : vdf_key_set_find(parents, slot->tts_values + n, e->types);
        row->leads_out = row->leads_out || (!null && mark == 0);
        row->leads_to_own = row->leads_to_own || (mark != 0 && VDF_KEY_OWN(mark));
        n += e->ncolumns;
    }
    row->edge = DatumGetInt32(slot->tts_values[n]);
    row->state = DatumGetInt32(slot->tts_values[n + 1]);
    row->leads_out = row->leads_out || (row->state & ROW_SOURCE);
}

/* A row that an inner reference ties to a row that stays is not the person's own. */
static bool count_source(VdfRun *run, int node, TupleTableSlot *slot)
{
    RowOfCycle row;

    read_row(run, node, slot, &row);
    if (row.leads_out)
        run->edges[row.edge].sources++;
    return row.leads_out;
}

static bool start_own(VdfRun *run, int node, TupleTableSlot *slot)
{
    RowOfCycle row;

    read_row(run, node, slot, &row);
    vdf_key_set_own(run->nodes[node].packed, row.key, row.types, (row.state & ROW_OWN) && !row.leads_out);
    return false;
}

static bool spread_own(VdfRun *run, int node, TupleTableSlot *slot)
{
    RowOfCycle row;
    uint64 before = run->nodes[node].packed->foreign;

    read_row(run, node, slot, &row);
    if (!row.leads_out && row.leads_to_own)
        vdf_key_set_own(run->nodes[node].packed, row.key, row.types, true);
    return run->nodes[node].packed->foreign != before;
}

static bool count_collateral(VdfRun *run, int node, TupleTableSlot *slot)
{
    RowOfCycle row;

    read_row(run, node, slot, &row);
    if (!VDF_KEY_OWN(vdf_key_set_find(run->nodes[node].packed, row.key, row.types)))
        run->edges[row.edge].collateral++;
    return false;
}

static void drop_round(VdfKeys *keys)
{
    vdf_keys_free(keys);
    if (keys->packed != NULL)
        vdf_key_set_free(keys->packed);
    keys->packed = NULL;
}

static bool next_round(VdfRun *run, const VdfComponent *component)
{
    bool any = false;

    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *node = &run->nodes[component->nodes[i]];
        TupleDesc desc = node->next.desc;

        drop_round(&node->delta);
        node->delta = node->next;
        memset(&node->next, 0, sizeof(VdfKeys));
        node->next.desc = desc;
        any = any || node->delta.count > 0;
    }
    return any;
}

void vdf_sweep_cycle(VdfRun *run, const VdfComponent *component)
{
    bool foreign = false;

    while (next_round(run, component))
        for (int i = 0; i < component->nnodes; i++)
            vdf_sweep_rows(run, component->nodes[i], true, true);
    for (int i = 0; i < component->nnodes; i++)
        foreign = foreign || vdf_parents_hold_foreign(run, component->nodes[i]);
    /* Without a way out, all that the person reaches is the person's own. */
    if (each_row_of_cycle(run, component, count_source) || foreign) {
        (void) each_row_of_cycle(run, component, start_own);
        while (each_row_of_cycle(run, component, spread_own))
            CHECK_FOR_INTERRUPTS();
        (void) each_row_of_cycle(run, component, count_collateral);
    }
    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *state = &run->nodes[component->nodes[i]];

        if (state->rows_store != NULL)
            tuplestore_end(state->rows_store);
        state->rows_store = NULL;
        drop_round(&state->delta);
        drop_round(&state->next);
        if (state->packed != NULL) {
            state->foreign.count = state->packed->foreign;
            state->own.count = state->packed->count - state->packed->foreign;
        }
    }
}

/*
 * sweep_cycle.cpp: components with cycles. Which references lead out is known when the last round is over.
 */
#include "ext/catalog.h"
#include "ext/reach.h"
#include "ext/sweep.h"

/* Whose the rows of a cycle are. A row is named by its node and by the place of its key, which no longer moves. */
typedef struct Ownership
{
    VdfRun *run;
    VdfReach *reach;
    VdfRowSet *own;
    bool any; /* a row leads out */
} Ownership;

typedef struct RowOfCycle
{
    int node;
    int edge;
    bool own;       /* by an edge that leads into the cycle */
    bool leads_out; /* to a row that stays */
    int64 place;
    int nparents;
    int parent_nodes[SWEEP_EDGES];
    int64 parents[SWEEP_EDGES];
} RowOfCycle;

#define PLACES_PER_BLOCK 256 /* a set of rows keeps a bitmap for each block */

static ItemPointer place_of(int64 place, ItemPointer tid)
{
    ItemPointerSet(tid, (BlockNumber) (place / PLACES_PER_BLOCK), place % PLACES_PER_BLOCK + FirstOffsetNumber);
    return tid;
}

/* Its parents are looked up only where they are asked for. */
static void read_row(VdfRun *run, int node, TupleTableSlot *slot, bool parents, RowOfCycle *row)
{
    VdfSweep *sweep = run->plan->sweeps[node];
    int n = run->plan->view->nkeys[node];
    const VdfKeySet *keys = run->nodes[node].packed;

    row->node = node;
    row->place = vdf_key_set_place(keys, slot->tts_values, keys->types);
    n += run->many ? 1 : 0;
    row->leads_out = false;
    row->nparents = 0;
    for (int i = 0; i < sweep->nedges; i++) {
        SweepEdge *e = sweep->edges[i];
        int parent = run->plan->graph.edges[e->edge].parent;
        bool null = false;
        int64 place;

        if (!e->inner)
            continue;
        if (!parents) {
            n += e->ncolumns;
            continue;
        }
        for (int c = 0; c < e->ncolumns; c++)
            null = null || slot->tts_isnull[n + c];
        place = null || run->nodes[parent].packed == NULL
                    ? -1
                    : vdf_key_set_place(run->nodes[parent].packed, slot->tts_values + n, e->types);
        if (place >= 0) {
            row->parent_nodes[row->nparents] = parent;
            row->parents[row->nparents++] = place;
        } else if (!null)
            row->leads_out = true;
        n += e->ncolumns;
    }
    row->edge = DatumGetInt32(slot->tts_values[n]);
    row->own = DatumGetInt32(slot->tts_values[n + 1]) & ROW_OWN;
    row->leads_out = row->leads_out || (DatumGetInt32(slot->tts_values[n + 1]) & ROW_SOURCE);
    if (row->place < 0)
        elog(ERROR, "a row of a cycle is not among its keys");
}

static void each_row_of_cycle(Ownership *o, const VdfComponent *component, bool parents, void (*act)(Ownership *, RowOfCycle *))
{
    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *state = &o->run->nodes[component->nodes[i]];
        TupleTableSlot *slot;
        RowOfCycle row;

        if (state->cycle.count == 0)
            continue;
        slot = MakeSingleTupleTableSlot(state->cycle.desc, &TTSOpsMinimalTuple);
        tuplestore_rescan(state->cycle.store);
        while (tuplestore_gettupleslot(state->cycle.store, true, false, slot)) {
            CHECK_FOR_INTERRUPTS();
            slot_getallattrs(slot);
            read_row(o->run, component->nodes[i], slot, parents, &row);
            act(o, &row);
        }
        ExecDropSingleTupleTableSlot(slot);
    }
}

/* A row that an inner reference ties to a row that stays is not the person's own. */
static void count_source(Ownership *o, RowOfCycle *row)
{
    if (row->leads_out)
        o->run->edges[row->edge].sources++;
    o->any = o->any || row->leads_out;
}

static void note_steps(Ownership *o, RowOfCycle *row)
{
    ItemPointerData to, from;

    if (row->leads_out)
        return;
    place_of(row->place, &to);
    if (row->own)
        vdf_reach_start(o->reach, (Oid) row->node, &to);
    for (int i = 0; i < row->nparents; i++)
        vdf_reach_step(o->reach, (Oid) row->parent_nodes[i], place_of(row->parents[i], &from), (Oid) row->node, &to);
}

static void count_and_note(Ownership *o, RowOfCycle *row)
{
    count_source(o, row);
    note_steps(o, row);
}

static void settle(Ownership *o, RowOfCycle *row)
{
    ItemPointerData tid;
    bool own = vdf_rowset_has(o->own, (Oid) row->node, place_of(row->place, &tid));

    vdf_key_set_own(o->run->nodes[row->node].packed, row->place, own);
    if (!own)
        o->run->edges[row->edge].collateral++;
}

/*
 * Keys that were too many to be packed are asked by joins whether anything leads out. As a rule nothing does; else the
 * keys are packed after all, in as much memory as they need.
 */
static bool leads_out(VdfRun *run, const VdfComponent *component)
{
    uint64 rows = 0;

    for (int i = 0; i < component->nnodes; i++)
        if (run->nodes[component->nodes[i]].leads_out)
            return true;
    for (int i = 0; rows == 0 && i < component->ninner; i++) {
        const VdfEdge *edge = &run->plan->graph.edges[component->inner[i]];
        VdfKeys *children = &run->nodes[edge->child].cycle, *parents = &run->nodes[edge->parent].cycle;
        VdfStatement statement;

        if (children->count == 0)
            continue;
        vdf_statement_of(run, &statement, VDF_SQL_LEADS_OUT, component->inner[i], parents->count > 0 ? VDF_KEYS : 0,
                         vdf_relation_owner(run->plan->edges[component->inner[i]].parent_relation));
        vdf_statement_input(&statement, "vdf_a", children);
        if (parents->count > 0)
            vdf_statement_input(&statement, "vdf_d", parents);
        rows = vdf_execute(&run->executor, &statement);
    }
    return rows > 0;
}

static void find_owners(VdfRun *run, const VdfComponent *component)
{
    Ownership o = {run, NULL, NULL, false};
    bool spilled = false, counted;

    for (int i = 0; i < component->nnodes; i++) {
        o.any = o.any || run->nodes[component->nodes[i]].leads_out || vdf_parents_hold_foreign(run, component->nodes[i]);
        spilled = spilled || run->nodes[component->nodes[i]].spilled;
    }
    /* Without a way out, all that the person reaches is the person's own. */
    if (spilled && !o.any && !leads_out(run, component))
        return;
    for (int i = 0; i < component->nnodes; i++)
        if (run->nodes[component->nodes[i]].spilled)
            vdf_sweep_pack_cycle(run, component->nodes[i]);
    counted = !o.any;
    if (counted)
        each_row_of_cycle(&o, component, true, count_source);
    if (!o.any)
        return;
    o.own = vdf_rowset_create();
    o.reach = vdf_reach_create(o.own);
    each_row_of_cycle(&o, component, true, counted ? note_steps : count_and_note);
    vdf_reach_follow(o.reach);
    vdf_reach_free(o.reach);
    each_row_of_cycle(&o, component, false, settle);
    vdf_rowset_free(o.own);
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
    while (next_round(run, component))
        for (int i = 0; i < component->nnodes; i++)
            vdf_sweep_rows(run, component->nodes[i], true, true);
    find_owners(run, component);
    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *state = &run->nodes[component->nodes[i]];

        drop_round(&state->delta);
        drop_round(&state->next);
        if (state->packed != NULL) {
            state->foreign.count = state->packed->foreign;
            state->own.count = state->packed->count - state->packed->foreign;
        }
        if (state->spilled)
            vdf_sweep_store_cycle(run, component->nodes[i]);
        else
            vdf_sweep_list_cycle(run, component->nodes[i]);
        vdf_keys_free(&state->cycle);
    }
}

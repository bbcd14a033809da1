/*
 * sweep_keys.cpp: the keys of a node: packed, in stores when they are too many, given back when nobody asks any more.
 */
#include "ext/facts.h"
#include "ext/guc.h"
#include "ext/new_reference.h"
#include "ext/sweep.h"

int vdf_slot_column(TupleDesc desc, const char *name)
{
    for (int i = 0; i < desc->natts; i++)
        if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
            return i;
    elog(ERROR, "a statement of a deletion lacks column \"%s\"", name);
    return -1;
}

/* How key sets in stores look: vdf_u where there are several people, then the keys. */
static TupleDesc keys_desc(VdfRun *run, TupleDesc slot, int ncolumns, const int *columns)
{
    int first = run->many ? 1 : 0;
    TupleDesc desc = CreateTemplateTupleDesc(ncolumns + first);

    if (run->many)
        TupleDescInitEntry(desc, 1, "vdf_u", INT4OID, -1, 0);
    for (int i = 0; i < ncolumns; i++)
        TupleDescCopyEntry(desc, i + 1 + first, slot, columns[i] + 1);
    return desc;
}

Size vdf_sweep_key_limit(void)
{
    return (Size) work_mem * 1024 * 3;
}

void vdf_sweep_start_next(VdfRun *run, int node, TupleDesc desc, int ncolumns, const int *columns)
{
    VdfNodeState *state = &run->nodes[node];
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    state->next.packed = vdf_key_set_create(desc, ncolumns, columns, &run->key_bytes, vdf_sweep_key_limit());
    state->next.desc = state->all.desc;
    state->next.which = -1;
    MemoryContextSwitchTo(caller);
}

void vdf_sweep_start_keys(VdfRun *run, int node, TupleDesc desc, int ncolumns, const int *columns)
{
    VdfNodeState *state = &run->nodes[node];
    const SweepLists *lists = vdf_sweep_lists(run->plan, node);
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    state->packed = run->plan->sweeps[node]->packs && (lists->whole || lists->n == 0)
                        ? vdf_key_set_create(desc, ncolumns, columns, &run->key_bytes, vdf_sweep_key_limit())
                        : NULL;
    state->all.desc = state->own.desc = state->foreign.desc = keys_desc(run, desc, ncolumns, columns);
    state->all.packed = state->own.packed = state->foreign.packed = state->packed;
    state->all.which = -1;
    state->own.which = 1;
    state->foreign.which = 0;
    MemoryContextSwitchTo(caller);
}

static void drop_packed(VdfNodeState *state)
{
    vdf_key_set_free(state->packed);
    state->packed = state->all.packed = state->own.packed = state->foreign.packed = NULL;
}

/* Too many keys: they go to stores, and the children are walked by joins. */
static void give_up_packing(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    vdf_keys_unpack(&state->all);
    if (state->packed->foreign > 0) {
        vdf_keys_unpack(&state->own);
        vdf_keys_unpack(&state->foreign);
    }
    drop_packed(state);
    MemoryContextSwitchTo(caller);
}

static void store_key(VdfRun *run, VdfKeys *keys, TupleTableSlot *slot, int ncolumns, const int *columns, int person)
{
    Datum values[SWEEP_KEYS + 1];
    bool nulls[SWEEP_KEYS + 1];
    int n = 0;

    if (keys->store == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(run->context);

        keys->store = vdf_keys_store();
        MemoryContextSwitchTo(caller);
    }
    if (run->many) {
        values[n] = Int32GetDatum(person);
        nulls[n++] = false;
    }
    for (int i = 0; i < ncolumns; i++) {
        values[n] = slot->tts_values[columns[i]];
        nulls[n++] = slot->tts_isnull[columns[i]];
    }
    tuplestore_putvalues(keys->store, keys->desc, values, nulls);
    keys->count++;
}

/* Own rows have no store of their own until the first foreign row comes. */
static void divide_store(VdfRun *run, VdfNodeState *state)
{
    TupleTableSlot *slot = MakeSingleTupleTableSlot(state->all.desc, &TTSOpsMinimalTuple);
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    state->own.store = vdf_keys_store();
    MemoryContextSwitchTo(caller);
    tuplestore_rescan(state->all.store);
    while (tuplestore_gettupleslot(state->all.store, true, false, slot)) {
        tuplestore_puttupleslot(state->own.store, slot);
        state->own.count++;
    }
    ExecDropSingleTupleTableSlot(slot);
}

void vdf_sweep_keep_key(VdfRun *run, int node, TupleTableSlot *slot, int ncolumns, const int *columns, int person, bool own)
{
    VdfNodeState *state = &run->nodes[node];

    vdf_sweep_keep_lists(run, node, slot, columns, person, own);
    if (state->packed != NULL && !vdf_key_set_add(state->packed, slot, columns, person, own))
        give_up_packing(run, node);
    if (state->packed != NULL) {
        state->all.count = state->packed->count;
        state->foreign.count = state->packed->foreign;
        state->own.count = state->packed->count - state->packed->foreign;
        return;
    }
    if (!own && state->foreign.count == 0 && state->all.count > 0)
        divide_store(run, state);
    store_key(run, &state->all, slot, ncolumns, columns, person);
    if (!own)
        store_key(run, &state->foreign, slot, ncolumns, columns, person);
    else if (state->foreign.count > 0)
        store_key(run, &state->own, slot, ncolumns, columns, person);
}

/* What all rounds of a cycle found stays in the store of its rows, so the packed keys can be given up at any time. */
void vdf_sweep_keep_round(VdfRun *run, int node, TupleTableSlot *slot, int ncolumns, const int *columns, int person, bool own)
{
    VdfNodeState *state = &run->nodes[node];

    state->all.count++;
    if (state->packed != NULL && !vdf_key_set_add(state->packed, slot, columns, person, own)) {
        drop_packed(state);
        state->spilled = true;
    }
    if (state->next.packed != NULL && vdf_key_set_add(state->next.packed, slot, columns, person, own)) {
        state->next.count = state->next.packed->count;
        return;
    }
    if (state->next.packed != NULL) {
        MemoryContext caller = MemoryContextSwitchTo(run->context);

        vdf_keys_unpack(&state->next);
        vdf_key_set_free(state->next.packed);
        state->next.packed = NULL;
        MemoryContextSwitchTo(caller);
    }
    store_key(run, &state->next, slot, ncolumns, columns, person);
}

typedef struct PackSink
{
    VdfRun *run;
    VdfKeySet *set;
    const int *columns;
    int user; /* column of vdf_u, -1: none */
    bool own;
    bool full;
} PackSink;

static void pack_rows(PackSink *p, VdfKeys *keys)
{
    TupleTableSlot *slot;

    if (keys->count == 0)
        return;
    slot = MakeSingleTupleTableSlot(keys->desc, &TTSOpsMinimalTuple);
    tuplestore_rescan(keys->store);
    while (!p->full && tuplestore_gettupleslot(keys->store, true, false, slot)) {
        slot_getallattrs(slot);
        p->full = !vdf_key_set_add(p->set, slot, p->columns, p->user < 0 ? 1 : DatumGetInt32(slot->tts_values[p->user]), p->own);
    }
    ExecDropSingleTupleTableSlot(slot);
}

/* The keys of a cycle begin the rows that are remembered of it; the person follows them. */
void vdf_sweep_pack_cycle(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];
    int columns[VDF_KEY_COLUMNS], n = run->plan->view->nkeys[node];
    PackSink p = {run, NULL, columns, run->many ? n : -1, false, false};
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    for (int c = 0; c < n; c++)
        columns[c] = c;
    p.set = vdf_key_set_create(state->cycle.desc, n, columns, &run->key_bytes, MaxAllocHugeSize);
    pack_rows(&p, &state->cycle);
    state->packed = state->all.packed = state->own.packed = state->foreign.packed = p.set;
    MemoryContextSwitchTo(caller);
}

void vdf_sweep_store_cycle(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];
    int columns[VDF_KEY_COLUMNS], n = run->plan->view->nkeys[node];
    TupleTableSlot *slot;

    if (state->packed != NULL) {
        give_up_packing(run, node);
        return;
    }
    for (int c = 0; c < n; c++)
        columns[c] = c;
    state->all.count = 0;
    slot = MakeSingleTupleTableSlot(state->cycle.desc, &TTSOpsMinimalTuple);
    tuplestore_rescan(state->cycle.store);
    while (tuplestore_gettupleslot(state->cycle.store, true, false, slot)) {
        CHECK_FOR_INTERRUPTS();
        slot_getallattrs(slot);
        store_key(run, &state->all, slot, n, columns, run->many ? DatumGetInt32(slot->tts_values[n]) : 1);
    }
    ExecDropSingleTupleTableSlot(slot);
}

/* NULL: the columns cannot be packed, or the keys are too many. */
static VdfKeySet *pack_stores(VdfRun *run, VdfNodeState *state, int n, const int *columns, int user)
{
    PackSink p = {run, NULL, columns, user, true, false};

    p.set = vdf_key_set_create(state->all.desc, n, columns, &run->key_bytes, vdf_sweep_key_limit());
    if (p.set == NULL)
        return NULL;
    pack_rows(&p, state->foreign.count > 0 ? &state->own : &state->all);
    p.own = false;
    if (state->foreign.count > 0)
        pack_rows(&p, &state->foreign);
    if (p.full)
        vdf_key_set_free(p.set);
    return p.full ? NULL : p.set;
}

static bool is_packed(const VdfNodeState *state)
{
    bool packed = state->packed != NULL;

    for (int l = 0; l < VDF_KEY_LISTS; l++)
        packed = packed || state->lists[l] != NULL;
    return packed;
}

static void pack_node(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];
    int columns[SWEEP_KEYS], listed[VDF_KEY_COLUMNS], n = run->plan->view->nkeys[node], user = -1;
    const SweepLists *lists;
    char name[64];

    if (n < 1 || n > SWEEP_KEYS || state->all.count == 0 || is_packed(state))
        return;
    for (int c = 0; c < n; c++) {
        snprintf(name, sizeof(name), "vdf_k%d", c);
        columns[c] = vdf_slot_column(state->all.desc, name);
    }
    if (run->many)
        user = vdf_slot_column(state->all.desc, "vdf_u");
    lists = vdf_sweep_lists(run->plan, node);
    if (lists->whole)
        state->packed = pack_stores(run, state, n, columns, user);
    for (int l = 0; l < lists->n; l++) {
        vdf_sweep_list_columns(&lists->list[l], columns, listed);
        state->lists[l] = pack_stores(run, state, lists->list[l].ncolumns, listed, user);
    }
}

void vdf_sweep_pack(VdfRun *run, int number)
{
    const VdfComponent *component = &run->plan->view->components[number];
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    for (int i = 0; i < component->nnodes; i++)
        pack_node(run, component->nodes[i]);
    MemoryContextSwitchTo(caller);
}

/* Will a later phase ask for the keys of this parent through the edge? */
static bool asked_later(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    return vdf_action(run->plan, edge) != VDF_ACTION_DELETE || e->link || e->child == run->plan->graph.root || vdf_prove_all ||
           vdf_may_come_up(run->plan, edge) || vdf_facts(run->plan, run->plan->edges[edge].relation)->delete_keeper != NULL;
}

static bool still_needed(VdfRun *run, int node, int done)
{
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (run->plan->graph.edges[i].parent == node &&
            (run->plan->view->component_of[run->plan->graph.edges[i].child] > done || asked_later(run, i)))
            return true;
    return false;
}

static void release(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];

    /* The counts stay: others ask whether there were rows. */
    VdfKeys *sets[] = {&state->all, &state->own, &state->foreign};

    for (int i = 0; i < 3; i++) {
        VdfKeys *keys = sets[i];

        if (keys->store != NULL)
            vdf_keys_store_end(keys->store);
        keys->store = NULL;
        keys->packed = NULL;
    }
    if (state->packed != NULL)
        vdf_key_set_free(state->packed);
    state->packed = NULL;
    vdf_sweep_drop_lists(state);
}

void vdf_sweep_release(VdfRun *run, int number)
{
    const VdfComponent *component = &run->plan->view->components[number];

    for (int i = 0; i < component->nouter; i++) {
        int parent = run->plan->graph.edges[component->outer[i]].parent;

        if (parent != run->plan->graph.root && run->nodes[parent].all.count > 0 && !still_needed(run, parent, number))
            release(run, parent);
    }
    for (int i = 0; i < component->nnodes; i++)
        if (run->plan->view->nkeys[component->nodes[i]] == 0)
            release(run, component->nodes[i]);
}

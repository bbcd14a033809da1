/*
 * sweep_lists.cpp: keys of a node by the column lists that edges refer by, where these are not all of its key columns.
 */
#include "ext/sweep.h"

void vdf_sweep_list_columns(const SweepList *list, const int *columns, int *out)
{
    for (int c = 0; c < list->ncolumns; c++)
        out[c] = columns[list->columns[c]];
}

void vdf_sweep_start_lists(VdfRun *run, int node, TupleDesc desc, const int *columns)
{
    VdfNodeState *state = &run->nodes[node];
    const SweepLists *lists = vdf_sweep_lists(run->plan, node);
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    int listed[VDF_KEY_COLUMNS];

    for (int l = 0; l < lists->n; l++) {
        vdf_sweep_list_columns(&lists->list[l], columns, listed);
        state->lists[l] = vdf_key_set_create(desc, lists->list[l].ncolumns, listed, &run->key_bytes, vdf_sweep_key_limit());
    }
    MemoryContextSwitchTo(caller);
}

static void drop_list(VdfNodeState *state, int list)
{
    if (state->lists[list] != NULL)
        vdf_key_set_free(state->lists[list]);
    state->lists[list] = NULL;
}

void vdf_sweep_drop_lists(VdfNodeState *state)
{
    for (int l = 0; l < VDF_KEY_LISTS; l++)
        drop_list(state, l);
}

void vdf_sweep_keep_lists(VdfRun *run, int node, TupleTableSlot *slot, const int *columns, int person, bool own)
{
    VdfNodeState *state = &run->nodes[node];
    const SweepLists *lists = run->plan->lists[node];
    int listed[VDF_KEY_COLUMNS];

    for (int l = 0; l < lists->n; l++) {
        if (state->lists[l] == NULL)
            continue;
        vdf_sweep_list_columns(&lists->list[l], columns, listed);
        if (!vdf_key_set_add(state->lists[l], slot, listed, person, own))
            drop_list(state, l);
    }
}

void vdf_sweep_list_cycle(VdfRun *run, int node)
{
    VdfNodeState *state = &run->nodes[node];
    int columns[VDF_KEY_COLUMNS], n = run->plan->view->nkeys[node];
    TupleTableSlot *slot;

    if (state->packed == NULL || vdf_sweep_lists(run->plan, node)->n == 0)
        return;
    for (int c = 0; c < n; c++)
        columns[c] = c;
    vdf_sweep_start_lists(run, node, state->cycle.desc, columns);
    slot = MakeSingleTupleTableSlot(state->cycle.desc, &TTSOpsMinimalTuple);
    tuplestore_rescan(state->cycle.store);
    while (tuplestore_gettupleslot(state->cycle.store, true, false, slot)) {
        uint32 mark;

        CHECK_FOR_INTERRUPTS();
        slot_getallattrs(slot);
        mark = vdf_key_set_find(state->packed, slot->tts_values, state->packed->types);
        if (mark == 0)
            elog(ERROR, "a row of a cycle is not among its keys");
        vdf_sweep_keep_lists(run, node, slot, columns, VDF_KEY_PERSON(mark), VDF_KEY_OWN(mark));
    }
    ExecDropSingleTupleTableSlot(slot);
}

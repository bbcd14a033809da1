/*
 * sweep_rows.cpp: what is done with each row of a sweep.
 */
#include "ext/progress.h"
#include "ext/sweep.h"
#include "ext/targets.h"

/* The keys, the person where there are several, the references inside the cycle, the edge and ROW_SOURCE ... */
static TupleDesc cycle_desc(SweepSink *s, TupleDesc slot)
{
    int n = s->ncolumns + (s->run->many ? 1 : 0), at = 1;
    TupleDesc desc;

    for (int i = 0; i < s->sweep->nedges; i++)
        n += s->sweep->edges[i]->inner ? s->sweep->edges[i]->ncolumns : 0;
    desc = CreateTemplateTupleDesc(n + 2);
    for (int i = 0; i < s->ncolumns; i++)
        TupleDescCopyEntry(desc, at++, slot, s->columns[i] + 1);
    if (s->run->many)
        TupleDescInitEntry(desc, at++, "vdf_u", INT4OID, -1, 0);
    for (int i = 0; i < s->sweep->nedges; i++)
        for (int c = 0; s->sweep->edges[i]->inner && c < s->sweep->edges[i]->ncolumns; c++)
            TupleDescCopyEntry(desc, at++, slot, s->references[i * VDF_KEY_COLUMNS + c] + 1);
    TupleDescInitEntry(desc, at++, "vdf_e", INT4OID, -1, 0);
    TupleDescInitEntry(desc, at, "vdf_s", INT4OID, -1, 0);
    return desc;
}

void vdf_sweep_begin(SweepSink *s, TupleDesc desc)
{
    VdfNodeState *state = &s->run->nodes[s->node];

    if ((state->shape & VDF_KEYS) == 0)
        return;
    if (state->all.desc == NULL) {
        vdf_sweep_start_keys(s->run, s->node, desc, s->ncolumns, s->columns);
        if (!s->loop)
            vdf_sweep_start_lists(s->run, s->node, desc, s->columns);
    }
    if (s->loop && state->cycle.store == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(s->run->context);

        state->cycle.desc = cycle_desc(s, desc);
        state->cycle.store = vdf_keys_store();
        MemoryContextSwitchTo(caller);
    }
    if (s->loop && state->next.packed == NULL && state->next.store == NULL)
        vdf_sweep_start_next(s->run, s->node, desc, s->ncolumns, s->columns);
}

void vdf_sweep_start(VdfSink *sink, TupleDesc desc)
{
    SweepSink *s = (SweepSink *) sink;
    unsigned shape = s->run->nodes[s->node].shape;
    char name[64];

    if (s->look)
        for (int i = 0; i < s->sweep->nedges; i++)
            for (int c = 0; c < s->sweep->edges[i]->ncolumns; c++) {
                snprintf(name, sizeof(name), "vdf_f%d_%d", s->sweep->edges[i]->edge, s->sweep->edges[i]->pairs[c]);
                s->references[i * VDF_KEY_COLUMNS + c] = vdf_slot_column(desc, name);
            }
    for (int c = 0; (shape & VDF_KEYS) && c < s->ncolumns; c++) {
        snprintf(name, sizeof(name), "vdf_k%d", c);
        s->columns[c] = vdf_slot_column(desc, name);
    }
    vdf_sweep_begin(s, desc);
    if (shape & VDF_TARGETS)
        s->targets = vdf_slot_column(desc, "vdf_x0");
    if (s->user >= 0)
        s->user = vdf_slot_column(desc, "vdf_u");
}

/* The first edge that leads to the row, its person, and whether the row is the person's own. */
static void look_up(SweepSink *s, TupleTableSlot *slot, int *edge, int *person, bool *own, bool *source)
{
    bool owned = false;

    for (int i = 0; i < s->sweep->nedges; i++) {
        SweepEdge *e = s->sweep->edges[i];
        const VdfNodeState *parent = &s->run->nodes[s->run->plan->graph.edges[e->edge].parent];
        const VdfKeySet *parents = e->inner ? parent->delta.packed : vdf_sweep_set(parent, e);
        Datum values[VDF_KEY_COLUMNS];
        bool null = false;
        uint32 mark;

        for (int c = 0; c < e->ncolumns; c++) {
            null = null || slot->tts_isnull[s->references[i * VDF_KEY_COLUMNS + c]];
            values[c] = slot->tts_values[s->references[i * VDF_KEY_COLUMNS + c]];
        }
        if (null || (e->inner && !s->inside))
            continue;
        mark = parents ? vdf_key_set_find(parents, values, e->types) : 0;
        if (mark == 0) {
            *source = *source || !e->inner; /* where an inner reference leads is known at the end */
            continue;
        }
        /* A statement for one edge finds what the statements before it have left. */
        if (*edge < 0 || *edge == e->edge)
            *person = VDF_KEY_PERSON(mark);
        if (*edge < 0)
            *edge = e->edge;
        owned = owned || VDF_KEY_OWN(mark);
    }
    *own = owned && !*source;
}

static void keep_row(SweepSink *s, TupleTableSlot *slot, int edge, int person, bool own, bool source)
{
    VdfNodeState *state = &s->run->nodes[s->node];
    Datum values[VDF_KEY_COLUMNS * (SWEEP_EDGES + 1) + 3];
    bool nulls[VDF_KEY_COLUMNS * (SWEEP_EDGES + 1) + 3] = {false};
    int n = 0;

    for (int i = 0; i < s->ncolumns; i++) {
        nulls[n] = slot->tts_isnull[s->columns[i]];
        values[n++] = slot->tts_values[s->columns[i]];
    }
    if (s->run->many)
        values[n++] = Int32GetDatum(person);
    for (int i = 0; i < s->sweep->nedges; i++)
        for (int c = 0; s->sweep->edges[i]->inner && c < s->sweep->edges[i]->ncolumns; c++) {
            nulls[n] = slot->tts_isnull[s->references[i * VDF_KEY_COLUMNS + c]];
            values[n++] = slot->tts_values[s->references[i * VDF_KEY_COLUMNS + c]];
        }
    values[n++] = Int32GetDatum(edge);
    values[n] = Int32GetDatum((source ? ROW_SOURCE : 0) | (own && !s->inside ? ROW_OWN : 0));
    tuplestore_putvalues(state->cycle.store, state->cycle.desc, values, nulls);
    state->cycle.count++;
    state->leads_out = state->leads_out || source;
    vdf_sweep_keep_round(s->run, s->node, slot, s->ncolumns, s->columns, person, own);
}

void vdf_sweep_row(VdfSink *sink, TupleTableSlot *slot)
{
    SweepSink *s = (SweepSink *) sink;
    VdfRun *run = s->run;
    VdfNodeState *state = &run->nodes[s->node];
    int edge = s->edge >= 0 ? s->edge : s->look ? -1 : s->sweep->edges[0]->edge, person = 1;
    bool own = true, source = false;

    slot_getallattrs(slot);
    /* Edge by edge, a dry run meets the same row again. */
    if (run->dry && !vdf_rowset_add(state->goes, DatumGetObjectId(slot->tts_values[0]),
                                    (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        return;
    if (s->look)
        look_up(s, slot, &edge, &person, &own, &source);
    if (s->user >= 0)
        person = DatumGetInt32(slot->tts_values[s->user]);
    if (edge < 0)
        elog(ERROR, "a row was taken that nothing refers to");
    s->rows++;
    vdf_progress_rows(1);
    run->edges[edge].rows++;
    if (!s->loop && !own)
        run->edges[edge].collateral++;
    if (!s->loop && source)
        run->edges[edge].sources++;
    if (run->many)
        vdf_count_user(run, person, edge, 1);
    if (state->shape & VDF_TARGETS)
        vdf_targets_take(run, s->node, slot, s->targets, person, true);
    if (s->loop)
        keep_row(s, slot, edge, person, own, source);
    else if (state->shape & VDF_KEYS)
        vdf_sweep_keep_key(run, s->node, slot, s->ncolumns, s->columns, person, own);
}

/*
 * sweep_watch.cpp: the rows of a sweep as its scan had them. They look as RETURNING would give them.
 */
#include "ext/fault.h"
#include "ext/sweep.h"

static int add_column(VdfKeyWatch *watch, const char *name, AttrNumber number, Oid type)
{
    watch->columns[watch->ncolumns] = {name, number, type};
    return watch->ncolumns++;
}

static void describe(TupleDesc desc, int column, const char *as, Oid type, int32 typmod, Oid collation)
{
    TupleDescInitEntry(desc, column + 1, as, type, typmod, 0);
    TupleDescInitEntryCollation(desc, column + 1, collation);
}

/* Described once per plan, as it depends on nothing else. */
static TupleDesc watched_row(const SweepSink *sink, int nkeys, int n)
{
    VdfSweep *sweep = sink->sweep;
    TupleDesc *kept = &sweep->watched[sink->look][nkeys > 0], desc;
    MemoryContext caller;
    char as[64];

    if (*kept != NULL)
        return *kept;
    caller = MemoryContextSwitchTo(sink->run->plan->context);
    desc = CreateTemplateTupleDesc(n);
    for (int i = 0; sink->look && i < sweep->nedges; i++)
        for (int c = 0; c < sweep->edges[i]->ncolumns; c++) {
            const SweepEdge *edge = sweep->edges[i];

            snprintf(as, sizeof(as), "vdf_f%d_%d", edge->edge, edge->pairs[c]);
            describe(desc, sink->references[i * VDF_KEY_COLUMNS + c], as, edge->declared[c], -1, edge->collations[c]);
        }
    for (int k = 0; k < nkeys; k++) {
        snprintf(as, sizeof(as), "vdf_k%d", k);
        describe(desc, sink->columns[k], as, sweep->keys[k].type, sweep->keys[k].typmod, sweep->keys[k].collation);
    }
    MemoryContextSwitchTo(caller);
    return *kept = desc;
}

static void row_is_gone(void *arg, TupleTableSlot *row)
{
    VDF_PLACE("row");
    vdf_sweep_row((VdfSink *) arg, row);
}

VdfKeyWatch *vdf_sweep_watch(SweepSink *sink)
{
    VdfSweep *sweep = sink->sweep;
    unsigned shape = sink->run->nodes[sink->node].shape;
    int nkeys = shape & VDF_KEYS ? sink->ncolumns : 0, n = nkeys;
    VdfKeyWatch *watch;

    if (sink->run->dry || (shape & VDF_TARGETS) || shape == 0 || (nkeys > 0 && sweep->nkeys != nkeys))
        return NULL;
    for (int i = 0; sink->look && i < sweep->nedges; i++)
        n += sweep->edges[i]->ncolumns;
    watch = (VdfKeyWatch *) palloc0(sizeof(VdfKeyWatch));
    watch->columns = (VdfWatchColumn *) palloc(sizeof(VdfWatchColumn) * n);
    watch->gone = row_is_gone;
    watch->arg = sink;
    for (int i = 0; sink->look && i < sweep->nedges; i++)
        for (int c = 0; c < sweep->edges[i]->ncolumns; c++) {
            const SweepEdge *edge = sweep->edges[i];

            sink->references[i * VDF_KEY_COLUMNS + c] = add_column(watch, edge->columns[c], edge->numbers[c], edge->declared[c]);
        }
    for (int k = 0; k < nkeys; k++)
        sink->columns[k] = add_column(watch, sweep->keys[k].name, sweep->keys[k].number, sweep->keys[k].type);
    sink->sink.desc = watched_row(sink, nkeys, n);
    watch->row = MakeSingleTupleTableSlot(sink->sink.desc, &TTSOpsVirtual);
    vdf_sweep_begin(sink, sink->sink.desc);
    return watch;
}

void vdf_sweep_watch_end(VdfKeyWatch *watch)
{
    ExecDropSingleTupleTableSlot(watch->row);
    pfree(watch->columns);
    pfree(watch);
}

/*
 * sweep_watch.cpp: the rows of a sweep as its scan had them. They look as RETURNING would give them.
 */
#include "ext/fault.h"
#include "ext/sweep.h"

static void add_column(VdfKeyWatch *watch, TupleDesc desc, const char *as, const char *name, AttrNumber number, Oid type,
                       int32 typmod, Oid collation)
{
    int n = watch->ncolumns++;

    watch->columns[n] = {name, number, type};
    TupleDescInitEntry(desc, n + 1, as, type, typmod, 0);
    TupleDescInitEntryCollation(desc, n + 1, collation);
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
    TupleDesc desc;
    char as[64];

    if (sink->run->dry || (shape & VDF_TARGETS) || shape == 0 || (nkeys > 0 && sweep->nkeys != nkeys))
        return NULL;
    for (int i = 0; sink->look && i < sweep->nedges; i++)
        n += sweep->edges[i]->ncolumns;
    watch = (VdfKeyWatch *) palloc0(sizeof(VdfKeyWatch));
    watch->columns = (VdfWatchColumn *) palloc(sizeof(VdfWatchColumn) * n);
    watch->gone = row_is_gone;
    watch->arg = sink;
    desc = CreateTemplateTupleDesc(n);
    for (int i = 0; sink->look && i < sweep->nedges; i++)
        for (int c = 0; c < sweep->edges[i]->ncolumns; c++) {
            const SweepEdge *edge = sweep->edges[i];

            snprintf(as, sizeof(as), "vdf_f%d_%d", edge->edge, edge->pairs[c]);
            add_column(watch, desc, as, edge->columns[c], edge->numbers[c], edge->declared[c], -1, edge->collations[c]);
        }
    for (int k = 0; k < nkeys; k++) {
        snprintf(as, sizeof(as), "vdf_k%d", k);
        add_column(watch, desc, as, sweep->keys[k].name, sweep->keys[k].number, sweep->keys[k].type, sweep->keys[k].typmod,
                   sweep->keys[k].collation);
    }
    watch->row = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
    sink->sink.desc = desc;
    vdf_sweep_start(&sink->sink, desc);
    return watch;
}

void vdf_sweep_watch_end(VdfKeyWatch *watch)
{
    ExecDropSingleTupleTableSlot(watch->row);
    pfree(watch->columns);
    pfree(watch);
}

#include "ext/key_watch.h"

static void fill(VdfKeyWatch *watch, TupleTableSlot *slot, const AttrNumber *numbers)
{
    TupleTableSlot *row = watch->row;

    ExecClearTuple(row);
    for (int i = 0; i < watch->ncolumns; i++) {
        slot_getsomeattrs(slot, numbers[i]);
        row->tts_values[i] = slot->tts_values[numbers[i] - 1];
        row->tts_isnull[i] = slot->tts_isnull[numbers[i] - 1];
    }
    ExecStoreVirtualTuple(row);
}

void vdf_key_watch_give(VdfKeyWatch *watch, EState *estate, TupleTableSlot *slot, const AttrNumber *numbers)
{
    watch->waiting = true;
    watch->processed = estate->es_processed;
    watch->slot = slot;
    watch->numbers = numbers;
}

void vdf_key_watch_change(VdfKeyWatch *watch, TupleTableSlot *slot, const AttrNumber *numbers)
{
    if (!watch->waiting)
        elog(ERROR, "a row changed that was not to be deleted");
    /* EvalPlanQual takes the version back before the row is counted. */
    fill(watch, slot, numbers);
    ExecMaterializeSlot(watch->row);
    watch->slot = NULL;
}

void vdf_key_watch_settle(VdfKeyWatch *watch, EState *estate)
{
    if (!watch->waiting)
        return;
    watch->waiting = false;
    if (estate->es_processed == watch->processed)
        return;
    if (estate->es_processed != watch->processed + 1)
        elog(ERROR, "more rows were deleted than a scan has given");
    if (watch->slot != NULL)
        fill(watch, watch->slot, watch->numbers);
    watch->rows++;
    watch->gone(watch->arg, watch->row);
}

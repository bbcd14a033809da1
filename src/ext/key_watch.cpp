#include "ext/key_watch.h"

#include "ext/report.h"

void vdf_refuse_column(Relation relation, const char *column)
{
    ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the schema or the policy changed during the deletion"),
                    errdetail("Column %s of table \"%s\" is not what it was. Nothing was changed.", quote_identifier(column),
                              RelationGetRelationName(relation)),
                    errhint("Run the statement again."), errtable(relation)));
}

/* Partitions may have the columns in other places, and the plan is older than the lock on the table. */
AttrNumber vdf_column_number(Relation relation, const char *column, AttrNumber number)
{
    TupleDesc desc = RelationGetDescr(relation);

    if (number <= 0 || number > desc->natts || TupleDescAttr(desc, number - 1)->attisdropped ||
        strcmp(NameStr(TupleDescAttr(desc, number - 1)->attname), column) != 0)
        number = get_attnum(RelationGetRelid(relation), column);
    if (number <= 0)
        vdf_refuse_column(relation, column);
    return number;
}

AttrNumber *vdf_key_watch_columns(const VdfKeyWatch *watch, Relation relation)
{
    AttrNumber *numbers = (AttrNumber *) palloc(sizeof(AttrNumber) * watch->ncolumns);

    for (int i = 0; i < watch->ncolumns; i++) {
        const VdfWatchColumn *column = &watch->columns[i];

        numbers[i] = vdf_column_number(relation, column->name, column->number);
        if (TupleDescAttr(RelationGetDescr(relation), numbers[i] - 1)->atttypid != column->type)
            vdf_refuse_column(relation, column->name);
    }
    return numbers;
}

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

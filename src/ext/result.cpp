/*
 * result.cpp: steps as rows of vedfolnir.step.
 */
#include "ext/report.h"
#include "ext/steps.h"

Oid vdf_step_type(void)
{
    return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("step"),
                           ObjectIdGetDatum(get_namespace_oid("vedfolnir", false)));
}

static void step_values(VdfStep *step, int number, Datum *values, bool *nulls)
{
    memset(nulls, 0, sizeof(bool) * 7);
    values[0] = Int32GetDatum(number);
    values[1] = CStringGetTextDatum(step->relation);
    nulls[2] = step->via == NULL;
    values[2] = step->via ? CStringGetTextDatum(step->via) : (Datum) 0;
    values[3] = CStringGetTextDatum(step->action);
    values[4] = Int64GetDatum((int64) step->rows);
    values[5] = Int64GetDatum((int64) step->collateral);
    nulls[6] = step->note == NULL;
    values[6] = step->note ? CStringGetTextDatum(step->note) : (Datum) 0;
}

void vdf_steps_return(FunctionCallInfo fcinfo, List *steps)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    ListCell *cell;
    int number = 0;

    InitMaterializedSRF(fcinfo, 0);
    foreach (cell, steps) {
        Datum values[7];
        bool nulls[7];

        step_values((VdfStep *) lfirst(cell), ++number, values, nulls);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

Datum vdf_steps_array(List *steps)
{
    Oid type = vdf_step_type();
    TupleDesc desc = lookup_rowtype_tupdesc_copy(type, -1);
    Datum *rows = (Datum *) palloc(sizeof(Datum) * (list_length(steps) + 1));
    ListCell *cell;
    int n = 0;

    foreach (cell, steps) {
        Datum values[7];
        bool nulls[7];

        step_values((VdfStep *) lfirst(cell), n + 1, values, nulls);
        rows[n++] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
    }
    return PointerGetDatum(construct_array(rows, n, type, -1, false, TYPALIGN_DOUBLE));
}

static char *text_of(HeapTupleHeader row, const char *column)
{
    bool isnull;
    Datum value = GetAttributeByName(row, column, &isnull);

    return isnull ? NULL : TextDatumGetCString(value);
}

List *vdf_steps_from_array(Datum array)
{
    Datum *rows;
    bool *nulls, isnull;
    int n;
    List *steps = NIL;

    deconstruct_array(DatumGetArrayTypeP(array), vdf_step_type(), -1, false, TYPALIGN_DOUBLE, &rows, &nulls, &n);
    for (int i = 0; i < n; i++) {
        HeapTupleHeader row = DatumGetHeapTupleHeader(rows[i]);
        VdfStep *step = (VdfStep *) palloc0(sizeof(VdfStep));

        step->relation = text_of(row, "relation");
        step->via = text_of(row, "via");
        step->action = text_of(row, "action");
        step->rows = DatumGetInt64(GetAttributeByName(row, "row_count", &isnull));
        step->collateral = DatumGetInt64(GetAttributeByName(row, "collateral", &isnull));
        step->note = text_of(row, "note");
        steps = lappend(steps, step);
    }
    return steps;
}

/*
 * queue_scope.cpp: the frame of the queue's entry points: SPI, the owner's identity, checks of arguments.
 */
#include "ext/pg.h"
#include "ext/queue_scope.h"

static Oid queue_owner(void)
{
    Oid relid = get_relname_relid("cleanup_task", get_namespace_oid("vedfolnir", false));
    HeapTuple tuple;
    Oid owner;

    if (!OidIsValid(relid))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"vedfolnir.cleanup_task\" does not exist")));
    tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for relation %u", relid);
    owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

void vdf_queue_enter(QueueScope *scope)
{
    Oid owner = queue_owner();

    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    GetUserIdAndSecContext(&scope->user, &scope->security_context);
    SetUserIdAndSecContext(owner, scope->security_context | SECURITY_LOCAL_USERID_CHANGE);
}

void vdf_queue_leave(const QueueScope *scope)
{
    SetUserIdAndSecContext(scope->user, scope->security_context);
    SPI_finish();
}

void vdf_queue_execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
    int code = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);

    if (code < 0)
        elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(code));
}

static void keep_plan(SPIPlanPtr *plan, const char *sql, int count, Oid *types)
{
    SPIPlanPtr made;

    if (*plan != NULL)
        return;
    made = SPI_prepare_cursor(sql, count, types, CURSOR_OPT_GENERIC_PLAN);
    if (made == NULL || SPI_keepplan(made) != 0)
        elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    *plan = made;
}

void vdf_queue_execute_kept(SPIPlanPtr *plan, const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
    int code;

    keep_plan(plan, sql, count, types);
    code = SPI_execute_plan(*plan, values, nulls, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
}

void vdf_queue_look(SPIPlanPtr *plan, const char *sql, int count, Oid *types, Datum *values)
{
    int code;

    keep_plan(plan, sql, count, types);
    code = SPI_execute_snapshot(*plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(code));
}

void vdf_queue_put_rows(FunctionCallInfo fcinfo)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    TupleDesc desc = SPI_tuptable->tupdesc;
    Datum *values = (Datum *) palloc(sizeof(Datum) * desc->natts);
    bool *nulls = (bool *) palloc(sizeof(bool) * desc->natts);

    for (uint64 i = 0; i < SPI_processed; i++) {
        heap_deform_tuple(SPI_tuptable->vals[i], desc, values, nulls);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

void vdf_queue_require_arguments(FunctionCallInfo fcinfo, int count)
{
    for (int i = 0; i < count; i++)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d must not be null", i + 1)));
}

void vdf_queue_lease_not_held(void)
{
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the lease of the task is not held by the caller")));
}

static int array_length(Datum array)
{
    ArrayType *value = DatumGetArrayTypeP(array);

    return ArrayGetNItems(ARR_NDIM(value), ARR_DIMS(value));
}

void vdf_queue_require_same_length(const Datum *arrays, int count)
{
    for (int i = 1; i < count; i++)
        if (array_length(arrays[i]) != array_length(arrays[0]))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("arrays must have the same length"),
                            errdetail("The first has %d elements, the number %d has %d.", array_length(arrays[0]), i + 1,
                                      array_length(arrays[i]))));
}

void vdf_queue_require_outcomes(Datum outcomes)
{
    Datum *items;
    bool *missing;
    int count;

    deconstruct_array(DatumGetArrayTypeP(outcomes), TEXTOID, -1, false, TYPALIGN_INT, &items, &missing, &count);
    for (int i = 0; i < count; i++) {
        char *outcome = missing[i] ? NULL : TextDatumGetCString(items[i]);

        if (outcome == NULL || (strcmp(outcome, "done") != 0 && strcmp(outcome, "skipped") != 0))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("outcome must be \"done\" or \"skipped\", not %s", outcome ? quote_literal_cstr(outcome) : "null")));
    }
}

void vdf_queue_require_lease(Datum lease)
{
    Interval *value = DatumGetIntervalP(lease);

    if (value->time + (value->day + (int64) value->month * DAYS_PER_MONTH) * USECS_PER_DAY <= 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("lease must be longer than zero")));
}

Datum vdf_queue_one_id(Datum id)
{
    return PointerGetDatum(construct_array(&id, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum vdf_queue_session_role(void)
{
    return CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
}

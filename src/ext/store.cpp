#include "ext/store.h"

#include "ext/execute.h"

/* vdf_store_owner looks the owner up each time: ALTER SCHEMA ... OWNER is rare, a stale answer is worse. */
Oid vdf_store_owner(void)
{
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(get_namespace_oid("vedfolnir", false)));
    Oid owner;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for schema vedfolnir");
    owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
    ReleaseSysCache(tuple);
    return owner;
}

void vdf_store_open(VdfStore *store)
{
    Oid owner = vdf_store_owner();

    GetUserIdAndSecContext(&store->user, &store->context);
    store->count = 0;
    store->memory = CurrentMemoryContext;
    SetUserIdAndSecContext(owner, store->context | SECURITY_LOCAL_USERID_CHANGE);
    /* No user code runs in here, so that the caller's path, and with it other people's operators, can be shut out. */
    store->path = vdf_set_path();
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    MemoryContextSwitchTo(store->memory);
}

uint64 vdf_store_run(VdfStore *store, const char *sql, int nargs, Oid *types, Datum *values, const char *nulls,
                     bool read_only)
{
    int result = SPI_execute_with_args(sql, nargs, types, values, nulls, read_only, 0);

    if (result < 0)
        elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
    store->count = SPI_processed;
    MemoryContextSwitchTo(store->memory); /* SPI leaves its own context behind */
    return SPI_processed;
}

Datum vdf_store_datum(VdfStore *store, uint64 row, int column, bool *isnull)
{
    if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
        elog(ERROR, "no row %llu in the result", (unsigned long long) row);
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

char *vdf_store_text(VdfStore *store, uint64 row, int column)
{
    if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
        elog(ERROR, "no row %llu in the result", (unsigned long long) row);
    return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

void vdf_store_close(VdfStore *store)
{
    SPI_finish();
    vdf_unset_path(store->path);
    SetUserIdAndSecContext(store->user, store->context);
}

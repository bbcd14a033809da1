#include "ext/store.h"

#include "ext/execute.h"
#include "ext/report.h"

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

/* Statements that were run before, by their text; parsing them again would cost a small deletion a tenth of its time. */
typedef struct KeptStatement
{
    uint32 hash;
    char *sql;
    int nargs;
    Oid *types; /* a type of the extension changes its OID with DROP and CREATE EXTENSION */
    SPIPlanPtr plan;
} KeptStatement;

#define KEPT_STATEMENTS 64

static KeptStatement kept[KEPT_STATEMENTS];
static int nkept = 0;

/* The kept plan of a statement with parameters; NULL when it is one too many. */
static SPIPlanPtr plan_of(const char *sql, int nargs, Oid *types)
{
    uint32 hash = DatumGetUInt32(hash_any((const unsigned char *) sql, strlen(sql)));
    SPIPlanPtr plan;

    for (int i = 0; i < nkept; i++)
        if (kept[i].hash == hash && kept[i].nargs == nargs && strcmp(kept[i].sql, sql) == 0 &&
            memcmp(kept[i].types, types, sizeof(Oid) * nargs) == 0)
            return kept[i].plan;
    if (nkept == KEPT_STATEMENTS)
        return NULL;
    plan = SPI_prepare(sql, nargs, types);
    if (plan == NULL || SPI_keepplan(plan) != 0)
        elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
    kept[nkept].sql = MemoryContextStrdup(TopMemoryContext, sql);
    kept[nkept].hash = hash;
    kept[nkept].nargs = nargs;
    kept[nkept].types = (Oid *) MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * nargs);
    memcpy(kept[nkept].types, types, sizeof(Oid) * nargs);
    kept[nkept++].plan = plan;
    return plan;
}

uint64 vdf_store_run(VdfStore *store, const char *sql, int nargs, Oid *types, Datum *values, const char *nulls,
                     bool read_only)
{
    SPIPlanPtr plan = nargs > 0 ? plan_of(sql, nargs, types) : NULL;
    int result = plan ? SPI_execute_plan(plan, values, nulls, read_only, 0)
                      : SPI_execute_with_args(sql, nargs, types, values, nulls, read_only, 0);

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

void vdf_store_require_rows(const char *table, uint64 wanted, uint64 written)
{
    if (written == wanted)
        return;
    ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                    errmsg("a trigger kept back %llu of %llu rows of vedfolnir.%s", (unsigned long long) (wanted - written),
                           (unsigned long long) wanted, table),
                    errdetail("Nothing was changed."), errhint("Drop the trigger, or let it return the row.")));
}

void vdf_store_refuse_rules(Relation table)
{
    for (int i = 0; table->rd_rules != NULL && i < table->rd_rules->numLocks; i++)
        if (table->rd_rules->rules[i]->event == CMD_INSERT && table->rd_rules->rules[i]->enabled != RULE_DISABLED)
            ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                            errmsg("a rule changes what is written to vedfolnir.%s", RelationGetRelationName(table)),
                            errdetail("Nothing was changed."), errhint("Drop or disable the rule.")));
}

void vdf_store_insert_row(VdfStore *store, const char *table, const char *sql, int nargs, Oid *types, Datum *values)
{
    Relation relation = table_open(get_relname_relid(table, get_namespace_oid("vedfolnir", false)), RowExclusiveLock);

    vdf_store_refuse_rules(relation);
    table_close(relation, NoLock);
    vdf_store_require_rows(table, 1, vdf_store_run(store, sql, nargs, types, values, NULL, false));
}

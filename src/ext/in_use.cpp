/*
 * in_use.cpp: does a row that stays still name a target? Asked right before the target is removed.
 * The application's tables are read as the owner of each, as everywhere in the extension.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/queue_scope.h"
#include "ext/report.h"

/* One clean-up rule, copied out of SPI: which expression over which relation gives targets. */
typedef struct Source
{
    Oid relation;
    char *kind;
    char *service;
    char *parsed;
} Source;

typedef struct SourceList
{
    Source *items;
    uint64 count;
} SourceList;

static SourceList read_sources(void)
{
    SourceList list;

    vdf_queue_execute("SELECT r.relation::pg_catalog.oid, r.kind, r.service, r.parsed FROM vedfolnir.cleanup_rule AS r "
                      "ORDER BY r.id",
                      0, NULL, NULL, NULL);
    list.count = SPI_processed;
    list.items = (Source *) palloc0(sizeof(Source) * (list.count + 1));
    for (uint64 i = 0; i < list.count; i++) {
        HeapTuple row = SPI_tuptable->vals[i];
        TupleDesc desc = SPI_tuptable->tupdesc;
        bool isnull;

        list.items[i].relation = DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull));
        list.items[i].kind = SPI_getvalue(row, desc, 2);
        list.items[i].service = SPI_getvalue(row, desc, 3);
        list.items[i].parsed = SPI_getvalue(row, desc, 4);
    }
    return list;
}

/*
 * Becomes the owner of the relation and gives "schema.name", or NULL if the relation is gone: then no row names
 * anything. SECURITY_NOFORCE_RLS: row security must not hide the row that keeps a file.
 */
static char *become_owner(Oid relation, int security_context)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    Form_pg_class form;
    char *name;

    if (!HeapTupleIsValid(tuple))
        return NULL;
    form = (Form_pg_class) GETSTRUCT(tuple);
    name = quote_qualified_identifier(get_namespace_name(form->relnamespace), NameStr(form->relname));
    SetUserIdAndSecContext(form->relowner,
                           security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    ReleaseSysCache(tuple);
    return name;
}

/* The text of a row's target, by functions that the owner of any table may call. */
static char *target_of_row(const Source *source)
{
    int size = strlen(source->parsed) * 8 + 1024;
    char *text = (char *) palloc(size);
    VdfError error;

    if (!vdf_normalised_sql(source->kind, source->parsed, text, size, &error))
        vdf_raise(&error);
    return psprintf("%s COLLATE pg_catalog.\"C\"", text);
}

/* Runs a query as the owner of the source's relation; %s of the form are the relation and the row's target. */
static void ask_source(const Source *source, const char *form, int count, Oid *types, Datum *values)
{
    Oid user;
    int security_context;
    char *relation;

    GetUserIdAndSecContext(&user, &security_context);
    relation = become_owner(source->relation, security_context);
    if (relation == NULL) {
        SPI_processed = 0;
        return;
    }
    vdf_queue_execute(psprintf(form, relation, target_of_row(source)), count, types, values, NULL);
    SetUserIdAndSecContext(user, security_context);
}

/* The leased tasks of one kind and service, as bigint[] and text[]; false if there are none. */
static bool leased_targets(Datum ids, Datum role, const Source *source, Datum *found)
{
    static const char sql[] =
        "SELECT pg_catalog.array_agg(t.id), pg_catalog.array_agg(vedfolnir.normalise_target(t.kind, t.target)) "
        "FROM vedfolnir.cleanup_task AS t WHERE t.id = ANY ($1) AND t.state = 'running' AND t.claimed_by = $2 "
        "AND t.lease_until > pg_catalog.clock_timestamp() AND t.shared AND t.target IS NOT NULL "
        "AND t.kind = $3 AND t.service = $4";
    static SPIPlanPtr plan;
    Oid types[] = {INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[] = {ids, role, CStringGetTextDatum(source->kind), CStringGetTextDatum(source->service)};
    bool isnull;

    vdf_queue_execute_kept(&plan, sql, 4, types, values, NULL);
    for (int i = 0; i < 2; i++) {
        found[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
        if (isnull)
            return false;
    }
    return true;
}

VDF_FUNCTION(vedfolnir_targets_in_use)
{
    static const char form[] =
        "SELECT vdf_task.id FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS vdf_task(id, target) WHERE EXISTS (SELECT 1 FROM %s AS "
        "c WHERE %s OPERATOR(pg_catalog.=) vdf_task.target COLLATE pg_catalog.\"C\")";
    Oid types[] = {INT8ARRAYOID, TEXTARRAYOID};
    Datum role;
    QueueScope scope;
    SourceList sources;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 1);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    role = vdf_queue_session_role();
    vdf_queue_enter(&scope);
    sources = read_sources();
    for (uint64 i = 0; i < sources.count; i++) {
        Datum values[2];

        CHECK_FOR_INTERRUPTS();
        if (!leased_targets(PG_GETARG_DATUM(0), role, &sources.items[i], values))
            continue;
        ask_source(&sources.items[i], form, 2, types, values);
        vdf_queue_put_rows(fcinfo);
    }
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

/*
 * For a directory task: which paths below it are named by a row that stays. A path is also kept if a row names a
 * directory above it, unless that directory is the task's own and rows that stay are expected to name it.
 */
VDF_FUNCTION(vedfolnir_paths_in_use)
{
    static const char task_sql[] =
        "SELECT t.service, vedfolnir.normalise_target(t.kind, t.target), t.shared FROM vedfolnir.cleanup_task AS t "
        "WHERE t.id = $1 AND t.fence = $2 AND t.state = 'running' AND t.claimed_by = $3 AND t.kind = 'directory' "
        "AND t.lease_until > pg_catalog.clock_timestamp()";
    static const char file_form[] =
        "SELECT vdf_path.path FROM pg_catalog.unnest($1) AS vdf_path(path) WHERE pg_catalog.starts_with(vdf_path.path, "
        "$2 OPERATOR(pg_catalog.||) '/') AND $3 IS NOT NULL AND EXISTS (SELECT 1 FROM %s AS c WHERE %s "
        "OPERATOR(pg_catalog.=) vdf_path.path COLLATE pg_catalog.\"C\")";
    static const char directory_form[] =
        "SELECT DISTINCT vdf_path.path FROM (SELECT DISTINCT vdf_named.target FROM %s AS c, "
        "LATERAL (SELECT %s) AS vdf_named(target)) AS vdf_kept, pg_catalog.unnest($1) AS vdf_path(path) "
        "WHERE pg_catalog.starts_with(vdf_path.path, $2 OPERATOR(pg_catalog.||) '/') "
        "AND (vdf_kept.target OPERATOR(pg_catalog.=) vdf_path.path COLLATE pg_catalog.\"C\" "
        "OR pg_catalog.starts_with(vdf_path.path, vdf_kept.target OPERATOR(pg_catalog.||) '/')) "
        "AND ($3 OR vdf_kept.target OPERATOR(pg_catalog.<>) $2 COLLATE pg_catalog.\"C\")";
    Oid task_types[] = {INT8OID, INT8OID, TEXTOID};
    Oid types[] = {TEXTARRAYOID, TEXTOID, BOOLOID};
    Datum task_values[3];
    Datum values[3];
    QueueScope scope;
    SourceList sources;
    char *service;
    bool isnull;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    task_values[0] = PG_GETARG_DATUM(0);
    task_values[1] = PG_GETARG_DATUM(1);
    task_values[2] = vdf_queue_session_role();
    vdf_queue_enter(&scope);
    vdf_queue_execute(task_sql, 3, task_types, task_values, NULL);
    if (SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the lease of the task is not held by the caller")));
    service = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    values[0] = PG_GETARG_DATUM(2);
    values[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
    values[2] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull);
    sources = read_sources();
    for (uint64 i = 0; i < sources.count; i++) {
        const Source *source = &sources.items[i];
        bool is_directory = strcmp(source->kind, "directory") == 0;

        CHECK_FOR_INTERRUPTS();
        if (strcmp(source->service, service) != 0 || (!is_directory && strcmp(source->kind, "file") != 0))
            continue;
        ask_source(source, is_directory ? directory_form : file_form, 3, types, values);
        vdf_queue_put_rows(fcinfo);
    }
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

VDF_FUNCTION(vedfolnir_cleanup_sources)
{
    QueueScope scope;

    vdf_require_duty("worker");
    InitMaterializedSRF(fcinfo, 0);
    vdf_queue_enter(&scope);
    vdf_queue_execute("SELECT DISTINCT pg_catalog.quote_ident(r.relation_schema) || '.' || "
                      "pg_catalog.quote_ident(r.relation_name), r.kind, r.service FROM vedfolnir.cleanup_rule AS r "
                      "ORDER BY 1, 2, 3",
                      0, NULL, NULL, NULL);
    vdf_queue_put_rows(fcinfo);
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

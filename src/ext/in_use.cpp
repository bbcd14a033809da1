/*
 * in_use.cpp: does a row that stays still name a target? Asked right before the target is removed.
 * The application's tables are read as the owner of each, as everywhere in the extension.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/error_context.h"
#include "ext/own_row.h"
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

/*
 * Runs a query as the owner of the source's relation. The form names, in this order, the key of a row if one is given, the
 * relation and the row's target.
 */
static void ask_source(const Source *source, const char *form, const char *key, int count, Oid *types, Datum *values)
{
    Oid user;
    int security_context;
    char *relation, *target = target_of_row(source);
    VdfValueContext context;

    GetUserIdAndSecContext(&user, &security_context);
    relation = become_owner(source->relation, security_context);
    if (relation == NULL) {
        SPI_processed = 0;
        return;
    }
    vdf_value_context_push(&context, source->relation);
    vdf_queue_execute(key ? psprintf(form, key, relation, target) : psprintf(form, relation, target), count, types, values, NULL);
    vdf_value_context_pop(&context);
    SetUserIdAndSecContext(user, security_context);
}

/* A leased task and whose tombstone may go on naming its target. */
typedef struct OwnTask
{
    int64 id;
    Datum target;
    VdfTombstone *tombstone;
} OwnTask;

static int compare_ids(const void *a, const void *b)
{
    int64 left = ((const OwnTask *) a)->id, right = ((const OwnTask *) b)->id;

    return left < right ? -1 : left > right;
}

/*
 * The rows in SPI_tuptable are what is asked for, the key of a row and the target that it names: the first column goes to
 * the result unless the row is a tombstone that does not keep it. With tasks, the first column is the id of one of them.
 */
static void put_unless_own(FunctionCallInfo fcinfo, const Source *source, const OwnTask *tasks, int ntasks, const VdfTombstone *tombstone)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    SPITupleTable *found = SPI_tuptable;
    uint64 n = SPI_processed;

    for (uint64 i = 0; i < n; i++) {
        bool isnull, nokey, nulls[1] = {false};
        Datum value = SPI_getbinval(found->vals[i], found->tupdesc, 1, &isnull);
        Datum key = SPI_getbinval(found->vals[i], found->tupdesc, 2, &nokey);
        Datum target = SPI_getbinval(found->vals[i], found->tupdesc, 3, &isnull);

        if (tasks != NULL) {
            OwnTask wanted;

            wanted.id = DatumGetInt64(value);
            tombstone = ((const OwnTask *) bsearch(&wanted, tasks, ntasks, sizeof(OwnTask), compare_ids))->tombstone;
        }
        if (vdf_tombstone_keeps(tombstone, key, nokey, source->kind, source->service, target))
            tuplestore_putvalues(result->setResult, result->setDesc, &value, nulls);
    }
}

#define LEASED_BY_CALLER                                                                                                         \
    "t.id = ANY ($1) AND t.state = 'running' AND t.claimed_by = $2 AND t.lease_until > pg_catalog.clock_timestamp() "             \
    "AND t.target IS NOT NULL AND t.kind = $3 AND t.service = $4 "

/* The leased tasks of one kind and service. */
typedef struct Leased
{
    bool any;       /* that any row may keep */
    Datum found[2]; /* bigint[] and text[]: those */
    bool own;       /* and some that the rows of the person themselves do not keep */
} Leased;

static Leased leased_targets(Datum ids, Datum role, const Source *source)
{
    static const char sql[] =
        "SELECT pg_catalog.array_agg(t.id) FILTER (WHERE t.shared), "
        "pg_catalog.array_agg(vedfolnir.normalise_target(t.kind, t.target)) FILTER (WHERE t.shared), "
        "pg_catalog.count(*) FILTER (WHERE NOT t.shared) > 0 FROM vedfolnir.cleanup_task AS t WHERE " LEASED_BY_CALLER;
    static SPIPlanPtr plan;
    Oid types[] = {INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[] = {ids, role, CStringGetTextDatum(source->kind), CStringGetTextDatum(source->service)};
    Leased leased;
    bool isnull;

    vdf_queue_execute_kept(&plan, sql, 4, types, values, NULL);
    for (int i = 0; i < 2; i++) {
        leased.found[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
        leased.any = !isnull;
    }
    leased.own = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull));
    return leased;
}

/* In the order of subjects and ids. */
static OwnTask *own_tasks(Datum ids, Datum role, const Source *source, int *count)
{
    static const char sql[] =
        "SELECT t.id, vedfolnir.normalise_target(t.kind, t.target), d.subject, d.pseudonym, d.key_id, s.relation::pg_catalog.oid, "
        "s.key_column FROM vedfolnir.cleanup_task AS t JOIN vedfolnir.deletion AS d ON d.id = t.deletion_id AND d.mode = 'tombstone' "
        "LEFT JOIN vedfolnir.subject AS s ON s.subject = d.subject "
        "WHERE " LEASED_BY_CALLER "AND NOT t.shared ORDER BY d.subject, t.id";
    Oid types[] = {INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[] = {ids, role, CStringGetTextDatum(source->kind), CStringGetTextDatum(source->service)};
    OwnTask *tasks;

    vdf_queue_execute(sql, 4, types, values, NULL);
    *count = (int) SPI_processed;
    tasks = (OwnTask *) palloc(sizeof(OwnTask) * (*count + 1));
    for (int i = 0; i < *count; i++) {
        HeapTuple row = SPI_tuptable->vals[i];
        TupleDesc desc = SPI_tuptable->tupdesc;
        bool isnull;

        tasks[i].id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
        tasks[i].target = SPI_getbinval(row, desc, 2, &isnull);
        tasks[i].tombstone = vdf_tombstone_read(row, desc, 3);
    }
    return tasks;
}

/* Tasks of people of one subject; one query for all of them. */
static void ask_of_subject(FunctionCallInfo fcinfo, const Source *source, const OwnTask *tasks, int n)
{
    static const char form[] =
        "SELECT DISTINCT vdf_task.id, %s, vdf_task.target FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS vdf_task(id, target) "
        "JOIN %s AS c ON %s OPERATOR(pg_catalog.=) vdf_task.target COLLATE pg_catalog.\"C\" WHERE $3 IS NOT NULL";
    Oid types[] = {INT8ARRAYOID, TEXTARRAYOID, OIDARRAYOID};
    Datum values[3];
    Datum *ids = (Datum *) palloc(sizeof(Datum) * n), *targets = (Datum *) palloc(sizeof(Datum) * n);

    for (int i = 0; i < n; i++) {
        ids[i] = Int64GetDatum(tasks[i].id);
        targets[i] = tasks[i].target;
    }
    values[0] = PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    values[1] = PointerGetDatum(construct_array(targets, n, TEXTOID, -1, false, TYPALIGN_INT));
    values[2] = vdf_tombstone_tables(tasks[0].tombstone);
    ask_source(source, form, vdf_tombstone_key(tasks[0].tombstone, source->relation, 3), 3, types, values);
    put_unless_own(fcinfo, source, tasks, n, NULL);
}

/*
 * Targets that the row of a tombstone queued: that row goes on naming them, so another one must. The sessions of a person
 * who stays are ended although rows name them.
 */
static void ask_of_tombstones(FunctionCallInfo fcinfo, Datum ids, Datum role, const Source *source)
{
    int n;
    OwnTask *tasks = own_tasks(ids, role, source, &n);

    for (int first = 0, next; first < n; first = next) {
        CHECK_FOR_INTERRUPTS();
        for (next = first + 1; next < n && strcmp(tasks[next].tombstone->subject, tasks[first].tombstone->subject) == 0;)
            next++;
        ask_of_subject(fcinfo, source, tasks + first, next - first);
    }
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
        Leased leased;

        CHECK_FOR_INTERRUPTS();
        leased = leased_targets(PG_GETARG_DATUM(0), role, &sources.items[i]);
        if (leased.any) {
            ask_source(&sources.items[i], form, NULL, 2, types, leased.found);
            vdf_queue_put_rows(fcinfo);
        }
        if (leased.own)
            ask_of_tombstones(fcinfo, PG_GETARG_DATUM(0), role, &sources.items[i]);
    }
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

/* A directory task whose lease the caller holds. */
typedef struct LeasedDirectory
{
    char *service;
    Datum path;
    Datum shared;
    VdfTombstone *tombstone; /* whose row does not keep what is in it; may be NULL */
} LeasedDirectory;

static LeasedDirectory leased_directory(Datum id, Datum fence)
{
    static const char sql[] =
        "SELECT t.service, vedfolnir.normalise_target(t.kind, t.target), t.shared, NOT t.shared AND d.mode = 'tombstone', d.subject, "
        "d.pseudonym, d.key_id, s.relation::pg_catalog.oid, s.key_column FROM vedfolnir.cleanup_task AS t "
        "LEFT JOIN vedfolnir.deletion AS d ON d.id = t.deletion_id LEFT JOIN vedfolnir.subject AS s ON s.subject = d.subject "
        "WHERE t.id = $1 AND t.fence = $2 AND t.state = 'running' AND t.claimed_by = $3 AND t.kind = 'directory' "
        "AND t.lease_until > pg_catalog.clock_timestamp()";
    Oid types[] = {INT8OID, INT8OID, TEXTOID};
    Datum values[] = {id, fence, vdf_queue_session_role()};
    LeasedDirectory directory;
    HeapTuple row;
    TupleDesc desc;
    bool isnull, own;

    vdf_queue_execute(sql, 3, types, values, NULL);
    if (SPI_processed != 1)
        vdf_queue_lease_not_held();
    row = SPI_tuptable->vals[0];
    desc = SPI_tuptable->tupdesc;
    directory.service = SPI_getvalue(row, desc, 1);
    directory.path = SPI_getbinval(row, desc, 2, &isnull);
    directory.shared = SPI_getbinval(row, desc, 3, &isnull);
    own = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull)) && !isnull;
    directory.tombstone = own ? vdf_tombstone_read(row, desc, 5) : NULL;
    return directory;
}

#define BELOW_DIRECTORY "pg_catalog.starts_with(vdf_path.path, $2 OPERATOR(pg_catalog.||) '/') "
#define NAMES_PATH_OR_ABOVE                                                                                                      \
    "(vdf_kept.target OPERATOR(pg_catalog.=) vdf_path.path COLLATE pg_catalog.\"C\" "                                            \
    "OR pg_catalog.starts_with(vdf_path.path, vdf_kept.target OPERATOR(pg_catalog.||) '/')) "

/*
 * For a directory task: which paths below it are named by a row that stays. A path is also kept if a row names a
 * directory above it, unless that directory is the task's own and rows that stay are expected to name it: of a tombstone
 * its own row, of a person who stays any.
 */
VDF_FUNCTION(vedfolnir_paths_in_use)
{
    static const char file_form[] =
        "SELECT vdf_path.path FROM pg_catalog.unnest($1) AS vdf_path(path) WHERE " BELOW_DIRECTORY
        "AND $3 IS NOT NULL AND EXISTS (SELECT 1 FROM %s AS c WHERE %s "
        "OPERATOR(pg_catalog.=) vdf_path.path COLLATE pg_catalog.\"C\")";
    static const char own_file_form[] =
        "SELECT DISTINCT vdf_path.path, %s, vdf_path.path FROM pg_catalog.unnest($1) AS vdf_path(path) JOIN %s AS c ON %s "
        "OPERATOR(pg_catalog.=) vdf_path.path COLLATE pg_catalog.\"C\" WHERE " BELOW_DIRECTORY "AND $3 IS NOT NULL AND $4 IS NOT NULL";
    static const char directory_form[] =
        "SELECT DISTINCT vdf_path.path FROM (SELECT DISTINCT vdf_named.target FROM %s AS c, "
        "LATERAL (SELECT %s) AS vdf_named(target)) AS vdf_kept, pg_catalog.unnest($1) AS vdf_path(path) "
        "WHERE " BELOW_DIRECTORY "AND " NAMES_PATH_OR_ABOVE
        "AND ($3 OR vdf_kept.target OPERATOR(pg_catalog.<>) $2 COLLATE pg_catalog.\"C\")";
    static const char own_directory_form[] =
        "SELECT DISTINCT vdf_path.path, vdf_kept.key, vdf_kept.target FROM (SELECT DISTINCT %s AS key, vdf_named.target FROM %s AS c, "
        "LATERAL (SELECT %s) AS vdf_named(target)) AS vdf_kept, pg_catalog.unnest($1) AS vdf_path(path) "
        "WHERE " BELOW_DIRECTORY "AND " NAMES_PATH_OR_ABOVE "AND $3 IS NOT NULL AND $4 IS NOT NULL";
    Oid types[] = {TEXTARRAYOID, TEXTOID, BOOLOID, OIDARRAYOID};
    Datum values[4];
    QueueScope scope;
    SourceList sources;
    LeasedDirectory directory;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    vdf_queue_enter(&scope);
    directory = leased_directory(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
    values[0] = PG_GETARG_DATUM(2);
    values[1] = directory.path;
    values[2] = directory.shared;
    values[3] = directory.tombstone ? vdf_tombstone_tables(directory.tombstone) : (Datum) 0;
    sources = read_sources();
    for (uint64 i = 0; i < sources.count; i++) {
        const Source *source = &sources.items[i];
        bool is_directory = strcmp(source->kind, "directory") == 0;

        CHECK_FOR_INTERRUPTS();
        if (strcmp(source->service, directory.service) != 0 || (!is_directory && strcmp(source->kind, "file") != 0))
            continue;
        if (directory.tombstone != NULL) {
            ask_source(source, is_directory ? own_directory_form : own_file_form,
                       vdf_tombstone_key(directory.tombstone, source->relation, 4), 4, types, values);
            put_unless_own(fcinfo, source, NULL, 0, directory.tombstone);
        } else {
            ask_source(source, is_directory ? directory_form : file_form, NULL, 3, types, values);
            vdf_queue_put_rows(fcinfo);
        }
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

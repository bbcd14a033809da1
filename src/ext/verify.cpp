/*
 * verify.cpp: what is left of a person.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/evidence.h"
#include "ext/execute.h"
#include "ext/report.h"
#include "ext/run.h"
#include "ext/running.h"
#include "ext/store.h"
#include "ext/work.h"

typedef struct Verification
{
    VdfDeletionPlan *plan;
    VdfExecutor executor;
    Datum key;
    ReturnSetInfo *result;
} Verification;

static void put(Verification *v, const char *kind, const char *relation, const char *via, uint64 rows, const char *note)
{
    Datum values[5];
    bool nulls[5] = {false, false, via == NULL, false, note == NULL};

    values[0] = CStringGetTextDatum(kind);
    values[1] = CStringGetTextDatum(relation);
    values[2] = via ? CStringGetTextDatum(via) : (Datum) 0;
    values[3] = Int64GetDatum((int64) rows);
    values[4] = note ? CStringGetTextDatum(note) : (Datum) 0;
    tuplestore_putvalues(v->result->setResult, v->result->setDesc, values, nulls);
}

typedef struct CountSink
{
    VdfSink sink;
    uint64 count;
} CountSink;

static void count_row(VdfSink *sink, TupleTableSlot *slot)
{
    slot_getallattrs(slot);
    ((CountSink *) sink)->count = (uint64) DatumGetInt64(slot->tts_values[0]);
}

static uint64 count(Verification *v, VdfSql kind, int edge, bool with_key, VdfKeys *referring)
{
    VdfStatement statement;
    CountSink s;

    vdf_sink_init(&s.sink, NULL, count_row);
    s.count = 0;
    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(v->plan, kind, edge, 0, 0, NULL, &statement.cache);
    statement.cache = NULL;
    statement.owner = v->plan->edges[edge].owner;
    statement.sink = &s.sink;
    if (referring != NULL) {
        statement.owner = vdf_relation_owner(v->plan->edges[edge].parent_relation);
        vdf_statement_input(&statement, "vdf_a", referring);
    }
    if (with_key) {
        statement.nparams = 1;
        statement.types = &v->plan->key_type;
        statement.values = &v->key;
    }
    (void) vdf_execute(&v->executor, &statement);
    return s.count;
}

/* Is the root row there? */
static bool root_exists(Verification *v)
{
    VdfStatement statement;

    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(v->plan, VDF_SQL_FIND_ROOT, -1, 0, 0, NULL, &statement.cache);
    statement.owner = v->plan->nodes[v->plan->graph.root].owner;
    statement.nparams = 1;
    statement.types = &v->plan->key_type;
    statement.values = &v->key;
    return vdf_execute(&v->executor, &statement) > 0;
}

/* Rows that still refer to the key, by edge. */
static void verify_references(Verification *v, bool root)
{
    VdfDeletionPlan *plan = v->plan;

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];
        bool retained;
        uint64 rows;

        if (!plan->edges[i].on_key || e->blocker != NULL)
            continue;
        rows = count(v, VDF_SQL_COUNT_KEY, i, true, NULL);
        if (rows == 0)
            continue;
        retained = vdf_action(plan, i) == VDF_ACTION_RETAIN;
        put(v, retained ? "retained" : "row", e->display, e->name, rows,
            retained ? (plan->edges[i].reason ? plan->edges[i].reason : "kept by policy") : "still refers to the key");
    }
}

/* Part of a composite key is NULL, so the row refers to nobody (MATCH SIMPLE) and no deletion reaches it; the key is in it all the same. */
static void verify_partial(Verification *v)
{
    VdfDeletionPlan *plan = v->plan;

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];
        StringInfoData others;
        const VdfPair *key = NULL;
        VdfStatement statement;
        uint64 rows;

        initStringInfo(&others);
        for (int j = 0; j < e->npairs && e->npairs > 1 && e->parent == plan->graph.root; j++)
            if (strcmp(e->pairs[j].parent_column, plan->graph.key_column) == 0)
                key = &e->pairs[j];
            else
                appendStringInfo(&others, "%sc.%s IS NULL", others.len ? " OR " : "", e->pairs[j].child);
        if (key == NULL || !key->child_is_column)
            continue;
        memset(&statement, 0, sizeof(statement));
        statement.sql = psprintf("SELECT FROM %s c WHERE $1%s %s c.%s%s AND (%s)", e->from, key->parent_cast, key->op, key->child,
                                 key->child_cast, others.data);
        statement.owner = plan->edges[i].owner;
        statement.nparams = 1;
        statement.types = &plan->key_type;
        statement.values = &v->key;
        rows = vdf_execute(&v->executor, &statement);
        if (rows > 0)
            put(v, "retained", e->display, e->name, rows, "part of the reference is NULL: it refers to nobody (MATCH SIMPLE)");
    }
}

static uint64 count_dangling(Verification *v, int edge)
{
    VdfStatement statement;
    VdfKeys referring;
    VdfRun run;
    uint64 rows;

    memset(&run, 0, sizeof(run));
    run.plan = v->plan;
    run.context = CurrentMemoryContext;
    run.executor = v->executor;
    memset(&referring, 0, sizeof(referring));
    vdf_statement_of(&run, &statement, VDF_SQL_FIND_REFERRING, edge, 0, v->plan->edges[edge].owner);
    statement.cache = NULL;
    vdf_collect(&run, &statement, &referring);
    rows = referring.count > 0 ? count(v, VDF_SQL_COUNT_DANGLING, edge, false, &referring) : 0;
    vdf_keys_free(&referring);
    return rows;
}

static void verify_dangling(Verification *v)
{
    for (int i = 0; i < v->plan->graph.nedges; i++) {
        const VdfEdge *e = &v->plan->graph.edges[i];
        uint64 rows;

        if (e->npairs == 0 || vdf_action(v->plan, i) == VDF_ACTION_RETAIN)
            continue;
        rows = count_dangling(v, i);
        if (rows > 0)
            put(v, "dangling", e->display, e->name, rows, psprintf("refers to a row of %s that does not exist", vdf_relation_name(v->plan->edges[i].parent_relation)));
    }
}

/* Open and dead tasks of every deletion of this person. */
static void verify_tasks(Verification *v, const char *subject, const char *key)
{
    VdfStore store;
    Oid types[1] = {BYTEAARRAYOID};
    Datum values[1];

    if (!vdf_pseudonyms(subject, key, &values[0]))
        return;
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "SELECT t.kind, t.service, pg_catalog.count(*), pg_catalog.string_agg(DISTINCT t.state, ', ' ORDER BY t.state), "
                  "pg_catalog.ceil(EXTRACT(epoch FROM pg_catalog.min(t.run_after) FILTER (WHERE t.state OPERATOR(pg_catalog.=) 'retryable') "
                  "OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp())) "
                  "FROM vedfolnir.cleanup_task t JOIN vedfolnir.deletion d ON d.id OPERATOR(pg_catalog.=) t.deletion_id "
                  "WHERE d.pseudonym OPERATOR(pg_catalog.=) ANY ($1) "
                  "AND (t.open OR (t.given_up AND t.state OPERATOR(pg_catalog.=) 'dead')) "
                  "GROUP BY t.kind, t.service ORDER BY t.kind, t.service",
                  1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        bool isnull;
        char *wait = vdf_store_text(&store, i, 5);

        put(v, "task", vdf_store_text(&store, i, 1), vdf_store_text(&store, i, 2),
            (uint64) DatumGetInt64(vdf_store_datum(&store, i, 3, &isnull)),
            wait && wait[0] != '-' ? psprintf("%s: next try in %s s", vdf_store_text(&store, i, 4), wait)
                                   : vdf_store_text(&store, i, 4));
    }
    vdf_store_close(&store);
}

/* Batches may have deleted some of the person's rows already. */
static char *note_root(Verification *v, const char *subject)
{
    VdfRunning *running = vdf_running_people(subject, v->plan, &v->key, 1);

    if (running == NULL || !running[0].found)
        return pstrdup("the root row is there");
    return psprintf("the root row is there; deletion %s is running", vdf_uuid_text(&running[0].id));
}

static Datum verify(FunctionCallInfo fcinfo, char *key)
{
    Verification v;
    char *subject;
    bool root;

    if (PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("subject must not be null")));
    subject = pstrdup(NameStr(*PG_GETARG_NAME(1)));
    memset(&v, 0, sizeof(v));
    v.plan = vdf_plan_for(subject);
    vdf_require_look(v.plan);
    v.key = vdf_key_datum(v.plan, key);
    InitMaterializedSRF(fcinfo, 0);
    v.result = (ReturnSetInfo *) fcinfo->resultinfo;
    vdf_executor_begin(&v.executor, true);
    root = root_exists(&v);
    if (root && v.plan->configuration->tombstone)
        put(&v, "retained", v.plan->graph.nodes[v.plan->graph.root].display, NULL, 1, "the row is kept as a tombstone");
    else if (root)
        put(&v, "row", v.plan->graph.nodes[v.plan->graph.root].display, NULL, 1, note_root(&v, subject));
    verify_references(&v, root);
    verify_partial(&v);
    verify_dangling(&v);
    verify_tasks(&v, subject, vdf_key_canonical(v.plan, v.key));
    vdf_executor_end(&v.executor);
    vdf_plan_release(v.plan);
    return (Datum) 0;
}

static void require_key(FunctionCallInfo fcinfo, const char *name)
{
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/* vedfolnir_verify_user(user_id bigint, subject name): 22004, 22P02, 22003, 42501, 42704. */
VDF_FUNCTION(vedfolnir_verify_user_bigint)
{
    require_key(fcinfo, "user_id");
    return verify(fcinfo, psprintf(INT64_FORMAT, PG_GETARG_INT64(0)));
}

VDF_FUNCTION(vedfolnir_verify_user_uuid)
{
    require_key(fcinfo, "user_uuid");
    return verify(fcinfo, DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0))));
}

VDF_FUNCTION(vedfolnir_verify_user_text)
{
    require_key(fcinfo, "user_key");
    return verify(fcinfo, text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

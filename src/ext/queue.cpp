/*
 * queue.cpp: entry points of the queue: claim, settle, retry, give up.
 * Each checks the duty of the caller and then works by SPI as the owner of vedfolnir.cleanup_task.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/queue.h"
#include "ext/queue_scope.h"

/*
 * Identities are deleted and webhooks sent when all else of the person is done. While batches are under way that is not
 * so, whatever tasks there are yet: these phases wait for the last transaction. Sessions and files of rows that are gone
 * need not wait.
 */
#define LAST_PHASES "4"

/* Joins q(id, fence) with the tasks that are still held. Written so that the planner does not take the few running
 * tasks for one row and compare each with each. */
#define HELD_BY_CALLER                                                                                               \
    "WHERE t.id = ANY ($1) AND t.id = q.id AND CASE WHEN t.state = 'running' THEN t.fence END = q.fence"

enum
{
    PHASE_COUNT = 5,
    BATCH_MAX = 10000
};

/* Locks the deletions of the tasks in one order: two workers that settle the last two tasks of a deletion at
 * the same time would otherwise both see the other's task as open. Gives the ids as uuid[]. */
static Datum lock_deletions(Datum task_ids)
{
    static const char sql[] = "SELECT pg_catalog.array_agg(d.id) FROM (SELECT d.id FROM vedfolnir.deletion AS d "
                              "WHERE d.id IN (SELECT t.deletion_id FROM vedfolnir.cleanup_task AS t "
                              "WHERE t.id = ANY ($1)) ORDER BY d.id FOR NO KEY UPDATE) AS d";
    Oid types[] = {INT8ARRAYOID};
    Datum values[] = {task_ids};
    bool isnull;
    Datum ids;

    vdf_queue_execute(sql, 1, types, values, NULL);
    ids = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    if (isnull)
        return PointerGetDatum(construct_empty_array(UUIDOID));
    return PointerGetDatum(DatumGetArrayTypePCopy(ids));
}

/* If these were the last open tasks of their phase: wake the workers that wait for the next one. */
static void notify_next_phase(Datum task_ids)
{
    static const char sql[] =
        "SELECT pg_catalog.pg_notify('vedfolnir_cleanup', '') "
        "WHERE pg_catalog.current_setting('vedfolnir.notify', true) IS DISTINCT FROM 'off' AND EXISTS (SELECT 1 FROM ("
        "SELECT t.deletion_id, pg_catalog.max(t.phase) AS phase FROM vedfolnir.cleanup_task AS t WHERE t.id = ANY ($1) "
        "GROUP BY t.deletion_id) AS s, LATERAL (SELECT o.phase FROM vedfolnir.cleanup_task AS o "
        "WHERE o.deletion_id = s.deletion_id AND o.open ORDER BY o.phase LIMIT 1) AS f "
        "WHERE f.phase > s.phase)";
    Oid types[] = {INT8ARRAYOID};
    Datum values[] = {task_ids};

    vdf_queue_execute(sql, 1, types, values, NULL);
}

/* Operators are qualified: a deletion calls this under the search_path of its caller. */
void vdf_settle_deletions(Datum deletion_ids)
{
    static const char sql[] =
        "UPDATE vedfolnir.deletion AS d SET state = s.state, completed_at = CASE WHEN s.state OPERATOR(pg_catalog.=) "
        "ANY (ARRAY['complete', 'closed']) THEN pg_catalog.clock_timestamp() END "
        "FROM (SELECT i.id, CASE "
        "WHEN EXISTS (SELECT 1 FROM vedfolnir.cleanup_task AS t WHERE t.deletion_id OPERATOR(pg_catalog.=) i.id "
        "AND t.given_up AND t.state OPERATOR(pg_catalog.=) 'dead') THEN 'attention' "
        "WHEN EXISTS (SELECT 1 FROM vedfolnir.cleanup_task AS t WHERE t.deletion_id OPERATOR(pg_catalog.=) i.id "
        "AND t.open) THEN 'pending' "
        "WHEN EXISTS (SELECT 1 FROM vedfolnir.cleanup_task AS t WHERE t.deletion_id OPERATOR(pg_catalog.=) i.id "
        "AND t.given_up AND t.state OPERATOR(pg_catalog.=) 'abandoned') THEN 'closed' ELSE 'complete' END AS state "
        "FROM pg_catalog.unnest($1) AS i(id)) AS s "
        "WHERE d.id OPERATOR(pg_catalog.=) s.id AND d.state OPERATOR(pg_catalog.<>) 'running' "
        "AND d.state OPERATOR(pg_catalog.<>) s.state";
    Oid types[] = {UUIDARRAYOID};
    Datum values[] = {deletion_ids};

    vdf_queue_execute(sql, 1, types, values, NULL);
}

/* Gives the services that have open tasks, as text[]. */
static ArrayType *services_with_open_tasks(void)
{
    bool isnull;
    Datum names;

    vdf_queue_execute("SELECT pg_catalog.array_agg(DISTINCT t.service ORDER BY t.service) FROM vedfolnir.cleanup_task "
                      "AS t WHERE t.open",
                      0, NULL, NULL, NULL);
    names = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return isnull ? construct_empty_array(TEXTOID) : DatumGetArrayTypePCopy(names);
}

/*
 * Claims due tasks of one service and one phase. A running task is due again when its lease has ended; run_after stays as
 * it is, because an index has it.
 * Scalar subqueries instead of NOT EXISTS: each is one look into an index, where an anti-join is planned by statistics
 * that are always behind in a queue, and was seen to compare each task with each. The first one looks only at earlier
 * phases: the tasks of the same phase may be many, and as many of their index entries dead.
 */
static uint64 claim_from(FunctionCallInfo fcinfo, Datum service, int phase, int limit, Datum role)
{
    static const char sql[] =
        "WITH due AS (SELECT t.id FROM vedfolnir.cleanup_task AS t WHERE t.service = $4 AND t.phase = $5 "
        "AND t.open AND t.run_after <= (SELECT pg_catalog.clock_timestamp()) "
        "AND (t.state <> 'running' OR (t.lease_until > (SELECT pg_catalog.clock_timestamp())) IS NOT TRUE) "
        "AND ($6 IS NULL OR t.kind = ANY ($6)) "
        "AND (SELECT true FROM vedfolnir.cleanup_task AS e WHERE e.deletion_id = t.deletion_id "
        "AND e.open AND e.phase < t.phase ORDER BY e.phase LIMIT 1) IS NULL "
        "AND COALESCE((SELECT NOT o.open FROM vedfolnir.cleanup_task AS o WHERE o.id = t.depends_on), true) "
        "AND ($5 < " LAST_PHASES " OR (SELECT d.state FROM vedfolnir.deletion AS d WHERE d.id = t.deletion_id) "
        "IS DISTINCT FROM 'running') "
        "ORDER BY t.run_after, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED) "
        "UPDATE vedfolnir.cleanup_task AS t SET state = 'running', attempts = t.attempts + 1, fence = t.fence + 1, "
        "worker = $1, claimed_by = $7, lease_until = pg_catalog.clock_timestamp() + $3, "
        "errors = CASE WHEN t.state = 'running' THEN COALESCE(t.errors, '[]') || pg_catalog.jsonb_build_array("
        "pg_catalog.jsonb_build_object('attempt', t.attempts, 'at', pg_catalog.clock_timestamp(), 'worker', t.worker, "
        "'message', 'the lease ended before the task was settled')) ELSE t.errors END "
        "WHERE t.id = ANY (ARRAY (SELECT due.id FROM due)) "
        "RETURNING t.id, t.fence, t.deletion_id, t.kind, t.operation, t.service, t.target, t.attempts";
    Oid types[] = {TEXTOID, INT4OID, INTERVALOID, TEXTOID, INT4OID, TEXTARRAYOID, NAMEOID};
    Datum values[] = {PG_GETARG_DATUM(0), Int32GetDatum(limit), PG_GETARG_DATUM(2), service,
                      Int32GetDatum(phase), PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3), role};
    char nulls[] = "       ";

    if (PG_ARGISNULL(3))
        nulls[5] = 'n';
    vdf_queue_execute(sql, 7, types, values, nulls);
    vdf_queue_put_rows(fcinfo);
    return SPI_processed;
}

VDF_FUNCTION(vedfolnir_claim_tasks)
{
    QueueScope scope;
    Datum *services;
    bool *missing;
    int service_count;
    int left;
    Datum role;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    left = PG_GETARG_INT32(1);
    if (left < 1 || left > BATCH_MAX)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("batch must be between 1 and %d, not %d", BATCH_MAX, left)));
    vdf_queue_require_lease(PG_GETARG_DATUM(2));
    InitMaterializedSRF(fcinfo, 0);
    role = vdf_queue_session_role();
    vdf_queue_enter(&scope);
    deconstruct_array(PG_ARGISNULL(4) ? services_with_open_tasks() : PG_GETARG_ARRAYTYPE_P(4), TEXTOID, -1, false,
                      TYPALIGN_INT, &services, &missing, &service_count);
    for (int phase = 1; phase <= PHASE_COUNT && left > 0; phase++) {
        for (int i = 0; i < service_count && left > 0; i++) {
            CHECK_FOR_INTERRUPTS();
            if (!missing[i])
                left -= (int) claim_from(fcinfo, services[i], phase, left, role);
        }
    }
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

VDF_FUNCTION(vedfolnir_finish_tasks)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = q.outcome, target = NULL, errors = NULL, lease_until = NULL, "
        "done_at = pg_catalog.clock_timestamp() FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS q(id, fence, outcome) "
        HELD_BY_CALLER;
    Oid types[] = {INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID};
    Datum values[3];
    QueueScope scope;
    Datum deletions;
    int settled;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    for (int i = 0; i < 3; i++)
        values[i] = PG_GETARG_DATUM(i);
    vdf_queue_require_same_length(values, 3);
    vdf_queue_require_outcomes(values[2]);
    vdf_queue_enter(&scope);
    deletions = lock_deletions(values[0]);
    vdf_queue_execute(sql, 3, types, values, NULL);
    settled = (int) SPI_processed;
    vdf_settle_deletions(deletions);
    notify_next_phase(values[0]);
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(settled);
}

VDF_FUNCTION(vedfolnir_fail_task)
{
    /* Without a given time: 1 s, 2 s, 4 s ... up to 1 hour, less up to a half at random. */
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = CASE WHEN $4 THEN 'dead' ELSE 'retryable' END, "
        "lease_until = NULL, run_after = pg_catalog.clock_timestamp() + COALESCE($5, "
        "pg_catalog.make_interval(secs => LEAST(pg_catalog.pow(2, LEAST(t.attempts, 12)), 3600) "
        "* (0.5 + pg_catalog.random() / 2))), "
        "errors = COALESCE(t.errors, '[]') || pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object("
        "'attempt', t.attempts, 'at', pg_catalog.clock_timestamp(), 'worker', t.worker, 'message', $3)) "
        "WHERE t.id = $1 AND t.fence = $2 AND t.state = 'running'";
    Oid types[] = {INT8OID, INT8OID, TEXTOID, BOOLOID, INTERVALOID};
    Datum values[5];
    char nulls[] = "     ";
    QueueScope scope;
    Datum deletions;
    bool held;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 4);
    for (int i = 0; i < 4; i++)
        values[i] = PG_GETARG_DATUM(i);
    values[4] = PG_ARGISNULL(4) ? (Datum) 0 : PG_GETARG_DATUM(4);
    if (PG_ARGISNULL(4))
        nulls[4] = 'n';
    vdf_queue_enter(&scope);
    deletions = lock_deletions(vdf_queue_one_id(values[0]));
    vdf_queue_execute(sql, 5, types, values, nulls);
    held = SPI_processed == 1;
    vdf_settle_deletions(deletions);
    if (held && PG_GETARG_BOOL(3))
        notify_next_phase(vdf_queue_one_id(values[0]));
    vdf_queue_leave(&scope);
    PG_RETURN_BOOL(held);
}

VDF_FUNCTION(vedfolnir_extend_lease)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET lease_until = pg_catalog.clock_timestamp() + $3 "
        "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS q(id, fence) "
        HELD_BY_CALLER;
    Oid types[] = {INT8ARRAYOID, INT8ARRAYOID, INTERVALOID};
    Datum values[3];
    QueueScope scope;
    int held;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    for (int i = 0; i < 3; i++)
        values[i] = PG_GETARG_DATUM(i);
    vdf_queue_require_same_length(values, 2);
    vdf_queue_require_lease(values[2]);
    vdf_queue_enter(&scope);
    vdf_queue_execute(sql, 3, types, values, NULL);
    held = (int) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(held);
}

VDF_FUNCTION(vedfolnir_release_tasks)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = 'available', attempts = t.attempts - 1, lease_until = NULL, "
        "run_after = pg_catalog.clock_timestamp() "
        "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS q(id, fence) "
        HELD_BY_CALLER;
    Oid types[] = {INT8ARRAYOID, INT8ARRAYOID};
    Datum values[2];
    QueueScope scope;
    int released;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 2);
    for (int i = 0; i < 2; i++)
        values[i] = PG_GETARG_DATUM(i);
    vdf_queue_require_same_length(values, 2);
    vdf_queue_enter(&scope);
    vdf_queue_execute(sql, 2, types, values, NULL);
    released = (int) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(released);
}

VDF_FUNCTION(vedfolnir_retry_tasks)
{
    static const char sql[] = "UPDATE vedfolnir.cleanup_task AS t SET state = 'available', attempts = 0, "
                              "run_after = pg_catalog.clock_timestamp() WHERE t.id = ANY ($1) "
                              "AND t.state IN ('dead', 'retryable')";
    Oid types[] = {INT8ARRAYOID};
    Datum values[1];
    QueueScope scope;
    Datum deletions;
    int changed;

    vdf_require_duty("operator");
    vdf_queue_require_arguments(fcinfo, 1);
    values[0] = PG_GETARG_DATUM(0);
    vdf_queue_enter(&scope);
    deletions = lock_deletions(values[0]);
    vdf_queue_execute(sql, 1, types, values, NULL);
    changed = (int) SPI_processed;
    vdf_settle_deletions(deletions);
    if (changed > 0)
        vdf_queue_execute("SELECT pg_catalog.pg_notify('vedfolnir_cleanup', '') WHERE pg_catalog.current_setting("
                          "'vedfolnir.notify', true) IS DISTINCT FROM 'off'",
                          0, NULL, NULL, NULL);
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(changed);
}

VDF_FUNCTION(vedfolnir_abandon_tasks)
{
    /* The fence is raised: a worker that still holds the task cannot settle it afterwards. */
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = 'abandoned', target = NULL, errors = NULL, reason = $2, "
        "fence = t.fence + 1, lease_until = NULL, done_at = pg_catalog.clock_timestamp() WHERE t.id = ANY ($1) "
        "AND t.state IN ('available', 'running', 'retryable', 'dead')";
    Oid types[] = {INT8ARRAYOID, TEXTOID};
    Datum values[2];
    QueueScope scope;
    Datum deletions;
    int changed;

    vdf_require_duty("operator");
    vdf_queue_require_arguments(fcinfo, 2);
    values[0] = PG_GETARG_DATUM(0);
    values[1] = PG_GETARG_DATUM(1);
    if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)) == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reason must not be empty")));
    vdf_queue_enter(&scope);
    deletions = lock_deletions(values[0]);
    vdf_queue_execute(sql, 2, types, values, NULL);
    changed = (int) SPI_processed;
    vdf_settle_deletions(deletions);
    notify_next_phase(values[0]);
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(changed);
}

VDF_FUNCTION(vedfolnir_unlock_worker)
{
    static const char sql[] = "UPDATE vedfolnir.cleanup_task AS t SET state = 'available', fence = t.fence + 1, "
                              "lease_until = NULL, run_after = pg_catalog.clock_timestamp() "
                              "WHERE t.worker = $1 AND t.state = 'running'";
    Oid types[] = {TEXTOID};
    Datum values[1];
    QueueScope scope;
    int changed;

    vdf_require_duty("operator");
    vdf_queue_require_arguments(fcinfo, 1);
    values[0] = PG_GETARG_DATUM(0);
    vdf_queue_enter(&scope);
    vdf_queue_execute(sql, 1, types, values, NULL);
    changed = (int) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(changed);
}

VDF_FUNCTION(vedfolnir_prune_tasks)
{
    static const char sql[] = "DELETE FROM vedfolnir.cleanup_task AS t USING vedfolnir.deletion AS d "
                              "WHERE d.id = t.deletion_id AND d.state IN ('complete', 'closed') "
                              "AND t.state IN ('done', 'skipped') AND t.done_at < pg_catalog.clock_timestamp() - $1";
    Oid types[] = {INTERVALOID};
    Datum values[1];
    QueueScope scope;
    int64 removed;

    vdf_require_duty("worker");
    values[0] = PG_GETARG_DATUM(0);
    vdf_queue_enter(&scope);
    vdf_queue_execute(sql, 1, types, values, NULL);
    removed = (int64) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT64(removed);
}

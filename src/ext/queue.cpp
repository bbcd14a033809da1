/*
 * queue.cpp: entry points of the queue: settle, retry, give up, prune.
 * Each checks the duty of the caller and then works by SPI as the owner of vedfolnir.cleanup_task.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/queue.h"
#include "ext/queue_scope.h"

/* Joins q(id, fence) with the tasks that are still held: one look into the key's index each, see vdf_queue_execute_kept. */
#define HELD_BY_CALLER "WHERE t.id = q.id AND t.fence = q.fence AND t.state = 'running'"

/* The deletions that tasks belong to, locked, and the latest phase of those tasks in each. */
typedef struct LockedDeletions
{
    Datum ids;    /* uuid[] */
    Datum phases; /* smallint[] */
} LockedDeletions;

/* A copy of the array in the only row of the last answer; an empty one for null. */
static Datum array_of_row(int column, Oid type)
{
    bool isnull;
    Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

    if (isnull)
        return PointerGetDatum(construct_empty_array(type));
    return PointerGetDatum(DatumGetArrayTypePCopy(value));
}

/* Locks the deletions of the tasks in one order: two workers that settle the last two tasks of a deletion at
 * the same time would otherwise both see the other's task as open. */
static LockedDeletions lock_deletions(Datum task_ids)
{
    static const char sql[] =
        "SELECT pg_catalog.array_agg(l.id), pg_catalog.array_agg(l.phase) FROM (SELECT d.id, s.phase "
        "FROM (SELECT t.deletion_id, pg_catalog.max(t.phase) AS phase FROM vedfolnir.cleanup_task AS t "
        "WHERE t.id = ANY ($1) GROUP BY t.deletion_id) AS s JOIN vedfolnir.deletion AS d ON d.id = s.deletion_id "
        "ORDER BY d.id FOR NO KEY UPDATE OF d) AS l";
    static SPIPlanPtr plan;
    Oid types[] = {INT8ARRAYOID};
    Datum values[] = {task_ids};
    LockedDeletions locked;

    vdf_queue_execute_kept(&plan, sql, 1, types, values, NULL);
    locked.ids = array_of_row(1, UUIDOID);
    locked.phases = array_of_row(2, INT2OID);
    return locked;
}

/*
 * If these were the last open tasks of their phase, or another one depended on one of them: wake the workers that wait for
 * the next. Accounts alone depend on each other, and they are few.
 */
static void notify_next_phase(const LockedDeletions *locked)
{
    static const char sql[] =
        "SELECT pg_catalog.pg_notify('vedfolnir_cleanup', '') "
        "WHERE pg_catalog.current_setting('vedfolnir.notify', true) IS DISTINCT FROM 'off' AND EXISTS (SELECT 1 FROM "
        "ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS s(deletion_id, phase), "
        "LATERAL (SELECT o.phase FROM vedfolnir.cleanup_task AS o "
        "WHERE o.deletion_id = s.deletion_id AND o.open ORDER BY o.phase LIMIT 1) AS f "
        "WHERE f.phase > s.phase OR (s.phase = 4 AND EXISTS (SELECT 1 FROM vedfolnir.cleanup_task AS o "
        "WHERE o.deletion_id = s.deletion_id AND o.open AND o.phase = 4 AND o.depends_on IS NOT NULL)))";
    static SPIPlanPtr plan;
    Oid types[] = {UUIDARRAYOID, INT2ARRAYOID};
    Datum values[] = {locked->ids, locked->phases};

    vdf_queue_execute_kept(&plan, sql, 2, types, values, NULL);
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
    static SPIPlanPtr plan;
    Oid types[] = {UUIDARRAYOID};
    Datum values[] = {deletion_ids};

    vdf_queue_execute_kept(&plan, sql, 1, types, values, NULL);
}

VDF_FUNCTION(vedfolnir_finish_tasks)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = q.outcome, target = NULL, errors = NULL, lease_until = NULL, "
        "done_at = pg_catalog.clock_timestamp() FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS q(id, fence, outcome) "
        HELD_BY_CALLER;
    static SPIPlanPtr plan;
    Oid types[] = {INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID};
    Datum values[3];
    QueueScope scope;
    LockedDeletions deletions;
    int settled;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    for (int i = 0; i < 3; i++)
        values[i] = PG_GETARG_DATUM(i);
    vdf_queue_require_same_length(values, 3);
    vdf_queue_require_outcomes(values[2]);
    vdf_queue_enter(&scope);
    deletions = lock_deletions(values[0]);
    vdf_queue_execute_kept(&plan, sql, 3, types, values, NULL);
    settled = (int) SPI_processed;
    vdf_settle_deletions(deletions.ids);
    notify_next_phase(&deletions);
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(settled);
}

/*
 * Without a given time: 1 s, 2 s, 4 s ... up to 1 hour, less up to a half at random.
 */
static bool note_failure(NullableDatum id, NullableDatum fence, NullableDatum message, NullableDatum retry_after, bool permanent, bool away)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = CASE WHEN $5 THEN 'dead' ELSE 'retryable' END, "
        "lease_until = NULL, run_after = pg_catalog.clock_timestamp() + COALESCE($4, "
        "pg_catalog.make_interval(secs => LEAST(pg_catalog.pow(2, LEAST(t.attempts, 12)), 3600) "
        "* (0.5 + pg_catalog.random() / 2))), "
        "outages = CASE WHEN $6 THEN COALESCE(t.outages, 0) + 1 ELSE t.outages END, "
        "errors = " VDF_EARLIER_ENTRIES " || pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object("
        "'attempt', t.attempts, 'at', pg_catalog.clock_timestamp(), 'worker', t.worker, 'message', $3)) "
        "WHERE t.id = $1 AND t.fence = $2 AND t.state = 'running'";
    Oid types[] = {INT8OID, INT8OID, TEXTOID, INTERVALOID, BOOLOID, BOOLOID};
    Datum values[] = {id.value, fence.value, message.value, retry_after.value, BoolGetDatum(permanent), BoolGetDatum(away)};
    char nulls[] = "      ";
    QueueScope scope;
    LockedDeletions deletions;
    bool held;

    if (retry_after.isnull)
        nulls[3] = 'n';
    vdf_queue_enter(&scope);
    deletions = lock_deletions(vdf_queue_one_id(id.value));
    vdf_queue_execute(sql, 6, types, values, nulls);
    held = SPI_processed == 1;
    vdf_settle_deletions(deletions.ids);
    if (held && permanent)
        notify_next_phase(&deletions);
    vdf_queue_leave(&scope);
    return held;
}

VDF_FUNCTION(vedfolnir_fail_task)
{
    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 4);
    PG_RETURN_BOOL(note_failure(fcinfo->args[0], fcinfo->args[1], fcinfo->args[2], fcinfo->args[4], PG_GETARG_BOOL(3), false));
}

VDF_FUNCTION(vedfolnir_postpone_task)
{
    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    PG_RETURN_BOOL(note_failure(fcinfo->args[0], fcinfo->args[1], fcinfo->args[2], fcinfo->args[3], false, true));
}

VDF_FUNCTION(vedfolnir_extend_lease)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET lease_until = pg_catalog.clock_timestamp() + $3 "
        "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS q(id, fence) "
        HELD_BY_CALLER;
    static SPIPlanPtr plan;
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
    vdf_queue_execute_kept(&plan, sql, 3, types, values, NULL);
    held = (int) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(held);
}

/*
 * vedfolnir_targets_in_use says nothing of a task whose lease has ended, which would mean that no row names its target. So who
 * goes by its answer asks afterwards whether all leases lasted until now.
 */
VDF_FUNCTION(vedfolnir_require_leases)
{
    static const char sql[] =
        "SELECT pg_catalog.bool_and(COALESCE(t.state = 'running' AND t.claimed_by = $2 AND t.fence = i.fence AND "
        "t.lease_until > pg_catalog.clock_timestamp(), false)) FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($3)) AS i(id, fence) "
        "LEFT JOIN vedfolnir.cleanup_task AS t ON t.id = i.id";
    static SPIPlanPtr plan;
    Oid types[] = {INT8ARRAYOID, TEXTOID, INT8ARRAYOID};
    Datum values[3];
    QueueScope scope;
    bool held, isnull;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 2);
    values[0] = PG_GETARG_DATUM(0);
    values[1] = vdf_queue_session_role();
    values[2] = PG_GETARG_DATUM(1);
    vdf_queue_enter(&scope);
    vdf_queue_execute_kept(&plan, sql, 3, types, values, NULL);
    held = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
    if (!isnull && !held)
        vdf_queue_lease_not_held();
    vdf_queue_leave(&scope);
    PG_RETURN_BOOL(true);
}

VDF_FUNCTION(vedfolnir_release_tasks)
{
    static const char sql[] =
        "UPDATE vedfolnir.cleanup_task AS t SET state = 'available', attempts = t.attempts - 1, lease_until = NULL, "
        "run_after = pg_catalog.clock_timestamp() "
        "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS q(id, fence) "
        HELD_BY_CALLER;
    static SPIPlanPtr plan;
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
    vdf_queue_execute_kept(&plan, sql, 2, types, values, NULL);
    released = (int) SPI_processed;
    vdf_queue_leave(&scope);
    PG_RETURN_INT32(released);
}

/* An available task waits only where the clock was set back behind the time at which it was queued. */
VDF_FUNCTION(vedfolnir_retry_tasks)
{
    static const char sql[] = "UPDATE vedfolnir.cleanup_task AS t SET state = 'available', attempts = 0, outages = NULL, "
                              "run_after = pg_catalog.clock_timestamp() WHERE t.id = ANY ($1) "
                              "AND (t.state IN ('dead', 'retryable') "
                              "OR t.state = 'available' AND t.run_after > pg_catalog.clock_timestamp())";
    Oid types[] = {INT8ARRAYOID};
    Datum values[1];
    QueueScope scope;
    LockedDeletions deletions;
    int changed;

    vdf_require_duty("operator");
    vdf_queue_require_arguments(fcinfo, 1);
    values[0] = PG_GETARG_DATUM(0);
    vdf_queue_enter(&scope);
    deletions = lock_deletions(values[0]);
    vdf_queue_execute(sql, 1, types, values, NULL);
    changed = (int) SPI_processed;
    vdf_settle_deletions(deletions.ids);
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
    LockedDeletions deletions;
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
    vdf_settle_deletions(deletions.ids);
    notify_next_phase(&deletions);
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

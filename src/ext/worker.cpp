/*
 * worker.cpp: what a listener tells about itself and asks about the queue as a whole.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/queue_scope.h"

VDF_FUNCTION(vedfolnir_worker_heartbeat)
{
    /* A listener that has been silent for a week is gone; its row would only confuse. */
    static const char forget_sql[] = "DELETE FROM vedfolnir.worker AS w WHERE w.seen_at < "
                                     "pg_catalog.clock_timestamp() - '7 days'::interval";
    static const char sql[] =
        "INSERT INTO vedfolnir.worker AS w (worker, version, started_at, done, skipped, failed, role_name, seen_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp()) ON CONFLICT (worker) DO UPDATE SET "
        "role_name = excluded.role_name, version = excluded.version, started_at = excluded.started_at, "
        "seen_at = excluded.seen_at, done = excluded.done, skipped = excluded.skipped, failed = excluded.failed";
    Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, TEXTOID};
    Datum values[7];
    QueueScope scope;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 6);
    for (int i = 0; i < 6; i++)
        values[i] = PG_GETARG_DATUM(i);
    values[6] = vdf_queue_session_role();
    vdf_queue_enter(&scope);
    vdf_queue_execute(forget_sql, 0, NULL, NULL, NULL);
    vdf_queue_execute(sql, 7, types, values, NULL);
    vdf_queue_leave(&scope);
    PG_RETURN_VOID();
}

VDF_FUNCTION(vedfolnir_queue_depth)
{
    QueueScope scope;

    vdf_require_duty("worker");
    InitMaterializedSRF(fcinfo, 0);
    vdf_queue_enter(&scope);
    vdf_queue_execute("SELECT t.service, pg_catalog.count(*) FILTER (WHERE t.state <> 'dead'), "
                      "pg_catalog.count(*) FILTER (WHERE t.state = 'dead'), "
                      "pg_catalog.min(CASE WHEN t.state = 'running' THEN t.lease_until ELSE t.run_after END) "
                      "FILTER (WHERE t.open) - pg_catalog.clock_timestamp() "
                      "FROM vedfolnir.cleanup_task AS t "
                      "WHERE t.open OR t.state = 'dead' GROUP BY t.service ORDER BY 1",
                      0, NULL, NULL, NULL);
    vdf_queue_put_rows(fcinfo);
    vdf_queue_leave(&scope);
    return (Datum) 0;
}

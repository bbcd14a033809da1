-- The queue's face: claim, settle, look after. The C code checks the duty and then works as the owner of the queue.

CREATE FUNCTION vedfolnir_schema_version() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT '1.0'::text $$;
COMMENT ON FUNCTION vedfolnir_schema_version() IS 'version of tables and functions; a listener that does not know it refuses to start';

CREATE FUNCTION vedfolnir_claim_tasks(worker text, batch int, lease interval, kinds text[] DEFAULT NULL, services text[] DEFAULT NULL)
    RETURNS SETOF vedfolnir.claimed_task
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    -- Statistics of a queue are always behind: the first tasks come out of the index in order, never by a look at all of them.
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_sort = off
    SET jit = off -- compiling takes longer than the work
    AS 'MODULE_PATHNAME', 'vedfolnir_claim_tasks';
COMMENT ON FUNCTION vedfolnir_claim_tasks(text, int, interval, text[], text[])
    IS 'take up to batch due tasks under a lease, earliest phase first';

CREATE FUNCTION vedfolnir_finish_tasks(ids bigint[], fences bigint[], outcomes text[]) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    -- A batch is looked up by its keys, one by one, whatever the statistics say.
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_finish_tasks';
COMMENT ON FUNCTION vedfolnir_finish_tasks(bigint[], bigint[], text[])
    IS 'settle tasks as done or skipped; returns how many of them were still held';

CREATE FUNCTION vedfolnir_fail_task(id bigint, fence bigint, message text, permanent boolean DEFAULT false, retry_after interval DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_fail_task';
COMMENT ON FUNCTION vedfolnir_fail_task(bigint, bigint, text, boolean, interval)
    IS 'note a failed attempt; the task is tried again later, or is dead if the failure is permanent';

CREATE FUNCTION vedfolnir_postpone_task(id bigint, fence bigint, message text, retry_after interval DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_postpone_task';
COMMENT ON FUNCTION vedfolnir_postpone_task(bigint, bigint, text, interval)
    IS 'note an attempt that was not the task''s own failure, as the service was away; claims leave it out of the attempts that they give';

CREATE FUNCTION vedfolnir_extend_lease(ids bigint[], fences bigint[], lease interval) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_extend_lease';
COMMENT ON FUNCTION vedfolnir_extend_lease(bigint[], bigint[], interval)
    IS 'renew the lease of tasks that take long; returns how many of them were still held';

CREATE FUNCTION vedfolnir_release_tasks(ids bigint[], fences bigint[]) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_release_tasks';
COMMENT ON FUNCTION vedfolnir_release_tasks(bigint[], bigint[])
    IS 'give back tasks that were not tried; the attempt does not count';

CREATE FUNCTION vedfolnir_targets_in_use(ids bigint[]) RETURNS SETOF bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_targets_in_use';
COMMENT ON FUNCTION vedfolnir_targets_in_use(bigint[])
    IS 'those of the caller''s leased tasks whose target a row that stays still names; nothing is said of other tasks';

CREATE FUNCTION vedfolnir_require_leases(ids bigint[], fences bigint[]) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_require_leases';
COMMENT ON FUNCTION vedfolnir_require_leases(bigint[], bigint[])
    IS 'true, or an error if the caller does not hold the lease of each task now';

CREATE FUNCTION vedfolnir_paths_in_use(id bigint, fence bigint, paths text[]) RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_paths_in_use';
COMMENT ON FUNCTION vedfolnir_paths_in_use(bigint, bigint, text[])
    IS 'those of the paths below a leased directory task''s target that a row that stays still names';

CREATE FUNCTION vedfolnir_cleanup_sources() RETURNS TABLE (relation text, kind text, service text)
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_cleanup_sources';
COMMENT ON FUNCTION vedfolnir_cleanup_sources()
    IS 'which relation may queue which kind of task for which service; the listener compares it with its own list';

CREATE FUNCTION vedfolnir_worker_heartbeat(worker text, version text, started_at timestamptz, done bigint, skipped bigint, failed bigint)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_worker_heartbeat';
COMMENT ON FUNCTION vedfolnir_worker_heartbeat(text, text, timestamptz, bigint, bigint, bigint)
    IS 'note that a listener is alive and what it has settled since it started';

CREATE FUNCTION vedfolnir_queue_depth()
    RETURNS TABLE (service text, open bigint, dead bigint, next_due interval)
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'vedfolnir_queue_depth';
COMMENT ON FUNCTION vedfolnir_queue_depth()
    IS 'open and dead tasks by service, and how long until the next one is due';

CREATE FUNCTION vedfolnir_prune_tasks(older_than interval) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_prune_tasks';
COMMENT ON FUNCTION vedfolnir_prune_tasks(interval)
    IS 'remove done and skipped tasks of finished deletions; dead and abandoned ones stay';

CREATE FUNCTION vedfolnir_retry_tasks(ids bigint[]) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_retry_tasks';
COMMENT ON FUNCTION vedfolnir_retry_tasks(bigint[])
    IS 'make dead or waiting tasks due now, with their attempts counted from zero';

CREATE FUNCTION vedfolnir_abandon_tasks(ids bigint[], reason text) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_abandon_tasks';
COMMENT ON FUNCTION vedfolnir_abandon_tasks(bigint[], text)
    IS 'give up tasks that nobody can do, with a reason; their targets are blanked';

CREATE FUNCTION vedfolnir_unlock_worker(worker text) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_unlock_worker';
COMMENT ON FUNCTION vedfolnir_unlock_worker(text)
    IS 'free the tasks of a worker that is known to be gone, before their lease ends';

-- In the fixed schema, so that statements about targets find it anywhere.
CREATE FUNCTION vedfolnir.normalise_target(kind text, target text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'vedfolnir_normalise_target';
COMMENT ON FUNCTION vedfolnir.normalise_target(text, text) IS 'one spelling per target: paths without //, /./ and a trailing slash';

CREATE FUNCTION vedfolnir.realm_of_target(target text) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'vedfolnir_realm_of_target';
COMMENT ON FUNCTION vedfolnir.realm_of_target(text) IS 'the realm of an identity, decoded: it may be spelled in several ways';

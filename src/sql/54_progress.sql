-- Progress of long runs, made for \watch; visible to other sessions while the run's transaction is open.

CREATE FUNCTION vedfolnir.progress_rows(OUT pid int, OUT deletion_id uuid, OUT dry_run boolean, OUT relation oid, OUT phase text,
    OUT rows_done bigint, OUT rows_expected bigint, OUT started_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'vedfolnir_progress_rows' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vedfolnir.progress_rows() IS 'runs under way in this database; see the view vedfolnir.progress';

CREATE VIEW vedfolnir.progress AS
SELECT p.pid, p.deletion_id, p.dry_run, p.relation::pg_catalog.regclass::pg_catalog.text AS relation, p.phase, p.rows_done,
       p.rows_expected, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) p.started_at AS elapsed
  FROM vedfolnir.progress_rows() AS p;
COMMENT ON VIEW vedfolnir.progress IS 'deletions under way: phase, relation and rows; rows_expected is the planner''s guess';

-- The transaction is the caller's: last_deletion, savepoints, DO blocks, procedures, many calls in one (R33).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, path text);
INSERT INTO app.users SELECT generate_series(1, 12);
INSERT INTO app.posts SELECT g, g, 'p' || g FROM generate_series(1, 12) g;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}');
SELECT vedfolnir_last_deletion();
-- A rolled back savepoint takes rows, audit and tasks back, and with them the id.
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
SELECT vedfolnir_last_deletion() = d.id AS last FROM vedfolnir.deletion d;
SELECT vedfolnir_last_deletion() AS first \gset
SAVEPOINT s;
SELECT count(*) FROM vedfolnir_delete_user(2, false);
SELECT vedfolnir_last_deletion() <> :'first' AS other;
SELECT (SELECT count(*) FROM app.users) AS users, (SELECT count(*) FROM vedfolnir.deletion) AS deletions,
       (SELECT count(DISTINCT deletion_id) FROM vedfolnir.audit_log) AS audited, (SELECT count(*) FROM vedfolnir.cleanup_task) AS tasks;
ROLLBACK TO s;
SELECT vedfolnir_last_deletion() = :'first' AS first_again;
SELECT (SELECT count(*) FROM app.users) AS users, (SELECT count(*) FROM vedfolnir.deletion) AS deletions,
       (SELECT count(DISTINCT deletion_id) FROM vedfolnir.audit_log) AS audited, (SELECT count(*) FROM vedfolnir.cleanup_task) AS tasks;
-- After the rollback the same call works.
SELECT count(*) FROM vedfolnir_delete_user(2, false);
COMMIT;
SELECT vedfolnir_last_deletion();
SELECT (SELECT count(*) FROM app.users) AS users, (SELECT count(*) FROM vedfolnir.deletion) AS deletions,
       (SELECT count(DISTINCT deletion_id) FROM vedfolnir.audit_log) AS audited, (SELECT count(*) FROM vedfolnir.cleanup_task) AS tasks;
-- R31: one advisory lock per person, of the transaction and never of the session; a dry run takes none.
BEGIN;
SELECT count(*) FROM vedfolnir_delete_users('{3,4}');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT count(*) FROM vedfolnir_delete_users('{3,4}', false);
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
-- A dry run is no deletion.
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(3);
SELECT vedfolnir_last_deletion();
ROLLBACK;
-- A whole transaction taken back
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(3, false);
ROLLBACK;
SELECT count(*) FROM app.posts;
-- An error inside a block with EXCEPTION, and a run after it in the same transaction
DO $$
DECLARE n int;
BEGIN
    BEGIN
        PERFORM vedfolnir_delete_user(3, false);
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    IF vedfolnir_last_deletion() IS NOT NULL THEN RAISE 'an id survived the rollback'; END IF;
    SELECT count(*) INTO n FROM app.posts;
    IF n <> 10 THEN RAISE 'rows did not come back: %', n; END IF;
    PERFORM vedfolnir_delete_user(3, false);
    IF vedfolnir_last_deletion() IS NULL THEN RAISE 'no id'; END IF;
END $$;
-- A procedure that commits between people
CREATE PROCEDURE t.purge(keys int[]) LANGUAGE plpgsql AS $$
DECLARE k int;
BEGIN
    FOREACH k IN ARRAY keys LOOP
        PERFORM vedfolnir_delete_user(k, false);
        COMMIT;
    END LOOP;
END $$;
CALL t.purge('{4,5}');
-- For each row of a query that reads the very table; in a CTE; in a LATERAL; from a cursor
SELECT count(*) FROM (SELECT vedfolnir_delete_user(id, false) FROM app.users WHERE id IN (6, 7)) x;
WITH gone AS MATERIALIZED (SELECT * FROM vedfolnir_delete_user(8, false)) SELECT sum(row_count) FROM gone WHERE action = 'delete';
SELECT u.id, s.relation, s.row_count FROM app.users u, LATERAL vedfolnir_delete_user(u.id) s WHERE u.id = 9 ORDER BY s.step;
BEGIN;
DECLARE c CURSOR FOR SELECT relation, action, row_count FROM vedfolnir_delete_user(9, false);
FETCH 1 FROM c;
CLOSE c;
COMMIT;
SELECT array_agg(id ORDER BY id) FROM app.users;
SELECT * FROM t.orphans();
-- Prepared statements, with parameters of no type (they are text) and of the key's type
PREPARE p1 AS SELECT count(*) FROM vedfolnir_delete_user($1, $2);
EXECUTE p1('10', false);
PREPARE p2 (int) AS SELECT count(*) FROM vedfolnir_delete_user($1, false);
EXECUTE p2(11);
DEALLOCATE ALL;
-- PREPARE TRANSACTION: with notify off; PostgreSQL refuses it after a NOTIFY.
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', 'u:{id}');
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(12, false);
PREPARE TRANSACTION 'vedfolnir_regress';
SET vedfolnir.notify = off;
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(12, false);
PREPARE TRANSACTION 'vedfolnir_regress';
SELECT count(*) FROM app.users;
COMMIT PREPARED 'vedfolnir_regress';
SELECT count(*) FROM app.users;
RESET vedfolnir.notify;
-- synchronous_commit is raised for the transaction of a run. R63
SET synchronous_commit = off;
INSERT INTO app.users VALUES (1);
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(1);
SHOW synchronous_commit;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
SHOW synchronous_commit;
COMMIT;
SHOW synchronous_commit;
-- What is deferred is checked in the call where something waits, and stays deferred for what follows where nothing does.
CREATE TABLE app.later (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.users VALUES (2), (3);
INSERT INTO app.later VALUES (1, 2);
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(2, false);
INSERT INTO app.later VALUES (2, 4);
INSERT INTO app.users VALUES (4);
COMMIT;
BEGIN;
INSERT INTO app.later VALUES (3, 5), (4, 3);
SELECT count(*) FROM vedfolnir_delete_user(3, false);
ROLLBACK;
TABLE app.later ORDER BY id;
SELECT t.finish();

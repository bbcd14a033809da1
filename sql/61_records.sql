-- The extension's own rows are written page by page; a trigger of an administrator gets a statement all the same.
CREATE SCHEMA rec; SET search_path = rec, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
SET client_min_messages = warning;
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE files (id int PRIMARY KEY, person int NOT NULL REFERENCES people ON DELETE CASCADE, path text);
INSERT INTO people SELECT generate_series(1, 2000);
INSERT INTO files SELECT g, g % 1000 + 1, 'f/' || g FROM generate_series(1, 3000) g;
CREATE INDEX ON files (person);
SELECT vedfolnir_register_subject('people');
SELECT vedfolnir_add_cleanup('files', 'file', '{path}');

-- More rows than are written at once: every column has its value, and the ids of the deletions grow with the people.
SELECT relation, action, row_count FROM vedfolnir_delete_users(ARRAY(SELECT id::text FROM people WHERE id <= 900), false, reason => 'many');
SELECT count(*), count(DISTINCT d.id), bool_and(d.state = 'pending'), bool_and(d.completed_at IS NULL),
       bool_and(d.created_at BETWEEN now() - '1 hour'::interval AND clock_timestamp()), bool_and(d.reason = 'many'),
       bool_and(d."session_user" = session_user), bool_and(substr(d.id::text, 15, 1) = '7')
  FROM vedfolnir.deletion d;
SELECT relation, action, count(*), sum(row_count), count(DISTINCT deletion_id), count(DISTINCT id), count(created_at)
  FROM vedfolnir.audit_log GROUP BY 1, 2 ORDER BY 1, 2;
SELECT phase, kind, operation, service, state, attempts, fence, shared, open, given_up, count(*), count(DISTINCT id),
       count(DISTINCT target), count(DISTINCT deletion_id), count(run_after), count(created_at)
  FROM vedfolnir.cleanup_task GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
-- The rows of one person lie together, in the order of the deletions.
SELECT count(*) FROM (SELECT deletion_id, lag(deletion_id) OVER (ORDER BY ctid) AS before FROM vedfolnir.audit_log) a WHERE deletion_id < before;
-- The indexes hold all of them.
SET enable_seqscan = off;
SELECT count(*) FROM vedfolnir.deletion d JOIN LATERAL (SELECT count(*) AS n FROM vedfolnir.cleanup_task t WHERE t.deletion_id = d.id AND t.open) t ON n <> 3;
SELECT count(*) FROM vedfolnir.deletion d JOIN LATERAL (SELECT count(*) AS n FROM vedfolnir.audit_log a WHERE a.deletion_id = d.id) a ON n <> 2;
RESET enable_seqscan;

-- The checks of the tables hold.
ALTER TABLE vedfolnir.audit_log ADD CONSTRAINT few CHECK (row_count < 2) NOT VALID;
\set VERBOSITY terse
SELECT count(*) FROM vedfolnir_delete_users('{901}', false);
ALTER TABLE vedfolnir.audit_log DROP CONSTRAINT few;
ALTER TABLE vedfolnir.cleanup_task ADD COLUMN needed text NOT NULL DEFAULT '';
ALTER TABLE vedfolnir.cleanup_task ALTER COLUMN needed DROP DEFAULT;
SELECT count(*) FROM vedfolnir_delete_users('{901}', false);
ALTER TABLE vedfolnir.cleanup_task DROP COLUMN needed;
-- So do those of an administrator, as the functions that they call are now.
CREATE FUNCTION most() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1000::bigint';
CREATE FUNCTION twice(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
ALTER TABLE vedfolnir.audit_log ADD CONSTRAINT most CHECK (row_count < rec.most()), ADD COLUMN twice bigint GENERATED ALWAYS AS (rec.twice(row_count)) STORED,
    ADD COLUMN label text DEFAULT 'a' || rec.most();
BEGIN;
SELECT count(*) FROM vedfolnir_delete_users('{901}', false);
SELECT row_count, twice, label FROM vedfolnir.audit_log WHERE deletion_id = vedfolnir_last_deletion() ORDER BY relation, action;
ROLLBACK;
CREATE OR REPLACE FUNCTION most() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 500::bigint';
CREATE OR REPLACE FUNCTION twice(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT n * 3';
BEGIN;
SELECT count(*) FROM vedfolnir_delete_users('{901}', false);
SELECT row_count, twice, label FROM vedfolnir.audit_log WHERE deletion_id = vedfolnir_last_deletion() ORDER BY relation, action;
ROLLBACK;
CREATE OR REPLACE FUNCTION most() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint';
SELECT count(*) FROM vedfolnir_delete_users('{901}', false);
ALTER TABLE vedfolnir.audit_log DROP CONSTRAINT most, DROP COLUMN twice, DROP COLUMN label;

-- Triggers of an administrator, for each row and for the statement with its rows.
CREATE TABLE heard (what text, n bigint);
CREATE FUNCTION hear_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO rec.heard VALUES (TG_TABLE_NAME || ' row', 1); RETURN NEW; END $$;
CREATE FUNCTION hear_rows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO rec.heard SELECT TG_TABLE_NAME || ' rows', count(*) FROM written; RETURN NULL; END $$;
CREATE TRIGGER a BEFORE INSERT ON vedfolnir.audit_log FOR EACH ROW EXECUTE FUNCTION hear_row();
CREATE TRIGGER b AFTER INSERT ON vedfolnir.cleanup_task REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION hear_rows();
CREATE TRIGGER c AFTER INSERT ON vedfolnir.deletion REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION hear_rows();
SELECT relation, action, row_count FROM vedfolnir_delete_users('{901,902}', false);
SELECT what, count(*), sum(n) FROM heard GROUP BY what ORDER BY what;

DROP TRIGGER a ON vedfolnir.audit_log;
DROP TRIGGER b ON vedfolnir.cleanup_task;
DROP TRIGGER c ON vedfolnir.deletion;

-- R2: a trigger or rule that keeps evidence or tasks back ends the call, and nothing is deleted.
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION refused(call text, relation regclass, what text) RETURNS TABLE (code text, message text, detail text, people bigint)
LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format(what, relation);
    BEGIN
        EXECUTE call;
        code := 'not refused';
    EXCEPTION WHEN OTHERS THEN
        code := SQLSTATE; message := SQLERRM;
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    END;
    people := (SELECT count(*) FROM rec.people WHERE id IN (901, 902, 903, 904));
    RETURN NEXT;
    IF what LIKE '%TRIGGER%' THEN EXECUTE format('DROP TRIGGER keep ON %s', relation); ELSE EXECUTE format('DROP RULE keep ON %s', relation); END IF;
END $$;
CREATE TABLE elsewhere AS TABLE vedfolnir.audit_log WITH NO DATA;
CREATE TABLE no_request AS TABLE vedfolnir.request WITH NO DATA;
CREATE TABLE no_secret AS TABLE vedfolnir.secret WITH NO DATA;
SELECT t, r.* FROM unnest('{vedfolnir.deletion, vedfolnir.audit_log, vedfolnir.cleanup_task, vedfolnir.request}'::regclass[]) t,
    refused($$SELECT * FROM vedfolnir_delete_users('{903,904}', false, request_id => '00000000-0000-4000-8000-000000000001')$$, t,
            'CREATE TRIGGER keep BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION rec.keep()') r;
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false)$$, 'vedfolnir.audit_log',
    'CREATE TRIGGER keep BEFORE INSERT ON %s FOR EACH ROW WHEN (NEW.action = ''delete'' AND NEW.relation LIKE ''%%files'') EXECUTE FUNCTION rec.keep()');
SELECT t, r.* FROM unnest('{vedfolnir.deletion, vedfolnir.audit_log, vedfolnir.cleanup_task, vedfolnir.request}'::regclass[]) t,
    refused($$SELECT * FROM vedfolnir_delete_user(903, false, request_id => '00000000-0000-4000-8000-000000000001')$$, t, 'CREATE RULE keep AS ON INSERT TO %s DO INSTEAD NOTHING') r;
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false)$$, 'vedfolnir.audit_log',
    'CREATE RULE keep AS ON INSERT TO %s DO INSTEAD INSERT INTO rec.elsewhere VALUES (NEW.*)');
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false, request_id => '00000000-0000-4000-8000-000000000001')$$, 'vedfolnir.request',
    'CREATE RULE keep AS ON INSERT TO %s DO INSTEAD INSERT INTO rec.no_request VALUES (NEW.*)');
SELECT * FROM refused($$SELECT vedfolnir_hold('903', 'case 1')$$, 'vedfolnir.hold',
    'CREATE TRIGGER keep BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION rec.keep()');
SELECT vedfolnir_hold('903', 'case 1');
SELECT vedfolnir_hold('903', 'case 1', now() + '1 day'::interval);
SELECT count(*), count(held_until) FROM vedfolnir.hold;
SELECT vedfolnir_release('903', 'closed');
BEGIN;
DELETE FROM vedfolnir.secret;
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false)$$, 'vedfolnir.secret',
    'CREATE TRIGGER keep BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION rec.keep()');
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false)$$, 'vedfolnir.secret',
    'CREATE RULE keep AS ON INSERT TO %s DO INSTEAD INSERT INTO rec.no_secret VALUES (NEW.*)');
CREATE FUNCTION take_away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM vedfolnir.secret; RETURN NULL; END';
SELECT * FROM refused($$SELECT * FROM vedfolnir_delete_user(903, false)$$, 'vedfolnir.secret',
    'CREATE TRIGGER keep AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION rec.take_away()');
ROLLBACK;

-- All of it goes with the transaction.
BEGIN;
SELECT count(*) FROM vedfolnir_delete_users('{903,904}', false);
ROLLBACK;
SELECT (SELECT count(*) FROM vedfolnir.deletion), (SELECT count(*) FROM vedfolnir.audit_log), (SELECT count(*) FROM vedfolnir.cleanup_task);
SET client_min_messages = error;
DROP SCHEMA rec CASCADE;
DROP EXTENSION vedfolnir;

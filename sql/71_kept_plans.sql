-- What phase N asks and writes is planned once per session and size. What changes between two calls must be seen by the next one (design 3.3, R13).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE FUNCTION app.blank() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'gone'::text $$;
CREATE TABLE app.arts (n int PRIMARY KEY, owner int DEFAULT 91 REFERENCES app.users ON DELETE SET DEFAULT, editor int REFERENCES app.users ON DELETE SET NULL,
    reader int REFERENCES app.users, title text, CHECK (owner IS DISTINCT FROM 93), CHECK (title <> 'forbidden'));
CREATE INDEX ON app.arts (owner);
CREATE INDEX ON app.arts (editor);
CREATE INDEX ON app.arts (reader);
INSERT INTO app.users SELECT generate_series(1, 40);
INSERT INTO app.users SELECT generate_series(91, 94);
INSERT INTO app.arts SELECT g, 1 + g % 40, 1 + (g + 1) % 40, 1 + (g + 2) % 40, 'of ' || g FROM generate_series(1, 120) g;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.arts', 'arts_reader_fkey', 'reassign', reassign_to => '94');
SELECT vedfolnir_set_column('app.arts', 'title', 'app.blank()', edge => 'arts_owner_fkey');
-- How rows look that referred to a person who went. No new table: that would be news for the plan.
CREATE TABLE t.before AS SELECT * FROM app.arts WITH NO DATA;
CREATE FUNCTION t.went(id int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE is_now text;
BEGIN
    DELETE FROM t.before;
    INSERT INTO t.before SELECT * FROM app.arts a WHERE id IN (a.owner, a.editor, a.reader);
    PERFORM vedfolnir_delete_user(id::text, false);
    SELECT string_agg(DISTINCT CASE WHEN b.owner = id THEN format('owner %s, title %s', coalesce(a.owner::text, 'none'), a.title)
                                    WHEN b.editor = id THEN format('editor %s', coalesce(a.editor::text, 'none'))
                                    ELSE format('reader %s', coalesce(a.reader::text, 'none')) END, '; ') INTO is_now
      FROM app.arts a JOIN t.before b USING (n);
    RETURN is_now;
EXCEPTION WHEN others THEN RETURN SQLSTATE;
END $$;
CREATE FUNCTION t.kept() RETURNS bigint LANGUAGE sql AS
    $$ SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource' AND ident LIKE ANY ('{%vdf\_w%,%vdf\_m%}') $$;
SELECT t.went(1);
SELECT t.went(2);
-- Statements that were asked once are there, and the same ones serve the next person.
SELECT t.kept() AS kept \gset
SELECT :kept > 1;
SELECT t.went(3);
SELECT t.kept() - :kept;
ALTER TABLE app.arts ALTER owner SET DEFAULT 92;
SELECT t.went(4);
-- The row that the default refers to is not there, and is there again.
BEGIN;
UPDATE app.arts SET owner = 94 WHERE owner = 92;
DELETE FROM app.users WHERE id = 92;
SELECT t.went(5);
ROLLBACK;
SELECT t.went(5);
-- No row may have this default; then each may.
ALTER TABLE app.arts ALTER owner SET DEFAULT 93;
SELECT t.went(6);
ALTER TABLE app.arts DROP CONSTRAINT arts_owner_check;
SELECT t.went(6);
ALTER TABLE app.arts ADD CHECK (owner IS DISTINCT FROM 94);
SELECT vedfolnir_set_policy('app.arts', 'arts_reader_fkey', 'reassign', reassign_to => '91');
SELECT t.went(7);
-- The function of a rule is another now.
CREATE OR REPLACE FUNCTION app.blank() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'deleted'::text $$;
SELECT t.went(8);
CREATE OR REPLACE FUNCTION app.blank() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'erased'; END $$;
SELECT t.went(9);
CREATE OR REPLACE FUNCTION app.blank() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'blank'; END $$;
SELECT t.went(10);
CREATE OR REPLACE FUNCTION app.blank() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'forbidden'; END $$;
SELECT t.went(11);
-- Many people take statements of their own.
CREATE OR REPLACE FUNCTION app.blank() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'none'::text $$;
SELECT count(*) FROM vedfolnir_delete_users('{11,12,13,14}', false);
SELECT count(*) FROM vedfolnir_delete_users('{15,16,17,18}', false);
SELECT owner, editor, reader, title, count(*) FROM app.arts WHERE owner > 90 OR editor IS NULL OR reader > 90 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT * FROM t.orphans();
SELECT t.finish();

-- Targets: each once per person, in its normal spelling, without those that rows which stay name; in memory, or by a
-- statement where memory is short; asked by an index, or by a scan.
CREATE SCHEMA tgt; SET search_path = tgt, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
SET client_min_messages = warning;
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE docs (id int PRIMARY KEY, person int NOT NULL REFERENCES people ON DELETE CASCADE, path text, filler text);
INSERT INTO people SELECT generate_series(1, 200);
-- Paths of up to six characters out of "a", "/" and ".", so that all spellings meet; and longer ones.
INSERT INTO docs SELECT n, n * 7 % 200 + 1, CASE WHEN n % 50 > 0 THEN left(translate(md5(n::text), '0123456789abcdef', 'aaaaaa/////.....'), n % 7)
    || CASE WHEN n % 3 = 0 THEN repeat('b', 40) || n % 900 ELSE '' END END, repeat('x', 250) FROM generate_series(1, 4000) n;
CREATE INDEX ON docs (person);
ANALYZE docs;
SELECT vedfolnir_register_subject('people');
SELECT vedfolnir_add_cleanup('docs', 'file', '{path}');
CREATE FUNCTION normal(path text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT regexp_replace(regexp_replace(regexp_replace(path, '/(\.?/)+', '/', 'g'), '^(\./)+', ''), '(/\.?)+$', '') $$;
CREATE TABLE was AS SELECT * FROM docs;
CREATE FUNCTION wrong(first int, last int) RETURNS TABLE (missing bigint, surplus bigint, tasks bigint) LANGUAGE sql SET work_mem = '64MB' AS $$
    WITH own AS (SELECT DISTINCT person, normal(path) AS target FROM tgt.was WHERE person BETWEEN first AND last AND path IS NOT NULL),
    expected AS (SELECT person, target FROM own WHERE target NOT IN
        (SELECT normal(path) FROM tgt.was WHERE person NOT BETWEEN first AND last AND path IS NOT NULL)),
    found AS (SELECT p.person, t.target FROM vedfolnir.cleanup_task t
        JOIN (SELECT id, (row_number() OVER (ORDER BY id))::int + first - 1 AS person FROM vedfolnir.deletion) p ON p.id = t.deletion_id)
    SELECT (SELECT count(*) FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM found) e),
           (SELECT count(*) FROM (SELECT * FROM found EXCEPT ALL SELECT * FROM expected) f), (SELECT count(*) FROM found) $$;
CREATE FUNCTION try(first int, last int) RETURNS TABLE (missing bigint, surplus bigint, tasks bigint, kept text, dry_run_same bool)
LANGUAGE plpgsql AS $$
DECLARE keys text[] := ARRAY(SELECT g::text FROM generate_series(first, last) g); dry text; run text;
BEGIN
    SELECT string_agg(concat_ws(' ', row_count, note), ';' ORDER BY step) INTO dry FROM vedfolnir_delete_users(keys) WHERE action = 'enqueue';
    SELECT string_agg(concat_ws(' ', row_count, note), ';' ORDER BY step) INTO run FROM vedfolnir_delete_users(keys, false) WHERE action = 'enqueue';
    RETURN QUERY SELECT w.*, run, run = dry FROM tgt.wrong(first, last) w;
END $$;
-- Without an index.
BEGIN; SELECT * FROM try(2, 2); ROLLBACK;
BEGIN; SELECT * FROM try(1, 150); ROLLBACK;
SET work_mem = '64kB';
BEGIN; SELECT * FROM try(1, 150); ROLLBACK;
RESET work_mem;
-- With the index that the check asks for: few targets ask it, many scan all the same.
SELECT remedy FROM vedfolnir_check() WHERE code = 'missing_lookup_index';
DO $$ BEGIN EXECUTE (SELECT replace(remedy, ' CONCURRENTLY', '') FROM vedfolnir_check() WHERE code = 'missing_lookup_index'); END $$;
BEGIN; SELECT * FROM try(2, 2); ROLLBACK;
BEGIN; SELECT * FROM try(1, 150); ROLLBACK;
SET work_mem = '64kB';
BEGIN; SELECT * FROM try(1, 150); ROLLBACK;
RESET work_mem;
-- Another kind keeps every character, and a target that several people share is a task of each.
SELECT vedfolnir_add_cleanup('docs', 'redis_key', '{path}');
BEGIN;
SELECT relation, action, row_count FROM vedfolnir_delete_users(ARRAY(SELECT id::text FROM people), false) WHERE action = 'enqueue';
SELECT kind, count(*), count(DISTINCT target) FROM vedfolnir.cleanup_task GROUP BY kind ORDER BY kind;
SELECT count(*), count(DISTINCT target) FROM (SELECT DISTINCT person, path AS target FROM was WHERE path IS NOT NULL) x;
SELECT count(*), count(DISTINCT target) FROM (SELECT DISTINCT person, normal(path) AS target FROM was WHERE path IS NOT NULL) x;
ROLLBACK;
-- Rows that stay are given a new board: they then name its key, and no longer that of the old one. The dry run knows.
CREATE TABLE pins (id int PRIMARY KEY, person int NOT NULL REFERENCES people ON DELETE CASCADE, board int REFERENCES people);
INSERT INTO pins SELECT n, n % 200 + 1, CASE WHEN n % 200 < 150 AND n % 7 = 0 THEN 200 ELSE n / 2 % 150 + 1 END FROM generate_series(1, 4000) n;
SELECT vedfolnir_set_policy('pins', 'pins_board_fkey', 'reassign', reassign_to => '200');
SELECT vedfolnir_add_cleanup('pins', 'redis_key', 'board:{board}:' || repeat('x', 60), 'boards');
CREATE FUNCTION boards(dry boolean) RETURNS TABLE (tasks bigint, note text) LANGUAGE sql AS
    $$ SELECT row_count, note FROM vedfolnir_delete_users(ARRAY(SELECT id::text FROM tgt.people WHERE id <= 150), dry)
       WHERE action = 'enqueue' AND via = 'boards' $$;
BEGIN;
SELECT count(DISTINCT (person, board)) AS tasks FROM pins WHERE person <= 150 AND board <> 200;
SELECT * FROM boards(true);
SELECT * FROM boards(false);
ROLLBACK;
SET work_mem = '64kB';
BEGIN; SELECT * FROM boards(true); SELECT * FROM boards(false); ROLLBACK;
RESET work_mem;
SET client_min_messages = error;
DROP SCHEMA tgt CASCADE;
DROP EXTENSION vedfolnir;

-- More than a thousand keys are looked up in the indexes of a relation that is much larger: no scan reads the whole of it.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.post (id bigint PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.comment (id bigint PRIMARY KEY, post bigint REFERENCES app.post ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE,
                          above bigint REFERENCES app.comment ON DELETE CASCADE);
CREATE TABLE app.bookmark (id bigint PRIMARY KEY, post bigint REFERENCES app.post ON DELETE SET NULL);
CREATE TABLE app.code (id text PRIMARY KEY, post int REFERENCES app.post ON DELETE CASCADE);
CREATE TABLE app.use (id int PRIMARY KEY, code varchar REFERENCES app.code ON DELETE CASCADE);
CREATE INDEX ON app.post (u);
CREATE INDEX ON app.comment (post, id);
CREATE INDEX ON app.comment (u);
CREATE INDEX ON app.comment (above);
CREATE INDEX ON app.bookmark (post);
CREATE INDEX ON app.code (post);
CREATE INDEX ON app.use (code);
INSERT INTO app.users SELECT generate_series(1, 3);
-- Of user 1: 1,100 posts among 3,300; what hangs on them stands among 90,000 rows.
INSERT INTO app.post SELECT g, 1 + g % 3 FROM generate_series(1, 3300) g;
INSERT INTO app.comment SELECT g, CASE WHEN g % 25 = 0 THEN 1 + (g / 25) % 3300 END, CASE WHEN g % 9001 = 0 THEN 1 ELSE 2 END, CASE WHEN g % 25 = 1 THEN g - 1 END
    FROM generate_series(25, 90000) g;
INSERT INTO app.bookmark SELECT g, CASE WHEN g % 25 = 0 THEN 1 + (g / 25) % 3300 END FROM generate_series(1, 90000) g;
INSERT INTO app.code SELECT 'code ' || g, CASE WHEN g % 25 = 0 THEN 1 + (g / 25) % 3300 END FROM generate_series(1, 90000) g;
INSERT INTO app.use SELECT g, 'code ' || g FROM generate_series(1, 90000) g;
ANALYZE app.users, app.post, app.comment, app.bookmark, app.code, app.use;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.comment', 'comment_post_fkey', 'delete', collateral => 'delete'),
       vedfolnir_set_policy('app.comment', 'comment_u_fkey', 'delete', collateral => 'delete'),
       vedfolnir_set_policy('app.comment', 'comment_above_fkey', 'delete', collateral => 'delete');
-- Each code names a file, and another row might name the same one.
SELECT vedfolnir_add_cleanup('app.code', 'file', '{id}', 'files');
DO $$ BEGIN EXECUTE (SELECT replace(remedy, ' CONCURRENTLY', '') FROM vedfolnir_check() WHERE code = 'missing_lookup_index'); END $$;
ANALYZE app.code;
CREATE TABLE t.foreseen AS SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user('1');
TABLE t.foreseen ORDER BY step;
-- Rows that scans of whole relations have read; of the users, the test itself reads some.
CREATE FUNCTION t.scanned() RETURNS bigint LANGUAGE sql AS
    $$ SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE schemaname = 'app' AND relname <> 'users' $$;
BEGIN;
SELECT t.scanned() AS before \gset
SELECT count(*) FROM vedfolnir_delete_user('1');
SELECT t.scanned() - :before AS dry_run;
SELECT t.scanned() AS before \gset
SELECT count(*) FROM (SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user('1', false) EXCEPT TABLE t.foreseen) x;
SELECT t.scanned() - :before AS run;
SELECT md5(string_agg(s::text, ' ' ORDER BY relation)) AS ours FROM t.state() s \gset
ROLLBACK;
BEGIN;
DELETE FROM app.users WHERE id = 1;
SELECT md5(string_agg(s::text, ' ' ORDER BY relation)) = :'ours' AS as_native_does FROM t.state() s;
ROLLBACK;
SELECT t.finish();

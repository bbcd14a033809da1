-- Does a row that stays name the same file? check() asks for the index of that question on a large table (design 2.3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.photos (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, path varchar(200), token text, taken timestamptz, n int UNIQUE);
CREATE TABLE app.few (u int REFERENCES app.users ON DELETE CASCADE, path text);
CREATE INDEX ON app.photos (u);
INSERT INTO app.users VALUES (1);
INSERT INTO app.photos SELECT g, NULL, repeat('p', 150) || g, 't' || g, now(), g FROM generate_series(1, 6000) g;
INSERT INTO app.photos VALUES (0, 1, 'a//b', 't0', now(), 0);
ANALYZE app.photos, app.few;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.photos', 'file', '{path}');
SELECT vedfolnir_add_cleanup('app.photos', 'redis_key', '{token}');
-- No index: a subquery escapes the value, the text of a time depends on settings, a unique column names one row, the table is small.
SELECT vedfolnir_add_cleanup('app.photos', 'webhook', 'gone/{token}', 'w');
SELECT vedfolnir_add_cleanup('app.photos', 'redis_key', 'd/{taken}', 'times');
SELECT vedfolnir_add_cleanup('app.photos', 'redis_key', 'n/{n}', 'numbers');
SELECT vedfolnir_add_cleanup('app.few', 'file', '{path}', 'few');
\x
SELECT severity, object, message, remedy FROM vedfolnir_check() WHERE code = 'missing_lookup_index';
\x
-- With the indexes that it names nothing is missing, and the look-up uses them.
SELECT replace(string_agg(remedy, ' '), ' CONCURRENTLY', '') AS remedies FROM vedfolnir_check() WHERE code = 'missing_lookup_index' \gset
:remedies
ANALYZE app.photos;
SELECT count(*) FROM vedfolnir_check() WHERE code = 'missing_lookup_index';
SELECT relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT count(*) FROM pg_stat_user_indexes WHERE relid = 'app.photos'::regclass AND indexrelname !~ '_pkey|_u_idx|_n_key' AND idx_scan > 0;
-- Another collation is another order.
DROP INDEX app.photos_token_idx;
CREATE INDEX ON app.photos (token);
SELECT object FROM vedfolnir_check() WHERE code = 'missing_lookup_index';
SELECT t.finish();

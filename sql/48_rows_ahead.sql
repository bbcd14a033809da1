-- Where a reference stands in a row is known beforehand only for some rows: values of differing length, NULLs, dropped and added
-- columns move it. Each relation is read as a whole, since nothing has an index on what refers.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
INSERT INTO app.users SELECT generate_series(1, 4);
-- Rows of the users, with keys of several forms.
CREATE TABLE app.place (small smallint, letter "char", u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (small, letter));
CREATE TABLE app.term (day date, small smallint, u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (day, small));
CREATE TABLE app.code (code text PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.number (number uuid PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE FUNCTION t.letter(int) RETURNS "char" LANGUAGE sql AS 'SELECT chr(65 + $1 % 26)::"char"';
CREATE FUNCTION t.code(int) RETURNS text LANGUAGE sql AS 'SELECT repeat(md5($1::text), 1 + $1 % 7)';
INSERT INTO app.place SELECT g, t.letter(g), 1 + g % 4 FROM generate_series(0, 199) g;
INSERT INTO app.term SELECT date '2020-01-01' + g, g, 1 + g % 4 FROM generate_series(0, 199) g;
INSERT INTO app.code SELECT t.code(g), 1 + g % 4 FROM generate_series(0, 199) g;
INSERT INTO app.number SELECT md5(g::text)::uuid, 1 + g % 4 FROM generate_series(0, 199) g;
CREATE TABLE app.plain (flag boolean, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.plain SELECT true, 1 + g % 4 FROM generate_series(1, 500) g;
CREATE TABLE app.after_text (word text, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.after_text SELECT repeat('x', g % 9), 1 + g % 4 FROM generate_series(1, 500) g;
CREATE TABLE app.after_null (a int, b bigint, u int REFERENCES app.users ON DELETE CASCADE, c int);
INSERT INTO app.after_null SELECT CASE WHEN g % 3 > 0 THEN 1 END, CASE WHEN g % 5 > 0 THEN 1 END, CASE WHEN g % 7 > 0 THEN 1 + g % 4 END, NULL
    FROM generate_series(1, 500) g;
-- The bitmap of NULLs has more than a byte.
CREATE TABLE app.wide (a int, b int, c int, d int, e int, f int, g int, h int, i int, u int REFERENCES app.users ON DELETE CASCADE, j int);
INSERT INTO app.wide SELECT 1, 1, 1, 1, 1, 1, 1, CASE WHEN g % 3 > 0 THEN 1 END, CASE WHEN g % 5 > 0 THEN 1 END, 1 + g % 4, NULL FROM generate_series(1, 500) g;
CREATE TABLE app.dropped (gone bigint, a smallint, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.dropped SELECT 1, 1, 1 + g % 4 FROM generate_series(1, 250) g;
ALTER TABLE app.dropped DROP COLUMN gone;
INSERT INTO app.dropped SELECT 1, 1 + g % 4 FROM generate_series(1, 250) g;
-- Older rows do not hold a column that was added; its default refers to user 1.
CREATE TABLE app.added (a int);
INSERT INTO app.added SELECT g FROM generate_series(1, 250) g;
ALTER TABLE app.added ADD COLUMN u int DEFAULT 1 REFERENCES app.users ON DELETE CASCADE;
INSERT INTO app.added SELECT g, 1 + g % 4 FROM generate_series(1, 250) g;
-- Columns in another order than the key's, with a gap before the longer one.
CREATE TABLE app.pair (letter "char", small smallint, FOREIGN KEY (small, letter) REFERENCES app.place ON DELETE CASCADE);
INSERT INTO app.pair SELECT t.letter(g % 200), g % 200 FROM generate_series(1, 600) g;
CREATE TABLE app.gap (small smallint, day date, extra smallint, FOREIGN KEY (day, small) REFERENCES app.term ON DELETE CASCADE);
INSERT INTO app.gap SELECT g % 200, date '2020-01-01' + g % 200, 1 FROM generate_series(1, 600) g;
CREATE TABLE app.numbered (flag boolean, number uuid REFERENCES app.number ON DELETE CASCADE);
INSERT INTO app.numbered SELECT true, CASE WHEN g % 3 > 0 THEN md5((g % 200)::text)::uuid END FROM generate_series(1, 600) g;
-- Texts with short and long headers, at a place that is aligned and at one that is not.
CREATE TABLE app.text_first (code text REFERENCES app.code ON DELETE CASCADE, u int);
INSERT INTO app.text_first SELECT t.code(g % 200), 1 FROM generate_series(1, 600) g;
CREATE TABLE app.text_later (small smallint, code varchar REFERENCES app.code ON DELETE CASCADE);
INSERT INTO app.text_later SELECT 1, t.code(g % 200) FROM generate_series(1, 600) g;
-- A partition with the columns in another order.
CREATE TABLE app.part (small smallint, u int REFERENCES app.users ON DELETE CASCADE, b bigint) PARTITION BY RANGE (small);
CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES FROM (0) TO (100);
CREATE TABLE app.part_2 (b bigint, small smallint, u int);
ALTER TABLE app.part ATTACH PARTITION app.part_2 FOR VALUES FROM (100) TO (300);
INSERT INTO app.part SELECT g % 200, 1 + g % 4, g FROM generate_series(1, 600) g;
ANALYZE;
SELECT vedfolnir_register_subject('app.users');
SELECT relation, row_count FROM vedfolnir_delete_user('1') WHERE row_count > 0 ORDER BY 1, 2;
BEGIN;
CREATE TEMPORARY TABLE native AS SELECT s::text FROM t.state() s WITH NO DATA;
DELETE FROM app.users WHERE id = 1;
INSERT INTO native SELECT s::text FROM t.state() s;
SELECT md5(string_agg(s, ' ' ORDER BY s)) AS native FROM native \gset
ROLLBACK;
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user('1', false);
SELECT md5(string_agg(s::text, ' ' ORDER BY s::text)) = :'native' AS as_native_does FROM t.state() s;
ROLLBACK;
SELECT t.finish();

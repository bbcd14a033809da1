-- What only one partition demands is known before as well, and what a row meets that moves (R9, R11).
\set ECHO none
\i test/support/regress.sql
\i test/support/promise.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.p (gone int, id int, k int, u int REFERENCES app.users ON DELETE SET NULL, n int, w text CONSTRAINT all_short CHECK (length(w) < 9))
    PARTITION BY LIST (k);
ALTER TABLE app.p DROP COLUMN gone;
CREATE TABLE app.p1 PARTITION OF app.p FOR VALUES IN (1);
CREATE TABLE app.p2 (w text, n int, u int, k int, id int, CONSTRAINT all_short CHECK (length(w) < 9));
ALTER TABLE app.p ATTACH PARTITION app.p2 FOR VALUES IN (2);
CREATE TABLE app.p3 PARTITION OF app.p FOR VALUES IN (3, 4) PARTITION BY RANGE (id);
CREATE TABLE app.p3_low PARTITION OF app.p3 FOR VALUES FROM (0) TO (100);
CREATE UNIQUE INDEX p3_n ON app.p3 (id, k, n) NULLS NOT DISTINCT;
CREATE INDEX ON app.p (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.p VALUES (1, 1, 1, 1, 'a'), (2, 2, 1, 1, 'b'), (3, 2, 1, 2, 'c'), (9, 2, 1, 3, 'd'), (10, 2, 2, 7, 'e'), (11, 3, 1, 1, 'f'), (12, 3, NULL, 8, 'g');
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
-- A check, NOT NULL of the reference itself, of a rule's column, and unique indexes: on the root, on a part of the tree, on a leaf.
ALTER TABLE app.p2 ADD CONSTRAINT two CHECK (u IS NOT NULL OR id > 5);
SELECT * FROM t.both();
ALTER TABLE app.p2 DROP CONSTRAINT two, ALTER u SET NOT NULL;
SELECT * FROM t.both();
ALTER TABLE app.p2 ALTER u DROP NOT NULL, ALTER n SET NOT NULL;
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'n', 'NULLIF(n, 1)', edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'n', '7', edge => 'p_u_fkey');
SELECT * FROM t.both();
CREATE UNIQUE INDEX p2_n ON app.p2 (n) WHERE u IS NULL OR u = 2;
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'n', 'CASE WHEN k = 2 THEN id + 1 ELSE n END', edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'n', 'CASE WHEN id = 3 THEN 7 ELSE id END', edge => 'p_u_fkey');
SELECT * FROM t.both();
-- What all have is told once.
SELECT vedfolnir_set_column('app.p', 'n', NULL, edge => 'p_u_fkey');
SELECT vedfolnir_set_column('app.p', 'w', '''much too long''', edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'w', NULL, edge => 'p_u_fkey');
-- A row that moves meets what is demanded where it goes.
ALTER TABLE app.p1 ADD CONSTRAINT small CHECK (id < 3);
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'k', '1', edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'k', 'CASE WHEN id < 3 THEN 1 ELSE 4 END', edge => 'p_u_fkey');
SELECT * FROM t.both();
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass, * FROM app.p ORDER BY id;
ROLLBACK;
INSERT INTO app.p VALUES (3, 4, NULL, 2, 'x');
SELECT * FROM t.both();
DELETE FROM app.p WHERE w = 'x';
-- ... or nowhere
SELECT vedfolnir_set_column('app.p', 'k', 'id', edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'id', '100', edge => 'p_u_fkey');
SELECT vedfolnir_set_column('app.p', 'k', NULL, edge => 'p_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.p', 'id', '(random() * 50)::int', edge => 'p_u_fkey');
SELECT t.masked(note) FROM vedfolnir_delete_user(1) WHERE via = 'p_u_fkey';
SELECT t.fresh();

-- Hash partitions, the reference itself as the key of partitions, and a default partition that takes every row.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.h (id int, u int REFERENCES app.users ON DELETE SET NULL) PARTITION BY HASH (u);
CREATE TABLE app.h0 PARTITION OF app.h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.h1 PARTITION OF app.h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.l (id int, u int REFERENCES app.users ON DELETE SET NULL) PARTITION BY LIST (u);
CREATE TABLE app.l1 PARTITION OF app.l FOR VALUES IN (1, 2);
CREATE TABLE app.d (id int, u int REFERENCES app.users ON DELETE SET NULL) PARTITION BY LIST (u);
CREATE TABLE app.d1 PARTITION OF app.d FOR VALUES IN (1, 2);
CREATE TABLE app.d2 (u int, id int CONSTRAINT few CHECK (id < 3));
ALTER TABLE app.d ATTACH PARTITION app.d2 DEFAULT;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.h SELECT n, 1 + n % 2 FROM generate_series(1, 10) n;
INSERT INTO app.l VALUES (1, 1), (2, 2);
INSERT INTO app.d VALUES (1, 1), (2, 2), (3, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
DELETE FROM app.d WHERE id = 3;
CREATE TABLE app.l2 PARTITION OF app.l FOR VALUES IN (NULL);
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass, count(*) FROM (SELECT tableoid FROM app.h UNION ALL SELECT tableoid FROM app.l UNION ALL SELECT tableoid FROM app.d) x
    GROUP BY 1 ORDER BY tableoid::regclass::text COLLATE "C";
SELECT t.finish();

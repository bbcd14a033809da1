-- Shapes of keys: composite, to UNIQUE, MATCH, SET NULL (columns), SET DEFAULT, several on one column (R6, R7, R9, R10, R13, R14, R21).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- R6: composite keys; MATCH SIMPLE with a NULL part refers to nothing, MATCH FULL knows no parts.
CREATE TABLE app.users (tenant int, id int UNIQUE, PRIMARY KEY (tenant, id));
CREATE TABLE app.simple (n int, tenant int, u int, FOREIGN KEY (tenant, u) REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.swapped (n int, u int, tenant int, FOREIGN KEY (u, tenant) REFERENCES app.users (id, tenant) ON DELETE CASCADE);
CREATE TABLE app.whole (n int, tenant int, u int, FOREIGN KEY (tenant, u) REFERENCES app.users MATCH FULL ON DELETE SET NULL);
INSERT INTO app.users VALUES (1, 1), (1, 2), (2, 3);
INSERT INTO app.simple VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 1), (4, NULL, NULL), (5, 1, 2), (6, 99, NULL);
INSERT INTO app.swapped SELECT n, u, tenant FROM app.simple;
INSERT INTO app.whole VALUES (1, 1, 1), (4, NULL, NULL), (5, 1, 2);
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.simple ORDER BY n;
TABLE app.swapped ORDER BY n;
TABLE app.whole ORDER BY n;
-- ... and is reported where its other part is the person's key.
SELECT * FROM vedfolnir_verify_user(1) ORDER BY kind, relation;
SELECT t.fresh();

-- R6: nullify by policy. One NULL clears a MATCH SIMPLE reference; MATCH FULL needs all of them.
CREATE TABLE app.users (tenant int, id int UNIQUE, PRIMARY KEY (tenant, id));
CREATE TABLE app.simple (tenant int NOT NULL, u int, FOREIGN KEY (tenant, u) REFERENCES app.users);
CREATE TABLE app.whole (tenant int, u int, FOREIGN KEY (tenant, u) REFERENCES app.users MATCH FULL);
CREATE TABLE app.stuck (tenant int NOT NULL, u int, FOREIGN KEY (tenant, u) REFERENCES app.users MATCH FULL);
INSERT INTO app.users VALUES (1, 1), (1, 2);
INSERT INTO app.simple VALUES (1, 1);
INSERT INTO app.whole VALUES (1, 1);
INSERT INTO app.stuck VALUES (1, 2);
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT vedfolnir_set_policy('app.simple', 'simple_tenant_u_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.whole', 'whole_tenant_u_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.stuck', 'stuck_tenant_u_fkey', 'nullify');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.simple;
TABLE app.whole;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT step, relation, via, action, row_count FROM t.dry('2') WHERE action = 'block' ORDER BY step;
SELECT t.fresh();

-- R9: SET NULL (columns) and SET DEFAULT (columns) of the declared action
CREATE TABLE app.users (tenant int, id int UNIQUE, PRIMARY KEY (tenant, id));
CREATE TABLE app.part (n int, tenant int NOT NULL, u int, FOREIGN KEY (tenant, u) REFERENCES app.users ON DELETE SET NULL (u));
CREATE TABLE app.part_default (n int, tenant int NOT NULL DEFAULT 77, u int DEFAULT 9, FOREIGN KEY (tenant, u) REFERENCES app.users ON DELETE SET DEFAULT (u));
CREATE TABLE app.all_null (n int, tenant int NOT NULL, u int, FOREIGN KEY (tenant, u) REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.users VALUES (1, 1), (1, 9), (2, 2);
INSERT INTO app.part VALUES (1, 1, 1), (2, 1, 9);
INSERT INTO app.part_default SELECT * FROM app.part;
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.part ORDER BY n;
TABLE app.part_default ORDER BY n;
-- The declared SET NULL reaches a NOT NULL column: natively the deletion fails; here it is predicted. Section 4 item 2
INSERT INTO app.all_null VALUES (1, 2, 2);
SELECT * FROM t.dry('2') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- R9: SET DEFAULT: to a row that is there, to one that is not (predicted), to the row that goes (predicted), to NULL
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.d9 (n int, u int DEFAULT 9 REFERENCES app.users ON DELETE SET DEFAULT);
CREATE TABLE app.dnull (n int, u int REFERENCES app.users ON DELETE SET DEFAULT);
CREATE TABLE app.dexpr (n int, u int DEFAULT length('123456789') REFERENCES app.users ON DELETE SET DEFAULT);
INSERT INTO app.users VALUES (1), (2), (9);
INSERT INTO app.d9 VALUES (1, 1), (2, 2);
INSERT INTO app.dnull VALUES (1, 1);
INSERT INTO app.dexpr VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.d9 ORDER BY n;
TABLE app.dnull ORDER BY n;
TABLE app.dexpr ORDER BY n;
SELECT step, relation, via, action, row_count FROM t.dry('9') WHERE action = 'block' ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(9, false)');
DELETE FROM app.d9 WHERE u = 9; DELETE FROM app.dexpr; DELETE FROM app.users WHERE id = 9;
SELECT step, relation, via, action, row_count FROM t.dry('2') WHERE action = 'block' ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- R7 and section 4 item 6: several keys between two tables, and two keys with different actions on one column:
-- delete > reassign > nullify > default > retain, whatever was created first.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.b_first_null (n int, u int DEFAULT 9 CONSTRAINT x REFERENCES app.users ON DELETE SET NULL CONSTRAINT y REFERENCES app.users ON DELETE SET DEFAULT);
CREATE TABLE app.a_first_default (n int, u int DEFAULT 9 CONSTRAINT x REFERENCES app.users ON DELETE SET DEFAULT CONSTRAINT y REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.c_cascade (n int, u int CONSTRAINT x REFERENCES app.users ON DELETE SET NULL CONSTRAINT y REFERENCES app.users ON DELETE CASCADE CONSTRAINT z REFERENCES app.users);
CREATE TABLE app.d_moved (n int, u int CONSTRAINT x REFERENCES app.users ON DELETE SET NULL CONSTRAINT y REFERENCES app.users);
CREATE TABLE app.e_four (n int, a int REFERENCES app.users ON DELETE CASCADE, b int REFERENCES app.users ON DELETE CASCADE, c int REFERENCES app.users ON DELETE SET NULL, d int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.f_blocked (n int, u int CONSTRAINT x REFERENCES app.users ON DELETE SET NULL CONSTRAINT y REFERENCES app.users ON DELETE RESTRICT);
INSERT INTO app.users VALUES (1), (2), (9);
INSERT INTO app.b_first_null VALUES (1, 1), (2, 2);
INSERT INTO app.a_first_default VALUES (1, 1), (2, 2);
INSERT INTO app.c_cascade VALUES (1, 1), (2, 2);
INSERT INTO app.d_moved VALUES (1, 1), (2, 2);
INSERT INTO app.e_four VALUES (1, 1, 1, 1, 1), (2, 1, NULL, 2, 2), (3, NULL, NULL, 1, 1), (4, NULL, NULL, 1, 2), (5, NULL, 1, NULL, NULL);
INSERT INTO app.f_blocked VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.d_moved', 'y', 'reassign', reassign_to => '9');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.a_first_default ORDER BY n;
TABLE app.b_first_null ORDER BY n;
TABLE app.c_cascade ORDER BY n;
TABLE app.d_moved ORDER BY n;
TABLE app.e_four ORDER BY n;
TABLE app.f_blocked ORDER BY n;
SELECT t.fresh();

-- Section 4 item 1: a row nulled through two keys while a deeper SET NULL is pending; natively it fails.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.b (id int, u int REFERENCES app.users ON DELETE SET NULL, a int REFERENCES app.a ON DELETE SET NULL, a2 int REFERENCES app.a ON DELETE SET NULL);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.a VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO app.b VALUES (1, 1, 1, 2), (2, 2, 1, 3), (3, 1, 3, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.b ORDER BY id;
SELECT t.fresh();

-- R13: generated referring columns, dropped columns, very wide and very narrow tables. R14: no primary key, doubles.
CREATE TABLE app.users (gone1 int, id int PRIMARY KEY, gone2 text);
ALTER TABLE app.users DROP COLUMN gone1, DROP COLUMN gone2;
CREATE TABLE app.gen (x text, raw int, u int GENERATED ALWAYS AS (raw / 10) STORED REFERENCES app.users ON DELETE CASCADE);
ALTER TABLE app.gen DROP COLUMN x;
CREATE TABLE app.gen_blocked (raw int, u int GENERATED ALWAYS AS (raw / 10) STORED REFERENCES app.users);
CREATE TABLE app.shifted (x text, y text, u int REFERENCES app.users ON DELETE SET NULL, keep text);
ALTER TABLE app.shifted DROP COLUMN x, DROP COLUMN y;
CREATE TABLE app.doubles (u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.gen (raw) VALUES (10), (11), (20);
INSERT INTO app.gen_blocked (raw) VALUES (20);
INSERT INTO app.shifted VALUES (1, 'k1'), (2, 'k2'), (1, 'k3');
INSERT INTO app.doubles VALUES (1, 2), (1, 2), (1, 1), (2, 1), (2, 1), (NULL, 1);
DO $$ BEGIN EXECUTE 'CREATE TABLE app.wide (' || (SELECT string_agg(format('c%s bool', g), ', ') FROM generate_series(1, 1599) g) || ', u int REFERENCES app.users ON DELETE CASCADE)'; END $$;
INSERT INTO app.wide (u, c1599) VALUES (1, true), (2, true);
CREATE TABLE app.none ();
INSERT INTO app.none DEFAULT VALUES;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.gen_blocked', 'gen_blocked_u_fkey', 'nullify');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
TABLE app.doubles ORDER BY u, v;
TABLE app.shifted ORDER BY keep;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- R10: a NOT VALID key is a key; rows that refer to nobody are left alone.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.old (u int, v int);
INSERT INTO app.old VALUES (1, 5), (77, 5), (1, NULL);
ALTER TABLE app.old ADD CONSTRAINT old_u FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE NOT VALID;
ALTER TABLE app.old ADD CONSTRAINT old_v FOREIGN KEY (v) REFERENCES app.users ON DELETE CASCADE NOT VALID;
INSERT INTO app.users VALUES (1), (2);
SELECT vedfolnir_register_subject('app.users');
-- v = 5 refers to no row, so it belongs to nobody else: no collateral.
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.old ORDER BY u;
-- ... and reported.
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(1) ORDER BY kind, relation, via;
SELECT t.fresh();

-- R21 and section 4 item 8: deferrable keys, also initially deferred: an error comes inside the call, by name.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.later (id int PRIMARY KEY, u int CONSTRAINT later_u REFERENCES app.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.deep (l int CONSTRAINT deep_l REFERENCES app.later DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.outside (id int PRIMARY KEY, p int CONSTRAINT outside_p REFERENCES app.outside DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.moved (u int CONSTRAINT moved_u REFERENCES app.users DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.later VALUES (1, 1), (2, 2);
INSERT INTO app.moved VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.moved', 'moved_u', 'reassign', reassign_to => '2');
SELECT vedfolnir_set_policy('app.deep', 'deep_l', 'delete');
SELECT * FROM t.run('1') ORDER BY step;
-- A constraint of somebody else's statement stays deferred: only what the call touched is checked.
BEGIN;
INSERT INTO app.outside VALUES (1, 99);
SELECT vedfolnir_set_policy('app.moved', 'moved_u', 'delete');
SELECT count(*) FROM vedfolnir_delete_user(2, false);
UPDATE app.outside SET p = 1;
COMMIT;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
-- A violation that the caller left behind in a key that the call walks is told inside the call.
INSERT INTO app.users VALUES (3);
BEGIN;
INSERT INTO app.later VALUES (3, 3), (4, 44);
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
ROLLBACK;
SELECT t.fresh();

-- A deferrable unique constraint is no trigger of the application; references chained through it are cleared one by one.
CREATE TABLE app.users (id int PRIMARY KEY, mentor int UNIQUE DEFERRABLE INITIALLY DEFERRED REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.users VALUES (1, NULL), (2, 1), (3, 2), (4, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('2') ORDER BY step;
TABLE app.users ORDER BY id;
SELECT t.finish();

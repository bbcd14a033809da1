-- Tables of other kinds: inheritance, unlogged, temporary, foreign, views, shared primary keys, many tables (R12, R14, R16, R17, R22).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- R12: inheritance: keys are not inherited; a table that inherits the columns is walked as if it had the key.
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.vip_users (level int) INHERITS (app.users);
CREATE TABLE app.posts (id int, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.pinned_posts (rank int) INHERITS (app.posts);
CREATE TABLE app.keyed_posts () INHERITS (app.posts);
ALTER TABLE app.keyed_posts ADD CONSTRAINT keyed FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE;
INSERT INTO app.users VALUES (1, 'a'), (2, 'b');
INSERT INTO app.vip_users VALUES (1, 'same number', 1), (3, 'c', 1);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
INSERT INTO app.pinned_posts VALUES (3, 1, 1);
INSERT INTO app.keyed_posts VALUES (4, 1), (5, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT severity, object, message, remedy FROM vedfolnir_check() WHERE code = 'inheriting_table' ORDER BY object;
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
TABLE app.pinned_posts;
-- A person of the inheriting table is none of the parent's.
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
SELECT t.fresh();

-- What is declared for a table holds for the tables that inherit from it, two levels down as well: policies with their
-- collateral, clean-up rules, column rules. A policy of the inheriting table's own goes before it.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int, owner int REFERENCES app.users, editor int REFERENCES app.users, path text);
CREATE TABLE app.pinned (rank int) INHERITS (app.posts);
CREATE TABLE app.framed (frame int) INHERITS (app.pinned);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1, 2, 'a'), (2, 2, 1, 'b');
INSERT INTO app.pinned VALUES (3, 1, 2, 'c'), (4, 2, 1, 'd');
INSERT INTO app.framed VALUES (5, 1, 1, 'e'), (6, 2, 2, 'c');
SELECT vedfolnir_register_subject('app.users');
SELECT object, remedy FROM vedfolnir_check() WHERE code = 'undeclared_edge' ORDER BY object;
SELECT vedfolnir_set_policy('app.posts', 'posts_owner_fkey', 'delete'), vedfolnir_set_policy('app.posts', 'posts_editor_fkey', 'nullify'),
    vedfolnir_add_cleanup('app.posts', 'file', '{path}'), vedfolnir_set_column('app.posts', 'path', '''-''', edge => 'posts_editor_fkey');
SELECT count(*) FROM vedfolnir_check() WHERE severity = 'error';
SELECT vedfolnir_set_policy('app.framed', 'posts_owner_fkey', 'block');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.framed', 'posts_owner_fkey', 'delete');
SELECT * FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass, id, owner, editor, path FROM app.posts ORDER BY id;
SELECT target FROM vedfolnir.cleanup_task ORDER BY target;
SELECT t.fresh();

-- A key of a table in between goes before the one above it, for what inherits from both; an inherited key can be reassigned
-- for one table alone; two inherited keys of one name have a column rule each.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int, owner int CONSTRAINT owned REFERENCES app.users, note text);
CREATE TABLE app.pinned (CONSTRAINT owned FOREIGN KEY (owner) REFERENCES app.users ON DELETE SET NULL) INHERITS (app.posts);
CREATE TABLE app.framed () INHERITS (app.pinned);
CREATE TABLE app.drafts () INHERITS (app.posts);
CREATE TABLE app.marks (marker int CONSTRAINT owned REFERENCES app.users);
CREATE TABLE app.marked () INHERITS (app.drafts, app.marks);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.pinned VALUES (1, 1, 'a');
INSERT INTO app.framed VALUES (2, 1, 'b');
INSERT INTO app.drafts VALUES (3, 1, 'c');
INSERT INTO app.marked VALUES (4, 1, 'd', 2), (5, 2, 'e', 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.posts', 'owned', 'block'), vedfolnir_set_policy('app.marks', 'owned', 'nullify'),
    vedfolnir_set_policy('app.marked', 'owned', 'nullify'), vedfolnir_set_column('app.marked', 'note', '''-''', edge => 'owned');
SELECT vedfolnir_set_policy('app.drafts', 'owned', 'reassign', reassign_to => '2');
SELECT code, message FROM t.refused('SELECT vedfolnir_add_link(''owned'', ''app.marked'', ''app.users'', columns => ''{id}'')');
SELECT * FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass, id, owner, note FROM app.posts ORDER BY id;
SELECT * FROM app.marked ORDER BY id;
SELECT t.fresh();

-- R16: unlogged children are deleted; the evidence itself is logged. Temporary tables are nobody's children.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE UNLOGGED TABLE app.fast (u int);
CREATE TEMP TABLE fast (u int);
ALTER TABLE app.users SET LOGGED;
INSERT INTO app.users VALUES (1);
INSERT INTO app.fast VALUES (1), (2);
INSERT INTO pg_temp.fast VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('fast', 'app.fast', 'app.users', columns => '{u}', action => 'delete');
SELECT code FROM t.refused('SELECT vedfolnir_add_link(''temp'', ''pg_temp.fast'', ''app.users'', columns => ''{u}'')');
SELECT * FROM t.run('1') ORDER BY step;
SELECT (SELECT count(*) FROM app.fast) AS unlogged, (SELECT count(*) FROM pg_temp.fast) AS temporary;
SELECT relname, relpersistence FROM pg_class WHERE relnamespace = 'vedfolnir'::regnamespace AND relkind IN ('r', 'S') AND relpersistence <> 'p';
DROP TABLE pg_temp.fast;
SELECT t.fresh();
-- An unlogged root with an unlogged child by key
CREATE UNLOGGED TABLE app.users (id int PRIMARY KEY);
CREATE UNLOGGED TABLE app.posts (u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1);
INSERT INTO app.posts VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT t.fresh();

-- R17: views, materialised views and foreign tables are no tables to delete from; they are refused when declared, and an
-- updatable view over a walked table does no harm. Partitions that are foreign block when rows stand there.
CREATE EXTENSION postgres_fdw SCHEMA public;
CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'nowhere');
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE VIEW app.v AS SELECT id AS u FROM app.users;
CREATE MATERIALIZED VIEW app.m AS SELECT id AS u FROM app.users;
CREATE FOREIGN TABLE app.f (u int) SERVER nowhere;
INSERT INTO app.users VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''l'', ''app.v'', ''app.users'', columns => ''{u}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''l'', ''app.m'', ''app.users'', columns => ''{u}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''l'', ''app.f'', ''app.users'', columns => ''{u}'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.v'', ''l'', ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.f'', ''file'', ''{u}'')');
SELECT * FROM t.run('1') ORDER BY step;
SELECT t.fresh();
DROP EXTENSION postgres_fdw CASCADE;

-- Section 4 item 7: primary keys that are shared one to one, several levels down.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.people (id int PRIMARY KEY REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.staff (id int PRIMARY KEY REFERENCES app.people ON DELETE CASCADE, boss int REFERENCES app.staff ON DELETE SET NULL);
CREATE TABLE app.doctors (id int PRIMARY KEY REFERENCES app.staff ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.people SELECT * FROM app.users;
INSERT INTO app.staff VALUES (1, 1), (2, 1);
INSERT INTO app.doctors SELECT * FROM app.users;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.staff;
SELECT t.fresh();

-- R22: a hundred levels, 300 tables beside each other, and no more locks than tables with rows.
DO $$ BEGIN
    CREATE TABLE app.users (id int PRIMARY KEY);
    CREATE TABLE app.l0 (id int PRIMARY KEY REFERENCES app.users ON DELETE CASCADE);
    FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE app.l%s (id int PRIMARY KEY REFERENCES app.l%s ON DELETE CASCADE)', i, i - 1); END LOOP;
    FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE app.s%s (u int REFERENCES app.users ON DELETE CASCADE)', i); END LOOP;
    INSERT INTO app.users VALUES (1), (2);
    INSERT INTO app.l0 VALUES (1), (2);
    FOR i IN 1..100 LOOP EXECUTE format('INSERT INTO app.l%s VALUES (1), (2)', i); END LOOP;
    INSERT INTO app.s7 VALUES (1), (1), (2);
END $$;
SELECT vedfolnir_register_subject('app.users');
SELECT count(*), sum(row_count), bool_and(row_count = 1 OR relation = 'app.s7') AS as_expected FROM t.dry('1');
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
-- 402 tables are asked, and each is locked for change; beyond tables and their indexes there is a constant.
SELECT count(*) FILTER (WHERE mode = 'RowExclusiveLock' AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r')) AS changed,
    count(*) < 402 * 3 + 100 AS few FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid();
ROLLBACK;
-- A dry run takes none that is in anybody's way.
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(1);
SELECT DISTINCT mode FROM pg_locks WHERE locktype IN ('relation', 'tuple', 'advisory') AND pid = pg_backend_pid();
COMMIT;
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
SELECT sum(row_count) FROM t.counts();
COMMIT;
-- A column that was added later, a table that was made later: the next call sees them.
ALTER TABLE app.s1 ADD v int REFERENCES app.users ON DELETE CASCADE;
INSERT INTO app.s1 VALUES (NULL, 2);
CREATE TABLE app.new (u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.new VALUES (2);
SELECT relation, via, row_count FROM vedfolnir_delete_user(2, false) WHERE relation ~ 's1|new|s7' ORDER BY step;
SELECT sum(row_count) FROM t.counts();
SELECT t.finish();

-- Predicted in the dry run: disabled RI triggers, replica identity, missing indexes, unsafe states (R4, R9, R10, R20, R23, R25).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.comments (id int, post int REFERENCES app.posts ON DELETE CASCADE);
CREATE TABLE app.other (id int PRIMARY KEY);
CREATE TABLE app.other_child (o int REFERENCES app.other ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
INSERT INTO app.notes VALUES (1, 1);
INSERT INTO app.comments VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users');
-- R4: a disabled RI trigger on a table of the walk blocks; elsewhere it does not matter.
ALTER TABLE app.other_child DISABLE TRIGGER ALL;
ALTER TABLE app.posts DISABLE TRIGGER ALL;
SELECT step, relation, via, action, row_count, substring(note FROM '^[^:]*') AS note FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ALTER TABLE app.posts ENABLE TRIGGER ALL;
ALTER TABLE app.users DISABLE TRIGGER ALL;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT step, relation, via, action, row_count FROM t.dry('1') WHERE action = 'block' ORDER BY step;
-- allow_unsafe is the way past it.
BEGIN;
SET LOCAL vedfolnir.allow_unsafe = on;
SELECT * FROM t.run('1') ORDER BY step;
ROLLBACK;
ALTER TABLE app.users ENABLE TRIGGER ALL;
-- R4: session_replication_role other than origin: VF005, unless allowed.
BEGIN;
SET LOCAL session_replication_role = replica;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT count(*) FROM vedfolnir_delete_user(1);
SET LOCAL vedfolnir.allow_unsafe = on;
SELECT action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = local;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ROLLBACK;
-- R20: a publication that forbids DELETE or UPDATE for want of a replica identity is predicted. The walk goes on.
CREATE PUBLICATION regress_comments FOR TABLE app.comments;
SELECT step, relation, via, action, row_count, note FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- A person without rows there is not concerned.
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('2') ORDER BY step;
ROLLBACK;
ALTER PUBLICATION regress_comments SET (publish = 'insert');
BEGIN;
SELECT count(*) FROM t.run('1');
ROLLBACK;
ALTER PUBLICATION regress_comments SET (publish = 'insert, update, delete');
ALTER TABLE app.comments REPLICA IDENTITY FULL;
BEGIN;
SELECT count(*) FROM t.run('1');
ROLLBACK;
DROP PUBLICATION regress_comments;
-- ... on the root table, and where only an update is meant
CREATE TABLE app.people (id int UNIQUE NOT NULL);
CREATE TABLE app.hints (p int REFERENCES app.people (id) ON DELETE SET NULL, n int);
INSERT INTO app.people VALUES (1), (2);
INSERT INTO app.hints VALUES (1, 1);
SELECT vedfolnir_register_subject('app.people', 'id', subject => 'person');
CREATE PUBLICATION regress_people FOR TABLE app.people WITH (publish = 'delete');
SELECT step, relation, via, action, row_count, note FROM t.dry('1', 'person') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, subject => ''person'')');
DROP PUBLICATION regress_people;
CREATE PUBLICATION regress_hints FOR TABLE app.hints WITH (publish = 'update');
SELECT step, relation, via, action, row_count, note FROM t.dry('1', 'person') ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, subject => ''person'')');
DROP PUBLICATION regress_hints;
SELECT * FROM t.run('1', 'person') ORDER BY step;
-- ... and for what a publication filters or leaves out, of partitions too, and of rows that are kept but changed.
CREATE TABLE app.filtered (id int PRIMARY KEY, p int REFERENCES app.people (id) ON DELETE CASCADE, n int);
CREATE TABLE app.listed (id int PRIMARY KEY, p int REFERENCES app.people (id) ON DELETE SET NULL);
CREATE TABLE app.parted (id int PRIMARY KEY, p int REFERENCES app.people (id) ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES FROM (10) TO (20);
CREATE TABLE app.kept (p int REFERENCES app.people (id), note text);
INSERT INTO app.filtered VALUES (1, 2, 1);
INSERT INTO app.listed VALUES (1, 2);
INSERT INTO app.parted VALUES (1, 2), (11, 2);
INSERT INTO app.kept VALUES (2, 'x');
ALTER TABLE app.parted_1 REPLICA IDENTITY NOTHING;
ALTER TABLE app.parted_2 REPLICA IDENTITY NOTHING;
CREATE PUBLICATION regress_filtered FOR TABLE app.filtered WHERE (n = 1);
CREATE PUBLICATION regress_listed FOR TABLE app.listed (p);
CREATE PUBLICATION regress_parted FOR TABLE app.parted, app.kept;
SELECT vedfolnir_register_subject('app.people', 'id', mode => 'tombstone', subject => 'person');
SELECT vedfolnir_set_policy('app.kept', 'kept_p_fkey', 'retain', subject => 'person'), vedfolnir_set_column('app.kept', 'note', 'NULL', 'kept_p_fkey', subject => 'person');
SELECT relation, via, row_count, note FROM t.dry('2', 'person') WHERE action = 'block' ORDER BY step;
SELECT code, detail, hint FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false, subject => ''person'')');
SELECT object, message, remedy FROM vedfolnir_check('person') WHERE code = 'no_replica_identity';
-- The remedies are enough, but for a list of columns.
SELECT remedy FROM vedfolnir_check('person') WHERE code = 'no_replica_identity' \gexec
DROP PUBLICATION regress_listed;
SELECT relation, via, action, row_count, note FROM t.run('2', 'person') ORDER BY step;
DROP PUBLICATION regress_filtered, regress_parted;
SELECT t.fresh();

-- R23, section 4 item 9: an edge without a usable index is noted with the call that makes one: partial, invalid and trailing ones are none.
CREATE TABLE app.users (tenant int, id int UNIQUE, PRIMARY KEY (tenant, id));
CREATE TABLE app.a_none (u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE TABLE app.b_good (u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE INDEX ON app.b_good (u);
CREATE TABLE app.c_partial (u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE INDEX ON app.c_partial (u) WHERE u > 0;
CREATE TABLE app.d_trailing (n int, u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE INDEX ON app.d_trailing (n, u);
CREATE TABLE app.e_leading (n int, u int REFERENCES app.users (id) ON DELETE CASCADE, PRIMARY KEY (u, n));
CREATE TABLE app.f_composite (t int, u int, FOREIGN KEY (t, u) REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.f_composite (u, t);
CREATE TABLE app.g_half (t int, u int, FOREIGN KEY (t, u) REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.g_half (t);
CREATE TABLE app.h_expression (u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE INDEX ON app.h_expression ((u + 0));
CREATE TABLE app."i Parts" (u int REFERENCES app.users (id) ON DELETE CASCADE, "Q q" int REFERENCES app.users (id) ON DELETE CASCADE) PARTITION BY LIST (u);
CREATE TABLE app.i_1 PARTITION OF app."i Parts" DEFAULT;
INSERT INTO app.users VALUES (1, 1);
INSERT INTO app.a_none VALUES (1);
INSERT INTO app.b_good VALUES (1);
INSERT INTO app.c_partial VALUES (1);
INSERT INTO app.d_trailing VALUES (1, 1);
INSERT INTO app.e_leading VALUES (1, 1);
INSERT INTO app.f_composite VALUES (1, 1);
INSERT INTO app.g_half VALUES (1, 1);
INSERT INTO app.h_expression VALUES (1);
INSERT INTO app."i Parts" VALUES (1, NULL), (NULL, 1);
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT step, relation, note FROM vedfolnir_delete_user(1) WHERE step > 1 ORDER BY step;
-- ... and check() says how much each deletion has to read for want of it.
INSERT INTO app.a_none SELECT NULL FROM generate_series(1, 2000);
ANALYZE app.a_none;
SELECT object, message, remedy FROM vedfolnir_check() WHERE code = 'missing_index' AND object ~ 'a_none|c_partial' ORDER BY object;
SELECT t.fresh();

-- A check constraint that forbids NULL, a unique key that takes one NULL only: predicted as well, see 41_new_rows.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.checked (u int REFERENCES app.users ON DELETE SET NULL CHECK (u IS NOT NULL OR n > 5), n int);
CREATE TABLE app.one_null (u int UNIQUE NULLS NOT DISTINCT REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.domain_check (u int REFERENCES app.users ON DELETE SET NULL, EXCLUDE USING btree (coalesce(u, 0) WITH =));
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.checked VALUES (1, 1), (1, 9);
INSERT INTO app.one_null VALUES (2), (NULL);
INSERT INTO app.domain_check VALUES (3), (NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
SELECT count(*) FROM vedfolnir.deletion;
-- A key behind the column that is cleared: NO ACTION forbids it, CASCADE follows.
CREATE TABLE app.a (u int UNIQUE REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.b (a int REFERENCES app.a (u));
DELETE FROM app.one_null;
INSERT INTO app.a VALUES (2);
INSERT INTO app.b VALUES (2);
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
ALTER TABLE app.b DROP CONSTRAINT b_a_fkey, ADD FOREIGN KEY (a) REFERENCES app.a (u) ON UPDATE CASCADE;
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
TABLE app.b;
SELECT * FROM t.orphans();
-- Unforeseeable, since a trigger may change the row; the native code. R43: messages of the server that would show a row are cut.
CREATE FUNCTION app.as_is() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER as_is BEFORE UPDATE ON app.checked FOR EACH ROW EXECUTE FUNCTION app.as_is();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.finish();

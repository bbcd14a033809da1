-- Policies: which action an edge gets, which policies are refused, what happens to one whose object is gone (design 2.2).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.deputies (id int PRIMARY KEY);
CREATE TABLE app.c_cascade (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.c_setnull (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.c_setdefault (id int PRIMARY KEY, u int DEFAULT 9 REFERENCES app.users ON DELETE SET DEFAULT);
CREATE TABLE app.c_noaction (id int PRIMARY KEY, u int REFERENCES app.users);
CREATE TABLE app.c_restrict (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE RESTRICT);
INSERT INTO app.users VALUES (1, 'Ada'), (2, 'Bob'), (9, 'nobody');
INSERT INTO app.c_cascade VALUES (1, 1), (2, 2), (3, NULL);
INSERT INTO app.c_setnull SELECT * FROM app.c_cascade;
INSERT INTO app.c_setdefault SELECT * FROM app.c_cascade;
INSERT INTO app.c_noaction SELECT * FROM app.c_cascade;
INSERT INTO app.c_restrict SELECT * FROM app.c_cascade;
SELECT vedfolnir_register_subject('app.users');
-- Without a policy the declared action decides; NO ACTION and RESTRICT decide nothing and block. R1
SELECT * FROM t.dry('1') ORDER BY step;
-- A policy beats the declared action, each way.
SELECT vedfolnir_set_policy('app.c_cascade', 'c_cascade_u_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.c_setnull', 'c_setnull_u_fkey', 'delete');
SELECT vedfolnir_set_policy('app.c_setdefault', 'c_setdefault_u_fkey', 'block', reason => 'under review');
SELECT vedfolnir_set_policy('app.c_noaction', 'c_noaction_u_fkey', 'reassign', reassign_to => '2');
SELECT vedfolnir_set_policy('app.c_restrict', 'c_restrict_u_fkey', 'delete');
SELECT * FROM t.dry('1') ORDER BY step;
-- Setting it again replaces it.
SELECT vedfolnir_set_policy('app.c_setdefault', 'c_setdefault_u_fkey', 'default');
SELECT relation, edge, action, reason, collateral, reassign_to FROM vedfolnir.policy ORDER BY edge;
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.c_cascade ORDER BY id;
TABLE app.c_setnull ORDER BY id;
TABLE app.c_setdefault ORDER BY id;
TABLE app.c_noaction ORDER BY id;
TABLE app.c_restrict ORDER BY id;
-- What set_policy refuses
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.nowhere'', ''x'', ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_fkey'', ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_pkey'', ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''remove'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''delete'', collateral => ''yes'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''reassign'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''delete'', reassign_to => ''2'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''reassign'', reassign_to => ''two'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''reassign'', reassign_to => ''= nosuch'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''reassign'', reassign_to => ''= (SELECT 2)'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(NULL, ''c_cascade_u_fkey'', ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', NULL, ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', NULL)');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.c_cascade'', ''c_cascade_u_fkey'', ''delete'', subject => ''nobody'')');
-- One edge name on two tables: edges are addressed by relation and name. Section 4 item 3
CREATE TABLE app.twin_a (u int CONSTRAINT owner REFERENCES app.users);
CREATE TABLE app.twin_b (u int CONSTRAINT owner REFERENCES app.users);
INSERT INTO app.twin_a VALUES (2);
INSERT INTO app.twin_b VALUES (2), (2);
SELECT vedfolnir_set_policy('app.twin_a', 'owner', 'delete');
SELECT vedfolnir_set_policy('app.twin_b', 'owner', 'nullify');
SELECT vedfolnir_set_policy('app.c_noaction', 'c_noaction_u_fkey', 'delete');
SELECT vedfolnir_set_policy('app.c_setnull', 'c_setnull_u_fkey', 'block', reason => 'kept for the books');
-- The reason of a block policy is told.
SELECT * FROM t.dry('2') ORDER BY step;
SELECT vedfolnir_set_policy('app.c_setnull', 'c_setnull_u_fkey', 'delete');
-- A renamed constraint, a renamed table, a dropped constraint: VF007, never the declared action again.
ALTER TABLE app.twin_a RENAME CONSTRAINT owner TO holder;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
ALTER TABLE app.twin_a RENAME CONSTRAINT holder TO owner;
ALTER TABLE app.twin_a RENAME TO twin_c;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
ALTER TABLE app.twin_c RENAME TO twin_a;
ALTER TABLE app.twin_b DROP CONSTRAINT owner;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT * FROM t.dry('2') ORDER BY step;
-- Declared again under its name it is the same edge.
ALTER TABLE app.twin_b ADD CONSTRAINT owner FOREIGN KEY (u) REFERENCES app.users;
SELECT * FROM t.run('2') ORDER BY step;
SELECT t.fresh();

-- Reassign: the successor must exist, must be another row and must not be in the deletion.
CREATE TABLE app.users (id int PRIMARY KEY, manager int);
CREATE TABLE app.docs (id int PRIMARY KEY, u int REFERENCES app.users, backup int);
INSERT INTO app.users VALUES (1, 2), (2, NULL), (3, NULL);
INSERT INTO app.docs VALUES (1, 1, 2), (2, 2, 3), (3, 1, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.docs', 'docs_u_fkey', 'reassign', reassign_to => '7');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.docs', 'docs_u_fkey', 'reassign', reassign_to => '1');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.docs', 'docs_u_fkey', 'reassign', reassign_to => '2');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(ARRAY[''1'', ''2''], false)');
-- An expression over the old row
SELECT vedfolnir_set_policy('app.docs', 'docs_u_fkey', 'reassign', reassign_to => '= backup');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.docs ORDER BY id;
-- ... whose target does not exist, or goes too
UPDATE app.docs SET backup = 77;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
UPDATE app.docs SET backup = u;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
-- ... or is NULL: that clears the reference, which a NOT NULL column cannot take.
UPDATE app.docs SET backup = NULL;
ALTER TABLE app.docs ALTER COLUMN u SET NOT NULL;
SELECT relation, via, action, row_count, note FROM t.dry('2') WHERE action = 'block';
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
ALTER TABLE app.docs ALTER COLUMN u DROP NOT NULL;
SELECT * FROM t.run('2') ORDER BY step;
TABLE app.docs ORDER BY id;
SELECT t.fresh();

-- Reassign into a unique key is predicted.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.memberships (club int, u int REFERENCES app.users, PRIMARY KEY (club, u));
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.memberships VALUES (100, 1), (100, 2), (200, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.memberships', 'memberships_u_fkey', 'reassign', reassign_to => '2');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DELETE FROM app.memberships WHERE club = 100 AND u = 2;
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.memberships ORDER BY club;
SELECT t.fresh();

-- Retain: only where the parent row stays. A tombstone keeps its root row, with its column rules applied.
CREATE TABLE app.users (id int PRIMARY KEY, name text, note text);
CREATE TABLE app.invoices (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users, buyer text);
CREATE TABLE app.lines (id int PRIMARY KEY, invoice int REFERENCES app.invoices ON DELETE CASCADE);
CREATE TABLE app.logins (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1, 'Ada', 'x'), (2, 'Bob', 'y');
INSERT INTO app.invoices VALUES (1, 1, 'Ada'), (2, 2, 'Bob');
INSERT INTO app.lines VALUES (1, 1), (2, 2);
INSERT INTO app.logins VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.invoices', 'invoices_u_fkey', 'retain', reason => 'tax law, 10 years');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_column('app.users', 'name', '''deleted user '' || id');
SELECT vedfolnir_set_column('app.users', 'note', 'NULL');
SELECT vedfolnir_set_column('app.invoices', 'buyer', 'NULL', 'invoices_u_fkey');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.users ORDER BY id;
TABLE app.invoices ORDER BY id;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
-- Nothing came in since: already deleted. Late arrivals are removed under a new deletion.
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
INSERT INTO app.logins VALUES (3, 1);
SELECT * FROM t.run('1') ORDER BY step;
SELECT count(*), count(DISTINCT pseudonym) FROM vedfolnir.deletion;
-- A tombstone that was filled in again, and a retained row that came late, are anonymised; then nothing is left to do.
UPDATE app.users SET name = 'Ada' WHERE id = 1;
SELECT * FROM t.run('1') ORDER BY step;
INSERT INTO app.invoices VALUES (3, 1, 'Ada');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.users ORDER BY id;
TABLE app.invoices ORDER BY id;
SELECT relation, action FROM vedfolnir_delete_user(1);
SELECT relation, action FROM vedfolnir_delete_user(1, false);
-- Of a value that is another each time, or that reads what it sets, nobody can tell.
SELECT vedfolnir_set_column('app.users', 'note', 'pg_catalog.now()::text');
SELECT vedfolnir_set_column('app.users', 'name', '''formerly '' || name');
SELECT relation, action FROM vedfolnir_delete_user(1, false);
SELECT vedfolnir_set_column('app.users', 'name', '''deleted user '' || id');
SELECT vedfolnir_set_column('app.users', 'note', 'NULL');
-- Column rules: what is refused
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.invoices'', ''buyer'', ''NULL'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''nam'', ''NULL'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''name'', ''(SELECT 1)'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''name'', ''1; DROP TABLE app.users'')');
-- What is pointed at is the expression, not the statement.
\set VERBOSITY default
SELECT vedfolnir_set_column('app.users', 'name', 'upper(name');
\set VERBOSITY terse
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''id'', ''name || 1'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.invoices'', ''buyer'', ''NULL'', ''invoices_fkey'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''name'', ''count(*)'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_column(''app.users'', ''name'', ''nosuch(name)'')');
-- A column rule whose column is gone
ALTER TABLE app.users DROP COLUMN note;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- Column rules touch neither rows that go nor rows of other people.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE,
    editor int REFERENCES app.users ON DELETE SET NULL, editor_name text);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1, 1, 'Ada'), (2, 2, 1, 'Ada'), (3, 2, 2, 'Bob'), (4, 1, 2, 'Bob');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.posts', 'posts_author_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_column('app.posts', 'editor_name', '''formerly '' || editor_name', 'posts_editor_fkey');
-- A policy that a superuser sets with session_replication_role = replica reaches the plans that sessions keep as well.
SELECT relation, via, action FROM vedfolnir_delete_user(1) WHERE via = 'posts_editor_fkey';
SET session_replication_role = replica;
SELECT vedfolnir_set_policy('app.posts', 'posts_editor_fkey', 'block');
RESET session_replication_role;
SELECT relation, via, action FROM vedfolnir_delete_user(1) WHERE via = 'posts_editor_fkey';
SELECT vedfolnir_set_policy('app.posts', 'posts_editor_fkey', 'nullify');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.posts ORDER BY id;
SELECT t.finish();

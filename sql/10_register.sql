-- Registering a subject (design 2.2); who is candidate when nothing is registered.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- Nothing is registered: the error names candidate tables and the call to type.
CREATE TABLE app.users (id int PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE app.posts (id int PRIMARY KEY, user_id int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.likes (post_id int REFERENCES app.posts, user_id int REFERENCES app.users);
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, subject => ''customer'')');
SELECT * FROM t.refused('SELECT vedfolnir_set_policy(''app.likes'', ''likes_user_id_fkey'', ''delete'')');
-- The key defaults to the primary key; registering again changes what is there.
SELECT vedfolnir_register_subject('app.users');
SELECT subject, relation, key_column, label_column, mode FROM vedfolnir.subject ORDER BY subject;
SELECT vedfolnir_register_subject('app.users', label_column => 'name', mode => 'tombstone');
SELECT vedfolnir_register_subject('app.users', 'email', 'name', 'delete', 'member');
SELECT subject, relation, key_column, label_column, mode FROM vedfolnir.subject ORDER BY subject;
-- What cannot be registered
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(NULL)');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.nowhere'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', ''idd'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', ''id'', ''nam'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', ''name'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', ''ctid'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', mode => ''soft'')');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', mode => NULL)');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', subject => NULL)');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.likes'')');
CREATE TABLE app.pair (a int, b int, c int, PRIMARY KEY (a, b));
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.pair'')');
CREATE UNIQUE INDEX ON app.pair (c) WHERE c > 0;
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.pair'', ''c'')');
CREATE VIEW app.people AS SELECT * FROM app.users;
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.people'')');
CREATE TEMP TABLE own (id int PRIMARY KEY);
SELECT code FROM t.refused('SELECT vedfolnir_register_subject(''pg_temp.own'')');
CREATE TABLE app.parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE app.parts_low PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.parts_low'')');
SELECT vedfolnir_register_subject('app.parts', subject => 'part');
-- Several subjects with roots of their own; each is deleted by its own key.
INSERT INTO app.users VALUES (1, 'Ada', 'ada@example.org'), (2, 'Bob', 'bob@example.org');
INSERT INTO app.posts VALUES (10, 1), (20, 2);
INSERT INTO app.parts VALUES (5), (6);
SELECT * FROM t.run('bob@example.org', 'member') ORDER BY step;
SELECT * FROM t.run('5', 'part') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT subject, mode, state FROM vedfolnir.deletion ORDER BY subject;
-- A root table or key column that is gone or renamed: refused, never guessed.
ALTER TABLE app.users RENAME TO members;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ALTER TABLE app.members RENAME TO users;
ALTER TABLE app.users RENAME COLUMN id TO user_number;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ALTER TABLE app.users RENAME COLUMN user_number TO id;
ALTER SCHEMA app RENAME TO elsewhere;
\set VERBOSITY sqlstate
SELECT count(*) FROM vedfolnir_delete_user(1, false);
\set VERBOSITY terse
ALTER SCHEMA elsewhere RENAME TO app;
DROP TABLE app.parts;
\set VERBOSITY sqlstate
SELECT count(*) FROM vedfolnir_delete_user('6', subject => 'part');
\set VERBOSITY terse
SELECT t.finish();

-- Bad input: each is refused with its own SQLSTATE, and nothing changes (issue 2, R41).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.small (id int2 PRIMARY KEY);
CREATE TABLE app.ids (id uuid PRIMARY KEY);
CREATE TABLE app.words (id varchar(5) PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1, 'Ada Lovelace'), (2, 'Bob');
INSERT INTO app.small VALUES (-1), (1);
INSERT INTO app.ids VALUES ('a0000000-0000-4000-8000-000000000001');
INSERT INTO app.words VALUES ('abc'), (''), ('1');
INSERT INTO app.posts VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_register_subject('app.small', subject => 'small');
SELECT vedfolnir_register_subject('app.ids', subject => 'id');
SELECT vedfolnir_register_subject('app.words', subject => 'word');
-- NULL: 22004
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(NULL::bigint, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(NULL::uuid, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(NULL::text, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(NULL, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, NULL)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, subject => NULL)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_expire_sessions(NULL, false)');
-- Text that the key type refuses: 22P02, 22003
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''Ada'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user('''', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''1; DROP TABLE users'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''99999999999'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(99999999999, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(9223372036854775808, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(40000, false, subject => ''small'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''a0000000-0000-4000-8000-000000000001''::uuid, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, subject => ''id'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''abcdef'', false, subject => ''word'')');
-- A number, a negative one, an empty text and a uuid can be keys.
SELECT action, row_count FROM vedfolnir_delete_user(' 1 ') WHERE step = 1;
SELECT action, row_count FROM vedfolnir_delete_user(-1, subject => 'small') WHERE step = 1;
SELECT action, row_count FROM vedfolnir_delete_user(1, subject => 'word') WHERE step = 1;
SELECT action, row_count FROM vedfolnir_delete_user('', subject => 'word') WHERE step = 1;
SELECT action, row_count FROM vedfolnir_delete_user('a0000000-0000-4000-8000-000000000001'::uuid, subject => 'id') WHERE step = 1;
SELECT action, row_count FROM vedfolnir_delete_user('A0000000-0000-4000-8000-000000000001', subject => 'id') WHERE step = 1;
-- A key is never taken for a label, nor the other way round.
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(''Bob'')');
-- Unknown keys: VF001
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(-3, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_expire_sessions(3, false)');
-- Unknown subjects, with a hint: 42704
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, subject => ''usr'')');
-- A plan hash that cannot be one: VF006
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, plan_hash => ''abc'')');
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, plan_hash => '''')');
-- A reason that names the person: 22023; one that merely looks alike is kept.
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, ''asked for by Ada Lovelace'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, ''ADA LOVELACE'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false, ''user 1 asked'')');
SELECT count(*) FROM vedfolnir_delete_user(1, false, 'ticket 1177, by letter');
SELECT reason FROM vedfolnir.deletion;
-- A label in its own characters
UPDATE app.users SET name = 'Ünal Çelik' WHERE id = 2;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false, ''letter of Ünal Çelik.'')');
-- Also inside a word and in capitals beyond ASCII; a number or a short name is part of other words, and must stand alone.
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false, ''ÜNAL ÇELIKs letter'')');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false, ''mail from:ünal çelik2'')');
UPDATE app.users SET name = 'Ada' WHERE id = 2;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false, ''by ada.'')');
BEGIN;
SELECT count(*) FROM vedfolnir_delete_user(2, false, 'no adapter for 22 in 2026');
ROLLBACK;
-- Nothing was changed by all that.
SELECT count(*) FROM app.users;
SELECT count(*) FROM vedfolnir.deletion;
-- Settings
SET vedfolnir.max_rows = -1;
SET vedfolnir.max_rows = 1;
INSERT INTO app.posts VALUES (2, 2), (3, 2);
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT count(*) FROM vedfolnir_delete_user(2);
SET vedfolnir.max_rows = 3;
SELECT count(*) FROM vedfolnir_delete_user(2, false);
RESET vedfolnir.max_rows;
SET vedfolnir.lock_timeout = 'soon';
SELECT t.finish();

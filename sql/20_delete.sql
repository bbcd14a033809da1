-- Deleting: dry run and run, order, counting, plan hash, second run, request id, by name, many (design 2.1).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text, boss int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.b_posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, editor int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.a_comments (id int PRIMARY KEY, post int REFERENCES app.b_posts ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app."Zed" (id int PRIMARY KEY, comment int REFERENCES app.a_comments ON DELETE CASCADE);
CREATE TABLE app.c_votes (post int REFERENCES app.b_posts ON DELETE CASCADE);
CREATE TABLE app.empty (u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.log (u int REFERENCES app.users ON DELETE SET NULL, what text);
INSERT INTO app.users VALUES (1, 'Ada', NULL), (2, 'Bob', 1), (3, 'Cyd', 2), (4, 'Bob', NULL), (-5, 'Neg', NULL), (6, '', NULL);
INSERT INTO app.b_posts VALUES (10, 1, 1), (11, 1, 2), (20, 2, 1), (30, -5, NULL);
INSERT INTO app.a_comments VALUES (100, 10, 1), (101, 10, 1), (102, 20, 1), (200, 20, 2);
INSERT INTO app."Zed" VALUES (1, 100), (2, 102), (3, 200);
INSERT INTO app.c_votes VALUES (10), (10), (10), (20);
INSERT INTO app.log VALUES (1, 'x'), (1, 'x'), (2, 'y');
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_set_policy('app.a_comments', 'a_comments_u_fkey', 'delete', collateral => 'delete');
-- The notices say what was done and never more.
SET client_min_messages = notice;
SELECT * FROM t.dry('1') ORDER BY step;
SET client_min_messages = warning;
-- The default is a dry run, in each overload; it works read only and uses up no sequence.
BEGIN READ ONLY;
SELECT count(*) FROM vedfolnir_delete_user(1);
SELECT count(*) FROM vedfolnir_delete_user('1');
SELECT count(*) FROM vedfolnir_delete_user('1'::text);
SELECT count(*) FROM vedfolnir_delete_user_by_name('Ada');
SELECT count(*) FROM vedfolnir_delete_users('{1,2}');
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ROLLBACK;
SELECT count(*) FROM app.users;
-- plan_hash: the same twice, another one when rows, policy or schema change; a run that is given one obeys it. R25
SELECT substring(note FROM 'plan_hash=([0-9a-f]{64})') AS hash FROM vedfolnir_delete_user(1) WHERE step = 1 \gset
SELECT note = 'plan_hash=' || :'hash' AS same FROM vedfolnir_delete_user('1') WHERE step = 1;
INSERT INTO app.log VALUES (1, 'late');
SELECT note = 'plan_hash=' || :'hash' AS same FROM vedfolnir_delete_user(1) WHERE step = 1;
SELECT code, message, detail FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, plan_hash => %L)', :'hash'));
DELETE FROM app.log WHERE what = 'late';
CREATE TABLE app.more (u int REFERENCES app.users ON DELETE CASCADE);
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, plan_hash => %L)', :'hash'));
DROP TABLE app.more;
SELECT vedfolnir_set_policy('app.log', 'log_u_fkey', 'delete');
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, plan_hash => %L)', :'hash'));
SELECT vedfolnir_set_policy('app.log', 'log_u_fkey', 'nullify');
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(4, false, plan_hash => %L)', :'hash'));
-- The same names elsewhere in the catalogue: OIDs are not part of it.
SELECT substring(note FROM 'plan_hash=([0-9a-f]{64})') AS hash FROM vedfolnir_delete_user(1) WHERE step = 1 \gset
ALTER TABLE app.log DROP CONSTRAINT log_u_fkey, ADD CONSTRAINT log_u_fkey FOREIGN KEY (u) REFERENCES app.users ON DELETE SET NULL;
SELECT note = 'plan_hash=' || :'hash' AS same FROM vedfolnir_delete_user(1) WHERE step = 1;
-- The run: the same rows as the dry run (t.run compares), each row counted once for its first edge. R1
BEGIN;
SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1, false, plan_hash => :'hash') ORDER BY step;
ROLLBACK;
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
TABLE app.users ORDER BY id;
SELECT relation, action, row_count FROM vedfolnir.audit_log ORDER BY relation COLLATE "C", action;
SELECT subject, mode, state, reason, request_id, completed_at IS NOT NULL AS completed, "session_user" = session_user AS me,
       length(pseudonym) AS bytes, plan_hash ~ '^[0-9a-f]{64}$' AS hashed FROM vedfolnir.deletion;
-- Second run: already deleted, no second effect. Never known: VF001. Negative numbers are keys like any other. R27 R41
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_user('1') ORDER BY step;
SELECT count(*) FROM vedfolnir.deletion;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(77, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(77)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(-77)');
SELECT * FROM t.run('-5') ORDER BY step;
-- A key that comes again is deleted again, under a new id and the same pseudonym.
INSERT INTO app.users VALUES (1, 'Ada again');
SELECT * FROM t.run('1') ORDER BY step;
SELECT count(*), count(DISTINCT pseudonym) FROM vedfolnir.deletion;
-- By name: the label column's own equality; several: 21000 and nothing done; none: VF001.
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''Bob'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''bob'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''2'')');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(NULL)');
SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user_by_name('', false) ORDER BY step;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''Bob'')');
SELECT t.fresh();

-- request_id: a retry gets the stored rows and the same deletion id; other arguments VF002; ignored in a dry run. R32
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.posts SELECT g, g FROM generate_series(1, 9) g;
SELECT vedfolnir_register_subject('app.users');
\set q 'e0000000-0000-4000-8000-000000000001'
SELECT count(*) FROM vedfolnir_delete_user(1, true, request_id => :'q');
SELECT count(*) FROM vedfolnir.request;
CREATE TABLE t.first AS SELECT * FROM vedfolnir_delete_user(1, false, 'ticket', :'q');
SELECT count(*) FROM vedfolnir.request;
CREATE TABLE t.second AS SELECT *, vedfolnir_last_deletion() AS id FROM vedfolnir_delete_user(1, false, 'ticket', :'q');
SELECT step, relation, via, action, row_count FROM t.second ORDER BY step;
SELECT (SELECT array_agg(x ORDER BY step) FROM t.first x)::text = (SELECT array_agg((step, relation, via, action, row_count, collateral, note) ORDER BY step) FROM t.second)::text AS same_rows,
       (SELECT bool_and(id = (SELECT d.id FROM vedfolnir.deletion d)) FROM t.second) AS same_id;
SELECT count(*) FROM vedfolnir.deletion;
-- Through another overload it is the same call.
SELECT count(*) FROM vedfolnir_delete_user('1', false, 'ticket', :'q');
SELECT * FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(2, false, ''ticket'', %L)', :'q'));
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, ''other ticket'', %L)', :'q'));
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, NULL, %L)', :'q'));
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_users(''{1}'', false, ''ticket'', %L)', :'q'));
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_expire_sessions(1, false, ''ticket'', %L)', :'q'));
SELECT count(*) FROM app.users;
-- A refused run stores no answer; the id stays free.
\set q2 'e0000000-0000-4000-8000-000000000002'
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(99, false, NULL, %L)', :'q2'));
SELECT count(*) FROM vedfolnir_delete_user(2, false, NULL, :'q2');
SELECT count(*) FROM vedfolnir.request;
DROP TABLE t.first, t.second;

-- Many: one set of rows, audit per user; doubles once, in any spelling; unknown: VF001 with nothing changed. R28
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_users('{3,4, 4,04,+3}', false) ORDER BY step;
SELECT count(*), count(DISTINCT d.pseudonym) FROM vedfolnir.deletion d WHERE id IN (SELECT deletion_id FROM vedfolnir.audit_log);
SELECT relation, action, row_count, count(*) AS people FROM vedfolnir.audit_log GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(''{5,99}'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(''{5,99,4,98,5}'', false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(ARRAY[''5'', NULL], false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(NULL, false)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_users(''{5,x}'', false)');
SELECT count(*) FROM vedfolnir_delete_users('{}', false);
SELECT array_agg(id ORDER BY id) FROM app.users;
SELECT t.fresh();

-- People of one call are not each other's collateral; a row that two of them reach counts for one.
CREATE TABLE app.users (id int PRIMARY KEY, invited_by int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.chats (id int PRIMARY KEY, a int REFERENCES app.users ON DELETE CASCADE, b int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1, NULL), (2, 1), (3, NULL);
INSERT INTO app.chats VALUES (1, 1, 2), (2, 2, 1), (3, 1, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_users('{1,2}') ORDER BY step;
DELETE FROM app.chats WHERE id = 3;
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_delete_users('{1,2}', false) ORDER BY step;
SELECT relation, action, sum(row_count), count(*) AS people FROM vedfolnir.audit_log GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.finish();

-- Expiring sessions: tasks and rows of the rules marked for it, nothing else of the person (design 2.1, 2.3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, login text);
CREATE TABLE app.sessions (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE CASCADE, token text);
CREATE TABLE app.devices (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE CASCADE, name text);
CREATE TABLE app.tokens (id int PRIMARY KEY, device int NOT NULL REFERENCES app.devices ON DELETE CASCADE, token text);
CREATE TABLE app.pushes (id int PRIMARY KEY, session int REFERENCES app.sessions ON DELETE CASCADE);
CREATE TABLE app.clicks (id int PRIMARY KEY, session int REFERENCES app.sessions ON DELETE SET NULL);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users);
INSERT INTO app.users VALUES (1, 'ada'), (2, 'bob');
INSERT INTO app.sessions VALUES (1, 1, 's1'), (2, 1, 's2'), (3, 2, 's3');
INSERT INTO app.devices VALUES (1, 1, 'd1'), (2, 2, 'd2');
INSERT INTO app.tokens VALUES (1, 1, 't1'), (2, 1, NULL), (3, 2, 't3');
INSERT INTO app.pushes VALUES (1, 1), (2, 3);
INSERT INTO app.clicks VALUES (1, 2), (2, 3);
INSERT INTO app.posts VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users');
-- Without a rule for it there is nothing to do.
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_expire_sessions(1) ORDER BY step;
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 'session:{token}', 'sessions', 'delete');
SELECT vedfolnir_add_cleanup('app.tokens', 'redis_key', 'token:{token}', 'sessions', 'enqueue');
SELECT vedfolnir_add_cleanup('app.users', 'redis_pattern', 'cache:{login}:*', 'sessions', 'enqueue');
SELECT vedfolnir_add_cleanup('app.users', 'directory', 'home/{id}', 'files');
-- The root row, blockers (posts) and collateral are not consulted.
SET client_min_messages = notice;
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_expire_sessions(1) ORDER BY step;
SET client_min_messages = warning;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT step, relation, via, action, row_count, collateral, t.masked(note) AS note FROM vedfolnir_expire_sessions(1, false, 'lost laptop') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
TABLE app.clicks ORDER BY id;
SELECT * FROM t.orphans();
SELECT phase, kind, operation, service, target FROM vedfolnir.cleanup_task ORDER BY kind, target;
SELECT subject, mode, state, reason FROM vedfolnir.deletion;
SELECT relation, action, row_count FROM vedfolnir.audit_log ORDER BY relation COLLATE "C", action;
-- Again, and for the other person by text key; an expiry is no deletion: the person is still unknown to the second run.
SELECT step, relation, via, action, row_count FROM vedfolnir_expire_sessions(1, false) ORDER BY step;
SELECT step, relation, via, action, row_count FROM vedfolnir_expire_sessions('2', false) ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
DELETE FROM app.users WHERE id = 2;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();
-- Whoever was deleted has no sessions left: an answer, no error. Nobody knows a person who was never there.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.sessions (token text, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.sessions VALUES ('a', 1), ('b', 2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 's:{token}', on_expire => 'delete');
SELECT action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT relation, action, row_count FROM vedfolnir_expire_sessions(1);
SELECT relation, action, row_count FROM vedfolnir_expire_sessions(1, false);
SELECT count(*) FROM vedfolnir.deletion;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_expire_sessions(99, false)');
-- An account is logged out, and neither disabled nor deleted; a deletion does both (R57).
SELECT vedfolnir_add_cleanup('app.users', 'identity', 'central/{id}', service => 'keycloak', on_expire => 'enqueue');
DELETE FROM vedfolnir.cleanup_task;
SELECT relation, via, action, row_count FROM vedfolnir_expire_sessions(2) ORDER BY step;
SELECT relation, via, action, row_count FROM vedfolnir_expire_sessions(2, false) ORDER BY step;
SELECT phase, kind, operation, target FROM vedfolnir.cleanup_task ORDER BY phase, operation;
-- The dry run tells a hash that the run can be given; it is not that of a deletion, and counts are part of it.
SELECT substring(note FROM '^plan_hash=([0-9a-f]{64})$') AS hash FROM vedfolnir_expire_sessions(2) WHERE step = 1 \gset
SELECT count(*) FROM vedfolnir_delete_user(2) WHERE note LIKE '%' || :'hash' || '%';
INSERT INTO app.sessions VALUES ('c', 2);
SELECT code FROM t.refused(format('SELECT * FROM vedfolnir_expire_sessions(2, false, plan_hash => %L)', :'hash'));
DELETE FROM app.sessions WHERE token = 'c';
SELECT relation, action, row_count FROM vedfolnir_expire_sessions(2, false, plan_hash => :'hash') ORDER BY step;
SELECT count(*) FROM vedfolnir.deletion WHERE plan_hash = :'hash';
DELETE FROM vedfolnir.cleanup_task;
SELECT relation, via, action, row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
SELECT phase, kind, operation, target FROM vedfolnir.cleanup_task ORDER BY phase, operation;
SELECT t.finish();

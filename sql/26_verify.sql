-- What is left of a person: vedfolnir_verify_user (design 2.1).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, path text);
CREATE TABLE app.comments (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE);
CREATE TABLE app.logs (n int, u int, p int);
CREATE TABLE app.invoices (n int, u int);
CREATE TABLE app.empty (u int REFERENCES app.users);
INSERT INTO app.users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO app.posts VALUES (1, 1, 'p1'), (2, 2, 'p2');
INSERT INTO app.comments VALUES (1, 1);
INSERT INTO app.invoices VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_add_link('logs_u', 'app.logs', 'app.users', columns => '{u}', action => 'delete');
SELECT vedfolnir_add_link('logs_p', 'app.logs', 'app.posts', columns => '{p}', action => 'delete');
SELECT vedfolnir_add_link('invoices_u', 'app.invoices', 'app.users', columns => '{u}', action => 'retain');
SELECT vedfolnir_set_policy('app.invoices', 'invoices_u', 'retain', reason => 'tax law');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}');
-- Before: rows that refer to the key, through each edge on it.
SELECT kind, relation, via, row_count, t.masked(note) AS note FROM vedfolnir_verify_user(1) ORDER BY kind, relation, via;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
-- After: the task, and what the policy keeps.
SELECT kind, relation, via, row_count, t.masked(note) AS note FROM vedfolnir_verify_user(1) ORDER BY kind, relation, via;
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user('1') WHERE kind <> 'retained' ORDER BY 1, 2, 3;
-- Late arrivals behind a link: found, and removed by another run.
INSERT INTO app.logs VALUES (1, 1, NULL), (2, NULL, 1), (3, 2, 2);
SELECT kind, relation, via, row_count, t.masked(note) AS note FROM vedfolnir_verify_user(1) ORDER BY kind, relation, via;
SELECT count(*) FROM vedfolnir_claim_tasks('w', 10, '1 minute');
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(1) WHERE kind = 'task' ORDER BY 1, 2, 3;
SELECT vedfolnir_finish_tasks(array_agg(id), array_agg(fence), array_agg('done'::text)) FROM vedfolnir.cleanup_task WHERE state = 'running';
SELECT count(*) FROM vedfolnir_verify_user(1) WHERE kind = 'task';
SELECT state FROM vedfolnir.deletion;
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(1) WHERE kind IN ('row', 'task') ORDER BY 1, 2, 3;
-- It writes nothing, works read only, takes each kind of key, and says so of keys that never were.
BEGIN READ ONLY;
SELECT count(*) > 0 AS some FROM vedfolnir_verify_user(2);
ROLLBACK;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_verify_user(NULL::text)');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_verify_user(''x'')');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_verify_user(1, subject => ''nobody'')');
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(-7) WHERE kind <> 'dangling' ORDER BY 1, 2, 3;
-- The verdict on a person that a plain DELETE removed around us
INSERT INTO app.logs VALUES (4, 2, NULL);
DELETE FROM app.users WHERE id = 2;
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(2) ORDER BY 1, 2, 3;
SELECT t.finish();

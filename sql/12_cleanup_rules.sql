-- Clean-up rules: which tasks a deletion queues, with which targets (design 2.3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, login text, subject_id text);
CREATE TABLE app.images (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE CASCADE, local_path text, thumb text);
CREATE TABLE app.sessions (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, token text);
CREATE TABLE app.avatars (id int PRIMARY KEY, path text);
CREATE TABLE app.likes (u int REFERENCES app.users ON DELETE SET NULL, label text);
INSERT INTO app.users VALUES (1, 'ada*', 'kc/1?'), (2, 'bob', 'kc-2'), (12, 'cyd', NULL);
INSERT INTO app.images VALUES (1, 1, 'a/1.jpg', NULL), (2, 1, 'a/2.jpg', 'a/2t.jpg'), (3, 1, 'a//2.jpg', NULL),
    (4, 1, 'shared.jpg', NULL), (5, 2, './shared.jpg', NULL), (6, 2, 'b/6.jpg', NULL), (7, 1, 'face.jpg', NULL);
INSERT INTO app.sessions VALUES (1, 1, 's1'), (2, 1, 's2'), (3, 1, NULL), (4, 2, 's4'), (5, 1, 's1');
INSERT INTO app.avatars VALUES (1, 'face.jpg');
INSERT INTO app.likes VALUES (1, 'x');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.images', 'file', '{local_path}', 'images');
SELECT vedfolnir_add_cleanup('app.images', 'file', '{thumb}', 'images');
SELECT vedfolnir_add_cleanup('app.avatars', 'file', '{path}', 'images');
SELECT vedfolnir_add_cleanup('app.users', 'directory', 'temp/user_{id}', 'images');
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 'session:{token}', 'sessions');
SELECT vedfolnir_add_cleanup('app.users', 'redis_pattern', 'cache:{login}:*', 'sessions');
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', '= ''profile:'' || upper(login)', 'sessions');
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', '{{{id}}}', 'sessions');
SELECT vedfolnir_add_cleanup('app.users', 'identity', 'main/{subject_id}', 'keycloak');
SELECT vedfolnir_add_cleanup('app.users', 'webhook', 'gone/{login}', 'crm');
SELECT vedfolnir_add_cleanup('app.likes', 'redis_key', 'like:{label}', 'sessions');
-- Again: idempotent, and on_expire changes.
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 'session:{token}', 'sessions', 'delete');
SELECT relation, kind, target, service, on_expire FROM vedfolnir.cleanup_rule ORDER BY relation::text, kind, target;
-- Tasks come last, by kind and service; shared and equally spelled files count once, a file of a row that stays is kept;
-- a NULL makes no task; a row that is only detached fires no rule; an identity makes two tasks.
SELECT * FROM t.run('1') ORDER BY step;
SELECT phase, kind, operation, service, target, state, attempts FROM vedfolnir.cleanup_task ORDER BY phase, kind, target COLLATE "C";
SELECT state FROM vedfolnir.deletion;
-- The other person still has everything; with the last owner gone the shared file goes. The directory of 1 is not that of 12.
SELECT * FROM t.run('2') ORDER BY step;
SELECT phase, kind, operation, service, target FROM vedfolnir.cleanup_task t JOIN vedfolnir.deletion d ON d.id = t.deletion_id
 WHERE d.created_at = (SELECT max(created_at) FROM vedfolnir.deletion) ORDER BY phase, kind, target COLLATE "C";
SELECT * FROM t.run('12') ORDER BY step;
-- No tasks at all: complete at once.
INSERT INTO app.users VALUES (3, NULL, NULL);
DELETE FROM vedfolnir.cleanup_rule WHERE kind IN ('directory', 'redis_key');
SELECT * FROM t.run('3') ORDER BY step;
SELECT state, count(*) FROM vedfolnir.deletion GROUP BY state ORDER BY state;
-- What add_cleanup refuses
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''{local_pat}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''fil'', ''{local_path}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''{local_path'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''local_path}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''{}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', '''')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''= nosuch'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''= '')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''{local_path}'', '''')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', ''{local_path}'', on_expire => ''maybe'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.users'', ''file'', ''{login}'', on_expire => ''delete'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.nowhere'', ''file'', ''{local_path}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(NULL, ''file'', ''{local_path}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_cleanup(''app.images'', ''file'', NULL)');
-- A rule whose column is gone makes every run refuse.
INSERT INTO app.users VALUES (4, 'dan', NULL);
ALTER TABLE app.images DROP COLUMN thumb;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(4, false)');
SELECT t.fresh();

-- Paths: a value may hold a slash only when it is the whole template; what points outside becomes a task that dies.
CREATE TABLE app.users (id text PRIMARY KEY, home text);
INSERT INTO app.users VALUES ('../../etc', '/etc/passwd'), ('x/y', '..'), ('ok', 'h/ok'), ('.', ''), ('..', 'a/../b'), ('long', repeat('x', 5000));
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.users', 'file', 'user_{id}/picture');
SELECT vedfolnir_add_cleanup('app.users', 'directory', 'all/{id}');
SELECT vedfolnir_add_cleanup('app.users', 'file', '{home}', 'homes');
SELECT vedfolnir_add_cleanup('app.users', 'identity', 'main/{id}');
SELECT vedfolnir_add_cleanup('app.users', 'redis_pattern', 'k:{id}');
SELECT count(*) FROM vedfolnir_delete_users((SELECT array_agg(id) FROM app.users), false);
SELECT kind, operation, service, left(target, 40) AS target, state FROM vedfolnir.cleanup_task
 ORDER BY kind, operation, service, target COLLATE "C";
SELECT t.fresh();
-- A template that names nothing the listener would take is told when it is declared; the plural of each kind (R64).
CREATE TABLE app.users (id int PRIMARY KEY, path text);
SELECT vedfolnir_register_subject('app.users');
SET client_min_messages = warning;
\set VERBOSITY default
SELECT vedfolnir_add_cleanup('app.users', k.kind, k.target) FROM (VALUES ('file', '/srv/{id}'), ('directory', 'a/../{id}'), ('directory', '.'),
    ('redis_pattern', '*:{id}'), ('identity', '{id}'), ('identity', '{id}/')) k(kind, target);
SELECT vedfolnir_add_cleanup('app.users', k.kind, k.target) FROM (VALUES ('file', '{path}'), ('file', 'a/{id}'), ('directory', 'all'), ('directory', 'of'),
    ('redis_pattern', '{path}*'), ('identity', 'central/shared'), ('identity', 'other/shared'), ('webhook', '/{id}'), ('redis_key', '*')) k(kind, target);
\set VERBOSITY terse
INSERT INTO app.users VALUES (1, 'p'), (2, 'q');
SELECT relation, row_count, note FROM vedfolnir_delete_user(1) WHERE note LIKE '%kept%';
SELECT t.finish();

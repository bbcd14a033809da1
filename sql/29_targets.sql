-- Which targets are queued: of any collation, and none that a row which stays still names afterwards (design 2.3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- Columns with a nondeterministic collation, and with collations that differ
CREATE COLLATION app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE app.users (id int PRIMARY KEY, handle text COLLATE app.ci, code text COLLATE "C", alias text COLLATE "POSIX");
INSERT INTO app.users VALUES (1, 'Alma', 'a/b', 'x y'), (2, 'alma', 'c', 'z');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.users', 'file', '{handle}'), vedfolnir_add_cleanup('app.users', 'file', 'of/{handle}'),
    vedfolnir_add_cleanup('app.users', 'directory', '{code}-{alias}-{handle}'), vedfolnir_add_cleanup('app.users', 'directory', '= code || ''/'' || alias || ''/'' || handle'),
    vedfolnir_add_cleanup('app.users', 'redis_key', '{handle}{code}'), vedfolnir_add_cleanup('app.users', 'redis_pattern', 'p:{handle}:*'),
    vedfolnir_add_cleanup('app.users', 'identity', 'realm/{handle}'), vedfolnir_add_cleanup('app.users', 'webhook', '{alias}{handle}'),
    vedfolnir_add_cleanup('app.users', 'file', '= handle', 'other');
SELECT * FROM t.run('1') ORDER BY step;
SELECT kind, service, operation, replace(target, E'\001', '!') AS target FROM vedfolnir.cleanup_task ORDER BY id;
SELECT t.fresh();

-- A row that stays names the target only until its reference is cleared, or a column rule changes it: queued, as the dry run says
CREATE TABLE app.users (id int PRIMARY KEY, avatar text);
CREATE TABLE app.posts (id int, author int REFERENCES app.users ON DELETE CASCADE, editor int REFERENCES app.users ON DELETE SET NULL, path text);
INSERT INTO app.users VALUES (1, 'f/1'), (2, 'f/2');
INSERT INTO app.posts VALUES (1, 1, 1, 'f/3'), (2, 2, 1, './f//3'), (3, 1, 2, 'f/4'), (4, 2, 2, 'f/5');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.posts', 'path', 'NULL', edge => 'posts_editor_fkey');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}'), vedfolnir_add_cleanup('app.posts', 'redis_key', 'edited:{editor}'), vedfolnir_add_cleanup('app.users', 'file', '{avatar}');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.posts ORDER BY id;
SELECT kind, target FROM vedfolnir.cleanup_task ORDER BY id;
SELECT t.fresh();

-- What a tombstone names is queued, unless another row names it too
CREATE TABLE app.users (id int PRIMARY KEY, avatar text, banner text);
INSERT INTO app.users VALUES (1, 'f/1', 'f/shared'), (2, 'f/2', 'f/shared');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_add_cleanup('app.users', 'file', '{avatar}'), vedfolnir_add_cleanup('app.users', 'file', '{banner}');
SELECT * FROM t.run('1') ORDER BY step;
SELECT kind, target FROM vedfolnir.cleanup_task ORDER BY id;
SELECT t.fresh();

-- A column rule of a table goes before the one that it inherits, whatever their names
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.m (id int, u int CONSTRAINT u REFERENCES app.users ON DELETE SET NULL, note text);
CREATE TABLE app.a () INHERITS (app.m);
CREATE TABLE app.z () INHERITS (app.m);
CREATE TABLE app.b () INHERITS (app.z);
INSERT INTO app.users VALUES (1);
INSERT INTO app.m VALUES (1, 1, 'x');
INSERT INTO app.a VALUES (2, 1, 'x');
INSERT INTO app.z VALUES (3, 1, 'x');
INSERT INTO app.b VALUES (4, 1, 'x');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.m', 'note', '''of m''', edge => 'u'), vedfolnir_set_column('app.a', 'note', '''of a''', edge => 'u'),
    vedfolnir_set_column('app.z', 'note', '''of z''', edge => 'u');
SELECT * FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass, id, note FROM app.m ORDER BY id;
SELECT t.fresh();

-- A row of a table that inherits names targets by the rules of the table that it inherits, though the walk never comes there
CREATE TABLE app.users (id int PRIMARY KEY, avatar text);
CREATE TABLE app.guests () INHERITS (app.users);
INSERT INTO app.users VALUES (1, 'f/1'), (2, 'f/2');
INSERT INTO app.guests VALUES (1, './f/1');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.users', 'file', '{avatar}');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.run('2') ORDER BY step;
SELECT t.finish();

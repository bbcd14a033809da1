-- vedfolnir_watch(): new ways to a person are noted when DDL makes them, and nobody's DDL fails because of it.
CREATE SCHEMA watch55; SET search_path = watch55, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
SELECT vedfolnir_register_subject('users');
CREATE TABLE unwatched (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
SELECT vedfolnir_watch(true);
SELECT vedfolnir_watch(true);
SELECT count(*) FROM vedfolnir_check() WHERE code = 'new_path';
SELECT evtname, evtenabled FROM pg_event_trigger WHERE evtname LIKE 'vedfolnir%';
-- Made by CREATE TABLE, by ALTER TABLE, behind another table, in one command with several.
CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE, author_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE plain (id int PRIMARY KEY);
ALTER TABLE plain ADD COLUMN user_id int;
ALTER TABLE plain ADD CONSTRAINT plain_user FOREIGN KEY (user_id) REFERENCES users;
CREATE TABLE elsewhere (id int PRIMARY KEY, plain_id int REFERENCES plain ON DELETE CASCADE);
CREATE TEMP TABLE scratch (id int PRIMARY KEY, up int REFERENCES scratch);
SELECT severity, code, object, replace(message, current_date::text, 'TODAY') AS message, remedy FROM vedfolnir_check() WHERE code IN ('new_path', 'undeclared_edge');
-- A decision settles it.
SELECT vedfolnir_set_policy('comments', 'comments_post_id_fkey', 'delete');
SELECT vedfolnir_apply_suggestions();
SELECT object FROM vedfolnir_check() WHERE code = 'new_path';
-- By somebody without any duty, who learns nothing that is not theirs to know and is not stopped.
CREATE ROLE regress55_dev;
GRANT USAGE, CREATE ON SCHEMA watch55 TO regress55_dev;
GRANT REFERENCES ON users TO regress55_dev;
SET ROLE regress55_dev;
CREATE TABLE theirs (id int PRIMARY KEY, user_id int REFERENCES users);
RESET ROLE;
SELECT object FROM vedfolnir_check() WHERE code = 'new_path';
-- Whatever is wrong with us: a warning, and the DDL stands.
ALTER TABLE vedfolnir.watched_path ADD CONSTRAINT broken CHECK (relation_name <> 'stands') NOT VALID;
CREATE TABLE stands (id int PRIMARY KEY, user_id int REFERENCES users);
SELECT to_regclass('stands') IS NOT NULL AS stands;
ALTER TABLE vedfolnir.watched_path DROP CONSTRAINT broken;
BEGIN;
ALTER TABLE posts RENAME TO articles;
CREATE TABLE later (id int PRIMARY KEY, user_id int REFERENCES users);
ROLLBACK;
-- Off, and the extension can be dropped with the watch on.
SELECT vedfolnir_watch(false);
SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'vedfolnir%';
CREATE TABLE quiet (id int PRIMARY KEY, user_id int REFERENCES users);
SELECT count(*) FROM vedfolnir_check() WHERE code = 'new_path';
SELECT vedfolnir_watch(NULL);
GRANT EXECUTE ON FUNCTION vedfolnir_watch(boolean) TO regress55_dev;
SET ROLE regress55_dev;
SELECT vedfolnir_watch(true);
RESET ROLE;
SELECT vedfolnir_watch(true);
SET client_min_messages = warning;
DROP SCHEMA watch55 CASCADE;
DROP EXTENSION vedfolnir;
SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'vedfolnir%';
DROP OWNED BY regress55_dev;
DROP ROLE regress55_dev;

-- Declarations are taken back one by one or all at once; what a second registration resets is said.
CREATE SCHEMA removal57; SET search_path = removal57, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, company int);
CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users, path text, note text NOT NULL);
CREATE TABLE audit_posts (operation text, id int, user_id int, path text);
CREATE TABLE logs (n int, u int);
INSERT INTO users VALUES (1, 'ada', 'ada@example.org', 1), (2, 'bob', 'bob@example.org', 1);
INSERT INTO posts SELECT g, 1, 'p/' || g, 'note' FROM generate_series(1, 3) g;
SELECT vedfolnir_register_subject('users', label_column => 'name');
SELECT vedfolnir_register_subject('users', label_column => 'name');
SELECT vedfolnir_register_subject('users', mode => 'tombstone');
SELECT vedfolnir_register_subject('users', key_column => 'email', label_column => 'name');
SELECT vedfolnir_register_subject('users', label_column => 'name');
SELECT vedfolnir_policy_hash() AS empty \gset

SELECT vedfolnir_set_policy('posts', 'posts_user_id_fkey', 'delete');
SELECT vedfolnir_add_cleanup('posts', 'file', '{path}');
SELECT vedfolnir_add_cleanup('posts', 'file', '{path}', service => 'copies');
SELECT vedfolnir_add_cleanup('posts', 'redis_key', 'post:{id}');
SELECT vedfolnir_add_mirror('posts', 'audit_posts', '{"operation": "''D''"}');
SELECT vedfolnir_add_link('logs_u', 'logs', 'users', columns => '{u}', action => 'delete');
SELECT vedfolnir_set_tenancy('users', 'company', 'name = ''boss''');

-- One clean-up rule, by all that tells it from the others; again is no error.
SELECT vedfolnir_remove_cleanup('removal57.posts', 'file', '{path}', service => 'copies');
SELECT vedfolnir_remove_cleanup('removal57.posts', 'file', '{path}', service => 'copies');
SELECT vedfolnir_remove_cleanup('removal57.posts', 'redis_key', 'post:{id}');
SELECT kind, target, service FROM vedfolnir.cleanup_rule;
SELECT vedfolnir_remove_cleanup('posts', 'file', '{path}');
SELECT vedfolnir_remove_cleanup('removal57.posts', NULL, '{path}');
-- A dry run names the mirror; one that is taken back copies nothing.
SELECT relation, action, row_count, split_part(note, ';', 1) AS note FROM vedfolnir_delete_user(1) WHERE action = 'delete' AND relation ~ 'posts';
SELECT vedfolnir_remove_mirror('removal57.posts', 'removal57.audit_posts');
SELECT vedfolnir_remove_mirror('removal57.posts', 'removal57.audit_posts');
SELECT count(*) FROM vedfolnir_delete_user(1) WHERE note ~ 'audit_posts';
SELECT vedfolnir_remove_mirror('removal57.posts', 'audit_posts');
-- A table with all that was declared for it, the tenancy of the root among it.
SELECT vedfolnir_forget('removal57.logs', 'logs_u');
SELECT vedfolnir_forget('removal57.users');
SELECT vedfolnir_forget('removal57.posts');
SELECT vedfolnir_policy_hash() = :'empty' AS as_before;
SELECT * FROM vedfolnir_export_policy();

-- A subject with everything; the audit of what was done stays. A hold that is in force keeps it.
SELECT vedfolnir_register_subject('users', subject => 'person');
SELECT vedfolnir_set_policy('posts', 'posts_user_id_fkey', 'nullify', subject => 'person');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'u:{id}', subject => 'person');
SELECT relation, action, row_count FROM vedfolnir_delete_user(1, false, subject => 'person');
SELECT vedfolnir_hold('2', 'case 12', subject => 'person');
SELECT vedfolnir_unregister_subject('person');
SELECT vedfolnir_release('2', 'closed', subject => 'person');
SELECT vedfolnir_unregister_subject('person');
SELECT vedfolnir_unregister_subject('person');
SELECT vedfolnir_unregister_subject(NULL);
SELECT subject FROM vedfolnir.subject;
SELECT (SELECT count(*) FROM vedfolnir.deletion), (SELECT count(*) FROM vedfolnir.audit_log), (SELECT count(*) FROM vedfolnir.hold);
SELECT * FROM vedfolnir_delete_user(2, subject => 'person');

-- More rows than allowed are a block row of the dry run, and VF011 in the run.
INSERT INTO posts SELECT g, 2, 'p/' || g, 'note' FROM generate_series(4, 7) g;
SELECT vedfolnir_set_policy('posts', 'posts_user_id_fkey', 'delete');
SET vedfolnir.max_rows = 4;
SELECT step, relation, action, row_count, regexp_replace(note, '^plan_hash.*', '') AS note FROM vedfolnir_delete_user(2);
\set VERBOSITY default
SELECT step, relation, action, row_count FROM vedfolnir_delete_user(2, false);
\set VERBOSITY terse
SELECT note AS remedy FROM vedfolnir_delete_user(2) WHERE action = 'block';
SET vedfolnir.max_rows = 5;
SELECT step, relation, action, row_count FROM vedfolnir_delete_user(2);
RESET vedfolnir.max_rows;

-- A rule that sets NULL where none may be is foreseen, in rows of an edge and in a tombstone.
SELECT vedfolnir_set_policy('posts', 'posts_user_id_fkey', 'nullify');
SELECT vedfolnir_set_column('posts', 'note', 'NULL', edge => 'posts_user_id_fkey');
SELECT relation, via, action, row_count, note FROM vedfolnir_delete_user(2) WHERE action = 'block';
SELECT relation FROM vedfolnir_delete_user(2, false);
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE severity = 'error';
SELECT remedy FROM vedfolnir_check() WHERE severity = 'error' \gexec
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE severity = 'error';
SELECT vedfolnir_register_subject('users', label_column => 'name', mode => 'tombstone');
SELECT vedfolnir_set_column('users', 'email', 'NULL');
SELECT relation, via, action, row_count, note FROM vedfolnir_delete_user(2) WHERE action = 'block';
SELECT relation FROM vedfolnir_delete_user(2, false);
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE severity = 'error';
SELECT remedy FROM vedfolnir_check() WHERE severity = 'error' \gexec
SELECT relation, action, row_count FROM vedfolnir_delete_user(2, false);
SELECT * FROM users;
SELECT id, note FROM posts WHERE id > 3 ORDER BY id;

-- Admins only.
CREATE ROLE regress57_nobody;
GRANT EXECUTE ON FUNCTION vedfolnir_remove_cleanup(text, text, text, text, name), vedfolnir_remove_mirror(text, text, name),
    vedfolnir_unregister_subject(name) TO regress57_nobody;
SET ROLE regress57_nobody;
SELECT public.vedfolnir_remove_cleanup('removal57.posts', 'file', '{path}');
SELECT public.vedfolnir_remove_mirror('removal57.posts', 'removal57.audit_posts');
SELECT public.vedfolnir_unregister_subject('user');
RESET ROLE;
DROP OWNED BY regress57_nobody;
DROP ROLE regress57_nobody;
SET client_min_messages = warning;
DROP SCHEMA removal57 CASCADE;
DROP EXTENSION vedfolnir;

-- Mirrors: an application's own audit tables get a copy of each deleted row, with operation code, actor and time.
CREATE SCHEMA mirror56; SET search_path = mirror56, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\pset null -
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE roles (user_id int NOT NULL REFERENCES users ON DELETE CASCADE, role text, "Since When" timestamptz, secret bytea, email text);
CREATE TABLE audit_roles (audit_id uuid NOT NULL, gone text, operation int NOT NULL, at timestamptz NOT NULL, editor int,
    user_id int, role text, "Since When" timestamptz, secret bytea, email text, noted text DEFAULT 'by default',
    doubled text GENERATED ALWAYS AS (role || role) STORED);
ALTER TABLE audit_roles DROP COLUMN gone;
CREATE TABLE audit_users (operation text, id int, name text);
INSERT INTO users VALUES (1, 'ada'), (2, 'bob'), (3, 'eve');
INSERT INTO roles VALUES (1, 'a "quoted", (odd) \role', '2026-01-01 12:34:56.789+01', '\x00ff', 'a@example.org'), (1, NULL, 'infinity', NULL, NULL),
    (1, 'twice', NULL, NULL, NULL), (1, 'twice', NULL, NULL, NULL), (2, 'stays', NULL, NULL, NULL);
SELECT vedfolnir_register_subject('users');
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{"audit_id": "gen_random_uuid()", "operation": 3, "at": "now()",
    "editor": "nullif(current_setting(''vedfolnir.actor'', true), '''')::int"}');
SELECT vedfolnir_add_mirror('users', 'audit_users', '{"operation": "''D''"}');
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE code <> 'missing_index';
-- A dry run copies nothing, and has the same rows as the run.
SET client_min_messages = warning;
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1);
SELECT count(*) FROM audit_roles;
BEGIN;
SET LOCAL vedfolnir.actor = '2';
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1, dry_run => false);
SELECT operation, at = now() AS at_once, editor, user_id, role, "Since When", secret, email, noted, doubled FROM audit_roles ORDER BY role;
SELECT count(DISTINCT audit_id) FROM audit_roles;
SELECT * FROM audit_users;
SELECT kind, count(*) FROM vedfolnir.cleanup_task GROUP BY kind;
SELECT state FROM vedfolnir.deletion;
COMMIT;
-- Without the personal column, by check's own remedy.
SELECT remedy FROM vedfolnir_check() WHERE code = 'personal_column' \gexec
SELECT code, object FROM vedfolnir_check() WHERE code = 'personal_column';
SELECT * FROM vedfolnir_export_policy() x WHERE x ~ 'mirror\(';
-- What the application's UPDATE triggers read is set in the same UPDATE: they fire once and see all of it.
CREATE TABLE offers (id int PRIMARY KEY, manager int REFERENCES users, reviewer int REFERENCES users, last_editor int, changed_at timestamptz);
CREATE TABLE audit_offers (operation int, editor int, LIKE offers);
CREATE FUNCTION audit_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mirror56.audit_offers SELECT 2, NEW.last_editor, NEW.*;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_offer AFTER UPDATE ON offers FOR EACH ROW EXECUTE FUNCTION audit_offer();
INSERT INTO users VALUES (7, 'max'), (8, 'ida');
INSERT INTO offers VALUES (1, 7, 7, 7, '2025-01-01'), (2, 8, 8, 8, '2025-01-01');
SELECT vedfolnir_set_policy('offers', 'offers_manager_fkey', 'nullify');
SELECT vedfolnir_set_policy('offers', 'offers_reviewer_fkey', 'nullify');
SELECT vedfolnir_set_column('offers', 'last_editor', 'nullif(current_setting(''vedfolnir.actor'', true), '''')::int', edge => 'offers_manager_fkey');
SELECT vedfolnir_set_column('offers', 'changed_at', 'now()', edge => 'offers_manager_fkey');
BEGIN;
SET LOCAL vedfolnir.actor = '8';
SELECT relation, via, action, row_count, regexp_replace(note, 'plan_hash=[0-9a-f]*; ', '') AS note FROM vedfolnir_delete_user(7) WHERE action <> 'tombstone';
SELECT count(*) FROM vedfolnir_delete_user(7, dry_run => false);
SELECT operation, editor, id, manager, reviewer, last_editor, changed_at = now() AS changed_now FROM audit_offers;
COMMIT;
SELECT id, manager, reviewer, last_editor FROM offers ORDER BY id;
DROP TABLE offers;
SELECT vedfolnir_forget('mirror56.offers');
DELETE FROM audit_users; DELETE FROM users WHERE id > 6;
-- A refused run leaves no copy; many people at once.
INSERT INTO roles VALUES (3, 'third', NULL, NULL, 'e@example.org');
CREATE TABLE blocks (user_id int REFERENCES users);
INSERT INTO blocks VALUES (3);
DELETE FROM audit_roles; DELETE FROM audit_users;
\set VERBOSITY terse
SELECT relation FROM vedfolnir_delete_user(3, dry_run => false);
SELECT count(*) FROM audit_roles;
DROP TABLE blocks;
SELECT relation, action, row_count FROM vedfolnir_delete_users('{2,3}', dry_run => false);
SELECT user_id, role, email FROM audit_roles ORDER BY 1;
SELECT * FROM audit_users ORDER BY id;
-- A tombstone is not copied: its UPDATE triggers see it. Rows behind it are.
INSERT INTO users VALUES (4, 'zoe'); INSERT INTO roles VALUES (4, 'fourth');
DELETE FROM audit_roles; DELETE FROM audit_users;
SELECT vedfolnir_register_subject('users', mode => 'tombstone');
SELECT relation, action, row_count FROM vedfolnir_delete_user(4, dry_run => false);
SELECT (SELECT count(*) FROM audit_roles) AS roles, (SELECT count(*) FROM audit_users) AS users;
-- The audit table changes: a new column is filled by its default, one that is gone refuses every run.
INSERT INTO users VALUES (5, 'kim'), (6, 'lee'); INSERT INTO roles VALUES (5, 'fifth'), (6, 'sixth');
ALTER TABLE audit_roles ADD COLUMN later int DEFAULT 7;
SELECT relation, action, row_count FROM vedfolnir_delete_user(5, dry_run => false);
SELECT role, later FROM audit_roles WHERE later = 7 AND role = 'fifth';
ALTER TABLE audit_roles DROP COLUMN operation;
SELECT relation, action, row_count FROM vedfolnir_delete_user(6, dry_run => false);
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE severity = 'error';
SELECT vedfolnir_forget('mirror56.roles');
SELECT relation, action, row_count FROM vedfolnir_delete_user(6, dry_run => false);
-- What is refused.
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{"nothing": "1"}');
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{"doubled": "1"}');
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{"role": "no_such_column"}');
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{"at": "role"}');
SELECT vedfolnir_add_mirror('roles', 'roles', '{}');
SELECT vedfolnir_add_mirror('roles', NULL, '{}');
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '["role"]');
CREATE ROLE regress56_admin;
SELECT vedfolnir_grant('regress56_admin', 'admin');
GRANT USAGE ON SCHEMA mirror56 TO regress56_admin;
SET ROLE regress56_admin;
SELECT vedfolnir_add_mirror('roles', 'audit_roles', '{}');
RESET ROLE;
SELECT vedfolnir_revoke('regress56_admin', 'admin');
DROP OWNED BY regress56_admin;
DROP ROLE regress56_admin;
SET client_min_messages = warning;
DROP SCHEMA mirror56 CASCADE;
DROP EXTENSION vedfolnir;

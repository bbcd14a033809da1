-- Who may what: nothing for PUBLIC, each duty its own calls, no table to anybody (design 2.6, R38, R42, R43).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE ROLE regress_nobody;
CREATE ROLE regress_viewer;
CREATE ROLE regress_operator;
CREATE ROLE regress_operator_bare;
CREATE ROLE regress_admin;
CREATE ROLE regress_worker;
CREATE ROLE regress_deleter;
CREATE ROLE regress_member IN ROLE regress_viewer;
CREATE ROLE regress_monitor IN ROLE pg_monitor;
CREATE ROLE regress_owner;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.posts (id int, u int REFERENCES app.users ON DELETE CASCADE, path text);
INSERT INTO app.users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO app.posts VALUES (1, 1, 'p'), (2, 2, 'q');
ALTER TABLE app.users OWNER TO regress_owner;
ALTER TABLE app.posts OWNER TO regress_owner;
GRANT USAGE, CREATE ON SCHEMA app TO regress_owner;
GRANT USAGE ON SCHEMA app TO PUBLIC;
GRANT DELETE ON app.users TO regress_operator, regress_deleter;
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}', on_expire => 'enqueue');
SELECT count(*) FROM vedfolnir_delete_user(2, false);
SELECT vedfolnir_grant('regress_viewer', 'viewer');
SELECT vedfolnir_grant('regress_operator', 'operator');
SELECT vedfolnir_grant('regress_operator_bare', 'operator');
SELECT vedfolnir_grant('regress_admin', 'admin');
SELECT vedfolnir_grant('regress_worker', 'worker');
-- What a role gets for a statement; it is undone.
CREATE FUNCTION t.code(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = 'undo';
EXCEPTION
    WHEN SQLSTATE 'P0999' THEN RETURN 'ok';
    WHEN others THEN RETURN SQLSTATE;
END $$;
CREATE TABLE t.calls (n serial, what text, statement text);
INSERT INTO t.calls (what, statement) VALUES
    ('dry run', 'SELECT vedfolnir_delete_user(1)'),
    ('dry run by name', 'SELECT vedfolnir_delete_user_by_name(''Ada'')'),
    ('dry run of many', 'SELECT vedfolnir_delete_users(''{1}'')'),
    ('dry run expire', 'SELECT vedfolnir_expire_sessions(1)'),
    ('verify', 'SELECT vedfolnir_verify_user(1)'),
    ('suggest', 'SELECT vedfolnir_suggest_policies()'),
    ('check', 'SELECT vedfolnir_check()'),
    ('policy hash', 'SELECT vedfolnir_policy_hash()'),
    ('run', 'SELECT vedfolnir_delete_user(1, false)'),
    ('run by name', 'SELECT vedfolnir_delete_user_by_name(''Ada'', false)'),
    ('run of many', 'SELECT vedfolnir_delete_users(''{1}'', false)'),
    ('run expire', 'SELECT vedfolnir_expire_sessions(1, false)'),
    ('register', 'SELECT vedfolnir_register_subject(''app.users'')'),
    ('policy', 'SELECT vedfolnir_set_policy(''app.posts'', ''posts_u_fkey'', ''delete'')'),
    ('apply', 'SELECT vedfolnir_apply_suggestions()'),
    ('grant', 'SELECT vedfolnir_grant(''regress_nobody'', ''admin'')'),
    ('revoke', 'SELECT vedfolnir_revoke(''regress_admin'', ''admin'')'),
    ('claim', 'SELECT vedfolnir_claim_tasks(''w'', 1, ''1 minute'')'),
    ('finish', 'SELECT vedfolnir_finish_tasks(''{1}'', ''{1}'', ''{done}'')'),
    ('fail', 'SELECT vedfolnir_fail_task(1, 1, ''x'')'),
    ('in use', 'SELECT vedfolnir_targets_in_use(''{1}'')'),
    ('leases', 'SELECT vedfolnir_require_leases(''{}'', ''{}'')'),
    ('retry', 'SELECT vedfolnir_retry_tasks(''{1}'')'),
    ('abandon', 'SELECT vedfolnir_abandon_tasks(''{1}'', ''x'')'),
    ('unlock', 'SELECT vedfolnir_unlock_worker(''w'')'),
    ('status', 'SELECT * FROM vedfolnir.queue_status, vedfolnir.worker_status'),
    ('read tasks', 'SELECT * FROM vedfolnir.cleanup_task'),
    ('forge a task', 'INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) VALUES (gen_random_uuid(), 3, ''file'', ''delete'', ''x'', ''y'')'),
    ('forge audit', 'INSERT INTO vedfolnir.audit_log (deletion_id, subject, pseudonym, key_id, relation, action, row_count) VALUES (gen_random_uuid(), ''user'', ''x'', 1, ''x'', ''delete'', 1)'),
    ('change audit', 'UPDATE vedfolnir.audit_log SET row_count = 0'),
    ('remove audit', 'DELETE FROM vedfolnir.audit_log'),
    ('truncate audit', 'TRUNCATE vedfolnir.audit_log'),
    ('change evidence', 'UPDATE vedfolnir.deletion SET state = ''complete'''),
    ('read secret', 'SELECT * FROM vedfolnir.secret'),
    ('forge policy', 'INSERT INTO vedfolnir.policy VALUES (''user'', 1, ''x'', ''x'', ''x'', ''delete'', NULL, ''refuse'')'),
    ('forge duty', 'INSERT INTO vedfolnir.duty VALUES (''regress_nobody'', ''admin'')'),
    ('set actor', 'SET LOCAL vedfolnir.actor = ''x'''),
    ('set allow_unsafe', 'SET LOCAL vedfolnir.allow_unsafe = on'),
    ('set fast_ri', 'SET LOCAL vedfolnir.fast_ri = off'),
    ('set max_rows', 'SET LOCAL vedfolnir.max_rows = 5'),
    ('set lock_timeout', 'SET LOCAL vedfolnir.lock_timeout = ''1s'''),
    ('set strict', 'SET LOCAL vedfolnir.strict = on'),
    ('set notify', 'SET LOCAL vedfolnir.notify = off');
SELECT what, t.code('regress_nobody', statement) AS nobody, t.code('regress_viewer', statement) AS viewer,
       t.code('regress_operator', statement) AS operator, t.code('regress_operator_bare', statement) AS "operator, no DELETE",
       t.code('regress_deleter', statement) AS "DELETE only", t.code('regress_admin', statement) AS admin,
       t.code('regress_worker', statement) AS worker, t.code('regress_member', statement) AS "viewer's member",
       t.code('regress_monitor', statement) AS monitor
  FROM t.calls ORDER BY n;
-- DELETE on the root table is enough to look, once somebody lets the role call the function; never to run.
GRANT EXECUTE ON FUNCTION vedfolnir_delete_user(bigint, boolean, text, uuid, text, name), vedfolnir_verify_user(bigint, name) TO regress_deleter, regress_nobody;
SELECT what, t.code('regress_deleter', statement) AS "DELETE only", t.code('regress_nobody', statement) AS nobody
  FROM t.calls WHERE what IN ('dry run', 'run', 'verify') ORDER BY n;
-- Expressions run as the owner of the table: declaring one needs its ownership, also for an admin.
SELECT t.code('regress_admin', 'SELECT vedfolnir_set_column(''app.users'', ''name'', ''NULL'')') AS set_column,
       t.code('regress_admin', 'SELECT vedfolnir_set_policy(''app.posts'', ''posts_u_fkey'', ''reassign'', reassign_to => ''= 1'')') AS reassign,
       t.code('regress_admin', 'SELECT vedfolnir_add_cleanup(''app.posts'', ''file'', ''= path'')') AS expression,
       t.code('regress_admin', 'SELECT vedfolnir_add_link(''l'', ''app.posts'', ''app.users'', expression => ''id'')') AS link,
       t.code('regress_admin', 'SELECT vedfolnir_add_link(''l'', ''app.posts'', ''app.users'', columns => ''{id}'', condition => ''true'')') AS condition;
GRANT regress_owner TO regress_admin;
SELECT t.code('regress_admin', 'SELECT vedfolnir_set_column(''app.users'', ''name'', ''NULL'')') AS set_column;
-- A duty taken back takes its calls back; a second duty keeps what it needs.
SELECT vedfolnir_grant('regress_viewer', 'operator');
SELECT vedfolnir_revoke('regress_viewer', 'operator');
SELECT t.code('regress_viewer', 'SELECT vedfolnir_delete_user(1)') AS still_looks, t.code('regress_viewer', 'SELECT vedfolnir_retry_tasks(''{1}'')') AS retries;
SELECT vedfolnir_revoke('regress_viewer', 'viewer');
SELECT t.code('regress_viewer', 'SELECT vedfolnir_delete_user(1)') AS looks, t.code('regress_member', 'SELECT vedfolnir_delete_user(1)') AS members;
SELECT * FROM t.refused('SELECT vedfolnir_grant(''regress_viewer'', ''deleter'')');
SELECT * FROM t.refused('SELECT vedfolnir_grant(NULL, ''viewer'')');
SELECT * FROM t.refused('SELECT vedfolnir_grant(''regress_no_such_role'', ''viewer'')');
-- The message for a missing duty
SET ROLE regress_nobody;
SELECT vedfolnir_delete_user(1);
RESET ROLE;
-- No function of ours is open to PUBLIC, no table of ours grants anything but to its owner and the monitors; a function that
-- runs with its owner's rights has a search_path of its own. R38 R39
SELECT p.proname FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vedfolnir'
 WHERE p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0) ORDER BY 1;
SELECT c.relname, a.grantee::regrole, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
 WHERE c.relnamespace = 'vedfolnir'::regnamespace AND a.grantee <> c.relowner AND a.grantee <> 'regress_operator'::regrole ORDER BY 1, 2, 3;
SELECT p.proname FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vedfolnir'
 WHERE p.prosecdef AND NOT coalesce(array_to_string(p.proconfig, ',') ~ 'search_path', false) ORDER BY 1;
-- Every object of ours has a comment.
SELECT d.classid::regclass, d.objid FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vedfolnir'
 WHERE d.deptype = 'e' AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass) AND obj_description(d.objid, d.classid::regclass::name) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class s WHERE s.oid = d.objid AND d.classid = 'pg_class'::regclass AND s.relkind IN ('S', 'c', 'i'));
-- A run as an operator: the rows of tables that the operator may not touch go, in the name of their owner. R35
SET ROLE regress_operator;
SELECT step, relation, action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT current_user;
RESET ROLE;
SELECT "session_user" = session_user AS session, "current_user" FROM vedfolnir.deletion WHERE "current_user" <> session_user;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
-- The actor: needs the right to set it; the key of a person is stored as its pseudonym only.
INSERT INTO app.users VALUES (7, 'Gil'), (8, 'Hal');
SET vedfolnir.actor = 'backend 5';
SELECT count(*) FROM vedfolnir_delete_user(7, false);
SET vedfolnir.actor = '8';
INSERT INTO app.users VALUES (7, 'Gil');
SELECT count(*) FROM vedfolnir_delete_user(7, false);
RESET vedfolnir.actor;
SELECT actor IS NULL AS none, actor = 'backend 5' AS named, actor ~ '(^|[^0-9a-f])8([^0-9a-f]|$)' AS key_shows FROM vedfolnir.deletion ORDER BY created_at;
DROP TABLE t.calls;
SELECT t.finish();
DROP ROLE regress_nobody, regress_viewer, regress_operator, regress_operator_bare, regress_admin, regress_worker, regress_deleter, regress_member, regress_monitor, regress_owner;

-- What the extension promises about its own objects, asked of the catalogue.
CREATE EXTENSION pgtap;
CREATE SCHEMA elsewhere;
CREATE EXTENSION vedfolnir SCHEMA elsewhere;
SET search_path = elsewhere, public;
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW ours AS
SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e' AND x.extname = 'vedfolnir';

SELECT has_schema('vedfolnir');
SELECT has_table('vedfolnir', t, 'table ' || t)
FROM unnest(ARRAY['subject', 'policy', 'column_rule', 'link', 'cleanup_rule', 'duty', 'deletion', 'audit_log', 'request', 'secret', 'cleanup_task']) t;
SELECT has_function('elsewhere', f, 'function ' || f)
FROM unnest(ARRAY['vedfolnir_delete_user', 'vedfolnir_delete_user_by_name', 'vedfolnir_delete_users', 'vedfolnir_expire_sessions',
                  'vedfolnir_verify_user', 'vedfolnir_last_deletion', 'vedfolnir_register_subject', 'vedfolnir_set_policy',
                  'vedfolnir_set_column', 'vedfolnir_add_link', 'vedfolnir_suggest_policies', 'vedfolnir_apply_suggestions',
                  'vedfolnir_check', 'vedfolnir_assert_check', 'vedfolnir_grant', 'vedfolnir_revoke', 'vedfolnir_add_cleanup',
                  'vedfolnir_claim_tasks', 'vedfolnir_finish_tasks', 'vedfolnir_fail_task', 'vedfolnir_targets_in_use',
                  'vedfolnir_retry_tasks', 'vedfolnir_abandon_tasks', 'vedfolnir_unlock_worker', 'vedfolnir_policy_hash']) f;
SELECT is(prokind::text, 'p', 'procedure vedfolnir_delete_user_in_batches') FROM pg_catalog.pg_proc WHERE proname = 'vedfolnir_delete_user_in_batches';
SELECT is(count(*), 3::bigint, 'three ways to name a ' || n) FROM pg_catalog.pg_proc, unnest(ARRAY['vedfolnir_delete_user', 'vedfolnir_expire_sessions', 'vedfolnir_verify_user']) n
WHERE proname = n GROUP BY n;
SELECT is((SELECT count(DISTINCT proargnames[1]) FROM pg_catalog.pg_proc WHERE proname = 'vedfolnir_delete_user'), 3::bigint,
          'the overloads differ in the name of their first argument');

SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p JOIN ours ON ours.objid = p.oid AND ours.classid = 'pg_catalog.pg_proc'::regclass
                   WHERE pg_catalog.obj_description(p.oid, 'pg_proc') IS NULL $$, 'every function has a comment');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN ours ON ours.objid = c.oid AND ours.classid = 'pg_catalog.pg_class'::regclass
                   WHERE c.relkind IN ('r', 'v', 'S') AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL $$, 'every table, view and sequence has a comment');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN ours ON ours.objid = c.oid AND ours.classid = 'pg_catalog.pg_class'::regclass
                   WHERE c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) $$,
                'every table has a primary key, or a publication of all tables would stop it');
SELECT is_empty($$ SELECT t.typname FROM pg_catalog.pg_type t JOIN ours ON ours.objid = t.oid AND ours.classid = 'pg_catalog.pg_type'::regclass
                   JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c' AND pg_catalog.obj_description(t.oid, 'pg_type') IS NULL $$,
                'every type has a comment');

-- Nothing for PUBLIC, and nobody writes the tables by hand.
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p JOIN ours ON ours.objid = p.oid AND ours.classid = 'pg_catalog.pg_proc'::regclass
                   CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a WHERE a.grantee = 0 $$,
                'no function is granted to PUBLIC');
SELECT is_empty($$ SELECT c.oid::regclass, a.grantee FROM pg_catalog.pg_class c JOIN ours ON ours.objid = c.oid AND ours.classid = 'pg_catalog.pg_class'::regclass
                   CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
                   WHERE a.grantee <> c.relowner AND (a.grantee = 0 OR a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')) $$,
                'no table is granted to PUBLIC, and no role writes one');
-- The event trigger's function must write a table of ours for whoever types DDL; it takes no argument.
SELECT results_eq($$ SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p JOIN ours ON ours.objid = p.oid AND ours.classid = 'pg_catalog.pg_proc'::regclass
                     WHERE p.prosecdef $$, $$ VALUES ('vedfolnir.note_paths()') $$, 'only the event trigger is SECURITY DEFINER');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p JOIN ours ON ours.objid = p.oid AND ours.classid = 'pg_catalog.pg_proc'::regclass
                   JOIN pg_catalog.pg_language l ON l.oid = p.prolang
                   WHERE l.lanname IN ('sql', 'plpgsql') AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog%', false) $$,
                'every function in SQL fixes its search_path');
-- The functions of a run must leave the caller's search_path alone, since the application's triggers see it.
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p JOIN ours ON ours.objid = p.oid AND ours.classid = 'pg_catalog.pg_proc'::regclass
                   WHERE p.proname LIKE 'vedfolnir\_delete\_user%' AND p.proconfig IS NOT NULL $$, 'the functions of a run set nothing');

-- A dump must carry what users put in; what was observed while it was made is no part of that.
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_catalog.pg_class c JOIN ours ON ours.objid = c.oid AND ours.classid = 'pg_catalog.pg_class'::regclass
                   WHERE c.relkind IN ('r', 'S') AND c.relname NOT IN ('worker', 'watched_path') AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = 'vedfolnir' AND c.oid = ANY (x.extconfig)) $$,
                'every table and sequence is dumped');

SELECT is(setting, expected, name) FROM pg_catalog.pg_settings
JOIN (VALUES ('vedfolnir.actor', ''), ('vedfolnir.allow_unsafe', 'off'), ('vedfolnir.fast_ri', 'on'), ('vedfolnir.lock_timeout', '5000'),
             ('vedfolnir.max_rows', '0'), ('vedfolnir.notify', 'on'), ('vedfolnir.strict', 'off')) v (setting_name, expected) ON name = setting_name
ORDER BY name COLLATE "C";
SELECT is(array_agg(name ORDER BY name COLLATE "C"), ARRAY['vedfolnir.actor', 'vedfolnir.allow_unsafe', 'vedfolnir.fast_ri'],
          'what relaxes safety is the superuser''s')
FROM pg_catalog.pg_settings WHERE name IN ('vedfolnir.actor', 'vedfolnir.allow_unsafe', 'vedfolnir.fast_ri') AND context = 'superuser';

SELECT * FROM finish();
ROLLBACK;

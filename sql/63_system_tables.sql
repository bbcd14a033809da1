-- Statements run as the owner of their table, so nothing leads to tables of the server or of the extension: whoever has
-- the duty "admin" could become a superuser, or remove the evidence (R42, R46).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text UNIQUE, yes bool UNIQUE);
INSERT INTO app.users VALUES (1, 'ada', true), (2, 'ben', false);
CREATE ROLE regress_system_admin;
SELECT vedfolnir_register_subject('app.users'), vedfolnir_grant('regress_system_admin', 'admin');
GRANT USAGE ON SCHEMA app, t TO regress_system_admin;
GRANT SELECT ON app.users TO regress_system_admin;
SET ROLE regress_system_admin;
SELECT r.code, r.message, r.detail FROM unnest(ARRAY['vedfolnir.audit_log', 'vedfolnir.secret', 'vedfolnir.duty', 'pg_authid', 'information_schema.sql_features']) x,
    t.refused(format($$SELECT vedfolnir_add_link('l', %L, 'app.users', columns => '{nothing}', action => 'delete')$$, x)) r;
SELECT code, message FROM t.refused($$SELECT vedfolnir_add_link('l', 'pg_authid', 'app.users', columns => '{rolsuper}', parent_columns => '{yes}', action => 'nullify')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_add_link('l', 'app.users', 'pg_authid', columns => '{name}', parent_columns => '{rolname}')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_register_subject('pg_authid', subject => 'role')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_register_subject('vedfolnir.deletion', subject => 'deletion')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_add_cleanup('vedfolnir.cleanup_task', 'redis_key', '{target}')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_set_policy('vedfolnir.duty', 'l', 'delete')$$);
RESET ROLE;
SELECT code, message FROM t.refused($$SELECT vedfolnir_set_column('vedfolnir.secret', 'secret', 'NULL', 'l')$$);
SELECT code, message FROM t.refused($$SELECT vedfolnir_add_mirror('app.users', 'vedfolnir.audit_log')$$);
SELECT count(*) FROM vedfolnir.link;
SELECT t.finish();
DROP OWNED BY regress_system_admin;
DROP ROLE regress_system_admin;

-- The policy as one file: loading it into an empty database gives the same policy hash.
CREATE SCHEMA export53; SET search_path = export53, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY, name text, company int);
CREATE TABLE "Odd's" (id int PRIMARY KEY, "User" int REFERENCES users, data jsonb, ids int[], owner_type text, owner_id int, path text);
CREATE TABLE settings (id int PRIMARY KEY, updated_by int NOT NULL REFERENCES users);
SELECT vedfolnir_export_policy();
CREATE TABLE mirrored (operation int, "path" text);
SELECT vedfolnir_register_subject('users', label_column => 'name', mode => 'tombstone');
SELECT vedfolnir_export_policy();
SELECT vedfolnir_set_policy('"Odd''s"', 'Odd''s_User_fkey', 'nullify', reason => E'it''s \\ odd', collateral => 'delete');
SELECT vedfolnir_set_policy('settings', 'settings_updated_by_fkey', 'reassign', reassign_to => '7');
SELECT vedfolnir_add_link('by_json', '"Odd''s"', 'users', expression => '(data->>''user'')::int', action => 'retain');
SELECT vedfolnir_add_link('by_array', '"Odd''s"', 'users', columns => '{ids}', action => 'nullify');
SELECT vedfolnir_add_link('by_owner', '"Odd''s"', 'users', columns => '{owner_id}', action => 'delete', condition => 'owner_type = ''User''');
SELECT vedfolnir_set_column('users', 'name', '''gone'' || id');
SELECT vedfolnir_set_column('"Odd''s"', 'path', 'NULL', edge => 'Odd''s_User_fkey');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'user:{id}', service => 'cache', on_expire => 'enqueue');
SELECT vedfolnir_add_cleanup('"Odd''s"', 'file', '{path}');
SELECT vedfolnir_set_tenancy('users', 'company', 'name = ''boss''');
SELECT vedfolnir_register_subject('settings', subject => 'setting');
SELECT vedfolnir_add_mirror('"Odd''s"', 'mirrored', '{"operation": "3"}');
CREATE ROLE regress53_desk;
SELECT vedfolnir_grant('regress53_desk', 'operator');
SELECT vedfolnir_watch(true);
SELECT vedfolnir_export_policy();
SELECT vedfolnir_export_policy('setting');
-- Round trip: everything is removed and loaded again, twice.
SELECT vedfolnir_policy_hash() AS hash \gset
CREATE TABLE exported AS SELECT row_number() OVER () AS n, line FROM vedfolnir_export_policy() AS line;
DROP EXTENSION vedfolnir;
CREATE EXTENSION vedfolnir SCHEMA public;
\pset tuples_only
SELECT line FROM exported ORDER BY n \gexec
SELECT line FROM exported ORDER BY n \gexec
\pset tuples_only
SELECT vedfolnir_policy_hash() = :'hash' AS same_hash;
SELECT count(*) AS differences FROM (SELECT line FROM exported EXCEPT SELECT * FROM vedfolnir_export_policy()) x;
SELECT count(*) = (SELECT count(*) FROM exported) AS same_length FROM vedfolnir_export_policy();
CREATE ROLE regress53_nobody;
GRANT EXECUTE ON FUNCTION vedfolnir_export_policy(name) TO regress53_nobody;
SET ROLE regress53_nobody;
SELECT public.vedfolnir_export_policy();
RESET ROLE;
-- A role that another cluster does not have is passed over; a hold is about a person and stays out.
SELECT vedfolnir_revoke('regress53_desk', 'operator');
DROP OWNED BY regress53_desk;
DROP ROLE regress53_desk;
SELECT line FROM exported WHERE line ~ 'regress53_desk' ORDER BY n \gexec
SELECT role_name FROM vedfolnir.duty;
SELECT vedfolnir_export_policy(NULL);
SELECT vedfolnir_export_policy('nobody');
DROP OWNED BY regress53_nobody;
DROP ROLE regress53_nobody;
DROP SCHEMA export53 CASCADE;
DROP EXTENSION vedfolnir;

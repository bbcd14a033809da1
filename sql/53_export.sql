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
-- The hash covers each kind of row that can be declared: what changes one changes it, and the export brings it back.
SET client_min_messages = error;
CREATE TABLE elsewhere (operation int, "path" text);
CREATE FUNCTION changes_hash(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := public.vedfolnir_policy_hash();
    changed text;
    after text;
    line text;
BEGIN
    EXECUTE change;
    changed := public.vedfolnir_policy_hash();
    PERFORM public.vedfolnir_unregister_subject('user');
    FOR line IN SELECT e.line FROM exported e WHERE e.line !~ 'watch' ORDER BY n LOOP
        EXECUTE line;
    END LOOP;
    after := public.vedfolnir_policy_hash();
    RETURN CASE WHEN changed = before THEN 'not covered' WHEN after <> before THEN 'not restored' ELSE 'covered' END;
END $$;
\pset footer off
SELECT what, changes_hash(change) FROM (VALUES
    (1, 'subject: mode', $$SELECT vedfolnir_register_subject('users', label_column => 'name')$$),
    (2, 'subject: label', $$SELECT vedfolnir_register_subject('users', mode => 'tombstone')$$),
    (3, 'tenancy: none', $$SELECT vedfolnir_forget('export53.users')$$),
    (4, 'tenancy: column', $$SELECT vedfolnir_set_tenancy('users', 'id', 'name = ''boss''')$$),
    (5, 'tenancy: administrator', $$SELECT vedfolnir_set_tenancy('users', 'company', 'name = ''chief''')$$),
    (6, 'link: none', $$SELECT vedfolnir_forget('export53."Odd''s"', 'by_json')$$),
    (7, 'link: action', $$SELECT vedfolnir_add_link('by_json', '"Odd''s"', 'users', expression => '(data->>''user'')::int', action => 'delete')$$),
    (8, 'link: expression', $$SELECT vedfolnir_add_link('by_json', '"Odd''s"', 'users', expression => '(data->>''owner'')::int', action => 'retain')$$),
    (9, 'link: condition', $$SELECT vedfolnir_add_link('by_owner', '"Odd''s"', 'users', columns => '{owner_id}', action => 'delete',
        condition => 'owner_type = ''Boss''')$$),
    (10, 'policy: none', $$SELECT vedfolnir_forget('export53.settings', 'settings_updated_by_fkey')$$),
    (11, 'policy: action', $$SELECT vedfolnir_set_policy('settings', 'settings_updated_by_fkey', 'block')$$),
    (12, 'policy: successor', $$SELECT vedfolnir_set_policy('settings', 'settings_updated_by_fkey', 'reassign', reassign_to => '8')$$),
    (13, 'policy: reason', $$SELECT vedfolnir_set_policy('settings', 'settings_updated_by_fkey', 'reassign', reassign_to => '7', reason => 'why')$$),
    (14, 'policy: collateral', $$SELECT vedfolnir_set_policy('"Odd''s"', 'Odd''s_User_fkey', 'nullify', reason => E'it''s \\ odd')$$),
    (15, 'column rule: root row', $$SELECT vedfolnir_set_column('users', 'name', '''none''')$$),
    (16, 'column rule: edge', $$SELECT vedfolnir_set_column('"Odd''s"', 'owner_type', 'NULL', edge => 'Odd''s_User_fkey')$$),
    (17, 'clean-up: target', $$SELECT vedfolnir_add_cleanup('users', 'redis_key', 'person:{id}', service => 'cache')$$),
    (18, 'clean-up: service', $$SELECT vedfolnir_add_cleanup('"Odd''s"', 'file', '{path}', service => 'attic')$$),
    (19, 'clean-up: on_expire', $$SELECT vedfolnir_add_cleanup('users', 'redis_key', 'user:{id}', service => 'cache', on_expire => 'no')$$),
    (20, 'mirror: none', $$SELECT vedfolnir_remove_mirror('export53."Odd''s"', 'export53.mirrored')$$),
    (21, 'mirror: columns', $$SELECT vedfolnir_add_mirror('"Odd''s"', 'mirrored', '{"operation": "4"}')$$),
    (22, 'mirror: table', $$SELECT vedfolnir_add_mirror('"Odd''s"', 'elsewhere', '{"operation": "3"}')$$)
    ) AS c (n, what, change) ORDER BY n;
-- What belongs to nobody's deletion, or to one person, is not part of it: duties, the watch, holds.
INSERT INTO users VALUES (1, 'ann', 1);
SELECT what, changes_hash(change) FROM (VALUES
    (1, 'duty', $$SELECT vedfolnir_revoke('regress53_desk', 'operator')$$),
    (2, 'watch', $$SELECT vedfolnir_watch(false)$$),
    (3, 'another subject', $$SELECT vedfolnir_unregister_subject('setting')$$)) AS c (n, what, change) ORDER BY n;
SELECT vedfolnir_hold('1', 'a claim');
SELECT vedfolnir_policy_hash() = :'hash' AS same_hash;
SELECT vedfolnir_release('1', 'settled');
-- Nor is the order in which things were declared: two rules of one kind and service, and the other way round.
SELECT vedfolnir_unregister_subject('user');
SELECT vedfolnir_register_subject('users');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'z:{id}');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'a:{id}');
SELECT vedfolnir_policy_hash() AS hash \gset
SELECT vedfolnir_unregister_subject('user');
SELECT vedfolnir_register_subject('users');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'a:{id}');
SELECT vedfolnir_add_cleanup('users', 'redis_key', 'z:{id}');
SELECT vedfolnir_policy_hash() = :'hash' AS same_hash;
RESET client_min_messages;
\pset footer on
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

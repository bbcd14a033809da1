-- A column that looks like a reference to a person and is none: an administrator says so, and check() does not ask again.
CREATE SCHEMA dismissal60; SET search_path = dismissal60, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\pset fieldsep ' | '
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY, name text, email text);
CREATE TABLE machines (id int PRIMARY KEY, user_id int, owner_type text, owner_id int, member_ids int[], data jsonb, email text, code int);
CREATE TABLE other_machines (id int PRIMARY KEY, user_id int);
INSERT INTO users SELECT n, 'u' || n, 'u' || n || '@example.org' FROM generate_series(100, 140) n;
INSERT INTO machines SELECT n, n, 'User', n, ARRAY[n], jsonb_build_object('user_id', n), 'u' || n || '@example.org', n FROM generate_series(100, 140) n;
SELECT vedfolnir_register_subject('users');
-- By name and type, as a pair, as an array, in JSON, as an address, and by the values.
SELECT severity, object, message FROM vedfolnir_check(sample_values => true) WHERE code = 'link_candidate';
SELECT object FROM vedfolnir_check() WHERE severity = 'notice' AND code = 'link_candidate';
SELECT vedfolnir_dismiss_candidate('machines', a.attname, 'users of the machine''s own system')
FROM pg_attribute a WHERE a.attrelid = 'machines'::regclass AND a.attnum > 1 ORDER BY a.attnum;
SELECT severity, object, message FROM vedfolnir_check(sample_values => true) WHERE code = 'link_candidate';
SELECT severity, object, message FROM vedfolnir_check() WHERE code = 'link_candidate';
SELECT relation_name, column_name, reason FROM vedfolnir.dismissal WHERE column_name = 'user_id';
-- It can be said again, and it decides nothing: the rows stay as they were, and the plan is the same.
SELECT vedfolnir_dismiss_candidate('machines', 'user_id', 'another reason');
SELECT reason FROM vedfolnir.dismissal WHERE column_name = 'user_id';
SELECT relation, action, row_count FROM vedfolnir_delete_user(100);
-- It is part of the exported policy and of its hash.
SELECT vedfolnir_export_policy();
SELECT vedfolnir_policy_hash() AS hash \gset
SELECT vedfolnir_remove_dismissal('dismissal60.machines', 'user_id');
SELECT vedfolnir_policy_hash() = :'hash' AS same_hash;
SELECT vedfolnir_remove_dismissal('dismissal60.machines', 'user_id');
SELECT object FROM vedfolnir_check() WHERE code = 'link_candidate';
SELECT vedfolnir_dismiss_candidate('machines', 'user_id', 'another reason');
SELECT vedfolnir_policy_hash() = :'hash' AS same_hash;
-- A column that was renamed is looked at again, and what was said of the old name is stale; so is a table made anew.
ALTER TABLE machines RENAME user_id TO owned_by_user_id;
SELECT severity, code, object, message, remedy FROM vedfolnir_check() WHERE object ~ 'user_id' AND object ~ '\.machines\.';
SELECT vedfolnir_assert_check();
SELECT remedy FROM vedfolnir_check() WHERE code = 'stale_rule' \gexec
SELECT count(*) FROM vedfolnir_check() WHERE code = 'stale_rule';
ALTER TABLE machines RENAME TO engines;
SELECT count(*), min(object) FROM vedfolnir_check() WHERE code = 'stale_rule';
SELECT vedfolnir_forget('dismissal60.machines');
SELECT vedfolnir_dismiss_candidate('other_machines', 'user_id', 'ids of another system');
DROP TABLE other_machines;
CREATE TABLE other_machines (id int PRIMARY KEY, user_id int);
SELECT code, object, remedy FROM vedfolnir_check() WHERE object ~ 'other_machines' ORDER BY code;
-- A run is not stopped by it.
SELECT action, row_count FROM vedfolnir_delete_user(100, false);
SELECT vedfolnir_remove_dismissal('dismissal60.other_machines', 'user_id');
-- The other half of a tombstone: an edge that would have to be a link.
CREATE TABLE profiles (id int PRIMARY KEY REFERENCES users ON DELETE CASCADE, nick text);
CREATE TABLE badges (id int PRIMARY KEY, profile_id int NOT NULL REFERENCES profiles ON DELETE CASCADE);
SELECT vedfolnir_register_subject('users', mode => 'tombstone');
SELECT vedfolnir_set_policy('profiles', 'profiles_id_fkey', 'retain');
SELECT object FROM vedfolnir_check() WHERE code = 'link_candidate' AND object ~ 'badges';
SELECT vedfolnir_dismiss_candidate('badges', 'profile_id', 'badges of the profile, not of the person');
SELECT object FROM vedfolnir_check() WHERE code = 'link_candidate' AND object ~ 'badges';
-- Errors
SELECT vedfolnir_dismiss_candidate('engines', 'owner', 'none');
SELECT vedfolnir_dismiss_candidate('engines', 'owner_id', NULL);
SELECT vedfolnir_dismiss_candidate('engines', 'owner_id', 'none', subject => 'nobody');
SELECT vedfolnir_remove_dismissal('engines', 'owner_id');
SELECT vedfolnir_remove_dismissal(NULL, 'owner_id');
CREATE ROLE regress60_nobody;
GRANT EXECUTE ON FUNCTION vedfolnir_dismiss_candidate(regclass, name, text, name), vedfolnir_remove_dismissal(text, name, name) TO regress60_nobody;
GRANT USAGE ON SCHEMA dismissal60 TO regress60_nobody;
SET ROLE regress60_nobody;
SELECT public.vedfolnir_dismiss_candidate('engines', 'owner_id', 'none');
SELECT public.vedfolnir_remove_dismissal('dismissal60.engines', 'owner_id');
RESET ROLE;
DROP OWNED BY regress60_nobody;
DROP ROLE regress60_nobody;
-- A subject takes its dismissals along.
SELECT vedfolnir_unregister_subject('user');
TABLE vedfolnir.dismissal;
SET client_min_messages = error;
DROP SCHEMA dismissal60 CASCADE;
DROP EXTENSION vedfolnir;

-- Legal holds: VF008 in a run, one block row in a dry run, nothing for sessions.
CREATE SCHEMA hold52; SET search_path = hold52, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE sessions (id text PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE);
INSERT INTO users VALUES (1, 'ada'), (2, 'bob'), (3, 'eve');
INSERT INTO sessions VALUES ('s1', 1), ('s2', 2);
SELECT vedfolnir_register_subject('users', label_column => 'name');
SELECT vedfolnir_add_cleanup('sessions', 'redis_key', 'session:{id}', on_expire => 'delete');
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SET datestyle = 'ISO';
-- The date of today is masked.
CREATE FUNCTION try(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    state text; said text; detail text; hint text; line record;
BEGIN
    FOR line IN EXECUTE statement LOOP
        RETURN NEXT regexp_replace(replace(line::text, current_date::text, 'TODAY'), 'plan_hash=[0-9a-f]*', 'plan_hash=');
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN NEXT state || ' ' || said;
    RETURN NEXT replace(detail, current_date::text, 'TODAY');
    RETURN NEXT hint;
END $$;
SET client_min_messages = warning;
SELECT vedfolnir_hold('1', 'case 4711');
SELECT try('SELECT * FROM vedfolnir_delete_user(1, dry_run => false)');
SELECT try('SELECT * FROM vedfolnir_delete_user_by_name(''ada'', dry_run => false)');
SELECT try('SELECT * FROM vedfolnir_delete_users(''{2,1}'', dry_run => false)');
SELECT try('SELECT step, relation, via, action, row_count, note FROM vedfolnir_delete_user(1)');
SELECT try('SELECT step, relation, via, action, row_count, note FROM vedfolnir_delete_users(''{1,2,3}'')');
-- Sessions end all the same; others are not held.
SELECT relation, action, row_count FROM vedfolnir_expire_sessions(1, dry_run => false);
SELECT relation, action, row_count FROM vedfolnir_delete_user(2, dry_run => false);
-- The key's text form does not matter, the same matter is one hold, several matters are all released.
SELECT vedfolnir_hold(' 01', 'case 4711', until => '2099-01-01');
SELECT vedfolnir_hold('1', 'case 4712');
SELECT reason, held_until, released_at, octet_length(pseudonym) FROM vedfolnir.hold ORDER BY id;
SELECT try('SELECT vedfolnir_release(''1'', ''dismissed'')');
SELECT try('SELECT vedfolnir_release(''1'', ''dismissed'')');
SELECT reason, release_reason, released_at IS NOT NULL AS released FROM vedfolnir.hold ORDER BY id;
-- A hold that is over forbids nothing.
SELECT vedfolnir_hold('1', 'case 4713', until => clock_timestamp() + interval '1 second');
SELECT try('SELECT * FROM vedfolnir_delete_user(1, dry_run => false)') LIMIT 1;
SELECT pg_sleep(1.1);
SELECT relation, action, row_count FROM vedfolnir_delete_user(1, dry_run => false);
-- A savepoint takes a hold back with it.
BEGIN;
SAVEPOINT s;
SELECT vedfolnir_hold('3', 'case 5');
ROLLBACK TO s;
SELECT relation, action, row_count FROM vedfolnir_delete_user(3, dry_run => false);
ROLLBACK;
-- What is refused.
SELECT try('SELECT vedfolnir_hold(''99'', ''case'')');
SELECT try('SELECT vedfolnir_hold(''x'', ''case'')');
SELECT try('SELECT vedfolnir_hold(''3'', ''  '')');
SELECT try('SELECT vedfolnir_hold(''3'', ''matter of Eve'')');
SELECT try('SELECT vedfolnir_hold(''3'', ''matter 3'')');
SELECT try('SELECT vedfolnir_hold(''3'', ''case'', until => ''2001-01-01'')');
SELECT try('SELECT vedfolnir_hold(NULL, ''case'')');
SELECT try('SELECT vedfolnir_hold(''3'', NULL)');
SELECT try('SELECT vedfolnir_hold(''3'', ''case'', subject => ''nobody'')');
SELECT try('SELECT vedfolnir_release(''3'', ''case'')');
CREATE ROLE regress52_desk;
GRANT EXECUTE ON FUNCTION vedfolnir_hold(text, text, timestamptz, name), vedfolnir_release(text, text, name) TO regress52_desk;
GRANT USAGE ON SCHEMA hold52 TO regress52_desk;
SET ROLE regress52_desk;
SELECT try('SELECT vedfolnir_hold(''3'', ''case'')');
SELECT try('SELECT vedfolnir_release(''3'', ''case'')');
SELECT try('SELECT * FROM vedfolnir.hold');
RESET ROLE;
DROP OWNED BY regress52_desk;
DROP ROLE regress52_desk;
DROP SCHEMA hold52 CASCADE;
DROP EXTENSION vedfolnir;

-- Who may delete whom: oneself, or the people of the company that one administers. The actor comes from vedfolnir.actor.
CREATE SCHEMA tenancy54; SET search_path = tenancy54, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
CREATE TABLE users (id int PRIMARY KEY, company int, state text NOT NULL DEFAULT 'active');
CREATE TABLE roles (user_id int NOT NULL REFERENCES users ON DELETE CASCADE, role text NOT NULL, PRIMARY KEY (user_id, role));
-- Company 1: administrators 1 and 2, people 3 and 4. Company 2: administrator 11, person 12. 20 has no company.
INSERT INTO users VALUES (1, 1), (2, 1), (3, 1), (4, 1), (11, 2), (12, 2), (20, NULL);
INSERT INTO roles VALUES (1, 'admin'), (2, 'admin'), (3, 'reader'), (11, 'admin'), (12, 'reader'), (20, 'admin');
SELECT vedfolnir_register_subject('users');
CREATE FUNCTION try(actor text, statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    state text; said text; detail text; line text;
BEGIN
    PERFORM set_config('vedfolnir.actor', actor, true);
    FOR line IN EXECUTE statement LOOP
        RETURN NEXT line;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT state || ' ' || said || ': ' || detail;
END $$;
CREATE FUNCTION own(actor text, key text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT try(actor, format('SELECT relation || '' '' || action || '' '' || row_count FROM vedfolnir_delete_own_user(%L, dry_run => false)', key)) $$;
CREATE FUNCTION others(actor text, keys text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT try(actor, format('SELECT relation || '' '' || action || '' '' || row_count FROM vedfolnir_delete_company_user(%L, dry_run => false)', keys)) $$;
SET client_min_messages = warning;

SELECT others('1', '{3}');
SELECT vedfolnir_set_tenancy('users', 'company', 'state = ''active'' AND EXISTS (SELECT FROM tenancy54.roles r WHERE r.user_id = c.id AND r.role = ''admin'')');
SELECT vedfolnir_set_tenancy('roles', 'role', 'true');
SELECT vedfolnir_set_tenancy('users', 'firm', 'true');
SELECT vedfolnir_set_tenancy('users', 'company', 'company');
SELECT vedfolnir_set_tenancy('users', 'company', NULL);

-- Wrong person, other company, nobody, unknown: for every key, before anything changes.
SELECT own('3', '4');
SELECT own('', '3');
SELECT own('99', '99');
SELECT own('99', '3');
SELECT own('3', '99');
SELECT own('nonsense', '3');
SELECT others('3', '{4}');
SELECT others('1', '{3,12}');
SELECT others('1', '{3,99}');
SELECT others('1', '{3,20}');
SELECT others('20', '{20}');
SELECT others('', '{3}');
SELECT others('1', '{NULL}');
SELECT count(*) AS still_all FROM users;
-- An actor that an earlier transaction left behind does not count.
SET vedfolnir.actor = '3';
SELECT * FROM vedfolnir_delete_own_user('3', dry_run => false);
RESET vedfolnir.actor;
-- The dry run asks the same questions.
BEGIN;
SET LOCAL vedfolnir.actor = '3';
SELECT relation, action, row_count FROM vedfolnir_delete_own_user('3');
SELECT relation FROM vedfolnir_delete_own_user('4');
ROLLBACK;

-- The last administrator stays; one of two may go.
SELECT own('11', '11');
SELECT others('1', '{1,2}');
SELECT others('11', '{11,12}');
SELECT own('2', '2');
SELECT own('1', '1');
-- What is allowed. The audit knows the actor as a pseudonym, also one that deleted itself.
SELECT others('1', '{3,4}');
SELECT own('12', '12');
SELECT id FROM users ORDER BY id;
SELECT mode, actor ~ '^[0-9a-f]{64}$' AS pseudonym, actor = encode(pseudonym, 'hex') AS self FROM vedfolnir.deletion ORDER BY created_at, self;

-- Operators only, who cannot name an actor themselves.
CREATE ROLE regress54_desk;
GRANT USAGE ON SCHEMA tenancy54 TO regress54_desk;
GRANT EXECUTE ON FUNCTION vedfolnir_set_tenancy(regclass, name, text, name) TO regress54_desk;
SELECT vedfolnir_grant('regress54_desk', 'operator');
SET ROLE regress54_desk;
SET vedfolnir.actor = '1';
SELECT relation FROM vedfolnir_delete_own_user('1', dry_run => false);
SELECT vedfolnir_set_tenancy('users', 'company', 'true');
RESET ROLE;
GRANT DELETE ON users TO regress54_desk;
SET ROLE regress54_desk;
SELECT relation FROM vedfolnir_delete_own_user('1', dry_run => false);
RESET ROLE;
SELECT vedfolnir_revoke('regress54_desk', 'operator');
DROP OWNED BY regress54_desk;
DROP ROLE regress54_desk;
DROP SCHEMA tenancy54 CASCADE;
DROP EXTENSION vedfolnir;

-- A person is one in every spelling of the key that its type calls equal: second run, request, hold, verify, lock and
-- actor go by a canonical form, since the root row and its spelling may be gone (design 2.1, R5, R27, R31, R32).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE COLLATION t.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION t.accents (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE DOMAIN t.amount AS numeric CHECK (VALUE > 0);
-- "spelled" is the stored key in other letters, "never" another person that is close to it.
CREATE FUNCTION t.spellings(type text, stored text, spelled text, never text) RETURNS TABLE (what text, outcome text)
LANGUAGE plpgsql AS $$
DECLARE q uuid := '00000000-0000-0000-0000-000000000001'; id uuid; n int;
BEGIN
    PERFORM t.fresh();
    EXECUTE format('CREATE TABLE app.users (id %s PRIMARY KEY, name text)', type);
    EXECUTE format('CREATE TABLE app.files (id int, owner %s REFERENCES app.users ON DELETE CASCADE)', type);
    EXECUTE format('INSERT INTO app.users VALUES (%L), (%L)', stored, never);
    EXECUTE format('INSERT INTO app.files VALUES (1, %L), (2, %L)', stored, never);
    PERFORM vedfolnir_register_subject('app.users', label_column => 'name');
    PERFORM vedfolnir_add_cleanup('app.files', 'file', 'f/{id}');

    PERFORM vedfolnir_hold(spelled, 'case 7');
    BEGIN
        PERFORM vedfolnir_delete_user(stored, false);
        what := 'hold'; outcome := 'does not hold'; RETURN NEXT;
    EXCEPTION WHEN SQLSTATE 'VF008' THEN NULL;
    END;
    BEGIN
        PERFORM vedfolnir_hold(spelled, 'about ' || spelled);
        what := 'hold'; outcome := 'may name the person'; RETURN NEXT;
    EXCEPTION WHEN invalid_parameter_value THEN NULL;
    END;
    PERFORM vedfolnir_release(stored, 'closed');

    BEGIN
        PERFORM vedfolnir_delete_user(spelled, false, 'asked by ' || spelled);
        what := 'reason'; outcome := 'may name the person as typed'; RETURN NEXT;
    EXCEPTION WHEN invalid_parameter_value THEN NULL;
    END;
    BEGIN
        PERFORM vedfolnir_delete_user(spelled, false, 'asked by ' || rtrim(stored));
        what := 'reason'; outcome := 'may name the person as stored'; RETURN NEXT;
    EXCEPTION WHEN invalid_parameter_value THEN NULL;
    END;

    IF (SELECT count(*) FROM vedfolnir_delete_users(ARRAY[stored, spelled]) WHERE action = 'delete' AND via IS NULL AND row_count = 1) <> 1 THEN
        what := 'many'; outcome := 'two spellings are two people'; RETURN NEXT;
    END IF;

    EXECUTE format('SET vedfolnir.actor = %L', spelled);
    PERFORM vedfolnir_delete_user(spelled, false, request_id => q);
    id := vedfolnir_last_deletion();
    IF type NOT IN ('float8', 'interval', 'inet') AND
       (SELECT d.actor FROM vedfolnir.deletion d) IS DISTINCT FROM (SELECT encode(d.pseudonym, 'hex') FROM vedfolnir.deletion d) THEN
        what := 'actor'; outcome := 'stands in the evidence'; RETURN NEXT;
    END IF;
    RESET vedfolnir.actor;
    PERFORM vedfolnir_delete_user(stored, false, request_id => q);
    IF vedfolnir_last_deletion() IS DISTINCT FROM id OR (SELECT count(*) FROM vedfolnir.deletion) <> 1 THEN
        what := 'request'; outcome := 'was done twice'; RETURN NEXT;
    END IF;
    IF (SELECT action FROM vedfolnir_delete_users(ARRAY[spelled], false)) IS DISTINCT FROM 'already_deleted' THEN
        what := 'many'; outcome := 'is not known'; RETURN NEXT;
    END IF;
    FOREACH what IN ARRAY ARRAY[stored, spelled] LOOP
        IF (SELECT action FROM vedfolnir_delete_user(what, false)) IS DISTINCT FROM 'already_deleted' THEN
            outcome := 'is not known'; RETURN NEXT;
        END IF;
        SELECT count(*) INTO n FROM vedfolnir_verify_user(what) WHERE kind = 'task';
        IF n <> 1 THEN
            outcome := 'has lost its task'; RETURN NEXT;
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM app.users WHERE id = %L', never);
    BEGIN
        PERFORM vedfolnir_delete_user(never);
        what := 'never deleted'; outcome := 'is known'; RETURN NEXT;
    EXCEPTION WHEN SQLSTATE 'VF001' THEN NULL;
    END;
    -- One lock for all spellings
    SELECT count(DISTINCT (l.classid, l.objid)) INTO n FROM pg_locks l WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid()
       AND l.objsubid = 1;
    what := 'locks'; outcome := n; RETURN NEXT; -- of the person and of the request
END $$;
SELECT * FROM t.spellings('citext', 'Ada', 'aDA', 'Adam');
SELECT * FROM t.spellings('numeric', '1.0', '1.00', '1.01');
SELECT * FROM t.spellings('t.amount', '100', '100.000', '1');
SELECT * FROM t.spellings('char(8)', 'ada', 'ada  ', 'ad');
SELECT * FROM t.spellings('bpchar', 'ada', 'ada   ', ' ada');
SELECT * FROM t.spellings('text COLLATE t.ci', 'Ada', 'aDA', 'Adam');
SELECT * FROM t.spellings('varchar(20) COLLATE t.accents', 'Zoe', 'ZOË', 'Zo');
SELECT * FROM t.spellings('char(8) COLLATE t.ci', 'Ada', 'aDA  ', 'Adam');
SELECT * FROM t.spellings('float8', '10', '1e1', '11');
SET intervalstyle = postgres; -- the harness has another
SELECT * FROM t.spellings('interval', '24:00:00', '1 day', '2 days');
SELECT * FROM t.spellings('inet', '10.0.0.1', '10.0.0.1/32', '10.0.0.1/8');

-- The form does not depend on settings.
SELECT t.fresh();
CREATE TABLE app.users (id timestamptz PRIMARY KEY);
INSERT INTO app.users VALUES ('2020-01-01 00:00+00');
SELECT vedfolnir_register_subject('app.users');
SET timezone = 'UTC';
SELECT action FROM vedfolnir_delete_user('2020-01-01 00:00+00', false);
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SELECT action FROM vedfolnir_delete_user('2020-01-01 00:00+00', false);
RESET timezone;
RESET datestyle;

-- By name, a retry is known by the name that was given, though nobody has it any more; another name is VF002. R32
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY, name text, company int, boss boolean);
INSERT INTO app.users VALUES (1, 'ada', 1, false), (2, 'bob', 1, false), (3, 'cid', 1, true), (4, 'dora', 1, true);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT relation, action FROM vedfolnir_delete_user_by_name('ada', false, request_id => '00000000-0000-0000-0000-000000000002');
SELECT relation, action FROM vedfolnir_delete_user_by_name('ada', false, request_id => '00000000-0000-0000-0000-000000000002');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''bob'', false, request_id => ''00000000-0000-0000-0000-000000000002'')');
-- So is one of people who deleted themselves, or whom their administrator deleted.
SELECT vedfolnir_set_tenancy('app.users', 'company', 'boss');
BEGIN;
SET LOCAL vedfolnir.actor = '2';
SELECT relation, action FROM vedfolnir_delete_own_user('2', false, request_id => '00000000-0000-0000-0000-000000000003');
SELECT relation, action FROM vedfolnir_delete_own_user('2', false, request_id => '00000000-0000-0000-0000-000000000003');
COMMIT;
BEGIN;
SET LOCAL vedfolnir.actor = '3';
SELECT relation, action FROM vedfolnir_delete_company_user(ARRAY['3'], false, request_id => '00000000-0000-0000-0000-000000000004');
SELECT relation, action FROM vedfolnir_delete_company_user(ARRAY['3'], false, request_id => '00000000-0000-0000-0000-000000000004');
COMMIT;
SELECT mode, count(*) FROM vedfolnir.deletion GROUP BY mode;

-- An actor that can be no key, by its length or the check of a domain, is nobody's name.
SELECT t.fresh();
CREATE DOMAIN t.address AS varchar(12) CHECK (VALUE LIKE '%@%');
CREATE TABLE app.users (id t.address PRIMARY KEY);
INSERT INTO app.users VALUES ('a@b'), ('c@d'), ('e@f');
SELECT vedfolnir_register_subject('app.users');
SET vedfolnir.actor = 'billing back end, host 7';
SELECT action FROM vedfolnir_delete_user('a@b', false);
SET vedfolnir.actor = 'backend';
SELECT action FROM vedfolnir_delete_user('c@d', false);
SET vedfolnir.actor = 'e@f';
SELECT action FROM vedfolnir_delete_user('e@f', false);
RESET vedfolnir.actor;
SELECT actor = encode(pseudonym, 'hex') AS pseudonym, CASE WHEN length(actor) < 64 THEN actor END AS actor FROM vedfolnir.deletion ORDER BY created_at;
SELECT t.finish();
DROP EXTENSION citext CASCADE;

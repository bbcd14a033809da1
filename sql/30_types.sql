-- Keys of every type: compared by the constraint's own operator and the parent's collation (R5, section 4 item 7).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
-- For each pair of types: two people whose keys are close to each other, three rows each behind CASCADE, SET NULL and
-- NO ACTION; compared with PostgreSQL's own actions.
CREATE FUNCTION t.pair(parent text, child text, mine text, other text, spelled text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE different text; steps text;
BEGIN
    DROP SCHEMA app CASCADE;
    CREATE SCHEMA app;
    EXECUTE format('CREATE TABLE app.users (id %s PRIMARY KEY, n int)', parent);
    EXECUTE format('CREATE TABLE app.kids (k %s REFERENCES app.users ON DELETE CASCADE, n int UNIQUE)', child);
    EXECUTE format('CREATE TABLE app.nulls (k %s REFERENCES app.users ON DELETE SET NULL, n int)', child);
    EXECUTE format('CREATE TABLE app.stays (k %s REFERENCES app.users, n int)', child);
    CREATE TABLE app.grandkids (n int REFERENCES app.kids (n) ON DELETE CASCADE, m int);
    EXECUTE format('INSERT INTO app.users VALUES (%L, 1), (%L, 2)', mine, other);
    EXECUTE format('INSERT INTO app.kids VALUES (%L, 1), (%L, 2), (%L, 3), (NULL, 4)', coalesce(spelled, mine), mine, other);
    EXECUTE format('INSERT INTO app.nulls VALUES (%L, 1), (%L, 2), (%L, 3), (NULL, 4)', coalesce(spelled, mine), mine, other);
    EXECUTE format('INSERT INTO app.stays VALUES (%L, 3)', other);
    INSERT INTO app.grandkids VALUES (1, 1), (1, 2), (2, 3), (3, 4);
    PERFORM vedfolnir_register_subject('app.users');
    -- Blocked by a reference of one's own in another spelling
    EXECUTE format('INSERT INTO app.stays VALUES (%L, 1)', coalesce(spelled, mine));
    IF (SELECT count(*) FROM vedfolnir_delete_user(coalesce(spelled, mine)) WHERE action = 'block' AND row_count = 1) <> 1 THEN
        RETURN 'the blocker was not found';
    END IF;
    DELETE FROM app.stays WHERE n = 1;
    SELECT string_agg(format('%s %s', action, row_count), ', ' ORDER BY step) INTO steps FROM vedfolnir_delete_user(coalesce(spelled, mine));
    SELECT string_agg(format('%s %s/%s', d.relation, d.native_rows, d.our_rows), ', ')
      INTO different FROM t.differs_from_native('DELETE FROM app.users WHERE n = 1', coalesce(spelled, mine)) d;
    IF EXISTS (SELECT FROM t.orphans()) THEN RETURN 'orphans'; END IF;
    IF (SELECT action FROM vedfolnir_delete_user(mine)) IS DISTINCT FROM 'already_deleted' THEN
        RETURN 'the second run does not know the first';
    END IF;
    IF (SELECT action FROM vedfolnir_delete_user(coalesce(spelled, mine))) IS DISTINCT FROM 'already_deleted' THEN
        RETURN 'the second run does not know the other spelling';
    END IF;
    RETURN coalesce('DIFFERS: ' || different, 'as native') || ': ' || steps;
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
CREATE COLLATION t.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE t.color AS ENUM ('red', 'green');
CREATE DOMAIN t.positive AS int CHECK (VALUE > 0);
CREATE DOMAIN t.code AS varchar(8) NOT NULL;
CREATE DOMAIN t.loose AS varchar(8);
CREATE TYPE t.point2 AS (x int, y int);
SELECT t.pair('int2', 'int2', '1', '-1');
SELECT t.pair('int4', 'int4', '1', '11');
SELECT t.pair('int8', 'int8', '1', '9223372036854775807');
SELECT t.pair('int8', 'int4', '-1', '1');
SELECT t.pair('int4', 'int2', '1', '2');
SELECT t.pair('int2', 'int8', '1', '2');
SELECT t.pair('numeric', 'numeric', '1.0', '1.01', '1.00');
SELECT t.pair('numeric(10,2)', 'numeric', '1.1', '1.11', '1.100');
SELECT t.pair('numeric', 'int4', '1', '2');
SELECT t.pair('float8', 'float8', '0', '1', '-0');
SELECT t.pair('float8', 'float4', '0.5', '1');
SELECT t.pair('text', 'text', 'ab', 'AB');
SELECT t.pair('text', 'varchar(9)', 'ab', 'ab ');
SELECT t.pair('varchar', 'text', '', ' ');
SELECT t.pair('text', 'text', 'a''b', 'a"b\');
SELECT t.pair('char(5)', 'char(5)', 'ab', 'abc', 'ab   ');
SELECT t.pair('char(5)', 'char(9)', 'ab', 'abc', 'ab ');
SELECT t.pair('"char"', '"char"', 'a', 'b');
SELECT t.pair('name', 'name', 'ab', 'abc');
SELECT t.pair('text', 'name', 'ab', 'abc');
SELECT t.pair('citext', 'citext', 'Ab', 'Abc', 'aB');
SELECT t.pair('uuid', 'uuid', 'a0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000002', 'A0000000000040008000000000000001');
SELECT t.pair('t.color', 't.color', 'red', 'green');
SELECT t.pair('t.positive', 't.positive', '1', '2');
SELECT t.pair('int4', 't.positive', '1', '2');
SELECT t.pair('t.positive', 'int8', '1', '2');
SELECT t.pair('t.code', 't.loose', 'ab', 'AB');
SELECT t.pair('date', 'date', '2020-01-01', '2020-01-02', '20200101');
SELECT t.pair('date', 'timestamp', '2020-01-01', '2020-01-02', '2020-01-01 00:00');
SELECT t.pair('timestamptz', 'timestamptz', '2020-01-01 00:00+00', '2020-01-02 00:00+00', '2020-01-01 02:00+02');
SELECT t.pair('interval', 'interval', '1 day', '2 days', '24 hours');
SELECT t.pair('bytea', 'bytea', '\x00', '\x0000');
SELECT t.pair('bool', 'bool', 'true', 'false', 't');
SELECT t.pair('inet', 'inet', '10.0.0.1', '10.0.0.2', '10.0.0.1/32');
SELECT t.pair('inet', 'cidr', '10.0.0.0/8', '11.0.0.0/8');
SELECT t.pair('macaddr', 'macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:04', '08002b-010203');
SELECT t.pair('oid', 'oid', '1', '2');
SELECT t.pair('int[]', 'int[]', '{1}', '{1,2}');
SELECT t.pair('text[]', 'text[]', '{a,NULL}', '{a,"NULL"}');
SELECT t.pair('int4range', 'int4range', '[1,2)', '[1,3)', '[1,1]');
SELECT t.pair('jsonb', 'jsonb', '{"a": 1}', '{"a": 2}', '{"a":1.0}');
SELECT t.pair('t.point2', 't.point2', '(1,2)', '(1,3)');
SELECT t.pair('bit(4)', 'bit(4)', '0001', '0010');
SELECT t.pair('text COLLATE "C"', 'text', 'ab', 'AB');
SELECT t.pair('text', 'text COLLATE "C"', 'ab', 'AB');
SELECT t.pair('text COLLATE t.ci', 'text COLLATE t.ci', 'Ab', 'Abc', 'aB');
SELECT t.pair('text COLLATE t.ci', 'text', 'Ab', 'Abc', 'aB');
SELECT t.pair('varchar(9) COLLATE t.ci', 'text COLLATE "C"', 'Ab', 'Abc', 'AB');
SELECT t.fresh();

-- Where only the child's collation is nondeterministic, the parent's decides which row a child refers to.
CREATE TABLE app.users (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE app.kids (k text COLLATE t.ci REFERENCES app.users ON DELETE CASCADE, n int);
INSERT INTO app.users VALUES ('a'), ('A');
INSERT INTO app.kids VALUES ('a', 1), ('A', 2);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('a') ORDER BY step;
TABLE app.kids ORDER BY n;
SELECT t.fresh();

-- Keys to a unique constraint that is not the primary key, and labels of a collation of their own
CREATE TABLE app.users (id uuid PRIMARY KEY, email citext UNIQUE, nick text COLLATE t.ci);
CREATE TABLE app.mails (id int, sender citext REFERENCES app.users (email) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO app.users VALUES ('a0000000-0000-4000-8000-000000000001', 'Ada@example.org', 'Ada'), ('a0000000-0000-4000-8000-000000000002', NULL, 'bob');
INSERT INTO app.mails VALUES (1, 'ADA@EXAMPLE.ORG'), (2, NULL);
SELECT vedfolnir_register_subject('app.users', label_column => 'nick');
SELECT step, relation, row_count FROM vedfolnir_delete_user_by_name('ADA', false) ORDER BY step;
SELECT vedfolnir_register_subject('app.users', label_column => 'email');
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user_by_name(''ada'')');
TABLE app.mails ORDER BY id;
SELECT t.fresh();
-- A label that has no equality cannot be looked up.
CREATE TABLE app.users (id int PRIMARY KEY, profile json);
INSERT INTO app.users VALUES (1, '{}');
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'', label_column => ''profile'')');
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT t.finish();
DROP EXTENSION citext CASCADE;

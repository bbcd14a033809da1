-- A request_id is used up by whatever answered it, also by the answer that there was nothing to do (R27, R32).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE FUNCTION t.users() RETURNS void LANGUAGE sql AS $$
    INSERT INTO app.users SELECT n, 'n' || n FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
    INSERT INTO app.posts SELECT n, n FROM generate_series(1, 3) n ON CONFLICT DO NOTHING $$;
CREATE FUNCTION t.ask(statement text) RETURNS TABLE (relation text, action text, row_count bigint, note text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT relation, action, row_count, t.masked(note) FROM %s ORDER BY step', statement);
END $$;
\set one '00000000-0000-4000-8000-000000000001'
\set two '00000000-0000-4000-8000-000000000002'
\set three '00000000-0000-4000-8000-000000000003'
SELECT t.users(), vedfolnir_register_subject('app.users', label_column => 'name');
SELECT count(*) FROM vedfolnir_delete_user(1, false);
-- The first call found nobody. By the time of its retry somebody else has the key.
SELECT * FROM t.ask(format('vedfolnir_delete_user(1, false, request_id => %L)', :'one'));
SELECT vedfolnir_last_deletion() IS NULL AS none;
SELECT t.users();
SELECT * FROM t.ask(format('vedfolnir_delete_user(1, false, request_id => %L)', :'one'));
SELECT * FROM t.ask(format('vedfolnir_delete_user(''1'', true, request_id => %L)', :'one'));
SELECT * FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(2, false, request_id => %L)', :'one'));
SELECT * FROM t.refused(format('SELECT * FROM vedfolnir_delete_user(1, false, ''other'', request_id => %L)', :'one'));
SELECT id FROM app.users ORDER BY 1;
-- Several people, of whom some were deleted before.
SELECT count(*) FROM vedfolnir_delete_user(2, false);
CREATE TABLE t.first AS SELECT * FROM vedfolnir_delete_users('{1,2}', false, request_id => :'two');
SELECT relation, action, row_count FROM t.first ORDER BY step, action;
SELECT t.users();
SELECT s IS NOT DISTINCT FROM f AS same FROM vedfolnir_delete_users('{1,2}', false, request_id => :'two') s
    FULL JOIN t.first f ON s.step = f.step AND s.action = f.action ORDER BY s.step, s.action;
SELECT count(*) FROM vedfolnir_delete_users('{1,2,3}', false);
SELECT * FROM t.ask(format('vedfolnir_delete_users(''{1,2}'', false, request_id => %L)', :'three'));
SELECT t.users();
SELECT * FROM t.ask(format('vedfolnir_delete_users(''{1,2}'', false, request_id => %L)', :'three'));
SELECT id FROM app.users ORDER BY 1;
-- Whose sessions went with them, and whom batches do not find.
SELECT count(*) FROM vedfolnir_delete_users('{1,2,3}', false);
SELECT * FROM t.ask($$vedfolnir_expire_sessions(3, false, request_id => '00000000-0000-4000-8000-000000000004')$$);
CALL vedfolnir_delete_user_in_batches('2', request_id => '00000000-0000-4000-8000-000000000005');
SELECT t.users();
CALL vedfolnir_delete_user_in_batches('2', request_id => '00000000-0000-4000-8000-000000000005');
CALL vedfolnir_delete_user_in_batches('1', request_id => '00000000-0000-4000-8000-000000000005');
SELECT id FROM app.users ORDER BY 1;
SELECT t.finish();

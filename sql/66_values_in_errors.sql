-- An expression that fails on a row does not tell what is in the row, neither in a dry run nor in a run, nor when the
-- listener asks (R43, R48).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text UNIQUE, company int, admin text);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, secret text, n int, day date, doc jsonb);
INSERT INTO app.users VALUES (1, 'ada', 1, 'canary'), (2, 'ben', 1, 'canary');
INSERT INTO app.notes VALUES (1, 1, 'canary', 0), (2, 2, 'canary', 0);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
CREATE FUNCTION t.fails(statement text) RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT r.code, CASE WHEN concat(r.message, r.detail, r.hint) LIKE '%canary%' THEN 'LEAK: ' || r.message ELSE r.message END, r.detail, r.hint
      FROM t.refused(statement) r;
END $$;
CREATE TABLE t.both (n int, statement text);
INSERT INTO t.both VALUES (1, 'SELECT * FROM vedfolnir_delete_user(1)'), (2, 'SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.notes', 'n', 'secret::int', 'notes_u_fkey');
SELECT * FROM t.fails('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.notes', 'n', NULL, 'notes_u_fkey'), vedfolnir_set_column('app.notes', 'day', 'secret::date', 'notes_u_fkey');
SELECT r.code, r.message FROM t.fails('SELECT * FROM vedfolnir_delete_user(1, false)') r;
SELECT vedfolnir_set_column('app.notes', 'day', NULL, 'notes_u_fkey'), vedfolnir_set_column('app.notes', 'doc', 'secret::jsonb', 'notes_u_fkey');
SELECT r.code, r.message, r.detail FROM t.fails('SELECT * FROM vedfolnir_delete_user(1, false)') r;
-- What says nothing of the value stays as it is.
SELECT vedfolnir_set_column('app.notes', 'doc', NULL, 'notes_u_fkey'), vedfolnir_set_column('app.notes', 'n', '1 / n', 'notes_u_fkey');
SELECT r.code, r.message FROM t.fails('SELECT * FROM vedfolnir_delete_user(1, false)') r;
SELECT vedfolnir_set_column('app.notes', 'n', NULL, 'notes_u_fkey');
-- A link, a condition, a target and a tenancy; also where a dry run, verify and the listener ask.
SELECT vedfolnir_add_link('by_secret', 'app.notes', 'app.users', expression => 'secret::int', action => 'delete');
SELECT b.n, r.code, r.message FROM t.both b, t.fails(b.statement) r ORDER BY 1;
SELECT code, message FROM t.fails('SELECT * FROM vedfolnir_verify_user(1)');
SELECT vedfolnir_add_link('by_secret', 'app.notes', 'app.users', columns => '{u}', condition => 'secret::int > 0', action => 'delete');
SELECT b.n, r.code, r.message FROM t.both b, t.fails(b.statement) r ORDER BY 1;
SELECT vedfolnir_forget('app.notes');
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', '=''k'' || admin::int');
SELECT b.n, r.code, r.message FROM t.both b, t.fails(b.statement) r ORDER BY 1;
UPDATE app.users SET admin = id;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
UPDATE app.users SET admin = 'canary' WHERE id = 2;
SELECT count(*) FROM vedfolnir_claim_tasks('w', 1, '1 min');
SELECT code, message FROM t.fails('SELECT vedfolnir_targets_in_use(ARRAY(SELECT id FROM vedfolnir.cleanup_task))');
SELECT vedfolnir_set_tenancy('app.users', 'company', 'admin::int = 1');
BEGIN;
SET LOCAL vedfolnir.actor = '2';
SELECT code, message FROM t.fails('SELECT vedfolnir_delete_company_user(''{2}'')');
ROLLBACK;
-- What the caller typed may be quoted.
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(''typed'')');
SELECT t.finish();

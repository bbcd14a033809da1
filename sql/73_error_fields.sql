-- Errors name relation and edge in fields of their own, and point into no statement that the caller has not typed (design 2.8, R3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.pages (u int CONSTRAINT of_user REFERENCES app.users, v int CONSTRAINT also REFERENCES app.users);
INSERT INTO app.users SELECT generate_series(1, 4);
INSERT INTO app.pages VALUES (1, NULL), (2, 2);
SELECT vedfolnir_register_subject('app.users');
CREATE FUNCTION t.fields(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE code text; schema_name text; table_name text; name text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, schema_name = SCHEMA_NAME, table_name = TABLE_NAME, name = CONSTRAINT_NAME;
    RETURN format('%s schema=%s table=%s constraint=%s', code, schema_name, table_name, name);
END $$;
CREATE FUNCTION t.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- One edge in the way; two cannot be told in one field.
SELECT t.fields('SELECT vedfolnir_delete_user(1, false)'), t.fields('SELECT vedfolnir_delete_user(2, false)');
SELECT vedfolnir_set_policy('app.pages', 'of_user', 'delete'), vedfolnir_set_policy('app.pages', 'also', 'nullify');
CREATE RULE keep AS ON DELETE TO app.pages DO INSTEAD NOTHING;
SELECT t.fields('SELECT vedfolnir_delete_user(1, false)');
DROP RULE keep ON app.pages;
INSERT INTO app.pages VALUES (NULL, 3);
CREATE RULE keep AS ON UPDATE TO app.pages DO INSTEAD NOTHING;
SELECT t.fields('SELECT vedfolnir_delete_user(3, false)');
DROP RULE keep ON app.pages;
CREATE RULE keep AS ON DELETE TO app.users DO INSTEAD NOTHING;
SELECT t.fields('SELECT vedfolnir_delete_user(1, false)');
DROP RULE keep ON app.users;
CREATE TRIGGER keep BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.nothing();
SELECT t.fields('SELECT vedfolnir_delete_user(1, false)');
DROP TRIGGER keep ON app.users;
-- The owner of a table cannot reach it: the parser's position is in the engine's own statement.
CREATE ROLE vdf_hidden;
CREATE SCHEMA hidden;
CREATE TABLE hidden.pages (u int REFERENCES app.users ON DELETE CASCADE);
ALTER TABLE hidden.pages OWNER TO vdf_hidden;
\set VERBOSITY default
SELECT * FROM vedfolnir_verify_user(1);
SELECT * FROM vedfolnir_delete_user(1, false);
\set VERBOSITY terse
DROP SCHEMA hidden CASCADE;
DROP ROLE vdf_hidden;

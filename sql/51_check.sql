-- vedfolnir_check(): does the policy cover the schema, and does it still fit?
CREATE SCHEMA check51; SET search_path = check51, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\pset fieldsep ' | '
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE, email text);
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_register_subject('users', label_column => 'email');
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_assert_check();

-- Every way to a person is decided, or it is an error.
CREATE TABLE posts (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
CREATE TABLE settings (id int PRIMARY KEY, updated_by int NOT NULL REFERENCES users);
CREATE TABLE comments (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts);
SELECT * FROM vedfolnir_check();
\set VERBOSITY default
SELECT vedfolnir_assert_check();
\set VERBOSITY terse
-- Each remedy is a statement that removes its finding.
SELECT remedy FROM vedfolnir_check() WHERE code IN ('undeclared_edge', 'missing_index') \gexec
SELECT * FROM vedfolnir_check();
SELECT remedy FROM vedfolnir_check() WHERE remedy IS NOT NULL \gexec
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_assert_check();

-- Impossible actions, constraints that are not validated, triggers that are off or keep rows.
CREATE TABLE notes (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE SET NULL);
CREATE INDEX ON notes (user_id);
CREATE TABLE drafts (id int PRIMARY KEY, user_id int);
CREATE TABLE marks (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
CREATE INDEX ON marks (user_id);
ALTER TABLE drafts ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID;
CREATE INDEX ON drafts (user_id);
ALTER TABLE marks DISABLE TRIGGER ALL;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION keep();
SELECT * FROM vedfolnir_check();
SELECT remedy FROM vedfolnir_check() WHERE remedy IS NOT NULL \gexec
DROP TRIGGER keep ON posts;
SELECT * FROM vedfolnir_check();

-- Rules whose object is gone or was renamed, or which nothing uses.
CREATE TABLE things (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE SET NULL, path text, label text);
CREATE INDEX ON things (user_id);
CREATE FUNCTION path_of(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT t $$;
SELECT vedfolnir_set_policy('things', 'things_user_id_fkey', 'delete');
SELECT vedfolnir_add_cleanup('things', 'file', '{path}');
SELECT vedfolnir_add_cleanup('things', 'redis_key', '=check51.path_of(label)');
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_set_policy('things', 'things_user_id_fkey', 'nullify');
SELECT vedfolnir_set_column('things', 'label', '''gone''::text', edge => 'things_user_id_fkey');
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_set_policy('things', 'things_user_id_fkey', 'delete');
ALTER TABLE things DROP COLUMN path;
DROP FUNCTION path_of(text);
SELECT * FROM vedfolnir_check();
ALTER TABLE things RENAME CONSTRAINT things_user_id_fkey TO things_person;
SELECT * FROM vedfolnir_check();
ALTER TABLE things RENAME TO objects;
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_forget('check51.things');
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_set_policy('objects', 'things_person', 'delete');
DROP TABLE objects;
SELECT * FROM vedfolnir_check();
SELECT vedfolnir_forget('check51.objects', 'things_person');
SELECT vedfolnir_forget('objects');
SELECT * FROM vedfolnir_check();

-- Candidates for links, by name and type; other tables' keys are not mistaken.
CREATE TABLE orders (id int PRIMARY KEY, number text);
CREATE TABLE events (id int PRIMARY KEY, actor_id int, order_id int, created_by bigint, batch_id int, member_ids int[], tag_ids int[],
    owner_type text, owner_id int, user_ref text, userid text, sender text, email text);
SELECT code, object, message, remedy FROM vedfolnir_check();
SELECT remedy FROM vedfolnir_check() WHERE code = 'link_candidate' AND remedy LIKE 'SELECT%' \gexec
SELECT severity, code, object FROM vedfolnir_check();
SELECT link, columns, expression, parent_columns, action, condition FROM vedfolnir.link ORDER BY link COLLATE "C";
DELETE FROM vedfolnir.link; DROP TABLE events;

-- By a sample of the values: keys in columns of any name, in JSON, and the label in text. No value is shown.
INSERT INTO users SELECT g, 'name' || g, 'a' || g || '@example.org' FROM generate_series(1001, 1020) g;
CREATE TABLE imported (id int PRIMARY KEY, col7 int, amount int, data jsonb, body text, note text);
INSERT INTO imported SELECT g, 1000 + g, g, jsonb_build_object('user', 1000 + g, 'size', g), 'text', 'a100' || g || '@example.org' FROM generate_series(1, 9) g;
SELECT code, object FROM vedfolnir_check();
SELECT code, object, message, remedy FROM vedfolnir_check(sample_values => true);
SELECT remedy FROM vedfolnir_check(sample_values => true) WHERE code = 'link_candidate' \gexec
SELECT code, object FROM vedfolnir_check(sample_values => true);
DELETE FROM vedfolnir.link; DROP TABLE imported; DELETE FROM users;

-- Copies: history tables, materialised views. A function that shadows ours. Privileges.
CREATE TABLE posts_history (at timestamptz, id int, user_id int);
CREATE VIEW names AS SELECT id, name FROM users;
CREATE MATERIALIZED VIEW daily AS SELECT count(*) FROM names;
CREATE FUNCTION vedfolnir_delete_user(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE ROLE regress51_owner;
CREATE ROLE regress51_desk;
ALTER TABLE comments OWNER TO regress51_owner;
REVOKE DELETE ON comments FROM regress51_owner;
SELECT vedfolnir_grant('regress51_desk', 'operator');
SELECT * FROM vedfolnir_check();
SELECT remedy FROM vedfolnir_check() WHERE remedy ~ '^(GRANT|DROP|REFRESH)' \gexec
SELECT code, object FROM vedfolnir_check();
DROP MATERIALIZED VIEW daily; DROP VIEW names; DROP TABLE posts_history;

-- A tombstone keeps personal data until a rule clears it.
SELECT vedfolnir_register_subject('users', label_column => 'email', mode => 'tombstone');
CREATE TABLE members (id int PRIMARY KEY REFERENCES users, phone text);
CREATE TABLE badges (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members);
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE code <> 'missing_index';
SELECT vedfolnir_apply_suggestions();
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE code <> 'missing_index';
SELECT remedy FROM vedfolnir_check() WHERE code IN ('personal_column', 'link_candidate') \gexec
SELECT code, object, message, remedy FROM vedfolnir_check() WHERE code <> 'missing_index';

-- The policy's hash follows the policy, not the rows.
SELECT vedfolnir_policy_hash() AS before \gset
INSERT INTO users VALUES (1, 'x', 'y');
SELECT vedfolnir_policy_hash() = :'before' AS same;
SELECT vedfolnir_set_policy('settings', 'settings_updated_by_fkey', 'retain');
SELECT vedfolnir_policy_hash() = :'before' AS same;

-- Who may ask.
CREATE ROLE regress51_nobody;
GRANT EXECUTE ON FUNCTION vedfolnir_check(name, boolean), vedfolnir_assert_check(name), vedfolnir_policy_hash(name), vedfolnir_forget(text, name, name) TO regress51_nobody;
SET ROLE regress51_nobody;
SELECT * FROM public.vedfolnir_check();
SELECT public.vedfolnir_assert_check();
SELECT public.vedfolnir_policy_hash();
SELECT public.vedfolnir_forget('check51.posts');
RESET ROLE;
SELECT * FROM vedfolnir_check(NULL);
SELECT * FROM vedfolnir_check('user', NULL);
SELECT * FROM vedfolnir_check('nobody');
SELECT vedfolnir_forget(NULL);
SELECT vedfolnir_revoke('regress51_desk', 'operator');
DROP SCHEMA check51 CASCADE;
DROP OWNED BY regress51_owner, regress51_desk, regress51_nobody;
DROP ROLE regress51_owner, regress51_desk, regress51_nobody;
DROP EXTENSION vedfolnir CASCADE;

-- An UPDATE of phase N that may fail in a way that cannot be told beforehand does not hide what else is in the way (R9, R25).
\set ECHO none
\i test/support/regress.sql
\i test/support/promise.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;

-- Where a trigger might put right what would be refused, everything else in the way is told before the UPDATE: on the same table
-- and on those whose turn comes later.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, v int REFERENCES app.users ON DELETE SET NULL, n int UNIQUE);
CREATE TABLE app.b (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, w int REFERENCES app.users,
    CONSTRAINT same FOREIGN KEY (u) REFERENCES app.users);
CREATE TABLE app.c (id int PRIMARY KEY, u int CONSTRAINT known CHECK (u IS NOT NULL) REFERENCES app.users ON DELETE SET NULL);
CREATE INDEX ON app.a (u);
CREATE INDEX ON app.a (v);
CREATE INDEX ON app.b (u);
CREATE FUNCTION app.number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('app.number', true) = 'on' THEN NEW.n := 100 + NEW.id; END IF; RETURN NEW; END $$;
CREATE TRIGGER number BEFORE UPDATE ON app.a FOR EACH ROW EXECUTE FUNCTION app.number();
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.a VALUES (1, 1, NULL, 1), (2, 2, 1, 2), (3, NULL, NULL, 50);
INSERT INTO app.b VALUES (1, 1, NULL), (2, 2, 1), (3, 1, 2), (4, 9, NULL);
INSERT INTO app.c VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.a', 'n', '50', edge => 'a_u_fkey');
SELECT * FROM t.both();
DELETE FROM app.c WHERE u = 1;
SELECT * FROM t.both();
-- What phase N itself clears is in nobody's way: the server's own error is all that is left to say.
SELECT vedfolnir_set_policy('app.b', 'b_w_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.a', 'a_v_fkey', 'block');
UPDATE app.a SET v = NULL;
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- When the trigger does prevent it, nothing is counted twice.
SET app.number = 'on';
BEGIN;
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_users('{1,9}', false) ORDER BY step;
SELECT relation, action, row_count FROM vedfolnir.audit_log WHERE action = 'nullify' ORDER BY relation, action, row_count;
SELECT * FROM app.a ORDER BY id;
SELECT * FROM app.b ORDER BY id;
ROLLBACK;
-- References that change count for the limit, once.
SET vedfolnir.max_rows = 6;
SELECT code FROM t.refused($$ SELECT * FROM vedfolnir_delete_users('{1,9}', false) $$);
SET vedfolnir.max_rows = 7;
SELECT count(*) FROM vedfolnir_delete_users('{1,9}', false);
RESET vedfolnir.max_rows;
RESET app.number;
SELECT t.fresh();

-- The same where nothing can be told: an index over the whole row.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.b (id int PRIMARY KEY, u int REFERENCES app.users);
CREATE FUNCTION app.owner(a app.a) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN coalesce(a.u, 0); END $$;
CREATE UNIQUE INDEX ON app.a (app.owner(a));
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.a VALUES (1, 1), (2, NULL);
INSERT INTO app.b VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
DELETE FROM app.b;
SELECT * FROM t.both();
SELECT t.finish();

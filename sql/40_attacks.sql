-- Attacks by triggers, keys and arrays, in combinations that the other files do not have (R2, R5, R17, R41).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- A key that the column would round is nobody's: not the person's whose key it would become.
CREATE TABLE app.users (id numeric(6,2) PRIMARY KEY);
INSERT INTO app.users VALUES (1.00), (1.01), (2);
SELECT vedfolnir_register_subject('app.users');
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_user('1.005', false)$$);
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_users('{1.00, 1.004}', false)$$);
SELECT * FROM t.run('1.0000') ORDER BY step;
CREATE TABLE app.logins (at timestamp(0) PRIMARY KEY);
INSERT INTO app.logins VALUES ('2026-01-01 00:00:01');
SELECT vedfolnir_register_subject('app.logins', subject => 'login');
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_user('2026-01-01 00:00:00.7', false, subject => 'login')$$);
CREATE DOMAIN app.money AS numeric(6,2) CHECK (VALUE > 0);
CREATE TABLE app.prices (id app.money PRIMARY KEY, next app.money REFERENCES app.prices);
INSERT INTO app.prices VALUES (1.01, NULL), (3, NULL), (2, 3);
SELECT vedfolnir_register_subject('app.prices', subject => 'price');
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_user('1.005', false, subject => 'price')$$);
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_user('-1', false, subject => 'price')$$);
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_user('100000', false, subject => 'price')$$);
-- Nor does a reassignment go to the row next to the one that was named.
SELECT vedfolnir_set_policy('app.prices', 'prices_next_fkey', 'reassign', reassign_to => '1.009', subject => 'price');
SELECT code, detail FROM t.refused($$SELECT * FROM vedfolnir_delete_user('3', false, subject => 'price')$$);
TABLE app.prices;
SELECT vedfolnir_set_policy('app.prices', 'prices_next_fkey', 'reassign', reassign_to => '1.010', subject => 'price');
SELECT action, row_count FROM vedfolnir_delete_user('3', false, subject => 'price') ORDER BY step;
TABLE app.prices;
SELECT t.finish();

-- Many array links into one table: each brings a key set of its own to the one UPDATE.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int PRIMARY KEY, a int[], b int[], c int[], d int[], e int[], f int[], g int[], h int[], i int[]);
INSERT INTO app.users SELECT generate_series(1, 3);
INSERT INTO app.docs VALUES (1, '{1,2}', '{2,1}', '{1}', '{1,1,3}', '{3}', NULL, '{1}', '{2}', '{1,2}');
SELECT vedfolnir_register_subject('app.users');
DO $$
BEGIN
    FOR i IN 0..8 LOOP
        PERFORM vedfolnir_add_link('by_' || chr(97 + i), 'app.docs', 'app.users', columns => ARRAY[chr(97 + i)]::name[], action => 'nullify');
    END LOOP;
END $$;
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.docs;
-- Single elements cannot be taken out of a matrix: it is left as it is, and the run fails.
UPDATE app.docs SET a = '{{2,1},{3,2}}';
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
TABLE app.docs;
SELECT t.finish();

-- An AFTER trigger that brings the root row back, when everything was proved already.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.history (u int REFERENCES app.users ON DELETE CASCADE, name text);
INSERT INTO app.users VALUES (1, 'a'), (2, 'b');
INSERT INTO app.posts VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
CREATE FUNCTION t.again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.users VALUES (OLD.id, OLD.name); RETURN NULL; END $$;
CREATE TRIGGER again AFTER DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.again();
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- Deferred, and for several people at once.
DROP TRIGGER again ON app.users;
CREATE CONSTRAINT TRIGGER again AFTER DELETE ON app.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION t.again();
SELECT code, message FROM t.refused($$SELECT * FROM vedfolnir_delete_users('{1,2}', false)$$);
BEGIN;
SELECT * FROM t.run('1') ORDER BY step;
ROLLBACK;
DROP TRIGGER again ON app.users;
-- Behind a tombstone no foreign key stops what a trigger inserts: the table's own, another table's, that of the root.
SELECT vedfolnir_register_subject('app.users', label_column => 'name', mode => 'tombstone');
SELECT vedfolnir_set_column('app.users', 'name', '''deleted''');
CREATE FUNCTION t.post() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.posts VALUES (OLD.id + 10, OLD.u); RETURN OLD; END $$;
CREATE FUNCTION t.history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.history VALUES (1, 'a'); RETURN OLD; END $$;
CREATE TRIGGER again AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION t.post();
SELECT code, message, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER again ON app.posts;
CREATE TRIGGER aside BEFORE DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION t.history();
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER aside ON app.posts;
CREATE TRIGGER keeps_old AFTER UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION t.history();
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- Unless it is meant.
SELECT vedfolnir_set_policy('app.history', 'history_u_fkey', 'retain', reason => 'kept for the books');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM vedfolnir_verify_user(1);
SELECT t.finish();

-- Code of a table's owner that waits for the end of the transaction would run with the rights of the session (R35, R36).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
DROP ROLE IF EXISTS regress_guest;
CREATE ROLE regress_guest;
GRANT USAGE, CREATE ON SCHEMA app TO regress_guest;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.seen (who name, what text);
GRANT REFERENCES ON app.users TO regress_guest;
GRANT INSERT, SELECT ON app.seen TO regress_guest;
INSERT INTO app.users SELECT generate_series(1, 9);
SELECT vedfolnir_register_subject('app.users');
SET ROLE regress_guest;
CREATE TABLE app.visits (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.aside (id int);
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.seen VALUES (current_user, TG_RELNAME); RETURN OLD; END $$;
CREATE FUNCTION app.visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.aside VALUES (OLD.id); RETURN OLD; END $$;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.aside DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TRIGGER visit BEFORE DELETE ON app.visits FOR EACH ROW EXECUTE FUNCTION app.visit();
RESET ROLE;
INSERT INTO app.visits SELECT g, g FROM generate_series(1, 9) g;
SELECT row_count FROM t.run('1') ORDER BY step;
TABLE app.seen;
-- Deferred in the transaction of the caller before: that is the caller's own doing, and stays deferred.
TRUNCATE app.seen;
BEGIN;
INSERT INTO app.aside VALUES (0);
SELECT row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
TABLE app.seen;
COMMIT;
SELECT what, count(*) FROM app.seen GROUP BY what;
-- A trigger that makes the deferred trigger first.
SET ROLE regress_guest;
DROP TRIGGER later ON app.aside;
CREATE OR REPLACE FUNCTION app.visit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.aside DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.note();
    INSERT INTO app.aside VALUES (OLD.id);
    RETURN OLD;
END $$;
RESET ROLE;
TRUNCATE app.seen;
SELECT row_count FROM vedfolnir_delete_user(3, false) ORDER BY step;
TABLE app.seen;
-- One that defers itself whenever it fires.
SET ROLE regress_guest;
CREATE OR REPLACE FUNCTION app.visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.aside VALUES (OLD.id); RETURN OLD; END $$;
CREATE OR REPLACE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED; INSERT INTO app.aside VALUES (1); RETURN OLD; END $$;
RESET ROLE;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(4, false)');
-- A cursor WITH HOLD, whose query the commit runs; one of the caller's own does no harm.
SET ROLE regress_guest;
CREATE OR REPLACE FUNCTION app.visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DECLARE trap CURSOR WITH HOLD FOR SELECT current_user'; RETURN OLD; END $$;
RESET ROLE;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(4, false)');
DROP TRIGGER visit ON app.visits;
BEGIN;
DECLARE mine CURSOR WITH HOLD FOR SELECT 1 AS one;
SELECT row_count FROM vedfolnir_delete_user(4, false) ORDER BY step;
COMMIT;
FETCH ALL FROM mine;
CLOSE mine;
-- Two rows with one key, since the unique index is gone: neither goes.
ALTER TABLE app.visits DROP CONSTRAINT visits_u_fkey;
ALTER TABLE app.users DROP CONSTRAINT users_pkey;
INSERT INTO app.users VALUES (5);
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(5)');
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(5, false)');
SELECT code FROM t.refused($$SELECT * FROM vedfolnir_delete_users('{5,6}', false)$$);
SELECT severity, code, object, message, remedy FROM vedfolnir_check() WHERE object = 'app.users.id';
SELECT count(*) FROM app.users;
SELECT t.finish();
DROP ROLE regress_guest;

-- References in generated columns: no UPDATE can set them, and the dry run says so (R9, R13).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.copies (id int PRIMARY KEY, base int, u int GENERATED ALWAYS AS (base + 0) STORED REFERENCES app.users);
CREATE TABLE app.cards (u int GENERATED ALWAYS AS IDENTITY PRIMARY KEY REFERENCES app.users);
CREATE TABLE app.lists (a int, us int[] GENERATED ALWAYS AS (ARRAY[a]) STORED);
INSERT INTO app.users SELECT generate_series(1, 3);
INSERT INTO app.copies VALUES (1, 1), (2, 2);
INSERT INTO app.cards DEFAULT VALUES;
INSERT INTO app.cards DEFAULT VALUES;
INSERT INTO app.lists VALUES (1), (2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.copies', 'copies_u_fkey', 'reassign', reassign_to => '3');
SELECT vedfolnir_set_policy('app.cards', 'cards_u_fkey', 'reassign', reassign_to => '3');
SELECT vedfolnir_add_link('by_list', 'app.lists', 'app.users', columns => '{us}', action => 'nullify');
SELECT action, relation, via, row_count, note FROM vedfolnir_delete_user(1) WHERE step > 1 ORDER BY step;
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.copies', 'copies_u_fkey', 'delete'), vedfolnir_set_policy('app.cards', 'cards_u_fkey', 'delete'),
       vedfolnir_set_policy('app.lists', 'by_list', 'delete');
-- As targets of clean-up rules they serve.
SELECT vedfolnir_add_cleanup('app.copies', 'redis_key', 'copy:{u}');
SELECT relation, row_count FROM t.run('1') ORDER BY step;
SELECT target FROM vedfolnir.cleanup_task;
SELECT t.finish();

-- A trigger of the run changes the policy of the run (R24).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT count(*) FROM vedfolnir_delete_user(1);
CREATE FUNCTION app.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM vedfolnir_set_policy('app.posts', 'posts_u_fkey', 'block');
    RETURN OLD;
END $$;
CREATE TRIGGER forbid BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION app.forbid();
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.finish();

-- Triggers and rules of the application: they fire, and what they keep back is found (R2, R3, R35, R36, section 4 item 11).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE FUNCTION t.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION t.revert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
INSERT INTO app.notes VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
-- R3: a BEFORE DELETE trigger that keeps the row: natively an orphan without an error. The dry run names it.
CREATE TRIGGER keeper BEFORE DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION t.keep();
SELECT * FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- One that keeps other rows only does no harm.
DROP TRIGGER keeper ON app.posts;
CREATE TRIGGER keeper BEFORE DELETE ON app.posts FOR EACH ROW WHEN (OLD.u = 2) EXECUTE FUNCTION t.keep();
BEGIN;
SELECT * FROM t.run('1') ORDER BY step;
ROLLBACK;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
-- A disabled trigger is none; one ENABLE REPLICA does not fire either.
ALTER TABLE app.posts DISABLE TRIGGER keeper;
BEGIN;
SELECT * FROM t.run('2') ORDER BY step;
ROLLBACK;
ALTER TABLE app.posts ENABLE REPLICA TRIGGER keeper;
BEGIN;
SELECT count(*) FROM t.run('2');
ROLLBACK;
DROP TRIGGER keeper ON app.posts;
-- R3: a BEFORE UPDATE trigger that puts the old value back, or drops the update
CREATE TRIGGER reverter BEFORE UPDATE ON app.notes FOR EACH ROW EXECUTE FUNCTION t.revert();
SELECT * FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER reverter ON app.notes;
CREATE TRIGGER reverter BEFORE UPDATE ON app.notes FOR EACH ROW EXECUTE FUNCTION t.keep();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER reverter ON app.notes;
-- R3: on the root row
CREATE TRIGGER keeper BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.keep();
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER keeper ON app.users;
-- R3: rules
CREATE RULE nothing AS ON DELETE TO app.posts DO INSTEAD NOTHING;
SELECT * FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP RULE nothing ON app.posts;
CREATE RULE sometimes AS ON DELETE TO app.posts WHERE OLD.id > 100 DO INSTEAD NOTHING;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP RULE sometimes ON app.posts;
CREATE RULE soft AS ON UPDATE TO app.notes DO INSTEAD NOTHING;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP RULE soft ON app.notes;
CREATE RULE nothing AS ON DELETE TO app.users DO INSTEAD NOTHING;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP RULE nothing ON app.users;
-- A rule that says something else does not matter, nor does one where no row stands.
CREATE RULE ins AS ON INSERT TO app.posts DO ALSO NOTHING;
CREATE TABLE app.empty (u int REFERENCES app.users ON DELETE CASCADE);
CREATE RULE nothing AS ON DELETE TO app.empty DO INSTEAD NOTHING;
SELECT * FROM t.run('1') ORDER BY step;
SELECT t.fresh();

-- They fire: rows, statements, transition tables, in the order of names, each row once, and see the finished deletion.
CREATE TABLE app.users (id int PRIMARY KEY, posts int DEFAULT 0);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, category int, editor int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.categories (id int PRIMARY KEY, posts int);
CREATE TABLE app.log (n serial, what text);
ALTER TABLE app.posts ADD FOREIGN KEY (category) REFERENCES app.categories;
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        INSERT INTO app.log (what) VALUES (format('%s %s %s %s: %s', TG_WHEN, TG_OP, TG_TABLE_NAME, TG_LEVEL, to_jsonb(OLD) - 'posts'));
    ELSIF TG_WHEN = 'AFTER' AND TG_OP = 'DELETE' AND TG_TABLE_NAME = 'posts' THEN
        INSERT INTO app.log (what) SELECT format('AFTER DELETE posts STATEMENT: %s old rows, %s users and %s posts left', count(*),
            (SELECT count(*) FROM app.users), (SELECT count(*) FROM app.posts)) FROM old;
    ELSE
        INSERT INTO app.log (what) VALUES (format('%s %s %s STATEMENT', TG_WHEN, TG_OP, TG_TABLE_NAME));
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
-- A counter on the other side of a key: it must find a state that holds.
CREATE FUNCTION app.count_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE app.categories SET posts = posts - 1 WHERE id = OLD.category; RETURN NULL; END $$;
CREATE TRIGGER a_before BEFORE DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TRIGGER b_after AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TRIGGER c_count AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.count_down();
CREATE TRIGGER d_statement AFTER DELETE ON app.posts REFERENCING OLD TABLE AS old FOR EACH STATEMENT EXECUTE FUNCTION app.note();
CREATE TRIGGER e_update AFTER UPDATE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TRIGGER f_user AFTER DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION app.note();
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.categories VALUES (1, 3), (2, 1);
INSERT INTO app.posts VALUES (1, 1, 1, NULL), (2, 1, 1, 1), (3, 2, 1, 1), (4, 2, 2, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT what FROM app.log ORDER BY what COLLATE "C";
TABLE app.categories ORDER BY id;
TABLE app.posts ORDER BY id;
-- A trigger that fails takes everything back.
CREATE FUNCTION app.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER z_fail AFTER DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION app.fail();
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
DROP TRIGGER z_fail ON app.users;
CREATE CONSTRAINT TRIGGER z_fail AFTER DELETE ON app.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fail();
-- Also a deferred one, inside the call. R36
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- Triggers that change rows of the walk: the state is whole, and the note names the trigger.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.comments (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE);
CREATE TABLE app.history (id int, u int);
CREATE FUNCTION app.by_hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.posts WHERE u = OLD.id; RETURN OLD; END $$;
CREATE FUNCTION app.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.history VALUES (OLD.id, OLD.u); RETURN OLD; END $$;
CREATE TRIGGER by_hand BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION app.by_hand();
CREATE TRIGGER history AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.keep_history();
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.posts VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.comments VALUES (1, 1), (2, 2), (3, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT * FROM t.orphans();
-- A trigger that puts a child back while its parent goes
CREATE FUNCTION app.put_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.posts VALUES (OLD.id + 1000, OLD.u); RETURN OLD; END $$;
CREATE TRIGGER put_back AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.put_back();
DROP TRIGGER by_hand ON app.users;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
DROP TRIGGER put_back ON app.posts;
CREATE TRIGGER put_back BEFORE DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.put_back();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
DROP TRIGGER put_back ON app.posts;
-- A trigger that deletes with our own function: somebody else, and the very same person
CREATE FUNCTION app.chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM vedfolnir_delete_user(OLD.id + 1, false); RETURN OLD; END $$;
CREATE TRIGGER chain AFTER DELETE ON app.users FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION app.chain();
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT count(*) FROM vedfolnir.deletion WHERE mode = 'delete';
DROP TRIGGER chain ON app.users;
CREATE FUNCTION app.same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM vedfolnir_delete_user(OLD.id, false); RETURN OLD; END $$;
CREATE TRIGGER same BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION app.same();
INSERT INTO app.users VALUES (5);
SELECT message <> 'not refused' OR NOT EXISTS (SELECT FROM app.users WHERE id = 5) AS whole FROM t.refused('SELECT * FROM vedfolnir_delete_user(5, false)');
SELECT t.fresh();

-- R2: vedfolnir.prove_all counts every edge again, also where nothing can have kept rows back.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1);
INSERT INTO app.posts VALUES (1, 1), (2, NULL);
SELECT vedfolnir_register_subject('app.users');
CREATE FUNCTION t.scans(prove boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    PERFORM set_config('vedfolnir.prove_all', prove::text, true);
    n := pg_stat_get_xact_numscans('app.posts'::regclass);
    PERFORM vedfolnir_delete_user(1, false);
    RETURN pg_stat_get_xact_numscans('app.posts'::regclass) - n;
END $$;
BEGIN;
SELECT t.scans(false);
ROLLBACK;
BEGIN;
SELECT t.scans(true);
ROLLBACK;
SELECT t.fresh();

-- Section 4 item 11: a schema with 164 triggers; each fires for its row or statement.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.fired (relation text, name text);
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.fired VALUES (TG_TABLE_NAME, TG_NAME); RETURN OLD; END $$;
INSERT INTO app.users VALUES (1), (2);
DO $$
BEGIN
    FOR i IN 1..41 LOOP
        EXECUTE format('CREATE TABLE app.t%1$s (u int REFERENCES app.users ON DELETE CASCADE); INSERT INTO app.t%1$s VALUES (1), (2), (1)', i);
        EXECUTE format('CREATE TRIGGER a BEFORE DELETE ON app.t%1$s FOR EACH ROW EXECUTE FUNCTION app.fire(); '
            'CREATE TRIGGER b AFTER DELETE ON app.t%1$s FOR EACH ROW EXECUTE FUNCTION app.fire(); '
            'CREATE TRIGGER c BEFORE DELETE ON app.t%1$s FOR EACH STATEMENT EXECUTE FUNCTION app.fire()', i);
        EXECUTE format('CREATE CONSTRAINT TRIGGER d AFTER DELETE ON app.t%1$s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fire()', i);
    END LOOP;
END $$;
SELECT vedfolnir_register_subject('app.users');
SELECT count(*), sum(row_count) FROM t.run('1') WHERE action = 'delete';
SELECT name, count(*), count(DISTINCT relation) FROM app.fired GROUP BY name ORDER BY name;
SELECT t.fresh();

-- A view over the root with INSTEAD OF triggers does not matter: tables are addressed.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE VIEW app.people AS SELECT * FROM app.users;
CREATE TRIGGER instead INSTEAD OF DELETE ON app.people FOR EACH ROW EXECUTE FUNCTION t.keep();
INSERT INTO app.users VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT count(*) FROM app.people;
SELECT t.fresh();

-- What a column rule was to replace stays in no row: a trigger that keeps it, or the row, ends the run. One that changes it otherwise does not.
CREATE TABLE app.users (id int PRIMARY KEY, name text, mail varchar(12), balance numeric(6,2), edited int);
CREATE TABLE app.cards (id int PRIMARY KEY, u int REFERENCES app.users, holder text);
INSERT INTO app.users VALUES (1, 'Ada', 'ada@invalid', 0, 0), (2, 'Bob', NULL, 1, 0);
INSERT INTO app.cards VALUES (1, 1, 'ADA'), (2, 2, 'BOB');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_policy('app.cards', 'cards_u_fkey', 'retain', 'accounts');
SELECT vedfolnir_set_column('app.users', 'name', '''gone''');
SELECT vedfolnir_set_column('app.users', 'mail', '''gone ''');
SELECT vedfolnir_set_column('app.users', 'balance', '0.001');
SELECT vedfolnir_set_column('app.cards', 'holder', 'NULL', edge => 'cards_u_fkey');
CREATE FUNCTION app.before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    CASE TG_ARGV[0] WHEN 'old' THEN RETURN OLD; WHEN 'none' THEN RETURN NULL; WHEN 'mail' THEN NEW.mail := OLD.mail;
         WHEN 'holder' THEN NEW.holder := OLD.holder; ELSE NEW.name := upper(NEW.name); NEW.edited := NEW.edited + 1; END CASE;
    RETURN NEW; END $$;
CREATE TRIGGER before BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.before('old');
SELECT code, message, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER before ON app.users;
CREATE TRIGGER before BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.before('none');
SELECT code, message, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER before ON app.users;
CREATE TRIGGER before BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.before('mail');
SELECT code, message, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT relation, via, action FROM vedfolnir_delete_user(2, false);
DROP TRIGGER before ON app.users;
CREATE TRIGGER before BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.before('other');
CREATE TRIGGER before BEFORE UPDATE ON app.cards FOR EACH ROW EXECUTE FUNCTION app.before('holder');
SELECT code, message, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DROP TRIGGER before ON app.cards;
SELECT relation, via, action, row_count FROM vedfolnir_delete_user(1, false);
SELECT * FROM app.users ORDER BY id;
SELECT * FROM app.cards ORDER BY id;
SELECT t.fresh();

-- A trigger for the statement fires as well where look-ups in an index tell that there is no row.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.likes (u int PRIMARY KEY REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.notes (u int PRIMARY KEY REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.posts (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 2);
INSERT INTO app.notes VALUES (1);
CREATE FUNCTION app.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '% on %', TG_WHEN, TG_TABLE_NAME; RETURN NULL; END $$;
CREATE TRIGGER tell BEFORE DELETE ON app.posts FOR EACH STATEMENT EXECUTE FUNCTION app.tell();
CREATE TRIGGER tell AFTER DELETE ON app.likes FOR EACH STATEMENT EXECUTE FUNCTION app.tell();
SELECT vedfolnir_register_subject('app.users');
SELECT relation, row_count FROM vedfolnir_delete_user(1, false);
SELECT relation, row_count FROM t.counts() ORDER BY 1;
SELECT t.finish();

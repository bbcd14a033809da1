-- Rows that a BEFORE DELETE trigger of the application removes by hand, before the walk comes to them: what they name
-- outside is queued all the same (design 2.3), and the dry run names the trigger.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE FUNCTION t.tables() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id int PRIMARY KEY, picture text);
    CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, path text);
    CREATE TABLE app.comments (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE, path text);
    INSERT INTO app.users SELECT g, 'u/' || g FROM generate_series(1, 4) g;
    INSERT INTO app.posts SELECT g, g / 10, 'p/' || g FROM unnest('{10,11,20,30,40}'::int[]) g;
    INSERT INTO app.comments SELECT g, g / 10, 'c/' || g FROM unnest('{100,101,110,200,300,400}'::int[]) g;
    PERFORM vedfolnir_register_subject('app.users');
    PERFORM vedfolnir_add_cleanup('app.users', 'file', '{picture}');
    PERFORM vedfolnir_add_cleanup('app.posts', 'file', '{path}');
    PERFORM vedfolnir_add_cleanup('app.comments', 'file', '{path}');
    PERFORM vedfolnir_add_cleanup('app.comments', 'redis_key', 'comment:{id}');
END $$;
CREATE FUNCTION t.tasks() RETURNS TABLE (target text, tasks bigint) LANGUAGE sql AS
    $$ SELECT target, count(*) FROM vedfolnir.cleanup_task GROUP BY target ORDER BY target COLLATE "C" $$;
CREATE FUNCTION t.delete_posts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.posts WHERE u = OLD.id; RETURN OLD; END $$;
CREATE FUNCTION t.move_posts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE app.posts SET u = 4 WHERE u = OLD.id; RETURN OLD; END $$;
CREATE FUNCTION t.forget_paths() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE app.posts SET path = NULL WHERE u = OLD.id; RETURN OLD; END $$;
CREATE FUNCTION t.delete_comments() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.comments WHERE post IN (SELECT id FROM app.posts WHERE u = 1); RETURN NULL; END $$;

-- A row trigger on the root, whose DELETE takes the grandchildren with it
SELECT t.tables();
CREATE TRIGGER by_hand BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.delete_posts();
SELECT * FROM t.dry('1') ORDER BY step;
SELECT relation, via, action, row_count, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.tasks();
SELECT * FROM t.counts();
-- For several people, each target once and with its person
SELECT relation, via, action, row_count FROM vedfolnir_delete_users(ARRAY['2', '3'], false) ORDER BY step;
SELECT * FROM t.tasks() WHERE target ~ '[23]';
SELECT count(*), count(DISTINCT deletion_id) FROM vedfolnir.cleanup_task WHERE deletion_id <> (SELECT id FROM vedfolnir.deletion ORDER BY created_at LIMIT 1);
-- Disabled, it takes nothing away.
ALTER TABLE app.users DISABLE TRIGGER by_hand;
SELECT relation, via, action, row_count FROM vedfolnir_delete_user(4, false) ORDER BY step;

-- A statement trigger further down
SELECT t.tables();
CREATE TRIGGER by_hand BEFORE DELETE ON app.posts FOR EACH STATEMENT EXECUTE FUNCTION t.delete_comments();
SELECT * FROM t.dry('1') ORDER BY step;
SELECT relation, via, action, row_count, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.tasks();

-- Rows that the trigger gives to somebody else keep their files, and their keys too.
SELECT t.tables();
CREATE TRIGGER by_hand BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.move_posts();
SELECT relation, via, action, row_count, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.tasks();
SELECT * FROM t.counts();

-- A path that the trigger takes out of the row was there before.
SELECT t.tables();
CREATE TRIGGER by_hand BEFORE DELETE ON app.users FOR EACH ROW EXECUTE FUNCTION t.forget_paths();
SELECT relation, via, action, row_count, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.tasks();

-- On a partition, in a cycle, for a tombstone
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.nodes (id int, parent int, u int REFERENCES app.users ON DELETE CASCADE, path text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE app.nodes_1 PARTITION OF app.nodes FOR VALUES FROM (1) TO (100);
CREATE TABLE app.nodes_2 PARTITION OF app.nodes FOR VALUES FROM (100) TO (200);
ALTER TABLE app.nodes ADD FOREIGN KEY (parent) REFERENCES app.nodes ON DELETE CASCADE;
INSERT INTO app.users VALUES (1, 'ada'), (2, 'bob');
INSERT INTO app.nodes VALUES (1, NULL, 1, 'a'), (101, 1, NULL, 'b'), (2, 101, NULL, 'c'), (102, 2, NULL, 'd'), (3, NULL, 2, 'e');
CREATE FUNCTION t.delete_nodes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.nodes WHERE id = 2; RETURN OLD; END $$;
CREATE TRIGGER by_hand BEFORE DELETE ON app.nodes_2 FOR EACH ROW WHEN (OLD.id = 101) EXECUTE FUNCTION t.delete_nodes();
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_column('app.users', 'name', 'NULL');
SELECT vedfolnir_add_cleanup('app.nodes', 'file', '{path}');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT relation, via, action, row_count, t.masked(note) AS note FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT * FROM t.tasks();
SELECT * FROM t.counts();
SELECT t.finish();

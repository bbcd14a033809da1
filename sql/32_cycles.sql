-- Self references and cycles of any length and depth, NOT DEFERRABLE and RESTRICT included; diamonds (R8, section 4 items 4 and 12).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
-- A chain 100,000 deep
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.comments (id int PRIMARY KEY, u int REFERENCES app.users, parent int REFERENCES app.comments ON DELETE CASCADE);
CREATE INDEX ON app.comments (parent);
CREATE INDEX ON app.comments (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.comments SELECT g, CASE WHEN g = 1 THEN 1 END, nullif(g - 1, 0) FROM generate_series(1, 100000) g;
INSERT INTO app.comments VALUES (200000, 2, NULL), (200001, NULL, 200000);
ANALYZE app.comments;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.comments', 'comments_u_fkey', 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.comments ORDER BY id;
-- A chain with a branch of another person half way down: the branch and all below it is collateral.
INSERT INTO app.users VALUES (1);
INSERT INTO app.comments SELECT g, CASE g WHEN 1 THEN 1 WHEN 601 THEN 2 END, nullif(g - 1, 0) FROM generate_series(1, 1000) g;
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.comments', 'comments_parent_fkey', 'delete', collateral => 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.comments ORDER BY id;
-- One row of somebody else at the end of a deep chain: seconds, where the depth squared would be minutes.
DELETE FROM app.comments;
INSERT INTO app.users VALUES (1);
INSERT INTO app.comments SELECT g, CASE g WHEN 1 THEN 1 WHEN 100000 THEN 2 END, nullif(g - 1, 0) FROM generate_series(1, 100000) g;
SET statement_timeout = '60s';
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1) ORDER BY step;
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1, false) ORDER BY step;
RESET statement_timeout;
TABLE app.comments ORDER BY id;
SELECT t.fresh();
-- The same through two tables, for two people in one call.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.items (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, version int);
CREATE TABLE app.versions (id int PRIMARY KEY, item int REFERENCES app.items ON DELETE CASCADE);
ALTER TABLE app.items ADD FOREIGN KEY (version) REFERENCES app.versions ON DELETE CASCADE;
CREATE INDEX ON app.items (version);
CREATE INDEX ON app.versions (item);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.items SELECT g, CASE g WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 39999 THEN 3 END FROM generate_series(1, 40000) g;
INSERT INTO app.versions SELECT g, g FROM generate_series(1, 40000) g;
UPDATE app.items SET version = id - 2 WHERE id > 2;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.items', 'items_version_fkey', 'delete', collateral => 'delete');
SET statement_timeout = '60s';
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_users(ARRAY['1', '2']) ORDER BY step;
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_users(ARRAY['1', '2'], false) ORDER BY step;
RESET statement_timeout;
SELECT * FROM t.counts();
SELECT t.fresh();

-- A tree: a row that is its own parent, and rings
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.nodes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, parent int NOT NULL REFERENCES app.nodes ON DELETE RESTRICT);
INSERT INTO app.users VALUES (1), (2);
-- 1 is its own parent, with 999 below it; 2001 to 2003 are a ring of the person, 3001 and 3002 one of somebody else
INSERT INTO app.nodes SELECT g, CASE WHEN g = 1 THEN 1 END, CASE WHEN g = 1 THEN 1 ELSE g / 2 END FROM generate_series(1, 1000) g;
INSERT INTO app.nodes VALUES (2001, 1, 2002), (2002, NULL, 2003), (2003, NULL, 2001), (3001, 2, 3002), (3002, NULL, 3001);
SELECT vedfolnir_register_subject('app.users');
-- RESTRICT is undeclared: all the children of 1 are in the way, except the rows that go themselves.
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.nodes', 'nodes_parent_fkey', 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.nodes ORDER BY id;
SELECT t.fresh();

-- Two tables, NOT NULL and RESTRICT both ways, not deferrable: item and its current version. Section 4 item 4
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.items (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE RESTRICT, current int NOT NULL);
CREATE TABLE app.versions (id int PRIMARY KEY, item int NOT NULL REFERENCES app.items ON DELETE RESTRICT, note text);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.items VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30);
INSERT INTO app.versions VALUES (10, 1), (11, 1), (20, 2), (30, 3), (31, 3);
ALTER TABLE app.items ADD FOREIGN KEY (current) REFERENCES app.versions ON DELETE RESTRICT;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.items', 'items_u_fkey', 'delete');
SELECT vedfolnir_set_policy('app.items', 'items_current_fkey', 'delete');
SELECT vedfolnir_set_policy('app.versions', 'versions_item_fkey', 'delete');
SELECT * FROM t.dry('1') ORDER BY step;
-- An item of somebody else whose current version is one of ours is collateral, and so are its own versions.
UPDATE app.items SET current = 11 WHERE id = 3;
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
UPDATE app.items SET current = 30 WHERE id = 3;
-- Native RI left on: refused or done, but never half. RESTRICT allows nothing while it fires.
BEGIN;
SET LOCAL vedfolnir.fast_ri = off;
SELECT action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
ROLLBACK;
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- A cycle of four tables that comes back through the root table; a detached edge inside a cycle
CREATE TABLE app.users (id int PRIMARY KEY, main_team int, avatar int);
CREATE TABLE app.teams (id int PRIMARY KEY, owner int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.boards (id int PRIMARY KEY, team int NOT NULL REFERENCES app.teams ON DELETE CASCADE);
CREATE TABLE app.pictures (id int PRIMARY KEY, board int REFERENCES app.boards ON DELETE CASCADE, next int REFERENCES app.pictures ON DELETE SET NULL);
ALTER TABLE app.users ADD FOREIGN KEY (main_team) REFERENCES app.teams ON DELETE SET NULL;
ALTER TABLE app.users ADD FOREIGN KEY (avatar) REFERENCES app.pictures ON DELETE CASCADE;
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.teams VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.boards VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.pictures VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 2), (4, 1, 3);
UPDATE app.users SET main_team = 1;
UPDATE app.users SET avatar = CASE id WHEN 1 THEN 1 WHEN 2 THEN 4 ELSE 3 END;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.users', 'users_avatar_fkey', 'delete', collateral => 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.users ORDER BY id;
TABLE app.pictures ORDER BY id;
SELECT t.fresh();

-- Section 4 item 12: the deep diamond (u to a; u to c to b to a); natively it depends on the order of creation.
CREATE FUNCTION t.diamond(first boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; seen text;
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id int PRIMARY KEY);
    CREATE TABLE app.a (id int PRIMARY KEY, u int, b int);
    CREATE TABLE app.c (id int PRIMARY KEY, u int);
    CREATE TABLE app.b (id int PRIMARY KEY, c int);
    INSERT INTO app.users VALUES (1), (2);
    INSERT INTO app.c VALUES (1, 1), (2, 2);
    INSERT INTO app.b VALUES (1, 1), (2, 2);
    INSERT INTO app.a VALUES (1, 1, 1), (2, 2, 2);
    IF first THEN ALTER TABLE app.a ADD FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE; END IF;
    ALTER TABLE app.c ADD FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE;
    ALTER TABLE app.b ADD FOREIGN KEY (c) REFERENCES app.c ON DELETE CASCADE;
    ALTER TABLE app.a ADD FOREIGN KEY (b) REFERENCES app.b ON DELETE RESTRICT;
    IF NOT first THEN ALTER TABLE app.a ADD FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE; END IF;
    PERFORM vedfolnir_register_subject('app.users');
    SELECT string_agg(format('%s %s %s', r.relation, r.action, r.row_count), ', ' ORDER BY r.step) INTO said FROM t.run('1') r;
    SELECT string_agg(format('%s %s', s.relation, s.row_count), ', ') INTO seen FROM t.counts() s;
    RETURN said || '; left: ' || seen;
END $$;
SELECT t.diamond(true);
SELECT t.diamond(false);

-- Many diamonds in a row: each row is reached on 2^12 paths and counts once.
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.d0 (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
DO $$ BEGIN
    FOR i IN 1..12 LOOP
        EXECUTE format('CREATE TABLE app.d%s (id int PRIMARY KEY, l int REFERENCES app.d%s ON DELETE CASCADE, r int REFERENCES app.d%s ON DELETE CASCADE)', i, i - 1, i - 1);
    END LOOP;
    INSERT INTO app.users VALUES (1), (2);
    INSERT INTO app.d0 VALUES (1, 1), (2, 1), (3, 2);
    FOR i IN 1..12 LOOP
        EXECUTE format('INSERT INTO app.d%s VALUES (1, 1, 2), (2, 2, 1), (3, 3, 3)', i);
    END LOOP;
END $$;
SELECT vedfolnir_register_subject('app.users');
SELECT count(*), sum(row_count), sum(collateral) FROM t.run('1');
SELECT relation, row_count FROM t.counts() WHERE row_count <> 1;
SELECT t.finish();

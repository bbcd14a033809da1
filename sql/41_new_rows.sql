-- What the server would refuse of rows that stay and are changed is known before: checks, NOT NULL, unique and exclusion (R9).
\set ECHO none
\i test/support/regress.sql
\i test/support/promise.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
CREATE FUNCTION t.blocks() RETURNS TABLE (relation text, via text, row_count bigint, note text) LANGUAGE sql AS
    $$ SELECT relation, via, row_count, note FROM vedfolnir_delete_user(1) WHERE action = 'block' $$;
CREATE FUNCTION t.would(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'P0999';
EXCEPTION WHEN SQLSTATE 'P0999' THEN RETURN 'done';
          WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SET client_min_messages = warning;

-- A check over two columns: only the rows that it would refuse are counted, and the server agrees.
CREATE TABLE app.users (id bigint PRIMARY KEY, name text);
CREATE TABLE app.posts (id int PRIMARY KEY, "Author" int REFERENCES app.users ON DELETE SET NULL, "guest ""x""" text, anonymous boolean,
    CONSTRAINT somebody CHECK ("Author" IS NOT NULL OR "guest ""x""" IS NOT NULL OR anonymous));
INSERT INTO app.users SELECT n, 'u' || n FROM generate_series(1, 9) n;
INSERT INTO app.posts VALUES (1, 1, NULL, false), (2, 1, 'g', false), (3, 2, NULL, false), (4, 1, NULL, false), (5, 1, NULL, NULL);
CREATE INDEX ON app.posts ("Author");
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT * FROM t.blocks();
SELECT code, detail, hint FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.would('UPDATE app.posts SET "Author" = NULL WHERE "Author" = 1'), t.would('UPDATE app.posts SET "Author" = NULL WHERE id IN (2, 5)');
SELECT count(*) FROM app.posts WHERE "Author" = 1;
-- What a column rule sets in the same UPDATE counts: nothing is refused, and the run agrees.
SELECT vedfolnir_set_column('app.posts', 'anonymous', 'true', edge => 'posts_Author_fkey');
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
-- Two people at once
SELECT vedfolnir_set_column('app.posts', 'anonymous', 'false', edge => 'posts_Author_fkey');
SELECT vedfolnir_set_column('app.posts', 'guest "x"', 'CASE WHEN id = 4 THEN ''g'' END', edge => 'posts_Author_fkey');
SELECT relation, via, row_count, note FROM vedfolnir_delete_users(ARRAY['1', '2', '3']) WHERE action = 'block';
SELECT vedfolnir_set_column('app.posts', 'anonymous', 'true', edge => 'posts_Author_fkey');
SELECT t.would('SELECT * FROM vedfolnir_delete_users(ARRAY[''1'', ''2''], false)');
-- The check refuses what a rule sets: the remedy names the rule.
SELECT vedfolnir_set_policy('app.posts', 'posts_Author_fkey', 'reassign', reassign_to => '7');
ALTER TABLE app.posts ADD CONSTRAINT no_ghost CHECK ("guest ""x""" <> 'ghost');
SELECT vedfolnir_set_column('app.posts', 'guest "x"', '''ghost''', edge => 'posts_Author_fkey');
SELECT * FROM t.blocks();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- ... of a function that is for the column's own type, where the key has another
CREATE FUNCTION app.is_even(n int) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT n % 2 = 0 $$;
ALTER TABLE app.posts DROP CONSTRAINT no_ghost, ADD CONSTRAINT even CHECK (app.is_even("Author")) NOT VALID;
SELECT * FROM t.blocks();
SELECT vedfolnir_set_policy('app.posts', 'posts_Author_fkey', 'reassign', reassign_to => '8');
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
-- Nobody can tell what a volatile check says, nor one over the whole row: a note, and the server decides.
CREATE FUNCTION app.lucky(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n <> 8; END $$;
CREATE FUNCTION app.fine(p app.posts) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
ALTER TABLE app.posts DROP CONSTRAINT even, ADD CONSTRAINT luck CHECK (app.lucky("Author")), ADD CONSTRAINT whole CHECK (app.fine(posts));
SELECT * FROM t.blocks();
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
ALTER TABLE app.posts DROP CONSTRAINT luck, DROP CONSTRAINT whole;
-- Nor, beforehand, where the value is another each time; a run draws it once and looks at it.
ALTER TABLE app.posts ADD CONSTRAINT short CHECK (length("guest ""x""") < 10);
SELECT vedfolnir_set_column('app.posts', 'guest "x"', 'gen_random_uuid()::text', edge => 'posts_Author_fkey');
SELECT * FROM t.blocks();
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- A BEFORE trigger may put the row right: a note, no blocker.
SELECT vedfolnir_set_column('app.posts', 'guest "x"', '''much too long''', edge => 'posts_Author_fkey');
SELECT * FROM t.blocks();
CREATE FUNCTION app.cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."guest ""x""" := left(NEW."guest ""x""", 9); RETURN NEW; END $$;
CREATE TRIGGER cut BEFORE UPDATE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.cut();
SELECT * FROM t.blocks();
SELECT * FROM t.notes();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.fresh();

-- Domains, NOT NULL where an expression gives NULL, generated columns.
CREATE DOMAIN app.ref AS int CHECK (VALUE IS NULL OR VALUE < 5);
CREATE DOMAIN app.must AS int CONSTRAINT must_be CHECK (VALUE IS NOT NULL);
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, u app.ref REFERENCES app.users);
CREATE TABLE app.b (id int PRIMARY KEY, u app.must REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.c (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, word text NOT NULL, other text);
CREATE TABLE app.d (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, twice int GENERATED ALWAYS AS (u * 2) STORED NOT NULL);
CREATE TABLE app.e (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, v int,
    sum int GENERATED ALWAYS AS (coalesce(u, 0) + v) STORED CONSTRAINT large CHECK (sum > 10));
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.a VALUES (1, 1);
INSERT INTO app.b VALUES (1, 1), (2, 2);
INSERT INTO app.c VALUES (1, 1, 'a', NULL), (2, 1, 'b', 'x');
INSERT INTO app.d VALUES (1, 1);
INSERT INTO app.e VALUES (1, 1, 10), (2, 1, 11), (3, 2, 10);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.a', 'a_u_fkey', 'reassign', reassign_to => '7');
SELECT vedfolnir_set_column('app.c', 'word', 'other', edge => 'c_u_fkey');
SELECT * FROM t.blocks();
SELECT t.would('UPDATE app.a SET u = 7'), t.would('UPDATE app.b SET u = NULL WHERE id = 1'), t.would('UPDATE app.c SET word = other WHERE id = 1'),
    t.would('UPDATE app.d SET u = NULL'), t.would('UPDATE app.e SET u = NULL WHERE id = 1'), t.would('UPDATE app.e SET u = NULL WHERE id = 2');
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- A domain that changes is looked at anew by a session that keeps the plan.
ALTER DOMAIN app.must DROP CONSTRAINT must_be;
ALTER DOMAIN app.ref ADD CONSTRAINT odd CHECK (VALUE % 2 = 1);
SELECT vedfolnir_set_policy('app.a', 'a_u_fkey', 'reassign', reassign_to => '4');
SELECT * FROM t.blocks();
SELECT t.fresh();

-- Unique: a row that stays, two rows that come together, the constant of a rule; not what goes or moves out of the way.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.teams (id int PRIMARY KEY, lead int REFERENCES app.users, deputy int REFERENCES app.users, room int, owner int REFERENCES app.users ON DELETE CASCADE,
    UNIQUE (lead, room), CONSTRAINT one_deputy UNIQUE (deputy));
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.teams VALUES (1, 1, NULL, 10, NULL), (2, 7, NULL, 10, NULL), (3, 1, NULL, 11, NULL), (4, 7, NULL, 11, 1), (5, 1, 1, 12, NULL), (6, 1, NULL, 13, NULL), (7, 1, NULL, NULL, NULL),
    (8, 7, NULL, NULL, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.teams', 'teams_lead_fkey', 'reassign', reassign_to => '7');
SELECT vedfolnir_set_policy('app.teams', 'teams_deputy_fkey', 'nullify');
SELECT * FROM t.blocks();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
UPDATE app.teams SET room = 14 WHERE id = 2;
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.teams', 'room', '12', edge => 'teams_lead_fkey');
SELECT * FROM t.blocks();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.teams', 'room', 'id + 100', edge => 'teams_lead_fkey');
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
-- NULLS NOT DISTINCT: a row that stays has the only NULL; two rows come together; one that goes leaves room.
CREATE TABLE app.desks (id int PRIMARY KEY, floor int, u int REFERENCES app.users ON DELETE SET NULL, owner int REFERENCES app.users ON DELETE CASCADE,
    UNIQUE NULLS NOT DISTINCT (floor, u));
INSERT INTO app.desks VALUES (1, 1, 1, NULL), (2, 1, NULL, NULL), (3, 2, 1, NULL), (4, 2, NULL, 1), (5, NULL, 1, NULL), (6, 3, 1, NULL), (7, 3, 2, NULL);
SELECT * FROM t.blocks();
SELECT t.would('UPDATE app.desks SET u = NULL WHERE id = 1'), t.would('DELETE FROM app.desks WHERE id = 4; UPDATE app.desks SET u = NULL WHERE id IN (3, 5, 6)');
SELECT relation, via, row_count FROM vedfolnir_delete_users(ARRAY['1', '2']) WHERE action = 'block' ORDER BY 1, 2;
DELETE FROM app.desks WHERE id = 2;
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.fresh();

-- Partial and expression indexes, exclusion, a case-insensitive collation, a partitioned table, a deferrable constraint.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE COLLATION app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE app.partial (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, slot int);
CREATE UNIQUE INDEX partial_free ON app.partial (slot) WHERE u IS NULL;
CREATE TABLE app.expressed (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL);
CREATE UNIQUE INDEX expressed_u ON app.expressed (coalesce(u, 0));
CREATE TABLE app.excluded (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, span int4range,
    CONSTRAINT apart EXCLUDE USING gist (span WITH &&) WHERE (u IS NULL));
CREATE TABLE app.folded (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, nick text COLLATE app.nocase UNIQUE);
CREATE TABLE app.parted (id int, u int REFERENCES app.users ON DELETE SET NULL, kind int, UNIQUE NULLS NOT DISTINCT (u, kind)) PARTITION BY LIST (kind);
CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES IN (1);
CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES IN (2);
CREATE TABLE app.later (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.partial VALUES (1, 1, 10), (2, NULL, 10), (3, 1, 11), (4, 1, 11), (5, 2, 12), (6, 1, 12);
INSERT INTO app.expressed VALUES (1, 1), (2, NULL);
INSERT INTO app.excluded VALUES (1, 1, '[1,5)'), (2, NULL, '[4,6)'), (3, 1, '[7,8)');
INSERT INTO app.folded VALUES (1, 1, 'Ann'), (2, NULL, 'GONE');
INSERT INTO app.parted VALUES (1, 1, 1), (2, NULL, 1), (3, 1, 2), (4, 2, 2);
INSERT INTO app.later VALUES (1, 1, 1), (2, NULL, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.folded', 'nick', '''gone''', edge => 'folded_u_fkey');
SELECT vedfolnir_set_column('app.later', 'n', '2', edge => 'later_u_fkey');
SELECT * FROM t.blocks();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- One by one, the server agrees.
SELECT t.would('UPDATE app.partial SET u = NULL WHERE u = 1'), t.would('UPDATE app.partial SET u = NULL WHERE id = 6'),
    t.would('UPDATE app.expressed SET u = NULL WHERE u = 1'), t.would('UPDATE app.excluded SET u = NULL WHERE id = 1'),
    t.would('UPDATE app.excluded SET u = NULL WHERE id = 3'), t.would('UPDATE app.folded SET u = NULL, nick = ''gone'' WHERE u = 1'),
    t.would('UPDATE app.parted SET u = NULL WHERE id = 1'), t.would('UPDATE app.parted SET u = NULL WHERE id = 3'),
    t.would('UPDATE app.later SET u = NULL, n = 2 WHERE u = 1; SET CONSTRAINTS ALL IMMEDIATE');
DELETE FROM app.partial WHERE id IN (2, 3);
DELETE FROM app.expressed WHERE id = 2;
DELETE FROM app.excluded WHERE id = 2;
DELETE FROM app.folded WHERE id = 2;
DELETE FROM app.parted WHERE id = 2;
DELETE FROM app.later WHERE id = 2;
-- What moves out of the way is in nobody's.
CREATE TABLE app.shifted (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.shifted VALUES (1, 1, 1), (2, 1, 11);
SELECT vedfolnir_set_column('app.shifted', 'n', 'n + 10', edge => 'shifted_u_fkey');
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.fresh();

-- The tombstone's own row, and an array that loses an element.
CREATE TABLE app.users (id int PRIMARY KEY, name text UNIQUE, state int CONSTRAINT known CHECK (state < 4));
CREATE TABLE app.lists (id int PRIMARY KEY, members int[] CONSTRAINT not_empty CHECK (cardinality(members) > 0));
INSERT INTO app.users SELECT n, 'u' || n, 0 FROM generate_series(1, 9) n;
INSERT INTO app.lists VALUES (1, '{1,2}'), (2, '{1}'), (3, '{2}');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_add_link('members', 'app.lists', 'app.users', columns => '{members}', action => 'nullify');
SELECT vedfolnir_set_column('app.users', 'state', '4');
SELECT vedfolnir_set_column('app.users', 'name', '''u'' || 2');
SELECT * FROM t.blocks();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.users', 'state', '3');
SELECT vedfolnir_set_column('app.users', 'name', '''gone'' || id');
DELETE FROM app.lists WHERE id = 2;
SELECT * FROM t.blocks();
SELECT t.would('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.finish();

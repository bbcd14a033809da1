-- Keys of other tables that refer to what phase N changes, and keys that only a partition has: known before (R9, R11, R25).
\set ECHO none
\i test/support/regress.sql
\i test/support/promise.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;

-- Whoever refers to a value that is cleared or replaced forbids it, by a key of one column or of several, of any type and spelling.
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE DOMAIN app.label AS public.citext CHECK (VALUE <> '');
CREATE TABLE app.a (id int PRIMARY KEY, u int UNIQUE REFERENCES app.users ON DELETE SET NULL, n int, name app.label UNIQUE, UNIQUE (u, n));
CREATE TABLE app.by_u (u int REFERENCES app.a (u));
CREATE TABLE app.by_both (u int, n int, FOREIGN KEY (u, n) REFERENCES app.a (u, n) ON UPDATE RESTRICT);
CREATE TABLE app.by_name (name public.citext REFERENCES app.a (name) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE app.by_follows (u int REFERENCES app.a (u) ON UPDATE CASCADE, name public.citext REFERENCES app.a (name) ON UPDATE SET NULL);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.a VALUES (1, 1, 1, 'one'), (2, 2, 2, 'two');
CREATE INDEX ON app.a (u);
INSERT INTO app.by_follows VALUES (1, 'ONE');
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
INSERT INTO app.by_u VALUES (1), (1), (2);
SELECT * FROM t.both();
INSERT INTO app.by_both VALUES (1, NULL), (1, 1), (2, 2);
SELECT * FROM t.both();
DELETE FROM app.by_u WHERE u = 1;
DELETE FROM app.by_both WHERE u = 1;
INSERT INTO app.by_name VALUES ('TWO');
SELECT vedfolnir_set_column('app.a', 'name', '''gone''', edge => 'a_u_fkey');
SELECT * FROM t.both();
INSERT INTO app.by_name VALUES ('One');
SELECT * FROM t.both();
-- What stays as it was is nobody's concern.
SELECT vedfolnir_set_column('app.a', 'name', 'name', edge => 'a_u_fkey');
SELECT * FROM t.both();
-- A trigger may put it right.
SELECT vedfolnir_set_column('app.a', 'name', '''gone''', edge => 'a_u_fkey');
CREATE FUNCTION app.as_is() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER as_is BEFORE UPDATE ON app.a FOR EACH ROW EXECUTE FUNCTION app.as_is();
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false); SET CONSTRAINTS ALL IMMEDIATE');
SELECT t.fresh();

-- A row that goes is in nobody's way; one whose own reference changes cannot be told.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a (id int PRIMARY KEY, u int UNIQUE REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.b (id int PRIMARY KEY, u int REFERENCES app.a (u), owner int REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.b (owner);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.a VALUES (1, 1);
INSERT INTO app.b VALUES (1, 1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
INSERT INTO app.b VALUES (2, 1, 2);
SELECT * FROM t.both();
ALTER TABLE app.b ADD CONSTRAINT same FOREIGN KEY (u) REFERENCES app.users ON DELETE SET NULL;
CREATE INDEX ON app.b (u);
SELECT * FROM t.notes();
SELECT t.fresh();

-- A tombstone's key: who refers to it is gone, cleared, retained or in the way by then.
CREATE TABLE app.users (id int PRIMARY KEY, nick text UNIQUE);
CREATE TABLE app.posts (id int PRIMARY KEY, nick text REFERENCES app.users (nick) ON DELETE CASCADE);
CREATE TABLE app.marks (id int PRIMARY KEY, nick text REFERENCES app.users (nick) ON DELETE SET NULL);
CREATE TABLE app.bills (id int PRIMARY KEY, nick text REFERENCES app.users (nick));
CREATE INDEX ON app.posts (nick);
CREATE INDEX ON app.marks (nick);
CREATE INDEX ON app.bills (nick);
INSERT INTO app.users VALUES (1, 'ann'), (2, 'bob');
INSERT INTO app.posts VALUES (1, 'ann'), (2, 'bob');
INSERT INTO app.marks VALUES (1, 'ann'), (2, 'bob');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_column('app.users', 'nick', '''gone''');
SELECT * FROM t.notes();
SELECT * FROM t.both();
INSERT INTO app.bills VALUES (1, 'ann');
SELECT * FROM t.both();
SELECT vedfolnir_set_policy('app.bills', 'bills_nick_fkey', 'retain', reason => 'law');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.users', 'nick', 'nick');
SELECT * FROM t.both();
SELECT t.fresh();

-- A key that refers to one partition, and one that only a partition has.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.other (id int PRIMARY KEY);
CREATE TABLE app.parted (id int, u int REFERENCES app.users ON DELETE SET NULL, kind int, o int) PARTITION BY LIST (kind);
CREATE TABLE app.parted_1 (gone int, o int, kind int, u int UNIQUE, id int);
ALTER TABLE app.parted_1 DROP COLUMN gone;
ALTER TABLE app.parted ATTACH PARTITION app.parted_1 FOR VALUES IN (1);
CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES IN (2);
ALTER TABLE app.parted_1 ADD CONSTRAINT leads FOREIGN KEY (o) REFERENCES app.other;
CREATE TABLE app.b (u int REFERENCES app.parted_1 (u));
CREATE INDEX ON app.parted (u);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.other VALUES (1);
INSERT INTO app.parted VALUES (1, 1, 1, NULL), (2, 1, 2, NULL), (3, 2, 1, 1), (4, 3, 2, NULL);
INSERT INTO app.b VALUES (2);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both('1');
SELECT * FROM t.both('2');
DELETE FROM app.b;
SELECT vedfolnir_set_column('app.parted', 'o', '7', edge => 'parted_u_fkey');
SELECT * FROM t.both('1');
SELECT * FROM t.both('3');
SELECT vedfolnir_set_column('app.parted', 'o', '1', edge => 'parted_u_fkey');
SELECT * FROM t.both('1');
-- Rows that may move to another partition cannot be told.
SELECT vedfolnir_set_column('app.parted', 'kind', '2', edge => 'parted_u_fkey');
SELECT * FROM t.notes('1');
SELECT t.fresh();

-- Rows of others that change with a value are told: ON UPDATE CASCADE, SET NULL and SET DEFAULT.
CREATE TABLE app.users (id int PRIMARY KEY, nick text UNIQUE);
CREATE TABLE app.a (id int PRIMARY KEY, u int UNIQUE REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.copies (id int PRIMARY KEY, u int REFERENCES app.a (u) ON UPDATE CASCADE, owner int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.clears (id int PRIMARY KEY, u int REFERENCES app.a (u) ON UPDATE SET NULL);
CREATE TABLE app.resets (id int PRIMARY KEY, u int DEFAULT 2 REFERENCES app.a (u) ON UPDATE SET DEFAULT) PARTITION BY RANGE (id);
CREATE TABLE app.resets_low PARTITION OF app.resets FOR VALUES FROM (0) TO (10);
CREATE TABLE app.resets_high PARTITION OF app.resets FOR VALUES FROM (10) TO (20);
CREATE INDEX ON app.copies (owner);
INSERT INTO app.users SELECT n, 'n' || n FROM generate_series(1, 4) n;
INSERT INTO app.a VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.copies VALUES (1, 1, 1), (2, 1, 2), (3, 1, NULL), (4, 2, NULL);
INSERT INTO app.clears VALUES (1, 1), (2, 2);
INSERT INTO app.resets VALUES (1, 1), (11, 1), (12, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT relation, via, action, row_count, note FROM t.run('1') ORDER BY step;
TABLE app.copies ORDER BY id;
SELECT relation, via, action, row_count, note FROM t.run('4') ORDER BY step;
-- Which comes first, where the child changes as well, cannot be told. What a tombstone keeps changes too.
ALTER TABLE app.copies ADD CONSTRAINT too FOREIGN KEY (u) REFERENCES app.users ON DELETE SET NULL NOT VALID;
CREATE INDEX ON app.copies (u);
DELETE FROM app.clears WHERE id = 2;
SELECT * FROM t.notes('2');
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_column('app.users', 'nick', '''gone''');
INSERT INTO app.users SELECT n, 'n' || n FROM generate_series(4, 5) n;
CREATE TABLE app.names (nick text REFERENCES app.users (nick) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE app.kept (nick text REFERENCES app.users (nick) ON UPDATE CASCADE);
INSERT INTO app.names VALUES ('n3'), ('n4');
INSERT INTO app.kept VALUES ('n3'), ('n3'), ('n4');
SELECT vedfolnir_set_policy('app.kept', 'kept_nick_fkey', 'retain');
SELECT relation, via, action, row_count, note FROM t.run('3') ORDER BY step;
TABLE app.kept;
SELECT t.finish();
DROP EXTENSION citext CASCADE;

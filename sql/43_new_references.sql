-- Whom rows that stay will refer to once they are changed is known before, and the dry run says what the run does (R9, R17, R25).
\set ECHO none
\i test/support/regress.sql
\i test/support/promise.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
SET client_min_messages = warning;

-- A link's condition is asked of the rows as they are: clearing a column that it reads lifts no block.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, l int, twice int GENERATED ALWAYS AS (u * 2) STORED);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.posts VALUES (1, 1, 1), (2, NULL, 1), (3, 1, 2), (4, 2, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'u IS NOT NULL');
SELECT * FROM t.both();
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'twice = 2');
SELECT * FROM t.both();
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', expression => 'CASE WHEN twice = 2 THEN l END');
SELECT * FROM t.both();
-- ... and a row for which it holds only then is in the way as well, whatever the link does,
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'u IS NULL');
SELECT * FROM t.both();
DELETE FROM app.posts WHERE id = 2;
SELECT * FROM t.both();
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'u IS NULL', action => 'delete');
SELECT * FROM t.both();
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'twice IS NULL', action => 'nullify');
SELECT * FROM t.both();
INSERT INTO app.posts VALUES (5, 3, 0);
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', expression => 'coalesce(u, 3)', action => 'delete', condition => 'l = 0');
SELECT vedfolnir_set_column('app.posts', 'l', '0', edge => 'posts_u_fkey');
SELECT * FROM t.both('3');
SELECT vedfolnir_set_column('app.posts', 'l', 'NULL', edge => 'posts_u_fkey');
SELECT step, relation, via, action, row_count FROM t.run('3') ORDER BY step;
-- Whoever reads the whole row, or a value that is another each time, cannot be told: a note, and the run finds out.
CREATE FUNCTION app.open(p app.posts) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT p.u IS NULL $$;
SELECT vedfolnir_add_link('l', 'app.posts', 'app.users', columns => '{l}', condition => 'app.open(c)', action => 'delete');
SELECT vedfolnir_set_column('app.posts', 'l', NULL, edge => 'posts_u_fkey');
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- A condition that asks another table sees it as it was before references are cleared.
CREATE FUNCTION app.mentions(n int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN EXISTS (SELECT FROM app.posts WHERE l = n AND u IS NOT NULL); END $$;
CREATE TABLE app.notes (id int, l int);
INSERT INTO app.notes VALUES (1, 1);
SELECT vedfolnir_forget('app.posts', 'l');
SELECT vedfolnir_add_link('n', 'app.notes', 'app.users', columns => '{l}', condition => 'app.mentions(id)');
SELECT * FROM t.both();
SELECT t.fresh();

-- What a column rule clears is not in the way; what it brings up is.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.marks (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, p int REFERENCES app.posts, v int REFERENCES app.users,
    w int REFERENCES app.posts ON DELETE CASCADE);
CREATE INDEX ON app.marks (u);
CREATE INDEX ON app.marks (p);
CREATE INDEX ON app.marks (v);
CREATE INDEX ON app.marks (w);
CREATE INDEX ON app.posts (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
INSERT INTO app.marks VALUES (1, 1, 1, 1, NULL), (2, 1, 2, 2, NULL), (3, 2, 2, 2, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.marks', 'p', 'NULL', edge => 'marks_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'v', 'NULLIF(v, 1)', edge => 'marks_u_fkey');
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT * FROM app.marks ORDER BY id;
ROLLBACK;
SELECT vedfolnir_set_column('app.marks', 'p', '1', edge => 'marks_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'v', '1', edge => 'marks_u_fkey');
SELECT * FROM t.both();
-- ... through an edge of any action, to a row that goes or to none
SELECT vedfolnir_set_column('app.marks', 'p', 'NULL', edge => 'marks_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'v', 'NULL', edge => 'marks_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'w', 'id', edge => 'marks_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.marks', 'w', 'id + 70', edge => 'marks_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.marks', 'w', NULL, edge => 'marks_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'u', '1', edge => 'marks_u_fkey');
SELECT * FROM t.both();
-- ... which nobody can tell of a value that is another each time: the run finds out, though no key is checked that stays the same.
SELECT vedfolnir_set_column('app.marks', 'u', 'CASE WHEN random() < 2 THEN u END', edge => 'marks_u_fkey');
SELECT * FROM t.notes();
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_column('app.marks', 'u', '2', edge => 'marks_u_fkey');
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT * FROM app.marks ORDER BY id;
ROLLBACK;
-- A BEFORE trigger may put it right: a note.
SELECT vedfolnir_set_column('app.marks', 'w', '1', edge => 'marks_u_fkey');
CREATE FUNCTION app.right() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.w := NULL; RETURN NEW; END $$;
CREATE TRIGGER aright BEFORE UPDATE ON app.marks FOR EACH ROW EXECUTE FUNCTION app.right();
SELECT * FROM t.notes();
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.fresh();
-- The same where a relation is swept, which gives its keys back early.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.marks (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, w int REFERENCES app.posts ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts SELECT n, 1 + n % 2 FROM generate_series(1, 6000) n;
INSERT INTO app.marks SELECT n, CASE WHEN n > 5990 THEN 1 END, n FROM generate_series(1, 6000) n;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.marks', 'w', 'w + 1', edge => 'marks_u_fkey');
SELECT * FROM t.both('1');
SELECT vedfolnir_set_column('app.marks', 'w', 'w - 2', edge => 'marks_u_fkey');
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT t.fresh();

-- Defaults: of a part of a key, of a column that refers to several tables, to a row that goes.
CREATE TABLE app.users (t int, id int UNIQUE, boss int REFERENCES app.users (id) ON DELETE CASCADE, PRIMARY KEY (t, id));
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users (id) ON DELETE CASCADE);
CREATE TABLE app.half (n int, t int DEFAULT 7, u int DEFAULT 9, FOREIGN KEY (t, u) REFERENCES app.users ON DELETE SET DEFAULT (u));
CREATE TABLE app.two (n int, u int DEFAULT 9 REFERENCES app.users (id) ON DELETE SET DEFAULT REFERENCES app.posts);
CREATE TABLE app.full (n int, t int DEFAULT 1, u int, FOREIGN KEY (t, u) REFERENCES app.users MATCH FULL ON DELETE SET NULL);
INSERT INTO app.users VALUES (1, 1), (1, 2), (1, 9);
INSERT INTO app.posts VALUES (1, 2), (9, 2);
INSERT INTO app.half VALUES (1, 1, 1);
INSERT INTO app.two VALUES (1, 1);
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT vedfolnir_set_policy('app.users', 'users_boss_fkey', 'delete', collateral => 'delete');
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
TABLE app.half;
ROLLBACK;
UPDATE app.posts SET u = 1 WHERE id = 9;
SELECT * FROM t.both();
UPDATE app.posts SET u = 2;
UPDATE app.users SET boss = 1 WHERE id = 9;
SELECT * FROM t.both();
DELETE FROM app.users WHERE id = 9;
SELECT * FROM t.both();
-- ... into a column that is unique, where the default is taken or two rows get it; NULL counts where NULLS are NOT DISTINCT.
CREATE TABLE app.once (n int, u int UNIQUE DEFAULT 2 REFERENCES app.users (id) ON DELETE SET DEFAULT);
CREATE TABLE app.pair (u int DEFAULT 2 REFERENCES app.users (id) ON DELETE SET DEFAULT, v int, UNIQUE (u, v));
CREATE TABLE app.null_once (n int, u int UNIQUE NULLS NOT DISTINCT REFERENCES app.users (id) ON DELETE SET DEFAULT);
INSERT INTO app.once VALUES (1, 1), (2, 2);
INSERT INTO app.pair VALUES (1, 1), (1, 2), (2, 2), (1, NULL), (2, NULL);
INSERT INTO app.null_once VALUES (1, 1), (2, NULL);
DELETE FROM app.half;
DELETE FROM app.two;
SELECT * FROM t.both();
DROP TABLE app.once, app.pair, app.null_once;
-- ... MATCH FULL of which a rule writes a part
DELETE FROM app.half;
DELETE FROM app.two;
INSERT INTO app.full VALUES (1, 1, 1), (2, 1, 2);
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1) ORDER BY step;
SELECT vedfolnir_set_column('app.full', 't', '1', edge => 'full_t_u_fkey');
SELECT * FROM t.both();
-- ... a value that is another each time is not asked for: a dry run advances no sequence and works where nothing may be written.
DELETE FROM app.full;
CREATE SEQUENCE app.next START 2;
CREATE TABLE app.drawn (n int, u int DEFAULT nextval('app.next') REFERENCES app.users (id) ON DELETE SET DEFAULT);
INSERT INTO app.drawn VALUES (1, 1);
BEGIN READ ONLY;
SELECT * FROM t.notes();
ROLLBACK;
SELECT last_value, is_called FROM app.next;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
TABLE app.drawn;
SELECT t.fresh();

-- A value that is another each time is asked for once in a run, looked at with everything else that is in the way, and then written.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, word varchar(20) NOT NULL, other text, n int CONSTRAINT odd CHECK (n % 2 = 1),
    m int UNIQUE, v int REFERENCES app.users);
CREATE TABLE app.undecided (u int REFERENCES app.users);
CREATE INDEX ON app.notes (u);
CREATE INDEX ON app.notes (v);
CREATE INDEX ON app.undecided (u);
CREATE SEQUENCE app.seq START 1;
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.notes VALUES (1, 1, 'a', NULL, 1, NULL, NULL), (2, 1, 'b', 'x', 1, NULL, NULL), (3, 2, 'c', NULL, 1, 4, NULL);
INSERT INTO app.undecided VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.notes', 'word', 'other || nextval(''app.seq'')', edge => 'notes_u_fkey');
SELECT vedfolnir_set_column('app.notes', 'n', 'nextval(''app.seq'')::int', edge => 'notes_u_fkey');
SELECT vedfolnir_set_column('app.notes', 'm', 'CASE WHEN id = 1 THEN nextval(''app.seq'')::int * 0 + 4 ELSE 5 END', edge => 'notes_u_fkey');
SELECT vedfolnir_set_column('app.notes', 'v', 'CASE WHEN id = 2 THEN nextval(''app.seq'')::int * 0 + 1 ELSE 2 END', edge => 'notes_u_fkey');
SELECT * FROM t.notes();
SELECT code, detail FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
DELETE FROM app.undecided;
UPDATE app.notes SET other = 'y' WHERE u = 1;
SELECT setval('app.seq', 1, false);
ALTER SEQUENCE app.seq INCREMENT 3;
SELECT vedfolnir_set_column('app.notes', 'm', 'nextval(''app.seq'')::int * 100', edge => 'notes_u_fkey');
SELECT vedfolnir_set_column('app.notes', 'n', 'nextval(''app.seq'')::int * 2 + 1', edge => 'notes_u_fkey');
SELECT vedfolnir_set_column('app.notes', 'v', 'nextval(''app.seq'')::int * 0 + 2', edge => 'notes_u_fkey');
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT id, u, word, other, n > 0 AS n, m % 100 = 0 AS m, v FROM app.notes ORDER BY id;
-- Each value was drawn once: four for each row.
SELECT last_value FROM app.seq;
SELECT t.fresh();

-- A row behind a key that is NOT VALID and leads nowhere is not asked again as long as it keeps it; partitions have numbers of their own.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.marks (gone int, id int, u int REFERENCES app.users ON DELETE SET NULL, p int, q int) PARTITION BY LIST (id);
CREATE TABLE app.marks_1 (q int, p int, u int, id int);
ALTER TABLE app.marks DROP COLUMN gone;
ALTER TABLE app.marks ATTACH PARTITION app.marks_1 FOR VALUES IN (1, 2, 3);
CREATE TABLE app.marks_2 PARTITION OF app.marks DEFAULT;
ALTER TABLE app.marks_1 ADD CONSTRAINT leaf FOREIGN KEY (p) REFERENCES app.posts ON DELETE CASCADE;
CREATE TABLE app.plain (id int, u int REFERENCES app.users ON DELETE SET NULL, p int);
INSERT INTO app.plain VALUES (1, NULL, 77), (2, NULL, 2);
ALTER TABLE app.plain ADD CONSTRAINT late FOREIGN KEY (p) REFERENCES app.posts NOT VALID;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
INSERT INTO app.marks VALUES (1, 1, NULL, 1), (2, 1, NULL, 2), (9, 1, NULL, 1);
ALTER TABLE app.plain DISABLE TRIGGER ALL;
UPDATE app.plain SET u = 1;
ALTER TABLE app.plain ENABLE TRIGGER ALL;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_column('app.plain', 'p', 'p', edge => 'plain_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.plain', 'p', 'p + 1', edge => 'plain_u_fkey');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.plain', 'p', NULL, edge => 'plain_u_fkey');
SELECT vedfolnir_set_column('app.marks', 'p', 'q', edge => 'marks_u_fkey');
SELECT * FROM t.both();
SELECT t.fresh();

-- Tombstones: what their own rules clear, and what they bring up.
CREATE TABLE app.users (id int PRIMARY KEY, boss int, p int);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
ALTER TABLE app.users ADD FOREIGN KEY (p) REFERENCES app.posts ON DELETE CASCADE, ADD FOREIGN KEY (boss) REFERENCES app.users ON DELETE CASCADE;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 1), (2, 2);
UPDATE app.users SET p = id;
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.users', 'p', 'NULL');
BEGIN;
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT * FROM app.users ORDER BY id;
ROLLBACK;
SELECT vedfolnir_set_column('app.users', 'p', '1');
UPDATE app.users SET p = NULL;
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.users', 'p', '3');
SELECT * FROM t.both();
SELECT vedfolnir_set_column('app.users', 'p', '2');
SELECT vedfolnir_set_column('app.users', 'boss', 'id');
SELECT step, relation, via, action, row_count FROM t.run('1') ORDER BY step;
SELECT t.finish();

-- Few keys are looked up in indexes, for all edges into a relation in one statement: every row as under CASCADE, each once (design 3.3, R5, R6, R13).
-- All referring columns have an index here; 39_sweep has the same relations without.
\set ECHO none
\i test/support/regress.sql
\i test/support/walk.sql
\set ECHO all
SELECT t.chain('int', 'int', 'g', method => 'btree');
SELECT t.chain('smallint', 'bigint', 'g - 40', method => 'btree');
SELECT t.chain('bigint', 'int', '-g', method => 'btree');
SELECT t.chain('bigint', 'bigint', '4611686018427387904 + g::bigint * 4294967296', method => 'btree');
SELECT t.chain('int', 'smallint', 'g', method => 'btree');
SELECT t.chain('uuid', 'uuid', 'md5(g::text)::uuid', method => 'btree');
SELECT t.chain('date', 'date', '''2020-01-01''::date + g', method => 'btree');
SELECT t.chain('date', 'timestamp', '''2020-01-01''::date + g', method => 'btree');
SELECT t.chain('timestamp', 'timestamp', '''2020-01-01''::timestamp + g * interval ''1 us''', method => 'btree');
SELECT t.chain('timestamptz', 'timestamptz', '''2020-01-01''::timestamptz + g * interval ''1 us''', method => 'btree');
SELECT t.chain('oid', 'oid', '(4294967295 - g)::oid', method => 'btree');
SELECT t.chain('text', 'text', '''k'' || g', method => 'btree');
-- An index of another kind finds the rows for a join.
SELECT t.chain('int', 'int', 'g', method => 'hash');
SELECT t.chain('uuid', 'uuid', 'md5(g::text)::uuid', method => 'hash');
SELECT t.fresh();

-- Keys beyond the range of the column that refers to them; the low half of one is somebody else's key.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id bigint PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.pages (doc int REFERENCES app.docs ON DELETE CASCADE, n int);
CREATE TABLE app.notes (doc smallint REFERENCES app.docs ON DELETE CASCADE, n int);
CREATE INDEX ON app.docs (u);
CREATE INDEX ON app.pages (doc);
CREATE INDEX ON app.notes (doc);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (4294967296 + 7, 1), (65536 + 7, 1), (-1, 1), (7, 2), (4294967295, 2);
INSERT INTO app.pages VALUES (7, 1), (65543, 2), (-1, 3);
INSERT INTO app.notes VALUES (7, 1), (-1, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.pages ORDER BY n;
TABLE app.notes ORDER BY n;
SELECT t.fresh();

-- Composite keys of mixed types: an index in another order of the columns, one that holds more, one that begins with another.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (a int, b uuid, u int REFERENCES app.users ON DELETE CASCADE, n int, PRIMARY KEY (a, b));
CREATE TABLE app.pages (n int, y uuid, x bigint, FOREIGN KEY (x, y) REFERENCES app.docs (a, b) ON DELETE CASCADE);
CREATE TABLE app.notes (n int, y uuid, x bigint, FOREIGN KEY (x, y) REFERENCES app.docs (a, b) ON DELETE CASCADE);
CREATE TABLE app.marks (n int, y uuid, x bigint, FOREIGN KEY (x, y) REFERENCES app.docs (a, b) ON DELETE CASCADE);
CREATE INDEX ON app.docs (u);
CREATE INDEX ON app.pages (y, x);
CREATE INDEX ON app.notes (x, y DESC NULLS FIRST, n);
CREATE INDEX ON app.marks (n, x, y);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs SELECT g, md5((g % 5)::text)::uuid, 1 + g % 2, g FROM generate_series(1, 80) g;
INSERT INTO app.pages SELECT g, CASE WHEN g % 10 <> 1 THEN b END, CASE WHEN g % 10 <> 2 THEN a END FROM generate_series(1, 80) g JOIN app.docs ON n = g;
INSERT INTO app.notes TABLE app.pages;
INSERT INTO app.marks TABLE app.pages;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- Indexes that do not hold every row, or not the column itself, are passed over.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.docs (u) WHERE id < 3;
CREATE INDEX ON app.docs ((u + 0));
CREATE INDEX ON app.docs (u int4_ops, v);
CREATE INDEX ON app.docs (v) WHERE id > 4;
CREATE INDEX ON app.docs (v);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (1, 1, NULL), (2, 1, 1), (3, 1, NULL), (4, NULL, 1), (5, 2, NULL), (6, NULL, NULL), (7, 1, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, row_count FROM t.run('1') ORDER BY step;
TABLE app.docs ORDER BY id;
SELECT t.fresh();

-- Rows that several references lead to, more of them than places are kept at once; versions of rows in and outside of their pages.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.rooms (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE, editor int REFERENCES app.users ON DELETE CASCADE,
    room int REFERENCES app.rooms ON DELETE CASCADE, parent int REFERENCES app.posts ON DELETE CASCADE, seen int DEFAULT 0);
CREATE INDEX ON app.rooms (u);
CREATE INDEX posts_author ON app.posts (author);
CREATE INDEX ON app.posts (editor);
CREATE INDEX ON app.posts (room);
CREATE INDEX ON app.posts (parent);
INSERT INTO app.users SELECT generate_series(1, 3);
INSERT INTO app.rooms SELECT g, 1 + g % 3 FROM generate_series(1, 30) g;
INSERT INTO app.posts SELECT g, CASE WHEN g % 4 < 2 THEN 1 + g % 3 END, CASE WHEN g % 5 < 3 THEN 1 + g % 3 END, CASE WHEN g % 7 < 5 THEN 1 + g % 30 END,
    CASE WHEN g % 11 = 0 THEN g - 9 END FROM generate_series(1, 9000) g;
UPDATE app.posts SET seen = 1 WHERE id % 13 = 0;
UPDATE app.posts SET author = NULL, editor = 1 WHERE id % 17 = 0;
UPDATE app.posts SET author = 1 WHERE id % 34 = 0;
ANALYZE;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.posts', e, 'delete', collateral => 'delete') FROM unnest('{posts_author_fkey,posts_editor_fkey,posts_room_fkey,posts_parent_fkey}'::text[]) e \g /dev/null
SELECT t.say('64MB');
SELECT t.say('64kB');
SELECT what, relation, via, row_count, collateral FROM t.said WHERE memory = '64MB' AND what NOT LIKE 'left by %' ORDER BY what, step;
SELECT what, step, relation, via, row_count, collateral FROM t.said GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) <> 2 ORDER BY 1, 2;
SET work_mem = '64kB';
SELECT * FROM t.differs_from_native('DELETE FROM app.users WHERE id = 1', '1');
RESET work_mem;
SELECT * FROM t.orphans();

-- In the same session: the index that served is gone; another one is there.
DROP INDEX app.posts_author;
SELECT * FROM t.differs_from_native('DELETE FROM app.users WHERE id = 2', '2');
CREATE INDEX ON app.posts (author, id);
SELECT relation, via, row_count FROM t.run('3') ORDER BY step;
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- Partitioned relations: the columns of a leaf in another order, sub-partitions, a leaf that came after the first call.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.events (id int, at int, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);
CREATE TABLE app.events_1_rest PARTITION OF app.events_1 DEFAULT;
CREATE TABLE app.events_2 (junk text, v int, u int, at int NOT NULL, more text, id int NOT NULL);
ALTER TABLE app.events_2 DROP COLUMN junk, DROP COLUMN more;
ALTER TABLE app.events ATTACH PARTITION app.events_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE app.parts (event int, at int, n int, FOREIGN KEY (event, at) REFERENCES app.events ON DELETE CASCADE) PARTITION BY HASH (n);
CREATE TABLE app.parts_0 PARTITION OF app.parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON app.events (u);
CREATE INDEX ON app.events (v);
CREATE INDEX ON app.parts (at, event);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.events SELECT g, g % 20, 1 + g % 3, CASE WHEN g % 4 = 0 THEN 1 + g % 3 END FROM generate_series(1, 100) g;
INSERT INTO app.parts SELECT id, at, id FROM app.events;
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, row_count, collateral FROM t.run('1') ORDER BY step;
CREATE TABLE app.events_3 (u int, v int, id int NOT NULL, at int NOT NULL);
ALTER TABLE app.events ATTACH PARTITION app.events_3 FOR VALUES FROM (20) TO (30);
INSERT INTO app.events SELECT g, 20 + g % 10, 2 + g % 2, CASE WHEN g % 4 = 0 THEN 2 + g % 2 END FROM generate_series(101, 140) g;
INSERT INTO app.parts SELECT id, at, id FROM app.events_3;
SELECT step, relation, via, row_count, collateral FROM t.run('2') ORDER BY step;
SELECT * FROM t.differs_from_native('DELETE FROM app.users WHERE id = 3', '3');
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- Statement triggers fire once for all edges into a relation; row triggers see each row once, also under the call of a trigger that
-- deletes a person of its own by the same statements.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE, editor int REFERENCES app.users ON DELETE CASCADE, next int);
CREATE INDEX ON app.posts (author);
CREATE INDEX ON app.posts (editor);
CREATE TABLE app.seen (what text);
CREATE FUNCTION app.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN INSERT INTO app.seen VALUES ('statement'); RETURN NULL; END IF;
    INSERT INTO app.seen VALUES ('post ' || OLD.id);
    RETURN OLD;
END $$;
CREATE TRIGGER each_row AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.see();
CREATE TRIGGER each_statement AFTER DELETE ON app.posts FOR EACH STATEMENT EXECUTE FUNCTION app.see();
CREATE FUNCTION app.go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.next IS NOT NULL THEN PERFORM vedfolnir_delete_user(OLD.next, false); END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER go_on BEFORE DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.go_on();
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.posts VALUES (1, 1, 1, NULL), (2, 1, NULL, 2), (3, NULL, 1, NULL), (4, 2, 2, NULL), (5, 2, NULL, NULL), (6, 3, NULL, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.posts', e, 'delete', collateral => 'delete') FROM unnest('{posts_author_fkey,posts_editor_fkey}'::text[]) e \g /dev/null
SELECT relation, via, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
SELECT what, count(*) FROM app.seen GROUP BY what ORDER BY what;
TABLE app.posts ORDER BY id;
TABLE app.users ORDER BY id;
SELECT t.fresh();

-- What the owner may not read refuses, as in a join.
CREATE ROLE regress_lookup_owner;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.shards (u int REFERENCES app.users ON DELETE CASCADE, body text);
CREATE INDEX ON app.shards (u);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.shards VALUES (1, 'x'), (2, 'y'), (3, 'z');
GRANT USAGE ON SCHEMA app TO regress_lookup_owner;
ALTER TABLE app.users OWNER TO regress_lookup_owner;
ALTER TABLE app.shards OWNER TO regress_lookup_owner;
SELECT vedfolnir_register_subject('app.users');
SELECT relation, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
REVOKE SELECT ON app.shards FROM regress_lookup_owner;
GRANT SELECT (body) ON app.shards TO regress_lookup_owner;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
GRANT SELECT (u) ON app.shards TO regress_lookup_owner;
SELECT relation, row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
REVOKE DELETE ON app.shards FROM regress_lookup_owner;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
SELECT t.fresh();
DROP OWNED BY regress_lookup_owner;
DROP ROLE regress_lookup_owner;
SELECT t.finish();

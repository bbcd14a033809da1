-- Partitioned tables on either side, keys on the root, on leaves, to leaves (R11, section 4 item 3).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE app.users_0 PARTITION OF app.users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.users_1 PARTITION OF app.users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- Keys on the root, three levels of partitions, one leaf with its columns in another order and a dropped one
CREATE TABLE app.events (id int, at int, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE SET NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_low PARTITION OF app.events FOR VALUES FROM (0) TO (10);
CREATE TABLE app.events_high PARTITION OF app.events FOR VALUES FROM (10) TO (20) PARTITION BY LIST (at);
CREATE TABLE app.events_12 (v int, junk text, u int, at int NOT NULL, id int NOT NULL);
ALTER TABLE app.events_12 DROP COLUMN junk;
ALTER TABLE app.events_high ATTACH PARTITION app.events_12 FOR VALUES IN (12);
CREATE TABLE app.events_rest PARTITION OF app.events_high DEFAULT;
CREATE TABLE app.parts (event int, at int, n int, FOREIGN KEY (event, at) REFERENCES app.events ON DELETE CASCADE);
INSERT INTO app.users SELECT generate_series(1, 6);
INSERT INTO app.events VALUES (1, 1, 1, 2), (2, 12, 1, 2), (3, 13, 1, 1), (4, 1, 2, 1), (5, 12, 2, 1), (6, 14, 3, 3), (7, 12, NULL, 1);
INSERT INTO app.parts SELECT id, at, id FROM app.events;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass AS leaf, * FROM app.events ORDER BY id;
TABLE app.parts ORDER BY n;
SELECT array_agg(id ORDER BY id) FROM app.users;
-- A detached partition keeps its own copy of the key, and is then an edge of its own.
DELETE FROM app.parts WHERE at = 12;
ALTER TABLE app.events_high DETACH PARTITION app.events_12;
SELECT step, relation, via, action, row_count FROM t.dry('2') ORDER BY step;
SELECT * FROM t.run('2') ORDER BY step;
-- R11: one that has lost its key is reported: its column looks like one.
ALTER TABLE app.events_12 DROP CONSTRAINT events_u_fkey, DROP CONSTRAINT events_v_fkey;
ALTER TABLE app.events_12 RENAME u TO user_id;
SELECT severity, code, object, message FROM vedfolnir_check() WHERE object ~ 'events_12';
SELECT t.fresh();

-- Keys on only some leaves; keys that refer to one leaf; both. Only rows of that leaf are bound.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int, lang text, u int NOT NULL, PRIMARY KEY (id, lang)) PARTITION BY LIST (lang);
CREATE TABLE app.posts_de PARTITION OF app.posts (UNIQUE (id)) FOR VALUES IN ('de');
CREATE TABLE app.posts_en PARTITION OF app.posts (UNIQUE (id)) FOR VALUES IN ('en');
ALTER TABLE app.posts_de ADD CONSTRAINT owner FOREIGN KEY (u) REFERENCES app.users ON DELETE CASCADE;
CREATE TABLE app.notes_de (post int REFERENCES app.posts_de (id) ON DELETE CASCADE, n int);
CREATE TABLE app.notes_en (post int REFERENCES app.posts_en (id) ON DELETE CASCADE, n int);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts VALUES (1, 'de', 1), (1, 'en', 1), (2, 'de', 2), (2, 'en', 2), (3, 'de', 1);
INSERT INTO app.notes_de VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.notes_en VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
-- posts_en has no key: its rows stay, and with them the note that refers to the leaf posts_en by the same number.
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.posts ORDER BY id, lang;
TABLE app.notes_de ORDER BY n;
TABLE app.notes_en ORDER BY n;
-- A policy speaks of the leaf's edge; the same key name on the other leaf is another edge.
ALTER TABLE app.posts_en ADD CONSTRAINT owner FOREIGN KEY (u) REFERENCES app.users NOT VALID;
SELECT vedfolnir_set_policy('app.posts_en', 'owner', 'delete');
SELECT * FROM t.run('2') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- The root table's own leaf is referred to: only people of that leaf.
CREATE TABLE app.users (id int, kind text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE app.users_a PARTITION OF app.users (UNIQUE (id)) FOR VALUES IN ('a');
CREATE TABLE app.users_b PARTITION OF app.users (UNIQUE (id)) FOR VALUES IN ('b');
CREATE TABLE app.admins (n int, u int REFERENCES app.users_a (id) ON DELETE CASCADE);
SELECT * FROM t.refused('SELECT vedfolnir_register_subject(''app.users'')');
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE app.users_low PARTITION OF app.users FOR VALUES FROM (0) TO (10);
CREATE TABLE app.users_high PARTITION OF app.users FOR VALUES FROM (10) TO (20);
CREATE TABLE app.low_only (u int REFERENCES app.users_low ON DELETE CASCADE);
CREATE TABLE app.high_only (u int);
INSERT INTO app.users VALUES (1), (2), (11);
INSERT INTO app.low_only VALUES (1), (2);
INSERT INTO app.high_only VALUES (11);
ALTER TABLE app.high_only ADD FOREIGN KEY (u) REFERENCES app.users_high;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT step, relation, via, action, row_count FROM t.dry('11') ORDER BY step;
TABLE app.low_only;
SELECT t.fresh();

-- A leaf whose columns stand in another order than the root's, with keys of its own beside the root's: two columns that
-- only share a number are not the same column.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int, a int CONSTRAINT docs_a REFERENCES app.users, b int) PARTITION BY LIST (id);
CREATE TABLE app.docs_1 (id int, b int CONSTRAINT docs_b REFERENCES app.users ON DELETE SET NULL, a int);
ALTER TABLE app.docs ATTACH PARTITION app.docs_1 FOR VALUES IN (1);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (1, 1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.docs', 'docs_a', 'reassign', reassign_to => '2');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.docs;
SELECT t.fresh();

-- The referring column is the partition key: nulling it moves the row.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.moves (n int, u int REFERENCES app.users ON DELETE SET NULL) PARTITION BY LIST (u);
CREATE TABLE app.moves_1 PARTITION OF app.moves FOR VALUES IN (1);
CREATE TABLE app.moves_null PARTITION OF app.moves FOR VALUES IN (NULL);
CREATE TABLE app.moves_rest PARTITION OF app.moves DEFAULT;
CREATE TABLE app.sticks (n int, u int REFERENCES app.users ON DELETE SET NULL) PARTITION BY LIST (u);
CREATE TABLE app.sticks_2 PARTITION OF app.sticks FOR VALUES IN (2);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.moves VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO app.sticks VALUES (1, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT tableoid::regclass AS leaf, * FROM app.moves ORDER BY n;
-- Where no partition takes NULL, nothing changes.
SELECT message <> 'not refused' AS refused FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
TABLE app.sticks;
SELECT t.fresh();

-- A self reference over partitions, both sides of each key partitioned, and a partitioned tree with a thousand rows
CREATE TABLE app.users (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE app.users_0 PARTITION OF app.users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.users_1 PARTITION OF app.users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.tree (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, parent int REFERENCES app.tree ON DELETE CASCADE) PARTITION BY HASH (id);
CREATE TABLE app.tree_0 PARTITION OF app.tree FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE app.tree_1 PARTITION OF app.tree FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE app.tree_2 PARTITION OF app.tree FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.tree SELECT g, CASE g WHEN 1 THEN 1 WHEN 1001 THEN 2 END, CASE WHEN g > 1 AND g <= 1000 THEN g / 2 WHEN g > 1001 THEN g - 1 END FROM generate_series(1, 1010) g;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT count(*) FROM app.tree;
-- The same with native RI on
SET vedfolnir.fast_ri = off;
SELECT * FROM t.run('2') ORDER BY step;
RESET vedfolnir.fast_ri;
SELECT count(*) FROM app.tree;
SELECT t.finish();

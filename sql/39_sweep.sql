-- Relations that are swept by one scan with packed keys, and those that must not be: every row as under CASCADE (design 3.3, R5, R6, R8, R11, R13).
-- Without an index on the referring columns a relation is always scanned, however small it is.
\set ECHO none
\i test/support/regress.sql
\i test/support/walk.sql
\set ECHO all
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE COLLATION t.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN t.number AS int;
CREATE DOMAIN t.reference AS bigint CHECK (VALUE > 0);
SELECT t.chain('int', 'int', 'g');
SELECT t.chain('smallint', 'bigint', 'g - 40');
SELECT t.chain('bigint', 'int', '-g');
SELECT t.chain('bigint', 'bigint', '4611686018427387904 + g::bigint * 4294967296');
SELECT t.chain('int', 'smallint', 'g');
SELECT t.chain('uuid', 'uuid', 'md5(g::text)::uuid');
SELECT t.chain('date', 'date', '''2020-01-01''::date + g');
SELECT t.chain('date', 'timestamp', '''2020-01-01''::date + g');
SELECT t.chain('timestamptz', 'timestamptz', '''2020-01-01''::timestamptz + g * interval ''1 us''');
SELECT t.chain('oid', 'oid', '(4294967295 - g)::oid');
SELECT t.chain('numeric', 'numeric', 'g', 'g + 0.000');
SELECT t.chain('numeric', 'int', 'g');
SELECT t.chain('text', 'text', '''k'' || g');
SELECT t.chain('text', 'varchar(9)', '''k'' || g');
SELECT t.chain('varchar(4000)', 'text', 'repeat(md5(''k''), 60) || g');
SELECT t.chain('text', 'varchar', 'repeat(''k'', g) || CASE WHEN g % 3 = 0 THEN '' '' ELSE '''' END');
SELECT t.chain('text COLLATE "C"', 'text COLLATE "POSIX"', '''K'' || g');
SELECT t.chain('char(9)', 'char(12)', '''k'' || g');
SELECT t.chain('citext', 'citext', '''k'' || g', '''K'' || g');
SELECT t.chain('text COLLATE t.any_case', 'text COLLATE t.any_case', '''k'' || g', '''K'' || g');
SELECT t.chain('t.number', 'int', 'g');
SELECT t.chain('bigint', 't.reference', 'g');
SELECT t.fresh();

-- Composite keys: of mixed types in another order; a NULL part in the reference; more columns than can be packed.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.labels (lang text, n int, u int REFERENCES app.users ON DELETE CASCADE, up_lang varchar, up_n bigint,
    PRIMARY KEY (lang, n), FOREIGN KEY (up_lang, up_n) REFERENCES app.labels ON DELETE SET NULL);
CREATE TABLE app.docs (a int, b uuid, u int REFERENCES app.users ON DELETE CASCADE, n int, PRIMARY KEY (a, b));
CREATE TABLE app.pages (n int, y uuid, x bigint, FOREIGN KEY (x, y) REFERENCES app.docs (a, b) ON DELETE CASCADE);
CREATE TABLE app.wide (a uuid, b uuid, c uuid, u int REFERENCES app.users ON DELETE CASCADE, n int,
    up_a uuid, up_b uuid, up_c uuid, PRIMARY KEY (a, b, c), FOREIGN KEY (up_a, up_b, up_c) REFERENCES app.wide ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.labels SELECT chr(64 + g % 7), g, 1 + g % 2, chr(64 + (g - 1) % 7), nullif(g - 1, 0) FROM generate_series(1, 80) g;
UPDATE app.labels SET up_n = NULL WHERE n % 5 = 0;
INSERT INTO app.docs SELECT g, md5(g::text)::uuid, 1 + g % 2, g FROM generate_series(1, 80) g;
INSERT INTO app.pages SELECT g, CASE WHEN g % 10 <> 1 THEN b END, CASE WHEN g % 10 <> 2 THEN a END FROM generate_series(1, 80) g JOIN app.docs ON n = g;
INSERT INTO app.wide SELECT m, m, m, CASE WHEN g < 3 THEN g END, g, p, p, p FROM generate_series(1, 80) g,
    LATERAL (SELECT md5(g::text)::uuid AS m, CASE WHEN g > 2 THEN md5((g - 2)::text)::uuid END AS p) x;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- A row whose second key has a NULL part is a parent by its first key. It is not lost with the NULL.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int PRIMARY KEY, tenant int, u int REFERENCES app.users ON DELETE CASCADE, UNIQUE (id, tenant));
CREATE TABLE app.pages (doc int REFERENCES app.docs ON DELETE CASCADE, n int);
CREATE TABLE app.notes (doc int, tenant int, n int, FOREIGN KEY (doc, tenant) REFERENCES app.docs (id, tenant) ON DELETE CASCADE);
CREATE TABLE app.marks (doc int REFERENCES app.docs ON DELETE SET NULL, n int);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (1, NULL, 1), (2, 7, 1), (3, 7, 2);
INSERT INTO app.pages VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.notes VALUES (1, NULL, 1), (2, 7, 2), (3, 7, 3);
INSERT INTO app.marks VALUES (1, 1), (2, 2), (3, 3);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.pages ORDER BY n;
TABLE app.notes ORDER BY n;
TABLE app.marks ORDER BY n;
SELECT t.fresh();

-- The same in a cycle, with a row of somebody else's: the row without a code is the person's own.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.items (n int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE,
    code uuid UNIQUE, up uuid REFERENCES app.items (code) ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.items VALUES (1, 1, NULL, NULL, NULL), (2, 1, 2, md5('2')::uuid, NULL), (3, NULL, NULL, md5('3')::uuid, md5('2')::uuid),
    (4, 2, NULL, NULL, NULL), (5, 1, NULL, NULL, md5('2')::uuid), (6, 1, NULL, md5('6')::uuid, NULL), (7, NULL, NULL, NULL, md5('6')::uuid);
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, action, row_count, collateral FROM t.dry('1') ORDER BY step;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.items', 'items_u_fkey', 'delete', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM t.run('1') ORDER BY step;
TABLE app.items ORDER BY n;
SELECT t.fresh();

-- A long way to and fro between two tables, once all the person's own and once with a row of somebody else's on it.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.ins (k int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE, o int);
CREATE TABLE app.outs (k int PRIMARY KEY, i int REFERENCES app.ins ON DELETE CASCADE);
ALTER TABLE app.ins ADD FOREIGN KEY (o) REFERENCES app.outs ON DELETE CASCADE;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.ins SELECT w + k, CASE WHEN k = 0 THEN 1 END, CASE WHEN w = 100 AND k = 10 THEN 2 END FROM generate_series(0, 29) k, unnest('{0,100}'::int[]) w;
INSERT INTO app.outs SELECT k, k FROM app.ins;
UPDATE app.ins SET o = k - 1 WHERE u IS NULL;
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, row_count, collateral FROM t.dry('1') ORDER BY step;
SELECT vedfolnir_set_policy('app.ins', e, 'delete', collateral => 'delete') FROM unnest('{ins_o_fkey,ins_u_fkey,ins_v_fkey}'::text[]) e \g /dev/null
SELECT vedfolnir_set_policy('app.outs', 'outs_i_fkey', 'delete', collateral => 'delete');
SELECT step, relation, via, row_count, collateral FROM t.run('1') ORDER BY step;
SELECT t.fresh();

-- A link to a column that is not unique: a row of one's own and one of somebody else's hold the same value.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (n int, grp int, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.tags (grp int, n int);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (1, 5, 1, 2), (2, 5, 1, NULL), (3, 6, 1, 2), (4, NULL, 1, NULL), (5, 7, 1, NULL);
INSERT INTO app.tags VALUES (5, 1), (6, 2), (NULL, 3), (7, 4), (8, 5);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('grp', 'app.tags', 'app.docs', columns => '{grp}', parent_columns => '{grp}', action => 'delete');
SELECT step, relation, via, action, row_count, collateral FROM t.dry('1') ORDER BY step;
SELECT t.fresh();

-- Several keys into a relation from several parents, a self reference below them, two people at once.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.rooms (id bigint PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE, room int REFERENCES app.rooms ON DELETE CASCADE,
    parent int REFERENCES app.posts ON DELETE CASCADE);
CREATE TABLE app.seen (post int REFERENCES app.posts ON DELETE CASCADE, reader int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users SELECT generate_series(1, 4);
INSERT INTO app.rooms SELECT g, 1 + g % 4 FROM generate_series(1, 20) g;
INSERT INTO app.posts SELECT g, CASE WHEN g % 3 = 0 THEN 1 + g % 4 END, CASE WHEN g % 5 = 0 THEN g / 10 END, CASE WHEN g % 7 > 0 AND g > 30 THEN g - 20 END FROM generate_series(10, 200) g;
INSERT INTO app.seen SELECT g, CASE WHEN g % 2 = 0 THEN 1 + g % 4 END FROM generate_series(10, 200) g;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy(r::regclass, e, 'delete', collateral => 'delete') FROM (VALUES ('app.posts', 'posts_author_fkey'), ('app.posts', 'posts_room_fkey'),
    ('app.posts', 'posts_parent_fkey'), ('app.seen', 'seen_post_fkey'), ('app.seen', 'seen_reader_fkey')) v(r, e) \g /dev/null
SELECT relation, via, row_count, collateral FROM t.dry('1') ORDER BY step;
SELECT * FROM t.differs_from_native('DELETE FROM app.users WHERE id = 1', '1');
SELECT relation, via, row_count, collateral FROM vedfolnir_delete_users('{3,2}') ORDER BY step;
SELECT relation, via, row_count, collateral FROM vedfolnir_delete_users('{3,2}', false) ORDER BY step;
SELECT sum(row_count), relation, action FROM vedfolnir.audit_log WHERE deletion_id IN (SELECT id FROM vedfolnir.deletion ORDER BY created_at DESC LIMIT 2)
 GROUP BY relation, action ORDER BY relation COLLATE "C";
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT * FROM t.orphans();
SELECT t.fresh();

-- Partitioned relations: the columns of a leaf in another order, a leaf with a generated column, no leaf at all.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.events (id int, at int, u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM (0) TO (10);
CREATE TABLE app.events_2 (junk text, u int, at int NOT NULL, more text, id int NOT NULL);
ALTER TABLE app.events_2 DROP COLUMN junk, DROP COLUMN more;
ALTER TABLE app.events ATTACH PARTITION app.events_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE app.parts (event int, at int, n int, FOREIGN KEY (event, at) REFERENCES app.events ON DELETE CASCADE) PARTITION BY HASH (n);
CREATE TABLE app.parts_0 PARTITION OF app.parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.empty (u int REFERENCES app.users ON DELETE CASCADE) PARTITION BY LIST (u);
CREATE TABLE app.copies (n int, twice int GENERATED ALWAYS AS (n * 2) STORED REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2), (4);
INSERT INTO app.events SELECT g, g % 20, 1 + g % 2 FROM generate_series(1, 100) g;
INSERT INTO app.parts SELECT id, at, id FROM app.events;
INSERT INTO app.copies VALUES (1), (2), (1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.parts', 'webhook', 'gone/{n}');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.run('2') ORDER BY step;
SELECT relation, row_count FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- Targets that contain a subquery, as those that are escaped do: the sweep of leaf, parent and cycle carries them.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.accounts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, name text);
CREATE TABLE app.files (account int REFERENCES app.accounts ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE, name text);
CREATE TABLE app.tree (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, parent int REFERENCES app.tree ON DELETE CASCADE, name text);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.accounts VALUES (1, 1, 'a b'), (2, 1, 'c?d'), (3, 2, 'other');
INSERT INTO app.files VALUES (1, 1, 'x y'), (2, NULL, 'ü'), (3, 2, 'other'), (NULL, 1, NULL);
INSERT INTO app.tree VALUES (1, 1, NULL, 'r/1'), (2, NULL, 1, 'r 2'), (3, NULL, 2, NULL), (4, 2, NULL, 'other');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_cleanup('app.accounts', 'identity', 'main/{name}');
SELECT vedfolnir_add_cleanup('app.files', 'webhook', 'gone/{name}');
SELECT vedfolnir_add_cleanup('app.files', 'redis_pattern', 'f:{name}:*');
SELECT vedfolnir_add_cleanup('app.tree', 'webhook', 'leaf/{name}');
SELECT * FROM t.run('1') ORDER BY step;
SELECT kind, operation, target FROM vedfolnir.cleanup_task ORDER BY phase, kind, target COLLATE "C";
SELECT * FROM t.orphans();
SELECT t.fresh();

-- More keys than work_mem allows to be packed: a chain of relations, a tree, a cycle of two, for one person and for several, with
-- and without rows of somebody else's. What is said must be the same as with memory for all of them.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id bigint PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.pages (id int, doc bigint REFERENCES app.docs ON DELETE CASCADE, PRIMARY KEY (id, doc));
CREATE TABLE app.lines (page int, doc bigint, FOREIGN KEY (page, doc) REFERENCES app.pages ON DELETE CASCADE);
CREATE TABLE app.tree (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE,
    parent int REFERENCES app.tree ON DELETE CASCADE);
CREATE TABLE app.leaves (node int REFERENCES app.tree ON DELETE CASCADE);
CREATE TABLE app.items (id uuid PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, current uuid);
CREATE TABLE app.versions (id uuid PRIMARY KEY, item uuid REFERENCES app.items ON DELETE CASCADE);
ALTER TABLE app.items ADD FOREIGN KEY (current) REFERENCES app.versions ON DELETE CASCADE;
INSERT INTO app.users SELECT generate_series(1, 4);
INSERT INTO app.docs SELECT g, 1 + g % 3 FROM generate_series(1, 36000) g;
INSERT INTO app.pages SELECT g, g FROM generate_series(1, 36000) g;
INSERT INTO app.lines SELECT g, g FROM generate_series(1, 36000) g;
INSERT INTO app.tree SELECT g, CASE WHEN g < 4 THEN g END, NULL, CASE WHEN g > 3 THEN 1 + (g - 4) / 6 * 3 + (g - 1) % 3 END FROM generate_series(1, 36000) g;
INSERT INTO app.leaves SELECT generate_series(1, 36000, 7);
INSERT INTO app.items SELECT md5(g::text)::uuid, CASE WHEN g < 4 THEN g END FROM generate_series(1, 9000) g;
INSERT INTO app.versions SELECT md5('v' || g)::uuid, md5(g::text)::uuid FROM generate_series(1, 9000) g;
UPDATE app.items SET current = md5('v' || 1 + (g - 4) / 6 * 3 + (g - 1) % 3)::uuid FROM generate_series(4, 9000) g WHERE id = md5(g::text)::uuid;
ANALYZE;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy(r::regclass, e, 'delete', collateral => 'delete') FROM (VALUES ('app.tree', 'tree_u_fkey'), ('app.tree', 'tree_v_fkey'),
    ('app.tree', 'tree_parent_fkey'), ('app.items', 'items_u_fkey'), ('app.items', 'items_current_fkey')) v(r, e) \g /dev/null
SELECT t.say('64MB');
SELECT t.say('64kB');
SELECT what, relation, via, row_count, collateral FROM t.said WHERE memory = '64MB' AND what IN ('two', 'one', 'audited for two') ORDER BY what, step;
SELECT what, step, relation, via, row_count, collateral FROM t.said GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) <> 2 ORDER BY 1, 2;
-- Two branches, of the tree and of the items, belong to somebody else as well.
UPDATE app.tree SET v = 4 WHERE id IN (10, 11, 12);
UPDATE app.items SET u = 4 WHERE id IN (md5('10')::uuid, md5('14')::uuid);
TRUNCATE t.said;
SELECT t.say('64MB');
SELECT t.say('64kB');
SELECT what, relation, via, row_count, collateral FROM t.said WHERE memory = '64MB' AND what IN ('two', 'one', 'audited for two') ORDER BY what, step;
SELECT what, step, relation, via, row_count, collateral FROM t.said GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) <> 2 ORDER BY 1, 2;
SELECT t.fresh();

-- As the owner of the table: row security and what the caller may not read hide nothing; what the owner may not read refuses, as in a join.
CREATE ROLE regress_sweep_owner;
CREATE ROLE regress_sweep_caller;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.secrets (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, hidden bool);
CREATE TABLE app.shards (secret int REFERENCES app.secrets ON DELETE CASCADE, body text);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.secrets VALUES (1, 1, true), (2, 1, false), (3, 2, true), (4, 3, true);
INSERT INTO app.shards VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, 'w');
ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY visible ON app.secrets USING (NOT hidden);
GRANT USAGE ON SCHEMA app TO regress_sweep_owner, regress_sweep_caller;
ALTER TABLE app.users OWNER TO regress_sweep_owner;
ALTER TABLE app.secrets OWNER TO regress_sweep_owner;
ALTER TABLE app.shards OWNER TO regress_sweep_owner;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_grant('regress_sweep_caller', 'operator');
GRANT DELETE ON app.users TO regress_sweep_caller;
SET ROLE regress_sweep_caller;
SELECT relation, row_count FROM vedfolnir_delete_user(1) ORDER BY step;
SELECT relation, row_count FROM vedfolnir_delete_user(1, false) ORDER BY step;
RESET ROLE;
TABLE app.shards ORDER BY secret;
REVOKE SELECT ON app.shards FROM regress_sweep_owner;
GRANT SELECT (body) ON app.shards TO regress_sweep_owner;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
GRANT SELECT (secret) ON app.shards TO regress_sweep_owner;
SELECT relation, row_count FROM vedfolnir_delete_user(2, false) ORDER BY step;
REVOKE DELETE ON app.shards FROM regress_sweep_owner;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
SELECT t.fresh();
DROP OWNED BY regress_sweep_owner, regress_sweep_caller;
DROP ROLE regress_sweep_owner, regress_sweep_caller;
SELECT t.finish();

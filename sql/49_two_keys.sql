-- Relations that are referred to by several of their keys: as under CASCADE, and by one scan for all edges (design 3.3, R6, R7, R8, R13, R25).
\set ECHO none
\i test/support/regress.sql
\i test/support/walk.sql
\set ECHO all
\pset format unaligned
\pset fieldsep ' | '
-- Edges refer to the id of users and docs, to the id within the tenant, columns in either order, and to a code that some rows lack; to
-- accounts by the number with and without the kind; so to the nodes of two trees, of which one hangs together by both columns and one
-- by the id alone.
CREATE FUNCTION t.build(docs int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id bigint PRIMARY KEY, tenant int NOT NULL, code uuid UNIQUE, sponsor bigint REFERENCES app.users ON DELETE CASCADE, UNIQUE (tenant, id));
    CREATE TABLE app.accounts (n int PRIMARY KEY, kind int NOT NULL, u int REFERENCES app.users ON DELETE CASCADE, tenant bigint, v bigint, code uuid REFERENCES app.users (code) ON DELETE CASCADE,
        UNIQUE (kind, n), FOREIGN KEY (v, tenant) REFERENCES app.users (id, tenant) ON DELETE CASCADE);
    CREATE TABLE app.entries (n int, account int REFERENCES app.accounts ON DELETE CASCADE, kind int, source int, FOREIGN KEY (kind, source) REFERENCES app.accounts (kind, n) ON DELETE CASCADE);
    CREATE TABLE app.hints (n int, account int REFERENCES app.accounts ON DELETE SET NULL, kind int, source int, FOREIGN KEY (kind, source) REFERENCES app.accounts (kind, n) ON DELETE SET NULL);
    CREATE TABLE app.docs (id int PRIMARY KEY, tenant int NOT NULL, code text UNIQUE, u bigint, other bigint REFERENCES app.users ON DELETE CASCADE, UNIQUE (tenant, id),
        FOREIGN KEY (tenant, u) REFERENCES app.users (tenant, id) ON DELETE CASCADE);
    CREATE TABLE app.pages (n int PRIMARY KEY, doc bigint REFERENCES app.docs ON DELETE CASCADE, part int, tenant int, code varchar REFERENCES app.docs (code) ON DELETE CASCADE,
        FOREIGN KEY (part, tenant) REFERENCES app.docs (id, tenant) ON DELETE CASCADE);
    CREATE TABLE app.lines (page int REFERENCES app.pages ON DELETE CASCADE, n int);
    CREATE TABLE app.notes (n int, doc int REFERENCES app.docs ON DELETE SET NULL, part int, tenant int, code text REFERENCES app.docs (code) ON DELETE SET NULL,
        FOREIGN KEY (tenant, part) REFERENCES app.docs (tenant, id) ON DELETE SET NULL (part));
    CREATE TABLE app.tree (id int PRIMARY KEY, tenant int NOT NULL, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE, above int,
        UNIQUE (tenant, id), FOREIGN KEY (tenant, above) REFERENCES app.tree (tenant, id) ON DELETE CASCADE);
    CREATE TABLE app.leaves (n int, node int REFERENCES app.tree ON DELETE CASCADE, tenant int, twig int, FOREIGN KEY (tenant, twig) REFERENCES app.tree (tenant, id) ON DELETE CASCADE);
    CREATE TABLE app.wood (id int PRIMARY KEY, tenant int NOT NULL, u int REFERENCES app.users ON DELETE CASCADE, v int REFERENCES app.users ON DELETE CASCADE, above int REFERENCES app.wood ON DELETE CASCADE, UNIQUE (tenant, id));
    CREATE TABLE app.bark (n int, node int REFERENCES app.wood ON DELETE CASCADE, tenant int, twig int, FOREIGN KEY (twig, tenant) REFERENCES app.wood (id, tenant) ON DELETE CASCADE);
    INSERT INTO app.users SELECT g, g % 2, CASE WHEN g <> 3 THEN md5(g::text)::uuid END, CASE WHEN g = 5 THEN 3 END FROM generate_series(1, 5) g;
    INSERT INTO app.accounts SELECT g, g % 2, CASE WHEN g % 3 = 0 THEN 1 + g % 5 END, (1 + g / 2 % 4) % 2, CASE WHEN g % 5 <> 1 THEN 1 + g / 2 % 4 END,
        CASE WHEN g % 7 = 1 THEN (SELECT code FROM app.users WHERE id = 1 + g % 4) END FROM generate_series(1, docs) g;
    INSERT INTO app.entries SELECT g, CASE WHEN g % 3 > 0 THEN 1 + g % docs END, s.kind, s.n FROM generate_series(1, 2 * docs) g LEFT JOIN app.accounts s ON g % 4 = 0 AND s.n = 1 + g * 7 % docs;
    INSERT INTO app.hints SELECT * FROM app.entries;
    INSERT INTO app.docs SELECT g, (1 + g * 5 / 3 % 4) % 2, CASE WHEN g % 3 > 0 THEN 'c' || g END, 1 + g * 5 / 3 % 4, CASE WHEN g % 9 = 0 THEN 1 + g % 4 END FROM generate_series(1, docs) g;
    INSERT INTO app.pages SELECT g, CASE WHEN g % 5 <> 1 THEN 1 + g % docs END, p.id, p.tenant, c.code
        FROM generate_series(1, 2 * docs) g LEFT JOIN app.docs p ON g % 3 = 1 AND p.id = 1 + g * 7 % docs LEFT JOIN app.docs c ON g % 7 < 2 AND c.id = 1 + g * 11 % docs;
    INSERT INTO app.lines SELECT n, n FROM app.pages WHERE n % 2 = 0;
    INSERT INTO app.notes SELECT n, doc, part, tenant, code FROM app.pages;
    INSERT INTO app.tree SELECT g, g / 3 % 2, CASE WHEN g % 30 < 3 THEN 1 + g / 30 % 4 END, CASE WHEN g % 25 = 7 THEN 1 + g % 4 END, CASE WHEN g % 30 >= 6 THEN g - 6 END FROM generate_series(0, 179) g;
    INSERT INTO app.leaves SELECT g, CASE WHEN g % 3 > 0 THEN g % 180 END, n.tenant, n.id FROM generate_series(1, 300) g LEFT JOIN app.tree n ON g % 4 = 0 AND n.id = g * 13 % 180;
    INSERT INTO app.wood SELECT * FROM app.tree;
    INSERT INTO app.bark SELECT * FROM app.leaves;
    ANALYZE;
    PERFORM vedfolnir_register_subject('app.users');
    PERFORM vedfolnir_set_policy(conrelid, conname, 'delete', collateral => 'delete') FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c' AND connamespace = 'app'::regnamespace;
END $$;
-- Each statement that deletes tells of itself.
CREATE TABLE t.statement (relation text);
CREATE FUNCTION t.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t.statement VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
CREATE FUNCTION t.watch(VARIADIC relations text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
    TRUNCATE t.statement;
    FOREACH r IN ARRAY relations LOOP
        EXECUTE format('CREATE TRIGGER tell AFTER DELETE ON app.%I FOR EACH STATEMENT EXECUTE FUNCTION t.tell()', r);
    END LOOP;
END $$;
CREATE FUNCTION t.as_native(native text, ours text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE expected jsonb; orphans bigint;
BEGIN
    BEGIN
        EXECUTE native;
        SELECT jsonb_agg(to_jsonb(x)) INTO expected FROM t.state() x;
        RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'P0999' THEN NULL;
    END;
    EXECUTE ours;
    SELECT count(*) INTO orphans FROM t.orphans();
    RETURN CASE WHEN expected = (SELECT jsonb_agg(to_jsonb(x)) FROM t.state() x) AND orphans = 0 THEN 'as native' ELSE 'DIFFERS, orphans: ' || orphans END;
END $$;

SELECT t.build(60);
SELECT t.as_native('DELETE FROM app.users WHERE id = 1', 'SELECT vedfolnir_delete_user(1, false)');
SELECT t.as_native('DELETE FROM app.users WHERE id = 3', 'SELECT vedfolnir_delete_user(3, false)');
SELECT t.build(60);
SELECT step, relation, via, action, row_count, collateral FROM t.run('1') ORDER BY step;
-- Without a code.
SELECT step, relation, via, action, row_count, collateral FROM t.run('3') ORDER BY step;

-- One statement per relation, of a cycle one per round; and a dry run reads a relation as often.
SELECT t.build(60);
SELECT t.watch('accounts', 'entries', 'docs', 'pages', 'leaves');
BEGIN;
CREATE TEMPORARY TABLE before AS SELECT relname, seq_scan FROM pg_stat_xact_user_tables;
SELECT count(*) FROM vedfolnir_delete_user(1);
SELECT relname, s.seq_scan - b.seq_scan AS scans FROM pg_stat_xact_user_tables s JOIN before b USING (relname) WHERE relname IN ('accounts', 'entries', 'docs', 'pages', 'leaves') ORDER BY 1;
ROLLBACK;
SELECT count(*) FROM vedfolnir_delete_user(1, false);
SELECT relation, count(*) AS statements FROM t.statement GROUP BY 1 ORDER BY 1;

-- The same by look-ups in indexes.
SELECT t.build(60);
CREATE INDEX ON app.accounts (u);
CREATE INDEX ON app.accounts (tenant, v);
CREATE INDEX ON app.accounts (code);
CREATE INDEX ON app.entries (account);
CREATE INDEX ON app.entries (source, kind);
CREATE INDEX ON app.pages (doc);
CREATE INDEX ON app.pages (part, tenant);
CREATE INDEX ON app.pages (code);
CREATE INDEX ON app.notes (part);
CREATE INDEX ON app.leaves (node);
CREATE INDEX ON app.leaves (twig, tenant);
BEGIN;
CREATE TEMPORARY TABLE before AS SELECT relname, seq_scan FROM pg_stat_xact_user_tables;
SELECT count(*) FROM vedfolnir_delete_user(1);
SELECT relname, s.seq_scan - b.seq_scan AS scans FROM pg_stat_xact_user_tables s JOIN before b USING (relname) WHERE relname IN ('accounts', 'entries', 'docs', 'pages', 'leaves') ORDER BY 1;
ROLLBACK;
SELECT t.watch('accounts', 'entries', 'pages', 'leaves');
SELECT t.as_native('DELETE FROM app.users WHERE id = 1', 'TRUNCATE t.statement; SELECT vedfolnir_delete_user(1, false)');
SELECT relation, count(*) AS statements FROM t.statement GROUP BY 1 ORDER BY 1;

-- Several people: whose the rows are, in dry run, run and audit.
SELECT t.build(60);
CREATE TABLE t.two AS SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_users('{3,2}');
TABLE t.two ORDER BY step;
SELECT t.as_native('DELETE FROM app.users WHERE id IN (2, 3)',
    'CREATE TABLE t.did AS SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_users(''{3,2}'', false)');
SELECT count(*) AS differ FROM (TABLE t.two EXCEPT TABLE t.did) x;
SELECT a.relation, a.action, string_agg(a.row_count::text, ' ' ORDER BY a.row_count) AS of_each FROM vedfolnir.audit_log a GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS differ FROM (SELECT relation, action, sum(row_count) FROM t.did GROUP BY 1, 2 EXCEPT SELECT relation, action, sum(row_count) FROM vedfolnir.audit_log GROUP BY 1, 2) x;

-- A tombstone, and batches.
SELECT t.build(60);
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
CREATE TABLE t.kept AS TABLE app.users;
SELECT t.as_native('DELETE FROM app.users WHERE id = 1; INSERT INTO app.users SELECT * FROM t.kept WHERE id = 1', 'SELECT vedfolnir_delete_user(1, false)');
SELECT t.build(60);
BEGIN;
DELETE FROM app.users WHERE id = 1;
SELECT jsonb_agg(to_jsonb(x)) AS native FROM t.state() x \gset
ROLLBACK;
CALL vedfolnir_delete_user_in_batches('1', 7);
SELECT jsonb_agg(to_jsonb(x)) = :'native'::jsonb AS as_native FROM t.state() x;
SELECT count(*) FROM t.orphans();

-- More keys than work_mem allows to be packed.
SELECT t.build(9000);
SELECT t.say('64MB');
SELECT t.say('64kB');
SELECT what, relation, via, row_count, collateral FROM t.said WHERE memory = '64MB' AND what IN ('two', 'one') ORDER BY what, step;
SELECT what, step, relation, via, row_count, collateral FROM t.said GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) <> 2 ORDER BY 1, 2;

-- A key beside a link to columns that are not unique: the link goes by a join, the key does not.
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int PRIMARY KEY, grp int, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.pages (doc int REFERENCES app.docs ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.tags (grp int, n int);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs SELECT g, CASE WHEN g % 3 > 0 THEN g % 5 END, 1 + g % 2 FROM generate_series(1, 20) g;
INSERT INTO app.pages SELECT 1 + g % 20, CASE WHEN g % 6 = 0 THEN 1 + g % 2 END FROM generate_series(1, 60) g;
INSERT INTO app.tags SELECT g, g FROM generate_series(0, 8) g;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('grp', 'app.tags', 'app.docs', columns => '{grp}', parent_columns => '{grp}', action => 'delete');
SELECT vedfolnir_set_policy(r::regclass, e, 'delete', collateral => 'delete') FROM (VALUES ('app.pages', 'pages_doc_fkey'), ('app.pages', 'pages_u_fkey'), ('app.tags', 'grp')) v(r, e) \g /dev/null
SELECT t.watch('pages');
SELECT step, relation, via, action, row_count, collateral FROM t.run('1') ORDER BY step;
SELECT relation, count(*) AS statements FROM t.statement GROUP BY 1 ORDER BY 1;
TABLE app.tags ORDER BY n;

-- A row with a NULL among its key columns is a parent by the others.
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (id int PRIMARY KEY, tenant int, u int REFERENCES app.users ON DELETE CASCADE, UNIQUE (id, tenant));
CREATE TABLE app.pages (n int, doc int REFERENCES app.docs ON DELETE CASCADE, part int, tenant int, FOREIGN KEY (part, tenant) REFERENCES app.docs (id, tenant) ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.docs VALUES (1, NULL, 1), (2, 7, 1), (3, 7, 2);
INSERT INTO app.pages VALUES (1, 1, NULL, NULL), (2, 2, NULL, NULL), (3, 3, NULL, NULL), (4, 1, 2, NULL), (5, NULL, 2, 7), (6, NULL, 1, NULL), (7, 1, 2, 7);
SELECT vedfolnir_register_subject('app.users');
SELECT t.watch('pages');
SELECT t.as_native('DELETE FROM app.users WHERE id = 1', 'TRUNCATE t.statement; SELECT vedfolnir_delete_user(1, false)');
SELECT relation, count(*) AS statements FROM t.statement GROUP BY 1 ORDER BY 1;
TABLE app.pages ORDER BY n;

-- More key columns together than can be packed at once, and more lists of them than are packed.
SELECT t.fresh();
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.wide (a uuid, b uuid, c int NOT NULL, d bigint, e text, u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (a, b), UNIQUE (c, d), UNIQUE (e), UNIQUE (c, e), UNIQUE (d), UNIQUE (c));
CREATE TABLE app.kids (n int, a uuid, b uuid, c int, d int, e text, f int, FOREIGN KEY (b, a) REFERENCES app.wide (b, a) ON DELETE CASCADE,
    FOREIGN KEY (d, c) REFERENCES app.wide (d, c) ON DELETE CASCADE, FOREIGN KEY (e) REFERENCES app.wide (e) ON DELETE CASCADE);
CREATE TABLE app.more (n int, c int REFERENCES app.wide (c) ON DELETE CASCADE, d int, e text, FOREIGN KEY (c, e) REFERENCES app.wide (c, e) ON DELETE SET NULL (e), FOREIGN KEY (d) REFERENCES app.wide (d) ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.wide SELECT md5(g::text)::uuid, md5('b' || g)::uuid, g, CASE WHEN g % 3 > 0 THEN g END, CASE WHEN g % 5 > 0 THEN 'e' || g END, 1 + g % 2 FROM generate_series(1, 40) g;
INSERT INTO app.kids SELECT g, w.a, w.b, x.c, x.d, y.e FROM generate_series(1, 120) g LEFT JOIN app.wide w ON g % 3 = 0 AND w.c = 1 + g % 40
    LEFT JOIN app.wide x ON g % 4 = 0 AND x.c = 1 + g * 3 % 40 LEFT JOIN app.wide y ON g % 7 < 3 AND y.c = 1 + g % 37;
INSERT INTO app.more SELECT g, w.c, x.d, w.e FROM generate_series(1, 120) g LEFT JOIN app.wide w ON g % 3 = 0 AND w.c = 1 + g % 40 LEFT JOIN app.wide x ON g % 4 = 0 AND x.c = 1 + g * 3 % 40;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy(conrelid, conname, 'delete', collateral => 'delete') FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c' AND connamespace = 'app'::regnamespace \g /dev/null
SELECT t.watch('kids');
SELECT t.as_native('DELETE FROM app.users WHERE id = 1', 'TRUNCATE t.statement; SELECT vedfolnir_delete_user(1, false)');
SELECT relation, count(*) AS statements FROM t.statement GROUP BY 1 ORDER BY 1;
SELECT t.finish();

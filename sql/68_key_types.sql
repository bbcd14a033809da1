-- Keys of domains, char(n), bytea and numeric: values that are equal and not the same bytes, values out of line, NULLs. Every row as under CASCADE,
-- for one person and for several; and relations are swept, or looked up in, as with any other key (design 3.3, R5, R6, R13).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE DOMAIN t.number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN t.small AS smallint;
CREATE DOMAIN t.positive AS t.number NOT NULL;
CREATE DOMAIN t.word AS varchar(40);
CREATE DOMAIN t.c_word AS text COLLATE "C";
CREATE DOMAIN t.padded AS char(9);
CREATE DOMAIN t.amount AS numeric(30, 4);
CREATE DOMAIN t.id AS uuid;
-- With blanks inside, letters of several bytes, and nothing at all.
CREATE FUNCTION t.word(g int) RETURNS text LANGUAGE sql AS $$ SELECT CASE g WHEN 104 THEN '' ELSE chr(228 + g % 3) || ' ' || g END $$;
-- Without blanks at the end as well, and with as many as fit.
CREATE FUNCTION t.padded(g int) RETURNS text LANGUAGE sql AS $$ SELECT t.word(g) || repeat(' ', g % 4) $$;
CREATE FUNCTION t.amount(g int) RETURNS numeric LANGUAGE sql AS $$
    SELECT CASE WHEN g = 104 THEN 'NaN' WHEN g = 108 THEN 'Infinity' WHEN g = 112 THEN '-Infinity' WHEN g = 116 THEN 0 WHEN g % 3 = 0 THEN -g
                WHEN g % 3 = 1 THEN g * 1e40 + 1e-20 ELSE g / 8.0 END::numeric $$;
-- Out of line, compressed, and short.
CREATE FUNCTION t.bytes(g int) RETURNS bytea LANGUAGE sql AS $$
    SELECT CASE g % 3 WHEN 0 THEN (SELECT string_agg(sha256(format('%s %s', g, n)::bytea), '' ORDER BY n) FROM generate_series(1, 78) n)
                      WHEN 1 THEN decode(repeat(md5(g::text), 200), 'hex') ELSE decode(md5(g::text), 'hex') || '\x0000' END $$;

-- Do two deletions leave the same rows? Both are undone.
CREATE FUNCTION t.same(one text, other text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE states text[]; statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[one, other] LOOP
        BEGIN
            EXECUTE statement;
            RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT string_agg(s::text, E'\n' ORDER BY s.relation) FROM t.state() s);
        EXCEPTION WHEN SQLSTATE 'P0999' THEN states := states || SQLERRM;
        END;
    END LOOP;
    IF states[1] IS DISTINCT FROM (SELECT string_agg(s::text, E'\n' ORDER BY s.relation) FROM t.state() s) THEN
        RETURN CASE WHEN states[1] = states[2] THEN 'as native' ELSE format(E'DIFFERS\n%s\n%s', states[1], states[2]) END;
    END IF;
    RETURN 'nothing was deleted';
END $$;
CREATE FUNCTION t.scans(OUT whole bigint, OUT looked_up bigint) LANGUAGE sql AS
    $$ SELECT seq_scan, coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables WHERE relid = 'app.leaves'::regclass $$;
-- Per types: users, docs, kids and leaves, whose three references lead to all of them; notes stay. What the keys are written as, and what refers to them.
CREATE FUNCTION t.try(key_type text, reference_type text, key text, reference text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE one text; many text; before record; after record; indexed bool;
BEGIN
    reference := coalesce(reference, key);
    FOREACH indexed IN ARRAY '{false,true}'::bool[] LOOP
        PERFORM t.fresh();
        EXECUTE format('CREATE TABLE app.users (id %s PRIMARY KEY)', key_type);
        EXECUTE format('CREATE TABLE app.docs (id %s PRIMARY KEY, u %s REFERENCES app.users ON DELETE CASCADE)', key_type, reference_type);
        EXECUTE format('CREATE TABLE app.kids (id %s PRIMARY KEY, d %s REFERENCES app.docs ON DELETE CASCADE)', key_type, reference_type);
        EXECUTE format('CREATE TABLE app.leaves (n int, u %1$s REFERENCES app.users ON DELETE CASCADE, d %1$s REFERENCES app.docs ON DELETE CASCADE,
                        k %1$s REFERENCES app.kids ON DELETE CASCADE)', reference_type);
        EXECUTE format('CREATE TABLE app.notes (n int, d %1$s REFERENCES app.docs ON DELETE SET NULL, k %1$s REFERENCES app.kids ON DELETE SET NULL)', reference_type);
        IF indexed THEN
            CREATE INDEX ON app.docs (u);
            CREATE INDEX ON app.kids (d);
            CREATE INDEX ON app.leaves (u);
            CREATE INDEX ON app.leaves (d);
            CREATE INDEX ON app.leaves (k);
            CREATE INDEX ON app.notes (d);
            CREATE INDEX ON app.notes (k);
        END IF;
        EXECUTE format('INSERT INTO app.users SELECT %s FROM generate_series(101, 104) g', key);
        EXECUTE format('INSERT INTO app.docs SELECT %s, (SELECT %s FROM (SELECT 101 + h %% 4) x(g)) FROM generate_series(101, 160) h, LATERAL (SELECT h) y(g)', key, reference);
        EXECUTE format('INSERT INTO app.kids SELECT %s, CASE WHEN g %% 7 > 0 THEN %s END FROM generate_series(101, 160) g', key, reference);
        EXECUTE format('INSERT INTO app.leaves SELECT h, CASE WHEN h %% 5 = 0 THEN (SELECT %1$s FROM (SELECT 101 + h %% 4) x(g)) END,
                        CASE WHEN h %% 3 = 0 THEN %1$s END, CASE WHEN h %% 2 = 0 THEN %1$s END FROM generate_series(101, 400) h, LATERAL (SELECT 101 + h %% 60) y(g)', reference);
        INSERT INTO app.notes SELECT n, d, k FROM app.leaves;
        PERFORM vedfolnir_register_subject('app.users');
        PERFORM vedfolnir_set_policy('app.leaves', e, 'delete', collateral => 'delete') FROM unnest('{leaves_u_fkey,leaves_d_fkey,leaves_k_fkey}'::text[]) e;
        EXECUTE format('SELECT %s::%s::text FROM (SELECT 101) x(g)', key, key_type) INTO one;
        EXECUTE format('SELECT array_agg(%s::%s::text) FROM generate_series(102, 104) g', key, key_type) INTO many;
        before := t.scans();
        PERFORM vedfolnir_delete_user(one);
        after := t.scans();
        RETURN NEXT format('%s, %s, %s: one %s, many %s; %s', key_type, reference_type, CASE WHEN indexed THEN 'indexed' ELSE 'no index' END,
            t.same(format('DELETE FROM app.users WHERE id = %L', one), format('SELECT vedfolnir_delete_user(%L::text, false)', one)),
            t.same(format('DELETE FROM app.users WHERE id = ANY (%L)', many), format('SELECT vedfolnir_delete_users(%L, false)', many)),
            CASE WHEN after.whole = before.whole THEN format('%s look-ups', after.looked_up - before.looked_up)
                 ELSE format('%s scans', after.whole - before.whole) END);
    END LOOP;
END $$;
-- Domains on one side and on both
SELECT t.try('t.number', 't.number', '(g * 4294967296)');
SELECT t.try('t.number', 'int', '(g * 70000)');
SELECT t.try('int', 't.number', '(g * 70000)');
SELECT t.try('bigint', 't.small', 'g');
SELECT t.try('t.positive', 't.number', '(g * 4294967296)');
SELECT t.try('t.word', 'text', 't.word(g)');
SELECT t.try('varchar', 't.c_word', 't.word(g)');
SELECT t.try('t.id', 'uuid', 'md5(g::text)::uuid');
SELECT t.try('t.padded', 'char(12)', 't.padded(g)');
SELECT t.try('t.amount', 'numeric', 'g', '(g + 0.000000)');
-- Equal, and not the same bytes
SELECT t.try('char(9)', 'char(12)', 't.padded(g)');
SELECT t.try('char(12)', 'char(6)', 't.padded(g)');
SELECT t.try('char(9) COLLATE "C"', 'char(9) COLLATE "POSIX"', 't.word(g)');
SELECT t.try('numeric', 'numeric', 't.amount(g)', '(t.amount(g) + 0.00000000000000000000000)');
SELECT t.try('numeric', 'numeric', '(t.amount(g) + 0.00000000000000000000000)', 't.amount(g)');
SELECT t.try('bytea', 'bytea', 't.bytes(g)');
-- Types that are compared as other types than they are, by joins
SELECT t.try('numeric', 'int', 'g');
SELECT t.try('char(9)', 'varchar', 't.word(g)', 't.padded(g)');
SELECT t.try('text', 'char(9)', 'rtrim(t.word(g))', 't.padded(g)');
SELECT t.fresh();

-- Composite keys, with an index in another order; a cycle, and a reference of a row to itself, with rows of somebody else's.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.docs (u int REFERENCES app.users ON DELETE CASCADE, a numeric, b char(7), PRIMARY KEY (a, b));
CREATE TABLE app.pages (n int, a numeric, b char(9), FOREIGN KEY (a, b) REFERENCES app.docs ON DELETE CASCADE);
CREATE TABLE app.marks (n int, b char(5), a numeric, FOREIGN KEY (a, b) REFERENCES app.docs ON DELETE CASCADE);
CREATE INDEX ON app.marks (b, a);
CREATE TABLE app.tree (u int REFERENCES app.users ON DELETE CASCADE, id numeric PRIMARY KEY, up numeric REFERENCES app.tree ON DELETE CASCADE);
CREATE TABLE app.ins (u int REFERENCES app.users ON DELETE CASCADE, id t.number PRIMARY KEY, o bytea);
CREATE TABLE app.outs (id bytea PRIMARY KEY, i bigint REFERENCES app.ins ON DELETE CASCADE);
ALTER TABLE app.ins ADD FOREIGN KEY (o) REFERENCES app.outs ON DELETE CASCADE;
INSERT INTO app.users SELECT generate_series(1, 4);
INSERT INTO app.docs SELECT 1 + g % 4, t.amount(g), t.word(g % 9) FROM generate_series(101, 160) g;
INSERT INTO app.pages SELECT g, CASE WHEN g % 5 > 0 THEN t.amount(g) + 0.000000000000000000000 END, t.word(g % 9) FROM generate_series(101, 160) g;
INSERT INTO app.marks SELECT n, b, a FROM app.pages;
INSERT INTO app.tree SELECT CASE WHEN g < 120 THEN 1 + g % 4 END, t.amount(g), CASE WHEN g > 110 THEN t.amount(g - 10) + 0.00000000000000000000000 END FROM generate_series(101, 180) g;
INSERT INTO app.ins SELECT CASE WHEN g < 110 THEN 1 + g % 4 END, g FROM generate_series(101, 160) g;
INSERT INTO app.outs SELECT t.bytes(id::int), id FROM app.ins;
UPDATE app.ins SET o = t.bytes(id::int - 9) WHERE id > 109;
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy(r::regclass, e, 'delete', collateral => 'delete') FROM (VALUES ('app.tree', 'tree_u_fkey'), ('app.tree', 'tree_up_fkey'),
    ('app.ins', 'ins_u_fkey'), ('app.ins', 'ins_o_fkey')) v(r, e) \g /dev/null
SELECT relation, via, row_count, collateral FROM t.dry('1') ORDER BY step;
SELECT t.same('DELETE FROM app.users WHERE id = 1', 'SELECT vedfolnir_delete_user(1, false)');
SELECT t.same('DELETE FROM app.users WHERE id < 4', 'SELECT vedfolnir_delete_users(''{1,2,3}'', false)');
-- More keys than work_mem allows are joined.
INSERT INTO app.docs SELECT 1, g, 'x' || g FROM generate_series(1, 20000) g;
INSERT INTO app.pages SELECT g, g + 0.0, 'x' || g FROM generate_series(1, 20000) g;
INSERT INTO app.tree SELECT CASE g WHEN 1 THEN 1 END, 1000000 + g, CASE WHEN g > 1 THEN 1000000 + g / 2 + 0.0 END FROM generate_series(1, 20000) g;
CREATE INDEX ON app.pages (a, b);
CREATE INDEX ON app.tree (up);
ANALYZE app.docs, app.pages, app.tree;
SET work_mem = '64kB';
SELECT t.same('DELETE FROM app.users WHERE id = 1', 'SELECT vedfolnir_delete_user(1, false)');
RESET work_mem;
SELECT t.same('DELETE FROM app.users WHERE id = 1', 'SELECT vedfolnir_delete_user(1, false)');
SELECT t.finish();

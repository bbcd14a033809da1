-- What every regression test starts from: a fresh extension, schema "app" for the test's tables, and helpers in schema
-- "t" that check what must hold for each deletion, whatever the test is about.
SET client_min_messages = warning;
SET search_path = app, public;
SET check_function_bodies = off;
\set VERBOSITY terse
\pset null '-'
DROP SCHEMA IF EXISTS t CASCADE;
CREATE SCHEMA t;

-- An empty schema "app" and an extension without configuration, audit and tasks.
CREATE FUNCTION t.fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP SCHEMA IF EXISTS app CASCADE;
    DROP EXTENSION IF EXISTS vedfolnir CASCADE;
    CREATE EXTENSION vedfolnir SCHEMA public;
    CREATE SCHEMA app;
END $$;

CREATE FUNCTION t.finish() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP SCHEMA IF EXISTS app CASCADE;
    DROP EXTENSION vedfolnir CASCADE;
END $$;

-- Number and hash of the rows of each table of "app" (partitions and inheritance children for themselves).
CREATE FUNCTION t.state() RETURNS TABLE (relation text, row_count bigint, hash text) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    FOR r IN SELECT c.oid::regclass AS rel FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r'
             ORDER BY c.relname COLLATE "C" LOOP
        RETURN QUERY EXECUTE format('SELECT %L, count(*), md5(string_agg(md5(x::text), '''' ORDER BY x::text)) FROM ONLY %s x',
                                    r.rel::text, r.rel::text);
    END LOOP;
END $$;

CREATE FUNCTION t.counts() RETURNS TABLE (relation text, row_count bigint) LANGUAGE sql AS
    $$ SELECT relation, row_count FROM t.state() $$;

-- Foreign keys that rows violate, asked with the key's own operators.
CREATE FUNCTION t.orphans() RETURNS TABLE (relation text, via text, row_count bigint) LANGUAGE plpgsql AS $$
DECLARE r record; n bigint;
BEGIN
    FOR r IN SELECT f.conrelid::regclass AS child, f.confrelid::regclass AS parent, f.conname, f.confmatchtype,
                    string_agg(format('p.%I OPERATOR(%I.%s) c.%I %s', pa.attname, o.nspname, o.oprname, ca.attname,
                                      CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
                                           THEN 'COLLATE ' || pa.attcollation::regcollation ELSE '' END), ' AND ') AS equal,
                    string_agg(format('c.%I IS NOT NULL', ca.attname), ' AND ') AS present,
                    string_agg(format('c.%I IS NULL', ca.attname), ' AND ') AS absent
               FROM pg_constraint f
               CROSS JOIN LATERAL unnest(f.conkey, f.confkey, f.conpfeqop) AS k(child, parent, op)
               JOIN pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = k.child
               JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = k.parent
               JOIN (SELECT x.oid, x.oprname, y.nspname FROM pg_operator x JOIN pg_namespace y ON y.oid = x.oprnamespace) o
                 ON o.oid = k.op
              WHERE f.contype = 'f' AND f.conparentid = 0 AND f.connamespace = 'app'::regnamespace AND f.convalidated
              GROUP BY f.oid LOOP
        EXECUTE format('SELECT count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
                       CASE WHEN (SELECT relkind FROM pg_class WHERE oid = r.child) = 'p' THEN '' ELSE 'ONLY ' END || r.child,
                       CASE r.confmatchtype WHEN 'f' THEN 'NOT (' || r.absent || ')' ELSE r.present END, r.parent, r.equal)
           INTO n;
        IF n > 0 THEN relation := r.child::text; via := r.conname; row_count := n; RETURN NEXT; END IF;
    END LOOP;
END $$;

-- The plan hash and missing indexes have their own tests; everywhere else they and the ids are masked.
CREATE FUNCTION t.masked(note text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(regexp_replace(regexp_replace(regexp_replace(note, '(\);) no index on .*;$', '\1'),
                                                'plan_hash=[0-9a-f]{64}(; )?|(; )?no index on .*;$', '', 'g'),
                                 '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>'), '')
$$;

CREATE FUNCTION t.dry(key text, subject name DEFAULT 'user')
RETURNS TABLE (step int, relation text, via text, action text, row_count bigint, collateral bigint, note text)
LANGUAGE sql AS $$
    SELECT s.step, s.relation, s.via, s.action, s.row_count, s.collateral, t.masked(s.note)
      FROM vedfolnir_delete_user(key, subject => dry.subject) s
$$;

-- A run, with what holds for each run: the dry run before it wrote nothing and said the same, the audit has the same
-- counts, and no foreign key is violated afterwards. What does not hold comes back as a row with step 0.
CREATE FUNCTION t.run(key text, subject name DEFAULT 'user')
RETURNS TABLE (step int, relation text, via text, action text, row_count bigint, collateral bigint, note text)
LANGUAGE plpgsql AS $$
DECLARE expected jsonb; before jsonb; got jsonb; last uuid;
BEGIN
    SELECT jsonb_agg(to_jsonb(x)) INTO before FROM t.state() x;
    SELECT jsonb_agg(to_jsonb(s) ORDER BY s.step) INTO expected FROM vedfolnir_delete_user(key, subject => run.subject) s;
    IF before IS DISTINCT FROM (SELECT jsonb_agg(to_jsonb(x)) FROM t.state() x) THEN
        step := 0; note := 'the dry run changed rows'; RETURN NEXT;
    END IF;
    SELECT jsonb_agg(to_jsonb(s) ORDER BY s.step) INTO got FROM vedfolnir_delete_user(key, false, subject => run.subject) s;
    IF got IS DISTINCT FROM expected THEN
        step := 0; note := 'the dry run said ' || expected::text; RETURN NEXT;
    END IF;
    last := vedfolnir_last_deletion();
    IF (SELECT jsonb_object_agg(x.what, x.n) FROM (SELECT a.relation || ' ' || a.action AS what, sum(a.row_count) AS n
          FROM vedfolnir.audit_log a WHERE a.deletion_id = last AND a.action <> 'enqueue' GROUP BY 1) x) IS DISTINCT FROM
       (SELECT jsonb_object_agg(x.what, x.n) FROM (SELECT (g ->> 'relation') || ' ' || (g ->> 'action') AS what,
          sum((g ->> 'row_count')::bigint) AS n FROM jsonb_array_elements(got) g WHERE g ->> 'action' <> 'enqueue' GROUP BY 1) x) THEN
        step := 0; note := 'the audit says ' || (SELECT string_agg(format('%s %s %s', a.relation, a.action, a.row_count), ', ')
          FROM vedfolnir.audit_log a WHERE a.deletion_id = last); RETURN NEXT;
    END IF;
    RETURN QUERY SELECT 0, o.relation, o.via, 'orphans'::text, o.row_count, NULL::bigint, NULL::text FROM t.orphans() o;
    RETURN QUERY SELECT s.step, s.relation, s.via, s.action, s.row_count, s.collateral, t.masked(s.note)
      FROM jsonb_array_elements(got) g, jsonb_to_record(g) AS
           s(step int, relation text, via text, action text, row_count bigint, collateral bigint, note text);
END $$;

-- What a statement is refused with; "changed" when it left anything behind.
CREATE FUNCTION t.refused(statement text)
RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
DECLARE before jsonb;
BEGIN
    SELECT jsonb_agg(to_jsonb(x)) INTO before FROM t.state() x;
    BEGIN
        EXECUTE statement;
        message := 'not refused';
        RETURN NEXT;
        RETURN;
    EXCEPTION WHEN others THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            hint = PG_EXCEPTION_HINT;
        detail := nullif(detail, '');
        hint := nullif(hint, '');
    END;
    IF before IS DISTINCT FROM (SELECT jsonb_agg(to_jsonb(x)) FROM t.state() x) THEN
        message := 'CHANGED: ' || message;
    END IF;
    RETURN NEXT;
END $$;

-- The same deletion by PostgreSQL's own ON DELETE actions, undone again, and by the engine: tables that differ.
CREATE FUNCTION t.differs_from_native(native text, key text, subject name DEFAULT 'user')
RETURNS TABLE (relation text, native_rows bigint, our_rows bigint) LANGUAGE plpgsql AS $$
DECLARE expected jsonb;
BEGIN
    BEGIN
        EXECUTE native;
        SET CONSTRAINTS ALL IMMEDIATE;
        SELECT jsonb_agg(to_jsonb(x)) INTO expected FROM t.state() x;
        RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'P0999' THEN NULL;
    END;
    PERFORM vedfolnir_delete_user(key, false, subject => differs_from_native.subject);
    RETURN QUERY SELECT coalesce(e.relation, s.relation), e.row_count, s.row_count
      FROM jsonb_to_recordset(expected) AS e(relation text, row_count bigint, hash text)
      FULL JOIN t.state() s ON s.relation = e.relation
     WHERE e.row_count IS DISTINCT FROM s.row_count OR e.hash IS DISTINCT FROM s.hash;
END $$;
SELECT t.fresh() \g /dev/null

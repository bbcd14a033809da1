-- For tests of the ways to walk: relations that a key type is tried on, and what calls say under little and much memory.
-- Per type: root, parent with 40 rows of one person and 40 of another, child, grandchild and notes that stay; every tenth reference is NULL. With an index of a method on
-- all referring columns, or without any.
CREATE FUNCTION t.chain(key_type text, reference_type text, key text, reference text DEFAULT NULL, method text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE different text; steps text;
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id int PRIMARY KEY);
    EXECUTE format('CREATE TABLE app.parents (k %s PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, n int)', key_type);
    EXECUTE format('CREATE TABLE app.kids (k %s PRIMARY KEY, p %s REFERENCES app.parents ON DELETE CASCADE, n int)', key_type, reference_type);
    EXECUTE format('CREATE TABLE app.leaves (p %s REFERENCES app.kids ON DELETE CASCADE, q %s REFERENCES app.parents ON DELETE CASCADE, n int)', reference_type, reference_type);
    EXECUTE format('CREATE TABLE app.notes (p %s REFERENCES app.kids ON DELETE SET NULL, q %s REFERENCES app.parents ON DELETE SET NULL, n int)', reference_type, reference_type);
    IF method IS NOT NULL THEN
        EXECUTE format('CREATE INDEX ON app.parents USING %1$s (u); CREATE INDEX ON app.kids USING %1$s (p); CREATE INDEX ON app.leaves USING %1$s (p); CREATE INDEX ON app.leaves USING %1$s (q)', method);
        EXECUTE format('CREATE INDEX ON app.notes USING %1$s (p); CREATE INDEX ON app.notes USING %1$s (q)', method);
    END IF;
    INSERT INTO app.users VALUES (1), (2);
    EXECUTE format('INSERT INTO app.parents SELECT %s, 1 + g %% 2, g FROM generate_series(1, 80) g', key);
    EXECUTE format('INSERT INTO app.kids SELECT %s, CASE WHEN g %% 10 > 0 THEN %s END, g FROM generate_series(1, 80) g', key, coalesce(reference, key));
    EXECUTE format('INSERT INTO app.leaves SELECT CASE WHEN g %% 10 <> 1 THEN %1$s END, CASE WHEN g %% 10 <> 2 THEN %1$s END, g FROM generate_series(1, 80) g', coalesce(reference, key));
    INSERT INTO app.notes SELECT p, q, 81 - n FROM app.leaves;
    PERFORM vedfolnir_register_subject('app.users');
    PERFORM vedfolnir_set_policy('app.leaves', e, 'delete', collateral => 'delete') FROM unnest('{leaves_p_fkey,leaves_q_fkey}'::text[]) e;
    SELECT string_agg(format('%s %s/%s', via, row_count, collateral), ', ' ORDER BY step) INTO steps FROM vedfolnir_delete_user(1);
    SELECT string_agg(format('%s %s/%s', d.relation, d.native_rows, d.our_rows), ', ')
      INTO different FROM t.differs_from_native('DELETE FROM app.users WHERE id = 1', '1') d;
    IF EXISTS (SELECT FROM t.orphans()) THEN RETURN 'orphans'; END IF;
    RETURN coalesce('DIFFERS: ' || different, 'as native') || ': ' || steps;
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
-- What a deletion of one person and of two says and leaves, the runs undone.
CREATE TABLE t.said (memory text, what text, step int, relation text, via text, row_count bigint, collateral bigint);
CREATE FUNCTION t.say(memory text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('work_mem', memory, true);
    INSERT INTO t.said SELECT memory, 'dry run of one', s.step, s.relation, s.via, s.row_count, s.collateral FROM vedfolnir_delete_user(1) s;
    INSERT INTO t.said SELECT memory, 'dry run of two', s.step, s.relation, s.via, s.row_count, s.collateral FROM vedfolnir_delete_users('{2,1}') s;
    BEGIN
        INSERT INTO t.said SELECT memory, 'two', s.step, s.relation, s.via, s.row_count, s.collateral FROM vedfolnir_delete_users('{2,1}', false) s;
        INSERT INTO t.said SELECT memory, 'left by two', 0, s.relation, s.hash, s.row_count, (SELECT count(*) FROM t.orphans()) FROM t.state() s;
        INSERT INTO t.said SELECT memory, 'audited for two', row_number() OVER (ORDER BY a.relation, a.row_count), a.relation, a.action, a.row_count, 0 FROM vedfolnir.audit_log a;
        RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT jsonb_agg(to_jsonb(x)) FROM t.said x);
    EXCEPTION WHEN SQLSTATE 'P0999' THEN
        TRUNCATE t.said;
        INSERT INTO t.said SELECT * FROM jsonb_populate_recordset(NULL::t.said, SQLERRM::jsonb);
    END;
    BEGIN
        INSERT INTO t.said SELECT memory, 'one', s.step, s.relation, s.via, s.row_count, s.collateral FROM vedfolnir_delete_user(1, false) s;
        INSERT INTO t.said SELECT memory, 'left by one', 0, s.relation, s.hash, s.row_count, (SELECT count(*) FROM t.orphans()) FROM t.state() s;
        RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = (SELECT jsonb_agg(to_jsonb(x)) FROM t.said x);
    EXCEPTION WHEN SQLSTATE 'P0999' THEN
        TRUNCATE t.said;
        INSERT INTO t.said SELECT * FROM jsonb_populate_recordset(NULL::t.said, SQLERRM::jsonb);
    END;
END $$;

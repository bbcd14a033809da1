-- What the dry run says of the steps behind the root row.
CREATE FUNCTION t.notes(key text DEFAULT '1') RETURNS TABLE (relation text, via text, action text, note text) LANGUAGE sql AS
    $$ SELECT relation, via, action, t.masked(note) FROM vedfolnir_delete_user(key) WHERE t.masked(note) IS NOT NULL AND step > 1 ORDER BY step $$;

-- What the dry run shows in the way, and what the run then says, which is undone: "promised" when it is the same.
CREATE FUNCTION t.both(key text DEFAULT '1') RETURNS TABLE (relation text, via text, row_count bigint, note text) LANGUAGE plpgsql AS $$
DECLARE foreseen text := ''; code text; detail text;
BEGIN
    FOR relation, via, row_count, note IN SELECT s.relation, s.via, s.row_count, t.masked(s.note) FROM vedfolnir_delete_user(key) s
        WHERE s.action = 'block' ORDER BY s.step LOOP
        foreseen := concat(foreseen, relation, ' via ' || via, ': ', row_count, CASE row_count WHEN 1 THEN ' row, ' ELSE ' rows, ' END,
                           regexp_replace(regexp_replace(note, '^undeclared: .*', 'no policy'), ': SELECT .*', ''), E'.\n');
        RETURN NEXT;
    END LOOP;
    BEGIN
        PERFORM vedfolnir_delete_user(key, false);
        RAISE SQLSTATE 'P0999';
    EXCEPTION WHEN others THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
        detail := replace(detail, 'Nothing was changed.', '');
    END;
    relation := CASE code WHEN 'P0999' THEN 'goes through' ELSE code END;
    via := CASE WHEN detail = foreseen AND code IN ('P0999', 'VF007') THEN 'promised' ELSE detail END;
    row_count := NULL;
    note := NULL;
    RETURN NEXT;
END $$;

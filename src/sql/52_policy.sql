-- Policy: suggestions, checks, the policy's hash and its text. They read the catalogue with search_path closed.

CREATE FUNCTION vedfolnir_suggest_policies(subject name DEFAULT 'user')
    RETURNS TABLE (relation text, edge name, action text, collateral text, why text)
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_suggest_policies';
COMMENT ON FUNCTION vedfolnir_suggest_policies(name)
    IS 'what to decide for each edge without a policy, with the reason';

CREATE FUNCTION vedfolnir_apply_suggestions(subject name DEFAULT 'user')
    RETURNS TABLE (relation text, edge name, action text, collateral text, why text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_apply_suggestions';
COMMENT ON FUNCTION vedfolnir_apply_suggestions(name)
    IS 'writes the suggested policies and returns them; what was decided before stays';

CREATE FUNCTION vedfolnir_check(subject name DEFAULT 'user', sample_values boolean DEFAULT false)
    RETURNS TABLE (severity text, code text, object text, message text, remedy text)
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off -- many statements over few rows: compiling them would take longer
    AS 'MODULE_PATHNAME', 'vedfolnir_check';
COMMENT ON FUNCTION vedfolnir_check(name, boolean)
    IS 'does the policy cover the schema? One row per finding, with the SQL that settles it; sample_values also reads values';

CREATE FUNCTION vedfolnir_assert_check(subject name DEFAULT 'user') RETURNS void
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off -- many statements over few rows: compiling them would take longer
    AS 'MODULE_PATHNAME', 'vedfolnir_assert_check';
COMMENT ON FUNCTION vedfolnir_assert_check(name) IS 'raises when vedfolnir_check() reports an error: one line for a migration';

CREATE FUNCTION vedfolnir_policy_hash(subject name DEFAULT 'user') RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_policy_hash';
COMMENT ON FUNCTION vedfolnir_policy_hash(name) IS 'SHA-256 over the edges of the catalogue and all that was declared for a subject';

CREATE FUNCTION vedfolnir.parse_expression(relation regclass, expression text) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_parse_expression';
COMMENT ON FUNCTION vedfolnir.parse_expression(regclass, text) IS 'raises when an expression does not fit a relation';

CREATE FUNCTION vedfolnir.expression_error(relation regclass, expression text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    PERFORM vedfolnir.parse_expression(relation, expression);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
COMMENT ON FUNCTION vedfolnir.expression_error(regclass, text) IS 'why a stored expression cannot be evaluated any more; NULL if it can';

CREATE FUNCTION vedfolnir.json_object_of(document text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF document !~ '^\s*\{' THEN
        RETURN NULL;
    END IF;
    RETURN document::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION vedfolnir.json_object_of(text) IS 'text as a JSON object, for vedfolnir_check(); NULL if it is none';

CREATE FUNCTION vedfolnir_forget(relation text, edge name DEFAULT NULL, subject name DEFAULT 'user') RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_forget';
COMMENT ON FUNCTION vedfolnir_forget(text, name, name)
    IS 'removes what was declared for a relation, or for one of its edges, by the names that were declared; returns how much';

CREATE FUNCTION vedfolnir_remove_cleanup(relation text, kind text, target text, service text DEFAULT 'default',
    subject name DEFAULT 'user') RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_remove_cleanup';
COMMENT ON FUNCTION vedfolnir_remove_cleanup(text, text, text, text, name)
    IS 'takes one clean-up rule back; returns how many there were';

CREATE FUNCTION vedfolnir_remove_mirror(relation text, mirror text, subject name DEFAULT 'user') RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_remove_mirror';
COMMENT ON FUNCTION vedfolnir_remove_mirror(text, text, name) IS 'takes one mirror back; returns how many there were';

CREATE FUNCTION vedfolnir_dismiss_candidate(relation regclass, column_name name, reason text, subject name DEFAULT 'user')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_dismiss_candidate';
COMMENT ON FUNCTION vedfolnir_dismiss_candidate(regclass, name, text, name)
    IS 'says that a column is no reference to a person, so that vedfolnir_check() does not propose it as a link';

CREATE FUNCTION vedfolnir_remove_dismissal(relation text, column_name name, subject name DEFAULT 'user') RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_remove_dismissal';
COMMENT ON FUNCTION vedfolnir_remove_dismissal(text, name, name) IS 'takes a dismissal back; returns how many there were';

CREATE FUNCTION vedfolnir_unregister_subject(subject name) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_unregister_subject';
COMMENT ON FUNCTION vedfolnir_unregister_subject(name)
    IS 'removes a subject and all that was declared for it; audit, queue and ended holds stay';

CREATE FUNCTION vedfolnir_hold(user_key text, reason text, until timestamptz DEFAULT NULL, subject name DEFAULT 'user')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_hold';
COMMENT ON FUNCTION vedfolnir_hold(text, text, timestamptz, name)
    IS 'forbids the deletion of a person until the hold is released or over';

CREATE FUNCTION vedfolnir_release(user_key text, reason text, subject name DEFAULT 'user') RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_release';
COMMENT ON FUNCTION vedfolnir_release(text, text, name) IS 'ends the holds on a person; they stay on record';

CREATE FUNCTION vedfolnir_export_policy(subject name DEFAULT 'user') RETURNS SETOF text
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_export_policy';
COMMENT ON FUNCTION vedfolnir_export_policy(name)
    IS 'the configuration of a subject as SQL statements in a stable order, to keep in a repository';

CREATE FUNCTION vedfolnir_set_tenancy(relation regclass, tenant_column name, administrator text, subject name DEFAULT 'user')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'vedfolnir_set_tenancy';
COMMENT ON FUNCTION vedfolnir_set_tenancy(regclass, name, text, name)
    IS 'says which column of the root table names the company, and who administers it';

CREATE FUNCTION vedfolnir_delete_own_user(user_key text, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
    RETURNS SETOF vedfolnir.step
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'vedfolnir_delete_own_user';
COMMENT ON FUNCTION vedfolnir_delete_own_user(text, boolean, text, uuid, text, name)
    IS 'deletes the person who acts (vedfolnir.actor), and nobody else';

CREATE FUNCTION vedfolnir_delete_company_user(user_keys text[], dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
    RETURNS SETOF vedfolnir.step
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'vedfolnir_delete_company_user';
COMMENT ON FUNCTION vedfolnir_delete_company_user(text[], boolean, text, uuid, text, name)
    IS 'deletes people of the company that the person who acts (vedfolnir.actor) administers';

CREATE FUNCTION vedfolnir_watch(enabled boolean) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_watch';
COMMENT ON FUNCTION vedfolnir_watch(boolean)
    IS 'notes each new way to a person when DDL makes it; vedfolnir_check() shows them until somebody decides';

CREATE FUNCTION vedfolnir.note_path(command text) RETURNS int
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_note_path';
COMMENT ON FUNCTION vedfolnir.note_path(text) IS 'notes the ways to a person that are new';

-- Runs as its owner, since whoever types DDL has no right to our tables; it takes no argument and touches nothing else.
-- It catches every error and waits for no lock longer than a second.
CREATE FUNCTION vedfolnir.note_paths() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '1s'
    AS $$
BEGIN
    -- Most DDL makes no foreign key: that is told from the commands' own objects.
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() d
                 JOIN pg_constraint k ON k.conrelid = d.objid AND k.contype = 'f' AND k.conparentid = 0
                WHERE d.classid = 'pg_class'::regclass AND NOT EXISTS (
                      SELECT FROM vedfolnir.watched_path w WHERE w.relation::oid = k.conrelid AND w.edge = k.conname)) THEN
        PERFORM vedfolnir.note_path(tg_tag);
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'vedfolnir could not note new ways to a person: %', SQLERRM;
END $$;
COMMENT ON FUNCTION vedfolnir.note_paths() IS 'event trigger of vedfolnir_watch(); never makes DDL fail';

CREATE FUNCTION vedfolnir_add_mirror(relation regclass, mirror regclass, columns jsonb DEFAULT '{}', subject name DEFAULT 'user')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_add_mirror';
COMMENT ON FUNCTION vedfolnir_add_mirror(regclass, regclass, jsonb, name)
    IS 'copies each row of a relation that goes into an audit table of the application; columns: expressions by column of that table';

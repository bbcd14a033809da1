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

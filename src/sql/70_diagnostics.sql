-- For tests and for whoever looks for a leak.

CREATE FUNCTION vedfolnir.live_plans() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'vedfolnir_live_plans';
COMMENT ON FUNCTION vedfolnir.live_plans() IS 'number of plans that this session holds outside PostgreSQL''s memory; for superusers';

-- Who may what: nothing for PUBLIC; a duty brings EXECUTE on its functions, which check the duty again.

CREATE FUNCTION vedfolnir.function_duty(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['vedfolnir_delete_user', 'vedfolnir_delete_user_by_name', 'vedfolnir_delete_users',
        'vedfolnir_expire_sessions', 'vedfolnir_verify_user', 'vedfolnir_suggest_policies', 'vedfolnir_check',
        'vedfolnir_assert_check', 'vedfolnir_policy_hash', 'vedfolnir_export_policy', 'vedfolnir_last_deletion',
        'progress_rows']) THEN 'viewer'
    WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['vedfolnir_delete_own_user', 'vedfolnir_delete_company_user',
        'vedfolnir_delete_user_in_batches', 'vedfolnir_retry_tasks', 'vedfolnir_abandon_tasks',
        'vedfolnir_unlock_worker']) THEN 'operator'
    WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['vedfolnir_register_subject', 'vedfolnir_set_policy', 'vedfolnir_set_column',
        'vedfolnir_add_link', 'vedfolnir_add_cleanup', 'vedfolnir_apply_suggestions', 'vedfolnir_forget', 'vedfolnir_remove_cleanup', 'vedfolnir_remove_mirror',
        'vedfolnir_unregister_subject', 'vedfolnir_grant', 'vedfolnir_revoke',
        'vedfolnir_hold', 'vedfolnir_release', 'vedfolnir_set_tenancy', 'vedfolnir_watch', 'vedfolnir_add_mirror',
        'vedfolnir_dismiss_candidate', 'vedfolnir_remove_dismissal']) THEN 'admin'
    WHEN name OPERATOR(pg_catalog.=) ANY (ARRAY['vedfolnir_claim_tasks', 'vedfolnir_finish_tasks', 'vedfolnir_fail_task', 'vedfolnir_postpone_task',
        'vedfolnir_extend_lease', 'vedfolnir_release_tasks', 'vedfolnir_targets_in_use',
        'vedfolnir_require_leases', 'vedfolnir_paths_in_use',
        'vedfolnir_cleanup_sources', 'vedfolnir_worker_heartbeat', 'vedfolnir_queue_depth', 'vedfolnir_prune_tasks',
        'vedfolnir_schema_version']) THEN 'worker'
END;
COMMENT ON FUNCTION vedfolnir.function_duty(text) IS 'the duty that brings EXECUTE on a function of the extension';

DO $revoke$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT d.objid::pg_catalog.regprocedure
          FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_extension AS x ON x.oid OPERATOR(pg_catalog.=) d.refobjid
         WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
           AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
           AND d.deptype OPERATOR(pg_catalog.=) 'e'
           AND x.extname OPERATOR(pg_catalog.=) 'vedfolnir'
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', function);
    END LOOP;
END
$revoke$;

GRANT USAGE ON SCHEMA vedfolnir TO pg_monitor;
GRANT SELECT ON vedfolnir.queue_status, vedfolnir.waiting_tasks, vedfolnir.worker_status, vedfolnir.progress TO pg_monitor;
GRANT EXECUTE ON FUNCTION vedfolnir.progress_rows() TO pg_monitor;

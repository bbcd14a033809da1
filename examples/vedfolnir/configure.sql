-- What deleting a user means here. Every call can be repeated. Needs CREATE EXTENSION vedfolnir.

SELECT vedfolnir_register_subject('public.users', key_column => 'id', label_column => 'username');

-- Keys declared ON DELETE CASCADE need no line: their rows are the user's and go. These are the others.

-- The user's own rows, which the schema does not say.
SELECT vedfolnir_set_policy('public.user_sessions', 'user_sessions_user_id_fkey', 'delete', reason => 'sessions are the user''s');
SELECT vedfolnir_set_policy('public.job_audit_log', 'job_audit_log_user_id_fkey', 'delete', reason => 'technical log of own jobs');
-- The schema says SET NULL, but details name the user.
SELECT vedfolnir_set_policy('public.storage_event_log', 'storage_event_log_user_id_fkey', 'delete', reason => 'details name the user');

-- Kept as evidence without the person: what was done and when stays, who it was does not.
SELECT vedfolnir_set_policy('public.user_audit_log', 'user_audit_log_user_id_fkey', 'nullify', reason => 'evidence, kept without the person');
SELECT vedfolnir_set_column('public.user_audit_log', 'details', 'NULL::text', edge => 'user_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.user_audit_log', 'ip_address', 'NULL::varchar', edge => 'user_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.user_audit_log', 'user_agent', 'NULL::text', edge => 'user_audit_log_user_id_fkey');
SELECT vedfolnir_set_policy('public.gdpr_audit_log', 'gdpr_audit_log_user_id_fkey', 'nullify', reason => 'evidence, kept without the person');
SELECT vedfolnir_set_column('public.gdpr_audit_log', 'action_details', 'NULL::text', edge => 'gdpr_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.gdpr_audit_log', 'request_data', 'NULL::text', edge => 'gdpr_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.gdpr_audit_log', 'response_data', 'NULL::text', edge => 'gdpr_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.gdpr_audit_log', 'ip_address', 'NULL::varchar', edge => 'gdpr_audit_log_user_id_fkey');
SELECT vedfolnir_set_column('public.gdpr_audit_log', 'user_agent', 'NULL::text', edge => 'gdpr_audit_log_user_id_fkey');

-- Somebody else's rows in which the user acted, or which point at the user's platform: the reference is cleared.
SELECT vedfolnir_set_policy('public.caption_generation_tasks', 'caption_generation_tasks_admin_user_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.user_sessions', 'user_sessions_active_platform_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.user_audit_log', 'user_audit_log_admin_user_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.gdpr_audit_log', 'gdpr_audit_log_admin_user_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.job_audit_log', 'job_audit_log_admin_user_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.job_audit_log', 'job_audit_log_platform_connection_id_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.system_alerts', 'system_alerts_acknowledged_by_fkey', 'nullify');
SELECT vedfolnir_set_policy('public.system_alerts', 'system_alerts_resolved_by_fkey', 'nullify');

-- A session is known to the log by its id, without a key. Where the log stays it does not keep the id of a session that goes.
SELECT vedfolnir_add_link('logged_in', 'public.job_audit_log', 'public.user_sessions', columns => '{session_id}',
                          parent_columns => '{session_id}', action => 'nullify');

-- The system's rows that must name somebody go to another administrator. As long as there is none, the run refuses.
CREATE OR REPLACE FUNCTION public.successor_of(leaver int) RETURNS int LANGUAGE sql STABLE AS
$$ SELECT u.id FROM public.users u WHERE u.role = 'ADMIN' AND u.is_active AND u.id <> leaver ORDER BY u.id LIMIT 1 $$;
SELECT vedfolnir_set_policy('public.system_configuration', 'system_configuration_updated_by_fkey', 'reassign',
                            reason => 'the system''s: a successor takes it over', reassign_to => '=public.successor_of(updated_by)');
SELECT vedfolnir_set_policy('public.alert_configuration', 'alert_configuration_created_by_fkey', 'reassign',
                            reason => 'the system''s: a successor takes it over', reassign_to => '=public.successor_of(created_by)');
SELECT vedfolnir_set_policy('public.compliance_audits', 'compliance_audits_auditor_id_fkey', 'reassign',
                            reason => 'the system''s: a successor takes it over', reassign_to => '=public.successor_of(auditor_id)');

-- Outside the database. "storage" is a file root; "sessions" and "cache" are Redis servers, perhaps the same one.
SELECT vedfolnir_add_cleanup('public.user_sessions', 'redis_key', 'vedfolnir:session:{session_id}', service => 'sessions', on_expire => 'delete');

SELECT vedfolnir_add_cleanup('public.users', 'redis_key', 'user_platforms:{id}', service => 'cache', on_expire => 'enqueue');
SELECT vedfolnir_add_cleanup('public.users', 'redis_key', 'vedfolnir:user_active_task:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.users', 'redis_key', 'vedfolnir:cache:user_permissions:{id}', service => 'cache', on_expire => 'enqueue');
SELECT vedfolnir_add_cleanup('public.users', 'redis_key', 'vedfolnir:cache:user_jobs:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.users', 'redis_key', 'vedfolnir:cache:admin_dashboard:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.users', 'directory', 'images/user_{id}', service => 'storage');
SELECT vedfolnir_add_cleanup('public.users', 'directory', 'temp/user_{id}', service => 'storage');
SELECT vedfolnir_add_cleanup('public.users', 'directory', 'backups/user_{id}', service => 'storage');

SELECT vedfolnir_add_cleanup('public.platform_connections', 'redis_key', 'platform:{id}', service => 'cache', on_expire => 'enqueue');
SELECT vedfolnir_add_cleanup('public.platform_connections', 'redis_key', 'platform_stats:{user_id}:{id}', service => 'cache', on_expire => 'enqueue');
SELECT vedfolnir_add_cleanup('public.platform_connections', 'redis_key', 'user_settings:{user_id}:{id}', service => 'cache', on_expire => 'enqueue');

SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'rq:progress:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'rq:user_progress:{user_id}:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'rq:security:task_auth:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'rq:backup:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'review_redirect:{user_id}:{id}', service => 'cache');
SELECT vedfolnir_add_cleanup('public.caption_generation_tasks', 'redis_key', 'vedfolnir:cache:job_status:{id}', service => 'cache');

SELECT vedfolnir_add_cleanup('public.images', 'file', '{local_path}', service => 'storage');

-- Who may do what: a role for the help desk, and the login of the listener.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'media_desk') THEN
        CREATE ROLE media_desk;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'vedfolnir_listener') THEN
        CREATE ROLE vedfolnir_listener LOGIN;
    END IF;
END $$;
SELECT vedfolnir_grant('media_desk', 'operator');
SELECT vedfolnir_grant('media_desk', 'viewer');
GRANT SELECT, DELETE ON public.users TO media_desk;
SELECT vedfolnir_grant('vedfolnir_listener', 'worker');

-- What deleting user 1 comes to, written by hand as plain SQL without the extension. The test and the demo run it on a
-- second copy of the data and compare all 20 tables.

-- Rows of the user, children first.
DELETE FROM public.images WHERE id BETWEEN 1011 AND 1062;
DELETE FROM public.posts WHERE id BETWEEN 101 AND 106;
DELETE FROM public.processing_runs WHERE id IN (121, 122);
DELETE FROM public.job_audit_log WHERE id IN (101, 102, 103, 104);
DELETE FROM public.caption_generation_user_settings WHERE id IN (12, 13);
DELETE FROM public.user_sessions WHERE id IN (101, 102);
DELETE FROM public.notifications WHERE id IN ('notification-1', 'notification-2');
DELETE FROM public.storage_event_log WHERE id IN (101, 102);

-- Rows that stay without the person.
UPDATE public.user_audit_log SET user_id = NULL, details = NULL, ip_address = NULL, user_agent = NULL WHERE id IN (101, 102, 103);
UPDATE public.user_audit_log SET admin_user_id = NULL WHERE id IN (103, 1202);
UPDATE public.gdpr_audit_log SET user_id = NULL, action_details = NULL, request_data = NULL, response_data = NULL, ip_address = NULL,
    user_agent = NULL WHERE id IN (101, 102);
UPDATE public.gdpr_audit_log SET admin_user_id = NULL WHERE id = 1201;

-- Rows of others that pointed at the user or at the user's platform.
UPDATE public.caption_generation_tasks SET admin_user_id = NULL WHERE id = '00000000-0000-4000-8000-000000001202';
UPDATE public.job_audit_log SET admin_user_id = NULL, session_id = NULL WHERE id = 1202;
UPDATE public.job_audit_log SET platform_connection_id = NULL WHERE id = 1204;
UPDATE public.user_sessions SET active_platform_id = NULL WHERE id = 1203;
UPDATE public.system_alerts SET acknowledged_by = NULL, resolved_by = NULL WHERE id = 1;
UPDATE public.system_alerts SET acknowledged_by = NULL WHERE id = 2;
UPDATE public.storage_overrides SET deactivated_by_user_id = NULL WHERE id = 2;
UPDATE public.storage_event_log SET storage_override_id = NULL WHERE id = 1201;

DELETE FROM public.caption_generation_tasks
WHERE id IN ('00000000-0000-4000-8000-000000000101', '00000000-0000-4000-8000-000000000102');
DELETE FROM public.storage_overrides WHERE id = 1;
DELETE FROM public.platform_connections WHERE id IN (12, 13);
DELETE FROM public.users WHERE id = 1;

-- Invented people on example.org. The same rows every time, so that the expected end state can be written down.
-- User 1 is the one who is deleted. The traps:
--   users 1 and 12, platforms 12 (of user 1) and 1 (of user 12): each number is a prefix of another one
--   images 1011 (user 1) and 12011 (user 12) name the same file; 1021 and 1022 (both user 1) name one file twice
--   image 12021 (user 12) names a file inside user 1's own directory
--   posts 101 to 105 are reached through the user and through the platform
--   job log 1202 (user 12) names a session of user 1, who cancelled the job
--   session 1203 (user 12), job log 1204 (user 12) and caption task ...1202 point at user 1 or at user 1's platform
--   notifications 3 and 4 have no addressee, which means everybody
--   session "sess-1-*" is a glob for other sessions' keys
--   user 7 is the administrator: system tables name it in NOT NULL columns, and user 2 has a task on its platform

INSERT INTO public.users (id, username, email, password_hash, role, created_at, last_login, email_verified, first_name, last_name,
                          password_reset_token, data_processing_consent, data_processing_consent_date)
SELECT u.id, u.username, u.username || '@example.org', 'not-a-hash-' || u.id, u.role::public.user_role,
       timestamp '2024-01-01' + u.id * interval '1 day', timestamp '2026-05-01' + u.id * interval '1 hour', true,
       u.first_name, u.last_name, CASE WHEN u.id = 1 THEN 'reset-token-of-1' END, true, timestamp '2024-01-01'
FROM (VALUES (1, 'ardel.finch', 'MODERATOR', 'Ardel', 'Finch'),
             (2, 'brisa.holm', 'REVIEWER', 'Brisa', 'Holm'),
             (3, 'corvin.ashe', 'REVIEWER', 'Corvin', 'Ashe'),
             (7, 'maren.thorne', 'ADMIN', 'Maren', 'Thorne'),
             (12, 'dunja.quill', 'REVIEWER', 'Dunja', 'Quill'),
             (21, 'elno.varr', 'VIEWER', 'Elno', 'Varr')) AS u (id, username, role, first_name, last_name);

INSERT INTO public.platform_connections (id, user_id, name, platform_type, instance_url, username, access_token, client_key,
                                         client_secret, is_default, created_at)
SELECT p.id, p.user_id, p.name, p.platform_type, 'https://' || p.platform_type || '.example.org', 'account' || p.user_id,
       'token-of-platform-' || p.id, 'key-of-platform-' || p.id, 'secret-of-platform-' || p.id, p.is_default,
       timestamp '2024-02-01' + p.id * interval '1 day'
FROM (VALUES (12, 1, 'home', 'pixelfed', true), (13, 1, 'work', 'mastodon', false), (1, 12, 'home', 'pixelfed', true),
             (2, 2, 'home', 'pixelfed', true), (3, 3, 'home', 'mastodon', true), (7, 7, 'team', 'mastodon', true),
             (21, 21, 'home', 'pixelfed', true)) AS p (id, user_id, name, platform_type, is_default);

-- Six posts each for 1, 2, 3, 12 and 21. Post 106 has no platform and 105 the second one.
INSERT INTO public.posts (id, post_id, user_id, post_url, post_content, platform_connection_id, platform_type, instance_url, created_at)
SELECT u.id * 100 + n, 'post-' || u.id || '-' || n, u.id, 'https://' || coalesce(c.platform_type, 'pixelfed') || '.example.org/p/' || u.id || '/' || n,
       'Post ' || n || ' of ' || u.username, c.id, c.platform_type, c.instance_url, timestamp '2025-01-01' + n * interval '1 day'
FROM public.users u CROSS JOIN generate_series(1, 6) n
LEFT JOIN public.platform_connections c
       ON c.user_id = u.id AND NOT (u.id = 1 AND n = 6) AND c.id <> CASE WHEN u.id = 1 AND n = 5 THEN 12 ELSE 13 END
WHERE u.id <> 7;

-- The file name is a hash of the URL, so two users who describe the same picture share the file.
INSERT INTO public.images (id, post_id, image_url, local_path, original_filename, media_type, image_post_id, attachment_index,
                           platform_connection_id, original_caption, generated_caption, status, created_at)
SELECT p.id * 10 + k, p.id, i.url, 'images/' || left(md5(i.url), 16) || '.jpg', 'photo-' || p.id || '-' || k || '.jpg', 'image/jpeg',
       'image-' || p.id || '-' || k, k - 1, p.platform_connection_id, 'seen by user ' || p.user_id, 'a picture', 'PROCESSED', p.created_at
FROM public.posts p CROSS JOIN generate_series(1, 2) k
CROSS JOIN LATERAL (SELECT CASE WHEN p.id * 10 + k IN (1011, 12011) THEN 'https://media.example.org/shared.jpg'
                                WHEN p.id * 10 + k IN (1021, 1022) THEN 'https://media.example.org/twice.jpg'
                                ELSE 'https://media.example.org/' || p.id || '/' || k || '.jpg' END AS url) i;
UPDATE public.images SET local_path = 'images/user_1/lent.jpg' WHERE id = 12021;

INSERT INTO public.processing_runs (id, user_id, batch_id, started_at, completed_at, posts_processed, images_processed, status,
                                    platform_connection_id, retry_stats_json)
SELECT c.id * 10 + n, c.user_id, 'batch-' || c.id || '-' || n, timestamp '2025-02-01' + n * interval '1 day',
       timestamp '2025-02-01 01:00' + n * interval '1 day', 3, 6, 'completed', c.id, '{"retries": ' || n || '}'
FROM public.platform_connections c CROSS JOIN generate_series(1, 2) n
WHERE c.id NOT IN (7, 13);

INSERT INTO public.caption_generation_tasks (id, user_id, platform_connection_id, status, settings_json, results_json, admin_user_id,
                                             cancelled_by_admin, cancellation_reason, created_at)
SELECT '00000000-0000-4000-8000-00000000' || lpad(t.n::text, 4, '0'), t.user_id, t.platform_id, t.status::public.task_status,
       '{"max_posts": 50}', '{"user_id": ' || t.user_id || '}', t.admin_id, t.admin_id IS NOT NULL,
       CASE WHEN t.admin_id IS NOT NULL THEN 'maintenance' END, timestamp '2025-03-01' + t.n * interval '1 minute'
FROM (VALUES (101, 1, 12, 'COMPLETED', NULL::int), (102, 1, 13, 'CANCELLED', 7), (1201, 12, 1, 'COMPLETED', NULL),
             (1202, 12, 1, 'CANCELLED', 1), (201, 2, 2, 'RUNNING', NULL), (202, 2, 7, 'QUEUED', NULL),
             (301, 3, 3, 'COMPLETED', NULL), (2101, 21, 21, 'QUEUED', NULL)) AS t (n, user_id, platform_id, status, admin_id);

INSERT INTO public.caption_generation_user_settings (id, user_id, platform_connection_id, max_posts_per_run)
SELECT c.id, c.user_id, c.id, 10 + c.id FROM public.platform_connections c WHERE c.id <> 7;

INSERT INTO public.user_sessions (id, session_id, user_id, active_platform_id, created_at, last_activity, expires_at,
                                  session_fingerprint, user_agent, ip_address)
SELECT s.id, s.session_id, s.user_id, s.platform_id, timestamp '2026-05-01', timestamp '2026-05-02', timestamp '2026-06-01',
       'fingerprint-' || s.id, 'Browser/1.0', '192.0.2.' || s.user_id
FROM (VALUES (101, 'sess-1-a', 1, 12), (102, 'sess-1-*', 1, NULL::int), (1201, 'sess-1-ab', 12, 1), (1202, 'sess-12-a', 12, 1),
             (1203, 'sess-12-b', 12, 12), (301, 'sess-3-a', 3, 3), (302, 'sess-3-b', 3, NULL), (201, 'sess-2-a', 2, 2),
             (701, 'sess-7-a', 7, 7), (2101, 'sess-21-a', 21, NULL)) AS s (id, session_id, user_id, platform_id);

INSERT INTO public.notifications (id, user_id, type, priority, category, title, message, data, "timestamp")
SELECT 'notification-' || n.id, n.user_id, 'INFO', 'NORMAL', n.category::public.notification_category, n.title, n.message,
       '{"user_id": ' || coalesce(n.user_id::text, 'null') || '}', timestamp '2025-04-01' + n.id * interval '1 minute'
FROM (VALUES (1, 1, 'CAPTION', 'Captions are ready', 'Ardel, 6 captions are ready.'),
             (2, 1, 'SECURITY', 'New sign-in', 'Ardel, a new device signed in from 192.0.2.1.'),
             (3, NULL::int, 'SYSTEM', 'Maintenance', 'The service is down on Sunday.'),
             (4, NULL, 'SYSTEM', 'Welcome', 'A new version is here.'),
             (5, 12, 'CAPTION', 'Captions are ready', 'Dunja, 6 captions are ready.'),
             (6, 7, 'STORAGE', 'Storage', 'Storage is at 80 percent.')) AS n (id, user_id, category, title, message);

INSERT INTO public.user_audit_log (id, user_id, action, details, ip_address, user_agent, created_at, admin_user_id)
VALUES (101, 1, 'login', 'ardel.finch signed in', '192.0.2.1', 'Browser/1.0', '2026-05-01', NULL),
       (102, 1, 'role_changed', 'ardel.finch@example.org is now a moderator', '192.0.2.7', 'Browser/1.0', '2026-05-02', 7),
       (103, 1, 'password_changed', 'ardel.finch changed the password', '192.0.2.1', 'Browser/1.0', '2026-05-03', 1),
       (1201, 12, 'login', 'dunja.quill signed in', '192.0.2.12', 'Browser/1.0', '2026-05-01', NULL),
       (1202, 12, 'email_verified', 'dunja.quill@example.org was verified', '192.0.2.12', 'Browser/1.0', '2026-05-02', 1),
       (701, NULL, 'cleanup', 'old entries were removed', NULL, NULL, '2026-05-04', 7);

INSERT INTO public.gdpr_audit_log (id, user_id, action_type, gdpr_article, action_details, request_data, response_data, ip_address,
                                   user_agent, created_at, completed_at, admin_user_id)
VALUES (101, 1, 'data_export', '20', 'export for ardel.finch', '{"email": "ardel.finch@example.org"}', '{"rows": 40}', '192.0.2.1',
        'Browser/1.0', '2026-04-01', '2026-04-01', NULL),
       (102, 1, 'erasure_request', '17', 'asked for by ardel.finch', '{"user_id": 1}', NULL, '192.0.2.1', 'Browser/1.0', '2026-05-05',
        NULL, 7),
       (1201, 12, 'data_export', '20', 'export for dunja.quill', '{"email": "dunja.quill@example.org"}', '{"rows": 31}', '192.0.2.12',
        'Browser/1.0', '2026-04-02', '2026-04-02', 1),
       (301, 3, 'consent', '7', 'consent renewed', NULL, NULL, '192.0.2.3', 'Browser/1.0', '2026-04-03', '2026-04-03', NULL);

INSERT INTO public.job_audit_log (id, task_id, user_id, admin_user_id, action, details, "timestamp", ip_address, session_id,
                                  platform_connection_id, previous_status, new_status)
SELECT j.id, '00000000-0000-4000-8000-00000000' || lpad(j.task::text, 4, '0'), j.user_id, j.admin_id, j.action,
       '{"by": "user ' || coalesce(j.user_id::text, '-') || '"}', timestamp '2025-03-02' + j.id * interval '1 second', '192.0.2.9',
       j.session_id, j.platform_id, 'QUEUED', 'RUNNING'
FROM (VALUES (101, 101, 1, NULL::int, 'created', 'sess-1-a', 12), (102, 102, 1, 7, 'cancelled', NULL, 13),
             (103, NULL::int, 1, NULL, 'viewed', 'sess-1-a', NULL::int), (104, 101, NULL, NULL, 'expired', NULL, NULL),
             (1201, 1201, 12, NULL, 'created', 'sess-12-a', 1), (1202, 1202, 12, 1, 'cancelled', 'sess-1-a', 1),
             (1204, NULL, 12, NULL, 'switched', 'sess-12-b', 12), (201, 201, 2, NULL, 'created', 'sess-2-a', 2),
             (301, 301, 3, NULL, 'created', 'sess-3-a', 3)) AS j (id, task, user_id, admin_id, action, session_id, platform_id);

INSERT INTO public.system_configuration (id, key, value, category, updated_by, updated_at)
VALUES (1, 'max_upload_mb', '20', 'storage', 7, '2026-01-01'), (2, 'maintenance_mode', 'false', 'system', 7, '2026-01-02');

INSERT INTO public.alert_configuration (id, alert_type, metric_name, threshold_value, created_by, created_at)
VALUES (1, 'QUEUE_DEPTH', 'queued_tasks', 100, 7, '2026-01-01'), (2, 'DISK_SPACE', 'free_gb', 10, 7, '2026-01-01');

INSERT INTO public.system_alerts (id, alert_configuration_id, alert_type, severity, status, title, message, acknowledged_by, resolved_by,
                                  notes, created_at)
VALUES (1, 1, 'QUEUE_DEPTH', 'HIGH', 'resolved', 'Queue is long', '120 tasks wait', 1, 1, 'watched', '2026-02-01'),
       (2, 2, 'DISK_SPACE', 'LOW', 'resolved', 'Disk is filling', '9 GB are free', 1, 7, NULL, '2026-02-02'),
       (3, 2, 'DISK_SPACE', 'LOW', 'acknowledged', 'Disk is filling', '8 GB are free', 7, NULL, NULL, '2026-02-03');

INSERT INTO public.storage_overrides (id, admin_user_id, activated_at, expires_at, duration_hours, reason, is_active, deactivated_at,
                                      deactivated_by_user_id)
VALUES (1, 1, '2026-02-01', '2026-02-02', 24, 'import', false, '2026-02-01 12:00', 7),
       (2, 7, '2026-02-03', '2026-02-04', 24, 'import', false, '2026-02-03 12:00', 1),
       (3, 7, '2026-02-05', '2026-02-06', 24, 'import', false, NULL, NULL);

INSERT INTO public.storage_event_log (id, event_type, storage_gb, limit_gb, user_id, "timestamp", details, storage_override_id)
VALUES (101, 'override_activated', 9.5, 10, 1, '2026-02-01', '{"by": "ardel.finch"}', 1),
       (102, 'limit_reached', 10, 10, 1, '2026-02-03', '{"by": "ardel.finch"}', 2),
       (1201, 'limit_reached', 10, 10, 12, '2026-02-01', '{"by": "dunja.quill"}', 1),
       (701, 'override_activated', 9.9, 10, 7, '2026-02-05', NULL, 3),
       (1, 'daily', 8, 10, NULL, '2026-02-07', NULL, NULL);

INSERT INTO public.compliance_audits (id, standard, auditor_id, audit_date, overall_score, status, findings)
VALUES (1, 'GDPR', 7, '2026-03-01', 0.93, 'closed', '[]');
INSERT INTO public.compliance_requirements (id, audit_id, requirement_id, title, status)
VALUES (1, 1, 'ART-17', 'Erasure', 'met'), (2, 1, 'ART-20', 'Portability', 'met');
INSERT INTO public.compliance_metrics (id, standard, category, metric_name, metric_value, measured_at)
VALUES (1, 'GDPR', 'erasure', 'requests', 1, '2026-03-01'), (2, 'GDPR', 'erasure', 'days_to_answer', 3, '2026-03-01');

-- The identity columns go on where the rows above end.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT c.oid::regclass AS relation FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'id' AND a.attidentity = 'd'
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT max(id) FROM %s))', t.relation::text, t.relation);
    END LOOP;
END $$;

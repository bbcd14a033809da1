-- Rows of persons 1 and 4 in the tables of schema.sql, loaded behind examples/tractusx/data.sql.
CREATE FUNCTION pg_temp.person(n int) RETURNS uuid LANGUAGE sql AS $$ SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid $$;
INSERT INTO portal.tickets SELECT ('10000000-0000-4000-8000-00000000000' || n)::uuid, pg_temp.person(n), 'title', 'body' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.tickets_history SELECT id, author_id, title, body, '2025-05-01' FROM portal.tickets;
INSERT INTO portal.ticket_watchers SELECT t.id, pg_temp.person(n) FROM portal.tickets t, (VALUES (1), (4)) v (n);
INSERT INTO portal.attachments SELECT gen_random_uuid(), 'Identity', pg_temp.person(n), 'p/' || n FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.attachments SELECT gen_random_uuid(), 'Company', pg_temp.person(1), 'company';
INSERT INTO portal.reactions SELECT gen_random_uuid(), 'IDENTITY', pg_temp.person(n), '+1' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.chat_rooms VALUES (gen_random_uuid(), 'both', ARRAY[pg_temp.person(1), pg_temp.person(4)], ARRAY[pg_temp.person(1)::text]);
INSERT INTO portal.web_hooks SELECT gen_random_uuid(),
    jsonb_build_object('user_id', pg_temp.person(n), 'sender', jsonb_build_object('id', pg_temp.person(n)), 'watchers', jsonb_build_array(pg_temp.person(n))),
    json_build_object('trace', n) FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.job_results SELECT gen_random_uuid(), format('{"owner_id": "%s", "state": 3}', pg_temp.person(n)), 'free text' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.job_results VALUES (gen_random_uuid(), '{not json', NULL), (gen_random_uuid(), 'words', NULL);
INSERT INTO portal.newsletter VALUES ('yorick.tansy@example.org', '2025-01-01'), ('sunniva.rook@example.org', '2025-01-01');
INSERT INTO portal.support_mails VALUES (gen_random_uuid(), 'yorick.tansy@example.org', NULL, 'help'), (gen_random_uuid(), 'other@example.org', 'yorick.tansy@example.org', 'help');
INSERT INTO portal."Order" SELECT gen_random_uuid(), pg_temp.person(n), 'x', pg_temp.person(n), NULL FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.approvals SELECT gen_random_uuid(), 'e0000000-0000-4000-8000-000000000001', pg_temp.person(n), pg_temp.person(1), 'browser', '192.0.2.1' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.logins SELECT gen_random_uuid(), at::timestamptz, pg_temp.person(n), '192.0.2.1' FROM (VALUES (1), (4)) v (n), (VALUES ('2025-06-01'), ('2026-06-01')) t (at);
INSERT INTO portal.drafts SELECT gen_random_uuid(), pg_temp.person(n), 'draft' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.old_drafts SELECT gen_random_uuid(), pg_temp.person(n), 'old draft' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.bookmarks SELECT gen_random_uuid(), pg_temp.person(n), 'https://example.org' FROM (VALUES (1), (4)) v (n);
INSERT INTO portal.signatures SELECT gen_random_uuid(), 'c0000000-0000-4000-8000-000000000001', pg_temp.person(n), first, mail, '0123', '192.0.2.1', '2000-01-01'
FROM (VALUES (1, 'Yorick Tansy', 'yorick.tansy@example.org'), (4, 'Sunniva Rook', 'sunniva.rook@example.org')) v (n, first, mail);

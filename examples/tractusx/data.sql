-- Invented companies and people on example.org. The key of person N ends in N. Person 1 is deleted by person 2, the
-- administrator of the same company. The traps:
--   persons 1 and 4 use the shared identity provider of their company, 3 an own one, 6 a managed one, 5 none
--   person 1 requested a subscription (NOT NULL), gave a consent and uploaded documents, one of which closes the cycle
--   offers, roles and people were last edited by person 1; person 1 edited the own row
--   person 4 got a notification that person 1 created; person 1's notifications name the person in their text
--   invitations and mails know person 1 by e-mail only, password resets by a key in another schema

INSERT INTO portal.identity_user_statuses VALUES (1, 'ACTIVE'), (2, 'INACTIVE'), (3, 'DELETED'), (4, 'PENDING'), (5, 'PENDING_DELETION');
INSERT INTO portal.identity_type VALUES (1, 'COMPANY_USER'), (2, 'TECHNICAL_USER');
INSERT INTO portal.process_types VALUES (8, 'USER_PROVISIONING'), (9, 'MAILING');
INSERT INTO portal.document_types VALUES (1, 'CONTRACT'), (2, 'SELF_DESCRIPTION');
INSERT INTO portal.offer_subscription_statuses VALUES (1, 'PENDING'), (2, 'ACTIVE');
INSERT INTO portal.agreements VALUES ('d0000000-0000-4000-8000-000000000001', 'terms of use');

INSERT INTO portal.companies (id, name, business_partner_number, company_status_id, date_created)
SELECT ('c0000000-0000-4000-8000-00000000000' || n)::uuid, name, 'BPNL00000000000' || n, 2, '2025-01-01'
FROM (VALUES (1, 'Alder Works'), (2, 'Birch Parts'), (3, 'Cedar Logistics')) AS v (n, name);

INSERT INTO portal.identities (id, company_id, user_status_id, identity_type_id, date_created, date_last_changed, last_editor_id)
SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid, ('c0000000-0000-4000-8000-00000000000' || company)::uuid, 1, kind,
       '2025-01-02', '2025-01-03', ('a0000000-0000-4000-8000-00000000000' || editor)::uuid
FROM (VALUES (2, 1, 1, 2), (1, 1, 1, 1), (3, 1, 1, 1), (4, 2, 1, 4), (5, 2, 1, 4), (6, 3, 1, 6), (7, 1, 2, 2)) AS v (n, company, kind, editor);

INSERT INTO portal.company_users (id, email, firstname, lastname, lastlogin, date_last_changed, last_editor_id)
SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid, lower(first || '.' || last) || '@example.org', first, last, '\x01', '2025-01-03',
       ('a0000000-0000-4000-8000-00000000000' || editor)::uuid
FROM (VALUES (1, 'Yorick', 'Tansy', 1), (2, 'Odile', 'Marsh', 2), (3, 'Perrin', 'Vale', 1), (4, 'Sunniva', 'Rook', 4), (5, 'Tobin', 'Sedge', 4),
             (6, 'Wanda', 'Hollis', 6)) AS v (n, first, last, editor);

INSERT INTO portal.user_roles (id, user_role, last_editor_id)
VALUES ('b0000000-0000-4000-8000-000000000001', 'IT Admin', 'a0000000-0000-4000-8000-000000000002'),
       ('b0000000-0000-4000-8000-000000000002', 'Sales Manager', 'a0000000-0000-4000-8000-000000000001'),
       ('b0000000-0000-4000-8000-000000000003', 'Viewer', NULL);
INSERT INTO portal.identity_assigned_roles (identity_id, user_role_id, last_editor_id)
SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid, ('b0000000-0000-4000-8000-00000000000' || r)::uuid,
       ('a0000000-0000-4000-8000-00000000000' || editor)::uuid
FROM (VALUES (1, 2, 2), (1, 3, 1), (2, 1, 2), (3, 3, 1), (4, 1, 4), (5, 3, 4), (6, 1, 6)) AS v (n, r, editor);

INSERT INTO portal.offers (id, name, provider_company_id, sales_manager_id, contact_email, last_editor_id)
SELECT ('e0000000-0000-4000-8000-00000000000' || n)::uuid, name, ('c0000000-0000-4000-8000-00000000000' || company)::uuid,
       ('a0000000-0000-4000-8000-00000000000' || manager)::uuid, 'sales@example.org', ('a0000000-0000-4000-8000-00000000000' || editor)::uuid
FROM (VALUES (1, 'Tracing', 1, '1', '1'), (2, 'Footprint', 1, '3', '1'), (3, 'Quality', 2, '4', '4'), (4, 'Catalogue', 3, NULL, '6'))
     AS v (n, name, company, manager, editor);

INSERT INTO portal.processes (id, process_type_id, version)
SELECT ('f0000000-0000-4000-8000-00000000000' || n)::uuid, CASE WHEN n <= 2 THEN 8 ELSE 9 END, ('f1000000-0000-4000-8000-00000000000' || n)::uuid
FROM generate_series(1, 4) n;
INSERT INTO portal.process_steps (id, process_id, process_step_type_id, process_step_status_id, date_created)
SELECT ('f2000000-0000-4000-8000-00000000000' || n)::uuid, ('f0000000-0000-4000-8000-00000000000' || n)::uuid, 600, 1, '2025-02-01'
FROM generate_series(1, 4) n;

INSERT INTO portal.offer_subscriptions (id, company_id, offer_id, requester_id, offer_subscription_status_id, last_editor_id)
VALUES ('e1000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 'e0000000-0000-4000-8000-000000000003',
        'a0000000-0000-4000-8000-000000000001', 2, 'a0000000-0000-4000-8000-000000000001'),
       ('e1000000-0000-4000-8000-000000000002', 'c0000000-0000-4000-8000-000000000002', 'e0000000-0000-4000-8000-000000000001',
        'a0000000-0000-4000-8000-000000000004', 2, 'a0000000-0000-4000-8000-000000000004');
INSERT INTO portal.app_subscription_details (id, offer_subscription_id, app_subscription_url, last_editor_id)
VALUES ('e2000000-0000-4000-8000-000000000001', 'e1000000-0000-4000-8000-000000000001', 'https://app.example.org', 'a0000000-0000-4000-8000-000000000001');

INSERT INTO portal.technical_users (id, name, description, client_client_id, version, technical_user_kind_id, technical_user_type_id, offer_subscription_id)
VALUES ('a0000000-0000-4000-8000-000000000007', 'robot', 'reads the catalogue', 'sa-robot', 'f3000000-0000-4000-8000-000000000007', 1, 1,
        'e1000000-0000-4000-8000-000000000001');
INSERT INTO portal.app_instance_assigned_technical_users
VALUES ('e3000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000007');
INSERT INTO portal.external_technical_users VALUES ('a0000000-0000-4000-8000-000000000007', '\x02');

INSERT INTO portal.company_user_assigned_app_favourites (company_user_id, app_id)
SELECT ('a0000000-0000-4000-8000-00000000000' || u)::uuid, ('e0000000-0000-4000-8000-00000000000' || o)::uuid
FROM (VALUES (1, 1), (1, 3), (2, 3), (4, 1)) AS v (u, o);
INSERT INTO portal.company_user_assigned_business_partners (company_user_id, business_partner_number)
SELECT ('a0000000-0000-4000-8000-00000000000' || u)::uuid, 'BPNL00000000000' || b FROM (VALUES (1, 1), (1, 2), (3, 1), (4, 2)) AS v (u, b);

INSERT INTO portal.company_applications (id, company_id, application_status_id, date_created, last_editor_id)
VALUES ('e4000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 8, '2025-01-01', 'a0000000-0000-4000-8000-000000000001'),
       ('e4000000-0000-4000-8000-000000000002', 'c0000000-0000-4000-8000-000000000002', 8, '2025-01-01', 'a0000000-0000-4000-8000-000000000004');
INSERT INTO portal.invitations (id, company_application_id, company_user_id, invitation_status_id, date_created)
VALUES ('e5000000-0000-4000-8000-000000000001', 'e4000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 3, '2025-01-01'),
       ('e5000000-0000-4000-8000-000000000002', 'e4000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000004', 3, '2025-01-01');

INSERT INTO portal.identity_providers (id, identity_provider_category_id, identity_provider_type_id, owner_id)
SELECT ('e6000000-0000-4000-8000-00000000000' || n)::uuid, 1, kind, ('c0000000-0000-4000-8000-00000000000' || company)::uuid
FROM (VALUES (1, 3, 1), (2, 1, 1), (3, 3, 2), (4, 2, 3)) AS v (n, kind, company);
INSERT INTO portal.iam_identity_providers (iam_idp_alias, identity_provider_id)
SELECT alias, ('e6000000-0000-4000-8000-00000000000' || n)::uuid
FROM (VALUES (1, 'idp-alder'), (2, 'idp-alder-own'), (3, 'idp-birch'), (4, 'idp-cedar')) AS v (n, alias);
INSERT INTO portal.company_identity_providers (company_id, identity_provider_id)
SELECT owner_id, id FROM portal.identity_providers;
INSERT INTO portal.company_user_assigned_identity_providers (company_user_id, identity_provider_id, provider_id, user_name)
SELECT ('a0000000-0000-4000-8000-00000000000' || u)::uuid, ('e6000000-0000-4000-8000-00000000000' || p)::uuid, 'external-' || u, 'login-' || u
FROM (VALUES (1, 1), (2, 1), (3, 2), (4, 3), (6, 4)) AS v (u, p);

INSERT INTO portal.company_user_assigned_processes (company_user_id, process_id)
VALUES ('a0000000-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001'),
       ('a0000000-0000-4000-8000-000000000004', 'f0000000-0000-4000-8000-000000000002');

INSERT INTO portal.notifications (id, receiver_user_id, creator_user_id, content, notification_type_id, is_read, date_created)
SELECT ('e7000000-0000-4000-8000-00000000000' || n)::uuid, ('a0000000-0000-4000-8000-00000000000' || receiver)::uuid,
       ('a0000000-0000-4000-8000-00000000000' || creator)::uuid, content, 1, false, '2025-03-01'
FROM (VALUES (1, 1, '2', '{"for": "Yorick Tansy"}'), (2, 1, NULL, '{"welcome": "Yorick"}'), (3, 4, '1', '{"offer": "Tracing"}'),
             (4, 3, '2', '{"offer": "Footprint"}')) AS v (n, receiver, creator, content);

INSERT INTO portal.documents (id, company_user_id, document_content, document_hash, document_name, document_type_id, document_status_id,
                              media_type_id, last_editor_id, date_created)
SELECT ('e8000000-0000-4000-8000-00000000000' || n)::uuid, ('a0000000-0000-4000-8000-00000000000' || u)::uuid, '\x25504446', '\x0a',
       name, kind, 2, 6, ('a0000000-0000-4000-8000-00000000000' || u)::uuid, '2025-02-01'
FROM (VALUES (1, '1', 'contract.pdf', 1), (2, '1', 'self-description.json', 2), (3, '4', 'contract.pdf', 1)) AS v (n, u, name, kind);
UPDATE portal.companies SET self_description_document_id = 'e8000000-0000-4000-8000-000000000002'
WHERE id = 'c0000000-0000-4000-8000-000000000001';

INSERT INTO portal.consents (id, agreement_id, company_id, company_user_id, consent_status_id, document_id, last_editor_id, date_created)
VALUES ('e9000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001',
        'a0000000-0000-4000-8000-000000000001', 1, 'e8000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', '2025-01-05'),
       ('e9000000-0000-4000-8000-000000000002', 'd0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000002',
        'a0000000-0000-4000-8000-000000000004', 1, NULL, 'a0000000-0000-4000-8000-000000000004', '2025-01-05');

INSERT INTO portal.company_assigned_roles VALUES ('c0000000-0000-4000-8000-000000000001', 1, 'a0000000-0000-4000-8000-000000000001');
INSERT INTO portal.connectors (id, name, connector_url, provider_id, technical_user_id, last_editor_id)
VALUES ('ea000000-0000-4000-8000-000000000001', 'alder', 'https://edc.example.org', 'c0000000-0000-4000-8000-000000000001',
        'a0000000-0000-4000-8000-000000000007', 'a0000000-0000-4000-8000-000000000001');
INSERT INTO portal.provider_company_details
VALUES ('eb000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 'https://setup.example.org', 'a0000000-0000-4000-8000-000000000002');
INSERT INTO portal.company_certificates (id, company_id, document_id, last_editor_id)
VALUES ('ec000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-000000000001', 'e8000000-0000-4000-8000-000000000001',
        'a0000000-0000-4000-8000-000000000001');

INSERT INTO portal.company_invitations (id, email, first_name, last_name, user_name, application_id)
VALUES ('ed000000-0000-4000-8000-000000000001', 'yorick.tansy@example.org', 'Yorick', 'Tansy', 'ytansy', 'e4000000-0000-4000-8000-000000000001'),
       ('ed000000-0000-4000-8000-000000000002', 'sunniva.rook@example.org', 'Sunniva', 'Rook', 'srook', 'e4000000-0000-4000-8000-000000000002');
INSERT INTO portal.mailing_informations (id, email, template, mail_parameters, process_id)
VALUES ('ee000000-0000-4000-8000-000000000001', 'yorick.tansy@example.org', 'welcome', '\x03', 'f0000000-0000-4000-8000-000000000003'),
       ('ee000000-0000-4000-8000-000000000002', 'tobin.sedge@example.org', 'welcome', '\x04', 'f0000000-0000-4000-8000-000000000004');
INSERT INTO provisioning.user_password_resets
VALUES ('a0000000-0000-4000-8000-000000000001', '2025-04-01', 2), ('a0000000-0000-4000-8000-000000000004', '2025-04-02', 1);

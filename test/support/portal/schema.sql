-- Loaded behind examples/tractusx/schema.sql, for a portal of some 170 tables: lookups, offers, connectors, older audit tables,
-- and references of every kind that have no foreign key.

DO $$
DECLARE
    name text;
BEGIN
    -- Lookups and what hangs on them: nothing of a person.
    FOREACH name IN ARRAY ARRAY['address_types', 'agreement_categories', 'agreement_statuses', 'app_statuses', 'company_application_statuses',
        'company_certificate_statuses', 'company_certificate_types', 'company_roles', 'company_statuses', 'connector_statuses', 'connector_types',
        'consent_statuses', 'countries', 'document_statuses', 'identity_provider_categories', 'identity_provider_types', 'invitation_statuses',
        'languages', 'license_types', 'media_types', 'network_registration_states', 'notification_types', 'offer_statuses', 'offer_types',
        'onboarding_states', 'privacy_policies', 'process_step_statuses', 'process_step_types', 'service_types', 'unique_identifiers',
        'use_cases', 'technical_user_kinds', 'technical_user_types', 'verified_states', 'checklist_entry_types', 'checklist_entry_statuses']
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (id int PRIMARY KEY, label varchar(255) NOT NULL)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['use_case_descriptions', 'country_long_names', 'language_long_names', 'company_role_descriptions',
        'notification_type_topics', 'agreement_links', 'role_collections', 'country_identifiers', 'license_names', 'technical_user_texts']
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (id int PRIMARY KEY REFERENCES portal.use_cases, language_id int NOT NULL REFERENCES portal.languages, text text)', name);
    END LOOP;
    -- What companies and offers have; a third of it knows who edited it.
    FOREACH name IN ARRAY ARRAY['offer_images', 'offer_descriptions', 'offer_licenses', 'offer_tags', 'offer_use_cases', 'offer_versions', 'offer_documents_read',
        'offer_subscription_checks', 'app_instances', 'app_instance_setups', 'service_details', 'service_reviews']
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (id uuid PRIMARY KEY, offer_id uuid NOT NULL REFERENCES portal.offers, body text%s)', name,
                       CASE WHEN length(name) % 3 = 0 THEN ', last_editor_id uuid REFERENCES portal.identities' ELSE '' END);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['company_addresses', 'company_identifiers', 'company_invoices', 'company_contacts', 'company_wallets', 'company_wallet_data',
        'company_ssi_details', 'network_registrations', 'onboarding_providers', 'application_checklists', 'application_notes', 'business_partners',
        'connector_keys', 'connector_checks', 'bpn_access']
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (id uuid PRIMARY KEY, company_id uuid NOT NULL REFERENCES portal.companies ON DELETE CASCADE, body text%s)', name,
                       CASE WHEN length(name) % 3 = 0 THEN ', date_last_changed timestamptz, last_editor_id uuid' ELSE '' END);
    END LOOP;
    -- Audit tables of earlier versions, frozen.
    FOREACH name IN ARRAY ARRAY['audit_identity20230526', 'audit_company_user20220511', 'audit_company_user20221005', 'audit_offer20230119', 'audit_offer20230406',
        'audit_offer20231013', 'audit_offer_subscription20221005', 'audit_offer_subscription20230317', 'audit_consent20221214', 'audit_document20230320',
        'audit_connector20230405', 'audit_connector20230503', 'audit_connector20230803', 'audit_user_role20221017', 'audit_company_application20220511',
        'audit_company_application20230214', 'audit_app_subscription_detail20230906', 'audit_provider_company_detail20230614', 'audit_certificate_management20240416',
        'audit_company_ssi_detail20230621', 'audit_company_ssi_detail20231115', 'audit_company_ssi_detail20240228', 'audit_identity20230905',
        'audit_company_assigned_role20230105', 'audit_identity_assigned_role20221005', 'audit_company_user_assigned_role20221005', 'audit_technical_user20241113']
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (audit_v1id uuid PRIMARY KEY, audit_v1operation_id int NOT NULL, audit_v1date_last_changed timestamptz NOT NULL, '
                       'audit_v1last_editor_id uuid, id uuid NOT NULL%s, last_editor_id uuid)', name,
                       CASE WHEN name LIKE 'audit_company_user2%' THEN ', email varchar(255), firstname varchar(255), lastname varchar(255), lastlogin bytea'
                            WHEN name LIKE 'audit_company_user_%' THEN ', company_user_id uuid, user_role_id uuid'
                            WHEN name LIKE 'audit_offer_sub%' THEN ', requester_id uuid'
                            WHEN name LIKE 'audit_offer%' THEN ', sales_manager_id uuid, contact_email varchar(255)'
                            WHEN name LIKE 'audit_con%' OR name LIKE 'audit_doc%' THEN ', company_user_id uuid' ELSE '' END);
    END LOOP;
END $$;

-- A real copy for each change of a ticket; what it copies is itself behind a key.
CREATE TABLE portal.tickets (id uuid PRIMARY KEY, author_id uuid NOT NULL REFERENCES portal.company_users, title text, body text);
CREATE TABLE portal.tickets_history (id uuid NOT NULL, author_id uuid NOT NULL, title text, body text, changed_at timestamptz);
CREATE TABLE portal.ticket_watchers (ticket_id uuid NOT NULL REFERENCES portal.tickets ON DELETE CASCADE,
    watcher_id uuid NOT NULL REFERENCES portal.company_users ON DELETE CASCADE, PRIMARY KEY (ticket_id, watcher_id));
-- Any table, by type and key: text, an enumeration, and two such pairs in one table with long names that begin alike.
CREATE TYPE portal.owner_kind AS ENUM ('COMPANY', 'IDENTITY', 'OFFER');
CREATE TABLE portal.attachments (id uuid PRIMARY KEY, owner_type text NOT NULL, owner_id uuid NOT NULL, path text);
CREATE TABLE portal.reactions (id uuid PRIMARY KEY, target_type portal.owner_kind NOT NULL, target_id uuid NOT NULL, emoji text);
CREATE TABLE portal.external_participant_assignments (id uuid PRIMARY KEY,
    responsible_external_participant_type text, responsible_external_participant_id uuid,
    responsible_external_participating_member_type text, responsible_external_participating_member_id uuid);
-- Arrays, JSON in its own type and in text, one and two levels deep, keys and lists of keys.
CREATE TABLE portal.chat_rooms (id uuid PRIMARY KEY, name text, member_ids uuid[] NOT NULL, moderator_ids text[]);
CREATE TABLE portal.web_hooks (id uuid PRIMARY KEY, payload jsonb, headers json);
CREATE TABLE portal.job_results (id uuid PRIMARY KEY, "Result Data" text, note text);
-- Text that is the person's address, where it may be NULL and where not.
CREATE TABLE portal.newsletter (email varchar(255) PRIMARY KEY, since date);
CREATE TABLE portal.support_mails (id uuid PRIMARY KEY, sender_email text NOT NULL, reply_to_email text, body text);
-- Names that need quotes, and the words of SQL.
CREATE TABLE portal."Order" (id uuid PRIMARY KEY, "User" uuid REFERENCES portal.company_users, "select" text, "created""By" uuid, "null" uuid);
-- Who is asked for what: NOT NULL and not the person's alone.
CREATE TABLE portal.approvals (id uuid PRIMARY KEY, offer_id uuid NOT NULL REFERENCES portal.offers, requested_by uuid NOT NULL REFERENCES portal.identities,
    approved_by uuid REFERENCES portal.identities, user_agent text NOT NULL, ip_address inet NOT NULL);
-- Partitioned, and a table that inherits.
CREATE TABLE portal.logins (id uuid NOT NULL, at timestamptz NOT NULL, identity_id uuid NOT NULL REFERENCES portal.identities, ip_address inet NOT NULL,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE portal.logins_2025 PARTITION OF portal.logins FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE portal.logins_2026 PARTITION OF portal.logins FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE portal.drafts (id uuid PRIMARY KEY, author_id uuid NOT NULL REFERENCES portal.identities, body text);
CREATE TABLE portal.old_drafts () INHERITS (portal.drafts);
-- Declared, and cannot work.
CREATE TABLE portal.bookmarks (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES portal.identities ON DELETE SET NULL, url text);
CREATE MATERIALIZED VIEW portal.active_people AS SELECT u.id, u.email FROM portal.company_users u JOIN portal.identities i USING (id) WHERE i.user_status_id = 1;
-- Stays, because it is the company's as well, and with it columns that must have a value.
CREATE TABLE portal.signatures (id uuid PRIMARY KEY, company_id uuid NOT NULL REFERENCES portal.companies,
    company_user_id uuid NOT NULL REFERENCES portal.company_users, full_name varchar(255) NOT NULL, email varchar(255) NOT NULL UNIQUE,
    phone varchar(20) NOT NULL, ip_address inet NOT NULL, birthday date NOT NULL);

-- The user part of a data-space portal: uuid keys, soft deletion, audited tables. In this schema a person is a row of
-- identities and, under the same key, one of company_users. NOT NULL references keep both from ever being removed.
-- The keys below are declared as the portal declares them; 14 tables are audited by INSERT and UPDATE triggers.

CREATE SCHEMA portal;
CREATE SCHEMA provisioning;

CREATE TABLE portal.identity_user_statuses (id int PRIMARY KEY, label text NOT NULL);
CREATE TABLE portal.identity_type (id int PRIMARY KEY, label text NOT NULL);
CREATE TABLE portal.process_types (id int PRIMARY KEY, label text NOT NULL);
CREATE TABLE portal.document_types (id int PRIMARY KEY, label text NOT NULL);
CREATE TABLE portal.agreements (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE portal.offer_subscription_statuses (id int PRIMARY KEY, label text NOT NULL);

CREATE TABLE portal.companies (
    id                           uuid PRIMARY KEY,
    name                         varchar(255) NOT NULL,
    business_partner_number      varchar(20),
    company_status_id            int NOT NULL,
    address_id                   uuid,
    self_description_document_id uuid,
    date_created                 timestamptz NOT NULL
);

CREATE TABLE portal.identities (
    id                uuid PRIMARY KEY,
    company_id        uuid NOT NULL REFERENCES portal.companies,
    user_status_id    int NOT NULL REFERENCES portal.identity_user_statuses,
    identity_type_id  int NOT NULL REFERENCES portal.identity_type,
    user_entity_id    varchar(36) UNIQUE,
    date_created      timestamptz NOT NULL,
    date_last_changed timestamptz,
    last_editor_id    uuid REFERENCES portal.identities
);
CREATE INDEX identities_company_id_idx ON portal.identities (company_id);
CREATE INDEX identities_last_editor_id_idx ON portal.identities (last_editor_id);

CREATE TABLE portal.company_users (
    id                uuid PRIMARY KEY REFERENCES portal.identities ON DELETE CASCADE,
    email             varchar(255),
    firstname         varchar(255),
    lastname          varchar(255),
    lastlogin         bytea,
    date_last_changed timestamptz,
    last_editor_id    uuid REFERENCES portal.identities
);
CREATE INDEX company_users_email_idx ON portal.company_users (email);
CREATE INDEX company_users_last_editor_id_idx ON portal.company_users (last_editor_id);

CREATE TABLE portal.user_roles (
    id             uuid PRIMARY KEY,
    user_role      varchar(255) NOT NULL,
    last_editor_id uuid REFERENCES portal.identities
);

CREATE TABLE portal.identity_assigned_roles (
    identity_id    uuid NOT NULL REFERENCES portal.identities,
    user_role_id   uuid NOT NULL REFERENCES portal.user_roles,
    last_editor_id uuid REFERENCES portal.identities,
    PRIMARY KEY (identity_id, user_role_id)
);
CREATE INDEX identity_assigned_roles_last_editor_id_idx ON portal.identity_assigned_roles (last_editor_id);

CREATE TABLE portal.offers (
    id                  uuid PRIMARY KEY,
    name                varchar(255),
    provider_company_id uuid NOT NULL REFERENCES portal.companies,
    sales_manager_id    uuid REFERENCES portal.company_users,
    contact_email       varchar(255),
    contact_number      varchar(20),
    last_editor_id      uuid REFERENCES portal.identities
);
CREATE INDEX offers_sales_manager_id_idx ON portal.offers (sales_manager_id);

CREATE TABLE portal.processes (
    id               uuid PRIMARY KEY,
    process_type_id  int NOT NULL REFERENCES portal.process_types,
    lock_expiry_date timestamptz,
    version          uuid NOT NULL
);

CREATE TABLE portal.process_steps (
    id                     uuid PRIMARY KEY,
    process_id             uuid NOT NULL REFERENCES portal.processes,
    process_step_type_id   int NOT NULL,
    process_step_status_id int NOT NULL,
    message                text,
    date_created           timestamptz NOT NULL,
    date_last_changed      timestamptz
);

CREATE TABLE portal.offer_subscriptions (
    id                           uuid PRIMARY KEY,
    company_id                   uuid NOT NULL REFERENCES portal.companies,
    offer_id                     uuid NOT NULL REFERENCES portal.offers,
    requester_id                 uuid NOT NULL REFERENCES portal.company_users,
    offer_subscription_status_id int NOT NULL REFERENCES portal.offer_subscription_statuses,
    process_id                   uuid REFERENCES portal.processes,
    last_editor_id               uuid REFERENCES portal.identities
);
CREATE INDEX offer_subscriptions_requester_id_idx ON portal.offer_subscriptions (requester_id);

CREATE TABLE portal.technical_users (
    id                     uuid PRIMARY KEY REFERENCES portal.identities ON DELETE CASCADE,
    name                   varchar(255) NOT NULL,
    description            text NOT NULL,
    client_client_id       varchar(255),
    version                uuid NOT NULL,
    technical_user_kind_id int NOT NULL,
    technical_user_type_id int NOT NULL,
    offer_subscription_id  uuid REFERENCES portal.offer_subscriptions
);

CREATE TABLE portal.app_instance_assigned_technical_users (
    app_instance_id   uuid NOT NULL,
    technical_user_id uuid NOT NULL REFERENCES portal.technical_users,
    PRIMARY KEY (app_instance_id, technical_user_id)
);

CREATE TABLE portal.external_technical_users (
    id            uuid PRIMARY KEY REFERENCES portal.technical_users ON DELETE CASCADE,
    client_secret bytea NOT NULL
);

CREATE TABLE portal.external_technical_user_creation_data (
    id                uuid PRIMARY KEY,
    technical_user_id uuid NOT NULL REFERENCES portal.technical_users,
    process_id        uuid NOT NULL REFERENCES portal.processes
);

CREATE TABLE portal.company_user_assigned_app_favourites (
    company_user_id uuid NOT NULL REFERENCES portal.company_users,
    app_id          uuid NOT NULL REFERENCES portal.offers,
    PRIMARY KEY (company_user_id, app_id)
);

CREATE TABLE portal.company_user_assigned_business_partners (
    company_user_id         uuid NOT NULL REFERENCES portal.company_users ON DELETE CASCADE,
    business_partner_number varchar(20) NOT NULL,
    PRIMARY KEY (company_user_id, business_partner_number)
);

CREATE TABLE portal.company_applications (
    id                    uuid PRIMARY KEY,
    company_id            uuid NOT NULL REFERENCES portal.companies,
    application_status_id int NOT NULL,
    date_created          timestamptz NOT NULL,
    last_editor_id        uuid REFERENCES portal.identities
);

CREATE TABLE portal.invitations (
    id                     uuid PRIMARY KEY,
    company_application_id uuid NOT NULL REFERENCES portal.company_applications ON DELETE CASCADE,
    company_user_id        uuid NOT NULL REFERENCES portal.company_users,
    invitation_status_id   int NOT NULL,
    date_created           timestamptz NOT NULL
);
CREATE INDEX invitations_company_user_id_idx ON portal.invitations (company_user_id);

CREATE TABLE portal.identity_providers (
    id                            uuid PRIMARY KEY,
    identity_provider_category_id int NOT NULL,
    identity_provider_type_id     int NOT NULL,
    owner_id                      uuid NOT NULL REFERENCES portal.companies
);
COMMENT ON COLUMN portal.identity_providers.identity_provider_type_id IS '1 own, 2 managed, 3 shared';

CREATE TABLE portal.iam_identity_providers (
    iam_idp_alias        varchar(255) PRIMARY KEY,
    identity_provider_id uuid NOT NULL UNIQUE REFERENCES portal.identity_providers
);

CREATE TABLE portal.company_identity_providers (
    company_id           uuid NOT NULL REFERENCES portal.companies ON DELETE CASCADE,
    identity_provider_id uuid NOT NULL REFERENCES portal.identity_providers ON DELETE CASCADE,
    PRIMARY KEY (company_id, identity_provider_id)
);

CREATE TABLE portal.company_user_assigned_identity_providers (
    company_user_id      uuid NOT NULL,
    identity_provider_id uuid NOT NULL,
    provider_id          text NOT NULL,
    user_name            text NOT NULL,
    PRIMARY KEY (company_user_id, identity_provider_id),
    CONSTRAINT assigned_identity_providers_company_user_id_fkey
        FOREIGN KEY (company_user_id) REFERENCES portal.company_users ON DELETE CASCADE,
    CONSTRAINT assigned_identity_providers_identity_provider_id_fkey
        FOREIGN KEY (identity_provider_id) REFERENCES portal.identity_providers ON DELETE CASCADE
);

CREATE TABLE portal.company_user_assigned_processes (
    company_user_id uuid NOT NULL UNIQUE REFERENCES portal.company_users ON DELETE CASCADE,
    process_id      uuid NOT NULL UNIQUE REFERENCES portal.processes ON DELETE CASCADE,
    PRIMARY KEY (company_user_id, process_id)
);

CREATE TABLE portal.notifications (
    id                   uuid PRIMARY KEY,
    receiver_user_id     uuid NOT NULL REFERENCES portal.company_users,
    creator_user_id      uuid REFERENCES portal.identities,
    content              text,
    notification_type_id int NOT NULL,
    is_read              boolean NOT NULL,
    due_date             timestamptz,
    done                 boolean,
    date_created         timestamptz NOT NULL
);
CREATE INDEX notifications_receiver_user_id_idx ON portal.notifications (receiver_user_id);
CREATE INDEX notifications_creator_user_id_idx ON portal.notifications (creator_user_id);

CREATE TABLE portal.documents (
    id                 uuid PRIMARY KEY,
    company_user_id    uuid REFERENCES portal.company_users,
    document_content   bytea NOT NULL,
    document_hash      bytea NOT NULL,
    document_name      varchar(255) NOT NULL,
    document_type_id   int NOT NULL REFERENCES portal.document_types ON DELETE CASCADE,
    document_status_id int NOT NULL,
    media_type_id      int NOT NULL,
    last_editor_id     uuid,
    date_created       timestamptz NOT NULL
);
CREATE INDEX documents_company_user_id_idx ON portal.documents (company_user_id);
-- closes the cycle companies, documents, company_users, identities, companies
ALTER TABLE portal.companies ADD FOREIGN KEY (self_description_document_id) REFERENCES portal.documents;

CREATE TABLE portal.consents (
    id                uuid PRIMARY KEY,
    agreement_id      uuid NOT NULL REFERENCES portal.agreements,
    company_id        uuid NOT NULL REFERENCES portal.companies,
    company_user_id   uuid NOT NULL REFERENCES portal.company_users,
    consent_status_id int NOT NULL,
    document_id       uuid REFERENCES portal.documents,
    comment           text,
    target            text,
    last_editor_id    uuid REFERENCES portal.identities,
    date_created      timestamptz NOT NULL
);
CREATE INDEX consents_company_user_id_idx ON portal.consents (company_user_id);

CREATE TABLE portal.app_subscription_details (
    id                    uuid PRIMARY KEY,
    offer_subscription_id uuid NOT NULL REFERENCES portal.offer_subscriptions,
    app_subscription_url  text,
    last_editor_id        uuid REFERENCES portal.identities
);

CREATE TABLE portal.company_assigned_roles (
    company_id      uuid NOT NULL REFERENCES portal.companies,
    company_role_id int NOT NULL,
    last_editor_id  uuid REFERENCES portal.identities,
    PRIMARY KEY (company_id, company_role_id)
);

CREATE TABLE portal.connectors (
    id                uuid PRIMARY KEY,
    name              varchar(255) NOT NULL,
    connector_url     text NOT NULL,
    provider_id       uuid NOT NULL REFERENCES portal.companies,
    technical_user_id uuid REFERENCES portal.technical_users,
    last_editor_id    uuid REFERENCES portal.identities
);

CREATE TABLE portal.provider_company_details (
    id                    uuid PRIMARY KEY,
    company_id            uuid NOT NULL REFERENCES portal.companies,
    auto_setup_url        text NOT NULL,
    last_editor_id        uuid REFERENCES portal.identities
);

CREATE TABLE portal.company_certificates (
    id             uuid PRIMARY KEY,
    company_id     uuid NOT NULL REFERENCES portal.companies,
    document_id    uuid NOT NULL REFERENCES portal.documents,
    valid_till     timestamptz,
    last_editor_id uuid
);

-- Personal data without any key to the person.
CREATE TABLE portal.company_invitations (
    id                      uuid PRIMARY KEY,
    email                   varchar(255) NOT NULL,
    first_name              varchar(255) NOT NULL,
    last_name               varchar(255) NOT NULL,
    user_name               varchar(255),
    application_id          uuid REFERENCES portal.company_applications,
    process_id              uuid REFERENCES portal.processes,
    service_account_user_id text
);
CREATE INDEX company_invitations_email_idx ON portal.company_invitations (email);

CREATE TABLE portal.mailing_informations (
    id              uuid PRIMARY KEY,
    email           varchar(255) NOT NULL,
    template        text NOT NULL,
    mail_parameters bytea NOT NULL,
    process_id      uuid NOT NULL REFERENCES portal.processes
);
CREATE INDEX mailing_informations_email_idx ON portal.mailing_informations (email);

CREATE TABLE provisioning.user_password_resets (
    company_user_id   uuid PRIMARY KEY,
    password_modified_at timestamptz NOT NULL,
    reset_count       int NOT NULL
);

-- The audit tables: a head, then the columns of the audited table. They are appended to and never cleaned.
CREATE FUNCTION portal.audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE pg_catalog.format('INSERT INTO portal.%I SELECT pg_catalog.gen_random_uuid(), $1, CURRENT_TIMESTAMP, ($2).last_editor_id, ($2).*',
                              TG_ARGV[0])
        USING CASE TG_OP WHEN 'INSERT' THEN 1 ELSE 2 END, NEW;
    RETURN NULL;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('app_subscription_details', 'audit_app_subscription_detail20221118'),
        ('company_applications', 'audit_company_application20231115'),
        ('company_assigned_roles', 'audit_company_assigned_role20230316'),
        ('company_certificates', 'audit_company_certificate20240416'),
        ('company_users', 'audit_company_user20230523'),
        ('connectors', 'audit_connector20240814'),
        ('consents', 'audit_consent20230412'),
        ('documents', 'audit_document20231115'),
        ('identities', 'audit_identity20231115'),
        ('identity_assigned_roles', 'audit_identity_assigned_role20230522'),
        ('offers', 'audit_offer20240911'),
        ('offer_subscriptions', 'audit_offer_subscription20231013'),
        ('provider_company_details', 'audit_provider_company_detail20231115'),
        ('user_roles', 'audit_user_role20231115')) AS v (base, audit)
    LOOP
        EXECUTE format('CREATE TABLE portal.%I (audit_v1id uuid PRIMARY KEY, audit_v1operation_id int NOT NULL, '
                       'audit_v1date_last_changed timestamptz NOT NULL, audit_v1last_editor_id uuid, LIKE portal.%I)', t.audit, t.base);
        EXECUTE format('CREATE TRIGGER audit_%s AFTER INSERT OR UPDATE ON portal.%I FOR EACH ROW EXECUTE FUNCTION portal.audit_row(%L)',
                       t.base, t.base, t.audit);
    END LOOP;
END $$;

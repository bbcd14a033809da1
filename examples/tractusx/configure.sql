-- What deleting a person means in the portal: the row of identities becomes a tombstone, everything that the portal
-- deletes goes, evidence stays, and the personal data that the portal forgets goes as well. Every call can be repeated.

SELECT vedfolnir_register_subject('portal.identities', key_column => 'id', mode => 'tombstone');
SELECT vedfolnir_set_column('portal.identities', 'user_status_id', '3');
SELECT vedfolnir_set_column('portal.identities', 'date_last_changed', 'now()');
SELECT vedfolnir_set_column('portal.identities', 'last_editor_id', 'nullif(current_setting(''vedfolnir.actor'', true), '''')::uuid');

-- Who may delete whom: oneself, and the IT administrators of a company its people.
SELECT vedfolnir_set_tenancy('portal.identities', 'company_id',
                             'user_status_id = 1 AND EXISTS (SELECT FROM portal.identity_assigned_roles r JOIN portal.user_roles u ON u.id = r.user_role_id
                              WHERE r.identity_id = c.id AND u.user_role = ''IT Admin'')');

-- The second half of the person stays too, without the personal data.
SELECT vedfolnir_set_policy('portal.company_users', 'company_users_id_fkey', 'retain', reason => 'consents and subscriptions name it');
SELECT vedfolnir_set_column('portal.company_users', 'email', 'NULL::varchar', edge => 'company_users_id_fkey');
SELECT vedfolnir_set_column('portal.company_users', 'firstname', 'NULL::varchar', edge => 'company_users_id_fkey');
SELECT vedfolnir_set_column('portal.company_users', 'lastname', 'NULL::varchar', edge => 'company_users_id_fkey');
SELECT vedfolnir_set_column('portal.company_users', 'lastlogin', 'NULL::bytea', edge => 'company_users_id_fkey');
SELECT vedfolnir_set_column('portal.company_users', 'date_last_changed', 'now()', edge => 'company_users_id_fkey');
SELECT vedfolnir_set_column('portal.company_users', 'last_editor_id', 'nullif(current_setting(''vedfolnir.actor'', true), '''')::uuid',
                            edge => 'company_users_id_fkey');

-- A technical user is another kind of identity, and its client is removed first.
SELECT vedfolnir_set_policy('portal.technical_users', 'technical_users_id_fkey', 'block', reason => 'technical users have a flow of their own');

-- What the portal deletes.
SELECT vedfolnir_set_policy('portal.identity_assigned_roles', 'identity_assigned_roles_identity_id_fkey', 'delete');

-- Triggers of the portal copy what is inserted and changed into its audit tables; a copy of what is deleted is up to us.
SELECT vedfolnir_add_mirror('portal.identity_assigned_roles', 'portal.audit_identity_assigned_role20230522',
                            columns => '{"audit_v1id": "gen_random_uuid()", "audit_v1operation_id": "3", "audit_v1date_last_changed": "now()",
                                         "audit_v1last_editor_id": "nullif(current_setting(''vedfolnir.actor'', true), '''')::uuid"}');

-- These refer to company_users. Its row stays, so nothing is looked for behind it; since it has the key of the identity,
-- the same columns are links to the identity.
SELECT vedfolnir_add_link('favourites_of', 'portal.company_user_assigned_app_favourites', 'portal.identities', columns => '{company_user_id}', action => 'delete');
SELECT vedfolnir_add_link('partners_of', 'portal.company_user_assigned_business_partners', 'portal.identities', columns => '{company_user_id}', action => 'delete');
SELECT vedfolnir_add_link('invitations_of', 'portal.invitations', 'portal.identities', columns => '{company_user_id}', action => 'delete');
SELECT vedfolnir_add_link('processes_of', 'portal.company_user_assigned_processes', 'portal.identities', columns => '{company_user_id}', action => 'delete');

-- What the portal forgets.
SELECT vedfolnir_add_link('providers_of', 'portal.company_user_assigned_identity_providers', 'portal.identities', columns => '{company_user_id}', action => 'delete');
SELECT vedfolnir_add_link('received_by', 'portal.notifications', 'portal.identities', columns => '{receiver_user_id}', action => 'delete');
SELECT vedfolnir_set_policy('portal.notifications', 'notifications_creator_user_id_fkey', 'nullify');
SELECT vedfolnir_add_link('managed_by', 'portal.offers', 'portal.identities', columns => '{sales_manager_id}', action => 'nullify');
-- The trigger on offers copies the new row, so the actor is set in the same UPDATE.
SELECT vedfolnir_set_column('portal.offers', 'last_editor_id', 'nullif(current_setting(''vedfolnir.actor'', true), '''')::uuid', edge => 'managed_by');
SELECT vedfolnir_add_link('resets_of', 'provisioning.user_password_resets', 'portal.identities', columns => '{company_user_id}', action => 'delete');
-- Known by e-mail only. The address is looked up before it is cleared.
CREATE OR REPLACE FUNCTION portal.person_of_email(address text) RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT u.id FROM portal.company_users u WHERE u.email = address ORDER BY u.id LIMIT 1 $$;
SELECT vedfolnir_add_link('invited', 'portal.company_invitations', 'portal.identities', expression => 'portal.person_of_email(email)', action => 'delete');
SELECT vedfolnir_add_link('mailed', 'portal.mailing_informations', 'portal.identities', expression => 'portal.person_of_email(email)', action => 'delete');
-- The audit of people keeps that they changed and when, and loses who they were.
SELECT vedfolnir_add_link('audited', 'portal.audit_company_user20230523', 'portal.identities', columns => '{id}', action => 'retain');
SELECT vedfolnir_set_column('portal.audit_company_user20230523', 'email', 'NULL::varchar', edge => 'audited');
SELECT vedfolnir_set_column('portal.audit_company_user20230523', 'firstname', 'NULL::varchar', edge => 'audited');
SELECT vedfolnir_set_column('portal.audit_company_user20230523', 'lastname', 'NULL::varchar', edge => 'audited');
SELECT vedfolnir_set_column('portal.audit_company_user20230523', 'lastlogin', 'NULL::bytea', edge => 'audited');

-- Evidence that stays, named so that vedfolnir_verify_user() reports it.
SELECT vedfolnir_add_link('consented_by', 'portal.consents', 'portal.identities', columns => '{company_user_id}', action => 'retain');
SELECT vedfolnir_add_link('uploaded_by', 'portal.documents', 'portal.identities', columns => '{company_user_id}', action => 'retain');
SELECT vedfolnir_add_link('requested_by', 'portal.offer_subscriptions', 'portal.identities', columns => '{requester_id}', action => 'retain');

-- Who last edited a row is kept: the key is that of a tombstone.
SELECT vedfolnir_set_policy(k.conrelid::regclass, k.conname, 'retain', reason => 'who edited it; the key is a tombstone''s')
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
WHERE k.contype = 'f' AND k.confrelid = 'portal.identities'::regclass AND a.attname = 'last_editor_id'
ORDER BY k.conrelid::regclass::text;

-- Identities at the identity providers. A person of the shared provider has an account in the company's own realm and one
-- in the central realm; a person of an own or managed provider only the central one; a person without a provider none.
-- The alias is the name of the realm; it lies in a table that the walk does not touch.
CREATE OR REPLACE FUNCTION portal.shared_realm(provider uuid) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT i.iam_idp_alias FROM portal.iam_identity_providers i JOIN portal.identity_providers p ON p.id = i.identity_provider_id
   WHERE p.id = provider AND p.identity_provider_type_id = 3 $$;
SELECT vedfolnir_add_cleanup('portal.company_user_assigned_identity_providers', 'identity',
                             '=portal.shared_realm(identity_provider_id) || ''/'' || provider_id', service => 'keycloak');
SELECT vedfolnir_add_cleanup('portal.company_user_assigned_identity_providers', 'identity',
                             'central/username={company_user_id}', service => 'keycloak');

-- What the deletion of person 1 by person 2 comes to, written by hand without the extension. The audit triggers fire here
-- as they do there. Afterwards keys and times that differ from run to run are masked.
INSERT INTO portal.audit_identity_assigned_role20230522
SELECT gen_random_uuid(), 3, now(), 'a0000000-0000-4000-8000-000000000002', r.* FROM portal.identity_assigned_roles r
WHERE r.identity_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.identity_assigned_roles WHERE identity_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.company_user_assigned_app_favourites WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.company_user_assigned_business_partners WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.invitations WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.company_user_assigned_identity_providers WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.company_user_assigned_processes WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
DELETE FROM portal.notifications WHERE receiver_user_id = 'a0000000-0000-4000-8000-000000000001';
UPDATE portal.notifications SET creator_user_id = NULL WHERE id = 'e7000000-0000-4000-8000-000000000003';
UPDATE portal.offers SET sales_manager_id = NULL WHERE id = 'e0000000-0000-4000-8000-000000000001';
DELETE FROM portal.company_invitations WHERE id = 'ed000000-0000-4000-8000-000000000001';
DELETE FROM portal.mailing_informations WHERE id = 'ee000000-0000-4000-8000-000000000001';
DELETE FROM provisioning.user_password_resets WHERE company_user_id = 'a0000000-0000-4000-8000-000000000001';
UPDATE portal.audit_company_user20230523 SET email = NULL, firstname = NULL, lastname = NULL, lastlogin = NULL
WHERE id = 'a0000000-0000-4000-8000-000000000001';
UPDATE portal.company_users SET email = NULL, firstname = NULL, lastname = NULL, lastlogin = NULL, date_last_changed = now(),
    last_editor_id = 'a0000000-0000-4000-8000-000000000002' WHERE id = 'a0000000-0000-4000-8000-000000000001';
UPDATE portal.identities SET user_status_id = 3, date_last_changed = now(), last_editor_id = 'a0000000-0000-4000-8000-000000000002'
WHERE id = 'a0000000-0000-4000-8000-000000000001';

-- What the deletion of one person by an actor (empty: nobody) comes to, written by hand without the extension, for any of the
-- people: psql -v person=KEY -v actor=KEY. The audit triggers fire here as they do there. Afterwards keys and times that
-- differ from run to run are masked.
INSERT INTO portal.audit_identity_assigned_role20230522
SELECT gen_random_uuid(), 3, now(), nullif(:'actor', '')::uuid, r.* FROM portal.identity_assigned_roles r WHERE r.identity_id = :'person';
DELETE FROM portal.identity_assigned_roles WHERE identity_id = :'person';
DELETE FROM portal.company_user_assigned_app_favourites WHERE company_user_id = :'person';
DELETE FROM portal.company_user_assigned_business_partners WHERE company_user_id = :'person';
DELETE FROM portal.invitations WHERE company_user_id = :'person';
DELETE FROM portal.company_user_assigned_identity_providers WHERE company_user_id = :'person';
DELETE FROM portal.company_user_assigned_processes WHERE company_user_id = :'person';
DELETE FROM portal.notifications WHERE receiver_user_id = :'person';
UPDATE portal.notifications SET creator_user_id = NULL WHERE creator_user_id = :'person';
UPDATE portal.offers SET sales_manager_id = NULL, last_editor_id = nullif(:'actor', '')::uuid WHERE sales_manager_id = :'person';
DELETE FROM portal.company_invitations i USING portal.company_users u WHERE u.id = :'person' AND i.email = u.email;
DELETE FROM portal.mailing_informations m USING portal.company_users u WHERE u.id = :'person' AND m.email = u.email;
DELETE FROM provisioning.user_password_resets WHERE company_user_id = :'person';
UPDATE portal.audit_company_user20230523 SET email = NULL, firstname = NULL, lastname = NULL, lastlogin = NULL WHERE id = :'person';
UPDATE portal.company_users SET email = NULL, firstname = NULL, lastname = NULL, lastlogin = NULL, date_last_changed = now(),
    last_editor_id = nullif(:'actor', '')::uuid WHERE id = :'person';
UPDATE portal.identities SET user_status_id = 3, date_last_changed = now(), last_editor_id = nullif(:'actor', '')::uuid WHERE id = :'person';

-- The other choice: the row of the user stays, anonymised. To be loaded after configure.sql; everything else is as before.

SELECT vedfolnir_register_subject('public.users', key_column => 'id', label_column => 'username', mode => 'tombstone');
SELECT vedfolnir_set_column('public.users', 'username', '''deleted_user_'' || substr(gen_random_uuid()::text, 1, 8)');
SELECT vedfolnir_set_column('public.users', 'email', 'gen_random_uuid() || ''@deleted.invalid''');
SELECT vedfolnir_set_column('public.users', 'password_hash', '''!''');
SELECT vedfolnir_set_column('public.users', 'is_active', 'false');
SELECT vedfolnir_set_column('public.users', 'last_login', 'NULL');
SELECT vedfolnir_set_column('public.users', 'email_verified', 'false');
SELECT vedfolnir_set_column('public.users', 'email_verification_token', 'NULL');
SELECT vedfolnir_set_column('public.users', 'email_verification_sent_at', 'NULL');
SELECT vedfolnir_set_column('public.users', 'first_name', 'NULL');
SELECT vedfolnir_set_column('public.users', 'last_name', 'NULL');
SELECT vedfolnir_set_column('public.users', 'password_reset_token', 'NULL');
SELECT vedfolnir_set_column('public.users', 'password_reset_sent_at', 'NULL');
SELECT vedfolnir_set_column('public.users', 'data_processing_consent', 'false');
SELECT vedfolnir_set_column('public.users', 'data_processing_consent_date', 'NULL');
SELECT vedfolnir_set_column('public.users', 'failed_login_attempts', '0');
SELECT vedfolnir_set_column('public.users', 'last_failed_login', 'NULL');

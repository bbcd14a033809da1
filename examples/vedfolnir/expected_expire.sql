-- What expiring the sessions of user 3 comes to in the database: the two session rows go, and the log does not keep their ids.
UPDATE public.job_audit_log SET session_id = NULL WHERE id = 301;
DELETE FROM public.user_sessions WHERE id IN (301, 302);

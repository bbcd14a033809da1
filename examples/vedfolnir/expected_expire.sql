-- What expiring the sessions of user 3 comes to in the database: nothing but the two session rows.
DELETE FROM public.user_sessions WHERE id IN (301, 302);

-- After a deletion no column of any table of the database holds the person's key, name or address, whatever the type of
-- the column. Meant to be copied: set the three values at its top and run it on a copy of a database of your own.
CREATE EXTENSION pgtap;
CREATE EXTENSION vedfolnir;
BEGIN;
SELECT no_plan();

-- A person with one reference of each kind: one to one, owned at two levels, an array, json, a composite and a self reference.
CREATE TABLE public.person (id bigint PRIMARY KEY, name text UNIQUE, mail text, boss bigint REFERENCES public.person ON DELETE SET NULL);
CREATE TABLE public.profile (id bigint PRIMARY KEY REFERENCES public.person ON DELETE CASCADE, about text);
CREATE TABLE public.album (id int PRIMARY KEY, person_id bigint NOT NULL REFERENCES public.person ON DELETE CASCADE, title text);
CREATE TABLE public.photo (album_id int NOT NULL REFERENCES public.album ON DELETE CASCADE, n int, taken_by text, PRIMARY KEY (album_id, n));
CREATE TABLE public.tag (album_id int, n int, label text, FOREIGN KEY (album_id, n) REFERENCES public.photo ON DELETE CASCADE);
CREATE TABLE public.team (id int PRIMARY KEY, members bigint[]);
CREATE TABLE public.event (id int PRIMARY KEY, data jsonb);
CREATE TABLE public.newsletter (mail text);
CREATE TABLE public.review (id int PRIMARY KEY, written_by bigint REFERENCES public.person, signed text);
INSERT INTO public.person VALUES (900001, 'Quillon Reave', 'quillon@example.org', NULL), (900002, 'Isolde Marr', 'isolde@example.org', 900001);
INSERT INTO public.profile VALUES (900001, 'I am Quillon Reave'), (900002, 'I am Isolde Marr');
INSERT INTO public.album VALUES (1, 900001, 'Reave at sea'), (2, 900002, 'Marr at home');
INSERT INTO public.photo VALUES (1, 1, 'Quillon Reave'), (2, 1, 'Isolde Marr');
INSERT INTO public.tag VALUES (1, 1, 'quillon@example.org'), (2, 1, 'isolde@example.org');
INSERT INTO public.team VALUES (1, '{900001,900002}');
INSERT INTO public.event VALUES (1, '{"person": 900001}'), (2, '{"person": 900002}');
INSERT INTO public.newsletter VALUES ('quillon@example.org'), ('isolde@example.org');
INSERT INTO public.review VALUES (1, 900001, 'Quillon Reave'), (2, 900002, 'Isolde Marr');

\o /dev/null
SELECT vedfolnir_register_subject('public.person', 'id', 'name');
SELECT vedfolnir_set_policy('public.review', 'review_written_by_fkey', 'nullify');
SELECT vedfolnir_set_column('public.review', 'signed', 'NULL::text', edge => 'review_written_by_fkey');
SELECT vedfolnir_add_link('member', 'public.team', 'public.person', columns => '{members}', action => 'nullify');
SELECT vedfolnir_add_link('event_of', 'public.event', 'public.person', expression => '(data ->> ''person'')::bigint', action => 'delete');
SELECT vedfolnir_add_link('subscribed', 'public.newsletter', 'public.person', columns => '{mail}', parent_columns => '{mail}', action => 'delete');
\o

-- places(text): every place that holds the text, as relation and number of rows; rows are searched as a whole.
CREATE FUNCTION pg_temp.places(needle text) RETURNS TABLE (relation text, hits bigint) LANGUAGE plpgsql AS $$
DECLARE
    t regclass;
BEGIN
    FOR t IN SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.nspname, c.relname LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text, count(*) FROM %s t WHERE t::text ILIKE %L HAVING count(*) > 0', t::text, t, '%' || needle || '%');
    END LOOP;
END $$;

SELECT set_eq($$ SELECT relation FROM pg_temp.places('900001') $$, ARRAY['album', 'event', 'person', 'profile', 'review', 'team'],
              'the key is found where it is before the deletion');
SELECT set_eq($$ SELECT relation FROM pg_temp.places('quillon') $$, ARRAY['newsletter', 'person', 'photo', 'profile', 'review', 'tag'],
              'so is the name');
CREATE TEMP TABLE planned AS SELECT relation, via, action, row_count FROM vedfolnir_delete_user(900001);
SELECT set_eq($$ SELECT relation, via, action, row_count FROM vedfolnir_delete_user(900001, dry_run => false, reason => 'asked for') $$,
              $$ SELECT * FROM planned $$, 'the run does what the dry run said');

SELECT is_empty($$ SELECT * FROM pg_temp.places('900001') $$, 'no column of any table holds the key');
SELECT is_empty($$ SELECT * FROM pg_temp.places('quillon') $$, 'nor the name');
SELECT is_empty($$ SELECT * FROM pg_temp.places('reave') $$, 'nor a part of it');
SELECT is_empty($$ SELECT * FROM vedfolnir_verify_user(900001) $$, 'verify agrees');

-- Everybody else is as before.
SELECT results_eq($$ SELECT relation, hits FROM pg_temp.places('900002') ORDER BY 1 $$,
                  $$ VALUES ('album', 1::bigint), ('event', 1), ('person', 1), ('profile', 1), ('review', 1), ('team', 1) $$, 'the other person''s key is where it was');
SELECT results_eq($$ SELECT * FROM public.person $$, $$ VALUES (900002::bigint, 'Isolde Marr', 'isolde@example.org', NULL::bigint) $$, 'the other person lost the boss only');
SELECT results_eq($$ SELECT members FROM public.team $$, $$ VALUES ('{900002}'::bigint[]) $$, 'the team lost the member only');
SELECT results_eq($$ SELECT id, written_by, signed FROM public.review ORDER BY id $$,
                  $$ VALUES (1, NULL::bigint, NULL::text), (2, 900002, 'Isolde Marr') $$, 'the review stays without the person');
SELECT results_eq($$ SELECT count(*) FROM vedfolnir.deletion WHERE state = 'complete' $$, $$ VALUES (1::bigint) $$, 'one deletion is recorded, and complete');

SELECT * FROM finish();
ROLLBACK;

-- What is declared in one session means the same in every other, whatever its settings, and so does what a row names
-- outside the database: the key that is queued, and the one that a row which stays still names.
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, born date, seen timestamptz, made timestamp, avatar bytea);
CREATE TABLE app.visits (id int PRIMARY KEY, u int, day date);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, day date, span interval, share float8,
    CHECK (day < '2031-02-01'));
CREATE TABLE app."Files" (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, day date);
INSERT INTO app.users VALUES (1, '2020-02-01', '2020-02-01 23:30:00.5+00', '2020-02-01 10:00:00', '\xff00'),
    (2, 'infinity', '-infinity', '0044-03-15 10:00:00 BC', NULL), (3, '0044-03-15 BC', 'infinity', 'infinity', '\x');
INSERT INTO app.visits SELECT n, 1, DATE '2020-01-01' + n * 14 FROM generate_series(1, 5) n;
INSERT INTO app.notes VALUES (1, 1), (2, 2);
INSERT INTO app."Files" VALUES (1, 1, '2020-01-15'), (2, 1, '2020-02-01'), (3, 3, '2020-01-15');
SELECT vedfolnir_register_subject('app.users');
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
SELECT vedfolnir_add_link('early', 'app.visits', 'app.users', columns => '{u}', condition => 'day < ''03/02/2020''', action => 'delete');
SELECT vedfolnir_set_column('app.notes', 'day', 'DATE ''01/02/2030''', 'notes_u_fkey'),
       vedfolnir_set_column('app.notes', 'span', 'INTERVAL ''-1 day 2 hours''', 'notes_u_fkey'),
       vedfolnir_set_column('app.notes', 'share', 'FLOAT8 ''3.141592653589793''', 'notes_u_fkey');
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', '{born} {seen} {made} {avatar}'),
       vedfolnir_add_cleanup('app.users', 'redis_key', '{born}', 'day'), vedfolnir_add_cleanup('app.users', 'webhook', '{seen} {avatar}', 'hook'),
       vedfolnir_add_cleanup('app."Files"', 'file', '{day}');
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;
SELECT condition_parsed FROM vedfolnir.link;
SELECT column_name, parsed FROM vedfolnir.column_rule ORDER BY 1;
-- Names are quoted where they need it.
CREATE TABLE t.plan AS SELECT note, vedfolnir_policy_hash() AS policy FROM vedfolnir_delete_user(1) WHERE step = 1;
SET quote_all_identifiers = on;
SELECT note = (SELECT note FROM t.plan) AS same_plan, vedfolnir_policy_hash() = (SELECT policy FROM t.plan) AS same_policy FROM vedfolnir_delete_user(1) WHERE step = 1;
SELECT relation FROM vedfolnir_cleanup_sources() ORDER BY 1;
\c
SET search_path = app, public;
SET client_min_messages = warning;
SET quote_all_identifiers = on;
SELECT note = (SELECT note FROM t.plan) AS same_plan, vedfolnir_policy_hash() = (SELECT policy FROM t.plan) AS same_policy FROM vedfolnir_delete_user(1) WHERE step = 1;
SELECT relation, via FROM vedfolnir_delete_user(1) ORDER BY step;
SELECT code, message FROM t.refused('SELECT vedfolnir_set_policy(''app."Files"'', ''missing'', ''delete'')');
SHOW quote_all_identifiers;
SET datestyle = 'German';
SET timezone = 'Asia/Tokyo';
SET intervalstyle = 'sql_standard';
SET bytea_output = 'escape';
SELECT count(*) FROM vedfolnir_delete_user(1, false, plan_hash => (SELECT substring(note FROM 'plan_hash=([0-9a-f]+)') FROM t.plan));
SELECT relation FROM vedfolnir.audit_log ORDER BY 1;
CALL vedfolnir_delete_user_in_batches('2');
RESET ALL;
SET client_min_messages = warning;
SELECT count(*) FROM vedfolnir_delete_user(3, false);
SELECT DISTINCT relation FROM vedfolnir.audit_log ORDER BY 1;
-- 2020-01-15 was still named by the file of 3.
SELECT service, target FROM vedfolnir.cleanup_task ORDER BY id;
SELECT id, to_char(day, 'YYYY-MM-DD') AS day FROM app.visits ORDER BY 1;
SELECT u, to_char(day, 'YYYY-MM-DD') AS day, extract(epoch FROM span) AS span, share FROM app.notes ORDER BY id;
-- A key to reassign to is the same in all sessions too.
CREATE TABLE app.days (day date PRIMARY KEY);
CREATE TABLE app.plans (id int PRIMARY KEY, day date REFERENCES app.days);
INSERT INTO app.days VALUES ('2020-03-02'), ('2020-02-03'), ('2020-05-05');
INSERT INTO app.plans VALUES (1, '2020-05-05');
SELECT vedfolnir_register_subject('app.days', subject => 'day');
SET datestyle = 'SQL, DMY';
SELECT vedfolnir_set_policy('app.plans', 'plans_day_fkey', 'reassign', reassign_to => '02/03/2020', subject => 'day');
RESET datestyle;
SELECT reassign_to FROM vedfolnir.policy;
SELECT action, row_count FROM vedfolnir_delete_user('2020-05-05', false, subject => 'day') ORDER BY step;
SELECT to_char(day, 'YYYY-MM-DD') AS day FROM app.plans;
SELECT t.finish();

CREATE EXTENSION vedfolnir;

CREATE SCHEMA app;

CREATE TABLE app.users (id bigint PRIMARY KEY, name text UNIQUE, mentor bigint REFERENCES app.users ON DELETE SET NULL);

CREATE TABLE app.post (id int PRIMARY KEY, author bigint REFERENCES app.users ON DELETE CASCADE, title text DEFAULT 'none');

CREATE TABLE app.comment (id int PRIMARY KEY, post int REFERENCES app.post ON DELETE CASCADE, author bigint REFERENCES app.users ON DELETE CASCADE, up int REFERENCES app.comment ON DELETE CASCADE);

CREATE TABLE app.pair (a int, b int, owner bigint REFERENCES app.users, PRIMARY KEY (a, b));

CREATE TABLE app.pair_item (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES app.pair ON DELETE CASCADE);

CREATE TABLE app.folder (id int PRIMARY KEY, owner bigint REFERENCES app.users ON DELETE CASCADE, doc int);

CREATE TABLE app.doc (id int PRIMARY KEY, folder int NOT NULL REFERENCES app.folder ON DELETE RESTRICT);

ALTER TABLE app.folder ADD CONSTRAINT folder_doc FOREIGN KEY (doc) REFERENCES app.doc ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE app.event (id int, at int, actor bigint REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);

CREATE TABLE app.event_1 PARTITION OF app.event FOR VALUES FROM (0) TO (10);

CREATE TABLE app.event_2 PARTITION OF app.event FOR VALUES FROM (10) TO (20);

CREATE TABLE app.edit (id int PRIMARY KEY, editor bigint DEFAULT 1 REFERENCES app.users, checker bigint DEFAULT 1 REFERENCES app.users ON DELETE SET DEFAULT, note text);

CREATE TABLE app.log (who text, members bigint[], what text);

CREATE TABLE app.session (id uuid PRIMARY KEY, person bigint REFERENCES app.users ON DELETE CASCADE, key text);

CREATE TABLE app.account (id uuid PRIMARY KEY, email text, active bool DEFAULT true);

CREATE TABLE app.bill (id int PRIMARY KEY, account uuid NOT NULL REFERENCES app.account, payer text);

CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.title = 'stop' THEN RAISE EXCEPTION 'stopped'; END IF; RETURN OLD; END $$;

CREATE TRIGGER touch BEFORE DELETE ON app.post FOR EACH ROW EXECUTE FUNCTION app.touch();

CREATE TRIGGER after AFTER DELETE ON app.post FOR EACH ROW EXECUTE FUNCTION app.touch();

INSERT INTO app.users SELECT g, 'name ' || g, NULL FROM generate_series(1, 60) g;

UPDATE app.users SET mentor = id - 1 WHERE id > 1;

INSERT INTO app.post SELECT g, g % 60 + 1, 'title ' || g FROM generate_series(1, 600) g;

INSERT INTO app.comment SELECT g, g % 600 + 1, g * 7 % 60 + 1, CASE WHEN g > 1 THEN g / 2 END FROM generate_series(1, 900) g;

INSERT INTO app.pair SELECT g, g, g FROM generate_series(1, 60) g;

INSERT INTO app.pair_item SELECT g, g, g FROM generate_series(1, 60) g;

INSERT INTO app.folder SELECT g, g, NULL FROM generate_series(1, 60) g;

INSERT INTO app.doc SELECT g, g FROM generate_series(1, 60) g;

UPDATE app.folder SET doc = CASE WHEN id % 2 = 0 THEN id ELSE NULL END;

INSERT INTO app.event SELECT g, g % 20, g % 60 + 1 FROM generate_series(1, 200) g;

INSERT INTO app.edit SELECT g, g, g % 60 + 1, 'by ' || g FROM generate_series(1, 60) g;

INSERT INTO app.log SELECT g::text, ARRAY[g, g + 1]::bigint[], 'x' FROM generate_series(1, 59) g;

INSERT INTO app.session SELECT ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid, g % 60 + 1, 'k*' || g FROM generate_series(1, 120) g;

INSERT INTO app.account SELECT ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid, 'a' || g || '@example.org' FROM generate_series(1, 9) g;

INSERT INTO app.bill SELECT g, ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid, 'payer ' || g FROM generate_series(1, 9) g;

SELECT vedfolnir_register_subject('app.users', 'id', 'name');

SELECT * FROM vedfolnir_suggest_policies();

SELECT * FROM vedfolnir_delete_user(3);

SELECT * FROM vedfolnir_delete_user(3, dry_run => false);

SELECT vedfolnir_set_policy('app.pair', 'pair_owner_fkey', 'delete');

SELECT vedfolnir_set_policy('app.edit', 'edit_editor_fkey', 'reassign', reassign_to => '1');

SELECT vedfolnir_set_policy('app.edit', 'edit_editor_fkey', 'reassign', reassign_to => 'nobody');

SELECT vedfolnir_set_policy('app.edit', 'edit_editor_fkey', 'sideways');

SELECT vedfolnir_set_policy('app.edit', 'no_such_key', 'delete');

SELECT vedfolnir_set_policy('app.comment', 'comment_author_fkey', 'delete', collateral => 'delete');

SELECT vedfolnir_set_policy('app.comment', 'comment_post_fkey', 'delete', collateral => 'delete');

SELECT vedfolnir_set_policy('app.comment', 'comment_up_fkey', 'delete', collateral => 'delete');

SELECT vedfolnir_set_policy('app.doc', 'doc_folder_fkey', 'delete', reason => 'documents go with their folder');

SELECT vedfolnir_set_column('app.edit', 'note', '''by somebody''', 'edit_editor_fkey');

SELECT vedfolnir_set_column('app.edit', 'note', 'no_such_column', 'edit_editor_fkey');

SELECT vedfolnir_set_column('app.edit', 'note', '(SELECT 1)', 'edit_editor_fkey');

SELECT vedfolnir_add_link('log_who', 'app.log', 'app.users', ARRAY['who']::name[], action => 'delete');

SELECT vedfolnir_add_link('log_members', 'app.log', 'app.users', ARRAY['members']::name[], action => 'nullify');

SELECT vedfolnir_add_link('log_what', 'app.log', 'app.users', expression => 'what || ''x''', action => 'retain');

SELECT vedfolnir_add_link('log_bad', 'app.log', 'app.users', expression => 'no_such_column');

SELECT vedfolnir_add_cleanup('app.post', 'file', 'posts/{id}/{title}.txt');

SELECT vedfolnir_add_cleanup('app.post', 'directory', 'posts/{id}');

SELECT vedfolnir_add_cleanup('app.session', 'redis_key', 'session:{key}', on_expire => 'delete');

SELECT vedfolnir_add_cleanup('app.session', 'redis_pattern', 'session:{key}:*', on_expire => 'enqueue');

SELECT vedfolnir_add_cleanup('app.users', 'identity', 'realm/{id}');

SELECT vedfolnir_add_cleanup('app.users', 'webhook', 'deleted/{name}');

SELECT vedfolnir_add_cleanup('app.users', 'file', '= ''u/'' || id');

SELECT vedfolnir_add_cleanup('app.users', 'file', 'u/{no_such_column}');

SELECT vedfolnir_add_cleanup('app.users', 'file', 'u/{id');

SELECT vedfolnir_register_subject('app.account', 'id', 'email', 'tombstone', 'account');

SELECT vedfolnir_register_subject('app.pair', subject => 'pair');

SELECT vedfolnir_register_subject('app.log', subject => 'log');

SELECT vedfolnir_set_column('app.account', 'email', 'NULL', subject => 'account');

SELECT vedfolnir_set_column('app.account', 'active', 'false', subject => 'account');

SELECT vedfolnir_set_policy('app.bill', 'bill_account_fkey', 'retain', 'kept by law', subject => 'account');

SELECT vedfolnir_set_column('app.bill', 'payer', '''somebody''', 'bill_account_fkey', 'account');

SELECT * FROM vedfolnir_apply_suggestions();

SELECT * FROM vedfolnir_apply_suggestions('account');

SELECT * FROM vedfolnir_delete_user(3);

SELECT * FROM vedfolnir_delete_user(3, dry_run => false, reason => 'ticket 1', request_id => '00000000-0000-0000-0000-00000000000a');

SELECT * FROM vedfolnir_delete_user(3, dry_run => false, reason => 'ticket 1', request_id => '00000000-0000-0000-0000-00000000000a');

SELECT * FROM vedfolnir_delete_user(4, dry_run => false, request_id => '00000000-0000-0000-0000-00000000000a');

SELECT * FROM vedfolnir_delete_user(3, dry_run => false);

SELECT vedfolnir_last_deletion();

SELECT * FROM vedfolnir_verify_user(3);

SELECT * FROM vedfolnir_verify_user('x'::text);

SELECT * FROM vedfolnir_delete_user(4, dry_run => false, plan_hash => '00');

SELECT * FROM vedfolnir_delete_user(4, dry_run => false, reason => 'name 4 wants it');

SELECT * FROM vedfolnir_delete_user(999);

SELECT * FROM vedfolnir_delete_user(NULL::bigint);

SELECT * FROM vedfolnir_delete_user('99999999999999999999'::text);

SELECT * FROM vedfolnir_delete_user('00000000-0000-0000-0000-00000000000a'::uuid);

SELECT * FROM vedfolnir_delete_user(4, subject => 'nothing');

SELECT * FROM vedfolnir_delete_user_by_name('name 5', dry_run => false);

SELECT * FROM vedfolnir_delete_user_by_name('nobody');

SELECT * FROM vedfolnir_delete_users(ARRAY['6', '7', '8', '7']);

SELECT * FROM vedfolnir_delete_users(ARRAY['8', '7', '6', '7'], dry_run => false);

SELECT * FROM vedfolnir_delete_users(ARRAY['9', NULL]);

SELECT * FROM vedfolnir_delete_users(ARRAY['9', '999']);

SELECT * FROM vedfolnir_delete_users(ARRAY[]::text[], dry_run => false);

SELECT * FROM vedfolnir_expire_sessions(10);

SELECT * FROM vedfolnir_expire_sessions(10, dry_run => false);

SELECT * FROM vedfolnir_delete_user('00000000-0000-0000-0000-000000000001'::uuid, dry_run => false, subject => 'account');

SELECT * FROM vedfolnir_delete_user('00000000-0000-0000-0000-000000000001'::uuid, dry_run => false, subject => 'account');

SELECT * FROM vedfolnir_verify_user('00000000-0000-0000-0000-000000000001'::uuid, subject => 'account');

SELECT * FROM vedfolnir_delete_users(ARRAY['00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000003'], dry_run => false, subject => 'account');

UPDATE app.post SET title = 'stop' WHERE author = 11;

SELECT * FROM vedfolnir_delete_user(11, dry_run => false);

DO $$ BEGIN PERFORM vedfolnir_delete_user(11, dry_run => false); EXCEPTION WHEN OTHERS THEN PERFORM vedfolnir_delete_user(12, dry_run => false); END $$;

SET vedfolnir.fast_ri = off;

SELECT * FROM vedfolnir_delete_user(13, dry_run => false);

RESET vedfolnir.fast_ri;

SET vedfolnir.prove_all = on;

SELECT * FROM vedfolnir_delete_user(14, dry_run => false);

RESET vedfolnir.prove_all;

SET vedfolnir.strict = on;

SELECT * FROM vedfolnir_delete_user(15);

RESET vedfolnir.strict;

SET vedfolnir.max_rows = 3;

SELECT * FROM vedfolnir_delete_user(15, dry_run => false);

RESET vedfolnir.max_rows;

SET vedfolnir.actor = '16';

SELECT * FROM vedfolnir_delete_user(15, dry_run => false);

SET work_mem = 64;

SELECT * FROM vedfolnir_delete_users((SELECT array_agg(g::text) FROM generate_series(20, 40) g), dry_run => false);

RESET work_mem;

ALTER TABLE app.comment DISABLE TRIGGER ALL;

SELECT * FROM vedfolnir_delete_user(41, dry_run => false);

ALTER TABLE app.comment ENABLE TRIGGER ALL;

ALTER TABLE app.post ADD COLUMN extra int;

SELECT * FROM vedfolnir_delete_user(41, dry_run => false);

BEGIN;

SELECT * FROM vedfolnir_delete_user(42, dry_run => false);

ROLLBACK;

BEGIN ISOLATION LEVEL REPEATABLE READ;

SELECT * FROM vedfolnir_delete_user(42, dry_run => false);

COMMIT;

SET statement_timeout = 1;

SELECT * FROM vedfolnir_delete_users((SELECT array_agg(g::text) FROM generate_series(43, 50) g), dry_run => false);

RESET statement_timeout;

SELECT * FROM vedfolnir_claim_tasks('w', 5, '1 min');

SELECT vedfolnir_finish_tasks((SELECT array_agg(id) FROM vedfolnir.cleanup_task WHERE id IN (1, 2)), (SELECT array_agg(fence) FROM vedfolnir.cleanup_task WHERE id IN (1, 2)), ARRAY['done', 'skipped']);

SELECT vedfolnir_fail_task(3, (SELECT fence FROM vedfolnir.cleanup_task WHERE id = 3), 'it failed', false, '1 s');

SELECT vedfolnir_fail_task(4, (SELECT fence FROM vedfolnir.cleanup_task WHERE id = 4), 'it failed for ever', true);

SELECT * FROM vedfolnir_targets_in_use(ARRAY[5]::bigint[]);

SELECT vedfolnir_retry_tasks(ARRAY[4]::bigint[]);

SELECT vedfolnir_abandon_tasks(ARRAY[4]::bigint[], 'given up');

SELECT vedfolnir_unlock_worker('w');

SELECT * FROM vedfolnir_check();

SELECT * FROM vedfolnir_check('account', sample_values => true);

SELECT vedfolnir_assert_check();

SELECT vedfolnir_policy_hash('account');

SELECT vedfolnir_hold('51', 'a law suit');

SELECT * FROM vedfolnir_delete_user(51, dry_run => false);

SELECT vedfolnir_release('51', 'settled');

SELECT vedfolnir_dismiss_candidate('app.edit', 'id', 'no reference');

SELECT count(*) FROM vedfolnir_check(sample_values => true);

SELECT vedfolnir_remove_dismissal('app.edit', 'id');

SELECT vedfolnir_forget('app.edit', 'edit_editor_fkey');

SELECT * FROM vedfolnir_paths_in_use(5, 1, ARRAY['posts/1']);

SELECT * FROM vedfolnir_cleanup_sources();

SELECT vedfolnir_worker_heartbeat('w', '1.0', now(), 1, 1, 0);

SELECT vedfolnir_prune_tasks('1 s');

SELECT vedfolnir.normalise_target('file', '/a/../b'), vedfolnir.normalise_target('file', 'a//b/./c');

CREATE ROLE duty;

SELECT vedfolnir_grant('duty', 'operator');

SELECT vedfolnir_grant('duty', 'king');

SELECT vedfolnir_revoke('duty', 'operator');

ALTER TABLE app.comment RENAME TO remark;

SELECT * FROM vedfolnir_delete_user(43, dry_run => false);

DROP TABLE app.pair_item;

SELECT * FROM vedfolnir_delete_user(44);

SELECT count(*) FROM app.users;

SELECT state, count(*) FROM vedfolnir.deletion GROUP BY state;

SELECT vedfolnir.live_plans();


-- A deletion in several transactions leaves the same rows and adds up to the same audit as one in a single transaction.
\set ECHO none
\i test/support/regress.sql
\set VERBOSITY terse
\set SHOW_CONTEXT never
-- A self reference, a cycle, partitions, composite keys, references to clear, a link, collateral that is accepted, tasks,
-- a mirror. Rows of three persons lie side by side in every block.
CREATE FUNCTION t.build() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.fresh();
    CREATE TABLE app.users (id int PRIMARY KEY, name text, favourite int);
    CREATE TABLE app.sessions (token text PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE CASCADE);
    CREATE TABLE app.folders (id int PRIMARY KEY, owner int REFERENCES app.users ON DELETE CASCADE, above int REFERENCES app.folders ON DELETE CASCADE);
    CREATE TABLE app.files (id int PRIMARY KEY, folder int REFERENCES app.folders ON DELETE CASCADE, path text);
    CREATE TABLE app.a (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, b int);
    CREATE TABLE app.b (id int PRIMARY KEY, a int REFERENCES app.a ON DELETE CASCADE);
    ALTER TABLE app.a ADD FOREIGN KEY (b) REFERENCES app.b ON DELETE CASCADE;
    CREATE TABLE app.orders (shop int, no int, u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (shop, no));
    CREATE TABLE app.lines (shop int, no int, line int, PRIMARY KEY (shop, no, line), FOREIGN KEY (shop, no) REFERENCES app.orders ON DELETE CASCADE);
    CREATE TABLE app.events (id int, at int, u int REFERENCES app.users ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE app.events_0 PARTITION OF app.events FOR VALUES FROM (0) TO (10);
    CREATE TABLE app.events_1 (u int, at int NOT NULL, junk text, id int NOT NULL);
    ALTER TABLE app.events_1 DROP COLUMN junk;
    ALTER TABLE app.events ATTACH PARTITION app.events_1 FOR VALUES FROM (10) TO (20);
    CREATE TABLE app.details (event int, at int, note text, FOREIGN KEY (event, at) REFERENCES app.events ON DELETE CASCADE);
    CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE);
    CREATE TABLE app.replies (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE, author int REFERENCES app.users ON DELETE CASCADE);
    CREATE TABLE app.quotes (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE SET NULL, editor int REFERENCES app.users ON DELETE SET NULL,
                             CHECK ((post IS NULL) = (editor IS NULL)));
    CREATE TABLE app.tags (kind text, target int);
    CREATE TABLE app.gone (id int, at timestamptz DEFAULT now());
    INSERT INTO app.users SELECT g, 'user' || g FROM generate_series(1, 3) g;
    INSERT INTO app.sessions SELECT 's' || g, 1 + g % 3 FROM generate_series(1, 90) g;
    INSERT INTO app.folders SELECT g, CASE WHEN g <= 30 THEN 1 + g % 3 END, CASE WHEN g > 30 THEN g - 30 END FROM generate_series(1, 120) g;
    INSERT INTO app.files SELECT g, 1 + g % 120, 'f/' || g % 200 FROM generate_series(1, 360) g;
    INSERT INTO app.a SELECT g, CASE WHEN g <= 30 THEN 1 + g % 3 END FROM generate_series(1, 60) g;
    INSERT INTO app.b SELECT g, g FROM generate_series(1, 60) g;
    UPDATE app.a SET b = id - 30 WHERE id > 30;
    INSERT INTO app.orders SELECT 1 + g % 2, g, 1 + g % 3 FROM generate_series(1, 90) g;
    INSERT INTO app.lines SELECT shop, no, l FROM app.orders, generate_series(1, 3) l;
    INSERT INTO app.events SELECT g, g % 20, 1 + g % 3 FROM generate_series(1, 300) g;
    INSERT INTO app.details SELECT id, at, 'd' || d FROM app.events, generate_series(1, 2) d;
    INSERT INTO app.posts SELECT g, 1 + g % 3 FROM generate_series(1, 60) g;
    INSERT INTO app.replies SELECT g, 1 + g % 60, 1 + g % 2 FROM generate_series(1, 240) g;
    INSERT INTO app.quotes SELECT g, 3 * g - 1, 1 + (3 * g - 1) % 3 FROM generate_series(1, 15) g;
    INSERT INTO app.tags SELECT 'post', 1 + g % 60 FROM generate_series(1, 120) g;
    INSERT INTO app.tags SELECT 'other', g FROM generate_series(1, 60) g;
    PERFORM vedfolnir_register_subject('app.users', label_column => 'name');
    PERFORM vedfolnir_set_policy('app.replies', 'replies_post_fkey', 'delete', collateral => 'delete');
    PERFORM vedfolnir_set_policy('app.replies', 'replies_author_fkey', 'delete', collateral => 'delete');
    PERFORM vedfolnir_add_link('tags_of_posts', 'app.tags', 'app.posts', columns => '{target}', condition => 'kind = ''post''', action => 'delete');
    PERFORM vedfolnir_add_cleanup('app.sessions', 'redis_key', 'session:{token}', 'redis');
    PERFORM vedfolnir_add_cleanup('app.files', 'file', '{path}', 'disk');
    PERFORM vedfolnir_add_cleanup('app.posts', 'redis_key', 'posts-of:{author}', 'redis');
    PERFORM vedfolnir_add_cleanup('app.users', 'identity', 'realm/{id}', 'sso');
    PERFORM vedfolnir_add_mirror('app.replies', 'app.gone', '{"at": "now()"}');
    IF current_setting('t.extra', true) <> '' THEN EXECUTE current_setting('t.extra'); END IF;
END $$;
CREATE FUNCTION t.audit() RETURNS TABLE (relation text, action text, row_count bigint) LANGUAGE sql AS
    $$ SELECT relation, action, sum(row_count)::bigint FROM vedfolnir.audit_log GROUP BY 1, 2 $$;
CREATE FUNCTION t.tasks() RETURNS TABLE (phase int, kind text, operation text, service text, target text, tasks bigint) LANGUAGE sql AS
    $$ SELECT phase, kind, operation, service, target, count(*) FROM vedfolnir.cleanup_task GROUP BY 1, 2, 3, 4, 5 $$;
-- The tables but for the time of the copies.
CREATE FUNCTION t.left_over() RETURNS TABLE (relation text, row_count bigint, hash text) LANGUAGE plpgsql AS
    $$ BEGIN IF to_regclass('app.gone') IS NOT NULL THEN UPDATE app.gone SET at = NULL; END IF; RETURN QUERY SELECT * FROM t.state(); END $$;
CREATE TABLE t.seen AS SELECT NULL::text AS what, NULL::jsonb AS rows LIMIT 0;
-- What differs from what was seen after the single transaction.
CREATE FUNCTION t.differs() RETURNS TABLE (what text, line jsonb) LANGUAGE sql AS $$
    WITH now AS (SELECT 'audit' AS what, to_jsonb(x) AS line FROM t.audit() x UNION ALL SELECT 'task', to_jsonb(x) FROM t.tasks() x
                 UNION ALL SELECT 'table', to_jsonb(x) FROM t.left_over() x UNION ALL SELECT 'orphans', to_jsonb(x) FROM t.orphans() x),
         was AS (SELECT s.what, e AS line FROM t.seen s, jsonb_array_elements(s.rows) e)
    SELECT '+ ' || what, line FROM (TABLE now EXCEPT ALL TABLE was) x UNION ALL
    SELECT '- ' || what, line FROM (TABLE was EXCEPT ALL TABLE now) x
$$;
CREATE FUNCTION t.single(person text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.build();
    PERFORM vedfolnir_delete_user(person, false);
    DELETE FROM t.seen;
    INSERT INTO t.seen SELECT 'audit', jsonb_agg(to_jsonb(x)) FROM t.audit() x UNION ALL
        SELECT 'task', jsonb_agg(to_jsonb(x)) FROM t.tasks() x UNION ALL SELECT 'table', jsonb_agg(to_jsonb(x)) FROM t.left_over() x;
    PERFORM t.build();
END $$;
\set ECHO all

-- Batches of 7 rows, each with its own audit; cycles and what hangs on references to clear are in the last transaction
SELECT t.single('1') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 7, reason => 'ticket 7');
SELECT * FROM t.differs();
SELECT state, mode, reason, completed_at IS NULL AS open, plan_hash IS NOT NULL AS hash FROM vedfolnir.deletion;
SELECT count(DISTINCT (xmin::text)) > 60 AS many_transactions, max(row_count) FILTER (WHERE xmin::text <> (SELECT max(xmin::text::bigint)::text FROM vedfolnir.audit_log)) AS largest_batch
  FROM vedfolnir.audit_log;
SELECT relation, action, row_count FROM vedfolnir.audit_log a WHERE xmin::text::bigint = (SELECT max(xmin::text::bigint) FROM vedfolnir.audit_log) ORDER BY 1, 2;
SELECT relation, action, t.masked(note) FROM vedfolnir_delete_user('1', false);
CALL vedfolnir_delete_user_in_batches('1', 7);

-- One row a batch; batches larger than all of it; the default
SELECT t.single('3') \g /dev/null
SET client_min_messages = error;
CALL vedfolnir_delete_user_in_batches('3', 1);
SELECT * FROM t.differs();
SELECT relation, action, row_count FROM vedfolnir.audit_log a WHERE xmin::text::bigint = (SELECT max(xmin::text::bigint) FROM vedfolnir.audit_log) ORDER BY 1, 2;
SELECT t.single('2') \g /dev/null
CALL vedfolnir_delete_user_in_batches('2');
SELECT * FROM t.differs();
SELECT count(DISTINCT (xmin::text)) FROM vedfolnir.audit_log;
RESET client_min_messages;

-- A budget of rows: state running; what is left is deleted by a later call, or by the ordinary one
SELECT t.single('1') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 120);
SELECT d.state, (SELECT sum(row_count) FROM vedfolnir.audit_log) FROM vedfolnir.deletion d;
SELECT code, regexp_replace(message, 'since .*', 'since ...') AS message FROM vedfolnir_check() WHERE code = 'running';
SELECT kind, relation, t.masked(note) FROM vedfolnir_verify_user(1) WHERE relation = 'app.users' AND kind = 'row';
SELECT relation, action, row_count, t.masked(note) FROM vedfolnir_delete_user(1) WHERE step = 1;
CALL vedfolnir_delete_user_in_batches('1', 100, max_rows => 1);
SELECT sum(row_count) FROM vedfolnir.audit_log;
CALL vedfolnir_delete_user_in_batches('1', 100);
SELECT * FROM t.differs();
SELECT count(*), min(state) FROM vedfolnir.deletion;
SELECT t.single('1') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 120);
SELECT relation, action, row_count FROM vedfolnir_delete_user(1, false) WHERE step = 1;
SELECT * FROM t.differs();
SELECT count(*), min(state) FROM vedfolnir.deletion;
SELECT t.build() \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 120);
SELECT action, sum(row_count) FROM vedfolnir_delete_users('{1,2}', false) GROUP BY 1 ORDER BY 1;
SELECT count(*), count(DISTINCT pseudonym), min(state), max(state) FROM vedfolnir.deletion;

-- Triggers that delete rows of the walk by hand, and that change them: no row goes without audit or without its task
CREATE FUNCTION t.by_hand() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN DELETE FROM app.files f USING app.folders d WHERE d.id = f.folder AND d.owner = OLD.u; RETURN OLD; END $$;
CREATE FUNCTION t.counts_up() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE app.orders SET u = u WHERE shop = OLD.shop AND no = OLD.no; RETURN OLD; END $$;
SET t.extra = 'CREATE TRIGGER by_hand AFTER DELETE ON app.sessions FOR EACH ROW EXECUTE FUNCTION t.by_hand();
    CREATE TRIGGER counts_up AFTER DELETE ON app.lines FOR EACH ROW EXECUTE FUNCTION t.counts_up()';
SELECT t.single('1') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 20);
SELECT * FROM t.differs();
SELECT relation, count(*) > 1 AS in_batches FROM vedfolnir.audit_log WHERE relation IN ('app.sessions', 'app.lines') GROUP BY 1 ORDER BY 1;
RESET t.extra;

-- An error inside a batch ends the call and nothing else
CREATE FUNCTION t.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
SELECT t.single('1') \g /dev/null
CREATE TRIGGER fails BEFORE DELETE ON app.orders FOR EACH ROW WHEN (OLD.no = 45) EXECUTE FUNCTION t.fails();
CALL vedfolnir_delete_user_in_batches('1', 10);
SELECT state, (SELECT count(*) > 5 FROM vedfolnir.audit_log) AS batches FROM vedfolnir.deletion;
DROP TRIGGER fails ON app.orders;
CALL vedfolnir_delete_user_in_batches('1', 10);
SELECT * FROM t.differs();

-- A budget of time
SELECT t.build() \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 5, max_duration => '1 microsecond');
SELECT count(*) FROM app.users;

-- While it is running: tasks of sessions and files may be claimed, identities wait for the last transaction
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 300);
INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) SELECT id, 4, 'identity', 'delete', 'x', 'realm/1' FROM vedfolnir.deletion;
SELECT kind, operation, count(*) FROM vedfolnir_claim_tasks('w', 1000, '1 minute') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) > 0 AS settled FROM (SELECT vedfolnir_finish_tasks(array_agg(id), array_agg(fence), array_agg('done'::text)) FROM vedfolnir.cleanup_task WHERE state = 'running') x;
SELECT kind, count(*) FROM vedfolnir_claim_tasks('w', 1000, '1 minute') GROUP BY 1 ORDER BY 1;
SELECT state FROM vedfolnir.deletion;
SET client_min_messages = error;
CALL vedfolnir_delete_user_in_batches('1', 50);
RESET client_min_messages;
SELECT state FROM vedfolnir.deletion;

-- A hold that was set meanwhile stops the next batch, and the ordinary call
SELECT t.build() \g /dev/null
\set VERBOSITY sqlstate
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 120);
SELECT vedfolnir_hold('1', 'case 9') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 50);
SELECT count(*) FROM vedfolnir_delete_user('1', false);
SELECT state FROM vedfolnir.deletion;
SELECT vedfolnir_release('1', 'over') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 50);
SELECT state FROM vedfolnir.deletion;

-- Everything is checked before the first batch: a blocker, collateral, the limit, the reason, the key, the duty
SELECT t.build() \g /dev/null
CREATE TABLE app.held (u int REFERENCES app.users);
INSERT INTO app.held VALUES (1);
CALL vedfolnir_delete_user_in_batches('1', 5);
DROP TABLE app.held;
SELECT vedfolnir_set_policy('app.replies', 'replies_post_fkey', 'delete') \g /dev/null
CALL vedfolnir_delete_user_in_batches('1', 5);
SELECT vedfolnir_set_policy('app.replies', 'replies_post_fkey', 'delete', collateral => 'delete') \g /dev/null
SET vedfolnir.max_rows = 100;
CALL vedfolnir_delete_user_in_batches('1', 5);
RESET vedfolnir.max_rows;
CALL vedfolnir_delete_user_in_batches('1', 5, reason => 'user1 asked');
CALL vedfolnir_delete_user_in_batches('99', 5);
CALL vedfolnir_delete_user_in_batches('x', 5);
CALL vedfolnir_delete_user_in_batches('1', 5, subject => 'nobody');
CREATE ROLE batches_operator;
SET ROLE batches_operator;
CALL vedfolnir_delete_user_in_batches('1', 5);
RESET ROLE;
SELECT vedfolnir_grant('batches_operator', 'operator') \g /dev/null
GRANT USAGE ON SCHEMA app TO batches_operator;
SET ROLE batches_operator;
CALL vedfolnir_delete_user_in_batches('1', 5);
RESET ROLE;
SET session_replication_role = replica;
CALL vedfolnir_delete_user_in_batches('1', 5);
RESET session_replication_role;
SELECT count(*) FROM vedfolnir.deletion;
SELECT count(*) FROM app.sessions;

-- The operator needs DELETE on the root table only
GRANT DELETE ON app.users TO batches_operator;
SET ROLE batches_operator;
SET client_min_messages = error;
CALL vedfolnir_delete_user_in_batches('1', 50);
RESET client_min_messages;
RESET ROLE;
SELECT state, "current_user" = 'batches_operator' AS recorded FROM vedfolnir.deletion;
SELECT vedfolnir_revoke('batches_operator', 'operator') \g /dev/null
DROP OWNED BY batches_operator;
DROP ROLE batches_operator;

-- Arguments
CALL vedfolnir_delete_user_in_batches(NULL);
CALL vedfolnir_delete_user_in_batches('2', NULL);
CALL vedfolnir_delete_user_in_batches('2', subject => NULL);
CALL vedfolnir_delete_user_in_batches('2', 0);
CALL vedfolnir_delete_user_in_batches('2', max_rows => 0);
CALL vedfolnir_delete_user_in_batches('2', max_duration => '0');
CALL vedfolnir_delete_user_in_batches('2', max_lag => '-1 s');
SELECT vedfolnir_delete_user_in_batches('2');

-- It commits by itself, so it needs transactions of its own
\set VERBOSITY default
BEGIN;
CALL vedfolnir_delete_user_in_batches('2');
ROLLBACK;
CREATE FUNCTION t.calls() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL vedfolnir_delete_user_in_batches('2'); END $$;
\set VERBOSITY sqlstate
SELECT t.calls();
DO $$ BEGIN CALL vedfolnir_delete_user_in_batches('2', 50); END $$;
SELECT count(*) FROM app.users;

-- A request: the answer is had once; another person's request is refused
SELECT t.build() \g /dev/null
SET client_min_messages = error;
CALL vedfolnir_delete_user_in_batches('1', 50, request_id => '00000000-0000-0000-0000-000000000057', max_rows => 120);
CALL vedfolnir_delete_user_in_batches('2', 50, request_id => '00000000-0000-0000-0000-000000000057');
CALL vedfolnir_delete_user_in_batches('1', 50, request_id => '00000000-0000-0000-0000-000000000057');
CALL vedfolnir_delete_user_in_batches('1', 50, request_id => '00000000-0000-0000-0000-000000000057');
CALL vedfolnir_delete_user_in_batches('2', 50, request_id => '00000000-0000-0000-0000-000000000057');
SELECT count(*), min(state) FROM vedfolnir.deletion;
SELECT count(*) FROM app.users;

-- Somebody deleted what batches had left
CALL vedfolnir_delete_user_in_batches('3', 50, max_rows => 120);
ALTER TABLE app.quotes DROP CONSTRAINT quotes_check;
DELETE FROM app.users WHERE id = 3;
DELETE FROM app.tags WHERE kind = 'post' AND target NOT IN (SELECT id FROM app.posts);
SELECT state FROM vedfolnir.deletion WHERE state = 'running';
CALL vedfolnir_delete_user_in_batches('3', 50);
SELECT count(*) FROM vedfolnir.deletion WHERE state = 'running';
RESET client_min_messages;

-- A tombstone stays, and is changed once, by the last transaction
SELECT t.build() \g /dev/null
SELECT vedfolnir_register_subject('app.users', label_column => 'name', mode => 'tombstone') \g /dev/null
SELECT vedfolnir_set_column('app.users', 'name', 'name || ''!''') \g /dev/null
SET client_min_messages = error;
CALL vedfolnir_delete_user_in_batches('1', 50, max_rows => 120);
SELECT name FROM app.users WHERE id = 1;
CALL vedfolnir_delete_user_in_batches('1', 50);
SELECT name FROM app.users WHERE id = 1;
SELECT relation, action, row_count FROM vedfolnir.audit_log WHERE action = 'tombstone';
SELECT * FROM t.orphans();
SELECT relation, action FROM vedfolnir_delete_user(1, false);
CALL vedfolnir_delete_user_in_batches('1', 50);


\set ECHO none
SELECT t.finish() \g /dev/null
DROP SCHEMA t CASCADE;

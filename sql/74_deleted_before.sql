-- A call for several people, some of whom were deleted before: what came since goes, and nobody is called deleted of whom something is left
-- (design 2.1, R27, R30).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.notes (u int);
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.notes SELECT generate_series(1, 9);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('of_user', 'app.notes', 'app.users', columns => '{u}', action => 'delete');
CREATE VIEW t.notes AS SELECT string_agg(u::text, ' ' ORDER BY u) FROM app.notes;
CREATE FUNCTION t.steps(keys text[], dry boolean, hash text DEFAULT NULL, request uuid DEFAULT NULL) RETURNS TABLE (step int, relation text, via text, action text, row_count bigint, hash text)
LANGUAGE sql AS $$
    SELECT s.step, s.relation, s.via, s.action, s.row_count, substring(s.note FROM 'plan_hash=([0-9a-f]{64})') FROM vedfolnir_delete_users(keys, dry, plan_hash => hash, request_id => request) s
$$;
SELECT count(*) FROM vedfolnir_delete_users('{1,2}', false);
INSERT INTO app.notes VALUES (1), (1), (2);
-- Late rows of 1 beside a person who is there: the dry run shows them, with one hash over all of it.
SELECT step, relation, via, action, row_count, hash IS NOT NULL FROM t.steps('{1,3}', true);
SELECT hash FROM t.steps('{1,3}', true) WHERE step = 1 \gset
INSERT INTO app.notes VALUES (1);
SELECT code FROM t.refused(format('SELECT * FROM t.steps(%L, false, %L)', '{1,3}', :'hash'));
DELETE FROM app.notes WHERE ctid = (SELECT max(ctid) FROM app.notes WHERE u = 1);
BEGIN;
SELECT step, relation, via, action, row_count, hash = :'hash' FROM t.steps('{1,3}', false, :'hash', '74000000-0000-0000-0000-000000000001');
SELECT r.deletion_id = vedfolnir_last_deletion(), d.request_id = r.request_id FROM vedfolnir.request r JOIN vedfolnir.deletion d ON d.id = r.deletion_id;
COMMIT;
SELECT step, relation, via, action, row_count FROM t.steps('{1,3}', false, :'hash', '74000000-0000-0000-0000-000000000001');
TABLE t.notes;
-- Each has a deletion of its own, of the second one of 1 as well.
SELECT count(*), count(DISTINCT pseudonym) FROM vedfolnir.deletion;
-- Only people who were deleted before: one has something left, the other is answered.
SELECT step, relation, via, action, row_count, hash IS NOT NULL FROM t.steps('{1,2}', true);
SELECT hash FROM t.steps('{1,2}', true) WHERE step = 2 \gset
SELECT step, relation, via, action, row_count, hash = :'hash' FROM t.steps('{1,2}', false, :'hash');
SELECT step, relation, action FROM t.steps('{1,2}', false);
TABLE t.notes;
-- The request is answered with the deletion that was made, not with an old one.
INSERT INTO app.notes VALUES (2);
BEGIN;
SELECT step, relation, action FROM t.steps('{1,2}', false, NULL, '74000000-0000-0000-0000-000000000002');
SELECT r.deletion_id = vedfolnir_last_deletion(), d.pseudonym IS NOT NULL FROM vedfolnir.request r LEFT JOIN vedfolnir.deletion d ON d.id = r.deletion_id AND d.request_id = r.request_id
WHERE r.request_id = '74000000-0000-0000-0000-000000000002';
COMMIT;
-- A hold on one of them refuses all.
INSERT INTO app.users VALUES (2);
SELECT vedfolnir_hold('2', 'case');
DELETE FROM app.users WHERE id = 2;
INSERT INTO app.notes VALUES (2);
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_users(''{2,4}'', false)');
SELECT vedfolnir_release('2', 'over');
SELECT action, row_count FROM vedfolnir_delete_users('{2,4}', false);
-- Tombstones: those to which nothing has to be done are answered, the others go with the rest and are nobody's collateral.
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
CREATE TABLE app.letters (sender int REFERENCES app.users ON DELETE CASCADE, receiver int REFERENCES app.users ON DELETE CASCADE);
SELECT count(*) FROM vedfolnir_delete_users('{5,6}', false);
SELECT step, relation, action FROM t.steps('{5,6}', false);
INSERT INTO app.letters VALUES (6, 7);
SELECT step, relation, via, action, row_count FROM t.steps('{5,6,7}', true);
SELECT step, relation, via, action, row_count FROM t.steps('{5,6,7}', false);
SELECT step, relation, action FROM t.steps('{5,6,7}', false);
SELECT relation, action, count(*), sum(row_count) FROM vedfolnir.audit_log WHERE action = 'tombstone' GROUP BY 1, 2;

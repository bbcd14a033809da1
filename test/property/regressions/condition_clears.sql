-- seed 293
-- COUNT: "new"."semi;colon" via link_0 block counts 0, expected 1
--     (1, 'new."per%s"', None, 'delete', 1, 0, 'plan_hash=fd773774c800be905492f2b9a7e355f83da651adadfa8240b0ab17c9bfc56621')
--     (2, 'new."semi;colon"', 'fk_0', 'nullify', 1, 0, 'no index on (r1): CREATE INDEX ON new."semi;colon" (r1);')
-- BLOCK: "new"."semi;colon" via link_0 is not shown as blocked (block)
--     (1, 'new."per%s"', None, 'delete', 1, 0, 'plan_hash=fd773774c800be905492f2b9a7e355f83da651adadfa8240b0ab17c9bfc56621')
--     (2, 'new."semi;colon"', 'fk_0', 'nullify', 1, 0, 'no index on (r1): CREATE INDEX ON new."semi;colon" (r1);')
-- DRYRUN: shows no block row, the run VF007 cannot delete the user: 1 edge is in the way (new."semi;colon" via link_0: 1 row, no policy.
-- Nothing was changed.)
--     (1, 'new."per%s"', None, 'delete', 1, 0, 'plan_hash=fd773774c800be905492f2b9a7e355f83da651adadfa8240b0ab17c9bfc56621')
--     (2, 'new."semi;colon"', 'fk_0', 'nullify', 1, 0, 'no index on (r1): CREATE INDEX ON new."semi;colon" (r1);')
-- case: {"seed": 293, "root": "\"new\".\"per%s\"", "key_column": "id", "key": "00000000-0000-4000-8000-000000000000", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [{"link": "link_0", "relation": "\"new\".\"semi;colon\"", "parent": "\"new\".\"per%s\"", "columns": ["l0"], "parent_columns": ["id"], "action": "block", "expression": null, "condition": "\"r1\" IS NULL", "when": ["missing", "r1"], "value": "l0", "array": false, "table": "\"new\".\"semi;colon\"", "parent_table": "\"new\".\"per%s\""}], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.label AS text;
CREATE SCHEMA "new"; GRANT USAGE ON SCHEMA "new" TO PUBLIC;
CREATE TABLE "new"."per%s" ("id" uuid NOT NULL, "k1" uuid[], PRIMARY KEY ("id"));
CREATE TABLE "new"."semi;colon" ("x0" kinds.label, "r1" uuid, gone0 int, "l0" uuid) PARTITION BY hash ("x0"); ALTER TABLE "new"."semi;colon" DROP COLUMN gone0;
CREATE TABLE "new"."semi;colon_p0" PARTITION OF "new"."semi;colon" FOR VALUES WITH (modulus 3, remainder 0);
CREATE TABLE "new"."semi;colon_p1" (gone0 int, "x0" kinds.label, "r1" uuid, "l0" uuid); ALTER TABLE "new"."semi;colon_p1" DROP COLUMN gone0; ALTER TABLE "new"."semi;colon" ATTACH PARTITION "new"."semi;colon_p1" FOR VALUES WITH (modulus 3, remainder 1);
CREATE TABLE "new"."semi;colon_p2" PARTITION OF "new"."semi;colon" FOR VALUES WITH (modulus 3, remainder 2);
INSERT INTO "new"."per%s" ("id", "k1") VALUES
    ('00000000-0000-4000-8000-000000000000', '{9e3779b1-0000-4000-8000-000000000001,9e3779b1-0000-4000-8000-000000000001,00000000-0000-4000-8000-000000000000}');
INSERT INTO "new"."semi;colon" ("x0", "r1", "l0") VALUES
    ('cira', '00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000');
ALTER TABLE "new"."semi;colon" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r1") REFERENCES "new"."per%s" ("id") ON DELETE SET NULL;
-- policies and run
SELECT vedfolnir_register_subject('"new"."per%s"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('link_0', '"new"."semi;colon"'::regclass, '"new"."per%s"'::regclass, columns => ARRAY['l0']::name[], condition => '"r1" IS NULL', parent_columns => ARRAY['id']::name[], action => 'block');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => false);
ROLLBACK;

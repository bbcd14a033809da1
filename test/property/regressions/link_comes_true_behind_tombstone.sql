-- seed 4007823
-- ERROR VF003: VF003 1 row of app0.t0 is left after the deletion (What is left still refers through "link_1" to a row that was deleted; a trigger or a concurrent change kept it. Nothing was changed.)
-- case: {"seed": 4007823, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "0", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t0\"", "edge": "fk_1", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [{"link": "link_1", "relation": "\"app0\".\"t0\"", "parent": "\"app0\".\"t0\"", "columns": [], "parent_columns": ["id"], "action": "delete", "expression": "c.\"l1\" + 0", "condition": "\"r1\" IS NULL", "when": ["missing", "r1"], "value": "l1", "array": false, "table": "\"app0\".\"t0\"", "parent_table": "\"app0\".\"t0\""}], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, "r1" int, "l1" bigint, gone0 int, PRIMARY KEY ("id")); ALTER TABLE "app0"."t0" DROP COLUMN gone0;
INSERT INTO "app0"."t0" ("id", "r1", "l1") VALUES
    ('-3', NULL, '1'),
    ('0', '-3', NULL),
    ('1', '0', '0');
ALTER TABLE "app0"."t0" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r1") REFERENCES "app0"."t0" ("id") ON DELETE NO ACTION;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_add_link('link_1', '"app0"."t0"'::regclass, '"app0"."t0"'::regclass, expression => 'c."l1" + 0', condition => '"r1" IS NULL', parent_columns => ARRAY['id']::name[], action => 'delete');
SELECT vedfolnir_set_policy('"app0"."t0"'::regclass, 'fk_1', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => false);
ROLLBACK;

-- seed 20268
-- COUNT: "app1"."select" via fk_33 retain counts 0, expected 1
--     (1, 'app1.t', None, 'delete', 1, 0, 'plan_hash=61b868befbfea3ba0ac36466c68a41b442718470bb06949e20632ebb18a6030e')
--     (2, 'app1."select"', 'fk_32', 'nullify', 1, 0, 'no index on (r6): CREATE INDEX CONCURRENTLY ON app1."select" (r6);')
-- case: {"seed": 20268, "root": "\"app1\".\"t\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"select\"", "edge": "fk_32", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [{"link": "fk_33", "relation": "\"app1\".\"select\"", "parent": "\"app1\".\"t\"", "columns": ["r6"], "parent_columns": ["id"], "action": "retain", "table": "\"app1\".\"select\"", "parent_table": "\"app1\".\"t\""}], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app1"."t" ("id" char(12) NOT NULL, "x0" name, gone0 int, "x1" bigint, PRIMARY KEY ("id")); ALTER TABLE "app1"."t" DROP COLUMN gone0;
CREATE TABLE "app1"."select" ("a" date NOT NULL, "b" int NOT NULL, "user" timestamp, "r3" text COLLATE kinds.ci NOT NULL, "r4" char(12), "r5" bigint NOT NULL, "r6" char(12), PRIMARY KEY ("a", "b"));
INSERT INTO "app1"."t" ("id", "x0", "x1") VALUES
    ('alma', 'fina', '9');
INSERT INTO "app1"."select" ("a", "b", "user", "r3", "r4", "r5", "r6") VALUES
    ('2020-01-03', '-1', NULL, 'ilse', 'bela', '-3', 'alma');
ALTER TABLE "app1"."select" ADD CONSTRAINT "fk_32" FOREIGN KEY ("r6") REFERENCES "app1"."t" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('fk_33', '"app1"."select"'::regclass, '"app1"."t"'::regclass, columns => ARRAY['r6']::name[], parent_columns => ARRAY['id']::name[], action => 'retain');
SELECT vedfolnir_set_policy('"app1"."select"'::regclass, 'fk_32', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

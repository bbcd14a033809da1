-- seed 1009
-- DRYRUN: fails with XX000 the plan of a key scan has an unknown form ()
-- case: {"seed": 1009, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t3\"", "edge": "fk", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": [], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" char(12) NOT NULL, gone0 int, "x0" uuid NOT NULL, "x1" int NOT NULL, PRIMARY KEY ("id"), UNIQUE ("x0"), UNIQUE ("x1")); ALTER TABLE "app0"."t0" DROP COLUMN gone0;
CREATE TABLE "app0"."t3" ("id" int NOT NULL, "r1" uuid DEFAULT '9e3779b1-0000-4000-8000-000000000001', "r2" int NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t6" ("r0" uuid NOT NULL, "x0" int, PRIMARY KEY ("r0"), UNIQUE ("r0", "x0"));
INSERT INTO "app0"."t0" ("id", "x0", "x1") VALUES
    ('alma', '00000000-0000-4000-8000-000000000000', '-3');
INSERT INTO "app0"."t6" ("r0", "x0") VALUES
    ('00000000-0000-4000-8000-000000000000', NULL);
ALTER TABLE "app0"."t6" ADD CONSTRAINT "fk" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("x0") ON DELETE CASCADE  NOT VALID;
ALTER TABLE "app0"."t3" ADD CONSTRAINT "fk" FOREIGN KEY ("r1", "r2") REFERENCES "app0"."t6" ("r0", "x0") ON DELETE SET DEFAULT;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app0"."t3"'::regclass, 'fk', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

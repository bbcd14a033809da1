-- seed 169
-- ERROR VF003: VF003 1 row of app0.t2 are left after the deletion (They still refer through "fk_7" to a row that was deleted; a trigger or a concurrent change kept them. Nothing was changed.)
-- case: {"seed": 169, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.label AS text;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" bigint NOT NULL, "r1" kinds.label, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t2" ("id" kinds.label NOT NULL, "r1" int NOT NULL DEFAULT '-3', PRIMARY KEY ("id"));
INSERT INTO "app0"."t0" ("id", "r1") VALUES
    ('-3', 'alma');
INSERT INTO "app0"."t2" ("id", "r1") VALUES
    ('jana', '-3');
ALTER TABLE "app0"."t2" ADD CONSTRAINT "fk_7" FOREIGN KEY ("r1") REFERENCES "app0"."t0" ("id") ON DELETE SET DEFAULT;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

-- seed 180
-- COUNT: "app0"."t0" via fk_0 nullify counts 0, expected 1
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=7da171b126519bb7ba02e242f7ca2d60970761d07d87da63881a559c7274ce34')
-- DRYRUN: other rows than the run:
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=7da171b126519bb7ba02e242f7ca2d60970761d07d87da63881a559c7274ce34')
-- run:
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=d49e06d1c9ea1c5993564e10b3ac4b98870d7e3690c921e71cc57aab52caa76b')
--     (2, 'app0.t0', 'fk_0', 'nullify', 1, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
-- FASTRI: on goes through, off VF006 the plan is not the one that was asked for (Schema, policy or rows changed since the dry run. Nothing was changed.)
-- case: {"seed": 180, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "1", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t0\"", "edge": "fk_0", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, "g" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, "x0" text, "r2" int, PRIMARY KEY ("id"));
INSERT INTO "app0"."t0" ("id", "x0", "r2") VALUES
    ('1', NULL, '1');
ALTER TABLE "app0"."t0" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"app0"."t0"'::regclass, 'fk_0', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '1', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '1', dry_run => false);
ROLLBACK;

-- seed 222
-- COUNT: "app0"."t16" via fk block counts 0, expected 1
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=0453976610b2c47321a50852378aaf02d4bfd2b4b06a3110c41e5794332f2b9d')
--     (2, 'app0.t16', 'fk2', 'default', 1, 0, 'no index on (r0): CREATE INDEX CONCURRENTLY ON app0.t16 (r0);')
-- BLOCK: "app0"."t16" via fk is not shown as blocked (undeclared)
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=0453976610b2c47321a50852378aaf02d4bfd2b4b06a3110c41e5794332f2b9d')
--     (2, 'app0.t16', 'fk2', 'default', 1, 0, 'no index on (r0): CREATE INDEX CONCURRENTLY ON app0.t16 (r0);')
-- DRYRUN: shows no block row, the run VF007 cannot delete the user: 1 edge is in the way (app0.t16 via fk: 1 row, no policy.
-- Nothing was changed.)
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=0453976610b2c47321a50852378aaf02d4bfd2b4b06a3110c41e5794332f2b9d')
--     (2, 'app0.t16', 'fk2', 'default', 1, 0, 'no index on (r0): CREATE INDEX CONCURRENTLY ON app0.t16 (r0);')
-- case: {"seed": 222, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" bigint NOT NULL, "x0" bigint, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t16" ("r0" bigint NOT NULL DEFAULT '-3', "r1" uuid, "r2" bigint NOT NULL DEFAULT '-3', "r3" uuid NOT NULL, "r4" kinds.posint);
INSERT INTO "app0"."t0" ("id", "x0") VALUES
    ('-3', '-3');
INSERT INTO "app0"."t16" ("r0", "r1", "r2", "r3", "r4") VALUES
    ('-3', '8ff34739-0000-4000-8000-000000000009', '-2', '2e2ac0ea-0000-4000-8000-00000000000a', '-3');
ALTER TABLE "app0"."t16" ADD CONSTRAINT "fk" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE NO ACTION  NOT VALID;
ALTER TABLE "app0"."t16" ADD CONSTRAINT "fk2" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE SET DEFAULT;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

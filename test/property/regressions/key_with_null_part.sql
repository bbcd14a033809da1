-- seed 1582
-- COUNT: "app1"."t14" deletes 0 rows, expected 1
--     (1, 'app2.t0', None, 'delete', 1, 0, 'plan_hash=97776c8ddd16fd2adf1c16752faa7c3b2e9b00775d5135972ccf857899bab419')
--     (2, 'app2.t5', 'fk_22', 'delete', 1, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app2.t5 (r2);')
--     (3, 'app2.t8', 'fk_27', 'delete', 1, 0, 'no index on (r0, r3): CREATE INDEX CONCURRENTLY ON app2.t8 (r0, r3);')
-- COUNT: "app1"."t14" via fk_33 delete counts 0, expected 1
--     (1, 'app2.t0', None, 'delete', 1, 0, 'plan_hash=97776c8ddd16fd2adf1c16752faa7c3b2e9b00775d5135972ccf857899bab419')
--     (2, 'app2.t5', 'fk_22', 'delete', 1, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app2.t5 (r2);')
--     (3, 'app2.t8', 'fk_27', 'delete', 1, 0, 'no index on (r0, r3): CREATE INDEX CONCURRENTLY ON app2.t8 (r0, r3);')
-- STATE: "app1"."t14": expected but not there []; there but not expected ["(57685, [('a', 'mona'), ('b', '2e2ac0ea-0000-4000-8000-00000000000a'), ('x0', '0'), ('r3', '-3'), ('r4', '9')])"]
--     (1, 'app2.t0', None, 'delete', 1, 0, 'plan_hash=97776c8ddd16fd2adf1c16752faa7c3b2e9b00775d5135972ccf857899bab419')
--     (2, 'app2.t5', 'fk_22', 'delete', 1, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app2.t5 (r2);')
--     (3, 'app2.t8', 'fk_27', 'delete', 1, 0, 'no index on (r0, r3): CREATE INDEX CONCURRENTLY ON app2.t8 (r0, r3);')
-- KEYS: "app1"."t14".fk_33 has 1 rows without parent
-- FASTRI: off leaves another state: "app1"."t14": expected but not there ["(57685, [('a', 'mona'), ('b', '2e2ac0ea-0000-4000-8000-00000000000a'), ('x0', '0'), ('r3', '-3'), ('r4', '9')])"]; there but not expected []
-- case: {"seed": 1582, "root": "\"app2\".\"t0\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app2"."t0" ("id" int NOT NULL, "r1" int, PRIMARY KEY ("id"));
CREATE TABLE "app2"."t5" ("r0" smallint NOT NULL, "seq" int NOT NULL, "r2" int, PRIMARY KEY ("r0", "seq"));
CREATE TABLE "app2"."t8" ("r0" smallint NOT NULL, gone0 int, "r1" int NOT NULL, "x0" bigint, "r3" int, PRIMARY KEY ("r0", "r1"), UNIQUE ("x0")); ALTER TABLE "app2"."t8" DROP COLUMN gone0;
CREATE TABLE "app1"."t14" ("a" text NOT NULL, gone0 int, "b" uuid NOT NULL, "x0" int, "r3" kinds.posint NOT NULL, "r4" smallint, gone1 int, PRIMARY KEY ("a", "b")); ALTER TABLE "app1"."t14" DROP COLUMN gone0; ALTER TABLE "app1"."t14" DROP COLUMN gone1;
CREATE TABLE "app2"."t20" ("r0" smallint NOT NULL, "r1" bigint NOT NULL, "r2" int NOT NULL, "r3" int, PRIMARY KEY ("r0", "r1"));
INSERT INTO "app2"."t0" ("id", "r1") VALUES
    ('-3', '-3');
INSERT INTO "app2"."t5" ("r0", "seq", "r2") VALUES
    ('-3', '9', '-3');
INSERT INTO "app2"."t8" ("r0", "r1", "x0", "r3") VALUES
    ('-3', '9', NULL, '9');
INSERT INTO "app1"."t14" ("a", "b", "x0", "r3", "r4") VALUES
    ('mona', '2e2ac0ea-0000-4000-8000-00000000000a', '0', '-3', '9');
ALTER TABLE "app2"."t20" ADD CONSTRAINT "fk_11" FOREIGN KEY ("r1") REFERENCES "app2"."t8" ("x0") ON DELETE CASCADE;
ALTER TABLE "app2"."t5" ADD CONSTRAINT "fk_22" FOREIGN KEY ("r2") REFERENCES "app2"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "app2"."t8" ADD CONSTRAINT "fk_27" FOREIGN KEY ("r0", "r3") REFERENCES "app2"."t5" ("r0", "seq") ON DELETE CASCADE;
ALTER TABLE "app1"."t14" ADD CONSTRAINT "fk_33" FOREIGN KEY ("r3", "r4") REFERENCES "app2"."t8" ("r0", "r1") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app2"."t0"'::regclass, 'id', mode => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => false);
ROLLBACK;

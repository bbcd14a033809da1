-- seed 111
-- STATE: "app0"."t6": expected but not there ["(195928, [('r0', 'bela'), ('seq', '1'), ('x0', '-3'), ('x1', 'b54cda26-0000-4000-8000-000000000006'), ('r4', '00000000-0000-4000-8000-000000000000'), ('r5', None), ('r6', 'alma')])"]; there but not expected ["(195928, [('r0', 'bela'), ('seq', '1'), ('x0', '-3'), ('x1', 'b54cda26-0000-4000-8000-000000000006'), ('r4', '00000000-0000-4000-8000-000000000000'), ('r5', None), ('r6', None)])"]
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=91c7357898abb038d4d641a92fb0efdfaf060aba53a6d0637b2bde62776b8596')
--     (2, 'app0.t1', 'fk_4', 'delete', 1, 0, None)
--     (3, 'app0.t6', 'fk_12', 'nullify', 1, 0, 'the foreign key is NOT VALID; no index on (r5, r6): CREATE INDEX CONCURRENTLY ON app0.t6 (r5, r6);')
-- case: {"seed": 111, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "almA", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t6\"", "edge": "fk_12", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" citext NOT NULL, "x0" int, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t1" ("r0" citext NOT NULL, "r1" citext NOT NULL, "r2" uuid, PRIMARY KEY ("r0", "r1"));
CREATE TABLE "app0"."t6" ("r0" text COLLATE pg_catalog."C" NOT NULL, "seq" int NOT NULL, "x0" bigint, "x1" uuid, "r4" uuid, "r5" citext, "r6" citext, PRIMARY KEY ("r0", "seq"));
INSERT INTO "app0"."t0" ("id", "x0") VALUES
    ('almA', '1');
INSERT INTO "app0"."t1" ("r0", "r1", "r2") VALUES
    ('alma', 'aLMa', NULL);
INSERT INTO "app0"."t6" ("r0", "seq", "x0", "x1", "r4", "r5", "r6") VALUES
    ('bela', '1', '-3', 'b54cda26-0000-4000-8000-000000000006', '00000000-0000-4000-8000-000000000000', 'alMA', 'alma');
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk_4" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "app0"."t6" ADD CONSTRAINT "fk_12" FOREIGN KEY ("r5", "r6") REFERENCES "app0"."t1" ("r0", "r1") ON DELETE SET NULL ("r5")  NOT VALID;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app0"."t6"'::regclass, 'fk_12', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'almA', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'almA', dry_run => false);
ROLLBACK;

-- seed 4004637
-- ENQUEUE: {}, expected {('file', 'other'): 1}
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=c1819e8f8c210e0d7daa05fea97a6d2b45cabd2a7a90d8d089f812e0479d43e4')
--     (2, 'app0.t0', 'fk_3', 'nullify', 2, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t0', 'ümläut', 'nullify', 1, 0, 'no index on (r3): CREATE INDEX CONCURRENTLY ON app0.t0 (r3);')
--     (4, 'file', 'other', 'enqueue', 0, 0, '1 file kept: still used by a row that stays')
-- DRYRUN: other rows than the run:
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=c1819e8f8c210e0d7daa05fea97a6d2b45cabd2a7a90d8d089f812e0479d43e4')
--     (2, 'app0.t0', 'fk_3', 'nullify', 2, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t0', 'ümläut', 'nullify', 1, 0, 'no index on (r3): CREATE INDEX CONCURRENTLY ON app0.t0 (r3);')
--     (4, 'file', 'other', 'enqueue', 0, 0, '1 file kept: still used by a row that stays')
-- run:
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=a9caa2b3f8b620725eadc928ff487ec326730100fc9ea704722d93bd840fb3ae')
--     (2, 'app0.t0', 'fk_3', 'nullify', 2, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t0', 'ümläut', 'nullify', 1, 0, 'no index on (r3): CREATE INDEX CONCURRENTLY ON app0.t0 (r3);')
--     (4, 'file', 'other', 'enqueue', 1, 0, None)
-- FASTRI: on goes through, off VF006 the plan is not the one that was asked for (Schema, policy or rows changed since the dry run. Nothing was changed.)
-- case: {"seed": 4004637, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t0\"", "edge": "fk_3", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [], "columns": [], "cleanups": [{"relation": "\"app0\".\"t0\"", "kind": "file", "service": "other", "target": "{r3}{x0}", "parts": [["r3"], ["x0"]], "escaped": true, "table": "\"app0\".\"t0\""}], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, "x0" varchar(60) NOT NULL, "r2" int, "r3" varchar(60), PRIMARY KEY ("id"), UNIQUE ("x0"));
INSERT INTO "app0"."t0" ("id", "x0", "r2", "r3") VALUES
    ('-3', 'alma', '-3', 'bela'),
    ('-2', 'bela', '-3', 'alma');
ALTER TABLE "app0"."t0" ADD CONSTRAINT "fk_3" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE RESTRICT;
ALTER TABLE "app0"."t0" ADD CONSTRAINT "ümläut" FOREIGN KEY ("r3") REFERENCES "app0"."t0" ("x0") ON DELETE SET NULL;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"app0"."t0"'::regclass, 'fk_3', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'file', '{r3}{x0}', 'other');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

-- seed 4008018
-- ENQUEUE: {}, expected {('redis_key', 'other'): 1}
--     (1, '"semi;colon".t0', None, 'delete', 1, 0, 'plan_hash=f995f6a18a19a59fb2917fb15332448812d69fbfa77abed6beb60f2efb0592f6')
--     (2, '"semi;colon".t1', 'fk_0', 'delete', 1, 0, None)
--     (3, '"semi;colon".t1', 'fk_1', 'reassign', 1, 0, 'no index on (r1): CREATE INDEX CONCURRENTLY ON "semi;colon".t1 (r1);')
--     (4, '"semi;colon".t1', 'fk_1', 'block', 1, 0, 'unique index "t1_pkey" would be violated: SELECT vedfolnir_set_policy(\'"semi;colon".t1\', \'fk_1\', \'delete\');')
--     (5, 'redis_key', 'other', 'enqueue', 0, 0, '1 redis_key kept: still used by a row that stays')
-- case: {"seed": 4008018, "root": "\"semi;colon\".\"t0\"", "key_column": "id", "key": "00000000-0000-4000-8000-000000000000", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"semi;colon\".\"t1\"", "edge": "fk_0", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"semi;colon\".\"t1\"", "edge": "fk_1", "action": "reassign", "collateral": "delete", "reassign_to": "9e3779b1-0000-4000-8000-000000000001"}], "links": [], "columns": [], "cleanups": [{"relation": "\"semi;colon\".\"t1\"", "kind": "redis_key", "service": "other", "target": "{r1}", "parts": [["r1"]], "escaped": true, "table": "\"semi;colon\".\"t1\""}], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "semi;colon"; GRANT USAGE ON SCHEMA "semi;colon" TO PUBLIC;
CREATE TABLE "semi;colon"."t0" ("id" uuid NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "semi;colon"."t1" ("user" uuid NOT NULL, "r1" uuid NOT NULL, PRIMARY KEY ("user", "r1"));
INSERT INTO "semi;colon"."t0" ("id") VALUES
    ('00000000-0000-4000-8000-000000000000'),
    ('9e3779b1-0000-4000-8000-000000000001'),
    ('daa66d13-0000-4000-8000-000000000003');
INSERT INTO "semi;colon"."t1" ("user", "r1") VALUES
    ('00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000'),
    ('daa66d13-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000000'),
    ('daa66d13-0000-4000-8000-000000000003', '9e3779b1-0000-4000-8000-000000000001');
ALTER TABLE "semi;colon"."t1" ADD CONSTRAINT "fk_0" FOREIGN KEY ("user") REFERENCES "semi;colon"."t0" ("id") ON DELETE SET DEFAULT;
ALTER TABLE "semi;colon"."t1" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r1") REFERENCES "semi;colon"."t0" ("id") ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
-- policies and run
SELECT vedfolnir_register_subject('"semi;colon"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"semi;colon"."t1"'::regclass, 'fk_0', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"semi;colon"."t1"'::regclass, 'fk_1', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '9e3779b1-0000-4000-8000-000000000001');
SELECT vedfolnir_add_cleanup('"semi;colon"."t1"'::regclass, 'redis_key', '{r1}', 'other');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => false);
ROLLBACK;

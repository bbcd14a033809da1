-- seed 1009497
-- FASTRI: on goes through, off VF006 the plan is not the one that was asked for (Schema, policy or rows changed since the dry run. Nothing was changed.)
-- case: {"seed": 1009497, "root": "\"app1\".\"t0\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"t1\"", "edge": "fk_1", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t1\"", "edge": "fk_2", "action": "reassign", "collateral": "delete", "reassign_to": "-2"}], "links": [], "columns": [], "cleanups": [{"relation": "\"app1\".\"t1\"", "kind": "redis_key", "service": "default", "target": "p/{r3}/{r3}", "parts": ["p/", ["r3"], "/", ["r3"]], "escaped": true, "table": "\"app1\".\"t1\""}], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app1"."t0" ("id" bigint NOT NULL, "x0" int, "x1" int, "r3" kinds.posint, PRIMARY KEY ("id")) PARTITION BY hash ("id");
CREATE TABLE "app1"."t0_p0" PARTITION OF "app1"."t0" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "app1"."t0_p1" PARTITION OF "app1"."t0" FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE "app1"."t1" ("id" text COLLATE kinds.ci NOT NULL, "x0" bigint, "g" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, "r2" int NOT NULL, "r3" bigint NOT NULL, PRIMARY KEY ("id"));
INSERT INTO "app1"."t0" ("id", "x0", "x1", "r3") VALUES
    ('-3', '-2', '4', '1'),
    ('-2', '3', '8', '0'),
    ('0', NULL, '1', '-3');
INSERT INTO "app1"."t1" ("id", "x0", "r2", "r3") VALUES
    ('bela', '1', '0', '-3'),
    ('cira', NULL, '-3', '-2');
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r2") REFERENCES "app1"."t0" ("id") ON DELETE NO ACTION;
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_2" FOREIGN KEY ("r3") REFERENCES "app1"."t0" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_1', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_2', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '-2');
SELECT vedfolnir_add_cleanup('"app1"."t1"'::regclass, 'redis_key', 'p/{r3}/{r3}', 'default');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => false);
ROLLBACK;

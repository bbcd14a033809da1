-- seed 9070
-- COUNT: "app0"."t4" via eééééééééééééééééééééééééééééééé block counts 2, expected 1
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=d8a8da884de0676f7ed500cd023777bdacb3412f7476d608d370aec3e0ea13a3')
--     (2, 'app0.t1', 'fk_6', 'delete', 2, 0, 'the foreign key is NOT VALID; no index on (p): CREATE INDEX CONCURRENTLY ON app0.t1 (p);')
--     (3, 'app0.t4', 'fk_2', 'reassign', 1, 0, 'the foreign key is NOT VALID')
--     (4, 'app0.t4', 'eééééééééééééééééééééééééééééééé', 'block', 2, 0, "undeclared: SELECT vedfolnir_set_policy('app0.t4', 'eééééééééééééééééééééééééééééééé', 'nullify');")
--     (5, 'app0.t4', 'fk_2', 'block', 1, 0, 'foreign key "eééééééééééééééééééééééééééééééé" would be violated: SELECT vedfolnir_set_policy(\'app0.t4\', \'fk_2\', \'delete\');')
-- case: {"seed": 9070, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "0.00", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t4\"", "edge": "fk_2", "action": "reassign", "collateral": "refuse", "reassign_to": "4.00"}], "links": [], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" numeric NOT NULL, "x0" int, "x1" date, PRIMARY KEY ("id"), UNIQUE ("x0"));
CREATE TABLE "app0"."t1" ("r0" numeric NOT NULL, "via" bigint NOT NULL, "r2" bigint, "p" numeric DEFAULT '0', PRIMARY KEY ("r0", "via"));
CREATE TABLE "app0"."t4" ("r0" numeric NOT NULL, "xééééééééééééééééééééééééééééééé" timestamp NOT NULL, "tableoid2" int4range NOT NULL, "tab	here" text, "d" bigint, "r5" timestamp NOT NULL, "r6" int4range, PRIMARY KEY ("r0", "xééééééééééééééééééééééééééééééé", "tableoid2"));
INSERT INTO "app0"."t0" ("id", "x0", "x1") VALUES
    ('0.00', '-3', '2020-01-02'),
    ('4.00', '1', '2020-01-05');
INSERT INTO "app0"."t1" ("r0", "via", "r2", "p") VALUES
    ('0.0', '-3', '0', '0'),
    ('4.0', '2', NULL, '0.0000');
INSERT INTO "app0"."t4" ("r0", "xééééééééééééééééééééééééééééééé", "tableoid2", "tab	here", "d", "r5", "r6") VALUES
    ('0.0', '2020-01-02', '[4,9)', 'f//alma', '-3', '2020-01-02', '[4,9)'),
    ('4.0', '2020-01-07', '[6,11)', 'f//bela', '2', '2020-01-07', '[6,11)');
ALTER TABLE "app0"."t4" ADD CONSTRAINT "fk_2" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE SET DEFAULT DEFERRABLE NOT VALID;
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk_6" FOREIGN KEY ("p") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE  NOT VALID;
ALTER TABLE "app0"."t4" ADD CONSTRAINT "eééééééééééééééééééééééééééééééé" FOREIGN KEY ("r0", "d") REFERENCES "app0"."t1" ("r0", "via") ON DELETE NO ACTION DEFERRABLE;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app0"."t4"'::regclass, 'fk_2', 'reassign', reason => 'test', collateral => 'refuse', reassign_to => '4.00');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.00', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.00', dry_run => false);
ROLLBACK;

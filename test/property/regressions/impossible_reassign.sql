-- seed 501754: a reassignment that leads nowhere clears nothing, so another edge on the column blocks for every row
-- case: {"seed": 501754, "root": "\"app1\".\"t0\"", "key_column": "id", "key": "cira", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"t5\"", "edge": "fk_16", "action": "reassign", "collateral": "delete", "reassign_to": "alma"}], "links": [], "committed": false, "extra_keys": ["bela", "alma"], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app1"."t0" ("id" varchar(60) NOT NULL, "x0" varchar(60), "r2" name, "r3" bigint, PRIMARY KEY ("id"));
CREATE TABLE "app1"."t5" ("g" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, "id" varchar(60) NOT NULL, "r1" varchar(60) NOT NULL, PRIMARY KEY ("id"));
INSERT INTO "app1"."t0" ("id", "x0", "r2", "r3") VALUES
    ('alma', 'bela', NULL, NULL),
    ('bela', 'edda', NULL, NULL),
    ('cira', NULL, NULL, NULL);
INSERT INTO "app1"."t5" ("id", "r1") VALUES
    ('ilse', 'cira'),
    ('jana', 'alma');
ALTER TABLE "app1"."t5" ADD CONSTRAINT "fk_14" FOREIGN KEY ("r1") REFERENCES "app1"."t0" ("id") ON DELETE SET DEFAULT;
ALTER TABLE "app1"."t5" ADD CONSTRAINT "fk_16" FOREIGN KEY ("r1") REFERENCES "app1"."t0" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app1"."t5"'::regclass, 'fk_16', 'reassign', reason => 'test', collateral => 'delete', reassign_to => 'alma');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['cira', 'bela', 'alma'], dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['cira', 'bela', 'alma'], dry_run => false);
ROLLBACK;

-- seed 3073: a policy reassign for a table that inherits the columns of the key was refused with 0A000
-- case: {"seed": 3073, "root": "\"app1\".\"t0\"", "key_column": "id", "key": "1", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"h3\"", "edge": "fk", "action": "reassign", "collateral": "delete", "reassign_to": "2"}], "links": [], "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app1"."t0" ("id" int NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app1"."t2" ("id" int NOT NULL, "r2" int, PRIMARY KEY ("id"));
CREATE TABLE "app1"."h3" ("r2" int, "id" int NOT NULL); ALTER TABLE "app1"."h3" INHERIT "app1"."t2";
INSERT INTO "app1"."t0" ("id") VALUES
    ('1'),
    ('2');
INSERT INTO "app1"."t2" ("id", "r2") VALUES
    ('1', '1');
INSERT INTO "app1"."h3" ("id", "r2") VALUES
    ('1', '1'),
    ('2', '7');
ALTER TABLE "app1"."t2" ADD CONSTRAINT "fk" FOREIGN KEY ("r2") REFERENCES "app1"."t0" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app1"."h3"'::regclass, 'fk', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '2');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => 1, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => 1, dry_run => false);
ROLLBACK;

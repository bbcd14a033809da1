-- seed 3302: a table that inherits from one with a key of its own got that key and the one above it
-- case: {"seed": 3302, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t6\"", "edge": "fk_18", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [], "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" bigint NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t6" ("id" timestamp NOT NULL, "r2" bigint, PRIMARY KEY ("id"));
CREATE TABLE "app0"."h19" ("x19" timestamp, gone0 int) INHERITS ("app0"."t6"); ALTER TABLE "app0"."h19" DROP COLUMN gone0;
CREATE TABLE "app0"."h20" ("x20" bytea, "hid20" int NOT NULL, PRIMARY KEY ("hid20")) INHERITS ("app0"."h19");
INSERT INTO "app0"."t0" ("id") VALUES
    ('-3');
INSERT INTO "app0"."h20" ("id", "r2", "x19", "x20", "hid20") VALUES
    ('2020-01-09', '-3', '2020-01-09', E'\\x0000', '1');
ALTER TABLE "app0"."t6" ADD CONSTRAINT "fk_18" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE NO ACTION;
ALTER TABLE "app0"."h19" ADD CONSTRAINT "fk_18" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE SET NULL;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"app0"."t6"'::regclass, 'fk_18', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => false);
ROLLBACK;

-- seed 3170: of two column rules for an heir the first by name was taken, not its own
-- case: {"mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [{"relation": "\"app0\".\"a2\"", "column": "x1", "edge": "fk_2", "expression": "'4'", "value": ["constant", "4"]}, {"relation": "\"app0\".\"h4\"", "column": "x1", "edge": "fk_2", "expression": "\"x2\"", "value": ["copy", "x2"]}], "cleanups": [], "committed": false, "extra_keys": [], "call": "text", "seed": 3170, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app0"."a2" ("x1" int, "x2" int, "r5" int);
CREATE TABLE "app0"."h4" ("x2" int, "r5" int, "x1" int); ALTER TABLE "app0"."h4" INHERIT "app0"."a2";
INSERT INTO "app0"."t0" ("id") VALUES
    ('-3');
INSERT INTO "app0"."h4" ("x1", "x2", "r5") VALUES
    ('1', '2', '-3');
INSERT INTO "app0"."a2" ("x1", "x2", "r5") VALUES
    ('1', '3', '-3');
ALTER TABLE "app0"."a2" ADD CONSTRAINT "fk_2" FOREIGN KEY ("r5") REFERENCES "app0"."t0" ("id") ON DELETE SET NULL;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_column('"app0"."a2"'::regclass, 'x1', '''4''', edge => 'fk_2');
SELECT vedfolnir_set_column('"app0"."h4"'::regclass, 'x1', '"x2"', edge => 'fk_2');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

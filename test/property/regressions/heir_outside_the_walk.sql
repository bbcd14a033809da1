-- seed 200191: a row of an heir that the walk never meets did not keep what it names
-- case: {"seed": 200191, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [], "cleanups": [{"relation": "\"app0\".\"t0\"", "kind": "directory", "service": "default", "target": "p{{}}/{id}", "parts": ["p{}/", ["id"]], "escaped": true, "table": "\"app0\".\"t0\""}], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app0"."new
line" () INHERITS ("app0"."t0");
INSERT INTO "app0"."t0" ("id") VALUES
    ('-3');
INSERT INTO "app0"."new
line" ("id") VALUES
    ('-3');
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'directory', 'p{{}}/{id}', 'default');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

-- seed 3031: the dry run kept a target that a row names only until its reference is cleared
-- case: {"mode": "tombstone", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [], "cleanups": [{"relation": "\"app0\".\"t2\"", "kind": "file", "service": "other", "target": "{r4}", "parts": [["r4"]], "escaped": true, "table": "\"app0\".\"t2\""}], "committed": false, "extra_keys": [], "call": "text", "seed": 3031, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" bigint NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t2" ("id" int, "r3" bigint, "r4" bigint);
INSERT INTO "app0"."t0" ("id") VALUES
    ('-3');
INSERT INTO "app0"."t2" ("id", "r3", "r4") VALUES
    ('1', '-3', '-3'),
    ('2', NULL, '-3');
ALTER TABLE "app0"."t2" ADD CONSTRAINT "fk" FOREIGN KEY ("r3") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "app0"."t2" ADD CONSTRAINT "k2" FOREIGN KEY ("r4") REFERENCES "app0"."t0" ("id") ON DELETE SET NULL;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_add_cleanup('"app0"."t2"'::regclass, 'file', '{r4}', 'other');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

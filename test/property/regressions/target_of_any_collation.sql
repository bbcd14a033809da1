-- seed 3027: a target made of columns with a nondeterministic collation, or with two, failed with 0A000 or 42P22
-- case: {"mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [], "cleanups": [{"relation": "\"app0\".\"t0\"", "kind": "file", "service": "default", "target": "{id}", "parts": [["id"]], "escaped": true, "table": "\"app0\".\"t0\""}, {"relation": "\"app0\".\"t0\"", "kind": "webhook", "service": "default", "target": "p/{id}/{x0}", "parts": ["p/", ["id"], "/", ["x0"]], "escaped": true, "table": "\"app0\".\"t0\""}, {"relation": "\"app0\".\"t0\"", "kind": "directory", "service": "default", "target": "p/{x0}/{x1}", "parts": ["p/", ["x0"], "/", ["x1"]], "escaped": true, "table": "\"app0\".\"t0\""}, {"relation": "\"app0\".\"t0\"", "kind": "file", "service": "other", "target": "=c.\"x0\"::text || c.\"x1\"::text", "parts": [["x0"], ["x1"]], "escaped": false, "table": "\"app0\".\"t0\""}], "committed": false, "extra_keys": [], "call": "text", "seed": 3027, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "ALMA"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" text COLLATE kinds.ci NOT NULL, "x0" text COLLATE pg_catalog."C", "x1" text COLLATE pg_catalog."POSIX", PRIMARY KEY ("id"));
INSERT INTO "app0"."t0" ("id", "x0", "x1") VALUES
    ('alma', 'bela', 'cira'),
    ('bela', NULL, 'bela');
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'file', '{id}', 'default');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'webhook', 'p/{id}/{x0}', 'default');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'directory', 'p/{x0}/{x1}', 'default');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'file', '=c."x0"::text || c."x1"::text', 'other');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'ALMA', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'ALMA', dry_run => false);
ROLLBACK;

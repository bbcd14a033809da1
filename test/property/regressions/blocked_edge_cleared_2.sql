-- seed 102101
-- DETAIL: edge '--dash' of e."1st" is not in the DETAIL of VF007: app1."pééééééééééééééééééééééééééééééé" via fk_9: 1 row, column tableoid2 cannot be set to NULL.
-- Nothing was changed.
-- case: {"seed": 102101, "root": "\"app0\".\"\u4e2d\u6587\"", "key_column": "Mixed Case", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [{"link": "fk_9", "relation": "\"app1\".\"p\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\"", "parent": "\"app0\".\"\u4e2d\u6587\"", "columns": ["tableoid2"], "parent_columns": ["Mixed Case"], "action": "nullify", "table": "\"app1\".\"p\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\"", "parent_table": "\"app0\".\"\u4e2d\u6587\""}], "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "e"; GRANT USAGE ON SCHEMA "e" TO PUBLIC;
CREATE TABLE "app0"."中文" ("Mixed Case" int NOT NULL, PRIMARY KEY ("Mixed Case"));
CREATE TABLE "app1"."pééééééééééééééééééééééééééééééé" ("ümläut" int NOT NULL, "seq" int NOT NULL, "k" bigint NOT NULL, "tableoid2" int NOT NULL, PRIMARY KEY ("ümläut", "seq"), UNIQUE ("k"));
CREATE TABLE "e"."1st" ("r0" int NOT NULL, "r1" int NOT NULL, "seq" int NOT NULL, "tab	here" uuid, "r4" int NOT NULL DEFAULT '-1', PRIMARY KEY ("r0", "r1", "seq"));
INSERT INTO "app0"."中文" ("Mixed Case") VALUES
    ('-3'),
    ('-2'),
    ('-1');
INSERT INTO "app1"."pééééééééééééééééééééééééééééééé" ("ümläut", "seq", "k", "tableoid2") VALUES
    ('-1', '-3', '8', '-1'),
    ('-3', '-2', '-2', '-1'),
    ('-2', '-1', '-1', '-2'),
    ('-1', '-2', '0', '-3');
INSERT INTO "e"."1st" ("r0", "r1", "seq", "tab	here", "r4") VALUES
    ('-3', '-2', '-3', '2e2ac0ea-0000-4000-8000-00000000000a', '-3'),
    ('-3', '-2', '-2', '17156075-0000-4000-8000-000000000005', '-1'),
    ('-3', '-2', '5', '8ff34739-0000-4000-8000-000000000009', '-2'),
    ('-1', '-3', '1', 'b54cda26-0000-4000-8000-000000000006', '-1'),
    ('-1', '-2', '-2', '538453d7-0000-4000-8000-000000000007', '-3'),
    ('-1', '-3', '-1', NULL, '-3'),
    ('-1', '-3', '5', 'cc623a9b-0000-4000-8000-00000000000b', '-2'),
    ('-3', '5', '7', NULL, '-3'),
    ('-3', '-2', '8', 'f1bbcd88-0000-4000-8000-000000000008', '-3'),
    ('-3', '-2', '9', NULL, '-3'),
    ('-1', '-2', '-3', '538453d7-0000-4000-8000-000000000007', '-3'),
    ('-2', '8', '1', 'daa66d13-0000-4000-8000-000000000003', '-3'),
    ('-1', '-3', '-2', 'cc623a9b-0000-4000-8000-00000000000b', '-2'),
    ('-3', '-2', '3', 'f1bbcd88-0000-4000-8000-000000000008', '-3'),
    ('-1', '-2', '4', 'f1bbcd88-0000-4000-8000-000000000008', '-1'),
    ('-1', '-3', '16', NULL, '-1'),
    ('-3', '5', '1', '17156075-0000-4000-8000-000000000005', '-2'),
    ('-2', '-1', '4', '00000000-0000-4000-8000-000000000000', '-3'),
    ('-1', '-2', '19', NULL, '-3'),
    ('-1', '-3', '20', '3c6ef362-0000-4000-8000-000000000002', '-2');
ALTER TABLE "e"."1st" ADD CONSTRAINT "--dash" FOREIGN KEY ("r4") REFERENCES "app0"."中文" ("Mixed Case") ON DELETE SET NULL;
ALTER TABLE "e"."1st" ADD CONSTRAINT "e" FOREIGN KEY ("r4") REFERENCES "app0"."中文" ("Mixed Case") ON DELETE SET DEFAULT  NOT VALID;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."中文"'::regclass, 'Mixed Case', mode => 'delete');
SELECT vedfolnir_add_link('fk_9', '"app1"."pééééééééééééééééééééééééééééééé"'::regclass, '"app0"."中文"'::regclass, columns => ARRAY['tableoid2']::name[], parent_columns => ARRAY['Mixed Case']::name[], action => 'nullify');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => -3, dry_run => false);
ROLLBACK;

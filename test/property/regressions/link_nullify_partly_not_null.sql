-- seed 100332
-- COUNT: "app1"."t27" via fk_56 nullify counts 13, expected 0
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=96b67149cb9cf8023fd114a6c4be53c458b1a0da62839f95fdd125816193ddff')
--     (2, 'app2.t25', 'fk_53', 'delete', 4, 0, 'no index on (r7): CREATE INDEX CONCURRENTLY ON app2.t25 (r7);')
--     (3, 'app1.t27', 'fk_56', 'nullify', 13, 0, 'no index on (r4, r5): CREATE INDEX CONCURRENTLY ON app1.t27 (r4, r5);')
--     (4, 'app2.t25', 'fk_51', 'nullify', 2, 0, 'no index on (r4): CREATE INDEX CONCURRENTLY ON app2.t25 (r4);')
-- COUNT: "app1"."t27" via fk_56 block counts 0, expected 13
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=96b67149cb9cf8023fd114a6c4be53c458b1a0da62839f95fdd125816193ddff')
--     (2, 'app2.t25', 'fk_53', 'delete', 4, 0, 'no index on (r7): CREATE INDEX CONCURRENTLY ON app2.t25 (r7);')
--     (3, 'app1.t27', 'fk_56', 'nullify', 13, 0, 'no index on (r4, r5): CREATE INDEX CONCURRENTLY ON app1.t27 (r4, r5);')
--     (4, 'app2.t25', 'fk_51', 'nullify', 2, 0, 'no index on (r4): CREATE INDEX CONCURRENTLY ON app2.t25 (r4);')
-- BLOCK: "app1"."t27" via fk_56 is not shown as blocked (NOT NULL)
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=96b67149cb9cf8023fd114a6c4be53c458b1a0da62839f95fdd125816193ddff')
--     (2, 'app2.t25', 'fk_53', 'delete', 4, 0, 'no index on (r7): CREATE INDEX CONCURRENTLY ON app2.t25 (r7);')
--     (3, 'app1.t27', 'fk_56', 'nullify', 13, 0, 'no index on (r4, r5): CREATE INDEX CONCURRENTLY ON app1.t27 (r4, r5);')
--     (4, 'app2.t25', 'fk_51', 'nullify', 2, 0, 'no index on (r4): CREATE INDEX CONCURRENTLY ON app2.t25 (r4);')
-- STATE: "app1"."t27": expected but not there ["(144411, [('a', '2e2ac0ea-0000-4000-8000-00000000000a'), ('b', '10'), ('x0', '2020-01-08 00:00:00'), ('x1', '10'), ('r4', '9'), ('r5', 'mona')])", "(144411, [('a', '36fbeee7-0000-4000-8000-000000000017'), ('b', '-3'), ('x0', '2020-01-07 00:00:00'), ('x1', '-3'), ('r4', '9'), ('r5', 'mona')])", "(144411, [('a', '3c6ef362-0000-4000-8000-000000000002'), ('b', '-1'), ('x0', '2020-01-05 00:00:00'), ('x1', '3'), ('r4', '-2'), ('r5', 'bela')])"]; there but not expected ["(144411, [('a', '2e2ac0ea-0000-4000-8000-00000000000a'), ('b', '10'), ('x0', '2020-01-08 00:00:00'), ('x1', '10'), ('r4', None), ('r5', 'mona')])", "(144411, [('a', '36fbeee7-0000-4000-8000-000000000017'), ('b', '-3'), ('x0', '2020-01-07 00:00:00'), ('x1', '-3'), ('r4', None), ('r5', 'mona')])", "(144411, [('a', '3c6ef362-0000-4000-8000-000000000002'), ('b', '-1'), ('x0', '2020-01-05 00:00:00'), ('x1', '3'), ('r4', None), ('r5', 'bela')])"]
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=96b67149cb9cf8023fd114a6c4be53c458b1a0da62839f95fdd125816193ddff')
--     (2, 'app2.t25', 'fk_53', 'delete', 4, 0, 'no index on (r7): CREATE INDEX CONCURRENTLY ON app2.t25 (r7);')
--     (3, 'app1.t27', 'fk_56', 'nullify', 13, 0, 'no index on (r4, r5): CREATE INDEX CONCURRENTLY ON app1.t27 (r4, r5);')
--     (4, 'app2.t25', 'fk_51', 'nullify', 2, 0, 'no index on (r4): CREATE INDEX CONCURRENTLY ON app2.t25 (r4);')
-- NOTREFUSED: the run goes through, the reference refuses: [('"app1"."t27"', 'fk_56', 'NOT NULL')]
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=96b67149cb9cf8023fd114a6c4be53c458b1a0da62839f95fdd125816193ddff')
--     (2, 'app2.t25', 'fk_53', 'delete', 4, 0, 'no index on (r7): CREATE INDEX CONCURRENTLY ON app2.t25 (r7);')
--     (3, 'app1.t27', 'fk_56', 'nullify', 13, 0, 'no index on (r4, r5): CREATE INDEX CONCURRENTLY ON app1.t27 (r4, r5);')
--     (4, 'app2.t25', 'fk_51', 'nullify', 2, 0, 'no index on (r4): CREATE INDEX CONCURRENTLY ON app2.t25 (r4);')
-- case: {"seed": 100332, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "0", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app2\".\"t25\"", "edge": "fk_51", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"app2\".\"t25\"", "edge": "fk_53", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": [{"link": "fk_53", "relation": "\"app2\".\"t25\"", "parent": "\"app0\".\"t0\"", "columns": ["r7"], "parent_columns": ["id"], "action": "delete", "table": "\"app2\".\"t25\"", "parent_table": "\"app0\".\"t0\""}, {"link": "fk_56", "relation": "\"app1\".\"t27\"", "parent": "\"app2\".\"t25\"", "columns": ["r4", "r5"], "parent_columns": ["a", "b"], "action": "nullify", "table": "\"app1\".\"t27\"", "parent_table": "\"app2\".\"t25\""}], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ai (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TYPE kinds."Mood.s" AS ENUM ('alma', 'bela', 'cira', 'dora', 'edda', 'fina', 'gusta', 'hanna', 'ilse', 'jana', 'kaja', 'lena', 'mona', 'nora', 'olga', 'petra', 'quita', 'rosa', 'sina', 'tilda', 'ulla', 'vera', 'wanda', 'xenia', 'yara', 'zora', 'alma1', 'bela1', 'cira1', 'dora1', 'edda1', 'fina1', 'gusta1', 'hanna1', 'ilse1', 'jana1', 'kaja1', 'lena1', 'mona1', 'nora1', 'olga1', 'petra1', 'quita1', 'rosa1', 'sina1', 'tilda1', 'ulla1', 'vera1', 'wanda1', 'xenia1', 'yara1', 'zora1', 'alma2', 'bela2', 'cira2', 'dora2', 'edda2', 'fina2', 'gusta2', 'hanna2');
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE DOMAIN kinds.label AS text;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" kinds.posint NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app2"."t25" ("a" smallint NOT NULL, "b" kinds."Mood.s" NOT NULL, "x0" int, "x1" int, gone0 int, "r4" kinds.posint, "r5" int4range, "r6" date, "r7" kinds.posint, PRIMARY KEY ("a", "b")); ALTER TABLE "app2"."t25" DROP COLUMN gone0;
CREATE TABLE "app1"."t27" ("a" uuid NOT NULL, "b" bigint NOT NULL, "x0" timestamp, "x1" int NOT NULL, "r4" smallint, "r5" kinds."Mood.s" NOT NULL, PRIMARY KEY ("a", "b"), UNIQUE ("x1"));
INSERT INTO "app0"."t0" ("id") VALUES
    ('0'),
    ('1');
INSERT INTO "app2"."t25" ("a", "b", "x0", "x1", "r4", "r5", "r6", "r7") VALUES
    ('9', 'mona', '3', '-3', '0', NULL, NULL, '0'),
    ('-2', 'bela', '0', NULL, '0', '[0,5)', '2020-01-01', '0'),
    ('-1', 'cira', '9', NULL, '1', '[7,12)', '2020-01-04', '0'),
    ('0', 'dora', '1', '-3', '0', '[5,10)', '2020-01-15', '0'),
    ('7', 'edda', NULL, '6', '0', '[12,17)', '2020-01-13', '1'),
    ('2', 'fina', '-2', '9', '0', '[0,5)', '2020-01-01', '1');
INSERT INTO "app1"."t27" ("a", "b", "x0", "x1", "r4", "r5") VALUES
    ('cc623a9b-0000-4000-8000-00000000000b', '-3', '2020-01-05', '7', '9', 'mona'),
    ('9e3779b1-0000-4000-8000-000000000001', '-2', '2020-01-04', '-2', '9', 'mona'),
    ('3c6ef362-0000-4000-8000-000000000002', '-1', '2020-01-05', '3', '-2', 'bela'),
    ('daa66d13-0000-4000-8000-000000000003', '0', NULL, '6', '-1', 'cira'),
    ('78dde6c4-0000-4000-8000-000000000004', '5', '2020-01-10', '1', '0', 'dora'),
    ('6a99b44c-0000-4000-8000-00000000000c', '2', '2020-01-08', '4', '7', 'edda'),
    ('78dde6c4-0000-4000-8000-000000000004', '8', '2020-01-08', '5', '-2', 'bela'),
    ('8ff34739-0000-4000-8000-000000000009', '7', '2020-01-08', '0', '-1', 'cira'),
    ('6a99b44c-0000-4000-8000-00000000000c', '9', '2020-01-02', '9', '2', 'fina'),
    ('2e2ac0ea-0000-4000-8000-00000000000a', '10', '2020-01-08', '10', '9', 'mona'),
    ('a708a7ae-0000-4000-8000-00000000000e', '11', '2020-01-12', '11', '-2', 'bela'),
    ('b54cda26-0000-4000-8000-000000000006', '14', '2020-01-04', '14', '7', 'edda'),
    ('1fe68e72-0000-4000-8000-000000000012', '15', '2020-01-12', '15', '2', 'fina'),
    ('6a99b44c-0000-4000-8000-00000000000c', '17', NULL, '17', '-2', 'bela'),
    ('fa8cfb85-0000-4000-8000-000000000015', '6', NULL, '-1', '-1', 'cira'),
    ('98c47536-0000-4000-8000-000000000016', '19', '2020-01-03', '19', '0', 'dora'),
    ('36fbeee7-0000-4000-8000-000000000017', '-3', '2020-01-07', '-3', '9', 'mona');
ALTER TABLE "app2"."t25" ADD CONSTRAINT "fk_51" FOREIGN KEY ("r4") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('fk_53', '"app2"."t25"'::regclass, '"app0"."t0"'::regclass, columns => ARRAY['r7']::name[], parent_columns => ARRAY['id']::name[], action => 'delete');
SELECT vedfolnir_add_link('fk_56', '"app1"."t27"'::regclass, '"app2"."t25"'::regclass, columns => ARRAY['r4', 'r5']::name[], parent_columns => ARRAY['a', 'b']::name[], action => 'nullify');
SELECT vedfolnir_set_policy('"app2"."t25"'::regclass, 'fk_51', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app2"."t25"'::regclass, 'fk_53', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => false);
ROLLBACK;

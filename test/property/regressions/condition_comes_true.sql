-- seed 681
-- ERROR VF003: VF003 1 row of app0.t3 is left after the deletion (What is left still refers through "link_0" to a row that was deleted; a trigger or a concurrent change kept it. Nothing was changed.)
-- case: {"seed": 681, "root": "\"app0\".\"t0\"", "key_column": "t", "key": "0.0", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t3\"", "edge": "e", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [{"link": "link_0", "relation": "\"app0\".\"t3\"", "parent": "\"app0\".\"t0\"", "columns": [], "parent_columns": ["c"], "action": "delete", "expression": "c.\"l0\"::text", "condition": "\"r4\" IS NULL", "when": ["missing", "r4"], "value": "l0", "array": false, "table": "\"app0\".\"t3\"", "parent_table": "\"app0\".\"t0\""}], "columns": [], "cleanups": [], "batch_rows": 1, "committed": true, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE TYPE kinds."Mood.s" AS ENUM ('alma', 'bela', 'cira', 'dora', 'edda', 'fina', 'gusta', 'hanna', 'ilse', 'jana', 'kaja', 'lena', 'mona', 'nora', 'olga', 'petra', 'quita', 'rosa', 'sina', 'tilda', 'ulla', 'vera', 'wanda', 'xenia', 'yara', 'zora', 'alma1', 'bela1', 'cira1', 'dora1', 'edda1', 'fina1', 'gusta1', 'hanna1', 'ilse1', 'jana1', 'kaja1', 'lena1', 'mona1', 'nora1', 'olga1', 'petra1', 'quita1', 'rosa1', 'sina1', 'tilda1', 'ulla1', 'vera1', 'wanda1', 'xenia1', 'yara1', 'zora1', 'alma2', 'bela2', 'cira2', 'dora2', 'edda2', 'fina2', 'gusta2', 'hanna2');
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "x"; GRANT USAGE ON SCHEMA "x" TO PUBLIC;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE TABLE "app0"."t0" ("t" numeric NOT NULL, "c" bigint, PRIMARY KEY ("t"), UNIQUE ("t", "c"));
CREATE TABLE "app2"."t2" ("r0" numeric NOT NULL, "r1" bigint NOT NULL, "x0" kinds."Mood.s" NOT NULL, "x1" bigint, "r4" numeric, "r5" smallint, PRIMARY KEY ("r0", "r1"), UNIQUE ("x0"));
CREATE TABLE "app0"."t3" ("x0" kinds.posint, "x1" citext, "part" int NOT NULL, "keys" int DEFAULT '2', "r4" bigint, "r5" int, "l0" int) PARTITION BY list ("part");
CREATE TABLE "app0"."t3_p0" PARTITION OF "app0"."t3" FOR VALUES IN (-3, -2, -1, 0, 1, 2, 3);
CREATE TABLE "app0"."new" PARTITION OF "app0"."t3" FOR VALUES IN (4, 5, 6, 7, 8);
CREATE TABLE "app0"."t3_p2" PARTITION OF "app0"."t3" DEFAULT PARTITION BY hash ("part"); CREATE TABLE "app0"."t3_p2_sub3_02" PARTITION OF "app0"."t3_p2" FOR VALUES WITH (modulus 2, remainder 0); CREATE TABLE "app0"."t3_p2_sub3_12" PARTITION OF "app0"."t3_p2" FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO "app0"."t0" ("t", "c") VALUES
    ('0.0', '-3');
INSERT INTO "app2"."t2" ("r0", "r1", "x0", "x1", "r4", "r5") VALUES
    ('0', '-3', 'fina', '3', '2', NULL);
INSERT INTO "app0"."t3" ("x0", "x1", "part", "keys", "r4", "r5", "l0") VALUES
    ('1', 'ilSe', '3', '0', '-3', NULL, '-3');
ALTER TABLE "app2"."t2" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r0", "r1") REFERENCES "app0"."t0" ("t", "c") ON DELETE CASCADE;
ALTER TABLE "app0"."t3" ADD CONSTRAINT "e" FOREIGN KEY ("keys", "r4") REFERENCES "app2"."t2" ("r0", "r1") ON DELETE NO ACTION;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 't', mode => 'delete');
SELECT vedfolnir_add_link('link_0', '"app0"."t3"'::regclass, '"app0"."t0"'::regclass, expression => 'c."l0"::text', condition => '"r4" IS NULL', parent_columns => ARRAY['c']::name[], action => 'delete');
SELECT vedfolnir_set_policy('"app0"."t3"'::regclass, 'e', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.0', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.0', dry_run => false);
ROLLBACK;

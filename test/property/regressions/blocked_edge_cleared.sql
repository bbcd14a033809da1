-- seed 147
-- DETAIL: edge 'fk_20' of "1st"."emoji😀" is not in the DETAIL of VF007: "1st".t1 via fk_18: 1 row belongs to other users.
-- Nothing was changed.
-- case: {"seed": 147, "root": "\"1st\".\"t0\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"1st\".\"t1\"", "edge": "fk_18", "action": "delete", "collateral": "refuse", "reassign_to": null}, {"relation": "\"1st\".\"emoji\ud83d\ude00\"", "edge": "public", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"1st\".\"emoji\ud83d\ude00\"", "edge": "back\\slash", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": [{"link": "new\nline", "relation": "\"1st\".\"t1\"", "parent": "\"1st\".\"t0\"", "columns": ["r4"], "parent_columns": ["id"], "action": "delete", "table": "\"1st\".\"t1\"", "parent_table": "\"1st\".\"t0\""}, {"link": "fk_18", "relation": "\"1st\".\"t1\"", "parent": "\"1st\".\"t0\"", "columns": ["r5"], "parent_columns": ["id"], "action": "nullify", "table": "\"1st\".\"t1\"", "parent_table": "\"1st\".\"t0\""}, {"link": "back\\slash", "relation": "\"1st\".\"emoji\ud83d\ude00\"", "parent": "\"1st\".\"t0\"", "columns": ["r4"], "parent_columns": ["id"], "action": "retain", "table": "\"1st\".\"emoji\ud83d\ude00\"", "parent_table": "\"1st\".\"t0\""}], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "1st"; GRANT USAGE ON SCHEMA "1st" TO PUBLIC;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "1st"."t0" ("id" bigint NOT NULL, "keys" int4range, PRIMARY KEY ("id"));
CREATE TABLE "1st"."t1" ("cmin_" numeric NOT NULL, "keys" text COLLATE pg_catalog."C", "k2éééééééééééééééééééééééééééééé" bigint, "per%s" bigint, "r4" bigint, "r5" bigint, "m" smallint, PRIMARY KEY ("cmin_"));
CREATE TABLE "1st"."emoji😀" ("new" numeric NOT NULL, "n" name NOT NULL, "vf_d" int NOT NULL, "r3" name, "r4" bigint, PRIMARY KEY ("new", "n"));
INSERT INTO "1st"."t0" ("id", "keys") VALUES
    ('-3', '[11,16)'),
    ('-2', '[7,12)');
INSERT INTO "1st"."t1" ("cmin_", "keys", "k2éééééééééééééééééééééééééééééé", "per%s", "r4", "r5", "m") VALUES
    ('0.0000', NULL, NULL, '-3', '-3', '-1', '-3'),
    ('1.00', 'ilse', '3', '-3', NULL, '2', '-3'),
    ('2.00', 'bela', '1', '-2', '-2', '-3', '-2');
INSERT INTO "1st"."emoji😀" ("new", "n", "vf_d", "r3", "r4") VALUES
    ('0.00', 'cira', '12', 'cira', '-3'),
    ('1.0000', 'bela', '1', 'bela', '-3'),
    ('12', 'cira', '1', 'bela', NULL),
    ('3.00', 'jana', '1', 'bela', '-1'),
    ('1', 'lena', '0', 'cira', '0'),
    ('5.0', 'mona', '1', 'bela', '1');
ALTER TABLE "1st"."emoji😀" ADD CONSTRAINT "fk_20" FOREIGN KEY ("vf_d", "r3") REFERENCES "1st"."emoji😀" ("new", "n") ON DELETE SET NULL ("vf_d");
ALTER TABLE "1st"."emoji😀" ADD CONSTRAINT "public" FOREIGN KEY ("vf_d", "r3") REFERENCES "1st"."emoji😀" ("new", "n") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"1st"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('new
line', '"1st"."t1"'::regclass, '"1st"."t0"'::regclass, columns => ARRAY['r4']::name[], parent_columns => ARRAY['id']::name[], action => 'delete');
SELECT vedfolnir_add_link('fk_18', '"1st"."t1"'::regclass, '"1st"."t0"'::regclass, columns => ARRAY['r5']::name[], parent_columns => ARRAY['id']::name[], action => 'nullify');
SELECT vedfolnir_add_link(E'back\\slash', '"1st"."emoji😀"'::regclass, '"1st"."t0"'::regclass, columns => ARRAY['r4']::name[], parent_columns => ARRAY['id']::name[], action => 'retain');
SELECT vedfolnir_set_policy('"1st"."t1"'::regclass, 'fk_18', 'delete', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"1st"."emoji😀"'::regclass, 'public', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"1st"."emoji😀"'::regclass, E'back\\slash', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

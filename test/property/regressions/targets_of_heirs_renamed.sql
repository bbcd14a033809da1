-- seed 2005324
-- DRYRUN: fails with 42703 column c.tableoid does not exist ()
-- case: {"seed": 2005324, "root": "\"\u00fcml\u00e4ut\".\"t0\"", "key_column": "\"", "key": "Alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"\u00fcml\u00e4ut\".\"/*note*/\"", "edge": "fk", "action": "delete", "collateral": "refuse", "reassign_to": null}, {"relation": "\"\u00fcml\u00e4ut\".\"t7\"", "edge": "semi;colon", "action": "delete", "collateral": "refuse", "reassign_to": null}, {"relation": "\"app0\".\"t8\"", "edge": "table", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"table\"", "edge": "fk", "action": "block", "collateral": "refuse", "reassign_to": null}, {"relation": "\"app0\".\"table\"", "edge": "fk2", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"table\"", "edge": "k2", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"we\"\"ird\"", "edge": "fk", "action": "default", "collateral": "refuse", "reassign_to": null}, {"relation": "\"app0\".\"we\"\"ird\"", "edge": "fk2", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t3\"", "edge": "per%s", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"\u00fcml\u00e4ut\".\"t4\"", "edge": "\u4e2d\u6587", "action": "delete", "collateral": "refuse", "reassign_to": null}, {"relation": "\"\u00fcml\u00e4ut\".\"/*note*/\"", "edge": "old", "action": "delete", "collateral": "refuse", "reassign_to": null}, {"relation": "\"\u00fcml\u00e4ut\".\"/*note*/\"", "edge": "fk3", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t6\"", "edge": "{brace}\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"\u00fcml\u00e4ut\".\"t7\"", "edge": "dot.ted", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t8\"", "edge": "tableoid2\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": [], "columns": [], "cleanups": [{"relation": "\"\u00fcml\u00e4ut\".\"t0\"", "kind": "redis_key", "service": "default", "target": "{\"}{\"}", "parts": [["\""], ["\""]], "escaped": true, "table": "\"\u00fcml\u00e4ut\".\"t0\""}, {"relation": "\"\u00fcml\u00e4ut\".\"t0\"", "kind": "file", "service": "default", "target": "{x0}", "parts": [["x0"]], "escaped": true, "table": "\"\u00fcml\u00e4ut\".\"t0\""}, {"relation": "\"app0\".\"E'x'\"", "kind": "file", "service": "other", "target": "p{{}}/{\u4e2d\u6587}", "parts": ["p{}/", ["\u4e2d\u6587"]], "escaped": true, "table": "\"app0\".\"t3\""}, {"relation": "\"\u00fcml\u00e4ut\".\"t0\"", "kind": "redis_pattern", "service": "default", "target": "p:{\"}*", "parts": ["p:", ["\""], "*"], "escaped": true, "table": "\"\u00fcml\u00e4ut\".\"t0\""}], "batch_rows": 0, "committed": false, "extra_keys": ["cIRa", "eDDa", "dora"], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SCHEMA "ümläut"; GRANT USAGE ON SCHEMA "ümläut" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "ümläut"."t0" ("""" text COLLATE kinds.ci NOT NULL, "x0" name, "中文" int, PRIMARY KEY (""""));
CREATE TABLE "app0"."table" ("k1" bigint NOT NULL, "tableoid2" uuid, "k2" bigint, "/*note*/" bigint, "excluded" bigint NOT NULL, "excluded2" smallint, PRIMARY KEY ("k1"));
CREATE TABLE "app0"."we""ird" ("中文" int NOT NULL, "new" text COLLATE kinds.ci, "publicéééééééééééééééééééééééééééé" bigint, PRIMARY KEY ("中文"));
CREATE TABLE "app0"."t3" ("ümläut" bigint NOT NULL, "中文" varchar(60), PRIMARY KEY ("ümläut")) PARTITION BY list ("ümläut");
CREATE TABLE "app0"."semi;colon" (gone0 int, "ümläut" bigint NOT NULL, "中文" varchar(60)); ALTER TABLE "app0"."semi;colon" DROP COLUMN gone0; ALTER TABLE "app0"."t3" ATTACH PARTITION "app0"."semi;colon" FOR VALUES IN (-3, -2, -1, 0, 1, 2, 3);
CREATE TABLE "app0"."E'x'" PARTITION OF "app0"."t3" FOR VALUES IN (4, 5, 6, 7, 8);
CREATE TABLE "app0"."t3_p2" (gone0 int, "ümläut" bigint NOT NULL, "中文" varchar(60)); ALTER TABLE "app0"."t3_p2" DROP COLUMN gone0; ALTER TABLE "app0"."t3" ATTACH PARTITION "app0"."t3_p2" DEFAULT;
CREATE TABLE "ümläut"."t4" ("id" text NOT NULL, "n" text, "r2" bigint, "vf_d" int, PRIMARY KEY ("id"));
CREATE TABLE "ümläut"."/*note*/" ("r0" bigint NOT NULL, "n" int, "r2" bigint NOT NULL, "r3" int, "old" smallint, PRIMARY KEY ("r0")) PARTITION BY list ("r0");
CREATE TABLE "ümläut"."/*note*/_p0" (gone0 int, "n" int, "r0" bigint NOT NULL, "r2" bigint NOT NULL, "r3" int, "old" smallint); ALTER TABLE "ümläut"."/*note*/_p0" DROP COLUMN gone0; ALTER TABLE "ümläut"."/*note*/" ATTACH PARTITION "ümläut"."/*note*/_p0" FOR VALUES IN (-3, -2, -1, 0, 1, 2, 3);
CREATE TABLE "ümläut"."via" (gone0 int, "r0" bigint NOT NULL, "r3" int, "n" int, "old" smallint, "r2" bigint NOT NULL); ALTER TABLE "ümläut"."via" DROP COLUMN gone0; ALTER TABLE "ümläut"."/*note*/" ATTACH PARTITION "ümläut"."via" FOR VALUES IN (4, 5, 6, 7, 8);
CREATE TABLE "ümläut"."Mixed Case" PARTITION OF "ümläut"."/*note*/" DEFAULT;
CREATE TABLE "app0"."t6" ("r0" text COLLATE kinds.ci NOT NULL);
CREATE TABLE "ümläut"."t7" ("keys" bigint NOT NULL, "seq" int NOT NULL, "x0" bigint NOT NULL, "public" int, "new
line" text COLLATE kinds.ci, """" text COLLATE kinds.ci, PRIMARY KEY ("keys", "seq"), UNIQUE ("x0"));
CREATE TABLE "app0"."t8" ("""" bigint NOT NULL, "seq" int NOT NULL, "e" text NOT NULL, "sp ace " varchar(60) NOT NULL, PRIMARY KEY ("""", "seq")) PARTITION BY list ("""");
CREATE TABLE "app0"."t8_p0" PARTITION OF "app0"."t8" FOR VALUES IN (-3, -2, -1, 0, 1, 2, 3);
CREATE TABLE "app0"."t8_p1" PARTITION OF "app0"."t8" FOR VALUES IN (4, 5, 6, 7, 8);
CREATE TABLE "app0"."p" PARTITION OF "app0"."t8" DEFAULT;
INSERT INTO "ümläut"."t0" ("""", "x0", "中文") VALUES
    ('Alma', 'lena', '9'),
    ('belA', 'kaja', '-2'),
    ('cIRa', 'mona', '7'),
    ('dora', 'kaja', '-1'),
    ('eDDa', 'ilse', '8'),
    ('fiNa', 'gusta', '-1'),
    ('GusTA', 'dora', '5');
INSERT INTO "app0"."table" ("k1", "tableoid2", "k2", "/*note*/", "excluded", "excluded2") VALUES
    ('-3', '9e3779b1-0000-4000-8000-000000000001', '-1', '-1', '-3', '8'),
    ('-2', '78dde6c4-0000-4000-8000-000000000004', '4', '-3', '-3', '8'),
    ('-1', '3c6ef362-0000-4000-8000-000000000002', NULL, '-2', '1', NULL),
    ('0', NULL, '6', '-1', '-2', '3'),
    ('1', '00000000-0000-4000-8000-000000000000', '0', '0', '-1', '-3'),
    ('2', '6a99b44c-0000-4000-8000-00000000000c', '-1', '1', '-3', '8');
INSERT INTO "app0"."we""ird" ("中文", "new", "publicéééééééééééééééééééééééééééé") VALUES
    ('-3', 'AlMa', NULL),
    ('-2', 'almA', NULL),
    ('-1', 'bela', '1'),
    ('0', 'ciRa', '-1'),
    ('1', 'doRa', '0'),
    ('2', 'Edda', '1'),
    ('3', NULL, '-1'),
    ('4', 'GUsta', '-3'),
    ('5', 'aLma', '-3'),
    ('6', 'Bela', '0'),
    ('7', 'cirA', '-3'),
    ('8', 'doRa', '-3'),
    ('9', 'edda', '1'),
    ('10', 'fiNa', '-2'),
    ('11', 'gUsta', '0'),
    ('12', 'Alma', '-3');
INSERT INTO "app0"."t3" ("ümläut", "中文") VALUES
    ('-3', 'gusta'),
    ('-2', 'almA'),
    ('-1', 'cirA'),
    ('0', 'FiNA'),
    ('1', 'almA'),
    ('2', 'alma'),
    ('3', 'eDdA'),
    ('4', 'Cira'),
    ('5', NULL),
    ('6', 'aLma'),
    ('7', NULL),
    ('8', 'AlMa'),
    ('9', 'aLMa'),
    ('10', 'BElA'),
    ('11', 'bela'),
    ('12', 'edda'),
    ('13', NULL),
    ('14', 'beLA'),
    ('15', 'edda'),
    ('16', NULL),
    ('17', 'almA'),
    ('18', 'bEla'),
    ('19', 'dOra'),
    ('20', 'aLma');
INSERT INTO "ümläut"."t4" ("id", "n", "r2", "vf_d") VALUES
    ('alma', NULL, NULL, NULL),
    ('bela', 'edda', '-1', '-3'),
    ('cira', 'alma', '-2', '2'),
    ('dora', NULL, '0', '-1'),
    ('edda', 'cira', '-3', '2'),
    ('fina', 'hanna', NULL, NULL),
    ('gusta', 'hanna', '-3', '8'),
    ('hanna', 'alma', '-1', '-3'),
    ('ilse', 'jana', NULL, NULL),
    ('jana', 'bela', '0', '-1'),
    ('kaja', NULL, '-3', '2'),
    ('lena', NULL, NULL, NULL),
    ('mona', 'bela', '-2', '2'),
    ('nora', 'jana', '-1', '-3'),
    ('olga', 'cira', '-2', '3'),
    ('petra', 'alma', '0', '-1');
INSERT INTO "ümläut"."/*note*/" ("r0", "n", "r2", "r3", "old") VALUES
    ('-3', NULL, '-3', '10', NULL),
    ('-2', NULL, '-2', '2', '-2'),
    ('-1', '2', '-1', '-2', '-1'),
    ('0', '-3', '0', '1', '0'),
    ('1', '3', '1', '9', NULL),
    ('2', '7', '2', '3', NULL);
INSERT INTO "app0"."t6" ("r0") VALUES
    ('alma'),
    ('belA'),
    ('bELa'),
    ('beLa'),
    ('Alma'),
    ('CiRa');
INSERT INTO "ümläut"."t7" ("keys", "seq", "x0", "public", "new
line", """") VALUES
    ('-3', '5', '0', '9', 'EdDA', 'bEla'),
    ('-3', '-2', '-2', '7', 'AlmA', 'aLma'),
    ('-2', '-3', '-1', '2', 'cIRA', 'Alma');
INSERT INTO "app0"."t8" ("""", "seq", "e", "sp ace ") VALUES
    ('-1', '-3', 'fina', 'AlMA'),
    ('-2', '3', 'alma', 'almA'),
    ('0', '-1', 'bela', 'bela'),
    ('-3', '2', 'cira', 'cirA'),
    ('-3', '8', 'olga', 'dora'),
    ('-2', '2', 'lena', 'beLa');
ALTER TABLE "ümläut"."/*note*/" ADD CONSTRAINT "fk" FOREIGN KEY ("r0") REFERENCES "app0"."table" ("k1") ON DELETE NO ACTION;
ALTER TABLE "ümläut"."t7" ADD CONSTRAINT "semi;colon" FOREIGN KEY ("keys") REFERENCES "app0"."t3" ("ümläut") ON DELETE CASCADE;
CREATE INDEX ON "ümläut"."t7" ("keys");
ALTER TABLE "app0"."t8" ADD CONSTRAINT "table" FOREIGN KEY ("""") REFERENCES "ümläut"."/*note*/" ("r0") ON DELETE NO ACTION;
ALTER TABLE "app0"."table" ADD CONSTRAINT "fk" FOREIGN KEY ("/*note*/") REFERENCES "app0"."table" ("k1") ON DELETE NO ACTION;
ALTER TABLE "app0"."table" ADD CONSTRAINT "fk2" FOREIGN KEY ("excluded") REFERENCES "app0"."table" ("k1") ON DELETE RESTRICT;
CREATE INDEX ON "app0"."table" ("excluded");
ALTER TABLE "app0"."table" ADD CONSTRAINT "k2" FOREIGN KEY ("excluded", "excluded2") REFERENCES "app0"."t8" ("""", "seq") ON DELETE CASCADE;
ALTER TABLE "app0"."we""ird" ADD CONSTRAINT "fk" FOREIGN KEY ("new") REFERENCES "ümläut"."t0" ("""") ON DELETE SET NULL;
CREATE INDEX ON "app0"."we""ird" ("new");
ALTER TABLE "app0"."we""ird" ADD CONSTRAINT "fk2" FOREIGN KEY ("publicéééééééééééééééééééééééééééé") REFERENCES "app0"."table" ("k1") ON DELETE SET NULL;
ALTER TABLE "app0"."t3" ADD CONSTRAINT "per%s" FOREIGN KEY ("中文") REFERENCES "ümläut"."t0" ("""") ON DELETE CASCADE;
CREATE INDEX ON "app0"."t3" ("中文");
ALTER TABLE "ümläut"."t4" ADD CONSTRAINT "中文" FOREIGN KEY ("r2", "vf_d") REFERENCES "app0"."t8" ("""", "seq") MATCH FULL ON DELETE CASCADE;
ALTER TABLE "ümläut"."/*note*/" ADD CONSTRAINT "fk2" FOREIGN KEY ("r2") REFERENCES "app0"."t3" ("ümläut") ON DELETE CASCADE;
ALTER TABLE "ümläut"."/*note*/" ADD CONSTRAINT "old" FOREIGN KEY ("r3") REFERENCES "app0"."we""ird" ("中文") ON DELETE SET NULL;
ALTER TABLE "ümläut"."/*note*/" ADD CONSTRAINT "fk3" FOREIGN KEY ("old") REFERENCES "app0"."we""ird" ("中文") ON DELETE CASCADE;
ALTER TABLE "app0"."t6" ADD CONSTRAINT "{brace}éééééééééééééééééééééééééééé" FOREIGN KEY ("r0") REFERENCES "ümläut"."t0" ("""") ON DELETE CASCADE;
ALTER TABLE "ümläut"."t7" ADD CONSTRAINT "dot.ted" FOREIGN KEY ("new
line") REFERENCES "ümläut"."t0" ("""") ON DELETE SET NULL;
ALTER TABLE "ümläut"."t7" ADD CONSTRAINT "fk" FOREIGN KEY ("""") REFERENCES "ümläut"."t0" ("""") ON DELETE CASCADE  NOT VALID;
ALTER TABLE "app0"."t8" ADD CONSTRAINT "tableoid2ééééééééééééééééééééééééééé" FOREIGN KEY ("e") REFERENCES "ümläut"."t4" ("id") ON DELETE CASCADE;
CREATE INDEX ON "app0"."t8" ("e");
ALTER TABLE "app0"."t8_p0" ADD CONSTRAINT "fk" FOREIGN KEY ("sp ace ") REFERENCES "ümläut"."t0" ("""") ON DELETE CASCADE;
CREATE INDEX ON "app0"."t8_p0" ("sp ace ");
ALTER TABLE "app0"."t6" OWNER TO "Property ""Owner""";
ALTER TABLE "ümläut"."t7" OWNER TO "Property ""Owner""";
-- policies and run
SELECT vedfolnir_register_subject('"ümläut"."t0"'::regclass, '"', mode => 'delete');
SELECT vedfolnir_set_policy('"ümläut"."/*note*/"'::regclass, 'fk', 'delete', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"ümläut"."t7"'::regclass, 'semi;colon', 'delete', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"app0"."t8"'::regclass, 'table', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."table"'::regclass, 'fk', 'block', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"app0"."table"'::regclass, 'fk2', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."table"'::regclass, 'k2', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."we""ird"'::regclass, 'fk', 'default', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"app0"."we""ird"'::regclass, 'fk2', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t3"'::regclass, 'per%s', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"ümläut"."t4"'::regclass, '中文', 'delete', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"ümläut"."/*note*/"'::regclass, 'old', 'delete', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"ümläut"."/*note*/"'::regclass, 'fk3', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t6"'::regclass, '{brace}éééééééééééééééééééééééééééé', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"ümläut"."t7"'::regclass, 'dot.ted', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t8"'::regclass, 'tableoid2ééééééééééééééééééééééééééé', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_add_cleanup('"ümläut"."t0"'::regclass, 'redis_key', '{"}{"}', 'default');
SELECT vedfolnir_add_cleanup('"ümläut"."t0"'::regclass, 'file', '{x0}', 'default');
SELECT vedfolnir_add_cleanup('"app0"."E''x''"'::regclass, 'file', 'p{{}}/{中文}', 'other');
SELECT vedfolnir_add_cleanup('"ümläut"."t0"'::regclass, 'redis_pattern', 'p:{"}*', 'default');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['Alma', 'cIRa', 'eDDa', 'dora'], dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['Alma', 'cIRa', 'eDDa', 'dora'], dry_run => false);
ROLLBACK;

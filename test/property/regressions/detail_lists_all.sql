-- seed 20507
-- DETAIL: edge 'fk_9' of "/*note*/"."sp ace éééééééééééééééééééééééééééé" is not in the DETAIL of VF007: "/*note*/"."new
-- line" via fk_1: 1 row, the policy is block: test.
-- Nothing was changed.
-- case: {"seed": 20507, "root": "\"app2\".\"x\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\"", "key_column": "e", "key": "2.00", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"/*note*/\".\"new\nline\"", "edge": "fk_1", "action": "block", "collateral": "delete", "reassign_to": null}, {"relation": "\"Mixed Case\".\"ctid2\"", "edge": "i", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"/*note*/\".\"sp ace \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\"", "edge": "m", "action": "default", "collateral": "refuse", "reassign_to": null}, {"relation": "\"/*note*/\".\"sp ace \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\"", "edge": "fk_9", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [], "committed": false, "extra_keys": ["0.00", "1"], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app2"; GRANT USAGE ON SCHEMA "app2" TO PUBLIC;
CREATE SCHEMA "Mixed Case"; GRANT USAGE ON SCHEMA "Mixed Case" TO PUBLIC;
CREATE SCHEMA "/*note*/"; GRANT USAGE ON SCHEMA "/*note*/" TO PUBLIC;
CREATE TABLE "app2"."xééééééééééééééééééééééééééééééé" ("e" numeric NOT NULL, "E'x'" timestamp, PRIMARY KEY ("e"));
CREATE TABLE "Mixed Case"."ctid2" ("user" numeric NOT NULL, "dot.ted" int NOT NULL, "ctid2" numeric, "emoji😀" numeric, "r4" bigint, PRIMARY KEY ("user", "dot.ted"));
CREATE TABLE "/*note*/"."new
line" ("r0" numeric NOT NULL, "k2" date, PRIMARY KEY ("r0"));
CREATE TABLE "/*note*/"."sp ace éééééééééééééééééééééééééééé" ("id" numeric NOT NULL, "vf_d" numeric, "r2" int, "via" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, "per%s" int NOT NULL, "i" numeric NOT NULL, PRIMARY KEY ("id"));
INSERT INTO "app2"."xééééééééééééééééééééééééééééééé" ("e", "E'x'") VALUES
    ('0.00', '2020-01-08'),
    ('1', '2020-01-03'),
    ('2.00', '2020-01-05');
INSERT INTO "Mixed Case"."ctid2" ("user", "dot.ted", "ctid2", "emoji😀", "r4") VALUES
    ('1.00', '-3', '2.0000', '0.0', '2'),
    ('0', '2', '2.0000', '1.00', '0'),
    ('0', '-1', '0', '1.0000', '0'),
    ('2.0000', '4', '2.00', NULL, '0');
INSERT INTO "/*note*/"."new
line" ("r0", "k2") VALUES
    ('2.0', '2020-01-03');
INSERT INTO "/*note*/"."sp ace éééééééééééééééééééééééééééé" ("id", "vf_d", "r2", "per%s", "i") VALUES
    ('14', '1.0000', '-3', '-3', '0'),
    ('15.0000', '0.0', '2', '-1', '1.00');
ALTER TABLE "/*note*/"."new
line" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r0") REFERENCES "app2"."xééééééééééééééééééééééééééééééé" ("e") ON DELETE CASCADE;
ALTER TABLE "Mixed Case"."ctid2" ADD CONSTRAINT "i" FOREIGN KEY ("emoji😀") REFERENCES "app2"."xééééééééééééééééééééééééééééééé" ("e") ON DELETE RESTRICT DEFERRABLE;
ALTER TABLE "/*note*/"."sp ace éééééééééééééééééééééééééééé" ADD CONSTRAINT "m" FOREIGN KEY ("vf_d", "r2") REFERENCES "Mixed Case"."ctid2" ("user", "dot.ted") ON DELETE NO ACTION;
ALTER TABLE "/*note*/"."sp ace éééééééééééééééééééééééééééé" ADD CONSTRAINT "fk_9" FOREIGN KEY ("vf_d", "per%s") REFERENCES "Mixed Case"."ctid2" ("user", "dot.ted") MATCH FULL ON DELETE NO ACTION;
-- policies and run
SELECT vedfolnir_register_subject('"app2"."xééééééééééééééééééééééééééééééé"'::regclass, 'e', mode => 'delete');
SELECT vedfolnir_set_policy('"/*note*/"."new
line"'::regclass, 'fk_1', 'block', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"Mixed Case"."ctid2"'::regclass, 'i', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"/*note*/"."sp ace éééééééééééééééééééééééééééé"'::regclass, 'm', 'default', reason => 'test', collateral => 'refuse');
SELECT vedfolnir_set_policy('"/*note*/"."sp ace éééééééééééééééééééééééééééé"'::regclass, 'fk_9', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['2.00', '0.00', '1'], dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['2.00', '0.00', '1'], dry_run => false);
ROLLBACK;

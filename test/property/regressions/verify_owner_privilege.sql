-- seed 8
-- 42501 permission denied for table t0
-- case: {"seed": 8, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t1\"", "edge": "fk", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t1\"", "edge": "fk2", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t1\"", "edge": "fk3", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"app0\".\"t2\"", "edge": "fk", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" (gone1 int, "id" varchar(60) NOT NULL, "x0" text COLLATE kinds.ci, gone0 int, PRIMARY KEY ("id")); ALTER TABLE "app0"."t0" DROP COLUMN gone0; ALTER TABLE "app0"."t0" DROP COLUMN gone1;
CREATE TABLE "app0"."t1" ("x0" double precision, "r1" varchar(60), "r2" varchar(60), "g" boolean GENERATED ALWAYS AS ("x0" IS NULL) STORED);
CREATE TABLE "app0"."t2" ("a" text COLLATE pg_catalog."C" NOT NULL, "b" bigint NOT NULL, "x0" name, "r3" text COLLATE pg_catalog."C", "r4" kinds.posint NOT NULL, gone0 int, PRIMARY KEY ("a", "b")); ALTER TABLE "app0"."t2" DROP COLUMN gone0;
INSERT INTO "app0"."t0" ("id", "x0") VALUES
    ('alma', 'Bela'),
    ('bela', 'bEla');
INSERT INTO "app0"."t1" ("x0", "r1", "r2") VALUES
    ('7', 'bela', 'alma'),
    ('5', 'bela', 'bela'),
    ('-0', 'alma', 'alma'),
    ('1', 'alma', 'alma'),
    ('0', 'alma', 'alma'),
    ('0', 'bela', 'bela'),
    ('8', 'alma', 'alma'),
    ('11', 'alma', 'alma'),
    ('8', NULL, 'alma'),
    ('9', 'alma', 'alma'),
    ('3', 'alma', 'alma'),
    ('6', 'alma', 'alma'),
    ('10', 'alma', 'alma'),
    ('4', NULL, 'alma'),
    ('1', 'alma', 'alma'),
    ('6', 'alma', 'alma'),
    ('4', 'bela', 'alma'),
    (NULL, NULL, 'bela'),
    ('5', NULL, 'alma'),
    (NULL, 'bela', 'bela'),
    ('8', NULL, 'bela'),
    ('5', NULL, 'alma'),
    ('4', 'bela', 'bela'),
    ('1', NULL, 'alma');
INSERT INTO "app0"."t2" ("a", "b", "x0", "r3", "r4") VALUES
    ('alma', '8', 'ilse', 'edda', '-2'),
    ('edda', '-2', 'bela', 'edda', '-2'),
    ('cira', '6', 'bela', 'alma', '8'),
    ('dora', '0', NULL, 'alma', '8'),
    ('edda', '1', 'mona', 'alma', '8'),
    ('ilse', '2', NULL, 'edda', '-2');
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk" FOREIGN KEY ("r1") REFERENCES "app0"."t0" ("id") ON DELETE SET NULL;
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk2" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
CREATE INDEX ON "app0"."t1" ("r2");
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk3" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "app0"."t2" ADD CONSTRAINT "fk" FOREIGN KEY ("r3", "r4") REFERENCES "app0"."t2" ("a", "b") MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ON "app0"."t2" ("r3");
ALTER TABLE "app0"."t1" OWNER TO "Property ""Owner""";
ALTER TABLE "app0"."t2" OWNER TO "Property ""Owner""";
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app0"."t1"'::regclass, 'fk', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t1"'::regclass, 'fk2', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t1"'::regclass, 'fk3', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app0"."t2"'::regclass, 'fk', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

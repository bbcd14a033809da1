-- seed 322
-- COUNT: "app0"."t3" via fk_9 block counts 0, expected 1
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=a88b34531a4a82678d4c18ebb8aa95577699b51191aa0f80e7908b1f686ea006')
--     (2, 'app0."1stéééééééééééééééééééééééééééééé"', 'fk_0', 'delete', 1, 0, None)
--     (3, 'app0.t3', 'excluded', 'default', 1, 0, 'no index on (k): CREATE INDEX CONCURRENTLY ON app0.t3 (k);')
-- BLOCK: "app0"."t3" via fk_9 is not shown as blocked (undeclared)
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=a88b34531a4a82678d4c18ebb8aa95577699b51191aa0f80e7908b1f686ea006')
--     (2, 'app0."1stéééééééééééééééééééééééééééééé"', 'fk_0', 'delete', 1, 0, None)
--     (3, 'app0.t3', 'excluded', 'default', 1, 0, 'no index on (k): CREATE INDEX CONCURRENTLY ON app0.t3 (k);')
-- DRYRUN: shows no block row, the run VF007 cannot delete the user: 1 edge is in the way (app0.t3 via fk_9: 1 row, no policy.
-- Nothing was changed.)
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=a88b34531a4a82678d4c18ebb8aa95577699b51191aa0f80e7908b1f686ea006')
--     (2, 'app0."1stéééééééééééééééééééééééééééééé"', 'fk_0', 'delete', 1, 0, None)
--     (3, 'app0.t3', 'excluded', 'default', 1, 0, 'no index on (k): CREATE INDEX CONCURRENTLY ON app0.t3 (k);')
-- case: {"seed": 322, "root": "\"app0\".\"t0\"", "key_column": "excluded", "key": "alMA", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN kinds.label AS text;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "e"; GRANT USAGE ON SCHEMA "e" TO PUBLIC;
CREATE TABLE "app0"."t0" ("excluded" text COLLATE kinds.ci NOT NULL, "quo'te" bigint, PRIMARY KEY ("excluded"));
CREATE TABLE "app0"."1stéééééééééééééééééééééééééééééé" ("r0" text COLLATE kinds.ci NOT NULL, "row_count" bigint NOT NULL, "E'x'" text COLLATE kinds.ci NOT NULL, "v" smallint, PRIMARY KEY ("r0", "row_count")) PARTITION BY hash ("r0");
CREATE TABLE "app0"."1stééééééééééééééééé_p0" PARTITION OF "app0"."1stéééééééééééééééééééééééééééééé" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "app0"."1stééééééééééééééééé_p1" PARTITION OF "app0"."1stéééééééééééééééééééééééééééééé" FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE "app0"."t3" ("id" int NOT NULL, "we""ird" bigint, "x1" kinds.label, "k" text COLLATE kinds.ci NOT NULL DEFAULT 'alma', "public" bigint NOT NULL, PRIMARY KEY ("id"));
INSERT INTO "app0"."t0" ("excluded", "quo'te") VALUES
    ('alMA', '-3');
INSERT INTO "app0"."1stéééééééééééééééééééééééééééééé" ("r0", "row_count", "E'x'", "v") VALUES
    ('alMa', '7', 'ciRa', '-1');
INSERT INTO "app0"."t3" ("id", "we""ird", "x1", "k", "public") VALUES
    ('1', '-3', 'fina', 'alma', '7');
ALTER TABLE "app0"."1stéééééééééééééééééééééééééééééé" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("excluded") ON DELETE CASCADE;
ALTER TABLE "app0"."t3" ADD CONSTRAINT "excluded" FOREIGN KEY ("k") REFERENCES "app0"."t0" ("excluded") ON DELETE SET DEFAULT;
ALTER TABLE "app0"."t3" ADD CONSTRAINT "fk_9" FOREIGN KEY ("k", "public") REFERENCES "app0"."1stéééééééééééééééééééééééééééééé" ("r0", "row_count") ON DELETE NO ACTION;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'excluded', mode => 'tombstone');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alMA', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alMA', dry_run => false);
ROLLBACK;

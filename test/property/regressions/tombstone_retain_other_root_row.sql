-- seed 818
-- COUNT: "app0"."t9" via fk_25 retain counts 1, expected 0
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=b0426ccce53a5853aaabd973b7a284ba8e9818a24ad5553c9fc93efe43ea41d4')
--     (2, 'app0.t0', 'fk_4', 'delete', 2, 2, '2 rows of other users go with them; the foreign key is NOT VALID; no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t9', 'fk_25', 'retain', 1, 0, 'retained: test')
-- COUNT: "app0"."t9" via fk_25 block counts 0, expected 1
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=b0426ccce53a5853aaabd973b7a284ba8e9818a24ad5553c9fc93efe43ea41d4')
--     (2, 'app0.t0', 'fk_4', 'delete', 2, 2, '2 rows of other users go with them; the foreign key is NOT VALID; no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t9', 'fk_25', 'retain', 1, 0, 'retained: test')
-- BLOCK: "app0"."t9" via fk_25 is not shown as blocked (retain)
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=b0426ccce53a5853aaabd973b7a284ba8e9818a24ad5553c9fc93efe43ea41d4')
--     (2, 'app0.t0', 'fk_4', 'delete', 2, 2, '2 rows of other users go with them; the foreign key is NOT VALID; no index on (r2): CREATE INDEX CONCURRENTLY ON app0.t0 (r2);')
--     (3, 'app0.t9', 'fk_25', 'retain', 1, 0, 'retained: test')
-- case: {"seed": 818, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "-3", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t9\"", "edge": "fk_25", "action": "retain", "collateral": "refuse", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, "x0" int, "r2" bigint, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t9" ("r0" int NOT NULL, "r1" int NOT NULL, gone0 int, "x0" text, "r3" int, PRIMARY KEY ("r0", "r1")) PARTITION BY hash ("r0"); ALTER TABLE "app0"."t9" DROP COLUMN gone0;
CREATE TABLE "app0"."t9_p0" PARTITION OF "app0"."t9" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "app0"."t9_p1" PARTITION OF "app0"."t9" FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO "app0"."t0" ("id", "x0", "r2") VALUES
    ('-3', '4', NULL),
    ('-1', NULL, '1'),
    ('1', NULL, '-3');
INSERT INTO "app0"."t9" ("r0", "r1", "x0", "r3") VALUES
    ('-3', '-3', 'bela', '-1');
ALTER TABLE "app0"."t0" ADD CONSTRAINT "fk_4" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE  NOT VALID;
ALTER TABLE "app0"."t9" ADD CONSTRAINT "fk_25" FOREIGN KEY ("r3") REFERENCES "app0"."t0" ("id") ON DELETE SET NULL DEFERRABLE;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"app0"."t9"'::regclass, 'fk_25', 'retain', reason => 'test', collateral => 'refuse');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

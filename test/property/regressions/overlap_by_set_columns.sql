-- seed 618
-- COUNT: "app1"."t10" via fk_5 block counts 0, expected 1
--     (1, 'app1.t0', None, 'delete', 1, 0, 'plan_hash=1c41cba1fbdb9351b691ae0609b5321a6350aa9f3e200f46d35c62b19b9a5a63')
--     (2, 'app0.e', 'm', 'delete', 1, 0, 'no index on (r3): CREATE INDEX ON app0.e (r3);')
--     (3, 'app1.t1_p1', 'fk_7', 'delete', 1, 0, 'no index on (r4): CREATE INDEX ON app1.t1_p1 (r4);')
--     (4, 'app1.t10', 'dot.ted', 'nullify', 2, 0, 'no index on (r1, r3): CREATE INDEX CONCURRENTLY ON app1.t10 (r1, r3);')
-- BLOCK: "app1"."t10" via fk_5 is not shown as blocked (undeclared)
--     (1, 'app1.t0', None, 'delete', 1, 0, 'plan_hash=1c41cba1fbdb9351b691ae0609b5321a6350aa9f3e200f46d35c62b19b9a5a63')
--     (2, 'app0.e', 'm', 'delete', 1, 0, 'no index on (r3): CREATE INDEX ON app0.e (r3);')
--     (3, 'app1.t1_p1', 'fk_7', 'delete', 1, 0, 'no index on (r4): CREATE INDEX ON app1.t1_p1 (r4);')
--     (4, 'app1.t10', 'dot.ted', 'nullify', 2, 0, 'no index on (r1, r3): CREATE INDEX CONCURRENTLY ON app1.t10 (r1, r3);')
-- DRYRUN: shows no block row, the run VF007 cannot delete the user: 1 edge is in the way (app1.t10 via fk_5: 1 row, no policy.
-- Nothing was changed.)
--     (1, 'app1.t0', None, 'delete', 1, 0, 'plan_hash=1c41cba1fbdb9351b691ae0609b5321a6350aa9f3e200f46d35c62b19b9a5a63')
--     (2, 'app0.e', 'm', 'delete', 1, 0, 'no index on (r3): CREATE INDEX ON app0.e (r3);')
--     (3, 'app1.t1_p1', 'fk_7', 'delete', 1, 0, 'no index on (r4): CREATE INDEX ON app1.t1_p1 (r4);')
--     (4, 'app1.t10', 'dot.ted', 'nullify', 2, 0, 'no index on (r1, r3): CREATE INDEX CONCURRENTLY ON app1.t10 (r1, r3);')
-- case: {"seed": 618, "root": "\"app1\".\"t0\"", "key_column": "k1", "key": "00000000-0000-4000-8000-000000000000", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ai (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app1"."t0" ("k1" uuid NOT NULL, "x0" date NOT NULL, "r2" date, PRIMARY KEY ("k1"), UNIQUE ("x0"));
CREATE TABLE "app1"."t1" ("r0" uuid NOT NULL, "r1" uuid NOT NULL, "x0" numeric, "part" int NOT NULL, "r4" uuid NOT NULL, PRIMARY KEY ("r0", "r1", "part")) PARTITION BY range ("part");
CREATE TABLE "app1"."t1_p0" PARTITION OF "app1"."t1" FOR VALUES FROM (MINVALUE) TO (4) PARTITION BY hash ("part"); CREATE TABLE "app1"."t1_p0_sub1_00" PARTITION OF "app1"."t1_p0" FOR VALUES WITH (modulus 2, remainder 0); CREATE TABLE "app1"."t1_p0_sub1_10" PARTITION OF "app1"."t1_p0" FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE "app1"."t1_p1" PARTITION OF "app1"."t1" FOR VALUES FROM (4) TO (9) PARTITION BY hash ("part"); CREATE TABLE "app1"."t1_p1_sub1_01" PARTITION OF "app1"."t1_p1" FOR VALUES WITH (modulus 2, remainder 0); CREATE TABLE "app1"."t1_p1_sub1_11" PARTITION OF "app1"."t1_p1" FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE "app1"."t1_p2" (gone0 int, "part" int NOT NULL, "r1" uuid NOT NULL, "r0" uuid NOT NULL, "r4" uuid NOT NULL, "x0" numeric); ALTER TABLE "app1"."t1_p2" DROP COLUMN gone0; ALTER TABLE "app1"."t1" ATTACH PARTITION "app1"."t1_p2" DEFAULT;
CREATE TABLE "app0"."e" ("tableoid2" uuid NOT NULL, "d" int NOT NULL, "g" boolean GENERATED ALWAYS AS ("tableoid2" IS NULL) STORED, "/*note*/ééééééééééééééééééééééééééé" text COLLATE kinds.ai, "r3" uuid, PRIMARY KEY ("tableoid2", "d")) PARTITION BY range ("d");
CREATE TABLE "app0"."e_p0" PARTITION OF "app0"."e" FOR VALUES FROM (MINVALUE) TO (4);
CREATE TABLE "app0"."e_p1" PARTITION OF "app0"."e" FOR VALUES FROM (4) TO (9) PARTITION BY hash ("d"); CREATE TABLE "app0"."e_p1_sub6_01" PARTITION OF "app0"."e_p1" FOR VALUES WITH (modulus 2, remainder 0); CREATE TABLE "app0"."e_p1_sub6_11" PARTITION OF "app0"."e_p1" FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE "app0"."e_p2" PARTITION OF "app0"."e" DEFAULT;
CREATE TABLE "app1"."t10" ("r0" uuid NOT NULL, "r1" uuid NOT NULL, "xééééééééééééééééééééééééééééééé" smallint NOT NULL, "r3" smallint, PRIMARY KEY ("r0", "r1", "xééééééééééééééééééééééééééééééé"));
INSERT INTO "app1"."t0" ("k1", "x0", "r2") VALUES
    ('00000000-0000-4000-8000-000000000000', '2020-01-01', '2020-01-02'),
    ('3c6ef362-0000-4000-8000-000000000002', '2020-01-03', '2020-01-03');
INSERT INTO "app1"."t1" ("r0", "r1", "x0", "part", "r4") VALUES
    ('00000000-0000-4000-8000-000000000000', '9e3779b1-0000-4000-8000-000000000001', '3', '4', '00000000-0000-4000-8000-000000000000'),
    ('00000000-0000-4000-8000-000000000000', '9e3779b1-0000-4000-8000-000000000001', '6.0000', '-2', '00000000-0000-4000-8000-000000000000');
INSERT INTO "app0"."e" ("tableoid2", "d", "/*note*/ééééééééééééééééééééééééééé", "r3") VALUES
    ('00000000-0000-4000-8000-000000000000', '-3', NULL, NULL),
    ('3c6ef362-0000-4000-8000-000000000002', '1', 'eDdá', '3c6ef362-0000-4000-8000-000000000002'),
    ('9e3779b1-0000-4000-8000-000000000001', '-1', 'dOrA', '00000000-0000-4000-8000-000000000000'),
    ('3c6ef362-0000-4000-8000-000000000002', '-2', 'ilsé', NULL),
    ('00000000-0000-4000-8000-000000000000', '0', 'káJa', NULL);
INSERT INTO "app1"."t10" ("r0", "r1", "xééééééééééééééééééééééééééééééé", "r3") VALUES
    ('00000000-0000-4000-8000-000000000000', '9e3779b1-0000-4000-8000-000000000001', '-2', '-1'),
    ('00000000-0000-4000-8000-000000000000', '9e3779b1-0000-4000-8000-000000000001', '4', '-1');
ALTER TABLE "app1"."t10" ADD CONSTRAINT "fk_5" FOREIGN KEY ("r0", "r1", "xééééééééééééééééééééééééééééééé") REFERENCES "app1"."t1" ("r0", "r1", "part") ON DELETE NO ACTION;
ALTER TABLE "app1"."t1_p1" ADD CONSTRAINT "fk_7" FOREIGN KEY ("r4") REFERENCES "app1"."t0" ("k1") ON DELETE CASCADE;
ALTER TABLE "app0"."e" ADD CONSTRAINT "m" FOREIGN KEY ("r3") REFERENCES "app1"."t0" ("k1") ON DELETE CASCADE;
ALTER TABLE "app1"."t10" ADD CONSTRAINT "dot.ted" FOREIGN KEY ("r1", "r3") REFERENCES "app0"."e" ("tableoid2", "d") ON DELETE SET NULL ("r3");
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t0"'::regclass, 'k1', mode => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => false);
ROLLBACK;

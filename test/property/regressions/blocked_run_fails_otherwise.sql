-- seed 99
-- DRYRUN: shows block rows, the run 23505 duplicate key value violates unique constraint "t3_pkey" (The row is not shown, because it may hold personal data. Nothing was changed.)
--     (1, 'p.t0', None, 'delete', 1, 0, 'plan_hash=b20b6d9fdf6b3cdde23dcfc090252892c5dfec04f14154674bfba0ecf58e128f')
--     (2, 'p.vf_d', 'fk', 'delete', 2, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON p.vf_d (r2);')
--     (3, 'p.t3', 'fk', 'reassign', 1, 0, None)
--     (4, 'p.t3', 'fk2', 'reassign', 2, 0, 'no index on (tableoid2): CREATE INDEX CONCURRENTLY ON p.t3 (tableoid2);')
--     (5, 'p.t3', 'fk2', 'block', 2, 0, "the row to reassign to does not exist or is deleted too: SELECT vedfolnir_set_policy('p.t3', 'fk2', 'reassign', reassign_to => '...');")
-- UNPREDICTED: 23505 duplicate key value violates unique constraint "t3_pkey" (The row is not shown, because it may hold personal data. Nothing was changed.), but it was foreseeable: [('"p"."t3"', 'fk2', 'reassign target'), 'unique "p"."t3"']
--     (1, 'p.t0', None, 'delete', 1, 0, 'plan_hash=b20b6d9fdf6b3cdde23dcfc090252892c5dfec04f14154674bfba0ecf58e128f')
--     (2, 'p.vf_d', 'fk', 'delete', 2, 0, 'no index on (r2): CREATE INDEX CONCURRENTLY ON p.vf_d (r2);')
--     (3, 'p.t3', 'fk', 'reassign', 1, 0, None)
--     (4, 'p.t3', 'fk2', 'reassign', 2, 0, 'no index on (tableoid2): CREATE INDEX CONCURRENTLY ON p.t3 (tableoid2);')
--     (5, 'p.t3', 'fk2', 'block', 2, 0, "the row to reassign to does not exist or is deleted too: SELECT vedfolnir_set_policy('p.t3', 'fk2', 'reassign', reassign_to => '...');")
-- case: {"seed": 99, "root": "\"p\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"p\".\"t3\"", "edge": "fk", "action": "reassign", "collateral": "delete", "reassign_to": "belA"}, {"relation": "\"p\".\"t3\"", "edge": "fk2", "action": "reassign", "collateral": "delete", "reassign_to": "0"}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "p"; GRANT USAGE ON SCHEMA "p" TO PUBLIC;
CREATE TABLE "p"."t0" ("id" citext NOT NULL, "x0" text, PRIMARY KEY ("id"));
CREATE TABLE "p"."vf_d" ("id" int NOT NULL, "end" bytea, "r2" citext, PRIMARY KEY ("id"));
CREATE UNLOGGED TABLE "p"."t3" ("k1" citext NOT NULL, "seq" int NOT NULL, gone0 int, "tab	here" int NOT NULL, "tableoid2" int, "r4" int, gone1 int, "r5" citext, PRIMARY KEY ("k1", "seq"), UNIQUE ("tab	here")); ALTER TABLE "p"."t3" DROP COLUMN gone0; ALTER TABLE "p"."t3" DROP COLUMN gone1;
INSERT INTO "p"."t0" ("id", "x0") VALUES
    ('alma', NULL),
    ('belA', 'gusta');
INSERT INTO "p"."vf_d" ("id", "end", "r2") VALUES
    ('-1', E'\\x0007', 'aLmA'),
    ('0', E'\\x000c', 'aLMa');
INSERT INTO "p"."t3" ("k1", "seq", "tab	here", "tableoid2", "r4", "r5") VALUES
    ('Bela', '1', '1', '-1', '-3', 'alma'),
    ('alMa', '1', '4', '0', '2', 'AlMa');
ALTER TABLE "p"."t3" ADD CONSTRAINT "fk" FOREIGN KEY ("k1") REFERENCES "p"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "p"."vf_d" ADD CONSTRAINT "fk" FOREIGN KEY ("r2") REFERENCES "p"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "p"."t3" ADD CONSTRAINT "fk2" FOREIGN KEY ("tableoid2") REFERENCES "p"."vf_d" ("id") ON DELETE SET DEFAULT;
-- policies and run
SELECT vedfolnir_register_subject('"p"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"p"."t3"'::regclass, 'fk', 'reassign', reason => 'test', collateral => 'delete', reassign_to => 'belA');
SELECT vedfolnir_set_policy('"p"."t3"'::regclass, 'fk2', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '0');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

-- seed 2003951
-- DRYRUN: other rows than the run:
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=f7e8c1114811f4e3ccd462a3ecd4635615e71910c013895ecafd500787691cd7')
--     (2, 'app0.h14', 'fk_0', 'reassign', 1, 0, 'the table inherits the columns, not the foreign key; no index on (r0): CREATE INDEX CONCURRENTLY ON app0.h14 (r0);')
--     (3, 'app0.t1', 'fk_0', 'reassign', 1, 0, None)
--     (4, 'app0.h14', 'fk_0', 'block', 1, 0, 'foreign key "fk_22" would be violated: SELECT vedfolnir_set_policy(\'app0.h14\', \'fk_0\', \'delete\');')
-- run:
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=9fc6fddf0a7ef13b6f3c9d859c4de37958367d40a7aa400f89b16feb40e06d20')
--     (2, 'app0.h14', 'fk_0', 'reassign', 1, 0, 'the table inherits the columns, not the foreign key; no index on (r0): CREATE INDEX CONCURRENTLY ON app0.h14 (r0);')
--     (3, 'app0.t1', 'fk_0', 'reassign', 1, 0, None)
-- FASTRI: on goes through, off VF006 the plan is not the one that was asked for (Schema, policy or rows changed since the dry run. Nothing was changed.)
-- DRYRUN: shows block rows, the run goes through
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=f7e8c1114811f4e3ccd462a3ecd4635615e71910c013895ecafd500787691cd7')
--     (2, 'app0.h14', 'fk_0', 'reassign', 1, 0, 'the table inherits the columns, not the foreign key; no index on (r0): CREATE INDEX CONCURRENTLY ON app0.h14 (r0);')
--     (3, 'app0.t1', 'fk_0', 'reassign', 1, 0, None)
--     (4, 'app0.h14', 'fk_0', 'block', 1, 0, 'foreign key "fk_22" would be violated: SELECT vedfolnir_set_policy(\'app0.h14\', \'fk_0\', \'delete\');')
-- case: {"seed": 2003951, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "0", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t1\"", "edge": "fk_0", "action": "reassign", "collateral": "delete", "reassign_to": "1"}], "links": [], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" (gone0 int, "id" kinds.posint NOT NULL, gone1 int, "x0" numeric, PRIMARY KEY ("id")); ALTER TABLE "app0"."t0" DROP COLUMN gone0; ALTER TABLE "app0"."t0" DROP COLUMN gone1;
CREATE TABLE "app0"."t1" ("r0" kinds.posint NOT NULL, "seq" int NOT NULL, "x0" text COLLATE pg_catalog."C", "x1" double precision, "r4" int NOT NULL, PRIMARY KEY ("r0", "seq"), UNIQUE ("x1"));
CREATE TABLE "app0"."h14" (gone0 int, "r5" int, "hid14" int NOT NULL, "r7" int, PRIMARY KEY ("hid14")) INHERITS ("app0"."t1"); ALTER TABLE "app0"."h14" DROP COLUMN gone0;
INSERT INTO "app0"."t0" ("id", "x0") VALUES
    ('0', '2.0000'),
    ('1', '9.0000');
INSERT INTO "app0"."t1" ("r0", "seq", "x0", "x1", "r4") VALUES
    ('0', '11', 'hanna', '2', '1');
INSERT INTO "app0"."h14" ("r0", "seq", "x0", "x1", "r4", "r5", "hid14", "r7") VALUES
    ('0', '0', NULL, '5', '3', '11', '12', NULL);
ALTER TABLE "app0"."t1" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "app0"."h14" ADD CONSTRAINT "fk_22" FOREIGN KEY ("r0", "r5") REFERENCES "app0"."t1" ("r0", "seq") ON DELETE RESTRICT;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app0"."t1"'::regclass, 'fk_0', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '1');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => false);
ROLLBACK;

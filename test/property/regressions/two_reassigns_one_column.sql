-- seed 100082
-- STATE: "vf_d"."t2": expected but not there ['(56780, [("E\'x\'", \'6\'), (\'x0\', \'6a99b44c-0000-4000-8000-00000000000c\'), (\'via\', \'1\'), (\'new\\nline\', \'bela\')])']; there but not expected ['(56780, [("E\'x\'", \'6\'), (\'x0\', \'6a99b44c-0000-4000-8000-00000000000c\'), (\'via\', \'1\'), (\'new\\nline\', \'cira\')])']
--     (1, 'vf_d.vf_d', None, 'delete', 1, 0, 'plan_hash=59a0681d524a252bf6eb994a780697c2706809ee10004f0d33477a58ee91f09b')
--     (2, 'vf_d.t2', 'fk_5', 'reassign', 1, 0, 'the foreign key is NOT VALID; no index on ("new\nline"): CREATE INDEX CONCURRENTLY ON vf_d.t2 ("new\nline");')
--     (3, 'vf_d.t2', 'null', 'reassign', 1, 0, 'no index on ("new\nline"): CREATE INDEX CONCURRENTLY ON vf_d.t2 ("new\nline");')
-- case: {"seed": 100082, "root": "\"vf_d\".\"vf_d\"", "key_column": "--dash", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"vf_d\".\"t2\"", "edge": "null", "action": "reassign", "collateral": "delete", "reassign_to": "cira"}, {"relation": "\"vf_d\".\"t2\"", "edge": "fk_5", "action": "reassign", "collateral": "delete", "reassign_to": "bela"}], "links": [], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "vf_d"; GRANT USAGE ON SCHEMA "vf_d" TO PUBLIC;
CREATE TABLE "vf_d"."vf_d" ("--dash" varchar(60) NOT NULL, PRIMARY KEY ("--dash"));
CREATE TABLE "vf_d"."t2" ("row_count" boolean GENERATED ALWAYS AS ("E'x'" IS NULL) STORED, "E'x'" int NOT NULL, "x0" uuid, gone0 int, "via" int NOT NULL, "new
line" varchar(60), PRIMARY KEY ("E'x'")); ALTER TABLE "vf_d"."t2" DROP COLUMN gone0;
INSERT INTO "vf_d"."vf_d" ("--dash") VALUES
    ('alma'),
    ('bela'),
    ('cira');
INSERT INTO "vf_d"."t2" ("E'x'", "x0", "via", "new
line") VALUES
    ('6', '6a99b44c-0000-4000-8000-00000000000c', '1', 'alma');
ALTER TABLE "vf_d"."t2" ADD CONSTRAINT "null" FOREIGN KEY ("new
line") REFERENCES "vf_d"."vf_d" ("--dash") ON DELETE CASCADE;
ALTER TABLE "vf_d"."t2" ADD CONSTRAINT "fk_5" FOREIGN KEY ("new
line") REFERENCES "vf_d"."vf_d" ("--dash") ON DELETE SET NULL  NOT VALID;
-- policies and run
SELECT vedfolnir_register_subject('"vf_d"."vf_d"'::regclass, '--dash', mode => 'delete');
SELECT vedfolnir_set_policy('"vf_d"."t2"'::regclass, 'null', 'reassign', reason => 'test', collateral => 'delete', reassign_to => 'cira');
SELECT vedfolnir_set_policy('"vf_d"."t2"'::regclass, 'fk_5', 'reassign', reason => 'test', collateral => 'delete', reassign_to => 'bela');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

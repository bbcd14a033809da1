-- seed 32
-- DRYRUN: fails with 42703 column d.vdf_r does not exist ()
-- case: {"seed": 32, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" varchar(60) NOT NULL, PRIMARY KEY ("id")) PARTITION BY hash ("id");
CREATE TABLE "app0"."t0_p0" PARTITION OF "app0"."t0" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "app0"."t0_p1" PARTITION OF "app0"."t0" FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO "app0"."t0" ("id") VALUES
    ('alma');
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

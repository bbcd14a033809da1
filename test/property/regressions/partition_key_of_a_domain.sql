-- seed 3002469
-- DRYRUN: fails with 22023 column 1 of the partition key has type kinds.posint, but supplied value is of type integer ()
-- case: {"seed": 3002469, "root": "\"/*note*/\".\"new\"", "key_column": "id", "key": "-3", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"/*note*/\".\"n\"", "edge": "via", "action": "reassign", "collateral": "delete", "reassign_to": "-2"}], "links": [], "columns": [], "cleanups": [], "batch_rows": 5, "committed": true, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "/*note*/"; GRANT USAGE ON SCHEMA "/*note*/" TO PUBLIC;
CREATE TABLE "/*note*/"."new" ("id" int NOT NULL, "x" boolean GENERATED ALWAYS AS ("Mixed Case" IS NULL) STORED, "Mixed Case" text COLLATE pg_catalog."C", PRIMARY KEY ("id"));
CREATE TABLE "/*note*/"."Ctid" ("c" boolean GENERATED ALWAYS AS ("x0" IS NULL) STORED, "we""ird" kinds.posint NOT NULL, "x0" text COLLATE pg_catalog."C", PRIMARY KEY ("we""ird"));
CREATE TABLE "/*note*/"."n" ("semi;colon" kinds.posint NOT NULL, "via" citext, "k1" int, "r3" int, PRIMARY KEY ("semi;colon")) PARTITION BY hash ("semi;colon");
CREATE TABLE "/*note*/"."dot.ted" PARTITION OF "/*note*/"."n" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "/*note*/"."t" PARTITION OF "/*note*/"."n" FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO "/*note*/"."new" ("id", "Mixed Case") VALUES
    ('-3', 'cira'),
    ('-2', NULL);
INSERT INTO "/*note*/"."Ctid" ("we""ird", "x0") VALUES
    ('-2', 'dora'),
    ('-3', 'hanna');
INSERT INTO "/*note*/"."n" ("semi;colon", "via", "k1", "r3") VALUES
    ('-3', NULL, '-2', '-3');
ALTER TABLE "/*note*/"."Ctid" ADD CONSTRAINT "tableoid2" FOREIGN KEY ("we""ird") REFERENCES "/*note*/"."new" ("id") ON DELETE CASCADE;
ALTER TABLE "/*note*/"."n" ADD CONSTRAINT "via" FOREIGN KEY ("semi;colon") REFERENCES "/*note*/"."Ctid" ("we""ird") ON DELETE RESTRICT;
-- policies and run
SELECT vedfolnir_register_subject('"/*note*/"."new"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"/*note*/"."n"'::regclass, 'via', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '-2');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '-3', dry_run => false);
ROLLBACK;

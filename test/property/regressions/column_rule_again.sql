-- seed 700950: of a column rule that is declared twice the last call counts (the reference took the first)
-- case: {"seed": 700950, "root": "\"n\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [{"relation": "\"n\".\"Mixed Case\"", "column": "x0", "edge": "fk_1", "expression": "'cc623a9b-0000-4000-8000-00000000000b'", "value": ["constant", "cc623a9b-0000-4000-8000-00000000000b"]}, {"relation": "\"n\".\"Mixed Case\"", "column": "x0", "edge": "fk_1", "expression": "NULL", "value": ["null"]}], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.label AS text;
CREATE SCHEMA "n"; GRANT USAGE ON SCHEMA "n" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "n"."t0" ("id" varchar(60) NOT NULL, "x0" uuid, "r2" kinds.label, "n" boolean GENERATED ALWAYS AS ("x0" IS NULL) STORED, PRIMARY KEY ("id"));
CREATE TABLE "n"."Mixed Case" (PRIMARY KEY ("id")) INHERITS ("n"."t0");
INSERT INTO "n"."t0" ("id", "x0", "r2") VALUES
    ('alma', 'f1bbcd88-0000-4000-8000-000000000008', 'edda'),
    ('edda', '78dde6c4-0000-4000-8000-000000000004', 'edda');
INSERT INTO "n"."Mixed Case" ("id", "x0", "r2") VALUES
    ('alma', '2e2ac0ea-0000-4000-8000-00000000000a', 'cira'),
    ('bela', NULL, 'alma'),
    ('cira', '2e2ac0ea-0000-4000-8000-00000000000a', 'bela'),
    ('dora', '6a99b44c-0000-4000-8000-00000000000c', 'cira'),
    ('edda', '3c6ef362-0000-4000-8000-000000000002', 'dora'),
    ('fina', 'f1bbcd88-0000-4000-8000-000000000008', 'edda'),
    ('gusta', '538453d7-0000-4000-8000-000000000007', 'alma'),
    ('hanna', NULL, 'bela'),
    ('ilse', NULL, 'cira'),
    ('jana', 'f1bbcd88-0000-4000-8000-000000000008', 'dora'),
    ('kaja', '00000000-0000-4000-8000-000000000000', 'edda'),
    ('lena', '00000000-0000-4000-8000-000000000000', 'alma'),
    ('mona', '78dde6c4-0000-4000-8000-000000000004', 'bela'),
    ('nora', '3c6ef362-0000-4000-8000-000000000002', 'cira'),
    ('olga', '78dde6c4-0000-4000-8000-000000000004', 'dora'),
    ('petra', 'daa66d13-0000-4000-8000-000000000003', 'edda'),
    ('quita', 'f1bbcd88-0000-4000-8000-000000000008', 'alma'),
    ('rosa', 'f1bbcd88-0000-4000-8000-000000000008', 'bela'),
    ('sina', 'f1bbcd88-0000-4000-8000-000000000008', 'cira'),
    ('tilda', '6a99b44c-0000-4000-8000-00000000000c', 'dora'),
    ('ulla', '6a99b44c-0000-4000-8000-00000000000c', 'edda'),
    ('vera', '9e3779b1-0000-4000-8000-000000000001', 'alma'),
    ('wanda', 'b54cda26-0000-4000-8000-000000000006', 'bela'),
    ('xenia', 'daa66d13-0000-4000-8000-000000000003', 'cira');
ALTER TABLE "n"."Mixed Case" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r2") REFERENCES "n"."t0" ("id") ON DELETE SET NULL  NOT VALID;
-- policies and run
SELECT vedfolnir_register_subject('"n"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_column('"n"."Mixed Case"'::regclass, 'x0', '''cc623a9b-0000-4000-8000-00000000000b''', edge => 'fk_1');
SELECT vedfolnir_set_column('"n"."Mixed Case"'::regclass, 'x0', 'NULL', edge => 'fk_1');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

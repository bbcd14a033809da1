-- seed 4001784
-- DRYRUN: shows block rows, the run 23505 duplicate key value violates unique constraint "t1_pkey" (The row is not shown, because it may hold personal data. Nothing was changed.)
--     (1, '"per%s"."1st"', None, 'tombstone', 1, 0, 'plan_hash=ee66cdb0ac39b45b38b558d5f0cc0596ce82a9b84413f4ca6d879a66eec9b7a6')
--     (2, '"per%s".h8', 'semi;colon', 'reassign', 1, 0, 'the table inherits the columns, not the foreign key')
--     (3, '"per%s".t1', 'semi;colon', 'reassign', 1, 0, 'trigger "aa_pass" may keep rows back; unique index "t1_pkey" would be violated by 1 row unless trigger "aa_pass" prevents it')
--     (4, '"per%s".h8', 'semi;colon', 'block', 1, 0, 'unique index "h8_pkey" would be violated: SELECT vedfolnir_set_policy(\'"per%s".h8\', \'semi;colon\', \'delete\');')
-- case: {"seed": 4001784, "root": "\"per%s\".\"1st\"", "key_column": "id", "key": "0", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"per%s\".\"t1\"", "edge": "semi;colon", "action": "reassign", "collateral": "delete", "reassign_to": "2"}], "links": [], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "bigint"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "per%s"; GRANT USAGE ON SCHEMA "per%s" TO PUBLIC;
CREATE TABLE "per%s"."1st" ("id" kinds.posint NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "per%s"."t1" ("per%s" smallint NOT NULL, "select" kinds.posint NOT NULL, "dollar$1" text, "x1" int NOT NULL, "ümläut" kinds.posint, "E'x'" boolean GENERATED ALWAYS AS ("per%s" IS NULL) STORED, PRIMARY KEY ("per%s", "select"), UNIQUE ("x1"));
CREATE TABLE "per%s"."/*note*/" ("x7" text, PRIMARY KEY ("per%s", "select")) INHERITS ("per%s"."t1");
CREATE TABLE "per%s"."h8" (PRIMARY KEY ("per%s", "select")) INHERITS ("per%s"."/*note*/");
INSERT INTO "per%s"."1st" ("id") VALUES
    ('0'),
    ('2');
INSERT INTO "per%s"."t1" ("per%s", "select", "dollar$1", "x1", "ümläut") VALUES
    ('2', '2', 'edda', '0', NULL),
    ('0', '2', 'hanna', '-1', '1');
INSERT INTO "per%s"."/*note*/" ("per%s", "select", "dollar$1", "x1", "ümläut", "x7") VALUES
    ('2', '2', 'hanna', '7', '2', NULL);
INSERT INTO "per%s"."h8" ("per%s", "select", "dollar$1", "x1", "ümläut", "x7") VALUES
    ('1', '1', 'cira', '4', '0', 'jana'),
    ('0', '0', 'jana', '3', '0', 'mona'),
    ('2', '2', NULL, '4', '0', NULL),
    ('2', '1', 'dora', '7', '2', NULL),
    ('1', '2', 'edda', '1', '1', 'hanna'),
    ('2', '0', 'hanna', '4', '2', NULL),
    ('1', '0', 'dora', '9', '1', 'gusta');
ALTER TABLE "per%s"."t1" ADD CONSTRAINT "semi;colon" FOREIGN KEY ("per%s") REFERENCES "per%s"."1st" ("id") ON DELETE CASCADE;
CREATE SCHEMA audit_log; GRANT USAGE ON SCHEMA audit_log TO PUBLIC;
CREATE TABLE audit_log.entry (who name, op text, relation regclass, old_row text, new_row text); GRANT INSERT ON audit_log.entry TO PUBLIC;
CREATE FUNCTION audit_log.log_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_log.entry VALUES (current_user, TG_OP, TG_RELID::regclass, OLD::text, CASE TG_OP WHEN 'UPDATE' THEN NEW::text END);
    RETURN NULL; END $$;
CREATE FUNCTION audit_log.log_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_log.entry SELECT current_user, 'GONE', TG_RELID::regclass, gone::text FROM gone; RETURN NULL; END $$;
CREATE FUNCTION audit_log.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN RETURN NULL; END IF; RETURN OLD; END $$;
CREATE FUNCTION audit_log.pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$;
CREATE TRIGGER aa_pass BEFORE DELETE OR UPDATE ON "per%s"."t1" FOR EACH ROW EXECUTE FUNCTION audit_log.pass();
-- policies and run
SELECT vedfolnir_register_subject('"per%s"."1st"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"per%s"."t1"'::regclass, 'semi;colon', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '2');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => 0, dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_id => 0, dry_run => false);
ROLLBACK;

-- seed 3000500
-- DRYRUN: shows block rows, the run 23505 duplicate key value violates unique constraint "t1_pkey" (The row is not shown, because it may hold personal data. Nothing was changed.)
--     (1, 'app1.t0', None, 'delete', 1, 0, 'plan_hash=39c0a740fe1e3cf035794274e4dde1c2d265f0d251258b949689a6bd985cb7f6')
--     (2, 'app1.t1', 'fk_0', 'reassign', 1, 0, 'trigger "aa_pass" may keep rows back; unique index "t1_pkey" would be violated by 1 row unless trigger "aa_pass" prevents it; the foreign key is NOT VALID')
--     (3, 'app1.t1', 'fk_1', 'block', 1, 0, 'the policy is block: test')
-- UNPREDICTED: 23505 duplicate key value violates unique constraint "t1_pkey" (The row is not shown, because it may hold personal data. Nothing was changed.), but it was foreseeable: [('"app1"."t1"', 'fk_1', 'block'), 'unique "app1"."t1"']
--     (1, 'app1.t0', None, 'delete', 1, 0, 'plan_hash=39c0a740fe1e3cf035794274e4dde1c2d265f0d251258b949689a6bd985cb7f6')
--     (2, 'app1.t1', 'fk_0', 'reassign', 1, 0, 'trigger "aa_pass" may keep rows back; unique index "t1_pkey" would be violated by 1 row unless trigger "aa_pass" prevents it; the foreign key is NOT VALID')
--     (3, 'app1.t1', 'fk_1', 'block', 1, 0, 'the policy is block: test')
-- case: {"seed": 3000500, "root": "\"app1\".\"t0\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"t1\"", "edge": "fk_0", "action": "reassign", "collateral": "refuse", "reassign_to": "cira"}, {"relation": "\"app1\".\"t1\"", "edge": "fk_1", "action": "block", "collateral": "delete", "reassign_to": null}], "links": [], "columns": [], "cleanups": [], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app1"."t0" ("g" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, "id" text NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app1"."t1" ("r0" text NOT NULL, "seq" int NOT NULL, "r2" text, "r3" int, PRIMARY KEY ("r0", "seq"));
INSERT INTO "app1"."t0" ("id") VALUES
    ('alma'),
    ('bela'),
    ('cira');
INSERT INTO "app1"."t1" ("r0", "seq", "r2", "r3") VALUES
    ('cira', '6', 'alma', '-2'),
    ('alma', '7', NULL, NULL),
    ('cira', '7', 'bela', '7');
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r0") REFERENCES "app1"."t0" ("id") ON DELETE SET DEFAULT  NOT VALID;
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r2") REFERENCES "app1"."t0" ("id") ON DELETE CASCADE;
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
CREATE TRIGGER aa_pass BEFORE DELETE OR UPDATE ON "app1"."t1" FOR EACH ROW EXECUTE FUNCTION audit_log.pass();
-- policies and run
SELECT vedfolnir_register_subject('"app1"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_0', 'reassign', reason => 'test', collateral => 'refuse', reassign_to => 'cira');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_1', 'block', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

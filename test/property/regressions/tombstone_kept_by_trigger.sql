-- seed 2002939
-- STATE: "app0"."t0": expected but not there ["(604903, [('id', 'alma'), ('x0', '-3'), ('x1', '2020-01-08')])"]; there but not expected ["(604903, [('id', 'alma'), ('x0', '9'), ('x1', '2020-01-08')])"]
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=889a3f0b7a56fa1ce241a7e4f46d59eb606622a90d6f86de734fc0cadd9a7107; trigger "aa_keep_updated" may keep rows back')
-- NOTREFUSED: the run goes through, the reference refuses: ['kept back by a trigger']
--     (1, 'app0.t0', None, 'tombstone', 1, 0, 'plan_hash=889a3f0b7a56fa1ce241a7e4f46d59eb606622a90d6f86de734fc0cadd9a7107; trigger "aa_keep_updated" may keep rows back')
-- case: {"seed": 2002939, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "alma", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [], "links": [], "columns": [{"relation": "\"app0\".\"t0\"", "column": "x0", "edge": null, "expression": "'-3'", "value": ["constant", "-3"]}], "cleanups": [], "batch_rows": 0, "committed": true, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" varchar(60) NOT NULL, "x0" int, "x1" date, PRIMARY KEY ("id")) PARTITION BY hash ("id");
CREATE TABLE "app0"."t0_p0" PARTITION OF "app0"."t0" FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE "app0"."t0_p1" PARTITION OF "app0"."t0" FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO "app0"."t0" ("id", "x0", "x1") VALUES
    ('alma', '9', '2020-01-08');
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
CREATE TRIGGER aa_keep_updated BEFORE UPDATE ON "app0"."t0" FOR EACH ROW EXECUTE FUNCTION audit_log.keep();
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_column('"app0"."t0"'::regclass, 'x0', '''-3''');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

-- seed 4009476
-- ERROR VF003: VF003 1 row of app1.t2 is left after the deletion (What is left still refers through "link_0" to a row that was deleted; trigger "aa_pass" kept it. Nothing was changed.)
-- case: {"seed": 4009476, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "3", "mode": "delete", "isolation": "SERIALIZABLE", "policies": [{"relation": "\"app1\".\"t1\"", "edge": "fk_0", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t1\"", "edge": "fk_1", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t1\"", "edge": "fk_2", "action": "default", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t2\"", "edge": "fk_3", "action": "nullify", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t2\"", "edge": "link_0", "action": "delete", "collateral": "delete", "reassign_to": null}, {"relation": "\"app1\".\"t1\"", "edge": "link_1", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [{"link": "link_0", "relation": "\"app1\".\"t2\"", "parent": "\"app1\".\"t1\"", "columns": ["l0"], "parent_columns": ["r2"], "action": "delete", "expression": null, "condition": "\"r3\" IS NULL", "when": ["missing", "r3"], "value": "l0", "array": false, "table": "\"app1\".\"t2\"", "parent_table": "\"app1\".\"t1\""}, {"link": "link_1", "relation": "\"app1\".\"t1\"", "parent": "\"app0\".\"t0\"", "columns": ["l1"], "parent_columns": ["id"], "action": "nullify", "expression": null, "condition": null, "when": null, "value": "l1", "array": true, "table": "\"app1\".\"t1\"", "parent_table": "\"app0\".\"t0\""}], "columns": [], "cleanups": [{"relation": "\"app0\".\"t0\"", "kind": "redis_key", "service": "default", "target": "p/{id}/{id}", "parts": ["p/", ["id"], "/", ["id"]], "escaped": true, "table": "\"app0\".\"t0\""}, {"relation": "\"app0\".\"t0\"", "kind": "file", "service": "default", "target": "{id}{id}", "parts": [["id"], ["id"]], "escaped": true, "table": "\"app0\".\"t0\""}], "batch_rows": 0, "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL SERIALIZABLE;

CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" int NOT NULL, PRIMARY KEY ("id"));
CREATE TABLE "app1"."t1" ("r0" smallint NOT NULL, "r1" int NOT NULL, "r2" smallint, "l1" bigint[], PRIMARY KEY ("r0", "r1"));
CREATE TABLE "app1"."t2" ("id" int NOT NULL, "x0" uuid NOT NULL, "x1" bigint, "r3" bigint, "r4" bigint, gone0 int, "l0" bigint, PRIMARY KEY ("id"), UNIQUE ("x0"), UNIQUE ("id", "x1")); ALTER TABLE "app1"."t2" DROP COLUMN gone0;
INSERT INTO "app0"."t0" ("id") VALUES
    ('-3'),
    ('-2'),
    ('-1'),
    ('0'),
    ('1'),
    ('2'),
    ('3');
INSERT INTO "app1"."t1" ("r0", "r1", "r2", "l1") VALUES
    ('3', '-3', '-3', '{2}'),
    ('1', '-2', '-3', '{1}'),
    ('-2', '-3', '-2', '{0}'),
    ('1', '0', '-1', '{}'),
    ('0', '3', '1', '{4}'),
    ('-3', '-2', '1', '{0}'),
    ('-3', '-3', '2', '{-2,-1,2}'),
    ('0', '-3', '3', '{NULL,0}'),
    ('-3', '0', '-3', '{-1}'),
    ('-2', '-1', NULL, '{8}'),
    ('-2', '-2', '-1', '{1}'),
    ('1', '-1', '2', '{-1}'),
    ('-3', '-1', '3', '{2}');
INSERT INTO "app1"."t2" ("id", "x0", "x1", "r3", "r4", "l0") VALUES
    ('-3', '00000000-0000-4000-8000-000000000000', '-3', NULL, NULL, '1'),
    ('-2', '9e3779b1-0000-4000-8000-000000000001', '-2', '-3', '-3', '-3'),
    ('-1', '3c6ef362-0000-4000-8000-000000000002', '-1', '-3', '-3', '-1');
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_0" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r1") REFERENCES "app0"."t0" ("id") ON DELETE CASCADE;
CREATE INDEX ON "app1"."t1" ("r1");
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk_2" FOREIGN KEY ("r2") REFERENCES "app0"."t0" ("id") ON DELETE SET DEFAULT;
ALTER TABLE "app1"."t2" ADD CONSTRAINT "fk_3" FOREIGN KEY ("r3", "r4") REFERENCES "app1"."t2" ("id", "x1") ON DELETE SET NULL;
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
CREATE TRIGGER log_all AFTER DELETE ON "app0"."t0" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_log.log_gone();
CREATE TRIGGER aa_pass BEFORE DELETE OR UPDATE ON "app1"."t2" FOR EACH ROW EXECUTE FUNCTION audit_log.pass();
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('link_0', '"app1"."t2"'::regclass, '"app1"."t1"'::regclass, columns => ARRAY['l0']::name[], condition => '"r3" IS NULL', parent_columns => ARRAY['r2']::name[], action => 'delete');
SELECT vedfolnir_add_link('link_1', '"app1"."t1"'::regclass, '"app0"."t0"'::regclass, columns => ARRAY['l1']::name[], parent_columns => ARRAY['id']::name[], action => 'nullify');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_0', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_1', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk_2', 'default', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t2"'::regclass, 'fk_3', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t2"'::regclass, 'link_0', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'link_1', 'nullify', reason => 'test', collateral => 'delete');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'redis_key', 'p/{id}/{id}', 'default');
SELECT vedfolnir_add_cleanup('"app0"."t0"'::regclass, 'file', '{id}{id}', 'default');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '3', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '3', dry_run => false);
ROLLBACK;

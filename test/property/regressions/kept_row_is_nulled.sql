-- seed 102272
-- DRYRUN: other rows than the run:
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=5df1cedc017e6b6af41e8c29693960f0ea2a667187a3a298be5a2066d77c23ae')
--     (2, 'app0.t2', 'fk_7', 'delete', 1, 0, 'trigger "aa_keep_deleted" may keep rows back; no index on ("dollar$1"): CREATE INDEX CONCURRENTLY ON app0.t2 ("dollar$1");')
-- run:
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=71349e3ce1e28ad0216dfb41ad68908b5db64a109d8caaa452b798da9a380d93')
--     (2, 'app0.t2', 'fk_6', 'nullify', 1, 0, 'no index on ("dollar$1"): CREATE INDEX CONCURRENTLY ON app0.t2 ("dollar$1");')
-- STATE: "app0"."t2": expected but not there []; there but not expected ["(532177, [('id', 'bela'), ('x0', 'kaja'), ('x1', '6'), ('dollar$1', None)])"]
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=71349e3ce1e28ad0216dfb41ad68908b5db64a109d8caaa452b798da9a380d93')
--     (2, 'app0.t2', 'fk_6', 'nullify', 1, 0, 'no index on ("dollar$1"): CREATE INDEX CONCURRENTLY ON app0.t2 ("dollar$1");')
-- FASTRI: on goes through, off VF006 the plan is not the one that was asked for (Schema, policy or rows changed since the dry run. Nothing was changed.)
-- NOTREFUSED: the run goes through, the reference refuses: ['kept back by a trigger']
--     (1, 'app0.t0', None, 'delete', 1, 0, 'plan_hash=5df1cedc017e6b6af41e8c29693960f0ea2a667187a3a298be5a2066d77c23ae')
--     (2, 'app0.t2', 'fk_7', 'delete', 1, 0, 'trigger "aa_keep_deleted" may keep rows back; no index on ("dollar$1"): CREATE INDEX CONCURRENTLY ON app0.t2 ("dollar$1");')
-- case: {"seed": 102272, "root": "\"app0\".\"t0\"", "key_column": "id", "key": "alMa", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app0\".\"t2\"", "edge": "fk_6", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": [{"link": "fk_6", "relation": "\"app0\".\"t2\"", "parent": "\"app0\".\"t0\"", "columns": ["dollar$1"], "parent_columns": ["id"], "action": "retain", "table": "\"app0\".\"t2\"", "parent_table": "\"app0\".\"t0\""}, {"link": "fk_7", "relation": "\"app0\".\"t2\"", "parent": "\"app0\".\"t0\"", "columns": ["dollar$1"], "parent_columns": ["id"], "action": "delete", "table": "\"app0\".\"t2\"", "parent_table": "\"app0\".\"t0\""}], "committed": false, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE TYPE kinds."Mood.s" AS ENUM ('alma', 'bela', 'cira', 'dora', 'edda', 'fina', 'gusta', 'hanna', 'ilse', 'jana', 'kaja', 'lena', 'mona', 'nora', 'olga', 'petra', 'quita', 'rosa', 'sina', 'tilda', 'ulla', 'vera', 'wanda', 'xenia', 'yara', 'zora', 'alma1', 'bela1', 'cira1', 'dora1', 'edda1', 'fina1', 'gusta1', 'hanna1', 'ilse1', 'jana1', 'kaja1', 'lena1', 'mona1', 'nora1', 'olga1', 'petra1', 'quita1', 'rosa1', 'sina1', 'tilda1', 'ulla1', 'vera1', 'wanda1', 'xenia1', 'yara1', 'zora1', 'alma2', 'bela2', 'cira2', 'dora2', 'edda2', 'fina2', 'gusta2', 'hanna2');
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE TABLE "app0"."t0" ("id" citext NOT NULL, "t" uuid, PRIMARY KEY ("id"));
CREATE TABLE "app0"."t2" ("id" text NOT NULL, "x0" kinds."Mood.s", "x1" int, "dollar$1" citext, PRIMARY KEY ("id"));
INSERT INTO "app0"."t0" ("id", "t") VALUES
    ('alMa', '78dde6c4-0000-4000-8000-000000000004'),
    ('bela', '78dde6c4-0000-4000-8000-000000000004'),
    ('CiRa', 'b54cda26-0000-4000-8000-000000000006');
INSERT INTO "app0"."t2" ("id", "x0", "x1", "dollar$1") VALUES
    ('alma', NULL, '-1', 'doRa'),
    ('bela', 'kaja', '6', 'Alma'),
    ('cira', 'jana', '5', 'bela'),
    ('dora', 'fina', '7', 'bela'),
    ('edda', 'bela', '-1', 'bela'),
    ('fina', 'lena', '8', 'fInA'),
    ('gusta', 'mona', '4', 'EdDA'),
    ('hanna', NULL, '7', 'fiNa'),
    ('ilse', 'jana', '9', 'dora'),
    ('jana', 'kaja', NULL, 'fINA');
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
CREATE TRIGGER aa_keep_deleted BEFORE DELETE ON "app0"."t2" FOR EACH ROW EXECUTE FUNCTION audit_log.keep();
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_add_link('fk_6', '"app0"."t2"'::regclass, '"app0"."t0"'::regclass, columns => ARRAY['dollar$1']::name[], parent_columns => ARRAY['id']::name[], action => 'retain');
SELECT vedfolnir_add_link('fk_7', '"app0"."t2"'::regclass, '"app0"."t0"'::regclass, columns => ARRAY['dollar$1']::name[], parent_columns => ARRAY['id']::name[], action => 'delete');
SELECT vedfolnir_set_policy('"app0"."t2"'::regclass, 'fk_6', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alMa', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alMa', dry_run => false);
ROLLBACK;

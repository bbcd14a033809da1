-- seed 96
-- ORDER: within a phase by schema, relation, name
--     (1, '"dot.ted"."dot.ted"', None, 'delete', 1, 0, 'plan_hash=75dcd1832dac798b1385c856ce701463e59e65b5d3531c950faf02c3e9bfb91c')
--     (2, '"dot.ted"."null"', 'fk_22', 'delete', 2, 0, 'no index on (e): CREATE INDEX CONCURRENTLY ON "dot.ted"."null" (e);')
--     (3, '"dot.ted"."new\nline"', 'fk_1', 'block', 1, 0, 'column r0 has no default and cannot be NULL: SELECT vedfolnir_set_policy(\'"dot.ted"."new\nline"\', \'fk_1\', \'reassign\', reassign_to => \'...\');')
--     (4, '"dot.ted".k', 'fk_12', 'block', 1, 0, 'undeclared: SELECT vedfolnir_set_policy(\'"dot.ted".k\', \'fk_12\', \'nullify\');')
-- case: {"seed": 96, "root": "\"dot.ted\".\"dot.ted\"", "key_column": "id", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"dot.ted\".\"new\nline\"", "edge": "fk_1", "action": "default", "collateral": "refuse", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE DOMAIN kinds.posint AS int CHECK (VALUE > -1000000);
CREATE SCHEMA "dot.ted"; GRANT USAGE ON SCHEMA "dot.ted" TO PUBLIC;
CREATE TABLE "dot.ted"."dot.ted" ("id" char(12) NOT NULL, gone0 int, "x0" name, "r2" date, "r3" bigint, PRIMARY KEY ("id")); ALTER TABLE "dot.ted"."dot.ted" DROP COLUMN gone0;
CREATE TABLE "dot.ted"."k" ("x0" smallint, "r1" char(20), "r2" char(12));
CREATE TABLE "dot.ted"."null" ("dollar$1" int NOT NULL, "select" char(12), "e" char(12) NOT NULL, "r3" int NOT NULL, PRIMARY KEY ("dollar$1"));
CREATE TABLE "dot.ted"."new
line" ("r0" kinds.posint NOT NULL, "seq" int NOT NULL, "x0" bigint, PRIMARY KEY ("r0", "seq"));
INSERT INTO "dot.ted"."dot.ted" ("id", "x0", "r2", "r3") VALUES
    ('alma', 'hanna', NULL, NULL),
    ('edda', 'edda', '2020-01-03', '-1');
INSERT INTO "dot.ted"."k" ("x0", "r1", "r2") VALUES
    ('5', 'alma', 'bela');
INSERT INTO "dot.ted"."null" ("dollar$1", "select", "e", "r3") VALUES
    ('-3', 'alma', 'alma', '-2'),
    ('-2', 'bela', 'alma', '0'),
    ('1', 'alma', 'edda', '-1');
INSERT INTO "dot.ted"."new
line" ("r0", "seq", "x0") VALUES
    ('-2', '9', '2'),
    ('1', '2', '8');
ALTER TABLE "dot.ted"."new
line" ADD CONSTRAINT "fk_1" FOREIGN KEY ("r0") REFERENCES "dot.ted"."null" ("dollar$1") ON DELETE CASCADE;
ALTER TABLE "dot.ted"."k" ADD CONSTRAINT "fk_12" FOREIGN KEY ("r1") REFERENCES "dot.ted"."dot.ted" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "dot.ted"."null" ADD CONSTRAINT "fk_22" FOREIGN KEY ("e") REFERENCES "dot.ted"."dot.ted" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"dot.ted"."dot.ted"'::regclass, 'id', mode => 'delete');
SELECT vedfolnir_set_policy('"dot.ted"."new
line"'::regclass, 'fk_1', 'default', reason => 'test', collateral => 'refuse');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

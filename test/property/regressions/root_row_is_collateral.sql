-- seed 134
-- COLLATERAL: "E'x'"."v" has 1 rows, expected 0
--     (1, '"E\'x\'".t0', None, 'delete', 1, 0, 'plan_hash=95609198f2a84abac721bccb9ef994e551248879a70e20a8678c92d9febba019')
--     (2, '"E\'x\'".v', 'fk_25', 'delete', 1, 1, '1 row of other users goes with them; no index on ("eééééééééééééééééééééééééééééééé"): CREATE INDEX CONCURRENTLY ON "E\'x\'".v ("eééééééééééééééééééééééééééééééé");')
-- case: {"seed": 134, "root": "\"E'x'\".\"t0\"", "key_column": "excluded", "key": "0", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"E'x'\".\"t0\"", "edge": "fk_4", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE TYPE kinds.pair AS (a int, b text);
CREATE SCHEMA "E'x'"; GRANT USAGE ON SCHEMA "E'x'" TO PUBLIC;
CREATE TABLE "E'x'"."t0" ("excluded" int NOT NULL, "x0" double precision, "r2" int, PRIMARY KEY ("excluded"));
CREATE TABLE "E'x'"."v" ("id" kinds.pair NOT NULL, "x0" double precision, "eééééééééééééééééééééééééééééééé" int NOT NULL, "r3" int, "g" boolean GENERATED ALWAYS AS ("id" IS NULL) STORED, PRIMARY KEY ("id"));
INSERT INTO "E'x'"."t0" ("excluded", "x0", "r2") VALUES
    ('-3', '9', '3'),
    ('-1', '1', '-1'),
    ('0', '9', '-3'),
    ('3', '6', '-1');
INSERT INTO "E'x'"."v" ("id", "x0", "eééééééééééééééééééééééééééééééé", "r3") VALUES
    ('(0,alma)', '7', '0', '0');
ALTER TABLE "E'x'"."t0" ADD CONSTRAINT "fk_4" FOREIGN KEY ("r2") REFERENCES "E'x'"."t0" ("excluded") ON DELETE SET DEFAULT DEFERRABLE;
ALTER TABLE "E'x'"."t0" ADD CONSTRAINT "fk_5" FOREIGN KEY ("r2") REFERENCES "E'x'"."t0" ("excluded") ON DELETE CASCADE;
ALTER TABLE "E'x'"."v" ADD CONSTRAINT "fk_25" FOREIGN KEY ("eééééééééééééééééééééééééééééééé") REFERENCES "E'x'"."t0" ("excluded") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"E''x''"."t0"'::regclass, 'excluded', mode => 'delete');
SELECT vedfolnir_set_policy('"E''x''"."t0"'::regclass, 'fk_4', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0', dry_run => false);
ROLLBACK;

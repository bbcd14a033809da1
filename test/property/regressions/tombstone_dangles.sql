-- seed 136
-- KEYS: "k"."t0".1stéééééééééééééééééééééééééééééé has 1 rows without parent
-- FASTRI: on goes through, off 23503 update or delete on table "t0" violates foreign key constraint "1stéééééééééééééééééééééééééééééé" on table "t0" (The row is not shown, because it may hold personal data. Nothing was changed.)
-- NOTREFUSED: the run goes through, the reference refuses: ['dangling "k"."t0".1stéééééééééééééééééééééééééééééé']
--     (1, 'k.t0', None, 'tombstone', 1, 0, 'plan_hash=281a078b0de578d5f56e0d285d0dc74bb7cfc7744d85acdb5308fb7413a8005c')
--     (2, 'k.t0', '1stéééééééééééééééééééééééééééééé', 'delete', 1, 1, '1 row of other users goes with them; no index on ("tab\there"): CREATE INDEX CONCURRENTLY ON k.t0 ("tab\there");')
-- case: {"seed": 136, "root": "\"k\".\"t0\"", "key_column": "id", "key": "alma", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"k\".\"t0\"", "edge": "1st\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "k"; GRANT USAGE ON SCHEMA "k" TO PUBLIC;
CREATE TABLE "k"."t0" ("id" char(12) NOT NULL, gone0 int, "x0" text NOT NULL, "tab	here" char(12), PRIMARY KEY ("id"), UNIQUE ("x0")); ALTER TABLE "k"."t0" DROP COLUMN gone0;
INSERT INTO "k"."t0" ("id", "x0", "tab	here") VALUES
    ('alma', 'alma', 'dora'),
    ('dora', 'dora', 'alma');
ALTER TABLE "k"."t0" ADD CONSTRAINT "1stéééééééééééééééééééééééééééééé" FOREIGN KEY ("tab	here") REFERENCES "k"."t0" ("id") ON DELETE NO ACTION;
-- policies and run
SELECT vedfolnir_register_subject('"k"."t0"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"k"."t0"'::regclass, '1stéééééééééééééééééééééééééééééé', 'delete', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'alma', dry_run => false);
ROLLBACK;

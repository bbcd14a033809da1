-- seed 232
-- CONFIGURE: 22P02 invalid input syntax for type integer: "1.00"
-- case: {"seed": 232, "root": "\"app0\".\"t0\"", "key_column": "new", "key": "0.00", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"app1\".\"t1\"", "edge": "fk2", "action": "reassign", "collateral": "delete", "reassign_to": "1.00"}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "app0"; GRANT USAGE ON SCHEMA "app0" TO PUBLIC;
CREATE SCHEMA "app1"; GRANT USAGE ON SCHEMA "app1" TO PUBLIC;
CREATE TABLE "app0"."t0" ("new" numeric NOT NULL, "r1" numeric, PRIMARY KEY ("new"));
CREATE TABLE "app1"."t1" ("r0" int);
INSERT INTO "app0"."t0" ("new", "r1") VALUES
    ('0.00', '0');
ALTER TABLE "app1"."t1" ADD CONSTRAINT "fk2" FOREIGN KEY ("r0") REFERENCES "app0"."t0" ("new") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"app0"."t0"'::regclass, 'new', mode => 'tombstone');
SELECT vedfolnir_set_policy('"app1"."t1"'::regclass, 'fk2', 'reassign', reason => 'test', collateral => 'delete', reassign_to => '1.00');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.00', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '0.00', dry_run => false);
ROLLBACK;

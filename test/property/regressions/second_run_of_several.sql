-- seed 20013
-- AGAIN: the second run VF001 there is no such user (k.t0 has no such row, and no deletion of it is known. Nothing was changed.) 
-- case: {"seed": 20013, "root": "\"k\".\"t0\"", "key_column": "via\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", "key": "alma", "mode": "delete", "isolation": "READ COMMITTED", "policies": [], "links": [], "committed": false, "extra_keys": ["fina", "edda", "cira"], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "k"; GRANT USAGE ON SCHEMA "k" TO PUBLIC;
CREATE TABLE "k"."t0" ("viaéééééééééééééééééééééééééééééé" text NOT NULL, "d" bigint, "table" int NOT NULL, PRIMARY KEY ("viaéééééééééééééééééééééééééééééé"), UNIQUE ("table"));
INSERT INTO "k"."t0" ("viaéééééééééééééééééééééééééééééé", "d", "table") VALUES
    ('alma', '4', '-3'),
    ('cira', '4', '-1'),
    ('edda', '1', '1'),
    ('fina', '8', '2');
-- policies and run
SELECT vedfolnir_register_subject('"k"."t0"'::regclass, 'viaéééééééééééééééééééééééééééééé', mode => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['alma', 'fina', 'edda', 'cira'], dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_users(user_keys => ARRAY['alma', 'fina', 'edda', 'cira'], dry_run => false);
ROLLBACK;

-- seed 4008223
-- BATCHES: of 2 rows leave other tasks: [(1, 'identity', 'disable', 'other', 'realm/00000000-0000-4000-8000-000000000000', 2), (2, 'redis_key', 'delete', 'other', 'p/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000000', 1), (4, 'identity', 'delete', 'other', 'realm/00000000-0000-4000-8000-000000000000', 2)], one run [(1, 'identity', 'disable', 'other', 'realm/00000000-0000-4000-8000-000000000000', 1), (2, 'redis_key', 'delete', 'other', 'p/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000000', 1), (4, 'identity', 'delete', 'other', 'realm/00000000-0000-4000-8000-000000000000', 1)]
-- case: {"seed": 4008223, "root": "\"back\\slash\".\"row_count\"", "key_column": "/*note*/", "key": "00000000-0000-4000-8000-000000000000", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"back\\slash\".\"t10\"", "edge": "{brace}", "action": "delete", "collateral": "delete", "reassign_to": null}], "links": [], "columns": [], "cleanups": [{"relation": "\"back\\slash\".\"t10\"", "kind": "redis_key", "service": "other", "target": "p/{r0}/{r0}", "parts": ["p/", ["r0"], "/", ["r0"]], "escaped": true, "table": "\"back\\slash\".\"t10\""}, {"relation": "\"back\\slash\".\"row_count\"", "kind": "identity", "service": "other", "target": "realm/{/*note*/}", "parts": ["realm/", ["/*note*/"]], "escaped": true, "table": "\"back\\slash\".\"row_count\""}, {"relation": "\"back\\slash\".\"t10\"", "kind": "identity", "service": "other", "target": "realm/{r0}", "parts": ["realm/", ["r0"]], "escaped": true, "table": "\"back\\slash\".\"t10\""}], "batch_rows": 2, "committed": true, "extra_keys": [], "call": "text"}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "back\slash"; GRANT USAGE ON SCHEMA "back\slash" TO PUBLIC;
CREATE TABLE "back\slash"."row_count" ("/*note*/" uuid NOT NULL, PRIMARY KEY ("/*note*/"));
CREATE TABLE "back\slash"."t10" ("r0" uuid);
INSERT INTO "back\slash"."row_count" ("/*note*/") VALUES
    ('00000000-0000-4000-8000-000000000000'),
    ('9e3779b1-0000-4000-8000-000000000001'),
    ('3c6ef362-0000-4000-8000-000000000002'),
    ('daa66d13-0000-4000-8000-000000000003'),
    ('78dde6c4-0000-4000-8000-000000000004');
INSERT INTO "back\slash"."t10" ("r0") VALUES
    ('3c6ef362-0000-4000-8000-000000000002'),
    ('00000000-0000-4000-8000-000000000000'),
    ('78dde6c4-0000-4000-8000-000000000004'),
    ('78dde6c4-0000-4000-8000-000000000004'),
    ('00000000-0000-4000-8000-000000000000'),
    ('daa66d13-0000-4000-8000-000000000003');
ALTER TABLE "back\slash"."t10" ADD CONSTRAINT "{brace}" FOREIGN KEY ("r0") REFERENCES "back\slash"."row_count" ("/*note*/") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject(E'"back\\slash"."row_count"'::regclass, '/*note*/', mode => 'tombstone');
SELECT vedfolnir_set_policy(E'"back\\slash"."t10"'::regclass, '{brace}', 'delete', reason => 'test', collateral => 'delete');
SELECT vedfolnir_add_cleanup(E'"back\\slash"."t10"'::regclass, 'redis_key', 'p/{r0}/{r0}', 'other');
SELECT vedfolnir_add_cleanup(E'"back\\slash"."row_count"'::regclass, 'identity', 'realm/{/*note*/}', 'other');
SELECT vedfolnir_add_cleanup(E'"back\\slash"."t10"'::regclass, 'identity', 'realm/{r0}', 'other');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => false);
ROLLBACK;

-- seed 33
-- BLOCK: "sp ace "."t11" via fk_29 is not shown as blocked (NOT NULL)
--     (1, '"sp ace ".""""', None, 'delete', 1, 0, 'plan_hash=7066d45094738a0767a6743dcf52edbb45e6b8cc5b035455ba4566f56e767176')
--     (2, '"ümläut".""""', 'v', 'delete', 2, 0, 'no index on (r3): CREATE INDEX CONCURRENTLY ON "ümläut"."""" (r3);')
--     (3, '"sp ace ".t11', 'fk_29', 'nullify', 2, 0, 'no index on ("a.b.c", tableoid2, r5): CREATE INDEX CONCURRENTLY ON "sp ace ".t11 ("a.b.c", tableoid2, r5);')
-- UNPREDICTED: 23503 insert or update on table "t11" violates foreign key constraint "fk_29" (The row is not shown, because it may hold personal data. Nothing was changed.), but it was foreseeable: [('"sp ace "."t11"', 'fk_29', 'NOT NULL')]
--     (1, '"sp ace ".""""', None, 'delete', 1, 0, 'plan_hash=7066d45094738a0767a6743dcf52edbb45e6b8cc5b035455ba4566f56e767176')
--     (2, '"ümläut".""""', 'v', 'delete', 2, 0, 'no index on (r3): CREATE INDEX CONCURRENTLY ON "ümläut"."""" (r3);')
--     (3, '"sp ace ".t11', 'fk_29', 'nullify', 2, 0, 'no index on ("a.b.c", tableoid2, r5): CREATE INDEX CONCURRENTLY ON "sp ace ".t11 ("a.b.c", tableoid2, r5);')
-- case: {"seed": 33, "root": "\"sp ace \".\"\"\"\"", "key_column": "d", "key": "00000000-0000-4000-8000-000000000000", "mode": "delete", "isolation": "READ COMMITTED", "policies": [{"relation": "\"sp ace \".\"t11\"", "edge": "fk_29", "action": "nullify", "collateral": "delete", "reassign_to": null}], "links": []}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA "sp ace "; GRANT USAGE ON SCHEMA "sp ace " TO PUBLIC;
CREATE SCHEMA "ümläut"; GRANT USAGE ON SCHEMA "ümläut" TO PUBLIC;
CREATE TABLE "sp ace "."""" ("d" uuid NOT NULL, "x0" int, PRIMARY KEY ("d"));
CREATE TABLE "ümläut"."""" ("k" uuid NOT NULL, "r1" int NOT NULL, "a.b.c" int NOT NULL, "r3" uuid NOT NULL, PRIMARY KEY ("k", "r1", "a.b.c"));
CREATE UNLOGGED TABLE "sp ace "."t11" ("r0" int NOT NULL, "seq" int NOT NULL, "tab	here" bigint, "a.b.c" uuid NOT NULL, "tableoid2" int, "r5" int, "r6" int NOT NULL, "public" bigint NOT NULL, PRIMARY KEY ("r0", "seq"));
INSERT INTO "sp ace "."""" ("d", "x0") VALUES
    ('00000000-0000-4000-8000-000000000000', NULL);
INSERT INTO "ümläut"."""" ("k", "r1", "a.b.c", "r3") VALUES
    ('00000000-0000-4000-8000-000000000000', '-3', '4', '00000000-0000-4000-8000-000000000000'),
    ('00000000-0000-4000-8000-000000000000', '-2', '0', '00000000-0000-4000-8000-000000000000');
INSERT INTO "sp ace "."t11" ("r0", "seq", "tab	here", "a.b.c", "tableoid2", "r5", "r6", "public") VALUES
    ('3', '1', '0', '00000000-0000-4000-8000-000000000000', '-3', '4', '-3', '4'),
    ('-2', '2', '-2', '00000000-0000-4000-8000-000000000000', '-2', '0', '-3', '4');
ALTER TABLE "ümläut"."""" ADD CONSTRAINT "v" FOREIGN KEY ("r3") REFERENCES "sp ace "."""" ("d") ON DELETE CASCADE;
ALTER TABLE "sp ace "."t11" ADD CONSTRAINT "fk_29" FOREIGN KEY ("a.b.c", "tableoid2", "r5") REFERENCES "ümläut"."""" ("k", "r1", "a.b.c") MATCH FULL ON DELETE RESTRICT;
-- policies and run
SELECT vedfolnir_register_subject('"sp ace ".""""'::regclass, 'd', mode => 'delete');
SELECT vedfolnir_set_policy('"sp ace "."t11"'::regclass, 'fk_29', 'nullify', reason => 'test', collateral => 'delete');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => '00000000-0000-4000-8000-000000000000', dry_run => false);
ROLLBACK;

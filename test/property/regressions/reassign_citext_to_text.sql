-- seed 5245
-- DRYRUN: fails with 42883 operator does not exist: public.citext public.= text ()
-- case: {"seed": 5245, "root": "\"E'x'\".\"vf_d\"", "key_column": "id", "key": "bela", "mode": "tombstone", "isolation": "READ COMMITTED", "policies": [{"relation": "\"E'x'\".\"ctid2\"", "edge": "fk_5", "action": "reassign", "collateral": "delete", "reassign_to": "alma"}], "links": [], "committed": false}
BEGIN ISOLATION LEVEL READ COMMITTED;
CREATE SCHEMA kinds; GRANT USAGE ON SCHEMA kinds TO PUBLIC;
CREATE COLLATION kinds.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SCHEMA "E'x'"; GRANT USAGE ON SCHEMA "E'x'" TO PUBLIC;
CREATE SCHEMA "excludedééééééééééééééééééééééééééé"; GRANT USAGE ON SCHEMA "excludedééééééééééééééééééééééééééé" TO PUBLIC;
CREATE TABLE "E'x'"."vf_d" ("id" text NOT NULL, "x0" name, "dot.ted" text COLLATE kinds.ci, "table" real, "ümläut" char(12), "r5" citext, "r6" int, "r7" bigint, PRIMARY KEY ("id"));
CREATE TABLE "E'x'"."ctid2" ("r0" citext NOT NULL, "Mixed Case" int NOT NULL, "x0" numeric, "tableoid2" real, "r4" char(12), PRIMARY KEY ("r0", "Mixed Case"));
INSERT INTO "E'x'"."vf_d" ("id", "x0", "dot.ted", "table", "ümläut", "r5", "r6", "r7") VALUES
    ('alma', 'mona', 'gusta', '9', NULL, 'cIra', '-3', '-2'),
    ('bela', 'mona', NULL, '9', NULL, 'CirA', '-3', '-2');
INSERT INTO "E'x'"."ctid2" ("r0", "Mixed Case", "x0", "tableoid2", "r4") VALUES
    ('bela', '2', '5.0000', '9', NULL);
ALTER TABLE "E'x'"."ctid2" ADD CONSTRAINT "fk_5" FOREIGN KEY ("r0") REFERENCES "E'x'"."vf_d" ("id") ON DELETE CASCADE;
-- policies and run
SELECT vedfolnir_register_subject('"E''x''"."vf_d"'::regclass, 'id', mode => 'tombstone');
SELECT vedfolnir_set_policy('"E''x''"."ctid2"'::regclass, 'fk_5', 'reassign', reason => 'test', collateral => 'delete', reassign_to => 'alma');
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'bela', dry_run => true);
SELECT step, relation, via, action, row_count, collateral, note FROM vedfolnir_delete_user(user_key => 'bela', dry_run => false);
ROLLBACK;

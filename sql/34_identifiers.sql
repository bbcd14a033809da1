-- Identifiers of every kind, and key values that look like SQL (R15).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE SCHEMA "we.ird ""s";
CREATE SCHEMA "new
line";
CREATE TABLE "we.ird ""s"."Users; DROP TABLE x" ("Id""" text PRIMARY KEY, "select" text);
CREATE TABLE "new
line"."it's %I %s {id} $1" ("from" text CONSTRAINT "a.b""c;--" REFERENCES "we.ird ""s"."Users; DROP TABLE x" ON DELETE CASCADE, "user" int UNIQUE);
CREATE TABLE app."ÄÖÜ日本語" ("ключ" text CONSTRAINT "ключ" REFERENCES "we.ird ""s"."Users; DROP TABLE x" ON DELETE SET NULL);
DO $$ BEGIN
    EXECUTE format('CREATE TABLE app.%I (%I text CONSTRAINT %I REFERENCES "we.ird ""s"."Users; DROP TABLE x" ON DELETE CASCADE)',
        repeat('t', 63), repeat('ü', 31) || 'x', repeat('k', 63));
    EXECUTE format('INSERT INTO "we.ird ""s"."Users; DROP TABLE x" VALUES (%L, %L), (%L, NULL), (%L, NULL)', $k$a'b"c\d;%s$1{id}--$k$, 'Ada', 'x', '');
    EXECUTE format(E'INSERT INTO "new\nline"."it''s %%I %%s {id} $1" VALUES (%L, 1), (%L, 2), (%L, 3)', $k$a'b"c\d;%s$1{id}--$k$, 'x', '');
    EXECUTE format('INSERT INTO app.%I VALUES (%L), (%L)', repeat('t', 63), $k$a'b"c\d;%s$1{id}--$k$, 'x');
    EXECUTE format('INSERT INTO app.%I VALUES (%L), (%L)', 'ÄÖÜ日本語', $k$a'b"c\d;%s$1{id}--$k$, 'x');
END $$;
-- Names of our own generated SQL, and of SQL's keywords
CREATE TABLE app.vdf_d (vdf_t text REFERENCES "we.ird ""s"."Users; DROP TABLE x" ON DELETE CASCADE, vdf_i int, vdf_k0 int UNIQUE, vdf_e1 int, c int, d int, p int);
CREATE TABLE app.vdf_root (c text REFERENCES "we.ird ""s"."Users; DROP TABLE x" ON DELETE SET NULL, d int REFERENCES app.vdf_d (vdf_k0) ON DELETE SET NULL);
CREATE TABLE app."table" ("end" int REFERENCES app.vdf_d (vdf_k0) ON DELETE CASCADE, "ctid " int, "TABLEOID" int);
INSERT INTO app.vdf_d VALUES ($k$a'b"c\d;%s$1{id}--$k$, 1, 1, 1, 1, 1, 1), ('x', 2, 2, 2, 2, 2, 2);
INSERT INTO app.vdf_root VALUES ($k$a'b"c\d;%s$1{id}--$k$, 1), ('x', 2), ('x', 1);
INSERT INTO app."table" VALUES (1, 1, 1), (2, 2, 2);
CREATE TEMP TABLE vdf_d (vdf_k0 int);
SELECT vedfolnir_register_subject('"we.ird ""s"."Users; DROP TABLE x"', label_column => 'select');
SELECT vedfolnir_add_cleanup('"we.ird ""s"."Users; DROP TABLE x"', 'redis_key', '{{}}:{Id"}', 'it''s "s"');
SELECT vedfolnir_add_cleanup('app."ÄÖÜ日本語"', 'redis_key', '{ключ}');
SELECT vedfolnir_set_column('app."ÄÖÜ日本語"', 'ключ', '''x''', 'ключ');
SELECT vedfolnir_set_column('app."ÄÖÜ日本語"', 'ключ', NULL, 'ключ');
\pset format unaligned
SELECT * FROM t.run($k$a'b"c\d;%s$1{id}--$k$) ORDER BY step;
\pset format aligned
SELECT count(*) FROM "new
line"."it's %I %s {id} $1";
TABLE app."ÄÖÜ日本語" ORDER BY 1;
TABLE app.vdf_root ORDER BY 1, 2;
SELECT service, target FROM vedfolnir.cleanup_task;
SELECT count(*) FROM vedfolnir_delete_user('', false);
-- The remedy of a blocker can be pasted.
ALTER TABLE app."ÄÖÜ日本語" ADD CONSTRAINT "it's" FOREIGN KEY ("ключ") REFERENCES "we.ird ""s"."Users; DROP TABLE x";
ALTER TABLE app."ÄÖÜ日本語" DROP CONSTRAINT "ключ";
SELECT hint FROM t.refused('SELECT * FROM vedfolnir_delete_user(''x'', false)');
SELECT substring(note FROM 'SELECT .*;') AS remedy FROM vedfolnir_delete_user('x') WHERE action = 'block' \gset
:remedy
SELECT sum(row_count) FROM vedfolnir_delete_user('x', false) WHERE action IN ('delete', 'nullify');
DROP SCHEMA "we.ird ""s" CASCADE;
DROP SCHEMA "new
line" CASCADE;
DROP TABLE pg_temp.vdf_d;
SELECT t.fresh();

-- Order: by schema, relation and name in C collation, as they are and not as they are quoted; never by OID.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app."weird name" (u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.zz (u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app."Zz" (u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.abc (u int CONSTRAINT zk REFERENCES app.users ON DELETE CASCADE, v int CONSTRAINT "Zk" REFERENCES app.users ON DELETE CASCADE, w int CONSTRAINT "a k" REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app."éa" (u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app."b blocked" (u int REFERENCES app.users);
CREATE TABLE app.a_blocked (u int REFERENCES app.users);
CREATE TABLE app."C blocked" (u int REFERENCES app.users);
CREATE TABLE app."d nulls" (u int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.c_nulls (u int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.users VALUES (1);
INSERT INTO app."weird name" VALUES (1);
INSERT INTO app.zz VALUES (1);
INSERT INTO app."Zz" VALUES (1);
INSERT INTO app.abc VALUES (1, NULL, NULL), (NULL, 1, NULL), (NULL, NULL, 1);
INSERT INTO app."éa" VALUES (1);
INSERT INTO app."b blocked" VALUES (1);
INSERT INTO app.a_blocked VALUES (1);
INSERT INTO app."C blocked" VALUES (1);
INSERT INTO app."d nulls" VALUES (1);
INSERT INTO app.c_nulls VALUES (1);
SELECT vedfolnir_register_subject('app.users');
SELECT step, relation, via, action FROM t.dry('1') ORDER BY step;
SELECT t.finish();

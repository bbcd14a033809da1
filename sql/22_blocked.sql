-- A refused run lists all that is in its way, at once; nothing was changed (design 2.1 Blocked).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.a_settings (id int PRIMARY KEY, by_user int NOT NULL REFERENCES app.users);
CREATE TABLE app.b_alerts (id int PRIMARY KEY, by_user int NOT NULL REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.c_flags (id int PRIMARY KEY, by_user int NOT NULL REFERENCES app.users ON DELETE SET DEFAULT);
CREATE TABLE app.d_books (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.e_pages (id int PRIMARY KEY, book int REFERENCES app.d_books ON DELETE RESTRICT);
CREATE TABLE app.f_notes (id int PRIMARY KEY, page int REFERENCES app.e_pages ON DELETE CASCADE);
CREATE TABLE app.g_held (id int PRIMARY KEY, u int REFERENCES app.users);
CREATE TABLE app.h_quiet (id int PRIMARY KEY, u int REFERENCES app.users);
CREATE TABLE app.i_files (id int PRIMARY KEY, book int REFERENCES app.d_books ON DELETE CASCADE, u int REFERENCES app.users);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.a_settings VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO app.b_alerts VALUES (1, 1);
INSERT INTO app.c_flags VALUES (1, 1);
INSERT INTO app.d_books VALUES (1, 1), (2, 2);
INSERT INTO app.e_pages VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO app.f_notes VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO app.g_held VALUES (1, 1);
INSERT INTO app.h_quiet VALUES (1, 2);
INSERT INTO app.i_files VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_set_policy('app.g_held', 'g_held_u_fkey', 'block', reason => 'legal department');
-- The dry run shows each as a row with reason and remedy, the walk does not go on behind (f_notes), the rest is counted;
-- an undeclared edge without rows is silent (h_quiet); a row that goes never blocks (i_files 1 goes with its book). R9
SET client_min_messages = notice;
SELECT * FROM t.dry('1') ORDER BY step;
SET client_min_messages = warning;
-- The run: one VF007 whose DETAIL lists them all.
\pset format unaligned
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
\pset format aligned
SELECT count(*) FROM vedfolnir.deletion;
-- With strict, edges without rows refuse too.
SELECT * FROM t.dry('3') ORDER BY step;
SET vedfolnir.strict = on;
SELECT * FROM t.dry('3') ORDER BY step;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(3, false)');
RESET vedfolnir.strict;
SELECT * FROM t.run('3') ORDER BY step;
-- The remedies, as they are offered, make the run possible.
SELECT vedfolnir_set_policy('app.a_settings', 'a_settings_by_user_fkey', 'reassign', reassign_to => '2');
SELECT vedfolnir_set_policy('app.b_alerts', 'b_alerts_by_user_fkey', 'reassign', reassign_to => '2');
SELECT vedfolnir_set_policy('app.c_flags', 'c_flags_by_user_fkey', 'delete');
SELECT vedfolnir_set_policy('app.e_pages', 'e_pages_book_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.g_held', 'g_held_u_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.i_files', 'i_files_u_fkey', 'nullify');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
SELECT t.fresh();

-- Blockers behind blockers show up when the first is decided; a block between rows that both go is none.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.x (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.y (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, x int REFERENCES app.x ON DELETE RESTRICT);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.x VALUES (1, 1), (2, 2);
INSERT INTO app.y VALUES (1, 1, 1);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.run('1') ORDER BY step;
INSERT INTO app.users VALUES (1);
INSERT INTO app.x VALUES (1, 1);
INSERT INTO app.y VALUES (1, 1, 1), (2, 2, 1);
SELECT * FROM t.dry('1') ORDER BY step;
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.finish();

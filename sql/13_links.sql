-- Links: references without a foreign key, as columns, arrays, expressions, under a condition (design 2.2, R17, section 4 item 10).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, email text UNIQUE);
CREATE TABLE app.posts (id int PRIMARY KEY, author int, co_authors int[], meta jsonb, note text);
CREATE TABLE app.likes (on_type text, on_id text, n int);
CREATE TABLE app.replies (id int, post int REFERENCES app.posts ON DELETE CASCADE);
CREATE TABLE app.mails (n int, sender text, tenant int);
CREATE TABLE app.kept (n int, u int);
INSERT INTO app.users VALUES (1, 'ada@x'), (2, 'bob@x'), (11, 'cyd@x');
INSERT INTO app.posts VALUES (1, 1, '{2,1,11,1}', '{"reviewer": "1"}', 'a'), (2, 2, '{1}', '{"reviewer": 1}', 'b'),
    (3, 99, '{11,NULL,1}', '{"reviewer": 11}', 'c'), (4, NULL, NULL, NULL, 'd');
INSERT INTO app.likes VALUES ('user', '1', 1), ('user', '11', 2), ('post', '1', 3), ('post', '2', 4), ('user', 'x', 5);
INSERT INTO app.replies VALUES (1, 1), (2, 2);
INSERT INTO app.mails VALUES (1, 'ada@x', 1), (2, 'ADA@x', 1), (3, NULL, 1);
INSERT INTO app.kept VALUES (1, 1), (2, 2);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('author', 'app.posts', 'app.users', columns => '{author}', action => 'delete');
SELECT vedfolnir_add_link('co_authors', 'app.posts', 'app.users', columns => '{co_authors}', action => 'nullify');
SELECT vedfolnir_add_link('reviewer', 'app.posts', 'app.users', expression => 'meta ->> ''reviewer''');
SELECT vedfolnir_add_link('liked_user', 'app.likes', 'app.users', columns => '{on_id}', condition => 'on_type = ''user''', action => 'delete');
SELECT vedfolnir_add_link('liked_post', 'app.likes', 'app.posts', columns => '{on_id}', condition => 'on_type = ''post''', action => 'delete');
SELECT vedfolnir_add_link('sender', 'app.mails', 'app.users', columns => '{sender}', parent_columns => '{email}', action => 'delete');
SELECT vedfolnir_add_link('kept', 'app.kept', 'app.users', columns => '{u}', action => 'retain');
-- Undeclared (block) links block, also where the referring row is reached by others.
SELECT * FROM t.dry('1') ORDER BY step;
SELECT vedfolnir_set_column('app.posts', 'meta', 'meta - ''reviewer''', 'reviewer');
SELECT vedfolnir_set_policy('app.posts', 'reviewer', 'retain', reason => 'the column rule clears it');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.posts ORDER BY id;
TABLE app.likes ORDER BY n;
TABLE app.mails ORDER BY n;
TABLE app.kept ORDER BY n;
-- A row whose link leads nowhere (author 99) belongs to nobody.
SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(1) ORDER BY kind, relation, via;
-- What add_link refuses
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{auth}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', expression => ''author'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author,id}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', parent_columns => ''{mail}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', action => ''remove'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', action => ''reassign'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link('''', ''app.posts'', ''app.users'', columns => ''{author}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', condition => ''nosuch'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', columns => ''{author}'', condition => ''id'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.posts'', ''app.users'', expression => ''(SELECT 1)'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''replies_post_fkey'', ''app.replies'', ''app.posts'', columns => ''{post}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(NULL, ''app.posts'', ''app.users'', columns => ''{author}'')');
SELECT * FROM t.refused('SELECT vedfolnir_add_link(''x'', ''app.nowhere'', ''app.users'', columns => ''{author}'')');
-- A link whose column is gone, or whose table: refused, never silently dropped.
ALTER TABLE app.mails DROP COLUMN sender;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT vedfolnir_add_link('sender', 'app.mails', 'app.users', columns => '{tenant}');
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
DROP TABLE app.mails;
SELECT code FROM t.refused('SELECT * FROM vedfolnir_delete_user(2, false)');
SELECT t.fresh();

-- A link that leads back: a cycle by links alone; an array of the person's own table; a link that meets a row twice.
CREATE TABLE app.users (id int PRIMARY KEY, friends int[]);
CREATE TABLE app.pages (id int PRIMARY KEY, owner int, linked int[]);
INSERT INTO app.users VALUES (1, '{2,3}'), (2, '{1,1}'), (3, '{2}');
INSERT INTO app.pages VALUES (1, 1, '{2}'), (2, NULL, '{3,3}'), (3, NULL, '{1}'), (4, 2, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('friends', 'app.users', 'app.users', columns => '{friends}', action => 'nullify');
SELECT vedfolnir_add_link('owner', 'app.pages', 'app.users', columns => '{owner}', action => 'delete');
SELECT vedfolnir_add_link('linked', 'app.pages', 'app.pages', columns => '{linked}', action => 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.users ORDER BY id;
TABLE app.pages ORDER BY id;
SELECT t.fresh();

-- Types that differ: compared by an operator for both, or by their text.
CREATE TABLE app.users (id uuid PRIMARY KEY, n bigint UNIQUE);
CREATE TABLE app.a (u text);
CREATE TABLE app.b (u varchar(40)[]);
CREATE TABLE app.c (u smallint);
CREATE TABLE app.d (u numeric);
CREATE TABLE app.e (u text);
INSERT INTO app.users VALUES ('a0000000-0000-4000-8000-000000000001', 1), ('a0000000-0000-4000-8000-000000000002', 2);
INSERT INTO app.a VALUES ('a0000000-0000-4000-8000-000000000001'), ('a0000000-0000-4000-8000-000000000002'), ('junk'), ('');
INSERT INTO app.b VALUES ('{a0000000-0000-4000-8000-000000000001,junk}'), ('{a0000000-0000-4000-8000-000000000002}'), ('{}');
INSERT INTO app.c VALUES (1), (2);
INSERT INTO app.d VALUES (1.0), (1.5);
INSERT INTO app.e VALUES ('1'), ('01');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('l', 'app.a', 'app.users', columns => '{u}', action => 'delete');
SELECT vedfolnir_add_link('l', 'app.b', 'app.users', columns => '{u}', action => 'nullify');
SELECT vedfolnir_add_link('l', 'app.c', 'app.users', columns => '{u}', parent_columns => '{n}', action => 'delete');
SELECT vedfolnir_add_link('l', 'app.d', 'app.users', columns => '{u}', parent_columns => '{n}', action => 'delete');
SELECT vedfolnir_add_link('l', 'app.e', 'app.users', columns => '{u}', parent_columns => '{n}', action => 'delete');
SELECT * FROM t.run('a0000000-0000-4000-8000-000000000001') ORDER BY step;
TABLE app.a ORDER BY 1;
TABLE app.b ORDER BY 1;
TABLE app.d ORDER BY 1;
TABLE app.e ORDER BY 1;
SELECT t.finish();

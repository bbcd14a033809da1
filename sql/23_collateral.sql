-- Collateral: rows of other people are counted apart, and refuse the run unless the edge allows it (R19, R7, section 4 item 5).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
CREATE TABLE app.users (id int PRIMARY KEY, invited_by int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.comments (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.replies (id int PRIMARY KEY, comment int REFERENCES app.comments ON DELETE CASCADE);
CREATE TABLE app.marks (id int PRIMARY KEY, comment int REFERENCES app.comments ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1, NULL), (2, NULL), (3, 1), (4, 3);
INSERT INTO app.posts VALUES (10, 1), (20, 2), (40, 4);
-- own comment on own post, other's on own post, own on other's post, nobody's on own post
INSERT INTO app.comments VALUES (100, 10, 1), (101, 10, 2), (102, 20, 1), (103, 10, NULL);
INSERT INTO app.replies VALUES (1, 100), (2, 101), (3, 101), (4, 102), (5, 103);
INSERT INTO app.marks VALUES (1, 100, 2), (2, 101, 1), (3, 101, NULL), (4, 100, 1);
SELECT vedfolnir_register_subject('app.users');
-- 3 and 4 are other root rows; post 40 is reached only through them. Comment 101 is tied to user 2, 102 to post 20;
-- replies 2, 3, 4 and mark 3 are reached only through them; mark 1 is tied to user 2; mark 2 is user 1's own.
SELECT * FROM t.dry('1') ORDER BY step;
SELECT note FROM vedfolnir_delete_user(1) WHERE via = 'comments_post_fkey';
\pset format unaligned
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
\pset format aligned
-- The edges that bring it in, not those that only pass it on.
SELECT vedfolnir_set_policy('app.users', 'users_invited_by_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.comments', 'comments_post_fkey', 'delete', collateral => 'delete');
\pset format unaligned
SELECT detail, hint FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
\pset format aligned
SELECT vedfolnir_set_policy('app.comments', 'comments_u_fkey', 'nullify');
SELECT vedfolnir_set_policy('app.marks', 'marks_comment_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.marks', 'marks_u_fkey', 'delete', collateral => 'delete');
SELECT * FROM t.run('1') ORDER BY step;
SELECT * FROM t.counts() ORDER BY relation COLLATE "C";
TABLE app.comments ORDER BY id;
SELECT t.fresh();

-- A cycle back to the person: the root row itself is no collateral, another row of its table is.
CREATE TABLE app.users (id int PRIMARY KEY, team int);
CREATE TABLE app.teams (id int PRIMARY KEY, founder int REFERENCES app.users ON DELETE CASCADE);
ALTER TABLE app.users ADD FOREIGN KEY (team) REFERENCES app.teams ON DELETE CASCADE;
INSERT INTO app.users VALUES (1, NULL), (2, NULL), (3, NULL);
INSERT INTO app.teams VALUES (10, 1), (20, 2);
UPDATE app.users SET team = 10 WHERE id = 1;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM t.dry('1') ORDER BY step;
UPDATE app.users SET team = 10 WHERE id = 3;
SELECT * FROM t.dry('1') ORDER BY step;
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
-- A tombstone stays where the cycle comes back to it; the others go if allowed.
SELECT vedfolnir_register_subject('app.users', mode => 'tombstone');
SELECT vedfolnir_set_policy('app.users', 'users_team_fkey', 'delete', collateral => 'delete');
SELECT * FROM t.dry('1') ORDER BY step;
SELECT t.fresh();
-- Rows of others are told (VF007) though an UPDATE of the same run would fail by a CHECK.
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.groups (id int PRIMARY KEY, founder int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.members (id int PRIMARY KEY, grp int REFERENCES app.groups ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.alerts (id int, u int REFERENCES app.users ON DELETE SET NULL, wallet int, CHECK (num_nonnulls(u, wallet) = 1));
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.groups VALUES (1, 1);
INSERT INTO app.members VALUES (1, 1, 2);
CREATE FUNCTION app.as_is() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER as_is BEFORE UPDATE ON app.alerts FOR EACH ROW EXECUTE FUNCTION app.as_is();
INSERT INTO app.alerts VALUES (1, 1, NULL);
SELECT vedfolnir_register_subject('app.users');
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT vedfolnir_set_policy('app.members', 'members_grp_fkey', 'delete', collateral => 'delete');
-- The CHECK itself is not foreseen, since the trigger may change the row.
SELECT code, message FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT t.fresh();

-- A row that refers to others too, through the same link, is theirs as well: elements of an array, a value that several have
CREATE TABLE app.users (id int PRIMARY KEY, mail text, team int);
CREATE TABLE app.talks (id int PRIMARY KEY, members int[]);
CREATE TABLE app.lines (id int, talk int REFERENCES app.talks ON DELETE CASCADE);
CREATE TABLE app.mails (id int, recipient text);
INSERT INTO app.users VALUES (1, 'a@x', 1), (2, 'b@x', 1), (3, 'a@x', 2), (4, 'd@x', 2);
INSERT INTO app.talks VALUES (1, '{1}'), (2, '{1,1,NULL,9}'), (3, '{2,1}'), (4, '{2,3}'), (5, '{4}');
INSERT INTO app.lines VALUES (1, 1), (2, 3), (3, 3), (4, 5);
INSERT INTO app.mails VALUES (1, 'a@x'), (2, 'b@x'), (3, 'd@x');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('members', 'app.talks', 'app.users', columns => '{members}', action => 'delete');
SELECT vedfolnir_add_link('recipient', 'app.mails', 'app.users', columns => '{recipient}', parent_columns => '{mail}', action => 'delete');
SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1);
SELECT * FROM t.refused('SELECT * FROM vedfolnir_delete_user(1, false)');
SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_users('{1,2,3}');
SELECT vedfolnir_set_policy('app.talks', 'members', 'nullify');
SELECT vedfolnir_set_policy('app.mails', 'recipient', 'delete', collateral => 'delete');
SELECT * FROM t.run('1') ORDER BY step;
TABLE app.talks ORDER BY id;
TABLE app.mails ORDER BY id;
SELECT t.finish();

-- Suggestions: what to decide for edges without a policy, and one call that writes it.
CREATE SCHEMA public50; SET search_path = public50, public;
\set ECHO none
\i test/support/no_extension.sql
\set ECHO all
CREATE EXTENSION vedfolnir SCHEMA public;
\pset format unaligned
\set VERBOSITY terse
CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE, invited_by int REFERENCES users);
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE posts (id int PRIMARY KEY, author_id int NOT NULL REFERENCES users, body text);
CREATE TABLE comments (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts ON DELETE CASCADE,
    user_id int NOT NULL REFERENCES users ON DELETE CASCADE, body text);
CREATE TABLE follows (follower_id int REFERENCES users, followee_id int REFERENCES users, since date, PRIMARY KEY (follower_id, followee_id));
CREATE TABLE contracts (id int PRIMARY KEY, company_id int NOT NULL REFERENCES companies, user_id int NOT NULL REFERENCES users, body text);
CREATE TABLE settings (id int PRIMARY KEY, value text, updated_by int NOT NULL REFERENCES users);
CREATE TABLE audit_log (id int PRIMARY KEY, user_id int REFERENCES users, details text);
CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, bio text);
CREATE TABLE events (id int, day date, user_id int NOT NULL, PRIMARY KEY (id, day), FOREIGN KEY (user_id) REFERENCES users) PARTITION BY RANGE (day);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE notes (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE SET NULL, body text);
CREATE TABLE "Odd Names" (id int PRIMARY KEY, "createdBy" int REFERENCES users, "Owner Id" int NOT NULL REFERENCES users);

SELECT * FROM vedfolnir_suggest_policies();
SELECT vedfolnir_register_subject('users');
SELECT relation, edge, action, collateral, why FROM vedfolnir_suggest_policies();

-- What is decided stays decided, and opens nothing or everything behind it.
SELECT vedfolnir_set_policy('posts', 'posts_author_id_fkey', 'block', reason => 'ours');
SELECT relation, edge, action FROM vedfolnir_suggest_policies() WHERE relation ~ '(posts|comments)$';
SELECT vedfolnir_set_policy('posts', 'posts_author_id_fkey', 'delete', reason => 'ours');
SELECT relation, edge, action, collateral FROM vedfolnir_apply_suggestions() ORDER BY 1, 2;
SELECT * FROM vedfolnir_suggest_policies();
SELECT * FROM vedfolnir_apply_suggestions();
SELECT action, reason FROM vedfolnir.policy WHERE edge = 'posts_author_id_fkey';

-- The suggestions run: a schema with collateral, in one call.
INSERT INTO users VALUES (1, 'ada', NULL), (2, 'bob', 1);
INSERT INTO posts VALUES (1, 1, 'a'), (2, 2, 'b');
INSERT INTO comments VALUES (1, 1, 2, 'foreign comment, own post'), (2, 2, 1, 'own comment, foreign post'), (3, 2, 2, 'other');
INSERT INTO follows VALUES (1, 2, '2026-01-01'), (2, 1, '2026-01-02');
INSERT INTO audit_log VALUES (1, 1, 'x');
INSERT INTO profiles VALUES (1, 'x'), (2, 'y');
INSERT INTO events VALUES (1, '2026-02-01', 1), (2, '2026-02-01', 2);
INSERT INTO notes VALUES (1, 1, 'x');
INSERT INTO "Odd Names" VALUES (1, 2, 1), (2, 1, 2);
SELECT step, relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1, dry_run => false);
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts), (SELECT count(*) FROM comments), (SELECT count(*) FROM follows),
       (SELECT count(*) FROM audit_log WHERE user_id IS NULL), (SELECT count(*) FROM profiles), (SELECT count(*) FROM events),
       (SELECT count(*) FROM notes), (SELECT count(*) FROM "Odd Names");

-- A new table is suggested for, a link without an action as well.
CREATE TABLE likes (user_id int NOT NULL REFERENCES users, post_id int NOT NULL REFERENCES posts, PRIMARY KEY (user_id, post_id));
CREATE TABLE mails (id int PRIMARY KEY, recipient int NOT NULL, body text);
SELECT vedfolnir_add_link('mails_to', 'mails', 'users', columns => '{recipient}');
SELECT relation, edge, action, collateral, why FROM vedfolnir_suggest_policies();

-- Who may ask, who may write.
CREATE ROLE regress50_nobody;
CREATE ROLE regress50_viewer;
SELECT vedfolnir_grant('regress50_viewer', 'viewer');
SET ROLE regress50_viewer;
SELECT count(*) FROM public.vedfolnir_suggest_policies();
SELECT * FROM public.vedfolnir_apply_suggestions();
RESET ROLE;
GRANT EXECUTE ON FUNCTION vedfolnir_suggest_policies(name) TO regress50_nobody;
SET ROLE regress50_nobody;
SELECT * FROM public.vedfolnir_suggest_policies();
RESET ROLE;
SELECT * FROM vedfolnir_suggest_policies(NULL);
SELECT * FROM vedfolnir_suggest_policies('nobody');
SELECT vedfolnir_revoke('regress50_viewer', 'viewer');
DROP OWNED BY regress50_nobody, regress50_viewer;
DROP ROLE regress50_nobody, regress50_viewer;
DROP SCHEMA public50 CASCADE;
DROP EXTENSION vedfolnir CASCADE;
DROP SCHEMA IF EXISTS vedfolnir CASCADE;

-- What cannot be done to an array of references is a blocker of the dry run, and told before the UPDATE fails (design 2.1, R9).
\set ECHO none
\i test/support/regress.sql
\set ECHO all
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.teams (id int PRIMARY KEY, members int[], CHECK (cardinality(members) < 9));
INSERT INTO app.users SELECT generate_series(1, 9);
INSERT INTO app.teams VALUES (1, '{{1,2},{3,1}}'), (2, '{1,2}'), (3, '{{4,5}}'), (4, '{6,7}');
SELECT vedfolnir_register_subject('app.users');
SELECT vedfolnir_add_link('members', 'app.teams', 'app.users', columns => '{members}', action => 'nullify');
-- Single elements of an array of several dimensions cannot be taken out: the dry run says so, as the run does.
SELECT relation, action, row_count, note FROM vedfolnir_delete_user(1) WHERE step > 1;
SELECT * FROM vedfolnir_delete_user(1, false);
-- Others are not in the way of a person who is in plain arrays only.
SELECT relation, action, row_count FROM vedfolnir_delete_user(6, false);
SELECT * FROM app.teams ORDER BY id;
-- A column rule sets the whole column, so nothing has to be taken out of it.
SELECT vedfolnir_set_column('app.teams', 'members', '''{0}''', edge => 'members');
SELECT relation, action, row_count FROM vedfolnir_delete_user(1, false);
SELECT * FROM app.teams ORDER BY id;
SELECT vedfolnir_set_column('app.teams', 'members', NULL, edge => 'members');
-- Nor has a row that goes anyhow to lose an element.
SELECT vedfolnir_set_policy('app.teams', 'members', 'delete', collateral => 'delete');
SELECT relation, action, row_count FROM vedfolnir_delete_user(4, false);
-- A reference in an array is one among others, and not reassigned.
SELECT vedfolnir_set_policy('app.teams', 'members', 'reassign', reassign_to => '9');
SELECT vedfolnir_set_policy('app.teams', 'members', 'reassign', reassign_to => '=ARRAY[9]');
-- Neither by a policy that is older than the type of its column.
CREATE TABLE app.posts (author int);
INSERT INTO app.posts VALUES (7), (8);
SELECT vedfolnir_add_link('author', 'app.posts', 'app.users', columns => '{author}');
SELECT vedfolnir_set_policy('app.posts', 'author', 'reassign', reassign_to => '9');
ALTER TABLE app.posts ALTER author TYPE int[] USING ARRAY[author];
SELECT relation, action, row_count, note FROM vedfolnir_delete_user(8) WHERE step > 1;
SELECT * FROM vedfolnir_delete_user(8, false);

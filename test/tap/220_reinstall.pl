# DROP EXTENSION takes all of it away, and CREATE EXTENSION in another schema works as the first did (issue 2, R40).
use strict;
use warnings;
use DeletionTest;
use Test::More;

my $t = DeletionTest->new;

sub prepare
{
	my ($schema) = @_;
	$t->sql(<<"SQL");
DROP SCHEMA IF EXISTS app CASCADE;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.posts (id int, u int REFERENCES app.users ON DELETE CASCADE, path text);
CREATE TABLE app.tree (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, parent int REFERENCES app.tree ON DELETE CASCADE);
INSERT INTO app.users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO app.posts VALUES (1, 1, 'a b'), (2, 2, 'c');
INSERT INTO app.tree VALUES (1, 1, NULL), (2, NULL, 1), (3, 2, NULL);
SELECT $schema.vedfolnir_register_subject('app.users', label_column => 'name');
SELECT $schema.vedfolnir_add_cleanup('app.posts', 'file', 'posts/{path}');
SELECT $schema.vedfolnir_add_cleanup('app.posts', 'webhook', 'gone/{path}');
SELECT $schema.vedfolnir_add_cleanup('app.users', 'redis_pattern', 'x:{name}:*');
SQL
	return;
}

sub works
{
	my ($schema, $name) = @_;
	prepare($schema);
	is($t->sql("SELECT string_agg(action || ' ' || row_count, ', ' ORDER BY step) FROM $schema.vedfolnir_delete_user_by_name('Ada', false)"),
		'delete 1, delete 1, delete 1, delete 1, enqueue 1, enqueue 1, enqueue 1', "$name: a deletion works");
	is($t->sql('SELECT count(*) FROM app.tree'), 1, "$name: the rows are gone");
	is($t->sql("SELECT string_agg(target, ' ' ORDER BY kind) FROM vedfolnir.cleanup_task"), 'posts/a b x:Ada:* gone/a%20b', "$name: the targets are right");
	is($t->sql("SELECT count(*) FROM $schema.vedfolnir_claim_tasks('w', 9, '1 minute')"), 1, "$name: the queue works");
	is($t->sql("SELECT string_agg(kind, ' ') FROM $schema.vedfolnir_verify_user('1')"), 'task task task', "$name: verify works");
	is($t->sql("SELECT count(*) FROM $schema.vedfolnir_check() WHERE severity = 'error'"), 0, "$name: check works");
	is($t->sql("SELECT count(*) FROM $schema.vedfolnir_suggest_policies()"), 3, "$name: suggestions work");
	is($t->sqlstate("SELECT $schema.vedfolnir_delete_user(1, false)"), 'ok', "$name: the second run works");
	return;
}

# Whatever of ours is left in the database
my $left = <<'SQL';
SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'vedfolnir') + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'vedfolnir%')
     + (SELECT count(*) FROM pg_class WHERE relname LIKE 'vedfolnir%') + (SELECT count(*) FROM pg_type WHERE typname LIKE 'vedfolnir%')
SQL

works('public', 'public');
is($t->sqlstate('DROP EXTENSION vedfolnir'), 'ok', 'DROP EXTENSION needs no CASCADE');
is($t->sql($left), 0, 'and leaves nothing behind');
is($t->sql('SELECT count(*) FROM app.users'), 1, 'the tables of the application stay as they are');

for my $schema ('plain', '"We ird ""schema"')
{
	$t->sql("CREATE SCHEMA $schema");
	is($t->sqlstate("CREATE EXTENSION vedfolnir SCHEMA $schema"), 'ok', "CREATE EXTENSION in schema $schema");
	works($schema, $schema);
	is($t->sql("SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE proname LIKE 'vedfolnir%' AND nspname = 'public'"),
		0, "$schema: nothing of ours is in public");
	is($t->sqlstate('ALTER EXTENSION vedfolnir SET SCHEMA public'), '0A000', "$schema: it is not relocatable");
	is($t->sqlstate('DROP EXTENSION vedfolnir'), 'ok', "$schema: DROP EXTENSION");
	is($t->sql($left), 0, "$schema: nothing is left");
}

# In one session: drop, create elsewhere, and go on; plans and prepared statements of the old one must not be used.
is($t->sqlstate(<<'SQL'), 'ok', 'in one session');
CREATE EXTENSION vedfolnir;
DROP SCHEMA app CASCADE; CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (u int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO app.users VALUES (1), (2), (3);
INSERT INTO app.posts VALUES (1), (2), (3);
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM vedfolnir_delete_user(1, false);
SELECT * FROM vedfolnir_verify_user(1);
DROP EXTENSION vedfolnir;
CREATE EXTENSION vedfolnir SCHEMA plain;
SET search_path = plain;
SELECT vedfolnir_register_subject('app.users');
SELECT * FROM vedfolnir_delete_user(2, false);
SELECT * FROM vedfolnir_verify_user(2);
DO $$ BEGIN IF (SELECT count(*) FROM app.posts) <> 1 OR (SELECT count(*) FROM vedfolnir.deletion) <> 1 THEN RAISE 'not whole'; END IF; END $$;
SQL

# Only a superuser can install it.
$t->sql('DROP EXTENSION vedfolnir; CREATE ROLE regular LOGIN; GRANT CREATE ON DATABASE postgres TO regular');
is($t->sqlstate('CREATE EXTENSION vedfolnir', 'regular'), '42501', 'it is not trusted');
done_testing();

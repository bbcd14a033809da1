# pg_dump | psql of a configured database keeps configuration, evidence, queue and sequences, and the next deletion works
# (R81, R48, fact 23). The secret comes along, so that a person deleted before the dump is known after it.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = DeletionTest->new;
my $node = $t->node;

$t->sql(<<'SQL');
CREATE ROLE op LOGIN;
CREATE ROLE worker LOGIN;
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO PUBLIC;
CREATE TABLE app.users (id int PRIMARY KEY, name text, email text);
CREATE TABLE app."Post s" (id int PRIMARY KEY, u int REFERENCES app.users, path text);
CREATE TABLE app.log (n int, u int);
CREATE TABLE app.orders (n int, u int NOT NULL REFERENCES app.users, buyer text);
INSERT INTO app.users SELECT g, 'name ' || g, 'mail' || g FROM generate_series(1, 9) g;
INSERT INTO app."Post s" SELECT g, g, 'p/' || g FROM generate_series(1, 9) g;
INSERT INTO app.log SELECT g, g FROM generate_series(1, 9) g;
INSERT INTO app.orders SELECT g, g, 'buyer' FROM generate_series(1, 9) g;
GRANT DELETE ON app.users TO op;
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_set_policy('app."Post s"', 'Post s_u_fkey', 'delete', reason => 'theirs');
SELECT vedfolnir_add_link('log_u', 'app.log', 'app.users', columns => '{u}', action => 'delete');
SELECT vedfolnir_set_policy('app.orders', 'orders_u_fkey', 'reassign', reassign_to => '9');
SELECT vedfolnir_set_column('app.orders', 'buyer', '''gone''', 'orders_u_fkey');
SELECT vedfolnir_add_cleanup('app."Post s"', 'file', '{path}', 'images');
SELECT vedfolnir_add_cleanup('app.users', 'redis_key', 'u:{id}');
SELECT vedfolnir_grant('op', 'operator');
SELECT vedfolnir_grant('worker', 'worker');
SELECT vedfolnir_watch(true);
SELECT count(*) FROM vedfolnir_delete_user(1, false, 'ticket', 'e0000000-0000-4000-8000-000000000001');
SELECT count(*) FROM vedfolnir_delete_users('{2,3}', false);
SQL

my @tables = qw(subject policy column_rule link cleanup_rule duty watch secret deletion audit_log request cleanup_task);
sub content
{
	my ($db) = @_;
	return join "\n", map { "$_: " . $node->safe_psql($db,
		"SELECT count(*) || ' ' || coalesce(md5(string_agg(x::text, '|' ORDER BY x::text)), '') FROM vedfolnir.$_ x") } @tables;
}
my $before = content('postgres');
unlike($before, qr/: 0 /, 'each table holds something');
is($t->sql('SELECT count(*) FROM vedfolnir.cleanup_task'), 6, 'tasks are open');
my $policy = $t->sql('SELECT vedfolnir_policy_hash()');

# Each table and sequence that holds data of its users is registered, whatever is added later.
# What a watch saw was seen of the old schema; the watch is off after a restore.
is($t->sql(<<'SQL'), 'watched_path,worker', 'all but the observations of listeners and of the watch are dumped');
SELECT string_agg(c.relname, ',' ORDER BY c.relname) FROM pg_class c, pg_extension x
 WHERE x.extname = 'vedfolnir' AND c.relnamespace = 'vedfolnir'::regnamespace AND c.relkind IN ('r', 'S') AND NOT c.oid = ANY (x.extconfig)
SQL

my $dir = PostgreSQL::Test::Utils::tempdir();
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-f', "$dir/plain.sql" ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-Fc', '-f', "$dir/custom.dump" ], 'pg_dump -Fc');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(plain custom again);
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'plain', '-f', "$dir/plain.sql" ],
	'psql reads it back');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-h', $node->host, '-p', $node->port, '-d', 'custom', "$dir/custom.dump" ], 'pg_restore');

for my $db (qw(plain custom))
{
	my $sql = sub { return $node->safe_psql($db, "SET client_min_messages = warning;\n$_[0]"); };

	is(content($db), $before, "$db: configuration, evidence and queue are the same");
	is($sql->('SELECT vedfolnir_policy_hash()'), $policy, "$db: the policy is the same");
	is($sql->("SELECT count(*) FROM pg_event_trigger"), 0, "$db: the event trigger of the watch is not restored");
	is($sql->("SELECT remedy FROM vedfolnir_check() WHERE code = 'watch_off'"), 'SELECT vedfolnir_watch(true);', "$db: which check() says");
	$sql->('SELECT vedfolnir_watch(true)');
	is($sql->("SELECT count(*) FROM vedfolnir_check() WHERE code IN ('watch_off', 'new_path')"), 0, "$db: until it is on again");
	is($sql->('SELECT action FROM vedfolnir_delete_user(1, false)'), 'already_deleted', "$db: who was deleted before is known");
	is($sql->("SELECT count(*) FROM vedfolnir_delete_user(1, false, 'ticket', 'e0000000-0000-4000-8000-000000000001')"), 6,
		"$db: a retried request gets its answer");
	is($sql->("SELECT string_agg(action || ' ' || row_count, ', ' ORDER BY step) FROM vedfolnir_delete_user(4, false)"),
		'delete 1, delete 1, delete 1, reassign 1, enqueue 1, enqueue 1', "$db: the next deletion works");
	is($sql->('SELECT buyer FROM app.orders WHERE n = 4'), 'gone', "$db: with its column rule");
	is($sql->('SELECT count(*) = count(DISTINCT id) AND count(*) = 8 FROM vedfolnir.cleanup_task'), 't', "$db: tasks go on counting");
	is($sql->('SELECT count(DISTINCT deletion_id) FROM vedfolnir.audit_log'), 4, "$db: so does the audit");
	is($sql->('SELECT count(DISTINCT key_id) FROM vedfolnir.deletion'), 1, "$db: under the same secret");
	$sql->("SELECT vedfolnir_add_cleanup('app.log', 'file', 'log/{n}')");
	is($sql->('SELECT count(DISTINCT id) FROM vedfolnir.cleanup_rule'), 3, "$db: a new rule finds its number");
	is($node->safe_psql($db, 'SET client_min_messages = warning; SELECT count(*) FROM vedfolnir_delete_user(5, false)', extra_params => [ '-U', 'op' ]), 7,
		"$db: the operator may delete");
	is($node->safe_psql($db, "SELECT count(*) FROM vedfolnir_claim_tasks('w', 100, '1 minute')", extra_params => [ '-U', 'worker' ]), 5,
		"$db: the worker claims the open tasks of the first phase");
}

# A second round trip, with what has happened since
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-d', 'plain', '-f', "$dir/again.sql" ], 'pg_dump again');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'again', '-f', "$dir/again.sql" ],
	'psql again');
is(content('again'), content('plain'), 'again: the same');
is($node->safe_psql('again', "SET client_min_messages = warning; SELECT action FROM vedfolnir_delete_user(6, false) WHERE step = 1"), 'delete',
	'again: the next deletion works');

# R48: once a person is deleted and the outside work is done, a dump of everything holds nothing of them.
$t->sql(<<'SQL');
INSERT INTO app.users VALUES (77007, 'canary-name', 'canary-mail@example.org');
INSERT INTO app."Post s" VALUES (770071, 77007, 'canary-path/770071');
INSERT INTO app.log VALUES (770072, 77007);
INSERT INTO app.orders VALUES (770073, 77007, 'canary-buyer');
SELECT count(*) FROM vedfolnir_delete_user_by_name('canary-name', false, 'ticket 5');
SQL
my $canary = qr/canary|77007/;
sub dump_of { my ($file) = @_; $node->command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '-l', 'postgres', '-f', "$dir/$file" ], "pg_dumpall: $file"); return slurp_file("$dir/$file"); }
like(dump_of('open.sql'), $canary, 'R48: the open tasks still name their targets');
my $left = $t->sql("SELECT count(*) FROM vedfolnir.cleanup_task WHERE open");
my $settled = 0;
$settled += $t->sql("WITH c AS (SELECT array_agg(id) AS ids, array_agg(fence) AS fences, array_fill('done'::text, ARRAY[count(*)::int]) AS outcomes "
	. "FROM vedfolnir_claim_tasks('w', 100, '1 minute')) SELECT coalesce(vedfolnir_finish_tasks(ids, fences, outcomes), 0) FROM c WHERE ids IS NOT NULL UNION ALL SELECT 0 LIMIT 1") for 1 .. 5;
is($settled, $left, 'R48: all tasks are done');
my ($order) = $t->sql("SELECT buyer FROM app.orders WHERE n = 770073");
is($order, 'gone', 'R48: the row that stays has lost the name');
$t->sql('DELETE FROM app.orders WHERE n = 770073'); # its own number is a canary too
my $dump = dump_of('done.sql');
unlike($dump, $canary, 'R48: nothing of the person is left in a dump');
like($dump, qr/ticket 5/, 'R48: which has the evidence');

# Without a deletion there is no secret yet: each database makes its own, and a restored one meets no second.
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION vedfolnir');
is($node->safe_psql('fresh', 'SELECT count(*) FROM vedfolnir.secret'), 0, 'an installation makes no secret');
done_testing();

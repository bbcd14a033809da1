# Memory and C++ objects of one backend (R77, R80): 10,000 deletions, and as many failures, leave nothing behind.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Autovacuum would move what is measured.
my $t = DeletionTest->new(conf => "autovacuum = off\nfsync = off\nlog_min_messages = panic\nlog_min_error_statement = panic\n");
my $people = 11_000;
$t->sql(<<"SQL");
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.post (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE app.photo (id int PRIMARY KEY, post int REFERENCES app.post ON DELETE CASCADE);
CREATE TABLE app.seen (id int PRIMARY KEY, reader int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.lock (id int PRIMARY KEY, holder int REFERENCES app.users);
INSERT INTO app.users SELECT g, 'name ' || g FROM generate_series(1, $people) g;
INSERT INTO app.users VALUES (20001, 'locked'), (20002, 'broken'), (20003, 'slow');
INSERT INTO app.post SELECT id, id FROM app.users;
INSERT INTO app.photo SELECT id, id FROM app.users;
INSERT INTO app.seen SELECT id, id FROM app.users;
INSERT INTO app.lock VALUES (1, 20001);
CREATE INDEX ON app.post (author);
CREATE INDEX ON app.photo (post);
CREATE INDEX ON app.seen (reader);
CREATE INDEX ON app.lock (holder);
ANALYZE;
SELECT vedfolnir_register_subject('app.users', 'id', 'name');
SELECT vedfolnir_add_cleanup('app.photo', 'file', 'photos/{id}');
CREATE FUNCTION app.trouble() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
  IF OLD.id = 20002 THEN RAISE EXCEPTION 'broken'; END IF;
  IF OLD.id = 20003 THEN PERFORM pg_sleep(60); END IF;
  RETURN OLD;
END \$\$;
CREATE TRIGGER trouble BEFORE DELETE ON app.photo FOR EACH ROW EXECUTE FUNCTION app.trouble();
SQL

# A psql script in one connection: $statements is run with each number from..to as :i, :u by one \gexec.
sub each_of { my ($from, $to, $statement) = @_; return "SELECT format(\$f\$$statement\$f\$, i) FROM generate_series($from, $to) i \\gexec\n"; }

my $measure = <<'SQL';
\o
SELECT 'measured', (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+) kB'))[1]::int,
       (SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts)::int,
       (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'Cached%' OR name LIKE 'vedfolnir%'),
       vedfolnir.live_plans();
\o /dev/null
SQL

# Gives the growth in kB of anonymous memory and of memory contexts, of contexts by number, and plans at start and end.
sub growth
{
	my ($name, $warm, $work) = @_;
	my ($code, $out, $err) = $t->node->psql('postgres', "SET client_min_messages = fatal;\n\\o /dev/null\n$measure$warm$measure$work$measure",
		on_error_stop => 0);
	is($code, 0, "$name: the connection lived to the end");
	my @measured = map { [ split /\|/ ] } grep { /^measured/ } split /\n/, $out;
	is(scalar(@measured), 3, "$name: measured") or return;
	my @growth = map { $measured[2][$_] - $measured[1][$_] } 1 .. 3;
	note("$name: anonymous memory $measured[1][1] to $measured[2][1] kB, contexts $measured[1][2] to $measured[2][2] kB, "
		. "$measured[1][3] to $measured[2][3] of plans; core holds $measured[1][4] to $measured[2][4]");
	cmp_ok($growth[0], '<', 1024, "R80: $name: anonymous memory grew by less than 1 MB");
	cmp_ok($growth[1], '<', 1024, "R80: $name: memory contexts grew by less than 1 MB");
	cmp_ok($growth[2], '<=', 0, "R80: $name: no plan was left in the session's memory");
	cmp_ok($measured[2][4], '<=', 1, "R77: $name: core holds the one plan that the session keeps");
	return;
}

my $delete = 'SELECT FROM vedfolnir_delete_user(%s, dry_run => false);';
growth('10,000 deletions', each_of(1, 500, $delete), each_of(501, 10_500, $delete));
is($t->sql('SELECT count(*) FROM app.users WHERE id <= 10500'), 0, 'they are gone');
is($t->sql('SELECT count(*) FROM vedfolnir.deletion'), 10_500, 'and recorded');
is($t->sql('SELECT count(*) FROM vedfolnir.cleanup_task'), 10_500, 'and their files queued');

# Each way to fail, first a few times, then often. The session's plan is there before and after.
my %failures = (
	'no such user' => [ 'SELECT FROM vedfolnir_delete_user(99%s, dry_run => false);', 300 ],
	'blocked' => [ 'SELECT %s FROM vedfolnir_delete_user(20001, dry_run => false);', 300 ],
	'a trigger fails' => [ 'SELECT %s FROM vedfolnir_delete_user(20002, dry_run => false);', 300 ],
	'a bad key' => [ 'SELECT FROM vedfolnir_delete_user(\'x%s\'::text, dry_run => false);', 300 ],
	'no such subject' => [ 'SELECT FROM vedfolnir_delete_user(1, subject => \'s%s\');', 300 ],
	'more rows than allowed' => [ 'SET vedfolnir.max_rows = 2; SELECT %s FROM vedfolnir_delete_user(10600, dry_run => false); RESET vedfolnir.max_rows;', 300 ],
	'another plan' => [ 'SELECT %s FROM vedfolnir_delete_user(10600, dry_run => false, plan_hash => \'00\');', 300 ],
	'cancelled' => [ 'SET statement_timeout = 20; SELECT %s FROM vedfolnir_delete_user(20003, dry_run => false); RESET statement_timeout;', 30 ],
	'caught in a block' => [ 'DO $$ BEGIN PERFORM %s FROM vedfolnir_delete_user(20002, dry_run => false); EXCEPTION WHEN OTHERS THEN NULL; END $$;', 300 ],
	'the plan made anew' => [ 'ALTER TABLE app.photo ALTER post SET STATISTICS %s; SELECT FROM vedfolnir_delete_user(20002, dry_run => false);', 300 ],
	'dry runs' => [ 'SELECT %s FROM vedfolnir_delete_user(10600);', 300 ],
	'undone' => [ 'BEGIN; SELECT %s FROM vedfolnir_delete_user(10600, dry_run => false); ROLLBACK;', 300 ]);
for my $name (sort keys %failures)
{
	my ($statement, $n) = @{ $failures{$name} };
	growth($name, each_of(1, 30, $statement), each_of(31, 30 + $n, $statement));
}
is($t->sql('SELECT count(*) FROM app.users WHERE id IN (10600, 20001, 20002, 20003)'), 4, 'nobody went by a failure');

done_testing();

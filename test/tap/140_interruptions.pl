# A deletion that is cancelled, terminated or killed at any moment is done whole or not at all (R29, R45), and a cancel is
# answered within a second.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = DeletionTest->new(conf => "autovacuum = off\nrestart_after_crash = on\nmax_prepared_transactions = 2\n");
my $node = $t->node;

# Each person: a root row, 20 chains through a cycle of folders and documents 15 deep, 100 notes that stay without author.
$t->sql(<<'SQL');
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.folder (id int PRIMARY KEY, owner int REFERENCES app.users ON DELETE CASCADE, doc int);
CREATE TABLE app.doc (id int PRIMARY KEY, folder int REFERENCES app.folder ON DELETE CASCADE);
ALTER TABLE app.folder ADD FOREIGN KEY (doc) REFERENCES app.doc ON DELETE CASCADE;
CREATE TABLE app.note (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE SET NULL, of int);
CREATE INDEX ON app.folder (owner);
CREATE INDEX ON app.folder (doc);
CREATE INDEX ON app.doc (folder);
CREATE INDEX ON app.note (author);
CREATE FUNCTION app.person(u int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO app.users VALUES (u);
  WITH d AS (INSERT INTO app.doc SELECT u * 10000 + c * 15 + k, NULL FROM generate_series(0, 19) c, generate_series(0, 14) k RETURNING id)
  INSERT INTO app.folder SELECT id, CASE WHEN id % 10000 % 15 = 0 THEN u END, CASE WHEN id % 10000 % 15 > 0 THEN id - 1 END FROM d;
  UPDATE app.doc SET folder = id WHERE id / 10000 = u;
  INSERT INTO app.note SELECT u * 10000 + g, u, u FROM generate_series(1, 100) g;
$$;
-- A deletion takes long enough to be met at every stage.
CREATE FUNCTION app.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$;
CREATE TRIGGER slow BEFORE DELETE ON app.doc FOR EACH ROW EXECUTE FUNCTION app.slow();
SELECT app.person(g) FROM generate_series(1, 30) g;
ANALYZE;
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT vedfolnir_add_cleanup('app.doc', 'file', 'docs/{id}');
-- One row per person whose state is neither whole nor gone.
CREATE VIEW app.half AS
SELECT * FROM (
  SELECT u, count(*) FILTER (WHERE t = 'u') AS present, count(*) FILTER (WHERE t = 'f') AS folders,
         count(*) FILTER (WHERE t = 'd') AS docs, count(*) FILTER (WHERE t = 'n') AS notes
    FROM (SELECT id, 'u' FROM app.users UNION ALL SELECT id / 10000, 'f' FROM app.folder
          UNION ALL SELECT id / 10000, 'd' FROM app.doc UNION ALL SELECT author, 'n' FROM app.note WHERE author IS NOT NULL) AS r(u, t)
   GROUP BY u) s
 WHERE (present, folders, docs, notes) <> (1, 300, 300, 100);
SQL
my $evidence = "SELECT (SELECT count(*) FROM app.half) || ' half, ' || (SELECT 30 - count(*) FROM app.users) - (SELECT count(*) FROM vedfolnir.deletion) "
	. "|| ' without evidence, ' || (SELECT coalesce(sum(row_count), 0) FROM vedfolnir.audit_log) - 701 * (SELECT 30 - count(*) FROM app.users) "
	. "|| ' rows off, ' || (SELECT count(*) FROM vedfolnir.cleanup_task) - 300 * (SELECT 30 - count(*) FROM app.users) || ' tasks off'";
my $whole = '0 half, 0 without evidence, 0 rows off, 0 tasks off';
is($t->sql($evidence), $whole, 'the persons are whole at the start');

# How long does one take?
my $started = time;
$t->sql('SELECT FROM vedfolnir_delete_user(1, dry_run => false)');
my $duration = time - $started;
is($t->sql($evidence), $whole, 'a deletion that nobody disturbs');
note("one deletion takes $duration s");

# Starts a deletion in the background, after a nap; gives its handle and the pid of its session.
sub background
{
	my ($person) = @_;
	my %run = (out => '', err => '');
	$run{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ], '<',
		\"SELECT 'pid', pg_backend_pid();\nSELECT FROM pg_sleep(0.3);\nSELECT FROM vedfolnir_delete_user($person, dry_run => false);\n",
		'>', \$run{out}, '2>', \$run{err});
	$run{handle}->pump until $run{out} =~ /pid\|(\d+)/;
	$run{pid} = $1;
	return \%run;
}

# At moments spread over the time that a deletion takes: cancel, then terminate, then kill -9.
my $person = 2;
my %seen;
for my $how ('cancel', 'terminate', 'kill')
{
	my $tries = $how eq 'kill' ? 4 : 8;
	for my $i (1 .. $tries)
	{
		my $run = background($person);
		sleep 0.3 + $duration * $i / ($tries + 2);
		if ($how eq 'kill') { kill 'KILL', $run->{pid}; }
		else { $t->sql("SELECT pg_${how}_backend($run->{pid})"); }
		my $signalled = time;
		$run->{handle}->finish;
		my $waited = time - $signalled;
		$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the server did not come back' if $how eq 'kill';
		my $done = $run->{handle}->result == 0;
		$seen{ $done ? 'done' : $how }++;
		cmp_ok($waited, '<', 2, "R29: $how is answered soon") unless $how eq 'kill';
		my $state = $t->sql($evidence);
		is($state, $whole, "R29, R45: $how, try $i: whole or not at all");
		is($t->sql("SELECT count(*) FROM app.users WHERE id = $person"), $done ? 0 : 1, "R29: $how, try $i: as the client was told")
			unless $how eq 'kill';
		$person++ if $t->sql("SELECT count(*) FROM app.users WHERE id = $person") == 0;
	}
}
note(join ', ', map { "$_ $seen{$_}" } sort keys %seen);
cmp_ok($seen{cancel} // 0, '>', 1, 'enough deletions were cancelled on the way');
cmp_ok($seen{terminate} // 0, '>', 1, 'and terminated');
cmp_ok($seen{kill} // 0, '>', 0, 'and killed');

# The same connection goes on after a cancel, ten times in a row.
my $script = join '', map { "SET statement_timeout = " . int(1 + $duration * 1000 * $_ / 12) . ";\nSELECT FROM vedfolnir_delete_user(25, dry_run => false);\n" } 1 .. 10;
my ($code, $out, $err) = $node->psql('postgres', "$script\nRESET statement_timeout;\nSELECT FROM vedfolnir_delete_user(26, dry_run => false);\n"
	. "SELECT action FROM vedfolnir_delete_user(26, dry_run => false);", on_error_stop => 0);
like($out, qr/already_deleted/, 'R29: the connection that was cancelled again and again still deletes');
is($t->sql($evidence), $whole, 'R29: and nothing is half done');

# A client that is lost after its commit asks again with its request_id.
my $request = "SELECT relation, via, action, row_count FROM vedfolnir_delete_user(27, dry_run => false, request_id => '00000000-0000-0000-0000-000000000055')";
my $first = $t->sql($request);
is($t->sql($request), $first, 'R32: the answer of a request can be had again');
is($t->sql("SELECT count(*) FROM vedfolnir.deletion WHERE request_id IS NOT NULL"), 1, 'R32: and it was done once');

# PREPARE TRANSACTION: with NOTIFY it is refused by PostgreSQL, without it the deletion survives a crash (R33).
is($t->sqlstate("BEGIN; SELECT FROM vedfolnir_delete_user(28, dry_run => false); PREPARE TRANSACTION 'deletion'"), '0A000', 'R33: not with NOTIFY');
is($t->sqlstate("SET vedfolnir.notify = off; BEGIN; SELECT FROM vedfolnir_delete_user(28, dry_run => false); PREPARE TRANSACTION 'deletion'"), 'ok',
	'R33: without NOTIFY it can be prepared');
$node->stop('immediate');
$node->start;
is($t->sql('SELECT count(*) FROM app.users WHERE id = 28'), 1, 'R33: after a crash it is still prepared');
$t->sql("COMMIT PREPARED 'deletion'");
is($t->sql('SELECT count(*) FROM app.users WHERE id = 28'), 0, 'R33: and can be committed');
is($t->sql($evidence), $whole, 'R33: whole');

done_testing();

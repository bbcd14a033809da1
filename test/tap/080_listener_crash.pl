# kill -9 at every step, many times: nothing is lost, nothing outside the targets is touched (R54, R55, R58).
# VEDFOLNIR_KILLS says how often; tools/crash.sh runs it longer.
use strict;
use warnings;
use File::Path qw(make_path);
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $wanted = $ENV{VEDFOLNIR_KILLS} // 200;
my $listener = "$ENV{VEDFOLNIR_LISTENER}-faults";
-x $listener or die "$listener is not there: the listener with fault points was not built";
my $t = ListenerTest->new(listener => $listener);
my @points = qw(claimed denied removed effect fsynced before_settle settled);
$t->add_rule('file', 'images', 'path');
$t->add_rule('directory', 'images', 'folder');
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('redis_pattern', 'sessions', 'session');
$t->configure($t->file_service('images') . $t->redis_service('sessions')
	  . $t->redis_service('denied', "deny_prefix = denied:\ndeny_ttl = 1h\nsecond_pass = 10ms\n"),
	"batch = 4\nlease = 250ms\nbackoff_base = 10ms\nbackoff_cap = 50ms\nmax_attempts = 1000000\nlog_level = error");

# What belongs to others: names that the targets are prefixes of, in the same directories.
$t->write_file("bystander/$_", "theirs $_") for 1 .. 20;
$t->redis_cli('MSET', map { ("k:$_:", 'theirs', "p$_:", 'theirs') } 1 .. 50);
# KEYS and not DBSIZE, which counts marks that have run out and are not swept yet.
sub keys_now { return $t->redis_cli('EVAL', q(return #redis.call('KEYS', '*')), 0); }
sub fingerprint { return `cd $t->{root} && find bystander -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum` . keys_now(); }
my $others = fingerprint();

# Each round adds what a deletion may leave: keys, a pattern, files in two directories, a tree that holds a kept file.
# To start psql or redis-cli takes as long as a round, so each is started once for many.
my $serial = 0;
sub add_work
{
	my ($count) = @_;
	my (@pairs, @sql);
	for my $n ($serial + 1 .. $serial + $count)
	{
		my @keys = map { "k:$n:$_" } 1 .. 3;
		push @pairs, map { ($_, 'mine') } @keys, "p:$n:a", "p:$n:b", "d:$n";
		$t->write_file($_) for "f/$n.a", "f/$n.b", "g/$n", "tree_$n/a", "tree_$n/x/y/b";
		my $values = join(', ', (map { "(2, 'redis_key', 'delete', 'sessions', '$_')" } @keys),
			"(2, 'redis_pattern', 'delete', 'sessions', 'p:$n:*')", "(2, 'redis_key', 'delete', 'denied', 'd:$n')",
			(map { "(3, 'file', 'delete', 'images', '$_')" } "f/$n.a", "f/$n.b", "g/$n"), "(3, 'directory', 'delete', 'images', 'tree_$n')");
		push @sql, "WITH d AS (INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, "
			. "state) VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id) "
			. 'INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) '
			. "SELECT d.id, v.* FROM d, (VALUES $values) AS v";
	}
	$serial += $count;
	$t->redis_cli('MSET', @pairs);
	$t->sql(join('; ', @sql));
	return;
}

# Enough that is due: what the last runs were killed with is leased for a while. What is settled is pruned at times, as a
# listener does it, so that a long test does not count ever more rows.
my $round = 0;
sub keep_busy
{
	$t->sql(q(SELECT vedfolnir_prune_tasks('0'))) if $round % 500 == 499;
	return if $round++ % 5;
	my $lacking = 80 - $t->sql('SELECT count(*) FROM vedfolnir.cleanup_task WHERE open');
	add_work(int($lacking / 9) + 1) if $lacking > 0;
	return;
}

my %kills;
my $survived = 0;
my $start = time;
srand($ENV{VEDFOLNIR_SEED} // 1);
my $kills = 0;
while ($kills < $wanted && time - $start < 60 + $wanted)
{
	keep_busy();
	my $point = $points[rand @points];
	local $ENV{VEDFOLNIR_FAULT} = $point . ':' . (1 + int(rand 3));
	my ($code, undef, $err) = $t->run('--once');
	if ($code eq 'signal 9') { $kills++; $kills{$point}++; }
	elsif ($code =~ /^[03]$/) { $survived++; sleep 0.05; }
	else { fail("exit code $code: $err"); last; }
}
note("$survived runs came to their end");
is($kills, $wanted, "$wanted kills in " . int(time - $start) . ' s');
note("kills by point: " . join(', ', map { "$_ " . ($kills{$_} // 0) } @points));
cmp_ok($kills{$_} // 0, '>', 0, "killed at $_") for @points;
cmp_ok($t->sql('SELECT max(attempts) FROM vedfolnir.cleanup_task'), '>', 1, 'tasks were given out again');

# What remains is drained by a listener that nobody kills.
$t->{listener} = $ENV{VEDFOLNIR_LISTENER};
my $daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete'), 'every deletion is complete in the end', 60);
is($t->stop($daemon), 0, 'the listener ends');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'every task is settled');
is(`cd $t->{root} && find . -type f -not -path './bystander/*'`, '', 'every file of the deletions is gone');
is(`cd $t->{root} && find . -name 'tree_*'`, '', 'every tree as well');
is($t->redis_cli('EVAL', q(local n = 0 for _, p in ipairs({'k:*:?', 'p:*:*', 'd:*'}) do n = n + #redis.call('KEYS', p) end return n), 0), 0,
	'every key of the deletions is gone');
is($t->redis_cli('EVAL', q(for _, k in ipairs(redis.call('KEYS', 'denied:*')) do redis.call('DEL', k) end return 'ok'), 0), 'ok', 'marks aside');
is(fingerprint(), $others, 'what belongs to others is as it was');

done_testing();

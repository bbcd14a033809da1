# Two listeners that are killed at random while a third one is not: the queue drains, and the third one does not grow (R59).
# VEDFOLNIR_SOAK says for how many seconds; tools/soak.sh runs it longer.
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{VEDFOLNIR_SOAK} // 15;
my $t = ListenerTest->new;
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('file', 'images', 'path');
$t->configure($t->file_service('images') . $t->redis_service('sessions'),
	"poll = 200ms\nheartbeat = 500ms\nbatch = 20\nlease = 1s\nbackoff_base = 20ms\nbackoff_cap = 200ms\nlog_level = warn\nprune_after = 1s");
$t->redis_cli('SET', "other:$_", 'theirs') for 1 .. 10;
$t->write_file("other/$_") for 1 .. 10;

sub size_of
{
	my ($daemon) = @_;
	my ($rss) = slurp_file("/proc/$daemon->{pid}/status") =~ /^VmRSS:\s+(\d+)/m;
	return ($rss, scalar(() = glob("/proc/$daemon->{pid}/fd/*")));
}

my $steady = $t->start;
my @victims = map { $t->start } 1 .. 2;
my ($kills, $queued, $serial, $start) = (0, 0, 0, time);
my ($rss_then, $fds_then);
srand($ENV{VEDFOLNIR_SEED} // 1);
while (time - $start < $seconds)
{
	$serial++;
	$t->redis_cli('MSET', map { ("mine:$serial:$_", 'x') } 1 .. 20);
	$t->write_file("mine/$serial.$_") for 1 .. 20;
	$t->sql("WITH d AS (INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id) INSERT INTO vedfolnir.cleanup_task "
		. "(deletion_id, phase, kind, operation, service, target) SELECT id, 2, 'redis_key', 'delete', 'sessions', 'mine:$serial:' || n "
		. "FROM d, generate_series(1, 20) AS n UNION ALL SELECT id, 3, 'file', 'delete', 'images', 'mine/$serial.' || n FROM d, generate_series(1, 20) AS n");
	$t->sql('NOTIFY vedfolnir_cleanup') if rand() < 0.7;
	$queued += 40;
	if (rand() < 0.2)
	{
		my $n = int rand @victims;
		$t->stop($victims[$n], 'KILL');
		$victims[$n] = $t->start;
		$kills++;
	}
	($rss_then, $fds_then) = size_of($steady) if !defined $rss_then && time - $start > $seconds / 3;
}
note("$seconds s, $queued tasks, $kills kills");
cmp_ok($kills, '>', 0, 'listeners were killed');
$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete'), 'the queue drains', 60);
my ($rss, $fds) = size_of($steady);
note("the steady listener: $rss_then kB and $fds_then descriptors after a third of the time, $rss kB and $fds at the end");
cmp_ok($rss, '<', $rss_then * 1.05 + 1024, 'its memory is flat');
cmp_ok($fds, '<=', $fds_then, 'so are its descriptors');
is($t->redis_cli('EVAL', q(return #redis.call('KEYS', 'mine:*')), 0) . join('', glob($t->root . '/mine/*')), '0', 'every key and file is gone');
is($t->redis_cli('DBSIZE'), 10, 'the keys of others are there');
is(scalar(my @left = glob($t->root . '/other/*')), 10, 'and their files');
is($t->stop($_), 0, 'a listener ends') for $steady, @victims;
done_testing();

# Disks that are full under each peer: the queue's table, the journal of the database, Redis. Nothing is lost, nothing else is
# touched, and everything is drained when there is room again (R59, R73, R84). The disks are small tmpfs file systems in a
# mount namespace of this test's own, so no privilege is needed.
use strict;
use warnings;

# Before the modules are loaded: they give the standard output to themselves.
BEGIN
{
	my %size = (queue => '6m', journal => '24m', redis => '1m');
	if (!$ENV{VEDFOLNIR_SMALL_DISKS})
	{
		require File::Temp;
		if (system('unshare -Urm true 2>/dev/null') != 0)
		{
			print "1..0 # SKIP a user may not make a mount namespace here\n";
			exit 0;
		}
		local $ENV{VEDFOLNIR_SMALL_DISKS} = my $dir = File::Temp::tempdir();
		my $mount = join(' && ', map { "mkdir $dir/$_ && mount -t tmpfs -o size=$size{$_},mode=700 tmpfs $dir/$_" } sort keys %size);
		# The inner namespace gives the user its own number back: a database server does not run as root.
		exec('unshare', '-Urm', 'sh', '-c', "$mount && exec unshare -U --map-user=$> --map-group=" . ($) + 0) . " $^X $0") or die "exec: $!";
	}
}
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $disks = $ENV{VEDFOLNIR_SMALL_DISKS};
my $t = ListenerTest->new(redis => 0, init => [ extra => [ '--waldir', "$disks/journal/wal", '--wal-segsize', '1' ] ],
	conf => "max_wal_size = 8MB\nmin_wal_size = 2MB\nrestart_after_crash = on\n");
my $node = $t->node;
$t->{redis_dir} = "$disks/redis";
$t->start_redis('--save', '1 1', '--stop-writes-on-bgsave-error', 'yes');
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('file', 'images', 'path');
mkdir "$disks/queue/space" or die;
$t->sql("CREATE TABLESPACE small LOCATION '$disks/queue/space'");
$t->sql('ALTER TABLE vedfolnir.cleanup_task SET TABLESPACE small; ALTER TABLE vedfolnir.cleanup_task SET (fillfactor = 100, autovacuum_enabled = off)');
$t->configure($t->file_service('images') . $t->redis_service('sessions'),
	"backoff_base = 20ms\nbackoff_cap = 200ms\npoll = 200ms\nheartbeat = 500ms\nbatch = 100\nlease = 1s\nmax_attempts = 1000000");
$t->redis_cli('SET', "other:$_", 'theirs') for 1 .. 10;
$t->write_file("other/$_") for 1 .. 10;

# Fills a disk to its last byte, and makes room again.
sub fill
{
	my ($disk) = @_;
	open(my $file, '>', "$disks/$disk/filler") or die;
	1 while syswrite($file, "\0" x 4096);
	close $file;
	return;
}
sub make_room { my ($disk) = @_; unlink "$disks/$disk/filler" or die; return; }

my $serial = 0;
sub queue_work
{
	my ($count) = @_;
	my $n = ++$serial;
	$t->write_file("mine/$n.$_") for 1 .. $count;
	$t->redis_cli('EVAL', "for i = 1, $count do redis.call('SET', 'mine:$n:' .. i, 'x') end", 0);
	$t->sql("WITH d AS (INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id) INSERT INTO vedfolnir.cleanup_task "
		. "(deletion_id, phase, kind, operation, service, target) SELECT id, 2, 'redis_key', 'delete', 'sessions', 'mine:$n:' || i "
		. "FROM d, generate_series(1, $count) AS i UNION ALL SELECT id, 3, 'file', 'delete', 'images', 'mine/$n.' || i FROM d, generate_series(1, $count) AS i");
	return;
}
my $all_complete = q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete');
my $open = q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE open);

# The queue's own table cannot grow: claims fail, and each failure is waited out.
queue_work(1000);
fill('queue');
my $daemon = $t->start;
$t->wait_until(sub { slurp_file($node->logfile) =~ /could not extend file .*No space left on device/ }, 'the table of the queue cannot grow', 60);
$t->wait_until(sub { $t->log($daemon) =~ /database: .*could not extend file/ }, 'the listener says so', 30);
my ($code, undef, $err) = $node->psql('postgres', "INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
	. "SELECT gen_random_uuid(), 3, 'file', 'delete', 'images', 'never/' || i FROM generate_series(1, 100000) AS i");
like($err, qr/No space left on device/, 'a deletion with many tasks fails as a whole');
cmp_ok($t->sql($open), '>', 0, 'tasks are still open');
ok(kill(0, $daemon->{pid}), 'the listener is there');
make_room('queue');
$t->wait_for_sql($all_complete, 'drained when there is room', 60);
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE target LIKE 'never%')), 0, 'nothing of the failed deletion is queued');

# Redis cannot save: it refuses writes, and is waited for.
queue_work(50) if $t->sql('SELECT true');
$t->wait_for_sql($all_complete, 'one more round', 60);
fill('redis');
$t->redis_cli('SET', "more:$_", 'theirs') for 1 .. 5;
$t->wait_until(sub { $t->redis_cli('DEL', 'nothing') =~ /MISCONF/ }, 'Redis refuses writes', 60);
$t->sql("WITH d AS (INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) VALUES "
	. "(gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id) INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, "
	. "operation, service, target) SELECT id, 2, 'redis_key', 'delete', 'sessions', 'more:' || i FROM d, generate_series(1, 5) AS i");
$t->wait_for_sql(q(SELECT count(*) > 0 FROM vedfolnir.cleanup_task WHERE errors -> -1 ->> 'message' = 'the server says MISCONF'), 'its answer is noted', 30);
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'dead')), 0, 'and no task is dead for it');
make_room('redis');
$t->wait_for_sql($all_complete, 'drained when there is room', 60);

# The journal is full: the server ends itself, and comes back when there is room.
queue_work(300);
kill 'STOP', $daemon->{pid};
fill('journal');
for (1 .. 200) { last if ($node->psql('postgres', q(INSERT INTO public.images SELECT n, repeat('x', 500) FROM generate_series(1, 1000) AS n; TRUNCATE public.images)))[0] != 0; }
like(slurp_file($node->logfile), qr/PANIC: .*No space left on device/, 'the server has ended itself');
kill 'CONT', $daemon->{pid};
sleep 1;
ok(kill(0, $daemon->{pid}), 'the listener is there');
make_room('journal');
# It may have tried to recover on the full disk and given up, or be at it.
$node->stop('immediate', fail_ok => 1);
$node->start;
$t->wait_for_sql($all_complete, 'drained after the server is back', 60);

is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'every task is settled');
is($t->redis_cli('EVAL', q(return #redis.call('KEYS', 'm*:*')), 0) . join('', glob($t->root . '/mine/*')), '0', 'every key and file is gone');
is($t->redis_cli('DBSIZE'), 10, 'the keys of others are there');
is(scalar(my @left = glob($t->root . '/other/*')), 10, 'and their files');
is($t->stop($daemon), 0, 'the listener ends');
$t->stop_redis;
done_testing();

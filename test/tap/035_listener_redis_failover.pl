# A failover of Redis at every moment of a batch: no task is done while its key is there, nothing is stuck (R72, R73).
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use ListenerTest;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
$t->add_rule('redis_key', 'sessions', 'session');

# Two servers that replicate by TCP, and an address of the service that leads to one of them.
my @port = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
my ($one, $two) = map { my $server = bless { dir => $t->{dir} }, 'ListenerTest'; $server->start_redis('--port', $_, '--bind', '127.0.0.1',
	'--repl-diskless-sync-delay', '0'); $server } @port;
my $closed = PostgreSQL::Test::Cluster::get_free_port();
my $address = "$t->{dir}/service.sock";
sub point
{
	my ($server) = @_;
	unlink "$address.new";
	symlink($server->{redis_socket}, "$address.new") or die;
	rename("$address.new", $address) or die;
	return;
}
sub follow { my ($server, $port) = @_; return $server->redis_cli('REPLICAOF', '127.0.0.1', $port); }
sub lead { my ($server) = @_; return $server->redis_cli('REPLICAOF', 'NO', 'ONE'); }
sub in_step
{
	my ($replica, $what) = @_;
	return $t->wait_until(sub { $replica->redis_cli('INFO', 'replication') =~ /master_link_status:up/ }, $what, 30);
}
# Until the second has all that the first was told. WAIT knows only of what its own connection wrote.
sub replicated
{
	for (1 .. 250)
	{
		return 1 if $one->redis_cli('INFO', 'replication') =~ /offset=(\d+),lag.*master_repl_offset:\1\b/s;
		sleep 0.02;
	}
	return 0;
}
# A known state: the first leads, the second follows, and both are empty.
sub begin
{
	lead($_) for $one, $two;
	$_->redis_cli('FLUSHALL') for $one, $two;
	follow($two, $port[0]);
	in_step($two, 'a replica follows');
	point($one);
	$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion');
	return;
}
sub configure
{
	my ($more, $socket) = @_;
	local $t->{redis_socket} = $socket // $address;
	return $t->configure($t->redis_service('sessions', $more // ''), "backoff_base = 50ms\nbackoff_cap = 200ms\npoll = 100ms\nbatch = 10");
}
# Sessions on a server and a task for each.
sub queue
{
	my ($server, $count) = @_;
	my $deletion = $t->deletion;
	$server->redis_cli('SET', "session:$_", 'x') for 1 .. $count;
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) SELECT '$deletion', 2, 'redis_key', "
		. "'delete', 'sessions', 'session:' || n FROM generate_series(1, $count) AS n");
	return $deletion;
}
# Until all is done, whatever is done is gone from the server that leads.
sub follow_through
{
	my ($server, $deletion, $what) = @_;
	my $early = 0;
	$t->wait_until(sub {
		my $done = $t->sql(q(SELECT string_agg(id - (SELECT min(id) FROM vedfolnir.cleanup_task) + 1 || '', ' ') FROM vedfolnir.cleanup_task WHERE NOT open));
		$early += $server->redis_cli('EXISTS', map { "session:$_" } split / /, $done) if $done;
		return $t->deletion_state($deletion) eq 'complete';
	}, $what, 60);
	is($early, 0, 'no task is done while its key is there');
	is($server->redis_cli('KEYS', 'session:*'), '', 'no key is left');
	return;
}

# The old primary goes on to answer those who are connected to it; the address leads to the new one.
begin();
configure();
my $daemon = $t->start;
my $deletion = queue($one, 3);
follow_through($one, $deletion, 'done on the first server');
lead($two);
follow($one, $port[1]);
in_step($one, 'the servers change their parts');
point($two);
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$deletion = queue($two, 30);
follow_through($two, $deletion, 'an old connection to what is a replica by now is given up');

# It is a replica for a while and leads again, at the same address.
begin();
follow($one, $closed);
$deletion = queue($two, 0);
my $id = $t->task($deletion, 'redis_key', 'sessions', 'session:1');
$t->wait_for_sql("SELECT errors IS NOT NULL FROM vedfolnir.cleanup_task", 'a replica takes no removals', 20);
is($t->error($id), 'the server says READONLY', 'and says so');
lead($one);
$t->wait_for_sql("SELECT state = 'skipped' FROM vedfolnir.cleanup_task", 'when it leads again the task is settled', 20);
is($t->stop($daemon), 0, 'the listener ends');

# A replica that has nothing yet finds nothing by a pattern: that is no answer.
begin();
$two->redis_cli('SET', 'session:7:a', 'x') if lead($two);
follow($one, $closed);
is($one->redis_cli('DBSIZE'), 0, 'a replica without keys');
configure();
$id = $t->task($t->deletion, 'redis_pattern', 'sessions', 'session:7:*');
$t->run('--once');
is($t->state($id), 'retryable', 'a pattern that finds nothing there is not skipped');
is($t->error($id), 'the server says READONLY', 'with the reason');
point($two);
sleep 0.3;
my ($code) = $t->run('--once');
is("$code " . $t->state($id) . ' ' . $two->redis_cli('EXISTS', 'session:7:a'), '0 done 0', 'the server that leads settles it');
$id = $t->task($t->deletion, 'redis_pattern', 'sessions', 'session:7:*');
$t->run('--once');
is($t->state($id), 'skipped', 'what it does not find is not there');

# A proxy that acts at the N-th time that a word passes: here the failover happens in the middle of a batch. Each
# connection leads to where the address leads at that time.
my $proxies = 0;
sub proxy
{
	my ($word, $times, $action) = @_;
	my $path = "$t->{dir}/proxy" . ++$proxies . ".sock";
	my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die;
	my $pid = fork() // die;
	if ($pid) { $ListenerTest::started{$pid} = 1; return ($path, $pid); }
	my $seen = 0;
	while (my $client = $listen->accept)
	{
		my $server = IO::Socket::UNIX->new(Peer => $address) or next;
		my $select = IO::Select->new($client, $server);
		PAIR: while (my @ready = $select->can_read)
		{
			for my $from (@ready)
			{
				sysread($from, my $bytes, 65536) or last PAIR;
				if ($from == $client && $bytes =~ /\r\n$word\r\n/ && ++$seen == $times) { $action->(); }
				syswrite($from == $client ? $server : $client, $bytes);
			}
		}
		close $_ for $client, $server;
	}
	POSIX::_exit(0);
}
sub end_proxy { my ($pid) = @_; delete $ListenerTest::started{$pid}; kill 'KILL', $pid; waitpid $pid, 0; return; }
sub fail_over
{
	replicated();
	lead($two);
	follow($one, $port[1]);
	unlink "$address.new";
	symlink($two->{redis_socket}, "$address.new");
	rename("$address.new", $address);
	return;
}

for my $case ([ 'between the mark and the removal', 'UNLINK', 1, "deny_prefix = denied:\ndeny_ttl = 1h\nsecond_pass = 300ms\n" ],
	[ 'between two batches with a deny-list', 'UNLINK', 3, "deny_prefix = denied:\ndeny_ttl = 1h\nsecond_pass = 300ms\n" ],
	[ 'between two batches', 'UNLINK', 3, '' ])
{
	my ($when, $word, $times, $more) = @$case;
	begin();
	my ($path, $pid) = proxy($word, $times, \&fail_over);
	configure($more, $path);
	$deletion = queue($one, 40);
	$daemon = $t->start;
	follow_through($two, $deletion, "a failover $when: all is done");
	is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'and nothing else');
	like($t->log($daemon), qr/the server says READONLY/, 'it happened in the middle of the work');
	is($t->stop($daemon), 0, 'the listener ends');
	end_proxy($pid);
}

# The new primary had not heard of the removal: a second pass finds the key again, and the mark of a first one that is none.
begin();
configure("deny_prefix = denied:\ndeny_ttl = 1h\nsecond_pass = 2s\n");
$deletion = queue($one, 5);
ok(replicated(), 'the replica has it all');
lead($two);
$daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) = 5 FROM vedfolnir.cleanup_task WHERE errors -> -1 ->> 'message' = 'removed; a second pass follows'), 'a first pass');
is($two->redis_cli('EXISTS', map { "session:$_" } 1 .. 5), 5, 'that the other server does not know of');
follow($one, $port[1]);
in_step($one, 'which leads now');
point($two);
follow_through($two, $deletion, 'all is removed there as well');
is($t->stop($daemon), 0, 'the listener ends');
$_->stop_redis for $one, $two;
done_testing();

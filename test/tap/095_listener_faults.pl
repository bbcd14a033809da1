# A proxy between the listener and each peer that delays, cuts, goes half-open and resets after the request (R59, R73):
# nothing is lost, nothing else is touched, and everything is drained when the fault is gone.
use strict;
use warnings;
use FakeIdentityServer;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use ListenerTest;
use POSIX ();
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new;
my $node = $t->node;
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('file', 'images', 'path');
$t->add_rule('identity', 'keycloak', 'session');
$t->add_rule('webhook', 'hook', 'session');
my $fake = FakeIdentityServer->new("$t->{dir}/fake");

# Forwards between a TCP port and a Unix socket or another port; how it behaves is read from a file for each chunk of data.
my @proxies;
sub start_proxy
{
	my ($name, $peer) = @_;
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50, ReuseAddr => 1) or die;
	my $mode_file = "$t->{dir}/mode_$name";
	append_to_file($mode_file, 'good');
	my $pid = fork() // die;
	if ($pid) { push @proxies, $pid; return ($server->sockport, $mode_file); }
	# Whatever happens here, the end of this process must not end the servers of the test.
	eval { forward($server, $peer, $mode_file); 1 } or print STDERR "# proxy $name: $@";
	POSIX::_exit(1);
}
sub forward
{
	my ($server, $peer, $mode_file) = @_;
	my $parent = getppid();
	$SIG{PIPE} = 'IGNORE';
	my $select = IO::Select->new($server);
	my (%other, %is_client);
	my $drop = sub {
		my ($one, $reset) = @_;
		my @pair = grep { defined } $one, $other{$one};
		for my $socket (@pair)
		{
			setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $reset;
			$select->remove($socket);
			delete $other{$socket};
			close $socket;
		}
	};
	while (1)
	{
		POSIX::_exit(0) if getppid() != $parent;
		for my $ready ($select->can_read(0.5))
		{
			my $mode = slurp_file($mode_file);
			if ($ready == $server)
			{
				my $client = $server->accept or next;
				my $upstream = $mode eq 'refuse' ? undef : $peer =~ /^\d+$/ ? IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $peer) : IO::Socket::UNIX->new(Peer => $peer);
				if (!$upstream) { close $client; next; }
				$select->add($client, $upstream);
				($other{$client}, $other{$upstream}, $is_client{$client}) = ($upstream, $client, 1);
				next;
			}
			next unless $other{$ready};
			next if $mode eq 'half-open';    # neither an answer nor an end
			my $count = sysread($ready, my $data, 65536);
			if (!$count || $mode eq 'cut') { $drop->($ready, 0); next; }
			sleep 0.03 if $mode eq 'delay';
			if ($mode eq 'dribble')
			{
				for my $byte (split //, $data) { syswrite($other{$ready}, $byte); sleep 0.0005; }
				next;
			}
			# The request gets through, its answer does not.
			if ($mode eq 'reset' && !$is_client{$ready}) { $drop->($ready, 1); next; }
			syswrite($other{$ready}, $data);
		}
	}
}
sub mode { my ($file, $mode) = @_; append_to_file("$file.new", $mode); rename "$file.new", $file; return; }

my ($pg_port, $pg_mode) = start_proxy('pg', $node->host . '/.s.PGSQL.' . $node->port);
my ($redis_port, $redis_mode) = start_proxy('redis', $t->{redis_socket});
my ($http_port, $http_mode) = start_proxy('http', $fake->{port});
$t->configure($t->file_service('images')
	  . "[service sessions]\ntype = redis\nport = $redis_port\ntimeout = 500ms\nallow = public.images:redis_key\n"
	  . $fake->service('keycloak', url => "http://127.0.0.1:$http_port", realms => 'central', timeout => '500ms')
	  . "[service hook]\ntype = webhook\nurl = http://127.0.0.1:$http_port/hook\nsecret = key\ntimeout = 500ms\nallow = public.images:webhook\n",
	"backoff_base = 20ms\nbackoff_cap = 200ms\npoll = 200ms\nheartbeat = 300ms\nbatch = 5\nlease = 1s\nmax_attempts = 1000000",
	"host=127.0.0.1 port=$pg_port dbname=postgres user=worker tcp_user_timeout=2000 connect_timeout=2");
$t->redis_cli('SET', "other:$_", 'theirs') for 1 .. 10;
$t->write_file("other/$_") for 1 .. 10;
$fake->add_user('central', "other-$_") for 1 .. 3;
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected through the proxies');
my $fds = sub { return scalar(() = glob("/proc/$daemon->{pid}/fd/*")); };

my $serial = 0;
sub queue_work
{
	$serial++;
	$t->redis_cli('MSET', map { ("mine:$serial:$_", 'x') } 1 .. 8);
	$t->write_file("mine/$serial.$_") for 1 .. 8;
	$t->sql("WITH d AS (INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id) INSERT INTO vedfolnir.cleanup_task "
		. "(deletion_id, phase, kind, operation, service, target) SELECT id, 2, 'redis_key', 'delete', 'sessions', 'mine:$serial:' || n "
		. "FROM d, generate_series(1, 8) AS n UNION ALL SELECT id, 3, 'file', 'delete', 'images', 'mine/$serial.' || n FROM d, generate_series(1, 8) AS n");
	# An account and a webhook of another deletion, so that keys and files do not wait for them.
	my $person = $t->deletion;
	$fake->add_user('central', "mine-$serial");
	$t->task($person, 'identity', 'keycloak', "central/mine-$serial", phase => 1, operation => 'disable');
	$t->task($person, 'identity', 'keycloak', "central/mine-$serial", phase => 4);
	$t->task($person, 'webhook', 'hook', "mine-$serial", operation => 'post');
	$t->sql('NOTIFY vedfolnir_cleanup');
	return;
}
my $all_complete = q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete');

for my $fault (qw(delay dribble cut reset half-open refuse))
{
	for my $peer ([ 'Redis', $redis_mode ], [ 'the database', $pg_mode ], [ 'Keycloak and the webhook', $http_mode ])
	{
		my ($name, $file) = @$peer;
		queue_work();
		mode($file, $fault);
		queue_work();
		sleep 1.2;
		# What the proxy held back in its half-open state must not stay open for ever.
		mode($file, 'cut') if $fault eq 'half-open';
		sleep 0.3 if $fault eq 'half-open';
		mode($file, 'good');
		my $took = $t->wait_for_sql($all_complete, "$fault between the listener and $name: drained afterwards", 40);
		cmp_ok($took, '<', 30, 'within 30 seconds') if defined $took;
	}
}
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'every task is settled');
is($t->redis_cli('EVAL', q(return #redis.call('KEYS', 'mine:*')), 0) . join('', glob($t->root . '/mine/*')), '0', 'every key and file is gone');
is($fake->users . ' ' . join('', map { $fake->has_user('central', "other-$_") } 1 .. 3), '3 111', 'every account is gone but those of others');
is($t->redis_cli('DBSIZE'), 10, 'the keys of others are there');
is(scalar(my @left = glob($t->root . '/other/*')), 10, 'and their files');
$t->wait_until(sub { $fds->() < 25 }, 'no descriptor leaks') or diag($fds->());
is($t->stop($daemon), 0, 'the listener ends');
kill 'KILL', @proxies;
$fake->stop;
done_testing();

# A batch is claimed while another one is at work. If that one takes long, the batch that waited is asked about again before it
# is done; if the service fails or the listener is stopped, it is given back at once (R54, R56, R58, R71).
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use ListenerTest;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $t = ListenerTest->new;
$t->add_rule('redis_key', 'sessions', 'session');

# Forwards to Redis, but holds a command that names "slow" until it is told to go on or to cut the connection.
my $told = "$t->{dir}/told";
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 20, ReuseAddr => 1) or die;
my $proxy = fork() // die;
if (!$proxy)
{
	$SIG{PIPE} = 'IGNORE';
	eval { forward(); 1 } or print STDERR "# proxy: $@";
	POSIX::_exit(1);
}
$ListenerTest::started{$proxy} = 1;
sub what { return -e $told ? slurp_file($told) : ''; }
sub forward
{
	my $select = IO::Select->new($server);
	my %other;
	while (1)
	{
		for my $ready ($select->can_read)
		{
			if ($ready == $server)
			{
				my $client = $server->accept or next;
				my $upstream = what() eq 'cut' ? undef : IO::Socket::UNIX->new(Peer => $t->{redis_socket});
				if (!$upstream) { close $client; next; }
				$select->add($client, $upstream);
				@other{ $client, $upstream } = ($upstream, $client);
				next;
			}
			next unless $other{$ready};
			my $count = sysread($ready, my $data, 65536);
			if ($count && $data =~ /UNLINK.*slow/s) { sleep 0.01 while what() eq ''; }
			if (!$count || what() eq 'cut')
			{
				for my $one ($ready, $other{$ready}) { $select->remove($one); close $one; }
				next;
			}
			syswrite($other{$ready}, $data);
		}
	}
	return;
}
sub order_proxy { my ($word) = @_; append_to_file("$told.new", $word); rename "$told.new", $told; return; }

# Three tasks in batches of one: the first is quick, so that the third is claimed while the second hangs.
my ($daemon, $slow, $late);
sub begin
{
	unlink $told;
	$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion; DELETE FROM public.images');
	$t->redis_cli('MSET', map { ($_, 'x') } 'quick', 'slow', 'late');
	my @tasks = map { $t->task($t->deletion, 'redis_key', 'sessions', $_) } 'quick', 'slow', 'late';
	($slow, $late) = @tasks[1, 2];
	$t->configure("[service sessions]\ntype = redis\nport = @{[ $server->sockport ]}\ntimeout = 60s\nallow = public.images:redis_key\n",
		"batch = 1\nlease = 10min\npoll = 100ms\nstop_timeout = 30s\nlog_level = info");
	$daemon = $t->start;
	$t->wait_for_sql("SELECT count(*) = 2 FROM vedfolnir.cleanup_task WHERE id IN ($slow, $late) AND state = 'running'", 'a batch is claimed while another one hangs', 30);
	is($t->redis_cli('EXISTS', 'quick', 'slow', 'late'), 2, 'the one before is done');
	sleep 0.5; # what rows name was asked when it was claimed
	return;
}
my $drained = q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete');

# A row comes that names its target.
begin();
$t->sql(q(INSERT INTO public.images (id, session) VALUES (1, 'late')));
order_proxy('go');
$t->wait_for_sql($drained, 'both are settled', 30);
is($t->state($slow) . ' ' . $t->state($late), 'done skipped', 'what had to wait is asked about again');
is($t->redis_cli('EXISTS', 'late'), 1, 'and the key that a row names by now is there');
is($t->stop($daemon), 0, 'the listener ends');

# The service fails: the lease of ten minutes is not waited for. It may be claimed again and fail before we look.
begin();
order_proxy('cut');
$t->wait_for_sql("SELECT state <> 'running' AND lease_until IS NULL FROM vedfolnir.cleanup_task WHERE id = $late", 'a batch is given back when the service fails', 30);
is($t->state($slow), 'retryable', 'the one that failed is tried again');
order_proxy('go');
$t->wait_for_sql($drained, 'both are done when it is back', 30);
is($t->redis_cli('EXISTS', 'slow', 'late'), 0, 'the keys are gone');
is($t->stop($daemon), 0, 'the listener ends');

# The listener is stopped.
begin();
kill 'TERM', $daemon->{pid};
sleep 0.3;
order_proxy('go');
is($t->stop($daemon), 0, 'the listener ends');
is($t->state($slow), 'done', 'what it had begun is done');
is($t->sql("SELECT state || ' ' || attempts FROM vedfolnir.cleanup_task WHERE id = $late"), 'available 0', 'what it had not begun is given back');
is($t->redis_cli('EXISTS', 'late'), 1, 'and its key is there');
delete $ListenerTest::started{$proxy};
kill 'KILL', $proxy;
waitpid $proxy, 0;
done_testing();

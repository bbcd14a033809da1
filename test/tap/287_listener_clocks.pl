# Clocks that are wrong: the server's is set back or forward, that of the listener's machine is hours away (R54, R59).
use strict;
use warnings;
use IO::Socket::INET;
use ListenerTest;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local qw(timegm);
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('file', 'images', 'path');
my $services = $t->file_service('images');

# A server's clock that is set back leaves all times in the queue as much ahead of it.
sub shift_times
{
	my ($interval) = @_;
	return $t->sql("UPDATE vedfolnir.cleanup_task SET run_after = run_after + '$interval'::interval, created_at = created_at + '$interval'::interval, "
		. "lease_until = lease_until + '$interval'::interval WHERE open; "
		. "UPDATE vedfolnir.worker SET seen_at = seen_at + '$interval'::interval, started_at = started_at + '$interval'::interval");
}
sub clear { return $t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion; DELETE FROM vedfolnir.worker'); }

# What was due waits, says why in a view, and is due as soon as a person says so; a listener that sleeps wakes up.
$t->configure($services, "poll = 10min");
$t->write_file($_) for 'a', 'b', 'c';
my $id = $t->task($t->deletion, 'file', 'images', 'a');
shift_times('1 h');
is(($t->run('--once'))[0], 3, 'a task of the future waits');
like($t->sql("SELECT waits_for FROM vedfolnir.waiting_tasks"), qr/^the time when it was queued, [-0-9]+ [:0-9]+ \S+: the clock was set back$/, 'a view says what for');
is($t->sql("SELECT oldest_age < '-50 min' FROM vedfolnir.queue_status"), 't', 'and that it is younger than now');
$t->sql('DELETE FROM vedfolnir.worker');
my $daemon = $t->start;
$t->wait_for_sql('SELECT count(*) = 1 FROM vedfolnir.worker_status', 'a listener sleeps');
sleep 0.5;
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 1, 'a person makes it due');
$t->wait_for_sql("SELECT state = 'done' FROM vedfolnir.cleanup_task WHERE id = $id", 'the listener wakes up and does it', 10);
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 0, 'what is done stays done');
is($t->stop($daemon), 0, 'the listener ends');
clear();
$id = $t->task($t->deletion, 'file', 'images', 'b');
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 0, 'what is due already is left alone');
$t->sql("SELECT vedfolnir_fail_task(id, fence, 'no') FROM vedfolnir_claim_tasks('w', 1, '1 min')");
shift_times('1 h');
like($t->sql('SELECT waits_for FROM vedfolnir.waiting_tasks'), qr/^its next try at /, 'a task that failed waits for its next try');
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 1, 'which a person may have now');

# A lease of a worker that is gone would hold for an hour more: a view shows how long, and a person frees it.
$t->sql("SELECT vedfolnir_claim_tasks('gone', 1, '1 min'); SELECT vedfolnir_worker_heartbeat('gone', '1.0', now(), 0, 0, 0)");
is($t->sql("SELECT leased || ' ' || (lease_left BETWEEN '50 s' AND '1 min') FROM vedfolnir.worker_status"), '1 true', 'a lease and what is left of it');
shift_times('1 h');
is($t->sql("SELECT leased || ' ' || (lease_left > '1 h') || ' ' || (silent_for < '-59 min') FROM vedfolnir.worker_status"), '1 true true', 'an hour more when the clock was set back');
is(($t->run('--once'))[0], 3, 'nobody else gets its task');
is($t->sql("SELECT vedfolnir_unlock_worker('gone')"), 1, 'a person frees it');
is(($t->run('--once'))[0], 0, 'then it is done');
ok(!-e $t->root . '/b', 'really');
clear();

# A server of HTTP that answers slowly, and at first asks to come back later, by a date of its own clock.
sub http_date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime($_[0])); }
sub hook
{
	my ($delay, $later) = @_;
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 10, ReuseAddr => 1) or die;
	my $pid = fork() // die;
	if (!$pid)
	{
		my $asked = 0;
		while (my $client = $listen->accept)
		{
			my ($length) = (0);
			while (my $line = <$client>) { $length = $1 if $line =~ /^content-length: (\d+)/i; last if $line eq "\r\n"; }
			read($client, my $body, $length);
			sleep $delay;
			my $now = int time;
			my $head = $later && !$asked++ ? "429 Later\r\nDate: " . http_date($now) . "\r\nRetry-After: " . http_date($now + $later) : '204 Done';
			print $client "HTTP/1.1 $head\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
			close $client;
		}
		POSIX::_exit(0);
	}
	$ListenerTest::started{$pid} = 1;
	my $section = "[service hook]\ntype = webhook\nurl = http://127.0.0.1:" . $listen->sockport . "/\nsecret = s\nallow = public.images:webhook\n";
	return ($section, sub { delete $ListenerTest::started{$pid}; kill 'KILL', $pid; waitpid $pid, 0; });
}

# In the middle of a batch: a worker that lives goes on, whichever way the clock goes.
for my $shift ('1 h', '-1 h')
{
	my ($section, $end) = hook(0.2);
	$t->configure($section, "poll = 100ms\nlease = 3s");
	my $deletion = $t->deletion;
	$t->task($deletion, 'webhook', 'hook', "x$_") for 1 .. 20;
	$daemon = $t->start;
	$t->wait_for_sql(q(SELECT count(*) = 20 FROM vedfolnir.cleanup_task WHERE state = 'running'), 'a batch is being done');
	shift_times($shift);
	$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", "the clock jumps by $shift: all is done", 60);
	is($t->sql("SELECT string_agg(DISTINCT state || attempts, ' ') FROM vedfolnir.cleanup_task"), 'done1', 'each once');
	is($t->stop($daemon), 0, 'the listener ends');
	$end->();
	clear();
}

# The clock is set forward right behind a claim: the lease has ended before anybody asked what rows name. No answer is not "none".
$t->configure($services, "backoff_base = 50ms\nbackoff_cap = 100ms");
$t->sql(q(INSERT INTO public.images (id, path) VALUES (1, 'c')));
$t->sql(q(CREATE FUNCTION public.forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.lease_until := NEW.lease_until - interval '1 h'; RETURN NEW; END $$;
	CREATE TRIGGER forward BEFORE UPDATE ON vedfolnir.cleanup_task FOR EACH ROW WHEN (NEW.state = 'running' AND NEW.attempts = 1) EXECUTE FUNCTION public.forward()));
$id = $t->task($t->deletion, 'file', 'images', 'c');
$t->run('--once');
ok(-e $t->root . '/c', 'a file that a row names stays');
is($t->state($id) . ': ' . $t->error($id), 'retryable: could not ask what is still in use: 55000', 'the attempt failed');
sleep 0.2;
is(($t->run('--once'))[0], 0, 'the next one');
is($t->state($id) . ' ' . (-e $t->root . '/c' ? 1 : 0), 'skipped 1', 'asks in time');
$t->sql('DROP FUNCTION public.forward CASCADE; DELETE FROM public.images');
clear();

# The listener's machine is hours ahead of the server, or behind it: only the times of its log say so.
my $clock = "$t->{dir}/clock.so";
system('cc', '-shared', '-fPIC', '-O1', '-o', $clock, "$ENV{VEDFOLNIR_ROOT}/test/support/clock/shifted_clock.c", '-ldl') == 0 or die;
for my $hours (5, -5)
{
	my ($section, $end) = hook(0, 3);
	$t->configure("$section$services", "poll = 200ms\nheartbeat = 200ms\nlease = 2s\nbackoff_base = 50ms");
	my $deletion = $t->deletion;
	$t->write_file("d$_") for 1 .. 20;
	$t->task($deletion, 'file', 'images', "d$_") for 1 .. 20;
	my $hook = $t->task($deletion, 'webhook', 'hook', 'x');
	{
		local %ENV = (%ENV, LD_PRELOAD => $clock, SHIFTED_CLOCK => $hours * 3600);
		$daemon = $t->start;
	}
	my $start = time;
	$t->wait_for_sql("SELECT state = 'retryable' FROM vedfolnir.cleanup_task WHERE id = $hook", "$hours hours away: files are removed, the service asks to come back", 20);
	is($t->sql("SELECT run_after - clock_timestamp() BETWEEN '1 s' AND '3 s' FROM vedfolnir.cleanup_task WHERE id = $hook"), 't', 'at its own time');
	$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", 'then all is done', 20);
	my $took = time - $start;
	cmp_ok($took, '<', 12, 'in seconds');
	$t->wait_for_sql("SELECT done = 21 FROM vedfolnir.worker_status", 'the heartbeat counts it');
	is($t->sql("SELECT (started_at BETWEEN clock_timestamp() - '1 min'::interval AND clock_timestamp()) || ' ' || (silent_for < '5 s') || ' ' || "
		. "(tasks_per_second BETWEEN 21 / 60.0 AND 21) FROM vedfolnir.worker_status"), 'true true true', 'since when it works is told by the clock of the server');
	my ($y, $m, $d, $h, $min, $sec) = $t->log($daemon) =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z .*started$/m;
	cmp_ok(abs(timegm($sec, $min, $h, $d, $m - 1, $y) - $start - $hours * 3600), '<', 60, 'its own clock is elsewhere');
	is($t->stop($daemon), 0, 'the listener ends');
	$end->();
	clear();
}
done_testing();

# A failover to a standby that lagged: a claim is lost with its transaction, and so may the task itself be. Who holds the lost
# claim goes on to work, and can settle neither that task nor another one that was given its id (R54, R59, R85).
use strict;
use warnings;
use IO::Socket::INET;
use ListenerTest;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0, init => [ allows_streaming => 1 ]);
my $primary = $t->node;
$t->add_rule('webhook', 'hook', 'session');
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

# A receiver of webhooks that notes what it got, and answers when it is let go.
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50, ReuseAddr => 1) or die;
my $record = "$t->{dir}/record";
append_to_file($record, '');
append_to_file("$t->{dir}/hold", '');
my $hook = fork() // die;
if (!$hook)
{
	local $SIG{CHLD} = 'IGNORE';
	while (1)
	{
		my $client = $listen->accept or next;
		next if fork();
		my $length = 0;
		while (my $line = <$client>) { $length = $1 if $line =~ /^content-length: (\d+)/i; last if $line eq "\r\n"; }
		read($client, my $body, $length);
		my ($target) = $body =~ /"target":"([^"]*)"/;
		append_to_file($record, "asked $target\n");
		while (-e "$t->{dir}/hold" && $target =~ /^lost/) { sleep 0.02; }
		append_to_file($record, "got $target\n");
		print $client "HTTP/1.1 204 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
		POSIX::_exit(0);
	}
}
$ListenerTest::started{$hook} = 1;
my $section = "[service hook]\ntype = webhook\nurl = http://127.0.0.1:" . $listen->sockport . "/\nsecret = s\nallow = public.images:webhook\n";

sub queue
{
	my ($node, $name, $count) = @_;
	my $id = $node->safe_psql('postgres', "INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id");
	$node->safe_psql('postgres', "INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
		. "SELECT '$id', 5, 'webhook', 'post', 'hook', '$name' || i FROM generate_series(1, $count) AS i");
	return $id;
}
sub of { my ($node, $sql) = @_; return $node->safe_psql('postgres', $sql); }

# What the standby has got, and what happens after it: 100 tasks, so that also what a sequence logs ahead is used up.
my $kept = queue($primary, 'kept', 1);
$primary->wait_for_catchup($standby);
$standby->append_conf('postgresql.conf', "primary_conninfo = ''");
$standby->reload;
$primary->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_replication') or die;
my $lost = queue($primary, 'lost', 100);
my ($task, $fence) = split /\|/, of($primary, "SELECT id, fence FROM vedfolnir_claim_tasks('old', 1, '1 h')");
is(of($primary, "SELECT deletion_id = '$kept' FROM vedfolnir.cleanup_task WHERE id = $task"), 't', 'the task that both know is claimed on the primary');

# A listener is in the middle of what only the primary knows.
my $both = 'host=' . join(',', $primary->host, $standby->host) . ' port=' . join(',', $primary->port, $standby->port) . ' dbname=postgres user=worker';
$t->configure($section, "poll = 200ms\nbatch = 100\nlease = 1h\nbackoff_base = 100ms\nbackoff_cap = 200ms", $both);
my $old = $t->start;
$t->wait_until(sub { slurp_file($record) =~ /asked lost1$/m }, 'a listener is at work');
my %fence = map { split /\|/ } split /\n/, of($primary, "SELECT id, fence FROM vedfolnir.cleanup_task WHERE deletion_id = '$lost' AND state = 'running'");
is(scalar(keys %fence), 100, 'on a batch');
$primary->stop('immediate');
$standby->promote;

# The new primary gives out the task once more, under another fence: the lost claim settles nothing.
is(of($standby, "SELECT state || attempts || fence FROM vedfolnir.cleanup_task WHERE id = $task"), 'available00', 'the claim is lost');
my ($again, $other) = split /\|/, of($standby, "SELECT id, fence FROM vedfolnir_claim_tasks('new', 1, '1 h')");
is($again, $task, 'the task is given out again');
isnt($other, $fence, 'with a fence of its own');
is(of($standby, "SELECT vedfolnir_finish_tasks(ARRAY[$task], ARRAY[$fence], ARRAY['done'])"), 0, 'who holds the lost claim settles nothing');
is(of($standby, "SELECT vedfolnir_fail_task($task, $fence, 'x', true)"), 'f', 'nor fails it');
is(of($standby, "SELECT vedfolnir_extend_lease(ARRAY[$task], ARRAY[$fence], '1 h')"), 0, 'nor keeps it');
is(of($standby, "SELECT vedfolnir_finish_tasks(ARRAY[$task], ARRAY[$other], ARRAY['done'])"), 1, 'who holds the new one settles it');

# Other tasks get the ids of those that are lost. They are claimed, and the old listener is still at work.
my $new = queue($standby, 'new', 100);
my $same = of($standby, "SELECT count(*) FROM vedfolnir.cleanup_task WHERE deletion_id = '$new' AND id IN (" . join(',', keys %fence) . ')');
cmp_ok($same, '>', 30, "$same ids are given out again");
my %new = map { split /\|/ } split /\n/, of($standby, "SELECT id, fence FROM vedfolnir_claim_tasks('new', 100, '2 s')");
is(scalar(grep { exists $fence{$_} && $fence{$_} == $new{$_} } keys %new), 0, 'none with the fence of a task that is lost');
unlink "$t->{dir}/hold";
$t->wait_until(sub { slurp_file($record) =~ /got lost1$/m }, 'the old listener has done its task');
$t->wait_until(sub { (() = slurp_file($record) =~ /^got lost/mg) == 100 || $t->log($old) =~ /database is back/ }, 'and settles, or gives the batch up');
sleep 0.5;
is(of($standby, "SELECT count(*) FROM vedfolnir.cleanup_task WHERE deletion_id = '$new' AND state IN ('done', 'skipped') AND worker = 'new'"), 0,
	'no task is done that nobody has done');
$t->wait_until(sub { of($standby, "SELECT state FROM vedfolnir.deletion WHERE id = '$new'") eq 'complete' }, 'when the leases end, all is done', 60);
my %got = map { $_ => 1 } slurp_file($record) =~ /^got (\S+)$/mg;
is(scalar(grep { !$got{"new$_"} } 1 .. 100), 0, 'each of them really');
is($t->stop($old), 0, 'the listener ends');
done_testing();

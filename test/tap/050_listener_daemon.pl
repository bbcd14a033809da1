# The daemon's manners: outages of the database, signals, several at once, and what it refuses (R53, R58 to R60, R69, R86).
use strict;
use warnings;
use IO::Socket::UNIX;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('file', 'images', 'path');
$t->configure($t->file_service('images'), "poll = 1s\nheartbeat = 500ms");

# Queues n files and gives the deletion.
my $serial = 0;
sub queue_files
{
	my ($n, $notify) = @_;
	my $deletion = $t->deletion;
	$serial++;
	$t->write_file("batch$serial/$_") for 1 .. $n;
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
		. "SELECT '$deletion', 3, 'file', 'delete', 'images', 'batch$serial/' || n FROM generate_series(1, $n) AS n");
	$t->sql('NOTIFY vedfolnir_cleanup') if $notify;
	return $deletion;
}
sub is_complete { my ($deletion) = @_; return "SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'"; }
sub fds { my ($daemon) = @_; return scalar(() = glob("/proc/$daemon->{pid}/fd/*")); }

# What it refuses at the start.
my ($out, $err) = ('', '');
IPC::Run::run([ 'unshare', '-U', '-r', $t->{listener}, '--config', $t->{config}, '--once' ], '>', \$out, '2>', \$err);
is($? >> 8, 2, 'it refuses to run as root');
like($err, qr/refusing to run as root/, 'and says so');
IPC::Run::run([ 'unshare', '-U', '-r', $t->{listener}, '--config', $t->{config}, '--once', '--allow-root' ], '>', \$out, '2>', \$err);
is($? >> 8, 0, 'unless it is told to');
my ($code);
($code, $out, $err) = do { local $t->{config} = '/nonexistent.ini'; $t->run('--once') };
is($code, 2, 'a missing configuration file gives 2');
like($err, qr/could not read configuration file "\/nonexistent\.ini": No such file/, 'and is named');
$t->configure('[service x]');
($code, undef, $err) = $t->run('--once');
is($code, 2, 'so does a wrong one');
$t->configure($t->file_service('images'), '', $t->conninfo =~ s/port=\d+/port=1/r);
($code, undef, $err) = $t->run('--once');
is($code, 2, '--once without a server gives 2');
like($err, qr/could not connect/, 'with the reason');
($code, $out) = $t->run('--check');
is($code, 2, '--check as well');
like($out, qr/^database   FAIL could not connect: /m, 'with the reason');
$node->safe_psql('postgres', 'CREATE DATABASE empty');
$t->configure($t->file_service('images'), '', $t->conninfo =~ s/dbname=\w+/dbname=empty/r);
($code, undef, $err) = $t->run('--once');
is($code, 2, 'a database without the extension gives 2');
like($err, qr/extension "vedfolnir" is not installed in this database/, 'and is told apart');
$t->configure($t->file_service('images'), '', $t->conninfo =~ s/user=\w+/user=nobody/r);
$t->sql('CREATE ROLE nobody LOGIN');
($code, $out) = $t->run('--check');
is($code, 2, 'a role without the duty gives 2');
like($out, qr/^database   FAIL .*permission denied/m, 'with the reason');

# Version handshake.
$t->configure($t->file_service('images'), "poll = 1s\nheartbeat = 500ms");
my $definition = $t->sql('SELECT pg_get_functiondef(\'vedfolnir_schema_version()\'::regprocedure)');
$t->sql($definition =~ s/'1\.0'/'9.9'/r);
($code, undef, $err) = $t->run('--once');
is($code, 2, 'a schema version that is not known is refused');
like($err, qr/schema version 9\.9 of the extension is not known to this listener/, 'by name');
my $refused = $t->start;
$t->wait_until(sub { !$refused->{run}->pumpable || $t->log($refused) =~ /stopped/ }, 'the daemon refuses it, too');
$refused->{run}->finish;
is($refused->{run}->full_result(0) >> 8, 2, 'and ends with 2');
ListenerTest::note_end($refused->{run});
$t->sql($definition);

# It starts before the server is up, and works when it is.
my $deletion = queue_files(3);
$node->stop;
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /error database: could not connect/ }, 'it starts without a server and says so');
$node->start;
$t->wait_for_sql(is_complete($deletion), 'and works when the server is there', 20);

# Restarts and lost connections; nothing leaks, nothing spins, nothing is said twice a second.
my $before = fds($daemon);
for my $round (1 .. 3)
{
	$node->restart($round == 2 ? 'immediate' : 'fast');
	$deletion = queue_files(3, 1);
	$t->wait_for_sql(is_complete($deletion), "round $round: works after a restart", 20);
}
$t->sql(q(SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'worker'));
$deletion = queue_files(3, 1);
$t->wait_for_sql(is_complete($deletion), 'works after its backends were terminated', 20);
$t->wait_until(sub { fds($daemon) == $before }, 'with as many descriptors as before');
is($t->sql(q(SELECT count(*) FROM pg_stat_activity WHERE usename = 'worker' AND state <> 'idle' AND pid <> pg_backend_pid())), 0,
	'and no open transaction');
cmp_ok(scalar(() = $t->log($daemon) =~ /^/mg), '<', 100, 'the log is short');

# DROP and CREATE EXTENSION under it.
$t->sql('DROP EXTENSION vedfolnir CASCADE');
$t->wait_until(sub { $t->log($daemon) =~ /extension "vedfolnir" is not installed/ }, 'a dropped extension gives a clear line');
$t->sql(q(CREATE SCHEMA other; CREATE EXTENSION vedfolnir SCHEMA other; SELECT other.vedfolnir_grant('worker', 'worker');
	INSERT INTO vedfolnir.subject VALUES ('user', 'public.images', 'public', 'images', 'id', NULL, 'delete')));
$t->sql(q(GRANT USAGE ON SCHEMA other TO worker));
$t->add_rule('file', 'images', 'path');
$deletion = queue_files(3, 1);
$t->wait_for_sql(is_complete($deletion), 'it goes on with the new one, in another schema', 20);

# Reload: a mistake changes nothing, a correct file does.
$t->configure($t->file_service('images'), 'batch = none');
$daemon->{run}->signal('HUP');
$t->wait_until(sub { $t->log($daemon) =~ /the old configuration stays in use: .*batch must be a number/ }, 'SIGHUP: a mistake is reported');
$deletion = queue_files(3, 1);
$t->wait_for_sql(is_complete($deletion), 'and the old configuration works', 20);
$t->configure($t->file_service('images') =~ s{/root}{/root2}r, "poll = 1s\nlog_format = json");
mkdir "$t->{dir}/root2";
$daemon->{run}->signal('HUP');
$t->wait_until(sub { $t->log($daemon) =~ /configuration reloaded/ }, 'SIGHUP: the new configuration is read');
append_to_file("$t->{dir}/root2/here", 'x');
$deletion = $t->deletion;
$t->task($deletion, 'file', 'images', 'here');
$t->sql('NOTIFY vedfolnir_cleanup');
$t->wait_for_sql(is_complete($deletion), 'and used', 20);
ok(!-e "$t->{dir}/root2/here", 'with its root');
like($t->log($daemon), qr/^\{"time":"[^"]+","level":"info","deletion":"[0-9a-f]{8}","task":"\d+","service":"images","done":"1"/m, 'and its form of log');
is($t->stop($daemon), 0, 'SIGTERM ends it with 0');

# Every notification lost: polling does all the work.
$t->configure($t->file_service('images'), "poll = 500ms\nheartbeat = 500ms");
$daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected');
for (1 .. 3)
{
	$deletion = queue_files(2);
	$t->wait_for_sql(is_complete($deletion), 'done without a notification', 10);
}

# A service that hangs does not hold the others, nor SIGTERM.
my $deaf = IO::Socket::UNIX->new(Local => "$t->{dir}/deaf.sock", Listen => 5) or die;
$t->configure($t->file_service('images')
	  . "[service slow]\ntype = redis\nsocket = $t->{dir}/deaf.sock\ntimeout = 30s\nallow = public.images:redis_key\n",
	"poll = 500ms\nlease = 100s\nstop_timeout = 3s");
$daemon->{run}->signal('HUP');
$t->wait_until(sub { $t->log($daemon) =~ /configuration reloaded/ }, 'a hanging service is added');
$t->task($t->deletion, 'redis_key', 'slow', 'k');
$t->wait_for_sql(q(SELECT count(*) = 1 FROM vedfolnir.cleanup_task WHERE service = 'slow' AND state = 'running'), 'it hangs');
$deletion = queue_files(5, 1);
my $took = $t->wait_for_sql(is_complete($deletion), 'the other service works', 5);
my $start = time;
is($t->stop($daemon), 0, 'SIGTERM ends it with 0 although a service hangs');
cmp_ok(time - $start, '<', 5, 'within 5 seconds');
like($t->log($daemon), qr/stopped in the middle of a batch; its lease ends by itself/, 'and says what it left');
$t->sql(q(DELETE FROM vedfolnir.cleanup_task WHERE service = 'slow'));

# Two at once share the work; killed at any moment, nothing is lost.
$t->configure($t->file_service('images'), "poll = 200ms\nbatch = 7\nlease = 2s\nheartbeat = 500ms");
my @pair = map { $t->start } 1 .. 2;
$deletion = queue_files(400, 1);
$t->wait_until(sub { $t->sql(q(SELECT count(*) > 20 FROM vedfolnir.cleanup_task WHERE state = 'done')) eq 't' }, 'two listeners work');
is($t->stop($pair[0], 'KILL'), 'signal 9', 'one is killed');
$t->wait_for_sql(is_complete($deletion), 'the other does the rest', 30);
is(join(' ', glob($t->root . "/batch$serial/*")), '', 'every file is gone');
cmp_ok($t->sql('SELECT count(*) FROM vedfolnir.worker_status'), '>=', 2, 'both have been seen');
is($t->stop($pair[1]), 0, 'the other ends');

done_testing();

# The first way through: a file and a Redis key, by --once and by the daemon (R52 to R55, R58, R61).
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $t = ListenerTest->new;
$t->add_rule('file', 'images', 'path');
$t->add_rule('redis_key', 'sessions', 'session');
$t->configure($t->file_service('images') . $t->redis_service('sessions'));

my ($code, $out, $err) = $t->run('--version');
like($out, qr/^vedfolnir-listener 1\.0$/, '--version prints the version');
($code, $out) = $t->run('--help');
is($code, 0, '--help succeeds');
like($out, qr/--once.*--check/s, '--help lists the modes');
($code) = $t->run('--no-such-option');
is($code, 2, 'an option that does not exist is an error');

($code, $out, $err) = $t->run('--check');
is($code, 0, '--check succeeds') or diag("$out$err");
like($out, qr/^database   ok   postgres at \S+, schema version 1\.0, role worker$/m, '--check names the database');
like($out, qr{^files      ok   images -> \S+/root \(0 tasks waiting\)$}m, '--check names the root');
like($out, qr/^redis      ok   sessions -> \S+ \(0 tasks waiting\)$/m, '--check names the server');

($code) = $t->run('--once');
is($code, 0, '--once with an empty queue gives 0');

$t->write_file('a/one.jpg');
$t->write_file('a/other.jpg');
$t->redis_cli('SET', 'session:1', 'x');
$t->redis_cli('SET', 'session:12', 'x');
my $deletion = $t->deletion;
my $key = $t->task($deletion, 'redis_key', 'sessions', 'session:1');
my $file = $t->task($deletion, 'file', 'images', 'a//one.jpg');
my $gone = $t->task($deletion, 'file', 'images', 'a/none.jpg');
($code, $out, $err) = $t->run('--once');
is($code, 0, '--once drains all phases and gives 0') or diag($err);
ok(!-e $t->root . '/a/one.jpg', 'the file is gone');
ok(-e $t->root . '/a/other.jpg', 'the other file is there');
is($t->redis_cli('EXISTS', 'session:1'), 0, 'the key is gone');
is($t->redis_cli('EXISTS', 'session:12'), 1, 'the key of which it is a prefix is there');
is($t->state($file), 'done', 'the task of the file is done');
is($t->state($gone), 'skipped', 'what was gone before is skipped');
is($t->sql('SELECT count(*) FROM vedfolnir.cleanup_task WHERE target IS NOT NULL'), 0, 'targets are blanked');
is($t->deletion_state($deletion), 'complete', 'the deletion is complete');
unlike($err, qr/one\.jpg|session:1/, 'the log holds neither path nor key');
like($err, qr/info  deletion=[0-9a-f]{8} task=\d+\.\.\d+ service=images done=1 skipped=1 in=\d+ms$/m, 'one line per batch');

# The daemon: asleep for ten minutes if it were not for the notification.
$t->configure($t->file_service('images') . $t->redis_service('sessions'), 'poll = 10min');
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'the daemon connects');
$t->wait_for_sql("SELECT count(*) = 1 FROM vedfolnir.worker_status WHERE silent_for < '10 s' AND version = '1.0'",
	'worker_status shows it');
$t->redis_cli('SET', 'session:2', 'x');
$t->write_file('a/two.jpg');
$deletion = $t->deletion;
my $took = do {
	my ($d, $s, $i) = ($deletion, 'INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) VALUES ', time);
	$t->sql("BEGIN; $s ('$d', 2, 'redis_key', 'delete', 'sessions', 'session:2'), ('$d', 3, 'file', 'delete', 'images', 'a/two.jpg'); "
		. 'NOTIFY vedfolnir_cleanup; COMMIT');
	$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", 'woken by NOTIFY, phase after phase', 5);
};
cmp_ok($took, '<', 3, 'within seconds') if defined $took;
ok(!-e $t->root . '/a/two.jpg', 'the file is gone');
my $start = time;
is($t->stop($daemon), 0, 'SIGTERM: exit code 0');
cmp_ok(time - $start, '<', 5, 'within 5 seconds');
like($t->log($daemon), qr/ stopped$/m, 'and says so');

done_testing();

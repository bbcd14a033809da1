# Redis as Debian ships it: exact keys, patterns, and every way in which a server can say no (R71 to R73).
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $t = ListenerTest->new;
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('redis_pattern', 'sessions', 'folder');
$t->configure($t->redis_service('sessions'), 'max_attempts = 3');

# Runs one task of its own deletion and gives (state, message, exit code, log).
sub settle
{
	my ($kind, $target, %more) = @_;
	my $id = $t->task($t->deletion, $kind, 'sessions', $target, %more);
	my ($code, $out, $err) = $t->run('--once');
	my @result = ($t->state($id), $t->error($id), $code, $err);
	$t->sql("DELETE FROM vedfolnir.cleanup_task");
	return @result;
}

# Keys of every type, and keys whose names have a meaning elsewhere.
$t->redis_cli('SET', 'k:string', 'x');
$t->redis_cli('HSET', 'k:hash', 'f', 'x');
$t->redis_cli('RPUSH', 'k:list', 'x');
$t->redis_cli('SADD', 'k:set', 'x');
$t->redis_cli('ZADD', 'k:zset', '1', 'x');
$t->redis_cli('XADD', 'k:stream', '*', 'f', 'x');
for my $type (qw(string hash list set zset stream))
{
	is((settle('redis_key', "k:$type"))[0], 'done', "a key of type $type is done");
}
is($t->redis_cli('DBSIZE'), 0, 'all of them are gone');
is((settle('redis_key', 'k:none'))[0], 'skipped', 'a key that is gone is skipped');
for my $key ('a b', 'quo"te', "quo'te", 'back\\slash', '*', 'k:[1]', "line\nbreak", "\xC3\xBC")
{
	$t->redis_cli('SET', $key, 'x');
	$t->redis_cli('SET', "${key}2", 'x');
	$t->redis_cli('SET', 'bystander', 'x');
	is((settle('redis_key', $key))[0], 'done', 'an odd key is done');
	is($t->redis_cli('EXISTS', $key, "${key}2", 'bystander'), 2, 'and only it is gone');
	$t->redis_cli('FLUSHALL');
}

# Patterns: many keys, and a user whose id begins with another's.
sub make_cache { $t->redis_cli('EVAL', "for i = 1, 3000 do redis.call('SET', 'cache:1:' .. i, 'x') end", 0); return; }
# How often the server was asked for a command.
sub calls { my ($command) = @_; return $t->redis_cli('INFO', 'commandstats') =~ /^cmdstat_$command:calls=(\d+)/m ? $1 : 0; }
make_cache();
$t->redis_cli('SET', 'cache:12:1', 'x');
$t->redis_cli('SET', 'cache:1', 'x');
$t->redis_cli('CONFIG', 'RESETSTAT');
is((settle('redis_pattern', 'cache:1:*'))[0], 'done', 'a pattern is done');
is(join(' ', sort split /\n/, $t->redis_cli('KEYS', '*')), 'cache:1 cache:12:1', 'exactly its keys are gone');
cmp_ok(calls('unlink'), '<=', 8, 'the keys of a page go in one command');
cmp_ok(calls('unlink'), '>=', 2, 'and each page in its own');
is((settle('redis_pattern', 'cache:1:*'))[0], 'skipped', 'a pattern without keys is skipped');
$t->redis_cli('SET', 'c:*:1', 'x');
$t->redis_cli('SET', 'c:x:1', 'x');
is((settle('redis_pattern', 'c:\\*:*'))[0], 'done', 'an escaped pattern is done');
is($t->redis_cli('EXISTS', 'c:*:1') . $t->redis_cli('EXISTS', 'c:x:1'), '01', 'and fits itself only');
my ($state, $message) = settle('redis_pattern', '*');
is("$state: $message", 'dead: pattern starts with a wildcard', 'a pattern that fits everybody is refused');
is((settle('redis_key', ''))[0], 'dead', 'an empty key is refused');

# Away, and back: tasks wait and the deletion is not stopped.
$t->redis_cli('SET', 'session:1', 'x');
my $deletion = $t->deletion;
my $id = $t->task($deletion, 'redis_key', 'sessions', 'session:1');
$t->stop_redis;
my ($code, $out, $err) = $t->run('--check');
is($code, 2, '--check fails without the server');
like($out, qr/^redis      FAIL sessions -> \S+: No such file or directory$/m, 'and says why');
($code, undef, $err) = $t->run('--once');
is($code, 3, '--once without the server: tasks remain');
is($t->state($id) . ' ' . $t->deletion_state($deletion), 'retryable pending', 'they wait');
like($err, qr/warn  deletion=\S+ task=\d+ service=sessions retry in \S+s: /, 'the log says when they are tried again');
for (1 .. 5)
{
	$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now()');
	$t->run('--once');
}
is($t->state($id), 'retryable', 'nothing dies of an outage, whatever max_attempts says');
is($t->sql("SELECT jsonb_array_length(errors) = attempts AND outages = attempts AND attempts >= 6 FROM vedfolnir.cleanup_task WHERE id = $id"),
	't', 'there is one error entry per attempt');
my $daemon = $t->start;
$t->wait_for_sql("SELECT attempts >= 7 FROM vedfolnir.cleanup_task WHERE id = $id", 'a daemon tries as well');
$t->wait_for_sql("SELECT run_after - (errors -> -1 ->> 'at')::timestamptz > '200 ms' FROM vedfolnir.cleanup_task WHERE id = $id AND state = 'retryable'",
	'and less and less often');
$t->wait_for_sql("UPDATE vedfolnir.cleanup_task SET run_after = now() + '1 h' WHERE id = $id AND state = 'retryable' RETURNING true", 'kept back until the key is there');
$t->start_redis;
$t->redis_cli('SET', 'session:1', 'x');
$t->sql("UPDATE vedfolnir.cleanup_task SET run_after = now() WHERE id = $id");
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", 'done after the server is back', 30);
is($t->redis_cli('EXISTS', 'session:1'), 0, 'the key is gone');

# The server is restarted under a daemon whose connection was idle.
$t->stop_redis('kill');
$t->start_redis;
$t->redis_cli('SET', 'session:2', 'x');
$deletion = $t->deletion;
$t->task($deletion, 'redis_key', 'sessions', 'session:2');
$t->sql('NOTIFY vedfolnir_cleanup');
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", 'a broken connection is replaced', 10);
is($t->sql("SELECT max(attempts) FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'"), 1, 'at the first attempt');
$t->stop($daemon);
$t->sql('DELETE FROM vedfolnir.cleanup_task');

# Refused: a wrong password is never worked around.
$t->redis_cli('SET', 'session:3', 'x');
$t->redis_cli('ACL', 'SETUSER', 'cleaner', 'on', '>right', '~session:*', '+unlink', '+del', '+scan', '+select', '+ping');
append_to_file("$t->{dir}/password", "wrong\n");
chmod 0600, "$t->{dir}/password";
$t->configure($t->redis_service('sessions', "user = cleaner\npassword_file = $t->{dir}/password\n"));
($state, $message, $code, $err) = settle('redis_key', 'session:3');
is("$state: $message", 'dead: WRONGPASS (the password in the configuration is refused)', 'a wrong password is fatal for the task');
is($t->redis_cli('EXISTS', 'session:3'), 1, 'there is no fall-back to a connection without password');
unlike($err, qr/wrong\b/, 'the password is not in the log');
($code, $out) = $t->run('--check');
is($code, 2, '--check fails');
like($out, qr/^redis      FAIL sessions -> \S+: WRONGPASS \(the password in the configuration is refused\)$/m, 'and says why');
unlink "$t->{dir}/password";
is((settle('redis_key', 'session:3'))[0], 'retryable', 'a password file that is missing is waited for');
append_to_file("$t->{dir}/password", "right\n");
($state, $message) = settle('redis_key', 'session:3');
is($state, 'retryable', 'a password file that others can read is not used');
chmod 0600, "$t->{dir}/password";
is((settle('redis_key', 'session:3'))[0], 'done', 'the right password lets it in');
($state, $message) = settle('redis_key', 'other:3');
is("$state: $message", 'dead: NOPERM (the user in the configuration may not do this)', 'a key that the user may not touch is dead');
$t->configure($t->redis_service('sessions', "password = without\n"));
is((settle('redis_key', 'session:4'))[0], 'dead', 'a password where the server has none is refused');
$t->configure($t->redis_service('sessions'));
$t->redis_cli('CONFIG', 'SET', 'requirepass', 'needed');
is((settle('redis_key', 'session:4'))[0], 'dead', 'no password where the server wants one is refused');
$t->redis_cli('-a', 'needed', 'CONFIG', 'SET', 'requirepass', '');

# Not now: a replica, and a server without memory.
$t->redis_cli('SET', 'session:5', 'x');
$t->redis_cli('REPLICAOF', '127.0.0.1', '1');
$t->redis_cli('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
($state, $message) = settle('redis_key', 'session:5');
is("$state: $message", 'retryable: the server says READONLY', 'a replica is waited for');
$t->redis_cli('REPLICAOF', 'NO', 'ONE');
is((settle('redis_key', 'session:5'))[0], 'done', 'and done when it is promoted');
$t->redis_cli('SET', 'session:6', 'x');
$t->redis_cli('CONFIG', 'SET', 'maxmemory', '1');
is((settle('redis_key', 'session:6'))[0], 'done', 'unlinking works without memory');
$t->redis_cli('CONFIG', 'SET', 'maxmemory', '0');

# The deny-list: marked before it is removed, and removed again when the mark has held for a while.
$t->configure($t->redis_service('sessions', "deny_prefix = denied:\ndeny_ttl = 1h\nsecond_pass = 300ms\n"));
$t->redis_cli('SET', 'session:7', 'x');
$deletion = $t->deletion;
$id = $t->task($deletion, 'redis_key', 'sessions', 'session:7');
($code, undef, $err) = $t->run('--once');
is($code, 3, 'after the first pass the task remains');
is($t->redis_cli('EXISTS', 'session:7') . $t->redis_cli('EXISTS', 'denied:session:7'), '01', 'the key is gone, the mark is there');
cmp_ok($t->redis_cli('TTL', 'denied:session:7'), '>', 3500, 'with its lifetime');
$t->redis_cli('SET', 'session:7', 'resurrected');
sleep 0.4;
is(($t->run('--once'))[0], 0, 'the second pass settles it');
is($t->redis_cli('EXISTS', 'session:7'), 0, 'and removes what came back');

# As above, but the server loses both with a restart from an old dump.
$t->redis_cli('SET', 'session:8', 'x');
$t->redis_cli('SAVE');
$id = $t->task($t->deletion, 'redis_key', 'sessions', 'session:8');
$t->run('--once');
$t->stop_redis('kill');
$t->start_redis;
is($t->redis_cli('EXISTS', 'session:8') . $t->redis_cli('EXISTS', 'denied:session:8'), '10', 'a restart brings the session back');
sleep 0.4;
is(($t->run('--once'))[0], 3, 'the mark is missing, so the passes begin again');
sleep 0.4;
is(($t->run('--once'))[0], 0, 'and end');
is($t->redis_cli('EXISTS', 'session:8'), 0, 'the session is gone for good');

# Killed, or cut off, between the mark and the removal: that was no first pass, so that two of them follow.
$t->redis_cli('SET', 'session:9', 'x');
$id = $t->task($t->deletion, 'redis_key', 'sessions', 'session:9');
{
	local $t->{listener} = "$t->{listener}-faults";
	local $ENV{VEDFOLNIR_FAULT} = 'denied:1';
	is(($t->run('--once'))[0], 'signal 9', 'killed behind the mark');
}
is($t->redis_cli('EXISTS', 'session:9') . $t->redis_cli('EXISTS', 'denied:session:9'), '11', 'the mark is there, and the session too');
$t->sql("UPDATE vedfolnir.cleanup_task SET lease_until = now() WHERE id = $id");
is(($t->run('--once'))[0], 3, 'the next listener makes the first pass');
is($t->redis_cli('EXISTS', 'session:9'), 0, 'the session is gone');
like($t->error($id), qr/a second pass follows/, 'and the task waits for the second');
$t->redis_cli('SET', 'session:9', 'resurrected');
sleep 0.4;
is(($t->run('--once'))[0] . $t->redis_cli('EXISTS', 'session:9'), '00', 'which removes what came back');

# A mark lives as long as it is told to, and no longer.
$t->configure($t->redis_service('sessions', "deny_prefix = denied:\ndeny_ttl = 2s\nsecond_pass = 100ms\n"));
$t->redis_cli('SET', 'session:10', 'x');
$id = $t->task($t->deletion, 'redis_key', 'sessions', 'session:10');
$t->run('--once');
is($t->redis_cli('EXISTS', 'denied:session:10'), 1, 'a mark with a short life is there');
sleep 2.2;
is($t->redis_cli('EXISTS', 'denied:session:10'), 0, 'and gone when its time is over');
is(($t->run('--once'))[0], 3, 'a second pass that comes too late begins again');
sleep 0.2;
is(($t->run('--once'))[0], 0, 'and ends');
is($t->state($id), 'skipped', 'the task is settled');

# A server that does not know UNLINK.
$t->stop_redis;
$t->start_redis('--rename-command', 'UNLINK', '');
$t->redis_cli('FLUSHALL');
$t->configure($t->redis_service('sessions', "scan_count = 100\n"));
make_cache();
$t->redis_cli('SET', 'cache:12:1', 'x');
is((settle('redis_pattern', 'cache:1:*'))[0], 'done', 'without UNLINK a pattern is done');
is($t->redis_cli('KEYS', '*'), 'cache:12:1', 'and exactly its keys are gone');
make_cache();
is((settle('redis_key', 'cache:1:7'))[0] . $t->redis_cli('DBSIZE'), 'done3000', 'so is a key');

# What is refused in the middle of a pattern leaves no answer behind that the next one would take for its own.
$t->stop_redis;
delete $t->{redis_arguments};
$t->start_redis;
$t->redis_cli('FLUSHALL');
make_cache();
$t->redis_cli('ACL', 'SETUSER', 'reader', 'on', '>right', '~*', '+del', '+scan', '+ping', '+info', '-unlink');
$t->configure($t->redis_service('sessions', "user = reader\npassword = right\nscan_count = 100\n"));
$deletion = $t->deletion;
my @patterns = map { $t->task($deletion, 'redis_pattern', 'sessions', $_) } 'cache:1:*', 'nothing:*';
$t->run('--once');
is(join(' ', map { $t->state($_) } @patterns), 'dead skipped', 'a pattern is refused, the next one has its own answers');
is($t->redis_cli('DBSIZE'), 3000, 'and nothing is gone');
$t->sql('DELETE FROM vedfolnir.cleanup_task');

# A clustered server is recognised and refused.
$t->stop_redis;
delete $t->{redis_dir};
$t->start_redis('--cluster-enabled', 'yes', '--port', PostgreSQL::Test::Cluster::get_free_port(), '--bind', '127.0.0.1');
$t->configure($t->redis_service('sessions'));
($code, $out) = $t->run('--check');
is($code, 2, '--check refuses a clustered server');
like($out, qr/a clustered server is not supported/, 'with a clear message');
($state, $message) = settle('redis_key', 'session:9');
is("$state: $message", 'dead: a clustered server is not supported', 'so does a task');

done_testing();

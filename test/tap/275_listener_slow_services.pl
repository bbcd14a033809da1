# A Keycloak, a webhook and a Redis that hang, all at once: neither files nor each other wait for them (R56, R57).
use strict;
use warnings;
use FakeIdentityServer;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new;
$t->add_rule('identity', 'keycloak', 'session');
$t->add_rule('webhook', 'hook', 'session');
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('file', 'images', 'path');
my %http = map { $_ => FakeIdentityServer->new("$t->{dir}/$_", delay => 60) } 'keycloak', 'hook';
$http{keycloak}->add_user('central', 'person');
my $redis = $t->{redis}->{KIDS}->[0]->{PID};
$t->redis_cli('MSET', map { ("k:$_", 'x') } 1 .. 50);
kill 'STOP', $redis;

$t->configure($http{keycloak}->service('keycloak', realms => 'central', timeout => '60s')
	  . "[service hook]\ntype = webhook\nurl = http://127.0.0.1:$http{hook}->{port}/hook\nsecret = key\ntimeout = 60s\nallow = public.images:webhook\n"
	  . $t->redis_service('sessions', "timeout = 60s\n") . $t->file_service('images'), "poll = 200ms\nlease = 100s\nlog_level = info");
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected');

# One deletion each, so that no phase waits for another service; many keys, so that a batch is not the end of it.
my %deletion = map { $_ => $t->deletion } qw(keycloak hook sessions);
$t->task($deletion{keycloak}, 'identity', 'keycloak', 'central/person', phase => 1, operation => 'disable');
$t->task($deletion{hook}, 'webhook', 'hook', 'x', operation => 'post');
$t->task($deletion{sessions}, 'redis_key', 'sessions', "k:$_") for 1 .. 50;
sub state_of { my ($name) = @_; return $t->deletion_state($deletion{$name}); }
$t->wait_for_sql(q(SELECT count(DISTINCT service) = 3 FROM vedfolnir.cleanup_task WHERE state = 'running'), 'all three hang at the same time', 20);

# Files meanwhile, in several rounds.
my $slowest = 0;
for my $round (1 .. 5)
{
	$t->write_file("r$round/$_") for 1 .. 20;
	my $d = $t->deletion;
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
		. "SELECT '$d', 3, 'file', 'delete', 'images', 'r$round/' || i FROM generate_series(1, 20) AS i; NOTIFY vedfolnir_cleanup");
	my $took = $t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", "files, round $round", 20) // 20;
	$slowest = $took if $took > $slowest;
}
cmp_ok($slowest, '<', 5, 'files wait for none of them');
is(join(' ', map { state_of($_) } sort keys %deletion), 'pending pending pending', 'which hang all the time');

# Let go one after the other: each is done while the others still hang.
$http{keycloak}->delay(0);
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion{keycloak}'", 'Keycloak does not wait for the others', 20);
is(state_of('hook') . ' ' . state_of('sessions'), 'pending pending', 'which still hang');
$http{hook}->delay(0);
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion{hook}'", 'nor does the webhook', 20);
is(state_of('sessions'), 'pending', 'for Redis, which still hangs');
kill 'CONT', $redis;
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion{sessions}'", 'and Redis is done when it is back', 20);
is($t->sql('SELECT max(attempts) FROM vedfolnir.cleanup_task'), 1, 'each at the first attempt');
is($t->redis_cli('EXISTS', map { "k:$_" } 1 .. 50), 0, 'the keys are gone');
is($t->stop($daemon), 0, 'the listener ends');
$_->stop for values %http;
done_testing();

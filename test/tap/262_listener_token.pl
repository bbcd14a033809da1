# An access token of a real Keycloak that ends in the middle of a batch: it is renewed once, and nothing is left out or called
# done that is not. A fresh one that is refused makes the tasks dead (R56, R75).
use strict;
use warnings;
use KeycloakTest;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => KeycloakTest::missing() if KeycloakTest::missing();

my $t = ListenerTest->new(redis => 0);
my $count = 60;
my $k = KeycloakTest->new(central => [ map { { id => "u-$_", username => "user$_" } } 1 .. 2 * $count ]);
$t->add_rule('identity', 'keycloak', 'session');
$t->configure($k->service('keycloak', realms => 'central'), "backoff_base = 50ms\nbackoff_cap = 200ms\npoll = 100ms\nbatch = 100");

# Access tokens given out before this second are refused from now on; in the future: each is.
sub revoke
{
	my ($when) = @_;
	my ($status) = $k->admin('PUT', 'central', { realm => 'central', notBefore => $when });
	is($status, 204, 'tokens are revoked');
	return;
}
sub left { my ($from, $to) = @_; my ($status, $users) = $k->admin('GET', 'central/users?max=1000'); my %there = map { $_->{id} => 1 } @$users;
	return grep { $there{"u-$_"} } $from .. $to; }
sub queue
{
	my ($from, $to) = @_;
	my $deletion = $t->deletion;
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) SELECT '$deletion', 4, 'identity', "
		. "'delete', 'keycloak', 'central/u-' || n FROM generate_series($from, $to) AS n");
	return $deletion;
}

# The listener's token would be good for a minute more.
my (undef, $before) = $k->token('central', grant_type => 'client_credentials', client_id => 'vedfolnir', client_secret => $k->{secret});
cmp_ok($before->{expires_in}, '>=', 60, 'a token is good for a minute');
my $ask = sub { return $k->{http}->get("$k->{url}/admin/realms/central/users?max=1", { headers => { Authorization => "Bearer $_[0]" } })->{status}; };
is($ask->($before->{access_token}), 200, 'it is taken');
my $deletion = queue(1, $count);
my $daemon = $t->start;
my $gone;
$t->wait_until(sub { $gone = $count - left(1, $count); return $gone > 3; }, 'in the middle of a batch', 60);
revoke(int(time) + 1);
cmp_ok($gone, '<', $count, "$gone accounts are gone");
is($ask->($before->{access_token}), 401, 'a token of before is refused');
$t->wait_for_sql("SELECT state IN ('complete', 'attention') FROM vedfolnir.deletion WHERE id = '$deletion'", 'the batch ends', 60);
is($t->stop($daemon), 0, 'the listener ends');
my %state = map { split /\|/ } split /\n/, $t->sql(q(SELECT replace(target, 'central/u-', ''), state FROM vedfolnir.cleanup_task WHERE target IS NOT NULL));
my @left = left(1, $count);
is(join(' ', grep { !$state{$_} } @left), '', 'what is done is gone');
# The token may end between the deletion of one account and the look afterwards.
my %there = map { $_ => 1 } @left;
cmp_ok(scalar(grep { !$there{$_} } keys %state), '<=', 1, 'what is not done is there, but for the one that was being looked at');
# Within the second of the revocation even a fresh token was one of before.
$t->sql('SELECT vedfolnir_retry_tasks(COALESCE(array_agg(id), \'{}\')) FROM vedfolnir.cleanup_task WHERE state = \'dead\'');
is(($t->run('--once'))[0], 0, 'with a fresh token all is done');
is(join(' ', left(1, $count)), '', 'really');

# The cached token ends in the middle of the batch, and a fresh one is good: nothing is dead, each at the first attempt.
$deletion = queue($count + 1, 2 * $count - 1);
$daemon = $t->start;
$t->wait_until(sub { $gone = $count - 1 - left($count + 1, 2 * $count - 1); return $gone > 3; }, 'in the middle of another batch', 60);
my (undef, $now) = $k->token('central', grant_type => 'client_credentials', client_id => 'vedfolnir', client_secret => $k->{secret});
revoke(int(time));
cmp_ok($gone, '<', $count - 1, "$gone accounts are gone");
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", 'the batch ends', 60);
is($t->stop($daemon), 0, 'the listener ends');
is($t->sql("SELECT string_agg(DISTINCT state || ' ' || attempts, ', ') FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'"), 'done 1', 'all is done, at the first attempt');
is(join(' ', left($count + 1, 2 * $count - 1)), '', 'really');

# Each token is refused: the task is dead at once, the account is there, and a person has it tried again.
revoke(int(time) + 3600);
$deletion = queue(2 * $count, 2 * $count);
is(($t->run('--once'))[0], 1, 'no token is taken');
is($t->sql("SELECT state || ' ' || attempts || ' ' || (errors -> -1 ->> 'message') FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'"),
	'dead 1 a fresh token is refused (HTTP status 401)', 'dead, with the reason');
is(join(' ', left(2 * $count, 2 * $count)), 2 * $count, 'the account is there');
revoke(0);
$t->sql("SELECT vedfolnir_retry_tasks(array_agg(id)) FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'");
is(($t->run('--once'))[0], 0, 'tried again');
is($t->state($t->sql("SELECT id FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'")) . join(' ', left(2 * $count, 2 * $count)), 'done', 'it is gone');
$k->stop;
done_testing();

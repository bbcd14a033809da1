# A real Keycloak: sessions made by real logins are dead, accounts are disabled first and deleted last, and each answer of
# the server leads where the table says (R55, R56, R57, R75, R76).
use strict;
use warnings;
use KeycloakTest;
use LatencyTest;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => KeycloakTest::missing() if KeycloakTest::missing();

my $t = ListenerTest->new;
sub person { return "a0000000-0000-4000-8000-00000000000$_[0]"; }
my @names = qw(alice alicia bob carol dora erin frank grace heidi);
my $k = KeycloakTest->new(
	central => [ (map { { id => "central-$_", username => $_ } } @names), { id => 'central-odd', username => q(o'neil+1@example.org), email => 'odd@example.org' },
		(map { { id => "portal-$_", username => person($_) } } 1 .. 6), LatencyTest::customers(60) ],
	shared => [ map { { id => "shared-$_", username => $_ } } @names ],
	# The accounts of the second example: its people are known to the central realm by their key, and to the realm of a
	# shared provider by the id that this gave them.
	'idp-alder' => [ map { { id => "external-$_", username => "login-$_" } } 1, 2 ],
	'idp-birch' => [ map { { id => "external-$_", username => "login-$_" } } 4, 5 ]);
note(sprintf 'Keycloak started in %.0f s', $k->{took});
$t->add_rule('identity', 'keycloak', 'session');
my $settings = "backoff_base = 100ms\nbackoff_cap = 500ms\npoll = 200ms\nlog_level = info";
$t->configure($k->service('keycloak'), $settings);

my ($code, $out, $err) = $t->run('--check');
is($code, 0, 'the check finds both realms open') or diag("$out$err");

# Two tasks an identity, as a rule makes them.
sub identity
{
	my ($deletion, @targets) = @_;
	my %ids;
	for my $target (@targets)
	{
		$ids{"disable $target"} = $t->task($deletion, 'identity', 'keycloak', $target, phase => 1, operation => 'disable');
		$ids{"delete $target"} = $t->task($deletion, 'identity', 'keycloak', $target, phase => 4);
	}
	return \%ids;
}
sub states { my ($ids) = @_; return join(' ', map { $t->state($ids->{$_}) } sort keys %$ids); }

# Disabled and logged out, and nothing more while an earlier phase is open.
my $d = $t->deletion;
my $ids = identity($d, 'central/central-alice', 'shared/username=alice');
my $held = $t->task($d, 'redis_key', 'elsewhere', 'a key that nobody removes');
my %sessions = (map { $_ => $k->login($_, 'alice') } qw(central shared));
my $offline = $k->login('central', 'alice', 'openid offline_access');
my $other = $k->login('central', 'bob');
is($k->refresh($_, $sessions{$_}), 200, "$_: the session lives") for qw(central shared);
is($k->refresh('central', $offline), 200, 'the offline session lives');
($code, undef, $err) = $t->run('--once');
is($code, 3, 'a later phase waits') or diag($err);
is(states($ids), 'available available done done', 'disabled in both realms');
is($k->refresh($_, $sessions{$_}), 400, "$_: the refresh token is refused") for qw(central shared);
is($k->refresh('central', $offline), 400, 'the one of the offline session too');
is($k->login('central', 'alice'), undef, 'nobody logs in any more');
my $alice = $k->user('central', 'central-alice');
ok($alice && !$alice->{enabled}, 'the account is there and disabled');
is($alice->{email}, 'alice@example.org', 'its other fields are as they were');
is_deeply([ $k->admin('GET', 'central/users/central-alice/sessions') ], [ 200, [] ], 'it has no sessions');
is($k->refresh('central', $other), 200, 'the session of somebody else lives');

# The other phase is done: the accounts go.
$t->sql("UPDATE vedfolnir.cleanup_task SET state = 'done' WHERE id = $held");
($code, undef, $err) = $t->run('--once');
is($code, 0, 'everything is done') or diag($err);
is(states($ids), 'done done done done', 'deleted in both realms');
is($k->user('central', 'central-alice'), undef, 'the account is gone from one realm');
is($k->user_named('shared', 'alice'), undef, 'and from the other');
is($t->deletion_state($d), 'complete', 'the deletion is complete');
ok($k->user('central', 'central-alicia') && $k->user('shared', 'shared-bob'), 'the accounts of others are there');
unlike($err, qr/alice|$k->{secret}/, 'the log holds no name and no secret');

# Sessions that expire: logged out, and the account is as it was.
$d = $t->deletion;
%sessions = (grace => $k->login('central', 'grace'), offline => $k->login('central', 'grace', 'openid offline_access'));
my $logout = $t->task($d, 'identity', 'keycloak', 'central/username=grace', phase => 1, operation => 'logout');
sleep 1.1;    # the server tells older tokens from newer ones by the second
($code, undef, $err) = $t->run('--once');
is($t->state($logout), 'done', 'logged out') or diag($err);
is($k->refresh('central', $sessions{$_}), 400, "the refresh token is refused: $_") for sort keys %sessions;
ok($k->user('central', 'central-grace')->{enabled}, 'the account is enabled');
sleep 1.1;
ok($k->login('central', 'grace'), 'and logs in again');

# Gone already, never there, and names that are only alike.
$d = $t->deletion;
$ids = identity($d, 'central/central-alice', 'central/username=ali', 'shared/username=nobody');
($code) = $t->run('--once');
is($code, 0, 'what is gone is no mistake');
is(states($ids), join(' ', ('skipped') x 6), 'it is skipped');
ok($k->user('central', 'central-alicia'), 'a name is not taken for its beginning');

$d = $t->deletion;
$ids = identity($d, 'central/username=o%27neil%2B1%40example.org', 'shared/username=CAROL');
$t->run('--once');
is(states($ids), 'done done done done', 'a name with odd characters, and one in other letters');
is($k->user('central', 'central-odd'), undef, 'it is gone');
is($k->user('shared', 'shared-carol'), undef, 'names are compared as the server does');

# What the configuration gets wrong is dead at once, with the reason.
for my $case ([ 'a wrong client secret', qr/the client in the configuration is refused \(HTTP status 401\)/, client_secret => 'wrong' ],
	[ 'an unknown client', qr/the client in the configuration is refused/, client_id => 'nobody' ],
	[ 'a client without the role', qr/lacks the role manage-users of the realm \(HTTP status 403\)/, client_id => 'reader' ],
	[ 'a realm that is not on the list', qr/not on the list/, realms => 'shared' ],
	[ 'a realm that is not there', qr/realm.* does not exist/, realms => 'central, elsewhere', target => 'elsewhere/username=bob' ])
{
	my ($what, $reason, %options) = @$case;
	my $target = delete $options{target} // 'central/central-bob';
	$t->configure($k->service('keycloak', %options), $settings);
	$d = $t->deletion;
	my $id = $t->task($d, 'identity', 'keycloak', $target, phase => 1, operation => 'disable');
	$t->run('--once');
	is($t->state($id), 'dead', "$what: dead");
	like($t->error($id), $reason, "$what: with the reason");
	is($t->deletion_state($d), 'attention', "$what: the deletion asks for attention");
	$t->sql("SELECT vedfolnir_abandon_tasks(ARRAY[$id], 'test')");
}
is($k->refresh('central', $other), 200, 'none of that touched the account');

# A token that the server stops to accept is replaced once; a server that hangs is waited for.
$t->configure($k->service('keycloak', timeout => '1s'), $settings);
my $daemon = $t->start;
$d = $t->deletion;
$ids = identity($d, 'central/username=dora');
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", 'a daemon does the same', 60);
is(($k->admin('PUT', 'central', { notBefore => int(time) + 1 }))[0], 204, 'the server is told to accept no token from before');
sleep 2.1;
$d = $t->deletion;
$ids = identity($d, 'central/username=erin');
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", 'a token that was revoked is replaced', 60);
is($t->sql("SELECT max(attempts) FROM vedfolnir.cleanup_task WHERE deletion_id = '$d'"), 1, 'at the first attempt');
kill 'STOP', $k->{pid};
$d = $t->deletion;
$ids = identity($d, 'central/username=frank');
$t->wait_for_sql("SELECT state = 'retryable' AND errors -> -1 ->> 'message' ~* 'time' FROM vedfolnir.cleanup_task WHERE id = $ids->{'disable central/username=frank'}",
	'a server that hangs is waited for', 60);
kill 'CONT', $k->{pid};
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", 'and done when it is back', 60);
is($k->user('central', 'central-frank'), undef, 'the account is gone');
is($t->stop($daemon), 0, 'the listener ends');

# Two listeners at one realm: it is given to one of them at a time (265_listener_realms.pl looks at the overlap).
$t->configure($k->service('keycloak'), "$settings\nbatch = 1");
my @pair = map { $t->start } 1 .. 2;
$d = $t->deletion;
$ids = identity($d, map { "central/customer-$_" } 41 .. 60);
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$d'", 'two listeners do not hinder each other', 120);
is($t->sql("SELECT string_agg(DISTINCT state, ' ') FROM vedfolnir.cleanup_task WHERE deletion_id = '$d'"), 'done', 'every account is disabled and deleted');
note('attempts above the first: ' . $t->sql("SELECT sum(attempts - 1) FROM vedfolnir.cleanup_task WHERE deletion_id = '$d'"));
is(scalar(grep { $k->user('central', "customer-$_") } 41 .. 60), 0, 'and gone');
is($t->stop($_), 0, 'a listener ends') for @pair;

# The whole deletion of the second example: a person with a shared, an own, a managed and no identity provider.
my $node = $t->node;
my $example = "$ENV{VEDFOLNIR_ROOT}/examples/tractusx";
$node->command_ok([ 'createdb', '-h', $node->host, '-p', $node->port, 'portal' ], 'a database for the example');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$t->{dir}/out", '-d', $node->connstr('portal'), '-f', "$example/schema.sql", '-f', "$example/data.sql",
	'-c', 'CREATE EXTENSION vedfolnir', '-f', "$example/configure.sql", '-c', q(SELECT vedfolnir_grant('worker', 'worker')) ], 'the example is loaded');
(my $conninfo = $t->conninfo) =~ s/dbname=postgres/dbname=portal/;
$t->configure($k->service('keycloak', realms => 'central, idp-alder, idp-birch', allow => 'portal.company_user_assigned_identity_providers:identity'),
	$settings, $conninfo);
($code, $out, $err) = $t->run('--check');
is($code, 0, 'its rules fit the configuration') or diag("$out$err");
for my $case ([ 1, 'a shared provider', 'idp-alder' ], [ 4, 'the shared provider of another company', 'idp-birch' ], [ 3, 'an own provider' ],
	[ 6, 'a managed provider' ], [ 5, 'no provider' ])
{
	my ($n, $what, $realm) = @$case;
	my %session = (central => $k->login('central', person($n)));
	$session{$realm} = $k->login($realm, "login-$n") if $realm;
	is($k->refresh($_, $session{$_}), 200, "$what: logged in at $_") for sort keys %session;
	$node->safe_psql('portal', "BEGIN; SET LOCAL vedfolnir.actor = '" . person(2) . "'; SELECT count(*) FROM vedfolnir_delete_user('"
		. person($n) . "', dry_run => false, reason => 'left the company'); COMMIT");
	($code, undef, $err) = $t->run('--once');
	is($code, 0, "$what: everything is done") or diag($err);
	is($node->safe_psql('portal', q(SELECT string_agg(DISTINCT state, ' ') FROM vedfolnir.deletion)), 'complete', "$what: the deletion is complete");
	is($node->safe_psql('portal', "SELECT count(*) FROM vedfolnir_verify_user('" . person($n) . "') WHERE kind IN ('row', 'dangling', 'task')"), 0,
		"$what: nothing is left in the database");
	# Whom the portal gave no provider it never brought to the central realm either; this account is somebody else's business.
	if ($n == 5) { is($k->refresh('central', $session{central}), 200, "$what: no account is touched"); next; }
	is($k->refresh($_, $session{$_}), 400, "$what: logged out at $_") for sort keys %session;
	is($k->user('central', "portal-$n"), undef, "$what: the central account is gone");
	is($k->user($realm, "external-$n"), undef, "$what: and the one of the provider") if $realm;
}
ok($k->login('central', person(2)) && $k->login('idp-alder', 'login-2'), 'a colleague of the same provider logs in');
ok($k->login('idp-birch', 'login-5'), 'and so do people of other realms');
is($node->safe_psql('portal', q(SELECT string_agg(DISTINCT state, ' ') FROM vedfolnir.cleanup_task)), 'done', 'every task is done');

# Sessions of all three kinds are dead in time, while the listener has a hundred thousand other tasks (R61).
$t->add_rule('redis_key', 'cache', 'session');
$t->add_rule('file', 'images', 'path');
my $latency = LatencyTest->new($t, $k);
$t->configure($latency->{services}, "poll = 1h\nlog_level = info");
$daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected');
$latency->probe;
is($latency->backlog(100000), 100000, 'a queue of 100,000 other tasks');
my $p99 = $latency->measure('under 100,000 other tasks', 39);
cmp_ok($p99->{$_}, '<', 5, "$_: every session is dead within 5 seconds at the 99th percentile") for sort keys %$p99;
$latency->end;
is($t->stop($daemon), 0, 'the listener ends');

$k->stop;
done_testing();

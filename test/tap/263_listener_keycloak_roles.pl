# What a service account of a real Keycloak may see: who is left out of an answer, or hidden by a gateway, is not gone. Nothing
# is skipped unless the account may view every user of the realm (R56, R75).
use strict;
use warnings;
use HTTP::Tiny;
use IO::Socket::INET;
use KeycloakTest;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => KeycloakTest::missing() if KeycloakTest::missing();

my $t = ListenerTest->new(redis => 0);
my $k = KeycloakTest->new(-features => 'admin-fine-grained-authz',
	central => [ map { { id => "u-$_", username => $_ } } qw(alice bob carol dora erin frank) ], lone => [ { id => 'u-last', username => 'last' } ]);
$t->add_rule('identity', 'keycloak', 'session');
my $settings = "backoff_base = 100ms\nbackoff_cap = 200ms\npoll = 200ms";
my $role = 'the client in the configuration lacks the role view-users of the realm (HTTP status 403)';

sub configure { my (%more) = @_; $t->configure($k->service('keycloak', realms => 'central', %more), $settings); return; }

# One task, in a deletion of its own: "state attempts message".
sub outcome
{
	my ($operation, $target) = @_;
	my $id = $t->task($t->deletion, 'identity', 'keycloak', $target, phase => $operation eq 'delete' ? 4 : 1, operation => $operation);
	my (undef, undef, $err) = $t->run('--once');
	(my $person = $target) =~ s/.*[=\/]//;
	unlike($err, qr/\Q$person\E/, "$operation $target: no person is in the log");
	my $outcome = $t->sql("SELECT concat_ws(' ', state, attempts, errors -> -1 ->> 'message') FROM vedfolnir.cleanup_task WHERE id = $id");
	$t->sql("SELECT vedfolnir_abandon_tasks('{$id}', 'test')") if $t->state($id) =~ /dead|retryable|available/;
	return $outcome;
}

# The status and the ids that a search gives to a client.
sub found
{
	my ($client, $query, $realm) = @_;
	my (undef, $answer) = $k->token($realm // 'central', grant_type => 'client_credentials', client_id => $client, client_secret => $k->{secret});
	my $response = $k->{http}->get("$k->{url}/admin/realms/central/users?$query", { headers => { Authorization => "Bearer $answer->{access_token}" } });
	return join ' ', $response->{status}, map { $_->{id} } @{ JSON::PP->new->decode($response->{content}) };
}

# An account that may search and sees nobody.
my $session = $k->login('central', 'alice');
is(found('query', 'exact=true&username=alice'), '200', 'who may not view users gets an empty list and no error');
is(found('vedfolnir', 'exact=true&username=alice'), '200 u-alice', 'of a user who is there');
configure(client_id => 'query');
is(outcome($_, 'central/username=alice'), "dead 1 $role", "$_: not skipped") for qw(disable logout delete);
is(outcome('delete', 'central/username=nobody'), "dead 1 $role", 'nor is a user who is not there: it cannot know');
is(outcome('delete', 'central/u-alice'), "dead 1 $role", 'nor one looked for by the id');
ok($k->user('central', 'u-alice')->{enabled}, 'the account is there and enabled');
is($k->refresh('central', $session), 200, 'its session lives');
my ($code, $out, $err) = $t->run('--check');
is($code, 2, 'the check refuses such an account');
like("$out$err", qr/\Q$role\E/, 'and names the role');

# The role is granted, and the task tried again: at once, although the listener had a token of before.
my $daemon = $t->start;
my $d = $t->deletion;
my $id = $t->task($d, 'identity', 'keycloak', 'central/username=alice', phase => 1, operation => 'disable');
$t->wait_for_sql("SELECT state = 'dead' FROM vedfolnir.cleanup_task WHERE id = $id", 'dead in a daemon too', 30);
$k->grant('central', 'query', 'realm-management', 'view-users', 'manage-users');
$t->sql("SELECT vedfolnir_retry_tasks('{$id}')");
$t->wait_for_sql("SELECT state IN ('done', 'dead') FROM vedfolnir.cleanup_task WHERE id = $id", 'tried again', 30);
is($t->state($id), 'done', 'with the role it is done');
is($k->refresh('central', $session), 400, 'the session is dead');
is($t->stop($daemon), 0, 'the listener ends');
is(($t->run('--check'))[0], 0, 'the check finds the role');

# Who may view, be it no more than that, may call a user missing; also in a realm where nobody is left.
configure();
is(outcome('delete', 'central/username=nobody'), 'skipped 1', 'a user who is not there is skipped');
configure(client_id => 'reader');
is(outcome('delete', 'central/username=nobody'), 'skipped 1', 'by an account that may only view too');
configure(realms => 'lone');
is(outcome('delete', 'lone/username=last'), 'done 1', 'the last user of a realm');
is((($k->admin('GET', 'lone/users'))[1] // [ 1 ])->[0], undef, 'nobody is left');
is(outcome($_, 'lone/username=last'), 'skipped 1', "$_: skipped in an empty realm") for qw(disable delete);
is(outcome('delete', 'lone/u-last'), 'skipped 1', 'by the id too');
is(($t->run('--check'))[0], 0, 'an empty realm passes the check');

# A client of another realm.
for my $case ([ 'master-query', 'query-users' ], [ 'master-full', 'view-users', 'manage-users' ])
{
	my ($client, @roles) = @$case;
	my ($status) = $k->admin('POST', 'master/clients', { clientId => $client, secret => $k->{secret}, publicClient => JSON::PP::false,
		serviceAccountsEnabled => JSON::PP::true, standardFlowEnabled => JSON::PP::false });
	is($status, 201, "the realm of the administrator gets the client $client");
	$k->grant('master', $client, 'central-realm', @roles);
	configure(client_id => $client, token_realm => 'master');
	is(found($client, 'exact=true&username=bob', 'master'), @roles == 1 ? '200' : '200 u-bob', 'it searches');
	is(outcome('delete', 'central/username=nobody'), @roles == 1 ? "dead 1 $role" : 'skipped 1', 'a user who is not there');
	is(outcome('delete', 'central/username=bob'), @roles == 1 ? "dead 1 $role" : 'done 1', 'one who is');
	is(($t->run('--check'))[0], @roles == 1 ? 2 : 0, 'the check');
}
is($k->user('central', 'u-bob'), undef, 'who may, has deleted it');

# Permissions for the members of one group: to see some users is not to see them all.
my ($status, undef) = $k->admin('POST', 'central/clients', { clientId => 'group', secret => $k->{secret}, publicClient => JSON::PP::false,
	serviceAccountsEnabled => JSON::PP::true, standardFlowEnabled => JSON::PP::false });
is($status, 201, 'a client for a group');
my $client = $k->grant('central', 'group', 'realm-management', 'query-users');
$k->admin('POST', 'central/groups', { name => 'staff' });
my $group = (($k->admin('GET', 'central/groups'))[1])->[0]->{id};
is(($k->admin('PUT', "central/users/u-carol/groups/$group"))[0], 204, 'a member');
my $management = (($k->admin('GET', 'central/clients?clientId=realm-management'))[1])->[0]->{id};
my $server = "central/clients/$management/authz/resource-server";
my (undef, $permissions) = $k->admin('PUT', "central/groups/$group/management/permissions", { enabled => JSON::PP::true });
my (undef, $policy) = $k->admin('POST', "$server/policy/client", { name => 'only-group', clients => [$client], logic => 'POSITIVE' });
for my $permission (@{ $permissions->{scopePermissions} }{qw(view view-members manage-members)})
{
	my (undef, $rule) = $k->admin('GET', "$server/permission/scope/$permission");
	$rule->{policies} = [ $policy->{id} ];
	$rule->{scopes} = [ map { $_->{id} } @{ ($k->admin('GET', "$server/permission/$permission/scopes"))[1] } ];
	$rule->{resources} = [ map { $_->{_id} } @{ ($k->admin('GET', "$server/permission/$permission/resources"))[1] } ];
	is(($k->admin('PUT', "$server/permission/scope/$permission", $rule))[0], 201, 'a permission for the client');
}
is(found('group', 'max=1'), '200 u-carol', 'it sees the member');
is(found('group', 'exact=true&username=dora'), '200', 'and not the others');
configure(client_id => 'group');
is(outcome('disable', 'central/username=carol'), 'done 1', 'the member is disabled');
is(outcome('delete', 'central/username=dora'), "dead 1 $role", 'somebody else is not skipped');
is(outcome('delete', 'central/u-dora'), "dead 1 $role", 'nor by the id');
ok($k->user('central', 'u-dora'), 'the account is there');
is(($t->run('--check'))[0], 2, 'the check refuses it');

# A gateway that gives 404 to what lies below a pattern and lets the rest through.
sub gateway
{
	my ($blocked) = @_;
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 20, ReuseAddr => 1) or die;
	my $pid = fork() // die;
	if ($pid) { $ListenerTest::started{$pid} = 1; return ($pid, 'http://127.0.0.1:' . $listen->sockport); }
	my $http = HTTP::Tiny->new(timeout => 60);
	while (1)
	{
		my $peer = $listen->accept or next;
		my ($head, $body) = ('', '');
		while (my $line = <$peer>) { $head .= $line; last if $line eq "\r\n"; }
		read($peer, $body, $1) if $head =~ /^content-length: (\d+)/mi;
		my ($method, $path) = $head =~ /^(\w+) (\S+)/ or next;
		my %headers = map { lc($_) => $head =~ /^$_: (.*)\r\n/mi } grep { $head =~ /^$_: /mi } 'Authorization', 'Content-Type';
		my $response = "$method $path" =~ $blocked ? { status => 404, content => '' } : $http->request($method, "$k->{url}$path", { headers => \%headers, content => $body });
		print $peer "HTTP/1.1 $response->{status} X\r\nContent-Length: " . length($response->{content}) . "\r\nConnection: close\r\n\r\n$response->{content}";
		close $peer;
	}
}
my $hidden = 'retryable 1 an answer has HTTP status 404 and does not come from the users of the realm';
for my $case ([ qr{/users/u-}, $hidden, 'skipped 1' ], [ qr{DELETE .*/users/u-}, $hidden, 'skipped 1' ],
	[ qr{/users/u-|attack-detection}, 'retryable 1 it is not known whether the client may view every user: attack-detection/brute-force gives HTTP status 404', undef ])
{
	my ($blocked, $there, $gone) = @$case;
	my ($pid, $url) = gateway($blocked);
	configure(url => $url);
	is(outcome('delete', "central/$_"), $there, "$blocked: $_ is still there") for 'u-erin', 'username=erin';
	is(outcome('delete', "central/u-nobody"), $gone, "$blocked: who is not there is gone") if $gone;
	is($k->user('central', 'u-erin')->{username}, 'erin', 'the account is there');
	delete $ListenerTest::started{$pid};
	kill 'KILL', $pid;
	waitpid $pid, 0;
}
configure(client_id => 'query');
is(outcome('delete', 'central/u-erin'), 'done 1', 'without it the account is deleted');
$k->stop;
done_testing();

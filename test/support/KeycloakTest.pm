# KeycloakTest.pm: a real Keycloak on a free loopback port, with realms of our own and nothing saved.
package KeycloakTest;
use strict;
use warnings;
use Fcntl qw(:flock);
use File::Path qw(make_path);
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use ListenerTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical;

# Why there is none, or undef: tools/keycloak.sh fetches it before the tests, and says why it could not.
sub missing { return $ENV{VEDFOLNIR_KEYCLOAK} ? undef : $ENV{VEDFOLNIR_NO_KEYCLOAK} || 'VEDFOLNIR_KEYCLOAK is not set, see tools/keycloak.sh'; }

# new(realm => [users as Keycloak imports them], ...). Each realm gets a client "vedfolnir" that may manage users, one
# named "reader" that may not, one named "query" that may search and sees nobody, and a public client "portal" to log in by.
# Passwords are made up anew each time. -features => what the server is to switch on.
sub new
{
	my ($class, %realms) = @_;
	my $features = delete $realms{-features};
	my $home = $ENV{VEDFOLNIR_KEYCLOAK};
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $self = bless { home => $home, port => $port, url => "http://127.0.0.1:$port", http => HTTP::Tiny->new(timeout => 60) }, $class;
	$self->{$_} = join('', map { sprintf '%02x', int rand 256 } 1 .. 12) for qw(secret password admin);
	# Servers of files that run at the same time share the directory of the distribution: one at a time starts from its import.
	open my $turn, '>', "$home/import.lock" or die "import.lock: $!";
	flock $turn, LOCK_EX or die "import.lock: $!";
	unlink glob("$home/data/import/*");
	make_path("$home/data/import");
	for my $realm (sort keys %realms)
	{
		append_to_file("$home/data/import/$realm.json", $json->encode($self->realm($realm, @{ $realms{$realm} })));
	}
	my $dir = PostgreSQL::Test::Utils::tempdir();
	$self->{log} = "$dir/keycloak.log";
	# start-dev keeps its data in memory here; what is compiled thoroughly pays only in servers that live long.
	local %ENV = (%ENV, HOME => $dir, KEYCLOAK_ADMIN => 'admin', KEYCLOAK_ADMIN_PASSWORD => $self->{admin},
		KC_BOOTSTRAP_ADMIN_USERNAME => 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD => $self->{admin},
		JAVA_OPTS_KC_HEAP => '-Xms64m -Xmx512m', JAVA_OPTS_APPEND => '-XX:TieredStopAtLevel=1');
	$self->{run} = IPC::Run::start([ "$home/bin/kc.sh", 'start-dev', '--import-realm', '--http-host', '127.0.0.1', '--http-port', $port,
		'--cache', 'local', '--db', 'dev-mem', '--log-level', 'warn', $features ? "--features=$features" : () ], '<', \undef, '>&', $self->{log});
	$self->{pid} = $self->{run}->{KIDS}->[0]->{PID};
	ListenerTest::note_start($self->{run});
	my $start = time;
	until ($self->{http}->get("$self->{url}/realms/master")->{success})
	{
		die "Keycloak ended:\n" . slurp_file($self->{log}) unless $self->{run}->pumpable;
		die "Keycloak did not start in 300 s:\n" . slurp_file($self->{log}) if time - $start > 300;
		sleep 0.5;
	}
	close $turn;
	$self->{took} = time - $start;
	return $self;
}

sub realm
{
	my ($self, $name, @users) = @_;
	my %client = (publicClient => JSON::PP::false, serviceAccountsEnabled => JSON::PP::true, standardFlowEnabled => JSON::PP::false, secret => $self->{secret});
	my $account = sub {
		my ($client, @roles) = @_;
		return { username => "service-account-$client", enabled => JSON::PP::true, serviceAccountClientId => $client,
			clientRoles => { 'realm-management' => [@roles] } };
	};
	return {
		realm => $name, enabled => JSON::PP::true, sslRequired => 'none', passwordPolicy => 'hashIterations(1000)',
		clients => [
			{ clientId => 'vedfolnir', %client },
			{ clientId => 'reader', %client },
			{ clientId => 'query', %client },
			{ clientId => 'portal', publicClient => JSON::PP::true, directAccessGrantsEnabled => JSON::PP::true },
		],
		users => [
			$account->('vedfolnir', qw(view-users manage-users)),
			$account->('reader', 'view-users'),
			$account->('query', 'query-users'),
			# Offline access is a role of each user, which an import does not give by itself.
			(map { { enabled => JSON::PP::true, firstName => 'First', lastName => 'Last', email => "$_->{username}\@example.org",
				realmRoles => ["default-roles-$name"], credentials => [ { type => 'password', value => $self->{password} } ], %$_ } } @users),
		],
	};
}

sub stop
{
	my ($self) = @_;
	ListenerTest::note_end($self->{run});
	$self->{run}->kill_kill(grace => 10);
	return;
}

# A form to the token endpoint: (status, answer).
sub token
{
	my ($self, $realm, %form) = @_;
	my $response = $self->{http}->post_form("$self->{url}/realms/$realm/protocol/openid-connect/token", \%form);
	return ($response->{status}, eval { $json->decode($response->{content}) } // {});
}

# A real login: gives the refresh token, or undef if it is refused.
sub login
{
	my ($self, $realm, $username, $scope) = @_;
	my ($status, $answer) = $self->token($realm, grant_type => 'password', client_id => 'portal', username => $username,
		password => $self->{password}, scope => $scope // 'openid');
	return $status == 200 ? $answer->{refresh_token} : undef;
}

# The status of using a refresh token: 200, or 400 if it is refused.
sub refresh
{
	my ($self, $realm, $token) = @_;
	my ($status) = $self->token($realm, grant_type => 'refresh_token', client_id => 'portal', refresh_token => $token);
	return $status;
}

# Gives the service account of a client roles of another client of its realm.
sub grant
{
	my ($self, $realm, $client, $owner, @roles) = @_;
	my ($id, $owner_id) = map { ($self->admin('GET', "$realm/clients?clientId=$_"))[1]->[0]->{id} } $client, $owner;
	my (undef, $account) = $self->admin('GET', "$realm/clients/$id/service-account-user");
	my (undef, $known) = $self->admin('GET', "$realm/clients/$owner_id/roles");
	my @granted = grep { my $role = $_->{name}; grep { $_ eq $role } @roles } @$known;
	die "roles of $owner: @roles" if @granted != @roles;
	my ($status) = $self->admin('POST', "$realm/users/$account->{id}/role-mappings/clients/$owner_id", \@granted);
	die "roles are not granted: status $status" if $status != 204;
	return $id;
}

# As the administrator of the server: (status, answer).
sub admin
{
	my ($self, $method, $path, $body) = @_;
	if (!$self->{admin_token} || time > $self->{admin_until})
	{
		my ($status, $answer) = $self->token('master', grant_type => 'password', client_id => 'admin-cli', username => 'admin', password => $self->{admin});
		die "the administrator is refused with $status" if $status != 200;
		@$self{qw(admin_token admin_until)} = ($answer->{access_token}, time + $answer->{expires_in} / 2);
	}
	my %request = (headers => { Authorization => "Bearer $self->{admin_token}", 'Content-Type' => 'application/json' });
	$request{content} = $json->encode($body) if $body;
	my $response = $self->{http}->request($method, "$self->{url}/admin/realms/$path", \%request);
	return ($response->{status}, $response->{content} ? eval { $json->allow_nonref->decode($response->{content}) } : undef);
}

# The user as the server has it, or undef.
sub user
{
	my ($self, $realm, $id) = @_;
	my ($status, $user) = $self->admin('GET', "$realm/users/$id");
	die "user: status $status" if $status != 200 && $status != 404;
	return $status == 200 ? $user : undef;
}

sub user_named
{
	my ($self, $realm, $username) = @_;
	my (undef, $found) = $self->admin('GET', "$realm/users?exact=true&username=$username");
	return $found->[0];
}

# A section of the listener's configuration.
sub service
{
	my ($self, $name, %more) = @_;
	my %options = (type => 'keycloak', url => $self->{url}, realms => 'central, shared', client_id => 'vedfolnir',
		client_secret => $self->{secret}, allow => 'public.images:identity', %more);
	return "[service $name]\n" . join('', map { "$_ = $options{$_}\n" } sort keys %options);
}

1;

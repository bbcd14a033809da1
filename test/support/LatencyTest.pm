# LatencyTest.pm: how soon the sessions of a deleted person are dead after the commit, in the database, in Redis and at
# Keycloak. Real deletions, each with one session of each kind that is looked at until it is refused.
package LatencyTest;
use strict;
use warnings;
use IO::Socket::UNIX;
use KeycloakTest;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $longest = 60;

sub new
{
	my ($class, $t, $k) = @_;
	my $self = bless { t => $t, k => $k, serial => 0, kinds => [ 'database', 'Redis', $k ? 'Keycloak' : () ] }, $class;
	$t->sql(<<SQL);
CREATE SCHEMA app;
CREATE TABLE app.users (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE app.sessions (token text PRIMARY KEY, user_id bigint NOT NULL REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.sessions (user_id);
INSERT INTO app.users SELECT n, 'customer-' || n FROM generate_series(1, 100000) AS n;
INSERT INTO app.sessions SELECT md5(n || random()::text), n FROM generate_series(1, 100000) AS n;
ANALYZE app.users, app.sessions;
SELECT vedfolnir_register_subject('app.users', 'id', 'name', subject => 'customer');
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 'app:session:{token}', 'sessions', subject => 'customer');
SQL
	$t->sql(q(SELECT vedfolnir_add_cleanup('app.users', 'identity', 'central/username={name}', 'keycloak', subject => 'customer'))) if $k;
	$self->{services} = $t->file_service('images')
		. "[service sessions]\ntype = redis\nsocket = $t->{redis_socket}\nallow = app.sessions:redis_key, public.images:redis_key\n"
		. $t->redis_service('cache') . ($k ? $k->service('keycloak', allow => 'app.users:identity, public.images:identity') : '');
	$self->{redis} = IO::Socket::UNIX->new(Peer => $t->{redis_socket}) or die;
	# Sessions of our own for the deletions and for the looks: what starting psql costs is not ours.
	for my $name (qw(deleter reader))
	{
		$self->{$name} = $t->node->background_psql('postgres');
		$self->{$name}->set_query_timer_restart;
		$self->{$name}->query_safe('SET client_min_messages = warning');
	}
	return $self;
}

# The people whom Keycloak must know.
sub customers { my ($count) = @_; return map { { id => "customer-$_", username => "customer-$_" } } 1 .. $count; }

sub redis { my ($self, $line) = @_; my $s = $self->{redis}; print $s "$line\r\n"; return scalar <$s>; }

# Other tasks: due ones of other services, and some of the same ones that wait for their next try.
sub backlog
{
	my ($self, $count) = @_;
	my $n = $count / 100;
	my $waiting = $self->{k} ? "(2, 'redis_key', 'sessions', '1 h'), (2, 'redis_key', 'sessions', '1 h'), (1, 'identity', 'keycloak', '1 h')"
		: "(2, 'redis_key', 'sessions', '1 h'), (2, 'redis_key', 'sessions', '1 h'), (2, 'redis_key', 'sessions', '1 h')";
	$self->{t}->sql("INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "SELECT gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending' FROM generate_series(1, $n)");
	$self->{t}->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target, run_after) "
		. "SELECT id, p, k, 'delete', s, 'backlog/' || n || id, now() + w::interval FROM (SELECT id FROM vedfolnir.deletion WHERE state = 'pending' "
		. "AND subject = 'user' LIMIT $n) AS d, generate_series(1, 10) AS n, (VALUES (3, 'file', 'images', '0'), (3, 'file', 'images', '0'), "
		. "(3, 'file', 'images', '0'), (3, 'file', 'images', '0'), (2, 'redis_key', 'cache', '0'), (2, 'redis_key', 'cache', '0'), "
		. "(2, 'redis_key', 'cache', '0'), $waiting) AS v(p, k, s, w)");
	return $self->{t}->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE target LIKE 'backlog%'));
}

# Deletes one person and gives the seconds from the commit until each session is dead.
sub probe
{
	my ($self) = @_;
	my $id = ++$self->{serial};
	my $token = $self->{reader}->query_safe("SELECT token FROM app.sessions WHERE user_id = $id");
	$self->redis("SET app:session:$token x");
	my $session = $self->{k} && ($self->{k}->login('central', "customer-$id") // die 'login failed');
	my %alive = (
		database => sub { return $self->{reader}->query_safe("SELECT count(*) FROM app.sessions WHERE token = '$token'") ne '0' },
		Redis => sub { return $self->redis("EXISTS app:session:$token") =~ /^:1/ },
		Keycloak => sub { return $self->{k}->refresh('central', $session) == 200 });
	for my $kind (@{ $self->{kinds} }) { die "the session in $kind is dead before the deletion" unless $alive{$kind}->(); }
	$self->{deleter}->query_safe("BEGIN; SELECT count(*) FROM vedfolnir_delete_user(${id}::bigint, dry_run => false, subject => 'customer')");
	my (%took, $start);
	$start = time;
	$self->{deleter}->query_safe('COMMIT');
	while (keys %took < @{ $self->{kinds} } && time - $start < $longest)
	{
		for my $kind (grep { !defined $took{$_} } @{ $self->{kinds} }) { $took{$kind} = time - $start unless $alive{$kind}->(); }
		sleep 0.0005;
	}
	$took{$_} //= $longest for @{ $self->{kinds} };
	return \%took;
}

# Probes so often, prints the figures, and gives the 99th percentile by kind.
sub measure
{
	my ($self, $what, $count) = @_;
	no warnings 'redefine';
	local *PostgreSQL::Test::BackgroundPsql::note = sub { }; # hundreds of queries would hide the figures
	my @all = map { sleep 0.01; $self->probe } 1 .. $count;
	my %p99;
	for my $kind (@{ $self->{kinds} })
	{
		my @times = sort { $a <=> $b } map { $_->{$kind} } @all;
		my $p = sub { return 1000 * $times[ int($_[0] * $#times + 0.5) ] };
		note(sprintf('%-28s %-9s %5d deletions  p50 %7.1f ms  p99 %7.1f ms  max %7.1f ms', $what, $kind, scalar(@times), $p->(0.5), $p->(0.99), 1000 * $times[-1]));
		$p99{$kind} = $p->(0.99) / 1000;
	}
	return \%p99;
}

sub end { my ($self) = @_; $self->{$_}->quit for qw(deleter reader); return; }

1;

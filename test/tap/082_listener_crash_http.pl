# kill -9 while identities are disabled and deleted and webhooks are sent: each is done in the end, in order, and the account of
# nobody else is touched (R54, R55, R58, R75).
use strict;
use warnings;
use FakeIdentityServer;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $listener = "$ENV{VEDFOLNIR_LISTENER}-faults";
-x $listener or die "$listener is not there: the listener with fault points was not built";
my $t = ListenerTest->new(listener => $listener, redis => 0);
my $fake = FakeIdentityServer->new("$t->{dir}/fake");
$t->add_rule('identity', 'keycloak', 'session');
$t->add_rule('webhook', 'hook', 'session');
$t->configure($fake->service('keycloak', realms => 'central, shared')
	  . "[service hook]\ntype = webhook\nurl = http://127.0.0.1:$fake->{port}/hook\nsecret = key\nallow = public.images:webhook\n",
	"batch = 2\nlease = 250ms\nbackoff_base = 10ms\nbackoff_cap = 50ms\nmax_attempts = 1000000\nlog_level = error");
$fake->add_user($_, 'bystander') for 'central', 'shared';

my $serial = 0;
sub add_person
{
	my $n = ++$serial;
	my $d = $t->deletion;
	$fake->add_user($_, "u$n") for 'central', 'shared';
	my $first = $t->task($d, 'identity', 'keycloak', "shared/u$n", phase => 4);
	$t->task($d, 'identity', 'keycloak', "central/u$n", phase => 4, depends_on => $first);
	$t->task($d, 'identity', 'keycloak', "$_/u$n", phase => 1, operation => 'disable') for 'central', 'shared';
	$t->task($d, 'webhook', 'hook', "u$n", operation => 'post');
	$fake->refuse('shared', 'DELETE', 500, 2) if $n % 3 == 0;    # a retry must not let the other account go first
	return;
}

my @points = qw(claimed effect before_settle settled);
my $wanted = $ENV{VEDFOLNIR_KILLS} // 40;
$wanted = 400 if $wanted > 400;
my %kills;
my ($kills, $start) = (0, time);
srand($ENV{VEDFOLNIR_SEED} // 1);
while ($kills < $wanted && time - $start < 120 + $wanted)
{
	add_person() while $t->sql('SELECT count(*) < 20 FROM vedfolnir.cleanup_task WHERE open') eq 't';
	my $point = $points[rand @points];
	local $ENV{VEDFOLNIR_FAULT} = $point . ':' . (1 + int(rand 4));
	my ($code, undef, $err) = $t->run('--once');
	if ($code eq 'signal 9') { $kills++; $kills{$point}++; }
	elsif ($code =~ /^[03]$/) { sleep 0.05; }
	else { fail("exit code $code: $err"); last; }
}
is($kills, $wanted, "$wanted kills in " . int(time - $start) . ' s');
cmp_ok($kills{$_} // 0, '>', 0, "killed at $_") for @points;
$t->{listener} = $ENV{VEDFOLNIR_LISTENER};
my $daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete'), 'every deletion is complete in the end', 60);
is($t->stop($daemon), 0, 'the listener ends');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'every task is settled');
cmp_ok($t->sql('SELECT max(attempts) FROM vedfolnir.cleanup_task'), '>', 1, 'some were given out again');
is($fake->users, 2, 'every account is gone but those of others');
is($fake->has_user('central', 'bystander') + $fake->has_user('shared', 'bystander'), 2, 'which are there');
my (%shared_gone, @early);
for ($fake->changes)
{
	my ($method, $realm, $user, $status) = m{^(\w+) (\w+)/(\w+) (\d+)} or next;
	next unless $method eq 'DELETE';
	$shared_gone{$user} = 1 if $realm eq 'shared' && $status < 500;
	push @early, $user if $realm eq 'central' && !$shared_gone{$user};
}
is("@early", '', 'no central account went before the shared one');
$fake->stop;
done_testing();

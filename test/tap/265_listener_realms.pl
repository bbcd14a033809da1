# Several listeners on one database never work on one realm at the same time, and still share different realms (R75).
use strict;
use warnings;
use FakeIdentityServer;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('identity', $_, 'session') for 'keycloak', 'twin';
my $fake = FakeIdentityServer->new("$t->{dir}/fake", delay => 0.02);
my $settings = "poll = 50ms\nbatch = 2\nlease = 5s\nlog_level = info";
my @realms = qw(central east west);
sub service { my ($name, @list) = @_; return $fake->service($name, realms => join(', ', @list)); }

# Two tasks an identity, as a rule makes them: disabled first, deleted last.
my $serial = 0;
sub queue
{
	my ($service, $realm, $count) = @_;
	my @ids;
	for (1 .. $count)
	{
		my $user = 'person-' . ++$serial;
		$fake->add_user($realm, $user);
		my $deletion = $t->deletion;
		push @ids, $t->task($deletion, 'identity', $service, "$realm/$user", phase => 1, operation => 'disable'),
			$t->task($deletion, 'identity', $service, "$realm/$user", phase => 4);
	}
	return @ids;
}
sub all_done { return q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete'); }

# What a claim gives is of no realm that a live lease holds.
my @held = queue('keycloak', 'central', 3);
my ($east) = queue('keycloak', 'east', 1);
sub reset_all { return $t->sql(q(UPDATE vedfolnir.cleanup_task SET state = 'available', lease_until = NULL, run_after = created_at)); }
sub claim { my ($worker, $batch) = @_; return $t->sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM vedfolnir_claim_tasks('$worker', $batch, '1 min')"); }
is(claim('w1', 1), $held[0], 'one task of a realm is claimed');
is(claim('w2', 9), $east, 'then others get none of this realm, but of another');
is(claim('w2', 9), '', 'nor later');
$t->sql("SELECT vedfolnir_fail_task($held[0], fence, 'not now', retry_after => '1 h') FROM vedfolnir.cleanup_task WHERE id = $held[0]");
is(claim('w2', 9), "$held[2] $held[4]", 'when it is settled, the rest of the realm is free');
is(claim('w1', 9), '', 'and held again');
$t->sql("UPDATE vedfolnir.cleanup_task SET lease_until = now() - interval '1 s' WHERE state = 'running' AND id <> $east");
is(claim('w3', 9), "$held[2] $held[4]", 'a lease that ended holds no realm');
reset_all();

# One realm in several spellings is one realm.
my $spelling = $t->deletion;
my @spelled = map { $t->task($spelling, 'identity', 'twin', "$_/x", phase => 4) } 'a-b', 'a%2Db', '%61%2db', 'a-b%2F', 'a%2', 'a%';
is($t->sql("SELECT count(*) FROM vedfolnir_claim_tasks('w1', 1, '1 min', services => '{twin}')"), 1, 'a realm is claimed');
is($t->sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM vedfolnir_claim_tasks('w2', 9, '1 min', services => '{twin}')"),
	"@spelled[3 .. 5]", 'and nothing of the same in another spelling, but others and what is malformed');
$t->sql("DELETE FROM vedfolnir.cleanup_task WHERE deletion_id = '$spelling'; DELETE FROM vedfolnir.deletion WHERE id = '$spelling'");

# A claim that is not committed yet: others wait for nothing and get no identity of the service, but all else.
my $file = $t->task($t->deletion, 'file', 'keycloak', 'a');
my $session = $node->background_psql('postgres');
is($session->query_safe("BEGIN; SELECT string_agg(id::text, ' ') FROM vedfolnir_claim_tasks('w1', 1, '1 min', ARRAY['identity'])"), $held[0], 'an open transaction claims');
my $asked = time;
is(claim('w2', 9), $file, 'others get no identity meanwhile');
cmp_ok(time - $asked, '<', 2, 'and do not wait for it to end');
$session->query_safe('COMMIT');
is(claim('w2', 9), $east, 'and afterwards none of its realm');
$session->quit;

# The isolation level does not matter: what was committed after the snapshot of the transaction counts.
reset_all();
$session = $node->background_psql('postgres');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class');
is(claim('w1', 1), $held[0], 'another claims after the snapshot was taken');
is($session->query_safe("SELECT string_agg(id::text, ' ' ORDER BY id) FROM vedfolnir_claim_tasks('w2', 9, '1 min', ARRAY['identity'])"), $east,
	'REPEATABLE READ: none of its realm');
$session->query_safe('ROLLBACK');
$session->quit;
$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion');

# Two listeners, three realms, each request slow enough to meet another.
$t->configure(service('keycloak', @realms), $settings);
queue('keycloak', $_, 8) for @realms;
my @pair = map { $t->start } 1 .. 2;
$t->wait_for_sql(all_done(), 'two listeners drain three realms', 120);
is($t->sql(q(SELECT string_agg(DISTINCT state, ' ') FROM vedfolnir.cleanup_task)), 'done', 'each task is done');
is($t->sql('SELECT max(attempts) FROM vedfolnir.cleanup_task'), 1, 'at the first attempt');
cmp_ok($t->sql('SELECT count(DISTINCT worker) FROM vedfolnir.cleanup_task'), '>', 1, 'by both');
my ($same, $different) = $fake->overlaps;
is($same, 0, 'no two requests of one realm at once');
cmp_ok($different, '>', 0, 'but of different realms') or note("$different");
is($t->stop($_), 0, 'a listener ends') for @pair;

# The same from two listeners that know one realm by different names of its service.
$fake->forget;
$fake->delay(0.1);
@pair = ();
for my $name ('keycloak', 'twin')
{
	$t->configure(service($name, 'central'), $settings);
	push @pair, $t->start;
	$t->wait_until(sub { $t->log($pair[-1]) =~ /connected: / }, "$name: connected");
}
queue($_, 'central', 3) for ('keycloak', 'twin') x 2;
$t->wait_for_sql(all_done(), 'both are drained', 120);
($same) = $fake->overlaps;
is($same, 0, 'no two requests of one realm at once, whatever its service is called');
is($t->sql(q(SELECT count(DISTINCT worker) FROM vedfolnir.cleanup_task WHERE kind = 'identity' AND service = 'twin')), 1, 'each does its own');
is($t->stop($_), 0, 'a listener ends') for @pair;

# The record sees an overlap when there is one.
$fake->forget;
$fake->ask_at_once('central', 'west', 'central');
is(join(' ', $fake->overlaps), '1 2', 'the fake records which requests met');

# A listener that dies holds its realm for its lease only.
$fake->forget;
$fake->delay(0.2);
$t->configure(service('keycloak', 'central'), "poll = 50ms\nbatch = 2\nlease = 2s");
queue('keycloak', 'central', 2);
my $daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) > 0 FROM vedfolnir.cleanup_task WHERE state = 'running'), 'a listener is at work');
is($t->stop($daemon, 'KILL'), 'signal 9', 'and killed');
$fake->delay(0.01);
$daemon = $t->start;
my $took = $t->wait_for_sql(all_done(), 'another takes the realm over', 30);
cmp_ok($took, '<', 10, 'soon after the lease ended');
is($fake->users, 0, 'every account is gone');
is($t->stop($daemon), 0, 'it ends');
$fake->stop;
done_testing();

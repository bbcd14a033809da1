# Accounts of one person are deleted in the order of the rules: the one that others depend on (a shared realm) first, the
# next only when it is gone, given up, or was never there. A server that refuses holds the order, of this person alone (R57).
use strict;
use warnings;
use FakeIdentityServer;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
my $fake = FakeIdentityServer->new("$t->{dir}/fake");
# By name "central" comes before "shared", and its rule is of the root table: only the order of declaration says otherwise.
my $schema = <<'SQL';
DROP TABLE IF EXISTS public.account, public.person;
DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion; DELETE FROM vedfolnir.cleanup_rule;
DELETE FROM vedfolnir.column_rule; DELETE FROM vedfolnir.subject WHERE subject = 'person';
CREATE TABLE public.person (id int PRIMARY KEY, name text);
CREATE TABLE public.account (id int PRIMARY KEY, person int NOT NULL REFERENCES public.person ON DELETE CASCADE, realm text, login text);
CREATE INDEX ON public.account (person);
INSERT INTO public.person SELECT g, 'n' FROM generate_series(1, 30) g;
INSERT INTO public.account SELECT g, g, 'shared', 's' || g FROM generate_series(1, 30) g;
SQL
my @rules = (q(SELECT vedfolnir_add_cleanup('public.account', 'identity', '{realm}/{login}', service => 'own', subject => 'person')),
	q(SELECT vedfolnir_add_cleanup('public.person', 'identity', 'central/c{id}', service => 'keycloak', subject => 'person')));
my $mode;

# A schema with thirty people, who have an account in each of two realms; rules are declared in the given order.
sub begin
{
	my (%options) = @_;
	$mode = $options{mode} // 'delete';
	$fake->forget;
	$fake->refuse($_, 'DELETE', 0) for 'shared', 'central';
	$t->sql($schema . "SELECT vedfolnir_register_subject('public.person', mode => '$mode', subject => 'person');"
		. join(';', @{ $options{rules} // \@rules }));
	$fake->add_user('central', "c$_"), $fake->add_user('shared', "s$_") for 1 .. 30;
	return;
}
sub remove { my (@people) = @_; $t->sql("SELECT count(*) FROM vedfolnir_delete_users('{" . join(',', @people) . "}', dry_run => false, subject => 'person')"); return; }

# The account deletions of each deletion as its chain says, of all that are queued.
sub chains
{
	return $t->sql(<<'SQL');
WITH RECURSIVE c AS (
    SELECT id, deletion_id, target FROM vedfolnir.cleanup_task WHERE operation = 'delete' AND kind = 'identity' AND depends_on IS NULL
    UNION ALL
    SELECT t.id, c.deletion_id, c.target || ' ' || t.target FROM c JOIN vedfolnir.cleanup_task t ON t.depends_on = c.id)
SELECT string_agg(target, ', ' ORDER BY target) FROM c WHERE NOT EXISTS (SELECT FROM vedfolnir.cleanup_task t WHERE t.depends_on = c.id)
SQL
}
my $services = join "\n", $fake->service('own', realms => 'shared, other', allow => 'public.account:identity, public.person:identity'),
	$fake->service('keycloak', realms => 'central', allow => 'public.account:identity, public.person:identity');
my $settings = "poll = 100ms\nbackoff_base = 100ms\nbackoff_cap = 200ms\nlog_level = info";
$t->configure($services, $settings);

# The order in which a listener asked the servers to delete accounts.
sub deletes { return join ', ', map { /^DELETE (\S+) (\d+)/ ? "$1 $2" : () } $fake->changes; }

# The chain as it is queued.
begin();
remove(1);
is(chains(), 'shared/s1 central/c1', 'the account of the first rule goes first');
is($t->sql('SELECT count(*) FROM vedfolnir.cleanup_task WHERE depends_on IS NOT NULL'), 1, 'only deletions of accounts wait for each other');
remove(2, 3, 4);
is(chains(), join(', ', map { "shared/s$_ central/c$_" } 1 .. 4), 'each person has a chain of their own');
begin(rules => [ reverse @rules ]);
remove(1);
is(chains(), 'central/c1 shared/s1', 'rules in another order, accounts too');
$t->sql($rules[0]);
remove(2);
is(chains(), 'central/c1 shared/s1, central/c2 shared/s2', 'a rule that is declared again keeps its place');
is(join(' ', $t->sql(q(SELECT line FROM vedfolnir_export_policy('person') line WHERE line LIKE '%cleanup%')) =~ /(central|realm)/g), 'central realm', 'the export keeps the order');

# The shared realm answers 503 first.
begin();
$fake->refuse('shared', 'DELETE', 503, 4);
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected');
remove(1);
$t->wait_for_sql(q(SELECT state = 'complete' FROM vedfolnir.deletion), 'a realm that is out of order for a while is waited for');
is(deletes(), join(', ', ('shared/s1 503') x 4, 'shared/s1 204', 'central/c1 204'), 'the central account is not touched before the shared one is gone');

# It refuses for good: the central account stays, the deletion asks for attention, and the queue says why.
$fake->forget;
$fake->add_user('central', 'c2'), $fake->add_user('shared', 's2');
$fake->refuse('shared', 'DELETE', 403);
$t->sql(q(SELECT vedfolnir_add_cleanup('public.person', 'webhook', 'person-{id}', service => 'elsewhere', subject => 'person')));
remove(2);
my $second = $t->sql(q(SELECT id FROM vedfolnir.deletion ORDER BY created_at DESC LIMIT 1));
$t->wait_for_sql("SELECT state = 'attention' FROM vedfolnir.deletion WHERE id = '$second'", 'one that refuses needs attention');
sleep 0.5;
ok($fake->has_user('central', 'c2'), 'the central account is still there');
is($t->sql("SELECT string_agg(kind || ' ' || operation || ' ' || state || ': ' || regexp_replace(waits_for, '\\d+', 'N') || ' ' || (held_by = (SELECT id FROM vedfolnir.cleanup_task WHERE state = 'dead')),
	E'\\n' ORDER BY id) FROM vedfolnir.waiting_tasks WHERE deletion_id = '$second' AND kind = 'identity'"), 'identity delete available: task N, which is dead true', 'the queue says what it waits for');
is($t->sql("SELECT waits_for FROM vedfolnir.waiting_tasks WHERE kind = 'webhook'"), 'tasks of an earlier phase', 'and what comes after it');
$t->sql("DELETE FROM vedfolnir.cleanup_task WHERE kind = 'webhook'; DELETE FROM vedfolnir.cleanup_rule WHERE kind = 'webhook'");

# Another person goes on; a retry continues where the order stopped.
$fake->add_user('central', 'c3'), $fake->add_user('shared', 's3');
$fake->refuse('shared', 'DELETE', 0);
remove(3);
$t->wait_for_sql(q(SELECT count(*) = 2 FROM vedfolnir.deletion WHERE state = 'complete'), 'other people are not held up');
ok($fake->has_user('central', 'c2'), 'the account is still held');
$t->sql(q(SELECT vedfolnir_retry_tasks(array_agg(id)) FROM vedfolnir.cleanup_task WHERE state = 'dead'));
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$second'", 'a retry continues');
is($fake->has_user('central', 'c2') + $fake->has_user('shared', 's2'), 0, 'both accounts are gone');

# Given up, or never there: the next one goes.
$fake->add_user('central', "c$_") for 4 .. 5;
$fake->add_user('shared', 's4');
$fake->refuse('shared', 'DELETE', 403);
remove(4);
$t->wait_for_sql(q(SELECT count(*) = 1 FROM vedfolnir.cleanup_task WHERE state = 'dead'), 'refused');
$t->sql(q(SELECT vedfolnir_abandon_tasks(array_agg(id), 'done by hand') FROM vedfolnir.cleanup_task WHERE state = 'dead'));
$t->wait_for_sql(q(SELECT count(*) = 1 FROM vedfolnir.deletion WHERE state = 'closed'), 'a task that is given up holds nothing');
is($fake->has_user('central', 'c4') . $fake->has_user('shared', 's4'), '01', 'the next account is gone, this one is somebody else\'s business');
$fake->refuse('shared', 'DELETE', 0);
remove(5);
$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state NOT IN ('complete', 'closed')), 'an account that is not there holds nothing');
is($fake->has_user('central', 'c5'), 0, 'the next is gone');
is($t->stop($daemon), 0, 'the listener ends');

# A listener in another process gets the second task when the first is settled, without a look of its own.
begin();
my @pair;
for my $own ($services =~ /(.*)(\[service keycloak.*)/s)
{
	$t->configure($own, "poll = 1h\nlog_level = info");
	push @pair, $t->start;
	$t->wait_until(sub { $t->log($pair[-1]) =~ /connected: / }, 'connected');
}
sleep 1;
remove(1);
my $took = $t->wait_for_sql(q(SELECT state = 'complete' FROM vedfolnir.deletion), 'two listeners with one realm each', 30);
cmp_ok($took, '<', 5, 'wake each other') if defined $took;
is($t->stop($_), 0, 'a listener ends') for @pair;
$t->configure($services, $settings);

# Who gave up the second of three does not free the third.
begin(rules => [ @rules, q(SELECT vedfolnir_add_cleanup('public.person', 'identity', 'other/o{id}', service => 'own', subject => 'person')) ]);
remove(1);
is(chains(), 'shared/s1 central/c1 other/o1', 'a chain of three');
$t->sql(q(UPDATE vedfolnir.cleanup_task SET state = 'done' WHERE operation = 'disable'));
$t->sql(q(SELECT vedfolnir_abandon_tasks(array_agg(id), 'test') FROM vedfolnir.cleanup_task WHERE operation = 'delete' AND target LIKE 'central%'));
sub claimed { return $t->sql(q(SELECT string_agg(target, ' ') FROM vedfolnir_claim_tasks('w', 9, '1 min'))); }
is(claimed(), 'shared/s1', 'the first is due, the third is not');
is($t->sql(q(SELECT regexp_replace(waits_for, '\d+', 'N') FROM vedfolnir.waiting_tasks WHERE service = 'own')), 'task N, which is running', 'it waits for the first');
$t->sql(q(SELECT vedfolnir_finish_tasks(array_agg(id), array_agg(fence), array_agg('done'::text)) FROM vedfolnir.cleanup_task WHERE state = 'running'));
is(claimed(), 'other/o1', 'now it is');

# One account that two rules name is one task, at the earlier place; also where targets do not fit into memory.
begin(rules => [ @rules, q(SELECT vedfolnir_add_cleanup('public.person', 'identity', 'shared/s{id}', service => 'own', subject => 'person')) ]);
remove(1);
is(chains(), 'shared/s1 central/c1', 'an account that two rules name');
$t->sql(q(INSERT INTO public.account SELECT g, 2, 'shared', 'x' || g FROM generate_series(1001, 3000) g));
$t->sql(q(SET work_mem = '64kB'; SET hash_mem_multiplier = 1; SELECT count(*) FROM vedfolnir_delete_user('2', dry_run => false, subject => 'person')));
is($t->sql(q(SELECT count(*) || ' ' || bool_and(c.id > t.id OR c.depends_on IS NOT NULL) || ' ' || (SELECT target FROM vedfolnir.cleanup_task z WHERE deletion_id = t.deletion_id AND operation = 'delete'
	AND NOT EXISTS (SELECT FROM vedfolnir.cleanup_task y WHERE y.depends_on = z.id)) FROM vedfolnir.cleanup_task t, vedfolnir.cleanup_task c
	WHERE t.operation = 'delete' AND t.deletion_id = c.deletion_id AND c.operation = 'delete' AND c.target = 'central/c2' AND t.target LIKE 'shared/%' GROUP BY t.deletion_id)),
	'2001 true central/c2', 'two thousand accounts before the central one');

# Batches: the central account is queued long before the shared one.
begin(rules => [ q(SELECT vedfolnir_add_cleanup('public.person', 'identity', 'shared/s{id}', service => 'own', subject => 'person')),
	q(SELECT vedfolnir_add_cleanup('public.account', 'identity', 'central/c{person}', service => 'keycloak', subject => 'person')) ]);
$t->sql(q(INSERT INTO public.account SELECT g, 1, 'shared', 's1' FROM generate_series(101, 120) g));
$node->safe_psql('postgres', q(CALL vedfolnir_delete_user_in_batches('1', batch_rows => 5, subject => 'person')));
is(chains(), 'shared/s1 central/c1', 'in batches the last transaction makes the order') or diag($t->sql('SELECT * FROM vedfolnir.cleanup_task'));

# A tombstone: what comes late is deleted under another id, and still not before the shared account of the first.
begin(mode => 'tombstone');
$t->sql("SELECT vedfolnir_set_column('public.person', 'name', 'NULL::text', subject => 'person')");
remove(1);
$t->sql(q(INSERT INTO public.account VALUES (1001, 1, 'other', 'late')));
remove(1);
is($t->sql('SELECT count(*) FROM vedfolnir.deletion'), 2, 'two deletions of one person');
is(chains(), 'shared/s1 central/c1 other/late central/c1', 'are one chain');
remove(2);
is(chains(), 'shared/s1 central/c1 other/late central/c1, shared/s2 central/c2', 'another person has another');
$fake->refuse('shared', 'DELETE', 503, 3);
$fake->add_user('other', 'late');
$daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete'), 'all is done');
like(deletes(), qr{^(shared/s\d 503, ){3}.*shared/s1 204.*central/c1 204.*other/late 204}, 'in this order');
is($t->stop($daemon), 0, 'the listener ends');

# Who keeps the order from being written gets no deletion.
begin();
$t->sql(q(CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER keep BEFORE UPDATE ON vedfolnir.cleanup_task FOR EACH ROW EXECUTE FUNCTION public.keep()));
my (undef, undef, $err) = $node->psql('postgres', "SELECT count(*) FROM vedfolnir_delete_user('1', dry_run => false, subject => 'person')");
like($err, qr/a trigger kept back 1 of 1 rows of vedfolnir\.cleanup_task/, 'a trigger that keeps the order back is an error');
is($t->sql('SELECT count(*) FROM public.person WHERE id = 1'), 1, 'and nothing was deleted');
$t->sql('DROP TRIGGER keep ON vedfolnir.cleanup_task');
$fake->stop;
done_testing();

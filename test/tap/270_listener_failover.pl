# The primary is lost and a standby promoted: the listener finds it by its connection string and goes on, the queue with it
# (R59, R85). And a schema that changes under a running listener (R86).
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0, init => [ allows_streaming => 1 ]);
my $primary = $t->node;
$t->add_rule('file', 'images', 'path');
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

my $serial = 0;
sub queue_files
{
	my ($node, $count) = @_;
	my $n = ++$serial;
	$t->write_file("mine/$n.$_") for 1 .. $count;
	my $id = $node->safe_psql('postgres', "INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) "
		. "VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id");
	$node->safe_psql('postgres', "INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
		. "SELECT '$id', 3, 'file', 'delete', 'images', 'mine/$n.' || i FROM generate_series(1, $count) AS i");
	return $id;
}
sub all_complete
{
	my ($node, $what) = @_;
	return $t->wait_until(sub { ($node->psql('postgres', q(SELECT count(*) = 0 FROM vedfolnir.deletion WHERE state <> 'complete')))[1] eq 't' }, $what, 60);
}

my $both = 'host=' . join(',', $primary->host, $standby->host) . ' port=' . join(',', $primary->port, $standby->port) . ' dbname=postgres user=worker';
$t->write_file("other/$_") for 1 .. 10;
$t->configure($t->file_service('images'), "poll = 300ms\nheartbeat = 500ms\nbatch = 5\nlease = 2s", $both);
my $daemon = $t->start;
queue_files($primary, 20);
all_complete($primary, 'done on the primary');

# Tasks are open, and some leased, when the primary goes: the root is not there, so nothing can be done before.
rename($t->root, $t->root . '.away') or die;
$t->{root} .= '.away';
my $held = queue_files($primary, 40);
$t->{root} =~ s/\.away$//;
$primary->safe_psql('postgres', q(SELECT count(*) FROM vedfolnir_claim_tasks('a worker that is gone', 5, '3 s')));
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
rename($t->root . '.away', $t->root) or die;
sleep 1.5;
ok(kill(0, $daemon->{pid}), 'the listener waits');
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'it does not work on a standby');
my $open = $standby->safe_psql('postgres', "SELECT count(*) FROM vedfolnir.cleanup_task WHERE deletion_id = '$held' AND open");
cmp_ok($open, '>', 0, "$open tasks are open there");
$standby->promote;
my $took = all_complete($standby, 'the new primary is found and the queue goes on');
cmp_ok($took, '<', 30, 'within 30 seconds') if defined $took;
queue_files($standby, 10);
all_complete($standby, 'and so does what is queued later');
is(join(' ', glob($t->root . '/mine/*')), '', 'every file is gone');
is(scalar(my @left = glob($t->root . '/other/*')), 10, 'those of others are there');
my $log = $t->log($daemon);
like($log, qr/database is back/, 'the log says so');
cmp_ok(scalar(() = $log =~ /^/mg), '<', 100, 'and is short');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state NOT IN ('done', 'skipped'))), 0, 'every task is settled');

# ALTER EXTENSION UPDATE to a version that this listener does not know, and back.
$standby->safe_psql('postgres', q(CREATE OR REPLACE FUNCTION vedfolnir_schema_version() RETURNS text LANGUAGE sql AS $$ SELECT '99.0'::text $$));
$standby->safe_psql('postgres', q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'worker'));
$t->wait_until(sub { $t->log($daemon) =~ /schema version 99\.0 of the extension is not known to this listener/ }, 'an update is noticed and named', 30);
queue_files($standby, 3);
sleep 1;
is($standby->safe_psql('postgres', 'SELECT count(*) FROM vedfolnir.cleanup_task WHERE open'), 3, 'nothing is claimed from a schema that is not known');
ok(kill(0, $daemon->{pid}), 'it waits for a version that it knows');
$standby->safe_psql('postgres', q(CREATE OR REPLACE FUNCTION vedfolnir_schema_version() RETURNS text LANGUAGE sql AS $$ SELECT '1.0'::text $$));
all_complete($standby, 'and works again');
is($t->stop($daemon), 0, 'the listener ends');
done_testing();

# The queue's functions: leases, fences, phases, what a deletion's state follows, and who may do what (R52 to R57, R62).
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('file', 'images', 'path');
my $claim = "SELECT id || ':' || fence FROM vedfolnir_claim_tasks('w1', 10, '1 min')";

sub clear { return $t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion'); }

# Gives the SQLSTATE of a failing statement, or 'ok'.
sub sqlstate
{
	my ($sql, $user) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql", on_error_stop => 1,
		extra_params => $user ? [ '-U', $user ] : []);
	return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $code == 0 ? 'ok' : $err;
}

# What the last claim gave.
sub fence { my ($id) = @_; return $t->sql("SELECT fence FROM vedfolnir.cleanup_task WHERE id = $id"); }

# A lease: taken once, raised fence, taken over when it ends.
my $deletion = $t->deletion;
my $id = $t->task($deletion, 'file', 'images', 'a');
like($t->sql($claim), qr/^$id:\d+$/, 'a task is claimed');
my $old = fence($id);
is($t->sql($claim), '', 'and not claimed twice');
is($t->sql("SELECT worker || ' ' || claimed_by || ' ' || attempts || ' ' || (lease_until > now() + '50 s') FROM vedfolnir.cleanup_task"),
	'w1 ' . $t->sql('SELECT session_user') . ' 1 true', 'worker, role, attempt and lease are noted');
$t->sql("UPDATE vedfolnir.cleanup_task SET lease_until = now() - interval '1 s'");
is($t->sql(q(SELECT id || ':' || attempts FROM vedfolnir_claim_tasks('w2', 10, '1 min'))), "$id:2", 'a lease that ended is given to another');
cmp_ok(my $new = fence($id), '>', $old, 'with another fence');
is($t->error($id), 'the lease ended before the task was settled', 'and noted');
is($t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$id], ARRAY[$old], ARRAY['done'])"), 0, 'the old fence settles nothing');
is($t->sql("SELECT vedfolnir_fail_task($id, $old, 'x')"), 'f', 'fails nothing');
is($t->sql("SELECT vedfolnir_extend_lease(ARRAY[$id], ARRAY[$old], '1 h')"), 0, 'extends nothing');
is($t->sql("SELECT vedfolnir_release_tasks(ARRAY[$id], ARRAY[$old])"), 0, 'releases nothing');
is($t->sql("SELECT vedfolnir_extend_lease(ARRAY[$id], ARRAY[$new], '1 h')"), 1, 'the new one extends');
is($t->sql("SELECT lease_until > now() + '59 min' FROM vedfolnir.cleanup_task"), 't', 'the lease');
is($t->sql("SELECT next_due > '59 min' FROM vedfolnir_queue_depth()"), 't', 'and nothing is due before it ends');
is($t->sql("SELECT vedfolnir_release_tasks(ARRAY[$id], ARRAY[$new])"), 1, 'releases');
is($t->sql('SELECT attempts FROM vedfolnir.cleanup_task'), 1, 'and the attempt does not count');
like($t->sql($claim), qr/^$id:/, 'it is there again');
$new = fence($id);
is($t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$id], ARRAY[$new], ARRAY['done'])"), 1, 'the right fence settles');
is($t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$id], ARRAY[$new], ARRAY['done'])"), 0, 'once');
is($t->sql("SELECT coalesce(target, '') || coalesce(errors::text, '') || (done_at IS NOT NULL) FROM vedfolnir.cleanup_task"), 'true',
	'R49: target and errors are blanked');
is($t->sql("SELECT state || (completed_at IS NOT NULL) FROM vedfolnir.deletion"), 'completetrue', 'the deletion is complete');
clear();

# An outage takes no attempt away from what fails after it, and is noted however long it is.
$deletion = $t->deletion;
$id = $t->task($deletion, 'file', 'images', 'a');
my $attempt = sub {
	my ($call, $message) = @_;
	$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now()');
	my ($task, $fence) = split /:/, $t->sql($claim);
	is($t->sql("SELECT $call($task, $fence, '$message')"), 't', "$call: $message");
};
my $noted = sub {
	return $t->sql("SELECT state || ' ' || attempts || ' ' || coalesce(outages, 0) || ' ' || jsonb_path_query_array(errors, '\$[*].message')::text"
		. ' FROM vedfolnir.cleanup_task');
};
$attempt->('vedfolnir_postpone_task', 'away') for 1 .. 2;
$attempt->('vedfolnir_fail_task', 'busy');
is($noted->(), 'retryable 3 2 ["away", "away", "busy"]', 'one entry per attempt');
$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now()');
is($t->sql("SELECT attempts FROM vedfolnir_claim_tasks('w', 1, '1 min')"), 2, 'a claim gives those that the task itself has taken');
clear();
$id = $t->task($t->deletion, 'file', 'images', 'a');
$t->sql("UPDATE vedfolnir.cleanup_task SET errors = (SELECT jsonb_agg(i) FROM generate_series(1, 1000) AS i)");
$attempt->('vedfolnir_postpone_task', 'away') for 1 .. 2;
is($t->sql("SELECT jsonb_array_length(errors) || (errors -> -1 ->> 'message') FROM vedfolnir.cleanup_task"), '1000away', 'an outage without end does not grow without end');
clear();

# Several workers at once never get the same task.
$deletion = $t->deletion;
$t->task($deletion, 'file', 'images', "f$_") for 1 .. 40;
my @sessions = map { $node->background_psql('postgres') } 1 .. 4;
$_->query_safe('BEGIN') for @sessions;
my @ids = map { split /\n/, $_->query_safe("SELECT id FROM vedfolnir_claim_tasks('w', 10, '1 min')") } @sessions;
$_->query_safe('COMMIT') for @sessions;
$_->quit for @sessions;
my %seen = map { $_ => 1 } @ids;
is(scalar(@ids) . ' ' . scalar(keys %seen), '40 40', 'four open transactions claim forty tasks, each once');
clear();

# Failures: one entry per attempt, waiting longer and longer, dead with the reason.
$deletion = $t->deletion;
$id = $t->task($deletion, 'file', 'images', 'a');
my @waits;
for my $attempt (1 .. 4)
{
	$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now()');
	$t->sql($claim);
	$t->sql("SELECT vedfolnir_fail_task($id, " . fence($id) . ", 'failure $attempt')");
	push @waits, $t->sql('SELECT extract(epoch FROM run_after - clock_timestamp()) FROM vedfolnir.cleanup_task');
}
is($t->sql(q(SELECT string_agg((e ->> 'attempt') || (e ->> 'message') || (e ? 'at') || (e ->> 'worker'), ' ' ORDER BY n) FROM
	vedfolnir.cleanup_task, jsonb_array_elements(errors) WITH ORDINALITY AS x(e, n))),
	join(' ', map { "${_}failure ${_}truew1" } 1 .. 4), 'one error entry per attempt');
ok($waits[0] <= 2 && $waits[0] > 0.8 && $waits[3] > 7 && $waits[3] <= 16, 'the wait grows') or diag("@waits");
is($t->state($id) . ' ' . $t->deletion_state($deletion), 'retryable pending', 'it is retryable, the deletion pending');
$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now()');
$t->sql($claim);
$t->sql("SELECT vedfolnir_fail_task($id, " . fence($id) . ", 'never', true)");
is($t->state($id) . ' ' . $t->deletion_state($deletion), 'dead attention', 'a permanent failure is dead, the deletion needs attention');
is($t->sql('SELECT target FROM vedfolnir.cleanup_task'), 'a', 'its target is kept');
is($t->sql("SELECT dead FROM vedfolnir_queue_depth()"), 1, 'the depth counts it');
is($t->sql("SELECT service || kind || state || tasks FROM vedfolnir.queue_status"), 'imagesfiledead1', 'so does queue_status');
is($t->sql("SELECT vedfolnir_prune_tasks('0')"), 0, 'dead is never pruned');
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 1, 'a person has it tried again');
is($t->state($id) . ' ' . $t->deletion_state($deletion), 'available pending', 'the deletion is pending again');
is($t->sql('SELECT attempts FROM vedfolnir.cleanup_task'), 0, 'with its attempts counted from zero');
$t->sql($claim);
$old = fence($id);
is($t->sql("SELECT vedfolnir_abandon_tasks(ARRAY[$id], 'the disk was shredded')"), 1, 'or gives it up');
is($t->state($id) . ' ' . $t->deletion_state($deletion), 'abandoned closed', 'then the deletion is closed, not complete');
is($t->sql("SELECT coalesce(target, '') || coalesce(errors::text, '') || reason FROM vedfolnir.cleanup_task"), 'the disk was shredded',
	'target and errors are blanked, the reason is kept');
is($t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$id], ARRAY[$old], ARRAY['done'])"), 0, 'who held it cannot settle it any more');
is($t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])"), 0, 'abandoned is final');
clear();

# Phases: a bad task holds up the later phases of its own deletion only, and only until it is dead.
my ($one, $two) = ($t->deletion, $t->deletion);
my $bad = $t->task($one, 'redis_key', 'sessions', 'k');
my $waiting = $t->task($one, 'file', 'images', 'a');
my $other = $t->task($two, 'file', 'images', 'b');
is($t->sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM vedfolnir_claim_tasks('w1', 10, '1 min')"), "$bad $other",
	'an open task holds up later phases of its deletion only');
$t->sql("SELECT vedfolnir_fail_task($bad, " . fence($bad) . ", 'no')");
is($t->sql($claim), '', 'so does one that waits');
$t->sql('UPDATE vedfolnir.cleanup_task SET run_after = now() WHERE id = ' . $bad);
$t->sql($claim);
$t->sql("SELECT vedfolnir_fail_task($bad, " . fence($bad) . ", 'no', true)");
like($t->sql($claim), qr/^$waiting:/, 'a dead one does not');
clear();
$deletion = $t->deletion;
my $first = $t->task($deletion, 'identity', 'kc', 'shared/x', phase => 4);
my $second = $t->task($deletion, 'identity', 'kc', 'central/x', phase => 4, depends_on => $first);
like($t->sql($claim), qr/^$first:/, 'a dependency within a phase is kept');
$t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$first], ARRAY[" . fence($first) . "], ARRAY['skipped'])");
like($t->sql($claim), qr/^$second:/, 'and released');
clear();

# Filters, batches, and the earliest phase first.
$deletion = $t->deletion;
my %task = map { $_ => $t->task($t->deletion, split(/ /, $_), 'x') } 'file images', 'directory images', 'redis_key sessions', 'file other';
is($t->sql("SELECT id FROM vedfolnir_claim_tasks('w', 1, '1 min')"), $task{'redis_key sessions'}, 'sessions before files');
is($t->sql("SELECT string_agg(kind || ' ' || service, ',') FROM vedfolnir_claim_tasks('w', 9, '1 min', ARRAY['directory', 'redis_key'])"),
	'directory images', 'by kind');
is($t->sql("SELECT string_agg(kind || ' ' || service, ',') FROM vedfolnir_claim_tasks('w', 9, '1 min', NULL, ARRAY['other'])"),
	'file other', 'by service');
is($t->sql("SELECT vedfolnir_unlock_worker('nobody')"), 0, 'unlocking a worker that holds nothing');
is($t->sql("SELECT vedfolnir_unlock_worker('w')"), 3, 'unlocking one that is gone');
is($t->sql("SELECT count(*) FROM vedfolnir_claim_tasks('v', 9, '1 min')"), 4, 'frees its tasks');
is($t->sql('SELECT leased FROM vedfolnir.worker_status'), '', 'worker_status knows heartbeats only');
$t->sql("SELECT vedfolnir_worker_heartbeat('v', '1.0', now() - interval '10 s', 100, 20, 3)");
is($t->sql("SELECT worker || ' ' || leased || ' ' || tasks_per_second || ' ' || (silent_for < '5 s') FROM vedfolnir.worker_status"),
	'v 4 12.0 true', 'worker, leases and throughput');
$t->sql('SELECT vedfolnir_finish_tasks(array_agg(id), array_agg(fence), array_agg(\'done\'::text)) FROM vedfolnir.cleanup_task');
is($t->sql("SELECT vedfolnir_prune_tasks('1 h')"), 0, 'young ones are not pruned');
is($t->sql("SELECT vedfolnir_prune_tasks('0')"), 4, 'old ones are');
clear();

# A deletion that is still running in batches keeps its state.
$deletion = $t->deletion;
$t->sql("UPDATE vedfolnir.deletion SET state = 'running'");
$id = $t->task($deletion, 'file', 'images', 'a');
$t->sql($claim);
is($t->sql("SELECT vedfolnir_finish_tasks(ARRAY[$id], ARRAY[" . fence($id) . "], ARRAY['done'])"), 1, 'its task is settled');
is($t->deletion_state($deletion), 'running', 'a running deletion is left alone');
clear();

# Two workers settle the last two tasks of a deletion at one moment: one of them completes it.
$deletion = $t->deletion;
$t->task($deletion, 'file', 'images', $_) for 'a', 'b';
my ($left, $right) = split /\n/, $t->sql('SELECT id FROM vedfolnir_claim_tasks(\'w\', 2, \'1 min\')');
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; SELECT vedfolnir_finish_tasks(ARRAY[$left], ARRAY[" . fence($left) . "], ARRAY['done'])");
my $second_session = $node->background_psql('postgres');
$second_session->query_until(qr/sent/, "\\echo sent\nSELECT vedfolnir_finish_tasks(ARRAY[$right], ARRAY[" . fence($right) . "], ARRAY['done']);\n");
$t->wait_for_sql("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'", 'the second one waits');
$session->query_safe('COMMIT');
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion", 'the deletion is complete');
$session->quit;
$second_session->quit;
clear();

# Whether a target is in use is answered for one's own leases only; row security does not hide the row that keeps it.
$deletion = $t->deletion;
$id = $t->task($deletion, 'file', 'images', 'in/use');
$t->sql(q(INSERT INTO public.images (id, path) VALUES (1, 'in/./use'); ALTER TABLE public.images ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY));
sub in_use { $node->safe_psql('postgres', "SELECT vedfolnir_targets_in_use(ARRAY[$id])", extra_params => [ '-U', shift // 'postgres' ]) }
sub leases { sqlstate("SELECT vedfolnir_require_leases(ARRAY[$id], ARRAY[" . fence($id) . "::bigint])", @_) }
is(in_use(), '', 'no answer without a lease');
is(leases(), '55000', 'which is no answer that nothing is in use');
$node->safe_psql('postgres', "SELECT vedfolnir_claim_tasks('w', 1, '1 min')", extra_params => [ '-U', 'worker' ]);
is(in_use(), '', "no answer about somebody else's lease");
is(leases(), '55000', 'nor is that one');
is(in_use('worker'), $id, 'an answer about one\'s own, past row security');
is(leases('worker'), 'ok', 'whose lease is held');
is(sqlstate("SELECT vedfolnir_require_leases(ARRAY[$id], ARRAY[" . (fence($id) - 1) . "])", 'worker'), '55000', 'not with another fence');
# To say nothing of a task whose lease has ended would mean that no row names its target.
$t->sql("UPDATE vedfolnir.cleanup_task SET lease_until = clock_timestamp()");
is(in_use('worker'), '', 'none when the lease has ended');
is(leases('worker'), '55000', 'and that is told');
is(sqlstate("SELECT vedfolnir_paths_in_use($id, " . fence($id) . ", ARRAY['in/use'])", 'worker'), '55000', 'paths are asked for a directory task only');
is(sqlstate("SELECT * FROM public.images", 'worker'), '42501', 'the worker itself may not read the table');
clear();

# Bad arguments.
for my $case (
	[ 'vedfolnir_claim_tasks(NULL, 1, \'1 min\')', '22004' ],
	[ 'vedfolnir_claim_tasks(\'w\', NULL, \'1 min\')', '22004' ],
	[ 'vedfolnir_claim_tasks(\'w\', 1, NULL)', '22004' ],
	[ 'vedfolnir_claim_tasks(\'w\', 0, \'1 min\')', '22023' ],
	[ 'vedfolnir_claim_tasks(\'w\', 10001, \'1 min\')', '22023' ],
	[ 'vedfolnir_claim_tasks(\'w\', 1, \'0\')', '22023' ],
	[ 'vedfolnir_claim_tasks(\'w\', 1, \'-1 min\')', '22023' ],
	[ 'vedfolnir_finish_tasks(NULL, \'{1}\', \'{done}\')', '22004' ],
	[ 'vedfolnir_finish_tasks(\'{1}\', \'{1,2}\', \'{done}\')', '22023' ],
	[ 'vedfolnir_finish_tasks(\'{1}\', \'{1}\', \'{dead}\')', '22023' ],
	[ 'vedfolnir_finish_tasks(\'{1}\', \'{1}\', \'{NULL}\')', '22023' ],
	[ 'vedfolnir_finish_tasks(\'{}\', \'{}\', \'{}\')', 'ok' ],
	[ 'vedfolnir_fail_task(1, 1, NULL)', '22004' ],
	[ 'vedfolnir_retry_tasks(NULL)', '22004' ],
	[ 'vedfolnir_abandon_tasks(\'{1}\', NULL)', '22004' ],
	[ 'vedfolnir_abandon_tasks(\'{1}\', \'\')', '22023' ],
	[ 'vedfolnir_unlock_worker(NULL)', '22004' ],
	[ 'vedfolnir_targets_in_use(NULL)', '22004' ],
	[ 'vedfolnir_targets_in_use(\'{NULL}\')', 'ok' ],
	[ 'vedfolnir_require_leases(NULL, \'{1}\')', '22004' ],
	[ 'vedfolnir_require_leases(\'{1}\', NULL)', '22004' ],
	[ 'vedfolnir_require_leases(\'{}\', \'{}\')', 'ok' ],
	[ 'vedfolnir_require_leases(\'{NULL}\', \'{1}\')', '55000' ],
	[ 'vedfolnir_require_leases(\'{1}\', \'{}\')', '55000' ],
  )
{
	is(sqlstate("SELECT $case->[0]"), $case->[1], "$case->[0] gives $case->[1]");
}

# Duties: the worker claims and settles, the operator gives up; nobody else does either.
# EXECUTE alone, as a careless GRANT gives it, is not enough.
$t->sql('CREATE ROLE stranger LOGIN; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO stranger');
for my $call ('vedfolnir_claim_tasks(\'w\', 1, \'1 min\')', 'vedfolnir_finish_tasks(\'{}\', \'{}\', \'{}\')', 'vedfolnir_fail_task(1, 1, \'x\')',
	'vedfolnir_extend_lease(\'{}\', \'{}\', \'1 min\')', 'vedfolnir_release_tasks(\'{}\', \'{}\')', 'vedfolnir_targets_in_use(\'{}\')',
	'vedfolnir_cleanup_sources()', 'vedfolnir_queue_depth()', 'vedfolnir_prune_tasks(\'1 h\')',
	'vedfolnir_worker_heartbeat(\'w\', \'1\', now(), 0, 0, 0)')
{
	is(sqlstate("SELECT $call", 'stranger'), '42501', "$call: not for everybody");
	is(sqlstate("SELECT $call", 'worker'), 'ok', "$call: for a worker");
}
for my $call ('vedfolnir_retry_tasks(\'{}\')', 'vedfolnir_abandon_tasks(\'{}\', \'x\')', 'vedfolnir_unlock_worker(\'w\')')
{
	is(sqlstate("SELECT $call", 'worker'), '42501', "$call: not for a worker");
}
is(sqlstate('SELECT * FROM vedfolnir.cleanup_task', 'worker'), '42501', 'the worker may not read the queue itself');

done_testing();

# The budget of replication lag: batches wait for a standby that is behind, stop when the time is over, and go on later.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;
use Time::HiRes qw(sleep time);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "client_min_messages = notice\nautovacuum = off\n");
$primary->start;
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf', "wal_receiver_status_interval = 1s\n");
$standby->start;

$primary->safe_psql('postgres', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION vedfolnir;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.visits (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE);
CREATE INDEX ON app.visits (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.visits SELECT g, 1 + g % 2 FROM generate_series(1, 2000) g;
SELECT vedfolnir_register_subject('app.users', 'id');
SQL
$primary->wait_for_catchup($standby);
my $audited = 'SELECT coalesce(sum(row_count), 0) FROM vedfolnir.audit_log';
my $call = "CALL vedfolnir_delete_user_in_batches('1', 100, max_lag => '300 ms'";

# A standby that keeps up costs nothing.
my ($code, $out, $err) = $primary->psql('postgres', "$call, max_rows => 300)");
like($err, qr/stopped: max_rows is reached; 300 rows deleted in 3 batches, about 701 rows left/, 'a standby that keeps up does not stop the batches');

# A standby that does not replay: the call waits, and stops when its time is over.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'") or die 'the standby does not pause';
$primary->safe_psql('postgres', 'SELECT txid_current(); SELECT pg_switch_wal()');
$primary->poll_query_until('postgres', "SELECT replay_lag > interval '400 ms' FROM pg_stat_replication") or die 'no lag is seen';
my $before = $primary->safe_psql('postgres', $audited);
my $started = time;
($code, $out, $err) = $primary->psql('postgres', "$call, max_duration => '2 s')");
is($code, 0, 'the call ends without an error');
like($err, qr/NOTICE:  waiting: a standby is further behind than max_lag/, 'it says that it waits');
like($err, qr/NOTICE:  stopped: max_duration is over, and a standby is further behind than max_lag/, 'and why it stopped');
like($err, qr/HINT:  Go on: CALL vedfolnir_delete_user_in_batches\('1', 100\);/, 'and how to go on');
cmp_ok(time - $started, '>', 1.9, 'after the time that was given');
is($primary->safe_psql('postgres', $audited), $before, 'nothing was deleted meanwhile');
is($primary->safe_psql('postgres', 'SELECT state FROM vedfolnir.deletion'), 'running', 'the deletion is running');

# It waits without holding a lock or a snapshot, can be cancelled, and goes on when the standby has caught up.
my %run = (out => '', err => '');
$run{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $primary->connstr('postgres') ], '<',
	\"SELECT 'pid', pg_backend_pid();\n$call);\n", '>', \$run{out}, '2>', \$run{err});
$run{handle}->pump until $run{out} =~ /pid\|(\d+)/;
my $pid = $1;
$primary->poll_query_until('postgres', "SELECT phase = 'wait' FROM vedfolnir.progress WHERE pid = $pid") or die 'it does not wait';
is($primary->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid AND locktype IN ('relation', 'advisory', 'tuple', 'transactionid')"), 0, 'it waits without a lock');
is($primary->safe_psql('postgres', "SELECT coalesce(backend_xid::text, '') || coalesce(backend_xmin::text, '') FROM pg_stat_activity WHERE pid = $pid"), '',
	'and without a transaction that holds back VACUUM');
my ($c2, $o2, $e2) = $primary->psql('postgres', "\\set VERBOSITY sqlstate\nCALL vedfolnir_delete_user_in_batches('1', 100)");
like($e2, qr/55006/, 'a second call for the same person is refused while the first one waits');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$run{handle}->finish;
is($primary->safe_psql('postgres', "SELECT state || ' ' || (SELECT sum(row_count) FROM vedfolnir.audit_log) FROM vedfolnir.deletion"), 'complete 1001',
	'it goes on when the standby has caught up, and the audit adds up');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM app.visits'), 1000, 'the standby has it too');

# Killed while it waits, between two transactions: the next call goes on.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'") or die 'the standby does not pause';
$primary->safe_psql('postgres', 'SELECT txid_current(); SELECT pg_switch_wal()');
$primary->poll_query_until('postgres', "SELECT replay_lag > interval '400 ms' FROM pg_stat_replication") or die 'no lag is seen';
$call =~ s/'1'/'2'/;
($code, $out, $err) = $primary->psql('postgres', "SET statement_timeout = '1500ms';\n\\set VERBOSITY sqlstate\n$call)");
like($err, qr/ERROR:  57014/, 'a time limit ends the waiting');
is($primary->safe_psql('postgres', "SELECT count(*) FROM vedfolnir.deletion WHERE state = 'running'"), 1, 'the deletion is on record');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
($code, $out, $err) = $primary->psql('postgres', "CALL vedfolnir_delete_user_in_batches('2', 100)");
is($primary->safe_psql('postgres', "SELECT string_agg(state, ' ') || ' ' || (SELECT sum(row_count) FROM vedfolnir.audit_log) FROM vedfolnir.deletion"), 'complete complete 2002',
	'and called again it is finished');

# Without the privilege the lag cannot be seen: said before anything is done. On a standby nothing can be deleted.
$primary->safe_psql('postgres', "CREATE ROLE plain; ALTER SCHEMA vedfolnir OWNER TO plain; INSERT INTO app.users VALUES (3)");
($code, $out, $err) = $primary->psql('postgres', "\\set VERBOSITY verbose\nCALL vedfolnir_delete_user_in_batches('3', 100, max_lag => '1 s')");
like($err, qr/ERROR:  42501: permission denied to see how far the standbys are behind.*HINT:  GRANT pg_read_all_stats TO plain;/s, 'a role that may not see the lag');
$primary->wait_for_catchup($standby);
($code, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\nCALL vedfolnir_delete_user_in_batches('3', 100)");
like($err, qr/25006/, 'on a standby it is refused');

done_testing();

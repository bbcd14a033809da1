# CALL vedfolnir_delete_user_in_batches(): killed at any moment it goes on where it stopped, nothing is audited twice, and
# what other sessions do between its batches costs no row that is not the person's.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = DeletionTest->new(conf => "autovacuum = off\nrestart_after_crash = on\n");
my $node = $t->node;

# Rows of two persons side by side. Relations are emptied in the order sessions, likes, comments, posts.
my $build = <<'SQL';
DROP SCHEMA IF EXISTS app CASCADE;
DROP EXTENSION IF EXISTS vedfolnir CASCADE;
CREATE EXTENSION vedfolnir;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, author int NOT NULL REFERENCES app.users ON DELETE CASCADE, body text);
CREATE TABLE app.comments (id int PRIMARY KEY, post int NOT NULL REFERENCES app.posts ON DELETE CASCADE, above int REFERENCES app.comments ON DELETE CASCADE);
CREATE TABLE app.likes (id int PRIMARY KEY, post int NOT NULL REFERENCES app.posts ON DELETE CASCADE, n int);
CREATE TABLE app.sessions (id int PRIMARY KEY, u int NOT NULL REFERENCES app.users ON DELETE CASCADE, n int);
CREATE INDEX ON app.posts (author); CREATE INDEX ON app.comments (post); CREATE INDEX ON app.comments (above);
CREATE INDEX ON app.likes (post); CREATE INDEX ON app.sessions (u);
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.posts SELECT g, 1 + g % 2 FROM generate_series(1, 100) g;
INSERT INTO app.likes SELECT g, 1 + g % 100, 0 FROM generate_series(1, 2000) g;
INSERT INTO app.comments SELECT g, 1 + g % 100, CASE WHEN g > 200 THEN g - 200 END FROM generate_series(1, 400) g;
INSERT INTO app.sessions SELECT g, 1 + g % 2, 0 FROM generate_series(1, 400) g;
SELECT vedfolnir_register_subject('app.users', 'id');
SELECT vedfolnir_add_cleanup('app.sessions', 'redis_key', 'session:{id}');
ANALYZE;
SQL
my $rows = 1 + 50 + 1000 + 200 + 200;

# What holds at every commit: no orphan, a row is either there or audited once, a task for each session that went.
my $sound = <<'SQL';
SELECT (SELECT count(*) FROM app.posts p LEFT JOIN app.users u ON u.id = p.author WHERE u.id IS NULL)
     + (SELECT count(*) FROM app.likes l LEFT JOIN app.posts p ON p.id = l.post WHERE p.id IS NULL)
     + (SELECT count(*) FROM app.comments c LEFT JOIN app.posts p ON p.id = c.post LEFT JOIN app.comments a ON a.id = c.above
         WHERE p.id IS NULL OR c.above IS NOT NULL AND a.id IS NULL)
     + (SELECT count(*) FROM app.sessions s LEFT JOIN app.users u ON u.id = s.u WHERE u.id IS NULL) || ' orphans, '
    || ((SELECT string_agg(x.r, ' ') FROM (
         SELECT r || ':' || there + coalesce((SELECT sum(row_count) FROM vedfolnir.audit_log WHERE relation = r AND action = 'delete'), 0) - had AS r
           FROM (VALUES ('app.users', (SELECT count(*) FROM app.users), 2), ('app.posts', (SELECT count(*) FROM app.posts), 100),
                        ('app.likes', (SELECT count(*) FROM app.likes), 2000), ('app.comments', (SELECT count(*) FROM app.comments), 400),
                        ('app.sessions', (SELECT count(*) FROM app.sessions), 400)) v(r, there, had)
          WHERE there + coalesce((SELECT sum(row_count) FROM vedfolnir.audit_log WHERE relation = r AND action = 'delete'), 0) <> had) x) IS NULL)
    || ', ' || (SELECT count(*) FROM vedfolnir.cleanup_task) - (400 - (SELECT count(*) FROM app.sessions)) || ' tasks off, '
    || (SELECT count(*) FROM vedfolnir.deletion WHERE state = 'running') - (SELECT count(*) FROM app.users WHERE id = 1
         AND EXISTS (SELECT FROM vedfolnir.deletion)) || ' running off'
SQL
my $ok = '0 orphans, true, 0 tasks off, 0 running off';

# A session in the background: its handle, output and pid.
sub background
{
	my ($sql, $db) = @_;
	my %run = (out => '', err => '');
	$run{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', ($db // $node)->connstr('postgres') ], '<',
		\"SELECT 'pid', pg_backend_pid();\n$sql\n", '>', \$run{out}, '2>', \$run{err});
	$run{handle}->pump until $run{out} =~ /pid\|(\d+)/;
	$run{pid} = $1;
	return \%run;
}
sub wait_until { my ($sql, $what) = @_; $node->poll_query_until('postgres', $sql) or die "waited in vain: $what"; }
sub wait_for_lock { my ($run) = @_; wait_until("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $run->{pid}", 'a lock wait'); }
sub kill_backend
{
	my ($run) = @_;
	kill 'KILL', $run->{pid};
	$run->{handle}->finish;
	sleep 0.1 until eval { $node->psql('postgres', 'SELECT 1') == 0 }; # psql may end before it has read anything
}

# A session that keeps a row locked until it is told otherwise.
sub locker
{
	my ($sql) = @_;
	my $in = "BEGIN;\n$sql;\nSELECT 'locked';\n";
	my %run = (out => '', err => '', in => \$in);
	$run{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$run{out}, '2>', \$run{err});
	$run{handle}->pump until $run{out} =~ /locked/;
	return \%run;
}
sub unlock { my ($run) = @_; ${ $run->{in} } .= "COMMIT;\n\\q\n"; $run->{handle}->finish; }

my $patient = "SET vedfolnir.lock_timeout = '120s';\nSET client_min_messages = notice;\n";

# Undisturbed: one look for all batches, and batches of the size that was asked for.
$t->sql($build);
my ($code, $out, $err) = $node->psql('postgres', "SET client_min_messages = debug1;\nCALL vedfolnir_delete_user_in_batches('1', 20)");
is(scalar(() = $err =~ /looking at what goes/g), 1, 'one look serves all batches');
like($err, qr/batches had deleted 1,250 rows before|batches had deleted 1,2\d\d rows before/, 'the last transaction says what went before');
is($t->sql($sound), $ok, 'undisturbed: sound');
is($t->sql("SELECT sum(row_count) FROM vedfolnir.audit_log"), $rows, 'undisturbed: every row is audited');
cmp_ok($t->sql("SELECT max(n) FROM (SELECT sum(row_count) AS n FROM vedfolnir.audit_log WHERE relation <> 'app.comments' GROUP BY xmin::text) x"), '<=', 51 + 200,
	'undisturbed: only the last transaction is larger than a batch');
is($t->sql("SELECT count(DISTINCT xmin::text) FROM vedfolnir.audit_log"), 10 + 50 + 1, 'undisturbed: sessions and likes go in batches, what hangs on a cycle at the end');

# Killed inside a batch: it waits for a row that another session has locked.
$t->sql($build);
my $lock = locker('SELECT FROM app.likes WHERE id = 1199 FOR UPDATE');
my $run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 20);");
wait_for_lock($run);
my $id = $t->sql("SELECT id FROM vedfolnir.deletion WHERE state = 'running'");
like($id, qr/^[0-9a-f-]{36}$/, 'the deletion is running');
is($t->sql($sound), $ok, 'inside a batch: what was committed is sound');
is($t->sql("SELECT deletion_id || ' ' || phase || ' ' || (rows_done > 100) FROM vedfolnir.progress"), "$id batch true", 'progress shows it');
# Meanwhile: nobody else may drive it; the row stays locked for too long for another.
is($t->sqlstate("CALL vedfolnir_delete_user_in_batches('1', 20)"), '55P03', 'a second call waits for the batch, as long as lock_timeout allows');
kill_backend($run);
eval { $lock->{handle}->finish; };
is($t->sql($sound), $ok, 'killed inside a batch: sound');
$t->sql("CALL vedfolnir_delete_user_in_batches('1', 20)");
is($t->sql($sound), $ok, 'killed inside a batch and called again: sound');
is($t->sql("SELECT count(*) || ' ' || min(id::text) FROM vedfolnir.deletion"), "1 $id", 'under the same id');
is($t->sql("SELECT sum(row_count) FROM vedfolnir.audit_log"), $rows, 'and the audit adds up');

# Killed between two batches: the next transaction waits for the root row.
$t->sql($build);
$lock = locker('SELECT FROM app.sessions WHERE id = 198 FOR UPDATE');
$run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 20);");
wait_for_lock($run);
# Queues up behind the batch for the root table, and keeps it. Waiting for the row would not do: the next batch may lock it first,
# while the queue for a table is fair.
my $root = background("BEGIN;\nLOCK TABLE app.users IN EXCLUSIVE MODE;\nSELECT pg_sleep(600);");
wait_for_lock($root);
unlock($lock);
wait_until("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $root->{pid}", 'the root table');
wait_for_lock($run);
is($t->sql("SELECT phase FROM vedfolnir.progress WHERE pid = $run->{pid}"), 'batch', 'between two batches');
my $audited = $t->sql('SELECT count(*) FROM vedfolnir.audit_log');
kill_backend($run);
eval { $root->{handle}->finish; };
is($t->sql('SELECT count(*) FROM vedfolnir.audit_log'), $audited, 'killed between two batches: nothing more');
is($t->sql($sound), $ok, 'killed between two batches: sound');
$t->sql("CALL vedfolnir_delete_user_in_batches('1', 33)");
is($t->sql($sound), $ok, 'killed between two batches and called again: sound');
is($t->sql("SELECT sum(row_count) FROM vedfolnir.audit_log"), $rows, 'and the audit adds up');

# Killed at moments spread over the whole, again and again, one deletion.
$t->sql($build);
$t->sql(<<'SQL');
CREATE FUNCTION app.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; END $$;
CREATE TRIGGER slow BEFORE DELETE ON app.likes FOR EACH ROW EXECUTE FUNCTION app.slow();
CREATE TRIGGER slow BEFORE DELETE ON app.comments FOR EACH ROW EXECUTE FUNCTION app.slow();
SQL
my ($kills, $times) = (0, 0);
while ($t->sql('SELECT count(*) FROM app.users WHERE id = 1') == 1 && $times++ < 12)
{
	$run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 30);");
	sleep 0.1 + 0.07 * $times;
	if ($run->{handle}->pumpable && $times < 9) { kill_backend($run); $kills++; } else { $run->{handle}->finish; }
	my $state = $t->sql($sound);
	is($state, $ok, "killed again, $times: sound") or last;
}
cmp_ok($kills, '>', 3, 'it was killed on the way');
is($t->sql("SELECT sum(row_count) || ' ' || count(DISTINCT deletion_id) FROM vedfolnir.audit_log"), "$rows 1", 'and the audit adds up, under one id');

# Two calls at once: while the first is between two batches or waits inside one, the second is refused.
$t->sql($build);
$lock = locker('SELECT FROM app.likes WHERE id = 1199 FOR UPDATE');
$run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 20);");
wait_for_lock($run);
my $second = background("${patient}\\set VERBOSITY verbose\nCALL vedfolnir_delete_user_in_batches('1', 20);");
wait_for_lock($second);
unlock($lock);
$second->{handle}->finish;
$run->{handle}->finish;
like($second->{err}, qr/ERROR:  55006: process $run->{pid} is deleting this user in batches already|nothing to do: already deleted/, 'the second call is refused');
is($t->sql($sound), $ok, 'two calls at once: sound');
is($t->sql("SELECT sum(row_count) || ' ' || count(DISTINCT deletion_id) FROM vedfolnir.audit_log"), "$rows 1", 'and nothing is audited twice');

# The ordinary call gets in between two batches and finishes the same deletion; the batches then say so.
$t->sql($build);
$lock = locker('SELECT FROM app.likes WHERE id = 1199 FOR UPDATE');
$run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 20);");
wait_for_lock($run);
$second = background("${patient}SELECT count(*) FROM vedfolnir_delete_user(1, false);");
wait_for_lock($second);
unlock($lock);
$second->{handle}->finish;
$run->{handle}->finish;
like($run->{err}, qr/nothing to do: already deleted/, 'the batches end when another call has finished the deletion');
ok($run->{handle}->result == 0, 'without an error');
is($t->sql($sound), $ok, 'finished by another call: sound');
is($t->sql("SELECT sum(row_count) || ' ' || count(DISTINCT deletion_id) FROM vedfolnir.audit_log"), "$rows 1", 'and the audit adds up');

# A lock that is not had in time: a clear error, and the same call goes on.
$t->sql($build);
$lock = locker('SELECT FROM app.likes WHERE id = 1199 FOR UPDATE');
($code, $out, $err) = $node->psql('postgres', "SET vedfolnir.lock_timeout = '200ms';\nCALL vedfolnir_delete_user_in_batches('1', 20)");
like($err, qr/lock timeout.*CONTEXT:.*deletion [0-9a-f-]{36} in batches: \d+ rows of this call committed so far, the same call goes on/s, 'lock timeout: what became of it');
unlock($lock);
$t->sql("CALL vedfolnir_delete_user_in_batches('1', 20)");
is($t->sql($sound), $ok, 'lock timeout and called again: sound');
is($t->sql("SELECT sum(row_count) || ' ' || count(DISTINCT deletion_id) FROM vedfolnir.audit_log"), "$rows 1", 'and the audit adds up');

# While the first relation is being emptied others change rows of the next ones. What is not the person's any more stays.
my %changes = (
	'a post goes to somebody else' => [ 'UPDATE app.posts SET author = 2 WHERE id = 2', 'SELECT count(*) FROM app.likes WHERE post = 2', 20, 1 ],
	'a like goes to a post of somebody else' => [ 'UPDATE app.likes SET post = 1 WHERE id = 101', 'SELECT count(*) FROM app.likes WHERE id = 101', 1, 0 ],
	'a post is touched' => [ "UPDATE app.posts SET body = 'x' WHERE id = 2", 'SELECT count(*) FROM app.likes WHERE post = 2', 0, 0 ],
	'a like is inserted' => [ 'INSERT INTO app.likes VALUES (9001, 2, 0)', 'SELECT count(*) FROM app.likes WHERE id = 9001', 0, 0 ],
	'the tables are written anew' => [ "UPDATE app.likes SET n = 1 WHERE id % 3 = 0;\nVACUUM FULL app.likes;\nCLUSTER app.posts USING posts_pkey", 'SELECT count(*) FROM app.likes WHERE post % 2 = 0', 0, 0 ],
	'all rows of a table are updated and vacuumed' => [ "UPDATE app.likes SET n = 1;\nVACUUM app.likes;\nINSERT INTO app.likes SELECT g + 10000, 1, 0 FROM generate_series(1, 1000) g", 'SELECT count(*) FROM app.likes WHERE id > 10000', 1000, 0 ]);
for my $what (sort keys %changes)
{
	my ($change, $question, $expected, $posts) = @{ $changes{$what} };
	$t->sql($build);
	$lock = locker('SELECT FROM app.sessions WHERE id = 198 FOR UPDATE');
	$run = background("${patient}CALL vedfolnir_delete_user_in_batches('1', 20);");
	wait_for_lock($run);
	$t->sql("$_;") for split /;\n/, $change;
	unlock($lock);
	$run->{handle}->finish;
	ok($run->{handle}->result == 0, "$what: the call ends well") or diag $run->{err};
	is($t->sql($question), $expected, "$what: what stays");
	is($t->sql("SELECT count(*) FILTER (WHERE author = 2) - 50 || ' ' || count(*) FILTER (WHERE author = 1) FROM app.posts"), "$posts 0", "$what: the posts");
	is($t->sql("SELECT (SELECT count(*) FROM app.likes l LEFT JOIN app.posts p ON p.id = l.post WHERE p.id IS NULL) + (SELECT count(*) FROM app.users WHERE id = 1)"), 0,
		"$what: the person is gone, and no orphan is left");
}

done_testing();

# What changes around a listener that works: its root is replaced, its database hands out bytes that are no text, and many
# tasks of many deletions fail at once for two workers (R54, R56, R64, R67).
use strict;
use warnings;
use File::Path qw(make_path);
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $t = ListenerTest->new(redis => 0, conf => "deadlock_timeout = 10ms\n");
my $node = $t->node;
my $root = $t->root;
$t->add_rule('file', 'images', 'path');
$t->add_rule('directory', 'images', 'folder');

# A root that is another directory than before holds nothing, and says nothing about what is gone.
$t->configure($t->file_service('images'), "backoff_base = 20ms\nbackoff_cap = 50ms\npoll = 100ms");
$t->write_file($_) for 'a', 'b';
my $daemon = $t->start;
my $id = $t->task($t->deletion, 'file', 'images', 'a');
$t->wait_for_sql("SELECT state = 'done' FROM vedfolnir.cleanup_task WHERE id = $id", 'a file is removed');
rename $root, "$root.away" or die;
make_path($root);
$id = $t->task($t->deletion, 'file', 'images', 'b');
my $directory = $t->task($t->deletion, 'directory', 'images', 'c');
$t->wait_for_sql("SELECT count(*) = 2 FROM vedfolnir.cleanup_task WHERE id IN ($id, $directory) AND errors IS NOT NULL", 'nothing is taken for gone in another directory');
like($t->error($id), qr/root of the service is another directory than before/, 'with the reason');
rmdir $root or die;
rename "$root.away", $root or die;
$t->wait_for_sql("SELECT state = 'done' FROM vedfolnir.cleanup_task WHERE id = $id", 'when it is back, the file is removed');
$t->wait_for_sql("SELECT state = 'skipped' FROM vedfolnir.cleanup_task WHERE id = $directory", 'and what was not there is skipped');
rename $root, "$root.old" or die;
make_path($root);
$id = $t->task($t->deletion, 'file', 'images', 'd');
$t->wait_for_sql("SELECT errors IS NOT NULL FROM vedfolnir.cleanup_task WHERE id = $id", 'another new root');
kill 'HUP', $daemon->{pid};
$t->wait_for_sql("SELECT state = 'skipped' FROM vedfolnir.cleanup_task WHERE id = $id", 'is accepted by a reload');
is($t->stop($daemon), 0, 'the listener ends');

# A reload takes the service away while its tasks are being done: they are settled or given back, and wait.
$t->configure($t->file_service('images'), "poll = 100ms\nbatch = 20\nlease = 10min");
$t->write_file("many/$_") for 1 .. 12000;
my $many = $t->deletion;
$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
	. "SELECT '$many', 3, 'file', 'delete', 'images', 'many/' || n FROM generate_series(1, 12000) AS n");
$daemon = $t->start;
$t->wait_for_sql(q(SELECT count(*) > 50 FROM vedfolnir.cleanup_task WHERE state = 'done'), 'at work');
$t->configure($t->file_service('others'));
kill 'HUP', $daemon->{pid};
$t->wait_until(sub { $t->log($daemon) =~ /configuration reloaded/ }, 'the service is taken away');
$t->wait_until(sub { $t->log($daemon) =~ /warn  service=images (\d+) tasks wait for a service that is not in the configuration/ }, 'the log says that its tasks wait');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'running')), 0, 'no lease is left behind');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'available')), scalar(() = glob("$root/many/*")), 'what is not done is there');
cmp_ok(scalar(() = glob("$root/many/*")), '>', 0, 'and some is');
$t->configure($t->file_service('images'));
kill 'HUP', $daemon->{pid};
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$many'", 'with the service back all is done');
is($t->sql("SELECT string_agg(DISTINCT state || attempts, ' ') FROM vedfolnir.cleanup_task WHERE deletion_id = '$many'"), 'done1', 'each once');
is($t->stop($daemon), 0, 'the listener ends');

# Two workers fail what lies mixed in many deletions: none waits for the other in a circle.
$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion');
$t->sql(q(INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, "session_user", "current_user", mode, state) )
	. q(SELECT gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending' FROM generate_series(1, 100); )
	. q(INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) )
	. q(SELECT id, 3, 'file', 'delete', 'images', '/' || n FROM vedfolnir.deletion, generate_series(1, 40) AS n ORDER BY random()));
$t->configure($t->file_service('images'), "poll = 50ms\nbatch = 100\nlog_level = error");
my $log_start = -s $node->logfile;
my @two = map { $t->start } 1 .. 2;
$t->wait_for_sql(q(SELECT count(*) = 4000 FROM vedfolnir.cleanup_task WHERE state = 'dead'), 'all of them are dead', 50);
is($t->stop($_), 0, 'a listener ends') for @two;
unlike(slurp_file($node->logfile, $log_start), qr/deadlock detected/, 'without a deadlock');
is($t->sql(q(SELECT max(attempts) FROM vedfolnir.cleanup_task)), 1, 'each at the first attempt');

# A database that does not know what its bytes mean: they are the names of files as they are.
$node->safe_psql('postgres', q(CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'));
$node->safe_psql('bytes', <<'SQL');
CREATE EXTENSION vedfolnir;
SELECT vedfolnir_grant('worker', 'worker');
CREATE TABLE public.images (id int PRIMARY KEY, path text, folder text);
SELECT vedfolnir_register_subject('images');
SELECT vedfolnir_add_cleanup('images', 'file', '= path', 'images'), vedfolnir_add_cleanup('images', 'directory', '= folder', 'images');
INSERT INTO images VALUES (1, E'd\xe9', NULL), (2, 'plain', 'album'), (3, E'album/\xe8', NULL);
SQL
$t->write_file($_) for "d\xe9", 'plain', "album/\xe8", "album/\xe7", 'album/x';
$t->configure($t->file_service('images'), '', 'host=' . $node->host . ' port=' . $node->port . ' dbname=bytes user=worker');
$node->safe_psql('bytes', q(SELECT vedfolnir_delete_users('{1,2}', false)));
my ($code, undef, $err) = $t->run('--once');
is($code, 0, 'a name that is no UTF-8 holds nothing up') or diag($err);
ok(!-e "$root/d\xe9", 'its file is removed');
ok(!-e "$root/plain", 'and the others');
ok(-e "$root/album/\xe8", 'a directory is emptied around a file that a row names by such a name');
is(join(' ', map { -e "$root/album/$_" ? 1 : 0 } "\xe7", 'x'), '0 0', 'what no row names goes');
done_testing();

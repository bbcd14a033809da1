# Files are removed by several threads at once, and nothing counts before its directory is synced (R67, R68, R54).
use strict;
use warnings;
use File::Path qw(make_path);
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
my $root = $t->root;
$t->add_rule('file', 'images', 'path');
$t->add_rule('directory', 'images', 'folder');

# A slow disk: each call takes SLOW_MS, and is told with how many of its kind were under way.
my $shim = PostgreSQL::Test::Utils::tempdir() . '/shim';
append_to_file("$shim.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static int under_way[2];
static int number(const char *name) { const char *text = getenv(name); return text ? atoi(text) : -1; }
static void begin(int kind) { __atomic_add_fetch(&under_way[kind], 1, __ATOMIC_SEQ_CST); usleep(number("SLOW_MS") * 1000); }
static void end(int kind, int fd, const char *what)
{
	char line[128];
	struct stat status;
	int error = errno, out = open(getenv("SLOW_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	fstat(fd, &status);
	if (write(out, line, sprintf(line, "%s %lu %d %d\n", what, (unsigned long) status.st_ino, under_way[kind], fd)) < 0) abort();
	close(out);
	__atomic_sub_fetch(&under_way[kind], 1, __ATOMIC_SEQ_CST);
	errno = error;
}
int unlinkat(int fd, const char *name, int flags)
{
	int code;
	begin(0);
	code = ((int (*)(int, const char *, int)) dlsym(RTLD_NEXT, "unlinkat"))(fd, name, flags);
	end(0, fd, flags ? "rmdir" : "unlink");
	return code;
}
int fsync(int fd)
{
	int code;
	begin(1);
	code = ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd);
	end(1, fd, "fsync");
	if (number("SLOW_FAIL") > 0) { errno = EIO; return -1; }
	return code;
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	static int made;
	if (number("SLOW_THREADS") >= 0 && __atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST) >= number("SLOW_THREADS")) return EAGAIN;
	return ((int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)) dlsym(RTLD_NEXT, "pthread_create"))(
		thread, attributes, start, argument);
}
C
PostgreSQL::Test::Utils::run_log([ 'cc', '-shared', '-fPIC', '-o', "$shim.so", "$shim.c", '-ldl' ]) or die 'no compiler';

# Tasks for targets that an SQL expression over i gives.
sub queue
{
	my ($count, $target, $kind) = @_;
	my $deletion = $t->deletion;
	$kind //= 'file';
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) SELECT '$deletion', 3, '$kind', "
		. "'delete', 'images', $target FROM generate_series(1, $count) AS i");
	return;
}
sub states { return $t->sql('SELECT string_agg(n, \' \' ORDER BY n) FROM (SELECT state || \'=\' || count(*) AS n FROM vedfolnir.cleanup_task GROUP BY state) AS s'); }
sub configure { my ($service, $listener) = @_; return $t->configure($t->file_service('images', $service), ($listener // '') =~ s/^(?!.*batch)/batch = 1000\n/sr); }

# Runs with the slow disk and gives (exit code, log, most unlinks and most fsyncs at a time, lines).
sub slowly
{
	my ($code, %environment) = @_;
	local %ENV = (%ENV, LD_PRELOAD => "$shim.so", SLOW_MS => 10, SLOW_LOG => "$shim.log", %environment);
	unlink $ENV{SLOW_LOG};
	my @result = $code->();
	my @lines = -e $ENV{SLOW_LOG} ? map { [split] } split /\n/, slurp_file($ENV{SLOW_LOG}) : ();
	my %most = (unlink => 0, fsync => 0);
	for my $line (@lines) { $most{ $line->[0] } = $line->[2] if ($most{ $line->[0] } // 0) < $line->[2]; }
	return (@result, \%most, \@lines);
}
sub once { my ($exit, undef, $err) = $t->run('--once'); return ($exit, $err); }

# Each directory in which something was removed is synced once, after the last removal.
sub are_synced_once
{
	my ($lines, $directories, $name) = @_;
	my (%unlinked_last, %synced, %times);
	for my $i (0 .. $#$lines)
	{
		my ($what, $inode) = @{ $lines->[$i] };
		if ($what eq 'unlink') { $unlinked_last{$inode} = $i; }
		if ($what eq 'fsync') { $synced{$inode} = $i; $times{$inode}++; }
	}
	is(scalar(keys %unlinked_last), $directories, "$name: $directories directories");
	is(scalar(grep { ($times{$_} // 0) != 1 || $synced{$_} < $unlinked_last{$_} } keys %unlinked_last), 0, "$name: each synced once, at its end");
	return;
}

# One directory with many files; the default is eight threads.
configure('');
$t->write_file("many/$_") for 1 .. 100;
queue(100, q('many/' || i));
my ($code, $err, $most, $lines) = slowly(\&once);
is("$code " . states(), '0 done=100', 'many files of one directory are done');
is($most->{unlink}, 8, 'eight at a time');
are_synced_once($lines, 1, 'many files');
is(join('', glob("$root/many/*")), '', 'and gone');

$t->sql('DELETE FROM vedfolnir.cleanup_task');
configure("threads = 1\n");
$t->write_file("many/$_") for 1 .. 20;
queue(20, q('many/' || i));
(undef, undef, $most) = slowly(\&once);
is(states() . ' ' . $most->{unlink}, 'done=20 1', 'threads = 1 removes one after the other');

# Many directories with a file or some each, one that is not there, and a large one between them.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
configure("threads = 4\n");
for my $i (1 .. 60) { $t->write_file("dir_$i/a"); $t->write_file("dir_$i/b"); }
$t->write_file("dir_30/more_$_") for 1 .. 40;
queue(60, q('dir_' || i || '/a'));
queue(60, q('dir_' || i || '/b'));
queue(40, q('dir_30/more_' || i));
queue(1, q('dir_none/a'));
queue(60, q('dir_' || i || '/gone'));
($code, $err, $most, $lines) = slowly(\&once);
is("$code " . states(), '0 done=160 skipped=61', 'many directories are done');
is($most->{fsync}, 4, 'they do not wait for one fsync after the other');
are_synced_once($lines, 60, 'many directories');
my @descriptors = sort { $a <=> $b } map { $_->[3] } @$lines;
cmp_ok($descriptors[-1] - $descriptors[0], '<', 12, 'few are open at a time');
is(join('', glob("$root/dir_*/*")), '', 'every file is gone');

# What was gone before may have been removed by a try that was cut off: it is synced as well, and an error of it counts.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
configure('', "backoff_base = 1h\nbackoff_cap = 1h\n");
$t->write_file("dir_1/$_") for 1 .. 20;
queue(30, q('dir_1/' || i));
($code, $err, $most, $lines) = slowly(\&once, SLOW_FAIL => 1);
is("$code " . states(), '3 retryable=30', 'without fsync nothing is done');
is($t->sql(q(SELECT DISTINCT errors -> -1 ->> 'message' FROM vedfolnir.cleanup_task)), 'directory cannot be synced: Input/output error', 'with the reason');
$t->sql('SELECT vedfolnir_retry_tasks(ARRAY(SELECT id FROM vedfolnir.cleanup_task))');
($code, $err, $most, $lines) = slowly(\&once);
is("$code " . states(), '0 skipped=30', 'the next try finds them gone');
is(scalar(grep { $_->[0] eq 'fsync' } @$lines), 1, 'and syncs the directory');

# One file that two tasks of a batch name is removed once.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
configure('');
$t->write_file("twice/$_") for 1 .. 40;
queue(40, q('twice/' || i)) for 1 .. 2;
($code, $err) = slowly(\&once);
is("$code " . states(), '0 done=40 skipped=40', 'a file of two tasks is done for one and skipped for the other');

# A directory task: the files of a level at once, around what a row names.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$t->sql(q(INSERT INTO public.images (id, path) VALUES (1, 'tree/7'), (2, 'tree/sub/7')));
for my $i (1 .. 50) { $t->write_file("tree/$i"); $t->write_file("tree/sub/$i"); $t->write_file("tree/own/$i"); }
link("$root/tree/9", "$root/other_link") or die;
queue(1, q('tree'), 'directory');
($code, $err, $most, $lines) = slowly(\&once);
is("$code " . states(), '0 done=1', 'a tree is done');
is($most->{unlink}, 8, 'eight files at a time');
is(join(' ', sort map { s{\Q$root/\E}{}r } split /\n/, `find $root/tree -type f`), 'tree/7 tree/sub/7', 'but for what rows name');
ok(!-e "$root/tree/own", 'a directory of it without such a file is gone');
like($err, qr/ 1 files have other hard links/, 'other hard links are counted');
like($err, qr/ 2 entries kept/, 'so is what was kept');
$t->write_file("mixed/$_") for 1 .. 50;
symlink('/', "$root/mixed/link") or die;
queue(1, q('mixed'), 'directory');
($code) = slowly(\&once);
is("$code " . $t->sql(q(SELECT errors -> -1 ->> 'message' FROM vedfolnir.cleanup_task WHERE state = 'dead')),
	'1 directory holds a symbolic link', 'what one thread refuses ends the task');

# A system that gives no more threads.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$t->write_file("few/$_") for 1 .. 40;
queue(40, q('few/' || i));
($code, $err, $most) = slowly(\&once, SLOW_THREADS => 2);
is("$code " . states() . " $most->{unlink}", '0 done=40 3', 'with fewer threads it goes on');
is(scalar(() = $err =~ /warn .*service=images going on with 3 of 8 threads: /g), 1, 'and says so once') or diag($err);

# SIGTERM in the middle of a directory: what was removed is settled, the rest is given back.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$t->write_file("long/$_") for 1 .. 400;
queue(400, q('long/' || i));
my ($exit, $took);
($exit, $took, $most, $lines) = slowly(
	sub {
		my $daemon = $t->start;
		$t->wait_until(sub { -s "$shim.log" }, 'files are being removed');
		my $start = time;
		return ($t->stop($daemon), time - $start);
	},
	SLOW_MS => 100);
is($exit, 0, 'the listener ends');
cmp_ok($took, '<', 2, 'and does not wait for the batch');
my $gone = 400 - (() = glob("$root/long/*"));
cmp_ok($gone, '<', 300, 'not all were removed');
is(states(), "available=" . (400 - $gone) . " done=$gone", "the $gone that are gone are done, the rest is given back");
are_synced_once($lines, 1, 'after the stop');

# The lease is renewed in the middle of a directory: a second listener gets nothing of it.
configure("threads = 2\n", "lease = 600ms\npoll = 100ms\n");
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$t->write_file("long/$_") for 1 .. 100;
queue(100, q('long/' || i));
slowly(
	sub {
		my @daemons = map { $t->start } 1 .. 2;
		$t->wait_for_sql(q(SELECT count(*) = 0 FROM vedfolnir.cleanup_task WHERE open), 'both drain the queue');
		$t->stop($_) for @daemons;
		return;
	},
	SLOW_MS => 50);
is(states() . ' ' . $t->sql('SELECT max(attempts) FROM vedfolnir.cleanup_task'), 'done=100 1', 'no task was given out twice');

# Somebody swaps the directory for a link to the outside meanwhile.
$t->sql('DELETE FROM vedfolnir.cleanup_task');
configure('', 'batch = 20');
make_path("$t->{dir}/outside", "$root/race");
append_to_file("$t->{dir}/outside/$_", 'x') for 1 .. 2000;
$t->write_file("race/real/$_") for 1 .. 2000;
symlink("$t->{dir}/outside", "$root/race/evil") or die;
my $attacker = fork // die;
if (!$attacker)
{
	for (;;)
	{
		rename("$root/race/$_", "$root/race/d") && rename("$root/race/d", "$root/race/$_") for 'evil', 'real';
	}
}
queue(2000, q('race/d/' || i));
$t->run('--once', '--log-level', 'error');
kill 'KILL', $attacker;
waitpid $attacker, 0;
is(scalar(() = glob("$t->{dir}/outside/*")), 2000, 'a race with a symbolic link touches nothing outside');
my %by_state = map { split /=/ } split / /, states();
note(states());
cmp_ok($by_state{dead} // 0, '>', 0, 'links were refused');
cmp_ok($by_state{done} // 0, '>', 0, 'and files removed');
my $left = 2000 - ($by_state{done} // 0);
is(scalar(() = `find $root/race -type f`), $left, 'those that are done and no others');

done_testing();

# Files and directories: what is refused, what is kept, what is repeated (R64 to R68, R42).
use strict;
use warnings;
use File::Path qw(make_path);
use ListenerTest;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new(redis => 0);
my $root = $t->root;
my $outside = "$t->{dir}/outside";
make_path("$outside/sub");
append_to_file("$outside/victim", 'x');
append_to_file("$outside/sub/victim", 'x');
$t->add_rule('file', 'images', 'path');
$t->add_rule('directory', 'images', 'folder');
$t->configure($t->file_service('images', "max_depth = 5\n"), 'max_attempts = 3');

# Runs one task of its own deletion and gives (state, message, exit code, log).
sub settle
{
	my ($kind, $target, %more) = @_;
	my $deletion = $t->deletion;
	my $id = $t->task($deletion, $kind, 'images', $target, %more);
	my ($code, $out, $err) = $t->run('--once');
	my @result = ($t->state($id), $t->error($id), $code, $err, $t->deletion_state($deletion));
	$t->sql("DELETE FROM vedfolnir.cleanup_task");
	return @result;
}

# Bad targets: dead at once, with the reason, and nothing is touched.
$t->write_file('keep/file');
for my $case (
	[ '/etc/hostname', 'absolute' ],
	[ '../outside/victim', 'contains ".."' ],
	[ 'keep/../../outside/victim', 'contains ".."' ],
	[ '', 'empty' ],
	[ '.', 'root directory itself' ],
	[ './/', 'root directory itself' ],
	[ 'x' x 256, 'longer than 255 bytes' ],
	[ 'x/' x 2200, 'longer than 4095 bytes' ],
	[ "keep/\x01a/b", 'a value inside the target contains a slash' ],
  )
{
	my ($target, $reason) = @$case;
	for my $kind ('file', 'directory')
	{
		my ($state, $message, $code, $err, $deletion) = settle($kind, $target);
		my $name = "$kind '" . substr($target, 0, 30) . "'";
		is($state, 'dead', "$name is dead");
		like($message, qr/\Q$reason\E/, "$name: the reason is kept");
		is("$code $deletion", '1 attention', "$name: exit code 1, deletion needs attention");
		unlike($err, qr/outside|hostname/, "$name: the log does not name it");
	}
}
ok(-e "$root/keep/file" && -e "$outside/victim", 'nothing was touched');

# Links, devices and the like.
symlink($outside, "$root/link") or die;
symlink("$outside/victim", "$root/linked_file") or die;
mkfifo("$root/fifo", 0600) or die;
for my $case (
	[ 'file', 'link/victim', 'a symbolic link is on the way' ],
	[ 'directory', 'link/sub', 'a symbolic link is on the way' ],
	[ 'directory', 'link', 'a symbolic link is on the way' ],
	[ 'file', 'linked_file', 'target is a symbolic link' ],
	[ 'file', 'fifo', 'not a regular file' ],
	[ 'file', 'keep', 'target is a directory' ],
	[ 'file', 'keep/file/x', 'not a directory' ],
	[ 'directory', 'keep/file', 'not a directory' ],
  )
{
	my ($kind, $target, $reason) = @$case;
	my ($state, $message) = settle($kind, $target);
	is($state, 'dead', "$kind $target is dead");
	like($message, qr/\Q$reason\E/, "$kind $target: the reason");
}
ok(-e "$outside/victim" && -e "$outside/sub/victim", 'nothing outside was touched');
ok(-l "$root/linked_file" && -p "$root/fifo", 'links and devices are left');
$t->configure($t->file_service('images', "symlinks = unlink\n"));
my ($state) = settle('file', 'linked_file');
is($state, 'done', 'symlinks = unlink removes the link');
ok(!-l "$root/linked_file" && -e "$outside/victim", 'and not what it points at');
$t->configure($t->file_service('images', "max_depth = 5\nmax_entries = 2500\n"), 'max_attempts = 3');

# Files of one spelling or another, odd names, hard links.
$t->write_file($_) for 'b/plain', "b/with space", 'b/-rf', "b/quote'd", 'b/linked';
link("$root/b/linked", "$root/hard") or die;
for my $target ('./b//plain', 'b/with space', 'b/-rf', "b/quote'd")
{
	is((settle('file', $target))[0], 'done', "$target is done");
}
my ($linked_state, undef, undef, $err) = settle('file', 'b/linked');
is($linked_state, 'done', 'a file with another hard link is removed');
like($err, qr/warn .*the data has 1 other hard links/, 'and the other link is reported');
ok(-e "$root/hard" && !-e "$root/b/linked", 'only the name is gone');
opendir(my $handle, "$root/b") or die;
is(join(',', grep { !/^\.\.?$/ } readdir $handle), '', 'the directory is empty');

# A row that stays names the file: it is asked again when the task is done.
$t->write_file('shared/one.jpg');
$t->sql(q(INSERT INTO public.images (id, path) VALUES (2, './shared//one.jpg')));
is((settle('file', 'shared/one.jpg'))[0], 'skipped', 'a file that a row names is skipped');
ok(-e "$root/shared/one.jpg", 'and stays');
is((settle('file', 'shared/one.jpg', shared => 'false'))[0], 'done', 'unless the row is expected to name it');
ok(!-e "$root/shared/one.jpg", 'then it goes');

# Directories: recursive, restartable, emptied around what is in use.
$t->write_file("user_1/$_") for 'a', 'x/b', 'x/y/c', 'x/y/z/d', '.hidden';
$t->write_file('user_12/a');
make_path("$root/user_1/empty/empty");
is((settle('directory', 'user_1/'))[0], 'done', 'a tree is done');
ok(!-e "$root/user_1", 'the tree is gone');
ok(-e "$root/user_12/a", 'the tree whose name begins with it is not');
is((settle('directory', 'user_1'))[0], 'skipped', 'a directory that is gone is skipped');

$t->write_file("user_2/$_") for 'own', 'deep/kept.jpg', 'deep/own', 'other/own', 'theirs/a', 'theirs/b/c';
$t->sql(q(INSERT INTO public.images (id, path) VALUES (3, 'user_2/deep/kept.jpg'); INSERT INTO public.images (id, folder) VALUES (4, 'user_2/theirs/')));
my ($around, undef, $around_code, $around_log) = settle('directory', 'user_2');
is("$around $around_code", 'done 0', 'a directory that holds a file in use is done');
like($around_log, qr/2 entries kept/, 'what was kept is counted');
is(join(' ', sort map { s{\Q$root/\E}{}r } split /\n/, `find $root/user_2 -type f`),
	'user_2/deep/kept.jpg user_2/theirs/a user_2/theirs/b/c', 'everything but what rows name is gone');

$t->write_file("big/$_") for 1 .. 6000;
my ($big, undef, $big_code, $big_log) = settle('directory', 'big');
is("$big $big_code", 'done 0', 'a directory above max_entries is done in several runs');
ok(!-e "$root/big", 'and gone');

$t->write_file('deep/1/2/3/4/5/6/file');
my ($deep, $deep_message) = settle('directory', 'deep');
is($deep, 'dead', 'a tree above max_depth is dead');
like($deep_message, qr/deeper than max_depth/, 'with the reason');
$t->write_file('mixed/file');
symlink($outside, "$root/mixed/link") or die;
($deep, $deep_message) = settle('directory', 'mixed');
is("$deep: $deep_message", 'dead: directory holds a symbolic link', 'a link in a tree is refused');
ok(-e "$outside/sub/victim", 'and not followed');

# The root itself.
$t->write_file('late');
my $deletion = $t->deletion;
my $late = $t->task($deletion, 'file', 'images', 'late');
rename($root, "$root.away") or die;
my ($code, $out) = $t->run('--check');
is($code, 2, '--check fails without the root');
like($out, qr/^files      FAIL images -> root of the service cannot be opened: No such file or directory$/m, 'and says why');
($code, undef, $err) = $t->run('--once');
is($code, 3, 'the task remains while the root is missing');
is($t->state($late), 'retryable', 'it is tried again');
like($err, qr/warn .*retry in .*root of the service cannot be opened/, 'the log says so');
rename("$root.away", $root) or die;
$t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$late])");
is(($t->run('--once'))[0], 0, 'it is done when the root is back');
$t->configure($t->file_service('images', "marker = .mounted\n"));
is(($t->run('--check'))[0], 2, 'a root without its marker is no root');
append_to_file("$root/.mounted", '');
is(($t->run('--check'))[0], 0, 'with its marker it is');
{
	$t->write_file('ro/file');
	chmod 0555, "$root/ro", $root or die;
	($code, $out) = $t->run('--check');
	chmod 0755, $root;
	is($code, 2, '--check fails on a root that cannot be written');
	like($out, qr/cannot be written to: Permission denied/, 'and says why');
	my ($ro, $ro_message) = settle('file', 'ro/file');
	is("$ro: $ro_message", 'dead: file cannot be removed: Permission denied', 'a directory without permission is a dead end');
	chmod 0755, "$root/ro";
}

# The list of the service: a rule that is not on it stops its kind, not the others.
$t->configure($t->file_service('images') =~ s/, public.images:directory//r);
make_path("$root/user_5");
$t->write_file('user_5.jpg');
$deletion = $t->deletion;
my $not_listed = $t->task($deletion, 'directory', 'images', 'user_5');
my $listed = $t->task($deletion, 'file', 'images', 'user_5.jpg');
my $other = $t->task($deletion, 'file', 'nowhere', 'user_5.jpg');
($code, undef, $err) = $t->run('--once');
is($code, 3, 'tasks of a rule that is not on the list remain');
is($t->state($not_listed) . ' ' . $t->state($listed), 'available done', 'only its kind waits');
ok(-d "$root/user_5", 'nothing was done');
like($err, qr/a clean-up rule is not on the list of this service, its kind waits: directory of public\.images/, 'the log says so');
like($err, qr/service=nowhere 1 tasks wait for a service that is not in the configuration/, 'so are tasks of other services');
($code, $out) = $t->run('--check');
is($code, 2, '--check fails');
like($out, qr/FAIL images .*rules that are not in allow: public\.images:directory/, 'and names the rule');

# The database cannot answer what is in use: nothing is removed on a guess.
$t->configure($t->file_service('images'));
$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.cleanup_rule');
$t->add_rule('file', 'images', 'path_that_was_renamed');
$t->add_rule('directory', 'images', 'folder');
$t->write_file('unknown');
my $unknown = $t->task($t->deletion, 'file', 'images', 'unknown');
is(($t->run('--once'))[0], 3, 'the task remains');
like($t->error($unknown), qr/could not ask what is still in use: 42703/, 'with the reason');
ok(-e "$root/unknown", 'and the file as well');

done_testing();

# A person comes back before a task that died is tried again: what a row names by then stays (R66, R69).
use strict;
use warnings;
use FakeIdentityServer;
use File::Path qw(make_path);
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new;
my $root = $t->root;
my $fake = FakeIdentityServer->new("$t->{dir}/fake");
$t->sql('DELETE FROM vedfolnir.subject; DROP TABLE public.images');

# Everything is wrong at first, for good: wrong passwords, a link on the way, roles that are missing.
sub wrong
{
	$t->redis_cli('CONFIG', 'SET', 'requirepass', 'other');
	$fake->refuse('r', $_, 403) for 'GET';
	rename "$root/f", "$root/elsewhere" or die;
	symlink "$root/elsewhere", "$root/f" or die;
	return;
}
sub right
{
	$t->redis_cli('-a', 'other', 'CONFIG', 'SET', 'requirepass', '');
	$fake->refuse('r', $_, 0) for 'GET';
	unlink "$root/f" or die;
	rename "$root/elsewhere", "$root/f" or die;
	return;
}
sub things { return join(' ', -e "$root/f/avatar" ? 1 : 0, -e "$root/f/home/letter" ? 1 : 0, $t->redis_cli('EXISTS', 'session:s1'), $fake->has_user('r', 'u1')); }

my $row = q(INSERT INTO public.images (id, name, path, folder, session, account) VALUES (1, 'somebody', 'f/avatar', 'f/home', 's1', 'u1'));
for my $case ([ 'delete', 'the row is inserted again', $row ],
	[ 'tombstone', 'its own row is filled in again', q(UPDATE public.images SET path = 'f/avatar', folder = 'f/home', session = 's1', account = 'u1' WHERE id = 1) ],
	[ 'delete', 'another person is given the same', $row =~ s/VALUES \(1/VALUES (2/r ],
	[ 'tombstone', 'another person is given the same', $row =~ s/VALUES \(1/VALUES (2/r ])
{
	my ($mode, $how, $back) = @$case;
	$t->sql('DROP EXTENSION vedfolnir; DROP TABLE IF EXISTS public.images');
	$t->sql(<<SQL);
CREATE EXTENSION vedfolnir;
SELECT vedfolnir_grant('worker', 'worker');
CREATE TABLE public.images (id int PRIMARY KEY, name text, path text, folder text, session text, account text);
SELECT vedfolnir_register_subject('images', 'id', 'name', '$mode');
SELECT vedfolnir_add_cleanup('images', 'file', '= path', 'images'), vedfolnir_add_cleanup('images', 'directory', '= folder', 'images'),
	vedfolnir_add_cleanup('images', 'redis_key', 'session:{session}', 'sessions'), vedfolnir_add_cleanup('images', 'identity', 'r/{account}', 'keycloak');
$row;
SQL
	$t->sql("SELECT vedfolnir_set_column('images', c, 'NULL') FROM unnest('{name,path,folder,session,account}'::name[]) c") if $mode eq 'tombstone';
	make_path("$root/f/home");
	$t->write_file($_) for grep { !-e "$root/$_" } 'f/avatar', 'f/home/letter';
	$t->redis_cli('SET', 'session:s1', 'x');
	$fake->forget;
	$fake->add_user('r', 'u1');
	$t->configure($t->file_service('images') . $t->redis_service('sessions') . $fake->service('keycloak', realms => 'r'), '');
	wrong();
	$t->sql("SELECT vedfolnir_delete_user('1', false)");
	my ($code, undef, $err) = $t->run('--once');
	is($code, 1, "$mode, $how: tasks are dead") or diag($err);
	is($t->sql("SELECT string_agg(DISTINCT state, ' ') || count(*) FROM vedfolnir.cleanup_task"), 'dead5', "$mode, $how: all of them");
	right();
	$t->sql($back);
	$t->sql('SELECT vedfolnir_retry_tasks(array_agg(id)) FROM vedfolnir.cleanup_task');
	($code, undef, $err) = $t->run('--once');
	is($code, 0, "$mode, $how: all are settled") or diag($err);
	# A tombstone never keeps what its own deletion is to remove: whether it was filled in again cannot be told.
	if ($how =~ /^its own/) { is(things(), '0 0 0 0', "$mode, $how: it is removed as asked"); next; }
	is(things(), '1 1 1 1', "$mode, $how: what the row names is there") or diag($err);
	is($t->sql("SELECT string_agg(kind || ' ' || state, ', ' ORDER BY id) FROM vedfolnir.cleanup_task WHERE state <> 'skipped'") // '', '', "$mode, $how: nothing is done");
	unlike(join(' ', $fake->changes), qr/DELETE|PUT/, "$mode, $how: no account is changed");
}

# Without the row the same tasks remove everything: the cases above can fail.
$t->sql('DROP EXTENSION vedfolnir; DROP TABLE public.images');
$t->sql("CREATE EXTENSION vedfolnir; SELECT vedfolnir_grant('worker', 'worker'); CREATE TABLE public.images (id int PRIMARY KEY, name text, path text, folder text, session text, account text);"
	. " SELECT vedfolnir_register_subject('images', 'id', 'name'); SELECT vedfolnir_add_cleanup('images', 'file', '= path', 'images'), vedfolnir_add_cleanup('images', 'directory', '= folder', 'images'),"
	. " vedfolnir_add_cleanup('images', 'redis_key', 'session:{session}', 'sessions'), vedfolnir_add_cleanup('images', 'identity', 'r/{account}', 'keycloak'); $row");
wrong();
$t->sql("SELECT vedfolnir_delete_user('1', false)");
$t->run('--once');
right();
$t->sql('SELECT vedfolnir_retry_tasks(array_agg(id)) FROM vedfolnir.cleanup_task');
is(($t->run('--once'))[0], 0, 'nobody comes back: all are settled');
is(things(), '0 0 0 0', 'and nothing is left');
$fake->stop;
done_testing();

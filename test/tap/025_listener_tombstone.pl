# What the row of a tombstone named is removed although that row goes on naming it, and is not removed if a row of anybody
# else names it by then (R64, R71): files, directories and Redis keys, whatever the type of the person's key.
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new;
my $node = $t->node;
my $root = $t->root;
$t->sql('CREATE EXTENSION citext');
$t->configure($t->file_service('images', "") =~ s/^allow.*/allow = public.person:file, public.person:directory, public.album:file, public.album:directory/mr
	  . $t->redis_service('sessions') =~ s/^allow.*/allow = public.person:redis_key/mr);

# People with a key of some type, who stay as tombstones with all that they name.
sub begin
{
	my ($type, $key, $partitioned) = @_;
	$t->sql(qq(DROP TABLE IF EXISTS public.album, public.person;
DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion; DELETE FROM vedfolnir.cleanup_rule; DELETE FROM vedfolnir.column_rule; DELETE FROM vedfolnir.subject;
CREATE TABLE public.person (id $type PRIMARY KEY, name text, avatar text, home text, session text)) . ($partitioned ? ' PARTITION BY LIST (id)' : '') . qq(;
@{[ $partitioned ? 'CREATE TABLE public.person_1 PARTITION OF public.person FOR VALUES IN (1, 3); CREATE TABLE public.person_2 PARTITION OF public.person DEFAULT;' : '' ]}
CREATE TABLE public.album (id int PRIMARY KEY, path text, folder text);
INSERT INTO public.person SELECT $key, 'name', 'avatar/' || n || '.jpg', 'home/' || n, 's' || n FROM generate_series(1, 4) AS n;
SELECT vedfolnir_register_subject('public.person', 'id', mode => 'tombstone');
SELECT vedfolnir_set_column('public.person', 'name', 'NULL::text');
SELECT vedfolnir_add_cleanup('public.person', 'file', '{avatar}', service => 'images');
SELECT vedfolnir_add_cleanup('public.person', 'directory', '{home}', service => 'images');
SELECT vedfolnir_add_cleanup('public.person', 'redis_key', 'session:{session}', service => 'sessions');
SELECT vedfolnir_add_cleanup('public.album', 'file', '{path}', service => 'images');
SELECT vedfolnir_add_cleanup('public.album', 'directory', '{folder}', service => 'images')));
	for my $n (1 .. 4)
	{
		$t->write_file($_) for grep { !-e "$root/$_" } "avatar/$n.jpg", map { "home/$n/$_" } 'a.jpg', 'b.jpg', 'deep/c.jpg';
		$t->redis_cli('SET', "session:s$n", 'x');
	}
	return;
}
sub remove { my (@keys) = @_; $t->sql("SELECT count(*) FROM vedfolnir_delete_users(ARRAY['" . join("','", @keys) . "'], dry_run => false)"); return; }
sub left { my ($n) = @_; return join ' ', (grep { -e "$root/$_" } "avatar/$n.jpg", map { "home/$n/$_" } 'a.jpg', 'b.jpg', 'deep/c.jpg'), $t->redis_cli('EXISTS', "session:s$n") ? 'session' : (); }
sub states { return $t->sql("SELECT string_agg(kind || ' ' || state, ', ' ORDER BY kind) FROM vedfolnir.cleanup_task"); }
my $everything = 'avatar/2.jpg home/2/a.jpg home/2/b.jpg home/2/deep/c.jpg session';

for my $case ([ 'int', 'n', 1, 2 ], [ 'uuid', "('00000000-0000-4000-8000-00000000000' || n)::uuid", '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002' ],
	[ 'numeric', "(n || '.50')::numeric", '1.5', '2.500' ], [ 'citext', "('Person-' || n)::citext", 'PERSON-1', 'person-2' ], [ 'text', "'p' || n", 'p1', 'p2' ],
	[ 'date', "'2026-01-01'::date + n", '2026-01-02', '2026-01-03' ], [ 'int', 'n', 1, 2, 'partitioned' ])
{
	my ($type, $key, $one, $two, $partitioned) = @$case;
	my $what = $partitioned ? 'a partitioned table' : "a key of type $type";
	begin($type, $key, $partitioned);
	remove($one);
	my ($code, undef, $err) = $t->run('--once');
	is($code, 0, "$what: all is done") or diag($err);
	is(states(), 'directory done, file done, redis_key done', "$what: each task") or diag($err);
	is(left(1), '', "$what: what the tombstone names is gone");
	is(left(2), $everything, "$what: what others name is there");

	# Somebody else takes over what was queued, before it is removed.
	remove($two);
	is($t->sql("UPDATE public.person AS p SET avatar = q.avatar, home = q.home, session = q.session FROM public.person AS q
		WHERE q.avatar = 'avatar/2.jpg' AND p.avatar = 'avatar/3.jpg' RETURNING p.avatar"), 'avatar/2.jpg', "$what: another person names it");
	($code, undef, $err) = $t->run('--once');
	is($code, 0, "$what: that is no failure") or diag($err);
	is($t->sql("SELECT string_agg(state, ' ') FROM vedfolnir.cleanup_task WHERE id > (SELECT max(id) - 3 FROM vedfolnir.cleanup_task)"), 'skipped skipped skipped', "$what: it is skipped");
	is(left(2), $everything, "$what: and stays");
}

# Rows of other tables, and below the directory.
begin('int', 'n');
$t->sql(q(UPDATE public.person SET avatar = 'home/1/a.jpg' WHERE id = 1));
remove(1, 2);
$t->sql(q(INSERT INTO public.album VALUES (1, 'home/1/b.jpg', NULL), (2, 'avatar/2.jpg', 'home/2/deep')));
my ($code, undef, $err) = $t->run('--once');
is($code, 0, 'all is done') or diag($err);
is(left(1), 'avatar/1.jpg home/1/b.jpg', 'a directory is emptied around what an album names, and not around what the tombstone names');
is(left(2), 'avatar/2.jpg home/2/deep/c.jpg', 'the file and the directory of another album stay');

# The row of a tombstone that names the directory, and a file in it, does not keep the directory; the row of anybody else does,
# even if it comes when the work has begun.
begin('int', 'n');
$t->sql(q(UPDATE public.person SET avatar = 'home/1/a.jpg' WHERE id = 1));
remove(1, 2);
$t->sql(q(UPDATE vedfolnir.cleanup_task SET run_after = 'infinity' WHERE kind = 'file'));
($code, undef, $err) = $t->run('--once');
ok(!-e "$root/home/1", 'the directory is gone as a whole') or diag($err);
begin('int', 'n');
remove(1);
my $task = $t->sql(q(SELECT id FROM vedfolnir.cleanup_task WHERE kind = 'directory'));
sub worker { my ($sql) = @_; return $node->safe_psql('postgres', $sql, extra_params => [ '-U', 'worker' ]); }
$t->sql(q(UPDATE vedfolnir.cleanup_task SET state = 'done' WHERE kind = 'redis_key'));
worker("SELECT vedfolnir_claim_tasks('w', 9, '1 min')");
my $fence = $t->sql("SELECT fence FROM vedfolnir.cleanup_task WHERE id = $task");
sub asked { return worker("SELECT string_agg(p, ' ' ORDER BY p) FROM vedfolnir_paths_in_use($task, $fence, ARRAY['home/1/a.jpg', 'home/1/b.jpg', 'home/10/x']) p"); }
is(asked(), '', 'nothing in it is in use');
$t->sql(q(UPDATE public.person SET avatar = 'home/1/b.jpg' WHERE id = 3));
is(asked(), 'home/1/b.jpg', 'until a row names a file');
$t->sql(q(UPDATE public.person SET home = 'home/1' WHERE id = 3));
is(asked(), 'home/1/a.jpg home/1/b.jpg home/1/b.jpg', 'or all of it');
is(worker("SELECT string_agg(u::text, ' ') FROM vedfolnir_targets_in_use(ARRAY[$task]) u"), $task, 'and the directory itself');

# Two people of one call who name the same: both rows stay, and neither keeps it for the other; a third one does.
begin('int', 'n');
$t->sql(q(UPDATE public.person SET avatar = 'avatar/1.jpg', home = 'home/1', session = 's1' WHERE id = 2));
remove(1, 2);
($code, undef, $err) = $t->run('--once');
is(left(1), '', 'what two tombstones name is removed') or diag($err);
begin('int', 'n');
$t->sql(q(UPDATE public.person SET avatar = 'avatar/1.jpg', home = 'home/1', session = 's1' WHERE id = 2));
remove(1, 2);
$t->sql(q(UPDATE public.person SET avatar = 'avatar/1.jpg', home = 'home/1', session = 's1' WHERE id = 3));
($code, undef, $err) = $t->run('--once');
is(left(1), 'avatar/1.jpg home/1/a.jpg home/1/b.jpg home/1/deep/c.jpg session', 'unless a living person names it') or diag($err);

# Another secret since, and none at all.
begin('int', 'n');
remove(1, 2);
$t->sql(q(INSERT INTO vedfolnir.secret (secret) SELECT decode(repeat('ab', 32), 'hex')));
($code) = $t->run('--once');
is(left(1) . left(2), '', 'a newer secret does not matter');
begin('int', 'n');
remove(1);
$t->sql(q(DELETE FROM vedfolnir.secret WHERE key_id = (SELECT key_id FROM vedfolnir.deletion)));
($code) = $t->run('--once');
is($code, 3, 'without the secret nobody can tell: the tasks wait');
like($t->sql(q(SELECT string_agg(errors::text, ' ') FROM vedfolnir.cleanup_task)), qr/could not ask what is still in use: 55000/, 'with the reason');
is(left(1), 'avatar/1.jpg home/1/a.jpg home/1/b.jpg home/1/deep/c.jpg session', 'and nothing is removed');
done_testing();

# Targets that nobody thought of: very long, empty, with control characters, and of databases that are not in UTF-8 (R51, R64).
use strict;
use warnings;
use FakeIdentityServer;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new;
my $node = $t->node;
my $root = $t->root;
my $fake = FakeIdentityServer->new("$t->{dir}/fake");
$t->add_rule('file', 'images', 'path');
$t->add_rule('directory', 'images', 'folder');
$t->add_rule('redis_key', 'sessions', 'session');
my $services = $t->file_service('images') . $t->redis_service('sessions') . $fake->service('keycloak', realms => 'r');

# Too long or empty: dead at once, whatever the kind, and the rest of the batch goes on.
my $long = 'long' x 262144;
my %dead;
my $deletion = $t->deletion;
for my $case ([ 'file', 'images', "d/" x 2048 . 'x' ], [ 'file', 'images', 'n' x 256 ], [ 'file', 'images', $long ], [ 'directory', 'images', $long ],
	[ 'redis_key', 'sessions', $long ], [ 'redis_pattern', 'sessions', $long ], [ 'identity', 'keycloak', "r/$long", phase => 4 ],
	[ 'identity', 'keycloak', "r/username=$long", phase => 4 ], [ 'identity', 'keycloak', 'r/', phase => 4 ], [ 'identity', 'keycloak', 'r/a%00b', phase => 4 ], [ 'redis_key', 'sessions', "s\x01t" ],
	map { [ $_, { file => 'images', directory => 'images' }->{$_} // 'sessions', '' ] } qw(file directory redis_key redis_pattern))
{
	my $id = $t->task($deletion, @$case);
	$dead{$id} = "$case->[0] of " . length($case->[2]) . ' bytes';
}
$t->write_file('f/short');
my $good = $t->task($deletion, 'file', 'images', 'f/short');
$t->configure($services, 'log_level = debug');
my ($code, undef, $err) = $t->run('--once');
is($code, 1, 'tasks are dead') or diag(substr($err, 0, 2000));
is($t->state($_), 'dead', "dead: $dead{$_}") for sort { $a <=> $b } keys %dead;
is($t->sql(q(SELECT count(DISTINCT attempts) || ' ' || max(attempts) FROM vedfolnir.cleanup_task)), '1 1', 'each at the first attempt');
is($t->state($good) . (-e "$root/f/short" ? 1 : 0), 'done0', 'what is as usual is done');
unlike($err, qr/longlong|nnnnnn|d\/d\//, 'no target is in the log');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE errors::text ~ 'longlong|nnnnnn')), 0, 'nor among the errors');
$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion');

# Many long ones do not fill the memory of the listener.
$deletion = $t->deletion;
$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) "
	. "SELECT '$deletion', 2, 'redis_key', 'delete', 'sessions', repeat('k', 1048576) || n FROM generate_series(1, 400) AS n");
($code, undef, $err) = do
{
	# More address space than this no listener of one service needs.
	my $limited = "$t->{dir}/limited.sh";
	append_to_file($limited, "#!/bin/sh\nulimit -v 700000\nexec $t->{listener} \"\$\@\"\n");
	chmod 0755, $limited;
	local $t->{listener} = $limited;
	$t->run('--once');
};
is($code, 1, 'four hundred targets of a megabyte') or diag(substr($err, 0, 2000));
is($t->sql(q(SELECT string_agg(DISTINCT state || ' ' || attempts, ',') FROM vedfolnir.cleanup_task)), 'dead 1', 'are dead at the first attempt');
$t->sql('DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.deletion');

# Characters that mean something elsewhere: in names of files and keys they are what they are.
my @odd = ("a\nb", "a\tb", "a\rb", "a\x02b", "a\x1b[31mb", "a\x7fb", ' a ', "a'b\"c", 'a\\b', 'a{b}', 'a%00b', 'a*b', '-rf', "a\xc2\x85b", "a\xe2\x80\xaeb");
$deletion = $t->deletion;
for (@odd)
{
	$t->write_file("odd/$_");
	$t->redis_cli('SET', "odd:$_", 'x');
	$t->task($deletion, 'file', 'images', "odd/$_");
	$t->task($deletion, 'redis_key', 'sessions', "odd:$_");
}
$t->write_file('odd/ab');
$t->redis_cli('SET', 'odd:ab', 'x');
($code, undef, $err) = $t->run('--once');
is($code, 0, 'odd characters') or diag($err);
is($t->sql("SELECT string_agg(DISTINCT state, ' ') FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion'"), 'done', 'each was found');
opendir(my $stream, "$root/odd") or die;
is(join(' ', grep { !/^\.\.?$/ } readdir $stream), 'ab', 'the files are gone, and no other');
is($t->redis_cli('KEYS', 'odd:*'), 'odd:ab', 'so are the keys');
is(scalar(my @lines = split /\n/, $err), scalar(() = $err =~ /^\d{4}-/mg), 'each line of the log begins as lines do');

# A database in another encoding: its paths reach the listener as UTF-8. What UTF-8 lacks is dead, and holds nothing up.
for my $case ([ 'WIN1252', "\xe9t\xe9", "\xc3\xa9t\xc3\xa9", "\x9cuvre", "\xc5\x93uvre", "x\x81y" ], [ 'LATIN1', "\xe9t\xe9", "\xc3\xa9t\xc3\xa9", "\x9cuvre", "\xc2\x9cuvre", undef ])
{
	my ($encoding, $first, $first_utf8, $second, $second_utf8, $bad) = @$case;
	my $db = lc $encoding;
	my $hex = sub { return "convert_from('\\x" . unpack('H*', $_[0]) . "', '$encoding')"; };
	$node->safe_psql('postgres', "CREATE DATABASE $db ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($db, <<'SQL');
CREATE EXTENSION vedfolnir;
SELECT vedfolnir_grant('worker', 'worker');
CREATE TABLE public.images (id int PRIMARY KEY, path text, folder text, session text);
SELECT vedfolnir_register_subject('images');
SELECT vedfolnir_add_cleanup('images', 'file', '= path', 'images'), vedfolnir_add_cleanup('images', 'directory', '= folder', 'images'),
	vedfolnir_add_cleanup('images', 'redis_key', '= session', 'sessions');
SQL
	$node->safe_psql($db, "INSERT INTO images VALUES (1, " . $hex->($first) . ", NULL, " . $hex->("s:$first") . "), (2, " . $hex->($second) . ", NULL, NULL), "
		. "(3, 'plain', 'album', NULL), (4, " . $hex->("album/$first") . ', NULL, NULL)');
	$node->safe_psql($db, 'INSERT INTO images VALUES (5, ' . $hex->($bad) . ', NULL, ' . $hex->("s:$bad") . ')') if $bad;
	$t->write_file($_) for $first_utf8, $second_utf8, 'plain', $first, "album/$first_utf8", "album/\xe6\x97\xa5\xe6\x9c\xac", 'album/x', "album/$first";
	$t->redis_cli('SET', "s:$first_utf8", 'x');
	$t->configure($t->file_service('images') . $t->redis_service('sessions'), '', 'host=' . $node->host . ' port=' . $node->port . " dbname=$db user=worker");
	$node->safe_psql($db, q(SELECT vedfolnir_delete_users('{1,2,3}', false)));
	$node->safe_psql($db, q(SELECT vedfolnir_delete_user('5', false))) if $bad;
	($code, undef, $err) = $t->run('--once');
	is($code, $bad ? 1 : 0, "$encoding: all is settled") or diag($err);
	is(join(' ', map { -e "$root/$_" ? 1 : 0 } $first_utf8, $second_utf8, 'plain'), '0 0 0', "$encoding: files are removed by their names in UTF-8");
	is(-e "$root/$first" ? 1 : 0, 1, "$encoding: the file whose name has the database's own bytes is another one");
	is($t->redis_cli('EXISTS', "s:$first_utf8"), 0, "$encoding: a key is removed by its name in UTF-8");
	is(join(' ', map { -e "$root/album/$_" ? 1 : 0 } $first_utf8, "\xe6\x97\xa5\xe6\x9c\xac", 'x', $first), '1 0 0 0',
		"$encoding: a directory is emptied around what a row names, also of names that the database could not hold");
	is($node->safe_psql($db, q(SELECT string_agg(DISTINCT errors -> -1 ->> 'message', ' ') FROM vedfolnir.cleanup_task WHERE state = 'dead')),
		$bad ? 'target is longer than 65536 bytes, or has a character that UTF-8 lacks' : '', "$encoding: only what UTF-8 lacks is dead");
	is($node->safe_psql($db, q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'dead')), $bad ? 2 : 0, "$encoding: as many as there are");
	unlink "$root/$first", "$root/album/$first_utf8";
}
$fake->stop;
done_testing();

# Many partitions take no more pages at a time than one, and many people who were deleted before no more memory.
use strict;
use warnings;
use DeletionTest;
use Test::More;

my $t = DeletionTest->new(conf => "autovacuum = off\nshared_buffers = 1MB\n");
# In each of 60 partitions the rows of person 4 lie on 8 pages; 128 pages fit into memory.
$t->sql(<<'SQL');
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
INSERT INTO app.users SELECT generate_series(1, 20);
CREATE TABLE app.logs (part int, u int REFERENCES app.users ON DELETE CASCADE, fill text) PARTITION BY LIST (part);
SELECT format('CREATE TABLE app.logs_%1$s PARTITION OF app.logs FOR VALUES IN (%1$s)', i) FROM generate_series(1, 60) AS i \gexec
INSERT INTO app.logs SELECT p, CASE WHEN g % 25 = 0 THEN 4 ELSE 20 END, repeat('x', 300) FROM generate_series(1, 60) AS p, generate_series(1, 200) AS g;
CREATE INDEX ON app.logs (u);
VACUUM ANALYZE app.logs;
SELECT vedfolnir_register_subject('app.users');
SQL
is($t->sql("SELECT row_count FROM vedfolnir_delete_user(4) WHERE relation = 'app.logs'"), 480, 'dry run over 60 partitions');
is($t->sql("SELECT row_count FROM vedfolnir_delete_user(4, false) WHERE relation = 'app.logs'"), 480, 'and the run');
is($t->sql('SELECT count(*) FROM app.logs WHERE u = 4'), 0, 'the rows are gone');

$t->sql(<<'SQL');
SELECT format('CREATE TABLE app.t%1$s (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE)', i) FROM generate_series(1, 200) AS i \gexec
SELECT format('CREATE INDEX ON app.t%1$s (u)', i) FROM generate_series(1, 200) AS i \gexec
CREATE TABLE app.notes (u int);
INSERT INTO app.users SELECT generate_series(1001, 1400);
SELECT vedfolnir_add_link('of_user', 'app.notes', 'app.users', columns => '{u}', action => 'delete');
SQL
for my $mode ('delete', 'tombstone')
{
	my $first = $mode eq 'delete' ? 1001 : 1201;
	my $people = sub { my ($n) = @_; return sprintf('(SELECT array_agg(i::text) FROM generate_series(%d, %d) AS i)', $first, $first + $n - 1) };
	$t->sql("SELECT vedfolnir_register_subject('app.users', mode => '$mode')");
	$t->sql("SELECT count(*) FROM vedfolnir_delete_users(" . $people->(200) . ", false)");
	my $peak = q{SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\s+(\d+) kB'))[1]};
	my ($before, $answered, $after) = split /\n/, $t->sql("SELECT 'x' FROM vedfolnir_delete_users(" . $people->(2) . ", false) LIMIT 0; $peak;"
		. "SELECT count(*) FILTER (WHERE action = 'already_deleted') FROM vedfolnir_delete_users(" . $people->(200) . ", false); $peak;");
	is($answered, 200, "$mode: each of 200 people is answered");
	cmp_ok($after - $before, '<', 20_000, "$mode: the memory of one look serves them all");
	note("$mode: from $before to $after kB");
}
done_testing();

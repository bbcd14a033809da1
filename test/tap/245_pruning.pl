# Pages of rows that go, or that a dry run only looks at, are not pruned on the way: it would be work and WAL for nothing (P9).
# Those of rows that are updated next are, for the room that their new versions need.
use strict;
use warnings;
use DeletionTest;
use Test::More;

my $t = DeletionTest->new(conf => "autovacuum = off\n");
# Each page is full and has a dead version in it when a person's row on it is looked up.
$t->sql(<<'SQL');
CREATE EXTENSION pg_walinspect;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, n int, fill text);
CREATE TABLE app.notes (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE SET NULL, n int, fill text);
INSERT INTO app.users SELECT generate_series(1, 1000);
INSERT INTO app.posts SELECT i, i % 1000 + 1, 0, repeat('x', 200) FROM generate_series(1, 30000) AS i;
INSERT INTO app.notes SELECT * FROM app.posts;
CREATE INDEX ON app.posts (u);
CREATE INDEX ON app.notes (u);
VACUUM ANALYZE;
SELECT vedfolnir_register_subject('app.users');
SQL
for my $table ('app.posts', 'app.notes') { $t->sql("UPDATE $table SET n = 1 WHERE id % 20 = 0"); }

# The tables that prune records of a call name.
sub pruned
{
	my ($call) = @_;
	my $start = $t->sql('SELECT pg_current_wal_insert_lsn()');
	$t->sql($call);
	$t->sql('CHECKPOINT');
	my $end = $t->sql('SELECT pg_current_wal_insert_lsn()');
	return $t->sql("SELECT string_agg(DISTINCT c.relname, ' ' ORDER BY c.relname) FROM pg_get_wal_records_info('$start', '$end') AS r JOIN pg_class AS c "
		. "ON r.block_ref LIKE '%rel %/' || pg_relation_filenode(c.oid) || ' %' WHERE r.record_type LIKE 'PRUNE%' AND c.relname IN ('posts', 'notes')");
}

# People with numbers far apart share no page.
is($t->sql('SELECT sum(row_count) FROM vedfolnir_delete_user(100) WHERE via IS NOT NULL'), 60, 'rows of both tables are met');
is(pruned('SELECT * FROM vedfolnir_delete_user(300)'), '', 'a dry run prunes nothing');
is(pruned('SELECT * FROM vedfolnir_delete_user(500, false)'), 'notes', 'a run prunes where it updates, not where it deletes');
is($t->sql('SELECT count(*) FROM app.posts WHERE u = 500'), 0, 'the rows are gone');
is($t->sql("SET effective_io_concurrency = 0; SELECT sum(row_count) FROM vedfolnir_delete_user(900, false) WHERE via IS NOT NULL"),
	60, 'the same where pages are not asked for ahead');
isnt(pruned('SELECT * FROM app.posts WHERE u = 700'), '', 'pages were there to be pruned');
done_testing();

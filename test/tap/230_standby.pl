# R34: on a hot standby a dry run, verify and check answer as on the primary, and a run is refused with 25006.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "client_min_messages = warning\n");
$primary->start;
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION vedfolnir;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, path text);
CREATE TABLE app.replies (id int PRIMARY KEY, post int REFERENCES app.posts ON DELETE CASCADE, above int REFERENCES app.replies ON DELETE CASCADE);
CREATE TABLE app.notes (u int REFERENCES app.users ON DELETE SET NULL);
CREATE TABLE app.held (u int REFERENCES app.users);
INSERT INTO app.users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cyd');
INSERT INTO app.posts VALUES (1, 1, 'p1'), (2, 2, 'p2');
INSERT INTO app.replies VALUES (1, 1, NULL), (2, NULL, 1), (3, 2, NULL);
INSERT INTO app.notes VALUES (1), (2);
INSERT INTO app.held VALUES (2);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}', on_expire => 'enqueue');
SELECT count(*) FROM vedfolnir_delete_user(3, false);
SQL
$primary->wait_for_catchup($standby);

for my $call ("vedfolnir_delete_user(1)", "vedfolnir_delete_user(2)", "vedfolnir_delete_users('{1,2}')", "vedfolnir_delete_user_by_name('Ada')",
	"vedfolnir_delete_user(3)", "vedfolnir_expire_sessions(1)", "vedfolnir_verify_user(1)", "vedfolnir_verify_user(3)", "vedfolnir_check()",
	"vedfolnir_suggest_policies()")
{
	my $expected = $primary->safe_psql('postgres', "SELECT * FROM $call");
	isnt($expected, '', "$call has an answer") if $call !~ /verify_user\(3\)/; # nothing is left of 3
	is($standby->safe_psql('postgres', "SELECT * FROM $call"), $expected, "R34: $call is the same on the standby");
}
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	is($standby->safe_psql('postgres', "BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM vedfolnir_delete_user(1); COMMIT"), 6, "R34: a dry run at $level");
}
for my $call ("vedfolnir_delete_user(1, false)", "vedfolnir_delete_users('{1}', false)", "vedfolnir_delete_user_by_name('Ada', false)",
	"vedfolnir_expire_sessions(1, false)", "vedfolnir_delete_user(1, false, request_id => gen_random_uuid())", "vedfolnir_register_subject('app.users')")
{
	my ($code, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT * FROM $call", on_error_stop => 1);
	like($err, qr/25006/, "R34: $call is refused on the standby");
}
# After the promotion it is a primary like any other: evidence and tasks have come along.
$standby->promote;
is($standby->safe_psql('postgres', "SELECT string_agg(action || ' ' || row_count, ', ' ORDER BY step) FROM vedfolnir_delete_user(1, false)"),
	'delete 1, delete 1, delete 1, delete 1, nullify 1, enqueue 1', 'the promoted standby deletes');
is($standby->safe_psql('postgres', "SELECT action FROM vedfolnir_delete_user(3, false)"), 'already_deleted', 'and knows what was deleted before');
done_testing();

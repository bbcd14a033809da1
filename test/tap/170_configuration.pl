# Somebody who has never seen the product configures a portal of some 170 tables with nothing but what it prints: each
# remedy runs as it is printed, and they lead to a check without errors and warnings and to a deletion that leaves nothing.
use strict;
use warnings;
use DeletionTest;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $root = $ENV{VEDFOLNIR_ROOT};
my $t = DeletionTest->new;
my $node = $t->node;
my $one = 'a0000000-0000-4000-8000-000000000001';
my $four = 'a0000000-0000-4000-8000-000000000004';

sub run_sql { my ($db, $sql) = @_; return $node->safe_psql($db, "SET client_min_messages = warning;\n$sql"); }

# The rows of a query, each as a hash.
sub rows
{
	my ($db, $query) = @_;
	return map { decode_json($_) } split /\n/, run_sql($db, "SELECT row_to_json(q)::text FROM ($query) q");
}

# Runs a remedy as it is printed, in a savepoint where that is possible; '' or what the server said.
sub type
{
	my ($db, $remedy) = @_;
	my $sql = $remedy =~ /CONCURRENTLY/ ? $remedy : "BEGIN;\nSAVEPOINT s;\n$remedy\nRELEASE s;\nCOMMIT;";
	my ($code, $out, $err) = $node->psql($db, "SET client_min_messages = warning;\n$sql", on_error_stop => 1);
	return $code == 0 ? '' : "$remedy\n$err";
}

sub portal
{
	my ($db) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', $db,
		map { ('-f', "$root/$_") } 'examples/tractusx/schema.sql', 'test/support/portal/schema.sql', 'examples/tractusx/data.sql',
		'test/support/portal/data.sql' ], "$db: schema and data");
	run_sql($db, 'CREATE EXTENSION vedfolnir');
}

# Follows every remedy until nothing but notices is left; the remedies that failed, and what is left.
sub follow
{
	my ($db, $subject, $sample) = @_;
	my (@failed, @left);

	for my $round (1 .. 6)
	{
		@left = rows($db, "SELECT * FROM vedfolnir_check('$subject', sample_values => $sample)");
		my @todo = grep { $_->{severity} ne 'notice' && defined $_->{remedy} } @left;
		last unless @todo;
		for my $finding (@todo)
		{
			my $error = type($db, $finding->{remedy});
			push @failed, $error if $error;
		}
	}
	return (join("\n", @failed), join("\n", map { "$_->{severity} $_->{code} $_->{object}: $_->{message}" } grep { $_->{severity} ne 'notice' } @left));
}

# Nothing is configured: the hint names the tables, and one call to type.
portal('stone');
cmp_ok(run_sql('stone', "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace IN ('portal'::regnamespace, 'provisioning'::regnamespace)"),
	'>', 160, 'more than 160 tables');
my (undef, undef, $said) = $node->psql('stone', "SELECT * FROM vedfolnir_delete_user('$one')");
like($said, qr/Register one: (SELECT vedfolnir_register_subject\('portal\.identities'\);)/, 'the hint proposes the table of people');
run_sql('stone', "SELECT vedfolnir_register_subject('portal.identities', mode => 'tombstone')");

# Before anything is decided the dry run shows what is in the way, each with a call that can be typed.
my @blocks = rows('stone', "SELECT * FROM vedfolnir_delete_user('$one') WHERE action = 'block'");
cmp_ok(scalar(@blocks), '>', 20, 'many edges are in the way');
is(join("\n", grep { !/: SELECT [^.]*\.[^;]*;$/ } map { $_->{note} } @blocks), '', 'each with a call');
is(join("\n", map { $_->{note} =~ /: (SELECT .*;)$/; run_sql('stone', "BEGIN;\n$1\nROLLBACK;") } @blocks), "\n" x (@blocks - 1), 'which runs as it is printed');
my %call = map { $_->{relation} . ' ' . $_->{edge} => $_->{action} } rows('stone', 'SELECT relation, edge, action FROM vedfolnir_suggest_policies()');
is(join("\n", grep { $_ } map {
		my ($relation, $edge, $action) = $_->{note} =~ /vedfolnir_set_policy\('((?:[^']|'')+)', '((?:[^']|'')+)', '(\w+)'/;
		($call{"$relation $edge"} // 'no suggestion') eq $action ? '' : "$relation $edge $action"; } @blocks), '', 'and is what is suggested');

run_sql('stone', 'SELECT vedfolnir_apply_suggestions()');
my ($failed, $left) = follow('stone', 'user', 'true');
is($failed, '', 'tombstone: every remedy runs as it is printed');
is($left, '', 'tombstone: they lead to a check without errors and warnings');
is($t->node->psql('stone', 'SELECT vedfolnir_assert_check()'), 0, 'tombstone: the assertion holds');
is(run_sql('stone', "SELECT string_agg(relation_name || ' ' || condition, ', ' ORDER BY 1) FROM vedfolnir.link WHERE condition IS NOT NULL AND relation_name IN ('attachments', 'reactions')"),
	q(attachments owner_type = 'Identity', reactions target_type = 'IDENTITY'), 'types are called as the data and the enumeration call them');
is(run_sql('stone', "SELECT count(*), count(DISTINCT link) FROM vedfolnir.link WHERE relation_name = 'external_participant_assignments'"), '2|2',
	'columns with long names that begin alike have links of their own');
is(run_sql('stone', "SELECT string_agg(relation_name || ' ' || link || ' ' || action, ', ' ORDER BY link) FROM vedfolnir.link WHERE relation_name = 'chat_rooms'"),
	'chat_rooms chat_rooms_member_ids nullify, chat_rooms chat_rooms_moderator_ids nullify', 'a person is taken out of a list, and the row stays');

# What only a person can decide, was left to refuse.
is(run_sql('stone', "SELECT string_agg(relation_name || ' ' || link, ', ' ORDER BY relation_name, link) FROM vedfolnir.link WHERE action = 'block'"),
	'job_results Result Data_owner_id, web_hooks payload_sender.id, web_hooks payload_user_id, web_hooks payload_watchers', 'keys in JSON refuse');
is($t->node->psql('stone', "SELECT * FROM vedfolnir_delete_user('$one', false)"), 3, 'until somebody decides');
run_sql('stone', "SELECT vedfolnir_set_policy(relation, link, 'delete') FROM vedfolnir.link WHERE action = 'block'");
my $everything = q(SELECT string_agg(format('SELECT %L AS t, x::text AS r FROM %s x', c.oid::regclass, c.oid::regclass), ' UNION ALL ')
	FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace IN ('portal'::regnamespace, 'provisioning'::regnamespace));
my $all = run_sql('stone', $everything);
my @before = rows('stone', "SELECT t, r FROM ($all) a WHERE r NOT LIKE '%$one%' AND r !~* 'yorick'");
is(run_sql('stone', "SELECT string_agg(DISTINCT action, ' ') FROM vedfolnir_delete_user('$one', false) WHERE action = 'block'"), '', 'the deletion runs');
is(run_sql('stone', "SELECT string_agg(kind || ' ' || relation || ' ' || via, ', ') FROM vedfolnir_verify_user('$one') WHERE kind <> 'retained'"), '', 'nothing is left');
is(run_sql('stone', "SELECT string_agg(t || ' ' || r, ', ') FROM ($all) a WHERE r ~* 'yorick|tansy'"), '', 'no row holds the name');
my %after = map { ("$_->{t} $_->{r}" => 1) } rows('stone', "SELECT t, r FROM ($all) a");
is(join("\n", grep { !$after{$_} } map { "$_->{t} $_->{r}" } @before), "portal.ticket_watchers (10000000-0000-4000-8000-000000000001,$four)",
	'of the rest only who watched the ticket of the person went, which was accepted');
is(run_sql('stone', "SELECT count(*) FROM portal.signatures WHERE email LIKE 'deleted-%' AND full_name = 'deleted'"), 1, 'columns that must have a value got one');

# The same people as rows that go, under another subject; the catalogue alone.
portal('rows');
run_sql('rows', "SELECT vedfolnir_register_subject('portal.identities', subject => 'person')");
@blocks = rows('rows', "SELECT * FROM vedfolnir_delete_user('$one', subject => 'person') WHERE action = 'block'");
is(join("\n", grep { !/subject => 'person'\);$/ } map { $_->{note} } @blocks), '', 'calls name the subject');
run_sql('rows', "SELECT vedfolnir_apply_suggestions('person')");
($failed, $left) = follow('rows', 'person', 'false');
is($failed, '', 'rows: every remedy runs as it is printed');
is($left, '', 'rows: they lead to a check without errors and warnings');

# 1,000 tables and 2,000 keys.
$node->safe_psql('postgres', 'CREATE DATABASE large');
run_sql('large', <<'SQL');
CREATE EXTENSION vedfolnir;
CREATE TABLE users (id bigint PRIMARY KEY, name text, email text);
SELECT vedfolnir_register_subject('users');
DO $$ BEGIN
	FOR i IN 1 .. 999 LOOP
		EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users %s, up bigint REFERENCES %s, editor_id bigint %s, body text)',
			i, CASE WHEN i % 2 = 0 THEN 'ON DELETE CASCADE' END, CASE WHEN i < 10 THEN 'users' ELSE 't' || i / 3 END,
			CASE WHEN i <= 2 THEN 'REFERENCES users' END);
	END LOOP;
END $$;
SQL
is(run_sql('large', "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace), (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace)"),
	'1000|2000', '1,000 tables, 2,000 keys');
my $best = 1000;
for (1 .. 4)
{
	my $start = time;
	cmp_ok(run_sql('large', "SELECT count(*) FROM vedfolnir_check()"), '>', 1000, 'check() has findings');
	$best = time - $start if time - $start < $best;
}
diag(sprintf('check() with 1,000 tables and 2,000 keys: %.2f s', $best));
cmp_ok($best, '<', 1, 'check() with 1,000 tables and 2,000 keys answers in under a second');
done_testing();

# Who may what (R38, R39, R41, R42, R43): nobody without a duty runs a deletion, reads counts, forges evidence or queues tasks.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = DeletionTest->new(conf => "log_min_error_statement = panic\nlog_statement = none\n");

$t->sql(<<'SQL');
CREATE ROLE nobody LOGIN;
CREATE ROLE careless LOGIN;
CREATE ROLE viewer LOGIN;
CREATE ROLE operator LOGIN;
CREATE ROLE bare LOGIN;
CREATE ROLE admin LOGIN;
CREATE ROLE worker LOGIN;
CREATE ROLE deleter LOGIN;
CREATE ROLE staff;
CREATE ROLE spare LOGIN;
CREATE ROLE member LOGIN IN ROLE staff;
CREATE ROLE guest LOGIN NOINHERIT IN ROLE staff;
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
CREATE TABLE app.post (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE, title text);
INSERT INTO app.users SELECT g, 'Canary Person ' || g FROM generate_series(18470001, 18470020) g;
INSERT INTO app.post SELECT g, g, 'Canary Title' FROM generate_series(18470001, 18470020) g;
SELECT vedfolnir_register_subject('app.users', 'id', 'name');
SELECT vedfolnir_add_cleanup('app.post', 'file', 'posts/{id}');
SELECT vedfolnir_grant(d::regrole, d) FROM unnest(ARRAY['viewer', 'operator', 'admin', 'worker']) d;
SELECT vedfolnir_grant('bare', 'operator'), vedfolnir_grant('staff', 'viewer');
GRANT USAGE ON SCHEMA app TO PUBLIC;
GRANT DELETE ON app.users TO operator, deleter, careless, worker, admin, viewer;
-- A careless administrator.
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public, vedfolnir TO careless, deleter;
GRANT USAGE ON SCHEMA vedfolnir TO careless, deleter;
REVOKE DELETE ON app.users FROM careless;
SQL

# ---- what is granted
my $members = "SELECT d.objid FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass "
	. "AND x.extname = 'vedfolnir' WHERE d.deptype = 'e' AND d.classid = '%s'::regclass";
my $functions = sprintf $members, 'pg_proc';
my $relations = sprintf $members, 'pg_class';
is($t->sql("SELECT coalesce(string_agg(oid::regprocedure::text, ', '), '') FROM pg_proc WHERE oid IN ($functions) "
		. "AND has_function_privilege('nobody', oid, 'EXECUTE')"), '', 'R38: nothing can be executed by PUBLIC');
cmp_ok($t->sql("SELECT count(*) FROM pg_proc WHERE oid IN ($functions)"), '>', 20, 'and there are functions');
is($t->sql("SELECT coalesce(string_agg(p.oid::regprocedure::text, ', '), '') FROM pg_proc p "
		. "WHERE p.oid IN ($functions) AND prosecdef AND prorettype <> 'event_trigger'::regtype"), '',
	'R38: no function that can be called is SECURITY DEFINER');
is($t->sql("SELECT coalesce(string_agg(p.oid::regprocedure::text, ', '), '') FROM pg_proc p JOIN pg_language l ON l.oid = prolang "
		. "WHERE p.oid IN ($functions) AND lanname <> 'c' AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)"),
	'', 'R39: every SQL and PL/pgSQL function sets search_path');
is($t->sql("SELECT coalesce(string_agg(oid::regprocedure::text, ', '), '') FROM pg_proc WHERE oid IN ($functions) "
		. "AND ('internal'::regtype = ANY (proargtypes) OR '\"any\"'::regtype = ANY (proargtypes))"), '', 'R41: no argument is "internal" or "any"');
is($t->sql("SELECT coalesce(string_agg(r || ' ' || c.oid::regclass::text || ' ' || p, ', '), '') FROM pg_class c, "
		. "unnest(ARRAY['nobody', 'viewer', 'operator', 'admin', 'worker', 'careless']) r, "
		. "unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p "
		. "WHERE c.oid IN ($relations) AND relkind IN ('r', 'v', 'p') AND has_table_privilege(r, c.oid, p)"), '', 'R38: no role may write a table');
is($t->sql("SELECT coalesce(string_agg(r || ' ' || c.oid::regclass::text, ', '), '') FROM pg_class c, "
		. "unnest(ARRAY['nobody', 'viewer', 'operator', 'admin', 'worker', 'careless']) r WHERE c.oid IN ($relations) "
		. "AND relkind = 'S' AND (has_sequence_privilege(r, c.oid, 'USAGE') OR has_sequence_privilege(r, c.oid, 'UPDATE'))"), '',
	'R38: nor a sequence');
is($t->sql("SELECT coalesce(string_agg(r || ' ' || c, ', '), '') FROM unnest(ARRAY['nobody', 'viewer', 'operator', 'admin', 'worker', 'careless', 'pg_monitor']) r, "
		. "unnest(ARRAY['secret', 'request', 'cleanup_task']) c WHERE has_table_privilege(r, 'vedfolnir.' || c, 'SELECT')"), '',
	'R42: secrets and targets can be read by nobody');

# ---- functions called by a role that got EXECUTE but no duty: each is refused, whatever its arguments.
# Left out: what computes without looking at rows, the id of the caller's own last deletion, and the progress of runs, which
# pg_monitor reads without a duty.
my $rows = $t->sql(<<"SQL");
SELECT prokind::text || '|' || n.nspname || '.' || proname || '|' || coalesce((
    SELECT string_agg(coalesce(proargnames[i] || ' => ', '') || CASE format_type(proargtypes[i - 1], NULL)
             WHEN 'regclass' THEN '''app.post''::regclass' WHEN 'regrole' THEN '''careless''::regrole'
             WHEN 'name' THEN CASE proargnames[i] WHEN 'subject' THEN '''user''::name' ELSE '''post_author_fkey''::name' END
             WHEN 'bigint' THEN '18470001::bigint' WHEN 'integer' THEN '1' WHEN 'boolean' THEN 'false' WHEN 'interval' THEN '''1 min''::interval'
             WHEN 'uuid' THEN '''00000000-0000-0000-0000-000000000001''::uuid' WHEN 'bytea' THEN '''x''::bytea'
             WHEN 'text[]' THEN 'ARRAY[''18470001'']' WHEN 'bigint[]' THEN 'ARRAY[1]::bigint[]' WHEN 'name[]' THEN 'ARRAY[''author'']::name[]'
             WHEN 'jsonb' THEN '''{}''::jsonb' WHEN 'timestamp with time zone' THEN 'now()'
             WHEN 'text' THEN CASE proargnames[i] WHEN 'duty' THEN '''viewer''' ELSE '''18470001''::text' END
             ELSE '''18470001''::' || format_type(proargtypes[i - 1], NULL) END, ', ' ORDER BY i)
      FROM generate_series(1, pronargs) i
     WHERE i <= pronargs - pronargdefaults OR proargnames[i] = 'dry_run'), '')
  FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
 WHERE p.oid IN ($functions) AND prokind IN ('f', 'p') AND provolatile <> 'i' AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND proname NOT IN ('vedfolnir_last_deletion', 'expression_error', 'parse_expression', 'progress_rows')
 ORDER BY p.oid::regprocedure::text COLLATE "C"
SQL
my $before = fingerprint();
for my $row (split /\n/, $rows)
{
	my ($kind, $name, $arguments) = split /\|/, $row, 3;
	my $call = ($kind eq 'p' ? 'CALL ' : 'SELECT * FROM ') . "$name($arguments)";
	is($t->sqlstate($call, 'careless'), '42501', "R38: without a duty: $call");
	(my $dry = $call) =~ s/dry_run => false/dry_run => true/;
	is($t->sqlstate($dry, 'careless'), '42501', "R38: without a duty: $dry") if $dry ne $call;
}
is(fingerprint(), $before, 'R38: and nothing was changed');
is($t->sqlstate("SELECT * FROM vedfolnir_delete_user(99999)", 'careless'), '42501', 'R38: whether somebody exists is not told');
is($t->sqlstate("SELECT * FROM vedfolnir_delete_user_by_name('nobody at all')", 'careless'), '42501', 'R38: nor by name');

sub fingerprint
{
	return $t->sql(join ' UNION ALL ', map { "SELECT '$_', count(*), md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM $_ t" }
		qw(app.users app.post vedfolnir.subject vedfolnir.policy vedfolnir.duty vedfolnir.deletion vedfolnir.audit_log vedfolnir.cleanup_task));
}

# ---- each duty brings its own functions and no others
my $dry = 'SELECT * FROM vedfolnir_delete_user(18470002)';
my $run = 'SELECT * FROM vedfolnir_delete_user(18470002, dry_run => false)';
my $verify = 'SELECT * FROM vedfolnir_verify_user(18470002)';
my $policy = "SELECT vedfolnir_set_policy('app.post', 'post_author_fkey', 'delete')";
my $claim = "SELECT * FROM vedfolnir_claim_tasks('w', 1, '1 min')";
my $grant = "SELECT vedfolnir_grant('spare', 'operator')";
my $retry = 'SELECT vedfolnir_retry_tasks(ARRAY[1]::bigint[])';
my %may = (
	nobody => [], viewer => [ $dry, $verify ], worker => [$claim], admin => [ $dry, $verify, $policy, $grant ],
	operator => [ $dry, $verify, $run ], bare => [ $dry, $verify ], deleter => [ $dry, $verify ],
	member => [ $dry, $verify ], guest => []);
for my $role (sort keys %may)
{
	for my $call ($dry, $verify, $policy, $claim, $grant, $run)
	{
		my $expected = grep({ $_ eq $call } @{ $may{$role} }) ? 'ok' : '42501';
		is($t->sqlstate($call, $role), $expected, "R38: $role: $call");
	}
}
is($t->sqlstate("SET ROLE staff; $dry", 'guest'), 'ok', 'R38: a role that does not inherit has what it sets itself to');
like($t->sqlstate($retry, 'worker'), qr/42501/, 'R38: a worker does not retry dead tasks');
is($t->sql('SELECT count(*) FROM app.users WHERE id = 18470002'), 0, 'only the operator with DELETE on the root table deleted');
is($t->sqlstate("SELECT vedfolnir_revoke('viewer', 'viewer')", 'viewer'), '42501', 'R38: a viewer cannot change duties');
$t->sql("SELECT vedfolnir_revoke('viewer', 'viewer')");
is($t->sqlstate($dry, 'viewer'), '42501', 'R38: a duty that was taken back is gone');
is($t->sqlstate($dry, 'spare'), 'ok', 'R38: a duty that an administrator gave is there');
$t->sql_as('admin', "SELECT vedfolnir_revoke('spare', 'operator')");
is($t->sqlstate($dry, 'spare'), '42501', 'R38: one that an administrator gave and took back too');

# ---- forging evidence and tasks
my $id = '00000000-0000-0000-0000-000000000001';
for my $attempt (
	"INSERT INTO vedfolnir.audit_log (deletion_id, subject, pseudonym, key_id, relation, action, row_count) VALUES ('$id', 'user', 'x', 1, 'r', 'delete', 1)",
	"INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, state) VALUES ('$id', 'user', 'x', 1, 'a', 'b', 'delete', 'complete')",
	"INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) VALUES ('$id', 3, 'file', 'delete', 's', 'etc/passwd')",
	"INSERT INTO vedfolnir.duty VALUES ('operator', 'admin')", "INSERT INTO vedfolnir.policy SELECT * FROM vedfolnir.policy",
	"UPDATE vedfolnir.audit_log SET row_count = 0", "UPDATE vedfolnir.deletion SET state = 'complete'", "UPDATE vedfolnir.cleanup_task SET target = 'x'",
	"DELETE FROM vedfolnir.audit_log", "DELETE FROM vedfolnir.deletion", "TRUNCATE vedfolnir.audit_log", "COPY vedfolnir.audit_log FROM STDIN",
	"BEGIN; LOCK TABLE vedfolnir.audit_log", "ALTER TABLE vedfolnir.audit_log ADD COLUMN x int", "DROP TABLE vedfolnir.audit_log",
	"CREATE TRIGGER t BEFORE INSERT ON vedfolnir.audit_log FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
	"CREATE RULE r AS ON INSERT TO vedfolnir.audit_log DO INSTEAD NOTHING", "CREATE TABLE vedfolnir.mine (id int)",
	"CREATE TABLE fk (id uuid REFERENCES vedfolnir.deletion)", "SELECT setval('vedfolnir.audit_log_id_seq', 1)",
	"SELECT nextval('vedfolnir.cleanup_task_id_seq')", "SELECT * FROM vedfolnir.secret", "SELECT target FROM vedfolnir.cleanup_task",
	"ALTER FUNCTION vedfolnir_last_deletion() RENAME TO x", "DROP EXTENSION vedfolnir", "SET session_replication_role = replica")
{
	is($t->sqlstate($attempt, $_), '42501', "R38, R46: $_: $attempt") for 'operator', 'admin';
}

# ---- settings that relax safety or name somebody else, set before the library is loaded and after
my $load = 'SELECT vedfolnir_last_deletion()';
is($t->sqlstate("$load; SET $_", 'operator'), '42501', "R38: SET $_") for 'vedfolnir.allow_unsafe = on', 'vedfolnir.fast_ri = off',
	"vedfolnir.actor = 'somebody'", 'vedfolnir.prove_all = on';
is($t->sql_as('operator', "SET vedfolnir.allow_unsafe = on; $load; SHOW vedfolnir.allow_unsafe"), "\noff", 'R38: nor before the library is there');
$t->sql_as('operator', "SET vedfolnir.actor = 'somebody'; SELECT * FROM vedfolnir_delete_user(18470004, dry_run => false)");
is($t->sql('SELECT count(*) || coalesce(max(actor), $$ nobody$$) FROM vedfolnir.deletion'), '2 nobody', 'R38: an actor is not invented');

# ---- input that is no key, and hidden people (R41)
is($t->sqlstate($_->[0]), $_->[1], "R41: $_->[0]") for (
	[ 'SELECT * FROM vedfolnir_delete_user(NULL::bigint)', '22004' ], [ "SELECT * FROM vedfolnir_delete_user('x'::text)", '22P02' ],
	[ 'SELECT * FROM vedfolnir_delete_user(99999999999)', '22003' ], [ 'SELECT * FROM vedfolnir_delete_user(-1)', 'VF001' ],
	[ "SELECT * FROM vedfolnir_delete_users(ARRAY['18470003', NULL])", '22004' ], [ "SELECT * FROM vedfolnir_delete_user('18470003; DROP TABLE app.users')", '22P02' ]);

# ---- neither messages nor the log carry what a row holds (R43)
$t->sql(<<'SQL');
CREATE TABLE app.archive (title text UNIQUE);
INSERT INTO app.archive VALUES ('Canary Title');
CREATE FUNCTION app.archive() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.archive VALUES (OLD.title); RETURN OLD; END $$;
CREATE TRIGGER archive BEFORE DELETE ON app.post FOR EACH ROW EXECUTE FUNCTION app.archive();
SQL
my $message = $t->message('SELECT * FROM vedfolnir_delete_user(18470005, dry_run => false)', 'operator');
like($message, qr/duplicate key value/, 'R43: a constraint fails in a trigger');
unlike($message, qr/Canary/, 'R43: its message does not show the row');
$t->sql('DROP TRIGGER archive ON app.post');
$t->sql("SELECT vedfolnir_set_policy('app.post', 'post_author_fkey', 'block')");
like($t->message('SELECT * FROM vedfolnir_delete_user(18470005, dry_run => false)', 'operator'), qr/in the way/, 'R43: a run is refused');
$t->sql("SELECT vedfolnir_set_policy('app.post', 'post_author_fkey', 'delete')");
is($t->sqlstate("SELECT * FROM vedfolnir_delete_user_by_name('Canary Person 18470006', dry_run => false)", 'operator'), 'ok', 'R43: a run by name');
my $log = slurp_file($t->node->logfile);
like($log, qr/refused with VF007/, 'R43: the refusal is in the log');
unlike($log, qr/Canary|18470005|18470006/, 'R43: neither names nor keys are in the log');
is($t->sql("SELECT count(*) FROM vedfolnir.deletion d, vedfolnir.audit_log a WHERE (d::text || a::text) ~ 'Canary|184700[0-9][0-9]'"), 0,
	'R43: nor in the evidence');

done_testing();

# Objects of a low-privileged role on the way of a deletion: triggers, operators, functions, types, tables, constraint names
# (R35, R36, R37, R39, R40; fact 7, CVE-2018-1058). Whatever they do, they do it as their owner and not as who deletes.
use strict;
use warnings;
use DeletionTest;
use Test::More;

my $t = DeletionTest->new;
# The superuser of the cluster bears the name of who runs the tests.
my $superuser = $t->sql('SELECT current_user');

# Runs a script in which "SET ROLE name;" and "RESET ROLE;" stand for connections of their own: a session that only set its
# role could be left with RESET ROLE, and the attacks would prove nothing.
sub script
{
	my ($text) = @_;
	my $user;
	for my $part (split /^((?:SET ROLE \w+|RESET ROLE);)$/m, $text)
	{
		if ($part =~ /^SET ROLE (\w+);$/) { $user = $1; }
		elsif ($part eq 'RESET ROLE;') { undef $user; }
		elsif ($part =~ /\S/) { $user ? $t->sql_as($user, $part) : $t->sql($part); }
	}
	return;
}

# The victim's schema, the attacker mallory, and op, who may delete.
script(<<'SQL');
CREATE ROLE owner LOGIN;
CREATE ROLE mallory LOGIN;
CREATE ROLE op LOGIN;
CREATE SCHEMA app AUTHORIZATION owner;
CREATE SCHEMA evil AUTHORIZATION mallory;
CREATE SCHEMA shared;
GRANT CREATE, USAGE ON SCHEMA shared TO mallory, owner;
GRANT USAGE ON SCHEMA app, evil, shared TO PUBLIC;
GRANT CREATE ON SCHEMA public TO mallory;
-- Every piece of mallory's code leaves here as whom it ran.
CREATE TABLE public.loot (id int GENERATED ALWAYS AS IDENTITY, what text, who name, su text);
GRANT ALL ON public.loot TO PUBLIC;
SET ROLE owner;
CREATE TABLE app.users (id int PRIMARY KEY, name text);
GRANT REFERENCES ON app.users TO mallory;
INSERT INTO app.users SELECT g, 'name ' || g FROM generate_series(1, 40) g;
GRANT DELETE ON app.users TO op;
RESET ROLE;
DO $$ BEGIN PERFORM vedfolnir_register_subject('app.users', 'id', 'name'); PERFORM vedfolnir_grant('op', 'operator'); END $$;
SET ROLE mallory;
CREATE FUNCTION evil.take(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE gained text := '';
BEGIN
  BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; gained := gained || 'superuser '; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE format('SET ROLE %I', pg_get_userbyid(10)); gained := gained || 'role '; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'RESET ROLE'; gained := gained || CASE WHEN current_user = 'mallory' THEN '' ELSE 'reset ' END;
  EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'SET SESSION AUTHORIZATION DEFAULT'; gained := gained || CASE WHEN current_user = 'mallory' THEN '' ELSE 'session ' END;
  EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'INSERT INTO vedfolnir.audit_log (deletion_id, subject, pseudonym, key_id, relation, action, row_count) '
    'VALUES (gen_random_uuid(), ''user'', ''x'', 1, ''forged'', ''delete'', 1)'; gained := gained || 'audit ';
  EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) '
    'VALUES (gen_random_uuid(), 3, ''file'', ''delete'', ''s'', ''forged'')'; gained := gained || 'queue ';
  EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN PERFORM public.vedfolnir_delete_user(39, dry_run => false); gained := gained || 'deletion ';
  EXCEPTION WHEN OTHERS THEN NULL; END;
  INSERT INTO public.loot (what, who, su) VALUES (what, current_user, gained);
END $$;
SQL

sub forget { $t->sql("DELETE FROM public.loot"); return; }

# as whom did mallory's code run, and what did it gain?
sub loot_is
{
	my ($expected, $name) = @_;
	is($t->sql("SELECT coalesce(string_agg(DISTINCT what || ':' || who || su, ' ' ORDER BY what || ':' || who || su), '') FROM public.loot"),
		$expected, $name);
	is($t->sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'"), 'f', "$name: mallory is no superuser");
	forget();
	return;
}

# Triggers of all kinds, also a deferred constraint trigger, which natively runs at COMMIT as whoever deletes.
script(<<'SQL');
SET ROLE mallory;
CREATE TABLE shared.note (id int PRIMARY KEY, author int CONSTRAINT note_author REFERENCES app.users ON DELETE CASCADE);
CREATE TABLE shared.seen (id int PRIMARY KEY, reader int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO shared.note SELECT g, g FROM generate_series(1, 40) g;
INSERT INTO shared.seen SELECT g, g FROM generate_series(1, 40) g;
CREATE FUNCTION evil.fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM evil.take(TG_ARGV[0]);
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER t1 BEFORE DELETE ON shared.note FOR EACH ROW EXECUTE FUNCTION evil.fire('before');
CREATE TRIGGER t2 AFTER DELETE ON shared.note FOR EACH ROW EXECUTE FUNCTION evil.fire('after');
CREATE TRIGGER t3 BEFORE DELETE ON shared.note FOR EACH STATEMENT EXECUTE FUNCTION evil.fire('before_statement');
CREATE TRIGGER t4 AFTER DELETE ON shared.note FOR EACH STATEMENT EXECUTE FUNCTION evil.fire('after_statement');
CREATE CONSTRAINT TRIGGER t5 AFTER DELETE ON shared.note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.fire('deferred');
CREATE TRIGGER t6 BEFORE UPDATE ON shared.seen FOR EACH ROW EXECUTE FUNCTION evil.fire('update');
CREATE TRIGGER t7 AFTER UPDATE ON shared.seen FOR EACH ROW EXECUTE FUNCTION evil.fire('updated');
SQL
my $all = join ' ', map {"$_:mallory"} qw(after after_statement before before_statement deferred update updated);
forget();
is($t->sqlstate('SELECT * FROM vedfolnir_delete_user(1, dry_run => false)'), 'ok', 'R35: a superuser deletes');
loot_is($all, 'R35, R36: all triggers fired, as their owner');
is($t->sqlstate('SELECT * FROM vedfolnir_delete_user(2, dry_run => false)', 'op'), 'ok', 'R35: an operator deletes');
loot_is($all, 'R35, R36: all triggers fired for the operator as well');
is($t->sqlstate('SET vedfolnir.fast_ri = off; SELECT * FROM vedfolnir_delete_user(3, dry_run => false)'), 'ok', 'R35: with native RI');
# Native RI fires the statement triggers of a child at the end of the parent's statement, which ours runs as the parent's owner.
loot_is(join(' ', sort split(/ /, "$all after_statement:owner")), 'R35, R36: all triggers fired with native RI, none as the caller');
is($t->sqlstate('SELECT * FROM vedfolnir_delete_user(4)'), 'ok', 'a dry run');
loot_is('', 'R25: a dry run fires nothing');
is($t->sqlstate("SELECT * FROM vedfolnir_delete_users(ARRAY['4', '5'], dry_run => false)"), 'ok', 'R35: two at once');
loot_is($all, 'R35, R36: all triggers fired for two at once');
is($t->sql('SELECT count(*) FROM app.users WHERE id = 39'), 1, 'no trigger deleted somebody');

# A constraint trigger of mallory's with the name of the owner's deferred key, in a schema that both may write.
script(<<'SQL');
SET ROLE owner;
CREATE TABLE shared.orders (id int PRIMARY KEY, author int CONSTRAINT order_author REFERENCES app.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO shared.orders SELECT id, id FROM app.users;
RESET ROLE;
CREATE TABLE shared.secret (id int PRIMARY KEY, author int CONSTRAINT order_author REFERENCES app.users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO shared.secret SELECT id, id FROM app.users;
SET ROLE mallory;
ALTER TABLE shared.note DISABLE TRIGGER USER;
ALTER TABLE shared.seen DISABLE TRIGGER USER;
CREATE CONSTRAINT TRIGGER order_author AFTER DELETE ON shared.note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil.fire('namesake');
SQL
forget();
is($t->sqlstate('SELECT * FROM vedfolnir_delete_user(6, dry_run => false)'), 'ok', 'R36: namesakes do not stop a deletion');
loot_is('namesake:mallory', 'R36: a namesake of a deferred key ran as its owner');
# A second namesake, of another owner: nobody can say as whom they should fire.
script(<<'SQL');
CREATE FUNCTION app.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TABLE shared.extra (id int);
CREATE CONSTRAINT TRIGGER order_author AFTER DELETE ON shared.extra DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.nothing();
SQL
is($t->sqlstate('SELECT * FROM vedfolnir_delete_user(7, dry_run => false)'), '55000', 'R36: namesakes with code of two owners are refused');
loot_is('', 'R36: and none of them left a trace');
$t->sql('DROP TABLE shared.extra, shared.secret, shared.orders; DROP TRIGGER order_author ON shared.note');

# A type of mallory's with an implicit cast, in keys that reference the owner's table; two of them, so that it is asked
# whose the rows are.
script(<<'SQL');
SET ROLE mallory;
CREATE TYPE evil.key AS (v int);
CREATE FUNCTION evil.key_to_int(k evil.key) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.take('cast'); RETURN (k).v; END $$;
CREATE CAST (evil.key AS int) WITH FUNCTION evil.key_to_int AS IMPLICIT;
CREATE TABLE shared.tagged (id int PRIMARY KEY, a evil.key REFERENCES app.users ON DELETE CASCADE, b evil.key REFERENCES app.users ON DELETE CASCADE);
INSERT INTO shared.tagged SELECT g, ROW(g)::evil.key, ROW(g)::evil.key FROM generate_series(7, 40) g;
CREATE TABLE shared.chain (id int PRIMARY KEY, up evil.key REFERENCES shared.tagged ON DELETE CASCADE, a evil.key REFERENCES app.users ON DELETE CASCADE);
INSERT INTO shared.chain SELECT g, ROW(g)::evil.key, ROW(g % 39 + 1)::evil.key FROM generate_series(10, 30) g WHERE g % 39 + 1 > 6;
RESET ROLE;
SELECT vedfolnir_set_policy('shared.chain', c.conname, 'delete', collateral => 'delete') FROM pg_constraint c
 WHERE conrelid = 'shared.chain'::regclass AND contype = 'f';
SQL
forget();
for my $case ([ 10, $superuser ], [ 12, 'op' ])
{
	my ($id, $user) = @$case;
	is($t->sqlstate("SELECT * FROM vedfolnir_delete_user($id)", $user), 'ok', "R39: keys with a hostile cast, dry run by $user");
	loot_is('cast:mallory', "R39: the cast ran as the table's owner in a dry run by $user");
	is($t->sqlstate("SELECT * FROM vedfolnir_delete_user($id, dry_run => false)", $user), 'ok', "R39: run by $user");
	loot_is('cast:mallory', "R39: the cast ran as the table's owner in a run by $user");
}
is($t->sqlstate("SELECT * FROM vedfolnir_delete_users(ARRAY['14', '16'], dry_run => false)"), 'ok', 'R39: two at once');
loot_is('cast:mallory', "R39: the cast ran as the table's owner");
$t->sql('DROP TABLE shared.chain, shared.tagged; DELETE FROM vedfolnir.policy');

# A root table of mallory's: key of a domain with a check, label with a cast, column rule, row security, expression index.
script(<<'SQL');
SET ROLE mallory;
CREATE FUNCTION evil.check(v int) RETURNS bool LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM evil.take('check'); RETURN true; END $$;
CREATE DOMAIN evil.id AS int CHECK (evil.check(VALUE));
CREATE TYPE evil.label AS ENUM ('a', 'b');
CREATE FUNCTION evil.label_to_text(l evil.label) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.take('label'); RETURN 'x'; END $$;
CREATE CAST (evil.label AS text) WITH FUNCTION evil.label_to_text;
CREATE FUNCTION evil.index(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.take('index'); RETURN 1; END $$;
CREATE TABLE shared.member (id evil.id PRIMARY KEY, label evil.label);
INSERT INTO shared.member VALUES (1, 'a'), (2, 'b'), (3, 'a');
CREATE INDEX ON shared.member (evil.index(id));
CREATE TABLE shared.card (id int, member evil.id REFERENCES shared.member ON DELETE CASCADE);
INSERT INTO shared.card VALUES (1, 1), (2, 2), (3, 3);
RESET ROLE;
SELECT vedfolnir_register_subject('shared.member', 'id', 'label', subject => 'member');
GRANT DELETE ON shared.member TO op;
SQL
forget();
for my $user ($superuser, 'op')
{
	my $id = $user eq 'op' ? 1 : 2;
	for my $call ("vedfolnir_delete_user($id, subject => 'member')", "vedfolnir_delete_user('$id'::text, subject => 'member')",
		"vedfolnir_verify_user($id, subject => 'member')", "vedfolnir_delete_user($id, dry_run => false, subject => 'member')",
		"vedfolnir_delete_user($id, dry_run => false, subject => 'member')")
	{
		is($t->sqlstate("SELECT * FROM $call", $user), 'ok', "R35: $call by $user");
		is($t->sql("SELECT string_agg(DISTINCT what || ':' || who || ' ' || su, ' ') FROM public.loot WHERE who <> 'mallory' OR su <> ''"), '',
			"R35: nothing of a hostile root table ran as $user");
		forget();
	}
}
is($t->sqlstate("SET vedfolnir.actor = '3'; SELECT * FROM vedfolnir_delete_users(ARRAY['3'], dry_run => false, subject => 'member')"), 'ok',
	'R35: many of a hostile root table');
is($t->sql("SELECT string_agg(DISTINCT what || ':' || who || ' ' || su, ' ') FROM public.loot WHERE who <> 'mallory' OR su <> ''"), '',
	'R35: nothing of it ran as the caller');
forget();

# Row security cannot shrink a deletion, FORCE neither (R37).
script(<<'SQL');
SET ROLE mallory;
CREATE FUNCTION evil.policy() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.take('policy'); RETURN false; END $$;
CREATE TABLE shared.hidden (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO shared.hidden SELECT g, g FROM generate_series(20, 30) g;
CREATE TABLE shared.forced (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE CASCADE);
INSERT INTO shared.forced SELECT g, g FROM generate_series(20, 30) g;
CREATE TABLE shared.forced_null (id int PRIMARY KEY, author int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO shared.forced_null SELECT g, g FROM generate_series(20, 30) g;
ALTER TABLE shared.hidden ENABLE ROW LEVEL SECURITY;
ALTER TABLE shared.forced ENABLE ROW LEVEL SECURITY;
ALTER TABLE shared.forced FORCE ROW LEVEL SECURITY;
ALTER TABLE shared.forced_null ENABLE ROW LEVEL SECURITY;
ALTER TABLE shared.forced_null FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON shared.hidden USING (evil.policy());
CREATE POLICY p ON shared.forced USING (evil.policy());
CREATE POLICY p ON shared.forced_null USING (evil.policy());
RESET ROLE;
SET ROLE owner;
ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.users FORCE ROW LEVEL SECURITY;
SQL
forget();
my $hidden = "SELECT string_agg(relation || ' ' || action || ' ' || row_count, ', ' ORDER BY relation) FROM vedfolnir_delete_user(%d%s) "
	. "WHERE relation IN ('app.users', 'shared.hidden', 'shared.forced', 'shared.forced_null')";
my $rows = 'app.users delete 1, shared.forced delete 1, shared.forced_null nullify 1, shared.hidden delete 1';
is($t->sql_as('op', sprintf $hidden, 20, ''), $rows, 'R37: row security hides nothing from a dry run');
is($t->sql_as('op', sprintf $hidden, 20, ', dry_run => false'), $rows, 'R37: nor from a run');
is($t->sql(sprintf $hidden, 21, ', dry_run => false'), $rows, 'R37: nor from a superuser');
is($t->sql_as('op', 'SET row_security = off; ' . sprintf $hidden, 22, ', dry_run => false'), $rows, 'R37: nor with row_security off');
is($t->sql('SELECT count(*) FROM shared.hidden WHERE author IN (20, 21, 22)'), 0, 'R37: the rows are gone');
is($t->sql('SELECT count(*) FROM shared.forced_null WHERE author IN (20, 21, 22)'), 0, 'R37: the references are cleared');
loot_is('', 'R37: the policies were not asked');

# Operators, functions, tables and types in a schema that comes first in the caller's search_path, before pg_catalog.
script(<<'SQL');
SET ROLE mallory;
DO $$
DECLARE ty text; op text; f text;
BEGIN
  FOREACH ty IN ARRAY ARRAY['int4', 'int8', 'text', 'uuid', 'oid', 'tid', 'name', 'bytea', 'bool', 'regclass', 'timestamptz'] LOOP
    EXECUTE format('CREATE FUNCTION evil.op(a %1$s, b %1$s) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.take(%2$L); RETURN true; END $f$',
                   'pg_catalog.' || ty, 'operator ' || ty);
    FOREACH op IN ARRAY ARRAY['=', '<>', '<', '>', '||', '-', '+', '/', '~'] LOOP
      EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.op, LEFTARG = %2$s, RIGHTARG = %2$s)', op, 'pg_catalog.' || ty);
    END LOOP;
  END LOOP;
  FOREACH f IN ARRAY ARRAY['now() RETURNS timestamptz AS $f$ SELECT evil.take(''now''); SELECT pg_catalog.now() $f$',
    'clock_timestamp() RETURNS timestamptz AS $f$ SELECT evil.take(''clock''); SELECT pg_catalog.now() $f$',
    'gen_random_uuid() RETURNS uuid AS $f$ SELECT evil.take(''uuid''); SELECT pg_catalog.gen_random_uuid() $f$',
    'unnest(a anyarray) RETURNS SETOF anyelement AS $f$ SELECT evil.take(''unnest''); SELECT pg_catalog.unnest($1) $f$',
    'bool_or(b bool) RETURNS bool AS $f$ SELECT evil.take(''bool_or''); SELECT true $f$',
    'sum(b bigint) RETURNS bigint AS $f$ SELECT evil.take(''sum''); SELECT 1::bigint $f$',
    'max(b bigint) RETURNS bigint AS $f$ SELECT evil.take(''max''); SELECT 1::bigint $f$',
    'lower(b text) RETURNS text AS $f$ SELECT evil.take(''lower''); SELECT $1 $f$',
    'length(b text) RETURNS int AS $f$ SELECT evil.take(''length''); SELECT 1 $f$',
    'octet_length(b bytea) RETURNS int AS $f$ SELECT evil.take(''octets''); SELECT 32 $f$',
    'format(b text, VARIADIC c text[]) RETURNS text AS $f$ SELECT evil.take(''format''); SELECT $1 $f$',
    'quote_ident(b text) RETURNS text AS $f$ SELECT evil.take(''quote''); SELECT $1 $f$',
    'nextval(b regclass) RETURNS bigint AS $f$ SELECT evil.take(''nextval''); SELECT 1::bigint $f$',
    'set_config(a text, b text, c bool) RETURNS text AS $f$ SELECT evil.take(''set_config''); SELECT $1 $f$',
    'current_setting(a text) RETURNS text AS $f$ SELECT evil.take(''setting''); SELECT $1 $f$',
    'pg_notify(a text, b text) RETURNS void AS $f$ SELECT evil.take(''notify'') $f$'] LOOP
    EXECUTE 'CREATE FUNCTION evil.' || split_part(f, ' AS $f$', 1) || ' LANGUAGE sql AS $f$' || split_part(f, ' AS $f$', 2);
  END LOOP;
END $$;
CREATE TABLE evil.vdf_d (vdf_k0 int, vdf_r int);
CREATE TABLE evil.vdf_root (vdf_r int, vdf_l text, vdf_u int);
CREATE TABLE evil.vdf_m (vdf_t oid, vdf_i tid, vdf_e int);
CREATE TABLE evil.users (id int, name text);
INSERT INTO evil.users VALUES (31, 'x');
CREATE TABLE evil.secret (key_id int, secret bytea);
CREATE TABLE evil.deletion (id uuid);
CREATE TABLE evil.pg_constraint (oid oid);
CREATE DOMAIN evil.int4 AS pg_catalog.int4 CHECK (evil.check(VALUE));
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.check(1));
CREATE DOMAIN evil.uuid AS pg_catalog.uuid CHECK (evil.check(1));
GRANT ALL ON ALL TABLES IN SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.vedfolnir_verify_user(a pg_catalog.int4) RETURNS void LANGUAGE sql AS $$ SELECT evil.take('verify') $$;
RESET ROLE;
-- op may do everything here, so that every function is called by somebody who is no superuser.
DO $$ DECLARE d pg_catalog.text; BEGIN FOREACH d IN ARRAY ARRAY['admin', 'viewer', 'worker'] LOOP PERFORM vedfolnir_grant('op', d); END LOOP; END $$;
SQL
forget();
my $path = 'SET search_path = evil, pg_catalog, public;';
my @calls = (
	'public.vedfolnir_delete_user({1}::pg_catalog.int8)', "public.vedfolnir_delete_user('{1}'::pg_catalog.text)",
	"public.vedfolnir_delete_user_by_name('name {1}'::pg_catalog.text)", "public.vedfolnir_delete_users(ARRAY['{1}', '{2}']::pg_catalog.text[])",
	'public.vedfolnir_expire_sessions({1}::pg_catalog.int8)', 'public.vedfolnir_verify_user({1}::pg_catalog.int8)',
	'public.vedfolnir_suggest_policies()', 'public.vedfolnir_apply_suggestions()',
	"public.vedfolnir_set_policy('shared.note'::pg_catalog.regclass, 'note_author', 'delete')",
	"public.vedfolnir_add_cleanup('shared.note'::pg_catalog.regclass, 'file', 'n/{id}')",
	'public.vedfolnir_delete_user({1}::pg_catalog.int8, dry_run => false, request_id => %s)',
	'public.vedfolnir_delete_user({1}::pg_catalog.int8, dry_run => false, request_id => %s)',
	'public.vedfolnir_delete_user({1}::pg_catalog.int8, dry_run => false)',
	"public.vedfolnir_delete_user_by_name('name {2}'::pg_catalog.text, dry_run => false)",
	"public.vedfolnir_delete_users(ARRAY['{3}', '{4}']::pg_catalog.text[], dry_run => false)",
	'public.vedfolnir_expire_sessions({5}::pg_catalog.int8, dry_run => false)', 'public.vedfolnir_verify_user({1}::pg_catalog.int8)',
	"public.vedfolnir_unlock_worker('w'::pg_catalog.text)", "public.vedfolnir_claim_tasks('w'::pg_catalog.text, 10, '1 min'::pg_catalog.interval)", 'public.vedfolnir_last_deletion()',
	"public.vedfolnir_targets_in_use(ARRAY[1]::pg_catalog.int8[])",
	"public.vedfolnir_finish_tasks(ARRAY[1]::pg_catalog.int8[], ARRAY[1]::pg_catalog.int8[], ARRAY['done']::pg_catalog.text[])",
	"public.vedfolnir_grant('mallory'::pg_catalog.regrole, 'viewer')", "public.vedfolnir_revoke('mallory'::pg_catalog.regrole, 'viewer')");
my $n = 0;
for my $user ('op', $superuser)
{
	$n++;
	for my $call (@calls)
	{
		my $text = $call;
		$text =~ s/\{(\d)\}/($user eq 'op' ? 30 : 35) + $1/ge;
		$text =~ s/%s/'00000000-0000-0000-0000-00000000000$n'/;
		is($t->sqlstate("$path SELECT * FROM $text", $user), 'ok', "R39: $text by $user");
		is($t->sql("SELECT string_agg(DISTINCT what || ':' || who || su, ' ') FROM public.loot"), '', "R39: nothing of the path was called by $user");
		forget();
	}
}
is($t->sql("SELECT count(*) FROM app.users WHERE id IN (31, 32, 33, 34, 36, 37, 38, 39)"), 0, 'R39: the right people are gone');
is($t->sql("SELECT count(*) FROM evil.users"), 1, 'R39: a table with the name of the root table was left alone');
# The traps work: the same path and a statement of the caller's own.
$t->sql("$path SELECT 1 FROM app.users WHERE name = 'x'::pg_catalog.text");
isnt($t->sql('SELECT count(*) FROM public.loot'), 0, 'the traps would have been seen');
forget();

# Objects that were there before the extension (R40).
$t->sql('CREATE DATABASE before_schema; CREATE DATABASE before_function');
$t->node->safe_psql('before_schema', 'CREATE SCHEMA vedfolnir AUTHORIZATION mallory');
like(($t->node->psql('before_schema', 'CREATE EXTENSION vedfolnir'))[2], qr/schema "vedfolnir" already exists/, 'R40: a schema that was there stops the installation');
$t->node->safe_psql('before_function', "CREATE FUNCTION public.vedfolnir_grant(regrole, text) RETURNS void LANGUAGE sql AS ''");
like(($t->node->psql('before_function', 'CREATE EXTENSION vedfolnir'))[2], qr/already exists/, 'R40: a function that was there does as well');
is($t->node->safe_psql('before_function', "SELECT count(*) FROM pg_namespace WHERE nspname = 'vedfolnir'"), 0, 'R40: and nothing is left');

done_testing();

# A build of the extension that fails on purpose: whatever is thrown inside the wall, whichever allocation of C++ fails,
# wherever PostgreSQL raises an error, is an error of one statement; no C++ object is left behind (R77, R78). And a
# cancel is heard in every loop.
use strict;
use warnings;
use DeletionTest;
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# The test build: the same sources with the faults compiled in. The C++ library is linked in, so that all allocations of
# the extension's objects are counted and none of others'.
my $work = PostgreSQL::Test::Utils::tempdir;
my ($root, $stage) = @ENV{qw(VEDFOLNIR_ROOT VEDFOLNIR_STAGE)};
system("cd '$root' && tar -cf - Makefile vedfolnir.control src | tar -xf - -C '$work' && rm -f $work/src/*/*.o") == 0 or die 'copy';
my $make = "make -s -j2 -C '$work' PG_CONFIG='" . ($ENV{PG_CONFIG} // 'pg_config') . "' EXTRA_CXX='-DVEDFOLNIR_FAULTS -O1' " .
	"SHLIB_LINK='-Wl,-Bstatic -lstdc++ -Wl,-Bdynamic -Wl,--version-script=src/ext/vedfolnir.map' vedfolnir.so";
my ($log, $built) = ("$work/build.log");
$built = system("$make >'$log' 2>&1") == 0;
ok($built, 'the test build is built') or do { diag(slurp_file($log)); BAIL_OUT('no test build') };
my $libdir = `'@{[ $ENV{PG_CONFIG} // 'pg_config' ]}' --pkglibdir`;
chomp $libdir;
unlike(`nm -C '$stage$libdir/vedfolnir.so'`, qr/fault_arm|FaultScope/, 'the ordinary build has no faults in it');
make_path("$work/stage");
system("cp -a '$stage/.' '$work/stage/' && cp '$work/vedfolnir.so' '$work/stage$libdir/vedfolnir.so'") == 0 or die 'stage';
my $places = "dynamic_library_path = '$work/stage$libdir:\$libdir'\n" .
	($ENV{TEMP_CONFIG} && slurp_file($ENV{TEMP_CONFIG}) =~ /extension_control_path/ ? '' : "extension_destdir = '$work/stage'\n");
my $t = DeletionTest->new(conf => "${places}log_min_messages = panic\nautovacuum = off\nfsync = off\n");

$t->sql(<<'SQL');
CREATE SCHEMA app;
CREATE SCHEMA t;
CREATE FUNCTION t.arm(place text, what text, n bigint) RETURNS void AS '$libdir/vedfolnir', 'vedfolnir_fault_arm' LANGUAGE C STRICT;
CREATE FUNCTION t.reached() RETURNS bigint AS '$libdir/vedfolnir', 'vedfolnir_fault_reached' LANGUAGE C STRICT;
CREATE FUNCTION t.blocks() RETURNS bigint AS '$libdir/vedfolnir', 'vedfolnir_fault_blocks' LANGUAGE C STRICT;
CREATE TABLE app.users (id int PRIMARY KEY, name text, invited_by int);
CREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, parent int REFERENCES app.posts ON DELETE CASCADE,
    path text, editor_id int REFERENCES app.users ON DELETE SET NULL, data jsonb);
CREATE TABLE app.logs (user_id int, created_by int REFERENCES app.users ON DELETE SET NULL, email text);
INSERT INTO app.users SELECT g, 'n' || g FROM generate_series(1, 3000) g;
INSERT INTO app.posts SELECT g, g, CASE WHEN g % 3 = 0 THEN g - 1 END, 'p/' || g, g + 1, '{"user_id": 1}' FROM generate_series(1, 2990) g;
INSERT INTO app.logs SELECT g, g, 'x' FROM generate_series(1, 2990) g;
CREATE INDEX ON app.posts (u);
CREATE INDEX ON app.posts (parent);
CREATE INDEX ON app.posts (editor_id);
CREATE INDEX ON app.logs (created_by);
SELECT vedfolnir_register_subject('app.users', label_column => 'name');
SELECT vedfolnir_set_policy('app.posts', 'posts_parent_fkey', 'delete', collateral => 'delete');
-- What is looked at before rows are changed: a check, a key that a rule writes, a value that is drawn.
ALTER TABLE app.logs ADD CONSTRAINT positive CHECK (user_id > 0), ADD FOREIGN KEY (user_id) REFERENCES app.users;
SELECT vedfolnir_set_policy('app.logs', 'logs_user_id_fkey', 'nullify');
SELECT vedfolnir_set_column('app.logs', 'user_id', '3000', edge => 'logs_created_by_fkey');
SELECT vedfolnir_set_column('app.logs', 'email', 'gen_random_uuid()::text', edge => 'logs_created_by_fkey');
SELECT vedfolnir_add_cleanup('app.posts', 'file', '{path}');
SELECT vedfolnir_add_cleanup('app.posts', 'redis_pattern', 's:{path}:*');
SELECT vedfolnir_add_cleanup('app.users', 'webhook', '{name}');
CREATE FUNCTION app.after() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER after AFTER DELETE ON app.posts FOR EACH ROW EXECUTE FUNCTION app.after();
-- An attempt to make the plan anew that fails at once drops the old one first: what is left then are constants.
CREATE FUNCTION t.without_plan() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM vedfolnir_set_policy('app.posts', 'posts_editor_id_fkey', 'nullify');
    PERFORM t.arm('vdf_reachable', 'int', 1);
    BEGIN
        PERFORM vedfolnir_delete_user(2999);
        RETURN -1;
    EXCEPTION WHEN SQLSTATE 'XX000' THEN NULL;
    END;
    PERFORM t.arm('', '', 0);
    RETURN t.blocks();
END $$;
-- Runs a statement until it succeeds, with the fault one place further each time. Each failure must have the code, and
-- leave no block of C++ behind.
CREATE FUNCTION t.try(place text, what text, code text, statement text, passes int DEFAULT 100000)
RETURNS TABLE (failures int, wrong text) LANGUAGE plpgsql AS $$
DECLARE n int := 0; constants bigint; blocks bigint; state text; went boolean; message text;
BEGIN
    PERFORM t.arm('', '', 0);
    EXECUTE statement;
    constants := t.without_plan();
    failures := 0;
    wrong := '';
    IF constants > 40 THEN wrong := format('%s blocks of constants; ', constants); END IF;
    WHILE n < passes LOOP
        n := n + 1;
        went := false;
        PERFORM t.arm(place, what, n);
        BEGIN
            EXECUTE statement;
            went := true;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
            failures := failures + 1;
            IF state <> code THEN
                wrong := wrong || format('pass %s: %s %s; ', n, state, message);
            END IF;
        END;
        EXIT WHEN went AND t.reached() < n; -- the fault lies behind the end
        PERFORM t.arm('', '', 0);
        blocks := t.without_plan();
        IF blocks <> constants OR vedfolnir.live_plans() <> 0 THEN
            wrong := wrong || format('pass %s left %s blocks, %s plans; ', n, blocks - constants, vedfolnir.live_plans());
        END IF;
        EXIT WHEN length(wrong) > 400;
    END LOOP;
    PERFORM t.arm('', '', 0);
    RETURN NEXT;
END $$;
SQL

my $dry = 'SELECT count(*) FROM vedfolnir_delete_user(2)';
my $run = 'DO $r$ BEGIN PERFORM vedfolnir_delete_user(2, false); RAISE SQLSTATE \'P0999\'; EXCEPTION WHEN SQLSTATE \'P0999\' THEN NULL; END $r$';
# Which statement passes which entry of the wall.
my %entries = (
	vdf_reachable => $dry, vdf_plan_create => $dry, vdf_plan_sql => $dry, vdf_normalised_sql => $dry,
	vdf_template_parse => q{SELECT vedfolnir_add_cleanup('app.logs', 'file', 'l/{user_id}')},
	vdf_template_refusal => q{SELECT vedfolnir_add_cleanup('app.logs', 'identity', 'a_realm_of_some_length/{user_id}')},
	vdf_suggest => 'SELECT count(*) FROM vedfolnir_suggest_policies()',
	vdf_names_person => 'SELECT count(*) FROM vedfolnir_check(sample_values => true)',
	vdf_names_actor => 'SELECT count(*) FROM vedfolnir_check()',
	vdf_normalise_path => q{SELECT vedfolnir.normalise_target('file', 'a/./b')});
# Entries of a procedure that commits by itself: it cannot be tried inside a function.
my @called = qw(vdf_plan_ancestors vdf_plan_peel);
my %codes = (bad_alloc => '53200', int => 'XX000', std => 'XX000', error => '22023');

# The list is complete: what goes through the wall is what wall.cpp walls.
my %walled;
my $wall = slurp_file("$root/src/bridge/wall.cpp");
$walled{$1} = 1 while $wall =~ /^\w+ (vdf_\w+)\([^{]*\) VDF_NOEXCEPT\n\{(?:(?!^\}).)*?walled\(__func__/gms;
is(join(' ', sort keys %walled), join(' ', sort keys %entries, @called), 'R78: every entry of the wall is tried');

sub try_it
{
	my ($place, $what, $code, $statement, $passes) = @_;
	my $quoted = $statement =~ s/'/''/gr;
	my ($failures, $wrong) = split /\|/, $t->sql("SELECT * FROM t.try('$place', '$what', '$code', '$quoted'" . ($passes ? ", $passes" : '') . ')'), 2;
	return ($failures, $wrong);
}
for my $entry (sort keys %entries)
{
	for my $what (sort keys %codes)
	{
		my ($failures, $wrong) = try_it($entry, $what, $codes{$what}, $entries{$entry}, 3);
		is($wrong, '', "R78: $what inside $entry is error $codes{$what}, and leaves nothing");
		cmp_ok($failures, '>', 0, "$what did happen inside $entry");
	}
	my ($failures, $wrong) = try_it($entry, 'alloc', '53200', $entries{$entry}, 400);
	is($wrong, '', "R77: each of $failures allocations of $entry that fails is 53200, and leaves nothing");
	cmp_ok($failures, '>', 0, "allocations of $entry did fail") unless $entry =~ /normalised|normalise|names|segment|escape/ && $failures eq '0';
}
$t->sql('CREATE TABLE app.visits (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE); CREATE INDEX ON app.visits (u);'
	. 'INSERT INTO app.visits SELECT g, 2 FROM generate_series(1, 5) g');
for my $entry (@called)
{
	for my $what (sort keys %codes)
	{
		is($t->sqlstate("SELECT t.arm('$entry', '$what', 1);\nCALL vedfolnir_delete_user_in_batches('2', 1);"), $codes{$what}, "R78: $what inside $entry is error $codes{$what}");
		is($t->sql('SELECT count(*) FROM app.visits'), 5, 'and nothing is gone');
	}
}
$t->sql('DROP TABLE app.visits');
# Errors that PostgreSQL raises while C++ objects are alive, at each pass of each place of a run.
for my $place ('plan', 'text', 'statement', 'row', 'held', 'record')
{
	my ($failures, $wrong) = try_it($place, 'error', '38000', $run, 60);
	is($wrong, '', "R77: an error raised at \"$place\" leaves no C++ object");
	cmp_ok($failures, '>', 0, "\"$place\" was reached $failures times");
}
is($t->sql('SELECT count(*) FROM app.users'), 3000, 'R78: nobody went by a failure');
is($t->sql("SELECT count(*) FROM vedfolnir.deletion"), 0, 'R78: and nothing is on record');
is($t->sql('SELECT count(*) FROM vedfolnir_delete_user(2, false)'), 9, 'R78: the next run is whole');

# Cancelled at random moments of a large walk: wide, deep, with collateral, clearing, targets and triggers.
$t->sql(<<'SQL');
CREATE TABLE app.tree (id int PRIMARY KEY, parent int REFERENCES app.tree ON DELETE CASCADE, u int REFERENCES app.users ON DELETE CASCADE, path text);
CREATE TABLE app.wide (id int, u int REFERENCES app.users ON DELETE CASCADE, tree int REFERENCES app.tree ON DELETE CASCADE, editor int REFERENCES app.users ON DELETE SET NULL);
INSERT INTO app.tree SELECT g, nullif(g - 1, 0), CASE g WHEN 1 THEN 1 WHEN 20000 THEN 5 END, 'tree/' || g FROM generate_series(1, 20000) g;
INSERT INTO app.wide SELECT g, CASE WHEN g % 2 = 0 THEN 1 END, 1 + g % 20000, CASE WHEN g % 2 = 1 THEN 1 ELSE 5 END FROM generate_series(1, 60000) g;
INSERT INTO app.wide SELECT g, NULL, NULL, 1 FROM generate_series(60001, 90000) g;
CREATE INDEX ON app.tree (parent);
CREATE INDEX ON app.tree (u);
CREATE INDEX ON app.wide (u);
CREATE INDEX ON app.wide (tree);
CREATE INDEX ON app.wide (editor);
ANALYZE;
SELECT vedfolnir_set_policy('app.tree', 'tree_parent_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.wide', 'wide_tree_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_set_policy('app.wide', 'wide_u_fkey', 'delete', collateral => 'delete');
SELECT vedfolnir_add_cleanup('app.tree', 'file', '{path}');
CREATE TRIGGER after AFTER DELETE ON app.wide FOR EACH ROW EXECUTE FUNCTION app.after();
SQL
my $before = time;
$t->sql('BEGIN; SELECT FROM vedfolnir_delete_user(1, false); ROLLBACK');
my $whole = (time - $before) * 1000;
my ($cancelled, $finished, $late, $other) = (0, 0, 0, '');
srand(20261122);
for my $i (1 .. 60)
{
	my $after = 1 + int(rand($whole));
	my $start = time;
	my ($code, $out, $err) = $t->node->psql('postgres',
		"\\set VERBOSITY sqlstate\nBEGIN; SET LOCAL statement_timeout = $after; SELECT FROM vedfolnir_delete_user(1, " . ($i % 2 ? 'true' : 'false') . '); ROLLBACK');
	if ($err =~ /57014/) { $cancelled++; }
	elsif ($err !~ /ERROR/) { $finished++; }
	else { $other .= $err; }
	$late++ if (time - $start) * 1000 > $after + 2000;
}
note("a run takes $whole ms; $cancelled cancelled, $finished finished");
is($other, '', 'R78: a cancel is 57014 and nothing else');
cmp_ok($cancelled, '>', 10, 'R78: runs and dry runs were cancelled at many moments');
is($late, 0, 'R78: and heard at once in every loop');
is($t->sql('SELECT count(*) FROM app.tree') . ' ' . $t->sql('SELECT count(*) FROM app.wide'), '20000 90000', 'R78: all rows are there');
is($t->sql("SELECT count(*) FROM vedfolnir.deletion"), 1, 'R78: and no deletion of it is on record');

unlike(slurp_file($t->node->logfile), qr/terminated by signal|PANIC/, 'R78: no backend died');
done_testing();

# doc/reference.md says of every function, relation, setting and error code what the extension has.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file("$ENV{VEDFOLNIR_ROOT}/doc/reference.md");
my $node = PostgreSQL::Test::Cluster->new('reference');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vedfolnir');

sub plain { my ($t) = @_; $t =~ s/::[a-z ]+(\[\])?//g; $t =~ s/\s+/ /g; $t =~ s/ \z//; return $t; }
my @lines = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT CASE WHEN p.prokind = 'p' THEN 'CALL ' || p.proname || '(' || regexp_replace(pg_get_function_arguments(p.oid), '\mIN ', '', 'g') || ')'
       ELSE p.proname || '(' || pg_get_function_arguments(p.oid) || ') RETURNS ' || pg_get_function_result(p.oid) END
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid WHERE e.extname = 'vedfolnir' AND p.proname ~ '^vedfolnir_' ORDER BY 1
SQL
my %real = map { plain($_) => 1 } @lines;
my $blocks = join(' ', $text =~ /^```\n(.*?)^```/msg);
my %shown = map { plain($_) => 1 } $blocks =~ /(vedfolnir_\w+\([^()]*\)\s+RETURNS\s+(?:TABLE\s*\([^()]*\)|(?:SETOF )?[\w.]+)|CALL vedfolnir_\w+\([^()]*DEFAULT[^()]*\))/g;
cmp_ok(scalar(keys %real), '>', 30, 'the extension has functions');
is_deeply([ sort keys %shown ], [ sort keys %real ], 'every signature is the one that the extension has');

my %columns = map { split /\|/ } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT c.relname, string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'vedfolnir'::regnamespace AND c.relkind IN ('r', 'v', 'c') AND a.attnum > 0 GROUP BY 1
SQL
my %described;
while ($text =~ /^\| `vedfolnir\.(\w+)` \| [^|]+ \| (`[^|]+`) \|$/mg) { my ($n, $c) = ($1, $2); $c =~ s/`//g; $described{$n} = $c; }
is_deeply(\%described, \%columns, 'every relation has the columns that are listed');

my %settings = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres',
	"LOAD 'vedfolnir'; SELECT name, context FROM pg_settings WHERE name ~ '^vedfolnir[.]'");
my %told;
while ($text =~ /^\| `(vedfolnir\.\w+)` \| [^|]+ \| (superuser|anybody)/mg) { $told{$1} = $2 eq 'anybody' ? 'user' : 'superuser'; }
is_deeply(\%told, \%settings, 'every setting, and who may set it');
my %defaults = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres',
	"LOAD 'vedfolnir'; SELECT name, current_setting(name) FROM pg_settings WHERE name ~ '^vedfolnir[.]' AND name <> 'vedfolnir.actor'");
like($text, qr/^\| `\Q$_\E` \| `\Q$defaults{$_}\E`/m, "the default of $_") for sort keys %defaults;

# Who may read the views.
$node->safe_psql('postgres', "CREATE ROLE looker; CREATE ROLE doer; CREATE ROLE monitor IN ROLE pg_monitor; "
	. "SELECT vedfolnir_grant('looker', 'viewer'); SELECT vedfolnir_grant('doer', 'operator')");
for my $role (qw(looker doer monitor))
{
	is($node->psql('postgres', "SET ROLE $role; SELECT * FROM vedfolnir.$_"), 0, "$role reads vedfolnir.$_")
		for qw(queue_status worker_status progress);
}

# Codes of our own are those that the source can raise, and no others.
my $sources = join('', map { slurp_file($_) } glob("$ENV{VEDFOLNIR_ROOT}/src/ext/*.cpp"));
my %codes;
my $header = slurp_file("$ENV{VEDFOLNIR_ROOT}/src/ext/report.h");
while ($header =~ /#define (ERRCODE_VDF_\w+) MAKE_SQLSTATE\('(.)', '(.)', '(.)', '(.)', '(.)'\)/g)
{
	my ($name, $code) = ($1, "$2$3$4$5$6");
	$codes{$code} = 1 if $sources =~ /\b$name\b/;
}
my %listed = map { $_ => 1 } $text =~ /^\| (VF\d+) \|/mg;
is_deeply([ sort keys %listed ], [ sort keys %codes ], 'every error code of class VF that can be raised');

# Codes of vedfolnir_check().
my %findings = map { $_ => 1 } $sources =~ /VDF_SEVERITY_[A-Z]+,\s*"([a-z_]+)"/g;
my %explained = map { $_ => 1 } $text =~ /^\| (?:error|warning|notice)[^|]* \| `([a-z_]+)` \|/mg;
is_deeply([ sort keys %explained ], [ sort keys %findings ], 'every code of vedfolnir_check()');
done_testing();

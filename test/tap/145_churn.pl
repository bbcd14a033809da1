# R26, R28 to R30, R45: sessions go on inserting, moving, updating and deleting rows of every shape while others delete people at every
# isolation level, alone, together and in batches, and are cancelled and terminated at random. Afterwards each row is accounted for.
# VEDFOLNIR_CHURN_SECONDS: how long (10); VEDFOLNIR_CHURN_SEED: what the sessions draw, not when they meet.
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $seconds = $ENV{VEDFOLNIR_CHURN_SECONDS} // 10;
my $seed = $ENV{VEDFOLNIR_CHURN_SEED} // time;
my $t = DeletionTest->new(conf => "deadlock_timeout = 50ms\nfsync = off\nmax_connections = 30\nautovacuum_naptime = 1\n");
my $node = $t->node;
my $files = "$ENV{VEDFOLNIR_ROOT}/test/support/churn";

$t->sql(slurp_file("$files/schema.sql"));
note("seed $seed, $seconds seconds");
$ENV{PYTHONDONTWRITEBYTECODE} = 1;
my ($out, $err) = ('', '');
# The distribution's own Python has the distribution's psycopg2.
my $ended = IPC::Run::run([ '/usr/bin/python3', "$files/churn.py", $node->connstr('postgres'), $seconds, $seed ], '<', \undef, '>', \$out, '2>', \$err,
	IPC::Run::timeout($seconds + 300));
ok($ended, 'the sessions come to their end') or diag($err);
note($out);
my %fact = $out =~ /^(\w+) (\d+)$/mg;
diag($_) for $out =~ /^problem (.*)$/mg;
is($fact{problems}, 0, 'R26, R30, R45: every row and every person is accounted for, nothing refers to nothing, no other SQLSTATE');
cmp_ok($fact{$_} // 0, '>', 0, "it was put to the test: $_")
	for qw(deleted_user deleted_together deleted_in_batches deleted_member dry_run rolled_back cancel terminate work_23503 delete_57014
	rows_changed keys_looked_at);
cmp_ok($fact{people_gone} // 0, '>=', $seconds, 'R28: enough people were deleted meanwhile');
my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal|PANIC|TRAP:|server process .* exited with exit code (?!1\b)/, 'no server process died');
done_testing();

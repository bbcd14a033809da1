# What the library does to its backend: no thread, no signal handler (R79), and no exception that leaves it: memory that runs
# out at any point is an error of one statement (R78).
use strict;
use warnings;
use DeletionTest;
use PostgreSQL::Test::BackgroundPsql;
use Test::More;

my $t = DeletionTest->new;
$t->sql(<<'SQL');
CREATE SCHEMA app;
CREATE TABLE app.users (id int PRIMARY KEY);
DO $$ BEGIN
    FOR i IN 1..400 LOOP
        EXECUTE format('CREATE TABLE app.t%s (id int PRIMARY KEY, u int REFERENCES app.users ON DELETE CASCADE, t int REFERENCES app.t%s ON DELETE CASCADE)',
            i, greatest(i - 1, 1));
    END LOOP;
END $$;
INSERT INTO app.users VALUES (1), (2);
INSERT INTO app.t1 VALUES (1, 1, NULL);
INSERT INTO app.t2 VALUES (1, NULL, 1);
SELECT vedfolnir_register_subject('app.users');
SQL

sub status
{
	my ($pid) = @_;
	open(my $in, '<', "/proc/$pid/status") or die "no /proc/$pid/status: $!";
	my %status = map { /^(\w+):\s+(.*)$/ ? ($1 => $2) : () } <$in>;
	return \%status;
}

my $session = $t->node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');
my $before = status($pid);
$session->query("LOAD 'vedfolnir'");
is(status($pid)->{SigCgt}, $before->{SigCgt}, 'R79: loading the library catches no signal');
$session->query('BEGIN; SELECT count(*) FROM vedfolnir_delete_user(2, false); ROLLBACK');
my $after = status($pid);
is($after->{Threads}, 1, 'R79: a deletion starts no thread');
is($after->{SigCgt}, $before->{SigCgt}, 'R79: and catches no signal');
is($after->{SigIgn}, $before->{SigIgn}, 'R79: and ignores none');

# The address space is limited a little above what the backend has: less and less of the dry run fits. Whatever fails, be it
# an allocation of PostgreSQL's or one of C++, is an error 53200 and the session goes on.
my ($refused, $fine) = (0, 0);
my @other;
for my $room (131072, map { $_ * 192 } reverse 0 .. 60)
{
	# A session of its own each time: one that has run once keeps its memory.
	my $s = $t->node->background_psql('postgres', on_error_stop => 0);
	my $p = $s->query("LOAD 'vedfolnir'; SELECT pg_backend_pid()");
	my ($size) = status($p)->{VmSize} =~ /(\d+)/;
	system('prlimit', "--pid=$p", '--as=' . ($size + $room) * 1024 . ':unlimited') == 0 or die 'prlimit failed';
	my ($result) = $s->query("SELECT count(*) FROM vedfolnir_delete_user(1);\n\\echo state :SQLSTATE") =~ /state (\w+)/;
	system('prlimit', "--pid=$p", '--as=unlimited:unlimited') == 0 or die "R78: the backend is gone with $room kB";
	if ($result eq '00000') { $fine++; }
	elsif ($result eq '53200') { $refused++; }
	else { push @other, "$room kB: '$result'"; }
	is($s->query('SELECT count(*) FROM vedfolnir_delete_user(1)'), 3, "R78: afterwards the same session works ($room kB, $result)");
	$s->quit;
}
is("@other", '', 'R78: nothing but 53200');
cmp_ok($refused, '>', 0, 'R78: memory did run out');
cmp_ok($fine, '>', 0, 'R78: and with enough of it did not');
is($session->query('SELECT pg_backend_pid()'), $pid, 'R78: no other session was cut');
$session->quit;
unlike(PostgreSQL::Test::Utils::slurp_file($t->node->logfile), qr/terminated by signal|PANIC/, 'R78: no backend died');
done_testing();

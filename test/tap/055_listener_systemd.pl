# What systemd sees of the daemon: READY, STATUS, signs of life and STOPPING; its user and directory; and prune_after, which a
# daemon does at each heartbeat (R61, R69).
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('file', 'images', 'path');
my $path = PostgreSQL::Test::Utils::tempdir_short() . '/notify';
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "socket: $!";
my $select = IO::Select->new($socket);
my @seen;
# Reads until a message is like the pattern; gives the seconds it took.
sub wait_for
{
	my ($pattern, $what, $seconds) = @_;
	my $start = time;
	while (time - $start < ($seconds // 20))
	{
		next unless $select->can_read(0.1);
		$socket->recv(my $message, 4096);
		push @seen, $message;
		if ($message =~ $pattern) { pass($what); return time - $start; }
	}
	fail($what);
	diag(join '|', @seen);
	return;
}

$t->configure($t->file_service('images'), "heartbeat = 200ms\npoll = 100ms\nprune_after = 300ms\nlog_level = info");
$ENV{NOTIFY_SOCKET} = $path;
$node->stop;
my $daemon = $t->start;
wait_for(qr/^READY=1$/m, 'it is ready before the server is up');
wait_for(qr/^WATCHDOG=1\nSTATUS=waiting for the database/m, 'and says what it waits for');
$node->start;
wait_for(qr/^WATCHDOG=1\nSTATUS=working, 0 tasks settled/m, 'it says that it works');
$t->write_file("f$_") for 1 .. 3;
my $deletion = $t->deletion;
$t->task($deletion, 'file', 'images', "f$_") for 1 .. 3;
$t->sql('NOTIFY vedfolnir_cleanup');
wait_for(qr/^STATUS=working, 3 tasks settled/m, 'and how much it has settled');
my $longest = 0;
for (1 .. 5) { my $took = wait_for(qr/^WATCHDOG=1/m, 'a sign of life') // 99; $longest = $took if $took > $longest; }
cmp_ok($longest, '<', 10, 'they come much more often than the unit asks for');
$t->wait_for_sql('SELECT count(*) = 0 FROM vedfolnir.cleanup_task', 'what is done is pruned after a while');
is($t->deletion_state($deletion), 'complete', 'the deletion stays on record');
my $dead = $t->task($t->deletion, 'file', 'images', '../x');
$t->wait_for_sql("SELECT state = 'dead' FROM vedfolnir.cleanup_task WHERE id = $dead", 'a bad task is dead');
wait_for(qr/^WATCHDOG=1/m, 'time passes') for 1 .. 4;
is($t->state($dead), 'dead', 'and is not pruned');
is($t->stop($daemon), 0, 'it ends');
wait_for(qr/^STOPPING=1/m, 'and says so');
delete $ENV{NOTIFY_SOCKET};

# The snippets make what the unit names.
my $etc = "$ENV{VEDFOLNIR_ROOT}/etc";
my ($user) = slurp_file("$etc/vedfolnir-listener.service") =~ /^User=(\S+)$/m;
my ($config) = slurp_file("$etc/vedfolnir-listener.service") =~ /^ExecStart=.* --config (\S+)$/m;
like(slurp_file("$etc/vedfolnir-listener.sysusers"), qr/^u \Q$user\E /m, 'sysusers makes the user of the unit');
my ($directory, $mode, $group) = slurp_file("$etc/vedfolnir-listener.tmpfiles") =~ m{^d (\S+) (\d+) root (\S+) -$}m;
is("$directory/listener.ini $group $mode", "$config $user 0750", 'tmpfiles makes the directory of its configuration, closed to others');
my $watchdog = slurp_file("$etc/vedfolnir-listener.service") =~ /^WatchdogSec=(\d+)s$/m ? $1 : 0;
cmp_ok($watchdog, '>=', 20, 'the watchdog allows for more than one heartbeat of the default');
SKIP:
{
	skip 'systemd-sysusers is not installed', 1 if system('command -v systemd-sysusers >/dev/null');
	my $root = PostgreSQL::Test::Utils::tempdir();
	mkdir "$root/etc";
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'systemd-sysusers', "--root=$root", '--dry-run', "$etc/vedfolnir-listener.sysusers" ], '>', \$out, '2>', \$err);
	is($?, 0, 'systemd takes the snippet') or diag("$out$err");
}
done_testing();

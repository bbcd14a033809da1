# Through a transaction pooler LISTEN is accepted and nothing ever arrives: noticed, said once, and polled (R52, R60).
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new(redis => 0);
my $node = $t->node;
$t->add_rule('file', 'images', 'path');

# In Debian the program is not on everybody's path.
my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
defined $pgbouncer or die 'pgbouncer is not installed';
my $port = PostgreSQL::Test::Cluster::get_free_port();
append_to_file("$t->{dir}/users.txt", qq("worker" ""\n));
append_to_file("$t->{dir}/pgbouncer.ini", '[databases]
postgres = host=' . $node->host . ' port=' . $node->port . "
[pgbouncer]
listen_addr =
unix_socket_dir = $t->{dir}
listen_port = $port
pool_mode = transaction
auth_type = any
auth_file = $t->{dir}/users.txt
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
logfile = $t->{dir}/pgbouncer.log
pidfile =
");
# With auth_type any the pooler needs the name to log in with.
my $ini = slurp_file("$t->{dir}/pgbouncer.ini") =~ s/(postgres = .*)/$1 user=worker/r;
unlink "$t->{dir}/pgbouncer.ini";
append_to_file("$t->{dir}/pgbouncer.ini", $ini);
my $pooler = IPC::Run::start([ $pgbouncer, '-q', "$t->{dir}/pgbouncer.ini" ], '<', \undef, '>&', "$t->{dir}/pgbouncer.out");
$t->wait_until(sub { -S "$t->{dir}/.s.PGSQL.$port" }, 'the pooler is up', 20) or diag(slurp_file("$t->{dir}/pgbouncer.out"));

$t->configure($t->file_service('images'), "poll = 700ms\nheartbeat = 300ms", "host=$t->{dir} port=$port dbname=postgres user=worker");
my ($code, $out, $err) = $t->run('--check');
is($code, 0, '--check works through the pooler') or diag("$out$err" . slurp_file("$t->{dir}/pgbouncer.log"));
my $daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /notifications do not arrive \(a transaction pooler\?\); polling every 700 ms does the work/ },
	'it is noticed', 30);
for my $round (1 .. 3)
{
	$t->write_file("file$round");
	my $deletion = $t->deletion;
	$t->task($deletion, 'file', 'images', "file$round");
	$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", "round $round: polling does the work", 20);
	ok(!-e $t->root . "/file$round", "round $round: the file is gone");
}
is(scalar(() = $t->log($daemon) =~ /notifications do not arrive/g), 1, 'it is said once');
is($t->stop($daemon), 0, 'the listener ends');

# Directly to the server nothing of the kind is said.
$t->configure($t->file_service('images'), 'poll = 1h');
$daemon = $t->start;
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'without the pooler');
$t->write_file('direct');
my $deletion = $t->deletion;
$t->task($deletion, 'file', 'images', 'direct');
$t->sql('NOTIFY vedfolnir_cleanup');
$t->wait_for_sql("SELECT state = 'complete' FROM vedfolnir.deletion WHERE id = '$deletion'", 'notifications do the work', 20);
unlike($t->log($daemon), qr/notifications do not arrive/, 'and nothing is said');
$t->stop($daemon);
$pooler->kill_kill(grace => 2);
done_testing();

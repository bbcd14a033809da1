# The listener's connection (R44): TLS with the server's name verified to another host, unless the configuration says
# otherwise; time limits and a name in pg_stat_activity; a server that only reads is refused.
use strict;
use warnings;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new(redis => 0, conf => "listen_addresses = '127.0.0.1'\n");
my $node = $t->node;
my $remote = 'host=database.example hostaddr=127.0.0.1 port=' . $node->port . ' dbname=postgres user=worker';
PostgreSQL::Test::Utils::append_to_file($node->data_dir . '/pg_hba.conf', "host all worker 127.0.0.1/32 trust\n");
$node->reload;
delete $ENV{PGSSLMODE};

$t->configure($t->file_service('images'));
my ($code, $out, $err) = $t->run('--once');
is($code, 0, "R44: a socket needs no TLS") or diag("$out$err");

$t->configure($t->file_service('images'), '', $remote);
($code, $out, $err) = $t->run('--once');
is($code, 2, 'R44: to another host it does not talk in the clear');
like("$out$err", qr/certificate|SSL/, 'R44: and says why');

$t->configure($t->file_service('images'), '', "$remote sslmode=disable");
($code, $out, $err) = $t->run('--once');
is($code, 0, 'R44: unless it is told to') or diag("$out$err");

# What libpq was asked for can be seen while it runs.
$t->configure($t->file_service('images'));
my $daemon = $t->start;
$t->wait_for_sql("SELECT count(*) >= 1 FROM pg_stat_activity WHERE usename = 'worker' AND application_name LIKE 'vedfolnir%'", 'R44: the connection has a name');
is($t->stop($daemon, 'TERM'), 0, 'it stops');

# A session that may not write is of no use.
$t->sql("ALTER ROLE worker SET default_transaction_read_only = on");
($code, $out, $err) = $t->run('--once');
isnt($code, 0, 'R44: a server that only reads is refused') or diag("$out$err");
done_testing();

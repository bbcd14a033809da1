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

# With TLS it is the name that counts, not only that there is a certificate (verify-full).
sub certificate
{
	my ($name, @issuer) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$name";
	my @request = ('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', "/CN=$name", '-keyout', "$file.key", '-out', "$file.crt");
	PostgreSQL::Test::Utils::run_log([ @request, '-addext', "subjectAltName=DNS:$name" ]) or die 'openssl failed';
	chmod 0600, "$file.key";
	return $file;
}
my $right = certificate('database.example');
my $wrong = certificate('elsewhere.example');
# It is its own authority; a server with another name is trusted as far as the authority goes.
for ([ $right, $right, 'ok' ], [ $wrong, $wrong, 'its name is another' ], [ $right, $wrong, 'nobody vouches for it' ])
{
	my ($server, $root, $what) = @$_;
	$node->append_conf('postgresql.conf', "ssl = on\nssl_cert_file = '$server.crt'\nssl_key_file = '$server.key'\n");
	$node->restart;
	$t->configure($t->file_service('images'), '', "$remote sslrootcert=$root.crt");
	($code, $out, $err) = $t->run('--once');
	if ($what eq 'ok') { is($code, 0, 'R44: a server whose certificate bears its name is taken') or diag("$out$err"); }
	else
	{
		is($code, 2, "R44: a server is refused when $what");
		like("$out$err", $server eq $wrong ? qr/does not match host name/ : qr/certificate verify failed/, 'R44: and that is why');
	}
}

# A dead peer is found by keepalives and by unanswered data, which is seen where the socket is made.
my $shim = PostgreSQL::Test::Utils::tempdir() . '/shim';
PostgreSQL::Test::Utils::append_to_file("$shim.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	FILE *out = fopen(getenv("SHIM_OUT"), "a");
	if (out && size >= sizeof(int)) fprintf(out, "%d/%d=%d\n", level, name, *(const int *) value);
	if (out) fclose(out);
	return ((int (*)(int, int, int, const void *, socklen_t)) dlsym(RTLD_NEXT, "setsockopt"))(fd, level, name, value, size);
}
C
PostgreSQL::Test::Utils::run_log([ 'cc', '-shared', '-fPIC', '-o', "$shim.so", "$shim.c", '-ldl' ]) or die 'no compiler';
$t->configure($t->file_service('images'), '', "$remote sslmode=disable");
{
	local $ENV{LD_PRELOAD} = "$shim.so";
	local $ENV{SHIM_OUT} = "$shim.out";
	($code, $out, $err) = $t->run('--once');
}
is($code, 0, 'the connection is watched') or diag("$out$err");
my $options = slurp_file("$shim.out");
# SOL_SOCKET SO_KEEPALIVE; IPPROTO_TCP: TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT (milliseconds)
like($options, qr/^1\/9=1$/m, 'R44: keepalives are on');
my %tcp = $options =~ /^6\/(\d+)=(\d+)$/mg;
cmp_ok($tcp{4} + $tcp{5} * $tcp{6}, '<', 30, 'R44: an idle connection to a dead peer ends within half a minute');
ok($tcp{18} && $tcp{18} < 30000, 'R44: and so does one whose data nobody takes');

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

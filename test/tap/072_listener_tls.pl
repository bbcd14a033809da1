# Webhook and identity provider over TLS: a server is talked to only if an authority that is trusted vouches for its name; to
# any other neither a target nor the client's secret is sent, and the task is dead with the reason (R75).
use strict;
use warnings;
use IPC::Run;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $t = ListenerTest->new(redis => 0);
$t->add_rule('webhook', 'hook', 'session');
$t->add_rule('identity', 'keycloak', 'session');
my $dir = PostgreSQL::Test::Utils::tempdir();
sub certificate
{
	my ($name, $for) = @_;
	PostgreSQL::Test::Utils::run_log([ 'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', "/CN=$name", '-keyout', "$dir/$name.key",
		'-out', "$dir/$name.crt", '-addext', "subjectAltName=$for" ]) or die 'openssl failed';
	return "$dir/$name";
}
my $right = certificate('right', 'IP:127.0.0.1');
my $wrong = certificate('wrong', 'DNS:elsewhere.example');

my $record = "$dir/record";
for my $case ([ $right, $right, 'done', 'a server whose certificate bears its name' ], [ $right, undef, 'dead', 'nobody who is trusted vouches for it' ],
	[ $right, $wrong, 'dead', 'somebody else vouches for it' ], [ $wrong, $wrong, 'dead', 'it bears another name' ])
{
	my ($server, $authority, $state, $what) = @$case;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ 'python3', "$ENV{VEDFOLNIR_ROOT}/test/support/https_server.py", "$server.crt", "$server.key", $record ], '<', \undef, '>', \$out, '2>', \$err);
	ListenerTest::note_start($run);
	$run->pump until $out =~ /\n/ || $err;
	chomp(my $port = $out);
	unlink $record;
	append_to_file($record, '');
	my $url = "https://127.0.0.1:$port" . ($authority ? "\nca_file = $authority.crt" : '');
	$t->configure("[service hook]\ntype = webhook\nurl = $url\nsecret = key\nallow = public.images:webhook\n"
		. "[service keycloak]\ntype = keycloak\nurl = $url\nrealms = central\nclient_id = c\nclient_secret = hidden\nallow = public.images:identity\n", 'max_attempts = 2');
	my $hook = $t->task($t->deletion, 'webhook', 'hook', 'a target', operation => 'post');
	my $account = $t->task($t->deletion, 'identity', 'keycloak', 'central/somebody', phase => 1, operation => 'disable');
	my (undef, undef, $log) = $t->run('--once');
	is($t->state($hook), $state, "$what: $state") or diag($log);
	if ($state eq 'done')
	{
		like(slurp_file($record), qr/^POST .*"a target"/m, "$what: it was told");
		like(slurp_file($record), qr/client_secret=hidden/, "$what: and shown the secret");
	}
	else
	{
		like($t->error($hook), qr/certificate|peer/i, "$what: with the reason");
		is($t->state($account), 'dead', "$what: so is the identity");
		is(slurp_file($record), '', "$what: nothing was sent");
	}
	ListenerTest::note_end($run);
	$run->kill_kill;
}
done_testing();

# Webhooks over a real socket: signature, idempotency key, and a server that misbehaves in every way.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use IO::Socket::INET;
use JSON::PP;
use ListenerTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $t = ListenerTest->new(redis => 0);
$t->add_rule('webhook', 'hook', 'session');

# Answers each request as told on a line of the file "script"; what it got goes to the file "requests".
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 20, ReuseAddr => 1) or die;
my $port = $server->sockport;
my ($script, $requests) = ("$t->{dir}/script", "$t->{dir}/requests");
append_to_file($script, "200\n");
my $pid = fork() // die;
if (!$pid)
{
	$SIG{PIPE} = 'IGNORE';
	while (1)
	{
		my $client = $server->accept or next;
		my ($head, $body) = ('', '');
		while (my $line = <$client>) { $head .= $line; last if $line eq "\r\n"; }
		my ($length) = $head =~ /^content-length: (\d+)/mi;
		read($client, $body, $length) if $length;
		append_to_file($requests, JSON::PP->new->encode({ head => $head, body => $body }) . "\n") if $head;
		(my $how) = slurp_file($script) =~ /(.*)/;
		if ($how eq 'reset') { setsockopt($client, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); close $client; next; }
		if ($how eq 'silent') { sleep 3; close $client; next; }
		if ($how eq 'half') { print $client "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"; close $client; next; }
		if ($how eq 'garbage') { print $client "\x16\x03\x01\x00garbage\r\n\r\n"; close $client; next; }
		if ($how eq 'long') { print $client "HTTP/1.1 200 OK\r\n\r\n" . ('x' x 100000); close $client; next; }
		my ($status, $header) = split / /, $how, 2;
		print $client "HTTP/1.1 $status X\r\nContent-Length: 0\r\nConnection: close\r\n" . ($header ? "$header\r\n" : '') . "\r\n";
		close $client;
	}
}
sub answer { my ($how) = @_; unlink $script; append_to_file("$script.new", "$how\n"); rename "$script.new", $script; return; }
sub last_request { my @lines = split /\n/, slurp_file($requests); return JSON::PP->new->decode($lines[-1]); }
sub count_requests { return scalar(my @lines = split /\n/, slurp_file($requests)); }

$t->configure("[service hook]\ntype = webhook\nurl = http://127.0.0.1:$port/erase?x=1\nsecret = key\ntimeout = 1s\n"
	  . "max_response = 2048\nallow = public.images:webhook\n", 'max_attempts = 3');

my $deletion = $t->deletion;
my $id = $t->task($deletion, 'webhook', 'hook', "customer \"1\"/\xC3\xBC", operation => 'post');
my ($code, $out, $err) = $t->run('--once');
is($code, 0, 'a webhook is done') or diag($err);
my $request = last_request();
like($request->{head}, qr{^POST /erase\?x=1 HTTP/1\.1\r$}m, 'by POST to its URL');
like($request->{head}, qr/^Content-Type: application\/json\r$/m, 'as JSON');
like($request->{head}, qr/^Idempotency-Key: \Q$deletion\E-$id\r$/m, 'with an idempotency key');
my ($signature) = $request->{head} =~ /^Vedfolnir-Signature: sha256=([0-9a-f]{64})\r$/m;
is($signature, hmac_sha256_hex($request->{body}, 'key'), 'and a signature of the body');
my $body = JSON::PP->new->utf8->decode($request->{body});
is("$body->{deletion_id} $body->{kind} $body->{operation}", "$deletion webhook post", 'deletion, kind and operation');
is($body->{target}, "customer \"1\"/\x{FC}", 'and the target');
unlike($err, qr/customer/, 'which is not in the log');

# Gives (state, message) after one run.
sub settle
{
	my ($how) = @_;
	answer($how);
	$t->sql('DELETE FROM vedfolnir.cleanup_task');
	$id = $t->task($t->deletion, 'webhook', 'hook', 'x');
	$t->run('--once');
	return $t->state($id) . ': ' . $t->error($id);
}
# What the environment names as a proxy gets to see nothing.
answer('200');
{
	local %ENV = (%ENV, map { $_ => "http://127.0.0.1:1" } qw(http_proxy https_proxy all_proxy));
	is(settle('200'), 'done: ', 'no proxy of the environment is used');
}

is(settle('410'), 'skipped: ', '410 is skipped');
is(settle('404'), 'dead: webhook gives HTTP status 404', '404 is dead: it may be a wrong address');
like(settle("302 Location: http://127.0.0.1:$port/other"), qr/^dead: webhook gives HTTP status 302/, 'a redirect is not followed');
is(settle('500'), 'retryable: webhook gives HTTP status 500', '500 is tried again');
is(settle('429 Retry-After: 300'), 'retryable: webhook gives HTTP status 429', '429 is tried again');
is($t->sql('SELECT run_after > now() + interval \'290 s\' FROM vedfolnir.cleanup_task'), 't', 'after as long as it says');
like(settle('reset'), qr/^retryable: /, 'a reset after the request is tried again');
my $first = last_request()->{head} =~ /^(Idempotency-Key: .*)\r$/m ? $1 : 'none';
answer('200');
$t->sql("SELECT vedfolnir_retry_tasks(ARRAY[$id])");
is(($t->run('--once'))[0], 0, 'and done when it works');
like(last_request()->{head}, qr/^\Q$first\E\r$/m, 'with the same idempotency key');
like(settle('half'), qr/^retryable: /, 'half an answer is tried again');
like(settle('garbage'), qr/^retryable: /, 'an answer that is no HTTP is tried again');
is(settle('long'), 'dead: the answer is longer than max_response', 'an answer without end is dead');
my $start = time;
like(settle('silent'), qr/^retryable: Timeout was reached/, 'no answer in time is tried again');
cmp_ok(time - $start, '<', 2.9, 'without waiting for it');

# A server that is away is asked once per batch, not once per task.
answer('silent');
$t->sql('DELETE FROM vedfolnir.cleanup_task');
$t->task($t->deletion, 'webhook', 'hook', "x$_") for 1 .. 20;
my $before = count_requests();
$t->run('--once');
cmp_ok(count_requests() - $before, '<=', 2, 'twenty tasks, one time limit');
is($t->sql(q(SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'retryable')), 20, 'all of them wait');

kill 'KILL', $pid;
waitpid $pid, 0;
done_testing();

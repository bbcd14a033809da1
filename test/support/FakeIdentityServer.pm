# FakeIdentityServer.pm: as much of Keycloak's admin interface as the listener asks for, over a real socket: slow if told,
# and with a record of what was in hand at the same time.
package FakeIdentityServer;
use strict;
use warnings;
use Fcntl qw(:flock);
use File::Path qw(make_path);
use IO::Socket::INET;
use JSON::PP;
use ListenerTest;
use POSIX ();
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

# new($dir, delay => seconds that each request takes)
sub new
{
	my ($class, $dir, %options) = @_;
	make_path("$dir/users", "$dir/refuse");
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50, ReuseAddr => 1) or die;
	my $self = bless { dir => $dir, port => $server->sockport, record => "$dir/record" }, $class;
	append_to_file($self->{record}, '');
	$self->delay($options{delay} // 0);
	my $pid = fork() // die;
	if (!$pid) { $self->serve($server); }
	$self->{pid} = $pid;
	$ListenerTest::started{$pid} = 1;
	return $self;
}

sub delay
{
	my ($self, $seconds) = @_;
	unlink "$self->{dir}/delay.new";
	append_to_file("$self->{dir}/delay.new", "$seconds\n");
	rename "$self->{dir}/delay.new", "$self->{dir}/delay" or die;
	return;
}

sub add_user
{
	my ($self, $realm, $id) = @_;
	make_path("$self->{dir}/users/$realm");
	append_to_file("$self->{dir}/users/$realm/$id", 'true');
	return;
}

# Answers requests of a method to a realm with a status, so many times or until status 0 is set.
sub refuse
{
	my ($self, $realm, $method, $status, $times) = @_;
	my $file = "$self->{dir}/refuse/$realm.$method";
	unlink glob("$file.*");
	return unless $status;
	append_to_file("$file.$_", $status) for 1 .. $times // 1;
	append_to_file("$file.always", $status) unless $times;
	return;
}

# Of the requests that are taken off the list at once each finds one.
sub refusal
{
	my ($self, $realm, $method) = @_;
	my $file = "$self->{dir}/refuse/$realm.$method";
	return slurp_file("$file.always") if -e "$file.always";
	for my $one (glob("$file.*"))
	{
		my $status = slurp_file($one);
		return $status if unlink $one;
	}
	return;
}

sub has_user { my ($self, $realm, $id) = @_; return -e "$self->{dir}/users/$realm/$id" ? 1 : 0; }

# "METHOD realm/user status" of the requests that change something, as they were answered.
sub changes
{
	my ($self) = @_;
	return map { my @f = split / /; $f[3] eq 'GET' ? () : "$f[3] $f[0]/$f[4] $f[5]" } split /\n/, slurp_file($self->{record});
}

sub users { my ($self) = @_; return scalar(my @all = glob("$self->{dir}/users/*/*")); }

# A process for each connection: requests that come at once are answered at once.
sub serve
{
	my ($self, $server) = @_;
	$SIG{CHLD} = 'IGNORE';
	$SIG{PIPE} = 'IGNORE';
	while (1)
	{
		my $client = $server->accept or next;
		next if fork();
		my ($head, $body) = ('', '');
		while (my $line = <$client>) { $head .= $line; last if $line eq "\r\n"; }
		my ($length) = $head =~ /^content-length: (\d+)/mi;
		read($client, $body, $length) if $length;
		my ($method, $path) = $head =~ m{^(\w+) (\S+)} or POSIX::_exit(0);
		my ($realm, $user) = $path =~ m{/realms/([^/]+)/users/([^/?]*)};
		my $start = time;
		# Asked again and again, so that a server that hangs can be let go.
		while (time - $start < (slurp_file("$self->{dir}/delay") + 0)) { sleep 0.01; }
		my $refusal = $realm ? $self->refusal($realm, $method) : undef;
		my ($status, $answer) = $refusal ? ($refusal, '{}') : $self->answer($method, $path, $body);
		$self->note($realm, $start, time, $method, $user, $status) if $realm;
		print $client "HTTP/1.1 $status X\r\nContent-Type: application/json\r\nContent-Length: "
			. length($answer) . "\r\nConnection: close\r\n\r\n$answer";
		close $client;
		POSIX::_exit(0);
	}
	return;
}

sub answer
{
	my ($self, $method, $path, $body) = @_;
	return (200, '{}') if $path =~ m{^/hook};
	return (200, '{"access_token":"token","expires_in":300}') if $path =~ m{/token$};
	return (404, '{}') unless my ($realm, $id, $rest) = $path =~ m{^/admin/realms/([^/]+)/users/([^/?]+)(/\w+)?$};
	my $file = "$self->{dir}/users/$realm/$id";
	return (404, '{"error":"User not found"}') unless -e $file;
	return (200, '[]') if $method eq 'GET' && $rest;
	return (200, qq({"id":"$id","username":"$id","enabled":) . slurp_file($file) . '}') if $method eq 'GET';
	if ($method eq 'DELETE') { unlink $file; }
	elsif ($method eq 'PUT')
	{
		open(my $f, '>', "$file.$$") or die;
		print $f JSON::PP->new->decode($body)->{enabled} ? 'true' : 'false';
		close $f;
		rename "$file.$$", $file;
	}
	return (204, '');
}

sub note
{
	my ($self, @fields) = @_;
	open(my $f, '>>', $self->{record}) or die;
	flock($f, LOCK_EX);
	print $f "@fields\n";
	close $f;
	return;
}

# How many pairs of requests were in hand at once: (in one realm, in different realms).
sub overlaps
{
	my ($self) = @_;
	my @all = sort { $a->[1] <=> $b->[1] } map { [split / /] } split /\n/, slurp_file($self->{record});
	my ($same, $different) = (0, 0);
	for my $i (0 .. $#all)
	{
		for my $j ($i + 1 .. $#all)
		{
			last if $all[$j][1] >= $all[$i][2];
			if ($all[$i][0] eq $all[$j][0]) { $same++; } else { $different++; }
		}
	}
	return ($same, $different);
}

# One request to each of the realms, all in hand at the same time.
sub ask_at_once
{
	my ($self, @realms) = @_;
	my @all = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) // die } @realms;
	print { $all[$_] } "GET /admin/realms/$realms[$_]/users/nobody HTTP/1.1\r\n\r\n" for 0 .. $#all;
	$_->flush, slurp_socket($_) for @all;
	return;
}
sub slurp_socket { my ($socket) = @_; local $/; return scalar(<$socket>); }

sub forget { my ($self) = @_; truncate($self->{record}, 0) or die; unlink glob("$self->{dir}/users/*/*"); return; }

# A section of the listener's configuration.
sub service
{
	my ($self, $name, %more) = @_;
	my %options = (type => 'keycloak', url => "http://127.0.0.1:$self->{port}", client_id => 'vedfolnir', client_secret => 'secret',
		allow => 'public.images:identity', %more);
	return "[service $name]\n" . join('', map { "$_ = $options{$_}\n" } sort keys %options);
}

sub stop
{
	my ($self) = @_;
	delete $ListenerTest::started{ $self->{pid} };
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

1;

# ListenerTest.pm: a cluster with the extension, a Redis server, a file root and the listener, for one TAP file.
package ListenerTest;
use strict;
use warnings;
use File::Path qw(make_path);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $redis_count = 0;

# new(%options): redis => 0 leaves Redis out, conf => extra lines of postgresql.conf, init => options of init()
sub new
{
	my ($class, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new('main');
	$node->init(@{ $options{init} // [] });
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	$node->start;
	my $self = bless {
		node => $node,
		dir => PostgreSQL::Test::Utils::tempdir(),
		listener => $options{listener} // $ENV{VEDFOLNIR_LISTENER} // die('VEDFOLNIR_LISTENER is not set'),
	}, $class;
	$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION vedfolnir;
CREATE ROLE worker LOGIN;
SELECT vedfolnir_grant('worker', 'worker');
CREATE TABLE public.images (id int PRIMARY KEY, path text, folder text, session text);
INSERT INTO vedfolnir.subject VALUES ('user', 'public.images', 'public', 'images', 'id', NULL, 'delete');
SQL
	$self->{root} = "$self->{dir}/root";
	make_path($self->{root});
	$self->start_redis unless defined $options{redis} && !$options{redis};
	return $self;
}

sub node { return $_[0]->{node}; }
sub root { return $_[0]->{root}; }
sub sql { my ($self, $sql) = @_; return $self->{node}->safe_psql('postgres', $sql); }

# A rule without its template: parsed is the expression over one row.
sub add_rule
{
	my ($self, $kind, $service, $parsed) = @_;
	$self->sql("INSERT INTO vedfolnir.cleanup_rule (subject, relation, relation_schema, relation_name, kind, target, parsed, "
		. "service, on_expire) VALUES ('user', 'public.images', 'public', 'images', '$kind', \$t\$= $parsed\$t\$, "
		. "\$t\$$parsed\$t\$, '$service', 'no')");
}

# Makes a deletion and gives its id.
sub deletion
{
	my ($self) = @_;
	return $self->sql("INSERT INTO vedfolnir.deletion (id, subject, pseudonym, key_id, \"session_user\", \"current_user\", mode, "
		. "state) VALUES (gen_random_uuid(), 'user', 'x', 1, 'app', 'app', 'delete', 'pending') RETURNING id");
}

my %phase = (redis_key => 2, redis_pattern => 2, file => 3, directory => 3, webhook => 5);

# task($deletion, $kind, $service, $target [, column => value]): gives the id.
sub task
{
	my ($self, $deletion, $kind, $service, $target, %more) = @_;
	my $phase = delete $more{phase} // $phase{$kind};
	my $operation = delete $more{operation} // 'delete';
	my $columns = join('', map { ", $_" } sort keys %more);
	my $values = join('', map { ", '$more{$_}'" } sort keys %more);
	$target =~ s/'/''/g;
	$target =~ s/\\/\\\\/g;
	return $self->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target$columns) VALUES "
		. "('$deletion', $phase, '$kind', '$operation', '$service', E'$target'$values) RETURNING id");
}

sub state { my ($self, $id) = @_; return $self->sql("SELECT state FROM vedfolnir.cleanup_task WHERE id = $id"); }
sub error
{
	my ($self, $id) = @_;
	return $self->sql("SELECT errors -> -1 ->> 'message' FROM vedfolnir.cleanup_task WHERE id = $id");
}
sub deletion_state { my ($self, $id) = @_; return $self->sql("SELECT state FROM vedfolnir.deletion WHERE id = '$id'"); }

sub start_redis
{
	my ($self, @arguments) = @_;
	my $dir = $self->{redis_dir} //= "$self->{dir}/redis" . ++$redis_count;
	make_path($dir);
	$self->{redis_socket} = "$dir/redis.sock";
	$self->{redis_arguments} = [@arguments] if @arguments;
	my @command = ('redis-server', '--port', '0', '--unixsocket', $self->{redis_socket}, '--dir', $dir, '--save', '',
		'--appendonly', 'no', '--logfile', "$dir/redis.log", @{ $self->{redis_arguments} // [] });
	$self->{redis} = IPC::Run::start(\@command, '<', \undef, '>&', "$dir/out.log");
	note_start($self->{redis});
	for (1 .. 200)
	{
		return if ($self->redis_cli('PING') // '') =~ /PONG|NOAUTH|LOADING/;
		sleep 0.05;
	}
	die 'redis-server did not start';
}

sub stop_redis
{
	my ($self, $how) = @_;
	note_end($self->{redis});
	$self->{redis}->kill_kill(grace => $how && $how eq 'kill' ? 0 : 5);
	return;
}

# The answer as redis-cli prints it without a terminal.
sub redis_cli
{
	my ($self, @command) = @_;
	my ($out, $err);
	IPC::Run::run([ 'redis-cli', '-s', $self->{redis_socket}, '--no-auth-warning', @command ], '<', \undef, '>', \$out, '2>', \$err);
	chomp $out;
	return $out;
}

sub redis_service
{
	my ($self, $name, $more) = @_;
	return "[service $name]\ntype = redis\nsocket = $self->{redis_socket}\nallow = public.images:redis_key, public.images:redis_pattern\n"
		. ($more // '');
}

sub file_service
{
	my ($self, $name, $more) = @_;
	return "[service $name]\ntype = files\nroot = $self->{root}\nallow = public.images:file, public.images:directory\n"
		. ($more // '');
}

sub conninfo { my ($self) = @_; my $n = $self->{node}; return 'host=' . $n->host . ' port=' . $n->port . ' dbname=postgres user=worker'; }

# Writes the configuration file and gives its name.
sub configure
{
	my ($self, $services, $listener, $conninfo) = @_;
	$conninfo //= $self->conninfo;
	$listener //= '';
	$listener = "backoff_base = 50ms\n$listener" unless $listener =~ /^backoff_base/m;
	my $file = "$self->{dir}/listener.ini";
	PostgreSQL::Test::Utils::append_to_file("$file.new",
		"[database]\nconninfo = $conninfo\n[listener]\nworker = test\n$listener\n$services\n");
	rename("$file.new", $file) or die "rename: $!";
	chmod 0600, $file;
	return $self->{config} = $file;
}

# Runs the listener to its end: (exit code, standard output, standard error).
sub run
{
	my ($self, @arguments) = @_;
	my ($out, $err) = ('', '');
	my $timeout = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	IPC::Run::run([ $self->{listener}, '--config', $self->{config}, @arguments ], '<', \undef, '>', \$out, '2>', \$err, $timeout);
	my $code = $? >> 8;
	$code = "signal " . ($? & 127) if $? & 127;
	return ($code, $out, $err);
}

# Starts the listener as a daemon; its log goes to a file that log() reads.
sub start
{
	my ($self, @arguments) = @_;
	my $log = $self->{log} = "$self->{dir}/listener" . ++$self->{starts} . '.log';
	my $daemon = { log => $log };
	$daemon->{run} = IPC::Run::start([ $self->{listener}, '--config', $self->{config}, @arguments ],
		'<', \undef, '>', "$log.out", '2>', $log);
	$daemon->{pid} = $daemon->{run}->{KIDS}->[0]->{PID};
	note_start($daemon->{run});
	return $daemon;
}

# Ends it with a signal and gives the exit code, or "signal N".
sub stop
{
	my ($self, $daemon, $signal) = @_;
	$daemon->{run}->signal($signal // 'TERM');
	note_end($daemon->{run});
	$daemon->{run}->finish;
	my $status = $daemon->{run}->full_result(0);
	return $status & 127 ? 'signal ' . ($status & 127) : $status >> 8;
}

sub log { my ($self, $daemon) = @_; return PostgreSQL::Test::Utils::slurp_file($daemon->{log}); }

# Waits until the code gives true; fails the test otherwise. Gives the seconds it took.
sub wait_until
{
	my ($self, $code, $what, $seconds) = @_;
	my $start = time;
	$seconds //= $PostgreSQL::Test::Utils::timeout_default;
	while (time - $start < $seconds)
	{
		if ($code->()) { pass($what); return time - $start; }
		sleep 0.02;
	}
	fail($what);
	return;
}

sub wait_for_sql
{
	my ($self, $sql, $what, $seconds) = @_;
	return $self->wait_until(sub { $self->sql($sql) eq 't' }, $what, $seconds);
}

sub write_file
{
	my ($self, $path, $content) = @_;
	my ($parent) = "$self->{root}/$path" =~ m{^(.*)/};
	make_path($parent);
	PostgreSQL::Test::Utils::append_to_file("$self->{root}/$path", $content // 'content');
	return;
}

# A test that dies must not leave servers behind; by then its objects may be half gone, so only ids are used.
my $owner = $$;
our %started;
sub note_start { my ($run) = @_; $started{ $run->{KIDS}->[0]->{PID} } = 1; return; }
sub note_end { my ($run) = @_; delete $started{ $run->{KIDS}->[0]->{PID} }; return; }

END
{
	local $?;
	kill 'KILL', keys %started if $$ == $owner && %started;
}

1;

#!/usr/bin/perl
# Throughput of the listener (P13): files against a plain unlink loop with the same fsyncs, Redis keys against DEL with
# many keys, in turns. Keys are removed by a task for each, and ten times as many by one task with a pattern.
# bench/listener.sh runs it; VEDFOLNIR_BENCH_TASKS and _ROUNDS say how many tasks each and how often.
use strict;
use warnings;
use Fcntl;
use IO::Handle;
use IO::Socket::UNIX;
use ListenerTest;
use Test::More;
use Time::HiRes qw(time);

my $n = $ENV{VEDFOLNIR_BENCH_TASKS} // 20000;
my $rounds = $ENV{VEDFOLNIR_BENCH_ROUNDS} // 3;
my $batch = 1000;
my $t = ListenerTest->new(conf => "autovacuum = off\nlog_statement = none\n");
$t->add_rule('redis_key', 'sessions', 'session');
$t->add_rule('redis_pattern', 'sessions', 'folder');
$t->add_rule('file', 'images', 'path');
$t->configure($t->file_service('images') . $t->redis_service('sessions'), "batch = $batch\nlog_level = warn");

# Files of a person were written long ago; to remove one that never reached the disk costs next to nothing.
sub make_files
{
	my ($name, $on_disk) = @_;
	mkdir "$t->{root}/$name" or die "mkdir: $!";
	for my $i (1 .. $n) { sysopen(my $f, "$t->{root}/$name/$i", O_CREAT | O_WRONLY) or die; syswrite $f, 'x' x 100; }
	system('sync', '-f', $t->{root}) == 0 or die "sync" if $on_disk;
	return;
}

sub plain_unlink
{
	my ($name) = @_;
	my $start = time;
	for my $i (1 .. $n)
	{
		unlink "$t->{root}/$name/$i" or die;
		next if $i % $batch;
		open(my $dir, '<', "$t->{root}/$name") or die;
		IO::Handle::sync($dir);
	}
	return time - $start;
}

sub make_keys
{
	my ($count) = @_;
	$t->redis_cli('EVAL', 'for i = 1, ARGV[1] do redis.call("SET", "k:" .. i, "x") end', 0, $count);
	return;
}

sub plain_del
{
	my ($count) = @_;
	my $redis = IO::Socket::UNIX->new(Peer => $t->{redis_socket}) or die;
	my $start = time;
	for (my $i = 1; $i <= $count; $i += $batch)
	{
		my @keys = map { "k:$_" } $i .. $i + $batch - 1;
		print $redis "*" . (@keys + 1) . "\r\n\$3\r\nDEL\r\n" . join('', map { '$' . length($_) . "\r\n$_\r\n" } @keys);
		<$redis>;
	}
	return time - $start;
}

# Seconds of a run that drains the tasks.
sub listener
{
	my ($phase, $kind, $service, $target, $tasks) = @_;
	my $deletion = $t->deletion;
	$t->sql("INSERT INTO vedfolnir.cleanup_task (deletion_id, phase, kind, operation, service, target) SELECT '$deletion', $phase, '$kind', "
		. "'delete', '$service', $target FROM generate_series(1, $tasks) AS i; ANALYZE vedfolnir.cleanup_task");
	my $start = time;
	my ($code, undef, $err) = $t->run('--once');
	is($code, 0, "$kind: drained") or diag($err);
	my $took = time - $start;
	is($t->sql("SELECT count(*) FROM vedfolnir.cleanup_task WHERE deletion_id = '$deletion' AND state = 'done'"), $tasks, "$kind: all done");
	$t->sql('TRUNCATE vedfolnir.cleanup_task');
	return $took;
}

# Both sides take turns in being the first.
sub in_turns
{
	my ($round, @sides) = @_;
	my %took;
	for my $side ($round % 2 ? reverse @sides : @sides) { $took{ $side->[0] } = $side->[1]->(); }
	return [ @took{qw(plain listener)} ];
}

sub files
{
	my ($round, $on_disk) = @_;
	my ($plain, $ours) = map { "$_-$round-$on_disk" } qw(plain listener);
	make_files($_, $on_disk) for $plain, $ours;
	return in_turns($round, [ plain => sub { plain_unlink($plain) } ], [ listener => sub { listener(3, 'file', 'images', "'$ours/' || i", $n) } ]);
}

sub keys_of_redis
{
	my ($round) = @_;
	return in_turns($round, [ plain => sub { make_keys($n); plain_del($n) } ],
		[ listener => sub { make_keys($n); listener(2, 'redis_key', 'sessions', q('k:' || i), $n) } ]);
}

sub pattern_of_redis
{
	my ($round) = @_;
	my $took = in_turns($round, [ plain => sub { make_keys(10 * $n); plain_del(10 * $n) } ],
		[ listener => sub { make_keys(10 * $n); listener(2, 'redis_pattern', 'sessions', q('k:*'), 1) } ]);
	is($t->redis_cli('DBSIZE'), 0, 'no key is left');
	return [ map { $_ / 10 } @$took ]; # for n of them
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[ $#sorted / 2 ]; }

my %runs;
for my $round (1 .. $rounds)
{
	push @{ $runs{'files'} }, files($round, 1);
	push @{ $runs{'new files'} }, files($round, 0);
	push @{ $runs{'Redis keys'} }, keys_of_redis($round);
	push @{ $runs{'Redis pattern'} }, pattern_of_redis($round);
}
note sprintf "%-14s %12s %12s %10s\n", 'a second', 'plain', 'listener', 'per cent';
for my $what ('files', 'new files', 'Redis keys', 'Redis pattern')
{
	my $plain = median(map { $_->[0] } @{ $runs{$what} });
	my $ours = median(map { $_->[1] } @{ $runs{$what} });
	note sprintf "%-14s %12.0f %12.0f %9.0f%%\n", $what, $n / $plain, $n / $ours, 100 * $plain / $ours;
}
done_testing();

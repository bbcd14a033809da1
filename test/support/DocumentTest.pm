# DocumentTest.pm: runs the commands of a document and compares what they print with what the document shows.
#
# A block marked sql goes to psql, a block marked sh to bash; both run. A block marked text right behind one of them is
# what it prints, standard error included. Without such a block the command must succeed, and what it prints is not
# looked at. A block marked console is for the reader only. What differs from run to run is masked.
#
# VEDFOLNIR_DOCUMENT_OUT=DIR: writes the document with the real output there, to be looked at and copied.
package DocumentTest;
use strict;
use warnings;
use File::Basename qw(basename);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# blocks($text): the document as a list of { kind => 'prose' | 'sql' | 'sh' | 'text' | ..., text, line }
sub blocks
{
	my ($text) = @_;
	my (@found, $open);
	my $number = 0;
	for my $line (split /^/m, $text)
	{
		$number++;
		if (!$open && $line =~ /^```(\w*)\s*$/) { $open = { kind => $1 || 'plain', text => '', line => $number }; }
		elsif ($open && $line =~ /^```\s*$/) { push @found, $open; $open = undef; }
		elsif ($open) { $open->{text} .= $line; }
		elsif (@found && $found[-1]->{kind} eq 'prose') { $found[-1]->{text} .= $line; }
		else { push @found, { kind => 'prose', text => $line, line => $number }; }
	}
	die "a block that begins in line $open->{line} is not closed\n" if $open;
	return @found;
}

# masked($text): without trailing blanks and without what differs from run to run
sub masked
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\b[0-9a-f]{64}\b/HASH/g;
	$text =~ s/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/UUID/g;
	$text =~ s/\bdeletion=[0-9a-f]{8}\b/deletion=ID/g;
	$text =~ s/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.+Z]*/TIME/g;
	$text =~ s/\bin=\d+ms\b/in=MS/g;
	$text =~ s/\n+\z/\n/;
	return $text;
}

sub run_block
{
	my ($block, $dir, $database) = @_;
	my @command = $block->{kind} eq 'sql'
		? ('psql', '-X', '-P', 'pager=off', '-d', $database) : ('bash', '-e', '-s');
	my $output = '';
	IPC::Run::run(\@command, '<', \$block->{text}, '>&', \$output, init => sub { chdir $dir or die "chdir: $!"; },
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return ($output, $? >> 8);
}

# check($document, $database): one test for each command of the document; gives the node
sub check
{
	my ($document, $database) = @_;
	my $file = "$ENV{VEDFOLNIR_ROOT}/$document";
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $node = PostgreSQL::Test::Cluster->new('document');
	$node->init;
	$node->start;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	(my $bin = $ENV{VEDFOLNIR_LISTENER}) =~ s{/[^/]*$}{};
	local $ENV{PATH} = "$bin:$ENV{PATH}";

	my @blocks = blocks(PostgreSQL::Test::Utils::slurp_file($file));
	my $commands = 0;
	for my $i (0 .. $#blocks)
	{
		my $block = $blocks[$i];
		next unless $block->{kind} eq 'sql' || $block->{kind} eq 'sh';
		my ($behind) = grep { $_->{kind} ne 'prose' || $_->{text} =~ /\S/ } @blocks[ $i + 1 .. $#blocks ];
		my $shown = $behind && $behind->{kind} eq 'text' ? $behind : undef;
		my $what = "$document, line $block->{line}";
		my ($output, $code) = run_block($block, $dir, $database);
		$commands++;
		$output =~ s/\Q$dir\E/\/home\/you\/$database/g;
		$output =~ s/\Q$ENV{PGHOST}\E/\/run\/postgresql/g;
		if ($shown)
		{
			next if is(masked($output), masked($shown->{text}), $what);
			($shown->{text} = $output) =~ s/[ \t]+$//mg;
			$shown->{text} =~ s/\n+\z/\n/;
		}
		else { ok($code == 0 && $output !~ /^(ERROR|FATAL|WARNING):/m, $what) or diag($output); }
	}
	ok($commands > 0, "$document has $commands commands");
	if ($ENV{VEDFOLNIR_DOCUMENT_OUT})
	{
		my $text = join('', map {
			my $kind = $_->{kind} eq 'plain' ? '' : $_->{kind};
			$_->{kind} eq 'prose' ? $_->{text} : "```$kind\n$_->{text}```\n" } @blocks);
		open(my $out, '>', "$ENV{VEDFOLNIR_DOCUMENT_OUT}/" . basename($document)) or die "open: $!";
		print $out $text;
		close($out) or die "close: $!";
	}
	return $node;
}

1;

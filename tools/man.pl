#!/usr/bin/perl
# Makes a manual page from the Markdown that doc/ uses: man.pl NAME SECTION VERSION < NAME.md > NAME.SECTION
# Knows headings, paragraphs, tables, fenced code, `code`. Anything else is passed through as text.
use strict;
use warnings;

my ($name, $section, $version) = @ARGV;
defined $version or die "usage: man.pl NAME SECTION VERSION\n";

sub escaped
{
	my ($text) = @_;
	$text =~ s/\\/\\e/g;
	$text =~ s/-/\\-/g;
	$text =~ s/`([^`]*)`/\\fB$1\\fR/g;
	$text =~ s/^([.'])/\\&$1/;
	return $text;
}

my ($code, $in_table, $skip_title) = (0, 0, 1);
print '.TH "' . uc($name) . qq(" "$section" "" "$name $version" ""\n);
my $purpose;
while (my $line = <STDIN>)
{
	chomp $line;
	if ($line =~ /^```/)
	{
		print $code ? ".fi\n.RE\n" : ".PP\n.RS 4\n.nf\n";
		$code = !$code;
		next;
	}
	if ($code) { print escaped($line), "\n"; next; }
	if ($line =~ /^# /) { next; }
	if (!defined $purpose && $line =~ /\S/)
	{
		($purpose = $line) =~ s/\.$//;
		print ".SH NAME\n$name \\- " . escaped(lcfirst $purpose) . "\n";
		next;
	}
	if ($line =~ /^## (.*)/) { print '.SH "' . escaped(uc $1) . qq("\n); next; }
	if ($line =~ /^### (.*)/) { print '.SS "' . escaped($1) . qq("\n); next; }
	if ($line =~ /^\|(.*)\|\s*$/)
	{
		my @cells = map { s/^\s+|\s+$//gr } split /\|/, $1, -1;
		if (!$in_table++) { next; }    # the heading says what the manual's form says as well
		if ($cells[0] =~ /^-+$/) { next; }
		my $first = shift @cells;
		my $last = pop @cells;
		my @middle = grep { length } @cells;
		print ".TP\n" . escaped($first) . (@middle ? ' (' . escaped(join('; ', @middle)) . ')' : '') . "\n" . escaped($last // '') . "\n";
		next;
	}
	$in_table = 0;
	print $line =~ /\S/ ? escaped($line) . "\n" : ".PP\n";
}

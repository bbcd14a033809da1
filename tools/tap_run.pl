#!/usr/bin/perl
# Runs TAP files and prints one line of totals: "totals PASSED FAILED SKIPPED".
#   tap_run.pl [--jobs N] [--exec COMMAND] FILE...
# A file that dies, plans more than it runs, or skips everything never counts as passed.
use strict;
use warnings;
use Getopt::Long qw(:config require_order);
use TAP::Harness;

my $jobs = 1;
my $exec;
GetOptions('jobs=i' => \$jobs, 'exec=s' => \$exec) or die "usage: tap_run.pl [--jobs N] [--exec COMMAND] FILE...\n";
die "tap_run.pl: no test file\n" unless @ARGV;

my %args = (verbosity => 0, jobs => $jobs, failures => 1, timer => 1, merge => 0);
$args{exec} = sub { return [ split(' ', $exec), $_[1] ] } if defined $exec;
my $harness = TAP::Harness->new(\%args);

my ($passed, $failed, $skipped) = (0, 0, 0);
$harness->callback(
    made_parser => sub {
        my ($parser, $job) = @_;
        my $file = $job->[0];
        $parser->callback(
            test => sub {
                my $test = shift;
                print "skipped: $file: " . $test->explanation . "\n" if $test->has_skip;
            });
    });
$harness->callback(
    after_test => sub {
        my ($job, $parser) = @_;
        my $file = $job->[0];
        my $bad = scalar($parser->failed);
        my $skips = scalar($parser->skipped);
        my $ok = scalar($parser->passed) - $skips;
        if ($parser->skip_all) {
            print "skipped: $file: " . $parser->skip_all . "\n";
            $skips++;
        }
        # A crash after the last "ok" is a failure too, although no single test failed.
        $bad++ if !$bad && ($parser->has_problems || (!$parser->skip_all && $parser->tests_run == 0));
        $passed += $ok;
        $failed += $bad;
        $skipped += $skips;
    });
my $aggregate = $harness->runtests(@ARGV);
$failed++ if !$failed && !$aggregate->all_passed && !$skipped;
print "totals $passed $failed $skipped\n";
exit($failed || $skipped ? 1 : 0);

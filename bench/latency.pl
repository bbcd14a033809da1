#!/usr/bin/perl
# How soon a deleted person's sessions are dead after the commit, at full size; bench/latency.sh runs it.
use strict;
use warnings;
use KeycloakTest;
use LatencyTest;
use ListenerTest;
use Test::More;

my $probes = $ENV{VEDFOLNIR_PROBES} // 500;
my $others = $ENV{VEDFOLNIR_BACKLOG} // 100000;
my $t = ListenerTest->new;
my $k;
if (KeycloakTest::missing()) { diag('without Keycloak: ' . KeycloakTest::missing()); }
else { $k = KeycloakTest->new(central => [ LatencyTest::customers(2 * $probes + 10) ], shared => []); }
$t->add_rule('redis_key', 'cache', 'session');
$t->add_rule('file', 'images', 'path');
$t->add_rule('identity', 'keycloak', 'session') if $k;
my $latency = LatencyTest->new($t, $k);
$t->configure($latency->{services}, "poll = 1h\nlog_level = warn");
my $daemon = $t->start('--log-level', 'info');
$t->wait_until(sub { $t->log($daemon) =~ /connected: / }, 'connected');
$latency->probe for 1 .. 10;
my $alone = $latency->measure('alone', $probes);
is($latency->backlog($others), $others, "a queue of $others other tasks");
my $busy = $latency->measure("under $others other tasks", $probes);
for my $p99 ($alone, $busy) { cmp_ok($p99->{$_}, '<', 5, "$_: within 5 seconds at the 99th percentile") for sort keys %$p99; }
$latency->end;
is($t->stop($daemon), 0, 'the listener ends');
$k->stop if $k;
done_testing();

# Manual and sample: every option is in both, the sample is valid, the unit is hardened.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{VEDFOLNIR_ROOT} or die 'VEDFOLNIR_ROOT is not set';
my $listener = $ENV{VEDFOLNIR_LISTENER} or die 'VEDFOLNIR_LISTENER is not set';
my $manual = slurp_file("$root/doc/vedfolnir-listener.md");
my $sample = slurp_file("$root/etc/vedfolnir-listener.ini");

my ($out, $err);
IPC::Run::run([ $listener, '--list-options' ], '>', \$out, '2>', \$err);
my @options = split /\n/, $out;
cmp_ok(scalar(@options), '>', 40, 'the listener lists its options');
for my $option (@options)
{
	my ($section, $name) = split / /, $option;
	like($manual, qr/^\| [^|]*`\Q$name\E`/m, "$option is in the manual");
	like($sample, qr/^;?\Q$name\E =/m, "$option is in the sample");
}
IPC::Run::run([ $listener, '--help' ], '>', \$out, '2>', \$err);
for my $flag ($out =~ /(--[a-z-]+)/g) { like($manual, qr/`\Q$flag\E/, "$flag is in the manual"); }

# The manual page is made from the manual; every option of the program and of the file is in it.
IPC::Run::run([ 'perl', "$root/tools/man.pl", 'vedfolnir-listener', '1', '1.0' ], '<', "$root/doc/vedfolnir-listener.md", '>', \my $page, '2>', \$err);
is($? . $err, '0', 'the manual page is made');
(my $plain = $page) =~ s/\\-/-/g;
like($plain, qr/^\.SH NAME\nvedfolnir-listener - does the work/m, 'with a name and a purpose');
for my $option (@options) { my ($name) = $option =~ / (.*)/; like($plain, qr/\\fB\Q$name\E\\fR/, "$option is in the manual page"); }

# The sample as it is, and with everything in it switched on but what excludes each other.
my $dir = PostgreSQL::Test::Utils::tempdir();
sub check_sample
{
	my ($text) = @_;
	append_to_file("$dir/sample.ini", '');
	unlink "$dir/sample.ini";
	append_to_file("$dir/sample.ini", $text);
	chmod 0600, "$dir/sample.ini";
	IPC::Run::run([ $listener, '--config', "$dir/sample.ini", '--check' ], '>', \$out, '2>', \$err);
	return $out;
}
like(check_sample($sample), qr/^files      FAIL images -> /m, 'the sample is valid');
(my $all = $sample) =~ s/^;(\[|\w+ =)/$1/mg;
$all =~ s/^(?:password|client_secret|secret) =.*\n//mg;
like(check_sample($all), qr/^webhook /m, 'so is the sample with every option switched on') or diag($err);

my ($code) = (system('sh', '-c', 'command -v systemd-analyze >/dev/null') == 0);
if ($code)
{
	IPC::Run::run([ 'systemd-analyze', 'security', '--offline=true', "$root/etc/vedfolnir-listener.service" ], '>', \$out, '2>', \$err);
	my ($exposure) = $out =~ /Overall exposure level for \S+: ([0-9.]+)/;
	cmp_ok($exposure // 10, '<', 2.0, 'the unit is hardened');
}

done_testing();

# DeletionTest.pm: a cluster with the extension and a small application, for one TAP file.
package DeletionTest;
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# new(%options): conf => extra lines of postgresql.conf
sub new
{
	my ($class, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new('main');
	$node->init;
	$node->append_conf('postgresql.conf', "client_min_messages = warning\n" . ($options{conf} // ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION vedfolnir');
	return bless { node => $node }, $class;
}

sub node { return $_[0]->{node}; }
sub sql { my ($self, $sql) = @_; return $self->{node}->safe_psql('postgres', $sql); }

# The answer of a statement that a role types; dies when it fails.
sub sql_as
{
	my ($self, $user, $sql) = @_;
	return $self->{node}->safe_psql('postgres', $sql, extra_params => [ '-U', $user ]);
}

# The SQLSTATE of the first error, or 'ok'. Without a role: the superuser.
sub sqlstate
{
	my ($self, $sql, $user) = @_;
	my ($code, $out, $err) = $self->{node}->psql('postgres', "\\set VERBOSITY sqlstate\n$sql", on_error_stop => 1,
		extra_params => $user ? [ '-U', $user ] : []);
	return $err =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : $code == 0 ? 'ok' : $err;
}

# What the last error said, with DETAIL and HINT.
sub message
{
	my ($self, $sql, $user) = @_;
	my ($code, $out, $err) = $self->{node}->psql('postgres', $sql, on_error_stop => 1, extra_params => $user ? [ '-U', $user ] : []);
	return $err;
}

1;

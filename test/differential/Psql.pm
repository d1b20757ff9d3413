# A psql that stays, and tells what each statement of a script came to.
package Psql;

use strict;
use warnings;
use IPC::Open3;

# between records, and before the line that ends what a statement has said: no data has them
use constant {RECORD => "\x1e", FIELD => "\x1f", END_OF_ANSWER => "\x1d"};

# Psql->new(NAME => VALUE...): with these run-time parameters, which RESET ALL goes back to
sub new
{
	my ($class, %parameters) = @_;
	my $self = bless {serial => 0}, $class;

	local $ENV{PGOPTIONS} = join(' ', map {(my $v = $parameters{$_}) =~ s/([\\ ])/\\$1/g; "-c $_=$v"} sort keys %parameters);
	$self->{pid} = open3($self->{in}, $self->{out}, undef,
		'psql', '-X', '-q', '-A', '-t', '-R', RECORD, '-F', FIELD, '-P', 'null=<null>');
	$self->{in}->autoflush(1);
	return $self;
}

# Sends a script of statements, without waiting.  A statement that begins with a backslash is psql's own.
sub send
{
	my ($self, @statements) = @_;

	$self->{expected} = [];
	for my $statement (@statements)
	{
		my $serial = ++$self->{serial};
		my $end = $statement =~ /^\\/ ? "\n" : ";\n";

		print {$self->{in}} $statement . $end . '\echo ' . END_OF_ANSWER . "$serial :SQLSTATE :ROW_COUNT\n"
			or die "psql has gone\n";
		push @{$self->{expected}}, $serial;
	}
}

# For each statement sent: {state, count, rows => [...], said => [...]}
sub receive
{
	my ($self) = @_;
	my @results;
	my $text = '';

	for my $serial (@{$self->{expected}})
	{
		my $end;

		until (($end = index $text, END_OF_ANSWER . "$serial ") >= 0 && index($text, "\n", $end) >= 0)
		{
			local $SIG{ALRM} = sub {die "no answer for two minutes; so far: $text\n"};

			alarm 120;
			my $got = sysread($self->{out}, $text, 65536, length $text);
			alarm 0;
			die "psql has gone: $text\n" unless $got;
		}
		my (undef, $state, $count) = split ' ', substr($text, $end, index($text, "\n", $end) - $end);

		push @results, result(substr($text, 0, $end), $state, $count);
		substr($text, 0, index($text, "\n", $end) + 1) = '';
	}
	return @results;
}

sub run
{
	my ($self, @statements) = @_;

	$self->send(@statements);
	return $self->receive;
}

# The rows of statements that must succeed, as arrays of fields
sub rows
{
	my ($self, @statements) = @_;
	my @rows;

	for my $result ($self->run(@statements))
	{
		die join("\n", @{$result->{said}}), "\n" if $result->{state} ne '00000' || grep {/^ERROR/} @{$result->{said}};
		push @rows, map {[split /\x1f/, $_, -1]} @{$result->{rows}};
	}
	return @rows;
}

sub result
{
	my ($text, $state, $count) = @_;
	my @said;
	my @more;

	# what is said begins a line, as data may, but not with these words and blanks
	$text =~ s/^((?:ERROR|WARNING|NOTICE|FATAL|PANIC):  .*\n(?:(?:DETAIL|HINT|CONTEXT|LINE \d+|QUERY):.*\n| +\^\n)*)/push @said, $1; ''/gem;
	push @more, $1 while $text =~ s/^((?:server closed|The connection to the server|connection to server|\\connect|psql:).*\n)//m;
	chomp @said;
	chomp $text;
	return {state => $state, count => $count, said => [@said, @more], rows => $text eq '' && $count eq '0' ? [] : [split /\x1e/, $text, -1]};
}

sub finish
{
	my ($self) = @_;

	close $self->{in};
	waitpid $self->{pid}, 0;
}

1;

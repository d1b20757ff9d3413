# Random settings of the planner, and of the servers and the simulator.
package Settings;

use strict;
use warnings;
use IO::Socket::INET;
use Case;

my @switches = qw(enable_async_append enable_bitmapscan enable_gathermerge enable_hashagg enable_hashjoin enable_incremental_sort
	enable_indexscan enable_material enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash
	enable_partition_pruning enable_seqscan enable_sort);

my %values = (
	work_mem => ['64kB', '128kB'], hash_mem_multiplier => [1], jit => ['off'], plan_cache_mode => [qw(force_generic_plan force_custom_plan)],
	join_collapse_limit => [1, 2], from_collapse_limit => [1, 2], geqo_threshold => [2], cursor_tuple_fraction => ['0.0001', 1],
	parallel_setup_cost => [0], parallel_tuple_cost => [0], min_parallel_table_scan_size => [0], constraint_exclusion => [qw(on off)],
	enable_partitionwise_join => ['on'], enable_partitionwise_aggregate => ['on'], cpu_tuple_cost => [0, 10], cpu_operator_cost => [0, 10],
	parallel_leader_participation => ['off'],
);

my %options = (
	page_size => [2, 3, 5, 7, 20], prefetch => ['false'], push_filters => ['false'], max_concurrency => [1, 2, 8], async_capable => ['false'],
	count_by_total => ['false'],
);

sub new
{
	my ($class, $sigma) = @_;
	my $self = bless {sigma => $sigma}, $class;
	my ($version) = map {$_->[0]} $sigma->rows('SHOW server_version_num');

	$values{$version >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode'} = ['on'];
	($self->{port}) = map {$_->[0] =~ /:(\d+)/} $sigma->rows("SELECT o FROM pg_foreign_server, unnest(srvoptions) o WHERE o LIKE 'base_url=%' AND srvname = 'sigma'");
	return $self;
}

# of a session
sub random
{
	my ($self) = @_;
	my @all = ((map {"SET $_ = off"} @switches), map {"SET $_ = '" . $values{$_}[int rand @{$values{$_}}] . "'"} sort keys %values);
	my @some;

	return list('; ', 0) if rand() < 0.25;
	push @some, splice(@all, int rand @all, 1) for 1 .. 1 + int rand 6;
	return list('; ', 0, @some);
}

# of servers, tables and the simulator
sub environment
{
	my ($self) = @_;
	my @some;

	for my $option (sort keys %options)
	{
		my $chance = $option eq 'page_size' ? 0.8 : 0.3;
		push @some, "server option $option '" . $options{$option}[int rand @{$options{$option}}] . "'" if rand() < $chance;
	}
	push @some, "table option rows '" . (1, 10, 5000, 100000, 100000)[int rand 5] . "'" if rand() < 0.7;
	return list(', ', 0, @some);
}

sub apply
{
	my ($self, @environment) = @_;
	my $wanted = join '; ', @environment;
	my (%options, %had, $rows, @change);

	return if defined $self->{applied} && $wanted eq $self->{applied};
	for (@environment)
	{
		$options{$1} = $2 if /^server option (\S+) '(.*)'/;
		$rows = $1 if /^table option rows '(.*)'/;
	}
	$had{$_->[0]}{$_->[1]} = 1 for $self->{sigma}->rows(
		"SELECT srvname, split_part(o, '=', 1) FROM pg_foreign_server, unnest(srvoptions) o WHERE o NOT LIKE 'base_url=%'");
	for my $server (qw(sigma other))
	{
		my @these = ((map {"DROP $_"} grep {!exists $options{$_}} sort keys %{$had{$server}}),
			map {($had{$server}{$_} ? 'SET' : 'ADD') . " $_ '$options{$_}'"} sort keys %options);

		push @change, "ALTER SERVER $server OPTIONS (" . join(', ', @these) . ')' if @these;
	}
	push @change, "DO \$\$ DECLARE t text; BEGIN FOR t IN SELECT format('ALTER FOREIGN TABLE %s OPTIONS (DROP rows)', ftrelid::regclass) "
		. "FROM pg_foreign_table WHERE array_to_string(ftoptions, ',') ~ '\\mrows=' LOOP EXECUTE t; END LOOP; END \$\$";
	push @change, "DO \$\$ DECLARE t text; BEGIN FOR t IN SELECT format('ALTER FOREIGN TABLE %s OPTIONS (ADD rows ''$rows'')', ftrelid::regclass) "
		. 'FROM pg_foreign_table LOOP EXECUTE t; END LOOP; END $$' if defined $rows;
	$self->{sigma}->rows('SET statement_timeout = 0', @change, 'RESET statement_timeout');
	$self->{applied} = $wanted;
}

# tells the simulator something
sub post
{
	my ($self, $what, $body) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) or die "no simulator: $!\n";
	my $reply;

	print $socket "POST /_sim/$what HTTP/1.0\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
	$reply = join '', <$socket>;
	die "the simulator refuses $what: $reply\n" unless $reply =~ m{^HTTP/\S+ 200};
}

1;

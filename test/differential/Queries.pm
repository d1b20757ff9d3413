# Random queries against the foreign tables, and the same against a copy in heap tables.
package Queries;

use strict;
use warnings;
use FindBin;
use Case;
use Settings;

# A list for each of sixty members, or of a hundred elements: once in a while is enough
my %is_slow = map {($_, 1)} qw(account_type_permissions favorites member_favorites member_files member_recents member_teams
	workbook_element_columns workbook_lineage);

# Queries->new(SIGMA, COPY): makes the tables and their copies, and learns what is in them
sub new
{
	my ($class, $sigma, $copy) = @_;
	my $self = bless {sigma => $sigma, copy => $copy, tables => {}, names => []}, $class;
	my $spelling = one(qw(grants uuid url upper));

	# Identifiers come in many spellings, and are shown in one.  The column attrs shows them as they came, so that the copies
	# must be of the same spelling.
	$self->{settings} = Settings->new($sigma);
	$self->{settings}->apply;
	$self->{settings}->post('reset', '{}');
	$self->{settings}->post('config', "{\"ids\": \"$spelling\"}");
	print "The simulator's \"ids\": \"$spelling\"\n";
	$sigma->rows('SET statement_timeout = 0', <<'END', 'RESET statement_timeout');
-- tables made by hand: identifiers as uuid, fields under other names; and the API's lists as children of local parents
CREATE FOREIGN TABLE sigma.connections_by_uuid (id uuid OPTIONS (field 'connectionId'), owner uuid OPTIONS (field 'createdBy'),
	name text, type text, used_on date OPTIONS (field 'lastActiveAt')) SERVER sigma OPTIONS (resource 'connections');
CREATE FOREIGN TABLE sigma.grants_by_uuid (id uuid OPTIONS (field 'connectionId'), permission text, member_id uuid, team_id uuid)
	SERVER sigma OPTIONS (resource 'connection_grants');
CREATE FOREIGN TABLE sigma.all_connections (connection_id text, name text, type text, is_archived boolean)
	SERVER sigma OPTIONS (resource 'connections', include_archived 'true');

CREATE TABLE sigma.tree (connection_id text, name text, type text);
CREATE FOREIGN TABLE sigma.tree_here () INHERITS (sigma.tree) SERVER sigma OPTIONS (resource 'connections');
CREATE FOREIGN TABLE sigma.tree_there () INHERITS (sigma.tree) SERVER other OPTIONS (resource 'connections');
INSERT INTO sigma.tree VALUES (NULL, 'nobody', 'postgres'), ('2F21AD19-084E-4CC3-8EAD-000000000001', 'upper', 'x');

CREATE TABLE sigma.grant_tree (connection_id text, permission text, member_id text, team_id text);
CREATE FOREIGN TABLE sigma.grant_tree_here () INHERITS (sigma.grant_tree) SERVER sigma OPTIONS (resource 'connection_grants');
CREATE FOREIGN TABLE sigma.grant_tree_there () INHERITS (sigma.grant_tree) SERVER other OPTIONS (resource 'connection_grants');

CREATE TABLE sigma.parts (organization_id text, member_id text, email text, member_type text) PARTITION BY LIST (organization_id);
DO $$ BEGIN
	EXECUTE format('CREATE FOREIGN TABLE sigma.parts_here PARTITION OF sigma.parts FOR VALUES IN (%L) SERVER other OPTIONS (resource ''members'')',
		(SELECT organization_id FROM sigma.members LIMIT 1));
END $$;
CREATE TABLE sigma.parts_local PARTITION OF sigma.parts DEFAULT;
INSERT INTO sigma.parts_local SELECT NULL, 'local ' || i, 'local' || i || '@example.com', 'Viewer' FROM generate_series(1, 5) i;

CREATE VIEW sigma.people AS SELECT member_id AS id, email AS name FROM sigma.members UNION ALL SELECT team_id, name FROM sigma.teams;

CREATE SCHEMA heap;
DO $$ DECLARE t text; BEGIN
	FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'f' AND relname !~ '^(tree|grant_tree|parts)_'
		AND relname <> 'allowed_ips' LOOP
		EXECUTE format('CREATE TABLE heap.%I AS SELECT * FROM sigma.%I', t, t);
	END LOOP;
END $$;
CREATE TABLE heap.tree AS SELECT * FROM ONLY sigma.tree;
INSERT INTO heap.tree SELECT connection_id, name, type FROM heap.connections, generate_series(1, 2);
CREATE TABLE heap.grant_tree AS SELECT connection_id, permission, member_id, team_id FROM heap.connection_grants, generate_series(1, 2);
CREATE TABLE heap.parts AS SELECT * FROM sigma.parts_local;
INSERT INTO heap.parts SELECT organization_id, member_id, email, member_type FROM heap.members;
CREATE VIEW heap.people AS SELECT member_id AS id, email AS name FROM heap.members UNION ALL SELECT team_id, name FROM heap.teams;

-- local tables, the same on both sides, whose keys are there, twice, in other spellings, not there, and null
CREATE TABLE public.local_keys AS
	SELECT n, CASE n % 7 WHEN 0 THEN upper(id) WHEN 1 THEN NULL WHEN 2 THEN id || 'x' ELSE id END AS id, name
	FROM (SELECT row_number() OVER () AS n, * FROM (
		SELECT connection_id AS id, name FROM heap.connections UNION ALL SELECT connection_id, name FROM heap.connections
		UNION ALL SELECT workbook_id, name FROM heap.workbooks UNION ALL SELECT workbook_url_id, name FROM heap.workbooks
		UNION ALL SELECT team_id, name FROM heap.teams UNION ALL SELECT member_id, email FROM heap.members
		UNION ALL SELECT 'no id', 'nothing' UNION ALL SELECT '', '') a) k;
CREATE TABLE public.local_few AS SELECT connection_id, name FROM heap.connections LIMIT 3;
ANALYZE;
DO $$ BEGIN CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); EXCEPTION WHEN OTHERS THEN NULL; END $$;
END
	($self->{nocase}) = map {$_->[0]} $sigma->rows("SELECT to_regcollation('nocase') IS NOT NULL");
	$self->learn;
	return $self;
}

# The keys and filters of each table, as doc/reference.md promises them: {TABLE}{COLUMN} is "key" or "filter"
sub promised
{
	my %promised = (connections_by_uuid => {id => 'key', name => 'filter'}, grants_by_uuid => {id => 'key'}, tree => {connection_id => 'key', name => 'filter'},
		grant_tree => {connection_id => 'key'}, parts => {member_id => 'key', email => 'filter'}, people => {id => 'key', name => 'filter'},
		all_connections => {connection_id => 'key', name => 'filter'});

	open my $reference, '<', "$FindBin::Bin/../../doc/reference.md" or die "doc/reference.md: $!\n";
	while (<$reference>)
	{
		next unless /^\| `(\w+)` \|[^|]*\| `GET [^|]*\| ([^|]*) \| ([^|]*) \|$/;
		my ($table, $keys, $filters) = ($1, $2, $3);

		$promised{$table}{$_} = 'key' for $keys =~ /`(\w+)`/g;
		$promised{$table}{$_} //= 'filter' for $filters =~ /`(\w+)`/g;
	}
	close $reference;
	die "the table of tables is not in doc/reference.md\n" if keys %promised < 40;
	return \%promised;
}

# what there is: tables with their columns, some of the values of each, and which columns share values
sub learn
{
	my ($self) = @_;
	my $promised = promised;
	my (%values, @order);

	for my $row ($self->{copy}->rows(<<'END'))
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE (c.relnamespace = 'heap'::regnamespace OR c.relname LIKE 'local\_%') AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> '_error'
ORDER BY c.relname COLLATE "C", a.attnum
END
	{
		my ($table, $name, $type) = @$row;
		my $column = {table => $table, name => $name =~ /^(?:user|role|type|public|timeout)$/ ? "\"$name\"" : $name, type => $type};

		push @{$self->{names}}, $table unless $self->{tables}{$table};
		push @{$self->{tables}{$table}}, $column;
		$column->{values} = [map {$_->[0]} $self->{copy}->rows(
			"SELECT v FROM (SELECT DISTINCT $column->{name}::text AS v FROM $table) s WHERE v <> '' AND length(v) < 300 ORDER BY v COLLATE \"C\" LIMIT 40")];
		$column->{is_key} = ($promised->{$table}{$name} // '') eq 'key';
		$column->{is_filter} = ($promised->{$table}{$name} // '') eq 'filter';
		$column->{is_id} = $column->{is_key} || $name =~ /(?:^|_)id$|_by$|^tag_name$/;
		next unless $type eq 'text' || $type eq 'uuid';
		for my $value (@{$column->{values}})
		{
			push @{$values{$value}}, $column;
		}
		push @order, $column;
	}
	# columns that share a value can be joined
	for my $column (@order)
	{
		my %mates;

		for my $value (@{$column->{values}})
		{
			$mates{"$_->{table}.$_->{name}"} = $_ for grep {$_->{type} eq $column->{type}} @{$values{$value}};
		}
		$column->{mates} = [map {$mates{$_}} sort keys %mates];
	}
	$self->{pointed} = [grep {!$is_slow{$_} && grep {$_->{is_key} || $_->{is_filter}} @{$self->{tables}{$_}}} @{$self->{names}}];
	$self->{url_ids} = [map {@{$_->{values}}} grep {$_->{name} =~ /url_id$/} @order];
}

# ------------------------------------------------------------------ dice

sub chance { return rand() < $_[0] }
sub one { return $_[int rand @_] }
sub number { my ($from, $to) = @_; return $from + int rand($to - $from + 1) }
sub some { my ($many, @of) = @_; my @got; push @got, splice(@of, int rand @of, 1) while @of && @got < $many; return @got }
sub quoted { my ($text) = @_; $text =~ s/'/''/g; return $text =~ /\\/ ? ' E\'' . ($text =~ s/\\/\\\\/gr) . '\'' : "'$text'" }

# ----------------------------------------------------------- expressions

# a value that might be in the column, as text
sub value
{
	my ($self, $column) = @_;
	my @values = @{$column->{values} // []};
	my $value = @values ? one(@values) : 'nothing';

	return one(1, 0) ? 'true' : 'false' if $column->{type} eq 'boolean';
	return @values ? $value : number(0, 5) if $column->{type} =~ /int/;
	return $value if @values && $column->{type} !~ /^text/;
	return '2026-01-14 09:12:44+00' if $column->{type} =~ /time|date/;
	return '{}' if $column->{type} eq 'jsonb';
	return 0 if $column->{type} =~ /double|numeric/;
	return '2f21ad19-084e-4cc3-8ead-000000000001' if $column->{type} eq 'uuid';
	return uc $value if chance(0.06);
	# what a search for it finds too much of
	return one(substr($value, 0, 1 + int(length($value) / 2)), lc $value, uc $value) if !$column->{is_id} && chance(0.3);
	return one(@{$self->{url_ids}}) if $column->{is_id} && chance(0.05);
	return $value . 'x' if chance(0.03);
	return one('', 'no id', ' ', "$value ", '%', "a'b", '../x', 'a/b') if chance(0.04);
	return $value;
}

# the same as a constant, or a parameter of the prepared statement
sub constant
{
	my ($self, $column, $scope) = @_;
	my $value = $self->value($column);

	if ($scope->{parameters} && chance(0.6))
	{
		push @{$scope->{parameters}}, {type => $column->{type}, column => $column};
		return '$' . @{$scope->{parameters}};
	}
	return quoted($value) . ($column->{type} eq 'text' && chance(0.7) ? '' : "::$column->{type}");
}

sub array
{
	my ($self, $column, $scope) = @_;
	my @elements = map {quoted($self->value($column))} 1 .. number(0, 5);

	if ($scope->{parameters} && chance(0.5))
	{
		push @{$scope->{parameters}}, {type => $column->{type} . "[]", column => $column};
		return '$' . @{$scope->{parameters}};
	}
	push @elements, one(@elements) if @elements && chance(0.3);
	push @elements, 'NULL' if chance(0.25);
	return seq('ARRAY[', list(', ', 0, @elements), "]::$column->{type}" . "[]");
}

# a column of the scope as [text, column]; keys and filters are preferred
sub column
{
	my ($self, $scope, $wanted) = @_;
	my @all = map {my $from = $_; map {["$from->{alias}.$_->{name}", $_]} @{$from->{columns}}} @{$scope->{from}};
	my @fit = $wanted ? grep {$wanted->($_->[1])} @all : @all;
	for (['is_key', 0.35], ['is_filter', 0.25], ['is_id', 0.3])
	{
		my ($what, $chance) = @$_;
		my @preferred = grep {$_->[1]{$what}} @fit;

		return one(@preferred) if @preferred && chance($chance);
	}
	return one(@fit) if @fit;
	return undef;
}

sub is_text { return $_[0]{type} eq 'text' }
sub is_sortable { return $_[0]{type} =~ /^(?:text|uuid|boolean|integer|bigint|timestamp.*|date|double precision|numeric)$/ }

sub condition
{
	my ($self, $scope, $depth) = @_;
	my $dice = rand;

	if ($depth > 0 && $dice < 0.25)
	{
		my @parts = map {$self->condition($scope, $depth - 1)} 1 .. number(2, 3);

		return alt(seq('(', list(one(' AND ', ' OR '), 1, @parts), ')'), @parts);
	}
	if ($depth > 0 && $dice < 0.32)
	{
		my $part = $self->condition($scope, $depth - 1);

		return alt(seq('NOT (', $part, ')'), $part);
	}
	return $self->subcondition($scope, $depth) if $depth > 0 && $dice < 0.45;
	return $self->comparison($scope);
}

sub comparison
{
	my ($self, $scope) = @_;
	my $found = $self->column($scope) or return 'true';
	my ($text, $column) = @$found;
	my $dice = rand;

	if ($column->{type} eq 'boolean')
	{
		return one($text, "NOT $text", "$text IS TRUE", "$text IS NOT TRUE", "$text IS NULL", "$text = false", "coalesce($text, true)");
	}
	if ($column->{type} eq 'jsonb')
	{
		return one("$text IS NULL", "$text IS NOT NULL", "jsonb_typeof($text) = 'object'", "length($text" . "::text) > 40", "$text = " . quoted($self->value($column)) . '::jsonb');
	}
	return seq($text, '=', $self->constant($column, $scope)) if $dice < 0.27;
	return seq($self->constant($column, $scope), '=', $text) if $dice < 0.30;
	return seq($text, one('= ANY (', '= ANY (', '= ANY (', '<> ALL (', '<> ANY (', '= ALL ('), $self->array($column, $scope), ')') if $dice < 0.45;
	return seq($text, one('IN (', 'IN (', 'NOT IN ('), list(', ', 1, map {chance(0.06) ? 'NULL' : $self->constant($column, $scope)} 1 .. number(1, 4)), ')') if $dice < 0.55;
	return seq($text, one('<>', '<', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'), $self->constant($column, $scope)) if $dice < 0.66;
	return "$text IS " . one('NULL', 'NOT NULL') if $dice < 0.74;
	if ($dice < 0.82)
	{
		my $mate = $self->column($scope, sub {$_[0]{type} eq $column->{type}});

		return $mate ? "$text " . one('=', '=', '<>', '<') . " $mate->[0]" : 'true';
	}
	return "$text = NULL" if $dice < 0.83;
	return "$text IN (SELECT " . quoted($self->value($column)) . "::$column->{type})" if $dice < 0.85;
	if ($column->{type} eq 'text')
	{
		my $value = $self->value($column);
		my $half = substr $value, 0, int(length($value) / 2);

		return "upper($text) = " . quoted(uc $value) if $dice < 0.88;
		return "$text = lower(" . quoted(uc $value) . ')' if $dice < 0.90;
		return "$text = sigma_inode_id(" . quoted($value) . ')' if $dice < 0.91;
		return "$text = " . quoted(one(uc $value, $value)) . ' COLLATE nocase' if $dice < 0.93 && $self->{nocase} eq 't';
		return "($text, 1) = (" . quoted($value) . ', ' . number(1, 2) . ')' if $dice < 0.94;
		return "$text " . one('LIKE ', 'NOT LIKE ', 'ILIKE ', '~~ ') . quoted(one("$half%", "%$half%", "_$half%", $value, uc "$half%")) if $dice < 0.98;
		return "length($text) " . one('>', '<', '=') . ' ' . number(3, 40);
	}
	return seq($text, one('>', '<='), $self->constant($column, $scope));
}

# conditions with a query in them
sub subcondition
{
	my ($self, $scope, $depth) = @_;
	my $found = $self->column($scope, sub {$_[0]{type} eq 'text' || $_[0]{type} eq 'uuid'}) or return 'true';
	my ($text, $column) = @$found;
	my $inner = $self->fresh($scope);
	my $from = $self->joinable($inner, $column);
	my $mate = $self->mate($from, $column) or return 'true';
	my $where = opt('AND', $self->condition($inner, $depth - 1));
	my $dice = rand;

	if ($dice < 0.45)
	{
		# all of the outer query is in sight
		unshift @{$inner->{from}}, @{$scope->{from}} if chance(0.3);
		return seq(one('', '', 'NOT'), 'EXISTS (SELECT', one('1', '*', ''), 'FROM', $from->{text}, 'WHERE', "$mate = $text", $where, ')');
	}
	return seq($text, one('IN (', 'IN (', 'NOT IN (', '= ANY (', '<> ALL ('), "SELECT $mate FROM", $from->{text}, 'WHERE true', $where, ')') if $dice < 0.8;
	return seq($text, one('=', '=', '<'), "(SELECT max($mate) FROM", $from->{text}, 'WHERE true', $where, ')') if $dice < 0.9 && $column->{type} eq 'text';
	return seq($text, "= ANY (ARRAY(SELECT $mate FROM", $from->{text}, 'WHERE true', $where, '))');
}

# ------------------------------------------------------------------ FROM

sub fresh
{
	my ($self, $scope) = @_;

	return {from => [], serial => $scope->{serial}, parameters => $scope->{parameters}};
}

sub alias { my ($scope) = @_; return 't' . ${$scope->{serial}}++ }

sub table
{
	my ($self, $scope, $name) = @_;
	my $alias = alias($scope);

	push @{$scope->{from}}, {alias => $alias, columns => $self->{tables}{$name}, table => $name};
	return {alias => $alias, text => "$name $alias", columns => $self->{tables}{$name}};
}

sub any_table
{
	my ($self) = @_;

	return one(qw(connections connections connection_grants members workbooks workbook_pages workbook_elements files grants
		local_keys local_few tree parts people all_connections)) if chance(0.4);
	return $self->quick(@{$self->{names}});
}

# one of these tables, a slow one seldom
sub quick
{
	my ($self, @names) = @_;
	my $name = one(@names);

	return $is_slow{$name} && chance(0.85) ? one(@names) : $name;
}

# a table that has values of the column
sub joinable
{
	my ($self, $scope, $column) = @_;
	my @mates = @{$column->{mates} // []};
	my @keys = grep {$_->{is_key}} @mates;

	@mates = @keys if @keys && chance(0.6);
	return $self->table($scope, @mates ? $self->quick(map {$_->{table}} @mates) : $self->any_table);
}

# the column of a FROM item that suits another column best, as text
sub mate
{
	my ($self, $from, $column) = @_;
	my %mates = map {("$_->{table}.$_->{name}", 1)} @{$column->{mates} // []};
	my @fit = grep {$_->{table} && $mates{"$_->{table}.$_->{name}"}} @{$from->{columns}};

	my @keys = grep {$_->{is_key}} @fit;

	@fit = @keys if @keys && chance(0.8);
	@fit = grep {$_->{type} eq $column->{type}} @{$from->{columns}} unless @fit;
	return @fit ? "$from->{alias}." . one(@fit)->{name} : undef;
}

sub from_item
{
	my ($self, $scope, $depth) = @_;
	my $dice = rand;

	if ($depth > 0 && $dice < 0.16)
	{
		my $inner = $self->fresh($scope);
		my $query = chance(0.3) ? $self->plain($inner) : $self->query($inner, $depth - 1);
		my $alias = alias($scope);
		my $from = {alias => $alias, columns => $query->{columns}, text => seq('(', $query->{text}, ')', $alias)};

		push @{$scope->{from}}, $from;
		return $from;
	}
	if ($dice < 0.20)
	{
		my $alias = alias($scope);
		my $of = one(grep {$_->{is_id}} @{$self->{tables}{one(qw(connections members workbooks teams connection_grants))}});
		my $from = {alias => $alias, columns => [{%$of, name => 'v'}],
			text => seq('(VALUES', list(', ', 1, map {'(' . (chance(0.1) ? 'NULL' : quoted($self->value($of))) . '::text)'} 1 .. number(1, 5)), ") $alias (v)")};

		push @{$scope->{from}}, $from;
		return $from;
	}
	return $self->table($scope, $self->any_table);
}

sub from_clause
{
	my ($self, $scope, $depth) = @_;
	my $first = $self->from_item($scope, $depth);
	my $text = $first->{text};
	my $many = one(0, 0, 0, 1, 1, 1, 2, 2, 3);

	for (1 .. $many)
	{
		my $kind = one('JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN LATERAL');
		my $found = $self->column($scope, sub {$_[0]{is_id} || ($_[0]{type} eq 'text' && $_[0]{mates})}) or last;
		my ($left, $column) = @$found;
		my @before = @{$scope->{from}};
		my $before = $text;

		if ($kind =~ /LATERAL/)
		{
			my $inner = $self->fresh($scope);
			my $from = $self->joinable($inner, $column);
			my $mate = $self->mate($from, $column) or last;
			my $query = $self->select($inner, $from->{text}, ["$mate = $left"], 0);
			my $alias = alias($scope);

			$kind = 'LEFT JOIN LATERAL' if chance(0.5);
			push @{$scope->{from}}, {alias => $alias, columns => $query->{columns}};
			$text = alt(seq($text, $kind, '(', $query->{text}, ')', $alias, $kind =~ /LEFT/ ? 'ON true' : ''), $before);
			next;
		}
		my $from = chance(0.75) ? $self->joinable($scope, $column) : $self->from_item($scope, $depth);
		my $mate = $self->mate($from, $column) or do {$scope->{from} = \@before; last};
		my @on = ("$left = $mate");

		if (chance(0.12) && $column->{type} eq 'text')
		{
			@on = (one("upper($left) = upper($mate)", "$mate = upper($left)", "$mate = coalesce($left, 'x')"));
			@on = ("$left = $mate") if $kind eq 'FULL JOIN';
		}
		push @on, $self->comparison({%$scope, from => [@{$scope->{from}}[-1]]}) if chance(0.25) && $kind ne 'FULL JOIN';
		$text = alt(seq('(', $text, $kind, $from->{text}, 'ON', list(' AND ', 1, @on), ')'), $before, $from->{text});
	}
	return $text;
}

# --------------------------------------------------------------- queries

# an expression for the target list: text and what column it is
sub item
{
	my ($self, $scope, $depth) = @_;
	my $found = $self->column($scope) or return ['1', {type => 'integer'}];
	my ($text, $column) = @$found;
	my $dice = rand;

	if ($depth > 0 && $dice < 0.10)
	{
		my $key = $self->column($scope, sub {$_[0]{is_id} && $_[0]{type} eq 'text'});

		if ($key)
		{
			my $inner = $self->fresh($scope);
			my $from = $self->joinable($inner, $key->[1]);
			my $mate = $self->mate($from, $key->[1]);
			my $what = one(grep {is_text($_)} @{$from->{columns}});

			return [seq('(SELECT', one('count(*)', "max($from->{alias}.$what->{name})::text"), 'FROM', $from->{text}, 'WHERE', "$mate = $key->[0]", ')'), {type => 'computed'}]
				if $mate && $what;
		}
	}
	return [seq($self->condition($scope, $depth)), {type => 'boolean'}] if $dice < 0.14;
	if ($dice < 0.17)
	{
		return [one(@{$scope->{from}})->{alias} . '::text', {type => 'text'}];
	}
	return ["coalesce($text, 'none')", {%$column, name => ''}] if $dice < 0.20 && $column->{type} eq 'text';
	return ["length($text)", {type => 'integer'}] if $dice < 0.22 && $column->{type} eq 'text';
	return ["count(*) OVER (PARTITION BY $text)", {type => 'bigint'}] if $dice < 0.24;
	return ["CASE WHEN $text IS NULL THEN 'null' ELSE 'set' END", {type => 'text'}] if $dice < 0.26;
	return [$text, $column];
}

sub aggregate
{
	my ($self, $scope) = @_;
	my $found = $self->column($scope, \&is_sortable) or return ['count(*)', {type => 'bigint'}];
	my ($text, $column) = @$found;

	return ['count(*)', {type => 'bigint'}] if chance(0.4);
	return [one("count($text)", "count(DISTINCT $text)"), {type => 'bigint'}] if chance(0.4);
	return ["sum($text)", {type => 'numeric'}] if $column->{type} =~ /^(?:integer|bigint)$/;
	return ["bool_or($text)", {type => 'boolean'}] if $column->{type} eq 'boolean';
	return [one("min($text)", "max($text)", "string_agg($text, ',' ORDER BY $text)", "array_agg($text ORDER BY $text)::text"), {%$column}] if $column->{type} eq 'text';
	return ["array_agg($text ORDER BY $text)::text", {type => 'text'}];
}

# SELECT from a FROM clause that is in the scope already
sub select
{
	my ($self, $scope, $from, $must, $depth) = @_;
	my @where = (@$must, map {$self->condition($scope, $depth)} 1 .. one(0, 0, 1, 1, 2));
	my (@items, @columns, @tail, $list);
	my $grouped = chance(0.2);

	if ($grouped)
	{
		my @by = grep {defined} map {$self->column($scope, \&is_sortable)} 1 .. one(0, 1, 1, 2);

		@items = (@by, map {$self->aggregate($scope)} 1 .. number(1, 3));
		push @tail, opt(one('GROUP BY', 'GROUP BY', 'GROUP BY', 'GROUP BY ROLLUP ('), list(', ', 1, map {$_->[0]} @by)) if @by;
		$tail[-1]{parts}[2] = ')' if @tail && $tail[-1]{parts}[0] =~ /\(/;
		push @tail, opt('HAVING count(*)', one('>', '=', '<'), number(0, 3)) if chance(0.2);
	}
	else
	{
		@items = map {$self->item($scope, $depth)} 1 .. number(1, 4);
	}
	# Names, so that a query around this one can speak of them
	my $serial = 0;
	@columns = map {my $name = 'c' . ++$serial; +{%{$_->[1]}, name => $name}} @items;
	$serial = 0;
	$list = list(', ', 1, map {my $name = 'c' . ++$serial; seq($_->[0], 'AS', $name)} @items);
	push @tail, opt(total($list), opt('LIMIT', number(0, 8)), opt('OFFSET', number(0, 5))) if chance(0.3);
	return {columns => [grep {$_->{type} ne 'computed'} @columns], list => $list, is_grouped => $grouped,
		text => seq('SELECT', opt(!$grouped && chance(0.15) ? 'DISTINCT' : ''), $list, 'FROM', $from,
			opt('WHERE', list(' AND ', 1, @where ? @where : 'true')), @tail)};
}

sub query
{
	my ($self, $scope, $depth) = @_;

	if ($depth > 0 && chance(0.12))
	{
		my @sides = map {$self->simple_side($scope)} 1, 2;
		my $text = seq('(', $sides[0], ')', one('UNION ALL', 'UNION ALL', 'UNION', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL'), '(', $sides[1], ')');

		return {columns => [{name => 'c1', type => 'text', is_id => 1}, {name => 'c2', type => 'text'}], text => alt($text, @sides)};
	}
	if ($depth > 0 && chance(0.08))
	{
		my $inner = $self->query($self->fresh($scope), $depth - 1);
		my $name = alias($scope);
		my $twice = chance(0.5) ? ", $name AS again" : '';
		my $body = seq('SELECT * FROM', $name);
		my $columns = $inner->{columns};

		if (@$columns && chance(0.6))
		{
			$scope->{from} = [{alias => $name, columns => $columns}];
			my $column = $self->column($scope);
			my $from = $self->joinable($scope, $column->[1]);
			my $mate = $self->mate($from, $column->[1]);
			my $outer = $self->select($scope, $mate ? alt(seq($name, one('JOIN', 'LEFT JOIN'), $from->{text}, "ON $mate = $column->[0]"), $name) : $name, [], 0);

			$body = $outer->{text} if $mate;
			$columns = $outer->{columns} if $mate;
		}
		return {columns => $columns, text => alt(seq("WITH $name AS", one('', 'MATERIALIZED', 'NOT MATERIALIZED'), '(', $inner->{text}, ')', $body), $inner->{text})};
	}
	return $self->select($scope, $self->from_clause($scope, $depth), [], $depth);
}

# one side of a set operation: two texts
sub simple_side
{
	my ($self, $scope) = @_;
	my $inner = $self->fresh($scope);
	my $from = $self->table($inner, one(qw(connections connection_grants members teams workbooks workbook_pages grants files people tree)));
	my @texts = map {"$from->{alias}.$_->{name}"} grep {is_text($_)} @{$from->{columns}};
	my ($key) = map {"$from->{alias}.$_->{name}"} grep {is_text($_) && $_->{is_id}} @{$from->{columns}};

	return seq('SELECT', $key // $texts[0], 'AS c1,', one(@texts), 'AS c2 FROM', $from->{text}, opt('WHERE', $self->condition($inner, 0)));
}

# A query whose rows come in the list's order: one table, nothing that could be a look-up
sub plain
{
	my ($self, $scope) = @_;
	my $name = $self->quick(grep {!/^(?:tree|grant_tree|parts|people)$/} @{$self->{names}});
	my $from = $self->table($scope, $name);
	my @free = grep {!$_->{is_id} && !$_->{is_filter}} @{$from->{columns}};
	my $serial = 0;
	my @columns = some(number(1, 3), @{$from->{columns}});
	my @where = @free && chance(0.4) ? $self->comparison({%$scope, from => [{alias => $from->{alias}, columns => \@free}], parameters => undef}) : ();
	my $list = list(', ', 1, map {"$from->{alias}.$_->{name} AS c" . ++$serial} @columns);

	$serial = 0;
	return {columns => [map {+{%$_, name => 'c' . ++$serial}} @columns],
		text => seq('SELECT', $list, 'FROM', $from->{text}, (@where ? opt('WHERE', @where) : ''),
			opt(chance(0.8) ? ('LIMIT', number(0, 30)) : ''), opt(chance(0.4) ? ('OFFSET', number(0, 20)) : ''))};
}

# One table, and an equality on what is sent to Sigma: a key, which makes a look-up, or a filter
sub pointed
{
	my ($self, $scope) = @_;
	my $from = $self->table($scope, one(@{$self->{pointed}}));
	my $column = one(grep {$_->{is_key} || $_->{is_filter}} @{$from->{columns}});
	my $text = "$from->{alias}.$column->{name}";
	my $equality = $column->{is_filter} || chance(0.5) ? seq($text, '=', $self->constant($column, $scope))
		: seq($text, '= ANY (', $self->array($column, $scope), ')');

	return $self->select($scope, $from->{text}, [$equality], chance(0.2) ? 1 : 0);
}

# Few rows, and for each of them a list or an entry by its key: what a look-up join is for
sub looked_up
{
	my ($self, $scope) = @_;
	my $outer = chance(0.7) ? $self->table($scope, one(qw(local_few local_keys local_keys))) : $self->from_item($scope, 0);
	my ($few) = grep {$_->{name} eq 'n'} @{$outer->{columns}};
	my $text = $outer->{text};

	for (1 .. one(1, 1, 2))
	{
		my $found = $self->column($scope, sub {$_[0]{is_id} && $_[0]{type} eq 'text'}) or last;
		my ($left, $column) = @$found;
		my @keys = grep {$_->{is_key} && !$is_slow{$_->{table}}} @{$column->{mates} // []} or last;
		my $key = one(@keys);
		my $inner = $self->table($scope, $key->{table});
		my @on = ("$left = $inner->{alias}.$key->{name}");

		push @on, $self->comparison({%$scope, from => [@{$scope->{from}}[-1]]}) if chance(0.3);
		$text = alt(seq('(', $text, one('JOIN', 'LEFT JOIN', 'LEFT JOIN'), $inner->{text}, 'ON', list(' AND ', 1, @on), ')'), $text);
	}
	return $self->select($scope, $text, $few ? ["$outer->{alias}.n " . one('< 6', '% 20 = 3', '> 90')] : [], 0);
}

# ----------------------------------------------------------------- cases

sub scope { my ($parameters) = @_; my $serial = 1; return {from => [], serial => \$serial, parameters => $parameters} }

sub next_case
{
	my ($self) = @_;
	my $dice = rand;
	my @statements;

	# they are quick, so there may be many of them
	if (chance(0.45))
	{
		my $parameters = chance(0.3) ? [] : undef;
		my $query = chance(0.5) ? $self->pointed(scope($parameters)) : $self->looked_up(scope($parameters));

		@statements = $parameters ? $self->prepared($query, $parameters) : stmt('set', $query->{text});
		return $self->case(@statements);
	}
	if ($dice < 0.15)
	{
		@statements = stmt('order', $self->plain(scope())->{text});
	}
	elsif ($dice < 0.30)
	{
		my @parameters;
		my $query = $self->query(scope(\@parameters), 1);

		@statements = $self->prepared($query, \@parameters);
	}
	elsif ($dice < 0.42)
	{
		@statements = $self->cursor;
	}
	elsif ($dice < 0.46)
	{
		my $table = $self->quick(@{$self->{names}});

		@statements = stmt('set', one("SELECT count(*) FROM $table", "SELECT count(*), max(x::text) FROM $table x", "SELECT x FROM $table x",
			"SELECT count(*) FROM $table, $table y", "SELECT (SELECT count(*) FROM $table), count(*) FROM connections", "TABLE $table"));
	}
	else
	{
		my $query = $self->query(scope(), 2);
		my $lock = $dice < 0.49 && !$query->{is_grouped} ? opt(one('FOR UPDATE', 'FOR SHARE')) : '';

		@statements = stmt('set', seq($query->{text}, $lock));
	}
	return $self->case(@statements);
}

sub case
{
	my ($self, @statements) = @_;

	$self->{environment} = $self->{settings}->environment if $self->{cases}++ % 30 == 0;
	return Case->new(environment => list(', ', 0, @{$self->{environment}{parts}}), settings => $self->{settings}->random,
		statements => list('; ', 1, @statements));
}

# a query, and calls of it with values for its parameters, each {type, column}
sub prepared
{
	my ($self, $query, $parameters) = @_;
	my @parameters = @$parameters;
	my @statements;

	push @statements, stmt('none', seq('PREPARE p' . (@parameters ? '(' . join(', ', map {$_->{type}} @parameters) . ')' : ''), 'AS', $query->{text}));
	for (1 .. number(1, 4))
	{
		my @values = map {$self->argument($_)} @parameters;

		push @statements, stmt('set', 'EXECUTE p' . (@values ? '(' . join(', ', @values) . ')' : ''));
	}
	# six of the kind make a generic plan by themselves
	push @statements, map {$statements[-1]} 1 .. 6 if chance(0.1);
	return (@statements, stmt('none', 'DEALLOCATE ALL'));
}

sub argument
{
	my ($self, $parameter) = @_;

	return 'NULL' if chance(0.08);
	return quoted($self->value($parameter->{column})) unless $parameter->{type} =~ /\[\]$/;
	return 'ARRAY[' . join(', ', map {chance(0.1) ? 'NULL' : quoted($self->value($parameter->{column}))} 1 .. number(0, 6)) . "]::$parameter->{type}";
}

sub cursor
{
	my ($self) = @_;
	my $plain = chance(0.6);
	my $query = $plain ? $self->plain(scope()) : $self->query(scope(), 1);
	my $text = $query->{text};
	my $scroll = chance(0.6);
	my $hold = chance(0.15);
	my @statements = stmt('none', 'BEGIN');

	# else what is fetched together would not be determined
	$text = seq("SELECT q::text FROM (", $text, ') q ORDER BY 1') unless $plain;
	push @statements, stmt('none', seq('DECLARE c', $scroll ? 'SCROLL' : one('', 'NO SCROLL'), 'CURSOR', $hold ? 'WITH HOLD' : '', 'FOR', $text));
	push @statements, stmt('none', 'COMMIT') if $hold && chance(0.5);
	for (1 .. number(2, 7))
	{
		my $many = number(1, 30);
		my @ways = ("FETCH $many FROM c", "FETCH NEXT FROM c", "MOVE $many IN c", 'FETCH ALL FROM c');

		push @ways, 'FETCH 0 FROM c', "FETCH BACKWARD $many FROM c", "MOVE BACKWARD $many IN c", 'FETCH PRIOR FROM c', 'FETCH FIRST FROM c', 'FETCH LAST FROM c',
			"FETCH ABSOLUTE $many FROM c", "FETCH ABSOLUTE -$many FROM c", 'FETCH RELATIVE ' . number(-5, 5) . ' FROM c', 'FETCH BACKWARD ALL FROM c', 'MOVE BACKWARD ALL IN c'
			if $scroll;
		push @statements, stmt('order', one(@ways));
		push @statements, stmt('set', seq($self->query(scope(), 0)->{text})) if chance(0.15);
		push @statements, stmt('none', 'SAVEPOINT s'), stmt('none', one('SELECT 1/0', 'SELECT name::int FROM connections')), stmt('none', 'ROLLBACK TO s')
			if !$hold && chance(0.12);
	}
	return (@statements, stmt('none', one('COMMIT', 'ROLLBACK')), $hold ? stmt('none', 'CLOSE ALL') : ());
}

# ------------------------------------------------------------------- run

# the same case on both sides; what differs, in words
sub try
{
	my ($self, $case) = @_;
	my ($sigma, $copy) = @$self{qw(sigma copy)};
	my @settings = $case->settings;
	my @statements = $case->statements;

	$self->{settings}->apply($case->environment);
	$sigma->send(@settings, map {both($_, 0)} @statements);
	$copy->send(map {both($_, 1)} @statements);

	my @sigma = $sigma->receive;
	my @copy = $copy->receive;

	splice @sigma, 0, scalar @settings;
	# whatever was left out of the case, the next one begins anew
	$_->run('ROLLBACK', 'DISCARD ALL') for $sigma, $copy;
	return $case->difference(\@sigma, \@copy, warnings => 1);
}

1;

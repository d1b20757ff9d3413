# Random transactions that write to Sigma, and the same against a local model of what Sigma and sigma_fdw make of them.
#
# The model is a table whose trigger does to a row what Sigma does.  PostgreSQL itself is the model of the rest: what a transaction
# sees of its own changes, and what a rollback takes back.  Grants are given and taken at once, for good, so the model does
# that in a session of its own (dblink).
package Transactions;

use strict;
use warnings;
use Case;
use Settings;

# what Sigma shows of a connection, but for identifiers, times, and people
my $shown = 'name, type, account, host, warehouse, "user", role, use_oauth, role_switching, timeout, pool_sizes, friendly_name, '
	. 'exports_warehouse, is_sample, is_archived';
my $grant = 'connection_id, permission, member_id, team_id';

# Connections that no statement changes or deletes, so that they can have grants
my @anchors = ('Sigma Sample Database', 'Snowflake West');

sub new
{
	my ($class, $sigma, $model) = @_;
	my $self = bless {sigma => $sigma, model => $model, settings => Settings->new($sigma), serial => 0}, $class;

	$self->{settings}->apply;
	$self->{settings}->post('reset', '{}');
	$model->rows('SET statement_timeout = 0', <<"END_OF_TABLES", <<'END_OF_FUNCTIONS', 'RESET statement_timeout');
CREATE SCHEMA model;
CREATE TABLE model.connections AS SELECT *, NULL::int AS position FROM sigma.connections LIMIT 0;
CREATE TABLE model.connection_grants AS SELECT $grant FROM sigma.connection_grants LIMIT 0;
CREATE TABLE model.connections_at_first AS SELECT *, row_number() OVER ()::int AS position FROM (SELECT * FROM sigma.connections OFFSET 0) c;
CREATE TABLE model.grants_at_first AS SELECT $grant FROM sigma.connection_grants;
CREATE SEQUENCE model.positions START 1000;
CREATE TABLE public.names (name text, new_name text);
INSERT INTO public.names SELECT name, name || ' renamed' FROM sigma.connections WHERE type IN ('postgres', 'mysql') LIMIT 4;
INSERT INTO public.names VALUES ('new 1', 'newer 1'), ('new 2', 'new 3'), ('nobody', 'x'), (NULL, 'null');
CREATE TABLE public.grant_parent (grant_id text, connection_id text, permission text, member_id text, team_id text);
CREATE FOREIGN TABLE sigma.grant_child () INHERITS (public.grant_parent) SERVER sigma OPTIONS (resource 'connection_grants');
END_OF_TABLES
CREATE FUNCTION model.as_sigma_does() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	d jsonb := coalesce(NEW.details, '{}');
	is_new boolean := TG_OP = 'INSERT';
BEGIN
	IF is_new THEN
		NEW.type := coalesce(NEW.type, d ->> 'type');
		IF NEW.name IS NULL OR NEW.type IS NULL THEN
			RAISE not_null_violation;
		END IF;
		NEW.connection_id := gen_random_uuid();
		NEW.position := nextval('model.positions');
		NEW.use_oauth := coalesce(NEW.use_oauth, false);
		NEW.is_sample := false;
		NEW.is_archived := false;
	END IF;
	IF is_new OR NEW.details IS NOT NULL THEN
		-- a column counts if the statement has changed it, else what is in details, else what is there
		IF is_new OR NEW.account IS NOT DISTINCT FROM OLD.account THEN NEW.account := coalesce(d ->> 'account', NEW.account); END IF;
		IF is_new OR NEW.warehouse IS NOT DISTINCT FROM OLD.warehouse THEN NEW.warehouse := coalesce(d ->> 'warehouse', NEW.warehouse); END IF;
		IF is_new OR NEW.role IS NOT DISTINCT FROM OLD.role THEN NEW.role := coalesce(d ->> 'role', NEW.role); END IF;
		IF is_new OR NEW."user" IS NOT DISTINCT FROM OLD."user" THEN NEW."user" := coalesce(d ->> 'user', NEW."user"); END IF;
		IF is_new OR NEW.host IS NOT DISTINCT FROM OLD.host THEN NEW.host := coalesce(d ->> 'host', NEW.host); END IF;
		IF NEW.type <> 'snowflake' THEN
			NEW.host := NULL;
		END IF;
		-- the only time limit that a request can have
		NEW.timeout := jsonb_build_object('default', coalesce(to_jsonb(NEW.timeout_secs), NEW.timeout -> 'default'));
		IF NEW.timeout -> 'default' = 'null' THEN
			NEW.timeout := NULL;
		END IF;
		NEW.friendly_name := coalesce(NEW.use_friendly_names, NEW.friendly_name);
	END IF;
	NEW.details := NULL;
	NEW.timeout_secs := NULL;
	NEW.use_friendly_names := NULL;
	RETURN NEW;
END
$$;
CREATE TRIGGER as_sigma_does BEFORE INSERT OR UPDATE ON model.connections FOR EACH ROW EXECUTE FUNCTION model.as_sigma_does();
CREATE FUNCTION model.create_connection(new_name text, new_details jsonb) RETURNS text LANGUAGE sql AS
	$$ INSERT INTO model.connections (name, details) VALUES (new_name, new_details) RETURNING name $$;
CREATE FUNCTION model.anew() RETURNS void LANGUAGE sql AS $$
	SET LOCAL session_replication_role = replica;
	TRUNCATE model.connections, model.connection_grants;
	INSERT INTO model.connections SELECT * FROM model.connections_at_first;
	INSERT INTO model.connection_grants SELECT * FROM model.grants_at_first;
$$;
END_OF_FUNCTIONS
	# another session on each side: it looks at Sigma, and it changes the model's grants for good
	for my $session ($sigma, $model)
	{
		my ($path) = map {$_->[0]} $session->rows('SHOW search_path');

		$session->rows("SELECT dblink_connect('other', format('host=%L port=%L dbname=%L user=%L options=%L', current_setting('unix_socket_directories'), "
			. "current_setting('port'), current_database(), current_user, '-c search_path=' || replace('$path', ' ', '')))");
	}
	$self->{ids} = [map {$_->[0]} $model->rows('SELECT connection_id FROM model.connections_at_first WHERE name IN ('
		. join(', ', map {"'$_'"} @anchors) . ') ORDER BY position')];
	$self->{members} = [map {$_->[0]} $model->rows('SELECT member_id FROM sigma.members LIMIT 3')];
	$self->{teams} = [map {$_->[0]} $model->rows('SELECT team_id FROM sigma.teams LIMIT 3')];
	return $self;
}

sub chance { return rand() < $_[0] }
sub one { return $_[int rand @_] }
sub number { my ($from, $to) = @_; return $from + int rand($to - $from + 1) }

# ------------------------------------------------------------ statements

sub name { return one(map {"'new $_'"} 1 .. 4) }

# Which rows: these conditions and random ones; never the anchors, and no name that gets longer and longer.  Only the random
# ones can be left out: without the others, Sigma might refuse what the model takes.
sub rows
{
	my ($alias, @conditions) = @_;
	my $not = "${alias}name <> ALL ('{" . join(',', map {"\"$_\""} @anchors) . "}')";
	my @ways = ("${alias}name = " . name, "${alias}name LIKE 'new%'", "${alias}name = ANY ('{new 1,new 2,Postgres Production}')", "${alias}type = 'mysql'",
		"${alias}type = 'postgres' AND NOT ${alias}use_oauth", "${alias}use_oauth", "${alias}warehouse IS NULL", 'false',
		"${alias}connection_id = ANY (ARRAY(SELECT s.connection_id FROM connections s WHERE s.name = " . name . '))',
		"${alias}connection_id IN (SELECT s.connection_id FROM connections s WHERE s.name LIKE 'new%')",
		"EXISTS (SELECT FROM names n WHERE n.name = ${alias}name)", "${alias}name <> 'new 1'");

	return seq(join(' AND ', @conditions, $not, "length(${alias}name) < 60"), opt('AND', list(' AND ', 1, map {one(@ways)} 1 .. one(1, 1, 2))));
}

sub details
{
	my ($type) = @_;

	return $type eq 'postgres' ? '{"type": "postgres", "host": "h", "database": "d"' . one('', ', "user": "u"', ', "user": "v", "password": "secret"') . '}'
		: '{"type": "snowflake", "account": "a", "warehouse": "' . one('W', 'X') . '", "user": "u", "password": "secret"' . one('', ', "role": "R"') . '}';
}

sub create
{
	my @columns = ('', ', timeout_secs', ', use_friendly_names');
	my $which = one(0, 0, 1, 2);
	my $type = one('postgres', 'snowflake');
	my @rows = map {'(' . name . ", '" . details($type) . "'" . ('', ', ' . number(30, 90), ', true')[$which] . ')'} 1 .. one(1, 1, 2, 3);

	return seq('INSERT INTO connections (name, details' . $columns[$which] . ') VALUES', list(', ', 1, @rows));
}

sub create_from
{
	return seq('INSERT INTO connections (name, type, account, warehouse, "user", role, details)'
		. " SELECT c.name || ' copy', c.type, c.account, c.warehouse, coalesce(c.\"user\", 'u'), c.role, "
		. "CASE c.type WHEN 'postgres' THEN '{\"host\": \"h\", \"database\": \"d\"}'::jsonb ELSE '{\"password\": \"secret\"}' END FROM connections c"
		. ' WHERE', rows('c.', "c.type IN ('postgres', 'snowflake')", "(c.type = 'postgres' OR (c.account IS NOT NULL AND c.warehouse IS NOT NULL))"),
		# so that the list has them in the same order
		'ORDER BY c.name, c.type, c.account, c.warehouse, c."user", c.role');
}

sub change
{
	my $dice = rand;

	if ($dice < 0.55)
	{
		my $set = one('name = ' . name, "name = c.name || '+'", 'name = upper(c.name)', 'use_oauth = NOT c.use_oauth', 'name = c.name', 'name = ' . name . ', use_oauth = true');

		return seq("UPDATE connections c SET $set WHERE", rows('c.'));
	}
	if ($dice < 0.85)
	{
		my $type = one('postgres', 'snowflake');
		my $set = $type eq 'postgres' ? one('', ', "user" = \'w\'', ', timeout_secs = 77', ', name = c.name || \' put\'')
			: one('', ', warehouse = \'BIG\'', ', role = NULL', ', role = \'S\', account = \'b\'', ', use_friendly_names = true');
		my $details = $type eq 'postgres' ? '{"host": "h", "database": "d2"}' : '{"password": "other"}';

		return seq("UPDATE connections c SET details = '$details'$set WHERE",
			rows('c.', "c.type = '$type'", 'NOT c.use_oauth', 'c."user" IS NOT NULL'));
	}
	return seq('UPDATE connections c SET name = n.new_name FROM names n WHERE', rows('c.', 'c.name = n.name'));
}

sub remove
{
	return seq('DELETE FROM connections c WHERE', rows('c.')) if chance(0.8);
	return seq('DELETE FROM connections c USING names n WHERE', rows('c.', 'c.name = n.name'));
}

sub returning
{
	my $what = join ', ', map {"c.$_"} split /, /, $shown;

	return opt('RETURNING', one($what, 'c.name', "c.name || '!', c.type, c.account"));
}

sub writing
{
	my $dice = rand;

	return seq(create(), returning_of_insert()) if $dice < 0.25;
	return seq(create_from(), returning_of_insert()) if $dice < 0.35;
	return seq(change(), returning()) if $dice < 0.7;
	return seq(remove(), returning()) if $dice < 0.85;
	# several at once, in one statement
	my ($first, $second) = (one(\&change, \&remove, \&create_from, \&create)->(), one(\&create, \&create_from)->());

	return alt(seq('WITH w AS (', $first, 'RETURNING name) ', $second), $first, $second) if chance(0.5);
	return seq('WITH w AS (', remove(), 'RETURNING c.name) INSERT INTO connections (name, details)', "SELECT w.name || ' again', '" . details('postgres') . "' FROM w WHERE length(w.name) < 60 ORDER BY w.name");
}

sub returning_of_insert { return opt('RETURNING', one('name', $shown)) }

sub look
{
	my $dice = rand;

	return "SELECT $shown FROM connections" if $dice < 0.2;
	return 'SELECT count(*) FROM connections' if $dice < 0.32;
	return "SELECT name, type FROM connections WHERE name = " . name if $dice < 0.5;
	return seq('SELECT name FROM connections c WHERE', rows('c.')) if $dice < 0.65;
	return "SELECT c.name, g.permission, g.member_id FROM connections c JOIN connection_grants g USING (connection_id)" if $dice < 0.75;
	return 'SELECT c.name, d.name FROM connections c JOIN connections d USING (connection_id)' if $dice < 0.85;
	return 'SELECT type, count(*), min(name), max(name) FROM connections GROUP BY type' if $dice < 0.92;
	return 'SELECT n.name, c.type FROM names n LEFT JOIN connections c ON c.name = n.name';
}

# Grants of the anchors.  They are not taken back, so the model's session must not do it either.
sub grant
{
	my ($self) = @_;
	my $id = one(@{$self->{ids}});
	my @who = chance(0.5) ? ('member_id', one(@{$self->{members}})) : ('team_id', one(@{$self->{teams}}));
	my $permission = one('usage', 'annotate');
	my $dice = rand;
	my ($do, $function);

	if ($dice < 0.7)
	{
		$function = "SELECT sigma_grant_connection('sigma', '$id', '$permission', $who[0] => '$who[1]')" if $dice < 0.15;
		$do = "INSERT INTO connection_grants (connection_id, permission, $who[0]) VALUES ('$id', '$permission', '$who[1]')";
	}
	elsif ($dice < 0.8)
	{
		$function = "SELECT sigma_revoke_connection('sigma', '$id', '$permission', $who[0] => '$who[1]')";
		$do = "DELETE FROM connection_grants WHERE connection_id = '$id' AND permission = '$permission' AND $who[0] = '$who[1]'";
	}
	else
	{
		my $where = one("connection_id = '$id'", "connection_id = '$id' AND permission = '$permission'", "$who[0] = '$who[1]' AND connection_id = ANY ('{" . join(',', @{$self->{ids}}) . "}')");
		my $parent = one('connection_grants', 'connection_grants', 'grant_parent');

		$do = "DELETE FROM $parent WHERE $where";
	}
	(my $model = $do) =~ s/(INTO|FROM) (?:connection_grants|grant_parent)/$1 model.connection_grants/;
	return stmt('none', $function // $do, "SELECT dblink_exec('other', \$\$$model\$\$)");
}

# one or several statements of a transaction
sub statements
{
	my ($self, $savepoints, $cursors) = @_;
	my $dice = rand;

	return stmt('order', 'FETCH ' . one('ALL', 3) . ' FROM ' . one(@$cursors)) if @$cursors && chance(0.15);

	return stmt('set', writing()) if $dice < 0.42;
	return stmt('set', look()) if $dice < 0.60;
	return $self->grant if $dice < 0.66;
	if ($dice < 0.69)
	{
		my ($name, $details) = (name, details('postgres'));

		return stmt('set', "SELECT sigma_create_connection('sigma', $name, '$details') ->> 'name'", "SELECT model.create_connection($name, '$details')");
	}
	if ($dice < 0.72)
	{
		# what an exception takes back
		my $error = one("PERFORM 1/0;", '', "RAISE 'no';");

		return stmt('none', seq('DO $$ BEGIN', list(' ', 0, map {seq(one(\&create, \&change, \&remove)->(), ';')} 1 .. number(1, 2)), $error, 'EXCEPTION WHEN OTHERS THEN NULL; END $$'));
	}
	if ($dice < 0.79)
	{
		my $name = 'c' . @$cursors;

		# A cursor shows what there was when its list was begun, which is at its first row: here at once
		push @$cursors, $name;
		my $cursor = "DECLARE $name CURSOR FOR SELECT $shown FROM connections";
		my $fetch = '; FETCH ' . number(1, 4) . " FROM $name";

		return stmt('order', $cursor . $fetch, "$cursor ORDER BY position$fetch");
	}
	if ($dice < 0.87)
	{
		my $name = 's' . @$savepoints;

		push @$savepoints, $name;
		return stmt('none', "SAVEPOINT $name");
	}
	if ($dice < 0.90 && @$savepoints)
	{
		my $at = int rand @$savepoints;
		my $name = $savepoints->[$at];

		splice @$savepoints, $at;
		return stmt('none', "RELEASE $name");
	}
	if (@$savepoints)
	{
		my $at = int rand @$savepoints;

		splice @$savepoints, $at + 1;
		return ((chance(0.5) ? stmt('none', one('SELECT 1/0', "INSERT INTO connections (details) VALUES ('{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\"}')")) : ()),
			stmt('none', "ROLLBACK TO $savepoints->[$at]"));
	}
	return stmt('set', writing());
}

sub next_case
{
	my ($self) = @_;
	my @all;

	$self->{environment} = $self->{settings}->environment if !$self->{environment} || $self->{used}++ % 20 == 0;
	for (1 .. one(1, 1, 2))
	{
		my (@savepoints, @cursors);

		# also statements that are transactions of their own
		push @all, stmt('set', writing()) if chance(0.3);
		# grants are seen at any level, as is everything of Sigma
		push @all, stmt('none', one('BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ'), 'BEGIN');
		push @all, $self->statements(\@savepoints, \@cursors) for 1 .. number(1, 9);
		push @all, stmt('none', one('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK'));
		push @all, check(@all);
	}
	return Case->new(environment => list(', ', 0, @{$self->{environment}{parts}}), settings => $self->{settings}->random,
		statements => list('; ', 1, @all));
}

# what there is, as another session sees it; of grants only if there may be others than before
sub check
{
	my (@statements) = @_;
	my @checks = seen_by_others("SELECT 'Sigma now has:' AS what, $shown FROM connections");

	push @checks, seen_by_others("SELECT 'and grants:' AS what, $grant FROM connection_grants", 'WHERE connection_id IN (SELECT connection_id FROM connections)')
		if grep {both($_, 0) =~ /^(?:INSERT INTO|DELETE FROM) (?:connection_grants|grant_parent)|sigma_(?:grant|revoke)_/} @statements;
	return @checks;
}

sub seen_by_others
{
	my ($query, $of_model) = @_;
	my $columns = "SELECT row::text FROM ($query) row";

	return stmt('set', "SELECT row FROM dblink('other', \$\$$columns\$\$) AS seen (row text)", "SELECT row::text FROM ($query " . ($of_model // '') . ') row');
}

# ------------------------------------------------------------------- run

sub try
{
	my ($self, $case) = @_;
	my ($sigma, $model) = @$self{qw(sigma model)};
	my @settings = $case->settings;
	my @statements = ($case->statements, stmt('none', 'ROLLBACK'), check($case->statements));
	# whatever was left out of the case, the other session looks when there is no transaction
	my %looks = map {($_, 1)} grep {both($statements[$_], 0) =~ /Sigma now has/} 0 .. $#statements;

	$self->{settings}->apply($case->environment);
	$self->{settings}->post('reset', '{}');
	$model->rows('SELECT model.anew()');
	# each as [what it is compared as, or undef; Sigma's text; the model's]
	my @script = map {[undef, $_, undef]} @settings;
	for my $i (0 .. $#statements)
	{
		push @script, [undef, 'ROLLBACK', 'ROLLBACK'] if $looks{$i};
		push @script, [$i, both($statements[$i], 0), both($statements[$i], 1)];
	}
	my @of_model = grep {defined $_->[2]} @script;

	$sigma->send(map {$_->[1]} @script);
	$model->send(map {$_->[2]} @of_model);

	my @sigma = $sigma->receive;
	my @model = $model->receive;

	@sigma = @sigma[grep {defined $script[$_][0]} 0 .. $#script];
	@model = @model[grep {defined $of_model[$_][0]} 0 .. $#of_model];
	$sigma->run('ROLLBACK', 'RESET ALL');
	$model->run('ROLLBACK');
	return $case->difference(\@sigma, \@model, statements => \@statements);
}

1;

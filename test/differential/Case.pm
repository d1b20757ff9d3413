# A case: settings and statements that are run on both sides, what they come to, and how they get smaller.
#
# Statements are trees, so that they can be made smaller without being understood: what then is no SQL is an error on both
# sides, and no difference.  A node is a text or one of these hashes:
#	seq		its parts, one behind the other
#	list	elements with a separator; those beyond `least` may be left out
#	opt		may be left out
#	alt		may become one of its simpler forms
#	total	the ORDER BY of a list of select items, of which every one counts
#	stmt	a statement: how its answers are compared, and its text on both sides
package Case;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(seq list opt alt total stmt both render);

sub seq { return {kind => 'seq', parts => [@_]} }
sub list { my ($separator, $least, @elements) = @_; return {kind => 'list', separator => $separator, least => $least, parts => [@elements]} }
sub opt { return {kind => 'opt', parts => [@_]} }
sub alt { return {kind => 'alt', pick => 0, forms => [@_]} }
sub total { my ($list) = @_; return {kind => 'total', list => $list} }

# how: "set" of rows, their "order" too, or "none": only whether it fails
sub stmt { my ($how, $sigma, $copy) = @_; return {kind => 'stmt', how => $how, parts => [$sigma, defined $copy ? $copy : ()]} }

sub render
{
	my ($node) = @_;

	return $node unless ref $node;
	return render($node->{forms}[$node->{pick}]) if $node->{kind} eq 'alt';
	return '' if $node->{off};
	return 'ORDER BY ' . join(', ', 1 .. @{$node->{list}{parts}}) if $node->{kind} eq 'total';
	return join($node->{kind} eq 'list' ? $node->{separator} : ' ', grep {$_ ne ''} map {render($_)} @{$node->{parts}});
}

# the text of a statement on one side: 0 is Sigma's
sub both
{
	my ($statement, $side) = @_;

	return render($statement->{parts}[$side] // $statement->{parts}[0]);
}

# Case->new(environment => LIST, settings => LIST, statements => LIST): environment is what both the servers and the
# simulator are told, settings are of Sigma's session alone
sub new
{
	my ($class, %self) = @_;

	return bless {%self}, $class;
}

# What could be left out of a node or replaced in it, as [do, undo].  The largest pieces come first.
sub edits
{
	my ($node) = @_;
	my (@edits, @below);

	return () unless ref $node && $node->{kind} ne 'total' && !$node->{off};
	if ($node->{kind} eq 'opt')
	{
		push @edits, [sub {$node->{off} = 1}, sub {$node->{off} = 0}];
	}
	elsif ($node->{kind} eq 'alt')
	{
		my $before = $node->{pick};

		# the simplest is the last
		push @edits, map {my $form = $_; [sub {$node->{pick} = $form}, sub {$node->{pick} = $before}]}
			reverse $before + 1 .. $#{$node->{forms}};
		return (@edits, edits($node->{forms}[$before]));
	}
	elsif ($node->{kind} eq 'list')
	{
		my $parts = $node->{parts};

		for (my $size = @$parts; $size > 0; $size = int($size / 2))
		{
			for (my $at = @$parts - $size; $at >= 0; $at -= $size)
			{
				next if @$parts - $size < $node->{least};
				my @gone;
				my $from = $at;
				my $many = $size;
				push @edits, [sub {@gone = splice @$parts, $from, $many}, sub {splice @$parts, $from, 0, @gone}];
			}
		}
	}
	push @below, edits($_) for @{$node->{parts}};
	return (@edits, @below);
}

# Makes the case smaller while still_differs says so.
sub shrink
{
	my ($self, $still_differs, $seconds) = @_;
	my $end = time + $seconds;
	my $changed = 1;

	while ($changed)
	{
		$changed = 0;
		for my $part (qw(statements settings environment))
		{
			my $at = 0;

			while (time < $end)
			{
				my @edits = edits($self->{$part});

				last if $at >= @edits;
				$edits[$at][0]->();
				if ($still_differs->())
				{
					$changed = 1;
				}
				else
				{
					$edits[$at][1]->();
					$at++;
				}
			}
		}
	}
}

sub statements { return @{$_[0]{statements}{parts}} }
sub settings { return map {render($_)} @{$_[0]{settings}{parts}} }
sub environment { return map {render($_)} @{$_[0]{environment}{parts}} }

# What differs between the results of both sides, in words; undef if nothing does.  Results are those of the case's statements,
# or of others that are given; with `warnings`, a WARNING of Sigma's alone is a difference.
sub difference
{
	my ($self, $sigma, $copy, %how) = @_;
	my @statements = $how{statements} ? @{$how{statements}} : $self->statements;

	for my $i (0 .. $#statements)
	{
		my ($s, $c) = ($sigma->[$i], $copy->[$i]);
		my $text = both($statements[$i], 0);
		my $how = $statements[$i]{how};
		my (@s, @c);

		# too long a query tells nothing
		if ($s->{state} eq '57014' || $c->{state} eq '57014')
		{
			$self->{given_up} = 1;
			return undef;
		}
		if ($s->{state} ne $c->{state} && ($s->{state} eq '00000' || $c->{state} eq '00000' || $s->{state} =~ /^(?:XX|HV|58|57|53|08|28)/))
		{
			return describe($text, $s, $c, 'one fails');
		}
		if ($s->{state} eq '00000' && $how{warnings} && warnings($s) > warnings($c))
		{
			return describe($text, $s, $c, 'a WARNING');
		}
		next if $s->{state} ne '00000' || $how eq 'none';
		@s = @{$s->{rows}};
		@c = @{$c->{rows}};
		if ($how eq 'set')
		{
			@s = sort @s;
			@c = sort @c;
		}
		if ($s->{count} ne $c->{count} || join("\x1e", @s) ne join("\x1e", @c))
		{
			return describe($text, {%$s, rows => \@s}, {%$c, rows => \@c}, $s->{count} eq $c->{count} ? 'rows' : 'the number of rows');
		}
	}
	return undef;
}

sub warnings { return scalar grep {/^WARNING/} @{$_[0]{said}} }

sub describe
{
	my ($text, $sigma, $copy, $what) = @_;
	my $lines = "different: $what, at:  $text\n";
	my (%count, @only);

	$count{$_}++ for @{$sigma->{rows}};
	$count{$_}-- for @{$copy->{rows}};
	for (['Sigma', $sigma, 1], ['the copy', $copy, -1])
	{
		my ($name, $result, $sign) = @$_;
		my @only = grep {($count{$_} // 0) * $sign > 0} do {my %seen; grep {!$seen{$_}++} @{$result->{rows}}};
		my $more = @only > 5 ? @only - 5 : 0;

		$lines .= sprintf "  %-9s %s, %s rows\n", "$name:", $result->{state}, $result->{count};
		$lines .= "    $_\n" for map {split /\n/, $_} @{$result->{said}};
		splice @only, 5;
		tr/\x1f/|/ for @only;
		$lines .= '    only here: ' . (length > 300 ? substr($_, 0, 300) . '...' : $_) . "\n" for @only;
		$lines .= "    and $more more\n" if $more;
	}
	return $lines;
}

# The case as a script to be read, and pasted
sub show
{
	my ($self) = @_;
	my $text = '';

	$text .= "  -- $_\n" for $self->environment;
	$text .= "  $_;\n" for $self->settings;
	for my $statement ($self->statements)
	{
		my ($sigma, $copy) = (both($statement, 0), both($statement, 1));

		$text .= "  $sigma;\n";
		$text .= "  -- on the other side: $copy;\n" if $copy ne $sigma;
	}
	return $text;
}

1;

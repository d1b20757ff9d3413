# Counted tests (TAP) in bash; to be sourced.  Ends with: finish_tests

n=0
failed=0

# ok DESCRIPTION COMMAND...
ok()
{
	local description=$1

	n=$((n + 1))
	shift
	if "$@"; then
		echo "ok $n - $description"
	else
		echo "not ok $n - $description"
		echo "#   $*"
		failed=$((failed + 1))
	fi
}

# is HAVE WANT DESCRIPTION
is()
{
	ok "$3" test "$1" = "$2"
	[ "$1" = "$2" ] || printf '#   have: %s\n#   want: %s\n' "$1" "$2"
}

# has FILE PATTERN DESCRIPTION
has()
{
	ok "$3" grep -qE -- "$2" "$1"
	grep -qE -- "$2" "$1" || sed 's/^/#   /' "$1"
}

# shown COMMAND...: its output, which goes to the file $log, is shown if it fails
shown()
{
	"$@" >"$log" 2>&1 </dev/null || {
		tail -n 100 "$log"
		return 1
	}
}

finish_tests()
{
	echo "1..$n"
	[ "$failed" -eq 0 ]
}

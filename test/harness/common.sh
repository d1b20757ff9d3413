# Shared by the scripts of the harness; to be sourced by bash, not run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
harness=$top/test/harness
simulator=$top/test/simulator/sigma-simulator
# How long one file of tests may take, in s.  Some take a minute; a busy machine may need five times as long.
time_limit=${SIGMA_TEST_TIMEOUT:-600}

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${program-${0##*/}}" "$*" >&2
	exit 1
}

# For "make check" and its kin: says what they are about to do.  Their last line is "N passed, N failed", even if it comes to
# nothing; with-cluster -t sees to that when it takes over.
begin_tests()
{
	say "$*"
	trap 'say "0 passed, 1 failed"' EXIT
}

# The major version of a pg_config: "PostgreSQL 15.8 (Debian ...)" is 15.
pg_major()
{
	"$1" --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'
}

# Sets pg_config: PG_CONFIG if the user set it, else the newest version that an extension can be built for, else the
# newest server, else whatever is in PATH; empty if there is none.
find_pg_config()
{
	local candidate

	if [ -n "${PG_CONFIG-}" ]; then
		pg_config=$(command -v "$PG_CONFIG") || die "PG_CONFIG is set to $PG_CONFIG, which cannot be run"
		return
	fi
	pg_config=
	# not the one in PATH first: Debian's takes the newest version of which only the client programs may be there
	for candidate in $(ls -v /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | tac); do
		if [ -e "$("$candidate" --pgxs)" ]; then
			pg_config=$candidate
			return
		fi
	done
	for candidate in $(ls -v /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | tac); do
		if [ -x "${candidate%/pg_config}/postgres" ]; then
			pg_config=$candidate
			return
		fi
	done
	candidate=$(command -v pg_config) && [ -n "$(pg_major "$candidate")" ] && pg_config=$candidate
	return 0
}

# What is made once and for all: pgTAP's scripts where no package has them, servers with assertions.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sigma_fdw

# Prints a directory that has pgTAP's scripts: the server's own, else any other's, since they are the same for all.
find_pgtap()
{
	local directory

	for directory in "$("$pg_config" --sharedir)/extension" $(ls -dv /usr/share/postgresql/*/extension 2>/dev/null | tac) "$cache/pgtap"; do
		if [ -e "$directory/pgtap.control" ]; then
			say "$directory"
			return
		fi
	done
}

# UBSan beside AddressSanitizer writes to the standard error, whatever log_path says: for the server, that is its log.
keep_ubsan()
{
	[ "${SIGMA_SANITIZE-}" = address ] || return 0
	grep -E ': runtime error: |^    #[0-9]+ 0x' "$SIGMA_SERVER_LOG" >"$SIGMA_SANITIZE_REPORTS/ubsan.$$" || true
}

# quietly LOG COMMAND...: adds the output to LOG, and shows it only if the command fails or warns.  Under CI all is shown.
quietly()
{
	local log=$1 status=0

	shift
	"$@" >"$log.part" 2>&1 </dev/null || status=$?
	# no warning is taken: what compiles without one here may not elsewhere
	if [ "$status" -eq 0 ] && grep -q 'warning:' "$log.part"; then
		say "There are warnings:" >>"$log.part"
		status=1
	fi
	if [ "$status" -ne 0 ] || [ -n "${CI-}" ]; then
		cat "$log.part"
	fi
	cat "$log.part" >>"$log"
	rm -f "$log.part"
	return "$status"
}

# What the project's own code is held to beyond the flags of PostgreSQL, by make's COPT.
strict="-Wextra -Werror"

# copy_sources DIRECTORY: this checkout, without what was built in it
copy_sources()
{
	mkdir -p "$1"
	(cd "$top" && tar -c --exclude=.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude='*.d' --exclude=work \
		--exclude=.built-for --exclude=sigma-simulator --exclude=sigma-hostile .) | tar -x -C "$1"
}

# Has clean_up of the caller, which ends its processes and removes $work, called also when the caller is killed in a way that
# leaves it no time to.  In a process group of its own, with nothing of ours held open.
guard_work()
{
	set -m
	(
		trap - EXIT
		trap '' HUP INT TERM
		while kill -0 $$ 2>/dev/null; do
			[ -d "$work" ] || exit 0
			sleep 0.5
		done
		[ ! -d "$work" ] || clean_up
	) </dev/null >/dev/null 2>&1 &
	set +m
}

# run_tap_scripts DIRECTORY: its scripts write TAP, which is shown, and kept in $SIGMA_TAP or $SIGMA_WORK/tap to be counted.
run_tap_scripts()
{
	local tap=${SIGMA_TAP:-$SIGMA_WORK/tap} result=0 script name status

	mkdir -p "$tap"
	set -o pipefail
	for script in "$1"/*.sh; do
		name=$(basename "$script" .sh)
		status=0
		timeout --foreground "$time_limit" "$script" | tee "$tap/$name" || status=$?
		if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$tap/$name"; then
			echo "not ok - $name.sh ended with status $status" >>"$tap/$name"
		fi
		[ "$status" -eq 0 ] || result=1
	done
	return "$result"
}

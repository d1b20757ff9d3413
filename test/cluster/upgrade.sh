#!/bin/bash
# From the oldest script to the newest, step by step, while tables, views and sessions are in use: what was made with the oldest
# works at each step, a session that loaded the old library goes on with it, and in the end the catalog has what CREATE EXTENSION
# makes.  Writes TAP.
#
# Before the oldest version there is, one is made up for this: it lacks a function, and so does its library.  So there are two
# versions and two libraries even when there has been only one release.  Libraries are replaced as packages do it, by a new file.
set -u

. "$(dirname "$0")/../harness/tap.sh"

pgtap=$(cd "$(dirname "$0")/../pgtap" && pwd)
sharedir=$("$PG_CONFIG" --sharedir)/extension
library=${SIGMA_EXTENSION_DIR%"$sharedir"}$("$PG_CONFIG" --pkglibdir)/sigma_fdw.so
work=$(mktemp -d)
trap 'mv "$work/library" "$library" 2>/dev/null; rm -rf "$work" "$SIGMA_EXTENSION_DIR"/sigma_fdw--0.0*.sql' EXIT

versions=$(cd "$SIGMA_EXTENSION_DIR" && ls sigma_fdw--*.sql | sed 's/^sigma_fdw--//; s/.*--//; s/[.]sql$//' | sort -uV)
oldest=$(head -n 1 <<<"$versions")
newest=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$SIGMA_EXTENSION_DIR/sigma_fdw.control")

# each statement is a paragraph of the script
split()
{
	awk -v RS= -v ORS='\n\n' -v wanted="$1" '(/FUNCTION @extschema@[.]sigma_inode_id\(/) == wanted' "$SIGMA_EXTENSION_DIR/sigma_fdw--$oldest.sql"
}
split 0 >"$SIGMA_EXTENSION_DIR/sigma_fdw--0.0.sql"
split 1 >"$SIGMA_EXTENSION_DIR/sigma_fdw--0.0--$oldest.sql"
cp -p "$library" "$work/library"
# of the same length, so that all else stays where it is; and a new file, since sessions have the other one in their memory
LC_ALL=C sed 's/pg_finfo_sigma_inode_id/pg_finfo_sigma_inode_xx/g' "$work/library" >"$library.new"
chmod 755 "$library.new"
mv "$library.new" "$library"

# here DATABASE STATEMENT: in a new session
here()
{
	psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$1" -c "$2" 2>&1
}

createdb upgrade
createdb fresh
here fresh 'CREATE EXTENSION sigma_fdw' >"$work/out"
has "$work/out" 42883 'a library that is older than the script is refused when the script is run'
psql -XqAt -v ON_ERROR_STOP=1 -v url="$SIGMA_SIMULATOR_URL" -d upgrade <<'SQL' || exit 1
CREATE EXTENSION sigma_fdw VERSION '0.0';
CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma LIMIT TO (connections, members) FROM SERVER sim INTO sigma;
CREATE VIEW mine AS SELECT connection_id, name, (sigma_whoami('sim')).user_id FROM sigma.connections WHERE NOT is_sample;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM mine;
CREATE ROLE sigma_upgraded;
GRANT USAGE ON FOREIGN SERVER sim TO sigma_upgraded;
GRANT EXECUTE ON FUNCTION sigma_whoami(text) TO sigma_upgraded;
SQL
seen=$(here upgrade 'SELECT count(*) FROM mine')

# a session that stays: its library is the old one from the first query to the end
coproc psql -XqAt -v VERBOSITY=sqlstate -d upgrade 2>&1
exec 7<&"${COPROC[0]}" 8>&"${COPROC[1]}"
there()
{
	local line lines=

	printf '%s\n\\echo done\n' "$1" >&8
	while read -r -t 60 line <&7 && [ "$line" != "done" ]; do
		lines+=${lines:+ }$line
	done
	echo "$lines"
}

# in_use DESCRIPTION: what was made with the oldest version works, in a session that is new and in the one that stays
in_use()
{
	is "$(here upgrade 'SELECT count(*) FROM mine')" "$seen" "$1: views and tables work"
	is "$(here upgrade "REFRESH MATERIALIZED VIEW kept; SELECT has_function_privilege('sigma_upgraded', 'sigma_whoami(text)', 'EXECUTE')")" t \
		'... and materialized views; privileges are kept'
	is "$(here upgrade "BEGIN; INSERT INTO sigma.connections (name, details)
		VALUES ('upgraded', '{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\"}') RETURNING name; ROLLBACK")" upgraded '... and writes'
	is "$(there 'EXECUTE p;')" "$seen" '... and what a session has prepared with the old library'
}

is "$(there "PREPARE p AS SELECT count(*) FROM mine; EXECUTE p;")" "$seen" 'a session has loaded the old library'
is "$(there "BEGIN; DECLARE c CURSOR FOR SELECT name FROM sigma.connections; MOVE c; COMMIT;")" '' '... and is used'
cp -p "$work/library" "$library.new"
mv "$library.new" "$library"
in_use 'a new library with the oldest script'

step=0.0
for version in $versions; do
	there 'BEGIN; DECLARE c CURSOR FOR SELECT name FROM sigma.connections WHERE NOT is_sample; MOVE c;' >/dev/null
	is "$(here upgrade "ALTER EXTENSION sigma_fdw UPDATE TO '$version'; SELECT extversion FROM pg_extension WHERE extname = 'sigma_fdw'")" \
		"$version" "from $step to $version, while a session reads"
	is "$(there 'MOVE FORWARD ALL IN c; COMMIT; SELECT count(*) FROM mine;')" "$seen" '... which goes on'
	in_use "at $version"
	step=$version
done
is "$step" "$newest" 'the last step is the version of the control file'
is "$(here upgrade "SELECT sigma_inode_id('ffffffff-ffff-ffff-ffff-ffffffffffff')")" ffffffff-ffff-ffff-ffff-ffffffffffff 'a new session has the new function'
there "SELECT sigma_inode_id('ffffffff-ffff-ffff-ffff-ffffffffffff');" >"$work/out"
has "$work/out" '^ERROR:  42883$' '... and the one with the old library is told that it has none'
is "$(there 'EXECUTE p;')" "$seen" '... and goes on'
printf "%s\n" "\\q" >&8
wait

here fresh 'CREATE EXTENSION sigma_fdw'
for database in upgrade fresh; do
	psql -XqAt -v ON_ERROR_STOP=1 -d $database -f "$pgtap/lib/objects.sql"
	here $database 'SELECT o FROM objects() o ORDER BY o' >"$work/$database"
done
ok 'there are objects to compare' test "$(here upgrade 'SELECT count(*) > 15 FROM objects()')" = t
# but for the privilege that was granted above, and what PostgreSQL then keeps beside it
here upgrade 'REVOKE EXECUTE ON FUNCTION sigma_whoami(text) FROM sigma_upgraded; DROP OWNED BY sigma_upgraded; DROP ROLE sigma_upgraded'
here upgrade 'SELECT o FROM objects() o ORDER BY o' >"$work/upgrade"
ok 'the catalog is as after CREATE EXTENSION' diff "$work/upgrade" "$work/fresh"

finish_tests

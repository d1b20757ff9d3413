#!/bin/bash
# What another cluster makes of our tables by postgres_fdw: it reads, inserts, and changes what it can name by conditions; what
# it would name by ctid, which our rows do not have, is refused.  Writes TAP.
set -u

. "$(dirname "$0")/../harness/tap.sh"

# as root, the server is run by another user
[ "$(id -u)" -ne 0 ] && as_server=() || as_server=(runuser -u postgres --)
bindir=$(dirname "$(command -v initdb)")
work=$("${as_server[@]}" mktemp -d)
trap '"${as_server[@]}" "$bindir/pg_ctl" -D "$work/second" -m immediate -s stop >/dev/null 2>&1; "${as_server[@]}" rm -rf "$work"' EXIT

here()
{
	psql -XqAt -v ON_ERROR_STOP=1 -d cluster -c "$1"
}

there()
{
	psql -XqAt -p 5434 -d postgres -v VERBOSITY=verbose -c "$1" 2>&1
}

# how many requests of a method there were to connections, since the last call of forget
sent()
{
	curl -sS "$SIGMA_SIMULATOR_URL/_sim/log?method=$1&path_prefix=/v2/connections&count=1" | tr -dc 0-9
}

forget()
{
	curl -sS -o /dev/null -X DELETE "$SIGMA_SIMULATOR_URL/_sim/log"
}

# what is in Sigma, as the first cluster sees it
names()
{
	here "SELECT string_agg(name, ',' ORDER BY name COLLATE \"C\") FROM sigma.connections WHERE name LIKE 'pgfdw%'"
}

# refused STATEMENT DESCRIPTION: nothing is changed, and the one who asked is told why
refused()
{
	forget
	there "$1" >"$work/told"
	has "$work/told" 'ERROR:  0A000: .*"ctid" of foreign table "[a-z_]+"' "$2 is refused"
	has "$work/told" 'HINT:  .*postgres_fdw' '... with a hint'
	is "$(sent DELETE) $(sent PATCH) $(sent PUT) $(sent GET)" '0 0 0 0' '... before any request'
}

createdb cluster
psql -XqAt -v ON_ERROR_STOP=1 -v url="$SIGMA_SIMULATOR_URL" -d cluster <<'SQL'
CREATE EXTENSION sigma_fdw;
CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma LIMIT TO (connections, connection_grants) FROM SERVER sim INTO sigma;
INSERT INTO sigma.connections (name, details) SELECT 'pgfdw ' || i, '{"type": "postgres", "host": "h", "database": "d"}' FROM generate_series(1, 5) i;
CREATE TABLE sigma.doomed AS SELECT 'pgfdw 3' AS name;
CREATE TABLE sigma.parted (connection_id text, name text) PARTITION BY LIST (name);
CREATE TABLE sigma.parted_here PARTITION OF sigma.parted FOR VALUES IN ('here');
CREATE FOREIGN TABLE sigma.parted_sigma PARTITION OF sigma.parted DEFAULT SERVER sim OPTIONS (resource 'connections');
SQL
(cd / && "${as_server[@]}" "$bindir/initdb" -D "$work/second" -U postgres -A trust --encoding=UTF8 --no-locale --no-sync >/dev/null &&
	"${as_server[@]}" "$bindir/pg_ctl" -D "$work/second" -l "$work/log" -s -w \
		-o "-p 5434 -c unix_socket_directories='$PGHOST' -c listen_addresses= -c fsync=off" start) </dev/null || {
	echo "Bail out! there is no second cluster"
	exit 1
}
psql -XqAt -p 5434 -d postgres -v ON_ERROR_STOP=1 -v host="$PGHOST" -v port="$PGPORT" <<'SQL' || exit 1
CREATE EXTENSION postgres_fdw;
CREATE SERVER first FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host :'host', port :'port', dbname 'cluster');
CREATE USER MAPPING FOR CURRENT_USER SERVER first OPTIONS (user 'postgres');
CREATE SCHEMA r;
IMPORT FOREIGN SCHEMA sigma FROM SERVER first INTO r;
CREATE TABLE todo (name text);
INSERT INTO todo VALUES ('pgfdw 1');
SQL

# ------------------------------------------------------- what goes on working
is "$(there "SELECT count(*) FROM r.connections WHERE name LIKE 'pgfdw%'")" 5 'another cluster reads'
is "$(there "SELECT c.name FROM r.connections c JOIN todo USING (name)")" 'pgfdw 1' 'and joins'
is "$(there "SELECT c.name FROM r.connections c WHERE name = 'pgfdw 1' FOR UPDATE")" 'pgfdw 1' 'and locks, as far as that goes'
is "$(there "SELECT c IS NOT NULL FROM r.connections c WHERE name = 'pgfdw 1'")" 'f' 'and reads whole rows'
is "$(there "INSERT INTO r.connections (name, details) VALUES ('pgfdw 6', '{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\"}') RETURNING type")" postgres 'and inserts'
is "$(there "UPDATE r.connections SET name = 'pgfdw 2 new' WHERE name = 'pgfdw 2' RETURNING name")" 'pgfdw 2 new' 'an UPDATE that postgres_fdw ships whole is carried out'
is "$(there "DELETE FROM r.connections WHERE name = 'pgfdw 6' RETURNING name")" 'pgfdw 6' 'so is a DELETE'
is "$(there "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_nestloop = off; DELETE FROM r.connections c USING r.doomed d WHERE c.name = d.name RETURNING c.name")" 'pgfdw 3' 'and one with a join that is shipped, too'
is "$(names)" 'pgfdw 1,pgfdw 2 new,pgfdw 4,pgfdw 5' 'and no more than that'

# ------------------------------------------------- what would hit other rows
refused "DELETE FROM r.connections c USING todo WHERE c.name = todo.name" 'a DELETE whose join is not shipped'
refused "UPDATE r.connections c SET name = 'pgfdw hit' FROM todo WHERE c.name = todo.name" 'an UPDATE whose join is not shipped'
refused "DELETE FROM r.connections WHERE name LIKE 'pgfdw%' AND random() < 2" 'a DELETE whose condition is not shipped'
refused "DELETE FROM r.connection_grants g USING todo WHERE g.permission = todo.name" 'a DELETE of grants'
refused "DELETE FROM r.parted c USING todo WHERE c.name = todo.name" 'a DELETE from a partitioned table with a partition of ours'
refused "SELECT name, ctid FROM r.connections" 'reading ctid'
there "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; CREATE TRIGGER t AFTER DELETE ON r.connections FOR EACH ROW EXECUTE FUNCTION nothing()"
refused "DELETE FROM r.connections WHERE name = 'pgfdw 1'" 'a DELETE with a trigger there'
is "$(names)" 'pgfdw 1,pgfdw 2 new,pgfdw 4,pgfdw 5' 'all connections are as they were'

finish_tests

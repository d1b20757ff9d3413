#!/bin/bash
# On a standby, Sigma can be read and not be written to.  Writes TAP.
set -u

. "$(dirname "$0")/../harness/tap.sh"

# as root, the server is run by another user
[ "$(id -u)" -ne 0 ] && as_server=() || as_server=(runuser -u postgres --)
bindir=$(dirname "$(command -v initdb)")
work=$("${as_server[@]}" mktemp -d)
trap '"${as_server[@]}" "$bindir/pg_ctl" -D "$work/standby" -m immediate -s stop >/dev/null 2>&1; "${as_server[@]}" rm -rf "$work"' EXIT

there()
{
	psql -XqAt -p 5433 -v VERBOSITY=verbose -c "$1" 2>&1
}

requests()
{
	curl -sS "$SIGMA_SIMULATOR_URL/_sim/log?count=1"
}

psql -XqAt -v ON_ERROR_STOP=1 -v url="$SIGMA_SIMULATOR_URL" <<'SQL'
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS sigma_fdw CASCADE;
DROP SCHEMA IF EXISTS sigma CASCADE;
CREATE EXTENSION sigma_fdw;
CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma LIMIT TO (connections, connection_grants) FROM SERVER sim INTO sigma;
SQL
(cd / && "${as_server[@]}" "$bindir/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U "$PGUSER" -D "$work/standby" -R -X stream -c fast &&
	"${as_server[@]}" "$bindir/pg_ctl" -D "$work/standby" -l "$work/log" -o '-p 5433' -s -w start) || {
	echo "Bail out! there is no standby"
	exit 1
}

is "$(there 'SELECT pg_is_in_recovery()')" t 'this is a standby'
is "$(there 'SELECT count(name) > 5 FROM sigma.connections')" t 'which reads'
is "$(there "SELECT user_id IS NOT NULL FROM sigma_whoami('sim')")" t 'and calls functions that read'
is "$(there "SELECT count(*) FROM sigma_plan('sim', 'SELECT ''x'' AS name, ''postgres'' AS type') WHERE action = 'create'")" 1 'even plans'
is "$(there "SELECT count(name) > 5 FROM sigma.connections; SELECT rows > 5 AND requests > 0 FROM sigma_stat_resources WHERE resource = 'connections'")" $'t\nt' \
	'what it reads is counted'
is "$(there 'SELECT sigma_stat_reset() IS NULL; SELECT count(*) FROM sigma_stat_servers')" $'f\n0' 'and that can be reset'
before=$(requests)
pg='{"type": "postgres", "host": "h", "database": "d"}'
for statement in \
	"INSERT INTO sigma.connections (name, details) VALUES ('x', '$pg')" \
	"UPDATE sigma.connections SET name = 'x'" \
	"DELETE FROM sigma.connections" \
	"INSERT INTO sigma.connection_grants (connection_id, permission, team_id) VALUES ('a', 'usage', 'b')" \
	"DELETE FROM sigma.connection_grants" \
	"SELECT sigma_create_connection('sim', 'x', '$pg')" \
	"SELECT sigma_restore_connection('sim', 'x', 'x', '$pg')" \
	"SELECT * FROM sigma_apply('sim', 'SELECT ''x'' AS name, ''postgres'' AS type')" \
	"SELECT sigma_sync_connection('sim', 'x')" \
	"SELECT sigma_grant_connection('sim', 'x', 'usage', 'm')" \
	"SELECT sigma_revoke_connection('sim', 'x', 'usage', 'm')" \
	"SELECT sigma_request('sim', 'DELETE', '/v2/connections/x')"; do
	ok "25006: ${statement%% (*}" grep -q 'ERROR:  25006' <<<"$(there "$statement")"
done
is "$(requests)" "$before" 'before any request'

finish_tests

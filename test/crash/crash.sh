#!/bin/bash
# A process is killed (SIGKILL) in the middle of a transaction that writes: what is there then, on both sides, and who tells
# of it?  Writes TAP.  Runs in a cluster of its own, since the server restarts when a backend is killed.
set -u

. "$(dirname "$0")/../harness/tap.sh"

work=$(mktemp -d)
simulators=()
trap 'for p in "${simulators[@]}"; do kill -KILL "$p" 2>/dev/null; done; rm -rf "$work"' EXIT

sql()
{
	psql -XqAt -v ON_ERROR_STOP=1 -c "$1"
}

# start_simulator: sets url, pid and requests, the file of its requests
start_simulator()
{
	local port

	requests=$work/requests.${#simulators[@]}
	rm -f "$work/port"
	"$SIGMA_SIMULATOR" --port-file "$work/port" --log "$requests" >/dev/null 2>&1 &
	pid=$!
	# the shell need not tell that it was killed
	disown "$pid"
	simulators+=("$pid")
	wait_for test -s "$work/port"
	port=$(cat "$work/port")
	url=http://127.0.0.1:$port
	sql "ALTER SERVER sim OPTIONS (SET base_url '$url')"
}

fault()
{
	curl -sS --fail -o /dev/null -d "$1" "$url/_sim/fault"
}

wait_for()
{
	local i

	for ((i = 0; i < 1000; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}

# how many requests to connections of a method there were, with that status
sent()
{
	grep -c "\"method\":\"$1\",\"path\":\"/v2/connections[^}]*\"status\":$2" "$requests"
}

sent_at_least()
{
	[ "$(sent "$1" "$2")" -ge "$3" ]
}

# psql in the background: what is written to fd 9 is its input
open_session()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	psql -XqAt <"$work/in" >"$work/out" 2>&1 &
	session=$!
	exec 9>"$work/in"
	echo 'SELECT pg_backend_pid();' >&9
	wait_for grep -qE '^[0-9]+$' "$work/out"
	backend=$(grep -E '^[0-9]+$' "$work/out")
	echo '\echo ready' >&9
}

told()
{
	grep -q "$1" "$work/out"
}

close_session()
{
	exec 9>&-
	wait "$session" 2>/dev/null
}

# by the server's user, which is another one if root runs this
kill_backend()
{
	kill -KILL "$backend"
	close_session
	# the server ends all other backends, recovers, and lets new ones in
	sleep 0.2
	wait_for sql 'SELECT 1'
}

names()
{
	sql "SELECT string_agg(name, ',' ORDER BY name COLLATE \"C\") FROM sigma.connections WHERE name LIKE 'crash%'"
}

make()
{
	sql "SELECT count(sigma_create_connection('sim', 'crash ' || i, '{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\"}')) FROM unnest('{$1}'::text[]) i" >/dev/null
}

log_lines()
{
	grep -c "$1" "$SIGMA_SERVER_LOG"
}

sql "CREATE EXTENSION sigma_fdw;
	CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url 'http://127.0.0.1:1', max_concurrency '2');
	CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
	CREATE SCHEMA sigma;
	IMPORT FOREIGN SCHEMA sigma LIMIT TO (connections) FROM SERVER sim INTO sigma;
	CREATE TABLE here (i int)"
pg='{"type": "postgres", "host": "h", "database": "d"}'

# ------------------------------------------- a backend dies before its commit
start_simulator
make 1,2
open_session
echo "BEGIN; INSERT INTO here VALUES (1); INSERT INTO sigma.connections (name, details) VALUES ('crash left', '$pg') RETURNING 'id=' || connection_id;
	UPDATE sigma.connections SET name = 'crash 1 changed' WHERE name = 'crash 1'; DELETE FROM sigma.connections WHERE name = 'crash 2'; \\echo done" >&9
wait_for told '^done'
id=$(sed -n 's/^id=//p' "$work/out")
kill_backend
is "$(sql 'SELECT count(*) FROM here')" 0 'a backend that is killed before its commit leaves nothing here'
is "$(names)" 'crash 1,crash 2,crash left' 'and in Sigma what it has created, once, but no update and no delete'
is "$(sent PATCH 200) $(sent DELETE 200)" '0 0' 'neither of which was sent'
has "$SIGMA_SERVER_LOG" "Sigma write by .*creating connection \"crash left\".*id $id, status 201" 'the log names what is left, with its id'
is "$(sql "SELECT connection_id FROM sigma_find_created('sim', 'crash left', now() - interval '1 hour')")" "$id" 'sigma_find_created() finds it'
is "$(sql "SELECT sigma_create_connection('sim', 'crash left', '$pg', if_not_exists => true) ->> 'connectionId'" 2>/dev/null)" "$id" 'and if_not_exists takes it'

# ---------------------------------------- a backend dies while it commits
start_simulator
make 1,2,3,4
fault '{"method": "DELETE", "path": "/v2/connections/*", "after": 2, "do": "never", "times": -1}'
open_session
echo "BEGIN; INSERT INTO here VALUES (1); DELETE FROM sigma.connections WHERE name LIKE 'crash _'; COMMIT;" >&9
wait_for sent_at_least DELETE 200 2
# its log tells of them before it waits for the others
wait_for test "$(log_lines 'deleting connection "crash')" -ge 2
sleep 0.3
kill_backend
is "$(sql 'SELECT count(*) FROM here')" 0 'a backend that is killed while it commits leaves nothing here'
is "$(sent DELETE 200)" 2 'two of four deletes were done'
is "$(log_lines 'deleting connection "crash .*status 200')" 2 'and are named in the log, each once'
curl -sS --fail -o /dev/null -X DELETE "$url/_sim/fault"
sql "DELETE FROM sigma.connections WHERE name LIKE 'crash _'"
is "$(sent DELETE 200)" 4 'the same statement again deletes the others, and nothing twice'
is "$(names)" '' 'then all are gone'

# ------------------------------------------ Sigma dies during the commit
start_simulator
make 1,2,3,4,5
fault '{"method": "DELETE", "path": "/v2/connections/*", "after": 2, "do": "never", "times": -1}'
open_session
echo "\\set VERBOSITY verbose
	BEGIN; INSERT INTO here VALUES (1); INSERT INTO sigma.connections (name, details) VALUES ('crash made', '$pg');
	DELETE FROM sigma.connections WHERE name LIKE 'crash _'; COMMIT; \\echo over" >&9
wait_for sent_at_least DELETE 200 2
sleep 0.3
kill -KILL "$pid"
wait_for told '^over'
close_session
is "$(sql 'SELECT count(*) FROM here')" 0 'if Sigma goes away during the commit, the transaction fails'
has "$work/out" 'ERROR:  08007: could not delete connection "crash .*outcome unknown' 'with an unknown outcome'
has "$work/out" 'DETAIL:  Deleted in Sigma: "crash [1-5]" \([^)]*\), "crash [1-5]" \([^)]*\)\. Not deleted: "crash [1-5]" \([^)]*\)\. Perhaps deleted: "crash [1-5]" \([^)]*\), "crash [1-5]" \([^)]*\)\.' 'and names what was deleted, what not, and what perhaps'
# a server that is just dying may still take the request for the deletion
has "$work/out" 'WARNING:  01000: connection "crash made" \(.*\) (exists|may exist) in Sigma although its transaction was rolled back' 'what could not be deleted again is named'
is "$(sent DELETE 200)" 2 'no request was sent twice'

# -------------------------------------- Sigma dies in the middle of creates
start_simulator
sql "ALTER FOREIGN TABLE sigma.connections OPTIONS (ADD batch_size '10')"
fault '{"method": "POST", "path": "/v2/connections", "after": 3, "do": "never", "times": -1}'
open_session
echo "\\set VERBOSITY verbose
	INSERT INTO sigma.connections (name, details) SELECT 'crash batch ' || i, '$pg' FROM generate_series(1, 6) i; \\echo over" >&9
wait_for sent_at_least POST 201 3
sleep 0.3
kill -KILL "$pid"
wait_for told '^over'
close_session
# two are on their way at a time, and either of them may arrive first
has "$work/out" 'ERROR:  08007: outcome unknown: creating connection "crash batch [1-5]"' 'if Sigma goes away in the middle of creates, the statement fails'
is "$(grep -cE 'WARNING.*connection "crash batch [1-5]" \(.*\) (exists|may exist) in Sigma' "$work/out")" 3 'what was created is named with its id'
ok 'so is what may have been' grep -qE '^[12]$' <<<"$(grep -c 'WARNING.*connection "crash batch [1-5]" may exist in Sigma' "$work/out")"
is "$(grep -c 'WARNING.*"crash batch 6"' "$work/out")" 0 'but not what was never sent'
is "$(sent POST 201)" 3 'nothing was sent twice'
open_session
echo "SELECT count(*) FROM sigma.connections; \\echo over" >&9
wait_for told '^over'
has "$work/out" 'could not connect' 'the next statement says that Sigma is away'
close_session

finish_tests

#!/bin/bash
# What "make demo" shows: with its simulator, and with an organization of one's own, which a simulator behind TLS plays.  Each time
# it makes a cluster of its own.  Writes TAP.
set -u

. "$(dirname "$0")/../harness/common.sh"
. "$harness/tap.sh"

if [ -n "${SIGMA_SANITIZE-}" ]; then
	echo "1..0 # skip it would all be built once more"
	exit 0
fi
work=$(mktemp -d)
pid=
# the server, which another user may run, must get at the certificate
chmod 755 "$work"
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT

# demo VARIABLE=VALUE...: its output is $work/out then
demo()
{
	(cd "$work" && env "$@" "$top/demo/run") >"$work/out" 2>&1 </dev/null
}

# steps N: they are numbered from 1 to N
steps()
{
	is "$(sed -n 's/^=== \([0-9]*\)\..*/\1/p' "$work/out" | paste -sd' ')" "$(seq -s' ' "$1")" 'the steps are numbered one by one'
}

demo
is $? 0 'the demonstration'
steps 11
has "$work/out" '^NOTICE:  dry run: PATCH ' 'what the server has to say stands for itself'
is "$(grep -cE '^(ERROR|WARNING|psql):' "$work/out")" 0 'nothing goes wrong'

# the picture in README.md; what it shows must be the same in each run
picture()
{
	"$top/demo/svg" <"$1" >"$work/demo.svg" && diff "$top/doc/demo.svg" "$work/demo.svg"
}
ok 'doc/demo.svg shows what the demonstration does (else: make demo SVG=doc/demo.svg)' picture "$work/out"
sed 's/COMPUTE_WH/OTHER_WH/' "$work/out" >"$work/other"
is "$(picture "$work/other" | grep -c '^> .*OTHER_WH')" 2 'and it would be found if it did not'
is "$(grep -A 4 '^=== Now yours' "$work/out" | grep -c '^    ')" 3 'the end are three lines to go on with'

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key.pem" \
	-out "$work/ca.pem" -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
"$SIGMA_SIMULATOR" --port-file "$work/port" --tls-cert "$work/ca.pem" --tls-key "$work/key.pem" --log "$work/requests" \
	--client-id demo-client --client-secret demo-secret >/dev/null 2>&1 </dev/null &
pid=$!
until [ -s "$work/port" ] || ! kill -0 "$pid"; do
	sleep 0.02
done
own=("SIGMA_BASE_URL=https://127.0.0.1:$(cat "$work/port")" SIGMA_CLIENT_ID=demo-client SIGMA_CLIENT_SECRET=demo-secret)

demo "${own[@]}"
has "$work/out" '^ERROR:  .*certificate' 'an organization whose certificate nobody knows'
demo "${own[@]}" SIGMA_CA_FILE=nowhere.pem
has "$work/out" 'SIGMA_CA_FILE is set to nowhere.pem' 'a ca_file that is not there'
demo "${own[@]}" SIGMA_CA_FILE=ca.pem
is $? 0 'one that the ca_file knows'
steps 6
is "$(grep -cE '^(ERROR|WARNING|psql):|demo-secret' "$work/out")" 0 'nothing goes wrong, and no secret is shown'
is "$(grep -v '"path":"/v2/auth/token"' "$work/requests" | grep -cv '"method":"GET"')" 0 'nothing is changed there'
ok 'but much is read' test "$(grep -c '"method":"GET"' "$work/requests")" -gt 5

finish_tests

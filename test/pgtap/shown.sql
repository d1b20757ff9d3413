-- What people are shown of others' text, and of requests: nothing that a
-- terminal would obey, nothing that reads as our own words, and no secret.

\ir lib/simulator.sql
\ir lib/connections.sql
SELECT * FROM no_plan();
\ir lib/log.sql
ALTER SERVER sim OPTIONS (ADD max_retries '0');

-- ------------------------------------------------------- the text of others

-- An escape sequence and a line of its own; the same in C1; text that runs from
-- right to left; another line.  And a name that goes on as our record does.
-- They are in a table, so that the statements themselves are plain.
CREATE TABLE evil (text text, forged text);
INSERT INTO evil VALUES (E'x\x1b[2J\nERROR:  forged\t' || U&'\009B5m\0085\061C\200F\202Eknil\2028ERROR:  forged \2066',
	'x"), id 1, status 201, requestId 2 \ "(y');
CREATE FUNCTION evil() RETURNS text STABLE LANGUAGE sql AS 'SELECT text FROM public.evil';
CREATE FUNCTION forged() RETURNS text STABLE LANGUAGE sql AS 'SELECT forged FROM public.evil';
SELECT U&'[\0001-\0008\000B-\001F\007F-\009F\061C\200E\200F\2028-\202E\2066-\2069]' AS strange,
	E'\x1b|' || U&'\009B|\0085|\061C|\200F|\202E|\2028|\2066|^ERROR:  forged' AS strange_bytes \gset

CREATE FUNCTION entry(id text, name text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('connectionId', id, 'name', name, 'type', 'postgres', 'updatedAt', '2024-01-01T00:00:00Z') || more
$$;
-- these are all connections that there are
CREATE FUNCTION listed(VARIADIC entries jsonb[]) RETURNS void LANGUAGE sql AS $$
	SELECT sim_calm();
	SELECT sim_spoil_list('body', jsonb_build_object('body', jsonb_build_object('entries', to_jsonb(entries), 'total',
		cardinality(entries), 'nextPage', NULL)));
$$;
-- any request to this path is answered so
CREATE FUNCTION answered(path text, status int, body jsonb, method text DEFAULT '*') RETURNS void LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('method', method, 'path', path, 'times', -1, 'do', 'body', 'status', status, 'body', body,
		'headers', '{"Retry-After": "0"}'::jsonb))
$$;
CREATE FUNCTION evil_error() RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('code', evil(), 'message', evil(), 'requestId', evil()) $$;

CREATE TABLE told (n int GENERATED ALWAYS AS IDENTITY, what text, told text);
CREATE FUNCTION tell(what text, script text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO told (what, told) SELECT what, coalesce(psql(E'\\set SHOW_CONTEXT always\nSET log_error_verbosity = verbose;\n' || script), '')
$$;
CREATE FOREIGN TABLE numbers (connection_id text, name int) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE times (connection_id text, name timestamptz, attrs jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE tolerant (connection_id text, permission text, _error jsonb) SERVER sim OPTIONS (resource 'connection_grants', on_error 'row');
SELECT log_size() AS start \gset

SELECT listed(entry(evil(), evil())) \g /dev/null
SELECT tell('a DELETE that fails', 'DELETE FROM sim.connections;') \g /dev/null
SELECT tell('an UPDATE that fails', $$UPDATE sim.connections SET name = 'n';$$) \g /dev/null
SELECT tell('a DELETE in a dry run', 'SET sigma_fdw.dry_run = on; DELETE FROM sim.connections;') \g /dev/null
SELECT tell('an UPDATE in a dry run', $$SET sigma_fdw.dry_run = on; UPDATE sim.connections SET name = name || 'n';$$) \g /dev/null
SELECT answered('/v2/connections/*', 200, entry(evil(), evil(), jsonb_build_object('updatedAt', evil()))) \g /dev/null
SELECT tell('an UPDATE that comes too late', $$UPDATE sim.connections SET name = 'n';$$) \g /dev/null
SELECT tell('a restore of what is not archived', $$SELECT sigma_restore_connection('sim', evil(), 'n', pg());$$) \g /dev/null
SELECT answered('/v2/connections/*', 200, entry('another' || evil(), evil())) \g /dev/null
SELECT tell('another entry', $$SELECT * FROM sim.connections WHERE connection_id = evil();$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT tell('a restore of what is not there', $$SELECT sigma_restore_connection('sim', evil(), 'n', pg());$$) \g /dev/null
SELECT tell('no possible id', $$SELECT sigma_test_connection('sim', '');$$) \g /dev/null
SELECT listed(entry(evil(), evil()), entry(evil() || '2', evil())) \g /dev/null
SELECT tell('sigma_plan() of a name that is there twice', $$SELECT * FROM sigma_plan('sim', 'SELECT evil() AS name, pg() AS details');$$) \g /dev/null
SELECT tell('sigma_plan() of a name that is wanted twice',
	$$SELECT * FROM sigma_plan('sim', 'SELECT evil() AS name, pg() AS details FROM generate_series(1, 2)');$$) \g /dev/null
SELECT listed(entry('c-1', evil())) \g /dev/null
SELECT tell('sigma_plan() without details', $$SELECT action FROM sigma_plan('sim', 'SELECT evil() AS name, ''mysql'' AS type');$$) \g /dev/null
SELECT listed(entry(evil(), evil())) \g /dev/null
SELECT tell('if_not_exists', $$SELECT 40 + 2 FROM sigma_create_connection('sim', evil(), pg(), if_not_exists => true);$$) \g /dev/null
SELECT tell('a create in a dry run', $$SET sigma_fdw.dry_run = on; INSERT INTO sim.connections (name, details) SELECT evil(), pg();$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT tell('a create that is rolled back', $$BEGIN; INSERT INTO sim.connections (name, details) SELECT evil(), pg(); ROLLBACK;$$) \g /dev/null
SELECT answered('/v2/connections', 201, entry(replace('i d', ' ', '"') || '\', evil()), 'POST') \g /dev/null
SELECT answered('/v2/connections/*', 500, evil_error(), 'DELETE') \g /dev/null
SELECT tell('one that cannot be undone', $$BEGIN; INSERT INTO sim.connections (name, details) SELECT evil(), pg(); ROLLBACK;$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/connections', 500, evil_error(), 'POST') \g /dev/null
SELECT tell('a create whose outcome is unknown', $$INSERT INTO sim.connections (name, details) SELECT evil(), pg();$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT tell('a grant that fails', $$SELECT sigma_grant_connection('sim', evil(), evil(), member_id => evil());$$) \g /dev/null
SELECT answered('/v2/connections/*', 500, evil_error(), 'POST') \g /dev/null
SELECT tell('one of unknown outcome',
	$$SELECT sigma_grant_connection('sim', evil(), evil(), team_id => evil()); BEGIN; SELECT sigma_sync_connection('sim', evil(), ARRAY[evil()]); ROLLBACK;$$)
	\g /dev/null
SELECT sim_calm() \g /dev/null
SELECT connection_id AS id FROM sim.connections WHERE name = 'MySQL Shop' \gset
SELECT answered('/v2/connections/' || :'id' || '/grants', 200,
	jsonb_build_object('entries', jsonb_build_array(jsonb_build_object('grantId', evil(), 'permission', evil(), 'teamId', 't')),
	'nextPage', NULL), 'GET') \g /dev/null
SELECT tell('a revocation that fails',
	format($$SELECT sigma_revoke_connection('sim', %L, team_id => 't'); DELETE FROM sim.connection_grants WHERE connection_id = %L;$$,
	:'id', :'id')) \g /dev/null
SELECT tell('a revocation in a dry run',
	format($$SET sigma_fdw.dry_run = on; DELETE FROM sim.connection_grants WHERE connection_id = %L;$$, :'id')) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/whoami', 200, jsonb_build_object('userId', evil(), 'organizationId', evil())) \g /dev/null
SELECT tell('sigma_check()', $$SELECT detail FROM sigma_check('sim') WHERE step = 'identity';$$) \g /dev/null
SELECT answered('/v2/whoami', 403, evil_error()) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/*', 403, evil_error()) \g /dev/null
SELECT tell('sigma_check() of what fails', $$SELECT detail, hint FROM sigma_check('sim');$$) \g /dev/null
SELECT tell('errors that Sigma sends',
	$$SELECT * FROM sim.connections; SELECT * FROM sigma_whoami('sim'); SELECT sigma_request('sim', 'POST', '/v2/x');$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/connections/*', 403, evil_error()) \g /dev/null
SELECT tell('errors as rows', $$SELECT _error ->> 'message', _error ->> 'detail' FROM tolerant;$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/whoami', 400, to_jsonb(evil())) \g /dev/null
SELECT tell('a reply that is no error object', $$SELECT * FROM sigma_whoami('sim');$$) \g /dev/null
SELECT listed(evil_error()) \g /dev/null
SELECT tell('an error among the entries', $$SELECT * FROM sim.connections;$$) \g /dev/null
SELECT listed(entry(evil(), evil())) \g /dev/null
SELECT tell('values that do not fit', $$SELECT * FROM numbers; SELECT name FROM times;$$) \g /dev/null
-- PostgreSQL quotes the JSON text, in which this may stand as it is
SELECT listed(entry('c-1', 'n')) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', jsonb_build_object('raw_entry',
	jsonb_build_object('index', 0, 'text', U&'{"connectionId": "c-1", "name": "\202E\009B5m \\u0000 \202E"}'))) \g /dev/null
SELECT tell('JSON that does not fit', $$SELECT attrs FROM times; SELECT sigma_request('sim', 'GET', '/v2/connections');$$) \g /dev/null
SELECT listed(entry('c-1', evil(), jsonb_build_object('createdAt', evil()))) \g /dev/null
SELECT tell('a time that is none', $$SELECT * FROM sigma_find_created('sim', evil());$$) \g /dev/null
SELECT tell('EXPLAIN', $$EXPLAIN (VERBOSE, COSTS off) SELECT name FROM sim.connections WHERE connection_id = (SELECT evil());$$) \g /dev/null

SELECT alike(told, '%forged%', 'there was something to tell: ' || what) FROM told WHERE what !~ 'EXPLAIN|JSON|no possible id|rolled back' ORDER BY n;
SELECT is((regexp_match(told, '.*' || :'strange' || '.*'))[1], NULL, 'nothing of it acts on a terminal: ' || what) FROM told ORDER BY n;
SELECT unalike(told, E'%\nERROR:  forged%', 'or looks like a line of its own: ' || what) FROM told ORDER BY n;
SELECT is(log_has(:'start', :'strange_bytes'), NULL, 'nor in the log');

-- each name and id is in quotes that it cannot leave
CREATE FUNCTION unquoted(told text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT regexp_replace(told, '"(\\.|[^"\\])*"', '""', 'g') $$;
TRUNCATE told;
SELECT log_size() AS start \gset
SELECT sim_calm() \g /dev/null
SELECT tell('a create', $$BEGIN; INSERT INTO sim.connections (name, details) SELECT forged(), pg(); ROLLBACK;$$) \g /dev/null
SELECT answered('/v2/connections*', 500, jsonb_build_object('code', 'x, status 201', 'message', 'm', 'requestId', '1, status 201')) \g /dev/null
SELECT tell('a create that fails', $$INSERT INTO sim.connections (name, details) SELECT forged(), pg();$$) \g /dev/null
SELECT tell('a grant that fails', $$SELECT sigma_grant_connection('sim', forged(), forged(), member_id => forged());$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT listed(entry(forged(), forged())) \g /dev/null
SELECT answered('/v2/connections/*', 500, jsonb_build_object('code', 'x', 'message', 'm')) \g /dev/null
SELECT tell('a DELETE that fails', 'DELETE FROM sim.connections;') \g /dev/null
SELECT unalike(unquoted(told), '%status 201%', 'no name reads as success: ' || what) FROM told ORDER BY n;
\if :readable
SELECT sim_shell(format('tail -c +%s %s | grep -a "Sigma write by"', :'start'::bigint + 1, sim_quote(:'log'))) AS lines \gset
SELECT is((SELECT array_agg(substring(unquoted(line) FROM '(\w+) /v2.* status (\d+)') || ' ' || substring(unquoted(line)
	FROM 'status (\d+)') ORDER BY n) FROM regexp_split_to_table(:'lines', E'\n') WITH ORDINALITY l (line, n)),
	'{"POST 201","DELETE 200","POST 500","POST 500","DELETE 500"}', 'nor does a line of the record');
SELECT alike(:'lines'::text, '%POST /v2/connections (creating connection "x\\"), id 1, status 201, requestId 2 \\\\ \\"(y"), '
	'status 500, outcome unknown, requestId %', 'whose name is quoted');
SELECT is((SELECT count(*)::int FROM regexp_matches(unquoted(:'lines'), ', status ', 'g')), 5, 'each has one status');
\endif
SELECT sim_calm() \g /dev/null
CREATE TABLE plain (name text);
INSERT INTO plain VALUES ('Ünïcode 日本 👩‍💻 ''quoted'''), (repeat('x', 300));
SELECT alike(psql($$SET sigma_fdw.dry_run = on; INSERT INTO sim.connections (name, details) SELECT name, pg() FROM plain;$$),
	'%Not sent: creating connection "Ünïcode 日本 👩‍💻 ''quoted''".%' || repeat('x', 200) || '...".%',
	'a name that is none of that is shown as it is, unless it is long');

-- ------------------------------------------------------- the text of a request

SELECT sim_calm() \g /dev/null
TRUNCATE told;
CREATE TABLE query (query jsonb);
INSERT INTO query VALUES ('{"client_secret": "hush", "a": "shown", "api_key": "hu\u00e9sh/+", "accessToken": ["hush", "hush2"], '
	'"dsn": "hush", "userPat": "hush", "pin_code": 48151623, "PAT": "hush", "connectionString": "hush", "passcode": "hush", '
	'"pattern": "shown", "spinner": "shown", "mapping": "shown"}');
SELECT log_size() AS start \gset
SELECT tell('not found', $$SELECT sigma_request('sim', 'GET', '/v2/nonsense', query) FROM query;$$) \g /dev/null
SELECT tell('one that is written out', $$SELECT sigma_request('sim', 'GET', '/v2/nonsense', '{"client_secret": "hush", "a": "shown"}');$$) \g /dev/null
SELECT tell('a write that fails', $$SELECT sigma_request('sim', 'POST', '/v2/nonsense', query) FROM query;$$) \g /dev/null
SELECT tell('a dry run', $$SET sigma_fdw.dry_run = on; SELECT sigma_request('sim', 'POST', '/v2/nonsense', query) FROM query;$$) \g /dev/null
SELECT answered('/v2/nonsense', 500, '{"code": "x", "message": "m"}') \g /dev/null
SELECT tell('an unknown outcome', $$BEGIN; SELECT sigma_request('sim', 'POST', '/v2/nonsense', query) FROM query; ROLLBACK;$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/nonsense', 200, '{}') \g /dev/null
SELECT tell('one that is rolled back', $$BEGIN; SELECT sigma_request('sim', 'POST', '/v2/nonsense', query) FROM query; ROLLBACK;$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/nonsense", "times": -1, "do": "body", "body": "{", "content_type": "application/json"}') \g /dev/null
SELECT tell('a reply that is none', $$SELECT sigma_request('sim', 'GET', '/v2/nonsense', query) FROM query;$$) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT answered('/v2/nonsense', 400, '{"code": "x", "message": "neither hush nor hu\u00e9sh/+, that is hu%C3%A9sh%2F%2B, nor 48151623"}') \g /dev/null
SELECT tell('a reply that repeats it', $$SELECT sigma_request('sim', 'GET', '/v2/nonsense', query) FROM query;$$) \g /dev/null
SELECT unalike(told, '%hu%sh%', 'no secret of a query: ' || what) FROM told ORDER BY n;
SELECT unalike(told, '%48151623%', 'nor a number: ' || what) FROM told ORDER BY n;
SELECT alike(told, '%/v2/nonsense?%a=shown%', 'though it is named: ' || what) FROM told ORDER BY n;
SELECT alike(told, '%mapping=shown%pattern=shown%spinner=shown%', 'and what only sounds a little like one: ' || what) FROM told
	WHERE what <> 'one that is written out' ORDER BY n;
SELECT is(log_has(:'start', 'hush|hu%C3%A9sh|48151623'), NULL, 'nor in the log');

-- ----------------------------------------------- what an operator can follow

SELECT sim_calm() \g /dev/null
ALTER SERVER sim OPTIONS (SET max_retries '1');
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "times": 1, "do": "status", "status": 503}') \g /dev/null
CREATE TEMP TABLE followed AS SELECT psql($$SET client_min_messages = debug2; SELECT count(name) FROM sim.connections;
	INSERT INTO sim.connections (name, details) SELECT 'followed', pg();$$) AS told;
SELECT matches(told, 'DEBUG:  00000: ' || line, 'DEBUG: ' || line) FROM followed, unnest(ARRAY[
	'signing in to server "sim", try 1', 'signing in to server "sim": status 200, over a new connection',
	 'signed in to server "sim", to renew the token in \d+ s',
	'GET /v2/connections\?limit=\d+: sent to server "sim"',
	'GET /v2/connections\?limit=\d+: status 503 and \d+ bytes after \d+ ms',
	'GET /v2/connections\?limit=\d+: try 1 failed, the next is in \d+ ms',
	'list of connections: page 1 with \d+ entries, of a total of \d+',
	'POST /v2/connections: sent to server "sim"', 'POST /v2/connections: status 201 and \d+ bytes after \d+ ms']) line;
SELECT unalike(told, '%Bearer%', 'not with what is secret') FROM followed;

SELECT * FROM finish();

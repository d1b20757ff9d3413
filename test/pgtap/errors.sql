-- Failures: each with its SQLSTATE, what was asked and answered in DETAIL, and
-- in HINT what to do.

\ir lib/simulator.sql
SELECT * FROM no_plan();

ALTER SERVER sim OPTIONS (ADD max_retries '0');
\set list '''SELECT * FROM sim.connections'''
SELECT connection_id AS id FROM sim.connections WHERE name = 'MySQL Shop' \gset
-- a list that is said to be long: a short one is rather read whole
CREATE FOREIGN TABLE long (connection_id text, name text) SERVER sim OPTIONS (resource 'connections', rows '100000');
SELECT format('SELECT * FROM long WHERE connection_id = %L', :'id') AS item \gset

-- ----------------------------------------------------------------- statuses

CREATE TABLE cases (status int, state text, message text, hint text);
INSERT INTO cases VALUES
	(400, '22023', 'request refused by Sigma: The simulator was told to fail', NULL),
	(402, 'HV000', 'unexpected HTTP status 402: The simulator was told to fail', NULL),
	(403, '42501', 'permission denied by Sigma: The simulator was told to fail', 'The Sigma member%'),
	(404, 'P0002', 'not found in Sigma: The simulator was told to fail', 'Check the id or the path; %'),
	(409, '23505', 'conflict in Sigma: The simulator was told to fail', NULL),
	(422, '22023', 'request refused by Sigma: The simulator was told to fail', NULL),
	(429, '53400', 'request limit of Sigma reached: The simulator was told to fail', 'Try again later, or raise the server option "max_retries".%'),
	(500, '58000', 'server error in Sigma: The simulator was told to fail', 'Try again later; %requestId%'),
	(501, '58000', 'server error in Sigma: The simulator was told to fail', 'Try again later; %requestId%'),
	(502, '58000', 'server error in Sigma: The simulator was told to fail', 'Try again later; %requestId%'),
	(503, '58000', 'server error in Sigma: The simulator was told to fail', 'Try again later; %requestId%'),
	(504, '58000', 'server error in Sigma: The simulator was told to fail', 'Try again later; %requestId%');

-- a statement's failure while every request gets a status
CREATE FUNCTION with_status(status int, statement text, html boolean DEFAULT false) RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_call('DELETE', 'fault');
	PERFORM sim_fault(jsonb_build_object('path', '/v2/connections*', 'times', -1, 'do', 'status', 'status', status, 'html', html));
	PERFORM sim_fault(jsonb_build_object('path', '/v2/whoami', 'times', -1, 'do', 'status', 'status', status, 'html', html));
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN c;
END $$;

CREATE FUNCTION tells(c caught, state text, message text, detail text, hint text, description text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN c.state = state AND c.message LIKE message AND c.detail LIKE detail
		AND (hint IS NULL AND c.hint = '' OR c.hint LIKE hint) THEN ok(true, description)
		ELSE ok(false, description) || E'\n' || diag(format(E'caught: %s: %s\nDETAIL: %s\nHINT: %s', c.state, c.message, c.detail, c.hint)) END
$$;

SELECT tells(with_status(status, :list), state, message, 'GET /v2/connections?limit=1000: HTTP status ' || status
	|| ', code "%", requestId "%".', hint, status || ' for a list') FROM cases;
SELECT tells(with_status(status, :'item'), state, message, 'GET /v2/connections/' || :'id' || ': HTTP status ' || status
	|| ', code "%", requestId "%".', hint, status || ' for a look-up') FROM cases WHERE status <> 404;
SELECT is((with_status(404, :'item')).state, NULL, '404 for a look-up is no row');
SELECT tells(with_status(status, 'SELECT * FROM sigma_whoami(''sim'')'), state, message, 'GET /v2/whoami: HTTP status ' || status
	|| ', code "%", requestId "%".', hint, status || ' for a function') FROM cases;
SELECT tells(with_status(status, 'SELECT sigma_request(''sim'', ''GET'', ''/v2/connections'', ''{"search": "a b"}'')'), state,
	message, 'GET /v2/connections?search=a%20b: HTTP status ' || status || ', code "%", requestId "%".', hint, status || ' for sigma_request()') FROM cases;
SELECT tells(with_status(status,
	'SELECT sigma_create_connection(''sim'', ''x'', ''{"type": "postgres", "host": "h", "database": "d"}'')'), state, message,
	'POST /v2/connections: HTTP status ' || status || ', code "%", requestId "%".', hint, status || ' for a create') FROM cases WHERE status < 500;
SELECT tells(with_status(status,
	'SELECT sigma_create_connection(''sim'', ''x'', ''{"type": "postgres", "host": "h", "database": "d"}'')'), '08007',
	'outcome unknown: creating connection "x" may have been carried out',
	'Server error in Sigma: The simulator was told to fail. POST /v2/connections: HTTP status ' || status
	|| ', code "%", requestId "%".', 'Look in Sigma for that name%', status || ' for a create') FROM cases WHERE status >= 500;
SELECT tells(with_status(status, :list, true), state, regexp_replace(message, ': .*', ''),
	'GET /v2/connections?limit=1000: HTTP status ' || status || ', with a web page instead of JSON.', hint,
	status || ' as a web page') FROM cases WHERE status <> 404;
SELECT tells(with_status(404, :list, true), 'HV000', 'server "sim" answers with HTTP status 404, but not as Sigma does',
	'GET /v2/connections?limit=1000: HTTP status 404, with a web page instead of JSON.', '%proxy%', '404 as a web page is not Sigma''s');
SELECT tells(with_status(304, :list), 'HV000', 'server "sim" redirects to another place', '%HTTP status 304.', 'Redirects are not followed.%', '304');

-- what Sigma itself refuses
SELECT fails('SELECT * FROM sigma_test_connection(''sim'', ''none'')', 'P0002', 'not found in Sigma: %',
	'GET /v2/connections/none/test: HTTP status 404, code "%", requestId "%".', 'Check the id%', 'testing a connection that is not there');
SELECT fails('SELECT * FROM sigma_test_connection(''sim'', '''')', 'P0002', NULL, NULL, NULL, 'testing a connection without an id');
SELECT fails('SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/none'')', 'P0002', 'not found in Sigma: %',
	'DELETE /v2/connections/none: HTTP status 404%', 'Check the id%', 'deleting one');
SELECT fails('SELECT sigma_request(''sim'', ''GET'', ''/v2/nothing'')', 'P0002', 'not found in Sigma: %',
	'GET /v2/nothing: HTTP status 404%', 'Check the id%', 'an unknown path');
SELECT fails('SELECT sigma_request(''sim'', ''GET'', ''/v2/connections'', ''{"limit": 1001}'')', '22023',
	'request refused by Sigma: %', 'GET /v2/connections?limit=1001: HTTP status 400%', NULL, 'a parameter out of its range');

-- arguments
SELECT sim_calm() \g /dev/null
SELECT fails(format('SELECT sigma_request(''sim'', ''GET'', %L)', path), '22023', 'invalid path for sigma_request()', NULL,
	'A path begins with a slash%', 'a path that leads elsewhere: ' || to_json(path))
FROM unnest(ARRAY['', 'v2/connections', '//evil.example/v2', 'http://evil.example/', '/v2/../x', '/v2/%2e%2e/x', '/v2/%2E./x',
	'/v2/./x', '/v2/x?limit=1', '/v2/x#y', E'/v2/x\r\nHost: y', '/v2/a b', '/v2/%zz', '/v2/%', '/v2\connections', '/v2/%5c..%5cx',
	'/v2/x%00', '/v2/%0d%0a', '/v2//x', '/v2/é',
	'/v2/..;/auth/token', '/v2/x/..;a=b/x', '/v2/;/auth/token', '/v2/%252e%252e/x', '/v2/%252E%252E%252Fx', '/v2/.%20./x',
		'/v2/.../x', '/v2/%EF%BC%8E%EF%BC%8E/x', '/v2/%EF%BC%8F/x', '/v2/%255c', '/v2/x%2500', '/v2/x%250a', '/v2/x%7f',
	'/v2/%C1%A1uth/token', '/v2/x%E9', '/v2/x%ED%A0%80', '/v2/%25u0061uth/token', '/v2/au%C2%ADth/token', '/v2/to%E2%80%8Bken',
		'/v2/x%E2%80%AE', '/v2/x%C2%9B']) path;
SELECT fails(format('SELECT sigma_request(''sim'', ''POST'', %L)', path), '42501', 'sigma_request() does not fetch tokens', NULL,
	NULL, 'a token is not to be had: ' || path)
FROM unnest(ARRAY['/v2/auth/token', '/v2/auth/token/', '/V2/AUTH/Token', '/v2/auth/%74oken', '/v2.1/auth/token',
	'/v2/auth/token;', '/v2/auth/token;x=y', '/v2/auth/token%20', '/v2/auth/token.', '/v2/auth/token..', '/v2/auth/token.%20.',
		'/v2/auth/token.json', '/v2/auth/token.json/', '/v2/auth;x/token', '/v2/auth;x=y;z/token;', '/v2/%2561uth/token', '/v2/%25252561uth/token',
	'/v2/auth%20/token', '/v2/auth./token', '/v2/%20auth/token', '/v2/auth%2ftoken', '/v2/auth%252Ftoken', '/v2/auth%5ctoken',
		'/v2/auth/token%3fx', '/v2/auth/token%23x', '/v2/auth/token%253fx', '/v2/auth/token/x', '/v2/auth/token:x', '/v2/auth/token,x', '/v2/auth/token~',
	'/v2/%EF%BD%81uth/token', '/v2/auth/to%E2%84%AAen', '/v2/auth/token%C2%A0', '/V2/AUTH;/TOKEN.', '/auth/token', '/v2;/auth/token']) path;
SELECT fails(format('SELECT sigma_request(''sim'', ''GET'', %L)', path), 'P0002', 'not found in Sigma: %', NULL, NULL, 'what is none is asked for: ' || path)
FROM unnest(ARRAY['/v2/auth', '/v2/auth/tokens', '/v2/auth/token-x', '/v2/authors/token', '/v2/token/auth', '/v2/auth/x/token',
	'/v2/x/100%25', '/v2/caf%C3%A9', '/v2/%E6%97%A5%E6%9C%AC/x', '/v2/a;b/c', '/v2/a.b', '/v2/x%2Fy', '/v2/x%20y', '/']) path;
-- where the token comes from elsewhere
SELECT make_server('elsewhere', sim_url(), format('token_url %L', sim_url() || '/OAuth/get.token')) \g /dev/null
SELECT sim_fault('{"path": "/OAuth/*", "times": -1, "do": "body", "body": {"access_token": "a-token"}}') \g /dev/null
SELECT fails(format('SELECT sigma_request(''elsewhere'', ''POST'', %L)', path), '42501', 'sigma_request() does not fetch tokens',
	NULL, NULL, 'nor from there: ' || path)
FROM unnest(ARRAY['/OAuth/get.token', '/oauth/get.token', '/oauth;/get.token.', '/oauth/get.token/x', '/%256fauth/get.token', '/v2/auth/token']) path;
SELECT isnt((catch('SELECT sigma_request(''elsewhere'', ''GET'', ''/oauth/get.tokens'')')).state, '42501', 'but what is beside it');
SELECT sim_calm() \g /dev/null
SELECT fails('SELECT sigma_request(''sim'', ''BREW'', ''/v2/coffee'')', '22023', 'invalid method for sigma_request()', NULL, '%PATCH%', 'an unknown method');
SELECT fails('SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'', NULL, ''{}'')', '22023', 'a GET request has no body', NULL, '%"query"%', 'a body for GET');
SELECT fails('SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'', ''[1]'')', '22023', '"query" must be a JSON object', NULL,
	NULL, 'a query that is no object');
SELECT fails('SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'', ''{"a": {"b": 1}}'')', '22023', NULL, NULL, NULL, 'a query with an object in it');
SELECT fails('SELECT sigma_request(''sim'', NULL, ''/v2/whoami'')', '22004', 'argument "method" must not be null', NULL, NULL, 'no method');
SELECT fails('SELECT * FROM sigma_whoami(NULL)', '22004', 'argument "server" must not be null', NULL, NULL, 'no server');
SELECT fails('SELECT * FROM sigma_whoami(''nobody'')', '42704', 'server "nobody" does not exist', NULL, NULL, 'an unknown server');
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER foreigner FOREIGN DATA WRAPPER dummy;
SELECT isnt((catch('SELECT * FROM sigma_whoami(''foreigner'')')).state, NULL, 'a server of another wrapper');
CREATE SERVER neighbour FOREIGN DATA WRAPPER dblink_fdw;
SELECT isnt((catch('SELECT * FROM sigma_whoami(''neighbour'')')).state, NULL, 'and of one that is not for tables');
SELECT is(sim_count(), 0, 'none of them reach Sigma');

-- ------------------------------------------------------------------ sign-in

SELECT sim_reset() \g /dev/null
SELECT make_server('no_mapping', sim_url()) \g /dev/null
DROP USER MAPPING FOR CURRENT_USER SERVER no_mapping;
SELECT fails('SELECT * FROM no_mapping.connections', '28000', 'no user mapping of "%" for server "no_mapping"', '',
	'Use CREATE USER MAPPING%', 'no user mapping');
CREATE USER MAPPING FOR CURRENT_USER SERVER no_mapping OPTIONS (client_id 'simulator-client');
SELECT fails('SELECT * FROM no_mapping.connections', '28000', 'user mapping of "%" for server "no_mapping" has no client_secret',
	'', '%ALTER USER MAPPING%', 'a user mapping without a secret');
ALTER USER MAPPING FOR CURRENT_USER SERVER no_mapping OPTIONS (ADD client_secret 'wrong-words');
SELECT fails('SELECT * FROM no_mapping.connections', '28000', 'server "no_mapping" refused the sign-in: %',
	'POST http://127.0.0.1:%/v2/auth/token: HTTP status 401, code "unauthorized", requestId "%".',
	'Check client_id and client_secret of the user mapping%', 'a wrong secret');
ALTER USER MAPPING FOR CURRENT_USER SERVER no_mapping OPTIONS (SET client_secret 'simulator-secret');
SELECT is((SELECT count(connection_id)::int FROM no_mapping.connections), 13, 'the right one works at once');

SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "do": "status", "status": 401}') \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'a 401 leads to a new token');
SELECT is((SELECT array_agg(status ORDER BY n) FROM sim_log()) || sim_sign_ins(), '{401,200,1}', 'one, and the request again');
SELECT sim_start('paged', '--connections 25') \g /dev/null
SELECT make_server('paged', sim_url('paged'), 'page_size ''10'', max_retries ''0''') \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "after": 1, "do": "status", "status": 401}', 'paged') \g /dev/null
SELECT is((SELECT ARRAY[count(connection_id), count(DISTINCT connection_id)]::int[] FROM paged.connections), '{25,25}',
	'a 401 in the middle of a scan: no row twice, none missing');
SELECT is(sim_sign_ins('paged'), 2, 'with one new token');
SELECT sim_spoil_list('status', '{"status": 401}') \g /dev/null
SELECT sim_call('DELETE', 'log') \g /dev/null
SELECT fails(:list, '28000', 'server "sim" does not accept its own token: %',
	'GET /v2/connections?limit=1000: HTTP status 401, code "unauthorized"%',
	'The credentials of the user mapping may have been revoked%', '401 with a new token, too');
SELECT is(sim_sign_ins(), 1, 'which is fetched once');
SELECT sim_calm() \g /dev/null
SELECT sim_call('POST', 'revoke-tokens') \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'revoked tokens are replaced');
SELECT sim_call('POST', 'revoke-client', '{"client_id": "simulator-client"}') \g /dev/null
SELECT fails(:list, '28000', 'server "sim" refused the sign-in%',
	'POST http%/v2/auth/token: HTTP status 401, code "unauthorized", requestId "%".', 'Check client_id and client_secret%', 'revoked credentials');
SELECT sim_reset() \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'and granted again');

-- sign-in: other failures
CREATE FUNCTION sign_in_with(fault text, more jsonb) RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_reset();
	PERFORM sim_call('POST', 'revoke-tokens');
	PERFORM sim_spoil_token(fault, more);
	c := catch('SELECT * FROM sim.connections');
	PERFORM sim_reset();
	RETURN c;
END $$;
CREATE TABLE sign_in_cases (fault text, more jsonb, state text, message text, detail text, hint text);
INSERT INTO sign_in_cases VALUES
	('status', '{"status": 400}', '28000', 'server "sim" refused the sign-in: %', 'HTTP status 400, code "%", requestId "%".',
		'Check client_id and client_secret%'),
	('status', '{"status": 403}', '28000', 'server "sim" refused the sign-in: %', 'HTTP status 403, code "%', 'Check client_id and client_secret%'),
	('status', '{"status": 404, "html": true}', '28000', 'server "sim" refused the sign-in', 'HTTP status 404, with a web page%', '%region or base_url%'),
	('status', '{"status": 429}', '53400', 'too many sign-ins to server "sim" at once', 'HTTP status 429, code "%', 'Sigma allows one sign-in a second%'),
	('status', '{"status": 500}', '58000', 'server "sim" failed at sign-in: %', 'HTTP status 500, code "%', 'Try again later%'),
	('status', '{"status": 503, "html": true}', '58000', 'server "sim" failed at sign-in', 'HTTP status 503, with a web page%', 'Try again later%'),
	('status', '{"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}', 'HV000',
		'server "sim" redirects the sign-in to another place', 'HTTP status 302.', 'Redirects are not followed.%'),
	('body', '{"body": ""}', 'HV000', '%without a usable access_token', 'HTTP status 200.', 'Check base_url and token_url%'),
	('body', '{"body": "words"}', 'HV000', '%without a usable access_token', 'HTTP status 200.', 'Check base_url and token_url%'),
	('body', '{"body": []}', 'HV000', '%without a usable access_token', 'HTTP status 200.', 'Check base_url and token_url%'),
	('body', '{"body": {"access_token": ""}}', 'HV000', '%without a usable access_token', 'HTTP status 200%', 'Check base_url and token_url%'),
	('body', '{"body": {"access_token": 7}}', 'HV000', '%without a usable access_token', 'HTTP status 200%', 'Check base_url and token_url%'),
	('body', '{"body": {"access_token": "a\r\nX-Evil: b"}}', 'HV000', '%without a usable access_token', 'HTTP status 200%', 'Check base_url and token_url%'),
	('close', '{}', '08006', 'connection to server "sim" was lost', '%', NULL),
	('reset', '{}', '08006', 'connection to server "sim" was lost', '%', NULL),
	('truncate', '{"bytes": 20}', '08006', 'connection to server "sim" was lost', '%', NULL);
SELECT tells(sign_in_with(fault, more), state, message, 'POST http://127.0.0.1:%/v2/auth/token: ' || detail, hint,
	'sign-in: ' || fault || ' ' || more) FROM sign_in_cases;
ALTER SERVER sim OPTIONS (ADD token_auth 'basic');
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'sign-in by HTTP Basic');
SELECT is((sim_call('GET', 'log?path_prefix=/v2/auth/token') -> 'entries' -> -1) ->> 'auth', 'basic', 'as the server sees it');
ALTER SERVER sim OPTIONS (DROP token_auth, ADD token_url 'http://127.0.0.1:1/elsewhere');
SELECT fails(:list, '08001', 'could not connect to server "sim"', 'POST http://127.0.0.1:1/elsewhere: %', 'Check %', 'a token_url where nobody listens');
ALTER SERVER sim OPTIONS (DROP token_url);

-- ---------------------------------------------------------- no whole reply

SELECT sim_start('gone') \g /dev/null
SELECT make_server('gone', sim_url('gone'), 'max_retries ''0''') \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM gone.connections), 13, 'a server that will be gone');
SELECT sim_stop('gone') \g /dev/null
SELECT fails('SELECT * FROM gone.connections', '08001', 'could not connect to server "gone"', 'GET /v2/connections?limit=1000: %',
	'Check region or base_url of the server%', 'nothing listens');
SELECT make_server('unknown', 'https://no-such-host.invalid', 'max_retries ''0''') \g /dev/null
SELECT fails('SELECT * FROM unknown.connections', '08001', 'could not resolve the host name of server "unknown"',
	'POST https://no-such-host.invalid/v2/auth/token: %', '%name service%', 'an unknown host name');
SELECT make_server('no_tls', replace(sim_url(), 'http:', 'https:'), 'max_retries ''0''') \g /dev/null
SELECT fails('SELECT * FROM no_tls.connections', '08001', 'could not establish a TLS connection to server "no_tls"',
	'POST https://127.0.0.1:%/v2/auth/token: %', 'Check that base_url names an HTTPS server.%', 'no TLS where it is expected');

SELECT make_server(replace(mode, '-', '_'), hostile_start(mode),
	'max_retries ''0'', connect_timeout ''400ms'', request_timeout ''800ms''')
	FROM unnest('{no-accept,silent,drip,drip-headers,reset,garbage,close}'::text[]) mode \g /dev/null
SELECT fails('SELECT * FROM no_accept.connections', '08006', '%"no_accept"%connect_timeout%400 ms%',
	'POST http%/v2/auth/token: %', '%"connect_timeout"%', 'a connect that hangs');
SELECT fails(format('SELECT * FROM %s.connections', s), '08006', format('%%"%s"%%request_timeout%%800 ms%%', s),
	'POST http%/v2/auth/token: %', '%"request_timeout"%', s || ': a request that hangs') FROM unnest('{silent,drip,drip_headers}'::text[]) s;
SELECT fails('SELECT * FROM reset.connections', '08006', 'connection to server "reset" was lost', 'POST http%/v2/auth/token: %', NULL, 'a reset');
SELECT fails('SELECT * FROM close.connections', '08006', 'connection to server "close" was lost', 'POST http%/v2/auth/token: %', NULL, 'a close');
SELECT fails('SELECT * FROM garbage.connections', 'HV000', 'server "garbage" did not answer in HTTP',
	'POST http%/v2/auth/token: %', 'Check base_url of the server.%', 'what is not HTTP');
SELECT make_server('stalled', replace(hostile_start('tls-stall'), 'http:', 'https:'),
	'max_retries ''0'', connect_timeout ''400ms'', request_timeout ''800ms''') \g /dev/null
SELECT fails('SELECT * FROM stalled.connections', '08006', '%"stalled"%connect_timeout%400 ms%', NULL, '%"connect_timeout"%', 'a TLS handshake that hangs');

CREATE TABLE losses (fault text, more jsonb, state text, message text, hint text);
INSERT INTO losses VALUES
	('close', '{}', '08006', 'connection to server "sim" was lost', NULL),
	('lost-reply', '{}', '08006', 'connection to server "sim" was lost', NULL),
	('reset', '{}', '08006', 'connection to server "sim" was lost', NULL),
	('truncate', '{"bytes": 100}', '08006', 'connection to server "sim" was lost', NULL),
	('truncate', '{"bytes": 0}', '08006', 'connection to server "sim" was lost', NULL),
	('never', '{}', '08006', '%"sim"%request_timeout%700 ms%', '%"request_timeout"%'),
	('drip', '{"ms_per_byte": 50}', '08006', '%"sim"%request_timeout%700 ms%', '%"request_timeout"%');
ALTER SERVER sim OPTIONS (ADD request_timeout '700ms');
CREATE FUNCTION loss_of(fault text, more jsonb, statement text) RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM catch('SELECT * FROM sigma_whoami(''sim'')');
	PERFORM sim_fault(jsonb_build_object('path', '/v2/connections*', 'times', -1, 'do', fault) || more);
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN c;
END $$;
SELECT tells(loss_of(fault, more, :list), state, message, 'GET /v2/connections?limit=1000: %', hint, format('a list: %s %s', fault, more)) FROM losses;
SELECT tells(loss_of(fault, more, :'item'), state, message, 'GET /v2/connections/' || :'id' || ': %', hint,
	format('a look-up: %s %s', fault, more)) FROM losses;
ALTER SERVER sim OPTIONS (DROP request_timeout);

-- ------------------------------------------------- replies that are none

CREATE FUNCTION reply_of(body text, statement text, status int DEFAULT 200) RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_fault(jsonb_build_object('path', '/v2/*', 'times', -1, 'do', 'body', 'body', body, 'status', status, 'method', 'GET'));
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN c;
END $$;
SELECT tells(reply_of(body, :list), 'HV000', 'unexpected reply from Sigma: %', 'The request was GET /v2/connections?limit=1000.',
	NULL, 'a list that is no list: ' || body)
FROM unnest(ARRAY['', ' ', 'words', '<html></html>', '5', 'null', 'true', '"x"', '[]', '[{"connectionId": "x"}]', '{}',
	'{"entries": null}', '{"entries": {}}', '{"entries": "x"}', '{"entries": []} x', '{"entries": [', '{"entries": []',
	'{"entries": [],}', '{"entries": [1]}', '{"entries": [null]}', '{"entries": ["x"]}', '{"entries": [[]]}',
	'{"entries": [{"a": 01}]}', '{"entries": [{"a": NaN}]}', '{"entries": [{''a'': 1}]}', '{"entries": [{"a": "\x"}]}',
	'{"entries": [{"a": "\u12"}]}', E'{"entries": [{"a": "x\ty"}]}', '{"entries": [], "entries": []}',
	'{"entries": [], "nextPage": 5.5e', '{"entries": [], "nextPage": {}}', '{"entries": [], "nextPage": []}',
	'{"entries": [], "nextPage": true}', '{"entries": [], "nextPageToken": "x"}']) body;
SELECT is((reply_of('{"entries": [], "nextPage": null}', :list)).state, NULL, 'an empty list is a list');
SELECT is((reply_of(E'\r\n {"entries" :\t[ ] } \n', :list)).state, NULL, 'however it is spaced');
SELECT tells(reply_of(body, :'item'), 'HV000', 'unexpected reply from Sigma: %', 'The request was GET /v2/connections/' || :'id'
	|| '.', NULL, 'a look-up that gives no entry: ' || body)
FROM unnest(ARRAY['', 'words', '5', 'null', '[]', '"x"', '{"connectionId": ', '[{"connectionId": "x"}]']) body;
SELECT tells(reply_of(body, 'SELECT * FROM sigma_whoami(''sim'')'), 'HV000', 'unexpected reply from Sigma: %',
	'The request was GET /v2/whoami.', NULL, 'a function''s reply: ' || body)
FROM unnest(ARRAY['', 'words', '5', 'null', '[]', '{}', '{"userid": "x"}']) body;
SELECT is((reply_of('', 'SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'')')).state, NULL, 'sigma_request() takes an empty reply');
SELECT tells(reply_of('words', 'SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'')'), 'HV000',
	'unexpected reply from Sigma: %', '%', NULL, 'but none that is not JSON');
SELECT tells(reply_of('<html><body>Blocked</body></html>', :list, 403), '42501', 'permission denied by Sigma',
	'GET /v2/connections?limit=1000: HTTP status 403.', 'The Sigma member%', 'an error that is no error object');
SELECT tells(reply_of('[1, 2]', :list, 400), '22023', 'request refused by Sigma', '%HTTP status 400. The reply was: [1, 2]', NULL, 'an array as an error');
SELECT tells(reply_of('{"message": {"a": 1}, "code": 7}', :list, 400), '22023', 'request refused by Sigma: {"a":1}',
	'%HTTP status 400, code "7".', NULL, 'an error object of other types');
SELECT tells(reply_of(jsonb_build_object('message', repeat('x', 5000) || E'\u0001\n', 'requestId', repeat('y', 500))::text, :list,
	400), '22023', 'request refused by Sigma: ' || repeat('x', 1000) || '...', '%requestId "' || repeat('y', 100) || '...".', NULL, 'a long message is cut');
SELECT is(regexp_count((reply_of(jsonb_build_object('message', E'a\r\nb\tc\x1b[31md')::text, :list, 400)).message, '[\x01-\x1f]'),
	0, 'control characters in a message are none of the user''s');
SELECT is((reply_of('{"code": "x", "message": "m"}', :list, 400)).message, 'request refused by Sigma: m', 'an error object without a requestId');

-- redirects
SELECT sim_start('trap') \g /dev/null
CREATE FUNCTION redirected(status int, statement text, path text DEFAULT '/v2/connections*') RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_fault(jsonb_build_object('path', path, 'times', -1, 'do', 'status', 'status', status, 'headers',
		jsonb_build_object('Location', sim_url('trap') || '/v2/connections')));
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN c;
END $$;
SELECT tells(redirected(status, statement), 'HV000', 'server "sim" redirects to another place', '%HTTP status ' || status || '.',
	'Redirects are not followed.%', status || ' is not followed: ' || statement)
FROM unnest('{301,302,303,307,308}'::int[]) status,
	unnest(ARRAY[:list, :'item', 'INSERT INTO sim.connections (name, details) VALUES (''x'', ''{"type": "postgres", "host": "h", '
	'"database": "d"}'')']) statement;
SELECT is((sim_stats('trap') ->> 'requests')::int + (sim_stats('trap') ->> 'connections_opened')::int, 0, 'nobody came to where they led');

-- --------------------------------------------------------- the size of a reply

SELECT sim_reset() \g /dev/null
SELECT sim_spoil_list('big', '{"bytes": 100000}') \g /dev/null
ALTER SERVER sim OPTIONS (ADD max_response_size '100000B');
SELECT is((catch(:list)).state, NULL, 'a reply that just fits');
ALTER SERVER sim OPTIONS (SET max_response_size '99999B');
SELECT fails(:list, 'HV000', 'reply of server "sim" exceeds max_response_size of 99999 bytes',
	'GET /v2/connections?limit=1000: %', 'Raise the server option "max_response_size", or lower "page_size". %(SET max_response_size ''64MB'').', 'one byte more');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE path = '/v2/connections'), 2, 'is not asked for again');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('gzip') \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'a compressed reply');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('gzip-bomb') \g /dev/null
ALTER SERVER sim OPTIONS (SET max_response_size '1MB');
SELECT fails(:list, 'HV000', 'reply of server "sim" exceeds max_response_size of 1048576 bytes', NULL, NULL, 'a small reply that unpacks to a large one');
ALTER SERVER sim OPTIONS (DROP max_response_size);
SELECT fails(:list, 'HV000', 'reply of server "sim" exceeds max_response_size of 67108864 bytes', NULL, NULL, 'larger than the default, too');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('big', '{"bytes": 67108864}') \g /dev/null
SELECT is((catch(:list)).state, NULL, 'a page of 64 MB');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('big', '{"bytes": 67108865}') \g /dev/null
SELECT is((catch(:list)).state, 'HV000', 'and one byte more');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "times": -1, "do": "body", "body": "words", "headers": {"Content-Encoding": "gzip"}}') \g /dev/null
SELECT is((catch(:list)).state, 'HV000', 'what claims to be compressed');
SELECT sim_calm() \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'and all is well again');

SELECT * FROM finish();

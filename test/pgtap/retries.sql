-- What is tried again and what is not: a read after any failure that may pass
-- by itself, a create only if it is certain that it was not carried out.  And
-- the life of a token.

\ir lib/simulator.sql
SELECT * FROM no_plan();

ALTER SERVER sim OPTIONS (ADD max_retries '2');
-- a list that is said to be long: a short one is rather read whole
CREATE FOREIGN TABLE long (connection_id text, name text) SERVER sim OPTIONS (resource 'connections', rows '100000');
CREATE TABLE reads (what text, path text, statement text);
INSERT INTO reads VALUES
	('a list', '/v2/connections', 'SELECT * FROM sim.connections'),
	('a look-up', '/v2/connections/x', 'SELECT * FROM long WHERE connection_id = ''x'''),
	('a function', '/v2/whoami', 'SELECT * FROM sigma_whoami(''sim'')'),
	('sigma_request()', '/v2/members', 'SELECT sigma_request(''sim'', ''GET'', ''/v2/members'')'),
	('a token', '/v2/auth/token', 'SELECT * FROM sim.connections');

-- state of a statement's error, or 'none', and how often its path was asked
-- for while a fault was on
CREATE FUNCTION tried(statement text, at text, times int, fault jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
	n int;
BEGIN
	PERFORM sim_calm();
	IF at = '/v2/auth/token' THEN
		PERFORM sim_call('POST', 'revoke-tokens');
	END IF;
	PERFORM sim_fault(jsonb_build_object('path', at, 'times', times) || fault);
	c := catch(statement);
	n := sim_call('GET', 'log?count=1&path_prefix=' || at) ->> 'count';
	PERFORM sim_call('DELETE', 'fault');
	RETURN format('%s %s', coalesce(c.state, 'none'), n);
END $$;
CREATE FUNCTION status(code int, after text DEFAULT '0') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('do', 'status', 'status', code, 'headers', jsonb_build_object('Retry-After', after))
$$;

-- -------------------------------------------------------------------- reads

SELECT is(tried(statement, path, -1, status(code)), format('%s %s', CASE WHEN code = 429 THEN '53400' ELSE '58000' END, 3),
	format('%s is tried three times at status %s', what, code))
FROM reads, unnest('{429,500,502,503,504,520}'::int[]) code WHERE NOT (path = '/v2/auth/token' AND code = 429);
SELECT is(tried(statement, path, 2, status(code)), 'none 3', format('%s survives two of status %s', what, code))
FROM reads, unnest('{429,503}'::int[]) code;
SELECT is(regexp_replace(tried(statement, path, -1, status(code)), '^\S+ ', ''), '1', format('%s is tried once at status %s', what, code))
FROM reads, unnest('{400,403,404,409,422,501}'::int[]) code;
SELECT is(tried(statement, path, 2, status(503) || '{"html": true}'), 'none 3', format('%s survives two web pages instead of a reply', what)) FROM reads;
SELECT is(split_part(tried(statement, path, 1, jsonb_build_object('do', fault, 'bytes', 10)), ' ', 1), 'none', format('%s survives %s', what, fault))
FROM reads, unnest('{close,reset,lost-reply,truncate}'::text[]) fault;
SELECT matches(tried(statement, path, -1, jsonb_build_object('do', fault, 'bytes', 10)), '^08006 [3-6]$',
	format('%s gives up after three times %s', what, fault))
FROM reads, unnest('{close,reset,lost-reply,truncate}'::text[]) fault WHERE what = 'a list' OR what = 'a token' AND fault = 'reset';
ALTER SERVER sim OPTIONS (ADD request_timeout '300ms');
SELECT is(tried(statement, path, 1, '{"do": "never"}'), 'none 2', format('%s survives a request that is never answered', what)) FROM reads;
SELECT is(tried(statement, path, -1, '{"do": "never"}'), '08006 3', format('%s gives up after three of them', what)) FROM reads
	WHERE what IN ('a list', 'a token');
ALTER SERVER sim OPTIONS (DROP request_timeout);
SELECT is((SELECT ARRAY[count(connection_id), count(DISTINCT connection_id)]::int[] FROM sim.connections), '{13,13}', 'with the right rows');

SELECT sim_start('paged', '--connections 50') \g /dev/null
SELECT make_server('paged', sim_url('paged'), 'page_size ''10''') \g /dev/null
SELECT sim_fault(jsonb_build_object('path', '/v2/connections', 'after', i, 'do', fault, 'status', 503, 'headers',
	'{"Retry-After": "0"}'::jsonb, 'bytes', 50), 'paged')
FROM unnest('{status,truncate,lost-reply,reset}'::text[]) WITH ORDINALITY f (fault, i) \g /dev/null
SELECT is((SELECT ARRAY[count(connection_id), count(DISTINCT connection_id)]::int[] FROM paged.connections), '{50,50}',
	'failures of several kinds in one scan: no row twice, none missing');
SELECT sim_calm('paged') \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "after": 3, "times": -1, "do": "status", "status": 503, "headers": {"Retry-After": "0"}}', 'paged') \g /dev/null
SELECT fails('SELECT * FROM paged.connections', '58000', NULL, '%after 6 attempts%', NULL, 'a page that cannot be had is an error, never a short answer');
SELECT fails('SELECT count(connection_id) FROM paged.connections', '58000', NULL, NULL, NULL, 'for an aggregate, too');
SELECT sim_calm('paged') \g /dev/null

-- the pause
ALTER SERVER sim OPTIONS (SET max_retries '5');
CREATE FUNCTION pause_of(after text, code int DEFAULT 503, times int DEFAULT 1) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	ms float8;
BEGIN
	PERFORM sim_fault(jsonb_build_object('path', '/v2/connections', 'times', times) ||
		CASE WHEN after IS NULL THEN jsonb_build_object('do', 'status', 'status', code) ELSE status(code, after) END);
	ms := ms_of('SELECT * FROM sim.connections');
	PERFORM sim_call('DELETE', 'fault');
	RETURN ms;
END $$;
CREATE FUNCTION http_date(at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(at AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS "GMT"')
$$;
CREATE FUNCTION lasts(ms float8, shortest float8, longest float8, description text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN ms BETWEEN shortest AND longest THEN ok(true, description)
		ELSE ok(false, description) || E'\n' || diag(format('took %s ms, not %s to %s', round(ms), shortest, longest)) END
$$;
SELECT lasts(pause_of('1'), 1000, 2500, 'Retry-After in seconds');
SELECT lasts(pause_of('1', 429), 1000, 2500, 'Retry-After with 429');
SELECT lasts(pause_of(' 1 '), 1000, 2500, 'Retry-After with spaces');
SELECT lasts(pause_of(http_date(clock_timestamp() + interval '2 s')), 800, 4000, 'Retry-After as a date');
SELECT lasts(pause_of(http_date(clock_timestamp() - interval '1 day')), 0, 900, 'a date that has passed');
SELECT lasts(pause_of('0'), 0, 900, 'Retry-After: 0');
SELECT lasts(pause_of(NULL), 100, 1200, 'no Retry-After: a backoff');
SELECT lasts(pause_of(NULL, 503, 3), 100 + 200 + 400, 4000, 'that grows');
SELECT lasts(pause_of(after), 100, 1200, 'a Retry-After that is none: ' || after)
	FROM unnest('{soon,-5,1.5,"1, 2","Sun, 99 Foo 2020 00:00:00 GMT",0x10,99999999999999999999x}'::text[]) after;

-- a POST by sigma_request() is no read
SELECT matches(tried('SELECT sigma_request(''sim'', ''POST'', ''/v2/connections/x/sync'', NULL, ''{"path": []}'')',
	'/v2/connections/x/sync', -1, status(503)), '^08007 1$', 'a POST by sigma_request() is not repeated');
SELECT matches(tried('SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/x'')', '/v2/connections/x', -1,
	'{"do": "lost-reply"}'), '^(08007|08006) 1$', 'nor a DELETE');
SELECT is(tried('SELECT sigma_request(''sim'', ''POST'', ''/v2/connections/x/sync'', NULL, ''{"path": []}'')',
	'/v2/connections/x/sync', 2, status(429)), 'P0002 3', 'but at 429');

-- ------------------------------------------------------------------ creates

CREATE FUNCTION creates(statement text, fault jsonb, times int DEFAULT -1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
	before int;
BEGIN
	PERFORM catch('SELECT * FROM sigma_whoami(''sim'')');
	PERFORM sim_calm();
	before := sim_stats() ->> 'created';
	PERFORM sim_spoil_create(fault ->> 'do', fault || jsonb_build_object('times', times));
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN format('%s, %s sent, %s created, %s', coalesce(c.state, 'none'), (SELECT count(*) FROM sim_log() WHERE method = 'POST'),
		(sim_stats() ->> 'created')::int - before, CASE WHEN c.message LIKE '%"made by test"%' THEN 'named' ELSE 'not named' END);
END $$;
CREATE TABLE ways (way text, statement text);
INSERT INTO ways VALUES ('INSERT',
	$$INSERT INTO sim.connections (name, details) VALUES ('made by test', '{"type": "postgres", "host": "h", "database": "d"}')$$),
	('function', $$SELECT sigma_create_connection('sim', 'made by test', '{"type": "postgres", "host": "h", "database": "d"}')$$);
SELECT is(creates(statement, status(429), 3), 'none, 4 sent, 1 created, not named', way || ' is repeated at 429') FROM ways;
SELECT is(creates(statement, status(429)), '53400, 6 sent, 0 created, not named', way || ' gives up at 429') FROM ways;
SELECT is(creates(statement, status(401), 1), 'none, 2 sent, 1 created, not named', way || ' is repeated with a new token') FROM ways;
SELECT is(creates(statement, status(code)), '08007, 1 sent, 0 created, named', format('%s is not repeated at %s', way, code))
	FROM ways, unnest('{500,502,503,504}'::int[]) code;
SELECT is(creates(statement, '{"do": "lost-reply"}'), '08007, 1 sent, 1 created, named', way || ' is not repeated at a lost reply') FROM ways;
SELECT is(creates(statement, '{"do": "truncate", "bytes": 30}'), '08007, 1 sent, 1 created, named', way || ' is not repeated at a reply cut short') FROM ways;
SELECT is(creates(statement, '{"do": "close"}'), '08007, 1 sent, 0 created, named', way || ' is not repeated at a close') FROM ways;
SELECT is(creates(statement, '{"do": "reset"}'), '08007, 1 sent, 0 created, named', way || ' is not repeated at a reset') FROM ways;
ALTER SERVER sim OPTIONS (ADD request_timeout '500ms');
SELECT is(creates(statement, '{"do": "never"}'), '08007, 1 sent, 0 created, named', way || ' is not repeated at a time limit') FROM ways;
SELECT is(creates(statement, '{"do": "drip", "ms_per_byte": 100}'), '08007, 1 sent, 1 created, named',
	way || ' is not repeated at a reply that drips') FROM ways;
ALTER SERVER sim OPTIONS (DROP request_timeout);
SELECT matches(creates(statement, '{"do": "body", "status": 201, "body": "words"}'), '^(HV000|08007), 1 sent',
	way || ' is not repeated at a reply that is none') FROM ways;
SELECT is(creates(statement, status(code)), CASE code WHEN 400 THEN '22023' WHEN 403 THEN '42501' ELSE '23505' END
	|| ', 1 sent, 0 created, not named', format('%s is not repeated at %s', way, code)) FROM ways, unnest('{400,403,409}'::int[]) code;
SELECT sim_spoil_create('lost-reply', '{"times": 1}') \g /dev/null
SELECT fails(statement, '08007', 'outcome unknown: creating connection "made by test" may have been carried out',
	'Connection to server "sim" was lost. POST /v2/connections: %', 'Look in Sigma for that name before you try again%',
	way || ': what to do') FROM ways LIMIT 1;

-- a failed sign-in creates nothing and leaves no doubt
SELECT sim_call('POST', 'revoke-tokens') \g /dev/null
SELECT sim_spoil_token('status', '{"status": 403}') \g /dev/null
SELECT is((catch(statement)).state, '28000', way || ' without a token') FROM ways;
SELECT sim_calm() \g /dev/null

-- nobody listens any more
SELECT sim_start('moving') \g /dev/null
SELECT port AS moving_port FROM sim_process WHERE name = 'moving' \gset
SELECT make_server('moving', sim_url('moving'), 'max_retries ''1''') \g /dev/null
\set create_moving '''INSERT INTO moving.connections (name, details) VALUES (''''made by test'''', ''''{"type": "postgres", "host": "h", "database": "d"}'''')'''
SELECT is((SELECT count(connection_id)::int FROM moving.connections), 13, 'a server that will move');
SELECT sim_stop('moving') \g /dev/null
SELECT fails(:create_moving, '08001', 'could not connect to server "moving"', 'POST /v2/connections: %', NULL,
	'connection refused: nothing was created, and it says so');
-- and again at the same address: the kept connection is dead
SELECT sim_start('moving', '', :moving_port) \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM moving.connections), 13, 'a server that is back');
SELECT sim_stop('moving') \g /dev/null
SELECT sim_start('moving', '', :moving_port) \g /dev/null
SELECT is((catch('SELECT * FROM moving.connections')).state, NULL, 'a kept connection that is dead does not disturb a read');
SELECT sim_stop('moving') \g /dev/null
SELECT sim_start('moving', '', :moving_port) \g /dev/null
SELECT is((catch(:create_moving)).state, NULL, 'nor a create');
SELECT is((sim_stats('moving') ->> 'created')::int, 1, 'which is carried out once');
SELECT is((SELECT array_agg(status ORDER BY n) FROM sim_log('moving')), '{401,201}', 'after a renewed token');

-- -------------------------------------------------------------------- tokens

-- expiry during a scan
SELECT sim_start('short', '--connections 60 --token-lifetime 1') \g /dev/null
SELECT make_server('short', sim_url('short'), 'page_size ''10'', max_concurrency ''1''') \g /dev/null
SELECT sim_config('{"latency_ms": 350, "expires_in": "absent"}', 'short') \g /dev/null
SELECT is((SELECT ARRAY[count(connection_id), count(DISTINCT connection_id)]::int[] FROM short.connections), '{60,60}',
	'a token that ends during a scan: no row twice, none missing');
SELECT cmp_ok(sim_sign_ins('short'), '>', 1, 'it is renewed');
SELECT is((SELECT count(*)::int FROM sim_log('short') WHERE status = 401), sim_sign_ins('short') - 1, 'once for each 401');
SELECT sim_config('{"latency_ms": 200, "expires_in": 1, "token_lifetime": 1}', 'short') \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM short.connections), 60, 'a token whose end is known');

-- what a reply may say of a token's life
CREATE FUNCTION sign_ins_with(expires_in jsonb) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	PERFORM sim_reset();
	PERFORM sim_call('POST', 'revoke-tokens');
	PERFORM sim_config(jsonb_build_object('expires_in', expires_in));
	FOR i IN 1..3 LOOP
		EXECUTE 'SELECT count(connection_id) FROM sim.connections' INTO n;
		IF n <> 13 THEN
			RETURN -1;
		END IF;
	END LOOP;
	RETURN sim_sign_ins();
END $$;
SELECT is(sign_ins_with(expires_in), 1, format('expires_in of %s: one token for three statements', expires_in))
	FROM unnest('{3600,1000000000,1e300,0,-1,"\"3600\"","\"x\"","\"\"",null,true,"{}","[]","\"absent\""}'::jsonb[]) expires_in;
SELECT cmp_ok(sign_ins_with('0.001'), '<=', 3, 'a life too short for a request leads to no endless sign-ins');

-- ------------------------------------------------- changes in an open session

SELECT sim_reset() \g /dev/null
SELECT sim_start('two', '--client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT make_server('two', sim_url('two')) \g /dev/null
CREATE FUNCTION rows() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	EXECUTE 'SELECT count(connection_id) FROM two.connections' INTO n;
	RETURN n;
END $$;
PREPARE rows AS SELECT count(connection_id)::int AS n FROM two.connections;
EXECUTE rows \gset
SELECT is(rows(), 13, 'the first client sees all');
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_id 'second-client', SET client_secret 'second-secret');
SELECT is(rows(), 2, 'ALTER USER MAPPING counts from the next statement on');
EXECUTE rows \gset
SELECT is(:n, 2, 'in a prepared statement, too');
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_secret 'wrong');
SELECT is((catch('SELECT rows()')).state, '28000', 'and so does a wrong secret');
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_secret 'second-secret');
BEGIN;
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_id 'simulator-client', SET client_secret 'simulator-secret');
SELECT rows() AS during \gset
ROLLBACK;
SELECT is(ARRAY[:during, rows()], '{13,2}', 'a change that is rolled back counts while it lasts');
DROP USER MAPPING FOR CURRENT_USER SERVER two;
SELECT is((catch('SELECT rows()')).state, '28000', 'DROP USER MAPPING');
CREATE USER MAPPING FOR PUBLIC SERVER two OPTIONS (client_id 'second-client', client_secret 'second-secret');
SELECT is(rows(), 2, 'PUBLIC''s mapping');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SELECT is(rows(), 13, 'one''s own goes before it');
SELECT psql('ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_id ''second-client'', SET client_secret ''second-secret'')') \g /dev/null
SELECT is(rows(), 2, 'a change by another session');
SELECT sim_start('elsewhere', '--connections 7') \g /dev/null
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET client_id 'simulator-client', SET client_secret 'simulator-secret');
SELECT format('ALTER SERVER two OPTIONS (SET base_url %L)', sim_url('elsewhere')) \gexec
SELECT is(rows(), 7, 'ALTER SERVER');
SELECT is((SELECT count(*)::int FROM sim_log('elsewhere') WHERE token IS NULL), 0, 'a token of one address is never shown to another');
SELECT format('ALTER SERVER two OPTIONS (SET base_url %L)', sim_url('two')) \gexec
SELECT is(rows(), 13, 'and back');
DROP SERVER two CASCADE;
SELECT is((catch('SELECT rows()')).state, '42P01', 'DROP SERVER');
DROP SCHEMA two CASCADE;
SELECT make_server('two', sim_url('two')) \g /dev/null
SELECT is(rows(), 13, 'and one of the same name');
SELECT is((SELECT count(*)::int FROM (SELECT token FROM sim_log('two') GROUP BY token HAVING count(DISTINCT client) > 1) t), 0,
	'no token was ever used for another client');

-- many sessions at once, with one sign-in a second
SELECT sim_start('busy', '--token-rate 1') \g /dev/null
SELECT make_server('busy', sim_url('busy')) \g /dev/null
SELECT dblink_connect('s' || i, current_setting('sim.conninfo')) FROM generate_series(1, 8) i \g /dev/null
SELECT clock_timestamp() AS start \gset
SELECT dblink_send_query('s' || i, 'SELECT count(connection_id)::int FROM busy.connections') FROM generate_series(1, 8) i \g /dev/null
SELECT is(n, 13, format('session %s of 8 signs in, though there is one sign-in a second', i)) FROM generate_series(1, 8) i,
	dblink_get_result('s' || i) r (n int);
SELECT diag(format('8 sessions at once with one sign-in a second: all signed in after %s s',
	round(extract(epoch FROM clock_timestamp() - :'start'::timestamptz)::numeric, 1)));
SELECT dblink_disconnect('s' || i) FROM generate_series(1, 8) i \g /dev/null
SELECT cmp_ok((sim_stats('busy') ->> 'token_requests')::int, '>', 8, 'some were told to wait');

SELECT * FROM finish();

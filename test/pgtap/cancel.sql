-- Whatever the other side does, a statement ends when it is told to: by
-- statement_timeout, by pg_cancel_backend(), by pg_terminate_backend().  And
-- the session's next statement works.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- The server's process gets this long, so that a busy machine does not fail
-- the test; what it took at worst is shown at the end.
\set room_ms 1000

CREATE TABLE results (phase text, what text, way text, ms float8);

-- one statement that hangs, and what it takes to end it
CREATE FUNCTION ends(phase text, what text, way text, statement text, room_ms float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	told timestamptz;
	ms float8;
	backend int;
	message text;
	seen text[];
	n int;
BEGIN
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('victim', 'SELECT pg_backend_pid()') r (pid int);
	-- what is to hang is the request, not what comes before it
	PERFORM dblink_exec('victim', 'SET client_min_messages = error');
	PERFORM * FROM dblink('victim', 'SELECT count(connection_id) FROM sim.connections') r (n int);
	told := clock_timestamp() + interval '250 ms';
	IF way = 'statement_timeout' THEN
		PERFORM dblink_exec('victim', 'SET statement_timeout = 250');
	END IF;
	PERFORM dblink_send_query('victim', statement);
	IF way <> 'statement_timeout' THEN
		PERFORM pg_sleep(0.15);
		-- on a machine that has much else to do, it may take longer to come there
		FOR i IN 1..1000 LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT array[state, wait_event_type] INTO seen FROM pg_stat_activity WHERE pid = backend;
			EXIT WHEN seen = '{active,Extension}';
			PERFORM pg_sleep(0.01);
		END LOOP;
		RETURN NEXT is(seen, '{active,Extension}', format('%s, %s: the session waits', phase, what));
		told := clock_timestamp();
		PERFORM CASE way WHEN 'cancel' THEN pg_cancel_backend(backend) ELSE pg_terminate_backend(backend) END;
	END IF;
	IF way = 'terminate' THEN
		WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend) AND clock_timestamp() < told + interval '10 s' LOOP
			PERFORM pg_sleep(0.001);
			PERFORM pg_stat_clear_snapshot();
		END LOOP;
	ELSE
		WHILE dblink_is_busy('victim') = 1 AND clock_timestamp() < told + interval '10 s' LOOP
			PERFORM pg_sleep(0.001);
		END LOOP;
	END IF;
	ms := extract(epoch FROM clock_timestamp() - told) * 1000;
	INSERT INTO results VALUES (phase, what, way, ms);
	RETURN NEXT ok(ms < room_ms, format('%s, %s: %s acts', phase, what, way)) || CASE WHEN ms < room_ms THEN ''
		ELSE E'\n' || diag(format('after %s ms', round(ms))) END;
	IF way = 'terminate' THEN
		PERFORM dblink_disconnect('victim');
		RETURN;
	END IF;
	PERFORM * FROM dblink_get_result('victim', false) r (n text);
	message := dblink_error_message('victim');
	PERFORM * FROM dblink_get_result('victim', false) r (n text);
	RETURN NEXT alike(message, '%canceling statement due to ' || CASE way WHEN 'cancel' THEN 'user request' ELSE 'statement timeout' END || '%', '... as such');
	PERFORM dblink_exec('victim', 'SET statement_timeout = 0');
	SELECT r.n INTO n FROM dblink('victim', 'SELECT count(connection_id) FROM sim.connections') r (n int);
	RETURN NEXT is(n, 13, '... and the next query works');
	PERFORM dblink_disconnect('victim');
END $$;

-- ------------------------------------------------- servers that do not answer

-- each hostile server twice: for the token, and, with a token from elsewhere,
-- for all else
CREATE TABLE phases (phase text, mode text, scheme text, server text, n int);
INSERT INTO phases VALUES
	('connecting', 'no-accept', 'http', 'no_accept', 1),
	('TLS handshake', 'tls-stall', 'https', 'tls_stall', 2),
	('waiting for an answer', 'silent', 'http', 'silent', 3),
	('a head that drips', 'drip-headers', 'http', 'drip_headers', 4),
	('a body that drips', 'drip', 'http', 'drip', 5);
SELECT hostile_start(mode) FROM phases \g /dev/null
SELECT make_server(server || '_token', replace(sim_url(mode), 'http:', scheme || ':'), 'connect_timeout ''1min'''),
	make_server(server, replace(sim_url(mode), 'http:', scheme || ':'), format('connect_timeout ''1min'', token_url %L', sim_url() || '/v2/auth/token'))
FROM phases \g /dev/null

CREATE TABLE statements (what text, server_suffix text, statement text, n int);
INSERT INTO statements VALUES
	('token', '_token', 'SELECT count(connection_id)::text FROM %I.connections', 1),
	('list', '', 'SELECT count(connection_id)::text FROM %I.connections', 2),
	('look-up', '', 'SELECT name FROM %I.connections WHERE connection_id = ''x''', 3),
	('create', '', 'INSERT INTO %I.connections (name, details) VALUES (''x'', ''{"type": "postgres", "host": "h", "database": "d"}'') RETURNING name', 4);
SELECT ends(phase, what, way, format(statement, server || server_suffix), :room_ms)
FROM phases p, statements s, unnest('{statement_timeout,cancel,terminate}'::text[]) way
ORDER BY p.n, s.n;

-- -------------------------------------------------------- a pause before a retry

SELECT sim_start('slow', '--connections 30') \g /dev/null
SELECT make_server('slow', sim_url('slow'), 'page_size ''10''') \g /dev/null
CREATE FUNCTION told_to_wait(what text) RETURNS text LANGUAGE sql AS $$
	SELECT sim_calm('slow');
	SELECT sim_fault(jsonb_build_object('path', CASE what WHEN 'token' THEN '/v2/auth/token' ELSE '/v2/connections*' END,
		'after', (what = 'second page')::int, 'times', -1, 'do', 'status', 'status', 429, 'headers', '{"Retry-After": "60"}'::jsonb), 'slow');
	SELECT what;
$$;
SELECT ends('pause of 60 s before a retry', told_to_wait(what), way, format(statement, 'slow'), :room_ms)
FROM (SELECT what, statement, n FROM statements UNION ALL SELECT 'second page', statement, 5 FROM statements
	WHERE what = 'list') s, unnest('{statement_timeout,cancel,terminate}'::text[]) way
ORDER BY s.n;

-- the second page of a list, and a reply that stops in its middle
CREATE FUNCTION stuck(fault text, after int) RETURNS text LANGUAGE sql AS $$
	SELECT sim_calm('slow');
	SELECT sim_fault(jsonb_build_object('path', '/v2/connections', 'after', after, 'times', -1, 'do', fault, 'ms_per_byte', 1000), 'slow');
	SELECT fault;
$$;
SELECT ends('second page: ' || fault, stuck(fault, 1), way, 'SELECT count(connection_id)::text FROM slow.connections', :room_ms)
FROM unnest('{never,drip}'::text[]) fault, unnest('{statement_timeout,cancel,terminate}'::text[]) way;

-- many look-ups under way at once
CREATE TABLE ids AS SELECT 'id-' || i AS connection_id FROM generate_series(1, 50) i;
ANALYZE ids;
SELECT ends('waiting for an answer', 'look-ups of a join', way,
	'SELECT count(c.name)::text FROM ids LEFT JOIN silent.connections c USING (connection_id)', :room_ms)
FROM unnest('{statement_timeout,cancel,terminate}'::text[]) way;

-- functions
CREATE TABLE calls (call text);
INSERT INTO calls VALUES ('sigma_whoami(''silent'')'), ('sigma_test_connection(''silent'', ''x'')'), ('sigma_request(''silent'', ''GET'', ''/v2/members'')'),
	('sigma_create_connection(''silent'', ''x'', ''{"type": "postgres"}'')');
SELECT ends('waiting for an answer', call, way, format('SELECT (%s)::text', call), :room_ms)
FROM calls, unnest('{statement_timeout,cancel}'::text[]) way;

-- --------------------------------------- work for which nobody need be waited for

CREATE TABLE arrays AS SELECT array_agg('key ' || i) AS keys FROM generate_series(1, 100000) i;
SELECT ends('a long array of keys', 'look-ups', 'statement_timeout',
	'SELECT count(permission)::text FROM sim.connection_grants WHERE connection_id = ANY ((SELECT keys FROM arrays)::text[])', :room_ms);
SELECT ends('a long array of keys', 'that nothing can have', 'statement_timeout',
	$$SELECT count(element_id)::text FROM sim.workbook_elements WHERE workbook_id = ANY ((SELECT keys FROM arrays)::text[]) AND page_id = ANY ('{"",.,..}')$$,
		:room_ms);

-- ------------------------------------------------- what a cancel leaves behind

-- a cancelled create is named, as it may have been carried out
SELECT sim_spoil_create('never', '{"times": 1}') \g /dev/null
SELECT psql($$SET statement_timeout = 300;
	INSERT INTO sim.connections (name, details) VALUES ('interrupted', '{"type": "postgres", "host": "h", "database": "d"}');$$)
	AS told \gset
SELECT alike(:'told'::text, '%ERROR:  57014: canceling statement due to statement timeout%', 'a create that is cancelled');
SELECT alike(:'told'::text, '%WARNING:  01000: connection "interrupted" may exist in Sigma%', 'is named, since nobody knows whether it was carried out');
-- one that never left is not
SELECT psql($$SET statement_timeout = 300;
	INSERT INTO no_accept.connections (name, details) VALUES ('not sent', '{"type": "postgres", "host": "h", "database": "d"}');$$)
	AS told \gset
SELECT alike(:'told'::text, '%ERROR:  57014: canceling statement due to statement timeout%', 'a create that is cancelled before it left');
SELECT unalike(:'told'::text, '%may exist%', 'is not, since it was not carried out');

-- a caught cancel, again and again
SET statement_timeout = 300;
SELECT (catch('SELECT count(connection_id) FROM silent.connections')).state AS state \gset
SET statement_timeout = 0;
SELECT is(:'state'::text, '57014', 'a cancel keeps its own SQLSTATE');
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'and the session goes on');

SELECT diag(format('longest time to end, of %s trials: %s ms', count(*), round(max(ms)::numeric, 1))) FROM results;
SELECT diag(format('  %s: %s ms (%s, %s)', phase, round(ms::numeric, 1), what, way)) FROM (SELECT DISTINCT ON (phase) * FROM results ORDER BY phase, ms DESC) r;

SELECT * FROM finish();

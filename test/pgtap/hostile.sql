-- Replies that are made to fill the memory, or to keep a backend busy: each
-- ends in an error, soon, with little memory, and the session goes on.

\ir lib/simulator.sql
SELECT * FROM no_plan();

\set room_ms 5000
CREATE TABLE floods (mode text, state text, message text, n serial);
INSERT INTO floods (mode, state, message) VALUES
	('headers', 'HV000', 'head of the reply of server "%" is too large'),
	('interim', 'HV000', 'head of the reply of server "%" is too large'),
	('trailers', 'HV000', 'head of the reply of server "%" is too large'),
	('chunk-line', 'HV000', 'reply of server "%" exceeds max_response_size of 1048576 bytes'),
	-- what is not kept takes no memory, and the time limit ends it
	('chunk-extension', '08006', 'server "%" did not answer within request_timeout (1500 ms)'),
	('empty-blocks', 'HV000', 'reply of server "%" exceeds max_response_size of 1048576 bytes'),
	('bomb', 'HV000', 'reply of server "%" exceeds max_response_size of 1048576 bytes'),
	('stacked', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly'),
	('stacked-lines', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly'),
	('transfer-gzip', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly'),
	('brotli', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly'),
	('cut-member', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly'),
	('behind-member', 'HV000', 'reply of server "%" is coded in a way that was not asked for, or badly');
SELECT hostile_start(mode) FROM floods \g /dev/null
-- once as what gives the token, once as the API itself, with a token from elsewhere
SELECT make_server(replace(mode, '-', '_') || '_token', sim_url(mode), 'max_retries ''0'', request_timeout ''1500ms'', max_response_size ''1048576'''),
	make_server(replace(mode, '-', '_'), sim_url(mode), format('max_retries ''0'', request_timeout ''1500ms'', max_response_size ''1048576'', token_url %L', sim_url() || '/v2/auth/token'))
FROM floods \g /dev/null

-- bytes that this backend has ever taken at a time
CREATE FUNCTION peak() RETURNS bigint LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)')::bigint * 1024
$$;
CREATE FUNCTION survives(mode text, server text, state text, message text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before bigint := peak();
	began timestamptz := clock_timestamp();
	ms int;
	said_state text := 'none';
	said text := 'no error';
BEGIN
	BEGIN
		EXECUTE format('SELECT count(connection_id) FROM %I.connections', server);
	EXCEPTION WHEN OTHERS THEN
		said_state := sqlstate;
		said := sqlerrm;
	END;
	ms := extract(epoch FROM clock_timestamp() - began) * 1000;
	RETURN NEXT diag(format('%s: %s ms, %s kB more', server, ms, (peak() - before) / 1024));
	RETURN NEXT is(said_state, state, server || ': ' || said);
	RETURN NEXT alike(said, message, '... as such');
	RETURN NEXT cmp_ok(ms, '<', current_setting('sigma_test.room_ms')::int, '... soon');
	RETURN NEXT cmp_ok(peak() - before, '<', 24::bigint * 1024 * 1024, '... with little memory');
END $$;
SELECT set_config('sigma_test.room_ms', :'room_ms', false) \g /dev/null
SELECT survives(mode, replace(mode, '-', '_') || suffix, state, message) FROM floods, unnest('{"",_token}'::text[]) suffix ORDER BY n, suffix;

-- what is legal, if rare, is read
SELECT make_server('members', hostile_start('members'), format('token_url %L', sim_url() || '/v2/auth/token')) \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM members.connections), 0, 'several gzip members are one body');

-- and the session goes on
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'the next query of the session works');

SELECT * FROM finish();

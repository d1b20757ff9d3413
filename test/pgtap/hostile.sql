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
	make_server(replace(mode, '-', '_'), sim_url(mode),
		format('max_retries ''0'', request_timeout ''1500ms'', max_response_size ''1048576'', token_url %L', sim_url() || '/v2/auth/token'))
FROM floods \g /dev/null

-- bytes that this backend has ever taken at a time
CREATE FUNCTION peak() RETURNS bigint LANGUAGE sql AS $$
	SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+)')::bigint * 1024
$$;
-- what reading a table of that server ends in, and takes
CREATE TYPE attack AS (state text, message text, ms int, bytes bigint);
CREATE FUNCTION attack(server text) RETURNS attack LANGUAGE plpgsql AS $$
DECLARE
	before bigint := peak();
	began timestamptz := clock_timestamp();
	a attack;
BEGIN
	BEGIN
		EXECUTE format('SELECT count(connection_id) FROM %I.connections', server);
		a.state := 'none';
	EXCEPTION WHEN OTHERS THEN
		a.state := sqlstate;
		a.message := sqlerrm;
	END;
	a.ms := extract(epoch FROM clock_timestamp() - began) * 1000;
	a.bytes := peak() - before;
	RETURN a;
END $$;
CREATE FUNCTION survived(a attack, server text, state text, message text, ms int, megabytes int) RETURNS SETOF text LANGUAGE sql AS $$
	VALUES (diag(format('%s: %s ms, %s kB more', server, a.ms, a.bytes / 1024))),
		(is(a.state, state, server || ': ' || a.message)),
		(alike(a.message, message, '... as such')),
		(cmp_ok(a.ms, '<', ms, '... soon')),
		(cmp_ok(a.bytes, '<', megabytes::bigint * 1024 * 1024, '... with little memory'))
$$;
SELECT survived(attack(server), server, state, message, :room_ms, 24)
FROM floods, unnest('{"",_token}'::text[]) suffix, concat(replace(mode, '-', '_'), suffix) server ORDER BY n, suffix;

-- What is within the cap must not become many times as much when it is read.
-- The peak is that of a process, so each needs one of its own: the body itself
-- is here twice, coded and decoded, and its buffer grows by doubling.
CREATE TABLE amplified (mode text, token boolean, message text, n serial);
INSERT INTO amplified (mode, token, message) VALUES
	('full-token', true, 'server "%" answered the sign-in without a usable access_token'),
	('long-token', true, 'server "%" answered the sign-in without a usable access_token'),
	('full-entry', false, 'unexpected reply from Sigma: an entry has more than 10000 members'),
	('full-page', false, 'unexpected reply from Sigma: it has more than 1000000 entries'),
	('long-next', false, 'unexpected reply from Sigma: the token of the next page is too long');
SELECT make_server(replace(mode, '-', '_'), hostile_start(mode), CASE WHEN token THEN ''
	ELSE format('token_url %L, ', sim_url() || '/v2/auth/token') END || 'max_retries ''0''')
FROM amplified \g /dev/null
SELECT dblink_connect(mode, current_setting('sim.conninfo')) FROM amplified \g /dev/null
SELECT survived(a, mode, 'HV000', m.message, 4 * :room_ms, 200)
FROM amplified m, dblink(mode, format('SELECT * FROM attack(%L)', replace(mode, '-', '_'))) AS a(state text, message text, ms int, bytes bigint) ORDER BY n;

-- A proxy that the server's environment names is asked for what is elsewhere,
-- and only for a tunnel; for this machine it is not, as the rest of this suite shows.
SELECT sim_shell('test "$https_proxy" = http://127.0.0.1:1 && echo t || echo f') AS proxied \gset
\if :proxied
SELECT make_server('elsewhere', 'https://sigma.example.com', 'max_retries ''0''') \g /dev/null
SELECT fails('SELECT * FROM elsewhere.connections', '08001', 'could not connect to server "elsewhere"',
	'POST https://sigma.example.com/v2/auth/token: %127.0.0.1%', NULL, 'a proxy in the environment');
\else
SELECT skip('the server was started without the proxy', 1);
\endif

-- what is legal, if rare, is read
SELECT make_server('members', hostile_start('members'), format('token_url %L', sim_url() || '/v2/auth/token')) \g /dev/null
SELECT is((SELECT count(connection_id)::int FROM members.connections), 0, 'several gzip members are one body');

-- and the session goes on
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'the next query of the session works');

SELECT * FROM finish();

-- What a client does not wait for costs no time: a cursor that is left alone while requests are under way, and the limits
-- that go on measuring once somebody waits again.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- a cursor whose pages are asked for ahead: some are fetched, the client leaves for a while, the rest is fetched
CREATE FUNCTION fetched(server text, first int, idle float8, spoil text DEFAULT 'SELECT 1') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c refcursor;
	row record;
	n int := 0;
BEGIN
	OPEN c FOR EXECUTE format('SELECT connection_id FROM %I.connections', server);
	FOR i IN 1..first LOOP
		FETCH c INTO row;
		n := n + 1;
	END LOOP;
	PERFORM pg_sleep(idle);
	EXECUTE spoil;
	LOOP
		FETCH c INTO row;
		EXIT WHEN NOT FOUND;
		n := n + 1;
	END LOOP;
	CLOSE c;
	RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- ------------------------------------------------------- request_timeout

SELECT sim_start('slow', '--latency 20') \g /dev/null
SELECT make_server('slow', sim_url('slow'), 'request_timeout ''400ms'', max_retries ''0'', page_size ''1''') \g /dev/null
SELECT is(fetched('slow', 1, 0), '13 rows', 'a cursor');
SELECT is(fetched('slow', i, 0.8), '13 rows', format('left alone after %s rows for longer than request_timeout', i)) FROM unnest('{2,4,7}'::int[]) i;
SELECT sim_config('{"latency_ms": 0}', 'slow') \g /dev/null
SELECT is(fetched('slow', 4, 0.8), '13 rows', '... where every answer comes at once');
-- whoever waits, waits no longer than before
SELECT sim_calm('slow') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "after": 4, "times": -1, "do": "never"}', 'slow') \g /dev/null
SELECT alike(fetched('slow', 4, 0.8), '08006 server "slow" did not answer within request_timeout (400 ms)',
	'a page that does not come is waited for no longer');
SELECT sim_calm('slow') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "after": 4, "times": -1, "do": "drip", "ms_per_byte": 20}', 'slow') \g /dev/null
SELECT alike(fetched('slow', 4, 0.8), '08006 server "slow" did not answer within request_timeout (400 ms)', '... nor one that drips');
SELECT cmp_ok(ms_of('SELECT fetched(''slow'', 0, 0)'), '<', 3000::float8, '... in time');
-- a server that has lost its patience meanwhile is asked again, which is no retry
SELECT sim_calm('slow') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "query": "page=6", "do": "truncate", "bytes": 10, "ms": 200}', 'slow') \g /dev/null
SELECT is(fetched('slow', 4, 1.3), '13 rows', 'replies that broke off while nobody looked');
SELECT sim_calm('slow') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "query": "page=6", "do": "truncate", "bytes": 10, "ms": 200}', 'slow') \g /dev/null
SELECT alike(fetched('slow', 4, 0), '08006 connection to server "slow" was lost', '... but not those of whom somebody waited for');
SELECT sim_calm('slow') \g /dev/null

-- beside other scans, where an Append waits
CREATE TABLE parts (connection_id text);
SELECT sim_start('other') \g /dev/null
SELECT make_server('other', sim_url('other')) \g /dev/null
CREATE FOREIGN TABLE parts_1 () INHERITS (parts) SERVER slow OPTIONS (resource 'connections');
CREATE FOREIGN TABLE parts_2 () INHERITS (parts) SERVER other OPTIONS (resource 'connections');
CREATE SCHEMA all_parts;
CREATE VIEW all_parts.connections AS SELECT * FROM parts;
SELECT is(fetched('all_parts', 2, 0.8), '26 rows', 'asynchronous scans that are left alone');
SELECT sim_spoil_list('never', '{}', 'slow') \g /dev/null
SELECT fails('SELECT * FROM parts', '08006', '%"slow" did not answer within request_timeout (400 ms)',
	'%no whole reply after 4__ ms%', NULL, 'while an Append waits, time passes') FROM generate_series(1, 3);
SELECT sim_calm('slow') \g /dev/null

-- ------------------------------------------------------- connect_timeout

-- TLS takes turns: what is in the middle of it goes on when somebody waits again
SELECT sim_shell('d=$(mktemp -d); '
	'openssl req -x509 -newkey rsa:2048 -nodes -keyout $d/key -out $d/cert -days 2 -subj /CN=127.0.0.1 -addext '
	'subjectAltName=IP:127.0.0.1 2>/dev/null; chmod 755 $d; chmod 644 $d/cert; echo $d') AS tls \gset
SELECT sim_start('tls', '--tls-cert ' || :'tls' || '/cert --tls-key ' || :'tls' || '/key') \g /dev/null
SELECT make_server('tls', replace(sim_url('tls'), 'http:', 'https:'),
	format('connect_timeout ''400ms'', max_retries ''0'', page_size ''1'', ca_file %L', :'tls' || '/cert')) \g /dev/null
SELECT is(fetched('tls', i, 0.8), '13 rows', format('connections that are being made when the client leaves, after %s rows', i)) FROM generate_series(1, 8) i;
-- the first of them, for a sign-in, beside a scan that has rows at once
CREATE FOREIGN TABLE parts_3 () INHERITS (parts) SERVER tls OPTIONS (resource 'connections', page_size '1000');
ALTER SERVER tls OPTIONS (ADD max_concurrency '5');
SELECT is(fetched('all_parts', i, 0.8), '39 rows', 'a sign-in that is begun when the client leaves') FROM generate_series(1, 2) i;
SELECT sim_shell('rm -r ' || :'tls') \g /dev/null

-- ------------------------------------------------- a failure is one's own

-- A cursor's request that cannot even be begun (its URL is longer than libcurl takes), and whose turn comes while somebody waits
-- for another: that one's error is the cursor's, and takes no place from anybody.
SELECT sim_start('first') \g /dev/null
SELECT make_server('first', sim_url('first'), 'max_concurrency ''1'', max_retries ''0''') \g /dev/null
SELECT sim_spoil_token('delay', '{"ms": 300}', 'first') \g /dev/null
CREATE TABLE long AS SELECT repeat('x', 9000000) AS name;
CREATE FUNCTION beside(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR FOR SELECT connection_id FROM other.connections UNION ALL SELECT connection_id FROM first.connections WHERE name = (SELECT name FROM long);
	row record;
	result text[];
BEGIN
	OPEN c;
	FETCH c INTO row;
	FOR i IN 1..2 LOOP
		BEGIN
			EXECUTE statement;
			result := array_append(result, 'done');
		EXCEPTION WHEN OTHERS THEN
			result := array_append(result, SQLSTATE);
		END;
	END LOOP;
	BEGIN
		LOOP
			FETCH c INTO row;
			EXIT WHEN NOT FOUND;
		END LOOP;
		result := array_append(result, 'fetched');
	EXCEPTION WHEN OTHERS THEN
		result := array_append(result, SQLSTATE);
	END;
	RETURN result;
END $$;
-- signs in to the one that has rows at once
SELECT count(connection_id) FROM other.connections \g /dev/null
SELECT is(beside('SELECT count(name) FROM first.connections'), '{done,done,HV000}', 'a request that cannot be sent is none of another scan''s business');
-- another session, which has no token yet
ALTER SERVER first OPTIONS (SET max_retries '1');
SELECT is(beside($$INSERT INTO first.connections (name, details) VALUES ('beside', '{"type": "postgres", "host": "h", "database": "d"}')$$),
	'{HV000,done,55000}', '... but of a write''s, which reads that list first');
SELECT is((SELECT array_agg(method || ' ' || status ORDER BY n) FROM sim_log('first') WHERE method <> 'GET'), '{POST 201}', '... and is not sent if it cannot');

SELECT * FROM finish();

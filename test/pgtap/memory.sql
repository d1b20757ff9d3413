-- Neither memory nor descriptors nor threads of a session grow with what it
-- has done.  The figures are shown at the end of each part.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- resident memory of this backend in kB, what it has open that is no file of a
-- relation, and its threads
CREATE TYPE figures AS (resident int, contexts int, handles int, threads int);
CREATE FUNCTION handles(backend int) RETURNS int LANGUAGE sql AS $$
	SELECT sim_shell('ls -l /proc/' || backend || '/fd | grep -cE ''socket:|pipe:|anon_inode:''')::int
$$;
CREATE FUNCTION figures() RETURNS figures LANGUAGE plpgsql AS $$
DECLARE
	f figures;
BEGIN
	SELECT substring(s FROM 'VmRSS:\s*(\d+)')::int, substring(s FROM 'Threads:\s*(\d+)')::int INTO f.resident, f.threads
		FROM sim_shell('cat /proc/' || pg_backend_pid() || '/status') s;
	f.handles := handles(pg_backend_pid());
	SELECT sum(total_bytes) / 1024 INTO f.contexts FROM pg_backend_memory_contexts WHERE name LIKE 'sigma%'
		OR name IN ('TopMemoryContext', 'CacheMemoryContext');
	RETURN f;
END $$;

-- Does a thing, first to warm up, then often.  What is left of the growth must
-- be less than a limit in kB.
CREATE FUNCTION grows(what text, warm_up text, often text, limit_kb int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before figures;
	after figures;
	start timestamptz;
	s float8;
BEGIN
	EXECUTE warm_up;
	before := figures();
	start := clock_timestamp();
	EXECUTE often;
	s := extract(epoch FROM clock_timestamp() - start);
	after := figures();
	RETURN NEXT cmp_ok(after.resident - before.resident, '<', limit_kb, what || ': memory');
	RETURN NEXT cmp_ok(after.contexts - before.contexts, '<', 300, what || ': memory contexts');
	-- a session keeps up to max_concurrency + 1 connections
	RETURN NEXT cmp_ok(after.handles, '<=', before.handles + 5, what || ': open handles');
	RETURN NEXT is(after.threads, before.threads, what || ': threads');
	RETURN NEXT diag(format('%s: %s s; resident memory %s kB -> %s kB, contexts %s kB -> %s kB, handles %s -> %s, threads %s -> %s', what, round(s::numeric, 1),
		before.resident, after.resident, before.contexts, after.contexts, before.handles, after.handles, before.threads, after.threads));
END $$;
CREATE PROCEDURE times(n int, statement text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		EXECUTE statement;
	END LOOP;
END $$;
CREATE PROCEDURE failures(n int, statement text) LANGUAGE plpgsql AS $$
DECLARE
	failed int := 0;
BEGIN
	FOR i IN 1..n LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			failed := failed + 1;
		END;
	END LOOP;
	IF failed <> n THEN
		RAISE '% of % failed', failed, n;
	END IF;
END $$;

-- ------------------------------------------------------------- a long list

SELECT sim_start('long', '--connections 100000') \g /dev/null
SELECT make_server('long', sim_url('long')) \g /dev/null
SELECT grows('100,000 connections', 'SELECT count(name) FROM long.connections', 'SELECT count(name) FROM long.connections', 8000);
SELECT is(n, 100000, 'all of them') FROM (SELECT count(attrs)::int AS n FROM long.connections) c;
SELECT grows('100,000 connections, whole rows, twice more', 'SELECT count(c) FROM long.connections c', 'SELECT count(c) FROM long.connections c', 8000);
SELECT sim_stop('long') \g /dev/null

-- ------------------------------------------------------------------ rescans

-- a list of two pages, so that it is read anew each time
ALTER SERVER sim OPTIONS (ADD page_size '10', ADD max_retries '0');
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off; SET jit = off;
CREATE FOREIGN TABLE look (connection_id text, name text) SERVER sim OPTIONS (resource 'connections', rows '1000000');
CREATE TABLE ids AS SELECT connection_id, i FROM (SELECT connection_id FROM sim.connections LIMIT 1) c, generate_series(1, 5000) i;
ANALYZE ids;
SELECT grows('5,000 look-ups in one join',
	'SELECT count(l.name) FROM (SELECT * FROM ids LIMIT 500) i JOIN look l USING (connection_id)',
	'SELECT count(l.name) FROM ids i JOIN look l USING (connection_id)', 3000);
SELECT grows('10,000 rescans', 'SELECT sum((SELECT count(c.name) FROM sim.connections c WHERE c.type > i::text)) FROM generate_series(1, 1000) i',
	'SELECT sum((SELECT count(c.name) FROM sim.connections c WHERE c.type > i::text)) FROM generate_series(1, 10000) i', 3000);
SELECT grows('1,000 scans in one function', 'CALL times(200, ''SELECT count(name) FROM sim.connections'')',
	'CALL times(1000, ''SELECT count(name) FROM sim.connections'')', 3000);

-- ------------------------------------------------------------------- errors

CREATE FOREIGN TABLE ill_typed (connection_id text, name int) SERVER sim OPTIONS (resource 'connections');
SELECT grows('1,000 values that do not fit', 'CALL failures(200, ''SELECT * FROM ill_typed'')', 'CALL failures(1000, ''SELECT * FROM ill_typed'')', 3000);
SELECT sim_spoil_list('status', '{"status": 403}') \g /dev/null
SELECT grows('10,000 refused requests', 'CALL failures(1000, ''SELECT * FROM sim.connections'')',
	'CALL failures(10000, ''SELECT * FROM sim.connections'')', 3000);
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('truncate', '{"bytes": 3000}') \g /dev/null
SELECT grows('1,000 replies cut short', 'CALL failures(200, ''SELECT * FROM sim.connections'')',
	'CALL failures(1000, ''SELECT * FROM sim.connections'')', 3000);
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": "{\"entries\": [{\"connectionId\": \"x\"}, 5]}"}') \g /dev/null
SELECT grows('1,000 replies that are none', 'CALL failures(200, ''SELECT * FROM sim.connections'')',
	'CALL failures(1000, ''SELECT * FROM sim.connections'')', 3000);
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_create('status', '{"status": 400}') \g /dev/null
SELECT grows('1,000 refused creates', 'CALL failures(200, ''INSERT INTO sim.connections (name, details) '
	'VALUES (''''x'''', ''''{"type": "postgres", "password": "p"}'''')'')',
	'CALL failures(1000, ''INSERT INTO sim.connections (name, details) VALUES (''''x'''', ''''{"type": "postgres", "password": "p"}'''')'')', 3000);
SELECT sim_calm() \g /dev/null
SELECT make_server('nowhere', 'http://127.0.0.1:1', 'max_retries ''0''') \g /dev/null
SELECT grows('1,000 connections refused', 'CALL failures(200, ''SELECT * FROM nowhere.connections'')',
	'CALL failures(1000, ''SELECT * FROM nowhere.connections'')', 3000);
SELECT grows('1,000 self-joins that fail in the middle',
	'CALL failures(200, ''SELECT c.name FROM sim.connections c JOIN ill_typed i ON c.type > i.connection_id WHERE i.name > 0'')',
	'CALL failures(1000, ''SELECT c.name FROM sim.connections c JOIN ill_typed i ON c.type > i.connection_id WHERE i.name > 0'')', 3000);
-- a new session for each change of the server
SELECT grows('300 changes of the server', 'CALL times(50, ''ALTER SERVER sim OPTIONS (SET page_size ''''10''''); SELECT count(name) FROM sim.connections'')',
	'CALL times(300, ''ALTER SERVER sim OPTIONS (SET page_size ''''10''''); SELECT count(name) FROM sim.connections'')', 4000);

-- ------------------------------------------------------------------ cancels

-- in a session of its own, since each is one of its statements
SELECT dblink_connect('victim', current_setting('sim.conninfo')) \g /dev/null
SELECT pid AS victim FROM dblink('victim', 'SELECT pg_backend_pid()') p (pid int) \gset
SELECT make_server('silent', hostile_start('silent'), format('token_url %L', sim_url() || '/v2/auth/token')) \g /dev/null
CREATE FUNCTION victims_figures(victim int) RETURNS int[] LANGUAGE sql AS $$
	SELECT string_to_array(sim_shell(format('sed -n "s/^\(VmRSS\|Threads\):[[:space:]]*\([0-9]*\).*/\2/p" /proc/%s/status',
		victim)), E'\n')::int[] || handles(victim)
$$;
CREATE FUNCTION cancels(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	cancelled int := 0;
BEGIN
	FOR i IN 1..n LOOP
		PERFORM dblink_send_query('victim', CASE i % 3 WHEN 0 THEN 'SELECT name FROM silent.connections'
			WHEN 1 THEN 'SELECT name FROM silent.connections WHERE connection_id = ''x'''
				ELSE 'INSERT INTO silent.connections (name, details) VALUES (''x'', ''{"type": "postgres"}'') RETURNING name' END);
		PERFORM * FROM dblink_get_result('victim', false) r (name text);
		IF dblink_error_message('victim') LIKE '%statement timeout%' THEN
			cancelled := cancelled + 1;
		ELSE
			RAISE WARNING 'not cancelled: %', dblink_error_message('victim');
		END IF;
		PERFORM * FROM dblink_get_result('victim', false) r (name text);
	END LOOP;
	RETURN cancelled;
END $$;
SELECT dblink_exec('victim', 'SET statement_timeout = 10; SET client_min_messages = error') \g /dev/null
SELECT cancels(60) \g /dev/null
SELECT victims_figures(:victim) AS before \gset
SET client_min_messages = warning;
SELECT is(cancels(1000), 1000, '1,000 cancels');
RESET client_min_messages;
SELECT victims_figures(:victim) AS after \gset
SELECT cmp_ok((:'after'::int[])[1] - (:'before'::int[])[1], '<', 2000, '1,000 cancels: memory');
SELECT is((:'after'::int[])[2], (:'before'::int[])[2], '1,000 cancels: threads');
SELECT cmp_ok((:'after'::int[])[3], '<=', (:'before'::int[])[3] + 5, '1,000 cancels: open handles');
SELECT diag(format('1,000 cancels: resident memory %s kB -> %s kB, handles %s -> %s, threads %s -> %s', b[1], a[1], b[3], a[3],
	b[2], a[2])) FROM (SELECT :'before'::int[] AS b, :'after'::int[] AS a) f;

SELECT * FROM finish();

-- A million rows of an element: all of them, in as much memory as a thousand
-- take, and cancelled wherever it may be.  The figures are shown.

\ir lib/simulator.sql
SELECT * FROM no_plan();

\set many 1000000
SELECT sim_start('data', '--element-rows ' || :many) \g /dev/null
SELECT make_server('data', sim_url('data'), '', 'workbooks') \g /dev/null
SELECT set_config('sim.workbook', workbook_id, false) AS workbook FROM data.workbooks WHERE name = 'Sales overview' \gset
CREATE SCHEMA e;
SELECT format('CREATE FOREIGN TABLE e.large (n int, code text, amount numeric, region text) SERVER data
	OPTIONS (resource ''element'', workbook_id %L, element_id ''elLarge'')', :'workbook') \gexec

-- ------------------------------------------------------------------- memory

-- the most memory that a fresh session's process has had when a statement has been run, in kB
CREATE FUNCTION peak_of(statement text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	backend int;
BEGIN
	PERFORM dblink_connect('reader', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('reader', 'SELECT pg_backend_pid()') r (pid int);
	PERFORM * FROM dblink('reader', statement) r (n text);
	backend := substring(sim_shell('cat /proc/' || backend || '/status') FROM 'VmHWM:\s*(\d+)')::int;
	PERFORM dblink_disconnect('reader');
	RETURN backend;
END $$;

SELECT is((SELECT format('%s %s %s', count(*), sum(n), count(DISTINCT region)) FROM e.large), '1000000 499999500000 4', 'a million rows');
-- what the rows go through, not what their count is kept in
SELECT peak_of('SELECT count(code || amount || region)::text FROM (SELECT * FROM e.large LIMIT 1000) x') AS few \gset
SELECT peak_of('SELECT count(code || amount || region)::text FROM e.large') AS many_kb \gset
SELECT cmp_ok(:many_kb - :few, '<', 4000, '... go through as much memory as a thousand');
SELECT diag(format('most resident memory with 1,000 rows: %s kB, with 1,000,000: %s kB', :few, :many_kb));

-- -------------------------------------------------- other requests meanwhile

-- what a session asks for while a file is being read lets more of the file come
CREATE FUNCTION read_slowly(every int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	seen int := 0;
BEGIN
	FOR r IN SELECT n, code FROM e.large LIMIT 300000 LOOP
		IF r.n <> seen OR r.code <> 'code ' || seen::bigint * 7919 % 1000003 THEN
			RETURN format('row %s is %s', seen, r);
		END IF;
		seen := seen + 1;
		IF seen % every = 0 THEN
			PERFORM count(*) FROM sigma_list('data', '/v2/teams');
		END IF;
	END LOOP;
	RETURN seen;
END $$;
SELECT is(read_slowly(1000), '300000', 'other lists are read between the rows');
SELECT is((SELECT format('%s %s %s', count(*), sum(x.n), count(y.code)) FROM (SELECT * FROM e.large LIMIT 300000) x JOIN (SELECT * FROM e.large LIMIT 300000) y
	USING (n)), '300000 44999850000 300000', 'two files at once, of which one is begun first');
BEGIN;
DECLARE a CURSOR FOR SELECT n FROM e.large;
DECLARE b CURSOR FOR SELECT n FROM e.large;
MOVE 10 IN a;
MOVE 100000 IN b;
MOVE 99990 IN a;
FETCH a \gset a_
FETCH b \gset b_
COMMIT;
SELECT is(:'a_n' || ' ' || :'b_n', '100000 100000', 'two cursors in turn');

-- ------------------------------------------------------------------- cancel

CREATE TABLE results (phase text, ms float8);

-- Cancels a statement that long after its start, or after it has been sent so many rows, and looks how long that takes.
CREATE FUNCTION ends(phase text, statement text, after_ms int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	backend int;
	told timestamptz;
	ms float8;
	message text;
BEGIN
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('victim', 'SELECT pg_backend_pid()') r (pid int);
	PERFORM dblink_send_query('victim', statement);
	PERFORM pg_sleep(after_ms / 1000.0);
	told := clock_timestamp();
	PERFORM pg_cancel_backend(backend);
	WHILE dblink_is_busy('victim') = 1 AND clock_timestamp() < told + interval '10 s' LOOP
		PERFORM pg_sleep(0.001);
	END LOOP;
	ms := extract(epoch FROM clock_timestamp() - told) * 1000;
	INSERT INTO results VALUES (phase, ms);
	PERFORM * FROM dblink_get_result('victim', false) r (n text);
	message := dblink_error_message('victim');
	PERFORM dblink_disconnect('victim');
	-- a busy machine gets a second
	RETURN ok(ms < 1000 AND message LIKE '%canceling statement due to user request%', format('%s: cancelled after %s ms', phase, after_ms))
		|| CASE WHEN ms < 1000 THEN '' ELSE E'\n' || diag(format('after %s ms: %s', ms, message)) END;
END $$;

-- a statement that has ended before it is told to would fail here
SELECT ends('rows', 'SELECT count(a.code || b.code)::text FROM e.large a JOIN e.large b USING (n)', ms)
FROM generate_series(50, 500, 50) ms;
SELECT sim_config('{"export": {"ms": 60000}}', 'data') \g /dev/null
SELECT ends('the export takes a minute', 'SELECT max(code) FROM e.large', ms) FROM generate_series(100, 1300, 300) ms;
SELECT ends('the export takes a minute, function', format('SELECT count(*)::text FROM sigma_element_rows(''data'', %L, ''elLarge'')', :'workbook'), 300);
SELECT ends('the export takes a minute, file', format('SELECT length(sigma_export(''data'', %L))::text', :'workbook'), 300);
SELECT sim_config('{"export": {"ms": 0}}', 'data') \g /dev/null
SELECT ends('rows that are kept', 'SELECT count(x.code)::text FROM generate_series(1, 20) i, LATERAL (SELECT code FROM e.large WHERE n > i) x', 700);
SELECT ends('rows of the function', format('SELECT count(r ->> ''Code'')::text FROM generate_series(1, 5) i, sigma_element_rows(''data'', %L, ''elLarge'') r',
	:'workbook'), 700);
SELECT ends('rows, which are copied', 'COPY (SELECT a.* FROM e.large a, generate_series(1, 5)) TO PROGRAM ''cat >/dev/null''', 700);
SELECT is((SELECT n FROM e.large LIMIT 1), 0, 'and the next one works');
SELECT diag(format('longest time to end, of %s trials: %s ms', count(*), round(max(ms)::numeric, 1))) FROM results;
SELECT diag(format('  %s: %s ms', phase, round(max(ms)::numeric, 1))) FROM results GROUP BY phase ORDER BY 1;

SELECT * FROM finish();

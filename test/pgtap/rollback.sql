-- What a transaction that is rolled back has created in Sigma is deleted again,
-- or else named; no rollback fails or lasts for it; and every write has a line
-- in the log.

\ir lib/simulator.sql
SELECT * FROM no_plan();
\ir lib/log.sql

CREATE FUNCTION pg() RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT '{"type": "postgres", "host": "h", "database": "d", "password": "hush-pw"}'::jsonb $$;
CREATE FOREIGN TABLE every (connection_id text, name text, is_archived bool) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
CREATE TABLE initial AS SELECT connection_id, name FROM every;
CREATE TABLE local (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
SELECT connection_id AS old FROM every WHERE name = 'Postgres Staging' \gset
SELECT set_config('test.old', :'old', false) \g /dev/null

-- an INSERT for each name
CREATE FUNCTION ins(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('INSERT INTO sim.connections (name, details) VALUES (%L, pg()); ', n), '') FROM unnest(names) n
$$;

-- ends(): how long the backends of psql() outlive it, in ms
CREATE FUNCTION all_ended() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'psql')
			OR clock_timestamp() > start + interval '60 s';
		PERFORM pg_sleep(0.005);
	END LOOP;
	RETURN extract(epoch FROM clock_timestamp() - start) * 1000;
END $$;

-- what the last script was told, how long it took, and how long its session then took to end
CREATE TABLE last (told text, ms float8, ending_ms float8);

-- Runs a script, and looks at both sides: which of its connections are there,
-- which were deleted (each as often as a DELETE was sent for it), which are named.
CREATE FUNCTION after(script text, fault jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
	said text;
	took float8;
	result text;
BEGIN
	PERFORM sim_reset();
	IF fault IS NOT NULL THEN
		PERFORM sim_fault('{"method": "DELETE", "path": "/v2/connections*", "times": -1}' || fault);
	END IF;
	start := clock_timestamp();
	said := coalesce(psql(script), '');
	took := extract(epoch FROM clock_timestamp() - start) * 1000;
	DELETE FROM last;
	INSERT INTO last VALUES (said, took, all_ended());
	PERFORM sim_call('DELETE', 'fault');
	WITH made AS MATERIALIZED (SELECT e.* FROM every e LEFT JOIN initial i USING (connection_id) WHERE i.connection_id IS NULL),
		log AS MATERIALIZED (SELECT * FROM sim_log() WHERE method <> 'GET' AND path NOT LIKE '%/test'),
		deleted AS (SELECT coalesce(e.name, l.path) AS name, e.is_archived FROM log l
			LEFT JOIN every e ON l.path = '/v2/connections/' || e.connection_id WHERE l.method = 'DELETE'),
		warned AS (SELECT CASE WHEN made.name = m[1] OR m[1] ~ '[^ -~]|\?' THEN made.name ELSE 'wrong: ' || m[1] END AS name
			FROM regexp_matches(said, 'WARNING:  01000: connection "([^"]*)" \(([^)]*)\) (?:exists|may exist) in Sigma although '
				'its transaction was rolled back', 'g') m LEFT JOIN made ON made.connection_id = m[2]),
		may AS (SELECT m[1] AS name FROM regexp_matches(said, 'WARNING:  01000: connection "([^"]*)" may exist in Sigma although', 'g') m),
		lists AS (
			SELECT 1 AS n, 'live' AS what, array_agg(name ORDER BY name) AS names FROM made WHERE NOT is_archived
			UNION ALL SELECT 2, 'deleted', array_agg(name ORDER BY name) FROM deleted
			UNION ALL SELECT 3, 'warned', array_agg(name ORDER BY name) FROM warned
			UNION ALL SELECT 4, 'may', array_agg(name ORDER BY name) FROM may
			UNION ALL SELECT 5, 'doubled', array_agg(name ORDER BY name) FROM (SELECT body::jsonb ->> 'name' AS name FROM log
				WHERE method = 'POST' AND status = 201 GROUP BY 1 HAVING count(*) > 1) d
			UNION ALL SELECT 6, 'other', array_agg(method || ' ' || path ORDER BY n) FROM log
				WHERE method NOT IN ('POST', 'DELETE') OR (method = 'POST' AND path <> '/v2/connections')
		)
	SELECT coalesce(string_agg(what || ' ' || array_to_string(names, ' '), ', ' ORDER BY n), 'nothing') INTO result FROM lists WHERE names IS NOT NULL;
	RETURN result;
END $$;
CREATE FUNCTION told(pattern text, description text) RETURNS text LANGUAGE sql AS $$ SELECT alike(told, pattern, description) FROM last $$;
CREATE FUNCTION not_told(pattern text, description text) RETURNS text LANGUAGE sql AS $$ SELECT unalike(told, pattern, description) FROM last $$;
-- the same for the time that a script took, psql's start included
CREATE FUNCTION took(shortest float8, longest float8, description text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN ms BETWEEN shortest AND longest THEN ok(true, description)
		ELSE ok(false, description) || E'\n' || diag(format('took %s ms, not %s to %s', round(ms), shortest, longest)) END FROM last
$$;
CREATE FUNCTION ended_within(longest float8, description text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN ending_ms <= longest THEN ok(true, description) ELSE ok(false, description) || E'\n'
		|| diag(format('ended after %s ms', round(ending_ms))) END FROM last
$$;

-- ------------------------------------------------- whatever rolls it back

CREATE TABLE cases (n int GENERATED ALWAYS AS IDENTITY, what text, script text, expected text, error text);
INSERT INTO cases (what, script, expected, error) VALUES
	('COMMIT', 'BEGIN; ' || ins('a', 'b') || 'COMMIT;', 'live a b', NULL),
	('no transaction block', ins('a'), 'live a', NULL),
	('ROLLBACK', 'BEGIN; ' || ins('a', 'b') || 'ROLLBACK;', 'deleted a b', NULL),
	('ROLLBACK AND CHAIN', 'BEGIN; ' || ins('a') || 'ROLLBACK AND CHAIN; ' || ins('b') || 'COMMIT;', 'live b, deleted a', NULL),
	('an error', 'BEGIN; ' || ins('a') || 'SELECT 1 / 0; COMMIT;', 'deleted a', '22012'),
	('an error in its own statement',
		'INSERT INTO sim.connections (name, details) VALUES (''a'', pg()), (''b'', pg()), (''c'', ''{"type": "postgres"}''), '
		'(''d'', pg());', 'deleted a b', '22023'),
	('an error of RETURNING', 'INSERT INTO sim.connections (name, details) VALUES (''a'', pg()) RETURNING 1 / (length(name) - 1);', 'deleted a', '22012'),
	('a script without BEGIN', 'SELECT 1\; ' || replace(ins('a'), ';', '\;') || 'SELECT 1 / 0;', 'deleted a', '22012'),
	('sigma_create_connection()', 'BEGIN; SELECT sigma_create_connection(''sim'', ''a'', pg()) IS NULL; ROLLBACK;', 'deleted a', NULL),
	('the same in a statement that fails', 'SELECT sigma_create_connection(''sim'', name, pg()) IS NULL, 1 / (length(name) - 2) '
		'FROM unnest(''{a,b,cc,d}''::text[]) name;', 'deleted a b cc', '22012'),
	('COPY', E'COPY sim.connections (name, details) FROM STDIN;\na\t{"type": "postgres", "host": "h", '
		'"database": "d"}\nb\t{"type": "postgres"}\n\\.\n', 'deleted a', '22023'),
	('COPY and ROLLBACK', E'BEGIN; COPY sim.connections (name, details) FROM STDIN;\na\t{"type": "postgres", "host": "h", '
		'"database": "d"}\n\\.\nROLLBACK;', 'deleted a', NULL),
	('COPY of a line that is none',
		E'COPY sim.connections (name, details) FROM STDIN;\na\t{"type": "postgres", "host": "h", "database": "d"}\nb\tnone\n\\.\n', 'deleted a', '22P02'),
	('CREATE TABLE ... AS', 'BEGIN; CREATE TABLE made AS SELECT sigma_create_connection(''sim'', ''a'', pg()); ROLLBACK;', 'deleted a', NULL),
	('a trigger on a local table', 'CREATE FUNCTION pg_temp.t() RETURNS trigger LANGUAGE plpgsql AS $t$ BEGIN ' || ins('a')
		|| ' RETURN NEW; END $t$; CREATE TEMP TABLE t (i int CHECK (i > 0)); '
		'CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.t(); INSERT INTO t VALUES (0);', 'deleted a', '23514'),
	-- savepoints
	('ROLLBACK TO', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'ROLLBACK TO s; ' || ins('c') || 'COMMIT;', 'live a c, deleted b', NULL),
	('ROLLBACK TO, twice', 'BEGIN; SAVEPOINT s; ' || ins('a') || 'ROLLBACK TO s; ' || ins('b') || 'ROLLBACK TO s; COMMIT;', 'deleted a b', NULL),
	('ROLLBACK TO, then ROLLBACK', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'ROLLBACK TO s; ROLLBACK;', 'deleted a b', NULL),
	('a released savepoint', 'BEGIN; SAVEPOINT s; ' || ins('a') || 'RELEASE s; ROLLBACK;', 'deleted a', NULL),
	('a released savepoint in one that is not', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'SAVEPOINT t; '
		|| ins('c') || 'RELEASE t; ' || ins('d') || 'ROLLBACK TO s; ' || ins('e') || 'COMMIT;', 'live a e, deleted b c d', NULL),
	('savepoints of one name', 'BEGIN; SAVEPOINT s; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'ROLLBACK TO s; RELEASE s; '
		'RELEASE s; COMMIT;', 'live a, deleted b', NULL),
	('every second of eight levels', 'BEGIN; ' || (SELECT string_agg(format('SAVEPOINT s%s; %s', i, ins('l' || i)), '' ORDER BY i)
		FROM generate_series(1, 8) i) || 'ROLLBACK TO s7; RELEASE s5; ROLLBACK TO s4; ' || ins('x') || 'RELEASE s2; COMMIT;',
		'live l1 l2 l3 x, deleted l4 l5 l6 l7 l8', NULL),
	('an error below a savepoint', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'SELECT 1 / 0; ROLLBACK TO s; COMMIT;',
		'live a, deleted b', '22012'),
	('a savepoint with nothing to undo, then ROLLBACK', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; SELECT 1 / 0; ROLLBACK TO s; ROLLBACK;', 'deleted a', '22012'),
	('an exception block with nothing to undo, then an error', 'DO $b$ BEGIN ' || ins('a') || ' BEGIN PERFORM 1 / 0; '
		'EXCEPTION WHEN OTHERS THEN NULL; END; RAISE ''x''; END $b$;', 'deleted a', 'P0001'),
	('an error that only COMMIT ends', 'BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'SELECT 1 / 0; COMMIT;', 'deleted a b', '22012'),
	('an exception block', 'DO $b$ BEGIN ' || ins('a') || 'BEGIN ' || ins('b') || ' PERFORM 1 / 0; '
		'EXCEPTION WHEN division_by_zero THEN ' || ins('c') || ' END; ' || ins('d') || ' END $b$;', 'live a c d, deleted b', NULL),
	('an exception block around Sigma''s own refusal', 'DO $b$ BEGIN BEGIN ' || ins('a')
		|| ' INSERT INTO sim.connections (name, details) VALUES (''b'', ''{"type": "postgres"}''); '
		'EXCEPTION WHEN OTHERS THEN NULL; END; END $b$;', 'deleted a', NULL),
	('nested exception blocks', 'DO $b$ BEGIN BEGIN ' || ins('a') || 'BEGIN ' || ins('b') || ' RAISE ''x''; '
		'EXCEPTION WHEN OTHERS THEN ' || ins('c') || ' END; ' || ins('d') || ' RAISE ''y''; EXCEPTION WHEN OTHERS THEN '
		|| ins('e') || ' END; END $b$;', 'live e, deleted a b c d', NULL),
	('a DO that fails', 'DO $b$ BEGIN ' || ins('a') || ' RAISE ''x''; END $b$;', 'deleted a', 'P0001'),
	('ROLLBACK in a DO', 'DO $b$ BEGIN ' || ins('a') || ' ROLLBACK; ' || ins('b') || ' COMMIT; ' || ins('c')
		|| ' ROLLBACK; END $b$;', 'live b, deleted a c', NULL),
	('two backends'' worth of levels', 'DO $b$ BEGIN FOR i IN 1..6 LOOP BEGIN INSERT INTO sim.connections (name, details) '
		'VALUES (''i'' || i, pg()); IF i % 2 = 0 THEN RAISE ''x''; END IF; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; '
		'END $b$;', 'live i1 i3 i5, deleted i2 i4 i6', NULL),
	-- the commit
	('a deferred constraint', 'BEGIN; ' || ins('a') || 'INSERT INTO local VALUES (1), (1); COMMIT;', 'deleted a', '23505'),
	('a deferred constraint without BEGIN',
		'WITH l AS (INSERT INTO local VALUES (1), (1)) INSERT INTO sim.connections (name, details) VALUES (''a'', pg());', 'deleted a', '23505'),
	('a deferred trigger that creates and fails', 'CREATE FUNCTION pg_temp.t() RETURNS trigger LANGUAGE plpgsql AS $t$ BEGIN '
		|| ins('b') || ' RAISE ''late''; END $t$; CREATE TEMP TABLE t (i int); CREATE CONSTRAINT TRIGGER t AFTER '
		'INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.t(); BEGIN; ' || ins('a')
		|| 'INSERT INTO t VALUES (1); COMMIT;', 'deleted a b', 'P0001'),
	('a serialization failure', format('TRUNCATE local; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM local; '
		'%s INSERT INTO local VALUES (1); SELECT dblink_exec(%L, ''BEGIN ISOLATION LEVEL SERIALIZABLE; '
		'DO $d$ BEGIN PERFORM count(*) FROM local; END $d$; INSERT INTO local VALUES (2); COMMIT''); COMMIT; TRUNCATE local;',
		ins('a'), current_setting('sim.conninfo')), 'deleted a', '40001'),
	('PREPARE TRANSACTION', 'BEGIN; ' || ins('a') || 'PREPARE TRANSACTION ''sigma'';', 'deleted a', '0A000'),
	-- what is there before a rollback is none of its business
	('a failure with nothing created', 'BEGIN; SELECT count(connection_id) FROM sim.connections; SELECT 1 / 0; ROLLBACK;', 'nothing', '22012'),
	('an UPDATE and a DELETE', format('BEGIN; UPDATE sim.connections SET name = ''u'' WHERE connection_id = %L; DELETE '
		'FROM sim.connections WHERE name LIKE ''S%%''; ROLLBACK;', :'old'), 'nothing', NULL),
	('a create and its own DELETE', 'BEGIN; ' || ins('a') || 'DELETE FROM sim.connections WHERE name = ''a''; ROLLBACK;', 'deleted a', NULL),
	('the same, committed', 'BEGIN; ' || ins('a') || 'DELETE FROM sim.connections WHERE name = ''a''; COMMIT;', 'deleted a', NULL),
	('a create and its own UPDATE', 'BEGIN; ' || ins('a') || 'UPDATE sim.connections SET name = ''b'' WHERE name = ''a''; ROLLBACK;', 'deleted a', NULL);
SELECT is(after(script), expected, what) || E'\n' || CASE WHEN error IS NULL THEN not_told('%ERROR%', '... without an error')
	ELSE told('%ERROR:  ' || error || '%', '... with its own error') END
	|| E'\n' || CASE WHEN (SELECT told FROM last) ~ 'WARNING:  01000' THEN fail('... without a WARNING')
		ELSE pass('... without a WARNING') END FROM cases ORDER BY n;

-- a DELETE at the commit that Sigma refuses
SELECT sim_reset() \g /dev/null
SELECT is(after('BEGIN; ' || ins('a') || format('DELETE FROM sim.connections WHERE connection_id = %L; COMMIT;', :'old'),
	jsonb_build_object('path', '/v2/connections/' || :'old', 'do', 'status', 'status', 403)), 'deleted Postgres Staging a', 'a commit that fails for a DELETE');
SELECT told('%ERROR:  42501: could not delete connection "Postgres Staging"%', '... with its error');
SELECT not_told('%WARNING%', '... and no WARNING');
-- it fails after the queue was sent
SELECT is(after(format('TRUNCATE local; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM local; '
	'%s DELETE FROM sim.connections WHERE connection_id = %L; INSERT INTO local VALUES (1); '
	'SELECT dblink_exec(%L, ''BEGIN ISOLATION LEVEL SERIALIZABLE; DO $d$ BEGIN PERFORM count(*) FROM local; '
	'END $d$; INSERT INTO local VALUES (2); COMMIT''); COMMIT; TRUNCATE local;', ins('a'), :'old', current_setting('sim.conninfo'))),
	'deleted Postgres Staging a', 'a serialization failure after a DELETE was sent');
SELECT told('%ERROR:  40001%', '... is one');
SELECT ok((told ~ format('WARNING:  01000: connection "Postgres Staging" \(%s\) was deleted in Sigma although', :'old'))
	OR (SELECT NOT is_archived FROM every WHERE connection_id = :'old'), '... and what it leaves is named') FROM last;

-- what is brought back, is archived again
CREATE FUNCTION restores(id text) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT sigma_restore_connection(''sim'', %L, ''back'', pg()) IS NULL; ', id)
$$;
SELECT connection_id AS archived FROM every WHERE is_archived ORDER BY 1 LIMIT 1 \gset
SELECT is(after('BEGIN; ' || restores(:'archived') || 'ROLLBACK;'),
	(SELECT format('deleted back, other PUT /v2/connections/%s', :'archived')), 'a restore and ROLLBACK');
SELECT is((SELECT is_archived FROM every WHERE connection_id = :'archived'), true, '... is archived again');
SELECT not_told('%WARNING%', '... and no WARNING');
SELECT is(after('BEGIN; SAVEPOINT s; ' || restores(:'archived') || 'RELEASE s; COMMIT;'),
	format('other PUT /v2/connections/%s', :'archived'), 'a restore and COMMIT');
SELECT is((SELECT is_archived FROM every WHERE connection_id = :'archived'), false, '... is back');
SELECT after('BEGIN; ' || restores(:'archived') || 'ROLLBACK;', '{"do": "status", "status": 403}') \g /dev/null
SELECT told(format('%%WARNING:  01000: connection "back" (%s) exists in Sigma although%%', :'archived'), 'a restore that cannot be undone is named');

-- a batch
ALTER SERVER sim OPTIONS (ADD batch_size '50');
SELECT is(after('BEGIN; SELECT sim_config(''{"latency_ms": 10}''); INSERT INTO sim.connections (name, details) '
	'SELECT ''b'' || i, pg() FROM generate_series(10, 40) i; SELECT 1 / 0; COMMIT;'),
	'deleted ' || string_agg('b' || i, ' ' ORDER BY i), 'a batch') FROM generate_series(10, 40) i;
SELECT is(max(concurrent), 4, '... four at once') FROM sim_log() WHERE method = 'DELETE';
SELECT is(after('INSERT INTO sim.connections (name, details) SELECT ''b'' || i, CASE i WHEN 14 THEN ''{"type": "postgres"}'' '
	'ELSE pg() END FROM generate_series(10, 40) i;') ~ '^deleted b10( b\d\d){3,20}$', true, 'a batch that fails in the middle');
SELECT told('%ERROR:  22023%', '... by its row');
-- one reply does not come, the others have come; any of the four may be the first to arrive
SELECT sim_reset() \g /dev/null
SELECT after('SET statement_timeout = 2000; SELECT sim_fault(''{"method": "POST", "path": "/v2/connections", "do": "never"}''); '
	'INSERT INTO sim.connections (name, details) SELECT ''c'' || i, pg() FROM generate_series(1, 4) i;') AS result \gset
SELECT matches(:'result'::text, '^deleted( c\d){3}, may c\d$', 'a batch that is cancelled: what is known to exist is deleted');
SELECT is((SELECT array_agg(m[1] ORDER BY m[1]) FROM regexp_matches(:'result', '(c\d)', 'g') m), '{c1,c2,c3,c4}', '... and nothing is left out');
ALTER SERVER sim OPTIONS (DROP batch_size);

-- ---------------------------------------------------------------- it is kept

ALTER SERVER sim OPTIONS (ADD on_rollback 'keep');
SELECT is(after('BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'ROLLBACK TO s; ' || ins('c') || 'ROLLBACK;'),
	'live a b c, warned a b c', 'on_rollback keep');
SELECT told('%DETAIL:  %server "sim"%HINT:  %', '... with where that is');
SELECT is(after('BEGIN; ' || ins('a') || 'COMMIT; BEGIN; SELECT 1; ROLLBACK;'), 'live a', '... names nothing that is committed');
ALTER SERVER sim OPTIONS (DROP on_rollback);
SELECT fails('ALTER SERVER sim OPTIONS (ADD on_rollback ''perhaps'')', '22023', NULL, NULL, NULL, 'on_rollback is delete or keep');
SELECT fails('ALTER SERVER sim OPTIONS (ADD rollback_timeout ''0'')', '22023', NULL, NULL, NULL, 'rollback_timeout is at least 1 ms');

-- ---------------------------------------------------- the deletion goes wrong

ALTER SERVER sim OPTIONS (ADD rollback_timeout '700ms');
CREATE TABLE wrong (n int GENERATED ALWAYS AS IDENTITY, what text, fault jsonb, shortest float8, longest float8, expected text);
INSERT INTO wrong (what, fault, shortest, longest, expected) VALUES
	('403', '{"do": "status", "status": 403}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('400', '{"do": "status", "status": 400}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('500', '{"do": "status", "status": 500}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('a page of a proxy', '{"do": "status", "status": 502, "html": true}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('302', '{"do": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}', 0, 1500, 'live a b, deleted a b, warned a b'),
	-- another has deleted it: nothing is left to tell
	('404', '{"do": "status", "status": 404}', 0, 1500, 'live a b, deleted a b'),
	('lost-reply', '{"do": "lost-reply"}', 0, 1500, 'deleted a b, warned a b'),
	('close', '{"do": "close"}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('reset', '{"do": "reset"}', 0, 1500, 'live a b, deleted a b, warned a b'),
	('truncate', '{"do": "truncate", "bytes": 1}', 0, 1500, 'deleted a b, warned a b'),
	('one of the two', '{"do": "status", "status": 403, "times": 1}', 0, 1500, NULL),
	-- the one that is asked again may arrive before the other's first
	('two times 429', '{"do": "status", "status": 429, "times": 2, "headers": {"Retry-After": "0"}}', 0, 1500, 'deleted (a a b b|a a a b|a b b b)'),
	('429 with a long Retry-After', '{"do": "status", "status": 429, "headers": {"Retry-After": "60"}}', 600, 2000, 'live a b, deleted a b, warned a b'),
	('never', '{"do": "never"}', 600, 2000, 'live a b, deleted a b, warned a b'),
	('drip', '{"do": "drip", "ms_per_byte": 1000}', 600, 2000, 'deleted a b, warned a b'),
	('a late reply', '{"do": "delay", "ms": 300}', 300, 1500, 'deleted a b'),
	('a token that is refused', '{"do": "status", "status": 401}', 0, 1500, 'live a b, deleted a a b b, warned a b');
SELECT matches(after(CASE way WHEN 'error' THEN 'BEGIN; ' || ins('a', 'b') || 'SELECT 1 / 0; SELECT 1; ROLLBACK; SELECT 40 + 2;'
		ELSE 'BEGIN; SAVEPOINT s; ' || ins('a', 'b') || 'SELECT 1 / 0; ROLLBACK TO s; SELECT 40 + 2; COMMIT;' END, fault),
			'^' || expected || '$', format('%s, %s', what, way))
	|| E'\n' || told('%ERROR:  22012: division by zero%42', '... the error is the one there was, and the session goes on')
	|| E'\n' || took(shortest, longest, '... in time')
FROM wrong, unnest('{error,savepoint}'::text[]) way WHERE expected IS NOT NULL ORDER BY n, way;
SELECT matches(after('BEGIN; ' || ins('a', 'b') || 'ROLLBACK;', fault), '^live ([ab]), deleted a b, warned \1$', what) FROM wrong WHERE expected IS NULL;
SELECT after('BEGIN; ' || ins('a') || 'ROLLBACK;', '{"do": "status", "status": 403}') \g /dev/null
SELECT told('%WARNING:  01000: connection "a" (%) exists in Sigma although its transaction was rolled back%DETAIL:  It could not '
	'be deleted again on server "sim": %HINT:  Delete it in Sigma%', 'the WARNING tells why');
SELECT is(after('BEGIN; ' || ins('a') || (SELECT string_agg(format('SAVEPOINT s%s; %s', i, ins('a' || i)), '')
	FROM generate_series(1, 4) i) || 'ROLLBACK;', '{"do": "never"}') ~ '^live a a1 a2 a3 a4, .*warned a a1 a2 a3 a4$', true,
	'savepoints and a server that hangs');
SELECT took(600, 2000, '... have one rollback_timeout together');
SELECT diag(format('a rollback of five levels, 0.7 s allowed: %s ms', round(ms))) FROM last;
SELECT is(after('DO $b$ BEGIN FOR i IN 1..12 LOOP BEGIN INSERT INTO sim.connections (name, details) VALUES (''i'' || i, pg()); '
	'RAISE ''x''; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $b$;', '{"do": "delay", "ms": 100}') ~ '^deleted [i0-9 ]+$',
	true, 'many rollbacks, one after another, that take longer than rollback_timeout together');
-- statement_timeout ends the wait, though not the ROLLBACK
ALTER SERVER sim OPTIONS (SET rollback_timeout '20s');
SELECT is(after('BEGIN; ' || ins('a') || 'SET statement_timeout = 150; ' || way || ' SELECT 40 + 2; ROLLBACK;',
	'{"do": "never"}'), 'live a, deleted a, warned a', 'statement_timeout and ' || way)
	|| E'\n' || told('%statement_timeout (150 ms) passed%42%', '... ends the wait') || E'\n' || took(150, 5000, '... in time')
FROM unnest('{ROLLBACK;,SELECT 1 / 0; ROLLBACK; RESET ALL;}'::text[]) way;
SELECT is(after('BEGIN; SAVEPOINT s; ' || ins('a') || 'SET statement_timeout = 150; ROLLBACK TO s; SELECT 40 + 2; COMMIT;',
	'{"do": "never"}'), 'live a, deleted a, warned a', 'statement_timeout and ROLLBACK TO');
SELECT told('%statement_timeout (150 ms) passed%42%', '... ends the wait');
SELECT is(after('SET statement_timeout = 400; DO $b$ BEGIN BEGIN ' || ins('a') || ' RAISE ''x''; '
	'EXCEPTION WHEN OTHERS THEN NULL; END; END $b$; RESET statement_timeout; SELECT 40 + 2;', '{"do": "never"}'),
	'live a, deleted a, warned a', 'statement_timeout and an exception block');
SELECT told('%statement_timeout (400 ms) passed%ERROR:  57014%42%', '... ends both');
ALTER SERVER sim OPTIONS (SET rollback_timeout '700ms');

-- Ctrl-C while a rollback waits
ALTER SERVER sim OPTIONS (SET rollback_timeout '20s');
CREATE FUNCTION cancelled(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
	ms float8;
	backend int;
	seen text[];
BEGIN
	PERFORM sim_reset();
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('victim', 'SELECT pg_backend_pid()') r (pid int);
	PERFORM dblink_exec('victim', 'SET client_min_messages = error; BEGIN; SAVEPOINT s; ' || ins('a', 'b'));
	PERFORM sim_fault('{"method": "DELETE", "times": -1, "do": "never"}');
	PERFORM dblink_send_query('victim', statement);
	PERFORM pg_sleep(0.2);
	PERFORM pg_stat_clear_snapshot();
	-- between two waits it may be caught awake
	FOR i IN 1..1000 LOOP
		PERFORM pg_stat_clear_snapshot();
		SELECT array[state, wait_event_type] INTO seen FROM pg_stat_activity WHERE pid = backend;
		EXIT WHEN seen[2] = 'Extension';
		PERFORM pg_sleep(0.005);
	END LOOP;
	RETURN NEXT is(seen, '{active,Extension}', statement || ' waits');
	start := clock_timestamp();
	PERFORM pg_cancel_backend(backend);
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend AND state = 'active') AND clock_timestamp() < start + interval '10 s' LOOP
		PERFORM pg_sleep(0.001);
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
	ms := extract(epoch FROM clock_timestamp() - start) * 1000;
	RETURN NEXT cmp_ok(ms, '<', 1000::float8, '... until it is cancelled') || E'\n' || diag(format('cancelled after %s ms', round(ms)));
	PERFORM * FROM dblink_get_result('victim', false) r (n text);
	PERFORM * FROM dblink_get_result('victim', false) r (n text);
	PERFORM dblink_exec('victim', 'ROLLBACK');
	RETURN NEXT is((SELECT n FROM dblink('victim', 'SELECT 42') r (n int)), 42, '... and the session goes on');
	PERFORM dblink_disconnect('victim');
	PERFORM sim_call('DELETE', 'fault');
END $$;
SELECT log_size() AS start \gset
SELECT cancelled('ROLLBACK');
SELECT cancelled('ROLLBACK TO s');
SELECT cancelled('SELECT 1 / 0');
\if :readable
SELECT is((SELECT count(*)::int
	FROM regexp_matches(log_has(:'start', 'WARNING:  connection "[ab]" .* (exists|may exist) in Sigma although', 10), 'WARNING',
	'g')), 6, 'what is left after a cancel is in the log');
\endif
ALTER SERVER sim OPTIONS (SET rollback_timeout '700ms');

-- nobody answers at all: a simulator of its own, as it does not come back
SELECT sim_start('mortal') \g /dev/null
SELECT make_server('mortal', sim_url('mortal'), 'rollback_timeout ''700ms''') \g /dev/null
TRUNCATE last;
INSERT INTO last SELECT psql(format(E'BEGIN; SELECT sigma_create_connection(''mortal'', ''a'', pg()) IS NULL;\n\\! kill -9 '
	'%s\nSELECT pg_sleep(0.1); SELECT 1 / 0; ROLLBACK; SELECT 40 + 2;', pid)) FROM sim_process WHERE name = 'mortal';
SELECT told('%22012: division by zero%42', 'a simulator that was killed: the session goes on');
SELECT told('%WARNING:  01000: connection "a" (%) % in Sigma although its transaction was rolled back%', '... and names what it cannot delete');
-- in the middle of a batch; its log survives it
SELECT sim_shell('mktemp') AS log_file \gset
SELECT sim_start('batch', '--latency 100 --log ' || :'log_file') \g /dev/null
SELECT make_server('batch', sim_url('batch'), 'batch_size ''40'', rollback_timeout ''700ms''') \g /dev/null
SELECT coalesce(psql(format(E'\\! (sleep 0.45; kill -9 %s) &\nINSERT INTO batch.connections (name, details) '
	'SELECT ''k'' || i, pg() FROM generate_series(100, 139) i;', pid)), '') AS told FROM sim_process WHERE name = 'batch' \gset
SELECT matches(:'told'::text, 'ERROR:  08', 'a simulator that is killed in the middle of a batch');
WITH sent AS (SELECT e -> 'body' ->> 'name' AS name, (e ->> 'status')::int AS status
	FROM (SELECT line::jsonb AS e FROM string_to_table(sim_shell('cat ' || :'log_file'), E'\n') line) l
	WHERE e ->> 'method' = 'POST' AND e ->> 'path' = '/v2/connections'),
	warned AS (SELECT m[1] AS name, m[2] LIKE '(%' AS known
		FROM regexp_matches(:'told', 'WARNING:  01000: connection "([^"]*)" ((?:\([-0-9a-f]+\) )?(?:exists|may exist)) in Sigma although', 'g') m)
SELECT is((SELECT count(*) - count(DISTINCT name) FROM sent), 0::bigint, '... nothing is doubled')
	|| E'\n' || is((SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT name FROM sent WHERE status = 201 EXCEPT SELECT name
		FROM warned) d), NULL, '... nothing is lost')
	|| E'\n' || is((SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT name FROM warned WHERE known EXCEPT SELECT name
		FROM sent WHERE status = 201) d), NULL, '... nothing is invented')
	|| E'\n' || cmp_ok((SELECT count(*) FROM warned WHERE NOT known), '<=', 4::bigint, '... and no more may exist than were under way')
	|| E'\n' || cmp_ok((SELECT count(*) FROM warned WHERE known), '>', 0::bigint, '... though some do exist');
SELECT sim_shell('rm ' || :'log_file') \g /dev/null

-- ------------------------------------------------------- nobody knows

SELECT sim_reset() \g /dev/null
SELECT is(after('BEGIN; SELECT sim_fault(''{"method": "POST", "path": "/v2/connections", "after": 1, "do": "lost-reply"}''); '
	|| ins('a', 'u') || 'ROLLBACK;'), 'live u, deleted a, may u', 'what may exist is named and left alone');
SELECT told('%ERROR:  08007%', '... by its error');
SELECT is(after('BEGIN; SELECT sim_fault(''{"method": "POST", "path": "/v2/connections", "do": "close"}''); SAVEPOINT s; '
	|| ins('u') || 'ROLLBACK TO s; ' || ins('b') || 'COMMIT;'), 'live b, may u', 'what may exist, and does not, is never created again');
SELECT is(after('SELECT sim_fault(''{"method": "POST", "path": "/v2/connections", "do": "body", "body": "{}"}''); ' || ins('u')),
	'may u', 'a reply without an id');
SELECT is(after('SELECT sim_fault(''{"method": "POST", "path": "/v2/connections", "do": "edit", "set": {"connectionId": ".."}}'
	'''); BEGIN; ' || ins('u') || 'ROLLBACK;') ~ '^live u', true, 'an id that no path can have is not sent');
SELECT told('%WARNING:  01000: connection "u" may exist in Sigma although%', '... but named');

-- ------------------------------------------- the session is no longer what it was

SELECT is(after('BEGIN; ' || ins('a') || 'SELECT sim_call(''POST'', ''revoke-tokens'', ''{}''); ROLLBACK;'), 'deleted a a',
	'a token that is revoked before the rollback');
SELECT not_told('%WARNING%', '... is renewed');
-- the script's first and second, and ours
SELECT is(sim_sign_ins(), 3, '... once');
SELECT is(after('BEGIN; ' || ins('a', 'b', 'c', 'd', 'e') || 'SELECT sim_call(''POST'', ''revoke-tokens'', ''{}''); ROLLBACK;') ~
	'^deleted a a b b c c d d( e)+$', true, '... for all');
SELECT is(sim_sign_ins(), 3, '... together');
SELECT is(after('SELECT sim_config(''{"expires_in": 1}''); BEGIN; ' || ins('a') || 'SELECT pg_sleep(1.1); ROLLBACK;'),
	'deleted a', 'a token that ends before the rollback');
SELECT is(after('BEGIN; ' || ins('a') || 'SELECT sim_call(''POST'', ''revoke-tokens'', ''{}''); '
	'SELECT sim_spoil_token(''never''); ROLLBACK; SELECT 40 + 2;'), 'live a, deleted a, warned a', 'a sign-in that hangs');
SELECT told('%42', '... and the session goes on');
SELECT took(600, 2000, '... in time');
SELECT is(after('BEGIN; ' || ins('a') || 'SELECT sim_call(''POST'', ''revoke-tokens'', ''{}''); '
	'SELECT sim_spoil_token(''status'', ''{"status": 401}''); ROLLBACK; SELECT 40 + 2;'), 'live a, deleted a, warned a', 'a sign-in that is refused');
SELECT told('%DETAIL:  It could not be deleted again on server "sim": %42', '... is what the WARNING says');

-- a server or a mapping is changed before the rollback
CREATE FUNCTION elsewhere(statement text) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT dblink_exec(%L, %L); ', current_setting('sim.conninfo'), statement)
$$;
\set mapping 'CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id ''simulator-client'', client_secret ''simulator-secret'')'
-- one statement each, as they want locks that the statement before still has
SELECT format($$SELECT is(after('BEGIN; ' || ins('a') || %L || '; ROLLBACK;'), 'deleted a', 'in the same transaction: ' || %1$L) || E'\n'
	|| not_told('%%WARNING:%%', '... no WARNING')$$,
	statement) FROM unnest(ARRAY[
	'ALTER SERVER sim OPTIONS (SET base_url ''http://127.0.0.1:1'')', 'DROP USER MAPPING FOR CURRENT_USER SERVER sim',
		'SET client_min_messages = error; DROP SERVER sim CASCADE',
	'ALTER USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (SET client_secret ''wrong'')',
		'SET client_min_messages = error; DROP EXTENSION sigma_fdw CASCADE', 'DISCARD PLANS',
		'ALTER SERVER sim OPTIONS (ADD on_rollback ''keep'')']) statement \gexec
SELECT format($$SELECT is(after('BEGIN; ' || ins('a') || elsewhere(%L)
	|| 'SELECT count(*) FROM pg_class; SAVEPOINT s; SELECT sigma_create_connection(''sim'', ''b'', pg()) IS NULL; ROLLBACK TO s; ROLLBACK; '
	|| elsewhere(%L)), %L, 'by another session: ' || %1$L)$$,
	change, back, expected)
FROM (VALUES ('ALTER SERVER sim OPTIONS (ADD max_retries ''1'')', 'ALTER SERVER sim OPTIONS (DROP max_retries)', 'deleted a b'),
	('ALTER SERVER sim OPTIONS (ADD on_rollback ''keep'')', 'ALTER SERVER sim OPTIONS (DROP on_rollback)', 'live b, deleted a, warned b'),
	('DROP USER MAPPING FOR CURRENT_USER SERVER sim', :'mapping', 'deleted a')) c (change, back, expected) \gexec
SELECT make_server('doomed', sim_url()) \g /dev/null
SELECT is(after('BEGIN; SELECT sigma_create_connection(''doomed'', ''a'', pg()) IS NULL; '
	|| elsewhere('SET client_min_messages = error; DROP SERVER doomed CASCADE') || 'SELECT * FROM sigma_whoami(''doomed''); '
	'ROLLBACK;'), 'deleted a', 'by another session: DROP SERVER');
DROP SCHEMA IF EXISTS doomed CASCADE;
-- two servers, one of which hangs
SELECT sim_start('second') \g /dev/null
SELECT make_server('second', sim_url('second'), 'rollback_timeout ''700ms''') \g /dev/null
SELECT sim_fault('{"method": "DELETE", "times": -1, "do": "never"}', 'second') \g /dev/null
SELECT matches(after('BEGIN; SELECT sigma_create_connection(''second'', ''x'', pg()) IS NULL; ' || ins('a') || 'ROLLBACK;'),
	'^deleted a', 'a server that hangs does not keep another from being tidied');
SELECT told('%WARNING:  01000: connection "x" (%', '... and is named');
SELECT not_told('%connection "a"%', '... alone');

-- -------------------------------------------------- names of any characters

CREATE TABLE odd (name text);
INSERT INTO odd VALUES ('100 %s%n%d %'), (E'two\nlines'), (U&'Ren\00E9 \65E5\672C'), ('it''s \ "quoted"'), (E'\t\x1b[31mred'), (repeat('long', 2000));
ALTER SERVER sim OPTIONS (ADD on_rollback 'keep');
SELECT alike(psql(format('SET client_encoding = %s; BEGIN; '
	'SAVEPOINT s; SELECT sigma_create_connection(''sim'', name, pg()) IS NULL FROM odd; ROLLBACK TO s; SELECT 40 + 2; ROLLBACK;',
	encoding)), '%WARNING:%100 \%s\%n\%d \%" (%two%lines%Ren%it''s \\\\ \\"quoted\\"%red%longlong%42',
	'odd names in ' || encoding) FROM unnest('{utf8,latin1,sql_ascii,euc_jp,sjis}'::text[]) encoding;
ALTER SERVER sim OPTIONS (DROP on_rollback);
SELECT is((SELECT count(*)::int
	FROM regexp_matches(after('SET client_encoding = latin1; BEGIN; SELECT sigma_create_connection(''sim'', name, pg()) IS NULL '
	'FROM odd; ROLLBACK;'), 'deleted|live', 'g')), 1, 'and deleted');
SELECT not_told('%WARNING%', '... without a WARNING');
-- a database in another encoding, where nothing can be converted during an abort
SELECT current_database() || '_latin1' AS latin1 \gset
CREATE DATABASE :latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "DELETE", "times": -1, "do": "body", "status": 403, "body": {"code": "c", '
	'"message": "K\u00f6ln \u65e5\u672c", "requestId": "r"}}') \g /dev/null
SELECT alike(psql(format($$\c %s
	SET client_encoding = utf8; SET client_min_messages = error; CREATE EXTENSION sigma_fdw;
	CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L); %s; RESET client_min_messages;
	BEGIN; SAVEPOINT s; SELECT sigma_create_connection('sim', U&'Ren\00E9', '{"type": "postgres", "host": "h", "database": "d"}') IS NULL;
	ROLLBACK TO s; SELECT 40 + 2; COMMIT;
	SET statement_timeout = 100; SELECT pg_sleep(5); $$, :'latin1', sim_url(), :'mapping')),
		'%WARNING:  01000: connection "Ren%42%canceling statement%', 'a database in LATIN1');
SELECT all_ended() \g /dev/null
-- unless that was prepared for: a sign-in with credentials that are not ASCII, in the body, in a JWT, from a file
SELECT sim_start('latin', '--client-id René --client-secret geôlier') \g /dev/null
SELECT sim_config('{"expires_in": 1}', 'latin') \g /dev/null
SELECT email AS creator FROM sim.members WHERE member_type = 'Creator' ORDER BY email LIMIT 1 \gset
SELECT sim_shell('f=$(mktemp) && printf ''ge\364lier'' >$f && echo $f') AS secret_file \gset
CREATE FUNCTION in_latin1(database text, options text, encoding text) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE
	said text;
BEGIN
	PERFORM sim_call('DELETE', 'log', NULL, 'latin');
	said := psql(format($$\c %s
		SET client_encoding = utf8; SET client_min_messages = error; DROP SERVER IF EXISTS latin CASCADE; RESET client_min_messages;
		CREATE SERVER latin FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L);
		CREATE USER MAPPING FOR CURRENT_USER SERVER latin OPTIONS (client_id 'René', %s);
		SET client_encoding = %s;
		BEGIN; SELECT sigma_create_connection('latin', 'l1', '{"type": "postgres", "host": "h", "database": "d"}') IS NULL; SELECT pg_sleep(1.1);
		SELECT 1 / 0; ROLLBACK;
		BEGIN; SAVEPOINT s; SELECT sigma_create_connection('latin', 'l2', '{"type": "postgres", "host": "h", "database": "d"}') IS NULL;
		SELECT pg_sleep(1.1); ROLLBACK TO s; COMMIT;
		BEGIN; SELECT sigma_create_connection('latin', 'l3', '{"type": "postgres", "host": "h", "database": "d"}') IS NULL; SELECT pg_sleep(1.1);
		SELECT pg_terminate_backend(pg_backend_pid());$$,
		database, sim_url('latin'), options, encoding));
	PERFORM all_ended();
	RETURN (SELECT string_agg(method || ' ' || status, ' ' ORDER BY n) FROM sim_log('latin'))
		|| coalesce(' ' || (SELECT string_agg(m[1], ' ') FROM regexp_matches(said, '(WARNING: .*|DETAIL: .*)', 'gn') m), '');
END $f$;
SELECT is(in_latin1(:'latin1', options, encoding), 'POST 201 DELETE 200 POST 201 DELETE 200 POST 201 DELETE 200',
	format('a sign-in at the rollback in LATIN1, client %s, %s', encoding, split_part(options, ' ', 1)))
FROM (VALUES ('client_secret ''geôlier'''), (format('impersonate %L, client_secret ''geôlier''', :'creator')),
	(format('client_secret_file %L', :'secret_file'))) o (options), unnest('{latin1,utf8,sql_ascii}'::text[]) encoding;
SELECT sim_shell('rm ' || :'secret_file') \g /dev/null
SELECT sim_stop('latin') \g /dev/null
DROP DATABASE :latin1;

-- the context of a WARNING is that of whoever rolls back: not for others' eyes
CREATE FUNCTION inner_part(d jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	BEGIN PERFORM sigma_create_connection('sim', 'ctx', d); PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$;
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "DELETE", "times": -1, "do": "status", "status": 403}') \g /dev/null
SELECT log_size() AS start \gset
SELECT psql($$\set SHOW_CONTEXT always
	SET log_min_error_statement = warning;
	DO $d$ BEGIN PERFORM inner_part('{"type": "postgres", "host": "h", "database": "d", "password": "hush-context"}'); END $d$; $$) AS told \gset
SELECT alike(:'told'::text, '%WARNING:  01000: connection "ctx"%', 'a WARNING within a function');
SELECT unalike(:'told'::text, '%hush%', '... has no secrets in its context');
SELECT is(log_has(:'start', 'hush'), NULL, '... nor has the log');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------- the session ends

SELECT is(after('BEGIN; ' || ins('a') || 'SAVEPOINT s; ' || ins('b') || 'SELECT pg_terminate_backend(pg_backend_pid());'),
	'deleted a b', 'a session that is terminated');
SELECT told('%57P01%', '... is');
SELECT not_told('%WARNING:%', '... without a WARNING');
SELECT is(after('BEGIN; ' || ins('a', 'b')), 'deleted a b', 'a client that leaves');
SELECT is(after('BEGIN; ' || ins('a') || E'\n\\! kill -9 $PPID\n'), 'deleted a', 'a client that is killed');
SELECT is(after('SET idle_in_transaction_session_timeout = 200; BEGIN; ' || ins('a') || E'\n\\! sleep 0.5\nSELECT 1;'),
	'deleted a', 'a session that idles too long');
SELECT is(after('BEGIN; ' || ins('a') || 'SELECT sim_call(''POST'', ''revoke-tokens'', ''{}''); '
	'SELECT pg_terminate_backend(pg_backend_pid());'), 'deleted a a', 'a session that has to sign in to end');
SELECT is(after('BEGIN; ' || ins('a') || 'COMMIT; SELECT pg_terminate_backend(pg_backend_pid());'), 'live a', 'what is committed stays');
-- the simulator hangs: PostgreSQL does not
ALTER SERVER sim OPTIONS (SET rollback_timeout '1h');
SELECT log_size() AS start \gset
SELECT is(after('BEGIN; ' || ins('a', 'b') || 'SELECT pg_terminate_backend(pg_backend_pid());', '{"do": "never"}'),
	'live a b, deleted a b, warned a b', 'a session that is terminated while Sigma hangs');
SELECT took(1500, 4000, '... ends all the same') || E'\n' || diag(format('terminated within %s ms', round(ms))) FROM last;
SELECT is(after('BEGIN; ' || ins('c') || 'SAVEPOINT s; ' || ins('d') || 'SAVEPOINT t; ' || ins('e'),
	'{"do": "never"}') ~ '^live c d e', true, 'a client that leaves while Sigma hangs');
SELECT ended_within(4000, '... with savepoints, too') || E'\n' || diag(format('ended %s ms after its client', round(ending_ms))) FROM last;
\if :readable
SELECT is((SELECT string_agg(m[1], '' ORDER BY m[1])
	FROM regexp_matches(log_has(:'start', 'WARNING:  connection "[abcde]" \([-0-9a-f]+\) (?:exists|may exist) in Sigma although',
	10), 'connection "(.)"', 'g') m), 'abcde', 'and what is left is in the log');
\endif
ALTER SERVER sim OPTIONS (SET rollback_timeout '700ms');
SELECT log_size() AS start \gset
SELECT after('SET client_min_messages = error; BEGIN; ' || ins('a') || 'ROLLBACK;', '{"do": "status", "status": 403}') \g /dev/null
\if :readable
SELECT isnt(log_has(:'start', 'WARNING:  connection "a" '), NULL, 'a client that wants to hear no WARNING: the log does');
\endif

-- ------------------------------------- what waits when the wait is ended

ALTER SERVER sim OPTIONS (SET rollback_timeout '5s');

-- a create that waits for its next try must not leave while the one before it is undone
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 1, "times": -1, "do": "status", "status": 429, '
	'"headers": {"Retry-After": "3"}}') \g /dev/null
SELECT sim_fault('{"method": "DELETE", "path": "/v2/connections/*", "do": "delay", "ms": 1700}') \g /dev/null
SELECT psql($$SET statement_timeout = '2s'; DO $b$ BEGIN INSERT INTO sim.connections (name, details) VALUES ('w1', pg());
	INSERT INTO sim.connections (name, details) VALUES ('w2', pg()); END $b$;$$)
	AS said \gset
SELECT is((SELECT array_agg(method || ' ' || status ORDER BY n) FROM sim_log() WHERE method <> 'GET'),
	'{POST 201,POST 429,DELETE 200}', 'a create that waits is not sent after the abort');
-- nor a delete of the commit
SELECT sim_reset() \g /dev/null
SELECT sim_fault(format('{"method": "DELETE", "path": "/v2/connections/%s", "do": "status", "status": 429, '
	'"headers": {"Retry-After": "3"}}', :'old')::jsonb) \g /dev/null
SELECT sim_fault('{"method": "DELETE", "path": "/v2/connections/*", "do": "delay", "ms": 1700}') \g /dev/null
SELECT psql(format($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('w1', pg()); DELETE FROM sim.connections WHERE connection_id = %L;
	SET statement_timeout = '2s'; COMMIT;$$,
	:'old')) AS said \gset
SELECT is((SELECT array_agg(method || ' ' || status ORDER BY n) FROM sim_log() WHERE method <> 'GET'),
	'{POST 201,DELETE 429,DELETE 200}', 'nor is a delete of the commit');
SELECT is((SELECT is_archived FROM every WHERE connection_id = :'old'), false, 'whose connection is still there');
-- the only place is taken by what hangs
ALTER SERVER sim OPTIONS (ADD max_concurrency '1');
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 1, "do": "never"}') \g /dev/null
SELECT psql($$SET statement_timeout = '500ms'; DO $b$ BEGIN INSERT INTO sim.connections (name, details) VALUES ('w1', pg());
	INSERT INTO sim.connections (name, details) VALUES ('w2', pg()); END $b$;$$)
	AS said \gset
SELECT is((SELECT array_agg(method || ' ' || coalesce(status::text, '-') ORDER BY n) FROM sim_log() WHERE method <> 'GET'),
	'{POST 201,POST -,DELETE 200}', 'what hangs does not keep the undoing from its place');
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "do": "never"}') \g /dev/null
SELECT psql($$SET statement_timeout = '500ms'; BEGIN; INSERT INTO sim.connections (name, details) VALUES ('w1', pg());
	SELECT name FROM sim.connections; ROLLBACK;$$)
	AS said \gset
SELECT is((SELECT array_agg(method || ' ' || coalesce(status::text, '-') ORDER BY n) FROM sim_log()), '{POST 201,GET -,DELETE 200}', 'nor does a list');
ALTER SERVER sim OPTIONS (DROP max_concurrency);
-- a session that is terminated while a create waits
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 1, "times": -1, "do": "status", "status": 429, '
	'"headers": {"Retry-After": "1"}}') \g /dev/null
SELECT sim_fault('{"method": "DELETE", "path": "/v2/connections/*", "do": "delay", "ms": 1500}') \g /dev/null
SELECT dblink_connect('waits', current_setting('sim.conninfo')) \g /dev/null
SELECT pid FROM dblink('waits', 'SELECT pg_backend_pid()') t (pid int) \gset
SELECT dblink_send_query('waits',
	$q$DO $b$ BEGIN INSERT INTO sim.connections (name, details) VALUES ('w1', pg()); INSERT INTO sim.connections (name, details) VALUES ('w2', pg()); END $b$;
	$q$) \g /dev/null
SELECT pg_sleep(0.5), pg_terminate_backend(:pid), pg_sleep(2.5) \g /dev/null
SELECT dblink_disconnect('waits') \g /dev/null
SELECT is((SELECT array_agg(method || ' ' || status ORDER BY n) FROM sim_log() WHERE method <> 'GET'),
	'{POST 201,POST 429,DELETE 200}', 'a session that is terminated sends no more creates, either');

-- after a failure, what waits for its next try is not sent any more
SELECT sim_reset() \g /dev/null
SELECT connection_id AS other FROM every WHERE name = 'MySQL Shop' \gset
-- the refusal comes late enough for the other to be waiting by then, and before its time has come
SELECT sim_fault(format('{"method": "DELETE", "path": "/v2/connections/%s", "do": "status", "status": 403, "ms": 1000}', :'old')::jsonb) \g /dev/null
SELECT sim_fault(format('{"method": "DELETE", "path": "/v2/connections/%s", "do": "status", "status": 429, '
	'"headers": {"Retry-After": "3"}}', :'other')::jsonb) \g /dev/null
SELECT psql(format('BEGIN; DELETE FROM sim.connections WHERE connection_id IN (%L, %L); COMMIT;', :'old', :'other')) AS said \gset
SELECT is((SELECT array_agg(status ORDER BY status) FROM sim_log() WHERE method = 'DELETE'), '{403,429}', 'after a failure, what waits is not sent any more');
SELECT alike(:'said'::text, format('%%DETAIL:  Not deleted: "%%" (%%), "%%" (%%). DELETE %%'), 'and the error says that neither was done');
-- a create whose reply has an id that is none
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "do": "body", "status": 201, "body": "{\"connectionId\": \"a\\u0000b\"}"}') \g /dev/null
ALTER FOREIGN TABLE sim.connections OPTIONS (ADD batch_size '4');
SELECT psql('INSERT INTO sim.connections (name, details) SELECT ''n'' || i, pg() FROM generate_series(1, 4) i;') AS said \gset
ALTER FOREIGN TABLE sim.connections OPTIONS (DROP batch_size);
SELECT alike(:'said'::text, '%ERROR:  HV000: unexpected reply from Sigma: it has no "connectionId"%', 'an id that is none is an error');
-- after it nothing more is sent, so how many others there are depends on which of them arrived before it
SELECT is((SELECT array_agg(name ORDER BY name) FROM sim.connections WHERE name ~ '^n\d$'), NULL, 'and the others are deleted again');
SELECT is((SELECT count(DISTINCT path)::int FROM sim_log() WHERE method = 'DELETE' AND status = 200),
	(SELECT count(*)::int - 1 FROM sim_log() WHERE method = 'POST' AND status = 201), '... each');

-- many creates, few places: it waits, and does not spin
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "DELETE", "path": "/v2/connections/*", "do": "delay", "ms": 300, "times": -1}') \g /dev/null
SELECT psql('BEGIN; INSERT INTO sim.connections (name, details) SELECT ''n'' || i, pg() FROM generate_series(1, 20) i; SELECT pg_backend_pid() AS pid \gset
ROLLBACK;
SELECT ''ticks '' || (string_to_array(regexp_replace(pg_read_file(format(''/proc/%s/stat'', :pid)), ''^.*\) '', ''''), '' ''))[12];') AS said \gset
SELECT ok((regexp_match(:'said', 'ticks (\d+)'))[1]::int < 60, 'a rollback that waits does not spin') || E'\n' || diag(:'said');
-- a restore that is rolled back, and one of what is to be changed
SELECT sim_reset() \g /dev/null
SELECT alike(psql(format('BEGIN; UPDATE every SET name = ''x'' WHERE connection_id = %L; '
	'SELECT sigma_restore_connection(''sim'', %L, NULL, pg()); COMMIT;', a.connection_id, a.connection_id)),
	'%ERROR:  55000: connection "%" is about to be changed by this transaction%', 'what is about to be changed is not restored')
	FROM every a WHERE is_archived LIMIT 1;

-- a reply that names another connection does not lead to its deletion
SELECT sim_reset() \g /dev/null
SELECT connection_id AS archived FROM every WHERE is_archived ORDER BY name LIMIT 1 \gset
SELECT sim_fault(jsonb_build_object('method', 'PUT', 'path', '/v2/connections/*', 'do', 'edit', 'set',
	jsonb_build_object('connectionId', :'other'))) \g /dev/null
SELECT alike(psql(format('BEGIN; SELECT sigma_restore_connection(''sim'', %L, ''back'', pg()); ROLLBACK;', :'archived')),
	'%ERROR:  HV000: unexpected reply from Sigma: it is not the connection that was restored%', 'a reply that names another connection');
SELECT is((SELECT array_agg(name || ' ' || is_archived ORDER BY is_archived) FROM every WHERE connection_id IN (:'archived',
	:'other')), '{"MySQL Shop false","back true"}', 'which is left alone, and the right one is archived again');

-- each server has the time that it has been given, not another's
SELECT sim_reset() \g /dev/null
SELECT sim_reset('second') \g /dev/null
ALTER SERVER sim OPTIONS (SET rollback_timeout '300ms');
ALTER SERVER second OPTIONS (SET rollback_timeout '6s');
SELECT sim_fault('{"method": "DELETE", "path": "/v2/connections/*", "do": "never", "times": -1}') \g /dev/null
SELECT clock_timestamp() AS start \gset
SELECT psql('BEGIN; ' || ins('t') || 'SELECT sigma_create_connection(''second'', ''t2'', pg()) IS NULL; ROLLBACK;') AS said \gset
SELECT ok(clock_timestamp() < :'start'::timestamptz + interval '3 s', 'one server''s longer rollback_timeout is not the other''s');
SELECT alike(:'said'::text, '%connection "t" (%) may exist in Sigma%rollback_timeout (300 ms) passed%', 'whose own is named');
SELECT sim_call('DELETE', 'fault') \g /dev/null
ALTER SERVER sim OPTIONS (SET rollback_timeout '5s');
-- what was done to a connection that is deleted again is nothing to tell of
SELECT sim_reset() \g /dev/null
SELECT sim_fault(format('{"method": "PATCH", "path": "/v2/connections/%s", "do": "status", "status": 404}', :'old')::jsonb) \g /dev/null
SELECT psql(format('BEGIN; %s UPDATE sim.connections SET name = ''n1 changed'' WHERE name = ''n1''; '
	'UPDATE sim.connections SET name = ''y'' WHERE connection_id = %L; COMMIT;', ins('n1'), :'old')) AS said \gset
SELECT alike(:'said'::text, '%ERROR:  P0002: could not update connection%DETAIL:  Not updated: "Postgres Staging" (%', 'a commit that fails');
SELECT unalike(:'said'::text, '%n1%', 'does not tell of what its rollback deletes');

-- ------------------------------------------------------ PREPARE TRANSACTION

CREATE TABLE writing (n int GENERATED ALWAYS AS IDENTITY, what text, statement text, sends text);
INSERT INTO writing (what, statement, sends) SELECT what,
	replace(replace(replace(statement, 'OLD', :'old'), 'ARCHIVED', :'archived'), 'MEMBER', (SELECT member_id FROM sim.members LIMIT 1)), sends FROM (VALUES
	('INSERT', 'INSERT INTO sim.connections (name, details) VALUES (''w'', pg())', 'POST'),
	('UPDATE', 'UPDATE sim.connections SET name = ''w'' WHERE connection_id = ''OLD''', 'PATCH'),
	('DELETE', 'DELETE FROM sim.connections WHERE connection_id = ''OLD''', 'DELETE'),
	('COPY', 'COPY sim.connections (name, details) FROM PROGRAM ''printf "w\t{\"type\":\"postgres\",\"host\":\"h\",\"database\":\"d\"}\n"''', 'POST'),
	('INSERT of a grant', 'INSERT INTO sim.connection_grants (connection_id, permission, member_id) VALUES (''OLD'', ''usage'', ''MEMBER'')', 'POST'),
	('sigma_create_connection', 'SELECT sigma_create_connection(''sim'', ''w'', pg()) IS NULL', 'POST'),
	('sigma_restore_connection', 'SELECT sigma_restore_connection(''sim'', ''ARCHIVED'', ''w'', pg()) IS NULL', 'PUT'),
	('sigma_grant_connection', 'SELECT sigma_grant_connection(''sim'', ''OLD'', ''usage'', ''MEMBER'')', 'POST'),
	('sigma_sync_connection', 'SELECT sigma_sync_connection(''sim'', ''OLD'')', 'POST'),
	('sigma_request', 'SELECT sigma_request(''sim'', ''PATCH'', ''/v2/connections/OLD'', NULL, ''{"name": "w"}'') IS NULL', 'PATCH'),
	('sigma_apply', 'SELECT * FROM sigma_apply(''sim'', ''SELECT ''''applied'''' AS name, ''''postgres'''' AS type, '
		'pg() AS details'')', 'POST')) v (what, statement, sends);
-- one that needs a grant
INSERT INTO writing (what, statement, sends) SELECT 'sigma_revoke_connection', replace(statement, 'sigma_grant', 'sigma_revoke'),
	'DELETE' FROM writing WHERE what = 'sigma_grant_connection';
INSERT INTO writing (what, statement, sends) SELECT 'DELETE of a grant', format('DELETE FROM sim.connection_grants WHERE connection_id = %L', :'old'), 'DELETE';
-- a grant to begin with
UPDATE writing w SET statement = g.statement || '; ' || w.statement FROM writing g WHERE g.what = 'sigma_grant_connection'
	AND w.sends = 'DELETE' AND w.what <> 'DELETE';

CREATE FUNCTION written() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(method, ' ' ORDER BY n), 'nothing') FROM sim_log() WHERE method <> 'GET'
$$;
SELECT sim_reset() \g /dev/null
SELECT CASE WHEN psql('BEGIN; ' || statement || '; PREPARE TRANSACTION ''sigma''; SELECT 40 + 2;') ~
	'ERROR:  0A000: cannot PREPARE a transaction that has written to Sigma.*42' THEN pass(what || ' and PREPARE TRANSACTION')
	ELSE fail(what || ' and PREPARE TRANSACTION') END FROM writing ORDER BY n;
SELECT is((SELECT count(*)::int FROM pg_prepared_xacts), 0, '... and nothing is prepared');
SELECT is((SELECT array_agg(name) FROM every WHERE connection_id NOT IN (SELECT connection_id FROM initial) AND NOT is_archived), NULL, '... nor left');
SELECT is((SELECT name || is_archived FROM every WHERE connection_id = :'old'), 'wfalse', '... but for what was sent by sigma_request()');
SELECT unalike(coalesce(psql('BEGIN; SELECT count(connection_id) FROM sim.connections; SELECT * FROM sigma_whoami(''sim''); '
	'SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'') IS NULL; SELECT count(*) '
	'FROM sigma_plan(''sim'', ''SELECT ''''x'''' AS name, ''''postgres'''' AS type, pg() AS details''); SET LOCAL sigma_fdw.dry_run = on; '
	|| ins('dry') || 'PREPARE TRANSACTION ''sigma''; ROLLBACK PREPARED ''sigma'';'), ''), '%ERROR%', 'reads and dry runs can be prepared');
SELECT unalike(coalesce(psql('BEGIN; SAVEPOINT s; ' || ins('undone') || 'ROLLBACK TO s; PREPARE TRANSACTION ''sigma''; '
	'ROLLBACK PREPARED ''sigma'';'), ''), '%ERROR%', 'and what has been undone');

-- ------------------------------------------------------- what may not write

CREATE FUNCTION refused(before text, statement text, after text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	PERFORM sim_call('DELETE', 'log');
	said := coalesce(psql(before || statement || '; COMMIT; ' || after), '');
	RETURN coalesce((SELECT m[1] FROM regexp_matches(said, 'ERROR:  (\w+)') m), 'none') || ', ' || (SELECT count(*) FROM sim_log()
		WHERE method <> 'GET') || ' writes';
END $$;
SELECT sim_reset() \g /dev/null
-- without the grant that was for the tests before
UPDATE writing SET statement = regexp_replace(statement, '^SELECT sigma_grant.*?; ', '') WHERE sends = 'DELETE';
SELECT is(refused('BEGIN READ ONLY; ', statement), '25006, 0 writes', what || ' in READ ONLY') FROM writing ORDER BY n;
SELECT is(sim_count(), 0, '... without any request');
SELECT is(refused('SET default_transaction_read_only = on; BEGIN; ', statement), '25006, 0 writes',
	what || ' with default_transaction_read_only') FROM writing WHERE what ~ 'restore|apply|revoke|INSERT$' ORDER BY n;
SELECT is(refused('BEGIN; SET TRANSACTION READ ONLY; SET LOCAL sigma_fdw.dry_run = on; ', statement), '25006, 0 writes',
	what || ' in READ ONLY, as a dry run') FROM writing ORDER BY n;
SELECT is(refused('BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; ', statement), '25006, 0 writes',
	what || ' in a deferrable one') FROM writing WHERE what ~ 'sync' ORDER BY n;
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT is(refused('BEGIN; ', statement), '55000, 0 writes', what || ' with updatable false') FROM writing ORDER BY n;
ALTER SERVER sim OPTIONS (DROP updatable);
SELECT is(refused('BEGIN; UPDATE sim.connections SET name = ''x'' WHERE connection_id = ''' || :'old'
	|| '''; SET TRANSACTION READ ONLY; ', 'SELECT 1') ~ '^none, [01] writes$', true, 'a transaction that becomes READ ONLY after a write');

-- ------------------------------------------------------------- one line each

\if :readable
-- the lines that a script leaves in the log, ids as ID
CREATE FUNCTION logged(script text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	start text;
	lines text;
BEGIN
	PERFORM sim_reset();
	start := log_size();
	DELETE FROM last;
	INSERT INTO last VALUES (coalesce(psql(script), ''), 0, all_ended());
	lines := log_has(start, 'Sigma write by', 100);
	RETURN (SELECT array_agg(regexp_replace(regexp_replace(l, '^.*LOG:  ', ''), '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', 'g')
		ORDER BY n) FROM string_to_table(lines, E'\n') WITH ORDINALITY t (l, n));
END $$;
SELECT format('by "%s" on server "sim": ', current_user) AS who \gset
SELECT is(logged(ins('a')), ARRAY['Sigma write ' || :'who' || 'POST /v2/connections (creating connection "a"), id ID, status 201, requestId ID'], 'a create');
SELECT is(logged('INSERT INTO sim.connections (name, details) VALUES (''a'', ''{"type": "postgres"}'');'),
	ARRAY['Sigma write ' || :'who' || 'POST /v2/connections (creating connection "a"), status 400, requestId ID'], 'a create that fails');
SELECT is(logged('SELECT sim_spoil_create(''lost-reply''); ' || ins('a')),
	ARRAY['Sigma write ' || :'who' || 'POST /v2/connections (creating connection "a"), outcome unknown'], 'one of unknown outcome');
SELECT matches(array_to_string(logged('BEGIN; ' || ins('a') || 'ROLLBACK;'), E'\n'),
	'^Sigma write by "\w+" on server "sim": POST [^\n]*\nSigma write by "\w+" on server "sim": '
	'DELETE /v2/connections/ID \(undoing [^\n]*, id ID, status 200[^\n]*$', 'one that is undone');
SELECT matches(array_to_string(logged(format('BEGIN; DELETE FROM sim.connections WHERE connection_id = %L; COMMIT;', :'old')),
	E'\n'), '^[^\n]*: DELETE /v2/connections/ID \(deleting connection "Postgres Staging" \(ID\)\), id ID, status 200[^\n]*$', 'a DELETE');
SELECT is(logged(format('BEGIN; DELETE FROM sim.connections WHERE connection_id = %L; ROLLBACK;', :'old')), NULL, 'one that is rolled back');
SELECT matches(array_to_string(logged(format('UPDATE sim.connections SET name = ''u'' WHERE connection_id = %L;', :'old')),
	E'\n'), '^[^\n]*: PATCH /v2/connections/ID \(updating connection "[^\n]*, id ID, status 200[^\n]*$', 'an UPDATE');
SELECT is(cardinality(logged('BEGIN; ' || statement || '; COMMIT;')), 1, what || ' is one line') FROM writing WHERE what !~ 'revoke|DELETE of' ORDER BY n;
SELECT matches((logged('BEGIN; ' || g.statement || '; ' || w.statement || '; COMMIT;'))[2],
	'DELETE /v2/connections/ID/grants/ID \(revoking grant ID on connection ID\), id ID, status 200, requestId ID$',
	w.what || ' is another') FROM writing w, writing g WHERE w.what ~ 'revoke|DELETE of' AND g.what = 'sigma_grant_connection' ORDER BY w.n;
SELECT is(logged('SELECT count(connection_id) FROM sim.connections; SELECT * FROM sigma_whoami(''sim''); '
	'SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'') IS NULL; SELECT * '
	'FROM sigma_plan(''sim'', ''SELECT ''''x'''' AS name, ''''postgres'''' AS type, pg() AS details'');'), NULL, 'reads are not logged');
SELECT is(logged('SET sigma_fdw.dry_run = on; BEGIN; ' || (SELECT string_agg(statement, '; ' ORDER BY n) FROM writing) || '; COMMIT;'), NULL, 'nor dry runs');
SELECT is(logged('SET sigma_fdw.log_writes = off; BEGIN; ' || (SELECT string_agg(statement, '; ' ORDER BY n) FROM writing
	WHERE what !~ 'UPDATE|request|grant|revoke') || '; COMMIT; BEGIN; ' || ins('b') || 'ROLLBACK;'), NULL, 'nor anything when it is off');
SELECT unalike(coalesce(told, ''), '%ERROR%', '... without an error') FROM last;
SELECT is(cardinality(logged('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM odd;')), 6, 'odd names: one line each');
SELECT log_size() AS start \gset
SELECT psql('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM odd;') \g /dev/null
SELECT is((SELECT count(*)::int
	FROM string_to_table(sim_shell(format('tail -c +%s %s | sed ''s/^[[:space:]]\+/CONTINUED /''', :'start'::bigint + 1,
	sim_quote(current_setting('sim.log')))), E'\n') l WHERE l LIKE 'CONTINUED%' OR l ~ '\x1b'), 0, '... in which nothing can be forged');

-- who may
SELECT 'sigma_logger_' || pg_backend_pid() AS logger \gset
CREATE ROLE :logger;
SET ROLE :logger;
SELECT fails('SET sigma_fdw.log_writes = off', '42501', NULL, NULL, NULL, 'only a superuser may set it');
RESET ROLE;
-- who is named: the one whose statement it is
CREATE USER MAPPING FOR :logger SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
GRANT USAGE ON SCHEMA sim TO :logger;
GRANT ALL ON sim.connections TO :logger;
CREATE VIEW owned AS SELECT name, details FROM sim.connections;
GRANT ALL ON owned TO :logger;
CREATE FUNCTION defined() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO sim.connections (name, details) VALUES ('d', pg()) $$;
SELECT ARRAY[substring((logged(format('SET ROLE %s; %s', :'logger', ins('a'))))[1] FROM 'by "(.*?)"'),
	substring((logged(format('SET ROLE %s; INSERT INTO owned VALUES (''v'', pg());', :'logger')))[1] FROM 'by "(.*?)"'),
	substring((logged(format('SET ROLE %s; SELECT defined();', :'logger')))[1] FROM 'by "(.*?)"'),
	substring((logged(format('BEGIN; SET LOCAL ROLE %s; %s RESET ROLE; ROLLBACK;', :'logger', ins('a'))))[2] FROM 'by "(.*?)"'),
	substring((logged(format('BEGIN; SET LOCAL ROLE %s; DELETE FROM sim.connections WHERE connection_id = %L; RESET ROLE; '
		'COMMIT;', :'logger', :'old')))[1] FROM 'by "(.*?)"')] AS named \gset
SELECT is((:'named'::text[])[1], :'logger', 'a role is named');
SELECT is((:'named'::text[])[2], :'logger', 'by way of a view, who asks');
SELECT is((:'named'::text[])[3], current_user::text, 'by way of a SECURITY DEFINER function, its owner');
SELECT is((:'named'::text[])[4], :'logger', 'for an undoing, who has created it');
SELECT is((:'named'::text[])[5], :'logger', 'for a queued change, who has asked for it');
DROP OWNED BY :logger CASCADE;
DROP ROLE :logger;

-- never a secret, whatever is logged beside
SELECT sim_reset() \g /dev/null
SELECT log_size() AS start \gset
SELECT psql(format('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM odd; BEGIN; '
	'INSERT INTO sim.connections (name, details) SELECT name, pg() FROM odd; ROLLBACK;
	UPDATE sim.connections SET details = pg() WHERE connection_id = %L; SELECT sigma_request(''sim'', ''POST'', '
		'''/v2/connections'', NULL, jsonb_build_object(''name'', ''r'', ''details'', pg())) IS NULL; ', :'old') || restores(:'archived')) \g /dev/null
SELECT isnt(log_has(:'start', 'Sigma write'), NULL, 'a lot is logged');
SELECT is(log_has(:'start', 'hush|simulator-secret|[Bb]earer'), NULL, 'but no secret');
\endif

-- -------------------------------------------------- a thousand rollbacks

ALTER SERVER sim OPTIONS (DROP rollback_timeout);
SELECT sim_reset() \g /dev/null
SELECT psql($$
	CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $f$
		SELECT (SELECT sum(used_bytes) FROM pg_backend_memory_contexts)::text || ' ' || (SELECT count(*) FROM pg_ls_dir('/proc/self/fd'))
	$f$;
	CREATE PROCEDURE pg_temp.loop(n int) LANGUAGE plpgsql AS $p$ BEGIN FOR i IN 1..n LOOP
		PERFORM sigma_create_connection('sim', 'l' || i, pg());
		BEGIN PERFORM sigma_create_connection('sim', 'm' || i, pg()); RAISE 'x'; EXCEPTION WHEN OTHERS THEN NULL; END;
		ROLLBACK; END LOOP; END $p$;
	CALL pg_temp.loop(50); SELECT pg_temp.state(); CALL pg_temp.loop(1000); SELECT pg_temp.state();$$) AS told \gset
SELECT diag('memory and descriptors after 50 and after 1,050 rollbacks: ' || replace(:'told', E'\n', ', '));
SELECT cmp_ok(split_part(split_part(:'told', E'\n', 2), ' ', 1)::int - split_part(split_part(:'told', E'\n', 1), ' ', 1)::int,
	'<', 100000, 'a thousand rollbacks take no memory');
SELECT is(split_part(split_part(:'told', E'\n', 2), ' ', 2), split_part(split_part(:'told', E'\n', 1), ' ', 2), '... and no descriptor');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT path) FROM sim_log() WHERE method = 'DELETE' AND status = 200), '2100 2100',
	'... and have deleted each once');
SELECT is((SELECT count(*)::int FROM every WHERE NOT is_archived AND connection_id NOT IN (SELECT connection_id FROM initial)), 0, '... all that there was');

SELECT * FROM finish();

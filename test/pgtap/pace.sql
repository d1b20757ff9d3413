-- How fast Sigma is asked: a session slows down by itself after a 429, and
-- keeps the pace that requests_per_minute names.  What is asserted of time is
-- only that nothing comes too early.

\ir lib/simulator.sql
\ir lib/answers.sql
SELECT * FROM no_plan();

SELECT sim_start('edge', '--connections 60') \g /dev/null
SELECT make_server('edge', sim_url('edge'), 'max_concurrency ''8''') \g /dev/null
-- signs in
SELECT count(*) FROM (SELECT name FROM edge.connections LIMIT 1) c \g /dev/null

-- what EXPLAIN ANALYZE shows
CREATE FUNCTION explained(query text, what text DEFAULT 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', what, query) LOOP
		RETURN NEXT line;
	END LOOP;
END $$;
-- a property of the foreign scan, in the form of JSON
CREATE FUNCTION property(query text, name text) RETURNS numeric LANGUAGE sql AS $$
	SELECT (jsonb_path_query_first(string_agg(line, '')::jsonb, 'strict $.**?(@."Node Type" == "Foreign Scan")') ->> name)::numeric
	FROM explained(query, 'ANALYZE, FORMAT JSON') line
$$;

-- ------------------------------------------------------------- without a limit

SELECT sim_config('{"latency_ms": 30}', 'edge') \g /dev/null
SELECT is(count(*)::int, 0, 'nothing of being throttled, where nothing was') FROM explained('SELECT grant_id FROM edge.connection_grants') line
	WHERE line ~ 'Throttled';
SELECT ok('Concurrency: 8' IN (SELECT btrim(line) FROM explained('SELECT grant_id FROM edge.connection_grants') line),
	'EXPLAIN shows how many were under way at once');
SELECT is(property('SELECT grant_id FROM edge.connection_grants', 'Throttled')::int, 0, '... and in JSON that none was throttled');
SELECT is(property('SELECT grant_id FROM edge.connection_grants', 'Throttled Time')::int, 0, '... nor any time lost');
SELECT is(property('SELECT name FROM edge.connections', 'Concurrency')::int, 1, 'one page is one at once');

-- ------------------------------------------- the limiter before the real API

SELECT sim_calm('edge') \g /dev/null
SELECT sim_config('{"latency_ms": 10, "limiter": {"burst": 20, "per_second": 20, "block_ms": 1000}}', 'edge') \g /dev/null
SELECT explained('SELECT grant_id FROM edge.connection_grants', 'ANALYZE, FORMAT JSON') AS plan \gset
SELECT is(:'plan'::jsonb #>> '{0,Plan,Pages}', '61', '60 lists below parents, beyond what the edge lets through: all are read');
SELECT cmp_ok((:'plan'::jsonb #>> '{0,Plan,Throttled}')::int, '>', 0, '... some requests were refused');
SELECT is((:'plan'::jsonb #>> '{0,Plan,Throttled}')::int, (SELECT count(*)::int FROM sim_log('edge') WHERE status = 429), '... which EXPLAIN counts');
SELECT cmp_ok((:'plan'::jsonb #>> '{0,Plan,Throttled Time}')::numeric, '>', 0::numeric, '... and the time lost');
SELECT cmp_ok((SELECT count(*)::int FROM sim_log('edge') WHERE status = 429), '<', 30, '... few, since the others waited meanwhile');
SELECT is((SELECT count(*)::int FROM sim_log('edge') r WHERE r.status = 200 AND EXISTS (SELECT FROM sim_log('edge') e WHERE e.status = 429
	AND r.started_ms > e.finished_ms AND r.started_ms < e.finished_ms + 1000)), 0, '... and none was sent in the second after a refusal');
SELECT sim_config('{"limiter": null}', 'edge') \g /dev/null
SELECT is((SELECT count(*)::int FROM sim_log('edge') WHERE status NOT IN (200, 429)), 0, '... no other answer');

-- what is refused to one is not tried by the others; then one goes first
CREATE FUNCTION slowed(n int, refused int, headers jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	-- a session that knows nothing yet
	ALTER SERVER edge OPTIONS (SET max_concurrency '8');
	PERFORM count(*) FROM (SELECT name FROM edge.connections LIMIT 1) c;
	PERFORM sim_calm('edge');
	PERFORM sim_config('{"latency_ms": 30}', 'edge');
	PERFORM sim_fault(jsonb_build_object('path', '/v2/connections/*', 'after', 8, 'times', refused, 'do', 'status', 'status', 429, 'html', true,
		'headers', headers), 'edge');
	PERFORM count(grant_id) FROM edge.connection_grants WHERE connection_id = ANY ((SELECT array_agg(connection_id) FROM
		(SELECT connection_id FROM edge.connections LIMIT n) c)::text[]);
END $$;
SELECT slowed(25, 1, '{"Retry-After": "1"}') \g /dev/null
SELECT is((SELECT count(*)::int FROM sim_log('edge') r, sim_log('edge') e WHERE e.status = 429 AND r.started_ms > e.finished_ms + 100
	AND r.started_ms < e.finished_ms + 1000), 0, 'a 429 with Retry-After: nothing is sent until then');
SELECT is((SELECT max(r.concurrent) FROM sim_log('edge') r, sim_log('edge') e WHERE e.status = 429 AND r.n > e.n
	AND r.started_ms > e.finished_ms + 1000), 4, '... half as many at once afterwards');
SELECT is((SELECT r.concurrent FROM sim_log('edge') r, sim_log('edge') e WHERE e.status = 429 AND r.started_ms > e.finished_ms + 1000
	ORDER BY r.n OFFSET 1 LIMIT 1), 1, '... after one alone, and another when that was answered');

-- ------------------------------------------------------- requests_per_minute

-- 120 a minute are 12 at once, and then one each 550 ms
SELECT make_server('paced', sim_url('edge'), 'max_concurrency ''8'', requests_per_minute ''120''') \g /dev/null
SELECT sim_config('{"latency_ms": 0}', 'edge') \g /dev/null
SELECT sim_calm('edge') \g /dev/null
SELECT explained('SELECT grant_id FROM paced.connection_grants WHERE connection_id = ANY ((SELECT array_agg(connection_id) FROM (SELECT connection_id '
	'FROM edge.connections LIMIT 15) c)::text[])', 'ANALYZE, FORMAT JSON') AS plan \gset
SELECT is((SELECT count(*)::int FROM sim_log('edge') WHERE path LIKE '/v2/connections/%'), 15, 'requests_per_minute 120: 15 lists');
SELECT cmp_ok((SELECT max(started_ms) - min(started_ms) FROM sim_log('edge') WHERE path LIKE '/v2/connections/%')::int, '>=', 1500,
	'... of which twelve come at once');
SELECT cmp_ok((SELECT (jsonb_path_query_first(:'plan'::jsonb, 'strict $.**?(@."Relation Name" == "connection_grants")')
	->> 'Throttled Time')::numeric), '>', 0::numeric, '... and the others wait, as EXPLAIN shows');
SELECT is((SELECT count(*)::int FROM sim_log('edge') WHERE status = 429), 0, '... without a 429');
-- the wait can be interrupted, and is none of request_timeout
ALTER SERVER paced OPTIONS (SET requests_per_minute '1', ADD request_timeout '1s');
SELECT is((SELECT count(name) FROM paced.connections)::int, 60, 'one a minute: the first');
SET statement_timeout = '3s';
SELECT fails('SELECT count(name) FROM paced.connections', '57014', NULL, NULL, NULL, '... the second waits beyond request_timeout, until it is cancelled');
RESET statement_timeout;
ALTER SERVER paced OPTIONS (DROP requests_per_minute);
SELECT is((SELECT count(name) FROM paced.connections)::int, 60, '... and no more without the option');
-- writes keep the pace, too, and undoing them does not
ALTER SERVER paced OPTIONS (ADD requests_per_minute '1');
SELECT sim_calm('edge') \g /dev/null
SELECT is(count(line)::int, 1, 'what a transaction has created is deleted at its rollback without a wait')
FROM regexp_split_to_table(psql('BEGIN; INSERT INTO paced.connections (name, details) VALUES (''x'', ''{"type": "postgres", "host": "h", "database": "d", '
	'"user": "u", "password": "p"}''); ROLLBACK; SELECT ''rolled back'''), '\n') line WHERE line ~ 'rolled back';
SELECT is((SELECT array_agg(method ORDER BY n) FROM sim_log('edge')), '{POST,DELETE}', '... by the requests for it');

SELECT * FROM finish();

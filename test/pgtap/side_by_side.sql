-- Scans of several servers at once (async_capable), under one table or one
-- UNION ALL: the same rows, and all servers at work at the same time.

\ir lib/simulator.sql
\ir lib/answers.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

SELECT sim_start('org_' || i, format('--connections %s --latency 20', 60 + i)) FROM generate_series(1, 3) i \g /dev/null
SELECT make_server('org_' || i, sim_url('org_' || i), 'page_size ''20''') FROM generate_series(1, 3) i \g /dev/null
SELECT make_server('alone_' || i, sim_url('org_' || i), 'page_size ''20'', async_capable ''false''') FROM generate_series(1, 3) i \g /dev/null
CREATE TABLE orgs (org int, connection_id text, name text, type text) PARTITION BY LIST (org);
CREATE TABLE orgs_alone (LIKE orgs) PARTITION BY LIST (org);
-- the column that tells the partitions apart is none of Sigma's
CREATE VIEW org_rows AS SELECT 1 AS org, connection_id, name, type FROM org_1.connections UNION ALL SELECT 2, connection_id, name,
	type FROM org_2.connections UNION ALL SELECT 3, connection_id, name, type FROM org_3.connections;
CREATE VIEW alone_rows AS SELECT 1 AS org, connection_id, name, type FROM alone_1.connections UNION ALL SELECT 2, connection_id,
	name, type FROM alone_2.connections UNION ALL SELECT 3, connection_id, name, type FROM alone_3.connections;
CREATE TABLE whole (connection_id text, name text, type text);
SELECT format('CREATE FOREIGN TABLE whole_%s () INHERITS (whole) SERVER org_%s OPTIONS (resource ''connections'')', i, i) FROM generate_series(1, 3) i \gexec
CREATE TABLE alone (connection_id text, name text, type text);
SELECT format('CREATE FOREIGN TABLE alone_%s () INHERITS (alone) SERVER alone_%s OPTIONS (resource ''connections'')', i, i) FROM generate_series(1, 3) i \gexec
DROP TABLE orgs, orgs_alone;
SELECT count(connection_id) FROM whole \g /dev/null
SELECT count(connection_id) FROM alone \g /dev/null
CREATE TABLE ids AS SELECT row_number() OVER ()::int AS n, connection_id AS id, name FROM org_1.connections LIMIT 40;
ANALYZE ids;

CREATE FUNCTION calm_orgs() RETURNS void LANGUAGE sql AS $$ SELECT sim_calm('org_' || i) FROM generate_series(1, 3) i $$;
-- when each of them was first and last at work
CREATE FUNCTION overlap() RETURNS boolean LANGUAGE sql AS $$
	SELECT max(began) < min(ended) FROM generate_series(1, 3) i, LATERAL (SELECT min(started_ms) AS began,
		max(finished_ms) AS ended FROM sim_log('org_' || i)) l
$$;
SELECT matches(plan_of('SELECT * FROM whole'),
	'Async Foreign Scan on whole_1.*Async Foreign Scan on whole_2.*Async Foreign Scan on whole_3', 'children of one table are scanned side by side');
SELECT doesnt_match(plan_of('SELECT * FROM alone'), 'Async', '... unless they must not');
SELECT calm_orgs() \g /dev/null
-- slowly enough that they overlap on a busy machine, too
SELECT sim_config('{"latency_ms": 200}', 'org_' || i) FROM generate_series(1, 3) i \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 61 + 62 + 63, 'all rows');
SELECT sim_config('{"latency_ms": 20}', 'org_' || i) FROM generate_series(1, 3) i \g /dev/null
SELECT ok(overlap(), '... all servers at work at the same time');
SELECT is((SELECT array_agg(sim_count('org_' || i) ORDER BY i) FROM generate_series(1, 3) i), '{4,4,4}', '... each page once');
SELECT cmp_ok((SELECT max(at_once('org_' || i)) FROM generate_series(1, 3) i), '<=', 4, '... never more at once than each server allows');
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM alone')), 61 + 62 + 63, 'one after another: all rows');
SELECT ok(NOT overlap(), '... one server at a time');

CREATE FUNCTION alike_alone(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	a text[] := rows_of(format(query, 'whole', 'org_rows'));
	b text[] := rows_of(format(query, 'alone', 'alone_rows'));
BEGIN
	RETURN NEXT is((SELECT array_agg(x ORDER BY x) FROM unnest(a) x), (SELECT array_agg(x ORDER BY x) FROM unnest(b) x), format(query, 'whole', 'org_rows'));
	IF query ~ 'ORDER BY 1(, 2)?$' THEN
		RETURN NEXT is(a, b, '... in order');
	END IF;
END $$;
SELECT alike_alone(q) FROM unnest(ARRAY[
	'SELECT * FROM %1$s',
	'SELECT * FROM %2$s',
	'SELECT name FROM %1$s ORDER BY 1',
	'SELECT name FROM %2$s ORDER BY 1',
	'SELECT count(*), count(DISTINCT connection_id) FROM %1$s',
	'SELECT org, count(*) FROM %2$s GROUP BY org ORDER BY 1',
	'SELECT * FROM %1$s WHERE type = ''postgres''',
	'SELECT * FROM %2$s WHERE org = 2',
	'SELECT * FROM %2$s WHERE org > 5',
	'SELECT count(*) FROM (SELECT * FROM %1$s LIMIT 30) w',
	'SELECT count(*) FROM (SELECT * FROM %1$s OFFSET 100 LIMIT 50) w',
	'SELECT a.name FROM %1$s a JOIN %1$s b USING (connection_id, name) ORDER BY 1',
	'SELECT a.name, b.org FROM %1$s a JOIN %2$s b USING (connection_id) ORDER BY 1, 2',
	'SELECT a.name FROM %1$s a LEFT JOIN org_1.connections b ON b.connection_id = a.connection_id AND b.type = ''postgres'' WHERE b.name IS NULL ORDER BY 1',
	'SELECT i.n, w.name FROM ids i LEFT JOIN %1$s w ON w.connection_id = i.id ORDER BY 1, 2',
	'SELECT g, (SELECT count(*) FROM %1$s w WHERE length(w.name) > g) FROM generate_series(15, 18) g ORDER BY 1',
	'SELECT g, w.name FROM generate_series(1, 3) g, LATERAL (SELECT name FROM %2$s WHERE org = g ORDER BY name LIMIT 2) w ORDER BY 1, 2',
	'SELECT g, w.n FROM generate_series(1, 3) g, LATERAL (SELECT count(*) AS n FROM (SELECT name FROM %1$s WHERE length(name) <> g LIMIT 25) s) w ORDER BY 1',
	'SELECT name FROM %1$s WHERE connection_id IN (SELECT connection_id FROM %2$s WHERE org = 3) ORDER BY 1',
	'SELECT name FROM %1$s UNION SELECT name FROM %2$s ORDER BY 1',
	'SELECT name FROM %1$s EXCEPT SELECT name FROM org_1.connections ORDER BY 1',
	'WITH w AS MATERIALIZED (SELECT * FROM %1$s) SELECT a.name FROM w a JOIN w b USING (connection_id) ORDER BY 1']) q;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
SELECT alike_alone('SELECT v.n, w.name FROM (VALUES (1), (2)) v (n) JOIN %1$s w ON length(w.name) > v.n + 16 ORDER BY 1, 2');
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_memoize;
SET enable_async_append = off;
SELECT doesnt_match(plan_of('SELECT * FROM whole'), 'Async', 'enable_async_append is off');
SELECT alike_alone('SELECT * FROM %1$s');
RESET enable_async_append;
-- two scans of one session in one Append
SELECT alike_alone('SELECT name FROM %1$s UNION ALL SELECT name FROM %1$s');
SELECT is(cardinality(rows_of('SELECT name FROM org_1.connections UNION ALL SELECT name FROM org_1.connections')), 122, 'twice the same server');
-- a part that is not asked for much
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole LIMIT 1')), 1, 'LIMIT 1');
SELECT cmp_ok((SELECT max(sim_count('org_' || i)) FROM generate_series(1, 3) i), '<=', 1, '... asks each server at most once');
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM whole;
CREATE TABLE fetched_names (name text);
CREATE FUNCTION fetch_rest() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
	r record;
	n int := 0;
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		n := n + 1;
		INSERT INTO fetched_names VALUES (r.name);
		-- other requests on the same sessions in between
		IF n % 50 = 0 THEN
			PERFORM count(*) FROM org_2.members;
		END IF;
	END LOOP;
	RETURN n;
END $$;
SELECT is(fetch_rest(), 61 + 62 + 63, 'a cursor, with other queries in between');
SELECT is((SELECT array_agg(name ORDER BY name) FROM fetched_names), (SELECT array_agg(name ORDER BY name) FROM alone), '... the right rows');
ROLLBACK;
-- one that fails, and one that never answers
SELECT calm_orgs() \g /dev/null
SELECT sim_spoil_list('status', '{"status": 403, "after": 1}', 'org_2') \g /dev/null
SELECT fails('SELECT count(name) FROM whole', '42501', NULL, NULL, NULL, 'a server that fails fails the query');
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, '... and leaves nothing behind');
SELECT sim_spoil_list('never', '{"after": 1}', 'org_2') \g /dev/null
CREATE FUNCTION ends(way text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	backend int;
	message text;
	deadline timestamptz;
BEGIN
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('victim', 'SELECT pg_backend_pid()') r (pid int);
	IF way = 'statement_timeout' THEN
		PERFORM dblink_exec('victim', 'SET statement_timeout = 500');
	END IF;
	PERFORM dblink_send_query('victim', 'SELECT count(name) FROM whole');
	PERFORM pg_sleep(0.5);
	PERFORM CASE way WHEN 'cancel' THEN pg_cancel_backend(backend) WHEN 'terminate' THEN pg_terminate_backend(backend) END;
	deadline := clock_timestamp() + interval '5 s';
	WHILE dblink_is_busy('victim') = 1 AND clock_timestamp() < deadline LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN NEXT ok(clock_timestamp() < deadline, way || ' ends a query that waits for several servers');
	IF clock_timestamp() >= deadline THEN
		PERFORM pg_terminate_backend(backend);
	END IF;
	PERFORM * FROM dblink_get_result('victim', false) r (n bigint);
	message := dblink_error_message('victim');
	RETURN NEXT alike(message, CASE way WHEN 'cancel' THEN '%user request%' WHEN 'terminate' THEN '%terminating connection%'
		ELSE '%statement timeout%' END, '... as such');
	IF way <> 'terminate' THEN
		PERFORM * FROM dblink_get_result('victim', false) r (n bigint);
		PERFORM dblink_exec('victim', 'SET statement_timeout = 0');
		RETURN NEXT is((SELECT n FROM dblink('victim', 'SELECT count(name) FROM alone_1.connections') r (n int)), 61, '... and the next query works');
	END IF;
	PERFORM dblink_disconnect('victim');
END $$;
SELECT ends(way) FROM unnest('{cancel,statement_timeout,terminate}'::text[]) way;
SELECT calm_orgs() \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'org_' || i) FROM generate_series(1, 3) i \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, 'with tokens that are no longer good');
SELECT sim_spoil_list('status', '{"status": 503, "times": 2, "headers": {"Retry-After": "0"}}', 'org_3') \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, 'with retries');
SELECT is(names_twice(plan_of('SELECT * FROM whole', 'ANALYZE, VERBOSE, FORMAT JSON')::json), 0::bigint, 'EXPLAIN has no name twice');

SELECT * FROM finish();

-- count(*) of a list by the total that Sigma tells, in one request for one
-- entry: where that gives what counting the rows gives, and nowhere else.

\ir lib/simulator.sql
\ir lib/answers.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

CREATE FUNCTION counts(query text, requests text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	got text[];
BEGIN
	PERFORM sim_calm();
	got := rows_of(format(query, 'sim'));
	RETURN NEXT is(asked(), requests, query);
	RETURN NEXT is(got, rows_of(format(query, 'uncounted')), '... and without that way');
END $$;
SELECT make_server('uncounted', sim_url(), 'count_by_total ''false''') \g /dev/null
SELECT counts(q, '{GET /v2/connections?limit=1}')
	FROM unnest('{SELECT count(*) FROM %s.connections,SELECT count(*) + 1 AS a FROM %s.connections,"SELECT 2 * count(*) AS a, '
	'count(*) AS b FROM %s.connections",
	SELECT count(*) FROM %s.connections LIMIT 1,SELECT count(*) FROM %s.connections ORDER BY 1,SELECT count(*) FROM (SELECT * '
		'FROM %s.connections) c,SELECT (SELECT count(*) FROM %s.connections) AS n,
	SELECT DISTINCT count(*) FROM %s.connections,SELECT count(1) FROM (VALUES (1)) v WHERE (SELECT count(*) '
		'FROM %s.connections) > 3,"SELECT g, (SELECT count(*) FROM %s.connections) AS n FROM generate_series(1, 3) g"}'::text[]) q;
SELECT counts(q, '{GET /v2/connections?limit=1000}')
	FROM unnest('{SELECT count(name) FROM %s.connections,SELECT count(DISTINCT type) FROM %s.connections,SELECT count(*) FROM %s.connections WHERE is_sample,
	SELECT count(*) FILTER (WHERE is_sample) FROM %s.connections,"SELECT count(*), max(name) '
		'FROM %s.connections","SELECT type, count(*) FROM %s.connections GROUP BY type ORDER BY 1",SELECT count(*) '
		'FROM (SELECT * FROM %s.connections OFFSET 0) c,
	SELECT count(*) FROM %s.connections HAVING count(*) > 3,"SELECT count(*) FROM %s.connections, generate_series(1, '
		'3)",SELECT count(*) OVER () AS n FROM %s.connections,"SELECT count(*) FROM %s.connections GROUP BY ROLLUP (type) ORDER BY 1"}'::text[]) q;
SELECT counts('SELECT count(*) FROM %s.connections WHERE false', '{}');
SELECT is(count_of('SELECT count(*) FROM sim.connection_grants'), 14, 'below a parent: the lists are walked');
SELECT is((SELECT count(*) FROM sim.connection_grants), (SELECT count(*) FROM (SELECT FROM sim.connection_grants OFFSET 0) g), '... and counted');
SELECT sim_calm() \g /dev/null
CREATE FOREIGN TABLE with_archived (connection_id text) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
SELECT is((SELECT count(*) FROM with_archived), (SELECT count(*) FROM (SELECT FROM with_archived OFFSET 0) c), 'with archived ones');
SELECT is((sim_requests())[1], 'GET /v2/connections?includeArchived=true&limit=1', '... by one request');
CREATE FUNCTION counts_right(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a bigint;
	b bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM sim.%I', t) INTO a;
	EXECUTE format('SELECT count(*) FROM (SELECT FROM sim.%I OFFSET 0) t', t) INTO b;
	RETURN is(a, b, format('count(*) of %s: %s', t, b));
END $$;
-- an organization of today has no list of addresses
SELECT counts_right(relname) FROM pg_class WHERE relnamespace = 'sim'::regnamespace AND relkind = 'f' AND relname <> 'allowed_ips' ORDER BY relname;
-- without a total, or with one that the page belies
CREATE FUNCTION counts_with(edit jsonb, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM sim_calm();
	PERFORM sim_spoil_list('edit', edit || '{"query": "limit=1", "times": 1}');
	SELECT count(*) INTO n FROM sim.connections;
	RETURN is(n, 13::bigint, description);
END $$;
SELECT counts_with('{"remove": ["total"]}', 'no total: counted after all');
SELECT counts_with('{"set": {"total": 0}}', 'a total of nothing, but an entry');
SELECT counts_with('{"set": {"total": 1}}', 'a total of one, but another page');
SELECT counts_with('{"set": {"total": "13"}}', 'a total that is no number');
SELECT counts_with('{"set": {"total": null}}', 'a total that is null');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('status', '{"status": 403}') \g /dev/null
SELECT fails('SELECT count(*) FROM sim.connections', '42501', NULL, 'GET /v2/connections?limit=1:%', NULL, 'a failure is an error');
SELECT sim_call('POST', 'reset') \g /dev/null
SELECT is(count_of('EXPLAIN SELECT count(*) FROM sim.connections'), 0, 'EXPLAIN makes no request');
SELECT matches(plan_of('SELECT count(*) FROM sim.connections'), 'Foreign Scan.*Remote Request: GET /v2/connections\?limit=1\M', '... and shows the one');
SELECT is(names_twice(plan_of('SELECT count(*) FROM sim.connections', 'ANALYZE, VERBOSE, FORMAT JSON')::json), 0::bigint, '... no name twice');
-- before what the statement makes, in whatever order
SELECT sim_start('store') \g /dev/null
SELECT make_server('store', sim_url('store'), 'batch_size ''50'''), make_server('store_1', sim_url('store')) \g /dev/null
WITH i AS (INSERT INTO store.connections (name, details)
	VALUES ('counted', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}') RETURNING name),
	n AS (SELECT count(*) AS n FROM store.connections)
SELECT is(n, (SELECT count(*) FROM (SELECT FROM store_1.connections OFFSET 0) c) - 1, 'a statement does not count what it makes') FROM n, i;
-- as a view's owner; the second client sees only connections of type postgres
SELECT sim_start('many', '--connections 2000 --client-id simulator-client --client-secret simulator-secret --client-id '
	'second-client --client-secret second-secret') \g /dev/null
SELECT make_server('many', sim_url('many')), make_server('many_off', sim_url('many'), 'prefetch ''false''') \g /dev/null
CREATE ROLE sigma_counting_owner;
CREATE USER MAPPING FOR sigma_counting_owner SERVER many OPTIONS (client_id 'second-client', client_secret 'second-secret');
GRANT USAGE ON SCHEMA many TO sigma_counting_owner;
GRANT SELECT ON many.connections TO sigma_counting_owner;
CREATE VIEW their_connections AS SELECT * FROM many.connections;
ALTER VIEW their_connections OWNER TO sigma_counting_owner;
CREATE VIEW their_number AS SELECT count(*) AS n FROM many.connections;
ALTER VIEW their_number OWNER TO sigma_counting_owner;
SELECT sim_call('DELETE', 'log', NULL, 'many') \g /dev/null
SELECT is(count(*), (SELECT count(*) FROM many_off.connections WHERE type = 'postgres' AND name <> ''),
	'count(*) of a view counts what its owner sees') FROM their_connections;
SELECT is(n, (SELECT count(*) FROM many_off.connections WHERE type = 'postgres' AND name <> ''), 'so does count(*) in a view') FROM their_number;
DROP VIEW their_connections, their_number;
DROP USER MAPPING FOR sigma_counting_owner SERVER many;
DROP OWNED BY sigma_counting_owner;
DROP ROLE sigma_counting_owner;

SELECT * FROM finish();

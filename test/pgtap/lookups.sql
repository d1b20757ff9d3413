-- Many look-ups at once: of keys that are named, of the lists below several
-- parents, and of what a join asks for (Sigma Lookup Join).

\ir lib/simulator.sql
\ir lib/answers.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

-- ------------------------------------------------------------- many look-ups

SELECT sim_start('many', '--connections 2000') \g /dev/null
SELECT make_server('many', sim_url('many')), make_server('many_off', sim_url('many'), 'prefetch ''false''') \g /dev/null
SELECT sim_config('{"latency_ms": 10}', 'many') \g /dev/null
CREATE TABLE ids AS SELECT row_number() OVER ()::int AS n, connection_id AS id, name FROM many.connections LIMIT 40;
ANALYZE ids;
-- lists that look so long that nobody would read them whole
ALTER FOREIGN TABLE many.connections OPTIONS (ADD rows '1000000');
ALTER FOREIGN TABLE many_off.connections OPTIONS (ADD rows '1000000');
CREATE FUNCTION keyed(ids text[]) RETURNS text LANGUAGE sql AS $$ SELECT format('SELECT name FROM many.connections WHERE connection_id = ANY (%L)', ids) $$;
SELECT array_agg(id ORDER BY n) AS some FROM ids \gset
SELECT sim_calm('many') \g /dev/null
SELECT is(rows_of(keyed(:'some')), (SELECT array_agg(ROW (name)::text ORDER BY n) FROM ids), '= ANY: the rows in the order of the keys');
SELECT is(sim_count('many'), 40, '... a request for each key');
SELECT is(at_once('many'), 4, '... four at once');
SELECT sim_calm('many') \g /dev/null
SELECT is(cardinality(rows_of(keyed(:'some'::text[] || :'some'::text[] || NULL))), 40, 'keys that come twice, or are NULL');
SELECT is(sim_count('many'), 40, '... are asked for once, or not at all');
SELECT is(count_of(keyed(:'some') || ' LIMIT 1', 'many'), 1, 'LIMIT 1 of them: one request');
SELECT cmp_ok(count_of(keyed(:'some') || ' LIMIT 10', 'many'), '<=', 14, 'LIMIT 10: never more ahead than may be under way');
SELECT is(count_of(keyed('{}'), 'many'), 0, 'no keys: no request');
SELECT sim_calm('many') \g /dev/null
SELECT is(rows_of('SELECT connection_id, grant_id FROM many.connection_grants WHERE connection_id = ANY (' || quote_literal(:'some') || ')'),
	rows_of('SELECT connection_id, grant_id FROM many_off.connection_grants WHERE connection_id = ANY (' || quote_literal(:'some')
		|| ')'), 'the lists of 40 parents: the same rows');
SELECT cmp_ok(at_once('many'), '<=', 4, '... never more than four at once');
SELECT make_server('small_off', sim_url(), 'prefetch ''false'''), make_server('small_one', sim_url(), 'max_concurrency ''1''') \g /dev/null
SELECT sim_config('{"latency_ms": 10}') \g /dev/null
CREATE FUNCTION walks(t text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	rows text[];
BEGIN
	PERFORM sim_calm();
	rows := rows_of(format('SELECT * FROM sim.%I', t));
	RETURN NEXT is(rows, rows_of(format('SELECT * FROM small_off.%I', t)), t || ': the same rows with and without look-ahead');
	PERFORM sim_calm();
	PERFORM rows_of(format('SELECT * FROM sim.%I', t));
	RETURN NEXT ok(at_once() BETWEEN 2 AND 4, '... several lists at once');
	RETURN NEXT is(cardinality(asked()), (SELECT count(DISTINCT r)::int FROM unnest(asked()) r), '... each page once');
	PERFORM sim_calm();
	PERFORM rows_of(format('SELECT * FROM small_one.%I', t));
	RETURN NEXT is(at_once(), 1, '... max_concurrency 1: one after another');
END $$;
SELECT walks(t) FROM unnest('{connection_grants,team_members,workbook_pages,workbook_elements}'::text[]) t;
SELECT sim_call('POST', 'reset') \g /dev/null

-- --------------------------------------------------------------- look-up joins

SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET enable_material = off;
-- keys that come once, twice, that are NULL, that nobody has, and in other types
CREATE TABLE outside AS SELECT n, CASE WHEN n % 7 = 0 THEN NULL WHEN n % 11 = 0 THEN 'nobody' || n ELSE id END AS id, name,
	CASE n % 3 WHEN 0 THEN 'snowflake' WHEN 1 THEN 'postgres' END AS kind, id::uuid AS uuid, id::varchar(60) AS short FROM ids WHERE n <= 25
	UNION ALL SELECT n + 100, id, name, 'snowflake', id::uuid, id FROM ids WHERE n <= 5;
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs SELECT i % 25 + 1, i FROM generate_series(1, 30) i;
ANALYZE outside;
ANALYZE pairs;
CREATE VIEW many.named AS SELECT connection_id, name, type, upper(name) AS loud FROM many.connections;
CREATE VIEW many_off.named AS SELECT connection_id, name, type, upper(name) AS loud FROM many_off.connections;

-- Each query once with many look-ups at a time, once as a nested loop; %s is the
-- schema.  "joined": it must be such a join, not only give the same rows.
CREATE TABLE joins (n int GENERATED ALWAYS AS IDENTITY, joined boolean, query text);
INSERT INTO joins (joined, query) VALUES
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name, c.created_at FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.* FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT count(*), count(c.connection_id) FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT 1 FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE c.type = o.kind'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND c.type = o.kind'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND c.type = ''snowflake'''),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND o.n > 10'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id WHERE c.name IS NULL OR c.type <> o.kind'),
	(false, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id WHERE c.connection_id IS NULL'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE length(c.name) + o.n > 40 AND c.is_archived IS NOT TRUE'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.uuid::text'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.short'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = lower(o.id)'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = CASE WHEN o.n > 5 THEN o.id END'),
	(true, 'SELECT o.n, c.name || o.name AS both FROM outside o JOIN %s.connections c ON c.connection_id = o.id ORDER BY o.n DESC LIMIT 4'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id ORDER BY c.name, o.n OFFSET 3 LIMIT 10'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id LIMIT 9'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id LIMIT 0'),
	(true, 'SELECT c.type, count(*), min(o.n) FROM outside o JOIN %s.connections c ON c.connection_id = o.id GROUP BY c.type ORDER BY 1'),
	(false, 'SELECT o.n, c.name FROM (SELECT * FROM outside WHERE n > 100 ORDER BY n DESC LIMIT 3) o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT p.b, o.n, c.name FROM pairs p JOIN outside o ON o.n = p.a LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name, d.type FROM outside o JOIN %s.connections c ON c.connection_id = o.id '
		'LEFT JOIN %1$s.connections d ON d.connection_id = c.connection_id'),
	(true, 'SELECT o.n, c.attrs FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, v.loud FROM outside o LEFT JOIN %s.named v ON v.connection_id = o.id'),
	(false, 'SELECT o, c FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.tableoid::regclass::text LIKE ''%%connections'' AS t FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.name FROM outside o RIGHT JOIN %s.connections c ON c.connection_id = o.id '
		'WHERE c.connection_id IN (SELECT id FROM ids WHERE n < 9) ORDER BY c.name, o.n'),
	(false, 'SELECT n FROM outside o WHERE EXISTS (SELECT FROM %s.connections c WHERE c.connection_id = o.id)'),
	(false, 'SELECT n FROM outside o WHERE NOT EXISTS (SELECT FROM %s.connections c WHERE c.connection_id = o.id)'),
	(false, 'SELECT n FROM outside o WHERE id IN (SELECT connection_id FROM %s.connections WHERE type = o.kind)'),
	(false, 'SELECT o.n, c.name FROM outside o, LATERAL (SELECT name FROM %s.connections c WHERE c.connection_id = o.id OFFSET 0) c'),
	(false, 'SELECT o.n, (SELECT c.name FROM %s.connections c WHERE c.connection_id = o.id) FROM outside o'),
	(false, 'SELECT p.b, (SELECT string_agg(c.name, '','' ORDER BY o.n) FROM outside o '
		'JOIN %s.connections c ON c.connection_id = o.id WHERE o.n < p.a) FROM pairs p WHERE p.b <= 6'),
	(false, 'SELECT p.b, (SELECT max(c.name) FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND o.n = p.b '
		'WHERE o.n < 9) FROM pairs p WHERE p.b <= 6'),
	(false, 'SELECT p.b, s.* FROM pairs p, LATERAL (SELECT o.n, c.name FROM outside o '
		'JOIN %s.connections c ON c.connection_id = o.id WHERE o.n > p.b * 3 ORDER BY o.n LIMIT 2) s WHERE p.b <= 6'),
	(false, 'SELECT p.b, s.* FROM pairs p LEFT JOIN (SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id) s ON s.n = p.a'),
	(false, 'WITH j AS MATERIALIZED (SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id) '
		'SELECT a.n, b.name FROM j a JOIN j b ON a.n = b.n + 1'),
	(false, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id UNION ALL SELECT o.n, c.type '
		'FROM outside o LEFT JOIN %1$s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.x FROM outside o LEFT JOIN (SELECT connection_id, coalesce(name, ''none'') AS x FROM %s.connections) c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.x FROM (SELECT n, coalesce(id, ''x'') AS k FROM outside) o LEFT JOIN (SELECT connection_id, 1 AS x '
		'FROM %s.connections) c ON c.connection_id = o.k'),
	(false, 'SELECT o.n, g.grant_id, g.permission FROM outside o JOIN %s.connection_grants g ON g.connection_id = o.id'),
	(false, 'SELECT o.n, g.grant_id, g.permission FROM outside o LEFT JOIN %s.connection_grants g ON g.connection_id = o.id AND g.permission <> o.kind'),
	(false, 'SELECT o.n, c.name, random() < 2 AS r FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE random() < 2'),
	(false, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id AND o.n > random() * 0'),
	(false, 'SELECT generate_series(1, 2) AS g, o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id');
SELECT sim_config('{"latency_ms": 0}', 'many') \g /dev/null
SELECT same(format(query, 'many'), format(query, 'many_off'), format('join %s: %s', n, format(query, 'many'))) FROM joins ORDER BY n;
SELECT matches(plan_of(format(query, 'many')), 'Sigma Lookup Join', format('join %s looks several keys up at a time', n)) FROM joins WHERE joined ORDER BY n;
SELECT doesnt_match(plan_of(format(query, 'many_off')), 'Sigma Lookup Join', format('join %s does not without prefetch', n)) FROM joins WHERE joined ORDER BY n;

-- which requests
SELECT sim_config('{"latency_ms": 10}', 'many') \g /dev/null
SELECT sim_calm('many') \g /dev/null
SELECT is(cardinality(rows_of('SELECT c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id')), 30, 'a left join');
SELECT is(sim_count('many'), count(id)::int, '... a request for each key that is not NULL') FROM outside;
SELECT is(at_once('many'), 4, '... four at once');
SELECT is(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id LIMIT 1', 'many'), 1, 'LIMIT 1: one request');
SELECT cmp_ok(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id LIMIT 5', 'many'), '<=',
	5 + 8, 'LIMIT 5: a few more than five');
SELECT is(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id WHERE o.n < 0', 'many'), 0, 'no outer row: no request');
SELECT is(count_of('SELECT c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id WHERE o.id IS NULL',
	'many'), 0, 'only NULL keys: no request');
SELECT sim_calm('many') \g /dev/null
BEGIN;
DECLARE c CURSOR FOR SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id;
CREATE FUNCTION fetch_all(step int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
	r record;
	rows text[] := '{}';
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		rows := rows || r::text;
	END LOOP;
	RETURN rows;
END $$;
\o /dev/null
FETCH 1 FROM c;
\o
SELECT is(sim_count('many'), 1, 'a cursor that has fetched one row has made one request');
\o /dev/null
MOVE 4 IN c;
\o
SELECT is(fetch_all(1), (rows_of('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id'))[6:],
	'... and goes on with the sixth');
CLOSE c;
DECLARE c SCROLL CURSOR FOR SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id;
\o /dev/null
MOVE 7 IN c;
MOVE BACKWARD ALL IN c;
\o
SELECT is(fetch_all(1), rows_of('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id'),
	'a cursor that is scrolled back begins again');
ROLLBACK;

-- plans that outlive their parameters
SET plan_cache_mode = force_generic_plan;
PREPARE generic(int, text) AS SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id AND c.type <> $2 WHERE o.n > $1;
CREATE FUNCTION executed(n int, kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	rows text[] := '{}';
BEGIN
	FOR r IN EXECUTE format('EXECUTE generic(%s, %L)', n, kind) LOOP
		rows := rows || r::text;
	END LOOP;
	RETURN is(rows, rows_of(format('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id '
		'AND c.type <> %L WHERE o.n > %s', kind, n)), format('a generic plan with %s and %s', n, kind));
END $$;
SELECT executed(n, kind) FROM unnest('{0,10,1000}'::int[]) n, unnest('{snowflake,x}'::text[]) kind;
SELECT matches(plan_of('EXECUTE generic(1, ''x'')'), 'Sigma Lookup Join', '... of such a join');
RESET plan_cache_mode;
DEALLOCATE generic;

-- whose sign-in: that of a view's owner
CREATE ROLE sigma_lookups_owner;
GRANT USAGE ON SCHEMA many, public TO sigma_lookups_owner;
GRANT SELECT ON many.connections, outside TO sigma_lookups_owner;
-- the second client sees only connections of type postgres
CREATE USER MAPPING FOR sigma_lookups_owner SERVER many OPTIONS (client_id 'second-client', client_secret 'second-secret');
CREATE VIEW theirs AS SELECT o.n, c.name, c.type FROM outside o JOIN many.connections c ON c.connection_id = o.id;
CREATE VIEW their_connections AS SELECT * FROM many.connections;
SELECT sim_stop('many') \g /dev/null
SELECT sim_start('many', '--connections 2000 --client-id simulator-client --client-secret simulator-secret --client-id '
	'second-client --client-secret second-secret') \g /dev/null
SELECT format('ALTER SERVER %I OPTIONS (SET base_url %L)', s, sim_url('many')) FROM unnest('{many,many_off}'::text[]) s \gexec
CREATE TABLE mine AS SELECT * FROM theirs;
ALTER VIEW theirs OWNER TO sigma_lookups_owner;
ALTER VIEW their_connections OWNER TO sigma_lookups_owner;
SELECT matches(plan_of('SELECT * FROM theirs'), 'Sigma Lookup Join', 'a view with a join');
SELECT results_eq('SELECT * FROM theirs', 'SELECT * FROM mine WHERE type = ''postgres''', '... reads as its owner');
SELECT matches(plan_of('SELECT o.n, c.name, c.type FROM outside o JOIN their_connections c ON c.connection_id = o.id'),
	'Sigma Lookup Join', 'a join with a view');
SELECT results_eq('SELECT o.n, c.name, c.type FROM outside o JOIN their_connections c ON c.connection_id = o.id',
	'SELECT * FROM mine WHERE type = ''postgres''', '... reads as its owner');
SELECT results_eq('SELECT o.n, c.name, c.type FROM outside o JOIN many.connections c ON c.connection_id = o.id',
	'SELECT * FROM mine', 'while the user reads as the user');
SELECT results_eq('SELECT o.n, t.name, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id '
	'LEFT JOIN their_connections t ON t.connection_id = c.connection_id',
	'SELECT n, CASE WHEN type = ''postgres'' THEN name END, name FROM mine', '... both in one query');

-- what it leaves to others
SELECT doesnt_match(plan_of('SELECT o.n FROM outside o JOIN many.connections c ON c.connection_id = o.id FOR UPDATE OF o'),
	'Sigma Lookup Join', 'not with FOR UPDATE');
SELECT same('SELECT * FROM (SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id FOR '
	'UPDATE OF o) s', 'SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id', '... which gives the same rows');
WITH updated AS (UPDATE outside o SET kind = c.type FROM many.connections c WHERE c.connection_id = o.id RETURNING o.n)
SELECT is(count(*)::int, (SELECT count(*)::int FROM outside WHERE id IN (SELECT id FROM ids)), 'an UPDATE from a join') FROM updated;
SELECT is((SELECT count(*)::int FROM outside o JOIN ids i USING (id) JOIN many_off.connections c ON c.connection_id = id
	WHERE o.kind IS DISTINCT FROM c.type), 0, '... with the right values');

-- errors, and the end in the middle
SELECT sim_calm('many') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections/*", "after": 9, "times": -1, "do": "status", "status": 403}', 'many') \g /dev/null
SELECT fails('SELECT o.n, c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id', '42501', NULL,
	'GET /v2/connections/%', NULL, 'a look-up that fails is an error, also of a left join');
SELECT sim_calm('many') \g /dev/null
SELECT fails('SELECT 1 / (9 - o.n), c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id',
	'22012', NULL, NULL, NULL, 'an error of another kind in the middle');
SELECT same('SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id',
	'SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id', '... leaves nothing behind');

-- EXPLAIN, in all its forms
CREATE FUNCTION explained(options text) RETURNS text LANGUAGE sql AS $$
	SELECT plan_of('SELECT o.n, c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id AND c.type = o.kind WHERE o.n < 5', options)
$$;
SELECT matches(explained('COSTS OFF'),
	'Custom Scan \(Sigma Lookup Join\).*Join Type: Left.*Join Filter: .*c.type = o.kind.*Remote Parameters: connection_id = '
	'o.id.*Remote Request: GET /v2/connections/\{connection_id\}', 'EXPLAIN tells what it does');
SELECT matches(explained('ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'), 'Requests: 4', '... and ANALYZE what came of it');
SELECT ok(explained(o || ', FORMAT ' || f) <> '', format('EXPLAIN (%s, FORMAT %s)', o, f))
	FROM unnest('{TEXT,JSON,XML,YAML}'::text[]) f, unnest('{VERBOSE,ANALYZE,"VERBOSE, ANALYZE, BUFFERS"}'::text[]) o;
SELECT is(names_twice(explained(o || ', FORMAT JSON')::json), 0::bigint,
	format('no name twice in a node of EXPLAIN (%s, FORMAT JSON)', o)) FROM unnest('{VERBOSE,ANALYZE,"VERBOSE, ANALYZE, BUFFERS"}'::text[]) o;
SELECT is(count_of('SELECT explained(''VERBOSE'')', 'many'), 0, 'EXPLAIN makes no request');

-- what a key is computed from is gone with its outer row, also if no row ever comes of it
CREATE FUNCTION peak_kb() RETURNS int LANGUAGE sql AS $$
	SELECT substring(sim_shell('cat /proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s*(\d+)')::int
$$;
CREATE FUNCTION of_no_key() RETURNS text LANGUAGE sql AS $$
	SELECT 'SELECT count(c.name) FROM generate_series(1, 20000) i JOIN many.connections c ON c.connection_id = CASE WHEN repeat(''x'', 10000 + i) = '''' THEN ''a'' END'
$$;
SELECT matches(plan_of(of_no_key()), 'Sigma Lookup Join', 'an expensive key, and a NULL each time');
-- a compiler would take more
SET jit = off;
SELECT peak_kb() AS before \gset
SELECT is(count_of(of_no_key(), 'many'), 0, '... asks for nothing');
SELECT cmp_ok(peak_kb() - :before, '<', 50000, '... and keeps nothing in memory');
RESET jit;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_memoize; RESET enable_material;
DROP VIEW theirs, their_connections;
DROP USER MAPPING FOR sigma_lookups_owner SERVER many;
DROP OWNED BY sigma_lookups_owner;
DROP ROLE sigma_lookups_owner;

SELECT * FROM finish();

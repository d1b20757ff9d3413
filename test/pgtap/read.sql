-- Reading connections: all rows, the right rows, and no more requests than
-- they need, however a query is written.

\ir lib/simulator.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

-- ------------------------------------------------------------------ pages

SELECT sim_start('big', '--connections 2007') \g /dev/null
SELECT make_server('big', sim_url('big'), 'max_concurrency ''1''') \g /dev/null
CREATE TABLE heap AS SELECT * FROM big.connections;

SELECT is(count(DISTINCT connection_id)::int, 2007, '2007 connections are 2007 rows') FROM heap;
SELECT is(sim_count('big'), 3, 'in three pages');
SELECT is((SELECT array_agg(query ~ 'limit=1000' AND path = '/v2/connections') FROM sim_log('big')), '{t,t,t}', 'of a thousand each');
SELECT is(sim_stats('big') ->> 'connections_opened', '1', 'over one TCP connection, since one request is under way at a time');
SELECT is(sim_stats('big') ->> 'token_requests', '1', 'with one token');

SELECT is(count_of('SELECT count(connection_id) FROM big.connections', 'big'), 3, 'the next statement reads again');
SELECT is(sim_sign_ins('big'), 0, 'but does not sign in again');
SELECT is(sim_stats('big') ->> 'connections_opened', '1', 'nor connect again');
ALTER SERVER big OPTIONS (DROP max_concurrency);

ALTER FOREIGN TABLE big.connections OPTIONS (ADD page_size '500');
SELECT is(count_of('SELECT count(connection_id) FROM big.connections', 'big'), 5, 'page_size of the table');
SELECT is((SELECT count(connection_id)::int FROM big.connections), 2007, 'changes no row');
ALTER FOREIGN TABLE big.connections OPTIONS (DROP page_size);
ALTER SERVER big OPTIONS (ADD page_size '1');
SELECT is((SELECT count(*)::int FROM (SELECT FROM big.connections LIMIT 20) c), 20, 'pages of one entry');
ALTER SERVER big OPTIONS (DROP page_size);

-- ------------------------------------------------------------------ LIMIT

SELECT is(requests_of('SELECT * FROM big.connections LIMIT 1', 'big'), '{GET /v2/connections?limit=1}', 'LIMIT 1 asks for one entry');
SELECT is(requests_of('SELECT * FROM big.connections LIMIT 5 OFFSET 2', 'big'), '{GET /v2/connections?limit=7}', 'LIMIT with OFFSET');
SELECT is(requests_of('SELECT * FROM big.connections WHERE type = ''postgres'' LIMIT 1', 'big'),
	'{GET /v2/connections?limit=1000}', 'LIMIT over a local filter reads whole pages, as few as it needs');
SELECT is(sorted(requests_of('SELECT * FROM big.connections ORDER BY name LIMIT 1', 'big')),
	(SELECT array_agg('GET /v2/connections?limit=1000' || p) FROM unnest(ARRAY['', '&page=1000', '&page=2000']) p), 'LIMIT over ORDER BY reads all');
SELECT is(count_of('SELECT * FROM big.connections LIMIT 1500', 'big'), 2, 'LIMIT 1500 stops after two pages');
SELECT is(count_of('SELECT * FROM big.connections LIMIT 0', 'big'), 0, 'LIMIT 0 asks for nothing');
SELECT is(count_of('SELECT DISTINCT type FROM big.connections LIMIT 1', 'big') > 0, true, 'LIMIT over DISTINCT');
SELECT is(count_of('SELECT count(connection_id) FROM big.connections LIMIT 1', 'big'), 3, 'LIMIT over an aggregate reads all');
SELECT is(count_of('SELECT 1 WHERE EXISTS (SELECT FROM big.connections)', 'big'), 1, 'EXISTS stops after a page');

-- queries over the table and over its copy
CREATE FUNCTION answer(query text, ordered boolean, source text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(q::text, E''\n'' %s)), '''') FROM (%s) q',
		CASE WHEN ordered THEN '' ELSE 'ORDER BY q::text' END, replace(query, '@', source)) INTO result;
	RETURN result;
END
$$;
CREATE TABLE types AS SELECT type, row_number() OVER (ORDER BY type)::int AS n FROM heap GROUP BY type;
CREATE TABLE some_ids AS SELECT connection_id FROM heap WHERE right(name, 2) = '17';

CREATE TABLE generated AS
SELECT query || tail AS query, ordered
FROM (VALUES
	('SELECT * FROM @ c', true),
	('SELECT name, type FROM @ c WHERE type = ''postgres''', true),
	('SELECT name FROM @ c WHERE name LIKE ''%1%'' AND NOT is_sample', true),
	('SELECT attrs FROM @ c WHERE length(name) % 3 = 0', true),
	('SELECT connection_id FROM @ c WHERE created_at > (SELECT avg(extract(epoch FROM created_at)) '
		'FROM @)::text::float8 * interval ''1 s'' + timestamptz ''epoch''', true),
	('SELECT DISTINCT type FROM @ c', false),
	('SELECT DISTINCT ON (type) type, name FROM @ c ORDER BY type, name', true),
	('SELECT type, count(*), min(name) FROM @ c GROUP BY type HAVING count(*) > 100', false),
	('SELECT c.name, t.n FROM @ c JOIN types t USING (type)', false),
	('SELECT c.name, t.n FROM @ c LEFT JOIN types t ON t.type = c.type AND t.n < 3', false),
	('SELECT t.n, c.name FROM types t LEFT JOIN @ c ON c.type = t.type AND c.name LIKE ''%99''', false),
	('SELECT c.name FROM @ c WHERE c.connection_id IN (SELECT connection_id FROM some_ids)', false),
	('SELECT c.name FROM @ c WHERE NOT EXISTS (SELECT FROM some_ids s WHERE s.connection_id = c.connection_id)', false),
	('SELECT c.name, d.name AS other FROM @ c JOIN @ d ON d.type = c.type AND d.name = c.name', false),
	('SELECT c.name, (SELECT count(*) FROM types t WHERE t.type < c.type) AS before FROM @ c', true),
	('SELECT name, row_number() OVER (PARTITION BY type ORDER BY name) AS n FROM @ c', false),
	('SELECT name FROM @ c WHERE type = ''mysql'' UNION SELECT name FROM @ d WHERE type = ''mysql'' OR name LIKE ''%7''', false),
	('SELECT name FROM @ c WHERE name || type > ''S'' OR host IS NULL', true),
	('SELECT FROM @ c WHERE is_archived IS NOT TRUE', true)
) q (query, ordered), (VALUES (''), ('order by name'), ('limit'), ('order by limit')) t (kind),
LATERAL (SELECT CASE kind
	WHEN '' THEN ''
	WHEN 'limit' THEN CASE WHEN ordered THEN ' LIMIT 1111' END
	WHEN 'order by name' THEN CASE WHEN query ~ 'name' AND query !~ 'ORDER BY type|UNION|HAVING' THEN ' ORDER BY name DESC, 1' END
	ELSE CASE WHEN query ~ 'name' AND query !~ 'ORDER BY type|UNION|HAVING' THEN ' ORDER BY name, 1 LIMIT 13 OFFSET 3' END
	END AS tail) l
WHERE tail IS NOT NULL;

SELECT cmp_ok(count(*)::int, '>', 30, 'enough queries') FROM generated;
SELECT is(answer(query, ordered, 'big.connections'), answer(query, ordered, 'heap'), query) FROM generated;
-- ---------------------------------------------------------------- look-ups

CREATE TABLE small AS SELECT * FROM sim.connections;
SELECT connection_id AS id FROM small WHERE name = 'Postgres Production' \gset
SELECT connection_id AS id2 FROM small WHERE name = 'Snowflake East' \gset
SELECT connection_id AS id3 FROM small WHERE name = 'MySQL Shop' \gset

SELECT is(requests_of(format('SELECT * FROM sim.connections WHERE connection_id = %L', :'id')),
	ARRAY['GET /v2/connections/' || :'id'], 'a look-up by a constant is one GET');
SELECT is(requests_of(format('SELECT * FROM sim.connections WHERE %L = connection_id', :'id')), ARRAY['GET /v2/connections/' || :'id'], 'from either side');
SELECT results_eq(format('SELECT * FROM sim.connections WHERE connection_id = %L', :'id'),
	format('SELECT * FROM small WHERE connection_id = %L', :'id'), 'and gives the row that the list gives');
SELECT is_empty('SELECT * FROM sim.connections WHERE connection_id = ''11111111-2222-4333-8444-555555555555''', 'an unknown key has no row');
SELECT is(requests_of('SELECT * FROM sim.connections WHERE connection_id = NULL'), '{}', 'NULL asks nothing');
SELECT is(requests_of('SELECT * FROM sim.connections WHERE connection_id = '''''), '{}', 'nor does an empty key');
SELECT is(requests_of('SELECT * FROM sim.connections WHERE connection_id = ''..'''), '{}', 'nor a step up');
SELECT is(requests_of('SELECT * FROM sim.connections WHERE connection_id = ''.'''), '{}', 'nor a step on the spot');
-- a list that is said to be long: a short one is rather read whole
CREATE FOREIGN TABLE long (connection_id text, name text) SERVER sim OPTIONS (resource 'connections', rows '100000');
SELECT sim_calm() \g /dev/null
SELECT is_empty('SELECT * FROM long WHERE connection_id IN ('''', ''..'', ''.'', ''x/../..'', ''a/b'', ''?limit=1'', ''#'', '
	'''%2e%2e'', E''\n'', U&''\00E9\+01F600'', repeat(''x'', 3000))', 'keys that are no keys have no rows');
SELECT is((SELECT array_agg(DISTINCT status) FROM sim_log()), '{404}', 'and reach nothing else');
SELECT is(sim_count(), 8, 'if they are asked for at all');
SELECT is(requests_of(format('SELECT * FROM sim.connections WHERE connection_id = %L AND name LIKE ''MySQL%%''', :'id')),
	ARRAY['GET /v2/connections/' || :'id'], 'a look-up with another clause');
SELECT is_empty(format('SELECT * FROM sim.connections WHERE connection_id = %L AND name LIKE ''MySQL%%''', :'id'), 'which is checked locally');
SELECT is_empty(format('SELECT * FROM sim.connections WHERE connection_id = %L AND connection_id = %L', :'id', :'id2'), 'two keys at once are no row');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id = upper(:'id')), (:'id' = upper(:'id'))::int,
	'a key in capitals is another text');
SELECT is((SELECT name FROM sim.connections c WHERE c.connection_id = :'id'::varchar), 'Postgres Production', 'a key of type varchar');
SELECT is((SELECT name FROM sim.connections c WHERE c.connection_id::varchar = :'id'), 'Postgres Production', 'a column cast to varchar');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id <> :'id'), 12, 'inequality is no look-up');

SELECT is(sorted(requests_of(format('SELECT * FROM long WHERE connection_id = ANY (%L::text[])', ARRAY[:'id', :'id2', NULL, :'id', 'none']))),
	sorted(ARRAY['GET /v2/connections/' || :'id', 'GET /v2/connections/' || :'id2', 'GET /v2/connections/none']), '= ANY asks once for each key');
SELECT set_eq(format('SELECT name FROM sim.connections WHERE connection_id = ANY (%L::text[])', ARRAY[:'id', :'id2', NULL, :'id', 'none']),
	ARRAY['Postgres Production', 'Snowflake East'], 'and gives each row once');
SELECT is(count_of('SELECT * FROM sim.connections WHERE connection_id = ANY (''{}'')'), 0, '= ANY of nothing asks nothing');
SELECT is(count_of('SELECT * FROM sim.connections WHERE connection_id = ANY (NULL)'), 0, '= ANY of NULL neither');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id <> ALL (ARRAY[:'id', :'id2'])), 11, '<> ALL is no look-up');
SELECT cmp_ok(count_of('SELECT * FROM sim.connections WHERE connection_id = ANY (ARRAY(SELECT connection_id FROM small))'), '<=', 13, '= ANY of many');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id = ANY (ARRAY(SELECT connection_id FROM small))), 13, 'has all rows');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id = :'id' OR name = 'MySQL Shop'), 2, 'OR with another column');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id = (SELECT connection_id FROM small
	WHERE name = 'MySQL Shop')), 1, 'a key from a sub-select');
SELECT is(count_of('SELECT * FROM sim.connections WHERE connection_id = (SELECT connection_id FROM small WHERE name = ''MySQL Shop'')'), 1, 'is one request');

-- a collation under which different texts are equal cannot be a key
\if :icu
CREATE FOREIGN TABLE caseless (connection_id text COLLATE nocase, name text) SERVER sim OPTIONS (resource 'connections', rows '100000');
SELECT is((SELECT count(*)::int FROM caseless WHERE connection_id = upper(:'id')), 1,
	'under a collation that takes other texts for equal, the list is searched');
\else
SELECT skip('no ICU', 1);
\endif

-- parameters
PREPARE by_id (text) AS SELECT name FROM sim.connections WHERE connection_id = $1;
SELECT is((SELECT array_agg(DISTINCT requests_of(format('EXECUTE by_id (%L)', :'id'))) FROM generate_series(1, 10)),
	ARRAY[ARRAY['GET /v2/connections/' || :'id']], 'a prepared statement asks the same ten times');
SELECT results_eq(format('EXECUTE by_id (%L)', :'id2'), ARRAY['Snowflake East'], 'and finds another key''s row afterwards');
SELECT is_empty('EXECUTE by_id (NULL)', 'and nothing for NULL');
SET plan_cache_mode = force_generic_plan;
SELECT is((SELECT array_agg(DISTINCT requests_of(format('EXECUTE by_id (%L)', :'id'))) FROM generate_series(1, 10)),
	ARRAY[ARRAY['GET /v2/connections/' || :'id']], 'with a generic plan, too');
PREPARE by_ids (text[]) AS SELECT name FROM long WHERE connection_id = ANY ($1) ORDER BY name;
SELECT results_eq(format('EXECUTE by_ids (%L)', ARRAY[:'id2', :'id']), ARRAY['Postgres Production', 'Snowflake East'], '= ANY of a parameter');
SELECT is(count_of(format('EXECUTE by_ids (%L)', ARRAY[:'id2', :'id'])), 2, 'is a request per key');
PREPARE by_type (text, int) AS SELECT name FROM sim.connections WHERE type = $1 ORDER BY name LIMIT $2;
SELECT is((SELECT array_agg(DISTINCT requests_of('EXECUTE by_type (''snowflake'', 2)')) FROM generate_series(1, 10)),
	ARRAY[ARRAY['GET /v2/connections?limit=1000']], 'a local filter with a parameter, ten times');
SELECT results_eq('EXECUTE by_type (''snowflake'', 2)', ARRAY['Sigma Sample Database', 'Snowflake East'], 'has the right rows');
RESET plan_cache_mode;

-- joins
CREATE TABLE three (connection_id text, note text);
INSERT INTO three VALUES (:'id', 'a'), (:'id3', 'b'), ('none', 'c'), (NULL, 'd');
SELECT cmp_ok(count_of('SELECT * FROM three JOIN sim.connections c USING (connection_id)'), '<=', 3,
	'a join with a few local rows makes as many look-ups or one list');
SELECT results_eq('SELECT note, name FROM three LEFT JOIN sim.connections c USING (connection_id) ORDER BY note',
	$$VALUES ('a', 'Postgres Production'), ('b', 'MySQL Shop'), ('c', NULL), ('d', NULL)$$, 'and has the right rows');
ANALYZE three;
CREATE FOREIGN TABLE many (connection_id text, name text) SERVER big OPTIONS (resource 'connections', rows '1000000');
INSERT INTO three SELECT connection_id, name FROM heap ORDER BY name LIMIT 3;
SELECT is(count_of('SELECT t.note, m.name FROM three t JOIN many m ON m.connection_id = t.connection_id '
	'WHERE t.note > ''z'' OR length(note) > 1', 'big'), 3, 'three look-ups rather than a long list');
SELECT results_eq('SELECT m.name FROM three t JOIN many m ON m.connection_id = t.connection_id WHERE length(note) > 1 ORDER BY 1',
	'SELECT note FROM three WHERE length(note) > 1 ORDER BY 1', 'with the right rows');
SELECT results_eq('SELECT note, (SELECT name FROM sim.connections c WHERE c.connection_id = t.connection_id) FROM three t WHERE length(note) = 1 ORDER BY note',
	$$VALUES ('a', 'Postgres Production'), ('b', 'MySQL Shop'), ('c', NULL), ('d', NULL)$$, 'a correlated sub-select');
SELECT results_eq('SELECT t.note, c.name FROM three t, LATERAL (SELECT name FROM sim.connections c '
	'WHERE c.connection_id = t.connection_id OR c.name = t.note) c WHERE length(note) = 1 ORDER BY note',
	$$VALUES ('a', 'Postgres Production'), ('b', 'MySQL Shop')$$, 'LATERAL');
SELECT results_eq('SELECT t.note, c.name FROM three t, LATERAL (SELECT name || t.note AS name FROM sim.connections c '
	'WHERE c.connection_id = t.connection_id LIMIT 1) c WHERE length(note) = 1 ORDER BY note',
	$$VALUES ('a', 'Postgres Productiona'), ('b', 'MySQL Shopb')$$, 'LATERAL with LIMIT');
SELECT is((SELECT count(*)::int FROM sim.connections a JOIN sim.connections b USING (connection_id)), 13, 'a self-join by key');
SELECT is((SELECT count(*)::int FROM sim.connections a JOIN sim.connections b USING (type)),
	(SELECT count(*)::int FROM small a JOIN small b USING (type)), 'a self-join by type');
SELECT is((SELECT count(*)::int FROM sim.connections a, sim.connections b), 169, 'a product with itself');
SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT is((SELECT count(*)::int FROM sim.connections a JOIN sim.connections b USING (connection_id)), 13, 'a self-join by nested loop');
SET enable_material = off;
SELECT is((SELECT count(*)::int FROM sim.connections a JOIN sim.connections b ON a.type = b.type),
	(SELECT count(*)::int FROM small a JOIN small b USING (type)), 'without a materialized inner side');
SELECT is(answer(query, ordered, 'sim.connections'), answer(query, ordered, 'small'), 'by nested loop: ' || query)
FROM generated WHERE query ~ 'JOIN|IN \(|EXISTS';
ALTER SERVER sim OPTIONS (ADD page_size '4');
SELECT is((SELECT count(*)::int FROM sim.connections a JOIN sim.connections b ON a.type >= b.type),
	(SELECT count(*)::int FROM small a JOIN small b ON a.type >= b.type), 'and rescans over several pages');
SELECT is((SELECT sum((SELECT count(*) FROM sim.connections c WHERE c.type = s.type))::int FROM small s),
	(SELECT count(*)::int FROM small a JOIN small b USING (type)), 'a correlated sub-select that rescans');
ALTER SERVER sim OPTIONS (DROP page_size);
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;
SELECT results_eq('SELECT c.name FROM sim.connections c JOIN three t ON c.connection_id = t.connection_id || '''' '
	'WHERE length(note) = 1 ORDER BY 1', ARRAY['MySQL Shop', 'Postgres Production'], 'an expression as the key of a join');
SELECT results_eq('SELECT c.name FROM three t JOIN sim.connections c ON c.connection_id = ANY (ARRAY[t.connection_id, t.note]) '
	'WHERE length(note) = 1 ORDER BY 1', ARRAY['MySQL Shop', 'Postgres Production'], 'a join by = ANY');
SELECT is((SELECT count(*)::int FROM small s FULL JOIN sim.connections c USING (connection_id) WHERE c.name = s.name), 13, 'a full join');
SELECT results_eq('SELECT note FROM three t JOIN sim.connections c USING (connection_id) WHERE length(note) = 1 ORDER BY 1 FOR '
	'UPDATE OF t', ARRAY['a', 'b'], 'FOR UPDATE of the local side');

-- --------------------------------------------------------- cursors and such

BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT name FROM sim.connections;
DECLARE d CURSOR FOR SELECT name FROM sim.connections;
FETCH 3 FROM c \g /dev/null
FETCH 1 FROM d \g /dev/null
SELECT results_eq('FETCH BACKWARD 1 FROM c', 'SELECT name FROM small OFFSET 1 LIMIT 1', 'a cursor goes back');
SELECT results_eq('FETCH FIRST FROM c', 'SELECT name FROM small LIMIT 1', 'to the first row');
SELECT results_eq('FETCH ABSOLUTE 7 FROM c', 'SELECT name FROM small OFFSET 6 LIMIT 1', 'to the seventh');
SELECT results_eq('FETCH LAST FROM c', 'SELECT name FROM small OFFSET 12 LIMIT 1', 'to the last');
SELECT is_empty('FETCH NEXT FROM c', 'and over it');
SELECT results_eq('FETCH BACKWARD ALL FROM c', 'SELECT name FROM (SELECT name, row_number() OVER () AS n FROM small) s '
	'ORDER BY n DESC', 'and back through all');
SELECT results_eq('FETCH 2 FROM d', 'SELECT name FROM small OFFSET 1 LIMIT 2', 'another cursor keeps its place');
COMMIT;
ALTER SERVER sim OPTIONS (ADD page_size '3');
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM sim.connections;
FETCH 4 FROM c \g /dev/null
COMMIT;
SELECT results_eq('FETCH ALL FROM c', 'SELECT name FROM small OFFSET 4', 'a cursor holds over the transaction''s end');
CLOSE c;
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM sim.connections;
FETCH 4 FROM c \g /dev/null
ALTER SERVER sim OPTIONS (SET page_size '5');
COMMIT;
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM sim.connections;
FETCH 4 FROM c \g /dev/null
SAVEPOINT s;
SELECT count(connection_id) AS n FROM sim.connections \gset
DO $$ BEGIN PERFORM 1 / (length(name) - length(name)) FROM sim.connections; EXCEPTION WHEN division_by_zero THEN NULL; END $$;
ROLLBACK TO s;
SELECT is(:n, 13, 'a scan within a scan');
SELECT results_eq('FETCH ALL FROM c', 'SELECT name FROM small OFFSET 4', 'a cursor outlives a rolled back subtransaction');
COMMIT;
ALTER SERVER sim OPTIONS (DROP page_size);
SELECT results_eq('WITH RECURSIVE r AS (SELECT name, 1 AS depth FROM sim.connections WHERE name LIKE ''S%'' UNION ALL '
	'SELECT c.name, depth + 1 FROM r JOIN sim.connections c ON c.name = r.name WHERE depth < 3) SELECT count(*)::int FROM r',
	ARRAY[(SELECT 3 * count(*)::int FROM small WHERE name LIKE 'S%')], 'a recursive query');
CREATE FUNCTION loop_over() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int := 0;
	r record;
	s record;
BEGIN
	FOR r IN SELECT * FROM sim.connections LOOP
		FOR s IN SELECT * FROM sim.connections WHERE connection_id = r.connection_id LOOP
			n := n + 1;
		END LOOP;
	END LOOP;
	RETURN n;
END $$;
SELECT is(loop_over(), 13, 'a loop over rows with look-ups in it');
BEGIN READ ONLY;
SELECT count(connection_id) AS n FROM sim.connections \gset
ROLLBACK;
SELECT is(:n, 13, 'in a read-only transaction');
SELECT lives_ok('CREATE MATERIALIZED VIEW mv AS SELECT connection_id, name, attrs FROM sim.connections', 'a materialized view');
CREATE UNIQUE INDEX ON mv (connection_id);
SELECT lives_ok('REFRESH MATERIALIZED VIEW CONCURRENTLY mv', 'is refreshed');
SELECT is((SELECT count(*)::int FROM mv), 13, 'with all rows');

-- -------------------------------------------------- whose mapping, who may

SELECT 'sigma_reader_' || pg_backend_pid() AS reader \gset
CREATE ROLE :reader;
SELECT sim_start('two', '--client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT make_server('two', sim_url('two')) \g /dev/null
-- the second client sees only connections of type postgres
CREATE USER MAPPING FOR :reader SERVER two OPTIONS (client_id 'second-client', client_secret 'second-secret');
GRANT USAGE ON SCHEMA two TO :reader;
GRANT CREATE ON SCHEMA public TO :reader;
GRANT SELECT ON two.connections TO :reader;

PREPARE everything AS SELECT count(connection_id)::int AS n FROM two.connections;
EXECUTE everything \gset first_
SET ROLE :reader;
SELECT count(connection_id)::int AS n FROM two.connections \gset role_
EXECUTE everything \gset prepared_
CREATE VIEW reader_view AS SELECT name, type, connection_id FROM two.connections;
CREATE FUNCTION reader_function() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(connection_id) FROM two.connections';
RESET ROLE;
EXECUTE everything \gset again_
SELECT is(ARRAY[:first_n, :role_n, :prepared_n, :again_n], '{13,2,2,13}', 'SET ROLE changes whose mapping counts, and RESET ROLE changes it back');
SELECT is((SELECT count(DISTINCT token)::int FROM sim_log('two')), 2, 'with one token for each');
SELECT is((SELECT count(*)::int FROM (SELECT token FROM sim_log('two') GROUP BY token HAVING count(DISTINCT client) > 1) t), 0,
	'never one''s token for the other');
SELECT is((SELECT count(*)::int FROM reader_view), 2, 'a view reads with its owner''s mapping');
SELECT is(reader_function()::int, 2, 'a security definer function, too');
SELECT is((SELECT count(*)::int FROM reader_view v JOIN two.connections c USING (connection_id)), 2, 'both mappings in one query');
SELECT is((SELECT array_agg(DISTINCT client ORDER BY client) FROM sim_log('two')), '{second-client,simulator-client}', 'each with its own client');
CREATE VIEW super_view AS SELECT name FROM two.connections;
GRANT SELECT ON super_view TO :reader;
SET ROLE :reader;
SELECT count(*)::int AS n FROM super_view \gset
RESET ROLE;
SELECT is(:n, 13, 'a reader sees through a superuser''s view what the superuser sees');
GRANT USAGE ON SCHEMA sim TO :reader;
GRANT SELECT ON sim.connections TO :reader;
SET ROLE :reader;
SELECT (c).state, (c).message, (c).hint FROM (SELECT catch('SELECT * FROM sim.connections') AS c) t \gset
RESET ROLE;
SELECT is(:'state'::text, '28000', 'no mapping, no rows');
SELECT is(:'message'::text, format('no user mapping of "%s" for server "sim"', :'reader'), 'with whose mapping is missing');
SELECT alike(:'hint'::text, 'Use CREATE USER MAPPING%', 'and how to make it');
CREATE USER MAPPING FOR PUBLIC SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SET ROLE :reader;
SELECT count(connection_id)::int AS n FROM sim.connections \gset
RESET ROLE;
SELECT is(:n, 13, 'PUBLIC''s mapping is for whoever has none');

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'sigma_fdw'
	WHERE has_function_privilege('public', p.oid, 'EXECUTE') AND 'server' = ANY (p.proargnames[1:p.pronargs])
		-- this one looks only at what it is given
		AND p.proname <> 'sigma_openapi_tables'$$,
	'PUBLIC may execute no function that reaches the network');
CREATE TABLE calls (call text);
INSERT INTO calls VALUES ('SELECT * FROM sigma_whoami(''two'')'), ('SELECT sigma_request(''two'', ''GET'', ''/v2/whoami'')'),
	('SELECT sigma_test_connection(''two'', ''x'')'), ('SELECT sigma_create_connection(''two'', ''x'', ''{"type": "x"}'')');
GRANT SELECT ON calls TO :reader;
SELECT sim_calm('two') \g /dev/null
SET ROLE :reader;
SELECT string_agg(c.state || ' ' || c.message, E'\n') AS refused FROM calls, catch(call) c \gset
RESET ROLE;
SELECT is(:'refused'::text, (SELECT string_agg('42501 permission denied for function ' || f, E'\n')
	FROM unnest('{sigma_whoami,sigma_request,sigma_test_connection,sigma_create_connection}'::text[]) f), 'every function needs EXECUTE');
GRANT EXECUTE ON FUNCTION sigma_whoami, sigma_request, sigma_test_connection, sigma_create_connection TO :reader;
SET ROLE :reader;
SELECT string_agg(DISTINCT c.state || ' ' || c.message, E'\n') AS refused FROM calls, catch(call) c \gset
RESET ROLE;
SELECT is(:'refused'::text, '42501 permission denied for foreign server two', 'and USAGE of the server');
SELECT is(sim_count('two') + sim_sign_ins('two'), 0, 'and nothing was asked');
GRANT USAGE ON FOREIGN SERVER two TO :reader;
SELECT user_id AS super FROM sigma_whoami('two') \gset
SET ROLE :reader;
SELECT user_id AS second FROM sigma_whoami('two') \gset
RESET ROLE;
SELECT isnt(:'super'::text, :'second'::text, 'sigma_whoami() is the caller''s own member');
SELECT is((SELECT array_agg(client ORDER BY n) FROM sim_log('two')), '{simulator-client,second-client}', 'with the caller''s own client');

-- a clause of a view that is a security barrier comes first
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM sim.connections WHERE type = 'postgres';
SELECT is((SELECT count(*)::int FROM barrier WHERE connection_id = :'id2'), 0, 'a security barrier holds for a look-up');
SELECT is((SELECT name FROM barrier WHERE connection_id = :'id'), 'Postgres Production', 'and lets its own rows through');

DROP VIEW barrier;
DROP OWNED BY :reader CASCADE;
DROP ROLE :reader;

-- ----------------------------------------------------------- kinds of tables

SELECT is((SELECT count(*)::int FROM (SELECT FROM sim.connections OFFSET 0) c), 13, 'no column asked for');
CREATE FOREIGN TABLE nothing () SERVER sim OPTIONS (resource 'connections');
SELECT is((SELECT count(*)::int FROM nothing), 13, 'no column at all');
SELECT is((SELECT count(*)::int FROM (SELECT n FROM nothing n) c), 13, 'a whole row of no column');
SELECT is((SELECT array_agg(c ORDER BY c.name COLLATE "C") FROM sim.connections c)::text,
	(SELECT array_agg(s ORDER BY s.name COLLATE "C") FROM small s)::text, 'whole rows');
SELECT is((SELECT to_jsonb(c) FROM sim.connections c WHERE connection_id = :'id'),
	(SELECT to_jsonb(s) FROM small s WHERE connection_id = :'id'), 'a whole row of a look-up');
SELECT is((SELECT DISTINCT tableoid::regclass::text FROM sim.connections), 'sim.connections', 'tableoid');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE details IS NOT NULL OR description IS NOT NULL
	OR timeout_secs IS NOT NULL OR use_friendly_names IS NOT NULL), 0, 'write-only columns read as NULL');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE is_archived IS DISTINCT FROM false), 0, 'an absent isArchived is false');
SELECT cmp_ok((SELECT count(connection_id)::int FROM sim.connections WHERE NOT attrs ? 'isArchived'), '>', 0, 'it is absent in some');
SELECT is((SELECT array_agg(name ORDER BY name COLLATE "C") FROM sim.connections WHERE host IS NOT NULL), '{Snowflake East}',
	'absent and null fields are NULL');
SELECT is((SELECT name FROM sim.connections WHERE type = 'sqlserver'), U&'Lager K\00F6ln \2013 SQL Server', 'a name in Unicode');
SELECT is((SELECT jsonb_object_agg(key, jsonb_typeof(value)) FROM sim.connections,
	jsonb_each(jsonb_build_object('o', attrs, 's', oauth_scopes, 'w', writeback_schemas)) WHERE name = 'Snowflake West'),
	'{"o": "object", "s": "array", "w": "array"}', 'objects and arrays are jsonb');
SELECT is((SELECT last_active_at FROM sim.connections WHERE name = 'Sigma Sample Database'), '2026-01-14T09:12:44.120Z'::timestamptz, 'a time with its zone');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'Snowflake East'
	AND attrs ?& '{timeout,poolSizes,writeAccess,friendlyName}'), 1, 'the whole entry is in attrs');

ALTER FOREIGN TABLE sim.connections DROP COLUMN account;
ALTER FOREIGN TABLE sim.connections ADD COLUMN spare jsonb OPTIONS (field 'friendlyName');
SELECT is((SELECT name || host FROM sim.connections WHERE host > ''), 'Snowflake Eastacme-east.snowflakecomputing.com', 'after a dropped column');
SELECT is((SELECT array_agg(c.spare ORDER BY name) FROM sim.connections c WHERE spare IS NOT NULL)::text,
	(SELECT array_agg(attrs -> 'friendlyName' ORDER BY name) FROM small WHERE attrs ? 'friendlyName')::text, 'a column of another name');
ALTER FOREIGN TABLE sim.connections DROP COLUMN spare;
ALTER FOREIGN TABLE sim.connections ADD COLUMN account text;
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE account = 'acme-east'), 1, 'and an added one');

CREATE DOMAIN short_name AS text CHECK (length(VALUE) < 40);
CREATE FOREIGN TABLE by_hand (
	kind varchar OPTIONS (field 'type'),
	whole json OPTIONS (field 'attrs'),
	id uuid OPTIONS (field 'connectionId'),
	name short_name,
	created_at date,
	is_sample text,
	"Archived?" bool OPTIONS (field 'isArchived'),
	worker text OPTIONS (field 'createdBy'),
	scopes text OPTIONS (field 'oauthScopes'),
	unheard_of int OPTIONS (field 'unheardOf')
) SERVER sim OPTIONS (resource 'connections');
SELECT results_eq('SELECT id::text, name::text, kind::text, created_at, is_sample::bool, "Archived?", worker FROM by_hand ORDER BY 1',
	'SELECT connection_id, name, type, (attrs ->> ''createdAt'')::date, is_sample, is_archived, created_by FROM small ORDER BY 1',
		'a table by hand: names, types, order');
SELECT is((SELECT scopes::jsonb FROM by_hand WHERE name = 'Snowflake West'), '["session:role-any", "offline_access"]', 'an array as text');
SELECT is((SELECT count(*)::int FROM by_hand WHERE unheard_of IS NULL AND whole ->> 'name' = name), 13, 'the whole entry as json');
SELECT is(requests_of(format('SELECT * FROM by_hand WHERE id = %L', :'id')), ARRAY['GET /v2/connections/' || :'id'], 'a look-up by uuid');
SELECT is(requests_of(format('SELECT * FROM by_hand WHERE id = %L', upper(:'id'))), ARRAY['GET /v2/connections/' || lower(:'id')], 'in its normal form');
SELECT is((SELECT name::text FROM by_hand WHERE id = :'id'), 'Postgres Production', 'and its row');
SELECT is((SELECT count(*)::int FROM by_hand WHERE id = ANY (ARRAY[:'id', :'id2']::uuid[])), 2, '= ANY of uuid');
SELECT is((SELECT count(*)::int FROM by_hand h JOIN sim.connections c ON c.connection_id = h.id::text), 13, 'a join of uuid and text');
CREATE FOREIGN TABLE wrong_column (connection_id text, nmae text) SERVER sim OPTIONS (resource 'connections');
SELECT sim_calm() \g /dev/null
SELECT fails('SELECT * FROM wrong_column', 'HV005', 'column "nmae" of foreign table "wrong_column"%', NULL, '%"name"%',
	'an unknown column, with what may have been meant');
SELECT is(sim_count(), 0, 'asks nothing');
CREATE FOREIGN TABLE connectoins (name text) SERVER sim;
SELECT fails('SELECT * FROM connectoins', 'HV00R', 'Sigma has no resource "connectoins"', NULL, '%"connections"%',
	'an unknown resource, with what may have been meant');
CREATE FOREIGN TABLE ill_typed (connection_id text, name int) SERVER sim OPTIONS (resource 'connections');
SELECT is(c.state || ' ' || (c.context LIKE '%column "name" of foreign table "ill_typed", row 1, connectionId%')::text,
	'22P02 true', 'a value that does not fit names column and row')
FROM catch('SELECT * FROM ill_typed') c;
SELECT is((SELECT count(*)::int FROM (SELECT connection_id FROM ill_typed) t), 13, 'and does no harm to whoever does not ask for it');
CREATE FOREIGN TABLE narrow (name varchar(5), type char(3)) SERVER sim OPTIONS (resource 'connections');
SELECT fails('SELECT * FROM narrow', '22001', NULL, NULL, NULL, 'a value too long for its type');
CREATE DOMAIN wanted AS text NOT NULL;
CREATE FOREIGN TABLE demanding (name text, host wanted) SERVER sim OPTIONS (resource 'connections');
SELECT fails('SELECT * FROM demanding', '23502', NULL, NULL, NULL, 'a domain that takes no NULL');
CREATE DOMAIN tiny AS text CHECK (length(VALUE) < 3);
CREATE FOREIGN TABLE checked (name tiny) SERVER sim OPTIONS (resource 'connections');
SELECT fails('SELECT * FROM checked', '23514', NULL, NULL, NULL, 'a domain''s CHECK');

-- count(*) need not read the list, but says what reading it would
SELECT is((SELECT count(*)::int FROM big.connections), 2007, 'count(*)');
SELECT is((SELECT count(*)::int FROM sim.connections), 13, 'count(*) leaves out what the table leaves out');
SELECT is((SELECT count(*)::int FROM big.connections WHERE type = 'mysql'), (SELECT count(*)::int FROM heap WHERE type = 'mysql'), 'count(*) of some');
SELECT is((SELECT array_agg(c ORDER BY c) FROM (SELECT count(*)::int AS c FROM sim.connections GROUP BY type) c),
	(SELECT array_agg(c ORDER BY c) FROM (SELECT count(*)::int AS c FROM small GROUP BY type) c), 'count(*) of groups');
SELECT is((SELECT ARRAY[count(*), count(*) + 1, count(DISTINCT type), count(*) FILTER (WHERE type = 'mysql')]::int[]
	FROM sim.connections), '{13,14,10,1}', 'count(*) beside others');
SELECT is((SELECT sum(n)::int FROM (SELECT (SELECT count(*) + s.n FROM sim.connections) AS n FROM generate_series(1, 3) s (n)) t),
	45, 'count(*) again and again');
SELECT is((SELECT count(*)::int FROM sim.connections LIMIT 1), 13, 'count(*) with LIMIT');
SELECT is_empty('SELECT count(*) FROM sim.connections HAVING count(*) > 13', 'count(*) with HAVING');

-- archived connections
CREATE FOREIGN TABLE archived (connection_id text, name text, is_archived bool) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
SELECT is((SELECT array[count(*), count(*) FILTER (WHERE is_archived)]::int[] FROM archived), '{15,2}', 'include_archived at the table');
SELECT is(requests_of('SELECT * FROM archived'), '{GET /v2/connections?includeArchived=true&limit=1000}', 'is asked for');
SELECT connection_id AS gone FROM archived WHERE is_archived LIMIT 1 \gset
SELECT is((SELECT count(*)::int FROM archived WHERE connection_id = :'gone'), 1, 'an archived one by key');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE connection_id = :'gone'), 0, 'is no row where archived ones are left out');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE is_archived), 0, 'whatever the query asks for');
ALTER SERVER sim OPTIONS (ADD include_archived 'true');
SELECT is((SELECT ARRAY[count(connection_id), (SELECT count(*) FROM sim.connections)]::int[] FROM sim.connections), '{15,15}',
	'include_archived at the server');
ALTER FOREIGN TABLE archived OPTIONS (SET include_archived 'false');
SELECT is((SELECT count(*)::int FROM archived), 13, 'the table has the last word');
ALTER SERVER sim OPTIONS (DROP include_archived);

-- partitions and inheritance
CREATE TABLE parted (name text, type text) PARTITION BY LIST (type);
CREATE TABLE parted_local PARTITION OF parted FOR VALUES IN ('local');
INSERT INTO parted VALUES ('here', 'local');
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted DEFAULT SERVER sim OPTIONS (resource 'connections');
SELECT is((SELECT count(*)::int FROM parted), 14, 'a foreign table as a partition');
SELECT is(count_of('SELECT * FROM parted WHERE type = ''local'''), 0, 'that is pruned');
SELECT is((SELECT count(*)::int FROM parted p JOIN parted q USING (name)), 14, 'a join of partitioned tables');
CREATE TABLE parent (name text);
INSERT INTO parent VALUES ('here');
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER sim OPTIONS (resource 'connections');
SELECT is((SELECT count(*)::int FROM parent), 14, 'a foreign table that inherits');
SELECT is((SELECT count(*)::int FROM (SELECT name FROM sim.connections UNION ALL SELECT name FROM big.connections UNION ALL
	SELECT name FROM small) u), 13 + 2007 + 13, 'UNION ALL of two servers and a local table');

-- what stands before pg_catalog in search_path
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.jsonb_in(text) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE DOMAIN shadow.text AS int;
CREATE TABLE shadow.pg_foreign_server (x int);
CREATE TABLE shadow.connections (x int);
SET search_path = shadow, pg_catalog, public;
SELECT count(connection_id)::int AS n FROM sim.connections WHERE attrs ->> 'name' = name \gset
RESET search_path;
SELECT is(:n, 13, 'objects that shadow others in search_path do nothing');

-- ------------------------------------------------------------------ EXPLAIN

SELECT is(requests_of('EXPLAIN (VERBOSE, COSTS) SELECT * FROM sim.connections'), '{}', 'EXPLAIN makes no request');
SELECT make_server('unused', sim_url()) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT plan_of('SELECT * FROM unused.connections WHERE connection_id = ''x'' UNION ALL SELECT * FROM unused.connections WHERE name = ''y''') \g /dev/null
SELECT is(sim_count() + sim_sign_ins(), 0, 'not even for a token');
SELECT alike(plan_of('SELECT * FROM sim.connections WHERE type = ''x'''),
	'%Filter: (type = ''x''::text)%Remote Request: GET /v2/connections?limit=1000%', 'the list as it will be sent, and what stays local');
SELECT alike(plan_of('SELECT * FROM archived LIMIT 7'), '%Remote Request: GET /v2/connections?limit=7%', 'a lowered limit');
SELECT alike(plan_of('SELECT * FROM sim.connections WHERE connection_id = ''a b/c'''),
	'%Remote Request: GET /v2/connections/a\%20b\%2Fc%', 'a look-up by a constant');
SELECT alike(plan_of('SELECT * FROM sim.connections WHERE connection_id = (SELECT max(note) FROM three)'),
	'%Remote Parameters: connection_id = %Remote Request: GET /v2/connections/{connection_id}%', 'a look-up by what will be known later');
SELECT alike(plan_of('SELECT * FROM three t, many m WHERE m.connection_id = t.connection_id'),
	'%Remote Parameters: connection_id = %Remote Request: GET /v2/connections/{connection_id}%', 'a look-up per row of a join');
SELECT alike(plan_of('SELECT * FROM sim.connections WHERE connection_id = '''''), '%Remote Request: none%', 'nothing to ask');
SELECT alike(plan_of('INSERT INTO sim.connections (name) VALUES (''x'')'), '%Remote Request: POST /v2/connections%', 'a create');

CREATE FUNCTION duplicates(doc json, path text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	k text;
	v json;
BEGIN
	IF json_typeof(doc) = 'object' THEN
		RETURN QUERY SELECT path || '/' || key FROM json_each(doc) GROUP BY key HAVING count(*) > 1;
		FOR k, v IN SELECT * FROM json_each(doc) LOOP
			RETURN QUERY SELECT duplicates(v, path || '/' || k);
		END LOOP;
	ELSIF json_typeof(doc) = 'array' THEN
		FOR v IN SELECT * FROM json_array_elements(doc) LOOP
			RETURN QUERY SELECT duplicates(v, path || '[]');
		END LOOP;
	END IF;
END $$;
SELECT is_empty(format('SELECT duplicates(plan_of(%L, ''COSTS OFF, FORMAT JSON %s'')::json)', query, options), 'FORMAT JSON has unique keys: ' || options)
FROM (VALUES ('SELECT * FROM sim.connections c JOIN sim.connections d USING (connection_id) WHERE c.name = ''x'''),
	('SELECT * FROM three t, many m WHERE m.connection_id = t.connection_id')) q (query),
	(VALUES (''), (', VERBOSE'), (', ANALYZE'), (', ANALYZE, TIMING OFF, VERBOSE')) o (options);
SELECT is_empty('SELECT duplicates(plan_of(''INSERT INTO sim.connections (name) VALUES (''''x'''') '
	'RETURNING *'', ''COSTS OFF, FORMAT JSON, VERBOSE'')::json)', 'an INSERT''s, too');

-- figures of EXPLAIN (ANALYZE) against the simulator's log
CREATE FUNCTION figure(plan json, what text) RETURNS numeric LANGUAGE sql AS $$
	WITH RECURSIVE node (n) AS (
		SELECT plan -> 0 -> 'Plan'
		UNION ALL SELECT p FROM node, json_array_elements(n -> 'Plans') p)
	SELECT sum((n ->> what)::numeric) FROM node
$$;
CREATE FUNCTION analyzed(query text) RETURNS json LANGUAGE sql AS $$ SELECT plan_of(query, 'COSTS OFF, ANALYZE, FORMAT JSON')::json $$;
SELECT sim_calm('big') \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "after": 1, "times": 2, "do": "status", "status": 503, "headers": {"Retry-After": "0"}}', 'big') \g /dev/null
CREATE TABLE figures AS SELECT analyzed('SELECT * FROM big.connections') AS plan;
SELECT is(figure(plan, 'Requests')::int, sim_count('big'), 'requests of EXPLAIN (ANALYZE) are those of the log') FROM figures;
SELECT is(ARRAY[figure(plan, 'Requests'), figure(plan, 'Pages'), figure(plan, 'Retries'), figure(plan, 'Sign-Ins')], '{5,3,2,0}',
	'with pages, retries and sign-ins') FROM figures;
SELECT cmp_ok(figure(plan, 'Bytes Received'), '>', (SELECT sum(length(attrs::text)) / 2 FROM heap)::numeric, 'bytes') FROM figures;
SELECT cmp_ok(figure(plan, 'Waiting Time'), '>', 0::numeric, 'and waiting time') FROM figures;
SELECT is(figure(analyzed(format('SELECT * FROM many WHERE connection_id IN (''x'', ''y'', %L)', :'id')), 'Requests'), 3::numeric, 'requests of look-ups');
SELECT make_server('fresh', sim_url()) \g /dev/null
SELECT is(figure(analyzed('SELECT * FROM fresh.connections'), 'Sign-Ins'), 1::numeric, 'a sign-in is counted');
SELECT unalike(plan_of('SELECT * FROM sim.connections', 'COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF'), '%Waiting Time%', 'TIMING OFF shows no time');
SELECT is(figure(analyzed('SELECT * FROM sim.connections'), 'Actual Rows'), 13::numeric, 'actual rows');

-- the row estimate: the option, else the number last seen
CREATE FUNCTION estimate(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT is(estimate('SELECT * FROM many'), 1000000::numeric, 'the option "rows" is the estimate');
SELECT is(estimate('SELECT * FROM big.connections'), 2007::numeric, 'without it, the number last seen');
SELECT is(estimate('SELECT * FROM sim.connections WHERE connection_id = ''x'''), 1::numeric, 'a look-up is one row');

-- ----------------------------------------------------------------- parallel

SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query'
	ELSE 'force_parallel_mode' END, 'on', false) \g /dev/null
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'with parallel query forced');
SELECT is((SELECT count(*)::int FROM heap h JOIN big.connections b USING (connection_id)), 2007, 'a join with a table that workers read');
SELECT is((SELECT count(*)::int FROM (SELECT name FROM heap UNION ALL SELECT name FROM big.connections) u), 4014, 'an append');
SELECT cmp_ok((SELECT user_id FROM sigma_whoami('sim')), '>', '', 'a function');

SELECT * FROM finish();

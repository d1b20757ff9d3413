-- What the planner makes of the tables: a look-up for each row where the rows
-- are few, one walk where they are many, and estimates from what was seen.

\ir lib/simulator.sql
\ir lib/plans.sql
SELECT * FROM no_plan();


-- the rows that a plan's first node is expected to have
CREATE FUNCTION estimate(query text) RETURNS int
LANGUAGE sql AS $$ SELECT substring(plan_of(query, 'COSTS ON') FROM 'rows=(\d+)')::int $$;

-- -------------------------------------------------------------- estimates

SELECT is(estimate('SELECT * FROM sim.members'), 1000, 'a list that nobody has read is taken for one page');
SELECT is(count_of('EXPLAIN SELECT * FROM sim.members'), 0, 'EXPLAIN asks for nothing');
SELECT count(*) AS members FROM (SELECT FROM sim.members OFFSET 0) m \gset
SELECT is(estimate('SELECT * FROM sim.members'), :members, 'the total that the session saw last is the estimate');
SELECT matches(psql('EXPLAIN SELECT * FROM sim.members'), 'rows=1000\M', 'of that session');
SELECT is(estimate('SELECT * FROM sim.workspaces WHERE workspace_id = ''x'''), 1, 'a key is one row');

-- a list cut short tells its total as well
SELECT make_server('fresh', sim_url()) \g /dev/null
SELECT lives_ok('SELECT FROM fresh.members LIMIT 1', 'one entry of a list');
SELECT is(estimate('SELECT * FROM fresh.members'), :members, 'tells the total of all');
SELECT is(count(*)::int, 4, 'so does count(*)') FROM fresh.tags;
SELECT is(estimate('SELECT * FROM fresh.tags'), 4, 'for the estimate');

-- a filter's total is not the table's
SELECT is(count(*), 1::bigint, 'one workspace of that name') FROM fresh.workspaces WHERE name = 'Company';
SELECT cmp_ok(estimate('SELECT * FROM fresh.workspaces'), '<>', 1, 'the total of a filtered list is not that of the table');

ALTER FOREIGN TABLE fresh.members OPTIONS (ADD rows '12345');
SELECT is(estimate('SELECT * FROM fresh.members'), 12345, 'what the user says comes first');
ALTER FOREIGN TABLE fresh.members OPTIONS (DROP rows);

-- ---------------------------------------------------------------- ANALYZE

ANALYZE fresh.members;
SELECT is(reltuples::int, :members, 'ANALYZE counts') FROM pg_class WHERE oid = 'fresh.members'::regclass;
SELECT cmp_ok(count(*), '>', 5::bigint, 'and gathers statistics') FROM pg_stats WHERE schemaname = 'fresh' AND tablename = 'members' AND avg_width > 0;
SELECT is(estimate('SELECT * FROM fresh.members WHERE member_type = ''Admin'''),
	(SELECT count(*)::int FROM fresh.members WHERE member_type = 'Admin'), 'which tell how many rows a condition leaves');
ANALYZE fresh.connection_grants;
SELECT is(reltuples::bigint, (SELECT count(*) FROM fresh.connection_grants), 'of a table below a parent, too') FROM pg_class
	WHERE oid = 'fresh.connection_grants'::regclass;
ANALYZE fresh.workbook_elements;
SELECT is(reltuples::bigint, (SELECT count(*) FROM fresh.workbook_elements), 'and of one below two') FROM pg_class
	WHERE oid = 'fresh.workbook_elements'::regclass;
SELECT is(count_of('ANALYZE fresh.teams'), 1, 'it takes one walk');
SELECT sim_fault('{"method": "GET", "path": "/v2.1/teams", "times": -1, "do": "status", "status": 403}') \g /dev/null
SELECT fails('ANALYZE fresh.teams', '42501', NULL, NULL, NULL, 'ANALYZE of what cannot be read is an error');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------------------ joins

SELECT sim_start('big', '--connections 3000') \g /dev/null
SELECT make_server('big', sim_url('big')) \g /dev/null
CREATE TABLE few AS SELECT connection_id FROM big.connections LIMIT 3;
CREATE TABLE many AS SELECT connection_id FROM (SELECT connection_id, row_number() OVER () AS n FROM big.connections) c, generate_series(1, 34) LIMIT 100000;
ANALYZE few;
ANALYZE many;

-- entries by key
SELECT matches(plan_of('SELECT * FROM few JOIN big.connections USING (connection_id)'),
	'Sigma Lookup Join.*Remote Request: GET /v2/connections/\{connection_id\}', '3 rows: look-ups');
SELECT is(count_of('SELECT * FROM few JOIN big.connections USING (connection_id)', 'big'), 3, 'which are 3 requests');
SELECT matches(plan_of('SELECT * FROM many JOIN big.connections USING (connection_id)'),
	'Hash Join.*Remote Request: GET /v2/connections\?limit=1000', '100,000 rows: one walk');
SELECT is(count_of('SELECT * FROM many JOIN big.connections USING (connection_id)', 'big'), 3, 'which is 3 pages');

-- lists by parent
SELECT matches(plan_of('SELECT * FROM few JOIN big.connection_grants USING (connection_id)'),
	'Sigma Lookup Join.*Remote Request: GET /v2/connections/\{connection_id\}/grants', 'the lists of 3 parents: look-ups');
SELECT is(plan_of('SELECT * FROM few JOIN big.connection_grants USING (connection_id)') ~ 'Remote Parent Requests', false, 'without the list of parents');
SELECT is(count_of('SELECT * FROM few JOIN big.connection_grants USING (connection_id)', 'big'), 3, 'which are 3 requests');
SELECT matches(plan_of('SELECT * FROM many JOIN big.connection_grants USING (connection_id)'),
	'(Hash|Merge) Join.*Remote Parent Requests: GET /v2/connections\?limit=1000', '100,000 rows: one walk over the parents');
SELECT is(plan_of('SELECT * FROM many JOIN big.connection_grants USING (connection_id)') ~ 'Remote Parameters', false, 'with no key from the join');

-- other shapes take keys from the join, too
SELECT matches(plan_of('SELECT * FROM few LEFT JOIN big.connections USING (connection_id)'),
	'Sigma Lookup Join.*Join Type: Left.*Remote Parameters: connection_id = ', 'LEFT JOIN');
SELECT matches(plan_of('SELECT * FROM big.connections WHERE connection_id IN (SELECT connection_id FROM few)'),
	'Remote Parameters: connection_id = ', 'IN (SELECT)');
SELECT matches(plan_of('SELECT * FROM few f, LATERAL (SELECT * FROM big.connection_grants g '
	'WHERE g.connection_id = f.connection_id OFFSET 0) g'), 'Nested Loop.*Remote Parameters: connection_id = ', 'LATERAL');
SELECT is((SELECT count(*)::int FROM few f, LATERAL (SELECT c.name FROM big.connections c
	WHERE c.connection_id = f.connection_id OFFSET 0) g), 3, 'and finds the rows');

-- a key from another of Sigma's tables
SELECT matches(plan_of('SELECT * FROM sim.workbooks w JOIN sim.workbook_pages p USING (workbook_id) WHERE w.name = ''Churn'''),
	'Sigma Lookup Join.*Remote Parameters: workbook_id = ', 'pages of the one workbook of a name');
SELECT is(count_of('SELECT * FROM sim.workbooks w JOIN sim.workbook_pages p USING (workbook_id) WHERE w.name = ''Churn'''), 2, 'are two requests');

-- the same rows either way
SET enable_nestloop = off;
SELECT count(*) AS walked FROM few JOIN big.connection_grants USING (connection_id) \gset
RESET enable_nestloop;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT is(count(*), :walked::bigint, 'both ways give the same rows') FROM few JOIN big.connection_grants USING (connection_id);
RESET enable_hashjoin;
RESET enable_mergejoin;

-- a parameter that another node sets, whose node the scan cannot see
CREATE TABLE few_ids AS SELECT connection_id FROM sim.connections LIMIT 3;
SELECT alike(plan_of('SELECT (SELECT name FROM sim.connections c WHERE c.connection_id = few_ids.connection_id) FROM few_ids'),
	'%Remote Parameters: connection_id = $0%', 'a correlated subquery is explained');
SELECT alike(plan_of('SELECT (SELECT count(permission) FROM sim.connection_grants g '
	'WHERE g.connection_id = upper(few_ids.connection_id)) FROM few_ids', 'VERBOSE, COSTS OFF'),
	'%Remote Parameters: connection_id = upper($0)%', '... in an expression, too');

SELECT * FROM finish();

-- Which entries of its lists are rows of a table: what is not shared with the
-- reader, and grants that are inherited.

\ir lib/simulator.sql
SELECT * FROM no_plan();

CREATE FUNCTION asked(query text, process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(r ORDER BY r COLLATE "C"), '{}')
	FROM (SELECT regexp_replace(r, '(\?(limit|pageSize)=\d+$)|&(limit|pageSize)=\d+', '') FROM unnest(requests_of(query, process)) r) r (r)
$$;
SELECT workbook_id AS workbook FROM sim.workbooks WHERE name = 'Revenue Overview' \gset
SELECT count(workbook_id) AS workbooks FROM sim.workbooks \gset
SELECT count(*) AS sources FROM sim.workbook_sources \gset

-- ------------------------------------------------------ skip_permission_check

SELECT is((SELECT count(*) FROM sim.workbooks WHERE name = 'Private Notes'), 0::bigint, 'what is not shared with an administrator is no row');
CREATE FOREIGN TABLE every_workbook (workbook_id text, name text) SERVER sim OPTIONS (resource 'workbooks', skip_permission_check 'true');
SELECT is((SELECT count(*) FROM every_workbook WHERE name = 'Private Notes'), 1::bigint, 'but with skip_permission_check');
SELECT is(asked('SELECT workbook_id FROM every_workbook'), '{GET /v2/workbooks?skipPermissionCheck=true}', 'which is sent');
SELECT is(asked('SELECT count(*) FROM every_workbook'), '{GET /v2/workbooks?skipPermissionCheck=true}', 'when rows are counted, too');
SELECT is((SELECT count(workbook_id) FROM every_workbook), (SELECT count(*) FROM every_workbook), 'to the same number');
SELECT is(asked('ANALYZE every_workbook'), '{GET /v2/workbooks?skipPermissionCheck=true}', 'and by ANALYZE');
SELECT matches(psql('EXPLAIN SELECT * FROM every_workbook'), 'Remote Request: GET /v2/workbooks\?skipPermissionCheck=true&limit=1000', 'EXPLAIN shows it');
-- a look-up need not know what is not shared, so the plan must not choose one
SELECT is(asked(format('SELECT name FROM every_workbook WHERE workbook_id = %L', :'workbook')),
	'{GET /v2/workbooks?skipPermissionCheck=true}', 'there is no look-up by key');
SELECT is(asked(format('SELECT name FROM sim.workbooks WHERE workbook_id = %L', :'workbook')),
	ARRAY['GET /v2/workbooks/' || :'workbook'], 'where there is one without the option');

-- at the server, for all tables; of those below a parent, for the lists of the parents
SELECT make_server('every', sim_url(), 'skip_permission_check ''true''') \g /dev/null
SELECT is((SELECT count(workbook_id)::int FROM every.workbooks), :workbooks + 1, 'at the server: workbooks');
SELECT is((SELECT count(*) FROM every.data_models WHERE name = 'Private Model'), 1::bigint, 'data models');
SELECT is((SELECT count(*) FROM every.reports WHERE name = 'Private Draft'), 1::bigint, 'reports');
SELECT is((SELECT count(*) FROM sim.reports WHERE name = 'Private Draft'), 0::bigint, '... not otherwise');
SELECT is((SELECT count(*) FROM every.datasets WHERE name = 'Private Customers'), 1::bigint, 'datasets');
SELECT is(asked('SELECT email FROM every.members'), '{GET /v2.1/members?includeInactive=true}', 'other lists do not take it');
SELECT is((SELECT count(*)::int FROM every.workbook_sources), :sources + 1, 'what those workbooks read from');
SELECT is((asked('SELECT * FROM every.workbook_sources'))[1], 'GET /v2/workbooks/' || (SELECT min(workbook_id)
	FROM every_workbook) || '/sources', 'each is asked for its sources');
SELECT is('GET /v2/workbooks?skipPermissionCheck=true' = ANY (asked('SELECT * FROM every.workbook_sources')), true, 'after all have been listed');
SELECT matches(psql('EXPLAIN SELECT * FROM every.workbook_sources'),
	'Remote Parent Requests: GET /v2/workbooks\?skipPermissionCheck=true&limit=1000', 'EXPLAIN shows that');
SELECT is((SELECT count(*) FROM every.workbooks w JOIN every.workbook_sources s USING (workbook_id)
	WHERE w.name = 'Private Notes'), 1::bigint, 'a join of both');
ALTER FOREIGN TABLE every.workbooks OPTIONS (ADD skip_permission_check 'false');
SELECT is((SELECT count(workbook_id)::int FROM every.workbooks), :workbooks, 'a table can say otherwise');

-- who is no administrator is refused
SELECT sim_start('two', '--client-id a --client-secret a --client-id b --client-secret b') \g /dev/null
SELECT make_server('second', sim_url('two'), 'skip_permission_check ''true''') \g /dev/null
ALTER USER MAPPING FOR CURRENT_USER SERVER second OPTIONS (SET client_id 'b', SET client_secret 'b');
SELECT fails('SELECT name FROM second.workbooks', '42501', '%administrators%', '%skipPermissionCheck=true%', NULL, 'Sigma refuses it to others');

-- -------------------------------------------------------- direct_grants_only

CREATE FOREIGN TABLE direct (grant_id text, inode_id text, inode_type text) SERVER sim OPTIONS (resource 'grants', direct_grants_only 'true');
SELECT is(asked(format('SELECT * FROM sim.grants WHERE inode_id = %L', :'workbook')), ARRAY['GET /v2/grants?inodeId=' || :'workbook'], 'grants of an object');
SELECT is(asked(format('SELECT * FROM direct WHERE inode_id = %L', :'workbook')),
	ARRAY[format('GET /v2/grants?directGrantsOnly=true&inodeId=%s', :'workbook')], 'only those on the object itself');
SELECT is((SELECT count(*) FROM direct WHERE inode_id = :'workbook'),
	(SELECT count(*) FROM sim.grants WHERE inode_id = :'workbook'), 'what is inherited is of another object, and no row of either');
SELECT is((SELECT count(*) FROM direct), (SELECT count(*) FROM sim.grants), 'all of them');
SELECT is(asked('SELECT grant_id FROM direct WHERE grant_id = ''x'''), '{GET /v2/grants?directGrantsOnly=true}', 'there is no look-up by key');
SELECT make_server('directly', sim_url(), 'direct_grants_only ''true''') \g /dev/null
SELECT is(asked('SELECT grant_id FROM directly.grants'), '{GET /v2/grants?directGrantsOnly=true}', 'at the server');
SELECT is(asked(format('SELECT * FROM directly.workspace_grants WHERE workspace_id = %L', (SELECT min(workspace_id) FROM sim.workspaces))),
	ARRAY[format('GET /v2/workspaces/%s/grants', (SELECT min(workspace_id) FROM sim.workspaces))], 'lists of one object do not take it');

-- --------------------------------------------------------------------- values

SELECT fails(format('CREATE FOREIGN TABLE bad (name text) SERVER sim OPTIONS (resource ''workbooks'', %s ''maybe'')', o), '22023',
	'%' || o || '%', NULL, '%true or false%', o || ' is a boolean')
FROM unnest('{skip_permission_check,direct_grants_only}'::text[]) o;

SELECT * FROM finish();

-- What changed in the API in 2026: filters, paths, and what lists answer that
-- are retired, archived or empty.

\ir lib/simulator.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

SELECT sim_start('older', '--api 2025-11') \g /dev/null
SELECT make_server('older', sim_url('older')) \g /dev/null

-- path and query of each request of a query, without the page's size
CREATE FUNCTION asked(query text, process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT array_agg(regexp_replace(r, '^GET |[?&](limit|pageSize)=\d+', '', 'g') ORDER BY n)
	FROM unnest(requests_of(query, process)) WITH ORDINALITY u (r, n)
$$;

-- --------------------------------------------------------------- filters

SELECT is(asked('SELECT * FROM sim.members WHERE email = ''ada.okafor.0@example.com'''),
	'{/v2.1/members?includeInactive=true&email=ada.okafor.0%40example.com}', 'a member is asked for by email');
SELECT is(array_agg(first_name), '{Ada}', '... and found') FROM sim.members WHERE email = 'ada.okafor.0@example.com';
SELECT is(array_agg(first_name), '{Ada}', '... where the parameter is not known, too') FROM older.members WHERE email = 'ada.okafor.0@example.com';
SELECT is(asked('SELECT * FROM sim.workspaces WHERE name = ''Company'''), '{/v2.1/workspaces?exactName=Company}', 'a workspace by its exact name');
SELECT is(count(*)::int, 1, '... and found') FROM sim.workspaces WHERE name = 'Company';
SELECT is(count(*)::int, 0, '... but not in another case') FROM sim.workspaces WHERE name = 'company';
SELECT is(asked('SELECT * FROM sim.files WHERE type = ''report'''), '{/v2/files?typeFilters=report}', 'reports among the files');

-- --------------------------------------------------------------- tenants

SELECT is(asked('SELECT * FROM sim.tenants WHERE tenant_organization_slug = ''northwind'''), '{/v2/tenants?search=northwind}', 'tenants have moved');
SELECT results_eq('SELECT tenant_organization_slug, tenant_cloud_provider, tenant_region, tenant_api_url FROM sim.tenants ORDER BY 1',
	$$VALUES ('blue-harbor', 'aws', 'eu-west-1', 'https://api.eu.aws.sigmacomputing.com'),
		('kestrel-labs', 'gcp', 'us-central1', 'https://api.sigmacomputing.com'), ('northwind', NULL, NULL, NULL)$$, '... and say where they are hosted');
SELECT is(asked(format('SELECT * FROM sim.tenants WHERE tenant_organization_id = %L', (SELECT min(tenant_organization_id) FROM sim.tenants))),
	ARRAY['/v2/tenants/' || min(tenant_organization_id)], 'one of them is looked up') FROM sim.tenants;

-- ---------------------------------------------------- the edge's statuses

CREATE FUNCTION survives(statement text, fault jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_calm();
	PERFORM sim_fault('{"do": "status", "times": 2, "headers": {"Retry-After": "0"}}' || fault);
	c := catch(statement);
	PERFORM sim_call('DELETE', 'fault');
	RETURN coalesce(c.state, 'none') || ' ' || (SELECT count(*) FROM sim_log() WHERE path = fault ->> 'path');
END
$$;
SELECT is(survives('SELECT * FROM sim.connections', jsonb_build_object('path', '/v2/connections', 'status', code)), 'none 3',
	'a read survives two of status ' || code)
FROM unnest('{408,425,520,521,522,523,524,527,530}'::int[]) code;
SELECT sim_call('POST', 'revoke-tokens') \g /dev/null
SELECT is(survives('SELECT * FROM sim.connections', '{"path": "/v2/auth/token", "status": 520}'), 'none 0', 'a sign-in survives them, too');
SELECT matches(survives($$SELECT sigma_create_connection('sim', 'made', '{"type": "postgres", "host": "h", "database": "d"}')$$,
	jsonb_build_object('path', '/v2/connections', 'status', code)),
	CASE WHEN code < 500 THEN '^HV000 1$' ELSE '^08007 1$' END, 'a write is sent once at status ' || code)
FROM unnest('{408,425,520,524,530}'::int[]) code;

-- ------------------------------------------------- 429 without Retry-After

SELECT sim_start('long', '--connections 4000 --latency 20') \g /dev/null
SELECT make_server('long', sim_url('long'), 'page_size ''50'', max_concurrency ''8''') \g /dev/null
CREATE FUNCTION at_once(first int DEFAULT NULL) RETURNS int LANGUAGE sql AS $$
	SELECT max(concurrent) FROM (SELECT concurrent FROM sim_log('long') WHERE path = '/v2/connections' ORDER BY n LIMIT first) l
$$;
SELECT count(connection_id) FROM long.connections \g /dev/null
SELECT cmp_ok(at_once(), '>', 4, 'up to eight requests at once');
SELECT sim_calm('long') \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "do": "status", "status": 429}', 'long') \g /dev/null
SELECT ms_of('SELECT connection_id FROM long.connections LIMIT 1') AS ms \gset
SELECT cmp_ok(:ms::float8, '>=', 2000::float8, 'after a 429 the next try is not before two seconds');
SELECT sim_calm('long') \g /dev/null
SELECT is(count(connection_id)::int, 4000, 'all rows') FROM long.connections;
SELECT cmp_ok(at_once(15), '<=', 4, 'half as many requests at once at first');
SELECT count(connection_id) FROM long.connections \g /dev/null
SELECT sim_calm('long') \g /dev/null
SELECT count(connection_id) FROM long.connections \g /dev/null
SELECT cmp_ok(at_once(), '>', 4, 'but more again after a while');

-- ------------------------------------------------ a 404 that is not Sigma's

-- a list that is said to be long: a short one is rather read whole
CREATE FOREIGN TABLE looked_up (connection_id text, name text) SERVER sim OPTIONS (resource 'connections', rows '100000');
SELECT sim_calm() \g /dev/null
SELECT is(count(*)::int, 0, 'a key that Sigma does not know is no row') FROM looked_up WHERE connection_id = 'none';
SELECT sim_fault('{"path": "/v2/connections/none*", "times": -1, "do": "status", "status": 404, "html": true}') \g /dev/null
SELECT fails('SELECT * FROM looked_up WHERE connection_id = ''none''', 'HV000', 'server "sim" answers with HTTP status 404, but not as Sigma does',
	'GET /v2/connections/none: HTTP status 404, with a web page instead of JSON.', '%region or base_url%', 'a proxy''s page does not say so');
SELECT fails('SELECT * FROM sim.connection_grants WHERE connection_id = ''none''', 'HV000', '%not as Sigma does', NULL, NULL, 'nor of a list below a parent');
SELECT fails('SELECT * FROM sigma_test_connection(''sim'', ''none'')', 'HV000', '%not as Sigma does', NULL, NULL, 'nor to a function');
SELECT fails('SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/none'')', 'HV000', '%not as Sigma does', NULL, NULL, 'nor to a write');
SELECT sim_calm() \g /dev/null
SELECT fails('SELECT * FROM looked_up WHERE connection_id = ''none''', 'HV000', '%not as Sigma does', NULL, NULL, 'nor does a body of another kind: ' || body)
	|| E'\n' || coalesce(sim_calm()::text, '') FROM unnest('{"",no,[],"{}"}'::text[]) body,
		LATERAL (SELECT sim_fault(jsonb_build_object('path', '/v2/connections/none', 'times', -1, 'do', 'body', 'status', 404, 'body', body))) f;

-- -------------------------------------------------- a failure behind a 200

CREATE FUNCTION behind(statement text, path text, method text, description text, state text DEFAULT 'HV000') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_calm();
	PERFORM sim_fault(jsonb_build_object('method', method, 'path', path, 'times', -1, 'do', 'body', 'status', 200,
		'body', '{"requestId": "r-7", "code": "backend_error", "message": "the store is away"}'::jsonb));
	RETURN fails(statement, state, CASE WHEN state = 'HV000' THEN 'failure of Sigma behind HTTP status 200: the store is away' END,
		'%' || method || ' ' || path || '%: HTTP status 200, code "backend_error", requestId "r-7".%', NULL, description);
END
$$;
SELECT behind('SELECT * FROM sim.members', '/v2.1/members', 'GET', 'a failure behind a 200 is told as Sigma tells it');
SELECT behind('SELECT * FROM looked_up WHERE connection_id = ''x''', '/v2/connections/x', 'GET', 'so it is of a look-up');
SELECT behind('SELECT count(*) FROM sim.teams', '/v2.1/teams', 'GET', 'of a count');
SELECT behind('SELECT * FROM sigma_whoami(''sim'')', '/v2/whoami', 'GET', 'of a function');
SELECT behind('SELECT sigma_request(''sim'', ''GET'', ''/v2/tags'')', '/v2/tags', 'GET', 'of any request');
SELECT behind($$SELECT sigma_create_connection('sim', 'made', '{"type": "postgres", "host": "h", "database": "d"}')$$,
	'/v2/connections', 'POST', 'of a write nobody knows what it did', '08007');
ALTER FOREIGN TABLE sim.workbook_pages OPTIONS (ADD on_error 'row');
SELECT sim_calm() \g /dev/null
SELECT sim_fault(jsonb_build_object('path', '/v2/workbooks/' || min(workbook_id) || '/pages', 'times', -1, 'do', 'body',
	'body', '{"requestId": "r-7", "code": "backend_error", "message": "the store is away"}'::jsonb)) FROM sim.workbooks \g /dev/null
SELECT is(array_agg(_error ->> 'message'), '{failure of Sigma behind HTTP status 200: the store is away}',
	'with on_error it is a row') FROM sim.workbook_pages WHERE _error IS NOT NULL;
ALTER FOREIGN TABLE sim.workbook_pages OPTIONS (DROP on_error);
SELECT sim_calm() \g /dev/null

-- ---------------------------------------------------- a filter is refused

SELECT sim_calm() \g /dev/null
CREATE FUNCTION told(statement text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(psql(statement), '') $$;
SELECT sim_fault('{"path": "/v2.1/members", "query": "email=", "times": -1, "do": "status", "status": 400}') \g /dev/null
SELECT alike(told('SELECT first_name FROM sim.members WHERE email = ''ada.okafor.0@example.com'''),
	'%WARNING:  01000: Sigma refused the filter of the list of members, which is read without it%DETAIL:  request refused by '
		'Sigma: %GET /v2.1/members?includeInactive=true&email=ada.okafor.0\%40example.com&limit=1000: HTTP status 400%HINT:%push_filters%Ada',
	'a filter that is refused costs a request, not the answer');
SELECT is(asked('SELECT * FROM sim.members WHERE email = ''ada.okafor.0@example.com'''),
	'{/v2.1/members?includeInactive=true&email=ada.okafor.0%40example.com,/v2.1/members?includeInactive=true}', 'the list is asked for once more');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2.1/members", "query": "email=", "times": -1, "do": "status", "status": 422}') \g /dev/null
SELECT is(count(*)::int, 1, 'so at 422') FROM sim.members WHERE email = 'ada.okafor.0@example.com';
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2.1/members", "times": -1, "do": "status", "status": 400}') \g /dev/null
SELECT fails('SELECT * FROM sim.members WHERE email = ''x''', '22023', 'request refused by Sigma%',
	'GET /v2.1/members?includeInactive=true&limit=1000: HTTP status 400%', NULL, 'what is refused without a filter, too, is an error');
SELECT is(count_of('DO $$BEGIN PERFORM * FROM sim.members WHERE email = ''x''; EXCEPTION WHEN OTHERS THEN END$$'), 2, '... at the second request');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2.1/members", "query": "email=", "times": -1, "do": "status", "status": 400, "html": true}') \g /dev/null
SELECT is((catch('SELECT * FROM sim.members WHERE email = ''x''')).state, '22023', 'a web page is no refusal of Sigma''s');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/members/*", "query": "typeFilters=", "times": -1, "do": "status", "status": 400}') \g /dev/null
SELECT is((SELECT count(*) FROM sim.member_files WHERE type = 'folder'),
	(SELECT count(*) FROM sim.member_files WHERE type || '' = 'folder'), 'below parents, all rows are there');
SELECT is(array_length(regexp_split_to_array(told('SELECT count(*) FROM sim.member_files WHERE type = ''folder'''), 'WARNING:'), 1), 2, '... with one WARNING');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------------------- settings

SELECT is((SELECT array_agg(name ORDER BY name COLLATE "C") FROM sim.organization_settings WHERE enabled),
	'{auditLogging,comments,emailBranding,publicEmbeds}', 'settings that are switched on');
SELECT is(timezone, 'Europe/Berlin', 'and what has another value') FROM sim.organization_settings WHERE name = 'timezone';
SELECT is(requests_of('SELECT * FROM sim.organization_settings WHERE name = ''timezone'''), '{GET /v2/organizations/settings/timezone}', 'one of them is one request');
SELECT is(count_of('SELECT * FROM sim.organization_settings WHERE name IN (''timezone'', ''TIMEZONE'', ''../members'')'), 1, 'others are not asked for');
SELECT is(count_of('SELECT * FROM sim.organization_settings'), 10, 'all of them are one each');
SELECT matches(psql('EXPLAIN SELECT * FROM sim.organization_settings'), 'Remote Request: GET /v2/organizations/settings/\{name\}', 'EXPLAIN shows it');
SELECT is((SELECT count(*)::int FROM (VALUES ('comments'), ('none')) v (name) JOIN sim.organization_settings s USING (name)), 1, 'in a join');
SELECT sim_fault('{"path": "/v2/organizations/settings/bulkCopy", "times": -1, "do": "status", "status": 403}') \g /dev/null
SELECT alike(told('SELECT count(name) FROM sim.organization_settings'), '%WARNING:  01000: the organization does not offer organization_settings%HTTP status 403%9',
	'one that is not offered is told');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/organizations/*", "times": -1, "do": "status", "status": 404}') \g /dev/null
SELECT alike(told('SELECT count(name) FROM sim.organization_settings'), '%WARNING:%HTTP status 404%0', 'so is that none is');
SELECT alike((SELECT detail FROM sigma_check('sim') WHERE step = 'resource organization_settings'), 'not offered by this organization%', 'to sigma_check, too');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------- documents as code

SELECT is(count(*)::int, 11, 'the code representation of each workbook') FROM sim.workbook_specs WHERE jsonb_typeof(spec -> 'pages') = 'array';
SELECT is(spec ->> 'name', 'Revenue Overview', 'of one, by its key') FROM sim.workbook_specs WHERE workbook_id = (SELECT workbook_id FROM sim.workbooks WHERE name = 'Revenue Overview');
SELECT sim_fault('{"path": "/v2/workbooks/*", "query": "", "times": -1, "do": "body", "content_type": "application/yaml", "body": "name: Revenue Overview\npages:\n  - id: page0\n"}')
	FROM (SELECT 1) x \g /dev/null
SELECT fails('SELECT spec FROM sim.workbook_specs', 'HV000', 'unexpected reply from Sigma: it is text or YAML, where JSON was asked for', '%/spec%',
	'%sigma_request()%', 'YAML where JSON was asked for');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/dataModels/*", "times": -1, "do": "status", "status": 409, "body": {"requestId": "r", "message": "archived", "code": "inode_archived"}}') \g /dev/null
SELECT is(count(*)::int, 0, 'what is archived has none') FROM sim.data_model_specs;
SELECT sim_calm() \g /dev/null
SELECT workbook_id AS workbook FROM sim.workbooks WHERE name = 'Churn' \gset
SELECT sim_fault(jsonb_build_object('path', format('/v2/workbooks/%s/spec', :'workbook'), 'times', -1, 'do', 'status', 'status', 403)) \g /dev/null
SELECT fails('SELECT spec FROM sim.workbook_specs', '42501', NULL, '%/spec%', NULL, 'one that may not be seen is an error');
SELECT sim_calm() \g /dev/null

-- --------------------------------------- what the organization does not offer

SELECT is((SELECT array_agg(relname::text ORDER BY relname COLLATE "C") FROM pg_class c
	JOIN pg_foreign_table f ON f.ftrelid = c.oid WHERE relnamespace = 'sim'::regnamespace AND 'on_missing=empty' = ANY (ftoptions)),
	'{allowed_ips,api_connectors,api_credentials,credentials,data_model_specs,dataset_grants,dataset_materializations,dataset_sources,datasets,deployable_tenants,'
		'deployment_policies,deployment_policy_files,deployment_policy_tenants,organization_settings,plugins,report_columns,report_controls,report_elements,report_lineage,report_pages,report_queries,'
		'report_schedules,report_sources,report_specs,report_tags,report_version_history,reports,saml_certificates,saml_service_providers,source_swap_policies,'
		'tenant_deployment_capabilities,tenants,user_attribute_tenants,workbook_specs}', 'IMPORT lets what is retired or optional be empty');
SELECT alike(told('SELECT count(ip) FROM sim.allowed_ips'),
	'%WARNING:  01000: the organization does not offer allowed_ips, which are taken to be none%DETAIL:  not found in Sigma: '
	'%(GET /v3alpha/allowedIps?pageSize=1000: HTTP status 404%)%HINT:%on_missing%0', 'allowed addresses are none where there is no list of them');
SELECT is(count(ip)::int, 3, 'and are there where there is') FROM older.allowed_ips;
SELECT alike(told('SELECT count(*) FROM older.tenants'), '%WARNING:%0', 'tenants are none where they have not moved yet');
CREATE FOREIGN TABLE strict_datasets (dataset_id text) SERVER sim OPTIONS (resource 'datasets');
CREATE FOREIGN TABLE strict_sources (dataset_id text, inode_id text) SERVER sim OPTIONS (resource 'dataset_sources');
CREATE FOREIGN TABLE long_datasets (dataset_id text) SERVER sim OPTIONS (resource 'datasets', on_missing 'empty', rows '100000');
SELECT fails('ALTER FOREIGN TABLE strict_datasets OPTIONS (ADD on_missing ''ignore'')', '22023', NULL, NULL,
	'It must be "error" or "empty".', 'on_missing takes error and empty');
SELECT sigma_install_views('sim') \g /dev/null
CREATE TABLE retired (code int, state text, message text);
INSERT INTO retired VALUES (403, '42501', 'permission denied by Sigma%'), (404, 'P0002', 'not found in Sigma%'), (410, 'P0002', 'no longer offered by Sigma%');
CREATE FUNCTION retire(code int, path text DEFAULT '/v2/datasets*') RETURNS void LANGUAGE sql AS $$
	SELECT sim_calm();
	SELECT sim_fault(jsonb_build_object('path', path, 'times', -1, 'do', 'status', 'status', code));
$$;
CREATE FUNCTION regexp_count_of(t text, word text) RETURNS int LANGUAGE sql AS $$ SELECT array_length(regexp_split_to_array(t, word), 1) - 1 $$;
CREATE FUNCTION check_retired(r retired) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	PERFORM retire(r.code);
	RETURN NEXT fails('SELECT * FROM strict_datasets', r.state, r.message, '%HTTP status ' || r.code || '%', NULL,
		r.code || ': a table that is asked for itself fails');
	RETURN NEXT fails('SELECT * FROM strict_sources', r.state, r.message, NULL, NULL, r.code || ': so does one below it');
	FOREACH t IN ARRAY '{sim.datasets,sim.dataset_sources,sim.dataset_grants}'::text[] LOOP
		RETURN NEXT is(regexp_count_of(told(format('SELECT count(t) FROM %s t', t)), 'WARNING:'), 1, format('%s: %s has no rows and one WARNING', r.code, t));
		RETURN NEXT alike(told(format('SELECT count(t) FROM %s t', t)),
			'%WARNING:  01000: the organization does not offer datasets, which are taken to be none%' || E'\n0', '... that names datasets');
	END LOOP;
	RETURN NEXT alike(told('SELECT count(*) FROM sim.datasets'), '%WARNING:%' || E'\n0', r.code || ': they are counted so');
	PERFORM sim_call('DELETE', 'log');
	PERFORM told('SELECT count(*) FROM sim.datasets');
	RETURN NEXT is(sim_count(), 1, '... by one request');
	RETURN NEXT is((SELECT count(*)::int FROM long_datasets WHERE dataset_id = 'x'), 0, r.code || ': a look-up finds none');
	PERFORM retire(r.code, '/v2/reports*');
	RETURN NEXT alike(told('SELECT count(*) > 0 FROM sim.connection_use'), '%WARNING:%' || E'\nt', r.code || ': connection_use goes on without them');
	RETURN NEXT is(regexp_count_of(told('SELECT count(*) > 0 FROM sim.connection_use'), 'WARNING:'), 1, '... and says so once');
	RETURN NEXT alike(told('SELECT count(*) > 0 FROM sim.unused_connections'), '%WARNING:%' || E'\nt', r.code || ': so does unused_connections');
	RETURN NEXT is(regexp_count_of(told('SELECT count(*) > 0 FROM sim.unused_connections'), 'WARNING:'), 1, '... once');
	PERFORM retire(r.code);
	RETURN NEXT results_eq(format('SELECT ok, detail LIKE ''not offered by this organization: %%HTTP status %s%%'' '
		'FROM sigma_check(''sim'') WHERE step IN (''resource datasets'', ''resource dataset_sources'')', r.code),
		'VALUES (true, true), (true, true)', r.code || ': sigma_check knows it from a fault');
	PERFORM sim_calm();
END
$$;
SELECT check_retired(r) FROM retired r;
SELECT retire(410, '/v2/reports/*') \g /dev/null
SELECT alike(told('SELECT count(*) > 0 FROM sim.connection_use'),
	'%WARNING:  01000: the organization does not offer report_lineage%' || E'\nt', 'a list of reports whose lineage is gone is no obstacle');
SELECT retire(403, '/v2/reports/*') \g /dev/null
SELECT fails('SELECT count(t) FROM sim.report_sources t', '42501', NULL, NULL, NULL,
	'below a report that is there, a 403 is of that one, and no matter of what is offered');
SELECT retire(403, '/v2/user-attributes/*') \g /dev/null
SELECT alike(told('SELECT count(t) FROM sim.user_attribute_tenants t'), '%WARNING:  01000: the organization does not offer user_attribute_tenants%' || E'\n0',
	'unless it is that list which needs an entitlement');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/datasets*", "times": -1, "do": "status", "status": 404, "html": true}') \g /dev/null
SELECT is((catch('SELECT * FROM sim.datasets')).state, 'HV000', 'a proxy''s 404 does not retire a list');
SELECT retire(500) \g /dev/null
ALTER SERVER sim OPTIONS (ADD max_retries '0');
SELECT is((catch('SELECT * FROM sim.datasets')).state, '58000', 'nor does a failure');
SELECT is((SELECT ok FROM sigma_check('sim') WHERE step = 'resource datasets'), false, '... which sigma_check tells as a fault');
ALTER SERVER sim OPTIONS (DROP max_retries);
SELECT retire(404, '/v2.1/teams') \g /dev/null
SELECT is((SELECT ok FROM sigma_check('sim') WHERE step = 'resource teams'), false, 'what every organization has is a fault if it is not there');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------- what is archived or has nothing

SELECT workbook_id AS workbook FROM sim.workbooks ORDER BY 1 LIMIT 1 \gset
SELECT count(*) AS others FROM sim.workbook_pages WHERE workbook_id <> :'workbook' \gset
CREATE TABLE gone (code int, body jsonb);
INSERT INTO gone VALUES (409, '{"requestId": "r", "code": "inode_archived", "message": "it is archived"}'),
	(400, '{"requestId": "r", "code": "inode_archived", "message": "it is archived"}'),
	(404, '{"requestId": "r", "code": "not_found", "message": "it is gone"}');
CREATE FUNCTION check_gone(g gone, workbook text, others int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_calm();
	PERFORM sim_fault(jsonb_build_object('path', format('/v2/workbooks/%s/pages', workbook), 'times', -1, 'do', 'body', 'status', g.code, 'body', g.body));
	RETURN NEXT is((SELECT count(*)::int FROM sim.workbook_pages), others, g.code || ': a document that is archived or gone has no rows');
	RETURN NEXT matches(plan_of('SELECT * FROM sim.workbook_pages', 'ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF'),
		'Retries: 0\n.*Lists Not There: 1\n', '... which EXPLAIN ANALYZE counts');
	RETURN NEXT is((SELECT count(*)::int FROM sim.workbook_pages p WHERE p.workbook_id = workbook), 0, '... also if it is asked for itself');
	ALTER FOREIGN TABLE sim.workbook_pages OPTIONS (ADD on_error 'row');
	RETURN NEXT results_eq('SELECT workbook_id, _error ->> ''sqlstate'', _error ->> ''message'' FROM sim.workbook_pages WHERE _error IS NOT NULL',
		format('VALUES (%L, ''P0002'', %L)', workbook, 'nothing there in Sigma: ' || (g.body ->> 'message')), '... and with on_error a row says so');
	RETURN NEXT unalike(plan_of('SELECT * FROM sim.workbook_pages', 'ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF'),
		'%Failed Parents%', '... which is no failure');
	ALTER FOREIGN TABLE sim.workbook_pages OPTIONS (DROP on_error);
	PERFORM sim_calm();
END
$$;
SELECT check_gone(g, :'workbook', :others) FROM gone g;
CREATE FUNCTION state_at(code int, path text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM retire(code, path);
	RETURN (catch(statement)).state;
END
$$;
SELECT is(state_at(code, format('/v2/workbooks/%s/pages', :'workbook'), 'SELECT * FROM sim.workbook_pages'), state, code || ' without that code is an error')
FROM (VALUES (409, '23505'), (400, '22023'), (403, '42501')) v (code, state);
SELECT sim_calm() \g /dev/null
SELECT sigma_request('sim', 'GET', '/v2/workbooks', '{"isArchived": "true"}') #>> '{entries,0,workbookId}' AS archived \gset
SELECT is(count(*)::int, 0, 'an archived workbook has no pages') FROM sim.workbook_pages WHERE workbook_id = :'archived';
SELECT is((catch(format('SELECT sigma_request(''sim'', ''GET'', ''/v2/workbooks/%s/pages'')', :'archived'))).state, '23505',
	'... as the simulator says by 409');

-- a key that cannot be one may be refused as such
SELECT sim_fault('{"path": "/v2/connections/*", "times": -1, "do": "status", "status": 400}') \g /dev/null
SELECT is(count(*)::int, 0, 'a key that is no identifier has no row, whatever Sigma says of it') FROM sim.connections WHERE connection_id = 'no-uuid';
SELECT is(count(*)::int, 0, '... nor a list below it') FROM sim.connection_grants WHERE connection_id = 'no-uuid';
SELECT is((catch(format('SELECT * FROM sim.connections WHERE connection_id = %L', gen_random_uuid()))).state, '22023',
	'... but of one that may be, 400 is an error');
SELECT sim_calm() \g /dev/null

-- lineage
SELECT count(*) AS lineages FROM sim.workbook_lineage \gset
SELECT element_id AS element, workbook_id AS workbook FROM sim.workbook_lineage ORDER BY 2, 1 LIMIT 1 \gset
SELECT sim_fault(jsonb_build_object('path', format('/v2/workbooks/%s/lineage/elements/%s', :'workbook', :'element'), 'times', -1,
	'do', 'status', 'status', 500)) \g /dev/null
SELECT is(count(*)::int, :lineages - 1, 'an element without lineage is no row') FROM sim.workbook_lineage;
SELECT matches(plan_of('SELECT * FROM sim.workbook_lineage', 'ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF'),
	'Retries: 0\n.*Lists Not There: 1\n', '... is not asked for again, and is counted');
ALTER FOREIGN TABLE sim.workbook_lineage OPTIONS (ADD on_error 'row');
SELECT is(array_agg(_error ->> 'message'), '{nothing there in Sigma: The simulator was told to fail}',
	'... or a row that says so') FROM sim.workbook_lineage WHERE _error IS NOT NULL;
SELECT is(count(*)::int, 1, '... also by key') FROM sim.workbook_lineage WHERE workbook_id = :'workbook' AND element_id = :'element' AND _error IS NOT NULL;
ALTER FOREIGN TABLE sim.workbook_lineage OPTIONS (DROP on_error);
SELECT sim_calm() \g /dev/null
SELECT sim_fault(jsonb_build_object('path', format('/v2/workbooks/%s/lineage/elements/%s', :'workbook', :'element'), 'do',
	'status', 'status', 500, 'html', true)) \g /dev/null
SELECT matches(plan_of('SELECT * FROM sim.workbook_lineage', 'ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF'), 'Retries: 1\n',
	'a web page with 500 is a failure that passes');
SELECT is(count(*)::int, 0, 'an unknown element has none') FROM sim.workbook_lineage WHERE workbook_id = :'workbook' AND element_id = 'none';
SELECT sim_calm() \g /dev/null
-- none at all
SELECT sim_fault('{"path": "/v2.1/workbooks/*", "times": -1, "do": "status", "status": 404}') \g /dev/null
SELECT alike(told('SELECT count(*) FROM sim.workbook_schedules'),
	'%WARNING:  01000: Sigma has none of the 11 lists of workbook_schedules%' || E'\n0', 'if not one of the lists is there, a WARNING says so');
SELECT sim_calm() \g /dev/null

SELECT * FROM finish();

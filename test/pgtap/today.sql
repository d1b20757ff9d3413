-- What changed in the API in 2026: filters, paths, and what lists answer that
-- are retired, archived or empty.

\ir lib/simulator.sql
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

SELECT * FROM finish();

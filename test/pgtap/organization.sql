-- The organization as tables: each list of the API is one, with its parents'
-- keys, its filters, and what becomes of a parent that cannot be read.

\ir lib/simulator.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

-- ------------------------------------------------- what the simulator holds

\set content `cat ../simulator/organization.json`
CREATE TABLE entry AS
SELECT c.key AS collection, e,
	-- what lists leave out
	coalesce((e ->> 'isArchived')::boolean, false) OR coalesce((e ->> '_unshared')::boolean, false) AS archived
FROM jsonb_each(:'content'::jsonb) c, jsonb_array_elements(c.value) e;

-- entries that are not archived
CREATE FUNCTION all_of(of text) RETURNS bigint
LANGUAGE sql AS $$ SELECT count(*) FROM entry WHERE collection = of AND NOT archived $$;

-- entries below the parents that are not archived: "field" of the one is "key" of the other
CREATE FUNCTION below(of text, field text, parents text, key text) RETURNS bigint
LANGUAGE sql AS $$
	SELECT count(*) FROM entry c JOIN entry p ON p.collection = parents AND c.e ->> field = p.e ->> key
	WHERE c.collection = of AND NOT c.archived AND NOT p.archived
$$;

-- the same where the one names several of the other
CREATE FUNCTION among(of text, field text, parents text, key text) RETURNS bigint
LANGUAGE sql AS $$
	SELECT count(*) FROM entry c CROSS JOIN jsonb_array_elements_text(c.e -> field) f JOIN entry p ON p.collection = parents AND f = p.e ->> key
	WHERE c.collection = of AND NOT c.archived AND NOT p.archived
$$;

CREATE TABLE expected (resource text, rows bigint);
INSERT INTO expected VALUES
	('connections', all_of('connections')),
	('connection_grants', below('grants', 'inodeId', 'connections', 'connectionId')),
	('connection_paths', all_of('connectionPaths')),
	('connection_path_grants', below('grants', 'inodeId', 'connectionPaths', 'urlId')),
	('connection_table_columns', below('tableColumns', '_tableId', 'connectionPaths', 'urlId')),
	('members', all_of('members')),
	('teams', all_of('teams')),
	('member_teams', among('teams', '_members', 'members', 'memberId')),
	('team_members', below('teamMembers', '_teamId', 'teams', 'teamId')),
	('user_attributes', all_of('userAttributes')),
	('user_attribute_teams', all_of('attributeTeams')),
	('user_attribute_users', all_of('attributeUsers')),
	('user_attribute_tenants', all_of('attributeTenants')),
	('team_user_attributes', below('teamAttributes', '_teamId', 'teams', 'teamId')),
	('account_types', all_of('accountTypes')),
	('account_type_permissions', all_of('accountTypePermissions')),
	('member_schedules', all_of('memberSchedules')),
	('allowed_ips', all_of('allowedIps')),
	('tenants', all_of('tenants')),
	('deployable_tenants', all_of('deployableTenants')),
	('tenant_deployment_capabilities', all_of('tenantCapabilities')),
	('deployment_policies', all_of('deploymentPolicies')),
	('deployment_policy_files', all_of('deploymentPolicyFiles')),
	('deployment_policy_tenants', all_of('deploymentPolicyTenants')),
	('source_swap_policies', all_of('swapPolicies')),
	('saml_service_providers', all_of('samlProviders')),
	('saml_certificates', all_of('samlCertificates')),
	('api_connectors', all_of('apiConnectors')),
	('api_credentials', all_of('apiCredentials')),
	('plugins', all_of('plugins')),
	('credentials', all_of('credentials')),
	('organization_settings', all_of('settings')),
	('workspaces', all_of('workspaces')),
	('workspace_grants', below('grants', 'inodeId', 'workspaces', 'workspaceId')),
	('files', all_of('files')),
	('member_files', among('files', '_members', 'members', 'memberId')),
	('member_favorites', among('files', '_favoriteOf', 'members', 'memberId')),
	('favorites', among('files', '_favoriteOf', 'members', 'memberId')),
	('member_recents', among('files', '_recentOf', 'members', 'memberId')),
	('grants', all_of('grants')),
	('datasets', all_of('datasets')),
	('dataset_sources', all_of('datasetSources')),
	('dataset_grants', below('grants', 'inodeId', 'datasets', 'datasetId')),
	('dataset_materializations', all_of('datasetMaterializations')),
	('data_models', all_of('dataModels')),
	('data_model_elements', below('dataModelElements', '_dataModelId', 'dataModels', 'dataModelId')),
	('data_model_columns', below('dataModelColumns', '_dataModelId', 'dataModels', 'dataModelId')),
	('data_model_lineage', below('dataModelLineage', '_dataModelId', 'dataModels', 'dataModelId')),
	('data_model_sources', all_of('dataModelSources')),
	('data_model_specs', below('dataModelSpecs', '_dataModelId', 'dataModels', 'dataModelId')),
	('data_model_tags', below('dataModelTags', '_dataModelId', 'dataModels', 'dataModelId')),
	('data_model_materialization_schedules', all_of('dataModelSchedules')),
	('templates', all_of('templates')),
	('shared_templates', all_of('sharedTemplates')),
	('translations', all_of('translations')),
	('workbooks', all_of('workbooks')),
	('workbook_pages', below('pages', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_elements', below('elements', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_element_columns', below('elementColumns', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_queries', below('queries', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_lineage', below('lineage', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_lineage_nodes', below('workbookLineage', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_sources', below('workbookSources', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_controls', below('controls', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_bookmarks', below('bookmarks', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_specs', below('workbookSpecs', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_tags', below('workbookTags', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_tag_bookmarks', below('tagBookmarks', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_version_history', below('versions', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_schedules', below('schedules', 'workbookId', 'workbooks', 'workbookId')),
	('workbook_materialization_schedules', below('materializationSchedules', '_workbookId', 'workbooks', 'workbookId')),
	('workbook_embeds', below('embeds', '_workbookId', 'workbooks', 'workbookId')),
	('tags', all_of('tags')),
	('tag_workbooks', among('workbooks', '_tags', 'tags', 'versionTagId')),
	('reports', all_of('reports')),
	('report_pages', below('reportPages', '_reportId', 'reports', 'reportId')),
	('report_elements', below('reportElements', '_reportId', 'reports', 'reportId')),
	('report_columns', below('reportColumns', '_reportId', 'reports', 'reportId')),
	('report_queries', below('reportQueries', '_reportId', 'reports', 'reportId')),
	('report_lineage', below('reportLineage', '_reportId', 'reports', 'reportId')),
	('report_sources', below('reportSources', '_reportId', 'reports', 'reportId')),
	('report_controls', below('reportControls', '_reportId', 'reports', 'reportId')),
	('report_specs', below('reportSpecs', '_reportId', 'reports', 'reportId')),
	('report_tags', below('reportTags', '_reportId', 'reports', 'reportId')),
	('report_version_history', below('reportVersions', '_reportId', 'reports', 'reportId')),
	('report_schedules', below('reportSchedules', 'reportId', 'reports', 'reportId'));

-- ----------------------------------------------------------------- import

CREATE FUNCTION tables_of(in_schema name) RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(relname::text ORDER BY relname COLLATE "C"), '{}') FROM pg_class
	WHERE relnamespace = in_schema::regnamespace AND relkind = 'f'
$$;

SELECT is(tables_of('sim'), (SELECT array_agg(resource ORDER BY resource COLLATE "C") FROM expected), 'IMPORT FOREIGN SCHEMA makes a table of each list');
CREATE SCHEMA part;
CREATE SCHEMA spare;
IMPORT FOREIGN SCHEMA anything LIMIT TO (members, teams, team_members) FROM SERVER sim INTO part;
SELECT is(tables_of('part'), '{members,team_members,teams}', 'LIMIT TO');
SELECT is((SELECT array_agg(line) FROM regexp_split_to_table(psql('IMPORT FOREIGN SCHEMA anything LIMIT TO (conections, "Members", sheep) FROM SERVER sim INTO part;
	IMPORT FOREIGN SCHEMA anything EXCEPT (member, members, teams, team_members, tag) FROM SERVER sim INTO spare'), E'\n') line WHERE line ~ '^(NOTICE|HINT|ERROR)'),
	ARRAY['NOTICE:  00000: there is no table "conections" to import', 'HINT:  Perhaps you meant "connections".',
		'NOTICE:  00000: there is no table "Members" to import', 'HINT:  Perhaps you meant "members".', 'NOTICE:  00000: there is no table "sheep" to import',
		'NOTICE:  00000: there is no table "member" to import', 'HINT:  Perhaps you meant "members".',
		'NOTICE:  00000: there is no table "tag" to import', 'HINT:  Perhaps you meant "tags".'], 'a name that is none is told, with the one that was meant');
DROP SCHEMA spare CASCADE;
SELECT is(requests_of('IMPORT FOREIGN SCHEMA anything EXCEPT (members, teams, team_members) FROM SERVER sim INTO part'), '{}', 'no import asks Sigma');
SELECT is(tables_of('part'), tables_of('sim'), 'EXCEPT those that are there adds the others, as after an upgrade');
SELECT is((SELECT count(*) FROM information_schema.columns a WHERE table_schema = 'part'),
	(SELECT count(*) FROM information_schema.columns WHERE table_schema = 'sim'), 'with the same columns');
SELECT fails('IMPORT FOREIGN SCHEMA anything LIMIT TO (members) FROM SERVER sim INTO part', '42P07', NULL, NULL, NULL, 'a table that is there is not replaced');
DROP SCHEMA part CASCADE;

-- all columns are wanted, so that each is converted
CREATE FUNCTION rows_of(table_name text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT t.* FROM %s t OFFSET 0) r WHERE r IS NOT NULL OR r::text <> ''''', table_name) INTO n;
	RETURN n;
END
$$;
-- what stands only where it stood in 2025
SELECT sim_start('older', '--api 2025-11') \g /dev/null
SELECT make_server('older', sim_url('older')) \g /dev/null
SELECT is(rows_of('older.' || resource), rows, resource || ' has all rows') FROM expected WHERE resource = 'allowed_ips';
SELECT is(rows_of('sim.' || resource), rows, resource || ' has all rows') FROM expected WHERE resource <> 'allowed_ips';
SELECT cmp_ok(min(rows), '>', 0::bigint, 'and none of them is empty') FROM expected;
SELECT is(array_agg(DISTINCT status), '{200}', 'no request failed') FROM sim_log();

-- Each column has a value in some row, so that the tests know what it is like.  Not those that nobody can see: what is only
-- written, why a parent could not be read, an error in the place of a file, and what Sigma sends only if it is asked to.
CREATE FUNCTION empty_columns(resource text, in_schema text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	counts text;
	empty text[];
BEGIN
	SELECT string_agg(format('CASE WHEN count(%1$I) = 0 THEN %1$L END', attname), ', ') INTO counts
	FROM pg_attribute WHERE attrelid = format('%I.%I', in_schema, resource)::regclass AND attnum > 0 AND attname <> '_error'
		AND (resource, attname) NOT IN (('connections', 'details'), ('connections', 'description'),
			('connections', 'timeout_secs'), ('connections', 'use_friendly_names'),
			('workbooks', 'tagged_source_url_id'))
		AND NOT (resource IN ('files', 'member_files', 'member_favorites', 'favorites', 'member_recents') AND attname IN ('code', 'message', 'request_id'));
	EXECUTE format('SELECT array_remove(ARRAY[%s], NULL) FROM %I.%I', counts, in_schema, resource) INTO empty;
	RETURN empty;
END
$$;
SELECT is(empty_columns(resource, CASE resource WHEN 'allowed_ips' THEN 'older' ELSE 'sim' END), '{}',
	resource || ': each column has a value somewhere') FROM expected;

-- nothing that Sigma sends lacks a column, but for what is only in the parent's key
SELECT is(count(*), 0::bigint, 'attrs holds whole entries') FROM sim.workbooks WHERE attrs ->> 'workbookId' IS DISTINCT FROM workbook_id;

-- ------------------------------------------------------------------- keys

SELECT connection_id AS east FROM sim.connections WHERE name = 'Snowflake East' \gset
SELECT connection_id AS west FROM sim.connections WHERE name = 'Snowflake West' \gset
SELECT workbook_id AS workbook FROM sim.workbooks WHERE name = 'Pipeline Review' \gset
SELECT workbook_id AS other_workbook FROM sim.workbooks WHERE name = 'Churn' \gset
CREATE TABLE three AS SELECT connection_id, type FROM sim.connections WHERE type = 'snowflake';
ANALYZE three;

-- the requests in any order, without what all lists of pages have
CREATE FUNCTION asked(query text) RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(r ORDER BY r COLLATE "C"), '{}')
	FROM (SELECT regexp_replace(r, '(\?limit=1000$)|&limit=1000', '') FROM unnest(requests_of(query)) r) r (r)
$$;

SELECT is(asked(format('SELECT * FROM sim.connection_grants WHERE connection_id = %L', :'east')),
	ARRAY[format('GET /v2/connections/%s/grants', :'east')], 'a constant key is one request');
SELECT is(asked(format('SELECT * FROM sim.connection_grants WHERE connection_id = ANY (ARRAY[%L, %1$L, %L])', :'east', :'west')),
	ARRAY[format('GET /v2/connections/%s/grants', :'west'), format('GET /v2/connections/%s/grants', :'east')], '= ANY is one request for each key');
SELECT is(asked(format('SELECT * FROM sim.connection_grants WHERE connection_id IN (%L, %L)', :'east', :'west')),
	ARRAY[format('GET /v2/connections/%s/grants', :'west'), format('GET /v2/connections/%s/grants', :'east')], 'so is IN');
SELECT is(asked('SELECT g.* FROM three JOIN sim.connection_grants g USING (connection_id)'),
	(SELECT array_agg(format('GET /v2/connections/%s/grants', connection_id) ORDER BY connection_id COLLATE "C") FROM three),
		'a join is one for each outer row');
SELECT is(asked('SELECT t.*, (SELECT count(*) FROM sim.connection_grants g WHERE g.connection_id = t.connection_id) FROM three t'),
	(SELECT array_agg(format('GET /v2/connections/%s/grants', connection_id) ORDER BY connection_id COLLATE "C") FROM three), 'so is a subselect');
SELECT is(asked('SELECT * FROM sim.connection_grants WHERE connection_id = NULL'), '{}', 'no key equals NULL');
SELECT is(asked('SELECT * FROM sim.connection_grants WHERE connection_id = ANY (''{}''::text[])'), '{}', 'nor anything in an empty array');
SELECT is((SELECT count(*)::int FROM sim.connection_grants WHERE connection_id = 'no such thing'), 0, 'a key that Sigma does not know has no rows');
SELECT is(asked(format('SELECT * FROM sim.connection_grants WHERE connection_id = %L AND team_id IS NULL', :'east')),
	ARRAY[format('GET /v2/connections/%s/grants', :'east')], 'other conditions stay here');
SELECT results_eq(format('SELECT grant_id FROM sim.connection_grants WHERE connection_id = %L ORDER BY 1', :'east'),
	format('SELECT grant_id FROM sim.connection_grants WHERE connection_id || '''' = %L ORDER BY 1', :'east'), 'a key changes how rows are found, not which');

PREPARE keyed(text) AS SELECT count(*) FROM sim.connection_grants WHERE connection_id = $1;
SET plan_cache_mode = force_generic_plan;
SELECT is(asked(format('EXECUTE keyed(%L)', :'east')), ARRAY[format('GET /v2/connections/%s/grants', :'east')], 'a parameter is a key too');
SELECT is(asked(format('EXECUTE keyed(%L)', :'west')), ARRAY[format('GET /v2/connections/%s/grants', :'west')], 'with another value the next time');
RESET plan_cache_mode;

SELECT is(asked('SELECT * FROM sim.connections c JOIN sim.connection_grants g USING (connection_id) WHERE c.type = ''snowflake'''),
	ARRAY['GET /v2/connections'] || (SELECT array_agg(format('GET /v2/connections/%s/grants', connection_id) ORDER BY connection_id COLLATE "C") FROM three),
	'grants of the snowflake connections: only these are asked for');

SELECT is(asked('SELECT * FROM sim.connection_grants'),
	ARRAY['GET /v2/connections'] || (SELECT array_agg(format('GET /v2/connections/%s/grants', connection_id)
		ORDER BY connection_id COLLATE "C") FROM sim.connections),
	'without a key the parents are walked');
SELECT cmp_ok(count_of('SELECT * FROM sim.connection_grants LIMIT 1'), '<', 8, 'LIMIT ends the walk early');
SELECT cmp_ok(count_of('SELECT 1 WHERE EXISTS (SELECT FROM sim.team_members)'), '<', 7, 'so does EXISTS');

-- two levels
SELECT array_agg(page_id ORDER BY page_id COLLATE "C") AS pages, count(*) AS n, min(page_id) AS page FROM sim.workbook_pages
	WHERE workbook_id = :'workbook' \gset
SELECT cmp_ok(:n, '>', 1, 'the workbook has several pages');
SELECT is(asked(format('SELECT * FROM sim.workbook_elements WHERE workbook_id = %L AND page_id = %L', :'workbook', :'page')),
	ARRAY[format('GET /v2/workbooks/%s/pages/%s/elements', :'workbook', :'page')], 'both keys: one request');
SELECT is(asked(format('SELECT * FROM sim.workbook_elements WHERE workbook_id = %L', :'workbook')),
	ARRAY[format('GET /v2/workbooks/%s/pages', :'workbook')]
		|| (SELECT array_agg(format('GET /v2/workbooks/%s/pages/%s/elements', :'workbook', p)) FROM unnest(:'pages'::text[]) p),
	'the outer key: the pages of that workbook, and their elements');
SELECT is((SELECT array_agg(r) FROM unnest(asked(format('SELECT * FROM sim.workbook_elements WHERE page_id = %L', :'page'))) r WHERE r LIKE '%elements'),
	ARRAY[format('GET /v2/workbooks/%s/pages/%s/elements', :'workbook', :'page')], 'the inner key alone: elements of that page only');
SELECT is((SELECT count(*)::int FROM sim.workbook_elements WHERE page_id = :'page'),
	(SELECT count(*)::int FROM sim.workbook_elements WHERE workbook_id = :'workbook' AND page_id || '' = :'page'), 'and the same rows');
SELECT is((SELECT count(*)::int
	FROM unnest(asked(format('SELECT * FROM sim.workbook_elements WHERE workbook_id = ANY (ARRAY[%L, %L])', :'workbook',
	:'other_workbook'))) r WHERE r LIKE '%/pages'),
	2, 'several outer keys');
SELECT is((SELECT count(*)::int
	FROM unnest(asked(format('SELECT * FROM sim.workbook_tag_bookmarks WHERE workbook_id = %L', :'workbook'))) r
	WHERE r NOT LIKE format('GET /v2/workbooks/%s/%%', :'workbook')),
	0, 'of a key and a name, too');
SELECT is(count(*), 0::bigint, 'the keys are those of the row''s own parents')
FROM sim.workbook_elements e WHERE NOT EXISTS (SELECT FROM entry WHERE collection = 'elements'
	AND entry.e ->> 'elementId' = e.element_id AND entry.e ->> '_pageId' = e.page_id);

-- not more at once than allowed
SELECT sim_start('slow', '--latency 20') \g /dev/null
SELECT make_server('slow', sim_url('slow'), 'max_concurrency ''3''') \g /dev/null
SELECT is(rows_of('slow.workbook_elements'), (SELECT rows FROM expected WHERE resource = 'workbook_elements'), 'all rows, with max_concurrency 3');
SELECT is(sim_stats('slow') ->> 'max_concurrent', '3', 'which is used, and never passed');
ALTER SERVER slow OPTIONS (SET max_concurrency '1');
SELECT sim_reset('slow') \g /dev/null
SELECT is(rows_of('slow.connection_grants'), (SELECT rows FROM expected WHERE resource = 'connection_grants'), 'all rows, with max_concurrency 1');
SELECT is(sim_stats('slow') ->> 'max_concurrent', '1', 'one after the other');
SELECT sim_stop('slow') \g /dev/null

-- --------------------------------------------------------------- on_error

SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/connections/%s/grants', :'east'), 'times', -1, 'do',
	'status', 'status', 403)) \g /dev/null
SELECT count(*) AS good FROM entry WHERE collection = 'grants' AND e ->> 'inodeId' IN ('@connection:0', '@connection:3', '@connection:7', '@connection:8') \gset
SELECT fails('SELECT * FROM sim.connection_grants', '42501', NULL, '%GET /v2/connections/%/grants%403%', NULL,
	'on_error fail: one parent that fails is an error');
SELECT is((SELECT array_agg(DISTINCT _error) FROM sim.connection_grants WHERE connection_id = :'west'), NULL, 'a parent that is not asked for does not matter');
ALTER FOREIGN TABLE sim.connection_grants OPTIONS (ADD on_error 'row');
SELECT is(count(*), :good + 1::bigint, 'on_error row: all others, and a row') FROM sim.connection_grants;
SELECT results_eq('SELECT connection_id, _error ->> ''sqlstate'', grant_id, attrs::text, permission FROM sim.connection_grants WHERE _error IS NOT NULL',
	format('VALUES (%L, ''42501'', NULL::text, NULL::text, NULL::text)', :'east'), 'with its key and the SQLSTATE, else empty');
SELECT matches(_error ->> 'message', '.', 'and a message') FROM sim.connection_grants WHERE _error IS NOT NULL;
SELECT is(count(*), 1::bigint, 'so it is with a key') FROM sim.connection_grants WHERE connection_id = :'east' AND _error IS NOT NULL;
SELECT is(count(*), 0::bigint, 'a condition on the row''s columns drops it') FROM sim.connection_grants WHERE connection_id = :'east' AND permission = 'usage';

SELECT matches(plan_of('SELECT * FROM sim.connection_grants', 'ANALYZE'), 'Failed Parents: 1\M', 'EXPLAIN ANALYZE counts it');
SELECT is(plan_of('SELECT * FROM sim.workbook_pages', 'ANALYZE') ~ 'Failed Parents', false, 'and says nothing if there is none');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections", "times": -1, "do": "status", "status": 403}') \g /dev/null
SELECT fails('SELECT * FROM sim.connection_grants', '42501', NULL, NULL, NULL, 'without a list of parents there is nothing to make rows of');
SELECT sim_calm() \g /dev/null

-- with two levels, a failure may come at each
ALTER FOREIGN TABLE sim.workbook_elements OPTIONS (ADD on_error 'row');
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/pages', :'other_workbook'), 'times', -1,
	'do', 'status', 'status', 403)) \g /dev/null
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/pages/%s/elements', :'workbook', :'page'),
	'times', -1, 'do', 'status', 'status', 404)) \g /dev/null
SELECT results_eq('SELECT workbook_id, page_id, _error ->> ''sqlstate'' FROM sim.workbook_elements WHERE _error IS NOT NULL ORDER BY 3',
	format('VALUES (%L, NULL, ''42501''), (%L, %L, ''P0002'')', :'other_workbook', :'workbook', :'page'),
		'a row with the keys that are known, at either level');
SELECT matches(plan_of('SELECT * FROM sim.workbook_elements', 'ANALYZE'), 'Failed Parents: 1\n.*Lists Not There: 1\n', 'both are counted, as what they are');
SELECT is((SELECT count(page_id) FROM sim.workbook_elements WHERE _error IS NULL),
	(SELECT count(*) FROM entry c JOIN entry p ON p.collection = 'workbooks' AND p.e ->> 'workbookId' = c.e ->> '_workbookId' AND NOT p.archived
		WHERE c.collection = 'elements' AND p.e ->> 'name' <> 'Churn' AND c.e ->> '_pageId' <> :'page'), 'and the rest is there');
SELECT sim_calm() \g /dev/null

-- what is no list at all is no matter of the parent
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/connections/%s/grants', :'east'), 'times', -1, 'do',
	'body', 'body', 'gibberish')) \g /dev/null
SELECT fails('SELECT * FROM sim.connection_grants', 'HV000', NULL, NULL, NULL, 'a reply that is no list is an error all the same');
SELECT sim_calm() \g /dev/null
ALTER FOREIGN TABLE sim.connection_grants OPTIONS (DROP on_error);
SELECT fails('ALTER FOREIGN TABLE sim.connection_grants OPTIONS (ADD on_error ''ignore'')', '22023', NULL, NULL, NULL, 'on_error takes fail and row');

-- ---------------------------------------------------------------- filters

CREATE TABLE filter (resource text, col text, parameter text);
INSERT INTO filter VALUES
	('connections', 'name', 'search'), ('connection_paths', 'connection_id', 'connectionId'), ('members', 'email', 'email'),
	('teams', 'name', 'name'), ('teams', 'visibility', 'visibility'), ('user_attributes', 'name', 'name'),
	('tenants', 'tenant_organization_slug', 'search'), ('workspaces', 'name', 'exactName'), ('files', 'parent_id', 'parentId'),
	('files', 'type', 'typeFilters'), ('files', 'name', 'name'), ('member_files', 'parent_id', 'parentId'),
	('member_files', 'type', 'typeFilters'), ('member_files', 'name', 'name'), ('grants', 'inode_id', 'inodeId'),
	('grants', 'member_id', 'userId'), ('grants', 'team_id', 'teamId'), ('templates', 'name', 'search'),
	('api_connectors', 'name', 'name'), ('api_credentials', 'name', 'name');
SELECT make_server('plain', sim_url(), 'push_filters ''false''') \g /dev/null

-- for each value of the column: what is asked, and whether the rows are those that come without the filter
CREATE FUNCTION check_filter(f filter) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	value text;
	condition text;
	here text;
	there text;
	n int := 0;
	wrong text := '';
	plan text;
BEGIN
	FOR value IN EXECUTE format('SELECT DISTINCT %I FROM plain.%I WHERE %1$I IS NOT NULL ORDER BY 1 LIMIT 6', f.col, f.resource) LOOP
		n := n + 1;
		condition := format('WHERE %I = %L', f.col, value);
		PERFORM sim_call('DELETE', 'log');
		EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text) FROM sim.%I t %s', f.resource, condition) INTO here;
		IF f.col <> 'type' OR value IN ('folder', 'workbook', 'dataset', 'data-model', 'report') THEN
			IF EXISTS (SELECT FROM sim_log() WHERE path !~ '^/v2.1/members$' AND query !~ ('(^|&)' || f.parameter || '=')) THEN
				wrong := wrong || format(' %s is not asked for;', value);
			END IF;
			plan := plan_of(format('SELECT * FROM sim.%I %s', f.resource, condition));
			IF plan !~ ('Remote Request: GET .*[?&]' || f.parameter || '=') THEN
				wrong := wrong || format(' %s is not shown: %s;', value, plan);
			END IF;
		END IF;
		PERFORM sim_call('DELETE', 'log');
		EXECUTE format('SELECT string_agg(t::text, E''\n'' ORDER BY t::text) FROM plain.%I t %s', f.resource, condition) INTO there;
		IF EXISTS (SELECT FROM sim_log() WHERE query ~ ('(^|&)' || f.parameter || '=')) THEN
			wrong := wrong || format(' %s is asked for with push_filters false;', value);
		END IF;
		IF here IS DISTINCT FROM there OR here IS NULL THEN
			wrong := wrong || format(' %s has other rows;', value);
		END IF;
	END LOOP;
	RETURN NEXT ok(n > 0 AND wrong = '', format('%s: %s is sent as %s, and changes no row', f.resource, f.col, f.parameter));
	IF wrong <> '' THEN
		RETURN NEXT diag(wrong);
	END IF;
END
$$;
SELECT check_filter(f) FROM filter f;
SELECT is(asked('SELECT * FROM sim.teams WHERE visibility = ''secret'''), '{GET /v2.1/teams}', 'a value that the API would refuse is not sent');
SELECT is(asked('SELECT * FROM sim.grants WHERE member_id = ''a'' AND team_id = ''b'''), '{GET /v2/grants?userId=a}', 'grants take one filter at a time');
SELECT is(asked('SELECT * FROM sim.connections WHERE name LIKE ''Snow%'''), '{GET /v2/connections}', 'only equality is sent');
SELECT is(asked('SELECT * FROM sim.connections WHERE name = NULL'), '{}', 'nothing equals NULL');
SELECT is(asked('SELECT * FROM sim.connections WHERE name = ''a&limit=1#?'''), '{GET /v2/connections?search=a%26limit%3D1%23%3F}', 'values are encoded');
SELECT is((SELECT count(*)::int FROM sim.connections WHERE name = 'snowflake east'), 0, 'a search that finds too much is checked again here');
\if :icu
SELECT is((SELECT count(*)::int FROM sim.connections WHERE name = 'snowflake EAST' COLLATE nocase), 1, 'equality by another rule stays here');
SELECT is(asked('SELECT * FROM sim.connections WHERE name = ''x'' COLLATE nocase'), '{GET /v2/connections}', 'and is not sent');
\else
SELECT skip('no ICU', 2);
\endif

SELECT * FROM finish();

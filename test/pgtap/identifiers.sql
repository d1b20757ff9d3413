-- Identifiers: however Sigma spells them, columns show one spelling, joins and
-- conditions find what belongs together, and no row depends on the plan.

\ir lib/simulator.sql
SELECT * FROM no_plan();

CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma FROM SERVER sim INTO sigma;

-- how the simulator spells: in base 62 in grants (as it begins), nowhere, everywhere; or UUIDs in upper case
CREATE TABLE mode (ids text);
INSERT INTO mode VALUES ('grants'), ('uuid'), ('url'), ('upper');
CREATE FUNCTION spell(ids text) RETURNS boolean LANGUAGE sql AS $$ SELECT sim_config(jsonb_build_object('ids', ids)) IS NULL $$;

-- the base-62 spelling of a UUID
CREATE FUNCTION url_id(id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rest numeric := 0;
	spelled text := '';
BEGIN
	FOR i IN 1 .. 32 LOOP
		rest := rest * 16 + strpos('0123456789abcdef', substr(replace(id, '-', ''), i, 1)) - 1;
	END LOOP;
	FOR i IN 1 .. 22 LOOP
		spelled := substr('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', (rest % 62)::int + 1, 1) || spelled;
		rest := div(rest, 62);
	END LOOP;
	RETURN spelled;
END
$$;
SELECT is(sigma_inode_id(url_id('8891fd40-5470-4ff2-a74f-6e61ee44d3fc')), '8891fd40-5470-4ff2-a74f-6e61ee44d3fc', 'the two spellings of one identifier');
SELECT is(sigma_inode_id(url_id('0000fd40-5470-4ff2-a74f-6e61ee44d3fc')), '0000fd40-5470-4ff2-a74f-6e61ee44d3fc', 'with zeros before it');

SELECT connection_id AS east FROM sigma.connections WHERE name = 'Snowflake East' \gset
SELECT workbook_id AS workbook FROM sigma.workbooks WHERE name = 'Pipeline Review' \gset

-- ------------------------------------------------------------ what is shown

-- the simulator does spell as it is told to
CREATE FUNCTION raw(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE query INTO r; RETURN r; END $$;
CREATE TABLE sent AS
SELECT ids, spell(ids),
	raw(format('SELECT attrs ->> ''inodeId'' FROM sigma.connection_grants WHERE connection_id = %L', :'east')) AS inode_id,
	raw('SELECT attrs ->> ''connectionId'' FROM sigma.connections WHERE name = ''Snowflake East''') AS connection_id
FROM mode;
SELECT is(inode_id, CASE WHEN ids IN ('grants', 'url') THEN url_id(:'east') WHEN ids = 'upper' THEN upper(:'east')
	ELSE :'east' END, ids || ': attrs keeps how a grant came')
FROM sent;
SELECT is(connection_id, CASE WHEN ids = 'url' THEN url_id(:'east') WHEN ids = 'upper' THEN upper(:'east') ELSE :'east' END, ids || ': and a connection')
FROM sent;

-- all columns but those that show JSON, of all rows
CREATE FUNCTION shown(resource text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	columns text;
	rows text;
BEGIN
	SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
	FROM pg_attribute WHERE attrelid = format('sigma.%I', resource)::regclass AND attnum > 0 AND NOT attisdropped AND atttypid <> 'jsonb'::regtype;
	EXECUTE format('SELECT string_agg(r::text, E''\n'' ORDER BY r::text COLLATE "C") FROM (SELECT %s FROM sigma.%I) r', columns, resource) INTO rows;
	RETURN rows;
END
$$;
CREATE TABLE table_shown (ids text, resource text, rows text);
CREATE FUNCTION look(mode text) RETURNS void LANGUAGE sql AS $$
	SELECT spell(mode);
	INSERT INTO table_shown SELECT mode, relname, shown(relname) FROM pg_class WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'f'
		-- of an older organization only
		AND relname <> 'allowed_ips';
$$;
SELECT look(ids) FROM mode \g /dev/null
SELECT is(o.rows, u.rows, format('%s: %s shows the same as with UUIDs', o.ids, o.resource))
FROM table_shown o JOIN table_shown u USING (resource) WHERE u.ids = 'uuid' AND o.ids <> 'uuid';
SELECT cmp_ok(length(rows), '>', 0, resource || ' has rows') FROM table_shown WHERE ids = 'uuid' AND resource <> 'shared_templates';

-- ---------------------------------------------- no row depends on the plan

-- rows of a table whose column is the value, asked for by key, and found in all lists
CREATE FUNCTION found(resource text, col text, value text, by_key boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows text;
BEGIN
	EXECUTE format('SELECT string_agg((to_jsonb(r) - ''attrs'')::text, E''\n'' '
		'ORDER BY (to_jsonb(r) - ''attrs'')::text COLLATE "C") FROM sigma.%I r WHERE r.%I %s = %L',
		resource, col, CASE WHEN by_key THEN '' ELSE '|| ''''' END, value) INTO rows;
	RETURN rows;
END
$$;
-- each column that a query can give a key by, and a value that it has
CREATE TABLE key AS
SELECT resource, col, raw(format('SELECT max(%I) FROM sigma.%I', col, resource)) AS value
FROM (VALUES ('connections', 'connection_id'), ('connection_grants', 'connection_id'), ('connection_paths', 'connection_id'),
	('connection_path_grants', 'connection_path_id'),
	('connection_table_columns', 'table_id'), ('members', 'member_id'), ('team_members', 'team_id'), ('user_attribute_teams', 'user_attribute_id'),
	('account_type_permissions', 'account_type_id'), ('workspaces', 'workspace_id'), ('workspace_grants', 'workspace_id'), ('files', 'parent_id'),
	('member_teams', 'member_id'), ('grants', 'grant_id'), ('grants', 'inode_id'), ('grants', 'team_id'),
		('datasets', 'dataset_id'), ('dataset_grants', 'dataset_id'),
	('dataset_sources', 'dataset_id'), ('data_models', 'data_model_id'), ('data_model_sources', 'data_model_id'),
		('templates', 'template_id'), ('workbooks', 'workbook_id'),
	('workbook_pages', 'workbook_id'), ('workbook_elements', 'workbook_id'), ('workbook_elements', 'page_id'), ('workbook_element_columns', 'element_id'),
	('workbook_sources', 'workbook_id'), ('workbook_tag_bookmarks', 'tag_name'), ('tag_workbooks', 'version_tag_id')) k (resource, col);
CREATE FUNCTION check_key(k key, ids text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	plain text := found(k.resource, k.col, k.value, true);
	-- members, teams and the like have no URL
	has_url boolean := k.value ~ '^[0-9a-f-]{36}$' AND k.col !~ '^(member|team|user|account|grant|version|page|element)_';
	wrong text := '';
	v text;
BEGIN
	FOREACH v IN ARRAY ARRAY[k.value, upper(k.value), k.value || ' ', CASE WHEN has_url THEN url_id(k.value) ELSE initcap(k.value) END] LOOP
		IF found(k.resource, k.col, v, true) IS DISTINCT FROM found(k.resource, k.col, v, false) THEN
			wrong := wrong || format(' of "%s" the plan decides;', v);
		END IF;
	END LOOP;
	RETURN NEXT ok(plain IS NOT NULL AND wrong = '', format('%s: %s.%s has the same rows by key and from the list', ids, k.resource, k.col));
	IF wrong <> '' THEN
		RETURN NEXT diag(wrong);
	END IF;
END
$$;
SELECT spell('grants') \g /dev/null
SELECT check_key(k, 'grants') FROM key k;
SELECT spell('url') \g /dev/null
SELECT check_key(k, 'url') FROM key k;
SELECT spell('upper') \g /dev/null
SELECT check_key(k, 'upper') FROM key k;
SELECT spell('grants') \g /dev/null

SELECT is((SELECT count(*) FROM sigma.connection_grants g JOIN sigma.connections c ON g.connection_id = upper(c.connection_id)),
	0::bigint, 'a key in another spelling than the one that is shown is another text');
SELECT is(requests_of(format('SELECT * FROM sigma.connection_grants WHERE connection_id = %L', upper(:'east'))), '{}', 'it is known without a request');
SELECT is(requests_of(format('SELECT * FROM sigma.connection_grants WHERE connection_id = ANY (%L)', ARRAY[upper(:'east'), :'east', url_id(:'east')])),
	ARRAY[format('GET /v2/connections/%s/grants?limit=1000', :'east')], 'of several, those that are shown are asked for');
SELECT is(requests_of(format('SELECT * FROM sigma.grants WHERE inode_id = %L', url_id(:'east'))), '{}', 'so it is for a filter');
SELECT matches(psql(format('EXPLAIN SELECT * FROM sigma.grants WHERE inode_id = %L', url_id(:'east'))), 'Remote Request: none', 'EXPLAIN says so');
SELECT matches(psql(format('EXPLAIN SELECT * FROM sigma.connection_grants WHERE connection_id = %L', upper(:'east'))), 'Remote Request: none', 'of keys, too');

-- ------------------------------------------- keys that the API writes otherwise

-- page_id of a workbook in upper case, where the column is of type uuid
CREATE FOREIGN TABLE element (workbook_id uuid, page_id uuid, element_id text, name text) SERVER sim OPTIONS (resource 'workbook_elements');
CREATE FOREIGN TABLE page (workbook_id uuid, page_id uuid, name text) SERVER sim OPTIONS (resource 'workbook_pages');
CREATE TABLE page_id AS SELECT '5cbd10f5-0f9e-4d36-9d30-a4a1f5f1abcd'::uuid AS id;
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/pages', :'workbook'), 'times', -1, 'do', 'body',
	'body', '{"entries": [{"pageId": "5CBD10F5-0F9E-4D36-9D30-A4A1F5F1ABCD", "name": "one"}, {"pageId": "K3jUTvYYdP", '
		'"name": "two"}], "nextPage": null}'::jsonb)) \g /dev/null
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/pages/*', :'workbook'), 'times', -1, 'do', 'body',
	'body', '{"entries": [{"elementId": "e", "name": "found"}], "nextPage": null}'::jsonb)) \g /dev/null
SELECT is(count(*), 1::bigint, 'a page by its uuid, looked up') FROM element WHERE workbook_id = :'workbook' AND page_id = (SELECT id FROM page_id);
SELECT is(count(*), 1::bigint, 'and found among the workbook''s') FROM element WHERE workbook_id::text = :'workbook'
	AND workbook_id || '' = :'workbook' AND page_id = '5cbd10f5-0f9e-4d36-9d30-a4a1f5f1abcd';
SELECT is(count(*), 1::bigint, 'as text it is shown as a uuid is')
FROM sigma.workbook_elements e JOIN sigma.workbook_pages p USING (workbook_id, page_id) WHERE workbook_id = :'workbook'
	AND page_id = '5cbd10f5-0f9e-4d36-9d30-a4a1f5f1abcd';
-- the other page's identifier has no other spelling
SELECT is((SELECT count(*) FROM sigma.workbook_elements WHERE workbook_id || '' = :'workbook' AND page_id = 'k3jutvyydp'),
	0::bigint, 'an identifier of another form is exact');
SELECT sim_calm() \g /dev/null

-- a name is no identifier: what the API takes for the same need not be what it is
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/tags/*', :'workbook'), 'times', -1, 'do', 'body',
	'body', '{"entries": [{"bookmarkId": "b", "name": "found"}], "nextPage": null}'::jsonb)) \g /dev/null
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/tags', :'workbook'), 'times', -1, 'do', 'body',
	'body', '{"entries": [{"versionTagId": "t", "name": "Production"}, {"versionTagId": "u", "name": "Test"}], "nextPage": null}'::jsonb)) \g /dev/null
SELECT is(count(*), 1::bigint, 'the bookmarks of a tag by its name') FROM sigma.workbook_tag_bookmarks
	WHERE workbook_id = :'workbook' AND tag_name = 'Production';
SELECT is(count(*), 0::bigint, 'not by a name that it does not have, though the API would take it')
	FROM sigma.workbook_tag_bookmarks WHERE workbook_id = :'workbook' AND tag_name = 'PRODUCTION';
SELECT is(requests_of(format('SELECT * FROM sigma.workbook_tag_bookmarks WHERE workbook_id = %L AND tag_name = ''Test''', :'workbook')),
	ARRAY[format('GET /v2/workbooks/%s/tags?limit=1000', :'workbook'), format('GET /v2/workbooks/%s/tags/Test/bookmarks?limit=1000', :'workbook')],
	'the workbook''s tags say how it is written, and only the one is read');
SELECT matches(psql(format('EXPLAIN SELECT * FROM sigma.workbook_tag_bookmarks WHERE workbook_id = %L AND tag_name = ''Test''', :'workbook')),
	'Remote Parent Requests:.*tags\?limit=1000', 'EXPLAIN shows that');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------ joins, and what is written

CREATE FUNCTION check_joins(ids text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM spell(ids);
	RETURN NEXT is((SELECT count(*) FROM sigma.workbooks w JOIN sigma.grants g ON g.inode_id = w.workbook_id), 22::bigint,
		ids || ': the permissions on each workbook');
	RETURN NEXT is((SELECT count(*) FROM sigma.connection_grants WHERE inode_id IS DISTINCT FROM connection_id), 0::bigint,
		ids || ': a grant is of its connection');
	RETURN NEXT is((SELECT count(*) FROM sigma.workbook_sources s LEFT JOIN sigma.connection_paths p ON p.url_id = s.inode_id
		WHERE s.type = 'table' AND p.url_id IS NULL), 0::bigint, ids || ': a source is a path');
	RETURN NEXT is((SELECT count(*) FROM sigma.data_model_sources s JOIN sigma.datasets d USING (dataset_id)), 1::bigint, ids || ': or a dataset');
	RETURN NEXT is((SELECT count(*) FROM sigma.files f JOIN sigma.workbooks w ON w.workbook_id = f.id), 11::bigint, ids || ': a file is its workbook');
	RETURN NEXT is((SELECT count(*) FROM sigma.files f JOIN sigma.workspaces w ON w.workspace_id = f.parent_id), 7::bigint, ids || ': and is in a workspace');
	RETURN NEXT is((SELECT l.inode_id FROM sigma.connections c CROSS JOIN sigma_lookup_path('sim', c.connection_id,
		'{SALES,PUBLIC,ORDERS}') l WHERE c.name = 'Snowflake East'),
		(SELECT url_id FROM sigma.connection_paths WHERE path = '["SALES", "PUBLIC", "ORDERS"]'), ids || ': what is looked up by path');
	RETURN NEXT is((SELECT count(DISTINCT table_name) FROM sigma.warehouse_tables), 10::bigint, ids || ': the ready views');
	RETURN NEXT is((SELECT count(*) FROM sigma.connection_use), 25::bigint, ids || ': all of them');
END
$$;
SELECT sigma_install_views('sigma') \g /dev/null
SELECT check_joins(ids) FROM mode;

-- changes, one after the other, in the one transaction and in the next
CREATE FUNCTION check_writes(ids text) RETURNS SETOF text LANGUAGE plpgsql AS $check$
DECLARE
	told text;
BEGIN
	PERFORM sim_reset();
	PERFORM spell(ids);
	told := psql($script$
		\set QUIET on
		BEGIN;
		INSERT INTO sigma.connections (name, details)
		VALUES ('made', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}') RETURNING connection_id AS id \gset
		SELECT 'one ' || count(*) FROM sigma.connections WHERE connection_id = :'id' AND name = 'made';
		UPDATE sigma.connections SET name = 'renamed' WHERE connection_id = :'id';
		UPDATE sigma.connections SET name = name || ' again' WHERE connection_id || '' = :'id';
		SELECT name FROM sigma.connections WHERE connection_id = :'id';
		INSERT INTO sigma.connection_grants (connection_id, permission, member_id) SELECT :'id', 'usage', member_id
		FROM sigma.members LIMIT 1 RETURNING 'granted ' || (connection_id = :'id' AND inode_id = :'id');
		COMMIT;
		SELECT name FROM sigma.connections WHERE connection_id = :'id';
		SELECT action || ' ' || (connection_id = :'id')
		FROM sigma_plan('sim', $$SELECT 'renamed again' AS name, 'postgres' AS type, '{"host": "h", "database": "d", "user": "u", "password": "p"}'::jsonb AS details$$) WHERE action <> 'archive';
		SELECT 'found ' || count(*) FROM sigma_find_created('sim', 'renamed again') f JOIN sigma.connections c USING (connection_id, created_by);
		DELETE FROM sigma.connection_grants WHERE connection_id = :'id' RETURNING 'revoked';
		DELETE FROM sigma.connections WHERE connection_id = :'id' RETURNING name;
		BEGIN;
		SELECT 'restored '
		|| (sigma_restore_connection('sim', :'id', NULL, '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}') ->> 'isArchived');
		ROLLBACK;
		SELECT 'left ' || count(*) FROM sigma.connections WHERE name = 'renamed again';
		BEGIN;
		INSERT INTO sigma.connections (name, details) VALUES ('gone', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}');
		DELETE FROM sigma.connections WHERE name = 'gone';
		COMMIT;
	$script$);
	RETURN NEXT is(told, E'one 1\nrenamed again\ngranted true\nrenamed again\nunchanged true\nfound 1\nrevoked\nrenamed '
		'again\nrestored false\nleft 0', ids || ': what is made is found by its id');
	RETURN NEXT is((SELECT count(*) FROM sim_log() WHERE status >= 400 OR status IS NULL), 0::bigint, ids || ': no request fails');
END
$check$;
SELECT check_writes(ids) FROM mode;

SELECT * FROM finish();

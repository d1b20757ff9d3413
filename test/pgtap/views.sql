-- Ready answers: the views of sigma_install_views(), the comments of
-- sigma_comment_tables(), and the statements of doc/recipes.sql.

\ir lib/simulator.sql
SELECT * FROM no_plan();

CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma FROM SERVER sim INTO sigma;
SELECT connection_id AS east FROM sigma.connections WHERE name = 'Snowflake East' \gset
SELECT connection_id AS west FROM sigma.connections WHERE name = 'Snowflake West' \gset

-- what a query asks for, without identifiers, and how often
CREATE FUNCTION kinds_of(query text) RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(kind || CASE WHEN n > 1 THEN ' x' || n ELSE '' END ORDER BY kind COLLATE "C"), '{}') FROM (
		SELECT kind, count(*) AS n FROM (
			SELECT regexp_replace(regexp_replace(r, '^GET |[?&](limit|pageSize|includeInactive)=\w+', '', 'g'), '[0-9a-f-]{36}',
				'ID', 'g') FROM unnest(requests_of(query)) r) r (kind)
		GROUP BY kind) k
$$;

-- --------------------------------------------------------- identifiers

SELECT is(sigma_inode_id('49HFLTr6xytgrPly3PFsNC'), '8891fd40-5470-4ff2-a74f-6e61ee44d3fc', 'a urlId is an inodeId');
SELECT is(sigma_inode_id('inode-1UGFyEQCHqwPfQoAec3xJ9'), '3ee61405-3be2-4000-ba72-60d36757b95b', 'and so is a node of a lineage');
SELECT is(sigma_inode_id('8891FD40-5470-4FF2-A74F-6E61EE44D3FC'), '8891fd40-5470-4ff2-a74f-6e61ee44d3fc', 'an inodeId is itself');
SELECT is(sigma_inode_id(id), id, format('"%s" is left as it is', id))
FROM unnest('{"",orders,49HFLTr6xytgrPly3PFsN_,CPbEdA26GNQ2cM2Ra2BeO0fa5Awz1,8891fd40-5470-4ff2-a74f-6e61ee44d3fg,'
	'8891fd40054700-4ff2-a74f-6e61ee44d3fc,inode-}'::text[]) id;
SELECT is(sigma_inode_id('7N42dgm5tFLK9N8MT7fHC7'), 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'the largest');
SELECT is(sigma_inode_id('7N42dgm5tFLK9N8MT7fHC8'), '7N42dgm5tFLK9N8MT7fHC8', 'and one more is none');
SELECT is(sigma_inode_id(NULL), NULL, 'NULL');

-- ------------------------------------------------------------- installing

SELECT is(count_of('SELECT sigma_install_views(''sigma'')'), 0, 'installing the views asks for nothing');
SELECT is(array_agg(v), '{connection_use,unused_connections,connection_access,warehouse_tables}', 'and names them') FROM sigma_install_views('sigma') v;
SELECT is(array_agg(relname::text ORDER BY relname), '{connection_access,connection_use,unused_connections,warehouse_tables}',
	'they are in the schema of the tables')
FROM pg_class WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'v';
SELECT is(count(*), 0::bigint, 'and have comments') FROM pg_class WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'v' AND obj_description(oid) IS NULL;

SELECT fails('SELECT sigma_install_views(''none'')', '3F000', '%"none"%', NULL, NULL, 'no such schema');
CREATE SCHEMA "Some ""schema""";
IMPORT FOREIGN SCHEMA sigma LIMIT TO (connections, connection_grants) FROM SERVER sim INTO "Some ""schema""";
SELECT fails('SELECT sigma_install_views(''Some "schema"'')', '42P01', '%lacks%: connection_paths, members,%', NULL,
	'%IMPORT FOREIGN SCHEMA%LIMIT TO (connection_paths, members,%INTO "Some ""schema"""%', 'missing tables are named');
SELECT is(count(*), 0::bigint, 'and nothing is made') FROM pg_class WHERE relnamespace = '"Some ""schema"""'::regnamespace AND relkind = 'v';
IMPORT FOREIGN SCHEMA sigma EXCEPT (connections, connection_grants) FROM SERVER sim INTO "Some ""schema""";
SELECT is(count(*), 4::bigint, 'a schema of any name') FROM sigma_install_views('Some "schema"');
SELECT cmp_ok(count(*), '>', 0::bigint, 'its views work') FROM "Some ""schema""".connection_use;
DROP SCHEMA "Some ""schema""" CASCADE;

-- objects that get in the way of the function's own names do nothing
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed'; END $$;
CREATE VIEW shadow.pg_class AS SELECT 1 AS nothing;
CREATE VIEW shadow.pg_namespace AS SELECT 1 AS nothing;
SET search_path = shadow, public, pg_catalog;
SELECT is(count(*), 4::bigint, 'search_path does not matter') FROM sigma_install_views('sigma');
SELECT cmp_ok(sigma_comment_tables('sigma'), '>', 0, 'nor does it for the comments');
RESET search_path;
DROP SCHEMA shadow CASCADE;

-- --------------------------------------------------------- connection_use

SELECT results_eq('SELECT kind, name, path, owner_email, is_direct, tables::int FROM sigma.connection_use '
	'WHERE connection_name = ''Snowflake East'' ORDER BY name',
	$$VALUES ('workbook', 'Budget 2026', 'Company', 'ada.okafor.0@example.com', true, 1), ('workbook', 'Cost Explorer', 'Company', 'chidi.mueller.2@example.com', true, 1),
		('workbook', 'Hiring Plan', 'Company/Reports', 'bjoern.lindqvist.1@example.com', true, 1),
		('report', 'Quarterly Report', 'Company/Reports', 'ada.okafor.0@example.com', true, 1),
		('workbook', 'Support Load', 'Company/Reports', 'elif.tanaka.4@example.com', true, 1)$$,
	'what reads from a connection');
SELECT is((SELECT array_agg(DISTINCT kind) FROM sigma.connection_use), '{data-model,report,workbook}', 'documents of each kind');
-- its model reads from another model, which reads from a table and more
SELECT results_eq('SELECT connection_name, is_direct, tables::int FROM sigma.connection_use WHERE name = ''Finance Model'' ORDER BY 1',
	$$VALUES ('BigQuery Finance', true, 0), ('Sigma Sample Database', false, 1)$$, 'by custom SQL, and through others');
SELECT results_eq('SELECT connection_name, is_direct FROM sigma.connection_use WHERE name = ''Quarterly Report'' ORDER BY 1',
	$$VALUES ('BigQuery Finance', false), ('Sigma Sample Database', false), ('Snowflake East', true)$$, 'through two of them');
SELECT is(count(*), 0::bigint, 'archived documents are left out') FROM sigma.connection_use WHERE name IN ('Retired Report', 'Old Invoice');
SELECT is(count(*), count(DISTINCT (connection_id, kind, document_id)), 'one row for a connection and a document') FROM sigma.connection_use;
SELECT is(count(*), 0::bigint, 'each can be opened') FROM sigma.connection_use WHERE url IS NULL OR owner_id IS NULL;

SELECT is(kinds_of(format('SELECT connection_name, kind, name FROM sigma.connection_use WHERE connection_id = %L', :'east')),
	'{/v2/connections/ID,/v2/dataModels x2,/v2/dataModels/ID/lineage x2,/v2/reports x2,/v2/reports/ID/lineage x3,'
		'/v2/workbooks x2,/v2/workbooks/ID/lineage x11}',
	'of one connection: each document''s lineage once, the lists, no list of tables, and no members if nobody asks for them');
SELECT is(kinds_of(format('SELECT * FROM sigma.connection_use WHERE connection_id = %L', :'east'))
	@> '{/v2.1/members,/v2/connections/ID}', true, 'members are one list');
SELECT is((SELECT count(*)::int FROM unnest(kinds_of('SELECT * FROM sigma.connection_use')) k), 8, 'of all: nothing row by row');
SELECT is(count_of('SELECT * FROM sigma.connection_use'), 11 + 2 + 3 + 8, 'as many requests as documents, and eight');

-- two data models that read from each other, as no API promises that they do not
CREATE FUNCTION model_lineage(path text, model text) RETURNS void LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', path, 'query', 'limit', 'times', -1, 'do', 'body', 'body', jsonb_build_object('nextPage', NULL, 'total', 2,
		'entries', jsonb_build_array(jsonb_build_object('type', 'table', 'inodeId', 'x', 'connectionId', 'y', 'name', NULL),
			jsonb_build_object('type', 'data-model', 'dataModelId', model, 'connectionId', NULL, 'name', NULL)))))
$$;
SELECT model_lineage('/v2/dataModels/*', 'y') \g /dev/null
SELECT lives_ok('SELECT * FROM sigma.connection_use', 'sources that Sigma does not know');
SELECT sim_calm() \g /dev/null
SELECT array_agg(data_model_id ORDER BY name) AS models FROM sigma.data_models \gset
SELECT model_lineage(format('/v2/dataModels/%s/lineage', (:'models'::text[])[i]), (:'models'::text[])[3 - i]) FROM generate_series(1, 2) i \g /dev/null
SELECT lives_ok('SELECT * FROM sigma.connection_use', 'a circle of sources has an end');
SELECT sim_calm() \g /dev/null

-- documents that have no lineage, and one that may not be seen
SELECT workbook_id AS churn FROM sigma.workbooks WHERE name = 'Churn' \gset
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/lineage', :'churn'), 'times', -1, 'do', 'status', 'status', 400)) \g /dev/null
SELECT is(count(*), 0::bigint, 'a workbook without lineage reads nothing') FROM sigma.connection_use WHERE name = 'Churn';
SELECT sim_calm() \g /dev/null
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/lineage', :'churn'), 'times', -1, 'do', 'status', 'status', 403)) \g /dev/null
SELECT fails('SELECT * FROM sigma.connection_use', '42501', NULL, '%/lineage%', NULL, 'one that may not be seen is an error');
SELECT fails('SELECT * FROM sigma.unused_connections', '42501', NULL, '%/lineage%', NULL, 'here, too: nobody shall think that nothing reads from it');
ALTER FOREIGN TABLE sigma.workbook_lineage_nodes OPTIONS (ADD on_error 'row');
SELECT is((SELECT count(*)::int FROM sigma.connection_use WHERE name = 'Churn'), 0, 'unless the table says otherwise');
ALTER FOREIGN TABLE sigma.workbook_lineage_nodes OPTIONS (DROP on_error);
SELECT sim_calm() \g /dev/null

-- a path that is spelled in the other way
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', '/v2/connections/paths', 'times', -1, 'do', 'body',
	'body', jsonb_build_object('entries',
		jsonb_build_array(jsonb_build_object('connectionId', :'west', 'urlId', '49HFLTr6xytgrPly3PFsNC', 'path',
		'["A", "B", "C"]'::jsonb)), 'nextPage', NULL))) \g /dev/null
SELECT is((SELECT table_name || inode_id FROM sigma.warehouse_tables WHERE url_id = '49HFLTr6xytgrPly3PFsNC'),
	'C8891fd40-5470-4ff2-a74f-6e61ee44d3fc', 'warehouse_tables shows both');
SELECT sim_calm() \g /dev/null

-- ----------------------------------------------------- unused_connections

SELECT is(count(*), 0::bigint, 'the connections that Sigma provides are not among them') FROM sigma.unused_connections u
	JOIN sigma.connections c USING (connection_id) WHERE c.is_sample OR c.is_audit_log;
SELECT is((SELECT documents FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Staging'), 0::bigint, 'nothing reads from it');
SELECT is((SELECT is_idle FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Staging'), true, 'and it has not been active');
SELECT is(count(*), 0::bigint, 'the number of documents is that of the direct ones')
FROM sigma.unused_connections u WHERE documents <> (SELECT count(*) FROM sigma.connection_use c WHERE c.connection_id = u.connection_id AND c.is_direct);
-- the simulator's times are fixed, so one is put close to now
SELECT array_position(array_agg(name ORDER BY n), 'Postgres Staging') - 1 AS staging, array_position(array_agg(name ORDER BY n),
	'Postgres Production') - 1 AS production
FROM (SELECT name, row_number() OVER () AS n FROM sigma.connections) c \gset
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', '/v2/connections', 'times', -1, 'do', 'edit', 'entries_patch', jsonb_build_array(
	jsonb_build_object('index', :staging, 'set', jsonb_build_object('lastActiveAt', to_char(now() - interval '89 days', 'YYYY-MM-DD"T"HH24:MI:SSOF":00"'))),
	jsonb_build_object('index', :production, 'set',
		jsonb_build_object('lastActiveAt', to_char(now() - interval '89 days', 'YYYY-MM-DD"T"HH24:MI:SSOF":00"')))))) \g /dev/null
SELECT is((SELECT is_idle FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Staging'), false,
	'active within 90 days, but not read by documents: one of the two');
SELECT is(count(*), 0::bigint, 'active, and read by documents: none') FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Production';
SELECT sim_calm() \g /dev/null
SELECT is((SELECT documents FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Production'), 4::bigint,
	'read by documents, but idle: the other');
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', '/v2/connections', 'times', -1, 'do', 'edit', 'entries_patch', jsonb_build_array(
	jsonb_build_object('index', :production, 'remove', '["lastActiveAt"]'::jsonb)))) \g /dev/null
SELECT is((SELECT is_idle FROM sigma.unused_connections WHERE connection_name || '' = 'Postgres Production'), true, 'never active, and not new');
SELECT sim_calm() \g /dev/null
SELECT is(kinds_of('SELECT * FROM sigma.unused_connections'),
	'{/v2/connections,/v2/dataModels,/v2/dataModels/ID/lineage x2,/v2/reports,/v2/reports/ID/lineage x3,/v2/workbooks,/v2/workbooks/ID/lineage x11}',
	'each list once: as many requests as documents, and four');
-- what nobody has shared with the reader reads from it all the same
SELECT make_server('every', sim_url(), 'skip_permission_check ''true''') \g /dev/null
SELECT sigma_install_views('every') \g /dev/null
SELECT is((SELECT documents FROM every.unused_connections WHERE connection_name || '' = 'Postgres Staging'), 1::bigint, 'with skip_permission_check, a private report does');

-- ------------------------------------------------------ connection_access

SELECT results_eq(format('SELECT permission, email, team_name FROM sigma.connection_access '
	'WHERE connection_id = %L AND via = ''direct'' ORDER BY email', :'east'),
	$$VALUES ('admin', 'ada.okafor.0@example.com', NULL), ('usage', 'dana.haddad.3@example.com', NULL)$$, 'who may use a connection');
SELECT results_eq(format('SELECT member_id FROM sigma.connection_access WHERE connection_id = %L AND via = ''team'' ORDER BY 1', :'east'),
	'SELECT user_id FROM sigma.team_members JOIN sigma.teams USING (team_id) WHERE name = ''All Staff'' ORDER BY 1', 'and through a team');
SELECT team_id AS empty FROM sigma.teams WHERE name = 'Empty Team' \gset
SELECT sigma_grant_connection('sim', :'west', 'usage', team_id => :'empty') \g /dev/null
SELECT results_eq(format('SELECT via, team_name, member_id FROM sigma.connection_access WHERE connection_id = %L', :'west'),
	'VALUES (''team'', ''Empty Team'', NULL::text)', 'a team without members is shown');
SELECT sigma_revoke_connection('sim', :'west', team_id => :'empty') \g /dev/null
SELECT is(kinds_of(format('SELECT * FROM sigma.connection_access WHERE connection_id = %L', :'east')),
	'{/v2.1/members,/v2.1/teams,/v2/connections/ID,/v2/connections/ID/grants,/v2/teams/ID/members}', 'of one connection: its grants, and their teams');
SELECT is(kinds_of('SELECT * FROM sigma.connection_access WHERE connection_name = ''Snowflake East'''),
	'{/v2.1/members,/v2.1/teams,/v2/connections/ID/grants,/v2/connections?search=Snowflake%20East,/v2/teams/ID/members}', 'so it is by name');
SELECT is(kinds_of(format('SELECT member_id FROM sigma.connection_access WHERE connection_id = %L', :'east')),
	'{/v2/connections/ID,/v2/connections/ID/grants,/v2/teams/ID/members}', 'names that nobody asks for are not looked up');
SELECT cmp_ok(count_of('SELECT * FROM sigma.connection_access'), '<=', 1 + 1 + 13 + 1 + 6 + 1 + 1, 'of all: nothing row by row');
-- grants that may not be read
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/connections/%s/grants', :'east'), 'times', -1, 'do',
	'status', 'status', 403)) \g /dev/null
SELECT fails('SELECT * FROM sigma.connection_access', '42501', NULL, NULL, NULL, 'grants that may not be read are an error');
ALTER FOREIGN TABLE sigma.connection_grants OPTIONS (ADD on_error 'row');
SELECT results_eq(format('SELECT _error ->> ''sqlstate'', via, member_id FROM sigma.connection_access WHERE connection_id = %L',
	:'east'), 'VALUES (''42501'', NULL::text, NULL::text)', 'or, with on_error row, a row that says so');
ALTER FOREIGN TABLE sigma.connection_grants OPTIONS (DROP on_error);
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------- warehouse_tables

CREATE TABLE inventory (table_catalog information_schema.sql_identifier, table_schema information_schema.sql_identifier,
	table_name information_schema.sql_identifier);
INSERT INTO inventory VALUES ('SALES', 'PUBLIC', 'ORDERS'), ('SALES', 'PUBLIC', 'REFUNDS'), ('app', 'public', 'users');
SELECT results_eq('SELECT i.table_name::text COLLATE "default", w.connection_name FROM inventory i '
	'LEFT JOIN sigma.warehouse_tables w USING (table_catalog, table_schema, table_name) ORDER BY 1',
	$$VALUES ('ORDERS', 'Snowflake East'), ('REFUNDS', NULL), ('users', 'Postgres Production')$$, 'a local inventory against what Sigma knows');
SELECT is(count(*), (SELECT count(*) FROM sigma.connection_paths WHERE jsonb_array_length(path) = 3), 'tables only')
	FROM sigma.warehouse_tables WHERE table_name IS NOT NULL;
SELECT is(kinds_of(format('SELECT * FROM sigma.warehouse_tables WHERE connection_id = %L', :'east')),
	'{/v2/connections/ID,/v2/connections/paths?connectionId=ID}', 'of one connection: its own');
SELECT is(count_of('SELECT * FROM sigma.warehouse_tables'), 2, 'of all: two lists');
SELECT is(count_of('SELECT * FROM inventory i LEFT JOIN sigma.warehouse_tables w USING (table_catalog, table_schema, table_name)'), 2, 'in a join, too');

-- -------------------------------------------------------------- whose eyes

-- the second client sees the postgres connections only
SELECT sim_start('two', '--client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT make_server('two', sim_url('two')) \g /dev/null
SELECT sigma_install_views('two') \g /dev/null
CREATE ROLE views_reader;
GRANT USAGE ON SCHEMA two TO views_reader;
GRANT SELECT ON two.warehouse_tables TO views_reader;
CREATE USER MAPPING FOR views_reader SERVER two OPTIONS (client_id 'second-client', client_secret 'second-secret');
SET ROLE views_reader;
SELECT cmp_ok(count(*), '>', 2::bigint, 'a view reads as its owner') FROM two.warehouse_tables;
SELECT fails('SELECT * FROM two.connection_access', '42501', NULL, NULL, NULL, 'and is for those to whom it is granted');
SELECT fails('SELECT sigma_install_views(''two'')', '42501', NULL, NULL, NULL, 'and nobody replaces another''s');
SELECT fails('SELECT sigma_comment_tables(''two'')', '42501', NULL, NULL, NULL, 'nor comments on another''s tables');
RESET ROLE;
ALTER VIEW two.warehouse_tables SET (security_invoker = true);
GRANT SELECT ON two.connections, two.connection_paths TO views_reader;
GRANT EXECUTE ON FUNCTION sigma_inode_id TO views_reader;
SELECT sigma_install_views('two') \g /dev/null
SELECT is(reloptions, '{security_invoker=true}', 'installing again keeps security_invoker') FROM pg_class WHERE oid = 'two.warehouse_tables'::regclass;
SELECT ok(has_table_privilege('views_reader', 'two.warehouse_tables', 'SELECT'), 'and grants');
SET ROLE views_reader;
SELECT is((SELECT array_agg(DISTINCT connection_name) FROM two.warehouse_tables), '{Postgres Production}', 'with which a view reads as whoever asks');
RESET ROLE;
DROP OWNED BY views_reader;
DROP ROLE views_reader;
SELECT sim_stop('two') \g /dev/null

-- a view may stand on a copy
CREATE SCHEMA copy;
SELECT format('CREATE TABLE copy.%I AS SELECT * FROM sigma.%1$I', t)
FROM unnest('{connections,connection_grants,connection_paths,members,teams,team_members,workbooks,workbook_lineage_nodes,data_models,'
	'data_model_lineage,reports,report_lineage}'::text[]) t \gexec
SELECT is(count(*), 4::bigint, 'the tables may be copies') FROM sigma_install_views('copy');
SELECT is(count_of('SELECT * FROM copy.connection_use, copy.unused_connections, copy.warehouse_tables'), 0, 'which ask for nothing');
SELECT results_eq('SELECT c::text FROM copy.connection_access c ORDER BY 1', 'SELECT c::text FROM sigma.connection_access c ORDER BY 1', 'and say the same');
SELECT results_eq('SELECT c::text FROM copy.connection_use c ORDER BY 1', 'SELECT c::text FROM sigma.connection_use c ORDER BY 1', 'all of them') ;

-- ---------------------------------------------------------------- comments

-- everything that the extension makes
SELECT is((SELECT array_agg(pg_describe_object(classid, objid, objsubid)) FROM pg_depend
	WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'sigma_fdw') AND classid <> 'pg_type'::regclass
		AND obj_description(objid, classid::regclass::name) IS NULL), NULL, 'no function is without a comment');
SELECT is((SELECT array_agg(format('%s.%s', attrelid::regclass, attname)) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
	WHERE relnamespace = 'sigma'::regnamespace AND relkind = 'v' AND attnum > 0 AND col_description(attrelid, attnum) IS NULL), NULL, '... nor a column of a view');
-- tables and their columns
CREATE FUNCTION comments_in(in_schema name) RETURNS bigint
LANGUAGE sql AS $$
	SELECT count(*) FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
	WHERE c.relnamespace = in_schema::regnamespace AND c.relkind = 'f'
$$;
SELECT is(comments_in('sim'), (SELECT count(*) FROM pg_class WHERE relnamespace = 'sim'::regnamespace AND relkind = 'f')
	+ (SELECT count(*) FROM information_schema.columns WHERE table_schema = 'sim'), 'IMPORT comments on each table and each column');
CREATE TABLE imported AS SELECT d.* FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
	WHERE c.relnamespace = 'sim'::regnamespace;
COMMENT ON FOREIGN TABLE sim.connections IS NULL;
COMMENT ON COLUMN sim.connections.warehouse IS 'mine';
SELECT is(count_of('SELECT sigma_comment_tables(''sim'')'), 0, 'to set them anew asks for nothing');
SELECT is(sigma_comment_tables('sim')::bigint, comments_in('sim'), 'it says how many it set');
SELECT is((SELECT count(*) FROM imported NATURAL JOIN pg_description), comments_in('sim'), '... the same');
SELECT is(obj_description('sim.connections'::regclass), 'Connections of Sigma to data warehouses', 'a table');
SELECT is(col_description('sim.connections'::regclass, attnum), 'Virtual warehouse that queries run on (Snowflake)', 'a column')
FROM pg_attribute WHERE attrelid = 'sim.connections'::regclass AND attname = 'warehouse';

CREATE SCHEMA mixed;
CREATE FOREIGN TABLE mixed."My ""own""" ("the name" text OPTIONS (field 'name'), gone text, type text,
	newer text OPTIONS (field 'notKnownYet')) SERVER sim OPTIONS (resource 'connections');
ALTER FOREIGN TABLE mixed."My ""own""" DROP COLUMN gone;
CREATE FOREIGN DATA WRAPPER without_handler;
CREATE SERVER other FOREIGN DATA WRAPPER without_handler;
CREATE FOREIGN TABLE mixed.foreign_to_us (a int) SERVER other;
CREATE TABLE mixed.connections (a int);
SELECT is(sigma_comment_tables('mixed'), 3, 'only what is there, and only on tables of sigma_fdw');
SELECT is(col_description('mixed."My ""own"""'::regclass, 1::int), 'Display name', 'by the field, if the column has another name');
SELECT fails('SELECT sigma_comment_tables(''none'')', '3F000', NULL, NULL, NULL, 'no such schema');
SELECT is(sigma_comment_tables(NULL), NULL, 'NULL');
DROP SCHEMA mixed CASCADE;
DROP FOREIGN DATA WRAPPER without_handler CASCADE;

-- ---------------------------------------------------------------- recipes

\set content `cat ../../doc/recipes.sql`
CREATE TABLE recipe AS
SELECT n, (regexp_match(part, '^\s*(?:--[^\n]*\n\s*)*-- ([^\n]*)'))[1] AS title, part AS statement
FROM regexp_split_to_table(:'content', ';\s*(?=\n|$)') WITH ORDINALITY AS p (part, n) WHERE part ~ 'SELECT';
SELECT cmp_ok(count(*), '>=', 16::bigint, 'the recipes') FROM recipe;
CREATE FUNCTION answer_of(statement text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	EXECUTE statement;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
SELECT cmp_ok(answer_of(statement), '>', 0, title) FROM recipe ORDER BY n;
CREATE FUNCTION raw_array(query text) RETURNS text[] LANGUAGE plpgsql AS $$ DECLARE r text[]; BEGIN EXECUTE query INTO r; RETURN r; END $$;
CREATE FUNCTION recipe(beginning text) RETURNS text LANGUAGE sql AS $$ SELECT statement FROM recipe WHERE title LIKE beginning || '%' $$;
SELECT results_eq(format('SELECT email FROM (%s) r', recipe('Idle members')), format('SELECT email FROM sigma.members WHERE email <> ALL (%L) ORDER BY email',
	'{ada.okafor.0@example.com,chidi.mueller.2@example.com,elif.tanaka.4@example.com,farid.novak.5@example.com}'::text[]),
		'idle are all but those who have used a document recently');
SELECT is(count(last_interaction_at), 2::bigint, 'some of whom have used one before')
	FROM (SELECT m.email, max(r.last_interaction_at) AS last_interaction_at FROM sigma.members m JOIN sigma.member_recents r USING (member_id)
	GROUP BY m.email HAVING max(r.last_interaction_at) < now() - interval '90 days') r;
SELECT is((raw_array(format('SELECT array_agg(name) FROM (%s) r', recipe('A member''s recent workbooks'))))[1:3],
	'{Revenue Overview,Support Load,Web Traffic}', 'the latest documents stand first');
SELECT results_eq(format('SELECT workbook FROM (%s) r', recipe('Workbooks whose custom SQL')), $$VALUES ('Budget 2026')$$, 'custom SQL with #raw');
SELECT results_eq(format('SELECT kind, name FROM (%s) r', recipe('Which custom SQL')),
	$$VALUES ('report', 'Shipping Labels'), ('workbook', 'Budget 2026')$$, 'custom SQL with #raw in the code of documents of each kind');
SELECT is((SELECT array_agg(DISTINCT k) FROM (SELECT unnest(raw_array(format('SELECT array_agg(kind) FROM (%s) r', recipe('Which formulas')))) k) r),
	'{"data model",workbook}', 'formulas that use a column');
SELECT is(substring(statement FROM 'e.type = ''[a-z-]+'''), 'e.type = ''input-table''', 'input tables are elements of their type')
	FROM recipe WHERE title LIKE 'Input tables%';

-- ---------------------------------------------------------------- upgrade

-- a newer version knows more tables and columns: import the new tables with EXCEPT (organization.sql), or all of them anew
DROP SCHEMA copy CASCADE;
DROP FOREIGN TABLE sigma.members CASCADE;
SELECT fails('SELECT sigma_install_views(''sigma'')', '42P01', NULL, NULL, '%LIMIT TO (members)%', 'a table that is gone');
IMPORT FOREIGN SCHEMA sigma LIMIT TO (members) FROM SERVER sim INTO sigma;
SELECT is(count(*), 4::bigint, 'imported anew, the views are installed again') FROM sigma_install_views('sigma');
SELECT cmp_ok(count(*), '>', 0::bigint, 'and work') FROM sigma.connection_access;
BEGIN;
DROP SCHEMA sigma CASCADE;
CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma FROM SERVER sim INTO sigma;
SELECT is(count(*), 4::bigint, 'all anew, in one transaction') FROM sigma_install_views('sigma');
COMMIT;
SELECT cmp_ok(count(*), '>', 0::bigint, 'works') FROM sigma.connection_use;

SELECT * FROM finish();

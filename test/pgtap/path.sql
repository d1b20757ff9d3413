-- Lists that the catalogue does not know: tables that say by "path" what they
-- are of.

\ir lib/simulator.sql
\ir lib/answers.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

SELECT sim_start('main', '--connections 25') \g /dev/null
SELECT make_server('sigma', sim_url(), 'max_retries ''0'', page_size ''10''') \g /dev/null
CREATE SCHEMA mine;

-- --------------------------------------------------- what DDL lets through

CREATE FUNCTION made(options text, columns text DEFAULT 'connection_id text') RETURNS text LANGUAGE sql AS $$
	SELECT format('CREATE FOREIGN TABLE mine.t (%s) SERVER sigma OPTIONS (%s)', columns, options)
$$;
SELECT fails(made($$resource 'connections', path '/v2/connections'$$), 'HV00D', 'options "resource" and "path" exclude each other', NULL, NULL, 'a resource and a path');
SELECT fails(made(format('%s %L', o, v)), 'HV00D', format('option "%s" needs the option "path"', o), NULL, NULL, format('%s without a path', o))
	FROM (VALUES ('item_path', '/v2/x/{a}'), ('key', 'a'), ('paging', 'page'), ('query', 'a=b'), ('entries', 'rows'), ('parent', 'teams')) v (o, v);
SELECT fails(made(format('path %L', p)), '22023', 'invalid value for option "path"', NULL, h || ' It must be a path of the API%', format('path %s', p))
	FROM (VALUES ('v2/x', 'It does not begin with a slash.'), ('/v2/x?a=b', 'It has a character that must be percent-encoded, or that ends a path.'),
		('/v2/../x', 'It has a segment of dots.'), ('/v2/{x', 'It has a brace that is not closed.'), ('/v2/{x{y}}', 'It has a brace that is not closed.'),
		('/v2/x}', '%'), ('/v2/{}', 'It has braces without a column''s name.'), ('/v2/{a}/{b}/{c}/{d}/{e}', 'It has too many columns in braces.'),
		('/v2/{a}/{a}', 'It has the same column in braces twice.'), ('http://elsewhere/v2', 'It does not begin%'), ('//elsewhere/v2', 'It has an empty segment.'),
		('/v2/a b', '%'), (E'/v2/a\nb', '%'), ('/v2/%zz', 'A percent sign must begin an encoded character.')) v (p, h);
SELECT fails(made($$path '/v2/x', paging 'pages'$$), '22023', 'invalid value for option "paging"', NULL, 'It must be "page", "page_token" or "none".', 'a paging that is none');
SELECT fails(made($$path '/v2/x', item_path '/v2/x/{a}'$$), 'HV00D', 'option "item_path" needs the option "key"', NULL, NULL, 'look-ups without a key');
SELECT fails(made($$path '/v2/x', key 'a', item_path '/v2/x/{b}'$$), '22023', 'invalid value for option "item_path"', NULL, NULL, 'look-ups by another');
SELECT fails(made($$path '/v2/{b}/x', key 'a', item_path '/v2/x/{a}'$$, 'a text, b text'), '22023', 'invalid value for option "item_path"', NULL,
	'The option "path" has columns in braces, whose values a single entry does not tell.', 'look-ups that would not know what the entry stands below');
SELECT fails(made($$path '/v2/x', parent 'teams'$$), '22023', 'invalid value for option "parent"', NULL, NULL, 'a parent of nothing');
SELECT fails(made(format('path ''/v2/x'', paging ''page'', query %L', q)), '22023', 'invalid value for option "query"', NULL, h, format('query %s', q))
	FROM (VALUES ('a b', 'It must be parameters%'), ('{"a": {}}', 'As a JSON object, a value in "query" must be%'), ('{"a"', 'As a JSON object, %'),
		('page=3', '%"page" is sent for each page anyway.'), ('{"pageToken": "x"}', '%"pageToken" is sent%'), ('a=b&limit=5', '%"page_size" sets the parameter "limit".')) v (q, h);
SELECT lives_ok(made($$path '/v2/x', query 'limit=5&pages=7'$$), 'without "paging", the size of a page is the query''s affair');
SELECT throws_ok($$ALTER FOREIGN TABLE mine.t OPTIONS (ADD resource 'connections')$$, 'HV00D', 'options "resource" and "path" exclude each other');
SELECT lives_ok($$ALTER FOREIGN TABLE mine.t OPTIONS (ADD resource 'connections', DROP path, DROP query)$$, 'from one to the other');
DROP FOREIGN TABLE mine.t;

-- ------------------------------------------------- as the catalogue's table

CREATE FOREIGN TABLE mine.connections (connection_id text, label text OPTIONS (field 'name'), is_archived bool, created_at timestamptz, attrs jsonb, "isSample" bool)
	SERVER sigma OPTIONS (path '/v2/connections', paging 'page', key 'connection_id', item_path '/v2/connections/{connection_id}');
SELECT set_eq('SELECT connection_id, label, created_at, attrs, "isSample" FROM mine.connections',
	'SELECT connection_id, name, created_at, attrs, is_sample FROM sigma.connections', 'the same rows');
SELECT is(requests_of('SELECT * FROM mine.connections LIMIT 3'), '{GET /v2/connections?limit=3}', 'a LIMIT makes pages small');
SELECT is(sorted(requests_of('SELECT * FROM mine.connections')),
	'{GET /v2/connections?limit=10,GET /v2/connections?limit=10&page=10,GET /v2/connections?limit=10&page=20}', 'pages, each once');
SELECT is(requests_of(format('SELECT * FROM mine.connections WHERE connection_id = %L', (SELECT upper(min(connection_id)) FROM sigma.connections))),
	'{}', 'an identifier is shown in one spelling');
SELECT matches((requests_of(format('SELECT label FROM mine.connections WHERE connection_id = %L', (SELECT min(connection_id) FROM sigma.connections))))[1],
	'^GET /v2/connections/[-0-9a-f]+$', 'a look-up');
SELECT is(requests_of('SELECT count(*) FROM mine.connections'), '{GET /v2/connections?limit=1}', 'a count');
SELECT is((SELECT count(*) FROM mine.connections), 25::bigint, 'which is right');
SELECT matches(plan_of('SELECT * FROM mine.connections'), 'Remote Request: GET /v2/connections\?limit=10', 'EXPLAIN');
SELECT lives_ok('ANALYZE mine.connections', 'ANALYZE');
SELECT is((SELECT reltuples FROM pg_class WHERE oid = 'mine.connections'::regclass), 25::real, 'counts them');
SELECT is((SELECT is_insertable_into FROM information_schema.tables WHERE table_schema = 'mine' AND table_name = 'connections'), 'NO', 'only to be read');
SELECT fails('INSERT INTO mine.connections (label) VALUES (''x'')', '55000', NULL, NULL, NULL, 'even if its name is a resource''s');
SELECT fails('DELETE FROM mine.connections', '55000', NULL, NULL, NULL, 'and nothing goes');
SELECT is(sigma_comment_tables('mine'), 0, 'nor does it get that resource''s comments');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('page-loop') \g /dev/null
SELECT fails('SELECT connection_id FROM mine.connections', 'HV000', '%pagination loop%', NULL, NULL, 'a loop');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', '{"entries_patch": [{"index": 0, "replace": {"code": "x", "message": "y", "requestId": "z"}}]}') \g /dev/null
SELECT fails('SELECT connection_id FROM mine.connections', 'HV000', '%an entry is an error, code "x"%', NULL, NULL, 'an error among the entries');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', '{"set": {"total": 26}}') \g /dev/null
SELECT ok(psql('SELECT count(label) FROM mine.connections') LIKE '%list of connections gave 25 entries, but Sigma counts 26%', 'a total that is not reached');
SELECT sim_calm() \g /dev/null

-- a page size that the table sets holds for look-ups, parents and all
ALTER FOREIGN TABLE mine.connections OPTIONS (ADD page_size '20');
SELECT is((sorted(requests_of('SELECT * FROM mine.connections')))[1], 'GET /v2/connections?limit=20', 'another definition counts at once');
ALTER FOREIGN TABLE mine.connections OPTIONS (DROP page_size, ADD query '{"search": "a b", "x": [1, 2], "y": null}');
SELECT is((sorted(requests_of('SELECT * FROM mine.connections')))[1], 'GET /v2/connections?search=a%20b&x=1&x=2&limit=10', 'constant parameters');
ALTER FOREIGN TABLE mine.connections OPTIONS (SET query 'search=a%20b');
SELECT is((sorted(requests_of('SELECT * FROM mine.connections')))[1], 'GET /v2/connections?search=a%20b&limit=10', 'as in a URL');
ALTER FOREIGN TABLE mine.connections OPTIONS (DROP query, DROP paging);
SELECT is(sorted(requests_of('SELECT label FROM mine.connections')), '{GET /v2/connections}', 'without "paging", the API''s own page size');
ALTER FOREIGN TABLE mine.connections OPTIONS (ADD query 'limit=10');
SELECT is(sorted(requests_of('SELECT label FROM mine.connections')),
	'{GET /v2/connections?limit=10,GET /v2/connections?limit=10&page=10,GET /v2/connections?limit=10&page=20}', 'or one of the query''s; the pages'' links are found');
SELECT is((SELECT count(*) FROM mine.connections), 25::bigint, 'and counted');
CREATE FOREIGN TABLE mine.account_types (account_type_id text, account_type_name text) SERVER sigma OPTIONS (path '/v2/accountTypes', query 'pageSize=20');
SELECT set_eq('SELECT account_type_id, account_type_name FROM mine.account_types', 'SELECT account_type_id, account_type_name FROM sigma.account_types', 'of the other idiom');
SELECT matches((requests_of('SELECT account_type_id FROM mine.account_types'))[2], '^GET /v2/accountTypes\?pageSize=20&pageToken=', 'with several pages');
ALTER FOREIGN TABLE mine.account_types OPTIONS (ADD paging 'page_token', DROP query);
SELECT set_eq('SELECT account_type_id FROM mine.account_types', 'SELECT account_type_id FROM sigma.account_types', 'paging page_token');
ALTER FOREIGN TABLE mine.account_types OPTIONS (SET paging 'page');
SELECT fails('SELECT account_type_id FROM mine.account_types', 'HV000', '%not linked in the way of this list', NULL, NULL, 'the wrong paging is no short list');

-- another name for the entries
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/strange", "times": -1, "do": "body", "body": {"entries": [], "rows": [{"id": 1, "code": "c", "message": "m", "anOddName": true}], "nextPage": null}}') \g /dev/null
CREATE FOREIGN TABLE mine.strange (id int, code text, an_odd_name bool, _error jsonb) SERVER sigma OPTIONS (path '/v2/strange', entries 'rows');
SELECT results_eq('SELECT id, code, an_odd_name FROM mine.strange', $$VALUES (1, 'c', true)$$, 'entries ''rows'', and a "code" that has a column');
ALTER FOREIGN TABLE mine.strange OPTIONS (SET entries 'lines');
SELECT fails('SELECT * FROM mine.strange', 'HV000', '%it has no array "lines"', NULL, NULL, 'entries that are not there');

-- ------------------------------------------------------------ keys in braces

CREATE FOREIGN TABLE mine.pages (workbook_id text, page_id text, name text, _error jsonb)
	SERVER sigma OPTIONS (path '/v2/workbooks/{workbook_id}/pages', paging 'page', key 'page_id', parent 'workbooks');
CREATE FOREIGN TABLE mine.elements (workbook uuid OPTIONS (field 'workbook_id'), page_id text, element_id text, name text)
	SERVER sigma OPTIONS (path '/v2/workbooks/{workbook}/pages/{page_id}/elements', paging 'page', key 'element_id', parent 'pages');
SELECT set_eq('SELECT workbook_id, page_id, name FROM mine.pages', 'SELECT workbook_id, page_id, name FROM sigma.workbook_pages', 'below a resource');
SELECT set_eq('SELECT workbook::text, page_id, element_id FROM mine.elements', 'SELECT workbook_id, page_id, element_id FROM sigma.workbook_elements', 'below such a table');
SELECT matches(plan_of('SELECT * FROM mine.elements'), 'Remote Parent Requests: GET /v2/workbooks\?limit=\d+, GET /v2/workbooks/\{workbook_id\}/pages\?limit=\d+', 'EXPLAIN shows the parents');
SELECT is(requests_of(format('SELECT * FROM mine.pages WHERE workbook_id = %L', w)), ARRAY['GET /v2/workbooks/' || w || '/pages?limit=10'], 'a key from the query')
	FROM (SELECT min(workbook_id) w FROM sigma.workbook_pages) w;
SELECT is(requests_of(format('SELECT * FROM mine.elements WHERE workbook = %L AND page_id = %L', workbook_id, page_id)),
	ARRAY[format('GET /v2/workbooks/%s/pages/%s/elements?limit=10', workbook_id, page_id)], 'two of them')
	FROM (SELECT workbook_id, page_id FROM sigma.workbook_pages LIMIT 1) w;

-- no parent: the query must say
CREATE FOREIGN TABLE mine.sources (workbook_id text, type text, inode_id text) SERVER sigma OPTIONS (path '/v2/workbooks/{workbook_id}/sources', paging 'none');
SELECT fails('SELECT * FROM mine.sources', '0A000', 'cannot read foreign table "sources" without a value for its column "workbook_id"',
	'Its option "path" is "/v2/workbooks/{workbook_id}/sources", and it has no option "parent" to take the values from.', 'Give the value in the query (WHERE workbook_id = ...)%', 'no value');
SELECT fails('SELECT * FROM mine.sources WHERE workbook_id LIKE ''a%''', '0A000', NULL, NULL, NULL, 'nor one value');
SELECT lives_ok('EXPLAIN SELECT * FROM mine.sources', 'EXPLAIN asks for nothing');
SELECT set_eq('SELECT s.workbook_id, s.inode_id FROM sigma.workbooks w JOIN mine.sources s USING (workbook_id)',
	'SELECT workbook_id, inode_id FROM sigma.workbook_sources', 'values by a join');
SELECT set_eq('SELECT w.workbook_id, s.inode_id FROM sigma.workbooks w LEFT JOIN mine.sources s ON s.workbook_id = w.workbook_id',
	'SELECT w.workbook_id, s.inode_id FROM sigma.workbooks w LEFT JOIN sigma.workbook_sources s USING (workbook_id)', 'by an outer one');
SELECT set_eq('SELECT s.inode_id FROM (SELECT workbook_id AS w FROM sigma.workbooks OFFSET 0) w, LATERAL (SELECT * FROM mine.sources WHERE workbook_id = w.w OFFSET 0) s',
	'SELECT inode_id FROM sigma.workbook_sources', 'by LATERAL');
SELECT set_eq('SELECT inode_id FROM mine.sources WHERE workbook_id = ANY (ARRAY(SELECT workbook_id FROM sigma.workbooks))', 'SELECT inode_id FROM sigma.workbook_sources', 'by an array');
SELECT ok(psql('ANALYZE VERBOSE mine.sources') LIKE '%cannot analyze this foreign table%', 'ANALYZE passes over it');
CREATE FOREIGN TABLE mine.below_sources (workbook_id text, type text, x text) SERVER sigma OPTIONS (path '/v2/{workbook_id}/{type}', parent 'sources');
SELECT fails('SELECT * FROM mine.below_sources', '0A000', '%"sources"%', NULL, NULL, 'what stands below it cannot, either');

-- what stands below something that fails
ALTER FOREIGN TABLE mine.pages OPTIONS (ADD on_error 'row');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/workbooks/*", "times": 1, "do": "status", "status": 500}') \g /dev/null
SELECT is((SELECT count(*) FROM mine.pages WHERE _error ->> 'sqlstate' = '58000'), 1::bigint, '_error');
SELECT sim_calm() \g /dev/null

-- ---------------------------------------------------- what the columns must be

CREATE FUNCTION reading(options text, columns text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	EXECUTE made(options, columns);
	c := catch('SELECT * FROM mine.t');
	DROP FOREIGN TABLE mine.t;
	RETURN concat_ws(' ', c.state, c.message, c.detail);
END $$;
SELECT is(reading($$path '/v2/workbooks/{workbook_id}/pages', parent 'workbooks'$$, 'name text'),
	'HV005 foreign table "t" has no column "workbook_id" Its option "path" names the column.', 'a key without a column');
SELECT is(reading($$path '/v2/workbooks', key 'id'$$, 'name text'), 'HV005 foreign table "t" has no column "id" Its option "key" names the column.', 'no column for the key');
SELECT is(reading($$path '/v2/workbooks/{workbook_id}/pages', key 'workbook_id', parent 'workbooks'$$, 'workbook_id text'),
	'22023 invalid value for option "key" The column "workbook_id" of foreign table "t" is no field of an entry.', 'a parent''s key');
SELECT is(reading($$path '/v2/workbooks/{workbook_id}/pages', parent 'workbooks'$$, 'workbook_id int'),
	'HV004 column "workbook_id" of foreign table "t" must be of type text or uuid The table''s option "path" names it as a key.', 'a key of another type');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'workbooks'$$, 'id text'), 'HV005 parent "workbooks" of foreign table "t" has no column "id" ', 'a key that the parent lacks');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'workbooks'$$, 'id text OPTIONS (field ''workbookId''), page_id text'), '', 'by the API''s name of the parent''s field');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'books'$$, 'id text'),
	'22023 invalid parent "books" of foreign table "t" There is no such resource, and no such table.', 'a parent that is nothing');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'mine.t'$$, 'id text'), '22023 invalid parent "mine.t" of foreign table "t" The table would stand below itself.', 'a circle');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'public.expected'$$, 'id text'),
	'22023 invalid parent "public.expected" of foreign table "t" There is no such resource, and no such table.', 'another schema');
SELECT is(reading($$path '/v2/workbooks/{id}/pages', parent 'pg_catalog.pg_class'$$, 'id text'),
	'22023 invalid parent "pg_catalog.pg_class" of foreign table "t" It is not a foreign table of the same server.', 'no table of ours');
SELECT is(reading($$path '/v2/auth/token'$$, 'id text'), '42501 "t" does not fetch tokens A token would be readable in SQL; sign-in is done for every request by itself.', 'no tokens');
CREATE FOREIGN TABLE mine.any (a text, b text, id text) SERVER sigma OPTIONS (path '/v2/{a}/{b}');
SELECT fails($$SELECT * FROM mine.any WHERE a = 'auth' AND b = 'token'$$, '42501', '"any" does not fetch tokens', NULL, NULL, 'by whatever keys');
SELECT fails($$SELECT * FROM mine.any WHERE a = 'auth' AND b = 'token '$$, '42501', '"any" does not fetch tokens', NULL, NULL, 'however it is spelled');
SELECT is_empty($$SELECT * FROM mine.any WHERE a = '..' AND b = 'x'$$, 'no name, no row');
CREATE FOREIGN TABLE mine.circle_a (id text) SERVER sigma OPTIONS (path '/v2/a/{id}', parent 'circle_b');
CREATE FOREIGN TABLE mine.circle_b (id text) SERVER sigma OPTIONS (path '/v2/b/{id}', parent 'mine.circle_a');
SELECT fails('SELECT * FROM mine.circle_a', '22023', 'invalid parent "mine.circle_a" of foreign table "circle_b"', 'The table would stand below itself.', NULL, 'a wider circle');

-- ------------------------------------------------------------ plans that stay

PREPARE elements AS SELECT count(element_id) FROM mine.elements;
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION prepared(name text) RETURNS text LANGUAGE sql AS $$ SELECT (c).state || ' ' || (c).message || ' ' || (c).detail FROM catch('EXECUTE ' || name) c $$;
SELECT is(prepared('elements'), NULL, 'a prepared statement');
ALTER FOREIGN TABLE mine.pages RENAME TO leaves;
SELECT is(prepared('elements'), '22023 invalid parent "pages" of foreign table "elements" There is no such resource, and no such table.', 'after the parent was renamed');
ALTER FOREIGN TABLE mine.leaves RENAME TO pages;
SELECT is(prepared('elements'), NULL, 'and back');
ALTER FOREIGN TABLE mine.pages OPTIONS (SET path '/v2/nowhere/{workbook_id}/pages');
SELECT matches(plan_of('EXECUTE elements'), 'GET /v2/nowhere/', 'the plan is another');
DROP FOREIGN TABLE mine.pages;
SELECT is(prepared('elements'), '22023 invalid parent "pages" of foreign table "elements" There is no such resource, and no such table.', 'after it was dropped');
RESET plan_cache_mode;

-- others may read what is granted, by their own mapping
CREATE ROLE path_reader;
GRANT USAGE ON SCHEMA mine TO path_reader;
GRANT SELECT ON mine.account_types TO path_reader;
SET ROLE path_reader;
SELECT fails('SELECT * FROM mine.account_types', '28000', NULL, NULL, NULL, 'who has no mapping does not sign in');
RESET ROLE;
DROP OWNED BY path_reader;
DROP ROLE path_reader;

-- --------------------------------------------------------------- sigma_list()

SELECT set_eq($$SELECT e ->> 'connectionId' FROM sigma_list('sigma', '/v2/connections', '{"limit": 10}') e$$, 'SELECT connection_id FROM sigma.connections', 'sigma_list(): every entry');
SELECT is(requests_of($$SELECT sigma_list('sigma', '/v2/connections', '{"limit": 10, "search": "a b", "none": null}') LIMIT 1$$),
	'{GET /v2/connections?limit=10&search=a%20b}', 'what is asked for');
SELECT is(requests_of($$SELECT sigma_list('sigma', '/v2/connections', '{"limit": 10}') LIMIT 10$$), '{GET /v2/connections?limit=10}', 'the first page''s entries come before the next page');
SELECT is(sorted(requests_of($$SELECT count(*) FROM sigma_list('sigma', '/v2/connections', '{"limit": 10}')$$)),
	'{GET /v2/connections?limit=10,GET /v2/connections?limit=10&page=10,GET /v2/connections?limit=10&page=20}', 'each page once');
SELECT set_eq($$SELECT e ->> 'accountTypeId' FROM sigma_list('sigma', '/v2/accountTypes', '{"pageSize": 7}') e$$, 'SELECT account_type_id FROM sigma.account_types', 'of the other idiom');
SELECT set_eq(format($$SELECT e ->> 'inodeId' FROM sigma_list('sigma', '/v2/workbooks/%s/sources') e$$, w), format('SELECT attrs ->> ''inodeId'' FROM sigma.workbook_sources WHERE workbook_id = %L', w), 'a bare array')
	FROM (SELECT min(workbook_id) w FROM sigma.workbook_sources) w;
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/strange", "times": -1, "do": "body", "body": {"entries": [1, "two", null, [3], {"four": 4}], "total": 5}}') \g /dev/null
SELECT is((SELECT array_agg(e) FROM sigma_list('sigma', '/v2/strange') e), ARRAY['1', '"two"', 'null', '[3]', '{"four": 4}']::jsonb[], 'entries of any kind');
CREATE FOREIGN TABLE mine.names (value text) SERVER sigma OPTIONS (path '/v2/names');
SELECT sim_fault('{"path": "/v2/names", "times": -1, "do": "body", "body": ["one", "two"]}') \g /dev/null
SELECT results_eq('SELECT value FROM mine.names', $$VALUES ('one'), ('two')$$, 'a table of strings');
SELECT is((SELECT count(*) FROM mine.names), 2::bigint, 'and their number');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('page-loop') \g /dev/null
SELECT fails($$SELECT count(*) FROM sigma_list('sigma', '/v2/connections', '{"limit": 10}')$$, 'HV000', '%pagination loop%', NULL, NULL, 'a loop');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', '{"set": {"total": 26}}') \g /dev/null
SELECT ok(psql($$SELECT count(*) FROM sigma_list('sigma', '/v2/connections')$$) LIKE '%list of /v2/connections gave 25 entries, but Sigma counts 26%', 'a total that is not reached');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('status', '{"status": 500, "after": 1}') \g /dev/null
SELECT fails($$SELECT count(*) FROM sigma_list('sigma', '/v2/connections', '{"limit": 10}')$$, '58000', NULL, NULL, NULL, 'a page that fails');
SELECT sim_calm() \g /dev/null
SELECT fails(format('SELECT sigma_list(%s)', arguments), state, message, NULL, NULL, arguments)
	FROM (VALUES ($$'sigma', NULL$$, '22004', 'argument "path" must not be null'), ($$'nobody', '/v2/tags'$$, '42704', '%'), ($$'sigma', '/v2/tags?limit=1'$$, '22023', 'invalid path for sigma_list()'),
		($$'sigma', '/v2/auth/token'$$, '42501', 'sigma_list() does not fetch tokens'), ($$'sigma', '/v2/tags', '[]'$$, '22023', '"query" must be a JSON object'),
		($$'sigma', '/v2/tags', '{"page": 3}'$$, '22023', '"query" must not have the parameter "page"'), ($$'sigma', '/v2/tags', '{"a": {}}'$$, '22023', 'a value in "query" must be%'),
		($$'sigma', '/v2/whoami'$$, 'HV000', '%it has no array "entries"')) v (arguments, state, message);
-- a cursor stops in the middle, and a rolled back one leaves nothing
BEGIN READ ONLY;
DECLARE c CURSOR FOR SELECT sigma_list('sigma', '/v2/connections', '{"limit": 10}') ->> 'connectionId';
FETCH 12 FROM c \g /dev/null
SELECT is((SELECT count(*) FROM sigma.connections), 25::bigint, 'a cursor in a read-only transaction');
ROLLBACK;
SELECT is(has_function_privilege('public', 'sigma_list(text, text, jsonb)', 'EXECUTE'), false, 'PUBLIC may not');
SELECT unalike(psql($$\set VERBOSITY verbose
SELECT sigma_list('sigma', '/v2/nowhere', '{"apiSecret": "hush-hush"}')$$), '%hush-hush%', 'no secret of the query in an error');

BEGIN READ ONLY;
SELECT lives_ok('SELECT count(label) FROM mine.connections', 'in a transaction that is read-only');
COMMIT;

SELECT * FROM finish();

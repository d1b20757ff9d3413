-- Published descriptions of the API: IMPORT FOREIGN SCHEMA with the option
-- openapi, and sigma_openapi_tables().

\ir lib/simulator.sql
\ir lib/answers.sql
SELECT * FROM no_plan();

SELECT sim_start('main') \g /dev/null
SELECT make_server('sigma', sim_url(), 'max_retries ''0''') \g /dev/null
CREATE SCHEMA made;

-- a GET that replies with a list of such entries
CREATE FUNCTION list_of(properties jsonb, parameters text[] DEFAULT '{limit}', summary text DEFAULT 'List things') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('get', jsonb_build_object('summary', summary,
		'parameters', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', p, 'in', 'query')), '[]') FROM unnest(parameters) p),
		'responses', jsonb_build_object('200', jsonb_build_object('content', jsonb_build_object('application/json', jsonb_build_object('schema',
			jsonb_build_object('type', 'object', 'properties', jsonb_build_object('entries',
				jsonb_build_object('type', 'array', 'items', jsonb_build_object('type', 'object', 'properties', properties))))))))))
$$;
CREATE FUNCTION described(paths jsonb, version text DEFAULT '3.1.0') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('openapi', version, 'info', jsonb_build_object('title', 'a description of a test'), 'paths', paths)
$$;
CREATE TABLE description AS SELECT described(jsonb_build_object(
	'/v2/gadgets', list_of('{"gadgetId": {"type": "string"}, "madeAt": {"type": "string", "format": "date-time", "nullable": true}, "isOAuth": {"type": ["boolean", "null"]}, "size": {"type": "integer"}}',
		'{pageToken,pageSize}', 'List gadgets'),
	'/v2/gadgets/{gadgetId}', jsonb_build_object('get', '{"responses": {"200": {"content": {"application/json": {"schema": {"properties": {"gadgetId": {"type": "string"}}}}}}}}'::jsonb),
	'/v2/gadgets/{gadgetId}/parts', list_of('{"partId": {"type": "string"}, "weight": {"type": "number", "description": "Weight in kg"}}'),
	'/v2/tags', list_of('{"versionTagId": {"type": "string"}, "tomorrowsField": {"type": "string", "description": "A new one"}}')), '3.0.3') AS d;

-- --------------------------------------------------- sigma_openapi_tables()

CREATE TABLE answer AS SELECT t.* FROM description, sigma_openapi_tables('sigma', d) t;
SELECT results_eq('SELECT table_name, status FROM answer WHERE status <> ''gone'' ORDER BY 1', $$VALUES ('gadget_parts', 'new'), ('gadgets', 'new'), ('tags', 'extended')$$, 'statuses');
SELECT is((SELECT count(*) FROM answer WHERE status = 'gone'), (SELECT count(*) - 1 FROM pg_class WHERE relnamespace = 'sigma'::regnamespace), 'all else of the catalogue is gone');
SELECT is((SELECT count(*) FROM answer WHERE ddl IS NULL), 0::bigint, 'each has a statement');
SELECT is(split_part(ddl, ';', 1), $$CREATE FOREIGN TABLE gadgets (
	size bigint,
	made_at timestamp with time zone,
	is_oauth boolean OPTIONS (field 'isOAuth'),
	gadget_id pg_catalog.text,
	attrs pg_catalog.jsonb
) SERVER sigma OPTIONS (path '/v2/gadgets', paging 'page_token', key 'gadget_id', item_path '/v2/gadgets/{gadget_id}')$$, 'a new one') FROM answer WHERE table_name = 'gadgets';
SELECT is(split_part(ddl, ';', 1), $$CREATE FOREIGN TABLE gadget_parts (
	gadget_id pg_catalog.text,
	part_id pg_catalog.text,
	weight numeric,
	attrs pg_catalog.jsonb,
	_error pg_catalog.jsonb
) SERVER sigma OPTIONS (path '/v2/gadgets/{gadget_id}/parts', paging 'page', key 'part_id', parent 'gadgets')$$, 'one below it') FROM answer WHERE table_name = 'gadget_parts';
SELECT matches(ddl, 'tomorrows_field pg_catalog.text OPTIONS \(field ''tomorrowsField''\)\n\) SERVER sigma OPTIONS \(resource ''tags''\);', 'a field that is new') FROM answer WHERE table_name = 'tags';
-- as in doc/reading.md
SELECT is(psql(format($$SET search_path = made, public;
SELECT ddl FROM public.answer \gexec
SELECT count(*) FROM pg_class WHERE relnamespace = 'made'::regnamespace AND relkind = 'f';$$)), (SELECT count(*)::text FROM answer), 'all of them by \gexec');
SELECT is(obj_description('made.gadgets'::regclass), 'List gadgets', 'with comments');
SELECT is(col_description('made.gadget_parts'::regclass, 3), 'Weight in kg', 'of columns, too');
SELECT is(col_description('made.tags'::regclass, attnum), 'A new one', 'and of new fields') FROM pg_attribute WHERE attrelid = 'made.tags'::regclass AND attname = 'tomorrows_field';
SELECT set_eq('SELECT version_tag_id, tomorrows_field FROM made.tags', 'SELECT version_tag_id, attrs ->> ''tomorrowsField'' FROM sigma.tags', 'a table with a new field is read');
SELECT sim_fault('{"path": "/v2/gadgets", "times": -1, "do": "body", "body": {"entries": [{"gadgetId": "g/1", "isOAuth": true, "size": 3.0}], "nextPageToken": null}}') \g /dev/null
SELECT sim_fault('{"path": "/v2/gadgets/g%2F1", "times": -1, "do": "body", "body": {"gadgetId": "g/1", "size": 4}}') \g /dev/null
SELECT sim_fault('{"path": "/v2/gadgets/*", "times": -1, "do": "body", "body": {"entries": [{"partId": "p", "weight": 0.5}], "nextPage": null, "total": 1}}') \g /dev/null
SELECT results_eq('SELECT gadget_id, is_oauth, size FROM made.gadgets', $$VALUES ('g/1', true, 3::bigint)$$, 'a new table is read');
SELECT results_eq('SELECT gadget_id, part_id, weight::text FROM made.gadget_parts', $$VALUES ('g/1', 'p', '0.5')$$, 'with what stands below it');
SELECT sim_calm() \g /dev/null
DROP SCHEMA made CASCADE;
CREATE SCHEMA made;

-- ----------------------------------------------------------------- IMPORT

CREATE FUNCTION file_of(content text, name text DEFAULT 'described.json') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO %L WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'', ESCAPE E''\x02'')', content, current_setting('data_directory') || '/' || name);
	RETURN current_setting('data_directory') || '/' || name;
END $$;
CREATE FUNCTION import(file text, which text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT format('IMPORT FOREIGN SCHEMA anything %s FROM SERVER sigma INTO made OPTIONS (openapi %L)', which, file)
$$;
CREATE FUNCTION tables() RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(relname::text ORDER BY relname), '{}') FROM pg_class WHERE relnamespace = 'made'::regnamespace
$$;
SELECT file_of(d::text) AS file FROM description \gset
SELECT lives_ok(import(:'file', 'LIMIT TO (gadgets, tags, teams)'), 'LIMIT TO');
SELECT is(tables(), '{gadgets,tags,teams}', 'makes these');
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 'made.tags'::regclass AND attname = 'tomorrows_field'), 1::bigint, 'with new fields');
DROP SCHEMA made CASCADE;
CREATE SCHEMA made;
SELECT lives_ok(import(:'file', 'EXCEPT (gadgets)'), 'EXCEPT');
SELECT is(tables(), (SELECT array_agg(n ORDER BY n COLLATE "C") FROM (SELECT relname::text FROM pg_class WHERE relnamespace = 'sigma'::regnamespace UNION SELECT 'gadget_parts') t (n)),
	'makes all others');
DROP SCHEMA made CASCADE;
CREATE SCHEMA made;

SELECT fails(import('described.json'), '22023', 'invalid value for option "openapi"', NULL, 'It must be an absolute path%', 'a relative path');
SELECT fails(import('/nowhere/at/all.json'), '58P01', 'could not read file "/nowhere/at/all.json": No such file or directory', NULL, NULL, 'no file');
SELECT fails(import(current_setting('data_directory')), '42809', '%is not a regular file', NULL, NULL, 'a directory');
SELECT sim_shell(format('mkfifo %s/pipe.json', sim_quote(current_setting('data_directory')))) \g /dev/null
SELECT fails(import(current_setting('data_directory') || '/pipe.json'), '42809', '%is not a regular file', NULL, NULL, 'a pipe that nobody writes to');
SELECT sim_shell(format('rm %s/pipe.json; head -c 10485761 /dev/zero >%s/large.json', sim_quote(current_setting('data_directory')), sim_quote(current_setting('data_directory')))) \g /dev/null
SELECT fails(import(current_setting('data_directory') || '/large.json'), '54000', 'file "%" is larger than 10 MB', NULL, NULL, 'a large file');
SELECT sim_shell(format('printf ''{"\377": 1}'' >%s/large.json', sim_quote(current_setting('data_directory')))) \g /dev/null
SELECT fails(import(current_setting('data_directory') || '/large.json'), '22021', 'file "%" is not UTF-8', NULL, NULL, 'no UTF-8');
SELECT sim_shell(format('rm %s/large.json', sim_quote(current_setting('data_directory')))) \g /dev/null
SELECT fails(import(file_of(content)), '22023', 'file "%" cannot be used as a description of the API', detail, 'Sigma publishes its description as JSON%', content)
	FROM (VALUES ('{"openapi": "3.1.0"', 'It is not JSON: %'), ('', 'It is not JSON: %'), ('[]', 'It is no OpenAPI description: it has no "openapi".'),
		('{"swagger": "2.0", "paths": {}}', 'It is no OpenAPI description: it has no "openapi".'), ('{"openapi": "4.0", "paths": {}}', 'It is of OpenAPI "4.0", and must be of 3.0 or 3.1.'),
		('{"openapi": "3.1.0", "paths": []}', 'It is no OpenAPI description: it has no object "paths".')) v (content, detail);
SELECT is(tables(), '{}', 'and nothing is made');
SELECT fails(format('IMPORT FOREIGN SCHEMA x FROM SERVER sigma INTO made OPTIONS (openapi %L, other ''x'')', :'file'), 'HV00D', 'invalid option "other"', NULL, NULL, 'another option');
CREATE ROLE importer;
GRANT USAGE ON FOREIGN SERVER sigma TO importer;
GRANT ALL ON SCHEMA made TO importer;
GRANT SELECT ON description TO importer;
SELECT set_config('sim.import', import(file_of((SELECT d::text FROM description))), false) \g /dev/null
SET ROLE importer;
SELECT fails(current_setting('sim.import'), '42501', 'permission denied to read a file on the server''s machine', NULL, 'sigma_openapi_tables() takes%', 'without pg_read_server_files');
SELECT is((SELECT count(*) FROM description, sigma_openapi_tables('sigma', d) WHERE status = 'new'), 2::bigint, 'but by the function');
RESET ROLE;
GRANT pg_read_server_files TO importer;
SET ROLE importer;
SELECT lives_ok(current_setting('sim.import'), 'with it');
RESET ROLE;
DROP SCHEMA made CASCADE;
CREATE SCHEMA made;
REVOKE USAGE ON FOREIGN SERVER sigma FROM importer;
SET ROLE importer;
SELECT fails('SELECT * FROM sigma_openapi_tables(''sigma'', ''{}'')', '42501', 'permission denied for foreign server sigma', NULL, NULL, 'without USAGE on the server');
RESET ROLE;
DROP OWNED BY importer;
DROP ROLE importer;

-- ------------------------------------------------------------- foreign text

-- what looks like SQL, what is too long, what is there twice, what has no name
CREATE TABLE hostile AS SELECT described(jsonb_build_object(
	'/v2/x"; DROP TABLE description; --', list_of('{"a": {"type": "string"}}'),
	'/v2/it''s', list_of('{"a": {"type": "string"}}'),
	'/v2/' || repeat('long', 30), list_of('{"a": {"type": "string"}}'),
	'/v2/' || repeat('long', 31), list_of('{"a": {"type": "string"}}'),
	'/v2/select', list_of('{"a": {"type": "string"}}'),
	'/v2/TAGS', list_of('{"a": {"type": "string"}}'),
	'/v2/a/{x"; DROP}/b', list_of('{"a": {"type": "string"}}'),
	'/v2/a/{1}/{2}/{3}/{4}/{5}', list_of('{"a": {"type": "string"}}'),
	'/v2/odd', list_of(jsonb_build_object('a", b text); DROP TABLE description; --', '{"type": "string", "description": "it''s; DROP TABLE description; \\ $$ x"}'::jsonb,
		'', '{"type": "string"}'::jsonb, 'fooBar', '{"type": "string"}'::jsonb, 'foo_bar', '{"type": "string"}'::jsonb, 'foo-bar', '{"type": "string"}'::jsonb,
		'ctid', '{"type": "string"}'::jsonb, 'attrs', '{"type": "string"}'::jsonb, '_error', '{"type": "string"}'::jsonb, 'back\slash''', '{"type": "string"}'::jsonb,
		repeat('f', 100), '{"type": "string"}'::jsonb, repeat('f', 101), '{"type": "string"}'::jsonb, 'größe', '{"type": "string"}'::jsonb), '{limit}', E'A "list"\n; it''s \x1b[31m'))) AS d;
SELECT is((SELECT string_agg(n, ' ' ORDER BY n COLLATE "C") FROM hostile, sigma_openapi_tables('sigma', d) t (n, s, ddl) WHERE s = 'new'),
	'a_b it_s ' || repeat('long', 15) || 'l_2 ' || repeat('long', 15) || 'lon odd select tags_2', 'names');
SELECT set_config('client_min_messages', 'error', false) \g /dev/null
SELECT matches(psql('SELECT count(*) FROM hostile, sigma_openapi_tables(''sigma'', d)'), 'the list .* is left out', 'what cannot be a path is left out, with a word');
SELECT lives_ok(import(file_of((SELECT d::text FROM hostile))), 'quoted');
SELECT is((SELECT count(*) FROM pg_class WHERE relname = 'description'), 1::bigint, 'nothing else was executed');
SELECT ok(EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'made.odd'::regclass AND attfdwoptions @> ARRAY[format('field=%s', f)]), f)
	FROM unnest(ARRAY['a", b text); DROP TABLE description; --', 'ctid', '_error', 'back\slash''', repeat('f', 100), repeat('f', 101), 'foo-bar']) f;
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 'made.odd'::regclass AND attname LIKE 'foo_bar%'), 3::bigint, 'names that are the same in SQL');
SELECT sim_fault(jsonb_build_object('path', '/v2/odd', 'times', -1, 'do', 'body', 'body', jsonb_build_object('entries', jsonb_build_array(
	jsonb_build_object('a", b text); DROP TABLE description; --', 1, 'foo-bar', 2, 'foo_bar', 3, 'fooBar', 4, 'größe', 5, 'ctid', 6, '_error', 7, 'back\slash''', 8))))) \g /dev/null
SELECT is((SELECT array_agg(value ORDER BY value) FROM made.odd o, jsonb_each_text(to_jsonb(o) - 'attrs') WHERE value IS NOT NULL), '{1,2,3,4,5,6,7,8}', 'each column has its field');
DROP SCHEMA made CASCADE;
CREATE SCHEMA made;
SELECT lives_ok(format('DO $do$ DECLARE s text; BEGIN SET LOCAL search_path = made, public; FOR s IN SELECT ddl FROM hostile, sigma_openapi_tables(''sigma'', d) LOOP EXECUTE s; END LOOP; END $do$'), 'with comments');
SELECT unalike(obj_description('made.odd'::regclass), E'%\x1b%', 'which are cleaned');
SELECT ok(bool_or(col_description('made.odd'::regclass, attnum) = 'it''s; DROP TABLE description; \ $$ x'), 'and quoted') FROM pg_attribute WHERE attrelid = 'made.odd'::regclass AND attnum > 0;

-- circles end, and so does what grows without end
SELECT is((SELECT count(*) FROM sigma_openapi_tables('sigma', described(jsonb_build_object('/v2/circles', list_of('{"x": {"$ref": "#/components/schemas/a"}, "y": {"$ref": "#/components/schemas/b"}}')))
	|| '{"components": {"schemas": {"a": {"$ref": "#/components/schemas/b"}, "b": {"$ref": "#/components/schemas/a"}}}}') WHERE status = 'new'), 1::bigint, 'a circle');
SELECT fails(format('SELECT count(*) FROM sigma_openapi_tables(''sigma'', %L)', described(jsonb_build_object('/v2/circles', list_of('{"x": {"$ref": "#/components/schemas/a"}}')))
	|| '{"components": {"schemas": {"a": {"oneOf": [{"$ref": "#/components/schemas/a"}, {"$ref": "#/components/schemas/a"}, {"$ref": "#/components/schemas/a"}, {"$ref": "#/components/schemas/a"}]}}}}'),
	'22023', 'the argument "description" cannot be used%', 'It is too large: more than 200000 schemas were looked at.', NULL, 'a circle that branches');
SELECT fails('SELECT * FROM sigma_openapi_tables(''sigma'', NULL)', '22004', 'argument "description" must not be null', NULL, NULL, 'no description');
SELECT fails('SELECT * FROM sigma_openapi_tables(''sigma'', ''[]'')', '22023', 'the argument "description" cannot be used as a description of the API', NULL, NULL, 'an array');
SELECT is(count_of('SELECT * FROM description, sigma_openapi_tables(''sigma'', d)'), 0, 'no request is made');

-- the published one, if it is at hand
\getenv openapi SIGMA_OPENAPI
\if :{?openapi}
SELECT set_config('sim.openapi', :'openapi', false) \g /dev/null
CREATE TABLE published AS SELECT * FROM sigma_openapi_tables('sigma', sim_shell('cat ' || sim_quote(current_setting('sim.openapi')))::jsonb);
SELECT is_empty('SELECT table_name FROM published WHERE status = ''new''', 'all lists of the published description are known');
SELECT is_empty('SELECT table_name FROM published WHERE status = ''gone'' AND ddl NOT LIKE ''%on_missing ''''empty''''%''', 'none has gone');
\endif

SELECT * FROM finish();

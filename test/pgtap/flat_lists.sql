-- Elements and columns come in one list of each document, and what only the
-- lists of its pages say is asked of them only if the query uses it.

\ir lib/simulator.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

CREATE FUNCTION asked(query text, process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(r ORDER BY r COLLATE "C"), '{}')
	FROM (SELECT regexp_replace(r, '(\?(limit|pageSize)=\d+$)|&(limit|pageSize)=\d+', '') FROM unnest(requests_of(query, process)) r) r (r)
$$;

-- of the lists that a query asks for, which kinds there are, and how many of each
CREATE FUNCTION kinds(query text, process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(kind || ' x' || n ORDER BY kind COLLATE "C"), '{}') FROM (
		SELECT kind, count(*) AS n
		FROM (SELECT regexp_replace(regexp_replace(r, '[0-9a-f-]{36}', 'ID', 'g'), '/page[0-9]+/', '/PAGE/')
			FROM unnest(asked(query, process)) r) k (kind)
		GROUP BY kind) k
$$;

SELECT count(*) AS n FROM (SELECT name FROM sim.workbooks OFFSET 0) w \gset
SELECT count(*) AS pages FROM sim.workbook_pages \gset
SELECT count(*) AS reports FROM (SELECT name FROM sim.reports OFFSET 0) r \gset
SELECT workbook_id AS workbook FROM sim.workbooks WHERE name = 'Pipeline Review' \gset
SELECT min(page_id) AS page FROM sim.workbook_pages WHERE workbook_id = :'workbook' \gset

-- ------------------------------------------------------------ which is chosen

-- what EXPLAIN says of the last list, and what is asked for
CREATE FUNCTION form_of(query text) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT CASE WHEN r ~ '/pages/' THEN 'pages' ELSE 'flat' END, ',')
		|| CASE WHEN plan_of(query) ~ 'GET /v2/(workbooks|reports)/[^/]+/elements' THEN ', shown flat' ELSE ', shown pages' END
	FROM unnest(asked(query)) r WHERE r ~ '/elements'
$$;
SELECT is(form_of(q), 'flat, shown flat', q) FROM unnest(ARRAY[
	'SELECT workbook_id, element_id, name, type, columns, error, attrs, _error FROM sim.workbook_elements',
	'SELECT count(*) FROM sim.workbook_elements',
	'SELECT count(*) FROM sim.workbook_elements WHERE type = ''table''',
	'SELECT 1 FROM sim.workbook_elements',
	'SELECT element_id FROM sim.workbook_elements WHERE workbook_id = ' || quote_literal(:'workbook'),
	'SELECT type, count(*) FROM sim.workbook_elements GROUP BY type ORDER BY 1',
	'SELECT element_id FROM (SELECT * FROM sim.workbook_elements) e',
	'SELECT report_id, element_id, name FROM sim.report_elements',
	'SELECT count(*) FROM sim.report_elements']) q;
SELECT is(form_of(q), 'pages, shown pages', q) FROM unnest(ARRAY[
	'SELECT * FROM sim.workbook_elements',
	'SELECT page_id, element_id FROM sim.workbook_elements',
	'SELECT count(page_id) FROM sim.workbook_elements',
	'SELECT element_id FROM sim.workbook_elements ORDER BY page_id',
	'SELECT count(*) FROM sim.workbook_elements GROUP BY page_id',
	'SELECT element_id FROM sim.workbook_elements WHERE page_id = ' || quote_literal(:'page'),
	'SELECT element_id FROM sim.workbook_elements WHERE page_id || '''' = ' || quote_literal(:'page'),
	'SELECT e FROM sim.workbook_elements e',
	'SELECT e::text FROM sim.workbook_elements e',
	'SELECT e IS NULL FROM sim.workbook_elements e',
	'SELECT e.name FROM sim.workbook_elements e JOIN sim.workbook_pages p USING (workbook_id, page_id)',
	'SELECT (SELECT p.name FROM sim.workbook_pages p WHERE p.workbook_id = e.workbook_id AND p.page_id = e.page_id) FROM sim.workbook_elements e',
	'SELECT * FROM sim.report_elements']) q;

-- ------------------------------------------------------- the rows are the same

CREATE FUNCTION differ(columns text, of text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('WITH flat AS MATERIALIZED (SELECT %1$s FROM sim.%2$s), pages AS MATERIALIZED (SELECT %1$s, page_id FROM sim.%2$s)
		SELECT count(*) FROM ((TABLE flat EXCEPT ALL SELECT %1$s FROM pages) UNION ALL (SELECT %1$s FROM pages EXCEPT ALL TABLE flat)) d',
		columns, of) INTO n;
	RETURN n;
END
$$;
SELECT is(differ('workbook_id, element_id, name, type, vizualization_type, columns, error, attrs', 'workbook_elements'), 0::bigint, 'elements of workbooks');
SELECT is(differ('report_id, element_id, name, type, vizualization_type, columns, error, attrs', 'report_elements'), 0::bigint, 'and of reports');
SELECT is((SELECT count(*) FROM sim.report_elements), (SELECT count(page_id) FROM sim.report_elements), 'element_id repeats in other reports, and each is a row');

-- in joins, by look-ups and by lists; a key for each outer row or from a parameter
SELECT count(element_id) AS elements FROM sim.workbook_elements WHERE workbook_id = :'workbook' \gset
SELECT is((SELECT count(e.element_id)::int FROM sim.workbooks w JOIN sim.workbook_elements e USING (workbook_id) WHERE w.name = 'Pipeline Review'), :elements,
	'a look-up join');
SELECT is(kinds('SELECT w.name, e.element_id FROM sim.workbooks w JOIN sim.workbook_elements e USING (workbook_id) WHERE w.name = ''Pipeline Review'''),
	'{GET /v2/workbooks x1,GET /v2/workbooks/ID/elements x1}', 'asks for one list');
SELECT matches(plan_of('SELECT w.name, e.element_id FROM sim.workbooks w JOIN sim.workbook_elements e USING (workbook_id) WHERE w.name = ''Churn'''),
	'Remote Request: GET /v2/workbooks/\{workbook_id\}/elements\?', 'and shows it');
SELECT is((SELECT count(e.page_id)::int FROM sim.workbooks w JOIN sim.workbook_elements e USING (workbook_id) WHERE w.name = 'Pipeline Review'), :elements,
	'with the pages, as many');
SELECT is((SELECT n FROM (SELECT w.name, (SELECT count(*)::int FROM sim.workbook_elements e WHERE e.workbook_id = w.workbook_id) FROM sim.workbooks w) c (name, n)
	WHERE name = 'Pipeline Review'), :elements, 'a subselect');
SELECT is((SELECT n FROM (SELECT w.name, (SELECT count(e)::int FROM sim.workbook_elements e WHERE e.workbook_id = w.workbook_id) FROM sim.workbooks w) c (name, n)
	WHERE name = 'Pipeline Review'), :elements, 'one of whole rows');
SET plan_cache_mode = force_generic_plan;
PREPARE flat(text[]) AS SELECT count(element_id)::int FROM sim.workbook_elements WHERE workbook_id = ANY ($1);
PREPARE paged(text, text) AS SELECT count(*)::int FROM sim.workbook_elements WHERE workbook_id = $1 AND page_id = $2;
SELECT is(asked(format('EXECUTE flat(ARRAY[%L])', :'workbook')), ARRAY[format('GET /v2/workbooks/%s/elements', :'workbook')], 'a prepared statement');
SELECT is(asked(format('EXECUTE paged(%L, %L)', :'workbook', :'page')), ARRAY[format('GET /v2/workbooks/%s/pages/%s/elements', :'workbook', :'page')],
	'and one about a page');
RESET plan_cache_mode;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT element_id FROM sim.workbook_elements;
MOVE ALL c;
MOVE ABSOLUTE 0 c;
SELECT is(asked('MOVE ALL c'), '{}', 'a cursor that goes back has kept the rows');
COMMIT;

-- as part of a larger table
CREATE TABLE every_element (workbook_id text, page_id text, element_id text, name text) PARTITION BY LIST (name);
CREATE FOREIGN TABLE part PARTITION OF every_element DEFAULT SERVER sim OPTIONS (resource 'workbook_elements');
SELECT is(kinds('SELECT element_id FROM every_element'), ARRAY['GET /v2/workbooks x1', format('GET /v2/workbooks/ID/elements x%s', :n)], 'as a partition');
SELECT is((SELECT count(*) FROM every_element), (SELECT count(page_id) FROM every_element), 'with the same rows');
CREATE FOREIGN TABLE pageless (workbook_id text, element_id text, name text) SERVER sim OPTIONS (resource 'workbook_elements');
SELECT is(kinds('SELECT * FROM pageless'), ARRAY['GET /v2/workbooks x1', format('GET /v2/workbooks/ID/elements x%s', :n)], 'a table without page_id');
SELECT is(kinds('ANALYZE pageless'), ARRAY['GET /v2/workbooks x1', format('GET /v2/workbooks/ID/elements x%s', :n)], 'is analyzed so');
SELECT is((SELECT count(*)::int FROM unnest(asked('ANALYZE sim.workbook_elements')) r WHERE r ~ '/pages/'), :pages, 'one with it is not');
SELECT is((SELECT reltuples FROM pg_class WHERE oid = 'pageless'::regclass), (SELECT reltuples FROM pg_class WHERE oid = 'sim.workbook_elements'::regclass),
	'which comes to the same');

-- as the parents of a table that says itself what it is
CREATE FOREIGN TABLE below (workbook_id text, element_id text, column_id text, label text) SERVER sim
	OPTIONS (path '/v2/workbooks/{workbook_id}/elements/{element_id}/columns', parent 'workbook_elements', paging 'page');
SELECT is((SELECT count(*)::int FROM unnest(asked('SELECT * FROM below')) r WHERE r ~ '/pages'), 0, 'parents are listed in the flat form');
SELECT is((SELECT count(label) FROM below), (SELECT count(label) FROM sim.workbook_element_columns WHERE element_id IS NOT NULL), 'and are the same');
SELECT is(plan_of('SELECT * FROM below') ~ 'Remote Parent Requests: .*GET /v2/workbooks/\{workbook_id\}/elements\?', true, 'EXPLAIN shows it');

-- ------------------------------------------------------------------- failures

SELECT workbook_id AS other FROM sim.workbooks WHERE name = 'Churn' \gset
ALTER FOREIGN TABLE sim.workbook_elements OPTIONS (ADD on_error 'row');
SELECT count(element_id) AS all_elements FROM sim.workbook_elements \gset
SELECT count(element_id) AS others FROM sim.workbook_elements WHERE workbook_id <> :'other' \gset
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/elements', :'other'), 'times', -1, 'do', 'status', 'status', 403)) \g /dev/null
SELECT results_eq('SELECT workbook_id, _error ->> ''sqlstate'', element_id FROM sim.workbook_elements WHERE _error IS NOT NULL',
	format('VALUES (%L, ''42501'', NULL)', :'other'), 'on_error row: a document whose list fails is a row');
SELECT is((SELECT count(element_id)::int FROM sim.workbook_elements), :others, 'and the rest is there');
SELECT is((SELECT count(page_id)::int FROM sim.workbook_elements), :all_elements, 'the pages'' lists do not matter to it, nor it to them');
ALTER FOREIGN TABLE sim.workbook_elements OPTIONS (DROP on_error);
SELECT fails('SELECT name FROM sim.workbook_elements', '42501', NULL, '%/elements%', NULL, 'else it is an error');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------------ how many requests

-- 100 workbooks, and 40 elements and columns of each
SELECT sim_start('many') \g /dev/null
SELECT make_server('many', sim_url('many')) \g /dev/null
CREATE FUNCTION answer(path text, entries jsonb) RETURNS void
LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', path, 'times', -1, 'do', 'body',
		'body', jsonb_build_object('entries', entries, 'nextPage', NULL, 'total', jsonb_array_length(entries))), 'many')
$$;
SELECT answer('/v2/workbooks', (SELECT jsonb_agg(jsonb_build_object('workbookId', format('8891fd40-5470-4ff2-a74f-%s', lpad(n::text, 12, '0')), 'name', 'W' || n))
	FROM generate_series(1, 100) n)) \g /dev/null
SELECT answer('/v2/workbooks/*', (SELECT jsonb_agg(jsonb_build_object('elementId', 'e' || n, 'columnId', 'c' || n % 4, 'name', 'N' || n))
	FROM generate_series(1, 40) n)) \g /dev/null
SELECT is(kinds('SELECT workbook_id, element_id, name FROM many.workbook_elements', 'many'),
	'{GET /v2/workbooks x1,GET /v2/workbooks/ID/elements x100}', 'elements of 100 workbooks: one request for each');
SELECT is(kinds('SELECT * FROM many.workbook_element_columns', 'many'),
	'{GET /v2/workbooks x1,GET /v2/workbooks/ID/columns x100}', 'and so their columns');
SELECT is(kinds('SELECT count(*) FROM many.workbook_elements', 'many'), '{GET /v2/workbooks x1,GET /v2/workbooks/ID/elements x100}', 'to count them');
SELECT is((SELECT count(*) FROM many.workbook_elements), 4000::bigint, '... which are 4000');
SELECT is((SELECT array_agg(k) FROM unnest(kinds('SELECT w.name, e.name, c.label FROM many.workbooks w JOIN many.workbook_elements e USING (workbook_id)
	JOIN many.workbook_element_columns c USING (workbook_id, element_id)', 'many')) k WHERE k LIKE '%ID%'),
	'{GET /v2/workbooks/ID/columns x100,GET /v2/workbooks/ID/elements x100}', 'all of it, joined');
SELECT sim_stop('many') \g /dev/null

-- -------------------------------------------------------------------- columns

SELECT is(kinds('SELECT * FROM sim.report_columns'), ARRAY['GET /v2/reports x1', format('GET /v2/reports/ID/columns x%s', :reports)], 'columns of reports');
SELECT is(kinds('SELECT * FROM sim.data_model_columns'), '{GET /v2/dataModels x1,GET /v2/dataModels/ID/columns x2}', 'and of data models');
SELECT results_eq(format('SELECT element_id, column_id, label, type ->> ''type'', formula FROM sim.workbook_element_columns WHERE workbook_id = %L ORDER BY 1, 2 LIMIT 1', :'workbook'),
	$$VALUES ('elem00006', 'col00007_0', 'Region', 'text', '[RIDES/Region]')$$, 'a column, as the list of its element''s columns has it');
-- some columns belong to no element
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/workbooks/%s/columns', :'workbook'), 'times', -1, 'do', 'edit', 'entries_patch',
	jsonb_build_array(jsonb_build_object('index', 0, 'remove', '["elementId"]'::jsonb)))) \g /dev/null
SELECT is((SELECT count(*)::int FROM sim.workbook_element_columns WHERE workbook_id = :'workbook' AND element_id IS NULL), 1, 'a column without an element is a row');
SELECT sim_calm() \g /dev/null

SELECT * FROM finish();

-- IMPORT FOREIGN SCHEMA ... OPTIONS (workbook '...'), and the controls of a
-- workbook as columns.

\ir lib/simulator.sql
\ir lib/elements.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

CREATE FUNCTION tables_of(schema text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(relname::text ORDER BY oid) FROM pg_class WHERE relnamespace = schema::regnamespace AND relkind = 'f'
$$;
CREATE FUNCTION columns_of(t regclass) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) FROM pg_attribute WHERE attrelid = t AND attnum > 0
$$;
CREATE FUNCTION import(schema text, workbook text, limits text DEFAULT '') RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SCHEMA %I', schema);
	EXECUTE format('IMPORT FOREIGN SCHEMA sigma %s FROM SERVER data INTO %I OPTIONS (workbook %L)', limits, schema, workbook);
	RETURN tables_of(schema);
END $$;

SELECT sim_calm('data') \g /dev/null
SELECT is(import('sales', 'Sales overview'), '{orders,revenue_by_region,total_revenue,revenue_with_totals,orders_2,broken,odd_names,messages,empty,'
	'element_el_nameless,the_revenue_of_all_regions_in_all_countries_of_the_whole_wide_w,large}'::text[], 'a table of each element that has columns, by the workbook''s name');
SELECT is((SELECT array_agg(path || coalesce('?' || nullif(query, ''), '')) FROM (SELECT replace(path, :'workbook', 'ID') AS path, query FROM sim_log('data') ORDER BY n) x),
	'{/v2/workbooks?limit=1000,/v2/workbooks/ID/pages?limit=1000,/v2/workbooks/ID/pages/pgOverview/elements?limit=1000,'
	'/v2/workbooks/ID/pages/pgOdds/elements?limit=1000,/v2/workbooks/ID/pages/pgLarge/elements?limit=1000,'
	'/v2/workbooks/ID/columns?limit=1000,/v2/workbooks/ID/controls?limit=1000}', '... one list of all columns, and one of each page');
SELECT is(columns_of('sales.orders'), '{order_no numeric,region text,ordered_at timestamp with time zone,shipped_on date,amount numeric,'
	'quantity bigint,paid boolean,details jsonb,note text,_control_region text,_control_min_quantity text,_control_paid text}'::text[], 'columns by name and type');
SELECT is((SELECT array_agg(array_to_string(attfdwoptions, '; ') ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'sales.orders'::regclass AND attnum IN (1, 10, 12)),
	'{"field=Order No",control=Region,control=Paid?}', '... whose options keep the names');
SELECT is(obj_description('sales.revenue_by_region'::regclass), 'Revenue by Region (bar on page "Overview" of workbook "Sales overview")', 'a comment has name, kind and page');
SELECT is(obj_description('sales.orders_2'::regclass), 'orders (input-table on page "Odds" of workbook "Sales overview")', '... of the second of a name, too');
SELECT is(obj_description('sales.element_el_nameless'::regclass), 'Element without a name (table on page "Odds" of workbook "Sales overview")', '... and of none');
SELECT is(array_to_string((SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = 'sales.orders'::regclass), ' '),
	format('resource=element workbook_id=%s element_id=elOrders', :'workbook'), 'the table''s options');
SELECT is(columns_of('sales.odd_names'), ARRAY[
	'revenue_of_all_regions_and_of_all_countries_and_of_all_countrie numeric', 'revenue_of_all_regions_and_of_all_countries_and_of_all_countr_2 numeric',
	'he_said_no text', '📈 numeric', 'column_8 numeric', 'größe_ÄÖ numeric', 'order text', '_1st text', 'order_2 text', 'attrs text', 'a_b_c text',
	'order_date timestamp with time zone', 'tags jsonb', '_control_region text', '_control_min_quantity text', '_control_paid text'], 'odd names');
SELECT is((SELECT format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s', revenue_of_all_regions_and_of_all_countries_and_of_all_countrie,
		revenue_of_all_regions_and_of_all_countries_and_of_all_countr_2, he_said_no, "📈", column_8, "order", _1st, order_2, attrs, a_b_c, tags ->> 1)
	FROM sales.odd_names), '3|4|no|5|6|small|first|large|not the row|tab|y', '... and each has its value');
SELECT is((SELECT sum(revenue) FROM sales.revenue_by_region WHERE region <> 'EMEA'), 12345678901234567990.123456789, 'it can be read');
SELECT is((SELECT count(*) FROM sales.orders o JOIN sales.orders_2 c USING (order_no)), 2::bigint, '... and joined');
SELECT is((SELECT format('%s %s', count(*), sum(n)) FROM sales.large), '1000 499500', '... the large one');
SELECT is((SELECT count(*) FROM sales.empty), 0::bigint, '... and the empty one');

-- what is left out is told
SELECT is((SELECT array_agg(line) FROM regexp_split_to_table(psql('CREATE SCHEMA told;
	IMPORT FOREIGN SCHEMA sigma LIMIT TO (odd_names) FROM SERVER data INTO told OPTIONS (workbook ''Sales overview'')'), E'\n') line WHERE line LIKE 'NOTICE%'),
	ARRAY['NOTICE:  00000: column "Amount" of element "Odd names" is left out: the element has another column of this name, and rows do not tell them apart',
		'NOTICE:  00000: column "Amount" of element "Odd names" is left out: the element has another column of this name, and rows do not tell them apart',
		'NOTICE:  00000: column without a name of element "Odd names" is left out: its rows cannot be asked for what has no name'], 'a NOTICE says why a column is left out');

SELECT is((SELECT array_agg(line) FROM regexp_split_to_table(psql('IMPORT FOREIGN SCHEMA sigma LIMIT TO ("order", revenue) FROM SERVER data INTO told '
	'OPTIONS (workbook ''Sales overview'')'), E'\n') line WHERE line ~ '^(NOTICE|HINT|ERROR)'), ARRAY['NOTICE:  00000: there is no table "order" to import',
		'HINT:  Perhaps you meant "orders".', 'NOTICE:  00000: there is no table "revenue" to import'], '... and what no element is called');

-- names that no column can have, and more columns than a table can have
SELECT sim_fault(jsonb_build_object('path', '/v2/workbooks/' || :'workbook' || '/columns', 'do', 'body', 'body', (SELECT jsonb_build_object('entries',
	jsonb_agg(jsonb_build_object('elementId', 'elRevenue', 'columnId', 'c' || i, 'name', coalesce(('{Xmin,CTID,tableoid}'::text[])[i], 'Column ' || i),
		'type', jsonb_build_object('type', 'text'))), 'nextPage', NULL) FROM generate_series(1, 1610) i)), 'data') \g /dev/null
SELECT is(import('wide', 'Sales overview'), '{revenue_by_region}', 'an element of 1,610 columns');
SELECT is((columns_of('wide.revenue_by_region'))[1:4] || (columns_of('wide.revenue_by_region'))[1600], '{xmin_2 text,ctid_2 text,tableoid_2 text,column_4 text,column_1600 text}',
	'... gets as many as a table can have, none of which has a name of the system');
SELECT sim_calm('data') \g /dev/null

-- which workbook, which tables
SELECT is(import('by_id', :'workbook', 'LIMIT TO (orders, large)'), '{orders,large}', 'by its id; LIMIT TO');
SELECT is(import('by_url', 'wb00000100', 'EXCEPT (orders, large, messages, "empty", broken, odd_names)'),
	'{revenue_by_region,total_revenue,revenue_with_totals,orders_2,element_el_nameless,the_revenue_of_all_regions_in_all_countries_of_the_whole_wide_w}'::text[],
	'by the id in its URL; EXCEPT, which changes no name');
SELECT fails($$SELECT import('x', 'sales overview')$$, 'P0002', 'Sigma has no workbook "sales overview"', NULL, '%its id%', 'a name is exact');
SELECT fails($$SELECT import('x', 'Twins')$$, '22023', 'Sigma has 2 workbooks "Twins"', 'Their ids are %, %', '%one of them%', 'two of one name');
SELECT fails($$SELECT import('x', '00000000-0000-4000-8000-000000000000')$$, 'P0002', 'Sigma has no workbook%', NULL, NULL, 'an id that is none');
CREATE SCHEMA x;
SELECT fails('IMPORT FOREIGN SCHEMA sigma FROM SERVER data INTO x OPTIONS (workbok ''x'')', 'HV00D', 'invalid option "workbok"', NULL, 'Perhaps you meant the option "workbook".', 'a misspelt option');
SELECT fails('IMPORT FOREIGN SCHEMA sigma FROM SERVER data INTO x OPTIONS (workbook ''x'', tag ''y'')', 'HV00D', 'invalid option "tag"', NULL, NULL, 'another one');
SELECT sim_fault('{"path": "/v2/workbooks/*", "query": "limit=1000", "after": 3, "do": "status", "status": 403, "times": -1}', 'data') \g /dev/null
SELECT fails('IMPORT FOREIGN SCHEMA sigma FROM SERVER data INTO x OPTIONS (workbook ''Sales overview'')', '42501', NULL, NULL, NULL, 'a list that fails: nothing is imported');
SELECT sim_reset('data') \g /dev/null
SELECT sim_fault(format('{"path": "/v2/workbooks/%s/columns", "do": "status", "status": 404, "times": -1}', :'workbook')::jsonb, 'data') \g /dev/null
IMPORT FOREIGN SCHEMA sigma LIMIT TO (orders) FROM SERVER data INTO x OPTIONS (workbook 'Sales overview');
SELECT is(columns_of('x.orders'), columns_of('sales.orders'), 'without the flat list of columns, those of each element');
SELECT sim_reset('data') \g /dev/null

-- ----------------------------------------------------------------- controls

SELECT sim_calm('data') \g /dev/null
SELECT results_eq($$SELECT order_no::int, region, _control_region FROM sales.orders WHERE _control_region = 'EMEA'$$,
	$$VALUES (1001, 'EMEA', 'EMEA'), (1006, 'EMEA', 'EMEA')$$, 'a control that the query names, and what its column reads as');
SELECT is((exports())[1] -> 'parameters', '{"Region": "EMEA"}', '... is sent as a parameter');
SELECT is((SELECT array_agg(order_no::int) FROM sales.orders WHERE 'EMEA,:null,:empty' = _control_region AND _control_min_quantity = 'min:0,max:'),
	'{1001,1003}', 'several of them, and several values as Sigma takes them');
SELECT is((SELECT count(*) FROM sales.orders WHERE _control_region IS NULL), 7::bigint, 'a control that is left alone keeps its default, and reads as NULL');
SELECT is((SELECT string_agg(line, '') FROM unnest(string_to_array(psql('SET plan_cache_mode = force_generic_plan; PREPARE p(text) AS SELECT count(*) FROM sales.orders '
	'WHERE _control_region = $1; EXECUTE p(''EMEA''); EXECUTE p(''AMER''); EXECUTE p(NULL)'), E'\n')) line), '210', 'values that are known when the query begins');
SELECT results_eq($$SELECT order_no::int FROM sales.orders WHERE _control_region = (SELECT max(r) FROM unnest('{AMER,EMEA}'::text[]) r)$$, '{1001,1006}'::int[],
	'... from a subquery');
SELECT sim_calm('data') \g /dev/null
SELECT is((SELECT array_agg(order_no::int) FROM (SELECT order_no FROM sales.orders WHERE _control_region = 'EMEA' LIMIT 1) x), '{1001}', 'LIMIT');
SELECT is((exports())[1] ->> 'rowLimit', '1', '... is not held up by a control');
SELECT matches(plan_of($$SELECT * FROM sales.orders WHERE _control_region = 'EMEA'$$), 'Remote Parameters: Region = EMEA', 'EXPLAIN shows it');
SELECT matches(plan_of($$SELECT * FROM sales.orders WHERE _control_region = lower(current_user)$$), 'Remote Parameters: Region = lower\(', '... or what it will be');
SELECT fails('SELECT * FROM sales.orders WHERE _control_region ' || condition, '0A000', 'column "_control_region" of foreign table "orders" can only be compared by "="%',
	'%the control "Region" is set to%', NULL, 'refused: ' || condition)
	FROM unnest(ARRAY['<> ''EMEA''', '> ''A''', 'IN (''EMEA'', ''APAC'')', 'LIKE ''E%''', '= region', '= ''EMEA'' OR paid']) condition;
SELECT fails('SELECT (SELECT count(*) FROM sales.orders WHERE _control_region = r) FROM unnest(''{EMEA,APAC}''::text[]) r', '0A000', '%can only be compared%', NULL,
	'%an export for each%', 'refused: a value of each row');
SELECT fails('SELECT * FROM sales.orders o JOIN sales.revenue_by_region r ON o._control_region = r.region', '0A000', '%can only be compared%', NULL, NULL, 'refused: a join');
SELECT element('fixed', 'elOrders', 'order_no int8, c text OPTIONS (control ''Region'')', 'parameters ''{"Region": "EMEA"}''') \g /dev/null
SELECT is((SELECT array_agg(order_no || c) FROM e.fixed), '{1001EMEA,1006EMEA}', 'a control that the table sets');
SELECT is((SELECT count(*) FROM e.fixed WHERE c = 'APAC'), 0::bigint, '... is set, whatever the query says');
SELECT is((SELECT count(*) FROM e.fixed WHERE c IN ('APAC', 'EMEA')), 2::bigint, '... and so any condition may be');

-- -------------------------------------------------------------- rows that stay

SELECT sim_calm('data') \g /dev/null
CREATE MATERIALIZED VIEW orders_now AS SELECT * FROM sales.orders WITH NO DATA;
CREATE UNIQUE INDEX ON orders_now (order_no);
REFRESH MATERIALIZED VIEW orders_now;
REFRESH MATERIALIZED VIEW CONCURRENTLY orders_now;
SELECT is(cardinality(exports()), 2, 'a materialized view: each REFRESH takes one export');
SELECT set_eq('SELECT * FROM orders_now', 'SELECT * FROM sales.orders', '... and has what the table has');
SELECT sim_calm('data') \g /dev/null
CREATE TABLE warehouse_inventory (region text, warehouse text);
INSERT INTO warehouse_inventory VALUES ('EMEA', 'Rotterdam'), ('APAC', 'Singapore');
SELECT is((SELECT array_agg(format('%s %s', i.warehouse, o.order_no) ORDER BY o.order_no) FROM orders_now o JOIN warehouse_inventory i USING (region)),
	'{"Rotterdam 1001","Rotterdam 1006","Singapore 9007199254740993"}', '... and joins');
SELECT is(cardinality(exports()), 0, '... without a request');
SELECT is(psql($$COPY (SELECT order_no, region, paid FROM sales.orders WHERE _control_region = 'EMEA') TO STDOUT WITH (FORMAT csv, HEADER)$$),
	E'order_no,region,paid\n1001,EMEA,t\n1006,EMEA,f', 'COPY TO of what a control leaves');

SELECT * FROM finish();

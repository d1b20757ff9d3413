-- The rows behind an element of a workbook, as a foreign table: which rows, by
-- how many exports, and what is asked for.

\ir lib/simulator.sql
\ir lib/elements.sql
\ir lib/answers.sql
\ir lib/plans.sql
SELECT * FROM no_plan();

-- --------------------------------------------------------------- the values

SELECT results_eq('SELECT * FROM e.orders', $$
	VALUES (1001::numeric, 'EMEA', '2026-01-15 10:30:00+00'::timestamptz, '2026-01-17'::date, 0.1::numeric, 3::int8, true,
			'{"sku": "A-1", "tags": ["new", "blue"], "dims": {"w": 1.50, "h": null}}'::jsonb, 'first'),
		(9007199254740993, 'APAC', '2026-01-16 23:59:59.999+00', NULL, 12345678901234567890.123456789, 9007199254740993, false,
			'[1, [2, [3, {"deep": true}]]]', ''),
		(1003, '', '2026-02-28 00:00:00+00', '2026-03-01', -0.0000001, 0, NULL, '"just text"', NULL),
		(1004, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		(1005, 'AMER', '1969-07-20 20:17:40+00', '1969-07-24', 100.00, 1, true, '42', E'a "quoted" line\nand another\t| café 📈'),
		(1006, 'EMEA', '2024-02-29 12:00:00.123456+00', '2024-02-29', 99999999999999999999999999999999.99, -5, false,
			'{"n": 9007199254740993, "e": {}, "a": []}', 'Größe, 日本語'),
		(1007, 'New York, NY', '2026-06-01 00:00:00+00', '2026-06-02', 3.10, 7, true, 'false', ' spaces ')
$$, 'every value, to the last digit');
SELECT is((SELECT array_agg(amount::text) FROM e.orders),
	'{0.1,12345678901234567890.123456789,-0.0000001,NULL,100.00,99999999999999999999999999999999.99,3.10}', 'digits as they are');
SELECT is((SELECT array_agg(r) FROM sigma_element_rows('data', :'workbook', 'elRevenue') r),
	ARRAY['{"Region": "EMEA", "Revenue": 99999999999999999999999999999999.99}', '{"Region": "APAC", "Revenue": 12345678901234567890.123456789}',
		'{"Region": "AMER", "Revenue": 100}', '{"Region": null, "Revenue": null}']::jsonb[], 'sigma_element_rows() has the same');
SELECT is((SELECT count(*) FROM sigma_element_rows('data', :'workbook', 'elLarge')), 1000::bigint, '... all of them');
SELECT is((SELECT count(*) FROM sigma_element_rows('data', :'workbook', 'elEmpty')), 0::bigint, '... or none');
SELECT is((SELECT array_agg(r->>'Order No') FROM sigma_element_rows('data', :'workbook', 'elOrders', '{"Region": ["EMEA", "New York, NY"]}') r),
	'{1001,1006,1007}', '... those that its controls leave');
SELECT fails($$SELECT * FROM sigma_element_rows('data', current_setting('sim.workbook'), 'elOdd')$$, 'HV000', 'the element has two columns "Amount"', NULL,
	'%different names%', '... unless two of its columns have one name, of which jsonb has but one');
SELECT is((SELECT array_agg(n) FROM (SELECT (sigma_element_rows('data', :'workbook', 'elLarge') ->> 'N')::int AS n LIMIT 3) x), '{0,1,2}',
	'... and no more than are wanted');
SELECT is((SELECT sum(n) FROM e.large), 499500::bigint, 'a thousand rows');
SELECT element('whole', 'elRevenue', 'revenue numeric, attrs jsonb');
SELECT is((SELECT array_agg(attrs ->> 'Region') FROM e.whole), '{EMEA,APAC,AMER,NULL}', '"attrs" has the whole row');
-- a time without a zone is Sigma's
SELECT spoil_download('body', '{"body": "{\"Ordered At\":\"2026-01-15T10:30:00\"}\n{\"Ordered At\":\"2026-01-15\"}\n{\"Ordered At\":\"2026-01-15 10:30:00+02:00\"}"}');
SET timezone = 'America/New_York';
SELECT is((SELECT array_agg(ordered_at AT TIME ZONE 'UTC') FROM e.orders), '{2026-01-15 10:30:00,2026-01-15 00:00:00,2026-01-15 08:30:00}'::timestamp[],
	'a time without a zone is one of UTC');
SET timezone = 'UTC';

-- -------------------------------------------------------------- the columns

SELECT element('exact', 'elRevenue', 'x numeric OPTIONS (field ''Revenue''), "Region" text');
SELECT is((SELECT array_agg("Region" || x) FROM e.exact WHERE x < 1000), '{AMER100}', 'a column takes its own name, or the one of its option');
SELECT element('wrong', 'elRevenue', 'region text, profit numeric');
SELECT fails('SELECT profit FROM e.wrong', 'HV005', 'column "profit" of foreign table "wrong" is not a column of the element', NULL,
	'%ALTER FOREIGN TABLE e.wrong ALTER COLUMN profit OPTIONS (ADD field ''...'')%', 'a column that no row has');
SELECT is((SELECT count(region) FROM e.wrong), 3::bigint, '... does not matter to a query that leaves it alone');
SELECT element('renamed', 'elRevenue', 'region text OPTIONS (field ''Country'')');
SELECT fails('SELECT region FROM e.renamed', 'HV005', NULL, 'No row has "Country".', '%renamed%', 'a column that has been renamed in Sigma');
SELECT fails('SELECT region FROM e.renamed LIMIT 2', 'HV005', NULL, 'No row has "Country".', NULL, '... which a LIMIT does not hide');
SELECT element('empty', 'elEmpty', 'whatever int');
SELECT is((SELECT count(whatever) FROM e.empty), 0::bigint, 'where there are no rows, nobody can tell');
SELECT element('odd', 'elOdd', 'amount numeric, no_name text OPTIONS (field ''%''), he_said_no text, "order" text, _1st text, "📈" int, größe_ÄÖ int, tags text[]');
SELECT fails('SELECT amount FROM e.odd', 'HV000', 'row 1 of foreign table "odd" has two columns "Amount"', NULL, '%different names%',
	'two columns of one name: nobody can tell which is meant');
SELECT fails('SELECT "order" FROM e.odd', NULL, NULL, NULL, NULL, 'the exact name goes before another that gives it');
SELECT is((SELECT format('%s|%s|%s|%s|%s', he_said_no, _1st, "📈", größe_ÄÖ, no_name) FROM e.odd), 'no|first|5|7|6', 'all kinds of names');
SELECT element('broken', 'elBroken', 'region text, margin numeric');
SELECT is(c.state || ' ' || c.message || ' / ' || split_part(c.context, E'\n', 1),
	'22P02 invalid input syntax for type numeric: "Invalid Query" / column "margin" of foreign table "broken", row 2',
	'a cell of a broken formula: the error names row and column') FROM catch('SELECT * FROM e.broken') c;
SELECT is((SELECT array_agg(region) FROM e.broken), '{EMEA,APAC}', '... and the other columns can be read');

-- ------------------------------------------------------------ what is asked

SELECT sim_calm('data');
SELECT is((SELECT count(*) FROM e.large), 1000::bigint, 'one export');
SELECT is(exports(), ARRAY['{"elementId": "elLarge", "format": {"type": "jsonl"}, "rowLimit": 1000000}']::jsonb[], '... of all rows');
SELECT sim_calm('data');
SELECT is((SELECT array_agg(n) FROM (SELECT n FROM e.large LIMIT 7) x), '{0,1,2,3,4,5,6}', 'LIMIT');
SELECT is((exports())[1] ->> 'rowLimit', '7', '... lowers the limit of rows');
SELECT sim_calm('data');
SELECT is((SELECT array_agg(n) FROM (SELECT n FROM e.large WHERE n > 900 LIMIT 2) x), '{901,902}', 'not where a condition stands between');
SELECT is((SELECT array_agg(n) FROM (SELECT n FROM e.large ORDER BY n DESC LIMIT 2) x), '{999,998}', '... or a sort');
SELECT is((exports())[1] ->> 'rowLimit' || ' ' || ((exports())[2] ->> 'rowLimit'), '1000000 1000000', '... so');
SELECT element('tagged', 'elRevenue', 'region text', 'tag ''Production'', parameters ''{"Region": "EMEA", "Paid?": true}''');
SELECT sim_calm('data');
SELECT is((SELECT array_agg(region) FROM e.tagged), '{EMEA}', 'parameters of the table');
SELECT is((exports())[1] - 'rowLimit', '{"elementId": "elRevenue", "format": {"type": "jsonl"}, "tag": "Production",
	"parameters": {"Region": "EMEA", "Paid?": "true"}}'::jsonb, '... are sent, as texts, and so is its tag');
SELECT element('lists', 'elRevenue', 'region text', 'parameters ''{"Region": ["", "EMEA", "a,b", null]}''');
SELECT sim_calm('data');
SELECT catch('SELECT * FROM e.lists');
SELECT is((exports())[1] -> 'parameters' ->> 'Region', ':empty,EMEA,a%2Cb,:null', 'a list as Sigma takes it');
SELECT sim_call('POST', 'config', '{"export": {"refuses": "jsonl"}}', 'data');
SELECT sim_calm('data');
SELECT is((SELECT sum(n) FROM e.large), 499500::bigint, 'jsonl is refused');
SELECT is((exports())[2] -> 'format' ->> 'type', 'json', '... and json is taken');
SELECT matches(plan_of('SELECT sum(n) FROM e.large', 'ANALYZE, COSTS OFF'), 'Remote Format: json\n', '... which EXPLAIN ANALYZE shows');
SELECT sim_reset('data');
SELECT fails($$SELECT * FROM sigma_element_rows('data', current_setting('sim.workbook'), 'elLarge', '{"Nil": 1}')$$, '22023',
	'request refused by Sigma: Control Nil does not exist', NULL, NULL, 'what is refused in both formats');
SELECT fails($$SELECT * FROM sigma_element_rows('data', current_setting('sim.workbook'), 'elNil')$$, 'P0002', 'not found in Sigma%', NULL, NULL,
	'an element that is not there');

-- ------------------------------------------------------- kept, where it must be

SELECT sim_calm('data');
SELECT is((SELECT count(*) FROM generate_series(1, 5) i, LATERAL (SELECT n FROM e.large WHERE n = i) x), 5::bigint, 'a scan for each of five rows');
SELECT is((SELECT array_agg((SELECT code FROM e.large WHERE n = i)) FROM generate_series(1, 3) i), '{"code 7919","code 15838","code 23757"}',
	'... and in a correlated subquery');
SELECT is(cardinality(exports()), 2, '... makes one export');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT sim_calm('data');
SELECT is((SELECT count(*) FROM e.orders o JOIN e.large l ON l.n = o.order_no), 0::bigint, 'a nested loop');
SELECT is(cardinality(exports()), 2, '... makes one export of each side');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT n FROM e.large;
MOVE 500 IN c;
SELECT sim_calm('data');
FETCH BACKWARD 1 FROM c;
FETCH ABSOLUTE 1000 FROM c;
FETCH FIRST FROM c;
COMMIT;
SELECT is(cardinality(exports()), 0, 'a cursor goes to and fro in what it has');

-- ----------------------------------------------------------------- in chunks

SELECT element('chunks', 'elLarge', 'n int, region text', 'export_rows ''300''');
SELECT sim_calm('data');
SELECT is((SELECT format('%s %s %s', count(*), count(DISTINCT n), sum(n)) FROM e.chunks), '1000 1000 499500', 'more rows than an export has');
SELECT is((SELECT array_agg(format('%s from %s', e ->> 'rowLimit', e ->> 'offset')) FROM unnest(exports()) e),
	'{"300 from ","300 from 200","300 from 400","300 from 600","300 from 800"}', '... come by several, each of which begins before the end of the last');
SELECT sim_call('POST', 'config', '{"export": {"offset_base": 1}}', 'data');
SELECT is((SELECT format('%s %s %s', count(*), count(DISTINCT n), sum(n)) FROM e.chunks), '1000 1000 499500', '... though the API may count from 1');
SELECT sim_call('POST', 'config', '{"export": {"offset_base": 2}}', 'data');
SELECT fails('SELECT count(*) FROM e.chunks', 'HV000', 'cannot tell where the rows of element "elLarge" go on behind row 300', '%another order%', '%Sort%',
	'... but not in any way');
SELECT sim_call('POST', 'config', '{"export": {"offset_base": 0, "shuffled": true}}', 'data');
SELECT fails('SELECT count(*) FROM e.chunks', 'HV000', 'cannot tell where the rows of element "elLarge" go on behind row 300', '%another order%', NULL,
	'an order that does not stay');
SELECT sim_reset('data');
SELECT element('lines', 'elLarge', 'n int', 'export_rows ''10''');
CREATE FUNCTION chunk(first int, n int, separator text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('body', string_agg(format('{"N":%s}', i), separator)) FROM generate_series(first, first + n - 1) i
$$;
SELECT spoil_download('body', chunk(0, 10, E'\r\n')), spoil_download('body', chunk(5, 10, E'\r\n')), spoil_download('body', chunk(10, 5, E'\r\n'));
SELECT is((SELECT array_agg(n) FROM e.lines), (SELECT array_agg(i) FROM generate_series(0, 14) i), 'the end of a line is no part of a row, nor is its lack');
SELECT sim_reset('data');
SELECT element('exact_chunks', 'elLarge', 'n int', 'export_rows ''500''');
SELECT is((SELECT format('%s %s', count(*), sum(n)) FROM e.exact_chunks), '1000 499500', 'the last chunk is full');
SELECT element('constant', 'elLarge', 'n int', 'export_rows ''10''');
SELECT spoil_download('body', jsonb_build_object('body', repeat(E'{"N":1}\n', 10), 'times', -1));
SELECT fails('SELECT count(*) FROM e.constant', 'HV000', 'cannot tell where the rows of element "elLarge" go on behind row 10', '%all the same%', NULL,
	'rows that are all the same');
SELECT sim_reset('data');

-- ----------------------------------------------------------------- size, gzip

SELECT make_server('small', sim_url('data'), 'max_response_size ''2kB''', 'workbooks');
SELECT element('small', 'elLarge', 'n int', '', 'small');
SELECT is((SELECT sum(n) FROM e.small), 499500::bigint, 'max_response_size holds for each row, not for all of them');
SELECT spoil_download('body', jsonb_build_object('body', E'{"N":1}\n{"N":2,"x":"' || repeat('x', 3000) || E'"}\n{"N":3}\n'));
SELECT fails('SELECT * FROM e.small', 'HV000', 'row 2 of element "elLarge" exceeds max_response_size of 2048 bytes', NULL, 'Allow more: ALTER SERVER small OPTIONS (SET max_response_size ''64MB'').',
	'... and a row can be too large');
SELECT spoil_download('gzip');
SELECT is((SELECT sum(n) FROM e.large), 499500::bigint, 'a file that comes compressed');
SELECT spoil_download('body', jsonb_build_object('body', E'\uFEFF{"N":1}\r\n\r\n{"N":2}'));
SELECT is((SELECT array_agg(n) FROM e.large), '{1,2}', 'a mark in front, other line ends, an empty line, none at the end');
SELECT spoil_download('drip', '{"ms_per_byte": 1}');
SELECT is((SELECT array_agg(region) FROM e.whole, LATERAL (SELECT attrs ->> 'Region' AS region) x), '{EMEA,APAC,AMER,NULL}', 'byte by byte');

-- ------------------------------------------------------------ what it is not

SELECT fails('INSERT INTO e.large VALUES (1)', '55000', NULL, NULL, NULL, 'nothing can be written');
SELECT fails('SELECT ctid FROM e.large', '0A000', 'cannot use system column "ctid"%', NULL, NULL, 'no system columns');
BEGIN READ ONLY;
SELECT is((SELECT sum(n) FROM e.large), 499500::bigint, 'a read-only transaction may read');
SELECT is((SELECT count(*) FROM sigma_element_rows('data', :'workbook', 'elKpi')), 1::bigint, '... by the function, too');
COMMIT;
SELECT fails($$SELECT element('x', 'elLarge', 'n int', 'path ''/v2/x''')$$, 'HV00D', NULL, NULL, NULL, 'not beside "path"');
SELECT fails('CREATE FOREIGN TABLE e.y (n int) SERVER data OPTIONS (resource ''element'', workbook_id ''x'')', 'HV00D',
	'a table of the resource "element" needs the option "element_id"', NULL, NULL, 'the element must be named');
SELECT fails('CREATE FOREIGN TABLE e.y (n int) SERVER data OPTIONS (resource ''workbooks'', tag ''x'')', 'HV00D',
	'option "tag" needs the resource "element"', NULL, NULL, 'other tables have no such options');
SELECT fails($$SELECT element('x', 'elLarge', 'n int', 'parameters ''{"a": {}}''')$$, '22023', '%parameters%', NULL, '%JSON object%', 'what no control can be set to');
SELECT fails($$SELECT element('x', 'elLarge', 'n int', 'export_rows ''5''')$$, '22023', NULL, NULL, '%10 to 1000000%', 'too few rows');

-- ------------------------------------------------------------------- the plan

SELECT matches(plan_of('SELECT n FROM e.large LIMIT 7'), 'Remote Request: POST /v2/workbooks/[0-9a-f-]+/export\s+Remote Element: elLarge\s+Remote Format: jsonl\s+Remote Row Limit: 7',
	'EXPLAIN shows the request');
SELECT matches(plan_of('SELECT n FROM e.large', 'ANALYZE, COSTS OFF'),
	'Exports: 1\s+Polls: 1\s+Rows Received: 1000\s+Requests: 2\s+Retries: 0\s+Sign-Ins: 0\s+Bytes Received: [0-9]{5}\s+Export Time: [0-9.]+ ms', 'ANALYZE what it came to');
SELECT matches(plan_of('SELECT region FROM e.tagged'), 'Remote Tag: Production\s+Remote Parameters: Region = EMEA, Paid\? = true', '... with parameters');
SELECT is(names_twice((SELECT p FROM (SELECT plan_of('SELECT n FROM e.large', 'ANALYZE, FORMAT JSON')::json AS p) x)), 0::bigint, 'no name comes twice');
SELECT matches(plan_of('SELECT region FROM e.fresh', 'VERBOSE'), 'cost=20[0-9]{3}', 'ten seconds, as long as nobody knows better') FROM element('fresh', 'elRevenue', 'region text');
SELECT matches(plan_of('SELECT n FROM e.large', 'VERBOSE'), 'cost=[0-9]{1,4}\.[0-9]+\.\.[0-9.]+ rows=1000 ', '... and then what the last one took, and had');

-- -------------------------------------------------------------------- ANALYZE

SELECT element('counted', 'elLarge', $$n int, region text, nil text OPTIONS (field 'Nil'), _control_region text OPTIONS (control 'Region')$$,
	$$parameters '{"Region": "EMEA"}'$$);
SELECT sim_calm('data');
ANALYZE e.counted;
SELECT is(cardinality(exports()), 1, 'ANALYZE takes one export');
SELECT is((SELECT reltuples FROM pg_class WHERE oid = 'e.counted'::regclass), (SELECT count(*) FROM e.counted)::real, '... of all rows that the table has');
SELECT is((SELECT string_agg(format('%s: %s %s %s', attname, n_distinct, most_common_vals, null_frac), ', ' ORDER BY attname COLLATE "C") FROM pg_stats
	WHERE tablename = 'counted'), '_control_region: 1 {EMEA} 0, n: -1  0, nil: 0  1, region: 1 {EMEA} 0', '... whose columns it knows');
SELECT cmp_ok((plan_of('SELECT * FROM e.counted WHERE n < 30', 'FORMAT JSON')::json -> 0 -> 'Plan' ->> 'Plan Rows')::int, '<', 50,
	'... and the planner uses that');

SELECT * FROM finish();

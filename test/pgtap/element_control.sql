-- A control column that is not set reads as NULL: a condition on it, wherever
-- in the query, is an error rather than one that is never true.

\ir lib/simulator.sql
\ir lib/elements.sql
\ir lib/plans.sql
SELECT * FROM no_plan();
CREATE SCHEMA sales;
SELECT sim_calm('data') \g /dev/null
IMPORT FOREIGN SCHEMA sigma LIMIT TO (orders, orders_2) FROM SERVER data INTO sales OPTIONS (workbook 'Sales overview');
CREATE TABLE r (name text, note text);
INSERT INTO r VALUES ('AMER', 'a'), ('EMEA', 'e');
CREATE TABLE taken (n numeric, t text);
CREATE TABLE parent (order_no numeric, c text) PARTITION BY LIST (order_no);
SELECT element('p1', 'elOrders', 'order_no numeric OPTIONS (field ''Order No''), c text OPTIONS (control ''Region'')') \g /dev/null
ALTER TABLE parent ATTACH PARTITION e.p1 DEFAULT;

CREATE FUNCTION refused(statement text, description text) RETURNS text LANGUAGE sql AS $$
	SELECT fails(statement, '0A000', 'column "%" of foreign table "%" can only be compared by "="%', '%the control "Region" is set to%', NULL, 'refused: ' || description)
$$;

-- other relations' children
SELECT refused('SELECT count(*) FROM (SELECT _control_region c FROM sales.orders UNION ALL SELECT _control_region FROM sales.orders_2) u JOIN r ON u.c = r.name', 'UNION ALL, joined');
SELECT refused('SELECT count(*) FROM parent JOIN r ON c = r.name', 'a partition, joined');
SELECT refused('SELECT count(*) FROM parent LEFT JOIN r ON c = r.name', '... by a left join');
SELECT is((SELECT count(*) FROM parent), 7::bigint, 'a partition without a condition');
SELECT is((SELECT count(*) FROM (SELECT _control_region c FROM sales.orders UNION ALL SELECT _control_region FROM sales.orders) u WHERE c = 'EMEA'), 4::bigint,
	'a condition on UNION ALL reaches all of its tables');

-- the table's own level
SELECT refused('SELECT * FROM sales.orders o WHERE ' || condition, condition)
	FROM unnest(ARRAY['_control_region IS NOT NULL', 'to_jsonb(o) ->> ''_control_region'' = ''EMEA''', 'coalesce(_control_region, ''x'') = ''EMEA''',
		'_control_region IS NULL OR _control_region = ''EMEA''', 'EXISTS (SELECT FROM r WHERE name = o._control_region)',
		'_control_region IN (SELECT name FROM r)']) condition;
SELECT refused('SELECT _control_region, region, count(*) FROM sales.orders GROUP BY GROUPING SETS ((_control_region), (region)) HAVING _control_region = ''EMEA''', 'HAVING');
SELECT refused('SELECT count(*) FILTER (WHERE _control_region = ''EMEA'') FROM sales.orders', 'FILTER');
SELECT refused('SELECT count(*) FILTER (WHERE _control_region = ''EMEA'') OVER () FROM sales.orders', 'FILTER of a window function');
SELECT refused('SELECT (SELECT note FROM r WHERE name = o._control_region) FROM sales.orders o', 'a subquery''s condition in the target list');
SELECT refused('SELECT * FROM r WHERE name = (SELECT max(_control_region) FROM sales.orders)', 'a condition on what a subquery gives');
SELECT is((SELECT count(*) FROM sales.orders WHERE _control_region IS NULL), 7::bigint, 'IS NULL');
SELECT is((SELECT count(*) FROM sales.orders WHERE _control_region = 'EMEA' AND _control_region IS NOT NULL), 2::bigint, 'IS NOT NULL of what is set');

-- above a subquery that stays one
SELECT refused('SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s WHERE _control_region = ''EMEA''', 'above LIMIT');
SELECT refused('SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s WHERE _control_region IS NOT NULL', '... IS NOT NULL');
SELECT refused('SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s WHERE to_jsonb(s) ->> ''_control_region'' = ''EMEA''', '... the whole row');
SELECT refused('SELECT * FROM (SELECT *, row_number() OVER () FROM sales.orders) s WHERE _control_region = ''EMEA''', 'above row_number()');
SELECT refused('WITH x AS MATERIALIZED (SELECT * FROM sales.orders) SELECT * FROM x WHERE _control_region = ''EMEA''', 'WITH … AS MATERIALIZED');
SELECT refused('WITH x AS (SELECT * FROM sales.orders) SELECT * FROM x a JOIN x b USING (order_no) WHERE a._control_region = ''EMEA''', 'a CTE that is used twice');
SELECT refused('SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s JOIN r ON name = s._control_region', 'a join above LIMIT');
SELECT refused('SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s JOIN r ON name = s._control_region', '... a nested loop');
RESET enable_hashjoin; RESET enable_mergejoin;
SELECT refused('SELECT * FROM (SELECT order_no, lower(_control_region) AS low FROM sales.orders LIMIT 100) s WHERE low = ''emea''', 'what is made of it');
SELECT refused('SELECT * FROM (SELECT order_no, _control_region c FROM sales.orders UNION SELECT 1, ''x'') s WHERE c LIKE ''E%''', 'UNION');
SELECT refused('WITH RECURSIVE w(n, a, b) AS (SELECT 1, ''x'', max(_control_region) FROM sales.orders UNION ALL SELECT n + 1, b, a FROM w WHERE n < 3)
	SELECT * FROM w WHERE a = ''EMEA''', 'what a recursive query passes on');
SELECT refused('SELECT * FROM r, LATERAL (SELECT * FROM sales.orders LIMIT 100) s WHERE s._control_region = r.name', 'LATERAL');
SELECT refused('SELECT s._control_region FROM (SELECT * FROM sales.orders LIMIT 100) s GROUP BY 1 HAVING s._control_region <> ''EMEA''', 'HAVING above LIMIT');
SELECT fails('EXPLAIN SELECT * FROM (SELECT * FROM sales.orders LIMIT 100) s WHERE _control_region = ''EMEA''', '0A000', NULL, NULL, NULL, '... by EXPLAIN, too');

-- what stays
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders LIMIT 5) s), 5::bigint, 'above LIMIT without a condition');
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders LIMIT 5) s WHERE order_no > 0), 5::bigint, '... with a condition on another column');
SELECT is((SELECT string_agg(DISTINCT coalesce(_control_region, 'default'), '') FROM (SELECT * FROM sales.orders LIMIT 5) s), 'default', '... shown');
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders LIMIT 5) s WHERE _control_region IS NULL), 5::bigint, '... IS NULL');
SELECT is((SELECT count(*) FROM (SELECT _control_region, count(*) FROM sales.orders GROUP BY 1 ORDER BY 1 LIMIT 5) s), 1::bigint, '... grouped and ordered');
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders WHERE _control_region = 'EMEA' LIMIT 5) s WHERE _control_region LIKE 'E%'), 2::bigint, '... set below');
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders WHERE _control_region = 'EMEA' LIMIT 5) s JOIN (SELECT * FROM sales.orders LIMIT 9) t USING (order_no)
	WHERE s._control_region = 'EMEA'), 2::bigint, '... and the same table once more, alone');
SELECT is((SELECT count(*) FROM (SELECT DISTINCT order_no, _control_region FROM sales.orders) s WHERE _control_region = 'EMEA'), 2::bigint, 'a condition that is pushed down');
SELECT is((SELECT count(*) FROM r LEFT JOIN sales.orders o ON o.region = r.name AND o._control_region = 'EMEA'), 3::bigint, 'LEFT JOIN');
SELECT is((SELECT count(*) FROM sales.orders o GROUP BY ROLLUP (_control_region) HAVING grouping(_control_region) = 1), 7::bigint, 'grouping()');

-- a subquery's value, below the top
INSERT INTO taken SELECT max(order_no), 'x' FROM sales.orders WHERE _control_region = (SELECT max(name) FROM r);
SELECT results_eq('SELECT n::int FROM taken', '{1006}'::int[], 'a control that a subquery sets, in INSERT … SELECT');
SELECT is((SELECT count(*) FROM (SELECT * FROM sales.orders WHERE _control_region = (SELECT max(name) FROM r) LIMIT 5) s), 2::bigint, '... below LIMIT');
SELECT is((SELECT count(*) FROM r, LATERAL (SELECT * FROM sales.orders WHERE _control_region = 'EMEA' LIMIT 1) s), 2::bigint, '... read again');
SELECT refused('SELECT * FROM r, LATERAL (SELECT * FROM sales.orders WHERE _control_region = r.name LIMIT 1) s', 'a value of each row');
SELECT refused('SELECT * FROM r, LATERAL (SELECT * FROM sales.orders WHERE _control_region = (SELECT max(x.name) FROM r x WHERE x.note >= r.note) LIMIT 1) s', '... through a subquery');
SELECT refused('SELECT (SELECT count(*) FROM sales.orders WHERE _control_region = (SELECT max(x.name) FROM r x WHERE x.note <= r.note)) FROM r', '... through two');

-- options
SELECT element('typed', 'elOrders', 'order_no int8, n int OPTIONS (control ''Region'')') \g /dev/null
SELECT fails('SELECT * FROM e.typed WHERE n = 5', '0A000', 'column "n" of foreign table "typed" cannot set a control: it is of type integer', NULL, '%ALTER FOREIGN TABLE e.typed ALTER COLUMN n TYPE text%', 'a column of another type sets no control');
SELECT is((SELECT count(*) FROM e.typed WHERE n IS NULL), 7::bigint, '... but is read');
SELECT fails($$SELECT element('both', 'elOrders', 'c text OPTIONS (control ''Region'', field ''Region'')')$$, 'HV00D', '%', NULL, NULL, 'a field or a control, not both');
CREATE FOREIGN TABLE e.members (email text OPTIONS (control 'Region')) SERVER data OPTIONS (resource 'members');
SELECT fails('SELECT * FROM e.members', 'HV00D', 'column "email" of foreign table "members" has the option "control", but the table is of no element', NULL, NULL, 'a control of no element''s table');

SELECT * FROM finish();

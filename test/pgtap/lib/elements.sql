-- A simulator "data" whose workbook "Sales overview" has elements with data, a
-- server of that name, and tables of its elements.

SELECT sim_start('data', '--element-rows 1000') \g /dev/null
SELECT make_server('data', sim_url('data'), '', 'workbooks, reports') \g /dev/null
SELECT set_config('sim.workbook', workbook_id, false) AS workbook FROM data.workbooks WHERE name = 'Sales overview' \gset

CREATE SCHEMA e;

-- a table of an element
CREATE FUNCTION element(name text, element text, columns text, options text DEFAULT '', server text DEFAULT 'data') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FOREIGN TABLE e.%I (%s) SERVER %I OPTIONS (resource ''element'', workbook_id %L, element_id %L %s)',
		name, columns, server, current_setting('sim.workbook'), element, CASE WHEN options <> '' THEN ', ' || options ELSE '' END);
END
$$;

-- the bodies of the exports that were started
CREATE FUNCTION exports() RETURNS jsonb[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(body::jsonb ORDER BY n), '{}') FROM sim_log('data') WHERE method = 'POST' AND path LIKE '%/export'
$$;

-- what the downloads were answered with
CREATE FUNCTION downloads() RETURNS int[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(status ORDER BY n), '{}') FROM sim_log('data') WHERE path LIKE '%/download'
$$;

-- spoils so many downloads
CREATE FUNCTION spoil_download(what text, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_fault('{"method": "GET", "path": "/v2/query/*"}' || jsonb_build_object('do', what) || more, 'data')
$$;

SELECT element('orders', 'elOrders', 'order_no numeric, region text, ordered_at timestamptz, shipped_on date, amount numeric,
	quantity int8, paid bool, details jsonb, note text') \g /dev/null
SELECT element('large', 'elLarge', 'n int, code text, amount numeric, region text') \g /dev/null
SET timezone = 'UTC';

-- sigma_export(): a workbook, a page, an element or a report as a file.

\ir lib/simulator.sql
\ir lib/elements.sql
SELECT * FROM no_plan();

CREATE FUNCTION file(file bytea) RETURNS text LANGUAGE sql AS $$ SELECT encode(substr(file, 1, 4), 'escape') || '…' || split_part(encode(file, 'escape'), ' of ', 2) $$;
SELECT set_config('sim.report', report_id, false) AS report FROM data.reports WHERE name = 'Monthly report' \gset

SELECT is(file(sigma_export('data', :'workbook')), '%PDF…' || :'workbook', 'a workbook, as pdf');
SELECT is(file(sigma_export('data', :'workbook', 'elOrders', 'png')), '\211PNG…' || :'workbook' || '/elOrders', 'an element, as png');
SELECT is(file(sigma_export('data', :'workbook', format => 'xlsx', page_id => 'pgOdds')), E'PK\x03\x04…' || :'workbook' || '/pgOdds', 'a page, as xlsx');
SELECT is(file(sigma_export('data', report_id => :'report')), '%PDF…' || :'report', 'a report');
SELECT is(convert_from(sigma_export('data', :'workbook', 'elOrders2', 'csv'), 'UTF8'), E'Order No,Comment\n1001.00,late\n1005.00,\n', 'an element, as csv');
SELECT is(convert_from(sigma_export('data', :'workbook', 'elRevenue', 'csv', '{"Region": "AMER"}'), 'UTF8'), E'Region,Revenue\nAMER,100.00\n', '... with parameters');
SELECT sim_calm('data') \g /dev/null
SELECT ok(length(sigma_export('data', :'workbook', NULL, 'pdf', tag => 'Production', format_options => '{"layout": "landscape"}')) > 0, 'a tag, and more of the format');
SELECT is((exports())[1], '{"format": {"type": "pdf", "layout": "landscape"}, "tag": "Production"}'::jsonb, '... as they are sent');
SELECT fails(format('SELECT sigma_export(''data'', %L, ''elPivot'', ''csv'')', :'workbook'), '58000', 'Sigma could not make the export of element "elPivot"', NULL, NULL,
	'what cannot be made');
SELECT fails('SELECT sigma_export(''data'')', '22023', '%either a workbook or a report', NULL, NULL, 'neither');
SELECT fails('SELECT sigma_export(''data'', ''x'', format => ''doc'')', '22023', 'invalid format%', NULL, NULL, 'another format');
SELECT fails('SELECT sigma_export(''data'', ''x'', ''y'', page_id => ''z'')', '22023', NULL, NULL, NULL, 'an element of a page');
SELECT fails('SELECT sigma_export(''data'', ''x'', format => NULL)', '22004', NULL, NULL, NULL, 'no format');
SELECT fails('SELECT sigma_export(''data'', ''x'', format => ''csv'', format_options => ''{"type": "pdf"}'')', '22023', '%"type"%', NULL, NULL, 'two formats');
SELECT fails('SELECT sigma_export(''data'', ''..'')', '22023', 'invalid workbook id ".."', NULL, NULL, 'what is no id');
SELECT spoil_download('body', jsonb_build_object('body', E'<30 days,Later\n1,2\n')) \g /dev/null
SELECT is(convert_from(sigma_export('data', :'workbook', 'elOrders2', 'csv'), 'UTF8'), E'<30 days,Later\n1,2\n', 'a header may begin as a tag does');
CREATE ROLE export_nobody;
SELECT ok(NOT has_function_privilege('export_nobody', p.oid, 'EXECUTE'), p.proname || '() is not for PUBLIC')
	FROM pg_proc p WHERE proname IN ('sigma_export', 'sigma_element_rows') ORDER BY proname;
DROP ROLE export_nobody;

SELECT * FROM finish();

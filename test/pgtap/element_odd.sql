-- An export that takes its time, and the odd answers that its download has been
-- seen to give: those that say "not yet", and those that say "never".

\ir lib/simulator.sql
\ir lib/elements.sql
SELECT * FROM no_plan();

SELECT element('revenue', 'elRevenue', 'region text, revenue numeric') \g /dev/null
CREATE FUNCTION count_revenue() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM e.revenue $$;

-- ------------------------------------------------------------------- not yet

SELECT sim_call('POST', 'config', '{"export": {"ms": 2000}}', 'data') \g /dev/null
SELECT sim_calm('data') \g /dev/null
SELECT is(count_revenue(), 4::bigint, 'an export that takes two seconds');
SELECT is(downloads(), '{204,200}', '... is asked for until it is there');
SELECT sim_reset('data') \g /dev/null

-- each of them once; the download that comes first is spoilt
CREATE TABLE not_yet (what text, fault text, more jsonb);
INSERT INTO not_yet VALUES
	('204', 'status', '{"status": 204}'),
	('404 at first', 'status', '{"status": 404}'),
	('502, as a proxy says it', 'status', '{"status": 502, "html": true}'),
	('503', 'status', '{"status": 503}'),
	('504', 'status', '{"status": 504}'),
	('an empty body', 'body', '{"body": ""}'),
	('nothing but line ends', 'body', '{"body": "\n\n"}'),
	('a status object', 'body', '{"body": {"queryId": "x", "jobComplete": false}}'),
	('a complete job without a file', 'body', '{"body": {"queryId": "x", "jobComplete": true}}'),
	('the status object that is described', 'body', '{"body": {"status": "204"}}'),
	('a single 500', 'status', '{"status": 500}');
SELECT is(n, 4::bigint, 'not yet: ' || what)
	FROM not_yet, LATERAL (SELECT sim_calm('data'), spoil_download(fault, more)) s, LATERAL (SELECT count_revenue() AS n FROM (SELECT s) x OFFSET 0) c;
SELECT is(sim_call('GET', 'fault', NULL, 'data') -> 'entries' -> 0 ->> 'fired', '1', '... and each was met');

-- ------------------------------------------------------------------- never

CREATE FUNCTION never(what text, fault text, more jsonb, state text, message text, detail text, hint text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_calm('data');
	PERFORM spoil_download(fault, more || '{"times": -1}');
	RETURN fails('SELECT region FROM e.revenue', state, message, detail, hint, what);
END $$;
SELECT never('a web page behind a 200', 'status', '{"status": 200, "html": true}', 'HV000', 'Sigma sent a web page in place of the export of element "elRevenue"',
	NULL, '%Open it in Sigma%');
SELECT never('... though it says that it is JSON', 'body', '{"body": "  <html><body>x</body></html>"}', 'HV000', 'Sigma sent a web page%', NULL, NULL);
SELECT never('a message in place of rows', 'body', '{"body": {"message": "The query failed", "code": "warehouse_query_failed_user_error"}}',
	'HV000', 'Sigma sent a message in place of the export of element "elRevenue"', '%: The query failed.%code "warehouse_query_failed_user_error"%', NULL);
SELECT never('... an error object', 'body', '{"body": {"message": "no", "code": "c", "requestId": "r"}}', 'HV000', 'Sigma sent a message%', '%requestId "r"%', NULL);
SELECT never('... as the API describes it', 'body', '{"body": {"status": "500", "message": "no warehouse"}}', 'HV000', 'Sigma sent a message%', '%no warehouse%', NULL);
SELECT never('five times 500', 'status', '{"status": 500}', '58000', 'Sigma could not make the export of element "elRevenue"',
	'Server error in Sigma: The simulator was told to fail. GET /v2/query/%/download: HTTP status 500, code "internal_error"%', '%Open it in Sigma%');
SELECT is(downloads(), '{500,500,500,500,500}', '... no more and no less');
SELECT never('an export that is gone', 'status', '{"status": 410}', 'P0002', 'the export of element "elRevenue" has expired, or is gone', '%HTTP status 410%', '%run the statement again%');
SELECT never('who may not have it', 'status', '{"status": 403}', '42501', 'permission denied by Sigma%', NULL, NULL);
SELECT never('what a proxy does not find', 'status', '{"status": 404, "html": true}', 'HV000', '%answers with HTTP status 404, but not as Sigma does', NULL, NULL);
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('truncate', '{"bytes": 60000}') \g /dev/null
SELECT fails('SELECT code FROM e.large', '08006', 'the export of element "elLarge" was cut off%', '%was lost%', NULL, 'a download that is cut off');
SELECT never('... before its first row', 'truncate', '{"bytes": 10}', '08006', 'the export of element "elRevenue" was cut off%', NULL, NULL);
SELECT never('... in the middle of a row, properly', 'body', '{"body": "{\"Region\":\"EMEA\",\"Revenue\":1}\n{\"Region\":"}', 'HV000',
	'unexpected reply from Sigma: row 2 of the export of element "elRevenue" is no JSON: it is not well-formed JSON', NULL, NULL);
SELECT never('... of an array', 'body', '{"body": "[{\"Region\":\"EMEA\",\"Revenue\":1},{\"Region\""}', 'HV000', '%ends, or is broken, behind row 1', NULL, NULL);
SELECT never('rows that are no objects', 'body', '{"body": "[1]"}', 'HV000', '%row 1 of the export of element "elRevenue" is not an object', NULL, NULL);
SELECT never('what is no JSON', 'body', '{"body": "Region,Revenue\nEMEA,1\n"}', 'HV000', '%row 1 of the export of element "elRevenue" is no JSON%', NULL, NULL);
SELECT never('gzip that is cut off', 'body', '{"body": "\u001f", "headers": {"Content-Encoding": "gzip"}}', '08006', '%cut off%', NULL, NULL);

-- a file of no rows is empty, as one that is not ready is
SELECT element('empty', 'elEmpty', 'region text') \g /dev/null
SELECT sim_calm('data') \g /dev/null
SELECT is((SELECT count(*) FROM e.empty), 0::bigint, 'an element without rows');
SELECT is((SELECT array_agg(e -> 'format' ->> 'type') FROM unnest(exports()) e), '{jsonl,json}', '... which only an array can tell');

-- how long an empty body is taken for one that is not ready is a matter of time, not of how often it comes
SELECT element('patient', 'elRevenue', 'region text', 'export_timeout ''1h''') \g /dev/null
SELECT sim_calm('data') \g /dev/null
SELECT sim_call('POST', 'config', '{"export": {"ms": 100}}', 'data') \g /dev/null
SELECT spoil_download('body', '{"body": "", "times": 4}') \g /dev/null
SELECT is((SELECT count(*) FROM e.patient), 4::bigint, 'four empty bodies');
SELECT is(cardinality(exports()), 1, '... and one export');
SELECT sim_reset('data') \g /dev/null

-- 204, and then 404: it was there
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('status', '{"status": 204}') \g /dev/null
SELECT spoil_download('status', '{"status": 404, "times": -1}') \g /dev/null
SELECT fails('SELECT region FROM e.revenue', 'P0002', 'the export of element "elRevenue" has expired, or is gone', '%HTTP status 404%', NULL, 'an export that has expired');
SELECT is(downloads(), '{204,404}', '... is not waited for');
SELECT sim_calm('data') \g /dev/null
SELECT element('impatient', 'elRevenue', 'region text', 'export_timeout ''1200ms''') \g /dev/null
SELECT sim_call('POST', 'config', '{"export": {"ms": 60000}}', 'data') \g /dev/null
SELECT fails('SELECT region FROM e.impatient', '08006', 'the export of element "elRevenue" was not ready within export_timeout (1200 ms)',
	'The last answer was HTTP status 404.', '%: ALTER FOREIGN TABLE e.impatient OPTIONS (SET export_timeout ''30min'').', 'the time is over');
SELECT sim_reset('data') \g /dev/null

-- a column "message" is one, and so is a row of it alone, to who asks for it
SELECT element('messages', 'elMessage', 'message text') \g /dev/null
SELECT is((SELECT array_agg(message) FROM e.messages), '{hello,again}', 'rows that have a column "message"');
SELECT spoil_download('body', '{"body": {"message": "hello"}}') \g /dev/null
SELECT is((SELECT array_agg(message) FROM e.messages), '{hello}', '... one alone');
SELECT spoil_download('body', '{"body": {"message": "hello", "code": "x"}}') \g /dev/null
SELECT is((SELECT count(*) FROM e.messages), 1::bigint, '... also if the query does not ask for it');
SELECT spoil_download('body', '{"body": {"error": 5}}') \g /dev/null
SELECT is((SELECT array_agg(r) FROM sigma_element_rows('data', :'workbook', 'elMessage') r), '{"{\"error\": 5}"}', '... and one of a single column');

-- ------------------------------------------------------------ the start of it

CREATE FUNCTION spoil_start(what text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT sim_calm('data');
	SELECT sim_fault('{"method": "POST", "path": "/v2/workbooks/*"}' || jsonb_build_object('do', what) || more, 'data');
$$;
SELECT spoil_start('lost-reply') \g /dev/null
SELECT is(count_revenue(), 4::bigint, 'a lost reply to the start: it is a read, and sent again');
SELECT is(cardinality(exports()), 2, '... so');
SELECT spoil_start('status', '{"status": 503}') \g /dev/null
SELECT is(count_revenue(), 4::bigint, 'a failure of the start passes');
SELECT spoil_start('status', '{"status": 429}') \g /dev/null
SELECT is(count_revenue(), 4::bigint, '429 waits');
SELECT spoil_start('body', '{"body": {"message": "not today"}}') \g /dev/null
SELECT fails('SELECT region FROM e.revenue', 'HV000', 'unexpected reply from Sigma: it has no "queryId": not today', NULL, NULL, 'an export without a name');
SELECT spoil_start('body', '{"body": "[]"}') \g /dev/null
SELECT fails('SELECT region FROM e.revenue', 'HV000', 'unexpected reply from Sigma: it is not an object', NULL, NULL, 'an answer of another kind');
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('status', '{"status": 429}') \g /dev/null
SELECT is(count_revenue(), 4::bigint, '429 waits at the download, too');
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('lost-reply') \g /dev/null
SELECT is(count_revenue(), 4::bigint, 'a download of which nothing came is asked for again');
SELECT is(cardinality(exports()), 1, '... of the same export');

-- -------------------------------------------------------------------- cancel

CREATE FUNCTION ends_in_time(what text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ms float8;
	c caught;
	began timestamptz := clock_timestamp();
BEGIN
	SET LOCAL statement_timeout = 0;
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	PERFORM dblink_exec('victim', 'SET statement_timeout = 400');
	began := clock_timestamp();
	PERFORM * FROM dblink('victim', statement, false) r (n text);
	ms := extract(epoch FROM clock_timestamp() - began) * 1000;
	c.message := dblink_error_message('victim');
	PERFORM dblink_disconnect('victim');
	-- as in cancel.sql, a busy machine gets a second
	RETURN ok(ms < 1400 AND c.message LIKE '%canceling statement due to statement timeout%', what)
		|| E'\n' || diag(format('ended %s ms after its time%s', round((ms - 400)::numeric, 1), CASE WHEN ms < 1400 THEN '' ELSE ': ' || c.message END));
END $$;
SELECT spoil_start('never') \g /dev/null
SELECT ends_in_time('cancelled while it is started', 'SELECT region FROM e.revenue');
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('never', '{"times": -1}') \g /dev/null
SELECT ends_in_time('cancelled while the download does not answer', 'SELECT region FROM e.revenue');
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('status', '{"status": 204, "times": -1}') \g /dev/null
SELECT ends_in_time('cancelled in the pause between two questions', 'SELECT region FROM e.revenue');
SELECT ends_in_time('... of a function', format('SELECT length(sigma_export(''data'', %L))::text', current_setting('sim.workbook')));
SELECT sim_calm('data') \g /dev/null
SELECT spoil_download('drip', '{"ms_per_byte": 10, "times": -1}') \g /dev/null
SELECT ends_in_time('cancelled in the middle of the file', 'SELECT code FROM e.large');
SELECT sim_calm('data') \g /dev/null
SELECT is(count_revenue(), 4::bigint, 'and the next one works');

SELECT * FROM finish();

-- Pages of a list that are asked for before they are wanted: the rows are the
-- same, and no page is asked for twice.

\ir lib/simulator.sql
\ir lib/answers.sql
SELECT * FROM no_plan();

SELECT sim_start('far', '--connections 1000') \g /dev/null
SELECT make_server('far_off', sim_url('far'), 'page_size ''10'', prefetch ''false'''),
	make_server('far_one', sim_url('far'), 'page_size ''10'', max_concurrency ''1'''),
	make_server('far_4', sim_url('far'), 'page_size ''10'', max_concurrency ''4'''),
		make_server('far_8', sim_url('far'), 'page_size ''10'', max_concurrency ''8''') \g /dev/null
SELECT sim_config('{"latency_ms": 20}', 'far') \g /dev/null
CREATE TABLE expected AS SELECT rows_of('SELECT connection_id, name FROM far_off.connections') AS rows, asked('far') AS requests, at_once('far');
SELECT is(cardinality(rows), 1000, 'without look-ahead: all rows') FROM expected;
SELECT is(cardinality(requests), 100, '... each page once') FROM expected;
SELECT is(at_once, 1, '... one after another') FROM expected;

-- a session that has read nothing yet
CREATE FUNCTION forget_list(server text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER SERVER %I OPTIONS (SET max_concurrency %L)', server, (SELECT option_value FROM pg_foreign_server f,
		pg_options_to_table(f.srvoptions) WHERE srvname = server AND option_name = 'max_concurrency'));
	PERFORM sigma_stat_reset();
END $$;
CREATE FUNCTION looks_ahead(server text, concurrency int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	rows text[];
BEGIN
	-- signs in
	EXECUTE format('SELECT FROM %I.connections WHERE connection_id = ''x''', server);
	PERFORM sim_calm('far');
	rows := rows_of(format('SELECT connection_id, name FROM %I.connections', server));
	RETURN NEXT is(rows, (SELECT e.rows FROM expected e), format('%s at once: the same rows', concurrency));
	RETURN NEXT is(asked('far'), (SELECT requests FROM expected), '... by the same requests, none twice and none beyond the total');
	RETURN NEXT is(at_once('far'), concurrency, '... so many under way, and no more');
END $$;
SELECT looks_ahead('far_one', 1);
SELECT looks_ahead('far_4', 4);
SELECT looks_ahead('far_8', 8);
-- not the whole list, nor twice what is wanted
CREATE FUNCTION fetched(n int) RETURNS int LANGUAGE sql AS $$
	SELECT count_of(format('SELECT count(name) FROM (SELECT name FROM far_8.connections OFFSET 0 LIMIT %s) c', n), 'far')
$$;
SELECT is(count_of('SELECT name FROM far_8.connections LIMIT 1', 'far'), 1, 'LIMIT 1: one request');
SELECT is(requests_of('SELECT name FROM far_8.connections LIMIT 1', 'far'), '{GET /v2/connections?limit=1}', '... for one entry');
SELECT is(fetched(1), 1, 'one row of a subquery: one request');
SELECT is(fetched(10), 1, 'one page: one request');
SELECT cmp_ok(fetched(11), '<=', 3, 'who wants a second page gets one more at most');
SELECT cmp_ok(fetched(21), '<=', 5, 'for a third, two more');
SELECT cmp_ok(fetched(205), '<=', 21 + 8, 'never more ahead than max_concurrency');
SELECT is(asked('far'), (SELECT array_agg(DISTINCT r ORDER BY r) FROM unnest(asked('far')) r), '... none of them twice');
BEGIN;
SELECT sim_calm('far') \g /dev/null
DECLARE c CURSOR FOR SELECT name FROM far_8.connections;
\o /dev/null
FETCH 3 FROM c;
\o
SELECT is(sim_count('far'), 1, 'a cursor that has fetched three rows has made one request');
\o /dev/null
FETCH 3 FROM c;
\o
SELECT is(sim_count('far'), 1, '... and still after six');
COMMIT;
SELECT sim_call('POST', 'reset', NULL, 'far') \g /dev/null
SELECT is(rows_of('SELECT c.name FROM (VALUES (1), (2)) v (n), LATERAL (SELECT name FROM far_8.connections '
	'WHERE name > v.n::text) c'), rows_of('SELECT c.name FROM (VALUES (1), (2)) v (n), LATERAL (SELECT name '
	'FROM far_off.connections WHERE name > v.n::text) c'), 'rescans: the same rows');
SELECT same('SELECT a.name FROM far_8.connections a JOIN far_4.connections b USING (name) ORDER BY 1',
	'SELECT name FROM far_off.connections ORDER BY 1', 'two scans at once: the same rows');
SELECT same('SELECT a.name FROM far_8.connections a FULL JOIN far_8.connections b USING (name) ORDER BY 1',
	'SELECT name FROM far_off.connections ORDER BY 1', 'two scans of one session: the same rows');
-- without a total, nothing can be guessed by who has not read the list before
SELECT forget_list('far_8') \g /dev/null
SELECT sim_spoil_list('edit', '{"remove": ["total"]}', 'far') \g /dev/null
SELECT sim_call('DELETE', 'log', NULL, 'far') \g /dev/null
SELECT is(rows_of('SELECT connection_id, name FROM far_8.connections'), rows, 'without a total: the same rows') FROM expected;
SELECT is(asked('far'), requests, '... by the same requests') FROM expected;
SELECT is(at_once('far'), 1, '... one after another');
SELECT is(rows_of('SELECT connection_id, name FROM far_8.connections'), rows, '... and again, in a session that knows its pages') FROM expected;
SELECT sim_call('POST', 'reset', NULL, 'far') \g /dev/null

-- ---------------------------------------- is it known that all will be read?

-- nine pages: eight at once behind the first only if nobody waits to see whether they are wanted; else five at most
SELECT sim_config('{"latency_ms": 100}', 'far') \g /dev/null
SELECT make_server('nine', sim_url('far'), 'page_size ''112'', max_concurrency ''8'''),
	make_server('eight', sim_url('far'), 'page_size ''125'', max_concurrency ''8''') \g /dev/null
CREATE FUNCTION at_once_in(query text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM forget_list('nine');
	PERFORM sim_calm('far');
	EXECUTE query;
	IF sim_count('far') <> 9 THEN
		RAISE 'made % requests', sim_count('far');
	END IF;
	RETURN at_once('far');
END $$;
CREATE TABLE two AS SELECT n FROM generate_series(1, 2) n;
SELECT is(at_once_in(query), 8, 'all will be read: ' || query) FROM unnest(ARRAY[
	'CREATE TEMP TABLE copied AS SELECT name FROM nine.connections',
	'INSERT INTO copied SELECT name FROM nine.connections',
	'SELECT max(name) FROM nine.connections LIMIT 1',
	'SELECT name FROM nine.connections ORDER BY name LIMIT 1',
	'SELECT type FROM nine.connections GROUP BY type LIMIT 1',
	'SELECT name FROM nine.connections UNION SELECT ''x'' LIMIT 1',
	'CREATE TEMP TABLE joined AS SELECT c.name FROM copied JOIN nine.connections c USING (name)',
	'CREATE TEMP TABLE appended AS SELECT name FROM nine.connections UNION ALL SELECT ''x''',
	'CREATE TEMP TABLE windowed AS SELECT name, row_number() OVER () FROM nine.connections',
	'WITH m AS MATERIALIZED (SELECT name FROM nine.connections ORDER BY name) SELECT name FROM m LIMIT 1']) query;
SELECT cmp_ok(at_once_in(query), '<=', 5, 'perhaps not: ' || query) FROM unnest(ARRAY[
	'SELECT max(name) FROM (SELECT name FROM nine.connections LIMIT 1000) c',
	'DO $d$ DECLARE r record; BEGIN FOR r IN SELECT name FROM nine.connections LOOP END LOOP; END $d$',
	'WITH m AS MATERIALIZED (SELECT name FROM nine.connections) SELECT max(name) FROM m']) query;
-- a run in its midst that ends with an error does not make it forget who wants a few rows
CREATE FUNCTION caught() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / (n - 1) FROM two;
	RETURN '';
EXCEPTION WHEN division_by_zero THEN
	RETURN '';
END $$;
-- a query that stops at the first row
CREATE FUNCTION first_name() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT name FROM nine.connections';
SELECT is(count_of(query, 'far'), 1, 'one request: ' || query) FROM unnest(ARRAY[
	'SELECT first_name()',
	'DO $d$ DECLARE n text; BEGIN SELECT name INTO n FROM nine.connections; END $d$',
	'DO $d$ DECLARE n text; BEGIN n := (SELECT name FROM nine.connections LIMIT 1); END $d$',
	'DO $d$ DECLARE r record; BEGIN FOR r IN SELECT name FROM nine.connections LOOP EXIT; END LOOP; END $d$',
	'DO $d$ DECLARE r record; BEGIN FOR r IN SELECT name FROM (SELECT caught() s OFFSET 0) f, LATERAL (SELECT name FROM nine.connections '
		'WHERE name > f.s OFFSET 0) c LOOP EXIT; END LOOP; END $d$',
	'SELECT 1 WHERE EXISTS (SELECT FROM nine.connections)',
	'SELECT n FROM two WHERE EXISTS (SELECT FROM nine.connections c WHERE length(c.name) > two.n)',
	'SELECT n FROM two, LATERAL (SELECT name FROM nine.connections OFFSET 0 LIMIT 1) c LIMIT 1',
	'SELECT name FROM nine.connections UNION ALL SELECT ''x'' LIMIT 2']) query;
-- a cursor
BEGIN;
SELECT forget_list('nine'), sim_calm('far') \g /dev/null
DECLARE c CURSOR FOR SELECT name FROM nine.connections;
\o /dev/null
FETCH 999 FROM c;
\o
SELECT cmp_ok(at_once('far'), '<=', 5, 'a cursor goes slowly');
COMMIT;
BEGIN;
SELECT forget_list('nine'), sim_calm('far') \g /dev/null
DECLARE c CURSOR FOR SELECT name FROM nine.connections;
\o /dev/null
FETCH ALL FROM c;
\o
SELECT is(at_once('far'), 8, 'not if all is fetched at once');
COMMIT;

-- what the session knows from before
SELECT forget_list('eight'), sim_calm('far') \g /dev/null
SELECT is(rows_of('SELECT connection_id, name FROM eight.connections'), rows, 'eight pages: the rows') FROM expected;
SELECT cmp_ok(at_once('far'), '<=', 7, '... the first page alone');
SELECT sim_calm('far') \g /dev/null
SELECT is(rows_of('SELECT connection_id, name FROM eight.connections'), rows, '... and again') FROM expected;
SELECT is(at_once('far'), 8, '... all at once');
SELECT is(sim_count('far'), 8, '... each once');
SELECT is(count_of('SELECT connection_id FROM eight.connections LIMIT 1', 'far'), 1, '... but not if LIMIT wants one');

-- as many lists below parents as may be, from the start
CREATE TABLE ids AS SELECT array_agg(connection_id) AS ids FROM (SELECT connection_id FROM eight.connections LIMIT 8) c;
SELECT sim_calm('far') \g /dev/null
SELECT is((SELECT count(name)::int FROM eight.connections WHERE connection_id = ANY ((SELECT ids FROM ids)::text[])), 8, 'eight look-ups');
SELECT is(at_once('far'), 8, '... all at once');
SELECT sim_calm('far') \g /dev/null
SELECT lives_ok('SELECT count(grant_id) FROM eight.connection_grants WHERE connection_id = ANY ((SELECT ids FROM ids)::text[])',
	'eight lists below parents');
SELECT is(at_once('far'), 8, '... all at once');
SELECT sim_calm('far') \g /dev/null
SELECT is((SELECT count(name)::int FROM (SELECT name FROM eight.connections WHERE connection_id = ANY ((SELECT ids FROM ids)::text[]) LIMIT 8) c),
	8, 'eight that a LIMIT may not want');
SELECT cmp_ok(at_once('far'), '<=', 5, '... are begun with one');

-- ----------------------------------------------------- lists that are otherwise

SELECT make_server('odd', sim_url(), 'page_size ''10'', max_concurrency ''4'', max_retries ''0'''),
	make_server('odd_off', sim_url(), 'page_size ''10'', max_concurrency ''4'', max_retries ''0'', prefetch ''false''') \g /dev/null

-- A list as it is told: token, first entry, number of entries, next token and
-- total of each page, the first of which has no token.  Pages that are not told
-- of are refused.
CREATE TYPE told_page AS (token text, first int, n int, next text, total int);
CREATE FUNCTION tell(pages text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p told_page;
	body jsonb;
BEGIN
	PERFORM sim_calm();
	-- the page without a token last, since its rule would take all
	FOR p IN SELECT (page::told_page).* FROM unnest(pages) page ORDER BY length((page::told_page).token) DESC NULLS LAST LOOP
		SELECT jsonb_build_object('entries', coalesce(jsonb_agg(jsonb_build_object('connectionId', 'c' || i, 'name', 'n' || i)), '[]'), 'nextPage', p.next)
			|| CASE WHEN p.total IS NULL THEN '{}' ELSE jsonb_build_object('total', p.total) END
		INTO body FROM generate_series(p.first, p.first + p.n - 1) i;
		IF p.token IS NULL THEN
			PERFORM sim_spoil_list('status', '{"status": 400, "query": "page="}');
		END IF;
		PERFORM sim_spoil_list('body', jsonb_build_object('body', body) || CASE WHEN p.token IS NULL THEN '{}'
			ELSE jsonb_build_object('query', 'page=' || p.token) END);
	END LOOP;
END $$;
CREATE FUNCTION gives(pages text[], n int, in_flight int, description text, OUT result text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	list text[];
	wanted text[] := (SELECT array_agg('(c' || i || ')' ORDER BY i) FROM generate_series(0, n - 1) i);
BEGIN
	PERFORM tell(pages);
	list := rows_of('SELECT connection_id FROM odd_off.connections');
	result := is(list, wanted, description || ', without look-ahead');
	RETURN NEXT;
	PERFORM sim_call('DELETE', 'log');
	PERFORM forget_list('odd');
	list := rows_of('SELECT connection_id FROM odd.connections');
	result := is(list, wanted, '... and with it');
	RETURN NEXT;
	result := is((SELECT count(DISTINCT r) FROM unnest(sim_requests()) r), sim_count()::bigint, '... nothing asked for twice');
	RETURN NEXT;
	IF in_flight IS NOT NULL THEN
		result := is(at_once(), in_flight, '... so many at once');
		RETURN NEXT;
	END IF;
	list := rows_of('SELECT connection_id FROM odd.connections');
	result := is(list, wanted, '... and once more, in a session that knows it');
	RETURN NEXT;
END $$;
SELECT sim_config('{"latency_ms": 20}') \g /dev/null
SELECT gives('{"(,0,10,a,40)","(a,10,10,b,40)","(b,20,10,c,40)","(c,30,10,,40)"}', 40, 1, 'tokens that are no numbers');
SELECT gives('{"(,0,10,1,40)","(1,10,10,2,40)","(2,20,10,3,40)","(3,30,10,,40)"}', 40, 1, 'tokens that count pages');
SELECT gives('{"(,0,10,010,40)","(010,10,10,020,40)","(020,20,10,030,40)","(030,30,10,,40)"}', 40, 1, 'tokens with a zero before');
SELECT gives('{"(,0,10,10,40)","(10,10,10,20,40)","(20,20,10,30,40)","(30,30,10,,40)"}', 40, 3, 'tokens that count entries');
-- page "20" and "30" are there to be guessed, and are not of this list
SELECT gives('{"(,0,10,10,60)","(10,10,5,15,60)","(15,15,10,25,60)","(25,25,10,35,60)","(35,35,25,,60)","(20,0,10,30,60)","(30,'
	'90,10,40,60)","(40,5,10,50,60)"}', 60, NULL, 'a short page in the middle');
SELECT gives('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,x,60)","(x,30,10,y,60)","(y,40,20,,60)","(30,0,10,40,60)","(40,90,'
	'10,50,60)"}', 60, NULL, 'tokens that stop being numbers');
SELECT ok('GET /v2/connections?limit=10&page=30' = ANY (sim_requests()), '... guessed wrong indeed');
SELECT gives('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,40,60)","(40,30,30,,60)","(30,0,10,40,60)"}', 60, NULL, 'a number left out');
SELECT gives('{"(,0,10,10,1000)","(10,10,10,20,1000)","(20,20,10,30,1000)","(30,30,10,,40)"}', 40, NULL,
	'a total that is too great: guesses beyond the end are refused, and it does not matter');
SELECT ok('GET /v2/connections?limit=10&page=40' = ANY (sim_requests()), '... there were some');
SELECT gives('{"(,0,10,10,11)","(10,10,10,20,11)","(20,20,10,30,11)","(30,30,10,,40)"}', 40, 1, 'a total that is too small');
SELECT gives('{"(,0,10,10,30)","(10,10,0,20,30)","(20,10,10,30,30)","(30,20,10,,30)"}', 30, NULL, 'an empty page in the middle');
SELECT gives('{"(,0,10,10,)","(10,10,10,20,)","(20,20,10,,)"}', 30, 1, 'no total at all');
SELECT gives('{"(,0,0,0,20)","(0,0,10,10,20)","(10,10,10,,20)"}', 20, 1, 'an empty first page');
SELECT gives('{"(,0,10,10,10)","(10,10,10,,10)"}', 20, 1, 'more than the total');
-- what the session knows of a list, and has changed since
CREATE FUNCTION knows(pages text[], n int, asked int, description text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell(pages);
	RETURN is(rows_of('SELECT connection_id FROM odd.connections') || sim_count()::text,
		(SELECT array_agg('(c' || i || ')' ORDER BY i) FROM generate_series(0, n - 1) i) || asked::text, description);
END $$;
SELECT forget_list('odd') \g /dev/null
SELECT knows('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(30,30,10,40,60)","(40,40,10,50,60)","(50,50,10,,60)"}', 60, 6, 'six pages');
SELECT knows('{"(,0,10,10,15)","(10,10,5,,15)"}', 15, 4, 'the list has become shorter: two pages asked for in vain, and refused');
SELECT knows('{"(,0,10,10,40)","(10,10,10,20,40)","(20,20,10,30,40)","(30,30,10,,40)"}', 40, 4, 'longer: none');
SELECT knows('{"(,0,10,x,40)","(x,10,10,y,40)","(y,20,10,z,40)","(z,30,10,,40)"}', 40, 7, 'its tokens are no numbers any more: three in vain');
SELECT knows('{"(,0,10,x,40)","(x,10,10,y,40)","(y,20,10,z,40)","(z,30,10,,40)"}', 40, 4, 'none from then on');
SELECT knows('{"(,0,10,10,40)","(10,10,10,20,40)","(20,20,10,30,40)","(30,30,10,,40)"}', 40, 4, 'they are again');
SELECT knows('{"(,0,10,20,30)","(20,10,10,30,30)","(30,20,10,,30)"}', 30, 4, 'one of them is left out: one in vain');
SELECT tell('{"(10,10,10,20,60)"}') \g /dev/null
SELECT sim_spoil_list('status', '{"status": 403, "page": "", "times": 1}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', '42501', NULL, NULL, NULL, 'a first page that fails, with others asked for');
-- what is wrong with a page that was guessed right is an error
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(40,40,10,50,60)","(50,50,10,,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', '22023', NULL, '%page=30%', NULL,
	'a page that fails is an error, though the pages behind it have come');
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(30,30,10,10,60)","(40,40,10,50,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', 'HV000', NULL, NULL, NULL, 'so is a token seen before');
SELECT sim_call('POST', 'reset') \g /dev/null

SELECT * FROM finish();

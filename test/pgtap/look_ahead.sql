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
-- without a total, nothing can be guessed
SELECT sim_spoil_list('edit', '{"remove": ["total"]}', 'far') \g /dev/null
SELECT sim_call('DELETE', 'log', NULL, 'far') \g /dev/null
SELECT is(rows_of('SELECT connection_id, name FROM far_8.connections'), rows, 'without a total: the same rows') FROM expected;
SELECT is(asked('far'), requests, '... by the same requests') FROM expected;
SELECT is(at_once('far'), 1, '... one after another');

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
	list := rows_of('SELECT connection_id FROM odd.connections');
	result := is(list, wanted, '... and with it');
	RETURN NEXT;
	result := is((SELECT count(DISTINCT r) FROM unnest(sim_requests()) r), sim_count()::bigint, '... nothing asked for twice');
	RETURN NEXT;
	IF in_flight IS NOT NULL THEN
		result := is(at_once(), in_flight, '... so many at once');
		RETURN NEXT;
	END IF;
END $$;
SELECT sim_config('{"latency_ms": 20}') \g /dev/null
SELECT gives('{"(,0,10,a,40)","(a,10,10,b,40)","(b,20,10,c,40)","(c,30,10,,40)"}', 40, 1, 'tokens that are no numbers');
SELECT gives('{"(,0,10,1,40)","(1,10,10,2,40)","(2,20,10,3,40)","(3,30,10,,40)"}', 40, 1, 'tokens that count pages');
SELECT gives('{"(,0,10,010,40)","(010,10,10,020,40)","(020,20,10,030,40)","(030,30,10,,40)"}', 40, 1, 'tokens with a zero before');
SELECT gives('{"(,0,10,10,40)","(10,10,10,20,40)","(20,20,10,30,40)","(30,30,10,,40)"}', 40, 2, 'tokens that count entries');
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
-- what is wrong with a page that was guessed right is an error
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(40,40,10,50,60)","(50,50,10,,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', '22023', NULL, '%page=30%', NULL,
	'a page that fails is an error, though the pages behind it have come');
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(30,30,10,10,60)","(40,40,10,50,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', 'HV000', NULL, NULL, NULL, 'so is a token seen before');
SELECT sim_call('POST', 'reset') \g /dev/null

SELECT * FROM finish();

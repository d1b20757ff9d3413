-- What makes it fast must not change an answer: looking ahead, many requests at
-- once, counting by total, scanning servers side by side.  No time is asserted
-- here, only rows, and which requests were made, and how many at once.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- the requests so far, sorted
CREATE FUNCTION asked(process text DEFAULT 'main') RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(r ORDER BY r), '{}') FROM unnest(sim_requests(process)) r
$$;
-- the most of them that were under way at a time
CREATE FUNCTION at_once(process text DEFAULT 'main') RETURNS int LANGUAGE sql AS $$
	SELECT max(concurrent) FROM sim_log(process)
$$;
-- a query's rows, in order
CREATE FUNCTION rows_of(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(q::text), ''{}'') FROM (%s) q', query) INTO result;
	RETURN result;
END $$;
CREATE FUNCTION plan_of(query text, options text DEFAULT 'COSTS OFF') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;
-- two queries that must give the same rows in the same order
CREATE FUNCTION same(query text, other text, description text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN is(rows_of(query), rows_of(other), description);
END $$;

-- -------------------------------------------------------------- looking ahead

SELECT sim_start('far', '--connections 1000') \g /dev/null
SELECT make_server('far_off', sim_url('far'), 'page_size ''10'', prefetch ''false'''), make_server('far_one', sim_url('far'), 'page_size ''10'', max_concurrency ''1'''),
	make_server('far_4', sim_url('far'), 'page_size ''10'', max_concurrency ''4'''), make_server('far_8', sim_url('far'), 'page_size ''10'', max_concurrency ''8''') \g /dev/null
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
CREATE FUNCTION fetched(n int) RETURNS int LANGUAGE sql AS $$ SELECT count_of(format('SELECT count(name) FROM (SELECT name FROM far_8.connections OFFSET 0 LIMIT %s) c', n), 'far') $$;
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
SELECT is(rows_of('SELECT c.name FROM (VALUES (1), (2)) v (n), LATERAL (SELECT name FROM far_8.connections WHERE name > v.n::text) c'), rows_of('SELECT c.name FROM (VALUES (1), (2)) v (n), LATERAL (SELECT name FROM far_off.connections WHERE name > v.n::text) c'), 'rescans: the same rows');
SELECT same('SELECT a.name FROM far_8.connections a JOIN far_4.connections b USING (name) ORDER BY 1', 'SELECT name FROM far_off.connections ORDER BY 1', 'two scans at once: the same rows');
SELECT same('SELECT a.name FROM far_8.connections a FULL JOIN far_8.connections b USING (name) ORDER BY 1', 'SELECT name FROM far_off.connections ORDER BY 1', 'two scans of one session: the same rows');
-- without a total, nothing can be guessed
SELECT sim_spoil_list('edit', '{"remove": ["total"]}', 'far') \g /dev/null
SELECT sim_call('DELETE', 'log', NULL, 'far') \g /dev/null
SELECT is(rows_of('SELECT connection_id, name FROM far_8.connections'), rows, 'without a total: the same rows') FROM expected;
SELECT is(asked('far'), requests, '... by the same requests') FROM expected;
SELECT is(at_once('far'), 1, '... one after another');

-- ----------------------------------------------------- lists that are otherwise

SELECT make_server('odd', sim_url(), 'page_size ''10'', max_concurrency ''4'', max_retries ''0'''), make_server('odd_off', sim_url(), 'page_size ''10'', max_concurrency ''4'', max_retries ''0'', prefetch ''false''') \g /dev/null

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
		PERFORM sim_spoil_list('body', jsonb_build_object('body', body) || CASE WHEN p.token IS NULL THEN '{}' ELSE jsonb_build_object('query', 'page=' || p.token) END);
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
SELECT gives('{"(,0,10,10,60)","(10,10,5,15,60)","(15,15,10,25,60)","(25,25,10,35,60)","(35,35,25,,60)","(20,0,10,30,60)","(30,90,10,40,60)","(40,5,10,50,60)"}', 60, NULL, 'a short page in the middle');
SELECT gives('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,x,60)","(x,30,10,y,60)","(y,40,20,,60)","(30,0,10,40,60)","(40,90,10,50,60)"}', 60, NULL, 'tokens that stop being numbers');
SELECT ok('GET /v2/connections?limit=10&page=30' = ANY (sim_requests()), '... guessed wrong indeed');
SELECT gives('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,40,60)","(40,30,30,,60)","(30,0,10,40,60)"}', 60, NULL, 'a number left out');
SELECT gives('{"(,0,10,10,1000)","(10,10,10,20,1000)","(20,20,10,30,1000)","(30,30,10,,40)"}', 40, NULL, 'a total that is too great: guesses beyond the end are refused, and it does not matter');
SELECT ok('GET /v2/connections?limit=10&page=40' = ANY (sim_requests()), '... there were some');
SELECT gives('{"(,0,10,10,11)","(10,10,10,20,11)","(20,20,10,30,11)","(30,30,10,,40)"}', 40, 1, 'a total that is too small');
SELECT gives('{"(,0,10,10,30)","(10,10,0,20,30)","(20,10,10,30,30)","(30,20,10,,30)"}', 30, NULL, 'an empty page in the middle');
SELECT gives('{"(,0,10,10,)","(10,10,10,20,)","(20,20,10,,)"}', 30, 1, 'no total at all');
SELECT gives('{"(,0,0,0,20)","(0,0,10,10,20)","(10,10,10,,20)"}', 20, 1, 'an empty first page');
SELECT gives('{"(,0,10,10,10)","(10,10,10,,10)"}', 20, 1, 'more than the total');
-- what is wrong with a page that was guessed right is an error
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(40,40,10,50,60)","(50,50,10,,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', '22023', NULL, '%page=30%', NULL, 'a page that fails is an error, though the pages behind it have come');
SELECT tell('{"(,0,10,10,60)","(10,10,10,20,60)","(20,20,10,30,60)","(30,30,10,10,60)","(40,40,10,50,60)"}') \g /dev/null
SELECT fails('SELECT count(name) FROM odd.connections', 'HV000', NULL, NULL, NULL, 'so is a token seen before');
SELECT sim_call('POST', 'reset') \g /dev/null

-- ------------------------------------------------------------- many look-ups

SELECT sim_start('many', '--connections 2000') \g /dev/null
SELECT make_server('many', sim_url('many')), make_server('many_off', sim_url('many'), 'prefetch ''false''') \g /dev/null
SELECT sim_config('{"latency_ms": 10}', 'many') \g /dev/null
CREATE TABLE ids AS SELECT row_number() OVER ()::int AS n, connection_id AS id, name FROM many.connections LIMIT 40;
ANALYZE ids;
-- lists that look so long that nobody would read them whole
ALTER FOREIGN TABLE many.connections OPTIONS (ADD rows '1000000');
ALTER FOREIGN TABLE many_off.connections OPTIONS (ADD rows '1000000');
CREATE FUNCTION keyed(ids text[]) RETURNS text LANGUAGE sql AS $$ SELECT format('SELECT name FROM many.connections WHERE connection_id = ANY (%L)', ids) $$;
SELECT array_agg(id ORDER BY n) AS some FROM ids \gset
SELECT sim_calm('many') \g /dev/null
SELECT is(rows_of(keyed(:'some')), (SELECT array_agg(ROW (name)::text ORDER BY n) FROM ids), '= ANY: the rows in the order of the keys');
SELECT is(sim_count('many'), 40, '... a request for each key');
SELECT is(at_once('many'), 4, '... four at once');
SELECT sim_calm('many') \g /dev/null
SELECT is(cardinality(rows_of(keyed(:'some'::text[] || :'some'::text[] || NULL))), 40, 'keys that come twice, or are NULL');
SELECT is(sim_count('many'), 40, '... are asked for once, or not at all');
SELECT is(count_of(keyed(:'some') || ' LIMIT 1', 'many'), 1, 'LIMIT 1 of them: one request');
SELECT cmp_ok(count_of(keyed(:'some') || ' LIMIT 10', 'many'), '<=', 14, 'LIMIT 10: never more ahead than may be under way');
SELECT is(count_of(keyed('{}'), 'many'), 0, 'no keys: no request');
SELECT sim_calm('many') \g /dev/null
SELECT is(rows_of('SELECT connection_id, grant_id FROM many.connection_grants WHERE connection_id = ANY (' || quote_literal(:'some') || ')'),
	rows_of('SELECT connection_id, grant_id FROM many_off.connection_grants WHERE connection_id = ANY (' || quote_literal(:'some') || ')'), 'the lists of 40 parents: the same rows');
SELECT cmp_ok(at_once('many'), '<=', 4, '... never more than four at once');
SELECT make_server('small_off', sim_url(), 'prefetch ''false'''), make_server('small_one', sim_url(), 'max_concurrency ''1''') \g /dev/null
SELECT sim_config('{"latency_ms": 10}') \g /dev/null
CREATE FUNCTION walks(t text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	rows text[];
BEGIN
	PERFORM sim_calm();
	rows := rows_of(format('SELECT * FROM sim.%I', t));
	RETURN NEXT is(rows, rows_of(format('SELECT * FROM small_off.%I', t)), t || ': the same rows with and without look-ahead');
	PERFORM sim_calm();
	PERFORM rows_of(format('SELECT * FROM sim.%I', t));
	RETURN NEXT ok(at_once() BETWEEN 2 AND 4, '... several lists at once');
	RETURN NEXT is(cardinality(asked()), (SELECT count(DISTINCT r)::int FROM unnest(asked()) r), '... each page once');
	PERFORM sim_calm();
	PERFORM rows_of(format('SELECT * FROM small_one.%I', t));
	RETURN NEXT is(at_once(), 1, '... max_concurrency 1: one after another');
END $$;
SELECT walks(t) FROM unnest('{connection_grants,team_members,workbook_pages,workbook_elements}'::text[]) t;
SELECT sim_call('POST', 'reset') \g /dev/null

-- --------------------------------------------------------------- look-up joins

SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET enable_material = off;
-- keys that come once, twice, that are NULL, that nobody has, and in other types
CREATE TABLE outside AS SELECT n, CASE WHEN n % 7 = 0 THEN NULL WHEN n % 11 = 0 THEN 'nobody' || n ELSE id END AS id, name,
	CASE n % 3 WHEN 0 THEN 'snowflake' WHEN 1 THEN 'postgres' END AS kind, id::uuid AS uuid, id::varchar(60) AS short FROM ids WHERE n <= 25
	UNION ALL SELECT n + 100, id, name, 'snowflake', id::uuid, id FROM ids WHERE n <= 5;
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs SELECT i % 25 + 1, i FROM generate_series(1, 30) i;
ANALYZE outside;
ANALYZE pairs;
CREATE VIEW many.named AS SELECT connection_id, name, type, upper(name) AS loud FROM many.connections;
CREATE VIEW many_off.named AS SELECT connection_id, name, type, upper(name) AS loud FROM many_off.connections;

-- Each query once with many look-ups at a time, once as a nested loop; %s is the
-- schema.  "joined": it must be such a join, not only give the same rows.
CREATE TABLE joins (n int GENERATED ALWAYS AS IDENTITY, joined boolean, query text);
INSERT INTO joins (joined, query) VALUES
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name, c.created_at FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.* FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT count(*), count(c.connection_id) FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT 1 FROM outside o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE c.type = o.kind'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND c.type = o.kind'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND c.type = ''snowflake'''),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND o.n > 10'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id WHERE c.name IS NULL OR c.type <> o.kind'),
	(false, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id WHERE c.connection_id IS NULL'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE length(c.name) + o.n > 40 AND c.is_archived IS NOT TRUE'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.uuid::text'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.short'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = lower(o.id)'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = CASE WHEN o.n > 5 THEN o.id END'),
	(true, 'SELECT o.n, c.name || o.name AS both FROM outside o JOIN %s.connections c ON c.connection_id = o.id ORDER BY o.n DESC LIMIT 4'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id ORDER BY c.name, o.n OFFSET 3 LIMIT 10'),
	(true, 'SELECT o.n, c.name FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id LIMIT 9'),
	(true, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id LIMIT 0'),
	(true, 'SELECT c.type, count(*), min(o.n) FROM outside o JOIN %s.connections c ON c.connection_id = o.id GROUP BY c.type ORDER BY 1'),
	(false, 'SELECT o.n, c.name FROM (SELECT * FROM outside WHERE n > 100 ORDER BY n DESC LIMIT 3) o JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT p.b, o.n, c.name FROM pairs p JOIN outside o ON o.n = p.a LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, c.name, d.type FROM outside o JOIN %s.connections c ON c.connection_id = o.id LEFT JOIN %1$s.connections d ON d.connection_id = c.connection_id'),
	(true, 'SELECT o.n, c.attrs FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(true, 'SELECT o.n, v.loud FROM outside o LEFT JOIN %s.named v ON v.connection_id = o.id'),
	(false, 'SELECT o, c FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.tableoid::regclass::text LIKE ''%%connections'' AS t FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.name FROM outside o RIGHT JOIN %s.connections c ON c.connection_id = o.id WHERE c.connection_id IN (SELECT id FROM ids WHERE n < 9) ORDER BY c.name, o.n'),
	(false, 'SELECT n FROM outside o WHERE EXISTS (SELECT FROM %s.connections c WHERE c.connection_id = o.id)'),
	(false, 'SELECT n FROM outside o WHERE NOT EXISTS (SELECT FROM %s.connections c WHERE c.connection_id = o.id)'),
	(false, 'SELECT n FROM outside o WHERE id IN (SELECT connection_id FROM %s.connections WHERE type = o.kind)'),
	(false, 'SELECT o.n, c.name FROM outside o, LATERAL (SELECT name FROM %s.connections c WHERE c.connection_id = o.id OFFSET 0) c'),
	(false, 'SELECT o.n, (SELECT c.name FROM %s.connections c WHERE c.connection_id = o.id) FROM outside o'),
	(false, 'SELECT p.b, (SELECT string_agg(c.name, '','' ORDER BY o.n) FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE o.n < p.a) FROM pairs p WHERE p.b <= 6'),
	(false, 'SELECT p.b, (SELECT max(c.name) FROM outside o LEFT JOIN %s.connections c ON c.connection_id = o.id AND o.n = p.b WHERE o.n < 9) FROM pairs p WHERE p.b <= 6'),
	(false, 'SELECT p.b, s.* FROM pairs p, LATERAL (SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE o.n > p.b * 3 ORDER BY o.n LIMIT 2) s WHERE p.b <= 6'),
	(false, 'SELECT p.b, s.* FROM pairs p LEFT JOIN (SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id) s ON s.n = p.a'),
	(false, 'WITH j AS MATERIALIZED (SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id) SELECT a.n, b.name FROM j a JOIN j b ON a.n = b.n + 1'),
	(false, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id UNION ALL SELECT o.n, c.type FROM outside o LEFT JOIN %1$s.connections c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.x FROM outside o LEFT JOIN (SELECT connection_id, coalesce(name, ''none'') AS x FROM %s.connections) c ON c.connection_id = o.id'),
	(false, 'SELECT o.n, c.x FROM (SELECT n, coalesce(id, ''x'') AS k FROM outside) o LEFT JOIN (SELECT connection_id, 1 AS x FROM %s.connections) c ON c.connection_id = o.k'),
	(false, 'SELECT o.n, g.grant_id, g.permission FROM outside o JOIN %s.connection_grants g ON g.connection_id = o.id'),
	(false, 'SELECT o.n, g.grant_id, g.permission FROM outside o LEFT JOIN %s.connection_grants g ON g.connection_id = o.id AND g.permission <> o.kind'),
	(false, 'SELECT o.n, c.name, random() < 2 AS r FROM outside o JOIN %s.connections c ON c.connection_id = o.id WHERE random() < 2'),
	(false, 'SELECT o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id AND o.n > random() * 0'),
	(false, 'SELECT generate_series(1, 2) AS g, o.n, c.name FROM outside o JOIN %s.connections c ON c.connection_id = o.id');
SELECT sim_config('{"latency_ms": 0}', 'many') \g /dev/null
SELECT same(format(query, 'many'), format(query, 'many_off'), format('join %s: %s', n, format(query, 'many'))) FROM joins ORDER BY n;
SELECT matches(plan_of(format(query, 'many')), 'Sigma Lookup Join', format('join %s looks several keys up at a time', n)) FROM joins WHERE joined ORDER BY n;
SELECT doesnt_match(plan_of(format(query, 'many_off')), 'Sigma Lookup Join', format('join %s does not without prefetch', n)) FROM joins WHERE joined ORDER BY n;

-- which requests
SELECT sim_config('{"latency_ms": 10}', 'many') \g /dev/null
SELECT sim_calm('many') \g /dev/null
SELECT is(cardinality(rows_of('SELECT c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id')), 30, 'a left join');
SELECT is(sim_count('many'), count(id)::int, '... a request for each key that is not NULL') FROM outside;
SELECT is(at_once('many'), 4, '... four at once');
SELECT is(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id LIMIT 1', 'many'), 1, 'LIMIT 1: one request');
SELECT cmp_ok(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id LIMIT 5', 'many'), '<=', 5 + 8, 'LIMIT 5: a few more than five');
SELECT is(count_of('SELECT c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id WHERE o.n < 0', 'many'), 0, 'no outer row: no request');
SELECT is(count_of('SELECT c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id WHERE o.id IS NULL', 'many'), 0, 'only NULL keys: no request');
SELECT sim_calm('many') \g /dev/null
BEGIN;
DECLARE c CURSOR FOR SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id;
CREATE FUNCTION fetch_all(step int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
	r record;
	rows text[] := '{}';
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		rows := rows || r::text;
	END LOOP;
	RETURN rows;
END $$;
\o /dev/null
FETCH 1 FROM c;
\o
SELECT is(sim_count('many'), 1, 'a cursor that has fetched one row has made one request');
\o /dev/null
MOVE 4 IN c;
\o
SELECT is(fetch_all(1), (rows_of('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id'))[6:], '... and goes on with the sixth');
CLOSE c;
DECLARE c SCROLL CURSOR FOR SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id;
\o /dev/null
MOVE 7 IN c;
MOVE BACKWARD ALL IN c;
\o
SELECT is(fetch_all(1), rows_of('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id'), 'a cursor that is scrolled back begins again');
ROLLBACK;

-- plans that outlive their parameters
SET plan_cache_mode = force_generic_plan;
PREPARE generic(int, text) AS SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id AND c.type <> $2 WHERE o.n > $1;
CREATE FUNCTION executed(n int, kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	rows text[] := '{}';
BEGIN
	FOR r IN EXECUTE format('EXECUTE generic(%s, %L)', n, kind) LOOP
		rows := rows || r::text;
	END LOOP;
	RETURN is(rows, rows_of(format('SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id AND c.type <> %L WHERE o.n > %s', kind, n)), format('a generic plan with %s and %s', n, kind));
END $$;
SELECT executed(n, kind) FROM unnest('{0,10,1000}'::int[]) n, unnest('{snowflake,x}'::text[]) kind;
SELECT matches(plan_of('EXECUTE generic(1, ''x'')'), 'Sigma Lookup Join', '... of such a join');
RESET plan_cache_mode;
DEALLOCATE generic;

-- whose sign-in: that of a view's owner
CREATE ROLE sigma_speed_owner;
GRANT USAGE ON SCHEMA many, public TO sigma_speed_owner;
GRANT SELECT ON many.connections, outside TO sigma_speed_owner;
-- the second client sees only connections of type postgres
CREATE USER MAPPING FOR sigma_speed_owner SERVER many OPTIONS (client_id 'second-client', client_secret 'second-secret');
CREATE VIEW theirs AS SELECT o.n, c.name, c.type FROM outside o JOIN many.connections c ON c.connection_id = o.id;
CREATE VIEW their_connections AS SELECT * FROM many.connections;
SELECT sim_stop('many') \g /dev/null
SELECT sim_start('many', '--connections 2000 --client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT format('ALTER SERVER %I OPTIONS (SET base_url %L)', s, sim_url('many')) FROM unnest('{many,many_off}'::text[]) s \gexec
CREATE TABLE mine AS SELECT * FROM theirs;
ALTER VIEW theirs OWNER TO sigma_speed_owner;
ALTER VIEW their_connections OWNER TO sigma_speed_owner;
SELECT matches(plan_of('SELECT * FROM theirs'), 'Sigma Lookup Join', 'a view with a join');
SELECT results_eq('SELECT * FROM theirs', 'SELECT * FROM mine WHERE type = ''postgres''', '... reads as its owner');
SELECT matches(plan_of('SELECT o.n, c.name, c.type FROM outside o JOIN their_connections c ON c.connection_id = o.id'), 'Sigma Lookup Join', 'a join with a view');
SELECT results_eq('SELECT o.n, c.name, c.type FROM outside o JOIN their_connections c ON c.connection_id = o.id', 'SELECT * FROM mine WHERE type = ''postgres''', '... reads as its owner');
SELECT results_eq('SELECT o.n, c.name, c.type FROM outside o JOIN many.connections c ON c.connection_id = o.id', 'SELECT * FROM mine', 'while the user reads as the user');
SELECT results_eq('SELECT o.n, t.name, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id LEFT JOIN their_connections t ON t.connection_id = c.connection_id',
	'SELECT n, CASE WHEN type = ''postgres'' THEN name END, name FROM mine', '... both in one query');

-- what it leaves to others
SELECT doesnt_match(plan_of('SELECT o.n FROM outside o JOIN many.connections c ON c.connection_id = o.id FOR UPDATE OF o'), 'Sigma Lookup Join', 'not with FOR UPDATE');
SELECT same('SELECT * FROM (SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id FOR UPDATE OF o) s', 'SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id', '... which gives the same rows');
WITH updated AS (UPDATE outside o SET kind = c.type FROM many.connections c WHERE c.connection_id = o.id RETURNING o.n)
SELECT is(count(*)::int, (SELECT count(*)::int FROM outside WHERE id IN (SELECT id FROM ids)), 'an UPDATE from a join') FROM updated;
SELECT is((SELECT count(*)::int FROM outside o JOIN ids i USING (id) JOIN many_off.connections c ON c.connection_id = id WHERE o.kind IS DISTINCT FROM c.type), 0, '... with the right values');

-- errors, and the end in the middle
SELECT sim_calm('many') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections/*", "after": 9, "times": -1, "do": "status", "status": 403}', 'many') \g /dev/null
SELECT fails('SELECT o.n, c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id', '42501', NULL, 'GET /v2/connections/%', NULL, 'a look-up that fails is an error, also of a left join');
SELECT sim_calm('many') \g /dev/null
SELECT fails('SELECT 1 / (9 - o.n), c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id', '22012', NULL, NULL, NULL, 'an error of another kind in the middle');
SELECT same('SELECT o.n, c.name FROM outside o JOIN many.connections c ON c.connection_id = o.id', 'SELECT o.n, c.name FROM outside o JOIN many_off.connections c ON c.connection_id = o.id', '... leaves nothing behind');

-- EXPLAIN, in all its forms
CREATE FUNCTION explained(options text) RETURNS text LANGUAGE sql AS $$ SELECT plan_of('SELECT o.n, c.name FROM outside o LEFT JOIN many.connections c ON c.connection_id = o.id AND c.type = o.kind WHERE o.n < 5', options) $$;
-- json keeps names that come twice
CREATE FUNCTION names_twice(value json) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE json_typeof(value)
		WHEN 'object' THEN (SELECT count(*) - count(DISTINCT key) + coalesce(sum(names_twice(e.value)), 0) FROM json_each(value) e)
		WHEN 'array' THEN (SELECT coalesce(sum(names_twice(e.value)), 0) FROM json_array_elements(value) e)
		ELSE 0 END
$$;
SELECT matches(explained('COSTS OFF'), 'Custom Scan \(Sigma Lookup Join\).*Join Type: Left.*Join Filter: .*c.type = o.kind.*Remote Parameters: connection_id = o.id.*Remote Request: GET /v2/connections/\{connection_id\}', 'EXPLAIN tells what it does');
SELECT matches(explained('ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'), 'Requests: 4', '... and ANALYZE what came of it');
SELECT ok(explained(o || ', FORMAT ' || f) <> '', format('EXPLAIN (%s, FORMAT %s)', o, f)) FROM unnest('{TEXT,JSON,XML,YAML}'::text[]) f, unnest('{VERBOSE,ANALYZE,"VERBOSE, ANALYZE, BUFFERS"}'::text[]) o;
SELECT is(names_twice(explained(o || ', FORMAT JSON')::json), 0::bigint, format('no name twice in a node of EXPLAIN (%s, FORMAT JSON)', o)) FROM unnest('{VERBOSE,ANALYZE,"VERBOSE, ANALYZE, BUFFERS"}'::text[]) o;
SELECT is(count_of('SELECT explained(''VERBOSE'')', 'many'), 0, 'EXPLAIN makes no request');
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_memoize; RESET enable_material;
DROP VIEW theirs, their_connections;
DROP USER MAPPING FOR sigma_speed_owner SERVER many;
DROP OWNED BY sigma_speed_owner;
DROP ROLE sigma_speed_owner;

-- ---------------------------------------------------------- creates in batches

SELECT sim_start('store') \g /dev/null
SELECT make_server('store', sim_url('store'), 'batch_size ''50'''), make_server('store_1', sim_url('store')) \g /dev/null
SELECT sim_config('{"latency_ms": 10}', 'store') \g /dev/null
CREATE FUNCTION creates() RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM sim_log('store') WHERE method = 'POST' $$;
CREATE FUNCTION inserted(kind text, n int, server text DEFAULT 'store') RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO %s.connections (name, details) SELECT %L || lpad(i::text, 3, ''0''), ''{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}'' FROM generate_series(1, %s) i', server, kind, n)
$$;
-- the names in the simulator, by another way
CREATE FUNCTION stored(kind text) RETURNS text[] LANGUAGE sql AS $$ SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM store_1.connections WHERE name LIKE kind || '%' $$;
CREATE FUNCTION names(kind text, n int) RETURNS text[] LANGUAGE sql AS $$ SELECT coalesce(array_agg(kind || lpad(i::text, 3, '0') ORDER BY i), '{}') FROM generate_series(1, n) i $$;
SELECT count(connection_id) FROM store.connections \g /dev/null
SELECT sim_calm('store') \g /dev/null
SELECT lives_ok(inserted('plain', 120), '120 rows, 50 at once');
SELECT is(creates(), 120, '... are 120 creates');
SELECT is(at_once('store'), 4, '... four at once');
SELECT cmp_ok(count(DISTINCT connection)::int, '<=', 4, '... over as many connections') FROM sim_log('store');
SELECT is(stored('plain'), names('plain', 120), '... of these names');
SELECT is((sim_stats('store') ->> 'created')::int, 120, '... and nothing else');
SELECT sim_calm('store') \g /dev/null
SELECT lives_ok(inserted('single', 10, 'store_1'), '10 rows, one at a time');
SELECT is(at_once('store'), 1, '... one after another');
ALTER SERVER store OPTIONS (ADD max_concurrency '1');
SELECT count(connection_id) FROM store.connections \g /dev/null
SELECT sim_calm('store') \g /dev/null
SELECT lives_ok(inserted('alone', 10), 'in a batch, with max_concurrency 1');
SELECT is(at_once('store'), 1, '... one after another');
ALTER SERVER store OPTIONS (DROP max_concurrency);

-- with somebody looking at the rows
CREATE TABLE returned (n int GENERATED ALWAYS AS IDENTITY, name text, id text);
WITH i AS (INSERT INTO store.connections (name, details) SELECT 'back' || lpad(i::text, 3, '0'), '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}' FROM generate_series(1, 60) i RETURNING name, connection_id)
INSERT INTO returned (name, id) SELECT name, connection_id FROM i;
SELECT is(array_agg(name ORDER BY n), names('back', 60), 'RETURNING gives the rows in order') FROM returned;
SELECT is(count(*)::int, 60, '... with the ids that they have') FROM returned JOIN store_1.connections c ON c.connection_id = id AND c.name = returned.name;
CREATE TABLE triggered (name text, id text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO triggered VALUES (new.name, new.connection_id); RETURN new; END $$;
CREATE TRIGGER note AFTER INSERT ON store.connections FOR EACH ROW EXECUTE FUNCTION note();
SELECT lives_ok(inserted('seen', 12), 'with a trigger');
SELECT is((SELECT count(*)::int FROM triggered JOIN store_1.connections c ON c.connection_id = id AND c.name = triggered.name), 12, '... that sees the new rows');
DROP TRIGGER note ON store.connections;

-- COPY, and a partition that rows are routed to
SELECT sim_call('DELETE', 'log', NULL, 'store') \g /dev/null
COPY store.connections (name, details) FROM PROGRAM 'for i in 1 2 3 4 5 6 7; do echo "copied00$i|{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\", \"user\": \"u\", \"password\": \"p\"}"; done' (DELIMITER '|');
SELECT is(stored('copied'), names('copied', 7), 'COPY FROM');
CREATE TABLE parts (name text, type text, details jsonb) PARTITION BY LIST (type);
CREATE FOREIGN TABLE part_far PARTITION OF parts FOR VALUES IN ('postgres') SERVER store OPTIONS (resource 'connections');
CREATE TABLE part_near PARTITION OF parts FOR VALUES IN ('snowflake');
SELECT sim_call('DELETE', 'log', NULL, 'store') \g /dev/null
INSERT INTO parts SELECT 'routed' || lpad(i::text, 3, '0'), CASE WHEN i <= 8 THEN 'postgres' ELSE 'snowflake' END, '{"host": "h", "database": "d", "user": "u", "password": "p"}' FROM generate_series(1, 10) i;
SELECT is(stored('routed'), names('routed', 8), 'rows routed to a partition');
SELECT is((SELECT count(*)::int FROM part_near), 2, '... and those that are not');
DROP TABLE parts;

-- a failure in the middle: what psql() shows names what is there, and only that
ALTER SERVER store OPTIONS (ADD on_rollback 'keep');
CREATE FUNCTION fails_in_batch(kind text, n int, fault jsonb, state text, maybe int, before text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	exists text[];
	may text[];
	there text[];
BEGIN
	PERFORM sim_calm('store');
	PERFORM sim_fault(fault || '{"method": "POST", "path": "/v2/connections"}', 'store');
	said := psql(before || inserted(kind, n));
	PERFORM sim_call('DELETE', 'fault', NULL, 'store');
	SELECT coalesce(array_agg(m[1] ORDER BY m[1]), '{}') INTO exists FROM regexp_matches(said, 'connection "(\w+)" \([-0-9a-f]+\) exists in Sigma although', 'g') m;
	SELECT coalesce(array_agg(m[1] ORDER BY m[1]), '{}') INTO may FROM regexp_matches(said, 'connection "(\w+)" may exist in Sigma although', 'g') m;
	there := stored(kind);
	RETURN NEXT matches(said, 'ERROR:  ' || state, kind || ': fails');
	RETURN NEXT ok(cardinality(may) BETWEEN least(maybe, 1) AND maybe, '... no more may exist than were lost');
	RETURN NEXT ok(exists <@ there AND there <@ (exists || may), '... the warnings name what is there, and nothing else')
		|| CASE WHEN exists <@ there AND there <@ (exists || may) THEN '' ELSE E'\n' || diag(said || there::text) END;
	RETURN NEXT is(cardinality(exists), (SELECT count(DISTINCT e)::int FROM unnest(exists) e), '... each once');
	RETURN NEXT cmp_ok(creates(), '<=', cardinality(exists) + 4, '... and nothing was sent after it');
	RETURN NEXT is(creates(), (SELECT count(DISTINCT body::jsonb ->> 'name')::int FROM sim_log('store') WHERE method = 'POST'), '... nor twice');
END $$;
SELECT fails_in_batch('refused', 120, '{"after": 60, "do": "status", "status": 400}', '22023', 0);
SELECT fails_in_batch('first', 50, '{"do": "status", "status": 400}', '22023', 0);
SELECT fails_in_batch('last', 50, '{"after": 49, "do": "status", "status": 400}', '22023', 0);
SELECT fails_in_batch('lost', 120, '{"after": 30, "do": "lost-reply"}', '08007', 1);
SELECT fails_in_batch('closed', 120, '{"after": 70, "do": "close"}', '08007', 1);
SELECT fails_in_batch('cut', 60, '{"after": 10, "do": "truncate", "bytes": 20}', '08007', 1);
SELECT fails_in_batch('broken', 60, '{"after": 10, "do": "status", "status": 500}', '08007', 1);
SELECT fails_in_batch('garbled', 60, '{"after": 10, "do": "body", "body": "{}"}', 'HV000', 1);
SELECT fails_in_batch('several', 120, '{"after": 20, "times": 3, "do": "lost-reply"}', '08007', 3);
-- what may pass by itself
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 10, "times": 3, "do": "status", "status": 429, "headers": {"Retry-After": "0"}}', 'store') \g /dev/null
SELECT lives_ok(inserted('busy', 60), 'a batch with some that are told to come later');
SELECT is(stored('busy'), names('busy', 60), '... is created once');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'store') \g /dev/null
SELECT lives_ok(inserted('renewed', 60), 'a batch with a token that is no longer good');
SELECT is(stored('renewed'), names('renewed', 60), '... is created once');
-- what is wrong with a row is found before any of its batch is sent
SELECT sim_calm('store') \g /dev/null
SELECT fails('INSERT INTO store.connections (name, details) SELECT CASE WHEN i <> 70 THEN ''checked'' || i END, ''{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}'' FROM generate_series(1, 100) i', '23502', NULL, NULL, NULL, 'a row without a name');
SELECT is(creates(), 50, '... of the second batch: the first has been sent');
-- a cancel in the middle
SELECT fails_in_batch('cancelled', 100, '{"after": 20, "times": -1, "do": "never"}', '57014', 4, 'SET statement_timeout = ''1s''; ');
-- a rollback
CREATE FUNCTION told_at_rollback(n int) RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM regexp_matches(psql('BEGIN; ' || inserted('undone', n) || '; ROLLBACK;'), 'exists in Sigma although', 'g') $$;
SELECT is(told_at_rollback(60), 60, 'a rollback tells of each of a batch');
ALTER SERVER store OPTIONS (DROP on_rollback);
SELECT sim_calm('store') \g /dev/null
SELECT is(told_at_rollback(60), 0, '... of none, if it may delete them');
SELECT is(count(DISTINCT path) || ' ' || count(*), '60 60', '... each once') FROM sim_log('store') WHERE method = 'DELETE' AND status = 200;
SELECT is(at_once('store'), 4, '... four at once');
-- a statement never reads what it makes
SELECT is(psql('INSERT INTO store.connections (name, details) SELECT ''self'' || name, ''{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}'' FROM store.connections WHERE name LIKE ''%copied%'' AND name < ''copied006'''), NULL, 'a batch made of what is there');
SELECT is(cardinality(stored('selfcopied')), 5, 'what a batch creates, its own statement does not see');

-- -------------------------------------------------------------------- count(*)

SELECT sim_call('POST', 'reset') \g /dev/null
CREATE FUNCTION counts(query text, requests text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	got text[];
BEGIN
	PERFORM sim_calm();
	got := rows_of(format(query, 'sim'));
	RETURN NEXT is(asked(), requests, query);
	RETURN NEXT is(got, rows_of(format(query, 'uncounted')), '... and without that way');
END $$;
SELECT make_server('uncounted', sim_url(), 'count_by_total ''false''') \g /dev/null
SELECT counts(q, '{GET /v2/connections?limit=1}') FROM unnest('{SELECT count(*) FROM %s.connections,SELECT count(*) + 1 AS a FROM %s.connections,"SELECT 2 * count(*) AS a, count(*) AS b FROM %s.connections",
	SELECT count(*) FROM %s.connections LIMIT 1,SELECT count(*) FROM %s.connections ORDER BY 1,SELECT count(*) FROM (SELECT * FROM %s.connections) c,SELECT (SELECT count(*) FROM %s.connections) AS n,
	SELECT DISTINCT count(*) FROM %s.connections,SELECT count(1) FROM (VALUES (1)) v WHERE (SELECT count(*) FROM %s.connections) > 3,"SELECT g, (SELECT count(*) FROM %s.connections) AS n FROM generate_series(1, 3) g"}'::text[]) q;
SELECT counts(q, '{GET /v2/connections?limit=1000}') FROM unnest('{SELECT count(name) FROM %s.connections,SELECT count(DISTINCT type) FROM %s.connections,SELECT count(*) FROM %s.connections WHERE is_sample,
	SELECT count(*) FILTER (WHERE is_sample) FROM %s.connections,"SELECT count(*), max(name) FROM %s.connections","SELECT type, count(*) FROM %s.connections GROUP BY type ORDER BY 1",SELECT count(*) FROM (SELECT * FROM %s.connections OFFSET 0) c,
	SELECT count(*) FROM %s.connections HAVING count(*) > 3,"SELECT count(*) FROM %s.connections, generate_series(1, 3)",SELECT count(*) OVER () AS n FROM %s.connections,"SELECT count(*) FROM %s.connections GROUP BY ROLLUP (type) ORDER BY 1"}'::text[]) q;
SELECT counts('SELECT count(*) FROM %s.connections WHERE false', '{}');
SELECT is(count_of('SELECT count(*) FROM sim.connection_grants'), 14, 'below a parent: the lists are walked');
SELECT is((SELECT count(*) FROM sim.connection_grants), (SELECT count(*) FROM (SELECT FROM sim.connection_grants OFFSET 0) g), '... and counted');
SELECT sim_calm() \g /dev/null
CREATE FOREIGN TABLE with_archived (connection_id text) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
SELECT is((SELECT count(*) FROM with_archived), (SELECT count(*) FROM (SELECT FROM with_archived OFFSET 0) c), 'with archived ones');
SELECT is((sim_requests())[1], 'GET /v2/connections?includeArchived=true&limit=1', '... by one request');
CREATE FUNCTION counts_right(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a bigint;
	b bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM sim.%I', t) INTO a;
	EXECUTE format('SELECT count(*) FROM (SELECT FROM sim.%I OFFSET 0) t', t) INTO b;
	RETURN is(a, b, format('count(*) of %s: %s', t, b));
END $$;
-- an organization of today has no list of addresses
SELECT counts_right(relname) FROM pg_class WHERE relnamespace = 'sim'::regnamespace AND relkind = 'f' AND relname <> 'allowed_ips' ORDER BY relname;
-- without a total, or with one that the page belies
CREATE FUNCTION counts_with(edit jsonb, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM sim_calm();
	PERFORM sim_spoil_list('edit', edit || '{"query": "limit=1", "times": 1}');
	SELECT count(*) INTO n FROM sim.connections;
	RETURN is(n, 13::bigint, description);
END $$;
SELECT counts_with('{"remove": ["total"]}', 'no total: counted after all');
SELECT counts_with('{"set": {"total": 0}}', 'a total of nothing, but an entry');
SELECT counts_with('{"set": {"total": 1}}', 'a total of one, but another page');
SELECT counts_with('{"set": {"total": "13"}}', 'a total that is no number');
SELECT counts_with('{"set": {"total": null}}', 'a total that is null');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('status', '{"status": 403}') \g /dev/null
SELECT fails('SELECT count(*) FROM sim.connections', '42501', NULL, 'GET /v2/connections?limit=1:%', NULL, 'a failure is an error');
SELECT sim_call('POST', 'reset') \g /dev/null
SELECT is(count_of('EXPLAIN SELECT count(*) FROM sim.connections'), 0, 'EXPLAIN makes no request');
SELECT matches(plan_of('SELECT count(*) FROM sim.connections'), 'Foreign Scan.*Remote Request: GET /v2/connections\?limit=1\M', '... and shows the one');
SELECT is(names_twice(plan_of('SELECT count(*) FROM sim.connections', 'ANALYZE, VERBOSE, FORMAT JSON')::json), 0::bigint, '... no name twice');
-- before what the statement makes, in whatever order
WITH i AS (INSERT INTO store.connections (name, details) VALUES ('counted', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}') RETURNING name), n AS (SELECT count(*) AS n FROM store.connections)
SELECT is(n, (SELECT count(*) FROM (SELECT FROM store_1.connections OFFSET 0) c) - 1, 'a statement does not count what it makes') FROM n, i;
-- as a view's owner
CREATE ROLE sigma_speed_owner;
CREATE USER MAPPING FOR sigma_speed_owner SERVER many OPTIONS (client_id 'second-client', client_secret 'second-secret');
GRANT USAGE ON SCHEMA many TO sigma_speed_owner;
GRANT SELECT ON many.connections TO sigma_speed_owner;
CREATE VIEW their_connections AS SELECT * FROM many.connections;
ALTER VIEW their_connections OWNER TO sigma_speed_owner;
CREATE VIEW their_number AS SELECT count(*) AS n FROM many.connections;
ALTER VIEW their_number OWNER TO sigma_speed_owner;
SELECT sim_call('DELETE', 'log', NULL, 'many') \g /dev/null
SELECT is(count(*), (SELECT count(*) FROM many_off.connections WHERE type = 'postgres' AND name <> ''), 'count(*) of a view counts what its owner sees') FROM their_connections;
SELECT is(n, (SELECT count(*) FROM many_off.connections WHERE type = 'postgres' AND name <> ''), 'so does count(*) in a view') FROM their_number;
DROP VIEW their_connections, their_number;
DROP USER MAPPING FOR sigma_speed_owner SERVER many;
DROP OWNED BY sigma_speed_owner;
DROP ROLE sigma_speed_owner;

-- ------------------------------------------------------- servers side by side

SELECT sim_start('org_' || i, format('--connections %s --latency 20', 60 + i)) FROM generate_series(1, 3) i \g /dev/null
SELECT make_server('org_' || i, sim_url('org_' || i), 'page_size ''20''') FROM generate_series(1, 3) i \g /dev/null
SELECT make_server('alone_' || i, sim_url('org_' || i), 'page_size ''20'', async_capable ''false''') FROM generate_series(1, 3) i \g /dev/null
CREATE TABLE orgs (org int, connection_id text, name text, type text) PARTITION BY LIST (org);
CREATE TABLE orgs_alone (LIKE orgs) PARTITION BY LIST (org);
-- the column that tells the partitions apart is none of Sigma's
CREATE VIEW org_rows AS SELECT 1 AS org, connection_id, name, type FROM org_1.connections UNION ALL SELECT 2, connection_id, name, type FROM org_2.connections UNION ALL SELECT 3, connection_id, name, type FROM org_3.connections;
CREATE VIEW alone_rows AS SELECT 1 AS org, connection_id, name, type FROM alone_1.connections UNION ALL SELECT 2, connection_id, name, type FROM alone_2.connections UNION ALL SELECT 3, connection_id, name, type FROM alone_3.connections;
CREATE TABLE whole (connection_id text, name text, type text);
SELECT format('CREATE FOREIGN TABLE whole_%s () INHERITS (whole) SERVER org_%s OPTIONS (resource ''connections'')', i, i) FROM generate_series(1, 3) i \gexec
CREATE TABLE alone (connection_id text, name text, type text);
SELECT format('CREATE FOREIGN TABLE alone_%s () INHERITS (alone) SERVER alone_%s OPTIONS (resource ''connections'')', i, i) FROM generate_series(1, 3) i \gexec
DROP TABLE orgs, orgs_alone;
SELECT count(connection_id) FROM whole \g /dev/null
SELECT count(connection_id) FROM alone \g /dev/null

CREATE FUNCTION calm_orgs() RETURNS void LANGUAGE sql AS $$ SELECT sim_calm('org_' || i) FROM generate_series(1, 3) i $$;
-- when each of them was first and last at work
CREATE FUNCTION overlap() RETURNS boolean LANGUAGE sql AS $$
	SELECT max(began) < min(ended) FROM generate_series(1, 3) i, LATERAL (SELECT min(started_ms) AS began, max(finished_ms) AS ended FROM sim_log('org_' || i)) l
$$;
SELECT matches(plan_of('SELECT * FROM whole'), 'Async Foreign Scan on whole_1.*Async Foreign Scan on whole_2.*Async Foreign Scan on whole_3', 'children of one table are scanned side by side');
SELECT doesnt_match(plan_of('SELECT * FROM alone'), 'Async', '... unless they must not');
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 61 + 62 + 63, 'all rows');
SELECT ok(overlap(), '... all servers at work at the same time');
SELECT is((SELECT array_agg(sim_count('org_' || i) ORDER BY i) FROM generate_series(1, 3) i), '{4,4,4}', '... each page once');
SELECT cmp_ok((SELECT max(at_once('org_' || i)) FROM generate_series(1, 3) i), '<=', 4, '... never more at once than each server allows');
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM alone')), 61 + 62 + 63, 'one after another: all rows');
SELECT ok(NOT overlap(), '... one server at a time');

CREATE FUNCTION alike_alone(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	a text[] := rows_of(format(query, 'whole', 'org_rows'));
	b text[] := rows_of(format(query, 'alone', 'alone_rows'));
BEGIN
	RETURN NEXT is((SELECT array_agg(x ORDER BY x) FROM unnest(a) x), (SELECT array_agg(x ORDER BY x) FROM unnest(b) x), format(query, 'whole', 'org_rows'));
	IF query ~ 'ORDER BY 1(, 2)?$' THEN
		RETURN NEXT is(a, b, '... in order');
	END IF;
END $$;
SELECT alike_alone(q) FROM unnest(ARRAY[
	'SELECT * FROM %1$s',
	'SELECT * FROM %2$s',
	'SELECT name FROM %1$s ORDER BY 1',
	'SELECT name FROM %2$s ORDER BY 1',
	'SELECT count(*), count(DISTINCT connection_id) FROM %1$s',
	'SELECT org, count(*) FROM %2$s GROUP BY org ORDER BY 1',
	'SELECT * FROM %1$s WHERE type = ''postgres''',
	'SELECT * FROM %2$s WHERE org = 2',
	'SELECT * FROM %2$s WHERE org > 5',
	'SELECT count(*) FROM (SELECT * FROM %1$s LIMIT 30) w',
	'SELECT count(*) FROM (SELECT * FROM %1$s OFFSET 100 LIMIT 50) w',
	'SELECT a.name FROM %1$s a JOIN %1$s b USING (connection_id, name) ORDER BY 1',
	'SELECT a.name, b.org FROM %1$s a JOIN %2$s b USING (connection_id) ORDER BY 1, 2',
	'SELECT a.name FROM %1$s a LEFT JOIN org_1.connections b ON b.connection_id = a.connection_id AND b.type = ''postgres'' WHERE b.name IS NULL ORDER BY 1',
	'SELECT i.n, w.name FROM ids i LEFT JOIN %1$s w ON w.connection_id = i.id ORDER BY 1, 2',
	'SELECT g, (SELECT count(*) FROM %1$s w WHERE length(w.name) > g) FROM generate_series(15, 18) g ORDER BY 1',
	'SELECT g, w.name FROM generate_series(1, 3) g, LATERAL (SELECT name FROM %2$s WHERE org = g ORDER BY name LIMIT 2) w ORDER BY 1, 2',
	'SELECT g, w.n FROM generate_series(1, 3) g, LATERAL (SELECT count(*) AS n FROM (SELECT name FROM %1$s WHERE length(name) <> g LIMIT 25) s) w ORDER BY 1',
	'SELECT name FROM %1$s WHERE connection_id IN (SELECT connection_id FROM %2$s WHERE org = 3) ORDER BY 1',
	'SELECT name FROM %1$s UNION SELECT name FROM %2$s ORDER BY 1',
	'SELECT name FROM %1$s EXCEPT SELECT name FROM org_1.connections ORDER BY 1',
	'WITH w AS MATERIALIZED (SELECT * FROM %1$s) SELECT a.name FROM w a JOIN w b USING (connection_id) ORDER BY 1']) q;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
SELECT alike_alone('SELECT v.n, w.name FROM (VALUES (1), (2)) v (n) JOIN %1$s w ON length(w.name) > v.n + 16 ORDER BY 1, 2');
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_memoize;
SET enable_async_append = off;
SELECT doesnt_match(plan_of('SELECT * FROM whole'), 'Async', 'enable_async_append is off');
SELECT alike_alone('SELECT * FROM %1$s');
RESET enable_async_append;
-- two scans of one session in one Append
SELECT alike_alone('SELECT name FROM %1$s UNION ALL SELECT name FROM %1$s');
SELECT is(cardinality(rows_of('SELECT name FROM org_1.connections UNION ALL SELECT name FROM org_1.connections')), 122, 'twice the same server');
-- a part that is not asked for much
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole LIMIT 1')), 1, 'LIMIT 1');
SELECT cmp_ok((SELECT max(sim_count('org_' || i)) FROM generate_series(1, 3) i), '<=', 1, '... asks each server at most once');
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM whole;
CREATE TABLE fetched_names (name text);
CREATE FUNCTION fetch_rest() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
	r record;
	n int := 0;
BEGIN
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		n := n + 1;
		INSERT INTO fetched_names VALUES (r.name);
		-- other requests on the same sessions in between
		IF n % 50 = 0 THEN
			PERFORM count(*) FROM org_2.members;
		END IF;
	END LOOP;
	RETURN n;
END $$;
SELECT is(fetch_rest(), 61 + 62 + 63, 'a cursor, with other queries in between');
SELECT is((SELECT array_agg(name ORDER BY name) FROM fetched_names), (SELECT array_agg(name ORDER BY name) FROM alone), '... the right rows');
ROLLBACK;
-- one that fails, and one that never answers
SELECT calm_orgs() \g /dev/null
SELECT sim_spoil_list('status', '{"status": 403, "after": 1}', 'org_2') \g /dev/null
SELECT fails('SELECT count(name) FROM whole', '42501', NULL, NULL, NULL, 'a server that fails fails the query');
SELECT calm_orgs() \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, '... and leaves nothing behind');
SELECT sim_spoil_list('never', '{"after": 1}', 'org_2') \g /dev/null
CREATE FUNCTION ends(way text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	backend int;
	message text;
	deadline timestamptz;
BEGIN
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO backend FROM dblink('victim', 'SELECT pg_backend_pid()') r (pid int);
	IF way = 'statement_timeout' THEN
		PERFORM dblink_exec('victim', 'SET statement_timeout = 500');
	END IF;
	PERFORM dblink_send_query('victim', 'SELECT count(name) FROM whole');
	PERFORM pg_sleep(0.5);
	PERFORM CASE way WHEN 'cancel' THEN pg_cancel_backend(backend) WHEN 'terminate' THEN pg_terminate_backend(backend) END;
	deadline := clock_timestamp() + interval '5 s';
	WHILE dblink_is_busy('victim') = 1 AND clock_timestamp() < deadline LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN NEXT ok(clock_timestamp() < deadline, way || ' ends a query that waits for several servers');
	IF clock_timestamp() >= deadline THEN
		PERFORM pg_terminate_backend(backend);
	END IF;
	PERFORM * FROM dblink_get_result('victim', false) r (n bigint);
	message := dblink_error_message('victim');
	RETURN NEXT alike(message, CASE way WHEN 'cancel' THEN '%user request%' WHEN 'terminate' THEN '%terminating connection%' ELSE '%statement timeout%' END, '... as such');
	IF way <> 'terminate' THEN
		PERFORM * FROM dblink_get_result('victim', false) r (n bigint);
		PERFORM dblink_exec('victim', 'SET statement_timeout = 0');
		RETURN NEXT is((SELECT n FROM dblink('victim', 'SELECT count(name) FROM alone_1.connections') r (n int)), 61, '... and the next query works');
	END IF;
	PERFORM dblink_disconnect('victim');
END $$;
SELECT ends(way) FROM unnest('{cancel,statement_timeout,terminate}'::text[]) way;
SELECT calm_orgs() \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'org_' || i) FROM generate_series(1, 3) i \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, 'with tokens that are no longer good');
SELECT sim_spoil_list('status', '{"status": 503, "times": 2, "headers": {"Retry-After": "0"}}', 'org_3') \g /dev/null
SELECT is(cardinality(rows_of('SELECT * FROM whole')), 186, 'with retries');
SELECT is(names_twice(plan_of('SELECT * FROM whole', 'ANALYZE, VERBOSE, FORMAT JSON')::json), 0::bigint, 'EXPLAIN has no name twice');

SELECT * FROM finish();

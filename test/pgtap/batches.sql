-- Creates in batches (batch_size): each row once, and a rollback or a failure
-- in the middle names what is there.

\ir lib/simulator.sql
\ir lib/answers.sql
SELECT * FROM no_plan();

SELECT sim_start('store') \g /dev/null
SELECT make_server('store', sim_url('store'), 'batch_size ''50'''), make_server('store_1', sim_url('store')) \g /dev/null
SELECT sim_config('{"latency_ms": 10}', 'store') \g /dev/null
CREATE FUNCTION creates() RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM sim_log('store') WHERE method = 'POST' $$;
CREATE FUNCTION inserted(kind text, n int, server text DEFAULT 'store') RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO %s.connections (name, details) SELECT %L || lpad(i::text, 3, ''0''), ''{"type": "postgres", '
		'"host": "h", "database": "d", "user": "u", "password": "p"}'' FROM generate_series(1, %s) i', server, kind, n)
$$;
-- the names in the simulator, by another way
CREATE FUNCTION stored(kind text) RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM store_1.connections WHERE name LIKE kind || '%'
$$;
CREATE FUNCTION names(kind text, n int) RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(kind || lpad(i::text, 3, '0') ORDER BY i), '{}') FROM generate_series(1, n) i
$$;
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
WITH i AS (INSERT INTO store.connections (name, details) SELECT 'back' || lpad(i::text, 3, '0'),
	'{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}' FROM generate_series(1, 60) i RETURNING name, connection_id)
INSERT INTO returned (name, id) SELECT name, connection_id FROM i;
SELECT is(array_agg(name ORDER BY n), names('back', 60), 'RETURNING gives the rows in order') FROM returned;
SELECT is(count(*)::int, 60, '... with the ids that they have') FROM returned JOIN store_1.connections c ON c.connection_id = id AND c.name = returned.name;
CREATE TABLE triggered (name text, id text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO triggered VALUES (new.name, new.connection_id); RETURN new; END $$;
CREATE TRIGGER note AFTER INSERT ON store.connections FOR EACH ROW EXECUTE FUNCTION note();
SELECT lives_ok(inserted('seen', 12), 'with a trigger');
SELECT is((SELECT count(*)::int FROM triggered JOIN store_1.connections c ON c.connection_id = id AND c.name = triggered.name),
	12, '... that sees the new rows');
DROP TRIGGER note ON store.connections;

-- COPY, and a partition that rows are routed to
SELECT sim_call('DELETE', 'log', NULL, 'store') \g /dev/null
COPY store.connections (name, details) FROM PROGRAM 'for i in 1 2 3 4 5 6 7; '
	'do echo "copied00$i|{\"type\": \"postgres\", \"host\": \"h\", \"database\": \"d\", \"user\": \"u\", \"password\": \"p\"}"; done' (DELIMITER '|');
SELECT is(stored('copied'), names('copied', 7), 'COPY FROM');
CREATE TABLE parts (name text, type text, details jsonb) PARTITION BY LIST (type);
CREATE FOREIGN TABLE part_far PARTITION OF parts FOR VALUES IN ('postgres') SERVER store OPTIONS (resource 'connections');
CREATE TABLE part_near PARTITION OF parts FOR VALUES IN ('snowflake');
SELECT sim_call('DELETE', 'log', NULL, 'store') \g /dev/null
INSERT INTO parts SELECT 'routed' || lpad(i::text, 3, '0'), CASE WHEN i <= 8 THEN 'postgres' ELSE 'snowflake' END,
	'{"host": "h", "database": "d", "user": "u", "password": "p"}' FROM generate_series(1, 10) i;
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
	SELECT coalesce(array_agg(m[1] ORDER BY m[1]), '{}') INTO exists
		FROM regexp_matches(said, 'connection "(\w+)" \([-0-9a-f]+\) exists in Sigma although', 'g') m;
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
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 10, "times": 3, "do": "status", "status": 429, '
	'"headers": {"Retry-After": "0"}}', 'store') \g /dev/null
SELECT lives_ok(inserted('busy', 60), 'a batch with some that are told to come later');
SELECT is(stored('busy'), names('busy', 60), '... is created once');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'store') \g /dev/null
SELECT lives_ok(inserted('renewed', 60), 'a batch with a token that is no longer good');
SELECT is(stored('renewed'), names('renewed', 60), '... is created once');
-- what is wrong with a row is found before any of its batch is sent
SELECT sim_calm('store') \g /dev/null
SELECT fails('INSERT INTO store.connections (name, details) SELECT CASE WHEN i <> 70 THEN ''checked'' || i END, '
	'''{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}'' FROM generate_series(1, 100) i',
	'23502', NULL, NULL, NULL, 'a row without a name');
SELECT is(creates(), 50, '... of the second batch: the first has been sent');
-- a cancel in the middle
SELECT fails_in_batch('cancelled', 100, '{"after": 20, "times": -1, "do": "never"}', '57014', 4, 'SET statement_timeout = ''1s''; ');
-- a rollback
CREATE FUNCTION told_at_rollback(n int) RETURNS int LANGUAGE sql AS $$
	SELECT count(*)::int FROM regexp_matches(psql('BEGIN; ' || inserted('undone', n) || '; ROLLBACK;'), 'exists in Sigma although', 'g')
$$;
SELECT is(told_at_rollback(60), 60, 'a rollback tells of each of a batch');
ALTER SERVER store OPTIONS (DROP on_rollback);
SELECT sim_calm('store') \g /dev/null
SELECT is(told_at_rollback(60), 0, '... of none, if it may delete them');
SELECT is(count(DISTINCT path) || ' ' || count(*), '60 60', '... each once') FROM sim_log('store') WHERE method = 'DELETE' AND status = 200;
SELECT is(at_once('store'), 4, '... four at once');
-- a statement never reads what it makes
SELECT is(psql('INSERT INTO store.connections (name, details) SELECT ''self'' || name, ''{"type": "postgres", "host": "h", '
	'"database": "d", "user": "u", "password": "p"}'' FROM store.connections '
	'WHERE name LIKE ''%copied%'' AND name < ''copied006'''), NULL, 'a batch made of what is there');
SELECT is(cardinality(stored('selfcopied')), 5, 'what a batch creates, its own statement does not see');

SELECT * FROM finish();

-- Creating connections: each exactly once, as it was said, or not at all, and
-- a word about it if its transaction ends otherwise.

\ir lib/simulator.sql
\ir lib/connections.sql
SELECT * FROM no_plan();

\set pg '''{"type": "postgres", "host": "db.example.com", "database": "app"}'''

-- ------------------------------------------------------------------- INSERT

INSERT INTO sim.connections (name, details) VALUES ('one', :pg) RETURNING connection_id, name, type, details IS NULL AS no_details, is_sample, attrs \gset one_
SELECT is(created(), 1, 'INSERT creates one connection');
SELECT is(ARRAY[:'one_name', :'one_type', :'one_no_details', :'one_is_sample'], '{one,postgres,t,f}',
	'RETURNING gives the new row, without what is write-only');
SELECT is((SELECT name FROM sim.connections WHERE connection_id = :'one_connection_id'), 'one', 'which is there');
SELECT is(details_of(:'one_connection_id'), :pg::jsonb, 'with the details as they were sent');
SELECT is((SELECT to_jsonb(c) FROM sim.connections c WHERE connection_id = :'one_connection_id') -> 'attrs', :'one_attrs'::jsonb, 'RETURNING and SELECT agree');
INSERT INTO sim.connections AS c (name, details) VALUES ('whole', :pg) RETURNING to_jsonb(c) AS row, (c).name AS name, tableoid::regclass AS tableoid \gset
SELECT is(:'row'::jsonb, (SELECT to_jsonb(c) FROM sim.connections c WHERE name = 'whole'), 'RETURNING the whole row');
SELECT is(:'tableoid'::text, 'sim.connections', 'and tableoid');
INSERT INTO sim.connections (name, details) VALUES ('star', :pg) RETURNING * \gset star_
SELECT is(:'star_name'::text, 'star', 'RETURNING *');
SELECT sim_calm() \g /dev/null
INSERT INTO sim.connections (name, details) VALUES ('v1', :pg), ('v2', :pg), ('v3', :pg);
SELECT is((SELECT array_agg(body::jsonb ->> 'name' ORDER BY n) FROM sim_log()), '{v1,v2,v3}', 'several rows, in their order, one request each');
SELECT is((SELECT DISTINCT method || ' ' || path || ' ' || status FROM sim_log()), 'POST /v2/connections 201', 'each answered with 201');

SELECT sim_calm() \g /dev/null
INSERT INTO sim.connections (name, details, description, timeout_secs, use_friendly_names)
	VALUES (U&'Ren\00E9 \+01F600 "quoted" \\ back', :pg, '{"text": "for tests"}', 90, true) RETURNING connection_id AS id \gset
SELECT is((SELECT body::jsonb - 'details' FROM sim_log()), jsonb_build_object('name', U&'Ren\00E9 \+01F600 "quoted" \\ back',
	'description', '{"text": "for tests"}'::jsonb, 'timeoutSecs', 90, 'useFriendlyNames', true), 'what stands beside "details" in the body');
SELECT is((SELECT name FROM sim.connections WHERE connection_id = :'id'), U&'Ren\00E9 \+01F600 "quoted" \\ back', 'a name of any characters');

PREPARE make (text) AS INSERT INTO sim.connections (name, details) VALUES ($1, '{"type": "postgres", "host": "h", "database": "d"}');
SELECT is(created() + 10, (SELECT created() FROM (SELECT count(catch(format('EXECUTE make (''p%s'')', i)))
	FROM generate_series(1, 10) i) c), 'a prepared INSERT, ten times');

-- ------------------------------------------------- one of each type

CREATE FOREIGN TABLE by_hand (
	id text OPTIONS (field 'connectionId'), name text, type text, account text, host text, warehouse text, "user" text, role text,
	server text, database text, port int, project_id text, auth_type text, endpoint text, use_tls bool,
	use_oauth bool, password text, private_key text, private_key_passphrase text, token text, service_account text, details jsonb
) SERVER sim OPTIONS (resource 'connections');
CREATE TABLE types (type text, columns text, sample text, sent jsonb);
INSERT INTO types VALUES
	('snowflake', 'account, host, warehouse, "user", role, auth_type, private_key, private_key_passphrase',
		'''a'', ''a.example.com'', ''W'', ''U'', ''R'', ''key-pair'', E''-----BEGIN\nKEY-----'', ''phrase''',
		'{"account": "a", "host": "a.example.com", "warehouse": "W", "user": "U", "role": "R", "authType": "key-pair", '
			'"privateKey": "-----BEGIN\nKEY-----", "privateKeyPassphrase": "phrase"}'),
	('postgres', 'host, database, "user", password, port, use_tls', '''h'', ''d'', ''u'', ''p'', 5433, true',
		'{"host": "h", "database": "d", "user": "u", "password": "p", "port": 5433, "useTls": true}'),
	('redshift', 'host, database, "user", password, port', '''h'', ''d'', ''u'', ''p'', 5439',
		'{"host": "h", "database": "d", "user": "u", "password": "p", "port": 5439}'),
	('alloydb', 'host, database, "user", password', '''h'', ''d'', ''u'', ''p''', '{"host": "h", "database": "d", "user": "u", "password": "p"}'),
	('bigQuery', 'project_id, service_account', '''p'', ''{"a": 1}''', '{"projectId": "p", "serviceAccount": "{\"a\": 1}"}'),
	('databricks', 'host, endpoint, token', '''h'', ''/sql/1'', ''t''', '{"host": "h", "endpoint": "/sql/1", "token": "t"}'),
	('mysql', '"user", password, host, port', '''u'', ''p'', ''h'', 3306', '{"user": "u", "password": "p", "host": "h", "port": 3306}'),
	('azuresql', 'server, database, "user", password, port', '''s'', ''d'', ''u'', ''p'', 1433',
		'{"server": "s", "database": "d", "user": "u", "password": "p", "port": 1433}'),
	('sqlserver', 'server, "user", password, port', '''s'', ''u'', ''p'', 1433', '{"server": "s", "user": "u", "password": "p", "port": 1433}'),
	('starburst', '"user", password, host, port', '''u'', ''p'', ''h'', 443', '{"user": "u", "password": "p", "host": "h", "port": 443}');

-- by typed columns alone, by details alone, half and half, and by function
CREATE FUNCTION returning_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text;
BEGIN
	EXECUTE statement INTO id;
	RETURN id;
END $$;
SELECT is(details_of(returning_of(format('INSERT INTO by_hand (name, type, %s) VALUES (''by columns'', %L, %s) RETURNING id',
	columns, type, sample))), sent || jsonb_build_object('type', type), type || ' by columns') FROM types;
SELECT is(details_of(returning_of(format('INSERT INTO sim.connections (name, details) VALUES (''by details'', %L) '
	'RETURNING connection_id', sent || jsonb_build_object('type', type)))), sent || jsonb_build_object('type', type), type || ' by details') FROM types;
SELECT is(details_of(returning_of(format('INSERT INTO sim.connections (name, type, details) VALUES (''half and half'', %L, %L) '
	'RETURNING connection_id', type, sent))), sent || jsonb_build_object('type', type), type || ' by both') FROM types;
SELECT is(details_of(sigma_create_connection('sim', 'by function', sent || jsonb_build_object('type', type)) ->> 'connectionId'),
	sent || jsonb_build_object('type', type), type || ' by function') FROM types;
SELECT is((SELECT count(*)::int FROM by_hand WHERE password IS NOT NULL OR private_key IS NOT NULL
	OR private_key_passphrase IS NOT NULL OR token IS NOT NULL OR service_account IS NOT NULL), 0, 'no secret can be read back');

-- the quickstart: a listed connection is the model of the new one
INSERT INTO sim.connections (name, type, account, host, warehouse, "user", role, details)
SELECT 'Snowflake via SQL', type, account, host, warehouse, "user", role, '{"authType": "key-pair", "privateKey": "k", "privateKeyPassphrase": "p"}'
FROM sim.connections WHERE name = 'Snowflake East'
RETURNING connection_id AS id \gset
SELECT is(details_of(:'id'), '{"type": "snowflake", "account": "acme-east", "host": "acme-east.snowflakecomputing.com", '
	'"warehouse": "COMPUTE_WH", "user": "SIGMA_SVC", "role": "SIGMA_ROLE", "authType": "key-pair", "privateKey": "k", '
	'"privateKeyPassphrase": "p"}', 'the quickstart in one statement');

SELECT sim_calm() \g /dev/null
SELECT sigma_create_connection('sim', 'full',
	'{"type": "bigQuery", "projectId": "p", "additionalProjectIds": ["a", "b"], "serviceAccount": {"secretManagerId": "m", "secretId": "s"}}',
	'{"text": "t"}', 60, false, '{"adhocPoolSize": 4}') ->> 'name' AS name \gset
SELECT is((SELECT body::jsonb - 'details' FROM sim_log()),
	'{"name": "full", "description": {"text": "t"}, "timeoutSecs": 60, "useFriendlyNames": false, "poolSizes": {"adhocPoolSize": '
	'4}}', 'all arguments of the function');
SELECT is(:'name'::text, 'full', 'which returns the reply');
SELECT results_eq($$SELECT "read", "write" FROM sigma_test_connection('sim', (SELECT connection_id FROM sim.connections WHERE name = 'full'))$$,
	$$SELECT * FROM sigma_test_connection('sim', (SELECT connection_id FROM sim.connections WHERE name = 'full'))$$, 'sigma_test_connection()');

-- ------------------------------------------------------- refused beforehand

SELECT sim_calm() \g /dev/null
CREATE FUNCTION refused(statement text, state text, message text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before int := created();
BEGIN
	PERFORM sim_call('DELETE', 'log');
	RETURN NEXT fails(statement, state, message, NULL, NULL, description);
	RETURN NEXT is(sim_count(), 0, '... before any request');
END $$;
SELECT refused('INSERT INTO sim.connections DEFAULT VALUES', '23502', 'a connection needs a name', 'nothing given');
SELECT refused('INSERT INTO sim.connections (name) VALUES (''x'')', '23502', 'a connection needs a type', 'no type');
SELECT refused('INSERT INTO sim.connections (name, details) VALUES (''x'', ''{}'')', '23502', 'a connection needs a type', 'no type in details');
SELECT refused('INSERT INTO sim.connections (name, details) VALUES (''x'', ''{"type": null}'')', '23502', 'a connection needs a type', 'a null type');
SELECT refused('INSERT INTO sim.connections (type, details) VALUES (''postgres'', ''{"host": "h", "database": "d"}'')', '23502',
	'a connection needs a name', 'no name');
SELECT refused('INSERT INTO sim.connections (name, details) VALUES (''x'', ''[]'')', '22023', '"details" must be a JSON object', 'details are no object');
SELECT refused('INSERT INTO sim.connections (name, details) VALUES (''x'', ''"secret words"'')', '22023',
	'"details" must be a JSON object', 'details are a string');
SELECT refused('SELECT sigma_create_connection(''sim'', ''x'', NULL)', '23502', 'a connection needs a type', 'a function without details');
SELECT refused('SELECT sigma_create_connection(''sim'', NULL, ''{"type": "postgres"}'')', '23502', 'a connection needs a name', 'a function without a name');
SELECT refused('INSERT INTO sim.connections (name, type, details) VALUES (''x'', ''mysql'', ''{"type": "postgres"}'')', '22023',
	'column "type" contradicts "type" in "details"', 'a type that contradicts details');
SELECT refused('INSERT INTO sim.connections (name, host, details) VALUES (''x'', ''a'', ''{"type": "postgres", '
	'"host": "hidden-host", "database": "d"}'')', '22023', 'column "host" contradicts "host" in "details"', 'a host that contradicts details');
SELECT refused('INSERT INTO by_hand (name, port, details) VALUES (''x'', 1, ''{"type": "postgres", "host": "h", "database": "d", '
	'"port": "1"}'')', '22023', 'column "port" contradicts "port" in "details"', 'a number against a string');
SELECT refused('INSERT INTO sim.connections (connection_id, name, details) VALUES (''x'', ''x'', ''{"type": "postgres"}'')',
	'428C9', 'cannot insert a value into column "connection_id"', 'an id');
SELECT refused('INSERT INTO sim.connections (name, details, created_at) VALUES (''x'', ''{"type": "postgres"}'', now())', '428C9',
	'cannot insert a value into column "created_at"', 'a time of creation');
SELECT refused('INSERT INTO sim.connections (name, details) VALUES (''x'', ''{"type": "postgres"}'') ON CONFLICT DO NOTHING',
	'0A000', '%ON CONFLICT%', 'ON CONFLICT');
SELECT refused('TRUNCATE sim.connections', '0A000', 'cannot truncate foreign table "connections"', 'TRUNCATE');
SELECT is((catch('INSERT INTO by_hand (name, port, details) VALUES (''x'', 5432, ''{"type": "postgres", "host": "h", '
	'"database": "d", "port": 5432.0}'')')).state, NULL, 'the same number written otherwise is no contradiction');

SELECT sim_calm() \g /dev/null
SET default_transaction_read_only = on;
SELECT (SELECT c.state FROM catch('INSERT INTO sim.connections (name, details) VALUES (''x'', ''{"type": "postgres"}'')') c) AS insert,
	(SELECT c.state FROM catch('SELECT sigma_create_connection(''sim'', ''x'', ''{"type": "postgres"}'')') c) AS function,
	(SELECT c.state FROM catch('SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/x'')') c) AS request,
	(SELECT coalesce(c.state, 'none') FROM catch('SELECT sigma_request(''sim'', ''GET'', ''/v2/whoami'')') c) AS get \gset
SET default_transaction_read_only = off;
SELECT is(ARRAY[:'insert', :'function', :'request', :'get'], '{25006,25006,25006,none}', 'a read-only transaction creates nothing');
SELECT is(sim_requests(), '{GET /v2/whoami}', 'and asks for nothing');

CREATE FOREIGN TABLE fixed (name text, details jsonb) SERVER sim OPTIONS (resource 'connections', updatable 'false');
SELECT refused('INSERT INTO fixed VALUES (''x'', ''{"type": "postgres"}'')', '55000', NULL, 'updatable is false at the table');
SELECT refused('COPY fixed FROM PROGRAM ''printf "x\t{\"type\": \"postgres\"}\n"''', '55000', NULL, 'for COPY, too');
SELECT is((SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'fixed'), 'NO', 'and the information schema knows');
ALTER SERVER sim OPTIONS (ADD updatable 'false');
ALTER FOREIGN TABLE fixed OPTIONS (SET updatable 'true');
SELECT refused('INSERT INTO fixed VALUES (''x'', ''{"type": "postgres"}'')', '55000', NULL, 'a table cannot allow what its server forbids');
SELECT refused('SELECT sigma_create_connection(''sim'', ''x'', ''{"type": "postgres"}'')', '55000', 'server "sim" does not allow writes', 'nor a function');
SELECT refused('SELECT sigma_request(''sim'', ''POST'', ''/v2/connections'', NULL, ''{}'')', '55000',
	'server "sim" does not allow writes', 'nor sigma_request()');
SELECT is((SELECT count(*)::int FROM fixed WHERE name = 'one'), 1, 'reading goes on');
ALTER SERVER sim OPTIONS (DROP updatable);

-- ---------------------------------------------------- INSERT ... SELECT

SELECT sim_reset() \g /dev/null
ALTER SERVER sim OPTIONS (ADD page_size '4');
CREATE FOREIGN TABLE other (connection_id text, name text, type text, details jsonb) SERVER sim OPTIONS (resource 'connections', page_size '3');
CREATE FUNCTION copies(statement text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	PERFORM catch('SELECT count(connection_id) FROM sim.connections');
	EXECUTE statement;
	RETURN created();
END $$;
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name || '' copy'', pg() FROM sim.connections'), 13,
	'INSERT ... SELECT never reads what it made');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM sim.connections RETURNING *'), 13, 'nor with RETURNING');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM other'), 13, 'nor through another table');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM sim.connections UNION ALL SELECT name, pg() '
	'FROM other'), 26, 'nor with UNION ALL of two scans');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM other UNION ALL (SELECT name, pg() '
	'FROM sim.connections LIMIT 5)'), 18, 'nor with LIMIT in one of them');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT name, pg() FROM sim.connections LIMIT 7'), 7, 'nor with LIMIT');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT a.name, pg() FROM sim.connections a, other b'), 169, 'nor with a product');
SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT a.name, pg() FROM sim.connections a, other b'), 169, 'nor with nested loops that rescan');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT a.name, pg() FROM sim.connections a '
	'JOIN other b ON a.type = b.type AND a.name = b.name'), 13, 'nor with a condition');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT a.name, pg() FROM sim.connections a WHERE EXISTS (SELECT '
	'FROM other b WHERE b.connection_id = a.connection_id)'), 13, 'nor with look-ups');
SELECT is(copies('INSERT INTO sim.connections (name, details) SELECT (SELECT count(*) FROM other b '
	'WHERE b.type >= a.type)::text, pg() FROM sim.connections a'), 13, 'nor with a correlated sub-select');
SELECT is((SELECT array_agg(DISTINCT name::int <= 13) FROM sim.connections WHERE name ~ '^\d+$'), '{t}', 'which counts no new connection');
RESET enable_material; RESET enable_hashjoin; RESET enable_mergejoin;
SELECT is(copies('WITH c AS MATERIALIZED (SELECT name FROM sim.connections) INSERT INTO sim.connections (name, details) '
	'SELECT a.name, pg() FROM c a, c b'), 169, 'nor with a CTE');
SELECT is(copies('WITH i AS (INSERT INTO sim.connections (name, details) SELECT name, pg() FROM other RETURNING name) '
	'INSERT INTO sim.connections (name, details) SELECT i.name, pg() FROM i JOIN sim.connections c USING (name)'), 26, 'nor with two INSERTs in one statement');
SELECT sim_reset() \g /dev/null
WITH i AS (INSERT INTO sim.connections (name, details) SELECT name, pg() FROM other RETURNING name)
SELECT (SELECT count(*) FROM i) AS made, (SELECT count(connection_id) FROM sim.connections) AS seen \gset
SELECT is(ARRAY[:made, :seen], '{13,13}', 'a SELECT beside an INSERT sees what was there before');
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 26, 'and the next statement sees it all');
ALTER SERVER sim OPTIONS (DROP page_size);

-- a row that fails in the middle
SELECT sim_reset() \g /dev/null
SELECT fails('INSERT INTO sim.connections (name, details) SELECT name, CASE WHEN name LIKE ''M%'' THEN ''{"type": "mysql"}'' '
	'ELSE pg() END FROM (SELECT name FROM sim.connections ORDER BY name COLLATE "C" LIMIT 6) c',
	'22023', '%is required%', 'POST /v2/connections: HTTP status 400%requestId%', NULL, 'Sigma''s own words for what it refuses');

-- --------------------------------------------------------------------- COPY

SELECT sim_reset() \g /dev/null
ALTER SERVER sim OPTIONS (ADD on_rollback 'keep');
COPY sim.connections (name, type, host, details) FROM STDIN;
copied one	postgres	h	{"database": "d"}
copied two	postgres	h	{"database": "d"}
\.
SELECT is(created(), 2, 'COPY FROM');
SELECT is((SELECT array_agg(name ORDER BY name) FROM sim.connections WHERE name LIKE 'copied%'), '{copied one,copied two}', 'creates each row');
SELECT psql(E'COPY sim.connections (name, details) FROM STDIN;\ngood\t{"type": "postgres", "host": "h", '
	'"database": "d"}\nbad\t{"type": "postgres"}\nnever\t{"type": "postgres", "host": "h", "database": "d"}\n\\.') AS told \gset
SELECT alike(:'told'::text, '%ERROR:  22023: request refused by Sigma: %is required%', 'COPY stops at a row that fails');
SELECT alike(:'told'::text, '%WARNING:  01000: connection "good" (%) exists in Sigma although its transaction was rolled back%',
	'and tells what was created before');
SELECT unalike(:'told'::text, '%"bad"%exists%', 'not what was refused');
SELECT is(created(), 3, 'and goes no further');
ALTER SERVER sim OPTIONS (DROP on_rollback);

-- ------------------------------------------------- partitions, triggers, views

SELECT sim_reset() \g /dev/null
CREATE TABLE parted (name text, details jsonb) PARTITION BY LIST (name);
CREATE TABLE parted_local PARTITION OF parted FOR VALUES IN ('local');
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted DEFAULT SERVER sim OPTIONS (resource 'connections');
INSERT INTO parted VALUES ('local', '{}'), ('routed', pg());
SELECT is(created(), 1, 'a row that is routed to a foreign partition');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'routed'), 1, 'is created');
COPY parted FROM PROGRAM 'printf ''routed too\t{"type":"postgres","host":"h","database":"d"}\n''';
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name LIKE 'routed%'), 2, 'by COPY, too');
INSERT INTO parted SELECT name || '!', pg() FROM sim.connections WHERE name LIKE 'routed%';
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name LIKE 'routed%'), 4, 'by INSERT ... SELECT of the same server');
SELECT refused('INSERT INTO parted VALUES (''x'', pg()) ON CONFLICT DO NOTHING', '0A000', '%ON CONFLICT%', 'ON CONFLICT over a partition');

CREATE TABLE seen (id text, name text);
CREATE FUNCTION before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN NEW.name := upper(NEW.name); RETURN CASE WHEN NEW.name <> 'NEVER' THEN NEW END; END
$$;
CREATE FUNCTION after_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.connection_id, NEW.name); RETURN NULL; END $$;
CREATE FOREIGN TABLE triggered (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE TRIGGER b BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION before_insert();
CREATE TRIGGER a AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION after_insert();
INSERT INTO triggered (name, details) VALUES ('fired', pg()), ('never', pg());
SELECT results_eq('SELECT id, name FROM seen', 'SELECT connection_id, name FROM triggered WHERE name = ''FIRED''', 'triggers before and after a row');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'NEVER'), 0, 'a trigger that drops a row');

ALTER FOREIGN TABLE other ALTER name SET DEFAULT 'by default', ALTER details SET DEFAULT '{"type": "postgres", "host": "h", "database": "d"}';
INSERT INTO other DEFAULT VALUES RETURNING name \gset
SELECT is(:'name'::text, 'by default', 'defaults of columns');

CREATE FOREIGN TABLE sim_every (connection_id text, name text, is_archived bool) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
CREATE VIEW postgres_only AS SELECT connection_id, name, type, details FROM sim.connections WHERE type = 'postgres' WITH CHECK OPTION;
INSERT INTO postgres_only (name, details) VALUES ('through a view', pg()) RETURNING name \gset
SELECT is(:'name'::text, 'through a view', 'a view WITH CHECK OPTION takes what it shows');
SELECT psql($$INSERT INTO postgres_only (name, details) VALUES ('not shown', '{"type": "mysql", "user": "u", "password": "pw1", "host": "h", "port": 1}');$$)
	AS told \gset
SELECT alike(:'told'::text, '%ERROR:  44000: %', 'and refuses what it does not');
SELECT unalike(:'told'::text, '%WARNING%', 'but it has been created then,');
SELECT is((SELECT array_agg(is_archived) FROM sim_every WHERE name = 'not shown'), '{t}', 'and is deleted again');

SELECT 'sigma_writer_' || pg_backend_pid() AS writer \gset
CREATE ROLE :writer;
SELECT sim_start('two', '--client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT make_server('two', sim_url('two')) \g /dev/null
CREATE USER MAPPING FOR :writer SERVER two OPTIONS (client_id 'second-client', client_secret 'second-secret');
GRANT CREATE ON SCHEMA public TO :writer;
GRANT USAGE ON SCHEMA two TO :writer;
GRANT ALL ON two.connections TO :writer;
SET ROLE :writer;
CREATE VIEW writers_view AS SELECT name, details FROM two.connections;
INSERT INTO two.connections (name, details) VALUES ('as writer', pg());
RESET ROLE;
INSERT INTO writers_view VALUES ('through the view', pg());
INSERT INTO two.connections (name, details) VALUES ('as superuser', pg());
SELECT is((SELECT array_agg((body::jsonb ->> 'name') || ' by ' || client ORDER BY n) FROM sim_log('two')),
	'{as writer by second-client,through the view by second-client,as superuser by simulator-client}', 'an INSERT acts as the one whose permission counts');
DROP OWNED BY :writer CASCADE;
DROP ROLE :writer;

-- ----------------------------------------------------------------- rollback
-- what it tells of; what it deletes again stands in rollback.sql

SELECT sim_reset() \g /dev/null
ALTER SERVER sim OPTIONS (ADD on_rollback 'keep');
SELECT psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('gone', pg()), ('gone too', pg()); ROLLBACK;$$) AS told \gset
SELECT is((SELECT count(*)::int
	FROM regexp_matches(:'told', 'WARNING:  01000: connection "gone( too)?" \([-0-9a-f]+\) exists in Sigma although its '
	'transaction was rolled back', 'g')), 2, 'a rollback leaves a WARNING for each connection');
SELECT alike(:'told'::text, '%DETAIL:  %server "sim"%HINT:  %in Sigma if it is not wanted.%', 'with where it is and what to do');
SELECT is((SELECT count(connection_id)::int FROM sim.connections c WHERE name LIKE 'gone%'
	AND strpos(:'told', c.connection_id) > 0), 2, 'and the ids that exist');
SELECT is(psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('kept', pg()); COMMIT; BEGIN; SELECT; ROLLBACK;$$), NULL, 'a commit leaves none');
SELECT psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('outer', pg()); SAVEPOINT s;
	INSERT INTO sim.connections (name, details) VALUES ('inner', pg());
	SAVEPOINT t; SELECT sigma_create_connection('sim', 'innermost', pg()) IS NULL; RELEASE t; ROLLBACK TO s; COMMIT;$$) AS told \gset
SELECT is((SELECT array_agg(m[1]) FROM regexp_matches(:'told', 'WARNING:  01000: connection "(\w+)"', 'g') m),
	'{inner,innermost}', 'a rollback to a savepoint, for what was created since');
SELECT psql($$BEGIN; SAVEPOINT s; INSERT INTO sim.connections (name, details) VALUES ('a', pg()); RELEASE s; ROLLBACK;$$) AS told \gset
SELECT is((SELECT array_agg(m[1]) FROM regexp_matches(:'told', 'WARNING:  01000: connection "(\w+)"', 'g') m), '{a}',
	'a released savepoint goes with its transaction');
SELECT psql($$DO $b$ BEGIN
	INSERT INTO sim.connections (name, details) VALUES ('before', pg());
	BEGIN INSERT INTO sim.connections (name, details) VALUES ('within', pg()); PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
	INSERT INTO sim.connections (name, details) VALUES ('behind', pg()); END $b$;$$) AS told \gset
SELECT is((SELECT array_agg(m[1]) FROM regexp_matches(:'told', 'WARNING:  01000: connection "(\w+)"', 'g') m), '{within}', 'an exception block');
SELECT is((SELECT array_agg(name ORDER BY name) FROM sim.connections WHERE name IN ('before', 'within', 'behind')),
	'{before,behind,within}', 'whose request is not repeated');
SELECT psql($$INSERT INTO sim.connections (name, details) VALUES ('first', pg()), ('second', pg()), ('third', '{"type": "postgres"}'), ('fourth', pg());$$)
	AS told \gset
SELECT is((SELECT array_agg(m[1]) FROM regexp_matches(:'told', 'WARNING:  01000: connection "(\w+)"', 'g') m), '{first,second}',
	'a statement that fails at its third row');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'fourth'), 0, 'goes no further');
SELECT sim_spoil_create('lost-reply', '{"times": 1}') \g /dev/null
SELECT psql($$INSERT INTO sim.connections (name, details) VALUES ('unknown', pg());$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  08007: outcome unknown: creating connection "unknown" may have been carried out%', 'an unknown outcome');
SELECT alike(:'told'::text, '%WARNING:  01000: connection "unknown" may exist in Sigma although its transaction was rolled back%',
	'is named after the rollback');
SELECT psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('prepared', pg()); PREPARE TRANSACTION 'sigma';$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  0A000: cannot PREPARE a transaction that has %', 'PREPARE TRANSACTION is refused');
SELECT alike(:'told'::text, '%WARNING:  01000: connection "prepared"%', 'and rolls back');
SELECT unalike(coalesce(psql($$BEGIN; SELECT count(connection_id) FROM sim.connections; PREPARE TRANSACTION 'sigma'; ROLLBACK PREPARED 'sigma';$$),
	''), '%cannot PREPARE a transaction that has%', 'a transaction that only reads is not its business');
SELECT is(psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('x', '{"type": "postgres"}'); ROLLBACK;$$) ~
	'WARNING', false, 'what was refused leaves no WARNING');
SELECT psql($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('before the end', pg()); SELECT pg_terminate_backend(pg_backend_pid());$$)
	AS told \gset
SELECT alike(:'told'::text, '%57P01%', 'a session that is terminated after a create ends');

ALTER SERVER sim OPTIONS (DROP on_rollback);

-- ---------------------------------------------------- secrets in a refusal

SELECT sim_reset() \g /dev/null
-- statement, what the server says, what must not be seen of it
CREATE FUNCTION masked(details jsonb, says text, secrets text[], description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
	secret text;
	shown text;
BEGIN
	PERFORM sim_call('DELETE', 'fault');
	PERFORM sim_spoil_create('body', jsonb_build_object('status', 400, 'body', jsonb_build_object('code', 'invalid_argument',
		'message', says, 'requestId', '1')));
	FOR i IN 1..3 LOOP
		c := catch(CASE i
			WHEN 1 THEN format('INSERT INTO sim.connections (name, details) VALUES (''m'', %L)', details)
			WHEN 2 THEN format('SELECT sigma_create_connection(''sim'', ''m'', %L)', details)
			ELSE format('SELECT sigma_request(''sim'', ''POST'', ''/v2/connections'', NULL, %L)', jsonb_build_object('name', 'm', 'details', details)) END);
		shown := concat_ws(' ', c.message, c.detail, c.hint);
		RETURN NEXT is(c.state, '22023', description || ': refused, way ' || i);
		FOREACH secret IN ARRAY secrets LOOP
			IF strpos(shown, secret) > 0 THEN
				RETURN NEXT ok(false, description || ': shows a part of the secret, way ' || i);
			END IF;
		END LOOP;
		RETURN NEXT ok(shown LIKE '%***%', description || ': masked, way ' || i);
	END LOOP;
	PERFORM sim_call('DELETE', 'fault');
END $$;
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": "Tr0ub4dor&3"}', 'bad password Tr0ub4dor&3 given', '{Tr0ub4dor&3}', 'a password');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": "pw"}', 'bad password pw given', '{" pw "}', 'a short password');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": "x"}', 'bad password "x"', '{"\"x\""}', 'a password of one character');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": "a\"b\\c"}', 'bad details {"password": "a\"b\\c"}',
	'{"a\"b", "a\\\"b"}', 'a password that JSON escapes');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": {"type": "plain", "value": "deeper-down"}}',
	'bad value deeper-down', '{deeper-down}', 'a password further down');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "password": "12345678"}', 'bad number 12345678', '{12345678}', 'a password of digits');
SELECT masked('{"type": "postgres", "host": "h", "database": "d", "pin": 87654321}', 'bad number 87654321', '{87654321}', 'a number');
SELECT masked(jsonb_build_object('type', 'snowflake', 'user', 'u', 'privateKey',
	E'-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n'),
	E'cannot read key: line 2 is MIIEvQIBADANBgkq', '{MIIEvQIBADANBgkq}', 'a line of a key');
SELECT masked(jsonb_build_object('type', 'snowflake', 'user', 'u', 'privateKey',
	E'-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n'),
	E'cannot read -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n',
	'{MIIEvQIBADANBgkq,hkiG9w0BAQEFAASC}', 'a whole key');
SELECT masked(jsonb_build_object('type', 'bigQuery', 'projectId', 'p', 'serviceAccount', '{"private_key": "AAAABBBBCCCC"}'),
	E'bad key in {\\"private_key\\": \\"AAAABBBBCCCC\\"}', '{AAAABBBBCCCC}', 'a service account');
SELECT masked('{"type": "postgres", "host": "h", "database": "d"}', 'client simulator-client:simulator-secret is known',
	'{simulator-secret}', 'the client''s own secret');
SELECT masked('{"type": "postgres", "host": "h", "database": "d"}',
	'header was Basic c2ltdWxhdG9yLWNsaWVudDpzaW11bGF0b3Itc2VjcmV0', '{c2ltdWxhdG9y}', 'the header of a sign-in');
SELECT fails($$INSERT INTO sim.connections (name, details) VALUES ('m', '{"type": "postgres", "host": "h", "password": "Tr0ub4dor&3"}')$$,
	'22023', 'request refused by Sigma: %details.database%is required%', '%code "%requestId "%', NULL, 'what is no secret stays readable');

-- a server that cuts off what it repeats
SELECT sim_reset() \g /dev/null
SELECT sim_spoil_create('echo', '{"times": -1}') \g /dev/null
SELECT unalike((SELECT concat_ws(' ', c.message, c.detail, c.hint)
	FROM catch(format('INSERT INTO sim.connections (name, details) VALUES (''m'', %L)', pg() || jsonb_build_object('privateKey', k))) c),
	'%' || left(k, 20) || '%', 'a key of ' || length(k) || ' characters that is repeated in part')
		FROM (SELECT string_agg(md5(i::text), '' ORDER BY i) AS k FROM generate_series(1, 60) i GROUP BY i <= 25, i <= 40) k;

SELECT * FROM finish();

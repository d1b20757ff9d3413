-- sigma_fdw.dry_run: nothing that changes anything is sent, and all of it is
-- shown, but for the secrets.

\ir lib/simulator.sql
\ir lib/connections.sql
\ir lib/log.sql
\ir lib/ids.sql
SELECT * FROM no_plan();

-- What psql shows of a script in a dry run, with every context; and with
-- everything logged that can be.
CREATE FUNCTION dry(script text) RETURNS text LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'log');
	SELECT coalesce(psql(E'\\set SHOW_CONTEXT always\nSET log_min_messages = debug1; SET log_min_error_statement = debug5; '
		'SET log_error_verbosity = verbose; SET sigma_fdw.dry_run = on;\n' || script), '')
$$;
-- Asserts what is told, as patterns, in a dry run that writes nothing.
CREATE FUNCTION shows(script text, patterns text[], description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	told text := dry(script);
	pattern text;
BEGIN
	FOREACH pattern IN ARRAY patterns LOOP
		RETURN NEXT alike(told, pattern, description);
	END LOOP;
	RETURN NEXT is(writes(), '{}', '... and nothing is sent');
END $$;
CREATE FUNCTION notices(told text) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT count(*)::int FROM regexp_matches(told, 'NOTICE:  00000: dry run: ', 'g') $$;

-- ----------------------------------------------------- everything that writes

SELECT shows($$INSERT INTO sim.connections (name, details) VALUES ('new', pg());$$,
	'{"%NOTICE:  00000: dry run: POST /v2/connections {\"name\": \"new\", \"details\": {\"host\": \"h\", \"type\": \"postgres\", '
		'\"database\": \"d\"}}%","%DETAIL:  Not sent: creating connection \"new\".%"}', 'INSERT');
SELECT is(notices(dry($$INSERT INTO sim.connections (name, details) SELECT 'n' || i, pg() FROM generate_series(1, 5) i;$$)), 5,
	'INSERT ... SELECT: a NOTICE for each');
SELECT is(writes(), '{}', '... and nothing is sent');
ALTER SERVER sim OPTIONS (ADD batch_size '10');
SELECT is(notices(dry($$INSERT INTO sim.connections (name, details) SELECT 'n' || i, pg() FROM generate_series(1, 25) i;$$)), 25, 'a batch: a NOTICE for each');
SELECT is(writes(), '{}', '... and nothing is sent');
ALTER SERVER sim OPTIONS (DROP batch_size);
SELECT shows(E'COPY sim.connections (name, details) FROM STDIN;\nc1\t{"type": "postgres", "password": "hush-1"}\nc2\t{"type": '
	'"postgres", "password": "hush-2"}\n\\.',
	'{"%dry run: POST /v2/connections {\"name\": \"c1\", \"details\": {\"type\": \"postgres\", \"password\": \"***\"}}%dry run: '
		'POST /v2/connections {\"name\": \"c2\"%"}', 'COPY');
SELECT shows($$UPDATE sim.connections SET name = 'renamed' WHERE name = 'Postgres Staging';$$,
	ARRAY['%dry run: PATCH /v2/connections/' || id_of(4) || ' {"name": "renamed"}%',
		'%DETAIL:  Of connection "Postgres Staging" (' || id_of(4) || '), "name": "Postgres Staging" becomes "renamed".%'], 'UPDATE of a name');
SELECT shows($$UPDATE sim.connections SET use_oauth = true WHERE name = 'Postgres Staging';$$,
	ARRAY['%dry run: PATCH /v2/connections/' || id_of(4) || ' {"useOauth": true}%',
		'%DETAIL:  Of connection "Postgres Staging" (%), "useOauth": false becomes true.%'], 'UPDATE of use_oauth');
SELECT shows($$UPDATE sim.connections SET details = '{"type": "snowflake", "user": "OTHER", "privateKey": "hush-key", "authType": "key-pair"}', timeout_secs = 77 WHERE name = 'Snowflake East';$$,
	ARRAY['%dry run: PUT /v2/connections/' || id_of(1) || ' {%"privateKey": "***"%', '%DETAIL:  Of connection "Snowflake East" ('
		|| id_of(1) || '), %"user": "SIGMA_SVC" becomes "OTHER"%all that Sigma does not show is replaced.%', '%"default":77%'], 'UPDATE that replaces');
SELECT unalike(dry($$UPDATE sim.connections SET details = '{"type": "snowflake", "user": "OTHER", "privateKey": "hush-key", "authType": "key-pair"}'
	WHERE name = 'Snowflake East';$$),
	'%"SIGMA_ROLE" becomes%', 'what is sent back does not change');
SELECT is(notices(dry($$UPDATE sim.connections SET name = name || '!' WHERE type = 'postgres';$$)), 2, 'UPDATE of several: a NOTICE for each');
SELECT is(writes(), '{}', '... and nothing is sent');
SELECT is(dry($$UPDATE sim.connections SET name = name;$$), '', 'an UPDATE that changes nothing says nothing');
SELECT shows($$DELETE FROM sim.connections WHERE name = 'MySQL Shop';$$,
	ARRAY['%dry run: DELETE /v2/connections/' || id_of(9) || E'\n%', '%DETAIL:  Of connection "MySQL Shop" (' || id_of(9)
		|| '), "isArchived": false becomes true.%'], 'DELETE');
SELECT is(notices(dry($$DELETE FROM sim.connections;$$)), 13, 'DELETE of all: a NOTICE for each');
SELECT is((SELECT count(*) FROM regexp_matches(dry($$DELETE FROM sim.connections;$$), '"isArchived": false becomes true', 'g')),
	13::bigint, '... in the same words, whether Sigma says that it is not archived or nothing');
SELECT is(writes(), '{}', '... and nothing is sent');
SELECT shows($$SELECT sigma_create_connection('sim', 'by function', pg() || '{"password": "hush"}', '{"text": "shown"}', 60, true, '{"adhocPoolSize": 4}');$$,
	'{"%dry run: POST /v2/connections {\"name\": \"by function\", \"details\": {%\"password\": \"***\"%}, '
		'\"poolSizes\": {\"adhocPoolSize\": 4}, \"description\": {\"text\": \"shown\"}, \"timeoutSecs\": 60, '
		'\"useFriendlyNames\": true}%"}', 'sigma_create_connection()');
SELECT shows(format($$SELECT sigma_restore_connection('sim', %L, 'back', '{"type": "postgres", "host": "h", "database": "d", "password": "hush"}');$$,
	id_of(14)),
	ARRAY['%dry run: PUT /v2/connections/' || id_of(14) || ' {%"restore": true%', '%restoring connection "back"%',
		'%"password": "***"%'], 'sigma_restore_connection()');
SELECT shows(format($$SELECT sigma_sync_connection('sim', %L, '{A,B}');$$, id_of(1)),
	ARRAY['%dry run: POST /v2/connections/' || id_of(1) || '/sync {"path": ["A", "B"]}%'], 'sigma_sync_connection()');
SELECT shows(format($$SELECT sigma_grant_connection('sim', %L, 'usage', 'm1');$$, id_of(1)),
	ARRAY['%dry run: POST /v2/connections/' || id_of(1)
		|| '/grants {"grants": [{"grantee": {"memberId": "m1"}, "permission": "usage"}]}%'], 'sigma_grant_connection()');
SELECT connection_id AS granted, coalesce(quote_literal(member_id), 'NULL') AS member,
	coalesce(quote_literal(team_id), 'NULL') AS team, grant_id FROM sim.connection_grants LIMIT 1 \gset
SELECT shows(format('SELECT ''revoked '' || sigma_revoke_connection(''sim'', %L, NULL, %s, %s);', :'granted', :'member', :'team'),
	ARRAY['%dry run: DELETE /v2/connections/' || :'granted' || '/grants/%', '%revoked 1%'], 'sigma_revoke_connection()');
SELECT shows(format('DELETE FROM sim.connection_grants WHERE connection_id = %L AND grant_id = %L;', :'granted', :'grant_id'),
	ARRAY['%dry run: DELETE /v2/connections/' || :'granted' || '/grants/' || :'grant_id' || E'\n%'], 'DELETE of a grant');
SELECT shows(format('INSERT INTO sim.connection_grants (connection_id, permission, team_id) VALUES (%L, ''annotate'', ''t1'') '
	'RETURNING ''['' || permission || team_id || coalesce(grant_id, ''null'') || '']'';', :'granted'),
	ARRAY['%dry run: POST /v2/connections/' || :'granted'
		|| '/grants {"grants": [{"grantee": {"teamId": "t1"}, "permission": "annotate"}]}%', '%[annotatet1null]%'], 'INSERT of a grant');
SELECT shows(format('SELECT coalesce(sigma_request(''sim'', %L, ''/v2/anything'', ''{"a": "b"}'', ''{"c": 1, '
	'"password": "hush"}'')::text, ''nothing'');', method),
	ARRAY['%dry run: ' || method || ' /v2/anything?a=b {"c": 1, "password": "***"}%', '%nothing%'], 'sigma_request() ' || method)
		FROM unnest('{POST,PUT,PATCH,DELETE}'::text[]) method;
SELECT shows($$SELECT '(' || string_agg(action || ' ' || name || ' ' || coalesce(connection_id, 'null'), ', ') || ')'
	FROM sigma_apply('sim', $q$VALUES$q$ || ' (1)', false);$$,
	'{%column1%}', 'sigma_apply() of a query that is none');
SELECT shows($$SELECT '(' || string_agg(action || ' ' || name || ' ' || coalesce(type, 'null'), ', ') || ')', count(connection_id)
	FROM sigma_apply('sim', 'SELECT ''fresh'' AS name, pg() AS details UNION ALL SELECT ''Postgres Staging'', pg() || ''{"user": "other"}''', true);$$,
	ARRAY['%(create fresh postgres, update Postgres Staging postgres, archive %',
		'%dry run: POST /v2/connections {"name": "fresh"%', '%dry run: PUT /v2/connections/' || id_of(4)
		|| '%user": "sigma_reader" becomes "other"%', '%dry run: DELETE /v2/connections/' || id_of(9) || '%'], 'sigma_apply() with prune');

CREATE TABLE seen (id text, name text);
CREATE FUNCTION after_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.connection_id, NEW.name); RETURN NULL; END $$;
CREATE FOREIGN TABLE triggered (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE TRIGGER a AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION after_insert();
CREATE TABLE parted (name text, details jsonb) PARTITION BY LIST (name);
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted DEFAULT SERVER sim OPTIONS (resource 'connections');
CREATE VIEW postgres_only AS SELECT connection_id, name, type, details FROM sim.connections WHERE type = 'postgres' WITH CHECK OPTION;
SELECT shows($$INSERT INTO triggered (name, details) VALUES ('fired', pg()); INSERT INTO parted VALUES ('routed', pg());
	INSERT INTO postgres_only (name, details) VALUES ('viewed', pg()) RETURNING name || type;
	INSERT INTO postgres_only (name, details) VALUES ('not viewed', pg() || '{"type": "mysql"}');$$,
	'{"%dry run: POST%fired%dry run: POST%routed%dry run: POST%viewed%viewedpostgres%ERROR:  44000: %"}', 'triggers, partitions and views');
SELECT is((SELECT array_agg(name) FROM seen WHERE id IS NULL), '{fired}', 'a trigger sees the row without an id');

-- ------------------------------------------------------------- transactions

SELECT shows($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('a', pg());
	UPDATE sim.connections SET name = 'b' WHERE name = 'MySQL Shop'; DELETE FROM sim.connections WHERE type = 'postgres'; COMMIT;$$,
	'{%POST%PATCH%DELETE%DELETE%}', 'a COMMIT sends nothing either');
SELECT shows($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('a', pg()); SAVEPOINT s;
	UPDATE sim.connections SET name = 'b' WHERE name = 'MySQL Shop'; ROLLBACK TO s; DELETE FROM sim.connections WHERE type = 'postgres'; ROLLBACK;$$,
	'{%POST%PATCH%DELETE%DELETE%}', 'nor does a ROLLBACK');
SELECT unalike(dry($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('a', pg()); SELECT sigma_request('sim', 'POST', '/v2/x'); ROLLBACK;$$),
	'%WARNING%', 'which has nothing to warn of');
SELECT shows($$BEGIN; DELETE FROM sim.connections WHERE type = 'mysql'; UPDATE sim.connections SET name = 'b' WHERE name = 'Postgres Staging';
	SELECT 'still ' || count(connection_id) || string_agg(name, ',') FROM sim.connections WHERE type = 'mysql' OR name = 'b'; COMMIT;$$,
	'{"%still 1MySQL Shop%"}', 'later statements see what is there');
SELECT shows($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('a', pg());
	UPDATE sim.connections SET name = 'b' WHERE name = 'MySQL Shop'; SELECT sigma_sync_connection('sim', id_of(1)); PREPARE TRANSACTION 'dry';
	SELECT 'prepared ' || count(*) FROM pg_prepared_xacts WHERE database = current_database(); ROLLBACK PREPARED 'dry';$$,
	'{"%prepared 1%"}', 'PREPARE TRANSACTION is allowed');
SELECT unalike(dry($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('a', pg()); PREPARE TRANSACTION 'dry'; ROLLBACK PREPARED 'dry';$$),
	'%ERROR%', '... without an error');
SELECT psql($$BEGIN; UPDATE sim.connections SET name = 'queued' WHERE name = 'MySQL Shop'; SET sigma_fdw.dry_run = on;
	UPDATE sim.connections SET name = 'shown' WHERE name = 'Postgres Staging'; COMMIT;$$)
	AS told \gset
SELECT is(writes(), ARRAY['PATCH /v2/connections/' || id_of(9)], 'what was queued before is sent all the same, what comes later is not');
SELECT alike(:'told'::text, '%dry run: PATCH /v2/connections/' || id_of(4) || '%', 'but shown');
SELECT sim_reset() \g /dev/null
SELECT alike(psql($$BEGIN; UPDATE sim.connections SET name = 'queued' WHERE name = 'MySQL Shop'; SET sigma_fdw.dry_run = on;
	UPDATE sim.connections SET name = 'shown' WHERE name = 'queued'; ROLLBACK;$$),
	'%"name": "queued" becomes "shown"%', 'a dry run sees what is queued');
SELECT psql($$BEGIN; SELECT length(sigma_create_connection('sim', 'before', pg()) ->> 'connectionId'); SET sigma_fdw.dry_run = on; ROLLBACK;$$) AS told \gset
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'before'), 0, 'a create from before is undone by the rollback');
SELECT sim_reset() \g /dev/null
SELECT is(psql($$SET sigma_fdw.dry_run = on; BEGIN; SET LOCAL sigma_fdw.dry_run = off;
	UPDATE sim.connections SET name = 'real' WHERE name = 'MySQL Shop'; COMMIT;$$),
	NULL, 'SET LOCAL off within');
SELECT is(writes(), ARRAY['PATCH /v2/connections/' || id_of(9)], '... is no dry run');
SELECT sim_reset() \g /dev/null
SELECT is(notices(psql($$BEGIN; SET LOCAL sigma_fdw.dry_run = on; UPDATE sim.connections SET name = 'dry' WHERE name = 'MySQL Shop'; COMMIT;
	UPDATE sim.connections SET name = 'real' WHERE name = 'MySQL Shop';$$)),
	1, 'SET LOCAL on ends with its transaction');
SELECT is((SELECT array_agg(body::jsonb ->> 'name') FROM sim_log() WHERE method = 'PATCH'), '{real}', '... and sends nothing of it');
SELECT sim_reset() \g /dev/null
SELECT is(notices(psql($$BEGIN; SAVEPOINT s; SET sigma_fdw.dry_run = on; UPDATE sim.connections SET name = 'dry' WHERE name = 'MySQL Shop';
	ROLLBACK TO s; UPDATE sim.connections SET name = 'real' WHERE name = 'MySQL Shop'; COMMIT;$$)),
	1, 'a savepoint takes the setting back');
SELECT is((SELECT array_agg(body::jsonb ->> 'name') FROM sim_log() WHERE method = 'PATCH'), '{real}', '... and what follows is real');
SELECT sim_reset() \g /dev/null
SELECT is(notices(psql($$BEGIN; SET LOCAL sigma_fdw.dry_run = on; DELETE FROM sim.connections; SET LOCAL sigma_fdw.dry_run = off; COMMIT;$$)),
	13, 'switched off before the COMMIT');
SELECT is(writes(), '{}', '... which sends nothing of the dry run');
CREATE FUNCTION dry_rename() RETURNS void LANGUAGE sql SET sigma_fdw.dry_run = on AS $$ UPDATE sim.connections SET name = 'x' WHERE name = 'MySQL Shop' $$;
SELECT is(notices(psql('SELECT dry_rename();')), 1, 'a setting of a function');
SELECT is(writes(), '{}', '... holds in it');
SELECT alike(psql($$SET sigma_fdw.dry_run = 'perhaps'; INSERT INTO sim.connections (name, details) VALUES ('careful', pg());$$),
	'%parameter "sigma_fdw.dry_run" requires a Boolean value%', 'a setting that is none, before the library is loaded');
SELECT sim_reset() \g /dev/null

SELECT shows($$BEGIN READ ONLY; SELECT sigma_create_connection('sim', 'x', pg()); ROLLBACK; BEGIN READ ONLY; UPDATE sim.connections SET name = 'x';
	ROLLBACK; BEGIN READ ONLY; SELECT * FROM sigma_apply('sim', 'SELECT ''x'' AS name'); ROLLBACK;$$,
	'{"%ERROR:  25006%ERROR:  25006%ERROR:  25006%"}', 'a read-only transaction refuses writes as ever');
SELECT is(sim_count(), 0, 'before any request');
SELECT shows($$INSERT INTO sim.connections (name) VALUES ('x'); INSERT INTO sim.connections (details) VALUES (pg());
	SELECT sigma_create_connection('sim', 'x', '[]'); UPDATE sim.connections SET role = 'R'; SELECT sigma_grant_connection('sim', 'x', 'usage');
	SELECT sigma_request('sim', 'POST', 'x'); SELECT sigma_restore_connection('sim', id_of(4), 'x', pg());$$,
	'{"%ERROR:  23502: a connection needs a type%ERROR:  23502: a connection needs a name%ERROR:  22023: \"details\" must '
		'be%ERROR:  0A000: cannot update column \"role\"%ERROR:  22023: a grant is for%ERROR:  22023: invalid path%ERROR:  '
		'55000: connection%is not archived%"}', 'what is wrong is an error as ever');
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT shows($$INSERT INTO sim.connections (name, details) VALUES ('x', pg()); SELECT sigma_create_connection('sim', 'x', pg());$$,
	'{"%ERROR:  55000%ERROR:  55000%"}', 'updatable false');
ALTER SERVER sim OPTIONS (DROP updatable);
SELECT shows($$SELECT 'read ' || count(connection_id) FROM sim.connections; SELECT organization_id FROM sigma_whoami('sim');
	SELECT sigma_request('sim', 'GET', '/v2/connections') ->> 'total'; SELECT kind FROM sigma_lookup_path('sim', id_of(1), '{}');$$,
	ARRAY[E'%read 13\n47bc809e-%\n13\nscope%'], 'reads go on');
SELECT unalike(dry($$SELECT kind FROM sigma_lookup_path('sim', id_of(1), '{}');$$), '%dry run%', 'also the one that is a POST');
SELECT shows($$EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) INSERT INTO sim.connections (name, details) VALUES ('x', pg());
	EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) UPDATE sim.connections SET name = 'x' WHERE name = 'MySQL Shop';
	EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) DELETE FROM sim.connections WHERE name = 'MySQL Shop';$$,
	'{"%dry run: POST%Insert on connections%dry run: PATCH%Update on connections%dry run: DELETE%Delete on connections%"}', 'EXPLAIN ANALYZE');
SELECT is(notices(dry($$EXPLAIN INSERT INTO sim.connections (name, details) VALUES ('x', pg()); EXPLAIN DELETE FROM sim.connections;$$)),
	0, 'EXPLAIN shows no request');
SELECT is(sim_count(), 0, '... and makes none');

-- ---------------------------------------------------------------- RETURNING

CREATE TABLE samples (type text, details jsonb);
INSERT INTO samples VALUES
	('snowflake', '{"account": "a", "host": "a.example.com", "warehouse": "W", "user": "U", "role": "R", "authType": "key-pair", '
		'"privateKey": "-----BEGIN\nhush-line-1\nhush-line-2", "privateKeyPassphrase": "hush-phrase", "exportsWarehouse": "E", '
		'"usePython": true, "pythonSecrets": {"setupUser": {"username": "hush-name", "password": "hush-setup", "role": "R"}, '
		'"pythonUser": {"username": "p", "password": "hush-python"}}, "pythonProperties": {"packages": "numpy", '
		'"warehouse": "PW", "serviceNames": ["s"]}, "writeAccess": {"writeDatabase": "WD", "writeSchema": "WS", "materializationWarehouse": "MW"}}'),
	('postgres', '{"host": "h", "database": "d", "user": "u", "password": "hush-password", "port": 5433, "useTls": true, '
		'"writeAccess": {"writeSchema": "ws"}}'),
	('redshift', '{"host": "h", "database": "d", "user": "u", "password": {"type": "plain", "value": "hush-plain"}, "port": 5439}'),
	('alloydb', '{"host": "h", "database": "d", "user": "u", "password": "hush \"quoted\" \\ é"}'),
	('bigQuery', '{"projectId": "p", "additionalProjectIds": ["q"], "serviceAccount": "{\"private_key\": \"hush-google\", '
		'\"client_email\": \"x@example.com\"}", "audience": "au", "metadataUrl": "https://m", "clientId": "ci", '
		'"clientSecret": "hush-client", "scopes": ["s1", "s2"], "idpType": "okta", "usePkce": true, "useJwt": false, '
		'"writeAccess": {"writeProject": "wp", "writeDataset": "wd"}}'),
	('databricks', '{"host": "h", "endpoint": "/sql/1", "token": "hush-token", "workspaceUrl": "https://w", '
		'"writeAccess": {"writeCatalog": "wc", "writeSchema": "ws"}}'),
	('mysql', '{"user": "u", "password": "hush", "host": "h", "port": 3306}'),
	('azuresql', '{"server": "s", "database": "d", "user": "u", "password": "12hush34", "port": 1433, "useReadUncommittedIsolation": true}'),
	('sqlserver', '{"server": "s", "user": "u", "password": "hush", "port": 1433, "futureField": "hush-future", "pin": 48151623, '
		'"deep": {"er": [{"secret": "hush-deep"}, ["hush-array", 48151623]]}}'),
	('starburst', '{"user": "u", "password": "hush", "host": "h", "port": 443}');
UPDATE samples SET details = details || jsonb_build_object('type', type);
CREATE TABLE dry_rows (type text, row jsonb, real jsonb);
CREATE FUNCTION insert_dry(dry bool) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	s samples;
	r jsonb;
BEGIN
	PERFORM set_config('sigma_fdw.dry_run', dry::text, true);
	FOR s IN SELECT * FROM samples LOOP
		INSERT INTO sim.connections AS c (name, details, timeout_secs, use_friendly_names) VALUES ('of ' || s.type, s.details, 30,
			true) RETURNING to_jsonb(c) INTO r;
		IF dry THEN INSERT INTO dry_rows VALUES (s.type, r); ELSE UPDATE dry_rows d SET real = r WHERE d.type = s.type; END IF;
	END LOOP;
	PERFORM set_config('sigma_fdw.dry_run', 'off', true);
END $$;
SELECT sim_reset() \g /dev/null
SELECT insert_dry(true) \g /dev/null
SELECT is(writes(), '{}', 'RETURNING sends nothing');
SELECT insert_dry(false) \g /dev/null
-- whether false is what Sigma makes of what was not given, only Sigma knows
SELECT is(row - '{attrs,connection_id,is_sample,is_audit_log,last_active_at,organization_id,created_by,created_at,updated_by,'
	'updated_at,is_independent_oauth,pool_sizes}'::text[],
	real - '{attrs,connection_id,is_sample,is_audit_log,last_active_at,organization_id,created_by,created_at,updated_by,'
		'updated_at,is_independent_oauth,pool_sizes}'::text[]
		|| CASE WHEN real ->> 'use_oauth' = 'false' THEN '{"use_oauth": null}' ELSE '{}' END::jsonb
		|| CASE WHEN real ->> 'write_access' = 'false' THEN '{"write_access": null}' ELSE '{}' END::jsonb,
			'RETURNING foresees what Sigma will show: ' || type) FROM dry_rows;
SELECT is((SELECT count(*)::int FROM dry_rows,
	unnest('{attrs,connection_id,is_sample,is_audit_log,last_active_at,organization_id,created_by,created_at,updated_by,'
	'updated_at}'::text[]) c WHERE row ->> c IS NOT NULL), 0, 'and has NULL for what only Sigma knows');
SELECT is((SELECT count(*)::int FROM dry_rows WHERE row::text LIKE '%hush%' OR row::text LIKE '%4815%'), 0, 'and no secret');
SELECT sim_reset() \g /dev/null
SET sigma_fdw.dry_run = on;
SELECT (r ->> 'name') = 'x' AND (r ->> 'connectionId') IS NULL AND (r ->> 'type') = 'snowflake' AND (r ->> 'account') = 'a'
	AND r::text NOT LIKE '%hush%' AS foreseen FROM samples, sigma_create_connection('sim', 'x', details) r WHERE type = 'snowflake' \gset
SELECT (r ->> 'name') || ' ' || (r ->> 'isArchived') || ' ' || (r ->> 'connectionId') AS restored
	FROM sigma_restore_connection('sim', id_of(14), NULL, pg()) r \gset
UPDATE sim.connections SET name = 'later' WHERE name = 'MySQL Shop' RETURNING name, "user" \gset updated_
DELETE FROM sim.connections WHERE name = 'MySQL Shop' RETURNING name \gset deleted_
RESET sigma_fdw.dry_run;
SELECT ok(:'foreseen', 'sigma_create_connection() returns what is known of it');
SELECT is(:'restored'::text, 'Old Postgres Warehouse false ' || id_of(14), 'and sigma_restore_connection()');
SELECT is(ARRAY[:'updated_name', :'updated_user', :'deleted_name'], '{later,shop_ro,MySQL Shop}',
	'UPDATE ... RETURNING shows the row as it would be, DELETE as it is');
SELECT is(writes(), '{}', 'and nothing is sent');

-- numbers, of whatever type the column is
CREATE FOREIGN TABLE floats (name text, type text, host text, port double precision, details jsonb) SERVER sim OPTIONS (resource 'connections');
SELECT matches(dry($$INSERT INTO floats (name, type, host, port) VALUES ('n', 'postgres', 'h', 5432)$$), '"port": ?5432[^0-9"]',
	'a floating-point number is sent as a number');
DROP FOREIGN TABLE floats;

-- ------------------------------------------------------------------ secrets

CREATE TABLE told (n int GENERATED ALWAYS AS IDENTITY, what text, told text);
CREATE FOREIGN TABLE by_hand (name text, type text, host text, database text, password text, private_key text,
	private_key_passphrase text, token text, service_account text, details jsonb)
	SERVER sim OPTIONS (resource 'connections');
SELECT log_size() AS start \gset
INSERT INTO told (what, told) SELECT 'INSERT', dry($$INSERT INTO sim.connections (name, details) SELECT type, details FROM samples;$$);
INSERT INTO told (what, told) SELECT 'sigma_create_connection()', dry($$SELECT count(sigma_create_connection('sim', type, details)) FROM samples;$$);
INSERT INTO told (what, told) SELECT 'sigma_request()',
	dry($$SELECT count(sigma_request('sim', 'PUT', '/v2/connections/'
	|| id_of(1), NULL, jsonb_build_object('name', type, 'details', details, 'timeoutSecs', 7))) FROM samples;$$);
INSERT INTO told (what, told) SELECT 'UPDATE', dry($$UPDATE sim.connections c SET details = s.details FROM samples s WHERE s.type = c.type;$$);
INSERT INTO told (what, told) SELECT 'sigma_restore_connection()',
	dry($$SELECT count(sigma_restore_connection('sim', id_of(13), type, details)) FROM samples;$$);
INSERT INTO told (what, told) SELECT 'sigma_apply()',
	dry($$SELECT count(*)
	FROM sigma_apply('sim', 'SELECT type AS name, details FROM samples UNION ALL SELECT c.name, s.details FROM samples s JOIN sim.connections c ON c.type = s.type AND c.type <> ''snowflake'' WHERE s.type <> ''postgres''');$$);
INSERT INTO told (what, told) SELECT 'typed columns',
	dry($$INSERT INTO by_hand (name, type, password, private_key, private_key_passphrase, token, service_account)
	VALUES ('n', 'snowflake', 'hush', 'hush', 'hush', 'hush', 'hush');$$);
INSERT INTO told (what, told) SELECT 'literals in a statement',
	dry($$INSERT INTO sim.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');
	SELECT sigma_create_connection('sim', 'x', '{"type": "postgres", "password": "hush"}');
	UPDATE sim.connections SET details = '{"type": "postgres", "password": "hush"}' WHERE type = 'postgres';
	SELECT * FROM sigma_apply('sim', 'SELECT ''x'' AS name, ''{"type": "postgres", "password": "hush"}'' AS details');
	SELECT sigma_request('sim', 'POST', '/v2/connections', NULL, '{"name": "x", "details": {"type": "postgres", "password": "hush"}}');
	SELECT sigma_restore_connection('sim', id_of(13), 'x', '{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'PL/pgSQL',
	dry($$DO $b$ BEGIN INSERT INTO sim.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');
	PERFORM sigma_create_connection('sim', 'x', '{"type": "postgres", "password": "hush"}');
	UPDATE sim.connections SET details = '{"type": "postgres", "password": "hush"}' WHERE type = 'postgres';
	PERFORM sigma_apply('sim', 'SELECT ''x'' AS name, ''{"type": "postgres", "password": "hush"}'' AS details');
	DELETE FROM sim.connections WHERE name = 'MySQL Shop';
	PERFORM sigma_sync_connection('sim', id_of(1)), sigma_grant_connection('sim', id_of(1), 'usage', 'm1'); END $b$;$$);
INSERT INTO told (what, told) SELECT 'COPY', dry(E'COPY sim.connections (name, details) FROM STDIN;\nx\t{"type": "postgres", "password": "hush"}\n\\.');
INSERT INTO told (what, told) SELECT 'other bodies: ' || body,
	dry(format('SELECT sigma_request(''sim'', ''PATCH'', ''/v2/other'', NULL, %L);', body)) FROM unnest(ARRAY[
	'{"password": "hush"}', '{"clientSecret": "hush"}', '{"accessToken": "hush"}', '{"PASSWORD": "hush"}',
		'{"privateKey": "hush", "passphrase": "hush"}', '{"serviceAccount": "hush"}',
	'{"secretToken": 48151623}', '{"deep": {"er": {"apiKey": "hush"}}}', '{"list": [{"password": "hush"}]}',
		'{"tokens": ["hush", "hush"]}', '{"new_password": "hush"}',
	'{"password": {"type": "plain", "value": "hush"}}', '{"private_key": "hush", "api_key": "hush"}', '{"tokens": [{"name": "a"}, "hush"]}',
	'{"details": {"password": "hush"}, "name": "n"}', '[{"details": {"password": "hush"}}, {"password": "hush"}]',
		'{"connections": [{"details": {"password": "hush"}, "name": "n"}]}', '{"details": "hush"}', '{"details": ["hush"]}',
	'{"details": {"type": "databricks", "authentication": {"type": "service-account", "serviceAccount": {"type": "basic-auth", '
		'"accessToken": "hush"}}}}', '{"details": {"keys": [{"type": "a"}, "hush"]}}', '{"details": {"details": {"x": "hush"}, "zzzzzzzzzz": "hush"}}',
	'{"details": {"unknown": {"user": "hush", "secretId": "hush"}}}', '{"credentials": {"user": "hush", "value": "hush"}}',
	'{"password": {"type": "hush", "value": "x"}}', '{"password": {"authType": "hush"}}',
		'{"details": {"password": {"type": "hush"}, "type": "postgres"}}', '{"details": {"type": "postgres", "unknown": [{"type": "hush"}]}}',
	'{"pat": "hush", "userPat": "hush", "user_pat": "hush", "PAT": "hush"}', '{"dsn": "hush", "DSN": "hush", "odbcDsn": "hush"}',
		'{"pin": 48151623, "pinCode": "hush", "PIN": "hush"}', '{"passcode": "hush", "passCode": "hush", "pass": "hush", "db_pass": "hush"}',
	'{"connectionString": "hush", "connection_string": "hush", "connStr": "hush", "ConnectionString": "hush"}',
		'{"otp": "hush", "jwt": "hush", "psk": "hush", "sas": "hush", "cookie": "hush", "sharedKey": "hush", "signing_key": "hush"}']) body;
SELECT unalike(told, '%hush%', 'no secret is told: ' || what) FROM told ORDER BY n;
SELECT unalike(told, '%48151623%', 'no number that may be one: ' || what) FROM told WHERE what NOT LIKE 'other bodies%' OR what LIKE '%4815%' ORDER BY n;
SELECT alike(told, '%dry run: %***%', '... though it is shown: ' || what) FROM told WHERE what NOT LIKE 'other bodies%' ORDER BY n;
SELECT is(log_has(:'start', 'hush|48151623'), NULL, 'nor logged, with every statement that could be');
SELECT is(log_has(:'start', 'Sigma write'), NULL, 'nor a write, since there was none');
\if :readable
SELECT isnt(log_has(:'start', 'dry run: POST /v2/connections'), NULL, 'though the requests are');
\endif
SELECT is((SELECT string_agg(what, ', ') FROM told WHERE told ~ 'ERROR'), NULL, 'without an error');
SELECT is(writes(), '{}', 'and nothing of all that was sent');
SELECT alike(told, '%"host": "h"%"user": "u"%', 'what is no secret stays readable') FROM told WHERE what = 'INSERT';
SELECT alike(told, '%' || shown || '%', 'readable: ' || shown) FROM told,
	unnest(ARRAY['"password": {"type": "***", "value": "***"}', '"port": 5433', '"useTls": true', '"writeSchema": "ws"',
	'"clientId": "ci"', '"scopes": ["s1", "s2"]', '"authType": "key-pair"', '"account": "a"', '"warehouse": "W"',
	'"projectId": "p"', '"additionalProjectIds": ["q"]', '"endpoint": "/sql/1"', '"server": "s"', '"packages": "numpy"',
	'"database": "d"', '"role": "R"']) shown WHERE what = 'INSERT';
SELECT alike(dry($$SELECT sigma_request('sim', 'PATCH', '/v2/other', NULL, '{"pattern": "p1", "spinner": "s1", "mapping": "m1", "compatible": "c1", "bypass": "b1", "tags": [{"type": "t1"}]}');$$),
	'%"tags": [{"type": "t1"}]%"bypass": "b1"%"mapping": "m1"%"pattern": "p1"%"spinner": "s1"%"compatible": "c1"%', 'nor is what has such a word for a part');
SELECT shows($$INSERT INTO sim.connections (name, details)
	VALUES ('ref', '{"type": "snowflake", "user": "u", "privateKey": {"secretManagerId": "sm-1", "secretId": "key/1"}, "privateKeyPassphrase": {"secretManagerId": "sm-1", "secretId": "phrase/1"}}'), ('ref2', '{"type": "databricks", "host": "h", "endpoint": "e", "token": {"secretManagerId": "sm-1", "secretId": "token/1"}}');$$,
	'{"%\"privateKey\": {\"secretId\": \"key/1\", \"secretManagerId\": \"sm-1\"}%","%\"privateKeyPassphrase\": {\"secretId\": '
		'\"phrase/1\", \"secretManagerId\": \"sm-1\"}%","%\"token\": {\"secretId\": \"token/1\", \"secretManagerId\": \"sm-1\"}'
		'%"}', 'a reference to a secret is shown');

-- what stands in the query of a request
SELECT alike(psql($$SET sigma_fdw.dry_run = on;
	SELECT sigma_request('sim', 'POST', '/v2/other', '{"api_key": "hush", "a": "shown", "secret": "hush too"}', '{}');$$),
	'%dry run: POST /v2/other?%a=shown%', 'parameters are shown');
SELECT unalike(psql($$SET sigma_fdw.dry_run = on;
	SELECT sigma_request('sim', 'POST', '/v2/other', '{"api_key": "hush", "a": "shown", "secret": "hush too"}', '{}');$$),
	'%hush%', 'but not those that sound secret');

SELECT * FROM finish();

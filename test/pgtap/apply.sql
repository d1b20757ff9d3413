-- sigma_plan() and sigma_apply(): Sigma has what a query wants, and nothing is
-- done twice.  And what to do when it is not known whether something was done:
-- sigma_find_created(), if_not_exists, sigma_restore_connection().

\ir lib/simulator.sql
\ir lib/connections.sql
\ir lib/log.sql
\ir lib/ids.sql
SELECT * FROM no_plan();

-- requests that change something, by method and name
CREATE FUNCTION written() RETURNS text[] LANGUAGE sql AS $$
	SELECT sorted(coalesce(array_agg(method || coalesce(' ' || (body::jsonb ->> 'name'), '')), '{}')) FROM sim_log() WHERE method <> 'GET'
$$;
CREATE FUNCTION live(pattern text) RETURNS int LANGUAGE sql AS $$
	SELECT count(*)::int FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections', '{"limit": 1000}') -> 'entries')
		e WHERE e ->> 'name' LIKE pattern
$$;
CREATE FUNCTION planned(query text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT coalesce(array_agg(concat_ws(' ', action, name, nullif(fields, '{}')) ORDER BY name COLLATE "C"), '{}')
		FROM sigma_plan('sim', query) WHERE action <> 'archive');
EXCEPTION WHEN OTHERS THEN
	RETURN ARRAY[SQLSTATE || ' ' || SQLERRM];
END $$;
CREATE FUNCTION applied(query text, prune bool DEFAULT false) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT coalesce(array_agg(concat_ws(' ', action, name, nullif(fields, '{}')) ORDER BY name COLLATE "C"), '{}')
		FROM sigma_apply('sim', query, prune));
EXCEPTION WHEN OTHERS THEN
	RETURN ARRAY[SQLSTATE || ' ' || SQLERRM];
END $$;

-- --------------------------------------------------------------- the query

CREATE TABLE wanted (name text, type text, details jsonb);
INSERT INTO wanted VALUES ('w', 'postgres', pg());
CREATE SCHEMA "odd (schema); '";
CREATE TABLE "odd (schema); '"."Odd ""table"" ; x" AS TABLE wanted;
CREATE VIEW wanted_view AS TABLE wanted;
CREATE MATERIALIZED VIEW wanted_kept AS TABLE wanted;
CREATE FUNCTION wanted_rows() RETURNS SETOF wanted LANGUAGE sql AS 'TABLE public.wanted';
SELECT is(planned(query), '{create w}', 'the query: ' || translate(query, E'\n\t', '  ')) FROM unnest(ARRAY[
	'wanted', 'public.wanted', '"wanted"', 'WANTED', '"odd (schema); ''"."Odd ""table"" ; x"', 'wanted_view', 'wanted_kept',
	'TABLE wanted', 'SELECT * FROM wanted', 'select * from wanted;', E'SELECT * FROM wanted -- a comment\n ; ',
		'(SELECT * FROM wanted)', E'\n\tSELECT name, details FROM wanted',
	'SELECT * FROM (VALUES (''w'', pg())) AS v (name, details)', 'WITH x AS (TABLE wanted) SELECT * FROM x',
		'SELECT * FROM wanted_rows()', 'SELECT details, name FROM wanted',
	'SELECT ''w'' AS name, ''{"type": "postgres", "host": "h", "database": "d"}'' AS details',
		'SELECT name, details::json AS details FROM wanted', 'SELECT name, details::text AS details FROM wanted',
	'SELECT name::varchar(10), type::name, details - ''type'' AS details FROM wanted',
		'SELECT name, type, pg() AS details, 30 AS timeout_secs, true AS use_friendly_names, ''{}''::jsonb AS description FROM wanted',
	'SELECT name, type, ''h'' AS host, ''d'' AS database, 5432 AS port, ''p'' AS password FROM wanted',
		'SELECT w.name, d.details FROM wanted w JOIN wanted d USING (name) WHERE NOT EXISTS (SELECT FROM sim.connections c WHERE c.name = w.name)',
	'SELECT*FROM"wanted"', ' wanted ', 'wanted;']) query;
SELECT is(sim_count(), (SELECT count(*)::int FROM sim_log() WHERE method = 'GET'), 'a plan reads and nothing else');
SELECT is(planned('SELECT * FROM wanted WHERE false'), '{}', 'a query without rows');
SELECT is((SELECT count(*)::int FROM sigma_plan('sim', 'SELECT * FROM wanted WHERE false')), 11, 'which would archive all but the sample');
SELECT is((SELECT count(*)::int FROM sigma_plan('sim', 'wanted')), 12, 'the audit log''s connection stays as well');
SELECT is((SELECT array_agg(DISTINCT action) FROM sigma_plan('sim', 'wanted') WHERE name <> 'w'), '{archive}', 'a plan shows what pruning would archive');
SELECT results_eq($$SELECT action, name, connection_id, type, fields FROM sigma_plan('sim', 'wanted') WHERE name IN ('w', 'MySQL Shop')$$,
	$$VALUES ('create', 'w', NULL, 'postgres', '{}'::text[]), ('archive', 'MySQL Shop', id_of(9), 'mysql', '{}')$$, 'the columns of a plan');

SELECT fails(format('SELECT * FROM sigma_plan(''sim'', %L)', query), state, message, NULL, NULL, 'the query: ' || query) FROM (VALUES
	('SELECT 1', '42703', 'column "?column?" of the query is not a column that a connection can be given'),
	('SELECT details FROM wanted', '42703', 'the query has no column "name"'),
	('SELECT ''x'' AS name, now() AS created_at', '42703', 'column "created_at"%'),
	('SELECT ''x'' AS name, ''y'' AS connection_id', '42703', 'column "connection_id"%'),
	('SELECT ''x'' AS "Name"', '42703', 'column "Name"%'),
	('SELECT ''x'' AS name, ''y'' AS name, pg() AS details', '42701', '%"name"%'),
	('SELECT NULL AS name, pg() AS details', '23502', 'a connection needs a name'),
	('SELECT ''x'' AS name, NULL::jsonb AS details', '23502', 'a connection needs a type'),
	('SELECT ''x'' AS name, ''[]''::jsonb AS details', '22023', '"details" must be a JSON object'),
	('SELECT ''x'' AS name, ''mysql'' AS type, pg() AS details', '22023', 'column "type" contradicts%'),
	('SELECT ''x'' AS name, pg() AS details UNION ALL SELECT ''x'', pg()', '21000', 'the query wants two connections of the name "x"'),
	('nosuch', '42P01', 'relation "nosuch" does not exist'),
	('SAVEPOINT s', '22023', NULL), ('COPY wanted TO STDOUT', '22023', NULL), ('EXPLAIN SELECT 1', '22023', 'argument "query" must be%')
) AS q (query, state, message);
SELECT isnt((catch(format('SELECT * FROM sigma_plan(''sim'', %L)', query))).state, NULL, 'refused: ' || query) FROM unnest(ARRAY[
	'', ' ', ';', '-- nothing', 'COMMIT', 'BEGIN; SELECT ''x'' AS name', 'SELECT ''x'' AS name; COMMIT',
		'SELECT * FROM wanted; SELECT * FROM wanted WHERE false', 'SELECT * FROM wanted; DELETE FROM wanted',
		'DELETE FROM wanted', 'DELETE FROM wanted RETURNING *', 'INSERT INTO wanted VALUES (''y'') RETURNING *',
	'TRUNCATE wanted', 'WITH d AS (DELETE FROM wanted RETURNING *) SELECT * FROM d', 'SELECT * INTO other FROM wanted',
		'CREATE TABLE other AS TABLE wanted', 'SET search_path = x', 'DO $d$ BEGIN DELETE FROM wanted; END $d$']) query;
SELECT is((SELECT count(*)::int FROM wanted), 1, 'a query that writes is refused');
CREATE FUNCTION sneaky() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO wanted VALUES ('sneaked'); RETURN 'x'; END $$;
CREATE FUNCTION sneaky_connection() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN INSERT INTO sim.connections (name, details) VALUES ('sneaked', pg()); RETURN 'x'; END
$$;
SELECT is((catch(format('SELECT * FROM sigma_plan(''sim'', %L)', query))).state, '25006', 'not by a function either: ' || query) FROM unnest(ARRAY[
	'SELECT sneaky() AS name, pg() AS details', 'SELECT sneaky_connection() AS name, pg() AS details',
		'SELECT sigma_create_connection(''sim'', ''sneaked'', pg()) ->> ''name'' AS name, pg() AS details',
	'SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/'' || id_of(9))::text AS name']) query;
SELECT is((SELECT count(*)::int FROM wanted), 1, 'nothing is written');
DELETE FROM wanted WHERE details IS NULL;
SELECT is(created(), 0, 'nor created');
SELECT sim_reset() \g /dev/null
SELECT is(current_setting('transaction_read_only'), 'off', 'and what comes later may write');
SELECT alike(psql($$SET client_min_messages = notice; SELECT sigma_plan('sim', 'SELECT sneaky() AS name'); SELECT sigma_plan('sim', 'SELEKT');
	SHOW client_min_messages; SHOW log_min_messages; SHOW transaction_read_only; BEGIN; SELECT count(*) FROM sigma_plan('sim', 'wanted');
	SHOW client_min_messages; SHOW log_min_messages; SHOW transaction_read_only; INSERT INTO wanted VALUES ('after'); ROLLBACK;$$),
	E'%notice\nwarning\noff\n12\nnotice\nwarning\noff', 'the query''s settings end with it, well or not');
SELECT fails('SELECT * FROM sigma_plan(''sim'', NULL)', '22004', 'argument "query" must not be null', NULL, NULL, 'no query');
SELECT fails('SELECT * FROM sigma_apply(NULL, ''wanted'')', '22004', 'argument "server" must not be null', NULL, NULL, 'no server');
SELECT fails('SELECT * FROM sigma_apply(''none'', ''wanted'')', '42704', NULL, NULL, NULL, 'an unknown server');
SELECT is(created(), 0, 'nothing of all that was created');

-- ------------------------------------------------- all types and all fields

CREATE TABLE kinds (name text PRIMARY KEY, type text, details jsonb, timeout_secs int, use_friendly_names bool, pool_sizes jsonb);
INSERT INTO kinds SELECT name, type, details || jsonb_build_object('type', type), 30, true, '{"adhocPoolSize": 4}' FROM (VALUES
	('snow', 'snowflake', '{"account": "a", "host": "a.example.com", "warehouse": "W", "user": "U", "role": "R", '
		'"authType": "key-pair", "privateKey": "k", "exportsWarehouse": "E", "writeAccess": {"writeDatabase": "WD", '
		'"writeSchema": "WS", "materializationWarehouse": "MW"}, "inputTableAuditLogSchema": {"writeDatabase": "AD", "writeSchema": "AS"}}'::jsonb),
	('snow oauth', 'snowflake', '{"account": "a", "host": "b.example.com", "useOauth": true, "authType": "oauth", '
		'"metadataUrl": "https://m", "clientId": "ci", "clientSecret": "cs", "scopes": ["s1", "s2"], "idpType": "okta", '
		'"usePkce": true, "useJwt": false, "roleSwitching": "allRoles", "userAttributes": {"role": "r", "warehouse": "w"}, '
		'"writebackSchemas": [{"writeDatabase": "D1", "writeSchema": "S1"}, {"writeDatabase": "D2", "writeSchema": "S2", "description": "x"}]}'),
	('pg', 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "p", "port": 5433, "useTls": true, "writeAccess": {"writeSchema": "ws"}}'),
	('red', 'redshift', '{"host": "h", "database": "d", "user": "u", "password": "p", "writeAccess": {"writeSchema": "ws"}}'),
	('alloy', 'alloydb', '{"host": "h", "database": "d", "user": "u", "password": "p", "writeAccess": {"writeSchema": "ws"}}'),
	('big', 'bigQuery', '{"projectId": "p", "serviceAccount": "s", "useOauth": false, "audience": "au", '
		'"metadataUrl": "https://m", "clientId": "ci", "clientSecret": "cs", "scopes": ["s1", "s2"], "idpType": "okta", '
		'"usePkce": true, "useJwt": false, "writeAccess": {"writeProject": "wp", "writeDataset": "wd"}}'),
	('bricks', 'databricks', '{"host": "h", "endpoint": "/sql/1", "token": "t", "writeAccess": {"writeCatalog": "wc", '
		'"writeSchema": "ws"}, "inputTableAuditLogSchema": {"writeCatalog": "ac", "writeSchema": "as"}}'),
	('bricks oauth', 'databricks',
		'{"host": "h", "userAttributes": {"endpoint": "e"}, "useOauth": true, "metadataUrl": "https://m", "clientId": "ci", '
		'"clientSecret": "cs", "scopes": ["s1"], "writebackSchemas": [{"writeCatalog": "wc", "writeSchema": "ws"}]}'),
	('my', 'mysql', '{"user": "u", "password": "p", "host": "h", "port": 3306, "writeAccess": {"writeSchema": "ws"}}'),
	('azure', 'azuresql', '{"server": "s", "database": "d", "user": "u", "password": "p", "port": 1433, '
		'"writeAccess": {"writeDatabase": "wd", "writeSchema": "ws"}}'),
	('sql', 'sqlserver', '{"server": "s", "user": "u", "password": "p", "port": 1433, "writeAccess": {"writeDatabase": "wd", "writeSchema": "ws"}}'),
	('star', 'starburst', '{"user": "u", "password": "p", "host": "h", "port": 443, "writeAccess": {"writeCatalog": "wc", '
		'"writeSchema": "ws"}}')) k (name, type, details);
SELECT sim_reset() \g /dev/null
SELECT is(applied('kinds'), (SELECT array_agg('create ' || name ORDER BY name COLLATE "C") FROM kinds), 'connections of all types are created');
SELECT is(created(), (SELECT count(*)::int FROM kinds), 'each once');
SELECT is(details_of(c.connection_id), k.details, 'as they were wanted: ' || k.name) FROM kinds k JOIN sim.connections c USING (name);
SELECT sim_calm() \g /dev/null
SELECT is(applied('kinds'), (SELECT array_agg('unchanged ' || name ORDER BY name COLLATE "C") FROM kinds), 'again: nothing changes, for all types');
SELECT is(writes(), '{}', 'and nothing is sent but reads');
SELECT is(sim_requests(), '{GET /v2/connections?limit=1000}', 'in fact one');
UPDATE kinds SET details = details || '{"password": "changed"}' WHERE details ? 'password';
SELECT is((SELECT array_agg(DISTINCT action) FROM sigma_plan('sim', 'kinds') WHERE action <> 'archive'), '{unchanged}', 'a secret cannot be compared');

CREATE TABLE changes (n int GENERATED ALWAYS AS IDENTITY, name text, details jsonb, fields text[]);
INSERT INTO changes (name, details, fields) VALUES
	('snow', '{"account": "b"}', '{account}'), ('snow', '{"host": "c.example.com"}', '{host}'),
		('snow', '{"warehouse": "W2"}', '{warehouse}'), ('snow', '{"user": "U2"}', '{user}'), ('snow', '{"role": "r"}', '{role}'),
	('snow', '{"exportsWarehouse": "E2"}', '{exportsWarehouse}'),
		('snow', '{"writeAccess": {"writeDatabase": "WD", "writeSchema": "WS2", "materializationWarehouse": "MW"}}', '{writebacks}'),
	('snow', '{"writeAccess": {"writeDatabase": "WD", "writeSchema": "WS", "materializationWarehouse": "MW2"}}',
		'{materializationWarehouse}'), ('snow', '{"inputTableAuditLogSchema": {"writeDatabase": "AD", "writeSchema": "AS2"}}', '{inputTableAuditLogSchema}'),
	('snow oauth', '{"metadataUrl": "https://n"}', '{oauthMetadataUrl}'), ('snow oauth', '{"clientId": "cj"}', '{oauthClientId}'),
		('snow oauth', '{"scopes": ["s1", "s2", "s3"]}', '{oauthScopes}'), ('snow oauth', '{"scopes": ["s1"]}', '{oauthScopes}'),
	('snow oauth', '{"idpType": "ping"}', '{oauthIdpType}'), ('snow oauth', '{"usePkce": false}', '{oauthUsePkce}'),
		('snow oauth', '{"useJwt": true}', '{oauthUseJwt}'), ('snow oauth', '{"roleSwitching": "disabled"}', '{roleSwitching}'),
	('snow oauth', '{"userAttributes": {"role": "r2", "warehouse": "w"}}', '{userAttributes}'),
		('snow oauth', '{"userAttributes": {"role": "r"}}', '{userAttributes}'),
	('snow oauth', '{"writebackSchemas": [{"writeDatabase": "D1", "writeSchema": "S1"}, {"writeDatabase": "D2", '
		'"writeSchema": "S3", "description": "x"}]}', '{writebackSchemas}'),
	('snow oauth', '{"writebackSchemas": [{"writeDatabase": "D1", "writeSchema": "S1"}]}', '{writebackSchemas}'),
	('pg', '{"user": "v"}', '{user}'), ('pg', '{"writeAccess": {"writeSchema": "x"}}', '{writebacks}'),
		('red', '{"user": "v"}', '{user}'), ('alloy', '{"writeAccess": {"writeSchema": "x"}}', '{writebacks}'),
	('big', '{"audience": "av"}', '{oauthAudience}'), ('big', '{"scopes": []}', '{oauthScopes}'),
		('big', '{"writeAccess": {"writeProject": "wp", "writeDataset": "x"}}', '{writebacks}'), ('big', '{"useOauth": true}', '{useOauth}'),
	('bricks', '{"endpoint": "/sql/2"}', '{httpPath}'), ('bricks', '{"writeAccess": {"writeCatalog": "x", "writeSchema": "ws"}}',
		'{writebacks}'), ('bricks', '{"inputTableAuditLogSchema": {"writeCatalog": "x", "writeSchema": "as"}}', '{inputTableAuditLogSchema}'),
	('bricks oauth', '{"clientId": "cj"}', '{oauthClientId}'),
		('bricks oauth', '{"writebackSchemas": [{"writeCatalog": "x", "writeSchema": "ws"}]}', '{writebackSchemas}'),
	('my', '{"user": "v"}', '{user}'), ('my', '{"writeAccess": {"writeSchema": "x"}}', '{writebacks}'),
		('azure', '{"user": "v"}', '{user}'), ('azure', '{"writeAccess": {"writeDatabase": "x", "writeSchema": "ws"}}', '{writebacks}'),
	('sql', '{"user": "v"}', '{user}'), ('sql', '{"writeAccess": {"writeDatabase": "x", "writeSchema": "ws"}}', '{writebacks}'),
		('star', '{"user": "v"}', '{user}'), ('star', '{"writeAccess": {"writeCatalog": "x", "writeSchema": "ws"}}', '{writebacks}');
SELECT is(planned(format('SELECT k.name, k.details || %L::jsonb AS details FROM kinds k WHERE name = %L', details, name)),
	ARRAY['update ' || name || ' ' || fields::text], 'a change: ' || name || ' ' || details) FROM changes ORDER BY n;
SELECT is(planned(format('SELECT name, details, %s FROM kinds WHERE name = ''my''', c)), ARRAY['update my ' || f], 'a change: ' || c)
FROM (VALUES ('31 AS timeout_secs', '{timeout}'), ('false AS use_friendly_names', '{friendlyName}'),
	('''{"adhocPoolSize": 5}''::jsonb AS pool_sizes', '{poolSizes}'),
	('30 AS timeout_secs, true AS use_friendly_names, ''v'' AS "user"', NULL)) v (c, f) WHERE f IS NOT NULL;
SELECT is(planned('SELECT name, type, ''v'' AS "user", details - ''user'' AS details FROM kinds WHERE name = ''my'''),
	'{"update my {user}"}', 'a change in a typed column');
SELECT is(planned('SELECT name, details - ''writeAccess'' - ''exportsWarehouse'' - ''role'' - ''account'' AS details FROM kinds '
	'WHERE name = ''snow'''), '{"unchanged snow"}', 'what Sigma shows need not be said again');
SELECT is(planned('SELECT ''snow'' AS name, details FROM kinds WHERE name = ''pg''')::text ~ 'update snow \{.*type.*\}', true, 'another type');
SELECT sim_spoil_list('edit', jsonb_build_object('entries_patch',
	jsonb_build_array(jsonb_build_object('index', n - 1, 'remove', '{userAttributes}'::text[]))))
	FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections') -> 'entries') WITH ORDINALITY AS l (e, n)
	WHERE e ->> 'name' = 'bricks oauth' \g /dev/null
SELECT is((SELECT count(*)::int FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections') -> 'entries') e
	WHERE e ->> 'name' = 'bricks oauth' AND NOT e ? 'userAttributes'), 1, 'the real Sigma does not show the user attributes of Databricks');
SELECT is(planned('SELECT * FROM kinds WHERE name = ''bricks oauth'''), '{"unchanged bricks oauth"}', 'so that they cannot be compared');
SELECT sim_calm() \g /dev/null
CREATE TABLE kept AS SELECT details_of(id_of(1)) AS details;
SELECT is(planned($$SELECT 'Snowflake East' AS name, details, 120 AS timeout_secs, true AS use_friendly_names, '{"adhocPoolSize": 16}'::jsonb AS pool_sizes FROM kept$$),
	'{"unchanged Snowflake East"}', 'what Sigma adds to an object is no difference');
SELECT is(planned($$SELECT 'Postgres Staging' AS name, pg() || '{"user": "sigma_reader"}' AS details$$),
	'{"unchanged Postgres Staging"}', 'a connection of which Sigma shows little');
SELECT is(planned($$SELECT 'Postgres Staging' AS name, pg() AS details, 60 AS timeout_secs$$),
	'{"update Postgres Staging {timeout}"}', 'a time limit that there was none of');
SELECT is(planned($$SELECT 'Postgres Staging' AS name, pg() AS details, '{"adhocPoolSize": 4}'::jsonb AS pool_sizes$$),
	'{"update Postgres Staging {poolSizes}"}', 'sizes of pools that there were none of');
SELECT is(planned($$SELECT 'Postgres Staging' AS name, pg() || '{"writeAccess": {"writeSchema": "ws"}}' AS details$$)::text ~
	'update Postgres Staging \{.*write', true, 'a place to write to where there was none');
SELECT is(planned($$SELECT 'Postgres Staging' AS name, pg() AS details, false AS use_friendly_names$$),
	'{"unchanged Postgres Staging"}', 'what is false anyway');
SELECT is(writes(), '{}', 'plans change nothing');

-- every change for real, and then no more
SELECT sim_calm() \g /dev/null
UPDATE kinds k SET details = k.details || c.d, timeout_secs = 31, use_friendly_names = false, pool_sizes = '{"adhocPoolSize": 5}'
	FROM (SELECT DISTINCT ON (name) name, details AS d FROM changes ORDER BY name, n) c WHERE c.name = k.name;
BEGIN;
SELECT is((SELECT array_agg(DISTINCT action) FROM sigma_apply('sim', 'kinds')), '{update}', 'all are updated');
SELECT is((SELECT array_agg(DISTINCT action) FROM sigma_apply('sim', 'kinds')), '{unchanged}', 'again in the transaction: nothing changes, for all types');
SELECT is(writes(), '{}', 'nothing is sent before the commit');
COMMIT;
SELECT is(writes(), (SELECT array_agg('PUT ' || split_part(w, ' ', 2)) FROM unnest(writes()) w), 'replacements are sent at the commit');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE method = 'PUT' AND status = 200), (SELECT count(*)::int FROM kinds), 'one for each');
SELECT sim_calm() \g /dev/null
SELECT is((SELECT array_agg(DISTINCT action) FROM sigma_apply('sim', 'kinds')), '{unchanged}', 'again after it: nothing changes, for all types');
SELECT is(writes(), '{}', 'and nothing is sent');
SELECT is(details_of(c.connection_id), k.details, 'all is as it is wanted: ' || k.name) FROM kinds k JOIN sim.connections c USING (name);
SELECT fails($$SELECT * FROM sigma_apply('sim', 'SELECT ''Snowflake West'' AS name, ''ANOTHER'' AS role')$$, '0A000',
	'%without "details"%', '%lose what it does not show%', NULL, 'an update without details would lose what Sigma does not show');
SELECT is(writes(), '{}', 'so it is refused');
SELECT is(planned($$SELECT 'Snowflake West' AS name, 'ANALYST' AS role$$), '{"unchanged Snowflake West"}', 'without details and without a change');

-- ---------------------------------------------------------------- pruning

SELECT sim_reset() \g /dev/null
SELECT is(applied('wanted'), '{create w}', 'without prune nothing is deleted, nor told');
SELECT is(writes(), '{POST /v2/connections}', 'nor sent');
SELECT is((SELECT count(*)::int FROM sigma_apply('sim', 'wanted', NULL)), 1, 'null is false');
SELECT sim_calm() \g /dev/null
SELECT is((SELECT array_agg(DISTINCT action || ' ' || (name = 'w')) FROM sigma_apply('sim', 'wanted', true)),
	'{"archive false","unchanged true"}', 'with prune all others are archived');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE method = 'DELETE'), 11, 'each once');
SELECT is((SELECT array_agg(name ORDER BY name COLLATE "C") FROM sim.connections), '{Sigma Sample Database,Snowflake East,w}',
	'but Sigma''s sample, and the connection of the audit log');
SELECT sim_calm() \g /dev/null
SELECT is(applied('wanted', true), '{unchanged w}', 'again: nothing changes');
SELECT is(writes(), '{}', 'and nothing is sent');
SELECT sim_reset() \g /dev/null
SELECT fails($$SELECT * FROM sigma_apply('sim', 'SELECT * FROM wanted WHERE false', true)$$, '22023',
	'%does not delete them all%', NULL, '%DELETE%', 'an empty query does not prune');
SELECT is(writes(), '{}', 'anything');
SELECT is(applied('SELECT * FROM wanted WHERE false'), '{}', 'and without prune does nothing');
SELECT sigma_create_connection('sim', 'twin', pg()) FROM generate_series(1, 2) \g /dev/null
SELECT fails($$SELECT * FROM sigma_apply('sim', 'SELECT ''twin'' AS name, pg() AS details')$$, '21000',
	'Sigma has two connections of the name "twin"', 'Their ids are %-% and %-%.', '%rename or delete%', 'two in Sigma of a name that is wanted');
SELECT is(applied('wanted'), '{create w}', 'which are nobody''s business otherwise');
SELECT sim_calm() \g /dev/null
BEGIN;
SELECT is((SELECT count(*)::int FROM sigma_apply('sim', 'wanted', true) WHERE name = 'twin' AND action = 'archive'), 2, 'and are pruned both');
ROLLBACK;
SELECT is(writes(), '{}', 'a rollback leaves them');
BEGIN;
DELETE FROM sim.connections WHERE connection_id = (SELECT min(connection_id) FROM sim.connections WHERE name = 'twin');
SELECT is(planned($$SELECT 'twin' AS name, pg() AS details$$), '{unchanged twin}', 'one of the two is about to go');
ROLLBACK;

-- ----------------------------------------------------------------- names

SELECT sim_reset() \g /dev/null
SELECT is(planned('SELECT name, pg() AS details FROM unnest(ARRAY[''mysql shop'', ''MySQL Shop '', U&''Lager Ko\0308ln'']) name'),
	ARRAY['create ' || U&'Lager Ko\0308ln', 'create MySQL Shop ', 'create mysql shop'], 'a name is one to the last byte');
SELECT is(planned(E'SELECT U&''Lager K\\00F6ln \\2013 SQL Server'' AS name, ''{"type": "sqlserver", "server": "s", "port": 1, '
	'"user": "lager_leser", "password": "p"}'' AS details'), '{unchanged Lager Köln – SQL Server}', 'a name that is not ASCII');
SELECT is(applied('SELECT name, pg() AS details FROM (VALUES (''Ärger "x" \ 😀''), (''ärger "x" \ 😀''), ('' ''), '
	'(''a''''b'')) v (name)'), ARRAY['create  ', 'create a''b', 'create Ärger "x" \ 😀', 'create ärger "x" \ 😀'],
	'names of any characters, and some that differ only in case');
SELECT is((SELECT array_agg(DISTINCT action)
	FROM sigma_apply('sim', 'SELECT name, pg() AS details FROM (VALUES (''Ärger "x" \ 😀''), (''ärger "x" \ 😀''), ('' ''), '
	'(''a''''b'')) v (name)')), '{unchanged}', 'which are known again');
SELECT is(planned($$SELECT 'Snowflake Trial' AS name, pg() AS details$$), '{create Snowflake Trial}', 'an archived connection of the name is none');
SELECT is(applied($$SELECT 'Snowflake Trial' AS name, pg() AS details$$), '{create Snowflake Trial}', 'so it is created');
SELECT is(planned($$SELECT 'Snowflake Trial' AS name, pg() AS details$$), '{unchanged Snowflake Trial}', 'once');

-- ------------------------------------------------------------ transactions

CREATE TABLE several (name text, details jsonb);
INSERT INTO several SELECT 'new ' || i, pg() FROM generate_series(1, 3) i;
INSERT INTO several VALUES ('Postgres Staging', pg() || '{"user": "other"}');
SELECT sim_reset() \g /dev/null
SELECT psql($$BEGIN; SELECT count(*) FROM sigma_apply('sim', 'several', true); ROLLBACK;$$) AS told \gset
SELECT is(:'told'::text, '14', 'an apply that is rolled back tells nothing more');
SELECT is(live('new %'), 0, 'its connections are deleted again');
SELECT is((SELECT array_agg(DISTINCT method) FROM sim_log() WHERE method <> 'GET'), '{DELETE,POST}', 'its updates are never sent');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE method = 'DELETE'), 3, 'nor its archives');
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'all is as it was');
SELECT sim_reset() \g /dev/null
SELECT psql($$BEGIN; SAVEPOINT s; SELECT count(*) FROM sigma_apply('sim', 'several', true); ROLLBACK TO s;
	SELECT string_agg(name, ',') FROM sigma_apply('sim', 'wanted'); COMMIT;$$)
	AS told \gset
SELECT is(:'told'::text, E'14\nw', 'a savepoint');
SELECT is(ARRAY[live('new %'), live('w'), live('%')], '{0,1,14}', 'takes all of it back');
SELECT sim_reset() \g /dev/null
SELECT psql($$BEGIN; SELECT string_agg(action, ',' ORDER BY action) FROM sigma_apply('sim', 'several');
	SELECT string_agg(action, ',') FROM sigma_apply('sim', 'several'); SELECT "user" FROM sim.connections WHERE name = 'Postgres Staging';
	SELECT string_agg(action, ',' ORDER BY action) FROM sigma_apply('sim', 'wanted', true) WHERE name LIKE 'new %' OR name LIKE 'Postgres%';
	SELECT count(connection_id) FROM sim.connections; COMMIT;$$)
	AS told \gset
SELECT is(:'told'::text, E'create,create,create,update\nunchanged,unchanged,unchanged,unchanged\nother\narchive,archive,archive,'
	'archive,archive\n3', 'applies that follow each other in a transaction');
SELECT is((SELECT array_agg(name ORDER BY name COLLATE "C") FROM sim.connections), '{Sigma Sample Database,Snowflake East,w}', 'have their last word');

SELECT sim_reset() \g /dev/null
BEGIN;
DELETE FROM sim.connections WHERE name = 'Postgres Staging';
UPDATE sim.connections SET name = 'w' WHERE name = 'MySQL Shop';
SELECT is(applied('SELECT ''Postgres Staging'' AS name, pg() AS details UNION ALL SELECT ''MySQL Shop'', pg()'),
	'{create MySQL Shop,create Postgres Staging}', 'an apply after changes of the same names');
COMMIT;
SELECT is(ARRAY[live('Postgres Staging'), live('MySQL Shop'), live('w')], '{1,1,1}', 'each is there once in the end');

-- a create that fails in the middle
SELECT sim_reset() \g /dev/null
SELECT psql($$SELECT count(*)
	FROM sigma_apply('sim', 'TABLE several UNION ALL SELECT ''bad'', ''{"type": "postgres"}'' UNION ALL SELECT ''new '' || i, pg() FROM generate_series(4, 30) i');$$)
	AS told \gset
SELECT alike(:'told'::text, '%ERROR:  22023: request refused by Sigma: %host is required%', 'a create that Sigma refuses');
SELECT unalike(:'told'::text, '%WARNING%', 'leaves nothing to warn of');
SELECT is(live('new %'), 0, 'nor anything in Sigma');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE method = 'PUT'), 0, 'and no update is sent');
SELECT cmp_ok(created(), '<', 20, 'after it no more are created');
SELECT sim_reset() \g /dev/null
SELECT sim_fault('{"method": "POST", "path": "/v2/connections", "after": 1, "do": "lost-reply"}') \g /dev/null
SELECT psql($$SELECT count(*) FROM sigma_apply('sim', 'several');$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  08007: outcome unknown: creating connection "new %" may have been carried out%', 'a create whose reply is lost');
SELECT alike(:'told'::text, '%sigma_find_created%', 'and how to find out');
SELECT is((SELECT count(*)::int FROM regexp_matches(:'told', 'WARNING: ', 'g')), 1, 'leaves one to warn of');
SELECT is(live('new %'), 1, 'which exists');
SELECT is((SELECT sorted(array_agg(action)) FROM sigma_apply('sim', 'several')), '{create,create,unchanged,update}', 'and is taken as it is by the next one');
SELECT is(live('new %'), 3, 'nothing lost and nothing doubled');

-- a list that is not all there
SELECT sim_reset() \g /dev/null
ALTER SERVER sim OPTIONS (ADD page_size '5', ADD max_retries '0');
SELECT sim_spoil_list('status', '{"status": 500}') \g /dev/null
SELECT isnt((catch($$SELECT * FROM sigma_apply('sim', 'several', true)$$)).state, NULL, 'a list that fails');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', '{"entries_patch": [{"index": 3, "replace": {"code": "oops", "message": "one of them"}}]}') \g /dev/null
SELECT is((catch($$SELECT * FROM sigma_apply('sim', 'several', true)$$)).state, 'HV000', 'a list with an error in it');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('truncate', '{"bytes": 300}') \g /dev/null
SELECT isnt((catch($$SELECT * FROM sigma_apply('sim', 'several', true)$$)).state, NULL, 'a list that breaks off');
SELECT isnt((catch($$SELECT sigma_create_connection('sim', 'MySQL Shop', '{"type": "mysql", "user": "u", "password": "p", "host": "h", "port": 1}', if_not_exists => true)$$)).state,
	NULL, 'for if_not_exists, too');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('edit', '{"set": {"entries": [], "total": 13, "nextPage": null, "hasMore": false}}') \g /dev/null
SELECT isnt((catch($$SELECT * FROM sigma_apply('sim', 'several', true)$$)).state, NULL, 'a list that is shorter than it says');
SELECT sim_call('DELETE', 'fault') \g /dev/null
SELECT is(writes(), '{}', 'none of these leads to a create, an update or an archive');
ALTER SERVER sim OPTIONS (DROP page_size, DROP max_retries);

-- a call for each column
SELECT sim_reset() \g /dev/null
SELECT psql($$SELECT (sigma_apply('sim', 'several')).*;$$) \g /dev/null
SELECT is(written(), '{POST new 1,POST new 2,POST new 3,PUT Postgres Staging}', '(...).* calls a function for each column, and yet all is done once');

-- somebody else meanwhile
SELECT sim_reset() \g /dev/null
CREATE FUNCTION meanwhile(conninfo text, body text) RETURNS text LANGUAGE sql AS $$
	SELECT told FROM dblink(conninfo,
		format('SELECT (sigma_request(''sim'', ''PATCH'', ''/v2/connections/'' || id_of(4), NULL, %L) IS NULL)::text', body)) AS d (told text)
$$;
SELECT psql(format($$BEGIN; SELECT count(*) FROM sigma_apply('sim', 'several', true); SELECT meanwhile(%L, '{"useOauth": true}'); COMMIT;$$,
	current_setting('sim.conninfo'))) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  40001: connection "Postgres Staging" (%) has been changed in Sigma since it was '
	'read%Nothing of this transaction''s updates and deletes was sent.%', 'a conflict at the commit');
SELECT is((SELECT array_agg(DISTINCT method) FROM sim_log() WHERE method NOT IN ('GET', 'PATCH')), '{DELETE,POST}', 'sends no update');
SELECT is(ARRAY[live('new %'), live('%')], '{0,13}', 'and leaves nothing: what was created is deleted again');
SELECT is((SELECT sorted(array_agg(action)) FROM sigma_apply('sim', 'several')), '{create,create,create,update}', 'the next one does it');

-- in functions
SELECT sim_reset() \g /dev/null
CREATE FUNCTION apply_in_function(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	told text := '';
BEGIN
	CREATE TEMP TABLE desired ON COMMIT DROP AS SELECT 'from a temporary table' AS name, public.pg() AS details;
	FOR r IN SELECT * FROM sigma_apply('sim', q) LOOP told := told || r.action || ' ' || r.name || ';'; END LOOP;
	INSERT INTO desired VALUES ('second', public.pg());
	FOR r IN SELECT * FROM sigma_apply('sim', q) LOOP told := told || r.action || ' ' || r.name || ';'; END LOOP;
	RETURN told;
END $$;
SELECT is(apply_in_function('desired'), 'create from a temporary table;unchanged from a temporary table;create second;',
	'in a function, whose own rows it sees');
CREATE FUNCTION apply_and_fail() RETURNS void LANGUAGE plpgsql AS $$
	BEGIN PERFORM sigma_apply('sim', 'wanted'); PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END
$$;
SELECT apply_and_fail() \g /dev/null
SELECT is(live('w'), 0, 'an exception block takes it back');
SELECT is(psql($$DO $b$ BEGIN PERFORM sigma_apply('sim', 'wanted'); COMMIT;
	PERFORM sigma_apply('sim', 'SELECT ''not w'' AS name, pg() AS details UNION ALL SELECT ''Postgres Staging'', pg() || ''{"user": "x"}''');
	ROLLBACK; END $b$;$$),
	NULL, 'in a block that commits by itself');
SELECT is(planned('TABLE wanted UNION ALL SELECT ''not w'', NULL, pg()'), '{create not w,unchanged w}', 'what was committed stays, what was not is gone');
SELECT is(psql('BEGIN READ ONLY; SELECT action FROM sigma_plan(''sim'', ''wanted'') WHERE name = ''w''; COMMIT;'), 'unchanged',
	'a plan in a read-only transaction');
SELECT alike(psql('BEGIN READ ONLY; SELECT action FROM sigma_apply(''sim'', ''wanted''); COMMIT;'), '%ERROR:  25006: %', 'but no apply');
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT fails('SELECT * FROM sigma_apply(''sim'', ''wanted'')', '55000', 'server "sim" does not allow writes', NULL, NULL,
	'nor where the server takes no writes');
SELECT is(planned('wanted'), '{unchanged w}', 'though a plan');
ALTER SERVER sim OPTIONS (DROP updatable);
SELECT alike(psql($$BEGIN; SELECT count(*) FROM sigma_apply('sim', 'SELECT ''Postgres Staging'' AS name, pg() || ''{"user": "x"}'' AS details');
	PREPARE TRANSACTION 'p';$$),
	'%ERROR:  0A000: cannot PREPARE%', 'PREPARE TRANSACTION is refused after an apply');
SELECT is((SELECT count(*)::int FROM sigma_apply('sim', 'wanted') a JOIN sim.connections c USING (connection_id)), 1, 'a join with what it returns');

-- many
SELECT sim_reset() \g /dev/null
SELECT ms_of($$SELECT sigma_apply('sim', 'SELECT ''c'' || i AS name, pg() AS details FROM generate_series(1, 1000) i')$$) AS ms \gset
SELECT is(created(), 1000, '1,000 connections are created');
SELECT cmp_ok(:ms::int, '<', 10000, 'in good time');
SELECT sim_calm() \g /dev/null
SELECT is((SELECT count(*)::int
	FROM sigma_apply('sim', 'SELECT ''c'' || i AS name, pg() AS details FROM generate_series(1, 1000) i') WHERE action = 'unchanged'), 1000, 'and known again');
SELECT is(sim_count(), 2, 'in two pages');
SELECT is((SELECT count(*)::int
	FROM sigma_apply('sim', 'SELECT ''c'' || i AS name, pg() || jsonb_build_object(''user'', ''u'', ''writeAccess'', '
	'''{"writeSchema": "s"}''::jsonb) AS details FROM generate_series(1, 1000) i WHERE i % 2 = 0', true)
	WHERE action IN ('update', 'archive')), 1011, '500 are updated, 511 archived');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE method IN ('PUT', 'DELETE') AND status = 200), 1011, 'each once');
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 502, 'and the rest is left');

-- ------------------------------------------------------------------- rights

SELECT sim_reset() \g /dev/null
SELECT 'sigma_applier_' || pg_backend_pid() AS applier \gset
CREATE ROLE :applier;
CREATE FUNCTION as_applier(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', 'sigma_applier_' || pg_backend_pid());
	state := coalesce((public.catch(statement)).state, 'none');
	RESET ROLE;
	RETURN state;
END $$;
\set apply 'SELECT * FROM public.sigma_apply(''sim'', ''wanted'')'
SELECT is(as_applier(:'apply'), '42501', 'a role without EXECUTE');
SELECT is(as_applier('SELECT * FROM sigma_plan(''sim'', ''wanted'')'), '42501', 'for a plan, too');
GRANT EXECUTE ON FUNCTION sigma_apply, sigma_plan, sigma_restore_connection, sigma_find_created, sigma_create_connection TO :applier;
SELECT is(as_applier(:'apply'), '42501', 'without USAGE on the server');
GRANT USAGE ON FOREIGN SERVER sim TO :applier;
SELECT isnt(as_applier(:'apply'), 'none', 'without a user mapping');
CREATE USER MAPPING FOR :applier SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SELECT is(as_applier(:'apply'), '42501', 'without SELECT on the table: the query runs with the caller''s rights');
SELECT is(as_applier('SELECT * FROM sigma_plan(''sim'', ''SELECT rolname AS name, rolpassword AS details FROM pg_authid'')'),
	'42501', 'so it reads no passwords');
SELECT is(created(), 0, 'and creates nothing');
GRANT SELECT ON wanted TO :applier;
SELECT is(as_applier(:'apply'), 'none', 'with all of these it is done');
CREATE TABLE hidden AS SELECT 'hidden' AS name, pg() AS details;
CREATE FUNCTION apply_as_definer(q text) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
	SELECT action || ' ' || name FROM sigma_apply('sim', q)
$$;
SELECT is(as_applier('SELECT * FROM sigma_plan(''sim'', ''hidden'')'), '42501', 'a table of another');
SELECT is(as_applier('SELECT public.apply_as_definer(''hidden'')'), 'none', 'a SECURITY DEFINER function lends its owner''s rights');
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO :applier;
CREATE TABLE trap.wanted AS SELECT 'trapped' AS name, pg() AS details;
CREATE FUNCTION trap.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0';
SET search_path = trap, public;
SELECT is(planned('wanted'), '{create trapped}', 'a name is found by the caller''s search_path');
RESET search_path;
SELECT is((SELECT array_agg(a) FROM apply_as_definer('wanted') a), '{unchanged w}', 'or by that of the function around it');
SET search_path = pg_catalog;
SELECT count(*) AS n FROM public.sigma_plan('sim', 'public.wanted') WHERE action = 'unchanged' \gset
RESET search_path;
SELECT is(:n, 1, 'it needs no search_path itself');
DROP OWNED BY :applier;
DROP ROLE :applier;

-- ------------------------------------------------------------------- secrets

SELECT sim_reset() \g /dev/null
CREATE FUNCTION warner(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'look'; RETURN t; END $$;
CREATE FUNCTION failer(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 / 0; RETURN t; END $$;
CREATE TABLE vault (name text, details jsonb);
INSERT INTO vault VALUES ('refused', '{"type": "postgres", "password": "hush"}'),
	('good', '{"type": "postgres", "host": "h", "database": "d", "password": "hush"}');
CREATE FUNCTION loud(script text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(psql(E'\\set SHOW_CONTEXT always\nSELECT sigma_fdw_version() \\g /dev/null\nSET client_min_messages = log; '
		'SET log_min_messages = notice; SET log_min_error_statement = debug5; SET log_error_verbosity = verbose; ' || script), '')
$$;
CREATE TABLE told (n int GENERATED ALWAYS AS IDENTITY, what text, told text);
SELECT log_size() AS start \gset
INSERT INTO told (what, told) SELECT q,
	loud(format('SELECT count(*) FROM sigma_apply(''sim'', %L); DO $b$ BEGIN PERFORM * FROM sigma_plan(''sim'', %L); END $b$;', q, q)) FROM unnest(ARRAY[
	$$SELECT 'x' AS name '{"password": "hush"}'$$,
	$$SELECT 'x' AS name, '{"password": "hush"}$$,
	$$SELECT 'x' AS name, '{"password": "hush"}'::jsonb AS details FROM$$,
	$$SELECT 'x' AS name, '{"password": hush}'::jsonb AS details$$,
	$$SELECT 'x' AS name, '{"password": "hush", oops}'::jsonb AS details$$,
	$$SELECT 'x' AS name, '{"password": "hush", oops}' AS details$$,
	$$SELECT 'x' AS name, '{"password": "hush\u0000"}'::json AS details$$,
	$$SELECT 'x' AS name, 'hush' AS details$$,
	$$SELECT 'x' AS name, 'hush'::int AS timeout_secs$$,
	$$SELECT 'x' AS name, "hush" AS details$$,
	$$SELECT 'x' AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details FROM nosuch$$,
	$$SELECT nosuch AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$SELECT failer('x') AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$SELECT failer('hush') AS name$$,
	$$SELECT warner('x') AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$SELECT 'x' AS name, '["hush"]'::jsonb AS details$$,
	$$SELECT 'x' AS name, '{"password": "hush"}'::jsonb AS details$$,
	$$SELECT 'x' AS name, 'mysql' AS type, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$SELECT NULL AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$SELECT 'x' AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details FROM generate_series(1, 2)$$,
	$$SELECT 'x' AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details, 1 AS nothing$$,
	$$SELECT 'x' AS name, '{"type": "postgres", "password": "hush"}'::jsonb AS details$$,
	$$INSERT INTO wanted VALUES ('hush') RETURNING *$$,
	$$WITH i AS (INSERT INTO wanted VALUES ('hush') RETURNING *) SELECT * FROM i$$,
	$$EXPLAIN SELECT 'hush'$$,
	$$hush"$$,
	$$SELECT 'x' AS name, "hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush-hush" AS details$$,
	$$SELECT 'x' AS name, E'hush\xff' AS details$$,
	$$TABLE vault$$]) q;
INSERT INTO told (what, told) SELECT 'a cancel',
	loud($$SET statement_timeout = 200; SELECT count(*) FROM sigma_apply('sim', 'SELECT ''x'' AS name, pg_sleep(5)::text AS details, ''hush'' AS password');$$);
SELECT sim_spoil_create('body', '{"status": 400, "body": {"code": "hush", "requestId": "hush", "message": "bad password hush"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a refusal that repeats it',
	loud($$SELECT count(*) FROM sigma_apply('sim', 'SELECT * FROM vault WHERE name = ''good''');
	SELECT count(*) FROM sigma_apply('sim', 'SELECT name, ''hush'' AS password, ''postgres'' AS type, ''h'' AS host, ''d'' AS database FROM vault');$$);
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"method": "PUT", "path": "*", "times": -1, "do": "body", "status": 400, "body": {"code": "hush", '
	'"requestId": "hush", "message": "bad password hush"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a refusal at the commit',
	loud($$SELECT count(*)
	FROM sigma_apply('sim', 'SELECT ''MySQL Shop'' AS name, ''{"type": "mysql", "user": "other", "password": "hush", "host": "h", "port": 1}''::jsonb AS details');$$);
INSERT INTO told (what, told) SELECT 'a restore',
	loud(format($$SELECT sigma_restore_connection('sim', %L, 'x', '{"type": "postgres", "host": "h", "database": "d", "password": "hush"}');$$, id_of(14)));
SELECT sim_calm() \g /dev/null
INSERT INTO told (what, told) SELECT 'a restore of what is not archived',
	loud(format($$SELECT sigma_restore_connection('sim', %L, 'x', '{"type": "postgres", "password": "hush"}');$$, id_of(4)));
INSERT INTO told (what, told) SELECT 'a restore without a type', loud(format($$SELECT sigma_restore_connection('sim', %L, 'x', '["hush"]');$$, id_of(14)));
INSERT INTO told (what, told) SELECT 'if_not_exists',
	loud($$SELECT length(sigma_create_connection('sim', 'x', '{"type": "postgres", "host": "h", "database": "d", "password": "hush"}', if_not_exists => true) ->> 'name') FROM generate_series(1, 2);$$);
SELECT unalike(told, '%hush%', 'nothing is told: ' || what) FROM told WHERE what NOT LIKE 'SELECT warner%' ORDER BY n;
SELECT unalike(told, '%hush%', 'nothing is told: ' || what) FROM told WHERE what LIKE 'SELECT warner%';
SELECT is(log_has(:'start', 'hush'), NULL, 'nothing is logged');
\if :readable
SELECT isnt(log_has(:'start', 'the query wants two connections'), NULL, 'though the errors are');
\endif
SELECT alike(told, '%ERROR: %', 'an error: ' || what) FROM told
	WHERE what !~ '^SELECT (warner|.x. AS name, .{"type": "postgres", "password": "hush"}.::jsonb AS details FROM gen)|if_not'
	AND what NOT LIKE '%hush"}''::jsonb AS details' ORDER BY n;
SELECT alike(told, '%ERROR:  42P01: %nosuch%', 'that a table is missing is told') FROM told WHERE what LIKE '%FROM nosuch';

-- ------------------------------------------------- sigma_find_created()

SELECT sim_reset() \g /dev/null
SELECT clock_timestamp() - interval '1 second' AS before \gset
SELECT sigma_create_connection('sim', n, pg()) FROM unnest('{find me,find me too,Find me,find me}'::text[]) n \g /dev/null
CREATE FUNCTION found(name text, since timestamptz) RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(f.name ORDER BY created_at), '{}') FROM sigma_find_created('sim', found.name, since) f
$$;
SELECT is(found('find me', :'before'), '{find me,find me}', 'all of a name are found, and no other');
SELECT is(found('find', :'before'), '{}', 'not by a part of it');
SELECT is(found('find me', now() + interval '1 day'), '{}', 'none of a time to come');
SELECT is(found('MySQL Shop', NULL), '{MySQL Shop}', 'without a time, all');
SELECT is(found('MySQL Shop', :'before'), '{}', 'none from before');
SELECT is(found('MySQL Shop', '2024-05-05T05:05:05Z'), '{MySQL Shop}', 'since includes its moment');
SELECT is(found('MySQL Shop', '2024-05-05T05:05:05.001Z'), '{}', 'and nothing before it');
SELECT is(found('MySQL Shop', '-infinity'), '{MySQL Shop}', 'since ever');
SELECT is(found('Lager Köln – SQL Server', '-infinity'), '{Lager Köln – SQL Server}', 'a name that is not ASCII');
SELECT is(found('50% & more? #1', NULL), '{}', 'a name of characters that a URL minds');
SELECT sigma_create_connection('sim', '50% & more? #1', pg()) \g /dev/null
SELECT is(found('50% & more? #1', NULL), '{50% & more? #1}', 'found, once it exists');
SELECT is(found('', NULL), '{}', 'an empty name');
SELECT is(found('Snowflake Trial', NULL), '{}', 'what is archived is not found');
SELECT results_eq($$SELECT connection_id, name, type, created_by IS NOT NULL, created_at FROM sigma_find_created('sim', 'MySQL Shop', NULL)$$,
	$$SELECT id_of(9), 'MySQL Shop', 'mysql', true, '2024-05-05T05:05:05Z'::timestamptz$$, 'its columns');
SELECT fails($$SELECT * FROM sigma_find_created('sim', NULL, NULL)$$, '22004', 'argument "name" must not be null', NULL, NULL, 'a null name');
SELECT is(requests_of($$SELECT * FROM sigma_find_created('sim', 'a b', NULL)$$), '{GET /v2/connections?limit=1000}',
	'it reads the list, which says whether it is all there');
BEGIN;
UPDATE sim.connections SET name = 'renamed' WHERE name = 'MySQL Shop';
DELETE FROM sim.connections WHERE name = 'find me too';
SELECT is(found('MySQL Shop', NULL) || found('renamed', NULL) || found('find me too', NULL), '{renamed}',
	'a connection whose change is queued is found as it will be');
ROLLBACK;
SELECT is(found('MySQL Shop', NULL) || found('renamed', NULL), '{MySQL Shop}', 'until that is taken back');
SELECT sim_spoil_create('lost-reply', '{"times": 1}') \g /dev/null
SELECT psql($$INSERT INTO sim.connections (name, details) VALUES ('lost', pg());$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  08007: %HINT: %sigma_find_created%', 'a lost reply: the hint names the function');
SELECT is(found('lost', :'before'), '{lost}', 'which finds it');
SELECT sim_spoil_create('close', '{"times": 1}') \g /dev/null
SELECT psql($$SELECT sigma_create_connection('sim', 'never', pg());$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  08007: %HINT: %sigma_find_created%', 'a request that is lost');
SELECT is(found('never', :'before'), '{}', 'was not carried out');
SELECT sim_spoil_list('edit', jsonb_build_object('times', 1, 'entries_patch',
	jsonb_build_array(jsonb_build_object('index', n - 1, 'remove', '{createdAt,createdBy}'::text[]))))
	FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections') -> 'entries') WITH ORDINALITY AS l (e, n) WHERE e ->> 'name' = 'lost' \g /dev/null
SELECT is((SELECT array_agg(name || coalesce(created_at::text, '?')) FROM sigma_find_created('sim', 'lost',
	now() + interval '1 day')), '{lost?}', 'what has no time is not left out');

-- ------------------------------------------------------------- if_not_exists

SELECT sim_reset() \g /dev/null
CREATE FUNCTION ensure(name text, details jsonb, if_not_exists bool DEFAULT true) RETURNS text LANGUAGE sql AS $$
	SELECT sigma_create_connection('sim', name, details, if_not_exists => if_not_exists) ->> 'connectionId'
$$;
SELECT is(ensure('Postgres Staging', pg()), id_of(4), 'one of that name and type is taken');
SELECT is(created(), 0, 'and none is created');
SELECT alike(psql($$SELECT ensure('Postgres Staging', pg()) = id_of(4);$$),
	'%NOTICE:  42710: connection "Postgres Staging" of type "postgres" already exists (' || id_of(4) || '), none is created%', 'it says so');
SELECT is(sigma_create_connection('sim', 'Postgres Staging', pg(), if_not_exists => true) ->> 'user', 'sigma_reader', 'and returns it as it is');
SELECT isnt(ensure('Postgres Staging', pg(), false), id_of(4), 'false creates another');
SELECT isnt(ensure('Postgres Staging', pg(), NULL), id_of(4), 'null, too');
SELECT is(ensure('Postgres Staging', pg()), id_of(4), 'of several, the first');
SELECT sim_reset() \g /dev/null
SELECT isnt(ensure('MySQL Shop', pg()), id_of(9), 'another type of the name');
SELECT isnt(ensure('MySQL', '{"type": "mysql", "user": "u", "password": "p", "host": "h", "port": 1}'), id_of(9), 'a part of the name');
SELECT isnt(ensure('mysql shop', '{"type": "mysql", "user": "u", "password": "p", "host": "h", "port": 1}'), id_of(9), 'another case');
SELECT isnt(ensure('Old Postgres Warehouse', pg()), id_of(14), 'an archived one');
SELECT is(created(), 4, 'are created');
SELECT is(ensure('Old Postgres Warehouse', pg()), (SELECT connection_id FROM sim.connections WHERE name = 'Old Postgres Warehouse'), 'but once');
SELECT is(created(), 4, 'only');
SELECT fails($$SELECT ensure(NULL, pg())$$, '23502', 'a connection needs a name', NULL, NULL, 'no name');
SELECT fails($$SELECT ensure('Postgres Staging', NULL)$$, '23502', 'a connection needs a type', NULL, NULL, 'no details');
SELECT fails($$SELECT ensure('Postgres Staging', '{}')$$, '23502', 'a connection needs a type', NULL, NULL, 'no type');
SELECT sim_reset() \g /dev/null
BEGIN;
UPDATE sim.connections SET name = 'renamed' WHERE name = 'Postgres Staging';
SELECT is(ensure('renamed', pg()), id_of(4), 'one that is about to have the name');
SELECT isnt(ensure('Postgres Staging', pg()), id_of(4), 'and one that is about to lose it');
ROLLBACK;
BEGIN;
DELETE FROM sim.connections WHERE name = 'Postgres Staging';
SELECT isnt(ensure('Postgres Staging', pg()), id_of(4), 'one that is about to go');
COMMIT;
SELECT is(live('Postgres Staging'), 1, 'is there once in the end');
SELECT sim_reset() \g /dev/null
SELECT sim_spoil_create('lost-reply', '{"times": 1}') \g /dev/null
SELECT is((catch($$SELECT ensure('again', pg())$$)).state, '08007', 'after a lost reply');
SELECT is(ensure('again', pg()), (SELECT connection_id FROM sim.connections WHERE name = 'again'), 'it can be asked for again');
SELECT is(live('again'), 1, 'and is not doubled');
SELECT psql($$BEGIN; SELECT ensure('Postgres Staging', pg()) = id_of(4); ROLLBACK;$$) \g /dev/null
SELECT is(live('Postgres Staging'), 1, 'a rollback does not delete what it has not created');

-- ------------------------------------------------ sigma_restore_connection()

SELECT sim_reset() \g /dev/null
\set trial '''{"type": "snowflake", "authType": "key-pair", "privateKey": "k"}'''
SELECT sigma_restore_connection('sim', id_of(13), NULL, :trial) AS restored \gset
SELECT is(:'restored'::jsonb ->> 'name', 'Snowflake Trial', 'a connection is restored under its name');
SELECT is(:'restored'::jsonb ->> 'isArchived', 'false', 'and is live');
SELECT is((SELECT array_agg(connection_id) FROM sim.connections WHERE name = 'Snowflake Trial'), ARRAY[id_of(13)], 'under its id');
SELECT is(details_of(id_of(13)),
	:trial::jsonb || '{"account": "trial-4711", "host": "trial-4711.snowflakecomputing.com", "warehouse": "TRIAL_WH", '
	'"user": "TRIAL", "role": "PUBLIC"}', 'with the details that are given, and what Sigma shows');
SELECT is(writes(), ARRAY['PUT /v2/connections/' || id_of(13)], 'by one request');
SELECT is((SELECT body::jsonb -> 'restore' FROM sim_log() WHERE method = 'PUT'), 'true', 'that says so');
SELECT is(sigma_restore_connection('sim', upper(id_of(14)), 'Renamed 😀', pg() || '{"user": "other"}') ->> 'name', 'Renamed 😀', 'under another name');
SELECT is(details_of(id_of(14)), pg() || '{"user": "other"}', 'what is given counts more than what Sigma shows');
SELECT sim_calm() \g /dev/null
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, NULL, pg())', id_of(14)), '55000',
	'connection "%" is not archived', NULL, '%UPDATE%', 'one that is live');
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, NULL, pg())', id_of(4)), '55000',
	'connection "%" is not archived', NULL, '%UPDATE%', 'one that always was');
SELECT fails('SELECT sigma_restore_connection(''sim'', ''2f21ad19-084e-4cc3-8ead-999999999999'', NULL, pg())', 'P0002',
	'connection "%" does not exist in Sigma', NULL, NULL, 'one that there is not');
SELECT fails('SELECT sigma_restore_connection(''sim'', ''..'', NULL, pg())', 'P0002', 'no connection can have the id ".."', NULL,
	NULL, 'one that there cannot be');
SELECT fails('SELECT sigma_restore_connection(''sim'', '''', NULL, pg())', 'P0002', NULL, NULL, NULL, 'an empty id');
SELECT fails('SELECT sigma_restore_connection(''sim'', NULL, NULL, pg())', '22004', 'argument "connection_id" must not be null', NULL, NULL, 'no id');
SELECT is(writes(), '{}', 'none of these write');
SELECT sim_reset() \g /dev/null
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, NULL, NULL)', id_of(14)), '22004',
	'argument "details" must not be null', '%with its secrets%', NULL, 'no details');
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, NULL, ''[]'')', id_of(14)), '22023',
	'"details" must be a JSON object', NULL, NULL, 'details that are none');
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, '''', pg())', id_of(14)), '22023', '%name%', NULL, NULL, 'an empty name');
SELECT fails(format('SELECT sigma_restore_connection(''sim'', %L, NULL, ''{"type": "mysql"}'')', id_of(14)), '22023',
	'request refused by Sigma%', NULL, NULL, 'details that Sigma refuses');
SELECT is((SELECT count(*)::int
	FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections', '{"includeArchived": true}') -> 'entries') e
	WHERE (e ->> 'isArchived')::bool), 2, 'leave it archived');
SELECT psql($$BEGIN; SELECT length(sigma_restore_connection('sim', id_of(14), NULL, pg()) ->> 'name');
	SELECT count(*) FROM sim.connections WHERE name = 'Old Postgres Warehouse'; ROLLBACK;$$)
	AS told \gset
SELECT is(:'told'::text, E'22\n1', 'a restore that is rolled back');
SELECT is((SELECT (sigma_request('sim', 'GET', '/v2/connections/' || id_of(14)) ->> 'isArchived')::bool), true, 'leaves it archived');
SELECT psql($$BEGIN; SELECT length(sigma_restore_connection('sim', id_of(14), NULL, pg()) ->> 'name');
	UPDATE sim.connections SET name = 'again' WHERE name = 'Old Postgres Warehouse'; DELETE FROM sim.connections WHERE name = 'Snowflake West';
	SELECT sigma_restore_connection('sim', id_of(2), NULL, '{"type": "snowflake"}'); ROLLBACK;$$)
	AS told \gset
SELECT alike(:'told'::text, '%ERROR:  55000: connection "%" is about to be changed by this transaction%HINT:  %ROLLBACK TO '
	'SAVEPOINT, takes the change back.%', 'one whose deletion is queued is not archived yet');
SELECT psql($$BEGIN; SELECT length(sigma_restore_connection('sim', id_of(14), NULL, pg()) ->> 'name');
	UPDATE sim.connections SET name = 'again' WHERE name = 'Old Postgres Warehouse'; COMMIT;$$)
	AS told \gset
SELECT is(:'told'::text, '22', 'a restore and an UPDATE in one transaction');
SELECT is((SELECT array_agg(connection_id) FROM sim.connections WHERE name = 'again'), ARRAY[id_of(14)], 'do both');
SELECT is(psql($$BEGIN; DELETE FROM sim.connections WHERE name = 'again'; COMMIT; BEGIN;
	SELECT sigma_restore_connection('sim', id_of(14), 'third', pg()) ->> 'name'; DELETE FROM sim.connections WHERE name = 'third'; COMMIT;
	SELECT count(*) FROM sim.connections WHERE name = 'third';$$),
	E'third\n0', 'a restore and a DELETE');
SELECT sim_fault('{"method": "PUT", "path": "*", "do": "lost-reply"}') \g /dev/null
SELECT psql($$SELECT sigma_restore_connection('sim', id_of(14), 'fourth', pg());$$) AS told \gset
SELECT alike(:'told'::text, '%ERROR:  08007: outcome unknown: restoring connection "fourth"%', 'a restore whose reply is lost');
SELECT alike(:'told'::text, '%WARNING:  01000: connection "fourth" (' || id_of(14) || ') may be restored in Sigma although%', 'is told of');
SELECT unalike(:'told'::text, '%sigma_find_created%', 'but sigma_find_created() is no help, since nothing was created');

-- ------------------------------------------------------ references to secrets

SELECT sim_reset() \g /dev/null
\set ref '{"secretManagerId": "manager-one", "secretId": "path/to/key"}'
SELECT is(details_of(id), details, 'a reference goes through as it is: ' || (details ->> 'type'))
	FROM (SELECT details, sigma_create_connection('sim', 'ref', details) ->> 'connectionId' AS id FROM (VALUES
	(pg() || jsonb_build_object('password', :'ref'::jsonb)),
		(jsonb_build_object('type', 'snowflake', 'user', 'u', 'privateKey', :'ref'::jsonb, 'privateKeyPassphrase', :'ref'::jsonb)),
	(jsonb_build_object('type', 'databricks', 'host', 'h', 'endpoint', 'e', 'token', :'ref'::jsonb)),
		(jsonb_build_object('type', 'bigQuery', 'projectId', 'p', 'serviceAccount', :'ref'::jsonb, 'clientSecret', :'ref'::jsonb)),
	(jsonb_build_object('type', 'sqlserver', 'server', 's', 'port', 1, 'user', 'u', 'password', :'ref'::jsonb))) v (details) OFFSET 0) c;
INSERT INTO sim.connections (name, details) VALUES ('by insert', pg() || jsonb_build_object('password', :'ref'::jsonb)) RETURNING connection_id AS id \gset
SELECT is(details_of(:'id') -> 'password', :'ref'::jsonb, 'by INSERT');
UPDATE sim.connections SET details = pg() || '{"password": {"secretManagerId": "manager-two", "secretId": "x"}}' WHERE connection_id = :'id';
SELECT is(details_of(:'id') -> 'password', '{"secretManagerId": "manager-two", "secretId": "x"}', 'by UPDATE');
SELECT sigma_restore_connection('sim', id_of(14), NULL, pg() || jsonb_build_object('password', :'ref'::jsonb)) \g /dev/null
SELECT is(details_of(id_of(14)) -> 'password', :'ref'::jsonb, 'by a restore');
SELECT applied(format('SELECT ''by apply'' AS name, pg() || %L::jsonb AS details', jsonb_build_object('password', :'ref'::jsonb))) \g /dev/null
SELECT is(details_of((SELECT connection_id FROM sim.connections WHERE name = 'by apply')) -> 'password', :'ref'::jsonb, 'by an apply');
SELECT sim_spoil_create('body',
	'{"status": 400, "body": {"code": "bad", "message": "manager manager-one has no secret path/to/key for user Tr0ub4dor"}}') \g /dev/null
SELECT fails(format('INSERT INTO sim.connections (name, details) VALUES (''x'', pg() || %L)',
	jsonb_build_object('password', :'ref'::jsonb)), '22023', '%manager manager-one has no secret path/to/key%', NULL, NULL, 'and stays readable in an error');
SELECT fails(format('INSERT INTO sim.connections (name, details) VALUES (''x'', pg() || %L)',
	jsonb_build_object('password', :'ref'::jsonb, 'token', 'Tr0ub4dor')), '22023',
	'%manager-one has no secret path/to/key for user ***', NULL, NULL, 'beside a secret that does not');
SELECT sim_calm() \g /dev/null

-- ------------------------------------- as it is, is as it is wanted

SELECT sim_reset() \g /dev/null
SELECT is((SELECT count(*)::int FROM sigma_plan('sim', 'SELECT name, type FROM sim.connections') WHERE action <> 'unchanged'), 0,
	'what Sigma has is no difference from what it has');
SELECT is((SELECT action FROM sigma_plan('sim',
	$$SELECT name::char(40), type::char(20) FROM sim.connections WHERE name = 'Snowflake West'$$) WHERE name = 'Snowflake West'),
	'unchanged', 'nor are the blanks of char(n)');

-- names that this database cannot hold
SELECT current_database() || '_latin1' AS latin1, sim_url() AS url \gset
CREATE DATABASE :latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT alike(psql(format($$\c %s
SET client_encoding = utf8;
CREATE EXTENSION sigma_fdw;
CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L);
CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SELECT 'made ' || (sigma_create_connection('sim', 'caf' || chr(233), '{"type": "postgres", "host": "h", "database": "d"}') ->> 'type');
SELECT 'found ' || count(*) FROM sigma_find_created('sim', 'caf' || chr(233));
SELECT 'made ' || (sigma_create_connection('sim', 'caf' || chr(233), '{"type": "postgres", "host": "h", "database": "d"}', if_not_exists => true) ->> 'type');
SELECT action, count(*) FROM sigma_plan('sim', 'SELECT ''caf'' || chr(233) AS name, ''postgres'' AS type') GROUP BY 1 ORDER BY 1;
CREATE FOREIGN TABLE t (connection_id text, type text) SERVER sim OPTIONS (resource 'connections');
BEGIN; DELETE FROM t WHERE type = 'sqlserver' RETURNING 'deleted'; ROLLBACK;$$, :'latin1', :'url')),
	E'%made postgres\nfound 1\nNOTICE:  42710: connection "caf\u00e9" of type "postgres" already exists (%), '
		'none is created\n%made postgres\narchive|11\nunchanged|1\ndeleted', 'names that this database cannot hold do not get in the way of others');
DROP DATABASE :latin1;

SELECT * FROM finish();

-- A replacement loses what is not sent.  It is built from what a read by id
-- shows, since the list of connections may leave something out.

\ir lib/simulator.sql
SELECT * FROM no_plan();

\set details '''{"host": "acme-west.snowflakecomputing.com", "authType": "oauth", "clientSecret": "hush"}'''
CREATE TABLE was AS SELECT connection_id AS id, name FROM sim.connections;
CREATE FUNCTION id(name text) RETURNS text STABLE LANGUAGE sql AS $$ SELECT w.id FROM was w WHERE w.name = $1 $$;
-- what the list leaves out, of what the one reply has
CREATE TABLE omitted AS SELECT '["writebacks", "writebackSchemas", "inputTableAuditLogSchema", "materializationWarehouse"]'::jsonb AS fields;

-- What a script of another session sends: bodies of PUT and PATCH.  The list
-- leaves out what "lean" says; requests so far are in asked().
CREATE FUNCTION run(lean boolean, script text) RETURNS jsonb[] LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	PERFORM sim_config(jsonb_build_object('list_omits', fields)) FROM omitted WHERE lean;
	PERFORM set_config('sim.told', coalesce(psql(script), ''), false);
	RETURN (SELECT array_agg(body::jsonb ORDER BY path, n) FROM sim_log() WHERE method IN ('PUT', 'PATCH'));
END $$;
CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('sim.told') $$;
CREATE FUNCTION asked() RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(coalesce(replace(method || ' ' || path, w.id, w.name), method || ' ' || path) ORDER BY n) FROM sim_log()
		LEFT JOIN was w ON path LIKE '%' || w.id || '%'
$$;

SELECT sim_config(jsonb_build_object('list_omits', fields)) FROM omitted \g /dev/null
SELECT is((SELECT attrs ?| ARRAY['writebacks', 'writebackSchemas', 'inputTableAuditLogSchema'] FROM sim.connections
	WHERE name = 'Snowflake West'), false, 'the list leaves something out');
SELECT is((SELECT attrs ?& ARRAY['writebackSchemas', 'inputTableAuditLogSchema'] FROM sim.connections
	WHERE connection_id = id('Snowflake West')), true, 'that the reply to a look-up has');

-- ------------------------------------------------------------------- UPDATE

-- each script, with what the bodies must have in common: those that are sent where the list shows everything
CREATE TABLE script (what text, statements text);
INSERT INTO script VALUES
	('by name', format('UPDATE sim.connections SET details = %L WHERE name = ''Snowflake West'';', :details)),
	('by id', format('UPDATE sim.connections SET details = %L WHERE connection_id = %L;', :details, id('Snowflake West'))),
	('and a column', format('UPDATE sim.connections SET details = %L, role = ''R'' WHERE name = ''Snowflake West'';', :details)),
	('that says where to write', format('UPDATE sim.connections SET details = %L::jsonb '
		'|| ''{"writebackSchemas": [{"writeDatabase": "W", "writeSchema": "S"}]}'' WHERE name = ''Snowflake West'';', :details)),
	('that is renamed', format('UPDATE sim.connections SET details = %L, name = ''x'' WHERE name = ''Snowflake West'';', :details)),
	('that was renamed before', format('BEGIN; UPDATE sim.connections SET name = ''x'' WHERE name = ''Snowflake West''; '
		'UPDATE sim.connections SET details = %L WHERE name = ''x''; COMMIT;', :details)),
	('that was renamed before, by id',
		format('BEGIN; UPDATE sim.connections SET name = ''x'' WHERE name = ''Snowflake West''; '
		'UPDATE sim.connections SET details = %L WHERE connection_id = %L; COMMIT;', :details, id('Snowflake West'))),
	('that was replaced before', format('BEGIN; UPDATE sim.connections SET details = %L, role = NULL '
		'WHERE name = ''Snowflake West''; UPDATE sim.connections SET name = ''x'' WHERE name = ''Snowflake West'';
		UPDATE sim.connections SET details = %1$L, warehouse = ''W'' WHERE name = ''x''; COMMIT;', :details)),
	('of several', 'UPDATE sim.connections SET details = ''{"user": "u", "password": "p", "host": "h", "database": "d", '
		'"authType": "basic-auth"}'' WHERE type = ''snowflake'' AND NOT is_sample;'),
	('of several, by id', format('UPDATE sim.connections SET details = %L WHERE connection_id = ANY (%L);',
		'{"user": "u", "password": "p", "authType": "basic-auth"}', ARRAY[id('Snowflake West'), id('Snowflake East')]));
CREATE TABLE body AS SELECT what, lean, run(lean, statements) AS bodies, asked() AS asked, told() AS told FROM script, (VALUES (true), (false)) l (lean);
SELECT is(l.bodies, w.bodies, 'a replacement ' || what || ' keeps what only the one reply shows')
FROM body l JOIN body w USING (what) WHERE l.lean AND NOT w.lean;
SELECT cmp_ok(cardinality(bodies), '>', 0, 'there are bodies ' || what) FROM body WHERE lean;
SELECT is(bodies[1] #> '{details,writebackSchemas}',
	'[{"writeSchema": "WEST", "writeDatabase": "SIGMA_WRITE", "writebackSchemaId": "***"}, {"writeSchema": "WEST_TEST", '
	'"writeDatabase": "SIGMA_WRITE", "writebackSchemaId": "***"}]', 'where Sigma writes to')
FROM (SELECT array_agg(regexp_replace(b::text, '("writebackSchemaId": )"[^"]+"', '\1"***"', 'g')::jsonb) AS bodies FROM body,
	unnest(bodies) b WHERE what = 'by name' AND lean) b;
SELECT is(bodies[1] #>> '{details,inputTableAuditLogSchema,writeSchema}', 'AUDIT', 'and where it keeps its log') FROM body WHERE what = 'by name' AND lean;
SELECT is(bodies[3] -> 'details' -> 'role' IS NULL AND bodies[3] #>> '{details,warehouse}' = 'W'
	AND bodies[3] -> 'details' ? 'writebackSchemas' AND bodies[3] ->> 'name' = 'x', true, 'what was asked for before is kept')
FROM body WHERE what = 'that was replaced before' AND lean;
SELECT is(told, '', 'nothing is said ' || what) FROM body;

-- one read more, unless it was read by id
SELECT is(asked, '{GET /v2/connections,GET /v2/connections/Snowflake West,GET /v2/connections/Snowflake West,PUT '
	'/v2/connections/Snowflake West}', 'it is read once more') FROM body WHERE what = 'by name' AND lean;
SELECT is(asked, '{GET /v2/connections/Snowflake West,GET /v2/connections/Snowflake West,PUT /v2/connections/Snowflake West}',
	'but not if it was looked up') FROM body WHERE what = 'by id' AND lean;
SELECT is(run(true, 'UPDATE sim.connections SET name = ''x'' WHERE name = ''Snowflake West'';'), ARRAY['{"name": "x"}'::jsonb], 'a name alone');
SELECT is(asked(), '{GET /v2/connections,GET /v2/connections/Snowflake West,PATCH /v2/connections/Snowflake West}', 'needs no such read');
SELECT is(run(true, format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) '
	'UPDATE sim.connections SET details = %L WHERE name = ''Snowflake West'';', :details)) IS NOT NULL, true, 'EXPLAIN ANALYZE');
SELECT matches(told(), 'Update on connections.* Requests: 1.*Foreign Scan', 'counts it');

-- RETURNING and the transaction's own reads have all of it
SELECT run(true, format('BEGIN; UPDATE sim.connections SET details = %L WHERE name = ''Snowflake West'' RETURNING jsonb_array_length(writeback_schemas);
	SELECT jsonb_array_length(writeback_schemas) FROM sim.connections WHERE name = ''Snowflake West''; ROLLBACK;', :details)) \g /dev/null
SELECT is(told(), E'2\n2', 'RETURNING shows what will be there');
SELECT run(true, format('SET sigma_fdw.dry_run = on; UPDATE sim.connections SET details = %L WHERE name = ''Snowflake West'';', :details)) \g /dev/null
SELECT matches(told(), '"writebackSchemas"', 'a dry run shows the whole body');
SELECT doesnt_match(told(), 'hush', 'but no secret');

-- what happens between the list and the read
CREATE FUNCTION run_spoilt(fault jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	PERFORM sim_fault(fault || jsonb_build_object('method', 'GET', 'path', '/v2/connections/' || id('Snowflake West')));
	RETURN psql((SELECT statements FROM script WHERE what = 'by name'));
END $$;
SELECT matches(run_spoilt('{"do": "edit", "set": {"updatedAt": "2026-06-03T12:00:00.000Z"}}'),
	'ERROR:  40001: connection "Snowflake West" .* has been changed in Sigma since it was read', 'a change by somebody else');
SELECT matches(run_spoilt('{"do": "status", "status": 404}'), 'ERROR:  P0002: connection "Snowflake West" .* no longer exists', 'or it is gone');
SELECT matches(run_spoilt('{"do": "status", "status": 403}'), 'ERROR:  42501: could not look at connection "Snowflake West"', 'or may not be read');
SELECT matches(run_spoilt('{"do": "body", "body": {"connectionId": "another", "updatedAt": "2024-06-03T12:00:00.000Z"}}'),
	'ERROR:  HV000: could not look at .* it is not the connection', 'or is another');
SELECT is((SELECT count(*) FROM sim_log() WHERE method <> 'GET'), 0::bigint, 'and nothing is sent');

-- -------------------------------------------------- sigma_plan, sigma_apply

CREATE TABLE wanted (name text, type text, details jsonb);
INSERT INTO wanted VALUES ('Snowflake West', 'snowflake', :details::jsonb || '{"role": "OTHER"}');
SELECT is(run(true, 'SELECT action, fields FROM sigma_apply(''sim'', ''SELECT * FROM wanted'');'),
	run(false, 'SELECT FROM sigma_apply(''sim'', ''SELECT * FROM wanted'');'), 'sigma_apply() keeps what only the one reply shows');
SELECT run(true, 'SELECT action, fields FROM sigma_apply(''sim'', ''SELECT * FROM wanted'');') \g /dev/null
SELECT is(told(), 'update|{role}', 'and names what differs');
SELECT is(asked(), '{GET /v2/connections,GET /v2/connections/Snowflake West,GET /v2/connections/Snowflake West,PUT '
	'/v2/connections/Snowflake West}', 'only what differs is read');
UPDATE wanted SET details = :details::jsonb || '{"inputTableAuditLogSchema": {"writeDatabase": "SIGMA_WRITE", "writeSchema": "AUDIT"}}';
SELECT run(true, 'SELECT action, fields FROM sigma_plan(''sim'', ''SELECT * FROM wanted'') WHERE action <> ''archive'';') \g /dev/null
SELECT is(told(), 'unchanged|{}', 'what is as it is wanted is no difference, though the list does not show it');
UPDATE wanted SET details = :details::jsonb || '{"inputTableAuditLogSchema": {"writeDatabase": "SIGMA_WRITE", "writeSchema": "OTHER"}}';
SELECT run(true, 'SELECT action, fields FROM sigma_plan(''sim'', ''SELECT * FROM wanted'') WHERE action <> ''archive'';') \g /dev/null
SELECT is(told(), 'update|{inputTableAuditLogSchema}', 'what is not, is');
-- many, several at a time
TRUNCATE wanted;
INSERT INTO wanted SELECT 'many ' || n, 'postgres',
	'{"host": "h", "database": "d", "user": "u", "password": "p", "writeAccess": {"writeSchema": "s"}}' FROM generate_series(1, 30) n;
SELECT run(true, 'SELECT count(*) FROM sigma_apply(''sim'', ''SELECT * FROM wanted''); SELECT count(*) '
	'FROM sigma_apply(''sim'', $$SELECT name, type, details || ''{"user": "v"}'' AS details FROM wanted$$) WHERE action = ''update'';') AS bodies \gset
SELECT is(told(), E'30\n30', 'many updates at once');
SELECT is((SELECT count(*) FROM unnest(:'bodies'::jsonb[]) b WHERE b #>> '{details,writeAccess,writeSchema}' = 's'
	AND b #>> '{details,user}' = 'v'), 30::bigint, 'keep it, too');

-- -------------------------------------------------- sigma_restore_connection

SELECT is(run(true, format('DELETE FROM sim.connections WHERE name = ''Snowflake West''; SELECT '
	'FROM sigma_restore_connection(''sim'', %L, NULL, %L::jsonb || ''{"type": "snowflake"}'');', id('Snowflake West'),
	:details))::text LIKE '%WEST_TEST%', true, 'what is restored is read by its id');

SELECT * FROM finish();

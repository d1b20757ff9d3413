-- What a reviewer once found: each of these was wrong, and shall not be again.

\ir lib/simulator.sql
SELECT * FROM no_plan();
CREATE FUNCTION item(reply jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT sim_calm();
	SELECT sim_fault(jsonb_build_object('path', '/v2/connections/c-1', 'times', -1, 'do', 'body', 'body', reply));
$$;

-- ------------------------------------------------- a look-up gives its entry

SELECT item('{"connectionId": "c-1", "name": "one"}') \g /dev/null
SELECT is((SELECT name FROM sim.connections WHERE connection_id = 'c-1'), 'one', 'the entry that was asked for');
SELECT item('{"connection": {"connectionId": "c-1"}}') \g /dev/null
SELECT fails('SELECT name FROM sim.connections WHERE connection_id = ''c-1''', 'HV000', '%it has no "connectionId"',
	'%/v2/connections/c-1%', NULL, 'an object of another shape is not "no row"');
SELECT item('{"entries": [], "nextPage": null}') \g /dev/null
SELECT fails('SELECT name FROM sim.connections WHERE connection_id = ''c-1''', 'HV000', '%it has no "connectionId"', NULL, NULL, 'nor is a list');
SELECT item('{"connectionId": "c-2", "name": "two"}') \g /dev/null
SELECT fails('SELECT name FROM sim.connections WHERE connection_id = ''c-1''', 'HV000', '%another entry%', NULL, NULL, 'nor another entry');
SELECT item('[]') \g /dev/null
SELECT fails('SELECT name FROM sim.connections WHERE connection_id = ''c-1''', 'HV000', NULL, NULL, NULL, 'nor an array');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": {"entries": [{"connectionId": "a"}, {"error": {"code": "x", "message": "m"}}], "nextPage": null}}') \g /dev/null
SELECT fails('SELECT name FROM sim.connections', 'HV000', '%an entry has no "connectionId"', NULL, NULL, 'an entry without its key is no row of nulls');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": {"entries": [{"connectionId": "a"}], "nextPage": null, "total": 1e300}}') \g /dev/null
SELECT is((SELECT count(*) FROM sim.connections), 1::bigint, 'a total that no list can have is not believed');
SELECT sim_calm() \g /dev/null

-- ----------------------------------- a statement never reads what it has made

CREATE TABLE wanted (connection_id text, permission text);
INSERT INTO wanted SELECT connection_id, 'usage' FROM sim.connections WHERE name = 'MySQL Shop';
INSERT INTO wanted SELECT connection_id, 'annotate' FROM sim.connections WHERE name = 'MySQL Shop';
SELECT sigma_grant_connection('sim', connection_id, 'usage', member_id => m) FROM (SELECT DISTINCT connection_id FROM wanted) w,
	(SELECT member_id FROM sim.members LIMIT 3) x (m) \g /dev/null
CREATE TEMP TABLE before AS SELECT count(*) AS n FROM sim.connection_grants g WHERE g.member_id IS NOT NULL
	AND connection_id IN (SELECT connection_id FROM wanted);
ALTER FOREIGN TABLE sim.connection_grants OPTIONS (ADD page_size '2');
SET enable_memoize = off;
SET statement_timeout = '20s';
SELECT lives_ok('INSERT INTO sim.connection_grants (connection_id, permission, member_id)
	SELECT w.connection_id, w.permission, g.member_id FROM wanted w CROSS JOIN LATERAL
		(SELECT * FROM sim.connection_grants g WHERE g.connection_id = w.connection_id AND g.member_id IS NOT NULL OFFSET 0) g',
			'an INSERT from the list that it adds to ends');
SELECT is((SELECT count(*) FROM sim.connection_grants g WHERE g.member_id IS NOT NULL AND connection_id IN (SELECT connection_id
	FROM wanted)), n * 3, '... with what was there') FROM before;
RESET statement_timeout;
RESET enable_memoize;

-- ------------------------------------------- a grant is revoked once, not more

SELECT sim_call('DELETE', 'log') \g /dev/null
SELECT lives_ok('DELETE FROM sim.connection_grants g USING wanted w WHERE g.connection_id = w.connection_id '
	'AND g.member_id IS NOT NULL', 'a DELETE whose join has each row twice');
SELECT is(count(*), count(DISTINCT path), 'asks for each revocation once') FROM sim_log() WHERE method = 'DELETE';

-- ------------------------------------------------------------------ planning

CREATE TABLE parent (connection_id text, name text);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER sim OPTIONS (resource 'connections');
SELECT psql($$BEGIN; UPDATE parent SET name = 'by the parent' WHERE name = 'Postgres Production';
	SELECT count(*) FROM child WHERE name = 'by the parent'; ROLLBACK;$$)
	AS told \gset
SELECT is(:'told'::text, '1', 'UPDATE by way of an inheritance parent');
CREATE FOREIGN TABLE computed (name text, type text, shout text OPTIONS (field 'shout') GENERATED ALWAYS AS (upper(name)) STORED,
	details jsonb) SERVER sim OPTIONS (resource 'connections');
SELECT lives_ok($$INSERT INTO computed (name, details) VALUES ('computed', '{"type": "postgres", "host": "h", "database": "d"}')$$,
	'a generated column is not sent');
SELECT is(count_of('SELECT n, (SELECT count(name) FROM sim.teams t WHERE t.name > n::text) FROM generate_series(1, 50) n') <= 2,
	true, 'a list that is rescanned is fetched twice at the most');

-- ---------------------------------------------------- many users, one backend

SELECT format('CREATE SERVER s%1$s FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %2$L)', i, sim_url()),
	format('CREATE USER MAPPING FOR CURRENT_USER SERVER s%s OPTIONS (client_id ''simulator-client'', client_secret ''simulator-secret'')', i),
	format('CREATE FOREIGN TABLE teams_%1$s (name text) SERVER s%1$s OPTIONS (resource ''teams'')', i) FROM generate_series(1, 120) i \gexec
SELECT lives_ok($$DO $do$ BEGIN FOR i IN 1..120 LOOP EXECUTE format('SELECT count(name) FROM teams_%s', i); END LOOP; END $do$ $$,
	'120 servers, one after another, in one transaction');
SELECT cmp_ok((sim_stats() ->> 'open_connections')::int, '<', 20, '... do not keep all their connections');

-- --------------------------------------------- rollbacks of several things at once

CREATE FUNCTION ins(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('INSERT INTO sim.connections (name, details) VALUES (%L, pg()); ', n), '') FROM unnest(names) n
$$;
CREATE FUNCTION pg() RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT '{"type": "postgres", "host": "h", "database": "d", "password": "hush-pw"}'::jsonb $$;
CREATE FOREIGN TABLE every (connection_id text, name text, is_archived bool) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
SELECT sim_reset() \g /dev/null
SELECT connection_id AS archived FROM every WHERE is_archived ORDER BY name LIMIT 1 \gset
-- the first that is undone takes the other with it
SELECT coalesce(psql(format('BEGIN; SELECT sigma_restore_connection(''sim'', %1$L, ''one'', pg()) IS NULL; '
	'SELECT sigma_request(''sim'', ''DELETE'', ''/v2/connections/'' || %1$L) IS NULL; SAVEPOINT s; '
	'SELECT sigma_restore_connection(''sim'', %1$L, ''two'', pg()) IS NULL; ROLLBACK; BEGIN; %2$sROLLBACK; SELECT 40 + 2;',
	:'archived', ins('a', 'b'))), '') AS said \gset
SELECT matches(:'said'::text, '\n42$', 'a connection that a transaction has restored twice, and a session that goes on');
SELECT unalike(:'said'::text, '%exist in Sigma%', '... and has nothing left to name');
SELECT is((SELECT array_agg(name || ' ' || is_archived ORDER BY name) FROM every WHERE connection_id = :'archived' OR name IN ('a', 'b')),
	'{"a true","b true","two true"}', '... nor in Sigma');
-- of a connection that is gone again, nothing is told that another session has done to it
SELECT coalesce(psql(format('BEGIN; INSERT INTO sim.connections (name, details) VALUES (''c'', pg()) RETURNING connection_id \gset
	ALTER SERVER sim OPTIONS (ADD max_retries ''1''); SELECT sigma_grant_connection(''sim'', :''connection_id'', ''usage'', %L); ROLLBACK;',
	(SELECT member_id FROM sim.members LIMIT 1))), '') AS said \gset
SELECT is((SELECT is_archived FROM every WHERE name = 'c'), true, 'a server that is altered after a create');
SELECT unalike(:'said'::text, '%WARNING%', '... and no word of a grant on what is deleted again');

-- -------------------------------------------- a read-only transaction writes nothing

-- PostgreSQL lets it write to temporary tables, and takes a foreign table for one by its schema
CREATE FUNCTION written_by(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	PERFORM sim_call('DELETE', 'log');
	said := coalesce(psql(script), '');
	RETURN coalesce((SELECT m[1] FROM regexp_matches(said, 'ERROR:  (\w+)') m), 'none') || ', ' || cardinality(writes()) || ' writes';
END $$;
SELECT is(written_by('CREATE FOREIGN TABLE pg_temp.far (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource '
	'''connections''); CREATE FOREIGN TABLE pg_temp.grants (connection_id text, grant_id text) SERVER sim OPTIONS (resource '
	'''connection_grants''); CREATE TEMP TABLE parted (LIKE far) PARTITION BY LIST (name); CREATE TEMP TABLE near PARTITION OF parted '
	'FOR VALUES IN (''near''); INSERT INTO parted VALUES (''1'', ''near''); ALTER TABLE parted ATTACH PARTITION far DEFAULT; '
	'BEGIN READ ONLY; EXPLAIN ' || s || '; ' || s || '; COMMIT;'), '25006, 0 writes', 'READ ONLY, and a temporary foreign table: ' || s)
FROM unnest(ARRAY['INSERT INTO far (name, details) VALUES (''w'', pg())', 'UPDATE far SET name = ''w''', 'DELETE FROM far',
	'INSERT INTO parted (name, details) VALUES (''w'', pg())', 'UPDATE parted SET name = ''w'', details = pg() WHERE name = ''near''',
	'DELETE FROM grants', 'WITH w AS (INSERT INTO far (name, details) VALUES (''w'', pg()) RETURNING name) SELECT * FROM w']) s;
SELECT is(written_by('CREATE FOREIGN TABLE pg_temp.far (name text, details jsonb) SERVER sim OPTIONS (resource ''connections''); BEGIN READ ONLY; '
	'COPY far FROM PROGRAM ''printf "w\t{\"type\":\"postgres\",\"host\":\"h\",\"database\":\"d\"}\n"''; COMMIT;'), '25006, 0 writes', '... and COPY');
SELECT is(written_by('CREATE FOREIGN TABLE pg_temp.far (name text, details jsonb) SERVER sim OPTIONS (resource ''connections''); CREATE FUNCTION '
	'pg_temp.w() RETURNS text LANGUAGE plpgsql AS ''BEGIN INSERT INTO far VALUES (''''w'''', pg()); RETURN ''''w''''; END''; '
	'SELECT * FROM sigma_plan(''sim'', ''SELECT pg_temp.w() AS name'');'), '25006, 0 writes', '... and a function in the query of sigma_plan()');

-- ---------------------------------------------- a message does not end a request

-- each message looks for a cancel, and what was about to be sent must not be sent later, unseen
CREATE FUNCTION cancelled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN pg_cancel_backend(pg_backend_pid()) THEN NEW END; END $$;
CREATE TRIGGER cancelled BEFORE INSERT ON sim.connection_grants FOR EACH ROW EXECUTE FUNCTION cancelled();
SELECT sim_reset() \g /dev/null
SELECT psql(format('SET client_min_messages = debug1; DO $do$ BEGIN %s INSERT INTO sim.connection_grants (connection_id, permission, '
	'member_id) VALUES (%L, ''usage'', %L); EXCEPTION WHEN query_canceled THEN RAISE NOTICE ''it was cancelled''; END $do$;', ins('d'),
	:'archived', (SELECT member_id FROM sim.members LIMIT 1))) AS said \gset
SELECT alike(:'said'::text, '%NOTICE:  00000: it was cancelled%', 'a cancel while a message tells of a write');
SELECT is((SELECT array_agg(method || ' ' || regexp_replace(path, '[0-9a-f-]{36}', 'ID') ORDER BY n) FROM sim_log() WHERE method <> 'GET'),
	'{"POST /v2/connections","DELETE /v2/connections/ID"}', '... which is not sent while others are undone');
DROP TRIGGER cancelled ON sim.connection_grants;

-- ------------------------------------------ a web page does not say that it was done

SELECT sim_reset() \g /dev/null
CREATE FUNCTION behind_a_page(statement text, method text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_calm();
	PERFORM sim_fault(jsonb_build_object('method', method, 'path', '/v2/connections*', 'do', 'status', 'status', 200, 'html', true));
	RETURN coalesce(psql(statement), '');
END $$;
SELECT alike(behind_a_page('UPDATE sim.connections SET name = ''x'' WHERE name = ''MySQL Shop'';', 'PATCH'),
	'ERROR:  08007: could not update connection "MySQL Shop" (%) at commit: outcome unknown%DETAIL:  Perhaps updated: "MySQL Shop" (%but not as Sigma does%',
	'UPDATE, and a web page in place of the reply');
SELECT alike(behind_a_page('UPDATE sim.connections SET details = pg() WHERE name = ''Postgres Staging'';', 'PUT'),
	'ERROR:  08007: %DETAIL:  Perhaps updated: "Postgres Staging" (%', '... of more than the name');
SELECT alike(behind_a_page('DELETE FROM sim.connections WHERE name = ''MySQL Shop'';', 'DELETE'),
	'ERROR:  08007: %DETAIL:  Perhaps deleted: "MySQL Shop" (%', 'DELETE');
SELECT alike(behind_a_page(ins('x'), 'POST'), '%WARNING:  01000: connection "x" may exist in Sigma%', 'INSERT');
SELECT matches(behind_a_page(format('SELECT sigma_grant_connection(''sim'', %L, ''usage'', %L)', :'archived', (SELECT member_id FROM sim.members LIMIT 1)),
	'POST'), '(?=.*ERROR:  08007: )(?=.*grant of usage on connection \S+ to member \S+ may exist in Sigma)', 'a grant');
SELECT alike(behind_a_page('BEGIN; ' || ins('y') || 'ROLLBACK;', 'DELETE'), '%WARNING:  01000: connection "y" (%) may exist in Sigma%',
	'and what was created and is rolled back');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------- what the client is told

SELECT unalike(psql($$\set SHOW_CONTEXT always
	DO $do$ BEGIN PERFORM sigma_create_connection('sim', NULL, '{"type": "postgres", "password": "hush-hush"}'); END $do$; $$),
		'%CONTEXT%hush%', 'the context of an error does not quote the statement');
ALTER SERVER sim OPTIONS (ADD on_rollback 'keep');
SELECT alike(psql($$SET client_encoding = latin1; BEGIN; SAVEPOINT a;
	SELECT sigma_create_connection('sim', U&'na\65E5me', '{"type": "postgres", "host": "h", "database": "d"}') IS NULL;
	ROLLBACK TO a; SELECT 40 + 2; COMMIT;$$), '%WARNING:%exists in Sigma although%42%', 'a name that the client cannot show does not break the rollback');
ALTER SERVER sim OPTIONS (DROP on_rollback);
SELECT sim_fault('{"path": "/v2/spec", "times": -1, "do": "body", "body": "a: \"1\"\n", "content_type": "text/yaml"}') \g /dev/null
SELECT is(sigma_request('sim', 'GET', '/v2/spec'), to_jsonb(E'a: "1"\n'::text), 'an endpoint that answers in YAML gives a string');
SELECT sim_fault('{"path": "/v2/whoami", "times": -1, "do": "never"}') \g /dev/null
SELECT alike(psql($$SET statement_timeout = '500ms'; SELECT * FROM sigma_check('sim'); SELECT 40 + 2;$$),
	'%canceling statement%42%', 'after a cancelled sigma_check() the session goes on');
SELECT sim_calm() \g /dev/null

SELECT * FROM finish();

-- The SQL functions.
\getenv url SIGMA_SIMULATOR_URL
SET client_min_messages = warning;
CREATE EXTENSION sigma_fdw;
CREATE SERVER sigma FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sigma
    OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');

-- what there is, and who may call it: PUBLIC nothing that reaches the network
CREATE VIEW ours AS
    SELECT p.oid::regprocedure AS function, pg_get_function_result(p.oid) AS returns, p.provolatile, p.proparallel, p.proisstrict,
           has_function_privilege('pg_monitor', p.oid, 'EXECUTE') AS public
      FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'sigma_fdw';
SELECT * FROM ours WHERE function::text ~ '^sigma_(apply|create_connection|find_created|plan|request|restore_connection|test_connection|whoami|fdw_.*)\('
 ORDER BY function::text COLLATE "C";
DROP VIEW ours;
SELECT sigma_fdw_version() ~ '^sigma_fdw 1\.0\.0, libcurl [0-9.]+.* \(.+\), cJSON [0-9.]+$';

-- sigma_whoami()
SELECT * FROM sigma_whoami('sigma');
SELECT (sigma_whoami('sigma')).organization_id;
SELECT sigma_whoami(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_whoami('nosuch');
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN DATA WRAPPER other;
CREATE SERVER other FOREIGN DATA WRAPPER other;
SELECT sigma_whoami('other');
\echo :LAST_ERROR_SQLSTATE

-- sigma_test_connection(); terse because the detail has a request id, which differs from run to run
SELECT * FROM sigma_test_connection('sigma', '2f21ad19-084e-4cc3-8ead-000000000001');
\set VERBOSITY terse
SELECT * FROM sigma_test_connection('sigma', '2f21ad19-084e-4cc3-8ead-999999999999');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT * FROM sigma_test_connection('sigma', '..');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sigma_test_connection('sigma', NULL);
\echo :LAST_ERROR_SQLSTATE

-- sigma_create_connection()
SELECT r->>'name' AS name, r->>'connectionId' ~ '^[0-9a-f-]{36}$' AS id
  FROM sigma_create_connection('sigma', 'Postgres prod', '{"type": "postgres", "host": "db", "database": "app", "user": "u", "password": "PLACEHOLDER: password"}') r;
SELECT r->>'name' AS name, r->>'friendlyName' AS friendly
  FROM sigma_create_connection(server => 'sigma', name => 'Snowflake prod', use_friendly_names => true, timeout_secs => 90,
                               details => '{"type": "snowflake", "account": "a", "warehouse": "W", "user": "u", "password": "PLACEHOLDER: password"}',
                               description => '{"text": "made by a test"}', pool_sizes => '{"adhocPoolSize": 4}') r;
SELECT e->>'path' AS path, jsonb_pretty(e->'body') AS body
  FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/_sim/log', '{"method": "POST", "path_prefix": "/v2/connections"}') -> 'entries') e
 ORDER BY (e->>'n')::int;
SELECT sigma_create_connection('sigma', NULL, '{"type": "postgres"}');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_create_connection('sigma', 'x', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_create_connection('sigma', 'x', '"postgres"');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_create_connection('sigma', 'x', '{"host": "h"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT sigma_create_connection('sigma', 'x', '{"type": "postgres", "password": "not-to-be-seen"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
BEGIN READ ONLY;
SELECT sigma_create_connection('sigma', 'x', '{"type": "postgres"}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
ALTER SERVER sigma OPTIONS (ADD updatable 'false');
SELECT sigma_create_connection('sigma', 'x', '{"type": "postgres"}');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'DELETE', '/v2/connections/x');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'get', '/v2/whoami')->>'organizationId';
ALTER SERVER sigma OPTIONS (DROP updatable);

-- sigma_create_connection(if_not_exists), sigma_find_created()
SELECT r->>'name' AS name
  FROM sigma_create_connection('sigma', 'Postgres prod', '{"type": "postgres", "host": "db", "database": "app"}', if_not_exists => true) r;
SELECT r->>'name' AS name, r->>'type' AS type
  FROM sigma_create_connection('sigma', 'Postgres prod', '{"type": "mysql", "host": "db", "port": 3306, "user": "u", "password": "PLACEHOLDER: password"}', if_not_exists => true) r;
SELECT sigma_request('sigma', 'DELETE', '/v2/connections/' || connection_id) IS NOT NULL AS deleted
  FROM sigma_find_created('sigma', 'Postgres prod') WHERE type = 'mysql';
SELECT name, type FROM sigma_find_created('sigma', 'Postgres prod', now() - interval '1 hour');
SELECT count(*) FROM sigma_find_created('sigma', 'Postgres prod', now() + interval '1 hour');
SELECT count(*) FROM sigma_find_created('sigma', 'Postgres');
SELECT * FROM sigma_find_created('sigma', NULL);
\echo :LAST_ERROR_SQLSTATE

-- sigma_plan(), sigma_apply()
CREATE TABLE wanted (name text, type text, details jsonb);
INSERT INTO wanted VALUES
    ('Postgres prod', 'postgres', '{"host": "db", "database": "app", "user": "other", "password": "PLACEHOLDER: password"}'),
    ('MySQL prod', 'mysql', '{"host": "db", "port": 3306, "user": "u", "password": "PLACEHOLDER: password"}');
SELECT action, name, connection_id IS NULL AS is_new, type, fields FROM sigma_plan('sigma', 'wanted') WHERE action <> 'archive' ORDER BY name;
SELECT action, name, connection_id IS NULL AS is_unknown, type, fields FROM sigma_apply('sigma', 'wanted') ORDER BY name;
SELECT action, name, type, fields FROM sigma_apply('sigma', 'SELECT * FROM wanted') ORDER BY name;
SELECT sigma_apply('sigma', 'SELECT * FROM wanted WHERE false', true);
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_plan('sigma', 'SELECT * FROM wanted UNION ALL SELECT * FROM wanted');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_plan('sigma', 'SELECT 1 AS x');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_plan('sigma', 'DELETE FROM wanted');
\echo :LAST_ERROR_SQLSTATE

-- sigma_restore_connection()
SELECT connection_id AS mysql FROM sigma_plan('sigma', 'wanted') WHERE name = 'MySQL prod' \gset
SELECT sigma_request('sigma', 'DELETE', '/v2/connections/' || :'mysql') IS NOT NULL AS deleted;
SELECT sigma_restore_connection('sigma', :'mysql', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT r->>'name' AS name, r->>'isArchived' AS archived, r->>'connectionId' = :'mysql' AS same
  FROM sigma_restore_connection('sigma', :'mysql', 'MySQL again', '{"type": "mysql", "host": "db", "port": 3306, "password": "PLACEHOLDER: password"}') r;
\set VERBOSITY terse
SELECT sigma_restore_connection('sigma', 'nosuch', NULL, '{"type": "mysql"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- dry run
SET sigma_fdw.dry_run = on;
SET client_min_messages = notice;
SELECT r->>'connectionId' AS id, r->>'name' AS name
  FROM sigma_create_connection('sigma', 'dry', '{"type": "postgres", "host": "db", "database": "app", "password": "PLACEHOLDER: password"}') r;
SELECT sigma_request('sigma', 'PATCH', '/v2/anything', NULL, '{"token": "PLACEHOLDER: token", "name": "n"}');
SET client_min_messages = warning;
RESET sigma_fdw.dry_run;
SELECT count(*) FROM sigma_find_created('sigma', 'dry');
DROP TABLE wanted;

-- sigma_request(): reading
SELECT jsonb_array_length(r->'entries'), r->'total' FROM sigma_request('sigma', 'GET', '/v2/connections', '{"limit": 2}') r;
SELECT e->>'name' FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/v2/connections', '{"search": "köln", "includeArchived": false, "page": null}') -> 'entries') e;
SELECT e->>'query' FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/_sim/log', '{"path_prefix": "/v2/connections"}') -> 'entries') e
 WHERE e->>'query' LIKE '%search%';
BEGIN READ ONLY;
SELECT sigma_request('sigma', 'GET', '/v2/whoami')->>'userId';
SELECT sigma_request('sigma', 'POST', '/v2/connections', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- and writing
SELECT connection->>'connectionId' AS id FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/v2/connections', '{"search": "Postgres prod"}') -> 'entries') connection
 WHERE connection->>'name' = 'Postgres prod' \gset
SELECT sigma_request('sigma', 'DELETE', '/v2/connections/' || :'id') IS NOT NULL AS said_something;
SELECT sigma_request('sigma', 'GET', '/v2/connections/' || :'id')->>'isArchived' AS archived;

-- what it does not take, before any request
SELECT sigma_request('sigma', 'DELETE', '/_sim/log') IS NOT NULL AS forgotten;
\set VERBOSITY terse
SELECT sigma_request('sigma', 'TRACE', '/v2/whoami');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'GET', 'v2/whoami');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'GET', 'https://example.com/v2/whoami');
SELECT sigma_request('sigma', 'GET', '//example.com/v2/whoami');
SELECT sigma_request('sigma', 'GET', '/v2/../whoami');
SELECT sigma_request('sigma', 'GET', '/v2/%2e%2e/whoami');
SELECT sigma_request('sigma', 'GET', '/v2/whoami?x=1');
SELECT sigma_request('sigma', 'GET', '/v2/whoami#x');
SELECT sigma_request('sigma', 'GET', E'/v2/whoami\r\nHost: example.com');
SELECT sigma_request('sigma', 'GET', '/v2/whoami%0d%0a');
SELECT sigma_request('sigma', 'GET', '/v2/whoami%');
SELECT sigma_request('sigma', 'GET', '/v2/köln');
SELECT sigma_request('sigma', 'GET', '');
SELECT sigma_request('sigma', 'GET', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'GET', '/v2/whoami', '["x"]');
SELECT sigma_request('sigma', 'GET', '/v2/whoami', '{"x": {"y": 1}}');
SELECT sigma_request('sigma', 'GET', '/v2/whoami', NULL, '{"x": 1}');
\echo :LAST_ERROR_SQLSTATE
-- a token would be readable in SQL
SELECT sigma_request('sigma', 'POST', '/v2/auth/token', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'POST', '/v2/auth/%74oken', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT sigma_request('sigma', 'GET', '/_sim/log', '{"count": 1}')->'count' AS requests;
-- refused by Sigma; the request id differs from run to run
\set VERBOSITY terse
SELECT sigma_request('sigma', 'GET', '/v2/no-such-thing');
\echo :LAST_ERROR_SQLSTATE
SELECT sigma_request('sigma', 'GET', '/v2/connections', '{"limit": 1001}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- privileges: EXECUTE, USAGE on the server, and a user mapping
CREATE ROLE regress_sigma_caller;
SET ROLE regress_sigma_caller;
SELECT sigma_fdw_version() IS NOT NULL;
SELECT sigma_whoami('sigma');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION sigma_whoami TO regress_sigma_caller;
SET ROLE regress_sigma_caller;
SELECT sigma_whoami('sigma');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER sigma TO regress_sigma_caller;
SET ROLE regress_sigma_caller;
SELECT sigma_whoami('sigma');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
CREATE USER MAPPING FOR regress_sigma_caller SERVER sigma OPTIONS (client_id 'second-client', client_secret 'second-secret');
SET ROLE regress_sigma_caller;
SELECT user_id <> '7f966099-7e48-4420-8423-000000000000' AS another, organization_id FROM sigma_whoami('sigma');
RESET ROLE;

DROP OWNED BY regress_sigma_caller;
DROP EXTENSION sigma_fdw CASCADE;
DROP FOREIGN DATA WRAPPER other CASCADE;
DROP ROLE regress_sigma_caller;

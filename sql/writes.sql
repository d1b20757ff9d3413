-- Creating connections.
\getenv url SIGMA_SIMULATOR_URL
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION sigma_fdw;
CREATE SERVER sigma FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sigma
    OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
CREATE SCHEMA w;
IMPORT FOREIGN SCHEMA sigma FROM SERVER sigma INTO w;
SET search_path = w, public;
-- the writes that reached the simulator since the last call, with their bodies as it keeps them
CREATE FUNCTION written() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        SELECT concat(e->>'method', ' ', e->>'path', ' ', e->>'status', ' ', e->>'body')
          FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/_sim/log') -> 'entries') e
         WHERE e->>'path' <> '/v2/auth/token' AND e->>'method' <> 'GET';
    PERFORM sigma_request('sigma', 'DELETE', '/_sim/log');
END $$;
-- what the connection was made from, secrets included: the simulator remembers it for the tests
CREATE FUNCTION made_from(connection_id text) RETURNS jsonb LANGUAGE sql AS
$$ SELECT sigma_request('sigma', 'GET', '/_sim/details/' || connection_id) $$;

--
-- INSERT with RETURNING
--
INSERT INTO connections (name, type, host, details)
VALUES ('One', 'postgres', 'db1', '{"database": "app", "user": "u", "password": "PLACEHOLDER: password"}')
RETURNING connection_id ~ '^[0-9a-f-]{36}$' AS id, name, type, host, "user", is_archived, attrs->>'name' AS attrs, details, created_at > now() - interval '1 day' AS now;
SELECT * FROM written();
SELECT name, type, "user", made_from(connection_id) FROM connections WHERE name = 'One';
-- several rows, and none returned
INSERT INTO connections (name, type, details)
VALUES ('Two', 'postgres', '{"host": "db2", "database": "app", "user": "u", "password": "x1x2"}'),
       ('Three', 'mysql', '{"host": "db3", "port": 3306, "user": "u", "password": "x1x2"}');
SELECT name, type FROM connections WHERE name IN ('Two', 'Three') ORDER BY name;
-- the whole row
WITH made AS (INSERT INTO connections (name, details, description, timeout_secs, use_friendly_names, pool_sizes)
              VALUES ('Four', '{"type": "postgres", "host": "db4", "database": "app", "user": "u", "password": "x1x2"}',
                      '{"text": "fourth"}', 240, true, '{"adhocPoolSize": 2}')
              RETURNING connections)
SELECT (connections).name, (connections).type, (connections).friendly_name, (connections).pool_sizes->'adhocPoolSize' AS adhoc FROM made;
SELECT * FROM written();

--
-- INSERT ... SELECT from the same server: the quickstart
--
INSERT INTO connections (name, type, account, host, warehouse, "user", role, details)
SELECT 'Snowflake via SQL', type, account, host, warehouse, "user", role,
       '{"authType": "key-pair", "privateKey": "PLACEHOLDER: key", "privateKeyPassphrase": "PLACEHOLDER: passphrase"}'
  FROM connections WHERE name = 'Snowflake East'
RETURNING name, type, account, host, warehouse, "user", role;
SELECT made_from(connection_id) FROM connections WHERE name = 'Snowflake via SQL';
-- a statement does not read what it makes
CREATE FOREIGN TABLE by_pages (name text, type text, warehouse text, account text, connection_id text, details jsonb) SERVER sigma
    OPTIONS (resource 'connections', page_size '2');
INSERT INTO by_pages (name, type, details)
SELECT 'Copy of ' || name, 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}' FROM by_pages WHERE type = 'postgres';
SELECT count(*) FROM by_pages WHERE name LIKE 'Copy of%';
SELECT count(*) FROM by_pages WHERE name LIKE 'Copy of Copy of%';

--
-- COPY FROM
--
COPY connections (name, type, host, details) FROM STDIN;
Five	postgres	db5	{"database": "app", "user": "u", "password": "x1x2"}
Six	postgres	db6	{"database": "app", "user": "u", "password": "x1x2"}
\.
SELECT name, type, made_from(connection_id)->>'host' AS host FROM connections WHERE name IN ('Five', 'Six') ORDER BY name;
SELECT count(*) > 0 AS forgotten FROM written();

--
-- Refused before any request
--
INSERT INTO connections (type, details) VALUES ('postgres', '{"host": "h"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, details) VALUES ('No type', '{"host": "h"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, details) VALUES ('Contradiction', 'postgres', '{"type": "mysql", "password": "not-to-be-seen"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, host, details) VALUES ('Contradiction', 'postgres', 'a', '{"host": null}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, details) VALUES ('No object', 'postgres', '["x"]');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, connection_id) VALUES ('Own id', 'postgres', '2f21ad19-084e-4cc3-8ead-000000000001');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, attrs) VALUES ('Attrs', 'postgres', '{}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type) VALUES ('Conflict', 'postgres') ON CONFLICT DO NOTHING;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type) VALUES ('Conflict', 'postgres') ON CONFLICT (name) DO NOTHING;
\echo :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
INSERT INTO connections (name, type) VALUES ('Read only', 'postgres');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
ALTER FOREIGN TABLE connections OPTIONS (ADD updatable 'false');
INSERT INTO connections (name, type) VALUES ('Not updatable', 'postgres');
\echo :LAST_ERROR_SQLSTATE
ALTER FOREIGN TABLE connections OPTIONS (SET updatable 'true');
ALTER SERVER sigma OPTIONS (ADD updatable 'false');
INSERT INTO connections (name, type) VALUES ('Not updatable', 'postgres');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER sigma OPTIONS (DROP updatable);
-- the same in both places is no contradiction
INSERT INTO connections (name, type, details) VALUES ('Twice', 'postgres', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "x1x2"}');
EXPLAIN (COSTS OFF) INSERT INTO connections (name, type) VALUES ('Explained', 'postgres');
SELECT written.* ~ 'Twice' AS only_one FROM written();

--
-- Refused by Sigma: as it says, without a secret (the detail has a request id, which differs from run to run)
--
\set VERBOSITY terse
INSERT INTO connections (name, type, details) VALUES ('Refused', 'postgres', '{"host": "h", "user": "u", "password": "not-to-be-seen"}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO connections (name, type, details) VALUES ('Refused', 'cuneiform', '{"password": "not-to-be-seen"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT count(*) FROM connections WHERE name = 'Refused';

--
-- A create acts at once; what a rollback leaves behind is named.  The simulator's ids are the same on every run.
--
ALTER SERVER sigma OPTIONS (ADD on_rollback 'keep');
CREATE FUNCTION made(name text) RETURNS text LANGUAGE sql AS
$$ SELECT sigma_create_connection('sigma', name, '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "x1x2"}')->>'name' $$;
BEGIN;
INSERT INTO connections (name, type, details) VALUES ('Rolled back', 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}');
SELECT made('Rolled back, too');
ROLLBACK;
SELECT name FROM connections WHERE name LIKE 'Rolled back%' ORDER BY name;
-- an error rolls back, too, be it our own or Sigma's; as a block, since psql may show the error before or after the warning
DO $$
BEGIN
    INSERT INTO connections (name, type, details)
    VALUES ('First of two', 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}'),
           ('Second of two', NULL, '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}');
EXCEPTION WHEN OTHERS THEN
    RAISE INFO '% %', SQLSTATE, SQLERRM;
END $$;
DO $$
BEGIN
    INSERT INTO connections (name, type, details)
    VALUES ('First of two', 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}'),
           ('Second of two', 'cuneiform', '{}'),
           ('Third of two', 'postgres', '{"host": "h", "database": "d", "user": "u", "password": "x1x2"}');
EXCEPTION WHEN OTHERS THEN
    RAISE INFO '% %', SQLSTATE, SQLERRM;
END $$;
SELECT name, count(*) FROM connections WHERE name LIKE '% of two' GROUP BY name;
-- savepoints: only what is rolled back is named
BEGIN;
SELECT made('Kept');
SAVEPOINT s;
SELECT made('Undone');
ROLLBACK TO s;
SAVEPOINT t;
SELECT made('Kept as well');
RELEASE t;
COMMIT;
-- released and then rolled back
BEGIN;
SAVEPOINT s;
SELECT made('Released');
RELEASE s;
ROLLBACK;
-- by default nothing is left, and the log shows who has seen to that
ALTER SERVER sigma OPTIONS (DROP on_rollback);
SELECT count(*) > 0 AS forgotten FROM written();
BEGIN;
SELECT made('Outer');
SAVEPOINT s;
SELECT made('Inner');
ROLLBACK TO s;
ROLLBACK;
SELECT regexp_replace(w, ' \{.*', '') FROM written() w;
SELECT name FROM connections WHERE name IN ('Outer', 'Inner');
-- nothing is left to warn of
BEGIN;
ROLLBACK;
-- what Sigma refused does not exist
\set VERBOSITY terse
BEGIN;
SELECT sigma_create_connection('sigma', 'Refused', '{"type": "cuneiform"}');
ROLLBACK;

DROP EXTENSION sigma_fdw CASCADE;
DROP SCHEMA w CASCADE;

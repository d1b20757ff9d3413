-- Reading connections.
\getenv url SIGMA_SIMULATOR_URL
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION sigma_fdw;
CREATE SERVER sigma FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url :'url');
CREATE USER MAPPING FOR CURRENT_USER SERVER sigma
    OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
-- the requests that reached the simulator since the last call
CREATE FUNCTION sent() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        SELECT concat(e->>'method', ' ', e->>'path', '?' || nullif(e->>'query', ''), ' ' || (e->>'status'))
          FROM jsonb_array_elements(sigma_request('sigma', 'GET', '/_sim/log') -> 'entries') e
         WHERE e->>'path' <> '/v2/auth/token';
    PERFORM sigma_request('sigma', 'DELETE', '/_sim/log');
END $$;

--
-- IMPORT FOREIGN SCHEMA
--
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE SCHEMA c;
CREATE SCHEMA d;
IMPORT FOREIGN SCHEMA whatever FROM SERVER sigma INTO a;
IMPORT FOREIGN SCHEMA public LIMIT TO (connections) FROM SERVER sigma INTO b;
IMPORT FOREIGN SCHEMA public EXCEPT (connections) FROM SERVER sigma INTO c;
IMPORT FOREIGN SCHEMA public LIMIT TO (sheep) FROM SERVER sigma INTO d;
IMPORT FOREIGN SCHEMA public FROM SERVER sigma INTO d OPTIONS (page_size '10');
\echo :LAST_ERROR_SQLSTATE
SELECT foreign_table_schema, foreign_table_name FROM information_schema.foreign_tables
 WHERE foreign_table_schema IN ('a', 'b', 'c', 'd') AND (foreign_table_name = 'connections' OR foreign_table_schema IN ('b', 'd'))
 ORDER BY 1, 2;
SELECT option_name, option_value FROM information_schema.foreign_table_options
 WHERE foreign_table_schema = 'a' AND foreign_table_name = 'connections';
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'a.connections'::regclass AND attnum > 0 ORDER BY attnum;
-- none of it needed a request
SELECT count(*) FROM sent();

SET search_path = a, public;

--
-- All rows, all kinds of values
--
SELECT name, type, account, host, warehouse, "user", role FROM connections ORDER BY name COLLATE "C";
SELECT connection_id, name, is_sample, is_archived, last_active_at, write_access FROM connections ORDER BY connection_id COLLATE "C";
\x on
\pset format unaligned
SELECT * FROM connections WHERE name = 'Snowflake West';
\pset format aligned
\x off
-- write-only columns are never read
SELECT count(*), count(details), count(description), count(timeout_secs), count(use_friendly_names) FROM connections;
-- the whole entry stands in attrs
SELECT count(*) FROM connections WHERE attrs->>'name' = name AND attrs->>'connectionId' = connection_id;
SELECT count(*) FROM sent() WHERE sent <> 'GET /v2/connections?limit=1000 200';

--
-- Filters, order, limits, aggregates
--
SELECT name FROM connections WHERE type = 'snowflake' AND NOT is_sample ORDER BY last_active_at DESC;
SELECT type, count(*) FROM connections GROUP BY type HAVING count(*) > 1 ORDER BY type COLLATE "C";
SELECT name FROM connections ORDER BY created_at DESC NULLS LAST LIMIT 2;
SELECT name FROM connections WHERE timeout->>'default' = '120' AND pool_sizes @> '{"adhocPoolSize": 16}';
SELECT count(*) FROM connections WHERE false;
SELECT count(*) FROM sent();
-- a page need not be larger than a LIMIT that nothing stands before
SELECT name FROM connections LIMIT 2;
SELECT name FROM connections OFFSET 1 LIMIT 1;
SELECT count(*) FROM (SELECT name FROM connections WHERE is_sample LIMIT 1) x;
SELECT * FROM sent();

--
-- A look-up by the key is one request; every clause is checked again here
--
SELECT name FROM connections WHERE connection_id = '2f21ad19-084e-4cc3-8ead-000000000001';
SELECT name FROM connections WHERE '2f21ad19-084e-4cc3-8ead-000000000001' = connection_id AND type = 'postgres';
SELECT name FROM connections WHERE connection_id = '2f21ad19-084e-4cc3-8ead-999999999999';
SELECT name FROM connections WHERE connection_id IN ('2f21ad19-084e-4cc3-8ead-000000000001', '2d46396b-4225-4e8b-8793-000000000002',
                                                     '2f21ad19-084e-4cc3-8ead-000000000001', NULL) ORDER BY name;
SELECT * FROM sent() ORDER BY 1;
-- what cannot be a key is no row, and no request goes astray
SELECT name FROM connections WHERE connection_id = '';
SELECT name FROM connections WHERE connection_id = '..';
SELECT name FROM connections WHERE connection_id = NULL;
SELECT * FROM sent();
SELECT name FROM connections WHERE connection_id = 'a/../b?c=d#e';
SELECT * FROM sent();

--
-- Joins, sub-selects, rescans
--
CREATE TABLE warehouse_inventory (account text, warehouse text, monthly_credits int);
INSERT INTO warehouse_inventory VALUES ('acme-east', 'COMPUTE_WH', 410), ('acme-west', 'REPORTING_WH', 75), ('acme-west', 'LOADING_WH', 230);
CREATE TABLE favourite (id text);
INSERT INTO favourite VALUES ('2f21ad19-084e-4cc3-8ead-000000000001'), ('13143c98-630e-416a-8d23-000000000003'), ('none');
ANALYZE warehouse_inventory, favourite;
SELECT i.warehouse, i.monthly_credits, c.name FROM warehouse_inventory i LEFT JOIN connections c USING (account, warehouse) ORDER BY 1;
SELECT a.name, b.name FROM connections a JOIN connections b ON a.account = b.account AND a.name <> b.name;
SELECT a.type, count(*) FROM connections a JOIN connections b USING (connection_id) GROUP BY a.type ORDER BY a.type LIMIT 3;
SELECT name FROM connections c WHERE EXISTS (SELECT FROM warehouse_inventory i WHERE i.account = c.account) ORDER BY name;
SELECT name FROM connections WHERE last_active_at = (SELECT max(last_active_at) FROM connections);
SELECT i.warehouse, c.n FROM warehouse_inventory i,
       LATERAL (SELECT count(*) AS n FROM connections c WHERE c.account = i.account AND c.warehouse >= i.warehouse) c ORDER BY 1;
SELECT count(*) > 0 FROM sent();
SELECT f.id, (SELECT c.name FROM connections c WHERE c.connection_id = f.id) FROM favourite f ORDER BY name NULLS LAST;
SELECT * FROM sent();
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT c.name FROM favourite f JOIN connections c ON c.connection_id = f.id ORDER BY 1;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT count(*) FROM connections a, connections b;
SELECT count(*) > 0 FROM sent();

--
-- Prepared statements and cursors
--
PREPARE by_id (text) AS SELECT name FROM connections WHERE connection_id = $1;
EXECUTE by_id ('2f21ad19-084e-4cc3-8ead-000000000001');
SET plan_cache_mode = force_generic_plan;
EXECUTE by_id ('2d46396b-4225-4e8b-8793-000000000002');
EXECUTE by_id (NULL);
EXPLAIN (COSTS OFF) EXECUTE by_id ('2d46396b-4225-4e8b-8793-000000000002');
PREPARE by_type (text) AS SELECT count(*) FROM connections WHERE type = $1;
EXECUTE by_type ('postgres');
EXECUTE by_type ('snowflake');
RESET plan_cache_mode;
SELECT * FROM sent();
BEGIN READ ONLY;
DECLARE one SCROLL CURSOR FOR SELECT name FROM connections;
DECLARE two CURSOR WITH HOLD FOR SELECT name FROM connections WHERE type = 'snowflake';
FETCH 2 FROM one;
FETCH 1 FROM two;
FETCH BACKWARD 1 FROM one;
FETCH ABSOLUTE 13 FROM one;
FETCH NEXT FROM one;
COMMIT;
FETCH ALL FROM two;
CLOSE two;

--
-- Tables made by hand: any columns, order, names and types
--
CREATE FOREIGN TABLE few (
    kind text OPTIONS (field 'type'),
    connection_id uuid,
    last_active_at date,
    gone int,
    "name" varchar(10),
    pools json OPTIONS (field 'poolSizes')
) SERVER sigma OPTIONS (resource 'connections', page_size '5');
SELECT count(*) >= 0 AS forgotten FROM sent();
ALTER FOREIGN TABLE few DROP COLUMN gone;
SELECT kind, connection_id, last_active_at, pools->>'adhocPoolSize' AS adhoc FROM few WHERE kind LIKE 's%' ORDER BY last_active_at;
SELECT kind FROM few WHERE connection_id = '2f21ad19-084e-4cc3-8ead-000000000001';
SELECT * FROM sent() ORDER BY sent COLLATE "C";
-- a value that does not fit its column
SELECT name FROM few ORDER BY 1;
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN TABLE bad_type (connection_id text, type integer) SERVER sigma OPTIONS (resource 'connections');
SELECT connection_id FROM bad_type ORDER BY 1 LIMIT 1;
SELECT type FROM bad_type;
\echo :LAST_ERROR_SQLSTATE
-- a column that Sigma does not know
CREATE FOREIGN TABLE bad_column (nmae text) SERVER sigma OPTIONS (resource 'connections');
SELECT * FROM bad_column;
\echo :LAST_ERROR_SQLSTATE
-- any field of the API can be named
CREATE FOREIGN TABLE other_field (name text, later text OPTIONS (field 'somethingThatComesLater')) SERVER sigma OPTIONS (resource 'connections');
SELECT count(*), count(later) FROM other_field;
-- the table's own name need not be a resource's, until it is used
CREATE FOREIGN TABLE conections (name text) SERVER sigma;
SELECT * FROM conections;
\echo :LAST_ERROR_SQLSTATE
-- archived connections are outside the table unless it says otherwise
CREATE FOREIGN TABLE with_archived (connection_id text, name text, is_archived bool) SERVER sigma
    OPTIONS (resource 'connections', include_archived 'true');
SELECT name FROM with_archived WHERE is_archived ORDER BY name;
SELECT (SELECT count(*) FROM with_archived), (SELECT count(*) FROM connections);
SELECT count(*) FROM with_archived w JOIN connections c USING (connection_id) WHERE w.is_archived;
SELECT connection_id AS archived_id FROM with_archived WHERE is_archived LIMIT 1 \gset
SELECT count(*) FROM connections WHERE connection_id = :'archived_id';
SELECT count(*) FROM with_archived WHERE connection_id = :'archived_id';

--
-- EXPLAIN makes no request
--
SELECT count(*) >= 0 AS forgotten FROM sent();
EXPLAIN (COSTS OFF) SELECT name FROM connections;
EXPLAIN (VERBOSE, COSTS OFF) SELECT name FROM connections WHERE type = 'snowflake';
EXPLAIN (COSTS OFF) SELECT name FROM connections LIMIT 3;
EXPLAIN (COSTS OFF) SELECT name FROM connections WHERE connection_id = '2f21ad19-084e-4cc3-8ead-000000000001';
EXPLAIN (COSTS OFF) SELECT name FROM connections WHERE connection_id = '..';
EXPLAIN (COSTS OFF) SELECT name FROM connections WHERE connection_id IN ('a', 'b');
EXPLAIN (COSTS OFF) SELECT kind FROM few;
EXPLAIN (COSTS OFF) SELECT name FROM with_archived;
DO $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (COSTS OFF, FORMAT JSON) SELECT name FROM a.connections' INTO plan;
    RAISE INFO '%', plan->0->'Plan'->'Remote Request';
END $$;
SELECT count(*) FROM sent();

--
-- Who signs in
--
CREATE ROLE regress_sigma_reader;
GRANT USAGE ON SCHEMA a TO regress_sigma_reader;
GRANT SELECT ON connections TO regress_sigma_reader;
CREATE VIEW of_owner AS SELECT name FROM connections;
GRANT SELECT ON of_owner TO regress_sigma_reader;
SET ROLE regress_sigma_reader;
SELECT name FROM connections;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM of_owner;
RESET ROLE;
CREATE USER MAPPING FOR regress_sigma_reader SERVER sigma OPTIONS (client_id 'second-client');
SET ROLE regress_sigma_reader;
SELECT name FROM connections;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER USER MAPPING FOR regress_sigma_reader SERVER sigma OPTIONS (ADD client_secret 'second-secret');
SET ROLE regress_sigma_reader;
SELECT name FROM connections ORDER BY name;
SELECT count(*) FROM of_owner;
RESET ROLE;
ALTER USER MAPPING FOR regress_sigma_reader SERVER sigma OPTIONS (SET client_secret 'wrong-secret');
SET ROLE regress_sigma_reader;
\set VERBOSITY terse
SELECT name FROM connections ORDER BY name;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- locking rows has no meaning in Sigma, and is no error
SELECT name FROM connections WHERE name = 'Snowflake East' FOR UPDATE;

DROP SCHEMA a, b, c, d CASCADE;
DROP EXTENSION sigma_fdw CASCADE;
DROP FUNCTION sent;
DROP ROLE regress_sigma_reader;

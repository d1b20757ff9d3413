-- A tour of sigma_fdw.  "make demo" runs it.

\set QUIET on
\pset pager off
\pset border 1
\pset null '-'
\pset footer on
\set VERBOSITY default
SET client_min_messages = warning;
SET datestyle = 'ISO';
SET timezone = 'UTC';

-- Which organization to use.  The credentials come from the environment, so that no file and no argument contains them.
\getenv region SIGMA_REGION
\getenv base_url SIGMA_BASE_URL
\getenv simulator_url SIGMA_SIMULATOR_URL
\getenv ca_file SIGMA_CA_FILE
\set by_ca_file :{?ca_file}
\getenv client_id SIGMA_CLIENT_ID
\getenv client_secret SIGMA_CLIENT_SECRET
\set simulated :{?simulator_url}
\if :simulated
    \set base_url :simulator_url
    \set by_url true
\else
    \set by_url :{?base_url}
\endif
\set QUIET off

\echo
\echo '=== 1. Set up: the extension, the organization, the credentials, the tables ==='
\echo
\set ECHO queries
CREATE EXTENSION sigma_fdw;

\if :by_url
CREATE SERVER sigma FOREIGN DATA WRAPPER sigma_fdw
    OPTIONS (base_url :'base_url');
\else
CREATE SERVER sigma FOREIGN DATA WRAPPER sigma_fdw
    OPTIONS (region :'region');
\endif

\if :by_ca_file
ALTER SERVER sigma OPTIONS (ADD ca_file :'ca_file');
\endif

\if :simulated
\else
-- so that nothing can be created in a real organization by mistake
ALTER SERVER sigma OPTIONS (ADD updatable 'false');
\endif

\set ECHO none
-- psql would show the statement with the values in it
\echo 'CREATE USER MAPPING FOR CURRENT_USER SERVER sigma'
\echo '    OPTIONS (client_id ''...'', client_secret ''...'');        -- the values are not shown'
CREATE USER MAPPING FOR CURRENT_USER SERVER sigma
    OPTIONS (client_id :'client_id', client_secret :'client_secret');
\unset client_id
\unset client_secret
\set ECHO queries

CREATE SCHEMA sigma;
IMPORT FOREIGN SCHEMA sigma FROM SERVER sigma INTO sigma;

\echo
\echo '=== 2. Sign in: whose credentials are these? ==='
\echo
SELECT * FROM sigma_whoami('sigma');

\echo '=== 3. List the connections ==='
\echo
SELECT name, type, warehouse, last_active_at::date AS last_active
  FROM sigma.connections
 WHERE NOT is_sample
 ORDER BY name
 LIMIT 25;

\echo '=== Which connections were not used for three months? ==='
\echo
SELECT type, count(*), min(last_active_at)::date AS longest_ago
  FROM sigma.connections
 WHERE last_active_at < (SELECT max(last_active_at) FROM sigma.connections) - interval '3 months'
 GROUP BY type
 ORDER BY type;

\echo '=== 4. Not only connections: people, workbooks, and everything else that Sigma lists ==='
\echo
\echo 'These are the tables whose names begin with "work"; \\det sigma.* shows all of them.'
\echo
\echo '\\det sigma.work*'
\det sigma.work*
SELECT member_type, count(*), count(*) FILTER (WHERE is_inactive) AS inactive
  FROM sigma.members
 GROUP BY member_type
 ORDER BY count(*) DESC, member_type;

SELECT w.name AS workbook, w.latest_version AS version, w.updated_at::date AS updated, m.email AS owner
  FROM sigma.workbooks w LEFT JOIN sigma.members m ON m.member_id = w.owner_id
 ORDER BY w.updated_at DESC
 LIMIT 5;

\echo '=== 5. Join with a local table ==='
\echo
CREATE TABLE warehouse_inventory (account text, warehouse text, monthly_credits numeric);

\if :simulated
INSERT INTO warehouse_inventory
VALUES ('acme-east', 'COMPUTE_WH', 410), ('acme-west', 'REPORTING_WH', 75),
       ('acme-west', 'LOADING_WH', 230);
\else
-- in place of your own figures
INSERT INTO warehouse_inventory
SELECT DISTINCT account, warehouse, 0 FROM sigma.connections WHERE warehouse IS NOT NULL
 ORDER BY account, warehouse LIMIT 10;
\endif

SELECT i.warehouse, i.monthly_credits, c.name, c.last_active_at::date AS last_active
  FROM warehouse_inventory i
  LEFT JOIN sigma.connections c USING (account, warehouse)
 ORDER BY i.monthly_credits DESC, i.warehouse, c.name
 LIMIT 25;

\echo '=== 6. What is sent to Sigma?  EXPLAIN shows the requests and sends none of them ==='
\echo
\pset footer off
EXPLAIN (VERBOSE, COSTS OFF)
SELECT name, warehouse FROM sigma.connections WHERE NOT is_sample;

EXPLAIN (VERBOSE, COSTS OFF)
SELECT name, warehouse FROM sigma.connections
 WHERE connection_id = '2f21ad19-084e-4cc3-8ead-000000000001';

\echo '=== EXPLAIN ANALYZE runs the query and counts its requests ==='
\echo
EXPLAIN (ANALYZE, COSTS OFF, TIMING ON, SUMMARY OFF)
SELECT i.warehouse, c.name
  FROM warehouse_inventory i JOIN sigma.connections c USING (account, warehouse);
\pset footer on

\if :simulated

\echo '=== 7. Create a connection by copying another one ==='
\echo
\echo 'Sigma never returns a key or a password, so you have to give them again.  The values here'
\echo 'are placeholders.'
\echo
INSERT INTO sigma.connections
       (name, type, account, host, warehouse, "user", role, details)
SELECT 'Snowflake via SQL', type, account, host, warehouse, "user", role,
       '{"authType": "key-pair",
         "privateKey": "PLACEHOLDER: your private key",
         "privateKeyPassphrase": "PLACEHOLDER: its passphrase"}'
  FROM sigma.connections
 WHERE name = 'Snowflake East'
RETURNING connection_id, name, warehouse;

\echo
\echo '=== 8. Create a connection with a function ==='
\echo
SELECT sigma_create_connection('sigma', 'Postgres prod',
           '{"type": "postgres", "host": "db", "database": "app",
             "user": "u", "password": "PLACEHOLDER: its password"}')
       ->> 'connectionId' AS connection_id;

\echo '=== Both exist now.  Can Sigma reach their warehouses? ==='
\echo
\echo '(The simulator has no warehouses behind it, and always says yes.)'
\echo
SELECT c.name, c.type, c.warehouse, t.read, t.write
  FROM sigma.connections c,
       sigma_test_connection('sigma', c.connection_id) t
 WHERE c.name IN ('Snowflake via SQL', 'Postgres prod')
 ORDER BY c.name;

\echo '=== 9. Change your mind: ROLLBACK takes everything back ==='
\echo
\set ECHO none
\set QUIET on
SET client_min_messages = notice;
\set QUIET off
\set ECHO queries
BEGIN;
INSERT INTO sigma.connections (name, details)
VALUES ('A mistake', '{"type": "postgres", "host": "db", "database": "app",
                       "user": "u", "password": "PLACEHOLDER: its password"}');
UPDATE sigma.connections SET name = 'Postgres (old)' WHERE name = 'Postgres prod';
DELETE FROM sigma.connections WHERE name = 'Snowflake via SQL';
SELECT name FROM sigma.connections WHERE name ~ 'mistake|prod|old|via SQL';
ROLLBACK;
SELECT name FROM sigma.connections WHERE name ~ 'mistake|prod|old|via SQL';

\echo '=== 10. See what would be sent before you send it ==='
\echo
BEGIN;
SET LOCAL sigma_fdw.dry_run = on;
UPDATE sigma.connections SET name = 'Postgres (old)' WHERE name = 'Postgres prod';
COMMIT;
\echo

\echo '=== 11. Describe the connections that you want: sigma_plan() shows what sigma_apply() would do ==='
\echo
CREATE TABLE wanted (name text, type text, details jsonb);
INSERT INTO wanted
VALUES ('Postgres prod', 'postgres', '{"host": "db", "database": "app", "user": "another",
                                       "password": "PLACEHOLDER: its password"}'),
       ('Postgres new', 'postgres', '{"host": "db", "database": "new", "user": "u",
                                      "password": "PLACEHOLDER: its password"}');
SELECT action, name, type, fields FROM sigma_plan('sigma', 'wanted') WHERE action <> 'archive';

\endif

\set ECHO none
\echo '=== Now yours ==='
\echo
\if :simulated
\echo '    read -rsp ''Client secret: '' SIGMA_CLIENT_SECRET && export SIGMA_CLIENT_SECRET'
\echo '    SIGMA_REGION=aws-us-east SIGMA_CLIENT_ID=... make demo     # the same, and it only reads there'
\echo '    sudo make install                                          # then README.md, "Five minutes"'
\else
\echo '    sudo make install                                          # into the PostgreSQL that you use'
\echo '    sudo -u postgres psql mydb -c ''CREATE EXTENSION sigma_fdw''  # in the database that you choose'
\echo '    less README.md                                             # go on at "Five minutes", step 3, below CREATE EXTENSION'
\echo
\echo 'This ran against your own organization, and changed nothing there.'
\endif

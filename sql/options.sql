-- Every option's name and value is checked when it is set.
CREATE EXTENSION sigma_fdw;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- a server with the options, and nothing left of it
CREATE FUNCTION server(options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := outcome('CREATE SERVER trial FOREIGN DATA WRAPPER sigma_fdw OPTIONS (' || options || ')');
BEGIN
    DROP SERVER IF EXISTS trial;
    RETURN result;
END $$;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse

-- exactly one of region and base_url
CREATE SERVER s FOREIGN DATA WRAPPER sigma_fdw;
SELECT server($$page_size '10'$$);
SELECT server($$region 'aws-us-east', base_url 'https://api.us-a.aws.sigmacomputing.com'$$);
SELECT server($$region 'aws-us-east'$$);
SELECT server($$base_url 'https://api.us-a.aws.sigmacomputing.com'$$);

-- names: the closest one, where it belongs, or all there are
SELECT server($$region 'aws-us-east', page_sise '10'$$);
SELECT server($$region 'aws-us-east', PAGE_SIZE '10'$$);
SELECT server($$region 'aws-us-east', something_else 'x'$$) ~ '^HV00D invalid option "something_else"\n    Valid options in this context are: region, base_url, [a-z_, ]+\.$';
SELECT server($$region 'aws-us-east', resource 'connections'$$);
-- a secret in the wrong place is not repeated
SELECT server($$region 'aws-us-east', client_secret 'not-to-be-seen'$$);
SELECT server($$region 'aws-us-east', client_id 'not-to-be-seen'$$);
SELECT server($$region 'aws-us-east', password 'not-to-be-seen'$$) ~ '^HV00D invalid option "password"\n    Valid options in this context are: region, base_url, [a-z_, ]+\.$';
SELECT outcome($$ALTER FOREIGN DATA WRAPPER sigma_fdw OPTIONS (ADD client_secret 'not-to-be-seen')$$);
SELECT outcome($$ALTER FOREIGN DATA WRAPPER sigma_fdw OPTIONS (ADD something_else 'x')$$);

-- regions
SELECT v || ': ' || server(format('region %L', v)) FROM unnest(ARRAY[
    'gcp-us', 'gcp-ksa', 'aws-us-west', 'aws-us-east', 'aws-ca', 'aws-eu', 'aws-au', 'aws-uk',
    'azure-us', 'azure-eu', 'azure-ca', 'azure-uk', 'azure-au',
    'aws-us-eats', 'the moon', '', 'https://api.us-a.aws.sigmacomputing.com', 'https://API.us-a.aws.sigmacomputing.com/v2', 'api.us-a.aws.sigmacomputing.com',
    'https://sigma.example.com']) v;
SELECT server($$base_url 'aws-us-east'$$);

-- a list that the catalogue does not know
CREATE FUNCTION foreign_table(options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    CREATE SERVER trial FOREIGN DATA WRAPPER sigma_fdw OPTIONS (region 'aws-us-east');
    result := outcome('CREATE FOREIGN TABLE trial (thing_id text) SERVER trial OPTIONS (' || options || ')');
    DROP SERVER trial CASCADE;
    RETURN result;
END $$;
SELECT o || ': ' || foreign_table(o) FROM unnest(ARRAY[
    $$path '/v2/things', paging 'page_token', key 'thing_id', item_path '/v2/things/{thing_id}', query 'a=b', entries 'things'$$,
    $$path '/v2/x/{thing_id}/y', paging 'none', parent 'workbooks'$$,
    $$path '/v2/things', resource 'workbooks'$$, $$key 'thing_id'$$, $$path 'v2/things'$$, $$path '/v2/things?a=b'$$, $$path '/v2/{thing_id'$$,
    $$path '/v2/things', paging 'pages'$$, $$path '/v2/things', item_path '/v2/things/{thing_id}'$$,
    $$path '/v2/things', key 'thing_id', item_path '/v2/things/{id}'$$, $$path '/v2/things', parent 'workbooks'$$,
    $$path '/v2/things', query 'a b'$$, $$path '/v2/things', query 'page=2'$$, $$path '/v2/things', paging 'page', query '{"limit": 5}'$$]) o;

-- rows behind an element; the column is no control's
SELECT o || ': ' || foreign_table(o) FROM unnest(ARRAY[
    $$resource 'element', workbook_id 'w', element_id 'e'$$,
    $$resource 'element', workbook_id 'w', element_id 'e', tag 'Production', parameters '{"Region": ["EMEA", "APAC"], "Year": 2026, "Paid?": true, "Of": null}', export_timeout '5min', export_rows '10', rows '5'$$,
    $$resource 'element'$$, $$resource 'element', element_id 'e'$$, $$resource 'element', workbook_id '', element_id 'e'$$,
    $$workbook_id 'w', element_id 'e'$$, $$resource 'workbooks', workbook_id 'w'$$, $$resource 'workbooks', parameters '{}'$$, $$resource 'workbooks', export_rows '10'$$,
    $$resource 'element', workbook_id 'w', element_id 'e', parameters '["Region"]'$$, $$resource 'element', workbook_id 'w', element_id 'e', parameters '{"Region": {"a": 1}}'$$,
    $$resource 'element', workbook_id 'w', element_id 'e', parameters '{"Region"'$$,
    $$resource 'element', workbook_id 'w', element_id 'e', export_rows '1000001'$$, $$resource 'element', workbook_id 'w', element_id 'e', export_timeout '0'$$,
    $$resource 'element', workbook_id 'w', element_id 'e', page_size '10'$$, $$resource 'element', workbook_id 'w', element_id 'e', on_error 'row'$$]) o;
SELECT v || ': ' || server(format('region %L, export_timeout %L', 'aws-us-east', v)) FROM unnest(ARRAY['1ms', '10min', '1d', '0', '2d', 'soon', '-1', '']) v;
SELECT v || ': ' || server(format('region %L, export_rows %L', 'aws-us-east', v)) FROM unnest(ARRAY['10', '1000000', '9', '1000001', 'all']) v;

-- URLs: https, or http on this machine; the value may hold a password and is not repeated
SELECT v || ': ' || server(format('base_url %L', v)) FROM unnest(ARRAY[
    'https://sigma.example.com', 'https://sigma.example.com/', 'https://sigma.example.com:8443/api', 'https://[2001:db8::1]:8443',
    'http://localhost:8080', 'http://127.0.0.1', 'http://127.1.2.3:80', 'http://[::1]:8080']) v;
SELECT v || ': ' || server(format('base_url %L', v)) FROM unnest(ARRAY[
    '', 'sigma.example.com', 'ftp://sigma.example.com', 'https://', 'https:///v2', 'https://sigma.example.com:0',
    'https://sigma.example.com:65536', 'https://sigma.example.com:', 'https://user@sigma.example.com',
    'https://sigma.example.com?x=1', 'https://sigma.example.com#x', 'https://sigma.example.com/a b',
    'https://sigma.example.com/../x', 'https://sigma.example.com//x', 'https://[::1', 'https://-x.example.com']) v;
SELECT v || ': ' || server(format('base_url %L', v)) FROM unnest(ARRAY[
    'http://sigma.example.com', 'http://127.0.0.1.example.com', 'http://localhost.example.com', 'http://128.0.0.1',
    'http://127.0.-0.1', 'http://127.0.0.256', 'http://127.0.0', 'http://127.1', 'http://127.0.0.1.', 'http://127.0.0.1.1', 'http://127.09.0.1',
    'http://0127.0.0.1', 'http://127.0.0.01', 'http://127..0.1', 'http://0x7f.0.0.1', 'http://2130706433', 'http://localhost.', 'http://[::2]']) v;
SELECT server($$base_url 'https://user:not-to-be-seen@sigma.example.com'$$);
SELECT server($$region 'aws-us-east', token_url 'https://sigma.example.com/token'$$);
SELECT server($$region 'aws-us-east', token_url 'http://sigma.example.com/token'$$);
SELECT server($$region 'aws-us-east', token_url 'sigma.example.com'$$);

-- the other options of a server: the ends of the range, and what is just outside
SELECT o || ' ' || v || ': ' || server(format('region ''aws-us-east'', %s %L', o, v))
  FROM (VALUES ('token_auth', ARRAY['body', 'basic', 'Basic', 'none', '']),
               ('connect_timeout', ARRAY['1ms', '1h', '10', '0.5', '1000us', '0', '0.4ms', '61min', '-1', '10 parsecs', 'soon', '']),
               ('request_timeout', ARRAY['1ms', '1d', '86400', '25h', '0']),
               ('max_retries', ARRAY['0', '100', '101', '-1', '5s', 'x', '']),
               ('page_size', ARRAY['1', '1000', '0', '1001', '10kB']),
               ('max_response_size', ARRAY['1', '1023MB', '64kB', '1GB', '1024MB', '0', '3GB', '5s']),
               ('max_concurrency', ARRAY['1', '64', '0', '65']),
               ('requests_per_minute', ARRAY['1', '1000000', '0', '1000001', '2.5']),
               ('ca_file', ARRAY['/etc/ssl/certs/ca.pem', 'ca.pem', '']),
               ('include_archived', ARRAY['true', 'off', '1', 'maybe', '']),
               ('updatable', ARRAY['false', 'yes', 'maybe']))
       AS t (o, vs), unnest(vs) v;

-- the same checks at ALTER SERVER
CREATE SERVER s FOREIGN DATA WRAPPER sigma_fdw OPTIONS (region 'aws-us-east', page_size '500');
SELECT outcome('ALTER SERVER s OPTIONS (' || o || ')') FROM unnest(ARRAY[
    $$SET page_size '1001'$$, $$SET page_size '1000'$$, $$DROP page_size$$, $$ADD pagesize '5'$$, $$SET region 'aws-us-eats'$$, $$DROP region$$,
    $$ADD base_url 'https://sigma.example.com'$$, $$DROP region, ADD base_url 'https://sigma.example.com'$$]) o;
SELECT srvoptions FROM pg_foreign_server WHERE srvname = 's';

-- user mappings
SELECT outcome('CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (' || o || ')') FROM unnest(ARRAY[
    $$client_id 'x', client_sceret 'not-to-be-seen'$$, $$client_id ''$$, $$client_id 'x', client_secret ''$$,
    $$password 'not-to-be-seen'$$, $$region 'aws-us-east'$$,
    $$client_id 'x', client_secret 'y', client_secret_file '/y'$$, $$client_id 'x', client_secret_file 'y'$$,
    $$client_id 'x', client_secret 'y'$$]) o;
SELECT outcome($$ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET client_secret '')$$);
SELECT outcome($$ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (ADD token 'not-to-be-seen')$$);
SELECT outcome($$ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (ADD client_secret_file '/y')$$);
SELECT outcome($$ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP client_secret, ADD client_secret_file '/y')$$);
SELECT outcome($$ALTER SERVER s OPTIONS (ADD client_secret_file '/y')$$);
SELECT v || ': ' || outcome(format('CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (impersonate %L)', v)) FROM unnest(ARRAY[
    '', 'ada', '@', 'ada@', '@example.com', 'ada@x@example.com', 'ada okafor@example.com', E'ada@example.com\n', 'ada+b@example.com']) v;
SELECT v || ': ' || outcome(format('ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD tenant %L)', v)) FROM unnest(ARRAY['', 'a b', E'a\tb', 'a-1']) v;
SELECT outcome($$ALTER SERVER s OPTIONS (ADD impersonate 'ada@example.com')$$);
SELECT outcome($$ALTER SERVER s OPTIONS (ADD tenant 'x')$$);

-- tables and columns
SELECT outcome('CREATE FOREIGN TABLE ' || d) FROM unnest(ARRAY[
    $$a (name text) SERVER s OPTIONS (resource 'connection')$$,
    $$a (name text) SERVER s OPTIONS (resource 'sheep and goats')$$,
    $$a (name text) SERVER s OPTIONS (resource '')$$,
    $$a (name text) SERVER s OPTIONS (resorce 'connections')$$,
    $$a (name text) SERVER s OPTIONS (client_secret 'not-to-be-seen')$$,
    $$a (name text) SERVER s OPTIONS (max_retries '5')$$,
    $$a (name text) SERVER s OPTIONS (page_size '0')$$,
    $$a (name text) SERVER s OPTIONS (include_archived 'maybe')$$,
    $$a (name text) SERVER s OPTIONS (updatable 'maybe')$$,
    $$a (name text) SERVER s OPTIONS (rows '-1')$$,
    $$a (name text) SERVER s OPTIONS (rows 'many')$$,
    $$a (name text) SERVER s OPTIONS (rows 'infinity')$$,
    $$a (name text OPTIONS (field '')) SERVER s$$,
    $$a (name text OPTIONS (feild 'name')) SERVER s$$,
    $$a (name text OPTIONS (resource 'connections')) SERVER s$$,
    $$connections (n text OPTIONS (field 'name')) SERVER s$$,
    $$b (name text) SERVER s OPTIONS (resource 'connections', page_size '1000', include_archived 'on', updatable 'off', rows '1e6')$$]) d;
SELECT outcome($$ALTER FOREIGN TABLE b OPTIONS (SET page_size '1001')$$);
SELECT outcome($$ALTER FOREIGN TABLE b ALTER COLUMN name OPTIONS (ADD feild 'x')$$);
SELECT ftoptions FROM pg_foreign_table ORDER BY ftrelid;

-- what the role that makes the server must be allowed
CREATE ROLE regress_sigma_user;
GRANT USAGE ON FOREIGN DATA WRAPPER sigma_fdw TO regress_sigma_user;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_sigma_user', current_database()); END $$;
SET ROLE regress_sigma_user;
SELECT o || ': ' || server(o) FROM unnest(ARRAY[
    $$region 'aws-eu'$$, $$base_url 'https://api.sigmacomputing.com'$$, $$base_url 'https://API.sigmacomputing.com/'$$,
    $$region 'aws-eu', token_url 'https://api.sigmacomputing.com/v2/auth/token'$$,
    $$base_url 'https://sigma.example.com'$$, $$base_url 'https://api.sigmacomputing.com.example.com'$$, $$base_url 'https://api.sigmacomputing.com:8443'$$,
    $$base_url 'http://api.sigmacomputing.com'$$, $$base_url 'http://localhost'$$,
    $$region 'aws-eu', token_url 'https://sigma.example.com/token'$$, $$region 'aws-eu', token_url 'http://127.0.0.1/token'$$,
    $$region 'aws-eu', ca_file '/etc/ssl/certs/ca.pem'$$]) o;
CREATE SERVER own FOREIGN DATA WRAPPER sigma_fdw OPTIONS (region 'aws-eu');
SELECT outcome($$ALTER SERVER own OPTIONS (DROP region, ADD base_url 'https://sigma.example.com')$$);
SELECT outcome($$ALTER SERVER own OPTIONS (ADD token_url 'https://sigma.example.com')$$);
RESET ROLE;
GRANT pg_read_server_files TO regress_sigma_user;
SET ROLE regress_sigma_user;
SELECT server($$region 'aws-eu', ca_file '/etc/ssl/certs/ca.pem'$$);
RESET ROLE;
-- an ALTER by another than a superuser checks what a superuser has set, too
ALTER SERVER own OPTIONS (DROP region, ADD base_url 'https://sigma.example.com');
SET ROLE regress_sigma_user;
SELECT outcome($$ALTER SERVER own OPTIONS (ADD page_size '10')$$);
RESET ROLE;

DROP OWNED BY regress_sigma_user;
DROP ROLE regress_sigma_user;
DROP EXTENSION sigma_fdw CASCADE;
DROP FUNCTION server, outcome;

-- Options that nobody has checked: of a wrapper that was made without the
-- validator, or whose servers are older than its validator.  They are checked
-- where they are read.

\ir lib/simulator.sql
SELECT * FROM no_plan();
SET client_min_messages = error;

CREATE FOREIGN DATA WRAPPER unchecked HANDLER sigma_fdw_handler;

-- The error of reading a table of a server with such options; what a column
-- holds must not matter.
CREATE FUNCTION unchecked(server text, mapping text DEFAULT '', relation text DEFAULT '', validator text DEFAULT 'VALIDATOR sigma_fdw_validator',
	statement text DEFAULT 'SELECT * FROM unchecked_table') RETURNS caught LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	DROP SERVER IF EXISTS unchecked CASCADE;
	ALTER FOREIGN DATA WRAPPER unchecked NO VALIDATOR;
	EXECUTE 'CREATE SERVER unchecked FOREIGN DATA WRAPPER unchecked' || coalesce(' OPTIONS (' || nullif(server, '') || ')', '');
	EXECUTE 'CREATE USER MAPPING FOR CURRENT_USER SERVER unchecked OPTIONS (' || coalesce(nullif(mapping, ''),
		'client_id ''simulator-client'', client_secret ''simulator-secret''') || ')';
	EXECUTE 'CREATE FOREIGN TABLE unchecked_table (connection_id text) SERVER unchecked OPTIONS ('
		|| coalesce(nullif(relation, ''), 'resource ''connections''') || ')';
	EXECUTE 'ALTER FOREIGN DATA WRAPPER unchecked ' || validator;
	c := catch(statement);
	RETURN c;
END $$;
CREATE FUNCTION refused(c caught, state text, message text, hint text, description text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN c.state = state AND c.message LIKE message AND c.hint LIKE hint THEN ok(true, description)
		ELSE ok(false, description) || E'\n' || diag(format(E'caught: %s: %s\nHINT: %s', c.state, c.message, c.hint)) END
$$;
SELECT format('base_url %L', sim_url()) AS url \gset

-- without the validator, nobody has asked who may name which host or file
SELECT refused(unchecked(:'url', validator => 'NO VALIDATOR'), '55000', 'options of server "unchecked" have not been checked',
	'%ALTER FOREIGN DATA WRAPPER unchecked VALIDATOR public.sigma_fdw_validator%', 'a wrapper without the validator');
SELECT refused(unchecked(:'url', validator => 'VALIDATOR postgresql_fdw_validator'), '55000',
	'options of server "unchecked" have not been checked', '%', 'a wrapper with the validator of another');
SELECT refused(unchecked(:'url', validator => 'NO VALIDATOR', statement => statement), '55000',
	'options of server "unchecked" have not been checked', '%', statement)
  FROM unnest(ARRAY['SELECT * FROM sigma_whoami(''unchecked'')',
	'SELECT * FROM sigma_request(''unchecked'', ''GET'', ''/v2/whoami'')', 'EXPLAIN SELECT * FROM unchecked_table',
	'ANALYZE unchecked_table', 'SELECT count(*) FROM unchecked_table', 'DELETE FROM unchecked_table', 'INSERT INTO unchecked_table VALUES (''x'')',
	'COPY unchecked_table FROM PROGRAM ''echo x''']) AS statement;
SELECT is((unchecked(:'url')).state, NULL, 'with it, all is well');
SELECT is((unchecked(:'url', statement => 'SELECT * FROM sigma_whoami(''unchecked'')')).state, NULL, 'for functions, too');

-- a server's
SELECT refused(unchecked(options, statement => statement), 'HV00D', message, '%region%', options || ': ' || statement)
  FROM (VALUES ('', 'a server needs the option "region" or "base_url"'), ('page_size ''10''', 'a server needs the option "region" or "base_url"'),
	('region ''aws-eu'', ' || :'url', 'options "region" and "base_url" exclude each other')) AS o (options, message),
	unnest(ARRAY['SELECT * FROM unchecked_table', 'SELECT * FROM sigma_whoami(''unchecked'')',
		'SELECT sigma_create_connection(''unchecked'', ''x'', ''{}'')', 'ANALYZE unchecked_table']) AS statement;
SELECT refused(unchecked(option || ' ' || quote_literal(value) || CASE WHEN option IN ('region', 'base_url') THEN ''
	ELSE ', ' || :'url' END), '22023', 'invalid value for option "' || option || '"', '%', option || ' ' || quote_literal(value))
  FROM (VALUES ('region', ''), ('region', 'the moon'), ('base_url', ''), ('base_url', '/'), ('base_url', '////'), ('base_url', 'file:///etc/passwd'),
	('base_url', 'http://sigma.example.com'), ('base_url', 'http://127.0.-0.1:8080'), ('token_url', ''), ('token_url', 'http://sigma.example.com/'),
	('token_auth', 'none'), ('connect_timeout', '-1'), ('request_timeout', 'x'), ('max_retries', '-1'), ('page_size', '0'), ('page_size', '-5'),
	('max_response_size', '-1'), ('max_response_size', '3GB'), ('max_concurrency', '0'), ('max_concurrency', '-1'),
		('max_concurrency', '1000000'), ('ca_file', 'x'),
	('include_archived', 'x'), ('updatable', 'x'), ('on_rollback', 'x'), ('rollback_timeout', 'x'), ('prefetch', ''), ('batch_size', '0')) AS o (option, value);

-- a user mapping's
SELECT refused(unchecked(:'url', mapping => options), state, message, '%', options)
  FROM (VALUES ('client_id '''', client_secret ''x''', '22023', 'invalid value for option "client_id"'),
	('client_id ''x'', client_secret ''''', '22023', 'invalid value for option "client_secret"'),
	('client_id ''x'', client_secret_file ''etc/passwd''', '22023', 'invalid value for option "client_secret_file"'),
	('client_id ''x'', client_secret ''x'', client_secret_file ''/etc/passwd''', 'HV00D',
		'options "client_secret" and "client_secret_file" exclude each other'),
	('client_id ''x'', client_secret ''x'', impersonate ''x''', '22023', 'invalid value for option "impersonate"'),
	('client_id ''x'', client_secret ''x'', tenant E''x\ny''', '22023', 'invalid value for option "tenant"')) AS o (options, state, message);

-- a table's, and a column's
SELECT refused(unchecked(:'url', relation => option || ' ' || quote_literal(value) || CASE WHEN option = 'resource' THEN ''
	ELSE ', resource ''connections''' END), '22023', 'invalid value for option "' || option || '"', '%', option || ' ' || quote_literal(value) || ' of a table')
  FROM (VALUES ('resource', ''), ('resource', 'conections'), ('page_size', '0'), ('page_size', '100000'), ('rows', '-1'),
	('rows', 'NaN'), ('rows', 'x'), ('include_archived', 'x'), ('on_error', 'x'), ('batch_size', '-1')) AS o (option, value);
SELECT is((unchecked(:'url')).state, NULL, 'a table without a wrong one');
ALTER FOREIGN DATA WRAPPER unchecked NO VALIDATOR;
ALTER FOREIGN TABLE unchecked_table ALTER COLUMN connection_id OPTIONS (ADD field '');
ALTER FOREIGN DATA WRAPPER unchecked VALIDATOR sigma_fdw_validator;
SELECT fails('SELECT * FROM unchecked_table', '22023', 'invalid value for option "field"', NULL, '%', 'an empty field of a column');

-- whose option it is
SELECT alike((unchecked('page_size ''x'', ' || :'url')).context, '%options of server "unchecked"%', 'the context says whose it is');
-- names that are unknown are of no use, and do no harm
SELECT is((unchecked('something ''x'', ' || :'url',
	'client_id ''simulator-client'', client_secret ''simulator-secret'', something ''x''',
	'resource ''connections'', something ''x''')).state, NULL, 'a name that is unknown');

SELECT * FROM finish();

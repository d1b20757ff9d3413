-- No secret is ever shown: not in the server's log at any level, not in what a
-- client is told.  And none goes to a server that is not the right one.

\ir lib/simulator.sql
\ir lib/secrets.sql
SELECT * FROM no_plan();
\ir lib/log.sql

-- -------------------------------------------------- every kind of failure

-- A client of its own, so that its secret stands in no file; a token is 64
-- hexadecimal digits, and each secret of a connection begins with "hush".
SELECT md5(random()::text) AS client_secret \gset
SELECT sim_start('quiet', format('--client-id quiet-client --client-secret %s', :'client_secret')) \g /dev/null
SELECT make_server('quiet', sim_url('quiet'), 'max_retries ''1''') \g /dev/null
ALTER USER MAPPING FOR CURRENT_USER SERVER quiet OPTIONS (SET client_id 'quiet-client', SET client_secret :'client_secret');
SELECT encode(convert_to('quiet-client:' || :'client_secret', 'UTF8'), 'base64') AS basic \gset
SELECT format('%s|%s|[Bb]earer [0-9a-zA-Z]|Basic [0-9a-zA-Z]|[0-9a-f]{64}|hush', :'client_secret', left(:'basic', 30)) AS secret_pattern \gset

CREATE TABLE vault (name text, details jsonb);
INSERT INTO vault VALUES
	-- Sigma shows the user of a connection
	('good', '{"type": "postgres", "host": "h", "database": "hush-database", "user": "u", "password": "hush-password"}'),
	('bad', '{"type": "postgres", "host": "hush-host", "password": "hush-password"}'),
	('untyped', '{"host": "hush-host", "password": "hush-password"}'),
	('key', '{"type": "snowflake", "user": "u", "privateKey": "-----BEGIN PRIVATE KEY-----\nhushhushhush\n-----END PRIVATE '
		'KEY-----", "privateKeyPassphrase": "hush-phrase"}');

-- A script whose own text holds no secret, with everything logged that can be;
-- what psql shows of it.
-- One whose text does hold secrets: PostgreSQL itself logs its parse tree, so
-- that is not asked for; and it logs where it looks for a library, with the
-- statement that needs it, so the library is there already.
CREATE FUNCTION loud(script text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(psql('EXPLAIN SELECT FROM quiet.connections; SET client_min_messages = debug5; '
		'SET log_min_messages = debug5; SET log_error_verbosity = verbose; ' || script), '')
$$;

SELECT log_size() AS start \gset
CREATE TABLE told (n int GENERATED ALWAYS AS IDENTITY, what text, told text);
\set create 'INSERT INTO quiet.connections (name, details) SELECT name, details FROM vault WHERE name = ''good'' RETURNING *;'
INSERT INTO told (what, told) SELECT 'a list', noisy('SELECT * FROM quiet.connections;');
INSERT INTO told (what, told) SELECT 'a look-up', noisy('SELECT * FROM quiet.connections WHERE connection_id = ''x'';');
INSERT INTO told (what, told) SELECT 'EXPLAIN', noisy('EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM quiet.connections; EXPLAIN (ANALYZE, VERBOSE) ' || :'create');
INSERT INTO told (what, told) SELECT 'IMPORT',
	noisy('CREATE SCHEMA imported; IMPORT FOREIGN SCHEMA x FROM SERVER quiet INTO imported; IMPORT FOREIGN SCHEMA x FROM SERVER quiet INTO imported;');
INSERT INTO told (what, told) SELECT 'a create', noisy(:'create');
INSERT INTO told (what, told) SELECT 'a create by function', noisy('SELECT sigma_create_connection(''quiet'', name, details) FROM vault WHERE name = ''key'';');
INSERT INTO told (what, told) SELECT 'a create that is rolled back', noisy('BEGIN; ' || :'create' || ' ROLLBACK;');
INSERT INTO told (what, told) SELECT 'a create that Sigma refuses',
	noisy('INSERT INTO quiet.connections (name, details) SELECT name, details FROM vault WHERE name = ''bad'';');
INSERT INTO told (what, told) SELECT 'a create without a type',
	noisy('INSERT INTO quiet.connections (name, details) SELECT name, details FROM vault WHERE name = ''untyped'';');
INSERT INTO told (what, told) SELECT 'a create that contradicts itself',
	noisy('INSERT INTO quiet.connections (name, host, details) SELECT name, ''x'', details FROM vault WHERE name = ''bad'';');
INSERT INTO told (what, told) SELECT 'a create by any request',
	noisy('SELECT sigma_request(''quiet'', ''POST'', ''/v2/connections'', NULL, jsonb_build_object(''name'', name, ''details'', '
	'details)) FROM vault WHERE name IN (''bad'', ''good'');');
INSERT INTO told (what, told) SELECT 'COPY of a row that Sigma refuses',
	noisy('COPY quiet.connections (name, details) FROM PROGRAM ''printf "bad\t{\"type\": \"postgres\", \"password\": \"hu%s-copied\"}\n" sh'';');
INSERT INTO told (what, told) SELECT 'COPY of a row without a type',
	noisy('COPY quiet.connections (name, details) FROM PROGRAM ''printf "bad\t{\"password\": \"hu%s-copied\"}\n" sh'';');
SELECT spoilt('quiet', '/v2/connections', 'body',
	'{"status": 400, "body": {"code": "hush-password", "requestId": "hush-database", "message": "password hush-password of hush-database"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a refusal that repeats secrets',
	noisy(:'create' || ' SELECT sigma_create_connection(''quiet'', name, details) FROM vault WHERE name = ''good'';');
SELECT spoilt('quiet', '/v2/connections', 'body',
	'{"status": 400, "body": {"code": "hush-phrase", "message": "line hushhushhush\n of the key with hush-phrase"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a refusal that repeats a key',
	noisy('INSERT INTO quiet.connections (name, details) SELECT name, details FROM vault WHERE name = ''key''; '
	'SELECT sigma_create_connection(''quiet'', name, details) FROM vault WHERE name = ''key'';');
SELECT spoilt('quiet', '/v2/connections*', 'status', '{"status": 500}') \g /dev/null
INSERT INTO told (what, told) SELECT 'status 500', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'status', '{"status": 401}') \g /dev/null
INSERT INTO told (what, told) SELECT 'status 401', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'status', '{"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a redirect', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'lost-reply') \g /dev/null
INSERT INTO told (what, told) SELECT 'a lost reply', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'reset') \g /dev/null
INSERT INTO told (what, told) SELECT 'a reset', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'body', '{"body": "words"}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a reply that is none', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/connections*', 'never') \g /dev/null
INSERT INTO told (what, told) SELECT 'a cancel', noisy('SET statement_timeout = 300; SELECT * FROM quiet.connections; ' || :'create');
INSERT INTO told (what, told) SELECT 'a termination', noisy('SELECT pg_sleep(0); BEGIN; SET LOCAL statement_timeout = 300; '
	|| :'create' || ' COMMIT; SELECT pg_terminate_backend(pg_backend_pid());');
SELECT spoilt('quiet', '/v2/auth/token', 'status', '{"status": 401}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a sign-in that is refused', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/auth/token', 'body', jsonb_build_object('status', 400, 'body',
	jsonb_build_object('message', format('unknown client quiet-client with %s, that is Basic %s', :'client_secret', :'basic')))) \g /dev/null
INSERT INTO told (what, told) SELECT 'a sign-in whose refusal repeats the secret', noisy('SELECT * FROM quiet.connections; ' || :'create');
SELECT spoilt('quiet', '/v2/auth/token', 'body', '{"body": {"access_token": "hush hush"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a token that is none', noisy('SELECT * FROM quiet.connections;');
SELECT spoilt('quiet', '/v2/auth/token', 'body', '{"body": {"access_token": "hush-hush"}}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a token that is not accepted', noisy('SELECT * FROM quiet.connections;');
SELECT sim_calm('quiet') \g /dev/null
ALTER SERVER quiet OPTIONS (ADD token_auth 'basic');
INSERT INTO told (what, told) SELECT 'sign-in by HTTP Basic', noisy('SELECT * FROM quiet.connections;');
SELECT spoilt('quiet', '/v2/auth/token', 'status', '{"status": 500}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a failed sign-in by HTTP Basic', noisy('SELECT * FROM quiet.connections;');
SELECT sim_calm('quiet') \g /dev/null
ALTER SERVER quiet OPTIONS (DROP token_auth);
SELECT make_server(mode, hostile_start(mode), 'max_retries ''0'', request_timeout ''500ms''') FROM unnest('{garbage,reset,silent}'::text[]) mode \g /dev/null
INSERT INTO told (what, told) SELECT mode,
	noisy(format('SELECT * FROM %s.connections; INSERT INTO %s.connections (name, details) SELECT name, details FROM vault;',
	mode, mode)) FROM unnest('{garbage,reset,silent}'::text[]) mode;
SELECT make_server('no_tls', replace(sim_url('quiet'), 'http:', 'https:'), 'max_retries ''0''') \g /dev/null
INSERT INTO told (what, told) SELECT 'no TLS', noisy('SELECT * FROM no_tls.connections;');
INSERT INTO told (what, told) SELECT 'functions',
	noisy('SELECT * FROM sigma_whoami(''quiet''); SELECT sigma_request(''quiet'', ''GET'', ''/v2/members''); '
	'SELECT sigma_test_connection(''quiet'', ''x''); SELECT sigma_request(''quiet'', ''POST'', ''/v2/auth/token''); SELECT sigma_fdw_version();');
INSERT INTO told (what, told) SELECT 'pg_stat_activity',
	noisy('SELECT query FROM pg_stat_activity WHERE backend_type <> ''client backend'' OR pid = pg_backend_pid();');

-- what a client is told may hold what it asked for, but nothing else; a row of
-- its own vault is not among it
SELECT is((SELECT string_agg(m[1], ' ') FROM regexp_matches(told, '(?:' || :'secret_pattern' || ')', 'g') m), NULL, 'nothing is told: ' || what)
FROM told WHERE what NOT IN ('COPY of a row that Sigma refuses', 'COPY of a row without a type') ORDER BY n;
SELECT is(log_has(:'start', :'secret_pattern'), NULL, 'nothing is logged, with every level at DEBUG5 and every plan printed');
SELECT cmp_ok((SELECT count(*)::int FROM told WHERE told ~ 'ERROR: '), '>', 15, 'though there was much to tell');
\if :readable
SELECT isnt(log_has(:'start', 'creating connection "good" may have been carried out'), NULL, 'and to log');
SELECT isnt(log_has(:'start', 'DEBUG: '), NULL, 'at every level');
\endif

-- ------------------------------------- statements that hold secrets themselves

SELECT sim_calm('quiet') \g /dev/null
SELECT log_size() AS start \gset
TRUNCATE told;
INSERT INTO told (what, told) SELECT 'a create that Sigma refuses',
	loud($$INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'one without a type', loud($$INSERT INTO quiet.connections (name, details) VALUES ('x', '{"password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'one that contradicts itself',
	loud($$INSERT INTO quiet.connections (name, type, details) VALUES ('x', 'mysql', '{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'one with ON CONFLICT',
	loud($$INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}') ON CONFLICT DO NOTHING;$$);
INSERT INTO told (what, told) SELECT 'one in a read-only transaction',
	loud($$BEGIN READ ONLY; SELECT sigma_create_connection('quiet', 'x', '{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'one by function', loud($$SELECT sigma_create_connection('quiet', 'x', '{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'one by any request',
	loud($$SELECT sigma_request('quiet', 'POST', '/v2/connections', NULL, '{"name": "x", "details": {"type": "postgres", "password": "hush"}}');$$);
INSERT INTO told (what, told) SELECT 'a path that is none',
	loud($$SELECT sigma_request('quiet', 'POST', 'v2/connections', NULL, '{"name": "x", "details": {"type": "postgres", "password": "hush"}}');$$);
INSERT INTO told (what, told) SELECT 'one in PL/pgSQL',
	loud($$DO $b$ BEGIN INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}'); END $b$;$$);
INSERT INTO told (what, told) SELECT 'one that is prepared',
	loud($$PREPARE p (jsonb) AS INSERT INTO quiet.connections (name, details) VALUES ('x', $1); EXECUTE p ('{"type": "postgres", "password": "hush"}');$$);
INSERT INTO told (what, told) SELECT 'an unknown server', loud($$SELECT sigma_create_connection('none', 'x', '{"type": "postgres", "password": "hush"}');$$);
SELECT spoilt('quiet', '/v2/connections*', 'never') \g /dev/null
INSERT INTO told (what, told) SELECT 'one that is cancelled',
	loud($$SET statement_timeout = 300; INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');
	SELECT sigma_create_connection('quiet', 'x', '{"type": "postgres", "password": "hush"}');$$);
SELECT spoilt('quiet', '/v2/auth/token', 'never') \g /dev/null
INSERT INTO told (what, told) SELECT 'one that is cancelled at sign-in',
	loud($$SET statement_timeout = 300; INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');
	SELECT sigma_create_connection('quiet', 'x', '{"type": "postgres", "password": "hush"}');$$);
SELECT spoilt('quiet', '/v2/connections*', 'lost-reply') \g /dev/null
INSERT INTO told (what, told) SELECT 'one whose reply is lost',
	loud($$INSERT INTO quiet.connections (name, details) VALUES ('x', '{"type": "postgres", "password": "hush"}');
	SELECT sigma_create_connection('quiet', 'x', '{"type": "postgres", "password": "hush"}');$$);
SELECT sim_calm('quiet') \g /dev/null
INSERT INTO told (what, told) SELECT 'an option that is misspelt',
	loud($$CREATE USER MAPPING FOR PUBLIC SERVER quiet OPTIONS (client_id 'a', client_secrte 'hush');$$);
INSERT INTO told (what, told) SELECT 'an option in the wrong place',
	loud($$CREATE SERVER q FOREIGN DATA WRAPPER sigma_fdw OPTIONS (region 'aws-us-east', client_secret 'hush');
	ALTER SERVER quiet OPTIONS (ADD client_secret 'hush'); CREATE FOREIGN TABLE f (name text) SERVER quiet OPTIONS (client_secret 'hush');$$);
INSERT INTO told (what, told) SELECT 'a URL with a password',
	loud($$CREATE SERVER q FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url 'https://hush:hush@api.sigmacomputing.com');$$);
INSERT INTO told (what, told) SELECT 'an empty secret beside another',
	loud($$CREATE USER MAPPING FOR PUBLIC SERVER quiet OPTIONS (client_id 'hush', client_secret '');$$);
-- psql shows the statement's own line at a syntax error only
SELECT alike(told, '%ERROR: %', what) FROM told ORDER BY n;
SELECT unalike(told, '%hush%', 'nothing is told: ' || what) FROM told ORDER BY n;
SELECT is(log_has(:'start', 'hush'), NULL, 'nothing is logged: not the statement either');
\if :readable
SELECT isnt(log_has(:'start', 'request refused by Sigma'), NULL, 'though the errors are');
\endif

-- ---------------------------------------------------------------------- TLS

SELECT sim_shell($$
	d=$(mktemp -d) && chmod 755 $d && cd $d &&
	{
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj '/CN=Test authority' -days 2
		for name in good wrong expired; do
			openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj "/CN=$name"
			case $name in wrong) san=DNS:other.example;; *) san=IP:127.0.0.1;; esac
			case $name in expired) days=0;; *) days=2;; esac
			echo "subjectAltName=$san" >$name.ext
			openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $days -extfile $name.ext -out $name.pem
		done
		printf 'no certificate\n' >words.pem
	} >/dev/null 2>&1
	echo $d
$$) AS certs \gset
SELECT sim_start('tls_' || name, format('--tls-cert %s/%s.pem --tls-key %s/%s.key', :'certs', name, :'certs', name))
	FROM unnest('{good,wrong,expired}'::text[]) name \g /dev/null
-- a certificate of zero days ends with the second that it began in
SELECT pg_sleep(1.1) \g /dev/null
SELECT make_server('tls_' || name, replace(sim_url('tls_' || name), 'http:', 'https:'), 'max_retries ''0''')
	FROM unnest('{good,wrong,expired}'::text[]) name \g /dev/null
SELECT fails('SELECT * FROM tls_good.connections', '08001',
	'certificate of server "tls_good" is not signed by a trusted authority', 'POST https://127.0.0.1:%/v2/auth/token: %',
	'%"ca_file"%', 'an unknown authority');
SELECT format('ALTER SERVER tls_%s OPTIONS (ADD ca_file %L)', name, :'certs' || '/ca.pem') FROM unnest('{good,wrong,expired}'::text[]) name \gexec
SELECT is((SELECT count(connection_id)::int FROM tls_good.connections), 13, 'ca_file cures that');
SELECT fails('SELECT * FROM tls_expired.connections', '08001', 'certificate of server "tls_expired" is expired or not yet valid',
	'POST https://127.0.0.1:%/v2/auth/token: %', '%clock%', 'an expired certificate');
SELECT fails('SELECT * FROM tls_wrong.connections', '08001', 'certificate of server "tls_wrong" was made for another host name',
	'POST https://127.0.0.1:%/v2/auth/token: %', '%host name%', 'a certificate for another host');
SELECT format('ALTER SERVER tls_good OPTIONS (SET ca_file %L)', :'certs' || '/none.pem') \gexec
SELECT fails('SELECT * FROM tls_good.connections', '08001', 'could not read the ca_file of server "tls_good"', NULL, '%PEM%', 'a ca_file that is not there');
SELECT format('ALTER SERVER tls_good OPTIONS (SET ca_file %L)', :'certs' || '/words.pem') \gexec
SELECT is(c.state, '08001', 'a ca_file that holds no certificate') FROM catch('SELECT * FROM tls_good.connections') c;
SELECT format('ALTER SERVER tls_good OPTIONS (SET ca_file %L)', :'certs' || '/ca.pem') \gexec
SELECT is((SELECT count(connection_id)::int FROM tls_good.connections), 13, 'and the right one again');
SELECT sim_shell('rm -r ' || :'certs') \g /dev/null

-- --------------------------------------------- where a secret may be sent

SELECT 'sigma_owner_' || pg_backend_pid() AS owner \gset
CREATE ROLE :owner;
GRANT USAGE ON FOREIGN DATA WRAPPER sigma_fdw TO :owner;
CREATE TABLE attempts (n int GENERATED ALWAYS AS IDENTITY, options text, role_state text, super_state text);
INSERT INTO attempts (options, role_state, super_state) VALUES
	('region ''aws-us-east''', 'none', 'none'),
	('base_url ''https://aws-api.sigmacomputing.com''', 'none', 'none'),
	('base_url ''https://AWS-API.sigmacomputing.com/''', 'none', 'none'),
	('base_url ''https://example.com''', '42501', 'none'),
	('base_url ''https://aws-api.sigmacomputing.com.example.com''', '42501', 'none'),
	('base_url ''https://aws-api.sigmacomputing.com:8443''', '42501', 'none'),
	('base_url ''https://127.0.0.1:1''', '42501', 'none'),
	('base_url ''http://127.0.0.1:1''', '42501', 'none'),
	('base_url ''http://localhost:1''', '42501', 'none'),
	('base_url ''http://[::1]:1''', '42501', 'none'),
	('base_url ''http://aws-api.sigmacomputing.com''', '22023', '22023'),
	('base_url ''http://127.0.0.1.example.com''', '22023', '22023'),
	('base_url ''http://2130706433''', '22023', '22023'),
	('base_url ''https://user@aws-api.sigmacomputing.com''', '22023', '22023'),
	('base_url ''https://aws-api.sigmacomputing.com@example.com''', '22023', '22023'),
	('base_url ''https://aws-api.sigmacomputing.com#@example.com''', '22023', '22023'),
	('base_url ''https://aws-api.sigmacomputing.com?x''', '22023', '22023'),
	('base_url ''https://aws-api.sigmacomputing.com\example.com''', '22023', '22023'),
	('base_url ''ftp://aws-api.sigmacomputing.com''', '22023', '22023'),
	('base_url ''file:///etc/passwd''', '22023', '22023'),
	('region ''aws-us-east'', token_url ''https://example.com/token''', '42501', 'none'),
	('region ''aws-us-east'', token_url ''http://127.0.0.1:1/token''', '42501', 'none'),
	('region ''aws-us-east'', ca_file ''/etc/ssl/certs/ca-certificates.crt''', '42501', 'none'),
	('region ''aws-us-east'', base_url ''https://api.sigmacomputing.com''', 'HV00D', 'HV00D'),
	('region ''moon''', '22023', '22023'),
	('page_size ''10''', 'HV00D', 'HV00D');
GRANT SELECT ON attempts TO :owner;
GRANT CREATE ON DATABASE :DBNAME TO :owner;
SELECT array_agg(coalesce((catch(format('CREATE SERVER super_%s FOREIGN DATA WRAPPER sigma_fdw OPTIONS (%s)', n, options))).state,
	'none') ORDER BY n) AS super FROM attempts \gset
SET ROLE :owner;
SELECT array_agg(coalesce((catch(format('CREATE SERVER role_%s FOREIGN DATA WRAPPER sigma_fdw OPTIONS (%s)', n, options))).state,
	'none') ORDER BY n) AS role FROM attempts \gset
SELECT coalesce((catch('ALTER SERVER role_1 OPTIONS (DROP region, ADD base_url ''https://example.com'')')).state, 'none') AS altered \gset
SELECT coalesce((catch('ALTER SERVER role_1 OPTIONS (ADD token_url ''https://example.com/'')')).state, 'none') AS altered_token \gset
RESET ROLE;
SELECT is((:'super'::text[])[n], super_state, 'a superuser: ' || options) FROM attempts ORDER BY n;
SELECT is((:'role'::text[])[n], role_state, 'another role: ' || options) FROM attempts ORDER BY n;
SELECT is(ARRAY[:'altered', :'altered_token'], '{42501,42501}', 'nor by ALTER SERVER');
DROP OWNED BY :owner CASCADE;
DROP ROLE :owner;

SELECT * FROM finish();

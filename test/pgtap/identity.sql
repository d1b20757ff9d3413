-- Secrets that stand in a file, and whom a mapping signs in as.

\ir lib/simulator.sql
\ir lib/secrets.sql
SELECT * FROM no_plan();
\ir lib/log.sql

SELECT sim_shell('mktemp -d') AS dir \gset
SELECT set_config('sim.dir', :'dir', false) \g /dev/null
-- a file of the server's user; the content is printf's
CREATE FUNCTION file(name text) RETURNS text LANGUAGE sql AS $$ SELECT current_setting('sim.dir') || '/' || name $$;
CREATE FUNCTION write_file(name text, content text, mode text DEFAULT '600') RETURNS void LANGUAGE sql AS $$
	SELECT sim_shell(format('f=%s; rm -f $f; (umask 077; printf %%b %s >$f.new); chmod %s $f.new; mv $f.new $f',
		sim_quote(file(name)), sim_quote(content), mode))
$$;

-- the same client with two secrets: who signs in with the second sees only two connections
SELECT md5(random()::text) AS first_secret, md5(random()::text) AS second_secret \gset
SELECT sim_start('kept', format('--client-id kept-client --client-secret %s --client-id kept-client --client-secret %s',
	:'first_secret', :'second_secret')) \g /dev/null
SELECT make_server('kept', sim_url('kept'), 'max_retries ''1''') \g /dev/null
CREATE FUNCTION rows() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	EXECUTE 'SELECT count(connection_id) FROM kept.connections' INTO n;
	RETURN n;
END $$;

-- -------------------------------------------------------- the option's checks

SELECT write_file('secret', :'first_secret' || '\n') \g /dev/null
\set mapping 'USER MAPPING FOR CURRENT_USER SERVER kept OPTIONS '
SELECT fails('ALTER ' || :'mapping' || '(ADD client_secret_file ''secret'', DROP client_secret)', '22023',
	'invalid value for option "client_secret_file"', NULL, '%absolute path%', 'a path that is not absolute');
SELECT fails('ALTER ' || :'mapping' || '(ADD client_secret_file '''', DROP client_secret)', '22023', NULL, NULL, '%absolute path%', 'an empty path');
SELECT fails('ALTER ' || :'mapping' || '(ADD client_secret_file ''/secret'')', 'HV00D',
	'options "client_secret" and "client_secret_file" exclude each other', NULL, '%ALTER USER MAPPING.', 'both a secret and a file');
SELECT fails('CREATE USER MAPPING FOR PUBLIC SERVER kept OPTIONS (client_id ''x'', client_secret ''y'', '
	'client_secret_file ''/secret'')', 'HV00D', '%exclude each other', NULL, NULL, 'at once, too');
SELECT fails(format('ALTER SERVER kept OPTIONS (ADD client_secret_file %L)', file('secret')), 'HV00D',
	'invalid option "client_secret_file"', NULL, 'The option "client_secret_file" belongs to a user mapping.', 'a server has no such option');
SELECT format('ALTER ' || :'mapping' || '(DROP client_secret, SET client_id ''kept-client'', ADD client_secret_file %L)', file('secret')) \gexec
SELECT fails('ALTER ' || :'mapping' || '(ADD client_secret ''x'')', 'HV00D', '%exclude each other', NULL, NULL, 'a secret beside a file');
SELECT lives_ok('ALTER ' || :'mapping' || '(DROP client_secret_file, ADD client_secret ''x'')', 'from a file to a secret');
SELECT lives_ok(format('ALTER ' || :'mapping' || '(ADD client_secret_file %L, DROP client_secret)', file('secret')), 'and back');

-- others than superusers
SELECT 'sigma_user_' || pg_backend_pid() AS role, 'sigma_other_' || pg_backend_pid() AS other \gset
CREATE ROLE :role LOGIN;
CREATE ROLE :other LOGIN;
GRANT USAGE ON FOREIGN SERVER kept TO :role;
GRANT USAGE ON SCHEMA kept TO :role;
GRANT SELECT ON ALL TABLES IN SCHEMA kept TO :role;
GRANT pg_read_server_files TO :role;
SET ROLE :role;
SELECT fails(format('CREATE ' || :'mapping' || '(client_id ''kept-client'', client_secret_file %L)', '/none/at/all'), '42501',
	'permission denied to set option "client_secret_file"', NULL, 'Only a superuser may do that%',
	'another role may not name a file, whatever files it may read');
RESET ROLE;
SELECT format('CREATE USER MAPPING FOR %I SERVER kept OPTIONS (client_id ''kept-client'', client_secret_file %L)', :'role', file('secret')) \gexec
SET ROLE :role;
SELECT is((SELECT count(connection_id)::int FROM kept.connections), 13, 'but may sign in by what a superuser has set');
SELECT fails('ALTER ' || :'mapping' || '(SET client_id ''x'')', '42501', 'permission denied to set option "client_secret_file"',
	NULL, NULL, 'it cannot alter such a mapping');
RESET ROLE;
DROP USER MAPPING FOR :role SERVER kept;

-- ----------------------------------------------------------- what is read

SELECT is(rows(), 13, 'a secret in a file, with a newline at its end');
SELECT is(sim_sign_ins('kept'), 2, 'one sign-in for each of two roles so far');
-- what the next sign-in makes of the file
CREATE FUNCTION with_file(content text, mode text DEFAULT '600') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM write_file('secret', content, mode);
	PERFORM sim_call('POST', 'revoke-tokens', NULL, 'kept');
	PERFORM sim_calm('kept');
	c := catch('SELECT * FROM kept.connections');
	RETURN coalesce(c.state || ' ' || c.message || ': ' || regexp_replace(c.detail, '^File "[^"]*" ', ''), 'taken');
END $$;
CREATE TABLE contents (n int GENERATED ALWAYS AS IDENTITY, what text, before text, after text, mode text DEFAULT '600', problem text);
INSERT INTO contents (what, before, after, mode) VALUES
	('no newline', '', '', DEFAULT), ('a newline of Windows', '', '\r\n', DEFAULT), ('mode 0400', '', '\n', '400'), ('mode 0700', '', '\n', '700');
INSERT INTO contents (what, before, after, mode, problem) VALUES
	('mode 0644', '', '\n', '644', 'has group or world access.'), ('mode 0640, owned by the server''s user', '', '\n', '640', 'has group or world access.'),
	('mode 0601', '', '\n', '601', 'has group or world access.'), ('mode 0620', '', '\n', '620', 'has group or world access.'),
	('a second line', '', '\nmore\n', DEFAULT, 'holds control characters, or more than one line.'),
		('two newlines', '', '\n\n', DEFAULT, 'holds control characters, or more than one line.'),
	('a NUL', '', '\0000x', DEFAULT, 'holds control characters, or more than one line.'),
		('a tab', '\t', '', DEFAULT, 'holds control characters, or more than one line.'),
	('what is no text', '\0377', '', DEFAULT, 'holds what is no text in the database''s encoding.'), ('a space before it', ' ', '', DEFAULT, NULL);
SELECT is(with_file(before || :'first_secret' || after, mode), CASE WHEN before = ' '
	THEN '28000 server "kept" refused the sign-in: We cannot verify your identity.  Please try again later.: POST '
	|| sim_url('kept') || '/v2/auth/token: HTTP status 401, code "unauthorized"'
	WHEN problem IS NULL THEN 'taken' ELSE '28000 could not use the client_secret_file of the user mapping for server "kept": ' || problem END, what)
FROM contents WHERE before <> ' ' ORDER BY n;
SELECT alike(with_file(' ' || :'first_secret'), '28000 server "kept" refused the sign-in: %', 'a space is a part of the secret');
SELECT is(with_file(''), '28000 could not use the client_secret_file of the user mapping for server "kept": is empty.', 'an empty file');
SELECT is(with_file('\n'), '28000 could not use the client_secret_file of the user mapping for server "kept": is empty.', 'an empty line');
SELECT is(with_file(repeat('x', 65537)),
	'28000 could not use the client_secret_file of the user mapping for server "kept": is larger than 64 kB.', 'a file that is too large');
SELECT alike(with_file(repeat('x', 65535) || '\n'), '28000 server "kept" refused the sign-in: %', 'one that is not');
-- what is no file, and what is not ours
SELECT with_file(:'first_secret') \g /dev/null
SELECT sim_shell(format('cd %s && mkfifo -m 600 pipe && ln -s secret link && mkdir -m 700 directory', sim_quote(:'dir'))) \g /dev/null
CREATE FUNCTION with_path(path text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER USER MAPPING FOR CURRENT_USER SERVER kept OPTIONS (SET client_secret_file %L)', path);
	RETURN coalesce((catch('SELECT * FROM kept.connections')).detail, 'taken');
END $$;
SELECT is(with_path(file('none')), format('File "%s" could not be opened: No such file or directory.', file('none')), 'a file that is not there');
SELECT is(with_path(file('pipe')), format('File "%s" is not a regular file.', file('pipe')), 'a pipe, which is not waited for');
SELECT is(with_path(file('directory')), format('File "%s" is not a regular file.', file('directory')), 'a directory');
SELECT is(with_path('/dev/null'), 'File "/dev/null" is not a regular file.', 'a device');
SELECT is(with_path('/etc/passwd'), 'File "/etc/passwd" has group or world access.', 'a file that root has for all to read');
SELECT is(with_path(file('link')), 'taken', 'a link to the right one');
SELECT is(with_path(file('none')), format('File "%s" could not be opened: No such file or directory.', file('none')), 'and none again');
SELECT fails('SELECT * FROM kept.connections', '28000', NULL, NULL,
	'It must hold one line of text, the secret, and have permissions u=rw (0600) or less%', 'a hint says how it must be');
SELECT lives_ok('EXPLAIN SELECT * FROM kept.connections', 'EXPLAIN does not need it');
SELECT is((SELECT array_agg(step || ' ' || ok || ': ' || detail || ' ' || hint) FROM sigma_check('kept')),
	ARRAY[format('mapping false: could not use the client_secret_file of the user mapping for server "kept" (File "%s" could not '
	'be opened: No such file or directory.) It must hold one line of text, the secret, and have permissions u=rw (0600) or less '
	'if the database server''s user owns it, or u=rw,g=r (0640) or less if root does. To name another file: ALTER USER MAPPING FOR %I '
	'SERVER kept OPTIONS (SET client_secret_file ''...'').', file('none'), current_user)], 'sigma_check() tells it');
SELECT is(with_path(file('secret')), 'taken', 'and the right one');
SELECT is((SELECT array_agg(step) FROM (SELECT * FROM sigma_check('kept') LIMIT 8) s WHERE ok AND step IN ('mapping', 'token',
	'identity')), '{mapping,token,identity}', 'sigma_check() is content');

-- ---------------------------------------------------- a file that is replaced

SELECT with_file(:'first_secret' || '\n') \g /dev/null
SELECT write_file('secret', :'second_secret' || '\n') \g /dev/null
SELECT sim_calm('kept') \g /dev/null
SELECT is(ARRAY[rows(), sim_sign_ins('kept')], '{13,0}', 'while the token is good, nobody looks at the file');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'kept') \g /dev/null
SELECT is(ARRAY[rows(), sim_sign_ins('kept')], '{2,1}', 'the next sign-in of an open session is with the new secret');
-- between a token request that failed and the next try
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT sim_calm('kept') \g /dev/null
SELECT sim_fault('{"path": "/v2/auth/token", "do": "status", "status": 503, "headers": {"Retry-After": "2"}}', 'kept') \g /dev/null
SELECT dblink_send_query('other', 'SELECT count(connection_id)::int FROM kept.connections') \g /dev/null
DO $$ BEGIN FOR i IN 1..200 LOOP EXIT WHEN sim_sign_ins('kept') = 1; PERFORM pg_sleep(0.02); END LOOP; END $$;
SELECT write_file('secret', :'first_secret' || '\n') \g /dev/null
SELECT is(n, 13, 'a retry is with the new secret, too') FROM dblink_get_result('other') r (n int);
SELECT is(sim_sign_ins('kept'), 2, '... after one with the old');
SELECT dblink_disconnect('other') \g /dev/null
-- several calls that wait at once fail with it
CREATE FOREIGN TABLE long (connection_id text, name text) SERVER kept OPTIONS (resource 'connections', rows '100000');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'kept') \g /dev/null
CREATE TABLE ids AS SELECT connection_id FROM kept.connections LIMIT 8;
ANALYZE ids;
SELECT is((SELECT count(name)::int FROM ids JOIN long USING (connection_id)), 8, 'a join by key');
SELECT sim_shell('rm ' || sim_quote(file('secret'))) \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'kept') \g /dev/null
SELECT fails('SELECT count(name) FROM ids JOIN long USING (connection_id)', '28000', 'could not use the client_secret_file%',
	NULL, NULL, 'a join whose calls all wait for a sign-in that cannot be');
SELECT fails($$INSERT INTO kept.connections (name, details) VALUES ('x', '{"type": "postgres", "host": "h", "database": "d"}')$$,
	'28000', 'could not use the client_secret_file%', NULL, NULL, 'a create leaves no doubt');
SELECT write_file('secret', :'first_secret') \g /dev/null
SELECT is(rows(), 13, 'and all is well when the file is back');
ALTER SERVER kept OPTIONS (ADD token_auth 'basic');
SELECT is(rows(), 13, 'with HTTP Basic, too');
ALTER SERVER kept OPTIONS (DROP token_auth);

-- ------------------------------------------------------------ nothing is shown

-- a script with everything logged that can be; what psql shows of it
CREATE TABLE told (n int GENERATED ALWAYS AS IDENTITY, what text, told text);
SELECT log_size() AS start \gset
SELECT format('%s|%s|[Bb]earer [0-9a-zA-Z]|Basic [0-9a-zA-Z]|[0-9a-f]{64}', :'first_secret', :'second_secret') AS secret_pattern \gset
INSERT INTO told (what, told) SELECT 'a list', noisy('SELECT * FROM kept.connections;');
INSERT INTO told (what, told) SELECT 'the mapping', noisy('SELECT umoptions FROM pg_user_mappings; SELECT umoptions FROM pg_user_mapping;');
INSERT INTO told (what, told) SELECT 'sigma_check()', noisy('SELECT * FROM sigma_check(''kept'');');
SELECT spoilt('kept', '/v2/auth/token', 'body', jsonb_build_object('status', 400, 'body',
	jsonb_build_object('message', 'no such secret: ' || :'first_secret'))) \g /dev/null
INSERT INTO told (what, told) SELECT 'a refusal that repeats the secret', noisy('SELECT * FROM kept.connections;');
SELECT spoilt('kept', '/v2/connections', 'body', jsonb_build_object('status', 400, 'body',
	jsonb_build_object('message', 'no such secret: ' || :'first_secret'))) \g /dev/null
INSERT INTO told (what, told) SELECT 'a failed request that repeats it', noisy('SELECT * FROM kept.connections;');
SELECT sim_calm('kept') \g /dev/null
SELECT write_file('secret', :'first_secret' || '\nmore\n') \g /dev/null
INSERT INTO told (what, told) SELECT 'a file that is not as it must be', noisy('SELECT * FROM kept.connections;');
SELECT write_file('secret', :'first_secret', '644') \g /dev/null
INSERT INTO told (what, told) SELECT 'a file that others may read', noisy('SELECT * FROM kept.connections;');
SELECT write_file('secret', :'first_secret') \g /dev/null
SELECT is((SELECT string_agg(m[1], ' ') FROM regexp_matches(told, '(' || :'secret_pattern' || ')', 'g') m), NULL,
	'nothing is told: ' || what) FROM told ORDER BY n;
SELECT is(log_has(:'start', :'secret_pattern'), NULL, 'nothing is logged, with every level at DEBUG5');
SELECT cmp_ok((SELECT count(*)::int FROM told WHERE told ~ 'ERROR: +28000|ERROR: +22023'), '>=', 4, 'though there was something to tell');
\if :readable
SELECT isnt(log_has(:'start', 'could not use the client_secret_file'), NULL, 'and to log');
\endif
SELECT sim_shell(format('%s -d %s --schema-only', sim_quote((SELECT setting FROM pg_config WHERE name = 'BINDIR') || '/pg_dump'),
	sim_quote(current_setting('sim.conninfo')))) AS dump \gset
SELECT alike(:'dump'::text, format('%%CREATE USER MAPPING FOR %% SERVER kept OPTIONS (%%client_secret_file ''%s''%%', file('secret')), 'a dump names the file');
SELECT ok(:'dump'::text !~ :'first_secret', '... and does not hold the secret');

-- ------------------------------------------------------ to speak as another

-- three identities of one client: its own, a member who sees only two
-- connections, and one who sees all
SELECT md5(random()::text) AS admin_secret \gset
SELECT sim_start('many', format('--client-id admin-client --client-secret %s --client-id second-client --client-secret '
	'second-secret', :'admin_secret')) \g /dev/null
SELECT make_server('many', sim_url('many'), 'max_retries ''1''') \g /dev/null
ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (SET client_id 'admin-client', SET client_secret :'admin_secret');
CREATE TABLE people AS SELECT member_id, email, member_type FROM many.members;
CREATE TABLE tenants AS SELECT tenant_organization_id AS id, row_number() OVER () AS n FROM many.tenants;
SELECT email AS viewer, member_id AS viewer_id FROM people WHERE member_type = 'Viewer' ORDER BY email LIMIT 1 \gset
SELECT email AS creator, member_id AS creator_id FROM people WHERE member_type = 'Creator' ORDER BY email LIMIT 1 \gset
SELECT id AS tenant FROM tenants WHERE n = 2 \gset
GRANT USAGE ON FOREIGN SERVER many TO :role, :other;
GRANT USAGE ON SCHEMA many TO :role, :other;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA many TO :role, :other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO :role, :other;
SELECT format('CREATE USER MAPPING FOR %I SERVER many OPTIONS (client_id ''admin-client'', client_secret %L, impersonate %L)', r, :'admin_secret', e)
FROM (VALUES (:'role', :'viewer'), (:'other', :'creator')) v (r, e) \gexec

SELECT sim_calm('many') \g /dev/null
SET ROLE :role;
SELECT user_id AS role_is FROM sigma_whoami('many') \gset
RESET ROLE;
SELECT is(:'role_is'::text, :'viewer_id', 'the role is that member');
SELECT is(sim_token_requests('many'), '{"body 200","exchange 200"}', '... by an exchange after a sign-in');
SET ROLE :role;
SELECT count(connection_id)::int AS role_sees FROM many.connections \gset
SET ROLE :other;
SELECT user_id AS other_is FROM sigma_whoami('many') \gset
SELECT count(connection_id)::int AS other_sees FROM many.connections \gset
INSERT INTO many.connections (name, details) VALUES ('by another', '{"type": "postgres", "host": "h", "database": "d"}') RETURNING created_by \gset other_
RESET ROLE;
SELECT user_id AS admin_is FROM sigma_whoami('many') \gset
SELECT is(:role_sees, 2, 'who may not see all does not');
SELECT is(ARRAY[:'other_is', :'other_created_by', :other_sees::text], ARRAY[:'creator_id', :'creator_id', '13'],
	'another role is another member, to whom belongs what it creates');
SELECT is((SELECT member_type FROM people WHERE member_id = :'admin_is'), 'Admin', 'and the owner is who the credentials belong to');
-- one after the other, many times, in one session
SET ROLE :role;
SELECT count(*) FROM many.members LIMIT 1 \g /dev/null
SET ROLE :other;
SELECT count(*) FROM many.members LIMIT 1 \g /dev/null
RESET ROLE;
SELECT count(*) FROM many.members LIMIT 1 \g /dev/null
SET ROLE :role;
SELECT count(*) FROM many.teams LIMIT 1 \g /dev/null
RESET ROLE;
SELECT is((SELECT count(*)::int FROM (SELECT token FROM sim_log('many') GROUP BY token
	HAVING count(DISTINCT coalesce("as", 'the client')) > 1) t), 0, 'no token was used for two of them');
SELECT is((SELECT array_agg(DISTINCT coalesce("as", 'the client') ORDER BY coalesce("as", 'the client')) FROM sim_log('many')),
	(SELECT array_agg(w ORDER BY w) FROM unnest(ARRAY['the client', :'viewer', :'creator']) w), 'each has had its turn');
SELECT is((SELECT count(DISTINCT token)::int FROM sim_log('many')), 3, '... with one token');
SELECT is((SELECT count(*)::int FROM unnest(sim_token_requests('many')) r WHERE r LIKE 'exchange%'), 2, 'there was one exchange for each');
-- a view is its owner's, here too
SELECT format('CREATE VIEW seen AS SELECT connection_id FROM many.connections; GRANT SELECT ON seen TO %I', :'role') \gexec
SET ROLE :role;
SELECT count(*)::int AS seen FROM seen \gset
RESET ROLE;
SELECT is(:seen, 14, 'a view speaks as its owner');
DROP VIEW seen;

-- tenants
SELECT format('ALTER USER MAPPING FOR %I SERVER many OPTIONS (DROP impersonate, ADD tenant %L)', :'role', :'tenant') \gexec
SET ROLE :role;
SELECT user_id AS tenant_user, organization_id AS tenant_is FROM sigma_whoami('many') \gset
RESET ROLE;
SELECT is(:'tenant_is'::text, :'tenant', 'a tenant');
SELECT ok(:'tenant_user' NOT IN (SELECT member_id FROM people), '... as its admin');
SELECT format('ALTER USER MAPPING FOR %I SERVER many OPTIONS (ADD impersonate %L)', :'role', :'creator') \gexec
SET ROLE :role;
SELECT user_id AS tenant_user, organization_id AS tenant_is FROM sigma_whoami('many') \gset
RESET ROLE;
SELECT is(ARRAY[:'tenant_is', :'tenant_user'], ARRAY[:'tenant', :'creator_id'], 'a member in a tenant');
SELECT is((SELECT "as" FROM sim_log('many') ORDER BY n DESC LIMIT 1), :'creator' || ' ' || :'tenant', '... and so it is logged there');
SELECT format('ALTER USER MAPPING FOR %I SERVER many OPTIONS (DROP tenant)', :'role') \gexec

-- ---------------------------------------------------------- what is refused

-- as the current user, from here on
SELECT format('ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (ADD impersonate %L)', 'nobody@example.com') \gexec
SELECT sim_calm('many') \g /dev/null
SELECT fails('SELECT * FROM many.connections', '28000',
	'server "many" refused the sign-in as "nobody@example.com": We cannot verify your identity.%',
	'POST %/v2/auth/token: HTTP status 401, code "unauthorized", requestId %',
	'The client credentials must belong to an admin, and Sigma must have enabled impersonation (a beta feature)%Check '
	'impersonate and tenant%', 'nobody of that name');
SELECT is(sim_token_requests('many'), '{"body 200","exchange 401"}', '... is found out at the exchange');
SELECT is((catch('SELECT * FROM many.connections')).state, '28000', 'again');
SELECT is(sim_token_requests('many'), '{"body 200","exchange 401","body 200","exchange 401"}', '... with a fresh sign-in');
SELECT is((SELECT array_agg(format('%s %s: %s', step, ok, regexp_replace(detail, ': We cannot .*', ''))) FROM sigma_check('many')
	WHERE step IN ('mapping', 'token', 'identity')),
	ARRAY[format('mapping t: user mapping of "%s", which signs in as "nobody@example.com"', current_user),
		'token f: server "many" refused the sign-in as "nobody@example.com"'], 'sigma_check() tells the step');
ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (DROP impersonate, ADD tenant 'none');
SELECT fails('SELECT * FROM many.connections', '28000', 'server "many" refused the sign-in to tenant "none": %', NULL, NULL, 'no tenant of that name');
SELECT format('ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (ADD impersonate %L)', :'creator') \gexec
SELECT fails('SELECT * FROM many.connections', '28000', format('server "many" refused the sign-in as "%s" to tenant "none": %%',
	:'creator'), NULL, NULL, 'nor for a member');
ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (DROP tenant, SET client_id 'second-client', SET client_secret 'second-secret');
SELECT fails('SELECT * FROM many.connections', '28000', format('server "many" refused the sign-in as "%s": %%', :'creator'), NULL,
	'%must belong to an admin%', 'credentials that are no admin''s');
ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (SET client_secret 'wrong');
SELECT fails('SELECT * FROM many.connections', '28000', 'server "many" refused the sign-in: %', NULL,
	'Check client_id and client_secret%', 'wrong credentials');
SELECT format('ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (SET client_id ''admin-client'', SET client_secret %L)', :'admin_secret') \gexec
CREATE FUNCTION whoami(process text DEFAULT 'many') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text;
BEGIN
	EXECUTE format('SELECT user_id FROM sigma_whoami(%L)', process) INTO id;
	RETURN id;
END $$;
-- a statement's error, or who it was, and the token requests that it took
CREATE FUNCTION after_fault(fault jsonb, process text DEFAULT 'many') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM sim_calm(process);
	PERFORM sim_fault(jsonb_build_object('headers', '{"Retry-After": "0"}'::jsonb) || f, process)
		FROM jsonb_array_elements(CASE jsonb_typeof(fault) WHEN 'array' THEN fault ELSE jsonb_build_array(fault) END) f;
	c := catch(format('SELECT user_id FROM sigma_whoami(%L)', process));
	PERFORM sim_call('DELETE', 'fault', NULL, process);
	RETURN format('%s: %s', coalesce(c.state, whoami(process)), array_to_string(sim_token_requests(process), ', '));
END $$;
-- a fresh session, as far as tokens go
CREATE FUNCTION forget(process text DEFAULT 'many') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER SERVER %I OPTIONS (SET max_retries ''1'')', process);
END $$;

-- ------------------------------------------------------ the life of two tokens

SELECT is(whoami(), :'creator_id', 'signed in');
SELECT is(after_fault('{"path": "/v2/whoami", "do": "status", "status": 401}'), :'creator_id' || ': exchange 200',
	'a token that is refused is renewed by an exchange alone');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'many') \g /dev/null
SELECT is(after_fault('[]'), :'creator_id' || ': exchange 401, body 200, exchange 200', 'if that is refused, there is a new sign-in before it');
SELECT is(after_fault('[]'), :'creator_id' || ': ', 'and then both are good');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'many') \g /dev/null
SELECT is(after_fault('{"path": "/v2/auth/token", "do": "status", "status": 401}'), :'creator_id' || ': ? 401, body 200, exchange 200', 'whatever the reason');
-- a life that ends in time
SELECT forget() \g /dev/null
SELECT is(after_fault('{"path": "/v2/auth/token", "after": 1, "do": "edit", "set": {"expires_in": 1}}'),
	:'creator_id' || ': body 200, exchange 200', 'an exchanged token of one second');
SELECT pg_sleep(1) \g /dev/null
SELECT is(after_fault('[]'), :'creator_id' || ': exchange 200', '... is renewed by an exchange');
SELECT forget() \g /dev/null
SELECT is(after_fault('[{"path": "/v2/auth/token", "do": "edit", "set": {"expires_in": 1}}, {"path": "/v2/auth/token", '
	'"do": "edit", "set": {"expires_in": 1}}]'), :'creator_id' || ': body 200, exchange 200', 'both of one second');
SELECT pg_sleep(1) \g /dev/null
SELECT is(after_fault('[]'), :'creator_id' || ': body 200, exchange 200', '... are both renewed');
SELECT is(after_fault('[]'), :'creator_id' || ': ', '... for the usual time');

-- each step has its own retries
SELECT forget() \g /dev/null
SELECT is(after_fault('[{"path": "/v2/auth/token", "do": "status", "status": 503}, {"path": "/v2/auth/token", "after": 1, '
	'"do": "status", "status": 503}]'), :'creator_id' || ': ? 503, body 200, ? 503, exchange 200', 'each step survives what may pass');
SELECT forget() \g /dev/null
CREATE FUNCTION state_after(fault jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	PERFORM forget();
	PERFORM sim_calm('many');
	PERFORM sim_fault(jsonb_build_object('path', '/v2/auth/token', 'after', 1, 'headers', '{"Retry-After": "0"}'::jsonb) || fault, 'many');
	c := catch('SELECT user_id FROM sigma_whoami(''many'')');
	PERFORM sim_call('DELETE', 'fault', NULL, 'many');
	RETURN format('%s %s: %s', c.state, c.message, array_to_string(sim_token_requests('many'), ', '));
END $$;
SELECT alike(state_after('{"times": -1, "do": "status", "status": 503}'),
	'58000 server "many" failed at sign-in: %: body 200, ? 503, ? 503', 'an exchange that fails is not tried for ever');
SELECT alike(state_after('{"do": "status", "status": 302}'), 'HV000 server "many" redirects the sign-in%: body 200, ? 302', 'one that is redirected');
SELECT alike(state_after('{"do": "status", "status": 403}'),
	format('28000 server "many" refused the sign-in as "%s": %%: body 200, ? 403', :'creator'), 'one that is forbidden');
SELECT alike(state_after('{"do": "status", "status": 401}'),
	format('28000 server "many" refused the sign-in as "%s": %%: body 200, ? 401', :'creator'), 'one that is refused with a new token');
SELECT is(state_after('{"do": "edit", "remove": ["access_token"]}'),
	'HV000 server "many" answered the sign-in without a usable access_token: body 200, exchange 200', 'one that brings no token');
SELECT forget() \g /dev/null
SELECT sim_fault('{"path": "/v2/auth/token", "after": 1, "do": "never"}', 'many') \g /dev/null
SET statement_timeout = 500;
SELECT state AS cancelled FROM catch('SELECT whoami()') \gset
RESET statement_timeout;
SELECT is(:'cancelled'::text, '57014', 'one that is cancelled');
SELECT is(after_fault('[]'), :'creator_id' || ': exchange 200', '... leaves the first step done');
SELECT sim_calm('many') \g /dev/null

-- one sign-in a second, for both steps together
SELECT sim_start('slow', format('--client-id admin-client --client-secret %s --token-rate 1', :'admin_secret')) \g /dev/null
SELECT make_server('slow', sim_url('slow'), 'max_retries ''0''') \g /dev/null
SELECT format('ALTER USER MAPPING FOR CURRENT_USER SERVER slow OPTIONS (SET client_id ''admin-client'', SET client_secret %L, '
	'ADD impersonate %L)', :'admin_secret', :'creator') \gexec
SELECT is(whoami('slow'), :'creator_id', 'the second step waits for its turn, even without retries');
SELECT matches(array_to_string(sim_token_requests('slow'), ', '), '^body 200, (\? 429, )+exchange 200$', '... after it was told to');
SELECT pg_sleep(1.1) \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'slow') \g /dev/null
SELECT sim_calm('slow') \g /dev/null
SELECT is(whoami('slow'), :'creator_id', 'a third step as well');
SELECT matches(array_to_string(sim_token_requests('slow'), ', '), '^exchange 401, (\? 429, )+body 200, (\? 429, )+exchange 200$',
	'... each after it was told to');

-- EXPLAIN counts both
SELECT forget() \g /dev/null
CREATE FUNCTION sign_ins_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
		IF line LIKE '%Sign-Ins: %' THEN
			RETURN trim(line);
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
SELECT is(sign_ins_of('SELECT name FROM many.connections'), 'Sign-Ins: 2', 'EXPLAIN counts both steps');
SELECT is(sign_ins_of('SELECT name FROM many.connections'), 'Sign-Ins: 0', '... when they are taken');

-- with the secret in a file, and sign-in by HTTP Basic
SELECT write_file('admin', :'admin_secret' || '\n') \g /dev/null
SELECT format('ALTER USER MAPPING FOR CURRENT_USER SERVER many OPTIONS (DROP client_secret, ADD client_secret_file %L)', file('admin')) \gexec
SELECT is(whoami(), :'creator_id', 'with the secret in a file');
ALTER SERVER many OPTIONS (ADD token_auth 'basic');
SELECT sim_calm('many') \g /dev/null
SELECT is(whoami() || array_to_string(sim_token_requests('many'), ', '), :'creator_id' || 'basic 200, exchange 200',
	'with HTTP Basic, and an exchange as ever');
SELECT sim_shell('rm ' || sim_quote(file('admin'))) \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'many') \g /dev/null
SELECT fails('SELECT whoami()', '28000', 'could not use the client_secret_file%', NULL, NULL, 'an exchange needs the secret, too');
SELECT write_file('admin', 'another') \g /dev/null
SELECT sim_calm('many') \g /dev/null
SELECT fails('SELECT whoami()', '28000', 'server "many" refused the sign-in: %', NULL, NULL, 'one that has been replaced is used at once');
SELECT is(sim_token_requests('many'), '{"basic 401"}', '... and no token of the old one');
SELECT write_file('admin', :'admin_secret') \g /dev/null
ALTER SERVER many OPTIONS (DROP token_auth);

-- ------------------------------------------------------ and nothing is shown

TRUNCATE told;
SELECT log_size() AS start \gset
SELECT format('%s|[Bb]earer [0-9a-zA-Z]|[0-9a-f]{64}|eyJ[0-9a-zA-Z_-]+\.', :'admin_secret') AS secret_pattern \gset
INSERT INTO told (what, told) SELECT 'a list as another',
	noisy('SELECT * FROM many.connections; EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM many.connections; SELECT * FROM sigma_check(''many'');');
SELECT spoilt('many', '/v2/auth/token', 'echo', '{"after": 1}') \g /dev/null
INSERT INTO told (what, told) SELECT 'an exchange whose refusal repeats all of it', noisy('SELECT * FROM many.connections;');
SELECT spoilt('many', '/v2/auth/token', 'echo', '{"after": 1, "status": 401}') \g /dev/null
INSERT INTO told (what, told) SELECT 'one with status 401', noisy('SELECT * FROM many.connections; SELECT * FROM sigma_check(''many'');');
SELECT spoilt('many', '/v2/auth/token', 'echo', '{}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a sign-in whose refusal repeats all of it', noisy('SELECT * FROM many.connections;');
SELECT spoilt('many', '/v2/connections', 'echo', '{}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a request whose refusal repeats the token', noisy('SELECT * FROM many.connections;');
SELECT spoilt('many', '/v2/auth/token', 'never', '{"after": 1}') \g /dev/null
INSERT INTO told (what, told) SELECT 'a cancel at the exchange', noisy('SET statement_timeout = 300; SELECT * FROM many.connections;');
SELECT spoilt('many', '/v2/auth/token', 'lost-reply', '{"after": 1}') \g /dev/null
INSERT INTO told (what, told) SELECT 'an exchange whose reply is lost', noisy('SELECT * FROM many.connections;');
SELECT sim_calm('many') \g /dev/null
SELECT is((SELECT string_agg(m[1], ' ') FROM regexp_matches(told, '(' || :'secret_pattern' || ')', 'g') m), NULL,
	'nothing is told: ' || what) FROM told ORDER BY n;
SELECT is((SELECT count(*)::int FROM told WHERE told LIKE '%subject\_token=***&%' AND told LIKE '%actor\_token=***&%'), 2, 'though all of it came back');
SELECT is(log_has(:'start', :'secret_pattern'), NULL, 'nothing is logged');
\if :readable
SELECT isnt(log_has(:'start', 'refused the sign-in as'), NULL, '... of what there was to log');
\endif

SELECT sim_shell('rm -r ' || sim_quote(:'dir')) \g /dev/null
DROP OWNED BY :role, :other CASCADE;
DROP ROLE :role, :other;
SELECT * FROM finish();

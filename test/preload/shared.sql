-- What the sessions of a cluster share when the library is preloaded: one token
-- for the same credentials, one budget of requests to a server.  Run by
-- test/harness/check-shared in a cluster of its own.

\ir ../pgtap/lib/simulator.sql
SELECT * FROM no_plan();

SELECT is((SELECT count(*)::int FROM pg_shmem_allocations WHERE name LIKE 'sigma_fdw%' AND size > 0) > 0, true, 'the library is preloaded');

-- n sessions, and the same statement in all of them at once
CREATE TABLE session_pids (session text PRIMARY KEY, pid int);
CREATE FUNCTION backend_of(session text) RETURNS int LANGUAGE sql AS $$ SELECT pid FROM dblink(session, 'SELECT pg_backend_pid()') r (pid int) $$;
CREATE FUNCTION connect_sessions(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		PERFORM dblink_connect('s' || i, current_setting('sim.conninfo'));
		INSERT INTO session_pids VALUES ('s' || i, backend_of('s' || i)) ON CONFLICT ON CONSTRAINT session_pids_pkey DO UPDATE SET pid = excluded.pid;
	END LOOP;
END $$;
CREATE FUNCTION pid_of(name text) RETURNS int LANGUAGE sql AS $$ SELECT pid FROM session_pids WHERE session = name $$;
CREATE FUNCTION disconnect_sessions() RETURNS void LANGUAGE sql AS $$ SELECT dblink_disconnect(c) FROM unnest(dblink_get_connections()) c $$;
CREATE FUNCTION start_in(session text, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dblink_send_query(session, statement);
END $$;
-- what they answered, errors as such
CREATE FUNCTION answer_of(session text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	SELECT a INTO answer FROM dblink_get_result(session, false) r (a text);
	IF answer IS NULL THEN
		answer := dblink_error_message(session);
	END IF;
	PERFORM FROM dblink_get_result(session, false) r (a text);
	RETURN answer;
END $$;
CREATE FUNCTION in_all(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	answers text[];
BEGIN
	PERFORM start_in(c, statement) FROM unnest(dblink_get_connections()) c;
	SELECT array_agg(DISTINCT answer_of(c)) INTO answers FROM unnest(dblink_get_connections()) c;
	RETURN answers;
END $$;
-- the same of one session, if it answers in time
CREATE FUNCTION answer_within(session text, statement text, ms int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + ms * interval '1 ms';
BEGIN
	IF statement IS NOT NULL THEN
		PERFORM start_in(session, statement);
	END IF;
	WHILE dblink_is_busy(session) = 1 LOOP
		IF clock_timestamp() > deadline THEN
			PERFORM dblink_cancel_query(session);
			PERFORM answer_of(session);
			RETURN format('no answer within %s ms', ms);
		END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN answer_of(session);
END $$;
CREATE FUNCTION at_once(process text) RETURNS int LANGUAGE sql AS $$ SELECT max(concurrent) FROM sim_log(process) $$;
-- until something is so, or for ten seconds
CREATE PROCEDURE wait_until(condition text) LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '10 s';
	met boolean := false;
BEGIN
	WHILE NOT met AND clock_timestamp() < deadline LOOP
		EXECUTE 'SELECT ' || condition INTO met;
		PERFORM pg_sleep(0.02);
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
END $$;

-- -------------------------------------------------------------------- tokens

SELECT sim_start('strict', '--connections 50 --token-rate 1 --latency 10') \g /dev/null
SELECT make_server('strict', sim_url('strict'), 'max_concurrency ''4'', page_size ''10'', max_retries ''0''') \g /dev/null
SELECT connect_sessions(30) \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM strict.connections'), '{50}', '30 sessions at once, where one token a second is given, without a retry');
SELECT is(sim_sign_ins('strict'), 1, '... sign in once');
SELECT is(count(DISTINCT token)::int, 1, '... and use the same token') FROM sim_log('strict');
SELECT is(psql('SELECT count(name) FROM strict.connections'), '50', 'a new session');
SELECT is(sim_sign_ins('strict'), 1, '... does not sign in');

-- a token that is no longer good
SELECT sim_call('POST', 'revoke-tokens', NULL, 'strict') \g /dev/null
SELECT sim_call('DELETE', 'log', NULL, 'strict') \g /dev/null
-- of the second that the last was given in, nothing must be left
SELECT pg_sleep(1.1) \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM strict.connections'), '{50}', 'all of them with a token that was revoked');
SELECT is(sim_sign_ins('strict'), 1, '... sign in once more');

-- whose token
CREATE ROLE sigma_shared_other LOGIN;
-- of the second that the last token was given in, nothing must be left
SELECT pg_sleep(1.1) \g /dev/null
GRANT USAGE ON SCHEMA sim, strict TO sigma_shared_other;
GRANT SELECT ON sim.connections, strict.connections TO sigma_shared_other;
CREATE USER MAPPING FOR sigma_shared_other SERVER strict OPTIONS (client_id 'simulator-client', client_secret 'wrong');
SELECT count(name) FROM strict.connections \g /dev/null
SELECT matches(psql('SET SESSION AUTHORIZATION sigma_shared_other; SELECT count(name) FROM strict.connections'), 'ERROR:  28000',
	'who does not know the secret gets no token');
SELECT matches(psql('SELECT count(name) FROM strict.connections'), '^50$', '... nor spoils it for others');
DROP USER MAPPING FOR sigma_shared_other SERVER strict;
CREATE USER MAPPING FOR sigma_shared_other SERVER strict OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SELECT sim_call('DELETE', 'log', NULL, 'strict') \g /dev/null
SELECT matches(psql('SET SESSION AUTHORIZATION sigma_shared_other; SELECT count(name) FROM strict.connections'), '^50$',
	'who knows it uses the token of others');
SELECT is(sim_sign_ins('strict'), 0, '... without a sign-in');
DROP OWNED BY sigma_shared_other;

-- two identities of the same client, and its own
SELECT sim_start('many') \g /dev/null
SELECT make_server('many', sim_url('many')) \g /dev/null
SELECT count(member_id) FROM many.members \g /dev/null
SELECT email AS viewer FROM many.members WHERE member_type = 'Viewer' ORDER BY email LIMIT 1 \gset
SELECT email AS creator FROM many.members WHERE member_type = 'Creator' ORDER BY email LIMIT 1 \gset
SELECT tenant_organization_id AS tenant FROM many.tenants LIMIT 1 \gset
GRANT USAGE ON SCHEMA many TO sigma_shared_other;
GRANT SELECT ON many.connections TO sigma_shared_other;
SELECT format('CREATE USER MAPPING FOR sigma_shared_other SERVER many OPTIONS (client_id ''simulator-client'', '
	'client_secret ''simulator-secret'', impersonate %L)', :'viewer') \gexec
SELECT sim_calm('many') \g /dev/null
CREATE FUNCTION as_other() RETURNS text LANGUAGE sql AS $$
	SELECT psql('SET SESSION AUTHORIZATION sigma_shared_other; SELECT count(name) FROM many.connections')
$$;
SELECT is(as_other(), '2', 'who speaks as another member does not get the client''s own token');
SELECT is(as_other(), '2', '... in another session');
SELECT is(sim_token_requests('many'), '{"body 200","exchange 200"}', '... which takes the token of the first');
SELECT format('ALTER USER MAPPING FOR sigma_shared_other SERVER many OPTIONS (SET impersonate %L)', :'creator') \gexec
SELECT is(as_other(), '13', 'nor does a second member get the first one''s');
SELECT format('ALTER USER MAPPING FOR sigma_shared_other SERVER many OPTIONS (DROP impersonate, ADD tenant %L)', :'tenant') \gexec
SELECT is(as_other(), '13', 'nor a tenant');
SELECT format('ALTER USER MAPPING FOR sigma_shared_other SERVER many OPTIONS (ADD impersonate %L)', :'creator') \gexec
SELECT is(as_other(), '13', 'nor a member in a tenant');
SELECT is(psql('SELECT count(name) FROM many.connections'), '13', 'nor the client that of any of them');
SELECT is((SELECT count(*)::int FROM (SELECT token FROM sim_log('many') GROUP BY token
	HAVING count(DISTINCT coalesce("as", 'the client')) > 1) t), 0, '... no token is used for two of them');
SELECT is((SELECT count(DISTINCT coalesce("as", 'the client'))::int FROM sim_log('many')), 5, '... of the five');

-- a secret in a file: who cannot read it gets no token, whoever has one
SELECT sim_shell('f=$(mktemp) && printf simulator-secret >$f && echo $f') AS secret_file \gset
SELECT format('ALTER USER MAPPING FOR sigma_shared_other SERVER many OPTIONS (DROP impersonate, DROP tenant, DROP client_secret, '
	'ADD client_secret_file %L)', :'secret_file') \gexec
SELECT sim_calm('many') \g /dev/null
SELECT is(as_other(), '13', 'a secret in a file');
SELECT is(sim_sign_ins('many'), 0, '... is as good as the same one elsewhere');
SELECT sim_shell('printf wrong >' || sim_quote(:'secret_file')) \g /dev/null
SELECT matches(as_other(), 'ERROR:  28000: server "many" refused the sign-in', 'a wrong one gets no token');
SELECT sim_shell('rm ' || sim_quote(:'secret_file')) \g /dev/null
SELECT matches(as_other(), 'ERROR:  28000: could not use the client_secret_file', 'nor does a file that is not there');
DROP OWNED BY sigma_shared_other;

-- a sign-in that fails, and one whose backend goes
SELECT sim_start('shut') \g /dev/null
SELECT make_server('shut', sim_url('shut'), 'max_retries ''0''') \g /dev/null
SELECT sim_spoil_token('status', '{"status": 401}', 'shut') \g /dev/null
SELECT matches(in_all('SELECT count(name)::text FROM shut.connections')::text, 'sign', 'a sign-in that is refused is an error in all of them');
SELECT sim_calm('shut') \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM shut.connections'), '{13}', '... until it is not');
SELECT is(sim_sign_ins('shut'), 1, '... by one sign-in');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'shut') \g /dev/null
SELECT sim_calm('shut') \g /dev/null
SELECT sim_spoil_token('never', '{"times": 1}', 'shut') \g /dev/null
SELECT start_in('s1', 'SELECT count(name)::text FROM shut.connections') \g /dev/null
CALL wait_until('sim_sign_ins(''shut'') = 1');
SELECT start_in('s2', 'SELECT count(name)::text FROM shut.connections') \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
SELECT is(sim_sign_ins('shut'), 1, 'while one signs in, another waits');
SELECT pg_terminate_backend(pid_of('s1')) \g /dev/null
SELECT is(answer_of('s2'), '13', '... and takes its place when it is ended');
SELECT is(sim_sign_ins('shut'), 2, '... with a sign-in of its own');
SELECT dblink_disconnect('s1') \g /dev/null
SELECT dblink_connect('s1', current_setting('sim.conninfo')) \g /dev/null
-- a cancel does the same
SELECT sim_call('POST', 'revoke-tokens', NULL, 'shut') \g /dev/null
SELECT sim_calm('shut') \g /dev/null
SELECT sim_spoil_token('never', '{"times": 1}', 'shut') \g /dev/null
SELECT start_in('s1', 'SET statement_timeout = ''1s''; SELECT count(name)::text FROM shut.connections') \g /dev/null
CALL wait_until('sim_sign_ins(''shut'') = 1');
SELECT start_in('s2', 'SELECT count(name)::text FROM shut.connections') \g /dev/null
SELECT is(answer_of('s2'), '13', 'one that waits goes on when the other is cancelled');
-- a token that was revoked, and in its place another that has been, too
SELECT start_in(c, 'SELECT count(name)::text FROM shut.connections') FROM unnest('{s3,s4}'::text[]) c \g /dev/null
SELECT array_agg(answer_of(c)) FROM unnest('{s3,s4}'::text[]) c \g /dev/null
SELECT sim_call('POST', 'revoke-tokens', NULL, 'shut') \g /dev/null
SELECT is(answer_within('s3', 'SELECT count(name)::text FROM shut.connections', 5000), '13', 'a token that was revoked is replaced');
SELECT sim_call('POST', 'revoke-tokens', NULL, 'shut') \g /dev/null
SELECT is(answer_within('s4', 'SELECT count(name)::text FROM shut.connections', 5000), '13',
	'... and so is one that has been replaced by another that was revoked');
SELECT disconnect_sessions() \g /dev/null

-- one that has begun to sign in, and whose client does something else: a cursor that has rows of another server first
SELECT sim_start('left') \g /dev/null
SELECT make_server('left', sim_url('left'), '', 'connections') \g /dev/null
SELECT psql('SELECT count(name) FROM many.connections') \g /dev/null
SELECT sim_spoil_token('delay', '{"times": 1, "ms": 300}', 'left') \g /dev/null
SELECT connect_sessions(2) \g /dev/null
SELECT dblink_exec('s1', 'BEGIN; DECLARE c CURSOR FOR SELECT name FROM many.connections UNION ALL SELECT name FROM "left".connections') \g /dev/null
SELECT count(*) FROM dblink('s1', 'FETCH 1 FROM c') r (name text) \g /dev/null
SELECT is(answer_within('s2', 'SELECT count(name)::text FROM "left".connections', 5000), '13',
	'a session that is left alone while it signs in holds nobody up');
SELECT is((SELECT count(*)::int FROM dblink('s1', 'FETCH ALL FROM c') r (name text)), 25, '... and goes on when its client comes back');
SELECT dblink_exec('s1', 'COMMIT') \g /dev/null
SELECT disconnect_sessions() \g /dev/null

-- who signs in with many other credentials forgets its own tokens, not those of others
CREATE ROLE sigma_shared_flood LOGIN;
SELECT make_server('flood_' || i, sim_url('many'), format('token_auth %L', (ARRAY['body', 'basic'])[i % 2 + 1]), 'connections')
	FROM generate_series(1, 100) i \g /dev/null
SELECT array_agg(email ORDER BY email) AS emails FROM many.members \gset
SELECT format('GRANT USAGE ON SCHEMA flood_%s TO sigma_shared_flood; GRANT SELECT ON flood_%s.connections TO sigma_shared_flood; '
	'CREATE USER MAPPING FOR sigma_shared_flood SERVER flood_%s OPTIONS (client_id ''simulator-client'', '
	'client_secret ''simulator-secret'', impersonate %L)', i, i, i, (:'emails'::text[])[i / 2 + 1]) FROM generate_series(1, 100) i \gexec
SELECT psql('SELECT count(name) FROM ' || s || '.connections') FROM unnest('{strict,many,shut}'::text[]) s, generate_series(1, 3) \g /dev/null
SELECT sim_calm(s) FROM unnest('{strict,many,shut}'::text[]) s \g /dev/null
SELECT unalike(psql('SET SESSION AUTHORIZATION sigma_shared_flood; '
	|| string_agg(format('SELECT count(name) FROM flood_%s.connections;', i), ' ')), '%ERROR%',
	'100 sign-ins with other credentials') FROM generate_series(1, 100) i;
SELECT is((SELECT count(DISTINCT token)::int FROM sim_log('many') WHERE path = '/v2/connections'), 100, '... are 100');
SELECT sim_calm('many') \g /dev/null
SELECT psql('SELECT count(name) FROM ' || s || '.connections') FROM unnest('{strict,many,shut}'::text[]) s \g /dev/null
SELECT is(array(SELECT sim_sign_ins(s) FROM unnest('{strict,many,shut}'::text[]) s), '{0,0,0}', '... and nobody else has to sign in again');
SELECT format('DROP SERVER flood_%s CASCADE; DROP SCHEMA flood_%s CASCADE', i, i) FROM generate_series(1, 100) i \gexec
DROP ROLE sigma_shared_flood;

-- -------------------------------------------------------------------- budget

SELECT sim_start('busy', '--connections 200 --latency 5') \g /dev/null
SELECT make_server('busy', sim_url('busy'), 'max_concurrency ''4'', page_size ''10'', batch_size ''10''') \g /dev/null
SELECT count(name) FROM busy.connections \g /dev/null
SELECT connect_sessions(20) \g /dev/null
SELECT sim_calm('busy') \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM busy.connections'), '{200}', '20 sessions at once');
SELECT is(sim_count('busy'), 400, '... make all their requests');
SELECT is(at_once('busy'), 4, '... never more at once than one server allows');
SELECT sim_calm('busy') \g /dev/null
SELECT is(in_all('INSERT INTO busy.connections (name, details) SELECT ''x'', ''{"type": "postgres", "host": "h", '
	'"database": "d", "user": "u", "password": "p"}'' FROM generate_series(1, 10)'), '{"INSERT 0 10"}', '20 sessions that create 10 each');
SELECT is(sim_count('busy'), 200, '... all of them, once');
SELECT cmp_ok(at_once('busy'), '<=', 4, '... never more at once');
SELECT sim_call('POST', 'reset', NULL, 'busy') \g /dev/null

-- who is ended gives its places back
SELECT sim_spoil_list('never', '{"times": 4}', 'busy') \g /dev/null
-- one request each, though they know the list
SELECT start_in('s' || i, 'SELECT max(name) FROM (SELECT name FROM busy.connections LIMIT 1) c') FROM generate_series(1, 4) i \g /dev/null
CALL wait_until('sim_count(''busy'') = 4');
SELECT start_in('s5', 'SELECT count(name)::text FROM busy.connections') \g /dev/null
SELECT pg_sleep(0.5) \g /dev/null
SELECT is(sim_count('busy'), 4, 'when all places are taken, a fifth session waits');
SELECT is(dblink_is_busy('s5'), 1, '... for as long as it takes');
SELECT pg_terminate_backend(pid_of(s)) FROM unnest('{s1,s2}'::text[]) s \g /dev/null
SELECT is(answer_of('s5'), '200', '... and has its turn when some of the others are ended');
SELECT pg_cancel_backend(pid_of(s)) FROM unnest('{s3,s4}'::text[]) s \g /dev/null
SELECT alike(answer_of('s3'), '%user request%', '... the rest is cancelled');
SELECT alike(answer_of('s4'), '%user request%', '... one by one');
SELECT disconnect_sessions() \g /dev/null
SELECT connect_sessions(10) \g /dev/null
SELECT sim_calm('busy') \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM busy.connections'), '{200}', 'then all places are free again');
SELECT is(at_once('busy'), 4, '... four of them');
-- a wait for a place can be cancelled
SELECT sim_spoil_list('never', '{"times": 4}', 'busy') \g /dev/null
-- one request each, though they know the list
SELECT start_in('s' || i, 'SELECT max(name) FROM (SELECT name FROM busy.connections LIMIT 1) c') FROM generate_series(1, 4) i \g /dev/null
SELECT sim_call('DELETE', 'log', NULL, 'busy') \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
SELECT dblink_exec('s5', 'SET statement_timeout = 300') \g /dev/null
SELECT start_in('s5', 'SELECT count(name)::text FROM busy.connections') \g /dev/null
SELECT alike(answer_of('s5'), '%statement timeout%', 'a wait for a place can be cancelled');
SELECT pg_terminate_backend(pid_of(s)) FROM unnest('{s1,s2,s3,s4}'::text[]) s \g /dev/null
SELECT disconnect_sessions() \g /dev/null
CALL wait_until('NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE ''%FROM busy.connections'' AND pid <> pg_backend_pid())');
-- errors give back, too
SELECT sim_calm('busy') \g /dev/null
SELECT fails('SELECT 1 / (n - 15) FROM (SELECT row_number() OVER () AS n FROM busy.connections) c', '22012', NULL, NULL, NULL,
	'an error in the middle of a look-ahead') FROM generate_series(1, 5);
SELECT connect_sessions(8) \g /dev/null
SELECT sim_calm('busy') \g /dev/null
SELECT is(in_all('SELECT count(name)::text FROM busy.connections'), '{200}', 'errors give places back');
SELECT is(at_once('busy'), 4, '... all four');
-- a connection killed outright takes the cluster down, and with it what was shared; so that is not tried here

-- ------------------------------------------------------------------ fairness

-- one session with many requests, and small ones beside it
SELECT disconnect_sessions() \g /dev/null
SELECT sim_start('fair', '--connections 700 --latency 50 --client-id simulator-client --client-secret simulator-secret '
	'--client-id second --client-secret second-secret') \g /dev/null
SELECT make_server('fair', sim_url('fair'), 'max_concurrency ''4''') \g /dev/null
CREATE TABLE fair_ids AS SELECT connection_id FROM fair.connections;
ALTER FOREIGN TABLE fair.connections OPTIONS (ADD rows '1000000');
SELECT connect_sessions(8) \g /dev/null
SELECT in_all('SELECT count(name)::text FROM fair.connections') \g /dev/null
SELECT sim_calm('fair') \g /dev/null
SELECT sim_config('{"latency_ms": 500}', 'fair') \g /dev/null
SELECT start_in('s1', 'SELECT count(c.name)::text FROM (SELECT * FROM fair_ids LIMIT 80) i JOIN fair.connections c USING (connection_id)') \g /dev/null
CALL wait_until('EXISTS (SELECT FROM sim_log(''fair'') OFFSET 10)');
SELECT start_in('s' || i, 'SELECT count(name)::text FROM fair.connections') FROM generate_series(2, 7) i \g /dev/null
SELECT is(array_agg(answer_within('s' || i, NULL, 5000)), array_fill('700'::text, '{6}'), 'six small queries beside a big join') FROM generate_series(2, 7) i;
SELECT is(dblink_is_busy('s1'), 1, '... which goes on');
SELECT is(answer_of('s1'), '80', '... and has its rows');
SELECT is(at_once('fair'), 4, '... within the budget');
SELECT sim_config('{"latency_ms": 50}', 'fair') \g /dev/null

-- whoever wants more does not get more than the one who wants least
SELECT make_server('fair_more', sim_url('fair'), 'max_concurrency ''16''', 'connections') \g /dev/null
ALTER FOREIGN TABLE fair_more.connections OPTIONS (ADD rows '1000000');
SELECT sim_calm('fair') \g /dev/null
SELECT sim_spoil_list('never', '{"times": 1}', 'fair') \g /dev/null
SELECT start_in('s1', 'SELECT count(name)::text FROM fair.connections') \g /dev/null
CALL wait_until('sim_count(''fair'') = 1');
SELECT is(answer_within('s2', 'SELECT count(c.name)::text FROM (SELECT * FROM fair_ids LIMIT 100) i '
	'JOIN fair_more.connections c USING (connection_id)', 10000), '100', 'a session of a server that allows more');
SELECT is(dblink_is_busy('s1'), 1, '... beside one of a server that allows less');
SELECT is(at_once('fair'), 4, '... sends no more than that one allows');
SELECT pg_cancel_backend(pid_of('s1')) \g /dev/null
SELECT alike(answer_of('s1'), '%user request%', '... until that one is through');
SELECT sim_calm('fair') \g /dev/null
SELECT is(answer_within('s2', 'SELECT count(c.name)::text FROM (SELECT * FROM fair_ids LIMIT 100) i '
	'JOIN fair_more.connections c USING (connection_id)', 10000), '100', 'alone');
SELECT is(at_once('fair'), 16, '... it sends as many as its own does');

-- whoever has other credentials has a budget of its own
CREATE USER MAPPING FOR sigma_shared_other SERVER fair_more OPTIONS (client_id 'second', client_secret 'second-secret');
GRANT USAGE ON SCHEMA fair_more TO sigma_shared_other;
GRANT SELECT ON fair_more.connections, fair_ids TO sigma_shared_other;
SELECT dblink_exec('s1', 'SET SESSION AUTHORIZATION sigma_shared_other') \g /dev/null
SELECT sim_calm('fair') \g /dev/null
SELECT sim_fault('{"method": "GET", "path": "/v2/connections/*", "after": 40, "times": 16, "do": "never"}', 'fair') \g /dev/null
SELECT start_in('s1', 'SELECT count(c.name)::text FROM (SELECT * FROM fair_ids LIMIT 100) i JOIN fair_more.connections c USING (connection_id)') \g /dev/null
CALL wait_until('EXISTS (SELECT FROM sim_log(''fair'') OFFSET 55)');
SELECT is((SELECT count(*)::int FROM sim_log('fair')), 56, 'all the requests of other credentials');
SELECT is(answer_within('s2', 'SELECT count(name)::text FROM fair.connections', 2000), '700', '... take no place of one''s own');
SELECT pg_cancel_backend(pid_of('s1')) \g /dev/null
SELECT alike(answer_of('s1'), '%user request%', '... whether they end or not');
SELECT dblink_exec('s1', 'RESET SESSION AUTHORIZATION') \g /dev/null

-- a wait for a place has an end
SELECT make_server('fair_soon', sim_url('fair'), 'request_timeout ''700ms'', max_retries ''0''', 'connections') \g /dev/null
SELECT sim_calm('fair') \g /dev/null
SELECT sim_spoil_list('never', '{"times": 4}', 'fair') \g /dev/null
SELECT start_in('s' || i, 'SELECT count(name)::text FROM fair.connections') FROM generate_series(1, 4) i \g /dev/null
CALL wait_until('sim_count(''fair'') = 4');
SELECT alike(answer_within('s5', 'SELECT count(name)::text FROM fair_soon.connections', 3000),
	'%could not send a request to server "fair_soon" within request_timeout (700 ms)%', 'request_timeout ends a wait for a place');
SELECT alike(answer_within('s5', format('SELECT sigma_create_connection(%L, %L, %L)::text', 'fair_soon', 'x',
	'{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}'), 3000), '%could not send a request%', '... of a write, too');
SELECT is(sim_count('fair'), 4, '... and nothing was sent');
SELECT sim_calm('fair') \g /dev/null
-- first come, first served
SELECT start_in('s' || i, 'SELECT count(name) || '' '' || clock_timestamp()::text FROM fair.connections'), pg_sleep(0.2)
	FROM unnest('{7,5,8,6}'::int[]) i \g /dev/null
SELECT pg_cancel_backend(pid_of('s' || i)), pg_sleep(0.3) FROM generate_series(1, 4) i \g /dev/null
SELECT is(string_agg(i::text, ' ' ORDER BY at), '7 5 8 6', 'those who wait have their turns in the order in which they came')
	FROM (SELECT i, (regexp_match(answer_within('s' || i, NULL, 3000), '^700 (.*)'))[1]::timestamptz AS at FROM generate_series(5, 8) i) a;
SELECT disconnect_sessions() \g /dev/null
DROP OWNED BY sigma_shared_other;

-- a session that is left alone while it waits holds nobody up
SELECT connect_sessions(6) \g /dev/null
SELECT sim_calm('fair') \g /dev/null
SELECT sim_spoil_list('never', '{"times": 4}', 'fair') \g /dev/null
SELECT start_in('s' || i, 'SELECT count(name)::text FROM fair.connections') FROM generate_series(1, 4) i \g /dev/null
CALL wait_until('sim_count(''fair'') = 4');
SELECT psql('SELECT count(name) FROM many.connections') \g /dev/null
SELECT dblink_exec('s5', 'BEGIN; DECLARE c CURSOR FOR SELECT name FROM many.connections UNION ALL SELECT name FROM fair.connections') \g /dev/null
SELECT FROM dblink('s5', 'FETCH 1 FROM c') r (name text) \g /dev/null
SELECT start_in('s6', 'SELECT count(name)::text FROM fair.connections') \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
SELECT pg_cancel_backend(pid_of('s1')) \g /dev/null
SELECT is(answer_within('s6', NULL, 2000), '700', 'a session that waits, and whose client has gone, is passed over');
SELECT is((SELECT count(*)::int FROM dblink('s5', 'FETCH ALL FROM c') r (name text)), 712, '... and has its turn when the client is back');
SELECT dblink_exec('s5', 'COMMIT') \g /dev/null
SELECT pg_cancel_backend(pid_of('s' || i)) FROM generate_series(2, 4) i \g /dev/null
SELECT disconnect_sessions() \g /dev/null
SELECT sim_calm('fair') \g /dev/null
SELECT connect_sessions(8) \g /dev/null

-- scans side by side, joins and batches as ever
CREATE TABLE whole (connection_id text, name text);
SELECT make_server('busy_2', sim_url('strict')) \g /dev/null
CREATE FOREIGN TABLE whole_1 () INHERITS (whole) SERVER busy OPTIONS (resource 'connections');
CREATE FOREIGN TABLE whole_2 () INHERITS (whole) SERVER busy_2 OPTIONS (resource 'connections');
CREATE FOREIGN TABLE whole_3 () INHERITS (whole) SERVER busy OPTIONS (resource 'connections');
SELECT is(in_all('SELECT count(name)::text FROM whole'), '{450}', 'asynchronous scans of 8 sessions');
SELECT is(in_all('SELECT count(c.name)::text FROM busy.connections b JOIN busy.connections c USING (connection_id)'), '{200}',
	'two scans of one server in a query');
CREATE TABLE ids AS SELECT connection_id FROM busy.connections LIMIT 20;
ALTER FOREIGN TABLE busy.connections OPTIONS (ADD rows '100000');
SELECT sim_calm('busy') \g /dev/null
SELECT is(in_all('SELECT count(c.name)::text FROM ids JOIN busy.connections c USING (connection_id)'), '{20}', 'look-up joins of 8 sessions');
SELECT cmp_ok(at_once('busy'), '<=', 4, '... within the budget');
SELECT disconnect_sessions() \g /dev/null

-- ---------------------------------------------------------------------- pace

SELECT sim_start('limited', '--connections 60') \g /dev/null
SELECT make_server('limited', sim_url('limited'), 'max_concurrency ''8'', page_size ''5'', requests_per_minute ''2''') \g /dev/null
SELECT connect_sessions(3) \g /dev/null
SELECT is(answer_within('s1', 'SELECT count(*)::text FROM (SELECT name FROM limited.connections LIMIT 1) c', 10000), '1', 'two requests a minute: the first');
SELECT is(answer_within('s2', 'SELECT count(*)::text FROM (SELECT name FROM limited.connections LIMIT 1) c', 2000), 'no answer within 2000 ms',
	'... the second waits, though it is another session''s');
SELECT is(answer_within('s2', 'SELECT count(name)::text FROM busy.connections', 10000), '200', '... not that to another server');
SELECT is(sim_count('limited'), 1, '... and has not been sent');
ALTER SERVER limited OPTIONS (SET requests_per_minute '600');
SELECT is(answer_within('s2', 'SELECT count(*)::text FROM (SELECT name FROM limited.connections LIMIT 1) c', 10000), '1',
	'... and it waits no longer than the pace that is allowed now');
-- who has been told to slow down tells the others
ALTER SERVER limited OPTIONS (DROP requests_per_minute);
SELECT sim_calm('limited') \g /dev/null
SELECT sim_config('{"latency_ms": 20}', 'limited') \g /dev/null
SELECT sim_spoil_list('status', '{"status": 429, "times": 1, "html": true, "headers": {"Retry-After": "2"}}', 'limited') \g /dev/null
SELECT start_in('s1', 'SELECT count(name)::text FROM limited.connections') \g /dev/null
CALL wait_until('EXISTS (SELECT FROM sim_log(''limited'') WHERE status = 429)');
SELECT start_in('s2', 'SELECT count(name)::text FROM limited.connections') \g /dev/null
SELECT is(answer_within('s' || n, NULL, 20000), '60', 'a 429 with Retry-After, session ' || n) FROM generate_series(1, 2) n;
SELECT is((SELECT count(*)::int FROM sim_log('limited') r, sim_log('limited') e WHERE e.status = 429 AND r.started_ms > e.finished_ms + 100
	AND r.started_ms < e.finished_ms + 2000), 0, '... no session asks before');
SELECT sim_calm('limited') \g /dev/null
SELECT is(answer_within('s3', 'SELECT count(name)::text FROM limited.connections', 20000), '60', 'a third session');
SELECT cmp_ok(at_once('limited'), '<=', 6, '... begins with what the others have found');
SELECT disconnect_sessions() \g /dev/null
DROP ROLE sigma_shared_other;

SELECT * FROM finish();

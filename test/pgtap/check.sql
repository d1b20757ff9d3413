-- sigma_check(): where things stand between this database and Sigma, in good
-- and in bad cases; the first step that is not ok tells what to do.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- the steps before the resources: name and outcome
CREATE FUNCTION steps(server text) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(step || CASE WHEN ok THEN '' ELSE '!' END, ' ' ORDER BY n)
	FROM sigma_check(server) WITH ORDINALITY AS c (step, ok, detail, hint, n) WHERE step NOT LIKE 'resource %'
$$;

-- the first step that failed
CREATE FUNCTION first_wrong(server text, OUT step text, OUT detail text, OUT hint text)
LANGUAGE sql AS $$
	SELECT c.step, c.detail, c.hint FROM sigma_check(server) WITH ORDINALITY AS c (step, ok, detail, hint, n) WHERE NOT ok ORDER BY n LIMIT 1
$$;

-- ------------------------------------------------------------------- good

SELECT is(steps('sim'), 'mapping dns connect tls region clock token identity', 'the steps, all of them ok');
SELECT is(array_agg(step ORDER BY step COLLATE "C"), (SELECT array_agg('resource ' || relname ORDER BY relname COLLATE "C")
	FROM pg_class WHERE relnamespace = 'sim'::regnamespace AND relkind = 'f'),
	'and each resource') FROM sigma_check('sim') WHERE step LIKE 'resource %';
SELECT is(bool_and(ok), true, 'which can all be read') FROM sigma_check('sim');
SELECT is(count(*), 0::bigint, 'where all is well nothing is advised') FROM sigma_check('sim') WHERE hint IS NOT NULL;
SELECT is((SELECT detail FROM sigma_check('sim') WHERE step = 'identity'),
	(SELECT format('member %s of organization %s', user_id, organization_id) FROM sigma_whoami('sim')), 'it says who is signed in');
SELECT cmp_ok(count_of('SELECT * FROM sigma_check(''sim'')'), '<', 200, 'it asks for one page of each list');
SELECT is(count(*), 0::bigint, 'no secret is shown') FROM sigma_check('sim') c WHERE c::text LIKE '%simulator-secret%';

SELECT is((SELECT array_agg(regexp_replace(detail, '[0-9]+ ms|[0-9a-f-]{36}', '#', 'g')) FROM sigma_check('sim', verbose => true)
	WHERE step IN ('connect', 'region', 'token', 'identity', 'resource teams', 'resource team_members')), ARRAY[
	format('connected; tried %s', sim_url()),
	'the host answers as the Sigma API does; tried GET /v2/whoami without a token: HTTP status 401',
	format('signed in; tried POST %s/v2/auth/token', sim_url()),
	'member # of organization #; tried GET /v2/whoami (requests: 1, time: #)',
	'readable; tried GET /v2.1/teams (requests: 1, time: #)',
	'readable; tried GET /v2/teams/{team_id}/members (requests: 2, time: #)'], 'with verbose, what was tried');
SELECT is((SELECT array_agg(step) FROM sigma_check('sim', verbose => true)), (SELECT array_agg(step) FROM sigma_check('sim')), '... by the same steps');

-- -------------------------------------------------------------------- bad

ALTER USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (SET client_secret 'not-the-secret');
SELECT is(steps('sim'), 'mapping dns connect tls region clock token!', 'a wrong secret: the token');
SELECT matches((first_wrong('sim')).hint, 'client_id and client_secret.*ALTER USER MAPPING FOR .* SERVER sim OPTIONS .SET client_id '
	'.*ALTER SERVER sim OPTIONS .SET base_url ',
	'and what to look at, and the statements in the order to try them');
SELECT is(count(*), 0::bigint, 'nothing else is tried') FROM sigma_check('sim') WHERE step LIKE 'resource %';
SELECT is(count(*), 0::bigint, 'nor is the wrong secret shown') FROM sigma_check('sim') c WHERE c::text LIKE '%not-the-secret%';
ALTER USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (SET client_secret 'simulator-secret');
SELECT is(steps('sim'), 'mapping dns connect tls region clock token identity', 'with the right one it works at once');

-- a host of another region answers like this
SELECT sim_start('elsewhere') \g /dev/null
SELECT make_server('elsewhere', sim_url('elsewhere')) \g /dev/null
SELECT sim_fault('{"path": "*", "times": -1, "do": "status", "status": 404, "html": true}', 'elsewhere') \g /dev/null
SELECT is((first_wrong('elsewhere')).step, 'region', '404 for everything: the region');
SELECT matches((first_wrong('elsewhere')).hint, 'region or base_url.*ALTER SERVER elsewhere OPTIONS .SET base_url ', 'and what to do');
SELECT sim_calm('elsewhere') \g /dev/null
SELECT sim_call('POST', 'revoke-client', '{"client_id": "simulator-client"}', 'elsewhere') \g /dev/null
SELECT is((first_wrong('elsewhere')).step, 'token', '401 for the credentials: the token');
SELECT matches((first_wrong('elsewhere')).hint, 'region', 'which may be for another region');
SELECT sim_stop('elsewhere') \g /dev/null
SELECT is((first_wrong('elsewhere')).step, 'connect', 'nobody listens');

CREATE SERVER nobody FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url 'http://127.0.0.1:1');
SELECT is(steps('nobody'), 'mapping!', 'no user mapping');
SELECT matches((first_wrong('nobody')).hint, 'CREATE USER MAPPING', 'and the statement to use');
CREATE USER MAPPING FOR CURRENT_USER SERVER nobody OPTIONS (client_id 'a', client_secret 'b');
SELECT is(steps('nobody'), 'mapping dns connect!', 'a dead port');
SELECT matches((first_wrong('nobody')).hint, 'ALTER SERVER nobody OPTIONS .SET base_url ', 'and the statement to use');
CREATE SERVER nowhere FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url 'https://sigma.invalid');
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (client_id 'a', client_secret 'b');
SELECT is(steps('nowhere'), 'mapping dns!', 'a host that has no address');
SELECT matches((first_wrong('nowhere')).hint, 'ALTER SERVER nowhere OPTIONS .SET base_url ', 'and the statement to use');

-- a certificate that nobody has signed
SELECT sim_shell('d=$(mktemp -d) && chmod 700 $d && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 '
	'-addext subjectAltName=IP:127.0.0.1 -keyout $d/key -out $d/cert 2>/dev/null && echo $d') AS dir \gset
SELECT sim_start('tls', format('--tls-cert %s/cert --tls-key %1$s/key', :'dir')) \g /dev/null
SELECT make_server('tls', replace(sim_url('tls'), 'http:', 'https:')) \g /dev/null
SELECT is(steps('tls'), 'mapping dns connect tls!', 'an unknown authority: TLS');
SELECT matches((first_wrong('tls')).hint, 'ALTER SERVER tls OPTIONS .ADD ca_file ', 'and the option for it');
SELECT format('ALTER SERVER tls OPTIONS (ADD ca_file %L)', :'dir' || '/cert') \gexec
SELECT is(steps('tls'), 'mapping dns connect tls region clock token identity', 'with ca_file it works');
SELECT sim_shell(format('rm -r %s', sim_quote(:'dir'))) \g /dev/null
SELECT sim_stop('tls') \g /dev/null

-- one resource that the member may not read
SELECT sim_fault('{"path": "/v2/tags", "times": -1, "do": "status", "status": 403}') \g /dev/null
SELECT is(array_agg(step ORDER BY n), '{resource tags,resource tag_workbooks}', 'one list that is forbidden: it, and what stands below it')
FROM sigma_check('sim') WITH ORDINALITY AS c (step, ok, detail, hint, n) WHERE NOT ok;
SELECT matches((first_wrong('sim')).detail, 'GET /v2/tags.*403', 'with the request and its status');
SELECT matches(detail, 'tried GET /v2/tags .requests: 1, time: [0-9]+ ms.$', 'and with verbose, how that was tried') FROM sigma_check('sim', true) WHERE step = 'resource tags';
SELECT sim_calm() \g /dev/null

-- who it is that asks
SELECT fails('SELECT * FROM sigma_check(''none'')', '42704', NULL, NULL, NULL, 'no such server');
SELECT fails('SELECT * FROM sigma_check(NULL)', '22004', NULL, NULL, NULL, 'no server named');
CREATE ROLE check_stranger;
GRANT USAGE ON FOREIGN SERVER sim TO check_stranger;
SET ROLE check_stranger;
SELECT fails('SELECT * FROM sigma_check(''sim'')', '42501', NULL, NULL, NULL, 'it is not for everybody');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sigma_check TO check_stranger;
SET ROLE check_stranger;
SELECT is(steps('sim'), 'mapping!', 'and uses the caller''s own user mapping');
RESET ROLE;
DROP OWNED BY check_stranger;
DROP ROLE check_stranger;

-- a cancelled check ends, instead of going on to the next step
SELECT sim_fault('{"path": "/v2/tags", "times": -1, "do": "delay", "ms": 20000}') \g /dev/null
SET statement_timeout = '1s';
SELECT fails('SELECT * FROM sigma_check(''sim'')', '57014', NULL, NULL, NULL, 'statement_timeout ends it');
RESET statement_timeout;
SELECT sim_calm() \g /dev/null

SELECT * FROM finish();

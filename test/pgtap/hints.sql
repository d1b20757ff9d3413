-- The statement that a hint names is pasted, and what has failed works then.

\ir lib/simulator.sql
\ir lib/elements.sql
SELECT * FROM no_plan();

-- the statements in a hint, each of which ends with a full stop that is not within a string
CREATE FUNCTION statements(hint text) RETURNS text[]
LANGUAGE sql AS $$
	SELECT array_agg(m[1]) FROM regexp_matches(hint, '((?:ALTER|CREATE|GRANT|DELETE FROM|SELECT) (?:[^''.]|''[^'']*''|\.(?! |$))*)\.', 'g') m
$$;

-- A statement fails, and its hint names a statement; where '...' stands in it, "fill" has the values.  Once that is run, by the
-- test's owner, the first does no longer fail.
CREATE FUNCTION mends(statement text, mending text, description text, fill text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	c caught := catch(statement);
	told text := (statements(c.hint))[1];
	after caught;
	failing name := current_user;
BEGIN
	IF told IS DISTINCT FROM mending THEN
		RETURN is(told, mending, description) || E'\n' || diag(format('%s: %s HINT: %s', c.state, c.message, c.hint));
	END IF;
	FOR i IN 1 .. cardinality(fill) LOOP
		told := regexp_replace(told, '''[^'']*\.\.\.''', quote_literal(fill[i]));
	END LOOP;
	EXECUTE 'RESET ROLE';
	EXECUTE told;
	EXECUTE format('SET ROLE %I', failing);
	after := catch(statement);
	RETURN is(after.state || ': ' || after.message, NULL, description);
END
$$;

-- ------------------------------------------------------- limits of a server

SELECT make_server('odd "name"', sim_url(), '', 'connections, members') \g /dev/null
\set list 'SELECT count(name) FROM "odd ""name""".connections'

ALTER SERVER "odd ""name""" OPTIONS (ADD max_response_size '1kB');
SELECT mends(:'list', $$ALTER SERVER "odd ""name""" OPTIONS (SET max_response_size '64MB')$$, 'max_response_size');
ALTER SERVER "odd ""name""" OPTIONS (ADD request_timeout '200ms', max_retries '0');
SELECT sim_fault('{"path": "/v2/connections", "times": -1, "do": "delay", "ms": 600}') \g /dev/null
SELECT mends(:'list', $$ALTER SERVER "odd ""name""" OPTIONS (SET request_timeout '60s')$$, 'request_timeout');
SELECT sim_calm() \g /dev/null
SELECT sim_fault('{"path": "/v2/connections", "times": 2, "do": "status", "status": 429, "headers": {"Retry-After": "0"}}') \g /dev/null
SELECT mends(:'list', $$ALTER SERVER "odd ""name""" OPTIONS (SET max_retries '5')$$, 'max_retries');
SELECT sim_calm() \g /dev/null

-- ---------------------------------------------------------- address, secret

ALTER SERVER "odd ""name""" OPTIONS (SET base_url 'http://127.0.0.1:1');
SELECT mends(:'list', $$ALTER SERVER "odd ""name""" OPTIONS (SET base_url 'https://...')$$, 'a wrong address', ARRAY[sim_url()]);
SELECT format('ALTER SERVER "odd ""name""" OPTIONS (SET base_url %L)', url || '/v2/') FROM sim_url() url \gexec
SELECT mends(:'list', format('ALTER SERVER "odd ""name""" OPTIONS (SET base_url %L)', sim_url()), 'an address with the version of the API');
ALTER USER MAPPING FOR CURRENT_USER SERVER "odd ""name""" OPTIONS (DROP client_secret, ADD client_secret_file '/none');
SELECT sim_shell('umask 077; echo simulator-secret >hinted.secret; pwd') AS dir \gset
SELECT mends(:'list', format($$ALTER USER MAPPING FOR %I SERVER "odd ""name""" OPTIONS (SET client_secret_file '...')$$, current_user),
	'a wrong file', ARRAY[trim(E'\n' FROM :'dir') || '/hinted.secret']);
ALTER USER MAPPING FOR CURRENT_USER SERVER "odd ""name""" OPTIONS (DROP client_secret_file, ADD client_secret 'wrong');
SELECT sim_shell('rm hinted.secret') \g /dev/null
SELECT mends(:'list', format($$ALTER USER MAPPING FOR %I SERVER "odd ""name""" OPTIONS (SET client_id '...', SET client_secret '...')$$, current_user),
	'wrong credentials', '{simulator-client,simulator-secret}');
DROP USER MAPPING FOR CURRENT_USER SERVER "odd ""name""";
SELECT is((statements((catch(:'list')).hint))[1],
	format($$CREATE USER MAPPING FOR %I SERVER "odd ""name""" OPTIONS (client_id '...', client_secret '...')$$, current_user), 'no mapping');
CREATE USER MAPPING FOR PUBLIC SERVER "odd ""name""" OPTIONS (client_id 'simulator-client');
SELECT mends(:'list', $$ALTER USER MAPPING FOR PUBLIC SERVER "odd ""name""" OPTIONS (ADD client_secret '...')$$, 'PUBLIC''s without a secret',
	'{simulator-secret}');
ALTER USER MAPPING FOR PUBLIC SERVER "odd ""name""" OPTIONS (SET client_secret 'wrong');
SELECT is((statements((catch(:'list')).hint))[1],
	$$ALTER USER MAPPING FOR PUBLIC SERVER "odd ""name""" OPTIONS (SET client_id '...', SET client_secret '...')$$, 'PUBLIC''s with a wrong one');

-- ------------------------------------------------------- privileges, writing

CREATE ROLE "hint reader";
GRANT EXECUTE ON FUNCTION sigma_whoami TO "hint reader";
CREATE USER MAPPING FOR "hint reader" SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
SET ROLE "hint reader";
SELECT mends('SELECT * FROM sigma_whoami(''sim'')', 'GRANT USAGE ON FOREIGN SERVER sim TO "hint reader"', 'USAGE on the server');
RESET ROLE;
DROP OWNED BY "hint reader";
DROP ROLE "hint reader";
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT mends('SELECT sigma_create_connection(''sim'', ''hinted'', ''{"type": "postgres", "host": "h", "database": "d"}'')',
	'ALTER SERVER sim OPTIONS (SET updatable ''true'')', 'a server that allows no writes');

-- -------------------------------------------------------- tables and columns

CREATE SCHEMA "Odd";
CREATE FOREIGN TABLE "Odd"."T" (nme text) SERVER sim OPTIONS (resource 'connections');
SELECT mends('SELECT nme FROM "Odd"."T"', 'ALTER FOREIGN TABLE "Odd"."T" ALTER COLUMN nme OPTIONS (ADD field ''name'')', 'a column''s name');
CREATE FOREIGN TABLE "Odd"."U" (zzz text) SERVER sim OPTIONS (resource 'connections');
SELECT mends('SELECT zzz FROM "Odd"."U"', 'ALTER FOREIGN TABLE "Odd"."U" ALTER COLUMN zzz OPTIONS (ADD field ''...'')', 'one like no other',
	'{type}');
CREATE FOREIGN TABLE "Odd".conections (name text) SERVER sim;
SELECT mends('SELECT * FROM "Odd".conections', 'ALTER FOREIGN TABLE "Odd".conections OPTIONS (ADD resource ''connections'')', 'a resource''s name');
SELECT mends('UPDATE "Odd"."T" SET nme = ''x'' WHERE nme = ''hinted''',
	'ALTER FOREIGN TABLE "Odd"."T" ADD COLUMN connection_id text', 'a table without the id');
CREATE FOREIGN TABLE "Odd".versions (name text) SERVER sim OPTIONS (path '/v2/tags/{tag}/workbooks');
SELECT is((statements((catch('SELECT count(*) FROM "Odd".versions')).hint))[1], 'ALTER FOREIGN TABLE "Odd".versions ADD COLUMN tag text',
	'a key of the path that is no column');
ALTER FOREIGN TABLE "Odd".versions ADD COLUMN tag text;
SELECT is((statements((catch('SELECT count(*) FROM "Odd".versions')).hint))[1], 'ALTER FOREIGN TABLE "Odd".versions OPTIONS (ADD parent ''...'')',
	'a key without a value');
SELECT element('waits', 'elRevenue', 'region text', 'export_timeout ''700ms''') \g /dev/null
SELECT sim_call('POST', 'config', '{"export": {"ms": 1500}}', 'data') \g /dev/null
SELECT mends('SELECT region FROM e.waits', 'ALTER FOREIGN TABLE e.waits OPTIONS (SET export_timeout ''30min'')', 'a table''s export_timeout');
ALTER FOREIGN TABLE e.waits OPTIONS (DROP export_timeout);
ALTER SERVER data OPTIONS (ADD export_timeout '700ms');
SELECT mends('SELECT region FROM e.waits', 'ALTER SERVER data OPTIONS (SET export_timeout ''30min'')', '... and its server''s');
SELECT element('named', 'elRevenue', '"Region of sale" text') \g /dev/null
SELECT is((statements((catch('SELECT * FROM e.named')).hint))[1],
	'ALTER FOREIGN TABLE e.named ALTER COLUMN "Region of sale" OPTIONS (ADD field ''...'')', 'a column that is none of the element''s');

SELECT * FROM finish();

-- README.md as a newcomer meets it: each of its blocks of SQL is pasted into psql, in a new database.  All of them work, none
-- changes anything in Sigma, and those with a dry run do what they say once that line is left out.

\ir lib/simulator.sql
SELECT * FROM no_plan();

\set content `cat ../../README.md`
-- every second piece is what a fence encloses, its language first
CREATE TABLE piece AS SELECT n, part FROM regexp_split_to_table(:'content', '(^|\n)```') WITH ORDINALITY AS p (part, n);
-- First comes what sets all of it up; last the beginning, which shows where that leads.
CREATE TABLE block AS
SELECT row_number() OVER (ORDER BY b.n < five.n, b.n) AS n, substr(b.part, 5) AS script,
	(regexp_match(b.part, '(?n)^(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|IMPORT) [^\n]{1,60}'))[1] AS title
FROM piece b, (SELECT min(n) AS n FROM piece WHERE n % 2 = 1 AND part ~ '\n## Five minutes') five
WHERE b.n % 2 = 0 AND b.part LIKE E'sql\n%';
SELECT cmp_ok(count(*), '>=', 30::bigint, 'blocks of SQL') FROM block;

-- from here on psql() is the newcomer's, whose role "ada" is there and whose secret is in a file
CREATE DATABASE newcomer;
SELECT set_config('sim.conninfo', regexp_replace(current_setting('sim.conninfo'), 'dbname=\S+', 'dbname=newcomer'), false) \g /dev/null
CREATE ROLE ada;
SELECT sim_shell('umask 077; echo simulator-secret >sigma.secret; rm -f rsa_key.p8') \g /dev/null

CREATE FUNCTION paste(script text,
	environment text DEFAULT E'\\setenv SIGMA_CLIENT_ID simulator-client\n\\setenv SIGMA_CLIENT_SECRET simulator-secret\n\\setenv KEY_PASSPHRASE hush')
RETURNS text LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'log');
	SELECT coalesce(psql(environment || E'\n' || replace(replace(script, 'region ''aws-us-east''', format('base_url %L', sim_url())),
		'/etc/postgresql/sigma.secret', current_setting('data_directory') || '/sigma.secret')), '')
$$;
-- what is wrong with what psql has said
CREATE FUNCTION complaints(told text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
	SELECT coalesce(array_agg(line), '{}') FROM regexp_split_to_table(told, '\n') line
	WHERE line !~ '^(NOTICE|DETAIL|HINT|LOCATION|LOG|INFO): '
		AND line ~ 'ERROR: |WARNING: |FATAL: |PANIC: |^error|^psql: |^invalid|cannot |not in the environment|No such'
$$;
-- what it becomes if that line is left out; "" if there is none
CREATE FUNCTION for_good(script text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE WHEN script ~ line THEN regexp_replace(script, line, '\1') ELSE '' END
		FROM (VALUES ('(BEGIN;\n)SET LOCAL sigma_fdw.dry_run = on;[^\n]*\n')) v (line)
$$;
CREATE FUNCTION tried(script text, title text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is(complaints(paste(script)), '{}', title);
	RETURN NEXT is(writes(), '{}', '... changes nothing');
	IF for_good(script) <> '' THEN
		-- what the block makes here is there already
		RETURN NEXT is((SELECT coalesce(array_agg(c), '{}') FROM unnest(complaints(paste(for_good(script)))) c WHERE c !~ 'already exists|duplicate key'),
			'{}', '... without the dry run');
		RETURN NEXT isnt(writes(), '{}', '... is done');
		PERFORM sim_reset();
	END IF;
END
$$;

-- from many terminals, what is pasted comes to psql as one line, and a psql command would take the SQL after it for its arguments
SELECT is(array_agg(title), NULL, 'psql commands before SQL are ended') FROM block WHERE script ~ '(?n)^\\[^\n]*[^\\\n]\n[^\\]';
SELECT is(title, 'CREATE EXTENSION sigma_fdw;', 'where it begins') FROM block WHERE n = 1;

-- without what the shell was to set, nothing is done, and a word is said
SELECT tried(script, title) FROM block WHERE n = 1;
SELECT script AS mapping FROM block WHERE title ~ 'CREATE USER MAPPING FOR CURRENT_USER' \gset
SELECT script AS copy FROM block WHERE script ~ 'rsa_key' \gset
SELECT alike(paste(:'mapping', environment), pattern, 'no ' || what)
FROM (VALUES ('environment', '', '%SIGMA_CLIENT_ID%is not in the environment%SIGMA_CLIENT_SECRET%ERROR:  22023: %'),
	('secret', E'\\setenv SIGMA_CLIENT_ID simulator-client', '%SIGMA_CLIENT_SECRET%is not in the environment%ERROR:  22023: %'),
	('id', E'\\setenv SIGMA_CLIENT_SECRET simulator-secret', '%SIGMA_CLIENT_ID%is not in the environment%ERROR:  22023: %'),
	('characters in the secret', E'\\setenv SIGMA_CLIENT_ID simulator-client\n\\setenv SIGMA_CLIENT_SECRET ''''',
		'%SIGMA_CLIENT_SECRET%is not in the environment%ERROR:  22023: %')) v (what, environment, pattern);
SELECT is(psql('SELECT count(*) FROM pg_user_mappings WHERE srvname = ''sigma'''), '0', '... and no mapping');

SELECT tried(script, title) FROM block WHERE n > 1 AND script <> :'copy' ORDER BY n;
SELECT alike(paste(for_good(:'copy')), '%rsa_key.p8: No such file%', 'a copy without a key');
SELECT is(writes(), '{}', '... is none');
SELECT sim_shell('echo key >rsa_key.p8') \g /dev/null
SELECT alike(paste(for_good(:'copy'), ''), '%KEY_PASSPHRASE%is not in the environment%', 'a copy without a passphrase');
SELECT is(writes(), '{}', '... is none');
SELECT tried(:'copy', 'a copy');

-- the other role can work with it; and what it misspells in a dry run is an error, once it has loaded the library as README.md says
SELECT alike(paste('SET ROLE analyst; SELECT sigma_fdw_version() \g /dev/null
SET sigma_fdw.dryrun = on;'), 'ERROR:  42602: %', 'a setting that does not exist');
SELECT is(paste('SET ROLE analyst; SELECT count(*) FROM sigma.connections; SELECT count(*) FROM sigma_check(''sigma'') '
	'WHERE NOT ok; SELECT count(*) FROM sigma_whoami(''sigma'')'),
	E'13\n0\n1', 'another role');

-- what a dump of foreign data does when it is restored, and what a dry run does
CREATE FUNCTION restored(options text) RETURNS text LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'log');
	SELECT sim_shell(format('PATH=%s:$PATH; pg_dump -a --include-foreign-data=sigma -t granted %s | PGOPTIONS=%s psql -Xq %2$s 2>&1 || true',
		sim_quote((SELECT setting FROM pg_config WHERE name = 'BINDIR')), sim_quote(current_setting('sim.conninfo')), sim_quote(options)))
$$;
SELECT psql('CREATE FOREIGN TABLE granted (connection_id text, permission text, member_id text, team_id text) SERVER sigma '
	'OPTIONS (resource ''connection_grants'')') \g /dev/null
SELECT unalike(restored('-c sigma_fdw.dry_run=on'), '%ERROR%', 'a restore of foreign data as a dry run');
SELECT is(writes(), '{}', '... changes nothing');
SELECT isnt(restored(''), '', 'a restore of foreign data');
SELECT isnt(writes(), '{}', '... writes, as README.md warns');

DROP DATABASE newcomer;
DROP ROLE ada, analyst;
SELECT sim_shell('rm -f sigma.secret rsa_key.p8') \g /dev/null
SELECT * FROM finish();

-- README.md as a newcomer meets it, see lib/documents.sql.  What the other documents show is in documents.sql.

\ir lib/documents.sql
SELECT * FROM no_plan();

CREATE DATABASE newcomer;
SELECT cmp_ok(count(*), '>=', 15::bigint, 'blocks of SQL') FROM block WHERE document = 'README.md';

-- from many terminals, what is pasted comes to psql as one line, and a psql command would take the SQL after it for its arguments
SELECT is(array_agg(title), NULL, 'psql commands before SQL are ended') FROM block WHERE document = 'README.md' AND script ~ '(?n)^\\[^\n]*[^\\\n]\n[^\\]';
SELECT is(title, 'CREATE EXTENSION sigma_fdw;', 'where it begins') FROM block WHERE document = 'README.md' AND n = 1;

-- without what the shell was to set, nothing is done, and a word is said
SELECT tried(script, title) FROM block WHERE document = 'README.md' AND n = 1;
SELECT script AS mapping FROM block WHERE document = 'README.md' AND title ~ 'CREATE USER MAPPING FOR CURRENT_USER' \gset
SELECT script AS copy FROM block WHERE document = 'doc/cookbook.md' AND script ~ 'rsa_key' \gset
SELECT alike(paste(:'mapping', environment), pattern, 'no ' || what)
FROM (VALUES ('environment', '', '%SIGMA_CLIENT_ID%is not in the environment%SIGMA_CLIENT_SECRET%ERROR:  22023: %'),
	('secret', E'\\setenv SIGMA_CLIENT_ID simulator-client', '%SIGMA_CLIENT_SECRET%is not in the environment%ERROR:  22023: %'),
	('id', E'\\setenv SIGMA_CLIENT_SECRET simulator-secret', '%SIGMA_CLIENT_ID%is not in the environment%ERROR:  22023: %'),
	('characters in the secret', E'\\setenv SIGMA_CLIENT_ID simulator-client\n\\setenv SIGMA_CLIENT_SECRET ''''',
		'%SIGMA_CLIENT_SECRET%is not in the environment%ERROR:  22023: %')) v (what, environment, pattern);
SELECT is(psql('SELECT count(*) FROM pg_user_mappings WHERE srvname = ''sigma'''), '0', '... and no mapping');

SELECT tried(script, title) FROM block WHERE document = 'README.md' AND n > 1 ORDER BY n;

-- doc/cookbook.md copies a connection with what is in a file and in the environment
SELECT alike(paste(for_good(:'copy')), '%rsa_key.p8: No such file%', 'a copy without a key');
SELECT is(changes(), '{}', '... is none');
SELECT sim_shell('echo key >rsa_key.p8') \g /dev/null
SELECT alike(paste(for_good(:'copy'), ''), '%KEY_PASSPHRASE%is not in the environment%', 'a copy without a passphrase');
SELECT is(changes(), '{}', '... is none');
SELECT tried(:'copy', 'a copy');

-- the other role can work with it; and what it misspells in a dry run is an error, once it has loaded the library as doc/writing.md says
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
SELECT is(changes(), '{}', '... changes nothing');
SELECT isnt(restored(''), '', 'a restore of foreign data');
SELECT isnt(changes(), '{}', '... writes, as doc/operations.md warns');

DROP DATABASE newcomer;
DROP ROLE ada, analyst;
SELECT sim_shell('rm -f sigma.secret rsa_key.p8') \g /dev/null
SELECT * FROM finish();

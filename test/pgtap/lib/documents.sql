-- README.md and doc/*.md as their reader meets them: each of their blocks of SQL, to be pasted into psql in a new database
-- "newcomer".  All of them work, none changes anything in Sigma, and those with a dry run do what they say once that line is
-- left out.  A block of another kind (without "sql" behind its fence) shows what psql prints, and is not run.

\ir simulator.sql

-- one whose elements have data
SELECT sim_stop('main') \g /dev/null
SELECT sim_start('main', '--element-rows 1000') \g /dev/null

\set readme `cat ../../README.md`
\set files `cd ../../doc && for file in *.md; do printf '\f%s\n' "doc/$file"; cat "$file"; done`
CREATE TABLE document AS
SELECT 'README.md' AS name, :'readme' AS content
UNION ALL
SELECT split_part(part, E'\n', 1), substr(part, strpos(part, E'\n')) FROM regexp_split_to_table(substr(:'files', 2), '\f') part;
-- Every second piece is what a fence encloses, its language first.  How to set all of it up comes first; last of README.md is
-- its beginning, which shows where that leads.
CREATE TABLE block AS
SELECT d.name AS document, row_number() OVER (PARTITION BY d.name ORDER BY d.name = 'README.md' AND p.n < five, p.n) AS n,
	d.name = 'README.md' AND p.n BETWEEN five AND ten AS is_setup, substr(p.part, 5) AS script,
	(regexp_match(p.part, '(?n)^(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|IMPORT|EXPLAIN) [^\n]{1,60}'))[1] AS title
FROM document d, regexp_split_to_table(d.content, '(^|\n)```') WITH ORDINALITY AS p (part, n),
	(SELECT min(n) FILTER (WHERE part ~ '\n## Five minutes') AS five, min(n) FILTER (WHERE part ~ '\n## Ten recipes') AS ten
	 FROM document, regexp_split_to_table(content, '(^|\n)```') WITH ORDINALITY AS p (part, n) WHERE name = 'README.md' AND n % 2 = 1) m
WHERE p.n % 2 = 0 AND p.part LIKE E'sql\n%';

-- from here on psql() is the newcomer's, whose role "ada" is there and whose secret is in a file
SELECT set_config('sim.conninfo', regexp_replace(current_setting('sim.conninfo'), 'dbname=\S+', 'dbname=newcomer'), false) \g /dev/null
CREATE ROLE ada;
SELECT sim_shell('umask 077; echo simulator-secret >sigma.secret; rm -f rsa_key.p8') \g /dev/null

-- an export makes Sigma run a query, and changes nothing
CREATE FUNCTION changes() RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(w), '{}') FROM unnest(writes()) w WHERE w NOT LIKE '%/export'
$$;
CREATE FUNCTION paste(script text,
	environment text DEFAULT E'\\setenv SIGMA_CLIENT_ID simulator-client\n\\setenv SIGMA_CLIENT_SECRET simulator-secret\n\\setenv KEY_PASSPHRASE hush')
RETURNS text LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'log');
	SELECT coalesce(psql(environment || E'\n' || replace(replace(replace(script, 'region ''aws-us-east''', format('base_url %L', sim_url())),
		'''/etc/postgresql/', '''' || current_setting('data_directory') || '/'), '''/srv/', '''' || current_setting('data_directory') || '/')), '')
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
	RETURN NEXT is(changes(), '{}', '... changes nothing');
	IF for_good(script) <> '' THEN
		-- what the block makes here is there already
		RETURN NEXT is((SELECT coalesce(array_agg(c), '{}') FROM unnest(complaints(paste(for_good(script)))) c WHERE c !~ 'already exists|duplicate key'),
			'{}', '... without the dry run');
		RETURN NEXT isnt(changes(), '{}', '... is done');
		PERFORM sim_reset();
	END IF;
END
$$;

-- ALTER EXTENSION ... UPDATE: it makes of an older version what CREATE EXTENSION
-- makes of the newest, asks Sigma nothing, and leaves what users have made.

\ir lib/simulator.sql
\ir lib/objects.sql
SELECT * FROM no_plan();

-- out of the files: before 18, PostgreSQL's views know only its own directories
\set newest `sed -n "s/^default_version = '\(.*\)'/\1/p" "$SIGMA_EXTENSION_DIR/sigma_fdw.control"`
\set versions `cd "$SIGMA_EXTENSION_DIR" && ls sigma_fdw--*.sql | sed 's/^sigma_fdw--//; s/--.*//; s/[.]sql$//' | sort -u | tr '\n' ' '`
SELECT is(installed(), :'newest', 'CREATE EXTENSION takes the newest version');
SELECT lives_ok('ALTER EXTENSION sigma_fdw UPDATE', 'which an update leaves as it is');

-- ------------------------------------------------ every version there has been

CREATE TABLE created AS SELECT o FROM objects() o;
CREATE FUNCTION differences() RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(o ORDER BY o) FROM ((TABLE created EXCEPT SELECT objects()) UNION (SELECT objects() EXCEPT TABLE created)) d
$$;
SELECT cmp_ok((SELECT count(*) FROM created), '>', 15::bigint, 'there are objects to compare');
-- what is compared has to be all that a script could make different, of views too
BEGIN;
COMMENT ON COLUMN sigma_stat_servers.server IS 'another';
SELECT is(cardinality(differences()), 2, 'the comment on a column of a view is compared');
ROLLBACK;
BEGIN;
REVOKE SELECT ON sigma_stat_progress FROM PUBLIC;
SELECT is(cardinality(differences()), 2, '... and privileges on a view');
ROLLBACK;
BEGIN;
ALTER VIEW sigma_stat_progress RENAME COLUMN seconds TO duration;
SELECT is(cardinality(differences()), 2, '... and what a view shows');
ROLLBACK;
DROP SCHEMA sim CASCADE;
DROP EXTENSION sigma_fdw CASCADE;
SELECT format($$
	CREATE EXTENSION sigma_fdw VERSION %L;
	ALTER EXTENSION sigma_fdw UPDATE;
	SELECT is(differences(), NULL, 'from version %1$s');
	DROP EXTENSION sigma_fdw; $$, version)
FROM string_to_table(:'versions', ' ') version WHERE version NOT IN ('', :'newest') \gexec
CREATE EXTENSION sigma_fdw;
SELECT is(differences(), NULL, 'all is there again');

-- ------------------------------------------------------------- the next version

-- which adds a function, and changes one
\getenv directory SIGMA_EXTENSION_DIR
\set next :newest 'next'
\set file :directory '/sigma_fdw--' :newest '--' :next '.sql'
\o :file
SELECT $$
CREATE FUNCTION @extschema@.sigma_next() RETURNS pg_catalog.text AS 'MODULE_PATHNAME', 'sigma_fdw_version' LANGUAGE C STRICT STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.sigma_next() IS 'what comes next';
CREATE OR REPLACE FUNCTION @extschema@.sigma_fdw_version() RETURNS pg_catalog.text AS 'MODULE_PATHNAME' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 7;
$$;
\o
SELECT make_server('sim', sim_url()) \g /dev/null
CREATE VIEW mine AS SELECT connection_id, name FROM sim.connections WHERE NOT is_sample;
CREATE ROLE sigma_upgrade;
GRANT EXECUTE ON FUNCTION sigma_whoami(text) TO sigma_upgrade;
TRUNCATE created;
INSERT INTO created SELECT objects();
SELECT count(*) AS seen FROM mine \gset
-- another session is in the middle of something
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT dblink_exec('other', 'PREPARE p AS SELECT count(name) FROM mine; BEGIN; DECLARE c CURSOR FOR SELECT name FROM sim.connections; MOVE c') \g /dev/null
SELECT sim_call('DELETE', 'log') \g /dev/null

BEGIN;
SELECT lives_ok(format('ALTER EXTENSION sigma_fdw UPDATE TO %L', :'next'), 'an update to the next version');
SELECT is(installed(), :'next', '... is one');
ROLLBACK;
SELECT is(installed(), :'newest', '... which can be rolled back');
SELECT is(differences(), NULL, '... without a trace');
SELECT lives_ok(format('ALTER EXTENSION sigma_fdw UPDATE TO %L', :'next'), '... and made');
SELECT is(installed(), :'next', '... for good');
SELECT is(sigma_next(), sigma_fdw_version(), '... with its new function');
SELECT is((SELECT procost FROM pg_proc WHERE proname = 'sigma_fdw_version'), 7::real, '... and the changed one');
SELECT is(sim_count() + sim_sign_ins(), 0, 'it asks Sigma nothing');
SELECT is((SELECT count(*)::int FROM mine), :seen, 'tables, server and mapping are as they were');
SELECT ok(has_function_privilege('sigma_upgrade', 'sigma_whoami(text)', 'EXECUTE'), '... and privileges');
SELECT is(sim_sign_ins(), 0, '... and the session with Sigma');
SELECT is((SELECT count(*) FROM dblink('other', 'FETCH ALL FROM c') r (name text)), 12::bigint, 'another session goes on where it was');
SELECT dblink_exec('other', 'COMMIT') \g /dev/null
SELECT is((SELECT n FROM dblink('other', 'EXECUTE p') r (n int)), :seen, '... with what it has prepared');
SELECT is((SELECT v FROM dblink('other', 'SELECT sigma_next()') r (v text)), sigma_fdw_version(), '... and has the new function');
SELECT is(sim_sign_ins(), 0, '... and no need to sign in again');
SELECT dblink_disconnect('other') \g /dev/null

DROP OWNED BY sigma_upgrade;
DROP ROLE sigma_upgrade;
\setenv file :file
\! rm "$file"

SELECT * FROM finish();

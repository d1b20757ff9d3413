-- sigma_stat_servers, sigma_stat_resources, sigma_stat_reset(): what a session
-- counts for itself, without the library preloaded.

\ir lib/simulator.sql
\ir lib/connections.sql
SELECT * FROM no_plan();

CREATE FUNCTION stat(what text, of_resource text DEFAULT 'connections', of_server text DEFAULT 'sim') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	n float8;
BEGIN
	EXECUTE format('SELECT %I FROM sigma_stat_resources WHERE resource IS NOT DISTINCT FROM $1 AND server = $2', what)
		INTO n USING of_resource, of_server;
	RETURN coalesce(n, 0);
END $$;

SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, 'nothing has been asked, and nothing is counted');
SELECT fails('SELECT * FROM sigma_stat_progress', '55000', '%must be loaded via "shared_preload_libraries"', NULL, 'Add sigma_fdw to %',
	'progress needs the library preloaded');

-- ----------------------------------------------------------------- reading
SELECT make_server('paged', sim_url(), 'page_size ''5'', max_retries ''2''') \g /dev/null
SELECT count(*) AS n FROM (SELECT name FROM paged.connections OFFSET 0) c \gset
SELECT is(stat('rows', of_server => 'paged'), :n::float8, 'rows are counted');
SELECT is(stat('requests', of_server => 'paged'), sim_count()::float8, '... and requests, as Sigma has seen them');
SELECT is(stat('status_2xx', of_server => 'paged'), sim_count()::float8, '... each with a good reply');
SELECT cmp_ok(stat('bytes', of_server => 'paged'), '>', 100 * :n::float8, '... and their bytes');
SELECT cmp_ok(stat('wait_time', of_server => 'paged'), '>', 0::float8, '... and the wait');
SELECT is(stat('sign_ins', NULL, 'paged'), 1::float8, 'a sign-in is of no resource');
SELECT is((SELECT array[requests, status_2xx, rows, sign_ins] FROM sigma_stat_servers WHERE server = 'paged'),
	array[sim_count(), sim_count(), :n, 1]::bigint[], 'a server has the sums');
SELECT is((SELECT username FROM sigma_stat_servers WHERE server = 'paged'), current_user::text, '... of a user mapping');
SELECT sim_calm() \g /dev/null
SELECT count(*) FROM sigma_stat_servers, sigma_stat_resources \g /dev/null
SELECT is(sim_count() + sim_sign_ins(), 0, 'who reads them asks Sigma nothing');
BEGIN READ ONLY;
SELECT lives_ok('SELECT * FROM sigma_stat_servers', '... and writes nothing');
ROLLBACK;

-- ---------------------------------------------------------------- failures
SELECT sigma_stat_reset();
SELECT is((SELECT count(*)::int FROM sigma_stat_resources), 0, 'after a reset, there is nothing');
SELECT sim_spoil_list('status', '{"status": 429, "times": 1, "headers": {"Retry-After": "1"}}') \g /dev/null
SELECT count(name) FROM paged.connections \g /dev/null
SELECT is(array[stat('throttled', of_server => 'paged'), stat('status_4xx', of_server => 'paged'), stat('retries', of_server => 'paged')],
	'{1,1,1}', 'a 429, and the retry');
SELECT cmp_ok(stat('throttle_time', of_server => 'paged'), '>', 500::float8, '... and the time that it cost');
SELECT cmp_ok(stat('wait_time', of_server => 'paged'), '>=', stat('throttle_time', of_server => 'paged') - 1, '... which has been waited');
SELECT sim_calm() \g /dev/null
SELECT sigma_stat_reset();
SELECT sim_spoil_list('status', '{"status": 503}') \g /dev/null
SELECT throws_ok('SELECT name FROM sim.connections', '58000', NULL, 'a query that fails');
SELECT is(stat('status_5xx'), sim_count()::float8, '... is counted with all its tries');
SELECT is(stat('retries'), sim_count() - 1::float8, '... and retries');
SELECT sim_calm() \g /dev/null
SELECT sigma_stat_reset();
SELECT sim_spoil_list('never') \g /dev/null
SET statement_timeout = '400ms';
SELECT fails('SELECT name FROM sim.connections', '57014', NULL, NULL, NULL, 'a query that is cancelled');
RESET statement_timeout;
SELECT is(stat('requests'), 1::float8, '... has asked');
SELECT cmp_ok(stat('wait_time'), '>', 200::float8, '... and waited');
SELECT is((SELECT status_2xx + status_3xx + status_4xx + status_5xx FROM sigma_stat_servers), 0::bigint, '... without a reply');
SELECT sim_calm() \g /dev/null

-- ------------------------------------------------------------------ writes
SELECT sigma_stat_reset();
CREATE FUNCTION written() RETURNS bigint[] LANGUAGE sql AS $$
	SELECT array[writes_done, writes_refused, writes_unknown] FROM sigma_stat_servers WHERE server = 'sim'
$$;
SELECT sigma_create_connection('sim', 'a', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "secretword"}') \g /dev/null
SELECT is(written(), '{1,0,0}', 'a write that is carried out');
SELECT sim_spoil_create('status', '{"status": 400}') \g /dev/null
SELECT catch($$SELECT sigma_create_connection('sim', 'b', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}')$$) \g /dev/null
SELECT is(written(), '{1,1,0}', '... that is refused');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_create('never') \g /dev/null
SET statement_timeout = '400ms';
SELECT fails($$SELECT sigma_create_connection('sim', 'c', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}')$$,
	'57014', NULL, NULL, NULL, '... that is cancelled on its way');
RESET statement_timeout;
SELECT is(written(), '{1,1,1}', '... is one of which nobody knows');
SELECT sim_calm() \g /dev/null
BEGIN;
SELECT sigma_create_connection('sim', 'd', '{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "p"}') \g /dev/null
ROLLBACK;
SELECT is(written(), '{3,1,1}', 'what a rollback does is counted, too');
SELECT is((SELECT array_agg(resource ORDER BY resource) FROM sigma_stat_resources WHERE writes_done > 0), '{connections}', '... for its resource');

-- ----------------------------------------------------------------- secrets
SELECT id_of_first FROM (SELECT connection_id AS id_of_first FROM sim.connections LIMIT 1) c \gset
SELECT count(*) FROM sigma_list('sim', '/v2/connections/' || :'id_of_first' || '/grants', '{"secretQuery": "secretword"}') \g /dev/null
SELECT catch($$SELECT * FROM sigma_request('sim', 'GET', '/v2/nothing/secretword')$$) \g /dev/null
SELECT is((SELECT count(*)::int FROM sigma_stat_resources r WHERE r::text ~ 'secret|/v2|simulator' OR r::text LIKE '%' || :'id_of_first' || '%'), 0,
	'neither secrets stand in it, nor paths, nor ids');
SELECT cmp_ok(stat('requests', NULL), '>=', 2::float8, 'requests of functions are of no resource');

-- -------------------------------------------------------------- privileges
CREATE ROLE sigma_stat_user;
CREATE ROLE sigma_stat_all IN ROLE pg_read_all_stats;
SET ROLE sigma_stat_user;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, 'others do not see them');
RESET ROLE;
SET ROLE sigma_stat_all;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 1, 'pg_read_all_stats does');
RESET ROLE;
CREATE SERVER open FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url 'http://127.0.0.1:1');
ALTER SERVER open OPTIONS (SET base_url 'http://127.0.0.1:1', ADD max_retries '0');
CREATE USER MAPPING FOR PUBLIC SERVER open OPTIONS (client_id 'x', client_secret 'y');
SELECT catch($$SELECT sigma_whoami('open')$$) \g /dev/null
SELECT is((SELECT username || ' ' || sign_ins || ' ' || sign_ins_failed FROM sigma_stat_servers WHERE server = 'open'), 'public 1 1',
	'the mapping of PUBLIC, and a sign-in that fails');
SET ROLE sigma_stat_user;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, '... is not seen by who may not use the server');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER open TO sigma_stat_user;
SET ROLE sigma_stat_user;
SELECT is((SELECT array_agg(server) FROM sigma_stat_servers), '{open}', '... and by who may');
SELECT lives_ok('SELECT sigma_stat_reset()', 'a session''s own counters are for everybody to reset');
RESET ROLE;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, '... and are reset');
SELECT count(name) FROM sim.connections \g /dev/null
DROP SERVER open CASCADE;
SELECT is((SELECT array_agg(server) FROM sigma_stat_servers), '{sim}', 'others go on');
DROP SERVER sim CASCADE;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, 'of a server that is dropped nothing is told');
DROP OWNED BY sigma_stat_user;
DROP ROLE sigma_stat_user;
DROP ROLE sigma_stat_all;

-- ------------------------------------------------------------- a full table
SELECT make_server('sim2', sim_url(), '', 'connections') \g /dev/null
SELECT sigma_whoami('sim2') \g /dev/null
DO $$ BEGIN
	FOR i IN 1..300 LOOP
		EXECUTE format('CREATE FOREIGN TABLE many_%s (connection_id text) SERVER sim2 OPTIONS (path ''/v2/connections?n=%s'', key ''connection_id'', paging ''page'')', i, i);
	END LOOP;
EXCEPTION WHEN OTHERS THEN
	FOR i IN 1..300 LOOP
		EXECUTE format('CREATE FOREIGN TABLE many_%s (connection_id text) SERVER sim2 OPTIONS (path ''/v2/connections'', paging ''page'')', i);
	END LOOP;
END $$;
SELECT sim_call('DELETE', 'log') \g /dev/null
SELECT sigma_stat_reset();
SELECT sigma_whoami('sim2') \g /dev/null
DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('SELECT FROM many_%s LIMIT 1', i); END LOOP; END $$;
SELECT is((SELECT requests FROM sigma_stat_servers), sim_count()::bigint, 'with more resources than there is room for, a server''s sums stay true');
SELECT cmp_ok((SELECT count(*) FROM sigma_stat_resources), '<=', 256::bigint, '... in a table of fixed size');

-- -------------------------------------------------------------- descriptions
SELECT is((SELECT array_agg(c.relname || '.' || a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relname LIKE 'sigma\_stat\_%' AND c.relkind = 'v' AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL), NULL, 'every column has a comment');

SELECT * FROM finish();

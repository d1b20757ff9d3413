-- sigma_stat_...: with the library preloaded, the counters are those of all
-- backends.  Run by test/harness/check-shared.

\ir ../pgtap/lib/simulator.sql
SELECT * FROM no_plan();

-- other files of this suite have other databases, which are not shown
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, 'nothing has been asked in this database');
SELECT psql('SELECT count(name) FROM sim.connections') \g /dev/null
SELECT psql('SELECT count(name) FROM sim.connections') \g /dev/null
SELECT is((SELECT requests FROM sigma_stat_resources WHERE resource = 'connections'), sim_count()::bigint, 'the requests of two sessions that have ended');
SELECT is((SELECT sign_ins FROM sigma_stat_servers), sim_sign_ins()::bigint, '... and their sign-ins');

-- a backend that is terminated in the middle of a list
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT pid AS other FROM dblink('other', 'SELECT pg_backend_pid()') r (pid int) \gset
SELECT requests AS before FROM sigma_stat_servers \gset
SELECT sim_spoil_list('never') \g /dev/null
SELECT dblink_send_query('other', 'SELECT name FROM sim.connections') \g /dev/null
SELECT pg_sleep(0.5) \g /dev/null
SELECT pg_terminate_backend(:other, 10000) \g /dev/null
SELECT is((SELECT requests FROM sigma_stat_servers), (:before + 1)::bigint, 'what a terminated backend has asked is counted');
SELECT cmp_ok((SELECT wait_time FROM sigma_stat_servers), '>', 200::float8, '... and how long it has waited');
SELECT sim_calm() \g /dev/null
SELECT dblink_disconnect('other') \g /dev/null

-- privileges
CREATE ROLE sigma_stat_some;
SET ROLE sigma_stat_some;
SELECT is((SELECT count(*)::int FROM sigma_stat_resources), 0, 'others see nothing of it');
SELECT throws_ok('SELECT sigma_stat_reset()', '42501', NULL, '... and may not reset it');
RESET ROLE;
GRANT pg_read_all_stats TO sigma_stat_some;
SET ROLE sigma_stat_some;
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 1, 'pg_read_all_stats sees it');
SELECT throws_ok('SELECT sigma_stat_reset()', '42501', NULL, '... and may not reset it either');
RESET ROLE;
SELECT stats_reset AS since FROM sigma_stat_servers \gset
SELECT sigma_stat_reset();
SELECT is((SELECT count(*)::int FROM sigma_stat_servers), 0, 'its owner may');
SELECT psql('SELECT count(name) FROM sim.connections') \g /dev/null
SELECT cmp_ok((SELECT stats_reset FROM sigma_stat_servers), '>', :'since'::timestamptz, '... and it is known since when it is counted');
DROP ROLE sigma_stat_some;

-- what a list was read by, another session knows
SELECT make_server('pages', sim_url(), 'page_size ''5''') \g /dev/null
SELECT sim_config('{"latency_ms": 150}') \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT psql('SELECT count(name) FROM pages.connections') AS rows \gset
SELECT is((SELECT max(concurrent) FROM sim_log() WHERE path = '/v2/connections'), 2, 'a first scan waits for the first page');
SELECT sim_calm() \g /dev/null
SELECT is(psql('SELECT count(name) FROM pages.connections'), :'rows', 'the same rows in another session');
SELECT is((SELECT max(concurrent) FROM sim_log() WHERE path = '/v2/connections'), 3, '... which asks for all pages at once');
SELECT is(cardinality(sim_requests()), 3, '... and for no more');
SELECT sigma_stat_reset() \g /dev/null
SELECT sim_config('{"latency_ms": 0}') \g /dev/null
SELECT sim_calm() \g /dev/null

-- progress, as another session sees it
CREATE FUNCTION progress() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s: %s/%s pages, %s/%s parents, %s rows', resource, coalesce(pages_done::text, '?'), coalesce(pages_total::text, '?'),
		coalesce(parents_done::text, '-'), coalesce(parents_total::text, '?'), rows), '; ' ORDER BY resource COLLATE "C") FROM sigma_stat_progress
$$;
CREATE PROCEDURE wait_for_progress(pattern text) LANGUAGE plpgsql AS $$ BEGIN
	FOR i IN 1..300 LOOP
		EXIT WHEN progress() LIKE pattern;
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;
SELECT make_server('long', sim_url(), 'page_size ''5'', prefetch ''false''') \g /dev/null
SELECT is(progress(), NULL, 'nothing is read');
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT pid AS other FROM dblink('other', 'SELECT pg_backend_pid()') r (pid int) \gset
SELECT sim_spoil_list('never', '{"after": 1}') \g /dev/null
SELECT dblink_send_query('other', 'SELECT name FROM long.connections') \g /dev/null
CALL wait_for_progress('%1/% 5 rows');
SELECT is(progress(), 'connections: 1/3 pages, -/? parents, 5 rows', 'a list of which one page has been read');
SELECT is((SELECT array[pid::text, datname::text, username::text, server] FROM sigma_stat_progress),
	array[:'other', current_database()::text, current_user::text, 'long'], '... by whom');
SELECT cmp_ok((SELECT seconds FROM sigma_stat_progress), '>', 0::float8, '... and since when');
CREATE ROLE sigma_stat_some;
SET ROLE sigma_stat_some;
SELECT is((SELECT to_jsonb(p) - 'pid' - 'datid' - 'datname' FROM sigma_stat_progress p)::text ~ ': [^n]', false, '... of which others see no more than that it is');
RESET ROLE;
DROP ROLE sigma_stat_some;
SELECT pg_cancel_backend(:other) \g /dev/null
SELECT pg_sleep(0.3) \g /dev/null
SELECT is(progress(), NULL, 'a reading that was cancelled is gone');
SELECT dblink_disconnect('other') \g /dev/null
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT pid AS other FROM dblink('other', 'SELECT pg_backend_pid()') r (pid int) \gset
SELECT dblink_send_query('other', 'SELECT name FROM long.connections') \g /dev/null
CALL wait_for_progress('connections%');
SELECT pg_terminate_backend(:other, 10000) \g /dev/null
SELECT is(progress(), NULL, '... of a backend that was terminated, too');
SELECT sim_calm() \g /dev/null
SELECT dblink_disconnect('other') \g /dev/null

-- lists below parents: of 15 connections, 3 with a list that has come
SELECT make_server('below', sim_url(), 'max_concurrency ''1''', 'connections, connection_grants') \g /dev/null
SELECT dblink_connect('other', current_setting('sim.conninfo')) \g /dev/null
SELECT pid AS other FROM dblink('other', 'SELECT pg_backend_pid()') r (pid int) \gset
SELECT sim_fault('{"method": "GET", "path": "/v2/connections/*", "times": -1, "do": "never", "after": 3}') \g /dev/null
SELECT dblink_send_query('other', 'SELECT permission FROM below.connection_grants') \g /dev/null
CALL wait_for_progress('connection_grants: %, 3/% parents%');
SELECT matches(progress(), '^connection_grants: 3/\? pages, 3/[0-9]+ parents, [0-9]+ rows$', 'lists below parents');
SELECT pg_cancel_backend(:other) \g /dev/null
SELECT dblink_disconnect('other') \g /dev/null
SELECT sim_calm() \g /dev/null

-- whatever else reads lists
CREATE FUNCTION progress_of(statement text, pattern text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text;
BEGIN
	PERFORM dblink_connect('other', current_setting('sim.conninfo'));
	PERFORM dblink_send_query('other', statement);
	CALL wait_for_progress(pattern);
	seen := progress();
	PERFORM dblink_cancel_query('other');
	PERFORM dblink_disconnect('other');
	RETURN seen;
END $$;
SELECT sim_spoil_list('never', '{"after": 1}') \g /dev/null
SELECT is(progress_of('ANALYZE long.connections', '%1/% 5 rows'), 'connections: 1/3 pages, -/? parents, 5 rows', 'ANALYZE');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('never', '{"after": 1}') \g /dev/null
SELECT is(progress_of($$SELECT sigma_list('sim', '/v2/connections', '{"limit": 5}')$$, '%1/% 5 rows'), ': 1/3 pages, -/? parents, 5 rows', 'sigma_list(), whose list has no name');
SELECT sim_calm() \g /dev/null
\ir ../pgtap/lib/elements.sql
SELECT spoil_download('never') \g /dev/null
SELECT is(progress_of('SELECT * FROM e.orders', 'element%'), 'element: ?/? pages, -/? parents, 0 rows', 'an export that is waited for has no pages');
SELECT sim_calm('data') \g /dev/null
SELECT is(psql('SELECT count(n) FROM e.large'), '1000', 'an export in another session');
SELECT is((SELECT array[rows, writes_done] FROM sigma_stat_resources WHERE server = 'data' AND resource = 'element'), '{1000,0}'::bigint[],
	'is counted, with its rows, and is no write');
SELECT cmp_ok((SELECT requests FROM sigma_stat_resources WHERE server = 'data' AND resource = 'element'), '>=', 2::bigint, '... and with its requests');

SELECT * FROM finish();

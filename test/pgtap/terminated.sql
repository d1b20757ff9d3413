-- A session that is terminated while a write is under way.  Its portals, and
-- with them the calls, are gone before its transaction is rolled back.

\ir lib/simulator.sql
\ir lib/connections.sql
SELECT * FROM no_plan();
\ir lib/log.sql

CREATE FUNCTION terminated(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	victim int;
	log_before text := log_size();
BEGIN
	PERFORM sim_reset();
	PERFORM sim_fault('{"method": "POST", "path": "/v2/connections", "times": -1, "do": "never"}');
	PERFORM dblink_connect('victim', current_setting('sim.conninfo'));
	SELECT pid INTO victim FROM dblink('victim', 'SELECT pg_backend_pid()') t (pid int);
	PERFORM dblink_send_query('victim', statement);
	FOR i IN 1..100 LOOP
		EXIT WHEN EXISTS (SELECT FROM sim_log() WHERE method = 'POST');
		PERFORM pg_sleep(0.05);
	END LOOP;
	PERFORM pg_terminate_backend(victim);
	FOR i IN 1..100 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = victim);
		PERFORM pg_sleep(0.05);
	END LOOP;
	PERFORM dblink_disconnect('victim');
	RETURN log_has(log_before, 'WARNING: .* may exist in Sigma');
END $$;
SELECT alike(terminated($q$INSERT INTO sim.connections (name, details) VALUES ('gone in flight', pg())$q$),
	'%connection "gone in flight" may exist in Sigma%', 'a session that is terminated while a create is under way names it');
SELECT alike(terminated($q$SELECT sigma_create_connection('sim', 'gone in a call', pg())$q$),
	'%connection "gone in a call" may exist in Sigma%', '... and one of a function');
SELECT alike(terminated($q$DO $b$ BEGIN INSERT INTO sim.connections (name, details) VALUES ('gone in a block', pg()); END $b$$q$),
	'%connection "gone in a block" may exist in Sigma%', '... and one of a block');
SELECT sim_calm() \g /dev/null
-- the cluster has not been restarted by a crash
SELECT is((SELECT count(connection_id)::int FROM sim.connections), 13, 'the others go on');

SELECT * FROM finish();

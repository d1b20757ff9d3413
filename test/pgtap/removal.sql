-- Nobody misses an entry of a list because others are removed from it while it
-- is read: not the statement that removes them, nor a cursor that is open.

\ir lib/simulator.sql
SELECT * FROM no_plan();

ALTER FOREIGN TABLE sim.connection_grants OPTIONS (ADD page_size '1');
SELECT connection_id AS shop FROM sim.connections WHERE name = 'MySQL Shop' \gset
SELECT set_config('test.shop', :'shop', false) \g /dev/null
CREATE TABLE o (id text);
INSERT INTO o VALUES (:'shop');
ANALYZE o;
-- the shop's grants become these five
CREATE FUNCTION granted() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sigma_revoke_connection('sim', current_setting('test.shop'), NULL, member_id => member_id, team_id => team_id)
		FROM (SELECT DISTINCT member_id, team_id FROM sim.connection_grants WHERE connection_id = current_setting('test.shop')) g;
	PERFORM sigma_grant_connection('sim', current_setting('test.shop'), 'usage', member_id => member_id) FROM (SELECT member_id FROM sim.members LIMIT 5) m;
	RETURN (SELECT count(*) FROM sim.connection_grants WHERE connection_id = current_setting('test.shop'));
END
$$;
CREATE FUNCTION left_over() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM sim.connection_grants WHERE connection_id = current_setting('test.shop') $$;
SELECT is(granted(), 5::bigint, 'five grants, one a page');

-- --------------------------------------- what the statement itself removes

CREATE TABLE gp (connection_id text, grant_id text);
CREATE FOREIGN TABLE gc () INHERITS (gp) SERVER sim OPTIONS (resource 'connection_grants', page_size '1');
CREATE TABLE above (connection_id text, grant_id text);
ALTER TABLE gp INHERIT above;
SELECT granted() \g /dev/null
DELETE FROM gp USING o WHERE gp.connection_id = o.id;
SELECT is(left_over(), 0::bigint, 'DELETE by way of an inheritance parent leaves none');
SELECT granted() \g /dev/null
DELETE FROM above USING o WHERE above.connection_id = o.id;
SELECT is(left_over(), 0::bigint, 'nor by way of its parent');
SELECT granted() \g /dev/null
WITH d AS (DELETE FROM gp USING o WHERE gp.connection_id = o.id RETURNING 1) SELECT count(*) FROM d \g /dev/null
SELECT is(left_over(), 0::bigint, 'nor in WITH');
SELECT granted() \g /dev/null
WITH d AS (DELETE FROM gp WHERE connection_id = current_setting('test.shop') RETURNING grant_id)
	SELECT is(count(*), 25::bigint, 'and what it reads beside is as it was') FROM d,
		LATERAL (SELECT FROM sim.connection_grants g WHERE g.connection_id = current_setting('test.shop') OFFSET 0) g;
CREATE TABLE gl (connection_id text, grant_id text) PARTITION BY LIST (connection_id);
CREATE FOREIGN TABLE gl_sigma PARTITION OF gl DEFAULT SERVER sim OPTIONS (resource 'connection_grants', page_size '1');
SELECT granted() \g /dev/null
DELETE FROM gl USING o WHERE gl.connection_id = o.id;
SELECT is(left_over(), 0::bigint, 'nor from a partition');

-- ------------------------------------------------ what another one removes

SELECT granted() \g /dev/null
SELECT lives_ok($$DO $do$
	DECLARE c CURSOR FOR SELECT grant_id, connection_id FROM sim.connection_grants WHERE connection_id = current_setting('test.shop'); g record;
	BEGIN
		OPEN c;
		LOOP
			FETCH c INTO g;
			EXIT WHEN NOT FOUND;
			DELETE FROM sim.connection_grants WHERE connection_id = g.connection_id AND grant_id = g.grant_id;
		END LOOP;
	END $do$ $$, 'a cursor whose rows are removed one by one');
SELECT is(left_over(), 0::bigint, '... misses none');
SELECT granted() \g /dev/null
SELECT lives_ok($$DO $do$
	DECLARE c CURSOR FOR SELECT g.grant_id, g.connection_id, g.member_id FROM o JOIN sim.connection_grants g ON g.connection_id = o.id; g record;
	BEGIN
		OPEN c;
		LOOP
			FETCH c INTO g;
			EXIT WHEN NOT FOUND;
			PERFORM sigma_revoke_connection('sim', g.connection_id, 'usage', member_id => g.member_id);
		END LOOP;
	END $do$ $$, 'a join that looks them up, and a function that removes them');
SELECT is(left_over(), 0::bigint, '... misses none');
SELECT granted() \g /dev/null
SELECT lives_ok($$DO $do$
	DECLARE c CURSOR FOR SELECT grant_id, connection_id FROM sim.connection_grants; g record; n int := 0;
	BEGIN
		OPEN c;
		LOOP
			FETCH c INTO g;
			EXIT WHEN NOT FOUND;
			n := n + 1;
			PERFORM sigma_request('sim', 'DELETE', format('/v2/connections/%s/grants/%s', g.connection_id, g.grant_id))
			WHERE g.connection_id = current_setting('test.shop');
		END LOOP;
	END $do$ $$, 'the lists of all connections, and any request');
SELECT is(left_over(), 0::bigint, '... misses none');
SELECT granted() \g /dev/null
SELECT alike(psql(format($$BEGIN;
	DECLARE c SCROLL CURSOR FOR SELECT count(*) OVER (), g.grant_id IS NULL FROM sim.connection_grants g WHERE connection_id = %1$L;
	DECLARE d CURSOR FOR SELECT 'd', permission FROM sim.connection_grants g WHERE connection_id = %1$L;
	FETCH 1 FROM d; DELETE FROM sim.connection_grants WHERE connection_id = %1$L; FETCH ALL FROM d; FETCH ALL FROM c; COMMIT;$$,
		:'shop')), '%d|usage%d|usage%d|usage%d|usage%d|usage%', 'a cursor shows what was there when its list was begun');
SELECT granted() \g /dev/null
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', '/v2/connections/' || :'shop' || '/grants', 'after', 1, 'times', 2,
	'do', 'status', 'status', 400)) \g /dev/null
SELECT matches(psql(format($$BEGIN; DECLARE d CURSOR FOR SELECT permission FROM sim.connection_grants g WHERE connection_id = %1$L;
	FETCH 1 FROM d; SAVEPOINT s; SELECT sigma_request('sim', 'DELETE', '/v2/connections/%1$s/grants/none'); ROLLBACK TO s; FETCH ALL FROM d; COMMIT;$$,
		:'shop')), 'usage.*22023: request refused.*55000: the rest of a list of connection_grants could not be read',
		'a list whose rest cannot be read is no short list');
SELECT sim_calm() \g /dev/null

-- ----------------------------------------------------- lists that fail

CREATE FOREIGN TABLE tolerant (connection_id text, grant_id text, permission text, "_error" jsonb) SERVER sim
	OPTIONS (resource 'connection_grants', on_error 'row');
SELECT granted() \g /dev/null
SELECT sim_calm() \g /dev/null
-- the shop is not the first of them
SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', format('/v2/connections/%s/grants', :'shop'), 'times', -1, 'do',
	'status', 'status', 403)) \g /dev/null
SELECT fails('DELETE FROM tolerant WHERE permission IS DISTINCT FROM ''none''', '42501', 'permission denied by Sigma%',
	'%/grants%', NULL, 'DELETE from a table with on_error ''row'' fails at the list that fails');
SELECT is(count(*), 0::bigint, '... before anything is removed') FROM sim_log() WHERE method = 'DELETE';
SELECT fails('DELETE FROM tolerant WHERE permission = ''none'' OR _error IS NOT NULL', '55000',
	'cannot revoke grants of connection "%", whose list could not be read', NULL, '%_error IS NULL%', 'who asks for such rows is told what they are');
SELECT lives_ok('DELETE FROM tolerant WHERE permission = ''none'' AND _error IS NULL', 'who leaves them out removes the rest');
SELECT sim_calm() \g /dev/null

SELECT * FROM finish();

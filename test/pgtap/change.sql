-- Changing and deleting connections: what is asked for is sent when the
-- transaction commits, once, and until then only its own reads know of it.

\ir lib/simulator.sql
\ir lib/connections.sql
SELECT * FROM no_plan();

CREATE FOREIGN TABLE everything (connection_id text, name text, type text, is_archived bool, updated_at timestamptz,
	details jsonb) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
CREATE TABLE was AS SELECT connection_id AS id, name, type FROM everything;
CREATE FUNCTION id(name text) RETURNS text STABLE LANGUAGE sql AS $$ SELECT w.id FROM was w WHERE w.name = $1 $$;

-- each change that Sigma was asked for: method, name (at the start), and body
CREATE FUNCTION sent(process text DEFAULT 'main') RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(concat_ws(' ', l.method, coalesce(w.name, l.path), l.body) ORDER BY l.n), '{}')
	FROM sim_log(process) l LEFT JOIN was w ON l.path = '/v2/connections/' || w.id WHERE l.method <> 'GET'
$$;
-- what a script of another session sends, in any order; what it was told is in told()
CREATE FUNCTION run(script text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	PERFORM set_config('sim.told', coalesce(psql(script), ''), false);
	RETURN coalesce(sorted(sent()), '{}');
END $$;
CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('sim.told') $$;
CREATE FUNCTION lines() RETURNS text[] LANGUAGE sql AS $$ SELECT sorted(regexp_split_to_array(told(), E'\n')) $$;
-- the same with faults, since a reset takes them away
CREATE FUNCTION run_spoilt(fault jsonb, script text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	PERFORM sim_fault(fault);
	PERFORM set_config('sim.told', coalesce(psql(script), ''), false);
	RETURN coalesce(sorted(sent()), '{}');
END $$;
CREATE FUNCTION archived() RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(name ORDER BY name COLLATE "C"), '{}') FROM everything WHERE is_archived
		AND name NOT IN ('Old Postgres Warehouse', 'Snowflake Trial')
$$;

-- ------------------------------------------------------------------- DELETE

SELECT sim_reset() \g /dev/null
BEGIN;
DELETE FROM sim.connections WHERE name LIKE 'Postgres%';
SELECT sent() AS before, (SELECT count(connection_id) FROM sim.connections WHERE name LIKE 'Postgres%') AS left \gset
COMMIT;
SELECT is(:'before'::text[], '{}', 'DELETE sends nothing before the commit');
SELECT is(:left, 0, 'but hides the rows at once');
SELECT is(sorted(sent()), '{DELETE Postgres Production,DELETE Postgres Staging}', 'and each is deleted once at the commit');
SELECT is(archived(), '{Postgres Production,Postgres Staging}', 'and no other');
SELECT count(*) AS count FROM sim.connections \gset
SELECT is(:count, 11, 'the next transaction sees what is left');
SELECT is(cardinality(sent()), 2, 'and sends nothing again');

SELECT is(run($$DELETE FROM sim.connections WHERE name = 'MySQL Shop';$$), '{DELETE MySQL Shop}', 'without BEGIN, at the end of the statement');
SELECT is(told(), '', 'without a word');
SELECT is(run($$BEGIN; DELETE FROM sim.connections; ROLLBACK; SELECT 1;$$), '{}', 'ROLLBACK');
SELECT is(run($$BEGIN; DELETE FROM sim.connections; SELECT 1 / 0; COMMIT;$$), '{}', 'an error behind it');
SELECT is(run($$BEGIN; SAVEPOINT s; DELETE FROM sim.connections; ROLLBACK TO s; COMMIT;$$), '{}', 'ROLLBACK TO SAVEPOINT');
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; SAVEPOINT s; DELETE FROM sim.connections; SAVEPOINT t;
	DELETE FROM sim.connections; RELEASE t; ROLLBACK TO s; DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; COMMIT;$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'of what came before and behind');
SELECT is(run($$BEGIN; SAVEPOINT s; SAVEPOINT t; DELETE FROM sim.connections; RELEASE t; RELEASE s; ROLLBACK;$$), '{}', 'released savepoints, rolled back');
SELECT is(run($$BEGIN; SAVEPOINT s; SAVEPOINT t; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; RELEASE t; ROLLBACK TO s; COMMIT;$$),
	'{}', 'a released savepoint in one that is rolled back');
SELECT is(run($$BEGIN; SAVEPOINT s; SAVEPOINT t; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; RELEASE t; RELEASE s; COMMIT;$$),
	'{DELETE MySQL Shop}', 'released savepoints, committed');
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; SAVEPOINT s; DELETE FROM everything WHERE name = 'MySQL Shop';
	ROLLBACK TO s; DELETE FROM everything WHERE name = 'AlloyDB Orders'; COMMIT;$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'the second DELETE of a row is rolled back, the first is not');
SELECT is(run($$DO $b$ BEGIN
	DELETE FROM sim.connections WHERE name = 'MySQL Shop';
	BEGIN DELETE FROM sim.connections; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
	BEGIN DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; EXCEPTION WHEN division_by_zero THEN NULL; END; END $b$;$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'exception blocks');
SELECT is(run($$DO $b$ BEGIN DELETE FROM sim.connections WHERE name = 'MySQL Shop'; COMMIT;
	DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; ROLLBACK; DELETE FROM sim.connections WHERE name LIKE 'Big%'; END $b$;$$),
	'{DELETE BigQuery Finance,DELETE MySQL Shop}', 'transactions of a procedure');
SELECT is(run($$CREATE TEMP TABLE later (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); BEGIN; DELETE FROM sim.connections;
	INSERT INTO later VALUES (1), (1); COMMIT;$$),
	'{}', 'a deferred constraint fails first');
SELECT alike(told(), '%ERROR:  23505: %', 'and is what one is told');
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; SELECT pg_terminate_backend(pg_backend_pid());$$),
	'{}', 'a session that ends in between');
SELECT is(run($$EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off) DELETE FROM sim.connections WHERE name = 'MySQL Shop';$$),
	'{DELETE MySQL Shop}', 'EXPLAIN ANALYZE does it');
SELECT is(run($$PREPARE d (text) AS DELETE FROM sim.connections WHERE name = $1; SET plan_cache_mode = force_generic_plan; EXECUTE d('MySQL Shop');
	EXECUTE d('none'); EXECUTE d('AlloyDB Orders');
	PREPARE k (text) AS DELETE FROM sim.connections WHERE connection_id = $1 RETURNING name; EXECUTE k(id('BigQuery Finance')); EXECUTE k(NULL);
	EXECUTE k('none');$$),
		'{DELETE AlloyDB Orders,DELETE BigQuery Finance,DELETE MySQL Shop}', 'prepared statements, generic plans');
SELECT is(told(), 'BigQuery Finance', '... RETURNING');
SELECT is(run($$DELETE FROM sim.connections WHERE false; DELETE FROM sim.connections WHERE connection_id IS NULL;
	DELETE FROM sim.connections WHERE name = 'none';$$),
	'{}', 'no row, no change');

-- several at once
SELECT sim_reset() \g /dev/null
SELECT sim_config('{"latency_ms": 40}') \g /dev/null
ALTER SERVER sim OPTIONS (ADD max_concurrency '4');
DELETE FROM sim.connections;
SELECT is((SELECT array[count(*), count(DISTINCT path), max(concurrent)]::int[] FROM sim_log() WHERE method = 'DELETE'),
	'{13,13,4}', 'rows of a statement are deleted side by side, as many as the server option says');
ALTER SERVER sim OPTIONS (SET max_concurrency '1');
SELECT sim_reset() \g /dev/null
DELETE FROM sim.connections;
SELECT is((SELECT array[count(*), count(DISTINCT path), max(concurrent)]::int[] FROM sim_log() WHERE method = 'DELETE'), '{13,13,1}', 'or one after another');
ALTER SERVER sim OPTIONS (DROP max_concurrency);

-- joins
SELECT is(run($$CREATE TEMP TABLE doomed AS SELECT unnest(ARRAY['MySQL Shop', 'AlloyDB Orders', 'MySQL Shop', 'none']) AS name; ANALYZE doomed;
	DELETE FROM sim.connections c USING doomed d WHERE c.name = d.name RETURNING c.name;$$),
		'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'USING a table that has a row twice');
SELECT is(lines(), '{AlloyDB Orders,MySQL Shop}', '... RETURNING it once');
SELECT is(run($$CREATE TEMP TABLE doomed AS SELECT upper(unnest(ARRAY[id('MySQL Shop'), id('AlloyDB Orders'), id('MySQL Shop')])) AS id;
	ANALYZE doomed; SET enable_hashjoin = off; SET enable_mergejoin = off;
	DELETE FROM sim.connections c USING doomed d WHERE c.connection_id = lower(d.id);$$), '{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'look-ups row by row');
SELECT is(run($$DELETE FROM sim.connections WHERE connection_id IN (SELECT connection_id FROM sim.connections WHERE type = 'mysql');$$),
	'{DELETE MySQL Shop}', 'a sub-select of the same table');
SELECT is(run($$DELETE FROM sim.connections c WHERE EXISTS (SELECT FROM sim.connections d WHERE d.type = c.type AND d.connection_id < c.connection_id);$$),
	(SELECT array_agg('DELETE ' || name ORDER BY name COLLATE "C") FROM was c WHERE name NOT IN ('Old Postgres Warehouse',
	'Snowflake Trial') AND EXISTS (SELECT FROM was d WHERE d.type = c.type AND d.id < c.id
	AND name NOT IN ('Old Postgres Warehouse', 'Snowflake Trial'))), 'a correlated sub-select, which does not see what the statement deletes');
SELECT is(run($$DELETE FROM sim.connections c USING sim.connections d, generate_series(1, 3) WHERE c.type = d.type AND c.name = 'MySQL Shop';$$),
	'{DELETE MySQL Shop}', 'a join with itself');
SELECT is(run($$DELETE FROM sim.connections WHERE connection_id = ANY (ARRAY[id('MySQL Shop'), id('AlloyDB Orders'), id('MySQL Shop'), NULL, 'none']);$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'look-ups of several keys');

-- RETURNING, CTEs, functions, views, triggers
SELECT run($$WITH d AS (DELETE FROM sim.connections WHERE name LIKE 'Postgres%' RETURNING name) SELECT (SELECT count(*) FROM d), (SELECT count(*)
	FROM sim.connections), (SELECT count(connection_id) FROM sim.connections), (SELECT count(*) FROM sim.connections JOIN d USING (name));$$)
	AS sent \gset
SELECT is(:'sent'::text[], '{"DELETE Postgres Production","DELETE Postgres Staging"}', 'DELETE in a CTE');
SELECT is(told(), '2|13|13|2', 'whose statement sees what was there before');
SELECT is(run($$WITH d AS (DELETE FROM sim.connections WHERE name = 'MySQL Shop') SELECT;$$), '{DELETE MySQL Shop}', 'a CTE that nobody reads');
SELECT is(run($$WITH a AS (DELETE FROM sim.connections WHERE name = 'MySQL Shop' RETURNING name), b AS (DELETE FROM everything
	WHERE name IN ('MySQL Shop', 'AlloyDB Orders') RETURNING name) SELECT FROM a, b;$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'two CTEs delete one connection once');
SELECT run($$WITH a AS (UPDATE sim.connections SET name = 'first' WHERE name = 'MySQL Shop'), b AS (DELETE FROM sim.connections
	WHERE name = 'MySQL Shop') UPDATE sim.connections SET name = 'second' WHERE name = 'MySQL Shop';$$)
	\g /dev/null
SELECT is(cardinality(sent()), 1, 'nor do they change it in two ways: the first wins, as in PostgreSQL');
SELECT is(run($$CREATE FUNCTION pg_temp.del(text) RETURNS bigint LANGUAGE sql AS 'DELETE FROM sim.connections WHERE name = $1; SELECT count(*) FROM sim.connections'; SELECT pg_temp.del(n) FROM unnest(ARRAY['MySQL Shop', 'none', 'AlloyDB Orders']) n;$$),
	'{DELETE AlloyDB Orders,DELETE MySQL Shop}', 'a function that deletes');
SELECT is(told(), E'12\n12\n11', 'and sees so');
SELECT is(run($$DO $b$ DECLARE c record;
	BEGIN FOR c IN SELECT name FROM sim.connections ORDER BY name LOOP DELETE FROM sim.connections WHERE name = c.name AND c.name < 'B'; END LOOP;
	END $b$;$$),
	'{DELETE AlloyDB Orders,DELETE Azure SQL People}', 'a loop over what it deletes');
CREATE VIEW shops AS SELECT connection_id, name AS called, type FROM sim.connections WHERE name LIKE '%Shop%' WITH CHECK OPTION;
SELECT is(run($$DELETE FROM shops;$$), '{DELETE MySQL Shop}', 'a view');
CREATE FOREIGN TABLE triggered (connection_id text, name text, type text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE TABLE fired (what text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO fired VALUES (concat_ws(' ', TG_WHEN, TG_OP, OLD.name, NEW.name,
		(SELECT count(*) FROM sim.connections WHERE connection_id = OLD.connection_id)));
	IF OLD.name LIKE 'Big%' THEN RETURN NULL; END IF;
	IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
	IF TG_WHEN = 'BEFORE' THEN NEW.name := upper(NEW.name); END IF;
	RETURN NEW; END $$;
CREATE TRIGGER b BEFORE UPDATE OR DELETE ON triggered FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER a AFTER UPDATE OR DELETE ON triggered FOR EACH ROW EXECUTE FUNCTION fire();
SELECT is(run($$DELETE FROM triggered WHERE name IN ('MySQL Shop', 'BigQuery Finance') RETURNING name;$$), '{DELETE MySQL Shop}',
	'triggers, of which one keeps a row');
SELECT is((SELECT array_agg(what ORDER BY what) FROM fired), '{AFTER DELETE MySQL Shop 0,BEFORE DELETE BigQuery Finance 1,BEFORE '
	'DELETE MySQL Shop 1}', 'which see the old row, and what is true when they fire');
SELECT is(told(), 'MySQL Shop', '... RETURNING');
TRUNCATE fired;
SELECT is(run($$UPDATE triggered SET name = 'new ' || type WHERE name IN ('MySQL Shop', 'BigQuery Finance') RETURNING name;$$),
	'{"PATCH MySQL Shop {\"name\": \"NEW MYSQL\"}"}', 'triggers of an UPDATE change the row');
SELECT is((SELECT array_agg(what ORDER BY what) FROM fired),
	'{AFTER UPDATE MySQL Shop NEW MYSQL 1,BEFORE UPDATE BigQuery Finance new bigQuery 1,BEFORE UPDATE MySQL Shop new mysql 1}', 'and see it');
SELECT is(told(), 'NEW MYSQL', '... RETURNING');

CREATE FOREIGN TABLE meddled (connection_id text, name text, type text, use_oauth bool) SERVER sim OPTIONS (resource 'connections');
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN IF TG_OP = 'DELETE' THEN UPDATE sim.connections SET name = 'x' WHERE connection_id = OLD.connection_id; RETURN OLD;
		END IF; UPDATE sim.connections SET use_oauth = true WHERE connection_id = OLD.connection_id; RETURN NEW; END
$$;
CREATE TRIGGER b BEFORE UPDATE OR DELETE ON meddled FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT is(run($$UPDATE meddled SET name = 'y' WHERE name = 'MySQL Shop';$$), '{}', 'a trigger that changes the row before its statement does');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '27000', 'is an error, as in PostgreSQL');
SELECT is(run($$DELETE FROM meddled WHERE name = 'MySQL Shop';$$), '{}', 'before a DELETE, too');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '27000', 'is an error');

-- cursors
SELECT run($$BEGIN; DECLARE c CURSOR FOR SELECT name FROM sim.connections ORDER BY name COLLATE "C";
	DECLARE d CURSOR FOR SELECT count(*) FROM sim.connections;
	DECLARE e CURSOR FOR SELECT name FROM sim.connections WHERE connection_id = id('MySQL Shop');
	DELETE FROM sim.connections; FETCH c; FETCH d; FETCH e; MOVE ALL c; COMMIT;$$) \g /dev/null
SELECT is(told(), E'AlloyDB Orders\n13\nMySQL Shop', 'a cursor does not see what is deleted after it was opened');
SELECT is(run($$BEGIN; DECLARE c CURSOR FOR SELECT name FROM sim.connections; FETCH c; DELETE FROM sim.connections WHERE CURRENT OF c; COMMIT;$$),
	'{}', 'WHERE CURRENT OF');
SELECT alike(told(), '%ERROR:  0A000: %', 'is refused');
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name < 'S'; DECLARE c CURSOR WITH HOLD FOR SELECT name FROM sim.connections ORDER BY 1;
	COMMIT; FETCH ALL c;$$),
	(SELECT array_agg('DELETE ' || name ORDER BY name COLLATE "C") FROM was WHERE name < 'S'
	AND name <> 'Old Postgres Warehouse'), 'a cursor that is held over the commit');
SELECT is(cardinality(lines()), 4, '... has what was left');

-- inheritance and partitions
CREATE TABLE parent (id text, n text);
CREATE TABLE local_child () INHERITS (parent);
CREATE FOREIGN TABLE sigma_child (extra text OPTIONS (field 'type'), n text OPTIONS (field 'name'),
	id text OPTIONS (field 'connectionId')) SERVER sim OPTIONS (resource 'connections');
ALTER FOREIGN TABLE sigma_child INHERIT parent;
INSERT INTO local_child VALUES ('1', 'MySQL local');
SELECT is(run($$BEGIN; DELETE FROM parent WHERE n LIKE 'MySQL%' RETURNING tableoid::regclass, n; SELECT count(*) FROM parent WHERE n LIKE 'MySQL%'; COMMIT;$$),
	'{DELETE MySQL Shop}', 'a parent with a local and a foreign child');
SELECT is(lines(), '{0,"local_child|MySQL local","sigma_child|MySQL Shop"}', '... RETURNING');
SELECT is(run($$UPDATE parent SET n = n || '!' WHERE n LIKE 'MySQL%' RETURNING tableoid::regclass, n;$$),
	'{"PATCH MySQL Shop {\"name\": \"MySQL Shop!\"}"}', 'UPDATE of it');
SELECT sim_start('two') \g /dev/null
SELECT make_server('two', sim_url('two')) \g /dev/null
CREATE FOREIGN TABLE other_child (id text OPTIONS (field 'connectionId'), n text OPTIONS (field 'name')) INHERITS (parent)
	SERVER two OPTIONS (resource 'connections');
SELECT is(run($$DELETE FROM parent WHERE n LIKE 'MySQL%';$$), '{DELETE MySQL Shop}', 'with two foreign children');
SELECT is(sent('two'), '{DELETE MySQL Shop}', 'of two servers');
SELECT sim_reset('two') \g /dev/null
SELECT is(run($$UPDATE parent SET n = 'x' FROM generate_series(1, 2) WHERE n LIKE 'MySQL%' RETURNING tableoid::regclass, n;$$),
	'{"PATCH MySQL Shop {\"name\": \"x\"}"}', 'UPDATE of them');
SELECT is(lines(), '{other_child|x,sigma_child|x}', '... RETURNING');
DROP FOREIGN TABLE other_child;
CREATE FOREIGN TABLE same_child (id text OPTIONS (field 'connectionId'), n text OPTIONS (field 'name')) INHERITS (parent)
	SERVER sim OPTIONS (resource 'connections');
SELECT is(run($$DELETE FROM parent WHERE n LIKE 'MySQL%';$$), '{DELETE MySQL Shop}', 'with two children of one server, each connection is deleted once');
DROP FOREIGN TABLE same_child;
CREATE TABLE parted (type text, connection_id text, name text) PARTITION BY LIST (type);
CREATE TABLE parted_local PARTITION OF parted FOR VALUES IN ('local');
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted DEFAULT SERVER sim OPTIONS (resource 'connections');
INSERT INTO parted_local VALUES ('local', '1', 'MySQL');
SELECT is(run($$DELETE FROM parted WHERE name LIKE 'MySQL%' RETURNING name;$$), '{DELETE MySQL Shop}', 'partitions');
SELECT is(run($$DELETE FROM parted WHERE type = 'local';$$), '{}', 'of which one is pruned');

-- tables made by hand
CREATE FOREIGN TABLE few (id uuid OPTIONS (field 'connectionId')) SERVER sim OPTIONS (resource 'connections');
SELECT is(run($$DELETE FROM few WHERE id = id('MySQL Shop')::uuid RETURNING id = id('MySQL Shop')::uuid;$$),
	'{DELETE MySQL Shop}', 'a table of one column, a uuid');
SELECT is(told(), 't', '... RETURNING');
CREATE FOREIGN TABLE odd (junk int OPTIONS (field 'port'), title varchar(100) OPTIONS (field 'name'),
	other text OPTIONS (field 'role'), "the id" varchar OPTIONS (field 'connectionId')) SERVER sim OPTIONS (resource 'connections');
ALTER FOREIGN TABLE odd DROP junk, DROP other, ADD kind text OPTIONS (field 'type');
SELECT is(run($$DELETE FROM odd WHERE kind = 'mysql' RETURNING *;$$), '{DELETE MySQL Shop}', 'dropped and added columns, of other names');
SELECT is(told(), 'MySQL Shop|' || id('MySQL Shop') || '|mysql', '... RETURNING *');
SELECT is(run($$UPDATE odd SET title = kind WHERE kind = 'mysql' RETURNING *;$$), '{"PATCH MySQL Shop {\"name\": \"mysql\"}"}', 'UPDATE of it');
SELECT is(told(), 'mysql|' || id('MySQL Shop') || '|mysql', '... RETURNING *');
CREATE FOREIGN TABLE padded (id char(40) OPTIONS (field 'connectionId'), name text) SERVER sim OPTIONS (resource 'connections');
SELECT is(run($$DELETE FROM padded WHERE name = 'MySQL Shop'$$), '{DELETE MySQL Shop}', 'an id padded with blanks');
CREATE FOREIGN TABLE without_id (name text, type text) SERVER sim OPTIONS (resource 'connections');
SELECT is(run($$DELETE FROM without_id WHERE type = 'mysql';$$), '{}', 'a table without an id');
SELECT alike(told(), '%ERROR:  HV005: cannot tell which connection to change%HINT:  The foreign table needs the column "connection_id".%', 'is told so');
SELECT is(run($$UPDATE without_id SET name = 'x' WHERE type = 'mysql';$$), '{}', 'by UPDATE, too');
SELECT alike(told(), '%ERROR:  HV005: cannot tell which connection to change%', 'is told so');

-- archived ones
SELECT is(run($$DELETE FROM everything WHERE name = 'MySQL Shop'; SELECT is_archived FROM everything WHERE name = 'MySQL Shop';$$),
	'{DELETE MySQL Shop}', 'a table that shows archived connections');
SELECT is(told(), 't', 'shows it as archived');
SELECT run($$BEGIN; DELETE FROM everything WHERE name = 'MySQL Shop'; SELECT is_archived FROM everything WHERE name = 'MySQL Shop';
	SELECT count(*), count(connection_id) FROM everything; SELECT is_archived FROM everything WHERE connection_id = id('MySQL Shop'); ROLLBACK;$$)
	\g /dev/null
SELECT is(told(), E't\n15|15\nt', 'even before the commit');

-- grants are revoked at once, as ever
SELECT is(run($$BEGIN; DELETE FROM sim.connection_grants WHERE connection_id = id('Snowflake East');
	DELETE FROM sim.connections WHERE name = 'Snowflake East'; SELECT count(*) FROM sim.connection_grants WHERE connection_id = id('Snowflake East');
	ROLLBACK;$$)
	@> '{DELETE Snowflake East}', false, 'grants and connections in one transaction');

-- ---------------------------------------- what the transaction itself reads

SELECT run($$BEGIN; DELETE FROM sim.connections WHERE type = 'postgres' OR name = 'Snowflake East';
	SELECT count(*) FROM sim.connections; SELECT count(connection_id) FROM sim.connections;
	SELECT count(name) FROM sim.connections WHERE connection_id = id('Snowflake East');
	SELECT count(name) FROM sim.connections WHERE connection_id = upper(id('Snowflake East'));
	SELECT count(name) FROM sim.connections WHERE connection_id IN (id('Snowflake East'), id('MySQL Shop'));
	SELECT count(name) FROM sim.connections WHERE name = 'Postgres Staging';
	SELECT count(title) FROM odd; SELECT count(*) FROM few; SELECT count(*) FROM shops; SELECT count(*) FROM everything WHERE NOT is_archived;
	SELECT count(c.name) FROM was w JOIN sim.connections c ON c.connection_id = w.id;
	SELECT count(c.name) FROM was w LEFT JOIN sim.connections c ON c.connection_id = w.id WHERE w.type = 'postgres';
	SELECT count(*) FROM was WHERE id IN (SELECT connection_id FROM sim.connections);
	SELECT count(*) FROM was w WHERE EXISTS (SELECT FROM sim.connections c WHERE c.connection_id = w.id AND c.type = 'postgres');
	SELECT count(*) FROM sim.connection_grants g JOIN sim.connections c USING (connection_id) WHERE c.name = 'Snowflake East';
	SELECT count(*) FROM sim.connection_grants
	WHERE connection_id IN (id('Snowflake East'), 'x') AND connection_id <> 'x' AND connection_id = (SELECT connection_id FROM sim.connections
	WHERE name = 'Snowflake East');
	SELECT count(*) FROM sigma_find_created('sim', 'Snowflake East', '2000-01-01');
	SELECT name FROM sim.connections ORDER BY name COLLATE "C" DESC LIMIT 1; SELECT name FROM sim.connections LIMIT 1;
	SELECT count(*) FROM (SELECT name FROM sim.connections FOR UPDATE) c; ROLLBACK;$$) \g /dev/null
SELECT is(told(), E'10\n10\n0\n0\n1\n0\n10\n10\n1\n10\n10\n0\n10\n0\n0\n0\n0\nStarburst Federation\nSigma Sample Database\n10',
	'deleted rows are hidden from every later read');
SELECT run($$BEGIN; DELETE FROM sim.connections WHERE name = 'Snowflake East';
	SELECT count(*) FROM sim.connection_grants WHERE connection_id = id('Snowflake East') AND false;
	SELECT count(DISTINCT connection_id) FROM sim.connection_grants; ROLLBACK; SELECT count(DISTINCT connection_id) FROM sim.connection_grants;$$)
	\g /dev/null
SELECT is(split_part(told(), E'\n', 2)::int + 1, split_part(told(), E'\n', 3)::int, 'and so is what is below them');
ALTER SERVER sim OPTIONS (ADD page_size '2');
SELECT run($$BEGIN; DELETE FROM sim.connections WHERE name < 'R'; SELECT count(*) FROM sim.connections; SELECT count(name) FROM sim.connections;
	SELECT name FROM sim.connections LIMIT 3; ROLLBACK;$$)
	\g /dev/null
SELECT is(told(), E'5\n5\nSigma Sample Database\nSnowflake East\nSnowflake West', 'over many pages');
ALTER SERVER sim OPTIONS (DROP page_size);
SELECT run($$BEGIN; SAVEPOINT s; DELETE FROM sim.connections; SELECT count(*), count(name) FROM sim.connections; ROLLBACK TO s;
	SELECT count(*) FROM sim.connections; SELECT count(name) FROM sim.connections;
	SELECT name FROM sim.connections WHERE connection_id = id('MySQL Shop'); COMMIT;$$)
	\g /dev/null
SELECT is(told(), E'0|0\n13\n13\nMySQL Shop', 'they show again after ROLLBACK TO SAVEPOINT');
BEGIN;
DELETE FROM sim.connections;
SELECT psql('SELECT count(*), count(name) FROM sim.connections') AS told \gset
ROLLBACK;
SELECT is(:'told'::text, '13|13', 'another session sees them all along');
SELECT sim_reset('two') \g /dev/null
SELECT run($$BEGIN; DELETE FROM sim.connections; SELECT count(*) FROM two.connections; DELETE FROM two.connections WHERE name = 'MySQL Shop';
	SELECT count(*) FROM two.connections; SAVEPOINT s; DELETE FROM two.connections; ROLLBACK TO s; SELECT count(*) FROM two.connections; ROLLBACK;$$)
	\g /dev/null
SELECT is(told(), E'13\n12\n12', 'so does another server, whose ids are the same');
SELECT is(sent('two'), '{}', 'to which nothing is sent');
SELECT run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; DELETE FROM two.connections WHERE name = 'AlloyDB Orders';
	DELETE FROM sim.connections WHERE name = 'BigQuery Finance'; COMMIT;$$)
	AS sent \gset
SELECT is(:'sent'::text[] || sent('two'), '{DELETE BigQuery Finance,DELETE MySQL Shop,DELETE AlloyDB Orders}', 'two servers in one transaction');
SELECT is(run($$BEGIN; CREATE FUNCTION pg_temp.s() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM sim.connections';
	CREATE FUNCTION pg_temp.v() RETURNS bigint VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM sim.connections); END';
	DELETE FROM sim.connections WHERE type = 'postgres' RETURNING pg_temp.s();
	DELETE FROM sim.connections WHERE name = 'MySQL Shop' RETURNING pg_temp.v(); ROLLBACK;$$),
		'{}', 'functions in the statement itself');
SELECT is(told(), E'13\n13\n10', 'a stable one does not see its changes, a volatile one does');
SELECT is(run($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('short-lived', pg()); SELECT count(*) FROM sim.connections;
	DELETE FROM sim.connections WHERE name = 'short-lived'; SELECT count(*) FROM sim.connections WHERE name = 'short-lived'; COMMIT;$$)
	@> '{DELETE /v2/connections/b490ca3a-a47a-4000-8a56-00000000000f}', true, 'what the transaction has created can be deleted by it');
SELECT is(told(), E'14\n0', 'and is hidden');

-- two users in one transaction: each change goes as the one who asked for it
SELECT 'sigma_changer_' || pg_backend_pid() AS changer \gset
CREATE ROLE :changer;
SELECT sim_start('duo', '--client-id simulator-client --client-secret simulator-secret --client-id second-client --client-secret second-secret') \g /dev/null
SELECT make_server('duo', sim_url('duo')) \g /dev/null
CREATE USER MAPPING FOR :changer SERVER duo OPTIONS (client_id 'second-client', client_secret 'second-secret');
GRANT USAGE ON SCHEMA duo TO :changer;
GRANT ALL ON duo.connections TO :changer;
BEGIN;
SET LOCAL ROLE :changer;
DELETE FROM duo.connections WHERE name = 'Postgres Staging';
UPDATE duo.connections SET name = 'by second';
RESET ROLE;
SELECT count(*) AS seen FROM duo.connections \gset
DELETE FROM duo.connections WHERE name = 'MySQL Shop';
COMMIT;
SELECT is(:seen, 12, 'what one user deletes, another one of the transaction does not see');
SELECT is((SELECT array_agg(concat_ws(' ', method, w.name, client) ORDER BY l.n) FROM sim_log('duo') l
	JOIN was w ON l.path = '/v2/connections/' || w.id WHERE method <> 'GET'),
	'{DELETE Postgres Staging second-client,PATCH Postgres Production second-client,DELETE MySQL Shop simulator-client}',
	'each change is sent as the one who asked for it');
DROP OWNED BY :changer CASCADE;
DROP ROLE :changer;
SELECT sim_stop('duo') \g /dev/null
CREATE PROCEDURE in_steps() LANGUAGE plpgsql AS $$
	BEGIN DELETE FROM sim.connections WHERE name = 'MySQL Shop'; COMMIT; DELETE FROM sim.connections WHERE name LIKE 'Postgres%'; COMMIT; END
$$;
SELECT is(run_spoilt('{"method": "DELETE", "times": 1, "do": "status", "status": 403}',
	$$CALL in_steps(); SELECT count(*) FROM sim.connections; CALL in_steps(); SELECT count(*) FROM sim.connections;$$),
	'{DELETE MySQL Shop,DELETE MySQL Shop,DELETE Postgres Production,DELETE Postgres Staging}', 'a procedure whose first commit fails, and then does not');
SELECT alike(told(), E'ERROR:  42501: %\n13\n10', '... ends there, and the session goes on');

-- --------------------------------------------- a deletion that fails at commit

CREATE FUNCTION failing(what text, more jsonb) RETURNS text[] LANGUAGE sql AS $f$
	SELECT run_spoilt(jsonb_build_object('method', 'DELETE', 'path', '/v2/connections/' || id('BigQuery Finance'), 'times', -1, 'do', what) || more,
	$$SET client_min_messages = warning; BEGIN; INSERT INTO done VALUES (1);
	DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; DELETE FROM sim.connections WHERE name = 'BigQuery Finance';
	DELETE FROM sim.connections WHERE name = 'MySQL Shop'; UPDATE sim.connections SET name = 'x' WHERE name = 'Starburst Federation'; COMMIT;$$)
$f$;
CREATE TABLE done (a int);
CREATE TABLE fates (what text, more jsonb, state text, heading text);
INSERT INTO fates VALUES ('status', '{"status": 403}', '42501', 'Not deleted'),
	('status', '{"status": 404}', 'P0002', 'Not deleted'), ('status', '{"status": 400}', '22023', 'Not deleted'),
	('status', '{"status": 500}', '08007', 'Perhaps deleted'), ('lost-reply', '{}', '08007', 'Perhaps deleted'),
	('close', '{}', '08007', 'Perhaps deleted'), ('reset', '{}', '08007', 'Perhaps deleted');
CREATE FUNCTION fate(what text, more jsonb, state text, heading text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	description text := concat_ws(' ', what, more ->> 'status') || ': ';
BEGIN
	RETURN NEXT is(failing(what, more), '{DELETE AlloyDB Orders,DELETE BigQuery Finance}', description || 'what comes behind the failure is not sent');
	RETURN NEXT alike(told(), format('ERROR:  %s: could not delete connection "BigQuery Finance" (%s) at commit: %%', state,
		id('BigQuery Finance')), description || 'the error names the connection');
	RETURN NEXT alike(told(), format('%%DETAIL:  Deleted in Sigma: "AlloyDB Orders" (%s). %%', id('AlloyDB Orders')), description || 'and what was deleted');
	RETURN NEXT alike(told(), CASE WHEN heading = 'Not deleted'
		THEN format('%%Not deleted: "BigQuery Finance" (%s), "MySQL Shop" (%s). %%', id('BigQuery Finance'), id('MySQL Shop'))
		ELSE format('%%Not deleted: "MySQL Shop" (%s). Perhaps deleted: "BigQuery Finance" (%s). %%', id('MySQL Shop'),
			id('BigQuery Finance')) END, description || 'and what was not');
	RETURN NEXT alike(told(), format('%%Not updated: "Starburst Federation" (%s). %%', id('Starburst Federation')), description || 'and not updated');
	RETURN NEXT unalike(told(), '%WARNING%', description || 'no WARNING says so again');
	RETURN NEXT is((SELECT count(*)::int FROM done), 0, description || 'what is local is rolled back');
	RETURN NEXT is(archived(), CASE WHEN what = 'lost-reply' THEN '{AlloyDB Orders,BigQuery Finance}'::text[]
		ELSE '{AlloyDB Orders}' END, description || 'and so it is in Sigma');
END $$;
SELECT f.* FROM fates, fate(what, more, state, heading) f;
SELECT run_spoilt(jsonb_build_object('method', 'DELETE', 'path', '/v2/connections/' || id('Snowflake East'), 'do', 'status',
	'status', 403), $$BEGIN; DELETE FROM sim.connections WHERE name LIKE 'S%'; COMMIT; SELECT count(*) FROM sim.connections; BEGIN; SELECT 1; COMMIT;$$)
	AS sent \gset
SELECT is(cardinality(:'sent'::text[]), 4, 'of those side by side none is sent again');
SELECT is(archived(), '{Sigma Sample Database,Snowflake West,Starburst Federation}', 'all but one are deleted');
SELECT alike(told(), '%DETAIL:  Deleted in Sigma: "Sigma Sample%"Snowflake West"%"Starburst%). Not deleted: "Snowflake East" (%10'
	|| E'\n1', 'as the DETAIL says');
SELECT is(run_spoilt(jsonb_build_object('method', 'DELETE', 'path', '/v2/connections/' || id('MySQL Shop'), 'times', -1, 'do',
	'status', 'status', 403), $$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('made', pg());
	DELETE FROM sim.connections WHERE name = 'MySQL Shop'; COMMIT;$$),
	sorted(ARRAY['DELETE /v2/connections/b490ca3a-a47a-4000-8a56-00000000000f', 'DELETE MySQL Shop',
		'POST /v2/connections {"name": "made", "details": {"host": "h", "type": "postgres", "database": "d"}}']),
		'what the transaction has created is deleted again');
SELECT is(archived(), '{made}', 'and nothing else is');
SELECT is((SELECT count(*)::int
	FROM (SELECT unnest(run_spoilt(jsonb_build_object('method', 'DELETE', 'path', '/v2/connections/' || id('MySQL Shop'), 'times',
	-1, 'do', 'status', 'status', 403),
	$$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('made', pg()); DELETE FROM sim.connections WHERE name = 'made';
	DELETE FROM sim.connections WHERE name = 'MySQL Shop'; COMMIT;$$))
	s) s WHERE s LIKE 'DELETE /v2%'), 1, 'not twice, if it has deleted it itself');
SELECT is(run_spoilt('{"method": "DELETE", "times": 1, "do": "status", "status": 429, "headers": {"Retry-After": "0"}}',
	$$DELETE FROM sim.connections WHERE name = 'MySQL Shop';$$), '{DELETE MySQL Shop,DELETE MySQL Shop}', 'only a 429 is asked again');
SELECT is(told(), '', 'and no error');

-- ------------------------------------------------------------------- UPDATE

SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'Shop' WHERE name = 'MySQL Shop' RETURNING name, type, connection_id = id('MySQL Shop'); COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"Shop\"}"}', 'UPDATE of a name sends just that');
SELECT is(told(), 'Shop|mysql|t', 'RETURNING shows the row as it will be');
SELECT is((SELECT name FROM everything WHERE connection_id = id('MySQL Shop')), 'Shop', 'and so it is');
SELECT is(run($$UPDATE sim.connections SET use_oauth = true WHERE name = 'Snowflake East';$$),
	'{"PATCH Snowflake East {\"useOauth\": true}"}', 'of use_oauth, too');
SELECT is(run($$UPDATE sim.connections SET use_oauth = NOT use_oauth, name = U&'Ren\00E9 \+01F600 "quoted" \\ back'
	WHERE name = 'Snowflake West' RETURNING name;$$),
	ARRAY[U&'PATCH Snowflake West {"name": "Ren\00E9 \+01F600 \\"quoted\\" \\\\ back", "useOauth": false}'], 'or both, in any characters');
SELECT is(told(), U&'Ren\00E9 \+01F600 "quoted" \\ back', '... RETURNING');
SELECT is(run($$UPDATE sim.connections SET name = name, use_oauth = use_oauth;
	UPDATE sim.connections SET host = host, details = details, pool_sizes = pool_sizes;
	UPDATE sim.connections SET name = name || '' WHERE name = 'MySQL Shop' RETURNING name;$$),
	'{}', 'what does not change is not sent');
SELECT is(told(), 'MySQL Shop', '... RETURNING');
SELECT is(run($$UPDATE sim.connections SET name = upper(name) WHERE name = 'MySQL Shop' OR upper(name) = name;
	UPDATE sim.connections c SET name = v.n FROM (VALUES ('AlloyDB Orders', 'first'), ('AlloyDB Orders', 'first')) v (o, n) WHERE c.name = v.o;$$),
	'{"PATCH AlloyDB Orders {\"name\": \"first\"}","PATCH MySQL Shop {\"name\": \"MYSQL SHOP\"}"}', 'each row is changed once');
SELECT is(run($$UPDATE sim.connections SET name = NULL WHERE name = 'MySQL Shop';$$), '{}', 'no name');
SELECT alike(told(), 'ERROR:  23502: a connection needs a name%', 'is an error');
SELECT is(run($$UPDATE sim.connections SET name = '' WHERE name = 'MySQL Shop';$$), '{"PATCH MySQL Shop {\"name\": \"\"}"}', 'what Sigma refuses');
SELECT alike(told(), 'ERROR:  22023: could not update connection "MySQL Shop" (%) at commit: %DETAIL:  Not updated: "MySQL Shop" '
	'(%', 'is an error at the commit');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'x'; ROLLBACK; BEGIN; SAVEPOINT s; UPDATE sim.connections SET name = 'x'; ROLLBACK TO s; COMMIT;$$),
	'{}', 'a rollback sends nothing');
SELECT is(run($$BEGIN; SELECT 1; UPDATE sim.connections SET name = 'x' WHERE name LIKE 'Postgres%'; COMMIT; SELECT 2;$$),
	'{"PATCH Postgres Production {\"name\": \"x\"}","PATCH Postgres Staging {\"name\": \"x\"}"}', 'several rows');
SELECT is(run($$UPDATE sim.connections SET (name, use_oauth) = (SELECT string_agg(d.name, '+' ORDER BY d.name), NULL::bool IS NULL
	FROM sim.connections d WHERE d.type = connections.type) WHERE type = 'postgres' AND name LIKE '%ion';$$),
	'{"PATCH Postgres Production {\"name\": \"Postgres Production+Postgres Staging\", \"useOauth\": true}"}', 'SET from a sub-select');
SELECT is(run($$UPDATE shops SET called = 'Shop two'; UPDATE shops SET called = 'hidden';$$),
	'{"PATCH MySQL Shop {\"name\": \"Shop two\"}"}', 'a view WITH CHECK OPTION');
SELECT alike(told(), 'ERROR:  44000: %', 'which refuses what it would not show');
SELECT is(run($$PREPARE u (text, text) AS UPDATE sim.connections SET name = $2 WHERE connection_id = $1 RETURNING name;
	SET plan_cache_mode = force_generic_plan; EXECUTE u(id('MySQL Shop'), 'a'); EXECUTE u(id('MySQL Shop'), 'b'); EXECUTE u('none', 'b');$$),
	'{"PATCH MySQL Shop {\"name\": \"a\"}","PATCH MySQL Shop {\"name\": \"b\"}"}', 'a prepared UPDATE');

-- one row, several times
SELECT sim_reset() \g /dev/null
BEGIN;
UPDATE sim.connections SET name = 'one' WHERE name = 'MySQL Shop';
SELECT count(name) AS c1, count(name) FILTER (WHERE name = 'one') AS c2, count(name) FILTER (WHERE name = 'MySQL Shop') AS c3 FROM sim.connections \gset
SELECT (SELECT count(name) FROM sim.connections WHERE name = 'one') AS f1,
	(SELECT count(name) FROM sim.connections WHERE name = 'MySQL Shop') AS f2, (SELECT name FROM sim.connections WHERE connection_id = id('MySQL Shop')) AS f3,
	(SELECT title FROM odd WHERE kind = 'mysql') AS f4, (SELECT count(*) FROM sigma_find_created('sim', 'one', NULL)) AS f5,
		(SELECT count(*) FROM sim.connections c JOIN was w ON c.connection_id = w.id WHERE c.name <> w.name) AS f6 \gset
UPDATE sim.connections SET name = name || ' two', use_oauth = true WHERE name = 'one' RETURNING name AS r1 \gset
SAVEPOINT s;
UPDATE sim.connections SET name = 'undone' WHERE type = 'mysql';
DELETE FROM sim.connections WHERE name = 'undone';
ROLLBACK TO s;
SELECT name AS r2 FROM sim.connections WHERE type = 'mysql' \gset
UPDATE sim.connections SET name = 'three' WHERE name = 'one two';
DELETE FROM sim.connections WHERE name = 'three';
UPDATE sim.connections SET name = 'never' WHERE type = 'mysql';
UPDATE sim.connections SET name = 'another' WHERE type = 'alloydb';
COMMIT;
SELECT is(ARRAY[:c1, :c2, :c3], '{13,1,0}', 'the transaction reads its new name');
SELECT is(ARRAY[:'f1', :'f2', :'f3', :'f4', :'f5', :'f6'], '{1,0,one,one,1,1}', 'and finds it by that, everywhere');
SELECT is(ARRAY[:'r1', :'r2'], '{one two,one two}', 'a second UPDATE begins where the first ended');
SELECT is(sent(), '{"PATCH MySQL Shop {\"name\": \"one\"}","PATCH MySQL Shop {\"name\": \"one two\", \"useOauth\": true}","PATCH '
	'MySQL Shop {\"name\": \"three\"}","DELETE MySQL Shop","PATCH AlloyDB Orders {\"name\": \"another\"}"}', 'and all are sent in the order of the statements');
SELECT is((SELECT array_agg(name || ' ' || is_archived ORDER BY name) FROM everything WHERE type IN ('mysql', 'alloydb')),
	'{another false,three true}', 'to this end');
SELECT is(run($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('new', pg());
	UPDATE sim.connections SET name = 'newer' WHERE name = 'new' RETURNING name; SELECT count(*) FROM sim.connections WHERE name = 'newer'; COMMIT;
	SELECT count(*) FROM sim.connections WHERE name = 'newer';$$)
	@> '{"PATCH /v2/connections/b490ca3a-a47a-4000-8a56-00000000000f {\"name\": \"newer\"}"}', true, 'what the transaction has created can be updated by it');
SELECT is(told(), E'newer\n1\n1', 'and is');
SELECT run($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('new', pg()); UPDATE sim.connections SET name = 'newer' WHERE name = 'new';
	ROLLBACK; SELECT count(*) FROM sim.connections WHERE name LIKE 'new%';$$)
	AS sent \gset
SELECT is(ARRAY[cardinality(:'sent'::text[])::text, told()], '{2,0}', 'or neither');
SELECT is(run($$BEGIN; UPDATE everything SET name = 'a' WHERE name = 'MySQL Shop'; DELETE FROM everything WHERE name = 'a';
	UPDATE everything SET name = 'b' WHERE name = 'a' RETURNING is_archived; COMMIT;$$),
	'{"DELETE MySQL Shop","PATCH MySQL Shop {\"name\": \"a\"}","PATCH MySQL Shop {\"name\": \"b\"}"}', 'where archived ones are shown, they can be updated');
SELECT is(told(), 't', '... RETURNING');

-- ---------------------------------------------------- with and without details

SELECT sim_reset() \g /dev/null
CREATE FUNCTION refused(statement text, state text, message text, detail text, hint text, description text,
	requests int DEFAULT 0) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'log');
	RETURN NEXT fails(statement, state, message, detail, hint, description);
	RETURN NEXT is(sim_count(), requests, '... before any request');
END $$;
SELECT refused(format('UPDATE sim.connections SET %s WHERE name = ''MySQL Shop''', setting), '0A000',
	format('cannot update column "%s" of a connection without "details"', split_part(setting, ' ', 1)),
	'%lose what it does not show%password%', '%"details"%', setting)
FROM string_to_table('type = ''mysql'',account = ''a'',host = ''h'',warehouse = NULL,role = role,exports_warehouse = ''w'','
	'role_switching = ''disabled'',pool_sizes = ''{}'',description = ''{}'',timeout_secs = 4,use_friendly_names = true,user_attributes = NULL', ',') setting;
SELECT alike(c.detail, '%' || f || '%', 'one is told that "' || f || '" would be lost')
	FROM catch('UPDATE sim.connections SET host = ''x''') c,
	unnest('{host,server,port,database,projectId,additionalProjectIds,endpoint,authType,useTls,password,privateKey,'
	'privateKeyPassphrase,token,serviceAccount,clientSecret,pythonSecrets,pythonProperties,description,usePython,'
	'useReadUncommittedIsolation,useDynamicTables}'::text[]) f;
CREATE FOREIGN TABLE by_hand (connection_id text, name text, host text, password text, port int, details jsonb) SERVER sim OPTIONS (resource 'connections');
SELECT refused(format('UPDATE by_hand SET %s, name = ''x''', setting), '0A000', 'cannot update column "' || split_part(setting,
	' ', 1) || '" of a connection without "details"', NULL, NULL, setting) FROM string_to_table('password = ''hush'',port = 1', ',') setting;
SELECT refused(format('UPDATE sim.connections SET name = ''x'', %s', setting), '428C9',
	format('cannot update column "%s"', split_part(setting, ' ', 1)), NULL, NULL, setting)
FROM string_to_table('connection_id = connection_id,is_archived = false,created_at = now(),updated_at = updated_at,created_by = '
	'''x'',organization_id = ''x'',timeout = ''{}'',write_access = true,attrs = attrs,is_sample = true,http_path = ''x'',writebacks = NULL', ',') setting;
SELECT refused('UPDATE sim.connections SET use_oauth = NULL WHERE connection_id = id(''Snowflake West'')', '0A000',
	'cannot update column "use_oauth" of a connection without "details"', NULL, NULL, 'use_oauth = NULL', 1);
SELECT refused($$UPDATE sim.connections SET host = 'x', details = NULL WHERE connection_id = id('Snowflake West')$$, '0A000',
	'cannot update column "host" of a connection without "details"', NULL, NULL, 'details = NULL', 1);
SELECT refused($$UPDATE sim.connections SET details = '[]' WHERE connection_id = id('MySQL Shop')$$, '22023',
	'"details" must be a JSON object', NULL, NULL, 'details that are no object', 1);
SELECT refused($$UPDATE sim.connections SET "user" = 'a', details = '{"user": "hush", "host": "h"}' WHERE connection_id = id('MySQL Shop')$$,
	'22023', 'column "user" contradicts "user" in "details"', NULL, NULL, 'a column that contradicts details', 1);
SELECT refused($$UPDATE sim.connections SET type = 'mysql', details = '{"type": "postgres"}' WHERE connection_id = id('AlloyDB Orders')$$,
	'22023', 'column "type" contradicts "type" in "details"', NULL, NULL, 'a type that contradicts details', 1);

-- What Sigma shows is kept: a connection of each type, and what must be said
-- again since Sigma does not show it.
CREATE TABLE kept (n int GENERATED ALWAYS AS IDENTITY, details jsonb, hidden text[], id text, before jsonb, returned jsonb);
INSERT INTO kept (details, hidden) VALUES
	('{"type": "snowflake", "account": "a", "host": "a.example.com", "warehouse": "W", "user": "U", "role": "R", '
		'"authType": "key-pair", "privateKey": "hush", "privateKeyPassphrase": "hush", "exportsWarehouse": "E", '
		'"writeAccess": {"writeDatabase": "D", "writeSchema": "S", "materializationWarehouse": "M"}, '
		'"userAttributes": {"role": "r", "warehouse": "w"}}', '{authType,privateKey,privateKeyPassphrase}'),
	('{"type": "snowflake", "account": "a", "role": "R", "authType": "oauth", "useOauth": true, "metadataUrl": "https://x", '
		'"clientId": "c", "clientSecret": "hush", "scopes": ["a", "b"], "idpType": "okta", "usePkce": true, "useJwt": false, '
		'"roleSwitching": "allRoles", "writebackSchemas": [{"writeDatabase": "D", "writeSchema": "S"}, {"writeDatabase": "D2", '
		'"writeSchema": "S2", "writebackSchemaId": "i", "description": "d"}], "inputTableAuditLogSchema": {"writeDatabase": "D", '
		'"writeSchema": "A"}}', '{authType,clientSecret}'),
	('{"type": "snowflake", "account": "a", "user": "U", "password": "hush", "writeAccess": {"materializationWarehouse": "M"}}', '{password}'),
	('{"type": "postgres", "host": "h", "database": "d", "user": "u", "password": "hush", "port": 5433, "useTls": true, '
		'"writeAccess": {"writeSchema": "S"}}', '{host,database,password,port,useTls}'),
	('{"type": "redshift", "host": "h", "database": "d", "user": "u", "password": {"type": "plain", "value": "hush"}, '
		'"writeAccess": {"writeSchema": "S"}}', '{host,database,password}'),
	('{"type": "alloydb", "host": "h", "database": "d", "user": "u", "password": {"secretManagerId": "m", "secretId": "s"}}', '{host,database,password}'),
	('{"type": "bigQuery", "projectId": "p", "additionalProjectIds": ["q"], "serviceAccount": "{\"a\": 1}", '
		'"writeAccess": {"writeProject": "wp", "writeDataset": "wd"}}', '{projectId,additionalProjectIds,serviceAccount}'),
	('{"type": "bigQuery", "projectId": "p", "useOauth": true, "audience": "a", "clientId": "c", "clientSecret": "hush", '
		'"scopes": []}', '{projectId,clientSecret}'),
	('{"type": "databricks", "host": "h", "endpoint": "/sql/1", "token": "hush", "writeAccess": {"writeCatalog": "wc", "writeSchema": "ws"}}', '{host,token}'),
	('{"type": "databricks", "host": "h", "endpoint": "/sql/1", "useOauth": true, "workspaceUrl": "w", '
		'"writebackSchemas": [{"writeCatalog": "c", "writeSchema": "s"}]}', '{host,workspaceUrl}'),
	('{"type": "mysql", "user": "u", "password": "hush", "host": "h", "port": 3306, "writeAccess": {"writeSchema": "S"}}', '{password,host,port}'),
	('{"type": "azuresql", "server": "s", "database": "d", "user": "u", "password": "hush", "port": 1433, '
		'"writeAccess": {"writeDatabase": "wd", "writeSchema": "ws"}}', '{server,database,password,port}'),
	('{"type": "sqlserver", "server": "s", "user": "u", "password": "hush", "port": 1433, "writeAccess": {"writeDatabase": "wd", '
		'"writeSchema": "ws"}}', '{server,password,port}'),
	('{"type": "starburst", "user": "u", "password": "hush", "host": "h", "port": 443, "writeAccess": {"writeCatalog": "wc", '
		'"writeSchema": "ws"}}', '{password,host,port}');
CREATE FUNCTION create_kept(n int, details jsonb) RETURNS text LANGUAGE sql AS $$
	INSERT INTO sim.connections (name, details, timeout_secs, use_friendly_names, pool_sizes)
		VALUES ('kept ' || n, details, 90, n % 2 = 0, '{"adhocPoolSize": 4, "isPoolConfigured": true}') RETURNING connection_id
$$;
CREATE FUNCTION row_of(id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(c) FROM sim.connections c WHERE connection_id = id $$;
CREATE FUNCTION stable(r jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
	SELECT jsonb_set(r - 'updated_at' - 'updated_by', '{attrs}', (r -> 'attrs') - 'updatedAt' - 'updatedBy')
$$;
CREATE FUNCTION change_kept(id text, said jsonb) RETURNS jsonb LANGUAGE sql AS $$
	UPDATE sim.connections c SET details = said WHERE connection_id = id RETURNING to_jsonb(c)
$$;
SELECT sim_reset() \g /dev/null
UPDATE kept SET id = create_kept(n, details);
UPDATE kept SET before = row_of(id);
SELECT sim_calm() \g /dev/null
UPDATE kept SET returned = change_kept(id, (SELECT jsonb_object_agg(h, details -> h) FROM unnest(hidden) h));
SELECT is((SELECT array[count(*), count(DISTINCT path), count(*) FILTER (WHERE status = 200)]::int[] FROM sim_log()
	WHERE method = 'PUT'), '{14,14,14}', 'details with what Sigma does not show: a PUT for each');
SELECT is(details_of(id), details, n || ' ' || (details ->> 'type') || ': all details are kept') FROM kept ORDER BY n;
SELECT is(body::jsonb - 'details', jsonb_build_object('name', 'kept ' || kept.n, 'timeoutSecs', 90, 'useFriendlyNames',
	kept.n % 2 = 0, 'poolSizes', '{"adhocPoolSize": 4, "isPoolConfigured": true}'::jsonb), kept.n || ' ' || (details ->> 'type')
	|| ': and what stands beside them') FROM kept JOIN sim_log() l ON l.path LIKE '%' || id AND method = 'PUT' ORDER BY kept.n;
SELECT is(stable(returned), stable(row_of(id)), n || ' ' || (details ->> 'type')
	|| ': RETURNING shows what SELECT shows after the commit') FROM kept ORDER BY n;
SELECT is(stable(row_of(id)), stable(before), n || ' ' || (details ->> 'type') || ': nothing else has changed') FROM kept ORDER BY n;
SELECT is((SELECT count(*)::int FROM kept WHERE returned ->> 'details' IS NOT NULL OR returned::text LIKE '%hush%'), 0, 'details are never shown');

BEGIN;
UPDATE sim.connections SET details = '{"authType": "oauth", "clientSecret": "hush"}' WHERE name = 'Snowflake West'
	RETURNING coalesce(is_independent_oauth::text, 'null') AS independent \gset
COMMIT;
SELECT is(:'independent', (SELECT is_independent_oauth::text FROM sim.connections WHERE name = 'Snowflake West'), 'independent OAuth, too');

-- columns beside details
SELECT id AS snow FROM kept WHERE n = 1 \gset
SELECT id AS pgid FROM kept WHERE n = 4 \gset
SELECT sim_calm() \g /dev/null
UPDATE sim.connections c SET role = NULL, warehouse = 'W2', pool_sizes = NULL, timeout_secs = 5, use_friendly_names = true,
	description = '{"text": "t"}', exports_warehouse = NULL, user_attributes = NULL, name = 'renamed',
	details = '{"authType": "key-pair", "privateKey": "hush"}'
	WHERE connection_id = :'snow' RETURNING name, role IS NULL AS role, warehouse, timeout, details IS NULL AS hidden, to_jsonb(c) AS row \gset r_
SELECT is((SELECT body::jsonb - 'details' FROM sim_log() WHERE method = 'PUT'),
	'{"name": "renamed", "description": {"text": "t"}, "timeoutSecs": 5, "useFriendlyNames": true}', 'columns beside details, and what is set to NULL');
SELECT is(details_of(:'snow'),
	'{"type": "snowflake", "account": "a", "host": "a.example.com", "warehouse": "W2", "user": "U", "authType": "key-pair", '
	'"privateKey": "hush", "writeAccess": {"writeDatabase": "D", "writeSchema": "S", "materializationWarehouse": "M"}}', 'columns that belong into details');
SELECT is(ARRAY[:'r_name', :'r_role', :'r_warehouse', :'r_timeout', :'r_hidden'], '{renamed,t,W2,"{\"default\": 5}",t}', '... RETURNING');
SELECT is(stable(:'r_row'), stable(row_of(:'snow')), 'which is what SELECT shows then');
SELECT sim_calm() \g /dev/null
UPDATE by_hand SET password = 'hush two', port = 5555,
	details = '{"host": "h2", "database": "d2", "writeAccess": {"writeSchema": "other"}}' WHERE connection_id = :'pgid';
SELECT is(details_of(:'pgid'),
	'{"type": "postgres", "host": "h2", "database": "d2", "user": "u", "password": "hush two", "port": 5555, '
	'"writeAccess": {"writeSchema": "other"}}', 'write-only columns, and a part that is replaced');
UPDATE sim.connections SET "user" = 'same', details = '{"user": "same", "host": "h", "database": "d"}' WHERE connection_id = :'pgid';
SELECT is(details_of(:'pgid') ->> 'user', 'same', 'the same value in both places');
UPDATE sim.connections c SET details = '{"type": "mysql", "user": "m", "password": "hush", "host": "h", "port": 3306}'
	WHERE connection_id = :'pgid' RETURNING type, write_access, stable(to_jsonb(c)) AS row \gset t_
SELECT is(ARRAY[:'t_type', :'t_write_access'], '{mysql,f}', 'another type');
SELECT is(details_of(:'pgid'), '{"type": "mysql", "user": "m", "password": "hush", "host": "h", "port": 3306}', 'inherits nothing of the warehouse');
SELECT is(:'t_row'::jsonb, stable(row_of(:'pgid')), '... RETURNING');
SELECT is((SELECT body::jsonb - 'details' - 'name' FROM sim_log() WHERE method = 'PUT' ORDER BY n DESC LIMIT 1),
	'{"timeoutSecs": 90, "useFriendlyNames": true, "poolSizes": {"adhocPoolSize": 4, "isPoolConfigured": true}}', 'but what stands beside it');
UPDATE sim.connections SET type = 'alloydb', details = '{"host": "h", "database": "d"}' WHERE connection_id = :'pgid';
SELECT is(details_of(:'pgid'), '{"type": "alloydb", "host": "h", "database": "d"}', 'a type by its column');
BEGIN;
UPDATE sim.connections SET details = '{"host": "h3", "database": "d3"}', name = 'put' WHERE connection_id = :'pgid';
UPDATE sim.connections SET name = 'patched' WHERE name = 'put' RETURNING name AS again \gset
UPDATE sim.connections SET "user" = 'u3', details = '{"host": "h4", "database": "d4"}' WHERE name = 'patched' RETURNING name AS third \gset
COMMIT;
SELECT is(ARRAY[:'again', :'third', (SELECT name || ' ' || (details_of(:'pgid') ->> 'user') FROM sim.connections
	WHERE connection_id = :'pgid')], '{patched,patched,"patched u3"}', 'PUT and PATCH and PUT of one row');
-- whole rows as Sigma has them
SELECT run(format($$UPDATE sim.connections SET details = '{"authType": "key-pair", "privateKey": "hush"}' WHERE name = 'Snowflake East';
	UPDATE sim.connections SET details = '{"host": "pg", "database": "app"}' WHERE name = 'Postgres Production';
	UPDATE sim.connections SET details = '{"host": "h", "token": "hush"}' WHERE name = 'Databricks Lakehouse';
	UPDATE sim.connections SET details = '{"authType": "oauth", "clientSecret": "hush"}' WHERE name = 'Snowflake West';
	UPDATE sim.connections SET details = '{"projectId": "p"}' WHERE name = 'BigQuery Finance';$$))
	\g /dev/null
SELECT is(told(), '', 'connections as Sigma has them, nulls and all, can be replaced');

-- ---------------------------------------------------------------- conflicts

CREATE TABLE here AS SELECT current_setting('sim.conninfo') AS conninfo;
-- what another session does meanwhile
CREATE FUNCTION other(statement text) RETURNS void LANGUAGE sql AS $$
	SELECT FROM here, dblink(conninfo, 'SET client_min_messages = error; ' || statement) r (a text)
$$;
CREATE FUNCTION outside(method text, name text, body jsonb DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	SELECT other(format('SELECT sigma_request(''sim'', %L, %L, NULL, %L)', method, '/v2/connections/' || id(name), body))
$$;
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop';
	SELECT outside('PATCH', 'MySQL Shop', '{"name": "theirs"}'); UPDATE sim.connections SET name = 'x' WHERE name LIKE 'Post%'; COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"theirs\"}"}', 'a connection that has changed since it was read: nothing at all is sent');
SELECT alike(told(), 'ERROR:  40001: connection "MySQL Shop" (' || id('MySQL Shop')
	|| ') has been changed in Sigma since it was read%DETAIL:  %Nothing of this transaction''s updates and deletes was '
	'sent.%HINT:  Run the transaction again.%', 'and the error says so');
SELECT unalike(told(), '%WARNING%', 'without a WARNING');
SELECT is((SELECT name FROM sim.connections WHERE type = 'mysql'), 'theirs', 'who came first has won');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop';
	SELECT other('UPDATE sim.connections SET name = ''theirs'' WHERE name = ''MySQL Shop'''); COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"theirs\"}"}', 'two sessions of this extension');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '40001', 'of which one has to try again');
SELECT is(run($$BEGIN; UPDATE sim.connections SET details = '{"password": "hush", "host": "h", "port": 1}' WHERE name = 'MySQL Shop';
	SELECT outside('PATCH', 'MySQL Shop', '{"name": "MySQL Shop"}'); COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"MySQL Shop\"}"}', 'a replacement, too');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '40001', 'even if the other change was none');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; SELECT outside('DELETE', 'MySQL Shop'); COMMIT;$$),
	'{DELETE MySQL Shop}', 'a connection that was deleted meanwhile');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1] IN ('40001', 'P0002'), true, 'is an error');
SELECT is(run_spoilt(jsonb_build_object('method', 'GET', 'path', '/v2/connections/' || id('MySQL Shop'), 'do', 'status', 'status',
	404), $$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; COMMIT;$$),
	'{}', 'one that is gone');
SELECT alike(told(), 'ERROR:  P0002: connection "MySQL Shop" (%) no longer exists in Sigma%Nothing of%was sent.%', 'is an error that names it');
SELECT is(run_spoilt(jsonb_build_object('method', 'GET', 'path', '/v2/connections/' || id('MySQL Shop'), 'times', -1, 'do',
	'status', 'status', 403), $$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop';
	DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; COMMIT;$$),
	'{}', 'if it cannot be looked at, nothing is sent either');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '42501', 'and the error is Sigma''s');
SELECT is(run_spoilt(jsonb_build_object('method', 'GET', 'path', '/v2/connections/' || id('MySQL Shop'), 'times', -1, 'do',
	'edit', 'remove', '["updatedAt"]'::jsonb),
	$$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; COMMIT;$$), '{}', 'a connection without a time of change');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], 'HV000', 'is not overwritten');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop';
	SELECT outside('PATCH', 'AlloyDB Orders', '{"name": "theirs"}'); COMMIT;$$),
	'{"PATCH AlloyDB Orders {\"name\": \"theirs\"}","PATCH MySQL Shop {\"name\": \"mine\"}"}', 'a change of another connection is no conflict');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; SAVEPOINT s;
	UPDATE sim.connections SET name = 'mine' WHERE name = 'AlloyDB Orders'; SELECT outside('PATCH', 'AlloyDB Orders', '{"name": "theirs"}');
	ROLLBACK TO s; UPDATE sim.connections SET name = 'again' WHERE type = 'alloydb'; COMMIT;$$),
	'{"PATCH AlloyDB Orders {\"name\": \"again\"}","PATCH AlloyDB Orders {\"name\": \"theirs\"}","PATCH MySQL Shop {\"name\": '
	'\"mine\"}"}', 'nor what was read again after a ROLLBACK TO SAVEPOINT');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop';
	SELECT outside('PATCH', 'MySQL Shop', '{"name": "theirs"}'); UPDATE sim.connections SET use_oauth = true WHERE name = 'mine'; COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"theirs\"}"}', 'a second UPDATE does not hide the conflict of the first');
SELECT is((regexp_match(told(), 'ERROR:  (\w+)'))[1], '40001', 'of one row');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; SAVEPOINT s;
	UPDATE sim.connections SET name = 'x' WHERE name = 'mine'; ROLLBACK TO s; SELECT outside('PATCH', 'MySQL Shop', '{"name": "theirs"}'); COMMIT;$$),
	'{"PATCH MySQL Shop {\"name\": \"theirs\"}"}', 'nor does one that was rolled back');
SELECT is(run($$BEGIN; INSERT INTO sim.connections (name, details) VALUES ('made', pg());
	UPDATE sim.connections SET name = 'mine' WHERE name = 'MySQL Shop'; SELECT outside('PATCH', 'MySQL Shop', '{"name": "theirs"}'); COMMIT;$$)
	@> '{DELETE /v2/connections/b490ca3a-a47a-4000-8a56-00000000000f}', true, 'what the transaction has created is deleted again');

-- ------------------------------------------------- refused before any request

SELECT sim_reset() \g /dev/null
SELECT refused('TRUNCATE sim.connections', '0A000', '%truncate%', NULL, '%DELETE%', 'TRUNCATE');
SELECT is(run(format('BEGIN READ ONLY; %s; COMMIT;', s)), '{}', 'READ ONLY: ' || s) || E'\n' || alike(told(), 'ERROR:  25006: %',
	'... is refused') || E'\n' || is(sim_count(), 0, '... before any request')
FROM unnest(ARRAY['DELETE FROM sim.connections', 'UPDATE sim.connections SET name = ''x''',
	'UPDATE sim.connections SET details = ''{}''', 'DELETE FROM parent', 'WITH d AS (DELETE FROM shops) SELECT']) s;
CREATE FOREIGN TABLE fixed (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource 'connections', updatable 'false');
SELECT refused(s, '55000', NULL, NULL, NULL, 'updatable false: ' || s) FROM unnest(ARRAY['DELETE FROM fixed', 'UPDATE fixed SET name = ''x''']) s;
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT refused(s, '55000', NULL, NULL, NULL, 'updatable false at the server: ' || s)
	FROM unnest(ARRAY['DELETE FROM sim.connections', 'UPDATE sim.connections SET name = ''x''', 'DELETE FROM odd',
	'DELETE FROM parent', 'DELETE FROM shops']) s;
ALTER SERVER sim OPTIONS (DROP updatable);
SELECT is((SELECT string_agg(is_updatable || is_insertable_into, ' ' ORDER BY table_name)
	FROM (SELECT table_name, CASE WHEN pg_relation_is_updatable(format('%I.%I', table_schema, table_name)::regclass,
	false) & 20 = 20 THEN 'YES' ELSE 'NO' END AS is_updatable, is_insertable_into FROM information_schema.tables
	WHERE table_name IN ('fixed', 'odd')) t), 'NONO YESYES', 'the information schema knows');
SELECT refused('DELETE FROM sim.members', '55000', NULL, NULL, NULL, 'other resources');
SELECT refused('MERGE INTO sim.connections c USING was w ON c.connection_id = w.id WHEN MATCHED THEN DELETE', '0A000', NULL, NULL, NULL, 'MERGE');
SELECT is(run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; PREPARE TRANSACTION 'sigma';$$), '{}', 'PREPARE TRANSACTION');
SELECT alike(told(), 'ERROR:  0A000: cannot PREPARE a transaction that has written to Sigma%', 'is refused');
SELECT is(run($$BEGIN; UPDATE sim.connections SET name = 'x' WHERE name = 'MySQL Shop'; PREPARE TRANSACTION 'sigma';
	SELECT name FROM sim.connections WHERE type = 'mysql';$$),
	'{}', 'after an UPDATE, too');
SELECT alike(told(), 'ERROR:  0A000: %MySQL Shop', 'which is forgotten then');
SELECT unalike(coalesce(psql($$BEGIN; SAVEPOINT s; DELETE FROM sim.connections; ROLLBACK TO s; PREPARE TRANSACTION 'sigma'; ROLLBACK PREPARED 'sigma';$$),
	''), '%cannot PREPARE a transaction that has%', 'what was rolled back does not count');

-- ------------------------------------------ a commit that does not come back

CREATE FUNCTION cancel_me(ms int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	PERFORM dblink_connect('killer', conninfo) FROM here;
	PERFORM dblink_send_query('killer', format('SELECT pg_sleep(%s), pg_cancel_backend(%s)', ms / 1000.0, pg_backend_pid()));
END $$;
CREATE FUNCTION stuck(how text, ending text, changes text, fault jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
	words text[];
	description text := concat_ws(', ', how, fault ->> 'do', ending, left(changes, 6)) || ': ';
BEGIN
	words := run_spoilt(jsonb_build_object('path', '/v2/connections/' || id('MySQL Shop'), 'times', -1) || fault,
		format('%s BEGIN; INSERT INTO done VALUES (1); %s %s; SELECT count(*) FROM done;',
		CASE how WHEN 'statement_timeout' THEN 'SET statement_timeout = 500;' ELSE '' END, changes, CASE how WHEN 'cancel'
			THEN 'SELECT cancel_me(300); ' ELSE '' END || 'COMMIT'));
	RETURN NEXT ok(clock_timestamp() < start + interval '2500 ms', description || 'ends in time');
	RETURN NEXT alike(told(), '%ERROR:  57014: canceling statement due to ' || CASE how WHEN 'cancel' THEN 'user request'
		ELSE 'statement timeout' END || '%', description || 'as such');
	RETURN NEXT alike(told(), E'%\n0', description || 'and rolls back');
	RETURN NEXT is(words, ARRAY(SELECT w
		FROM unnest(ARRAY['DELETE AlloyDB Orders', CASE WHEN fault ->> 'method' = 'DELETE' THEN 'DELETE MySQL Shop' END]) w
		WHERE w IS NOT NULL AND fault ->> 'method' = 'DELETE'), description || 'nothing is sent behind it');
	IF fault ->> 'method' = 'DELETE' THEN
		RETURN NEXT alike(told(), format('%%WARNING:  01000: connection "AlloyDB Orders" (%s) was deleted in Sigma although its '
			'transaction was rolled back%%', id('AlloyDB Orders')), description || 'what was done is named');
		RETURN NEXT alike(told(), format('%%WARNING:  01000: connection "MySQL Shop" (%s) may have been deleted in Sigma '
			'although its transaction was rolled back%%', id('MySQL Shop')), description || 'and what may have been');
		RETURN NEXT alike(told(), format('%%WARNING:  01000: the commit was interrupted before all changes were carried out in '
			'Sigma%%DETAIL:  Not deleted: "BigQuery Finance" (%s).%%', id('BigQuery Finance')), description || 'and what was not');
	END IF;
	RETURN NEXT is((SELECT count(*)::int FROM regexp_matches(told(), 'WARNING', 'g')), CASE WHEN fault ->> 'method' = 'DELETE'
		THEN 3 ELSE 0 END, description || 'and no more');
END $$;
SELECT s.* FROM (VALUES ('statement_timeout', 'never'), ('cancel', 'never')) w (how, what),
	stuck(how, 'commit', $$DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; DELETE FROM sim.connections WHERE name = 'MySQL Shop';
	DELETE FROM sim.connections WHERE name = 'BigQuery Finance';$$,
		jsonb_build_object('method', 'DELETE', 'do', what)) s;
SELECT s.* FROM (VALUES ('statement_timeout', 'never'), ('cancel', 'never')) w (how, what),
	stuck(how, 'look', $$DELETE FROM sim.connections WHERE name = 'AlloyDB Orders'; UPDATE sim.connections SET name = 'x' WHERE name = 'MySQL Shop';$$,
		jsonb_build_object('method', 'GET', 'do', what)) s;
-- of those side by side, what has been answered is known
SELECT run_spoilt(jsonb_build_object('method', 'DELETE', 'path', '/v2/connections/' || id('Snowflake East'), 'do', 'never'),
	$$SET statement_timeout = 400; DELETE FROM sim.connections WHERE name LIKE 'S%';$$) \g /dev/null
SELECT is((SELECT array_agg(m[1] || m[2] ORDER BY m[1])
	FROM regexp_matches(told(), 'connection "([^"]*)" \([-0-9a-f]*\)( was | may )', 'g') m),
	'{"Sigma Sample Database was ","Snowflake East may ","Snowflake West was ","Starburst Federation was "}',
	'without BEGIN, statement_timeout holds for the sending, too; what was answered was done');
SELECT is(psql($$SET statement_timeout = 400; DELETE FROM sim.connections WHERE name = 'Snowflake East'; SELECT pg_sleep(0.2); SELECT pg_sleep(0.3);
	SELECT 'still here';$$),
	'still here', 'and for the next statement it begins anew');
-- after what was sent, something else of the commit fails
CREATE TABLE skew (a int);
INSERT INTO skew VALUES (1), (2);
SELECT run($$SELECT set_config('sim.conninfo', conninfo, false) IS NULL FROM here; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(a) FROM skew;
	DELETE FROM sim.connections WHERE name = 'MySQL Shop'; INSERT INTO skew VALUES (4);
	SELECT FROM dblink(current_setting('sim.conninfo'), 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(a) FROM skew; INSERT INTO skew VALUES (3); COMMIT; SELECT 1') r (a int); COMMIT;$$)
		\g /dev/null
SELECT is(sent(), '{DELETE MySQL Shop}', 'a transaction that fails after its changes were sent');
SELECT alike(told(), '%ERROR:  40001: could not serialize access%', 'raises what failed');
SELECT alike(told(), '%WARNING:  01000: connection "MySQL Shop" (' || id('MySQL Shop')
	|| ') was deleted in Sigma although its transaction was rolled back%', 'and names them');

-- ------------------------------------------------------------------- many

SELECT sim_start('big', '--connections 3000') \g /dev/null
SELECT make_server('big', sim_url('big'), 'max_concurrency ''16''') \g /dev/null
CREATE FUNCTION sigma_memory() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'sigma%' $$;
SELECT sim_calm('big') \g /dev/null
SELECT sigma_memory() AS memory0 \gset
BEGIN;
DELETE FROM big.connections WHERE connection_id IN (SELECT connection_id FROM big.connections ORDER BY connection_id LIMIT 1000);
SELECT sigma_memory() AS memory1 \gset
SELECT count(*) AS left1 FROM big.connections \gset
SELECT count(name) AS left2 FROM big.connections \gset
SELECT clock_timestamp() AS t0 \gset
COMMIT;
SELECT clock_timestamp() - :'t0'::timestamptz AS took, sigma_memory() AS memory2 \gset
SELECT is(ARRAY[:left1, :left2], '{2000,2000}', '1,000 deletes in one transaction');
SELECT is((SELECT array[count(*), count(DISTINCT path)]::int[] FROM sim_log('big') WHERE method = 'DELETE'), '{1000,1000}', 'are sent once each');
SELECT cmp_ok((SELECT max(concurrent) FROM sim_log('big') WHERE method = 'DELETE'), '<=', 16, 'max_concurrency at once');
SELECT cmp_ok(:'took'::interval, '<', interval '10 s', 'soon');
SELECT cmp_ok(:memory1 - :memory0::bigint, '<', 4000000::bigint, 'what waits is a few kB each');
SELECT cmp_ok(:memory2 - :memory0::bigint, '<', 100000::bigint, 'and is gone with the transaction');
SELECT is((SELECT count(*)::int FROM big.connections), 2000, 'so are they');
SELECT sim_calm('big') \g /dev/null
UPDATE big.connections SET name = name || '!' WHERE type IN ('postgres', 'mysql');
SELECT is((SELECT array_agg(a ORDER BY method) FROM (SELECT method, array[count(*), count(DISTINCT path)]::int[] AS a
	FROM sim_log('big') WHERE path LIKE '/v2/connections/%' GROUP BY method) c),
	(SELECT ARRAY[array[c, c], array[c, c]] FROM (SELECT count(*)::int AS c FROM big.connections WHERE name LIKE '%!') c),
	'many updates: one look and one request each');
SELECT sim_calm('big') \g /dev/null
DO $$ DECLARE r record; BEGIN
	FOR r IN SELECT connection_id AS id, row_number() OVER () AS n FROM big.connections LIMIT 200 LOOP
		BEGIN DELETE FROM big.connections WHERE connection_id = r.id; IF r.n % 2 = 0 THEN RAISE division_by_zero; END IF;
			EXCEPTION WHEN division_by_zero THEN NULL; END;
	END LOOP; END $$;
SELECT is((SELECT count(*)::int FROM sim_log('big') WHERE method = 'DELETE'), 100, 'a hundred of two hundred subtransactions');
-- a scan whose rows go to a file
SET work_mem = '64kB';
SELECT count(*) AS redshifts FROM big.connections WHERE type = 'redshift' AND name LIKE '%04' \gset
SELECT sim_calm('big') \g /dev/null
DELETE FROM big.connections WHERE type = 'redshift' AND name LIKE '%04';
UPDATE big.connections SET name = '?' || name WHERE type = 'redshift';
WITH d AS (DELETE FROM big.connections WHERE type = 'alloydb' AND name LIKE '%09' RETURNING name)
	SELECT count(DISTINCT d.name) AS n FROM d JOIN big.connections c USING (name) \gset
RESET work_mem;
SELECT is(ARRAY[:n + :redshifts, (SELECT count(*)::int FROM big.connections WHERE name LIKE '?%')],
	(SELECT ARRAY[count(*) FILTER (WHERE method = 'DELETE'), count(*) FILTER (WHERE method = 'PATCH')]::int[]
	FROM sim_log('big')), 'rows that work_mem has no room for');
SELECT sim_stop('big') \g /dev/null

-- ------------------------------------------------------------------ EXPLAIN

SELECT sim_reset() \g /dev/null
CREATE FUNCTION request_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE p json; BEGIN EXECUTE 'EXPLAIN (FORMAT json, VERBOSE, COSTS off) ' || statement INTO p;
		RETURN (p -> 0 -> 'Plan' ->> 'Remote Request') || coalesce(', ' || (p -> 0 -> 'Plan' ->> 'Remote Request Sent'), ''); END
$$;
SELECT sim_calm() \g /dev/null
SELECT is(request_of('DELETE FROM sim.connections WHERE name = ''x'''), 'DELETE /v2/connections/{connection_id}, at commit', 'EXPLAIN of DELETE');
SELECT is(request_of('UPDATE sim.connections SET name = ''x'', use_oauth = true'),
	'PATCH /v2/connections/{connection_id}, at commit', 'EXPLAIN of an UPDATE of the name');
SELECT is(request_of('UPDATE sim.connections SET name = ''x'', details = ''{}'''),
	'PUT /v2/connections/{connection_id}, at commit', 'EXPLAIN of a replacement');
SELECT is(request_of('UPDATE odd SET title = ''x'''), 'PATCH /v2/connections/{connection_id}, at commit', 'by columns of other names');
CREATE FOREIGN TABLE generated (connection_id text, name text, role text GENERATED ALWAYS AS (upper(name)) STORED) SERVER sim OPTIONS (resource 'connections');
SELECT is(request_of('UPDATE generated SET name = ''x'''), 'PATCH /v2/connections/{connection_id}, at commit', 'generated columns are not sent');
SELECT is(request_of('DELETE FROM sim.connection_grants'), 'DELETE /v2/connections/{connection_id}/grants/{grant_id}', 'grants are revoked at once');
SELECT is(sim_count(), 0, 'EXPLAIN makes no request');
SELECT is(run($$UPDATE generated SET name = 'g' WHERE name = 'MySQL Shop' RETURNING name;$$),
	'{"PATCH MySQL Shop {\"name\": \"g\"}"}', 'UPDATE of a table with a generated column');

-- ------------------------------------------------------------------ secrets

SELECT coalesce(pg_current_logfile(), sim_shell('readlink /proc/$PPID/fd/2')) AS log \gset
SELECT CASE WHEN :'log' LIKE '/%' THEN :'log' ELSE current_setting('data_directory') || '/' || :'log' END AS log \gset
SELECT sim_shell(format('test -f %s -a -r %s && echo t || echo f', sim_quote(:'log'), sim_quote(:'log'))) AS readable \gset
CREATE TABLE leaks (what text, told text);
CREATE FUNCTION noisy(script text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(psql('SET client_min_messages = warning; EXPLAIN SELECT FROM sim.connections; '
		'SET client_min_messages = debug5; SET log_min_messages = debug5; SET log_error_verbosity = verbose; ' || script), '')
$$;
CREATE FUNCTION leak(what text, fault jsonb, script text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	PERFORM sim_reset();
	IF fault IS NOT NULL THEN PERFORM sim_fault(fault || '{"times": -1}'); END IF;
	INSERT INTO leaks VALUES (what, noisy(script));
END $$;
\if :readable
SELECT sim_shell('wc -c <' || sim_quote(:'log')) AS start \gset
\endif
\set hush '{"password": "hush-password", "host": "hush-host", "port": 3306}'
SELECT set_config('sim.update', format('UPDATE sim.connections SET details = %L WHERE name = ''MySQL Shop'';', :'hush'), false) \g /dev/null
SELECT leak('good', NULL, current_setting('sim.update')) \g /dev/null
SELECT leak('in a transaction', NULL, 'BEGIN;' || current_setting('sim.update')
	|| 'SELECT name FROM sim.connections WHERE type = ''mysql''; COMMIT;') \g /dev/null
SELECT leak('rolled back', NULL, 'BEGIN;' || current_setting('sim.update') || 'ROLLBACK;') \g /dev/null
SELECT leak('refused', jsonb_build_object('method', 'PUT', 'do', 'body', 'status', 400, 'body',
	'{"code": "invalid_argument", "message": "bad password hush-password for hush-host", "requestId": "1"}'::jsonb), current_setting('sim.update')) \g /dev/null
SELECT leak('failed', jsonb_build_object('method', 'PUT', 'do', 'status', 'status', 500), current_setting('sim.update')) \g /dev/null
SELECT leak('lost', jsonb_build_object('method', 'PUT', 'do', 'lost-reply'), 'BEGIN;' || current_setting('sim.update') || 'COMMIT;') \g /dev/null
SELECT leak('timeout', jsonb_build_object('method', 'PUT', 'do', 'never'), 'SET statement_timeout = 300;' || current_setting('sim.update')) \g /dev/null
SELECT leak('timeout of the look', jsonb_build_object('method', 'GET', 'path', '/v2/connections/*', 'do', 'never'),
	'SET statement_timeout = 300;' || current_setting('sim.update')) \g /dev/null
SELECT leak('conflict', NULL, 'BEGIN;' || current_setting('sim.update') || 'SELECT outside(''PATCH'', ''MySQL Shop'', ''{"name": "x"}''); COMMIT;') \g /dev/null
SELECT leak('contradiction', NULL, $$UPDATE by_hand SET host = 'hush-other', details = '{"host": "hush-host"}' WHERE name = 'MySQL Shop';$$) \g /dev/null
SELECT leak('read-only column', NULL, $$UPDATE sim.connections SET created_by = 'x', details = '{"host": "hush-host"}';$$) \g /dev/null
SELECT leak('without details', NULL, $$UPDATE by_hand SET password = 'hush-password';$$) \g /dev/null
SELECT leak('no object', NULL, $$UPDATE by_hand SET details = '["hush"]' WHERE name = 'MySQL Shop';$$) \g /dev/null
SELECT leak('function', jsonb_build_object('method', 'PUT', 'do', 'status', 'status', 500),
	'DO $x$ BEGIN ' || current_setting('sim.update') || ' COMMIT; END $x$;') \g /dev/null
SELECT leak('prepared', jsonb_build_object('method', 'PUT', 'do', 'status', 'status', 500),
	'PREPARE p (jsonb) AS UPDATE sim.connections SET details = $1 WHERE name = ''MySQL Shop''; '
	'SET plan_cache_mode = force_generic_plan; EXPLAIN (VERBOSE) EXECUTE p(''{"host": "hush"}''); EXECUTE p(''{"host": "hush-host"}'');') \g /dev/null
SELECT unalike(told, '%hush%', 'secrets, ' || what || ': not told') FROM leaks;
SELECT ok(count(*) FILTER (WHERE told LIKE '%ERROR: %') = 12, 'of which so many are errors') FROM leaks;
SELECT alike(told, '%bad password *** for ***%', 'what Sigma says of them is masked') FROM leaks WHERE what = 'refused';
\if :readable
SELECT is(sim_shell(format('tail -c +%s %s | grep -a -m 3 hush | cut -c 1-300 || true', :start + 1, sim_quote(:'log'))), NULL,
	'and the log of the server has none, at any level');
SELECT matches(sim_shell(format('tail -c +%s %s | grep -a "Sigma write by" | head -1', :start + 1, sim_quote(:'log'))),
	'LOG: .*Sigma write by "[^"]*" on server "sim": PUT /v2/connections/[-0-9a-f]* .*status 200', 'but which write was made');
\else
SELECT skip('the log of the server cannot be read', 2);
\endif
SELECT is((SELECT count(*)::int FROM pg_prepared_xacts), 0, 'nothing is left');

-- ------------------------------------------------ rows that move to Sigma

SELECT sim_reset() \g /dev/null
SET enable_async_append = off;
CREATE TABLE moving (connection_id text, name text, type text, details jsonb) PARTITION BY LIST (type);
CREATE TABLE moving_local PARTITION OF moving FOR VALUES IN ('a');
CREATE FOREIGN TABLE moving_sigma PARTITION OF moving FOR VALUES IN ('postgres') SERVER sim OPTIONS (resource 'connections');
INSERT INTO moving_local VALUES (NULL, 'L', 'a', '{"type": "postgres", "host": "h", "database": "d"}');
SELECT fails($$UPDATE moving SET type = 'postgres', details = '{"host": "h", "database": "d"}'$$, '0A000',
	'cannot route tuples into foreign table to be updated "moving_sigma"', NULL, NULL, 'a row that moves into a foreign table which is updated itself');
RESET enable_async_append;

-- ------------------------------------------------- what a user has to know

-- a row that is queued for deletion is not queued again
CREATE FOREIGN TABLE by_hand_few (connection_id text, name text, host text) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE with_archived (connection_id text, name text, is_archived bool) SERVER sim OPTIONS (resource 'connections', include_archived 'true');
SELECT sim_reset() \g /dev/null
SELECT run($$BEGIN; DELETE FROM sim.connections WHERE name = 'MySQL Shop'; DELETE FROM with_archived WHERE is_archived; COMMIT;$$) \g /dev/null
SELECT is((SELECT array_agg(method || ' ' || path) FROM sim_log() WHERE method <> 'GET'),
	ARRAY['DELETE /v2/connections/' || id('MySQL Shop')], 'what is deleted already is not deleted again');
-- what was refused is named
SELECT is((SELECT c.context FROM catch('INSERT INTO sim.connections (name, details) VALUES (''good'', pg()), (''bad one'', '
	'''{"type": "postgres", "host": "h"}'')') c), 'creating connection "bad one"', 'a create that is refused is named');
-- a look before the commit that fails
SELECT sim_reset() \g /dev/null
SELECT run_spoilt('{"method": "GET", "path": "/v2/connections/*", "do": "status", "status": 403, "times": -1}',
	$$BEGIN; UPDATE sim.connections SET name = 'x' WHERE name = 'MySQL Shop'; DELETE FROM sim.connections WHERE name = 'BigQuery Finance'; COMMIT;$$)
	AS sent \gset
SELECT is(:'sent'::text, '{}', 'if a connection cannot be looked at before the commit, nothing is sent');
SELECT alike(told(), 'ERROR:  42501: could not look at connection "MySQL Shop" (%) before the commit: permission denied by '
	'Sigma%DETAIL:  Nothing of this transaction''s updates and deletes was sent.%', 'which the error says');
-- a table that cannot be updated further than its columns go
SELECT fails('UPDATE by_hand_few SET host = ''x'' WHERE name = ''MySQL Shop''', '0A000',
	'cannot update column "host" of a connection without "details"', '%of mysql starburst: host, port, password;%',
	'The foreign table needs a column "details", to be set in the same statement.%', 'a table without a column details');

SELECT * FROM finish();

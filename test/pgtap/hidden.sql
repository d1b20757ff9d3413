-- A statement that writes to Sigma may hold secrets: no error of it is logged
-- with its text, whoever raises the error, and at whatever moment.

\ir lib/simulator.sql
SELECT * FROM no_plan();
\ir lib/log.sql

-- the secrets all begin with "hush"; each script is a session of its own, so the library is loaded by its first statement
CREATE FUNCTION told(script text) RETURNS void LANGUAGE sql AS $$
	SELECT psql('SET log_min_messages = notice; SET log_error_verbosity = verbose; ' || script)
$$;
CREATE TABLE list (name text, details jsonb);
INSERT INTO list VALUES ('x', '{"type": "postgres", "host": "h", "database": "d"}');
CREATE FOREIGN TABLE oops (name text, details jsonb) SERVER sim;
CREATE FOREIGN TABLE reading (name text, details jsonb) SERVER sim OPTIONS (resource 'connections', updatable 'false');
CREATE TABLE parted (name text, details jsonb) PARTITION BY LIST (name);
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted DEFAULT SERVER sim OPTIONS (resource 'connections');
CREATE TABLE parent (name text, details jsonb);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE watched (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a trigger'; END $$;
CREATE TRIGGER t BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER u AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION refuse();

\set details '{"type": "postgres", "password": "hush-1"}'
SELECT log_size() AS start \gset
SELECT sim_spoil_list('status', '{"status": 400}') \g /dev/null
SELECT told(format(statement, :'details')), told('SELECT FROM sim.teams; ' || format(statement, :'details')),
	told(format('DO $do$ BEGIN %s; END $do$', format(statement, :'details'))) FROM (VALUES
	('UPDATE sim.connections SET details = %L'),
	('UPDATE sim.connections SET details = %L WHERE name = ''x'' RETURNING name'),
	('DELETE FROM sim.connections WHERE details = %L'),
	('INSERT INTO sim.connections (name, details) SELECT name, %L FROM sim.connections'),
	('INSERT INTO sim.connections (name, details) SELECT count(*), %L FROM sim.connections'),
	('INSERT INTO parted (name, details) SELECT name, %L FROM sim.connections'),
	('UPDATE parted SET details = %L'),
	('UPDATE parent SET details = %L'),
	('WITH u AS (UPDATE sim.connections SET details = %L RETURNING 1) INSERT INTO list SELECT FROM u'),
	('INSERT INTO reading (name, details) VALUES (''x'', %L)'),
	('UPDATE reading SET details = %L'),
	('INSERT INTO oops (name, details) VALUES (''x'', %L)'),
	('UPDATE oops SET details = %L'),
	('INSERT INTO sim.connections (name, details) SELECT name, %L FROM oops'),
	('INSERT INTO sim.connections (name, details) SELECT xmin, %L FROM sim.teams'),
	('INSERT INTO sim.connections (name, details) VALUES (''x'', %L) RETURNING ctid'),
	('INSERT INTO sim.connections (name, details) VALUES (''x'', %L) ON CONFLICT DO NOTHING'),
	('INSERT INTO sim.connections (name, details) SELECT (1 / (length(name) - 1))::text, %L FROM list'),
	('UPDATE sim.connections SET connection_id = NULL, details = %L'),
	('INSERT INTO watched (name, details) VALUES (''x'', %L)')) v (statement) \g /dev/null
SELECT sim_calm() \g /dev/null
SELECT told(format($$UPDATE watched SET name = 'y', details = %L WHERE name = 'MySQL Shop'$$, :'details')) \g /dev/null
-- what PostgreSQL itself finds before it asks us is hidden once the library is there
SELECT told(format('LOAD ''sigma_fdw''; INSERT INTO sim.connections (name, details) SELECT (1 / 0)::text, %L', :'details')) \g /dev/null
SELECT told(format('SET statement_timeout = 200; INSERT INTO sim.connections (name, details) SELECT name, %L '
	'FROM sim.connections, pg_sleep(2)', :'details')) \g /dev/null
SELECT is(log_has(:'start', 'hush'), NULL, 'no statement is logged');
\if :readable
SELECT isnt(log_has(:'start', message), NULL, 'though the error is: ' || message)
	FROM unnest('{request refused by Sigma,does not allow inserts,does not allow updates,Sigma has no resource,cannot use system '
	'column,division by zero,refused by a trigger,canceling statement}'::text[]) message;
-- others are logged as ever
SELECT told('SELECT ''shown''::text, 1 / 0; SELECT name FROM oops WHERE name = ''shown too''; INSERT INTO list '
	'SELECT ''shown as well'', NULL FROM oops') \g /dev/null
SELECT isnt(log_has(:'start', 'STATEMENT:.*' || shown), NULL, 'other statements are logged: ' || shown)
	FROM unnest('{shown''::text,shown too,shown as well}'::text[]) shown;
\endif

SELECT * FROM finish();

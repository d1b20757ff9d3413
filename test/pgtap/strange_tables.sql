-- A table that is wrong is wrong for those who use it, not for those who look
-- at all tables; and columns that say different things are no one's guess.

\ir lib/simulator.sql
SELECT * FROM no_plan();

-- --------------------------------------------------- catalog-wide queries

CREATE FOREIGN TABLE oops (x text) SERVER sim;
CREATE FOREIGN TABLE odd_column (x text) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE right_one (name text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE FOREIGN TABLE reading (name text) SERVER sim OPTIONS (resource 'connections', updatable 'false');
SELECT lives_ok('SELECT is_insertable_into FROM information_schema.tables', 'information_schema.tables');
SELECT lives_ok('SELECT is_updatable FROM information_schema.columns', 'information_schema.columns');
SELECT lives_ok('SELECT is_updatable, is_insertable_into FROM information_schema.views', 'information_schema.views');
SELECT lives_ok('SELECT * FROM information_schema.foreign_tables', 'information_schema.foreign_tables');
SELECT is(array_agg(table_name || ' ' || is_insertable_into ORDER BY table_name COLLATE "C"),
	'{odd_column YES,oops NO,reading NO,right_one YES}', '... which says what is right')
	FROM information_schema.tables WHERE table_name IN ('oops', 'odd_column', 'right_one', 'reading');
SELECT lives_ok('SELECT pg_relation_size(oid), pg_total_relation_size(oid), pg_relation_is_updatable(oid, false) FROM pg_class', 'sizes of all relations');
SELECT unalike(psql('\d+ oops
	\d+ *
	\det+ *'), '%ERROR%', 'psql describes it');
CREATE TABLE parted (x text) PARTITION BY LIST (x);
CREATE TABLE parted_here PARTITION OF parted FOR VALUES IN ('here');
CREATE FOREIGN TABLE parted_oops PARTITION OF parted DEFAULT SERVER sim;
SELECT unalike(psql('ANALYZE; SELECT 40 + 2;'), '%ERROR%', 'ANALYZE of the whole database');
SELECT alike(psql('ANALYZE oops; SELECT 40 + 2;'), '%WARNING:%skipping "oops"%42%', 'ANALYZE of such a table passes over it');
SELECT lives_ok('SELECT sigma_comment_tables(''public'')', 'comments of a whole schema');
SELECT is(obj_description('right_one'::regclass) IS NOT NULL, true, '... are set where they can be');

-- those who use it are told
SELECT fails('SELECT * FROM oops', 'HV00R', 'Sigma has no resource "oops"', NULL, NULL, 'a query of it');
SELECT fails('INSERT INTO oops VALUES (''x'')', 'HV00R', 'Sigma has no resource "oops"', NULL, NULL, 'an INSERT');
SELECT fails('INSERT INTO parted VALUES (''x'')', '55000', NULL, NULL, NULL, 'a row that is routed to it');
SELECT fails('DELETE FROM oops', 'HV00R', 'Sigma has no resource "oops"', NULL, NULL, 'a DELETE');
SELECT fails('INSERT INTO reading VALUES (''x'')', '55000', '%does not allow inserts', NULL, NULL, 'an INSERT where "updatable" is false');

-- ------------------------------------------------- two columns of one field

CREATE FOREIGN TABLE twice (connection_id text, name text, title text OPTIONS (field 'name'), pool_sizes jsonb, pools json OPTIONS (field 'poolSizes'),
	type text, host text, "server" text OPTIONS (field 'host'), use_oauth bool, oauth text OPTIONS (field 'useOauth'),
		details jsonb, secret jsonb OPTIONS (field 'details'))
	SERVER sim OPTIONS (resource 'connections');
SELECT fails(statement, '22023', 'column "' || a || '" contradicts column "' || b || '"', '%' || field || '%', '%same%', 'two values of ' || field)
	FROM (VALUES
		($$INSERT INTO twice (name, title, details) VALUES ('x', 'y', '{"type": "postgres", "host": "h", "database": "d"}')$$, 'title', 'name', 'name'),
		($$INSERT INTO twice (name, pool_sizes, pools, details) VALUES ('x', '{"a": 1}', '{"a": 2}', '{"type": "postgres", "host": "h", "database": "d"}')$$,
			'pools', 'pool_sizes', 'poolSizes'),
		($$INSERT INTO twice (name, host, server, details) VALUES ('x', 'h', 'i', '{"type": "postgres", "database": "d"}')$$, 'server', 'host', 'host'),
		($$INSERT INTO twice (name, use_oauth, oauth, details) VALUES ('x', true, 'false', '{"type": "postgres", "host": "h", "database": "d"}')$$,
			'oauth', 'use_oauth', 'useOauth'),
		($$INSERT INTO twice (name, details, secret)
		VALUES ('x', '{"type": "postgres", "host": "h", "database": "hush"}', '{"type": "postgres", "host": "h", "database": "hash"}')$$,
			'secret', 'details', 'details'),
		($$UPDATE twice SET name = 'a', title = 'b' WHERE type = 'mysql'$$, 'title', 'name', 'name'),
		($$UPDATE twice SET name = 'a', title = NULL WHERE type = 'mysql'$$, 'title', 'name', 'name')) v (statement, a, b, field);
SELECT is(count(*), 0::bigint, '... before any is sent') FROM sim_log() WHERE method <> 'GET';
SELECT lives_ok($$INSERT INTO twice (name, title, pool_sizes, pools, details, secret) VALUES ('x', 'x', '{"a": 1, "b": 2}', '{"b": 2, "a": 1}',
	'{"type": "postgres", "host": "h", "database": "d"}', '{"database": "d", "host": "h", "type": "postgres"}')$$, 'the same twice is fine');
SELECT lives_ok($$UPDATE twice SET title = 'renamed' WHERE name = 'x'$$, 'so is one of the two');
SELECT is(count(*), 1::bigint, '... which counts') FROM sim.connections WHERE name = 'renamed';

SELECT * FROM finish();

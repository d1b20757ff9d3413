-- Rows of Sigma have no system columns but tableoid: whoever asks for another
-- is told so when the query is planned, before any request.

\ir lib/simulator.sql
SELECT * FROM no_plan();

CREATE FUNCTION refused(statement text, col text, description text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'log');
	RETURN NEXT fails(statement, '0A000', format('cannot use system column "%s" of foreign table "%%"', col), '%tableoid%', '%_id"%', description);
	RETURN NEXT is(sim_requests(), '{}', '... before any request');
END
$$;

CREATE TABLE todo (name text, t tid);
INSERT INTO todo VALUES ('MySQL Shop', '(0,1)');

-- --------------------------------------------------------------- conditions

SELECT refused('SELECT name FROM sim.connections WHERE ctid = ''(0,1)''', 'ctid', 'a condition');
SELECT refused('SELECT name FROM sim.connections WHERE ctid = ANY (''{"(0,1)","(4294967295,0)"}''::tid[])', 'ctid', 'a condition by ANY');
SELECT refused('SELECT name FROM sim.connections WHERE ctid <> ''(0,1)'' OR name = ''x''', 'ctid', 'a part of a condition');
SELECT refused('SELECT name FROM sim.connections WHERE xmin = ''0''', 'xmin', 'another column');
SELECT refused('SELECT name FROM sim.connections WHERE connection_id = ''x'' AND ctid = ''(0,1)''', 'ctid', 'a look-up');
SELECT refused('SELECT c.name FROM sim.connections c JOIN todo ON c.ctid = todo.t', 'ctid', 'a join');
SELECT refused('SELECT c.name FROM todo LEFT JOIN sim.connections c ON c.ctid = todo.t', 'ctid', 'an outer join');
SELECT refused('SELECT c.name FROM sim.connections c JOIN sim.connections d ON c.name = d.name AND c.ctid < d.ctid', 'ctid', 'a join with itself');
SELECT refused('SELECT name FROM todo WHERE EXISTS (SELECT FROM sim.connections c WHERE c.ctid = todo.t)', 'ctid', 'EXISTS');
SELECT refused('SELECT name FROM todo WHERE t IN (SELECT ctid FROM sim.connections)', 'ctid', 'IN');
SELECT refused('SELECT name FROM todo WHERE t NOT IN (SELECT ctid FROM sim.connections)', 'ctid', 'NOT IN');
SELECT refused('SELECT (SELECT count(*) FROM todo WHERE todo.t = c.ctid) FROM sim.connections c', 'ctid', 'a subquery that is given it');
SELECT refused('SELECT count(*) FROM sim.connections HAVING max(cmin::text) > ''x''', 'cmin', 'HAVING');

-- ------------------------------------------------------------ target lists

SELECT refused('SELECT ctid FROM sim.connections', 'ctid', 'a target list');
SELECT refused(format('SELECT %s FROM sim.connections', c), c, 'a target list with ' || c) FROM unnest('{xmin,xmax,cmin,cmax}'::text[]) c;
SELECT refused('SELECT c, ctid FROM sim.connections c', 'ctid', 'beside a whole row');
SELECT refused('SELECT (c).ctid FROM sim.connections c', 'ctid', 'out of a whole row');
SELECT refused('SELECT name FROM sim.connections ORDER BY ctid', 'ctid', 'ORDER BY');
SELECT refused('SELECT DISTINCT ON (ctid) name FROM sim.connections', 'ctid', 'DISTINCT');
SELECT refused('SELECT count(*) FROM sim.connections GROUP BY ctid', 'ctid', 'GROUP BY');
SELECT refused('SELECT max(ctid) FROM sim.connections', 'ctid', 'an aggregate');
SELECT refused('SELECT x FROM (SELECT ctid AS x FROM sim.connections OFFSET 0) s', 'ctid', 'a subquery');
SELECT refused('WITH s AS MATERIALIZED (SELECT ctid AS x FROM sim.connections) SELECT x FROM s', 'ctid', 'WITH');
SELECT refused('SELECT ctid FROM sim.connections UNION ALL SELECT t FROM todo', 'ctid', 'UNION ALL');
SELECT refused('SELECT todo.name, s.x FROM todo LEFT JOIN (SELECT name, coalesce(ctid::text, ''none'') AS x '
	'FROM sim.connections) s USING (name)', 'ctid', 'an expression below an outer join');
SELECT refused('SELECT s.x FROM todo, LATERAL (SELECT c.ctid AS x FROM sim.connections c WHERE c.name = todo.name) s', 'ctid', 'LATERAL');
SELECT refused('SELECT ctid FROM sim.connections FOR UPDATE', 'ctid', 'FOR UPDATE');
SELECT refused('INSERT INTO todo SELECT name, ctid FROM sim.connections', 'ctid', 'INSERT from it');
SELECT refused('EXPLAIN SELECT ctid FROM sim.connections', 'ctid', 'EXPLAIN');
CREATE VIEW seen AS SELECT name, ctid AS x FROM sim.connections;
SELECT refused('SELECT x FROM seen', 'ctid', 'a view');
SELECT lives_ok('SELECT name FROM seen', '... of which another column is wanted');

-- ------------------------------------------------------------------ changes

SELECT refused('DELETE FROM sim.connections WHERE ctid = ''(4294967295,0)''', 'ctid', 'DELETE by it');
SELECT refused('UPDATE sim.connections SET name = ''x'' WHERE ctid = ''(4294967295,0)''', 'ctid', 'UPDATE by it');
SELECT refused('UPDATE sim.connections SET name = ctid::text', 'ctid', 'UPDATE to it');
SELECT refused('DELETE FROM sim.connections c USING sim.connections d WHERE c.name = d.name AND c.ctid > d.ctid', 'ctid', 'DELETE of duplicates');
SELECT refused('DELETE FROM todo USING sim.connections c WHERE c.ctid = todo.t', 'ctid', 'DELETE of others by it');
SELECT refused(format('DELETE FROM sim.connections WHERE type = ''mysql'' RETURNING name, %s', c), c, 'DELETE RETURNING ' || c)
	FROM unnest('{xmin,xmax,cmin,cmax,ctid}'::text[]) c;
SELECT refused(format('UPDATE sim.connections SET name = ''x'' WHERE type = ''mysql'' RETURNING %s', c), c, 'UPDATE RETURNING '
	|| c) FROM unnest('{xmin,xmax,cmin,cmax,ctid}'::text[]) c;
SELECT refused(format('INSERT INTO sim.connections (name, details) VALUES (''x'', ''{"type": "postgres"}'') RETURNING %s', c), c,
	'INSERT RETURNING ' || c) FROM unnest('{xmin,xmax,cmin,cmax,ctid}'::text[]) c;
SELECT refused('DELETE FROM sim.connection_grants RETURNING xmin', 'xmin', 'DELETE of grants RETURNING xmin');
SELECT refused('INSERT INTO sim.connection_grants (connection_id, permission, team_id) VALUES (''x'', ''usage'', ''y'') '
	'RETURNING (SELECT count(*) FROM todo WHERE t = connection_grants.ctid)', 'ctid', 'INSERT of a grant RETURNING what depends on it');
CREATE VIEW checked AS SELECT * FROM sim.connections WHERE xmin = '0' WITH CHECK OPTION;
SELECT refused('INSERT INTO checked (name, details) VALUES (''x'', ''{"type": "postgres"}'')', 'xmin', 'a check option');
SELECT matches(requests_of($$DELETE FROM sim.connections WHERE name = 'MySQL Shop' RETURNING tableoid$$)::text, 'GET', 'tableoid is not refused');
SELECT is(array_agg(DISTINCT tableoid::regclass::text), '{sim.connections}', '... and is right') FROM sim.connections;

-- ------------------------------------------------- partitions and inheritance

CREATE TABLE parted (connection_id text, name text, details jsonb) PARTITION BY LIST (name);
CREATE TABLE parted_here PARTITION OF parted FOR VALUES IN ('here');
CREATE TABLE parted_deep PARTITION OF parted DEFAULT PARTITION BY LIST (name);
CREATE FOREIGN TABLE parted_sigma PARTITION OF parted_deep DEFAULT SERVER sim OPTIONS (resource 'connections');
INSERT INTO parted VALUES ('1', 'here');
CREATE TABLE top (connection_id text, name text);
CREATE TABLE heap_child () INHERITS (top);
CREATE FOREIGN TABLE sigma_child () INHERITS (top) SERVER sim OPTIONS (resource 'connections');
INSERT INTO top VALUES ('1', 'here');
INSERT INTO heap_child VALUES ('2', 'here');

SELECT refused(format(statement, t), col, t || ': ' || what)
	FROM unnest('{parted,top}'::text[]) t, (VALUES
		('SELECT ctid FROM %s', 'ctid', 'a target list'),
		('SELECT name FROM %s WHERE ctid = ''(0,1)''', 'ctid', 'a condition'),
		('SELECT ctid FROM %s FOR UPDATE', 'ctid', 'FOR UPDATE'),
		('SELECT name FROM %s ORDER BY ctid FOR UPDATE', 'ctid', 'FOR UPDATE in order'),
		('SELECT p.name FROM %s p JOIN todo ON p.ctid = todo.t FOR UPDATE', 'ctid', 'FOR UPDATE of a join'),
		('SELECT p.name FROM %s p WHERE ctid = ''(0,1)'' FOR UPDATE', 'ctid', 'FOR UPDATE with a condition'),
		('SELECT xmin FROM %s FOR UPDATE', 'xmin', 'FOR UPDATE of another column'),
		('DELETE FROM todo USING %s p WHERE p.ctid = todo.t', 'ctid', 'DELETE of others by it'),
		('DELETE FROM %s WHERE ctid = ''(0,1)''', 'ctid', 'DELETE by it'),
		('DELETE FROM %s RETURNING xmin', 'xmin', 'DELETE RETURNING it')) v (statement, col, what);
SELECT refused('INSERT INTO parted (name, details) VALUES (''x'', ''{"type": "postgres"}'') RETURNING xmin', 'xmin', 'a routed row RETURNING it');
SELECT refused('UPDATE parted SET name = ''x'', details = ''{"type": "postgres"}'' WHERE name = ''here'' RETURNING xmin', 'xmin',
	'a row that an UPDATE moves RETURNING it');

-- what PostgreSQL asks for by itself: marks of rows, and the identity of others
SELECT lives_ok(format(statement, t), t || ': ' || what)
	FROM unnest('{parted,top}'::text[]) t, (VALUES
		('SELECT name FROM %s FOR UPDATE', 'FOR UPDATE of other columns'),
		('SELECT p FROM %s p FOR UPDATE', 'FOR UPDATE of whole rows'),
		('DELETE FROM todo USING %s p WHERE p.name = todo.name AND todo.name = ''none''', 'DELETE of others with it'),
		('UPDATE todo SET t = NULL FROM (SELECT name FROM %s UNION ALL SELECT name FROM sim.teams) p WHERE p.name = todo.name', 'UPDATE of others with it'),
		('UPDATE %s SET name = name WHERE name IN (''here'', ''AlloyDB Orders'')', 'UPDATE of rows here and in Sigma'),
		('DELETE FROM %s WHERE name IN (''here'', ''AlloyDB Orders'')', 'DELETE of rows here and in Sigma')) v (statement, what);
SELECT is(count(*), 0::bigint, '... which are gone') FROM sim.connections WHERE name = 'AlloyDB Orders';

-- ----------------------------------------------------------------- triggers

CREATE TABLE noted (n int GENERATED ALWAYS AS IDENTITY, what text, row_text text, x text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		INSERT INTO noted (what, row_text, x) VALUES (TG_WHEN || ' ' || TG_OP || ' OLD', OLD.name, concat_ws(' ', OLD.ctid, OLD.tableoid::regclass));
	END IF;
	IF TG_OP <> 'DELETE' THEN
		INSERT INTO noted (what, row_text, x) VALUES (TG_WHEN || ' ' || TG_OP || ' NEW', NEW.name, concat_ws(' ', NEW.ctid));
	END IF;
	RETURN coalesce(NEW, OLD);
END
$$;
CREATE FOREIGN TABLE watched (connection_id text, name text, details jsonb) SERVER sim OPTIONS (resource 'connections');
CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO watched (name, details) VALUES ('watched', '{"type": "postgres", "host": "h", "database": "d"}');
UPDATE watched SET name = 'watched 2' WHERE name = 'watched';
DELETE FROM watched WHERE name = 'watched 2';
SELECT is(array_agg(what || ': ' || row_text ORDER BY n), '{BEFORE INSERT NEW: watched,AFTER INSERT NEW: watched,BEFORE '
	'UPDATE OLD: watched,BEFORE UPDATE NEW: watched 2,AFTER UPDATE OLD: watched,AFTER UPDATE NEW: watched 2,BEFORE '
	'DELETE OLD: watched 2,AFTER DELETE OLD: watched 2}', 'triggers see the rows') FROM noted;
SELECT is(array_agg(x), NULL, '... and no ctid but the one of no row') FROM noted WHERE x !~ '^\(4294967295,0\)( (-|watched))?$';
CREATE TRIGGER w AFTER UPDATE ON watched FOR EACH ROW WHEN (NEW.xmin IS NULL) EXECUTE FUNCTION note();
SELECT fails('UPDATE watched SET name = ''x'' WHERE name = ''BigQuery Finance''', '0A000',
	'cannot retrieve a system column in this context', NULL, NULL, 'a trigger that wants another is told by PostgreSQL');

SELECT * FROM finish();

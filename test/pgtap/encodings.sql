-- Databases that are not UTF-8: what Sigma sends is converted or refused, what
-- it gets is UTF-8, and secrets are found in its messages as anywhere else.

\ir lib/simulator.sql
SELECT * FROM no_plan();

CREATE TABLE encodings (encoding text, database text);
INSERT INTO encodings SELECT e, format('%s_%s', current_database(), lower(e)) FROM unnest(ARRAY['LATIN1', 'SQL_ASCII', 'EUC_JP', 'UTF8']) AS e;

-- Here and not by a function: DROP DATABASE waits for all sessions, and one
-- that is in a shell command does not answer.
SELECT format('DROP DATABASE IF EXISTS %I', database),
	format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE ''C'' LC_CTYPE ''C''', database, encoding)
  FROM encodings \gexec

-- what psql says to a script in the database of that encoding
CREATE FUNCTION in_encoding(encoding text, script text) RETURNS text LANGUAGE sql AS $$
	SELECT psql(format(E'\\set QUIET on\n\\c %s\nSET client_encoding = ''UTF8'';\n%s', e.database, script)) FROM encodings e
		WHERE e.encoding = in_encoding.encoding
$$;
SELECT is(in_encoding(encoding, format($$CREATE EXTENSION sigma_fdw; CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L, max_retries '0');
	CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
	CREATE SCHEMA sim; IMPORT FOREIGN SCHEMA sigma FROM SERVER sim INTO sim;$$, sim_url())), NULL, encoding || ': set up') FROM encodings;

-- ------------------------------------------------------------ there and back

SELECT sim_calm() \g /dev/null
SELECT is(in_encoding(encoding, $$
	INSERT INTO sim.connections (name, type, host, details)
	VALUES ('Zürich', 'postgres', 'hö', '{"database": "d", "user": "ü", "password": "p"}') RETURNING connection_id AS id \gset
	SELECT name, "user" FROM sim.connections WHERE connection_id = :'id' AND name = 'Zürich';
	SELECT count(*) FROM sigma_find_created('sim', 'Zürich');
	UPDATE sim.connections SET name = 'Genève' WHERE connection_id = :'id' RETURNING name;
	SELECT attrs ->> 'name' FROM sim.connections WHERE connection_id = :'id';
	DELETE FROM sim.connections WHERE connection_id = :'id';
	EXPLAIN (costs off) SELECT name FROM sim.connections WHERE name = 'Sète';$$),
	E'Zürich|ü\n1\nGenève\nGenève\nForeign Scan on connections\n  Filter: (name = ''Sète''::text)\n  Remote Request: GET '
		'/v2/connections?search=S%C3%A8te&limit=1000',
	encoding || ': what both can say goes there and back') FROM encodings;
SELECT is(count(*), (SELECT 2 * count(*) FROM encodings), 'Sigma gets UTF-8') FROM sim_log() WHERE body LIKE '%"Zürich"%"hö"%' OR body LIKE '%"Genève"%';
SELECT is(in_encoding('SQL_ASCII', $$SELECT name FROM sim.connections WHERE name LIKE 'Lager%';$$), 'Lager Köln – SQL Server', 'SQL_ASCII takes all bytes');
SELECT matches(in_encoding(encoding, $$SELECT name FROM sim.connections WHERE name LIKE 'Lager%';$$),
	'ERROR:  22P05: character with byte sequence 0xe2 0x80 0x93 in encoding "UTF8" has no equivalent in encoding "' || encoding,
		encoding || ': what it cannot say is an error') FROM encodings WHERE encoding IN ('LATIN1', 'EUC_JP');
SELECT is(in_encoding(encoding, $$SELECT type FROM sim.connections WHERE connection_id LIKE '9dd6b2b1%';$$), 'sqlserver',
	encoding || ': but not for those who do not ask for it') FROM encodings;

-- ------------------------------------------------------------------ messages

-- a message with a secret in it, and with what hardly any database can say
SELECT sim_fault(jsonb_build_object('path', '/v2/connections*', 'method', 'POST', 'times', -1, 'do', 'body', 'status', 400,
	'body', '{"code": "x", "message": "\u65e5\u672c \ud83d\ude00 not päßwört-äö, please; '
		'nor p\u00e4\u00dfw\u00f6rt-\u00e4\u00f6, nor \"ö\\z\"", "requestId": "r€"}')) \g /dev/null
CREATE TABLE said AS SELECT encoding, in_encoding(encoding, statement) AS text FROM encodings, unnest(ARRAY[
	$$INSERT INTO sim.connections (name, type, host, details)
	VALUES ('Köln', 'postgres', 'h', '{"database": "d", "user": "ö\\z", "password": "päßwört-äö"}');$$,
	$$SELECT sigma_create_connection('sim', 'Köln', '{"type": "postgres", "host": "h", "database": "d", "user": "ö\\z", "password": "päßwört-äö"}');$$,
	E'COPY sim.connections (name, type, host, details) FROM stdin;\nKöln\tpostgres\th\t{"database": "d", "user": "ö\\\\\\\\z", '
		'"password": "päßwört-äö"}\n\\.']) AS statement;
SELECT matches(text, '22023: request refused by Sigma: .* not \*\*\*, please; nor \*\*\*, ', encoding || ': a secret is masked') FROM said;
SELECT unalike(text, '%rt-%', encoding || ': no part of it is seen') FROM said;
SELECT sim_calm() \g /dev/null

SELECT format('DROP DATABASE %I', database) FROM encodings \gexec
SELECT * FROM finish();

-- Any text that the API can send becomes the right value, or an error that
-- names the row and the column and leaves all else readable.

\ir lib/simulator.sql
SELECT * FROM no_plan();

ALTER SERVER sim OPTIONS (ADD max_retries '0');
CREATE FOREIGN TABLE entries (connection_id text, name text, note text OPTIONS (field 'note'), number int OPTIONS (field 'number'),
	big bigint OPTIONS (field 'number'), exact numeric OPTIONS (field 'number'), "float" float8 OPTIONS (field 'number'), flag bool OPTIONS (field 'flag'),
	note_json json OPTIONS (field 'note'), note_jsonb jsonb OPTIONS (field 'note'), attrs jsonb, whole json OPTIONS (field 'attrs'))
	SERVER sim OPTIONS (resource 'connections');

-- lets the first entry of the list be this text
CREATE FUNCTION first_entry(entry text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'fault');
	PERFORM sim_spoil_list('edit', jsonb_build_object('raw_entry', jsonb_build_object('index', 0, 'text', entry)));
END $$;
-- a column of the first row, as text, or the error
CREATE FUNCTION first_value(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT %I::text FROM entries LIMIT 1', name) INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION note(piece text, as_column text DEFAULT 'note') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM first_entry('{"connectionId": "c-1", "name": "n", "note": ' || piece || '}');
	RETURN first_value(as_column);
END $$;
CREATE FUNCTION number(piece text, as_column text DEFAULT 'number') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM first_entry('{"connectionId": "c-1", "name": "n", "number": ' || piece || '}');
	RETURN first_value(as_column);
END $$;

-- ------------------------------------------------------------------ strings

SELECT is(note(json), value, 'the string ' || json) FROM (VALUES
	('""', ''), ('" "', ' '), ('"a"', 'a'), ('"\""', '"'), ('"\\"', '\'), ('"\/"', '/'), ('"\b\f\n\r\t"', E'\b\f\n\r\t'),
		('"\u0041\u00e9\u20AC"', U&'A\00E9\20AC'),
	('"\uD83D\uDE00"', U&'\+01F600'), ('"\ud83d\ude00!"', U&'\+01F600!'), ('"\uDBFF\uDFFF"', U&'\+10FFFF'), ('"\u0001"', E'\x01'), ('"\u007f"', E'\x7f'),
	(U&'"\+01F600 \00E9 \65E5\672C"', U&'\+01F600 \00E9 \65E5\672C'), ('"\uFEFFx"', U&'\FEFFx'), ('"\\u0041"', '\u0041'),
		('"null"', 'null'), ('"{}"', '{}')) t (json, value);
SELECT is(note('null'), NULL, 'null');
SELECT is(note(json), json, 'what is no string, in a text column: ' || json)
	FROM unnest('{true,false,1,1.50,-0,1e5,[],"{}","[1, {\"a\": \"b\"}]"}'::text[]) json;
SELECT is(note('"x"', 'note_json'), '"x"', 'a string as json');
SELECT is(note('{"b":1,  "a":[1,2]}', 'note_json'), '{"b":1,  "a":[1,2]}', 'json as it came');
SELECT is(note('{"b":1,  "a":[1,2]}', 'note_jsonb'), '{"a": [1, 2], "b": 1}', 'jsonb in its own form');
SELECT is(note('null', 'note_jsonb'), NULL, 'null is NULL, as jsonb, too');
SELECT is(length(note('"' || repeat('x', 100000) || '"')), 100000, 'a long string');

-- half of a surrogate pair
SELECT is(note(json), '22P02', 'half of a surrogate pair: ' || json)
	FROM unnest('{"\"\\ud83d\"","\"\\ude00\"","\"\\ud83d x\"","\"\\ud83d\\u0041\"","\"\\ude00\\ud83d\""}'::text[]) json;
SELECT fails('SELECT note FROM entries', '22P02', 'invalid Unicode escape sequence', '%surrogate%', NULL, 'says so');
SELECT is((c).context LIKE '%column "note" of foreign table "entries", row 1, connectionId "c-1"%', true, 'and where')
	FROM (SELECT catch('SELECT note FROM entries') AS c) t;
SELECT is(first_value('name'), 'n', 'other columns of the row are readable');

-- \u0000
SELECT is(note('"a\u0000b"'), '22P05', '\u0000, which PostgreSQL cannot store');
SELECT fails('SELECT note FROM entries', '22P05', 'unsupported Unicode escape sequence', '%\\u0000%', NULL, 'says so');
SELECT is((c).context LIKE '%column "note" of foreign table "entries", row 1, connectionId "c-1"%', true, 'and where')
	FROM (SELECT catch('SELECT note FROM entries') AS c) t;
SELECT is(first_value('name'), 'n', 'other columns of the row are readable');
SELECT is((SELECT count(*)::int FROM (SELECT connection_id, name FROM entries) e), 13, 'and other rows');
SELECT is(note('"a\u0000b"', 'note_json'), '"a\u0000b"', 'json can hold it as it stands');
SELECT is(note('"a\u0000b"', 'note_jsonb'), '22P05', 'jsonb cannot');
SELECT is(first_value('attrs'), '22P05', 'nor can the whole entry as jsonb');
SELECT is((c).context LIKE '%column "attrs" of foreign table "entries", row 1, connectionId "c-1"%', true, 'which is named')
	FROM (SELECT catch('SELECT attrs FROM entries') AS c) t;
SELECT is(first_value('whole'), '{"connectionId": "c-1", "name": "n", "note": "a\u0000b"}', 'but as json it can');
SELECT is(note('"a\\u0000b"'), 'a\u0000b', 'an escaped backslash is no escape');
SELECT is((SELECT count(*)::int FROM entries WHERE name LIKE 'MySQL%'), 1, 'a clause about another column');

-- what is no JSON is an error of the whole reply
SELECT first_entry(E'{"connectionId": "c-1", "name": "a\tb"}') \g /dev/null
SELECT is(first_value('name'), 'HV000', 'a bare control character in a string');
CREATE FUNCTION first_bytes(escaped text) RETURNS void LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'fault');
	-- bytes that no text here can hold
	SELECT sim_shell(format('printf %s | curl -sS --data-binary @- %s/_sim/fault', sim_quote(
		'{"method": "GET", "path": "/v2/connections", "times": -1, "do": "edit", "raw_entry": {"index": 0, '
			'"text": "{\\"connectionId\\": \\"c-1\\", \\"name\\": \\"n\\", \\"note\\": \\"' || escaped || '\\"}"}}'), sim_url()));
$$;
SELECT first_bytes('\303\251') \g /dev/null
SELECT is(first_value('note'), U&'\00E9', 'bytes that are UTF-8');
SELECT is((SELECT first_value('note') FROM (SELECT first_bytes(bytes)) f), '22021', 'bytes that are not: ' || bytes)
FROM unnest(ARRAY['\377', '\303', '\300\257', '\355\240\200', '\364\220\200\200', '\200']) bytes;
SELECT first_bytes('\377') \g /dev/null
SELECT fails('SELECT note FROM entries', '22021', 'invalid byte sequence%', NULL, NULL, 'say so');
SELECT is((c).context LIKE '%column "note" of foreign table "entries", row 1, connectionId "c-1"%', true, 'and where')
	FROM (SELECT catch('SELECT note FROM entries') AS c) t;
SELECT is(first_value('name'), 'n', 'other columns of the row are readable');
SELECT is(first_value('attrs'), '22021', 'the whole entry is not');

-- ------------------------------------------------------------------ numbers

SELECT is(number(json), value, 'the number ' || json || ' as an integer') FROM (VALUES ('30', '30'), ('30.0', '30'),
	('3e1', '30'), ('3.0E+1', '30'), ('300e-1', '30'), ('-0', '0'), ('-0.0', '0'), ('0e99', '0'), ('null', NULL),
	('2147483647', '2147483647'), ('2147483648', '22003'), ('30.5', '22P02'), ('"30"', '30'), ('"x"', '22P02'), ('true', '22P02'),
		('{}', '22P02')) t (json, value);
SELECT is(number(json, 'big'), value, 'the number ' || json || ' as a bigint')
	FROM (VALUES ('9223372036854775807', '9223372036854775807'), ('9223372036854775808', '22003'),
	('9007199254740993', '9007199254740993'), ('1e18', '1000000000000000000')) t (json, value);
SELECT is(number(json, 'exact'), json, 'the number ' || json || ' as numeric')
	FROM unnest('{9007199254740993,0.1,123456789012345678901234567890.123456789,-1.50}'::text[]) json;
SELECT is(number('0.1', 'float'), '0.1', 'a float');
SELECT is(number('1e400', 'float'), '22003', 'a number beyond it');
SELECT is(number('12345678901234567890123', 'attrs'), '{"name": "n", "number": 12345678901234567890123, "connectionId": "c-1"}', 'jsonb keeps a number exact');
SELECT is(number('1e999999999', 'exact'), '22003', 'a number beyond numeric');
-- the type's input function decides whether that is a number
SELECT matches(number(json), '^22(003|P02)$', 'far beyond an integer: ' || json) FROM unnest('{1e400,1e131071,-1e99999}'::text[]) json;
SELECT cmp_ok(ms_of('SELECT number FROM entries'), '<', 5000::float8, 'takes no time');
SELECT is((SELECT first_value('flag') FROM (SELECT first_entry('{"connectionId": "c-1", "flag": ' || json || '}')) f), value,
	'as boolean: ' || json) FROM (VALUES ('true', 'true'), ('false', 'false'), ('null', NULL), ('"yes"', 'true'), ('1', 'true'),
	('"x"', '22P02')) t (json, value);

-- -------------------------------------------------------------------- depth

CREATE FUNCTION nested(depth int) RETURNS text LANGUAGE sql AS $$ SELECT repeat('[', depth) || repeat(']', depth) $$;
SELECT is(length(note(nested(500), 'note_json')), 1000, 'arrays 500 deep');
SELECT is(length(note(repeat('{"a":', 500) || '1' || repeat('}', 500), 'note_jsonb')), 500 * 7 + 1, 'objects 500 deep');
-- the simulator's own reader stops at 1,000, so these come as a whole body
CREATE FUNCTION deep(depth int) RETURNS void LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'fault');
	SELECT sim_spoil_list('body', jsonb_build_object('body', '{"entries": [{"connectionId": "c-1", "name": "n", "note": ' || nested(depth) || '}]}'));
$$;
SELECT deep(200000) \g /dev/null
SELECT is((catch('SELECT name FROM entries')).state IN ('HV000', '54001') OR first_value('name') = 'n', true,
	'arrays 200,000 deep do no harm to other columns');
SELECT isnt((catch('SELECT attrs FROM entries')).state, NULL, 'and are refused as a value');
SELECT sim_spoil_list('body', jsonb_build_object('body', repeat('[', 1000000))) \g /dev/null
SELECT sim_call('DELETE', 'fault') \g /dev/null
SELECT sim_spoil_list('body', jsonb_build_object('body', repeat('[', 1000000))) \g /dev/null
SELECT is((catch('SELECT name FROM entries')).state, 'HV000', 'a million open brackets are no reply');
SELECT sim_call('DELETE', 'fault') \g /dev/null
SELECT is((SELECT count(*)::int FROM entries), 13, 'and all is well again');

-- ------------------------------------------------------------ other encodings

SELECT sim_reset() \g /dev/null
SELECT 'sigma_latin1_' || pg_backend_pid() AS latin1, 'sigma_ascii_' || pg_backend_pid() AS ascii \gset
CREATE DATABASE :latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE :ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE FUNCTION in_database(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM dblink_connect(name, regexp_replace(current_setting('sim.conninfo'), 'dbname=''[^'']*''', format('dbname=%L', name)));
	PERFORM dblink_exec(name, format($s$
		SET client_min_messages = error;
		CREATE EXTENSION sigma_fdw;
		CREATE SERVER sim FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L, max_retries '0');
		CREATE USER MAPPING FOR CURRENT_USER SERVER sim OPTIONS (client_id 'simulator-client', client_secret 'simulator-secret');
		CREATE FOREIGN TABLE entries (connection_id text, name text, type text, note text OPTIONS (field 'note'), attrs jsonb, details jsonb) SERVER sim OPTIONS (resource 'connections');
		CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $f$
			BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END
		$f$;
		$s$, sim_url()));
END $$;
CREATE FUNCTION there(database text, query text) RETURNS text LANGUAGE sql AS $$ SELECT r FROM dblink(database, query) d (r text) $$;
SELECT in_database(:'latin1'), in_database(:'ascii') \g /dev/null

SELECT is(there(:'latin1', 'SELECT count(*)::text FROM (SELECT connection_id FROM entries) e'), '13', 'LATIN1: rows');
SELECT is(there(:'latin1', 'SELECT state_of(''SELECT name FROM entries'')'), '22P05', 'LATIN1: a dash that it does not have');
SELECT is(there(:'latin1', 'SELECT count(*)::text FROM entries WHERE type = ''sqlserver'''), '1', 'is no matter where it is not asked for');
SELECT first_entry(U&'{"connectionId": "c-1", "name": "K\00F6ln \\u00e9 \00DF", "note": "\20AC"}') \g /dev/null
SELECT is(there(:'latin1', 'SELECT name FROM entries LIMIT 1'), U&'K\00F6ln \00E9 \00DF', 'LATIN1: umlauts');
SELECT is(there(:'latin1', 'SELECT encode(convert_to(name, ''LATIN1''), ''hex'') FROM entries LIMIT 1'), '4bf66c6e20e920df', 'as LATIN1');
SELECT is(there(:'latin1', 'SELECT length(name)::text FROM entries LIMIT 1'), '8', 'a character is a character');
SELECT is(there(:'latin1', 'SELECT state_of(''SELECT note FROM entries'')'), '22P05', 'LATIN1: a sign that it does not have');
SELECT is(there(:'ascii', 'SELECT encode(name::bytea, ''hex'') FROM entries LIMIT 1'), '4bc3b66c6e20c3a920c39f', 'SQL_ASCII: the bytes as they came');
SELECT is(there(:'ascii', 'SELECT count(*)::text FROM (SELECT name, note, attrs FROM entries) e'), '13', 'SQL_ASCII: all rows');
SELECT sim_reset() \g /dev/null
SELECT is(there(:'latin1', U&'INSERT INTO entries (name, details) VALUES (''K\00F6ln \00DF'', ''{"type": "postgres", '
	'"host": "h", "database": "d\00E9"}'') RETURNING name'), U&'K\00F6ln \00DF', 'LATIN1: a create');
SELECT is((SELECT name FROM entries WHERE name LIKE 'K%'), U&'K\00F6ln \00DF', 'is UTF-8 in Sigma');
SELECT is((SELECT sim_call('GET', 'details/' || connection_id) ->> 'database' FROM entries WHERE name LIKE 'K%'), U&'d\00E9', 'in its details, too');
SELECT is(there(:'latin1', U&'SELECT count(*)::text FROM entries WHERE name = ''K\00F6ln \00DF'''), '1', 'LATIN1: a clause that goes to Sigma');
SELECT is(there(:'latin1', U&'SELECT count(*)::text FROM entries WHERE connection_id = ''\00F6'''), '0', 'LATIN1: a look-up');
SELECT is((SELECT count(*)::int FROM sim_log() WHERE path LIKE '/v2/connections/_%' AND path NOT IN (U&'/v2/connections/\00F6',
	'/v2/connections/%C3%B6')), 0, 'is UTF-8 in its path');
SELECT sim_fault(jsonb_build_object('path', '/v2/whoami', 'do', 'status', 'status', 403, 'body',
	jsonb_build_object('code', 'x', 'message', U&'\20AC \65E5\672C'))) \g /dev/null
SELECT is(there(:'latin1', 'SELECT state_of(''SELECT * FROM sigma_whoami(''''sim'''')'')'), '42501',
	'LATIN1: a message that it cannot show does not hide the error');
SELECT sim_fault(jsonb_build_object('path', '/v2/whoami', 'do', 'status', 'status', 403, 'body',
	jsonb_build_object('code', 'x', 'message', U&'\20AC \65E5\672C'))) \g /dev/null
SELECT is(there(:'ascii', 'SELECT state_of(''SELECT * FROM sigma_whoami(''''sim'''')'')'), '42501', 'SQL_ASCII, too');
SELECT dblink_disconnect(:'latin1'), dblink_disconnect(:'ascii') \g /dev/null
DROP DATABASE :latin1 WITH (FORCE);
DROP DATABASE :ascii WITH (FORCE);

SELECT * FROM finish();

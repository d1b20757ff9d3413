-- Values that are made without the input function of their type are the same that
-- this function makes.  A text column of the same field has what it would be given.

\ir lib/simulator.sql
SELECT * FROM no_plan();

ALTER SERVER sim OPTIONS (ADD max_retries '0');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 5);
CREATE DOMAIN late AS timestamptz CHECK (VALUE > '2000-01-01');
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE FOREIGN TABLE entries (connection_id text, value text OPTIONS (field 'value'), number_text text OPTIONS (field 'number'),
	time timestamptz OPTIONS (field 'value'), seconds timestamptz(0) OPTIONS (field 'value'), late late OPTIONS (field 'value'),
	local timestamp OPTIONS (field 'value'), day date OPTIONS (field 'value'),
	short short OPTIONS (field 'value'), varying varchar(5) OPTIONS (field 'value'), padded char(30) OPTIONS (field 'value'), name_like name OPTIONS (field 'value'),
	int2 int2 OPTIONS (field 'number'), int4 int4 OPTIONS (field 'number'), int8 int8 OPTIONS (field 'number'), small small OPTIONS (field 'number'),
	truth bool OPTIONS (field 'truth'))
	SERVER sim OPTIONS (resource 'connections');

-- lets the list be entries with these values
CREATE FUNCTION entries_of(field text, VARIADIC "values" jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'fault');
	-- as text, in which a number stays as it is
	PERFORM sim_spoil_list('body', jsonb_build_object('content_type', 'application/json', 'body', jsonb_build_object('nextPage', NULL, 'entries',
		(SELECT jsonb_agg(jsonb_build_object('connectionId', 'c-' || n, 'name', 'n', field, v)) FROM unnest("values") WITH ORDINALITY u (v, n)))::text));
END $$;
-- what an expression gives, or its error; one row
CREATE FUNCTION given(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT (%s)::text', expression) INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
-- what a column gives for a value, beside what a cast gives
CREATE FUNCTION is_as_cast(value text, name text, type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM entries_of('value', to_jsonb(value));
	RETURN is(given(format('SELECT %I FROM entries', name)), given(format('%L::%s', value, type)), format('%s as %s', value, type));
END $$;

-- -------------------------------------------------------------------- times

SET timezone = 'America/St_Johns';
SET datestyle = 'SQL, DMY';

SELECT setseed(0.16);
CREATE TEMP TABLE times AS
	SELECT to_char(timestamp '0001-01-01' + random() * interval '3652058 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') v FROM generate_series(1, 5000)
	UNION ALL
	-- more of those that the API has
	SELECT to_char(timestamp '2019-01-01' + random() * interval '4000 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM generate_series(1, 5000);
SELECT is((SELECT count(*)::int FROM times WHERE length(v) = 24), 10000, 'random times of the form');
SELECT entries_of('value', VARIADIC (SELECT array_agg(to_jsonb(v)) FROM times));
SELECT is((SELECT count(*)::int FROM entries WHERE time = value::timestamptz AND value IN (SELECT v FROM times)), 10000,
	'each is what the input function makes of it');
SELECT is((SELECT count(*)::int FROM entries WHERE seconds = value::timestamptz(0)), 10000, 'also to the second');
SELECT is((SELECT count(*)::int FROM entries WHERE local = value::timestamp AND day = value::date), 10000, 'also without a zone, and as dates');

-- the same with something in each that may not be as expected
CREATE TEMP TABLE odd AS
	SELECT DISTINCT overlay(v PLACING substr('0123456789-:.TZz+ x', 1 + (random() * 18)::int, 1) FROM 1 + (random() * 23)::int FOR 1) v
	FROM (SELECT v FROM times WHERE v > '1' LIMIT 400) t;
CREATE TEMP TABLE taken AS SELECT v FROM odd WHERE given(format('%L::timestamptz', v)) NOT LIKE '22___';
SELECT cmp_ok((SELECT count(*)::int FROM taken), '>', 50, 'some with a character changed are times');
SELECT entries_of('value', VARIADIC (SELECT array_agg(to_jsonb(v)) FROM taken));
SELECT is((SELECT count(*) FROM entries WHERE time = value::timestamptz), (SELECT count(*) FROM taken), 'the same');
SELECT is_as_cast(v, 'time', 'timestamptz') FROM (SELECT v FROM odd EXCEPT SELECT v FROM taken ORDER BY v LIMIT 20) t;

SELECT is_as_cast(v, 'time', 'timestamptz') FROM unnest('{
	2024-02-29T00:00:00.000Z, 2023-02-29T00:00:00.000Z, 1900-02-29T00:00:00.000Z, 2000-02-29T23:59:59.999Z, 2100-02-29T00:00:00.000Z,
	2024-04-31T00:00:00.000Z, 2024-12-31T23:59:59.999Z, 2024-00-10T00:00:00.000Z, 2024-13-10T00:00:00.000Z, 2024-01-00T00:00:00.000Z,
	0000-01-01T00:00:00.000Z, 0001-01-01T00:00:00.000Z, 9999-12-31T23:59:59.999Z, 10000-01-01T00:00:00.000Z, 294276-12-31T23:59:59.999Z,
	294277-01-01T00:00:00.000Z, 2024-01-15T24:00:00.000Z, 2024-01-15T24:00:01.000Z, 2024-01-15T25:00:00.000Z, 2024-01-15T23:59:60.000Z,
	2024-01-15T23:59:60.500Z, 2024-01-15T23:59:61.000Z, 2024-01-15T23:60:00.000Z, 2024-01-15T12:00:00Z, 2024-01-15T12:00Z, 2024-01-15T12:00:00.1Z,
	2024-01-15T12:00:00.123456Z, 2024-01-15T12:00:00.1234567Z, 2024-01-15T12:00:00.000+02:00, 2024-01-15T12:00:00.000-0330, 2024-01-15T12:00:00.000,
	2024-01-15T12:00:00.000z, 2024-01-15t12:00:00.000Z, 2024-01-15 12:00:00.000Z, 2024-01-15T12:00:00.000 Z, 2024-01-15, 20240115T120000Z,
	2024-01-15T12:00:00.00xZ, 2024-01-15T12:00:00.-01Z, +024-01-15T12:00:00.000Z, 2024- 1-15T12:00:00.000Z, 2024-01-15T12:00:00.000ZZ,
	-2024-01-15T12:00:00.00Z, infinity, -infinity, epoch, now then, Z, 24, "", " "}'::text[]) v;
SELECT is_as_cast('2024-01-15T12:00:00.500Z', 'seconds', 'timestamptz(0)');
SELECT is_as_cast(v, 'late', 'late') FROM unnest('{2024-01-15T12:00:00.500Z,1999-01-15T12:00:00.500Z}'::text[]) v;

SELECT entries_of('value', '"2024-01-15T25:00:00.000Z"');
SELECT fails('SELECT time FROM entries', '22008', 'date/time field value out of range%', NULL, NULL, 'a time that there is not, as the input function says it');

-- ----------------------------------------------------------------- the rest

SELECT is_as_cast(v, name, type) FROM (VALUES ('value', 'text'), ('short', 'short'), ('padded', 'char(30)'), ('name_like', 'name')) t (name, type),
	unnest(array['', 'a', 'abcd', 'abcde', '0123456789abcdef', '0123456789abcdef0', U&'\00E9', U&'0123456789abcd\00E9', E'a\nb', '"', '\', ' ']) v;
-- the input function of a column refuses what a cast cuts off
SELECT entries_of('value', '"abcdef"');
SELECT is(given('SELECT varying FROM entries'), '22001', 'a text that is too long');

SELECT entries_of('number', VARIADIC array[0, 7, -7, 9999, 10000, 32767, -32768]::text[]::jsonb[]);
SELECT is((SELECT count(*)::int FROM entries WHERE int2 = number_text::int2 AND int4 = number_text::int4 AND int8 = number_text::int8), 7, 'small numbers');
SELECT entries_of('number', VARIADIC array[999999999, 1000000000, 2147483647, -999999999, -1000000000, -2147483648]::text[]::jsonb[]);
SELECT is((SELECT count(*)::int FROM entries WHERE int4 = number_text::int4 AND int8 = number_text::int8), 6, 'larger ones');
SELECT entries_of('number', VARIADIC array[9007199254740993, 999999999999999999, 1000000000000000000, 9223372036854775807, -9223372036854775808]::text[]::jsonb[]);
SELECT is((SELECT count(*)::int FROM entries WHERE int8 = number_text::int8), 5, 'the largest');
CREATE FUNCTION number(value text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM entries_of('number', value::jsonb);
	RETURN given(format('SELECT %I FROM entries', name));
END $$;
SELECT is(number(v, name), expected, v || ' as ' || name) FROM (VALUES
	('32768', 'int2', '22003'), ('-32769', 'int2', '22003'), ('2147483648', 'int4', '22003'), ('-2147483649', 'int4', '22003'),
	('9223372036854775808', 'int8', '22003'), ('-9223372036854775809', 'int8', '22003'), ('30.0', 'int4', '30'), ('-0', 'int4', '0'),
	('1.5', 'int4', '22P02'), ('"7"', 'int4', '7'), ('"seven"', 'int4', '22P02'), ('true', 'int4', '22P02'), ('null', 'int4', 'NULL'),
	('9', 'small', '9'), ('10', 'small', '23514')) t (v, name, expected);

SELECT entries_of('truth', 'true', 'false', 'null', '"true"', '"f"', '"YES"');
SELECT is((SELECT array_agg(truth) FROM entries), '{t,f,NULL,t,f,t}', 'booleans');
SELECT is((SELECT (entries_of('truth', v::jsonb), given('SELECT truth FROM entries'))::text), '("",22P02)', 'no boolean: ' || v)
	FROM unnest(array['"maybe"', '7', '[]', '{}']) v;

-- ------------------------------------------------- which member it is taken from

CREATE FUNCTION value_of(entry text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'fault');
	PERFORM sim_spoil_list('edit', jsonb_build_object('raw_entry', jsonb_build_object('index', 0, 'text', entry)));
	RETURN given('SELECT value FROM entries LIMIT 1');
END $$;
SELECT is(value_of(entry), expected, entry) FROM (VALUES
	('{"connectionId":"c","value":"a","value":"b"}', 'b'), ('{"connectionId":"c","value":"a","value":null}', 'NULL'),
	('{"value":"a","connectionId":"c"}', 'a'), ('{"connectionId":"c","\u0076alue":"a"}', 'a'), ('{"connectionId":"c","value":{"value":"a"}}', '{"value":"a"}'),
	('{"connectionId":"c","x":{"value":"a"}}', 'NULL'), ('{"connectionId":"c","x":[{"value":"a"}]}', 'NULL'), ('{"connectionId":"c","Value":"a"}', 'NULL'),
	('{ "connectionId" : "c" , "value" : "a" }', 'a'), ('{"connectionId":"c"}', 'NULL'), ('{"connectionId":"c","value":["value"]}', '["value"]')) t (entry, expected);

SELECT * FROM finish();

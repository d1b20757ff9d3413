-- doc/*.md as their reader meets them, each by itself after the five minutes of README.md; see lib/documents.sql.

\ir lib/documents.sql
SELECT * FROM no_plan();

-- what the documents take from the reader's machine, beside the secret
SELECT sim_shell('echo key >rsa_key.p8') \g /dev/null
SELECT sim_shell('cat >sigma-computing-public-rest-api.json <<\EOF
{"openapi": "3.1.0", "info": {"title": "a description of a test"}, "paths": {"/v2/gadgets": {"get": {"summary": "List gadgets",
"parameters": [{"name": "pageToken", "in": "query"}], "responses": {"200": {"content": {"application/json": {"schema":
{"type": "object", "properties": {"entries": {"type": "array", "items": {"type": "object", "properties": {"gadgetId":
{"type": "string"}}}}}}}}}}}}, "/v2/tags": {"get": {"summary": "List tags", "responses": {"200": {"content": {"application/json":
{"schema": {"type": "object", "properties": {"entries": {"type": "array", "items": {"type": "object", "properties":
{"versionTagId": {"type": "string"}, "tomorrowsField": {"type": "string"}}}}}}}}}}}}}}
EOF') \g /dev/null

SELECT is(array_agg(title), NULL, 'psql commands before SQL are ended') FROM block WHERE script ~ '(?n)^\\[^\n]*[^\\\n]\n[^\\]';
SELECT cmp_ok(count(*), '>=', 25::bigint, 'blocks of SQL') FROM block WHERE document <> 'README.md';

CREATE FUNCTION read_document(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_reset();
	RETURN NEXT is(complaints(paste((SELECT string_agg(script, E'\n' ORDER BY n) FROM block WHERE is_setup))), '{}', name);
	-- in place of the extension pg_cron; what is to be done each hour is done at once
	PERFORM psql('CREATE SCHEMA cron; CREATE FUNCTION cron.schedule(name text, schedule text, command text) RETURNS bigint LANGUAGE plpgsql AS '
		'''BEGIN EXECUTE command; RETURN 1; END''');
	RETURN QUERY SELECT tried(script, coalesce(title, 'block ' || n)) FROM block WHERE document = name ORDER BY n;
END
$$;
SELECT unnest(ARRAY['DROP DATABASE IF EXISTS newcomer', 'DROP ROLE IF EXISTS analyst', 'CREATE DATABASE newcomer', format('SELECT read_document(%L)', name)])
FROM document d WHERE name <> 'README.md' AND EXISTS (SELECT FROM block WHERE document = d.name) ORDER BY name \gexec

DROP DATABASE newcomer;
DROP ROLE ada, analyst;
SELECT sim_shell('rm -f sigma.secret rsa_key.p8 sigma-computing-public-rest-api.json') \g /dev/null
SELECT * FROM finish();

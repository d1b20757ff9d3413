-- A list is all there, or it is an error: whatever the pages of a list may be
-- like, an answer is never short without a word.

\ir lib/simulator.sql
SELECT * FROM no_plan();

SELECT sim_start('paged', '--connections 25') \g /dev/null
SELECT make_server('paged', sim_url('paged'), 'page_size ''10'', max_retries ''0''') \g /dev/null
ALTER SERVER sim OPTIONS (ADD max_retries '0');

-- what a scan of the list says and shows while a fault is on, of the second page
-- if it does not say of which: number of rows and of distinct rows, or the error
CREATE FUNCTION scanned(fault jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c caught;
	result text;
BEGIN
	PERFORM sim_calm('paged');
	PERFORM sim_fault('{"method": "GET", "path": "/v2/connections", "times": 1, "page": "10"}'::jsonb || fault, 'paged');
	c := catch('CREATE TEMP TABLE scanned ON COMMIT DROP AS SELECT connection_id FROM paged.connections');
	IF c.state IS NULL THEN
		EXECUTE 'SELECT count(*) || '' '' || count(DISTINCT connection_id) FROM scanned' INTO result;
		DROP TABLE scanned;
	ELSE
		result := c.state || ' ' || c.message;
	END IF;
	PERFORM sim_call('DELETE', 'fault', NULL, 'paged');
	RETURN result;
END $$;
\set loop '''HV000 unexpected reply from Sigma: a pagination loop, the next page is one that was read before'''

SELECT is(scanned('{"times": 0, "do": "delay", "ms": 0}'), '25 25', 'three pages of 10, 10 and 5');
SELECT is(sorted(sim_requests('paged')),
	'{GET /v2/connections?limit=10,GET /v2/connections?limit=10&page=10,GET /v2/connections?limit=10&page=20}', 'each asked for once');

-- the token of the next page
SELECT is(scanned('{"do": "page-loop", "page": "*", "times": -1}'), :loop, 'a page token that repeats itself');
SELECT is(scanned('{"do": "edit", "set": {"nextPage": "10"}}'), :loop, 'a page that names itself as the next');
SELECT is(scanned('{"do": "edit", "page": "20", "set": {"nextPage": "10"}}'), :loop, 'a last page that leads back');
SELECT is(scanned('{"do": "edit", "set": {"nextPage": ""}}'), '20 20', 'an empty token ends the list like null');
SELECT is(scanned('{"do": "edit", "remove": ["nextPage"], "set": {"hasMore": false}}'), '20 20', 'an absent one, too');
SELECT is(scanned('{"do": "edit", "remove": ["nextPage"], "set": {"hasMore": true}}'),
	'HV000 unexpected reply from Sigma: "hasMore" is true, but there is no "nextPage"', 'but not if there is more');
SELECT is(scanned('{"do": "edit", "set": {"hasMore": false}}'), '25 25', 'hasMore is not relied on: false on a page that is not the last');
SELECT is(scanned('{"do": "edit", "page": "20", "set": {"hasMore": true}}'), '25 25', 'true on the last');
SELECT is(scanned('{"do": "edit", "page": "", "set": {"nextPage": 10}}'), '25 25', 'a token that is a number');
SELECT is(scanned(jsonb_build_object('do', 'edit', 'set', jsonb_build_object('nextPage', token))),
	'HV000 unexpected reply from Sigma: the token of the next page is not a string', format('a token that is %s', token))
	FROM unnest('{true,"{}","[]"}'::jsonb[]) token;
SELECT is(scanned('{"do": "edit", "set": {"entries": []}}'), '15 15', 'an empty page with a token is no end');
SELECT is(scanned('{"do": "edit", "set": {"nextPageToken": "x"}}'),
	'HV000 unexpected reply from Sigma: its pages are not linked in the way of this list', 'pages that are linked in the way of other lists');
SELECT is(scanned('{"do": "edit", "set": {"nextPageToken": null}}'), '25 25', 'unless it says nothing');

-- tokens that must be encoded; the simulator refuses what it does not know
SELECT sim_calm('paged') \g /dev/null
CREATE FUNCTION query_after(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_calm('paged');
	PERFORM sim_fault(jsonb_build_object('path', '/v2/connections', 'page', '', 'do', 'edit', 'set', jsonb_build_object('nextPage', token)), 'paged');
	PERFORM sim_fault('{"path": "/v2/connections", "times": -1, "do": "body", "body": {"entries": []}}', 'paged');
	PERFORM catch('SELECT * FROM paged.connections');
	-- not those that were guessed from what was read before, which may come in any order
	RETURN (SELECT r FROM unnest(sim_requests('paged')) r WHERE r ~ '[?&]page=' AND r !~ '[?&]page=[1-9][0-9]*0$' LIMIT 1);
END $$;
SELECT is(regexp_replace(query_after(token), '.*[?&]page=', ''), encoded, 'a page token is sent back as it came: ' || token)
FROM (VALUES ('abc', 'abc'), ('a b', 'a%20b'), ('a+b/c=', 'a%2Bb%2Fc%3D'), ('a&limit=1', 'a%26limit%3D1'), ('a#b?c', 'a%23b%3Fc'),
	('%41', '%2541'), (U&'\00E9\+01F600', '%C3%A9%F0%9F%98%80'), ('0010', '0010'), ('../../x', '..%2F..%2Fx'), ('"\', '%22%5C')) t (token, encoded);

-- empty pages without end
SELECT sim_calm('paged') \g /dev/null
SELECT is(scanned('{"do": "endless", "page": "*", "times": -1}'),
	'HV000 unexpected reply from Sigma: 1000 pages in a row had no entries', 'empty pages without end');

-- a page that fails
SELECT is(left(scanned('{"do": "status", "status": 500, "page": "20", "times": -1}'), 5), '58000', 'a page that fails is an error');
SELECT is(left(scanned('{"do": "status", "status": 404, "page": "20", "times": -1}'), 5), 'P0002', 'at 404, too');
SELECT is(left(scanned('{"do": "truncate", "bytes": 200, "page": "20", "times": -1}'), 5), '08006', 'a page that is cut short');
SELECT is(left(scanned('{"do": "body", "body": {"entries": []}, "page": "20", "times": 1}'), 5), '20 20', 'an empty last page is none');

-- the total: a WARNING, and the rows
CREATE FUNCTION warned(fault jsonb, query text DEFAULT 'SELECT count(connection_id) FROM paged.connections') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	PERFORM sim_calm('paged');
	PERFORM sim_fault('{"method": "GET", "path": "/v2/connections", "times": -1}'::jsonb || fault, 'paged');
	said := psql(query);
	PERFORM sim_call('DELETE', 'fault', NULL, 'paged');
	RETURN said;
END $$;
SELECT is(warned('{"do": "delay", "ms": 0}'), '25', 'a right total needs no word');
SELECT alike(warned('{"do": "edit", "set": {"total": 30}}'),
	'%WARNING:  01000: list of connections gave 25 entries, but Sigma counts 30%HINT:  Run the query again for a consistent '
	'answer.%25', 'a total that is larger');
SELECT alike(warned('{"do": "edit", "set": {"total": 20}}'),
	'%WARNING:  01000: list of connections gave 25 entries, but Sigma counts 20%25', 'a total that is smaller');
SELECT alike(warned('{"do": "edit", "page": "20", "set": {"total": 26}}'),
	'%WARNING:  01000: list of connections gave 25 entries, but Sigma counts 26%25', 'a total that changes at the end');
SELECT alike(warned('{"do": "edit", "page": "10", "times": 1, "set": {"nextPage": ""}}'),
	'%WARNING:  01000: list of connections gave 20 entries, but Sigma counts 25%20', 'a list that ends too early');
SELECT is(warned('{"do": "edit", "remove": ["total"]}'), '25', 'no total');
SELECT is(warned(jsonb_build_object('do', 'edit', 'set', jsonb_build_object('total', total))), '25',
	format('a total that is none: %s', total)) FROM unnest('{null,"\"25\"","{}",true}'::jsonb[]) total;
SELECT is(warned('{"do": "edit", "set": {"total": 30}}',
	'SELECT 1 FROM (SELECT connection_id FROM paged.connections LIMIT 12) c LIMIT 1'), '1', 'who does not read to the end is not warned');
SELECT alike(warned('{"do": "edit", "page": "20", "times": 1, "set": {"total": 1000000}}'), '%WARNING%1000000%25', 'a total that makes one look ahead too far');

-- entries
SELECT is(left(scanned(jsonb_build_object('do', 'edit', 'entries_patch',
	jsonb_build_array(jsonb_build_object('index', 3, 'replace', entry)))), 60),
	left('HV000 unexpected reply from Sigma: an entry is not an object', 60), format('an entry that is %s', entry))
FROM unnest('{5,null,"\"x\"","[]","[{}]",true}'::jsonb[]) entry;
SELECT is(scanned('{"do": "edit", "entries_patch": [{"index": 3, "replace": {"code": "forbidden", "message": "not for you", "requestId": "r-1"}}]}'),
	'HV000 unexpected reply from Sigma: an entry is an error, code "forbidden", requestId "r-1": not for you', 'an error object among the entries');
SELECT is(scanned('{"do": "edit", "entries_patch": [{"index": 3, "set": {"code": "x", "message": "y"}}]}'), '25 25', 'a connection may have a field "code"');
SELECT is(scanned('{"do": "edit", "entries_patch": [{"index": 3, "set": {"isArchived": true}}]}'), '24 24', 'an archived entry is left out');
SELECT is(warned('{"do": "edit", "page": "10", "times": 1, "entries_patch": [{"index": 3, "set": {"isArchived": true}}]}'), '24', 'without a WARNING');
SELECT is(scanned('{"do": "edit", "page": "", "set": {"total": 1, "somethingNew": {"entries": [1]}, "nextpage": "5"}}'), '25 25',
	'an envelope with more in it');

-- keys that come twice: the last counts, as in jsonb
CREATE FOREIGN TABLE few (connection_id text, name text, type text, new_field text OPTIONS (field 'newField'), attrs jsonb)
	SERVER sim OPTIONS (resource 'connections');
SELECT sim_spoil_list('edit', '{"raw_entry": {"index": 0, "text": "{\"connectionId\": \"c-1\", \"name\": \"first\", '
	'\"type\": \"a\", \"name\": \"second\", \"na\\u006de\": \"third\", \"newField\": [1, {\"a\": null}]}"}}') \g /dev/null
SELECT results_eq('SELECT connection_id, name, type, new_field, attrs ->> ''name'' FROM few LIMIT 1',
	$$VALUES ('c-1', 'third', 'a', '[1, {"a": null}]', 'third')$$, 'duplicate keys, escaped keys and new fields');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": "{\"entries\": [], \"entries\": [{\"connectionId\": \"x\"}]}"}') \g /dev/null
SELECT fails('SELECT * FROM few', 'HV000', '%"entries" stands in it twice', NULL, NULL, 'an envelope with two lists');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": "{\"entries\": [], \"nextPage\": null, \"nextPage\": \"x\"}"}') \g /dev/null
SELECT fails('SELECT * FROM few', 'HV000', '%"nextPage" stands in it twice', NULL, NULL, 'or with two next pages');
SELECT sim_calm() \g /dev/null
SELECT sim_spoil_list('body', '{"body": [{"connectionId": "x", "name": "y"}]}') \g /dev/null
SELECT fails('SELECT * FROM few', 'HV000', '%it is not a page of a list', NULL, NULL, 'a bare array instead of an envelope');
SELECT sim_calm() \g /dev/null

-- a filter never changes the answer: Sigma's search is only ever a help
CREATE TABLE names AS SELECT name FROM sim.connections;
SELECT is((SELECT count(*)::int FROM names n WHERE (SELECT count(connection_id) FROM sim.connections c
	WHERE c.name = n.name) = 1), 13, 'every connection is found by its name');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'snowflake east'), 0, 'in its own spelling only');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'Snowflake'), 0, 'and as a whole');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name IN ('Snowflake East', 'MySQL Shop')), 2, 'several names');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = '' OR name = 'MySQL Shop'), 1, 'or');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'MySQL Shop' AND type = 'mysql'), 1, 'and');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = ''), 0, 'an empty name');
SELECT is((SELECT count(connection_id)::int FROM sim.connections WHERE name = 'a&b=c#d%20'), 0, 'a name of special characters');
SELECT is((SELECT count(*)::int FROM names n LEFT JOIN sim.connections c USING (name) WHERE c.connection_id IS NOT NULL), 13, 'a join by name');
SELECT is(answered::int, 2, 'a name from a sub-select')
	FROM (SELECT (SELECT count(connection_id) FROM sim.connections WHERE name = 'MySQL Shop') + (SELECT count(connection_id)
	FROM sim.connections c WHERE c.name = (SELECT max(name) FROM names)) AS answered) a;

SELECT * FROM finish();

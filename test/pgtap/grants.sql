-- Doing things to connections: sync, lookup, and grants by function and as SQL.

\ir lib/simulator.sql
SELECT * FROM no_plan();

SELECT connection_id AS east FROM sim.connections WHERE name = 'Snowflake East' \gset
SELECT connection_id AS west FROM sim.connections WHERE name = 'Snowflake West' \gset
SELECT member_id AS member FROM sim.members WHERE email = 'greta.silva.6@example.com' \gset
SELECT team_id AS team FROM sim.teams WHERE name = 'Finance' \gset
\set sync_east 'POST /v2/connections/' :east '/sync'
\set lookup_east 'POST /v2/connection/' :east '/lookup'
\set grants_west '/v2/connections/' :west '/grants'

-- bodies of the requests so far
CREATE FUNCTION bodies() RETURNS jsonb[]
LANGUAGE sql AS $$ SELECT array_agg(body::jsonb ORDER BY n) FROM sim_log() WHERE body IS NOT NULL $$;
-- who may use a connection, as Sigma says
CREATE FUNCTION grants_of(id text) RETURNS text
LANGUAGE sql AS $$ SELECT coalesce(string_agg(permission || ' ' || CASE WHEN team_id IS NULL THEN 'member' ELSE 'team' END, ', '
	ORDER BY permission, team_id NULLS FIRST), '') FROM sim.connection_grants WHERE connection_id = id $$;

-- ---------------------------------------------------------- sync and lookup

SELECT is(requests_of(format('SELECT sigma_sync_connection(''sim'', %L)', :'east')), ARRAY[:'sync_east'], 'sync');
SELECT is(bodies(), ARRAY['{"path": []}'::jsonb], 'of the whole connection');
SELECT is(requests_of(format('SELECT sigma_sync_connection(''sim'', %L, ''{SALES,"a \"quoted\" name"}'')', :'east')), ARRAY[:'sync_east'], 'sync of a path');
SELECT is(bodies(), ARRAY['{"path": ["SALES", "a \"quoted\" name"]}'::jsonb], 'as it was given');
SELECT fails('SELECT sigma_sync_connection(''sim'', ''unknown'')', 'P0002', NULL, '%/sync%404%', NULL, 'sync of no connection');
SELECT fails(format('SELECT sigma_sync_connection(''sim'', %L, ARRAY[''SALES'', NULL])', :'east'), '22004', NULL, NULL, NULL, 'a path with a NULL in it');

SELECT results_eq(format('SELECT kind, inode_id FROM sigma_lookup_path(''sim'', %L, ''{SALES,PUBLIC,ORDERS}'')', :'east'),
	'SELECT ''table'', url_id FROM sim.connection_paths WHERE path = ''["SALES", "PUBLIC", "ORDERS"]''', 'lookup of a table');
SELECT results_eq(format('SELECT kind, inode_id FROM sigma_lookup_path(''sim'', %L, ''{SALES}'')', :'east'),
	'SELECT ''scope'', url_id FROM sim.connection_paths WHERE path = ''["SALES"]''', 'and of a database');
SELECT matches(url, '^https://', 'with its URL') FROM sigma_lookup_path('sim', :'east', '{SALES}');
SELECT is(requests_of(format('SELECT * FROM sigma_lookup_path(''sim'', %L, ''{SALES}'')', :'east')), ARRAY[:'lookup_east'], 'which is one request');
SELECT fails(format('SELECT * FROM sigma_lookup_path(''sim'', %L, ''{NO,WAY}'')', :'east'), 'P0002', NULL, NULL, NULL, 'lookup of what Sigma does not know');
SELECT sigma_sync_connection('sim', :'east', '{SALES,PUBLIC,NEW_TABLE}') \g /dev/null
SELECT is((SELECT kind FROM sigma_lookup_path('sim', :'east', '{SALES,PUBLIC,NEW_TABLE}')), 'table', 'which a sync makes known');

-- ------------------------------------------------------ grants by function

SELECT is(grants_of(:'west'), '', 'nobody may use the connection');
SELECT sim_calm() \g /dev/null
SELECT lives_ok(format('SELECT sigma_grant_connection(''sim'', %L, ''usage'', member_id => %L)', :'west', :'member'), 'grant to a member');
SELECT lives_ok(format('SELECT sigma_grant_connection(''sim'', %L, ''annotate'', team_id => %L)', :'west', :'team'), 'grant to a team');
SELECT is(bodies(), ARRAY[jsonb_build_object('grants',
	jsonb_build_array(jsonb_build_object('grantee', jsonb_build_object('memberId', :'member'), 'permission', 'usage'))),
	jsonb_build_object('grants', jsonb_build_array(jsonb_build_object('grantee', jsonb_build_object('teamId', :'team'),
		'permission', 'annotate')))], 'as the API describes it');
SELECT is(grants_of(:'west'), 'annotate team, usage member', 'both are there');
SELECT fails(format('SELECT sigma_grant_connection(''sim'', %L, ''usage'', %L, %L)', :'west', :'member', :'team'),
	'22023', NULL, NULL, '%exactly one%', 'a grant to both');
SELECT fails(format('SELECT sigma_grant_connection(''sim'', %L, ''usage'')', :'west'), '22023', NULL, NULL, '%exactly one%', 'a grant to nobody');
SELECT is(sigma_revoke_connection('sim', :'west', 'usage', member_id => :'member'), 1, 'revoke from the member');
SELECT is(sigma_revoke_connection('sim', :'west', 'usage', member_id => :'member'), 0, 'once only');
SELECT is(sigma_revoke_connection('sim', :'west', 'usage', team_id => :'team'), 0, 'a permission that the team has not');
SELECT is(sigma_revoke_connection('sim', :'west', team_id => :'team'), 1, 'all that it has');
SELECT is(grants_of(:'west'), '', 'nobody may use it again');

-- ------------------------------------------------------------ grants as SQL

SELECT sim_calm() \g /dev/null
INSERT INTO sim.connection_grants (connection_id, permission, member_id) VALUES (:'west', 'usage', :'member')
	RETURNING grant_id AS granted, inode_id, created_at IS NOT NULL AS dated, _error IS NULL AS good \gset
SELECT is((sim_requests())[1], 'POST ' || :'grants_west', 'INSERT grants');
SELECT is(:'inode_id'::text, :'west', 'RETURNING gives what Sigma made');
SELECT is(:'dated' || :'good', 'tt', 'all of it');
SELECT is(grant_id, :'granted', 'which is what the table has') FROM sim.connection_grants WHERE connection_id = :'west';
SELECT is(count_of(format('INSERT INTO sim.connection_grants (connection_id, permission, team_id) '
	'VALUES (%L, ''usage'', %L), (%1$L, ''annotate'', %2$L)', :'west', :'team')), 2, 'without RETURNING it is one request for each row');
SELECT is(grants_of(:'west'), 'annotate team, usage member, usage team', 'INSERT of several rows');

SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, permission) VALUES (%L, ''usage'')', :'west'),
	'22023', NULL, NULL, '%exactly one%', 'a grant to nobody');
SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, permission, member_id, team_id) '
	'VALUES (%L, ''usage'', ''a'', ''b'')', :'west'), '22023', NULL, NULL, '%exactly one%', 'a grant to both');
SELECT fails('INSERT INTO sim.connection_grants (permission, member_id) VALUES (''usage'', ''a'')', '23502', NULL, NULL, NULL, 'a grant on nothing');
SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, member_id) VALUES (%L, ''a'')', :'west'),
	'23502', NULL, NULL, NULL, 'a grant of nothing');
SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, permission, member_id, grant_id) '
	'VALUES (%L, ''usage'', ''a'', ''b'')', :'west'), '428C9', NULL, NULL, NULL, 'an id that Sigma sets');
SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, permission, member_id) '
	'VALUES (''unknown'', ''usage'', %L)', :'member'), 'P0002', NULL, NULL, NULL, 'a connection that is not there');
SELECT fails('UPDATE sim.connection_grants SET permission = ''annotate''', '55000', NULL, NULL, NULL, 'a grant cannot be changed');
SELECT fails('INSERT INTO sim.teams (name) VALUES (''x'')', '55000', NULL, NULL, NULL, 'other tables are read only');
SELECT fails('DELETE FROM sim.teams', '55000', NULL, NULL, NULL, 'for DELETE, too');

SELECT is(requests_of(format('DELETE FROM sim.connection_grants WHERE connection_id = %L AND member_id = %L', :'west', :'member')),
	ARRAY[format('GET %s?limit=1000', :'grants_west'), format('DELETE %s/%s', :'grants_west', :'granted')], 'DELETE finds the grants, and revokes them');
SELECT is(grants_of(:'west'), 'annotate team, usage team', 'the others stay');
WITH gone AS (DELETE FROM sim.connection_grants WHERE connection_id = :'west' RETURNING permission, team_id)
SELECT is(array_agg(permission ORDER BY permission), '{annotate,usage}', 'DELETE RETURNING') FROM gone;
SELECT is(grants_of(:'west'), '', 'all are gone');
SELECT is(count_of(format('DELETE FROM sim.connection_grants WHERE connection_id = %L', :'west')), 1, 'nothing to delete');

-- join with a local list of who should have it
CREATE TABLE wanted AS SELECT :'west' AS connection_id, email FROM unnest('{greta.silva.6@example.com,ada.okafor.0@example.com}'::text[]) AS email;
INSERT INTO sim.connection_grants (connection_id, permission, member_id) SELECT w.connection_id, 'usage', m.member_id
	FROM wanted w JOIN sim.members m USING (email);
SELECT is(grants_of(:'west'), 'usage member, usage member', 'INSERT ... SELECT');
DELETE FROM sim.connection_grants g USING wanted w, sim.members m WHERE g.connection_id = w.connection_id AND m.email = w.email AND g.member_id = m.member_id;
SELECT is(grants_of(:'west'), '', 'DELETE ... USING');

-- what is done in Sigma stays done
SELECT matches(psql(format('BEGIN; INSERT INTO sim.connection_grants (connection_id, permission, member_id) '
	'VALUES (%L, ''usage'', %L); ROLLBACK;', :'west', :'member')),
	'WARNING: .*grant of usage .*exists in Sigma', 'ROLLBACK says what it leaves');
SELECT is(grants_of(:'west'), 'usage member', 'which is there');
SELECT matches(psql(format('BEGIN; DELETE FROM sim.connection_grants WHERE connection_id = %L; ROLLBACK;', :'west')),
	'WARNING: .*was revoked in Sigma', 'and what it cannot bring back');
SELECT is(grants_of(:'west'), '', 'which is gone');
SELECT matches(psql(format('BEGIN; SELECT sigma_grant_connection(''sim'', %L, ''usage'', %L); ROLLBACK;', :'west', :'member')),
	'WARNING: .*exists in Sigma', 'the same after the function');
SELECT sigma_revoke_connection('sim', :'west', member_id => :'member') \g /dev/null

-- nothing is done where nothing may be
SELECT sim_calm() \g /dev/null
SELECT matches(psql(format('BEGIN READ ONLY; INSERT INTO sim.connection_grants (connection_id, permission, member_id) '
	'VALUES (%L, ''usage'', %L);', :'west', :'member')), '25006', 'a read-only transaction');
SELECT matches(psql(format('BEGIN READ ONLY; DELETE FROM sim.connection_grants WHERE connection_id = %L;', :'east')), '25006', 'for DELETE, too');
SELECT matches(psql(format('BEGIN READ ONLY; SELECT sigma_grant_connection(''sim'', %L, ''usage'', %L);', :'west', :'member')),
	'25006', 'for the function, too');
ALTER FOREIGN TABLE sim.connection_grants OPTIONS (ADD updatable 'false');
SELECT fails(format('DELETE FROM sim.connection_grants WHERE connection_id = %L', :'east'), '55000', NULL, NULL, NULL, 'updatable false on the table');
ALTER FOREIGN TABLE sim.connection_grants OPTIONS (DROP updatable);
ALTER SERVER sim OPTIONS (ADD updatable 'false');
SELECT fails(format('SELECT sigma_revoke_connection(''sim'', %L, NULL, ''x'')', :'east'), '55000', NULL, NULL, NULL, 'and on the server');
ALTER SERVER sim OPTIONS (DROP updatable);
SELECT is(count(*), 0::bigint, 'and changes nothing') FROM sim_log() WHERE method <> 'GET';

-- a write whose reply is lost
SELECT sim_fault(jsonb_build_object('method', 'POST', 'path', :'grants_west', 'times', 1, 'do', 'lost-reply')) \g /dev/null
SELECT fails(format('INSERT INTO sim.connection_grants (connection_id, permission, member_id) VALUES (%L, ''usage'', %L)',
	:'west', :'member'), '08007', NULL, NULL, NULL, 'a grant whose outcome is unknown');
SELECT is(count(*), 1::bigint, 'is not sent again') FROM sim_log() WHERE method = 'POST';
SELECT sim_calm() \g /dev/null
SELECT is(grants_of(:'west'), 'usage member', 'it was done, as it happens');

SELECT * FROM finish();

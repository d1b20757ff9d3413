-- The tables in doc/reference.md are what sigma_resources() and sigma_columns() say.

\ir lib/simulator.sql
SELECT plan(4);

\set differs `../harness/make-docs --check 2>&1`
SELECT is(:'differs'::text, '', 'doc/reference.md has what "make docs" makes');
SELECT is(count(*), (SELECT count(DISTINCT resource) FROM sigma_columns()), 'each resource has columns') FROM sigma_resources();
SELECT results_eq('SELECT request, keys, filters, parent FROM sigma_resources() WHERE resource = ''connection_grants''',
	$$VALUES ('GET /v2/connections/{connection_id}/grants', '{connection_id}'::text[], '{}'::text[], 'connections')$$, 'a list below a parent');
SELECT results_eq('SELECT object, default_value, allowed FROM sigma_options() WHERE option = ''page_size''',
	$$VALUES ('server', '1000', '1 to 1000'), ('foreign table', '1000', '1 to 1000')$$, 'an option of two kinds of objects');

SELECT * FROM finish();

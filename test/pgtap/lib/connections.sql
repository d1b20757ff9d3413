-- Connections that tests create.

-- details that suffice for one
CREATE FUNCTION pg() RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$ SELECT '{"type": "postgres", "host": "h", "database": "d"}'::jsonb $$;

-- the details that the simulator has, which Sigma never shows
CREATE FUNCTION details_of(id text) RETURNS jsonb
LANGUAGE sql AS $$ SELECT sim_call('GET', 'details/' || id) $$;

-- how many have been created
CREATE FUNCTION created() RETURNS int
LANGUAGE sql AS $$ SELECT (sim_stats() ->> 'created')::int $$;

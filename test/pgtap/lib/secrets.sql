-- What tests that look for secrets share.

-- What psql shows of a script with everything told that can be.  The function
-- loads the library, whose own words are then told, too.
CREATE FUNCTION noisy(script text) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(psql(E'SELECT sigma_fdw_version() \\g /dev/null\n'
		'SET client_min_messages = debug5; SET log_min_messages = debug5; SET log_error_verbosity = verbose; '
		'SET debug_print_parse = on; SET debug_print_rewritten = on; SET debug_print_plan = on; ' || script), '')
$$;

-- all requests to a path fail from now on
CREATE FUNCTION spoilt(process text, path text, what text, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_calm(process);
	SELECT sim_fault(jsonb_build_object('path', path, 'times', -1, 'do', what, 'headers', '{"Retry-After": "0"}'::jsonb)
		|| more, process);
$$;

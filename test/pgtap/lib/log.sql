-- What the server has logged: log_size() is how much so far, log_has() finds a
-- pattern in what came since, and :readable says whether either can be.

-- PostgreSQL's own, or where the server's error output goes
SELECT coalesce(pg_current_logfile(), sim_shell('readlink /proc/$PPID/fd/2')) AS log \gset
SELECT set_config('sim.log', CASE WHEN :'log' LIKE '/%' THEN :'log' ELSE current_setting('data_directory') || '/' || :'log' END, false) AS log \gset
SELECT sim_shell(format('test -f %s -a -r %s && echo t || echo f', sim_quote(:'log'), sim_quote(:'log'))) AS readable \gset
\if :readable
CREATE FUNCTION log_size() RETURNS text LANGUAGE sql AS $$ SELECT sim_shell('wc -c <' || sim_quote(current_setting('sim.log'))) $$;
CREATE FUNCTION log_has(since text, pattern text, lines int DEFAULT 3) RETURNS text LANGUAGE sql AS $$
	SELECT sim_shell(format('tail -c +%s %s | grep -aE -m %s -e %s | cut -c 1-400 || true', since::bigint + 1,
		sim_quote(current_setting('sim.log')), lines, sim_quote(pattern)))
$$;
\else
CREATE FUNCTION log_size() RETURNS text LANGUAGE sql AS $$ SELECT '0' $$;
CREATE FUNCTION log_has(since text, pattern text, lines int DEFAULT 3) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$;
SELECT skip('the log of the server cannot be read', 1);
\endif

-- What every file of this suite begins with: pgTAP, sigma_fdw, and functions
-- to start API simulators, to spoil their replies, and to read what was asked
-- of them.
--
-- The server process speaks with a simulator's control interface through
-- COPY FROM PROGRAM and curl, so the tests run as a superuser.  Each file
-- starts a simulator of its own, which ends with the session.

\set QUIET on
\set ON_ERROR_ROLLBACK off
\pset format unaligned
\pset tuples_only on
\pset pager off

-- what a rollback says of what it leaves in Sigma is told by psql(), below
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS dblink;
CREATE EXTENSION IF NOT EXISTS sigma_fdw;

\getenv simulator SIGMA_SIMULATOR
\getenv hostile SIGMA_HOSTILE
\if :{?simulator}
\else
	\echo Bail out! SIGMA_SIMULATOR does not name the simulator
	\quit
\endif
SELECT set_config('sim.simulator', :'simulator', false),
	set_config('sim.hostile', :'hostile', false) \g /dev/null

-- how another session, by dblink, gets here
\getenv pgpassword PGPASSWORD
\if :{?pgpassword}
\else
	\set pgpassword ''
\endif
SELECT set_config('sim.conninfo',
	format('host=%L port=%s user=%L dbname=%L', :'HOST', :'PORT', :'USER', :'DBNAME')
		|| CASE WHEN :'pgpassword' <> '' THEN format(' password=%L', :'pgpassword') ELSE '' END,
	false) \g /dev/null
\unset pgpassword

-- ------------------------------------------------------------ the shell

CREATE UNLOGGED TABLE sim_output (n int GENERATED ALWAYS AS IDENTITY, line text);

CREATE FUNCTION sim_quote(word text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT '''' || replace(word, '''', '''\''''') || ''''
$$;

-- the output of a shell command
CREATE FUNCTION sim_shell(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	-- not TRUNCATE, whose lock would hold up another session's call
	DELETE FROM public.sim_output;
	-- characters that no output has, so that a line is one value as it stands
	EXECUTE format('COPY public.sim_output (line) FROM PROGRAM %L
		WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'', ESCAPE E''\x02'')', command);
	SELECT string_agg(line, E'\n' ORDER BY n) INTO result FROM public.sim_output;
	RETURN result;
END
$$;

-- ------------------------------------------------------------ simulators

CREATE UNLOGGED TABLE sim_process (name text PRIMARY KEY, pid int, port int);

-- Starts a program that writes its port to a file, and waits for the file.
-- It gets a session of its own: a statement_timeout signals the backend's
-- whole process group.
CREATE FUNCTION sim_launch(process text, program text, arguments text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	words text[];
BEGIN
	words := string_to_array(sim_shell(format(
		'd=$(mktemp -d); setsid %s %s --port-file $d/port --exit-with %s >/dev/null 2>&1 & '
		'p=$!; i=0; while ! [ -s $d/port ] && kill -0 $p 2>/dev/null && [ $i -lt 1000 ]; do sleep 0.01; i=$((i+1)); done; '
		'echo $p $(cat $d/port); rm -r $d',
		sim_quote(program), arguments, pg_backend_pid())), ' ');
	IF coalesce(words[2], '') = '' THEN
		RAISE 'could not start %', process;
	END IF;
	INSERT INTO public.sim_process VALUES (process, words[1]::int, words[2]::int)
		ON CONFLICT (name) DO UPDATE SET pid = excluded.pid, port = excluded.port;
	RETURN words[2]::int;
END
$$;

CREATE FUNCTION sim_stop(process text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	-- it may stay behind as a zombie, if nobody asks for its status
	PERFORM sim_shell(format('kill %s; while grep -qs ''^State:[[:space:]]*[^Z[:space:]]'' /proc/%s/status; do sleep 0.01; done', pid, pid))
		FROM public.sim_process WHERE name = process;
	DELETE FROM public.sim_process WHERE name = process;
END
$$;

CREATE FUNCTION sim_url(process text DEFAULT 'main') RETURNS text
LANGUAGE sql AS $$
	SELECT 'http://127.0.0.1:' || port FROM public.sim_process WHERE name = process
$$;

-- a simulator; its URL
CREATE FUNCTION sim_start(process text, arguments text DEFAULT '', port int DEFAULT 0) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_launch(process, current_setting('sim.simulator'), '--port ' || port || ' ' || arguments);
	RETURN sim_url(process);
END
$$;

-- a hostile server; its URL
CREATE FUNCTION hostile_start(mode text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_launch(mode, current_setting('sim.hostile'), mode);
	RETURN sim_url(mode);
END
$$;

-- ------------------------------------------------- the control interface

CREATE FUNCTION sim_call(method text, path text, body text DEFAULT NULL, process text DEFAULT 'main') RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	reply jsonb;
BEGIN
	IF body IS NOT NULL THEN
		-- by the program's input, since an argument has a limit
		EXECUTE format('COPY (SELECT %L) TO PROGRAM %L WITH (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'', ESCAPE E''\x02'')', body,
			format('curl -sS --fail -o /dev/null --max-time 20 -X %s --data-binary @- %s', method, sim_quote(sim_url(process) || '/_sim/' || path)));
		RETURN '{}';
	END IF;
	reply := sim_shell(format('curl -sS --max-time 20 -X %s %s', method, sim_quote(sim_url(process) || '/_sim/' || path)));
	IF reply ? 'code' THEN
		RAISE 'simulator: %', reply;
	END IF;
	RETURN reply;
END
$$;

CREATE FUNCTION sim_reset(process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$ SELECT sim_call('POST', 'reset', NULL, process) $$;

CREATE FUNCTION sim_fault(fault jsonb, process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$ SELECT sim_call('POST', 'fault', fault::text, process) $$;

-- the same for every list page (or whatever "more" says instead)
CREATE FUNCTION sim_spoil_list(what text, more jsonb DEFAULT '{}', process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('method', 'GET', 'path', '/v2/connections', 'times', -1, 'do', what) || more, process)
$$;

CREATE FUNCTION sim_spoil_create(what text, more jsonb DEFAULT '{}', process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('method', 'POST', 'path', '/v2/connections', 'times', -1, 'do', what) || more, process)
$$;

CREATE FUNCTION sim_spoil_token(what text, more jsonb DEFAULT '{}', process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_fault(jsonb_build_object('path', '/v2/auth/token', 'times', -1, 'do', what) || more, process)
$$;

-- takes the faults away, and forgets the requests so far
CREATE FUNCTION sim_calm(process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$
	SELECT sim_call('DELETE', 'fault', NULL, process);
	SELECT sim_call('DELETE', 'log', NULL, process);
$$;

CREATE FUNCTION sim_config(settings jsonb, process text DEFAULT 'main') RETURNS void
LANGUAGE sql AS $$ SELECT sim_call('POST', 'config', settings::text, process) $$;

CREATE FUNCTION sim_stats(process text DEFAULT 'main') RETURNS jsonb
LANGUAGE sql AS $$ SELECT sim_call('GET', 'stats', NULL, process) $$;

CREATE TYPE sim_request AS (n int, method text, path text, query text, status int, connection int,
	token int, client text, "as" text, auth text, body text, started_ms float8, finished_ms float8, concurrent int);

-- the requests so far, but for sign-ins
CREATE FUNCTION sim_log(process text DEFAULT 'main') RETURNS SETOF sim_request
LANGUAGE sql AS $$
	SELECT e.* FROM jsonb_populate_recordset(NULL::sim_request, sim_call('GET', 'log', NULL, process) -> 'entries') e
	WHERE e.path <> '/v2/auth/token'
	ORDER BY e.n
$$;

-- method, path and query of each request so far, but for sign-ins
CREATE FUNCTION sim_requests(process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(method || ' ' || path || coalesce('?' || nullif(query, ''), '') ORDER BY n), '{}')
	FROM sim_log(process)
$$;

-- those that change something in Sigma
CREATE FUNCTION writes() RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(method || ' ' || path ORDER BY n), '{}')
	FROM sim_log() WHERE method <> 'GET' AND path NOT LIKE '%/lookup'
$$;

-- several requests under way at once come in any order
CREATE FUNCTION sorted(words text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(w ORDER BY w COLLATE "C") FROM unnest(words) w
$$;

CREATE FUNCTION sim_count(process text DEFAULT 'main') RETURNS int
LANGUAGE sql AS $$ SELECT cardinality(sim_requests(process)) $$;

-- how often somebody asked for a token
CREATE FUNCTION sim_sign_ins(process text DEFAULT 'main') RETURNS int
LANGUAGE sql AS $$
	SELECT (sim_call('GET', 'log?path_prefix=/v2/auth/token&count=1', NULL, process) ->> 'count')::int
$$;

-- the sign-ins so far, one by one: how ("body", "basic", "exchange"; "?" if the
-- simulator did not look) and the status
CREATE FUNCTION sim_token_requests(process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(coalesce(e.auth, '?') || ' ' || coalesce(e.status::text, 'none') ORDER BY e.n), '{}')
	FROM jsonb_populate_recordset(NULL::sim_request, sim_call('GET', 'log?path_prefix=/v2/auth/token', NULL, process) -> 'entries') e
$$;

-- the requests that a query makes, as method, path and query
CREATE FUNCTION requests_of(query text, process text DEFAULT 'main') RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sim_call('DELETE', 'log', NULL, process);
	EXECUTE query;
	RETURN sim_requests(process);
END
$$;

CREATE FUNCTION count_of(query text, process text DEFAULT 'main') RETURNS int
LANGUAGE sql AS $$ SELECT cardinality(requests_of(query, process)) $$;

-- ------------------------------------------------------- servers and tables

-- A server, the current user's mapping, and a schema with its tables, all of
-- one name.
CREATE FUNCTION make_server(server text, url text, options text DEFAULT '', tables text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER sigma_fdw OPTIONS (base_url %L %s)', server, url,
		CASE WHEN options <> '' THEN ', ' || options ELSE '' END);
	EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (client_id %L, client_secret %L)', server,
		'simulator-client', 'simulator-secret');
	EXECUTE format('CREATE SCHEMA %I', server);
	EXECUTE format('IMPORT FOREIGN SCHEMA sigma %s FROM SERVER %I INTO %I', 'LIMIT TO (' || tables || ')', server, server);
END
$$;

-- ----------------------------------------------------------------- errors

CREATE TYPE caught AS (state text, message text, detail text, hint text, context text);

-- the error that a statement raises; all NULL if it raises none
CREATE FUNCTION catch(statement text) RETURNS caught
LANGUAGE plpgsql AS $$
DECLARE
	c caught;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
	GET STACKED DIAGNOSTICS c.state = RETURNED_SQLSTATE, c.message = MESSAGE_TEXT,
		c.detail = PG_EXCEPTION_DETAIL, c.hint = PG_EXCEPTION_HINT, c.context = PG_EXCEPTION_CONTEXT;
	RETURN c;
END
$$;

-- Asserts a statement's error: SQLSTATE and, where given, patterns (LIKE) of
-- message, detail and hint.
CREATE FUNCTION fails(statement text, state text, message text, detail text, hint text, description text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	c caught := catch(statement);
	good boolean := c.state IS NOT DISTINCT FROM state
		AND (message IS NULL OR c.message LIKE message)
		AND (detail IS NULL OR c.detail LIKE detail)
		AND (hint IS NULL OR c.hint LIKE hint);
BEGIN
	RETURN ok(good, description)
		|| CASE WHEN good THEN '' ELSE E'\n' || diag(format(E'caught: %s: %s\nDETAIL: %s\nHINT: %s\nCONTEXT: %s',
			c.state, c.message, c.detail, c.hint, c.context)) END;
END
$$;

-- milliseconds that a statement takes, with or without an error
CREATE FUNCTION ms_of(statement text) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	PERFORM catch(statement);
	RETURN extract(epoch FROM clock_timestamp() - start) * 1000;
END
$$;

-- What psql shows of a script that another session runs: notices and errors,
-- too, which no SQL function can see.
CREATE FUNCTION psql(script text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN sim_shell(format('%s -XqAt -v VERBOSITY=verbose -v SHOW_CONTEXT=never %s 2>&1 <<\EOF_OF_SCRIPT || true', 
		sim_quote((SELECT setting FROM pg_config WHERE name = 'BINDIR') || '/psql'), sim_quote(current_setting('sim.conninfo')))
		|| E'\n' || script || E'\nEOF_OF_SCRIPT');
END
$$;

-- ------------------------------------------------------------- collations

-- one under which texts are equal that differ in case, unless the server has been built without ICU
DO $$ BEGIN CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT to_regcollation('nocase') IS NOT NULL AS icu \gset

SELECT sim_start('main') \g /dev/null
SELECT make_server('sim', sim_url()) \g /dev/null

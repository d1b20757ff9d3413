/* sigma_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION sigma_fdw" to load this file. \quit

CREATE FUNCTION @extschema@.sigma_fdw_handler()
RETURNS pg_catalog.fdw_handler
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION @extschema@.sigma_fdw_validator(pg_catalog.text[], pg_catalog.oid)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

COMMENT ON FUNCTION @extschema@.sigma_fdw_handler() IS
'handler of the foreign-data wrapper sigma_fdw';

COMMENT ON FUNCTION @extschema@.sigma_fdw_validator(pg_catalog.text[], pg_catalog.oid) IS
'checks the options of servers, user mappings, tables and columns of sigma_fdw';

CREATE FOREIGN DATA WRAPPER sigma_fdw
    HANDLER @extschema@.sigma_fdw_handler
    VALIDATOR @extschema@.sigma_fdw_validator;

COMMENT ON FOREIGN DATA WRAPPER sigma_fdw IS
'Sigma organizations as tables, through Sigma''s REST API';

CREATE FUNCTION @extschema@.sigma_fdw_version()
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT STABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.sigma_fdw_version() IS
'versions of sigma_fdw, libcurl with its TLS library, and cJSON';

CREATE FUNCTION @extschema@.sigma_whoami(
    server pg_catalog.text,
    OUT user_id pg_catalog.text,
    OUT organization_id pg_catalog.text)
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_whoami(pg_catalog.text) IS
'the Sigma member and organization that the caller''s user mapping signs in as';

CREATE FUNCTION @extschema@.sigma_test_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    OUT read pg_catalog.text,
    OUT write pg_catalog.text)
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_test_connection(pg_catalog.text, pg_catalog.text) IS
'tests in Sigma whether a connection can read from and write to its warehouse';

CREATE FUNCTION @extschema@.sigma_create_connection(
    server pg_catalog.text,
    name pg_catalog.text,
    details pg_catalog.jsonb,
    description pg_catalog.jsonb DEFAULT NULL,
    timeout_secs pg_catalog.int4 DEFAULT NULL,
    use_friendly_names pg_catalog.bool DEFAULT NULL,
    pool_sizes pg_catalog.jsonb DEFAULT NULL,
    if_not_exists pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_create_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb,
    pg_catalog.int4, pg_catalog.bool, pg_catalog.jsonb, pg_catalog.bool) IS
'creates a connection in Sigma at once and returns Sigma''s reply; with if_not_exists, returns the connection of the same name and type if there is one';

CREATE FUNCTION @extschema@.sigma_restore_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    name pg_catalog.text,
    details pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_restore_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) IS
'restores a deleted connection in Sigma at once and returns Sigma''s reply';

CREATE FUNCTION @extschema@.sigma_find_created(
    server pg_catalog.text,
    name pg_catalog.text,
    since pg_catalog.timestamptz DEFAULT NULL,
    OUT connection_id pg_catalog.text,
    OUT name pg_catalog.text,
    OUT type pg_catalog.text,
    OUT created_by pg_catalog.text,
    OUT created_at pg_catalog.timestamptz)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_find_created(
    pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz) IS
'the connections of a name that were created since a time, to find out whether a create of unknown outcome was carried out';

CREATE FUNCTION @extschema@.sigma_plan(
    server pg_catalog.text,
    query pg_catalog.text,
    OUT action pg_catalog.text,
    OUT name pg_catalog.text,
    OUT connection_id pg_catalog.text,
    OUT type pg_catalog.text,
    OUT fields pg_catalog.text[])
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_plan(pg_catalog.text, pg_catalog.text) IS
'compares Sigma''s connections with those of a table, a view or a query, and returns what sigma_apply() would do';

CREATE FUNCTION @extschema@.sigma_apply(
    server pg_catalog.text,
    query pg_catalog.text,
    prune pg_catalog.bool DEFAULT false,
    OUT action pg_catalog.text,
    OUT name pg_catalog.text,
    OUT connection_id pg_catalog.text,
    OUT type pg_catalog.text,
    OUT fields pg_catalog.text[])
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_apply(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'creates and updates connections until Sigma has those of a table, a view or a query; with prune, deletes the others; returns what it did';

CREATE FUNCTION @extschema@.sigma_sync_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    path pg_catalog.text[] DEFAULT '{}')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_sync_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS
'tells Sigma to read the catalog of a connection''s warehouse again, below a path';

CREATE FUNCTION @extschema@.sigma_lookup_path(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    path pg_catalog.text[],
    OUT kind pg_catalog.text,
    OUT inode_id pg_catalog.text,
    OUT url pg_catalog.text)
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_lookup_path(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS
'what Sigma knows at a path of a connection''s warehouse';

CREATE FUNCTION @extschema@.sigma_grant_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    permission pg_catalog.text,
    member_id pg_catalog.text DEFAULT NULL,
    team_id pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_grant_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'grants a permission on a connection to a member or to a team';

CREATE FUNCTION @extschema@.sigma_revoke_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    permission pg_catalog.text DEFAULT NULL,
    member_id pg_catalog.text DEFAULT NULL,
    team_id pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_revoke_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'revokes a permission of a member or team on a connection (all permissions if none is named), and returns how many grants it revoked';

CREATE FUNCTION @extschema@.sigma_check(
    server pg_catalog.text,
    verbose pg_catalog.bool DEFAULT false,
    OUT step pg_catalog.text,
    OUT ok pg_catalog.bool,
    OUT detail pg_catalog.text,
    OUT hint pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_check(pg_catalog.text, pg_catalog.bool) IS
'checks each step between this database and Sigma, and returns what to do where one fails; verbose: also what was tried';

CREATE FUNCTION @extschema@.sigma_request(
    server pg_catalog.text,
    method pg_catalog.text,
    path pg_catalog.text,
    query pg_catalog.jsonb DEFAULT NULL,
    body pg_catalog.jsonb DEFAULT NULL)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_request(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb) IS
'sends any request to the Sigma API and returns the reply';

CREATE FUNCTION @extschema@.sigma_element_rows(
    server pg_catalog.text,
    workbook_id pg_catalog.text,
    element_id pg_catalog.text,
    parameters pg_catalog.jsonb DEFAULT NULL)
RETURNS SETOF pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 20000;

COMMENT ON FUNCTION @extschema@.sigma_element_rows(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) IS
'the rows behind an element of a workbook, as JSON objects';

CREATE FUNCTION @extschema@.sigma_export(
    server pg_catalog.text,
    workbook_id pg_catalog.text DEFAULT NULL,
    element_id pg_catalog.text DEFAULT NULL,
    format pg_catalog.text DEFAULT 'pdf',
    parameters pg_catalog.jsonb DEFAULT NULL,
    page_id pg_catalog.text DEFAULT NULL,
    report_id pg_catalog.text DEFAULT NULL,
    tag pg_catalog.text DEFAULT NULL,
    format_options pg_catalog.jsonb DEFAULT NULL)
RETURNS pg_catalog.bytea
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 20000;

COMMENT ON FUNCTION @extschema@.sigma_export(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb,
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) IS
'exports a workbook, a page or an element of it, or a report, as a file: pdf, png, xlsx, csv';

CREATE FUNCTION @extschema@.sigma_list(
    server pg_catalog.text,
    path pg_catalog.text,
    query pg_catalog.jsonb DEFAULT NULL)
RETURNS SETOF pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_list(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) IS
'every entry of every page of a list of the Sigma API';

CREATE FUNCTION @extschema@.sigma_openapi_tables(
    server pg_catalog.text,
    description pg_catalog.jsonb,
    OUT table_name pg_catalog.text,
    OUT status pg_catalog.text,
    OUT ddl pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_openapi_tables(pg_catalog.text, pg_catalog.jsonb) IS
'the tables in a published description of the Sigma API: how they differ from those that sigma_fdw knows, and the statements that create them';

CREATE FUNCTION @extschema@.sigma_options(
    OUT object pg_catalog.text,
    OUT option pg_catalog.text,
    OUT default_value pg_catalog.text,
    OUT allowed pg_catalog.text,
    OUT description pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'sigma_known_options'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.sigma_options() IS
'the options of servers, user mappings, foreign tables and columns: what they are for, defaults and values';

CREATE FUNCTION @extschema@.sigma_resources(
    OUT resource pg_catalog.text,
    OUT description pg_catalog.text,
    OUT request pg_catalog.text,
    OUT keys pg_catalog.text[],
    OUT filters pg_catalog.text[],
    OUT parent pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'sigma_known_resources'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.sigma_resources() IS
'the resources that a table can show: the request for each list, its key columns, and the columns that filter it';

CREATE FUNCTION @extschema@.sigma_columns(
    OUT resource pg_catalog.text,
    OUT column_name pg_catalog.text,
    OUT data_type pg_catalog.regtype,
    OUT is_readable pg_catalog.bool,
    OUT is_imported pg_catalog.bool,
    OUT written pg_catalog.text,
    OUT description pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'sigma_known_columns'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.sigma_columns() IS
'the columns of each resource: types, meanings, and where INSERT and UPDATE send a value';

CREATE FUNCTION @extschema@.sigma_inode_id(id pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.sigma_inode_id(pg_catalog.text) IS
'the UUID of a folder, document or warehouse table, from either spelling: inodeId or urlId';

CREATE FUNCTION @extschema@.sigma_comment_tables(schema pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_comment_tables(pg_catalog.text) IS
'sets comments on the sigma_fdw tables of a schema and on their columns, and returns how many';

-- The views read Sigma as the one who owns them, as any view does, so that GRANT SELECT on them is enough for others;
-- ALTER VIEW ... SET (security_invoker) makes them read as whoever asks.  Installing them again keeps that, and all grants.
CREATE FUNCTION @extschema@.sigma_install_views(schema pg_catalog.text)
RETURNS SETOF pg_catalog.text
LANGUAGE plpgsql STRICT VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing text;
    options text;
    v record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema) THEN
        RAISE invalid_schema_name USING MESSAGE = format('schema "%s" does not exist', schema);
    END IF;
    SELECT string_agg(quote_ident(t), ', ' ORDER BY n) INTO missing
    FROM unnest('{connections,connection_grants,connection_paths,members,teams,team_members,workbooks,workbook_lineage_nodes,
        data_models,data_model_lineage,reports,report_lineage}'::text[]) WITH ORDINALITY AS needed (t, n)
    WHERE NOT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        WHERE s.nspname = schema AND c.relname = t AND c.relkind IN ('f', 'r', 'p', 'v', 'm'));
    IF missing IS NOT NULL THEN
        RAISE undefined_table USING
            MESSAGE = format('schema "%s" lacks tables that the views read: %s', schema, missing),
            HINT = format('Import them first: IMPORT FOREIGN SCHEMA sigma LIMIT TO (%s) FROM SERVER ... INTO %I;', missing, schema);
    END IF;

    -- A name is looked up in a list that is read once: as a plain join, it could become a request for each row.  DISTINCT lets
    -- conditions through to the list; GROUP BY lets a list that is not needed be left out.
    FOR v IN VALUES
    ('connection_use', 'Workbooks, data models and reports that read from each connection, as far as the reader may see them', $view$
        -- what the lineage of each document names
        WITH RECURSIVE node (kind, document_id, type, connection_id, model_id, table_id) AS MATERIALIZED (
            SELECT 'workbook', n.workbook_id, n.type, n.connection_id, n.data_model_id, n.inode_id
            FROM %1$I.workbook_lineage_nodes n WHERE n.type <> 'element'
            UNION ALL
            SELECT 'data-model', n.data_model_id, n.type, n.connection_id, n.source_data_model_id, n.inode_id
            FROM %1$I.data_model_lineage n WHERE n.type <> 'element'
            UNION ALL
            SELECT 'report', n.report_id, n.type, n.connection_id, n.data_model_id, n.inode_id
            FROM %1$I.report_lineage n WHERE n.type <> 'element'
        -- and what the data models among that read in turn
        ), reads (kind, document_id, type, connection_id, model_id, table_id, is_direct) AS (
            SELECT n.*, true FROM node n
            UNION
            SELECT r.kind, r.document_id, n.type, n.connection_id, n.model_id, n.table_id, false
            FROM reads r JOIN node n ON n.kind = 'data-model' AND n.document_id = r.model_id
        ), document (kind, document_id, name, path, url, owner_id) AS MATERIALIZED (
            SELECT 'workbook', w.workbook_id, w.name, w.path, w.url, w.owner_id FROM %1$I.workbooks w
            UNION ALL
            SELECT 'data-model', m.data_model_id, m.name, m.path, m.url, m.owner_id FROM %1$I.data_models m
            UNION ALL
            SELECT 'report', r.report_id, r.name, r.path, r.url, r.owner_id FROM %1$I.reports r
        )
        SELECT c.connection_id, c.name AS connection_name, c.type AS connection_type, d.kind, d.document_id, d.name, d.path, d.url,
            d.owner_id, m.email AS owner_email, u.is_direct, u.tables
        FROM (
            SELECT r.connection_id, r.kind, r.document_id, bool_or(r.is_direct) AS is_direct,
                count(DISTINCT r.table_id) FILTER (WHERE r.type = 'table') AS tables
            FROM reads r
            WHERE r.connection_id IS NOT NULL
            GROUP BY r.connection_id, r.kind, r.document_id
        ) u
        JOIN (SELECT DISTINCT connection_id, name, type FROM %1$I.connections) c ON c.connection_id = u.connection_id
        JOIN document d ON d.kind = u.kind AND d.document_id = u.document_id
        LEFT JOIN (SELECT member_id, min(email) AS email FROM %1$I.members GROUP BY member_id) m ON m.member_id = d.owner_id
    $view$),
    ('unused_connections', 'Connections that no document reads from, as far as the reader may see, or that have been idle for 90 days; where both hold, a connection can hardly be missed', $view$
        SELECT c.connection_id, c.name AS connection_name, c.type AS connection_type, coalesce(u.documents, 0) AS documents,
            c.last_active_at, coalesce(c.last_active_at, c.created_at) < now() - interval '90 days' AS is_idle, c.created_by, c.created_at
        FROM %1$I.connections c
        LEFT JOIN (
            SELECT n.connection_id, count(DISTINCT (n.kind, n.document_id)) AS documents
            FROM (
                SELECT 'workbook', n.workbook_id, n.connection_id FROM %1$I.workbook_lineage_nodes n
                UNION ALL
                SELECT 'data-model', n.data_model_id, n.connection_id FROM %1$I.data_model_lineage n
                UNION ALL
                SELECT 'report', n.report_id, n.connection_id FROM %1$I.report_lineage n
            ) n (kind, document_id, connection_id)
            WHERE n.connection_id IS NOT NULL
            GROUP BY n.connection_id
        ) u ON u.connection_id = c.connection_id
        -- these two are Sigma's own
        WHERE c.is_sample IS NOT TRUE AND c.is_audit_log IS NOT TRUE
            AND (u.documents IS NULL OR coalesce(c.last_active_at, c.created_at) < now() - interval '90 days')
    $view$),
    ('connection_access', 'Who may use each connection as a whole, teams member by member; administrators may without a grant', $view$
        SELECT c.connection_id, c.name AS connection_name, c.type AS connection_type, g.permission,
            coalesce(g.member_id, t.user_id) AS member_id, m.email, m.first_name, m.last_name,
            CASE WHEN g.member_id IS NOT NULL THEN 'direct' WHEN g.team_id IS NOT NULL THEN 'team' END AS via,
            g.team_id, te.name AS team_name, g.grant_id, coalesce(g._error, t._error) AS _error
        FROM %1$I.connections c
        JOIN %1$I.connection_grants g ON g.connection_id = c.connection_id
        -- a team without members is shown, for it may get some
        LEFT JOIN %1$I.team_members t ON t.team_id = g.team_id
        LEFT JOIN (SELECT team_id, min(name) AS name FROM %1$I.teams GROUP BY team_id) te ON te.team_id = g.team_id
        LEFT JOIN (
            SELECT member_id, min(email) AS email, min(first_name) AS first_name, min(last_name) AS last_name
            FROM %1$I.members GROUP BY member_id
        ) m ON m.member_id = coalesce(g.member_id, t.user_id)
    $view$),
    ('warehouse_tables', 'Tables of the warehouses that Sigma knows, in the shape of information_schema.tables', $view$
        SELECT p.path ->> 0 AS table_catalog, p.path ->> 1 AS table_schema, p.path ->> 2 AS table_name,
            c.connection_id, c.name AS connection_name, c.type AS connection_type, p.attrs ->> 'urlId' AS url_id, p.url_id AS inode_id
        FROM (SELECT DISTINCT connection_id, name, type FROM %1$I.connections) c
        JOIN %1$I.connection_paths p ON p.connection_id = c.connection_id
        -- a path of fewer names is that of a database or a schema
        WHERE jsonb_array_length(p.path) = 3
    $view$)
    LOOP
        SELECT 'WITH (' || array_to_string(c.reloptions, ', ') || ')' INTO options
        FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        WHERE s.nspname = schema AND c.relname = v.column1 AND c.relkind = 'v';
        EXECUTE format('CREATE OR REPLACE VIEW %I.%I %s AS ', schema, v.column1, options)
            || format(v.column3, schema, '@extschema@');
        EXECUTE format('COMMENT ON VIEW %I.%I IS %L', schema, v.column1, v.column2);
        RETURN NEXT v.column1;
    END LOOP;

    -- a column is the same in all views that have it
    FOR v IN
        SELECT c.relname, a.attname, d.comment
        FROM (VALUES
            ('connection_id', 'Connection'),
            ('connection_name', 'Display name of the connection'),
            ('connection_type', 'Kind of warehouse'),
            ('kind', 'workbook, data-model or report'),
            ('document_id', 'Id of the workbook, data model or report'),
            ('name', 'Display name of the document'),
            ('path', 'Folder that the document is in'),
            ('url', 'Address of the document in Sigma'),
            ('owner_id', 'Member who owns the document'),
            ('owner_email', 'E-mail address of the owner'),
            ('is_direct', 'False if it reads from the connection only by way of data models'),
            ('tables', 'How many tables of the connection it reads'),
            ('documents', 'How many documents read from the connection'),
            ('last_active_at', 'When the connection was last used'),
            ('is_idle', 'Has it not been used for 90 days?'),
            ('created_by', 'Member who created the connection'),
            ('created_at', 'When the connection was created'),
            ('permission', 'What the grant allows'),
            ('member_id', 'Member who has the permission'),
            ('email', 'E-mail address of the member'),
            ('first_name', 'First name of the member'),
            ('last_name', 'Last name of the member'),
            ('via', 'direct, or team if the grant is to a team that the member is in'),
            ('team_id', 'Team that the grant is to'),
            ('team_name', 'Name of that team'),
            ('grant_id', 'Grant'),
            ('_error', 'Why a list could not be read, of a table with on_error ''row'''),
            ('table_catalog', 'Database in the warehouse'),
            ('table_schema', 'Schema in the warehouse'),
            ('table_name', 'Table in the warehouse'),
            ('url_id', 'Id that stands in the table''s address in Sigma'),
            ('inode_id', 'Id of the table in Sigma')) d (name, comment)
        JOIN pg_attribute a ON a.attname = d.name
        JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace s ON s.oid = c.relnamespace
        WHERE s.nspname = schema AND c.relkind = 'v'
            AND c.relname IN ('connection_use', 'unused_connections', 'connection_access', 'warehouse_tables')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', schema, v.relname, v.attname, v.comment);
    END LOOP;
END
$function$;

COMMENT ON FUNCTION @extschema@.sigma_install_views(pg_catalog.text) IS
'creates views for frequent questions in the schema of the imported tables, and returns their names';

CREATE FUNCTION @extschema@.sigma_stat_resources(
    OUT serverid pg_catalog.oid,
    OUT server pg_catalog.text,
    OUT userid pg_catalog.oid,
    OUT username pg_catalog.text,
    OUT resource pg_catalog.text,
    OUT requests pg_catalog.int8,
    OUT status_2xx pg_catalog.int8,
    OUT status_3xx pg_catalog.int8,
    OUT status_4xx pg_catalog.int8,
    OUT status_5xx pg_catalog.int8,
    OUT no_reply pg_catalog.int8,
    OUT retries pg_catalog.int8,
    OUT throttled pg_catalog.int8,
    OUT wait_time pg_catalog.float8,
    OUT throttle_time pg_catalog.float8,
    OUT bytes pg_catalog.int8,
    OUT rows pg_catalog.int8,
    OUT sign_ins pg_catalog.int8,
    OUT sign_ins_failed pg_catalog.int8,
    OUT writes_done pg_catalog.int8,
    OUT writes_refused pg_catalog.int8,
    OUT writes_unknown pg_catalog.int8,
    OUT stats_reset pg_catalog.timestamptz)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_stat_resources() IS
'the rows of the view sigma_stat_resources';

CREATE VIEW @extschema@.sigma_stat_resources AS
    SELECT * FROM @extschema@.sigma_stat_resources();

COMMENT ON VIEW @extschema@.sigma_stat_resources IS
'counts of requests, replies, time and writes for each resource and user mapping: of all sessions if the library is preloaded, else of this one';

CREATE VIEW @extschema@.sigma_stat_servers AS
    SELECT serverid, server, userid, username,
           pg_catalog.sum(requests)::pg_catalog.int8 AS requests,
           pg_catalog.sum(status_2xx)::pg_catalog.int8 AS status_2xx,
           pg_catalog.sum(status_3xx)::pg_catalog.int8 AS status_3xx,
           pg_catalog.sum(status_4xx)::pg_catalog.int8 AS status_4xx,
           pg_catalog.sum(status_5xx)::pg_catalog.int8 AS status_5xx,
           pg_catalog.sum(no_reply)::pg_catalog.int8 AS no_reply,
           pg_catalog.sum(retries)::pg_catalog.int8 AS retries,
           pg_catalog.sum(throttled)::pg_catalog.int8 AS throttled,
           pg_catalog.sum(wait_time) AS wait_time,
           pg_catalog.sum(throttle_time) AS throttle_time,
           pg_catalog.sum(bytes)::pg_catalog.int8 AS bytes,
           pg_catalog.sum(rows)::pg_catalog.int8 AS rows,
           pg_catalog.sum(sign_ins)::pg_catalog.int8 AS sign_ins,
           pg_catalog.sum(sign_ins_failed)::pg_catalog.int8 AS sign_ins_failed,
           pg_catalog.sum(writes_done)::pg_catalog.int8 AS writes_done,
           pg_catalog.sum(writes_refused)::pg_catalog.int8 AS writes_refused,
           pg_catalog.sum(writes_unknown)::pg_catalog.int8 AS writes_unknown,
           pg_catalog.max(stats_reset) AS stats_reset
      FROM @extschema@.sigma_stat_resources()
     GROUP BY serverid, server, userid, username;

COMMENT ON VIEW @extschema@.sigma_stat_servers IS
'counts of requests, replies, time and writes for each server and user mapping: of all sessions if the library is preloaded, else of this one';

COMMENT ON COLUMN @extschema@.sigma_stat_resources.serverid IS 'OID of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.server IS 'Name of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.userid IS 'OID of the role whose user mapping it is; 0 for that of PUBLIC';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.username IS 'Name of the role whose user mapping it is; public for that of PUBLIC';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.resource IS 'Resource, or name of a table with the option path; null for sign-ins and for requests that belong to no resource';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.requests IS 'Requests sent, including retries, without sign-ins';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.status_2xx IS 'Replies with a status from 200 to 299';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.status_3xx IS 'Replies with a status from 300 to 399';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.status_4xx IS 'Replies with a status from 400 to 499, 429 included';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.status_5xx IS 'Replies with a status of 500 or more';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.no_reply IS 'Requests without a complete reply';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.retries IS 'Retries of failed requests';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.throttled IS 'Replies with status 429: too many requests';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.wait_time IS 'Time spent waiting for replies, including pauses, in milliseconds';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.throttle_time IS 'Time spent in pauses after a 429, in milliseconds';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.bytes IS 'Bytes of replies, after decompression';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.rows IS 'Rows that lists returned';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.sign_ins IS 'Requests for a token';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.sign_ins_failed IS 'Requests for a token that failed';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.writes_done IS 'Writes that were carried out';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.writes_refused IS 'Writes that were certainly not carried out';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.writes_unknown IS 'Writes whose outcome is unknown';
COMMENT ON COLUMN @extschema@.sigma_stat_resources.stats_reset IS 'Time at which counting began';

COMMENT ON COLUMN @extschema@.sigma_stat_servers.serverid IS 'OID of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.server IS 'Name of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.userid IS 'OID of the role whose user mapping it is; 0 for that of PUBLIC';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.username IS 'Name of the role whose user mapping it is; public for that of PUBLIC';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.requests IS 'Requests sent, including retries, without sign-ins';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.status_2xx IS 'Replies with a status from 200 to 299';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.status_3xx IS 'Replies with a status from 300 to 399';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.status_4xx IS 'Replies with a status from 400 to 499, 429 included';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.status_5xx IS 'Replies with a status of 500 or more';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.no_reply IS 'Requests without a complete reply';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.retries IS 'Retries of failed requests';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.throttled IS 'Replies with status 429: too many requests';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.wait_time IS 'Time spent waiting for replies, including pauses, in milliseconds';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.throttle_time IS 'Time spent in pauses after a 429, in milliseconds';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.bytes IS 'Bytes of replies, after decompression';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.rows IS 'Rows that lists returned';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.sign_ins IS 'Requests for a token';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.sign_ins_failed IS 'Requests for a token that failed';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.writes_done IS 'Writes that were carried out';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.writes_refused IS 'Writes that were certainly not carried out';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.writes_unknown IS 'Writes whose outcome is unknown';
COMMENT ON COLUMN @extschema@.sigma_stat_servers.stats_reset IS 'Time at which counting began';

CREATE FUNCTION @extschema@.sigma_stat_progress(
    OUT pid pg_catalog.int4,
    OUT datid pg_catalog.oid,
    OUT userid pg_catalog.oid,
    OUT serverid pg_catalog.oid,
    OUT server pg_catalog.text,
    OUT resource pg_catalog.text,
    OUT pages_done pg_catalog.int8,
    OUT pages_total pg_catalog.int8,
    OUT parents_done pg_catalog.int8,
    OUT parents_total pg_catalog.int8,
    OUT rows pg_catalog.int8,
    OUT seconds pg_catalog.float8)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_stat_progress() IS
'the rows of the view sigma_stat_progress';

CREATE VIEW @extschema@.sigma_stat_progress AS
    SELECT p.pid, p.datid, d.datname, p.userid, pg_catalog.pg_get_userbyid(p.userid) AS username, p.serverid, p.server,
           p.resource, p.pages_done, p.pages_total, p.parents_done, p.parents_total, p.rows, p.seconds
      FROM @extschema@.sigma_stat_progress() p LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) p.datid;

COMMENT ON VIEW @extschema@.sigma_stat_progress IS
'the lists that are being read now, in all sessions, and how far they are; needs the library in shared_preload_libraries';

COMMENT ON COLUMN @extschema@.sigma_stat_progress.pid IS 'Process id of the backend';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.datid IS 'OID of its database';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.datname IS 'Name of its database';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.userid IS 'OID of the role whose session it is';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.username IS 'Name of the role whose session it is';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.serverid IS 'OID of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.server IS 'Name of the foreign server';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.resource IS 'Resource that is read, or name of a table with the option path; null for sigma_list()';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.pages_done IS 'Pages received; null for the rows behind an element';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.pages_total IS 'Number of pages in all; null if unknown, as for lists below parents';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.parents_done IS 'Lists below parents that have been read; null for a single list';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.parents_total IS 'Number of parents in all; null if unknown';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.rows IS 'Rows read so far';
COMMENT ON COLUMN @extschema@.sigma_stat_progress.seconds IS 'Seconds since the reading began';

GRANT SELECT ON @extschema@.sigma_stat_progress TO PUBLIC;

CREATE FUNCTION @extschema@.sigma_stat_reset()
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION @extschema@.sigma_stat_reset() IS
'resets the counts of sigma_stat_servers and sigma_stat_resources; with the library preloaded, only the function''s owner may call it';

GRANT SELECT ON @extschema@.sigma_stat_resources, @extschema@.sigma_stat_servers TO PUBLIC;

-- what reaches the network is for those to whom it is granted
REVOKE ALL ON FUNCTION @extschema@.sigma_whoami(pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_test_connection(pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_create_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb,
    pg_catalog.int4, pg_catalog.bool, pg_catalog.jsonb, pg_catalog.bool) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_restore_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_find_created(
    pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_plan(pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_apply(pg_catalog.text, pg_catalog.text, pg_catalog.bool) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_request(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_element_rows(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_export(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb,
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_list(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_sync_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_lookup_path(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_grant_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_revoke_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_check(pg_catalog.text, pg_catalog.bool) FROM PUBLIC;

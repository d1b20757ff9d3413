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

CREATE FOREIGN DATA WRAPPER sigma_fdw
    HANDLER @extschema@.sigma_fdw_handler
    VALIDATOR @extschema@.sigma_fdw_validator;

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
'lets Sigma test whether a connection can read from and write to its warehouse';

CREATE FUNCTION @extschema@.sigma_create_connection(
    server pg_catalog.text,
    name pg_catalog.text,
    details pg_catalog.jsonb,
    description pg_catalog.jsonb DEFAULT NULL,
    timeout_secs pg_catalog.int4 DEFAULT NULL,
    use_friendly_names pg_catalog.bool DEFAULT NULL,
    pool_sizes pg_catalog.jsonb DEFAULT NULL)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_create_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb,
    pg_catalog.int4, pg_catalog.bool, pg_catalog.jsonb) IS
'creates a connection in Sigma at once and returns it as Sigma does';

CREATE FUNCTION @extschema@.sigma_sync_connection(
    server pg_catalog.text,
    connection_id pg_catalog.text,
    path pg_catalog.text[] DEFAULT '{}')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_sync_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS
'lets Sigma read the catalog of a connection''s warehouse anew, from a path down';

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
'revokes a member''s or a team''s permission on a connection (all, if none is named) and tells how many grants that were';

CREATE FUNCTION @extschema@.sigma_check(
    server pg_catalog.text,
    OUT step pg_catalog.text,
    OUT ok pg_catalog.bool,
    OUT detail pg_catalog.text,
    OUT hint pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION @extschema@.sigma_check(pg_catalog.text) IS
'tells step by step what works between this database and Sigma, and what to do where it does not';

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

-- what reaches the network is for those to whom it is granted
REVOKE ALL ON FUNCTION @extschema@.sigma_whoami(pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_test_connection(pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_create_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb,
    pg_catalog.int4, pg_catalog.bool, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_request(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_sync_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_lookup_path(
    pg_catalog.text, pg_catalog.text, pg_catalog.text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_grant_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_revoke_connection(
    pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION @extschema@.sigma_check(pg_catalog.text) FROM PUBLIC;

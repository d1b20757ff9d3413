/*-------------------------------------------------------------------------
 *
 * catalog_connections.c
 *	  Entries of the catalogue: connections to warehouses, what is known in
 *	  them, and who may use them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog_fields.h"

static const SigmaField connection_fields[] = {
	INODE("connection_id", "connectionId", "Identifier of the connection"),
	BOTH("name", "name", TEXTOID, SIGMA_WRITE_TOP, "Display name"),
	BOTH("type", "type", TEXTOID, SIGMA_WRITE_DETAILS, "Kind of data warehouse: snowflake, postgres, bigQuery, ..."),
	BOTH("account", "account", TEXTOID, SIGMA_WRITE_DETAILS, "Account at the warehouse's provider (Snowflake)"),
	BOTH("host", "host", TEXTOID, SIGMA_WRITE_DETAILS, "Host name of the warehouse"),
	BOTH("warehouse", "warehouse", TEXTOID, SIGMA_WRITE_DETAILS, "Virtual warehouse that queries run on (Snowflake)"),
	BOTH("user", "user", TEXTOID, SIGMA_WRITE_DETAILS, "User that Sigma signs in to the warehouse as"),
	BOTH("role", "role", TEXTOID, SIGMA_WRITE_DETAILS, "Role that Sigma takes in the warehouse"),
	READ("http_path", "httpPath", TEXTOID, "HTTP path of the SQL warehouse (Databricks)"),
	BOTH("enable_hive_metastore", "enableHiveMetastore", BOOLOID, SIGMA_WRITE_DETAILS, "Is the catalog of the Hive metastore also used (Databricks)?"),
	BOTH("use_python", "usePython", BOOLOID, SIGMA_WRITE_DETAILS, "Does Python run in the warehouse (Databricks, Snowflake)?"),
	BOTH("python_compute_cluster_id", "pythonComputeClusterId", TEXTOID, SIGMA_WRITE_DETAILS, "Cluster that Python runs on (Databricks)"),
	READ("is_sample", "isSample", BOOLOID, "Is it the sample connection that Sigma provides?"),
	READ("is_audit_log", "isAuditLog", BOOLOID, "Is it the connection to the audit log?"),
	READ_OR("is_archived", "isArchived", BOOLOID, "false", "Has it been deleted?"),
	READ("last_active_at", "lastActiveAt", TIMESTAMPTZOID, "When it was last used"),
	BOTH("use_oauth", "useOauth", BOOLOID, SIGMA_WRITE_DETAILS, "Do people sign in to the warehouse as themselves?"),
	READ("oauth_metadata_url", "oauthMetadataUrl", TEXTOID, "Metadata URL of the OAuth provider"),
	READ("oauth_client_id", "oauthClientId", TEXTOID, "Client id at the OAuth provider"),
	READ("oauth_scopes", "oauthScopes", JSONBOID, "OAuth scopes, an array of strings"),
	READ("oauth_idp_type", "oauthIdpType", TEXTOID, "Kind of OAuth provider"),
	READ("oauth_use_pkce", "oauthUsePkce", BOOLOID, "Does OAuth use PKCE?"),
	READ("oauth_use_jwt", "oauthUseJwt", BOOLOID, "Does OAuth use JWT assertions?"),
	READ("oauth_audience", "oauthAudience", TEXTOID, "OAuth audience"),
	READ("is_independent_oauth", "isIndependentOAuth", BOOLOID, "Is OAuth set for this connection rather than for the organization?"),
	BOTH("role_switching", "roleSwitching", TEXTOID, SIGMA_WRITE_DETAILS, "May people switch roles (Snowflake with OAuth)?"),
	BOTH("user_attributes", "userAttributes", JSONBOID, SIGMA_WRITE_DETAILS, "User attributes that supply the role or warehouse"),
	READ("timeout", "timeout", JSONBOID, "Time limits of queries in seconds: default, worksheet, dashboard, download"),
	BOTH("pool_sizes", "poolSizes", JSONBOID, SIGMA_WRITE_TOP, "Sizes of the connection pools"),
	READ("friendly_name", "friendlyName", BOOLOID, "Are warehouse names shown in a friendlier form?"),
	READ("write_access", "writeAccess", BOOLOID, "May Sigma write to the warehouse?"),
	READ("writebacks", "writebacks", JSONBOID, "Places that Sigma writes to (without OAuth)"),
	READ("writeback_schemas", "writebackSchemas", JSONBOID, "Places that Sigma writes to (with OAuth)"),
	READ("input_table_audit_log_schema", "inputTableAuditLogSchema", JSONBOID, "Where changes to input tables are recorded"),
	READ("materialization_warehouse", "materializationWarehouse", TEXTOID, "Virtual warehouse that materializations run on"),
	BOTH("exports_warehouse", "exportsWarehouse", TEXTOID, SIGMA_WRITE_DETAILS, "Virtual warehouse that exports run on"),
	ID("organization_id", "organizationId", "Organization that the connection belongs to"),
	ID("created_by", "createdBy", "Member who created it"),
	READ("created_at", "createdAt", TIMESTAMPTZOID, "When it was created"),
	ID("updated_by", "updatedBy", "Member who changed it last"),
	READ("updated_at", "updatedAt", TIMESTAMPTZOID, "When it was changed last"),
	ATTRS,
	WRITE("details", "details", JSONBOID, "Write-only: how to reach the warehouse, with its secrets"),
	WRITE("description", "description", JSONBOID, "Write-only: description, an object"),
	WRITE("timeout_secs", "timeoutSecs", INT4OID, "Write-only: time limit of queries in seconds"),
	WRITE("use_friendly_names", "useFriendlyNames", BOOLOID, "Write-only: show warehouse names in a friendlier form"),
	HIDDEN("server", "server", TEXTOID, "Host name of the warehouse (SQL Server, Azure SQL)"),
	HIDDEN("database", "database", TEXTOID, "Database of the warehouse"),
	HIDDEN("port", "port", INT4OID, "Port of the warehouse"),
	HIDDEN("project_id", "projectId", TEXTOID, "Project (BigQuery)"),
	HIDDEN("additional_project_ids", "additionalProjectIds", JSONBOID, "More projects (BigQuery)"),
	HIDDEN("auth_type", "authType", TEXTOID, "How Sigma signs in: basic-auth, key-pair, oauth (Snowflake)"),
	HIDDEN("endpoint", "endpoint", TEXTOID, "HTTP path of the SQL warehouse, when creating (Databricks)"),
	HIDDEN("workspace_url", "workspaceUrl", TEXTOID, "Workspace (Databricks)"),
	HIDDEN("use_tls", "useTls", BOOLOID, "Connect with TLS (PostgreSQL family)"),
	HIDDEN("audience", "audience", TEXTOID, "OAuth audience, when creating (BigQuery)"),
	SECRET("password", "password", "Write-only: password at the warehouse"),
	SECRET("private_key", "privateKey", "Write-only: private key (Snowflake)"),
	SECRET("private_key_passphrase", "privateKeyPassphrase", "Write-only: passphrase of the private key (Snowflake)"),
	SECRET("token", "token", "Write-only: access token (Databricks)"),
	SECRET("service_account", "serviceAccount", "Write-only: service account's key (BigQuery)"),
};

static const SigmaFilter connection_filters[] = {
	FILTER("name", "search"),
};

const SigmaResource sigma_resource_connections = {
	.name = "connections",
	.comment = "Connections of Sigma to data warehouses",
	.path = "/v2/connections",
	.item_path = "/v2/connections/{connection_id}",
	.key = "connection_id",
	.archived_query = "includeArchived=true",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	.writes = SIGMA_WRITES_CONNECTIONS,
	FIELDS(connection_fields),
	FILTERS(connection_filters),
};

static const SigmaField connection_grant_fields[] = {
	INODE_KEY("connection_id", "connection_id", "Connection that the permission is for"),
	GRANT_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_connection_grants = {
	.name = "connection_grants",
	.comment = "Who may use each connection",
	.path = "/v2/connections/{connection_id}/grants",
	.key = "grant_id",
	.parent = "connections",
	.writes = SIGMA_WRITES_GRANTS,
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(connection_grant_fields),
};

static const SigmaField connection_path_fields[] = {
	INODE("connection_id", "connectionId", "Connection that the path is on"),
	INODE("url_id", "urlId", "Identifier of the database, schema or table"),
	READ("path", "path", JSONBOID, "Names of the database, the schema and the table, as far as it goes; an array"),
	ATTRS,
};

static const SigmaFilter connection_path_filters[] = {
	FILTER("connection_id", "connectionId"),
};

const SigmaResource sigma_resource_connection_paths = {
	.name = "connection_paths",
	.comment = "Databases, schemas and tables that Sigma knows on the connections",
	.path = "/v2/connections/paths",
	.key = "url_id",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(connection_path_fields),
	FILTERS(connection_path_filters),
};

static const SigmaField connection_path_grant_fields[] = {
	INODE_KEY("connection_path_id", "url_id", "Database, schema or table that the permission is for: url_id of connection_paths"),
	GRANT_FIELDS,
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_connection_path_grants = {
	.name = "connection_path_grants",
	.comment = "Who may use each database, schema or table of a connection",
	.path = "/v2/connections/paths/{connection_path_id}/grants",
	.key = "grant_id",
	.parent = "connection_paths",
	.paging = SIGMA_PAGING_PAGE,
	FIELDS(connection_path_grant_fields),
};

static const SigmaField connection_table_column_fields[] = {
	INODE_KEY("table_id", "url_id", "Table that has the column: url_id of connection_paths, or an inode_id of sources"),
	READ("name", "name", TEXTOID, "Name of the column in the warehouse"),
	READ("type", "type", JSONBOID, "Type of the column, an object"),
	READ("visibility", "visibility", TEXTOID, "Is it shown in Sigma: included, hidden, removed"),
	READ("description", "description", TEXTOID, "Description of the column"),
	ATTRS,
	ERROR_COLUMN,
};

const SigmaResource sigma_resource_connection_table_columns = {
	.name = "connection_table_columns",
	.comment = "Columns of the warehouse tables that Sigma knows",
	.path = "/v2/connections/tables/{table_id}/columns",
	.key = "name",
	.parent = "connection_paths",
	.paging = SIGMA_PAGING_PAGE_TOKEN,
	FIELDS(connection_table_column_fields),
};

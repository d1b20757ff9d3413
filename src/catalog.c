/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The Sigma resources, as one constant table.
 *
 * A new resource is a new entry here and nothing else.  Column names are the
 * API's field names in snake_case, in the order in which a person wants to
 * see them; types are those of the published description, with jsonb for
 * objects and arrays.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "catalog/pg_type_d.h"

/* Rows of the tables of fields, by what can be done with the column. */
#define READ(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, NULL, comment}
#define READ_OR(column, field, type, absent, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_NOWHERE, false, absent, comment}
#define BOTH(column, field, type, where, comment) \
	{column, field, type, SIGMA_FROM_FIELD, where, false, NULL, comment}
#define WRITE(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_NOWHERE, SIGMA_WRITE_TOP, false, NULL, comment}
#define HIDDEN(column, field, type, comment) \
	{column, field, type, SIGMA_FROM_FIELD, SIGMA_WRITE_DETAILS, true, NULL, comment}
#define SECRET(column, field, comment) \
	{column, field, TEXTOID, SIGMA_FROM_NOWHERE, SIGMA_WRITE_DETAILS, true, NULL, comment}
/* a key of the parent, under the parent's column of this name */
#define KEY(column, parent_column, comment) \
	{column, parent_column, TEXTOID, SIGMA_FROM_KEY, SIGMA_WRITE_NOWHERE, false, NULL, comment}
/* at the end of every resource */
#define ATTRS \
	{"attrs", NULL, JSONBOID, SIGMA_FROM_ENTRY, SIGMA_WRITE_NOWHERE, false, NULL, \
	"The whole entry as Sigma sent it"}
/* behind it, if the resource stands below a parent */
#define ERROR_COLUMN \
	{"_error", NULL, JSONBOID, SIGMA_FROM_ERROR, SIGMA_WRITE_NOWHERE, false, NULL, \
	"Why this parent's list could not be read, with on_error 'row'; else null"}

static const SigmaField connection_fields[] = {
	READ("connection_id", "connectionId", TEXTOID, "Identifier of the connection"),
	BOTH("name", "name", TEXTOID, SIGMA_WRITE_TOP, "Display name"),
	BOTH("type", "type", TEXTOID, SIGMA_WRITE_DETAILS, "Kind of data warehouse: snowflake, postgres, bigQuery, ..."),
	BOTH("account", "account", TEXTOID, SIGMA_WRITE_DETAILS, "Account at the warehouse's provider (Snowflake)"),
	BOTH("host", "host", TEXTOID, SIGMA_WRITE_DETAILS, "Host name of the warehouse"),
	BOTH("warehouse", "warehouse", TEXTOID, SIGMA_WRITE_DETAILS, "Virtual warehouse that queries run on (Snowflake)"),
	BOTH("user", "user", TEXTOID, SIGMA_WRITE_DETAILS, "User that Sigma signs in to the warehouse as"),
	BOTH("role", "role", TEXTOID, SIGMA_WRITE_DETAILS, "Role that Sigma takes in the warehouse"),
	READ("http_path", "httpPath", TEXTOID, "HTTP path of the SQL warehouse (Databricks)"),
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
	READ("organization_id", "organizationId", TEXTOID, "Organization that the connection belongs to"),
	READ("created_by", "createdBy", TEXTOID, "Member who created it"),
	READ("created_at", "createdAt", TIMESTAMPTZOID, "When it was created"),
	READ("updated_by", "updatedBy", TEXTOID, "Member who changed it last"),
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
	{"name", "search"},
};

static const SigmaResource connections = {
	.name = "connections",
	.comment = "Connections of Sigma to data warehouses",
	.path = "/v2/connections",
	.item_path = "/v2/connections/{connection_id}",
	.key = "connection_id",
	.archived_query = "includeArchived=true",
	.archived_field = "isArchived",
	.paging = SIGMA_PAGING_PAGE,
	.creatable = true,
	.fields = connection_fields,
	.nfields = lengthof(connection_fields),
	.filters = connection_filters,
	.nfilters = lengthof(connection_filters),
};

const SigmaResource *const sigma_resources[] = {
	&connections,
};

const int	sigma_nresources = lengthof(sigma_resources);

/* The resource of a name, or NULL. */
const SigmaResource *
sigma_find_resource(const char *name)
{
	for (int i = 0; i < sigma_nresources; i++)
		if (strcmp(sigma_resources[i]->name, name) == 0)
			return sigma_resources[i];
	return NULL;
}

/* The name of the resource that may have been meant, or NULL. */
const char *
sigma_closest_resource(const char *name)
{
	const char *names[lengthof(sigma_resources)];

	for (int i = 0; i < sigma_nresources; i++)
		names[i] = sigma_resources[i]->name;
	return sigma_closest(name, names, sigma_nresources);
}

/* The field behind a column's SQL name, or NULL. */
const SigmaField *
sigma_find_field(const SigmaResource *resource, const char *column)
{
	for (int i = 0; i < resource->nfields; i++)
		if (strcmp(resource->fields[i].column, column) == 0)
			return &resource->fields[i];
	return NULL;
}

/* The field of an API name, or NULL. */
const SigmaField *
sigma_find_api_field(const SigmaResource *resource, const char *field)
{
	for (int i = 0; i < resource->nfields; i++)
		if (resource->fields[i].field && strcmp(resource->fields[i].field, field) == 0)
			return &resource->fields[i];
	return NULL;
}

/* The column name that may have been meant, or NULL. */
const char *
sigma_closest_column(const SigmaResource *resource, const char *column)
{
	const char **names = palloc(resource->nfields * sizeof(char *));

	for (int i = 0; i < resource->nfields; i++)
		names[i] = resource->fields[i].column;
	return sigma_closest(column, names, resource->nfields);
}

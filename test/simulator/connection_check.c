/*-------------------------------------------------------------------------
 *
 * connection_check.c
 *	  Is a body fit for making a connection?
 *
 * What each type of connection wants stands in tables.  A problem names the
 * field, never its value: the value may be a secret.  Unknown fields are let
 * through, as the API's description allows them.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "simulator.h"

typedef enum FieldKind
{
	FIELD_STRING,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_BOOLEAN_OR_NULL,
	FIELD_WORD,					/* a string out of a list */
	FIELD_WORD_OR_NULL,
	FIELD_STRINGS,				/* array of strings */
	FIELD_OBJECT,
	FIELD_OBJECTS,				/* array of objects */
	FIELD_SECRET,				/* string, or a reference to a secret manager */
	FIELD_PASSWORD				/* the same, or {type: plain, value} */
} FieldKind;

typedef struct FieldRule
{
	const char *name;
	FieldKind	kind;
	bool		required;
	const struct FieldRule *fields; /* of an object */
	const char *const *words;
} FieldRule;

typedef struct Problem
{
	char	   *text;
	size_t		size;
} Problem;

typedef struct Variant
{
	const char *types[4];
	const FieldRule *fields;
	bool		(*check) (const cJSON *details, Problem *problem);
} Variant;

#define END_OF_FIELDS {NULL, FIELD_STRING, false, NULL, NULL}
#define MUST(name, kind) {name, kind, true, NULL, NULL}
#define MAY(name, kind) {name, kind, false, NULL, NULL}
#define MAY_OBJECT(name, fields) {name, FIELD_OBJECT, false, fields, NULL}
#define MAY_OBJECTS(name, fields) {name, FIELD_OBJECTS, false, fields, NULL}

static const char *const auth_types[] = {"basic-auth", "key-pair", "oauth", NULL};
static const char *const role_switchings[] = {"allRoles", "disabled", NULL};
static const char *const idp_types[] = {
	"aws_databricks", "azure_databricks", "gcp_databricks", "azuread", "auth0",
	"adfs", "okta", "ping", "snowflake", "unknown", NULL
};

static const FieldRule write_schema[] = {
	MUST("writeSchema", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule write_dataset[] = {
	MUST("writeProject", FIELD_STRING), MUST("writeDataset", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule write_database_schema[] = {
	MUST("writeDatabase", FIELD_STRING), MUST("writeSchema", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule write_catalog_schema[] = {
	MUST("writeCatalog", FIELD_STRING), MUST("writeSchema", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule snowflake_write[] = {
	MAY("writeDatabase", FIELD_STRING), MAY("writeSchema", FIELD_STRING),
	MAY("materializationWarehouse", FIELD_STRING), MAY("useDynamicTables", FIELD_BOOLEAN),
	END_OF_FIELDS
};
static const FieldRule database_writebacks[] = {
	MUST("writeDatabase", FIELD_STRING), MUST("writeSchema", FIELD_STRING),
	MAY("writebackSchemaId", FIELD_STRING), MAY("description", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule catalog_writebacks[] = {
	MUST("writeCatalog", FIELD_STRING), MUST("writeSchema", FIELD_STRING),
	MAY("writebackSchemaId", FIELD_STRING), MAY("description", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule role_and_warehouse[] = {
	MAY("role", FIELD_STRING), MAY("warehouse", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule endpoint_attribute[] = {
	MUST("endpoint", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule python_user[] = {
	MUST("username", FIELD_STRING), MUST("password", FIELD_STRING),
	MAY("role", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule python_secrets[] = {
	MAY_OBJECT("setupUser", python_user), MAY_OBJECT("pythonUser", python_user), END_OF_FIELDS
};
static const FieldRule python_properties[] = {
	MAY("serviceNames", FIELD_STRINGS), MAY("externalAccessIntegration", FIELD_STRING),
	MAY("warehouse", FIELD_STRING), MAY("packages", FIELD_STRING), END_OF_FIELDS
};

#define OAUTH_FIELDS \
	MAY("metadataUrl", FIELD_STRING), MAY("clientId", FIELD_STRING), \
	MAY("clientSecret", FIELD_SECRET), MAY("scopes", FIELD_STRINGS), \
	{"idpType", FIELD_WORD_OR_NULL, false, NULL, idp_types}, \
	MAY("usePkce", FIELD_BOOLEAN_OR_NULL), MAY("useJwt", FIELD_BOOLEAN_OR_NULL)

#define SOURCE_SWAP_FIELDS \
	MAY("useSourceSwapPolicy", FIELD_BOOLEAN), MAY("sourceSwapPolicyId", FIELD_STRING)

#define SQL_SERVER_FIELDS \
	MUST("server", FIELD_STRING), MUST("port", FIELD_NUMBER), \
	MUST("user", FIELD_STRING), MUST("password", FIELD_PASSWORD), \
	MAY("useReadUncommittedIsolation", FIELD_BOOLEAN), \
	MAY_OBJECT("writeAccess", write_database_schema)

static const FieldRule postgres_fields[] = {
	MUST("host", FIELD_STRING), MUST("database", FIELD_STRING),
	MAY("user", FIELD_STRING), MAY("password", FIELD_PASSWORD),
	MAY("port", FIELD_NUMBER), MAY("useTls", FIELD_BOOLEAN),
	MAY_OBJECT("writeAccess", write_schema), END_OF_FIELDS
};
static const FieldRule bigquery_fields[] = {
	MUST("projectId", FIELD_STRING), MAY("additionalProjectIds", FIELD_STRINGS),
	MAY("serviceAccount", FIELD_SECRET), MAY("useOauth", FIELD_BOOLEAN),
	MAY("audience", FIELD_STRING), OAUTH_FIELDS,
	MAY_OBJECT("writeAccess", write_dataset), END_OF_FIELDS
};
static const FieldRule snowflake_fields[] = {
	MAY("server", FIELD_STRING), MAY("account", FIELD_STRING), MAY("host", FIELD_STRING),
	MAY("warehouse", FIELD_STRING), MAY("role", FIELD_STRING),
	{"authType", FIELD_WORD, false, NULL, auth_types},
	MAY("user", FIELD_STRING), MAY("password", FIELD_PASSWORD),
	MAY("privateKey", FIELD_SECRET), MAY("privateKeyPassphrase", FIELD_SECRET),
	MAY("useOauth", FIELD_BOOLEAN), MAY("usePython", FIELD_BOOLEAN),
	MAY_OBJECT("pythonSecrets", python_secrets),
	MAY_OBJECT("pythonProperties", python_properties),
	SOURCE_SWAP_FIELDS, OAUTH_FIELDS, MAY("exportsWarehouse", FIELD_STRING),
	MAY_OBJECT("writeAccess", snowflake_write),
	MAY_OBJECT("userAttributes", role_and_warehouse),
	MAY_OBJECTS("writebackSchemas", database_writebacks),
	MAY_OBJECT("inputTableAuditLogSchema", database_writebacks),
	{"roleSwitching", FIELD_WORD, false, NULL, role_switchings}, END_OF_FIELDS
};
static const FieldRule databricks_fields[] = {
	MUST("host", FIELD_STRING), MAY("endpoint", FIELD_STRING),
	MAY_OBJECT("userAttributes", endpoint_attribute),
	MAY("token", FIELD_SECRET), MAY("useOauth", FIELD_BOOLEAN),
	MAY("workspaceUrl", FIELD_STRING), MAY("enableHiveMetastore", FIELD_BOOLEAN),
	MAY("usePython", FIELD_BOOLEAN), MAY("pythonComputeClusterId", FIELD_STRING),
	SOURCE_SWAP_FIELDS, OAUTH_FIELDS,
	MAY_OBJECT("writeAccess", write_catalog_schema),
	MAY_OBJECTS("writebackSchemas", catalog_writebacks),
	MAY_OBJECT("inputTableAuditLogSchema", catalog_writebacks), END_OF_FIELDS
};
static const FieldRule mysql_fields[] = {
	MUST("user", FIELD_STRING), MUST("password", FIELD_PASSWORD),
	MUST("host", FIELD_STRING), MUST("port", FIELD_NUMBER),
	MAY_OBJECT("writeAccess", write_schema), END_OF_FIELDS
};
static const FieldRule azuresql_fields[] = {
	SQL_SERVER_FIELDS, MUST("database", FIELD_STRING), END_OF_FIELDS
};
static const FieldRule sqlserver_fields[] = {SQL_SERVER_FIELDS, END_OF_FIELDS};
static const FieldRule starburst_fields[] = {
	MUST("host", FIELD_STRING), MUST("port", FIELD_NUMBER),
	MUST("user", FIELD_STRING), MUST("password", FIELD_PASSWORD),
	MAY_OBJECT("writeAccess", write_catalog_schema), END_OF_FIELDS
};

static const FieldRule pool_sizes[] = {
	MAY("isPoolConfigured", FIELD_BOOLEAN), MAY("adhocPoolSize", FIELD_NUMBER),
	MAY("schedulePoolSize", FIELD_NUMBER), MAY("catalogPoolSize", FIELD_NUMBER),
	MAY("resultPoolSize", FIELD_NUMBER), END_OF_FIELDS
};
static const FieldRule top_fields[] = {
	MUST("name", FIELD_STRING), MUST("details", FIELD_OBJECT),
	MAY("description", FIELD_OBJECT), MAY_OBJECT("poolSizes", pool_sizes),
	MAY("timeoutSecs", FIELD_NUMBER), MAY("useFriendlyNames", FIELD_BOOLEAN), END_OF_FIELDS
};
static const FieldRule restore_field[] = {MAY("restore", FIELD_BOOLEAN), END_OF_FIELDS};

static bool check_snowflake(const cJSON *details, Problem *problem);
static bool check_databricks(const cJSON *details, Problem *problem);

static const Variant variants[] = {
	{{"postgres", "redshift", "alloydb"}, postgres_fields, NULL},
	{{"bigQuery"}, bigquery_fields, NULL},
	{{"snowflake"}, snowflake_fields, check_snowflake},
	{{"databricks"}, databricks_fields, check_databricks},
	{{"mysql"}, mysql_fields, NULL},
	{{"azuresql"}, azuresql_fields, NULL},
	{{"sqlserver"}, sqlserver_fields, NULL},
	{{"starburst"}, starburst_fields, NULL}
};

/* Say what is wrong with a field; always false, for the callers' return. */
static bool
wrong(Problem *problem, const char *prefix, const char *name, const char *what)
{
	snprintf(problem->text, problem->size, "%s%s %s", prefix, name, what);
	return false;
}

static bool
has(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

static bool check_fields(const cJSON *object, const FieldRule *rules,
						 const char *prefix, Problem *problem);

static bool
is_secret_ref(const cJSON *item)
{
	return cJSON_IsObject(item) && json_string(item, "secretManagerId") &&
		json_string(item, "secretId");
}

static bool
is_plain_password(const cJSON *item)
{
	const char *type = json_string(item, "type");

	return type && strcmp(type, "plain") == 0 && json_string(item, "value");
}

static bool
is_string_array(const cJSON *item)
{
	const cJSON *element;

	if (!cJSON_IsArray(item))
		return false;
	cJSON_ArrayForEach(element, item)
	{
		if (!cJSON_IsString(element))
			return false;
	}
	return true;
}

static bool
is_word(const cJSON *item, const char *const *words)
{
	if (!cJSON_IsString(item))
		return false;
	for (; *words; words++)
	{
		if (strcmp(*words, item->valuestring) == 0)
			return true;
	}
	return false;
}

/* What a value of this kind must be, or NULL if the item is such a one. */
static const char *
check_scalar(const cJSON *item, const FieldRule *rule)
{
	switch (rule->kind)
	{
		case FIELD_STRING:
			return cJSON_IsString(item) ? NULL : "must be a string";
		case FIELD_NUMBER:
			return cJSON_IsNumber(item) ? NULL : "must be a number";
		case FIELD_BOOLEAN:
			return cJSON_IsBool(item) ? NULL : "must be a boolean";
		case FIELD_BOOLEAN_OR_NULL:
			return cJSON_IsBool(item) || cJSON_IsNull(item) ? NULL : "must be a boolean or null";
		case FIELD_WORD:
			return is_word(item, rule->words) ? NULL : "is not one of the known values";
		case FIELD_WORD_OR_NULL:
			return cJSON_IsNull(item) || is_word(item, rule->words) ? NULL :
				"is not one of the known values";
		case FIELD_STRINGS:
			return is_string_array(item) ? NULL : "must be an array of strings";
		case FIELD_SECRET:
			return cJSON_IsString(item) || is_secret_ref(item) ? NULL :
				"must be a string or a reference to a secret";
		case FIELD_PASSWORD:
			return cJSON_IsString(item) || is_secret_ref(item) || is_plain_password(item) ? NULL :
				"must be a string, a plain password or a reference to a secret";
		case FIELD_OBJECT:
			return cJSON_IsObject(item) ? NULL : "must be an object";
		case FIELD_OBJECTS:
			return cJSON_IsArray(item) ? NULL : "must be an array";
	}
	return NULL;
}

static bool
check_field(const cJSON *item, const FieldRule *rule, const char *prefix, Problem *problem)
{
	const char *what = check_scalar(item, rule);
	char		inner[256];
	const cJSON *element;
	int			i = 0;

	if (what)
		return wrong(problem, prefix, rule->name, what);
	if (rule->fields == NULL)
		return true;
	if (rule->kind == FIELD_OBJECT)
	{
		snprintf(inner, sizeof(inner), "%s%s.", prefix, rule->name);
		return check_fields(item, rule->fields, inner, problem);
	}
	cJSON_ArrayForEach(element, item)
	{
		snprintf(inner, sizeof(inner), "%s%s[%d].", prefix, rule->name, i++);
		if (!cJSON_IsObject(element))
			return wrong(problem, prefix, rule->name, "must be an array of objects");
		if (!check_fields(element, rule->fields, inner, problem))
			return false;
	}
	return true;
}

static bool
check_fields(const cJSON *object, const FieldRule *rules, const char *prefix, Problem *problem)
{
	for (; rules->name; rules++)
	{
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, rules->name);

		if (item == NULL && rules->required)
			return wrong(problem, prefix, rules->name, "is required");
		if (item && !check_field(item, rules, prefix, problem))
			return false;
	}
	return true;
}

/* Exactly one way to sign in: password, key pair or OAuth. */
static bool
check_snowflake(const cJSON *details, Problem *problem)
{
	const cJSON *oauth = cJSON_GetObjectItemCaseSensitive(details, "useOauth");
	const cJSON *write = cJSON_GetObjectItemCaseSensitive(details, "writeAccess");
	int			ways = has(details, "password") + has(details, "privateKey") +
		cJSON_IsTrue(oauth);

	if (ways == 0 && cJSON_IsFalse(oauth))
		return wrong(problem, "details.", "useOauth", "must be true, if given alone");
	if (ways == 0)
		return wrong(problem, "details", "", "needs one of password, privateKey and useOauth");
	if (ways > 1)
		return wrong(problem, "details", "",
					 "must have only one of password, privateKey and useOauth");
	if (!cJSON_IsTrue(oauth) && !has(details, "user"))
		return wrong(problem, "details.", "user", "is required");
	if (write && has(write, "writeDatabase") != has(write, "writeSchema"))
		return wrong(problem, "details.writeAccess.",
					 has(write, "writeSchema") ? "writeDatabase" : "writeSchema", "is required");
	return true;
}

/* Exactly one place for the endpoint, and exactly one way to sign in. */
static bool
check_databricks(const cJSON *details, Problem *problem)
{
	const cJSON *oauth = cJSON_GetObjectItemCaseSensitive(details, "useOauth");
	int			ways = has(details, "token") + cJSON_IsTrue(oauth);

	if (has(details, "endpoint") && has(details, "userAttributes"))
		return wrong(problem, "details", "", "must have only one of endpoint and userAttributes");
	if (!has(details, "endpoint") && !has(details, "userAttributes"))
		return wrong(problem, "details.", "endpoint", "is required");
	if (ways == 0)
		return wrong(problem, "details", "", "needs one of token and useOauth");
	if (ways > 1)
		return wrong(problem, "details", "", "must have only one of token and useOauth");
	return true;
}

static const Variant *
find_variant(const char *type)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
	{
		for (int j = 0; j < 4 && variants[i].types[j]; j++)
		{
			if (strcmp(variants[i].types[j], type) == 0)
				return &variants[i];
		}
	}
	return NULL;
}

/* Check the body of a POST or PUT; if it is not fit, say why. */
bool
connection_check(const cJSON *body, bool is_put, char *text, size_t size)
{
	Problem		problem = {text, size};
	const cJSON *details;
	const cJSON *type;
	const Variant *variant;

	if (!check_fields(body, top_fields, "", &problem))
		return false;
	if (is_put && !check_fields(body, restore_field, "", &problem))
		return false;
	if (*json_string(body, "name") == '\0')
		return wrong(&problem, "", "name", "must not be empty");
	details = cJSON_GetObjectItemCaseSensitive(body, "details");
	type = cJSON_GetObjectItemCaseSensitive(details, "type");
	if (type == NULL)
		return wrong(&problem, "details.", "type", "is required");
	if (!cJSON_IsString(type))
		return wrong(&problem, "details.", "type", "must be a string");
	variant = find_variant(type->valuestring);
	if (variant == NULL)
		return wrong(&problem, "details.", "type", "is not a known connection type");
	if (!check_fields(details, variant->fields, "details.", &problem))
		return false;
	return variant->check == NULL || variant->check(details, &problem);
}

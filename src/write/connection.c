/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  What a connection is made of: the body of the request that makes or
 *	  replaces one, and the entry that Sigma will show of it.
 *
 * Sigma shows only a part of what a connection is made from, under other
 * names in part, and never a secret.  A replacement (PUT) loses whatever is
 * not sent.  So what Sigma does show is sent back with it, unless the
 * statement says otherwise; what it does not show must be in "details".
 *
 * The names of the members are those of the API's published description.
 * Makes no request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "write/write_internal.h"

/* A field that Sigma shows, and the member of "details" that it comes from. */
typedef struct Shown
{
	const char *field;
	const char *member;
	const char *type;			/* of the connections that have it; NULL: any */
	bool		perhaps;		/* not all of the published descriptions list it */
} Shown;

static const Shown shown[] = {
	{"account", "account", NULL, false},
	{"host", "host", NULL, true},
	{"warehouse", "warehouse", NULL, false},
	{"user", "user", NULL, false},
	{"role", "role", NULL, false},
	{"httpPath", "endpoint", NULL, true},
	{"exportsWarehouse", "exportsWarehouse", NULL, false},
	{"oauthMetadataUrl", "metadataUrl", NULL, false},
	{"oauthClientId", "clientId", NULL, false},
	{"oauthScopes", "scopes", NULL, false},
	{"oauthIdpType", "idpType", NULL, false},
	{"oauthUsePkce", "usePkce", NULL, false},
	{"oauthUseJwt", "useJwt", NULL, false},
	{"oauthAudience", "audience", NULL, false},
	{"roleSwitching", "roleSwitching", NULL, false},
	{"enableHiveMetastore", "enableHiveMetastore", NULL, true},
	{"usePython", "usePython", NULL, true},
	{"pythonComputeClusterId", "pythonComputeClusterId", NULL, true},
	/* of Databricks, which has them too, they are not shown */
	{"userAttributes", "userAttributes", "snowflake", false},
};

/* What a replacement leaves as it is. */
static const char *const identity[] = {
	"organizationId", "connectionId", "isSample", "isAuditLog", "lastActiveAt", "createdBy",
	"updatedBy", "createdAt", "updatedAt", "isArchived",
};

/* --------------------------------------------------------- members of objects */

/* A value's JSON text in the database's encoding. */
static char *
value_text(const SigmaJsonValue *value)
{
	return sigma_from_utf8(value->text.data, value->text.length);
}

/* Writes a member with the value that an object has under another name, if it has it. */
static bool
copy_member(StringInfo out, const char *name, const SigmaJsonValue *object, const char *from)
{
	SigmaJsonValue value;

	if (!sigma_json_member(object, from, &value))
		return false;
	sigma_json_add_value(out, name, &value);
	return true;
}

/* ------------------------------------------------------------------- bodies */

static bool
member_equals(const JsonbValue *member, Datum typed)
{
	JsonbValue	copy = *member;

	return compareJsonbContainers(&JsonbValueToJsonb(&copy)->root,
								  &DatumGetJsonbP(typed)->root) == 0;
}

static bool
find_in_details(Datum details, const char *name, JsonbValue *member)
{
	return getKeyJsonValueFromContainer(&DatumGetJsonbP(details)->root, name, (int) strlen(name),
										member) != NULL;
}

const char *
sigma_connection_body(const char *name, const Datum *details, List *typed, List **secrets)
{
	StringInfoData body;
	Datum		merged = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	ListCell   *lc;
	JsonbValue	member;
	Jsonb	   *root;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a name"),
				 errhint("Give a value for \"name\".")));
	if (details && !JB_ROOT_IS_OBJECT(DatumGetJsonbP(*details)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"details\" must be a JSON object")));
	if (details)
		merged = *details;

	sigma_json_begin_object(&body);
	sigma_json_add_text(&body, "name", sigma_text_to_json(name));
	foreach(lc, typed)
	{
		SigmaTyped *t = lfirst(lc);
		StringInfoData pair;
		Datum		value;

		if (t->json == NULL)
			continue;
		if (t->write != SIGMA_WRITE_DETAILS)
		{
			sigma_json_add_text(&body, t->field, t->json);
			continue;
		}
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(t->json));
		if (find_in_details(merged, t->field, &member))
		{
			if (!t->inherited && !member_equals(&member, value))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("column \"%s\" contradicts \"%s\" in \"details\"", t->column, t->field),
						 errhint("Give the value in one of the two places, or the same in both.")));
			continue;
		}
		initStringInfo(&pair);
		appendStringInfo(&pair, "{%s:%s}", sigma_text_to_json(t->field), t->json);
		merged = DirectFunctionCall2(jsonb_concat, merged,
									 DirectFunctionCall1(jsonb_in, CStringGetDatum(pair.data)));
	}

	root = DatumGetJsonbP(merged);
	if (!find_in_details(merged, "type", &member) ||
		member.type != jbvString || member.val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a type"),
				 errhint("Give a value for \"type\", such as 'snowflake', in its column or in \"details\".")));
	*secrets = sigma_json_secrets(*secrets, merged, true);
	sigma_json_add_text(&body, "details", JsonbToCString(NULL, &root->root, VARSIZE(root)));
	return sigma_json_end_object(&body).data;
}

Datum
sigma_details_in(char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile Datum details = (Datum) 0;

	PG_TRY();
	{
		details = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("\"details\" is not valid JSON, or not for jsonb")));
	}
	PG_END_TRY();
	return details;
}

char *
sigma_connection_unshown(const char *type)
{
	static const struct
	{
		const char *types;		/* each with blanks around it */
		const char *members;
	}			unshown[] =
	{
		{" postgres redshift alloydb ", "host, port, database, password, useTls"},
		{" bigQuery ", "projectId, additionalProjectIds, serviceAccount, clientSecret"},
		{" snowflake ", "server, authType, password, privateKey, privateKeyPassphrase, clientSecret, usePython, "
		"pythonSecrets, pythonProperties, useSourceSwapPolicy, sourceSwapPolicyId, writeAccess.useDynamicTables"},
		{" databricks ", "host, endpoint, userAttributes, token, workspaceUrl, clientSecret, enableHiveMetastore, usePython, "
		"pythonComputeClusterId, useSourceSwapPolicy, sourceSwapPolicyId"},
		{" mysql starburst ", "host, port, password"},
		{" azuresql sqlserver ", "server, port, database, password, useReadUncommittedIsolation"},
	};
	StringInfoData s;
	char	   *word = type ? psprintf(" %s ", type) : NULL;

	initStringInfo(&s);
	for (int i = 0; i < (int) lengthof(unshown); i++)
	{
		if (word && strstr(unshown[i].types, word))
		{
			appendStringInfo(&s, "%s; ", unshown[i].members);
			break;
		}
		if (word == NULL)
			appendStringInfo(&s, "of%.*s: %s; ", (int) strlen(unshown[i].types) - 1, unshown[i].types,
							 unshown[i].members);
	}
	appendStringInfoString(&s, "description, and time limits other than the default");
	return s.data;
}

/* --------------------------------------------- what a replacement sends back */

/* Has the list a value, or a NULL, for this field of the API? */
static bool
is_typed(List *typed, const char *field)
{
	ListCell   *lc;

	foreach(lc, typed)
	{
		if (strcmp(((SigmaTyped *) lfirst(lc))->field, field) == 0)
			return true;
	}
	return false;
}

/* Adds a value to the list, unless the statement says something else. */
static List *
inherit(List *typed, const char *field, SigmaWriteTo write, char *json)
{
	SigmaTyped *t;

	if (is_typed(typed, field))
		return typed;
	t = palloc0(sizeof(SigmaTyped));
	t->column = t->field = field;
	t->write = write;
	t->json = json;
	t->inherited = true;
	return lappend(typed, t);
}

/* What "details" calls the outer level of a place that Sigma writes to; or NULL. */
static const char *
outer_name(const char *type)
{
	if (strcmp(type, "snowflake") == 0 || strcmp(type, "azuresql") == 0 ||
		strcmp(type, "sqlserver") == 0)
		return "writeDatabase";
	if (strcmp(type, "databricks") == 0 || strcmp(type, "starburst") == 0)
		return "writeCatalog";
	return strcmp(type, "bigQuery") == 0 ? "writeProject" : NULL;
}

static const char *
inner_name(const char *type)
{
	return strcmp(type, "bigQuery") == 0 ? "writeDataset" : "writeSchema";
}

/*
 * A place that Sigma writes to, from how it is shown to how it is sent: as one
 * of several, or as the member "writeAccess".
 */
static char *
place_to_details(const char *type, const SigmaJsonValue *place, bool is_access,
				 const SigmaJsonValue *warehouse)
{
	StringInfoData s;

	sigma_json_begin_object(&s);
	if (place && outer_name(type))
		(void) copy_member(&s, outer_name(type), place, "database");
	if (place)
		(void) copy_member(&s, inner_name(type), place, "schema");
	if (place && !is_access)
	{
		(void) copy_member(&s, "writebackSchemaId", place, "writebackSchemaId");
		(void) copy_member(&s, "description", place, "description");
	}
	if (warehouse)
		sigma_json_add_value(&s, "materializationWarehouse", warehouse);
	(void) sigma_json_end_object(&s);
	return sigma_from_utf8(s.data, s.len);
}

/* Where Sigma writes to. */
static List *
inherit_places(List *typed, const char *type, const SigmaJsonValue *entry)
{
	SigmaJsonValue places;
	SigmaJsonValue place = {.kind = SIGMA_JSON_NULL};
	SigmaJsonValue warehouse;
	SigmaJsonValue element;
	bool		has_warehouse = sigma_json_member(entry, "materializationWarehouse", &warehouse);
	const char *cursor = NULL;
	int			n = 0;

	if (sigma_json_member(entry, "writebacks", &places) && places.kind == SIGMA_JSON_ARRAY)
		while (sigma_json_next_element(&places, &cursor, &element))
			if (n++ == 0)
				place = element;
	/* a replacement can say but one, so the others would be lost */
	if (n == 1 || (n == 0 && has_warehouse))
		typed = inherit(typed, "writeAccess", SIGMA_WRITE_DETAILS,
						place_to_details(type, n ? &place : NULL, true, has_warehouse ? &warehouse : NULL));
	if (sigma_json_member(entry, "writebackSchemas", &places) && places.kind == SIGMA_JSON_ARRAY)
	{
		StringInfoData s;

		initStringInfo(&s);
		cursor = NULL;
		while (sigma_json_next_element(&places, &cursor, &element))
			appendStringInfo(&s, "%s%s", s.len ? "," : "[", place_to_details(type, &element, false, NULL));
		if (s.len)
		{
			appendStringInfoChar(&s, ']');
			typed = inherit(typed, "writebackSchemas", SIGMA_WRITE_DETAILS, s.data);
		}
	}
	if (sigma_json_member(entry, "inputTableAuditLogSchema", &place))
		typed = inherit(typed, "inputTableAuditLogSchema", SIGMA_WRITE_DETAILS,
						place_to_details(type, &place, false, NULL));
	return typed;
}

char *
sigma_details_type(Datum details)
{
	JsonbValue	member;

	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(details)) || !find_in_details(details, "type", &member) ||
		member.type != jbvString)
		return NULL;
	return pnstrdup(member.val.string.val, member.val.string.len);
}

/* The type of connection that a replacement makes; NULL if it does not say. */
static char *
new_type(const Datum *details, List *typed)
{
	char	   *type = details ? sigma_details_type(*details) : NULL;
	ListCell   *lc;

	if (type)
		return type;
	foreach(lc, typed)
	{
		SigmaTyped *t = lfirst(lc);
		Datum		text;

		if (strcmp(t->field, "type") != 0 || t->json == NULL)
			continue;
		text = DirectFunctionCall1(jsonb_in, CStringGetDatum(t->json));
		if (JB_ROOT_IS_SCALAR(DatumGetJsonbP(text)) &&
			getIthJsonbValueFromContainer(&DatumGetJsonbP(text)->root, 0)->type == jbvString)
		{
			JsonbValue *value = getIthJsonbValueFromContainer(&DatumGetJsonbP(text)->root, 0);

			return pnstrdup(value->val.string.val, value->val.string.len);
		}
	}
	return NULL;
}

/* Does the field say how people sign in to the warehouse as themselves? */
static bool
is_of_oauth(const char *field)
{
	return strncmp(field, "oauth", strlen("oauth")) == 0 || strcmp(field, "roleSwitching") == 0;
}

/* Do "details" say that a connection is not to use OAuth (any more)? */
static bool
leaves_oauth(Datum details)
{
	static const char *const others[] = {"password", "privateKey", "token"};
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(details)))
		return false;
	if (find_in_details(details, "useOauth", &value))
		return value.type == jbvBool && !value.val.boolean;
	for (int i = 0; i < (int) lengthof(others); i++)
		if (find_in_details(details, others[i], &value) && value.type != jbvNull)
			return true;
	return false;
}

const char *
sigma_replacement_body(SigmaSpan entry, const char *name, const Datum *details, List *typed,
					   List **secrets)
{
	SigmaJsonValue object = sigma_json_object(entry);
	SigmaJsonValue value;
	SigmaJsonValue limit;
	char	   *old_type = sigma_json_member_text(&object, "type");
	char	   *type = new_type(details, typed);
	bool		no_oauth = details && leaves_oauth(*details);

	if (type == NULL)
		type = old_type;
	if (sigma_json_member(&object, "poolSizes", &value))
		typed = inherit(typed, "poolSizes", SIGMA_WRITE_TOP, value_text(&value));
	if (sigma_json_member(&object, "timeout", &value) && sigma_json_member(&value, "default", &limit))
		typed = inherit(typed, "timeoutSecs", SIGMA_WRITE_TOP, value_text(&limit));
	if (sigma_json_member(&object, "friendlyName", &value))
		typed = inherit(typed, "useFriendlyNames", SIGMA_WRITE_TOP, value_text(&value));

	/* what belongs to another kind of warehouse is of no use */
	if (type == NULL || old_type == NULL || strcmp(type, old_type) != 0)
		return sigma_connection_body(name, details, typed, secrets);
	typed = inherit(typed, "type", SIGMA_WRITE_DETAILS, sigma_text_to_json(type));
	for (int i = 0; i < (int) lengthof(shown); i++)
		if ((shown[i].type == NULL || strcmp(shown[i].type, type) == 0) &&
			!(no_oauth && is_of_oauth(shown[i].field)) &&
			sigma_json_member(&object, shown[i].field, &value))
			typed = inherit(typed, shown[i].member, SIGMA_WRITE_DETAILS, value_text(&value));
	/* where it does not apply, it is shown as false, and may not be said */
	if (!no_oauth && sigma_json_member(&object, "useOauth", &value) && value.kind == SIGMA_JSON_TRUE)
		typed = inherit(typed, "useOauth", SIGMA_WRITE_DETAILS, value_text(&value));
	typed = inherit_places(typed, type, &object);
	return sigma_connection_body(name, details, typed, secrets);
}

/* ------------------------------------------------------ what Sigma will show */

/* A place that Sigma writes to, from how it is sent to how it is shown. */
static void
add_place(StringInfo out, const SigmaJsonValue *place, const SigmaJsonValue *details)
{
	appendStringInfoChar(out, '{');
	if (!copy_member(out, "database", place, "writeDatabase") &&
		!copy_member(out, "database", place, "writeCatalog") &&
		!copy_member(out, "database", place, "writeProject") &&
		!(details && copy_member(out, "database", details, "database")))
		appendStringInfoString(out, "\"database\":\"\"");
	if (!copy_member(out, "schema", place, "writeSchema"))
		(void) copy_member(out, "schema", place, "writeDataset");
	(void) copy_member(out, "writebackSchemaId", place, "writebackSchemaId");
	(void) copy_member(out, "description", place, "description");
	appendStringInfoChar(out, '}');
}

static void
add_places(StringInfo out, const SigmaJsonValue *old, const SigmaJsonValue *details)
{
	SigmaJsonValue access;
	SigmaJsonValue schema;
	SigmaJsonValue places;
	SigmaJsonValue place;
	const char *cursor = NULL;
	bool		has_schema;
	bool		has_places;

	has_schema = sigma_json_member(details, "writeAccess", &access) &&
		(sigma_json_member(&access, "writeSchema", &schema) || sigma_json_member(&access, "writeDataset", &schema));
	has_places = sigma_json_member(details, "writebackSchemas", &places) &&
		places.kind == SIGMA_JSON_ARRAY && sigma_json_next_element(&places, &cursor, &place);
	if (has_schema || has_places || sigma_json_member(old, "writeAccess", &access))
	{
		sigma_json_begin_member(out, "writeAccess");
		appendStringInfoString(out, has_schema || has_places ? "true" : "false");
	}
	if (has_schema)
		(void) sigma_json_member(details, "writeAccess", &access);
	if (has_schema)
	{
		sigma_json_begin_member(out, "writebacks");
		appendStringInfoChar(out, '[');
		add_place(out, &access, details);
		appendStringInfoChar(out, ']');
	}
	if (has_places)
	{
		sigma_json_begin_member(out, "writebackSchemas");
		appendStringInfoChar(out, '[');
		do
		{
			add_place(out, &place, NULL);
			appendStringInfoChar(out, ',');
		} while (sigma_json_next_element(&places, &cursor, &place));
		out->data[out->len - 1] = ']';
	}
	if (sigma_json_member(details, "inputTableAuditLogSchema", &place))
	{
		sigma_json_begin_member(out, "inputTableAuditLogSchema");
		add_place(out, &place, NULL);
	}
	if (sigma_json_member(details, "writeAccess", &access))
		(void) copy_member(out, "materializationWarehouse", &access, "materializationWarehouse");
}

SigmaSpan
sigma_entry_replaced(SigmaSpan entry, SigmaSpan body)
{
	SigmaJsonValue old = sigma_json_object(entry);
	SigmaJsonValue new = sigma_json_object(body);
	SigmaJsonValue details;
	SigmaJsonValue value;
	StringInfoData s;
	bool		is_snowflake;

	if (!sigma_json_member(&new, "details", &details))
		details = sigma_json_object(sigma_span("{}"));
	is_snowflake = sigma_json_member(&details, "type", &value) && sigma_json_is(&value, "snowflake");
	sigma_json_begin_object(&s);
	for (int i = 0; i < (int) lengthof(identity); i++)
		(void) copy_member(&s, identity[i], &old, identity[i]);
	(void) copy_member(&s, "name", &new, "name");
	(void) copy_member(&s, "type", &details, "type");
	for (int i = 0; i < (int) lengthof(shown); i++)
	{
		/* but for these two, what may not be shown will be if it was */
		if (shown[i].perhaps && !sigma_json_member(&old, shown[i].field, &value) &&
			strcmp(shown[i].field, "httpPath") != 0 && !(is_snowflake && strcmp(shown[i].field, "host") == 0))
			continue;
		(void) copy_member(&s, shown[i].field, &details, shown[i].member);
	}
	if (sigma_json_member(&details, "metadataUrl", &value))
	{
		sigma_json_begin_member(&s, "isIndependentOAuth");
		appendStringInfoString(&s, "true");
	}
	if (sigma_json_member(&details, "useOauth", &value) || sigma_json_member(&old, "useOauth", &value))
	{
		sigma_json_begin_member(&s, "useOauth");
		appendStringInfoString(&s, sigma_json_member(&details, "useOauth", &value) &&
							   value.kind == SIGMA_JSON_TRUE ? "true" : "false");
	}
	(void) copy_member(&s, "poolSizes", &new, "poolSizes");
	(void) copy_member(&s, "friendlyName", &new, "useFriendlyNames");
	if (sigma_json_member(&new, "timeoutSecs", &value))
	{
		sigma_json_begin_member(&s, "timeout");
		appendStringInfoString(&s, "{\"default\":");
		appendBinaryStringInfo(&s, value.text.data, (int) value.text.length);
		appendStringInfoChar(&s, '}');
	}
	add_places(&s, &old, &details);
	return sigma_json_end_object(&s);
}

SigmaSpan
sigma_entry_patched(SigmaSpan entry, SigmaSpan changes)
{
	SigmaJsonValue old = sigma_json_object(entry);
	SigmaJsonValue new = sigma_json_object(changes);
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue value;
	StringInfoData s;

	sigma_json_begin_object(&s);
	while (sigma_json_next_member(&old, &cursor, &member))
	{
		CHECK_FOR_INTERRUPTS();
		if (!sigma_json_member(&new, sigma_json_string(&member.key), &value))
			sigma_json_add_member(&s, &member);
	}
	cursor = NULL;
	while (sigma_json_next_member(&new, &cursor, &member))
		sigma_json_add_member(&s, &member);
	return sigma_json_end_object(&s);
}

static bool
same_value(const SigmaJsonValue *a, const SigmaJsonValue *b)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_eq, sigma_json_to_jsonb(a->text),
											sigma_json_to_jsonb(b->text)));
}

/* A field of a connection as JSON; where the entry does not have it, what that means. */
static char *
field_json(const SigmaJsonValue *entry, const char *field)
{
	const SigmaField *known;
	SigmaJsonValue value;

	if (sigma_json_member(entry, field, &value))
		return value_text(&value);
	known = sigma_find_api_field(sigma_find_resource("connections"), field);
	return pstrdup(known && known->absent ? known->absent : "null");
}

/* Adds how a field becomes another, if it does. */
static void
add_difference(StringInfo s, const SigmaJsonMember *member, const SigmaJsonValue *before,
			   const SigmaJsonValue *after)
{
	char	   *field = sigma_json_string(&member->key);
	char	   *was = field_json(before, field);
	char	   *is = field_json(after, field);

	if (!DatumGetBool(DirectFunctionCall2(jsonb_eq, DirectFunctionCall1(jsonb_in, CStringGetDatum(was)),
										  DirectFunctionCall1(jsonb_in, CStringGetDatum(is)))))
		appendStringInfo(s, "%s%s: %s becomes %s", s->len ? "; " : "", value_text(&member->key), was, is);
}

/*
 * The fields in which two entries differ, for a message; NULL if there are none.
 * Entries have no secrets.
 */
char *
sigma_entry_difference(SigmaSpan before, SigmaSpan after)
{
	SigmaJsonValue old = sigma_json_object(before);
	SigmaJsonValue new = sigma_json_object(after);
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue value;
	StringInfoData s;

	initStringInfo(&s);
	/* each is looked for among all of the other's */
	while (sigma_json_next_member(&new, &cursor, &member))
	{
		CHECK_FOR_INTERRUPTS();
		add_difference(&s, &member, &old, &new);
	}
	cursor = NULL;
	while (sigma_json_next_member(&old, &cursor, &member))
	{
		CHECK_FOR_INTERRUPTS();
		if (!sigma_json_member(&new, sigma_json_string(&member.key), &value))
			add_difference(&s, &member, &old, &new);
	}
	return s.len ? sigma_shown(s.data) : NULL;
}

/* Does Sigma show the field of every connection that has it? */
static bool
is_surely_shown(const char *field, const SigmaJsonValue *entry)
{
	SigmaJsonValue type;

	for (int i = 0; i < (int) lengthof(shown); i++)
	{
		if (strcmp(shown[i].field, field) != 0)
			continue;
		if (shown[i].type)
			return sigma_json_member(entry, "type", &type) && sigma_json_is(&type, shown[i].type);
		return !shown[i].perhaps;
	}
	return true;
}

/* Does an object have all that another one has?  (It may have more.) */
static bool
contains(const SigmaJsonValue *whole, const SigmaJsonValue *part)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_contains, sigma_json_to_jsonb(whole->text),
											sigma_json_to_jsonb(part->text)));
}

/*
 * Is a field as it is wanted?  To an object that has a place or sizes in it,
 * Sigma adds members of its own, such as "writebackSchemaId".
 */
static bool
is_as_wanted(const char *field, const char *type, const SigmaJsonValue *has,
			 const SigmaJsonValue *wanted)
{
	const char *cursor = NULL;
	const char *wanted_cursor = NULL;
	SigmaJsonValue element;
	SigmaJsonValue wanted_element;

	if (has->kind == SIGMA_JSON_OBJECT && wanted->kind == SIGMA_JSON_OBJECT &&
		strcmp(field, "userAttributes") != 0)
		return contains(has, wanted);
	if (has->kind != SIGMA_JSON_ARRAY || wanted->kind != SIGMA_JSON_ARRAY)
		return same_value(has, wanted);
	while (sigma_json_next_element(wanted, &wanted_cursor, &wanted_element))
	{
		CHECK_FOR_INTERRUPTS();
		if (!sigma_json_next_element(has, &cursor, &element))
			return false;
		/* where "details" do not name the outer level of a place, it is Sigma's to show one */
		if (strcmp(field, "writebacks") == 0 && outer_name(type) == NULL)
		{
			SigmaJsonValue schema;
			SigmaJsonValue wanted_schema;

			if (!sigma_json_member(&element, "schema", &schema) ||
				!sigma_json_member(&wanted_element, "schema", &wanted_schema) ||
				!same_value(&schema, &wanted_schema))
				return false;
		}
		else if (!contains(&element, &wanted_element))
			return false;
	}
	return !sigma_json_next_element(has, &cursor, &element);
}

List *
sigma_entry_differing(SigmaSpan entry, SigmaSpan wanted)
{
	SigmaJsonValue old = sigma_json_object(entry);
	SigmaJsonValue new = sigma_json_object(wanted);
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue value;
	List	   *differing = NIL;
	char	   *type = sigma_json_member_text(&new, "type");

	while (sigma_json_next_member(&new, &cursor, &member))
	{
		char	   *field = sigma_json_string(&member.key);
		bool		as_wanted;

		CHECK_FOR_INTERRUPTS();
		if (sigma_json_member(&old, field, &value))
			as_wanted = is_as_wanted(field, type ? type : "", &value, &member.value);
		else
			as_wanted = !is_surely_shown(field, &old) || member.value.kind == SIGMA_JSON_FALSE ||
				member.value.kind == SIGMA_JSON_NULL;
		if (!as_wanted)
			differing = lappend(differing, field);
	}
	return differing;
}

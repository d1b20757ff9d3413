/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  The endpoints under /v2/connections.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

/* Who does not see everything sees the connections of this type only. */
#define LIMITED_TYPE		"postgres"

/* Fields of the details that the published connection shows as they are. */
static const char *const shown_fields[][2] = {
	{"account", "account"},
	{"warehouse", "warehouse"},
	{"user", "user"},
	{"role", "role"},
	{"endpoint", "httpPath"},
	{"exportsWarehouse", "exportsWarehouse"},
	{"metadataUrl", "oauthMetadataUrl"},
	{"clientId", "oauthClientId"},
	{"scopes", "oauthScopes"},
	{"idpType", "oauthIdpType"},
	{"usePkce", "oauthUsePkce"},
	{"useJwt", "oauthUseJwt"},
	{"audience", "oauthAudience"},
	{"userAttributes", "userAttributes"},
	{"roleSwitching", "roleSwitching"},
	{"enableHiveMetastore", "enableHiveMetastore"},
	{"pythonComputeClusterId", "pythonComputeClusterId"},
};

static bool
slot_visible(const Request *req, int64_t slot)
{
	return !req->who.limited || strcmp(store_type(slot), LIMITED_TYPE) == 0;
}

/* May whoever is signed in see the connection with this id? */
bool
connection_visible(Request *req, const char *id)
{
	int64_t		slot = store_find(id);

	return slot >= 0 && slot_visible(req, slot);
}

/* The slot that the path names; replies and returns -1 if there is none. */
static int64_t
slot_of_path(Request *req, Reply *reply)
{
	int64_t		slot = store_find(req->param[0]);

	if (slot >= 0 && slot_visible(req, slot))
		return slot;
	reply_not_found(req, reply, "Connection");
	return -1;
}

static void
reply_connection(Reply *reply, unsigned int status, int64_t slot)
{
	reply->status = status;
	reply->body.len = 0;
	store_render(slot, &reply->body);
}

static bool
slot_listed(Request *req, int64_t slot, bool archived, const char *search)
{
	char		scratch[256];

	if (!archived && store_archived(slot))
		return false;
	if (!slot_visible(req, slot))
		return false;
	return search == NULL ||
		contains_ignoring_case(store_name(slot, scratch, sizeof(scratch)), search);
}

/* GET /v2/connections */
void
connection_list(Request *req, Reply *reply)
{
	const char *search = query_value(req, "search");
	int64_t		count = store_count();
	int64_t		total = 0;
	int64_t		sent = 0;
	PageArgs	page;
	bool		archived;
	bool		everything;

	if (!page_args(req, reply, &page, "page", "limit") ||
		!query_bool(req, reply, "includeArchived", &archived))
		return;
	everything = search == NULL && !req->who.limited &&
		(archived || store_all_live());

	reply->status = 200;
	buffer_string(&reply->body, "{\"entries\":[");
	if (everything)
		total = count;
	for (int64_t slot = everything ? page.offset : 0; slot < count; slot++)
	{
		if (everything)
		{
			if (sent == page.limit)
				break;
		}
		else
		{
			if (!slot_listed(req, slot, archived, search))
				continue;
			if (total++ < page.offset || sent == page.limit)
				continue;		/* only counted */
		}
		if (sent++ > 0)
			buffer_string(&reply->body, ",");
		store_render(slot, &reply->body);
	}
	buffer_string(&reply->body, "],\"nextPage\":");
	if (page.offset + sent < total)
		buffer_printf(&reply->body, "\"%lld\"", (long long) (page.offset + sent));
	else
		buffer_string(&reply->body, "null");
	buffer_printf(&reply->body, ",\"hasMore\":%s,\"total\":%lld}",
				  page.offset + sent < total ? "true" : "false", (long long) total);
}

/* GET /v2/connections/{connectionId} */
void
connection_get(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);

	if (slot >= 0)
		reply_connection(reply, 200, slot);
}

static void
copy_field(cJSON *to, const char *to_key, const cJSON *from, const char *from_key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, from_key);

	if (item && !cJSON_IsNull(item))
		json_set(to, to_key, cJSON_Duplicate(item, true));
}

/* The first of some keys that the object has, as a string; "" if none. */
static const char *
first_string(const cJSON *object, const char *a, const char *b, const char *c)
{
	const char *value = json_string(object, a);

	if (value == NULL)
		value = json_string(object, b);
	if (value == NULL)
		value = json_string(object, c);
	return value ? value : "";
}

/*
 * A write destination as the API shows it.  The details call the outer level
 * by the name each warehouse uses, the reply always "database".
 */
static cJSON *
destination(const cJSON *write, const char *database)
{
	cJSON	   *shown = cJSON_CreateObject();
	const char *outer = first_string(write, "writeDatabase", "writeCatalog", "writeProject");

	cJSON_AddStringToObject(shown, "database", *outer ? outer : database);
	cJSON_AddStringToObject(shown, "schema",
							first_string(write, "writeSchema", "writeDataset", "writeSchema"));
	copy_field(shown, "writebackSchemaId", write, "writebackSchemaId");
	copy_field(shown, "description", write, "description");
	return shown;
}

static void
show_write_access(cJSON *entry, const cJSON *details)
{
	const cJSON *write = cJSON_GetObjectItemCaseSensitive(details, "writeAccess");
	const cJSON *schemas = cJSON_GetObjectItemCaseSensitive(details, "writebackSchemas");
	const cJSON *audit = cJSON_GetObjectItemCaseSensitive(details, "inputTableAuditLogSchema");
	const cJSON *schema;
	bool		has_schema = json_string(write, "writeSchema") ||
		json_string(write, "writeDataset");

	cJSON_AddBoolToObject(entry, "writeAccess", has_schema || cJSON_GetArraySize(schemas) > 0);
	if (has_schema)
	{
		cJSON	   *shown = cJSON_AddArrayToObject(entry, "writebacks");

		cJSON_AddItemToArray(shown, destination(write, first_string(details, "database", "", "")));
	}
	if (schemas)
	{
		cJSON	   *shown = cJSON_AddArrayToObject(entry, "writebackSchemas");

		cJSON_ArrayForEach(schema, schemas)
			cJSON_AddItemToArray(shown, destination(schema, ""));
	}
	if (audit)
	{
		cJSON_AddItemToObject(entry, "inputTableAuditLogSchema", destination(audit, ""));
	}
	copy_field(entry, "materializationWarehouse", write, "materializationWarehouse");
}

/* What the API shows of a body; the secrets are not among it. */
static void
show_body(cJSON *entry, const cJSON *body)
{
	const cJSON *details = cJSON_GetObjectItemCaseSensitive(body, "details");
	const cJSON *timeout = cJSON_GetObjectItemCaseSensitive(body, "timeoutSecs");

	/* the API shows no host but Snowflake's */
	if (strcmp(json_string(details, "type"), "snowflake") == 0)
		copy_field(entry, "host", details, "host");
	else if (strcmp(json_string(details, "type"), "databricks") == 0)
		copy_field(entry, "usePython", details, "usePython");
	for (size_t i = 0; i < sizeof(shown_fields) / sizeof(shown_fields[0]); i++)
		copy_field(entry, shown_fields[i][1], details, shown_fields[i][0]);
	if (cJSON_GetObjectItemCaseSensitive(details, "metadataUrl"))
		cJSON_AddBoolToObject(entry, "isIndependentOAuth", true);
	if (timeout)
		cJSON_AddNumberToObject(cJSON_AddObjectToObject(entry, "timeout"), "default",
								timeout->valuedouble);
	copy_field(entry, "poolSizes", body, "poolSizes");
	if (cJSON_GetObjectItemCaseSensitive(entry, "poolSizes"))
	{
		cJSON	   *sizes = cJSON_GetObjectItemCaseSensitive(entry, "poolSizes");

		if (sizes->child && !cJSON_GetObjectItemCaseSensitive(sizes, "isPoolConfigured"))
			cJSON_AddBoolToObject(sizes, "isPoolConfigured", true);
	}
	copy_field(entry, "friendlyName", body, "useFriendlyNames");
	show_write_access(entry, details);
}

/* A new published connection; before is what it replaces, or NULL. */
static cJSON *
make_entry(const Request *req, int64_t slot, const cJSON *before, const cJSON *body)
{
	const cJSON *details = cJSON_GetObjectItemCaseSensitive(body, "details");
	cJSON	   *entry = cJSON_CreateObject();
	char		id[UUID_SIZE];
	char		organization[UUID_SIZE];
	char		now[TIMESTAMP_SIZE];
	const char *user = req->who.user_id;

	store_id(slot, id);
	make_id("organization", 0, organization);
	timestamp_now(now);
	cJSON_AddStringToObject(entry, "organizationId", organization);
	cJSON_AddStringToObject(entry, "connectionId", id);
	cJSON_AddBoolToObject(entry, "isSample", false);
	cJSON_AddBoolToObject(entry, "isAuditLog", false);
	cJSON_AddStringToObject(entry, "lastActiveAt", now);
	cJSON_AddStringToObject(entry, "name", json_string(body, "name"));
	cJSON_AddStringToObject(entry, "type", json_string(details, "type"));
	cJSON_AddBoolToObject(entry, "useOauth",
						  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(details, "useOauth")));
	cJSON_AddStringToObject(entry, "createdBy", user);
	cJSON_AddStringToObject(entry, "updatedBy", user);
	cJSON_AddStringToObject(entry, "createdAt", now);
	cJSON_AddStringToObject(entry, "updatedAt", now);
	cJSON_AddBoolToObject(entry, "isArchived", false);
	if (before)
	{
		static const char *const kept[] = {
			"isSample", "isAuditLog", "lastActiveAt", "createdBy", "createdAt", "isArchived"
		};

		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			copy_field(entry, kept[i], before, kept[i]);
	}
	show_body(entry, body);
	return entry;
}

static bool
body_fit(Request *req, Reply *reply, bool is_put)
{
	char		problem[512];

	if (!body_object(req, reply))
		return false;
	if (connection_check(req->json, is_put, problem, sizeof(problem)))
		return true;
	reply_invalid(req, reply, "%s", problem);
	return false;
}

static cJSON *
details_of_body(const Request *req)
{
	return cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(req->json, "details"), true);
}

/* POST /v2/connections */
void
connection_create(Request *req, Reply *reply)
{
	int64_t		slot;

	if (!body_fit(req, reply, false))
		return;
	slot = store_add(make_entry(req, store_count(), NULL, req->json), details_of_body(req), true);
	reply_connection(reply, 201, slot);
}

/* PUT /v2/connections/{connectionId} */
void
connection_put(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	cJSON	   *entry;

	if (slot < 0 || !body_fit(req, reply, true))
		return;
	entry = make_entry(req, slot, store_get(slot)->entry, req->json);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(req->json, "restore")))
		json_set(entry, "isArchived", cJSON_CreateFalse());
	store_replace(slot, entry, details_of_body(req));
	reply_connection(reply, 200, slot);
}

/* Note in a published connection that it has just been changed. */
static void
touch(const Request *req, cJSON *entry)
{
	char		now[TIMESTAMP_SIZE];

	timestamp_now(now);
	json_set(entry, "updatedBy", cJSON_CreateString(req->who.user_id));
	json_set(entry, "updatedAt", cJSON_CreateString(now));
}

/* PATCH /v2/connections/{connectionId} */
void
connection_patch(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	const cJSON *name;
	const cJSON *oauth;
	cJSON	   *entry;

	if (slot < 0 || !body_object(req, reply))
		return;
	name = cJSON_GetObjectItemCaseSensitive(req->json, "name");
	oauth = cJSON_GetObjectItemCaseSensitive(req->json, "useOauth");
	if (name && (!cJSON_IsString(name) || *name->valuestring == '\0'))
		reply_invalid(req, reply, "name must be a string that is not empty");
	else if (oauth && !cJSON_IsBool(oauth))
		reply_invalid(req, reply, "useOauth must be a boolean");
	else
	{
		entry = cJSON_Duplicate(store_get(slot)->entry, true);
		copy_field(entry, "name", req->json, "name");
		copy_field(entry, "useOauth", req->json, "useOauth");
		touch(req, entry);
		store_replace(slot, entry, NULL);
		reply_connection(reply, 200, slot);
	}
}

/* DELETE /v2/connections/{connectionId}: it is only archived */
void
connection_delete(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	cJSON	   *entry;

	if (slot < 0)
		return;
	entry = cJSON_Duplicate(store_get(slot)->entry, true);
	json_set(entry, "isArchived", cJSON_CreateTrue());
	touch(req, entry);
	store_replace(slot, entry, NULL);
	reply_set_json(reply, 200, cJSON_CreateObject());
}

/* GET /v2/connections/{connectionId}/test: archived ones cannot be reached */
void
connection_test(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	Buffer		text = {0};
	cJSON	   *entry;
	cJSON	   *result;
	bool		writes;

	if (slot < 0)
		return;
	/* a generated one has no entry to look at, and a reader may not make it */
	store_render(slot, &text);
	entry = json_parse(text.data, text.len);
	writes = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "writeAccess"));
	cJSON_Delete(entry);
	buffer_free(&text);
	result = cJSON_CreateObject();
	if (store_archived(slot))
	{
		cJSON_AddStringToObject(result, "read", "FAILED");
		cJSON_AddStringToObject(result, "write", writes ? "FAILED" : "DISABLED");
	}
	else
	{
		cJSON_AddStringToObject(result, "read", "SUCCESS");
		cJSON_AddStringToObject(result, "write", writes ? "SUCCESS" : "DISABLED");
	}
	reply_set_json(reply, 200, result);
}

/* The path in a body: up to three names; replies and returns NULL if not so. */
static const cJSON *
path_of_body(Request *req, Reply *reply)
{
	const cJSON *path;
	const cJSON *name;

	if (!body_object(req, reply))
		return NULL;
	path = cJSON_GetObjectItemCaseSensitive(req->json, "path");
	if (!cJSON_IsArray(path) || cJSON_GetArraySize(path) > 3)
	{
		reply_invalid(req, reply, "path must be an array of at most three strings");
		return NULL;
	}
	cJSON_ArrayForEach(name, path)
	{
		if (!cJSON_IsString(name))
		{
			reply_invalid(req, reply, "path must be an array of at most three strings");
			return NULL;
		}
	}
	return path;
}

/* The known path of a connection that equals the given one, or NULL. */
static cJSON *
find_path(const char *connection_id, const cJSON *path)
{
	cJSON	   *known;

	cJSON_ArrayForEach(known, catalogue_collection("connectionPaths"))
	{
		const char *id = json_string(known, "connectionId");

		if (id && same_identifier(id, connection_id) &&
			cJSON_Compare(cJSON_GetObjectItemCaseSensitive(known, "path"), path, true))
			return known;
	}
	return NULL;
}

/* POST /v2/connection/{connectionId}/lookup */
void
connection_lookup(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	const cJSON *path = slot < 0 ? NULL : path_of_body(req, reply);
	const cJSON *known;
	cJSON	   *result;
	const char *inode;
	char		url[256];

	if (path == NULL)
		return;
	known = find_path(req->param[0], path);
	inode = known ? json_string(known, "urlId") : req->param[0];
	if (known == NULL && cJSON_GetArraySize(path) > 0)
	{
		reply_not_found(req, reply, "Path");
		return;
	}
	result = cJSON_CreateObject();
	cJSON_AddStringToObject(result, "kind", cJSON_GetArraySize(path) == 3 ? "table" : "scope");
	cJSON_AddStringToObject(result, "inodeId", inode);
	snprintf(url, sizeof(url), "https://app.sigmacomputing.com/simulator/c/%.100s", inode);
	cJSON_AddStringToObject(result, "url", url);
	reply_set_json(reply, 200, result);
}

/* POST /v2/connections/{connectionId}/sync: a new path becomes known */
void
connection_sync(Request *req, Reply *reply)
{
	int64_t		slot = slot_of_path(req, reply);
	const cJSON *path = slot < 0 ? NULL : path_of_body(req, reply);
	cJSON	   *paths;
	char		id[UUID_SIZE];

	if (path == NULL)
		return;
	paths = catalogue_collection("connectionPaths");
	if (cJSON_GetArraySize(path) > 0 && find_path(req->param[0], path) == NULL)
	{
		cJSON	   *entry = cJSON_CreateObject();

		store_id(slot, id);
		cJSON_AddStringToObject(entry, "connectionId", id);
		make_id("path", cJSON_GetArraySize(paths), id);
		cJSON_AddStringToObject(entry, "urlId", id);
		cJSON_AddItemToObject(entry, "path", cJSON_Duplicate(path, true));
		cJSON_AddItemToArray(paths, entry);
	}
	reply_set_json(reply, 200, cJSON_CreateObject());
}

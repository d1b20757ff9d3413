/*-------------------------------------------------------------------------
 *
 * catalogue.c
 *	  Everything of the organization but its connections.
 *
 * The data stand in organization.json, as one array for each collection.  A
 * key that begins with an underscore ties an entry to another thing, and is
 * not shown.  A string such as "@member:3" stands for the id of the fourth
 * member, "@ago:3" for the time three days ago.  Which endpoint shows which collection stands in endpoint.c.
 *
 * The caller holds the organization lock.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

static cJSON *catalogue;

/* Put ids in the place of the strings that stand for them. */
static void
expand_ids(cJSON *json)
{
	cJSON	   *item;

	cJSON_ArrayForEach(item, json)
	{
		char		kind[32];
		long long	n;
		char		id[UUID_SIZE];

		if (cJSON_IsString(item) &&
			sscanf(item->valuestring, "@%31[A-Za-z]:%lld", kind, &n) == 2)
		{
			if (strcmp(kind, "ago") == 0)
				timestamp_ago(n, id);
			else
				make_id(kind, n, id);
			free(item->valuestring);
			item->valuestring = xstrdup(id);
		}
		else
			expand_ids(item);
	}
}

static cJSON *
parse_text(const char *name, const char *text, const char *end)
{
	cJSON	   *json = json_parse(text, (size_t) (end - text));

	if (json == NULL)
	{
		fprintf(stderr, "sigma-simulator: %s is not valid JSON\n", name);
		exit(1);
	}
	expand_ids(json);
	return json;
}

/* Adds what another file has to the collections of the same name. */
static void
add_collections(cJSON *json, cJSON *more)
{
	while (more->child)
	{
		cJSON	   *from = cJSON_DetachItemViaPointer(more, more->child);
		cJSON	   *into = cJSON_GetObjectItemCaseSensitive(json, from->string);

		if (into == NULL)
			into = cJSON_AddArrayToObject(json, from->string);
		while (from->child)
			cJSON_AddItemToArray(into, cJSON_DetachItemViaPointer(from, from->child));
		cJSON_Delete(from);
	}
	cJSON_Delete(more);
}

cJSON *
catalogue_parse(void)
{
	cJSON	   *json = parse_text("organization.json", organization_json, organization_json_end);

	if (options.element_rows >= 0)
		add_collections(json, parse_text("elements.json", elements_json, elements_json_end));
	return json;
}

void
catalogue_free(void)
{
	cJSON_Delete(catalogue);
	catalogue = NULL;
}

void
catalogue_init(void)
{
	catalogue_free();
	catalogue = catalogue_parse();
}

cJSON *
catalogue_collection(const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(catalogue, name);
}

/* An entry as it is shown: without the keys that tie it to others. */
cJSON *
entry_shown(const cJSON *entry)
{
	cJSON	   *copy = cJSON_Duplicate(entry, true);

	for (cJSON *item = copy->child; item;)
	{
		cJSON	   *next = item->next;

		if (item->string && item->string[0] == '_')
			cJSON_Delete(cJSON_DetachItemViaPointer(copy, item));
		item = next;
	}
	return copy;
}

/* Reply with a page of an array of references to entries. */
void
list_reply(Request *req, Reply *reply, const cJSON *found)
{
	cJSON	   *json;
	cJSON	   *entries;
	const cJSON *entry;
	int64_t		total = cJSON_GetArraySize(found);
	int64_t		i = 0;
	PageArgs	page;
	char		next[32];

	if (!page_args(req, reply, &page, "page", "limit"))
		return;
	json = cJSON_CreateObject();
	entries = cJSON_AddArrayToObject(json, "entries");
	cJSON_ArrayForEach(entry, found)
	{
		if (i >= page.offset && i < page.offset + page.limit)
			cJSON_AddItemToArray(entries, entry_shown(entry));
		i++;
	}
	snprintf(next, sizeof(next), "%lld", (long long) (page.offset + page.limit));
	if (page.offset + page.limit < total)
		cJSON_AddStringToObject(json, "nextPage", next);
	else
		cJSON_AddNullToObject(json, "nextPage");
	cJSON_AddBoolToObject(json, "hasMore", page.offset + page.limit < total);
	cJSON_AddNumberToObject(json, "total", (double) total);
	reply_set_json(reply, 200, json);
}

static bool
same_id(const cJSON *entry, const char *key, const char *id)
{
	const char *value = json_string(entry, key);

	return value && same_identifier(value, id);
}

/* GET /v2/connections/paths */
void
path_list(Request *req, Reply *reply)
{
	const char *wanted = query_value(req, "connectionId");
	cJSON	   *found = cJSON_CreateArray();
	cJSON	   *entry;

	cJSON_ArrayForEach(entry, catalogue_collection("connectionPaths"))
	{
		const char *id = json_string(entry, "connectionId");

		if ((wanted == NULL || same_identifier(wanted, id)) && connection_visible(req, id))
			cJSON_AddItemReferenceToArray(found, entry);
	}
	list_reply(req, reply, found);
	cJSON_Delete(found);
}

/* GET /v2/connections/paths/{inodeId} */
void
path_get(Request *req, Reply *reply)
{
	cJSON	   *entry;

	cJSON_ArrayForEach(entry, catalogue_collection("connectionPaths"))
	{
		if (same_id(entry, "urlId", req->param[0]) &&
			connection_visible(req, json_string(entry, "connectionId")))
		{
			cJSON	   *path = entry_shown(entry);

			cJSON_DeleteItemFromObjectCaseSensitive(path, "urlId");
			reply_set_json(reply, 200, path);
			return;
		}
	}
	reply_not_found(req, reply, "Path");
}

/* Is there a thing to grant: a connection or, where the URL says so, a path of one? */
static bool
grantable(Request *req, Reply *reply)
{
	static const char of_paths[] = "/v2/connections/paths/";
	bool		is_path = strncmp(req->path, of_paths, strlen(of_paths)) == 0;
	const cJSON *paths = is_path ? catalogue_collection("connectionPaths") : NULL;
	const cJSON *entry;

	if (!is_path && connection_visible(req, req->param[0]))
		return true;
	cJSON_ArrayForEach(entry, paths)
	{
		if (same_id(entry, "urlId", req->param[0]) &&
			connection_visible(req, json_string(entry, "connectionId")))
			return true;
	}
	reply_not_found(req, reply, "Connection");
	return false;
}

/* GET the grants of a connection or of a path of one */
void
grant_list(Request *req, Reply *reply)
{
	cJSON	   *found;
	cJSON	   *entry;

	if (!grantable(req, reply))
		return;
	found = cJSON_CreateArray();
	cJSON_ArrayForEach(entry, catalogue_collection("grants"))
	{
		if (same_id(entry, "inodeId", req->param[0]))
			cJSON_AddItemReferenceToArray(found, entry);
	}
	list_reply(req, reply, found);
	cJSON_Delete(found);
}

/* What is wrong with a grant in a request, or NULL. */
static const char *
grant_problem(const cJSON *grant)
{
	const cJSON *grantee = cJSON_GetObjectItemCaseSensitive(grant, "grantee");
	const char *permission = json_string(grant, "permission");

	if (!cJSON_IsObject(grant))
		return "grants must be an array of objects";
	if ((json_string(grantee, "memberId") != NULL) == (json_string(grantee, "teamId") != NULL))
		return "grants.grantee must have either memberId or teamId";
	if (permission == NULL ||
		(strcmp(permission, "annotate") != 0 && strcmp(permission, "usage") != 0))
		return "grants.permission must be annotate or usage";
	return NULL;
}

static void
add_string_or_null(cJSON *object, const char *key, const char *value)
{
	cJSON_AddItemToObject(object, key, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

static void
add_grant(const Request *req, const cJSON *grant)
{
	static int64_t made = 1000000;	/* beyond those of organization.json */
	const cJSON *grantee = cJSON_GetObjectItemCaseSensitive(grant, "grantee");
	cJSON	   *entry = cJSON_CreateObject();
	const char *user = req->who.user_id;
	char		id[UUID_SIZE];
	char		now[TIMESTAMP_SIZE];

	make_id("grant", made++, id);
	cJSON_AddStringToObject(entry, "grantId", id);
	cJSON_AddStringToObject(entry, "inodeId", req->param[0]);
	make_id("organization", 0, id);
	timestamp_now(now);
	cJSON_AddStringToObject(entry, "organizationId", id);
	add_string_or_null(entry, "memberId", json_string(grantee, "memberId"));
	add_string_or_null(entry, "teamId", json_string(grantee, "teamId"));
	cJSON_AddStringToObject(entry, "permission", json_string(grant, "permission"));
	cJSON_AddStringToObject(entry, "createdBy", user);
	cJSON_AddStringToObject(entry, "updatedBy", user);
	cJSON_AddStringToObject(entry, "createdAt", now);
	cJSON_AddStringToObject(entry, "updatedAt", now);
	cJSON_AddStringToObject(entry, "inodeType", "scope");
	cJSON_AddItemToArray(catalogue_collection("grants"), entry);
}

/* POST grants of a connection or of a path of one */
void
grant_create(Request *req, Reply *reply)
{
	const cJSON *grants;
	const cJSON *grant;

	if (!grantable(req, reply) || !body_object(req, reply))
		return;
	grants = cJSON_GetObjectItemCaseSensitive(req->json, "grants");
	if (!cJSON_IsArray(grants))
	{
		reply_invalid(req, reply, "grants must be an array");
		return;
	}
	cJSON_ArrayForEach(grant, grants)
	{
		const char *problem = grant_problem(grant);

		if (problem)
		{
			reply_invalid(req, reply, "%s", problem);
			return;
		}
	}
	cJSON_ArrayForEach(grant, grants)
		add_grant(req, grant);
	reply_set_json(reply, 200, cJSON_CreateObject());
}

/* DELETE a grant of a connection or of a path of one */
void
grant_delete(Request *req, Reply *reply)
{
	cJSON	   *grants = catalogue_collection("grants");
	cJSON	   *entry;

	if (!grantable(req, reply))
		return;
	cJSON_ArrayForEach(entry, grants)
	{
		if (same_id(entry, "grantId", req->param[1]) &&
			same_id(entry, "inodeId", req->param[0]))
		{
			cJSON_Delete(cJSON_DetachItemViaPointer(grants, entry));
			reply_set_json(reply, 200, cJSON_CreateObject());
			return;
		}
	}
	reply_not_found(req, reply, "Grant");
}

/*-------------------------------------------------------------------------
 *
 * shape.c
 *	  In what shape the same things are shown: how their identifiers are
 *	  spelled, and what the list of connections leaves out.
 *
 * The identifier of a connection, a folder, a document or a table is a UUID,
 * or the same 128 bits in base 62.  Requests may use either, in any case of a
 * UUID's letters.  Replies use the one that the setting "ids" says:
 *
 *	grants	base 62 in grants, as seen of the real API; UUIDs elsewhere
 *	uuid	UUIDs everywhere
 *	url		base 62 everywhere
 *	upper	UUIDs in upper case, and so are the identifiers of members and the like
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulator.h"

typedef enum Spelling
{
	SPELLING_GRANTS,
	SPELLING_UUID,
	SPELLING_URL,
	SPELLING_UPPER,
	SPELLING_COUNT
} Spelling;

static const char *const spellings[SPELLING_COUNT] = {"grants", "uuid", "url", "upper"};
static Spelling spelling;
static cJSON *list_omits;		/* names of fields; NULL: none */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* What identifies a thing that has a URL. */
static const char *const inode_keys[] = {
	"inodeId", "connectionId", "workbookId", "datasetId", "dataModelId", "tableId", "workspaceId", "parentId",
	"templateId", "homeFolderId", "taggedWorkbookId", "reportId", "taggedReportId", "fromConnectionId",
	"sqlDocumentId", "worksheetId", "urlId", "id"
};

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

typedef unsigned __int128 Bits;

static bool
bits_of_uuid(const char *text, Bits *bits)
{
	*bits = 0;
	if (strlen(text) != UUID_SIZE - 1)
		return false;
	for (int i = 0; i < UUID_SIZE - 1; i++)
	{
		bool		dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
			return false;
		if (!dash)
			*bits = *bits << 4 | (Bits) (strchr(digits, tolower((unsigned char) text[i])) - digits);
	}
	return true;
}

static bool
bits_of_url_id(const char *text, Bits *bits)
{
	*bits = 0;
	if (strlen(text) < 17 || strlen(text) > 22 || strspn(text, digits) != strlen(text))
		return false;
	for (; *text; text++)
	{
		Bits		digit = (Bits) (strchr(digits, *text) - digits);

		if (*bits > (~(Bits) 0 - digit) / 62)
			return false;
		*bits = *bits * 62 + digit;
	}
	return true;
}

static void
uuid_of_bits(Bits bits, char *uuid)
{
	char	   *p = uuid + UUID_SIZE - 1;

	*p = '\0';
	while (p > uuid)
	{
		if (p - uuid == 9 || p - uuid == 14 || p - uuid == 19 || p - uuid == 24)
			*--p = '-';
		else
		{
			*--p = digits[(int) (bits & 15)];
			bits >>= 4;
		}
	}
}

static void
url_id_of_bits(Bits bits, char *id)
{
	char	   *p = id + 22;

	*p = '\0';
	while (p > id)
	{
		*--p = digits[(int) (bits % 62)];
		bits /= 62;
	}
}

/* An identifier as it stands in organization.json; takes the text over. */
char *
id_as_stored(char *id)
{
	Bits		bits;

	if (!bits_of_uuid(id, &bits) && !bits_of_url_id(id, &bits))
		return id;
	free(id);
	id = xmalloc(UUID_SIZE);
	uuid_of_bits(bits, id);
	return id;
}

/* Are two identifiers the same?  Those that are no UUIDs must be equal. */
bool
same_identifier(const char *a, const char *b)
{
	Bits		a_bits;
	Bits		b_bits;

	if (strcmp(a, b) == 0)
		return true;
	return (bits_of_uuid(a, &a_bits) || bits_of_url_id(a, &a_bits)) &&
		(bits_of_uuid(b, &b_bits) || bits_of_url_id(b, &b_bits)) && a_bits == b_bits;
}

/* What is wrong with the settings, or NULL; they are taken if nothing is. */
const char *
shape_configure(const cJSON *config)
{
	const cJSON *ids = cJSON_GetObjectItemCaseSensitive(config, "ids");
	const cJSON *omits = cJSON_GetObjectItemCaseSensitive(config, "list_omits");
	const cJSON *name;
	int			found = SPELLING_COUNT;

	for (int i = 0; cJSON_IsString(ids) && i < SPELLING_COUNT; i++)
		if (strcmp(ids->valuestring, spellings[i]) == 0)
			found = i;
	if (ids && found == SPELLING_COUNT)
		return "ids must be grants, uuid, url or upper";
	if (omits && !cJSON_IsArray(omits))
		return "list_omits must be an array of strings";
	cJSON_ArrayForEach(name, omits)
		if (!cJSON_IsString(name))
			return "list_omits must be an array of strings";

	pthread_mutex_lock(&mutex);
	if (ids)
		spelling = (Spelling) found;
	if (omits)
	{
		cJSON_Delete(list_omits);
		list_omits = cJSON_Duplicate(omits, true);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

void
shape_reset(void)
{
	pthread_mutex_lock(&mutex);
	spelling = SPELLING_GRANTS;
	cJSON_Delete(list_omits);
	list_omits = NULL;
	pthread_mutex_unlock(&mutex);
}

static bool
is_inode_key(const char *key)
{
	for (size_t i = 0; key && i < sizeof(inode_keys) / sizeof(inode_keys[0]); i++)
		if (strcmp(key, inode_keys[i]) == 0)
			return true;
	return false;
}

/* Spells the identifiers in a value and below it. */
static void
spell(cJSON *json)
{
	cJSON	   *item;
	Bits		bits;

	cJSON_ArrayForEach(item, json)
		spell(item);
	if (!cJSON_IsString(json) || !bits_of_uuid(json->valuestring, &bits))
		return;
	if (spelling == SPELLING_UPPER)
		for (char *p = json->valuestring; *p; p++)
			*p = (char) toupper((unsigned char) *p);
	/* no longer than what it replaces */
	else if (spelling == SPELLING_URL ? is_inode_key(json->string) :
			 json->string && strcmp(json->string, "inodeId") == 0)
		url_id_of_bits(bits, json->valuestring);
}

/* Changes a reply's body to the shape that the settings say. */
void
shape_reply(const Request *req, Reply *reply)
{
	bool		of_grants = strstr(req->path, "/grants") != NULL;
	bool		list = strcmp(req->method, "GET") == 0 && strcmp(req->path, "/v2/connections") == 0;
	cJSON	   *json;
	cJSON	   *entry;
	const cJSON *name;

	pthread_mutex_lock(&mutex);
	list = list && list_omits;
	if (reply->status < 300 &&
		(list || spelling == SPELLING_URL || spelling == SPELLING_UPPER ||
		 (spelling == SPELLING_GRANTS && of_grants)))
	{
		json = json_parse(reply->body.data, reply->body.len);
		if (list)
			cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "entries"))
				cJSON_ArrayForEach(name, list_omits)
					cJSON_DeleteItemFromObjectCaseSensitive(entry, name->valuestring);
		if (spelling != SPELLING_UUID && (spelling != SPELLING_GRANTS || of_grants))
			spell(json);
		if (json)
			reply_set_json(reply, reply->status, json);
	}
	pthread_mutex_unlock(&mutex);
}

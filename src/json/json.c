/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Between JSON text and SQL values.  The only file that includes cJSON.
 *
 * Entries of lists are read straight from the text of a reply (see jsontext.c
 * for why, and read/row.c); cJSON reads the small replies that are none, and
 * puts request bodies together.  A cJSON tree belongs to a memory context, so that an error frees
 * it.  cJSON's allocation hooks are global to the process and stay untouched.
 *
 * The API speaks UTF-8; here it becomes the database's encoding and back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <cjson/cJSON.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json_internal.h"

/*
 * A token or an error is a few lines; what is larger is not looked into.  cJSON
 * makes up to 40 bytes of each byte, and hears no interrupt meanwhile.
 */
#define SMALL_REPLY_LIMIT (64 * 1024)

/* ------------------------------------------------------------ text to SQL */

char *
sigma_from_utf8(const char *data, size_t length)
{
	char	   *converted = pg_any_to_server(data, (int) length, PG_UTF8);

	return converted == data ? pnstrdup(data, length) : converted;
}

/* A string's content in UTF-8; raises if PostgreSQL cannot hold it. */
static char *
unescape(const SigmaJsonValue *value, size_t *length)
{
	char	   *out = palloc(value->text.length + 1);

	switch (sigma_json_unescape(value, out, length))
	{
		case SIGMA_ESCAPE_OK:
			break;
		case SIGMA_ESCAPE_NUL:
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("unsupported Unicode escape sequence"),
					 errdetail("\\u0000 cannot be converted to text.")));
			break;
		case SIGMA_ESCAPE_SURROGATE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid Unicode escape sequence"),
					 errdetail("Half of a surrogate pair cannot be converted to text.")));
			break;
	}
	out[*length] = '\0';
	return out;
}

char *
sigma_json_string(const SigmaJsonValue *value)
{
	size_t		length;
	char	   *utf8;

	/* what is ASCII is the same in every encoding that a database can have */
	if (!value->escaped)
		return value->ascii ? pnstrdup(value->text.data + 1, value->text.length - 2)
			: sigma_from_utf8(value->text.data + 1, value->text.length - 2);
	utf8 = unescape(value, &length);
	return pg_any_to_server(utf8, (int) length, PG_UTF8);
}

bool
sigma_json_member(const SigmaJsonValue *object, const char *name, SigmaJsonValue *value)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	bool		found = false;

	if (object->kind != SIGMA_JSON_OBJECT)
		return false;
	while (sigma_json_next_member(object, &cursor, &member))
		if (sigma_json_is(&member.key, name))
		{
			*value = member.value;
			found = member.value.kind != SIGMA_JSON_NULL;
		}
	return found;
}

char *
sigma_json_member_text(const SigmaJsonValue *object, const char *name)
{
	SigmaJsonValue found;

	if (!sigma_json_member(object, name, &found))
		return NULL;
	if (found.kind == SIGMA_JSON_STRING)
		return sigma_json_string(&found);
	return sigma_from_utf8(found.text.data, found.text.length);
}

char *
sigma_json_unescaped(const SigmaJsonValue *value)
{
	char	   *out = palloc(value->text.length + 1);
	size_t		length;

	if (sigma_json_unescape(value, out, &length) != SIGMA_ESCAPE_OK)
		return NULL;
	out[length] = '\0';
	return out;
}

char *
sigma_json_member_utf8(const SigmaJsonValue *object, const char *name)
{
	SigmaJsonValue found;

	if (!sigma_json_member(object, name, &found) || found.kind != SIGMA_JSON_STRING)
		return NULL;
	return sigma_json_unescaped(&found);
}

char *
sigma_json_id(const SigmaJsonValue *object, const char *name)
{
	char	   *id = sigma_json_member_utf8(object, name);

	if (id == NULL || id[0] == '\0')
		return NULL;
	for (const char *p = id; *p; p++)
		if (*p <= ' ' || *p > '~')
			return NULL;
	return id;
}

char *
sigma_json_page_token(const SigmaJsonValue *value)
{
	size_t		length;

	if (value->kind == SIGMA_JSON_STRING)
		return unescape(value, &length);
	return pnstrdup(value->text.data, value->text.length);
}

Datum
sigma_input(PGFunction input, char *text)
{
	MemoryContext context = CurrentMemoryContext;
	volatile Datum value = (Datum) 0;

	PG_TRY();
	{
		value = DirectFunctionCall3(input, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
									Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		sigma_rethrow_clean(context);
	}
	PG_END_TRY();
	return value;
}

Datum
sigma_json_to_jsonb(SigmaSpan text)
{
	return sigma_input(jsonb_in, sigma_from_utf8(text.data, text.length));
}

void
sigma_names_init(SigmaNames *names, int n, const char **list)
{
	names->n = n;
	names->names = list;
	names->lengths = palloc(Max(n, 1) * sizeof(size_t));
	names->next = palloc(Max(n, 1) * sizeof(int16));
	sigma_names_fill(names);
}

/* ------------------------------------------------------------ cJSON trees */

typedef struct Tree
{
	cJSON	   *root;
	char	   *printed;
	MemoryContextCallback callback;
} Tree;

static void
release_tree(void *arg)
{
	Tree	   *tree = arg;

	cJSON_Delete(tree->root);
	cJSON_free(tree->printed);
	tree->root = NULL;
	tree->printed = NULL;
}

/* An empty holder that frees what it will hold when its context ends. */
static Tree *
tree_holder(MemoryContext context)
{
	Tree	   *tree = MemoryContextAllocZero(context, sizeof(Tree));

	tree->callback.func = release_tree;
	tree->callback.arg = tree;
	MemoryContextRegisterResetCallback(context, &tree->callback);
	return tree;
}

/* A member's text: a string as it is, anything else but null as JSON. */
static char *
tree_text(Tree *tree, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree->root, name);
	char	   *copy;

	if (item == NULL || cJSON_IsNull(item))
		return NULL;
	if (cJSON_IsString(item))
		return pstrdup(item->valuestring);
	cJSON_free(tree->printed);
	tree->printed = cJSON_PrintUnformatted(item);
	copy = tree->printed ? pstrdup(tree->printed) : NULL;
	return copy;
}

bool
sigma_json_error_object(const char *body, size_t length, char **code, char **message,
						char **request_id)
{
	MemoryContext context;
	Tree	   *tree;
	bool		found;

	*code = *message = *request_id = NULL;
	if (length == 0 || length > SMALL_REPLY_LIMIT)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "sigma error object",
									ALLOCSET_SMALL_SIZES);
	tree = tree_holder(context);
	tree->root = cJSON_ParseWithLength(body, length);
	found = cJSON_IsObject(tree->root);
	if (found)
	{
		*code = tree_text(tree, "code");
		*message = tree_text(tree, "message");
		*request_id = tree_text(tree, "requestId");
	}
	MemoryContextDelete(context);
	return found && (*code || *message);
}

bool
sigma_json_token(const char *body, size_t length, char **token, double *expires_in)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "sigma token reply",
												  ALLOCSET_SMALL_SIZES);
	Tree	   *tree = tree_holder(context);
	const cJSON *item;
	bool		ok;

	*expires_in = -1;
	if (length <= SMALL_REPLY_LIMIT)
		tree->root = cJSON_ParseWithLength(body, length);
	item = cJSON_GetObjectItemCaseSensitive(tree->root, "access_token");
	ok = cJSON_IsString(item) && item->valuestring[0] != '\0';
	if (ok)
		for (const char *p = item->valuestring; *p; p++)
			ok = ok && *p > ' ' && *p <= '~';
	if (ok)
		*token = pstrdup(item->valuestring);

	item = cJSON_GetObjectItemCaseSensitive(tree->root, "expires_in");
	if (cJSON_IsNumber(item))
		*expires_in = item->valuedouble;
	else if (cJSON_IsString(item))
	{
		char	   *end;

		*expires_in = strtod(item->valuestring, &end);
		if (end == item->valuestring || *end != '\0')
			*expires_in = -1;
	}
	if (!(*expires_in > 0))
		*expires_in = -1;
	MemoryContextDelete(context);
	return ok;
}

const char *
sigma_json_library_version(void)
{
	return cJSON_Version();
}

/* -------------------------------------------------- objects that are written */

void
sigma_json_begin_object(StringInfo out)
{
	initStringInfo(out);
	appendStringInfoChar(out, '{');
}

static void
separate(StringInfo out)
{
	Assert(out->len > 0);
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
}

void
sigma_json_begin_member(StringInfo out, const char *name)
{
	separate(out);
	appendStringInfo(out, "\"%s\":", name);
}

void
sigma_json_add_text(StringInfo out, const char *name, const char *json)
{
	sigma_json_begin_member(out, name);
	appendStringInfoString(out, sigma_to_utf8(json));
}

void
sigma_json_add_value(StringInfo out, const char *name, const SigmaJsonValue *value)
{
	sigma_json_begin_member(out, name);
	appendBinaryStringInfo(out, value->text.data, (int) value->text.length);
}

void
sigma_json_add_member(StringInfo out, const SigmaJsonMember *member)
{
	separate(out);
	appendBinaryStringInfo(out, member->key.text.data, (int) member->key.text.length);
	appendStringInfoChar(out, ':');
	appendBinaryStringInfo(out, member->value.text.data, (int) member->value.text.length);
}

SigmaSpan
sigma_json_end_object(StringInfo out)
{
	SigmaSpan	span;

	appendStringInfoChar(out, '}');
	span.data = out->data;
	span.length = out->len;
	return span;
}

char *
sigma_text_to_json(const char *text)
{
	StringInfoData s;

	initStringInfo(&s);
	escape_json(&s, text);
	return s.data;
}

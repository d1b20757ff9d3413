/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Between JSON text and SQL values.  The only file that includes cJSON.
 *
 * Rows are read straight from the text of a reply (see jsontext.c for why);
 * cJSON reads the small replies that are not rows, and puts request bodies
 * together.  A cJSON tree belongs to a memory context, so that an error frees
 * it.  cJSON's allocation hooks are global to the process and stay untouched.
 *
 * The API speaks UTF-8; here it becomes the database's encoding and back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <cjson/cJSON.h>

#include "access/attnum.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json_internal.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "read/read.h"

/*
 * A token or an error is a few lines; what is larger is not looked into.  cJSON
 * makes up to 40 bytes of each byte, and hears no interrupt meanwhile.
 */
#define SMALL_REPLY_LIMIT (64 * 1024)

/* ------------------------------------------------------------ text to SQL */

/* UTF-8 from the API as a C string in the database's encoding. */
static char *
to_server(const char *data, size_t length)
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

	if (!value->escaped)
		return to_server(value->text.data + 1, value->text.length - 2);
	utf8 = unescape(value, &length);
	return pg_any_to_server(utf8, (int) length, PG_UTF8);
}

char *
sigma_json_member_text(const SigmaJsonValue *object, const char *name)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue found = {.kind = SIGMA_JSON_NULL};

	if (object->kind != SIGMA_JSON_OBJECT)
		return NULL;
	while (sigma_json_next_member(object, &cursor, &member))
		if (sigma_json_is(&member.key, name))
			found = member.value;
	if (found.kind == SIGMA_JSON_NULL)
		return NULL;
	if (found.kind == SIGMA_JSON_STRING)
		return sigma_json_string(&found);
	return to_server(found.text.data, found.text.length);
}

char *
sigma_json_member_utf8(const SigmaJsonValue *object, const char *name)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue found = {.kind = SIGMA_JSON_NULL};
	char	   *out;
	size_t		length;

	if (object->kind != SIGMA_JSON_OBJECT)
		return NULL;
	while (sigma_json_next_member(object, &cursor, &member))
		if (sigma_json_is(&member.key, name))
			found = member.value;
	if (found.kind != SIGMA_JSON_STRING)
		return NULL;
	out = palloc(found.text.length + 1);
	if (sigma_json_unescape(&found, out, &length) != SIGMA_ESCAPE_OK)
		return NULL;
	out[length] = '\0';
	return out;
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
	Datum		volatile value = (Datum) 0;

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
	return sigma_input(jsonb_in, to_server(text.data, text.length));
}

const SigmaField *
sigma_known_field(Relation rel, const SigmaResource *resource, AttrNumber attnum)
{
	const char *option = sigma_column_field_option(RelationGetRelid(rel), attnum);
	const SigmaField *known;

	if (option == NULL)
		return sigma_find_field(resource, NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname));
	known = sigma_find_api_field(resource, option);
	/* "attrs" is no field of the API, but the way to name the whole entry */
	return known == NULL && strcmp(option, "attrs") == 0 ? sigma_find_field(resource, option) : known;
}

const char *
sigma_column_field(Relation rel, const SigmaResource *resource, AttrNumber attnum,
				   const SigmaField **known)
{
	const char *column = NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname);
	const char *option;
	const char *closest;

	*known = sigma_known_field(rel, resource, attnum);
	if (*known)
		return (*known)->field;
	option = sigma_column_field_option(RelationGetRelid(rel), attnum);
	if (option)
		return option;

	closest = sigma_closest_column(resource, column);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg("column \"%s\" of foreign table \"%s\" is not a field of resource \"%s\"",
					column, RelationGetRelationName(rel), resource->name),
			 closest
			 ? errhint("Perhaps you meant \"%s\"; or name the API's field in the column option \"field\".", closest)
			 : errhint("Name the API's field in the column option \"field\".")));
	return NULL;				/* keep compilers quiet */
}

/* By length and by two letters: field names differ in these, mostly. */
static inline int
name_bucket(const char *name, size_t length)
{
	if (length == 0)
		return 0;
	return (int) ((length * 7 + (unsigned char) name[0] * 3 + (unsigned char) name[length - 1]) % 64);
}

void
sigma_names_init(SigmaNames *names, int n, const char **list)
{
	names->n = n;
	names->names = list;
	names->lengths = palloc(Max(n, 1) * sizeof(size_t));
	names->next = palloc(Max(n, 1) * sizeof(int16));
	for (int i = 0; i < (int) lengthof(names->buckets); i++)
		names->buckets[i] = -1;
	/* from the last to the first, so that the first of the same name is found */
	for (int i = n - 1; i >= 0; i--)
	{
		int			bucket;

		if (list[i] == NULL)
			continue;
		names->lengths[i] = strlen(list[i]);
		bucket = name_bucket(list[i], names->lengths[i]);
		names->next[i] = names->buckets[bucket];
		names->buckets[bucket] = (int16) i;
	}
}

int
sigma_names_find(const SigmaNames *names, const SigmaJsonValue *name)
{
	const char *text = name->text.data + 1;
	size_t		length = name->text.length - 2;

	if (name->escaped)
	{
		for (int i = 0; i < names->n; i++)
			if (names->names[i] && sigma_json_is(name, names->names[i]))
				return i;
		return -1;
	}
	for (int i = names->buckets[name_bucket(text, length)]; i >= 0; i = names->next[i])
		if (names->lengths[i] == length && memcmp(names->names[i], text, length) == 0)
			return i;
	return -1;
}

SigmaRowReader *
sigma_row_reader(Relation rel, const SigmaResource *resource, const Bitmapset *attnums)
{
	SigmaRowReader *reader = palloc0(sizeof(SigmaRowReader));
	int			attnum = -1;
	int			n = bms_num_members(attnums);
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(resource->path, keys);
	const char **fields;

	reader->table = pstrdup(RelationGetRelationName(rel));
	if (resource->key)
		reader->key_field = sigma_find_field(resource, resource->key)->field;
	reader->columns = palloc0(Max(n, 1) * sizeof(SigmaColumn));
	reader->values = palloc0(Max(n, 1) * sizeof(SigmaJsonValue));
	fields = palloc0(Max(n, 1) * sizeof(char *));
	reader->current = -1;

	while ((attnum = bms_next_member(attnums, attnum)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
		SigmaColumn *column = &reader->columns[reader->ncolumns];
		const SigmaField *known;
		Oid			base = getBaseType(att->atttypid);
		Oid			input;

		/* what is computed when it is asked for is never read */
		if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
			continue;
		reader->ncolumns++;
		column->attnum = (AttrNumber) attnum;
		column->name = pstrdup(NameStr(att->attname));
		column->field = sigma_column_field(rel, resource, (AttrNumber) attnum, &known);
		column->read = known ? known->read : SIGMA_FROM_FIELD;
		column->absent = known ? known->absent : NULL;
		column->kind = known ? known->kind : SIGMA_PLAIN;
		for (int i = 0; column->read == SIGMA_FROM_KEY && i < nkeys; i++)
			if (strcmp(keys[i], known->column) == 0)
				column->key = i;
		column->is_json = base == JSONOID || base == JSONBOID;
		column->is_integer = base == INT2OID || base == INT4OID || base == INT8OID;
		column->typmod = att->atttypmod;
		getTypeInputInfo(att->atttypid, &input, &column->ioparam);
		fmgr_info(input, &column->input);
		fields[reader->ncolumns - 1] = column->read == SIGMA_FROM_FIELD ? column->field : NULL;
	}
	sigma_names_init(&reader->fields, reader->ncolumns, fields);
	/* columns of one field share its value: that of the first of them */
	for (int i = 0; i < reader->ncolumns; i++)
		for (int j = i; j >= 0; j--)
			if (fields[i] && fields[j] && strcmp(fields[i], fields[j]) == 0)
				reader->columns[i].value = j;
	return reader;
}

/* Names the row and the column of a conversion that fails. */
static void
conversion_error_callback(void *arg)
{
	SigmaRowReader *reader = arg;
	char	   *key = NULL;

	for (int i = 0; reader->key_field && i < reader->entry->nmembers; i++)
	{
		const SigmaJsonMember *member = &reader->entry->members[i];

		if (sigma_json_is(&member->key, reader->key_field))
			key = sigma_clean_text(member->value.text.data, member->value.text.length, 100);
	}
	if (reader->current < 0)
		errcontext("row " INT64_FORMAT " of foreign table \"%s\"", reader->row, reader->table);
	else if (key)
		errcontext("column \"%s\" of foreign table \"%s\", row " INT64_FORMAT ", %s %s",
				   reader->columns[reader->current].name, reader->table, reader->row,
				   reader->key_field, key);
	else
		errcontext("column \"%s\" of foreign table \"%s\", row " INT64_FORMAT,
				   reader->columns[reader->current].name, reader->table, reader->row);
}

/*
 * A number for an integer column: JSON has one kind of number, so 30.0 and
 * 3e1 are the integer 30.  What has a fraction stays as it is, and is refused
 * by the type's input function.
 */
static char *
whole_number(char *literal)
{
	Datum		number;
	Datum		whole;
	char	   *whole_text;

	if (strpbrk(literal, ".eE") == NULL)
		return literal;
	number = DirectFunctionCall3(numeric_in, CStringGetDatum(literal),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number, whole)))
		return literal;
	whole_text = DatumGetCString(DirectFunctionCall1(numeric_out, whole));
	/* no integer is as long, and the refusal shall quote 1e9999, not write it out */
	if (strlen(whole_text) > 20)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"%s\" is out of range for an integer", literal)));
	return whole_text;
}

/* A failure as a JSON object. */
static char *
failure_to_json(const SigmaFailure *failure)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "{\"sqlstate\":\"%s\",\"message\":%s", unpack_sql_state(failure->sqlstate),
					 sigma_text_to_json(failure->message));
	if (failure->detail)
		appendStringInfo(&s, ",\"detail\":%s", sigma_text_to_json(failure->detail));
	if (failure->hint)
		appendStringInfo(&s, ",\"hint\":%s", sigma_text_to_json(failure->hint));
	appendStringInfoChar(&s, '}');
	return s.data;
}

/* What a column's input function is to be given; NULL for a NULL. */
static char *
input_text(const SigmaRowReader *reader, int i)
{
	const SigmaColumn *column = &reader->columns[i];
	const SigmaJsonValue *value = &reader->values[column->value];
	const SigmaEntry *entry = reader->entry;

	switch (column->read)
	{
		case SIGMA_FROM_FIELD:
			break;
		case SIGMA_FROM_ENTRY:
			return entry->text.data ? to_server(entry->text.data, entry->text.length) : NULL;
		case SIGMA_FROM_KEY:
			return sigma_key_spelling(column->kind, entry->keys[column->key]);
		case SIGMA_FROM_ERROR:
			return entry->failure ? failure_to_json(entry->failure) : NULL;
		case SIGMA_FROM_NOWHERE:
			return NULL;
	}
	if (entry->failure)
		return NULL;
	if (value->kind == SIGMA_JSON_NULL)
		return column->absent ? pstrdup(column->absent) : NULL;
	if (value->kind == SIGMA_JSON_STRING && !column->is_json)
		return sigma_key_spelling(column->kind, sigma_json_string(value));
	if (value->kind == SIGMA_JSON_NUMBER && column->is_integer)
		return whole_number(pnstrdup(value->text.data, value->text.length));
	return to_server(value->text.data, value->text.length);
}

int
sigma_split_object(const SigmaJsonValue *object, SigmaJsonMember **members, int *room)
{
	const char *cursor = NULL;
	int			n = 0;

	while (sigma_json_next_member(object, &cursor, &(*members)[n]))
	{
		if (++n > SIGMA_MAX_MEMBERS)
			return -1;
		if (n == *room)
		{
			*room *= 2;
			*members = repalloc_huge(*members, *room * sizeof(SigmaJsonMember));
		}
	}
	return n;
}

/* Notes which of the entry's fields the columns want. */
static void
find_fields(SigmaRowReader *reader)
{
	for (int i = 0; i < reader->ncolumns; i++)
		reader->values[i].kind = SIGMA_JSON_NULL;
	for (int i = 0; i < reader->entry->nmembers; i++)
	{
		const SigmaJsonMember *member = &reader->entry->members[i];
		int			field = sigma_names_find(&reader->fields, &member->key);

		/* if a name comes twice, the last counts, as in jsonb */
		if (field >= 0)
			reader->values[field] = member->value;
	}
}

/* Fills the reader's columns from the entry in hand. */
static void
read_columns(SigmaRowReader *reader, Datum *values, bool *isnull)
{
	for (int i = 0; i < reader->ncolumns; i++)
	{
		SigmaColumn *column = &reader->columns[i];
		char	   *text;

		reader->current = i;
		text = input_text(reader, i);
		/* also called for a NULL, since a domain may refuse it */
		values[column->attnum - 1] = InputFunctionCall(&column->input, text,
													   column->ioparam, column->typmod);
		isnull[column->attnum - 1] = text == NULL;
	}
	reader->current = -1;
}

void
sigma_read_row(SigmaRowReader *reader, const SigmaEntry *entry, Datum *values, bool *isnull)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorContextCallback callback;

	reader->row++;
	if (reader->ncolumns == 0)
		return;
	reader->entry = entry;
	find_fields(reader);

	callback.callback = conversion_error_callback;
	callback.arg = reader;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	PG_TRY();
	{
		read_columns(reader, values, isnull);
	}
	PG_CATCH();
	{
		sigma_rethrow_clean(context);
	}
	PG_END_TRY();
	/* it may be the caller's own, on the stack */
	reader->entry = NULL;
	error_context_stack = callback.previous;
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

/* ---------------------------------------------------------- request bodies */

SigmaBody *
sigma_body_begin(MemoryContext context)
{
	Tree	   *tree = tree_holder(context);

	tree->root = cJSON_CreateObject();
	if (tree->root == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return (SigmaBody *) tree;
}

void
sigma_body_add_json(SigmaBody *body, const char *key, const char *json)
{
	Tree	   *tree = (Tree *) body;
	char	   *utf8 = sigma_to_utf8(json);

	/* raw text, since a cJSON number would be a double */
	if (cJSON_AddRawToObject(tree->root, key, utf8) == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

const char *
sigma_body_text(SigmaBody *body)
{
	Tree	   *tree = (Tree *) body;

	cJSON_free(tree->printed);
	tree->printed = cJSON_PrintUnformatted(tree->root);
	if (tree->printed == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return tree->printed;
}

char *
sigma_text_to_json(const char *text)
{
	StringInfoData s;

	initStringInfo(&s);
	escape_json(&s, text);
	return s.data;
}

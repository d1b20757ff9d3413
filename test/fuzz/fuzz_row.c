/*-------------------------------------------------------------------------
 *
 * fuzz_row.c
 *	  From the pages of a reply to the columns of a row.
 *
 * Runs walk.c, pager.c, json.c and jsontext.c over pages that the input
 * holds, with a stand-in for the session (replies.c in ../shim/) and for the
 * backend (backend_shim.c, type_stubs.c).  Input: three bytes and the pages,
 * with PAGE_END between them:
 *
 *	1	the resource
 *	2	bits: include_archived, prefetch, tolerate, by key, LATIN1, not
 *		telling the pager which fields are wanted
 *	3	bits: rewind, walk; then two bits of concurrency
 *
 * A walk ends with a row per entry, or with an error.  How many entries the
 * pages hold, and what a text column must read, is asked of cJSON, where it
 * reads JSON as we do.  Each row is read a second time from its own text, and
 * by the types' input functions alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "read/read_internal.h"

#include <cjson/cJSON.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "backend_shim.h"
#include "fuzz.h"
#include "replies.h"
#include "type_stubs.h"

#define HEAD 3

/* A walk through more rows than an input can hold does not end. */
#define MANY_ROWS 100000

/* What the input asks for. */
static const SigmaResource *resource;
static bool include_archived;
static bool by_key;
static bool latin1;
static bool untold;

/* What has been read once is read again: no error can be new. */
static bool second_reading;

/* How many rows the pages taken so far are worth; -1: cJSON cannot say. */
static int	expected_rows;

/* Does cJSON read this text as we do?  It ends a string at \u0000. */
static cJSON *
parse(SigmaSpan text)
{
	for (size_t i = 0; i + 6 <= text.length; i++)
		if (memcmp(text.data + i, "\\u0000", 6) == 0)
			return NULL;
	return cJSON_ParseWithLength(text.data, text.length);
}

/* The last member of that name, as in jsonb; what is no object has none. */
static const cJSON *
last_member(const cJSON *object, const char *name)
{
	const cJSON *found = NULL;

	for (const cJSON *child = object->child; child; child = child->next)
		if (child->string && strcmp(child->string, name) == 0)
			found = child;
	return found;
}

static bool
is_row(const cJSON *entry)
{
	return include_archived || resource->archived_field == NULL ||
		!cJSON_IsTrue(last_member(entry, resource->archived_field));
}

static void
count_rows(SigmaSpan body)
{
	cJSON	   *tree = parse(body);
	const cJSON *entries = tree;

	if (tree == NULL || expected_rows < 0)
	{
		expected_rows = -1;
		cJSON_Delete(tree);
		return;
	}
	if (by_key || resource->paging == SIGMA_PAGING_OBJECT)
		expected_rows += is_row(tree);
	else
	{
		if (cJSON_IsObject(tree))
			entries = last_member(tree, "entries");
		if (cJSON_IsArray(entries))
			for (const cJSON *entry = entries->child; entry; entry = entry->next)
				expected_rows += is_row(entry);
	}
	cJSON_Delete(tree);
}

/* A reader of all the resource's fields, as sigma_row_reader() makes it. */
static SigmaRowReader *
make_reader(void)
{
	SigmaRowReader *reader = palloc0(sizeof(SigmaRowReader));
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(resource->path, keys);
	const char **fields = palloc0(resource->nfields * sizeof(char *));

	reader->table = "t";
	if (resource->key)
		reader->key_field = sigma_find_field(resource, resource->key)->field;
	reader->ncolumns = resource->nfields;
	reader->columns = palloc0(resource->nfields * sizeof(SigmaColumn));
	reader->values = palloc0(resource->nfields * sizeof(SigmaJsonValue));
	reader->current = -1;
	for (int i = 0; i < resource->nfields; i++)
	{
		const SigmaField *field = &resource->fields[i];
		SigmaColumn *column = &reader->columns[i];

		column->attnum = (AttrNumber) (i + 1);
		column->name = field->column;
		column->read = field->read;
		column->field = field->field;
		column->value = i;
		fields[i] = column->read == SIGMA_FROM_FIELD ? column->field : NULL;
		column->absent = field->absent;
		for (int j = 0; j < nkeys; j++)
			if (column->read == SIGMA_FROM_KEY && strcmp(keys[j], field->column) == 0)
				column->key = j;
		column->is_json = field->type == JSONBOID;
		column->is_integer = field->type == INT4OID || field->type == INT8OID;
		column->input.fn_addr = stub_input(field->type);
		column->kind = field->kind;
		column->quick = field->type;
	}
	sigma_names_init(&reader->fields, reader->ncolumns, fields);
	/* columns of one field share the value of the first of them */
	for (int i = 0; i < resource->nfields; i++)
		for (int j = i; j >= 0; j--)
			if (fields[i] && fields[j] && strcmp(fields[i], fields[j]) == 0)
				reader->columns[i].value = j;
	return reader;
}

/* The text of a value, which an input function's stand-in leaves as it is. */
static const char *
shown(const SigmaRowReader *reader, const SigmaColumn *column, const SigmaEntry *entry, Datum value)
{
	const SigmaJsonValue *json = &reader->in_hand[column->value];
	Datum		quick;

	if (column->read != SIGMA_FROM_FIELD || entry->failure || (column->kind != SIGMA_PLAIN && json->kind == SIGMA_JSON_STRING && !sigma_is_shown_uuid(json->text.data + 1, json->text.length - 2)) ||
		!sigma_json_quick(column->quick, json, &quick))
		return DatumGetCString(value);
	switch (column->quick)
	{
		case TEXTOID:
			return pnstrdup(VARDATA(DatumGetPointer(value)), VARSIZE(DatumGetPointer(value)) - VARHDRSZ);
		case BOOLOID:
			return DatumGetBool(value) ? "true" : "false";
		case INT4OID:
			return psprintf("%d", DatumGetInt32(value));
		case INT8OID:
			return psprintf(INT64_FORMAT, DatumGetInt64(value));
		default:
			CHECK(column->quick == TIMESTAMPTZOID);
			CHECK(json->text.length == 26);
			return pnstrdup(json->text.data + 1, 24);
	}
}

/* A row by its own text, and without the short ways, is the same. */
static void
check_again(SigmaRowReader *reader, const SigmaEntry *entry, const char **texts)
{
	Datum	   *values = palloc0(resource->nfields * sizeof(Datum));
	bool	   *isnull = palloc0(resource->nfields * sizeof(bool));
	SigmaEntry	alone = *entry;

	alone.fields = NULL;
	for (int i = 0; i < resource->nfields; i++)
		reader->columns[i].quick = InvalidOid;
	second_reading = true;
	sigma_read_row(reader, &alone, values, isnull);
	second_reading = false;
	for (int i = 0; i < resource->nfields; i++)
	{
		CHECK(isnull[i] == (texts[i] == NULL));
		/* "-0" is 0 to whoever counts */
		CHECK(isnull[i] || strcmp(DatumGetCString(values[i]), texts[i]) == 0 ||
			  (strcmp(DatumGetCString(values[i]), "-0") == 0 && strcmp(texts[i], "0") == 0));
		reader->columns[i].quick = resource->fields[i].type;
	}
}

/* Does a text column say what cJSON says? */
static void
check_column(const SigmaColumn *column, const SigmaField *field, const cJSON *entry, const char *text)
{
	const cJSON *member;

	if (column->read != SIGMA_FROM_FIELD || field->type != TEXTOID)
		return;
	member = last_member(entry, column->field);
	if (member == NULL || cJSON_IsNull(member))
		CHECK(column->absent ? strcmp(text, column->absent) == 0 : text == NULL);
	else
	{
		CHECK(text);
		if (cJSON_IsString(member))
			CHECK(strcmp(text, sigma_key_spelling(column->kind, pstrdup(member->valuestring))) == 0);
	}
}

static void
read_entry(SigmaRowReader *reader, const SigmaEntry *entry)
{
	Datum	   *values = palloc0(resource->nfields * sizeof(Datum));
	bool	   *isnull = palloc0(resource->nfields * sizeof(bool));
	const char **texts = palloc0(resource->nfields * sizeof(char *));
	SigmaJsonValue again;
	const char *error;
	cJSON	   *tree;

	CHECK((entry->text.data != NULL) != (entry->failure != NULL));
	if (entry->text.data)
	{
		CHECK(sigma_json_check(entry->text, &again, &error));
		CHECK(again.kind == SIGMA_JSON_OBJECT && again.text.length == entry->text.length);
	}
	sigma_read_row(reader, entry, values, isnull);
	CHECK(reader->current == -1);
	for (int i = 0; i < resource->nfields; i++)
		texts[i] = isnull[i] ? NULL : shown(reader, &reader->columns[i], entry, values[i]);
	check_again(reader, entry, texts);
	tree = entry->text.data && !latin1 ? parse(entry->text) : NULL;
	for (int i = 0; tree && i < resource->nfields; i++)
		check_column(&reader->columns[i], &resource->fields[i], tree, texts[i]);
	cJSON_Delete(tree);
}

/* Reads up to "limit" rows; were there no more? */
static bool
read_list(SigmaPager *pager, SigmaRowReader *reader, int limit, int *rows)
{
	SigmaEntry	entry = {.keys = (char *[]) {"key", "key", "key", "key"}};

	for (*rows = 0; *rows < limit; ++*rows)
	{
		(void) sigma_pager_would_wait(pager);
		if (!sigma_pager_next(pager, &entry))
		{
			CHECK(!sigma_pager_would_wait(pager));
			CHECK(!sigma_pager_next(pager, &entry));
			return true;
		}
		read_entry(reader, &entry);
	}
	return false;
}

static void
run_pager(Replies *replies, bool prefetch, bool tolerate, bool rewind)
{
	SigmaStats	stats = {0};
	SigmaRowReader *reader = make_reader();
	SigmaListSpec spec = {.resource = resource, .path = "/v2/list", .limit = 50,
		.scope = {.include_archived = include_archived}, .prefetch = prefetch, .item = by_key,
	.by_key = by_key, .tolerate = tolerate, .fields = untold ? NULL : &reader->fields};
	SigmaPager *pager = sigma_pager_open(replies_session(replies), CurrentMemoryContext, &spec, &stats);
	int			rows;

	if (rewind)
	{
		(void) read_list(pager, reader, 1 + replies->concurrency, &rows);
		sigma_pager_rewind(pager);
		/* one page that was read whole is not asked for again */
		if (!(replies->waited == 1 && stats.pages + by_key == 1))
			expected_rows = 0;
	}
	CHECK(read_list(pager, reader, MANY_ROWS, &rows));
	if (expected_rows >= 0)
		CHECK(rows == expected_rows);
	sigma_pager_close(pager);
}

static void
run_walk(Replies *replies, bool prefetch, bool tolerate, bool rewind)
{
	char	   *values[] = {"one", "..", "two/three"};
	SigmaBound	bound[SIGMA_MAX_KEYS] = {{by_key, 3, values}};
	SigmaWalkSpec spec = {.resource = resource, .bound = bound, .limit = 50,
	.scope = {.include_archived = include_archived}, .prefetch = prefetch, .tolerate = tolerate};
	SigmaStats	stats = {0};
	SigmaWalk  *walk;
	SigmaRowReader *reader = make_reader();
	SigmaEntry	entry;
	int			rows = 0;

	spec.fields = untold ? NULL : &reader->fields;
	spec.item = by_key && resource->item_path;
	walk = sigma_walk_open(replies_session(replies), CurrentMemoryContext, &spec, &stats);
	if (rewind)
	{
		while (rows++ < replies->concurrency && sigma_walk_next(walk, &entry))
			read_entry(reader, &entry);
		sigma_walk_rewind(walk);
	}
	for (rows = 0; sigma_walk_next(walk, &entry); rows++)
	{
		read_entry(reader, &entry);
		CHECK(rows < MANY_ROWS);
	}
	sigma_walk_close(walk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryContext context;
	Replies		replies = {0};

	if (size < HEAD)
		return 0;
	resource = sigma_resources[(data[0] + 256 - 'a') % sigma_nresources];
	include_archived = data[1] & 1;
	by_key = data[1] & 8;
	latin1 = data[1] & 16;
	untold = data[1] & 32;
	second_reading = false;
	shim_encoding = latin1 ? PG_LATIN1 : PG_UTF8;
	replies.data = (const char *) data + HEAD;
	replies.length = size - HEAD;
	replies.concurrency = 1 + ((data[2] >> 2) & 3);
	expected_rows = 0;

	context = shim_context();
	PG_TRY();
	{
		if (data[2] & 2)
			run_walk(&replies, data[1] & 2, data[1] & 4, data[2] & 1);
		else
		{
			replies.on_page = count_rows;
			run_pager(&replies, data[1] & 2, data[1] & 4, data[2] & 1);
		}
	}
	PG_CATCH();
	{
		CHECK(!second_reading);
		/* every error says what it is */
		CHECK(shim_report.elevel == ERROR);
		CHECK(shim_report.sqlstate != 0 && shim_report.message[0] != '\0');
	}
	PG_END_TRY();
	MemoryContextDelete(context);
	return 0;
}

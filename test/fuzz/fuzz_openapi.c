/*-------------------------------------------------------------------------
 *
 * fuzz_openapi.c
 *	  From a description of the API to the tables that it comes to.
 *
 * Input: a description.  It is none that can be understood, and somebody says
 * why, or raises it; or each of its GETs has a path and fields of types that a column can
 * have, and each table that comes of it names that PostgreSQL takes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"

#include "catalog/openapi.h"

#include "backend_shim.h"
#include "fuzz.h"

/* libpgcommon's Unicode normalization takes memory from malloc() outside of a server, and nobody frees it. */
extern const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static void
check_type(Oid type)
{
	CHECK(type == TEXTOID || type == BOOLOID || type == INT4OID || type == INT8OID || type == NUMERICOID ||
		  type == FLOAT8OID || type == DATEOID || type == TIMESTAMPTZOID || type == JSONBOID);
}

/* Whatever is said is a text of the database's. */
static void
check_text(const char *text)
{
	CHECK(text == NULL || pg_verify_mbstr(PG_UTF8, text, (int) strlen(text), true));
}

static void
check_name(const char *name)
{
	CHECK(name != NULL && name[0] != '\0' && strlen(name) < NAMEDATALEN);
	check_text(name);
}

static void
check_get(const SigmaApiGet *get)
{
	CHECK(get->path != NULL && get->path[0] == '/');
	check_text(get->path);
	check_text(get->summary);
	check_text(get->problem);
	check_text(get->entries);
	CHECK(get->nfields >= 0);
	for (int i = 0; i < get->nfields; i++)
	{
		CHECK(get->fields[i].name != NULL);
		check_text(get->fields[i].name);
		check_text(get->fields[i].description);
		check_type(get->fields[i].type);
	}
}

static void
check_table(const SigmaApiTable *table)
{
	ListCell   *lc;

	check_name(table->name);
	CHECK((table->status == SIGMA_API_NEW) == (table->known == NULL));
	CHECK((table->status == SIGMA_API_GONE) == (table->get == NULL));
	check_text(table->comment);
	check_text(table->path);
	if (table->status == SIGMA_API_NEW)
		CHECK(table->path != NULL);
	foreach(lc, table->columns)
	{
		const SigmaApiColumn *column = lfirst(lc);

		check_name(column->name);
		check_type(column->type);
		check_text(column->field);
		check_text(column->comment);
		/* no name is there twice */
		for (int i = 0; i < foreach_current_index(lc); i++)
			CHECK(strcmp(((SigmaApiColumn *) list_nth(table->columns, i))->name, column->name) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryContext context = shim_context();
	SigmaSpan	text;
	const char *problem = NULL;

	shim_encoding = PG_UTF8;
	text.data = memcpy(palloc(size), data, size);
	text.length = size;
	PG_TRY();
	{
		List	   *gets = sigma_read_openapi(text, &problem);
		ListCell   *lc;

		CHECK(gets == NIL || problem == NULL);
		foreach(lc, gets)
		{
			check_get(lfirst(lc));
		}
		foreach(lc, sigma_openapi_tables_of(gets, sigma_resources, sigma_nresources))
		{
			check_table(lfirst(lc));
		}
	}
	PG_CATCH();
	{
		/* what is not UTF-8, say; every error says what it is */
		CHECK(shim_report.elevel == ERROR);
		CHECK(shim_report.sqlstate != 0 && shim_report.message[0] != '\0');
	}
	PG_END_TRY();
	MemoryContextDelete(context);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * test_json.c
 *	  The parts of json.c that need no catalogues: the token reply, the error
 *	  object, and one row after another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/json.h"
#include "catalog/catalog.h"
#include "read/read.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"

#include "backend_shim.h"
#include "tap.h"
#include "type_stubs.h"

/* A copy in a block of exactly its size. */
static char *
exact(const char *text, size_t length)
{
	char	   *copy = malloc(length);

	memcpy(copy, text, length);
	return copy;
}

static void
test_token(void)
{
	static const struct
	{
		const char *body;
		const char *token;		/* or NULL */
		double		expires_in;
	}			cases[] = {
		{"{\"access_token\":\"abc\",\"expires_in\":3600}", "abc", 3600},
		{"{\"expires_in\":\"3600\",\"access_token\":\"abc\"}", "abc", 3600},
		{"{\"access_token\":\"abc\",\"expires_in\":0.5}", "abc", 0.5},
		{"{\"access_token\":\"abc\"}", "abc", -1}, {"{\"access_token\":\"abc\",\"expires_in\":0}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":-5}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":null}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":\"soon\"}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":\"\"}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":\"12x\"}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":\"nan\"}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":\"-1\"}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":[]}", "abc", -1},
		{"{\"access_token\":\"abc\",\"expires_in\":true}", "abc", -1},
		{"{\"access_token\":\"!~\"}", "!~", -1},
		{"{\"access_token\":\"\"}", NULL, -1}, {"{\"access_token\":null}", NULL, -1},
		{"{\"access_token\":5}", NULL, -1}, {"{\"access_token\":{}}", NULL, -1}, {"{}", NULL, -1},
		{"[]", NULL, -1}, {"null", NULL, -1}, {"", NULL, -1}, {"<html>", NULL, -1},
		{"{\"access_token\":\"a b\"}", NULL, -1}, {"{\"access_token\":\"a\\r\\nX: y\"}", NULL, -1},
		{"{\"access_token\":\"a\\u007f\"}", NULL, -1}, {"{\"access_token\":\"\xc3\xa9\"}", NULL, -1},
		{"{\"Access_Token\":\"abc\"}", NULL, -1}, {"{\"access_token\":\"abc\"", NULL, -1},
	};

	tap_begin("token reply: a token that may stand in a header, and how long it lives");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		size_t		length = strlen(cases[i].body);
		char	   *body = exact(cases[i].body, length);
		char	   *token = NULL;
		double		expires_in;
		bool		ok = sigma_json_token(body, length, &token, &expires_in);

		EXPECT(ok == (cases[i].token != NULL), "%s", cases[i].body);
		if (ok && cases[i].token)
			EXPECT(strcmp(token, cases[i].token) == 0, "%s gives %s", cases[i].body, token);
		if (ok)
			EXPECT(expires_in == cases[i].expires_in, "%s lives %g", cases[i].body, expires_in);
		free(body);
	}
	tap_end();
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void
test_error_object(void)
{
	static const struct
	{
		const char *body;
		bool		found;
		const char *code;
		const char *message;
		const char *request_id;
	}			cases[] = {
		{"{\"code\":\"not_found\",\"message\":\"No\",\"requestId\":\"r\"}", true, "not_found", "No", "r"},
		{"{\"message\":\"No\"}", true, NULL, "No", NULL}, {"{\"code\":404}", true, "404", NULL, NULL},
		{"{\"code\":\"a\",\"message\":[\"x\",1]}", true, "a", "[\"x\",1]", NULL},
		{"{\"code\":{\"a\":1},\"message\":null}", true, "{\"a\":1}", NULL, NULL},
		{"{\"code\":null,\"message\":null,\"requestId\":\"r\"}", false, NULL, NULL, "r"},
		{"{}", false, NULL, NULL, NULL}, {"[]", false, NULL, NULL, NULL}, {"", false, NULL, NULL, NULL},
		{"\"code\"", false, NULL, NULL, NULL}, {"<html><body>502</body></html>", false, NULL, NULL, NULL},
		{"{\"code\":\"a\"", false, NULL, NULL, NULL},
	};

	tap_begin("error object: its parts, and what is none");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		size_t		length = strlen(cases[i].body);
		char	   *body = exact(cases[i].body, length);
		char	   *code;
		char	   *message;
		char	   *request_id;

		EXPECT(sigma_json_error_object(body, length, &code, &message, &request_id) == cases[i].found,
			   "%s", cases[i].body);
		EXPECT(same(code, cases[i].code), "%s: code %s", cases[i].body, code ? code : "(none)");
		EXPECT(same(message, cases[i].message), "%s: message %s", cases[i].body, message ? message : "(none)");
		EXPECT(same(request_id, cases[i].request_id), "%s: id %s", cases[i].body, request_id ? request_id : "(none)");
		free(body);
	}
	tap_end();
}

/* A reader of one column; the whole entry if it has no field. */
static SigmaRowReader *
reader_of(Oid type, const char *field, const char *absent)
{
	SigmaRowReader *reader = palloc0(sizeof(SigmaRowReader));
	SigmaColumn *column = palloc0(sizeof(SigmaColumn));
	const char **fields = palloc(sizeof(char *));

	column->attnum = 1;
	column->name = "c";
	column->read = field ? SIGMA_FROM_FIELD : SIGMA_FROM_ENTRY;
	column->field = field;
	column->absent = absent;
	column->is_json = type == JSONBOID;
	column->is_integer = type == INT4OID;
	column->input.fn_addr = stub_input(type);
	reader->table = "t";
	reader->key_field = "id";
	reader->ncolumns = 1;
	reader->columns = column;
	reader->values = palloc0(sizeof(SigmaJsonValue));
	fields[0] = field;
	sigma_names_init(&reader->fields, 1, fields);
	reader->current = -1;
	return reader;
}

/* Reads one entry; the text that the input function was given, or NULL. */
static const char *
read_one(SigmaRowReader *reader, const char *entry)
{
	char	   *copy = exact(entry, strlen(entry));
	SigmaEntry	one = {.text = {copy, strlen(entry)}};
	Datum		value = (Datum) 0;
	bool		isnull = false;
	const char *volatile result = NULL;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		sigma_read_row(reader, &one, &value, &isnull);
		result = isnull ? NULL : DatumGetCString(value);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		result = psprintf("ERROR: %s: %s", shim_report.message, shim_report.context);
	}
	PG_END_TRY();
	free(copy);
	return result;
}

static void
test_rows(void)
{
	static const struct
	{
		Oid			type;
		const char *field;
		const char *absent;
		const char *entry;
		const char *result;
	}			cases[] = {
		{TEXTOID, "a", NULL, "{\"a\":\"x\"}", "x"}, {TEXTOID, "a", NULL, "{\"b\":\"x\"}", NULL},
		{TEXTOID, "a", NULL, "{\"a\":null}", NULL}, {TEXTOID, "a", NULL, "{}", NULL},
		{TEXTOID, "a", "z", "{}", "z"}, {TEXTOID, "a", "z", "{\"a\":null}", "z"},
		{TEXTOID, "a", "z", "{\"a\":\"\"}", ""}, {TEXTOID, "a", NULL, "{\"a\":1e5}", "1e5"},
		{TEXTOID, "a", NULL, "{\"a\":[1, 2]}", "[1, 2]"}, {TEXTOID, "a", NULL, "{\"a\":true}", "true"},
		{TEXTOID, "a", NULL, "{\"a\":1,\"a\":2}", "2"}, {TEXTOID, "a", NULL, "{\"a\":1,\"a\":null}", NULL},
		{TEXTOID, "a", NULL, "{\"\\u0061\":\"\\u00e9\\n\"}", "\xc3\xa9\n"},
		/* names of which one begins the other, of lengths that are easily confused */
		{TEXTOID, "abcdxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxd", NULL, "{\"abcd\":1}", NULL},
		{TEXTOID, "a", NULL, "{\"aa\":1,\"A\":2,\"\":3}", NULL},
		{TEXTOID, "a", NULL, "{\"b\":\"\\u0000\",\"a\":1}", "1"},
		{TEXTOID, "a", NULL, "{\"id\":\"k\",\"a\":\"\\u0000\"}",
		"ERROR: unsupported Unicode escape sequence: column \"c\" of foreign table \"t\", row 1, id \"k\""},
		{TEXTOID, "a", NULL, "{\"a\":\"\\ud800\"}",
		"ERROR: invalid Unicode escape sequence: column \"c\" of foreign table \"t\", row 1"},
		{TEXTOID, "a", NULL, "{\"a\":\"\xff\"}",
		"ERROR: invalid byte sequence for encoding: column \"c\" of foreign table \"t\", row 1"},
		{TEXTOID, NULL, NULL, "{ \"a\" : 1 }", "{ \"a\" : 1 }"},
		{JSONBOID, "a", NULL, "{\"a\":\"x\\n\"}", "\"x\\n\""}, {JSONBOID, "a", NULL, "{\"a\":{ }}", "{ }"},
		{JSONBOID, "a", NULL, "{\"a\":null}", NULL}, {JSONBOID, "a", NULL, "{\"a\":1e500}", "1e500"},
		{INT4OID, "a", NULL, "{\"a\":30}", "30"}, {INT4OID, "a", NULL, "{\"a\":30.0}", "30"},
		{INT4OID, "a", NULL, "{\"a\":3e1}", "30"}, {INT4OID, "a", NULL, "{\"a\":3E+1}", "30"},
		{INT4OID, "a", NULL, "{\"a\":-3e1}", "-30"}, {INT4OID, "a", NULL, "{\"a\":-0.0}", "0"},
		{INT4OID, "a", NULL, "{\"a\":\"30\"}", "30"},
		{INT4OID, "a", NULL, "{\"a\":30.5}",
		"ERROR: invalid input syntax for type integer: \"30.5\": column \"c\" of foreign table \"t\", row 1"},
	};

	tap_begin("rows: what a column's input function is given");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		const char *result = read_one(reader_of(cases[i].type, cases[i].field, cases[i].absent), cases[i].entry);

		EXPECT(same(result, cases[i].result), "%s gives %s", cases[i].entry, result ? result : "NULL");
	}
	tap_end();

	tap_begin("rows: a refused number is quoted as it came, not written out");
	{
		const char *result = read_one(reader_of(INT4OID, "a", NULL), "{\"a\":1e300}");

		EXPECT(result && strncmp(result, "ERROR", 5) == 0 && strlen(result) < 200, "%zu bytes",
			   result ? strlen(result) : 0);
	}
	tap_end();

	tap_begin("rows: one row's fields do not stay for the next");
	{
		SigmaRowReader *reader = reader_of(TEXTOID, "a", NULL);

		EXPECT(same(read_one(reader, "{\"a\":\"x\"}"), "x"), "first");
		EXPECT(same(read_one(reader, "{\"b\":\"x\"}"), NULL), "second");
		EXPECT(reader->row == 2, "row " INT64_FORMAT, reader->row);
	}
	tap_end();

	tap_begin("rows: in a LATIN1 database");
	shim_encoding = PG_LATIN1;
	EXPECT(same(read_one(reader_of(TEXTOID, "a", NULL), "{\"a\":\"\xc3\xa9\"}"), "\xe9"), "plain");
	EXPECT(same(read_one(reader_of(TEXTOID, "a", NULL), "{\"a\":\"\\u00e9\"}"), "\xe9"), "escaped");
	EXPECT(same(read_one(reader_of(TEXTOID, "a", NULL), "{\"a\":\"\"}"), ""), "empty");
	EXPECT(strncmp(read_one(reader_of(TEXTOID, "a", NULL), "{\"a\":\"\xe2\x82\xac\"}"), "ERROR", 5) == 0, "euro");
	shim_encoding = PG_UTF8;
	tap_end();
}

void
test_json(void)
{
	MemoryContext context = shim_context();

	test_token();
	test_error_object();
	test_rows();
	MemoryContextDelete(context);
}

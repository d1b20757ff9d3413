/*-------------------------------------------------------------------------
 *
 * test_quick.c
 *	  Values that are made without the input functions of their types: what is
 *	  made, and what is left to these.
 *
 * test/pgtap/quick.sql compares with the input functions themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "datatype/timestamp.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "json/json.h"

#include "backend_shim.h"
#include "tap.h"

/* A value as a type, out of JSON text in a block of exactly its size. */
static bool
quick(Oid type, const char *json, Datum *datum)
{
	size_t		length = strlen(json);
	char	   *copy = malloc(length);
	SigmaJsonValue value;
	const char *error;
	bool		ok;

	memcpy(copy, json, length);
	ok = sigma_json_check((SigmaSpan) {copy, length}, &value, &error);
	EXPECT(ok, "%s is not JSON: %s", json, error);
	ok = ok && sigma_json_quick(type, &value, datum);
	free(copy);
	return ok;
}

/* 1970-01-01 in microseconds since 2000-01-01 */
#define UNIX_EPOCH (-INT64CONST(10957) * USECS_PER_DAY)

static void
test_times(void)
{
	/* seconds since 1970, by "date -u -d ... +%s" */
	static const struct
	{
		const char *text;
		int64		milliseconds;
	}			times[] = {
		{"\"2000-01-01T00:00:00.000Z\"", INT64CONST(946684800000)},
		{"\"1970-01-01T00:00:00.001Z\"", 1},
		{"\"1969-12-31T23:59:59.999Z\"", -1},
		{"\"2026-01-15T12:00:00.000Z\"", INT64CONST(1768478400000)},
		{"\"2024-02-29T23:59:59.999Z\"", INT64CONST(1709251199999)},
		{"\"2000-02-29T00:00:00.000Z\"", INT64CONST(951782400000)},
		{"\"0001-01-01T00:00:00.000Z\"", INT64CONST(-62135596800000)},
		{"\"9999-12-31T23:59:59.999Z\"", INT64CONST(253402300799999)},
	};
	static const char *const others[] = {
		/* no such day */
		"\"2023-02-29T00:00:00.000Z\"", "\"1900-02-29T00:00:00.000Z\"", "\"2100-02-29T00:00:00.000Z\"",
		"\"2024-02-30T00:00:00.000Z\"", "\"2024-04-31T00:00:00.000Z\"", "\"2024-01-32T00:00:00.000Z\"",
		"\"2024-01-00T00:00:00.000Z\"", "\"2024-00-01T00:00:00.000Z\"", "\"2024-13-01T00:00:00.000Z\"",
		"\"0000-01-01T00:00:00.000Z\"",
		/* that the input function reads */
		"\"2024-01-01T24:00:00.000Z\"", "\"2024-01-01T23:59:60.000Z\"", "\"2024-01-01T00:00:00Z\"",
		"\"2024-01-01T00:00:00.00Z\"", "\"2024-01-01T00:00:00.000000Z\"", "\"2024-01-01 00:00:00.000Z\"",
		"\"2024-01-01T00:00:00.000+02:00\"", "\"2024-01-01T00:00:00.000\"", "\"2024-01-01T00:00:00.000z\"",
		"\"2024-01-01t00:00:00.000Z\"", "\"12024-01-01T00:00:00.00Z\"", "\"2024-01-01T00:00:00.000 \"",
		"\"-infinity\"", "\"now\"", "\"2024-01-01T00:00:00.000\\u005a\"",
		/* what is no time at all */
		"\"2024-01-01T25:00:00.000Z\"", "\"2024-01-01T00:60:00.000Z\"", "\"2024-01-01T00:00:61.000Z\"",
		"\"2024-01-01T00:00:00.00xZ\"", "\"2024-01-01T00:00:00.-01Z\"", "\"+024-01-01T00:00:00.000Z\"",
		"\"2024- 1-01T00:00:00.000Z\"", "\"2024-01-01T00:00:00,000Z\"", "\"2024/01/01T00:00:00.000Z\"",
		"\"2024-01-01T00.00.00.000Z\"", "\"202\xc3\xa9-01-01T00:00:00.00Z\"", "\"\"", "\"Z\"",
		"20240101", "true", "null", "[]", "{}",
	};
	Datum		datum;

	tap_begin("quick: times of the API's form");
	for (int i = 0; i < (int) lengthof(times); i++)
		if (EXPECT(quick(TIMESTAMPTZOID, times[i].text, &datum), "%s", times[i].text))
			EXPECT(DatumGetTimestampTz(datum) == UNIX_EPOCH + times[i].milliseconds * 1000, "%s gives " INT64_FORMAT,
				   times[i].text, DatumGetTimestampTz(datum));
	tap_end();

	tap_begin("quick: any other time is left to the input function");
	for (int i = 0; i < (int) lengthof(others); i++)
		EXPECT(!quick(TIMESTAMPTZOID, others[i], &datum), "%s", others[i]);
	tap_end();
}

static void
put(char *p, int n, int number)
{
	while (n-- > 0)
	{
		p[n] = (char) ('0' + number % 10);
		number /= 10;
	}
}

/* Each day is one later than the day before, and there are no others. */
static void
test_every_day(void)
{
	char		text[] = "\"0001-01-01T00:00:00.000Z\"";
	SigmaJsonValue value = {SIGMA_JSON_STRING, false, true, {text, sizeof(text) - 1}};
	TimestampTz expected = UNIX_EPOCH - INT64CONST(719162) * USECS_PER_DAY;
	int			days = 0;

	tap_begin("quick: every day from the year 1 to 9999");
	for (int year = 1; year <= 9999; year++)
		for (int month = 1; month <= 12; month++)
			for (int day = 1; day <= 32; day++)
			{
				Datum		datum;

				put(text + 1, 4, year);
				put(text + 6, 2, month);
				put(text + 9, 2, day);
				if (!sigma_json_quick(TIMESTAMPTZOID, &value, &datum))
				{
					EXPECT(day > 28, "%s is refused", text);
					continue;
				}
				EXPECT(DatumGetTimestampTz(datum) == expected, "%s", text);
				expected += USECS_PER_DAY;
				days++;
			}
	/* 400 years have 146,097 days; the year 10000 would have a leap day */
	EXPECT(days == 25 * 146097 - 366, "%d days", days);
	tap_end();
}

static void
test_integers(void)
{
	static const struct
	{
		Oid			type;
		const char *text;
		int64		number;
	}			numbers[] = {
		{INT4OID, "0", 0}, {INT4OID, "-0", 0}, {INT4OID, "7", 7}, {INT4OID, "-7", -7},
		{INT4OID, "999999999", 999999999}, {INT4OID, "-999999999", -999999999},
		{INT2OID, "9999", 9999}, {INT2OID, "-9999", -9999},
		{INT8OID, "9007199254740993", INT64CONST(9007199254740993)},
		{INT8OID, "999999999999999999", INT64CONST(999999999999999999)},
		{INT8OID, "-999999999999999999", -INT64CONST(999999999999999999)},
	};
	static const struct
	{
		Oid			type;
		const char *text;
	}			others[] = {
		{INT4OID, "1000000000"}, {INT4OID, "2147483648"}, {INT4OID, "30.0"}, {INT4OID, "3e1"}, {INT4OID, "1.5"},
		{INT4OID, "\"7\""}, {INT4OID, "true"}, {INT4OID, "null"}, {INT2OID, "32768"}, {INT2OID, "10000"},
		{INT8OID, "1000000000000000000"}, {INT8OID, "9223372036854775808"}, {INT8OID, "1E2"}, {INT8OID, "[1]"},
	};
	Datum		datum;

	tap_begin("quick: whole numbers that surely fit");
	for (int i = 0; i < (int) lengthof(numbers); i++)
		if (EXPECT(quick(numbers[i].type, numbers[i].text, &datum), "%s", numbers[i].text))
			EXPECT((numbers[i].type == INT2OID ? DatumGetInt16(datum) :
					numbers[i].type == INT4OID ? DatumGetInt32(datum) : DatumGetInt64(datum)) == numbers[i].number,
				   "%s", numbers[i].text);
	for (int i = 0; i < (int) lengthof(others); i++)
		EXPECT(!quick(others[i].type, others[i].text, &datum), "%s", others[i].text);
	tap_end();
}

static void
test_texts(void)
{
	static const char *const texts[] = {"\"\"", "\"a\"", "\"0123456789abcdef\"", "\"it's 100 % plain ~ text, of forty letters\""};
	static const char *const others[] = {
		"\"\\u0041\"", "\"\\\"\"", "\"\xc3\xa9\"", "\"0123456789abcde\xc3\xa9\"", "\"0123456789abcdef0123456789abcdef\xff\"",
		"1", "true", "null", "[]", "{}",
	};
	static const Oid slow[] = {JSONOID, JSONBOID, VARCHAROID, BPCHAROID, UUIDOID, NUMERICOID, DATEOID, FLOAT8OID, InvalidOid};
	Datum		datum;

	tap_begin("quick: texts of ASCII");
	for (int i = 0; i < (int) lengthof(texts); i++)
		if (EXPECT(quick(TEXTOID, texts[i], &datum), "%s", texts[i]))
			EXPECT(VARSIZE(DatumGetPointer(datum)) - VARHDRSZ == strlen(texts[i]) - 2 &&
				   memcmp(VARDATA(DatumGetPointer(datum)), texts[i] + 1, strlen(texts[i]) - 2) == 0, "%s", texts[i]);
	for (int i = 0; i < (int) lengthof(others); i++)
		EXPECT(!quick(TEXTOID, others[i], &datum), "%s", others[i]);
	tap_end();

	tap_begin("quick: booleans, and no other type");
	EXPECT(quick(BOOLOID, "true", &datum) && DatumGetBool(datum), "true");
	EXPECT(quick(BOOLOID, "false", &datum) && !DatumGetBool(datum), "false");
	EXPECT(!quick(BOOLOID, "null", &datum), "null");
	EXPECT(!quick(BOOLOID, "\"true\"", &datum), "a string");
	EXPECT(!quick(BOOLOID, "1", &datum), "a number");
	for (int i = 0; i < (int) lengthof(slow); i++)
		EXPECT(!quick(slow[i], "\"a\"", &datum) && !quick(slow[i], "1", &datum), "type %u", slow[i]);
	tap_end();
}

void
test_quick(void)
{
	MemoryContext context = shim_context();

	test_times();
	test_every_day();
	test_integers();
	test_texts();
	MemoryContextDelete(context);
}

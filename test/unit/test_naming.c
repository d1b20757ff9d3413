/*-------------------------------------------------------------------------
 *
 * test_naming.c
 *	  Identifiers and types, made of the names and types that Sigma has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "catalog/catalog.h"

#include "backend_shim.h"
#include "tap.h"

static const struct
{
	const char *name;
	const char *identifier;
}			names[] =
{
	{"Order No", "order_no"},
	{"orderNo", "order_no"},
	{"order_no", "order_no"},
	{"ORDER NO.", "order_no"},
	{"GDP", "gdp"},
	{"Revenue, with totals", "revenue_with_totals"},
	{"  Sum of (Revenue)  ", "sum_of_revenue"},
	{"Q1 2026", "q1_2026"},
	{"1st", "_1st"},
	{"_control_region", "control_region"},
	{"He said \"no\"; --", "he_said_no"},
	{"a\\b\tc", "a_b_c"},
	{"Gr\xC3\xB6\xC3\x9F" "e \xC3\x84", "gr\xC3\xB6\xC3\x9F" "e_\xC3\x84"},
	{"\xF0\x9F\x93\x88", "\xF0\x9F\x93\x88"},
	{"a\xC2\xA0" "b\xE2\x80\x94" "c", "a_b_c"},
	{"\xE2\x9D\xA4\xEF\xB8\x8F", "\xE2\x9D\xA4"},
	{"%", ""},
	{"", ""},
	{" - ", ""},
	/* 63 bytes, and one more */
	{"a23456789 b23456789 c23456789 d23456789 e23456789 f23456789 g23", "a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g23"},
	{"a23456789 b23456789 c23456789 d23456789 e23456789 f23456789 g234", "a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g23"},
	/* no half of a character, and no underscore where it is cut */
	{"a23456789 b23456789 c23456789 d23456789 e23456789 f23456789 g2\xC3\xB6", "a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g2"},
	{"a23456789 b23456789 c23456789 d23456789 e23456789 f23456789 g2 x", "a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g2"},
};

static const struct
{
	const char *sigma;
	Oid			postgres;
}			types[] =
{
	{"text", TEXTOID}, {"number", NUMERICOID}, {"integer", INT8OID}, {"boolean", BOOLOID},
	{"datetime", TIMESTAMPTZOID}, {"date", DATEOID}, {"variant", JSONBOID}, {"array", JSONBOID},
	{"something new", JSONBOID}, {"", JSONBOID}, {NULL, JSONBOID},
};

void
test_naming(void)
{
	MemoryContext context = shim_context();
	char	   *numbered;

	tap_begin("names of Sigma's as identifiers");
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		char	   *identifier = sigma_identifier(names[i].name);

		EXPECT(strcmp(identifier, names[i].identifier) == 0, "\"%s\" is %s", names[i].name, identifier);
		EXPECT(strlen(identifier) < NAMEDATALEN, "\"%s\" is too long", names[i].name);
	}
	tap_end();

	tap_begin("the second of a name");
	EXPECT(strcmp(sigma_numbered_identifier("orders", 2), "orders_2") == 0, "orders");
	numbered = sigma_numbered_identifier(names[lengthof(names) - 3].identifier, 10);
	EXPECT(strlen(numbered) < NAMEDATALEN && strcmp(numbered + strlen(numbered) - 3, "_10") == 0,
		   "a long one is %s", numbered);
	tap_end();

	tap_begin("types of Sigma's as PostgreSQL's");
	for (int i = 0; i < (int) lengthof(types); i++)
		EXPECT(sigma_postgres_type(types[i].sigma) == types[i].postgres, "%s",
			   types[i].sigma ? types[i].sigma : "none");
	tap_end();
	MemoryContextDelete(context);
}

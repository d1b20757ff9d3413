/*-------------------------------------------------------------------------
 *
 * type_stubs.c
 *	  Input functions of types, as strict about their argument as the real ones.
 *
 * A real input function takes a C string in the database's encoding and
 * trusts that it is one.  The stubs check just that, and raise for what is no
 * value of the type.  A value is the C string itself, so that a target can
 * compare it with what the reply held.  Numeric is a double with its literal:
 * enough to tell 30.0 from 30.5.
 *
 *-------------------------------------------------------------------------
 */
#include "type_stubs.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "backend_shim.h"
#include "postgres.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "fmgr.h"

#include "base/base.h"
#include "json/json.h"

/* The argument, a C string in the database's encoding; anything else is a bug. */
static char *
take_text(FunctionCallInfo fcinfo)
{
	char	   *text = PG_GETARG_CSTRING(0);

	if (!pg_verify_mbstr(shim_encoding, text, (int) strlen(text), true))
	{
		fprintf(stderr, "an input function was given text that is not in the database's encoding\n");
		abort();
	}
	return text;
}

static void
refuse(const char *type, const char *text)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type %s: \"%s\"", type, text)));
}

static Datum
text_stub(PG_FUNCTION_ARGS)
{
	return CStringGetDatum(take_text(fcinfo));
}

/* What reaches a json column has been checked: it cannot be malformed here. */
static Datum
json_stub(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);
	SigmaSpan	span = {text, strlen(text)};
	SigmaJsonValue value;
	const char *error;

	if (!sigma_json_check(span, &value, &error))
	{
		fprintf(stderr, "a json column was given what is not JSON: %s\n", error);
		abort();
	}
	return CStringGetDatum(text);
}

static Datum
bool_stub(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);

	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		refuse("boolean", text);
	return CStringGetDatum(text);
}

static Datum
integer_stub(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);
	char	   *end;
	long		value = strtol(text, &end, 10);

	if (end == text || *end || value < PG_INT32_MIN || value > PG_INT32_MAX)
		refuse("integer", text);
	return CStringGetDatum(text);
}

static Datum
bigint_stub(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);
	char	   *end;

	errno = 0;
	(void) strtoll(text, &end, 10);
	if (end == text || *end || errno == ERANGE)
		refuse("bigint", text);
	return CStringGetDatum(text);
}

/* A date and a time; the rest is the backend's business. */
static Datum
timestamp_stub(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);
	int			fields[5];

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d", &fields[0], &fields[1], &fields[2], &fields[3], &fields[4]) != 5)
		refuse("timestamp with time zone", text);
	return CStringGetDatum(text);
}

text *
cstring_to_text_with_len(const char *s, int len)
{
	text	   *result = palloc(len + VARHDRSZ);

	SET_VARSIZE(result, len + VARHDRSZ);
	memcpy(VARDATA(result), s, len);
	return result;
}

PGFunction
stub_input(Oid type)
{
	switch (type)
	{
		case JSONOID:
		case JSONBOID:
			return json_stub;
		case BOOLOID:
			return bool_stub;
		case INT2OID:
		case INT4OID:
			return integer_stub;
		case INT8OID:
			return bigint_stub;
		case TIMESTAMPTZOID:
			return timestamp_stub;
		default:
			return text_stub;
	}
}

/* ----------------------------------------------------------------- numeric */

typedef struct StubNumeric
{
	double		value;
} StubNumeric;

static Datum
make_numeric(double value)
{
	StubNumeric *numeric = palloc(sizeof(StubNumeric));

	numeric->value = value;
	return PointerGetDatum(numeric);
}

static double
numeric_arg(FunctionCallInfo fcinfo, int n)
{
	return ((StubNumeric *) DatumGetPointer(PG_GETARG_DATUM(n)))->value;
}

Datum
numeric_in(PG_FUNCTION_ARGS)
{
	char	   *text = take_text(fcinfo);
	char	   *end;
	double		value = strtod(text, &end);

	if (*text == '\0' || *end)
	{
		fprintf(stderr, "numeric_in was given what is no number: %s\n", text);
		abort();
	}
	if (!isfinite(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("value overflows numeric format")));
	return make_numeric(value);
}

Datum
numeric_trunc(PG_FUNCTION_ARGS)
{
	return make_numeric(trunc(numeric_arg(fcinfo, 0)));
}

Datum
numeric_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(numeric_arg(fcinfo, 0) == numeric_arg(fcinfo, 1));
}

Datum
numeric_out(PG_FUNCTION_ARGS)
{
	/* PostgreSQL's numeric has no negative zero */
	PG_RETURN_CSTRING(psprintf("%.0f", numeric_arg(fcinfo, 0) + 0.0));
}

/* ------------------------------------------------------- calling functions */

Datum
DirectFunctionCall1Coll(PGFunction func, Oid collation, Datum arg1)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, collation, NULL, NULL);
	fcinfo->args[0].value = arg1;
	fcinfo->args[0].isnull = false;
	return func(fcinfo);
}

Datum
DirectFunctionCall2Coll(PGFunction func, Oid collation, Datum arg1, Datum arg2)
{
	LOCAL_FCINFO(fcinfo, 2);

	InitFunctionCallInfoData(*fcinfo, NULL, 2, collation, NULL, NULL);
	fcinfo->args[0].value = arg1;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = arg2;
	fcinfo->args[1].isnull = false;
	return func(fcinfo);
}

Datum
DirectFunctionCall3Coll(PGFunction func, Oid collation, Datum arg1, Datum arg2,
						Datum arg3 pg_attribute_unused())
{
	/* none of the stubs looks at a third argument */
	return DirectFunctionCall2Coll(func, collation, arg1, arg2);
}

/* As in fmgr.c: a strict function is not called for a NULL. */
Datum
InputFunctionCall(FmgrInfo *flinfo, char *str, Oid typioparam pg_attribute_unused(),
				  int32 typmod pg_attribute_unused())
{
	if (str == NULL)
		return (Datum) 0;
	return DirectFunctionCall1Coll(flinfo->fn_addr, InvalidOid, CStringGetDatum(str));
}

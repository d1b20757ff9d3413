/*-------------------------------------------------------------------------
 *
 * column.c
 *	  SQL columns as members of what a connection is given: their values as
 *	  JSON, and what they say together.
 *
 * INSERT, UPDATE and sigma_apply() have rows of different kinds, and one
 * meaning of their columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "json/json.h"
#include "write/write.h"

void
sigma_set_form(SigmaWriteColumn *column, Oid type)
{
	Oid			output;
	bool		is_varlena;

	switch (getBaseType(type))
	{
		case BOOLOID:
			column->form = SIGMA_FORM_BOOL;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			column->form = SIGMA_FORM_LITERAL;
			break;
		case JSONOID:
		case JSONBOID:
			column->form = SIGMA_FORM_JSON;
			break;
		default:
			column->form = SIGMA_FORM_STRING;
	}
	column->padded = getBaseType(type) == BPCHAROID;
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info(output, &column->output);
}

char *
sigma_column_text(SigmaWriteColumn *column, Datum value)
{
	char	   *text = OutputFunctionCall(&column->output, value);
	size_t		length = strlen(text);

	while (column->padded && length > 0 && text[length - 1] == ' ')
		text[--length] = '\0';
	return text;
}

char *
sigma_column_to_json(SigmaWriteColumn *column, Datum value)
{
	char	   *text = sigma_column_text(column, value);

	switch (column->form)
	{
		case SIGMA_FORM_JSON:
			return text;
		case SIGMA_FORM_BOOL:
			return text[0] == 't' ? "true" : "false";
		case SIGMA_FORM_LITERAL:
			/* there are NaN and Infinity, and not in JSON */
			if (strspn(text, "0123456789+-.eE") == strlen(text))
				return text;
			/* FALLTHROUGH */
		case SIGMA_FORM_STRING:
			break;
	}
	return sigma_text_to_json(text);
}

void
sigma_refuse_column(const SigmaWriteColumn *column, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_GENERATED_ALWAYS),
			 errmsg("cannot %s column \"%s\"", what, column->name),
			 errdetail("Sigma sets it, or takes it in another form in \"details\".")));
}

bool
sigma_column_same(SigmaWriteColumn *a, Datum x, SigmaWriteColumn *b, Datum y)
{
	if (strcmp(a->column, "details") == 0)
	{
		x = sigma_details_in(sigma_column_text(a, x));
		y = sigma_details_in(sigma_column_text(b, y));
	}
	else
	{
		x = DirectFunctionCall1(jsonb_in, CStringGetDatum(sigma_column_to_json(a, x)));
		y = DirectFunctionCall1(jsonb_in, CStringGetDatum(sigma_column_to_json(b, y)));
	}
	return DatumGetBool(DirectFunctionCall2(jsonb_eq, x, y));
}

SigmaTyped *
sigma_content_add(SigmaContent *content, SigmaWriteColumn *column, Datum value, bool isnull)
{
	SigmaTyped *t;

	if (strcmp(column->column, "name") == 0)
	{
		content->name = isnull ? NULL : sigma_column_text(column, value);
		return NULL;
	}
	if (strcmp(column->column, "details") == 0)
	{
		content->has_details = true;
		content->details = sigma_details_in(sigma_column_text(column, value));
		return NULL;
	}
	t = palloc0(sizeof(SigmaTyped));
	t->column = column->name;
	t->field = column->field;
	t->write = column->write;
	t->json = isnull ? NULL : sigma_column_to_json(column, value);
	content->typed = lappend(content->typed, t);
	return t;
}

/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Makes rows of a foreign table from the entries of a list.
 *
 * A column takes a field of the entry by its name, or a parent's key, or the
 * whole entry.  Values come straight from the text of the reply, through the
 * input functions of the columns' types.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "read/read.h"

const SigmaField *
sigma_known_field(Relation rel, const SigmaResource *resource, AttrNumber attnum)
{
	const char *option = sigma_column_field_option(RelationGetRelid(rel), attnum);
	const SigmaField *known;

	/* what the table itself has made is made of its columns */
	if (option == NULL || resource->made)
		return sigma_find_field(resource, NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname));
	known = sigma_find_api_field(resource, option);
	/* "attrs" is no field of the API, but the way to name the whole entry */
	return known == NULL && strcmp(option, "attrs") == 0 ? sigma_find_field(resource, option) : known;
}

/* The statement that says which field a column shows, for a hint. */
static char *
name_field(Oid relid, const char *column, const char *field)
{
	return sigma_alter_column_option(relid, column, "field", field);
}

/* What a column of the catalogue is named by in the option "field". */
static const char *
field_named(const SigmaResource *resource, const char *column)
{
	const SigmaField *field = sigma_find_field(resource, column);

	return field->field && sigma_find_api_field(resource, field->field) ? field->field : column;
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
			 ? errhint("Perhaps you meant \"%s\": %s. To show another field of the API, name that one in the same way.", closest,
					   name_field(RelationGetRelid(rel), column, field_named(resource, closest)))
			 : errhint("Name the API's field: %s.", name_field(RelationGetRelid(rel), column, "..."))));
	return NULL;				/* keep compilers quiet */
}

const SigmaResource *
sigma_resource_form(Relation rel, const SigmaResource *resource, const Bitmapset *attnums)
{
	int			attnum = -1;

	if (resource->flat == NULL)
		return resource;
	while ((attnum = bms_next_member(attnums, attnum)) >= 0)
		if (!sigma_flat_has(resource, sigma_known_field(rel, resource, (AttrNumber) attnum)))
			return resource;
	return resource->flat;
}

/* A reader with room for so many columns. */
static SigmaRowReader *
make_reader(Relation rel, int n)
{
	SigmaRowReader *reader = palloc0(sizeof(SigmaRowReader));

	reader->context = CurrentMemoryContext;
	reader->relid = RelationGetRelid(rel);
	reader->table = pstrdup(RelationGetRelationName(rel));
	reader->columns = palloc0(Max(n, 1) * sizeof(SigmaColumn));
	reader->values = palloc0(Max(n, 1) * sizeof(SigmaJsonValue));
	reader->current = -1;
	return reader;
}

/* Adds a column with all that its type says; NULL if it is never read. */
static SigmaColumn *
add_column(SigmaRowReader *reader, Relation rel, int attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	SigmaColumn *column = &reader->columns[reader->ncolumns];
	Oid			base = getBaseType(att->atttypid);
	Oid			input;

	/* what is computed when it is asked for is never read */
	if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		return NULL;
	reader->ncolumns++;
	column->attnum = (AttrNumber) attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->is_json = base == JSONOID || base == JSONBOID;
	column->is_integer = base == INT2OID || base == INT4OID || base == INT8OID;
	column->typmod = att->atttypmod;
	/* a domain or a modifier has its say only when the type's input function is called */
	column->quick = att->atttypmod < 0 ? att->atttypid : InvalidOid;
	getTypeInputInfo(att->atttypid, &input, &column->ioparam);
	fmgr_info(input, &column->input);
	return column;
}

/* The fields are known, one per column, or NULL. */
static void
set_fields(SigmaRowReader *reader, const char **fields)
{
	sigma_names_init(&reader->fields, reader->ncolumns, fields);
	/* columns of one field share its value: that of the first of them */
	for (int i = 0; i < reader->ncolumns; i++)
		for (int j = i; j >= 0; j--)
			if (fields[i] && fields[j] && strcmp(fields[i], fields[j]) == 0)
				reader->columns[i].value = j;
}

SigmaRowReader *
sigma_row_reader(Relation rel, const SigmaResource *resource, const Bitmapset *attnums)
{
	int			attnum = -1;
	int			n = bms_num_members(attnums);
	SigmaRowReader *reader = make_reader(rel, n);
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(resource->path, keys);
	const char **fields = palloc0(Max(n, 1) * sizeof(char *));

	if (resource->key)
		reader->key_field = sigma_find_field(resource, resource->key)->field;
	while ((attnum = bms_next_member(attnums, attnum)) >= 0)
	{
		SigmaColumn *column = add_column(reader, rel, attnum);
		const SigmaField *known;

		if (column == NULL)
			continue;
		if (sigma_column_control_option(RelationGetRelid(rel), (AttrNumber) attnum))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("column \"%s\" of foreign table \"%s\" has the option \"control\", but the table is of no element",
							column->name, RelationGetRelationName(rel))));
		column->field = sigma_column_field(rel, resource, (AttrNumber) attnum, &known);
		column->read = known ? known->read : SIGMA_FROM_FIELD;
		column->absent = known ? known->absent : NULL;
		column->kind = known ? known->kind : SIGMA_PLAIN;
		for (int i = 0; column->read == SIGMA_FROM_KEY && i < nkeys; i++)
			if (strcmp(keys[i], known->column) == 0)
				column->key = i;
		fields[reader->ncolumns - 1] = column->read == SIGMA_FROM_FIELD ? column->field : NULL;
	}
	set_fields(reader, fields);
	return reader;
}

/* --------------------------------------------------------- rows of elements */

/* A column whose field nobody has named is looked for in so many rows. */
#define ROWS_TO_KNOW_FIELDS 100

SigmaRowReader *
sigma_element_reader(Relation rel, const Bitmapset *attnums, const List *controls)
{
	int			attnum = -1;
	int			n = bms_num_members(attnums);
	SigmaRowReader *reader = make_reader(rel, n);
	const char **fields = palloc0(Max(n, 1) * sizeof(char *));

	reader->found = palloc0(Max(n, 1) * sizeof(bool));
	while ((attnum = bms_next_member(attnums, attnum)) >= 0)
	{
		SigmaColumn *column = add_column(reader, rel, attnum);
		char	   *control;
		char	   *field;
		ListCell   *lc;

		if (column == NULL)
			continue;
		control = sigma_column_control_option(RelationGetRelid(rel), (AttrNumber) attnum);
		field = sigma_column_field_option(RelationGetRelid(rel), (AttrNumber) attnum);
		column->read = SIGMA_FROM_FIELD;
		column->is_utc = getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid) == TIMESTAMPTZOID;
		if (control)
		{
			column->read = SIGMA_FROM_KEY;
			foreach(lc, controls)
			{
				if (strcmp(lfirst(lc), control) == 0)
					column->key = foreach_current_index(lc);
			}
		}
		else if (field)
			column->field = fields[reader->ncolumns - 1] = sigma_to_utf8(field);
		else if (strcmp(column->name, "attrs") == 0)
			column->read = SIGMA_FROM_ENTRY;
		else
			reader->unknown++;
	}
	set_fields(reader, fields);
	return reader;
}

/*
 * Which member of the row gives this column's name?  The name itself goes before
 * others that become the same identifier.
 */
static char *
find_field_of(const SigmaRowReader *reader, const SigmaColumn *column)
{
	SigmaJsonValue object = sigma_json_object(reader->entry->text);
	char	   *wanted = sigma_to_utf8(column->name);
	char	   *found = NULL;
	const char *cursor = NULL;
	SigmaJsonMember member;

	while (sigma_json_next_member(&object, &cursor, &member))
	{
		char	   *name = sigma_json_unescaped(&member.key);

		if (name == NULL)
			continue;
		if (strcmp(name, wanted) == 0)
			return name;
		if (strcmp(sigma_identifier(name), wanted) != 0)
			continue;
		/* of one and the same name, the row itself says that it has it twice */
		if (found && strcmp(found, name) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
					 errmsg("column \"%s\" of foreign table \"%s\" could be more than one column of the element",
							column->name, reader->table),
					 errhint("Name the one that is meant: %s.", name_field(reader->relid, column->name, "..."))));
		found = name;
	}
	return found;
}

/* Looks for the fields that nobody has named, in the row in hand. */
static void
learn_fields(SigmaRowReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	for (int i = 0; i < reader->ncolumns; i++)
	{
		SigmaColumn *column = &reader->columns[i];

		if (column->read != SIGMA_FROM_FIELD || column->field)
			continue;
		column->field = reader->fields.names[i] = find_field_of(reader, column);
		if (column->field)
			reader->unknown--;
	}
	set_fields(reader, reader->fields.names);
	MemoryContextSwitchTo(old);
}

void
sigma_check_fields(const SigmaRowReader *reader)
{
	for (int i = 0; reader->row > 0 && i < reader->ncolumns; i++)
	{
		const SigmaColumn *column = &reader->columns[i];

		if (column->read != SIGMA_FROM_FIELD || reader->found[column->value])
			continue;
		if (column->field)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
					 errmsg("column \"%s\" of foreign table \"%s\" is not a column of the element",
							column->name, reader->table),
					 errdetail("No row has %s.",
							   sigma_quoted(sigma_clean_text(column->field, strlen(column->field), 200))),
					 errhint("It may have been renamed in Sigma. Import the workbook again, or name the column: %s.",
							 name_field(reader->relid, column->name, "..."))));
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("column \"%s\" of foreign table \"%s\" is not a column of the element",
						column->name, reader->table),
				 errhint("Name the element's column: %s.", name_field(reader->relid, column->name, "..."))));
	}
}

/* The first of two members of one name is in hand already: which counts, nobody can tell. */
pg_noreturn static void
fail_ambiguous(const SigmaRowReader *reader, int field)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("row " INT64_FORMAT " of foreign table \"%s\" has two columns %s", reader->row, reader->table,
					sigma_quoted(sigma_clean_text(reader->fields.names[field],
												  strlen(reader->fields.names[field]), 200))),
			 errhint("Give the element's columns different names in Sigma.")));
}

/*
 * A time that does not say in which zone it is: Sigma's are in UTC, whatever the
 * session's zone is.
 */
static char *
time_of_utc(char *text)
{
	size_t		length = strlen(text);

	/* the date's own dashes stand before that */
	if (length < 10 || text[strspn(text, "0123456789-:.T ")] != '\0' || strchr(text + 10, '-'))
		return text;
	return psprintf("%s UTC", text);
}

/* Names the row and the column of a conversion that fails. */
static void
conversion_error_callback(void *arg)
{
	SigmaRowReader *reader = arg;
	SigmaJsonValue object = sigma_json_object(reader->entry->text);
	SigmaJsonValue value;
	char	   *key = NULL;

	if (reader->key_field && object.text.data && sigma_json_member(&object, reader->key_field, &value))
		key = sigma_clean_text(value.text.data, value.text.length, 100);
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
	const SigmaJsonValue *value = &reader->in_hand[column->value];
	const SigmaEntry *entry = reader->entry;

	switch (column->read)
	{
		case SIGMA_FROM_FIELD:
			break;
		case SIGMA_FROM_ENTRY:
			return entry->text.data && !entry->is_part ? sigma_from_utf8(entry->text.data, entry->text.length) : NULL;
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
	if (value->kind == SIGMA_JSON_STRING && column->is_utc)
		return time_of_utc(sigma_json_string(value));
	if (value->kind == SIGMA_JSON_STRING && !column->is_json)
		return sigma_key_spelling(column->kind, sigma_json_string(value));
	if (value->kind == SIGMA_JSON_NUMBER && column->is_integer)
		return whole_number(pnstrdup(value->text.data, value->text.length));
	return sigma_from_utf8(value->text.data, value->text.length);
}

/* A column's value without its input function, if that can be had. */
static bool
read_quick(const SigmaRowReader *reader, const SigmaColumn *column, Datum *datum)
{
	const SigmaJsonValue *value;

	if (column->read != SIGMA_FROM_FIELD || reader->entry->failure)
		return false;
	value = &reader->in_hand[column->value];
	/* a key may have to be spelled otherwise */
	if (column->kind != SIGMA_PLAIN && value->kind == SIGMA_JSON_STRING &&
		!sigma_is_shown_uuid(value->text.data + 1, value->text.length - 2))
		return false;
	return sigma_json_quick(column->quick, value, datum);
}

/* Looks for the fields that the columns want. */
static void
find_fields(SigmaRowReader *reader)
{
	SigmaJsonValue object = sigma_json_object(reader->entry->text);
	const char *cursor = NULL;
	SigmaJsonMember member;

	memset(reader->values, 0, reader->ncolumns * sizeof(SigmaJsonValue));
	if (object.text.data == NULL)
		return;
	if (reader->unknown > 0 && reader->row <= ROWS_TO_KNOW_FIELDS)
		learn_fields(reader);
	if (reader->found == NULL)
	{
		sigma_names_values(&reader->fields, &object, reader->values);
		return;
	}
	while (sigma_json_next_member(&object, &cursor, &member))
	{
		int			field = sigma_names_find(&reader->fields, &member.key);

		if (field < 0)
			continue;
		if (reader->values[field].text.data)
			fail_ambiguous(reader, field);
		reader->found[field] = true;
		reader->values[field] = member.value;
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
		if (read_quick(reader, column, &values[column->attnum - 1]))
		{
			isnull[column->attnum - 1] = false;
			continue;
		}
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
	/* whoever has checked the text may have noted them */
	if (entry->fields == &reader->fields)
		reader->in_hand = entry->values;
	else
	{
		find_fields(reader);
		reader->in_hand = reader->values;
	}

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

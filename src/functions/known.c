/*-------------------------------------------------------------------------
 *
 * known.c
 *	  The SQL functions that list what this version knows: options, resources
 *	  and their columns.  "make docs" makes the tables of doc/reference.md of
 *	  them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config.h"

PG_FUNCTION_INFO_V1(sigma_known_options);
PG_FUNCTION_INFO_V1(sigma_known_resources);
PG_FUNCTION_INFO_V1(sigma_known_columns);

/* Puts a text into a row, or NULL. */
static void
set_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	values[i] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static Datum
text_array(const char *const *texts, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * sigma_options() returns each option of each kind of object
 */
Datum
sigma_known_options(PG_FUNCTION_ARGS)
{
	static const char *const objects[] = {"server", "user mapping", "foreign table", "column"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SigmaOptionFacts facts;

	InitMaterializedSRF(fcinfo, 0);
	for (int place = 0; place < (int) lengthof(objects); place++)
	{
		for (int i = 0; sigma_option_facts(i, &facts); i++)
		{
			Datum		values[5];
			bool		nulls[5];

			if (!facts.places[place])
				continue;
			set_text(values, nulls, 0, objects[place]);
			set_text(values, nulls, 1, facts.name);
			set_text(values, nulls, 2, facts.fallback);
			set_text(values, nulls, 3, facts.values);
			set_text(values, nulls, 4, facts.about);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

/* The request for a list: of a form that is used for some queries alone, behind "or". */
static char *
request_for(const SigmaResource *resource)
{
	char	   *request = psprintf("GET %s%s%s", resource->path, resource->query ? "?" : "",
								   resource->query ? resource->query : "");

	return resource->flat ? psprintf("%s or %s", request, request_for(resource->flat)) : request;
}

/*
 * sigma_resources() returns each resource, how it is listed, and by which
 * columns it is looked up or narrowed
 */
Datum
sigma_known_resources(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *resource = sigma_resources[i];
		const char *keys[SIGMA_MAX_KEYS + 1];
		const char *filters[FUNC_MAX_ARGS];
		int			nkeys = sigma_path_keys(resource->path, keys);
		Datum		values[6];
		bool		nulls[6];

		CHECK_FOR_INTERRUPTS();
		if (resource->item_path)
			keys[nkeys++] = resource->key;
		for (int j = 0; j < resource->nfilters; j++)
			filters[j] = resource->filters[j].column;
		set_text(values, nulls, 0, resource->name);
		set_text(values, nulls, 1, resource->comment);
		set_text(values, nulls, 2, request_for(resource));
		values[3] = text_array(keys, nkeys);
		values[4] = text_array(filters, resource->nfilters);
		nulls[3] = nulls[4] = false;
		set_text(values, nulls, 5, resource->parent);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Where the value of an INSERT or UPDATE goes, or NULL. */
static const char *
written_to(const SigmaField *field)
{
	if (field->write == SIGMA_WRITE_NOWHERE)
		return NULL;
	if (strcmp(field->column, "details") == 0)
		return "as details";
	return field->write == SIGMA_WRITE_DETAILS ? "in details" : "beside details";
}

/*
 * sigma_columns() returns the columns of each resource
 */
Datum
sigma_known_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *resource = sigma_resources[i];

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < resource->nfields; j++)
		{
			const SigmaField *field = &resource->fields[j];
			Datum		values[7];
			bool		nulls[7];

			set_text(values, nulls, 0, resource->name);
			set_text(values, nulls, 1, field->column);
			values[2] = ObjectIdGetDatum(field->type);
			values[3] = BoolGetDatum(field->read != SIGMA_FROM_NOWHERE);
			values[4] = BoolGetDatum(!field->hidden);
			nulls[2] = nulls[3] = nulls[4] = false;
			set_text(values, nulls, 5, written_to(field));
			set_text(values, nulls, 6, field->comment);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

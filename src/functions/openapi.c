/*-------------------------------------------------------------------------
 *
 * openapi.c
 *	  sigma_openapi_tables(): the tables that a description of the API has, and
 *	  the statements that make them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/openapi.h"
#include "fdw/fdw.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_openapi_tables);

/*
 * sigma_openapi_tables(server, description) returns setof (table_name, status, ddl)
 *
 * No request is made; the server only stands in the statements.
 */
Datum
sigma_openapi_tables(PG_FUNCTION_ARGS)
{
	static const char *const statuses[] = {
		[SIGMA_API_KNOWN] = "known",
		[SIGMA_API_EXTENDED] = "extended",
		[SIGMA_API_NEW] = "new",
		[SIGMA_API_GONE] = "gone",
	};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *server = GetForeignServer(sigma_function_server(fcinfo))->servername;
	char	   *description;
	SigmaSpan	text;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	description = sigma_jsonb_argument(fcinfo, 1);
	if (description == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "description")));
	text.data = sigma_to_utf8(description);
	text.length = strlen(text.data);
	foreach(lc, sigma_described_tables(text, "the argument \"description\""))
	{
		const SigmaApiTable *table = lfirst(lc);
		Datum		values[3];
		bool		nulls[3] = {false, false, table->other_form};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(table->name);
		values[1] = CStringGetTextDatum(statuses[table->status]);
		values[2] = table->other_form ? (Datum) 0
			: CStringGetTextDatum(psprintf("%s%s", sigma_create_statement(table, NULL, server),
										   sigma_comment_statements(table)));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

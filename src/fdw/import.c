/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA: a foreign table of each resource.
 *
 * Sigma has no schemas, so any remote schema name is taken.  The statements
 * come from the catalogue alone: no request is made, and no option of the
 * server or of a user mapping is copied into them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "catalog/catalog.h"
#include "fdw/fdw.h"

static bool
is_wanted(const ImportForeignSchemaStmt *stmt, const char *table)
{
	bool		listed = false;
	ListCell   *lc;

	foreach(lc, stmt->table_list)
		listed |= strcmp(((RangeVar *) lfirst(lc))->relname, table) == 0;
	switch (stmt->list_type)
	{
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return listed;
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return !listed;
		default:
			return true;
	}
}

static char *
create_statement(const SigmaResource *resource, const char *schema, const char *server)
{
	StringInfoData s;
	const char *separator = "\n";

	initStringInfo(&s);
	appendStringInfo(&s, "CREATE FOREIGN TABLE %s (",
					 quote_qualified_identifier(schema, resource->name));
	for (int i = 0; i < resource->nfields; i++)
	{
		const SigmaField *field = &resource->fields[i];

		if (field->hidden)
			continue;
		appendStringInfo(&s, "%s\t%s %s", separator, quote_identifier(field->column),
						 format_type_extended(field->type, -1, FORMAT_TYPE_FORCE_QUALIFY));
		separator = ",\n";
	}
	appendStringInfo(&s, "\n) SERVER %s OPTIONS (resource %s%s)", quote_identifier(server),
					 quote_literal_cstr(resource->name),
					 sigma_is_optional(resource) ? ", on_missing 'empty'" : "");
	return s.data;
}

List *
sigmaImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	List	   *statements = NIL;

	if (stmt->options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", ((DefElem *) linitial(stmt->options))->defname),
				 errhint("IMPORT FOREIGN SCHEMA from Sigma takes no options; set them on the server or on the tables.")));
	for (int i = 0; i < sigma_nresources; i++)
		if (is_wanted(stmt, sigma_resources[i]->name))
			statements = lappend(statements, create_statement(sigma_resources[i], stmt->local_schema,
															  server->servername));
	return statements;
}

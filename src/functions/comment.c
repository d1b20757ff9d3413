/*-------------------------------------------------------------------------
 *
 * comment.c
 *	  sigma_comment_tables(): comments on foreign tables and their columns.
 *
 * IMPORT FOREIGN SCHEMA comments on what it makes; this does it for tables that
 * were made otherwise, or before the catalogue had more to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "json/json.h"
#include "catalog/catalog.h"
#include "read/read.h"
#include "config/config.h"
#include "fdw/fdw.h"

PG_FUNCTION_INFO_V1(sigma_comment_tables);

/* The OIDs of a schema's foreign tables of sigma_fdw, by name. */
static List *
find_tables(Oid schema, MemoryContext context)
{
	List	   *tables = NIL;
	char	   *query = psprintf("SELECT c.oid FROM pg_catalog.pg_class c "
								 "WHERE c.relnamespace OPERATOR(pg_catalog.=) %u "
								 "AND c.relkind OPERATOR(pg_catalog.=) 'f' "
								 "ORDER BY c.relname", schema);

	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the foreign tables of schema %u", schema);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContext old;

		if (!sigma_is_table(relid, InvalidOid))
			continue;
		old = MemoryContextSwitchTo(context);
		tables = lappend_oid(tables, relid);
		MemoryContextSwitchTo(old);
	}
	return tables;
}

static void
run(const char *statement)
{
	if (SPI_execute(statement, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute: %s", statement);
}

/* Comments on one table; returns how many comments that were. */
static int
comment_table(Oid relid)
{
	SigmaTableOptions *options = sigma_table_options(relid);
	const SigmaResource *resource = options->path ? NULL : sigma_find_resource(options->resource);
	char	   *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												   get_rel_name(relid));
	List	   *statements = NIL;
	Relation	rel;
	ListCell   *lc;

	/* a table of something that this version does not know, or that says so itself */
	if (resource == NULL)
		return 0;
	statements = list_make1(psprintf("COMMENT ON FOREIGN TABLE %s IS %s", table,
									 quote_literal_cstr(resource->comment)));
	rel = table_open(relid, AccessShareLock);
	for (int i = 1; i <= RelationGetDescr(rel)->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), i - 1);
		const SigmaField *field;

		if (attribute->attisdropped)
			continue;
		field = sigma_known_field(rel, resource, (AttrNumber) i);
		if (field)
			statements = lappend(statements,
								 psprintf("COMMENT ON COLUMN %s.%s IS %s", table,
										  quote_identifier(NameStr(attribute->attname)),
										  quote_literal_cstr(field->comment)));
	}
	/* COMMENT locks the table against others that change it, not against this */
	table_close(rel, NoLock);
	foreach(lc, statements)
		run(lfirst(lc));
	return list_length(statements);
}

/*
 * sigma_comment_tables(schema) returns int4: how many comments were set.
 * COMMENT itself checks that the caller owns the tables.
 */
Datum
sigma_comment_tables(PG_FUNCTION_ARGS)
{
	Oid			schema = get_namespace_oid(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
	MemoryContext context = CurrentMemoryContext;
	int			n = 0;
	ListCell   *lc;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	foreach(lc, find_tables(schema, context))
		n += comment_table(lfirst_oid(lc));
	SPI_finish();
	PG_RETURN_INT32(n);
}

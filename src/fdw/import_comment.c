/*-------------------------------------------------------------------------
 *
 * import_comment.c
 *	  Comments on the tables that IMPORT FOREIGN SCHEMA makes, and on their columns.
 *
 * IMPORT takes nothing from a wrapper but CREATE FOREIGN TABLE statements, so the
 * comments are made when each of these has been executed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/openapi.h"
#include "fdw/fdw_internal.h"

/* The tables that are about to be made, of Expected; in the context of the IMPORT. */
static List *expected = NIL;

typedef struct Expected
{
	const char *schema;
	const char *table;
	const char *comment;
	const List *columns;
} Expected;

static ProcessUtility_hook_type next_utility = NULL;

static void
forget(void *arg pg_attribute_unused())
{
	expected = NIL;
}

void
sigma_expect_import(void)
{
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	callback->func = forget;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	expected = NIL;
}

void
sigma_comment_import(const char *schema, const char *table, const char *comment, const List *columns)
{
	Expected   *e = palloc(sizeof(Expected));

	*e = (Expected)
	{
		schema, table, comment, columns
	};
	expected = lappend(expected, e);
}

static void
make_comments(const Expected *e, Oid relid)
{
	ListCell   *lc;

	if (e->comment)
		CreateComments(relid, RelationRelationId, 0, e->comment);
	foreach(lc, e->columns)
	{
		const SigmaApiColumn *column = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, column->name);

		if (column->comment && attnum > 0)
			CreateComments(relid, RelationRelationId, attnum, column->comment);
	}
}

/* The hook: makes the comments of a table that has just been imported. */
static void
comment_after(PlannedStmt *pstmt, const char *text, bool read_only, ProcessUtilityContext context,
			  ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	ProcessUtility_hook_type next = next_utility ? next_utility : standard_ProcessUtility;
	const RangeVar *made = NULL;
	ListCell   *lc;

	if (expected != NIL && context == PROCESS_UTILITY_SUBCOMMAND &&
		IsA(pstmt->utilityStmt, CreateForeignTableStmt))
		made = copyObject(((CreateForeignTableStmt *) pstmt->utilityStmt)->base.relation);
	next(pstmt, text, read_only, context, params, env, dest, qc);
	if (made == NULL || made->schemaname == NULL)
		return;
	foreach(lc, expected)
	{
		const Expected *e = lfirst(lc);
		Oid			relid;

		if (strcmp(e->schema, made->schemaname) != 0 || strcmp(e->table, made->relname) != 0)
			continue;
		relid = RangeVarGetRelid(made, NoLock, true);
		if (OidIsValid(relid))
			make_comments(e, relid);
		expected = foreach_delete_current(expected, lc);
		break;
	}
}

void
sigma_import_init(void)
{
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = comment_after;
}

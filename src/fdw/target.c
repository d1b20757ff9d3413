/*-------------------------------------------------------------------------
 *
 * target.c
 *	  Whose tables are they, and does a statement write to them?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "fdw/fdw.h"
#include "fdw/fdw_internal.h"

bool
sigma_is_server(Oid serverid)
{
	Oid			handler = GetForeignDataWrapper(GetForeignServer(serverid)->fdwid)->fdwhandler;

	return OidIsValid(handler) &&
		GetFdwRoutine(handler)->ImportForeignSchema == sigmaImportForeignSchema;
}

bool
sigma_is_table(Oid relid, Oid serverid)
{
	Oid			its_server;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return false;
	its_server = GetForeignTable(relid)->serverid;
	return OidIsValid(serverid) ? its_server == serverid : sigma_is_server(its_server);
}

/* A change of a table takes in those that inherit from it. */
static bool
is_target(const RangeTblEntry *rte, Oid serverid, bool perhaps)
{
	ListCell   *lc;

	if (rte->relkind == RELKIND_PARTITIONED_TABLE && perhaps)
		return true;
	if (sigma_is_table(rte->relid, serverid))
		return true;
	if (rte->relkind != RELKIND_RELATION || !rte->inh)
		return false;
	/* under the lock that the planner will take for the same purpose */
	foreach(lc, find_all_inheritors(rte->relid, rte->rellockmode, NULL))
	{
		if (sigma_is_table(lfirst_oid(lc), serverid))
			return true;
	}
	return false;
}

bool
sigma_query_writes(const Query *query, Oid serverid, bool perhaps)
{
	ListCell   *lc;

	if (query->commandType != CMD_SELECT && query->commandType != CMD_UTILITY &&
		query->resultRelation > 0 &&
		is_target(rt_fetch(query->resultRelation, query->rtable), serverid, perhaps))
		return true;
	foreach(lc, query->cteList)
	{
		Node	   *cte = lfirst_node(CommonTableExpr, lc)->ctequery;

		if (IsA(cte, Query) && sigma_query_writes((Query *) cte, serverid, perhaps))
			return true;
	}
	return false;
}

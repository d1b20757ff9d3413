/*-------------------------------------------------------------------------
 *
 * count.c
 *	  count(*) of a whole list, without the list.
 *
 * Most lists say how many entries they have.  A query that wants nothing but
 * that number asks for one entry and takes "total"; if there is no "total", or
 * the page contradicts it, the list is walked and counted after all.  Who does
 * not want to rely on "total" sets the option count_by_total to false.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "base/compat.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* Is this count(*), just so? */
static bool
is_count_star(Node *node)
{
	Aggref	   *agg = (Aggref *) node;

	return IsA(node, Aggref) && agg->aggfnoid == F_COUNT_ && agg->aggstar &&
		agg->aggfilter == NULL && agg->agglevelsup == 0;
}

/*
 * Adds the way of this file to an aggregation, if that is all it is.  The
 * path's fdw_private, which becomes the plan's, has the table's OID and whether
 * the statement writes to its server.
 */
void
sigmaGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
						  RelOptInfo *output, void *extra UNUSED)
{
	Query	   *query = root->parse;
	PathTarget *target = root->upper_targets[UPPERREL_GROUP_AGG];
	List	   *aggregates;
	ListCell   *lc;

	if (stage != UPPERREL_GROUP_AGG || output->fdw_private ||
		input->reloptkind != RELOPT_BASEREL || input->baserestrictinfo ||
		query->groupClause || query->groupingSets || query->havingQual || query->hasTargetSRFs ||
		!sigma_can_count(input))
		return;
	aggregates = pull_var_clause((Node *) target->exprs,
								 PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_PLACEHOLDERS);
	if (aggregates == NIL)
		return;
	foreach(lc, aggregates)
	{
		if (!is_count_star(lfirst(lc)))
			return;
	}
	add_path(output, (Path *)
			 sigma_create_foreign_upper_path(root, output, target, 1, SIGMA_REQUEST_COST,
											 SIGMA_REQUEST_COST + 1,
											 list_make2(makeInteger(planner_rt_fetch(input->relid, root)->relid),
														makeInteger(sigma_is_written(input)))));
}

/* The table that is counted. */
Oid
sigma_count_relid(const ForeignScan *plan)
{
	return (Oid) intVal(linitial(plan->fdw_private));
}

/* Does the statement write to its server? */
bool
sigma_count_written(const ForeignScan *plan)
{
	return intVal(lsecond(plan->fdw_private)) != 0;
}

/* What the request for the number looks like. */
static SigmaListSpec
count_spec(SigmaTableOptions *options, int limit)
{
	SigmaListSpec spec = {
		.resource = sigma_table_resource(options),
		.limit = limit,
		.scope = options->scope,
		.missing = options->on_missing_empty ? SIGMA_MISSING_WARNS : SIGMA_MISSING_FAILS,
		.relid = options->relid,
		.prefetch = options->prefetch && limit > 1,
	};

	spec.path = spec.resource->path;
	return spec;
}

char *
sigma_count_target(Oid relid)
{
	SigmaListSpec spec = count_spec(sigma_table_options(relid), 1);

	return sigma_list_target(&spec, NULL);
}

/*
 * How many entries the list has, with the changes of this transaction's
 * commands before "as_of".  Raises whatever reading it raises.
 */
int64
sigma_count_entries(SigmaSession *session, Oid relid, CommandId as_of, SigmaStats *stats)
{
	SigmaTableOptions *options = sigma_table_options(relid);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "sigma count",
												  ALLOCSET_SMALL_SIZES);
	SigmaListSpec spec = count_spec(options, 1);
	SigmaPager *pager = sigma_pager_open(session, context, &spec, stats);
	SigmaEntry	entry;
	bool		any = false;
	double		total = -1;
	int64		count = 0;

	/* Sigma does not know what the transaction is about to delete */
	if (!sigma_queue_any(sigma_session_serverid(session)))
	{
		any = sigma_pager_next(pager, &entry);
		total = sigma_pager_total(pager);
	}
	/* a total that the page itself belies is not believed */
	if (total >= 0 && any == (total > 0) && sigma_pager_has_more(pager) == (total > 1))
		count = (int64) total;
	else if (sigma_pager_missing(pager) == NULL)
	{
		spec = count_spec(options, options->page_size);
		spec.whole = true;
		spec.dated = true;
		spec.as_of = as_of;
		pager = sigma_pager_open(session, context, &spec, stats);
		while (sigma_pager_next(pager, &entry))
			count++;
	}
	MemoryContextDelete(context);
	return count;
}

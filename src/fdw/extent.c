/*-------------------------------------------------------------------------
 *
 * extent.c
 *	  How much of a scan will be read: all of it, or perhaps only the first rows?
 *
 * What stands above a scan in the plan tells, and how many rows the client wants
 * at once: a cursor, a portal with a row limit, or a function that takes the
 * first row runs the executor with a count.  So this is asked when the scan runs.
 * A wrong answer costs requests or time, never a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"

#include "base/base.h"
#include "base/compat.h"
#include "fdw/fdw_internal.h"

static ExecutorRun_hook_type next_run = NULL;

/* The innermost run, if it ends after so many rows; else NULL.  Compared only. */
static const EState *limited = NULL;

static void
note_run(QueryDesc *desc, ScanDirection direction, uint64 count SIGMA_RUN_MORE)
{
	const EState *before = limited;

	limited = count > 0 ? desc->estate : NULL;
	PG_TRY();
	{
		if (next_run)
			next_run(desc, direction, count SIGMA_RUN_PASS);
		else
			standard_ExecutorRun(desc, direction, count SIGMA_RUN_PASS);
	}
	PG_FINALLY();
	{
		/* who catches the error is in the middle of the run before */
		limited = before;
	}
	PG_END_TRY();
}

void
sigma_extent_init(void)
{
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = note_run;
}

List *
sigma_other_plans(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((const Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((const MergeAppend *) plan)->mergeplans;
		case T_SubqueryScan:
			return list_make1(((const SubqueryScan *) plan)->subplan);
		case T_CustomScan:
			return ((const CustomScan *) plan)->custom_plans;
		default:
			return NIL;
	}
}

static bool seek(const Plan *plan, const Plan *wanted, bool all, bool *answer);

static bool
seek_among(const List *plans, const Plan *wanted, bool all, bool *answer)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		if (seek(lfirst(lc), wanted, all, answer))
			return true;
	}
	return false;
}

/*
 * Looks for a node at and below another, all of whose rows will be read ("all"),
 * or perhaps not.  If it is there, *answer is the same of it.
 */
static bool
seek(const Plan *plan, const Plan *wanted, bool all, bool *answer)
{
	bool		inner;

	if (plan == NULL)
		return false;
	check_stack_depth();
	if (plan == wanted)
	{
		*answer = all;
		return true;
	}
	inner = all;
	switch (nodeTag(plan))
	{
		case T_ModifyTable:
		case T_Hash:
		case T_Sort:
			/* these read all before they give the first row */
			all = true;
			break;
		case T_Agg:
			all = all || ((const Agg *) plan)->aggstrategy != AGG_SORTED;
			break;
		case T_Limit:
			all = all && ((const Limit *) plan)->limitCount == NULL;
			break;
		case T_NestLoop:
			/* the first match may do */
			inner = all && !((const NestLoop *) plan)->join.inner_unique &&
				((const NestLoop *) plan)->join.jointype != JOIN_SEMI &&
				((const NestLoop *) plan)->join.jointype != JOIN_ANTI;
			break;
		case T_MergeJoin:
			/* one side may end before the other */
			all = inner = false;
			break;
		default:
			break;
	}
	return seek_among(sigma_other_plans(plan), wanted, all, answer) ||
		seek(plan->lefttree, wanted, all, answer) || seek(plan->righttree, wanted, inner, answer);
}

bool
sigma_reads_all(const ForeignScanState *node)
{
	const PlannedStmt *stmt = node->ss.ps.state->es_plannedstmt;
	bool		answer = false;

	/* what reads a CTE or a subquery of its own is elsewhere */
	if (!seek(stmt->planTree, node->ss.ps.plan, node->ss.ps.state != limited, &answer))
		(void) seek_among(stmt->subplans, node->ss.ps.plan, false, &answer);
	return answer;
}

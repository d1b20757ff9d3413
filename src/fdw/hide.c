/*-------------------------------------------------------------------------
 *
 * hide.c
 *	  Keeps the text of statements that write to Sigma out of the log.
 *
 * Such a statement may hold the secrets of a connection, and PostgreSQL logs
 * the statement with every error, whoever raises it: the list that an UPDATE
 * reads first may fail, or a division in its condition.  So it is hidden as a
 * whole, from planning to its last trigger, and not only while we are at work.
 *
 * Of a partitioned table only UPDATE and DELETE are known to come to tables of
 * ours.  Where rows are routed to one, the statement is hidden while it is us
 * who is called.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"

#include "base/base.h"
#include "base/compat.h"
#include "fdw/fdw.h"
#include "fdw/fdw_internal.h"

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_start = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;

/* Does a plan write to a table of ours? */
static bool
plan_writes_here(const PlannedStmt *plan)
{
	Bitmapset  *targets = sigma_result_relations(plan);
	int			rti = -1;

	while ((rti = bms_next_member(targets, rti)) >= 0)
		if (sigma_is_table(rt_fetch(rti, plan->rtable)->relid, InvalidOid))
			return true;
	return false;
}

static PlannedStmt *
hide_planning(Query *query, const char *text, int options, ParamListInfo params SIGMA_PLANNER_MORE)
{
	planner_hook_type next = next_planner ? next_planner : standard_planner;
	bool		hide = sigma_query_writes(query, InvalidOid, false);
	SigmaHiding hiding;
	PlannedStmt *plan;

	if (hide)
		sigma_hide_statement(&hiding);
	plan = next(query, text, options, params SIGMA_PLANNER_PASS);
	if (hide)
		sigma_show_statement(&hiding);
	return plan;
}

static void
hide_start(QueryDesc *desc, int flags)
{
	ExecutorStart_hook_type next = next_start ? next_start : standard_ExecutorStart;
	bool		hide = plan_writes_here(desc->plannedstmt);
	SigmaHiding hiding;

	if (hide)
		sigma_hide_statement(&hiding);
	next(desc, flags);
	if (hide)
		sigma_show_statement(&hiding);
}

static void
hide_run(QueryDesc *desc, ScanDirection direction, uint64 count SIGMA_RUN_MORE)
{
	ExecutorRun_hook_type next = next_run ? next_run : standard_ExecutorRun;
	bool		hide = plan_writes_here(desc->plannedstmt);
	SigmaHiding hiding;

	if (hide)
		sigma_hide_statement(&hiding);
	next(desc, direction, count SIGMA_RUN_PASS);
	if (hide)
		sigma_show_statement(&hiding);
}

static void
hide_finish(QueryDesc *desc)
{
	ExecutorFinish_hook_type next = next_finish ? next_finish : standard_ExecutorFinish;
	bool		hide = plan_writes_here(desc->plannedstmt);
	SigmaHiding hiding;

	if (hide)
		sigma_hide_statement(&hiding);
	next(desc);
	if (hide)
		sigma_show_statement(&hiding);
}

void
sigma_hide_init(void)
{
	next_planner = planner_hook;
	planner_hook = hide_planning;
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = hide_start;
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = hide_run;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = hide_finish;
}

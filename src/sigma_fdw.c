/*-------------------------------------------------------------------------
 *
 * sigma_fdw.c
 *	  Module entry, and the handler that wires the callbacks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "utils/guc.h"

#include "base/base.h"
#include "base/compat.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "fdw/fdw.h"

SIGMA_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(sigma_fdw_handler);

void		_PG_init(void);

void
_PG_init(void)
{
	DefineCustomBoolVariable("sigma_fdw.dry_run",
							 "Shows the requests that would change something in Sigma, and sends none of them.",
							 NULL, &sigma_dry_run, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("sigma_fdw.log_writes",
							 "Logs each request that changes something in Sigma.",
							 NULL, &sigma_log_writes, true, PGC_SUSET, 0, NULL, NULL, NULL);
	/* a misspelt setting is an error rather than a placeholder */
	MarkGUCPrefixReserved("sigma_fdw");
	sigma_lookup_join_init();
	sigma_hide_init();
	sigma_extent_init();
	sigma_import_init();
	if (process_shared_preload_libraries_in_progress)
		sigma_shared_init();
	/* nothing can fail any more: a library that is loaded again must not register twice */
	sigma_txn_init();
}

/*
 * Scans run in the leader only: a worker has neither its token nor its
 * connections, and would sign in again.
 */
static bool
sigmaIsForeignScanParallelSafe(PlannerInfo *root UNUSED, RelOptInfo *rel UNUSED, RangeTblEntry *rte UNUSED)
{
	return false;
}

/* ----------------------- a table shows a list, or the rows behind an element */

static void
get_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	if (sigma_is_element(relid))
		sigma_element_size(root, rel, relid);
	else
		sigmaGetForeignRelSize(root, rel, relid);
}

static void
get_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	if (sigma_is_element(relid))
		sigma_element_paths(root, rel);
	else
		sigmaGetForeignPaths(root, rel, relid);
}

static ForeignScan *
get_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path, List *tlist, List *clauses,
		 Plan *outer_plan)
{
	return IS_SIMPLE_REL(rel) && sigma_is_element(relid)
		? sigma_element_plan(root, rel, relid, tlist, clauses, outer_plan)
		: sigmaGetForeignPlan(root, rel, relid, path, tlist, clauses, outer_plan);
}

static bool
is_element_scan(const ForeignScanState *node)
{
	return sigma_is_element_plan((ForeignScan *) node->ss.ps.plan);
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	if (is_element_scan(node))
		sigma_begin_element_scan(node, eflags);
	else
		sigmaBeginForeignScan(node, eflags);
}

static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	return is_element_scan(node) ? sigma_iterate_element_scan(node) : sigmaIterateForeignScan(node);
}

static void
rescan(ForeignScanState *node)
{
	if (is_element_scan(node))
		sigma_rescan_element_scan(node);
	else
		sigmaReScanForeignScan(node);
}

static void
end_scan(ForeignScanState *node)
{
	if (is_element_scan(node))
		sigma_end_element_scan(node);
	else
		sigmaEndForeignScan(node);
}

static void
explain_scan(ForeignScanState *node, ExplainState *es)
{
	if (is_element_scan(node))
		sigma_explain_element(node, es);
	else
		sigmaExplainForeignScan(node, es);
}

/*
 * SQL function: the callbacks of the foreign-data wrapper.
 */
Datum
sigma_fdw_handler(PG_FUNCTION_ARGS UNUSED)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = get_rel_size;
	routine->GetForeignPaths = get_paths;
	routine->GetForeignPlan = get_plan;
	routine->GetForeignUpperPaths = sigmaGetForeignUpperPaths;
	routine->IsForeignScanParallelSafe = sigmaIsForeignScanParallelSafe;

	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = iterate_scan;
	routine->ReScanForeignScan = rescan;
	routine->EndForeignScan = end_scan;

	routine->IsForeignPathAsyncCapable = sigmaIsForeignPathAsyncCapable;
	routine->ForeignAsyncRequest = sigmaForeignAsyncRequest;
	routine->ForeignAsyncConfigureWait = sigmaForeignAsyncConfigureWait;
	routine->ForeignAsyncNotify = sigmaForeignAsyncNotify;

	routine->IsForeignRelUpdatable = sigmaIsForeignRelUpdatable;
	routine->AddForeignUpdateTargets = sigmaAddForeignUpdateTargets;
	routine->PlanForeignModify = sigmaPlanForeignModify;
	routine->BeginForeignModify = sigmaBeginForeignModify;
	routine->ExecForeignInsert = sigmaExecForeignInsert;
	routine->GetForeignModifyBatchSize = sigmaGetForeignModifyBatchSize;
	routine->ExecForeignBatchInsert = sigmaExecForeignBatchInsert;
	routine->ExecForeignUpdate = sigmaExecForeignUpdate;
	routine->ExecForeignDelete = sigmaExecForeignDelete;
	routine->ExecForeignTruncate = sigmaExecForeignTruncate;
	routine->EndForeignModify = sigmaEndForeignModify;
	routine->BeginForeignInsert = sigmaBeginForeignInsert;
	routine->EndForeignInsert = sigmaEndForeignModify;

	routine->ExplainForeignScan = explain_scan;
	routine->ExplainForeignModify = sigmaExplainForeignModify;

	routine->AnalyzeForeignTable = sigmaAnalyzeForeignTable;

	routine->ImportForeignSchema = sigmaImportForeignSchema;

	PG_RETURN_POINTER(routine);
}

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

/*
 * SQL function: the callbacks of the foreign-data wrapper.
 */
Datum
sigma_fdw_handler(PG_FUNCTION_ARGS UNUSED)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = sigmaGetForeignRelSize;
	routine->GetForeignPaths = sigmaGetForeignPaths;
	routine->GetForeignPlan = sigmaGetForeignPlan;
	routine->GetForeignUpperPaths = sigmaGetForeignUpperPaths;
	routine->IsForeignScanParallelSafe = sigmaIsForeignScanParallelSafe;

	routine->BeginForeignScan = sigmaBeginForeignScan;
	routine->IterateForeignScan = sigmaIterateForeignScan;
	routine->ReScanForeignScan = sigmaReScanForeignScan;
	routine->EndForeignScan = sigmaEndForeignScan;

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

	routine->ExplainForeignScan = sigmaExplainForeignScan;
	routine->ExplainForeignModify = sigmaExplainForeignModify;

	routine->AnalyzeForeignTable = sigmaAnalyzeForeignTable;

	routine->ImportForeignSchema = sigmaImportForeignSchema;

	PG_RETURN_POINTER(routine);
}

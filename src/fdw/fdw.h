/*-------------------------------------------------------------------------
 *
 * fdw.h
 *	  The phases of the foreign-data-wrapper interface.
 *
 * The callbacks (sigmaXxx) are those of PostgreSQL's documentation, "Foreign Data
 * Wrapper Callback Routines", which is their contract.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FDW_H
#define SIGMA_FDW_H

#include "foreign/fdwapi.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "utils/relcache.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/openapi.h"
#include "session/session.h"

/* -------------------------------------------------------------- plan.c */

/* What stands at which place of a ForeignScan's fdw_private. */
typedef enum SigmaScanPrivate
{
	SIGMA_SCAN_LIMIT,			/* Integer: entries per page */
	SIGMA_SCAN_ITEM,			/* Integer: 1 for look-ups of single entries */
	SIGMA_SCAN_KEYED,			/* IntList: a SigmaKeyed for each key of the path */
	SIGMA_SCAN_FILTERS,			/* IntList: which of the resource's filters are sent */
	SIGMA_SCAN_ATTRIBUTES,		/* IntList: attribute numbers that the query uses */
	SIGMA_SCAN_WANTED,			/* Integer: how many entries a LIMIT wants; 0 all */
	SIGMA_SCAN_WRITTEN,			/* Integer: 1 if the statement writes to the table's server */
	SIGMA_SCAN_FLAT				/* Integer: 1 for the flat form of the resource */
} SigmaScanPrivate;

/*
 * How a query gives a key.  fdw_exprs holds the expression of each key that is
 * given, in the order of the path, and behind them that of each filter.
 */
typedef enum SigmaKeyed
{
	SIGMA_KEYED_NO,
	SIGMA_KEYED_ONE,			/* key = expression */
	SIGMA_KEYED_ANY				/* key = ANY (array expression) */
} SigmaKeyed;

extern void sigmaGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void sigmaGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *sigmaGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
										ForeignPath *best_path, List *tlist,
										List *scan_clauses, Plan *outer_plan);
extern bool sigmaIsForeignPathAsyncCapable(ForeignPath *path);

/* What a request costs, in the planner's unit. */
#define SIGMA_REQUEST_COST	100.0

/* ------------------------------------------------------------- count.c */

extern void sigmaGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
									  RelOptInfo *input, RelOptInfo *output, void *extra);

/* -------------------------------------------------------------- scan.c */

extern void sigmaBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *sigmaIterateForeignScan(ForeignScanState *node);
extern void sigmaReScanForeignScan(ForeignScanState *node);
extern void sigmaEndForeignScan(ForeignScanState *node);

/* What the scan's requests came to so far; NULL if it has not begun. */
extern const SigmaStats *sigma_scan_stats(ForeignScanState *node);

extern void sigmaForeignAsyncRequest(AsyncRequest *request);
extern void sigmaForeignAsyncConfigureWait(AsyncRequest *request);
extern void sigmaForeignAsyncNotify(AsyncRequest *request);

/*
 * Before the first create of a statement: reads all its scans of that server
 * to their ends, wherever they stand in the plan.  A look-up whose key comes
 * row by row from elsewhere is left alone: what it may find has its key from
 * rows that were read before.
 */
extern void sigma_drain_scans(EState *estate, Oid serverid);

/* What a statement has read of a connection. */
typedef struct SigmaScanned
{
	SigmaSpan	entry;			/* JSON in UTF-8 */
	bool		by_id;			/* no list has shown it, which may leave something out */
	bool		taken;			/* it was asked for before */
} SigmaScanned;

/* ---------------------------- element.c, element_plan.c: rows behind elements
 *
 * The same callbacks for tables of the resource "element".
 */

/* Is it the plan of a scan of such a table? */
extern bool sigma_is_element_plan(const ForeignScan *plan);

extern void sigma_element_size(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void sigma_element_paths(PlannerInfo *root, RelOptInfo *rel);
extern ForeignScan *sigma_element_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, List *tlist,
									   List *scan_clauses, Plan *outer_plan);
extern void sigma_begin_element_scan(ForeignScanState *node, int eflags);
extern TupleTableSlot *sigma_iterate_element_scan(ForeignScanState *node);
extern void sigma_rescan_element_scan(ForeignScanState *node);
extern void sigma_end_element_scan(ForeignScanState *node);
extern void sigma_explain_element(ForeignScanState *node, ExplainState *es);

/* ------------------------------------------------------- lookup_join.c */

/* Makes the planner think of such joins; called once, when the library is loaded. */
extern void sigma_lookup_join_init(void);

/* ------------------------------------------------------------ target.c */

/* Is it a server of sigma_fdw?  Another wrapper need not even have a handler. */
extern bool sigma_is_server(Oid serverid);

/* Is it a foreign table of this server, or of any of sigma_fdw's (InvalidOid)? */
extern bool sigma_is_table(Oid relid, Oid serverid);

/* -------------------------------------------------------------- hide.c */

/* Called once, when the library is loaded. */
extern void sigma_hide_init(void);

/* ------------------------------------------------------------ extent.c */

/* Called once, when the library is loaded. */
extern void sigma_extent_init(void);

/* ------------------------------------------------------------ modify.c */

extern int	sigmaIsForeignRelUpdatable(Relation rel);
extern List *sigmaPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
									int subplan_index);
extern void sigmaBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
									List *fdw_private, int subplan_index, int eflags);
extern void sigmaBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern void sigmaAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target,
										 Relation rel);
extern void sigmaExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);
extern TupleTableSlot *sigmaExecForeignInsert(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern int	sigmaGetForeignModifyBatchSize(ResultRelInfo *rinfo);
extern TupleTableSlot **sigmaExecForeignBatchInsert(EState *estate, ResultRelInfo *rinfo,
													TupleTableSlot **slots,
													TupleTableSlot **plan_slots, int *nslots);
extern void sigmaEndForeignModify(EState *estate, ResultRelInfo *rinfo);

/* ------------------------------------------------------------ update.c */

extern TupleTableSlot *sigmaExecForeignUpdate(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);
extern TupleTableSlot *sigmaExecForeignDelete(EState *estate, ResultRelInfo *rinfo,
											  TupleTableSlot *slot, TupleTableSlot *plan_slot);

/* ----------------------------------------------------------- explain.c */

extern void sigmaExplainForeignScan(ForeignScanState *node, ExplainState *es);
extern void sigmaExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo,
									  List *fdw_private, int subplan_index, ExplainState *es);

/* ----------------------------------------------------------- analyze.c */

extern bool sigmaAnalyzeForeignTable(Relation rel, AcquireSampleRowsFunc *func,
									 BlockNumber *totalpages);

/* ------------------------------------------------------------ import.c */

extern List *sigmaImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

/*
 * The tables (SigmaApiTable) of the catalogue and of a description of the API, in
 * UTF-8.  Raises 22023 or 54000 if it is none; "what" is what the message calls it.
 */
extern List *sigma_described_tables(SigmaSpan text, const char *what);

/* CREATE FOREIGN TABLE, palloc'd; "schema" may be NULL. */
extern char *sigma_create_statement(const SigmaApiTable *table, const char *schema, const char *server);

/* What sets the table's comments, to stand behind that: each with a semicolon before it. */
extern char *sigma_comment_statements(const SigmaApiTable *table);

/* ---------------------------------------------------- import_comment.c */

/* Called once, when the library is loaded. */
extern void sigma_import_init(void);

#endif							/* SIGMA_FDW_H */

/*-------------------------------------------------------------------------
 *
 * fdw_internal.h
 *	  What only the files of fdw/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FDW_INTERNAL_H
#define SIGMA_FDW_INTERNAL_H

#include "access/attnum.h"
#include "commands/explain.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "write/write.h"
#include "fdw/fdw.h"

/* ------------------------------------------------------------- kept.c */

/* The next row from Sigma; the slot is empty at the end. */
typedef void (*SigmaFetch) (void *arg, TupleTableSlot *slot);

typedef struct SigmaKept
{
	/* set by its owner, at first */
	MemoryContext context;
	TupleDesc	desc;
	SigmaFetch	fetch;
	void	   *arg;

	Tuplestorestate *store;		/* NULL while there is none */
	TupleTableSlot *slot;		/* takes what comes out of the store */
	bool		complete;		/* the store holds all rows */
} SigmaKept;

/* The next row, from the store or, while it has no more, from Sigma. */
extern TupleTableSlot *sigma_next_kept(SigmaKept *kept, TupleTableSlot *slot);

/* Reads all remaining rows into the store; the reader stays where it is. */
extern void sigma_complete_kept(SigmaKept *kept);

/* Forgets them. */
extern void sigma_end_kept(SigmaKept *kept);

/* ----------------------------------------------------------- extent.c */

/*
 * Will all rows of a scan be read, as far as the plan and the executor's run
 * tell?  Asked while it runs.
 */
extern bool sigma_reads_all(const ForeignScanState *node);

/* The plans below a node that are neither its left nor its right one. */
extern List *sigma_other_plans(const Plan *plan);

/* What the plan's rows call the row that is to be deleted. */
#define OLD_ROW "sigma_row"

typedef struct SigmaModify
{
	SigmaSession *session;
	Oid			relid;
	const SigmaResource *resource;
	int			ncolumns;
	SigmaWriteColumn *columns;
	Bitmapset  *attnums;		/* of all columns */
	SigmaRowReader *reader;		/* NULL if nobody looks at the new row */
	SigmaStats	stats;
	bool		started;		/* the first row has come */
	AttrNumber	old_row;		/* of UPDATE and DELETE: where the plan's row has the old one */
	TupleTableSlot *old_slot;	/* of an UPDATE: takes it */
	List	   *revoked;		/* the ids of grants that are gone already */
	MemoryContext context;
	MemoryContext row_context;
} SigmaModify;

/* ---------------------------------------------------------------- target.c */

/*
 * Does a query, or one in its WITH clause, write to tables of this server, or of
 * any of ours (InvalidOid)?  A partitioned table counts if "perhaps": its rows
 * may be routed to one.  Locks what inherits from the target, as the planner does.
 */
extern bool sigma_query_writes(const Query *query, Oid serverid, bool perhaps);

/* ------------------------------------------------------------ modify_row.c */
extern void sigma_start_modifying(SigmaModify *m, EState *estate, ResultRelInfo *rinfo);
extern char *sigma_row_text(SigmaModify *m, TupleTableSlot *slot, const char *name);
extern bool sigma_column_differs(SigmaWriteColumn *column, TupleTableSlot *before,
								 TupleTableSlot *after);
extern void sigma_check_agreement(SigmaModify *m, TupleTableSlot *before, TupleTableSlot *slot);
extern void sigma_read_new_row(SigmaModify *m, const SigmaEntry *entry, TupleTableSlot *slot);
extern void sigma_entry_to_row(SigmaModify *m, SigmaSpan text, bool is_whole,
							   TupleTableSlot *slot);

/* ----------------------------------------------------------------- update.c */
extern void sigma_begin_update(SigmaModify *m, EState *estate, ResultRelInfo *rinfo,
							   const List *updated);

/* ---------------------------------------------------- system_columns.c */

extern void sigma_check_system_columns(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void sigma_refuse_system_columns(Node *expr, Index varno, Oid relid);

/* -------------------------------------------------------------- plan.c */

struct SigmaElementInfo;

extern bool sigma_is_written(const RelOptInfo *rel);
extern bool sigma_is_flat(const RelOptInfo *rel);
extern const SigmaResource *sigma_planned_resource(SigmaTableOptions *options, bool is_flat);
extern bool sigma_can_count(RelOptInfo *rel);
extern List *sigma_used_attributes(RelOptInfo *rel, Oid relid, List *clauses);
extern int	sigma_wanted_rows(PlannerInfo *root, RelOptInfo *rel, const List *conditions);
extern RestrictInfo *sigma_key_equality(PlannerInfo *root, RelOptInfo *rel, AttrNumber key,
										List *clauses, Node **source);
extern bool sigma_has_exec_param(Node *node, const Bitmapset *but);
extern void sigma_plan_for_element(PlannerInfo *root, RelOptInfo *rel, Oid relid,
								   struct SigmaElementInfo *element);
extern struct SigmaElementInfo *sigma_element_info(RelOptInfo *rel);
extern const SigmaTableOptions *sigma_plan_options(RelOptInfo *rel);
extern bool sigma_bind_join(PlannerInfo *root, RelOptInfo *rel, Relids outer, List *restrictlist,
							bool *item, List **sources, double *per_key, int *concurrency);

/* ------------------------------------------------------------- count.c */

extern Oid	sigma_count_relid(const ForeignScan *plan);
extern bool sigma_count_written(const ForeignScan *plan);
extern char *sigma_count_target(Oid relid);
extern int64 sigma_count_entries(SigmaSession *session, Oid relid, CommandId as_of,
								 SigmaStats *stats);

/* -------------------------------------------------------------- scan.c */

extern bool sigma_scanned_entry(EState *estate, Index scanrelid, const char *id,
								SigmaScanned *scanned);

/* ------------------------------------------------------------ modify.c */

extern const SigmaStats *sigma_modify_stats(ResultRelInfo *rinfo);

/* ------------------------------------------------------------ update.c */

extern const char *sigma_update_method(Oid relid, const List *updated);

/* ----------------------------------------------------------- explain.c */

extern void sigma_explain_stats(const SigmaStats *stats, ExplainState *es);
extern char *sigma_deparse(ForeignScanState *node, ExplainState *es, Node *expr);
extern char *sigma_constant_text(Node *expr);

/* --------------------------------------------------- import_workbook.c */

/* Is a table of this name to be imported? */
typedef bool (*SigmaIsWanted) (const ImportForeignSchemaStmt *stmt, const char *table);

/* The statements that are wanted; *names gets the names of all tables that there are. */
extern List *sigma_import_workbook(const ImportForeignSchemaStmt *stmt, const ForeignServer *server,
								   char *text, SigmaIsWanted is_wanted, List **names);

/* ---------------------------------------------------- import_comment.c */

/* To be called by an IMPORT before it expects tables; these are forgotten with its memory context. */
extern void sigma_expect_import(void);

/*
 * The table that IMPORT is about to make gets this comment, and those of its
 * columns (of SigmaApiColumn); either may be NULL.  All of it must live as long as
 * the statement.
 */
extern void sigma_comment_import(const char *schema, const char *table, const char *comment,
								 const List *columns);

/* ----------------------------------------------------------- element.c */

/* What is known of the exports of a table in this session; 0 of what is not. */
typedef struct SigmaExportMemory
{
	Oid			relid;
	double		export_ms;		/* what the last one took */
	double		rows;			/* the table had, when it was last read whole; -1: never */
} SigmaExportMemory;

extern SigmaExportMemory *sigma_export_memory(Oid relid);

/*
 * All rows of a table of an element, as its options say and no query does; the
 * reader is for its columns "attnums".  All of it lives in the current memory
 * context or in "context".  Raises as sigma_element_open().
 */
extern SigmaElement *sigma_element_open_whole(SigmaSession *session, MemoryContext context,
											  Relation rel, const SigmaTableOptions *options,
											  const Bitmapset *attnums, SigmaExportStats *stats,
											  SigmaRowReader **reader);

/* --------------------------------------------------- element_control.c */

/* Raises that the column of a control cannot be compared so. */
pg_noreturn extern void sigma_refuse_control(Oid relid, AttrNumber attnum);

/*
 * Raises if a condition of the plan that a scan is in is on what comes from its
 * columns of controls that are not set.  To be called when it begins.
 */
extern void sigma_check_controls(ForeignScanState *node);

/* ------------------------------------------------------ element_plan.c */

/* What stands at which place of the fdw_private of such a scan. */
typedef enum SigmaElementPrivate
{
	SIGMA_ELEMENT_MARK,			/* String: what tells it from the others */
	SIGMA_ELEMENT_WANTED,		/* Integer: how many rows a LIMIT wants; 0 all */
	SIGMA_ELEMENT_ATTRIBUTES,	/* IntList: attribute numbers that the query uses */
	SIGMA_ELEMENT_CONTROLS		/* List of String: those that are set; fdw_exprs has to what */
} SigmaElementPrivate;

#endif							/* SIGMA_FDW_INTERNAL_H */

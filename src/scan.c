/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Running a scan: entries from the pager, or looked up by key, into slots.
 *
 * A scan may have to keep its rows: when it is rescanned without a change, and
 * when its statement also creates things on the same server.  In the latter
 * case it is read to its end before the first create, so that a statement
 * never reads what it made, in whatever order its parts are executed.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

typedef struct SigmaScan
{
	ForeignScanState *node;
	dlist_node	link;			/* in running_scans */
	MemoryContextCallback callback;

	SigmaSession *session;
	const SigmaResource *resource;
	bool		include_archived;
	int			limit;
	SigmaRowReader *reader;
	SigmaStats	stats;
	MemoryContext context;		/* of the whole scan */
	MemoryContext row_context;	/* of one row */

	/* a walk of the list */
	SigmaPager *pager;			/* NULL until the first row is wanted */

	/* look-ups by key */
	SigmaKeyed	keyed;
	ExprState  *key;
	Oid			key_type;		/* of the expression: a text, or an array */
	MemoryContext key_context;	/* of the keys, and the reply in hand */
	bool		keys_known;
	int			nkeys;
	char	  **keys;
	int			next_key;
	SigmaCall  *found;			/* the reply in hand */

	/* rows that are kept */
	bool		keep;
	bool		runtime_key;	/* the key comes from another node, row by row */
	Tuplestorestate *store;
	TupleTableSlot *store_slot; /* takes what comes out of the store */
	bool		complete;		/* the store holds all rows */
} SigmaScan;

/* The scans that this backend has under way, for sigma_drain_scans(). */
static dlist_head running_scans = DLIST_STATIC_INIT(running_scans);

static void
forget_scan(void *arg)
{
	dlist_delete(&((SigmaScan *) arg)->link);
}

/* Does the statement create things on this server, as far as its plan tells? */
static bool
statement_writes(EState *estate, Oid serverid)
{
	ListCell   *lc;

	foreach(lc, estate->es_plannedstmt->resultRelations)
	{
		RangeTblEntry *rte = exec_rt_fetch(lfirst_int(lc), estate);

		/* rows of a partitioned table may be routed to a foreign partition */
		if (rte->relkind == RELKIND_PARTITIONED_TABLE)
			return true;
		if (rte->relkind == RELKIND_FOREIGN_TABLE &&
			GetForeignTable(rte->relid)->serverid == serverid)
			return true;
	}
	return false;
}

static bool
has_exec_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC;
	return expression_tree_walker(node, has_exec_param, context);
}

void
sigmaBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	Relation	rel = node->ss.ss_currentRelation;
	SigmaTableOptions *options;
	SigmaScan  *scan;
	Bitmapset  *attnums = NULL;
	Oid			serverid;
	ListCell   *lc;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	options = sigma_table_options(RelationGetRelid(rel));
	serverid = GetForeignTable(RelationGetRelid(rel))->serverid;
	scan = palloc0(sizeof(SigmaScan));
	scan->node = node;
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "sigma scan", ALLOCSET_SMALL_SIZES);
	scan->row_context = AllocSetContextCreate(scan->context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	scan->key_context = AllocSetContextCreate(scan->context, "sigma keys", ALLOCSET_SMALL_SIZES);
	scan->resource = sigma_table_resource(options);
	scan->include_archived = options->include_archived;
	scan->limit = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_LIMIT));
	scan->keyed = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_KEYED));
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_SCAN_ATTRIBUTES))
		attnums = bms_add_member(attnums, lfirst_int(lc));
	scan->reader = sigma_row_reader(rel, scan->resource, attnums);
	if (scan->keyed != SIGMA_KEYED_NO)
	{
		Expr	   *expr = linitial(plan->fdw_exprs);

		scan->key = ExecInitExpr(expr, (PlanState *) node);
		scan->key_type = exprType((Node *) expr);
		scan->runtime_key = has_exec_param((Node *) expr, NULL);
	}
	scan->keep = (eflags & EXEC_FLAG_REWIND) != 0 || statement_writes(estate, serverid);
	scan->session = sigma_session_open(serverid, sigma_scan_userid(plan, estate), scan->context);

	dlist_push_tail(&running_scans, &scan->link);
	scan->callback.func = forget_scan;
	scan->callback.arg = scan;
	MemoryContextRegisterResetCallback(scan->context, &scan->callback);
	node->fdw_state = scan;
}

/* --------------------------------------------------------- look-ups by key */

/* Evaluates the key expression into a list of distinct texts. */
static void
evaluate_keys(SigmaScan *scan)
{
	MemoryContext old;
	Datum		value;
	bool		isnull;
	Datum	   *elements = &value;
	bool	   *nulls = &isnull;
	int			n = 1;
	Oid			type = scan->key_type;
	Oid			output;
	bool		varlena;

	scan->found = NULL;
	MemoryContextReset(scan->key_context);
	old = MemoryContextSwitchTo(scan->key_context);
	value = ExecEvalExprSwitchContext(scan->key, scan->node->ss.ps.ps_ExprContext, &isnull);
	if (scan->keyed == SIGMA_KEYED_ANY)
	{
		int16		length;
		bool		by_value;
		char		align;

		n = 0;
		type = get_base_element_type(type);
		if (!isnull)
		{
			get_typlenbyvalalign(type, &length, &by_value, &align);
			deconstruct_array(DatumGetArrayTypeP(value), type, length, by_value, align,
							  &elements, &nulls, &n);
		}
	}
	getTypeOutputInfo(type, &output, &varlena);
	scan->keys = palloc(Max(n, 1) * sizeof(char *));
	scan->nkeys = 0;
	for (int i = 0; i < n; i++)
	{
		char	   *key;
		bool		seen = false;

		/* nothing is equal to a NULL */
		if (nulls[i])
			continue;
		key = OidOutputFunctionCall(output, elements[i]);
		for (int j = 0; j < scan->nkeys && !seen; j++)
			seen = strcmp(scan->keys[j], key) == 0;
		if (!seen)
			scan->keys[scan->nkeys++] = key;
	}
	scan->next_key = 0;
	scan->keys_known = true;
	MemoryContextSwitchTo(old);
}

/* The entry of the next key that has one. */
static bool
next_looked_up(SigmaScan *scan, SigmaSpan *entry)
{
	if (!scan->keys_known)
		evaluate_keys(scan);
	if (scan->found)
		sigma_call_free(scan->found);
	scan->found = NULL;
	while (scan->next_key < scan->nkeys)
	{
		SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_LOOKUP, .stats = &scan->stats};
		MemoryContext old = MemoryContextSwitchTo(scan->key_context);
		SigmaCall  *call;
		SigmaJsonValue value;
		const char *error;

		spec.target = sigma_item_target(scan->resource, scan->keys[scan->next_key++]);
		MemoryContextSwitchTo(old);
		if (spec.target == NULL)
			continue;
		call = sigma_call(scan->session, scan->key_context, &spec);
		if (sigma_call_not_found(call))
		{
			sigma_call_free(call);
			continue;
		}
		if (!sigma_json_check(sigma_call_body(call), &value, &error))
			sigma_raise_reply(sigma_call_target(call), "%s", error);
		if (sigma_entry_belongs(scan->resource, scan->include_archived, value.text,
								sigma_call_target(call)))
		{
			scan->found = call;
			*entry = value.text;
			return true;
		}
		sigma_call_free(call);
	}
	return false;
}

/* --------------------------------------------------------------------- rows */

static bool
next_entry(SigmaScan *scan, SigmaSpan *entry)
{
	if (scan->keyed != SIGMA_KEYED_NO)
		return next_looked_up(scan, entry);
	if (scan->pager == NULL)
		scan->pager = sigma_pager_open(scan->session, scan->context, scan->resource, scan->limit,
									   scan->include_archived, &scan->stats);
	return sigma_pager_next(scan->pager, entry);
}

/* The next row from Sigma; the slot is empty at the end. */
static void
fetch_row(SigmaScan *scan, TupleTableSlot *slot)
{
	int			natts = slot->tts_tupleDescriptor->natts;
	SigmaSpan	entry;
	MemoryContext old;

	ExecClearTuple(slot);
	MemoryContextReset(scan->row_context);
	if (!next_entry(scan, &entry))
		return;
	old = MemoryContextSwitchTo(scan->row_context);
	memset(slot->tts_values, 0, natts * sizeof(Datum));
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	sigma_read_row(scan->reader, entry, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
}

static void
begin_store(SigmaScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	scan->store = tuplestore_begin_heap(false, false, work_mem);
	tuplestore_set_eflags(scan->store, EXEC_FLAG_REWIND);
	/* another place to append from while the reader stands at its own */
	(void) tuplestore_alloc_read_pointer(scan->store, EXEC_FLAG_REWIND);
	if (scan->store_slot == NULL)
		scan->store_slot = MakeSingleTupleTableSlot(scan->node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
													&TTSOpsMinimalTuple);
	scan->complete = false;
	MemoryContextSwitchTo(old);
}

static void
end_store(SigmaScan *scan)
{
	if (scan->store)
		tuplestore_end(scan->store);
	scan->store = NULL;
	scan->complete = false;
}

/* Reads all remaining rows into the store; the reader stays where it is. */
static void
complete_store(SigmaScan *scan)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(scan->node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
													&TTSOpsVirtual);

	if (scan->store == NULL)
		begin_store(scan);
	tuplestore_select_read_pointer(scan->store, 1);
	for (;;)
	{
		fetch_row(scan, slot);
		if (TupIsNull(slot))
			break;
		tuplestore_puttupleslot(scan->store, slot);
	}
	tuplestore_select_read_pointer(scan->store, 0);
	scan->complete = true;
	ExecDropSingleTupleTableSlot(slot);
}

/* The next row, from the store or, while it has no more, from Sigma. */
static TupleTableSlot *
next_kept_row(SigmaScan *scan, TupleTableSlot *slot)
{
	if (scan->store == NULL)
		begin_store(scan);
	if (tuplestore_gettupleslot(scan->store, true, false, scan->store_slot))
		return ExecCopySlot(slot, scan->store_slot);
	if (scan->complete)
		return ExecClearTuple(slot);
	fetch_row(scan, slot);
	if (TupIsNull(slot))
		scan->complete = true;
	else
		tuplestore_puttupleslot(scan->store, slot);
	return slot;
}

TupleTableSlot *
sigmaIterateForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->keep)
		return next_kept_row(scan, slot);
	fetch_row(scan, slot);
	return slot;
}

void
sigmaReScanForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;

	if (scan == NULL)
		return;
	/* only a key can make one scan of a table differ from another */
	if (scan->store && (scan->keyed == SIGMA_KEYED_NO || node->ss.ps.chgParam == NULL))
	{
		tuplestore_rescan(scan->store);
		return;
	}
	end_store(scan);
	scan->keys_known = false;
	if (scan->pager)
		sigma_pager_rewind(scan->pager);
	scan->reader->row = 0;
}

void
sigmaEndForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;

	if (scan == NULL)
		return;
	end_store(scan);
	MemoryContextDelete(scan->context);
	node->fdw_state = NULL;
}

/* What the scan's requests came to so far; NULL if it has not begun. */
const SigmaStats *
sigma_scan_stats(ForeignScanState *node)
{
	return node->fdw_state ? &((SigmaScan *) node->fdw_state)->stats : NULL;
}

/*
 * Before the first create of a statement: reads all its scans of that server
 * to their ends, wherever they stand in the plan.  A look-up whose key comes
 * row by row from elsewhere is left alone: what it may find has its key from
 * rows that were read before.
 */
void
sigma_drain_scans(EState *estate, Oid serverid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &running_scans)
	{
		SigmaScan  *scan = dlist_container(SigmaScan, link, iter.cur);

		if (scan->node->ss.ps.state == estate && scan->keep && !scan->complete &&
			!scan->runtime_key && sigma_session_serverid(scan->session) == serverid)
			complete_store(scan);
	}
}

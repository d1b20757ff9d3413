/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Running a scan: entries into slots.
 *
 * A scan may have to keep its rows: when it is rescanned without a change, and
 * when its statement also creates things on the same server.  In the latter
 * case it is read to its end before the first create, so that a statement
 * never reads what it made, in whatever order its parts are executed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "common/hashfn.h"
#include "executor/execAsync.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* An entry that was read, by its key as it is shown; or a text alone. */
typedef struct SeenEntry
{
	char	   *key;
	uint32		hash;
	char		status;
	SigmaScanned scanned;
} SeenEntry;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenEntry
#define SH_KEY key
#include "base/texthash.h"

typedef struct SigmaScan
{
	ForeignScanState *node;
	dlist_node	link;			/* in running_scans */
	MemoryContextCallback callback;

	SigmaSession *session;
	SigmaRowReader *reader;
	SigmaStats	stats;
	MemoryContext context;		/* of the whole scan */
	MemoryContext row_context;	/* of one row */

	/* what is read */
	SigmaWalkSpec spec;
	SigmaWalk  *walk;			/* NULL until the first row is wanted */

	/* what narrows it: expressions to be evaluated before it begins */
	List	   *keyed;			/* a SigmaKeyed per key of the path */
	List	   *filters;		/* places in the resource's table of filters */
	List	   *exprs;			/* ExprStates of the keys that are given and of the filters */
	List	   *types;			/* OIDs of their types */
	Bitmapset  *params;			/* what of them comes from other nodes, row by row */
	MemoryContext key_context;	/* of their values */
	bool		nothing;		/* a value is NULL, so no row can match */

	/* of a table whose connections the statement changes: them all, as they were read */
	seen_hash  *seen;			/* or NULL */

	/* a count(*), see count.c */
	Oid			counted;		/* the table; InvalidOid: it is an ordinary scan */
	bool		count_known;
	bool		count_returned;
	int64		count;

	/* beside other scans */
	bool		async;
	bool		blocked;		/* no row now, but this is not the end */
	SigmaPollFd *pollfd;

	bool		written;		/* the statement writes to the same server */

	/* rows that are kept */
	bool		keep;
	SigmaKept	kept;
} SigmaScan;

/* The scans that this backend has under way, for sigma_drain_scans(). */
static dlist_head running_scans = DLIST_STATIC_INIT(running_scans);

static void
forget_scan(void *arg)
{
	dlist_delete(&((SigmaScan *) arg)->link);
}

/* Adds the parameters that come from other nodes to a set. */
static bool
collect_exec_params(Node *node, void *context)
{
	Bitmapset **params = context;

	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_exec_params, context);
}

/* What every scan needs; its context is a child of the current one. */
static SigmaScan *
make_scan(ForeignScanState *node, Oid serverid)
{
	SigmaScan  *scan = palloc0(sizeof(SigmaScan));

	scan->node = node;
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "sigma scan", ALLOCSET_SMALL_SIZES);
	scan->row_context = AllocSetContextCreate(scan->context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	scan->key_context = AllocSetContextCreate(scan->context, "sigma keys", ALLOCSET_SMALL_SIZES);
	scan->session = sigma_session_open(serverid,
									   sigma_scan_userid((ForeignScan *) node->ss.ps.plan,
														 node->ss.ps.state),
									   scan->context);
	dlist_push_tail(&running_scans, &scan->link);
	scan->callback.func = forget_scan;
	scan->callback.arg = scan;
	MemoryContextRegisterResetCallback(scan->context, &scan->callback);
	node->fdw_state = scan;
	return scan;
}

static void fetch_row(void *arg, TupleTableSlot *slot);

static void
begin_count(ForeignScanState *node)
{
	Oid			relid = sigma_count_relid((ForeignScan *) node->ss.ps.plan);
	Oid			serverid = GetForeignTable(relid)->serverid;
	SigmaScan  *scan = make_scan(node, serverid);

	scan->counted = relid;
	/* what the statement makes must not be counted, whenever it comes to count */
	if (sigma_count_written((ForeignScan *) node->ss.ps.plan))
	{
		scan->count = sigma_count_entries(scan->session, relid, node->ss.ps.state->es_snapshot->curcid,
										  &scan->stats);
		scan->count_known = true;
	}
}

/* Have the conditions of a scan to do with the failures of parents? */
static bool
asks_for_errors(Relation rel, const SigmaResource *resource, const ForeignScan *plan)
{
	Bitmapset  *used = NULL;
	int			i = -1;

	pull_varattnos((Node *) plan->scan.plan.qual, plan->scan.scanrelid, &used);
	while ((i = bms_next_member(used, i)) >= 0)
	{
		AttrNumber	attnum = (AttrNumber) (i + FirstLowInvalidHeapAttributeNumber);
		const SigmaField *known;

		if (attnum <= 0)
			continue;
		(void) sigma_column_field(rel, resource, attnum, &known);
		if (known && known->read == SIGMA_FROM_ERROR)
			return true;
	}
	return false;
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
	bool		is_target;
	Oid			serverid;
	ListCell   *lc;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	if (plan->scan.scanrelid == 0)
	{
		begin_count(node);
		return;
	}

	options = sigma_table_options(RelationGetRelid(rel));
	serverid = GetForeignTable(RelationGetRelid(rel))->serverid;
	scan = make_scan(node, serverid);
	scan->spec.resource = sigma_planned_resource(options, intVal(list_nth(plan->fdw_private, SIGMA_SCAN_FLAT)) != 0);
	scan->spec.scope = options->scope;
	scan->spec.prefetch = options->prefetch;
	/* a cursor does not see what is changed after it was opened */
	scan->spec.dated = true;
	scan->spec.as_of = estate->es_snapshot->curcid;
	is_target = bms_is_member((int) plan->scan.scanrelid, sigma_result_relations(estate->es_plannedstmt));
	/* what cannot be read cannot be changed: who wants to change the rest has to say so */
	scan->spec.missing = options->on_missing_empty ? SIGMA_MISSING_WARNS : SIGMA_MISSING_FAILS;
	scan->spec.relid = options->relid;
	scan->spec.tolerate = options->on_error_row && !sigma_is_one_list(scan->spec.resource) &&
		(!is_target || asks_for_errors(rel, scan->spec.resource, plan));
	scan->spec.limit = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_LIMIT));
	scan->spec.wanted = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_WANTED));
	scan->spec.shown = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_ITEM)) == 0;
	scan->spec.item = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_ITEM)) != 0;
	scan->keyed = list_nth(plan->fdw_private, SIGMA_SCAN_KEYED);
	scan->filters = list_nth(plan->fdw_private, SIGMA_SCAN_FILTERS);
	scan->exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	foreach(lc, plan->fdw_exprs)
	{
		scan->types = lappend_oid(scan->types, exprType(lfirst(lc)));
		(void) collect_exec_params(lfirst(lc), &scan->params);
	}
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_SCAN_ATTRIBUTES))
		attnums = bms_add_member(attnums, lfirst_int(lc));
	scan->reader = sigma_row_reader(rel, scan->spec.resource, attnums);
	scan->spec.fields = &scan->reader->fields;
	scan->written = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_WRITTEN)) != 0;
	scan->keep = (eflags & EXEC_FLAG_REWIND) != 0 || scan->written;
	scan->kept = (SigmaKept)
	{
		scan->context, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor, fetch_row, scan, NULL, NULL, false
	};
	scan->async = node->ss.ps.async_capable && !scan->keep;
	if (scan->spec.resource->writes == SIGMA_WRITES_CONNECTIONS &&
		bms_is_member((int) plan->scan.scanrelid, sigma_result_relations(estate->es_plannedstmt)))
		scan->seen = seen_create(scan->context, 64, NULL);
}

/* -------------------------------------------------- what narrows the scan */

/*
 * An expression's value, or an array's elements, as distinct texts: those that
 * a column of this kind can show.  They are in the current memory context.
 */
static void
evaluate(SigmaScan *scan, ExprState *expr, Oid type, bool is_array, SigmaKind kind, SigmaBound *bound)
{
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(expr, scan->node->ss.ps.ps_ExprContext, &isnull);
	Datum	   *elements = &value;
	bool	   *nulls = &isnull;
	int			n = 1;
	Oid			output;
	bool		is_varlena;
	seen_hash  *texts = NULL;	/* an array may be long */

	if (is_array)
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
		texts = seen_create(CurrentMemoryContext, Max(n, 1), NULL);
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	bound->given = true;
	bound->nvalues = 0;
	bound->values = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		char	   *text;
		bool		seen = false;

		CHECK_FOR_INTERRUPTS();
		/* nothing is equal to a NULL */
		if (nulls[i])
			continue;
		text = OidOutputFunctionCall(output, elements[i]);
		if (!sigma_key_is_shown(kind, text))
			continue;
		if (texts)
			(void) seen_insert(texts, text, &seen);
		if (!seen)
			bound->values[bound->nvalues++] = text;
	}
	if (texts)
		seen_destroy(texts);
}

/* Evaluates what narrows the scan, and begins it. */
static void
begin_walk(SigmaScan *scan)
{
	const SigmaResource *resource = scan->spec.resource;
	const char *keys[SIGMA_MAX_KEYS];
	MemoryContext old;
	SigmaBound *bound;
	StringInfoData filters;
	int			next = 0;
	ListCell   *lc;

	MemoryContextReset(scan->key_context);
	old = MemoryContextSwitchTo(scan->key_context);
	bound = palloc0(SIGMA_MAX_KEYS * sizeof(SigmaBound));
	(void) sigma_path_keys(scan->spec.item ? resource->item_path : resource->path, keys);
	scan->nothing = false;
	foreach(lc, scan->keyed)
	{
		SigmaKeyed	keyed = lfirst_int(lc);
		int			i = foreach_current_index(lc);

		if (keyed == SIGMA_KEYED_NO)
			continue;
		evaluate(scan, list_nth(scan->exprs, next), list_nth_oid(scan->types, next),
				 keyed == SIGMA_KEYED_ANY, sigma_find_field(resource, keys[i])->kind, &bound[i]);
		next++;
	}
	initStringInfo(&filters);
	foreach(lc, scan->filters)
	{
		const SigmaFilter *filter = &resource->filters[lfirst_int(lc)];
		SigmaBound	value;

		evaluate(scan, list_nth(scan->exprs, next), list_nth_oid(scan->types, next), false,
				 sigma_find_field(resource, filter->column)->kind, &value);
		next++;
		/* Sigma does not know the names that the transaction is about to give */
		if (value.nvalues == 0)
			scan->nothing = true;
		else if (!sigma_queue_any(sigma_session_serverid(scan->session)) &&
				 sigma_filter_takes(filter, value.values[0]))
			appendStringInfo(&filters, "%s%s=%s", filters.len ? "&" : "", filter->parameter,
							 sigma_text_url_encode(value.values[0]));
	}
	scan->spec.bound = bound;
	scan->spec.whole = scan->written || sigma_reads_all(scan->node);
	scan->spec.filters = filters.len ? filters.data : NULL;
	scan->walk = sigma_walk_open(scan->session, scan->key_context, &scan->spec, &scan->stats);
	MemoryContextSwitchTo(old);
}

/* --------------------------------------------------------------------- rows */

/* Keeps an entry for sigma_scanned_entry(); of several readings, the first. */
static void
remember_entry(SigmaScan *scan, const SigmaEntry *entry)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	SigmaJsonValue object = sigma_json_object(entry->text);
	const SigmaField *field = sigma_find_field(scan->spec.resource, scan->spec.resource->key);
	char	   *key = sigma_json_member_text(&object, field->field);
	SeenEntry  *seen;
	bool		found;

	seen = key ? seen_insert(scan->seen, sigma_key_spelling(field->kind, key), &found) : NULL;
	if (seen && !found)
	{
		seen->scanned.entry.data = pnstrdup(entry->text.data, entry->text.length);
		seen->scanned.entry.length = entry->text.length;
		seen->scanned.by_id = scan->spec.item;
		seen->scanned.taken = false;
	}
	MemoryContextSwitchTo(old);
}

/* The next row from Sigma; the slot is empty at the end. */
static void
fetch_row(void *arg, TupleTableSlot *slot)
{
	SigmaScan  *scan = arg;
	int			natts = slot->tts_tupleDescriptor->natts;
	SigmaEntry	entry;
	MemoryContext old;

	ExecClearTuple(slot);
	MemoryContextReset(scan->row_context);
	if (scan->walk == NULL)
		begin_walk(scan);
	if (scan->nothing || !sigma_walk_next(scan->walk, &entry))
		return;
	if (scan->seen)
		remember_entry(scan, &entry);
	old = MemoryContextSwitchTo(scan->row_context);
	memset(slot->tts_values, 0, natts * sizeof(Datum));
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	sigma_read_row(scan->reader, &entry, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
}

/* The one row of a count. */
static TupleTableSlot *
next_count(SigmaScan *scan, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	if (scan->count_returned)
		return slot;
	if (!scan->count_known)
		scan->count = sigma_count_entries(scan->session, scan->counted,
										  scan->node->ss.ps.state->es_snapshot->curcid, &scan->stats);
	scan->count_known = true;
	scan->count_returned = true;
	slot->tts_values[0] = Int64GetDatum(scan->count);
	slot->tts_isnull[0] = false;
	return ExecStoreVirtualTuple(slot);
}

TupleTableSlot *
sigmaIterateForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (OidIsValid(scan->counted))
		return next_count(scan, slot);
	if (scan->written)
	{
		SigmaHiding hiding;

		/* the statement may hold the secrets of what it writes */
		sigma_hide_statement(&hiding);
		slot = sigma_next_kept(&scan->kept, slot);
		sigma_show_statement(&hiding);
		return slot;
	}
	if (scan->keep)
		return sigma_next_kept(&scan->kept, slot);
	if (scan->async)
	{
		if (scan->walk == NULL)
			begin_walk(scan);
		scan->blocked = !scan->nothing && sigma_walk_would_wait(scan->walk);
		if (scan->blocked)
			return ExecClearTuple(slot);
	}
	fetch_row(scan, slot);
	return slot;
}

/* ------------------------------------------------------ beside other scans */

/*
 * So often a waiting Append looks up, in ms: some releases of PostgreSQL do not
 * listen to the latch there, and a cancel would have to wait.
 */
#define LOOK_UP_MS 100

/* Answers a request with a row, with the end, or with "not now". */
static void
answer(AsyncRequest *request)
{
	SigmaScan  *scan = ((ForeignScanState *) request->requestee)->fdw_state;
	TupleTableSlot *slot = request->requestee->ExecProcNodeReal(request->requestee);

	if (TupIsNull(slot) && scan->async && scan->blocked)
		ExecAsyncRequestPending(request);
	else
		ExecAsyncRequestDone(request, TupIsNull(slot) ? NULL : slot);
}

void
sigmaForeignAsyncRequest(AsyncRequest *request)
{
	answer(request);
}

/* Adds what an Append is to wait for on behalf of a scan. */
static void
add_wait_event(AsyncRequest *request, WaitEventSet *set)
{
	SigmaScan  *scan = ((ForeignScanState *) request->requestee)->fdw_state;
	bool		ready;
	int			fd;

	if (scan->pollfd == NULL)
		scan->pollfd = sigma_session_pollfd(scan->session, scan->context);
	/* another scan of the same session may have brought what this one waits for */
	sigma_session_poll(scan->session);
	ready = !sigma_walk_would_wait(scan->walk);
	fd = sigma_session_arm(scan->session, scan->pollfd, ready ? 0 : LOOK_UP_MS);
	AddWaitEventToSet(set, WL_SOCKET_READABLE, fd, NULL, request);
}

void
sigmaForeignAsyncConfigureWait(AsyncRequest *request)
{
	AppendState *append = (AppendState *) request->requestor;

	PG_TRY();
	{
		add_wait_event(request, append->as_eventset);
	}
	PG_CATCH();
	{
		/* before 17, nobody else would free it, and its descriptor would stay */
		FreeWaitEventSet(append->as_eventset);
		append->as_eventset = NULL;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
sigmaForeignAsyncNotify(AsyncRequest *request)
{
	SigmaScan  *scan = ((ForeignScanState *) request->requestee)->fdw_state;

	sigma_session_poll(scan->session);
	answer(request);
}

void
sigmaReScanForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;

	if (scan == NULL)
		return;
	scan->count_returned = false;
	if (OidIsValid(scan->counted))
		return;
	scan->reader->row = 0;
	scan->blocked = false;
	if (bms_overlap(node->ss.ps.chgParam, scan->params))
	{
		/* other keys, other rows */
		sigma_end_kept(&scan->kept);
		scan->walk = NULL;
	}
	else if (scan->kept.store)
		tuplestore_rescan(scan->kept.store);
	else if (scan->walk)
	{
		/* what has been rescanned once may be so again: this time the rows are kept */
		sigma_walk_rewind(scan->walk);
		scan->keep = true;
		scan->async = false;
	}
}

void
sigmaEndForeignScan(ForeignScanState *node)
{
	SigmaScan  *scan = node->fdw_state;

	if (scan == NULL)
		return;
	sigma_end_kept(&scan->kept);
	MemoryContextDelete(scan->context);
	node->fdw_state = NULL;
}

const SigmaStats *
sigma_scan_stats(ForeignScanState *node)
{
	return node->fdw_state ? &((SigmaScan *) node->fdw_state)->stats : NULL;
}

void
sigma_drain_scans(EState *estate, Oid serverid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &running_scans)
	{
		SigmaScan  *scan = dlist_container(SigmaScan, link, iter.cur);

		if (scan->node->ss.ps.state == estate && scan->keep && !scan->kept.complete &&
			scan->params == NULL && sigma_session_serverid(scan->session) == serverid)
			sigma_complete_kept(&scan->kept);
	}
}

/*
 * What the statement has read of a connection, in the scan of the table that it
 * changes; it lives as long as that scan.  False if it has read nothing of it.
 */
bool
sigma_scanned_entry(EState *estate, Index scanrelid, const char *id, SigmaScanned *scanned)
{
	dlist_iter	iter;

	dlist_foreach(iter, &running_scans)
	{
		SigmaScan  *scan = dlist_container(SigmaScan, link, iter.cur);
		SeenEntry  *seen;

		if (scan->node->ss.ps.state != estate || scan->seen == NULL ||
			((Scan *) scan->node->ss.ps.plan)->scanrelid != scanrelid)
			continue;
		seen = seen_lookup(scan->seen, sigma_key_spelling(SIGMA_INODE, pstrdup(id)));
		if (seen == NULL)
			continue;
		*scanned = seen->scanned;
		seen->scanned.taken = true;
		return true;
	}
	return false;
}

/*-------------------------------------------------------------------------
 *
 * lookup_join.c
 *	  Joins that look their inner rows up by key, several at a time.
 *
 * A nested loop asks for the inner rows of one outer row, waits, and asks for
 * those of the next: with a web API, the waiting adds up.  This custom join
 * does the same look-ups, but reads ahead on its outer side and has several
 * requests under way.  Rows come in the order of the outer side, as from a
 * nested loop.
 *
 * It takes the place of a nested loop only in its plain forms: inner and left
 * joins of a table of ours, whose keys are all given by expressions over the
 * outer side.  Everything else is left to the nested loop.
 *
 * The scan tuple, which all expressions are evaluated over, is the outer row
 * followed by the inner table's columns that are wanted (custom_scan_tlist).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/attnum.h"
#include "access/table.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/snapshot.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* How many outer rows may be ahead, per request that may be under way. */
#define ROWS_PER_REQUEST 2

/* What stands at which place of a CustomScan's custom_private. */
enum JoinPrivate
{
	JOIN_RELID,					/* Integer: OID of the inner table */
	JOIN_USERID,				/* Integer: whom its permissions are checked as; 0 current */
	JOIN_ITEM,					/* Integer: 1 for look-ups of single entries */
	JOIN_LEFT_JOIN,				/* Integer: 1 if outer rows without a match are kept */
	JOIN_ATTRIBUTES,			/* IntList: the inner columns of the scan tuple */
	JOIN_FLAT					/* Integer: 1 for the flat form of the resource */
};

/* And of its custom_exprs. */
enum JoinExprs
{
	JOIN_KEYS,					/* List: an expression per key of the path */
	JOIN_CLAUSES				/* List: what makes two rows match */
};

/* An outer row whose inner rows have been asked for. */
typedef struct Pending
{
	MemoryContext context;
	MinimalTuple outer;
	SigmaWalk  *walk;			/* NULL if a key is NULL */
	bool		matched;
} Pending;

typedef struct LookupJoin
{
	CustomScanState css;		/* must be first */
	SigmaSession *session;
	SigmaWalkSpec spec;
	SigmaStats	stats;
	SigmaRowReader *reader;
	List	   *keys;			/* ExprStates */
	List	   *key_types;
	ExprState  *clauses;
	List	   *attributes;		/* of the inner table, one per inner column of the scan tuple */
	bool		left_join;
	int			nouter;			/* columns of the outer row */
	Datum	   *inner_values;	/* as wide as the inner table */
	bool	   *inner_nulls;
	TupleTableSlot *outer_slot;
	MemoryContext context;
	MemoryContext row_context;

	List	   *pending;		/* of Pending, in the order of the outer side */
	int			width;			/* how many may be */
	bool		outer_done;
	bool		current;		/* the first of them is being joined */
} LookupJoin;

static set_join_pathlist_hook_type next_hook = NULL;

/* --------------------------------------------------------------- planning */

static Plan *plan_lookup_join(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
							  List *clauses, List *custom_plans);
static Node *create_lookup_join(CustomScan *plan);
static void begin_lookup_join(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_lookup_join(CustomScanState *node);
static void end_lookup_join(CustomScanState *node);
static void rescan_lookup_join(CustomScanState *node);
static void explain_lookup_join(CustomScanState *node, List *ancestors, ExplainState *es);

static const CustomPathMethods path_methods = {
	.CustomName = "Sigma Lookup Join",
	.PlanCustomPath = plan_lookup_join,
};

static const CustomScanMethods scan_methods = {
	.CustomName = "Sigma Lookup Join",
	.CreateCustomScanState = create_lookup_join,
};

static const CustomExecMethods exec_methods = {
	.CustomName = "Sigma Lookup Join",
	.BeginCustomScan = begin_lookup_join,
	.ExecCustomScan = exec_lookup_join,
	.EndCustomScan = end_lookup_join,
	.ReScanCustomScan = rescan_lookup_join,
	.ExplainCustomScan = explain_lookup_join,
};

/* Is every expression a column, and of "rel" (0: of any) a plain one? */
static bool
only_columns(List *exprs, Index rel)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		Var		   *var = lfirst(lc);

		if (!IsA(var, Var) || (var->varattno <= 0 && (rel == 0 || var->varno == (int) rel)))
			return false;
	}
	return true;
}

/* The same for whatever columns the clauses of RestrictInfos are made of. */
static bool
clauses_only_columns(List *clauses, Index rel)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (rinfo->pseudoconstant ||
			!only_columns(pull_var_clause((Node *) rinfo->clause, PVC_INCLUDE_PLACEHOLDERS), rel))
			return false;
	}
	return true;
}

/*
 * Are all columns of the outer side in these expressions ones that its path
 * supplies?  Where outer joins have been reordered, a clause may have them as
 * other Vars, nulled by other joins.
 */
static bool
outer_has_columns(RelOptInfo *outer, List *exprs)
{
	List	   *vars = pull_var_clause((Node *) exprs, PVC_RECURSE_PLACEHOLDERS);
	ListCell   *lc;

	foreach(lc, vars)
	{
		if (bms_is_member(((Var *) lfirst(lc))->varno, outer->relids) &&
			!list_member(outer->reltarget->exprs, lfirst(lc)))
			return false;
	}
	return true;
}

/* Do the relations, and how they are joined, allow for this kind of join? */
static bool
is_plain_join(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner,
			  JoinType jointype, const JoinPathExtraData *extra)
{
	if (jointype != JOIN_INNER && jointype != JOIN_LEFT)
		return false;
	if (inner->reloptkind != RELOPT_BASEREL || inner->fdwroutine == NULL ||
		inner->fdwroutine->GetForeignUpperPaths != sigmaGetForeignUpperPaths || inner->fdw_private == NULL)
		return false;
	/* a row that is locked, or updated, may be wanted again by itself */
	if (root->parse->rowMarks || root->rowMarks ||
		(root->parse->commandType != CMD_SELECT && root->parse->commandType != CMD_INSERT))
		return false;
	if (joinrel->lateral_relids || inner->lateral_relids || outer->lateral_relids ||
		outer->cheapest_total_path == NULL || outer->cheapest_total_path->param_info)
		return false;
	/* system columns and whole rows of the inner side are not built here */
	return only_columns(joinrel->reltarget->exprs, inner->relid) &&
		only_columns(outer->reltarget->exprs, 0) &&
		only_columns(inner->reltarget->exprs, inner->relid) &&
		clauses_only_columns(extra->restrictlist, inner->relid) &&
		clauses_only_columns(inner->baserestrictinfo, inner->relid) &&
		outer_has_columns(outer, joinrel->reltarget->exprs) &&
		outer_has_columns(outer, get_actual_clauses(extra->restrictlist));
}

static void
add_lookup_join(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner,
				JoinType jointype, JoinPathExtraData *extra)
{
	CustomPath *path;
	Path	   *outer_path = outer->cheapest_total_path;
	bool		item;
	List	   *sources;
	double		per_key;
	int			concurrency;

	if (next_hook)
		next_hook(root, joinrel, outer, inner, jointype, extra);
	if (!is_plain_join(root, joinrel, outer, inner, jointype, extra) ||
		!sigma_bind_join(root, inner, outer->relids, extra->restrictlist, &item, &sources,
						 &per_key, &concurrency))
		return;

	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = joinrel;
	path->path.pathtarget = joinrel->reltarget;
	path->path.rows = joinrel->rows;
	path->path.startup_cost = outer_path->startup_cost + SIGMA_REQUEST_COST;
	/* joinrel->rows has no part in it: the planner does not know that keys are unique */
	path->path.total_cost = outer_path->total_cost + SIGMA_REQUEST_COST +
		outer_path->rows * per_key / concurrency;
	path->path.pathkeys = build_join_pathkeys(root, joinrel, jointype, outer_path->pathkeys);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(outer_path);
	path->custom_private = list_make5(inner, extra->restrictlist, makeInteger(item),
									  makeInteger(jointype == JOIN_LEFT), sources);
	path->methods = &path_methods;
	add_path(joinrel, (Path *) path);
}

/* The inner table's columns in some expressions, each once. */
static List *
inner_columns(RelOptInfo *inner, List *exprs)
{
	List	   *vars = pull_var_clause((Node *) exprs, PVC_RECURSE_PLACEHOLDERS);
	List	   *columns = NIL;
	List	   *numbers = NIL;
	ListCell   *lc;

	foreach(lc, vars)
	{
		Var		   *var = lfirst(lc);

		if (var->varno != (int) inner->relid || list_member_int(numbers, var->varattno))
			continue;
		numbers = lappend_int(numbers, var->varattno);
		columns = lappend(columns, var);
	}
	return columns;
}

/*
 * The scan tuple is described as it is above the join, where a left join may
 * have made the inner columns NULL.  The clauses that make rows match are from
 * below it; their columns are made the same, so as to be found there.
 */
static void
lift_clauses(RelOptInfo *inner, List *clauses, List *above)
{
	List	   *columns = inner_columns(inner, above);
	Relids		nulled_by = columns ? sigma_var_nulled_by(linitial(columns)) : NULL;
	List	   *vars = pull_var_clause((Node *) clauses, PVC_RECURSE_PLACEHOLDERS);
	ListCell   *lc;

	/* these are the clauses' own Vars, not copies */
	foreach(lc, vars)
	{
		if (columns && ((Var *) lfirst(lc))->varno == (int) inner->relid)
			sigma_set_var_nulled_by(lfirst(lc), nulled_by);
	}
}

/* Adds a column to a scan tuple's description. */
static List *
add_column(List *tlist, Expr *expr)
{
	return lappend(tlist, makeTargetEntry(copyObject(expr), (AttrNumber) (list_length(tlist) + 1),
										  NULL, false));
}

static Plan *
plan_lookup_join(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
				 List *clauses UNUSED, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *outer_plan = linitial(custom_plans);
	RelOptInfo *inner = list_nth(path->custom_private, 0);
	List	   *restrictlist = list_nth(path->custom_private, 1);
	bool		left_join = intVal(list_nth(path->custom_private, 3)) != 0;
	List	   *keys = list_nth(path->custom_private, 4);
	Oid			relid = planner_rt_fetch(inner->relid, root)->relid;
	List	   *matching;
	List	   *filtering = NIL;
	List	   *above;
	List	   *attributes = NIL;
	ListCell   *lc;

	if (left_join)
		extract_actual_join_clauses(restrictlist, rel->relids, &matching, &filtering);
	else
		matching = extract_actual_clauses(restrictlist, false);
	matching = copyObject(list_concat(matching, extract_actual_clauses(inner->baserestrictinfo, false)));
	above = list_make3(tlist, rel->reltarget->exprs, filtering);
	lift_clauses(inner, matching, above);

	/* the outer row as its plan gives it, then the inner columns */
	foreach(lc, outer_plan->targetlist)
		scan->custom_scan_tlist = add_column(scan->custom_scan_tlist, lfirst_node(TargetEntry, lc)->expr);
	/* a projection above may replace "tlist", but wants no more than the relation's target */
	foreach(lc, inner_columns(inner, lappend(above, matching)))
	{
		scan->custom_scan_tlist = add_column(scan->custom_scan_tlist, lfirst(lc));
		attributes = lappend_int(attributes, ((Var *) lfirst(lc))->varattno);
	}
	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = filtering;
	scan->custom_plans = custom_plans;
	scan->custom_exprs = list_make2(keys, matching);
	scan->custom_private = list_make5(makeInteger((int) relid), makeInteger((int) inner->userid),
									  list_nth(path->custom_private, 2), makeInteger(left_join),
									  attributes);
	scan->custom_private = lappend(scan->custom_private, makeInteger(sigma_is_flat(inner)));
	scan->flags = path->flags;
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

/* --------------------------------------------------------------- executing */

static Node *
create_lookup_join(CustomScan *plan)
{
	LookupJoin *join = palloc0(sizeof(LookupJoin));

	NodeSetTag(join, T_CustomScanState);
	join->css.flags = plan->flags;
	join->css.methods = &exec_methods;
	return (Node *) join;
}

static void
begin_lookup_join(CustomScanState *node, EState *estate, int eflags)
{
	LookupJoin *join = (LookupJoin *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	Oid			relid = (Oid) intVal(list_nth(plan->custom_private, JOIN_RELID));
	Oid			userid = (Oid) intVal(list_nth(plan->custom_private, JOIN_USERID));
	SigmaTableOptions *options = sigma_table_options(relid);
	Plan	   *outer_plan = linitial(plan->custom_plans);
	Bitmapset  *attnums = NULL;
	Relation	rel;
	ListCell   *lc;

	node->custom_ps = list_make1(ExecInitNode(outer_plan, estate, eflags & ~EXEC_FLAG_MARK));
	join->spec.resource = sigma_planned_resource(options, intVal(list_nth(plan->custom_private, JOIN_FLAT)) != 0);
	join->spec.item = intVal(list_nth(plan->custom_private, JOIN_ITEM)) != 0;
	join->left_join = intVal(list_nth(plan->custom_private, JOIN_LEFT_JOIN)) != 0;
	join->attributes = list_nth(plan->custom_private, JOIN_ATTRIBUTES);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	join->context = AllocSetContextCreate(CurrentMemoryContext, "sigma look-up join",
										  ALLOCSET_SMALL_SIZES);
	join->row_context = AllocSetContextCreate(join->context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	join->spec.scope = options->scope;
	join->spec.prefetch = options->prefetch;
	join->spec.dated = true;
	join->spec.as_of = estate->es_snapshot->curcid;
	join->spec.missing = options->on_missing_empty ? SIGMA_MISSING_WARNS : SIGMA_MISSING_FAILS;
	join->spec.relid = options->relid;
	join->spec.tolerate = options->on_error_row && !sigma_is_one_list(join->spec.resource);
	join->spec.limit = options->page_size;
	join->nouter = list_length(outer_plan->targetlist);
	join->keys = ExecInitExprList(list_nth(plan->custom_exprs, JOIN_KEYS), &node->ss.ps);
	foreach(lc, (List *) list_nth(plan->custom_exprs, JOIN_KEYS))
		join->key_types = lappend_oid(join->key_types, exprType(lfirst(lc)));
	join->clauses = ExecInitQual(list_nth(plan->custom_exprs, JOIN_CLAUSES), &node->ss.ps);
	join->outer_slot = ExecInitExtraTupleSlot(estate, ExecGetResultType(linitial(node->custom_ps)),
											  &TTSOpsMinimalTuple);
	foreach(lc, join->attributes)
		attnums = bms_add_member(attnums, lfirst_int(lc));
	rel = table_open(relid, NoLock);
	join->reader = sigma_row_reader(rel, join->spec.resource, attnums);
	join->spec.fields = &join->reader->fields;
	join->inner_values = palloc0(Max(RelationGetDescr(rel)->natts, 1) * sizeof(Datum));
	join->inner_nulls = palloc0(Max(RelationGetDescr(rel)->natts, 1) * sizeof(bool));
	table_close(rel, NoLock);
	join->session = sigma_session_open(GetForeignTable(relid)->serverid,
									   OidIsValid(userid) ? userid : GetUserId(), join->context);
	join->width = 1;
}

/* The outer part of the scan tuple; the inner part becomes NULL. */
static void
store_outer(LookupJoin *join, MinimalTuple outer)
{
	TupleTableSlot *slot = join->css.ss.ss_ScanTupleSlot;

	ExecStoreMinimalTuple(outer, join->outer_slot, false);
	slot_getallattrs(join->outer_slot);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	memcpy(slot->tts_values, join->outer_slot->tts_values, join->nouter * sizeof(Datum));
	memcpy(slot->tts_isnull, join->outer_slot->tts_isnull, join->nouter * sizeof(bool));
	ExecStoreVirtualTuple(slot);
}

/* Asks for the inner rows of an outer row; nothing is waited for. */
static void
begin_lookup(LookupJoin *join, Pending *pending)
{
	ExprContext *econtext = join->css.ss.ps.ps_ExprContext;
	SigmaWalkSpec spec = join->spec;
	SigmaBound *bound = palloc0(SIGMA_MAX_KEYS * sizeof(SigmaBound));
	const char *names[SIGMA_MAX_KEYS];
	ListCell   *lc;
	ListCell   *type;
	int			i = 0;

	(void) sigma_path_keys(spec.item ? spec.resource->item_path : spec.resource->path, names);
	/* any number of outer rows may have none that match, and so no other place to do this */
	ResetExprContext(econtext);
	store_outer(join, pending->outer);
	econtext->ecxt_scantuple = join->css.ss.ss_ScanTupleSlot;
	forboth(lc, join->keys, type, join->key_types)
	{
		bool		isnull;
		Datum		key = ExecEvalExprSwitchContext(lfirst(lc), econtext, &isnull);
		Oid			output;
		bool		is_varlena;

		/* nothing is equal to a NULL */
		if (isnull)
			return;
		getTypeOutputInfo(lfirst_oid(type), &output, &is_varlena);
		bound[i].given = true;
		bound[i].nvalues = 1;
		bound[i].values = palloc(sizeof(char *));
		bound[i].values[0] = OidOutputFunctionCall(output, key);
		if (!sigma_key_is_shown(sigma_find_field(spec.resource, names[i])->kind, bound[i].values[0]))
			return;
		i++;
	}
	spec.bound = bound;
	pending->walk = sigma_walk_open(join->session, pending->context, &spec, &join->stats);
	sigma_walk_start(pending->walk);
}

/* Reads ahead on the outer side. */
static void
read_ahead(LookupJoin *join)
{
	PlanState  *outer = linitial(join->css.custom_ps);

	while (!join->outer_done && list_length(join->pending) < join->width)
	{
		TupleTableSlot *slot = ExecProcNode(outer);
		MemoryContext context;
		MemoryContext old;
		Pending    *pending;

		if (TupIsNull(slot))
		{
			join->outer_done = true;
			break;
		}
		context = AllocSetContextCreate(join->context, "sigma look-up", ALLOCSET_SMALL_SIZES);
		old = MemoryContextSwitchTo(context);
		pending = palloc0(sizeof(Pending));
		pending->context = context;
		pending->outer = ExecCopySlotMinimalTuple(slot);
		begin_lookup(join, pending);
		MemoryContextSwitchTo(join->context);
		join->pending = lappend(join->pending, pending);
		MemoryContextSwitchTo(old);
	}
}

/* The inner part of the scan tuple, from an entry. */
static void
store_inner(LookupJoin *join, const SigmaEntry *entry)
{
	TupleTableSlot *slot = join->css.ss.ss_ScanTupleSlot;
	MemoryContext old;
	ListCell   *lc;

	MemoryContextReset(join->row_context);
	old = MemoryContextSwitchTo(join->row_context);
	sigma_read_row(join->reader, entry, join->inner_values, join->inner_nulls);
	MemoryContextSwitchTo(old);
	foreach(lc, join->attributes)
	{
		int			place = join->nouter + foreach_current_index(lc);

		slot->tts_values[place] = join->inner_values[lfirst_int(lc) - 1];
		slot->tts_isnull[place] = join->inner_nulls[lfirst_int(lc) - 1];
	}
}

/* The next pair of rows that match, or outer row without a match, as scan tuple. */
static bool
next_pair(LookupJoin *join)
{
	ExprContext *econtext = join->css.ss.ps.ps_ExprContext;
	SigmaEntry	entry;

	for (;;)
	{
		Pending    *pending;
		bool		unmatched;

		if (!join->current)
		{
			read_ahead(join);
			if (join->pending == NIL)
				return false;
			join->current = true;
			store_outer(join, ((Pending *) linitial(join->pending))->outer);
		}
		pending = linitial(join->pending);
		while (pending->walk && sigma_walk_next(pending->walk, &entry))
		{
			ResetExprContext(econtext);
			store_inner(join, &entry);
			econtext->ecxt_scantuple = join->css.ss.ss_ScanTupleSlot;
			if (ExecQual(join->clauses, econtext))
			{
				pending->matched = true;
				return true;
			}
			InstrCountFiltered1(&join->css, 1);
		}

		/* this one is done; its place is free for others */
		unmatched = join->left_join && !pending->matched;
		if (unmatched)
		{
			pending->matched = true;
			store_outer(join, pending->outer);
			return true;
		}
		join->current = false;
		join->pending = list_delete_first(join->pending);
		MemoryContextDelete(pending->context);
		join->width = Min(join->width * 2,
						  sigma_session_concurrency(join->session) * ROWS_PER_REQUEST);
	}
}

static TupleTableSlot *
exec_lookup_join(CustomScanState *node)
{
	LookupJoin *join = (LookupJoin *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	while (next_pair(join))
	{
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;
		if (ExecQual(node->ss.ps.qual, econtext))
			return node->ss.ps.ps_ProjInfo ? ExecProject(node->ss.ps.ps_ProjInfo)
				: node->ss.ss_ScanTupleSlot;
		InstrCountFiltered2(node, 1);
	}
	return NULL;
}

static void
forget_pending(LookupJoin *join)
{
	ListCell   *lc;

	foreach(lc, join->pending)
		MemoryContextDelete(((Pending *) lfirst(lc))->context);
	list_free(join->pending);
	join->pending = NIL;
	join->current = false;
}

static void
rescan_lookup_join(CustomScanState *node)
{
	LookupJoin *join = (LookupJoin *) node;
	PlanState  *outer = linitial(node->custom_ps);

	forget_pending(join);
	join->outer_done = false;
	join->width = 1;
	if (node->ss.ps.chgParam)
		UpdateChangedParamSet(outer, node->ss.ps.chgParam);
	/* otherwise it is rescanned when it is first asked for a row */
	if (outer->chgParam == NULL)
		ExecReScan(outer);
}

static void
end_lookup_join(CustomScanState *node)
{
	LookupJoin *join = (LookupJoin *) node;

	if (join->context)
	{
		forget_pending(join);
		ExecClearTuple(join->outer_slot);
		MemoryContextDelete(join->context);
		join->context = NULL;
	}
	ExecEndNode(linitial(node->custom_ps));
}

static void
explain_lookup_join(CustomScanState *node, List *ancestors, ExplainState *es)
{
	LookupJoin *join = (LookupJoin *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	const SigmaResource *resource = join->spec.resource;
	const char *path = join->spec.item ? resource->item_path : resource->path;
	SigmaTableOptions *options = sigma_table_options((Oid) intVal(list_nth(plan->custom_private, JOIN_RELID)));
	SigmaListSpec spec = {
		.resource = resource,
		.path = path,
		.limit = options->page_size,
		.scope = options->scope,
		.item = join->spec.item,
	};
	List	   *context = set_deparse_context_plan(es->deparse_cxt, (Plan *) plan, ancestors);
	List	   *parameters = NIL;
	const char *keys[SIGMA_MAX_KEYS];
	ListCell   *lc;

	(void) sigma_path_keys(path, keys);
	foreach(lc, (List *) list_nth(plan->custom_exprs, JOIN_KEYS))
		parameters = lappend(parameters, psprintf("%s = %s", keys[foreach_current_index(lc)],
												  deparse_expression(lfirst(lc), context, true, false)));
	ExplainPropertyText("Join Type", join->left_join ? "Left" : "Inner", es);
	ExplainPropertyText("Join Filter",
						deparse_expression((Node *) make_ands_explicit(list_nth(plan->custom_exprs, JOIN_CLAUSES)),
										   context, true, false), es);
	ExplainPropertyList("Remote Parameters", parameters, es);
	ExplainPropertyText("Remote Request", sigma_shown_request("GET", sigma_list_target(&spec, NULL), NULL), es);
	sigma_explain_stats(&join->stats, es);
}

void
sigma_lookup_join_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
	next_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = add_lookup_join;
}

/*-------------------------------------------------------------------------
 *
 * element_control.c
 *	  Refuses conditions on columns of controls that are not set.
 *
 * Such a column reads as NULL, so a condition on it would never be true, without
 * a word.  The planner of the scan sees only what it may check itself; what stands
 * above, over a LIMIT, a CTE or an aggregate, is seen when the plan is complete.
 * There it is exact where each value comes from.  So when a scan begins, also for
 * EXPLAIN, the whole plan is searched for conditions on what is made of these
 * columns.  To show, group or order by such a column is no condition.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/sysattr.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/tlist.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "fdw/fdw_internal.h"

/* An expression of a plan node, in whose terms its Vars are. */
typedef struct Place
{
	struct Flow *flow;
	const Plan *plan;
} Place;

/* A SubPlan, and where it is called. */
typedef struct Call
{
	const SubPlan *subplan;
	const Plan *plan;
} Call;

typedef struct Flow
{
	const PlannedStmt *stmt;
	Index		scanrelid;		/* of the table */
	const Bitmapset *unset;		/* attribute numbers of its columns that are not set */
	List	   *plans;			/* all nodes, of Plan */
	List	   *calls;			/* of Call */
	List	   *active;			/* TargetEntries that are being looked at */
	AttrNumber	column;			/* which of the columns was found */
} Flow;

static bool derives(Node *node, void *arg);

/* ------------------------------------------------------------------ refusing */

/* Raises that a column of a control cannot be compared so. */
void
sigma_refuse_control(Oid relid, AttrNumber attnum)
{
	const char *column = get_attname(relid, attnum, false);
	Oid			type = get_atttype(relid, attnum);
	Oid			base = getBaseType(type);

	if (base != TEXTOID && base != VARCHAROID && base != UUIDOID)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot set a control: it is of type %s",
						column, get_rel_name(relid), format_type_be(type)),
				 errhint("To change the type: %s.",
						 sigma_alter_table(relid, psprintf("ALTER COLUMN %s TYPE text", quote_identifier(column))))));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" of foreign table \"%s\" can only be compared by \"=\", with one value that is known when the query begins",
					column, get_rel_name(relid)),
			 errdetail("It is what the control %s is set to before Sigma runs the element's query, and NULL if that is not told.",
					   sigma_quoted(sigma_column_control_option(relid, attnum))),
			 errhint("Set it where the table is read, not above a LIMIT or a materialized CTE. For several values at once, give them as Sigma takes them: 'a,b'. A value that comes from other rows would take an export for each of them.")));
}

/* ------------------------------------------------------------ plans below plans */

/* What a node decides by whether rows, or which of them, go on. */
static List *
conditions_of(const Plan *plan)
{
	List	   *conditions = list_make1(plan->qual);

	switch (nodeTag(plan))
	{
		case T_NestLoop:
			return lappend(conditions, ((const Join *) plan)->joinqual);
		case T_MergeJoin:
			conditions = lappend(conditions, ((const Join *) plan)->joinqual);
			return lappend(conditions, ((const MergeJoin *) plan)->mergeclauses);
		case T_HashJoin:
			conditions = lappend(conditions, ((const Join *) plan)->joinqual);
			return lappend(conditions, ((const HashJoin *) plan)->hashclauses);
		case T_Result:
			return lappend(conditions, ((const Result *) plan)->resconstantqual);
		case T_IndexScan:
			return lappend(conditions, ((const IndexScan *) plan)->indexqual);
		case T_IndexOnlyScan:
			return lappend(conditions, ((const IndexOnlyScan *) plan)->indexqual);
		case T_BitmapHeapScan:
			return lappend(conditions, ((const BitmapHeapScan *) plan)->bitmapqualorig);
		case T_TidScan:
			return lappend(conditions, ((const TidScan *) plan)->tidquals);
		case T_ForeignScan:
			return lappend(conditions, ((const ForeignScan *) plan)->fdw_exprs);
		case T_CustomScan:
			return lappend(conditions, ((const CustomScan *) plan)->custom_exprs);
		case T_ModifyTable:
			return lappend(conditions, ((const ModifyTable *) plan)->onConflictWhere);
		default:
			return conditions;
	}
}

static bool
collect_calls(Node *node, void *arg)
{
	Place	   *place = arg;

	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
	{
		Call	   *call = palloc(sizeof(Call));

		call->subplan = (SubPlan *) node;
		call->plan = place->plan;
		place->flow->calls = lappend(place->flow->calls, call);
	}
	return expression_tree_walker(node, collect_calls, arg);
}

/* All nodes of a plan, and the subplans that they call. */
static void
collect(Flow *flow, const Plan *plan)
{
	Place		place = {flow, plan};
	ListCell   *lc;

	if (plan == NULL)
		return;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	flow->plans = lappend(flow->plans, unconstify(Plan *, plan));
	(void) collect_calls((Node *) plan->targetlist, &place);
	(void) collect_calls((Node *) plan->initPlan, &place);
	foreach(lc, conditions_of(plan))
		(void) collect_calls(lfirst(lc), &place);
	collect(flow, plan->lefttree);
	collect(flow, plan->righttree);
	foreach(lc, sigma_other_plans(plan))
		collect(flow, lfirst(lc));
}

/* ------------------------------------------------------------- where values come from */

/* Does a column of a plan's rows come from one of ours?  0 is any of them. */
static bool
output_derives(Flow *flow, const Plan *plan, AttrNumber attnum)
{
	Place		place = {flow, plan};
	ListCell   *lc;

	if (plan == NULL)
		return false;
	foreach(lc, plan->targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		bool		found;

		/* a recursive query's rows come from its own */
		if ((attnum != 0 && entry->resno != attnum) || list_member_ptr(flow->active, entry))
			continue;
		flow->active = lappend(flow->active, entry);
		found = derives((Node *) entry->expr, &place);
		flow->active = list_delete_last(flow->active);
		if (found)
			return true;
	}
	return false;
}

static bool
any_output_derives(Flow *flow, const List *plans, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		if (output_derives(flow, lfirst(lc), attnum))
			return true;
	}
	return false;
}

/* The plan whose rows a recursive query's own scan reads. */
static const Plan *
recursive_union(const Flow *flow, int param)
{
	ListCell   *lc;

	foreach(lc, flow->plans)
	{
		if (IsA(lfirst(lc), RecursiveUnion) && ((RecursiveUnion *) lfirst(lc))->wtParam == param)
			return lfirst(lc);
	}
	return NULL;
}

/* The same for a column of what a node scans that is neither a table nor a function. */
static bool
scanned_derives(Flow *flow, const Var *var)
{
	ListCell   *lc;

	foreach(lc, flow->plans)
	{
		const Plan *plan = lfirst(lc);
		const Plan *source = NULL;

		if (IsA(plan, SubqueryScan))
			source = ((const SubqueryScan *) plan)->subplan;
		else if (IsA(plan, CteScan))
			source = list_nth(flow->stmt->subplans, ((const CteScan *) plan)->ctePlanId - 1);
		else if (IsA(plan, WorkTableScan))
			source = recursive_union(flow, ((const WorkTableScan *) plan)->wtParam);
		if (source && ((const Scan *) plan)->scanrelid == (Index) var->varno)
			return output_derives(flow, source, var->varattno);
	}
	return false;
}

static bool
var_derives(const Place *place, const Var *var)
{
	Flow	   *flow = place->flow;
	const Plan *plan = place->plan;
	List	   *scanned;

	switch (var->varno)
	{
		case OUTER_VAR:
			if (IsA(plan, RecursiveUnion) && output_derives(flow, plan->righttree, var->varattno))
				return true;
			return output_derives(flow, plan->lefttree, var->varattno) ||
				(!IsA(plan, SubqueryScan) && any_output_derives(flow, sigma_other_plans(plan), var->varattno));
		case INNER_VAR:
			return output_derives(flow, IsA(plan, ModifyTable) ? plan->lefttree : plan->righttree,
								  var->varattno);
		case INDEX_VAR:
			scanned = IsA(plan, CustomScan) ? ((const CustomScan *) plan)->custom_scan_tlist :
				IsA(plan, ForeignScan) ? ((const ForeignScan *) plan)->fdw_scan_tlist : NIL;
			if (var->varattno == 0)
				return derives((Node *) scanned, unconstify(Place *, place));
			return var->varattno > 0 && var->varattno <= list_length(scanned) &&
				derives((Node *) list_nth(scanned, var->varattno - 1), unconstify(Place *, place));
		default:
			if (var->varno != (int) flow->scanrelid)
				return scanned_derives(flow, var);
			if (var->varattno != 0 && !bms_is_member(var->varattno, flow->unset))
				return false;
			flow->column = var->varattno != 0 ? var->varattno : (AttrNumber) bms_next_member(flow->unset, -1);
			return true;
	}
}

/* Does a nested loop hand it on by this parameter? */
static bool
loop_param_derives(Flow *flow, int id)
{
	ListCell   *lc;

	foreach(lc, flow->plans)
	{
		Place		place = {flow, lfirst(lc)};
		ListCell   *param;

		if (!IsA(place.plan, NestLoop))
			continue;
		foreach(param, ((const NestLoop *) place.plan)->nestParams)
		{
			NestLoopParam *p = lfirst(param);

			if (p->paramno == id && derives((Node *) p->paramval, &place))
				return true;
		}
	}
	return false;
}

/* Is it what a subplan gives, or is given, by this parameter? */
static bool
param_derives(Flow *flow, int id)
{
	ListCell   *lc;

	foreach(lc, flow->calls)
	{
		const Call *call = lfirst(lc);
		const SubPlan *subplan = call->subplan;
		Place		place = {flow, call->plan};
		ListCell   *param;

		foreach(param, subplan->parParam)
		{
			if (lfirst_int(param) == id &&
				derives(list_nth(subplan->args, foreach_current_index(param)), &place))
				return true;
		}
		if (subplan->subLinkType == EXISTS_SUBLINK || subplan->subLinkType == CTE_SUBLINK ||
			!list_member_int(subplan->setParam, id))
			continue;
		if (output_derives(flow, list_nth(flow->stmt->subplans, subplan->plan_id - 1), 0))
			return true;
	}
	return loop_param_derives(flow, id);
}

/* Is an expression made of a column of ours?  "arg" is its Place. */
static bool
derives(Node *node, void *arg)
{
	Place	   *place = arg;

	if (node == NULL)
		return false;
	check_stack_depth();
	/* whether it is NULL, and what it is grouped by, is known */
	if ((IsA(node, NullTest) && ((NullTest *) node)->nulltesttype == IS_NULL) || IsA(node, GroupingFunc))
		return false;
	if (IsA(node, Var))
		return var_derives(place, (Var *) node);
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC && param_derives(place->flow, ((Param *) node)->paramid);
	if (IsA(node, SubPlan) && ((SubPlan *) node)->subLinkType != EXISTS_SUBLINK &&
		output_derives(place->flow, list_nth(place->flow->stmt->subplans, ((SubPlan *) node)->plan_id - 1), 0))
		return true;
	return expression_tree_walker(node, derives, arg);
}

/* Has an aggregate in the expression a FILTER on such a column? */
static bool
filter_derives(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if ((IsA(node, Aggref) && derives((Node *) ((Aggref *) node)->aggfilter, arg)) ||
		(IsA(node, WindowFunc) && derives((Node *) ((WindowFunc *) node)->aggfilter, arg)))
		return true;
	return expression_tree_walker(node, filter_derives, arg);
}

/* Is a row's fate decided by such a column somewhere? */
static bool
any_condition_derives(Flow *flow)
{
	ListCell   *lc;

	foreach(lc, flow->plans)
	{
		Place		place = {flow, lfirst(lc)};

		CHECK_FOR_INTERRUPTS();
		if (derives((Node *) conditions_of(place.plan), &place) ||
			filter_derives((Node *) place.plan->targetlist, &place))
			return true;
	}
	return false;
}

/* Which columns that a scan reads are of controls that nothing sets? */
static Bitmapset *
unset_columns(const ForeignScan *plan, Oid relid)
{
	const char *json = sigma_table_options(relid)->parameters;
	List	   *parameters = json ? sigma_parameters(json) : NIL;
	List	   *set = list_copy(list_nth(plan->fdw_private, SIGMA_ELEMENT_CONTROLS));
	Bitmapset  *unset = NULL;
	ListCell   *lc;

	foreach(lc, parameters)
		set = lappend(set, makeString(((SigmaParameter *) lfirst(lc))->control));
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_ELEMENT_ATTRIBUTES))
	{
		char	   *control = sigma_column_control_option(relid, (AttrNumber) lfirst_int(lc));

		if (control && !list_member(set, makeString(control)))
			unset = bms_add_member(unset, lfirst_int(lc));
	}
	return unset;
}

void
sigma_check_controls(ForeignScanState *node)
{
	const ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Oid			relid = RelationGetRelid(node->ss.ss_currentRelation);
	Flow		flow = {.stmt = node->ss.ps.state->es_plannedstmt, .scanrelid = plan->scan.scanrelid};
	ListCell   *lc;

	flow.unset = unset_columns(plan, relid);
	if (flow.unset == NULL)
		return;
	collect(&flow, flow.stmt->planTree);
	foreach(lc, flow.stmt->subplans)
		collect(&flow, lfirst(lc));
	if (any_condition_derives(&flow))
		sigma_refuse_control(relid, flow.column);
}

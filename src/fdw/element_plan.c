/*-------------------------------------------------------------------------
 *
 * element_plan.c
 *	  The plan of a scan of the rows behind an element.
 *
 * There is one way to read them: an export, which makes Sigma run a query in the
 * warehouse, takes seconds, and gives all rows.  So there are no look-ups, and
 * the planner is told what it costs.
 *
 * What can be told to Sigma is what the workbook's controls are set to, and that
 * is no condition on rows: it decides what the element shows.  A column with the
 * option "control" reads as what its control is set to, by the table's option
 * "parameters" or by the query, and NULL if it is left alone.  So a query may say
 * no more of it than one value: anything else would be a condition on a column
 * that is NULL, and never true, without a word.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "fdw/fdw_internal.h"

/* What the first of a scan's fdw_private says. */
#define MARK "element"

/* A request that takes 50 ms costs SIGMA_REQUEST_COST. */
#define COST_OF_MS	(SIGMA_REQUEST_COST / 50.0)

/* What an export takes if none has been made, in ms. */
#define DEFAULT_EXPORT_MS 10000.0

/* A row that has come, in the planner's unit. */
#define ROW_COST 0.4

#define DEFAULT_ROWS 1000

/* What the planner keeps of such a table. */
struct SigmaElementInfo
{
	double		export_ms;
	List	   *controls;		/* of String: those that the query sets */
	List	   *sources;		/* to what, expressions */
	List	   *clauses;		/* the RestrictInfos that say so */
};

bool
sigma_is_element_plan(const ForeignScan *plan)
{
	return plan->scan.scanrelid > 0 &&
		IsA(list_nth(plan->fdw_private, SIGMA_ELEMENT_MARK), String);
}

/* ----------------------------------------------------------------- controls */

/*
 * The parameters that initial plans set, if they do it once: not in what is
 * planned for each row of other relations.
 */
static Bitmapset *
initial_params(const PlannerInfo *root)
{
	Bitmapset  *params = NULL;

	for (; root; root = root->parent_root)
	{
		ListCell   *lc;

		/* what the query below is given by this one, which is none of its own */
		if (root->plan_params)
			return NULL;
		foreach(lc, root->init_plans)
		{
			ListCell   *param;

			foreach(param, lfirst_node(SubPlan, lc)->setParam)
				params = bms_add_member(params, lfirst_int(param));
		}
	}
	return params;
}

/* Is it "column IS NULL"?  That is no question to Sigma. */
static bool
is_null_test(const RestrictInfo *rinfo)
{
	return IsA(rinfo->clause, NullTest) && ((const NullTest *) rinfo->clause)->nulltesttype == IS_NULL;
}

/* What the query says of a column that is a control's. */
static void
take_control(PlannerInfo *root, RelOptInfo *rel, Oid relid, AttrNumber attnum, const char *control)
{
	struct SigmaElementInfo *info = sigma_element_info(rel);
	Node	   *source;
	RestrictInfo *equality = sigma_key_equality(root, rel, attnum, rel->baserestrictinfo, &source);
	Relids		needed = rel->attr_needed ? rel->attr_needed[attnum - rel->min_attr] : NULL;
	ListCell   *lc;

	if (equality && !sigma_has_exec_param(source, initial_params(root)))
	{
		info->controls = lappend(info->controls, makeString(pstrdup(control)));
		info->sources = lappend(info->sources, source);
		info->clauses = lappend(info->clauses, equality);
		return;
	}
	/* 0 stands for the target list; other relations, for a join's condition */
	if (!bms_is_subset(needed, bms_make_singleton(0)))
		sigma_refuse_control(relid, attnum);
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Bitmapset  *used = NULL;

		pull_varattnos((Node *) rinfo->clause, rel->relid, &used);
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used) && !is_null_test(rinfo))
			sigma_refuse_control(relid, attnum);
	}
}

/* Is a control set by the table itself?  Then its column is one value for all queries. */
static bool
is_set_by_table(RelOptInfo *rel, const char *control)
{
	const char *json = sigma_plan_options(rel)->parameters;
	ListCell   *lc;

	if (json == NULL)
		return false;
	foreach(lc, sigma_parameters(json))
	{
		if (strcmp(((SigmaParameter *) lfirst(lc))->control, control) == 0)
			return true;
	}
	return false;
}

static void
take_controls(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	Relation	relation = table_open(relid, NoLock);

	for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation), i);
		char	   *control;

		if (att->attisdropped)
			continue;
		control = sigma_column_control_option(relid, att->attnum);
		if (control && !is_set_by_table(rel, control))
			take_control(root, rel, relid, att->attnum, control);
	}
	table_close(relation, NoLock);
}

/* The conditions that rows have to meet. */
static List *
conditions_on_rows(RelOptInfo *rel)
{
	return list_difference_ptr(rel->baserestrictinfo, sigma_element_info(rel)->clauses);
}

/* --------------------------------------------------------------------- size */

void
sigma_element_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	struct SigmaElementInfo *info = palloc0(sizeof(struct SigmaElementInfo));
	const SigmaExportMemory *memory = sigma_export_memory(relid);
	const SigmaTableOptions *options;

	sigma_plan_for_element(root, rel, relid, info);
	options = sigma_plan_options(rel);
	if (options->workbook_id == NULL || options->element_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("foreign table \"%s\" does not say which element it shows", get_rel_name(relid)),
				 errhint("Name the element: %s.", sigma_name_element(relid))));
	take_controls(root, rel, relid);
	info->export_ms = memory->export_ms > 0 ? memory->export_ms : DEFAULT_EXPORT_MS;
	/* what ANALYZE has counted, what the user says, what was last seen */
	if (rel->tuples <= 0)
		rel->tuples = options->rows >= 0 ? options->rows : memory->rows >= 0 ? memory->rows : DEFAULT_ROWS;
	set_baserel_size_estimates(root, rel);
	/* what a control is set to is true of all rows */
	rel->rows = clamp_row_est(rel->tuples *
							  clauselist_selectivity(root, conditions_on_rows(rel), 0, JOIN_INNER, NULL));
}

void
sigma_element_paths(PlannerInfo *root, RelOptInfo *rel)
{
	Cost		startup = sigma_element_info(rel)->export_ms * COST_OF_MS + rel->baserestrictcost.startup;
	Cost		total = startup + rel->tuples * (ROW_COST + cpu_tuple_cost + rel->baserestrictcost.per_tuple);

	add_path(rel, (Path *)
			 sigma_create_foreignscan_path(root, rel, rel->rows, startup, total, rel->lateral_relids, NIL));
}

/* --------------------------------------------------------------------- plan */

ForeignScan *
sigma_element_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, List *tlist, List *scan_clauses,
				   Plan *outer_plan)
{
	const struct SigmaElementInfo *info = sigma_element_info(rel);
	List	   *local = extract_actual_clauses(scan_clauses, false);
	List	   *private = list_make4(makeString(MARK),
									 makeInteger(sigma_wanted_rows(root, rel, conditions_on_rows(rel))),
									 sigma_used_attributes(rel, relid, local),
									 info->controls);

	return make_foreignscan(tlist, local, rel->relid, info->sources, private, NIL, NIL, outer_plan);
}

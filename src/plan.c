/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Sizes, paths and the plan of a scan.
 *
 * There are two ways to read a resource: walk its list, or look entries up by
 * key, one request each.  The key may be a constant, a parameter, or come from
 * the outer side of a join.  Every clause is checked again locally, so that a
 * row's presence never depends on how it was fetched.
 *
 * Nothing here makes a request.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_operator_d.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/*
 * What a request costs, and what an entry of its reply does, in the planner's
 * unit (a sequential page fetch).  A round trip to a web API takes some 50 ms;
 * a page of 1,000 entries takes about five times as long.
 */
#define REQUEST_COST	100.0
#define ENTRY_COST		0.4

/* A list whose length nobody knows is taken to fill one page. */
#define DEFAULT_ENTRIES SIGMA_MAX_PAGE_SIZE

/* uuid = uuid; pg_operator.dat gives it no symbol */
#define UUIDEqualOperator 2972

/* What the planner callbacks keep of a table, in rel->fdw_private. */
typedef struct PlanInfo
{
	SigmaTableOptions *options;
	const SigmaResource *resource;
	AttrNumber	key;			/* the column of the resource's key; 0 if none */
} PlanInfo;

/* The resource of a table's options; raises HV00R if there is none. */
const SigmaResource *
sigma_table_resource(const SigmaTableOptions *options)
{
	const SigmaResource *resource = sigma_find_resource(options->resource);
	const char *closest;

	if (resource)
		return resource;
	closest = sigma_closest_resource(options->resource);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
			 errmsg("Sigma has no resource \"%s\"", options->resource),
			 closest
			 ? errhint("Perhaps you meant \"%s\"; the table option \"resource\" names it, if the table's own name does not.", closest)
			 : errhint("The table option \"resource\" names it, if the table's own name does not.")));
	return NULL;				/* keep compilers quiet */
}

/* The number of the column that holds the resource's key, or 0. */
static AttrNumber
find_key_column(Oid relid, const SigmaResource *resource)
{
	Relation	rel;
	AttrNumber	key = 0;

	if (resource->key == NULL || resource->item_path == NULL)
		return 0;
	rel = table_open(relid, NoLock);
	for (int i = 0; i < RelationGetDescr(rel)->natts && key == 0; i++)
	{
		const SigmaField *known;

		if (TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			continue;
		(void) sigma_column_field(rel, resource, (AttrNumber) (i + 1), &known);
		if (known && strcmp(known->column, resource->key) == 0)
			key = (AttrNumber) (i + 1);
	}
	table_close(rel, NoLock);
	return key;
}

/* -------------------------------------------------------------- key clauses */

static bool
is_key(Node *node, RelOptInfo *rel, AttrNumber key)
{
	while (node && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node && IsA(node, Var) &&
		((Var *) node)->varno == (int) rel->relid &&
		((Var *) node)->varattno == key && ((Var *) node)->varlevelsup == 0;
}

/* May this expression supply a key, evaluated once per scan? */
static bool
is_key_source(PlannerInfo *root, RelOptInfo *rel, Node *node)
{
	return !bms_is_member(rel->relid, pull_varnos(root, node)) &&
		!contain_volatile_functions(node) && !contain_subplans(node);
}

/*
 * Equality that means the same text: a collation under which different texts
 * are equal would make one key stand for several entries.
 */
static bool
is_key_equality(Oid operator, Oid collation)
{
	if (operator == UUIDEqualOperator)
		return true;
	return operator == TextEqualOperator &&
		(!OidIsValid(collation) || get_collation_isdeterministic(collation));
}

/*
 * Is the clause "key = expression" or "key = ANY (expression)"?  *source is
 * then the expression.
 */
static SigmaKeyed
match_key_clause(PlannerInfo *root, RelOptInfo *rel, AttrNumber key, RestrictInfo *rinfo,
				 Node **source)
{
	Node	   *clause = (Node *) rinfo->clause;

	if (key == 0 || rinfo->pseudoconstant || !restriction_is_securely_promotable(rinfo, rel))
		return SIGMA_KEYED_NO;
	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr	   *op = (OpExpr *) clause;
		Node	   *left = linitial(op->args);
		Node	   *right = lsecond(op->args);

		if (!is_key_equality(op->opno, op->inputcollid))
			return SIGMA_KEYED_NO;
		if (is_key(left, rel, key))
			*source = right;
		else if (is_key(right, rel, key))
			*source = left;
		else
			return SIGMA_KEYED_NO;
		return is_key_source(root, rel, *source) ? SIGMA_KEYED_ONE : SIGMA_KEYED_NO;
	}
	if (IsA(clause, ScalarArrayOpExpr))
	{
		ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) clause;

		*source = lsecond(op->args);
		if (op->useOr && is_key_equality(op->opno, op->inputcollid) &&
			is_key(linitial(op->args), rel, key) && is_key_source(root, rel, *source))
			return SIGMA_KEYED_ANY;
	}
	return SIGMA_KEYED_NO;
}

/* The best key clause of a list of RestrictInfos. */
static SigmaKeyed
find_key_clause(PlannerInfo *root, RelOptInfo *rel, AttrNumber key, List *clauses, Node **source)
{
	SigmaKeyed	best = SIGMA_KEYED_NO;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		Node	   *candidate;
		SigmaKeyed	keyed = match_key_clause(root, rel, key, lfirst_node(RestrictInfo, lc), &candidate);

		if (keyed == SIGMA_KEYED_ONE || (keyed == SIGMA_KEYED_ANY && best == SIGMA_KEYED_NO))
		{
			best = keyed;
			*source = candidate;
		}
		if (best == SIGMA_KEYED_ONE)
			break;
	}
	return best;
}

/* --------------------------------------------------------------------- size */

/* How many entries the list is expected to have. */
static double
estimate_entries(RelOptInfo *rel, Oid relid, const PlanInfo *info)
{
	double		total;

	if (rel->tuples > 0)
		return rel->tuples;		/* ANALYZE has counted them */
	if (info->options->rows >= 0)
		return info->options->rows;
	total = sigma_last_total(GetForeignTable(relid)->serverid,
							 OidIsValid(rel->userid) ? rel->userid : GetUserId(), info->resource);
	return total >= 0 ? total : DEFAULT_ENTRIES;
}

void
sigmaGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PlanInfo   *info = palloc0(sizeof(PlanInfo));
	Node	   *source;

	info->options = sigma_table_options(relid);
	info->resource = sigma_table_resource(info->options);
	info->key = find_key_column(relid, info->resource);
	rel->fdw_private = info;

	rel->tuples = estimate_entries(rel, relid, info);
	set_baserel_size_estimates(root, rel);
	/* a key is unique, which the planner does not know of a foreign table */
	if (find_key_clause(root, rel, info->key, rel->baserestrictinfo, &source) == SIGMA_KEYED_ONE)
		rel->rows = 1;
}

/* -------------------------------------------------------------------- paths */

static void
add_list_path(PlannerInfo *root, RelOptInfo *rel, const PlanInfo *info)
{
	double		pages = Max(1, ceil(rel->tuples / info->options->page_size));
	Cost		startup = REQUEST_COST + rel->baserestrictcost.startup;
	Cost		total = startup + (pages - 1) * REQUEST_COST +
		rel->tuples * (ENTRY_COST + cpu_tuple_cost + rel->baserestrictcost.per_tuple);

	add_path(rel, (Path *)
			 sigma_create_foreignscan_path(root, rel, rel->rows, startup, total,
										   rel->lateral_relids,
										   list_make1(makeInteger(SIGMA_KEYED_NO))));
}

static void
add_key_path(PlannerInfo *root, RelOptInfo *rel, SigmaKeyed keyed, double keys, double rows,
			 Relids required_outer)
{
	Cost		startup = REQUEST_COST + rel->baserestrictcost.startup;
	Cost		total = startup + (keys - 1) * REQUEST_COST +
		keys * (ENTRY_COST + cpu_tuple_cost + rel->baserestrictcost.per_tuple);

	add_path(rel, (Path *)
			 sigma_create_foreignscan_path(root, rel, Min(rows, keys), startup, total,
										   required_outer, list_make1(makeInteger(keyed))));
}

/* Is this member of an equivalence class our key? */
static bool
member_is_key(PlannerInfo *root UNUSED, RelOptInfo *rel, EquivalenceClass *ec UNUSED,
			  EquivalenceMember *em, void *arg)
{
	return is_key((Node *) em->em_expr, rel, *(AttrNumber *) arg);
}

/* Look-ups whose key comes from the other side of a join. */
static void
add_join_paths(PlannerInfo *root, RelOptInfo *rel, PlanInfo *info)
{
	List	   *clauses = NIL;
	List	   *done = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (join_clause_is_movable_to(rinfo, rel))
			clauses = lappend(clauses, rinfo);
	}
	if (rel->has_eclass_joins)
		clauses = list_concat(clauses,
							  generate_implied_equalities_for_column(root, rel, member_is_key,
																	 &info->key,
																	 rel->lateral_referencers));
	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Node	   *source;
		SigmaKeyed	keyed = match_key_clause(root, rel, info->key, rinfo, &source);
		Relids		outer;
		ParamPathInfo *param;

		if (keyed == SIGMA_KEYED_NO)
			continue;
		outer = bms_del_member(bms_union(rinfo->clause_relids, rel->lateral_relids), rel->relid);
		if (bms_is_empty(outer))
			continue;
		param = get_baserel_parampathinfo(root, rel, outer);
		if (list_member_ptr(done, param))
			continue;
		done = lappend(done, param);
		add_key_path(root, rel, keyed,
					 keyed == SIGMA_KEYED_ONE ? 1 : sigma_estimate_array_length(root, source),
					 param->ppi_rows, outer);
	}
}

void
sigmaGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid UNUSED)
{
	PlanInfo   *info = rel->fdw_private;
	Node	   *source;
	SigmaKeyed	keyed;

	add_list_path(root, rel, info);
	if (info->key == 0)
		return;
	keyed = find_key_clause(root, rel, info->key, rel->baserestrictinfo, &source);
	if (keyed != SIGMA_KEYED_NO)
		add_key_path(root, rel, keyed,
					 keyed == SIGMA_KEYED_ONE ? 1 : sigma_estimate_array_length(root, source),
					 rel->rows, rel->lateral_relids);
	add_join_paths(root, rel, info);
}

/* --------------------------------------------------------------------- plan */

static bool
is_const_or_absent(Node *node)
{
	return node == NULL || IsA(node, Const);
}

/*
 * How many entries to ask for per page.  A LIMIT lowers it, but only if
 * nothing stands between the scan and the LIMIT that could drop, merge or
 * reorder rows.  Whatever is wrong here costs a request, never a row: the
 * walk goes on if the executor wants more.
 */
static int
choose_page_limit(PlannerInfo *root, RelOptInfo *rel, const PlanInfo *info)
{
	int			page_size = info->options->page_size;
	Query	   *query = root->parse;

	if (root->limit_tuples < 1 || root->limit_tuples >= page_size ||
		!is_const_or_absent(query->limitCount) || !is_const_or_absent(query->limitOffset))
		return page_size;
	if (query->sortClause || query->groupClause || query->distinctClause || query->hasAggs ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->setOperations || query->rowMarks ||
		query->havingQual || query->limitOption != LIMIT_OPTION_COUNT)
		return page_size;
	if (rel->reloptkind != RELOPT_BASEREL || !bms_equal(root->all_baserels, rel->relids) ||
		rel->baserestrictinfo || rel->joininfo)
		return page_size;
	/* archived entries may come all the same, and are dropped here */
	return (int) root->limit_tuples;
}

/* The attribute numbers that a scan must fill, as a list of integers. */
static List *
used_attributes(RelOptInfo *rel, Oid relid, List *clauses)
{
	Bitmapset  *used = NULL;
	List	   *result = NIL;
	Relation	relation = table_open(relid, NoLock);
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) clauses, rel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 1; i <= RelationGetDescr(relation)->natts; i++)
		if (!TupleDescAttr(RelationGetDescr(relation), i - 1)->attisdropped &&
			(whole_row || bms_is_member(i - FirstLowInvalidHeapAttributeNumber, used)))
			result = lappend_int(result, i);
	table_close(relation, NoLock);
	return result;
}

ForeignScan *
sigmaGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
					List *tlist, List *scan_clauses, Plan *outer_plan)
{
	PlanInfo   *info = rel->fdw_private;
	SigmaKeyed	keyed = intVal(linitial(best_path->fdw_private));
	List	   *local_clauses = extract_actual_clauses(scan_clauses, false);
	List	   *keys = NIL;
	List	   *private;

	if (keyed != SIGMA_KEYED_NO)
	{
		Node	   *source = NULL;

		/* the path was made for such a clause, so it is among them */
		keyed = find_key_clause(root, rel, info->key, scan_clauses, &source);
		if (keyed == SIGMA_KEYED_NO)
			elog(ERROR, "no key clause for a look-up of \"%s\"", info->resource->name);
		keys = list_make1(source);
	}
	private = list_make3(makeInteger(choose_page_limit(root, rel, info)),
						 makeInteger(keyed),
						 used_attributes(rel, relid, local_clauses));
	return make_foreignscan(tlist, local_clauses, rel->relid, keys, private, NIL, NIL, outer_plan);
}

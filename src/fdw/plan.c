/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Sizes, paths and the plan of a scan.
 *
 * There are two ways to read a resource: walk its list, or look entries up by
 * key, one request each.  A resource below a parent is a list per parent; it
 * takes one request for each parent that the query names.  Keys may be
 * constants, parameters, or come from the outer side of a join.  Filters that
 * the API has are sent with the request.  Every clause is checked again
 * locally, so that a row's presence never depends on how it was fetched.
 *
 * Nothing here makes a request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "access/attnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator_d.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/selfuncs.h"

#include "base/base.h"
#include "base/compat.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/*
 * What a request costs, and what an entry of its reply does, in the planner's
 * unit (a sequential page fetch).  A round trip to a web API takes some 50 ms;
 * a page of 1,000 entries takes about five times as long.
 */
#define REQUEST_COST	SIGMA_REQUEST_COST
#define ENTRY_COST		0.4

/* Of what cannot be read, since a key is missing: more than any plan costs that is not. */
#define NO_KEY_COST		1e15

/* A list whose length nobody knows is taken to fill one page. */
#define DEFAULT_ENTRIES SIGMA_MAX_PAGE_SIZE

/* A parent list's length, and a list's below a parent, if nobody knows. */
#define DEFAULT_PARENTS 100.0
#define CHILD_ENTRIES	10.0

/* uuid = uuid; pg_operator.dat gives it no symbol */
#define UUIDEqualOperator 2972

/* What the planner callbacks keep of a table, in rel->fdw_private. */
typedef struct PlanInfo
{
	SigmaTableOptions *options;
	const SigmaResource *resource;	/* in the form that the query needs */
	bool		flat;			/* that is the flat one */
	int			nkeys;			/* of the list's path */
	AttrNumber	keys[SIGMA_MAX_KEYS];	/* their columns; 0: the table has none */
	SigmaKind	key_kinds[SIGMA_MAX_KEYS];
	AttrNumber	item_key;		/* the column that entries are looked up by; or 0 */
	AttrNumber *filters;		/* the columns of the resource's filters; or 0 */
	double		parents;		/* how many lists there are, if no key is given */
	bool		written;		/* the statement also writes to the table's server */
	struct SigmaElementInfo *element;	/* of the rows behind an element: all else; or NULL */
} PlanInfo;

/* How the keys of a path are given by a list of clauses. */
typedef struct Binding
{
	SigmaKeyed	kinds[SIGMA_MAX_KEYS];
	Node	   *sources[SIGMA_MAX_KEYS];
	double		combinations;	/* of the values that are given */
	bool		complete;		/* all keys are given, and the parents need not be asked */
	bool		any;			/* at least one is */
} Binding;

/* The number of the column that stands for a field of the catalogue, or 0. */
static AttrNumber
find_column(Relation rel, const SigmaResource *resource, const char *column)
{
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		const SigmaField *known;

		if (TupleDescAttr(RelationGetDescr(rel), i)->attisdropped)
			continue;
		(void) sigma_column_field(rel, resource, (AttrNumber) (i + 1), &known);
		if (known && strcmp(known->column, column) == 0)
			return (AttrNumber) (i + 1);
	}
	return 0;
}

/* The attribute numbers that a scan must fill for its output and some clauses. */
static Bitmapset *
used_columns(Relation relation, RelOptInfo *rel, List *clauses)
{
	Bitmapset  *used = NULL;
	Bitmapset  *result = NULL;
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) clauses, rel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 1; i <= RelationGetDescr(relation)->natts; i++)
		if (!TupleDescAttr(RelationGetDescr(relation), i - 1)->attisdropped &&
			(whole_row || bms_is_member(i - FirstLowInvalidHeapAttributeNumber, used)))
			result = bms_add_member(result, i);
	return result;
}

/* In what form the resource is read, and which columns can narrow a scan of it. */
static void
find_columns(RelOptInfo *rel_info, Oid relid, const SigmaResource *resource, PlanInfo *info)
{
	Relation	rel = table_open(relid, NoLock);
	const char *keys[SIGMA_MAX_KEYS];

	info->resource = sigma_resource_form(rel, resource,
										 used_columns(rel, rel_info,
													  extract_actual_clauses(rel_info->baserestrictinfo, false)));
	info->flat = info->resource != resource;
	resource = info->resource;
	info->nkeys = sigma_path_keys(resource->path, keys);
	for (int i = 0; i < info->nkeys; i++)
	{
		info->keys[i] = find_column(rel, resource, keys[i]);
		info->key_kinds[i] = sigma_find_field(resource, keys[i])->kind;
	}

	/*
	 * a look-up does not know what is not shared, or inherited: the plan must not decide about
	 * rows
	 */
	if (resource->item_path && sigma_path_keys(resource->item_path, keys) == 1 &&
		!(info->options->scope.skip_permission_check && resource->unshared_query) &&
		!(info->options->scope.direct_grants_only && resource->direct_query))
		info->item_key = find_column(rel, resource, keys[0]);
	info->filters = palloc0(Max(resource->nfilters, 1) * sizeof(AttrNumber));
	if (info->options->push_filters)
		for (int i = 0; i < resource->nfilters; i++)
			info->filters[i] = find_column(rel, resource, resource->filters[i].column);
	table_close(rel, NoLock);
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

static bool
has_exec_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		return !bms_is_member(((Param *) node)->paramid, context);
	return expression_tree_walker(node, has_exec_param, context);
}

/* Does an expression have a parameter that another plan node sets, but for these? */
bool
sigma_has_exec_param(Node *node, const Bitmapset *but)
{
	return has_exec_param(node, unconstify(Bitmapset *, but));
}

/*
 * May this expression supply a key, evaluated once per scan?  If the statement
 * writes to the same server, only if it does not depend on other nodes: such a
 * look-up would be made between the writes, and could see them.
 */
static bool
is_key_source(PlannerInfo *root, RelOptInfo *rel, Node *node)
{
	PlanInfo   *info = rel->fdw_private;

	if (info->written && (!bms_is_empty(pull_varnos(root, node)) || has_exec_param(node, NULL)))
		return false;
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

/* The best clause about a column among a list of RestrictInfos. */
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

/* The clause "key = expression" about a column, and its expression; NULL if there is none. */
RestrictInfo *
sigma_key_equality(PlannerInfo *root, RelOptInfo *rel, AttrNumber key, List *clauses, Node **source)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		if (match_key_clause(root, rel, key, lfirst_node(RestrictInfo, lc), source) == SIGMA_KEYED_ONE)
			return lfirst_node(RestrictInfo, lc);
	}
	return NULL;
}

/* How the clauses give the keys of the list's path, or of an item's. */
static Binding
bind_keys(PlannerInfo *root, RelOptInfo *rel, const PlanInfo *info, bool item, List *clauses)
{
	const AttrNumber *keys = item ? &info->item_key : info->keys;
	int			nkeys = item ? 1 : info->nkeys;
	Binding		b = {.combinations = 1, .complete = true};

	for (int i = 0; i < nkeys; i++)
	{
		b.kinds[i] = find_key_clause(root, rel, keys[i], clauses, &b.sources[i]);
		if (b.kinds[i] == SIGMA_KEYED_ANY)
			b.combinations *= Max(sigma_estimate_array_length(root, b.sources[i]), 1);
		/* how a name is written, only the parent's entry can tell */
		if (b.kinds[i] == SIGMA_KEYED_NO || (!item && info->key_kinds[i] == SIGMA_PLAIN))
			b.complete = false;
		if (b.kinds[i] != SIGMA_KEYED_NO)
			b.any = true;
	}
	return b;
}

/* --------------------------------------------------------------------- size */

/* How many entries a list is expected to have that stands on its own. */
static double
last_total(RelOptInfo *rel, Oid relid, const SigmaResource *resource, double otherwise)
{
	double		total = sigma_last_total(GetForeignTable(relid)->serverid,
										 OidIsValid(rel->userid) ? rel->userid : GetUserId(),
										 resource);

	return total >= 0 ? total : otherwise;
}

/* How many lists make up a resource below a parent. */
static double
estimate_parents(RelOptInfo *rel, Oid relid, const SigmaResource *resource)
{
	const SigmaResource *parent;

	if (sigma_is_one_list(resource))
		return 1;
	parent = sigma_parent(resource);
	if (parent == NULL)
		return DEFAULT_PARENTS;
	if (!sigma_is_one_list(parent))
		return estimate_parents(rel, relid, parent) * CHILD_ENTRIES;
	return last_total(rel, relid, parent, DEFAULT_PARENTS);
}

/*
 * Does the statement that a query is part of?  It is decided here alone: the
 * executor takes it from the plan.
 */
static bool
statement_writes(PlannerInfo *root, Oid serverid)
{
	for (; root; root = root->parent_root)
		if (sigma_query_writes(root->parse, serverid, true))
			return true;
	return false;
}

void
sigmaGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PlanInfo   *info = palloc0(sizeof(PlanInfo));
	const SigmaResource *resource;
	Binding		item;
	SigmaHiding hiding;

	/* first, since whatever is raised from here on may be about a statement with secrets */
	info->written = statement_writes(root, GetForeignTable(relid)->serverid);
	if (info->written)
		sigma_hide_statement(&hiding);
	sigma_check_system_columns(root, rel, relid);
	info->options = sigma_table_options(relid);
	resource = sigma_table_resource(info->options);
	/* what a table is that stands below another, the other says, too */
	root->glob->relationOids = list_concat_unique_oid(root->glob->relationOids, info->options->parents);
	find_columns(rel, relid, resource, info);
	info->parents = estimate_parents(rel, relid, info->resource);
	rel->fdw_private = info;

	/* what ANALYZE has counted, what the user says, what was last seen */
	if (rel->tuples <= 0)
	{
		if (info->options->rows >= 0)
			rel->tuples = info->options->rows;
		/* how many there are does not depend on the form */
		else if (!sigma_is_one_list(resource))
			rel->tuples = estimate_parents(rel, relid, resource) * CHILD_ENTRIES;
		else
			rel->tuples = last_total(rel, relid, info->resource, DEFAULT_ENTRIES);
	}
	set_baserel_size_estimates(root, rel);
	/* a key is unique, which the planner does not know of a foreign table */
	item = bind_keys(root, rel, info, true, rel->baserestrictinfo);
	if (item.kinds[0] == SIGMA_KEYED_ONE)
		rel->rows = 1;
	if (info->written)
		sigma_show_statement(&hiding);
}

/*
 * Begins the plan of a table of the rows behind an element, for element_plan.c,
 * and keeps what that knows.
 */
void
sigma_plan_for_element(PlannerInfo *root, RelOptInfo *rel, Oid relid, struct SigmaElementInfo *element)
{
	PlanInfo   *info = palloc0(sizeof(PlanInfo));

	info->written = statement_writes(root, GetForeignTable(relid)->serverid);
	sigma_check_system_columns(root, rel, relid);
	info->options = sigma_table_options(relid);
	info->element = element;
	rel->fdw_private = info;
}

struct SigmaElementInfo *
sigma_element_info(RelOptInfo *rel)
{
	return ((PlanInfo *) rel->fdw_private)->element;
}

const SigmaTableOptions *
sigma_plan_options(RelOptInfo *rel)
{
	return ((PlanInfo *) rel->fdw_private)->options;
}

/* -------------------------------------------------------------------- paths */

/* Look-ups of single entries. */
static void
add_item_path(PlannerInfo *root, RelOptInfo *rel, const Binding *b, double rows,
			  Relids required_outer)
{
	Cost		startup = REQUEST_COST + rel->baserestrictcost.startup;
	Cost		per_entry = ENTRY_COST + cpu_tuple_cost + rel->baserestrictcost.per_tuple;
	Cost		total = startup + (b->combinations - 1) * REQUEST_COST + b->combinations * per_entry;

	add_path(rel, (Path *)
			 sigma_create_foreignscan_path(root, rel, Min(rows, b->combinations), startup, total,
										   required_outer, list_make1(makeInteger(1))));
}

/* A list, or the lists below the parents that the query leaves. */
static void
add_list_path(PlannerInfo *root, RelOptInfo *rel, const PlanInfo *info, const Binding *b,
			  double rows, Relids required_outer)
{
	double		per_list = rel->tuples / Max(info->parents, 1);
	double		lists = b->any ? Min(b->combinations, info->parents) : info->parents;
	double		pages = Max(1, ceil(per_list / info->options->page_size));
	double		requests = lists * pages;
	Cost		startup = REQUEST_COST + rel->baserestrictcost.startup;
	Cost		total;

	/*
	 * it can only fail; but without a path for a table alone the planner could not make one of a
	 * join
	 */
	if (!b->complete && sigma_parent(info->resource) == NULL && !info->resource->key_values)
		startup += NO_KEY_COST;

	/* the parents must be listed first, if the query does not name them */
	if (!b->complete)
		requests += ceil(info->parents / SIGMA_MAX_PAGE_SIZE) + info->parents * ENTRY_COST / REQUEST_COST;
	total = startup + Max(requests - 1, 0) * REQUEST_COST +
		lists * per_list * (ENTRY_COST + cpu_tuple_cost + rel->baserestrictcost.per_tuple);
	add_path(rel, (Path *)
			 sigma_create_foreignscan_path(root, rel, rows, startup, total, required_outer,
										   list_make1(makeInteger(0))));
}

/* Is this member of an equivalence class the column? */
static bool
member_is_key(PlannerInfo *root UNUSED, RelOptInfo *rel, EquivalenceClass *ec UNUSED,
			  EquivalenceMember *em, void *arg)
{
	return is_key((Node *) em->em_expr, rel, *(AttrNumber *) arg);
}

/*
 * The sets of other relations from which a join could give a column's value,
 * added to a list of ParamPathInfo.
 */
static List *
collect_outer_sets(PlannerInfo *root, RelOptInfo *rel, AttrNumber key, List *found)
{
	List	   *clauses = NIL;
	ListCell   *lc;

	if (key == 0)
		return found;
	foreach(lc, rel->joininfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (join_clause_is_movable_to(rinfo, rel))
			clauses = lappend(clauses, rinfo);
	}
	if (rel->has_eclass_joins)
		clauses = list_concat(clauses,
							  generate_implied_equalities_for_column(root, rel, member_is_key,
																	 &key,
																	 rel->lateral_referencers));
	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Node	   *source;
		Relids		outer;

		if (match_key_clause(root, rel, key, rinfo, &source) == SIGMA_KEYED_NO)
			continue;
		outer = bms_del_member(bms_union(rinfo->clause_relids, rel->lateral_relids), rel->relid);
		if (!bms_is_empty(outer))
			found = list_append_unique_ptr(found, get_baserel_parampathinfo(root, rel, outer));
	}
	return found;
}

void
sigmaGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid UNUSED)
{
	PlanInfo   *info = rel->fdw_private;
	Binding		list = bind_keys(root, rel, info, false, rel->baserestrictinfo);
	Binding		item = bind_keys(root, rel, info, true, rel->baserestrictinfo);
	List	   *outer_sets = NIL;
	ListCell   *lc;

	add_list_path(root, rel, info, &list, rel->rows, rel->lateral_relids);
	if (item.complete)
		add_item_path(root, rel, &item, rel->rows, rel->lateral_relids);

	/* keys that come from the other side of a join */
	for (int i = 0; i < info->nkeys; i++)
		outer_sets = collect_outer_sets(root, rel, info->keys[i], outer_sets);
	outer_sets = collect_outer_sets(root, rel, info->item_key, outer_sets);
	foreach(lc, outer_sets)
	{
		ParamPathInfo *param = lfirst(lc);
		List	   *clauses = list_concat_copy(param->ppi_clauses, rel->baserestrictinfo);

		list = bind_keys(root, rel, info, false, clauses);
		item = bind_keys(root, rel, info, true, clauses);
		if (item.complete)
			add_item_path(root, rel, &item, param->ppi_rows, param->ppi_req_outer);
		else if (list.complete || (list.any && sigma_parent(info->resource)))
			add_list_path(root, rel, info, &list, param->ppi_rows, param->ppi_req_outer);
	}
}

/* --------------------------------------------------------------------- plan */

static bool
is_const_or_absent(Node *node)
{
	return node == NULL || IsA(node, Const);
}

/*
 * How many entries a LIMIT wants, 0 if there is none that counts: nothing may
 * stand between the scan and the LIMIT that could drop, merge or reorder rows.
 * Whatever is wrong here costs a request, never a row: the walk goes on if the
 * executor wants more.  "conditions": those that could drop rows.
 */
int
sigma_wanted_rows(PlannerInfo *root, RelOptInfo *rel, const List *conditions)
{
	Query	   *query = root->parse;

	/* where the statement writes, the scan is read to its end anyway */
	if (((PlanInfo *) rel->fdw_private)->written || root->limit_tuples < 1 || root->limit_tuples > INT_MAX ||
		!is_const_or_absent(query->limitCount) || !is_const_or_absent(query->limitOffset))
		return 0;
	if (query->sortClause || query->groupClause || query->distinctClause || query->hasAggs ||
		query->hasWindowFuncs || query->hasTargetSRFs || query->setOperations || query->rowMarks ||
		query->havingQual || query->limitOption != LIMIT_OPTION_COUNT)
		return 0;
	if (rel->reloptkind != RELOPT_BASEREL || !bms_equal(root->all_baserels, rel->relids) ||
		conditions || rel->joininfo)
		return 0;
	return (int) root->limit_tuples;
}

/* The attribute numbers that a scan must fill, as a list of integers. */
List *
sigma_used_attributes(RelOptInfo *rel, Oid relid, List *clauses)
{
	List	   *result = NIL;
	Relation	relation = table_open(relid, NoLock);
	Bitmapset  *used = used_columns(relation, rel, clauses);
	int			attnum = -1;

	while ((attnum = bms_next_member(used, attnum)) >= 0)
		result = lappend_int(result, attnum);
	table_close(relation, NoLock);
	return result;
}

/*
 * The filters that the API can apply: adds their expressions to *sources and
 * returns their places in the resource's table.  What they leave is checked again locally.
 */
static List *
choose_filters(PlannerInfo *root, RelOptInfo *rel, const PlanInfo *info, List *clauses,
			   List **sources)
{
	List	   *filters = NIL;

	for (int i = 0; i < info->resource->nfilters; i++)
	{
		Node	   *source;

		if (find_key_clause(root, rel, info->filters[i], clauses, &source) != SIGMA_KEYED_ONE)
			continue;
		filters = lappend_int(filters, i);
		*sources = lappend(*sources, source);
		if (info->resource->one_filter)
			break;
	}
	return filters;
}

/* The plan of a path that sigmaGetForeignUpperPaths() has added. */
static ForeignScan *
count_plan(PlannerInfo *root, ForeignPath *path, List *tlist, Plan *outer_plan)
{
	List	   *aggregates = pull_var_clause((Node *) root->upper_targets[UPPERREL_GROUP_AGG]->exprs,
											 PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_PLACEHOLDERS);
	TargetEntry *entry = makeTargetEntry(linitial(aggregates), 1, NULL, false);

	return make_foreignscan(tlist, NIL, 0, NIL, path->fdw_private, list_make1(entry), NIL,
							outer_plan);
}

ForeignScan *
sigmaGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
					List *tlist, List *scan_clauses, Plan *outer_plan)
{
	PlanInfo   *info = rel->fdw_private;
	bool		item = intVal(linitial(best_path->fdw_private)) != 0;
	Binding		b;
	List	   *local_clauses = extract_actual_clauses(scan_clauses, false);
	List	   *sources = NIL;
	List	   *keyed = NIL;
	List	   *filters = NIL;
	List	   *private;
	int			wanted;

	if (IS_UPPER_REL(rel))
		return count_plan(root, best_path, tlist, outer_plan);
	/* the path was made for such clauses, so they are among them */
	b = bind_keys(root, rel, info, item, scan_clauses);
	if (item && !b.complete)
		elog(ERROR, "no key clause for a look-up of \"%s\"", info->resource->name);
	for (int i = 0; i < (item ? 1 : info->nkeys); i++)
	{
		keyed = lappend_int(keyed, b.kinds[i]);
		if (b.kinds[i] != SIGMA_KEYED_NO)
			sources = lappend(sources, b.sources[i]);
	}
	if (!item)
		filters = choose_filters(root, rel, info, scan_clauses, &sources);
	wanted = sigma_wanted_rows(root, rel, rel->baserestrictinfo);
	private = list_make5(makeInteger(wanted ? Min(wanted, info->options->page_size)
									 : info->options->page_size),
						 makeInteger(item),
						 keyed,
						 filters,
						 sigma_used_attributes(rel, relid, local_clauses));
	private = lappend(private, makeInteger(wanted));
	private = lappend(private, makeInteger(info->written));
	private = lappend(private, makeInteger(info->flat));
	return make_foreignscan(tlist, local_clauses, rel->relid, sources, private, NIL, NIL, outer_plan);
}

/* Does the statement write to the server of a base relation? */
bool
sigma_is_written(const RelOptInfo *rel)
{
	return ((PlanInfo *) rel->fdw_private)->written;
}

/* Is a base relation read in the flat form of its resource? */
bool
sigma_is_flat(const RelOptInfo *rel)
{
	return ((PlanInfo *) rel->fdw_private)->flat;
}

/* The resource of a table's options, in the form that was planned. */
const SigmaResource *
sigma_planned_resource(SigmaTableOptions *options, bool is_flat)
{
	const SigmaResource *resource = sigma_table_resource(options);

	return is_flat ? resource->flat : resource;
}

/*
 * Can the number of a base relation's rows be had without them?  Not if they
 * are spread over several lists, nor if archived entries come with the list,
 * and are counted in its total, but are no rows.
 */
bool
sigma_can_count(RelOptInfo *rel)
{
	PlanInfo   *info = rel->fdw_private;

	return info && !info->element && info->options->count_by_total && sigma_is_one_list(info->resource) &&
		info->resource->paging == SIGMA_PAGING_PAGE &&
		(info->resource->archived_field == NULL || info->resource->archived_query != NULL ||
		 info->options->scope.include_archived);
}

/* Can a path be scanned beside others, by an asynchronous Append? */
bool
sigmaIsForeignPathAsyncCapable(ForeignPath *path)
{
	RelOptInfo *rel = path->path.parent;
	PlanInfo   *info = rel->fdw_private;

	return info && !IS_UPPER_REL(rel) && !info->element && sigma_pollfd_supported() && info->options->async_capable &&
		sigma_is_one_list(info->resource) && intVal(linitial(path->fdw_private)) == 0;
}

/*
 * Do the clauses of a join give all keys of "rel", one value each, by
 * expressions over the outer relations?  If so *sources are these, *item says
 * whether they look single entries up, *per_key is the cost of one look-up
 * with what it brings, and *concurrency how many may be under way.
 */
bool
sigma_bind_join(PlannerInfo *root, RelOptInfo *rel, Relids outer, List *restrictlist, bool *item,
				List **sources, double *per_key, int *concurrency)
{
	PlanInfo   *info = rel->fdw_private;
	List	   *clauses = list_concat_copy(restrictlist, rel->baserestrictinfo);
	Oid			relid = planner_rt_fetch(rel->relid, root)->relid;
	bool		joined = false;
	Binding		b;
	int			nkeys;

	if (info->element || !info->options->prefetch || info->written)
		return false;
	b = bind_keys(root, rel, info, true, clauses);
	*item = b.complete;
	if (!b.complete)
		b = bind_keys(root, rel, info, false, clauses);
	nkeys = *item ? 1 : info->nkeys;
	if (!b.complete || nkeys == 0)
		return false;
	*sources = NIL;
	for (int i = 0; i < nkeys; i++)
	{
		Relids		used = pull_varnos(root, b.sources[i]);

		if (b.kinds[i] != SIGMA_KEYED_ONE || !bms_is_subset(used, outer))
			return false;
		joined |= !bms_is_empty(used);
		*sources = lappend(*sources, b.sources[i]);
	}
	*per_key = REQUEST_COST + (*item ? 1 : rel->tuples / Max(info->parents, 1)) * (ENTRY_COST + cpu_tuple_cost);
	*concurrency = sigma_server_concurrency(GetForeignTable(relid)->serverid);
	return joined;
}

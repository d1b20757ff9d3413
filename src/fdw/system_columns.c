/*-------------------------------------------------------------------------
 *
 * system_columns.c
 *	  Refuses what a query cannot have of a foreign table: system columns.
 *
 * Our rows have no identity of PostgreSQL's: every one has the same ctid, so
 * that who finds a row again by it (postgres_fdw, in another cluster) finds
 * them all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/sysattr.h"
#include "catalog/heap.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "fdw/fdw_internal.h"

/* The columns whose values together no two rows of a resource have, as part of a sentence. */
static char *
identifying_columns(const SigmaResource *resource)
{
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(resource->path, keys);
	StringInfoData s;

	if (resource->key == NULL)
		return "other columns";
	initStringInfo(&s);
	appendStringInfoString(&s, nkeys > 0 ? "the columns " : "the column ");
	/* an identifier may be another entry's below another parent */
	for (int i = 0; i < nkeys; i++)
		appendStringInfo(&s, "\"%s\"%s", keys[i], i < nkeys - 1 ? ", " : " and ");
	appendStringInfo(&s, "\"%s\"", resource->key);
	return s.data;
}

/* Raises if a set of attribute numbers has a system column other than tableoid. */
static void
refuse_columns(const Bitmapset *used, Oid relid)
{
	const SigmaResource *resource = sigma_is_element(relid) ? NULL : sigma_table_resource(sigma_table_options(relid));

	for (AttrNumber attnum = FirstLowInvalidHeapAttributeNumber + 1; attnum < 0; attnum++)
		if (attnum != TableOidAttributeNumber &&
			bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot use system column \"%s\" of foreign table \"%s\"",
							NameStr(SystemAttributeDefinition(attnum)->attname), get_rel_name(relid)),
					 errdetail("Rows of Sigma have no system columns but \"tableoid\"."),
					 errhint("Tell rows apart by %s. If it was postgres_fdw that asked: it can change only what it ships as a whole statement, without triggers, and without joins and conditions of its own server.",
							 resource ? identifying_columns(resource) : "other columns")));
}

/* The same for the columns of a relation in an expression, or a list of them. */
void
sigma_refuse_system_columns(Node *expr, Index varno, Oid relid)
{
	Bitmapset  *used = NULL;

	pull_varattnos(expr, varno, &used);
	refuse_columns(used, relid);
}

/* Is this the ctid of a relation? */
static bool
is_ctid(Node *node, Index varno)
{
	return IsA(node, Var) && ((Var *) node)->varno == (int) varno &&
		((Var *) node)->varattno == SelfItemPointerAttributeNumber;
}

/*
 * Where rows of an inheritance tree may be locked, PostgreSQL itself asks for
 * the ctid of the parent, and so of all children, and then leaves that of a
 * foreign table alone.  Adds to the set what else the query asks for of that
 * parent.
 */
static void
columns_below_mark(PlannerInfo *root, const PlanRowMark *mark, Bitmapset **used)
{
	RelOptInfo *top = find_base_rel(root, (int) mark->rti);
	char	   *junk = psprintf("ctid%u", mark->rowmarkId);
	Relids		needed = top->attr_needed[SelfItemPointerAttributeNumber - top->min_attr];
	ListCell   *lc;

	foreach(lc, root->processed_tlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (!entry->resjunk || entry->resname == NULL || strcmp(entry->resname, junk) != 0)
			pull_varattnos((Node *) entry->expr, mark->rti, used);
	}
	foreach(lc, top->reltarget->exprs)
	{
		if (!is_ctid(lfirst(lc), mark->rti))
			pull_varattnos(lfirst(lc), mark->rti, used);
	}
	/* 0 stands for the target list */
	if (!bms_is_subset(needed, bms_make_singleton(0)))
		*used = bms_add_member(*used, SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber);
}

/* Raises if the query asks a table for such columns. */
void
sigma_check_system_columns(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PlanRowMark *mark = NULL;
	Bitmapset  *used = NULL;

	if (rel->top_parent_relids)
		mark = get_plan_rowmark(root->rowMarks, (Index) bms_singleton_member(rel->top_parent_relids));
	if (mark && (mark->allMarkTypes & ~(1 << ROW_MARK_COPY)) != 0)
		columns_below_mark(root, mark, &used);
	else
		pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) extract_actual_clauses(rel->baserestrictinfo, false), rel->relid, &used);
	refuse_columns(used, relid);
}

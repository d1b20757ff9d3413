/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 15 to 19, in one place.
 *
 * Every other file is written for the newest supported release and finds
 * here what an older one spells otherwise.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_COMPAT_H
#define SIGMA_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "sigma_fdw needs PostgreSQL 15 or later"
#endif

#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "optimizer/pathnode.h"
#include "parser/parsetree.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/selfuncs.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "storage/waiteventset.h"
#endif

/* 18: generated columns that are not stored */
#ifndef ATTRIBUTE_GENERATED_VIRTUAL
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* 18: the module tells its name and version to pg_get_loaded_modules() */
#ifdef PG_MODULE_MAGIC_EXT
#define SIGMA_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "sigma_fdw", .version = SIGMA_FDW_VERSION)
#else
#define SIGMA_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/*
 * A path over a base relation.  17 added the list of restriction clauses that
 * the foreign side evaluates (none here: all are checked again locally), 18
 * the count of disabled nodes.
 */
static inline ForeignPath *
sigma_create_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows,
							  Cost startup, Cost total, Relids required_outer,
							  List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, 0, startup, total,
								   NIL, required_outer, NULL, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup, total,
								   NIL, required_outer, NULL, NIL, fdw_private);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup, total,
								   NIL, required_outer, NULL, fdw_private);
#endif
}

/* A path that stands for an aggregation. */
static inline ForeignPath *
sigma_create_foreign_upper_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target,
								double rows, Cost startup, Cost total, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreign_upper_path(root, rel, target, rows, 0, startup, total,
									 NIL, NULL, NIL, fdw_private);
#elif PG_VERSION_NUM >= 170000
	return create_foreign_upper_path(root, rel, target, rows, startup, total,
									 NIL, NULL, NIL, fdw_private);
#else
	return create_foreign_upper_path(root, rel, target, rows, startup, total,
									 NIL, NULL, fdw_private);
#endif
}

/*
 * Which outer joins may have made a column NULL.  Since 16 a Var says so, and
 * is another Var below such a join than above it.
 */
static inline Relids
sigma_var_nulled_by(const Var *var UNUSED)
{
#if PG_VERSION_NUM >= 160000
	return var->varnullingrels;
#else
	return NULL;
#endif
}

static inline void
sigma_set_var_nulled_by(Var *var UNUSED, Relids joins UNUSED)
{
#if PG_VERSION_NUM >= 160000
	var->varnullingrels = joins;
#endif
}

/* How many elements an array expression is expected to have. */
static inline double
sigma_estimate_array_length(PlannerInfo *root UNUSED, Node *array)
{
#if PG_VERSION_NUM >= 170000
	return estimate_array_length(root, array);
#else
	return estimate_array_length(array);
#endif
}

/* The range table indexes of all relations that a statement modifies: a list before 19. */
static inline Bitmapset *
sigma_result_relations(const PlannedStmt *stmt)
{
#if PG_VERSION_NUM >= 190000
	return stmt->resultRelationRelids;
#else
	Bitmapset  *relids = NULL;
	ListCell   *lc;

	foreach(lc, stmt->resultRelations)
		relids = bms_add_member(relids, lfirst_int(lc));
	return relids;
#endif
}

/* The role that a scan's permissions are checked as: a view's owner, say. */
static inline Oid
sigma_scan_userid(ForeignScan *plan, EState *estate UNUSED)
{
#if PG_VERSION_NUM >= 160000
	Oid			userid = plan->checkAsUser;
#else
	bool		base = plan->scan.scanrelid > 0;
	int			rti = base ? (int) plan->scan.scanrelid : bms_next_member(plan->fs_relids, -1);
	Oid			userid = exec_rt_fetch(rti, estate)->checkAsUser;
#endif

	return OidIsValid(userid) ? userid : GetUserId();
}

/* The same for the target of a modification. */
static inline Oid
sigma_modify_userid(ResultRelInfo *rinfo, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(rinfo, estate);
#else
	ResultRelInfo *root = rinfo->ri_RootResultRelInfo ? rinfo->ri_RootResultRelInfo : rinfo;
	Oid			userid = InvalidOid;

	if (root->ri_RangeTableIndex > 0)
		userid = exec_rt_fetch(root->ri_RangeTableIndex, estate)->checkAsUser;
	return OidIsValid(userid) ? userid : GetUserId();
#endif
}

static inline AclResult
sigma_server_aclcheck(Oid serverid, Oid userid, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, serverid, userid, mode);
#else
	return pg_foreign_server_aclcheck(serverid, userid, mode);
#endif
}

/* Does the role own a function, or is superuser? */
static inline bool
sigma_function_ownercheck(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ProcedureRelationId, function, role);
#else
	return pg_proc_ownercheck(function, role);
#endif
}

/*
 * An event set that lives until it is freed.  Before 17 it takes a memory
 * context, since 17 a resource owner (none: ours outlives a transaction).
 */
static inline WaitEventSet *
sigma_create_wait_event_set(MemoryContext context, int nevents)
{
#if PG_VERSION_NUM >= 170000
	MemoryContext old = MemoryContextSwitchTo(context);
	WaitEventSet *set = CreateWaitEventSet(NULL, nevents);

	MemoryContextSwitchTo(old);
	return set;
#else
	return CreateWaitEventSet(context, nevents);
#endif
}

/* Lets ANALYZE sleep as vacuum_cost_delay wants, and be cancelled. */
#if PG_VERSION_NUM >= 180000
#define vacuum_delay() vacuum_delay_point(true)
#else
#define vacuum_delay() vacuum_delay_point()
#endif

/* The wait event that pg_stat_activity shows: a named one since 17. */
static inline uint32
sigma_wait_event(void)
{
#if PG_VERSION_NUM >= 170000
	static uint32 event = 0;

	if (event == 0)
		event = WaitEventExtensionNew("SigmaRequest");
	return event;
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* What planner_hook and ExecutorRun_hook are given beside what every release gives them. */
#if PG_VERSION_NUM >= 190000
#define SIGMA_PLANNER_MORE , ExplainState *es
#define SIGMA_PLANNER_PASS , es
#else
#define SIGMA_PLANNER_MORE
#define SIGMA_PLANNER_PASS
#endif
#if PG_VERSION_NUM >= 180000
#define SIGMA_RUN_MORE
#define SIGMA_RUN_PASS
#else
#define SIGMA_RUN_MORE , bool execute_once
#define SIGMA_RUN_PASS , execute_once
#endif

#endif							/* SIGMA_COMPAT_H */

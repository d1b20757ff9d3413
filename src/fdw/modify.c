/*-------------------------------------------------------------------------
 *
 * modify.c
 *	  INSERT, COPY FROM, UPDATE and DELETE.
 *
 * The requests themselves are made in write.c; here rows become requests, and
 * replies rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "optimizer/appendinfo.h"
#include "optimizer/inherit.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write.h"
#include "fdw/fdw_internal.h"

/* ------------------------------------------------------------- what is taken */

/*
 * Which modifications a table takes: a bit mask of CmdTypes.  Raises nothing:
 * information_schema asks for all tables at once, and one that is wrong would
 * hide the others.
 */
int
sigmaIsForeignRelUpdatable(Relation rel)
{
	const char *name = sigma_writable_resource(RelationGetRelid(rel));
	const SigmaResource *resource = name ? sigma_find_resource(name) : NULL;

	switch (resource ? resource->writes : SIGMA_WRITES_NOTHING)
	{
		case SIGMA_WRITES_NOTHING:
			break;
		case SIGMA_WRITES_CONNECTIONS:
			return 1 << CMD_INSERT | 1 << CMD_UPDATE | 1 << CMD_DELETE;
		case SIGMA_WRITES_GRANTS:
			return 1 << CMD_INSERT | 1 << CMD_DELETE;
	}
	return 0;
}

/* A row to be changed is known by all that was read of it. */
void
sigmaAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target UNUSED,
							 Relation rel UNUSED)
{
	Var		   *row;

	if (root->parse->commandType != CMD_UPDATE && root->parse->commandType != CMD_DELETE)
		return;
	/* of no type of its own, so that the tables below one parent agree on it */
	row = makeVar(rtindex, InvalidAttrNumber, RECORDOID, -1, InvalidOid, 0);
	add_row_identity_var(root, row, rtindex, OLD_ROW);
}

pg_noreturn static void
refuse_on_conflict(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("INSERT with ON CONFLICT clause is not supported for foreign tables of Sigma"),
			 errdetail("Sigma has no rule by which connections could conflict: two may have the same name.")));
}

/* Raises if somebody wants to look at what new or old rows do not have. */
static void
check_lookers(List *returning, List *check_options, Index varno, Oid relid)
{
	sigma_refuse_system_columns((Node *) returning, varno, relid);
	sigma_refuse_system_columns((Node *) check_options, varno, relid);
}

/* What an UPDATE is to know when it runs: the columns that it sets. */
List *
sigmaPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
					   int subplan_index)
{
	Bitmapset  *updated;
	List	   *columns = NIL;
	int			i = -1;
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);
	if (plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict();
	/* a table that is wrong is said to be so, rather than not to take it */
	if (!sigma_is_element(planner_rt_fetch(result_relation, root)->relid))
		(void) sigma_table_resource(sigma_table_options(planner_rt_fetch(result_relation, root)->relid));
	check_lookers(plan->returningLists ? list_nth(plan->returningLists, subplan_index) : NIL,
				  plan->withCheckOptionLists ? list_nth(plan->withCheckOptionLists, subplan_index) : NIL,
				  result_relation, planner_rt_fetch(result_relation, root)->relid);
	sigma_show_statement(&hiding);
	if (plan->operation != CMD_UPDATE)
		return NIL;
	updated = get_rel_all_updated_cols(root, find_base_rel(root, result_relation));
	while ((i = bms_next_member(updated, i)) >= 0)
		columns = lappend_int(columns, i + FirstLowInvalidHeapAttributeNumber);
	return columns;
}

static void
prepare_column(SigmaWriteColumn *column, Relation rel, const SigmaResource *resource, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	const SigmaField *known;

	column->attnum = attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->field = sigma_column_field(rel, resource, attnum, &known);
	column->write = known ? known->write : SIGMA_WRITE_NOWHERE;
	column->column = known ? known->column : "";
	sigma_set_form(column, att->atttypid);
}

/*
 * A read-only transaction may write to temporary tables, and PostgreSQL knows
 * these by their schema: for it, a foreign table can be one.
 */
static void
refuse_read_only(const ModifyTableState *mtstate)
{
	PreventCommandIfReadOnly(mtstate->operation == CMD_UPDATE ? "UPDATE"
							 : mtstate->operation == CMD_DELETE ? "DELETE"
							 : mtstate->ps.plan ? "INSERT" : "COPY FROM");
}

/* Common to ModifyTable, COPY and tuple routing. */
static void
begin_modify(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	EState	   *estate = mtstate->ps.state;
	Relation	rel = rinfo->ri_RelationDesc;
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rel));
	MemoryContext context = AllocSetContextCreate(estate->es_query_cxt, "sigma modify",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	SigmaModify *m = palloc0(sizeof(SigmaModify));
	int			natts = RelationGetDescr(rel)->natts;

	refuse_read_only(mtstate);
	m->context = context;
	m->row_context = AllocSetContextCreate(context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	m->relid = RelationGetRelid(rel);
	m->resource = sigma_table_resource(options);
	m->columns = palloc0(Max(natts, 1) * sizeof(SigmaWriteColumn));
	for (int i = 1; i <= natts; i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i - 1)->attisdropped)
			continue;
		/* what PostgreSQL computes is not sent */
		if (!TupleDescAttr(RelationGetDescr(rel), i - 1)->attgenerated)
			prepare_column(&m->columns[m->ncolumns++], rel, m->resource, (AttrNumber) i);
		m->attnums = bms_add_member(m->attnums, i);
	}
	m->session = sigma_session_open(GetForeignTable(RelationGetRelid(rel))->serverid,
									sigma_modify_userid(rinfo, estate), context);
	MemoryContextSwitchTo(old);
	rinfo->ri_FdwState = m;
}

void
sigmaBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
						int subplan_index UNUSED, int eflags)
{
	SigmaModify *m;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	begin_modify(mtstate, rinfo);
	m = rinfo->ri_FdwState;
	if (mtstate->operation == CMD_UPDATE || mtstate->operation == CMD_DELETE)
		m->old_row = ExecFindJunkAttributeInTlist(outerPlanState(mtstate)->plan->targetlist, OLD_ROW);
	if (mtstate->operation == CMD_UPDATE)
		sigma_begin_update(m, mtstate->ps.state, rinfo, fdw_private);
}

/* COPY FROM, or a partition that rows are routed to. */
void
sigmaBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	ModifyTable *plan = castNode(ModifyTable, mtstate->ps.plan);
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);
	if (plan && plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict();
	/* an UPDATE that moves a row from another partition into one that it updates itself */
	if (rinfo->ri_FdwState)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot route tuples into foreign table to be updated \"%s\"",
						RelationGetRelationName(rinfo->ri_RelationDesc))));
	/* of a partition that rows are routed to, the expressions are those of the first target */
	check_lookers(rinfo->ri_returningList, rinfo->ri_WithCheckOptions,
				  mtstate->resultRelInfo->ri_RangeTableIndex, RelationGetRelid(rinfo->ri_RelationDesc));
	begin_modify(mtstate, rinfo);
	sigma_show_statement(&hiding);
}

/* The request's body for a new connection; checks what can be checked before. */
static const char *
row_to_body(SigmaModify *m, TupleTableSlot *slot, char **name, List **secrets)
{
	SigmaContent content = {.name = NULL};

	sigma_check_agreement(m, NULL, slot);
	for (int i = 0; i < m->ncolumns; i++)
	{
		SigmaWriteColumn *column = &m->columns[i];

		if (slot->tts_isnull[column->attnum - 1])
			continue;
		if (column->write == SIGMA_WRITE_NOWHERE)
			sigma_refuse_column(column, "insert a value into");
		(void) sigma_content_add(&content, column, slot->tts_values[column->attnum - 1], false);
	}
	*name = content.name;
	return sigma_connection_body(content.name, content.has_details ? &content.details : NULL,
								 content.typed, secrets);
}

/* The write that creates the connection of a row. */
static SigmaWrite
row_to_write(SigmaModify *m, TupleTableSlot *slot)
{
	List	   *secrets = NIL;
	char	   *name;
	const char *body = row_to_body(m, slot, &name, &secrets);

	return sigma_connection_write(name, body, secrets, &m->stats);
}

/* Creates the connection of a row; the row becomes what Sigma made of it. */
static void
insert_connection(SigmaModify *m, TupleTableSlot *slot)
{
	SigmaWrite	write = row_to_write(m, slot);

	sigma_run_writes(m->session, m->row_context, &write, 1);
	if (m->reader == NULL)
		return;
	if (write.call)
		sigma_entry_to_row(m, sigma_call_body(write.call), true, slot);
	else
		sigma_entry_to_row(m, sigma_entry_replaced(sigma_span("{}"), sigma_span(write.spec.body)),
						   false, slot);
}

/* ------------------------------------------------------------------- grants */

/* Raises unless the row says who may do what, and nothing else. */
static void
check_grant(SigmaModify *m, TupleTableSlot *slot)
{
	static const char *const needed[] = {"connection_id", "permission"};

	for (int i = 0; i < m->ncolumns; i++)
	{
		SigmaWriteColumn *column = &m->columns[i];

		if (!slot->tts_isnull[column->attnum - 1] &&
			strcmp(column->column, "connection_id") != 0 && strcmp(column->column, "permission") != 0 &&
			strcmp(column->column, "member_id") != 0 && strcmp(column->column, "team_id") != 0)
			sigma_refuse_column(column, "insert a value into");
	}
	for (int i = 0; i < (int) lengthof(needed); i++)
		if (sigma_row_text(m, slot, needed[i]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("a grant needs a value for \"%s\"", needed[i])));
	if ((sigma_row_text(m, slot, "member_id") == NULL) == (sigma_row_text(m, slot, "team_id") == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a grant is for a member or for a team"),
				 errhint("Give exactly one of \"member_id\" and \"team_id\".")));
}

/* Grants what the row says; if somebody looks, the row becomes the new grant. */
static void
insert_grant(SigmaModify *m, TupleTableSlot *slot)
{
	char	   *connection_id;
	char	   *permission;
	char	   *member_id;
	char	   *team_id;
	SigmaEntry	entry = {.keys = NULL};

	sigma_check_agreement(m, NULL, slot);
	check_grant(m, slot);
	connection_id = sigma_row_text(m, slot, "connection_id");
	permission = sigma_row_text(m, slot, "permission");
	member_id = sigma_row_text(m, slot, "member_id");
	team_id = sigma_row_text(m, slot, "team_id");
	sigma_grant_call(m->session, m->row_context, connection_id, permission, member_id, team_id,
					 &m->stats);
	/* the reply is empty, so the grant is looked for in the list */
	if (m->reader == NULL || sigma_dry_run ||
		sigma_find_grant(m->session, NULL, connection_id, permission, member_id, team_id,
						 &entry, &m->stats) == NULL)
		return;
	entry.keys = &connection_id;
	sigma_read_new_row(m, &entry, slot);
}

/* ---------------------------------------------------------------- executing */

TupleTableSlot *
sigmaExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot UNUSED)
{
	SigmaModify *m = rinfo->ri_FdwState;
	MemoryContext old;
	SigmaHiding hiding;

	/* the statement may hold the secrets of what is created */
	sigma_hide_statement(&hiding);

	/* what the last call returned lived until now */
	MemoryContextReset(m->row_context);
	old = MemoryContextSwitchTo(m->row_context);
	sigma_start_modifying(m, estate, rinfo);
	if (m->resource->writes == SIGMA_WRITES_GRANTS)
		insert_grant(m, slot);
	else
		insert_connection(m, slot);
	MemoryContextSwitchTo(old);
	sigma_show_statement(&hiding);
	return slot;
}

/*
 * How many rows an INSERT may hand over at once.  One, if somebody looks at
 * each new row: the executor has no use for them together then.
 */
int
sigmaGetForeignModifyBatchSize(ResultRelInfo *rinfo)
{
	SigmaTableOptions *options;

	if (rinfo->ri_projectReturning || rinfo->ri_returningList || rinfo->ri_WithCheckOptions ||
		(rinfo->ri_TrigDesc &&
		 (rinfo->ri_TrigDesc->trig_insert_before_row || rinfo->ri_TrigDesc->trig_insert_after_row)))
		return 1;
	options = sigma_table_options(RelationGetRelid(rinfo->ri_RelationDesc));
	if (sigma_table_resource(options)->writes != SIGMA_WRITES_CONNECTIONS)
		return 1;
	return options->batch_size;
}

/* Creates the connections of several rows, as many at once as the server allows. */
TupleTableSlot **
sigmaExecForeignBatchInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot **slots,
							TupleTableSlot **plan_slots UNUSED, int *nslots)
{
	SigmaModify *m = rinfo->ri_FdwState;
	MemoryContext old;
	SigmaHiding hiding;
	SigmaWrite *writes;

	sigma_hide_statement(&hiding);

	MemoryContextReset(m->row_context);
	old = MemoryContextSwitchTo(m->row_context);
	sigma_start_modifying(m, estate, rinfo);
	writes = palloc(*nslots * sizeof(SigmaWrite));
	/* all rows are checked before the first is sent */
	for (int i = 0; i < *nslots; i++)
		writes[i] = row_to_write(m, slots[i]);
	sigma_run_writes(m->session, m->row_context, writes, *nslots);
	MemoryContextSwitchTo(old);
	sigma_show_statement(&hiding);
	return slots;
}

/* --------------------------------------------------------------------- ends */

/* TRUNCATE is refused, whatever the tables. */
void
sigmaExecForeignTruncate(List *rels, DropBehavior behavior UNUSED, bool restart_seqs UNUSED)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate foreign table \"%s\"", RelationGetRelationName((Relation) linitial(rels))),
			 errdetail("Sigma has no request that deletes all of a list."),
			 (sigmaIsForeignRelUpdatable(linitial(rels)) & (1 << CMD_DELETE)) != 0
			 ? errhint("To delete them one after another: DELETE FROM %s.",
					   sigma_table_name(RelationGetRelid((Relation) linitial(rels))))
			 : errhint("Sigma's API has no way to delete them.")));
}

void
sigmaEndForeignModify(EState *estate UNUSED, ResultRelInfo *rinfo)
{
	SigmaModify *m = rinfo->ri_FdwState;

	if (m == NULL)
		return;
	MemoryContextDelete(m->context);
	rinfo->ri_FdwState = NULL;
}

/* What the statement's requests came to so far; NULL if it has not begun. */
const SigmaStats *
sigma_modify_stats(ResultRelInfo *rinfo)
{
	return rinfo->ri_FdwState ? &((SigmaModify *) rinfo->ri_FdwState)->stats : NULL;
}

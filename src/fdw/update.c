/*-------------------------------------------------------------------------
 *
 * update.c
 *	  UPDATE and DELETE: rows become changes.
 *
 * A row is known by all that was read of it (the junk column OLD_ROW), and the
 * connection behind it by what its statement's scan has read.  Grants are
 * revoked at once; changes of connections wait for the commit, in queue.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write.h"
#include "fdw/fdw_internal.h"

/* A join may bring the same grant several times; it is revoked once. */
static bool
is_revoked(SigmaModify *m, const char *id)
{
	MemoryContext old;
	ListCell   *lc;

	foreach(lc, m->revoked)
	{
		if (strcmp(lfirst(lc), id) == 0)
			return true;
	}
	old = MemoryContextSwitchTo(m->context);
	m->revoked = lappend(m->revoked, pstrdup(id));
	MemoryContextSwitchTo(old);
	return false;
}

/* The row that is to be changed, as it was read, into a slot. */
static void
read_old_row(SigmaModify *m, TupleTableSlot *plan_slot, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		row = ExecGetJunkAttribute(plan_slot, m->old_row, &isnull);
	HeapTupleData tuple;

	if (isnull)
		elog(ERROR, "the row to be changed is null");
	tuple.t_data = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);

	/*
	 * the values alone: the slot outlives this tuple, and a row of ours has no system columns to
	 * show
	 */
	ExecClearTuple(slot);
	heap_deform_tuple(&tuple, slot->tts_tupleDescriptor, slot->tts_values, slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
}

/* Revokes the grant that a row shows, unless the statement has done so. */
static bool
delete_grant(SigmaModify *m, TupleTableSlot *slot)
{
	char	   *connection_id = sigma_row_text(m, slot, "connection_id");
	char	   *grant_id = sigma_row_text(m, slot, "grant_id");

	for (int i = 0; i < m->ncolumns; i++)
		if (strcmp(m->columns[i].column, "_error") == 0 && !slot->tts_isnull[m->columns[i].attnum - 1])
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot revoke grants of connection \"%s\", whose list could not be read",
							connection_id ? connection_id : ""),
					 errhint("The condition %s IS NULL leaves such rows out.",
							 quote_identifier(m->columns[i].name))));
	if (connection_id == NULL || grant_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("cannot tell which grant to revoke"),
				 errhint("The foreign table needs the columns \"connection_id\" and \"grant_id\". To add them: %s.",
						 sigma_alter_table(m->relid, connection_id ? "ADD COLUMN grant_id text"
										   : grant_id ? "ADD COLUMN connection_id text"
										   : "ADD COLUMN connection_id text, ADD COLUMN grant_id text"))));
	if (is_revoked(m, grant_id))
		return false;
	sigma_revoke_call(m->session, m->row_context, connection_id, grant_id, &m->stats);
	return true;
}

/*
 * What the statement has read of the connection that a row shows.  False if
 * the statement has changed it: a join may bring a row several times, and a
 * statement may have several targets, but the first that comes to it counts.
 */
static bool
take_connection(SigmaModify *m, EState *estate, ResultRelInfo *rinfo, TupleTableSlot *row,
				SigmaScanned *scanned)
{
	char	   *id = sigma_row_text(m, row, "connection_id");
	CommandId	last;

	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("cannot tell which connection to change"),
				 errhint("The foreign table needs the column \"connection_id\". To add it: %s.",
						 sigma_alter_table(m->relid, "ADD COLUMN connection_id text"))));
	if (!sigma_scanned_entry(estate, rinfo->ri_RangeTableIndex, id, scanned))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("cannot tell which connection to change"),
				 errdetail("The id that column \"connection_id\" of foreign table \"%s\" shows is not as Sigma gave it.",
						   RelationGetRelationName(rinfo->ri_RelationDesc)),
				 errhint("To give the column the type that it needs: %s.",
						 sigma_alter_table(m->relid, "ALTER COLUMN connection_id TYPE text"))));
	last = sigma_queue_last(sigma_session_serverid(m->session), id);
	if (last != InvalidCommandId && last > estate->es_output_cid)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("connection to be changed was already changed by an operation triggered by the current command"),
				 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")));
	/* what was asked for before may rest on a list */
	scanned->by_id &= last == InvalidCommandId;
	return !scanned->taken && last != estate->es_output_cid;
}

/*
 * Revokes a grant at once, or asks for the deletion of a connection; the slot
 * becomes the row that was.  NULL if the statement has done it before.
 */
TupleTableSlot *
sigmaExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot)
{
	SigmaModify *m = rinfo->ri_FdwState;
	MemoryContext old;
	bool		done;

	MemoryContextReset(m->row_context);
	old = MemoryContextSwitchTo(m->row_context);
	sigma_start_modifying(m, estate, rinfo);
	read_old_row(m, plan_slot, slot);
	if (m->resource->writes == SIGMA_WRITES_GRANTS)
		done = delete_grant(m, slot);
	else
	{
		SigmaScanned scanned;

		done = take_connection(m, estate, rinfo, slot, &scanned);
		if (done)
			(void) sigma_change_connection(m->session, estate->es_output_cid, scanned.entry, NULL, false, NIL);
	}
	MemoryContextSwitchTo(old);
	return done ? slot : NULL;
}

/* ------------------------------------------------------------------- UPDATE */

/* What an UPDATE changes of a row. */
typedef struct RowChange
{
	bool		any;
	bool		renamed;
	SigmaContent content;		/* what changes */
	char	   *type;			/* the old one */
	char	   *use_oauth;		/* the new one as JSON; NULL if it stays */
	bool		replaces;		/* more than PATCH can do */
	const char *column;			/* the first column that is the reason for it */
} RowChange;

/*
 * A replacement without "details" would lose what only these have.  "type" is
 * the connection's, or NULL as long as it is not known.
 */
pg_noreturn static void
refuse_without_details(const SigmaModify *m, const char *column, const char *type)
{
	bool		has_details = false;

	for (int i = 0; i < m->ncolumns; i++)
		has_details |= strcmp(m->columns[i].column, "details") == 0;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot update column \"%s\" of a connection without \"details\"", column),
			 errdetail("Sigma would replace the whole connection, and lose what it does not show: %s.",
					   sigma_connection_unshown(type)),
			 has_details
			 ? errhint("Set \"details\" in the same statement, with all of these that the connection needs. Only \"name\" and \"use_oauth\" can be changed alone.")
			 : errhint("The foreign table needs a column \"details\", to be set in the same statement. Only \"name\" and \"use_oauth\" can be changed alone. To add it: %s.",
					   sigma_alter_table(m->relid, "ADD COLUMN details jsonb"))));
}

/* Can the column be changed by a PATCH? */
static bool
can_patch(const char *column)
{
	return strcmp(column, "name") == 0 || strcmp(column, "use_oauth") == 0;
}

/* How an UPDATE of columns changes a connection: by PATCH or by PUT. */
const char *
sigma_update_method(Oid relid, const List *updated)
{
	Relation	rel = table_open(relid, NoLock);
	const SigmaResource *resource = sigma_table_resource(sigma_table_options(relid));
	const char *method = "PATCH";
	ListCell   *lc;

	foreach(lc, updated)
	{
		const SigmaField *known;

		/* what PostgreSQL computes is not sent */
		if (TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1)->attgenerated)
			continue;
		(void) sigma_column_field(rel, resource, (AttrNumber) lfirst_int(lc), &known);
		if (known == NULL || !can_patch(known->column))
			method = "PUT";
	}
	table_close(rel, NoLock);
	return method;
}

/* Raises if the columns that a statement sets cannot be changed in this way. */
static void
check_columns(const SigmaModify *m, const List *updated)
{
	const char *reason = NULL;
	bool		details = false;
	ListCell   *lc;

	foreach(lc, updated)
	{
		for (int i = 0; i < m->ncolumns; i++)
		{
			const SigmaWriteColumn *column = &m->columns[i];

			if (column->attnum != lfirst_int(lc))
				continue;
			if (column->write == SIGMA_WRITE_NOWHERE)
				sigma_refuse_column(column, "update");
			if (strcmp(column->column, "details") == 0)
				details = true;
			else if (!can_patch(column->column) && reason == NULL)
				reason = column->name;
		}
	}
	if (reason && !details)
		refuse_without_details(m, reason, NULL);
}

/*
 * An UPDATE begins, before it asks Sigma for anything; "updated" has the
 * attribute numbers of the columns that it sets.
 */
void
sigma_begin_update(SigmaModify *m, EState *estate, ResultRelInfo *rinfo, const List *updated)
{
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);
	check_columns(m, updated);
	sigma_show_statement(&hiding);
	m->old_slot = ExecInitExtraTupleSlot(estate, RelationGetDescr(rinfo->ri_RelationDesc),
										 &TTSOpsVirtual);
}

/* Compares a row as it was with what the statement makes of it. */
static RowChange
compare_rows(SigmaModify *m, TupleTableSlot *before, TupleTableSlot *after, SigmaSpan entry)
{
	SigmaJsonValue object = sigma_json_object(entry);
	RowChange	change = {
		.type = sigma_json_member_text(&object, "type"),
	};

	sigma_check_agreement(m, before, after);
	for (int i = 0; i < m->ncolumns; i++)
	{
		SigmaWriteColumn *column = &m->columns[i];
		bool		isnull = after->tts_isnull[column->attnum - 1];
		Datum		value = after->tts_values[column->attnum - 1];
		SigmaTyped *t;

		if (!sigma_column_differs(column, before, after))
			continue;
		change.any = true;
		if (column->write == SIGMA_WRITE_NOWHERE)
			sigma_refuse_column(column, "update");
		t = sigma_content_add(&change.content, column, value, isnull);
		change.renamed |= strcmp(column->column, "name") == 0;
		change.replaces |= strcmp(column->column, "details") == 0;
		if (t == NULL)
			continue;
		if (strcmp(column->column, "use_oauth") == 0 && !isnull)
			change.use_oauth = (char *) t->json;
		else
		{
			change.replaces = true;
			if (change.column == NULL)
				change.column = column->name;
		}
	}
	return change;
}

/* Asks for what the statement makes of a row; the entry as it will be. */
static SigmaSpan
update_connection(SigmaModify *m, CommandId command, RowChange *change, const SigmaScanned *scanned)
{
	SigmaSpan	entry = scanned->entry;
	List	   *secrets = NIL;
	const char *body;

	if (change->replaces && !change->content.has_details)
		refuse_without_details(m, change->column, change->type);
	if (change->replaces && !scanned->by_id)
		sigma_complete_entries(m->session, &entry, 1, &m->stats);
	if (change->replaces && !change->renamed)
	{
		SigmaJsonValue object = sigma_json_object(entry);

		change->content.name = sigma_json_member_text(&object, "name");
	}
	if (change->replaces)
		body = sigma_replacement_body(entry, change->content.name, &change->content.details,
									  change->content.typed, &secrets);
	else
	{
		StringInfoData patch;

		if (change->renamed && change->content.name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("a connection needs a name")));
		sigma_json_begin_object(&patch);
		if (change->renamed)
			sigma_json_add_text(&patch, "name", sigma_text_to_json(change->content.name));
		if (change->use_oauth)
			sigma_json_add_text(&patch, "useOauth", change->use_oauth);
		body = sigma_json_end_object(&patch).data;
	}
	return sigma_change_connection(m->session, command, entry, body, change->replaces, secrets);
}

/*
 * Asks for a change of a connection when the transaction commits; the slot
 * becomes the row as it will be.  NULL if the statement has changed it before.
 */
TupleTableSlot *
sigmaExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot)
{
	SigmaModify *m = rinfo->ri_FdwState;
	MemoryContext old;
	SigmaHiding hiding;
	SigmaScanned scanned;
	RowChange	change;

	/* the statement may hold the secrets of what is changed */
	sigma_hide_statement(&hiding);

	MemoryContextReset(m->row_context);
	old = MemoryContextSwitchTo(m->row_context);
	sigma_start_modifying(m, estate, rinfo);
	read_old_row(m, plan_slot, m->old_slot);
	if (!take_connection(m, estate, rinfo, m->old_slot, &scanned))
		slot = NULL;
	else
	{
		SigmaSpan	entry = scanned.entry;

		change = compare_rows(m, m->old_slot, slot, entry);
		if (change.any)
			entry = update_connection(m, estate->es_output_cid, &change, &scanned);
		if (m->reader)
			sigma_entry_to_row(m, entry, true, slot);
	}
	MemoryContextSwitchTo(old);
	sigma_show_statement(&hiding);
	return slot;
}

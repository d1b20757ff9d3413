/*-------------------------------------------------------------------------
 *
 * modify_row.c
 *	  The rows of a modification, old and new, as INSERT, UPDATE and DELETE
 *	  look at them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

#include "fdw/fdw_internal.h"

/*
 * Before the first row: the statement must not read what it makes, and now it
 * is known whether anybody will look at the new rows.
 */
void
sigma_start_modifying(SigmaModify *m, EState *estate, ResultRelInfo *rinfo)
{
	MemoryContext old;

	if (m->started)
		return;
	m->started = true;
	sigma_drain_scans(estate, sigma_session_serverid(m->session));
	if (!rinfo->ri_projectReturning && !rinfo->ri_WithCheckOptions &&
		!(rinfo->ri_TrigDesc && (rinfo->ri_TrigDesc->trig_insert_after_row ||
								 rinfo->ri_TrigDesc->trig_update_after_row)))
		return;
	old = MemoryContextSwitchTo(m->context);
	m->reader = sigma_row_reader(rinfo->ri_RelationDesc, m->resource, m->attnums);
	MemoryContextSwitchTo(old);
}

/* A row's text in a column of the catalogue, or NULL. */
char *
sigma_row_text(SigmaModify *m, TupleTableSlot *slot, const char *name)
{
	for (int i = 0; i < m->ncolumns; i++)
	{
		SigmaWriteColumn *column = &m->columns[i];

		if (strcmp(column->column, name) == 0 && !slot->tts_isnull[column->attnum - 1])
			return sigma_column_text(column, slot->tts_values[column->attnum - 1]);
	}
	return NULL;
}

/* Does a column differ between the two rows? */
bool
sigma_column_differs(SigmaWriteColumn *column, TupleTableSlot *before, TupleTableSlot *after)
{
	int			i = column->attnum - 1;

	if (before->tts_isnull[i] || after->tts_isnull[i])
		return before->tts_isnull[i] != after->tts_isnull[i];
	return strcmp(sigma_column_text(column, before->tts_values[i]),
				  sigma_column_text(column, after->tts_values[i])) != 0;
}

/*
 * Raises 22023 if a row has two columns of one field that say different things
 * of it.  What says nothing is a NULL in a new row, and in one that is changed
 * a column that is as "before".
 */
void
sigma_check_agreement(SigmaModify *m, TupleTableSlot *before, TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	for (int i = 0; i < m->ncolumns; i++)
		for (int j = 0; j < i; j++)
		{
			SigmaWriteColumn *a = &m->columns[j];
			SigmaWriteColumn *b = &m->columns[i];
			bool		a_null = slot->tts_isnull[a->attnum - 1];
			bool		b_null = slot->tts_isnull[b->attnum - 1];

			if (a->column[0] == '\0' || strcmp(a->column, b->column) != 0)
				continue;
			if (before ? !sigma_column_differs(a, before, slot) || !sigma_column_differs(b, before, slot)
				: a_null || b_null)
				continue;
			if (a_null == b_null &&
				(a_null || sigma_column_same(a, slot->tts_values[a->attnum - 1], b, slot->tts_values[b->attnum - 1])))
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" contradicts column \"%s\"", b->name, a->name),
					 errdetail("Both stand for the same field, \"%s\".", a->field),
					 errhint("Give the value in one of the two, or the same in both.")));
		}
}

/* The new row as Sigma has it, into the slot. */
void
sigma_read_new_row(SigmaModify *m, const SigmaEntry *entry, TupleTableSlot *slot)
{
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memset(slot->tts_values, 0, natts * sizeof(Datum));
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	sigma_read_row(m->reader, entry, slot->tts_values, slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
}

/*
 * The same from an object in UTF-8 that has been checked before; unless
 * "is_whole", it is only a part of the entry.
 */
void
sigma_entry_to_row(SigmaModify *m, SigmaSpan text, bool is_whole, TupleTableSlot *slot)
{
	SigmaJsonVisitor counter = {.member_depth = 1};
	SigmaJsonValue object;
	const char *error;
	SigmaEntry	entry = {.is_part = !is_whole};

	(void) sigma_json_visit(text, &counter, &object, &error);
	if (counter.nmembers > SIGMA_MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("unexpected reply from Sigma: an entry has more than %d members", SIGMA_MAX_MEMBERS)));
	entry.text = object.text;
	sigma_read_new_row(m, &entry, slot);
}

/*-------------------------------------------------------------------------
 *
 * modify.h
 *	  What modify.c, update.c and apply.c share, and nobody else sees.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_MODIFY_H
#define SIGMA_MODIFY_H

#include "sigma_fdw.h"

/* What the plan's rows call the row that is to be deleted. */
#define OLD_ROW "sigma_row"

/* How a column's value becomes JSON. */
typedef enum JsonForm
{
	FORM_STRING,
	FORM_LITERAL,				/* a number: its text is JSON already */
	FORM_BOOL,
	FORM_JSON
} JsonForm;

typedef struct WriteColumn
{
	AttrNumber	attnum;
	const char *name;			/* SQL name in this table */
	const char *column;			/* SQL name in the catalogue; "" if it is not there */
	const char *field;			/* the API's name */
	SigmaWriteTo write;
	JsonForm	form;
	bool		padded;			/* char(n) */
	FmgrInfo	output;
} WriteColumn;

typedef struct SigmaModify
{
	SigmaSession *session;
	const SigmaResource *resource;
	int			ncolumns;
	WriteColumn *columns;
	Bitmapset  *attnums;		/* of all columns */
	SigmaRowReader *reader;		/* NULL if nobody looks at the new row */
	SigmaStats	stats;
	bool		started;		/* the first row has come */
	AttrNumber	old_row;		/* of UPDATE and DELETE: where the plan's row has the old one */
	TupleTableSlot *old_slot;	/* of an UPDATE: takes it */
	List	   *revoked;		/* the ids of grants that are gone already */
	MemoryContext context;
	MemoryContext row_context;
} SigmaModify;

/* ----------------------------------------------------------------- modify.c */
extern void sigma_start_modifying(SigmaModify *m, EState *estate, ResultRelInfo *rinfo);
extern char *sigma_row_text(SigmaModify *m, TupleTableSlot *slot, const char *name);
extern void sigma_set_form(WriteColumn *column, Oid type);
extern char *sigma_column_text(WriteColumn *column, Datum value);
extern char *sigma_column_to_json(WriteColumn *column, Datum value);
pg_noreturn extern void sigma_refuse_column(const WriteColumn *column, const char *message);
extern void sigma_check_agreement(SigmaModify *m, TupleTableSlot *before, TupleTableSlot *slot);
extern void sigma_entry_to_row(SigmaModify *m, SigmaSpan text, bool is_whole,
							   TupleTableSlot *slot);

/* ----------------------------------------------------------------- update.c */
extern bool sigma_column_differs(WriteColumn *column, TupleTableSlot *before,
								 TupleTableSlot *after);
extern void sigma_begin_update(SigmaModify *m, EState *estate, ResultRelInfo *rinfo,
							   const List *updated);

#endif							/* SIGMA_MODIFY_H */

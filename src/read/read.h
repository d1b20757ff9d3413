/*-------------------------------------------------------------------------
 *
 * read.h
 *	  Lists: pages, parents, completeness; one entry at a time, and rows made of them.
 *
 * In a live transaction only.  What waits serves interrupts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_READ_H
#define SIGMA_READ_H

#include "access/attnum.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "utils/relcache.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"

/* --------------------------------------------------------------- row.c */

/* One entry of a list, with what was known before it was read. */
typedef struct SigmaEntry
{
	SigmaSpan	text;			/* an object in checked text; empty if it failed */
	bool		is_part;		/* it is only a part of the entry, which nobody knows whole */
	const SigmaNames *fields;	/* whose values are known already; or NULL */
	const SigmaJsonValue *values;	/* these, one per name; of no kind but null where the object
									 * has none */
	char	  **keys;			/* of the parents, in the order of the path; or NULL */
	const SigmaFailure *failure;	/* why there is no entry; or NULL */
} SigmaEntry;

/* One column of a table, ready to be filled from entries. */
typedef struct SigmaColumn
{
	AttrNumber	attnum;
	const char *name;			/* SQL name, for messages */
	SigmaReadFrom read;
	const char *field;			/* the API's name */
	int			value;			/* which of the reader's values it is made of */
	int			key;			/* which of the entry's keys it is */
	const char *absent;
	SigmaKind	kind;
	bool		is_json;		/* json or jsonb: takes the text as it stands */
	bool		is_integer;		/* takes 30.0 and 3e1 for 30 */
	bool		is_utc;			/* a time without a zone is one of UTC */
	Oid			quick;			/* a type that sigma_json_quick() may know, or 0 */
	FmgrInfo	input;
	Oid			ioparam;
	int32		typmod;
} SigmaColumn;

typedef struct SigmaRowReader
{
	Oid			relid;			/* the table, for hints */
	MemoryContext context;		/* in which it is */
	const char *table;			/* for messages */
	const char *key_field;		/* names the row in messages; or NULL */
	int			ncolumns;
	SigmaColumn *columns;
	SigmaNames	fields;			/* of all columns */
	SigmaJsonValue *values;		/* one per field, if the entry does not have them ready */
	const SigmaJsonValue *in_hand;	/* one per field: the entry's, null if it has none */
	int			current;		/* the column in hand, for messages; -1 none */
	const SigmaEntry *entry;	/* the entry in hand */
	int64		row;			/* its number in this scan, from 1 */
	bool	   *found;			/* of an element: has a row had this field?  Else NULL */
	int			unknown;		/* how many columns' fields are not known yet */
} SigmaRowReader;

/* The catalogue's entry for a column, by its option or its name; NULL if there is none. */
extern const SigmaField *sigma_known_field(Relation rel, const SigmaResource *resource,
										   AttrNumber attnum);

/*
 * The API's field behind a column, palloc'd or constant; NULL for the whole
 * entry.  *known is the catalogue's entry, or NULL if a column option names a
 * field that this version does not know.  Raises HV005 if the column's name
 * says nothing and no option helps.
 */
extern const char *sigma_column_field(Relation rel, const SigmaResource *resource,
									  AttrNumber attnum, const SigmaField **known);

/*
 * The form of a resource that these columns are read from: the flat one, if it
 * has them all.
 */
extern const SigmaResource *sigma_resource_form(Relation rel, const SigmaResource *resource,
												const Bitmapset *attnums);

/*
 * Makes ready to read the given columns (a set of attribute numbers) of a
 * table from entries of its resource.  The reader lives in the current memory
 * context and holds no reference to the relation.
 */
extern SigmaRowReader *sigma_row_reader(Relation rel, const SigmaResource *resource,
										const Bitmapset *attnums);

/*
 * The same for a table of the rows behind an element.  A column without the
 * option "field" takes the field whose name gives the column's, which the first
 * rows tell; one with the option "control" takes the entry's key of that number
 * in the list of controls; "attrs" takes the whole row.
 */
extern SigmaRowReader *sigma_element_reader(Relation rel, const Bitmapset *attnums,
											const List *controls);

/*
 * To be called when all rows have been read: raises HV005 if there were some, but
 * none with one of the columns.
 */
extern void sigma_check_fields(const SigmaRowReader *reader);

/*
 * Fills the reader's columns from an entry into arrays that are as long as the
 * table's descriptor; other places stay as they are.  Values are allocated in
 * the current memory context.  Raises what the types' input functions raise,
 * with column and row named, and the value that they quote cleaned.
 */
extern void sigma_read_row(SigmaRowReader *reader, const SigmaEntry *entry, Datum *values,
						   bool *isnull);

/* ------------------------------------------------------------- pager.c */

typedef struct SigmaPager SigmaPager;

/* What becomes of a list that the organization does not have. */
typedef enum SigmaMissing
{
	SIGMA_MISSING_FAILS,
	SIGMA_MISSING_WARNS,		/* it is empty, with a WARNING */
	SIGMA_MISSING_TELLS			/* it is empty, and whoever asks is told */
} SigmaMissing;

typedef struct SigmaListSpec
{
	const SigmaResource *resource;
	const char *path;			/* with its keys filled in */
	const char *filters;		/* more of the query, encoded; or NULL */
	int			limit;			/* entries per page */
	int			wanted;			/* entries that are expected to do; 0: all */
	SigmaScope	scope;
	bool		prefetch;		/* ask for pages before they are wanted */
	bool		whole;			/* all of it will be read, as far as is known */
	bool		item;			/* the path is that of one entry, not of a list */
	const char *item_key;		/* the key of that entry; NULL if it need not be compared */
	bool		by_key;			/* that there is no such list, or entry, is no error */
	bool		tolerate;		/* a failed request ends the list without an error */
	SigmaMissing missing;		/* if it is not offered */
	Oid			relid;			/* the table that is read, for hints; or InvalidOid */
	const SigmaNothing *nothing;	/* what else says that there is nothing; or NULL */
	bool		exact;			/* another number of entries than "total" is an error */
	bool		raw;			/* entries are any JSON values; nothing is kept of the resource */
	List	   *secrets;		/* texts to mask in whatever the server says */
	const SigmaNames *fields;	/* whose values are wanted; or NULL.  They live as long as the
								 * pager */
	SigmaProgress *progress;	/* to tell pages and rows; or NULL */
	bool		alone;			/* it is all that is told of there: its length is, too */
	SigmaPaging found;			/* of SIGMA_PAGING_FOUND, what was found: the pager's own */
	bool		dated;			/* read with the changes of this transaction's */
	CommandId	as_of;			/* commands before this one; else, of all before the current */
} SigmaListSpec;

/*
 * Path and query of a list's page, palloc'd.  The token is in UTF-8 and not
 * yet encoded; NULL for the first page.
 */
extern char *sigma_list_target(const SigmaListSpec *spec, const char *page_token);

/*
 * A pager over a list, in a memory context of its own below "context".  The
 * spec's texts must live as long.  No request is made before the first entry
 * is asked for, or sigma_pager_start() is called.
 */
extern SigmaPager *sigma_pager_open(SigmaSession *session, MemoryContext context,
									const SigmaListSpec *spec, SigmaStats *stats);

/*
 * The next entry of the list, an object in checked text that lives until the
 * next call; false at the end.  Raises on any failure: a list is never short.
 * With "tolerate" in the spec, a request's failure ends the list instead, and
 * sigma_pager_failure() tells of it.
 */
extern bool sigma_pager_next(SigmaPager *pager, SigmaEntry *entry);

/* Is there a page behind the one in hand? */
extern bool sigma_pager_has_more(const SigmaPager *pager);

/* How many entries the list has, as the page in hand says; -1: it does not. */
extern double sigma_pager_total(const SigmaPager *pager);

/*
 * Before something changes on a server: reads all lists of it to their ends
 * that somebody is in the middle of (a cursor, say).  Pages are counted from
 * the beginning, so what is removed from one moves entries from the next one
 * into it, and they would be missed.
 */
extern void sigma_read_lists(Oid serverid);

/* Why the list is empty, if the organization does not offer it; else NULL. */
extern const SigmaFailure *sigma_pager_missing(const SigmaPager *pager);

/* Ends the pager and its memory. */
extern void sigma_pager_close(SigmaPager *pager);

/* -------------------------------------------------------------- walk.c */

typedef struct SigmaWalk SigmaWalk;

/* The values of a key that a query gives. */
typedef struct SigmaBound
{
	bool		given;			/* else the parents supply it */
	int			nvalues;
	char	  **values;			/* distinct, in the database's encoding */
} SigmaBound;

typedef struct SigmaWalkSpec
{
	const SigmaResource *resource;
	bool		item;			/* look-ups of single entries, by item_path */
	const SigmaBound *bound;	/* one per key of the path, in its order */
	const char *filters;		/* more of the query, encoded; or NULL */
	int			limit;
	int			wanted;			/* as for a list */
	SigmaScope	scope;
	bool		prefetch;
	bool		whole;			/* as for a list */
	bool		tolerate;		/* a parent whose list fails becomes an entry */
	SigmaMissing missing;		/* as for a list */
	Oid			relid;			/* as for a list */
	const SigmaNames *fields;	/* as for a list */
	bool		shown;			/* others see how far it is */
	bool		dated;			/* as for a list */
	CommandId	as_of;
} SigmaWalkSpec;

/*
 * A walk, in a memory context of its own below "context".  What the spec
 * points to must live as long.  No request is made before the first entry is
 * asked for.
 */
extern SigmaWalk *sigma_walk_open(SigmaSession *session, MemoryContext context,
								  const SigmaWalkSpec *spec, SigmaStats *stats);

/*
 * The next entry, or (with "tolerate" in the spec) the failure of a parent's
 * list; it lives until the next call.  False at the end.
 */
extern bool sigma_walk_next(SigmaWalk *walk, SigmaEntry *entry);

/* Begins the first list of a walk whose keys are all given, without waiting. */
extern void sigma_walk_start(SigmaWalk *walk);

/*
 * Would sigma_walk_next() wait for the network now?  Known only of a single
 * list; others say no.
 */
extern bool sigma_walk_would_wait(SigmaWalk *walk);

/*
 * Why there was no first entry, if the organization does not offer the list,
 * or one further up; else NULL.
 */
extern const SigmaFailure *sigma_walk_missing(const SigmaWalk *walk);

/*
 * The first entry, asking for no more than it takes: of a resource below a
 * parent, that of the first parent.  False if there is none.
 */
extern bool sigma_walk_first(SigmaWalk *walk, SigmaEntry *entry);

/* Begins again with the first entry. */
extern void sigma_walk_rewind(SigmaWalk *walk);

/* ------------------------------------------------------------ export.c */

typedef struct SigmaExport SigmaExport;

typedef struct SigmaExportSpec
{
	const char *path;			/* of the workbook or the report, encoded */
	const char *element_id;		/* or NULL */
	const char *page_id;		/* or NULL */
	const char *format;			/* a JSON object that says type and more */
	List	   *parameters;		/* of SigmaParameter */
	const char *tag;			/* or NULL */
	List	   *columns;		/* names (UTF-8) that rows surely have, as far as is known */
	int64		row_limit;		/* 0: none is sent */
	int64		offset;			/* -1: likewise */
	int			timeout_ms;		/* until it is ready */
	Oid			relid;			/* the table that it is for, for hints; or InvalidOid */
	bool		may_be_empty;	/* a file of no rows is one of no bytes */
} SigmaExportSpec;

/* What exports came to, for EXPLAIN ANALYZE. */
typedef struct SigmaExportStats
{
	SigmaStats	calls;
	int64		exports;		/* started */
	int64		polls;			/* how often the file was asked for */
	int64		rows;			/* that were read */
	double		export_ms;		/* from the start to the first of a file */
	bool		as_array;		/* rows came in JSON, and not in JSON Lines */
} SigmaExportStats;

/* "/v2/workbooks/x/export", palloc'd. */
extern char *sigma_export_target(const char *path);

/*
 * Starts an export and waits until its file begins to come; cancel and the like
 * are raised.  NULL if it was refused, with *refusal; or, with "may_be_empty", if
 * there is nothing yet or nothing at all, which cannot be told, and *refusal is
 * NULL.  All else is raised: that it could not be made, is gone, was not ready in
 * time.  It lives in a memory
 * context of its own below "context"; spec and stats must live as long.
 */
extern SigmaExport *sigma_export_begin(SigmaSession *session, MemoryContext context,
									   const SigmaExportSpec *spec, SigmaExportStats *stats,
									   const SigmaFailure **refusal);

/*
 * What has come of the file already: *rest, until the next sigma_export_read().
 * False if that is all.
 */
extern bool sigma_export_first(const SigmaExport *export, SigmaSpan *rest);

/*
 * Drops "used" bytes of that, and waits until more than "seen" bytes of the rest
 * are there; see sigma_call_read().  False if that is all; raises if the file is
 * cut off, where "row" is the last that was read, or 0.
 */
extern bool sigma_export_read(SigmaExport *export, size_t used, size_t seen, int64 row,
							  SigmaSpan *rest);

/* What is exported, for a message: element "x". */
extern const char *sigma_export_subject(const SigmaExport *export);

/* The request for the file, as it may be shown; palloc'd. */
extern const char *sigma_export_request(const SigmaExport *export);

/* Ends it, whether it has been read or not. */
extern void sigma_export_end(SigmaExport *export);

/* ----------------------------------------------------------- element.c */

typedef struct SigmaElement SigmaElement;

typedef struct SigmaElementSpec
{
	const char *workbook_id;
	const char *element_id;
	const char *tag;			/* or NULL */
	List	   *parameters;		/* of SigmaParameter */
	List	   *columns;		/* as for an export */
	char	  **sent;			/* the keys of its entries: what controls are set to */
	int			timeout_ms;
	Oid			relid;			/* as for an export */
	int64		wanted;			/* rows that are expected to do; 0: all */
	int64		chunk_rows;		/* that one export may have */
} SigmaElementSpec;

/* "/v2/workbooks/x", palloc'd. */
extern char *sigma_element_path(const char *workbook_id);

/*
 * The rows behind an element, in a memory context of its own below "context".
 * What the spec points to must live as long.  No request is made before the
 * first row is asked for.
 */
extern SigmaElement *sigma_element_open(SigmaSession *session, MemoryContext context,
										const SigmaElementSpec *spec, SigmaExportStats *stats);

/*
 * The next row, which lives until the next call; false at the end.  Raises on
 * any failure: the rows are never fewer, or more, than there are.
 */
extern bool sigma_element_next(SigmaElement *element, SigmaEntry *entry);

/* Ends it and its memory. */
extern void sigma_element_close(SigmaElement *element);

#endif							/* SIGMA_READ_H */

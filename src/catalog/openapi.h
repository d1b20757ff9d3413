/*-------------------------------------------------------------------------
 *
 * openapi.h
 *	  What a published description of the API (OpenAPI 3) says of its lists, and
 *	  the tables that they are.
 *
 * Needs no catalog and no transaction.  What is returned is palloc'd in the current
 * memory context.  A description is foreign text: it may be wrong in any way, and
 * nothing out of it may become SQL without quotes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_OPENAPI_H
#define SIGMA_OPENAPI_H

#include "nodes/pg_list.h"

#include "base/base.h"
#include "catalog/catalog.h"

/* How large a description may be, in bytes. */
#define SIGMA_MAX_OPENAPI_SIZE (10 * 1024 * 1024)

/* ----------------------------------------------------------- openapi.c */

/* A field of an entry. */
typedef struct SigmaApiField
{
	const char *name;
	Oid			type;			/* of a column that shows it */
	const char *description;	/* or NULL */
} SigmaApiField;

/* What a GET of the API replies with. */
typedef struct SigmaApiGet
{
	const char *path;			/* parameters in braces, by the API's names */
	const char *summary;		/* or NULL */
	const char *problem;		/* why the path cannot be asked for, as a sentence; or NULL */
	bool		is_list;
	SigmaPaging paging;
	const char *entries;		/* name of the array; NULL: "entries", or the reply itself */
	int			nfields;		/* of an entry, or of the reply if it is no list */
	SigmaApiField *fields;
} SigmaApiGet;

/*
 * The GETs of a description (UTF-8), a list of SigmaApiGet in its order.  If it
 * is none that can be understood, NIL, and *problem says why, as a clause whose
 * subject is the description.
 */
extern List *sigma_read_openapi(SigmaSpan text, const char **problem);

/* ---------------------------------------------------- openapi_tables.c */

typedef enum SigmaApiStatus
{
	SIGMA_API_KNOWN,			/* a resource of the catalogue */
	SIGMA_API_EXTENDED,			/* one, with fields that the catalogue lacks */
	SIGMA_API_NEW,				/* a list that the catalogue lacks */
	SIGMA_API_GONE				/* a resource that the description lacks */
} SigmaApiStatus;

typedef struct SigmaApiColumn
{
	const char *name;
	Oid			type;
	const char *field;			/* the column option "field"; or NULL */
	const char *comment;		/* or NULL */
} SigmaApiColumn;

/* A table that a list is, with all that a statement needs that makes it. */
typedef struct SigmaApiTable
{
	const char *name;
	SigmaApiStatus status;
	const SigmaResource *known; /* NULL if it is new */
	const SigmaApiGet *get;		/* NULL if it is gone */
	bool		other_form;		/* the list is one that another table reads already */
	const char *comment;		/* or NULL */
	List	   *columns;		/* of SigmaApiColumn */

	/* of a new one, its options; or NULL */
	const char *path;
	const char *key;
	const char *item_path;
	const char *parent;
} SigmaApiTable;

/*
 * The tables of a description (GETs from sigma_read_openapi()): the resources in
 * their order, then what else the description has.  Without GETs, the resources
 * are all there is.
 */
extern List *sigma_openapi_tables_of(List *gets, const SigmaResource *const *resources, int nresources);

/*
 * The name that the catalogue's rule gives the table of a path's list: words
 * in the singular but the last, "/v2/reports/{reportId}/sources" is "report_sources".
 */
extern char *sigma_table_name_of(const char *path);

#endif							/* SIGMA_OPENAPI_H */

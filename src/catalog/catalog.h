/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The Sigma resources, as constant tables.
 *
 * Constant data, and pure functions over it: they may be called in any state, and
 * raise nothing but for want of memory.  A foreign table may say itself what it is
 * of; then config/ makes a resource of that, which is as constant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_CATALOG_H
#define SIGMA_CATALOG_H

/* ----------------------------------------------------------- catalog.c */

typedef enum SigmaPaging
{
	SIGMA_PAGING_PAGE,			/* page, limit; nextPage is null at the end */
	SIGMA_PAGING_PAGE_TOKEN,	/* pageToken, pageSize; nextPageToken is absent at the end */
	SIGMA_PAGING_NONE,			/* a bare array, and paging parameters are refused */
	SIGMA_PAGING_OBJECT,		/* no list: the reply is the one entry */
	SIGMA_PAGING_FOUND			/* one of the first three, by the first reply; no page size is sent */
} SigmaPaging;

/* Where a column's value goes in the body of a create. */
typedef enum SigmaWriteTo
{
	SIGMA_WRITE_NOWHERE,		/* Sigma sets it */
	SIGMA_WRITE_TOP,			/* beside "name" and "details" */
	SIGMA_WRITE_DETAILS			/* into "details" */
} SigmaWriteTo;

/* Where a column's value comes from when a row is read. */
typedef enum SigmaReadFrom
{
	SIGMA_FROM_FIELD,			/* the entry's field of that name */
	SIGMA_FROM_ENTRY,			/* the whole entry */
	SIGMA_FROM_KEY,				/* the key of the parent that the list stands below */
	SIGMA_FROM_ERROR,			/* why the parent's list could not be read */
	SIGMA_FROM_NOWHERE			/* write-only: reads as NULL */
} SigmaReadFrom;

/* What two texts must have in common to be one value, see key.c. */
typedef enum SigmaKind
{
	SIGMA_PLAIN,				/* everything */
	SIGMA_ID,					/* the identifier; a UUID is one in any case of its letters */
	SIGMA_INODE					/* the same of an object that is also known by its "urlId" */
} SigmaKind;

typedef struct SigmaField
{
	const char *column;			/* SQL name */
	const char *field;			/* the API's name; of a key, the parent's column */
	Oid			type;			/* the column's type when imported */
	SigmaReadFrom read;
	SigmaWriteTo write;
	bool		hidden;			/* not imported; known to hand-made tables */
	const char *absent;			/* what an absent or null field reads as; or NULL */
	const char *comment;
	SigmaKind	kind;
} SigmaField;

/* What can be written to a resource's table, and how. */
typedef enum SigmaWrites
{
	SIGMA_WRITES_NOTHING,
	SIGMA_WRITES_CONNECTIONS,	/* INSERT creates a connection */
	SIGMA_WRITES_GRANTS			/* INSERT grants, DELETE revokes */
} SigmaWrites;

/* Equality on the column may be sent as this query parameter. */
typedef struct SigmaFilter
{
	const char *column;
	const char *parameter;
	const char *const *values;	/* NULL at the end: sent for these only; or NULL for any */
} SigmaFilter;

/* An answer by which Sigma says that below these keys there is nothing. */
typedef struct SigmaNothing
{
	int			status;			/* 0 at the end */
	const char *code;			/* only with this code; or NULL */
} SigmaNothing;

typedef struct SigmaResource
{
	const char *name;
	const char *comment;
	const char *path;			/* of the list; {column} stands for a parent's key */
	const char *item_path;		/* of one entry, {column} for its key; or NULL */
	const char *other_path;		/* of the same list in another form, which is never asked for; or
								 * NULL */
	const char *key;			/* the column that identifies an entry of one list; or NULL */
	const char *parent;			/* the resource below whose entries the list stands; or NULL */
	const char *const *key_values;	/* all values of the path's one key, NULL at the end; or NULL */
	const struct SigmaResource *above;	/* that one itself, if it is not of the catalogue */
	const char *archived_query; /* what adds archived entries to the list; or NULL */
	const char *archived_field; /* the field that tells them apart; or NULL */
	const char *unshared_query; /* what adds what is not shared with the reader; or NULL */
	const char *direct_query;	/* what leaves inherited grants out; or NULL */
	const char *query;			/* parameters that are always sent, encoded; or NULL */
	const char *entries;		/* the reply's member with the entries; NULL: "entries" */
	SigmaPaging paging;
	int			max_page_size;	/* if it is less than SIGMA_MAX_PAGE_SIZE; or 0 */
	const char *bare_field;		/* entries are no objects, but values of this field; or NULL */
	const SigmaNothing *nothing;	/* for requests by key; or NULL */
	bool		optional;		/* retired, or not every organization has it */
	bool		one_filter;		/* the API takes only one of the filters at a time */
	bool		made;			/* a table says all of this by its options and columns */
	const struct SigmaResource *flat;	/* the same entries in fewer lists, without some keys; or
										 * NULL */
	SigmaWrites writes;
	const SigmaField *fields;
	int			nfields;
	const SigmaFilter *filters;
	int			nfilters;
} SigmaResource;

extern const SigmaResource *const sigma_resources[];
extern const int sigma_nresources;

/* The resource of a name, or NULL. */
extern const SigmaResource *sigma_find_resource(const char *name);

/* The resource below whose entries the list stands, in the form that gives its keys; or NULL. */
extern const SigmaResource *sigma_parent(const SigmaResource *resource);

/* Is it one list, and not one for each value of some keys? */
extern bool sigma_is_one_list(const SigmaResource *resource);

/* The name of the resource that may have been meant, or NULL. */
extern const char *sigma_closest_resource(const char *name);

/* The field behind a column's SQL name, or NULL. */
extern const SigmaField *sigma_find_field(const SigmaResource *resource, const char *column);

/* The field of an API name, or NULL.  A key is not a field of the entry. */
extern const SigmaField *sigma_find_api_field(const SigmaResource *resource, const char *field);

/* The API's name of a field by a column's, palloc'd: "plugin_id" is "pluginId". */
extern char *sigma_api_name(const char *column);

/* Does Sigma say by this that there is nothing to be read? */
extern bool sigma_means_nothing(const SigmaNothing *nothing, int status, const char *code);

/* May an organization lack it, or what it stands below? */
extern bool sigma_is_optional(const SigmaResource *resource);

/* May this value be sent to the API, as far as its description tells? */
extern bool sigma_filter_takes(const SigmaFilter *filter, const char *value);

/* Does the flat form of a resource have this column of it? */
extern bool sigma_flat_has(const SigmaResource *resource, const SigmaField *field);

/* The column name that may have been meant, or NULL. */
extern const char *sigma_closest_column(const SigmaResource *resource, const char *column);

/* --------------------------------------------------------------- key.c */

/*
 * Are two texts one key?  All who compare keys ask here: the walk, look-ups,
 * the queue of changes, what a scan has seen, what was written.  Allocates
 * nothing, so that the end of a transaction may ask, too.
 */
extern bool sigma_same_key(SigmaKind kind, const char *a, const char *b);

/* Is it a UUID in lower case, as columns show it? */
extern bool sigma_is_shown_uuid(const char *text, size_t length);

/*
 * The spelling of a key that columns show, which is the same for all texts that
 * are one key.  Palloc'd, or the text itself if that is it; NULL for NULL.
 */
extern char *sigma_key_spelling(SigmaKind kind, char *text);

/*
 * Can this be an identifier of the kind, by its form?  Of an inode's, the forms
 * are known; others may have any.
 */
extern bool sigma_key_has_form(SigmaKind kind, const char *id);

/* Can a column show this text?  A query that asks for another has no rows. */
extern bool sigma_key_is_shown(SigmaKind kind, const char *text);

/* ------------------------------------------------------------ naming.c */

/* What the option "resource" of a table says that shows the rows behind an element. */
#define SIGMA_ELEMENT "element"

/* A name as an identifier in snake_case, both in UTF-8; palloc'd, "" if nothing is left. */
extern char *sigma_identifier(const char *name);

/* The same with a number behind it: the second of a name, say; palloc'd. */
extern char *sigma_numbered_identifier(const char *identifier, int number);

/* The identifier of a column that stands for a control of this name; palloc'd. */
extern char *sigma_control_identifier(const char *name);

/* The type of a column for values of Sigma's type, which may be NULL. */
extern Oid	sigma_postgres_type(const char *type);

#endif							/* SIGMA_CATALOG_H */

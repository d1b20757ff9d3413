/*-------------------------------------------------------------------------
 *
 * read_pager.h
 *	  What the files of the pager share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_READ_PAGER_H
#define SIGMA_READ_PAGER_H

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "read/read_internal.h"

/* A page that has been asked for. */
typedef struct ApiPage
{
	char	   *token;			/* NULL for the first */
	SigmaCall  *call;
	MemoryContext context;
} ApiPage;

/*
 * A member of an entry of the page in hand that somebody wants, where the page was checked: there may be millions of
 * them, so they are small.  No body is longer than 32 bits count.
 */
typedef struct Note
{
	uint32		offset;			/* of its value in the page */
	uint32		length;
	int16		name;
	uint8		kind;
	bool		escaped:1;
	bool		ascii:1;
} Note;

/* What tells what an entry is. */
typedef enum Telling
{
	TELLS_KEY,
	TELLS_ARCHIVED,
	TELLS_CODE,
	TELLS_MESSAGE,
	TELLS_COUNT
} Telling;

struct SigmaPager
{
	dlist_node	link;			/* in open_pagers */
	MemoryContextCallback callback;
	SigmaSession *session;
	SigmaListSpec spec;			/* its texts are the caller's */
	SigmaStats *stats;
	MemoryContext context;		/* of the pager itself */
	MemoryContext walk_context; /* of one walk: the tokens seen */

	/* the walk */
	List	   *ahead;			/* of ApiPage, in order: asked for, not yet taken */
	int			depth;			/* how many to ask for ahead; 0 on the first page */
	bool		wanted;			/* the page behind the one in hand is */
	int64		step;			/* from one token to the next; 0: do not guess */
	bool		finished;
	int			pages;
	int			empty_pages;	/* in a row */
	int64		entries_seen;	/* yielded or left out */
	int64		rows;			/* yielded, and not yet counted by stat.c */
	double		total;			/* as the last page says; -1: it does not */
	struct seen_hash *seen;
	char	   *next_token;		/* in walk_context; NULL at the end */
	SigmaFailure *failure;		/* if failures are tolerated */
	SigmaFailure *absence;		/* why there is no list, if it is not offered */
	bool		nothing;		/* Sigma said that there is nothing */
	bool		refused_filters;	/* it is read without them */

	/* the page in hand */
	ApiPage    *page;
	const char *target;
	SigmaJsonValue *entries;
	int			nentries;
	int			entries_room;
	int			next_entry;
	const char *text;			/* what the notes' offsets are of */
	Note	   *notes;			/* of all entries, in the order of the text */
	int			nnotes;
	int			notes_room;
	int			next_note;

	/* the members that are wanted, and then those that tell what an entry is */
	SigmaNames	names;
	int			telling[TELLS_COUNT];	/* the numbers of these */
	SigmaJsonValue *values;		/* of the entry in hand, one per name */
	StringInfoData wrapped;		/* its text, if it is a bare value */

	/* what was read to the end before it was wanted, see sigma_read_lists() */
	List	   *kept;			/* of SigmaJsonValue, in walk_context */
	int			next_kept;
	bool		cut;			/* an error came in between */
};

/* Under which name the list is counted; a raw one has no name but its path. */
static inline const char *
counted_as(const SigmaPager *pager)
{
	return pager->spec.raw ? NULL : pager->spec.resource->name;
}

/* Is it the list of a whole resource, of which the session keeps notes? */
static inline bool
is_noted(const SigmaPager *pager)
{
	return sigma_is_one_list(pager->spec.resource) && pager->spec.filters == NULL && !pager->spec.raw &&
		!pager->spec.item;
}

/* -------------------------------------------------------- pager_ahead.c */

extern void sigma_pager_want_all(SigmaPager *pager);
extern void sigma_pager_want_next_page(SigmaPager *pager);
extern void sigma_pager_look_ahead(SigmaPager *pager);
extern const SigmaFailure *sigma_pager_await_page(SigmaPager *pager, const char *token);
extern void sigma_pager_drop_page(SigmaPager *pager);
extern void sigma_pager_drop_pages_ahead(SigmaPager *pager);

/* --------------------------------------------------------- pager_page.c */

extern void sigma_pager_set_names(SigmaPager *pager);
extern void sigma_pager_read_page(SigmaPager *pager);
extern bool sigma_pager_take_entry(SigmaPager *pager, SigmaEntry *entry);
extern void sigma_pager_take_object(SigmaPager *pager, const SigmaJsonValue *object, SigmaEntry *entry);
extern void sigma_pager_note_total(const SigmaPager *pager, double total);

#endif							/* SIGMA_READ_PAGER_H */

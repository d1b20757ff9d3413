/*-------------------------------------------------------------------------
 *
 * pager.c
 *	  Reads one list of the API, page after page, and yields one entry at a
 *	  time.
 *
 * A list is all there or it is an error.  What could make an answer short
 * without anybody noticing is refused here: a page that is not what the API
 * describes, a page token that was seen before, an error object among the
 * entries.  If the API says how many entries there are and the walk ends with
 * another number, a WARNING says so: the list may have changed meanwhile.
 *
 * pager_ahead.c asks for the pages, and pager_page.c says what is in one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "txn/txn.h"
#include "read/read_pager.h"

/* So many pages in a row without an entry are taken for an endless list. */
#define MAX_EMPTY_PAGES 1000

/* While a page is read, the pages behind it are looked after this often. */
#define POLL_INTERVAL 64

/* The lists that this backend has under way. */
static dlist_head open_pagers = DLIST_STATIC_INIT(open_pagers);

/* Counts the rows that have been handed over since that was done last. */
static void
count_rows(SigmaPager *pager)
{
	sigma_stat_add(pager->session, counted_as(pager), SIGMA_STAT_ROWS, pager->rows);
	sigma_progress_add(pager->spec.progress, SIGMA_PROGRESS_ROWS, pager->rows);
	pager->rows = 0;
}

/* A page has come: tells of it, and of how many there are if the list says how long it is. */
static void
show_page(const SigmaPager *pager)
{
	sigma_progress_add(pager->spec.progress, SIGMA_PROGRESS_PAGES, 1);
	if (pager->spec.alone && pager->pages == 1 && pager->nentries > 0 &&
		(pager->next_token == NULL || pager->total >= 0))
		sigma_progress_set(pager->spec.progress, SIGMA_PROGRESS_PAGES_TOTAL,
						   pager->next_token == NULL ? 1 : (int64) ceil(pager->total / pager->nentries));
}

static void
forget_pager(void *arg)
{
	SigmaPager *pager = arg;

	count_rows(pager);
	dlist_delete(&pager->link);
}

SigmaPager *
sigma_pager_open(SigmaSession *session, MemoryContext context, const SigmaListSpec *spec,
				 SigmaStats *stats)
{
	MemoryContext own;
	SigmaPager *pager;
	MemoryContext old;

	Assert(spec->path != NULL);
	/* keys and all: what a path comes to, only its values tell */
	if (spec->resource->made)
		sigma_session_check_path(session, spec->path, sigma_quoted(spec->resource->name));
	own = AllocSetContextCreate(context, "sigma pager", ALLOCSET_SMALL_SIZES);
	pager = MemoryContextAllocZero(own, sizeof(SigmaPager));

	dlist_push_tail(&open_pagers, &pager->link);
	pager->callback.func = forget_pager;
	pager->callback.arg = pager;
	MemoryContextRegisterResetCallback(own, &pager->callback);
	pager->session = session;
	pager->spec = *spec;
	pager->stats = stats;
	pager->context = own;
	pager->walk_context = AllocSetContextCreate(own, "sigma walk", ALLOCSET_SMALL_SIZES);
	pager->total = -1;
	old = MemoryContextSwitchTo(own);
	pager->entries_room = 64;
	pager->entries = palloc(pager->entries_room * sizeof(SigmaJsonValue));
	pager->notes_room = 64;
	pager->notes = palloc(pager->notes_room * sizeof(Note));
	sigma_pager_set_names(pager);
	MemoryContextSwitchTo(old);
	return pager;
}

/*
 * Was a list refused that was asked for with filters?  They only save, so it
 * is asked for without them then.
 */
static bool
give_up_filters(SigmaPager *pager, const SigmaFailure *failure)
{
	const SigmaResource *resource = pager->spec.resource;

	if (pager->spec.filters == NULL || (failure->status != 400 && failure->status != 422))
		return false;
	if (sigma_session_warns(pager->session, SIGMA_WARNS_FILTER, resource))
		ereport(WARNING,
				(errmsg("Sigma refused the filter of the list of %s, which is read without it",
						resource->name),
				 errdetail("%s (%s)", failure->message, failure->detail),
				 OidIsValid(pager->spec.relid)
				 ? errhint("The rows are the same. To have the filter not tried: %s.",
						   sigma_alter_table_option(pager->spec.relid, "push_filters", "false"))
				 : errhint("The rows are the same. With the option push_filters 'false' of the table, the filter is not tried.")));
	pager->spec.filters = NULL;
	pager->refused_filters = true;
	return true;
}

/* Does the organization not have the list, and is that no error? */
static bool
is_missing(SigmaPager *pager, const SigmaFailure *failure)
{
	const SigmaResource *resource = pager->spec.resource;

	if (pager->spec.missing == SIGMA_MISSING_FAILS || pager->spec.tolerate ||
		(failure->status != 403 && failure->status != 404 && failure->status != 410))
		return false;
	/* of a document that is there, it may be that one alone which the reader may not see */
	if (failure->status == 403 && resource->nothing && !sigma_is_one_list(resource))
		return false;
	pager->absence = sigma_copy_failure(failure);
	if (pager->spec.missing == SIGMA_MISSING_WARNS &&
		sigma_session_warns(pager->session, SIGMA_WARNS_MISSING, resource))
		ereport(WARNING,
				(errmsg("the organization does not offer %s, which are taken to be none",
						resource->name),
				 errdetail("%s (%s)", failure->message, failure->detail),
				 OidIsValid(pager->spec.relid)
				 ? errhint("To have an error instead: %s.",
						   sigma_alter_table_option(pager->spec.relid, "on_missing", "error"))
				 : errhint("With the option on_missing 'error' of the table, it is an error.")));
	return true;
}

/* The page in hand ends; the one of the token takes its place. */
static bool
take_page(SigmaPager *pager, const char *token)
{
	MemoryContext old = MemoryContextSwitchTo(pager->context);
	const SigmaFailure *failure;
	const SigmaFailure *nothing;

	count_rows(pager);
	failure = sigma_pager_await_page(pager, token);
	if (failure && token == NULL && give_up_filters(pager, failure))
		failure = sigma_pager_await_page(pager, NULL);
	if (failure && !(token == NULL && is_missing(pager, failure)))
	{
		if (!pager->spec.tolerate)
			sigma_raise(failure);
		pager->failure = sigma_copy_failure(failure);
	}
	nothing = sigma_call_nothing(pager->page->call);
	if (nothing)
	{
		pager->nothing = true;
		if (pager->spec.tolerate)
			pager->failure = sigma_copy_failure(nothing);
	}
	MemoryContextSwitchTo(old);
	if (failure || sigma_call_not_found(pager->page->call))
	{
		/* no page in hand: what was read of the one before is gone */
		sigma_pager_drop_page(pager);
		sigma_pager_drop_pages_ahead(pager);
		pager->nentries = 0;
		return false;
	}

	pager->pages++;
	if (pager->stats && !pager->spec.item)
		pager->stats->pages++;
	sigma_pager_read_page(pager);
	show_page(pager);
	SIGMA_DEBUG(DEBUG2, "list of %s: page %d with %d entries, of a total of %.0f",
				pager->spec.resource->name, pager->pages, pager->nentries, pager->total);
	return true;
}

/* The walk has come to its end: was it complete? */
static void
finish_walk(SigmaPager *pager)
{
	const SigmaListSpec *spec = &pager->spec;

	pager->finished = true;
	count_rows(pager);
	sigma_pager_drop_pages_ahead(pager);
	if (spec->item)
		return;
	sigma_pager_note_total(pager, (double) pager->entries_seen);
	if (is_noted(pager))
		sigma_stat_note_length(pager->session, spec->resource->name,
							   pager->step == spec->limit ? pager->entries_seen : -1);
	if (pager->total >= 0 && pager->total != (double) pager->entries_seen)
		ereport(spec->exact ? ERROR : WARNING,
				(spec->exact ? errcode(ERRCODE_FDW_ERROR) : 0,
				 errmsg("list of %s gave " INT64_FORMAT " entries, but Sigma counts %.0f",
						spec->resource->name, pager->entries_seen, pager->total),
				 errdetail("It may have changed while it was read. Its last page was %s.", pager->target),
				 errhint("Run the query again for a consistent answer.")));
}

/*
 * Would sigma_pager_next() wait for the network now?  Whatever it would wait
 * for has been asked for.
 */
bool
sigma_pager_would_wait(SigmaPager *pager)
{
	if (pager->finished || pager->kept || pager->next_entry < pager->nentries)
		return false;
	if (pager->page == NULL)
		sigma_pager_start(pager);
	else if (pager->next_token == NULL)
		return false;
	else
		sigma_pager_want_next_page(pager);
	return !sigma_call_done(((ApiPage *) linitial(pager->ahead))->call);
}

/* The next entry, out of the pages. */
static bool
read_entry(SigmaPager *pager, SigmaEntry *entry)
{
	if (pager->finished)
		return false;
	if (pager->page == NULL)
	{
		if (!take_page(pager, NULL))
		{
			pager->finished = true;
			return false;
		}
		sigma_pager_want_all(pager);
	}
	for (;;)
	{
		while (pager->next_entry < pager->nentries)
		{
			/* here for all who read lists: what has come need not be waited for */
			CHECK_FOR_INTERRUPTS();
			/* a connection that nobody reads from stalls */
			if (pager->ahead != NIL && pager->next_entry % POLL_INTERVAL == 0)
				sigma_session_poll(pager->session);
			pager->entries_seen++;
			pager->empty_pages = 0;
			if (sigma_pager_take_entry(pager, entry))
			{
				pager->rows++;
				return true;
			}
		}
		if (pager->next_token == NULL)
		{
			finish_walk(pager);
			return false;
		}
		if (++pager->empty_pages > MAX_EMPTY_PAGES)
			sigma_raise_reply(pager->target, "%d pages in a row had no entries", MAX_EMPTY_PAGES);

		sigma_pager_want_next_page(pager);
		if (!take_page(pager, pager->next_token))
		{
			pager->finished = true;
			return false;
		}
		sigma_pager_look_ahead(pager);
	}
}

bool
sigma_pager_next(SigmaPager *pager, SigmaEntry *entry)
{
	if (pager->next_kept < list_length(pager->kept))
	{
		sigma_pager_take_object(pager, list_nth(pager->kept, pager->next_kept++), entry);
		return true;
	}
	if (pager->cut)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the rest of a list of %s could not be read", pager->spec.resource->name),
				 errdetail("A change on the same server was to wait for that, and failed.")));
	return read_entry(pager, entry);
}

/* Reads what is left of a list, and keeps it. */
static void
keep_rest(SigmaPager *pager)
{
	SigmaEntry	entry;

	/* until it is all there, or else it never will be */
	pager->cut = true;
	while (read_entry(pager, &entry))
	{
		MemoryContext old = MemoryContextSwitchTo(pager->walk_context);
		SigmaJsonValue *value = palloc(sizeof(SigmaJsonValue));

		const char *error;

		(void) sigma_json_check(entry.text, value, &error);
		value->text.data = pnstrdup(entry.text.data, entry.text.length);
		pager->kept = lappend(pager->kept, value);
		MemoryContextSwitchTo(old);
	}
	pager->cut = false;
}

void
sigma_read_lists(Oid serverid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &open_pagers)
	{
		SigmaPager *pager = dlist_container(SigmaPager, link, iter.cur);

		if (sigma_session_serverid(pager->session) == serverid && !pager->finished && !pager->cut &&
			(pager->next_token || pager->ahead != NIL))
			keep_rest(pager);
	}
}

double
sigma_pager_total(const SigmaPager *pager)
{
	return pager->total;
}

bool
sigma_pager_has_more(const SigmaPager *pager)
{
	return pager->next_token != NULL;
}

/* Why the list ended early, if that is tolerated; else NULL. */
const SigmaFailure *
sigma_pager_failure(const SigmaPager *pager)
{
	return pager->failure;
}

const SigmaFailure *
sigma_pager_missing(const SigmaPager *pager)
{
	return pager->absence;
}

/* Did Sigma say, in the resource's way, that there is nothing below the keys? */
bool
sigma_pager_nothing(const SigmaPager *pager)
{
	return pager->nothing;
}

/* Was the list read without its filters, since Sigma refused them? */
bool
sigma_pager_refused_filters(const SigmaPager *pager)
{
	return pager->refused_filters;
}

/*
 * Begins again with the first entry.  A list of one page that has been read
 * is not fetched again.
 */
void
sigma_pager_rewind(SigmaPager *pager)
{
	pager->finished = false;
	pager->entries_seen = 0;
	pager->empty_pages = 0;
	pager->kept = NIL;
	pager->next_kept = 0;
	if (pager->page && pager->pages == 1 && !pager->cut)
	{
		/* what has been asked for behind it stays asked for */
		pager->next_entry = 0;
		pager->next_note = 0;
		return;
	}
	sigma_pager_drop_pages_ahead(pager);
	sigma_pager_drop_page(pager);
	pager->pages = 0;
	if (pager->spec.alone)
		sigma_progress_set(pager->spec.progress, SIGMA_PROGRESS_PAGES, 0);
	pager->depth = 0;
	pager->wanted = false;
	pager->step = 0;
	pager->seen = NULL;
	pager->next_token = NULL;
	pager->failure = NULL;
	pager->cut = false;
	pager->absence = NULL;
	pager->nothing = false;
	MemoryContextReset(pager->walk_context);
}

void
sigma_pager_close(SigmaPager *pager)
{
	MemoryContextDelete(pager->context);
}

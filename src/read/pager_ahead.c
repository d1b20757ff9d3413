/*-------------------------------------------------------------------------
 *
 * pager_ahead.c
 *	  Asks for the pages of a list, also before they are wanted.
 *
 * Once the second page has been asked for, further pages are requested before
 * they are wanted, more of them the longer the walk goes on; if it is known
 * that all will be read, as many as may be at once, as soon as the first has
 * come, or with the first if the list has been read before.  The next page's
 * token is known as soon as a page has arrived.  Those after it are guessed, if
 * tokens so far have been the number of entries read ("50" after a first page
 * of 50), and never beyond what "total" allows.  A guess is only ever used if
 * the page before it really gives that token; at the first that does not,
 * guessing ends, and the guesses that were wrong are thrown away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "read/read_pager.h"

/* "?" or "&", whichever comes next in the target */
static void
add_parameter(StringInfo target, const char *parameter)
{
	appendStringInfoChar(target, strchr(target->data, '?') ? '&' : '?');
	appendStringInfoString(target, parameter);
}

char *
sigma_list_target(const SigmaListSpec *spec, const char *page_token)
{
	const SigmaResource *resource = spec->resource;
	SigmaPaging paging = resource->paging == SIGMA_PAGING_FOUND ? spec->found : resource->paging;
	bool		by_token = paging == SIGMA_PAGING_PAGE_TOKEN;
	StringInfoData target;

	initStringInfo(&target);
	appendStringInfoString(&target, spec->path);
	if (spec->item)
		return target.data;
	if (spec->scope.include_archived && resource->archived_query)
		add_parameter(&target, resource->archived_query);
	if (spec->scope.skip_permission_check && resource->unshared_query)
		add_parameter(&target, resource->unshared_query);
	if (spec->scope.direct_grants_only && resource->direct_query)
		add_parameter(&target, resource->direct_query);
	if (resource->query)
		add_parameter(&target, resource->query);
	if (spec->filters && spec->filters[0])
		add_parameter(&target, spec->filters);
	if (resource->paging == SIGMA_PAGING_PAGE_TOKEN || resource->paging == SIGMA_PAGING_PAGE)
	{
		int			limit = resource->max_page_size ? Min(spec->limit, resource->max_page_size) : spec->limit;

		add_parameter(&target, psprintf("%s=%d", by_token ? "pageSize" : "limit", limit));
	}
	if (page_token)
		add_parameter(&target, psprintf("%s=%s", by_token ? "pageToken" : "page",
										sigma_url_encode(page_token, strlen(page_token))));
	return target.data;
}

/* Asks for the page of a token (NULL: the first). */
static void
request_page(SigmaPager *pager, const char *token)
{
	MemoryContext context = AllocSetContextCreate(pager->context, "sigma page",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ApiPage    *page = palloc0(sizeof(ApiPage));
	SigmaCallSpec spec = {.method = "GET", .stats = pager->stats};

	/* who was asked for by key need not be there */
	spec.purpose = pager->spec.by_key && token == NULL ? SIGMA_LOOKUP : SIGMA_READ;
	spec.nothing = pager->spec.nothing;
	spec.secrets = pager->spec.secrets;
	spec.resource = counted_as(pager);
	spec.target = sigma_list_target(&pager->spec, token);
	page->context = context;
	page->token = token ? pstrdup(token) : NULL;
	page->call = sigma_call_start(pager->session, context, &spec);
	MemoryContextSwitchTo(pager->context);
	pager->ahead = lappend(pager->ahead, page);
	MemoryContextSwitchTo(old);
}

/* Nothing of what is on its way is wanted any more. */
void
sigma_pager_drop_pages_ahead(SigmaPager *pager)
{
	ListCell   *lc;

	foreach(lc, pager->ahead)
		MemoryContextDelete(((ApiPage *) lfirst(lc))->context);
	list_free(pager->ahead);
	pager->ahead = NIL;
}

/* Pages that were guessed wrong are not of this list; the token is that of the next. */
static void
drop_wrong_guesses(SigmaPager *pager, const char *token)
{
	while (pager->ahead != NIL && strcmp(((ApiPage *) linitial(pager->ahead))->token, token) != 0)
	{
		MemoryContextDelete(((ApiPage *) linitial(pager->ahead))->context);
		pager->ahead = list_delete_first(pager->ahead);
		pager->step = 0;
	}
}

/* The number that a token is, if it is one and nothing else; else -1. */
static int64
token_number(const char *token)
{
	size_t		length = strlen(token);

	if (length == 0 || length > 18 || strspn(token, "0123456789") != length ||
		(token[0] == '0' && length > 1))
		return -1;
	return strtoll(token, NULL, 10);
}

/*
 * Asks for the first page, and for those behind it if all will be read and
 * it is known from the time before what their tokens are.  If the first page is
 * yet to tell how tokens are sent, none of the others can be asked for.
 */
static void
request_first(SigmaPager *pager)
{
	int64		limit = pager->spec.limit;
	int64		entries;

	request_page(pager, NULL);
	if (!pager->spec.whole || !pager->spec.prefetch || !is_noted(pager) ||
		pager->spec.resource->paging == SIGMA_PAGING_FOUND)
		return;
	entries = sigma_stat_length(pager->session, pager->spec.resource->name);
	for (int64 guess = limit; guess < entries &&
		 list_length(pager->ahead) < sigma_session_concurrency(pager->session); guess += limit)
		request_page(pager, psprintf(INT64_FORMAT, guess));
}

/* Is all that is expected to be wanted in hand, or on its way? */
static bool
has_enough(const SigmaPager *pager)
{
	int64		here = pager->nentries - pager->next_entry;
	int64		coming = (int64) list_length(pager->ahead) * pager->spec.limit;

	return pager->spec.wanted > 0 && pager->entries_seen + here + coming >= pager->spec.wanted;
}

/*
 * Asks for the pages behind the one in hand, as many as the walk is deep.  The
 * first of them is known, the others are guesses.
 */
void
sigma_pager_look_ahead(SigmaPager *pager)
{
	int64		next;

	if (pager->depth == 0 || pager->next_token == NULL)
		return;
	drop_wrong_guesses(pager, pager->next_token);
	if (pager->ahead == NIL && !has_enough(pager))
		request_page(pager, pager->next_token);
	next = pager->step ? token_number(pager->next_token) : -1;
	while (next >= 0 && list_length(pager->ahead) < pager->depth && !has_enough(pager))
	{
		int64		guess = next + (int64) list_length(pager->ahead) * pager->step;

		if (guess >= pager->total)
			break;
		request_page(pager, psprintf(INT64_FORMAT, guess));
	}
	/* they leave now, not when the pages that have come are used up */
	sigma_session_poll(pager->session);
}

/* The page in hand ends, and the next takes its place. */
void
sigma_pager_drop_page(SigmaPager *pager)
{
	if (pager->page)
		MemoryContextDelete(pager->page->context);
	pager->page = NULL;
}

/* Waits for the page of the token; what its request ended with, or NULL. */
const SigmaFailure *
sigma_pager_await_page(SigmaPager *pager, const char *token)
{
	if (token)
		drop_wrong_guesses(pager, token);
	if (pager->ahead == NIL && token == NULL)
		request_first(pager);
	else if (pager->ahead == NIL)
		request_page(pager, token);
	sigma_pager_drop_page(pager);
	pager->page = linitial(pager->ahead);
	pager->ahead = list_delete_first(pager->ahead);

	sigma_call_wait(pager->page->call);
	pager->target = sigma_call_target(pager->page->call);
	return sigma_call_failure(pager->page->call);
}

/* Begins the first request, without waiting for it. */
void
sigma_pager_start(SigmaPager *pager)
{
	if (pager->pages == 0 && pager->ahead == NIL && !pager->finished)
		request_first(pager);
}

/* The first page has come.  If all of the list will be read, there is nothing to wait for. */
void
sigma_pager_want_all(SigmaPager *pager)
{
	if (!pager->spec.whole || !pager->spec.prefetch || pager->next_token == NULL)
		return;
	drop_wrong_guesses(pager, pager->next_token);
	if (token_number(pager->next_token) == pager->nentries)
		pager->step = pager->nentries;
	pager->depth = sigma_session_concurrency(pager->session);
	sigma_pager_look_ahead(pager);
}

/*
 * The page in hand is at its end, and there is another: asks for that one, if
 * that has not been done, and for more, since who wants a second page will
 * want a third.
 */
void
sigma_pager_want_next_page(SigmaPager *pager)
{
	if (pager->wanted)
		return;
	pager->wanted = true;
	if (pager->ahead == NIL)
		request_page(pager, pager->next_token);
	if (!pager->spec.prefetch)
		return;
	if (pager->depth == 0 && token_number(pager->next_token) == pager->entries_seen)
		pager->step = pager->entries_seen;
	pager->depth = Min(Max(pager->depth * 2, 1), sigma_session_concurrency(pager->session));
	sigma_pager_look_ahead(pager);
}

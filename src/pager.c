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
 * Look-ahead.  Once the second page has been asked for, further pages are
 * requested before they are wanted, more of them the longer the walk goes on.
 * The next page's token is known as soon as a page has arrived.  Those after
 * it are guessed, if tokens so far have been the number of entries read ("50"
 * after a first page of 50), and never beyond what "total" allows.  A guess is
 * only ever used if the page before it really gives that token; at the first
 * that does not, all guessed pages are thrown away and guessing ends.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

/* So many pages in a row without an entry are taken for an endless list. */
#define MAX_EMPTY_PAGES 1000

/* The page tokens that a walk has seen. */
typedef struct SeenToken
{
	char	   *token;
	uint32		hash;
	char		status;
} SeenToken;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenToken
#define SH_KEY_TYPE char *
#define SH_KEY token
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, element) (element)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A page that has been asked for. */
typedef struct ApiPage
{
	char	   *token;			/* NULL for the first */
	SigmaCall  *call;
	MemoryContext context;
} ApiPage;

struct SigmaPager
{
	SigmaSession *session;
	SigmaListSpec spec;			/* its texts are the caller's */
	SigmaStats *stats;
	MemoryContext context;		/* of the pager itself */
	MemoryContext walk_context; /* of one walk: the tokens seen */

	/* the walk */
	List	   *ahead;			/* of ApiPage, in order: asked for, not yet taken */
	int			depth;			/* how many to ask for ahead; 0 on the first page */
	int64		step;			/* from one token to the next; 0: do not guess */
	bool		finished;
	int			pages;
	int			empty_pages;	/* in a row */
	int64		entries_seen;	/* yielded or left out */
	double		total;			/* as the last page says; -1: it does not */
	seen_hash  *seen;
	char	   *next_token;		/* in walk_context; NULL at the end */
	SigmaFailure *failure;		/* if failures are tolerated */

	/* the page in hand */
	ApiPage    *page;
	const char *target;
	SigmaJsonValue entries;
	const char *cursor;
	bool		single;			/* "entries" is the one entry itself */
};

/* "?" or "&", whichever comes next in the target */
static void
add_parameter(StringInfo target, const char *parameter)
{
	appendStringInfoChar(target, strchr(target->data, '?') ? '&' : '?');
	appendStringInfoString(target, parameter);
}

/*
 * Path and query of a list's page, palloc'd.  The token is in UTF-8 and not
 * yet encoded; NULL for the first page.
 */
char *
sigma_list_target(const SigmaListSpec *spec, const char *page_token)
{
	const SigmaResource *resource = spec->resource;
	bool		by_token = resource->paging == SIGMA_PAGING_PAGE_TOKEN;
	StringInfoData target;

	initStringInfo(&target);
	appendStringInfoString(&target, spec->path);
	if (spec->item)
		return target.data;
	if (spec->include_archived && resource->archived_query)
		add_parameter(&target, resource->archived_query);
	if (spec->filters && spec->filters[0])
		add_parameter(&target, spec->filters);
	if (by_token || resource->paging == SIGMA_PAGING_PAGE)
	{
		int			limit = resource->max_page_size ? Min(spec->limit, resource->max_page_size) : spec->limit;

		add_parameter(&target, psprintf("%s=%d", by_token ? "pageSize" : "limit", limit));
	}
	if (page_token)
		add_parameter(&target, psprintf("%s=%s", by_token ? "pageToken" : "page",
										sigma_url_encode(page_token, strlen(page_token))));
	return target.data;
}

/*
 * A pager over a list, in a memory context of its own below "context".  The
 * spec's texts must live as long.  No request is made before the first entry
 * is asked for, or sigma_pager_start() is called.
 */
SigmaPager *
sigma_pager_open(SigmaSession *session, MemoryContext context, const SigmaListSpec *spec,
				 SigmaStats *stats)
{
	MemoryContext own = AllocSetContextCreate(context, "sigma pager", ALLOCSET_SMALL_SIZES);
	SigmaPager *pager = MemoryContextAllocZero(own, sizeof(SigmaPager));

	pager->session = session;
	pager->spec = *spec;
	pager->stats = stats;
	pager->context = own;
	pager->walk_context = AllocSetContextCreate(own, "sigma walk", ALLOCSET_SMALL_SIZES);
	pager->total = -1;
	return pager;
}

/* --------------------------------------------------------- pages on the way */

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
	spec.target = sigma_list_target(&pager->spec, token);
	page->context = context;
	page->token = token ? pstrdup(token) : NULL;
	page->call = sigma_call_start(pager->session, context, &spec);
	MemoryContextSwitchTo(pager->context);
	pager->ahead = lappend(pager->ahead, page);
	MemoryContextSwitchTo(old);
}

static void
drop_pages_ahead(SigmaPager *pager)
{
	ListCell   *lc;

	foreach(lc, pager->ahead)
		MemoryContextDelete(((ApiPage *) lfirst(lc))->context);
	list_free(pager->ahead);
	pager->ahead = NIL;
}

/* A page that was guessed wrong, and all behind it, are not of this list. */
static void
drop_wrong_guess(SigmaPager *pager, const char *token)
{
	if (pager->ahead == NIL || strcmp(((ApiPage *) linitial(pager->ahead))->token, token) == 0)
		return;
	drop_pages_ahead(pager);
	pager->step = 0;
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
 * Asks for the pages behind the one in hand, as many as the walk is deep.  The
 * first of them is known, the others are guesses.
 */
static void
look_ahead(SigmaPager *pager)
{
	int64		next;

	if (pager->depth == 0 || pager->next_token == NULL)
		return;
	drop_wrong_guess(pager, pager->next_token);
	if (pager->ahead == NIL)
		request_page(pager, pager->next_token);
	next = token_number(pager->next_token);
	if (pager->step == 0 || next < 0)
		return;
	while (list_length(pager->ahead) < pager->depth)
	{
		int64		guess = next + (int64) list_length(pager->ahead) * pager->step;

		if (guess >= pager->total)
			break;
		request_page(pager, psprintf(INT64_FORMAT, guess));
	}
}

/* -------------------------------------------------------------- one reply */

/* Keeps the token for the next page; raises if the walk has seen it before. */
static void
take_next_token(SigmaPager *pager, const SigmaJsonValue *value)
{
	MemoryContext old = MemoryContextSwitchTo(pager->walk_context);
	char	   *token;
	bool		found;

	if (value->kind != SIGMA_JSON_STRING && value->kind != SIGMA_JSON_NUMBER)
		sigma_raise_reply(pager->target, "the token of the next page is not a string");
	token = sigma_json_page_token(value);
	if (token[0] != '\0')
	{
		if (pager->seen == NULL)
			pager->seen = seen_create(pager->walk_context, 64, NULL);
		(void) seen_insert(pager->seen, token, &found);
		if (found)
			sigma_raise_reply(pager->target, "a pagination loop, the next page is one that was read before");
		pager->next_token = token;
	}
	MemoryContextSwitchTo(old);
}

/* The parts of an envelope that matter; kind NULL for what is absent. */
typedef struct Envelope
{
	SigmaJsonValue entries;
	SigmaJsonValue next;
	SigmaJsonValue total;
	bool		next_present;
	bool		more;			/* "hasMore" is true */
} Envelope;

static void
read_envelope(SigmaPager *pager, const SigmaJsonValue *reply, Envelope *e)
{
	const char *next = pager->spec.resource->paging == SIGMA_PAGING_PAGE_TOKEN ? "nextPageToken" : "nextPage";
	bool		entries_present = false;
	SigmaJsonMember member;
	const char *cursor = NULL;

	memset(e, 0, sizeof(Envelope));
	while (sigma_json_next_member(reply, &cursor, &member))
	{
		if (sigma_json_is(&member.key, "entries"))
		{
			if (entries_present)
				sigma_raise_reply(pager->target, "\"entries\" stands in it twice");
			entries_present = true;
			e->entries = member.value;
		}
		else if (sigma_json_is(&member.key, next))
		{
			if (e->next_present)
				sigma_raise_reply(pager->target, "\"%s\" stands in it twice", next);
			e->next_present = true;
			e->next = member.value;
		}
		else if (sigma_json_is(&member.key, "total"))
			e->total = member.value;
		else if (sigma_json_is(&member.key, "hasMore"))
			e->more = member.value.kind == SIGMA_JSON_TRUE;
		else if ((sigma_json_is(&member.key, "nextPage") || sigma_json_is(&member.key, "nextPageToken")) &&
				 member.value.kind != SIGMA_JSON_NULL)
			sigma_raise_reply(pager->target, "its pages are not linked in the way of this list");
	}
	if (e->entries.kind != SIGMA_JSON_ARRAY)
		sigma_raise_reply(pager->target, "it has no array \"entries\"");
	if (!e->next_present && e->more)
		sigma_raise_reply(pager->target, "\"hasMore\" is true, but there is no \"%s\"", next);
}

/* Takes the reply of the page in hand apart. */
static void
read_page(SigmaPager *pager)
{
	SigmaJsonValue reply;
	SigmaPaging paging = pager->spec.resource->paging;
	const char *error;

	pager->next_token = NULL;
	pager->total = -1;
	pager->single = pager->spec.item || paging == SIGMA_PAGING_OBJECT;
	if (!sigma_json_check(sigma_call_body(pager->page->call), &reply, &error))
		sigma_raise_reply(pager->target, "%s", error);
	if (pager->single)
		pager->entries = reply;
	else if (reply.kind == SIGMA_JSON_ARRAY && paging == SIGMA_PAGING_NONE)
		pager->entries = reply;
	else if (reply.kind == SIGMA_JSON_OBJECT)
	{
		Envelope	e;

		read_envelope(pager, &reply, &e);
		pager->entries = e.entries;
		if (e.next.kind != SIGMA_JSON_NULL)
			take_next_token(pager, &e.next);
		if (e.total.kind == SIGMA_JSON_NUMBER)
			pager->total = strtod(e.total.text.data, NULL);
	}
	else
		sigma_raise_reply(pager->target, "it is not a page of a list");
	if (paging == SIGMA_PAGING_NONE && pager->next_token)
		sigma_raise_reply(pager->target, "it has more pages, but this list takes no paging parameters");
	pager->cursor = NULL;
}

/* The page in hand ends; the one of the token takes its place. */
static bool
take_page(SigmaPager *pager, const char *token)
{
	MemoryContext old = MemoryContextSwitchTo(pager->context);
	const SigmaFailure *failure;

	if (token)
		drop_wrong_guess(pager, token);
	if (pager->ahead == NIL)
		request_page(pager, token);
	if (pager->page)
		MemoryContextDelete(pager->page->context);
	pager->page = linitial(pager->ahead);
	pager->ahead = list_delete_first(pager->ahead);

	sigma_call_wait(pager->page->call);
	pager->target = sigma_call_target(pager->page->call);
	failure = sigma_call_failure(pager->page->call);
	if (failure && !pager->spec.tolerate)
		sigma_raise(failure);
	if (failure)
		pager->failure = sigma_copy_failure(failure);
	MemoryContextSwitchTo(old);
	if (failure || sigma_call_not_found(pager->page->call))
		return false;

	pager->pages++;
	if (pager->stats && !pager->spec.item)
		pager->stats->pages++;
	read_page(pager);
	return true;
}

/*
 * Is an entry a row of the table?  Not if it is archived and archived ones
 * are left out.  Raises if it is no entry at all: not an object, or one that
 * says why the entry could not be had.
 */
static bool
entry_belongs(const SigmaPager *pager, SigmaSpan entry)
{
	const SigmaResource *resource = pager->spec.resource;
	SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry};
	const char *key = resource->key ? sigma_find_field(resource, resource->key)->field : NULL;
	bool		has_key = false;
	bool		has_code = false;
	bool		has_message = false;
	bool		archived = false;
	SigmaJsonMember member;
	const char *cursor = NULL;

	if (entry.data[0] != '{')
		sigma_raise_reply(pager->target, "an entry is not an object");
	while (sigma_json_next_member(&object, &cursor, &member))
	{
		if (key && sigma_json_is(&member.key, key))
			has_key = true;
		else if (resource->archived_field && sigma_json_is(&member.key, resource->archived_field))
			archived = member.value.kind == SIGMA_JSON_TRUE;
		else if (sigma_json_is(&member.key, "code"))
			has_code = true;
		else if (sigma_json_is(&member.key, "message"))
			has_message = true;
	}
	/* where the API describes errors as entries, they have columns of their own */
	if (!has_key && has_code && has_message && sigma_find_api_field(resource, "code") == NULL)
	{
		char	   *code = sigma_json_member_text(&object, "code");
		char	   *message = sigma_json_member_text(&object, "message");
		char	   *request_id = sigma_json_member_text(&object, "requestId");

		sigma_raise_reply(pager->target, "an entry is an error, code \"%s\", requestId \"%s\": %s",
						  code ? sigma_clean_text(code, strlen(code), 100) : "",
						  request_id ? sigma_clean_text(request_id, strlen(request_id), 100) : "",
						  message ? sigma_clean_text(message, strlen(message), 1000) : "no message");
	}
	return pager->spec.include_archived || !archived;
}

/* The walk has come to its end: was it complete? */
static void
finish_walk(SigmaPager *pager)
{
	const SigmaListSpec *spec = &pager->spec;

	pager->finished = true;
	drop_pages_ahead(pager);
	if (spec->item)
		return;
	if (spec->resource->parent == NULL && spec->filters == NULL)
		sigma_session_note_total(pager->session, spec->resource, (double) pager->entries_seen);
	if (pager->total >= 0 && pager->total != (double) pager->entries_seen)
		ereport(WARNING,
				(errmsg("list of %s gave " INT64_FORMAT " entries, but Sigma counts %.0f",
						spec->resource->name, pager->entries_seen, pager->total),
				 errdetail("It may have changed while it was read."),
				 errhint("Run the query again for a consistent answer.")));
}

/* Begins the first request, without waiting for it. */
void
sigma_pager_start(SigmaPager *pager)
{
	if (pager->pages == 0 && pager->ahead == NIL && !pager->finished)
		request_page(pager, NULL);
}

/* The next entry of the page in hand. */
static bool
next_on_page(SigmaPager *pager, SigmaSpan *entry)
{
	SigmaJsonValue element;

	if (pager->single)
	{
		if (pager->cursor != NULL)
			return false;
		pager->cursor = pager->entries.text.data;
		*entry = pager->entries.text;
		return true;
	}
	if (!sigma_json_next_element(&pager->entries, &pager->cursor, &element))
		return false;
	*entry = element.text;
	return true;
}

/*
 * The next entry of the list, an object in checked text that lives until the
 * next call; false at the end.  Raises on any failure: a list is never short.
 * With "tolerate" in the spec, a request's failure ends the list instead, and
 * sigma_pager_failure() tells of it.
 */
bool
sigma_pager_next(SigmaPager *pager, SigmaSpan *entry)
{
	if (pager->finished)
		return false;
	if (pager->page == NULL && !take_page(pager, NULL))
	{
		pager->finished = true;
		return false;
	}
	for (;;)
	{
		while (next_on_page(pager, entry))
		{
			pager->entries_seen++;
			pager->empty_pages = 0;
			if (entry_belongs(pager, *entry))
				return true;
		}
		if (pager->next_token == NULL)
		{
			finish_walk(pager);
			return false;
		}
		if (++pager->empty_pages > MAX_EMPTY_PAGES)
			sigma_raise_reply(pager->target, "%d pages in a row had no entries", MAX_EMPTY_PAGES);

		/* who wants a second page will want more */
		if (pager->spec.prefetch)
		{
			if (pager->depth == 0 && token_number(pager->next_token) == pager->entries_seen)
				pager->step = pager->entries_seen;
			pager->depth = Min(Max(pager->depth * 2, 1), sigma_session_concurrency(pager->session));
			look_ahead(pager);
		}
		if (!take_page(pager, pager->next_token))
		{
			pager->finished = true;
			return false;
		}
		look_ahead(pager);
	}
}

/* Why the list ended early, if that is tolerated; else NULL. */
const SigmaFailure *
sigma_pager_failure(const SigmaPager *pager)
{
	return pager->failure;
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
	if (pager->page && pager->pages == 1)
	{
		pager->cursor = NULL;
		return;
	}
	drop_pages_ahead(pager);
	if (pager->page)
		MemoryContextDelete(pager->page->context);
	pager->page = NULL;
	pager->pages = 0;
	pager->depth = 0;
	pager->step = 0;
	pager->seen = NULL;
	pager->next_token = NULL;
	pager->failure = NULL;
	MemoryContextReset(pager->walk_context);
}

/* Ends the pager and its memory. */
void
sigma_pager_close(SigmaPager *pager)
{
	MemoryContextDelete(pager->context);
}

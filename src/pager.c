/*-------------------------------------------------------------------------
 *
 * pager.c
 *	  Walks a list of the API, page after page, and yields one entry at a time.
 *
 * A list is all there or it is an error.  What could make an answer short
 * without anybody noticing is refused here: a page that is not what the API
 * describes, a page token that was seen before, an error object among the
 * entries.  If the API says how many entries there are and the walk ends with
 * another number, a WARNING says so: the list may have changed meanwhile.
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

struct SigmaPager
{
	SigmaSession *session;
	const SigmaResource *resource;
	int			limit;
	bool		include_archived;
	SigmaStats *stats;
	MemoryContext context;		/* of the pager itself */
	MemoryContext walk_context; /* of one walk: the tokens seen */
	MemoryContext page_context; /* of one page */

	/* the walk */
	bool		started;
	bool		finished;
	int			pages;
	int			empty_pages;	/* in a row */
	int64		entries_seen;
	double		total;			/* as the last page says; -1: it does not */
	seen_hash  *seen;
	char	   *next_token;		/* in walk_context; NULL at the end */

	/* the page in hand */
	const char *target;
	SigmaJsonValue entries;
	const char *cursor;
};

/* "?" or "&", whichever comes next in the target */
static void
add_parameter(StringInfo target, const char *name, const char *value)
{
	appendStringInfo(target, "%c%s=%s", strchr(target->data, '?') ? '&' : '?', name, value);
}

/*
 * Path and query of a list's page, palloc'd.  The token is in UTF-8 and not
 * yet encoded; NULL for the first page.
 */
char *
sigma_list_target(const SigmaResource *resource, int limit, bool include_archived,
				  const char *page_token)
{
	bool		by_token = resource->paging == SIGMA_PAGING_PAGE_TOKEN;
	StringInfoData target;

	initStringInfo(&target);
	appendStringInfoString(&target, resource->path);
	if (include_archived && resource->archived_parameter)
		add_parameter(&target, resource->archived_parameter, "true");
	if (resource->paging != SIGMA_PAGING_NONE)
		add_parameter(&target, by_token ? "pageSize" : "limit", psprintf("%d", limit));
	if (page_token)
		add_parameter(&target, by_token ? "pageToken" : "page",
					  sigma_url_encode(page_token, strlen(page_token)));
	return target.data;
}

/*
 * The path of one entry, palloc'd.  NULL if nothing can have this key: as a
 * path segment it would not be a name, but the list itself or its parent.
 */
char *
sigma_item_target(const SigmaResource *resource, const char *key)
{
	char	   *utf8 = pg_server_to_any(key, (int) strlen(key), PG_UTF8);

	if (key[0] == '\0' || strcmp(key, ".") == 0 || strcmp(key, "..") == 0)
		return NULL;
	return psprintf("%s%s", resource->item_path, sigma_url_encode(utf8, strlen(utf8)));
}

/*
 * A pager over a list, in a memory context of its own below "context".  No
 * request is made before the first entry is asked for.
 */
SigmaPager *
sigma_pager_open(SigmaSession *session, MemoryContext context, const SigmaResource *resource,
				 int limit, bool include_archived, SigmaStats *stats)
{
	MemoryContext own = AllocSetContextCreate(context, "sigma pager", ALLOCSET_SMALL_SIZES);
	SigmaPager *pager = MemoryContextAllocZero(own, sizeof(SigmaPager));

	pager->session = session;
	pager->resource = resource;
	pager->limit = limit;
	pager->include_archived = include_archived;
	pager->stats = stats;
	pager->context = own;
	pager->walk_context = AllocSetContextCreate(own, "sigma walk", ALLOCSET_SMALL_SIZES);
	pager->page_context = AllocSetContextCreate(own, "sigma page", ALLOCSET_SMALL_SIZES);
	return pager;
}

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
	const char *next = pager->resource->paging == SIGMA_PAGING_PAGE_TOKEN ? "nextPageToken" : "nextPage";
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

/* Fetches the page of a token, or the first; what the page before held ends. */
static void
fetch_page(SigmaPager *pager, const char *token)
{
	MemoryContext old;
	SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_READ, .stats = pager->stats};
	SigmaCall  *call;
	SigmaJsonValue reply;
	const char *error;

	MemoryContextReset(pager->page_context);
	old = MemoryContextSwitchTo(pager->page_context);
	spec.target = sigma_list_target(pager->resource, pager->limit, pager->include_archived, token);
	call = sigma_call(pager->session, pager->page_context, &spec);
	pager->target = sigma_call_target(call);
	pager->pages++;
	if (pager->stats)
		pager->stats->pages++;

	if (!sigma_json_check(sigma_call_body(call), &reply, &error))
		sigma_raise_reply(pager->target, "%s", error);
	pager->next_token = NULL;
	pager->total = -1;
	if (reply.kind == SIGMA_JSON_ARRAY && pager->resource->paging == SIGMA_PAGING_NONE)
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
	pager->cursor = NULL;
	MemoryContextSwitchTo(old);
}

/*
 * Is an entry a row of the table?  Not if it is archived and archived ones
 * are left out.  Raises if it is no entry at all: not an object, or one that
 * says why the entry could not be had.
 */
bool
sigma_entry_belongs(const SigmaResource *resource, bool include_archived, SigmaSpan entry,
					const char *target)
{
	SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry};
	const char *key = resource->key ? sigma_find_field(resource, resource->key)->field : NULL;
	bool		has_key = key == NULL;
	bool		has_code = false;
	bool		archived = false;
	SigmaJsonMember member;
	const char *cursor = NULL;

	if (entry.data[0] != '{')
		sigma_raise_reply(target, "an entry is not an object");
	while (sigma_json_next_member(&object, &cursor, &member))
	{
		if (key && sigma_json_is(&member.key, key))
			has_key = true;
		else if (resource->archived_field && sigma_json_is(&member.key, resource->archived_field))
			archived = member.value.kind == SIGMA_JSON_TRUE;
		else if (sigma_json_is(&member.key, "code"))
			has_code = true;
	}
	if (!has_key && has_code)
	{
		char	   *code = sigma_json_member_text(&object, "code");
		char	   *message = sigma_json_member_text(&object, "message");
		char	   *request_id = sigma_json_member_text(&object, "requestId");

		sigma_raise_reply(target, "an entry is an error, code \"%s\", requestId \"%s\": %s",
						  code ? sigma_clean_text(code, strlen(code), 100) : "",
						  request_id ? sigma_clean_text(request_id, strlen(request_id), 100) : "",
						  message ? sigma_clean_text(message, strlen(message), 1000) : "no message");
	}
	return include_archived || !archived;
}

/* The walk has come to its end: was it complete? */
static void
finish_walk(SigmaPager *pager)
{
	pager->finished = true;
	sigma_session_note_total(pager->session, pager->resource, (double) pager->entries_seen);
	if (pager->total >= 0 && pager->total != (double) pager->entries_seen)
		ereport(WARNING,
				(errmsg("list of %s gave " INT64_FORMAT " entries, but Sigma counts %.0f",
						pager->resource->name, pager->entries_seen, pager->total),
				 errdetail("It may have changed while it was read."),
				 errhint("Run the query again for a consistent answer.")));
}

/*
 * The next entry of the list, an object in checked text that lives until the
 * next call; false at the end.  Raises on any failure: a list is never short.
 */
bool
sigma_pager_next(SigmaPager *pager, SigmaSpan *entry)
{
	SigmaJsonValue element;

	if (pager->finished)
		return false;
	if (!pager->started)
	{
		fetch_page(pager, NULL);
		pager->started = true;
	}
	for (;;)
	{
		while (sigma_json_next_element(&pager->entries, &pager->cursor, &element))
		{
			pager->entries_seen++;
			pager->empty_pages = 0;
			if (sigma_entry_belongs(pager->resource, pager->include_archived, element.text,
									pager->target))
			{
				*entry = element.text;
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
		fetch_page(pager, pager->next_token);
	}
}

/*
 * Begins again with the first entry.  A list of one page that has been read
 * is not fetched again.
 */
void
sigma_pager_rewind(SigmaPager *pager)
{
	bool		keep = pager->started && pager->pages == 1;

	pager->finished = false;
	pager->entries_seen = 0;
	pager->empty_pages = 0;
	if (keep)
	{
		pager->cursor = NULL;
		return;
	}
	pager->started = false;
	pager->pages = 0;
	pager->seen = NULL;
	pager->next_token = NULL;
	MemoryContextReset(pager->walk_context);
	MemoryContextReset(pager->page_context);
}

/* Ends the pager and its memory. */
void
sigma_pager_close(SigmaPager *pager)
{
	MemoryContextDelete(pager->context);
}

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
 * requested before they are wanted, more of them the longer the walk goes on;
 * if it is known that all will be read, as many as may be at once, as soon as
 * the first has come, or with the first if the list has been read before.
 * The next page's token is known as soon as a page has arrived.  Those after
 * it are guessed, if tokens so far have been the number of entries read ("50"
 * after a first page of 50), and never beyond what "total" allows.  A guess is
 * only ever used if the page before it really gives that token; at the first
 * that does not, guessing ends, and the guesses that were wrong are thrown away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read_internal.h"

/* So many pages in a row without an entry are taken for an endless list. */
#define MAX_EMPTY_PAGES 1000

/*
 * A page has a thousand entries, and a list that does not come in pages some
 * thousands; each takes ten times as much memory as it can be short.
 */
#define MAX_PAGE_ENTRIES 1000000

/* It becomes part of a URL, and servers take no longer ones. */
#define MAX_TOKEN_LENGTH 8000

/* No list is longer: 2^53, up to where doubles are exact. */
#define MAX_TOTAL 9007199254740992.0

/* While a page is read, the pages behind it are looked after this often. */
#define POLL_INTERVAL 64

/* The page tokens that a walk has seen. */
typedef struct SeenToken
{
	char	   *token;
	uint32		hash;
	char		status;
} SeenToken;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenToken
#define SH_KEY token
#include "base/texthash.h"

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
	seen_hash  *seen;
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

/* The lists that this backend has under way. */
static dlist_head open_pagers = DLIST_STATIC_INIT(open_pagers);

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

/* Which members are looked for: those that the caller wants, and those that tell what an entry is. */
static void
set_names(SigmaPager *pager)
{
	const SigmaResource *resource = pager->spec.resource;
	const SigmaNames *wanted = pager->spec.fields;
	int			nwanted = wanted ? wanted->n : 0;
	int			n = nwanted + TELLS_COUNT;
	const char **list = palloc(n * sizeof(char *));
	const char **telling = list + nwanted;

	for (int i = 0; i < nwanted; i++)
		list[i] = wanted->names[i];
	telling[TELLS_KEY] = resource->key ? sigma_find_field(resource, resource->key)->field : NULL;
	telling[TELLS_ARCHIVED] = resource->archived_field;
	telling[TELLS_CODE] = "code";
	telling[TELLS_MESSAGE] = "message";
	sigma_names_init(&pager->names, n, list);
	/* of a name that stands there twice, the first is found */
	for (int i = 0; i < TELLS_COUNT; i++)
	{
		int			j = 0;

		while (j < nwanted + i && !(telling[i] && list[j] && strcmp(list[j], telling[i]) == 0))
			j++;
		pager->telling[i] = j;
	}
	pager->values = palloc0(n * sizeof(SigmaJsonValue));
}

/* The field that is an entry's key; or NULL. */
static const char *
key_name(const SigmaPager *pager)
{
	return pager->names.names[pager->telling[TELLS_KEY]];
}

/* Under which name the list is counted; a raw one has no name but its path. */
static const char *
counted_as(const SigmaPager *pager)
{
	return pager->spec.raw ? NULL : pager->spec.resource->name;
}

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
	set_names(pager);
	MemoryContextSwitchTo(old);
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

static void
drop_pages_ahead(SigmaPager *pager)
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

/* Is it the list of a whole resource, of which the session keeps notes? */
static bool
is_noted(const SigmaPager *pager)
{
	return sigma_is_one_list(pager->spec.resource) && pager->spec.filters == NULL && !pager->spec.raw &&
		!pager->spec.item;
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
static void
look_ahead(SigmaPager *pager)
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
	if (value->text.length > MAX_TOKEN_LENGTH)
		sigma_raise_reply(pager->target, "the token of the next page is too long");
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
	SigmaPager *pager;
	const char *entries_name;	/* what this list calls its entries */
	SigmaJsonValue entries;
	SigmaJsonValue next[2];		/* the next page's token, by its two names */
	SigmaJsonValue total;
	int			entries_count;	/* how often the entries stand in it */
	int			next_count[2];
	bool		more;			/* "hasMore" is true */
	int			nnotes;			/* that are of entries */
	SigmaJsonVisitor visitor;
} Envelope;

/* The names of the next page's token, in the two idioms. */
static const char *const next_names[2] = {"nextPage", "nextPageToken"};

static void
add_note(void *arg, int name, const SigmaJsonValue *value)
{
	SigmaPager *pager = ((Envelope *) arg)->pager;
	Note	   *note;

	if (pager->nnotes == pager->notes_room)
	{
		CHECK_FOR_INTERRUPTS();
		pager->notes_room *= 2;
		pager->notes = repalloc_huge(pager->notes, pager->notes_room * sizeof(Note));
	}
	note = &pager->notes[pager->nnotes++];
	note->offset = (uint32) (value->text.data - pager->text);
	note->length = (uint32) value->text.length;
	note->name = (int16) name;
	note->kind = (uint8) value->kind;
	note->escaped = value->escaped;
	note->ascii = value->ascii;
}

static void
add_entry(Envelope *e, const SigmaJsonValue *entry)
{
	SigmaPager *pager = e->pager;

	/* the text of a page may be a gigabyte */
	CHECK_FOR_INTERRUPTS();
	if (pager->nentries == MAX_PAGE_ENTRIES)
		sigma_raise_reply(pager->target, "it has more than %d entries", MAX_PAGE_ENTRIES);
	if (entry->kind == SIGMA_JSON_OBJECT && e->visitor.nmembers > SIGMA_MAX_MEMBERS)
		sigma_raise_reply(pager->target, "an entry has more than %d members", SIGMA_MAX_MEMBERS);
	if (pager->nentries == pager->entries_room)
	{
		pager->entries_room *= 2;
		pager->entries = repalloc_huge(pager->entries, pager->entries_room * sizeof(SigmaJsonValue));
	}
	pager->entries[pager->nentries++] = *entry;
	e->nnotes = pager->nnotes;
}

/* While a reply is checked: notes its entries, and what else it says. */
static void
visit_value(void *arg, int depth, SigmaSpan name, const SigmaJsonValue *value)
{
	Envelope   *e = arg;
	SigmaJsonValue key = {.kind = SIGMA_JSON_STRING, .text = name};

	key.escaped = memchr(name.data, '\\', name.length) != NULL;
	if (depth == 2)
	{
		if (sigma_json_is(&key, e->entries_name))
			add_entry(e, value);
		else
			e->pager->nnotes = e->nnotes;
		return;
	}
	if (sigma_json_is(&key, e->entries_name))
	{
		e->entries_count++;
		e->entries = *value;
		return;
	}
	for (int i = 0; i < (int) lengthof(next_names); i++)
		if (sigma_json_is(&key, next_names[i]))
		{
			e->next_count[i]++;
			/* a null behind it does not hide one */
			if (value->kind != SIGMA_JSON_NULL)
				e->next[i] = *value;
		}
	if (sigma_json_is(&key, "total"))
		e->total = *value;
	else if (sigma_json_is(&key, "hasMore"))
		e->more = value->kind == SIGMA_JSON_TRUE;
}

/* The elements of a bare array are its entries. */
static void
visit_element(void *arg, int depth, SigmaSpan name UNUSED, const SigmaJsonValue *value)
{
	if (depth == 1)
		add_entry(arg, value);
}

/* Keeps the length of a whole resource for the planner. */
static void
note_total(const SigmaPager *pager, double total)
{
	if (is_noted(pager))
		sigma_session_note_total(pager->session, pager->spec.resource, total);
}

/* Which of the two idioms the pages of this list are linked in; the first page may tell. */
static int
next_idiom(SigmaPager *pager, const Envelope *e)
{
	SigmaPaging paging = pager->spec.resource->paging;

	if (paging == SIGMA_PAGING_FOUND && pager->pages == 1)
		pager->spec.found = e->next[1].kind != SIGMA_JSON_NULL ? SIGMA_PAGING_PAGE_TOKEN : SIGMA_PAGING_PAGE;
	return (paging == SIGMA_PAGING_FOUND ? pager->spec.found : paging) == SIGMA_PAGING_PAGE_TOKEN;
}

/* What an envelope says, once all of it is known to be well-formed. */
static void
read_envelope(SigmaPager *pager, const Envelope *e)
{
	int			idiom = next_idiom(pager, e);
	const char *next_name = next_names[idiom];

	if (e->entries_count > 1)
		sigma_raise_reply(pager->target, "\"%s\" stands in it twice", e->entries_name);
	if (e->next_count[idiom] > 1)
		sigma_raise_reply(pager->target, "\"%s\" stands in it twice", next_name);
	if (e->entries.kind != SIGMA_JSON_ARRAY)
		sigma_raise_reply(pager->target, "it has no array \"%s\"", e->entries_name);
	if (e->next[!idiom].kind != SIGMA_JSON_NULL)
		sigma_raise_reply(pager->target, "its pages are not linked in the way of this list");
	if (e->next_count[idiom] == 0 && e->more)
		sigma_raise_reply(pager->target, "\"hasMore\" is true, but there is no \"%s\"", next_name);
	if (e->next[idiom].kind != SIGMA_JSON_NULL)
		take_next_token(pager, &e->next[idiom]);
	if (pager->spec.resource->paging == SIGMA_PAGING_NONE && pager->next_token)
		sigma_raise_reply(pager->target, "it has more pages, but this list takes no paging parameters");
	if (e->total.kind == SIGMA_JSON_NUMBER)
	{
		pager->total = strtod(e->total.text.data, NULL);
		/* a number of entries is whole, and not beyond what a double counts */
		if (pager->total != rint(pager->total) || pager->total < 0 || pager->total > MAX_TOTAL)
			pager->total = -1;
		else
			note_total(pager, pager->total);
	}
}

/* Some endpoints answer in text or YAML, if they think that this is what is wanted. */
pg_noreturn static void
raise_text(const SigmaPager *pager)
{
	SigmaFailure *failure = sigma_reply_failure(pager->target, "it is text or YAML, where JSON was asked for");

	failure->hint = "sigma_request() returns such a reply as a string.";
	sigma_raise(failure);
}

/* Takes the reply of the page in hand apart. */
static void
read_page(SigmaPager *pager)
{
	SigmaPaging paging = pager->spec.resource->paging;
	SigmaSpan	body = sigma_call_body(pager->page->call);
	bool		single = pager->spec.item || paging == SIGMA_PAGING_OBJECT;
	size_t		blank = 0;
	bool		bare;
	Envelope	e = {.pager = pager, .visitor = {.arg = &e, .note = add_note, .names = &pager->names}};
	SigmaJsonValue reply;
	const char *error;

	pager->next_token = NULL;
	pager->wanted = false;
	pager->total = -1;
	pager->nentries = 0;
	pager->next_entry = 0;
	pager->text = body.data;
	pager->nnotes = 0;
	pager->next_note = 0;
	while (blank < body.length && memchr(" \t\r\n", body.data[blank], 4))
		blank++;
	bare = blank < body.length && body.data[blank] == '[';
	e.entries_name = pager->spec.resource->entries ? pager->spec.resource->entries : "entries";
	e.visitor.visit = single ? NULL : bare ? visit_element : visit_value;
	e.visitor.member_depth = single ? 1 : bare ? 2 : 3;
	if (!sigma_json_visit(body, &e.visitor, &reply, &error))
	{
		if (sigma_call_is_text(pager->page->call))
			raise_text(pager);
		sigma_raise_reply(pager->target, "%s", error);
	}
	if (single)
		add_entry(&e, &reply);
	else if (reply.kind == SIGMA_JSON_OBJECT)
		read_envelope(pager, &e);
	else if (!bare || (paging != SIGMA_PAGING_NONE && paging != SIGMA_PAGING_FOUND))
		sigma_raise_reply(pager->target, "it is not a page of a list");
}

/* The page in hand ends, and the next takes its place. */
static void
drop_page(SigmaPager *pager)
{
	if (pager->page)
		MemoryContextDelete(pager->page->context);
	pager->page = NULL;
}

/* Waits for the page of the token; what its request ended with, or NULL. */
static const SigmaFailure *
await_page(SigmaPager *pager, const char *token)
{
	if (token)
		drop_wrong_guesses(pager, token);
	if (pager->ahead == NIL && token == NULL)
		request_first(pager);
	else if (pager->ahead == NIL)
		request_page(pager, token);
	drop_page(pager);
	pager->page = linitial(pager->ahead);
	pager->ahead = list_delete_first(pager->ahead);

	sigma_call_wait(pager->page->call);
	pager->target = sigma_call_target(pager->page->call);
	return sigma_call_failure(pager->page->call);
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
	failure = await_page(pager, token);
	if (failure && token == NULL && give_up_filters(pager, failure))
		failure = await_page(pager, NULL);
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
		drop_page(pager);
		drop_pages_ahead(pager);
		pager->nentries = 0;
		return false;
	}

	pager->pages++;
	if (pager->stats && !pager->spec.item)
		pager->stats->pages++;
	read_page(pager);
	show_page(pager);
	SIGMA_DEBUG(DEBUG2, "list of %s: page %d with %d entries, of a total of %.0f",
				pager->spec.resource->name, pager->pages, pager->nentries, pager->total);
	return true;
}

/* Begins with an entry; raises if it is not an object, and must be one.  Its values are yet to be filled in. */
static void
set_entry(SigmaPager *pager, const SigmaJsonValue *value, SigmaEntry *entry)
{
	if (value->kind != SIGMA_JSON_OBJECT && !pager->spec.raw)
		sigma_raise_reply(pager->target, "an entry is not an object");
	entry->text = value->text;
	entry->is_part = false;
	entry->fields = pager->spec.fields;
	entry->values = pager->values;
	memset(pager->values, 0, pager->names.n * sizeof(SigmaJsonValue));
}

/* The next entry of the page in hand, by what was noted when that was checked. */
static void
take_entry(SigmaPager *pager, const SigmaJsonValue *value, SigmaEntry *entry)
{
	size_t		end = (size_t) (value->text.data - pager->text) + value->text.length;

	set_entry(pager, value, entry);
	for (; pager->next_note < pager->nnotes && pager->notes[pager->next_note].offset < end; pager->next_note++)
	{
		const Note *note = &pager->notes[pager->next_note];
		SigmaJsonValue *member = &pager->values[note->name];

		/* if a name comes twice, the last counts, as in jsonb */
		member->kind = note->kind;
		member->escaped = note->escaped;
		member->ascii = note->ascii;
		member->text.data = pager->text + note->offset;
		member->text.length = note->length;
	}
}

/* An entry that has not been checked as a part of a page. */
static void
take_object(SigmaPager *pager, const SigmaJsonValue *object, SigmaEntry *entry)
{
	set_entry(pager, object, entry);
	sigma_names_values(&pager->names, object, pager->values);
}

/* An entry that is a bare value becomes an object with one field. */
static void
take_bare(SigmaPager *pager, const SigmaJsonValue *value, SigmaEntry *entry)
{
	StringInfo	s = &pager->wrapped;
	SigmaJsonValue object;

	if (s->data == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(pager->context);

		initStringInfo(s);
		MemoryContextSwitchTo(old);
	}
	resetStringInfo(s);
	appendStringInfo(s, "{\"%s\":", pager->spec.resource->bare_field);
	appendBinaryStringInfo(s, value->text.data, (int) value->text.length);
	appendStringInfoChar(s, '}');
	object = sigma_json_object(sigma_span(s->data));
	take_object(pager, &object, entry);
}

/*
 * Takes what the transaction will have made of a connection when it commits,
 * in the place of what Sigma has.
 */
static void
apply_queued_change(SigmaPager *pager, SigmaEntry *entry)
{
	Oid			serverid = sigma_session_serverid(pager->session);
	SigmaJsonValue object = sigma_json_object(entry->text);
	CommandId	as_of;
	char	   *key;

	if (pager->spec.resource->writes != SIGMA_WRITES_CONNECTIONS || !sigma_queue_any(serverid))
		return;
	/* a statement does not see what it changes itself */
	as_of = pager->spec.dated ? pager->spec.as_of : InvalidCommandId;
	key = sigma_json_member_text(&object, key_name(pager));
	if (key && sigma_queue_find(serverid, key, as_of, &object.text))
		take_object(pager, &object, entry);
	if (key)
		pfree(key);
}

/* An entry that says why the entry could not be had. */
pg_noreturn static void
raise_error_entry(const SigmaPager *pager, const SigmaEntry *entry)
{
	SigmaJsonValue object = sigma_json_object(entry->text);
	char	   *code = sigma_json_member_utf8(&object, "code");
	char	   *message = sigma_json_member_utf8(&object, "message");
	char	   *request_id = sigma_json_member_utf8(&object, "requestId");

	sigma_raise_reply(pager->target, "an entry is an error, code %s, requestId %s: %s",
					  sigma_quoted(code ? sigma_clean_text(code, strlen(code), 100) : ""),
					  sigma_quoted(request_id ? sigma_clean_text(request_id, strlen(request_id), 100) : ""),
					  message ? sigma_clean_text(message, strlen(message), 1000) : "no message");
}

/* A look-up must give the entry that was asked for, and not just any object. */
static void
check_item(const SigmaPager *pager, const SigmaEntry *entry)
{
	SigmaJsonValue object = sigma_json_object(entry->text);
	const SigmaField *key_field = sigma_find_field(pager->spec.resource, pager->spec.resource->key);
	const char *field = key_field->field;
	char	   *key = sigma_json_member_text(&object, field);

	if (key == NULL)
		sigma_raise_reply(pager->target, "it has no \"%s\"", field);
	/* it may be spelled otherwise; the condition itself is checked again anyway */
	if (pager->spec.item_key && !sigma_same_key(key_field->kind, key, pager->spec.item_key))
		sigma_raise_reply(pager->target, "it is another entry, with \"%s\" %s", field, sigma_shown_id(key));
	pfree(key);
}

/*
 * Is an entry a row of the table?  Not if it is archived and archived ones
 * are left out.  Raises if it is no entry at all.
 */
static bool
entry_belongs(const SigmaPager *pager, const SigmaEntry *entry)
{
	bool		has[TELLS_COUNT];

	for (int i = 0; i < TELLS_COUNT; i++)
		has[i] = entry->values[pager->telling[i]].kind != SIGMA_JSON_NULL;
	/* where the API describes errors as entries, they have columns of their own */
	if (!has[TELLS_KEY] && has[TELLS_CODE] && has[TELLS_MESSAGE] &&
		sigma_find_api_field(pager->spec.resource, "code") == NULL)
		raise_error_entry(pager, entry);
	if (pager->spec.item && key_name(pager))
		check_item(pager, entry);
	/* what can be looked up by its key surely has one */
	if (!has[TELLS_KEY] && pager->spec.resource->item_path && key_name(pager))
		sigma_raise_reply(pager->target, "an entry has no \"%s\"", key_name(pager));
	return pager->spec.scope.include_archived ||
		entry->values[pager->telling[TELLS_ARCHIVED]].kind != SIGMA_JSON_TRUE;
}

/* The walk has come to its end: was it complete? */
static void
finish_walk(SigmaPager *pager)
{
	const SigmaListSpec *spec = &pager->spec;

	pager->finished = true;
	count_rows(pager);
	drop_pages_ahead(pager);
	if (spec->item)
		return;
	note_total(pager, (double) pager->entries_seen);
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

/* Begins the first request, without waiting for it. */
void
sigma_pager_start(SigmaPager *pager)
{
	if (pager->pages == 0 && pager->ahead == NIL && !pager->finished)
		request_first(pager);
}

/* The first page has come.  If all of the list will be read, there is nothing to wait for. */
static void
want_all(SigmaPager *pager)
{
	if (!pager->spec.whole || !pager->spec.prefetch || pager->next_token == NULL)
		return;
	drop_wrong_guesses(pager, pager->next_token);
	if (token_number(pager->next_token) == pager->nentries)
		pager->step = pager->nentries;
	pager->depth = sigma_session_concurrency(pager->session);
	look_ahead(pager);
}

/*
 * The page in hand is at its end, and there is another: asks for that one, if
 * that has not been done, and for more, since who wants a second page will
 * want a third.
 */
static void
want_next_page(SigmaPager *pager)
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
	look_ahead(pager);
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
		want_next_page(pager);
	return !sigma_call_done(((ApiPage *) linitial(pager->ahead))->call);
}

/* The next entry, out of the pages. */
static bool
read_entry(SigmaPager *pager, SigmaEntry *entry)
{
	SigmaJsonValue *next;

	if (pager->finished)
		return false;
	if (pager->page == NULL)
	{
		if (!take_page(pager, NULL))
		{
			pager->finished = true;
			return false;
		}
		want_all(pager);
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
			next = &pager->entries[pager->next_entry++];
			if (pager->spec.resource->bare_field && next->kind == SIGMA_JSON_STRING)
				take_bare(pager, next, entry);
			else
				take_entry(pager, next, entry);
			apply_queued_change(pager, entry);
			if (entry_belongs(pager, entry))
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

		want_next_page(pager);
		if (!take_page(pager, pager->next_token))
		{
			pager->finished = true;
			return false;
		}
		look_ahead(pager);
	}
}

bool
sigma_pager_next(SigmaPager *pager, SigmaEntry *entry)
{
	if (pager->next_kept < list_length(pager->kept))
	{
		take_object(pager, list_nth(pager->kept, pager->next_kept++), entry);
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
	drop_pages_ahead(pager);
	drop_page(pager);
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

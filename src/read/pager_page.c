/*-------------------------------------------------------------------------
 *
 * pager_page.c
 *	  What a page of a list says: its entries, the token of the next page, and
 *	  how many entries there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "txn/txn.h"
#include "read/read_pager.h"

/*
 * A page has a thousand entries, and a list that does not come in pages some
 * thousands; each takes ten times as much memory as it can be short.
 */
#define MAX_PAGE_ENTRIES 1000000

/* It becomes part of a URL, and servers take no longer ones. */
#define MAX_TOKEN_LENGTH 8000

/* No list is longer: 2^53, up to where doubles are exact. */
#define MAX_TOTAL 9007199254740992.0

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
void
sigma_pager_note_total(const SigmaPager *pager, double total)
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
			sigma_pager_note_total(pager, pager->total);
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
void
sigma_pager_read_page(SigmaPager *pager)
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

/* ------------------------------------------------------------- its entries */

/* Which members are looked for: those that the caller wants, and those that tell what an entry is. */
void
sigma_pager_set_names(SigmaPager *pager)
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
take_noted(SigmaPager *pager, const SigmaJsonValue *value, SigmaEntry *entry)
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
void
sigma_pager_take_object(SigmaPager *pager, const SigmaJsonValue *object, SigmaEntry *entry)
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
	sigma_pager_take_object(pager, &object, entry);
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
		sigma_pager_take_object(pager, &object, entry);
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

/* The next entry of the page in hand, as the transaction will have made it: is it a row of the table? */
bool
sigma_pager_take_entry(SigmaPager *pager, SigmaEntry *entry)
{
	const SigmaJsonValue *next = &pager->entries[pager->next_entry++];

	if (pager->spec.resource->bare_field && next->kind == SIGMA_JSON_STRING)
		take_bare(pager, next, entry);
	else
		take_noted(pager, next, entry);
	apply_queued_change(pager, entry);
	return entry_belongs(pager, entry);
}

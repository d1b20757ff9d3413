/*-------------------------------------------------------------------------
 *
 * test_pager.c
 *	  The pager over pages that a test writes down: what it yields, what it
 *	  asks for, and what it refuses.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "json/json.h"
#include "catalog/catalog.h"
#include "read/read_internal.h"

#include <limits.h>

#include "backend_shim.h"
#include "replies.h"
#include "tap.h"

/* between two pages; see PAGE_END */
#define P "\x1E"

/* How a list is read. */
#define ARCHIVED	1
#define PREFETCH	2
#define TOLERATE	4
#define BY_KEY		8

static SigmaPager *
open_pager(Replies *replies, const char *resource, const char *pages, int how)
{
	SigmaListSpec spec = {.resource = sigma_find_resource(resource), .path = "/v2/list", .limit = 50};

	memset(replies, 0, sizeof(Replies));
	replies->data = pages;
	replies->length = strlen(pages);
	replies->concurrency = 4;
	spec.scope.include_archived = how & ARCHIVED;
	spec.prefetch = how & PREFETCH;
	spec.tolerate = how & TOLERATE;
	spec.item = spec.by_key = how & BY_KEY;
	return sigma_pager_open(replies_session(replies), CurrentMemoryContext, &spec, NULL);
}

/* Appends the ids of up to "limit" entries, or the error's message. */
static void
read_ids(SigmaPager *pager, int limit, StringInfo out)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		SigmaEntry	entry;

		for (int i = 0; i < limit && sigma_pager_next(pager, &entry); i++)
		{
			SigmaJsonValue object = sigma_json_object(entry.text);
			char	   *id = sigma_json_member_text(&object, "connectionId");

			appendStringInfo(out, "%s ", id ? id : "-");
		}
	}
	PG_CATCH();
	{
		/* an error leaves the context as it was where it happened */
		MemoryContextSwitchTo(context);
		appendStringInfo(out, "ERROR: %s", shim_report.message);
	}
	PG_END_TRY();
}

static const char *
all_ids(const char *resource, const char *pages, int how, Replies *replies)
{
	SigmaPager *pager = open_pager(replies, resource, pages, how);
	StringInfoData out;

	initStringInfo(&out);
	read_ids(pager, INT_MAX, &out);
	sigma_pager_close(pager);
	return out.data;
}

#define ENTRY(id) "{\"connectionId\":\"" id "\"}"
#define PAGE(entries, rest) "{\"entries\":[" entries "]" rest "}"
#define NEXT(token) ",\"nextPage\":\"" token "\""

static void
test_lists(void)
{
	static const struct
	{
		const char *pages;
		int			how;
		const char *ids;
	}			cases[] = {
		{PAGE("", ""), 0, ""}, {PAGE(ENTRY("a"), ""), 0, "a "},
		{PAGE(ENTRY("a"), ",\"nextPage\":null"), 0, "a "}, {PAGE(ENTRY("a"), NEXT("")), 0, "a "},
		{PAGE(ENTRY("a") "," ENTRY("b"), NEXT("2")) P PAGE(ENTRY("c"), ""), 0, "a b c "},
		{PAGE(ENTRY("a"), ",\"nextPage\":2") P PAGE(ENTRY("b"), ""), 0, "a b "},
		{PAGE("", NEXT("1")) P PAGE("", NEXT("2")) P PAGE(ENTRY("a"), ""), 0, "a "},
		{PAGE("{\"connectionId\":\"a\",\"isArchived\":true}," ENTRY("b"), ""), 0, "b "},
		{PAGE("{\"connectionId\":\"a\",\"isArchived\":true}," ENTRY("b"), ""), ARCHIVED, "a b "},
		/* with its key it is an entry, whatever else it has */
		{PAGE("{\"connectionId\":\"a\",\"code\":\"x\",\"message\":\"y\"}", ""), 0, "a "},
		/* "entries" elsewhere are not the list's */
		{"{\"x\":{\"entries\":[" ENTRY("z") "]},\"y\":[" ENTRY("z") "],\"entries\":[" ENTRY("a") "]}", 0, "a "},
		{PAGE("{\"connectionId\":\"a\",\"entries\":[" ENTRY("z") "]}", ""), 0, "a "},
		{"{\"\\u0065ntries\":[" ENTRY("a") "]}", 0, "a "},
		{PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), NEXT("1")), 0,
		"a ERROR: unexpected reply from Sigma: a pagination loop, the next page is one that was read before"},
		{PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), NEXT("2")) P PAGE(ENTRY("c"), NEXT("1")), 0,
		"a b ERROR: unexpected reply from Sigma: a pagination loop, the next page is one that was read before"},
		{PAGE(ENTRY("a"), NEXT("1")) P "!", 0, "a ERROR: connection was lost"},
		{PAGE(ENTRY("a"), NEXT("1")) P "!", TOLERATE, "a "},
		{ENTRY("a"), BY_KEY, "a "}, {"?", BY_KEY, ""}, {"!", BY_KEY, "ERROR: connection was lost"},
	};
	Replies		replies;

	tap_begin("pager: lists of one page and of many, and how they end");
	for (int i = 0; i < (int) lengthof(cases); i++)
		for (int prefetch = 0; prefetch <= PREFETCH; prefetch += PREFETCH)
		{
			const char *ids = all_ids("connections", cases[i].pages, cases[i].how | prefetch, &replies);

			EXPECT(strcmp(ids, cases[i].ids) == 0, "%s gives %s", cases[i].pages, ids);
		}
	tap_end();
}

static void
test_shapes(void)
{
	StringInfoData page;
	Replies		replies;
	const char *ids;
	int			n = 0;

	tap_begin("pager: a bare array, where a list has no pages");
	for (int i = 0; i < sigma_nresources; i++)
	{
		if (sigma_resources[i]->paging != SIGMA_PAGING_NONE)
			continue;
		ids = all_ids(sigma_resources[i]->name, " [" ENTRY("a") ",{\"connectionId\":\"b\",\"x\":[" ENTRY("z") "]}]", 0, &replies);
		EXPECT(strcmp(ids, "a b ") == 0, "%s gives %s", sigma_resources[i]->name, ids);
	}
	tap_end();

	tap_begin("pager: a page of many entries, an entry of many members");
	initStringInfo(&page);
	appendStringInfoString(&page, "{\"entries\":[{");
	for (int i = 0; i < 1000; i++)
		appendStringInfo(&page, "\"m%d\":%d,", i, i);
	appendStringInfoString(&page, "\"connectionId\":\"x\"}");
	for (int i = 1; i < 1000; i++)
		appendStringInfoString(&page, "," ENTRY("x"));
	appendStringInfoString(&page, "]}");
	ids = all_ids("connections", page.data, 0, &replies);
	for (const char *p = ids; *p == 'x'; p += 2)
		n++;
	EXPECT(n == 1000 && strlen(ids) == 2000, "%d entries", n);
	tap_end();
}

static void
test_refused(void)
{
	static const char *const cases[] = {
		"", " ", "{", "<html></html>", "null", "7", "\"x\"", "[" ENTRY("a") "]", "{}", "{\"entries\":null}",
		"{\"entries\":{}}", "{\"entries\":\"x\"}", "{\"entries\":[],\"entries\":[]}", PAGE("", "") "x",
		PAGE("", NEXT("1") NEXT("2")), PAGE("", ",\"nextPage\":true"), PAGE("", ",\"nextPage\":[]"),
		PAGE("", ",\"nextPage\":{}"), PAGE("", ",\"nextPage\":\"\\u0000\""),
		PAGE("", ",\"nextPage\":\"\\ud800\""), PAGE("", ",\"nextPageToken\":\"x\""), PAGE("", ",\"hasMore\":true"),
		PAGE("1", ""), PAGE("null", ""), PAGE("[]", ""), PAGE("\"x\"", ""),
		PAGE("{\"code\":\"x\",\"message\":\"y\"}", ""), PAGE(ENTRY("a") ",", ""),
	};
	Replies		replies;

	tap_begin("pager: what is no page is an error and never a short list");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		const char *ids = all_ids("connections", cases[i], 0, &replies);

		EXPECT(strncmp(ids, "ERROR: ", 7) == 0 && strstr(ids, "was lost") == NULL, "\"%s\" gives \"%s\"", cases[i], ids);
	}
	tap_end();

	tap_begin("pager: an endless list of empty pages ends");
	{
		StringInfoData pages;
		const char *ids;

		initStringInfo(&pages);
		for (int i = 1; i < 1100; i++)
			appendStringInfo(&pages, "{\"entries\":[],\"nextPage\":\"%d\"}" P, i);
		ids = all_ids("connections", pages.data, 0, &replies);
		EXPECT(strstr(ids, "1000 pages in a row had no entries") != NULL, "%s", ids);
		EXPECT(replies.requests == 1001, "%d requests", replies.requests);

		/* but only if they come in a row */
		resetStringInfo(&pages);
		for (int i = 1; i < 1500; i++)
			appendStringInfo(&pages, "{\"entries\":[%s],\"nextPage\":\"%d\"}" P, i == 800 ? ENTRY("a") : "", i);
		appendStringInfoString(&pages, "{\"entries\":[]}");
		ids = all_ids("connections", pages.data, 0, &replies);
		EXPECT(strcmp(ids, "a ") == 0, "%s", ids);
	}
	tap_end();
}

static void
test_total(void)
{
	Replies		replies;

	tap_begin("pager: a total that differs is a warning, once, at the end");
	shim_warnings = 0;
	(void) all_ids("connections", PAGE(ENTRY("a"), ",\"total\":1"), 0, &replies);
	(void) all_ids("connections", PAGE(ENTRY("a"), ",\"total\":1.0"), 0, &replies);
	(void) all_ids("connections", PAGE(ENTRY("a"), ""), 0, &replies);
	(void) all_ids("connections", PAGE(ENTRY("a"), ",\"total\":\"2\""), 0, &replies);
	(void) all_ids("connections", PAGE("{\"connectionId\":\"a\",\"isArchived\":true}", ",\"total\":1"), 0, &replies);
	EXPECT(shim_warnings == 0, "%d warnings", shim_warnings);
	(void) all_ids("connections", PAGE(ENTRY("a"), ",\"total\":2"), 0, &replies);
	EXPECT(shim_warnings == 1 && strstr(shim_report.message, "gave 1 entries, but Sigma counts 2"),
		   "%d warnings, %s", shim_warnings, shim_report.message);
	(void) all_ids("connections", PAGE(ENTRY("a"), ",\"total\":9" NEXT("1")) P PAGE(ENTRY("b"), ",\"total\":3"), 0, &replies);
	EXPECT(shim_warnings == 2 && strstr(shim_report.message, "gave 2 entries, but Sigma counts 3"),
		   "%d warnings, %s", shim_warnings, shim_report.message);
	tap_end();
}

static void
test_rewind(void)
{
	static const struct
	{
		const char *pages;
		int			how;
		int			rows;		/* before the rewind */
		const char *ids;
		int			requests;	/* in all */
	}			cases[] = {
		/* one page is kept */
		{PAGE(ENTRY("a") "," ENTRY("b"), ""), 0, 0, "|a b ", 1},
		{PAGE(ENTRY("a") "," ENTRY("b"), ""), 0, 1, "a |a b ", 1},
		{PAGE(ENTRY("a") "," ENTRY("b"), ""), 0, 9, "a b |a b ", 1},
		{PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), ""), 0, 1, "a |a b ", 2},
		{ENTRY("a"), BY_KEY, 9, "a |a ", 1},
		/* more are asked for again */
		{PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), "") P PAGE(ENTRY("c"), ""), 0, 9, "a b |c ", 3},
		{PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), "") P PAGE(ENTRY("c"), ""), 0, 2, "a b |c ", 3},
		/* and so is what failed, or was not there */
		{"!" P PAGE(ENTRY("a"), ""), TOLERATE, 9, "|a ", 2},
		{PAGE(ENTRY("a"), NEXT("1")) P "!" P PAGE(ENTRY("b"), ""), TOLERATE, 9, "a |b ", 3},
		{"?" P ENTRY("a"), BY_KEY, 9, "|a ", 2},
	};

	tap_begin("pager: a list that begins again");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		Replies		replies;
		SigmaPager *pager = open_pager(&replies, "connections", cases[i].pages, cases[i].how);
		StringInfoData out;

		initStringInfo(&out);
		read_ids(pager, cases[i].rows, &out);
		appendStringInfoChar(&out, '|');
		sigma_pager_rewind(pager);
		read_ids(pager, INT_MAX, &out);
		EXPECT(sigma_pager_failure(pager) == NULL, "%s has failed", cases[i].pages);
		EXPECT(strcmp(out.data, cases[i].ids) == 0, "%s gives %s", cases[i].pages, out.data);
		EXPECT(replies.requests == cases[i].requests, "%s takes %d requests", cases[i].pages, replies.requests);
		sigma_pager_close(pager);
	}
	tap_end();
}

static void
test_look_ahead(void)
{
	Replies		replies;
	const char *ids;

	tap_begin("pager: looks ahead where tokens count entries, and throws wrong guesses away");
	ids = all_ids("connections", PAGE(ENTRY("a"), ",\"total\":4" NEXT("1")) P PAGE(ENTRY("b"), ",\"total\":4" NEXT("2"))
				  P PAGE(ENTRY("c"), ",\"total\":4" NEXT("3")) P PAGE(ENTRY("d"), ",\"total\":4"), PREFETCH, &replies);
	EXPECT(strcmp(ids, "a b c d ") == 0, "%s", ids);
	EXPECT(replies.requests == 4, "no request too many: %d", replies.requests);
	/* while "2" is fetched, "3" is guessed; but "2" names "x", so that "d" is not of this list */
	ids = all_ids("connections", PAGE(ENTRY("a"), ",\"total\":9" NEXT("1")) P PAGE(ENTRY("b"), ",\"total\":9" NEXT("2"))
				  P PAGE(ENTRY("c"), ",\"total\":9" NEXT("x")) P PAGE(ENTRY("d"), "") P PAGE(ENTRY("e"), ""),
				  PREFETCH, &replies);
	EXPECT(strcmp(ids, "a b c e ") == 0, "%s", ids);
	EXPECT(replies.requests == 5 && replies.waited == 4, "%d requests, %d taken", replies.requests, replies.waited);
	/* without leave, nothing is asked for before it is wanted */
	{
		SigmaPager *pager = open_pager(&replies, "connections", PAGE(ENTRY("a"), NEXT("1")) P PAGE(ENTRY("b"), ""), 0);
		StringInfoData out;

		initStringInfo(&out);
		EXPECT(replies.requests == 0, "%d requests on opening", replies.requests);
		read_ids(pager, 1, &out);
		EXPECT(replies.requests == 1, "%d requests for one entry", replies.requests);
		sigma_pager_close(pager);
	}
	tap_end();
}

void
test_pager(void)
{
	MemoryContext context = shim_context();

	test_lists();
	test_shapes();
	test_refused();
	test_total();
	test_rewind();
	test_look_ahead();
	MemoryContextDelete(context);
}

/*-------------------------------------------------------------------------
 *
 * export.c
 *	  The life of an export: it is started, asked for until it is ready, and
 *	  downloaded as it comes.
 *
 * The API's description tells little of what the download answers until there
 * is a file; the rest is from what its clients have met.  What must not happen
 * is that one of these answers is taken for the file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"

/* The pause between two questions whether it is ready grows from the first to the second, in ms. */
#define FIRST_PAUSE_MS	1000.0
#define LAST_PAUSE_MS	10000.0
#define PAUSE_GROWTH	1.5

/* So long nobody may know of an export that has been started, in ms. */
#define UNKNOWN_MS	60000.0

/* So often in a row 500 means that it will not be ready any more. */
#define MAX_FAILURES 5

/*
 * So long an empty body is taken for one that is not ready, if it may be a file
 * of no rows: in ms, and at most this part of the time that there is.
 */
#define EMPTY_MS	10000.0
#define EMPTY_PART	4

/* What is said in place of a file is no longer. */
#define REMARK_LIMIT (16 * 1024)

struct SigmaExport
{
	SigmaSession *session;
	MemoryContext context;
	const SigmaExportSpec *spec;
	SigmaExportStats *stats;
	const char *subject;		/* for messages: element "x" */
	const char *query_id;
	bool		complete;		/* it was ready when it was started */
	bool		known;			/* the download knows of it */
	int			failures;		/* in a row */
	bool		gave_up;		/* nobody can tell whether it is so */
	double		start_ms;
	SigmaCall  *call;			/* the download */
	SigmaSpan	rest;			/* of it: what has come and is not used */
	bool		whole;			/* no more will come */
};

/* What an answer of the download means. */
typedef enum Verdict
{
	VERDICT_READY,
	VERDICT_WAIT,
	VERDICT_BROKEN				/* and what the remark says, see fail() */
} Verdict;

/* ----------------------------------------------------------------- failures */

static const char *
describe_subject(const SigmaExportSpec *spec)
{
	if (spec->element_id)
		return psprintf("element %s", sigma_quoted(spec->element_id));
	if (spec->page_id)
		return psprintf("page %s", sigma_quoted(spec->page_id));
	return strncmp(spec->path, "/v2/reports/", strlen("/v2/reports/")) == 0 ? "a report" : "a workbook";
}

/*
 * Raises an error of an export.  What is known of the reply becomes its detail:
 * "said" is what the body says, if it says anything.
 */
pg_noreturn static void
fail(SigmaExport *export, int sqlstate, char *message, SigmaSpan said, char *hint)
{
	const SigmaFailure *reply = sigma_call_judge(export->call, said);
	SigmaFailure f = {.sqlstate = sqlstate, .message = message, .hint = hint};

	f.detail = psprintf("%c%s. %s", toupper((unsigned char) reply->message[0]), reply->message + 1,
						reply->detail);
	sigma_raise(&f);
}

pg_noreturn static void
fail_rendering(SigmaExport *export, SigmaSpan said)
{
	fail(export, ERRCODE_SYSTEM_ERROR,
		 psprintf("Sigma could not make the export of %s", export->subject), said,
		 "Open it in Sigma: its query may fail, or this format may not be offered for it.");
}

pg_noreturn static void
fail_expired(SigmaExport *export)
{
	fail(export, ERRCODE_NO_DATA_FOUND,
		 psprintf("the export of %s has expired, or is gone", export->subject), sigma_span(""),
		 "Sigma keeps a file for an hour; run the statement again.");
}

/* The connection was lost, or the like, while the file was read. */
pg_noreturn static void
fail_cut(SigmaExport *export, const SigmaFailure *failure, int64 row)
{
	SigmaFailure f = *failure;

	if (row > 0)
		f.message = psprintf("the export of %s was cut off behind row " INT64_FORMAT, export->subject, row);
	else
		f.message = psprintf("the export of %s was cut off", export->subject);
	f.detail = psprintf("%c%s. %s", toupper((unsigned char) failure->message[0]), failure->message + 1,
						failure->detail);
	sigma_raise(&f);
}

/* ------------------------------------------------------------------- start */

/* Is a control set again by one of the parameters behind this one? */
static bool
is_set_again(const List *parameters, int i)
{
	const char *control = ((SigmaParameter *) list_nth(parameters, i))->control;

	while (++i < list_length(parameters))
		if (strcmp(((SigmaParameter *) list_nth(parameters, i))->control, control) == 0)
			return true;
	return false;
}

/* The last counts of those that set the same control. */
static char *
parameters_json(const List *parameters)
{
	StringInfoData json;
	ListCell   *lc;

	initStringInfo(&json);
	foreach(lc, parameters)
	{
		const SigmaParameter *parameter = lfirst(lc);

		if (is_set_again(parameters, foreach_current_index(lc)))
			continue;
		appendStringInfo(&json, "%c%s:%s", json.len ? ',' : '{', sigma_text_to_json(parameter->control),
						 sigma_text_to_json(parameter->value));
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* The body of the request that starts an export, in UTF-8. */
static const char *
request_body(const SigmaExportSpec *spec)
{
	StringInfoData body;

	sigma_json_begin_object(&body);
	sigma_json_add_text(&body, "format", spec->format);
	if (spec->element_id)
		sigma_json_add_text(&body, "elementId", sigma_text_to_json(spec->element_id));
	if (spec->page_id)
		sigma_json_add_text(&body, "pageId", sigma_text_to_json(spec->page_id));
	if (spec->parameters)
		sigma_json_add_text(&body, "parameters", parameters_json(spec->parameters));
	if (spec->tag)
		sigma_json_add_text(&body, "tag", sigma_text_to_json(spec->tag));
	if (spec->row_limit > 0)
		sigma_json_add_text(&body, "rowLimit", psprintf(INT64_FORMAT, spec->row_limit));
	if (spec->offset >= 0)
		sigma_json_add_text(&body, "offset", psprintf(INT64_FORMAT, spec->offset));
	return sigma_json_end_object(&body).data;
}

char *
sigma_export_target(const char *path)
{
	return psprintf("%s/export", path);
}

/*
 * Starts the export.  It only makes Sigma run a query, so the request is sent
 * again like that of a list.  False if it is refused, with *refusal.
 */
static bool
start(SigmaExport *export, const SigmaFailure **refusal)
{
	const SigmaExportSpec *spec = export->spec;
	SigmaCallSpec call_spec = {
		.method = "POST",
		.target = sigma_export_target(spec->path),
		.body = request_body(spec),
		.purpose = SIGMA_READ,
		.stats = &export->stats->calls,
		.resource = SIGMA_ELEMENT,
		.pace = SIGMA_PACE_EXPORT,
	};
	SigmaCall  *call = sigma_call_start(export->session, export->context, &call_spec);
	SigmaJsonValue reply;
	SigmaJsonValue complete;
	const char *error;
	char	   *message;
	bool		valid;

	sigma_call_wait(call);
	*refusal = sigma_call_failure(call);
	if (*refusal)
		return false;
	export->stats->exports++;
	valid = sigma_json_check(sigma_call_body(call), &reply, &error);
	if (!valid || reply.kind != SIGMA_JSON_OBJECT)
		sigma_raise_reply(sigma_call_target(call), "%s", valid ? "it is not an object" : error);
	export->query_id = sigma_json_member_text(&reply, "queryId");
	export->complete = sigma_json_member(&reply, "jobComplete", &complete) && complete.kind == SIGMA_JSON_TRUE;
	if (export->query_id == NULL || export->query_id[0] == '\0')
	{
		message = sigma_json_member_utf8(&reply, "message");
		sigma_raise_reply(sigma_call_target(call), "it has no \"queryId\"%s%s", message ? ": " : "",
						  message ? sigma_clean_text(message, strlen(message), 1000) : "");
	}
	sigma_call_free(call);
	return true;
}

/* ------------------------------------------------------------------ waiting */

/* Is a member one of those that remarks have, and rows need not? */
static bool
is_of_remark(const SigmaJsonValue *name)
{
	static const char *const names[] = {
		"jobComplete", "queryId", "status", "message", "code", "requestId", "error"
	};

	for (int i = 0; i < (int) lengthof(names); i++)
		if (sigma_json_is(name, names[i]))
			return true;
	return false;
}

static bool
is_column(const SigmaExportSpec *spec, const SigmaJsonValue *name)
{
	ListCell   *lc;

	foreach(lc, spec->columns)
	{
		if (sigma_json_is(name, lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * What a whole, short body says, if it is an object and not a row or a file.
 * An element can have a column "message", so a row that has one of the columns
 * that are asked for is one.
 */
static Verdict
judge_object(SigmaExport *export, SigmaSpan text)
{
	SigmaJsonValue object;
	const char *error;
	const char *cursor = NULL;
	SigmaJsonMember member;
	bool		waiting = false;
	bool		failed = false;
	bool		says = false;
	bool		remark = false;
	int			nmembers = 0;

	if (!sigma_json_check(text, &object, &error) || object.kind != SIGMA_JSON_OBJECT)
		return VERDICT_READY;
	while (sigma_json_next_member(&object, &cursor, &member))
	{
		if (!is_of_remark(&member.key) || is_column(export->spec, &member.key))
			return VERDICT_READY;
		if (sigma_json_is(&member.key, "jobComplete"))
		{
			waiting |= member.value.kind != SIGMA_JSON_TRUE;
			remark = true;
		}
		else if (sigma_json_is(&member.key, "status"))
		{
			waiting |= sigma_json_is(&member.value, "204") || sigma_json_is(&member.value, "202");
			failed |= sigma_json_is(&member.value, "500");
		}
		else if (sigma_json_is(&member.key, "message") || sigma_json_is(&member.key, "error"))
			says = true;
		nmembers++;
	}
	/* a message alone may as well be a row of one column */
	failed |= says && nmembers > 1;
	if (waiting || (remark && !failed))
		return VERDICT_WAIT;
	return failed ? VERDICT_BROKEN : VERDICT_READY;
}

/* The first byte that is not blank, and not the mark that some files begin with. */
static size_t
find_first(SigmaSpan text)
{
	size_t		i = text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

	while (i < text.length && memchr(" \t\r\n", text.data[i], 4))
		i++;
	return i;
}

/* Does a text begin as a web page does?  A file of csv can begin with any header. */
static bool
begins_as_page(SigmaSpan text, size_t first)
{
	static const char *const beginnings[] = {"<!doctype", "<html", "<head", "<?xml"};

	for (int i = 0; i < (int) lengthof(beginnings); i++)
		if (text.length - first >= strlen(beginnings[i]) &&
			pg_strncasecmp(text.data + first, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* Reads on until more than "seen" bytes are there, or all of it is. */
static void
read_beyond(SigmaExport *export, size_t seen, int64 row)
{
	const SigmaFailure *failure;

	export->whole = !sigma_call_read(export->call, 0, seen, &export->rest, &failure);
	if (failure)
		fail_cut(export, failure, row);
}

/* What a body with status 200 is; as much of it is read as it takes to tell. */
static Verdict
judge_body(SigmaExport *export)
{
	size_t		first;

	do
		read_beyond(export, export->rest.length, 0);
	while ((first = find_first(export->rest)) == export->rest.length && !export->whole &&
		   first < REMARK_LIMIT);
	if (first == export->rest.length)
	{
		export->gave_up = export->spec->may_be_empty && export->whole &&
			(export->complete ||
			 now_ms() - export->start_ms > Min(EMPTY_MS, export->spec->timeout_ms / EMPTY_PART));
		return export->whole ? VERDICT_WAIT : VERDICT_READY;
	}
	/* it would be asked for again and again in vain */
	if (sigma_call_is_html(export->call) || begins_as_page(export->rest, first))
		fail(export, ERRCODE_FDW_ERROR,
			 psprintf("Sigma sent a web page in place of the export of %s", export->subject),
			 sigma_span(""),
			 "It could not be made. Open it in Sigma: its query may fail, or this format may not be offered for it.");
	if (export->rest.data[first] != '{')
		return VERDICT_READY;
	while (!export->whole && export->rest.length <= REMARK_LIMIT)
		read_beyond(export, export->rest.length, 0);
	return export->whole ? judge_object(export, export->rest) : VERDICT_READY;
}

/* What the answer of the download means, whose call is done. */
static Verdict
judge(SigmaExport *export)
{
	int			status = sigma_call_status(export->call);
	Verdict		verdict;

	if (status == 500)
	{
		if (++export->failures >= MAX_FAILURES)
			fail_rendering(export, sigma_call_body(export->call));
		return VERDICT_WAIT;
	}
	export->failures = 0;
	switch (status)
	{
		case 200:
			export->rest = sigma_span("");
			export->whole = false;
			verdict = judge_body(export);
			if (verdict == VERDICT_BROKEN)
				fail(export, ERRCODE_FDW_ERROR,
					 psprintf("Sigma sent a message in place of the export of %s", export->subject),
					 export->rest, NULL);
			export->known = true;
			return verdict;
		case 202:
		case 204:
			export->known = true;
			return VERDICT_WAIT;
		case 404:
			/* what is not Sigma's own word is a proxy's */
			if (sigma_call_is_html(export->call))
				break;
			if (export->known || now_ms() - export->start_ms > UNKNOWN_MS)
				fail_expired(export);
			return VERDICT_WAIT;
		case 410:
			fail_expired(export);
		case 429:
			/* the call has waited for that as long as it may */
			break;
		default:
			if (sigma_status_passes(status, SIGMA_READ))
				return VERDICT_WAIT;
			break;
	}
	sigma_raise(sigma_call_judge(export->call, sigma_call_body(export->call)));
}

/* Asks once whether it is ready. */
static bool
is_ready(SigmaExport *export)
{
	SigmaCallSpec spec = {
		.method = "GET",
		.target = psprintf("/v2/query/%s/download", sigma_text_url_encode(export->query_id)),
		.purpose = SIGMA_READ,
		.stats = &export->stats->calls,
		.resource = SIGMA_ELEMENT,
		.download = true,
		.pace = SIGMA_PACE_DOWNLOAD,
	};

	if (export->call)
		sigma_call_free(export->call);
	export->stats->polls++;
	export->call = sigma_call_start(export->session, export->context, &spec);
	sigma_call_wait(export->call);
	if (sigma_call_failure(export->call))
		sigma_raise(sigma_call_failure(export->call));
	return judge(export) == VERDICT_READY || export->gave_up;
}

static void
wait_until_ready(SigmaExport *export)
{
	double		pause = FIRST_PAUSE_MS;
	double		deadline = export->start_ms + export->spec->timeout_ms;

	if (export->complete && is_ready(export))
		return;
	for (;;)
	{
		double		left = deadline - now_ms();

		if (left <= 0)
			break;
		sigma_session_sleep(export->session, (long) Min(pause, left) + 1);
		pause = Min(pause * PAUSE_GROWTH, LAST_PAUSE_MS);
		if (is_ready(export))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("the export of %s was not ready within export_timeout (%d ms)", export->subject,
					export->spec->timeout_ms),
			 export->call ? errdetail("The last answer was HTTP status %d.", sigma_call_status(export->call)) : 0,
			 errhint("Make the element's query faster, or allow it more time: %s.",
					 sigma_allow_export(export->spec->relid, sigma_session_settings(export->session),
										export->spec->timeout_ms))));
}

SigmaExport *
sigma_export_begin(SigmaSession *session, MemoryContext context, const SigmaExportSpec *spec,
				   SigmaExportStats *stats, const SigmaFailure **refusal)
{
	MemoryContext own = AllocSetContextCreate(context, "sigma export", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	SigmaExport *export = palloc0(sizeof(SigmaExport));
	bool		ready;

	export->session = session;
	export->context = own;
	export->spec = spec;
	export->stats = stats;
	export->subject = describe_subject(spec);
	export->start_ms = now_ms();
	ready = start(export, refusal);
	if (ready)
	{
		wait_until_ready(export);
		ready = !export->gave_up;
	}
	stats->export_ms += now_ms() - export->start_ms;
	MemoryContextSwitchTo(old);
	return ready ? export : NULL;
}

bool
sigma_export_read(SigmaExport *export, size_t used, size_t seen, int64 row, SigmaSpan *rest)
{
	const SigmaFailure *failure;
	MemoryContext old = MemoryContextSwitchTo(export->context);

	export->whole = !sigma_call_read(export->call, used, seen, rest, &failure);
	if (failure)
		fail_cut(export, failure, row);
	MemoryContextSwitchTo(old);
	return !export->whole;
}

bool
sigma_export_first(const SigmaExport *export, SigmaSpan *rest)
{
	*rest = export->rest;
	return !export->whole;
}

const char *
sigma_export_subject(const SigmaExport *export)
{
	return export->subject;
}

const char *
sigma_export_request(const SigmaExport *export)
{
	return sigma_call_target(export->call);
}

void
sigma_export_end(SigmaExport *export)
{
	MemoryContextDelete(export->context);
}

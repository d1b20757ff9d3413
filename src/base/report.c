/*-------------------------------------------------------------------------
 *
 * report.c
 *	  One place that turns a failure into SQLSTATE, message, detail and hint.
 *
 * The SQLSTATE for each cause is a promise to users; the table stands in
 * README.md, "Errors".  Whatever text comes from outside is cleaned here
 * before it is shown: cut, stripped of control characters and of secrets, and
 * quoted so that it cannot be taken for words of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/varlena.h"

#include "base/base.h"
#include "base/base_internal.h"

/* How much of a foreign message is shown, in bytes. */
#define MESSAGE_LIMIT	1000
#define ID_LIMIT		100
#define REPLY_LIMIT		300
#define NAME_LIMIT		200

/* So much of a secret of that length is enough to tell that it begins there. */
#define LONG_SECRET 24
#define BEGINNING	8

/* Shorter secrets are masked only as whole words: "a" is in every sentence. */
#define SHORT_SECRET	4

#define MASK			"***"

static SigmaFailure *
failure(int sqlstate, char *message, char *hint)
{
	SigmaFailure *f = palloc0(sizeof(SigmaFailure));

	f->sqlstate = sqlstate;
	f->message = message;
	f->hint = hint;
	return f;
}

/* What went on, for the detail: method, path, status, code and request id. */
static char *
describe(const SigmaProblem *p)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, p->request);
	if (p->status > 0)
		appendStringInfo(&s, ": HTTP status %d", p->status);
	if (p->api_code)
		appendStringInfo(&s, ", code %s",
						 sigma_quoted(sigma_clean_text(p->api_code, strlen(p->api_code), ID_LIMIT)));
	if (p->api_request_id)
		appendStringInfo(&s, ", requestId %s",
						 sigma_quoted(sigma_clean_text(p->api_request_id, strlen(p->api_request_id), ID_LIMIT)));
	if (p->html)
		appendStringInfoString(&s, ", with a web page instead of JSON");
	if (p->attempts > 1)
		appendStringInfo(&s, ", after %d attempts and %.1f s between them", p->attempts,
						 p->waited_ms / 1000.0);
	if (p->transport_text && p->transport_text[0])
		appendStringInfo(&s, ": %s",
						 sigma_clean_text(p->transport_text, strlen(p->transport_text), MESSAGE_LIMIT));
	if (s.data[s.len - 1] != '.')
		appendStringInfoChar(&s, '.');
	if (p->reply && p->reply[0])
		appendStringInfo(&s, " The reply was: %s", sigma_clean_text(p->reply, strlen(p->reply), REPLY_LIMIT));
	return s.data;
}

/* "what", and behind a colon what Sigma said of it */
static char *
with_message(const SigmaProblem *p, const char *what)
{
	if (p->api_message == NULL || p->api_message[0] == '\0')
		return pstrdup(what);
	return psprintf("%s: %s", what,
					sigma_clean_text(p->api_message, strlen(p->api_message), MESSAGE_LIMIT));
}

/* No whole reply came. */
static SigmaFailure *
no_reply(const SigmaProblem *p)
{
	switch (p->outcome)
	{
		case SIGMA_NO_RESOLVE:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not resolve the host name of server \"%s\"", p->server),
						   "Check region or base_url of the server, and the name service of this machine.");
		case SIGMA_NO_CONNECT:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not connect to server \"%s\"", p->server),
						   "Check region or base_url of the server, and whether this machine may reach it.");
		case SIGMA_NO_TLS:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not establish a TLS connection to server \"%s\"", p->server),
						   "Check that base_url names an HTTPS server.");
		case SIGMA_TLS_UNKNOWN_CA:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" is not signed by a trusted authority", p->server),
						   "If an authority of your own signed it, name its certificate in the server option \"ca_file\".");
		case SIGMA_TLS_EXPIRED:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" is expired or not yet valid", p->server),
						   "Check the clock of this machine; otherwise the server needs a new certificate.");
		case SIGMA_TLS_WRONG_HOST:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" was made for another host name", p->server),
						   "Check the host name in base_url and token_url.");
		case SIGMA_CA_FILE_UNUSABLE:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not read the ca_file of server \"%s\"", p->server),
						   "It must be a file of certificates in PEM format that the PostgreSQL server may read.");
		case SIGMA_NO_SYSTEM_CA:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not verify server \"%s\": this machine has no certificates of authorities", p->server),
						   "Install the package \"ca-certificates\" on the machine of the PostgreSQL server, or set the server option \"ca_file\".");
		case SIGMA_CONNECT_TIMEOUT:
			return failure(ERRCODE_CONNECTION_FAILURE,
						   psprintf("server \"%s\" did not take the connection within connect_timeout (%d ms)",
									p->server, p->connect_timeout_ms),
						   "Check that this machine may reach the server, or raise the server option \"connect_timeout\".");
		case SIGMA_REQUEST_TIMEOUT:
			return failure(ERRCODE_CONNECTION_FAILURE,
						   psprintf("server \"%s\" did not answer within request_timeout (%d ms)",
									p->server, p->request_timeout_ms),
						   "Raise the server option \"request_timeout\", or lower \"page_size\".");
		case SIGMA_TOO_LARGE:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("reply of server \"%s\" exceeds max_response_size of %d bytes",
									p->server, p->max_response_size),
						   "Raise the server option \"max_response_size\", or lower \"page_size\".");
		case SIGMA_HEAD_TOO_LARGE:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("head of the reply of server \"%s\" is too large", p->server),
						   "Check base_url of the server, and what stands between it and this machine.");
		case SIGMA_BAD_CODING:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("reply of server \"%s\" is coded in a way that was not asked for, or badly", p->server),
						   "Check base_url of the server, and what stands between it and this machine.");
		case SIGMA_GARBLED:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("server \"%s\" did not answer in HTTP", p->server),
						   "Check base_url of the server.");
		case SIGMA_NO_RESOURCES:
			return failure(ERRCODE_OUT_OF_MEMORY,
						   psprintf("out of memory or file descriptors for a request to server \"%s\"", p->server),
						   NULL);
		case SIGMA_LOST:
		case SIGMA_REPLIED:
			break;
	}
	return failure(ERRCODE_CONNECTION_FAILURE,
				   psprintf("connection to server \"%s\" was lost", p->server), NULL);
}

/* The token request was answered, but not with a token. */
static SigmaFailure *
no_token(const SigmaProblem *p)
{
	if (p->status == 429)
		return failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
					   psprintf("too many sign-ins to server \"%s\" at once", p->server),
					   "Sigma allows one sign-in a second; try again, or raise the server option \"max_retries\".");
	if (p->status >= 500)
		return failure(ERRCODE_SYSTEM_ERROR,
					   with_message(p, psprintf("server \"%s\" failed at sign-in", p->server)),
					   "Try again later; Sigma Support asks for the requestId.");
	if (p->status >= 300 && p->status < 400)
		return failure(ERRCODE_FDW_ERROR,
					   psprintf("server \"%s\" redirects the sign-in to another place", p->server),
					   "Redirects are not followed. Check region, base_url and token_url of the server.");
	if (p->identity)
		return failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					   with_message(p, psprintf("server \"%s\" refused the sign-in %s", p->server, p->identity)),
					   "The client credentials must belong to an admin, and Sigma must have enabled impersonation (a beta feature) for the organization. Check impersonate and tenant of the user mapping.");
	return failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
				   with_message(p, psprintf("server \"%s\" refused the sign-in", p->server)),
				   "Check client_id and client_secret of the user mapping, and that region or base_url is your organization's own: credentials of one region are unknown in all others.");
}

/* Sigma answered with a status that says no. */
static SigmaFailure *
bad_status(const SigmaProblem *p)
{
	if (p->nothing)
		return failure(ERRCODE_NO_DATA_FOUND,
					   with_message(p, "nothing there in Sigma"), NULL);
	switch (p->status)
	{
		case 401:
			return failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
						   with_message(p, psprintf("server \"%s\" does not accept its own token", p->server)),
						   "The credentials of the user mapping may have been revoked, or region or base_url may be another organization's.");
		case 403:
			return failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
						   with_message(p, "permission denied by Sigma"),
						   "The Sigma member to whom the client credentials belong must be allowed to do this.");
		case 400:
		case 422:
			return failure(ERRCODE_INVALID_PARAMETER_VALUE,
						   with_message(p, "request refused by Sigma"), NULL);
		case 404:
			if (p->api_code == NULL && p->api_message == NULL)
				return failure(ERRCODE_FDW_ERROR,
							   psprintf("server \"%s\" answers with HTTP status 404, but not as Sigma does",
										p->server),
							   "Something else answered in Sigma's place, such as a proxy. Check region or base_url of the server, and what stands between it and this machine.");
			return failure(ERRCODE_NO_DATA_FOUND,
						   with_message(p, "not found in Sigma"),
						   "Check the id; if every request ends like this, region or base_url may not be your organization's own.");
		case 410:
			return failure(ERRCODE_NO_DATA_FOUND,
						   with_message(p, "no longer offered by Sigma"),
						   "A table with the option on_missing 'empty' then has no rows.");
		case 409:
			return failure(ERRCODE_UNIQUE_VIOLATION,
						   with_message(p, "conflict in Sigma"), NULL);
		case 429:
			return failure(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
						   with_message(p, "request limit of Sigma reached"),
						   "Try again later, or raise the server option \"max_retries\".");
	}
	if (p->status >= 500)
		return failure(ERRCODE_SYSTEM_ERROR, with_message(p, "server error in Sigma"),
					   "Try again later; Sigma Support asks for the requestId.");
	if (p->status >= 300 && p->status < 400)
		return failure(ERRCODE_FDW_ERROR,
					   psprintf("server \"%s\" redirects to another place", p->server),
					   "Redirects are not followed. Check region or base_url of the server.");
	if (p->status >= 200 && p->status < 300)
		return failure(ERRCODE_FDW_ERROR,
					   with_message(p, psprintf("failure of Sigma behind HTTP status %d", p->status)),
					   "Sigma Support asks for the requestId.");
	return failure(ERRCODE_FDW_ERROR,
				   with_message(p, psprintf("unexpected HTTP status %d", p->status)), NULL);
}

SigmaFailure *
sigma_problem_to_failure(const SigmaProblem *p)
{
	SigmaFailure *f;

	if (p->outcome != SIGMA_REPLIED)
		f = no_reply(p);
	else if (p->purpose == SIGMA_SIGN_IN)
		f = no_token(p);
	else
		f = bad_status(p);
	f->detail = describe(p);
	f->context = p->subject;
	if (p->outcome == SIGMA_REPLIED && p->purpose != SIGMA_SIGN_IN &&
		(p->api_code || p->api_message))
		f->status = p->status;

	if (p->outcome_unknown)
	{
		bool		creates = p->subject && strncmp(p->subject, "creating ", strlen("creating ")) == 0;

		/* the cause becomes the detail: what counts now is that nobody knows */
		char	   *cause = psprintf("%c%s. %s", toupper((unsigned char) f->message[0]),
									 f->message + 1, f->detail);

		f = failure(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN,
					p->subject
					? psprintf("outcome unknown: %s may have been carried out", p->subject)
					: psprintf("outcome unknown: %s may have been carried out", p->request),
					creates
					? "Look in Sigma for that name before you try again, for example with sigma_find_created(); the request was not repeated, so as not to do it twice."
					: p->subject
					? "Look in Sigma for that name before you try again; the request was not repeated, so as not to do it twice."
					: "Look in Sigma for its effect before you try again; the request was not repeated, so as not to do it twice.");
		f->detail = cause;
	}
	return f;
}

SigmaFailure *
sigma_secret_failure(const char *server, const char *path, const char *problem)
{
	SigmaFailure *f = failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							  psprintf("could not use the client_secret_file of the user mapping for server \"%s\"",
									   server),
							  "It must hold one line of text, the secret, and have permissions u=rw (0600) or less if the database server's user owns it, or u=rw,g=r (0640) or less if root does.");

	f->detail = psprintf("File \"%s\" %s.", path, problem);
	return f;
}

SigmaFailure *
sigma_copy_failure(const SigmaFailure *f)
{
	SigmaFailure *copy = failure(f->sqlstate, pstrdup(f->message),
								 f->hint ? pstrdup(f->hint) : NULL);

	copy->detail = f->detail ? pstrdup(f->detail) : NULL;
	copy->context = f->context ? pstrdup(f->context) : NULL;
	copy->status = f->status;
	return copy;
}

/* All that can be told if there is no memory to tell more. */
SigmaFailure sigma_out_of_memory = {
	.sqlstate = ERRCODE_OUT_OF_MEMORY,
	.message = "out of memory"
};

void
sigma_before_catch(SigmaCatch *before)
{
	before->context = CurrentMemoryContext;
	before->interrupt_holdoff = InterruptHoldoffCount;
	before->cancel_holdoff = QueryCancelHoldoffCount;
}

SigmaFailure *
sigma_catch(const SigmaCatch *before, MemoryContext context)
{
	SigmaFailure *f = &sigma_out_of_memory;

	if (context && geterrcode() != ERRCODE_OUT_OF_MEMORY)
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		f = failure(error->sqlerrcode, error->message, error->hint);
		f->detail = error->detail;
	}
	MemoryContextSwitchTo(before->context);
	FlushErrorState();
	/* an error lets interrupts in, but whoever ends a transaction holds them */
	InterruptHoldoffCount = before->interrupt_holdoff;
	QueryCancelHoldoffCount = before->cancel_holdoff;
	return f;
}

void
sigma_raise(const SigmaFailure *f)
{
	ereport(ERROR,
			(errcode(f->sqlstate),
			 errmsg_internal("%s", f->message),
			 f->detail ? errdetail_internal("%s", f->detail) : 0,
			 f->hint ? errhint("%s", f->hint) : 0,
			 f->context ? errcontext("%s", f->context) : 0));
	pg_unreachable();
}

void
sigma_raise_reply(const char *target, const char *format,...)
{
	StringInfoData what;

	initStringInfo(&what);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&what, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&what, needed);
	}
	sigma_raise(sigma_reply_failure(target, what.data));
}

SigmaFailure *
sigma_reply_failure(const char *target, const char *what)
{
	SigmaFailure *f = failure(ERRCODE_FDW_ERROR,
							  psprintf("unexpected reply from Sigma: %s", what), NULL);

	f->detail = psprintf("The request was %s.", target);
	return f;
}

/*
 * Would the character (in Unicode) change what stands around it, on a terminal or in a log?
 * Controls move the cursor or begin a line; others let text be read from right
 * to left, or cannot be seen.  Those that join letters are needed.
 */
bool
sigma_is_strange(uint32 c)
{
	static const struct
	{
		uint32		first;
		uint32		last;
	}			strange[] = {
		{0x00, 0x1F}, {0x7F, 0x9F}, {0xAD, 0xAD}, {0x61C, 0x61C}, {0x180E, 0x180E},
		{0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
		{0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
	};

	for (int i = 0; i < (int) lengthof(strange); i++)
		if (c >= strange[i].first && c <= strange[i].last)
			return true;
	return false;
}

/* Have the bytes from 0x80 to 0x9F of this encoding no other meaning than controls? */
static bool
has_high_controls(int encoding)
{
	switch (encoding)
	{
		case PG_LATIN1:
		case PG_LATIN2:
		case PG_LATIN3:
		case PG_LATIN4:
		case PG_LATIN5:
		case PG_LATIN6:
		case PG_LATIN7:
		case PG_LATIN8:
		case PG_LATIN9:
		case PG_LATIN10:
		case PG_ISO_8859_5:
		case PG_ISO_8859_6:
		case PG_ISO_8859_7:
		case PG_ISO_8859_8:
			return true;
	}
	return false;
}

/*
 * Cleans a text of valid characters in place: a space for each that is
 * strange, a question mark for a byte of which nobody knows what it is.
 */
static void
clean(char *text, int encoding)
{
	char	   *out = text;

	for (const char *p = text; *p;)
	{
		unsigned char c = (unsigned char) *p;
		int			length = pg_encoding_mblen(encoding, p);

		if (encoding == PG_UTF8 ? sigma_is_strange(utf8_to_unicode((const unsigned char *) p))
			: length == 1 && (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0 && has_high_controls(encoding))))
			*out++ = ' ';
		else if (encoding == PG_SQL_ASCII && c >= 0x80)
			*out++ = '?';
		else
		{
			memmove(out, p, length);
			out += length;
		}
		p += length;
	}
	*out = '\0';
}

char *
sigma_clean_text(const char *text, size_t length, size_t limit)
{
	bool		cut = length > limit;
	char	   *out;

	if (cut)
		length = pg_encoding_mbcliplen(PG_UTF8, text, (int) length, (int) limit);
	out = palloc(length + 4);
	memcpy(out, text, length);
	out[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (out[i] == '\0')
			out[i] = ' ';
	/* what is not UTF-8 is ASCII and bytes of which nobody knows what they are */
	clean(out, GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, out, (int) length, true)
		  ? PG_UTF8 : PG_SQL_ASCII);
	if (cut)
		strcat(out, "...");
	return out;
}

char *
sigma_shown(const char *text)
{
	char	   *out = pstrdup(text);

	clean(out, GetDatabaseEncoding());
	return out;
}

char *
sigma_quoted(const char *text)
{
	char	   *shown = sigma_shown(text);
	size_t		length = strlen(shown);
	bool		cut = length > NAME_LIMIT;
	StringInfoData s;

	if (cut)
		length = pg_encoding_mbcliplen(GetDatabaseEncoding(), shown, (int) length, NAME_LIMIT);
	initStringInfo(&s);
	appendStringInfoChar(&s, '"');
	for (const char *p = shown; p < shown + length;)
	{
		int			n = pg_encoding_mblen(GetDatabaseEncoding(), p);

		if (*p == '"' || *p == '\\')
			appendStringInfoChar(&s, '\\');
		appendBinaryStringInfo(&s, p, n);
		p += n;
	}
	appendStringInfoString(&s, cut ? "...\"" : "\"");
	return s.data;
}

char *
sigma_shown_id(const char *id)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:+@";

	return id[0] && id[strspn(id, plain)] == '\0' ? pstrdup(id) : sigma_quoted(id);
}

void
sigma_rethrow_clean(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (error->message)
		error->message = sigma_shown(error->message);
	if (error->detail)
		error->detail = sigma_shown(error->detail);
	if (error->context)
	{
		/* its lines are of PostgreSQL's own making */
		StringInfoData lines;
		char	   *state = NULL;

		initStringInfo(&lines);
		for (char *line = strtok_r(error->context, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
			appendStringInfo(&lines, "%s%s", lines.len ? "\n" : "", sigma_shown(line));
		error->context = lines.data;
	}
	ReThrowError(error);
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

/* Does the secret stand at p, and is it more than a chance likeness? */
static bool
secret_at(const char *text, const char *p, const char *secret, size_t length)
{
	if (strncmp(p, secret, length) != 0)
		return false;
	if (length >= SHORT_SECRET)
		return true;
	return (p == text || !is_word_char(p[-1])) && !is_word_char(p[length]);
}

/*
 * Where a long secret begins and is then cut off, as servers do with the values
 * that they quote: covers as far as text and secret agree.
 */
static void
cover_beginnings(const char *text, const char *secret, char **covered)
{
	char		beginning[BEGINNING + 1];

	if (strlen(secret) < LONG_SECRET)
		return;
	strlcpy(beginning, secret, sizeof(beginning));
	for (const char *p = text; (p = strstr(p, beginning)) != NULL; p++)
	{
		size_t		length = BEGINNING;

		while (p[length] && p[length] == secret[length])
			length++;
		if (*covered == NULL)
			*covered = palloc0(strlen(text));
		memset(*covered + (p - text), 1, length);
	}
}

char *
sigma_mask(char *text, List *secrets)
{
	size_t		text_length = strlen(text);
	char	   *covered = NULL; /* per byte: is it part of a secret? */
	StringInfoData out;
	ListCell   *lc;

	foreach(lc, secrets)
	{
		const char *secret = lfirst(lc);
		size_t		length = strlen(secret);

		if (length == 0)
			continue;
		for (const char *p = text; (p = strstr(p, secret)) != NULL; p++)
		{
			if (!secret_at(text, p, secret, length))
				continue;
			if (covered == NULL)
				covered = palloc0(text_length);
			memset(covered + (p - text), 1, length);
		}
		cover_beginnings(text, secret, &covered);
	}
	if (covered == NULL)
		return text;
	initStringInfo(&out);
	for (size_t i = 0; i < text_length; i++)
	{
		if (!covered[i])
			appendStringInfoChar(&out, text[i]);
		else if (i == 0 || !covered[i - 1])
			appendStringInfoString(&out, MASK);
	}
	return out.data;
}

/* Keeps statement and context out of the log: for errors of others, too. */
static void
hide_statement(void *arg UNUSED)
{
	errhidestmt(true);
	errhidecontext(true);
}

void
sigma_hide_statement(SigmaHiding *hiding)
{
	hiding->saved = error_context_stack;
	hiding->callback.callback = hide_statement;
	hiding->callback.arg = NULL;
	/* the end of the chain: nobody further out adds a word */
	hiding->callback.previous = NULL;
	error_context_stack = &hiding->callback;
}

void
sigma_show_statement(const SigmaHiding *hiding)
{
	error_context_stack = hiding->saved;
}

const char *
sigma_closest(const char *name, const char *const *candidates, int n)
{
	char	   *word = pstrdup(name);
	int			word_length = (int) strlen(word);
	int			best = 5;
	const char *closest = NULL;

	/* the distance is defined for short strings only */
	if (word_length > 100)
		return NULL;
	for (char *p = word; *p; p++)
		*p = (char) pg_tolower((unsigned char) *p);
	for (int i = 0; i < n; i++)
	{
		int			distance =
			varstr_levenshtein_less_equal(word, word_length, candidates[i],
										  (int) strlen(candidates[i]),
										  1, 1, 1, best, true);

		if (distance < best && distance <= Max(word_length / 2, 1))
		{
			best = distance;
			closest = candidates[i];
		}
	}
	return closest;
}

/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  One place that turns a failure into SQLSTATE, message, detail and hint.
 *
 * The SQLSTATE for each cause is a promise to users; the table stands in
 * doc/reference.md, "Errors".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "base/base.h"

/* How much of a foreign message is shown, in bytes. */
#define MESSAGE_LIMIT	1000
#define ID_LIMIT		100
#define REPLY_LIMIT		300

static SigmaFailure *
failure(int sqlstate, char *message, char *hint)
{
	SigmaFailure *f = palloc0(sizeof(SigmaFailure));

	f->sqlstate = sqlstate;
	f->message = message;
	f->hint = hint;
	return f;
}

/* A hint, and behind it the statement to do it by, if that is known. */
static char *
with_statement(const char *hint, const char *what, const char *statement)
{
	return statement ? psprintf("%s %s: %s.", hint, what, statement) : pstrdup(hint);
}

static char *
with_address(const SigmaProblem *p, const char *hint)
{
	/* who answers at such an address knows none of the paths */
	if (p->outcome == SIGMA_REPLIED && p->remedies.bare_address)
		return with_statement("The server option \"base_url\" ends in /v2, with which the paths of the API begin, too.",
							  "To leave it out", p->remedies.bare_address);
	return with_statement(hint, "To set the address", p->remedies.address);
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
						   with_address(p, "Check region or base_url of the server, and the name service of this machine."));
		case SIGMA_NO_CONNECT:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not connect to server \"%s\"", p->server),
						   with_address(p, "Check region or base_url of the server, and whether this machine may reach it."));
		case SIGMA_NO_TLS:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not establish a TLS connection to server \"%s\"", p->server),
						   with_address(p, "Check that base_url names an HTTPS server."));
		case SIGMA_TLS_UNKNOWN_CA:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" is not signed by a trusted authority", p->server),
						   with_statement("If an authority of your own signed it, name its certificate in the server option \"ca_file\".", "To set it", p->remedies.ca_file));
		case SIGMA_TLS_EXPIRED:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" is expired or not yet valid", p->server),
						   "Check the clock of this machine; otherwise the server needs a new certificate.");
		case SIGMA_TLS_WRONG_HOST:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("certificate of server \"%s\" was made for another host name", p->server),
						   with_address(p, "Check the host name in base_url and token_url."));
		case SIGMA_CA_FILE_UNUSABLE:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not read the ca_file of server \"%s\"", p->server),
						   "It must be a file of certificates in PEM format that the PostgreSQL server may read.");
		case SIGMA_NO_SYSTEM_CA:
			return failure(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						   psprintf("could not verify server \"%s\": this machine has no certificates of authorities", p->server),
						   with_statement("Install the package \"ca-certificates\" on the machine of the PostgreSQL server, or set the server option \"ca_file\".", "To set it", p->remedies.ca_file));
		case SIGMA_CONNECT_TIMEOUT:
			return failure(ERRCODE_CONNECTION_FAILURE,
						   psprintf("server \"%s\" did not take the connection within connect_timeout (%d ms)",
									p->server, p->connect_timeout_ms),
						   with_statement("Check that this machine may reach the server, or raise the server option \"connect_timeout\".", "To raise it", p->remedies.limit));
		case SIGMA_REQUEST_TIMEOUT:
			return failure(ERRCODE_CONNECTION_FAILURE,
						   psprintf("server \"%s\" did not answer within request_timeout (%d ms)",
									p->server, p->request_timeout_ms),
						   with_statement("Raise the server option \"request_timeout\", or lower \"page_size\".", "To raise it", p->remedies.limit));
		case SIGMA_TOO_LARGE:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("reply of server \"%s\" exceeds max_response_size of %d bytes",
									p->server, p->max_response_size),
						   with_statement("Raise the server option \"max_response_size\", or lower \"page_size\".", "To raise it", p->remedies.limit));
		case SIGMA_HEAD_TOO_LARGE:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("head of the reply of server \"%s\" is too large", p->server),
						   with_address(p, "Check base_url of the server, and what stands between it and this machine."));
		case SIGMA_BAD_CODING:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("reply of server \"%s\" is coded in a way that was not asked for, or badly", p->server),
						   with_address(p, "Check base_url of the server, and what stands between it and this machine."));
		case SIGMA_GARBLED:
			return failure(ERRCODE_FDW_ERROR,
						   psprintf("server \"%s\" did not answer in HTTP", p->server),
						   with_address(p, "Check base_url of the server."));
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
					   with_statement("Sigma allows one sign-in a second; try again, or raise the server option \"max_retries\".", "To raise it", p->remedies.limit));
	if (p->status >= 500)
		return failure(ERRCODE_SYSTEM_ERROR,
					   with_message(p, psprintf("server \"%s\" failed at sign-in", p->server)),
					   "Try again later; Sigma Support asks for the requestId.");
	if (p->status >= 300 && p->status < 400)
		return failure(ERRCODE_FDW_ERROR,
					   psprintf("server \"%s\" redirects the sign-in to another place", p->server),
					   with_address(p, "Redirects are not followed. Check region, base_url and token_url of the server."));
	if (p->identity)
		return failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					   with_message(p, psprintf("server \"%s\" refused the sign-in %s", p->server, p->identity)),
					   with_statement("The client credentials must belong to an admin, and Sigma must have enabled impersonation (a beta feature) for the organization. Check impersonate and tenant of the user mapping.",
									  "To set them", p->remedies.identity));
	return failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
				   with_message(p, psprintf("server \"%s\" refused the sign-in", p->server)),
				   with_address(p, with_statement("Check client_id and client_secret of the user mapping, and that region or base_url is your organization's own: credentials of one region are unknown in all others.",
												  "To set the credentials", p->remedies.credentials)));
}

/* A reply came, but not from the API. */
static SigmaFailure *
not_sigma(const SigmaProblem *p)
{
	return failure(ERRCODE_FDW_ERROR,
				   psprintf("server \"%s\" answers with HTTP status %d, but not as Sigma does", p->server, p->status),
				   with_address(p, "Something else answered in Sigma's place, such as a proxy. Check region or base_url of the server, and what stands between it and this machine."));
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
						   with_address(p, with_statement("The credentials of the user mapping may have been revoked, or region or base_url may be another organization's.",
														  "To set the credentials", p->remedies.credentials)));
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
				return not_sigma(p);
			return failure(ERRCODE_NO_DATA_FOUND,
						   with_message(p, "not found in Sigma"),
						   with_address(p, "Check the id or the path; if every request ends like this, region or base_url may not be your organization's own."));
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
						   with_statement("Try again later, or raise the server option \"max_retries\".", "To raise it", p->remedies.limit));
	}
	if (p->status >= 500)
		return failure(ERRCODE_SYSTEM_ERROR, with_message(p, "server error in Sigma"),
					   "Try again later; Sigma Support asks for the requestId.");
	if (p->status >= 300 && p->status < 400)
		return failure(ERRCODE_FDW_ERROR,
					   psprintf("server \"%s\" redirects to another place", p->server),
					   with_address(p, "Redirects are not followed. Check region or base_url of the server."));
	if (p->status >= 200 && p->status < 300 && p->html)
		return not_sigma(p);
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
		/* the cause becomes the detail: what counts now is that nobody knows */
		char	   *cause = psprintf("%c%s. %s", toupper((unsigned char) f->message[0]),
									 f->message + 1, f->detail);

		f = failure(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN,
					p->subject
					? psprintf("outcome unknown: %s may have been carried out", p->subject)
					: psprintf("outcome unknown: %s may have been carried out", p->request),
					p->remedies.look
					? psprintf("Look in Sigma for that name before you try again: %s. The request was not repeated, so as not to do it twice.",
							   p->remedies.look)
					: p->subject
					? "Look in Sigma for that name before you try again; the request was not repeated, so as not to do it twice."
					: "Look in Sigma for its effect before you try again; the request was not repeated, so as not to do it twice.");
		f->detail = cause;
	}
	return f;
}

SigmaFailure *
sigma_secret_failure(const char *server, const char *path, const char *problem, const char *remedy)
{
	SigmaFailure *f = failure(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
							  psprintf("could not use the client_secret_file of the user mapping for server \"%s\"",
									   server),
							  with_statement("It must hold one line of text, the secret, and have permissions u=rw (0600) or less if the database server's user owns it, or u=rw,g=r (0640) or less if root does.",
											 "To name another file", remedy));

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
sigma_raise_reply(const char *target, const char *format, ...)
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

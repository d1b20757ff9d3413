/*-------------------------------------------------------------------------
 *
 * replies.c
 *	  A session whose server is a text: the pages that it will answer with.
 *
 * It stands in for session.c.  A body is allocated in the call's context, in
 * exactly its size and without a NUL, as the session promises no more.
 *
 *-------------------------------------------------------------------------
 */
#include "replies.h"

#include "utils/memutils.h"

struct SigmaCall
{
	Replies    *replies;
	const char *target;
	SigmaSpan	body;
	bool		failed;
	bool		not_found;
	bool		done;
};

SigmaSession *
replies_session(Replies *replies)
{
	return (SigmaSession *) replies;
}

/* Replies are there at once: nothing to look after. */
void
sigma_session_poll(SigmaSession *session UNUSED)
{
}

bool
sigma_call_is_text(const SigmaCall *call UNUSED)
{
	return false;
}

Oid
sigma_session_serverid(const SigmaSession *session UNUSED)
{
	return InvalidOid;
}

/* no transaction is about to change anything */
bool
sigma_queue_any(Oid serverid UNUSED)
{
	return false;
}

bool
sigma_queue_find(Oid serverid UNUSED, const char *id UNUSED, CommandId as_of UNUSED,
				 SigmaSpan *after UNUSED)
{
	return false;
}

int
sigma_session_concurrency(const SigmaSession *session)
{
	return ((const Replies *) session)->concurrency;
}

void
sigma_session_note_total(SigmaSession *session UNUSED, const SigmaResource *resource UNUSED,
						 double total UNUSED)
{
}

void
sigma_stat_note_length(const SigmaSession *session UNUSED, const char *resource UNUSED, int64 length UNUSED)
{
}

int64
sigma_stat_length(const SigmaSession *session UNUSED, const char *resource UNUSED)
{
	return -1;
}

/* Nobody counts, and nobody looks on. */
void
sigma_stat_add(const SigmaSession *session UNUSED, const char *resource UNUSED,
			   SigmaStatCounter counter UNUSED, int64 n UNUSED)
{
}

SigmaProgress *
sigma_progress_begin(const SigmaSession *session UNUSED, MemoryContext context UNUSED, const char *resource UNUSED)
{
	return NULL;
}

void
sigma_progress_set(SigmaProgress *progress UNUSED, SigmaProgressNumber number UNUSED, int64 n UNUSED)
{
}

void
sigma_progress_add(SigmaProgress *progress UNUSED, SigmaProgressNumber number UNUSED, int64 n UNUSED)
{
}

SigmaCall *
sigma_call_start(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	Replies    *replies = (Replies *) session;
	SigmaCall  *call = MemoryContextAllocZero(context, sizeof(SigmaCall));
	const char *end;
	char	   *body;

	if (spec->target[0] != '/')
		abort();
	replies->requests++;
	call->replies = replies;
	call->target = spec->target;
	call->failed = replies->data == NULL;
	if (call->failed)
		return call;

	end = memchr(replies->data, PAGE_END, replies->length);
	call->body.length = end ? (size_t) (end - replies->data) : replies->length;
	call->failed = call->body.length > 0 && replies->data[0] == '!';
	call->not_found = spec->purpose == SIGMA_LOOKUP && call->body.length > 0 && replies->data[0] == '?';
	body = MemoryContextAlloc(context, call->body.length);
	memcpy(body, replies->data, call->body.length);
	call->body.data = body;
	replies->length -= end ? call->body.length + 1 : call->body.length;
	replies->data = end ? end + 1 : NULL;
	return call;
}

bool
sigma_call_done(const SigmaCall *call UNUSED)
{
	return true;
}

void
sigma_call_wait(SigmaCall *call)
{
	call->done = true;
	call->replies->waited++;
	if (call->replies->on_page && !call->failed && !call->not_found)
		call->replies->on_page(call->body);
}

const SigmaFailure *
sigma_call_failure(const SigmaCall *call)
{
	static const SigmaFailure lost = {.sqlstate = ERRCODE_CONNECTION_FAILURE,
	.message = "connection was lost", .detail = "GET."};

	if (!call->done)
		abort();
	return call->failed ? &lost : NULL;
}

bool
sigma_call_not_found(const SigmaCall *call)
{
	return call->not_found;
}

const SigmaFailure *
sigma_call_nothing(const SigmaCall *call UNUSED)
{
	return NULL;
}

void
sigma_session_check_path(const SigmaSession *session UNUSED, const char *path UNUSED,
						 const char *what UNUSED)
{
}

bool
sigma_session_warns(SigmaSession *session UNUSED, SigmaWarning warning UNUSED,
					const SigmaResource *resource UNUSED)
{
	return true;
}

SigmaSpan
sigma_call_body(const SigmaCall *call)
{
	/* nobody may look at a reply that is not there */
	if (!call->done || call->failed || call->not_found)
		abort();
	return call->body;
}

const char *
sigma_call_target(const SigmaCall *call)
{
	return call->target;
}

/* ------------------------------------------------- statements of hints */

char *
sigma_alter_table_option(Oid relid UNUSED, const char *option UNUSED, const char *value UNUSED)
{
	return pstrdup("ALTER FOREIGN TABLE");
}

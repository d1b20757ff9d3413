/*-------------------------------------------------------------------------
 *
 * call_step.c
 *	  The steps of a call: it is sent, and something comes of that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "common/pg_prng.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "json/json.h"
#include "session/session_internal.h"

/*
 * Does Sigma say that there is nothing to be read?  In its own words: what
 * stands before it has web pages, or none.  *plainly: by a look-up's 404.
 */
static bool
is_nothing(const SigmaCall *call, const SigmaReply *reply, bool *plainly)
{
	char	   *code;
	char	   *message;
	char	   *request_id;

	*plainly = reply->status == 404 && call->spec.purpose == SIGMA_LOOKUP;
	return (*plainly || call->spec.nothing) && !reply->html &&
		sigma_json_error_object(reply->body.data, reply->body.length, &code, &message,
								&request_id) &&
		(*plainly || sigma_means_nothing(call->spec.nothing, reply->status, code));
}

/*
 * Does the reply to a request that went well say that it did not?  Nothing
 * else has all three of an error object's members.
 */
static bool
is_failure_behind(const SigmaReply *reply)
{
	char	   *code;
	char	   *message;
	char	   *request_id;

	return reply->body.length <= REPLY_LOOK && strstr(reply->body.data, "\"requestId\"") &&
		sigma_json_error_object(reply->body.data, reply->body.length, &code, &message,
								&request_id) &&
		code && message && request_id;
}

/*
 * Is the reply to a write no word of Sigma's?  What stands before it may answer
 * with a web page and a good status, which does not say that anything was done.
 * (An empty body may be called HTML by who has not thought of its type.)
 */
static bool
is_foreign(const SigmaCall *call, const SigmaReply *reply)
{
	return call->spec.purpose == SIGMA_WRITE && reply->html &&
		reply->body.data[strspn(reply->body.data, " \t\r\n")] == '<';
}

/* A call's transfer is no longer under way. */
void
sigma_call_land(SigmaCall *call)
{
	SigmaSession *s = call->session;

	Assert(call->state == CALL_FLYING);
	if (call->spec.urgent)
		s->urgent_flying--;
	else
	{
		Assert(s->flying > 0);
		s->flying--;
		sigma_shared_end_request(&s->seat);
	}
}

const char *
sigma_call_target(const SigmaCall *call)
{
	return sigma_shown_request(call->spec.method, call->spec.target, NULL);
}

static int
debug_level(const SigmaCall *call)
{
	return call->spec.purpose == SIGMA_WRITE ? DEBUG1 : DEBUG2;
}

/* What came of a call's transfer. */
static void
log_reply(const SigmaCall *call, const SigmaReply *reply)
{
	const char *connection = reply->new_connection ? ", over a new connection" : "";
	double		ms = now_ms() - call->sent_ms;

	if (reply->outcome == SIGMA_REPLIED)
		SIGMA_DEBUG(debug_level(call), "%s: status %d and %zu bytes after %.0f ms%s",
					sigma_call_target(call), reply->status, reply->body.length, ms, connection);
	else
		SIGMA_DEBUG(DEBUG1, "%s: no reply after %.0f ms%s", sigma_call_target(call), ms, connection);
}

/* A step: a call that is READY is sent. */
void
sigma_send_call(SigmaCall *call)
{
	SigmaSession *s = call->session;
	SigmaRequest request = {
		.method = call->spec.method,
		.url = call->url,
		.bearer = s->token,
		.content_type = "Content-Type: application/json",
		.body = call->spec.body,
		.body_length = call->spec.body ? strlen(call->spec.body) : 0,
		.repeatable = call->spec.purpose != SIGMA_WRITE,
		.loopback = s->settings->loopback,
		.accept = call->spec.download ? "Accept: */*" : NULL,
		.stream = call->spec.download,
	};

	if (call->transfer)
		sigma_transfer_free(call->transfer);
	call->transfer = NULL;
	/* first, so that an error here lets go of the place that it has taken */
	call->state = CALL_FLYING;
	if (call->spec.urgent)
		s->urgent_flying++;
	else
		s->flying++;
	call->transfer = sigma_transfer_start(s->transport, call->context, &request);
	SIGMA_DEBUG(debug_level(call), "%s: sent to server \"%s\"", sigma_call_target(call), s->settings->server);
	call->token_number = s->token_number;
	call->sent_ms = now_ms();
	call->tries++;
	if (call->spec.stats)
	{
		call->spec.stats->requests++;
		call->spec.stats->concurrency = Max(call->spec.stats->concurrency, s->flying + s->urgent_flying);
	}
	sigma_stat_call(call, SIGMA_STAT_REQUESTS, 1);
}

/* What there is to tell of a write if there is no memory to tell more. */
static SigmaFailure unknown_outcome = {
	.sqlstate = ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN,
	.message = "outcome unknown: a request may have been carried out, but there was no memory to look at its reply"
};

/* A call has failed; whoever knows more of why says so afterwards. */
static void
end_badly(SigmaCall *call, bool unknown)
{
	call->failure = unknown ? &unknown_outcome : &sigma_out_of_memory;
	finish_call(call);
}

/* Does nobody know whether a request that has failed was carried out? */
static bool
outcome_unknown(const SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt)
{
	/* who says both that it was done and that it was not has said nothing */
	return sigma_outcome_unknown(attempt) ||
		(call->spec.purpose == SIGMA_WRITE && reply->outcome == SIGMA_REPLIED &&
		 reply->status >= 200 && reply->status < 300);
}

/* What is to be told of a reply that is no good; in the call's context. */
SigmaFailure *
sigma_describe_reply(SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt, bool nothing)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	SigmaProblem problem = {
		.purpose = call->spec.purpose,
		.nothing = nothing,
		.outcome_unknown = outcome_unknown(call, reply, attempt),
		.request = sigma_call_target(call),
		.subject = call->spec.subject,
		.attempts = call->tries,
		.waited_ms = call->waited_ms,
	};
	SigmaFailure *failure;

	if (call->spec.creates)
		problem.remedies.look = psprintf("SELECT * FROM sigma_find_created(%s, %s, now() - interval '1 day')",
										 quote_literal_cstr(call->session->settings->server),
										 quote_literal_cstr(call->spec.creates));
	failure = sigma_describe_failure(call->session, reply, &problem, call->spec.secrets);
	MemoryContextSwitchTo(old);
	return failure;
}

static void
fail_call(SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt)
{
	/* first, so that it is not sent again if there is an error now */
	end_badly(call, outcome_unknown(call, reply, attempt));
	call->failure = sigma_describe_reply(call, reply, attempt, false);
}

/* A call was refused for its token, so it was surely not carried out: it gets another one, and no try is spent. */
static void
renew_token(SigmaCall *call)
{
	SigmaSession *s = call->session;

	if (call->token_number == s->token_number && s->token)
	{
		SIGMA_DEBUG(DEBUG1, "%s: the token is good no more", sigma_call_target(call));
		sigma_shared_drop_token(&s->token_key, s->token);
		sigma_drop_token(s);
	}
	call->renewals++;
	call->tries--;
}

/* A call is tried again after so many ms. */
static void
pause_call(SigmaCall *call, long delay)
{
	SIGMA_DEBUG(DEBUG1, "%s: try %d failed, the next is in %ld ms", sigma_call_target(call), call->tries, delay);
	call->state = CALL_PAUSED;
	call->waited_ms += delay;
	call->resume_ms = now_ms() + delay;
	if (call->spec.stats)
		call->spec.stats->retries++;
	sigma_stat_call(call, SIGMA_STAT_RETRIES, 1);
}

/* A step: a call's transfer has ended. */
void
sigma_receive_reply(SigmaCall *call)
{
	SigmaSession *s = call->session;
	const SigmaReply *reply = sigma_transfer_reply(call->transfer);
	SigmaAttempt attempt = {
		.outcome = reply->outcome,
		.status = reply->status,
		.purpose = call->spec.purpose,
		.body_left = reply->body_left,
		.unattended = reply->unattended,
		.tries = call->tries,
		.max_retries = s->settings->max_retries,
		.waited_ms = call->waited_ms,
		.retry_after = reply->retry_after[0] ? reply->retry_after : NULL,
		.now = (int64) time(NULL),
		.random = pg_prng_double(&pg_global_prng_state),
	};
	long		delay;
	bool		plainly;

	sigma_call_land(call);
	call->state = CALL_READY;
	log_reply(call, reply);
	if (call->spec.stats)
		call->spec.stats->bytes += reply->body.length;
	if (reply->outcome == SIGMA_REPLIED && reply->status != 429)
		sigma_pace_good(s, call->sent_ms);
	sigma_stat_replied(call, reply);

	if (reply->outcome == SIGMA_REPLIED)
	{
		if (reply->status >= 200 && reply->status < 300)
		{
			if (!call->spec.download && (is_failure_behind(reply) || is_foreign(call, reply)))
				fail_call(call, reply, &attempt);
			else
				finish_call(call);
			return;
		}
		if (is_nothing(call, reply, &plainly))
		{
			call->not_found = true;
			if (!plainly)
				call->nothing = sigma_describe_reply(call, reply, &attempt, true);
			finish_call(call);
			return;
		}
		/* another backend's token may have been no good either, and unknown to be so */
		if (reply->status == 401 && call->renewals < (s->token_borrowed ? 2 : 1) && !call->last_try)
		{
			renew_token(call);
			return;
		}
	}
	if (call->spec.download && reply->outcome == SIGMA_REPLIED && reply->status != 401 && reply->status != 429)
	{
		finish_call(call);
		return;
	}
	if (sigma_attempt_is_free(&attempt) && !call->last_try)
	{
		call->tries--;
		return;
	}
	delay = call->last_try ? -1 : sigma_retry_delay(&attempt);
	if (reply->outcome == SIGMA_REPLIED && reply->status == 429)
	{
		sigma_pace_refused(s, call->spec.pace, call->sent_ms, delay);
		if (call->spec.stats)
			call->spec.stats->throttled++;
	}
	if (delay < 0)
	{
		fail_call(call, reply, &attempt);
		return;
	}
	pause_call(call, delay);
}

/* A step: the body of a download has begun to come.  The rest of it is the caller's to read. */
void
sigma_begin_stream(SigmaCall *call)
{
	sigma_call_land(call);
	log_reply(call, sigma_transfer_reply(call->transfer));
	sigma_pace_good(call->session, call->sent_ms);
	sigma_stat_replied(call, sigma_transfer_reply(call->transfer));
	finish_call(call);
}

/* A step: a call has waited too long for a place. */
void
sigma_fail_queued(SigmaCall *call)
{
	const SigmaSettings *settings = call->session->settings;
	MemoryContext old = MemoryContextSwitchTo(call->context);
	SigmaFailure *f;
	char	   *more;

	end_badly(call, false);
	f = palloc0(sizeof(SigmaFailure));
	f->sqlstate = ERRCODE_CONNECTION_FAILURE;
	f->message = psprintf("could not send a request to server \"%s\" within request_timeout (%d ms)",
						  settings->server, settings->request_timeout_ms);
	f->detail = psprintf("%s: other sessions have as many requests under way as there may be with these credentials.",
						 sigma_call_target(call));
	more = sigma_allow_more(settings, "max_concurrency");
	if (more == NULL)
		more = sigma_allow_more(settings, "request_timeout");
	f->hint = psprintf("Try again later, or raise the server option \"max_concurrency\" or \"request_timeout\"%s%s.",
					   more ? ": " : "", more ? more : "");
	call->failure = f;
	MemoryContextSwitchTo(old);
}

bool
sigma_call_may_have_acted(const SigmaCall *call)
{
	if (call->state == CALL_DONE)
		return call->failure == NULL ||
			call->failure->sqlstate == ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
	return call->state == CALL_FLYING && call->transfer && sigma_transfer_body_left(call->transfer);
}

/*
 * Does a step of a call.  An error in it, for want of memory say, is that
 * call's failure and no error here: whoever looks after the session now may be
 * waiting for another one, and sigma_call_start() must not raise what would
 * make its caller forget a request that has left.
 */
void
sigma_take_step(CallStep step, SigmaCall *call)
{
	SigmaCatch	before;

	sigma_before_catch(&before);
	PG_TRY();
	{
		step(call);
	}
	PG_CATCH();
	{
		if (call->state == CALL_FLYING)
			sigma_call_land(call);
		if (call->state != CALL_DONE)
			end_badly(call, call->spec.purpose == SIGMA_WRITE && call->transfer &&
					  sigma_transfer_body_left(call->transfer));
		/* what has not left by now must not leave later */
		if (call->transfer && !sigma_transfer_done(call->transfer))
		{
			sigma_transfer_free(call->transfer);
			call->transfer = NULL;
		}
		if (call->failure == &unknown_outcome)
			(void) sigma_catch(&before, NULL);
		else
			call->failure = sigma_catch(&before, call->context);
	}
	PG_END_TRY();
	if (call->state == CALL_DONE)
		sigma_stat_ended(call, sigma_call_may_have_acted(call));
}

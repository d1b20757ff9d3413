/*-------------------------------------------------------------------------
 *
 * call.c
 *	  One request with everything that belongs to it: sign-in, retries, a
 *	  renewed token after a 401.
 *
 * Several calls of a session may be under way at once; all of them advance
 * whenever somebody waits for one.  A call is in one of four states:
 *
 *	  READY     to be sent as soon as there is a token and a free place
 *	  PAUSED    READY again when its time has come
 *	  FLYING    its transfer is under way
 *	  DONE      it has a reply, or a failure
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <time.h>

#include "common/pg_prng.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session_internal.h"

/* A wait that nothing interrupts looks up this often whether it should end. */
#define LOOK_UP_MS 50

/* --------------------------------------------------------------- failures */

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

/* ------------------------------------------------------- a call, step by step */

/* A call's transfer is no longer under way. */
static void
land(SigmaCall *call)
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

/* The session has got a place, or does not want one any more. */
static void
leave_queue(SigmaSession *s)
{
	s->queued = false;
	sigma_shared_stop_waiting(&s->seat);
}

/* Somebody begins to wait for a call. */
static void
begin_wait(SigmaCall *call)
{
	call->awaited_ms = now_ms();
}

/* A turn of the wait has ended; how much of it, in ms, was for the pace or a 429. */
static double
end_turn(SigmaCall *call)
{
	double		ms = Max(Min(now_ms(), call->held_ms) - call->turn_ms, 0);

	sigma_stat_call(call, SIGMA_STAT_THROTTLE, (int64) (ms * 1000));
	call->held_ms = 0;
	return ms;
}

/* Nobody waits any more, be it that an error has ended the wait. */
static void
end_wait(SigmaCall *call)
{
	(void) end_turn(call);
	sigma_stat_call(call, SIGMA_STAT_WAIT, (int64) ((now_ms() - call->awaited_ms) * 1000));
	call->awaited_ms = 0;
}

/*
 * The same where no error has ended it, which the statement's own figures count
 * as well: after an error, they may be gone.
 */
static void
end_wait_well(SigmaCall *call)
{
	if (call->spec.stats)
		call->spec.stats->wait_ms += now_ms() - call->awaited_ms;
	end_wait(call);
}

/* Ends a call wherever it stands: its context, or its session, ends. */
void
sigma_detach_call(SigmaCall *call)
{
	SigmaSession *s = call->session;

	if (s && call->state != CALL_DONE)
		sigma_stat_ended(call, sigma_call_may_have_acted(call));
	if (call->awaited_ms > 0)
		end_wait(call);
	if (call->transfer)
		sigma_transfer_free(call->transfer);
	call->transfer = NULL;
	if (s == NULL)
		return;
	if (call->state == CALL_FLYING)
		land(call);
	if (call->state != CALL_DONE)
		dlist_delete(&call->node);
	call->state = CALL_DONE;
	call->session = NULL;
	/* nobody is left to wait for the token, or a place: a cancel ends that, too */
	if (dlist_is_empty(&s->calls))
	{
		sigma_give_up_sign_in(s);
		leave_queue(s);
		sigma_pace_forget(s);
	}
}

/* The memory of a call goes: whoever follows it is told, and lets go of it. */
static void
detach_call_callback(void *arg)
{
	SigmaCall  *call = arg;
	bool		may_have_acted = call->gone && call->state != CALL_DONE && sigma_call_may_have_acted(call);

	sigma_detach_call(call);
	if (call->gone)
		call->gone(call->gone_arg, may_have_acted);
}

void
sigma_call_follow(SigmaCall *call, SigmaCallGone gone, void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
}

/* A call's request for the log. */
static char *
shown_call(const SigmaCall *call)
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
					shown_call(call), reply->status, reply->body.length, ms, connection);
	else
		SIGMA_DEBUG(DEBUG1, "%s: no reply after %.0f ms%s", shown_call(call), ms, connection);
}

static void
send_call(SigmaCall *call)
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
	SIGMA_DEBUG(debug_level(call), "%s: sent to server \"%s\"", shown_call(call), s->settings->server);
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
static SigmaFailure *
describe_reply(SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt, bool nothing)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	SigmaProblem problem = {
		.purpose = call->spec.purpose,
		.nothing = nothing,
		.outcome_unknown = outcome_unknown(call, reply, attempt),
		.request = sigma_shown_request(call->spec.method, call->spec.target, NULL),
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
	call->failure = describe_reply(call, reply, attempt, false);
}

/* A call was refused for its token, so it was surely not carried out: it gets another one, and no try is spent. */
static void
renew_token(SigmaCall *call)
{
	SigmaSession *s = call->session;

	if (call->token_number == s->token_number && s->token)
	{
		SIGMA_DEBUG(DEBUG1, "%s: the token is good no more", shown_call(call));
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
	SIGMA_DEBUG(DEBUG1, "%s: try %d failed, the next is in %ld ms", shown_call(call), call->tries, delay);
	call->state = CALL_PAUSED;
	call->waited_ms += delay;
	call->resume_ms = now_ms() + delay;
	if (call->spec.stats)
		call->spec.stats->retries++;
	sigma_stat_call(call, SIGMA_STAT_RETRIES, 1);
}

/* A call's transfer has ended. */
static void
receive_reply(SigmaCall *call)
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

	land(call);
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
			if (!call->spec.download && is_failure_behind(reply))
				fail_call(call, reply, &attempt);
			else
				finish_call(call);
			return;
		}
		if (is_nothing(call, reply, &plainly))
		{
			call->not_found = true;
			if (!plainly)
				call->nothing = describe_reply(call, reply, &attempt, true);
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

/* The body of a download has begun to come: the rest of it is the caller's to read. */
static void
begin_stream(SigmaCall *call)
{
	land(call);
	log_reply(call, sigma_transfer_reply(call->transfer));
	sigma_pace_good(call->session, call->sent_ms);
	sigma_stat_replied(call, sigma_transfer_reply(call->transfer));
	finish_call(call);
}

/* A step of a call. */
typedef void (*CallStep) (SigmaCall *call);

/*
 * Does a step of a call.  An error in it, for want of memory say, is that
 * call's failure and no error here: whoever looks after the session now may be
 * waiting for another one, and sigma_call_start() must not raise what would
 * make its caller forget a request that has left.
 */
static void
take_step(CallStep step, SigmaCall *call)
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
			land(call);
		if (call->state != CALL_DONE)
			end_badly(call, call->spec.purpose == SIGMA_WRITE && call->transfer &&
					  sigma_transfer_body_left(call->transfer));
		if (call->failure == &unknown_outcome)
			(void) sigma_catch(&before, NULL);
		else
			call->failure = sigma_catch(&before, call->context);
	}
	PG_END_TRY();
	if (call->state == CALL_DONE)
		sigma_stat_ended(call, sigma_call_may_have_acted(call));
}

/* The same for a step of the sign-in, which is that of all calls that wait for it. */
static void
take_sign_in_step(SigmaSession *s, SigmaCall *waiting)
{
	SigmaCatch	before;

	sigma_before_catch(&before);
	PG_TRY();
	{
		if (waiting)
			sigma_seek_token(s, waiting);
		else
			sigma_finish_sign_in(s);
	}
	PG_CATCH();
	{
		sigma_fail_sign_in(s, sigma_catch(&before, before.context));
	}
	PG_END_TRY();
}

/* How long the session has waited for a place, in ms. */
static double
time_in_queue(const SigmaSession *s)
{
	return sigma_transport_waited(s->transport) - s->queued_ms;
}

/* There is no place for a request now. */
static void
wait_in_queue(SigmaSession *s)
{
	if (!s->queued)
		s->queued_ms = sigma_transport_waited(s->transport);
	s->queued = true;
	s->ask_again_ms = now_ms() +
		Min(ASK_AGAIN_MS, Max(s->settings->request_timeout_ms - time_in_queue(s), 0));
}

/* A call that has waited too long for a place. */
static void
fail_queued(SigmaCall *call)
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
						 sigma_shown_request(call->spec.method, call->spec.target, NULL));
	more = sigma_allow_more(settings, "max_concurrency");
	if (more == NULL)
		more = sigma_allow_more(settings, "request_timeout");
	f->hint = psprintf("Try again later, or raise the server option \"max_concurrency\" or \"request_timeout\"%s%s.",
					   more ? ": " : "", more ? more : "");
	call->failure = f;
	MemoryContextSwitchTo(old);
}

/* None of those that wait for a place is to wait any longer. */
static void
give_up_queue(SigmaSession *s)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_READY && !call->spec.urgent)
			take_step(fail_queued, call);
	}
	leave_queue(s);
}

/* Sends a call, if there is a place for it; else false. */
static bool
send_if_place(SigmaSession *s, SigmaCall *call)
{
	if (s->flying >= s->width || !sigma_shared_begin_request(&s->seat, &s->budget_key, s->width))
		return false;
	s->queued = false;
	take_step(send_call, call);
	return true;
}

/*
 * Sends the calls that are ready, as far as pace and places allow.  *refused: a
 * place was not to be had.
 */
static void
send_calls(SigmaSession *s, bool urgent, bool *refused)
{
	dlist_mutable_iter iter;
	bool		held[SIGMA_PACES] = {false};

	*refused = false;
	s->held_ms = 0;
	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);
		double		later;

		if (call->state != CALL_READY || !sigma_token_is_good(s))
			continue;
		/* while the end of a transaction is at work, nobody wants the others any more */
		if (urgent)
		{
			if (call->spec.urgent && s->urgent_flying < s->settings->max_concurrency)
				take_step(send_call, call);
			continue;
		}
		if (s->flying >= s->width || *refused || held[call->spec.pace])
			continue;
		later = sigma_pace_ask(s, call->spec.pace);
		if (later > 0)
		{
			held[call->spec.pace] = true;
			s->held_ms = s->held_ms > 0 ? Min(s->held_ms, later) : later;
		}
		else if (!send_if_place(s, call))
		{
			sigma_pace_give_back(s, call->spec.pace);
			/* the others may have made it slower just now */
			*refused = s->flying < s->width;
		}
	}
}

/* Does whatever can be done without waiting.  Raises nothing. */
void
sigma_advance(SigmaSession *s)
{
	dlist_mutable_iter iter;
	SigmaCall  *waiting = NULL;
	bool		urgent = false;
	bool		refused;

	if (s->sign_in && sigma_transfer_done(s->sign_in))
		take_sign_in_step(s, NULL);
	if (now_ms() >= s->renew_ms)
	{
		sigma_shared_renew(s->seat);
		if (s->elected)
			sigma_shared_renew_sign_in(&s->token_key);
		s->renew_ms = now_ms() + RENEW_MS;
	}

	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_FLYING && sigma_transfer_streams(call->transfer))
			take_step(begin_stream, call);
		else if (call->state == CALL_FLYING && sigma_transfer_done(call->transfer))
			take_step(receive_reply, call);
	}
	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_PAUSED && now_ms() >= call->resume_ms)
			call->state = CALL_READY;
		if (call->state == CALL_READY && waiting == NULL)
			waiting = call;
		urgent |= call->spec.urgent;
	}
	/* outside of any loop over the calls, since it may end all that wait */
	if (waiting && !sigma_token_is_good(s))
		take_sign_in_step(s, waiting);
	if (waiting == NULL && s->queued)
		leave_queue(s);
	send_calls(s, urgent, &refused);
	if (refused)
		wait_in_queue(s);
	else if (s->queued && s->held_ms > 0)
		leave_queue(s);			/* who keeps a pace does not wait for a place */
	if (refused && time_in_queue(s) >= s->settings->request_timeout_ms)
		give_up_queue(s);
}

void
sigma_call_give_up(SigmaCall *call)
{
	sigma_detach_call(call);
}

void
sigma_call_free(SigmaCall *call)
{
	MemoryContextDelete(call->context);
}

void
sigma_call_last_try(SigmaCall *call)
{
	call->last_try = true;
}

/* How long nothing will happen by itself, in ms; -1: until a transfer ends. */
long
sigma_idle_time(SigmaSession *s)
{
	double		next = INFINITY;
	bool		waiting = false;
	bool		urgent = false;
	bool		urgent_waiting = false;
	dlist_iter	iter;
	double		left;

	dlist_foreach(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_PAUSED)
			next = Min(next, call->resume_ms);
		waiting |= call->state == CALL_READY;
		urgent |= call->spec.urgent;
		urgent_waiting |= call->spec.urgent && call->state == CALL_READY;
	}
	if (waiting && !s->sign_in && !sigma_token_is_good(s))
		next = Min(next, Max(s->sign_in_resume_ms, s->look_again_ms));
	else if (urgent)
	{
		/* the others wait for these, and these for a place */
		if (urgent_waiting && sigma_token_is_good(s) &&
			s->urgent_flying < s->settings->max_concurrency)
			next = 0;
	}
	else if (waiting && sigma_token_is_good(s) && s->flying < s->width)
	{
		if (s->held_ms > 0)
			next = Min(next, s->held_ms);
		if (s->queued)
			next = Min(next, s->ask_again_ms);
		else if (s->held_ms == 0)
			next = 0;
	}
	if (s->seat != 0 || s->elected)
		next = Min(next, s->renew_ms);
	if (isinf(next))
		return -1;
	left = next - now_ms();
	return left <= 0 ? 0 : (long) left + 1;
}

SigmaCall *
sigma_call_start(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	MemoryContext call_context = AllocSetContextCreate(context, "sigma call", ALLOCSET_SMALL_SIZES);
	SigmaCall  *call = MemoryContextAllocZero(call_context, sizeof(SigmaCall));
	MemoryContext old = MemoryContextSwitchTo(call_context);

	Assert(spec->target[0] == '/');
	call->context = call_context;
	call->spec = *spec;
	call->url = psprintf("%s%s", session->settings->base_url, spec->target);
	call->state = CALL_READY;
	call->session = session;
	dlist_push_tail(&session->calls, &call->node);
	call->callback.func = detach_call_callback;
	call->callback.arg = call;
	MemoryContextRegisterResetCallback(call_context, &call->callback);
	MemoryContextSwitchTo(old);

	sigma_advance(session);
	return call;
}

bool
sigma_call_done(const SigmaCall *call)
{
	return call->state == CALL_DONE;
}

/* Waits until something may have changed for a call, and notes what for. */
static void
wait_for(SigmaCall *call)
{
	SigmaSession *s = call->session;
	double		held_ms;

	call->turn_ms = now_ms();
	call->held_ms = Max(s->held_ms, s->throttled_ms);
	sigma_transport_wait(s->transport, sigma_idle_time(s));
	held_ms = end_turn(call);
	if (call->spec.stats)
		call->spec.stats->throttled_ms += held_ms;
}

void
sigma_call_wait(SigmaCall *call)
{
	begin_wait(call);
	while (call->state != CALL_DONE)
	{
		SigmaSession *s = call->session;

		sigma_advance(s);
		if (call->state != CALL_DONE)
			wait_for(call);
	}
	end_wait_well(call);
}

void
sigma_call_wait_turn(SigmaCall *call)
{
	SigmaSession *s = call->session;

	if (call->state == CALL_DONE)
		return;
	begin_wait(call);
	sigma_advance(s);
	if (call->state != CALL_DONE)
		wait_for(call);
	sigma_advance(s);
	end_wait_well(call);
}

bool
sigma_call_wait_until(SigmaCall *call, double deadline_ms)
{
	while (call->state != CALL_DONE)
	{
		SigmaSession *s = call->session;
		double		left = deadline_ms - now_ms();
		long		idle;

		sigma_advance(s);
		if (call->state == CALL_DONE)
			break;
		if (left <= 0 || QueryCancelPending || (ProcDiePending && !proc_exit_inprogress))
			return false;
		idle = sigma_idle_time(s);
		sigma_transport_wait(s->transport, (long) Min(Min(idle < 0 ? LOOK_UP_MS : idle, LOOK_UP_MS), left));
	}
	return true;
}

/* The reply; or NULL if there is none, as of a call that was given up. */
static const SigmaReply *
whole_reply(const SigmaCall *call)
{
	if (call->transfer == NULL ||
		!(sigma_transfer_done(call->transfer) || sigma_transfer_streams(call->transfer)))
		return NULL;
	return sigma_transfer_reply(call->transfer);
}

/* --------------------------------------------------------------- downloads */

bool
sigma_call_read(SigmaCall *call, size_t used, size_t seen, SigmaSpan *rest,
				const SigmaFailure **failure)
{
	SigmaSession *s = call->session;
	int64		bytes;
	bool		more = sigma_transfer_take(call->transfer, used, seen > 0, rest);

	*failure = NULL;
	call->handed -= used;
	begin_wait(call);
	while (more && rest->length <= seen)
	{
		sigma_advance(s);
		sigma_transport_wait(s->transport, sigma_idle_time(s));
		more = sigma_transfer_take(call->transfer, 0, seen > 0, rest);
	}
	end_wait_well(call);
	bytes = (int64) (rest->length - call->handed);
	sigma_stat_call(call, SIGMA_STAT_BYTES, bytes);
	if (call->spec.stats)
		call->spec.stats->bytes += bytes;
	call->handed = rest->length;
	if (!more && sigma_transfer_reply(call->transfer)->outcome != SIGMA_REPLIED)
		*failure = sigma_call_judge(call, sigma_span(""));
	return more;
}

const SigmaFailure *
sigma_call_judge(SigmaCall *call, SigmaSpan body)
{
	SigmaReply	reply = *sigma_transfer_reply(call->transfer);
	SigmaAttempt attempt = {.outcome = reply.outcome, .status = reply.status, .purpose = call->spec.purpose};

	if (body.length > 0)
	{
		/* what is looked for in it ends with a NUL */
		reply.body.data = MemoryContextStrdup(call->context, pnstrdup(body.data, body.length));
		reply.body.length = strlen(reply.body.data);
	}
	return describe_reply(call, &reply, &attempt, false);
}

bool
sigma_call_is_html(const SigmaCall *call)
{
	return sigma_transfer_reply(call->transfer)->html;
}

int
sigma_call_status(const SigmaCall *call)
{
	const SigmaReply *reply = whole_reply(call);

	return reply ? reply->status : 0;
}

const char *
sigma_call_request_id(const SigmaCall *call)
{
	const SigmaReply *reply = whole_reply(call);
	char	   *code;
	char	   *message;
	char	   *request_id = NULL;

	if (reply == NULL)
		return NULL;
	if (reply->request_id[0])
		request_id = pstrdup(reply->request_id);
	else
		(void) sigma_json_error_object(reply->body.data, reply->body.length, &code, &message,
									   &request_id);
	return request_id ? sigma_clean_text(request_id, strlen(request_id), 100) : NULL;
}

const SigmaFailure *
sigma_call_failure(const SigmaCall *call)
{
	Assert(call->state == CALL_DONE);
	return call->failure;
}

bool
sigma_call_not_found(const SigmaCall *call)
{
	Assert(call->state == CALL_DONE);
	return call->not_found;
}

const SigmaFailure *
sigma_call_nothing(const SigmaCall *call)
{
	return call->nothing;
}

bool
sigma_call_may_have_acted(const SigmaCall *call)
{
	if (call->state == CALL_DONE)
		return call->failure == NULL ||
			call->failure->sqlstate == ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
	return call->state == CALL_FLYING && call->transfer && sigma_transfer_body_left(call->transfer);
}

SigmaSpan
sigma_call_body(const SigmaCall *call)
{
	Assert(call->state == CALL_DONE && call->failure == NULL);
	return sigma_transfer_reply(call->transfer)->body;
}

bool
sigma_call_is_text(const SigmaCall *call)
{
	Assert(call->state == CALL_DONE && call->failure == NULL);
	return sigma_transfer_reply(call->transfer)->text_type;
}

const char *
sigma_call_target(const SigmaCall *call)
{
	return sigma_shown_request(call->spec.method, call->spec.target, NULL);
}

SigmaCall *
sigma_call(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	SigmaCall  *call = sigma_call_start(session, context, spec);

	sigma_call_wait(call);
	if (call->failure)
		sigma_raise(call->failure);
	return call;
}

/*-------------------------------------------------------------------------
 *
 * call.c
 *	  One request with everything that belongs to it: sign-in, retries, a
 *	  renewed token after a 401.
 *
 * Several calls of a session may be under way at once; all of them advance
 * whenever somebody waits for one (advance.c).  A call is in one of four states
 * (call_step.c does what leads from one to the next):
 *
 *	  READY     to be sent as soon as there is a token and a free place
 *	  PAUSED    READY again when its time has come
 *	  FLYING    its transfer is under way
 *	  DONE      it has a reply, or a failure
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "json/json.h"
#include "session/session_internal.h"

/* A wait that nothing interrupts looks up this often whether it should end. */
#define LOOK_UP_MS 50

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
		sigma_call_land(call);
	if (call->state != CALL_DONE)
		dlist_delete(&call->node);
	call->state = CALL_DONE;
	call->session = NULL;
	/* nobody is left to wait for the token, or a place: a cancel ends that, too */
	if (dlist_is_empty(&s->calls))
	{
		sigma_give_up_sign_in(s);
		sigma_leave_queue(s);
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
	return sigma_describe_reply(call, &reply, &attempt, false);
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

SigmaCall *
sigma_call(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	SigmaCall  *call = sigma_call_start(session, context, spec);

	sigma_call_wait(call);
	if (call->failure)
		sigma_raise(call->failure);
	return call;
}

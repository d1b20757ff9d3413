/*-------------------------------------------------------------------------
 *
 * advance.c
 *	  What a session does whenever somebody waits for one of its calls: all of
 *	  them, and its sign-in, advance as far as they can without waiting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "session/session_internal.h"

/* The session has got a place, or does not want one any more. */
void
sigma_leave_queue(SigmaSession *s)
{
	s->queued = false;
	sigma_shared_stop_waiting(&s->seat);
}

/* Like sigma_take_step(), for a step of the sign-in: its failure is that of all calls that wait for it. */
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

/* None of those that wait for a place is to wait any longer. */
static void
give_up_queue(SigmaSession *s)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_READY && !call->spec.urgent)
			sigma_take_step(sigma_fail_queued, call);
	}
	sigma_leave_queue(s);
}

/* Sends a call, if there is a place for it; else false. */
static bool
send_if_place(SigmaSession *s, SigmaCall *call)
{
	if (s->flying >= s->width || !sigma_shared_begin_request(&s->seat, &s->budget_key, s->width))
		return false;
	s->queued = false;
	sigma_take_step(sigma_send_call, call);
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
				sigma_take_step(sigma_send_call, call);
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
			sigma_take_step(sigma_begin_stream, call);
		else if (call->state == CALL_FLYING && sigma_transfer_done(call->transfer))
			sigma_take_step(sigma_receive_reply, call);
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
		sigma_leave_queue(s);
	send_calls(s, urgent, &refused);
	if (refused)
		wait_in_queue(s);
	else if (s->queued && s->held_ms > 0)
		sigma_leave_queue(s);	/* who keeps a pace does not wait for a place */
	if (refused && time_in_queue(s) >= s->settings->request_timeout_ms)
		give_up_queue(s);
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

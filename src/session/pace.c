/*-------------------------------------------------------------------------
 *
 * pace.c
 *	  How fast a server is asked.
 *
 * What Sigma takes is published for few requests only, and what stands before it
 * answers 429 to who asks too much, for some seconds.  So a session finds out, as
 * a sender of TCP does: a 429 halves how many requests may be under way, and some
 * good replies allow one more, up to max_concurrency.  After a 429 nothing is
 * sent for as long as the request that it has met waits before it is sent again,
 * and then one alone, until it is known that it goes again: what was refused to
 * one would be refused to all, and would cost each a try.
 *
 * Where a limit is known, requests keep a pace: the server option
 * requests_per_minute for all, what Sigma publishes for exports and downloads.  A
 * tenth of a minute's requests may come at once; the others come evenly, so that
 * there are never more in any minute.
 *
 * If the library is preloaded, all who share a budget of requests share its pace
 * (see shared.c); else each session has its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "config/config.h"
#include "session/session_internal.h"

/* After a 429, so many good replies let one more be sent at once. */
#define GOOD_REPLIES_TO_WIDEN 20

/* No session has more under way. */
#define MOST_AT_ONCE 64

/* As Sigma publishes it, of exports that are started and of downloads. */
#define EXPORTS_PER_MINUTE 400

static SigmaPace *
take_pace(SigmaSession *s)
{
	SigmaPace  *pace = sigma_shared_take_pace(&s->budget_key);

	return pace ? pace : &s->pace;
}

/* Gives it back, and takes what concerns the session out of it. */
static void
give_pace(SigmaSession *s, const SigmaPace *pace)
{
	s->width = s->settings->max_concurrency;
	if (pace->probing)
		s->width = 1;
	else if (pace->width > 0)
		s->width = Min(s->width, pace->width);
	if (pace != &s->pace)
		sigma_shared_give_pace();
}

/* How many there may be in a minute; 0: any number. */
static int
per_minute(const SigmaSession *s, SigmaPaceClass class)
{
	return class == SIGMA_PACE_ALL ? s->settings->requests_per_minute : EXPORTS_PER_MINUTE;
}

/* How many may come at once. */
static int
burst(int n)
{
	return Max(n / 10, 1);
}

/* The time between two that come evenly, in ms. */
static double
interval(int n)
{
	return 60000.0 / (n - burst(n) + 1);
}

/* When the next of a class may be sent; a time that has gone by if it may be now. */
static double
next_ms(const SigmaSession *s, const SigmaPace *pace, SigmaPaceClass class)
{
	int			n = per_minute(s, class);
	double		due = n > 0 ? pace->due_ms[class] - (burst(n) - 1) * interval(n) : 0;

	return Max(pace->hold_ms[class], due);
}

/* What was sent at a slower pace than is allowed now is waited for no longer than at this one. */
static void
limit_due(const SigmaSession *s, SigmaPace *pace, SigmaPaceClass class, double now)
{
	int			n = per_minute(s, class);

	if (n > 0)
		pace->due_ms[class] = Min(pace->due_ms[class], now + burst(n) * interval(n));
}

/* Moves what is due by so many requests. */
static void
move_due(const SigmaSession *s, SigmaPace *pace, SigmaPaceClass class, double from, int count)
{
	int			n = per_minute(s, class);

	if (n > 0)
		pace->due_ms[class] = Max(pace->due_ms[class], from) + count * interval(n);
}

/* May a request of the class be sent now?  0 if so, and then it counts; else when to ask again. */
double
sigma_pace_ask(SigmaSession *s, SigmaPaceClass class)
{
	SigmaPace  *pace = take_pace(s);
	double		now = now_ms();
	double		next;

	limit_due(s, pace, SIGMA_PACE_ALL, now);
	limit_due(s, pace, class, now);
	next = Max(next_ms(s, pace, SIGMA_PACE_ALL), next_ms(s, pace, class));
	if (next <= now)
	{
		next = 0;
		move_due(s, pace, SIGMA_PACE_ALL, now, 1);
		if (class != SIGMA_PACE_ALL)
			move_due(s, pace, class, now, 1);
	}
	give_pace(s, pace);
	return next;
}

/* It has not been sent after all. */
void
sigma_pace_give_back(SigmaSession *s, SigmaPaceClass class)
{
	SigmaPace  *pace = take_pace(s);

	move_due(s, pace, SIGMA_PACE_ALL, 0, -1);
	if (class != SIGMA_PACE_ALL)
		move_due(s, pace, class, 0, -1);
	give_pace(s, pace);
}

/*
 * Nobody waits any more: a session's own pause need not be kept by who comes
 * next, who will be told if it is still too early.
 */
void
sigma_pace_forget(SigmaSession *s)
{
	memset(s->pace.hold_ms, 0, sizeof(s->pace.hold_ms));
	s->throttled_ms = 0;
}

/* A request that was sent then has been answered, by the API itself. */
void
sigma_pace_good(SigmaSession *s, double sent_ms)
{
	SigmaPace  *pace = take_pace(s);

	if (sent_ms > pace->narrowed_ms)
		pace->probing = false;
	if (pace->width > 0 && ++pace->good_replies >= GOOD_REPLIES_TO_WIDEN)
	{
		pace->good_replies = 0;
		pace->width = pace->width < MOST_AT_ONCE ? pace->width + 1 : 0;
	}
	give_pace(s, pace);
}

/*
 * A request was answered 429, and waits so long before it is sent again; less
 * than 0: it is not.  Those that were sent before it slowed down tell nothing new.
 */
void
sigma_pace_refused(SigmaSession *s, SigmaPaceClass class, double sent_ms, long delay_ms)
{
	SigmaPace  *pace = take_pace(s);
	double		now = now_ms();

	pace->good_replies = 0;
	if (sent_ms >= pace->narrowed_ms)
	{
		int			width = s->settings->max_concurrency;

		if (pace->width > 0)
			width = Min(pace->width, width);
		pace->width = Max(width / 2, 1);
		pace->narrowed_ms = now;
		if (delay_ms > 0)
		{
			pace->probing = true;
			pace->hold_ms[class] = Max(pace->hold_ms[class], now + delay_ms);
		}
	}
	s->throttled_ms = Max(s->throttled_ms, now + delay_ms);
	give_pace(s, pace);
}

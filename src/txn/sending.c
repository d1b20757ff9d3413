/*-------------------------------------------------------------------------
 *
 * sending.c
 *	  Sends writes, several at once, and sees to it that what became of each is
 *	  known, remembered and recorded, however the waiting ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "session/session.h"
#include "txn/txn_internal.h"

/* A write has ended; "why" is its failure, if it has one. */
static void
settle(SigmaWrite *write, const SigmaFailure *why)
{
	SigmaEffect *e = write->effect;

	sigma_effect_let_go(e);
	if (why == NULL)
		write->fate = SIGMA_ACTED;
	else if (sigma_call_may_have_acted(write->call))
		write->fate = SIGMA_UNKNOWN;
	else
		write->fate = SIGMA_REFUSED;
	sigma_record_write(e, &write->spec, write->id, write->call, write->fate);
	if (write->fate == SIGMA_REFUSED)
	{
		write->effect = NULL;
		sigma_effect_forget(e);
	}
}

/* An error has ended the wait for a write: it is given up, wherever it stands. */
static void
settle_interrupted(SigmaWrite *write)
{
	SigmaEffect *e = write->effect;

	if (e == NULL)
		return;
	sigma_effect_let_go(e);
	if (write->fate != SIGMA_NOT_SENT)
		return;
	/* its reply had come, but was not yet looked at */
	if (write->call && sigma_call_done(write->call))
	{
		if (sigma_call_failure(write->call) == NULL)
		{
			write->fate = SIGMA_UNKNOWN;
			(void) write->succeeded(write);
		}
		settle(write, sigma_call_failure(write->call));
		return;
	}
	if (write->call && sigma_call_may_have_acted(write->call))
	{
		write->fate = SIGMA_UNKNOWN;
		sigma_record_write(e, &write->spec, write->id, write->call, write->fate);
	}
	else
	{
		write->effect = NULL;
		sigma_effect_forget(e);
	}
	if (write->call)
		sigma_call_give_up(write->call);
	write->call = NULL;
}

/* Another write has failed: this one is not sent any more, if it can be helped. */
static void
hold_back(SigmaWrite *write)
{
	SigmaEffect *e = write->effect;

	if (sigma_call_done(write->call))
		return;
	if (sigma_call_may_have_acted(write->call))
	{
		sigma_call_last_try(write->call);
		return;
	}
	sigma_call_give_up(write->call);
	write->call = NULL;
	write->effect = NULL;
	sigma_effect_forget(e);
}

/* A write's call is done: says what became of it. */
static const SigmaFailure *
finish_write(SigmaWrite *write)
{
	const SigmaFailure *failure = sigma_call_failure(write->call);

	if (failure)
	{
		settle(write, failure);
		return failure;
	}
	/* what the reply says may be of no use, but it says that it was done */
	write->fate = SIGMA_UNKNOWN;
	failure = write->succeeded(write);
	settle(write, NULL);
	if (write->silent && failure == NULL)
	{
		sigma_call_free(write->call);
		write->call = NULL;
	}
	return failure;
}

/* Writes that are under way. */
typedef struct Flight
{
	SigmaWrite *writes;
	int			width;			/* how many may be, at once */
	int			started;
	int			flying;
	int			first;			/* all before it are through */
} Flight;

/*
 * Notes what became of those that are done, as soon as they are: what has acted
 * must be on record even if another one hangs.  If none is, waits a turn.
 * Returns the first failure, which may be an earlier one.
 */
static const SigmaFailure *
land_writes(Flight *flight, const SigmaFailure *failure)
{
	bool		any = false;

	for (int i = flight->first; i < flight->started; i++)
	{
		SigmaWrite *write = &flight->writes[i];
		const SigmaFailure *why = NULL;

		if (!write->flying || (write->call && !sigma_call_done(write->call)))
			continue;
		any = true;
		write->flying = false;
		flight->flying--;
		if (write->call)
			why = finish_write(write);
		if (failure || why == NULL)
			continue;
		failure = why;
		for (int j = flight->first; j < flight->started; j++)
			if (flight->writes[j].flying)
				hold_back(&flight->writes[j]);
	}
	while (flight->first < flight->started && !flight->writes[flight->first].flying)
		flight->first++;
	if (!any && flight->first < flight->started)
		sigma_call_wait_turn(flight->writes[flight->first].call);
	return failure;
}

const SigmaFailure *
sigma_try_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes, int n)
{
	const SigmaFailure *volatile failure = NULL;
	Flight		flight = {.writes = writes, .width = sigma_session_concurrency(session)};

	PG_TRY();
	{
		do
		{
			/* not far ahead of one that takes long: it may be the one that fails */
			while (failure == NULL && flight.started < n && flight.flying < flight.width &&
				   flight.started < flight.first + 2 * flight.width)
			{
				SigmaWrite *next = &writes[flight.started];

				next->effect = sigma_effect_remember(session, next);
				next->call = sigma_call_start(session, context, &next->spec);
				sigma_effect_follow(next->effect, next->call);
				next->flying = true;
				flight.started++;
				flight.flying++;
			}
			failure = land_writes(&flight, failure);
		} while (flight.flying > 0 || (failure == NULL && flight.started < n));
	}
	PG_CATCH();
	{
		for (int i = 0; i < n; i++)
			settle_interrupted(&writes[i]);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return failure;
}

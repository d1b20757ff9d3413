/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  Time limits: who has been waited for how long, and how long still.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/base.h"
#include "http/http_curl.h"


/* Has all come of it that will? */
bool
sigma_transfer_has_come(const SigmaTransfer *transfer)
{
	return transfer->done || (transfer->inflater && !transfer->streams);
}

/*
 * Somebody looks again: what has passed since the last time was waited for as
 * far as a SigmaPollFd stood for the transport meanwhile, and is idle time else.
 */
void
sigma_transport_come_back(SigmaTransport *t)
{
	double		now = now_ms();
	double		waited = Max(Min(t->lent_ms, now) - t->seen_ms, 0);
	double		idle = now - t->seen_ms - waited;
	dlist_iter	iter;

	t->waited_ms += waited;
	t->seen_ms = now;
	t->lent_ms = 0;
	dlist_foreach(iter, &t->transfers)
	{
		SigmaTransfer *transfer = dlist_container(SigmaTransfer, node, iter.cur);

		if (sigma_transfer_has_come(transfer))
			continue;
		transfer->idle_ms += idle;
		/* libcurl has a clock of its own, and looks at the limit whenever it acts */
		if (!transfer->connected && idle >= 1)
			curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
							 (long) Min(t->connect_timeout_ms + 1000 + transfer->idle_ms, INT_MAX));
	}
}

/* Time has passed in a wait. */
void
sigma_transport_pass_time(SigmaTransport *t)
{
	double		now = now_ms();

	t->waited_ms += now - t->seen_ms;
	t->seen_ms = now;
}

/* How long a transfer may still be waited for, in ms. */
double
sigma_transfer_time_left(const SigmaTransfer *transfer)
{
	const SigmaTransport *t = transfer->transport;
	int			limit = t->request_timeout_ms;

	/* it is not the peer that keeps us waiting */
	if (transfer->paused)
		return INFINITY;
	if (!transfer->connected)
		limit = Min(t->connect_timeout_ms, limit);
	return transfer->began_ms + limit - t->waited_ms;
}

/* How long any of the transfers may, at least; infinite if none is under way. */
double
sigma_transport_time_left(SigmaTransport *t)
{
	double		left = INFINITY;
	dlist_iter	iter;

	dlist_foreach(iter, &t->transfers)
	{
		const SigmaTransfer *transfer = dlist_container(SigmaTransfer, node, iter.cur);

		if (!sigma_transfer_has_come(transfer))
			left = Min(left, sigma_transfer_time_left(transfer));
	}
	return left;
}

double
sigma_transport_waited(const SigmaTransport *t)
{
	return t->waited_ms;
}

/*
 * Somebody else waits for the transport, for at most so long.  How long that
 * may be until the transport itself wants to look, in ms.
 */
double
sigma_transport_lend(SigmaTransport *t, double timeout_ms)
{
	sigma_transport_come_back(t);
	timeout_ms = Min(timeout_ms, sigma_transport_time_left(t));
	if (t->timer_set)
		timeout_ms = Min(timeout_ms, t->timer_ms - t->seen_ms);
	timeout_ms = Max(timeout_ms, 0);
	t->lent_ms = t->seen_ms + timeout_ms;
	return timeout_ms;
}

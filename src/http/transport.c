/*-------------------------------------------------------------------------
 *
 * transport.c
 *	  HTTP on libcurl's multi interface, waiting on PostgreSQL's latch.
 *
 * The network never holds a backend: libcurl only ever works on sockets that
 * are ready, and every wait is a WaitEventSet of those sockets, the latch and
 * the postmaster's life, so that a cancel acts at once whatever the other
 * side does.  libcurl says through two callbacks which sockets and which
 * timeout to wait for (its "multi_socket" interface).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "base/compat.h"
#include "http/http_curl.h"

/* Sockets of one wait: those of the transport, the latch, the postmaster. */
#define FIXED_EVENTS 2

/* libcurl wants to be called after this time, at once (0), or not (-1). */
static int
on_timer(CURLM *multi UNUSED, long timeout_ms, void *arg)
{
	SigmaTransport *t = arg;

	t->timer_set = timeout_ms >= 0;
	if (t->timer_set)
		t->timer_ms = now_ms() + timeout_ms;
	return 0;
}

static void
release_transport_callback(void *arg)
{
	SigmaTransport *t = arg;
	sigset_t	saved;

	while (!dlist_is_empty(&t->transfers))
		sigma_transfer_free(dlist_head_element(SigmaTransfer, node, &t->transfers));
	if (t->set)
		FreeWaitEventSet(t->set);
	t->set = NULL;
	enter_curl(&saved);
	if (t->multi)
		curl_multi_cleanup(t->multi);
	t->multi = NULL;
	leave_curl(&saved);
	free(t->sockets);
	t->sockets = NULL;
	free(t->open);
	t->open = NULL;
}

/* Once per backend, at the first request: never in the postmaster. */
static void
init_library(void)
{
	static bool initialized = false;
	sigset_t	saved;
	CURLcode	result;

	if (initialized)
		return;
	enter_curl(&saved);
	result = curl_global_init(CURL_GLOBAL_ALL);
	leave_curl(&saved);
	if (result != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not initialize libcurl: %s", curl_easy_strerror(result))));
	initialized = true;
}

SigmaTransport *
sigma_transport_create(MemoryContext context, const SigmaLimits *limits)
{
	SigmaTransport *t;
	sigset_t	saved;

	init_library();
	t = MemoryContextAllocZero(context, sizeof(SigmaTransport));
	dlist_init(&t->transfers);
	t->context = context;
	t->ca_file = limits->ca_file ? MemoryContextStrdup(context, limits->ca_file) : NULL;
	t->connect_timeout_ms = limits->connect_timeout_ms;
	t->request_timeout_ms = limits->request_timeout_ms;
	t->max_response_size = limits->max_response_size;
	t->seen_ms = now_ms();
	t->set_stale = true;
	t->callback.func = release_transport_callback;
	t->callback.arg = t;
	MemoryContextRegisterResetCallback(context, &t->callback);

	enter_curl(&saved);
	t->multi = curl_multi_init();
	if (t->multi)
	{
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, sigma_on_socket);
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
		curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long) limits->max_connections);
	}
	leave_curl(&saved);
	if (t->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("libcurl could not be set up.")));
	return t;
}

/*
 * Takes the ended transfers from libcurl; true if there was one.  "struck": the
 * watchdog has ended what libcurl was doing for them.
 */
static bool
collect_finished(SigmaTransport *t, bool struck)
{
	bool		any = false;
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(t->multi, &left)) != NULL)
	{
		SigmaTransfer *transfer;
		CURLcode	result = message->data.result;
		CURL	   *easy = message->easy_handle;
		char	   *private_data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private_data);
		transfer = (SigmaTransfer *) private_data;
		/* give the connection back; "message" is invalid from here on */
		curl_multi_remove_handle(t->multi, easy);
		sigma_transfer_finish(transfer, result);
		if (struck && result != CURLE_OK)
		{
			transfer->reply.outcome = SIGMA_GARBLED;
			strlcpy(transfer->error, "the reply kept libcurl busy for too long",
					sizeof(transfer->error));
		}
		any = true;
	}
	return any;
}

/* Ends the transfers whose time is over; true if there was one. */
static bool
end_overdue(SigmaTransport *t)
{
	bool		any = false;
	sigset_t	saved;
	dlist_iter	iter;

	if (sigma_transport_time_left(t) > 0)
		return false;
	enter_curl(&saved);
	dlist_foreach(iter, &t->transfers)
	{
		SigmaTransfer *transfer = dlist_container(SigmaTransfer, node, iter.cur);

		if (sigma_transfer_has_come(transfer) || sigma_transfer_time_left(transfer) > 0)
			continue;
		snprintf(transfer->error, sizeof(transfer->error), "%s after %.0f ms, with %zu bytes received",
				 transfer->connected ? "no whole reply" : "no connection",
				 t->waited_ms - transfer->began_ms, transfer->length);
		curl_multi_remove_handle(t->multi, transfer->easy);
		sigma_transfer_finish(transfer, CURLE_OPERATION_TIMEDOUT);
		any = true;
	}
	leave_curl(&saved);
	return any;
}

/* Lets libcurl act on a socket, or on its timeout; true if a transfer ended. */
static bool
act(SigmaTransport *t, curl_socket_t fd, int events)
{
	sigset_t	saved;
	int			running;
	CURLMcode	result;
	bool		struck;
	bool		any;

	enter_curl_watched(&saved);
	result = curl_multi_socket_action(t->multi, fd, events, &running);
	struck = leave_curl_watched(&saved);
	enter_curl(&saved);
	any = collect_finished(t, struck);
	leave_curl(&saved);
	/* it may have been for this, and then it is no failure of the request */
	if (struck)
		CHECK_FOR_INTERRUPTS();
	if (result != CURLM_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not go on with a request: %s", curl_multi_strerror(result))));
	return any;
}

/* Makes the event set anew if the sockets have changed. */
static void
prepare_event_set(SigmaTransport *t)
{
	if (!t->set_stale)
		return;
	if (t->set)
		FreeWaitEventSet(t->set);
	t->set = NULL;
	t->set = sigma_create_wait_event_set(t->context, t->nsockets + FIXED_EVENTS);
	AddWaitEventToSet(t->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	/* in single-user mode there is none */
	if (IsUnderPostmaster)
		AddWaitEventToSet(t->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < t->nsockets; i++)
	{
		uint32		events = 0;

		if (t->sockets[i].what & CURL_POLL_IN)
			events |= WL_SOCKET_READABLE;
		if (t->sockets[i].what & CURL_POLL_OUT)
			events |= WL_SOCKET_WRITEABLE;
		AddWaitEventToSet(t->set, events, t->sockets[i].fd, NULL, NULL);
	}
	t->set_stale = false;
}

void
sigma_transport_wait(SigmaTransport *t, long timeout_ms)
{
	double		deadline = now_ms() + timeout_ms;
	bool		any = false;
	bool		last = false;

	sigma_transport_come_back(t);
	t->streamed = false;
	while (!any && !last && !t->streamed)
	{
		WaitEvent	events[16];
		double		now;
		double		wait_ms;
		int			n;

		CHECK_FOR_INTERRUPTS();
		sigma_transport_pass_time(t);
		now = t->seen_ms;
		if (t->timer_set && t->timer_ms <= now)
		{
			t->timer_set = false;
			any = act(t, CURL_SOCKET_TIMEOUT, 0);
		}
		/* an interrupt may have left some the last time */
		if (sigma_transport_decode(t) || any || t->streamed)
			return;
		/* when the time is over, what is ready already is still looked at */
		last = timeout_ms >= 0 && deadline <= now;
		wait_ms = sigma_transport_time_left(t);
		if (timeout_ms >= 0)
			wait_ms = Min(wait_ms, deadline - now);
		if (t->timer_set)
			wait_ms = Min(wait_ms, t->timer_ms - now);

		prepare_event_set(t);
		n = WaitEventSetWait(t->set, isinf(wait_ms) ? -1 : (long) Min(Max(wait_ms, 0) + 0.999, 3600000.0),
							 events, lengthof(events), sigma_wait_event());
		for (int i = 0; i < n; i++)
		{
			int			ready = 0;

			if (events[i].events & WL_LATCH_SET)
			{
				/* it may be another backend's doing, of which the caller knows */
				ResetLatch(MyLatch);
				last = true;
				continue;
			}
			if (events[i].events & WL_SOCKET_READABLE)
				ready |= CURL_CSELECT_IN;
			if (events[i].events & WL_SOCKET_WRITEABLE)
				ready |= CURL_CSELECT_OUT;
			if (ready)
				any |= act(t, events[i].fd, ready);
		}
		any |= sigma_transport_decode(t);
		/* only now: what has come is taken first */
		sigma_transport_pass_time(t);
		any |= end_overdue(t);
	}
}

const char *
sigma_transport_version(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	return psprintf("libcurl %s (%s)", info->version,
					info->ssl_version ? info->ssl_version : "no TLS");
}

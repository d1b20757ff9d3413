/*-------------------------------------------------------------------------
 *
 * http_curl.h
 *	  A transport and its transfers, for the files that work with libcurl.
 *
 * Rules that keep this sound:
 *
 * - No ereport() in a libcurl callback: it would jump over libcurl's frames.
 *   Callbacks record what went wrong and return; the caller reports.
 * - All signals are blocked while libcurl runs.  It may start a thread to
 *   resolve a host name, which inherits the mask, and so never takes a signal
 *   that is meant for the backend.
 * - A transport and a transfer belong each to a memory context, by a reset
 *   callback that is registered before there is anything to free.  Memory
 *   that libcurl's callbacks fill comes from malloc(), which cannot throw.
 * - libcurl repeats a request by itself if a kept connection turns out to be
 *   dead.  It must not do so for a write: the body comes from a read callback
 *   that cannot be rewound, so libcurl gives up once a byte of it has left; a
 *   write without a body goes over a new connection.
 * - No reply keeps libcurl busy.  It is asked for HTTP/1.1 only, since it reads
 *   HTTP/2 frames that mean nothing for as long as they come; it does not
 *   decode bodies (see inflate.c); whatever is not body is counted and has a
 *   small cap; and watchdog.c ends what none of this foresaw.
 * - Time limits count what was waited for.  A transfer moves only while
 *   somebody waits, so one that is left alone, say in a cursor whose client is
 *   busy elsewhere, must not grow older: libcurl's own clock would end it at
 *   the next look, however long its reply has been there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_HTTP_CURL_H
#define SIGMA_HTTP_CURL_H

#include <curl/curl.h>
#include <signal.h>

#include "lib/ilist.h"
#include "libpq/pqsignal.h"

#include "base/base.h"
#include "base/compat.h"
#include "http/http_internal.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "sigma_fdw needs libcurl 7.85.0 or later, for CURLOPT_PROTOCOLS_STR"
#endif

/* The processor time that one call of libcurl's may take, in ms. */
#define MAX_STAY_MS 1000

/* What libcurl wants to know of a socket. */
typedef struct Socket
{
	curl_socket_t fd;
	int			what;			/* CURL_POLL_IN, _OUT or _INOUT */
} Socket;

struct SigmaTransport
{
	CURLM	   *multi;
	dlist_head	transfers;		/* those that have not been freed */
	Socket	   *sockets;		/* malloc'd */
	int			nsockets;
	int			capacity;
	int		   *open;			/* descriptors of all connections; malloc'd */
	int			nopen;
	int			open_capacity;
	bool		timer_set;		/* libcurl wants to be called at timer_ms */
	double		timer_ms;
	double		waited_ms;		/* how long it has been waited for, in all */
	double		seen_ms;		/* up to when it is known who waited, by now_ms() */
	double		lent_ms;		/* its SigmaPollFd is waited for up to this time */
	bool		streamed;		/* a piece of a body that is streamed has come */
	WaitEventSet *set;
	bool		set_stale;		/* the sockets have changed since it was made */
	MemoryContext context;
	MemoryContextCallback callback;
	char	   *ca_file;
	int			connect_timeout_ms;
	int			request_timeout_ms;
	size_t		max_response_size;
};

struct SigmaTransfer
{
	dlist_node	node;
	SigmaTransport *transport;	/* NULL once it is gone */
	CURL	   *easy;
	struct curl_slist *headers;
	const char *request_body;
	size_t		request_length;
	size_t		request_sent;	/* bytes of it that libcurl has taken */
	char	   *buffer;			/* the reply's body; malloc'd */
	size_t		length;
	size_t		capacity;
	size_t		head_length;	/* bytes of the reply that are not body */
	bool		gzip;			/* its body is gzip'd */
	bool		chunked;		/* its body says itself where it ends */
	bool		stream;			/* the body of a 200 is handed over as it comes ... */
	bool		streams;		/* ... and has begun to */
	bool		paused;			/* as much of it has come as may be kept */
	size_t		dropped;		/* bytes at the buffer's front that have been taken out of it */
	char	   *handed;			/* what has been handed over, and stays until more is taken;
								 * malloc'd */
	size_t		handed_length;
	size_t		handed_capacity;
	bool		spoilt;			/* it cannot be decoded */
	SigmaInflater *inflater;	/* while the whole body is being decoded */
	bool		too_large;
	bool		head_too_large;
	bool		bad_coding;
	bool		no_memory;
	bool		no_descriptor;
	bool		connected;		/* there is a connection, with its TLS */
	double		began_ms;		/* when it was started, by the transport's waited_ms */
	double		idle_ms;		/* how long nobody has looked since then */
	bool		done;
	SigmaReply	reply;
	char		error[CURL_ERROR_SIZE];
	MemoryContextCallback callback;
};

/* libcurl runs between these two. */
static inline void
enter_curl(sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, &BlockSig, saved);
}

static inline void
leave_curl(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* The same where it reads what a peer sends, so that it could take long. */
static inline void
enter_curl_watched(sigset_t *saved)
{
	sigset_t	mask = BlockSig;

	if (sigma_watchdog_signal() != 0)
		sigdelset(&mask, sigma_watchdog_signal());
	pthread_sigmask(SIG_SETMASK, &mask, saved);
	sigma_watchdog_begin(MAX_STAY_MS);
}

/* Returns whether it did. */
static inline bool
leave_curl_watched(const sigset_t *saved)
{
	bool		struck = sigma_watchdog_end();

	pthread_sigmask(SIG_SETMASK, saved, NULL);
	return struck;
}

/* --------------------------------------------------------- socket.c */

/* libcurl calls these: no ereport, no palloc, no interrupts */
extern int	sigma_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg);
extern curl_socket_t sigma_on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
extern int	sigma_on_close_socket(void *arg, curl_socket_t fd);

extern bool sigma_transport_has_dead_connection(const SigmaTransport *t);

/* ---------------------------------------------------------- limit.c */

extern bool sigma_transfer_has_come(const SigmaTransfer *transfer);
extern double sigma_transfer_time_left(const SigmaTransfer *transfer);
extern void sigma_transport_come_back(SigmaTransport *t);
extern void sigma_transport_pass_time(SigmaTransport *t);
extern double sigma_transport_time_left(SigmaTransport *t);

/* -------------------------------------------------------- outcome.c */

extern SigmaOutcome sigma_transfer_outcome(const SigmaTransfer *transfer, CURLcode result);

/* --------------------------------------------------------- stream.c */

/* sigma_on_body()'s part: the same holds for it */
extern size_t sigma_on_streamed(SigmaTransfer *transfer, const char *data, size_t n);

/* ---------------------------------------------------------- reply.c */

/* libcurl calls these: no ereport, no palloc, no interrupts */
extern size_t sigma_on_body(char *data, size_t size, size_t n, void *arg);
extern size_t sigma_on_header(char *line, size_t size, size_t n, void *arg);

extern void sigma_transfer_finish(SigmaTransfer *transfer, CURLcode result);
extern bool sigma_transport_decode(SigmaTransport *t);

#endif							/* SIGMA_HTTP_CURL_H */

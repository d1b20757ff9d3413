/*-------------------------------------------------------------------------
 *
 * http.h
 *	  One exchange on the wire.
 *
 * All of it may be called in an abort, and with interrupts held: nothing looks
 * into a catalog, and nothing raises but for want of memory, except as said.
 * Only sigma_transport_wait() waits, and only it serves interrupts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_HTTP_H
#define SIGMA_HTTP_H

#include "base/base.h"

/* ----------------------------------------------------------- inflate.c */

typedef struct SigmaInflater SigmaInflater;

typedef enum SigmaInflateResult
{
	SIGMA_INFLATE_MORE,			/* another step is needed */
	SIGMA_INFLATE_DONE,
	SIGMA_INFLATE_BAD,			/* it is no gzip, or cut off */
	SIGMA_INFLATE_TOO_LARGE,
	SIGMA_INFLATE_NO_MEMORY
} SigmaInflateResult;

/* --------------------------------------------------------- transport.c */

typedef struct SigmaTransport SigmaTransport;
typedef struct SigmaTransfer SigmaTransfer;

typedef struct SigmaRequest
{
	const char *method;
	const char *url;
	const char *bearer;			/* the token; or NULL */
	const char *basic_user;		/* HTTP Basic; or NULL */
	const char *basic_password;
	const char *content_type;	/* of the body: the whole header line */
	const char *body;			/* or NULL; must outlive the transfer */
	size_t		body_length;
	bool		repeatable;		/* libcurl may start it again on a new connection */
	bool		loopback;		/* plain http is allowed, and no proxy is asked */
	const char *accept;			/* a header line; NULL: JSON is wanted */
	bool		stream;			/* the body of a 200 is taken as it comes, see
								 * sigma_transfer_take() */
} SigmaRequest;

typedef struct SigmaReply
{
	SigmaOutcome outcome;
	int			status;
	SigmaSpan	body;			/* lives as long as the transfer */
	bool		body_left;		/* a byte of the request's body has left */
	bool		new_connection; /* made for it */
	bool		unattended;		/* nobody looked for a while when it was under way */
	bool		html;
	bool		text_type;		/* its type says that it is text, and no web page */
	char		retry_after[64];	/* the header's value; "" if there was none */
	char		date[64];		/* likewise */
	char		request_id[64]; /* likewise */
	const char *text;			/* the library's own words; "" if none */
} SigmaReply;

/* What a transport is held to. */
typedef struct SigmaLimits
{
	const char *ca_file;		/* of trusted certificates; NULL: the system's own */
	int			connect_timeout_ms;
	int			request_timeout_ms;
	int			max_response_size;	/* bytes of a body, once it is decoded */
	int			max_connections;	/* that are kept */
} SigmaLimits;

/*
 * A pool of connections, which ends with the memory context.  The limits are
 * copied.  Raises if libcurl cannot be set up.
 */
extern SigmaTransport *sigma_transport_create(MemoryContext context, const SigmaLimits *limits);

/*
 * Lets all transfers go on until one of them ends, the time is over
 * (milliseconds; -1: no limit), or the latch is set.  Raises what a cancel, a
 * termination or a statement_timeout raises.
 */
extern void sigma_transport_wait(SigmaTransport *transport, long timeout_ms);

/* libcurl's and its TLS library's versions, palloc'd. */
extern const char *sigma_transport_version(void);

/* -------------------------------------------------------------- limit.c */

/* How long the transport has been waited for in all, in ms. */
extern double sigma_transport_waited(const SigmaTransport *t);

/* ----------------------------------------------------------- transfer.c */

/*
 * Starts a request; it goes on whenever the transport waits.  The transfer
 * belongs to the memory context; an earlier end of the transport makes it
 * useless, but not dangerous.  The request's strings are copied, except for
 * its body.
 */
extern SigmaTransfer *sigma_transfer_start(SigmaTransport *transport, MemoryContext context,
										   const SigmaRequest *request);

/* Has it ended, one way or another? */
extern bool sigma_transfer_done(const SigmaTransfer *transfer);

/* Has a byte of the request left?  If it has no body: may it have? */
extern bool sigma_transfer_body_left(const SigmaTransfer *transfer);

/* The reply of a transfer, which is whole once that is done; it lives as long as the transfer. */
extern const SigmaReply *sigma_transfer_reply(const SigmaTransfer *transfer);

/* Gives the request up, or its reply back.  The struct stays, empty. */
extern void sigma_transfer_free(SigmaTransfer *transfer);

/* ------------------------------------------------------------- stream.c */

/*
 * Has the body of a 200 begun to come, of a request that is to be streamed?
 * What there is to know of the head is known then, by sigma_transfer_reply(),
 * but for the outcome.
 */
extern bool sigma_transfer_streams(const SigmaTransfer *transfer);

/*
 * Of such a body: drops "used" bytes of what was handed over before, and hands
 * over what has come behind them, decoded, without waiting.  It stays until the
 * next call, whatever the transport does meanwhile.  "hungry" says that this much
 * is not enough, however much it is.  No more than about a megabyte is kept beside
 * it, and then the peer has to wait until that has been taken.
 *
 * False if no more will come: the transfer is done, and its reply has the
 * outcome.
 */
extern bool sigma_transfer_take(SigmaTransfer *transfer, size_t used, bool hungry, SigmaSpan *rest);

/* ------------------------------------------------------------ pollfd.c */

typedef struct SigmaPollFd SigmaPollFd;

/* One for a transport; it ends with the memory context. */
extern SigmaPollFd *sigma_pollfd_create(SigmaTransport *transport, MemoryContext context);

/*
 * The descriptor that becomes readable when the transport has something to do,
 * or after so many milliseconds.  It is good for one wait.
 */
extern int	sigma_pollfd_arm(SigmaPollFd *pollfd, long timeout_ms);

/* Can there be such descriptors on this platform? */
extern bool sigma_pollfd_supported(void);

#endif							/* SIGMA_HTTP_H */

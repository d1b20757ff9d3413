/*-------------------------------------------------------------------------
 *
 * session.h
 *	  An authenticated conversation with one server as one user.
 *
 * A session is opened in a live transaction.  Once it is, and as long as it is
 * pinned, its calls need none: they may be started, waited for and freed in an
 * abort.  What waits serves interrupts, unless they are held.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_SESSION_H
#define SIGMA_SESSION_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"

/* ------------------------------------------------------------- retry.c */

typedef struct SigmaAttempt
{
	SigmaOutcome outcome;
	int			status;
	SigmaPurpose purpose;
	bool		body_left;		/* a byte of the request's body has left */
	bool		unattended;		/* nobody looked for a while when it was under way */
	int			tries;			/* how often it has been sent, this time included */
	int			max_retries;
	long		waited_ms;		/* slept before retries so far */
	const char *retry_after;	/* the reply's header, or NULL */
	int64		now;			/* seconds since 1970, for a Retry-After date */
	double		random;			/* in [0, 1), for the jitter */
} SigmaAttempt;

/* ------------------------------------------------------------ shared.c */

typedef struct SigmaSharedKey
{
	uint8		bytes[32];		/* SHA-256 */
} SigmaSharedKey;

typedef enum SigmaSharedAnswer
{
	SIGMA_SHARED_TOKEN,
	SIGMA_SHARED_WAIT,
	SIGMA_SHARED_SIGN_IN
} SigmaSharedAnswer;

/* Called while the library is preloaded, in the postmaster. */
extern void sigma_shared_init(void);

/* ----------------------------------------------------------- session.c */

typedef struct SigmaSession SigmaSession;
typedef struct SigmaCall SigmaCall;

/* ------------------------------------------------------------- stat.c */

/* What is counted; the columns of sigma_stat_resources have this order. */
typedef enum SigmaStatCounter
{
	SIGMA_STAT_REQUESTS,		/* sent, retries included, sign-ins not */
	SIGMA_STAT_2XX,				/* replies, by class of status */
	SIGMA_STAT_3XX,
	SIGMA_STAT_4XX,
	SIGMA_STAT_5XX,
	SIGMA_STAT_NO_REPLY,		/* requests that ended without one */
	SIGMA_STAT_RETRIES,
	SIGMA_STAT_THROTTLED,		/* replies with status 429 */
	SIGMA_STAT_WAIT,			/* time waited for replies, in microseconds */
	SIGMA_STAT_THROTTLE,		/* of it, pauses after a 429, likewise */
	SIGMA_STAT_BYTES,			/* of bodies, decoded */
	SIGMA_STAT_ROWS,
	SIGMA_STAT_SIGN_INS,		/* token requests, retries included */
	SIGMA_STAT_SIGN_INS_FAILED, /* those that brought none */
	SIGMA_STAT_WRITES_DONE,
	SIGMA_STAT_WRITES_REFUSED,	/* surely not carried out */
	SIGMA_STAT_WRITES_UNKNOWN,
	SIGMA_STAT_COUNTERS
} SigmaStatCounter;

typedef struct SigmaStatRow
{
	Oid			serverid;
	Oid			userid;			/* of the mapping; InvalidOid: PUBLIC's */
	char		resource[NAMEDATALEN];	/* "": none */
	int64		counts[SIGMA_STAT_COUNTERS];
} SigmaStatRow;

/*
 * Counts what was asked of a resource (NULL: of none), whose name must tell no
 * secret.  May be called in an abort, and raises nothing.
 */
extern void sigma_stat_add(const SigmaSession *session, const char *resource,
						   SigmaStatCounter counter, int64 n);

/*
 * Keeps how many entries the list of a resource had, if the tokens of its pages
 * were the numbers of entries before them, a full page each; else -1.  Who reads
 * it again over the same user mapping need not wait then for one page to ask for
 * the next, nor, if the library is preloaded, who reads it in another session.
 */
extern void sigma_stat_note_length(const SigmaSession *session, const char *resource, int64 length);

/* The length last kept; -1: not known, or without such tokens. */
extern int64 sigma_stat_length(const SigmaSession *session, const char *resource);

/* Are the counters those of all backends? */
extern bool sigma_stat_is_shared(void);

/* The counters of this database, palloc'd, and since when; the number of rows. */
extern int	sigma_stat_read(SigmaStatRow **rows, TimestampTz *since);

/* Forgets all that has been counted. */
extern void sigma_stat_clear(void);

/* What a scan's or a statement's requests came to, for EXPLAIN ANALYZE. */
typedef struct SigmaStats
{
	int64		requests;		/* sent, retries included, sign-ins not */
	int64		sign_ins;		/* token requests, retries included */
	int64		pages;
	int64		retries;
	int64		bytes;			/* of bodies, decoded */
	int64		failed_parents;
	int64		nothing_there;	/* requests that were answered so */
	int			concurrency;	/* the most of the session's that were under way when one was sent */
	int64		throttled;		/* replies 429 */
	double		throttled_ms;	/* waited because of these, or to keep a pace */
	double		wait_ms;
} SigmaStats;

/* Requests that have a limit of their own, beside that of all. */
typedef enum SigmaPaceClass
{
	SIGMA_PACE_ALL,				/* has none */
	SIGMA_PACE_EXPORT,			/* starts an export */
	SIGMA_PACE_DOWNLOAD,		/* asks for what a query has given */
	SIGMA_PACES
} SigmaPaceClass;

/* --------------------------------------------------------- progress.c */

typedef struct SigmaProgress SigmaProgress;

/* How far a reading is; -1: it is not known. */
typedef enum SigmaProgressNumber
{
	SIGMA_PROGRESS_PAGES,
	SIGMA_PROGRESS_PAGES_TOTAL,
	SIGMA_PROGRESS_PARENTS,
	SIGMA_PROGRESS_PARENTS_TOTAL,
	SIGMA_PROGRESS_ROWS,
	SIGMA_PROGRESS_NUMBERS
} SigmaProgressNumber;

typedef struct SigmaProgressRow
{
	int			pid;
	Oid			database;
	Oid			role;			/* whose session it is */
	Oid			serverid;
	TimestampTz began;
	char		server[NAMEDATALEN];
	char		resource[NAMEDATALEN];	/* "": it has no name */
	int64		numbers[SIGMA_PROGRESS_NUMBERS];
} SigmaProgressRow;

/* Is there anything to be seen, since the library is preloaded? */
extern bool sigma_progress_is_shown(void);

/*
 * Shows from now on how far the reading of a resource is, until the memory
 * context goes.  NULL, which all below take, if that cannot be shown.
 */
extern SigmaProgress *sigma_progress_begin(const SigmaSession *session, MemoryContext context,
										   const char *resource);
extern void sigma_progress_set(SigmaProgress *progress, SigmaProgressNumber number, int64 n);
extern void sigma_progress_add(SigmaProgress *progress, SigmaProgressNumber number, int64 n);

/* What all backends are reading, palloc'd; the number of rows. */
extern int	sigma_progress_read(SigmaProgressRow **rows);

typedef struct SigmaCallSpec
{
	const char *method;
	const char *target;			/* path and query, encoded; starts with a slash */
	const char *body;			/* JSON in UTF-8; or NULL */
	SigmaPurpose purpose;
	const char *subject;		/* what a write is about, for a hint; or NULL */
	const char *creates;		/* the name of the connection that it makes; or NULL */
	const SigmaNothing *nothing;	/* what else than a look-up's 404 says so; or NULL */
	List	   *secrets;		/* texts to mask in whatever the server says */
	SigmaStats *stats;			/* or NULL; must outlive the call */
	const char *resource;		/* that it is counted for; or NULL; must outlive the call */
	bool		urgent;			/* goes before all others, which are not sent meanwhile */
	bool		download;		/* see sigma_call_read() */
	SigmaPaceClass pace;
} SigmaCallSpec;

/* What a statement warns of once, however often it is met. */
typedef enum SigmaWarning
{
	SIGMA_WARNS_MISSING,		/* a list that is not offered */
	SIGMA_WARNS_FILTER,			/* a filter that was refused */
	SIGMA_WARNS_NOTHING,		/* lists none of which is there */
	SIGMA_WARNINGS
} SigmaWarning;

/*
 * Is it time to warn of this?  A statement that reads a list several times
 * says so once.
 */
extern bool sigma_session_warns(SigmaSession *session, SigmaWarning warning,
								const SigmaResource *resource);

/*
 * The session of a user with a server, made if there is none.  The caller's
 * use of it ends with the memory context, which must be that of its calls or
 * a parent of it.  Raises 28000 if the user has no mapping.  Makes no request.
 */
extern SigmaSession *sigma_session_open(Oid serverid, Oid userid, MemoryContext context);

/*
 * Ends the stale sessions that nobody uses, and the connections of those that
 * have been idle longest: a backend may speak for many users, one after
 * another, but has only so many descriptors.  At the end of each transaction;
 * may be called in an abort, and raises nothing.
 */
extern void sigma_session_sweep(void);

/* The foreign server's name; it lives as long as the session. */
extern const char *sigma_session_server(const SigmaSession *session);

/*
 * Whom the session speaks as, if not as the member that the credentials belong
 * to: as "x", to tenant "y", or both; palloc'd.  Else NULL.
 */
extern char *sigma_session_identity(const SigmaSession *session);

/* What the session's options come to, for statements in hints. */
extern const SigmaSettings *sigma_session_settings(const SigmaSession *session);

/* The foreign server's OID. */
extern Oid	sigma_session_serverid(const SigmaSession *session);

/* How many requests may be under way at once. */
extern int	sigma_session_concurrency(const SigmaSession *session);

/* Does what a transaction has created stay if it is rolled back? */
extern bool sigma_session_keeps_on_rollback(const SigmaSession *session);

/* How long a rollback may take to delete it again, in ms. */
extern int	sigma_session_rollback_timeout(const SigmaSession *session);

/*
 * The session stays, with the settings that it has, until it is unpinned:
 * for what a transaction still has to do in Sigma when it ends, at a time
 * when no catalog can be read.
 */
extern void sigma_session_pin(SigmaSession *session);

/* Takes that back; the session may end then. */
extern void sigma_session_unpin(SigmaSession *session);

/*
 * Raises 22023 for a path that could lead away from the server's own API, and
 * 42501 for one that fetches a token.  "what" is what the path is given to.
 */
extern void sigma_session_check_path(const SigmaSession *session, const char *path, const char *what);

/* What an exchange without a sign-in told; all in the given memory context. */
typedef struct SigmaProbe
{
	const char *base_url;
	SigmaOutcome outcome;
	int			status;
	bool		is_sigma;		/* the reply is Sigma's error object */
	int64		date;			/* the server's time, seconds since 1970; -1: not told */
	SigmaFailure *failure;		/* what to tell if there was no reply */
} SigmaProbe;

/*
 * Asks who we are without saying it, to learn whether the host can be reached
 * and is the API.  Raises only what interrupts the wait.
 */
extern void sigma_session_probe(SigmaSession *session, MemoryContext context, SigmaProbe *probe);

/* Has the session a token? */
extern bool sigma_session_is_signed_in(const SigmaSession *session);

/* Can the client secret be had?  Raises 28000 if not. */
extern void sigma_session_check_secret(const SigmaSession *session);

/*
 * Begins a call; nothing is waited for.  The call belongs to the memory
 * context: an error, or its end, gives the request up.  The spec's strings
 * and list must live as long, except method, which must be constant.  If this
 * raises, nothing has been sent, and nothing will be.
 */
extern SigmaCall *sigma_call_start(SigmaSession *session, MemoryContext context,
								   const SigmaCallSpec *spec);

typedef void (*SigmaCallGone) (void *arg, bool may_have_acted);

/*
 * Has "gone" called when the memory of the call goes, whoever frees it: it says
 * whether the call was still under way and may have been carried out.  It runs
 * in a memory context's reset callback, so it must not raise anything.  NULL
 * takes that back.
 */
extern void sigma_call_follow(SigmaCall *call, SigmaCallGone gone, void *arg);

/* Has it ended?  Nothing is waited for, and nothing moves on. */
extern bool sigma_call_done(const SigmaCall *call);

/*
 * Waits until the call is done, well or badly.  Raises only what interrupts
 * the wait: a cancel, a termination, a statement_timeout.
 */
extern void sigma_call_wait(SigmaCall *call);

/*
 * One turn of such a wait: until the call is done, or anything else of its
 * session may be.
 */
extern void sigma_call_wait_turn(SigmaCall *call);

/*
 * The same for a wait that nothing interrupts, up to a time (by now_ms()), or
 * until somebody wants to cancel; false if the call is not done by then.  For
 * the end of a transaction that is rolled back.
 */
extern bool sigma_call_wait_until(SigmaCall *call, double deadline_ms);

/*
 * Gives a call up: if it has not been sent, it never will be.  It is not to be
 * asked for anything afterwards.
 */
extern void sigma_call_give_up(SigmaCall *call);

/* What is under way of a call is waited for, but it is not sent again. */
extern void sigma_call_last_try(SigmaCall *call);

/* Ends a call, and frees it with its reply or failure. */
extern void sigma_call_free(SigmaCall *call);

/* The HTTP status of the last reply; 0 if there was none. */
extern int	sigma_call_status(const SigmaCall *call);

/*
 * What Sigma calls the request, as the last reply tells in its head or in an
 * error object; NULL if it does not.  Fit for a message; palloc'd.
 */
extern const char *sigma_call_request_id(const SigmaCall *call);

/* Lets a session's calls go on as far as they can without waiting. */
extern void sigma_session_poll(SigmaSession *session);

/* A descriptor for somebody else's event set; see pollfd.c. */
extern SigmaPollFd *sigma_session_pollfd(SigmaSession *session, MemoryContext context);

/*
 * The descriptor that becomes readable when the session has something to do,
 * or after at most so many milliseconds.
 */
extern int	sigma_session_arm(SigmaSession *session, SigmaPollFd *pollfd, long timeout_ms);

/* Why a call that is done has failed; NULL if it has not. */
extern const SigmaFailure *sigma_call_failure(const SigmaCall *call);

/* Did a look-up by key find that there is no such thing? */
extern bool sigma_call_not_found(const SigmaCall *call);

/*
 * Likewise if Sigma said it in another way, which is what to tell of it; else
 * NULL.
 */
extern const SigmaFailure *sigma_call_nothing(const SigmaCall *call);

/*
 * May the request have been carried out, as far as this side can tell?  Asked
 * of a write whose wait was interrupted.
 */
extern bool sigma_call_may_have_acted(const SigmaCall *call);

/* The reply's body, NUL-terminated; it lives as long as the call. */
extern SigmaSpan sigma_call_body(const SigmaCall *call);

/*
 * Of a download the caller judges what the reply means: any but 401 and 429 ends
 * the call without a failure, and its status tells.  With status 200, the call
 * is done when the body begins to come, and has no place among the requests
 * that are under way any more; the body is then read piece by piece.
 *
 * Drops "used" bytes of what was handed over before, and waits until more than
 * "seen" bytes of the rest are there.  They stay until the next call for this
 * download.  False if no more will come: *failure is NULL if the body is whole,
 * and else says why it is not.
 */
extern bool sigma_call_read(SigmaCall *call, size_t used, size_t seen, SigmaSpan *rest,
							const SigmaFailure **failure);

/* Is it the status of a failure that may pass by itself?  A pure function, in retry.c. */
extern bool sigma_status_passes(int status, SigmaPurpose purpose);

/* What to tell of a download's reply, or of what its body says, that is no good. */
extern const SigmaFailure *sigma_call_judge(SigmaCall *call, SigmaSpan body);

/* Is the reply a web page, by its type? */
extern bool sigma_call_is_html(const SigmaCall *call);

/* Waits; what interrupts it is raised.  The session's calls go on meanwhile. */
extern void sigma_session_sleep(SigmaSession *session, long ms);

/* The most bytes that a reply may have. */
extern int	sigma_session_max_response_size(const SigmaSession *session);

/* Is the reply text by its type, rather than JSON? */
extern bool sigma_call_is_text(const SigmaCall *call);

/* "GET /v2/connections?limit=1000", as it may be shown; palloc'd. */
extern const char *sigma_call_target(const SigmaCall *call);

/* A whole call: begins, waits, and raises if it has failed. */
extern SigmaCall *sigma_call(SigmaSession *session, MemoryContext context,
							 const SigmaCallSpec *spec);

/* Keeps the number of entries that a list said it has. */
extern void sigma_session_note_total(SigmaSession *session, const SigmaResource *resource,
									 double total);

/* The number last kept, or -1; makes no session and no request. */
extern double sigma_last_total(Oid serverid, Oid userid, const SigmaResource *resource);

#endif							/* SIGMA_SESSION_H */

/*-------------------------------------------------------------------------
 *
 * session.h
 *	  An authenticated conversation with one server as one user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_SESSION_H
#define SIGMA_SESSION_H

#include "nodes/pg_list.h"

#include "base/base.h"
#include "http/http.h"
#include "catalog/catalog.h"

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
	double		wait_ms;
} SigmaStats;

typedef struct SigmaCallSpec
{
	const char *method;
	const char *target;			/* path and query, encoded; starts with a slash */
	const char *body;			/* JSON in UTF-8; or NULL */
	SigmaPurpose purpose;
	const char *subject;		/* what a write is about, for a hint; or NULL */
	const SigmaNothing *nothing;	/* what else than a look-up's 404 says so; or NULL */
	List	   *secrets;		/* texts to mask in whatever the server says */
	SigmaStats *stats;			/* or NULL; must outlive the call */
	bool		urgent;			/* goes before all others, which are not sent meanwhile */
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

/* The foreign server's name; it lives as long as the session. */
extern const char *sigma_session_server(const SigmaSession *session);

/*
 * Whom the session speaks as, if not as the member that the credentials belong
 * to: as "x", to tenant "y", or both; palloc'd.  Else NULL.
 */
extern char *sigma_session_identity(const SigmaSession *session);

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

extern void sigma_session_unpin(SigmaSession *session);

/* Would a request to this path (from sigma_normal_path()) fetch a token? */
extern bool sigma_session_is_sign_in(const SigmaSession *session, const char *path);

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

extern void sigma_session_probe(SigmaSession *session, MemoryContext context, SigmaProbe *probe);
extern bool sigma_session_is_signed_in(const SigmaSession *session);
extern void sigma_session_check_secret(const SigmaSession *session);
extern SigmaCall *sigma_call_start(SigmaSession *session, MemoryContext context,
								   const SigmaCallSpec *spec);
typedef void (*SigmaCallGone) (void *arg, bool may_have_acted);
extern void sigma_call_follow(SigmaCall *call, SigmaCallGone gone, void *arg);
extern bool sigma_call_done(const SigmaCall *call);
extern void sigma_call_wait(SigmaCall *call);
extern void sigma_call_wait_turn(SigmaCall *call);
extern bool sigma_call_wait_until(SigmaCall *call, double deadline_ms);
extern void sigma_call_give_up(SigmaCall *call);
extern void sigma_call_last_try(SigmaCall *call);
extern void sigma_call_free(SigmaCall *call);
extern int	sigma_call_status(const SigmaCall *call);
extern const char *sigma_call_request_id(const SigmaCall *call);
extern void sigma_session_poll(SigmaSession *session);
extern SigmaBeacon *sigma_session_beacon(SigmaSession *session, MemoryContext context);
extern int	sigma_session_light(SigmaSession *session, SigmaBeacon *beacon, long timeout_ms);
extern const SigmaFailure *sigma_call_failure(const SigmaCall *call);
extern bool sigma_call_not_found(const SigmaCall *call);
extern const SigmaFailure *sigma_call_nothing(const SigmaCall *call);
extern bool sigma_call_may_have_acted(const SigmaCall *call);
extern SigmaSpan sigma_call_body(const SigmaCall *call);
extern bool sigma_call_is_text(const SigmaCall *call);
extern const char *sigma_call_target(const SigmaCall *call);
extern SigmaCall *sigma_call(SigmaSession *session, MemoryContext context,
							 const SigmaCallSpec *spec);
extern void sigma_session_note_total(SigmaSession *session, const SigmaResource *resource,
									 double total);
extern double sigma_last_total(Oid serverid, Oid userid, const SigmaResource *resource);

#endif							/* SIGMA_SESSION_H */

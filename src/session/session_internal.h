/*-------------------------------------------------------------------------
 *
 * session_internal.h
 *	  What only the files of session/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_SESSION_INTERNAL_H
#define SIGMA_SESSION_INTERNAL_H

#include "datatype/timestamp.h"
#include "storage/lwlock.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "http/http.h"
#include "config/config.h"
#include "session/session.h"

#include "lib/ilist.h"

/* How often to ask again for a token that another backend is about to get. */
#define LOOK_AGAIN_MS 5.0

/* How often to ask again for a place, for which one is woken; or if nobody can be. */
#define ASK_AGAIN_MS 100.0
#define ASK_AGAIN_IDLE_MS 10

/* How often to say that requests under way, or a sign-in, are still waited for. */
#define RENEW_MS 500.0

/* How fast a server may be asked.  All zero: nothing is known against it. */
typedef struct SigmaPace
{
	int			width;			/* so many may be under way; 0: as many as may ever be */
	bool		probing;		/* one at a time, until it is known that it goes again */
	int			good_replies;	/* since the width was changed */
	double		narrowed_ms;	/* when it was lowered last; all by now_ms(), which processes share */
	double		hold_ms[SIGMA_PACES];	/* none of these is sent before */
	double		due_ms[SIGMA_PACES];	/* when the next of these would be sent if all came evenly */
} SigmaPace;

struct SigmaSession
{
	dlist_node	node;			/* in sessions */
	MemoryContext context;
	SigmaSettings *settings;
	MemoryContext transport_context;	/* NULL while there is no transport */
	SigmaTransport *transport;	/* there is one whenever the session is in use */
	uint32		server_hash;	/* of the catalog rows it was made from */
	uint32		mapping_hash;
	bool		stale;			/* they have changed since */
	int			references;
	dlist_head	calls;			/* those that are not DONE */
	int			flying;			/* calls in that state, but for */
	int			urgent_flying;	/* those that have places of their own */
	int			width;			/* so many may be flying: max_concurrency, or less after a 429 */
	SigmaPace	pace;			/* its own, if it is not shared */
	double		held_ms;		/* until then, some call is not sent, though it could; or 0 */
	double		throttled_ms;	/* until then, it is told to wait */
	struct notes_hash *notes;	/* what is known of resources */

	/* what is shared with other backends */
	SigmaSharedKey token_key;
	SigmaSharedKey budget_key;
	bool		elected;		/* to sign in for all who share the token */
	double		look_again_ms;	/* when to ask again for the token */
	int			seat;			/* in the budget; 0 if it has none */
	bool		queued;			/* for a place */
	double		queued_ms;		/* since when, by what was waited for */
	double		ask_again_ms;	/* when to ask again for a place */
	double		renew_ms;		/* when to renew what is held */

	/* the token */
	char	   *token;			/* or NULL */
	double		token_end_ms;	/* when to renew it, by the monotonic clock */
	uint64		token_number;	/* tells tokens apart */
	bool		token_borrowed; /* another backend has got it */

	/* the client's own token, if the session speaks as somebody else */
	char	   *actor_token;	/* or NULL */
	double		actor_end_ms;

	/* the sign-in under way, if any of these is set */
	MemoryContext sign_in_context;
	SigmaTransfer *sign_in;
	char	   *sign_in_body;
	char	   *subject_token;	/* sent with it, if it is an exchange; or NULL */
	int			sign_in_steps;	/* of it that have ended */
	bool		actor_is_new;	/* one of them has got the actor token */
	int			sign_in_tries;
	long		sign_in_waited_ms;
	double		sign_in_resume_ms;	/* not before this time */
};

typedef enum CallState
{
	CALL_READY,
	CALL_PAUSED,
	CALL_FLYING,
	CALL_DONE
} CallState;

struct SigmaCall
{
	dlist_node	node;			/* in the session's calls, unless DONE */
	SigmaSession *session;		/* NULL once it is gone */
	MemoryContext context;
	SigmaCallSpec spec;			/* a copy */
	char	   *url;
	CallState	state;
	SigmaTransfer *transfer;	/* of the last attempt */
	double		sent_ms;		/* when; 0: not yet */
	double		awaited_ms;		/* since when it is waited for; 0: it is not */
	double		turn_ms;		/* since when in this turn of the wait */
	double		held_ms;		/* until when pace or a 429 hold it up in this turn; 0: they do not */
	int			tries;			/* attempts that count against max_retries */
	int			renewals;		/* how often a 401 has led to another token */
	bool		last_try;		/* it is not to be sent again */
	uint64		token_number;	/* the token it was sent with */
	long		waited_ms;
	double		resume_ms;		/* if PAUSED */
	bool		not_found;
	SigmaFailure *nothing;		/* if not found in another way than by a look-up's 404 */
	SigmaFailure *failure;		/* if DONE and failed */
	SigmaCallGone gone;			/* see sigma_call_follow(); or NULL */
	void	   *gone_arg;
	size_t		handed;			/* of a download: bytes that were handed over, and not dropped */
	MemoryContextCallback callback;
};

/* A secret that is no longer needed. */
static inline void
wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
}

/* A call is done, well or badly. */
static inline void
finish_call(SigmaCall *call)
{
	dlist_delete(&call->node);
	call->state = CALL_DONE;
}

/* ---------------------------------------------------------------- failure.c */

/* A reply that is no error object is shown in part, unless it is longer. */
#define REPLY_LOOK (16 * 1024)

extern SigmaFailure *sigma_read_secret_file(const SigmaSettings *settings, char **secret);
extern SigmaFailure *sigma_describe_failure(const SigmaSession *s, const SigmaReply *reply,
											SigmaProblem *problem, List *secrets);

/* ---------------------------------------------------------------- sign_in.c */
extern bool sigma_token_is_good(const SigmaSession *s);
extern void sigma_drop_token(SigmaSession *s);
extern void sigma_drop_actor_token(SigmaSession *s);
extern void sigma_set_shared_keys(SigmaSession *s);
extern void sigma_give_up_sign_in(SigmaSession *s);
extern void sigma_finish_sign_in(SigmaSession *s);
extern void sigma_fail_sign_in(SigmaSession *s, const SigmaFailure *failure);
extern void sigma_seek_token(SigmaSession *s, SigmaCall *waiting);

/* ------------------------------------------------------------------- call.c */
extern void sigma_detach_call(SigmaCall *call);

/* -------------------------------------------------------------- call_step.c */

/* A step of a call. */
typedef void (*CallStep) (SigmaCall *call);

extern void sigma_take_step(CallStep step, SigmaCall *call);
extern void sigma_send_call(SigmaCall *call);
extern void sigma_begin_stream(SigmaCall *call);
extern void sigma_receive_reply(SigmaCall *call);
extern void sigma_fail_queued(SigmaCall *call);
extern void sigma_call_land(SigmaCall *call);
extern SigmaFailure *sigma_describe_reply(SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt,
										  bool nothing);

/* ---------------------------------------------------------------- advance.c */
extern void sigma_advance(SigmaSession *s);
extern long sigma_idle_time(SigmaSession *s);
extern void sigma_leave_queue(SigmaSession *s);

/* ------------------------------------------------------------------ pace.c */
extern double sigma_pace_ask(SigmaSession *s, SigmaPaceClass class);
extern void sigma_pace_give_back(SigmaSession *s, SigmaPaceClass class);
extern void sigma_pace_forget(SigmaSession *s);
extern void sigma_pace_good(SigmaSession *s, double sent_ms);
extern void sigma_pace_refused(SigmaSession *s, SigmaPaceClass class, double sent_ms, long delay_ms);

/* ------------------------------------------------------------- retry.c */

extern long sigma_retry_delay(const SigmaAttempt *attempt);
extern int64 sigma_parse_http_date(const char *value);
extern long sigma_parse_retry_after(const char *value, int64 now);
extern bool sigma_outcome_unknown(const SigmaAttempt *attempt);
extern bool sigma_attempt_is_free(const SigmaAttempt *attempt);

/* --------------------------------------------------------------- jwt.c */

extern char *sigma_sign_hs256(const char *header, const char *claims, const char *key,
							  size_t key_length);
extern char *sigma_jwt(const SigmaSettings *settings, int64 now);

/* -------------------------------------------------------------- area.c */

/* A part of shared memory, with a lock. */
typedef struct SigmaArea
{
	const char *name;
	Size		(*size) (void);

	/* takes both; what is new is to be filled in */
	void		(*attach) (void *memory, LWLock *its_lock, bool is_new);
} SigmaArea;

extern const SigmaArea sigma_shared_area;
extern const SigmaArea sigma_stat_area;
extern const SigmaArea sigma_progress_area;

/* -------------------------------------------------------------- stat.c */

extern void sigma_stat_prepare(void);
extern void sigma_stat_call(const SigmaCall *call, SigmaStatCounter counter, int64 n);
extern void sigma_stat_replied(const SigmaCall *call, const SigmaReply *reply);
extern void sigma_stat_ended(const SigmaCall *call, bool acted);

/* ------------------------------------------------------------ shared.c */

extern SigmaSharedKey sigma_shared_key(const char *const *texts);
extern SigmaSharedAnswer sigma_shared_token(const SigmaSharedKey *key, char **token,
											double *left_ms);
extern void sigma_shared_signed_in(const SigmaSharedKey *key, const char *token, double life_ms);
extern void sigma_shared_drop_token(const SigmaSharedKey *key, const char *token);
extern void sigma_shared_renew_sign_in(const SigmaSharedKey *key);
extern bool sigma_shared_begin_request(int *number, const SigmaSharedKey *key, int max);
extern void sigma_shared_renew(int number);
extern void sigma_shared_end_request(int *number);
extern void sigma_shared_stop_waiting(int *number);
extern SigmaPace *sigma_shared_take_pace(const SigmaSharedKey *key);
extern void sigma_shared_give_pace(void);

#endif							/* SIGMA_SESSION_INTERNAL_H */

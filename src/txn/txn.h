/*-------------------------------------------------------------------------
 *
 * txn.h
 *	  What a transaction has done in Sigma, and is about to do.
 *
 * Called in a live transaction.  What happens at its end happens in callbacks of
 * this wing, where nothing may raise after the commit, and nothing at all in an
 * abort.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_TXN_H
#define SIGMA_TXN_H

#include "nodes/pg_list.h"

#include "base/base.h"
#include "session/session.h"

/* ---------------------------------------------------------- callback.c */

/* Called once, when the library is loaded: registers what the end of a transaction calls. */
extern void sigma_txn_init(void);

/* ----------------------------------------------------------- effects.c */

typedef struct SigmaEffect SigmaEffect;

/* It was carried out; "done" is the clause that says so. */
extern void sigma_effect_done(SigmaEffect *effect, const char *done);

/*
 * A rollback is to undo it by a DELETE of this path, which deletes the
 * connection of that id; "perhaps" is the clause for when it is not known
 * whether it did.
 */
extern void sigma_effect_undo(SigmaEffect *effect, const char *target, const char *id,
							  const char *perhaps);

/* ----------------------------------------------------------- sending.c */

/* What became of a write. */
typedef enum SigmaFate
{
	SIGMA_NOT_SENT,				/* it was not carried out, and never will be */
	SIGMA_ACTED,
	SIGMA_REFUSED,				/* it was sent, but surely not carried out */
	SIGMA_UNKNOWN
} SigmaFate;

/* A request that changes something, with what is to be remembered of it. */
typedef struct SigmaWrite
{
	SigmaCallSpec spec;
	const char *name;			/* of what it is about */
	const char *id;				/* likewise, for the log; NULL while it is not known */
	const char *maybe;			/* a clause for the WARNING: connection "x" may exist */
	const char *role;			/* whose write it is; NULL: the current user's */
	const char *hint;			/* what can be done about it afterwards; or NULL */
	bool		silent;			/* nobody looks at its reply when it is done */
	bool		flying;			/* it was sent, and is not yet through */
	const SigmaFailure *(*succeeded) (struct SigmaWrite *write);
	SigmaCall  *call;			/* once it has been sent; NULL in a dry run */
	SigmaEffect *effect;		/* likewise, unless it was refused */
	SigmaFate	fate;
} SigmaWrite;

/*
 * Sends writes, several at once, and waits for their replies.  "succeeded" is
 * called with a reply and says of the effect that it is done; it returns a
 * failure if the reply is of no use.  After the first failure no more are
 * sent, but those under way are waited for, so that it is known of each what
 * became of it: its "fate".  Returns the first failure, or NULL.  What surely
 * was not carried out is forgotten.  Raises only what interrupts the wait.
 */
extern const SigmaFailure *sigma_try_writes(SigmaSession *session, MemoryContext context,
											SigmaWrite *writes, int n);

/* ------------------------------------------------------------ record.c */

extern bool sigma_dry_run;		/* sigma_fdw.dry_run */
extern bool sigma_log_writes;	/* sigma_fdw.log_writes */

/*
 * Shows a request that is not sent, since sigma_fdw.dry_run is on.  "change"
 * is a sentence that says what it would change, or NULL.
 */
extern void sigma_announce(const SigmaCallSpec *spec, const char *change);

/* ------------------------------------------------------------- queue.c */

/* A change of a connection that has been asked for. */
typedef struct SigmaChange
{
	const char *method;			/* PATCH, PUT or DELETE; constant */
	const char *target;
	const char *body;			/* JSON in UTF-8; NULL for DELETE */
	List	   *secrets;
	const char *id;
	const char *name;			/* as it was; NULL if the table does not show it */
	const char *version;		/* "updatedAt" as it was read; NULL: not compared */
	CommandId	command;		/* that asks for it; those after it see it */
	SigmaSpan	after;			/* the entry as it will be, in UTF-8 */
} SigmaChange;

/*
 * Asks for a change when the transaction commits.  Everything is copied; the
 * session stays as it is now until then.  In a dry run, use sigma_announce().
 */
extern void sigma_queue_change(SigmaSession *session, const SigmaChange *change);

/* The command that last changed the connection with that id; InvalidCommandId: none. */
extern CommandId sigma_queue_last(Oid serverid, const char *id);

/*
 * The changes of the connection with that id that still tell what it will be,
 * as a list of SigmaChange in their order: the last replacement, and what came
 * after it.
 */
extern List *sigma_queue_changes(Oid serverid, const char *id);

/*
 * What Sigma shows of a connection that is to be changed, as long as the call
 * lives.  Raises 40001 or P0002 unless it is as it was when it was read.
 */
extern SigmaSpan sigma_unchanged_entry(const SigmaChange *change, SigmaCall *call);

/* Is there any change of a server's connections?  InvalidOid: of any server's. */
extern bool sigma_queue_any(Oid serverid);

/*
 * How the connection with that id will be, as far as commands of the
 * transaction before "as_of" (InvalidCommandId: the one that is running) have
 * changed it: an entry in UTF-8, which lives as long as the change.  False if
 * they have not.
 */
extern bool sigma_queue_find(Oid serverid, const char *id, CommandId as_of, SigmaSpan *after);

#endif							/* SIGMA_TXN_H */

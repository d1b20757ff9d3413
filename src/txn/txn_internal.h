/*-------------------------------------------------------------------------
 *
 * txn_internal.h
 *	  What only the files of txn/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_TXN_INTERNAL_H
#define SIGMA_TXN_INTERNAL_H

#include "session/session.h"
#include "txn/txn.h"

/* ----------------------------------------------------------- effects.c */

struct SigmaEffect
{
	MemoryContext context;		/* of all that it has */
	SigmaSession *session;		/* pinned */
	char	   *server;
	char	   *role;			/* whose statement it was */
	char	   *maybe;			/* what to say while the outcome is not known */
	char	   *done;			/* what to say once it is; else NULL */
	char	   *undo;			/* the path whose DELETE undoes it; or NULL */
	char	   *id;				/* of the connection that it is about, if it is known */
	char	   *perhaps;		/* what to say if nobody knows whether it did */
	char	   *why;			/* undoing it has failed; or NULL */
	bool		unsure;			/* or perhaps it has not */
	bool		undone;			/* it has been */
	bool		broken;			/* an error has ended the attempt */
	double		deadline_ms;	/* for undoing it */
	char	   *hint;			/* what to do about it; or NULL */
	int			level;			/* transaction nesting level that it belongs to */
	SigmaCall  *writing;		/* the write itself, while it is under way and not freed */
	SigmaCall  *call;			/* that undoes it, likewise */
};

/* Remembers a write that is about to be sent. */
extern SigmaEffect *sigma_effect_remember(SigmaSession *session, const SigmaWrite *write);

/* Its write is under way: if the call goes, so does an effect that it cannot have had. */
extern void sigma_effect_follow(SigmaEffect *effect, SigmaCall *call);

/* The write is under way no longer, or its call is about to be freed. */
extern void sigma_effect_let_go(SigmaEffect *effect);

/* It is not there, or has been told of already: a rollback says no more of it. */
extern void sigma_effect_forget(SigmaEffect *effect);

/* Will a rollback delete the connection of that id, which the transaction has made? */
extern bool sigma_effect_is_undone(const SigmaSession *session, const char *id);

/*
 * The connection of that id has been deleted: if it was the transaction that
 * made it, nothing is left of that, and it is forgotten.  Says whether it was.
 */
extern bool sigma_effect_forget_created(const SigmaSession *session, const char *id);

/* Is any effect remembered? */
extern bool sigma_effects_any(void);

/*
 * The transaction or subtransaction of this nesting level is rolled back: undoes
 * what it and those within it have created, names what is left, and forgets all
 * of it.  Makes requests and waits for them, in an abort, with interrupts held;
 * raises nothing.
 */
extern void sigma_effects_roll_back(int level);

/* Forgets all effects; may be called in an abort. */
extern void sigma_effects_forget(void);

/* The subtransaction of this level commits: what it has is its parent's. */
extern void sigma_effects_hand_on(int level);

/* ------------------------------------------------------------ record.c */

/*
 * Logs one line for one write: who, what, which, and how it ended.  May be
 * called in an abort.
 */
extern void sigma_record_write(const SigmaEffect *effect, const SigmaCallSpec *spec, const char *id,
							   const SigmaCall *call, SigmaFate fate);

/* ------------------------------------------------------------- queue.c */

/*
 * The transaction is about to commit: sends all that has been asked for.  Raises
 * what the first change that fails raises.
 */
extern void sigma_queue_send(void);

/* Empties the queue, and wipes what may be secret; may be called in an abort. */
extern void sigma_queue_forget(void);

/*
 * Takes back what the subtransactions of this level and above have asked for; may
 * be called in an abort.
 */
extern void sigma_queue_take_back(int level);

/* The subtransaction of this level commits: what it has is its parent's. */
extern void sigma_queue_hand_on(int level);

#endif							/* SIGMA_TXN_INTERNAL_H */

/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  What a transaction has done in Sigma, and what a rollback leaves behind.
 *
 * A write acts in Sigma at once; PostgreSQL can neither delay it (RETURNING
 * needs the new id) nor take it back.  So every effect of a transaction is
 * remembered until it ends, and if it is rolled back, a WARNING names each
 * that is there all the same.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "access/xact.h"
#include "utils/memutils.h"

struct SigmaEffect
{
	char	   *server;
	char	   *maybe;			/* what to say while the outcome is not known */
	char	   *done;			/* what to say once it is; else NULL */
	int			level;			/* transaction nesting level that it belongs to */
};

static MemoryContext effects_context = NULL;
static List *effects = NIL;		/* of SigmaEffect, in effects_context */

/* The transaction or subtransaction of this level is rolled back. */
static void
warn_of_effects(int level)
{
	ListCell   *lc;

	foreach(lc, effects)
	{
		SigmaEffect *e = lfirst(lc);

		if (e->level < level)
			continue;
		if (e->done)
			ereport(WARNING,
					(errmsg("%s although its transaction was rolled back", e->done),
					 errdetail("What is done in Sigma (server \"%s\") is not undone by a rollback.", e->server),
					 errhint("Undo it in Sigma if it is not wanted.")));
		else
			ereport(WARNING,
					(errmsg("%s although its transaction was rolled back", e->maybe),
					 errdetail("The request to server \"%s\" was sent, but its outcome is unknown.", e->server),
					 errhint("Look in Sigma before you try again.")));
		effects = foreach_delete_current(effects, lc);
	}
}

static void
on_transaction_end(XactEvent event, void *arg UNUSED)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (effects != NIL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to Sigma")));
			return;
		case XACT_EVENT_ABORT:
			warn_of_effects(1);
			break;
		case XACT_EVENT_COMMIT:
			break;
		default:
			return;
	}
	effects = NIL;
	if (effects_context)
		MemoryContextReset(effects_context);
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId subid UNUSED,
					  SubTransactionId parent UNUSED, void *arg UNUSED)
{
	int			level = GetCurrentTransactionNestLevel();
	ListCell   *lc;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		warn_of_effects(level);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		foreach(lc, effects)
		{
			SigmaEffect *e = lfirst(lc);

			e->level = Min(e->level, level - 1);
		}
}

/*
 * Remembers a write that is about to be sent.  "maybe" is a clause for the
 * WARNING, such as: connection "x" may exist in Sigma.
 */
SigmaEffect *
sigma_effect_begin(const char *server, const char *maybe)
{
	MemoryContext old;
	SigmaEffect *e;

	if (effects_context == NULL)
	{
		effects_context = AllocSetContextCreate(TopMemoryContext, "sigma effects",
												ALLOCSET_SMALL_SIZES);
		RegisterXactCallback(on_transaction_end, NULL);
		RegisterSubXactCallback(on_subtransaction_end, NULL);
	}
	old = MemoryContextSwitchTo(effects_context);
	e = palloc0(sizeof(SigmaEffect));
	e->server = pstrdup(server);
	e->maybe = pstrdup(maybe);
	e->level = GetCurrentTransactionNestLevel();
	effects = lappend(effects, e);
	MemoryContextSwitchTo(old);
	return e;
}

/* It was carried out; "done" is the clause that says so. */
void
sigma_effect_done(SigmaEffect *effect, const char *done)
{
	effect->done = MemoryContextStrdup(effects_context, done);
}

/*
 * Sends a write and waits for its reply.  If it fails but may have been
 * carried out, the effect stays remembered; if it surely was not, the effect
 * is forgotten.  Raises if it fails.
 */
SigmaCall *
sigma_effect_call(SigmaEffect *effect, SigmaSession *session, MemoryContext context,
				  const SigmaCallSpec *spec)
{
	SigmaCall  *volatile call = NULL;

	PG_TRY();
	{
		call = sigma_call_start(session, context, spec);
		sigma_call_wait(call);
		if (sigma_call_failure(call))
			sigma_raise(sigma_call_failure(call));
	}
	PG_CATCH();
	{
		if (call == NULL || !sigma_call_may_have_acted(call))
			effects = list_delete_ptr(effects, effect);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return call;
}

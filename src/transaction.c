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
#include "mb/pg_wchar.h"
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

/*
 * Text that can surely be sent to the client.  To convert it might fail, and
 * a rollback must not.
 */
static char *
sendable(char *text)
{
	if (pg_get_client_encoding() != GetDatabaseEncoding())
		for (char *p = text; *p; p++)
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
	return text;
}

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
		/* first, so that it is told but once, whatever happens */
		effects = foreach_delete_current(effects, lc);
		if (e->done)
			ereport(WARNING,
					(errmsg("%s although its transaction was rolled back", sendable(e->done)),
					 errdetail("What is done in Sigma (server \"%s\") is not undone by a rollback.",
							   sendable(e->server)),
					 errhint("Undo it in Sigma if it is not wanted.")));
		else
			ereport(WARNING,
					(errmsg("%s although its transaction was rolled back", sendable(e->maybe)),
					 errdetail("The request to server \"%s\" was sent, but its outcome is unknown.",
							   sendable(e->server)),
					 errhint("Look in Sigma before you try again.")));
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

/* Remembers a write that is about to be sent. */
static SigmaEffect *
remember(const char *server, const char *maybe)
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

/* A write has ended without success: is there anything to remember? */
static void
settle(SigmaWrite *write)
{
	if (write->effect && (write->call == NULL || !sigma_call_may_have_acted(write->call)))
	{
		effects = list_delete_ptr(effects, write->effect);
		pfree(write->effect->server);
		pfree(write->effect->maybe);
		pfree(write->effect);
	}
	write->effect = NULL;
}

/*
 * Sends writes, several at once, and waits for their replies.  "succeeded" is
 * called with a reply and says of the effect that it is done; it returns a
 * failure if the reply is of no use.  After the first failure no more are sent, but those under way are
 * waited for, so that it is known of each what became of it; then the failure
 * is raised.  What surely was not carried out is forgotten.
 */
void
sigma_run_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes, int n)
{
	const SigmaFailure *volatile failure = NULL;
	volatile int started = 0;
	int			width = sigma_session_concurrency(session);

	PG_TRY();
	{
		for (int i = 0; i < n; i++)
		{
			SigmaWrite *write = &writes[i];
			const SigmaFailure *why;

			while (failure == NULL && started < n && started < i + width)
			{
				SigmaWrite *next = &writes[started];

				next->effect = remember(sigma_session_server(session), next->maybe);
				next->call = sigma_call_start(session, context, &next->spec);
				started++;
			}
			if (i >= started)
				break;
			sigma_call_wait(write->call);
			why = sigma_call_failure(write->call);
			if (why == NULL)
			{
				why = write->succeeded(write);
				write->effect = NULL;
			}
			else
				settle(write);
			if (failure == NULL)
				failure = why;
		}
		if (failure)
			sigma_raise(failure);
	}
	PG_CATCH();
	{
		for (int i = 0; i < n; i++)
			settle(&writes[i]);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

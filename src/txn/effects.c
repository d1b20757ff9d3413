/*-------------------------------------------------------------------------
 *
 * effects.c
 *	  What a transaction has done in Sigma, and what becomes of it if it is
 *	  rolled back.
 *
 * Some writes act in Sigma at once; PostgreSQL can neither delay them
 * (RETURNING needs the new id) nor take them back.  So every effect of a
 * transaction is remembered until it ends.  If it is rolled back, the
 * connections that it has created are deleted again, and a WARNING names each
 * effect that is there all the same.  (Writes that can wait until the commit
 * do so in queue.c; how a write is sent is in sending.c.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn_internal.h"

/*
 * A backend that is told to end has so long to delete what it has created, or
 * rollback_timeout if that is less: whoever ends it is waiting.
 */
#define EXIT_TIMEOUT_MS 2000

/*
 * The end of a transaction ends its savepoints one by one, and all of them
 * together have the time that a rollback has.  What follows so soon, without a
 * write in between, belongs together.
 */
#define SAME_END_MS 1000

/* Several servers are waited for in turn, for so long at a time. */
#define SLICE_MS 20

static MemoryContext effects_context = NULL;
static List *effects = NIL;		/* of SigmaEffect, in effects_context */

static double undo_began_ms = 0;	/* the first of the rollbacks that belong together */
static double undo_ended_ms = 0;	/* when the last of them was through */

/* The write of an effect is under way no longer, or its call is about to be freed. */
void
sigma_effect_let_go(SigmaEffect *e)
{
	if (e->writing)
		sigma_call_follow(e->writing, NULL, NULL);
	e->writing = NULL;
}

/* It counts for nothing any more, but can still be told of. */
static void
take_out(SigmaEffect *e)
{
	sigma_effect_let_go(e);
	effects = list_delete_ptr(effects, e);
	sigma_session_unpin(e->session);
}

void
sigma_effect_forget(SigmaEffect *e)
{
	take_out(e);
	MemoryContextDelete(e->context);
}

/*
 * Text that can surely be sent to the client.  To convert it might fail, and
 * a rollback must not.
 */
static char *
sendable(const char *text)
{
	char	   *copy = pstrdup(text);

	if (pg_get_client_encoding() != GetDatabaseEncoding())
		for (char *p = copy; *p; p++)
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
	return copy;
}

/* Names an effect that outlives its transaction. */
static void
warn_of(const SigmaEffect *e)
{
	if (e->done == NULL)
		ereport(WARNING,
				(errmsg("%s although its transaction was rolled back", sendable(e->maybe)),
				 errdetail("The request to server \"%s\" was sent, but its outcome is unknown.",
						   sendable(e->server)),
				 errhint("Look in Sigma before you try again.")));
	else if (e->why)
		ereport(WARNING,
				(errmsg("%s although its transaction was rolled back",
						sendable(e->unsure ? e->perhaps : e->done)),
				 e->unsure
				 ? errdetail("Whether it was deleted again on server \"%s\" is unknown: %s.",
							 sendable(e->server), sendable(e->why))
				 : errdetail("It could not be deleted again on server \"%s\": %s.",
							 sendable(e->server), sendable(e->why)),
				 errhint("Delete it in Sigma if it is not wanted.")));
	else if (e->undo)
		ereport(WARNING,
				(errmsg("%s although its transaction was rolled back", sendable(e->done)),
				 errdetail("The option \"on_rollback\" of server \"%s\" is \"keep\".", sendable(e->server)),
				 errhint("Delete it in Sigma if it is not wanted.")));
	else
		ereport(WARNING,
				(errmsg("%s although its transaction was rolled back", sendable(e->done)),
				 errdetail("What is done in Sigma (server \"%s\") is not undone by a rollback.",
						   sendable(e->server)),
				 errhint("%s", e->hint ? e->hint : "Undo it in Sigma if it is not wanted.")));
}

/* Why undoing an effect did not end well. */
static void
note_reason(SigmaEffect *e, const char *why)
{
	e->why = MemoryContextStrdup(e->context, why);
}

/* How long a rollback may wait for a server, in ms, and the name of what says so. */
static double
undo_limit(const SigmaSession *session, const char **name)
{
	int			limit_ms = sigma_session_rollback_timeout(session);

	*name = "rollback_timeout";
	/* a statement may take that long, and PostgreSQL takes a rollback for no part of one */
	if (StatementTimeout > 0 && StatementTimeout < limit_ms && !proc_exit_inprogress)
	{
		limit_ms = StatementTimeout;
		*name = "statement_timeout";
	}
	return proc_exit_inprogress ? Min(limit_ms, EXIT_TIMEOUT_MS) : limit_ms;
}

/* Why a wait has ended before the server had answered; palloc'd. */
static char *
why_not_done(const SigmaEffect *e)
{
	const char *name;
	double		limit_ms = undo_limit(e->session, &name);

	if (proc_exit_inprogress)
		return pstrdup("the session is ending");
	if (QueryCancelPending && get_timeout_indicator(STATEMENT_TIMEOUT, false))
		return psprintf("statement_timeout (%d ms) passed", StatementTimeout);
	if (QueryCancelPending || ProcDiePending)
		return pstrdup("the wait was cancelled");
	return psprintf("%s (%.0f ms) passed", name, limit_ms);
}

/* Begins to undo an effect. */
static void
start_undoing(SigmaEffect *e, MemoryContext context)
{
	SigmaCallSpec spec = {
		.method = "DELETE",
		.target = e->undo,
		.purpose = SIGMA_WRITE,
		.subject = "undoing a create that was rolled back",
		.urgent = true,
		.resource = "connections",
	};

	e->call = sigma_call_start(e->session, context, &spec);
}

/* Waits a little for it; all calls of the session go on meanwhile. */
static void
wait_a_little(SigmaEffect *e, MemoryContext context UNUSED)
{
	(void) sigma_call_wait_until(e->call, Min(now_ms() + SLICE_MS, e->deadline_ms));
}

/* Has undoing an effect ended, and well?  If not, e->why says what it is. */
static void
finish_undoing(SigmaEffect *e, MemoryContext context UNUSED)
{
	SigmaCallSpec spec = {
		.method = "DELETE",
		.target = e->undo,
		.subject = "undoing a create that was rolled back",
	};
	bool		done = sigma_call_done(e->call);
	const SigmaFailure *failure = done ? sigma_call_failure(e->call) : NULL;
	SigmaFate	fate = failure == NULL ? SIGMA_ACTED : SIGMA_REFUSED;

	if (!done || failure)
	{
		if (sigma_call_may_have_acted(e->call))
			fate = SIGMA_UNKNOWN;
		else if (!done)
			fate = SIGMA_NOT_SENT;
	}
	e->unsure = fate == SIGMA_UNKNOWN;
	/* who finds nothing to delete has nothing left to do */
	e->undone = done && (failure == NULL || failure->sqlstate == ERRCODE_NO_DATA_FOUND);
	if (failure)
		note_reason(e, failure->message);
	else if (!done && !e->broken)
		note_reason(e, why_not_done(e));
	sigma_record_write(e, &spec, e->id, e->call, fate);
}

/*
 * Does a step of undoing an effect.  An error in it is kept as the reason why
 * that one is not undone, and keeps no other from being undone.
 */
static void
take_undo_step(void (*step) (SigmaEffect *e, MemoryContext context), SigmaEffect *e,
			   MemoryContext context)
{
	SigmaCatch	before;

	sigma_before_catch(&before);
	PG_TRY();
	{
		step(e, context);
	}
	PG_CATCH();
	{
		e->broken = true;
		note_reason(e, sigma_catch(&before, context)->message);
	}
	PG_END_TRY();
}

/* Waits for all that is under way; one server that hangs takes nobody else's time. */
static void
wait_for_undoing(List *undoing, MemoryContext context)
{
	bool		waiting = true;

	while (waiting && !QueryCancelPending && (!ProcDiePending || proc_exit_inprogress))
	{
		List	   *served = NIL;
		ListCell   *lc;

		waiting = false;
		foreach(lc, undoing)
		{
			SigmaEffect *e = lfirst(lc);

			if (e->broken || sigma_call_done(e->call) || now_ms() >= e->deadline_ms ||
				list_member_ptr(served, e->session))
				continue;
			take_undo_step(wait_a_little, e, context);
			served = lappend(served, e->session);
			waiting = true;
		}
	}
}

/* What was created is gone again, and with it all that was done to it. */
static void
forget_connection(SigmaEffect *created)
{
	List	   *all = list_copy(effects);
	ListCell   *lc;

	foreach(lc, all)
	{
		SigmaEffect *e = lfirst(lc);

		if (e != created && e->id && sigma_same_key(SIGMA_INODE, e->id, created->id) &&
			sigma_session_serverid(e->session) == sigma_session_serverid(created->session))
			sigma_effect_forget(e);
	}
	sigma_effect_forget(created);
}

/*
 * Deletes again what the effects of a level have created, several at once, and
 * forgets those that are undone.
 */
static void
undo_effects(int level, MemoryContext context)
{
	List	   *undoing = NIL;
	ListCell   *lc;

	if (now_ms() > undo_ended_ms + SAME_END_MS)
		undo_began_ms = now_ms();
	foreach(lc, effects)
	{
		SigmaEffect *e = lfirst(lc);
		const char *name;

		if (e->level < level || e->undo == NULL || e->done == NULL ||
			sigma_session_keeps_on_rollback(e->session))
			continue;
		note_reason(e, "an error prevented it");
		undoing = lappend(undoing, e);
		e->deadline_ms = undo_began_ms + undo_limit(e->session, &name);
	}
	if (undoing == NIL)
		return;
	foreach(lc, undoing)
		take_undo_step(start_undoing, lfirst(lc), context);
	wait_for_undoing(undoing, context);
	undo_ended_ms = now_ms();
	foreach(lc, undoing)
	{
		SigmaEffect *e = lfirst(lc);

		if (e->call)
			take_undo_step(finish_undoing, e, context);
	}
	/* apart, since two may be of one connection: the first then takes the second with it */
	foreach(lc, undoing)
	{
		SigmaEffect *e = lfirst(lc);

		if (list_member_ptr(effects, e) && e->undone)
			forget_connection(e);
	}
}

/* The same, and raises nothing: what is left is still to be named. */
static void
undo_effects_quietly(int level)
{
	MemoryContext volatile context = NULL;
	SigmaCatch	before;

	sigma_before_catch(&before);
	PG_TRY();
	{
		context = AllocSetContextCreate(TopMemoryContext, "sigma undo", ALLOCSET_SMALL_SIZES);
		MemoryContextSwitchTo(context);
		undo_effects(level, context);
	}
	PG_CATCH();
	{
		(void) sigma_catch(&before, NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before.context);
	if (context)
		MemoryContextDelete(context);
}

/*
 * The memory of a write that is under way goes, which is a shorter life than
 * the transaction's: when a process ends, its portals are dropped before the
 * transaction is rolled back.
 */
static void
write_gone(void *arg, bool may_have_acted)
{
	SigmaEffect *e = arg;

	e->writing = NULL;
	if (!may_have_acted)
		sigma_effect_forget(e);
}

/*
 * Writes that nobody waits for any more: the process is being terminated, which
 * no PG_CATCH() sees.  What has not left by now must not leave later.
 */
static void
give_up_writes(int level)
{
	List	   *all = list_copy(effects);
	ListCell   *lc;

	foreach(lc, all)
	{
		SigmaEffect *e = lfirst(lc);
		bool		may_have_acted;

		if (e->level < level || e->writing == NULL)
			continue;
		may_have_acted = sigma_call_may_have_acted(e->writing);
		sigma_call_give_up(e->writing);
		sigma_effect_let_go(e);
		if (!may_have_acted)
			sigma_effect_forget(e);
	}
	list_free(all);
}

void
sigma_effects_roll_back(int level)
{
	List	   *left;
	ListCell   *lc;
	SigmaHiding hiding;

	if (effects == NIL)
		return;
	/* the statement that failed may hold the secrets of what it created */
	sigma_hide_statement(&hiding);
	give_up_writes(level);
	undo_effects_quietly(level);
	left = list_copy(effects);
	foreach(lc, left)
	{
		SigmaEffect *e = lfirst(lc);

		if (e->level < level)
			continue;
		/* first, so that it is told but once, whatever happens */
		take_out(e);
		warn_of(e);
		MemoryContextDelete(e->context);
	}
	list_free(left);
	sigma_show_statement(&hiding);
}

bool
sigma_effects_any(void)
{
	return effects != NIL;
}

void
sigma_effects_forget(void)
{
	while (effects != NIL)
		sigma_effect_forget(llast(effects));
	if (effects_context)
		MemoryContextReset(effects_context);
}

void
sigma_effects_hand_on(int level)
{
	ListCell   *lc;

	foreach(lc, effects)
	{
		SigmaEffect *e = lfirst(lc);

		e->level = Min(e->level, level - 1);
	}
}

SigmaEffect *
sigma_effect_remember(SigmaSession *session, const SigmaWrite *write)
{
	MemoryContext old = CurrentMemoryContext;
	SigmaEffect *e;

	Assert(IsTransactionState());
	if (effects_context == NULL)
		effects_context = AllocSetContextCreate(TopMemoryContext, "sigma effects",
												ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(AllocSetContextCreate(effects_context, "sigma effect",
												ALLOCSET_SMALL_SIZES));
	e = palloc0(sizeof(SigmaEffect));
	e->context = CurrentMemoryContext;
	e->session = session;
	e->server = pstrdup(sigma_session_server(session));
	e->role = pstrdup(write->role ? write->role : GetUserNameFromId(GetUserId(), false));
	e->maybe = pstrdup(write->maybe);
	e->hint = write->hint ? pstrdup(write->hint) : NULL;
	e->id = write->id ? pstrdup(write->id) : NULL;
	e->level = GetCurrentTransactionNestLevel();
	MemoryContextSwitchTo(effects_context);
	effects = lappend(effects, e);
	undo_ended_ms = 0;
	sigma_session_pin(session);
	MemoryContextSwitchTo(old);
	return e;
}

void
sigma_effect_follow(SigmaEffect *e, SigmaCall *call)
{
	e->writing = call;
	sigma_call_follow(call, write_gone, e);
}

void
sigma_effect_done(SigmaEffect *effect, const char *done)
{
	effect->done = MemoryContextStrdup(effect->context, done);
}

void
sigma_effect_undo(SigmaEffect *effect, const char *target, const char *id, const char *perhaps)
{
	effect->perhaps = MemoryContextStrdup(effect->context, perhaps);
	effect->undo = MemoryContextStrdup(effect->context, target);
	effect->id = MemoryContextStrdup(effect->context, id);
}

/* The effect that a connection of that id was made by the transaction; or NULL. */
static SigmaEffect *
find_created(const SigmaSession *session, const char *id)
{
	ListCell   *lc;

	foreach(lc, effects)
	{
		SigmaEffect *e = lfirst(lc);

		if (e->undo && sigma_same_key(SIGMA_INODE, e->id, id) &&
			sigma_session_serverid(e->session) == sigma_session_serverid(session))
			return e;
	}
	return NULL;
}

bool
sigma_effect_is_undone(const SigmaSession *session, const char *id)
{
	SigmaEffect *e = find_created(session, id);

	return e && !sigma_session_keeps_on_rollback(e->session);
}

bool
sigma_effect_forget_created(const SigmaSession *session, const char *id)
{
	SigmaEffect *e = find_created(session, id);

	if (e == NULL)
		return false;
	sigma_effect_forget(e);
	return true;
}

/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  What a transaction has done in Sigma, and what becomes of it if it is
 *	  rolled back.
 *
 * Some writes act in Sigma at once; PostgreSQL can neither delay them
 * (RETURNING needs the new id) nor take them back.  So every effect of a
 * transaction is remembered until it ends.  If it is rolled back, the
 * connections that it has created are deleted again, and a WARNING names each
 * effect that is there all the same.  (Writes that can wait until the commit
 * do so in queue.c.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
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

struct SigmaEffect
{
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

bool		sigma_dry_run = false;
bool		sigma_log_writes = true;

static MemoryContext effects_context = NULL;
static List *effects = NIL;		/* of SigmaEffect, in effects_context */

static double undo_began_ms = 0;	/* the first of the rollbacks that belong together */
static double undo_ended_ms = 0;	/* when the last of them was through */

/* ------------------------------------------------------------------ the log */

/*
 * One line for one write: who, what, which, and how it ended.  What others have
 * named is quoted, so that a name cannot end the line's words with its own.
 */
static void
log_write(const char *role, const char *server, const SigmaCallSpec *spec, const char *id,
		  const SigmaCall *call, SigmaFate fate)
{
	StringInfoData s;
	const char *request_id = sigma_call_request_id(call);
	int			status = sigma_call_status(call);

	if (!sigma_log_writes || fate == SIGMA_NOT_SENT)
		return;
	initStringInfo(&s);
	appendStringInfo(&s, "Sigma write by %s on server %s: %s", sigma_quoted(role), sigma_quoted(server),
					 sigma_shown_request(spec->method, spec->target, NULL));
	if (spec->subject)
		appendStringInfo(&s, " (%s)", spec->subject);
	if (id)
		appendStringInfo(&s, ", id %s", sigma_shown_id(id));
	if (status)
		appendStringInfo(&s, ", status %d", status);
	if (fate == SIGMA_UNKNOWN)
		appendStringInfoString(&s, ", outcome unknown");
	if (request_id)
		appendStringInfo(&s, ", requestId %s", sigma_shown_id(request_id));
	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("%s", s.data), errhidestmt(true), errhidecontext(true)));
	pfree(s.data);
}

/* ------------------------------------------------------------------ effects */

static void
free_text(char *text)
{
	if (text)
		pfree(text);
}

/* The write of an effect is under way no longer, or its call is about to be freed. */
static void
let_go(SigmaEffect *e)
{
	if (e->writing)
		sigma_call_follow(e->writing, NULL, NULL);
	e->writing = NULL;
}

/* Forgets an effect. */
static void
forget(SigmaEffect *e)
{
	let_go(e);
	effects = list_delete_ptr(effects, e);
	sigma_session_unpin(e->session);
	pfree(e->server);
	pfree(e->role);
	pfree(e->maybe);
	free_text(e->done);
	free_text(e->undo);
	free_text(e->id);
	free_text(e->perhaps);
	free_text(e->hint);
	free_text(e->why);
	pfree(e);
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
	char	   *copy = MemoryContextStrdup(effects_context, why);

	free_text(e->why);
	e->why = copy;
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
	log_write(e->role, e->server, &spec, e->id, e->call, fate);
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
			e->session == created->session)
			forget(e);
	}
	forget(created);
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
		if (e->undone)
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
		forget(e);
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
		let_go(e);
		if (!may_have_acted)
			forget(e);
	}
	list_free(all);
}

/* The transaction or subtransaction of this level is rolled back. */
static void
roll_back(int level)
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
		SigmaEffect copy = *e;

		if (e->level < level)
			continue;
		copy.server = pstrdup(e->server);
		copy.maybe = pstrdup(e->maybe);
		copy.done = e->done ? pstrdup(e->done) : NULL;
		copy.why = e->why ? pstrdup(e->why) : NULL;
		copy.perhaps = e->perhaps ? pstrdup(e->perhaps) : NULL;
		copy.hint = e->hint ? pstrdup(e->hint) : NULL;
		/* first, so that it is told but once, whatever happens */
		forget(e);
		warn_of(&copy);
	}
	list_free(left);
	sigma_show_statement(&hiding);
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
			roll_back(1);
			break;
		case XACT_EVENT_COMMIT:
			break;
		default:
			return;
	}
	while (effects != NIL)
		forget(llast(effects));
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
		roll_back(level);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		foreach(lc, effects)
		{
			SigmaEffect *e = lfirst(lc);

			e->level = Min(e->level, level - 1);
		}
}

/* Remembers a write that is about to be sent. */
static SigmaEffect *
remember(SigmaSession *session, const SigmaWrite *write)
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
	e->session = session;
	e->server = pstrdup(sigma_session_server(session));
	e->role = pstrdup(write->role ? write->role : GetUserNameFromId(GetUserId(), false));
	e->maybe = pstrdup(write->maybe);
	e->hint = write->hint ? pstrdup(write->hint) : NULL;
	e->id = write->id ? pstrdup(write->id) : NULL;
	e->level = GetCurrentTransactionNestLevel();
	effects = lappend(effects, e);
	undo_ended_ms = 0;
	sigma_session_pin(session);
	MemoryContextSwitchTo(old);
	return e;
}

void
sigma_effect_done(SigmaEffect *effect, const char *done)
{
	effect->done = MemoryContextStrdup(effects_context, done);
}

void
sigma_effect_undo(SigmaEffect *effect, const char *target, const char *id, const char *perhaps)
{
	effect->perhaps = MemoryContextStrdup(effects_context, perhaps);
	effect->undo = MemoryContextStrdup(effects_context, target);
	free_text(effect->id);
	effect->id = MemoryContextStrdup(effects_context, id);
}

/* It has been told of already: a rollback says no more of it. */
void
sigma_effect_told(SigmaEffect *effect)
{
	forget(effect);
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

/* Will a rollback delete the connection of that id, which the transaction has made? */
bool
sigma_effect_is_undone(const SigmaSession *session, const char *id)
{
	SigmaEffect *e = find_created(session, id);

	return e && !sigma_session_keeps_on_rollback(e->session);
}

/*
 * The connection of that id has been deleted: if it was the transaction that
 * made it, nothing is left of that.  Says whether it was.
 */
bool
sigma_effect_gone(const SigmaSession *session, const char *id)
{
	SigmaEffect *e = find_created(session, id);

	if (e == NULL)
		return false;
	forget(e);
	return true;
}

/* ------------------------------------------------------------------- writes */

/* A write has ended; "why" is its failure, if it has one. */
static void
settle(SigmaWrite *write, const SigmaFailure *why)
{
	SigmaEffect *e = write->effect;

	let_go(e);
	if (why == NULL)
		write->fate = SIGMA_ACTED;
	else if (sigma_call_may_have_acted(write->call))
		write->fate = SIGMA_UNKNOWN;
	else
		write->fate = SIGMA_REFUSED;
	log_write(e->role, e->server, &write->spec, write->id, write->call, write->fate);
	if (write->fate == SIGMA_REFUSED)
	{
		write->effect = NULL;
		forget(e);
	}
}

/* An error has ended the wait for a write: it is given up, wherever it stands. */
static void
settle_interrupted(SigmaWrite *write)
{
	SigmaEffect *e = write->effect;

	if (e == NULL)
		return;
	let_go(e);
	if (write->fate != SIGMA_NOT_SENT)
		return;
	/* its reply had come, but was not yet looked at */
	if (write->call && sigma_call_done(write->call))
	{
		if (sigma_call_failure(write->call) == NULL)
		{
			write->fate = SIGMA_UNKNOWN;
			(void) write->succeeded(write);
		}
		settle(write, sigma_call_failure(write->call));
		return;
	}
	if (write->call && sigma_call_may_have_acted(write->call))
	{
		write->fate = SIGMA_UNKNOWN;
		log_write(e->role, e->server, &write->spec, write->id, write->call, write->fate);
	}
	else
	{
		write->effect = NULL;
		forget(e);
	}
	if (write->call)
		sigma_call_give_up(write->call);
	write->call = NULL;
}

/* Another write has failed: this one is not sent any more, if it can be helped. */
static void
hold_back(SigmaWrite *write)
{
	SigmaEffect *e = write->effect;

	if (sigma_call_done(write->call))
		return;
	if (sigma_call_may_have_acted(write->call))
	{
		sigma_call_last_try(write->call);
		return;
	}
	sigma_call_give_up(write->call);
	write->call = NULL;
	write->effect = NULL;
	forget(e);
}

/* A write's call is done: says what became of it. */
static const SigmaFailure *
finish_write(SigmaWrite *write)
{
	const SigmaFailure *failure = sigma_call_failure(write->call);

	if (failure)
	{
		settle(write, failure);
		return failure;
	}
	/* what the reply says may be of no use, but it says that it was done */
	write->fate = SIGMA_UNKNOWN;
	failure = write->succeeded(write);
	settle(write, NULL);
	if (write->silent && failure == NULL)
	{
		sigma_call_free(write->call);
		write->call = NULL;
	}
	return failure;
}

/* Writes that are under way. */
typedef struct Flight
{
	SigmaWrite *writes;
	int			width;			/* how many may be, at once */
	int			started;
	int			flying;
	int			first;			/* all before it are through */
} Flight;

/*
 * Notes what became of those that are done, as soon as they are: what has acted
 * must be on record even if another one hangs.  If none is, waits a turn.
 * Returns the first failure, which may be an earlier one.
 */
static const SigmaFailure *
land_writes(Flight *flight, const SigmaFailure *failure)
{
	bool		any = false;

	for (int i = flight->first; i < flight->started; i++)
	{
		SigmaWrite *write = &flight->writes[i];
		const SigmaFailure *why = NULL;

		if (!write->flying || (write->call && !sigma_call_done(write->call)))
			continue;
		any = true;
		write->flying = false;
		flight->flying--;
		if (write->call)
			why = finish_write(write);
		if (failure || why == NULL)
			continue;
		failure = why;
		for (int j = flight->first; j < flight->started; j++)
			if (flight->writes[j].flying)
				hold_back(&flight->writes[j]);
	}
	while (flight->first < flight->started && !flight->writes[flight->first].flying)
		flight->first++;
	if (!any && flight->first < flight->started)
		sigma_call_wait_turn(flight->writes[flight->first].call);
	return failure;
}

const SigmaFailure *
sigma_try_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes, int n)
{
	const SigmaFailure *volatile failure = NULL;
	Flight		flight = {.writes = writes, .width = sigma_session_concurrency(session)};

	PG_TRY();
	{
		do
		{
			/* not far ahead of one that takes long: it may be the one that fails */
			while (failure == NULL && flight.started < n && flight.flying < flight.width &&
				   flight.started < flight.first + 2 * flight.width)
			{
				SigmaWrite *next = &writes[flight.started];

				next->effect = remember(session, next);
				next->call = sigma_call_start(session, context, &next->spec);
				next->effect->writing = next->call;
				sigma_call_follow(next->call, write_gone, next->effect);
				next->flying = true;
				flight.started++;
				flight.flying++;
			}
			failure = land_writes(&flight, failure);
		} while (flight.flying > 0 || (failure == NULL && flight.started < n));
	}
	PG_CATCH();
	{
		for (int i = 0; i < n; i++)
			settle_interrupted(&writes[i]);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return failure;
}

void
sigma_announce(const SigmaCallSpec *spec, const char *change)
{
	SigmaHiding hiding;

	/* the statement may hold secrets, and so may one that it is a part of */
	sigma_hide_statement(&hiding);
	ereport(NOTICE,
			(errmsg("dry run: %s", sigma_shown_request(spec->method, spec->target, spec->body)),
			 change ? errdetail("%s", change) :
			 spec->subject ? errdetail("Not sent: %s.", spec->subject) : 0));
	sigma_show_statement(&hiding);
}

/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Changes of connections that wait for the commit.
 *
 * UPDATE and DELETE need no answer from Sigma, so nothing is sent until the
 * transaction is about to commit: a rollback, of a savepoint too, then costs
 * nothing.  Until then the transaction's own later statements read the
 * connections as they will be; other transactions, as they are.
 *
 * At the commit, all that are to be updated are looked at first, and if one
 * has been changed in Sigma meanwhile, nothing is sent at all.  Then the
 * changes go out, statement by statement in their order, those of one
 * statement side by side.  The first that fails ends the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/proc.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn_internal.h"

typedef struct Queued
{
	MemoryContext context;		/* of all that it has */
	SigmaChange change;			/* a copy */
	SigmaSession *session;		/* pinned */
	char	   *role;			/* whose statement that was */
	int			level;			/* transaction nesting level that it belongs to */
	struct Queued *previous;	/* change of the same connection; or NULL */
	const char *key;			/* its connection's, in the table below */
	SigmaWrite *write;			/* while it is sent */
} Queued;

/* The last change of each connection. */
typedef struct LastChange
{
	char	   *key;			/* server and id */
	uint32		hash;
	char		status;
	Queued	   *queued;			/* NULL if it was taken back */
} LastChange;

#define SH_PREFIX last
#define SH_ELEMENT_TYPE LastChange
#define SH_KEY key
#include "base/texthash.h"

static MemoryContext queue_context = NULL;
static List *queue = NIL;		/* of Queued, in queue_context */
static last_hash *connections = NULL;	/* likewise */
static bool queue_told = false; /* an error has told what became of all of it */

static char *
queue_key(Oid serverid, const char *id)
{
	return psprintf("%u %s", serverid, sigma_key_spelling(SIGMA_INODE, pstrdup(id)));
}

/* The change's request is no longer needed, and may hold secrets. */
static void
wipe_request(Queued *q)
{
	ListCell   *lc;

	if (q->change.body)
		explicit_bzero((char *) q->change.body, strlen(q->change.body));
	foreach(lc, q->change.secrets)
		explicit_bzero(lfirst(lc), strlen(lfirst(lc)));
	q->change.secrets = NIL;
}

void
sigma_queue_forget(void)
{
	ListCell   *lc;

	foreach(lc, queue)
	{
		Queued	   *q = lfirst(lc);

		wipe_request(q);
		sigma_session_unpin(q->session);
	}
	queue = NIL;
	connections = NULL;
	if (queue_context)
		MemoryContextReset(queue_context);
}

void
sigma_queue_take_back(int level)
{
	while (queue != NIL)
	{
		Queued	   *q = llast(queue);
		LastChange *last;

		if (q->level < level)
			break;
		queue = list_delete_last(queue);
		last = last_lookup(connections, (char *) q->key);
		last->queued = q->previous;
		wipe_request(q);
		sigma_session_unpin(q->session);
		MemoryContextDelete(q->context);
	}
}

void
sigma_queue_hand_on(int level)
{
	ListCell   *lc;

	foreach(lc, queue)
	{
		Queued	   *q = lfirst(lc);

		q->level = Min(q->level, level - 1);
	}
}

/* --------------------------------------------------------------- the commit */

/* "name" (id), for a message */
static char *
change_name(const SigmaChange *change)
{
	return change->name ? psprintf("%s (%s)", sigma_quoted(change->name), sigma_shown_id(change->id))
		: psprintf("(%s)", sigma_shown_id(change->id));
}

static bool
is_deletion(const Queued *q)
{
	return strcmp(q->change.method, "DELETE") == 0;
}

/* A time in ISO 8601 in microseconds; false if it is none that we understand. */
static bool
parse_time(const char *text, int64 *us)
{
	int			year,
				month,
				day,
				hour,
				minute,
				second,
				zone_hour = 0,
				zone_minute = 0,
				n = 0;
	int64		fraction = 0;
	char		sign = '+';

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &n) != 6)
		return false;
	text += n;
	if (*text == '.')
	{
		int64		unit = 100000;

		for (text++; isdigit((unsigned char) *text); text++, unit /= 10)
			fraction += unit * (*text - '0');
	}
	if (strcmp(text, "Z") != 0 &&
		(sscanf(text, "%c%2d:%2d%n", &sign, &zone_hour, &zone_minute, &n) != 3 || text[n] != '\0'))
		return false;
	*us = ((((int64) date2j(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * USECS_PER_SEC +
		fraction - (sign == '-' ? -1 : 1) * (zone_hour * 60 + zone_minute) * USECS_PER_MINUTE;
	return true;
}

/* A list and a look-up might spell the same time differently. */
static bool
same_time(const char *a, const char *b)
{
	int64		a_us;
	int64		b_us;

	return strcmp(a, b) == 0 || (parse_time(a, &a_us) && parse_time(b, &b_us) && a_us == b_us);
}

/* What is wrong with the reply to a look before the commit; NULL if nothing is. */
static const SigmaFailure *
look_failure(const SigmaChange *change, SigmaCall *call, SigmaJsonValue *reply, char **version)
{
	const char *error;
	char	   *id;

	*version = NULL;
	if (sigma_call_failure(call))
		return sigma_call_failure(call);
	if (!sigma_json_check(sigma_call_body(call), reply, &error))
		return sigma_reply_failure(sigma_call_target(call), error);
	id = sigma_json_id(reply, "connectionId");
	*version = sigma_json_member_utf8(reply, "updatedAt");
	if (id == NULL || !sigma_same_key(SIGMA_INODE, id, change->id) || *version == NULL)
		return sigma_reply_failure(sigma_call_target(call), "it is not the connection, or has no \"updatedAt\"");
	return NULL;
}

SigmaSpan
sigma_unchanged_entry(const SigmaChange *change, SigmaCall *call)
{
	const SigmaFailure *failure;
	SigmaJsonValue reply;
	char	   *version;

	if (sigma_call_not_found(call))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("connection %s no longer exists in Sigma", change_name(change)),
				 errdetail("Nothing of this transaction's updates and deletes was sent.")));
	failure = look_failure(change, call, &reply, &version);
	if (failure)
		ereport(ERROR,
				(errcode(failure->sqlstate),
				 errmsg("could not look at connection %s before the commit: %s",
						change_name(change), failure->message),
				 errdetail("Nothing of this transaction's updates and deletes was sent. %s",
						   failure->detail ? failure->detail : ""),
				 failure->hint ? errhint("%s", failure->hint) : 0));
	if (!same_time(version, change->version))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("connection %s has been changed in Sigma since it was read", change_name(change)),
				 errdetail("It was last changed at %s, and is now of %s. Nothing of this transaction's updates and deletes was sent.",
						   sigma_shown_id(change->version),
						   sigma_shown_id(sigma_clean_text(version, strlen(version), 100))),
				 errhint("Run the transaction again.")));
	return reply.text;
}

/* Has an earlier change of this transaction the same connection and version? */
static bool
is_checked(const Queued *q)
{
	for (const Queued *p = q->previous; p; p = p->previous)
		if (p->change.version && strcmp(p->change.version, q->change.version) == 0)
			return true;
	return false;
}

/* Looks at all connections that are to be updated, several at once. */
static void
check_versions(MemoryContext context)
{
	List	   *to_check = NIL;
	SigmaCall **calls;
	int			started = 0;
	ListCell   *lc;

	foreach(lc, queue)
	{
		Queued	   *q = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (q->change.version && !is_checked(q))
			to_check = lappend(to_check, q);
	}
	calls = palloc(Max(list_length(to_check), 1) * sizeof(SigmaCall *));
	foreach(lc, to_check)
	{
		int			i = foreach_current_index(lc);

		while (started < list_length(to_check) &&
			   started < i + sigma_session_concurrency(((Queued *) lfirst(lc))->session))
		{
			Queued	   *next = list_nth(to_check, started);
			SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_LOOKUP, .resource = "connections"};

			/* the queue may end before the call does, if the process is terminated */
			spec.target = pstrdup(next->change.target);
			calls[started++] = sigma_call_start(next->session, context, &spec);
		}
		sigma_call_wait(calls[i]);
		(void) sigma_unchanged_entry(&((Queued *) lfirst(lc))->change, calls[i]);
		sigma_call_free(calls[i]);
	}
}

static const SigmaFailure *
change_done(SigmaWrite *write)
{
	sigma_effect_done(write->effect, write->name);
	return NULL;
}

static void
prepare_write(Queued *q, SigmaWrite *write)
{
	const char *verb = is_deletion(q) ? "deleted" : "updated";
	char	   *name = change_name(&q->change);
	ListCell   *lc;

	q->write = write;
	write->spec.method = q->change.method;
	/* the queue may end before the call does, if the process is terminated */
	write->spec.target = pstrdup(q->change.target);
	write->spec.body = q->change.body ? pstrdup(q->change.body) : NULL;
	foreach(lc, q->change.secrets)
		write->spec.secrets = lappend(write->spec.secrets, pstrdup(lfirst(lc)));
	write->spec.purpose = SIGMA_WRITE;
	write->spec.resource = "connections";
	write->spec.subject = psprintf("%s connection %s", is_deletion(q) ? "deleting" : "updating", name);
	write->id = q->change.id;
	write->role = q->role;
	write->name = psprintf("connection %s was %s in Sigma", name, verb);
	write->maybe = psprintf("connection %s may have been %s in Sigma", name, verb);
	write->hint = is_deletion(q) ? "sigma_restore_connection() brings a deleted connection back." : NULL;
	write->succeeded = change_done;
	write->silent = true;
}

/* Do the changes go to more than one server? */
static bool
several_servers(void)
{
	const Queued *first = linitial(queue);
	ListCell   *lc;

	foreach(lc, queue)
	{
		if (sigma_session_serverid(((Queued *) lfirst(lc))->session) != sigma_session_serverid(first->session))
			return true;
	}
	return false;
}

/* "Deleted: "a" (1), "b" (2). ", or nothing if no change has that fate. */
static void
append_fates(StringInfo s, const char *heading, bool deletions, SigmaFate fate, SigmaFate or_fate)
{
	bool		any = false;
	bool		several = several_servers();
	ListCell   *lc;

	foreach(lc, queue)
	{
		Queued	   *q = lfirst(lc);

		if (is_deletion(q) != deletions || (q->write->fate != fate && q->write->fate != or_fate))
			continue;
		/* of what the rollback deletes, nothing is left */
		if (!deletions && fate != SIGMA_NOT_SENT && sigma_effect_is_undone(q->session, q->change.id))
			continue;
		appendStringInfo(s, "%s%s", any ? ", " : heading, change_name(&q->change));
		if (several)
			appendStringInfo(s, " on server \"%s\"", sigma_session_server(q->session));
		any = true;
	}
	if (any)
		appendStringInfoString(s, ". ");
}

/* Raises the failure of a change, and tells what became of all others. */
pg_noreturn static void
raise_failed_change(const Queued *failed, const SigmaFailure *failure)
{
	StringInfoData detail;
	ListCell   *lc;

	initStringInfo(&detail);
	append_fates(&detail, "Deleted in Sigma: ", true, SIGMA_ACTED, SIGMA_ACTED);
	append_fates(&detail, "Not deleted: ", true, SIGMA_NOT_SENT, SIGMA_REFUSED);
	append_fates(&detail, "Perhaps deleted: ", true, SIGMA_UNKNOWN, SIGMA_UNKNOWN);
	append_fates(&detail, "Updated in Sigma: ", false, SIGMA_ACTED, SIGMA_ACTED);
	append_fates(&detail, "Not updated: ", false, SIGMA_NOT_SENT, SIGMA_REFUSED);
	append_fates(&detail, "Perhaps updated: ", false, SIGMA_UNKNOWN, SIGMA_UNKNOWN);
	if (failure->detail)
		appendStringInfoString(&detail, failure->detail);
	foreach(lc, queue)
	{
		Queued	   *q = lfirst(lc);

		if (q->write->effect)
			sigma_effect_forget(q->write->effect);
		q->write->effect = NULL;
	}
	queue_told = true;
	ereport(ERROR,
			(errcode(failure->sqlstate),
			 errmsg("could not %s connection %s at commit: %s", is_deletion(failed) ? "delete" : "update",
					change_name(&failed->change), failure->message),
			 errdetail_internal("%s", detail.data),
			 failure->hint ? errhint("%s", failure->hint) : 0));
}

/*
 * Sends the changes from the place "first" on that belong to one statement and
 * session, and returns the place behind them.  Two of one connection are not
 * sent side by side.
 */
static int
send_statement(int first, MemoryContext context)
{
	Queued	   *begin = list_nth(queue, first);
	int			end = first + 1;
	const SigmaFailure *failure;

	while (end < list_length(queue))
	{
		Queued	   *q = list_nth(queue, end);

		if (q->session != begin->session || q->change.command != begin->change.command ||
			(q->previous && q->previous->change.command == q->change.command))
			break;
		end++;
	}
	failure = sigma_try_writes(begin->session, context, begin->write, end - first);
	for (int i = first; i < end; i++)
	{
		Queued	   *q = list_nth(queue, i);

		/* what was made by this transaction and is gone again has left nothing behind */
		if (is_deletion(q) && q->write->fate == SIGMA_ACTED &&
			sigma_effect_forget_created(q->session, q->change.id))
		{
			sigma_effect_forget(q->write->effect);
			q->write->effect = NULL;
		}
	}
	if (failure == NULL)
		return end;
	for (int i = first; i < end; i++)
	{
		Queued	   *q = list_nth(queue, i);

		if (q->write->call && sigma_call_failure(q->write->call) == failure)
			raise_failed_change(q, failure);
	}
	sigma_raise(failure);
}

/* The sending was interrupted: what was done will be named, so is what was not. */
static void
warn_of_unsent(void)
{
	StringInfoData detail;

	initStringInfo(&detail);
	append_fates(&detail, "Not deleted: ", true, SIGMA_NOT_SENT, SIGMA_REFUSED);
	append_fates(&detail, "Not updated: ", false, SIGMA_NOT_SENT, SIGMA_REFUSED);
	if (detail.len > 0)
		ereport(WARNING,
				(errmsg("the commit was interrupted before all changes were carried out in Sigma"),
				 errdetail_internal("%s", detail.data)));
}

/* Sends all changes; they have been looked at. */
static void
send_changes(MemoryContext context)
{
	SigmaWrite *writes = palloc0(list_length(queue) * sizeof(SigmaWrite));
	ListCell   *lc;

	foreach(lc, queue)
	{
		CHECK_FOR_INTERRUPTS();
		prepare_write(lfirst(lc), &writes[foreach_current_index(lc)]);
	}
	queue_told = false;
	PG_TRY();
	{
		for (int i = 0; i < list_length(queue);)
			i = send_statement(i, context);
	}
	PG_CATCH();
	{
		if (!queue_told)
			warn_of_unsent();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
sigma_queue_send(void)
{
	MemoryContext context;
	MemoryContext old;
	SigmaHiding hiding;
	bool		timed = StatementTimeout > 0 && !get_timeout_active(STATEMENT_TIMEOUT);

	if (queue == NIL)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "sigma commit", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	/* what fails here is no statement's fault, and may be another's secret */
	sigma_hide_statement(&hiding);
	/* PostgreSQL takes the commit for no part of a statement, so that nothing would end it */
	if (timed)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	PG_TRY();
	{
		check_versions(context);
		send_changes(context);
	}
	PG_CATCH();
	{
		/* what is still under way ends before anything is undone */
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (timed)
		disable_timeout(STATEMENT_TIMEOUT, false);
	sigma_show_statement(&hiding);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---------------------------------------------------------------- the queue */

/* A piece of text, copied; it ends with a NUL that its length does not count. */
static SigmaSpan
copy_span(SigmaSpan span)
{
	SigmaSpan	copy = {span.data ? pnstrdup(span.data, span.length) : NULL, span.length};

	return copy;
}

void
sigma_queue_change(SigmaSession *session, const SigmaChange *change)
{
	MemoryContext old;
	Queued	   *q;
	char	   *key = queue_key(sigma_session_serverid(session), change->id);
	LastChange *last;
	bool		found;
	ListCell   *lc;

	Assert(IsTransactionState());
	/* nothing to send is a DELETE; a body has its method */
	Assert(change->body ? strcmp(change->method, "DELETE") != 0 : strcmp(change->method, "DELETE") == 0);
	if (queue_context == NULL)
		queue_context = AllocSetContextCreate(TopMemoryContext, "sigma queue",
											  ALLOCSET_SMALL_SIZES);
	if (connections == NULL)
		connections = last_create(queue_context, 64, NULL);
	last = last_lookup(connections, key);
	if (last == NULL)
	{
		last = last_insert(connections, MemoryContextStrdup(queue_context, key), &found);
		last->queued = NULL;
	}

	old = MemoryContextSwitchTo(AllocSetContextCreate(queue_context, "sigma change",
													  ALLOCSET_SMALL_SIZES));
	q = palloc0(sizeof(Queued));
	q->context = CurrentMemoryContext;
	q->change = *change;
	q->change.target = pstrdup(change->target);
	q->change.body = change->body ? pstrdup(change->body) : NULL;
	q->change.secrets = NIL;
	foreach(lc, change->secrets)
		q->change.secrets = lappend(q->change.secrets, pstrdup(lfirst(lc)));
	q->change.id = pstrdup(change->id);
	q->change.name = change->name ? pstrdup(change->name) : NULL;
	q->change.version = change->version ? pstrdup(change->version) : NULL;
	q->change.after = copy_span(change->after);
	q->role = pstrdup(GetUserNameFromId(GetUserId(), false));
	q->session = session;
	q->level = GetCurrentTransactionNestLevel();
	q->key = last->key;
	q->previous = last->queued;
	MemoryContextSwitchTo(queue_context);
	queue = lappend(queue, q);
	sigma_session_pin(session);
	last->queued = q;
	MemoryContextSwitchTo(old);
}

CommandId
sigma_queue_last(Oid serverid, const char *id)
{
	LastChange *last = queue == NIL ? NULL : last_lookup(connections, queue_key(serverid, id));

	return last && last->queued ? last->queued->change.command : InvalidCommandId;
}

bool
sigma_queue_any(Oid serverid)
{
	ListCell   *lc;

	if (serverid == InvalidOid)
		return queue != NIL;
	foreach(lc, queue)
	{
		if (sigma_session_serverid(((Queued *) lfirst(lc))->session) == serverid)
			return true;
	}
	return false;
}

bool
sigma_queue_find(Oid serverid, const char *id, CommandId as_of, SigmaSpan *after)
{
	LastChange *last;

	if (queue == NIL)
		return false;
	last = last_lookup(connections, queue_key(serverid, id));
	if (last == NULL)
		return false;
	if (as_of == InvalidCommandId)
		as_of = GetCurrentCommandId(false);
	for (const Queued *q = last->queued; q; q = q->previous)
		if (q->change.command < as_of)
		{
			*after = q->change.after;
			return true;
		}
	return false;
}

List *
sigma_queue_changes(Oid serverid, const char *id)
{
	LastChange *last = queue == NIL ? NULL : last_lookup(connections, queue_key(serverid, id));
	List	   *changes = NIL;

	for (Queued *q = last ? last->queued : NULL; q; q = q->previous)
	{
		changes = lcons(&q->change, changes);
		if (strcmp(q->change.method, "PUT") == 0)
			break;
	}
	return changes;
}

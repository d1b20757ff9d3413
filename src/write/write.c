/*-------------------------------------------------------------------------
 *
 * write.c
 *	  The requests that change something in Sigma, and how they are sent.
 *
 * INSERT, DELETE and the functions all come here, so that a write means the
 * same whichever way it was asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write_internal.h"

#define GRANTS_PATH "/v2/connections/{connection_id}/grants"

#define CONNECTION_PATH "/v2/connections/{connection_id}"

void
sigma_run_writes(SigmaSession *session, MemoryContext context, SigmaWrite *writes, int n)
{
	const SigmaFailure *failure = NULL;

	if (sigma_dry_run)
		for (int i = 0; i < n; i++)
			sigma_announce(&writes[i].spec, NULL);
	else
	{
		sigma_read_lists(sigma_session_serverid(session));
		failure = sigma_try_writes(session, context, writes, n);
	}
	if (failure)
		sigma_raise(failure);
}

/* ------------------------------------------------------------- connections */

/* There is a connection that a rollback would have to delete, or to tell of. */
static void
note_connection(SigmaWrite *write, const char *id, const char *target)
{
	write->id = id;
	sigma_effect_done(write->effect, psprintf("connection %s (%s) exists in Sigma",
											  sigma_quoted(write->name), sigma_shown_id(id)));
	sigma_effect_undo(write->effect, target, id,
					  psprintf("connection %s (%s) may exist in Sigma", sigma_quoted(write->name),
							   sigma_shown_id(id)));
}

/* The reply to a create. */
static const SigmaFailure *
connection_made(SigmaWrite *write)
{
	SigmaJsonValue reply;
	const char *error;
	char	   *id = NULL;
	char	   *target;

	if (!sigma_json_check(sigma_call_body(write->call), &reply, &error))
		return sigma_reply_failure(sigma_call_target(write->call), error);
	/* nothing may be raised here: it has been made, and that must be noted */
	id = sigma_json_id(&reply, "connectionId");
	target = id ? sigma_fill_path(CONNECTION_PATH, &id) : NULL;
	if (target == NULL)
		return sigma_reply_failure(sigma_call_target(write->call), "it has no \"connectionId\"");
	note_connection(write, id, target);
	return NULL;
}

/* A restore was carried out, whatever its reply says; it must not name another. */
static const SigmaFailure *
connection_restored(SigmaWrite *write)
{
	SigmaJsonValue reply;
	const char *error;
	char	   *id;

	note_connection(write, write->id, write->spec.target);
	if (!sigma_json_check(sigma_call_body(write->call), &reply, &error))
		return sigma_reply_failure(sigma_call_target(write->call), error);
	id = sigma_json_id(&reply, "connectionId");
	if (id == NULL || !sigma_same_key(SIGMA_INODE, id, write->id))
		return sigma_reply_failure(sigma_call_target(write->call), "it is not the connection that was restored");
	return NULL;
}

SigmaWrite
sigma_connection_write(const char *name, const char *body, List *secrets, SigmaStats *stats)
{
	SigmaWrite	write = {.name = name, .succeeded = connection_made};

	write.spec.method = "POST";
	write.spec.target = "/v2/connections";
	write.spec.body = body;
	write.spec.purpose = SIGMA_WRITE;
	write.spec.resource = "connections";
	write.spec.subject = psprintf("creating connection %s", sigma_quoted(name));
	/* what a terminal might obey is not shown */
	write.spec.creates = strcmp(sigma_quoted(name), psprintf("\"%s\"", name)) == 0 ? name : "...";
	write.spec.secrets = secrets;
	write.spec.stats = stats;
	write.maybe = psprintf("connection %s may exist in Sigma", sigma_quoted(name));
	return write;
}

SigmaWrite
sigma_restore_write(char *id, const char *name, const char *body, List *secrets)
{
	SigmaWrite	write = sigma_connection_write(name, body, secrets, NULL);

	write.spec.method = "PUT";
	write.spec.target = sigma_connection_target(CONNECTION_PATH, id);
	write.spec.subject = psprintf("restoring connection %s (%s)", sigma_quoted(name), sigma_shown_id(id));
	write.spec.creates = NULL;
	write.id = id;
	write.succeeded = connection_restored;
	write.maybe = psprintf("connection %s (%s) may be restored in Sigma", sigma_quoted(name),
						   sigma_shown_id(id));
	return write;
}

/* What a DELETE changes of the entry. */
static const SigmaSpan archived_change = {"{\"isArchived\":true}", 19};

/* An entry with the changes that the transaction has asked for before, which live as long. */
static SigmaSpan
with_changes(Oid serverid, const char *id, SigmaSpan entry)
{
	ListCell   *lc;

	foreach(lc, sigma_queue_changes(serverid, id))
	{
		const SigmaChange *change = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (strcmp(change->method, "PUT") == 0)
			entry = change->after;
		else if (change->body)
			entry = sigma_entry_patched(entry, sigma_span(change->body));
		else
			entry = sigma_entry_patched(entry, archived_change);
	}
	return entry;
}

void
sigma_complete_entries(SigmaSession *session, SigmaSpan *entries, int n, SigmaStats *stats)
{
	SigmaChange *changes = palloc0(Max(n, 1) * sizeof(SigmaChange));
	SigmaCall **calls = palloc(Max(n, 1) * sizeof(SigmaCall *));
	int			started = 0;

	for (int i = 0; i < n; i++)
	{
		SigmaSpan	whole;

		for (; started < n && started < i + sigma_session_concurrency(session); started++)
		{
			SigmaJsonValue object = sigma_json_object(entries[started]);
			SigmaChange *change = &changes[started];
			SigmaCallSpec spec = {
				.method = "GET", .purpose = SIGMA_LOOKUP, .stats = stats, .resource = "connections"
			};
			char	   *id = sigma_json_member_text(&object, "connectionId");

			change->id = id;
			change->name = sigma_shown_name(entries[started]);
			change->version = sigma_json_member_text(&object, "updatedAt");
			spec.target = sigma_connection_target(CONNECTION_PATH, id);
			/* without it, a change by somebody else would be overwritten unseen */
			if (change->version == NULL)
				sigma_raise_reply(psprintf("GET %s", spec.target), "the connection has no \"updatedAt\"");
			calls[started] = sigma_call_start(session, CurrentMemoryContext, &spec);
		}
		sigma_call_wait(calls[i]);
		whole = sigma_unchanged_entry(&changes[i], calls[i]);
		whole.data = pnstrdup(whole.data, whole.length);
		sigma_call_free(calls[i]);
		entries[i] = with_changes(sigma_session_serverid(session), changes[i].id, whole);
	}
}

SigmaSpan
sigma_change_connection(SigmaSession *session, CommandId command, SigmaSpan entry,
						const char *body, bool replaces, List *secrets)
{
	SigmaJsonValue object = sigma_json_object(entry);
	char	   *id = sigma_json_member_text(&object, "connectionId");
	char	   *version = sigma_json_member_text(&object, "updatedAt");
	char	   *archived = sigma_json_member_text(&object, "isArchived");
	SigmaChange change = {.body = body, .secrets = secrets, .id = id, .command = command};
	SigmaCallSpec spec = {.body = body};
	char	   *difference;

	/* what is deleted already, or is about to be, need not be deleted again */
	if (body == NULL && archived && strcmp(archived, "true") == 0)
		return entry;

	change.name = sigma_shown_name(entry);
	change.target = sigma_connection_target(CONNECTION_PATH, id);
	if (body == NULL)
	{
		change.method = "DELETE";
		change.after = sigma_entry_patched(entry, archived_change);
	}
	else
	{
		SigmaSpan	text = {body, strlen(body)};

		/* without it, a change by somebody else would be overwritten unseen */
		if (version == NULL)
			sigma_raise_reply(sigma_shown_request("GET", change.target, NULL), "the connection has no \"updatedAt\"");
		change.method = replaces ? "PUT" : "PATCH";
		change.version = version;
		change.after = replaces ? sigma_entry_replaced(entry, text) : sigma_entry_patched(entry, text);
	}
	if (!sigma_dry_run)
	{
		sigma_queue_change(session, &change);
		return change.after;
	}
	spec.method = change.method;
	spec.target = change.target;
	difference = sigma_entry_difference(entry, change.after);
	sigma_announce(&spec, psprintf("Of connection %s (%s), %s%s%s.",
								   sigma_quoted(change.name ? change.name : ""), sigma_shown_id(id),
								   difference ? difference : "",
								   difference && replaces ? "; " : "",
								   replaces ? "all that Sigma does not show is replaced" :
								   difference ? "" : "nothing changes"));
	return change.after;
}

SigmaPager *
sigma_connections_named(SigmaSession *session)
{
	SigmaListSpec spec = {
		.resource = sigma_find_resource("connections"),
		.limit = SIGMA_MAX_PAGE_SIZE,
		.prefetch = true,
		.exact = true,
	};

	spec.path = spec.resource->path;
	return sigma_pager_open(session, CurrentMemoryContext, &spec, NULL);
}

bool
sigma_next_named(SigmaPager *pager, const char *name, SigmaEntry *entry)
{
	char	   *utf8 = sigma_to_utf8(name);

	while (sigma_pager_next(pager, entry))
	{
		SigmaJsonValue object = sigma_json_object(entry->text);
		char	   *its_name = sigma_json_member_utf8(&object, "name");

		if (its_name && strcmp(its_name, utf8) == 0)
			return true;
	}
	return false;
}

char *
sigma_shown_name(SigmaSpan entry)
{
	SigmaJsonValue object = sigma_json_object(entry);
	char	   *name = sigma_json_member_utf8(&object, "name");

	return name ? sigma_clean_text(name, strlen(name), strlen(name)) : NULL;
}

/* ------------------------------------------------------------------ grants */

/* "name" says it all, without a look at the reply. */
static const SigmaFailure *
effect_achieved(SigmaWrite *write)
{
	sigma_effect_done(write->effect, write->name);
	return NULL;
}

void
sigma_grant_call(SigmaSession *session, MemoryContext context, char *connection_id,
				 const char *permission, const char *member_id, const char *team_id,
				 SigmaStats *stats)
{
	const char *grantee = member_id ? member_id : team_id;
	const char *kind = member_id ? "member" : "team";
	char	   *what = psprintf("grant of %s on connection %s to %s %s", sigma_shown_id(permission),
								sigma_shown_id(connection_id), kind, sigma_shown_id(grantee));
	SigmaWrite	write = {
		.spec = {.method = "POST", .purpose = SIGMA_WRITE, .subject = what, .stats = stats, .resource = "connection_grants"},
		.name = psprintf("%s exists in Sigma", what),
		.id = connection_id,
		.succeeded = effect_achieved,
	};
	char	   *body = psprintf("{\"grants\":[{\"grantee\":{\"%sId\":%s},\"permission\":%s}]}",
								kind, sigma_text_to_json(grantee), sigma_text_to_json(permission));

	write.spec.target = sigma_connection_target(GRANTS_PATH, connection_id);
	write.spec.body = sigma_to_utf8(body);
	write.maybe = psprintf("%s may exist in Sigma", what);
	sigma_run_writes(session, context, &write, 1);
}

void
sigma_revoke_call(SigmaSession *session, MemoryContext context, char *connection_id,
				  char *grant_id, SigmaStats *stats)
{
	char	   *keys[] = {connection_id, grant_id};
	char	   *what = psprintf("grant %s on connection %s", sigma_shown_id(grant_id),
								sigma_shown_id(connection_id));
	SigmaWrite	write = {
		.spec = {.method = "DELETE", .purpose = SIGMA_WRITE, .stats = stats, .resource = "connection_grants"},
		.name = psprintf("%s was revoked in Sigma", what),
		.id = grant_id,
		.succeeded = effect_achieved,
	};

	write.spec.subject = psprintf("revoking %s", what);
	write.spec.target = sigma_fill_path(GRANTS_PATH "/{grant_id}", keys);
	if (write.spec.target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no grant can have the id %s", sigma_quoted(grant_id))));
	write.maybe = psprintf("%s may have been revoked in Sigma", what);
	sigma_run_writes(session, context, &write, 1);
}

SigmaPager *
sigma_find_grant(SigmaSession *session, SigmaPager *pager, char *connection_id,
				 const char *permission, const char *member_id, const char *team_id,
				 SigmaEntry *entry, SigmaStats *stats)
{
	SigmaListSpec spec = {
		.resource = sigma_find_resource("connection_grants"),
		.limit = SIGMA_MAX_PAGE_SIZE,
	};

	if (pager == NULL)
	{
		spec.path = sigma_connection_target(GRANTS_PATH, connection_id);
		pager = sigma_pager_open(session, CurrentMemoryContext, &spec, stats);
	}
	while (sigma_pager_next(pager, entry))
	{
		SigmaJsonValue object = sigma_json_object(entry->text);
		char	   *grantee = sigma_json_member_text(&object, member_id ? "memberId" : "teamId");
		char	   *granted = sigma_json_member_text(&object, "permission");

		if (grantee && sigma_same_key(SIGMA_ID, grantee, member_id ? member_id : team_id) &&
			(permission == NULL || (granted && strcmp(granted, permission) == 0)))
			return pager;
	}
	return NULL;
}

char *
sigma_connection_target(const char *path, char *id)
{
	char	   *target = sigma_fill_path(path, &id);

	if (target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no connection can have the id %s", sigma_quoted(id))));
	return target;
}

/*-------------------------------------------------------------------------
 *
 * write.c
 *	  The requests that change something in Sigma: their bodies, and how they
 *	  are sent.
 *
 * INSERT, DELETE and the functions all come here, so that a write means the
 * same whichever way it was asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#define GRANTS_PATH "/v2/connections/{connection_id}/grants"

/* ------------------------------------------------------------- connections */
static bool
member_equals(const JsonbValue *member, Datum typed)
{
	JsonbValue	copy = *member;

	return compareJsonbContainers(&JsonbValueToJsonb(&copy)->root,
								  &DatumGetJsonbP(typed)->root) == 0;
}

/*
 * Puts a request's body together.  "typed" is a list of SigmaTyped, values
 * that stand outside "details"; those that belong into it are merged with it.
 * A value in both must be the same.  *secrets gets what must not be shown.
 * Everything is allocated in the current memory context.  Raises 23502 for a
 * missing name or type and 22023 for a contradiction, never with a value.
 */
const char *
sigma_connection_body(const char *name, const Datum *details, List *typed, List **secrets)
{
	SigmaBody  *body = sigma_body_begin(CurrentMemoryContext);
	Datum		merged = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	ListCell   *lc;
	JsonbValue	member;
	Jsonb	   *root;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a name"),
				 errhint("Give a value for \"name\".")));
	if (details && !JB_ROOT_IS_OBJECT(DatumGetJsonbP(*details)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"details\" must be a JSON object")));
	if (details)
		merged = *details;

	sigma_body_add_json(body, "name", sigma_text_to_json(name));
	foreach(lc, typed)
	{
		SigmaTyped *t = lfirst(lc);
		StringInfoData pair;
		Datum		value;

		if (t->write != SIGMA_WRITE_DETAILS)
		{
			sigma_body_add_json(body, t->field, t->json);
			continue;
		}
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(t->json));
		if (getKeyJsonValueFromContainer(&DatumGetJsonbP(merged)->root, t->field,
										 (int) strlen(t->field), &member))
		{
			if (!member_equals(&member, value))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("column \"%s\" contradicts \"%s\" in \"details\"", t->column, t->field),
						 errhint("Give the value in one of the two places, or the same in both.")));
			continue;
		}
		initStringInfo(&pair);
		appendStringInfo(&pair, "{%s:%s}", sigma_text_to_json(t->field), t->json);
		merged = DirectFunctionCall2(jsonb_concat, merged,
									 DirectFunctionCall1(jsonb_in, CStringGetDatum(pair.data)));
	}

	root = DatumGetJsonbP(merged);
	if (!getKeyJsonValueFromContainer(&root->root, "type", 4, &member) ||
		member.type != jbvString || member.val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a type"),
				 errhint("Give a value for \"type\", such as 'snowflake', in its column or in \"details\".")));
	*secrets = sigma_json_secrets(*secrets, merged);
	sigma_body_add_json(body, "details", JsonbToCString(NULL, &root->root, VARSIZE(root)));
	return sigma_body_text(body);
}

/* The new connection's id is what a rollback would have to tell of. */
static const SigmaFailure *
connection_created(SigmaWrite *write)
{
	SigmaJsonValue reply;
	const char *error;
	char	   *id = NULL;

	if (!sigma_json_check(sigma_call_body(write->call), &reply, &error))
		return sigma_reply_failure(sigma_call_target(write->call), error);
	if (reply.kind == SIGMA_JSON_OBJECT)
		id = sigma_json_member_text(&reply, "connectionId");
	if (id == NULL)
		return sigma_reply_failure(sigma_call_target(write->call), "it has no \"connectionId\"");
	sigma_effect_done(write->effect, psprintf("connection \"%s\" (%s) exists in Sigma",
											  write->name, id));
	return NULL;
}

/*
 * Makes a write that creates a connection; all in the current memory context.
 * "body" is the request's JSON in UTF-8, "secrets" what must be masked in
 * anything the server says.
 */
SigmaWrite
sigma_connection_write(const char *name, const char *body, List *secrets, SigmaStats *stats)
{
	SigmaWrite	write = {.name = name, .succeeded = connection_created};

	write.spec.method = "POST";
	write.spec.target = "/v2/connections";
	write.spec.body = body;
	write.spec.purpose = SIGMA_WRITE;
	write.spec.subject = psprintf("creating connection \"%s\"", name);
	write.spec.secrets = secrets;
	write.spec.stats = stats;
	write.maybe = psprintf("connection \"%s\" may exist in Sigma", name);
	return write;
}

/* ------------------------------------------------------------------ grants */

/* "name" says it all, without a look at the reply. */
static const SigmaFailure *
effect_achieved(SigmaWrite *write)
{
	sigma_effect_done(write->effect, write->name);
	return NULL;
}

/*
 * Grants a permission on a connection to a member or, if that is NULL, to a
 * team.  Raises P0002 if nothing can have the connection's id.
 */
void
sigma_grant_call(SigmaSession *session, MemoryContext context, char *connection_id,
				 const char *permission, const char *member_id, const char *team_id,
				 SigmaStats *stats)
{
	const char *grantee = member_id ? member_id : team_id;
	const char *kind = member_id ? "member" : "team";
	char	   *what = psprintf("grant of %s on connection %s to %s %s", permission,
								connection_id, kind, grantee);
	SigmaWrite	write = {
		.spec = {.method = "POST", .purpose = SIGMA_WRITE, .subject = what, .stats = stats},
		.name = psprintf("%s exists in Sigma", what),
		.succeeded = effect_achieved,
	};
	char	   *body = psprintf("{\"grants\":[{\"grantee\":{\"%sId\":%s},\"permission\":%s}]}",
								kind, sigma_text_to_json(grantee), sigma_text_to_json(permission));

	write.spec.target = sigma_connection_target(GRANTS_PATH, connection_id);
	write.spec.body = pg_server_to_any(body, (int) strlen(body), PG_UTF8);
	write.maybe = psprintf("%s may exist in Sigma", what);
	sigma_run_writes(session, context, &write, 1);
}

/* Takes a grant on a connection away. */
void
sigma_revoke_call(SigmaSession *session, MemoryContext context, char *connection_id,
				  char *grant_id, SigmaStats *stats)
{
	char	   *keys[] = {connection_id, grant_id};
	char	   *what = psprintf("grant %s on connection %s", grant_id, connection_id);
	SigmaWrite	write = {
		.spec = {.method = "DELETE", .purpose = SIGMA_WRITE, .stats = stats},
		.name = psprintf("%s was revoked in Sigma", what),
		.succeeded = effect_achieved,
	};

	write.spec.subject = psprintf("revoking %s", what);
	write.spec.target = sigma_fill_path(GRANTS_PATH "/{grant_id}", keys);
	if (write.spec.target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no grant can have the id \"%s\"", grant_id)));
	write.maybe = psprintf("%s may have been revoked in Sigma", what);
	sigma_run_writes(session, context, &write, 1);
}

/*
 * Finds a grant of a permission (NULL: any) to a member or, if that is NULL, to
 * a team.  Returns a pager that stands at the list's next such grant, with the
 * entry in *entry; NULL at the end.  "pager" is NULL at first.
 */
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
		SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry->text};
		char	   *grantee = sigma_json_member_text(&object, member_id ? "memberId" : "teamId");
		char	   *granted = sigma_json_member_text(&object, "permission");

		if (grantee && strcmp(grantee, member_id ? member_id : team_id) == 0 &&
			(permission == NULL || (granted && strcmp(granted, permission) == 0)))
			return pager;
	}
	return NULL;
}

/* The path of a request about one connection; raises P0002 for no possible id. */
char *
sigma_connection_target(const char *path, char *id)
{
	char	   *target = sigma_fill_path(path, &id);

	if (target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no connection can have the id \"%s\"", id)));
	return target;
}

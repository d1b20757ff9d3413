/*-------------------------------------------------------------------------
 *
 * server.c
 *	  What the SQL functions share: their server and session, their
 *	  arguments, and rows made of a reply.
 *
 * Their first argument is the name of a foreign server.  The caller needs
 * USAGE on it, signs in with the caller's own user mapping, and may write
 * only where a table could be written to as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "write/write.h"
#include "fdw/fdw.h"
#include "functions/functions_internal.h"

/* A text argument as a C string; raises 22004 if it is NULL. */
char *
sigma_text_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* A jsonb argument as JSON text; NULL if it is NULL. */
char *
sigma_jsonb_argument(FunctionCallInfo fcinfo, int i)
{
	Jsonb	   *jsonb;

	if (PG_ARGISNULL(i))
		return NULL;
	jsonb = PG_GETARG_JSONB_P(i);
	return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
}

/*
 * A jsonb argument as the query of a URL, NULL if there is nothing in it; raises
 * 22023 if it cannot be one.  *secrets gets what must not be shown.
 */
char *
sigma_query_argument(FunctionCallInfo fcinfo, int i, List **secrets)
{
	char	   *json = sigma_jsonb_argument(fcinfo, i);
	SigmaSpan	text;
	SigmaJsonValue value;
	StringInfoData query;
	const char *problem;

	if (json == NULL)
		return NULL;
	text.data = sigma_to_utf8(json);
	text.length = strlen(text.data);
	initStringInfo(&query);
	if (sigma_json_check(text, &value, &problem))
		problem = sigma_json_query(&value, &query, secrets);
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", problem)));
	return query.len ? query.data : NULL;
}

/*
 * The OID of the server that a function's first argument names.  Raises 22004
 * if it is null, 42704 if there is no such server, 42501 without USAGE on it,
 * and 42809 if it is another wrapper's.
 */
Oid
sigma_function_server(FunctionCallInfo fcinfo)
{
	char	   *name = sigma_text_argument(fcinfo, 0, "server");
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	acl = sigma_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE);

	if (acl != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for foreign server %s", name),
				 errhint("Its owner can permit it: GRANT USAGE ON FOREIGN SERVER %s TO %s.", quote_identifier(name),
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
	if (!sigma_is_server(server->serverid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not a server of sigma_fdw", name)));
	return server->serverid;
}

/* The session of the current user with that server; raises the same, and 28000. */
SigmaSession *
sigma_function_session(FunctionCallInfo fcinfo)
{
	return sigma_session_open(sigma_function_server(fcinfo), GetUserId(), CurrentMemoryContext);
}

/* Before a write: raises 25006 or 55000 if it must not be. */
void
sigma_check_writable(const SigmaSession *session, const char *function)
{
	PreventCommandIfReadOnly(function);
	if (!sigma_server_updatable(sigma_session_serverid(session)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" does not allow writes", sigma_session_server(session)),
				 errhint("Its option \"updatable\" is false. To allow them: %s.",
						 sigma_alter_server(sigma_session_settings(session), "updatable", "true"))));
}

/* "name" says it all; of the reply, the record wants the id of a connection. */
static const SigmaFailure *
request_done(SigmaWrite *write)
{
	SigmaJsonValue reply;
	const char *error;

	sigma_effect_done(write->effect, write->name);
	if (write->id == NULL && sigma_json_check(sigma_call_body(write->call), &reply, &error))
		write->id = sigma_json_id(&reply, "connectionId");
	return NULL;
}

/*
 * Sends a request that changes something, of which no more is known than what
 * the request is, and perhaps the connection's id.  Returns NULL in a dry run.
 */
SigmaCall *
sigma_run_request(SigmaSession *session, const SigmaCallSpec *spec, const char *id)
{
	SigmaWrite	write = {.spec = *spec, .id = id, .succeeded = request_done};
	char	   *request = sigma_shown_request(spec->method, spec->target, NULL);

	write.name = psprintf("%s was carried out in Sigma", request);
	write.maybe = psprintf("%s may have been carried out in Sigma", request);
	sigma_run_writes(session, CurrentMemoryContext, &write, 1);
	return write.call;
}

/* The reply's text as one checked value; raises HV000 if it is none. */
SigmaJsonValue
sigma_reply_value(SigmaCall *call)
{
	SigmaJsonValue value;
	const char *error;

	if (!sigma_json_check(sigma_call_body(call), &value, &error))
		sigma_raise_reply(sigma_call_target(call), "%s", error);
	return value;
}

/*
 * A row of texts from members of a reply; raises HV000 if it has none of them.
 */
Datum
sigma_members_to_row(FunctionCallInfo fcinfo, SigmaCall *call, int n, const SigmaMember *members)
{
	SigmaJsonValue reply = sigma_reply_value(call);
	Datum	   *values = palloc0(n * sizeof(Datum));
	bool	   *nulls = palloc0(n * sizeof(bool));
	bool		any = false;
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != n)
		elog(ERROR, "return type must be a row of %d columns", n);
	for (int i = 0; i < n; i++)
	{
		char	   *text = sigma_json_member_text(&reply, members[i].name);

		nulls[i] = text == NULL;
		any |= text != NULL;
		if (text)
			values[i] = CStringGetTextDatum(sigma_key_spelling(members[i].kind, text));
	}
	if (!any)
		sigma_raise_reply(sigma_call_target(call), "it has no \"%s\"", members[0].name);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*-------------------------------------------------------------------------
 *
 * functions.c
 *	  The SQL functions.
 *
 * Their first argument is the name of a foreign server.  The caller needs
 * USAGE on it, signs in with the caller's own user mapping, and may write
 * only where a table could be written to as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write.h"
#include "fdw/fdw.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_create_connection);
PG_FUNCTION_INFO_V1(sigma_restore_connection);
PG_FUNCTION_INFO_V1(sigma_find_created);
PG_FUNCTION_INFO_V1(sigma_whoami);
PG_FUNCTION_INFO_V1(sigma_test_connection);
PG_FUNCTION_INFO_V1(sigma_sync_connection);
PG_FUNCTION_INFO_V1(sigma_lookup_path);
PG_FUNCTION_INFO_V1(sigma_grant_connection);
PG_FUNCTION_INFO_V1(sigma_revoke_connection);
PG_FUNCTION_INFO_V1(sigma_request);
PG_FUNCTION_INFO_V1(sigma_fdw_version);

/* A text argument as a C string; raises 22004 if it is NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/*
 * The OID of the server that a function's first argument names.  Raises 22004
 * if it is null, 42704 if there is no such server, 42501 without USAGE on it,
 * and 42809 if it is another wrapper's.
 */
Oid
sigma_function_server(FunctionCallInfo fcinfo)
{
	char	   *name = text_argument(fcinfo, 0, "server");
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	acl = sigma_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE);
	Oid			handler;

	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FOREIGN_SERVER, name);
	handler = GetForeignDataWrapper(server->fdwid)->fdwhandler;
	if (!OidIsValid(handler) || GetFdwRoutine(handler)->IterateForeignScan != sigmaIterateForeignScan)
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
				 errhint("Its option \"updatable\" is false.")));
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
static SigmaCall *
run_request(SigmaSession *session, const SigmaCallSpec *spec, const char *id)
{
	SigmaWrite	write = {.spec = *spec, .id = id, .succeeded = request_done};
	char	   *request = sigma_shown_request(spec->method, spec->target, NULL);

	write.name = psprintf("%s was carried out in Sigma", request);
	write.maybe = psprintf("%s may have been carried out in Sigma", request);
	sigma_run_writes(session, CurrentMemoryContext, &write, 1);
	return write.call;
}

/* The reply's text as one checked value; raises HV000 if it is none. */
static SigmaJsonValue
reply_value(SigmaCall *call)
{
	SigmaJsonValue value;
	const char *error;

	if (!sigma_json_check(sigma_call_body(call), &value, &error))
		sigma_raise_reply(sigma_call_target(call), "%s", error);
	return value;
}

/* A member of a reply, as a function shows it. */
typedef struct Member
{
	const char *name;
	SigmaKind	kind;
} Member;

/*
 * A row of texts from members of a reply; raises HV000 if it has none of them.
 */
static Datum
members_to_row(FunctionCallInfo fcinfo, SigmaCall *call, int n, const Member *members)
{
	SigmaJsonValue reply = reply_value(call);
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

/*
 * sigma_whoami(server) returns (user_id, organization_id)
 */
Datum
sigma_whoami(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	SigmaCallSpec spec = {.method = "GET", .target = "/v2/whoami", .purpose = SIGMA_READ};

	PG_RETURN_DATUM(members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec), 2,
								   (const Member[]) {{"userId", SIGMA_ID}, {"organizationId", SIGMA_ID}}));
}

/*
 * sigma_test_connection(server, connection_id) returns (read, write)
 */
Datum
sigma_test_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_READ};

	spec.target = sigma_connection_target("/v2/connections/{connection_id}/test",
									text_argument(fcinfo, 1, "connection_id"));
	PG_RETURN_DATUM(members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec), 2,
								   (const Member[]) {{"read", SIGMA_PLAIN}, {"write", SIGMA_PLAIN}}));
}

/* A jsonb argument as a value that stands beside "details"; or nothing. */
static List *
add_typed(List *typed, FunctionCallInfo fcinfo, int i, const char *column, const char *field,
		  char *json)
{
	SigmaTyped *t;

	if (PG_ARGISNULL(i))
		return typed;
	t = palloc0(sizeof(SigmaTyped));
	t->column = column;
	t->field = field;
	t->write = SIGMA_WRITE_TOP;
	t->json = json;
	return lappend(typed, t);
}

static char *
jsonb_argument(FunctionCallInfo fcinfo, int i)
{
	Jsonb	   *jsonb;

	if (PG_ARGISNULL(i))
		return NULL;
	jsonb = PG_GETARG_JSONB_P(i);
	return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
}

/* A connection that was sent and not replied to, as it will be; for a dry run. */
static Datum
foreseen(SigmaSpan entry, const SigmaWrite *write)
{
	SigmaSpan	body = {write->spec.body, strlen(write->spec.body)};
	static const char restored[] = "{\"isArchived\":false}";

	entry = sigma_entry_replaced(entry, body);
	return sigma_json_to_jsonb(sigma_entry_patched(entry, (SigmaSpan) {restored, strlen(restored)}));
}

/* The connection of that name and type as jsonb, if there is one: it says so. */
static bool
find_existing(SigmaSession *session, const char *name, const char *type, Datum *found)
{
	SigmaPager *pager = sigma_connections_named(session);
	SigmaEntry	entry;

	while (sigma_next_named(pager, name, &entry))
	{
		SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry.text};
		char	   *its_type = sigma_json_member_text(&object, "type");

		if (its_type == NULL || strcmp(its_type, type) != 0)
			continue;
		ereport(NOTICE,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("connection %s of type %s already exists (%s), none is created",
						sigma_quoted(name), sigma_quoted(type),
						sigma_shown_id(sigma_json_member_text(&object, "connectionId")))));
		*found = sigma_json_to_jsonb(entry.text);
		return true;
	}
	return false;
}

/*
 * sigma_create_connection(server, name, details, description, timeout_secs,
 * use_friendly_names, pool_sizes, if_not_exists) returns the reply
 */
Datum
sigma_create_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session;
	char	   *name;
	Datum		details;
	List	   *typed = NIL;
	List	   *secrets = NIL;
	const char *body;
	SigmaWrite	write;
	Datum		result;
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);

	session = sigma_function_session(fcinfo);
	sigma_check_writable(session, "sigma_create_connection()");
	name = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		details = PG_GETARG_DATUM(2);
	typed = add_typed(typed, fcinfo, 3, "description", "description", jsonb_argument(fcinfo, 3));
	typed = add_typed(typed, fcinfo, 4, "timeout_secs", "timeoutSecs",
					  psprintf("%d", PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4)));
	typed = add_typed(typed, fcinfo, 5, "use_friendly_names", "useFriendlyNames",
					  !PG_ARGISNULL(5) && PG_GETARG_BOOL(5) ? "true" : "false");
	typed = add_typed(typed, fcinfo, 6, "pool_sizes", "poolSizes", jsonb_argument(fcinfo, 6));
	body = sigma_connection_body(name, PG_ARGISNULL(2) ? NULL : &details, typed, &secrets);
	if (PG_NARGS() <= 7 || PG_ARGISNULL(7) || !PG_GETARG_BOOL(7) ||
		!find_existing(session, name, sigma_details_type(details), &result))
	{
		write = sigma_connection_write(name, body, secrets, NULL);
		sigma_run_writes(session, CurrentMemoryContext, &write, 1);
		result = write.call ? sigma_json_to_jsonb(reply_value(write.call).text)
			: foreseen((SigmaSpan) {"{\"connectionId\":null}", 21}, &write);
	}

	sigma_show_statement(&hiding);
	PG_RETURN_DATUM(result);
}

/*
 * The archived connection of an id, as Sigma shows it.  Raises P0002 if there
 * is none, and 55000 if it is not archived.
 */
static SigmaSpan
archived_connection(SigmaSession *session, char *id)
{
	SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_LOOKUP};
	SigmaCall  *call;
	SigmaJsonValue object;
	char	   *archived;

	spec.target = sigma_connection_target("/v2/connections/{connection_id}", id);
	call = sigma_call(session, CurrentMemoryContext, &spec);
	if (sigma_call_not_found(call))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("connection %s does not exist in Sigma", sigma_quoted(id))));
	object = reply_value(call);
	archived = sigma_json_member_text(&object, "isArchived");
	if (sigma_queue_last(sigma_session_serverid(session), id) != InvalidCommandId)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("connection %s is about to be changed by this transaction", sigma_quoted(id)),
				 errhint("Restore it in a transaction of its own; ROLLBACK, or ROLLBACK TO SAVEPOINT, takes the change back.")));
	if (archived == NULL || strcmp(archived, "true") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("connection %s is not archived", sigma_quoted(id)),
				 errhint("Use UPDATE to change it.")));
	return object.text;
}

/*
 * sigma_restore_connection(server, connection_id, name, details) returns the
 * reply; a null name stays as it was
 */
Datum
sigma_restore_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session;
	char	   *id;
	char	   *name;
	Datum		details;
	SigmaSpan	entry;
	SigmaJsonValue object = {.kind = SIGMA_JSON_OBJECT};
	List	   *secrets = NIL;
	SigmaTyped	restore = {"restore", "restore", SIGMA_WRITE_TOP, "true", false};
	const char *body;
	SigmaWrite	write;
	Datum		result;
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);

	session = sigma_function_session(fcinfo);
	sigma_check_writable(session, "sigma_restore_connection()");
	id = text_argument(fcinfo, 1, "connection_id");
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "details"),
				 errdetail("Sigma takes a connection back only as a whole, with its secrets.")));
	details = PG_GETARG_DATUM(3);
	entry = archived_connection(session, id);
	object.text = entry;
	name = PG_ARGISNULL(2) ? sigma_json_member_text(&object, "name")
		: text_to_cstring(PG_GETARG_TEXT_PP(2));
	body = sigma_replacement_body(entry, name, &details, list_make1(&restore), &secrets);
	write = sigma_restore_write(id, name, body, secrets);
	sigma_run_writes(session, CurrentMemoryContext, &write, 1);
	result = write.call ? sigma_json_to_jsonb(reply_value(write.call).text) : foreseen(entry, &write);

	sigma_show_statement(&hiding);
	PG_RETURN_DATUM(result);
}

/*
 * sigma_find_created(server, name, since) returns rows (connection_id, name,
 * type, created_by, created_at)
 */
Datum
sigma_find_created(PG_FUNCTION_ARGS)
{
	static const Member members[] = {
		{"connectionId", SIGMA_INODE}, {"name", SIGMA_PLAIN}, {"type", SIGMA_PLAIN}, {"createdBy", SIGMA_ID}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *name = text_argument(fcinfo, 1, "name");
	SigmaPager *pager = sigma_connections_named(session);
	SigmaEntry	entry;

	InitMaterializedSRF(fcinfo, 0);
	while (sigma_next_named(pager, name, &entry))
	{
		SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry.text};
		char	   *created = sigma_json_member_text(&object, "createdAt");
		Datum		values[lengthof(members) + 1] = {0};
		bool		nulls[lengthof(members) + 1] = {false};

		if (created)
			values[4] = sigma_input(timestamptz_in, created);
		nulls[4] = created == NULL;
		/* what has no time may be what is looked for */
		if (created && !PG_ARGISNULL(2) && DatumGetTimestampTz(values[4]) < PG_GETARG_TIMESTAMPTZ(2))
			continue;
		for (int i = 0; i < (int) lengthof(members); i++)
		{
			char	   *text = sigma_json_member_text(&object, members[i].name);

			nulls[i] = text == NULL;
			if (text)
				values[i] = CStringGetTextDatum(sigma_key_spelling(members[i].kind, text));
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}

/* --------------------------------------------------- paths of a connection */

/* A text array argument as {"path": [...]}; raises 22004 for a null in it. */
static char *
path_argument(FunctionCallInfo fcinfo, int i)
{
	StringInfoData body;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "path")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	initStringInfo(&body);
	appendStringInfoString(&body, "{\"path\":[");
	for (int j = 0; j < n; j++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[j])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not contain nulls", "path")));
		appendStringInfo(&body, "%s%s", j ? "," : "",
						 sigma_text_to_json(TextDatumGetCString(elements[j])));
	}
	appendStringInfoString(&body, "]}");
	return sigma_to_utf8(body.data);
}

/*
 * sigma_sync_connection(server, connection_id, path) lets Sigma read the
 * warehouse's catalog anew, from the path down
 */
Datum
sigma_sync_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	SigmaCallSpec spec = {.method = "POST", .purpose = SIGMA_WRITE};
	char	   *id;

	sigma_check_writable(session, "sigma_sync_connection()");
	id = text_argument(fcinfo, 1, "connection_id");
	spec.target = sigma_connection_target("/v2/connections/{connection_id}/sync", id);
	spec.body = path_argument(fcinfo, 2);
	(void) run_request(session, &spec, id);
	PG_RETURN_VOID();
}

/*
 * sigma_lookup_path(server, connection_id, path) returns (kind, inode_id, url)
 */
Datum
sigma_lookup_path(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	/* a POST, but only to carry the path: it changes nothing */
	SigmaCallSpec spec = {.method = "POST", .purpose = SIGMA_READ};

	spec.target = sigma_connection_target("/v2/connection/{connection_id}/lookup",
									text_argument(fcinfo, 1, "connection_id"));
	spec.body = path_argument(fcinfo, 2);
	PG_RETURN_DATUM(members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec), 3,
								   (const Member[]) {{"kind", SIGMA_PLAIN}, {"inodeId", SIGMA_INODE}, {"url", SIGMA_PLAIN}}));
}

/* --------------------------------------------------- grants on a connection */

/* Exactly one of the arguments member_id and team_id; the other is NULL. */
static void
grantee_arguments(FunctionCallInfo fcinfo, char **member_id, char **team_id)
{
	*member_id = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	*team_id = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	if ((*member_id == NULL) == (*team_id == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a grant is for a member or for a team"),
				 errhint("Give exactly one of \"member_id\" and \"team_id\".")));
}

/*
 * sigma_grant_connection(server, connection_id, permission, member_id, team_id)
 */
Datum
sigma_grant_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *member_id;
	char	   *team_id;

	sigma_check_writable(session, "sigma_grant_connection()");
	grantee_arguments(fcinfo, &member_id, &team_id);
	sigma_grant_call(session, CurrentMemoryContext, text_argument(fcinfo, 1, "connection_id"),
					 text_argument(fcinfo, 2, "permission"), member_id, team_id, NULL);
	PG_RETURN_VOID();
}

/*
 * sigma_revoke_connection(server, connection_id, permission, member_id,
 * team_id) returns how many grants were revoked
 */
Datum
sigma_revoke_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *connection = text_argument(fcinfo, 1, "connection_id");
	char	   *permission = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *member_id;
	char	   *team_id;
	SigmaPager *pager = NULL;
	SigmaEntry	entry;
	List	   *grants = NIL;
	ListCell   *lc;

	sigma_check_writable(session, "sigma_revoke_connection()");
	grantee_arguments(fcinfo, &member_id, &team_id);
	/* all are found before the first is revoked: a list that shrinks is no list */
	while ((pager = sigma_find_grant(session, pager, connection, permission, member_id, team_id,
									 &entry, NULL)) != NULL)
	{
		SigmaJsonValue object = {SIGMA_JSON_OBJECT, false, entry.text};
		char	   *grant_id = sigma_json_member_text(&object, "grantId");

		if (grant_id)
			grants = lappend(grants, grant_id);
	}
	foreach(lc, grants)
		sigma_revoke_call(session, CurrentMemoryContext, connection, lfirst(lc), NULL);
	PG_RETURN_INT32(list_length(grants));
}

/* ---------------------------------------------------------- sigma_request() */

pg_noreturn static void
bad_path(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid path for sigma_request()"),
			 errdetail("%s", detail),
			 errhint("A path begins with a slash and stays on the server, such as /v2/connections; what follows a question mark goes into the argument \"query\".")));
}

/* Refuses whatever could lead away from the server's own API. */
static void
check_path(const SigmaSession *session, const char *path)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%";
	const char *problem;
	char	   *normal;

	if (path[0] != '/')
		bad_path("It does not begin with a slash.");
	if (path[strspn(path, allowed)] != '\0')
		bad_path("It has a character that must be percent-encoded, or that ends a path.");
	problem = sigma_normal_path(path, &normal);
	if (problem)
		bad_path(problem);
	if (sigma_session_is_sign_in(session, normal))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("sigma_request() does not fetch tokens"),
				 errdetail("A token would be readable in SQL; sign-in is done for every request by itself.")));
}

/* A scalar as it stands in a query: a string's content, or JSON text. */
static char *
query_value(JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return value->val.boolean ? "true" : "false";
		default:
			return NULL;
	}
}

/*
 * Adds a jsonb object to a target as its query.  An array is a parameter that
 * comes several times; a null is left out.  *secrets gets what must not be
 * shown.
 */
static void
add_query(StringInfo target, Jsonb *query, List **secrets)
{
	JsonbIterator *it = JsonbIteratorInit(&query->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *key = NULL;
	char		separator = '?';
	int			depth = 0;

	if (!JB_ROOT_IS_OBJECT(query))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"query\" must be a JSON object")));
	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		char	   *value;

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
		{
			if (++depth > 2 || (depth == 2 && token == WJB_BEGIN_OBJECT))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("a value in \"query\" must be a string, a number, a boolean or an array of these")));
		}
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_KEY)
			key = pnstrdup(v.val.string.val, v.val.string.len);
		else if ((value = query_value(&v)) != NULL)
		{
			appendStringInfo(target, "%c%s=%s", separator, sigma_text_url_encode(key),
							 sigma_text_url_encode(value));
			separator = '&';
			*secrets = sigma_parameter_secrets(*secrets, key, value);
		}
	}
}

/* The method's constant name; raises if it is none that the API has. */
static const char *
check_method(const char *method)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

	for (int i = 0; i < (int) lengthof(methods); i++)
		if (pg_strcasecmp(method, methods[i]) == 0)
			return methods[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid method for sigma_request()"),
			 errhint("It must be GET, POST, PUT, PATCH or DELETE.")));
	return NULL;				/* keep compilers quiet */
}

/* Text (UTF-8) as a JSON string. */
static Datum
text_to_jsonb(SigmaSpan text)
{
	char	   *copy = pnstrdup(text.data, text.length);
	char	   *converted = pg_any_to_server(copy, (int) strlen(copy), PG_UTF8);

	return DirectFunctionCall1(jsonb_in, CStringGetDatum(sigma_text_to_json(converted)));
}

/*
 * sigma_request(server, method, path, query, body) returns the reply, NULL if
 * it is empty; some endpoints answer in text or YAML, which becomes a string
 */
Datum
sigma_request(PG_FUNCTION_ARGS)
{
	SigmaSession *session;
	SigmaCallSpec spec = {0};
	char	   *path;
	StringInfoData target;
	SigmaCall  *call;
	SigmaSpan	reply;
	SigmaJsonValue value;
	const char *error;
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);

	session = sigma_function_session(fcinfo);
	spec.method = check_method(text_argument(fcinfo, 1, "method"));
	spec.purpose = strcmp(spec.method, "GET") == 0 ? SIGMA_READ : SIGMA_WRITE;
	path = text_argument(fcinfo, 2, "path");
	check_path(session, path);
	if (spec.purpose == SIGMA_WRITE)
		sigma_check_writable(session, "sigma_request()");
	else if (!PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a GET request has no body"),
				 errhint("Parameters of a GET request go into \"query\".")));

	initStringInfo(&target);
	appendStringInfoString(&target, path);
	if (!PG_ARGISNULL(3))
		add_query(&target, PG_GETARG_JSONB_P(3), &spec.secrets);
	spec.target = target.data;
	if (!PG_ARGISNULL(4))
	{
		char	   *body = jsonb_argument(fcinfo, 4);

		spec.body = sigma_to_utf8(body);
		spec.secrets = sigma_json_secrets(spec.secrets, PG_GETARG_DATUM(4), false);
	}
	call = spec.purpose == SIGMA_WRITE ? run_request(session, &spec, NULL)
		: sigma_call(session, CurrentMemoryContext, &spec);
	sigma_show_statement(&hiding);
	if (call == NULL)
		PG_RETURN_NULL();

	reply = sigma_call_body(call);
	if (reply.length == 0)
		PG_RETURN_NULL();
	if (sigma_call_is_text(call) && !sigma_json_check(reply, &value, &error))
		PG_RETURN_DATUM(text_to_jsonb(reply));
	PG_RETURN_DATUM(sigma_json_to_jsonb(reply_value(call).text));
}

/*
 * sigma_fdw_version() returns the versions of the extension and its libraries
 */
Datum
sigma_fdw_version(PG_FUNCTION_ARGS UNUSED)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("sigma_fdw %s, %s, cJSON %s", SIGMA_FDW_VERSION,
											  sigma_transport_version(),
											  sigma_json_library_version())));
}

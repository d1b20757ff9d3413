/*-------------------------------------------------------------------------
 *
 * connections.c
 *	  The SQL functions for a connection: create, restore, find, test, and
 *	  its paths.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_create_connection);
PG_FUNCTION_INFO_V1(sigma_restore_connection);
PG_FUNCTION_INFO_V1(sigma_find_created);
PG_FUNCTION_INFO_V1(sigma_test_connection);
PG_FUNCTION_INFO_V1(sigma_sync_connection);
PG_FUNCTION_INFO_V1(sigma_lookup_path);

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

/* A connection that was sent and not replied to, as it will be; for a dry run. */
static Datum
entry_as_it_will_be(SigmaSpan entry, const SigmaWrite *write)
{
	SigmaSpan	body = {write->spec.body, strlen(write->spec.body)};
	static const char restored[] = "{\"isArchived\":false}";

	entry = sigma_entry_replaced(entry, body);
	return sigma_json_to_jsonb(sigma_entry_patched(entry, sigma_span(restored)));
}

/* The connection of that name and type as jsonb, if there is one: it says so. */
static bool
find_existing(SigmaSession *session, const char *name, const char *type, Datum *found)
{
	SigmaPager *pager = sigma_connections_named(session);
	SigmaEntry	entry;

	while (sigma_next_named(pager, name, &entry))
	{
		SigmaJsonValue object = sigma_json_object(entry.text);
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
	typed = add_typed(typed, fcinfo, 3, "description", "description", sigma_jsonb_argument(fcinfo, 3));
	typed = add_typed(typed, fcinfo, 4, "timeout_secs", "timeoutSecs",
					  psprintf("%d", PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4)));
	typed = add_typed(typed, fcinfo, 5, "use_friendly_names", "useFriendlyNames",
					  !PG_ARGISNULL(5) && PG_GETARG_BOOL(5) ? "true" : "false");
	typed = add_typed(typed, fcinfo, 6, "pool_sizes", "poolSizes", sigma_jsonb_argument(fcinfo, 6));
	body = sigma_connection_body(name, PG_ARGISNULL(2) ? NULL : &details, typed, &secrets);
	if (PG_NARGS() <= 7 || PG_ARGISNULL(7) || !PG_GETARG_BOOL(7) ||
		!find_existing(session, name, sigma_details_type(details), &result))
	{
		write = sigma_connection_write(name, body, secrets, NULL);
		sigma_run_writes(session, CurrentMemoryContext, &write, 1);
		result = write.call ? sigma_json_to_jsonb(sigma_reply_value(write.call).text)
			: entry_as_it_will_be(sigma_span("{\"connectionId\":null}"), &write);
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
	object = sigma_reply_value(call);
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
	id = sigma_text_argument(fcinfo, 1, "connection_id");
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
	result = write.call ? sigma_json_to_jsonb(sigma_reply_value(write.call).text) : entry_as_it_will_be(entry, &write);

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
	static const SigmaMember members[] = {
		{"connectionId", SIGMA_INODE}, {"name", SIGMA_PLAIN}, {"type", SIGMA_PLAIN}, {"createdBy", SIGMA_ID}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *name = sigma_text_argument(fcinfo, 1, "name");
	SigmaPager *pager = sigma_connections_named(session);
	SigmaEntry	entry;

	InitMaterializedSRF(fcinfo, 0);
	while (sigma_next_named(pager, name, &entry))
	{
		SigmaJsonValue object = sigma_json_object(entry.text);
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

/*
 * sigma_test_connection(server, connection_id) returns (read, write)
 */
Datum
sigma_test_connection(PG_FUNCTION_ARGS)
{
	static const SigmaMember members[] = {{"read", SIGMA_PLAIN}, {"write", SIGMA_PLAIN}};
	SigmaSession *session = sigma_function_session(fcinfo);
	SigmaCallSpec spec = {.method = "GET", .purpose = SIGMA_READ};

	spec.target = sigma_connection_target("/v2/connections/{connection_id}/test",
										  sigma_text_argument(fcinfo, 1, "connection_id"));
	PG_RETURN_DATUM(sigma_members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec),
										 lengthof(members), members));
}

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
	id = sigma_text_argument(fcinfo, 1, "connection_id");
	spec.target = sigma_connection_target("/v2/connections/{connection_id}/sync", id);
	spec.body = path_argument(fcinfo, 2);
	(void) sigma_run_request(session, &spec, id);
	PG_RETURN_VOID();
}

/*
 * sigma_lookup_path(server, connection_id, path) returns (kind, inode_id, url)
 */
Datum
sigma_lookup_path(PG_FUNCTION_ARGS)
{
	static const SigmaMember members[] = {
		{"kind", SIGMA_PLAIN}, {"inodeId", SIGMA_INODE}, {"url", SIGMA_PLAIN},
	};
	SigmaSession *session = sigma_function_session(fcinfo);

	/* a POST, but only to carry the path: it changes nothing */
	SigmaCallSpec spec = {.method = "POST", .purpose = SIGMA_READ};

	spec.target = sigma_connection_target("/v2/connection/{connection_id}/lookup",
										  sigma_text_argument(fcinfo, 1, "connection_id"));
	spec.body = path_argument(fcinfo, 2);
	PG_RETURN_DATUM(sigma_members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec),
										 lengthof(members), members));
}

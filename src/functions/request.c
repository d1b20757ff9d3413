/*-------------------------------------------------------------------------
 *
 * request.c
 *	  sigma_request(): any request to the API, kept on the server's API.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/base.h"
#include "json/json.h"
#include "session/session.h"
#include "write/write.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_request);

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
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(sigma_text_to_json(sigma_from_utf8(text.data, text.length))));
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
	char	   *query;
	SigmaCall  *call;
	SigmaSpan	reply;
	SigmaJsonValue value;
	const char *error;
	SigmaHiding hiding;

	sigma_hide_statement(&hiding);

	session = sigma_function_session(fcinfo);
	spec.method = check_method(sigma_text_argument(fcinfo, 1, "method"));
	spec.purpose = strcmp(spec.method, "GET") == 0 ? SIGMA_READ : SIGMA_WRITE;
	path = sigma_text_argument(fcinfo, 2, "path");
	sigma_session_check_path(session, path, "sigma_request()");
	if (spec.purpose == SIGMA_WRITE)
		sigma_check_writable(session, "sigma_request()");
	else if (!PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a GET request has no body"),
				 errhint("Parameters of a GET request go into \"query\".")));

	spec.target = path;
	query = sigma_query_argument(fcinfo, 3, &spec.secrets);
	if (query)
		spec.target = psprintf("%s?%s", path, query);
	if (!PG_ARGISNULL(4))
	{
		char	   *body = sigma_jsonb_argument(fcinfo, 4);

		spec.body = sigma_to_utf8(body);
		spec.secrets = sigma_json_secrets(spec.secrets, PG_GETARG_DATUM(4), false);
	}
	call = spec.purpose == SIGMA_WRITE ? sigma_run_request(session, &spec, NULL)
		: sigma_call(session, CurrentMemoryContext, &spec);
	sigma_show_statement(&hiding);
	if (call == NULL)
		PG_RETURN_NULL();

	reply = sigma_call_body(call);
	if (reply.length == 0)
		PG_RETURN_NULL();
	if (sigma_call_is_text(call) && !sigma_json_check(reply, &value, &error))
		PG_RETURN_DATUM(text_to_jsonb(reply));
	PG_RETURN_DATUM(sigma_json_to_jsonb(sigma_reply_value(call).text));
}

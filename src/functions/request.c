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
	StringInfoData target;
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

/*-------------------------------------------------------------------------
 *
 * query.c
 *	  JSON objects as the queries of URLs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "json/json.h"

/* A parameter of a query: false if the value is not one that can stand there. */
static bool
add_parameter(StringInfo out, char *name, const SigmaJsonValue *value, List **secrets)
{
	char	   *text;

	if (value->kind == SIGMA_JSON_NULL)
		return true;
	if (value->kind == SIGMA_JSON_ARRAY || value->kind == SIGMA_JSON_OBJECT)
		return false;
	text = value->kind == SIGMA_JSON_STRING ? sigma_json_string(value)
		: pnstrdup(value->text.data, value->text.length);
	appendStringInfo(out, "%s%s=%s", out->len ? "&" : "", sigma_text_url_encode(name),
					 sigma_text_url_encode(text));
	if (secrets)
		*secrets = sigma_parameter_secrets(*secrets, name, text);
	return true;
}

const char *
sigma_json_query(const SigmaJsonValue *object, StringInfo out, List **secrets)
{
	static const char bad_value[] = "a value in \"query\" must be a string, a number, a boolean or an array of these";
	const char *cursor = NULL;
	SigmaJsonMember member;

	if (object->kind != SIGMA_JSON_OBJECT)
		return "\"query\" must be a JSON object";
	while (sigma_json_next_member(object, &cursor, &member))
	{
		char	   *name = sigma_json_string(&member.key);
		const char *next = NULL;
		SigmaJsonValue element;

		CHECK_FOR_INTERRUPTS();
		if (member.value.kind != SIGMA_JSON_ARRAY)
		{
			if (!add_parameter(out, name, &member.value, secrets))
				return bad_value;
			continue;
		}
		while (sigma_json_next_element(&member.value, &next, &element))
			if (!add_parameter(out, name, &element, secrets))
				return bad_value;
	}
	return NULL;
}

bool
sigma_query_has(const char *query, const char *name)
{
	size_t		length = strlen(name);

	for (const char *p = query; p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL)
		if (strncmp(p, name, length) == 0 && strchr("=&", p[length]))
			return true;
	return false;
}

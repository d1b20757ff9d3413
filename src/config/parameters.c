/*-------------------------------------------------------------------------
 *
 * parameters.c
 *	  The parameters of an export: what a workbook's controls are set to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "json/json.h"
#include "config/config_internal.h"

/* A value that a control can be set to, as text; NULL if it is no scalar. */
static char *
scalar_text(const SigmaJsonValue *value)
{
	switch (value->kind)
	{
		case SIGMA_JSON_NULL:
			return ":null";
		case SIGMA_JSON_STRING:
			return sigma_json_string(value);
		case SIGMA_JSON_ARRAY:
		case SIGMA_JSON_OBJECT:
			return NULL;
		default:
			return pnstrdup(value->text.data, value->text.length);
	}
}

/* A list of values, with what would separate them encoded; NULL if it is none. */
static char *
list_text(const SigmaJsonValue *array)
{
	StringInfoData list;
	const char *cursor = NULL;
	SigmaJsonValue element;

	initStringInfo(&list);
	while (sigma_json_next_element(array, &cursor, &element))
	{
		char	   *text = scalar_text(&element);

		if (text == NULL)
			return NULL;
		if (element.kind == SIGMA_JSON_STRING)
			/* Sigma's word for an empty text */
			text = text[0] ? sigma_text_url_encode(text) : ":empty";
		appendStringInfo(&list, "%s%s", list.len ? "," : "", text);
	}
	return list.data;
}

/* The object behind the text, if it is one of values that a control can be set to. */
static bool
parameters_object(const char *json, SigmaJsonValue *object)
{
	char	   *text = sigma_to_utf8(json);
	const char *error;
	const char *cursor = NULL;
	SigmaJsonMember member;

	if (!sigma_json_check(sigma_span(text), object, &error) ||
		object->kind != SIGMA_JSON_OBJECT)
		return false;
	while (sigma_json_next_member(object, &cursor, &member))
	{
		const char *at = NULL;
		SigmaJsonValue element;

		if (member.value.kind == SIGMA_JSON_OBJECT)
			return false;
		while (member.value.kind == SIGMA_JSON_ARRAY &&
			   sigma_json_next_element(&member.value, &at, &element))
			if (element.kind == SIGMA_JSON_OBJECT || element.kind == SIGMA_JSON_ARRAY)
				return false;
	}
	return true;
}

bool
sigma_parameters_are_valid(const char *json)
{
	SigmaJsonValue object;

	return parameters_object(json, &object);
}

List *
sigma_parameters(const char *json)
{
	List	   *parameters = NIL;
	SigmaJsonValue object;
	const char *cursor = NULL;
	SigmaJsonMember member;

	if (!parameters_object(json, &object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameters of an export must be a JSON object of texts, numbers, booleans, and arrays of these"),
				 errhint("Its members are the ids of controls, for example '{\"Region\": \"EMEA\"}'.")));
	while (sigma_json_next_member(&object, &cursor, &member))
	{
		SigmaParameter *parameter = palloc(sizeof(SigmaParameter));

		parameter->control = sigma_json_string(&member.key);
		parameter->value = member.value.kind == SIGMA_JSON_ARRAY ? list_text(&member.value)
			: scalar_text(&member.value);
		parameters = lappend(parameters, parameter);
	}
	return parameters;
}

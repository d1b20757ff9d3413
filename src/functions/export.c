/*-------------------------------------------------------------------------
 *
 * export.c
 *	  sigma_export(): a workbook, a page, an element or a report as a file.
 *	  sigma_element_rows(): the rows behind an element.
 *
 * Both only read, as far as Sigma's own things go.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_export);
PG_FUNCTION_INFO_V1(sigma_element_rows);

/* A text argument that may be NULL. */
static char *
optional_text(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : sigma_text_argument(fcinfo, i, "");
}

static List *
parameters_argument(FunctionCallInfo fcinfo, int i)
{
	char	   *json = sigma_jsonb_argument(fcinfo, i);

	return json ? sigma_parameters(json) : NIL;
}

pg_noreturn static void
bad_argument(const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("%s", hint)));
}

/* -------------------------------------------------------------- sigma_export */

/* The request's "format": the type, and what else the caller says of it. */
static char *
format_argument(const char *type, const char *more)
{
	static const char *const types[] = {"pdf", "png", "xlsx", "csv"};
	SigmaJsonValue object = sigma_json_object(sigma_span("{}"));
	SigmaJsonValue member;
	StringInfoData format;
	const char *error;
	char	   *utf8 = NULL;
	bool		known = false;

	for (int i = 0; i < (int) lengthof(types); i++)
		known |= strcmp(type, types[i]) == 0;
	if (!known)
		bad_argument("invalid format for sigma_export()", "It must be pdf, png, xlsx or csv; sigma_element_rows() returns rows.");
	if (more)
	{
		utf8 = sigma_to_utf8(more);
		if (!sigma_json_check(sigma_span(utf8), &object, &error) ||
			object.kind != SIGMA_JSON_OBJECT)
			bad_argument("\"format_options\" must be a JSON object",
						 "Its members are those of the request's \"format\", for example '{\"layout\": \"landscape\"}'.");
		if (sigma_json_member(&object, "type", &member))
			bad_argument("\"format_options\" must not have a member \"type\"",
						 "The argument \"format\" says that.");
	}
	initStringInfo(&format);
	appendStringInfo(&format, "{\"type\": \"%s\"", type);
	/* Sigma wants to be told */
	if (strcmp(type, "pdf") == 0 && !sigma_json_member(&object, "layout", &member))
		appendStringInfoString(&format, ", \"layout\": \"portrait\"");
	/* what jsonb prints has no blanks around its brackets */
	if (more && strcmp(more, "{}") != 0)
		appendStringInfo(&format, ", %s", utf8 + 1);
	else
		appendStringInfoChar(&format, '}');
	return format.data;
}

/* The whole of a file, as a bytea. */
static Datum
read_file(SigmaSession *session, SigmaExport *export)
{
	StringInfoData file;
	SigmaSpan	rest;
	bool		more = sigma_export_first(export, &rest);
	size_t		max = (size_t) sigma_session_max_response_size(session);

	initStringInfo(&file);
	/* room for the header of a bytea */
	appendStringInfoSpaces(&file, VARHDRSZ);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (rest.length > max - (size_t) (file.len - VARHDRSZ))
		{
			const char *allow = sigma_allow_more(sigma_session_settings(session), "max_response_size");

			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("the export of %s exceeds max_response_size of %zu bytes",
							sigma_export_subject(export), max),
					 allow ? errhint("Allow more: %s.", allow) : 0));
		}
		appendBinaryStringInfo(&file, rest.data, (int) rest.length);
		if (!more)
			break;
		more = sigma_export_read(export, rest.length, 0, 0, &rest);
	}
	SET_VARSIZE(file.data, file.len);
	return PointerGetDatum(file.data);
}

/*
 * sigma_export(server, workbook_id, element_id, format, parameters, page_id,
 * report_id, tag, format_options) returns the file
 */
Datum
sigma_export(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *workbook_id = optional_text(fcinfo, 1);
	char	   *report_id = optional_text(fcinfo, 6);
	SigmaExportSpec spec = {
		.element_id = optional_text(fcinfo, 2),
		.page_id = optional_text(fcinfo, 5),
		.tag = optional_text(fcinfo, 7),
		.parameters = parameters_argument(fcinfo, 4),
		.offset = -1,
	};
	SigmaExportStats stats = {.calls = {0}};
	SigmaExport *export;
	const SigmaFailure *refusal;

	if ((workbook_id == NULL) == (report_id == NULL))
		bad_argument("sigma_export() takes either a workbook or a report",
					 "Give the argument \"workbook_id\" or \"report_id\", and not both.");
	if (spec.element_id && (spec.page_id || report_id))
		bad_argument("an element is exported by itself, and out of a workbook",
					 "Leave \"element_id\" away for a page, or for a report.");
	spec.path = workbook_id ? sigma_element_path(workbook_id)
		: psprintf("/v2/reports/%s", sigma_text_url_encode(report_id));
	spec.format = format_argument(sigma_text_argument(fcinfo, 3, "format"),
								  sigma_jsonb_argument(fcinfo, 8));
	spec.timeout_ms = sigma_server_table_options(sigma_session_serverid(session))->export_timeout_ms;
	export = sigma_export_begin(session, CurrentMemoryContext, &spec, &stats, &refusal);
	if (export == NULL)
		sigma_raise(refusal);
	PG_RETURN_DATUM(read_file(session, export));
}

/* -------------------------------------------------------- sigma_element_rows */

typedef struct RowsState
{
	SigmaElementSpec spec;
	SigmaExportStats stats;
	SigmaElement *element;
} RowsState;

/* Raises what is wrong with the arguments; asks for nothing. */
static RowsState *
begin_rows(FunctionCallInfo fcinfo)
{
	RowsState  *state = palloc0(sizeof(RowsState));
	SigmaSession *session = sigma_function_session(fcinfo);
	const SigmaTableOptions *options = sigma_server_table_options(sigma_session_serverid(session));

	state->spec.workbook_id = sigma_text_argument(fcinfo, 1, "workbook_id");
	state->spec.element_id = sigma_text_argument(fcinfo, 2, "element_id");
	state->spec.parameters = parameters_argument(fcinfo, 3);
	state->spec.timeout_ms = options->export_timeout_ms;
	state->spec.chunk_rows = options->export_rows;
	state->element = sigma_element_open(session, CurrentMemoryContext, &state->spec, &state->stats);
	return state;
}

/*
 * An element may have two columns of one name, and a jsonb only one of them.  All
 * rows of an export have the same columns, so the first one tells.
 */
static void
check_names(const SigmaEntry *entry)
{
	SigmaJsonValue object = sigma_json_object(entry->text);
	SigmaJsonMember member;
	SigmaJsonMember other;
	const char *cursor = NULL;

	while (sigma_json_next_member(&object, &cursor, &member))
	{
		const char *behind = cursor;

		CHECK_FOR_INTERRUPTS();
		while (sigma_json_next_member(&object, &behind, &other))
			if (other.key.text.length == member.key.text.length &&
				memcmp(other.key.text.data, member.key.text.data, member.key.text.length) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_FDW_ERROR),
						 errmsg("the element has two columns %s", sigma_quoted(sigma_json_string(&member.key))),
						 errhint("Give the element's columns different names in Sigma. A foreign table of the element reads the others.")));
	}
}

/* sigma_element_rows(server, workbook_id, element_id, parameters), row by row */
Datum
sigma_element_rows(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	RowsState  *state;
	SigmaEntry	entry;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		context->user_fctx = begin_rows(fcinfo);
		MemoryContextSwitchTo(old);
	}
	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (!sigma_element_next(state->element, &entry))
		SRF_RETURN_DONE(context);
	if (state->stats.rows == 1)
		check_names(&entry);
	SRF_RETURN_NEXT(context, sigma_json_to_jsonb(entry.text));
}

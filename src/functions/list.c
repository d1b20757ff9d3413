/*-------------------------------------------------------------------------
 *
 * list.c
 *	  sigma_list(): the entries of any list of the API.
 *
 * A row is returned as soon as its entry has come, so that whoever stops early
 * does not wait for the rest, and a list of any length takes the memory of a few
 * pages.  (In FROM, PostgreSQL collects all rows before it goes on with the
 * first, in a file if there are many.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "read/read.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_list);

typedef struct ListCall
{
	SigmaResource resource;		/* no more than the path */
	SigmaPager *pager;
} ListCall;

/* What turns the pages is not for the caller to send. */
static void
check_query(const char *query)
{
	static const char *const turning[] = {"page", "pageToken"};

	for (int i = 0; query && i < (int) lengthof(turning); i++)
		if (sigma_query_has(query, turning[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"query\" must not have the parameter \"%s\"", turning[i]),
					 errhint("sigma_list() asks for all pages; sigma_request() for one.")));
}

/* Everything is allocated in the current memory context. */
static ListCall *
begin_list(FunctionCallInfo fcinfo)
{
	ListCall   *list = palloc0(sizeof(ListCall));
	SigmaListSpec spec = {.resource = &list->resource, .prefetch = true, .raw = true, .alone = true};
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *path = sigma_text_argument(fcinfo, 1, "path");
	char	   *query;

	sigma_session_check_path(session, path, "sigma_list()");
	query = sigma_query_argument(fcinfo, 2, &spec.secrets);
	check_query(query);
	list->resource.name = path;
	list->resource.path = path;
	list->resource.query = query;
	list->resource.paging = SIGMA_PAGING_FOUND;
	spec.path = path;
	/* without a name, since a path may have in it what others need not see */
	spec.progress = sigma_progress_begin(session, CurrentMemoryContext, NULL);
	list->pager = sigma_pager_open(session, CurrentMemoryContext, &spec, NULL);
	return list;
}

/*
 * sigma_list(server, path, query) returns setof jsonb
 */
Datum
sigma_list(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	ListCall   *list;
	SigmaEntry	entry;
	SigmaHiding hiding;
	Datum		result = (Datum) 0;
	bool		found;

	/* the query may have a secret */
	sigma_hide_statement(&hiding);
	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		context->user_fctx = begin_list(fcinfo);
		MemoryContextSwitchTo(old);
	}
	context = SRF_PERCALL_SETUP();
	list = context->user_fctx;
	found = sigma_pager_next(list->pager, &entry);
	if (found)
		result = sigma_json_to_jsonb(entry.text);
	sigma_show_statement(&hiding);
	if (found)
		SRF_RETURN_NEXT(context, result);
	SRF_RETURN_DONE(context);
}

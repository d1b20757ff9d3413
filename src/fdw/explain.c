/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN shows: the request as it will be sent, and with ANALYZE
 *	  what the requests came to.  Makes no request.
 *
 * What stays local is shown by PostgreSQL itself, as the node's "Filter".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* What requests came to, if they were made. */
void
sigma_explain_stats(const SigmaStats *stats, ExplainState *es)
{
	if (!es->analyze || stats == NULL)
		return;
	ExplainPropertyInteger("Requests", NULL, stats->requests, es);
	ExplainPropertyInteger("Pages", NULL, stats->pages, es);
	ExplainPropertyInteger("Retries", NULL, stats->retries, es);
	ExplainPropertyInteger("Sign-Ins", NULL, stats->sign_ins, es);
	ExplainPropertyInteger("Concurrency", NULL, stats->concurrency, es);
	if (es->format != EXPLAIN_FORMAT_TEXT || stats->throttled > 0 || stats->throttled_ms > 0)
	{
		ExplainPropertyInteger("Throttled", NULL, stats->throttled, es);
		if (es->timing)
			ExplainPropertyFloat("Throttled Time", "ms", stats->throttled_ms, 3, es);
	}
	if (stats->failed_parents > 0)
		ExplainPropertyInteger("Failed Parents", NULL, stats->failed_parents, es);
	if (stats->nothing_there > 0)
		ExplainPropertyInteger("Lists Not There", NULL, stats->nothing_there, es);
	ExplainPropertyInteger("Bytes Received", NULL, stats->bytes, es);
	if (es->timing)
		ExplainPropertyFloat("Waiting Time", "ms", stats->wait_ms, 3, es);
}

/* Makes parameters that other plan nodes set such as print as a number. */
static Node *
number_params(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Param))
	{
		Param	   *param = copyObject((Param *) node);

		param->paramkind = PARAM_EXTERN;
		return (Node *) param;
	}
	return expression_tree_mutator(node, number_params, context);
}

/*
 * An expression of the plan, as SQL.  Where a parameter's value comes from can
 * only be told with the nodes above this one, which PostgreSQL does not show to
 * this callback, and from 17 on it insists on being told.
 */
char *
sigma_deparse(ForeignScanState *node, ExplainState *es, Node *expr)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, NIL);

	return deparse_expression(number_params(expr, NULL), context,
							  list_length(es->rtable) > 1 || es->verbose, false);
}

/* A constant as text; NULL if the expression is none, or the constant is NULL. */
char *
sigma_constant_text(Node *expr)
{
	Const	   *constant = (Const *) expr;
	Oid			output;
	bool		is_varlena;

	if (!IsA(expr, Const) || constant->constisnull)
		return NULL;
	getTypeOutputInfo(constant->consttype, &output, &is_varlena);
	return OidOutputFunctionCall(output, constant->constvalue);
}

/* The lists that are walked to learn the keys that the query does not give. */
static void
explain_parents(const SigmaResource *resource, SigmaScope scope, ExplainState *es)
{
	List	   *requests = NIL;

	while ((resource = sigma_parent(resource)) != NULL)
	{
		SigmaListSpec spec = {.limit = SIGMA_MAX_PAGE_SIZE, .scope = scope};

		spec.resource = resource;
		spec.path = resource->path;
		requests = lcons(sigma_shown_request("GET", sigma_list_target(&spec, NULL), NULL), requests);
	}
	if (requests)
		ExplainPropertyList("Remote Parent Requests", requests, es);
}

static void
explain_list(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(node->ss.ss_currentRelation));
	bool		flat = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_FLAT)) != 0;
	const SigmaResource *resource = sigma_planned_resource(options, flat);
	SigmaListSpec spec = {
		.resource = resource,
		.limit = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_LIMIT)),
		.scope = options->scope,
		.item = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_ITEM)) != 0,
	};
	const char *path = spec.item ? resource->item_path : resource->path;
	const char *keys[SIGMA_MAX_KEYS];
	char	   *values[SIGMA_MAX_KEYS] = {NULL};
	StringInfoData filters;
	List	   *open = NIL;		/* what is known only when the scan runs */
	bool		all_given = true;
	bool		nothing = false;	/* no column shows what the query asks for */
	int			next = 0;
	ListCell   *lc;

	(void) sigma_path_keys(path, keys);
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_SCAN_KEYED))
	{
		int			i = foreach_current_index(lc);
		Node	   *expr;

		if (lfirst_int(lc) == SIGMA_KEYED_NO)
		{
			all_given = false;
			continue;
		}
		expr = list_nth(plan->fdw_exprs, next++);
		if (sigma_find_field(resource, keys[i])->kind == SIGMA_PLAIN)
			all_given = false;
		if (lfirst_int(lc) == SIGMA_KEYED_ONE)
			values[i] = sigma_constant_text(expr);
		nothing |= values[i] && !sigma_key_is_shown(sigma_find_field(resource, keys[i])->kind, values[i]);
		if (values[i] == NULL)
			open = lappend(open, psprintf(lfirst_int(lc) == SIGMA_KEYED_ANY ? "%s = ANY (%s)" : "%s = %s",
										  keys[i], sigma_deparse(node, es, expr)));
	}
	initStringInfo(&filters);
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_SCAN_FILTERS))
	{
		Node	   *expr = list_nth(plan->fdw_exprs, next++);
		char	   *text = sigma_constant_text(expr);
		const SigmaFilter *filter = &resource->filters[lfirst_int(lc)];
		const char *parameter = filter->parameter;

		if (text && !sigma_filter_takes(filter, text))
			continue;
		nothing |= text && !sigma_key_is_shown(sigma_find_field(resource, filter->column)->kind, text);
		appendStringInfo(&filters, "%s%s=%s", filters.len ? "&" : "", parameter,
						 text ? sigma_text_url_encode(text) : psprintf("{%s}", parameter));
		if (text == NULL)
			open = lappend(open, psprintf("%s = %s", parameter, sigma_deparse(node, es, expr)));
	}
	spec.filters = filters.data;
	spec.path = nothing ? NULL : sigma_fill_path(path, values);

	if (!all_given && !nothing)
		explain_parents(resource, options->scope, es);
	if (open)
		ExplainPropertyList("Remote Parameters", open, es);
	ExplainPropertyText("Remote Request",
						spec.path ? sigma_shown_request("GET", sigma_list_target(&spec, NULL), NULL) : "none", es);
}

void
sigmaExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;

	if (plan->scan.scanrelid > 0)
		explain_list(node, es);
	else
	{
		Oid			relid = sigma_count_relid(plan);

		ExplainPropertyText("Remote Count", get_rel_name(relid), es);
		ExplainPropertyText("Remote Request", sigma_shown_request("GET", sigma_count_target(relid), NULL), es);
	}
	sigma_explain_stats(sigma_scan_stats(node), es);
}

void
sigmaExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
						  int subplan_index UNUSED, ExplainState *es)
{
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rinfo->ri_RelationDesc));
	const SigmaResource *resource = sigma_table_resource(options);
	const char *target = psprintf("%s/{%s}", resource->path, resource->key);
	const char *method;

	if (mtstate->operation == CMD_UPDATE)
		method = sigma_update_method(RelationGetRelid(rinfo->ri_RelationDesc), fdw_private);
	else if (mtstate->operation == CMD_DELETE)
		method = "DELETE";
	else
	{
		method = "POST";
		target = resource->path;
	}
	ExplainPropertyText("Remote Request", sigma_shown_request(method, target, NULL), es);
	if (resource->writes == SIGMA_WRITES_CONNECTIONS && mtstate->operation != CMD_INSERT)
		ExplainPropertyText("Remote Request Sent", "at commit", es);
	sigma_explain_stats(sigma_modify_stats(rinfo), es);
}

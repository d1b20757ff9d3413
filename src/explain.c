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
#include "sigma_fdw.h"

#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

static void
explain_stats(const SigmaStats *stats, ExplainState *es)
{
	if (!es->analyze || stats == NULL)
		return;
	ExplainPropertyInteger("Requests", NULL, stats->requests, es);
	ExplainPropertyInteger("Pages", NULL, stats->pages, es);
	ExplainPropertyInteger("Retries", NULL, stats->retries, es);
	ExplainPropertyInteger("Sign-Ins", NULL, stats->sign_ins, es);
	ExplainPropertyInteger("Bytes Received", NULL, stats->bytes, es);
	if (es->timing)
		ExplainPropertyFloat("Waiting Time", "ms", stats->wait_ms, 3, es);
}

/* The expression that supplies the key, as SQL. */
static char *
deparse_key(ForeignScanState *node, ExplainState *es, Expr *key)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, NIL);

	return deparse_expression((Node *) key, context, list_length(es->rtable) > 1 || es->verbose, false);
}

void
sigmaExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(node->ss.ss_currentRelation));
	const SigmaResource *resource = sigma_table_resource(options);
	SigmaKeyed	keyed = intVal(list_nth(plan->fdw_private, SIGMA_SCAN_KEYED));
	char	   *target;

	if (keyed == SIGMA_KEYED_NO)
		target = sigma_list_target(resource, intVal(list_nth(plan->fdw_private, SIGMA_SCAN_LIMIT)),
								   options->include_archived, NULL);
	else
	{
		Expr	   *key = linitial(plan->fdw_exprs);

		target = psprintf("%s{%s}", resource->item_path, resource->key);
		if (keyed == SIGMA_KEYED_ONE && IsA(key, Const))
		{
			Const	   *constant = (Const *) key;
			Oid			output;
			bool		varlena;

			getTypeOutputInfo(constant->consttype, &output, &varlena);
			target = constant->constisnull ? NULL :
				sigma_item_target(resource, OidOutputFunctionCall(output, constant->constvalue));
		}
		else
			ExplainPropertyText("Remote Key",
								psprintf(keyed == SIGMA_KEYED_ANY ? "%s = ANY (%s)" : "%s = %s",
										 resource->key, deparse_key(node, es, key)),
								es);
	}
	ExplainPropertyText("Remote Request", target ? psprintf("GET %s", target) : "none", es);
	explain_stats(sigma_scan_stats(node), es);
}

void
sigmaExplainForeignModify(ModifyTableState *mtstate UNUSED, ResultRelInfo *rinfo, List *fdw_private UNUSED,
						  int subplan_index UNUSED, ExplainState *es)
{
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rinfo->ri_RelationDesc));

	ExplainPropertyText("Remote Request",
						psprintf("POST %s", sigma_table_resource(options)->path), es);
	explain_stats(sigma_modify_stats(rinfo), es);
}

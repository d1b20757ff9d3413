/*-------------------------------------------------------------------------
 *
 * element.c
 *	  Running a scan of the rows behind an element.
 *
 * An export is expensive, so a statement makes one for each scan, and keeps its
 * rows if they may be wanted again.  Most often they cannot be, and then a
 * million rows need no room.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/base.h"
#include "base/compat.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* In so many rows it is looked whether one names its NULLs. */
#define ROWS_TO_KNOW_COLUMNS 100

typedef struct ElementScan
{
	ForeignScanState *node;
	SigmaSession *session;
	SigmaRowReader *reader;
	SigmaExportStats stats;
	MemoryContext context;		/* of the whole scan */
	MemoryContext row_context;	/* of one row */
	Oid			relid;

	/* what is read */
	SigmaElementSpec spec;
	List	   *parameters;		/* those of the table, of SigmaParameter */
	List	   *set;			/* names of the controls that the query sets */
	List	   *exprs;			/* ExprStates of what they are set to */
	List	   *types;			/* and OIDs of their types */
	Bitmapset  *params;			/* what subqueries give, among the expressions */
	List	   *columns;		/* names of the controls that are columns */
	SigmaElement *element;		/* NULL until the first row is wanted */
	bool		nothing;		/* no row can be what the query asks for */

	bool		keep;
	SigmaKept	kept;
} ElementScan;

/* ----------------------------------------------------------- what is known */

SigmaExportMemory *
sigma_export_memory(Oid relid)
{
	static HTAB *memories = NULL;
	SigmaExportMemory *memory;
	bool		found;

	if (memories == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(SigmaExportMemory)};

		memories = hash_create("sigma exports", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	memory = hash_search(memories, &relid, HASH_ENTER, &found);
	if (!found)
	{
		memory->export_ms = 0;
		memory->rows = -1;
	}
	return memory;
}

/* ------------------------------------------------ may rows be wanted again? */

static bool on_way(const Plan *plan, const Plan *wanted);

static bool
any_on_way(const List *plans, const Plan *wanted)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		if (on_way(lfirst(lc), wanted))
			return true;
	}
	return false;
}

/*
 * Is a node below this one, or this one itself, with nothing in between that
 * could have it read twice?
 */
static bool
on_way(const Plan *plan, const Plan *wanted)
{
	if (plan == NULL)
		return false;
	if (plan == wanted)
		return true;
	switch (nodeTag(plan))
	{
		case T_Append:
		case T_MergeAppend:
		case T_SubqueryScan:
			return any_on_way(sigma_other_plans(plan), wanted);
		case T_NestLoop:

			/*
			 * a Material on the inner side keeps what it reads, unless that depends on the outer
			 * one
			 */
			return on_way(plan->lefttree, wanted) ||
				(((const NestLoop *) plan)->nestParams == NIL && IsA(plan->righttree, Material) &&
				 on_way(plan->righttree, wanted));
		case T_HashJoin:
		case T_MergeJoin:
			return on_way(plan->lefttree, wanted) || on_way(plan->righttree, wanted);
		case T_Result:
		case T_ProjectSet:
		case T_ModifyTable:
		case T_Hash:
		case T_Material:
		case T_Sort:
		case T_IncrementalSort:
		case T_Group:
		case T_Agg:
		case T_WindowAgg:
		case T_Unique:
		case T_SetOp:
		case T_LockRows:
		case T_Limit:
			return on_way(plan->lefttree, wanted) || on_way(plan->righttree, wanted);
		default:
			return false;
	}
}

/* -------------------------------------------------------------------- begin */

static void fetch_row(void *arg, TupleTableSlot *slot);

/*
 * What a table of an element is of.  Of its columns "attnums", "controls"
 * becomes the names of those that are for a control.
 */
static void
init_spec(SigmaElementSpec *spec, List **controls, Relation rel, const SigmaTableOptions *options,
		  const Bitmapset *attnums)
{
	Oid			relid = RelationGetRelid(rel);

	spec->workbook_id = options->workbook_id;
	spec->element_id = options->element_id;
	spec->tag = options->tag;
	spec->timeout_ms = options->export_timeout_ms;
	spec->relid = options->relid;
	spec->chunk_rows = options->export_rows;
	for (int attnum = 1; attnum <= RelationGetDescr(rel)->natts; attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
		char	   *control;
		char	   *field;

		if (att->attisdropped)
			continue;
		control = sigma_column_control_option(relid, (AttrNumber) attnum);
		field = sigma_column_field_option(relid, (AttrNumber) attnum);
		if (control == NULL)
			spec->columns = lappend(spec->columns, sigma_to_utf8(field ? field : NameStr(att->attname)));
		else if (bms_is_member(attnum, attnums))
			*controls = lappend(*controls, control);
	}
}

/* What a control is set to among parameters; NULL if it is not. */
static char *
value_of(const List *parameters, const char *control)
{
	char	   *value = NULL;
	ListCell   *lc;

	foreach(lc, parameters)
	{
		if (strcmp(((SigmaParameter *) lfirst(lc))->control, control) == 0)
			value = ((SigmaParameter *) lfirst(lc))->value;
	}
	return value;
}

/* What the controls are set to, and what the columns that are for one read as. */
static void
set_parameters(SigmaElementSpec *spec, List *parameters, const List *controls)
{
	ListCell   *lc;

	spec->parameters = parameters;
	spec->sent = palloc(Max(list_length(controls), 1) * sizeof(char *));
	foreach(lc, controls)
		spec->sent[foreach_current_index(lc)] = value_of(parameters, lfirst(lc));
}

SigmaElement *
sigma_element_open_whole(SigmaSession *session, MemoryContext context, Relation rel,
						 const SigmaTableOptions *options, const Bitmapset *attnums,
						 SigmaExportStats *stats, SigmaRowReader **reader)
{
	SigmaElementSpec spec = {0};
	List	   *controls = NIL;

	init_spec(&spec, &controls, rel, options, attnums);
	set_parameters(&spec, options->parameters ? sigma_parameters(options->parameters) : NIL, controls);
	*reader = sigma_element_reader(rel, attnums, controls);
	return sigma_element_open(session, context, &spec, stats);
}

/* The parameters in an expression that other plan nodes set, added to a Bitmapset. */
static bool
collect_params(Node *node, void *arg)
{
	Bitmapset **params = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_params, arg);
}

void
sigma_begin_element_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Relation	rel = node->ss.ss_currentRelation;
	ElementScan *scan;
	SigmaTableOptions *options;
	Bitmapset  *attnums = NULL;
	ListCell   *lc;

	sigma_check_controls(node);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	options = sigma_table_options(RelationGetRelid(rel));
	scan = palloc0(sizeof(ElementScan));
	scan->node = node;
	scan->relid = RelationGetRelid(rel);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "sigma scan", ALLOCSET_SMALL_SIZES);
	scan->row_context = AllocSetContextCreate(scan->context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	scan->session = sigma_session_open(GetForeignTable(scan->relid)->serverid,
									   sigma_scan_userid(plan, node->ss.ps.state), scan->context);
	scan->spec.wanted = intVal(list_nth(plan->fdw_private, SIGMA_ELEMENT_WANTED));
	scan->parameters = options->parameters ? sigma_parameters(options->parameters) : NIL;
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_ELEMENT_CONTROLS))
		scan->set = lappend(scan->set, strVal(lfirst(lc)));
	scan->exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	(void) collect_params((Node *) plan->fdw_exprs, &scan->params);
	foreach(lc, plan->fdw_exprs)
		scan->types = lappend_oid(scan->types, exprType(lfirst(lc)));
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_ELEMENT_ATTRIBUTES))
		attnums = bms_add_member(attnums, lfirst_int(lc));
	init_spec(&scan->spec, &scan->columns, rel, options, attnums);
	scan->reader = sigma_element_reader(rel, attnums, scan->columns);
	scan->keep = (eflags & EXEC_FLAG_REWIND) != 0 ||
		!on_way(node->ss.ps.state->es_plannedstmt->planTree, &plan->scan.plan);
	scan->kept = (SigmaKept)
	{
		scan->context, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor, fetch_row, scan, NULL, NULL, false
	};
	node->fdw_state = scan;
}

/* Evaluates what the query sets controls to, and begins. */
static void
begin_reading(ElementScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);
	List	   *parameters = list_copy(scan->parameters);
	ListCell   *lc;

	foreach(lc, scan->set)
	{
		int			i = foreach_current_index(lc);
		SigmaParameter *parameter = palloc(sizeof(SigmaParameter));
		bool		isnull;
		Datum		value = ExecEvalExprSwitchContext(list_nth(scan->exprs, i),
													  scan->node->ss.ps.ps_ExprContext, &isnull);
		Oid			output;
		bool		is_varlena;

		/* nothing is equal to a NULL */
		scan->nothing |= isnull;
		if (isnull)
			continue;
		getTypeOutputInfo(list_nth_oid(scan->types, i), &output, &is_varlena);
		parameter->control = lfirst(lc);
		parameter->value = OidOutputFunctionCall(output, value);
		parameters = lappend(parameters, parameter);
	}
	set_parameters(&scan->spec, parameters, scan->columns);
	scan->element = sigma_element_open(scan->session, scan->context, &scan->spec, &scan->stats);
	MemoryContextSwitchTo(old);
}

/* --------------------------------------------------------------------- rows */

/* All rows have been read: what that came to is for the planner, the next time. */
static void
note_end(ElementScan *scan)
{
	SigmaExportMemory *memory = sigma_export_memory(scan->relid);

	sigma_check_fields(scan->reader);
	if (scan->spec.wanted == 0 && scan->set == NIL)
		memory->rows = (double) scan->stats.rows;
}

/* Does a row say which of its columns are NULL?  Then it has all that the element has. */
static bool
names_nulls(const SigmaEntry *entry)
{
	SigmaJsonValue object = sigma_json_object(entry->text);
	SigmaJsonMember member;
	const char *cursor = NULL;

	while (sigma_json_next_member(&object, &cursor, &member))
		if (member.value.kind == SIGMA_JSON_NULL)
			return true;
	return false;
}

/* Is it known now which columns the element has?  If it cannot be, the end of the rows tells. */
static bool
knows_columns(const ElementScan *scan, const SigmaEntry *entry)
{
	return scan->stats.rows == scan->spec.wanted ||
		(scan->stats.rows <= ROWS_TO_KNOW_COLUMNS && names_nulls(entry));
}

static void
fetch_row(void *arg, TupleTableSlot *slot)
{
	ElementScan *scan = arg;
	int			natts = slot->tts_tupleDescriptor->natts;
	bool		first = scan->element == NULL;
	SigmaEntry	entry;
	bool		found;
	MemoryContext old;

	ExecClearTuple(slot);
	MemoryContextReset(scan->row_context);
	if (first)
		begin_reading(scan);
	if (scan->nothing)
		return;
	old = MemoryContextSwitchTo(scan->row_context);
	found = sigma_element_next(scan->element, &entry);
	if (first)
		sigma_export_memory(scan->relid)->export_ms = scan->stats.export_ms;
	if (found)
	{
		memset(slot->tts_values, 0, natts * sizeof(Datum));
		memset(slot->tts_isnull, true, natts * sizeof(bool));
		sigma_read_row(scan->reader, &entry, slot->tts_values, slot->tts_isnull);
		if (knows_columns(scan, &entry))
			sigma_check_fields(scan->reader);
		ExecStoreVirtualTuple(slot);
	}
	MemoryContextSwitchTo(old);
	if (!found)
		note_end(scan);
}

TupleTableSlot *
sigma_iterate_element_scan(ForeignScanState *node)
{
	ElementScan *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (scan->keep)
		return sigma_next_kept(&scan->kept, slot);
	fetch_row(scan, slot);
	return slot;
}

void
sigma_rescan_element_scan(ForeignScanState *node)
{
	ElementScan *scan = node->fdw_state;

	if (scan == NULL)
		return;
	/* a control may be set to something else now; otherwise the rows are the same */
	if (bms_overlap(node->ss.ps.chgParam, scan->params))
	{
		sigma_end_kept(&scan->kept);
		if (scan->element)
			sigma_element_close(scan->element);
		scan->element = NULL;
		scan->nothing = false;
		scan->reader->row = 0;
	}
	else if (scan->kept.store)
		tuplestore_rescan(scan->kept.store);
	else if (scan->element)
	{
		/* it was not foreseen, but what happens once may happen again */
		sigma_element_close(scan->element);
		scan->element = NULL;
		scan->reader->row = 0;
		scan->keep = true;
	}
}

void
sigma_end_element_scan(ForeignScanState *node)
{
	ElementScan *scan = node->fdw_state;

	if (scan == NULL)
		return;
	sigma_end_kept(&scan->kept);
	MemoryContextDelete(scan->context);
	node->fdw_state = NULL;
}

/* ------------------------------------------------------------------ EXPLAIN */

/* What controls are set to, as far as it is known now. */
static void
explain_parameters(ForeignScanState *node, const SigmaTableOptions *options, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *texts = NIL;
	ListCell   *lc;

	if (options->parameters)
	{
		foreach(lc, sigma_parameters(options->parameters))
		{
			const SigmaParameter *parameter = lfirst(lc);

			texts = lappend(texts, psprintf("%s = %s", parameter->control, parameter->value));
		}
	}
	foreach(lc, (List *) list_nth(plan->fdw_private, SIGMA_ELEMENT_CONTROLS))
	{
		Node	   *expr = list_nth(plan->fdw_exprs, foreach_current_index(lc));
		char	   *text = sigma_constant_text(expr);

		texts = lappend(texts, psprintf("%s = %s", strVal(lfirst(lc)),
										text ? text : sigma_deparse(node, es, expr)));
	}
	if (texts)
		ExplainPropertyList("Remote Parameters", texts, es);
}

void
sigma_explain_element(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(node->ss.ss_currentRelation));
	int			wanted = intVal(list_nth(plan->fdw_private, SIGMA_ELEMENT_WANTED));
	const ElementScan *scan = node->fdw_state;

	ExplainPropertyText("Remote Request",
						sigma_shown_request("POST", sigma_export_target(sigma_element_path(options->workbook_id)),
											NULL), es);
	ExplainPropertyText("Remote Element", options->element_id, es);
	ExplainPropertyText("Remote Format", es->analyze && scan && scan->stats.as_array ? "json" : "jsonl", es);
	if (options->tag)
		ExplainPropertyText("Remote Tag", options->tag, es);
	explain_parameters(node, options, es);
	if (wanted > 0)
		ExplainPropertyInteger("Remote Row Limit", NULL, wanted, es);
	if (!es->analyze || scan == NULL)
		return;
	ExplainPropertyInteger("Exports", NULL, scan->stats.exports, es);
	ExplainPropertyInteger("Polls", NULL, scan->stats.polls, es);
	ExplainPropertyInteger("Rows Received", NULL, scan->stats.rows, es);
	ExplainPropertyInteger("Requests", NULL, scan->stats.calls.requests, es);
	ExplainPropertyInteger("Retries", NULL, scan->stats.calls.retries, es);
	ExplainPropertyInteger("Sign-Ins", NULL, scan->stats.calls.sign_ins, es);
	ExplainPropertyInteger("Bytes Received", NULL, scan->stats.calls.bytes, es);
	if (es->timing)
	{
		ExplainPropertyFloat("Export Time", "ms", scan->stats.export_ms, 3, es);
		ExplainPropertyFloat("Waiting Time", "ms", scan->stats.calls.wait_ms, 3, es);
	}
}

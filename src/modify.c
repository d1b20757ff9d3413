/*-------------------------------------------------------------------------
 *
 * modify.c
 *	  Creating connections, and what a rollback leaves behind.
 *
 * A create acts in Sigma at once; PostgreSQL can neither delay it (RETURNING
 * needs the new id) nor take it back.  So every create of a transaction is
 * remembered until the transaction ends, and if it is rolled back, a WARNING
 * names each connection that exists in Sigma all the same.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* How a column's value becomes JSON. */
typedef enum JsonForm
{
	FORM_STRING,
	FORM_LITERAL,				/* a number: its text is JSON already */
	FORM_BOOL,
	FORM_JSON
} JsonForm;

typedef struct WriteColumn
{
	AttrNumber	attnum;
	const char *name;			/* SQL name */
	const char *field;			/* the API's name */
	SigmaWriteTo write;
	bool		is_details;		/* the column of the whole object */
	bool		is_name;
	JsonForm	form;
	FmgrInfo	output;
} WriteColumn;

typedef struct SigmaModify
{
	SigmaSession *session;
	const SigmaResource *resource;
	int			ncolumns;
	WriteColumn *columns;
	Bitmapset  *attnums;		/* of all columns */
	SigmaRowReader *reader;		/* NULL if nobody looks at the new row */
	SigmaStats	stats;
	bool		started;		/* the first row has come */
	MemoryContext context;
	MemoryContext row_context;
} SigmaModify;

/* ------------------------------------------- what this transaction has made */

typedef struct Created
{
	char	   *name;
	char	   *id;				/* NULL while it is not known */
	char	   *server;
	int			level;			/* transaction nesting level that it belongs to */
} Created;

static MemoryContext created_context = NULL;
static List *created = NIL;		/* of Created, in created_context */

/* The transaction or subtransaction of this level is rolled back. */
static void
warn_of_created(int level)
{
	ListCell   *lc;

	foreach(lc, created)
	{
		Created    *c = lfirst(lc);

		if (c->level < level)
			continue;
		if (c->id)
			ereport(WARNING,
					(errmsg("connection \"%s\" (%s) exists in Sigma although its transaction was rolled back",
							c->name, c->id),
					 errdetail("It was created on server \"%s\".", c->server),
					 errhint("Delete it in Sigma if it is not wanted.")));
		else
			ereport(WARNING,
					(errmsg("connection \"%s\" may exist in Sigma although its transaction was rolled back",
							c->name),
					 errdetail("The request to create it on server \"%s\" was sent, but its outcome is unknown.",
							   c->server),
					 errhint("Look in Sigma for a connection of that name before you try again.")));
		created = foreach_delete_current(created, lc);
	}
}

static void
on_transaction_end(XactEvent event, void *arg UNUSED)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (created != NIL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has created connections in Sigma")));
			return;
		case XACT_EVENT_ABORT:
			warn_of_created(1);
			break;
		case XACT_EVENT_COMMIT:
			break;
		default:
			return;
	}
	created = NIL;
	if (created_context)
		MemoryContextReset(created_context);
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId subid UNUSED, SubTransactionId parent UNUSED,
					  void *arg UNUSED)
{
	int			level = GetCurrentTransactionNestLevel();
	ListCell   *lc;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		warn_of_created(level);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		foreach(lc, created)
		{
			Created    *c = lfirst(lc);

			c->level = Min(c->level, level - 1);
		}
}

/* Remembers a create that is about to be sent. */
static Created *
remember_created(const char *name, const char *server)
{
	MemoryContext old;
	Created    *c;

	if (created_context == NULL)
	{
		created_context = AllocSetContextCreate(TopMemoryContext, "sigma created connections",
												ALLOCSET_SMALL_SIZES);
		RegisterXactCallback(on_transaction_end, NULL);
		RegisterSubXactCallback(on_subtransaction_end, NULL);
	}
	old = MemoryContextSwitchTo(created_context);
	c = palloc0(sizeof(Created));
	c->name = pstrdup(name);
	c->server = pstrdup(server);
	c->level = GetCurrentTransactionNestLevel();
	created = lappend(created, c);
	MemoryContextSwitchTo(old);
	return c;
}

static void
forget_created(Created *c)
{
	created = list_delete_ptr(created, c);
}

/*
 * Creates a connection and waits for the reply, which the returned call holds.
 * "body" is the request's JSON in UTF-8, "secrets" what must be masked in
 * anything the server says.  Raises if the server refuses, or if the outcome
 * is not known.
 */
SigmaCall *
sigma_create_connection_call(SigmaSession *session, MemoryContext context,
							 const SigmaResource *resource, const char *name, const char *body,
							 List *secrets, SigmaStats *stats)
{
	Created    *c = remember_created(name, sigma_session_server(session));
	SigmaCall  *volatile call = NULL;
	SigmaJsonValue reply;
	const char *error;
	char	   *id;

	PG_TRY();
	{
		SigmaCallSpec spec = {
			.method = "POST",
			.target = resource->path,
			.body = body,
			.purpose = SIGMA_WRITE,
			.subject = psprintf("creating connection \"%s\"", name),
			.secrets = secrets,
			.stats = stats,
		};

		call = sigma_call_start(session, context, &spec);
		sigma_call_wait(call);
		if (sigma_call_failure(call))
			sigma_raise(sigma_call_failure(call));
	}
	PG_CATCH();
	{
		/* what was surely not carried out need not be named after a rollback */
		if (call == NULL || !sigma_call_may_have_acted(call))
			forget_created(c);
		PG_RE_THROW();
	}
	PG_END_TRY();

	if (!sigma_json_check(sigma_call_body(call), &reply, &error))
		sigma_raise_reply(sigma_call_target(call), "%s", error);
	if (reply.kind != SIGMA_JSON_OBJECT)
		sigma_raise_reply(sigma_call_target(call), "it is not an object");
	id = sigma_json_member_text(&reply, "connectionId");
	if (id == NULL)
		sigma_raise_reply(sigma_call_target(call), "it has no \"connectionId\"");
	c->id = MemoryContextStrdup(created_context, id);
	return call;
}

/* ------------------------------------------------------ the body of a create */

static bool
member_equals(const JsonbValue *member, Datum typed)
{
	JsonbValue	copy = *member;

	return compareJsonbContainers(&JsonbValueToJsonb(&copy)->root,
								  &DatumGetJsonbP(typed)->root) == 0;
}

/*
 * Puts a request's body together.  "typed" is a list of SigmaTyped, values
 * that stand outside "details"; those that belong into it are merged with it.
 * A value in both must be the same.  *secrets gets what must not be shown.
 * Everything is allocated in the current memory context.  Raises 23502 for a
 * missing name or type and 22023 for a contradiction, never with a value.
 */
const char *
sigma_connection_body(const char *name, const Datum *details, List *typed, List **secrets)
{
	SigmaBody  *body = sigma_body_begin(CurrentMemoryContext);
	Datum		merged = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	ListCell   *lc;
	JsonbValue	member;
	Jsonb	   *root;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a name"),
				 errhint("Give a value for \"name\".")));
	if (details && !JB_ROOT_IS_OBJECT(DatumGetJsonbP(*details)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"details\" must be a JSON object")));
	if (details)
		merged = *details;

	sigma_body_add_json(body, "name", sigma_text_to_json(name));
	foreach(lc, typed)
	{
		SigmaTyped *t = lfirst(lc);
		StringInfoData pair;
		Datum		value;

		if (t->write != SIGMA_WRITE_DETAILS)
		{
			sigma_body_add_json(body, t->field, t->json);
			continue;
		}
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(t->json));
		if (getKeyJsonValueFromContainer(&DatumGetJsonbP(merged)->root, t->field,
										 (int) strlen(t->field), &member))
		{
			if (!member_equals(&member, value))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("column \"%s\" contradicts \"%s\" in \"details\"", t->column, t->field),
						 errhint("Give the value in one of the two places, or the same in both.")));
			continue;
		}
		initStringInfo(&pair);
		appendStringInfo(&pair, "{%s:%s}", sigma_text_to_json(t->field), t->json);
		merged = DirectFunctionCall2(jsonb_concat, merged,
									 DirectFunctionCall1(jsonb_in, CStringGetDatum(pair.data)));
	}

	root = DatumGetJsonbP(merged);
	if (!getKeyJsonValueFromContainer(&root->root, "type", 4, &member) ||
		member.type != jbvString || member.val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a type"),
				 errhint("Give a value for \"type\", such as 'snowflake', in its column or in \"details\".")));
	*secrets = sigma_json_secrets(*secrets, merged);
	sigma_body_add_json(body, "details", JsonbToCString(NULL, &root->root, VARSIZE(root)));
	return sigma_body_text(body);
}

/* ------------------------------------------------------------------- INSERT */

/* Which modifications a table takes: a bit mask of CmdTypes. */
int
sigmaIsForeignRelUpdatable(Relation rel)
{
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rel));

	if (!options->updatable || !sigma_table_resource(options)->creatable)
		return 0;
	return 1 << CMD_INSERT;
}

static void
refuse_on_conflict(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("INSERT with ON CONFLICT clause is not supported for foreign tables of Sigma"),
			 errdetail("Sigma has no rule by which connections could conflict: two may have the same name.")));
}

List *
sigmaPlanForeignModify(PlannerInfo *root UNUSED, ModifyTable *plan, Index result_relation UNUSED,
					   int subplan_index UNUSED)
{
	if (plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict();
	return NIL;
}

static void
prepare_column(WriteColumn *column, Relation rel, const SigmaResource *resource, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	const SigmaField *known;
	Oid			output;
	bool		varlena;

	column->attnum = attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->field = sigma_column_field(rel, resource, attnum, &known);
	column->write = known ? known->write : SIGMA_WRITE_NOWHERE;
	column->is_details = known && strcmp(known->column, "details") == 0;
	column->is_name = known && strcmp(known->column, "name") == 0;
	switch (getBaseType(att->atttypid))
	{
		case BOOLOID:
			column->form = FORM_BOOL;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			column->form = FORM_LITERAL;
			break;
		case JSONOID:
		case JSONBOID:
			column->form = FORM_JSON;
			break;
		default:
			column->form = FORM_STRING;
	}
	getTypeOutputInfo(att->atttypid, &output, &varlena);
	fmgr_info(output, &column->output);
}

/* Common to ModifyTable, COPY and tuple routing. */
static void
begin_modify(ResultRelInfo *rinfo, EState *estate)
{
	Relation	rel = rinfo->ri_RelationDesc;
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rel));
	MemoryContext context = AllocSetContextCreate(estate->es_query_cxt, "sigma modify",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	SigmaModify *m = palloc0(sizeof(SigmaModify));
	int			natts = RelationGetDescr(rel)->natts;

	m->context = context;
	m->row_context = AllocSetContextCreate(context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	m->resource = sigma_table_resource(options);
	m->columns = palloc0(Max(natts, 1) * sizeof(WriteColumn));
	for (int i = 1; i <= natts; i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i - 1)->attisdropped)
			continue;
		prepare_column(&m->columns[m->ncolumns++], rel, m->resource, (AttrNumber) i);
		m->attnums = bms_add_member(m->attnums, i);
	}
	m->session = sigma_session_open(GetForeignTable(RelationGetRelid(rel))->serverid,
									sigma_modify_userid(rinfo, estate), context);
	MemoryContextSwitchTo(old);
	rinfo->ri_FdwState = m;
}

void
sigmaBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private UNUSED,
						int subplan_index UNUSED, int eflags)
{
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		begin_modify(rinfo, mtstate->ps.state);
}

/* COPY FROM, or a partition that rows are routed to. */
void
sigmaBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	ModifyTable *plan = castNode(ModifyTable, mtstate->ps.plan);

	if (plan && plan->onConflictAction != ONCONFLICT_NONE)
		refuse_on_conflict();
	begin_modify(rinfo, mtstate->ps.state);
}

/* A column's value as JSON text. */
static char *
column_to_json(WriteColumn *column, Datum value)
{
	char	   *text = OutputFunctionCall(&column->output, value);

	switch (column->form)
	{
		case FORM_JSON:
			return text;
		case FORM_BOOL:
			return text[0] == 't' ? "true" : "false";
		case FORM_LITERAL:
			/* numeric has NaN and Infinity, JSON has not */
			if (strspn(text, "0123456789+-.eE") == strlen(text))
				return text;
			/* FALLTHROUGH */
		case FORM_STRING:
			break;
	}
	return sigma_text_to_json(text);
}

/* The request's body for a new row; checks what can be checked before. */
static const char *
row_to_body(SigmaModify *m, TupleTableSlot *slot, char **name, List **secrets)
{
	List	   *typed = NIL;
	Datum		details = (Datum) 0;
	bool		has_details = false;

	*name = NULL;
	slot_getallattrs(slot);
	for (int i = 0; i < m->ncolumns; i++)
	{
		WriteColumn *column = &m->columns[i];
		Datum		value = slot->tts_values[column->attnum - 1];

		if (slot->tts_isnull[column->attnum - 1])
			continue;
		if (column->write == SIGMA_WRITE_NOWHERE)
			ereport(ERROR,
					(errcode(ERRCODE_GENERATED_ALWAYS),
					 errmsg("cannot insert a value into column \"%s\"", column->name),
					 errdetail("Sigma sets it, or takes it in another form in \"details\".")));
		if (column->is_name)
			*name = OutputFunctionCall(&column->output, value);
		else if (column->is_details)
		{
			details = DirectFunctionCall1(jsonb_in,
										  CStringGetDatum(OutputFunctionCall(&column->output, value)));
			has_details = true;
		}
		else
		{
			SigmaTyped *t = palloc(sizeof(SigmaTyped));

			t->column = column->name;
			t->field = column->field;
			t->write = column->write;
			t->json = column_to_json(column, value);
			typed = lappend(typed, t);
		}
	}
	return sigma_connection_body(*name, has_details ? &details : NULL, typed, secrets);
}

/* The new row as Sigma returned it, into the slot. */
static void
read_created(SigmaModify *m, SigmaCall *call, TupleTableSlot *slot)
{
	SigmaJsonValue reply;
	SigmaEntry	entry = {0};
	const char *error;
	int			natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memset(slot->tts_values, 0, natts * sizeof(Datum));
	memset(slot->tts_isnull, true, natts * sizeof(bool));
	(void) sigma_json_check(sigma_call_body(call), &reply, &error);
	entry.text = reply.text;
	sigma_read_row(m->reader, &entry, slot->tts_values, slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
}

/*
 * Before the first row: the statement must not read what it makes, and now it
 * is known whether anybody will look at the new rows.
 */
static void
start_inserting(SigmaModify *m, EState *estate, ResultRelInfo *rinfo)
{
	MemoryContext old;

	m->started = true;
	sigma_drain_scans(estate, sigma_session_serverid(m->session));
	if (!rinfo->ri_projectReturning && !rinfo->ri_WithCheckOptions &&
		!(rinfo->ri_TrigDesc && rinfo->ri_TrigDesc->trig_insert_after_row))
		return;
	old = MemoryContextSwitchTo(m->context);
	m->reader = sigma_row_reader(rinfo->ri_RelationDesc, m->resource, m->attnums);
	MemoryContextSwitchTo(old);
}

TupleTableSlot *
sigmaExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot UNUSED)
{
	SigmaModify *m = rinfo->ri_FdwState;
	MemoryContext old;
	ErrorContextCallback hide;
	List	   *secrets = NIL;
	char	   *name;
	const char *body;
	SigmaCall  *call;

	/* the statement may hold the secrets of what is created */
	hide.callback = sigma_hide_statement_callback;
	hide.arg = NULL;
	hide.previous = error_context_stack;
	error_context_stack = &hide;

	/* what the last call returned lived until now */
	MemoryContextReset(m->row_context);
	old = MemoryContextSwitchTo(m->row_context);
	body = row_to_body(m, slot, &name, &secrets);
	if (!m->started)
		start_inserting(m, estate, rinfo);
	call = sigma_create_connection_call(m->session, m->row_context, m->resource, name, body,
										secrets, &m->stats);
	if (m->reader)
		read_created(m, call, slot);
	MemoryContextSwitchTo(old);
	error_context_stack = hide.previous;
	return slot;
}

void
sigmaEndForeignModify(EState *estate UNUSED, ResultRelInfo *rinfo)
{
	SigmaModify *m = rinfo->ri_FdwState;

	if (m == NULL)
		return;
	MemoryContextDelete(m->context);
	rinfo->ri_FdwState = NULL;
}

/* What the statement's requests came to so far; NULL if it has not begun. */
const SigmaStats *
sigma_modify_stats(ResultRelInfo *rinfo)
{
	return rinfo->ri_FdwState ? &((SigmaModify *) rinfo->ri_FdwState)->stats : NULL;
}

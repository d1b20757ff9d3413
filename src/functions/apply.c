/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  sigma_plan() and sigma_apply(): connections as a query wants them.
 *
 * The query's rows are compared with the connections that Sigma has, by name.
 * What differs becomes creates, updates and deletes, which are those of INSERT,
 * UPDATE and DELETE in every respect.  Only what Sigma shows can be compared:
 * a changed password is no difference.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>

#include "access/attnum.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "txn/txn.h"
#include "read/read.h"
#include "write/write.h"
#include "fdw/fdw.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_plan);
PG_FUNCTION_INFO_V1(sigma_apply);

/* A connection that the query wants, and what is to be done for it. */
typedef struct Wanted
{
	SigmaContent content;
	const char *action;
	SigmaSpan	entry;			/* that Sigma has; empty: none */
	const char *body;			/* of the request */
	List	   *secrets;
	char	   *type;
	char	   *id;				/* NULL if there is none, or it is not known */
	List	   *differing;		/* names of fields */
} Wanted;

/* The connections that Sigma has of a name. */
typedef struct Existing
{
	char	   *name;			/* in UTF-8, since the database may not be able to hold it */
	uint32		hash;
	char		status;
	List	   *entries;		/* of SigmaSpan * */
	bool		wanted;
} Existing;

#define SH_PREFIX existing
#define SH_ELEMENT_TYPE Existing
#define SH_KEY name
#include "base/texthash.h"

/* -------------------------------------------------------- what the query wants */

/* The columns of the query's result, as columns of a table of connections. */
static SigmaWriteColumn *
query_columns(TupleDesc desc)
{
	const SigmaResource *resource = sigma_find_resource("connections");
	SigmaWriteColumn *columns = palloc0(Max(desc->natts, 1) * sizeof(SigmaWriteColumn));
	bool		has_name = false;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const SigmaField *field = sigma_find_field(resource, NameStr(att->attname));
		SigmaWriteColumn *column = &columns[i];

		if (field == NULL || field->write == SIGMA_WRITE_NOWHERE)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the query is not a column that a connection can be given",
							NameStr(att->attname)),
					 errhint("The query gives name, type and details; it may also have other columns that INSERT takes.")));
		for (int j = 0; j < i; j++)
			if (columns[j].column == field->column)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("the query has two columns \"%s\"", field->column)));
		column->attnum = (AttrNumber) (i + 1);
		column->name = pstrdup(NameStr(att->attname));
		column->column = field->column;
		column->field = field->field;
		column->write = field->write;
		sigma_set_form(column, att->atttypid);
		has_name |= strcmp(field->column, "name") == 0;
	}
	if (!has_name)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query has no column \"name\""),
				 errhint("It must give name, type and details of the connections that are wanted.")));
	return columns;
}

/* A row of the query's result. */
static Wanted *
read_wanted(HeapTuple row, TupleDesc desc, SigmaWriteColumn *columns)
{
	Wanted	   *w = palloc0(sizeof(Wanted));

	for (int i = 0; i < desc->natts; i++)
	{
		SigmaWriteColumn *column = &columns[i];
		bool		isnull;
		Datum		value = heap_getattr(row, column->attnum, desc, &isnull);

		if (!isnull)
			(void) sigma_content_add(&w->content, column, value, false);
	}
	if (w->content.name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a connection needs a name"),
				 errdetail("The query gives a row whose \"name\" is null.")));
	return w;
}

/* Is the text the name of a table or a view, rather than a query? */
static bool
is_relation(const char *text)
{
	bool		quoted = false;

	for (const char *p = text; *p; p++)
	{
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && !isalnum((unsigned char) *p) && !IS_HIGHBIT_SET(*p) &&
				 strchr("_$.", *p) == NULL)
			return false;
	}
	return text[0] != '\0';
}

/* Without the blanks around it, and the semicolon at its end; palloc'd. */
static char *
trim_query(const char *text)
{
	size_t		length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n;", text[length - 1]))
		length--;
	return pnstrdup(text, length);
}

/* Raises unless it is one statement that gives rows and does nothing else. */
static void
check_query(const char *query)
{
	List	   *parsed = raw_parser(query, RAW_PARSE_DEFAULT);
	Node	   *statement = list_length(parsed) == 1 ? linitial_node(RawStmt, parsed)->stmt : NULL;

	if (statement == NULL || !IsA(statement, SelectStmt) ||
		((SelectStmt *) statement)->intoClause)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be the name of a table or a view, or one query that returns rows", "query")));
}

/* May an error's message quote what stands in the query? */
static bool
may_quote(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	if (sqlstate == ERRCODE_INVALID_PARAMETER_VALUE)
		return false;
	return category == ERRCODE_DATA_EXCEPTION || sqlstate == ERRCODE_SYNTAX_ERROR ||
		sqlstate == ERRCODE_UNDEFINED_COLUMN;
}

/* Sets a setting until the nesting level ends, be it by an error. */
static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* The query's plan; parsing it tells nothing, for the parser's notices quote it. */
static SPIPlanPtr
prepare_query(const char *query)
{
	int			level = NewGUCNestLevel();
	SPIPlanPtr	plan;

	set_locally("client_min_messages", "error");
	set_locally("log_min_messages", "error");
	check_query(query);
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare the query");
	AtEOXact_GUC(true, level);
	return plan;
}

/*
 * Runs the query; its rows are in SPI_tuptable.  It is to say what is wanted,
 * and not to do anything, not even in a function.  It may hold secrets, so an
 * error does not repeat it.
 */
static void
run_query(const char *query)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		read_only = XactReadOnly;

	PG_TRY();
	{
		SPIPlanPtr	plan = prepare_query(query);
		Portal		portal;

		XactReadOnly = true;
		/* as a cursor: to run a plan would add the query to the context of all messages */
		portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
		SPI_cursor_fetch(portal, true, LONG_MAX);
		SPI_cursor_close(portal);
		XactReadOnly = read_only;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		XactReadOnly = read_only;
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		if (may_quote(error->sqlerrcode))
			ereport(ERROR,
					(errcode(error->sqlerrcode),
					 errmsg("the query of the connections that are wanted failed"),
					 errdetail("PostgreSQL's message is not repeated, since it may quote a secret that stands in the query."),
					 errhint("Run the query by itself to see what is wrong with it.")));
		error->context = NULL;
		error->internalquery = NULL;
		error->internalpos = 0;
		error->cursorpos = 0;
		error->hide_stmt = true;
		error->hide_ctx = true;
		ReThrowError(error);
	}
	PG_END_TRY();
}

/* All connections that the query wants, in the current memory context. */
static List *
read_query(const char *query)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	List	   *wanted = NIL;
	SigmaWriteColumn *columns;

	query = trim_query(query);
	if (is_relation(query))
		query = psprintf("SELECT * FROM %s", query);
	SPI_connect();
	run_query(query);
	spi = MemoryContextSwitchTo(caller);
	columns = query_columns(SPI_tuptable->tupdesc);
	for (uint64 i = 0; i < SPI_tuptable->numvals; i++)
	{
		CHECK_FOR_INTERRUPTS();
		wanted = lappend(wanted, read_wanted(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, columns));
	}
	MemoryContextSwitchTo(spi);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return wanted;
}

/* ---------------------------------------------------------- what Sigma has */

/* All connections, by name; *all has them in Sigma's order. */
static existing_hash *
read_existing(SigmaSession *session, List **all)
{
	existing_hash *table = existing_create(CurrentMemoryContext, 64, NULL);
	SigmaListSpec spec = {
		.resource = sigma_find_resource("connections"),
		.limit = SIGMA_MAX_PAGE_SIZE,
		.prefetch = true,
		.whole = true,
		/* what is missing in it would be created a second time */
		.exact = true,
	};
	SigmaPager *pager;
	SigmaEntry	entry;

	spec.path = spec.resource->path;
	pager = sigma_pager_open(session, CurrentMemoryContext, &spec, NULL);
	while (sigma_pager_next(pager, &entry))
	{
		SigmaJsonValue object = sigma_json_object(entry.text);
		char	   *name = sigma_json_member_utf8(&object, "name");
		SigmaSpan  *copy = palloc(sizeof(SigmaSpan));
		Existing   *existing;
		bool		found;

		if (name == NULL)
			continue;
		copy->data = pnstrdup(entry.text.data, entry.text.length);
		copy->length = entry.text.length;
		existing = existing_insert(table, name, &found);
		if (!found)
		{
			existing->entries = NIL;
			existing->wanted = false;
		}
		existing->entries = lappend(existing->entries, copy);
		*all = lappend(*all, copy);
	}
	sigma_pager_close(pager);
	return table;
}

static char *
entry_text(SigmaSpan entry, const char *field)
{
	SigmaJsonValue object = sigma_json_object(entry);

	return sigma_json_member_text(&object, field);
}

/* The connection that Sigma has of a name; raises 21000 if there are two. */
static const SigmaSpan *
only_entry(const Existing *existing)
{
	if (list_length(existing->entries) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("Sigma has two connections of the name %s",
						sigma_quoted(sigma_shown_name(*(SigmaSpan *) linitial(existing->entries)))),
				 errdetail("Their ids are %s and %s.",
						   sigma_shown_id(entry_text(*(SigmaSpan *) linitial(existing->entries), "connectionId")),
						   sigma_shown_id(entry_text(*(SigmaSpan *) lsecond(existing->entries), "connectionId"))),
				 errhint("Connections are told apart by their names: rename or delete one of the two.")));
	return linitial(existing->entries);
}

/* ------------------------------------------------------------------ the plan */

/*
 * A query that gives nothing is more likely to be wrong than to mean that
 * everything is to go.
 */
static void
check_prune(List *plan)
{
	ListCell   *lc;

	foreach(lc, plan)
	{
		if (strcmp(((Wanted *) lfirst(lc))->action, "archive") != 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the query wants no connections, and sigma_apply() does not delete them all"),
			 errhint("Use DELETE if they are all to go.")));
}

/* Compares what is wanted with the connection that Sigma has. */
static void
compare_wanted(Wanted *w)
{
	const Datum *details = w->content.has_details ? &w->content.details : NULL;

	w->secrets = NIL;
	w->body = sigma_replacement_body(w->entry, w->content.name, details, list_copy(w->content.typed), &w->secrets);
	w->differing = sigma_entry_differing(w->entry,
										 sigma_entry_replaced(w->entry, sigma_span(w->body)));
	w->action = w->differing ? "update" : "unchanged";
}

/* What is to be done for a connection that is wanted. */
static void
plan_wanted(Wanted *w, existing_hash *table)
{
	Existing   *existing = existing_lookup(table, sigma_to_utf8(w->content.name));

	if (existing == NULL)
	{
		w->action = "create";
		w->body = sigma_connection_body(w->content.name,
										w->content.has_details ? &w->content.details : NULL,
										w->content.typed, &w->secrets);
	}
	else
	{
		existing->wanted = true;
		w->entry = *only_entry(existing);
		w->id = sigma_key_spelling(SIGMA_INODE, entry_text(w->entry, "connectionId"));
		compare_wanted(w);
	}
	w->type = entry_text(sigma_entry_replaced(sigma_span("{}"), sigma_span(w->body)), "type");
}

/* What differs is compared with more than the list shows: a replacement is to keep all of it. */
static void
complete_updates(SigmaSession *session, List *plan)
{
	SigmaSpan  *entries = palloc(Max(list_length(plan), 1) * sizeof(SigmaSpan));
	List	   *updates = NIL;
	ListCell   *lc;

	foreach(lc, plan)
	{
		Wanted	   *w = lfirst(lc);

		if (strcmp(w->action, "update") != 0)
			continue;
		entries[list_length(updates)] = w->entry;
		updates = lappend(updates, w);
	}
	sigma_complete_entries(session, entries, list_length(updates), NULL);
	foreach(lc, updates)
	{
		Wanted	   *w = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		w->entry = entries[foreach_current_index(lc)];
		compare_wanted(w);
	}
}

/* Two rows of one name cannot both be had. */
static void
check_names(List *wanted)
{
	existing_hash *names = existing_create(CurrentMemoryContext, 64, NULL);
	ListCell   *lc;

	foreach(lc, wanted)
	{
		Wanted	   *w = lfirst(lc);
		bool		found;

		(void) existing_insert(names, w->content.name, &found);
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("the query wants two connections of the name %s", sigma_quoted(w->content.name)),
					 errhint("Connections are told apart by their names.")));
	}
}

static bool
is_true(SigmaSpan entry, const char *field)
{
	char	   *value = entry_text(entry, field);

	return value && strcmp(value, "true") == 0;
}

/* Adds what Sigma has and nobody wants, but for what is Sigma's own. */
static List *
plan_unwanted(List *plan, existing_hash *table, List *all)
{
	ListCell   *lc;

	foreach(lc, all)
	{
		SigmaSpan	entry = *(SigmaSpan *) lfirst(lc);
		SigmaJsonValue object = sigma_json_object(entry);
		Existing   *existing = existing_lookup(table, sigma_json_member_utf8(&object, "name"));
		Wanted	   *w;

		CHECK_FOR_INTERRUPTS();
		if (existing->wanted || is_true(entry, "isSample") ||
			is_true(entry, "isAuditLog"))
			continue;
		w = palloc0(sizeof(Wanted));
		w->content.name = sigma_shown_name(entry);
		w->action = "archive";
		w->entry = entry;
		w->id = sigma_key_spelling(SIGMA_INODE, entry_text(entry, "connectionId"));
		w->type = entry_text(entry, "type");
		plan = lappend(plan, w);
	}
	return plan;
}

/* What the query wants and what Sigma has, as a list of what is to be done. */
static List *
make_plan(SigmaSession *session, const char *query)
{
	List	   *plan = read_query(query);
	List	   *all = NIL;
	existing_hash *table;
	ListCell   *lc;

	check_names(plan);
	table = read_existing(session, &all);
	foreach(lc, plan)
	{
		CHECK_FOR_INTERRUPTS();
		plan_wanted(lfirst(lc), table);
	}
	complete_updates(session, plan);
	return plan_unwanted(plan, table, all);
}

/* ---------------------------------------------------------------- the result */

/* One row: action, name, connection_id, type, fields. */
static void
put_row(ReturnSetInfo *rsinfo, const Wanted *w)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {false};
	Datum	   *fields = palloc(Max(list_length(w->differing), 1) * sizeof(Datum));
	ListCell   *lc;

	values[0] = CStringGetTextDatum(w->action);
	values[1] = CStringGetTextDatum(w->content.name);
	nulls[2] = w->id == NULL;
	if (w->id)
		values[2] = CStringGetTextDatum(w->id);
	nulls[3] = w->type == NULL;
	if (w->type)
		values[3] = CStringGetTextDatum(w->type);
	foreach(lc, w->differing)
		fields[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	values[4] = PointerGetDatum(construct_array(fields, list_length(w->differing), TEXTOID, -1, false,
												TYPALIGN_INT));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static char *
query_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "query")));
	return text_to_cstring(PG_GETARG_TEXT_PP(1));
}

/*
 * A replacement without "details" would lose what only these have: an error,
 * or a NOTICE that it will be one.
 */
static void
check_updates(List *plan, int level)
{
	ListCell   *lc;

	foreach(lc, plan)
	{
		Wanted	   *w = lfirst(lc);

		if (strcmp(w->action, "update") == 0 && !w->content.has_details)
			ereport(level,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot update connection %s without \"details\"", sigma_quoted(w->content.name)),
					 errdetail("Sigma would replace the whole connection, and lose what it does not show: %s.",
							   sigma_connection_unshown(entry_text(w->entry, "type"))),
					 errhint("Let the query give \"details\", with all of these that the connection needs.")));
	}
}

/*
 * sigma_plan(server, query) returns rows (action, name, connection_id, type,
 * fields)
 */
Datum
sigma_plan(PG_FUNCTION_ARGS)
{
	SigmaHiding hiding;
	List	   *plan;
	ListCell   *lc;

	sigma_hide_statement(&hiding);
	plan = make_plan(sigma_function_session(fcinfo), query_argument(fcinfo));
	check_updates(plan, NOTICE);
	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, plan)
		put_row((ReturnSetInfo *) fcinfo->resultinfo, lfirst(lc));
	sigma_show_statement(&hiding);
	return (Datum) 0;
}

/* Creates what is missing, all at once. */
static void
create_missing(SigmaSession *session, List *plan)
{
	SigmaWrite *writes = palloc(Max(list_length(plan), 1) * sizeof(SigmaWrite));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, plan)
	{
		Wanted	   *w = lfirst(lc);

		if (strcmp(w->action, "create") == 0)
			writes[n++] = sigma_connection_write(w->content.name, w->body, w->secrets, NULL);
	}
	sigma_run_writes(session, CurrentMemoryContext, writes, n);
	n = 0;
	foreach(lc, plan)
	{
		Wanted	   *w = lfirst(lc);

		if (strcmp(w->action, "create") == 0)
			w->id = sigma_key_spelling(SIGMA_INODE, (char *) writes[n++].id);
	}
}

/*
 * sigma_apply(server, query, prune) does what sigma_plan() says, and returns
 * it; archives only with prune
 */
Datum
sigma_apply(PG_FUNCTION_ARGS)
{
	SigmaHiding hiding;
	SigmaSession *session;
	bool		prune = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	CommandId	command;
	List	   *plan;
	ListCell   *lc;

	sigma_hide_statement(&hiding);
	session = sigma_function_session(fcinfo);
	sigma_check_writable(session, "sigma_apply()");
	plan = make_plan(session, query_argument(fcinfo));
	if (prune)
		check_prune(plan);
	check_updates(plan, ERROR);
	InitMaterializedSRF(fcinfo, 0);
	create_missing(session, plan);
	command = GetCurrentCommandId(true);
	foreach(lc, plan)
	{
		Wanted	   *w = lfirst(lc);
		bool		archive = strcmp(w->action, "archive") == 0;

		CHECK_FOR_INTERRUPTS();
		if (archive && !prune)
			continue;
		if (archive)
			(void) sigma_change_connection(session, command, w->entry, NULL, false, NIL);
		else if (strcmp(w->action, "update") == 0)
			(void) sigma_change_connection(session, command, w->entry, w->body, true, w->secrets);
		put_row((ReturnSetInfo *) fcinfo->resultinfo, w);
	}
	sigma_show_statement(&hiding);
	return (Datum) 0;
}

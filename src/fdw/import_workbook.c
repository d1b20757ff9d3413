/*-------------------------------------------------------------------------
 *
 * import_workbook.c
 *	  IMPORT FOREIGN SCHEMA ... OPTIONS (workbook '...'): a foreign table of
 *	  each element of a workbook that has columns.
 *
 * What Sigma's users have given a name becomes an identifier; the name itself
 * stays in the options and in a comment.  What cannot become a table or a column
 * is left out with a NOTICE that says why.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* The lists of a workbook, whose paths are filled in. */
static const SigmaResource list_of = {
	.name = "parts of a workbook",
	.path = "",
	.paging = SIGMA_PAGING_PAGE,
};

/* Names are UTF-8, and NULL or empty if Sigma has none. */
typedef struct Column
{
	char	   *name;
	const char *type;			/* NULL if it is not told */
} Column;

typedef struct Element
{
	char	   *id;
	char	   *name;
	char	   *kind;
	const char *page;			/* its name */
	List	   *columns;		/* of Column */
} Element;

typedef struct Workbook
{
	SigmaSession *session;
	char	   *id;
	char	   *name;
	const char *path;
	List	   *elements;		/* of Element */
	List	   *controls;		/* of char * */
	const char *page;			/* whose elements are being read */
	Element    *element;		/* whose columns are being read, if only its are */
} Workbook;

/* ------------------------------------------------------------------ reading */

typedef void (*TakeEntry) (Workbook *workbook, const SigmaJsonValue *entry);

/* Reads a list below the workbook; false if there is no such list. */
static bool
read_list(Workbook *workbook, const char *below, bool may_lack, TakeEntry take)
{
	SigmaListSpec spec = {
		.resource = &list_of,
		.path = psprintf("%s%s", workbook->path, below),
		.limit = SIGMA_MAX_PAGE_SIZE,
		.prefetch = true,
		.whole = true,
		.missing = may_lack ? SIGMA_MISSING_TELLS : SIGMA_MISSING_FAILS,
	};
	SigmaPager *pager = sigma_pager_open(workbook->session, CurrentMemoryContext, &spec, NULL);
	SigmaEntry	entry;
	bool		offered;

	while (sigma_pager_next(pager, &entry))
	{
		SigmaJsonValue object = sigma_json_object(entry.text);

		take(workbook, &object);
	}
	offered = sigma_pager_missing(pager) == NULL;
	sigma_pager_close(pager);
	return offered;
}

static void
take_element(Workbook *workbook, const SigmaJsonValue *entry)
{
	Element    *element = palloc0(sizeof(Element));
	char	   *kind = sigma_json_member_utf8(entry, "vizualizationType");

	element->id = sigma_json_member_utf8(entry, "elementId");
	element->name = sigma_json_member_utf8(entry, "name");
	element->kind = kind && kind[0] ? kind : sigma_json_member_utf8(entry, "type");
	element->page = workbook->page;
	if (element->id)
		workbook->elements = lappend(workbook->elements, element);
}

static void
take_page(Workbook *workbook, const SigmaJsonValue *entry)
{
	char	   *id = sigma_json_member_text(entry, "pageId");
	char	   *name = sigma_json_member_utf8(entry, "name");

	if (id == NULL)
		return;
	workbook->page = name && name[0] ? name : id;
	(void) read_list(workbook, psprintf("/pages/%s/elements", sigma_text_url_encode(id)), false, take_element);
}

/* A column, of the element that it names or that is in hand. */
static void
take_column(Workbook *workbook, const SigmaJsonValue *entry)
{
	Column	   *column = palloc0(sizeof(Column));
	char	   *id = sigma_json_member_utf8(entry, "elementId");
	Element    *element = workbook->element;
	SigmaJsonValue type;
	ListCell   *lc;

	foreach(lc, workbook->elements)
	{
		if (element == NULL && id && strcmp(((Element *) lfirst(lc))->id, id) == 0)
			element = lfirst(lc);
	}
	/* some columns are of no element */
	if (element == NULL)
		return;
	column->name = sigma_json_member_utf8(entry, workbook->element ? "label" : "name");
	if (sigma_json_member(entry, "type", &type))
		column->type = sigma_json_member_utf8(&type, "type");
	element->columns = lappend(element->columns, column);
}

static void
take_control(Workbook *workbook, const SigmaJsonValue *entry)
{
	char	   *name = sigma_json_member_utf8(entry, "name");

	if (name && name[0])
		workbook->controls = lappend(workbook->controls, name);
}

/* Reads what there is to know of the workbook. */
static void
read_workbook(Workbook *workbook)
{
	ListCell   *lc;

	(void) read_list(workbook, "/pages", false, take_page);
	/* one list of all columns, which older versions of the API do not have */
	if (!read_list(workbook, "/columns", true, take_column))
	{
		foreach(lc, workbook->elements)
		{
			workbook->element = lfirst(lc);
			(void) read_list(workbook, psprintf("/elements/%s/columns",
												sigma_url_encode(workbook->element->id, strlen(workbook->element->id))),
							 true, take_column);
		}
	}
	(void) read_list(workbook, "/controls", true, take_control);
}

/* --------------------------------------------------------- which workbook it is */

/* Takes the workbook of an entry. */
static void
take_workbook(Workbook *workbook, const SigmaEntry *entry)
{
	SigmaJsonValue object = sigma_json_object(entry->text);

	workbook->id = sigma_json_member_text(&object, "workbookId");
	workbook->name = sigma_json_member_utf8(&object, "name");
}

/* The workbook with this id, if the text can be one. */
static bool
find_by_id(Workbook *workbook, char *text)
{
	SigmaBound	bound = {.given = true, .nvalues = 1, .values = &text};
	SigmaWalkSpec spec = {
		.resource = sigma_find_resource("workbooks"),
		.item = true,
		.bound = &bound,
		.limit = 1,
	};
	SigmaEntry	entry;

	if (!sigma_key_has_form(SIGMA_INODE, text) ||
		!sigma_walk_next(sigma_walk_open(workbook->session, CurrentMemoryContext, &spec, NULL), &entry))
		return false;
	take_workbook(workbook, &entry);
	return true;
}

/* The one of this name, or with this id in its URL. */
static void
find_by_name(Workbook *workbook, const char *text)
{
	SigmaBound	bound = {0};
	SigmaWalkSpec spec = {
		.resource = sigma_find_resource("workbooks"),
		.bound = &bound,
		.limit = SIGMA_MAX_PAGE_SIZE,
		.prefetch = true,
		.whole = true,
	};
	const char *wanted = sigma_to_utf8(text);
	SigmaWalk  *walk = sigma_walk_open(workbook->session, CurrentMemoryContext, &spec, NULL);
	SigmaEntry	entry;
	StringInfoData ids;
	int			n = 0;

	initStringInfo(&ids);
	while (sigma_walk_next(walk, &entry))
	{
		SigmaJsonValue object = sigma_json_object(entry.text);
		char	   *name = sigma_json_member_utf8(&object, "name");
		char	   *url_id = sigma_json_member_utf8(&object, "workbookUrlId");

		if ((name == NULL || strcmp(name, wanted) != 0) && (url_id == NULL || strcmp(url_id, wanted) != 0))
			continue;
		take_workbook(workbook, &entry);
		appendStringInfo(&ids, "%s%s", n++ ? ", " : "", sigma_shown_id(workbook->id));
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("Sigma has no workbook %s", sigma_quoted(text)),
				 errhint("Give its id, or its name as it stands in the table of workbooks; who signs in must be able to see it.")));
	if (n > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Sigma has %d workbooks %s", n, sigma_quoted(text)),
				 errdetail("Their ids are %s.", ids.data),
				 errhint("Give the id of one of them.")));
}

/* ------------------------------------------------------------------- naming */

/* A name for a message; it is UTF-8, or NULL. */
static const char *
shown_name(const char *name)
{
	return name && name[0] ? sigma_quoted(sigma_clean_text(name, strlen(name), 250)) : "without a name";
}

/*
 * A text in the database's encoding; NULL if that lacks one of its characters.
 * Conversion raises nothing that would have to be undone.
 */
static char *
convert(const char *utf8)
{
	SigmaCatch	before;
	char	   *volatile text = NULL;

	sigma_before_catch(&before);
	PG_TRY();
	{
		text = sigma_from_utf8(utf8, strlen(utf8));
	}
	PG_CATCH();
	{
		(void) sigma_catch(&before, CurrentMemoryContext);
	}
	PG_END_TRY();
	return text;
}

static bool
is_taken(const List *taken, const char *name)
{
	ListCell   *lc;

	foreach(lc, taken)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/* An identifier that is not taken yet, and is from now on; NULL as convert(). */
static char *
take_identifier(List **taken, char *identifier)
{
	char	   *name = convert(identifier);

	for (int i = 2; name && is_taken(*taken, name); i++)
		name = convert(sigma_numbered_identifier(identifier, i));
	if (name)
		*taken = lappend(*taken, name);
	return name;
}

/* How many of the columns have this name? */
static int
count_name(const List *columns, const char *name)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		const char *other = ((Column *) lfirst(lc))->name;

		n += other && strcmp(other, name) == 0;
	}
	return n;
}

/* Why a column cannot be one of the table; NULL if it can. */
static const char *
column_problem(const Element *element, const Column *column)
{
	if (column->name == NULL || column->name[0] == '\0')
		return "its rows cannot be asked for what has no name";
	if (count_name(element->columns, column->name) > 1)
		return "the element has another column of this name, and rows do not tell them apart";
	if (convert(column->name) == NULL)
		return "the database's encoding lacks a character of its name";
	return NULL;
}

/* --------------------------------------------------------------- statements */

static void
add_column(StringInfo s, const char *name, Oid type, const char *option, const char *value)
{
	appendStringInfo(s, "%s\t%s %s OPTIONS (%s %s)", s->data[s->len - 1] == '(' ? "\n" : ",\n",
					 quote_identifier(name),
					 format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY), option,
					 quote_literal_cstr(value));
}

/* No column can have one of these names, see "System Columns" in PostgreSQL's documentation. */
static List *
system_names(void)
{
	return list_make5("tableoid", "xmin", "xmax", "cmin", "cmax");
}

/* Is there room for another column?  If there is none, a NOTICE says what is left out. */
static bool
has_room(int n, const char *what, const char *name, const Element *element)
{
	if (n < MaxHeapAttributeNumber)
		return true;
	ereport(NOTICE,
			(errmsg("%s %s of element %s is left out: a table has no more than %d columns", what,
					shown_name(name), shown_name(element->name), MaxHeapAttributeNumber)));
	return false;
}

/* The element's columns; returns how many there are. */
static int
add_columns(StringInfo s, const Element *element, List **taken)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, element->columns)
	{
		const Column *column = lfirst(lc);
		const char *problem = column_problem(element, column);
		char	   *identifier;

		if (problem)
		{
			ereport(NOTICE,
					(errmsg("column %s of element %s is left out: %s", shown_name(column->name),
							shown_name(element->name), problem)));
			continue;
		}
		if (!has_room(n, "column", column->name, element))
			continue;
		identifier = sigma_identifier(column->name);
		if (identifier[0] == '\0')
			identifier = psprintf("column_%d", foreach_current_index(lc) + 1);
		add_column(s, take_identifier(taken, identifier), sigma_postgres_type(column->type), "field",
				   convert(column->name));
		n++;
	}
	return n;
}

/* The workbook's controls, behind "n" columns. */
static void
add_controls(StringInfo s, const Workbook *workbook, const Element *element, int n, List **taken)
{
	ListCell   *lc;

	foreach(lc, workbook->controls)
	{
		char	   *control = convert(lfirst(lc));

		if (control == NULL)
			ereport(NOTICE,
					(errmsg("control %s is left out of element %s: the database's encoding lacks a character of its name",
							shown_name(lfirst(lc)), shown_name(element->name))));
		else if (has_room(n++, "control", lfirst(lc), element))
			add_column(s, take_identifier(taken, sigma_control_identifier(lfirst(lc))), TEXTOID,
					   "control", control);
	}
}

/* The statement that makes an element's table; NULL if it can have no columns. */
static char *
create_statement(const Workbook *workbook, const Element *element, const char *schema,
				 const char *table, const char *server)
{
	StringInfoData s;
	List	   *taken = lappend(system_names(), "ctid");
	int			n;

	initStringInfo(&s);
	appendStringInfo(&s, "CREATE FOREIGN TABLE %s (", quote_qualified_identifier(schema, table));
	n = add_columns(&s, element, &taken);
	if (n == 0)
		return NULL;
	add_controls(&s, workbook, element, n, &taken);
	appendStringInfo(&s, "\n) SERVER %s OPTIONS (resource %s, workbook_id %s, element_id %s)",
					 quote_identifier(server), quote_literal_cstr(SIGMA_ELEMENT),
					 quote_literal_cstr(workbook->id), quote_literal_cstr(convert(element->id)));
	return s.data;
}

/* ----------------------------------------------------------------- comments */

/* It must not fail for want of a character. */
static char *
element_comment(const Workbook *workbook, const Element *element)
{
	return psprintf("%s (%s on page %s of workbook %s)",
					element->name && element->name[0] ? sigma_clean_text(element->name, strlen(element->name), 1000)
					: "Element without a name",
					element->kind ? sigma_clean_text(element->kind, strlen(element->kind), 100) : "element",
					shown_name(element->page), shown_name(workbook->name));
}

/* ------------------------------------------------------------------- import */

List *
sigma_import_workbook(const ImportForeignSchemaStmt *stmt, const ForeignServer *server, char *text,
					  SigmaIsWanted is_wanted, List **names)
{
	Workbook	workbook = {0};
	List	   *statements = NIL;
	List	   *taken = NIL;
	ListCell   *lc;

	workbook.session = sigma_session_open(server->serverid, GetUserId(), CurrentMemoryContext);
	if (!find_by_id(&workbook, text))
		find_by_name(&workbook, text);
	workbook.path = sigma_element_path(workbook.id);
	read_workbook(&workbook);
	sigma_expect_import();
	foreach(lc, workbook.elements)
	{
		const Element *element = lfirst(lc);
		char	   *identifier = sigma_identifier(element->name ? element->name : "");
		char	   *table;
		char	   *statement;

		CHECK_FOR_INTERRUPTS();
		if (element->columns == NIL)
			continue;
		if (identifier[0] == '\0')
			identifier = sigma_identifier(psprintf("element %s", element->id));
		/* names do not depend on what is left out */
		table = take_identifier(&taken, identifier);
		if (table == NULL || convert(element->id) == NULL)
			ereport(NOTICE,
					(errmsg("element %s is left out: the database's encoding lacks a character of its name",
							shown_name(element->name))));
		else if (is_wanted(stmt, table))
		{
			statement = create_statement(&workbook, element, stmt->local_schema, table, server->servername);
			if (statement == NULL)
			{
				ereport(NOTICE,
						(errmsg("element %s is left out: none of its columns can be one of a table",
								shown_name(element->name))));
				continue;
			}
			sigma_comment_import(stmt->local_schema, table, element_comment(&workbook, element), NIL);
			statements = lappend(statements, statement);
		}
	}
	*names = taken;
	return statements;
}

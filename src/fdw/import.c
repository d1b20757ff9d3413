/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA: a foreign table of each resource, and of what else a
 *	  description of the API has; the statements that make them.
 *
 * Sigma has no schemas, so any remote schema name is taken.  Requests are made
 * for the elements of a workbook only, see import_workbook.c.  No option of the
 * server or of a user mapping is copied into a statement.
 *
 * A description is foreign text: every name and value out of it is quoted here, and
 * nowhere else are statements made of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "catalog/openapi.h"
#include "config/config.h"
#include "fdw/fdw_internal.h"

/* --------------------------------------------------------------- statements */

static void
append_option(StringInfo s, const char *name, const char *value)
{
	if (value)
		appendStringInfo(s, "%s%s %s", s->data[s->len - 1] == '(' ? "" : ", ", name,
						 quote_literal_cstr(value));
}

static void
append_options(StringInfo s, const SigmaApiTable *table)
{
	static const char *const paging[] = {
		[SIGMA_PAGING_PAGE] = "page",
		[SIGMA_PAGING_PAGE_TOKEN] = "page_token",
		[SIGMA_PAGING_NONE] = "none",
	};

	appendStringInfoString(s, "OPTIONS (");
	if (table->known)
	{
		append_option(s, "resource", table->known->name);
		if (sigma_is_optional(table->known))
			append_option(s, "on_missing", "empty");
	}
	else
	{
		append_option(s, "path", table->path);
		/* without the option, the first reply tells */
		if (table->get->paging < (int) lengthof(paging))
			append_option(s, "paging", paging[table->get->paging]);
		append_option(s, "entries", table->get->entries);
		append_option(s, "key", table->key);
		append_option(s, "item_path", table->item_path);
		append_option(s, "parent", table->parent);
	}
	appendStringInfoChar(s, ')');
}

char *
sigma_create_statement(const SigmaApiTable *table, const char *schema, const char *server)
{
	StringInfoData s;
	const char *separator = "\n";
	ListCell   *lc;

	initStringInfo(&s);
	appendStringInfo(&s, "CREATE FOREIGN TABLE %s (", quote_qualified_identifier(schema, table->name));
	foreach(lc, table->columns)
	{
		SigmaApiColumn *column = lfirst(lc);

		appendStringInfo(&s, "%s\t%s %s", separator, quote_identifier(column->name),
						 format_type_extended(column->type, -1, FORMAT_TYPE_FORCE_QUALIFY));
		if (column->field)
			appendStringInfo(&s, " OPTIONS (field %s)", quote_literal_cstr(column->field));
		separator = ",\n";
	}
	appendStringInfo(&s, "\n) SERVER %s ", quote_identifier(server));
	append_options(&s, table);
	return s.data;
}

char *
sigma_comment_statements(const SigmaApiTable *table)
{
	const char *name = quote_identifier(table->name);
	StringInfoData s;
	ListCell   *lc;

	initStringInfo(&s);
	if (table->comment)
		appendStringInfo(&s, ";\nCOMMENT ON FOREIGN TABLE %s IS %s", name, quote_literal_cstr(table->comment));
	foreach(lc, table->columns)
	{
		SigmaApiColumn *column = lfirst(lc);

		if (column->comment)
			appendStringInfo(&s, ";\nCOMMENT ON COLUMN %s.%s IS %s", name,
							 quote_identifier(column->name), quote_literal_cstr(column->comment));
	}
	return s.data;
}

/* -------------------------------------------------------------- descriptions */

List *
sigma_described_tables(SigmaSpan text, const char *what)
{
	const char *problem;
	List	   *gets = sigma_read_openapi(text, &problem);
	ListCell   *lc;

	if (problem)
		ereport(ERROR,
				(errcode(text.length > SIGMA_MAX_OPENAPI_SIZE ? ERRCODE_PROGRAM_LIMIT_EXCEEDED
						 : ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be used as a description of the API", what),
				 errdetail("It %s.", problem),
				 errhint("Sigma publishes its description as JSON, in the form of OpenAPI 3.0 or 3.1.")));
	foreach(lc, gets)
	{
		const SigmaApiGet *get = lfirst(lc);

		if (get->is_list && get->problem)
			ereport(WARNING,
					(errmsg("the list %s is left out", sigma_quoted(get->path)),
					 errdetail("%s", get->problem)));
	}
	return sigma_openapi_tables_of(gets, sigma_resources, sigma_nresources);
}

/* What a file holds, in *content, palloc'd; raises whatever keeps it from being read. */
static SigmaSpan
read_file(const char *path)
{
	struct stat file;
	char	   *content;
	SigmaSpan	text;
	ssize_t		length;
	int			fd;

	if (path[0] != '/')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\"", "openapi"),
				 errhint("It must be an absolute path on the server's machine.")));
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read a file on the server's machine"),
				 errdetail("Only roles with privileges of the \"%s\" role may do that.", "pg_read_server_files"),
				 errhint("sigma_openapi_tables() takes the description itself.")));
	/* to open a pipe must not take until somebody writes into it */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | PG_BINARY);
	if (fd < 0 || fstat(fd, &file) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	if (!S_ISREG(file.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	if (file.st_size > SIGMA_MAX_OPENAPI_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("file \"%s\" is larger than 10 MB", path)));
	content = palloc(SIGMA_MAX_OPENAPI_SIZE + 1);
	length = sigma_read_all(fd, content, SIGMA_MAX_OPENAPI_SIZE);
	if (length < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	CloseTransientFile(fd);
	text.data = content;
	text.length = (size_t) length;
	/* some editors put a mark in front */
	if (text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
		text = (SigmaSpan)
	{
		text.data + 3, text.length - 3
	};
	if (pg_encoding_verifymbstr(PG_UTF8, text.data, (int) text.length) != (int) text.length)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("file \"%s\" is not UTF-8", path)));
	return text;
}

/* ------------------------------------------------------------------- import */

static bool
is_wanted(const ImportForeignSchemaStmt *stmt, const char *table)
{
	bool		listed = false;
	ListCell   *lc;

	foreach(lc, stmt->table_list)
		listed |= strcmp(((RangeVar *) lfirst(lc))->relname, table) == 0;
	switch (stmt->list_type)
	{
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return listed;
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return !listed;
		default:
			return true;
	}
}

/* Tells of each name in LIMIT TO or EXCEPT that is none of the tables: most likely it is misspelt. */
static void
tell_unknown(const ImportForeignSchemaStmt *stmt, const List *tables)
{
	const char **names = palloc(sizeof(char *) * (list_length(tables) + 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, tables)
		names[n++] = lfirst(lc);
	foreach(lc, stmt->table_list)
	{
		const char *wanted = lfirst_node(RangeVar, lc)->relname;
		const char *closest;
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		while (i < n && strcmp(names[i], wanted) != 0)
			i++;
		if (i < n)
			continue;
		closest = sigma_closest(wanted, names, n);
		ereport(NOTICE,
				(errmsg("there is no table \"%s\" to import", wanted),
				 closest ? errhint("Perhaps you meant \"%s\".", closest) : 0));
	}
}

static bool
is_option(const DefElem *option, const char *name)
{
	return strcmp(option->defname, name) == 0;
}

/* The tables that a statement is about, before it chooses among them. */
static List *
find_tables(const ImportForeignSchemaStmt *stmt)
{
	static const char *const names[] = {"openapi", "workbook"};
	const char *closest = NULL;
	DefElem    *option;
	char	   *file;

	if (stmt->options == NIL)
		return sigma_openapi_tables_of(NIL, sigma_resources, sigma_nresources);
	option = linitial(stmt->options);
	if (list_length(stmt->options) == 1)
		closest = sigma_closest(option->defname, names, lengthof(names));
	if ((is_option(option, "openapi") || is_option(option, "workbook")) && list_length(stmt->options) > 1)
		option = lsecond(stmt->options);
	if (!is_option(option, "openapi"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", option->defname),
				 closest ? errhint("Perhaps you meant the option \"%s\".", closest) :
				 errhint("IMPORT FOREIGN SCHEMA from Sigma takes the option \"openapi\" or \"workbook\" alone; set others on the server or on the tables.")));
	file = defGetString(option);
	return sigma_described_tables(read_file(file), psprintf("file \"%s\"", file));
}

List *
sigmaImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	List	   *statements = NIL;
	List	   *names = NIL;
	ListCell   *lc;

	if (list_length(stmt->options) == 1 && is_option(linitial(stmt->options), "workbook"))
	{
		statements = sigma_import_workbook(stmt, server, defGetString(linitial(stmt->options)), is_wanted, &names);
		tell_unknown(stmt, names);
		return statements;
	}
	sigma_expect_import();
	foreach(lc, find_tables(stmt))
	{
		const SigmaApiTable *table = lfirst(lc);

		if (table->other_form)
			continue;
		names = lappend(names, unconstify(char *, table->name));
		if (!is_wanted(stmt, table->name))
			continue;
		statements = lappend(statements, sigma_create_statement(table, stmt->local_schema, server->servername));
		sigma_comment_import(stmt->local_schema, table->name, table->comment, table->columns);
	}
	tell_unknown(stmt, names);
	return statements;
}

/*-------------------------------------------------------------------------
 *
 * option.c
 *	  Options: is each where it may stand, with a value that it may have, and
 *	  where does that go?
 *
 * Every name and value is checked by the validator when it is set, and again
 * where it is read (see settings.c).  The values of secret options are never
 * repeated in a message, and base_url is not either, since people put passwords
 * into URLs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config_internal.h"

PG_FUNCTION_INFO_V1(sigma_fdw_validator);

/* ---------------------------------------------------------------- checks */

static void
check_file(const char *option, const char *value, bool setting)
{
	if (value[0] != '/')
		sigma_bad_value(option, "It must be an absolute path on the server's machine.");
	if (setting && !has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", option),
				 errhint("Only roles with privileges of the \"%s\" role may name a file on the server's machine.",
						 "pg_read_server_files")));
}

/*
 * The server's user reads the file, whoever signs in with it: who could name
 * any file would learn of files that are none of theirs.
 */
static void
check_secret_file(const char *option, const char *value, bool setting)
{
	if (value[0] != '/')
		sigma_bad_value(option, "It must be an absolute path on the server's machine.");
	if (setting && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", option),
				 errhint("Only a superuser may do that, or alter a user mapping that has it; others may set \"client_secret\".")));
}

/* Is there something, without spaces and control characters? */
static bool
is_word(const char *value)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char) *p <= ' ' || *p == 0x7F)
			return false;
	return value[0] != '\0';
}

/*
 * The value of an OPTION_INT, OPTION_ROWS, OPTION_TIME (in ms) or OPTION_SIZE
 * (in bytes) in *number; false if it is none or out of its range.
 */
static bool
parse_number(const SigmaOption *option, const char *value, double *number)
{
	const char *hint;
	int			n;

	switch (option->type)
	{
		case OPTION_INT:
			/* parse_int() would round */
			if (!parse_real(value, number, 0, &hint) || *number != rint(*number))
				return false;
			break;
		case OPTION_SIZE:
			if (!parse_int(value, &n, GUC_UNIT_BYTE, &hint))
				return false;
			*number = n;
			break;
		case OPTION_TIME:
			/* a plain number means seconds, as for libpq's connect_timeout */
			if (!parse_real(value, number, GUC_UNIT_S, &hint))
				return false;
			*number = rint(*number * 1000);
			break;
		case OPTION_ROWS:
			return parse_real(value, number, 0, &hint) && *number >= 0 && !isinf(*number);
		default:
			return false;
	}
	return *number >= option->min && *number <= option->max;
}

/* The words of OPTION_PAGING; the others have none. */
static const char *const paging_words[] = {
	[SIGMA_PAGING_PAGE] = "page",
	[SIGMA_PAGING_PAGE_TOKEN] = "page_token",
	[SIGMA_PAGING_NONE] = "none",
};

/* Which of them a value is, or -1. */
static int
parse_paging(const char *value)
{
	for (int i = 0; i < (int) lengthof(paging_words); i++)
		if (strcmp(paging_words[i], value) == 0)
			return i;
	return -1;
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/*
 * The value of OPTION_QUERY as it stands in a URL, in *query; or what is wrong
 * with it, as a sentence.
 */
static const char *
parse_query(const char *value, char **query)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%";
	StringInfoData out;
	SigmaSpan	json;
	SigmaJsonValue object;
	const char *problem;

	*query = pstrdup(value);
	if (*skip_blanks(value) != '{')
		return value[0] == '\0' || value[strspn(value, allowed)] != '\0'
			? "It must be parameters as they stand in a URL (name=value&name=value), percent-encoded, or a JSON object."
			: NULL;
	json.data = sigma_to_utf8(value);
	json.length = strlen(json.data);
	if (!sigma_json_check(json, &object, &problem))
		return psprintf("As a JSON object, %s.", problem);
	initStringInfo(&out);
	problem = sigma_json_query(&object, &out, NULL);
	*query = out.data;
	return problem ? psprintf("As a JSON object, %s.", problem) : NULL;
}

char *
sigma_option_query(char *value)
{
	char	   *query = NULL;

	if (value)
		(void) parse_query(value, &query);
	/* an object without members is none */
	return query && query[0] ? query : NULL;
}

static void
check_value(const SigmaOption *option, const char *value, bool setting)
{
	const char *problem;
	char	   *query;
	bool		flag;
	double		number;

	switch (option->type)
	{
		case OPTION_TEXT:
		case OPTION_SECRET:
			if (value[0] == '\0')
				sigma_bad_value(option->name, "It must not be empty.");
			break;
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				sigma_bad_value(option->name, "It must be true or false.");
			break;
		case OPTION_INT:
			if (!parse_number(option, value, &number))
				sigma_bad_value(option->name, psprintf("It must be a whole number from %s.", option->range));
			break;
		case OPTION_ROWS:
			if (!parse_number(option, value, &number))
				sigma_bad_value(option->name, "It must be a number of rows, zero or more.");
			break;
		case OPTION_TIME:
			if (!parse_number(option, value, &number))
				sigma_bad_value(option->name,
								psprintf("It must be a time from %s; units are us, ms, s, min, h and d, and a plain number is seconds.", option->range));
			break;
		case OPTION_SIZE:
			if (!parse_number(option, value, &number))
				sigma_bad_value(option->name,
								psprintf("It must be a size from %s; units are B, kB, MB and GB, and a plain number is bytes.", option->range));
			break;
		case OPTION_REGION:
			sigma_check_region(value);
			break;
		case OPTION_PARAMETERS:
			if (!sigma_parameters_are_valid(value))
				sigma_bad_value(option->name, "It must be a JSON object with the controls' ids and their values, for example '{\"Region\": \"EMEA\"}'.");
			break;
		case OPTION_URL:
			sigma_check_url(option->name, value, setting);
			break;
		case OPTION_CHOICE:
			if (strcmp(value, option->words[0]) != 0 && strcmp(value, option->words[1]) != 0)
				sigma_bad_value(option->name,
								psprintf("It must be \"%s\" or \"%s\".", option->words[0], option->words[1]));
			break;
		case OPTION_FILE:
			check_file(option->name, value, setting);
			break;
		case OPTION_SECRET_FILE:
			check_secret_file(option->name, value, setting);
			break;
		case OPTION_EMAIL:
			if (!is_word(value) || strchr(value, '@') == NULL ||
				strchr(value, '@') != strrchr(value, '@') ||
				value[0] == '@' || value[strlen(value) - 1] == '@')
				sigma_bad_value(option->name, "It must be the email address of a member, for example 'name@example.com'.");
			break;
		case OPTION_ID:
			if (!is_word(value))
				sigma_bad_value(option->name, "It must be an id, without spaces.");
			break;
		case OPTION_PATH:
			problem = sigma_template_problem(value);
			if (problem)
				sigma_bad_value(option->name,
								psprintf("%s It must be a path of the API, such as /v2/plugins/{plugin_id}/versions; what follows a question mark goes into the option \"query\".",
										 problem));
			break;
		case OPTION_PAGING:
			if (parse_paging(value) < 0)
				sigma_bad_value(option->name, "It must be \"page\", \"page_token\" or \"none\".");
			break;
		case OPTION_QUERY:
			problem = parse_query(value, &query);
			if (problem)
				sigma_bad_value(option->name, problem);
			break;
		case OPTION_RESOURCE:
			if (sigma_find_resource(value) == NULL && strcmp(value, SIGMA_ELEMENT) != 0)
			{
				const char *closest = sigma_closest_resource(value);

				sigma_bad_value(option->name, closest
								? psprintf("Perhaps you meant the resource \"%s\".", closest)
								: "IMPORT FOREIGN SCHEMA makes a table of each resource there is.");
			}
			break;
	}
}

/* Whose option it is; if both a table and its server may have it, the table's. */
static const char *
owner_name(const SigmaOption *option)
{
	if (option->places & ON_COLUMN)
		return "a column of a foreign table";
	if (option->places & ON_TABLE)
		return "a foreign table";
	return option->places & ON_MAPPING ? "a user mapping" : "a server";
}

/* There is no such option here.  The value is not shown: it may be a secret. */
pg_noreturn static void
bad_name(const char *name, Oid context)
{
	const char **names = palloc(sigma_noptions * sizeof(char *));
	int			n = 0;
	const char *closest;
	char	   *hint;

	for (int i = 0; i < sigma_noptions; i++)
		if (sigma_option_table[i].places & sigma_option_place(context))
			names[n++] = sigma_option_table[i].name;
	closest = sigma_closest(name, names, n);
	if (n == 0)
		hint = "There are no valid options in this context.";
	else if (closest)
		hint = psprintf("Perhaps you meant the option \"%s\".", closest);
	else
	{
		StringInfoData all;

		initStringInfo(&all);
		for (int i = 0; i < n; i++)
			appendStringInfo(&all, "%s%s", i ? ", " : "", names[i]);
		hint = psprintf("Valid options in this context are: %s.", all.data);
	}
	/* a name that is right elsewhere is no slip of the pen */
	for (int i = 0; i < sigma_noptions; i++)
		if (strcmp(sigma_option_table[i].name, name) == 0)
			hint = psprintf("The option \"%s\" belongs to %s.", name, owner_name(&sigma_option_table[i]));

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 errhint("%s", hint)));
}


/* The value of an option among those of an object, or NULL. */
static const char *
value_of(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		if (strcmp(((DefElem *) lfirst(lc))->defname, name) == 0)
			return defGetString(lfirst(lc));
	}
	return NULL;
}

static bool
has_option(List *options, const char *name)
{
	return value_of(options, name) != NULL;
}

/* A server needs exactly one of region and base_url. */
static void
check_server(List *options)
{
	bool		region = has_option(options, "region");
	bool		base_url = has_option(options, "base_url");

	if (region == base_url)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 region
				 ? errmsg("options \"region\" and \"base_url\" exclude each other")
				 : errmsg("a server needs the option \"region\" or \"base_url\""),
				 errhint("Name the region of your Sigma organization, for example region 'aws-us-east', or the base URL of its API.")));
}

/* A user mapping's secret stands in one place. */
static void
check_mapping(List *options)
{
	if (has_option(options, "client_secret") && has_option(options, "client_secret_file"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("options \"client_secret\" and \"client_secret_file\" exclude each other"),
				 errhint("To change from one to the other, drop the one and add the other in the same ALTER USER MAPPING.")));
}

/* What turns the pages is not for the user to send. */
static void
check_paging_parameters(const char *query, const char *paging)
{
	static const char *const turning[] = {"page", "pageToken"};
	static const char *const sizing[] = {"limit", "pageSize"};

	for (int i = 0; i < (int) lengthof(turning); i++)
		if (sigma_query_has(query, turning[i]))
			sigma_bad_value("query", psprintf("The parameter \"%s\" is sent for each page anyway.", turning[i]));
	for (int i = 0; paging && i < (int) lengthof(sizing); i++)
		if (sigma_query_has(query, sizing[i]))
			sigma_bad_value("query", psprintf("The option \"page_size\" sets the parameter \"%s\".", sizing[i]));
}

/* A table is a resource of the catalogue, or says itself by "path" what it is. */
static void
check_table(List *options)
{
	static const char *const with_path[] = {"item_path", "key", "paging", "query", "entries", "parent"};
	const char *path = value_of(options, "path");
	const char *item_path = value_of(options, "item_path");
	const char *key = value_of(options, "key");
	const char *query = value_of(options, "query");
	char	   *parsed;

	if (path && has_option(options, "resource"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("options \"resource\" and \"path\" exclude each other"),
				 errhint("A table is a resource that sigma_fdw knows, or says itself by \"path\" and the like what it is.")));
	for (int i = 0; path == NULL && i < (int) lengthof(with_path); i++)
		if (has_option(options, with_path[i]))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("option \"%s\" needs the option \"path\"", with_path[i]),
					 errhint("It describes a list that sigma_fdw does not know.")));
	if (has_option(options, "parent") && strchr(path, '{') == NULL)
		sigma_bad_value("parent", "The option \"path\" has no column in braces that a parent could give.");
	if (item_path)
	{
		const char *keys[SIGMA_MAX_KEYS];

		if (key == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("option \"%s\" needs the option \"%s\"", "item_path", "key"),
					 errhint("The key is what entries are looked up by.")));
		if (sigma_path_keys(item_path, keys) != 1 || strcmp(keys[0], key) != 0)
			sigma_bad_value("item_path", "It must have the column of the option \"key\" in braces, and no other.");
		/* nor could a condition on these be checked again */
		if (strchr(path, '{'))
			sigma_bad_value("item_path", "The option \"path\" has columns in braces, whose values a single entry does not tell.");
	}
	if (query && parse_query(query, &parsed) == NULL)
		check_paging_parameters(parsed, value_of(options, "paging"));
}

/* The options of a table that shows the rows behind an element, and of no other. */
static const char *const element_options[] = {
	"workbook_id", "element_id", "tag", "parameters", "export_timeout", "export_rows"
};

/* Such a table says which element it is, and nothing that is for lists. */
static void
check_element_table(List *options)
{
	ListCell   *lc;

	/* the first two */
	for (int i = 0; i < 2; i++)
		if (!has_option(options, element_options[i]))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("a table of the resource \"%s\" needs the option \"%s\"", SIGMA_ELEMENT, element_options[i]),
					 errhint("IMPORT FOREIGN SCHEMA ... OPTIONS (workbook '...') makes such a table of each element of a workbook.")));
	foreach(lc, options)
	{
		const char *name = lfirst_node(DefElem, lc)->defname;
		bool		known = strcmp(name, "resource") == 0 || strcmp(name, "rows") == 0;

		for (int i = 0; !known && i < (int) lengthof(element_options); i++)
			known = strcmp(name, element_options[i]) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("option \"%s\" is not for a table of the resource \"%s\"", name, SIGMA_ELEMENT),
					 errhint("It is for lists; the rows behind an element come by an export.")));
	}
}

/* A table has those options, or none of them. */
static void
check_element(List *options)
{
	const char *resource = value_of(options, "resource");

	if (resource && strcmp(resource, SIGMA_ELEMENT) == 0)
	{
		check_element_table(options);
		return;
	}
	for (int i = 0; i < (int) lengthof(element_options); i++)
		if (has_option(options, element_options[i]))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("option \"%s\" needs the resource \"%s\"", element_options[i], SIGMA_ELEMENT),
					 errhint("Such a table shows the rows behind an element of a workbook.")));
}

/* What an object's options must be together, whether they are set or read. */
static void
check_object(List *options, Oid context)
{
	if (context == ForeignServerRelationId)
		check_server(options);
	if (context == UserMappingRelationId)
		check_mapping(options);
	if (context == AttributeRelationId && has_option(options, "field") && has_option(options, "control"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("options \"%s\" and \"%s\" exclude each other", "field", "control"),
				 errhint("A column is of the element's rows, or of a control.")));
	if (context == ForeignTableRelationId)
	{
		check_table(options);
		check_element(options);
	}
}

/*
 * SQL function: checks the options of a wrapper, server, user mapping, table
 * or column.  Raises HV00D for a name, 22023 for a value, 42501 for what only
 * a privileged role may set.
 */
Datum
sigma_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			context = PG_GETARG_OID(1);
	ListCell   *lc;
	SigmaHiding hiding;

	/* whatever is wrong, the statement may hold a secret */
	sigma_hide_statement(&hiding);

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);
		const SigmaOption *option = sigma_find_option(def->defname, context);

		if (option == NULL)
			bad_name(def->defname, context);
		else
			check_value(option, defGetString(def), true);
	}
	check_object(options, context);

	sigma_show_statement(&hiding);
	PG_RETURN_VOID();
}

/* ------------------------------------------------------------ where they go */

/* What is being read, for the context of an error. */
typedef struct Reading
{
	const char *what;			/* "server", say */
	const char *name;
} Reading;

static void
reading_context(void *arg)
{
	Reading    *reading = arg;

	errcontext("options of %s \"%s\"", reading->what, reading->name);
}

void
sigma_check_read_options(List *options, Oid context, const char *what, const char *name)
{
	Reading		reading = {what, name};
	ErrorContextCallback callback = {.callback = reading_context, .arg = &reading};
	ListCell   *lc;

	callback.previous = error_context_stack;
	error_context_stack = &callback;
	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);
		const SigmaOption *option = sigma_find_option(def->defname, context);

		if (option)
			check_value(option, defGetString(def), false);
	}
	check_object(options, context);
	error_context_stack = callback.previous;
}

static void *
member_of(void *target, const SigmaOption *option)
{
	return (char *) target + option->offset;
}

void
sigma_default_options(SigmaOptionTarget into, void *target)
{
	for (int i = 0; i < sigma_noptions; i++)
	{
		const SigmaOption *option = &sigma_option_table[i];

		if (option->into != into)
			continue;
		switch (option->type)
		{
			case OPTION_BOOL:
			case OPTION_CHOICE:
				*(bool *) member_of(target, option) = option->fallback != 0;
				break;
			case OPTION_INT:
			case OPTION_TIME:
			case OPTION_SIZE:
			case OPTION_PAGING:
				*(int *) member_of(target, option) = (int) option->fallback;
				break;
			case OPTION_ROWS:
				*(double *) member_of(target, option) = option->fallback;
				break;
			default:
				*(char **) member_of(target, option) = NULL;
				break;
		}
	}
}

/* Puts a checked value where it belongs. */
static void
apply_option(const SigmaOption *option, const char *value, void *target)
{
	void	   *member = member_of(target, option);
	double		number = 0;

	switch (option->type)
	{
		case OPTION_BOOL:
			(void) parse_bool(value, member);
			break;
		case OPTION_CHOICE:
			*(bool *) member = strcmp(value, option->words[1]) == 0;
			break;
		case OPTION_INT:
		case OPTION_TIME:
		case OPTION_SIZE:
			(void) parse_number(option, value, &number);
			*(int *) member = (int) number;
			break;
		case OPTION_ROWS:
			(void) parse_number(option, value, member);
			break;
		case OPTION_PAGING:
			*(int *) member = parse_paging(value);
			break;
		case OPTION_REGION:
			*(char **) member = pstrdup(sigma_region_url(value));
			break;
		default:
			*(char **) member = pstrdup(value);
			break;
	}
}

void
sigma_apply_options(List *options, Oid context, SigmaOptionTarget into, void *target)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);
		const SigmaOption *option = sigma_find_option(def->defname, context);

		if (option && option->into == into)
			apply_option(option, defGetString(def), target);
	}
}

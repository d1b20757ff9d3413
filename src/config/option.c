/*-------------------------------------------------------------------------
 *
 * option.c
 *	  The one table of options, their checks at DDL time, and the settings
 *	  that they resolve to.
 *
 * Every name and value is checked by the validator when it is set.  A wrapper
 * can be made without the validator, or get it later, so values are checked
 * again where they are read; what the role may set that has set them cannot be,
 * so a wrapper without the validator is not used.  The values of secret options
 * are never repeated in a message, and base_url is not either, since people put
 * passwords into URLs.
 *
 * Where secrets may go is decided here: only a superuser may name a host that
 * is not one of the published ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <limits.h>
#include <math.h>

#include "access/attnum.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config.h"

PG_FUNCTION_INFO_V1(sigma_fdw_validator);

/* Sigma's regions and their hosts, as published. */
static const struct
{
	const char *region;
	const char *base_url;
}			regions[] =
{
	{"gcp-us", "https://api.sigmacomputing.com"},
	{"gcp-ksa", "https://api.sa.gcp.sigmacomputing.com"},
	{"aws-us-west", "https://aws-api.sigmacomputing.com"},
	{"aws-us-east", "https://api.us-a.aws.sigmacomputing.com"},
	{"aws-ca", "https://api.ca.aws.sigmacomputing.com"},
	{"aws-eu", "https://api.eu.aws.sigmacomputing.com"},
	{"aws-au", "https://api.au.aws.sigmacomputing.com"},
	{"aws-uk", "https://api.uk.aws.sigmacomputing.com"},
	{"azure-us", "https://api.us.azure.sigmacomputing.com"},
	{"azure-eu", "https://api.eu.azure.sigmacomputing.com"},
	{"azure-ca", "https://api.ca.azure.sigmacomputing.com"},
	{"azure-uk", "https://api.uk.azure.sigmacomputing.com"},
	{"azure-au", "https://api.au.azure.sigmacomputing.com"},
};

#define DEFAULT_CONCURRENCY 4

typedef enum OptionType
{
	OPTION_TEXT,				/* anything but nothing */
	OPTION_SECRET,				/* the same, and never shown */
	OPTION_BOOL,
	OPTION_INT,
	OPTION_ROWS,				/* a number of rows, zero or more */
	OPTION_TIME,				/* with a unit; seconds without one */
	OPTION_SIZE,				/* with a unit; bytes without one */
	OPTION_REGION,
	OPTION_URL,
	OPTION_TOKEN_AUTH,
	OPTION_ON_ERROR,
	OPTION_ON_MISSING,
	OPTION_ON_ROLLBACK,
	OPTION_FILE,
	OPTION_SECRET_FILE,
	OPTION_EMAIL,
	OPTION_ID,
	OPTION_RESOURCE
} OptionType;

typedef struct OptionInfo
{
	const char *name;
	Oid			context;		/* the catalog of the object that may have it */
	OptionType	type;
	double		min;			/* of OPTION_INT, OPTION_TIME (ms), OPTION_SIZE (bytes) */
	double		max;
	const char *range;			/* min and max, for the hint */
} OptionInfo;

static const OptionInfo option_table[] =
{
	{"region", ForeignServerRelationId, OPTION_REGION, 0, 0, NULL},
	{"base_url", ForeignServerRelationId, OPTION_URL, 0, 0, NULL},
	{"token_url", ForeignServerRelationId, OPTION_URL, 0, 0, NULL},
	{"token_auth", ForeignServerRelationId, OPTION_TOKEN_AUTH, 0, 0, NULL},
	{"connect_timeout", ForeignServerRelationId, OPTION_TIME, 1, 3600000, "1ms to 1h"},
	{"request_timeout", ForeignServerRelationId, OPTION_TIME, 1, 86400000, "1ms to 1d"},
	{"max_retries", ForeignServerRelationId, OPTION_INT, 0, 100, "0 to 100"},
	{"page_size", ForeignServerRelationId, OPTION_INT, 1, SIGMA_MAX_PAGE_SIZE, "1 to 1000"},
	{"max_response_size", ForeignServerRelationId, OPTION_SIZE, 1, 1024.0 * 1024 * 1023, "1B to 1023MB"},
	{"max_concurrency", ForeignServerRelationId, OPTION_INT, 1, 64, "1 to 64"},
	{"ca_file", ForeignServerRelationId, OPTION_FILE, 0, 0, NULL},
	{"include_archived", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"skip_permission_check", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"direct_grants_only", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"updatable", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"on_rollback", ForeignServerRelationId, OPTION_ON_ROLLBACK, 0, 0, NULL},
	{"rollback_timeout", ForeignServerRelationId, OPTION_TIME, 1, 3600000, "1ms to 1h"},
	{"prefetch", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"push_filters", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"count_by_total", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"async_capable", ForeignServerRelationId, OPTION_BOOL, 0, 0, NULL},
	{"batch_size", ForeignServerRelationId, OPTION_INT, 1, 1000, "1 to 1000"},
	{"client_id", UserMappingRelationId, OPTION_SECRET, 0, 0, NULL},
	{"client_secret", UserMappingRelationId, OPTION_SECRET, 0, 0, NULL},
	{"client_secret_file", UserMappingRelationId, OPTION_SECRET_FILE, 0, 0, NULL},
	{"impersonate", UserMappingRelationId, OPTION_EMAIL, 0, 0, NULL},
	{"tenant", UserMappingRelationId, OPTION_ID, 0, 0, NULL},
	{"resource", ForeignTableRelationId, OPTION_RESOURCE, 0, 0, NULL},
	{"page_size", ForeignTableRelationId, OPTION_INT, 1, SIGMA_MAX_PAGE_SIZE, "1 to 1000"},
	{"include_archived", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"skip_permission_check", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"direct_grants_only", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"updatable", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"rows", ForeignTableRelationId, OPTION_ROWS, 0, 0, NULL},
	{"prefetch", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"push_filters", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"on_error", ForeignTableRelationId, OPTION_ON_ERROR, 0, 0, NULL},
	{"on_missing", ForeignTableRelationId, OPTION_ON_MISSING, 0, 0, NULL},
	{"count_by_total", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"async_capable", ForeignTableRelationId, OPTION_BOOL, 0, 0, NULL},
	{"batch_size", ForeignTableRelationId, OPTION_INT, 1, 1000, "1 to 1000"},
	{"field", AttributeRelationId, OPTION_TEXT, 0, 0, NULL},
};

/* ------------------------------------------------------------------ URLs */

typedef struct Url
{
	bool		https;
	char	   *host;			/* lower case, an IPv6 address without brackets */
	bool		has_port;
	bool		has_path;
} Url;

/*
 * Takes a URL apart.  It is strict: what is not plainly scheme, host, port and
 * path is refused, so that no two readers can disagree about the host.
 */
static bool
parse_url(const char *text, Url *url)
{
	static const char host_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	static const char path_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~/";
	const char *p;
	size_t		length;

	if (strncmp(text, "https://", 8) == 0)
		url->https = true, p = text + 8;
	else if (strncmp(text, "http://", 7) == 0)
		url->https = false, p = text + 7;
	else
		return false;

	if (*p == '[')
	{
		length = strspn(p + 1, "0123456789abcdefABCDEF:");
		if (length < 2 || p[length + 1] != ']')
			return false;
		url->host = pnstrdup(p + 1, length);
		p += length + 2;
	}
	else
	{
		length = strspn(p, host_chars);
		if (length == 0 || *p == '.' || *p == '-')
			return false;
		url->host = pnstrdup(p, length);
		p += length;
	}
	for (char *c = url->host; *c; c++)
		*c = pg_tolower((unsigned char) *c);

	url->has_port = false;
	if (*p == ':')
	{
		long		port;

		length = strspn(p + 1, "0123456789");
		if (length == 0 || length > 5)
			return false;
		port = strtol(p + 1, NULL, 10);
		if (port < 1 || port > 65535)
			return false;
		url->has_port = true;
		p += length + 1;
	}
	url->has_path = *p != '\0' && strcmp(p, "/") != 0;
	if (*p != '\0' && *p != '/')
		return false;
	if (strstr(p, "//") || strstr(p, "/.") || p[strspn(p, path_chars)] != '\0')
		return false;
	return true;
}

/*
 * Does the host name mean this machine, without asking anybody?  An address
 * must be written as such everywhere: what only some take for one ("127.1", say,
 * or "127.09.0.1") is a name to others, and anybody may answer for it.
 */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool
is_published(const Url *url)
{
	for (int i = 0; i < (int) lengthof(regions); i++)
		if (strcmp(url->host, regions[i].base_url + strlen("https://")) == 0)
			return true;
	return false;
}

/* ---------------------------------------------------------------- checks */

pg_noreturn static void
bad_value(const char *option, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", option),
			 hint ? errhint("%s", hint) : 0));
}

static const char *
closest_region(const char *name)
{
	const char *names[lengthof(regions)];

	for (int i = 0; i < (int) lengthof(regions); i++)
		names[i] = regions[i].region;
	return sigma_closest(name, names, lengthof(names));
}

static const char *
region_url(const char *name)
{
	for (int i = 0; i < (int) lengthof(regions); i++)
		if (strcmp(regions[i].region, name) == 0)
			return regions[i].base_url;
	return NULL;
}

static void
check_region(const char *value)
{
	const char *closest;
	StringInfoData all;

	if (region_url(value))
		return;
	closest = closest_region(value);
	if (closest)
		bad_value("region", psprintf("Perhaps you meant the region \"%s\".", closest));
	initStringInfo(&all);
	for (int i = 0; i < (int) lengthof(regions); i++)
		appendStringInfo(&all, "%s%s", i ? ", " : "", regions[i].region);
	bad_value("region", psprintf("Valid regions are %s.", all.data));
}

/* "setting": by the current user; else it is read, whoever has set it. */
static void
check_url(const char *option, const char *value, bool setting)
{
	Url			url;

	if (!parse_url(value, &url))
		bad_value(option, "It must look like https://host, https://host:port or https://host:port/path, without user, query or fragment.");
	if (!url.https && !is_loopback(url.host))
		bad_value(option, "It must begin with https://; plain http is only for a server on this machine (localhost, 127.0.0.1, [::1]).");
	/* a token URL has a path, a base URL of Sigma's has none */
	if (setting && (!url.https || !is_published(&url) || url.has_port ||
					(url.has_path && strcmp(option, "base_url") == 0)) &&
		!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\" to a host that is not one of Sigma's", option),
				 errhint("Only a superuser may do that; name a region instead.")));
}

static void
check_file(const char *option, const char *value, bool setting)
{
	if (value[0] != '/')
		bad_value(option, "It must be an absolute path on the server's machine.");
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
		bad_value(option, "It must be an absolute path on the server's machine.");
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
parse_number(const OptionInfo *option, const char *value, double *number)
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

static void
check_value(const OptionInfo *option, const char *value, bool setting)
{
	bool		flag;
	double		number;

	switch (option->type)
	{
		case OPTION_TEXT:
		case OPTION_SECRET:
			if (value[0] == '\0')
				bad_value(option->name, "It must not be empty.");
			break;
		case OPTION_BOOL:
			if (!parse_bool(value, &flag))
				bad_value(option->name, "It must be true or false.");
			break;
		case OPTION_INT:
			if (!parse_number(option, value, &number))
				bad_value(option->name, psprintf("It must be a whole number from %s.", option->range));
			break;
		case OPTION_ROWS:
			if (!parse_number(option, value, &number))
				bad_value(option->name, "It must be a number of rows, zero or more.");
			break;
		case OPTION_TIME:
			if (!parse_number(option, value, &number))
				bad_value(option->name,
						  psprintf("It must be a time from %s; units are us, ms, s, min, h and d, and s without one.", option->range));
			break;
		case OPTION_SIZE:
			if (!parse_number(option, value, &number))
				bad_value(option->name,
						  psprintf("It must be a size from %s; units are B, kB, MB and GB, and B without one.", option->range));
			break;
		case OPTION_REGION:
			check_region(value);
			break;
		case OPTION_URL:
			check_url(option->name, value, setting);
			break;
		case OPTION_TOKEN_AUTH:
			if (strcmp(value, "body") != 0 && strcmp(value, "basic") != 0)
				bad_value(option->name, "It must be \"body\" or \"basic\".");
			break;
		case OPTION_ON_ERROR:
			if (strcmp(value, "fail") != 0 && strcmp(value, "row") != 0)
				bad_value(option->name, "It must be \"fail\" or \"row\".");
			break;
		case OPTION_ON_MISSING:
			if (strcmp(value, "error") != 0 && strcmp(value, "empty") != 0)
				bad_value(option->name, "It must be \"error\" or \"empty\".");
			break;
		case OPTION_ON_ROLLBACK:
			if (strcmp(value, "delete") != 0 && strcmp(value, "keep") != 0)
				bad_value(option->name, "It must be \"delete\" or \"keep\".");
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
				bad_value(option->name, "It must be the email address of a member, for example 'name@example.com'.");
			break;
		case OPTION_ID:
			if (!is_word(value))
				bad_value(option->name, "It must be an id, without spaces.");
			break;
		case OPTION_RESOURCE:
			if (sigma_find_resource(value) == NULL)
			{
				const char *closest = sigma_closest_resource(value);

				bad_value(option->name, closest
						  ? psprintf("Perhaps you meant the resource \"%s\".", closest)
						  : "IMPORT FOREIGN SCHEMA makes a table of each resource there is.");
			}
			break;
	}
}

static const OptionInfo *
find_option(const char *name, Oid context)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
		if (option_table[i].context == context && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

static const char *
context_name(Oid context)
{
	switch (context)
	{
		case ForeignServerRelationId:
			return "a server";
		case UserMappingRelationId:
			return "a user mapping";
		case ForeignTableRelationId:
			return "a foreign table";
		default:
			return "a column of a foreign table";
	}
}

/* There is no such option here.  The value is not shown: it may be a secret. */
pg_noreturn static void
bad_name(const char *name, Oid context)
{
	const char *names[lengthof(option_table)];
	int			n = 0;
	const char *closest;
	char	   *hint;

	for (int i = 0; i < (int) lengthof(option_table); i++)
		if (option_table[i].context == context)
			names[n++] = option_table[i].name;
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
	for (int i = 0; i < (int) lengthof(option_table); i++)
		if (strcmp(option_table[i].name, name) == 0)
			hint = psprintf("The option \"%s\" belongs to %s.", name, context_name(option_table[i].context));

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 errhint("%s", hint)));
}

static bool
has_option(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
		if (strcmp(((DefElem *) lfirst(lc))->defname, name) == 0)
			return true;
	return false;
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
		const OptionInfo *option = find_option(def->defname, context);

		if (option == NULL)
			bad_name(def->defname, context);
		else
			check_value(option, defGetString(def), true);
	}
	if (context == ForeignServerRelationId)
		check_server(options);
	if (context == UserMappingRelationId)
		check_mapping(options);

	sigma_show_statement(&hiding);
	PG_RETURN_VOID();
}

/* -------------------------------------------------------------- settings */

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

/*
 * Checks options that are about to be used, since the validator may not have
 * seen them.  Names that nobody knows are passed over.
 */
static void
check_read(List *options, Oid context, const char *what, const char *name)
{
	Reading		reading = {what, name};
	ErrorContextCallback callback = {.callback = reading_context, .arg = &reading};
	ListCell   *lc;

	callback.previous = error_context_stack;
	error_context_stack = &callback;
	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);
		const OptionInfo *option = find_option(def->defname, context);

		if (option)
			check_value(option, defGetString(def), false);
	}
	if (context == ForeignServerRelationId)
		check_server(options);
	if (context == UserMappingRelationId)
		check_mapping(options);
	error_context_stack = callback.previous;
}

/* Is it sigma_fdw_validator()? */
static bool
is_validator(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId)
	{
		bool		isnull;
		Datum		symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);

		result = !isnull && strcmp(TextDatumGetCString(symbol), "sigma_fdw_validator") == 0;
	}
	ReleaseSysCache(tuple);
	return result;
}

/* A server whose options can be relied on; raises HV00D, 22023 or 55000. */
static ForeignServer *
checked_server(Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);

	check_read(server->options, ForeignServerRelationId, "server", server->servername);
	if (!is_validator(wrapper->fdwvalidator))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("options of server \"%s\" have not been checked", server->servername),
				 errdetail("Nobody has looked whether those who have set them may name such hosts and files."),
				 errhint("Look at the options of its servers and user mappings yourself, then ALTER FOREIGN DATA WRAPPER %s VALIDATOR sigma_fdw_validator.",
						 quote_identifier(wrapper->fdwname))));
	return server;
}

/* A numeric or boolean option's checked value, as a number. */
static double
option_number(DefElem *def, Oid context)
{
	const OptionInfo *option = find_option(def->defname, context);
	double		number = 0;
	bool		flag = false;

	if (option->type == OPTION_BOOL)
		return parse_bool(defGetString(def), &flag) && flag ? 1 : 0;
	(void) parse_number(option, defGetString(def), &number);
	return number;
}

pg_noreturn static void
no_mapping(Oid userid, const char *server, const char *missing)
{
	char	   *user = GetUserNameFromId(userid, false);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 missing
			 ? errmsg("user mapping of \"%s\" for server \"%s\" has no %s", user, server, missing)
			 : errmsg("no user mapping of \"%s\" for server \"%s\"", user, server),
			 errhint("Use CREATE USER MAPPING or ALTER USER MAPPING to store client_id, and client_secret or client_secret_file.")));
}

Oid
sigma_mapping(Oid serverid, Oid userid, List **options)
{
	HeapTuple	tuple;
	Oid			umid;
	Datum		value;
	bool		isnull;

	tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid),
							ObjectIdGetDatum(serverid));
	if (!HeapTupleIsValid(tuple))
		tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
								ObjectIdGetDatum(serverid));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	umid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->oid;
	value = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	*options = isnull ? NIL : untransformRelOptions(value);
	ReleaseSysCache(tuple);
	return umid;
}

static void
apply_server_option(SigmaSettings *s, DefElem *def)
{
	const char *name = def->defname;

	if (strcmp(name, "region") == 0)
		s->base_url = pstrdup(region_url(defGetString(def)));
	else if (strcmp(name, "base_url") == 0)
		s->base_url = pstrdup(defGetString(def));
	else if (strcmp(name, "token_url") == 0)
		s->token_url = pstrdup(defGetString(def));
	else if (strcmp(name, "token_auth") == 0)
		s->token_basic = strcmp(defGetString(def), "basic") == 0;
	else if (strcmp(name, "ca_file") == 0)
		s->ca_file = pstrdup(defGetString(def));
	else if (strcmp(name, "connect_timeout") == 0)
		s->connect_timeout_ms = (int) option_number(def, ForeignServerRelationId);
	else if (strcmp(name, "request_timeout") == 0)
		s->request_timeout_ms = (int) option_number(def, ForeignServerRelationId);
	else if (strcmp(name, "max_retries") == 0)
		s->max_retries = (int) option_number(def, ForeignServerRelationId);
	else if (strcmp(name, "max_response_size") == 0)
		s->max_response_size = (int) option_number(def, ForeignServerRelationId);
	else if (strcmp(name, "max_concurrency") == 0)
		s->max_concurrency = (int) option_number(def, ForeignServerRelationId);
	else if (strcmp(name, "on_rollback") == 0)
		s->keep_on_rollback = strcmp(defGetString(def), "keep") == 0;
	else if (strcmp(name, "rollback_timeout") == 0)
		s->rollback_timeout_ms = (int) option_number(def, ForeignServerRelationId);
}

/* What a URL names a server by; palloc'd. */
static char *
origin_of(const char *url)
{
	size_t		host = strstr(url, "://") + strlen("://") - url;
	size_t		length = host + strcspn(url + host, "/");

	return asc_tolower(url, length);
}

SigmaSettings *
sigma_settings(Oid serverid, Oid userid)
{
	ForeignServer *server = checked_server(serverid);
	SigmaSettings *s = palloc0(sizeof(SigmaSettings));
	List	   *mapping = NIL;
	Url			url;
	ListCell   *lc;

	s->serverid = serverid;
	s->server = pstrdup(server->servername);
	s->connect_timeout_ms = 10 * 1000;
	s->request_timeout_ms = 60 * 1000;
	s->max_retries = 5;
	s->max_response_size = 64 * 1024 * 1024;
	s->max_concurrency = DEFAULT_CONCURRENCY;
	s->rollback_timeout_ms = 10 * 1000;
	foreach(lc, server->options)
		apply_server_option(s, lfirst(lc));
	while (s->base_url[strlen(s->base_url) - 1] == '/')
		s->base_url[strlen(s->base_url) - 1] = '\0';
	if (s->token_url == NULL)
		s->token_url = psprintf("%s/v2/auth/token", s->base_url);
	s->loopback = parse_url(s->base_url, &url) && is_loopback(url.host);
	s->origin = origin_of(s->base_url);
	s->token_loopback = parse_url(s->token_url, &url) && is_loopback(url.host);

	s->umid = sigma_mapping(serverid, userid, &mapping);
	if (!OidIsValid(s->umid))
		no_mapping(userid, s->server, NULL);
	check_read(mapping, UserMappingRelationId, "the user mapping for server", s->server);
	foreach(lc, mapping)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "client_id") == 0)
			s->client_id = pstrdup(defGetString(def));
		else if (strcmp(def->defname, "client_secret") == 0)
			s->client_secret = pstrdup(defGetString(def));
		else if (strcmp(def->defname, "client_secret_file") == 0)
			s->client_secret_file = pstrdup(defGetString(def));
		else if (strcmp(def->defname, "impersonate") == 0)
			s->impersonate = pstrdup(defGetString(def));
		else if (strcmp(def->defname, "tenant") == 0)
			s->tenant = pstrdup(defGetString(def));
	}
	if (s->client_id == NULL)
		no_mapping(userid, s->server, "client_id");
	if (s->client_secret == NULL && s->client_secret_file == NULL)
		no_mapping(userid, s->server, "client_secret");
	return s;
}

bool
sigma_server_updatable(Oid serverid)
{
	ListCell   *lc;

	foreach(lc, checked_server(serverid)->options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "updatable") == 0)
			return option_number(def, ForeignServerRelationId) != 0;
	}
	return true;
}

int
sigma_server_concurrency(Oid serverid)
{
	ListCell   *lc;

	foreach(lc, checked_server(serverid)->options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "max_concurrency") == 0)
			return (int) option_number(def, ForeignServerRelationId);
	}
	return DEFAULT_CONCURRENCY;
}

/* One option that a server may set for all its tables, and a table for itself. */
static void
apply_scan_option(SigmaTableOptions *o, DefElem *def, Oid context)
{
	const char *name = def->defname;

	if (strcmp(name, "page_size") == 0)
		o->page_size = (int) option_number(def, context);
	else if (strcmp(name, "include_archived") == 0)
		o->scope.include_archived = option_number(def, context) != 0;
	else if (strcmp(name, "skip_permission_check") == 0)
		o->scope.skip_permission_check = option_number(def, context) != 0;
	else if (strcmp(name, "direct_grants_only") == 0)
		o->scope.direct_grants_only = option_number(def, context) != 0;
	else if (strcmp(name, "prefetch") == 0)
		o->prefetch = option_number(def, context) != 0;
	else if (strcmp(name, "count_by_total") == 0)
		o->count_by_total = option_number(def, context) != 0;
	else if (strcmp(name, "async_capable") == 0)
		o->async_capable = option_number(def, context) != 0;
	else if (strcmp(name, "batch_size") == 0)
		o->batch_size = (int) option_number(def, context);
	else if (strcmp(name, "push_filters") == 0)
		o->push_filters = option_number(def, context) != 0;
}

SigmaTableOptions *
sigma_table_options(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	ForeignServer *server = checked_server(table->serverid);
	SigmaTableOptions *o = palloc0(sizeof(SigmaTableOptions));
	ListCell   *lc;

	o->resource = get_rel_name(relid);
	check_read(table->options, ForeignTableRelationId, "foreign table", o->resource);
	o->page_size = SIGMA_MAX_PAGE_SIZE;
	o->prefetch = true;
	o->push_filters = true;
	o->count_by_total = true;
	o->async_capable = true;
	/* a table cannot allow what its server forbids */
	o->updatable = sigma_server_updatable(table->serverid);
	o->rows = -1;
	o->batch_size = 1;
	foreach(lc, server->options)
		apply_scan_option(o, lfirst(lc), ForeignServerRelationId);
	foreach(lc, table->options)
	{
		DefElem    *def = lfirst(lc);

		apply_scan_option(o, def, ForeignTableRelationId);
		if (strcmp(def->defname, "resource") == 0)
			o->resource = pstrdup(defGetString(def));
		else if (strcmp(def->defname, "updatable") == 0)
			o->updatable &= option_number(def, ForeignTableRelationId) != 0;
		else if (strcmp(def->defname, "rows") == 0)
			o->rows = option_number(def, ForeignTableRelationId);
		else if (strcmp(def->defname, "on_error") == 0)
			o->on_error_row = strcmp(defGetString(def), "row") == 0;
		else if (strcmp(def->defname, "on_missing") == 0)
			o->on_missing_empty = strcmp(defGetString(def), "empty") == 0;
	}
	return o;
}

/* Does an option "updatable" among these forbid writing, as far as it can be understood? */
static bool
forbids_writing(List *options)
{
	bool		allowed = true;
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "updatable") == 0 && !parse_bool(defGetString(def), &allowed))
			return true;
	}
	return !allowed;
}

const char *
sigma_resource_name(Oid relid)
{
	ListCell   *lc;

	foreach(lc, GetForeignTable(relid)->options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "resource") == 0)
			return defGetString(def);
	}
	return get_rel_name(relid);
}

const char *
sigma_writable_resource(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);

	return forbids_writing(table->options) || forbids_writing(GetForeignServer(table->serverid)->options)
		? NULL : sigma_resource_name(relid);
}

char *
sigma_column_field_option(Oid relid, AttrNumber attnum)
{
	List	   *options = GetForeignColumnOptions(relid, attnum);
	ListCell   *lc;

	check_read(options, AttributeRelationId, "a column of foreign table", get_rel_name(relid));
	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "field") == 0)
			return pstrdup(defGetString(def));
	}
	return NULL;
}

/*-------------------------------------------------------------------------
 *
 * option_table.c
 *	  The one table of options, and what it says to people.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config_internal.h"

#define SETTING(member)		.into = INTO_SETTINGS, .offset = offsetof(SigmaSettings, member)
#define TABLE_OPTION(member) .into = INTO_TABLE_OPTIONS, .offset = offsetof(SigmaTableOptions, member)

/*
 * In an order that suits whom the hint for an unknown name shows them to.  What
 * both a server and a table may have, a server sets for all of its tables.
 */
/*INDENT OFF*/
const SigmaOption sigma_option_table[] =
{
	{.name = "region", .about = "region of the organization, which gives the base URL",
		.places = ON_SERVER, .type = OPTION_REGION, SETTING(base_url)},
	{.name = "base_url", .about = "base URL of the API, in place of region",
		.places = ON_SERVER, .type = OPTION_URL, SETTING(base_url)},
	{.name = "token_url", .about = "where to sign in; if not set, /v2/auth/token of the base URL",
		.places = ON_SERVER, .type = OPTION_URL, SETTING(token_url)},
	{.name = "token_auth", .about = "how the credentials are sent at sign-in: in the body, or as HTTP Basic",
		.places = ON_SERVER, .type = OPTION_CHOICE, SETTING(token_basic),
		.words = {"body", "basic"}},
	{.name = "connect_timeout", .about = "limit for name resolution, connecting and the TLS handshake together; a plain number is seconds",
		.places = ON_SERVER, .type = OPTION_TIME, SETTING(connect_timeout_ms),
		.fallback = 10 * 1000, .min = 1, .max = 3600000, .range = "1ms to 1h"},
	{.name = "request_timeout", .about = "limit for one attempt of a request, from its start to the last byte of the reply; a plain number is seconds",
		.places = ON_SERVER, .type = OPTION_TIME, SETTING(request_timeout_ms),
		.fallback = 60 * 1000, .min = 1, .max = 86400000, .range = "1ms to 1d"},
	{.name = "max_retries", .about = "how often a failed request is sent again",
		.places = ON_SERVER, .type = OPTION_INT, SETTING(max_retries),
		.fallback = 5, .min = 0, .max = 100, .range = "0 to 100"},
	{.name = "resource", .about = "what the table shows; if not set, the resource of the table's name",
		.places = ON_TABLE, .type = OPTION_RESOURCE, TABLE_OPTION(resource)},
	{.name = "path", .about = "list of the API that the table shows, in place of resource; columns in braces are its keys",
		.places = ON_TABLE, .type = OPTION_PATH, TABLE_OPTION(path)},
	{.name = "item_path", .about = "with path and key: where a single entry is, such as /v2/things/{thing_id}",
		.places = ON_TABLE, .type = OPTION_PATH, TABLE_OPTION(item_path)},
	{.name = "key", .about = "with path: column that identifies an entry",
		.places = ON_TABLE, .type = OPTION_TEXT, TABLE_OPTION(key)},
	{.name = "paging", .about = "with path: how pages are asked for; if not set, the first reply tells",
		.places = ON_TABLE, .type = OPTION_PAGING, TABLE_OPTION(paging),
		.fallback = SIGMA_PAGING_FOUND},
	{.name = "query", .about = "with path: parameters that are always sent",
		.places = ON_TABLE, .type = OPTION_QUERY, TABLE_OPTION(query)},
	{.name = "entries", .about = "with path: name of the array of entries in the reply; if not set, \"entries\"",
		.places = ON_TABLE, .type = OPTION_TEXT, TABLE_OPTION(entries)},
	{.name = "parent", .about = "with path: resource, or table with path, that supplies the keys that a query does not give",
		.places = ON_TABLE, .type = OPTION_TEXT, TABLE_OPTION(parent)},
	{.name = "page_size", .about = "entries per page",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_INT, TABLE_OPTION(page_size),
		.fallback = SIGMA_MAX_PAGE_SIZE, .min = 1, .max = SIGMA_MAX_PAGE_SIZE, .range = "1 to 1000"},
	{.name = "max_response_size", .about = "largest reply that is read, after decompression; a plain number is bytes",
		.places = ON_SERVER, .type = OPTION_SIZE, SETTING(max_response_size),
		.fallback = 64 * 1024 * 1024, .min = 1, .max = 1024.0 * 1024 * 1023, .range = "1B to 1023MB"},
	{.name = "max_concurrency", .about = "most requests at once: of a session, or of all that share credentials and host if the library is preloaded",
		.places = ON_SERVER, .type = OPTION_INT, SETTING(max_concurrency),
		.fallback = 4, .min = 1, .max = 64, .range = "1 to 64"},
	{.name = "requests_per_minute", .about = "most requests in any minute, shared like max_concurrency; if not set, there is no limit",
		.places = ON_SERVER, .type = OPTION_INT, SETTING(requests_per_minute),
		.fallback = 0, .min = 1, .max = 1000000, .range = "1 to 1000000"},
	{.name = "ca_file", .about = "file of trusted certificates in PEM format, on the database server's machine; if not set, the system's own",
		.places = ON_SERVER, .type = OPTION_FILE, SETTING(ca_file)},
	{.name = "include_archived", .about = "whether archived entries are rows",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL,
		TABLE_OPTION(scope.include_archived)},
	{.name = "skip_permission_check", .about = "whether documents that are not shared with the credentials' owner are rows, too; Sigma allows that to administrators only",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL,
		TABLE_OPTION(scope.skip_permission_check)},
	{.name = "direct_grants_only", .about = "whether Sigma leaves inherited permissions out of grants",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL,
		TABLE_OPTION(scope.direct_grants_only)},
	{.name = "updatable", .about = "whether rows can be inserted, updated and deleted; false of the server holds for all its tables",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL, TABLE_OPTION(updatable),
		.fallback = true},
	{.name = "rows", .about = "how many rows the planner expects if ANALYZE has not counted them",
		.places = ON_TABLE, .type = OPTION_ROWS, TABLE_OPTION(rows), .fallback = -1},
	{.name = "on_rollback", .about = "what happens to the connections that a transaction has created, if it is rolled back",
		.places = ON_SERVER, .type = OPTION_CHOICE, SETTING(keep_on_rollback),
		.words = {"delete", "keep"}},
	{.name = "rollback_timeout", .about = "how long a rollback may take to delete them",
		.places = ON_SERVER, .type = OPTION_TIME, SETTING(rollback_timeout_ms),
		.fallback = 10 * 1000, .min = 1, .max = 3600000, .range = "1ms to 1h"},
	{.name = "prefetch", .about = "whether pages are requested before they are needed",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL, TABLE_OPTION(prefetch),
		.fallback = true},
	{.name = "push_filters", .about = "whether conditions are sent to Sigma as filters",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL, TABLE_OPTION(push_filters),
		.fallback = true},
	{.name = "on_error", .about = "below a parent: whether a list that cannot be read is an error, or a row",
		.places = ON_TABLE, .type = OPTION_CHOICE, TABLE_OPTION(on_error_row),
		.words = {"fail", "row"}},
	{.name = "on_missing", .about = "whether a list that the organization does not offer is an error, or empty with a WARNING",
		.places = ON_TABLE, .type = OPTION_CHOICE, TABLE_OPTION(on_missing_empty),
		.words = {"error", "empty"}},
	{.name = "count_by_total", .about = "whether count(*) takes the number that Sigma tells, without reading the rows",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL,
		TABLE_OPTION(count_by_total), .fallback = true},
	{.name = "async_capable", .about = "whether tables are scanned at the same time as others",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_BOOL,
		TABLE_OPTION(async_capable), .fallback = true},
	{.name = "batch_size", .about = "how many rows an INSERT sends at once",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_INT, TABLE_OPTION(batch_size),
		.fallback = 1, .min = 1, .max = 1000, .range = "1 to 1000"},
	{.name = "workbook_id", .about = "with resource 'element': the workbook",
		.places = ON_TABLE, .type = OPTION_ID, TABLE_OPTION(workbook_id)},
	{.name = "element_id", .about = "with resource 'element': the element whose rows the table shows",
		.places = ON_TABLE, .type = OPTION_ID, TABLE_OPTION(element_id)},
	{.name = "tag", .about = "with resource 'element': version tag of the workbook",
		.places = ON_TABLE, .type = OPTION_TEXT, TABLE_OPTION(tag)},
	{.name = "parameters", .about = "with resource 'element': what controls are set to",
		.places = ON_TABLE, .type = OPTION_PARAMETERS, TABLE_OPTION(parameters)},
	{.name = "export_timeout", .about = "how long an export may take until its file is ready; a plain number is seconds",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_TIME,
		TABLE_OPTION(export_timeout_ms), .fallback = 600 * 1000, .min = 1, .max = 86400000, .range = "1ms to 1d"},
	{.name = "export_rows", .about = "how many rows one export may have; if there are more, several are made",
		.places = ON_SERVER | ON_TABLE, .type = OPTION_INT, TABLE_OPTION(export_rows),
		.fallback = SIGMA_MAX_EXPORT_ROWS, .min = 10, .max = SIGMA_MAX_EXPORT_ROWS, .range = "10 to 1000000"},
	{.name = "client_id", .about = "id of the client credentials; needed",
		.places = ON_MAPPING, .type = OPTION_SECRET, SETTING(client_id)},
	{.name = "client_secret", .about = "secret of the client credentials; either it or client_secret_file is needed",
		.places = ON_MAPPING, .type = OPTION_SECRET, SETTING(client_secret)},
	{.name = "client_secret_file", .about = "file that holds the secret, on the database server's machine; only superusers may set it",
		.places = ON_MAPPING, .type = OPTION_SECRET_FILE,
		SETTING(client_secret_file)},
	{.name = "impersonate", .about = "member to act as, instead of the credentials' owner",
		.places = ON_MAPPING, .type = OPTION_EMAIL, SETTING(impersonate)},
	{.name = "tenant", .about = "tenant organization to act in",
		.places = ON_MAPPING, .type = OPTION_ID, SETTING(tenant)},
	{.name = "field", .about = "field of the API that the column shows, if it is not the column's name in camelCase",
		.places = ON_COLUMN, .type = OPTION_TEXT, .into = INTO_NOTHING},
	{.name = "control", .about = "in a table of an element's rows: the control that the column is for",
		.places = ON_COLUMN, .type = OPTION_TEXT, .into = INTO_NOTHING},
};

/*INDENT ON*/

const int	sigma_noptions = lengthof(sigma_option_table);

int
sigma_option_place(Oid context)
{
	switch (context)
	{
		case ForeignServerRelationId:
			return ON_SERVER;
		case UserMappingRelationId:
			return ON_MAPPING;
		case ForeignTableRelationId:
			return ON_TABLE;
		case AttributeRelationId:
			return ON_COLUMN;
		default:
			return 0;
	}
}

const SigmaOption *
sigma_find_option(const char *name, Oid context)
{
	for (int i = 0; i < sigma_noptions; i++)
		if ((sigma_option_table[i].places & sigma_option_place(context)) &&
			strcmp(sigma_option_table[i].name, name) == 0)
			return &sigma_option_table[i];
	return NULL;
}

/* -------------------------------------------------------- what they are */

/* The values that an option takes, in a few words. */
static const char *
values_of_option(const SigmaOption *option)
{
	switch (option->type)
	{
		case OPTION_TEXT:
		case OPTION_SECRET:
			return "a text";
		case OPTION_REGION:
			return sigma_region_names();
		case OPTION_PARAMETERS:
			return "a JSON object";
		case OPTION_URL:
			return "https://host, with a port and a path if need be";
		case OPTION_FILE:
		case OPTION_SECRET_FILE:
			return "an absolute path";
		case OPTION_EMAIL:
			return "an email address";
		case OPTION_ID:
			return "an id";
		case OPTION_RESOURCE:
			return "a resource";
		case OPTION_PATH:
			return "a path of the API";
		case OPTION_QUERY:
			return "parameters as in a URL, or a JSON object";
		case OPTION_BOOL:
			return "true, false";
		case OPTION_CHOICE:
			return psprintf("%s, %s", option->words[0], option->words[1]);
		case OPTION_INT:
		case OPTION_TIME:
		case OPTION_SIZE:
			return option->range;
		case OPTION_PAGING:
			return "page, page_token, none";
		case OPTION_ROWS:
			return "0 or more";
	}
	return NULL;
}

/* A value of OPTION_INT, OPTION_TIME (ms) or OPTION_SIZE (bytes) as one would write it. */
static char *
number_text(const SigmaOption *option, int n)
{
	if (option->type == OPTION_TIME)
		return n % 1000 == 0 ? psprintf("%ds", n / 1000) : psprintf("%dms", n);
	if (option->type == OPTION_SIZE)
		return n % (1024 * 1024) == 0 ? psprintf("%dMB", n / (1024 * 1024)) : psprintf("%dB", n);
	return psprintf("%d", n);
}

/* What counts if it is not set, as one would write it; NULL if that is nothing. */
static const char *
default_of_option(const SigmaOption *option)
{
	int			n = (int) option->fallback;

	switch (option->type)
	{
		case OPTION_BOOL:
			return n ? "true" : "false";
		case OPTION_CHOICE:
			return option->words[n];
		case OPTION_INT:
		case OPTION_TIME:
		case OPTION_SIZE:
			/* no default is out of its range, but for one that means none */
			return n < option->min ? NULL : number_text(option, n);
		default:
			return NULL;
	}
}

bool
sigma_option_facts(int number, SigmaOptionFacts *facts)
{
	static const int places[] = {ON_SERVER, ON_MAPPING, ON_TABLE, ON_COLUMN};
	const SigmaOption *option;

	if (number >= sigma_noptions)
		return false;
	option = &sigma_option_table[number];
	facts->name = option->name;
	facts->about = option->about;
	for (int i = 0; i < (int) lengthof(places); i++)
		facts->places[i] = (option->places & places[i]) != 0;
	facts->fallback = default_of_option(option);
	facts->values = values_of_option(option);
	return true;
}

char *
sigma_option_more(const char *name, const SigmaSettings *settings)
{
	const SigmaOption *option = sigma_find_option(name, ForeignServerRelationId);
	int			now = *(const int *) ((const char *) settings + option->offset);

	Assert(option->into == INTO_SETTINGS);
	return now >= option->max ? NULL
		: number_text(option, (int) Min(option->max, Max(option->fallback, 2.0 * now)));
}

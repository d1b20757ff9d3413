/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Statements that mend something, for hints: such that they can be pasted,
 *	  but for what only the reader knows, which stands as '...'.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_foreign_server.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config_internal.h"

static bool
is_set(const List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		if (strcmp(lfirst_node(DefElem, lc)->defname, name) == 0)
			return true;
	}
	return false;
}

/* ADD name 'value', or SET if it is there already. */
static char *
set_option(const List *options, const char *name, const char *value)
{
	return psprintf("%s %s %s", is_set(options, name) ? "SET" : "ADD", quote_identifier(name),
					quote_literal_cstr(value));
}

static char *
options_clause(const List *options, const char *name, const char *value)
{
	return psprintf("OPTIONS (%s)", set_option(options, name, value));
}

char *
sigma_alter_server(const SigmaSettings *s, const char *option, const char *value)
{
	return psprintf("ALTER SERVER %s %s", quote_identifier(s->server), options_clause(s->server_options, option, value));
}

char *
sigma_alter_address(const SigmaSettings *s)
{
	return is_set(s->server_options, "region") ? sigma_alter_server(s, "region", "...")
		: sigma_alter_server(s, "base_url", "https://...");
}

char *
sigma_alter_bare_address(const SigmaSettings *s)
{
	size_t		length = strlen(s->base_url) - strlen("/v2");

	if (!is_set(s->server_options, "base_url") || strcmp(s->base_url + length, "/v2") != 0)
		return NULL;
	return sigma_alter_server(s, "base_url", pnstrdup(s->base_url, length));
}

char *
sigma_allow_more(const SigmaSettings *s, const char *option)
{
	char	   *more = sigma_option_more(option, s);

	return more ? sigma_alter_server(s, option, more) : NULL;
}

char *
sigma_alter_mapping(const SigmaSettings *s, const char *options)
{
	return psprintf("ALTER USER MAPPING FOR %s SERVER %s OPTIONS (%s)", s->mapping_role, quote_identifier(s->server),
					options);
}

char *
sigma_alter_credentials(const SigmaSettings *s)
{
	return sigma_alter_mapping(s, s->client_secret_file ? "SET client_id '...', SET client_secret_file '...'"
							   : "SET client_id '...', SET client_secret '...'");
}

char *
sigma_alter_identity(const SigmaSettings *s)
{
	if (s->impersonate && s->tenant)
		return sigma_alter_mapping(s, "SET impersonate '...', SET tenant '...'");
	return sigma_alter_mapping(s, s->tenant ? "SET tenant '...'" : "SET impersonate '...'");
}

char *
sigma_table_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

char *
sigma_alter_table(Oid relid, const char *action)
{
	return psprintf("ALTER FOREIGN TABLE %s %s", sigma_table_name(relid), action);
}

char *
sigma_alter_table_option(Oid relid, const char *option, const char *value)
{
	return sigma_alter_table(relid, options_clause(GetForeignTable(relid)->options, option, value));
}

char *
sigma_name_element(Oid relid)
{
	const List *options = GetForeignTable(relid)->options;

	return sigma_alter_table(relid, psprintf("OPTIONS (%s, %s)", set_option(options, "workbook_id", "..."),
											 set_option(options, "element_id", "...")));
}

char *
sigma_alter_column_option(Oid relid, const char *column, const char *option, const char *value)
{
	List	   *options = GetForeignColumnOptions(relid, get_attnum(relid, column));

	return sigma_alter_table(relid, psprintf("ALTER COLUMN %s %s", quote_identifier(column),
											 options_clause(options, option, value)));
}

char *
sigma_allow_export(Oid relid, const SigmaSettings *s, int timeout_ms)
{
	const char *option = "export_timeout";
	char	   *value = psprintf("%dmin", Min(24 * 60, Max(30, (timeout_ms + 29999) / 30000)));

	return OidIsValid(relid) && is_set(GetForeignTable(relid)->options, option)
		? sigma_alter_table_option(relid, option, value)
		: sigma_alter_server(s, option, value);
}

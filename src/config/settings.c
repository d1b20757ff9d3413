/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  What the options of a server, a user mapping and a table come to.
 *
 * A wrapper can be made without the validator, or get it later, so values are
 * checked again where they are read; what the role may set that has set them
 * cannot be, so a wrapper without the validator is not used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config_internal.h"

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

	sigma_check_read_options(server->options, ForeignServerRelationId, "server", server->servername);
	if (!is_validator(wrapper->fdwvalidator))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("options of server \"%s\" have not been checked", server->servername),
				 errdetail("Nobody has looked whether those who have set them may name such hosts and files."),
				 errhint("Look at the options of its servers and user mappings yourself, then ALTER FOREIGN DATA WRAPPER %s VALIDATOR %s.",
						 quote_identifier(wrapper->fdwname),
						 quote_qualified_identifier(get_namespace_name(get_func_namespace(wrapper->fdwhandler)),
													"sigma_fdw_validator"))));
	return server;
}

pg_noreturn static void
no_mapping(const SigmaSettings *s, Oid userid)
{
	char	   *user = GetUserNameFromId(userid, false);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("no user mapping of \"%s\" for server \"%s\"", user, s->server),
			 errhint("Use CREATE USER MAPPING FOR %s SERVER %s OPTIONS (client_id '...', client_secret '...').",
					 quote_identifier(user), quote_identifier(s->server))));
}

/* The mapping, the user's own or PUBLIC's, is without an option that it needs. */
pg_noreturn static void
incomplete_mapping(const SigmaSettings *s, Oid userid, const char *missing)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("user mapping of \"%s\" for server \"%s\" has no %s", GetUserNameFromId(userid, false), s->server,
					missing),
			 errhint("Use %s.", sigma_alter_mapping(s, psprintf("ADD %s '...'", missing)))));
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

SigmaSettings *
sigma_settings(Oid serverid, Oid userid)
{
	ForeignServer *server = checked_server(serverid);
	SigmaSettings *s = palloc0(sizeof(SigmaSettings));
	List	   *mapping = NIL;

	s->serverid = serverid;
	s->server = pstrdup(server->servername);
	s->server_options = server->options;
	sigma_default_options(INTO_SETTINGS, s);
	sigma_apply_options(server->options, ForeignServerRelationId, INTO_SETTINGS, s);
	while (s->base_url[strlen(s->base_url) - 1] == '/')
		s->base_url[strlen(s->base_url) - 1] = '\0';
	if (s->token_url == NULL)
		s->token_url = psprintf("%s/v2/auth/token", s->base_url);
	s->loopback = sigma_url_is_loopback(s->base_url);
	s->origin = sigma_url_origin(s->base_url);
	s->token_loopback = sigma_url_is_loopback(s->token_url);

	s->umid = sigma_mapping(serverid, userid, &mapping);
	if (!OidIsValid(s->umid))
		no_mapping(s, userid);
	if (SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(userid), ObjectIdGetDatum(serverid)))
		s->umuser = userid;
	s->mapping_role = OidIsValid(s->umuser) ? quote_identifier(GetUserNameFromId(userid, false)) : "PUBLIC";
	sigma_check_read_options(mapping, UserMappingRelationId, "the user mapping for server", s->server);
	sigma_apply_options(mapping, UserMappingRelationId, INTO_SETTINGS, s);
	if (s->client_id == NULL)
		incomplete_mapping(s, userid, "client_id");
	if (s->client_secret == NULL && s->client_secret_file == NULL)
		incomplete_mapping(s, userid, "client_secret");
	return s;
}

bool
sigma_server_updatable(Oid serverid)
{
	SigmaTableOptions o;

	sigma_default_options(INTO_TABLE_OPTIONS, &o);
	sigma_apply_options(checked_server(serverid)->options, ForeignServerRelationId,
						INTO_TABLE_OPTIONS, &o);
	return o.updatable;
}

int
sigma_server_concurrency(Oid serverid)
{
	SigmaSettings s;

	sigma_default_options(INTO_SETTINGS, &s);
	sigma_apply_options(checked_server(serverid)->options, ForeignServerRelationId,
						INTO_SETTINGS, &s);
	return s.max_concurrency;
}

SigmaTableOptions *
sigma_table_options(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	ForeignServer *server = checked_server(table->serverid);
	SigmaTableOptions *o = palloc0(sizeof(SigmaTableOptions));
	bool		server_updatable;

	sigma_default_options(INTO_TABLE_OPTIONS, o);
	o->relid = relid;
	o->resource = get_rel_name(relid);
	sigma_check_read_options(table->options, ForeignTableRelationId, "foreign table", o->resource);
	sigma_apply_options(server->options, ForeignServerRelationId, INTO_TABLE_OPTIONS, o);
	server_updatable = o->updatable;
	sigma_apply_options(table->options, ForeignTableRelationId, INTO_TABLE_OPTIONS, o);
	/* a table cannot allow what its server forbids */
	o->updatable &= server_updatable;
	return o;
}

/* The value of an option, or NULL if it is not set. */
static char *
option_value(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return NULL;
}

/* Does an option "updatable" among these forbid writing, as far as it can be understood? */
static bool
forbids_writing(List *options)
{
	const char *value = option_value(options, "updatable");
	bool		allowed;

	return value && !(parse_bool(value, &allowed) && allowed);
}

const char *
sigma_resource_name(Oid relid)
{
	List	   *options = GetForeignTable(relid)->options;
	const char *name = option_value(options, "resource");

	if (option_value(options, "path"))
		return NULL;
	return name ? name : get_rel_name(relid);
}

bool
sigma_needs_keys(Oid relid)
{
	List	   *options = GetForeignTable(relid)->options;
	const char *path = option_value(options, "path");

	return path && strchr(path, '{') && option_value(options, "parent") == NULL;
}

const char *
sigma_writable_resource(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);

	return forbids_writing(table->options) || forbids_writing(GetForeignServer(table->serverid)->options)
		? NULL : sigma_resource_name(relid);
}

/* An option of a column, palloc'd; NULL if it is not set. */
static char *
column_option(Oid relid, AttrNumber attnum, const char *name)
{
	List	   *options = GetForeignColumnOptions(relid, attnum);
	char	   *value;

	sigma_check_read_options(options, AttributeRelationId, "a column of foreign table", get_rel_name(relid));
	value = option_value(options, name);
	return value ? pstrdup(value) : NULL;
}

char *
sigma_column_field_option(Oid relid, AttrNumber attnum)
{
	return column_option(relid, attnum, "field");
}

/* ------------------------------------------------------ tables of elements */

char *
sigma_column_control_option(Oid relid, AttrNumber attnum)
{
	return column_option(relid, attnum, "control");
}

bool
sigma_is_element(Oid relid)
{
	const char *name = sigma_resource_name(relid);

	return name && strcmp(name, SIGMA_ELEMENT) == 0;
}

SigmaTableOptions *
sigma_server_table_options(Oid serverid)
{
	SigmaTableOptions *o = palloc0(sizeof(SigmaTableOptions));

	sigma_default_options(INTO_TABLE_OPTIONS, o);
	sigma_apply_options(checked_server(serverid)->options, ForeignServerRelationId,
						INTO_TABLE_OPTIONS, o);
	return o;
}

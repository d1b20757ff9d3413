/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  Resources that foreign tables define themselves, by the option "path".
 *
 * All code works on constant resources, those of the catalogue, and tells them
 * apart by their address: what a session has learned of one is kept under it.
 * So a resource is made of a table's options and columns, and kept for as long
 * as the backend lives, under all that it consists of: the same definition is
 * the same resource, and another one is another.  That takes memory for each
 * definition that the backend has met, a kilobyte or so; not for each use.
 *
 * The validator sees the options alone.  What takes the columns, the parent or
 * the server is checked here, when a statement uses the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "base/base.h"
#include "catalog/catalog.h"
#include "config/config_internal.h"

/* A table below a table below a table: longer chains are a mistake, a circle above all. */
#define MAX_PARENTS 8

typedef struct Definition
{
	char	   *content;		/* the key: all of it, as text */
	uint32		hash;
	char		status;
	const SigmaResource *resource;
} Definition;

#define SH_PREFIX definitions
#define SH_ELEMENT_TYPE Definition
#define SH_KEY content
#include "base/texthash.h"

static definitions_hash *definitions = NULL;
static MemoryContext definitions_context = NULL;

/* ------------------------------------------------------ the same is the same */

static void
append_text(StringInfo content, const char *text)
{
	if (text)
		appendStringInfo(content, "%zu:%s", strlen(text), text);
	appendStringInfoChar(content, ';');
}

/* Everything that a made resource consists of. */
static char *
describe(const SigmaResource *r)
{
	StringInfoData content;

	initStringInfo(&content);
	append_text(&content, r->name);
	append_text(&content, r->path);
	append_text(&content, r->item_path);
	append_text(&content, r->key);
	append_text(&content, r->query);
	append_text(&content, r->entries);
	appendStringInfo(&content, "%p;%d;%d;", (const void *) r->above, r->paging, r->max_page_size);
	for (int i = 0; i < r->nfields; i++)
	{
		append_text(&content, r->fields[i].column);
		append_text(&content, r->fields[i].field);
		appendStringInfo(&content, "%d;%d;", r->fields[i].read, r->fields[i].kind);
	}
	return content.data;
}

static const char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* The one resource that consists of this, which lives as long as the backend. */
static const SigmaResource *
intern(const SigmaResource *made)
{
	char	   *content = describe(made);
	Definition *definition;
	MemoryContext old;
	SigmaResource *r;
	SigmaField *fields;
	bool		found;

	if (definitions == NULL)
	{
		definitions_context = AllocSetContextCreate(TopMemoryContext, "sigma definitions",
													ALLOCSET_DEFAULT_SIZES);
		definitions = definitions_create(definitions_context, 16, NULL);
	}
	definition = definitions_lookup(definitions, content);
	if (definition)
		return definition->resource;

	old = MemoryContextSwitchTo(definitions_context);
	r = palloc(sizeof(SigmaResource));
	*r = *made;
	r->name = copy_text(made->name);
	r->path = copy_text(made->path);
	r->item_path = copy_text(made->item_path);
	r->key = copy_text(made->key);
	r->parent = copy_text(made->parent);
	r->query = copy_text(made->query);
	r->entries = copy_text(made->entries);
	r->fields = fields = palloc(Max(made->nfields, 1) * sizeof(SigmaField));
	for (int i = 0; i < made->nfields; i++)
	{
		fields[i] = made->fields[i];
		fields[i].column = copy_text(made->fields[i].column);
		fields[i].field = copy_text(made->fields[i].field);
	}
	/* last, so that there is no entry without a resource */
	definition = definitions_insert(definitions, pstrdup(content), &found);
	definition->resource = r;
	MemoryContextSwitchTo(old);
	return r;
}

/* ------------------------------------------------------------------ parents */

static const SigmaResource *define(SigmaTableOptions *options, List *below);

pg_noreturn static void
bad_parent(const SigmaTableOptions *options, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid parent %s of foreign table %s", sigma_quoted(options->parent),
					sigma_quoted(options->resource)),
			 errdetail("%s", detail),
			 errhint("The option \"parent\" names a resource, or a foreign table of the same server: in the same schema, or with its schema. To set it: %s.",
					 sigma_alter_table_option(options->relid, "parent", "..."))));
}

/*
 * The table that an option "parent" names, or InvalidOid.  Not by the search
 * path: what a table is must not depend on who asks.
 */
static Oid
find_parent_table(const SigmaTableOptions *options)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(options->parent));
	Oid			schema = get_rel_namespace(options->relid);

	if (list_length(names) > 2)
		bad_parent(options, "It has more than two parts.");
	if (list_length(names) == 2)
		schema = get_namespace_oid(strVal(linitial(names)), true);
	return OidIsValid(schema) ? get_relname_relid(strVal(llast(names)), schema) : InvalidOid;
}

/* The resource below whose entries a table's list stands; "below" are the tables on the way. */
static const SigmaResource *
find_parent(SigmaTableOptions *options, List *below)
{
	const SigmaResource *known = sigma_find_resource(options->parent);
	SigmaTableOptions *parent;
	Oid			relid;
	Relation	rel;
	const SigmaResource *result;

	if (known)
		return known;
	relid = find_parent_table(options);
	/* it may go between here and there */
	rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	if (rel == NULL)
		bad_parent(options, "There is no such resource, and no such table.");
	if (rel->rd_rel->relkind != RELKIND_FOREIGN_TABLE ||
		GetForeignTable(relid)->serverid != GetForeignTable(options->relid)->serverid)
		bad_parent(options, "It is not a foreign table of the same server.");
	below = lappend_oid(list_copy(below), options->relid);
	if (list_member_oid(below, relid))
		bad_parent(options, "The table would stand below itself.");
	if (list_length(below) > MAX_PARENTS)
		bad_parent(options, psprintf("More than %d tables stand below each other.", MAX_PARENTS));
	parent = sigma_table_options(relid);
	result = parent->path ? define(parent, below) : sigma_table_resource(parent);
	options->parents = lappend_oid(list_concat(options->parents, parent->parents), relid);
	relation_close(rel, NoLock);
	return result;
}

/* ------------------------------------------------------------------ columns */

pg_noreturn static void
no_column(const SigmaTableOptions *options, const char *option, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg("foreign table %s has no column %s", sigma_quoted(options->resource),
					sigma_quoted(column)),
			 errdetail("Its option \"%s\" names the column.", option),
			 errhint("Correct the option, or add the column: %s.",
					 sigma_alter_table(options->relid, psprintf("ADD COLUMN %s text", quote_identifier(column))))));
}

/* Of a key of the path: which column of the parent it comes from, and of which kind that is. */
static void
define_key(const SigmaTableOptions *options, const SigmaResource *above, const char *field,
		   Oid type, SigmaField *f)
{
	const char *name = field ? field : f->column;
	const SigmaField *source;
	Oid			base = getBaseType(type);

	if (base != TEXTOID && base != VARCHAROID && base != UUIDOID)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column %s of foreign table %s must be of type text or uuid",
						sigma_quoted(f->column), sigma_quoted(options->resource)),
				 errdetail("The table's option \"path\" names it as a key."),
				 errhint("To change the type: %s.",
						 sigma_alter_table(options->relid, psprintf("ALTER COLUMN %s TYPE text", quote_identifier(f->column))))));
	f->read = SIGMA_FROM_KEY;
	f->kind = SIGMA_ID;
	f->field = name;
	if (above == NULL)
		return;
	source = sigma_find_field(above, name);
	if (source == NULL)
		source = sigma_find_api_field(above, name);
	if (source == NULL || (source->read != SIGMA_FROM_FIELD && source->read != SIGMA_FROM_KEY))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("parent %s of foreign table %s has no column %s", sigma_quoted(above->name),
						sigma_quoted(options->resource), sigma_quoted(name)),
				 errhint("Name the parent's column that has the values: %s.",
						 sigma_alter_column_option(options->relid, f->column, "field", "..."))));
	f->field = source->column;
	f->kind = source->kind;
}

static void
define_column(const SigmaTableOptions *options, const SigmaResource *above, int nkeys,
			  const char *const *keys, Form_pg_attribute attribute, SigmaField *f)
{
	char	   *field = sigma_column_field_option(options->relid, attribute->attnum);

	f->column = pstrdup(NameStr(attribute->attname));
	f->read = SIGMA_FROM_FIELD;
	f->kind = options->key && strcmp(options->key, f->column) == 0 ? SIGMA_ID : SIGMA_PLAIN;
	for (int i = 0; i < nkeys; i++)
		if (strcmp(keys[i], f->column) == 0)
		{
			define_key(options, above, field, attribute->atttypid, f);
			return;
		}
	if (strcmp(field ? field : f->column, "attrs") == 0)
		f->read = SIGMA_FROM_ENTRY;
	else if (field == NULL && strcmp(f->column, "_error") == 0)
		f->read = SIGMA_FROM_ERROR;
	else
		f->field = field ? field : sigma_api_name(f->column);
}

/* ---------------------------------------------------------------- resources */

/* The resource that the options and columns of a table make, as it was made last. */
static const SigmaResource *
define(SigmaTableOptions *options, List *below)
{
	const SigmaResource *above = options->parent ? find_parent(options, below) : NULL;
	Relation	rel = table_open(options->relid, AccessShareLock);
	int			natts = RelationGetDescr(rel)->natts;
	SigmaField *fields = palloc0(Max(natts, 1) * sizeof(SigmaField));
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(options->path, keys);
	const SigmaField *key;
	SigmaResource r = {
		.name = options->resource,
		.path = options->path,
		.item_path = options->item_path,
		.key = options->key,
		.parent = above ? above->name : NULL,
		.above = above,
		.query = sigma_option_query(options->query),
		.entries = options->entries ? sigma_to_utf8(options->entries) : NULL,
		.paging = options->paging,
		.max_page_size = options->page_size,
		/* what is no object can be shown, too */
		.bare_field = "value",
		/* a document that is gone has gone with all that is below it */
		.nothing = above ? above->nothing : NULL,
		.made = true,
		.fields = fields,
	};

	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), i);

		if (!attribute->attisdropped)
			define_column(options, above, nkeys, keys, attribute, &fields[r.nfields++]);
	}
	/* whoever uses the table has locked it */
	table_close(rel, NoLock);

	for (int i = 0; i < nkeys; i++)
		if (sigma_find_field(&r, keys[i]) == NULL)
			no_column(options, "path", keys[i]);
	key = options->key ? sigma_find_field(&r, options->key) : NULL;
	if (options->key && key == NULL)
		no_column(options, "key", options->key);
	if (key && key->read != SIGMA_FROM_FIELD)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\"", "key"),
				 errdetail("The column %s of foreign table %s is no field of an entry.",
						   sigma_quoted(options->key), sigma_quoted(options->resource))));
	return intern(&r);
}

const SigmaResource *
sigma_table_resource(SigmaTableOptions *options)
{
	const SigmaResource *resource;
	const char *closest;

	if (options->path)
		return define(options, NIL);
	resource = sigma_find_resource(options->resource);
	if (resource)
		return resource;
	closest = sigma_closest_resource(options->resource);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
			 errmsg("Sigma has no resource \"%s\"", options->resource),
			 closest
			 ? errhint("Perhaps you meant \"%s\": %s.", closest, sigma_alter_table_option(options->relid, "resource", closest))
			 : errhint("Name the resource, if the table's own name does not: %s. A list that sigma_fdw does not know is named by the option \"path\".",
					   sigma_alter_table_option(options->relid, "resource", "..."))));
	return NULL;				/* keep compilers quiet */
}

/*-------------------------------------------------------------------------
 *
 * test_catalog.c
 *	  What must hold for every entry of the catalogue, and the look-ups in it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog.h"

#include <ctype.h>

#include "catalog/pg_type_d.h"

#include "tap.h"

#define FOR_EACH_RESOURCE(r) \
	for (const SigmaResource *const *p_ = sigma_resources, *r; \
		 p_ < sigma_resources + sigma_nresources && ((r = *p_) || true); p_++)

/* Is it a name that SQL takes without quotes, leaving keywords aside? */
static bool
is_snake_case(const char *name)
{
	if (!islower((unsigned char) name[0]) && strcmp(name, "_error") != 0)
		return false;
	for (const char *p = name; *p; p++)
		if (!islower((unsigned char) *p) && !isdigit((unsigned char) *p) && *p != '_')
			return false;
	return strlen(name) < NAMEDATALEN;
}

/* Is "{column}" in the path? */
static bool
path_names(const char *path, const char *column)
{
	const char *p = strchr(path, '{');

	for (; p; p = strchr(p + 1, '{'))
		if (strncmp(p + 1, column, strlen(column)) == 0 && p[1 + strlen(column)] == '}')
			return true;
	return false;
}

static bool
is_key(const SigmaField *field)
{
	return field && field->read == SIGMA_FROM_KEY;
}

/* Are all names in braces columns that pass the test? */
static void
expect_placeholders(const SigmaResource *r, const char *path, bool of_item)
{
	EXPECT(path[0] == '/', "%s: path %s", r->name, path);
	for (const char *p = strchr(path, '{'); p; p = strchr(p + 1, '{'))
	{
		char		column[NAMEDATALEN];
		const SigmaField *field;
		size_t		length = strcspn(p + 1, "}");

		if (!EXPECT(p[1 + length] == '}' && length < sizeof(column), "%s: path %s", r->name, path))
			return;
		memcpy(column, p + 1, length);
		column[length] = '\0';
		field = sigma_find_field(r, column);
		EXPECT(is_key(field) || (of_item && field && r->key && strcmp(column, r->key) == 0),
			   "%s: {%s} of %s is no key", r->name, column, path);
	}
}

static void
test_names(void)
{
	tap_begin("catalogue: the names of resources and of columns are unique and in snake_case");
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *r = sigma_resources[i];

		EXPECT(is_snake_case(r->name), "%s", r->name);
		for (int j = 0; j < i; j++)
			EXPECT(strcmp(r->name, sigma_resources[j]->name) != 0, "%s twice", r->name);
		for (int k = 0; k < r->nfields; k++)
		{
			EXPECT(is_snake_case(r->fields[k].column), "%s.%s", r->name, r->fields[k].column);
			for (int l = 0; l < k; l++)
				EXPECT(strcmp(r->fields[k].column, r->fields[l].column) != 0,
					   "%s.%s twice", r->name, r->fields[k].column);
		}
	}
	tap_end();
}

static void
test_paths(void)
{
	tap_begin("catalogue: every name in a path is a key, and every key is in the path");
	FOR_EACH_RESOURCE(r)
	{
		expect_placeholders(r, r->path, false);
		if (r->item_path)
		{
			expect_placeholders(r, r->item_path, true);
			EXPECT(r->key && path_names(r->item_path, r->key), "%s: item_path without the key", r->name);
			EXPECT(strchr(r->item_path, '?') == NULL, "%s: item_path with a query", r->name);
		}
		for (int i = 0; i < r->nfields; i++)
			if (is_key(&r->fields[i]))
				EXPECT(path_names(r->path, r->fields[i].column), "%s.%s is not in the path",
					   r->name, r->fields[i].column);
	}
	tap_end();
}

/* The flat form is the same resource, and whatever uses it goes by the same names. */
static void
test_flat_forms(void)
{
	int			forms = 0;

	tap_begin("catalogue: a flat form has the same columns, fewer keys, and a parent further up");
	FOR_EACH_RESOURCE(r)
	{
		const SigmaResource *flat = r->flat;
		const SigmaResource *parent;
		bool		lacks = false;

		if (flat == NULL)
			continue;
		forms++;
		expect_placeholders(r, flat->path, false);
		EXPECT(strcmp(flat->name, r->name) == 0 && flat->fields == r->fields && flat->nfields == r->nfields &&
			   flat->nothing == r->nothing && strcmp(flat->key, r->key) == 0, "%s: another resource", r->name);
		EXPECT(flat->flat == NULL && r->item_path == NULL && r->nfilters == 0 && flat->nfilters == 0,
			   "%s: what a flat form cannot have", r->name);
		for (int i = 0; i < r->nfields; i++)
		{
			EXPECT(sigma_flat_has(r, &r->fields[i]) == (!is_key(&r->fields[i]) || path_names(flat->path, r->fields[i].column)),
				   "%s.%s", r->name, r->fields[i].column);
			lacks |= !sigma_flat_has(r, &r->fields[i]);
		}
		EXPECT(lacks, "%s: a flat form that has all", r->name);
		parent = sigma_find_resource(r->parent);
		EXPECT(strcmp(parent->parent, flat->parent) == 0, "%s: parent %s", r->name, flat->parent);
	}
	EXPECT(forms == 2, "%d flat forms", forms);
	tap_end();
}

static void
test_parents(void)
{
	tap_begin("catalogue: parents stand before their children and have the columns that supply their keys");
	for (int i = 0; i < sigma_nresources; i++)
	{
		const SigmaResource *r = sigma_resources[i];
		const SigmaResource *parent = r->parent ? sigma_find_resource(r->parent) : NULL;
		bool		before = false;

		EXPECT((r->parent == NULL && r->key_values == NULL) == sigma_is_one_list(r), "%s: keys and parent", r->name);
		if (r->parent == NULL)
			continue;
		for (int j = 0; j < i; j++)
			before |= sigma_resources[j] == parent;
		if (!EXPECT(before, "%s: no parent %s before it", r->name, r->parent))
			continue;
		for (int k = 0; k < r->nfields; k++)
		{
			const SigmaField *supply;

			if (!is_key(&r->fields[k]))
				continue;
			supply = sigma_find_field(parent, r->fields[k].field);
			EXPECT(supply && supply->kind == r->fields[k].kind, "%s.%s: of another kind than in %s",
				   r->name, r->fields[k].column, r->parent);
			EXPECT(supply && supply->type == r->fields[k].type &&
				   (supply->read == SIGMA_FROM_FIELD || supply->read == SIGMA_FROM_KEY),
				   "%s.%s: %s does not supply it", r->name, r->fields[k].column, r->parent);
		}
	}
	tap_end();
}

static void
test_fields(void)
{
	tap_begin("catalogue: every column is whole; attrs is there once, _error if there is a parent");
	FOR_EACH_RESOURCE(r)
	{
		int			attrs = 0;
		int			errors = 0;

		EXPECT(r->comment && r->comment[0], "%s: no comment", r->name);
		for (int i = 0; i < r->nfields; i++)
		{
			const SigmaField *f = &r->fields[i];

			EXPECT(f->comment && f->comment[0], "%s.%s: no comment", r->name, f->column);
			EXPECT(f->type == TEXTOID || f->type == BOOLOID || f->type == INT4OID || f->type == INT8OID ||
				   f->type == FLOAT8OID || f->type == TIMESTAMPTZOID || f->type == JSONBOID,
				   "%s.%s: type %u", r->name, f->column, f->type);
			EXPECT((f->field == NULL) == (f->read == SIGMA_FROM_ENTRY || f->read == SIGMA_FROM_ERROR),
				   "%s.%s: field", r->name, f->column);
			EXPECT(r->writes != SIGMA_WRITES_NOTHING || f->write == SIGMA_WRITE_NOWHERE, "%s.%s: written", r->name, f->column);
			attrs += f->read == SIGMA_FROM_ENTRY && strcmp(f->column, "attrs") == 0;
			errors += f->read == SIGMA_FROM_ERROR;
			for (int j = 0; j < i; j++)
				EXPECT(f->field == NULL || is_key(f) || is_key(&r->fields[j]) ||
					   r->fields[j].field == NULL || strcmp(f->field, r->fields[j].field) != 0,
					   "%s: field %s twice", r->name, f->field);
		}
		EXPECT(attrs == 1, "%s: attrs %d times", r->name, attrs);
		EXPECT(errors == !sigma_is_one_list(r), "%s: _error %d times", r->name, errors);
	}
	tap_end();
}

static bool
ends_in(const char *name, const char *end)
{
	return strlen(name) >= strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

/* A new identifier is easily forgotten to be one. */
static void
test_identifiers(void)
{
	tap_begin("catalogue: what is named like an identifier is one, and of one kind wherever it stands");
	FOR_EACH_RESOURCE(r)
		for (int i = 0; i < r->nfields; i++)
		{
			const SigmaField *f = &r->fields[i];
			/* of connection_paths, it is the identifier itself; elsewhere, how it stands in URLs */
			bool		in_url = ends_in(f->column, "url_id") && strcmp(r->name, "connection_paths") != 0;

			if (f->write == SIGMA_WRITE_NOWHERE && f->type == TEXTOID &&
				strcmp(f->column, "request_id") != 0 && strcmp(f->column, "oauth_client_id") != 0)
				EXPECT((f->kind != SIGMA_PLAIN) ==
					   (!in_url && (ends_in(f->column, "_id") || ends_in(f->column, "_by") ||
									strcmp(f->column, "id") == 0 || strcmp(f->column, "owner") == 0 ||
									strcmp(f->column, "last_updated_by_user") == 0)),
					   "%s.%s: kind %d", r->name, f->column, f->kind);
			for (int j = 0; j < sigma_nresources; j++)
			{
				const SigmaField *other = sigma_find_field(sigma_resources[j], f->column);

				EXPECT(in_url || other == NULL || strcmp(f->column, "url_id") == 0 || other->kind == f->kind,
					   "%s.%s: of another kind than in %s", r->name, f->column, sigma_resources[j]->name);
			}
		}
	tap_end();
}

static void
test_keys_and_filters(void)
{
	tap_begin("catalogue: key, archived field and filters name what is there");
	FOR_EACH_RESOURCE(r)
	{
		const SigmaField *key = r->key ? sigma_find_field(r, r->key) : NULL;

		EXPECT(r->key == NULL || (key && key->read == SIGMA_FROM_FIELD && !key->hidden),
			   "%s: key %s", r->name, r->key);
		EXPECT(r->archived_field == NULL || sigma_find_api_field(r, r->archived_field),
			   "%s: %s", r->name, r->archived_field);
		EXPECT(r->archived_query == NULL || r->archived_field, "%s: archived_query alone", r->name);
		EXPECT((r->archived_field != NULL) == (sigma_find_field(r, "is_archived") != NULL),
			   "%s: is_archived", r->name);
		for (int i = 0; i < r->nfilters; i++)
		{
			const SigmaField *f = sigma_find_field(r, r->filters[i].column);

			/* text is sent as it stands */
			EXPECT(f && f->read == SIGMA_FROM_FIELD && f->type == TEXTOID && f->absent == NULL,
				   "%s: filter on %s", r->name, r->filters[i].column);
			EXPECT(r->filters[i].parameter && r->filters[i].parameter[0], "%s: filter on %s",
				   r->name, r->filters[i].column);
			for (int j = 0; j < i; j++)
				EXPECT(strcmp(r->filters[i].column, r->filters[j].column) != 0 &&
					   strcmp(r->filters[i].parameter, r->filters[j].parameter) != 0,
					   "%s: filter on %s twice", r->name, r->filters[i].column);
		}
	}
	tap_end();
}

static void
test_lookups(void)
{
	const SigmaResource *r;

	tap_begin("catalogue: look-ups by name");
	EXPECT(sigma_nresources == 86, "%d resources", sigma_nresources);
	FOR_EACH_RESOURCE(resource)
		EXPECT(sigma_find_resource(resource->name) == resource, "%s", resource->name);
	EXPECT(sigma_find_resource("connection") == NULL, "connection");
	EXPECT(sigma_find_resource("") == NULL, "the empty name");

	r = sigma_find_resource("workbook_tag_bookmarks");
	EXPECT(r && is_key(sigma_find_field(r, "tag_name")), "tag_name");
	EXPECT(r && sigma_find_field(r, "bookmarkId") == NULL, "bookmarkId is no column");
	/* "name" is the entry's own, though a key comes from the parent's "name" */
	EXPECT(r && sigma_find_api_field(r, "name") == sigma_find_field(r, "name"), "name");
	EXPECT(r && sigma_find_api_field(r, "workbook_id") == NULL, "a key is no field");

	/* the model that is read is not the model that reads */
	r = sigma_find_resource("data_model_sources");
	EXPECT(r && is_key(sigma_find_field(r, "data_model_id")), "data_model_id");
	EXPECT(r && sigma_find_api_field(r, "dataModelId") == sigma_find_field(r, "source_data_model_id"),
		   "dataModelId");
	tap_end();
}

void
test_catalog(void)
{
	test_names();
	test_paths();
	test_flat_forms();
	test_parents();
	test_fields();
	test_identifiers();
	test_keys_and_filters();
	test_lookups();
}

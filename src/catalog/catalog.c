/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The Sigma resources, as one constant table, and how to find things in it.
 *
 * The entries stand in the files catalog_*.c, by topic; catalog_fields.h lists
 * them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "catalog/catalog_fields.h"

#define POINTER_TO_RESOURCE(name) &sigma_resource_##name,

const SigmaResource *const sigma_resources[] = {
	SIGMA_RESOURCES(POINTER_TO_RESOURCE)
};

const int	sigma_nresources = lengthof(sigma_resources);

const SigmaResource *
sigma_find_resource(const char *name)
{
	for (int i = 0; i < sigma_nresources; i++)
		if (strcmp(sigma_resources[i]->name, name) == 0)
			return sigma_resources[i];
	return NULL;
}

const SigmaResource *
sigma_parent(const SigmaResource *resource)
{
	const SigmaResource *parent = resource->above;

	if (parent == NULL && resource->parent)
		parent = sigma_find_resource(resource->parent);
	if (parent == NULL || parent->flat == NULL)
		return parent;
	for (int i = 0; i < resource->nfields; i++)
		if (resource->fields[i].read == SIGMA_FROM_KEY &&
			!sigma_flat_has(parent, sigma_find_field(parent, resource->fields[i].field)))
			return parent;
	return parent->flat;
}

bool
sigma_is_one_list(const SigmaResource *resource)
{
	return strchr(resource->path, '{') == NULL;
}

const char *
sigma_closest_resource(const char *name)
{
	const char *names[lengthof(sigma_resources)];

	for (int i = 0; i < sigma_nresources; i++)
		names[i] = sigma_resources[i]->name;
	return sigma_closest(name, names, sigma_nresources);
}

const SigmaField *
sigma_find_field(const SigmaResource *resource, const char *column)
{
	for (int i = 0; i < resource->nfields; i++)
		if (strcmp(resource->fields[i].column, column) == 0)
			return &resource->fields[i];
	return NULL;
}

const SigmaField *
sigma_find_api_field(const SigmaResource *resource, const char *field)
{
	for (int i = 0; i < resource->nfields; i++)
		if (resource->fields[i].field && resource->fields[i].read != SIGMA_FROM_KEY &&
			strcmp(resource->fields[i].field, field) == 0)
			return &resource->fields[i];
	return NULL;
}

char *
sigma_api_name(const char *column)
{
	char	   *name = palloc(strlen(column) + 1);
	char	   *out = name;

	for (const char *p = column; *p; p++)
	{
		if (p > column && *p == '_' && p[1] >= 'a' && p[1] <= 'z')
			*out++ = pg_ascii_toupper((unsigned char) *++p);
		else
			*out++ = *p;
	}
	*out = '\0';
	return name;
}

const char *
sigma_closest_column(const SigmaResource *resource, const char *column)
{
	const char **names = palloc(resource->nfields * sizeof(char *));

	for (int i = 0; i < resource->nfields; i++)
		names[i] = resource->fields[i].column;
	return sigma_closest(column, names, resource->nfields);
}

bool
sigma_means_nothing(const SigmaNothing *nothing, int status, const char *code)
{
	for (const SigmaNothing *n = nothing; n && n->status; n++)
		if (n->status == status && (n->code == NULL || (code && strcmp(n->code, code) == 0)))
			return true;
	return false;
}

bool
sigma_flat_has(const SigmaResource *resource, const SigmaField *field)
{
	const char *keys[SIGMA_MAX_KEYS];
	int			nkeys = sigma_path_keys(resource->flat->path, keys);

	if (field == NULL || field->read != SIGMA_FROM_KEY)
		return true;
	for (int i = 0; i < nkeys; i++)
		if (strcmp(keys[i], field->column) == 0)
			return true;
	return false;
}

bool
sigma_is_optional(const SigmaResource *resource)
{
	for (; resource; resource = sigma_parent(resource))
		if (resource->optional)
			return true;
	return false;
}

bool
sigma_filter_takes(const SigmaFilter *filter, const char *value)
{
	if (filter->values == NULL)
		return true;
	for (const char *const *v = filter->values; *v; v++)
		if (strcmp(*v, value) == 0)
			return true;
	return false;
}

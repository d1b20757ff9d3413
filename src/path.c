/*-------------------------------------------------------------------------
 *
 * path.c
 *	  Paths of the API: percent-encoding, and keys that are to be filled in.
 *
 * In the catalogue a path names its keys by column, in braces, such as
 * "/v2/connections/{connection_id}/grants".
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "mb/pg_wchar.h"

/* Percent-encodes a text (UTF-8) for a path segment or a query; palloc'd. */
char *
sigma_url_encode(const char *text, size_t length)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char unreserved[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	StringInfoData s;

	initStringInfo(&s);
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c != '\0' && strchr(unreserved, c))
			appendStringInfoChar(&s, (char) c);
		else
		{
			appendStringInfoChar(&s, '%');
			appendStringInfoChar(&s, hex[c >> 4]);
			appendStringInfoChar(&s, hex[c & 15]);
		}
	}
	return s.data;
}

/* The same for a text in the database's encoding. */
char *
sigma_text_url_encode(const char *text)
{
	char	   *utf8 = pg_server_to_any(text, (int) strlen(text), PG_UTF8);

	return sigma_url_encode(utf8, strlen(utf8));
}

/*
 * The columns that a path names in braces, in their order; returns how many.
 * "keys" must have room for SIGMA_MAX_KEYS; the names are palloc'd.
 */
int
sigma_path_keys(const char *path, const char **keys)
{
	int			n = 0;

	for (const char *p = path; (p = strchr(p, '{')) != NULL; p++)
	{
		if (n == SIGMA_MAX_KEYS)
			elog(ERROR, "path \"%s\" has too many keys", path);
		keys[n++] = pnstrdup(p + 1, strcspn(p + 1, "}"));
	}
	return n;
}

/*
 * The path with its keys filled in, palloc'd; a NULL value leaves the name in
 * braces.  NULL if nothing can have one of these keys: as a path segment it
 * would not be a name, but the list itself or its parent.
 */
char *
sigma_fill_path(const char *path, char *const *values)
{
	StringInfoData s;
	int			n = 0;

	initStringInfo(&s);
	while (*path)
	{
		const char *value;

		if (*path != '{')
		{
			appendStringInfoChar(&s, *path++);
			continue;
		}
		value = values[n++];
		if (value == NULL)
		{
			appendBinaryStringInfo(&s, path, (int) strcspn(path, "}") + 1);
			path += strcspn(path, "}") + 1;
			continue;
		}
		path += strcspn(path, "}") + 1;
		if (value[0] == '\0' || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
			return NULL;
		appendStringInfoString(&s, sigma_text_url_encode(value));
	}
	return s.data;
}

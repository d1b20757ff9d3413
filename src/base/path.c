/*-------------------------------------------------------------------------
 *
 * path.c
 *	  Paths of the API: percent-encoding, keys that are to be filled in, and
 *	  what a server might take a path for.
 *
 * In the catalogue a path names its keys by column, in braces, such as
 * "/v2/connections/{connection_id}/grants".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/unicode_norm.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/base_internal.h"

char *
sigma_url_encode(const char *text, size_t length)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
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

char *
sigma_text_url_encode(const char *text)
{
	char	   *utf8 = sigma_to_utf8(text);

	return sigma_url_encode(utf8, strlen(utf8));
}

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

/* ------------------------------------------------- what a path is taken for */

/*
 * Decodes each %XX in place, again and again until there is none: some servers
 * do so once, some twice.  Returns what is wrong, or NULL.
 */
static const char *
decode_path(char *path)
{
	bool		first = true;
	bool		any;

	do
	{
		char	   *out = path;

		any = false;
		for (const char *p = path; *p; p++)
		{
			unsigned int c = (unsigned char) *p;

			if (c == '%' && isxdigit((unsigned char) p[1]) && isxdigit((unsigned char) p[2]))
			{
				(void) sscanf(p + 1, "%2x", &c);
				p += 2;
				any = true;
			}
			/* what is a sign by itself may be one; "%u0061" is a letter to some */
			else if (c == '%' && (first || pg_tolower((unsigned char) p[1]) == 'u'))
				return "A percent sign must begin an encoded character.";
			if (c < 0x20 || c == 0x7F)
				return "It has a control character.";
			*out++ = (char) c;
		}
		*out = '\0';
		first = false;
	} while (any);
	return NULL;
}

/*
 * UTF-8 with its compatibility characters as those that they stand for, in
 * lower case: a full-width "A" is an "a".  NULL if it is no text, or has what
 * nobody sees.
 */
static char *
fold_path(const char *path)
{
	size_t		length = strlen(path);
	pg_wchar   *wide = palloc((length + 1) * sizeof(pg_wchar));
	pg_wchar   *normal;
	StringInfoData out;
	int			n = 0;

	if (pg_encoding_verifymbstr(PG_UTF8, path, (int) length) != (int) length)
		return NULL;
	for (const char *p = path; *p; p += pg_encoding_mblen(PG_UTF8, p))
		wide[n++] = utf8_to_unicode((const unsigned char *) p);
	wide[n] = 0;
	normal = unicode_normalize(UNICODE_NFKC, wide);
	initStringInfo(&out);
	for (const pg_wchar *c = normal; *c; c++)
	{
		unsigned char utf8[8] = {0};

		if (sigma_is_strange(*c))
			return NULL;
		if (*c < 0x80)
			appendStringInfoChar(&out, *c == '\\' ? '/' : (char) pg_tolower((unsigned char) *c));
		else
			appendStringInfoString(&out, (char *) unicode_to_utf8(*c, utf8));
	}
	return out.data;
}

const char *
sigma_normal_path(const char *path, char **normal)
{
	char	   *decoded = pstrdup(path);
	const char *problem = decode_path(decoded);
	char	   *p;
	StringInfoData out;

	if (problem)
		return problem;
	p = fold_path(decoded);
	if (p == NULL)
		return "It is not UTF-8, or has characters that cannot be seen.";
	p[strcspn(p, "?#")] = '\0';
	initStringInfo(&out);
	while (*p == '/')
	{
		char	   *segment = ++p;
		size_t		length;
		bool		last;

		p += strcspn(p, "/");
		last = *p == '\0';
		length = strcspn(segment, ";/");
		while (length > 0 && *segment == ' ')
			segment++, length--;
		while (length > 0 && segment[length - 1] == ' ')
			length--;
		if (length > 0 && strspn(segment, ". ") >= length)
			return "It has a segment of dots.";
		while (length > 0 && strchr(" .", segment[length - 1]))
			length--;
		if (length == 0 && !last)
			return "It has an empty segment.";
		if (length > 0)
		{
			appendStringInfoChar(&out, '/');
			appendBinaryStringInfo(&out, segment, (int) length);
		}
	}
	*normal = out.data;
	return NULL;
}

const char *
sigma_path_problem(const char *path, char **normal)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%";

	if (path[0] != '/')
		return "It does not begin with a slash.";
	if (path[strspn(path, allowed)] != '\0')
		return "It has a character that must be percent-encoded, or that ends a path.";
	return sigma_normal_path(path, normal);
}

const char *
sigma_template_problem(const char *path)
{
	const char *keys[SIGMA_MAX_KEYS];
	char	   *values[SIGMA_MAX_KEYS] = {"x", "x", "x", "x"};
	char	   *normal;
	int			n = 0;

	for (const char *p = path; (p = strchr(p, '{')) != NULL; p++)
	{
		size_t		length = strcspn(p + 1, "{}");

		if (p[1 + length] != '}')
			return "It has a brace that is not closed.";
		if (length == 0)
			return "It has braces without a column's name.";
		if (n == SIGMA_MAX_KEYS)
			return "It has too many columns in braces.";
		keys[n] = pnstrdup(p + 1, length);
		for (int i = 0; i < n; i++)
			if (strcmp(keys[i], keys[n]) == 0)
				return "It has the same column in braces twice.";
		n++;
	}
	return sigma_path_problem(sigma_fill_path(path, values), &normal);
}

/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Text from outside, made fit to be shown: cut, stripped of control
 *	  characters and of secrets, and quoted so that it cannot be taken for words
 *	  of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/pg_list.h"
#include "utils/varlena.h"

#include "base/base.h"
#include "base/base_internal.h"

/* How much of a name is shown, in bytes. */
#define NAME_LIMIT		200

/* So much of a secret of that length is enough to tell that it begins there. */
#define LONG_SECRET 24
#define BEGINNING	8

/* Shorter secrets are masked only as whole words: "a" is in every sentence. */
#define SHORT_SECRET	4

#define MASK			"***"

bool
sigma_is_strange(uint32 c)
{
	static const struct
	{
		uint32		first;
		uint32		last;
	}			strange[] = {
		{0x00, 0x1F}, {0x7F, 0x9F}, {0xAD, 0xAD}, {0x61C, 0x61C}, {0x180E, 0x180E},
		{0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
		{0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
	};

	for (int i = 0; i < (int) lengthof(strange); i++)
		if (c >= strange[i].first && c <= strange[i].last)
			return true;
	return false;
}

/* Have the bytes from 0x80 to 0x9F of this encoding no other meaning than controls? */
static bool
has_high_controls(int encoding)
{
	switch (encoding)
	{
		case PG_LATIN1:
		case PG_LATIN2:
		case PG_LATIN3:
		case PG_LATIN4:
		case PG_LATIN5:
		case PG_LATIN6:
		case PG_LATIN7:
		case PG_LATIN8:
		case PG_LATIN9:
		case PG_LATIN10:
		case PG_ISO_8859_5:
		case PG_ISO_8859_6:
		case PG_ISO_8859_7:
		case PG_ISO_8859_8:
			return true;
	}
	return false;
}

/*
 * Cleans a text of valid characters in place: a space for each that is
 * strange, a question mark for a byte of which nobody knows what it is.
 */
static void
clean(char *text, int encoding)
{
	char	   *out = text;

	for (const char *p = text; *p;)
	{
		unsigned char c = (unsigned char) *p;
		int			length = pg_encoding_mblen(encoding, p);

		if (encoding == PG_UTF8 ? sigma_is_strange(utf8_to_unicode((const unsigned char *) p))
			: length == 1 && (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0 && has_high_controls(encoding))))
			*out++ = ' ';
		else if (encoding == PG_SQL_ASCII && c >= 0x80)
			*out++ = '?';
		else
		{
			memmove(out, p, length);
			out += length;
		}
		p += length;
	}
	*out = '\0';
}

char *
sigma_clean_text(const char *text, size_t length, size_t limit)
{
	bool		cut = length > limit;
	char	   *out;

	if (cut)
		length = pg_encoding_mbcliplen(PG_UTF8, text, (int) length, (int) limit);
	out = palloc(length + 4);
	memcpy(out, text, length);
	out[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (out[i] == '\0')
			out[i] = ' ';
	/* what is not UTF-8 is ASCII and bytes of which nobody knows what they are */
	clean(out, GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, out, (int) length, true)
		  ? PG_UTF8 : PG_SQL_ASCII);
	if (cut)
		strcat(out, "...");
	return out;
}

char *
sigma_shown(const char *text)
{
	char	   *out = pstrdup(text);

	clean(out, GetDatabaseEncoding());
	return out;
}

char *
sigma_quoted(const char *text)
{
	char	   *shown = sigma_shown(text);
	size_t		length = strlen(shown);
	bool		cut = length > NAME_LIMIT;
	StringInfoData s;

	if (cut)
		length = pg_encoding_mbcliplen(GetDatabaseEncoding(), shown, (int) length, NAME_LIMIT);
	initStringInfo(&s);
	appendStringInfoChar(&s, '"');
	for (const char *p = shown; p < shown + length;)
	{
		int			n = pg_encoding_mblen(GetDatabaseEncoding(), p);

		if (*p == '"' || *p == '\\')
			appendStringInfoChar(&s, '\\');
		appendBinaryStringInfo(&s, p, n);
		p += n;
	}
	appendStringInfoString(&s, cut ? "...\"" : "\"");
	return s.data;
}

char *
sigma_shown_id(const char *id)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:+@";

	return id[0] && id[strspn(id, plain)] == '\0' ? pstrdup(id) : sigma_quoted(id);
}

void
sigma_rethrow_clean(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (error->message)
		error->message = sigma_shown(error->message);
	if (error->detail)
		error->detail = sigma_shown(error->detail);
	if (error->context)
	{
		/* its lines are of PostgreSQL's own making */
		StringInfoData lines;
		char	   *state = NULL;

		initStringInfo(&lines);
		for (char *line = strtok_r(error->context, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
			appendStringInfo(&lines, "%s%s", lines.len ? "\n" : "", sigma_shown(line));
		error->context = lines.data;
	}
	ReThrowError(error);
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

/* Does the secret stand at p, and is it more than a chance likeness? */
static bool
secret_at(const char *text, const char *p, const char *secret, size_t length)
{
	if (strncmp(p, secret, length) != 0)
		return false;
	if (length >= SHORT_SECRET)
		return true;
	return (p == text || !is_word_char(p[-1])) && !is_word_char(p[length]);
}

/*
 * Where a long secret begins and is then cut off, as servers do with the values
 * that they quote: covers as far as text and secret agree.
 */
static void
cover_beginnings(const char *text, const char *secret, char **covered)
{
	char		beginning[BEGINNING + 1];

	if (strlen(secret) < LONG_SECRET)
		return;
	strlcpy(beginning, secret, sizeof(beginning));
	for (const char *p = text; (p = strstr(p, beginning)) != NULL; p++)
	{
		size_t		length = BEGINNING;

		while (p[length] && p[length] == secret[length])
			length++;
		if (*covered == NULL)
			*covered = palloc0(strlen(text));
		memset(*covered + (p - text), 1, length);
	}
}

char *
sigma_mask(char *text, List *secrets)
{
	size_t		text_length = strlen(text);
	char	   *covered = NULL; /* per byte: is it part of a secret? */
	StringInfoData out;
	ListCell   *lc;

	foreach(lc, secrets)
	{
		const char *secret = lfirst(lc);
		size_t		length = strlen(secret);

		if (length == 0)
			continue;
		for (const char *p = text; (p = strstr(p, secret)) != NULL; p++)
		{
			if (!secret_at(text, p, secret, length))
				continue;
			if (covered == NULL)
				covered = palloc0(text_length);
			memset(covered + (p - text), 1, length);
		}
		cover_beginnings(text, secret, &covered);
	}
	if (covered == NULL)
		return text;
	initStringInfo(&out);
	for (size_t i = 0; i < text_length; i++)
	{
		if (!covered[i])
			appendStringInfoChar(&out, text[i]);
		else if (i == 0 || !covered[i - 1])
			appendStringInfoString(&out, MASK);
	}
	return out.data;
}

const char *
sigma_closest(const char *name, const char *const *candidates, int n)
{
	char	   *word = pstrdup(name);
	int			word_length = (int) strlen(word);
	int			best = 5;
	const char *closest = NULL;

	/* the distance is defined for short strings only */
	if (word_length > 100)
		return NULL;
	for (char *p = word; *p; p++)
		*p = (char) pg_tolower((unsigned char) *p);
	for (int i = 0; i < n; i++)
	{
		int			distance;

		distance = varstr_levenshtein_less_equal(word, word_length, candidates[i],
												 (int) strlen(candidates[i]),
												 1, 1, 1, best, true);
		if (distance < best && distance <= Max(word_length / 2, 1))
		{
			best = distance;
			closest = candidates[i];
		}
	}
	return closest;
}

/*-------------------------------------------------------------------------
 *
 * key.c
 *	  Which spellings of an identifier are one key, and the one that is shown.
 *
 * Sigma writes the identifier of a folder, a document, a connection or a
 * warehouse table as a UUID ("inodeId") in some replies, and in others as the
 * same 128 bits in base 62 ("urlId", which also stands in URLs), with "inode-"
 * before it where a lineage names its nodes.  Other identifiers have one form
 * only, but a UUID may still come in upper case.
 *
 * A column of type text shows the UUID in lower case, as a column of type uuid
 * would, however it came.  So a join finds what belongs together, and a row does
 * not depend on whether its key came from Sigma or from the query.
 *
 * Pure functions, but for palloc().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/catalog.h"

#define INODE_PREFIX "inode-"

#define UUID_BYTES 16
#define UUID_CHARS 36

/*
 * 128 bits take up to 22 digits.  One in a billion identifiers needs fewer
 * than 17; what is shorter still is taken for an identifier of another kind.
 */
#define MAX_DIGITS 22
#define MIN_DIGITS 17

/* The value of a base-62 digit, or -1. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 36;
	return -1;
}

/* Base 62 into bytes; false if it is none, or more than they hold. */
static bool
decode_url_id(const char *text, size_t length, unsigned char *bytes)
{
	if (length < MIN_DIGITS || length > MAX_DIGITS)
		return false;
	memset(bytes, 0, UUID_BYTES);
	for (size_t i = 0; i < length; i++)
	{
		int			carry = digit_value(text[i]);

		if (carry < 0)
			return false;
		for (int j = UUID_BYTES - 1; j >= 0; j--)
		{
			carry += bytes[j] * 62;
			bytes[j] = carry & 0xff;
			carry >>= 8;
		}
		if (carry > 0)
			return false;
	}
	return true;
}

/* A UUID as it is usually written into bytes; false if it is none. */
static bool
decode_uuid(const char *text, size_t length, unsigned char *bytes)
{
	int			n = 0;

	if (length != UUID_CHARS)
		return false;
	memset(bytes, 0, UUID_BYTES);
	for (size_t i = 0; i < length; i++)
	{
		int			digit = digit_value(text[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (text[i] != '-')
				return false;
			continue;
		}
		/* A to F, which stand behind z in base 62 */
		if (digit >= 36)
			digit -= 26;
		if (digit < 0 || digit > 15)
			return false;
		bytes[n / 2] |= n % 2 ? digit : digit << 4;
		n++;
	}
	return true;
}

bool
sigma_is_shown_uuid(const char *text, size_t length)
{
	/* what a character is, as it stands in the form */
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	/*INDENT OFF*/
	static const char what[256] = {
		['-'] = '-',
		['0'] = 'x', ['1'] = 'x', ['2'] = 'x', ['3'] = 'x', ['4'] = 'x', ['5'] = 'x', ['6'] = 'x', ['7'] = 'x',
		['8'] = 'x', ['9'] = 'x', ['a'] = 'x', ['b'] = 'x', ['c'] = 'x', ['d'] = 'x', ['e'] = 'x', ['f'] = 'x',
	};
	/* INDENT ON */
	int			wrong = 0;

	if (length != UUID_CHARS)
		return false;
	for (int i = 0; i < UUID_CHARS; i++)
		wrong |= what[(unsigned char) text[i]] ^ form[i];
	return wrong == 0;
}

/* The 128 bits of an identifier; false if it is of another form. */
static bool
decode(SigmaKind kind, const char *id, unsigned char *bytes)
{
	size_t		length = strlen(id);

	if (kind == SIGMA_INODE && strncmp(id, INODE_PREFIX, strlen(INODE_PREFIX)) == 0)
	{
		id += strlen(INODE_PREFIX);
		length -= strlen(INODE_PREFIX);
	}
	return decode_uuid(id, length, bytes) ||
		(kind == SIGMA_INODE && decode_url_id(id, length, bytes));
}

bool
sigma_same_key(SigmaKind kind, const char *a, const char *b)
{
	unsigned char a_bytes[UUID_BYTES];
	unsigned char b_bytes[UUID_BYTES];

	if (strcmp(a, b) == 0)
		return true;
	return kind != SIGMA_PLAIN && decode(kind, a, a_bytes) && decode(kind, b, b_bytes) &&
		memcmp(a_bytes, b_bytes, UUID_BYTES) == 0;
}

bool
sigma_key_has_form(SigmaKind kind, const char *id)
{
	unsigned char bytes[UUID_BYTES];

	return kind != SIGMA_INODE || decode(kind, id, bytes);
}

/* The 128 bits of an identifier in the form that columns show; false if it is of another form. */
static bool
spell(SigmaKind kind, const char *id, char *uuid)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[UUID_BYTES];

	if (kind == SIGMA_PLAIN || !decode(kind, id, bytes))
		return false;
	for (int i = 0; i < UUID_BYTES; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*uuid++ = '-';
		*uuid++ = hex[bytes[i] >> 4];
		*uuid++ = hex[bytes[i] & 15];
	}
	*uuid = '\0';
	return true;
}

char *
sigma_key_spelling(SigmaKind kind, char *text)
{
	char		uuid[UUID_CHARS + 1];

	/* most are spelled so */
	if (text == NULL || sigma_is_shown_uuid(text, strlen(text)) ||
		!spell(kind, text, uuid) || strcmp(text, uuid) == 0)
		return text;
	return pstrdup(uuid);
}

bool
sigma_key_is_shown(SigmaKind kind, const char *text)
{
	char		uuid[UUID_CHARS + 1];

	return !spell(kind, text, uuid) || strcmp(text, uuid) == 0;
}

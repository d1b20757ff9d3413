/*-------------------------------------------------------------------------
 *
 * naming.c
 *	  What PostgreSQL calls that to which Sigma's users have given a name or a
 *	  type: elements, their columns, controls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"

#include "catalog/catalog.h"

/* The code point at p, in well-formed UTF-8; *length: its bytes. */
static uint32
code_point(const char *p, int *length)
{
	unsigned char c = (unsigned char) *p;
	uint32		code;

	*length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
	code = *length == 1 ? c : c & (0x7F >> *length);
	for (int i = 1; i < *length && p[i]; i++)
		code = code << 6 | ((unsigned char) p[i] & 0x3F);
	return code;
}

/* Beyond ASCII: is it a blank, a control character or punctuation, rather than a part of a word? */
static bool
is_separator(uint32 code)
{
	if (code <= 0xBF)
		return code != 0xAA && code != 0xB5 && code != 0xBA;
	return code == 0xD7 || code == 0xF7 || (code >= 0x2000 && code <= 0x206F) ||
		(code >= 0x3000 && code <= 0x303F) || (code >= 0xFE00 && code <= 0xFE0F) ||
		code == 0xFEFF || (code >= 0xE0000 && code <= 0xE007F);
}

/* The length of the text up to "limit" bytes, without half a character at its end. */
static size_t
clip(const char *text, size_t limit)
{
	size_t		length = strlen(text);

	if (length <= limit)
		return length;
	while (limit > 0 && ((unsigned char) text[limit] & 0xC0) == 0x80)
		limit--;
	while (limit > 0 && text[limit - 1] == '_')
		limit--;
	return limit;
}

/*
 * A name as an identifier in snake_case: "Order No" and "orderNo" are order_no.
 * Both are UTF-8.  Letters beyond ASCII stay as they are, since PostgreSQL does
 * not fold them either.  Empty if nothing is left of the name; palloc'd, and no
 * longer than an identifier can be.
 */
char *
sigma_identifier(const char *name)
{
	/* an underscore before each character, and one in front */
	char	   *identifier = palloc(2 * strlen(name) + 2);
	char	   *out = identifier;
	bool		gap = false;
	bool		lower = false;	/* the character before is a lower-case letter */
	int			length;

	for (const char *p = name; *p; p += length)
	{
		uint32		code = code_point(p, &length);
		bool		upper = code >= 'A' && code <= 'Z';
		bool		ascii_word = upper || (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9');

		if (code < 0x80 ? !ascii_word : is_separator(code))
		{
			gap = true;
			continue;
		}
		if (out == identifier && code >= '0' && code <= '9')
			*out++ = '_';
		else if (out > identifier && (gap || (upper && lower)))
			*out++ = '_';
		gap = false;
		lower = code >= 'a' && code <= 'z';
		if (upper)
			*out++ = (char) (code + ('a' - 'A'));
		else
			for (int i = 0; i < length && p[i]; i++)
				*out++ = p[i];
	}
	*out = '\0';
	identifier[clip(identifier, NAMEDATALEN - 1)] = '\0';
	return identifier;
}

/* The identifier with a number behind it, for the second, third ... of a name; palloc'd. */
char *
sigma_numbered_identifier(const char *identifier, int number)
{
	char	   *suffix = psprintf("_%d", number);

	return psprintf("%.*s%s", (int) clip(identifier, NAMEDATALEN - 1 - strlen(suffix)), identifier, suffix);
}

/* The identifier of a column that stands for a control of this name; palloc'd. */
char *
sigma_control_identifier(const char *name)
{
	char	   *identifier = psprintf("_control_%s", sigma_identifier(name));

	identifier[clip(identifier, NAMEDATALEN - 1)] = '\0';
	return identifier;
}

/*
 * The type of a column whose values are of Sigma's type.  What is not known, or
 * can be anything, is jsonb, which takes every value as it is.
 */
Oid
sigma_postgres_type(const char *type)
{
	static const struct
	{
		const char *sigma;
		Oid			postgres;
	}			types[] = {
		{"text", TEXTOID}, {"string", TEXTOID}, {"link", TEXTOID},
		/* a double would round */
		{"number", NUMERICOID}, {"float", NUMERICOID}, {"decimal", NUMERICOID},
		{"integer", INT8OID}, {"boolean", BOOLOID}, {"logical", BOOLOID},
		{"datetime", TIMESTAMPTZOID}, {"timestamp", TIMESTAMPTZOID}, {"date", DATEOID},
	};

	for (int i = 0; type && i < (int) lengthof(types); i++)
		if (strcmp(types[i].sigma, type) == 0)
			return types[i].postgres;
	return JSONBOID;
}

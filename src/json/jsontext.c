/*-------------------------------------------------------------------------
 *
 * jsontext.c
 *	  Walks JSON text in place, without building a tree.
 *
 * Lists are read this way and not through cJSON because a row must be exact:
 * cJSON keeps numbers as doubles, ends a string at \u0000, and forgets the
 * text of an entry, which the "attrs" column shows whole.  Here a value is a
 * piece of the reply's own text; only the columns that a query asks for are
 * ever converted, by PostgreSQL's own input functions.
 *
 * sigma_json_check() proves once that a text is one well-formed JSON value
 * (RFC 8259).  The walking functions rely on that and do not check again.
 * Nothing here allocates, recurses or raises.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "json/json_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "port/pg_bitutils.h"

/* How deep a reply may be nested; PostgreSQL's own jsonb takes less. */
#define MAX_DEPTH 10000

/* How deep a caller may look on while a text is checked. */
#define VISIT_DEPTH 2

static inline const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static inline bool
is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * The first byte from p on that is a quote, a backslash or a control character;
 * "end" if there is none.  Most of a reply is passed over here, so several bytes
 * are looked at together: sixteen where the processor surely can (every x86-64),
 * else eight.
 *
 * With eight: a byte of "low", "quote" or "backslash" borrows from its sign bit
 * only if it is below 0x20, or zero.  A borrow may run on into higher bytes,
 * but not into lower ones, so the lowest hit counts.
 */
static inline const char *
skip_plain(const char *p, const char *end)
{
#if defined(__SSE2__)
	while (end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		__m128i		low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
		__m128i		quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
		__m128i		backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
		int			hits = _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));

		if (hits)
			return p + pg_rightmost_one_pos32((uint32) hits);
		p += 16;
	}
#elif !defined(WORDS_BIGENDIAN)
	while (end - p >= 8)
	{
		const uint64 ones = UINT64CONST(0x0101010101010101);
		uint64		word;
		uint64		quote;
		uint64		backslash;
		uint64		hits;

		memcpy(&word, p, 8);
		quote = word ^ (ones * '"');
		backslash = word ^ (ones * '\\');
		hits = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
			((backslash - ones) & ~backslash);
		hits &= ones * 0x80;
		if (hits)
			return p + pg_rightmost_one_pos64(hits) / 8;
		p += 8;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20)
		p++;
	return p;
}

/* p stands behind the opening quote; returns behind the closing one, or NULL */
static const char *
check_string(const char *p, const char *end, bool *escaped)
{
	while ((p = skip_plain(p, end)) < end)
	{
		unsigned char c = (unsigned char) *p++;

		if (c == '"')
			return p;
		if (c < 0x20)
			return NULL;
		if (c != '\\')
			continue;
		*escaped = true;
		if (p >= end)
			return NULL;
		switch (*p++)
		{
			case '"':
			case '\\':
			case '/':
			case 'b':
			case 'f':
			case 'n':
			case 'r':
			case 't':
				break;
			case 'u':
				if (end - p < 4)
					return NULL;
				for (int i = 0; i < 4; i++)
					if (hex_digit(*p++) < 0)
						return NULL;
				break;
			default:
				return NULL;
		}
	}
	return NULL;
}

/* returns behind the number, or NULL */
static const char *
check_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (!is_digit(p, end))
		return NULL;
	if (*p == '0')
		p++;
	else
		while (is_digit(p, end))
			p++;
	if (p < end && *p == '.')
	{
		if (!is_digit(++p, end))
			return NULL;
		while (is_digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!is_digit(p, end))
			return NULL;
		while (is_digit(p, end))
			p++;
	}
	return p;
}

static const char *
check_word(const char *p, const char *end, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (end - p) < length || memcmp(p, word, length) != 0)
		return NULL;
	return p + length;
}

/* A string, number or word at p; sets the kind; returns behind it, or NULL. */
static const char *
check_scalar(const char *p, const char *end, SigmaJsonKind *kind, bool *escaped)
{
	switch (*p)
	{
		case '"':
			*kind = SIGMA_JSON_STRING;
			return check_string(p + 1, end, escaped);
		case 'n':
			*kind = SIGMA_JSON_NULL;
			return check_word(p, end, "null");
		case 't':
			*kind = SIGMA_JSON_TRUE;
			return check_word(p, end, "true");
		case 'f':
			*kind = SIGMA_JSON_FALSE;
			return check_word(p, end, "false");
		default:
			*kind = SIGMA_JSON_NUMBER;
			return check_number(p, end);
	}
}

/*
 * A member's name and its colon at p; returns at the value, or NULL.  *name,
 * unless NULL, gets the name with its quotes.
 */
static const char *
check_name(const char *p, const char *end, SigmaSpan *name)
{
	bool		escaped;
	const char *start;

	start = p = skip_space(p, end);
	if (p >= end || *p != '"' || (p = check_string(p + 1, end, &escaped)) == NULL)
		return NULL;
	if (name)
	{
		name->data = start;
		name->length = p - start;
	}
	p = skip_space(p, end);
	if (p >= end || *p != ':')
		return NULL;
	return skip_space(p + 1, end);
}

bool
sigma_json_visit(SigmaSpan text, SigmaJsonVisit visit, void *arg, SigmaJsonValue *value,
				 const char **error)
{
	uint8		is_object[MAX_DEPTH / 8 + 1];	/* one bit per open bracket */
	const char *starts[VISIT_DEPTH + 1];	/* of the values that are open */
	const char *end = text.data + text.length;
	const char *p = skip_space(text.data, end);
	SigmaSpan	name = {NULL, 0};
	int			depth = 0;

	*error = "it is not well-formed JSON";
	if (p >= end)
	{
		*error = "it is empty";
		return false;
	}
	for (;;)
	{
		SigmaJsonKind kind = SIGMA_JSON_NULL;
		bool		escaped = false;

		/* here a value begins */
		if (p >= end)
			return false;
		if (depth <= VISIT_DEPTH)
			starts[depth] = p;
		if (*p == '{' || *p == '[')
		{
			bool		object = *p == '{';

			if (depth >= MAX_DEPTH)
			{
				*error = "it is nested too deeply";
				return false;
			}
			if (object)
				is_object[depth / 8] |= (uint8) (1 << (depth % 8));
			else
				is_object[depth / 8] &= (uint8) ~(1 << (depth % 8));
			depth++;
			p = skip_space(p + 1, end);
			if (p >= end || *p != (object ? '}' : ']'))
			{
				if (object && (p = check_name(p, end, depth == 1 ? &name : NULL)) == NULL)
					return false;
				continue;
			}
			p++;
			depth--;
			kind = object ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
		}
		else if ((p = check_scalar(p, end, &kind, &escaped)) == NULL)
			return false;

		/* here a value has ended: close what it closes */
		for (;;)
		{
			bool		object;

			if (depth <= VISIT_DEPTH)
			{
				SigmaJsonValue ended = {kind, escaped, {starts[depth], p - starts[depth]}};

				if (depth == 0)
				{
					*value = ended;
					return skip_space(p, end) == end;
				}
				if (visit)
					visit(arg, depth, name, &ended);
			}
			p = skip_space(p, end);
			if (p >= end)
				return false;
			object = (is_object[(depth - 1) / 8] >> ((depth - 1) % 8)) & 1;
			if (*p == ',')
			{
				p = object ? check_name(p + 1, end, depth == 1 ? &name : NULL)
					: skip_space(p + 1, end);
				if (p == NULL)
					return false;
				break;
			}
			if (*p != (object ? '}' : ']'))
				return false;
			p++;
			depth--;
			kind = object ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
			escaped = false;
		}
	}
}

bool
sigma_json_check(SigmaSpan text, SigmaJsonValue *value, const char **error)
{
	return sigma_json_visit(text, NULL, NULL, value, error);
}

/*
 * From behind a string's opening quote to behind its closing one.  "end" is
 * that of the container: it stands further on.
 */
static inline const char *
skip_string(const char *p, const char *end, bool *escaped)
{
	*escaped = false;
	for (p = skip_plain(p, end); *p == '\\'; p = skip_plain(p + 2, end))
		*escaped = true;
	return p + 1;
}

/* The value at p, in checked text; returns behind it. */
static const char *
take_value(const char *p, const char *end, SigmaJsonValue *value)
{
	int			depth = 0;
	bool		escaped;

	value->text.data = p;
	value->escaped = false;
	switch (*p)
	{
		case '"':
			value->kind = SIGMA_JSON_STRING;
			p = skip_string(p + 1, end, &value->escaped);
			break;
		case '{':
		case '[':
			value->kind = *p == '{' ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
			do
			{
				switch (*p++)
				{
					case '"':
						p = skip_string(p, end, &escaped);
						break;
					case '{':
					case '[':
						depth++;
						break;
					case '}':
					case ']':
						depth--;
						break;
				}
			} while (depth > 0);
			break;
		case 'n':
			value->kind = SIGMA_JSON_NULL;
			p += 4;
			break;
		case 't':
			value->kind = SIGMA_JSON_TRUE;
			p += 4;
			break;
		case 'f':
			value->kind = SIGMA_JSON_FALSE;
			p += 5;
			break;
		default:
			value->kind = SIGMA_JSON_NUMBER;
			while ((*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == '.' ||
				   *p == 'e' || *p == 'E')
				p++;
	}
	value->text.length = p - value->text.data;
	return p;
}

bool
sigma_json_next_member(const SigmaJsonValue *object, const char **cursor,
					   SigmaJsonMember *member)
{
	const char *end = object->text.data + object->text.length;
	const char *p = skip_space(*cursor ? *cursor : object->text.data + 1, end);

	if (*p == ',')
		p = skip_space(p + 1, end);
	if (*p == '}')
		return false;
	p = take_value(p, end, &member->key);
	p = skip_space(p, end) + 1; /* the colon */
	*cursor = take_value(skip_space(p, end), end, &member->value);
	return true;
}

bool
sigma_json_next_element(const SigmaJsonValue *array, const char **cursor,
						SigmaJsonValue *element)
{
	const char *end = array->text.data + array->text.length;
	const char *p = skip_space(*cursor ? *cursor : array->text.data + 1, end);

	if (*p == ',')
		p = skip_space(p + 1, end);
	if (*p == ']')
		return false;
	*cursor = take_value(p, end, element);
	return true;
}

/* Appends a code point as UTF-8; returns behind it. */
static char *
put_utf8(char *out, uint32 c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xC0 | (c >> 6));
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	else if (c < 0x10000)
	{
		*out++ = (char) (0xE0 | (c >> 12));
		*out++ = (char) (0x80 | ((c >> 6) & 0x3F));
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	else
	{
		*out++ = (char) (0xF0 | (c >> 18));
		*out++ = (char) (0x80 | ((c >> 12) & 0x3F));
		*out++ = (char) (0x80 | ((c >> 6) & 0x3F));
		*out++ = (char) (0x80 | (c & 0x3F));
	}
	return out;
}

/* The four hexadecimal digits at p. */
static uint32
take_hex(const char *p)
{
	uint32		c = 0;

	for (int i = 0; i < 4; i++)
		c = c << 4 | (uint32) hex_digit(p[i]);
	return c;
}

/*
 * The character at *p of a checked string, unescaped, to "out" (four bytes);
 * steps *p behind it and sets *length.
 */
static SigmaEscape
take_char(const char **p, const char *end, char *out, size_t *length)
{
	const char *q = *p;
	uint32		c;

	*length = 1;
	*out = *q++;
	*p = q;
	if (*out != '\\')
		return SIGMA_ESCAPE_OK;
	*out = *q++;
	*p = q;
	switch (*out)
	{
		case 'b':
			*out = '\b';
			return SIGMA_ESCAPE_OK;
		case 'f':
			*out = '\f';
			return SIGMA_ESCAPE_OK;
		case 'n':
			*out = '\n';
			return SIGMA_ESCAPE_OK;
		case 'r':
			*out = '\r';
			return SIGMA_ESCAPE_OK;
		case 't':
			*out = '\t';
			return SIGMA_ESCAPE_OK;
		case 'u':
			break;
		default:
			return SIGMA_ESCAPE_OK;
	}
	c = take_hex(q);
	q += 4;
	if (c == 0)
		return SIGMA_ESCAPE_NUL;
	if (c >= 0xD800 && c <= 0xDFFF)
	{
		uint32		low = 0;

		if (c <= 0xDBFF && end - q >= 6 && q[0] == '\\' && q[1] == 'u')
			low = take_hex(q + 2);
		if (low < 0xDC00 || low > 0xDFFF)
			return SIGMA_ESCAPE_SURROGATE;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		q += 6;
	}
	*length = put_utf8(out, c) - out;
	*p = q;
	return SIGMA_ESCAPE_OK;
}

/*
 * Writes a checked string's content, unescaped and without its quotes, to
 * "out", which must have room for the string's text, and its length in bytes
 * to *length.  No NUL is added.
 */
SigmaEscape
sigma_json_unescape(const SigmaJsonValue *string, char *out, size_t *length)
{
	const char *p = string->text.data + 1;
	const char *end = string->text.data + string->text.length - 1;
	char	   *start = out;

	while (p < end)
	{
		size_t		n;
		SigmaEscape result = take_char(&p, end, out, &n);

		if (result != SIGMA_ESCAPE_OK)
			return result;
		out += n;
	}
	*length = out - start;
	return SIGMA_ESCAPE_OK;
}

bool
sigma_json_is(const SigmaJsonValue *string, const char *text)
{
	const char *p = string->text.data + 1;
	const char *end = string->text.data + string->text.length - 1;
	size_t		length = strlen(text);

	if (!string->escaped)
		return string->text.length == length + 2 && memcmp(p, text, length) == 0;
	while (p < end)
	{
		char		bytes[4];
		size_t		n;

		if (take_char(&p, end, bytes, &n) != SIGMA_ESCAPE_OK || strncmp(bytes, text, n) != 0)
			return false;
		text += n;
	}
	return *text == '\0';
}

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
#define VISIT_DEPTH 3

static pg_attribute_always_inline const char *
skip_space(const char *p, const char *end)
{
	/* in replies there is mostly none */
	while (p < end && (unsigned char) *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
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
 * "end" if there is none.  *beyond, unless NULL, becomes nonzero if a byte before
 * that is not ASCII.  Most of a reply is passed over here, so several bytes are
 * looked at together: sixteen where the processor surely can (every x86-64), else
 * eight.
 *
 * With eight: a byte of "low", "quote" or "backslash" borrows from its sign bit
 * only if it is below 0x20, or zero.  A borrow may run on into higher bytes,
 * but not into lower ones, so the lowest hit counts.
 */
static pg_attribute_always_inline const char *
skip_plain(const char *p, const char *end, uint64 *beyond)
{
#if defined(__SSE2__)
	while (end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		__m128i		low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
		__m128i		quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
		__m128i		backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
		uint32		hits = (uint32) _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
		uint32		high = beyond ? (uint32) _mm_movemask_epi8(bytes) : 0;

		if (hits)
		{
			if (beyond)
				*beyond |= high & (hits - 1) & ~hits;
			return p + pg_rightmost_one_pos32(hits);
		}
		if (beyond)
			*beyond |= high;
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
		{
			if (beyond)
				*beyond |= word & (ones * 0x80) & (hits - 1) & ~hits;
			return p + pg_rightmost_one_pos64(hits) / 8;
		}
		if (beyond)
			*beyond |= word & (ones * 0x80);
		p += 8;
	}
#endif
	for (; p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20; p++)
		if (beyond)
			*beyond |= (unsigned char) *p & 0x80;
	return p;
}

/* p stands behind a backslash; returns behind what it escapes, or NULL */
static const char *
check_escape(const char *p, const char *end)
{
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
			return p;
		case 'u':
			if (end - p < 4)
				return NULL;
			for (int i = 0; i < 4; i++)
				if (hex_digit(*p++) < 0)
					return NULL;
			return p;
		default:
			return NULL;
	}
}

/* From a backslash of a string on, if it is one; returns behind the closing quote, or NULL */
static pg_noinline const char *
check_rest(const char *p, const char *end, uint64 *beyond)
{
	while (p < end && *p == '\\')
	{
		if ((p = check_escape(p + 1, end)) == NULL)
			return NULL;
		p = skip_plain(p, end, beyond);
	}
	return p < end && *p == '"' ? p + 1 : NULL;
}

/*
 * p stands behind the opening quote; returns behind the closing one, or NULL.
 * *beyond, unless NULL, is as for skip_plain().
 */
static pg_attribute_always_inline const char *
check_string(const char *p, const char *end, bool *escaped, uint64 *beyond)
{
	uint64		unused = 0;

	*escaped = false;
	p = skip_plain(p, end, beyond);
	if (likely(p < end && *p == '"'))
		return p + 1;
	*escaped = true;
	return check_rest(p, end, beyond ? beyond : &unused);
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

/* A number or word at p; sets the kind; returns behind it, or NULL */
static const char *
check_unquoted(const char *p, const char *end, SigmaJsonKind *kind)
{
	switch (*p)
	{
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

/* What is known of a text while it is checked. */
typedef struct Check
{
	SigmaJsonVisitor *visitor;
	const char *end;
	int			deepest;		/* that the visitor looks at */
	int			depth;			/* how many brackets are open */
	SigmaSpan	name;			/* of the member at a depth of 1 */
	int			noted;			/* the number of the member's name at the visitor's depth, or -1 */
	const char *starts[VISIT_DEPTH + 1];	/* of the values that are open */
	uint8		is_object[MAX_DEPTH / 8 + 1];	/* one bit per open bracket */
} Check;

/* A member with this name begins, at a depth that the visitor looks at: does it want the member? */
static pg_attribute_always_inline void
begin_member(Check *check, const char *start, const char *behind, bool escaped)
{
	SigmaJsonVisitor *visitor = check->visitor;

	if (check->depth == 1)
		check->name = (SigmaSpan)
	{
		start, behind - start
	};
	if (check->depth != visitor->member_depth)
		return;
	visitor->nmembers++;
	check->noted = -1;
	if (visitor->note && (escaped || sigma_names_may_have(visitor->names, start + 1, behind - start - 2)))
	{
		SigmaJsonValue name = {.kind = SIGMA_JSON_STRING, .escaped = escaped, .text = {start, behind - start}};

		check->noted = sigma_names_find(visitor->names, &name);
	}
}

/*
 * A member's name and its colon, perhaps behind space, at p; returns at the
 * value, or NULL
 */
static pg_attribute_always_inline const char *
check_name(Check *check, const char *p)
{
	const char *end = check->end;
	const char *start = skip_space(p, end);
	bool		escaped;

	if (start >= end || *start != '"' || (p = check_string(start + 1, end, &escaped, NULL)) == NULL)
		return NULL;
	if (check->depth <= check->deepest)
		begin_member(check, start, p, escaped);
	p = skip_space(p, end);
	if (p >= end || *p != ':')
		return NULL;
	return skip_space(p + 1, end);
}

/* A value inside of the whole has ended: tells the visitor, if it looks at this depth. */
static pg_attribute_always_inline void
end_value(Check *check, SigmaJsonValue value)
{
	SigmaJsonVisitor *visitor = check->visitor;
	bool		note = check->depth == visitor->member_depth && check->noted >= 0;
	bool		visit = check->depth <= 2 && visitor->visit;

	if (note)
		visitor->note(visitor->arg, check->noted, &value);
	if (visit)
		visitor->visit(visitor->arg, check->depth, check->name, &value);
}

/* A bracket opens at p; false if there are too many. */
static pg_attribute_always_inline bool
open_bracket(Check *check, const char *p, bool object)
{
	int			depth = check->depth;

	if (depth >= MAX_DEPTH)
		return false;
	if (depth <= VISIT_DEPTH)
		check->starts[depth] = p;
	if (object)
		check->is_object[depth / 8] |= (uint8) (1 << (depth % 8));
	else
		check->is_object[depth / 8] &= (uint8) ~(1 << (depth % 8));
	check->depth = ++depth;
	if (depth == check->visitor->member_depth)
	{
		/* the elements of an array have no names */
		check->noted = -1;
		check->visitor->nmembers = 0;
	}
	return true;
}

/* Is the innermost of the open brackets an object's? */
static pg_attribute_always_inline bool
in_object(const Check *check)
{
	int			last = check->depth - 1;

	return last >= 0 && (check->is_object[last / 8] >> (last % 8)) & 1;
}

bool
sigma_json_visit(SigmaSpan text, SigmaJsonVisitor *visitor, SigmaJsonValue *value,
				 const char **error)
{
	Check		check;
	const char *end = text.data + text.length;
	const char *p = skip_space(text.data, end);
	bool		object = false; /* is the innermost of the open brackets an object's? */

	Assert(visitor->member_depth <= VISIT_DEPTH);
	check.visitor = visitor;
	check.end = end;
	check.deepest = Max(visitor->visit ? 2 : 0, visitor->member_depth);
	check.depth = 0;
	check.name = (SigmaSpan)
	{
		NULL, 0
	};
	check.noted = -1;
	*error = "it is not well-formed JSON";
	if (p >= end)
	{
		*error = "it is empty";
		return false;
	}
	for (;;)
	{
		SigmaJsonKind kind;
		bool		escaped = false;
		uint64		beyond = 0;
		const char *start = p;

		/* here a value begins */
		if (p >= end)
			return false;
		if (*p == '"')
		{
			kind = SIGMA_JSON_STRING;
			if ((p = check_string(p + 1, end, &escaped, &beyond)) == NULL)
				return false;
		}
		else if (*p == '{' || *p == '[')
		{
			object = *p == '{';
			if (!open_bracket(&check, p, object))
			{
				*error = "it is nested too deeply";
				return false;
			}
			p = skip_space(p + 1, end);
			if (p >= end)
				return false;
			if (*p != (object ? '}' : ']'))
			{
				if (object && (p = check_name(&check, p)) == NULL)
					return false;
				continue;
			}
			p++;
			check.depth--;
			kind = object ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
			beyond = 1;
			object = in_object(&check);
		}
		else if ((p = check_unquoted(p, end, &kind)) == NULL)
			return false;

		/* here a value has ended: close what it closes */
		for (;;)
		{
			if (check.depth <= check.deepest)
			{
				SigmaJsonValue ended = {kind, escaped, beyond == 0, {start, p - start}};

				if (check.depth == 0)
				{
					*value = ended;
					return skip_space(p, end) == end;
				}
				end_value(&check, ended);
			}
			p = skip_space(p, end);
			if (p >= end)
				return false;
			if (*p == ',')
			{
				p = object ? check_name(&check, p + 1) : skip_space(p + 1, end);
				if (p == NULL)
					return false;
				break;
			}
			if (*p != (object ? '}' : ']'))
				return false;
			p++;
			check.depth--;
			kind = object ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
			escaped = false;
			/* nobody knows */
			beyond = 1;
			if (check.depth <= VISIT_DEPTH)
				start = check.starts[check.depth];
			object = in_object(&check);
		}
	}
}

bool
sigma_json_check(SigmaSpan text, SigmaJsonValue *value, const char **error)
{
	SigmaJsonVisitor nobody = {.visit = NULL};

	return sigma_json_visit(text, &nobody, value, error);
}

/*
 * From behind a string's opening quote to behind its closing one.  "end" is
 * that of the container: it stands further on.
 */
static inline const char *
skip_string(const char *p, const char *end, bool *escaped, bool *ascii)
{
	uint64		beyond = 0;

	*escaped = false;
	for (p = skip_plain(p, end, &beyond); *p == '\\'; p = skip_plain(p + 2, end, &beyond))
		*escaped = true;
	*ascii = beyond == 0;
	return p + 1;
}

/* The value at p, in checked text; returns behind it. */
static const char *
take_value(const char *p, const char *end, SigmaJsonValue *value)
{
	int			depth = 0;
	bool		escaped;
	bool		ascii;

	value->text.data = p;
	value->escaped = false;
	value->ascii = *p != '{' && *p != '[';
	switch (*p)
	{
		case '"':
			value->kind = SIGMA_JSON_STRING;
			p = skip_string(p + 1, end, &value->escaped, &value->ascii);
			break;
		case '{':
		case '[':
			value->kind = *p == '{' ? SIGMA_JSON_OBJECT : SIGMA_JSON_ARRAY;
			do
			{
				switch (*p++)
				{
					case '"':
						p = skip_string(p, end, &escaped, &ascii);
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

void
sigma_names_fill(SigmaNames *names)
{
	for (int i = 0; i < (int) lengthof(names->buckets); i++)
		names->buckets[i] = -1;
	/* from the last to the first, so that the first of the same name is found */
	for (int i = names->n - 1; i >= 0; i--)
	{
		int			bucket;

		if (names->names[i] == NULL)
			continue;
		names->lengths[i] = strlen(names->names[i]);
		bucket = sigma_name_bucket(names->names[i], names->lengths[i]);
		names->next[i] = names->buckets[bucket];
		names->buckets[bucket] = (int16) i;
	}
}

int
sigma_names_find(const SigmaNames *names, const SigmaJsonValue *name)
{
	const char *text = name->text.data + 1;
	size_t		length = name->text.length - 2;

	if (name->escaped)
	{
		for (int i = 0; i < names->n; i++)
			if (names->names[i] && sigma_json_is(name, names->names[i]))
				return i;
		return -1;
	}
	for (int i = names->buckets[sigma_name_bucket(text, length)]; i >= 0; i = names->next[i])
		if (names->lengths[i] == length && memcmp(names->names[i], text, length) == 0)
			return i;
	return -1;
}

void
sigma_names_values(const SigmaNames *names, const SigmaJsonValue *object, SigmaJsonValue *values)
{
	const char *cursor = NULL;
	SigmaJsonMember member;

	if (object->kind != SIGMA_JSON_OBJECT)
		return;
	while (sigma_json_next_member(object, &cursor, &member))
	{
		int			name = sigma_names_find(names, &member.key);

		if (name >= 0)
			values[name] = member.value;
	}
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

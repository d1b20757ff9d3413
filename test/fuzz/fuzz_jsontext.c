/*-------------------------------------------------------------------------
 *
 * fuzz_jsontext.c
 *	  The checker and the walk of jsontext.c, against themselves and cJSON.
 *
 * Input: a text.  If it is found to be JSON, then so is every part that the
 * walk yields, each lies inside of its holder, and cJSON reads the same tree.
 * The reverse is not asked for: cJSON takes "01", "1.", control characters in
 * strings, a byte order mark and anything behind the value.  Nor is cJSON
 * asked where it is stricter than RFC 8259: nesting over 1,000, numbers of
 * more than 63 characters, halves of surrogate pairs, \u0000.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "json/json_internal.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "fuzz.h"

#define CJSON_DEPTH 1000
#define CJSON_NUMBER 63

/* Something that cJSON does not read as we do was met. */
static bool beyond_cjson;

static bool
is_json(const char *data, size_t length, SigmaJsonValue *value)
{
	/* a copy of its own, so that a look beyond the span is seen */
	char	   *copy = malloc(length);
	SigmaSpan	span = {copy, length};
	const char *error = NULL;
	bool		ok;

	memcpy(copy, data, length);
	ok = sigma_json_check(span, value, &error);
	CHECK(error != NULL);
	free(copy);
	return ok;
}

/* A value of the walk is one by itself, of the same kind and without space. */
static void
check_span(const SigmaJsonValue *value, const SigmaJsonValue *holder)
{
	SigmaJsonValue again;

	CHECK(value->text.length > 0);
	CHECK(value->text.data > holder->text.data);
	CHECK(value->text.data + value->text.length < holder->text.data + holder->text.length);
	CHECK(is_json(value->text.data, value->text.length, &again));
	CHECK(again.text.length == value->text.length);
	CHECK(again.kind == value->kind);
	CHECK(again.escaped == value->escaped);
	CHECK(again.ascii == value->ascii);
	for (size_t i = 0; value->ascii && i < value->text.length; i++)
		CHECK((unsigned char) value->text.data[i] < 0x80);
	if (value->kind == SIGMA_JSON_STRING)
		CHECK(value->escaped == (memchr(value->text.data, '\\', value->text.length) != NULL));
}

/* Unescapes, compares with sigma_json_is() and, if there is one, cJSON's text. */
static void
check_string(const SigmaJsonValue *string, const char *cjson)
{
	char	   *out = malloc(string->text.length + 1);
	size_t		length = 0;

	if (sigma_json_unescape(string, out, &length) == SIGMA_ESCAPE_OK)
	{
		CHECK(length <= string->text.length - 2);
		CHECK(memchr(out, '\0', length) == NULL);
		if (!string->escaped)
			CHECK(length == string->text.length - 2 && memcmp(out, string->text.data + 1, length) == 0);
		out[length] = '\0';
		if (cjson && !beyond_cjson)
			CHECK(strcmp(out, cjson) == 0);
		CHECK(sigma_json_is(string, out));
		out[length] = 'x';
		CHECK(length == 0 || !sigma_json_is(string, ""));
		out[length / 2] ^= 1;
		if (length > 0 && out[length / 2] != '\0')
		{
			out[length] = '\0';
			CHECK(!sigma_json_is(string, out));
		}
	}
	else
	{
		CHECK(string->escaped);
		CHECK(!sigma_json_is(string, ""));
	}
	free(out);
}

static void
check_scalar(const SigmaJsonValue *value, const cJSON *tree)
{
	switch (value->kind)
	{
		case SIGMA_JSON_NULL:
			CHECK(tree == NULL || cJSON_IsNull(tree));
			break;
		case SIGMA_JSON_FALSE:
			CHECK(tree == NULL || cJSON_IsFalse(tree));
			break;
		case SIGMA_JSON_TRUE:
			CHECK(tree == NULL || cJSON_IsTrue(tree));
			break;
		case SIGMA_JSON_NUMBER:
			CHECK(tree == NULL || cJSON_IsNumber(tree));
			if (tree)
			{
				char	   *copy = strndup(value->text.data, value->text.length);

				CHECK(strtod(copy, NULL) == tree->valuedouble);
				free(copy);
			}
			break;
		default:
			CHECK(value->kind == SIGMA_JSON_STRING);
			CHECK(tree == NULL || cJSON_IsString(tree));
			check_string(value, tree ? tree->valuestring : NULL);
	}
}

/* "tree" is cJSON's view of the same value, or NULL if it has none. */
static void
check_value(const SigmaJsonValue *value, const cJSON *tree)
{
	const cJSON *child = tree ? tree->child : NULL;
	const char *cursor = NULL;
	const char *behind = value->text.data;
	SigmaJsonMember member;

	if (value->kind == SIGMA_JSON_OBJECT)
	{
		CHECK(tree == NULL || cJSON_IsObject(tree));
		while (sigma_json_next_member(value, &cursor, &member))
		{
			CHECK(member.key.kind == SIGMA_JSON_STRING);
			CHECK(member.key.text.data > behind);
			check_span(&member.key, value);
			CHECK(member.value.text.data > member.key.text.data + member.key.text.length);
			check_span(&member.value, value);
			CHECK(tree == NULL || child != NULL);
			check_string(&member.key, child ? child->string : NULL);
			check_value(&member.value, child);
			child = child ? child->next : NULL;
			behind = member.value.text.data + member.value.text.length;
		}
	}
	else if (value->kind == SIGMA_JSON_ARRAY)
	{
		CHECK(tree == NULL || cJSON_IsArray(tree));
		while (sigma_json_next_element(value, &cursor, &member.value))
		{
			CHECK(member.value.text.data > behind || behind == value->text.data);
			check_span(&member.value, value);
			CHECK(tree == NULL || child != NULL);
			check_value(&member.value, child);
			child = child ? child->next : NULL;
			behind = member.value.text.data + member.value.text.length;
		}
	}
	else
	{
		check_scalar(value, tree);
		return;
	}
	CHECK(child == NULL);
}

/* What a visitor is to check against, and how often it was called. */
typedef struct Visits
{
	SigmaJsonValue whole;
	int			count;
	int			depth;			/* of the members that it is told of */
	const SigmaNames *names;
	int			noted;
} Visits;

/* Each visit is told of a value that the walk finds, too, by the right name. */
static void
check_visit(void *arg, int depth, SigmaSpan name, const SigmaJsonValue *value)
{
	Visits	   *visits = arg;
	const char *cursor = NULL;
	const char *inner = NULL;
	SigmaJsonMember member = {.key = {.text = {NULL, 0}}};
	SigmaJsonMember child;

	visits->count++;
	CHECK(depth == 1 || depth == 2);
	/* the depth-1 value that it is, or lies in */
	while (visits->whole.kind == SIGMA_JSON_OBJECT
		   ? sigma_json_next_member(&visits->whole, &cursor, &member)
		   : sigma_json_next_element(&visits->whole, &cursor, &member.value))
		if (value->text.data < member.value.text.data + member.value.text.length)
			break;
	CHECK(name.data == member.key.text.data && name.length == member.key.text.length);
	if (depth == 2)
	{
		while (member.value.kind == SIGMA_JSON_OBJECT
			   ? sigma_json_next_member(&member.value, &inner, &child)
			   : sigma_json_next_element(&member.value, &inner, &child.value))
			if (child.value.text.data == value->text.data)
				break;
		member.value = child.value;
	}
	CHECK(member.value.text.data == value->text.data && member.value.text.length == value->text.length);
	CHECK(member.value.kind == value->kind && member.value.escaped == value->escaped);
}

/* Each member that it is told of has that name. */
static void
check_note(void *arg, int name, const SigmaJsonValue *value)
{
	Visits	   *visits = arg;
	SigmaJsonValue again;

	visits->noted++;
	CHECK(name >= 0 && name < visits->names->n);
	CHECK(value->text.data > visits->whole.text.data);
	CHECK(value->text.data + value->text.length < visits->whole.text.data + visits->whole.text.length);
	CHECK(is_json(value->text.data, value->text.length, &again));
	CHECK(again.kind == value->kind && again.escaped == value->escaped && again.ascii == value->ascii);
}

/* How many members of that depth have a name of the set? */
static int
count_named(const SigmaJsonValue *value, int depth, const SigmaNames *names)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	int			n = 0;

	if (value->kind == SIGMA_JSON_OBJECT)
		while (sigma_json_next_member(value, &cursor, &member))
			n += depth > 1 ? count_named(&member.value, depth - 1, names) : sigma_names_find(names, &member.key) >= 0;
	else if (value->kind == SIGMA_JSON_ARRAY)
		while (sigma_json_next_element(value, &cursor, &member.value))
			n += depth > 1 ? count_named(&member.value, depth - 1, names) : 0;
	return n;
}

/* Tells of the members at each depth, by names that texts here have, and compares with the walk. */
static void
check_notes(SigmaSpan span, Visits *visits)
{
	static const char *list[] = {"a", "id", "name", "", "entries", NULL, "a\"b", "\xc3\xa9", "a"};
	static size_t lengths[lengthof(list)];
	static int16 next[lengthof(list)];
	SigmaNames	names = {.n = lengthof(list), .names = list, .lengths = lengths, .next = next};
	SigmaJsonValue value;
	const char *error;

	sigma_names_fill(&names);
	visits->names = &names;
	for (int depth = 1; depth <= 3; depth++)
	{
		SigmaJsonVisitor visitor = {.arg = visits, .note = check_note, .member_depth = depth, .names = &names};

		visits->noted = 0;
		CHECK(sigma_json_visit(span, &visitor, &value, &error));
		CHECK(visits->noted == count_named(&visits->whole, depth, &names));
	}
	visits->names = NULL;
}

/* How many values stand at a depth of 1 and 2? */
static int
count_values(const SigmaJsonValue *value, int depth)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	int			n = 0;

	if (depth > 2 || (value->kind != SIGMA_JSON_OBJECT && value->kind != SIGMA_JSON_ARRAY))
		return 0;
	while (value->kind == SIGMA_JSON_OBJECT ? sigma_json_next_member(value, &cursor, &member)
		   : sigma_json_next_element(value, &cursor, &member.value))
		n += 1 + count_values(&member.value, depth + 1);
	return n;
}

/* Is there anything in it that cJSON does not take, or not as we do? */
static bool
is_beyond_cjson(const char *data, size_t length)
{
	int			depth = 0;
	int			deepest = 0;
	size_t		number = 0;

	for (size_t i = 0; i < length; i++)
	{
		/* in strings as well: it need not be exact, only safe */
		if (data[i] == '[' || data[i] == '{')
			deepest = Max(deepest, ++depth);
		else if (data[i] == ']' || data[i] == '}')
			depth--;
		number = strchr("0123456789+-.eE", data[i]) && data[i] ? number + 1 : 0;
		if (number > CJSON_NUMBER)
			return true;
		/* any surrogate, and any NUL, escaped */
		if (data[i] == '\\' && length - i >= 6 && data[i + 1] == 'u' &&
			(strncmp(data + i + 2, "0000", 4) == 0 ||
			 ((data[i + 2] | 0x20) == 'd' && strchr("89abcdefABCDEF", data[i + 3]))))
			return true;
	}
	return deepest >= CJSON_DEPTH;
}

/* What is JSON stays so in brackets, and is none with more or less of it. */
static void
check_around(const char *data, size_t length, const SigmaJsonValue *value)
{
	char	   *text = malloc(2 * length + 3);
	SigmaJsonValue outer;

	memcpy(text, data, length);
	text[length] = 'x';
	CHECK(!is_json(text, length + 1, &outer));
	if (value->kind == SIGMA_JSON_STRING || value->kind == SIGMA_JSON_ARRAY ||
		value->kind == SIGMA_JSON_OBJECT)
	{
		CHECK(!is_json(value->text.data, value->text.length - 1, &outer));
		CHECK(!is_json(value->text.data + 1, value->text.length - 1, &outer) ||
			  value->kind != SIGMA_JSON_STRING);
	}
	text[0] = '[';
	memcpy(text + 1, data, length);
	text[length + 1] = ',';
	memcpy(text + length + 2, data, length);
	text[2 * length + 2] = ']';
	CHECK(is_json(text, 2 * length + 3, &outer));
	CHECK(outer.kind == SIGMA_JSON_ARRAY && outer.text.length == 2 * length + 3);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	SigmaSpan	span = {text, size};
	SigmaJsonValue value;
	const char *error = NULL;
	cJSON	   *tree = NULL;
	Visits		visits = {.count = 0};

	/* a null pointer is no text */
	if (size == 0)
		return 0;
	if (!sigma_json_check(span, &value, &error))
	{
		CHECK(error != NULL);
		return 0;
	}
	CHECK(value.text.data >= text && value.text.data + value.text.length <= text + size);
	beyond_cjson = is_beyond_cjson(text, size);
	if (!beyond_cjson)
	{
		const char *end;

		tree = cJSON_ParseWithLengthOpts(text, size, &end, false);
		CHECK(tree != NULL);
		CHECK(end == value.text.data + value.text.length);
	}
	check_value(&value, tree);
	cJSON_Delete(tree);
	check_around(text, size, &value);

	/* a search per visit: not for long texts */
	visits.whole = value;
	if (size < 512)
	{
		SigmaJsonVisitor visitor = {.arg = &visits, .visit = check_visit};

		CHECK(sigma_json_visit(span, &visitor, &value, &error));
		CHECK(visits.count == count_values(&value, 1));
		check_notes(span, &visits);
	}
	return 0;
}

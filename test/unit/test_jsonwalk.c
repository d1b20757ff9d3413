/*-------------------------------------------------------------------------
 *
 * test_jsonwalk.c
 *	  The walking functions of jsontext.c: members, elements, strings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "json/json_internal.h"

#include "tap.h"

/* A checked text in a block of exactly its size; the block is *copy. */
static SigmaJsonValue
checked(const char *text, char **copy)
{
	SigmaJsonValue value = {.kind = SIGMA_JSON_NULL};
	SigmaSpan	span;
	const char *error = NULL;
	bool		ok;

	span.length = strlen(text);
	span.data = *copy = malloc(span.length);
	memcpy(*copy, text, span.length);
	ok = sigma_json_check(span, &value, &error);
	if (!EXPECT(ok, "%s is not JSON: %s", text, error))
		abort();
	return value;
}

static char
kind_letter(SigmaJsonKind kind)
{
	return "zftn\"[{"[kind];
}

/*
 * Writes what a walk finds: "k=text" for members, "text" for elements, with
 * the kind before each, and a "!" for an escaped string.
 */
static void
describe(const SigmaJsonValue *value, char *out, size_t size)
{
	const char *cursor = NULL;
	SigmaJsonMember member;
	SigmaJsonValue *element = &member.value;
	char	   *p = out;

	*p = '\0';
	while (value->kind == SIGMA_JSON_OBJECT ? sigma_json_next_member(value, &cursor, &member)
		   : sigma_json_next_element(value, &cursor, element))
	{
		if (value->kind == SIGMA_JSON_OBJECT)
		{
			EXPECT(member.key.kind == SIGMA_JSON_STRING, "a name is of kind %d", member.key.kind);
			p += snprintf(p, out + size - p, "%.*s%s=", (int) member.key.text.length,
						  member.key.text.data, member.key.escaped ? "!" : "");
		}
		p += snprintf(p, out + size - p, "%c:%.*s%s|", kind_letter(element->kind),
					  (int) element->text.length, element->text.data, element->escaped ? "!" : "");
	}
	/* the end stays the end */
	if (value->kind == SIGMA_JSON_OBJECT)
		EXPECT(!sigma_json_next_member(value, &cursor, &member), "a member behind the last");
	else
		EXPECT(!sigma_json_next_element(value, &cursor, element), "an element behind the last");
}

static void
test_walk(void)
{
	static const struct
	{
		const char *text;
		const char *found;
	}			cases[] = {
		{"{}", ""}, {"[]", ""}, {" { } ", ""}, {" [\n] ", ""},
		{"[1]", "n:1|"}, {"[ 1 ]", "n:1|"}, {"[1,2]", "n:1|n:2|"}, {"[\t1 ,\r\n2 ]", "n:1|n:2|"},
		{"[-0.5e+10,0]", "n:-0.5e+10|n:0|"}, {"[1E5 ,-1]", "n:1E5|n:-1|"},
		{"[null,true,false]", "z:null|t:true|f:false|"}, {"[false ,null , true ]", "f:false|z:null|t:true|"},
		{"[\"\",\"a\"]", "\":\"\"|\":\"a\"|"}, {"[\"\\\"\",\"b\"]", "\":\"\\\"\"!|\":\"b\"|"},
		{"[\"\\\\\",\"b\"]", "\":\"\\\\\"!|\":\"b\"|"}, {"[\"\\\\\\\"\",1]", "\":\"\\\\\\\"\"!|n:1|"},
		{"[\",\",\"]\",\"[\"]", "\":\",\"|\":\"]\"|\":\"[\"|"},
		{"[[],[[]],[1,[2]]]", "[:[]|[:[[]]|[:[1,[2]]|"}, {"[{},{\"a\":{}}]", "{:{}|{:{\"a\":{}}|"},
		{"[[\"]\"],{\"}\":\"{\"}]", "[:[\"]\"]|{:{\"}\":\"{\"}|"},
		{"[[\"\\\"]\"],[\"\\\\\"]]", "[:[\"\\\"]\"]|[:[\"\\\\\"]|"},
		{"[ [ 1 , 2 ] , 3 ]", "[:[ 1 , 2 ]|n:3|"},
		{"{\"a\":1}", "\"a\"=n:1|"}, {"{ \"a\" : 1 , \"b\" : 2 }", "\"a\"=n:1|\"b\"=n:2|"},
		{"{\"a\":1,\"a\":2}", "\"a\"=n:1|\"a\"=n:2|"}, {"{\"\":null}", "\"\"=z:null|"},
		{"{\"\\u0061\":\"\\n\",\"b\":\"c\"}", "\"\\u0061\"!=\":\"\\n\"!|\"b\"=\":\"c\"|"},
		{"{\"a\\\"b\":true}", "\"a\\\"b\"!=t:true|"}, {"{\":\":\",\"}", "\":\"=\":\",\"|"},
		{"{\"o\":{\"p\":[1,{\"q\":2}]},\"r\":[]}", "\"o\"={:{\"p\":[1,{\"q\":2}]}|\"r\"=[:[]|"},
		{"{\n\"a\"\t:\r[ ]\n,\"b\":{ } }", "\"a\"=[:[ ]|\"b\"={:{ }|"},
		/* an escaped string inside does not make its holder escaped */
		{"[[\"\\n\"],{\"\\n\":\"\\n\"}]", "[:[\"\\n\"]|{:{\"\\n\":\"\\n\"}|"},
	};

	tap_begin("walk: members and elements, with kind, span and escapes");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *copy;
		SigmaJsonValue value = checked(cases[i].text, &copy);
		char		found[256];

		describe(&value, found, sizeof(found));
		EXPECT(strcmp(found, cases[i].found) == 0, "%s gives %s", cases[i].text, found);
		free(copy);
	}
	tap_end();
}

/* Spans point into the text itself, and to the right place of it. */
static void
test_places(void)
{
	char	   *copy;
	SigmaJsonValue page = checked(" {\"entries\": [ {\"a\":1}, {\"a\":2} ],\"n\":\"x\"} ", &copy);
	const char *cursor = NULL;
	const char *inner = NULL;
	SigmaJsonMember member;
	SigmaJsonValue element;

	tap_begin("walk: spans lie in the text, where they belong");
	EXPECT(page.text.data == copy + 1 && page.text.length == 41, "the page");
	EXPECT(sigma_json_next_member(&page, &cursor, &member), "first member");
	EXPECT(member.key.text.data == copy + 2 && member.key.text.length == 9, "its name");
	EXPECT(member.value.text.data == copy + 13 && member.value.text.length == 20, "its value");
	EXPECT(sigma_json_next_element(&member.value, &inner, &element), "first element");
	EXPECT(element.text.data == copy + 15 && element.text.length == 7, "its text");
	EXPECT(sigma_json_next_element(&member.value, &inner, &element), "second element");
	EXPECT(element.text.data == copy + 24 && element.text.length == 7, "its text");
	EXPECT(!sigma_json_next_element(&member.value, &inner, &element), "no third element");
	EXPECT(sigma_json_next_member(&page, &cursor, &member), "second member");
	EXPECT(member.key.text.data == copy + 34 && member.value.text.data == copy + 38, "its places");
	EXPECT(!sigma_json_next_member(&page, &cursor, &member), "no third member");
	/* a walk begins again with a cursor of NULL */
	cursor = NULL;
	EXPECT(sigma_json_next_member(&page, &cursor, &member) && member.key.text.data == copy + 2, "again");
	free(copy);
	tap_end();
}

static void
test_deep_walk(void)
{
	enum
	{
		DEPTH = 10000
	};
	char	   *text = malloc(DEPTH * 6 + 2);
	char	   *p = text;
	char	   *copy;
	SigmaJsonValue value;
	int			depth = 0;

	tap_begin("walk: 10,000 deep, without recursion");
	for (int i = 0; i < DEPTH; i++)
		p = stpcpy(p, i % 2 ? "[" : "{\"k\":");
	*p++ = '7';
	for (int i = DEPTH - 1; i >= 0; i--)
		*p++ = i % 2 ? ']' : '}';
	*p = '\0';
	value = checked(text, &copy);
	while (value.kind == SIGMA_JSON_ARRAY || value.kind == SIGMA_JSON_OBJECT)
	{
		const char *cursor = NULL;
		SigmaJsonMember member;

		if (value.kind == SIGMA_JSON_OBJECT)
		{
			if (!EXPECT(sigma_json_next_member(&value, &cursor, &member), "depth %d", depth))
				break;
			value = member.value;
		}
		else if (!EXPECT(sigma_json_next_element(&value, &cursor, &value), "depth %d", depth))
			break;
		depth++;
	}
	EXPECT(depth == DEPTH, "%d levels", depth);
	EXPECT(value.kind == SIGMA_JSON_NUMBER && value.text.length == 1 && value.text.data[0] == '7', "the core");
	free(copy);
	free(text);
	tap_end();
}

/* Unescapes a string into a block of exactly the promised size. */
static SigmaEscape
unescape(const char *json, char **out, size_t *length)
{
	char	   *copy;
	SigmaJsonValue value = checked(json, &copy);
	SigmaEscape result;

	*out = malloc(value.text.length);
	*length = 0;
	result = sigma_json_unescape(&value, *out, length);
	free(copy);
	return result;
}

static void
test_unescape(void)
{
#define CASE(json, content) {json, content, sizeof(content) - 1}
	static const struct
	{
		const char *json;
		const char *content;
		size_t		length;
	}			cases[] = {
		CASE("\"\"", ""), CASE("\"a\"", "a"), CASE("\"abc\"", "abc"), CASE("\"\\\"\"", "\""),
		CASE("\"\\\\\"", "\\"), CASE("\"\\/\"", "/"), CASE("\"\\b\"", "\b"), CASE("\"\\f\"", "\f"),
		CASE("\"\\n\"", "\n"), CASE("\"\\r\"", "\r"), CASE("\"\\t\"", "\t"),
		CASE("\"a\\nb\\tc\"", "a\nb\tc"), CASE("\"\\\\n\"", "\\n"), CASE("\"\\\\\\n\"", "\\\n"),
		CASE("\"\\\\u0041\"", "\\u0041"), CASE("\"\\u0041\"", "A"), CASE("\"\\u0041\\u0042c\"", "ABc"),
		CASE("\"\\u00e9\"", "\xc3\xa9"), CASE("\"\\u00E9x\"", "\xc3\xa9x"), CASE("\"\\u20ac\"", "\xe2\x82\xac"),
		CASE("\"\\uFFFF\"", "\xef\xbf\xbf"), CASE("\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80"),
		CASE("\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"), CASE("\"\\uD800\\uDC00\"", "\xf0\x90\x80\x80"),
		CASE("\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf"), CASE("\"\\u0001\"", "\x01"), CASE("\"\\u007f\"", "\x7f"),
		CASE("\"\\u0080\"", "\xc2\x80"), CASE("\"\\u07ff\"", "\xdf\xbf"), CASE("\"\\u0800\"", "\xe0\xa0\x80"),
		CASE("\"\xf0\x9f\x98\x80\\n\"", "\xf0\x9f\x98\x80\n"), CASE("\"\xc3\xa9\\u00e9\"", "\xc3\xa9\xc3\xa9"),
		CASE("\"\\ud7ff\"", "\xed\x9f\xbf"), CASE("\"\\ue000\"", "\xee\x80\x80"),
		CASE("\"\\uD83D\\uDE00\\uD83D\\uDE01\"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x81"),
		/* not checked here: bytes that are no UTF-8 pass through */
		CASE("\"\xff\\n\"", "\xff\n"),
	};

	tap_begin("unescape: every kind of escape");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *out;
		size_t		length;
		SigmaEscape result = unescape(cases[i].json, &out, &length);

		EXPECT(result == SIGMA_ESCAPE_OK && length == cases[i].length &&
			   memcmp(out, cases[i].content, length) == 0, "%s gives \"%.*s\"", cases[i].json, (int) length, out);
		free(out);
	}
	tap_end();
}

static void
test_unescape_refused(void)
{
	static const struct
	{
		const char *json;
		SigmaEscape result;
	}			cases[] = {
		{"\"\\u0000\"", SIGMA_ESCAPE_NUL}, {"\"a\\u0000b\"", SIGMA_ESCAPE_NUL},
		{"\"\\\\u0000\"", SIGMA_ESCAPE_OK},
		{"\"\\uD83D\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uDE00\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uDE00\\uDE00\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uDC00\\uDFFF\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uDE00\\uD83D\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D\\uD83D\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83Dx\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D\\n\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83D\\u0041\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D\\\\uDE00\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83DuDE00\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D uDE00x\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83D\\nDE00\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D\\u0000\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83D\\uE000\"", SIGMA_ESCAPE_SURROGATE}, {"\"\\uD83D\\uDBFF\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83D\\uDE00\\uD83D\"", SIGMA_ESCAPE_SURROGATE}, {"\"ok\\udfff\"", SIGMA_ESCAPE_SURROGATE},
		{"\"\\uD83D\\uDE00\\u0000\"", SIGMA_ESCAPE_NUL},
	};

	tap_begin("unescape: \\u0000 and halves of surrogate pairs");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *out;
		size_t		length;
		SigmaEscape result = unescape(cases[i].json, &out, &length);

		EXPECT(result == cases[i].result, "%s gives %d", cases[i].json, result);
		free(out);
	}
	tap_end();
}

/* A code point's UTF-8, by arithmetic and not by shifts as the source does it. */
static size_t
encode(uint32 c, unsigned char *out)
{
	static const uint32 first[] = {0, 0, 192, 224, 240};
	size_t		length = c < 128 ? 1 : c < 2048 ? 2 : c < 65536 ? 3 : 4;

	for (size_t i = length - 1; i > 0; i--)
	{
		out[i] = (unsigned char) (128 + c % 64);
		c /= 64;
	}
	out[0] = (unsigned char) (first[length] + c);
	return length;
}

static void
test_every_code_point(void)
{
	char		json[16];
	char		out[16];
	unsigned char expected[4];
	SigmaJsonValue value = {.kind = SIGMA_JSON_STRING, .escaped = true, .text = {json, 0}};

	tap_begin("unescape: every code point, and every half of a pair");
	for (uint32 c = 1; c <= 0x10FFFF; c++)
	{
		size_t		length = 0;
		size_t		size;
		SigmaEscape result;

		if (c < 0x10000)
			value.text.length = snprintf(json, sizeof(json), c % 2 ? "\"\\u%04x\"" : "\"\\u%04X\"", c);
		else
			value.text.length = snprintf(json, sizeof(json), "\"\\u%04x\\u%04x\"",
										 0xD800 + (c - 0x10000) / 1024, 0xDC00 + (c - 0x10000) % 1024);
		result = sigma_json_unescape(&value, out, &length);
		if (c >= 0xD800 && c <= 0xDFFF)
		{
			EXPECT(result == SIGMA_ESCAPE_SURROGATE, "U+%04X gives %d", c, result);
			continue;
		}
		size = encode(c, expected);
		EXPECT(result == SIGMA_ESCAPE_OK && length == size && memcmp(out, expected, size) == 0, "U+%04X", c);
	}
	tap_end();
}

static void
test_is(void)
{
	static const struct
	{
		const char *json;
		const char *text;
		bool		equal;
	}			cases[] = {
		{"\"\"", "", true}, {"\"a\"", "a", true}, {"\"a\"", "b", false}, {"\"a\"", "", false},
		{"\"\"", "a", false}, {"\"name\"", "name", true}, {"\"name\"", "nam", false},
		{"\"name\"", "names", false}, {"\"name\"", "Name", false}, {"\"name\"", "nbme", false},
		{"\"name\"", "namf", false}, {"\"name \"", "name", false}, {"\" name\"", "name", false},
		{"\"\\u006eame\"", "name", true}, {"\"\\u006e\\u0061\\u006d\\u0065\"", "name", true},
		{"\"\\u006eamf\"", "name", false}, {"\"\\u006eam\"", "name", false},
		{"\"\\u006eames\"", "name", false}, {"\"a\\/b\"", "a/b", true}, {"\"a\\\\b\"", "a\\b", true},
		{"\"name\\u0000\"", "name", false}, {"\"\\u0000name\"", "name", false},
		{"\"\\uD83D\"", "name", false}, {"\"name\\uD83D\"", "name", false}, {"\"\\n\"", "n", false},
		{"\"\\n\"", "\n", true}, {"\"\\u00e9\"", "\xc3\xa9", true}, {"\"\xc3\xa9\"", "\xc3\xa9", true},
		{"\"name\\\"\"", "name", false}, {"\"\\\"name\"", "name", false},
	};

	tap_begin("a name is compared as what it means");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *copy;
		SigmaJsonValue value = checked(cases[i].json, &copy);

		EXPECT(sigma_json_is(&value, cases[i].text) == cases[i].equal, "%s and %s", cases[i].json, cases[i].text);
		free(copy);
	}
	tap_end();

	tap_begin("a name is compared at any length, however it is escaped");
	for (int length = 1; length <= 2000; length++)
	{
		char	   *json = malloc(length * 6 + 3);
		char	   *text = malloc(length + 1);
		char	   *p = json;
		char	   *copy;
		SigmaJsonValue value;

		*p++ = '"';
		/* all of it escaped, or one character alone */
		for (int i = 0; i < length; i++)
			p = stpcpy(p, length % 2 || i == length / 2 ? "\\u0078" : "x");
		strcpy(p, "\"");
		memset(text, 'x', length);
		text[length] = '\0';
		value = checked(json, &copy);
		EXPECT(sigma_json_is(&value, text), "%d letters in %d bytes", length, (int) value.text.length);
		text[length - 1] = 'y';
		EXPECT(!sigma_json_is(&value, text), "%d letters, the last another", length);
		text[length - 1] = '\0';
		EXPECT(!sigma_json_is(&value, text), "%d letters, one less", length);
		free(copy);
		free(json);
		free(text);
	}
	tap_end();
}

void
test_jsonwalk(void)
{
	test_walk();
	test_places();
	test_deep_walk();
	test_unescape();
	test_unescape_refused();
	test_every_code_point();
	test_is();
}

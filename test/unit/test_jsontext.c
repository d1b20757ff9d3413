/*-------------------------------------------------------------------------
 *
 * test_jsontext.c
 *	  The checker of jsontext.c: is a text one JSON value (RFC 8259)?
 *
 * Every text stands in a block of memory of exactly its size, without a NUL,
 * so that AddressSanitizer sees the first byte that is read too many.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "json/json.h"

#include "tap.h"

#define MAX_DEPTH 10000

/* A text whose length is known to the compiler: it may hold NUL bytes. */
#define TEXT(s) {s, sizeof(s) - 1}

static const SigmaSpan numbers[] = {
	TEXT("0"), TEXT("-0"), TEXT("1"), TEXT("-1"), TEXT("10"), TEXT("9007199254740993"),
	TEXT("123456789012345678901234567890"), TEXT("0.0"), TEXT("-0.0"), TEXT("1.5"), TEXT("0.10"),
	TEXT("1e5"), TEXT("1E5"), TEXT("1e+5"), TEXT("1e-5"), TEXT("1E+05"), TEXT("0e0"), TEXT("0E-0"),
	TEXT("-0e-00"), TEXT("1.25e10"), TEXT("1e999"), TEXT("1e-999"), TEXT("0.000000000000000001"),
};

static const SigmaSpan bad_numbers[] = {
	TEXT("01"), TEXT("00"), TEXT("-01"), TEXT("1."), TEXT(".5"), TEXT("+1"), TEXT("-"), TEXT("--1"),
	TEXT("-.5"), TEXT("1.e5"), TEXT("1e"), TEXT("1e+"), TEXT("1e-"), TEXT("1e5.5"), TEXT("1ee5"),
	TEXT("1e+-5"), TEXT("0x10"), TEXT("1_000"), TEXT("1,000"), TEXT("Infinity"), TEXT("-Infinity"),
	TEXT("NaN"), TEXT("inf"), TEXT("1 2"), TEXT("1.2.3"), TEXT("- 1"), TEXT("1a"), TEXT("e5"), TEXT("E"),
	TEXT("1f"), TEXT("1L"), TEXT("\xd9\xa1"), TEXT("-e1"), TEXT("0-1"), TEXT("1+1"), TEXT("1-"), TEXT("0."),
};

static const SigmaSpan strings[] = {
	TEXT("\"\""), TEXT("\"a\""), TEXT("\"\\\"\""), TEXT("\"\\\\\""), TEXT("\"\\/\""), TEXT("\"\\b\""),
	TEXT("\"\\f\""), TEXT("\"\\n\""), TEXT("\"\\r\""), TEXT("\"\\t\""), TEXT("\"\\u0000\""),
	TEXT("\"\\u0041\""), TEXT("\"\\uabcd\""), TEXT("\"\\uABCD\""), TEXT("\"\\uaBcD\""), TEXT("\"\\uFFFF\""),
	TEXT("\"\\uD83D\\uDE00\""), TEXT("\"\\uD83D\""), TEXT("\"\\uDE00\""), TEXT("\"\\\\u12\""),
	TEXT("\"\x7f\""), TEXT("\"\xc3\xa9\""), TEXT("\"\xe2\x82\xac\""), TEXT("\"\xf0\x9f\x98\x80\""),
	TEXT("\" \""), TEXT("\"/\""), TEXT("\"'\""), TEXT("\"{}[]:,\""), TEXT("\"\\\\\\\"\""),
	TEXT("\"\xe2\x80\xa8\xe2\x80\xa9\""),
};

static const SigmaSpan bad_strings[] = {
	TEXT("\""), TEXT("\"a"), TEXT("a\""), TEXT("'a'"), TEXT("\"\\\""), TEXT("\"\\"), TEXT("\"\\x41\""),
	TEXT("\"\\a\""), TEXT("\"\\v\""), TEXT("\"\\0\""), TEXT("\"\\'\""), TEXT("\"\\e\""), TEXT("\"\\B\""),
	TEXT("\"\\N\""), TEXT("\"\\U0041\""), TEXT("\"\\u\""), TEXT("\"\\u0\""), TEXT("\"\\u00\""),
	TEXT("\"\\u004\""), TEXT("\"\\u004g\""), TEXT("\"\\u00g1\""), TEXT("\"\\u0g41\""), TEXT("\"\\ug041\""),
	TEXT("\"\\u004@\""), TEXT("\"\\u004/\""), TEXT("\"\\u004:\""), TEXT("\"\\u004G\""), TEXT("\"\\u004`\""),
	TEXT("\"\\u 041\""), TEXT("\"\\u+041\""), TEXT("\"\\u-041\""), TEXT("\"\\u"), TEXT("\"\\u0"),
	TEXT("\"\\u00"), TEXT("\"\\u004"), TEXT("\"\\u0041"), TEXT("\"\\u{41}\""), TEXT("\"\\ \""),
	TEXT("\"\\\n\""), TEXT("\"\\\xc3\xa9\""), TEXT("\"\\\0\""), TEXT("\"a\"b\""), TEXT("\"a\" \"b\""),
	TEXT("\"a\nb\""), TEXT("\"a\tb\""), TEXT("\"a\rb\""), TEXT("\"a\0b\""), TEXT("\"\\\"\\\""),
};

static const SigmaSpan values[] = {
	TEXT("null"), TEXT("true"), TEXT("false"), TEXT(" null "), TEXT("\t\n\r 1\t\n\r "), TEXT("[]"), TEXT("{}"),
	TEXT("[ ]"), TEXT("{ }"), TEXT("[1]"), TEXT("[1,2]"), TEXT(" [ 1 , 2 ] "), TEXT("[[]]"), TEXT("[{}]"),
	TEXT("[[],[]]"), TEXT("[null,true,false,0,\"\",[],{}]"), TEXT("{\"\":0}"), TEXT("{\"a\":1}"),
	TEXT("{ \"a\" : 1 , \"b\" : 2 }"), TEXT("{\"a\":1,\"a\":2}"), TEXT("{\"a\":{\"b\":[{\"c\":{}}]}}"),
	TEXT("{\"\\u0061\":1}"), TEXT("{\"a\":null}"), TEXT("[\"]\"]"), TEXT("{\"}\":\"{\"}"), TEXT("[-0]"),
	TEXT("[\"\\\\\"]"), TEXT("{\"\\\\\":\"\\\\\"}"), TEXT("[{},{\"a\":[]},[{}]]"),
};

static const SigmaSpan bad_values[] = {
	TEXT("nul"), TEXT("nulll"), TEXT("Null"), TEXT("NULL"), TEXT("tru"), TEXT("truee"), TEXT("True"), TEXT("fals"),
	TEXT("falsey"), TEXT("n"), TEXT("t"), TEXT("f"), TEXT("undefined"), TEXT("null null"), TEXT("null,"),
	TEXT("nul\0"), TEXT("["), TEXT("]"), TEXT("{"), TEXT("}"), TEXT("[}"), TEXT("{]"), TEXT("[1"), TEXT("1]"),
	TEXT("[1}"), TEXT("{\"a\":1]"), TEXT("[1,]"), TEXT("[,1]"), TEXT("[,]"), TEXT("[1,,2]"), TEXT("[1 2]"),
	TEXT("[1;2]"), TEXT("[1:2]"), TEXT("{,}"), TEXT("{1:2}"), TEXT("{\"a\"}"), TEXT("{\"a\":}"), TEXT("{\"a\" 1}"),
	TEXT("{\"a\"=1}"), TEXT("{\"a\":1,}"), TEXT("{,\"a\":1}"), TEXT("{\"a\":1,,\"b\":2}"), TEXT("{\"a\":1 \"b\":2}"),
	TEXT("{\"a\"::1}"), TEXT("{:1}"), TEXT("{a:1}"), TEXT("{'a':1}"), TEXT("{null:1}"), TEXT("{[]:1}"),
	TEXT("{\"a\":1,2}"), TEXT("{\"a\",\"b\"}"), TEXT("[\"a\":1]"), TEXT("[]]"), TEXT("{}}"), TEXT("[][]"),
	TEXT("{}{}"), TEXT("[] x"), TEXT("[]/* */"), TEXT("// \n[]"), TEXT("#\n1"), TEXT("\v1"), TEXT("\f1"),
	TEXT("1\v"), TEXT("1\f"), TEXT("\xc2\xa0" "1"), TEXT("\xef\xbb\xbf{}"), TEXT("\0"), TEXT("1\0"), TEXT("\0001"),
	TEXT("[1\0]"), TEXT("[\0]"), TEXT("{\"a\"\0:1}"), TEXT("{}\0"), TEXT("[] \0"), TEXT(","), TEXT(":"), TEXT("\\"),
	TEXT("<html></html>"), TEXT("{\"a\":1}{\"b\":2}"), TEXT("{\"a\":1}\n{\"b\":2}"), TEXT("[\"a\",\n4\n,1,"),
	TEXT("{\"a\":\"b\",\"c"), TEXT("{\"a"), TEXT("{\"a\""), TEXT("{\"a\" "), TEXT("{\"a\":"), TEXT("{\"a\": "),
	TEXT("{\"a\":1"), TEXT("{\"a\":1 "), TEXT("{\"a\":1,"), TEXT("[1 "), TEXT("[1,"), TEXT("[[1]"), TEXT("[ "),
};

/* a page as Sigma sends it, with everything in it that JSON has */
static const char sample[] =
"{ \"entries\" : [\r\n\t{\"connectionId\":\"a1\\u00e9\\\"\\\\\",\"isSample\":false,\"timeout\":{\"default\":6e2,"
"\"list\":[]},\"x\":-0.5E+10}, {\"connectionId\":\"b\xf0\x9f\x98\x80\",\"isArchived\":true,\"o\":{ },"
"\"n\":null,\"a\":[1,[2,[3, {\"deep\":[true]}]],\"\"]} ],\n\"hasMore\":true,\"total\":12,\"nextPage\":\"2\"}";

/* Checks a copy that has nothing in front and nothing behind. */
static bool
check(const char *data, size_t length, SigmaJsonKind *kind, const char **error)
{
	char	   *copy = malloc(length);
	SigmaSpan	span = {copy, length};
	SigmaJsonValue value;
	bool		ok;

	memcpy(copy, data, length);
	ok = sigma_json_check(span, &value, error);
	if (ok)
	{
		const char *text = value.text.data;
		size_t		inner = value.text.length;

		*kind = value.kind;
		/* the span is the value without the white space around it */
		ok = text >= copy && inner > 0 && text + inner <= copy + length &&
			strchr(" \t\r\n", text[0]) == NULL && strchr(" \t\r\n", text[inner - 1]) == NULL;
		for (const char *p = copy; p < text; p++)
			ok = ok && strchr(" \t\r\n", *p) != NULL;
		for (const char *p = text + inner; p < copy + length; p++)
			ok = ok && strchr(" \t\r\n", *p) != NULL;
		EXPECT(ok, "the span of \"%.*s\" is wrong", (int) length, data);
	}
	free(copy);
	return ok;
}

static bool
valid(const char *data, size_t length)
{
	SigmaJsonKind kind;
	const char *error;

	return check(data, length, &kind, &error);
}

/* A text by itself, in an array, and as a member: alike in all three. */
static void
expect_all(const SigmaSpan *texts, int n, bool expected)
{
	for (int i = 0; i < n; i++)
	{
		int			length = (int) texts[i].length;
		char		wrapped[256];
		int			size;

		EXPECT(valid(texts[i].data, length) == expected, "\"%.*s\"", length, texts[i].data);
		size = snprintf(wrapped, sizeof(wrapped), "[");
		memcpy(wrapped + size, texts[i].data, length);
		wrapped[size + length] = ']';
		/* what is wrong alone may be right in brackets, such as "1,2" */
		if (expected)
			EXPECT(valid(wrapped, size + length + 1), "[%.*s]", length, texts[i].data);
		size = snprintf(wrapped, sizeof(wrapped), "{\"k\" :");
		memcpy(wrapped + size, texts[i].data, length);
		wrapped[size + length] = '}';
		if (expected)
			EXPECT(valid(wrapped, size + length + 1), "{\"k\" :%.*s}", length, texts[i].data);
	}
}

static void
test_corpus(void)
{
	tap_begin("JSON: numbers");
	expect_all(numbers, lengthof(numbers), true);
	tap_end();
	tap_begin("JSON: what is no number");
	expect_all(bad_numbers, lengthof(bad_numbers), false);
	tap_end();
	tap_begin("JSON: strings");
	expect_all(strings, lengthof(strings), true);
	tap_end();
	tap_begin("JSON: what is no string");
	expect_all(bad_strings, lengthof(bad_strings), false);
	tap_end();
	tap_begin("JSON: words, arrays, objects and white space");
	expect_all(values, lengthof(values), true);
	tap_end();
	tap_begin("JSON: what is no value");
	expect_all(bad_values, lengthof(bad_values), false);
	tap_end();

	tap_begin("JSON: every string is a name, and nothing else is");
	for (int i = 0; i < (int) lengthof(strings); i++)
	{
		char		object[64];
		int			size = snprintf(object, sizeof(object), "{%s:1}", strings[i].data);

		EXPECT(valid(object, size), "%s", object);
	}
	for (int i = 0; i < (int) lengthof(numbers); i++)
	{
		char		object[64];
		int			size = snprintf(object, sizeof(object), "{%s:1}", numbers[i].data);

		EXPECT(!valid(object, size), "%s", object);
	}
	tap_end();
}

/* Every byte in a place where the grammar says exactly which may stand there. */
static void
test_bytes(void)
{
	tap_begin("JSON: every byte alone, in a string, behind a backslash, around a value");
	for (int c = 0; c < 256; c++)
	{
		char		alone[1] = {(char) c};
		char		inside[3] = {'"', (char) c, '"'};
		char		escaped[4] = {'"', '\\', (char) c, '"'};
		char		before[2] = {(char) c, '1'};
		char		behind[3] = {'"', '"', (char) c};
		char		hex[8] = {'"', '\\', 'u', '0', '0', '0', (char) c, '"'};
		bool		space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
		bool		digit = c >= '0' && c <= '9';

		EXPECT(valid(alone, 1) == digit, "byte %d alone", c);
		EXPECT(valid(inside, 3) == (c >= 0x20 && c != '"' && c != '\\'), "byte %d in a string", c);
		EXPECT(valid(escaped, 4) == (c != 0 && strchr("\"\\/bfnrt", c) != NULL), "backslash and byte %d", c);
		EXPECT(valid(before, 2) == (space || c == '-' || (digit && c != '0')), "byte %d before 1", c);
		EXPECT(valid(behind, 3) == space, "byte %d behind a string", c);
		EXPECT(valid(hex, 8) == (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')),
			   "byte %d as a hexadecimal digit", c);
	}
	tap_end();
}

static void
test_empty(void)
{
	static const char *const blank[] = {"", " ", "\n", "\t\r\n "};
	SigmaJsonKind kind;
	const char *error;

	tap_begin("JSON: nothing, and nothing but white space");
	for (int i = 0; i < (int) lengthof(blank); i++)
	{
		error = NULL;
		EXPECT(!check(blank[i], strlen(blank[i]), &kind, &error), "blank %d", i);
		EXPECT(error && strcmp(error, "it is empty") == 0, "blank %d: %s", i, error);
	}
	error = NULL;
	EXPECT(!check("{", 1, &kind, &error), "a bracket");
	EXPECT(error && strcmp(error, "it is not well-formed JSON") == 0, "a bracket: %s", error);
	error = NULL;
	EXPECT(!check("{} x", 4, &kind, &error), "something behind");
	EXPECT(error && strcmp(error, "it is not well-formed JSON") == 0, "something behind: %s", error);
	tap_end();
}

static void
test_kinds(void)
{
	static const struct
	{
		const char *text;
		SigmaJsonKind kind;
		bool		escaped;
	}			cases[] = {
		{"null", SIGMA_JSON_NULL, false}, {"true", SIGMA_JSON_TRUE, false},
		{"false", SIGMA_JSON_FALSE, false}, {"-1.5e3", SIGMA_JSON_NUMBER, false},
		{"\"a\"", SIGMA_JSON_STRING, false}, {"\"\\n\"", SIGMA_JSON_STRING, true},
		{"\"a\\\\\"", SIGMA_JSON_STRING, true}, {"[]", SIGMA_JSON_ARRAY, false},
		{"[\"\\n\"]", SIGMA_JSON_ARRAY, false}, {"{}", SIGMA_JSON_OBJECT, false},
		{"{\"\\n\":\"\\n\"}", SIGMA_JSON_OBJECT, false}, {"[null]", SIGMA_JSON_ARRAY, false},
		{" \"b\" ", SIGMA_JSON_STRING, false},
	};

	tap_begin("JSON: the kind of the whole");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		SigmaSpan	span = {cases[i].text, strlen(cases[i].text)};
		SigmaJsonValue value;
		const char *error;

		EXPECT(sigma_json_check(span, &value, &error), "%s", cases[i].text);
		EXPECT(value.kind == cases[i].kind, "%s is kind %d", cases[i].text, value.kind);
		EXPECT(value.escaped == cases[i].escaped, "%s: escaped is %d", cases[i].text, value.escaped);
	}
	tap_end();
}

static void
test_truncation(void)
{
	size_t		length = sizeof(sample) - 1;

	tap_begin("JSON: a page cut at any byte is no page");
	EXPECT(valid(sample, length), "the whole");
	for (size_t i = 0; i < length; i++)
		EXPECT(!valid(sample, i), "cut at %zu", i);
	for (size_t i = 1; i < length; i++)
		EXPECT(!valid(sample + i, length - i), "begun at %zu", i);
	tap_end();

	tap_begin("JSON: a page with a NUL, a control character or a bracket at any byte");
	for (size_t i = 0; i < length; i++)
	{
		char		copy[sizeof(sample)];

		memcpy(copy, sample, sizeof(sample));
		copy[i] = '\0';
		EXPECT(!valid(copy, length), "NUL at %zu", i);
		copy[i] = 0x1f;
		EXPECT(!valid(copy, length), "0x1f at %zu", i);
		/* must not crash, and a bracket too many is seen outside of a string */
		if (sample[i] == '{' || sample[i] == '}' || sample[i] == '[' || sample[i] == ']')
		{
			copy[i] = ' ';
			EXPECT(!valid(copy, length), "bracket gone at %zu", i);
			for (const char *other = "{}[]"; *other; other++)
			{
				copy[i] = *other;
				EXPECT(valid(copy, length) == (*other == sample[i]), "%c at %zu", *other, i);
			}
		}
	}
	tap_end();
}

/* Open brackets of a kind, then something, then the closing ones. */
static char *
nest(int depth, int objects, const char *core, size_t *length)
{
	char	   *text = malloc((size_t) depth * 6 + strlen(core) + 1);
	char	   *p = text;

	for (int i = 0; i < depth; i++)
		p = stpcpy(p, (objects == 1 || (objects == 2 && i % 3 == 0)) ? "{\"a\":" : "[");
	p = stpcpy(p, core);
	for (int i = depth - 1; i >= 0; i--)
		*p++ = (objects == 1 || (objects == 2 && i % 3 == 0)) ? '}' : ']';
	*length = p - text;
	return text;
}

static void
test_depth(void)
{
	static const char *const form[] = {"arrays", "objects", "both"};

	tap_begin("JSON: nesting to 10,000 and no deeper");
	for (int objects = 0; objects <= 2; objects++)
		for (int depth = MAX_DEPTH - 2; depth <= MAX_DEPTH + 2; depth++)
		{
			size_t		length;
			char	   *text = nest(depth, objects, "1", &length);
			SigmaJsonKind kind;
			const char *error = NULL;
			bool		ok = check(text, length, &kind, &error);

			EXPECT(ok == (depth <= MAX_DEPTH), "%d %s", depth, form[objects]);
			if (depth > MAX_DEPTH)
				EXPECT(strcmp(error, "it is nested too deeply") == 0, "%d %s: %s", depth, form[objects], error);
			/* the last bracket missing, one too many, and one of the other kind */
			EXPECT(!valid(text, length - 1), "%d %s, one open", depth, form[objects]);
			text[length - 1] = text[length - 1] == ']' ? '}' : ']';
			EXPECT(!valid(text, length), "%d %s, one wrong", depth, form[objects]);
			free(text);
			text = nest(depth, objects, "[]", &length);
			EXPECT(valid(text, length) == (depth < MAX_DEPTH), "%d %s and an empty one", depth, form[objects]);
			free(text);
		}
	tap_end();

	tap_begin("JSON: a wrong closing bracket at every depth up to 100");
	for (int objects = 0; objects <= 2; objects++)
		for (int depth = 1; depth <= 100; depth++)
			for (int wrong = 1; wrong <= depth; wrong++)
			{
				size_t		length;
				char	   *text = nest(depth, objects, "0", &length);
				char	   *bracket = &text[length - wrong];

				EXPECT(valid(text, length), "%d %s", depth, form[objects]);
				*bracket = *bracket == ']' ? '}' : ']';
				EXPECT(!valid(text, length), "%d %s, wrong at %d", depth, form[objects], wrong);
				free(text);
			}
	tap_end();

	tap_begin("JSON: depth is counted in, and out again");
	{
		/* 30,000 brackets in a row, never more than two deep */
		char	   *text = malloc(60002);
		char	   *p = text;

		*p++ = '[';
		for (int i = 0; i < 15000; i++)
			p = stpcpy(p, i % 2 ? "{}," : "[],");
		p[-1] = ']';
		EXPECT(valid(text, p - text), "flat");
		free(text);
	}
	tap_end();
}

void
test_jsontext(void)
{
	test_corpus();
	test_bytes();
	test_empty();
	test_kinds();
	test_truncation();
	test_depth();
}

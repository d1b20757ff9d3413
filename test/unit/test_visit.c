/*-------------------------------------------------------------------------
 *
 * test_visit.c
 *	  What a visitor is told while a text is checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "json/json.h"

#include "backend_shim.h"
#include "tap.h"

static const char *names_list[] = {"id", "name", NULL, "a\"b", "", "name", "e"};

/* What has been told, in the order in which it was. */
static void
tell_value(void *arg, int depth, SigmaSpan name, const SigmaJsonValue *value)
{
	appendStringInfo(arg, "%d:%.*s=%.*s;", depth, (int) name.length, name.data ? name.data : "",
					 (int) value->text.length, value->text.data);
}

static void
tell_member(void *arg, int name, const SigmaJsonValue *value)
{
	appendStringInfo(arg, "#%d=%.*s;", name, (int) value->text.length, value->text.data);
}

static void
test_members(const SigmaNames *names)
{
	static const struct
	{
		int			depth;
		const char *text;
		const char *told;		/* of members */
		int			nmembers;
	}			cases[] = {
		{1, "{\"id\":1,\"x\":2,\"name\":[3]}", "#0=1;#1=[3];", 3},
		{1, "{ \"id\" : 1 , \"id\" : null }", "#0=1;#0=null;", 2},
		{1, "{\"\":{\"id\":2},\"a\\\"b\":{},\"\\u0069d\":[{\"id\":3}]}", "#4={\"id\":2};#3={};#0=[{\"id\":3}];", 3},
		{1, "{}", "", 0},
		{1, "[\"id\",1]", "", 0},
		{1, "\"id\"", "", 0},
		{2, "[{\"id\":1},{\"id\":2,\"y\":3}]", "#0=1;#0=2;", 2},
		{2, "[{\"id\":[]},[1,2],{}]", "#0=[];", 0},
		{2, "[{\"id\":{\"id\":1}}]", "#0={\"id\":1};", 1},
		{2, "[{\"x\":1,\"id\":2},[3]]", "#0=2;", 0},
		{2, "[[[{\"id\":1}]]]", "", 0},
		{2, "{\"id\":5,\"name\":{\"id\":6}}", "#0=6;", 1},
		{3, "{\"entries\":[{\"id\":1,\"e\":2},{\"name\":\"n\"}],\"id\":9}", "#0=1;#6=2;#1=\"n\";", 1},
		{3, "{\"entries\":[[{\"id\":1}]],\"m\":{\"id\":{\"id\":2}}}", "#0=2;", 1},
		{3, "[{\"id\":1}]", "", 0},
		{3, "[[{\"id\":[[]]}]]", "#0=[[]];", 1},
		{0, "{\"id\":1}", "", 0},
	};

	tap_begin("visit: the members that are wanted, at their depth alone");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		StringInfoData told;
		SigmaJsonVisitor visitor = {.arg = &told, .note = tell_member, .member_depth = cases[i].depth, .names = names};
		SigmaSpan	text = {cases[i].text, strlen(cases[i].text)};
		SigmaJsonValue value;
		const char *error;

		initStringInfo(&told);
		EXPECT(sigma_json_visit(text, &visitor, &value, &error), "%s: %s", cases[i].text, error);
		EXPECT(strcmp(told.data, cases[i].told) == 0, "%s tells %s", cases[i].text, told.data);
		EXPECT(visitor.nmembers == cases[i].nmembers, "%s: %d members", cases[i].text, visitor.nmembers);
	}
	tap_end();
}

static void
test_order(const SigmaNames *names)
{
	StringInfoData told;
	SigmaJsonVisitor visitor = {.arg = &told, .visit = tell_value, .note = tell_member, .member_depth = 3, .names = names};
	SigmaSpan	text = sigma_span("{\"entries\":[{\"id\":1},2],\"total\":3,\"e\":{\"id\":[4]}}");
	SigmaJsonValue value;
	const char *error;

	tap_begin("visit: members are told of before their object");
	initStringInfo(&told);
	EXPECT(sigma_json_visit(text, &visitor, &value, &error), "%s", error);
	EXPECT(strcmp(told.data, "#0=1;2:\"entries\"={\"id\":1};2:\"entries\"=2;1:\"entries\"=[{\"id\":1},2];"
				  "1:\"total\"=3;2:\"e\"=[4];1:\"e\"={\"id\":[4]};") == 0, "%s", told.data);
	EXPECT(value.kind == SIGMA_JSON_OBJECT && value.text.length == text.length, "the whole");
	tap_end();
}

/* A byte that is not ASCII is seen wherever it stands, and not beyond the string's end. */
static void
test_ascii(void)
{
	tap_begin("visit: which strings are ASCII");
	for (int length = 0; length < 50; length++)
		for (int at = -1; at <= length; at++)
		{
			char		text[120];
			char	   *p = text;
			SigmaSpan	span;
			SigmaJsonValue value;
			SigmaJsonValue again;
			const char *cursor = NULL;
			const char *error;

			*p++ = '[';
			*p++ = '"';
			for (int i = 0; i < length; i++)
				*p++ = i == at ? '\xe9' : 'x';
			p += sprintf(p, "\",\"\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\"]");
			span = (SigmaSpan) {text, p - text};
			EXPECT(sigma_json_check(span, &value, &error), "%d of %d", at, length);
			EXPECT(!value.ascii, "of an array, nobody knows");
			EXPECT(sigma_json_next_element(&value, &cursor, &again), "an element");
			EXPECT(again.ascii == (at < 0 || at == length), "%d of %d", at, length);
			EXPECT(sigma_json_check(again.text, &value, &error), "the element");
			EXPECT(value.ascii == again.ascii, "%d of %d", at, length);
			EXPECT(sigma_json_next_element(&(SigmaJsonValue) {SIGMA_JSON_ARRAY, false, false, span}, &cursor, &again) &&
				   !again.ascii, "the next");
		}
	tap_end();
}

void
test_visit(void)
{
	MemoryContext context = shim_context();
	SigmaNames	names;

	sigma_names_init(&names, lengthof(names_list), names_list);
	test_members(&names);
	test_order(&names);
	test_ascii();
	MemoryContextDelete(context);
}

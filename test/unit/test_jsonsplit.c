/*-------------------------------------------------------------------------
 *
 * test_jsonsplit.c
 *	  Values in a body that comes in pieces of any size.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/json.h"

#include "tap.h"

/* Bodies, and their values, each in angle brackets; what follows them is the end. */
static const struct
{
	const char *body;
	const char *values;
	SigmaJsonSplitResult end;
}			cases[] =
{
	{"", "", SIGMA_SPLIT_END},
	{" \n\r\n ", "", SIGMA_SPLIT_END},
	{"{\"a\":1}", "<{\"a\":1}>", SIGMA_SPLIT_END},
	{"{\"a\":1}\n", "<{\"a\":1}>", SIGMA_SPLIT_END},
	{"{\"a\":1}\r\n{\"a\":2}\n\n\n{}", "<{\"a\":1}\r><{\"a\":2}><{}>", SIGMA_SPLIT_END},
	{"\xEF\xBB\xBF{}\n{}", "<{}><{}>", SIGMA_SPLIT_END},
	{"\xEF\xBB\xBF[1]", "<1>", SIGMA_SPLIT_END},
	{"<html>\n</html>", "<<html>><</html>>", SIGMA_SPLIT_END},
	{"[]", "", SIGMA_SPLIT_END},
	{" [ ] \n", "", SIGMA_SPLIT_END},
	{"[{\"a\":[1,2,{\"b\":\"],}\\\"\"}]},\n {}, [3], \"x,]\" ,7 ]\n",
	"<{\"a\":[1,2,{\"b\":\"],}\\\"\"}]}><{}><[3]><\"x,]\" ><7 >", SIGMA_SPLIT_END},
	{"[{\"a\":\"\\\\\"},{}]", "<{\"a\":\"\\\\\"}><{}>", SIGMA_SPLIT_END},
	/* cut off, or something behind the end */
	{"[", "", SIGMA_SPLIT_BAD},
	{"[{}", "", SIGMA_SPLIT_BAD},
	{"[{},", "<{}>", SIGMA_SPLIT_BAD},
	{"[{},{\"a\":1", "<{}>", SIGMA_SPLIT_BAD},
	{"[{}]]", "<{}>", SIGMA_SPLIT_BAD},
	{"[{}]{}", "<{}>", SIGMA_SPLIT_BAD},
	/* what is no value is left to the check of the value */
	{"[{},]", "<{}><>", SIGMA_SPLIT_END},
	{"[,{}]", "<><{}>", SIGMA_SPLIT_END},
};

/* The values of a body that comes in pieces of this size; returns its end. */
static SigmaJsonSplitResult
split_in_pieces(const char *body, size_t piece, char *values)
{
	SigmaJsonSplit split = {0};
	size_t		length = strlen(body);
	size_t		from = 0;
	size_t		come = 0;

	*values = '\0';
	for (;;)
	{
		/* a copy of its own length, so that whoever reads beyond it is caught */
		char	   *copy = malloc(come - from + 1);
		SigmaSpan	value;
		size_t		used;
		SigmaJsonSplitResult result;

		memcpy(copy, body + from, come - from);
		copy[come - from] = 'x';
		result = sigma_json_split(&split, (SigmaSpan) {copy, come - from}, come == length, &value, &used);
		if (result == SIGMA_SPLIT_VALUE)
			sprintf(values + strlen(values), "<%.*s>", (int) value.length, value.data);
		free(copy);
		if (result == SIGMA_SPLIT_END || result == SIGMA_SPLIT_BAD)
			return result;
		from += used;
		if (result == SIGMA_SPLIT_MORE)
			come = Min(come + piece, length);
	}
}

void
test_jsonsplit(void)
{
	tap_begin("values of a body that comes in pieces");
	for (int i = 0; i < (int) lengthof(cases); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].body) + 1; piece++)
		{
			char		values[1000];
			SigmaJsonSplitResult end = split_in_pieces(cases[i].body, piece, values);

			EXPECT(end == cases[i].end, "%s by %zu: ends as %d", cases[i].body, piece, end);
			EXPECT(strcmp(values, cases[i].values) == 0, "%s by %zu: %s", cases[i].body, piece, values);
		}
	tap_end();
}

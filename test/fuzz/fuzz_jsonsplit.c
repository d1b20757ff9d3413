/*-------------------------------------------------------------------------
 *
 * fuzz_jsonsplit.c
 *	  Values of a body that comes in pieces: the pieces must not matter.
 *
 * Input: a byte that seeds the sizes of the pieces, and a body.  The body is
 * split whole, byte by byte, and in pieces of many sizes; all give the same
 * values and the same end.  If the body is one JSON array, its values are what
 * the walk of jsontext.c finds in it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/json.h"

#include "fuzz.h"

#define MAX_VALUES 4096

/* What a body was split into: offsets in it. */
typedef struct Split
{
	SigmaJsonSplitResult end;
	int			n;
	size_t		starts[MAX_VALUES];
	size_t		lengths[MAX_VALUES];
} Split;

/* The next of a row of sizes that look random. */
static size_t
next_size(uint32 *state)
{
	*state = *state * 1664525 + 1013904223;
	/* mostly small, now and then large, also none */
	return (*state >> 24) % 8 == 0 ? (*state >> 16) % 200 : (*state >> 16) % 5;
}

/* Splits a body of which at first "come" bytes are there, and then more and more; a seed of 0: byte by byte. */
static void
split(const char *body, size_t length, size_t come, uint32 seed, Split *result)
{
	SigmaJsonSplit state = {0};
	size_t		from = 0;
	size_t		scanned = 0;

	result->n = 0;
	for (;;)
	{
		/* a copy of its own, so that a look beyond what has come is seen */
		size_t		here = come - from;
		char	   *copy = malloc(Max(here, 1));
		SigmaSpan	value = {NULL, 0};
		size_t		used = 0;

		memcpy(copy, body + from, here);
		result->end = sigma_json_split(&state, (SigmaSpan) {copy, here}, come == length, &value, &used);
		CHECK(used <= here);
		if (result->end == SIGMA_SPLIT_VALUE)
		{
			CHECK(value.data >= copy && value.data + value.length <= copy + here);
			CHECK((size_t) (value.data - copy) + value.length == used);
			CHECK(result->n < MAX_VALUES);
			result->starts[result->n] = from + (size_t) (value.data - copy);
			result->lengths[result->n++] = value.length;
			CHECK(state.scanned == 0);
		}
		free(copy);
		if (result->end == SIGMA_SPLIT_END || result->end == SIGMA_SPLIT_BAD)
			return;
		from += used;
		if (result->end == SIGMA_SPLIT_MORE)
		{
			/* it asks for more only if there is more, and does not forget what it has seen */
			CHECK(come < length);
			CHECK(state.scanned <= come - from);
			CHECK(from + state.scanned >= scanned);
			scanned = from + state.scanned;
			come += seed ? next_size(&seed) : 1;
			come = Min(come, length);
		}
	}
}

static void
check_same(const Split *a, const Split *b)
{
	CHECK(a->end == b->end);
	CHECK(a->n == b->n);
	for (int i = 0; i < a->n; i++)
		CHECK(a->starts[i] == b->starts[i] && a->lengths[i] == b->lengths[i]);
}

/* Blanks at the end belong to a value until it is checked. */
static size_t
without_blanks(const char *text, size_t length)
{
	while (length > 0 && strchr(" \t\r\n", text[length - 1]) && text[length - 1])
		length--;
	return length;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Split whole;
	static Split pieces;
	const char *body;
	size_t		length;
	SigmaJsonValue value;
	SigmaJsonValue element;
	const char *cursor = NULL;
	const char *error;
	int			n = 0;

	if (size < 2 || size > MAX_VALUES)
		return 0;
	body = (const char *) data + 1;
	length = size - 1;
	split(body, length, length, 0, &whole);
	split(body, length, 0, 0, &pieces);
	check_same(&whole, &pieces);
	for (uint32 i = 1; i <= 4; i++)
	{
		split(body, length, 0, data[0] * 4 + i, &pieces);
		check_same(&whole, &pieces);
	}

	if (!sigma_json_check((SigmaSpan) {body, length}, &value, &error) || value.kind != SIGMA_JSON_ARRAY)
		return 0;
	CHECK(whole.end == SIGMA_SPLIT_END);
	while (sigma_json_next_element(&value, &cursor, &element))
	{
		CHECK(n < whole.n);
		CHECK(element.text.data == body + whole.starts[n]);
		CHECK(element.text.length == without_blanks(element.text.data, whole.lengths[n]));
		n++;
	}
	CHECK(n == whole.n);
	return 0;
}

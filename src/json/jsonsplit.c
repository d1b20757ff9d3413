/*-------------------------------------------------------------------------
 *
 * jsonsplit.c
 *	  Finds the values in a body that comes piece by piece: JSON Lines, or the
 *	  elements of one array.
 *
 * It finds where a value ends, and no more: whether it is one, sigma_json_check()
 * tells, value by value.  Nothing is looked at twice, however small the pieces.
 *
 * Pure functions: no palloc, no ereport.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/json.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A byte order mark, which some write in front, is nothing. */
#define MARK "\xEF\xBB\xBF"
#define MARK_LENGTH 3

/* Steps over what stands before the first value; false if more is needed to tell. */
static bool
begin(SigmaJsonSplit *split, SigmaSpan rest, bool whole, size_t *pos)
{
	if (rest.length > 0 && memcmp(rest.data, MARK, Min(rest.length, MARK_LENGTH)) == 0)
	{
		if (rest.length >= MARK_LENGTH)
			*pos = MARK_LENGTH;
		else if (!whole)
			return false;
	}
	while (*pos < rest.length && is_blank(rest.data[*pos]))
		(*pos)++;
	if (*pos == rest.length)
		return whole;
	split->begun = true;
	split->is_array = rest.data[*pos] == '[';
	if (split->is_array)
		(*pos)++;
	return true;
}

/*
 * The end of an array's element that begins at "start", by its brackets and
 * quotes; goes on where it was the last time.  False if it is not there yet.
 */
static bool
find_element_end(SigmaJsonSplit *split, SigmaSpan rest, size_t start, size_t *end)
{
	for (size_t i = start + split->scanned; i < rest.length; i++)
	{
		char		c = rest.data[i];

		if (split->in_string)
		{
			if (split->escaped)
				split->escaped = false;
			else if (c == '\\')
				split->escaped = true;
			else if (c == '"')
				split->in_string = false;
		}
		else if (c == '"')
			split->in_string = true;
		else if (c == '{' || c == '[')
			split->depth++;
		else if (split->depth == 0 && (c == ',' || c == ']'))
		{
			*end = i;
			return true;
		}
		else if (c == '}' || c == ']')
			split->depth--;
	}
	split->scanned = rest.length - start;
	return false;
}

/* The same for a line. */
static bool
find_line_end(SigmaJsonSplit *split, SigmaSpan rest, bool whole, size_t start, size_t *end)
{
	size_t		from = start + split->scanned;
	const char *newline = memchr(rest.data + from, '\n', rest.length - from);

	if (newline || whole)
	{
		*end = newline ? (size_t) (newline - rest.data) : rest.length;
		return true;
	}
	split->scanned = rest.length - start;
	return false;
}

/* Steps over what stands between an array's elements; false if it is something else. */
static bool
step_between(SigmaJsonSplit *split, SigmaSpan rest, size_t *pos)
{
	while (*pos < rest.length && is_blank(rest.data[*pos]))
		(*pos)++;
	if (*pos == rest.length || split->at_value)
		return true;
	if (rest.data[*pos] == ']' && !split->ended)
	{
		split->ended = true;
		(*pos)++;
		return step_between(split, rest, pos);
	}
	if (split->ended)
		return false;
	if (split->any)
	{
		if (rest.data[*pos] != ',')
			return false;
		(*pos)++;
	}
	split->at_value = true;
	return step_between(split, rest, pos);
}

SigmaJsonSplitResult
sigma_json_split(SigmaJsonSplit *split, SigmaSpan rest, bool whole, SigmaSpan *value, size_t *used)
{
	size_t		start = 0;
	size_t		end;
	bool		found;

	*used = 0;
	if (!split->begun && !begin(split, rest, whole, &start))
		return SIGMA_SPLIT_MORE;
	/* of what is in hand already, the beginning is known */
	if (split->scanned == 0)
	{
		if (!split->begun || !split->is_array)
			while (start < rest.length && is_blank(rest.data[start]))
				start++;
		else if (!step_between(split, rest, &start))
			return SIGMA_SPLIT_BAD;
	}
	*used = start;
	if (start == rest.length)
	{
		if (!whole)
			return SIGMA_SPLIT_MORE;
		return split->begun && split->is_array && !split->ended ? SIGMA_SPLIT_BAD : SIGMA_SPLIT_END;
	}
	found = split->is_array ? find_element_end(split, rest, start, &end)
		: find_line_end(split, rest, whole, start, &end);
	if (!found)
		return whole ? SIGMA_SPLIT_BAD : SIGMA_SPLIT_MORE;
	value->data = rest.data + start;
	value->length = end - start;
	*used = end;
	split->any = true;
	split->at_value = false;
	split->scanned = 0;
	split->depth = 0;
	return SIGMA_SPLIT_VALUE;
}

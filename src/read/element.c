/*-------------------------------------------------------------------------
 *
 * element.c
 *	  The rows behind an element of a workbook, one at a time, out of exports.
 *
 * They are asked for as JSON Lines: csv has no NULL, and rounds numbers.  Where
 * that is refused, they come as one JSON array; and also where the file stays
 * empty, since an array of no rows can be told from a file that is not ready.
 *
 * An export has a million rows at most, so more of them come in chunks.  Nothing
 * promises that two exports have the same order, nor is it known whether rows
 * are counted from 0 or from 1.  So each chunk begins some rows before the end of
 * the one before, and these rows are compared: they tell how rows are counted,
 * and that the order has stayed.  If they do not, the query fails: an answer must
 * not be short or doubled without a word.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"

/* How many rows of two chunks are compared. */
#define SEAM_ROWS 100

struct SigmaElement
{
	SigmaSession *session;
	MemoryContext context;
	SigmaElementSpec spec;
	SigmaExportStats *stats;
	bool		as_array;		/* in JSON, and not in JSON Lines */

	/* the chunk in hand */
	MemoryContext chunk_context;
	SigmaExportSpec export_spec;
	SigmaExport *export;		/* NULL before the first row, and behind the last */
	SigmaJsonSplit split;
	SigmaSpan	rest;			/* what has come; it begins with "used" bytes of the past */
	size_t		used;
	bool		more;			/* there is more to come than that */
	int64		chunk_rows;		/* that have come of it */
	bool		finished;

	/* the rows of all chunks */
	int64		rows;			/* so far */
	int64		uncounted;		/* of them, by stat.c */
	MemoryContextCallback callback;
	SigmaProgress *progress;
	uint64		seam[SEAM_ROWS + 1];	/* hashes of the last, by number modulo the array's length */

	/* what a chunk had behind the rows that were compared */
	List	   *waiting;		/* of SigmaSpan, in chunk_context */
};

/* Counts the rows that have been handed over since that was done last. */
static void
count_rows(void *arg)
{
	SigmaElement *e = arg;

	sigma_stat_add(e->session, SIGMA_ELEMENT, SIGMA_STAT_ROWS, e->uncounted);
	sigma_progress_add(e->progress, SIGMA_PROGRESS_ROWS, e->uncounted);
	e->uncounted = 0;
}

SigmaElement *
sigma_element_open(SigmaSession *session, MemoryContext context, const SigmaElementSpec *spec,
				   SigmaExportStats *stats)
{
	MemoryContext own = AllocSetContextCreate(context, "sigma element", ALLOCSET_SMALL_SIZES);
	SigmaElement *e = MemoryContextAllocZero(own, sizeof(SigmaElement));

	e->session = session;
	e->context = own;
	e->spec = *spec;
	e->stats = stats;
	e->progress = sigma_progress_begin(session, own, SIGMA_ELEMENT);
	sigma_progress_set(e->progress, SIGMA_PROGRESS_PAGES, -1);
	e->callback.func = count_rows;
	e->callback.arg = e;
	MemoryContextRegisterResetCallback(own, &e->callback);
	e->chunk_context = AllocSetContextCreate(own, "sigma chunk", ALLOCSET_SMALL_SIZES);
	return e;
}

void
sigma_element_close(SigmaElement *e)
{
	MemoryContextDelete(e->context);
}

char *
sigma_element_path(const char *workbook_id)
{
	/* a path would not stay below /v2/workbooks */
	if (workbook_id[0] == '\0' || strcmp(workbook_id, ".") == 0 || strcmp(workbook_id, "..") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid workbook id \"%s\"", workbook_id),
				 errhint("It is the column workbook_id of the table of workbooks.")));
	return psprintf("/v2/workbooks/%s", sigma_text_url_encode(workbook_id));
}

/* ------------------------------------------------------------------- chunks */

/*
 * Starts the export of a chunk.  "offset" is -1 for the first one, whose first
 * row is the first, however rows are counted.
 */
static void
begin_chunk(SigmaElement *e, int64 limit, int64 offset)
{
	MemoryContext old;
	const SigmaFailure *refusal;

	if (e->export)
		sigma_export_end(e->export);
	e->export = NULL;
	MemoryContextReset(e->chunk_context);
	old = MemoryContextSwitchTo(e->chunk_context);
	e->export_spec = (SigmaExportSpec)
	{
		.path = sigma_element_path(e->spec.workbook_id),
			.element_id = e->spec.element_id,
			.parameters = e->spec.parameters,
			.tag = e->spec.tag,
			.columns = e->spec.columns,
			.row_limit = limit,
			.offset = offset,
			.timeout_ms = e->spec.timeout_ms,
			.relid = e->spec.relid,
	};
	if (!e->as_array)
	{
		e->export_spec.format = "{\"type\": \"jsonl\"}";
		e->export_spec.may_be_empty = true;
		e->export = sigma_export_begin(e->session, e->chunk_context, &e->export_spec, e->stats, &refusal);
		/* the format may be what was refused */
		e->as_array = e->export == NULL &&
			(refusal == NULL || refusal->status == 400 || refusal->status == 422);
	}
	if (e->as_array)
	{
		e->export_spec.format = "{\"type\": \"json\"}";
		e->export_spec.may_be_empty = false;
		e->export = sigma_export_begin(e->session, e->chunk_context, &e->export_spec, e->stats, &refusal);
	}
	if (e->export == NULL)
		sigma_raise(refusal);
	e->stats->as_array = e->as_array;
	memset(&e->split, 0, sizeof(e->split));
	e->used = 0;
	e->chunk_rows = 0;
	e->waiting = NIL;
	e->more = sigma_export_first(e->export, &e->rest);
	MemoryContextSwitchTo(old);
}

/* A row may have so many bytes. */
static void
check_size(const SigmaElement *e, size_t length)
{
	int			max = sigma_session_max_response_size(e->session);
	const char *more;

	if (length <= (size_t) max)
		return;
	more = sigma_allow_more(sigma_session_settings(e->session), "max_response_size");
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("row " INT64_FORMAT " of %s exceeds max_response_size of %d bytes", e->rows + 1,
					sigma_export_subject(e->export), max),
			 more ? errhint("Allow more: %s.", more) : 0));
}

/* The text of the chunk's next row; false at its end. */
static bool
next_text(SigmaElement *e, SigmaSpan *text)
{
	for (;;)
	{
		SigmaSpan	rest = {e->rest.data + e->used, e->rest.length - e->used};
		size_t		used;

		CHECK_FOR_INTERRUPTS();
		switch (sigma_json_split(&e->split, rest, !e->more, text, &used))
		{
			case SIGMA_SPLIT_VALUE:
				check_size(e, text->length);
				e->used += used;
				e->chunk_rows++;
				return true;
			case SIGMA_SPLIT_END:
				return false;
			case SIGMA_SPLIT_BAD:
				sigma_raise_reply(sigma_export_request(e->export),
								  "the export of %s ends, or is broken, behind row " INT64_FORMAT,
								  sigma_export_subject(e->export), e->rows);
			case SIGMA_SPLIT_MORE:
				check_size(e, rest.length - used);
				count_rows(e);
				e->more = sigma_export_read(e->export, e->used + used, rest.length - used, e->rows, &e->rest);
				e->used = 0;
				break;
		}
	}
}

/* What stands behind a row depends on what comes next, and is none of it. */
static uint64
text_hash(SigmaSpan text)
{
	while (text.length > 0 && memchr(" \t\r\n", text.data[text.length - 1], 4))
		text.length--;
	return hash_bytes_extended((const unsigned char *) text.data, (int) text.length, 0);
}

/* The hash of a row that has been read, by its number from 0. */
static uint64 *
seam_hash(SigmaElement *e, int64 row)
{
	return &e->seam[row % lengthof(e->seam)];
}

pg_noreturn static void
fail_at_seam(const SigmaElement *e, bool ambiguous)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("cannot tell where the rows of %s go on behind row " INT64_FORMAT,
					sigma_export_subject(e->export), e->rows),
			 ambiguous
			 ? errdetail("An export has no more rows, and the next one begins with rows that are all the same.")
			 : errdetail("An export has no more rows, and the next one does not begin with rows that this one ended with: it has another order, or they have changed meanwhile."),
			 errhint("Sort the element in Sigma by columns that are unique together, or leave fewer rows by a control.")));
}

/*
 * Begins the next chunk, and finds the first row of it that has not been read
 * yet.  False if there is none.
 */
static bool
begin_next_chunk(SigmaElement *e)
{
	int			overlap = (int) Min(Min(SEAM_ROWS, e->spec.chunk_rows / 2), e->rows - 1);
	uint64		hashes[SEAM_ROWS + 1];
	List	   *texts = NIL;
	int			n = 0;
	int			begin = -1;
	SigmaSpan	text;

	begin_chunk(e, e->spec.chunk_rows, e->rows - overlap);
	while (n < overlap + 1 && next_text(e, &text))
	{
		MemoryContext old = MemoryContextSwitchTo(e->chunk_context);
		SigmaSpan  *copy = palloc(sizeof(SigmaSpan));

		copy->data = pnstrdup(text.data, text.length);
		copy->length = text.length;
		texts = lappend(texts, copy);
		hashes[n++] = text_hash(text);
		MemoryContextSwitchTo(old);
	}
	/* counted from 0, so many rows come again; counted from 1, one more; else one less */
	for (int again = Max(overlap - 1, 0); again <= Min(overlap + 1, n); again++)
	{
		bool		same = true;

		for (int i = 0; same && i < again; i++)
			same = hashes[i] == *seam_hash(e, e->rows - again + i);
		if (same && begin >= 0)
			fail_at_seam(e, true);
		if (same)
			begin = again;
	}
	if (begin < 0)
		fail_at_seam(e, false);
	e->waiting = list_copy_tail(texts, begin);
	return true;
}

/* May there be rows behind the chunk in hand, which has been read to its end? */
static bool
may_go_on(const SigmaElement *e)
{
	/* as many as were asked for; if they were not counted, then as many as there can be */
	return e->chunk_rows == e->export_spec.row_limit || e->chunk_rows == SIGMA_MAX_EXPORT_ROWS;
}

/* The text of the next row, of whatever chunk. */
static bool
next_row(SigmaElement *e, SigmaSpan *text)
{
	if (e->export == NULL)
		begin_chunk(e, e->spec.wanted > 0 ? Min(e->spec.wanted, e->spec.chunk_rows) : e->spec.chunk_rows, -1);
	for (;;)
	{
		if (e->waiting)
		{
			*text = *(SigmaSpan *) linitial(e->waiting);
			e->waiting = list_delete_first(e->waiting);
			return true;
		}
		if (next_text(e, text))
			return true;
		if (!may_go_on(e) || !begin_next_chunk(e))
			return false;
	}
}

bool
sigma_element_next(SigmaElement *e, SigmaEntry *entry)
{
	SigmaSpan	text;
	SigmaJsonVisitor counter = {.member_depth = 1};
	SigmaJsonValue row;
	const char *error;

	if (e->finished)
		return false;
	if (!next_row(e, &text))
	{
		e->finished = true;
		sigma_export_end(e->export);
		e->export = NULL;
		return false;
	}
	if (!sigma_json_visit(text, &counter, &row, &error))
		sigma_raise_reply(sigma_export_request(e->export), "row " INT64_FORMAT " of the export of %s is no JSON: %s",
						  e->rows + 1, sigma_export_subject(e->export), error);
	if (row.kind != SIGMA_JSON_OBJECT)
		sigma_raise_reply(sigma_export_request(e->export), "row " INT64_FORMAT " of the export of %s is not an object",
						  e->rows + 1, sigma_export_subject(e->export));
	if (counter.nmembers > SIGMA_MAX_MEMBERS)
		sigma_raise_reply(sigma_export_request(e->export), "row " INT64_FORMAT " of the export of %s has more than %d columns",
						  e->rows + 1, sigma_export_subject(e->export), SIGMA_MAX_MEMBERS);
	entry->text = row.text;
	entry->is_part = false;
	entry->fields = NULL;
	entry->keys = e->spec.sent;
	entry->failure = NULL;
	*seam_hash(e, e->rows) = text_hash(text);
	e->rows++;
	e->uncounted++;
	e->stats->rows++;
	return true;
}

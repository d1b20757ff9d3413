/*-------------------------------------------------------------------------
 *
 * analyze.c
 *	  ANALYZE of a foreign table: a sample of its rows.
 *
 * The API has neither a count without a list nor a random page, so the whole
 * table is read once, and rows are picked by a reservoir as they pass.  Rows
 * behind an element take an export for that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/bitmapset.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/sampling.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "fdw/fdw_internal.h"

/* About what an entry takes of a page, in bytes; only for the planner. */
#define ENTRY_WIDTH 800

/* Where the rows come from: one of the two. */
typedef struct Source
{
	SigmaRowReader *reader;
	SigmaWalk  *walk;
	SigmaElement *element;
} Source;

static bool
next_entry(Source *source, SigmaEntry *entry)
{
	return source->element ? sigma_element_next(source->element, entry) : sigma_walk_next(source->walk, entry);
}

/* All of a list, or the lists below all parents. */
static void
open_walk(Source *source, SigmaSession *session, MemoryContext context, Relation rel,
		  SigmaTableOptions *options, const Bitmapset *attnums)
{
	const SigmaResource *resource = sigma_resource_form(rel, sigma_table_resource(options), attnums);
	SigmaWalkSpec spec = {
		.resource = resource,
		/* the walk keeps it */
		.bound = palloc0(SIGMA_MAX_KEYS * sizeof(SigmaBound)),
		.limit = options->page_size,
		.scope = options->scope,
		.prefetch = options->prefetch,
		.whole = true,
		.shown = true,
		.tolerate = options->on_error_row && !sigma_is_one_list(resource),
		.missing = options->on_missing_empty ? SIGMA_MISSING_WARNS : SIGMA_MISSING_FAILS,
		.relid = options->relid,
	};

	source->reader = sigma_row_reader(rel, resource, attnums);
	spec.fields = &source->reader->fields;
	source->walk = sigma_walk_open(session, context, &spec, NULL);
}

/* Reads all entries; keeps a sample of at most "targrows" of them as tuples. */
static int
acquire_sample(Relation rel, int elevel, HeapTuple *rows, int targrows, double *totalrows,
			   double *totaldeadrows)
{
	SigmaTableOptions *options = sigma_table_options(RelationGetRelid(rel));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "sigma analyze",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext row_context = AllocSetContextCreate(context, "sigma row", ALLOCSET_DEFAULT_SIZES);
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc0(Max(desc->natts, 1) * sizeof(Datum));
	bool	   *isnull = palloc(Max(desc->natts, 1) * sizeof(bool));
	Bitmapset  *attnums = NULL;
	SigmaExportStats export_stats = {0};
	Source		source = {0};
	SigmaSession *session;
	SigmaEntry	entry;
	ReservoirStateData reservoir;
	double		seen = 0;
	double		skip = -1;
	int			n = 0;

	for (int i = 1; i <= desc->natts; i++)
		if (!TupleDescAttr(desc, i - 1)->attisdropped)
			attnums = bms_add_member(attnums, i);
	/* as postgres_fdw: what the table's owner may see */
	session = sigma_session_open(GetForeignTable(RelationGetRelid(rel))->serverid,
								 rel->rd_rel->relowner, context);
	if (sigma_is_element(RelationGetRelid(rel)))
		source.element = sigma_element_open_whole(session, context, rel, options, attnums, &export_stats,
												  &source.reader);
	else
		open_walk(&source, session, context, rel, options, attnums);
	reservoir_init_selection_state(&reservoir, targrows);

	while (next_entry(&source, &entry))
	{
		int			place = n;

		vacuum_delay();
		seen++;
		if (n < targrows)
			n++;
		else
		{
			/* each row so far is equally likely to stay (Vitter's algorithm) */
			if (skip < 0)
				skip = reservoir_get_next_S(&reservoir, seen - 1, targrows);
			if (skip-- > 0)
				continue;
			place = (int) (targrows * sampler_random_fract(&reservoir.randstate));
			heap_freetuple(rows[place]);
		}
		MemoryContextReset(row_context);
		memset(isnull, true, desc->natts * sizeof(bool));
		MemoryContextSwitchTo(row_context);
		sigma_read_row(source.reader, &entry, values, isnull);
		MemoryContextSwitchTo(MemoryContextGetParent(context));
		rows[place] = heap_form_tuple(desc, values, isnull);
	}
	MemoryContextDelete(context);
	*totalrows = seen;
	*totaldeadrows = 0;
	ereport(elevel,
			(errmsg("\"%s\": read %.0f entries from Sigma, %d rows in sample",
					RelationGetRelationName(rel), seen, n)));
	return n;
}

/*
 * False if the table is one of nothing, or can be read by keys only: PostgreSQL passes over it then, rather
 * than end the ANALYZE of a whole database at one wrong table below a parent.
 */
bool
sigmaAnalyzeForeignTable(Relation rel, AcquireSampleRowsFunc *func, BlockNumber *totalpages)
{
	const char *name = sigma_resource_name(RelationGetRelid(rel));
	const SigmaResource *resource = name ? sigma_find_resource(name) : NULL;
	double		total = 1;
	double		pages;

	*func = acquire_sample;
	if (sigma_is_element(RelationGetRelid(rel)))
		total = Max(sigma_export_memory(RelationGetRelid(rel))->rows, 1);
	else if (name ? resource == NULL : sigma_needs_keys(RelationGetRelid(rel)))
		return false;
	/* nothing is known before it is read; it must not be 0, that is "empty" */
	if (resource)
		total = Max(sigma_last_total(GetForeignTable(RelationGetRelid(rel))->serverid,
									 rel->rd_rel->relowner, resource), 1);
	pages = total * ENTRY_WIDTH / BLCKSZ + 1;
	/* a list may say that it has any number of entries */
	*totalpages = pages < (double) MaxBlockNumber ? (BlockNumber) pages : MaxBlockNumber;
	return true;
}

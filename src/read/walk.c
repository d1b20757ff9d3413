/*-------------------------------------------------------------------------
 *
 * walk.c
 *	  Reads all the lists that make up a table.
 *
 * A resource that stands on its own is one list.  One that stands below a
 * parent ("/v2/connections/{connection_id}/grants") is a list per parent, and
 * a look-up by key ("/v2/connections/{connection_id}") is a list of one entry
 * per key.  In each case there is a path with keys to be filled in.  Identifiers
 * that the query gives are used as they are; for others the parents are walked
 * first, in the same way, and their entries supply the keys.
 *
 * Several lists are under way at once, more of them the longer the walk goes
 * on; their entries come in the order of the keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "read/read_internal.h"

/* One list that is under way. */
typedef struct Branch
{
	MemoryContext context;
	char	   *keys[SIGMA_MAX_KEYS];	/* NULL: not known, because of a failure */
	SigmaPager *pager;			/* NULL if there is only a failure */
	SigmaFailure *failure;
	bool		ended;
} Branch;

struct SigmaWalk
{
	SigmaSession *session;
	SigmaWalkSpec spec;
	SigmaStats *stats;
	SigmaProgress *progress;	/* or NULL */
	MemoryContext context;
	int			nkeys;
	const char *keys[SIGMA_MAX_KEYS];	/* columns named in the path */
	SigmaKind	kinds[SIGMA_MAX_KEYS];	/* of these */

	/* where the keys come from */
	bool		all_bound;
	int			next[SIGMA_MAX_KEYS];	/* the next of each key's values */
	bool		exhausted;
	SigmaWalk  *parent;			/* if they are not all bound */
	int			parent_key[SIGMA_MAX_KEYS]; /* the parent's key that is ours, or -1 */
	const char *parent_field[SIGMA_MAX_KEYS];	/* else the field of its entry */

	/* lists under way */
	List	   *branches;		/* of Branch, in order */
	int			width;			/* how many may be */
	int64		lists;			/* that have ended */
	int64		nothing;		/* among them: Sigma said that there is nothing */
};

static const char *
walk_path(const SigmaWalkSpec *spec)
{
	return spec->item ? spec->resource->item_path : spec->resource->path;
}

/* Sets up the walk over the parents, with what is known of their own keys. */
static void
open_parent(SigmaWalk *walk)
{
	const SigmaResource *resource = walk->spec.resource;
	SigmaWalkSpec spec = {
		.resource = sigma_parent(resource),
		.limit = SIGMA_MAX_PAGE_SIZE,
		.scope = walk->spec.scope,
		.prefetch = walk->spec.prefetch,
		.whole = walk->spec.whole,
		.missing = walk->spec.missing,
		.dated = walk->spec.dated,
		.as_of = walk->spec.as_of,
	};
	const char *parent_keys[SIGMA_MAX_KEYS];
	int			n = sigma_path_keys(spec.resource->path, parent_keys);
	SigmaBound *bound = palloc0(SIGMA_MAX_KEYS * sizeof(SigmaBound));

	spec.bound = bound;
	/* without a list of the parents there is nothing to make rows of */
	spec.tolerate = walk->spec.tolerate && !sigma_is_one_list(spec.resource);
	for (int i = 0; i < walk->nkeys; i++)
	{
		const char *column = sigma_find_field(resource, walk->keys[i])->field;

		walk->parent_key[i] = -1;
		for (int j = 0; j < n; j++)
			if (strcmp(parent_keys[j], column) == 0)
			{
				walk->parent_key[i] = j;
				bound[j] = walk->spec.bound[i];
			}
		walk->parent_field[i] = sigma_find_field(spec.resource, column)->field;
	}
	walk->parent = sigma_walk_open(walk->session, walk->context, &spec, walk->stats);
}

/* The first of the path's keys that the query does not give, and nobody else can. */
pg_noreturn static void
no_key(const SigmaWalk *walk)
{
	const SigmaResource *resource = walk->spec.resource;
	int			i = 0;

	while (walk->spec.bound[i].given)
		i++;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot read foreign table %s without a value for its column %s",
					sigma_quoted(resource->name), sigma_quoted(walk->keys[i])),
			 errdetail("Its option \"path\" is %s, and it has no option \"parent\" to take the values from.",
					   sigma_quoted(resource->path)),
			 OidIsValid(walk->spec.relid)
			 ? errhint("Give the value in the query (WHERE %s = ...), join with what has the values, or name a resource or table that has them: %s.",
					   quote_identifier(walk->keys[i]),
					   sigma_alter_table_option(walk->spec.relid, "parent", "..."))
			 : errhint("Give the value in the query (WHERE %s = ...), join with what has the values, or name a resource or table in the option \"parent\".",
					   quote_identifier(walk->keys[i]))));
}

/* Does the query want the key of a parent?  What it gives is spelled as keys are shown. */
static bool
is_bound_to(const SigmaBound *bound, SigmaKind kind, char *value)
{
	value = sigma_key_spelling(kind, value);
	for (int i = 0; i < bound->nvalues; i++)
		if (strcmp(bound->values[i], value) == 0)
			return true;
	return !bound->given;
}

/* The key whose values are known beforehand has those of them that the query wants. */
static void
bind_known_key(SigmaWalk *walk)
{
	const char *const *values = walk->spec.resource->key_values;
	SigmaBound *bound = palloc0(SIGMA_MAX_KEYS * sizeof(SigmaBound));
	int			n = 0;

	while (values[n])
		n++;
	bound->given = true;
	bound->values = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		char	   *value = pstrdup(values[i]);

		if (is_bound_to(&walk->spec.bound[0], walk->kinds[0], value))
			bound->values[bound->nvalues++] = value;
	}
	walk->spec.bound = bound;
	walk->all_bound = true;
	walk->exhausted = bound->nvalues == 0;
}

/* Who will read all lists has as many under way as may be, from the start. */
static int
first_width(const SigmaWalk *walk)
{
	return walk->spec.whole && walk->spec.prefetch ? sigma_session_concurrency(walk->session) : 1;
}

SigmaWalk *
sigma_walk_open(SigmaSession *session, MemoryContext context, const SigmaWalkSpec *spec,
				SigmaStats *stats)
{
	MemoryContext own = AllocSetContextCreate(context, "sigma walk", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	SigmaWalk  *walk = palloc0(sizeof(SigmaWalk));

	walk->session = session;
	walk->spec = *spec;
	walk->stats = stats;
	walk->context = own;
	if (spec->shown)
		walk->progress = sigma_progress_begin(session, own, spec->resource->name);
	walk->nkeys = sigma_path_keys(walk_path(spec), walk->keys);
	walk->width = first_width(walk);
	walk->all_bound = true;
	for (int i = 0; i < walk->nkeys; i++)
	{
		walk->kinds[i] = sigma_find_field(spec->resource, walk->keys[i])->kind;
		walk->all_bound &= spec->bound[i].given && walk->kinds[i] != SIGMA_PLAIN;
		walk->exhausted |= spec->bound[i].given && spec->bound[i].nvalues == 0;
	}
	if (spec->resource->key_values)
		bind_known_key(walk);
	if (!walk->all_bound && sigma_parent(spec->resource) == NULL)
		no_key(walk);
	if (!walk->all_bound)
		open_parent(walk);
	MemoryContextSwitchTo(old);
	return walk;
}

/* ------------------------------------------------------------------- keys */

/* The next combination of the values that the query gives. */
static bool
next_bound_keys(SigmaWalk *walk, char **keys)
{
	int			i;

	for (i = 0; i < walk->nkeys; i++)
		keys[i] = walk->spec.bound[i].values[walk->next[i]];
	/* count up, the last key fastest */
	for (i = walk->nkeys - 1; i >= 0; i--)
	{
		if (++walk->next[i] < walk->spec.bound[i].nvalues)
			break;
		walk->next[i] = 0;
	}
	walk->exhausted = i < 0;
	return true;
}

/*
 * The keys of the next parent that the query wants.  If the parent's own list
 * failed, *failure says so and some keys may be NULL.
 */
static bool
next_parent_keys(SigmaWalk *walk, char **keys, const SigmaFailure **failure)
{
	SigmaEntry	entry;
	bool		wanted;

	do
	{
		if (!sigma_walk_next(walk->parent, &entry))
		{
			walk->exhausted = true;
			return false;
		}
		wanted = true;
		*failure = entry.failure;
		for (int i = 0; i < walk->nkeys; i++)
		{
			if (walk->parent_key[i] >= 0)
				keys[i] = entry.keys[walk->parent_key[i]];
			else if (entry.failure)
				keys[i] = NULL;
			else
			{
				SigmaJsonValue object = sigma_json_object(entry.text);

				keys[i] = sigma_json_member_text(&object, walk->parent_field[i]);
				if (keys[i] == NULL)
					sigma_raise_reply(walk_path(&walk->parent->spec),
									  "an entry of %s has no \"%s\"",
									  walk->parent->spec.resource->name, walk->parent_field[i]);
			}
			if (keys[i] && !is_bound_to(&walk->spec.bound[i], walk->kinds[i], keys[i]))
				wanted = false;
		}
	} while (!wanted);
	return true;
}

/* --------------------------------------------------------------- branches */

/* What Sigma may say of a key that the query gives, and that is none. */
static const SigmaNothing no_such_key[] = {
	{404, NULL},
	{400, NULL},
	{0, NULL}
};

/* How Sigma says that below these keys there is nothing; or NULL. */
static const SigmaNothing *
what_is_nothing(const SigmaWalk *walk, char *const *keys)
{
	for (int i = 0; walk->all_bound && i < walk->nkeys; i++)
		if (!sigma_key_has_form(walk->kinds[i], keys[i]))
			return no_such_key;
	return walk->nkeys > 0 ? walk->spec.resource->nothing : NULL;
}

/* Begins the list of the next keys; false if there are no more. */
static bool
open_branch(SigmaWalk *walk)
{
	MemoryContext context;
	MemoryContext old;
	Branch	   *branch;
	const SigmaFailure *failure = NULL;
	char	   *path = NULL;

	context = AllocSetContextCreate(walk->context, "sigma branch", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	branch = palloc0(sizeof(Branch));
	branch->context = context;
	while (path == NULL && failure == NULL)
	{
		/* any number of keys may be none that anything can have */
		CHECK_FOR_INTERRUPTS();
		if (walk->exhausted ||
			!(walk->all_bound ? next_bound_keys(walk, branch->keys)
			  : next_parent_keys(walk, branch->keys, &failure)))
		{
			MemoryContextSwitchTo(old);
			MemoryContextDelete(context);
			return false;
		}
		if (failure == NULL)
			path = sigma_fill_path(walk_path(&walk->spec), branch->keys);
	}
	for (int i = 0; i < walk->nkeys; i++)
		branch->keys[i] = branch->keys[i] ? pstrdup(branch->keys[i]) : NULL;
	if (failure)
		branch->failure = sigma_copy_failure(failure);
	else
	{
		SigmaListSpec spec = {
			.resource = walk->spec.resource,
			.path = path,
			.filters = walk->spec.filters,
			.limit = walk->spec.limit,
			.wanted = walk->spec.wanted,
			.scope = walk->spec.scope,
			.prefetch = walk->spec.prefetch,
			.whole = walk->spec.whole,
			.item = walk->spec.item,
			.item_key = branch->keys[0],
			.by_key = walk->nkeys > 0 && walk->all_bound && !walk->spec.resource->key_values,
			.tolerate = walk->spec.tolerate,
			.missing = walk->spec.missing,
			.relid = walk->spec.relid,
			.nothing = what_is_nothing(walk, branch->keys),
			.fields = walk->spec.fields,
			.progress = walk->progress,
			.alone = walk->nkeys == 0,
			.dated = walk->spec.dated,
			.as_of = walk->spec.as_of,
		};

		branch->pager = sigma_pager_open(walk->session, context, &spec, walk->stats);
		if (walk->nkeys > 0)
			sigma_pager_start(branch->pager);
	}
	MemoryContextSwitchTo(walk->context);
	walk->branches = lappend(walk->branches, branch);
	MemoryContextSwitchTo(old);
	return true;
}

static void
close_branches(SigmaWalk *walk)
{
	ListCell   *lc;

	foreach(lc, walk->branches)
		MemoryContextDelete(((Branch *) lfirst(lc))->context);
	list_free(walk->branches);
	walk->branches = NIL;
}

/* How many lists there are, as far as is known; else -1. */
static int64
lists_in_all(const SigmaWalk *walk)
{
	const SigmaWalk *parent = walk->parent;
	const Branch *branch = parent && parent->branches ? linitial(parent->branches) : NULL;
	int64		n = 1;

	if (walk->exhausted)
		return walk->lists + list_length(walk->branches) -
			(walk->branches && ((Branch *) linitial(walk->branches))->ended);
	for (int i = 0; i < walk->nkeys; i++)
	{
		if (walk->all_bound)
			n *= walk->spec.bound[i].nvalues;
		else if (walk->spec.bound[i].given)
			return -1;
	}
	if (walk->all_bound)
		return n;
	return parent->nkeys == 0 && branch && branch->pager ? (int64) sigma_pager_total(branch->pager) : -1;
}

/* Tells others how far the walk over its lists is. */
static void
show_lists(const SigmaWalk *walk)
{
	if (walk->progress == NULL || walk->nkeys == 0)
		return;
	sigma_progress_set(walk->progress, SIGMA_PROGRESS_PARENTS, walk->lists);
	sigma_progress_set(walk->progress, SIGMA_PROGRESS_PARENTS_TOTAL, lists_in_all(walk));
}

/* A list has ended: what does it tell of the others? */
static void
note_ended(SigmaWalk *walk, const Branch *branch)
{
	walk->lists++;
	show_lists(walk);
	if (branch->pager == NULL)
		return;
	if (sigma_pager_refused_filters(branch->pager))
		walk->spec.filters = NULL;
	if (sigma_pager_nothing(branch->pager))
	{
		walk->nothing++;
		if (walk->stats)
			walk->stats->nothing_there++;
	}
}

/*
 * That one document has nothing is ordinary; if none has anything, Sigma may
 * have moved or dropped the list, and an empty table would hide that.
 */
static void
check_ended(SigmaWalk *walk)
{
	const SigmaResource *resource = walk->spec.resource;

	if (!walk->all_bound && !walk->spec.tolerate && walk->lists > 0 &&
		walk->nothing == walk->lists &&
		sigma_session_warns(walk->session, SIGMA_WARNS_NOTHING, resource))
		ereport(WARNING,
				(errmsg("Sigma has none of the " INT64_FORMAT " lists of %s", walk->lists,
						resource->name),
				 errdetail("Each request for %s was answered that there is nothing.", resource->path),
				 OidIsValid(walk->spec.relid)
				 ? errhint("To have a row that tells each answer: %s.",
						   sigma_alter_table_option(walk->spec.relid, "on_error", "row"))
				 : errhint("With the option on_error 'row' of the table, its rows tell each answer.")));
	walk->lists = 0;
	walk->nothing = 0;
}

bool
sigma_walk_next(SigmaWalk *walk, SigmaEntry *entry)
{
	for (;;)
	{
		Branch	   *branch;

		/* a single list has no keys, and is opened once */
		while (list_length(walk->branches) < walk->width && !walk->exhausted)
			if (!open_branch(walk))
				break;
		if (walk->branches == NIL)
		{
			check_ended(walk);
			return false;
		}

		if (walk->lists == 0)
			show_lists(walk);
		branch = linitial(walk->branches);
		memset(entry, 0, sizeof(SigmaEntry));
		entry->keys = branch->keys;
		if (!branch->ended && branch->pager && sigma_pager_next(branch->pager, entry))
			return true;
		if (!branch->ended)
		{
			branch->ended = true;
			note_ended(walk, branch);
			entry->failure = branch->pager ? sigma_pager_failure(branch->pager) : branch->failure;
			if (entry->failure)
			{
				/* it is no entry, also if one was left out before */
				entry->text.data = NULL;
				entry->text.length = 0;
				/* what failed further up has been counted there */
				if (walk->stats && branch->pager && !sigma_pager_nothing(branch->pager))
					walk->stats->failed_parents++;
				return true;
			}
		}
		if (walk->nkeys == 0)
			return false;
		walk->branches = list_delete_first(walk->branches);
		MemoryContextDelete(branch->context);
		walk->width = Min(walk->width * 2, sigma_session_concurrency(walk->session));
	}
}

void
sigma_walk_start(SigmaWalk *walk)
{
	if (walk->branches == NIL)
		(void) open_branch(walk);
}

bool
sigma_walk_would_wait(SigmaWalk *walk)
{
	if (walk->nkeys > 0)
		return false;
	if (walk->branches == NIL && !open_branch(walk))
		return false;
	return sigma_pager_would_wait(((Branch *) linitial(walk->branches))->pager);
}

bool
sigma_walk_first(SigmaWalk *walk, SigmaEntry *entry)
{
	Branch	   *branch;

	if (walk->branches == NIL && !open_branch(walk))
		return false;
	branch = linitial(walk->branches);
	memset(entry, 0, sizeof(SigmaEntry));
	entry->keys = branch->keys;
	return branch->pager && sigma_pager_next(branch->pager, entry);
}

const SigmaFailure *
sigma_walk_missing(const SigmaWalk *walk)
{
	const Branch *branch = walk->branches ? linitial(walk->branches) : NULL;

	if (branch && branch->pager && sigma_pager_missing(branch->pager))
		return sigma_pager_missing(branch->pager);
	return walk->parent ? sigma_walk_missing(walk->parent) : NULL;
}

void
sigma_walk_rewind(SigmaWalk *walk)
{
	sigma_progress_set(walk->progress, SIGMA_PROGRESS_ROWS, 0);
	if (walk->nkeys == 0)
	{
		/* the pager may have its only page still */
		if (walk->branches != NIL)
		{
			Branch	   *branch = linitial(walk->branches);

			branch->ended = false;
			sigma_pager_rewind(branch->pager);
		}
		return;
	}
	close_branches(walk);
	sigma_progress_set(walk->progress, SIGMA_PROGRESS_PAGES, 0);
	walk->width = first_width(walk);
	walk->exhausted = false;
	walk->lists = 0;
	walk->nothing = 0;
	for (int i = 0; i < walk->nkeys; i++)
	{
		walk->next[i] = 0;
		walk->exhausted |= walk->spec.bound[i].given && walk->spec.bound[i].nvalues == 0;
	}
	if (walk->parent)
		sigma_walk_rewind(walk->parent);
}

/* Ends the walk and its memory. */
void
sigma_walk_close(SigmaWalk *walk)
{
	MemoryContextDelete(walk->context);
}

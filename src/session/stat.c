/*-------------------------------------------------------------------------
 *
 * stat.c
 *	  Counters of what sessions ask of servers, and what comes of it.
 *
 * There is an entry for each resource that is asked for over a server by way
 * of a user mapping, and one without a resource for what belongs to none:
 * sign-ins, and requests that functions make.  With the library preloaded, the
 * entries are in shared memory, so that they are those of all backends and
 * outlive each of them; without it, they are the session's own.
 *
 * What happens is counted at once and in place, by atomic additions.  Counting
 * allocates nothing and raises nothing, so it works in an abort as well.  The
 * table has a fixed size.  When it is full, the resource that has been used least
 * recently makes room, and its counts go to the entry without a resource of the
 * same mapping, so that the sums for a server stay what they are.
 *
 * Nothing here is a secret: a resource has the name of the catalogue, or of a
 * table that defines it, and never a path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "http/http.h"
#include "config/config.h"
#include "session/session_internal.h"

/* Entries of a cluster, and of a session that has its own. */
#define SHARED_ENTRIES 2048
#define OWN_ENTRIES 256

#define CHAINS 512

/* All of it is compared and hashed, so it is zeroed first. */
typedef struct StatKey
{
	Oid			database;
	Oid			serverid;
	Oid			userid;			/* of the mapping; InvalidOid: PUBLIC's */
	char		resource[NAMEDATALEN];	/* "": none */
} StatKey;

typedef struct StatEntry
{
	StatKey		key;
	int			next;			/* in its chain; -1: the last */
	pg_atomic_uint64 used;		/* tells which was used last */
	pg_atomic_uint64 length;	/* see sigma_stat_note_length() */
	pg_atomic_uint64 counts[SIGMA_STAT_COUNTERS];
} StatEntry;

typedef struct StatTable
{
	TimestampTz since;			/* when counting began */
	pg_atomic_uint64 uses;
	int			room;
	int			nentries;
	int			chains[CHAINS]; /* the first entry of each; -1: none */
	StatEntry	entries[FLEXIBLE_ARRAY_MEMBER];
} StatTable;

static StatTable *table = NULL;
static LWLock *lock = NULL;		/* NULL: the table is the session's own */

static Size
table_size(int room)
{
	return offsetof(StatTable, entries) + sizeof(StatEntry) * room;
}

static void
clear_table(void)
{
	table->since = GetCurrentTimestamp();
	table->nentries = 0;
	for (int i = 0; i < CHAINS; i++)
		table->chains[i] = -1;
}

static void
init_table(int room)
{
	table->room = room;
	pg_atomic_init_u64(&table->uses, 0);
	for (int i = 0; i < room; i++)
	{
		pg_atomic_init_u64(&table->entries[i].used, 0);
		pg_atomic_init_u64(&table->entries[i].length, (uint64) -1);
		for (int j = 0; j < SIGMA_STAT_COUNTERS; j++)
			pg_atomic_init_u64(&table->entries[i].counts[j], 0);
	}
	clear_table();
}

static Size
shared_size(void)
{
	return table_size(SHARED_ENTRIES);
}

static void
attach(void *memory, LWLock *its_lock, bool is_new)
{
	table = memory;
	lock = its_lock;
	if (is_new)
		init_table(SHARED_ENTRIES);
}

const SigmaArea sigma_stat_area = {"sigma_fdw_stat", shared_size, attach};

/* Makes the session's own table, unless there is a shared one. */
void
sigma_stat_prepare(void)
{
	if (table)
		return;
	table = MemoryContextAlloc(TopMemoryContext, table_size(OWN_ENTRIES));
	init_table(OWN_ENTRIES);
}

bool
sigma_stat_is_shared(void)
{
	return lock != NULL;
}

static void
acquire(LWLockMode mode)
{
	if (lock)
		LWLockAcquire(lock, mode);
}

static void
release(void)
{
	if (lock)
		LWLockRelease(lock);
}

/* ------------------------------------------------------------------ entries */

/* Where the chain of a key begins. */
static int *
chain_of(const StatKey *key)
{
	return &table->chains[hash_bytes((const unsigned char *) key, (int) sizeof(StatKey)) % CHAINS];
}

/* The entry of a key, or NULL.  Needs the lock, as all below. */
static StatEntry *
find_entry(const StatKey *key)
{
	for (int i = *chain_of(key); i >= 0; i = table->entries[i].next)
		if (memcmp(&table->entries[i].key, key, sizeof(StatKey)) == 0)
			return &table->entries[i];
	return NULL;
}

/* The key of what belongs to no resource, of the same mapping. */
static StatKey
rest_of(const StatKey *key)
{
	StatKey		rest = *key;

	memset(rest.resource, 0, sizeof(rest.resource));
	return rest;
}

/* Of two entries, does "a" make room first?  Those without a resource come last. */
static bool
goes_first(StatEntry *a, StatEntry *b)
{
	bool		a_rest = a->key.resource[0] == '\0';
	bool		b_rest = b->key.resource[0] == '\0';

	return a_rest == b_rest ? pg_atomic_read_u64(&a->used) < pg_atomic_read_u64(&b->used) : b_rest;
}

/* Takes an entry out of its chain, and hands over what has been counted in it; its number. */
static int
vacate_entry(void)
{
	int			victim = 0;
	int		   *link;
	StatKey		rest_key;
	StatEntry  *rest;

	for (int i = 1; i < table->nentries; i++)
		if (goes_first(&table->entries[i], &table->entries[victim]))
			victim = i;
	link = chain_of(&table->entries[victim].key);
	while (*link != victim)
		link = &table->entries[*link].next;
	*link = table->entries[victim].next;

	rest_key = rest_of(&table->entries[victim].key);
	rest = find_entry(&rest_key);
	for (int i = 0; rest && i < SIGMA_STAT_COUNTERS; i++)
		pg_atomic_fetch_add_u64(&rest->counts[i],
								(int64) pg_atomic_read_u64(&table->entries[victim].counts[i]));
	return victim;
}

/* The entry of a key, made if it is new.  Needs the lock to be exclusive. */
static StatEntry *
make_entry(const StatKey *key)
{
	StatEntry  *entry = find_entry(key);
	int			number;
	int		   *chain;

	/* another backend may have made it meanwhile */
	if (entry)
		return entry;
	number = table->nentries < table->room ? table->nentries++ : vacate_entry();
	entry = &table->entries[number];
	entry->key = *key;
	pg_atomic_write_u64(&entry->used, 0);
	pg_atomic_write_u64(&entry->length, (uint64) -1);
	for (int i = 0; i < SIGMA_STAT_COUNTERS; i++)
		pg_atomic_write_u64(&entry->counts[i], 0);
	chain = chain_of(key);
	entry->next = *chain;
	*chain = number;
	return entry;
}

static StatKey
key_of(const SigmaSession *s, const char *resource)
{
	StatKey		key;

	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.serverid = s->settings->serverid;
	key.userid = s->settings->umuser;
	if (resource)
		strlcpy(key.resource, resource, sizeof(key.resource));
	return key;
}

void
sigma_stat_add(const SigmaSession *session, const char *resource, SigmaStatCounter counter, int64 n)
{
	StatKey		key;
	StatKey		rest;
	StatEntry  *entry;

	if (table == NULL || session == NULL || n <= 0)
		return;
	key = key_of(session, resource);
	acquire(LW_SHARED);
	entry = find_entry(&key);
	if (entry == NULL)
	{
		release();
		acquire(LW_EXCLUSIVE);
		/* first, so that there is one to hand over to */
		rest = rest_of(&key);
		(void) make_entry(&rest);
		entry = make_entry(&key);
	}
	pg_atomic_fetch_add_u64(&entry->counts[counter], n);
	pg_atomic_write_u64(&entry->used, pg_atomic_add_fetch_u64(&table->uses, 1));
	release();
}

/* The length stands beside the counters since these are kept by the same key, and for the same time. */
void
sigma_stat_note_length(const SigmaSession *session, const char *resource, int64 length)
{
	StatKey		key;
	StatEntry  *entry;

	if (table == NULL)
		return;
	key = key_of(session, resource);
	acquire(LW_SHARED);
	entry = find_entry(&key);
	/* its requests have been counted, so it is there unless it has been reset */
	if (entry)
		pg_atomic_write_u64(&entry->length, (uint64) length);
	release();
}

int64
sigma_stat_length(const SigmaSession *session, const char *resource)
{
	StatKey		key;
	StatEntry  *entry;
	int64		length;

	if (table == NULL)
		return -1;
	key = key_of(session, resource);
	acquire(LW_SHARED);
	entry = find_entry(&key);
	length = entry ? (int64) pg_atomic_read_u64(&entry->length) : -1;
	release();
	return length;
}

/* ------------------------------------------------------------------ a call's */

/* Counts something of a call. */
void
sigma_stat_call(const SigmaCall *call, SigmaStatCounter counter, int64 n)
{
	sigma_stat_add(call->session, call->spec.resource, counter, n);
}

/* A call's transfer has ended, or its body has begun to come. */
void
sigma_stat_replied(const SigmaCall *call, const SigmaReply *reply)
{
	static const SigmaStatCounter classes[] = {SIGMA_STAT_2XX, SIGMA_STAT_3XX, SIGMA_STAT_4XX, SIGMA_STAT_5XX};
	int			i = reply->status / 100 - 2;

	if (reply->outcome == SIGMA_REPLIED && i >= 0 && i < (int) lengthof(classes))
		sigma_stat_call(call, classes[i], 1);
	else
		sigma_stat_call(call, SIGMA_STAT_NO_REPLY, 1);
	if (reply->outcome == SIGMA_REPLIED && reply->status == 429)
		sigma_stat_call(call, SIGMA_STAT_THROTTLED, 1);
	if (!call->spec.download)
		sigma_stat_call(call, SIGMA_STAT_BYTES, (int64) reply->body.length);
}

/*
 * A call has ended, or is about to be given up: if it is a write, what became of
 * it?  "acted": it may have been carried out, as far as this side can tell.
 */
void
sigma_stat_ended(const SigmaCall *call, bool acted)
{
	if (call->spec.purpose != SIGMA_WRITE || call->sent_ms == 0)
		return;
	if (!acted)
		sigma_stat_call(call, SIGMA_STAT_WRITES_REFUSED, 1);
	else if (call->state == CALL_DONE && call->failure == NULL)
		sigma_stat_call(call, SIGMA_STAT_WRITES_DONE, 1);
	else
		sigma_stat_call(call, SIGMA_STAT_WRITES_UNKNOWN, 1);
}

/* ------------------------------------------------------------ for those who ask */

int
sigma_stat_read(SigmaStatRow **rows, TimestampTz *since)
{
	int			room = table ? table->room : 0;
	int			n = 0;

	*rows = palloc(Max(room, 1) * sizeof(SigmaStatRow));
	if (table == NULL)
		return 0;
	acquire(LW_SHARED);
	*since = table->since;
	for (int i = 0; i < table->nentries; i++)
	{
		StatEntry  *entry = &table->entries[i];
		SigmaStatRow *row = &(*rows)[n];

		if (entry->key.database != MyDatabaseId)
			continue;
		row->serverid = entry->key.serverid;
		row->userid = entry->key.userid;
		strlcpy(row->resource, entry->key.resource, sizeof(row->resource));
		for (int j = 0; j < SIGMA_STAT_COUNTERS; j++)
			row->counts[j] = (int64) pg_atomic_read_u64(&entry->counts[j]);
		n++;
	}
	release();
	return n;
}

void
sigma_stat_clear(void)
{
	if (table == NULL)
		return;
	acquire(LW_EXCLUSIVE);
	clear_table();
	release();
}

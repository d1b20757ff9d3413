/*-------------------------------------------------------------------------
 *
 * progress.c
 *	  How far the lists are that backends are reading, for all to see.
 *
 * Only if the library is preloaded.  A reading takes a slot when it begins,
 * and gives it back when its memory goes: at its end, at an error, and when the
 * process exits.  A backend that reads several lists at once has several slots;
 * where there are none left, a reading is not shown, and goes on.
 *
 * Slots are taken and given back below a lock.  What is in one is written by
 * its backend alone, one number at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "http/http.h"
#include "config/config.h"
#include "session/session_internal.h"

#define SLOTS_PER_BACKEND 2

typedef struct ProgressSlot
{
	SigmaProgressRow row;		/* its numbers are in "numbers"; pid 0: it is free */
	pg_atomic_uint64 numbers[SIGMA_PROGRESS_NUMBERS];
} ProgressSlot;

/* A reading that has a slot. */
struct SigmaProgress
{
	ProgressSlot *slot;
	MemoryContextCallback callback;
};

static ProgressSlot *slots = NULL;
static int	nslots = 0;
static LWLock *lock = NULL;

static Size
slots_size(void)
{
	return sizeof(ProgressSlot) * SLOTS_PER_BACKEND * MaxBackends;
}

static void
attach(void *memory, LWLock *its_lock, bool is_new)
{
	slots = memory;
	nslots = SLOTS_PER_BACKEND * MaxBackends;
	lock = its_lock;
	for (int i = 0; is_new && i < nslots; i++)
	{
		memset(&slots[i].row, 0, sizeof(slots[i].row));
		for (int j = 0; j < SIGMA_PROGRESS_NUMBERS; j++)
			pg_atomic_init_u64(&slots[i].numbers[j], 0);
	}
}

const SigmaArea sigma_progress_area = {"sigma_fdw_progress", slots_size, attach};

bool
sigma_progress_is_shown(void)
{
	return slots != NULL;
}

/* Whatever memory a backend that exits has left, its slots are free. */
static void
leave_slots(int code UNUSED, Datum arg UNUSED)
{
	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < nslots; i++)
		if (slots[i].row.pid == MyProcPid)
			slots[i].row.pid = 0;
	LWLockRelease(lock);
	/* what is freed from here on has nothing to give back */
	slots = NULL;
}

static void
leave_slot(void *arg)
{
	SigmaProgress *progress = arg;

	if (slots == NULL)
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	progress->slot->row.pid = 0;
	LWLockRelease(lock);
}

/* A free slot, or NULL.  Needs the lock to be exclusive. */
static ProgressSlot *
free_slot(void)
{
	for (int i = 0; i < nslots; i++)
		if (slots[i].row.pid == 0)
			return &slots[i];
	return NULL;
}

SigmaProgress *
sigma_progress_begin(const SigmaSession *session, MemoryContext context, const char *resource)
{
	static bool registered = false;
	SigmaProgress *progress;
	SigmaProgressRow row = {0};

	if (slots == NULL)
		return NULL;
	if (!registered)
		before_shmem_exit(leave_slots, (Datum) 0);
	registered = true;
	progress = MemoryContextAllocZero(context, sizeof(SigmaProgress));
	row.pid = MyProcPid;
	row.database = MyDatabaseId;
	row.role = GetSessionUserId();
	row.serverid = session->settings->serverid;
	row.began = GetCurrentTimestamp();
	strlcpy(row.server, session->settings->server, sizeof(row.server));
	if (resource)
		strlcpy(row.resource, resource, sizeof(row.resource));
	LWLockAcquire(lock, LW_EXCLUSIVE);
	progress->slot = free_slot();
	if (progress->slot)
	{
		progress->slot->row = row;
		for (int i = 0; i < SIGMA_PROGRESS_NUMBERS; i++)
			pg_atomic_write_u64(&progress->slot->numbers[i], (uint64) -1);
		pg_atomic_write_u64(&progress->slot->numbers[SIGMA_PROGRESS_PAGES], 0);
		pg_atomic_write_u64(&progress->slot->numbers[SIGMA_PROGRESS_ROWS], 0);
	}
	LWLockRelease(lock);
	if (progress->slot == NULL)
		return NULL;
	progress->callback.func = leave_slot;
	progress->callback.arg = progress;
	MemoryContextRegisterResetCallback(context, &progress->callback);
	return progress;
}

void
sigma_progress_set(SigmaProgress *progress, SigmaProgressNumber number, int64 n)
{
	if (progress && slots)
		pg_atomic_write_u64(&progress->slot->numbers[number], (uint64) n);
}

void
sigma_progress_add(SigmaProgress *progress, SigmaProgressNumber number, int64 n)
{
	if (progress && slots)
		pg_atomic_fetch_add_u64(&progress->slot->numbers[number], n);
}

int
sigma_progress_read(SigmaProgressRow **rows)
{
	int			n = 0;

	*rows = palloc(Max(nslots, 1) * sizeof(SigmaProgressRow));
	if (slots == NULL)
		return 0;
	LWLockAcquire(lock, LW_SHARED);
	for (int i = 0; i < nslots; i++)
	{
		if (slots[i].row.pid == 0)
			continue;
		(*rows)[n] = slots[i].row;
		for (int j = 0; j < SIGMA_PROGRESS_NUMBERS; j++)
			(*rows)[n].numbers[j] = (int64) pg_atomic_read_u64(&slots[i].numbers[j]);
		n++;
	}
	LWLockRelease(lock);
	return n;
}

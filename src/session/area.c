/*-------------------------------------------------------------------------
 *
 * area.c
 *	  Asks PostgreSQL for what the library has in shared memory, if it is preloaded.
 *
 * Each area has a lock of its own, of the same name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "base/base.h"
#include "session/session_internal.h"

static const SigmaArea *const areas[] = {&sigma_shared_area, &sigma_stat_area, &sigma_progress_area};

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
request_areas(void)
{
	if (next_request_hook)
		next_request_hook();
	for (int i = 0; i < (int) lengthof(areas); i++)
	{
		RequestAddinShmemSpace(MAXALIGN(areas[i]->size()));
		RequestNamedLWLockTranche(areas[i]->name, 1);
	}
}

static void
start_areas(void)
{
	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < (int) lengthof(areas); i++)
	{
		bool		found;
		void	   *memory = ShmemInitStruct(areas[i]->name, areas[i]->size(), &found);

		areas[i]->attach(memory, &(GetNamedLWLockTranche(areas[i]->name))->lock, !found);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
sigma_shared_init(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_areas;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_areas;
}

/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  What the backends of a cluster share: tokens, and a budget of requests.
 *
 * Only if the library is in shared_preload_libraries; without it, everything
 * here says that there is nothing to share, and each backend signs in for
 * itself.
 *
 * Tokens are kept per credentials: the key is a hash of everything that a
 * token depends on, the secret included, so that nobody gets a token who could
 * not have signed in.  One backend at a time signs in for a key; the others
 * wait for its token.  The budget is the number of requests under way to a
 * base URL, from all backends together.
 *
 * The memory is a fixed table.  When it is full, the slot that has been idle
 * longest is used again; whoever finds none does without.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "session/session_internal.h"

#define SLOTS 64

/* A longer token is not shared. */
#define TOKEN_ROOM 8192

/* A backend that signs in for so long has stopped doing so. */
#define SIGN_IN_PATIENCE_MS 15000

/* A lease that has not been renewed for so long is over. */
#define LEASE_MS 3000

/* Requests to one place that can be kept account of. */
#define LEASES 256

typedef struct Lease
{
	int			pid;			/* 0: free */
	TimestampTz renewed;
} Lease;

typedef struct Slot
{
	SigmaSharedKey key;
	bool		used;
	TimestampTz touched;

	/* a token slot */
	char		token[TOKEN_ROOM];	/* "" if there is none */
	TimestampTz token_end;		/* DT_NOEND if it is not known */
	int			signer;			/* pid of who signs in; 0 nobody */
	TimestampTz signing_since;

	/* a budget slot */
	Lease		leases[LEASES];
} Slot;

typedef struct Shared
{
	Slot		tokens[SLOTS];
	Slot		budgets[SLOTS];
} Shared;

static Shared *shared = NULL;
static LWLock *lock = NULL;
static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
request_shared_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)));
	RequestNamedLWLockTranche("sigma_fdw", 1);
}

static void
start_shared_memory(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("sigma_fdw", sizeof(Shared), &found);
	if (!found)
		memset(shared, 0, sizeof(Shared));
	lock = &(GetNamedLWLockTranche("sigma_fdw"))->lock;
	LWLockRelease(AddinShmemInitLock);
}

void
sigma_shared_init(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_shared_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_shared_memory;
}

/* A backend that exits signs in no more, and has no requests under way. */
static void
give_back(int code UNUSED, Datum arg UNUSED)
{
	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < SLOTS; i++)
	{
		if (shared->tokens[i].signer == MyProcPid)
			shared->tokens[i].signer = 0;
		for (int j = 0; j < LEASES; j++)
			if (shared->budgets[i].leases[j].pid == MyProcPid)
				shared->budgets[i].leases[j].pid = 0;
	}
	LWLockRelease(lock);
	/* what is freed from here on has nothing to give back */
	shared = NULL;
}

/* Is there anything to share? */
static bool
available(void)
{
	static bool registered = false;

	if (shared == NULL)
		return false;
	if (!registered)
		before_shmem_exit(give_back, (Datum) 0);
	registered = true;
	return true;
}

/* The key that stands for a list of texts, NULL at the end. */
SigmaSharedKey
sigma_shared_key(const char *const *texts)
{
	SigmaSharedKey key;
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	bool		ok = ctx && pg_cryptohash_init(ctx) >= 0;

	/* with its end, so that no two lists run together to the same */
	for (; ok && *texts; texts++)
		ok = pg_cryptohash_update(ctx, (const uint8 *) *texts, strlen(*texts) + 1) >= 0;
	ok = ok && pg_cryptohash_final(ctx, key.bytes, sizeof(key.bytes)) >= 0;
	if (ctx)
		pg_cryptohash_free(ctx);
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-256 hash")));
	return key;
}

/* How many leases of a slot hold, and how many of them are this backend's. */
static int
count_leases(const Slot *slot, TimestampTz now, int *own)
{
	int			n = 0;

	if (own)
		*own = 0;
	for (int i = 0; i < LEASES; i++)
	{
		const Lease *lease = &slot->leases[i];

		if (lease->pid == 0 || TimestampDifferenceExceeds(lease->renewed, now, LEASE_MS))
			continue;
		n++;
		if (own && lease->pid == MyProcPid)
			(*own)++;
	}
	return n;
}

/* The slot of a key, taken if it is new; NULL if all are busy.  Needs the lock. */
static Slot *
find_slot(Slot *slots, const SigmaSharedKey *key)
{
	Slot	   *oldest = NULL;
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < SLOTS; i++)
		if (slots[i].used && memcmp(&slots[i].key, key, sizeof(SigmaSharedKey)) == 0)
		{
			slots[i].touched = now;
			return &slots[i];
		}
	for (int i = 0; i < SLOTS; i++)
	{
		Slot	   *slot = &slots[i];

		if (slot->used && (slot->signer != 0 || count_leases(slot, now, NULL) > 0))
			continue;
		/* one that was never used has the oldest time there is */
		if (oldest == NULL || slot->touched < oldest->touched)
			oldest = slot;
	}
	if (oldest == NULL)
		return NULL;
	explicit_bzero(oldest, sizeof(Slot));
	oldest->used = true;
	oldest->key = *key;
	oldest->touched = now;
	return oldest;
}

/*
 * Asks for the token of a key.  SIGMA_SHARED_TOKEN: *token has it, palloc'd,
 * with the time left in ms (infinite if not known).  SIGMA_SHARED_WAIT:
 * another backend is signing in.  SIGMA_SHARED_SIGN_IN: this one is to do it,
 * and to say how it ended.
 */
SigmaSharedAnswer
sigma_shared_token(const SigmaSharedKey *key, char **token, double *left_ms)
{
	SigmaSharedAnswer answer = SIGMA_SHARED_SIGN_IN;
	TimestampTz now = GetCurrentTimestamp();
	char		copy[TOKEN_ROOM];
	Slot	   *slot;

	if (!available())
		return SIGMA_SHARED_SIGN_IN;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->tokens, key);
	if (slot && slot->token[0] && slot->token_end > now)
	{
		answer = SIGMA_SHARED_TOKEN;
		strcpy(copy, slot->token);
		*left_ms = slot->token_end == DT_NOEND ? get_float8_infinity()
			: (double) (slot->token_end - now) / 1000;
	}
	else if (slot && slot->signer != 0 && slot->signer != MyProcPid &&
			 !TimestampDifferenceExceeds(slot->signing_since, now, SIGN_IN_PATIENCE_MS))
		answer = SIGMA_SHARED_WAIT;
	else if (slot)
	{
		slot->signer = MyProcPid;
		slot->signing_since = now;
	}
	LWLockRelease(lock);
	if (answer == SIGMA_SHARED_TOKEN)
		*token = pstrdup(copy);
	return answer;
}

/* This backend's sign-in has ended: with a token and its life, or with NULL. */
void
sigma_shared_signed_in(const SigmaSharedKey *key, const char *token, double life_ms)
{
	Slot	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->tokens, key);
	if (slot && slot->signer == MyProcPid)
		slot->signer = 0;
	if (slot && token && strlen(token) < TOKEN_ROOM)
	{
		strcpy(slot->token, token);
		slot->token_end = isinf(life_ms) ? DT_NOEND
			: GetCurrentTimestamp() + (int64) (life_ms * 1000);
	}
	LWLockRelease(lock);
}

/* The API does not accept this token any more. */
void
sigma_shared_drop_token(const SigmaSharedKey *key, const char *token)
{
	Slot	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->tokens, key);
	if (slot && strcmp(slot->token, token) == 0)
		explicit_bzero(slot->token, sizeof(slot->token));
	LWLockRelease(lock);
}

/*
 * May one more request go to the place of a key, of which "max" may be under
 * way?  "flying" is how many the asking session has.  If so,
 * sigma_shared_end_request() must be called when it has ended.
 */
bool
sigma_shared_begin_request(const SigmaSharedKey *key, int max, int flying)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		ok = true;
	Slot	   *slot;

	if (!available())
		return true;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->budgets, key);
	if (slot)
	{
		int			own;

		ok = count_leases(slot, now, &own) < max || (flying == 0 && own > 0);
		for (int i = 0; ok && i < LEASES; i++)
		{
			Lease	   *lease = &slot->leases[i];

			if (lease->pid == 0 || TimestampDifferenceExceeds(lease->renewed, now, LEASE_MS))
			{
				lease->pid = MyProcPid;
				lease->renewed = now;
				break;
			}
		}
	}
	LWLockRelease(lock);
	return ok;
}

/*
 * This backend's requests to a place are still waited for; false if there is
 * nothing shared, so that it need not be said again.
 */
bool
sigma_shared_renew(const SigmaSharedKey *key)
{
	TimestampTz now = GetCurrentTimestamp();
	Slot	   *slot;

	if (!available())
		return false;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->budgets, key);
	for (int i = 0; slot && i < LEASES; i++)
		if (slot->leases[i].pid == MyProcPid)
			slot->leases[i].renewed = now;
	LWLockRelease(lock);
	return true;
}

void
sigma_shared_end_request(const SigmaSharedKey *key)
{
	Slot	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(shared->budgets, key);
	for (int i = 0; slot && i < LEASES; i++)
		if (slot->leases[i].pid == MyProcPid)
		{
			slot->leases[i].pid = 0;
			break;
		}
	LWLockRelease(lock);
}

/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  What the backends of a cluster share: tokens, and a budget and a pace of
 *	  requests.
 *
 * Only if the library is in shared_preload_libraries; without it, everything
 * here says that there is nothing to share, and each backend signs in for
 * itself.
 *
 * Tokens are kept per credentials: the key is a hash of everything that a
 * token depends on, the secret included, so that nobody gets a token who could
 * not have signed in.  One backend at a time signs in for a key; the others
 * wait for its token.  When the table is full, whoever has most of it goes
 * first, with what he has used least.
 *
 * The budget is the number of requests that may be under way to a place with
 * the same credentials, from all sessions together: the least that any of
 * those who share it names.  Whoever has requests under way, or waits for a
 * place, has a seat.  A place goes to the session that has fewest, and among
 * these to the one that has waited longest, so that no session takes its
 * second while another waits for its first.
 *
 * The pace is how fast such a place may be asked, see pace.c.
 *
 * All of it is lent.  A client may leave its session alone for hours, in the
 * middle of a cursor: then nobody looks after its requests, its sign-in, or
 * its turn.  So each of them has to be renewed, and counts no more when it has
 * not been.  No process waits here: whoever is refused waits for its latch,
 * which is set when its turn comes, and asks again now and then in any case.
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
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#include "base/base.h"
#include "session/session_internal.h"

#define TOKENS 64

/* So many places that are asked with the same credentials have a pace of all. */
#define PACES 64

/* A longer token is not shared. */
#define TOKEN_ROOM 8192

/* A sign-in, or requests under way, that nobody has renewed for so long count no more. */
#define LEASE_MS 2000

/* Nor does somebody who waits and has not asked for so long. */
#define TURN_MS 500

/* Seats for each process that there may be; it has one for each session that is busy. */
#define SEATS_PER_BACKEND 2

typedef struct Token
{
	SigmaSharedKey key;
	bool		used;			/* false: the key is none */
	Oid			owner;			/* who was the first to ask for it */
	uint64		uses;			/* how often it was given */
	char		token[TOKEN_ROOM];	/* "" if there is none */
	TimestampTz token_end;		/* DT_NOEND if it is not known */
	int			signer;			/* pid of who signs in; 0 nobody */
	TimestampTz renewed;		/* when that was said last */
} Token;

typedef struct Seat
{
	int			pid;			/* 0: it is free */
	Latch	   *latch;
	SigmaSharedKey key;			/* of the budget */
	int			max;			/* how many places there may be, as this one says */
	int			places;			/* that it has */
	TimestampTz renewed;		/* when it was last said that they are wanted */
	uint64		ticket;			/* tells who came first; 0: it does not wait */
	TimestampTz asked;			/* when it last asked, if it waits */
} Seat;

/* How fast a server is asked; of those that nobody asks any more, the oldest makes room. */
typedef struct SharedPace
{
	SigmaSharedKey key;			/* of the budget */
	TimestampTz used;			/* when last; 0: never */
	SigmaPace	pace;
} SharedPace;

typedef struct Shared
{
	Token		tokens[TOKENS];
	SharedPace	paces[PACES];
	uint64		tickets;		/* how many have been given */
	int			room;			/* of seats */
	int			nseats;			/* all behind these are free */
	Seat		seats[FLEXIBLE_ARRAY_MEMBER];
} Shared;

static Shared *shared = NULL;
static LWLock *lock = NULL;

static Size
shared_size(void)
{
	return offsetof(Shared, seats) + sizeof(Seat) * SEATS_PER_BACKEND * MaxBackends;
}

static void
attach(void *memory, LWLock *its_lock, bool is_new)
{
	shared = memory;
	lock = its_lock;
	if (!is_new)
		return;
	memset(shared, 0, shared_size());
	shared->room = SEATS_PER_BACKEND * MaxBackends;
}

const SigmaArea sigma_shared_area = {"sigma_fdw", shared_size, attach};

/* ------------------------------------------------------------------- seats */

/* How a budget stands, as one of its seats sees it. */
typedef struct Survey
{
	int			size;
	int			taken;
	int			own;			/* of these, by this backend */
	int			before;			/* how many have their turn before this seat */
	Seat	   *next;			/* of the others that wait, the one whose turn is next */
} Survey;

static bool
has_places(const Seat *seat, TimestampTz now)
{
	return seat->places > 0 && !TimestampDifferenceExceeds(seat->renewed, now, LEASE_MS);
}

static bool
is_waiting(const Seat *seat, TimestampTz now)
{
	return seat->ticket != 0 && !TimestampDifferenceExceeds(seat->asked, now, TURN_MS);
}

/* Of two that wait, does "a" have its turn first? */
static bool
goes_first(const Seat *a, const Seat *b)
{
	return a->places < b->places || (a->places == b->places && a->ticket < b->ticket);
}

/* Needs the lock, as all below. */
static void
look_around(Survey *survey, const Seat *me, TimestampTz now)
{
	memset(survey, 0, sizeof(Survey));
	survey->size = me->max;
	for (int i = 0; i < shared->nseats; i++)
	{
		Seat	   *seat = &shared->seats[i];
		bool		has = has_places(seat, now);
		bool		waits = is_waiting(seat, now);

		if (seat->pid == 0 || memcmp(&seat->key, &me->key, sizeof(SigmaSharedKey)) != 0 ||
			(!has && !waits))
			continue;
		survey->size = Min(survey->size, seat->max);
		if (has)
			survey->taken += seat->places;
		if (has && seat->pid == MyProcPid)
			survey->own += seat->places;
		if (!waits || seat == me)
			continue;
		survey->before += goes_first(seat, me);
		if (survey->next == NULL || goes_first(seat, survey->next))
			survey->next = seat;
	}
}

/* If there is a place free, wakes the one whose turn is next; he will wake another. */
static void
call_next(const Seat *me, TimestampTz now)
{
	Survey		survey;

	look_around(&survey, me, now);
	if (survey.next && survey.taken < survey.size)
		SetLatch(survey.next->latch);
}

/* A seat for a budget; NULL if there is none. */
static Seat *
take_seat(const SigmaSharedKey *key)
{
	for (int i = 0; i < shared->room; i++)
	{
		Seat	   *seat = &shared->seats[i];

		if (seat->pid != 0)
			continue;
		memset(seat, 0, sizeof(Seat));
		seat->pid = MyProcPid;
		seat->latch = MyLatch;
		seat->key = *key;
		shared->nseats = Max(shared->nseats, i + 1);
		return seat;
	}
	return NULL;
}

/* Gives a seat back with all places, to the others. */
static void
leave_seat(Seat *seat)
{
	seat->places = 0;
	seat->ticket = 0;
	/* not the least of anybody */
	seat->max = INT_MAX;
	call_next(seat, GetCurrentTimestamp());
	seat->pid = 0;
	while (shared->nseats > 0 && shared->seats[shared->nseats - 1].pid == 0)
		shared->nseats--;
}

/* A session has fewer requests, or waits no more: it keeps its seat while it needs it. */
static void
rest(Seat *seat, int *number)
{
	if (seat->places > 0 || seat->ticket != 0)
	{
		call_next(seat, GetCurrentTimestamp());
		return;
	}
	leave_seat(seat);
	*number = 0;
}

/* A backend that exits signs in no more, and has no requests under way. */
static void
give_back(int code UNUSED, Datum arg UNUSED)
{
	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < TOKENS; i++)
		if (shared->tokens[i].signer == MyProcPid)
			shared->tokens[i].signer = 0;
	for (int i = shared->nseats - 1; i >= 0; i--)
		if (shared->seats[i].pid == MyProcPid)
			leave_seat(&shared->seats[i]);
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

/* ------------------------------------------------------------------ tokens */

static bool
has_token(const Token *slot, TimestampTz now)
{
	return slot->token[0] && slot->token_end > now;
}

/* Is somebody about to get one? */
static bool
is_signing(const Token *slot, TimestampTz now)
{
	return slot->signer != 0 && !TimestampDifferenceExceeds(slot->renewed, now, LEASE_MS);
}

/* How many slots were taken for somebody. */
static int
tokens_of(Oid owner)
{
	int			n = 0;

	for (int i = 0; i < TOKENS; i++)
		n += shared->tokens[i].used && shared->tokens[i].owner == owner;
	return n;
}

/*
 * A slot for another key: a free one, or that which whoever has most of them
 * has used least.  NULL if a sign-in is under way for each.  Needs the lock.
 */
static Token *
vacate_slot(TimestampTz now)
{
	Token	   *victim = NULL;
	int			most = 0;

	for (int i = 0; i < TOKENS; i++)
	{
		Token	   *slot = &shared->tokens[i];
		int			n = tokens_of(slot->owner);

		if (is_signing(slot, now))
			continue;
		if (!has_token(slot, now))
			return slot;
		if (victim == NULL || n > most || (n == most && slot->uses < victim->uses))
		{
			victim = slot;
			most = n;
		}
	}
	return victim;
}

/* The slot of a key, or NULL.  Needs the lock. */
static Token *
find_slot(const SigmaSharedKey *key)
{
	for (int i = 0; i < TOKENS; i++)
		if (shared->tokens[i].used &&
			memcmp(&shared->tokens[i].key, key, sizeof(SigmaSharedKey)) == 0)
			return &shared->tokens[i];
	return NULL;
}

/* The slot of a key, taken if it is new; NULL if all are busy.  Needs the lock. */
static Token *
take_slot(const SigmaSharedKey *key, TimestampTz now)
{
	Token	   *slot = find_slot(key);

	if (slot)
		return slot;
	slot = vacate_slot(now);
	if (slot == NULL)
		return NULL;
	explicit_bzero(slot, sizeof(Token));
	slot->used = true;
	slot->key = *key;
	slot->owner = GetSessionUserId();
	return slot;
}

/*
 * Asks for the token of a key.  SIGMA_SHARED_TOKEN: *token has it, palloc'd,
 * with the time left in ms (infinite if not known).  SIGMA_SHARED_WAIT:
 * another backend is signing in.  SIGMA_SHARED_SIGN_IN: this one is to do it,
 * to say now and then that it is at it, and how it ended.
 */
SigmaSharedAnswer
sigma_shared_token(const SigmaSharedKey *key, char **token, double *left_ms)
{
	SigmaSharedAnswer answer = SIGMA_SHARED_SIGN_IN;
	TimestampTz now = GetCurrentTimestamp();
	char		copy[TOKEN_ROOM];
	Token	   *slot;

	if (!available())
		return SIGMA_SHARED_SIGN_IN;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = take_slot(key, now);
	if (slot && has_token(slot, now))
	{
		answer = SIGMA_SHARED_TOKEN;
		slot->uses++;
		strcpy(copy, slot->token);
		*left_ms = slot->token_end == DT_NOEND ? get_float8_infinity()
			: (double) (slot->token_end - now) / 1000;
	}
	else if (slot && is_signing(slot, now) && slot->signer != MyProcPid)
		answer = SIGMA_SHARED_WAIT;
	else if (slot)
	{
		slot->signer = MyProcPid;
		slot->renewed = now;
	}
	LWLockRelease(lock);
	if (answer == SIGMA_SHARED_TOKEN)
		*token = pstrdup(copy);
	return answer;
}

/* This backend's sign-in is still looked after. */
void
sigma_shared_renew_sign_in(const SigmaSharedKey *key)
{
	Token	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(key);
	if (slot && slot->signer == MyProcPid)
		slot->renewed = GetCurrentTimestamp();
	LWLockRelease(lock);
}

/* This backend's sign-in has ended: with a token and its life, or with NULL. */
void
sigma_shared_signed_in(const SigmaSharedKey *key, const char *token, double life_ms)
{
	TimestampTz now = GetCurrentTimestamp();
	Token	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = token ? take_slot(key, now) : find_slot(key);
	if (slot && slot->signer == MyProcPid)
		slot->signer = 0;
	if (slot && token && strlen(token) < TOKEN_ROOM)
	{
		strcpy(slot->token, token);
		slot->token_end = isinf(life_ms) ? DT_NOEND : now + (int64) (life_ms * 1000);
		/* what was used much yesterday may be used no more */
		slot->uses /= 2;
	}
	LWLockRelease(lock);
}

/* The API does not accept this token any more. */
void
sigma_shared_drop_token(const SigmaSharedKey *key, const char *token)
{
	Token	   *slot;

	if (!available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(key);
	if (slot && strcmp(slot->token, token) == 0)
		explicit_bzero(slot->token, sizeof(slot->token));
	LWLockRelease(lock);
}

/* ------------------------------------------------------------------ budget */

/*
 * Takes a place for one more request of a session, if it is its turn; "max" is
 * how many it says there may be in all.  If so, sigma_shared_end_request() must
 * be called when it has ended.  If not, the session waits for its turn: its
 * latch is set when that comes, but it must ask again every now and then.
 * *number is 0 at first, and then its seat's.
 */
bool
sigma_shared_begin_request(int *number, const SigmaSharedKey *key, int max)
{
	TimestampTz now = GetCurrentTimestamp();
	Seat	   *seat;
	Survey		survey;
	bool		ok = true;

	if (!available())
		return true;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	seat = *number ? &shared->seats[*number - 1] : take_seat(key);
	if (seat)
	{
		*number = (int) (seat - shared->seats) + 1;
		seat->max = max;
		seat->asked = now;
		if (seat->ticket == 0)
			seat->ticket = ++shared->tickets;
		look_around(&survey, seat, now);
		/* what this backend has for others of its sessions would be waited for in vain */
		ok = survey.taken + survey.before < survey.size || (seat->places == 0 && survey.own > 0);
		if (ok)
		{
			seat->places++;
			seat->renewed = now;
			seat->ticket = 0;
			call_next(seat, now);
		}
	}
	LWLockRelease(lock);
	return ok;
}

/* The requests of a session are still looked after. */
void
sigma_shared_renew(int number)
{
	if (number == 0 || !available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	shared->seats[number - 1].renewed = GetCurrentTimestamp();
	LWLockRelease(lock);
}

/* A session's request has ended. */
void
sigma_shared_end_request(int *number)
{
	Seat	   *seat;

	if (*number == 0 || !available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	seat = &shared->seats[*number - 1];
	seat->places--;
	rest(seat, number);
	LWLockRelease(lock);
}

/* A session that may wait for a place does not want one any more. */
void
sigma_shared_stop_waiting(int *number)
{
	Seat	   *seat;

	if (*number == 0 || !available())
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	seat = &shared->seats[*number - 1];
	seat->ticket = 0;
	rest(seat, number);
	LWLockRelease(lock);
}

/* -------------------------------------------------------------------- pace */

/*
 * The pace of a budget, with the lock held: sigma_shared_give_pace() gives it
 * back, and nothing in between may raise.  NULL, and no lock, if nothing is shared.
 */
SigmaPace *
sigma_shared_take_pace(const SigmaSharedKey *key)
{
	SharedPace *found;

	if (!available())
		return NULL;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	found = &shared->paces[0];
	for (int i = 0; i < PACES; i++)
	{
		SharedPace *pace = &shared->paces[i];

		if (pace->used != 0 && memcmp(&pace->key, key, sizeof(SigmaSharedKey)) == 0)
		{
			found = pace;
			break;
		}
		if (pace->used < found->used)
			found = pace;
	}
	if (found->used == 0 || memcmp(&found->key, key, sizeof(SigmaSharedKey)) != 0)
	{
		memset(found, 0, sizeof(SharedPace));
		found->key = *key;
	}
	found->used = GetCurrentTimestamp();
	return &found->pace;
}

void
sigma_shared_give_pace(void)
{
	LWLockRelease(lock);
}

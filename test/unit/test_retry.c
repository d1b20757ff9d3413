/*-------------------------------------------------------------------------
 *
 * test_retry.c
 *	  The rules of retry.c: may a request be sent again, and when.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "session/session_internal.h"

#include <limits.h>

#include "tap.h"

/* just below 1, as the generator of random numbers gives at most */
#define ALMOST_ONE 0.99999999

static const SigmaOutcome outcomes[] = {
	SIGMA_NO_RESOLVE, SIGMA_NO_CONNECT, SIGMA_NO_TLS, SIGMA_TLS_UNKNOWN_CA, SIGMA_TLS_EXPIRED,
	SIGMA_TLS_WRONG_HOST, SIGMA_CA_FILE_UNUSABLE, SIGMA_NO_SYSTEM_CA, SIGMA_CONNECT_TIMEOUT, SIGMA_REQUEST_TIMEOUT,
	SIGMA_LOST, SIGMA_TOO_LARGE, SIGMA_HEAD_TOO_LARGE, SIGMA_BAD_CODING, SIGMA_GARBLED, SIGMA_NO_RESOURCES
};

static const SigmaPurpose purposes[] = {SIGMA_READ, SIGMA_LOOKUP, SIGMA_WRITE, SIGMA_SIGN_IN};

/* A first attempt that was answered with a status. */
static SigmaAttempt
replied(SigmaPurpose purpose, int status, bool body_left)
{
	SigmaAttempt a = {.outcome = SIGMA_REPLIED, .status = status, .purpose = purpose,
	.body_left = body_left, .tries = 1, .max_retries = 5};

	return a;
}

/* The same, but no whole reply came. */
static SigmaAttempt
broken(SigmaPurpose purpose, SigmaOutcome outcome, bool body_left)
{
	SigmaAttempt a = replied(purpose, 0, body_left);

	a.outcome = outcome;
	return a;
}

static bool
passing_status(int status, SigmaPurpose purpose)
{
	static const int any[] = {429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 527, 530};

	for (int i = 0; i < (int) lengthof(any); i++)
		if (status == any[i])
			return true;
	return purpose != SIGMA_WRITE && (status == 408 || status == 425);
}

static bool
passing_outcome(SigmaOutcome outcome)
{
	return outcome == SIGMA_LOST || outcome == SIGMA_CONNECT_TIMEOUT ||
		outcome == SIGMA_REQUEST_TIMEOUT;
}

static void
test_statuses(void)
{
	tap_begin("retry: every status, for every purpose, with the body sent and not sent");
	for (int i = 0; i < (int) lengthof(purposes); i++)
		for (int left = 0; left <= 1; left++)
			for (int status = 100; status <= 999; status++)
			{
				SigmaAttempt a = replied(purposes[i], status, left);
				bool		expected = passing_status(status, purposes[i]);

				/* the one rule of "no double writes" */
				if (purposes[i] == SIGMA_WRITE && left)
					expected = status == 429;
				EXPECT((sigma_retry_delay(&a) >= 0) == expected,
					   "purpose %d, body left %d, status %d", purposes[i], left, status);
			}
	tap_end();

	tap_begin("retry: every way to get no reply, for every purpose, with the body sent and not sent");
	for (int i = 0; i < (int) lengthof(purposes); i++)
		for (int left = 0; left <= 1; left++)
			for (int j = 0; j < (int) lengthof(outcomes); j++)
			{
				SigmaAttempt a = broken(purposes[i], outcomes[j], left);
				bool		expected = passing_outcome(outcomes[j]);

				if (purposes[i] == SIGMA_WRITE && left)
					expected = false;
				EXPECT((sigma_retry_delay(&a) >= 0) == expected,
					   "purpose %d, body left %d, outcome %d", purposes[i], left, outcomes[j]);
			}
	tap_end();
}

/* A 429 or 503 that came with an earlier reply must not colour a lost one. */
static void
test_stale_status(void)
{
	tap_begin("retry: a status counts only if a whole reply came");
	for (int j = 0; j < (int) lengthof(outcomes); j++)
	{
		SigmaAttempt a = broken(SIGMA_WRITE, outcomes[j], true);

		a.status = 429;
		EXPECT(sigma_retry_delay(&a) == -1, "outcome %d", outcomes[j]);
		EXPECT(sigma_outcome_unknown(&a), "outcome %d is known", outcomes[j]);
		a = broken(SIGMA_SIGN_IN, outcomes[j], true);
		a.status = 429;
		a.tries = a.max_retries + 1;
		EXPECT(sigma_retry_delay(&a) == -1, "sign-in, outcome %d", outcomes[j]);
	}
	tap_end();
}

static void
test_tries(void)
{
	tap_begin("retry: max_retries retries and no more");
	for (int max_retries = 0; max_retries <= 100; max_retries++)
		for (int tries = 1; tries <= 103; tries++)
			for (int i = 0; i < (int) lengthof(purposes); i++)
			{
				SigmaAttempt a = replied(purposes[i], 503, false);

				a.max_retries = max_retries;
				a.tries = tries;
				EXPECT((sigma_retry_delay(&a) >= 0) == (tries <= max_retries),
					   "503, try %d of %d + 1", tries, max_retries);
				a.retry_after = "1";
				EXPECT((sigma_retry_delay(&a) >= 0) == (tries <= max_retries),
					   "503 with Retry-After, try %d of %d + 1", tries, max_retries);
				a.outcome = SIGMA_LOST;
				EXPECT((sigma_retry_delay(&a) >= 0) == (tries <= max_retries),
					   "lost, try %d of %d + 1", tries, max_retries);
				if (purposes[i] == SIGMA_SIGN_IN)
					continue;
				a = replied(purposes[i], 429, true);
				a.max_retries = max_retries;
				a.tries = tries;
				EXPECT((sigma_retry_delay(&a) >= 0) == (tries <= max_retries),
					   "429, try %d of %d + 1", tries, max_retries);
			}
	tap_end();

	tap_begin("retry: time waited costs nothing outside of sign-in");
	for (int i = 0; i < (int) lengthof(purposes); i++)
	{
		SigmaAttempt a = replied(purposes[i], purposes[i] == SIGMA_SIGN_IN ? 503 : 429, false);

		a.waited_ms = 1000000000L;
		EXPECT(sigma_retry_delay(&a) >= 0, "purpose %d", purposes[i]);
	}
	tap_end();
}

static void
test_outcome_unknown(void)
{
	tap_begin("outcome unknown: only a write whose body left, with no reply or with a 5xx");
	for (int i = 0; i < (int) lengthof(purposes); i++)
		for (int left = 0; left <= 1; left++)
		{
			bool		open = purposes[i] == SIGMA_WRITE && left;

			for (int status = 100; status <= 999; status++)
			{
				SigmaAttempt a = replied(purposes[i], status, left);

				EXPECT(sigma_outcome_unknown(&a) == (open && status >= 500),
					   "purpose %d, body left %d, status %d", purposes[i], left, status);
			}
			for (int j = 0; j < (int) lengthof(outcomes); j++)
			{
				SigmaAttempt a = broken(purposes[i], outcomes[j], left);

				EXPECT(sigma_outcome_unknown(&a) == open,
					   "purpose %d, body left %d, outcome %d", purposes[i], left, outcomes[j]);
			}
		}
	tap_end();

	tap_begin("outcome unknown: does not depend on tries, limits or a Retry-After");
	for (int tries = 1; tries < 10; tries++)
	{
		SigmaAttempt a = replied(SIGMA_WRITE, 503, true);

		a.tries = tries;
		a.retry_after = "1";
		a.max_retries = 100;
		EXPECT(sigma_outcome_unknown(&a) && sigma_retry_delay(&a) == -1, "try %d", tries);
	}
	tap_end();
}

/* Is the delay at both ends of the jitter as it should be? */
static void
expect_range(SigmaAttempt *a, long low, long high, const char *what)
{
	a->random = 0;
	EXPECT(sigma_retry_delay(a) == low, "%s, try %d: shortest is %ld, not %ld",
		   what, a->tries, sigma_retry_delay(a), low);
	a->random = ALMOST_ONE;
	EXPECT(sigma_retry_delay(a) == high - 1, "%s, try %d: longest is %ld, not %ld",
		   what, a->tries, sigma_retry_delay(a), high - 1);
	a->random = 0.5;
	EXPECT(sigma_retry_delay(a) == (low + high) / 2, "%s, try %d: middle is %ld, not %ld",
		   what, a->tries, sigma_retry_delay(a), (low + high) / 2);
}

static void
test_backoff(void)
{
	static const long pause[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	static const long limited[] = {4000, 8000, 16000, 30000, 30000};

	tap_begin("backoff: doubles from 200 ms, ends at 30 s, and half of it is jitter");
	for (int i = 0; i < (int) lengthof(purposes); i++)
		for (int tries = 1; tries <= (int) lengthof(pause); tries++)
		{
			SigmaAttempt a = replied(purposes[i], 503, false);

			a.max_retries = 100;
			a.tries = tries;
			expect_range(&a, pause[tries - 1] / 2, pause[tries - 1], "503");
			a.outcome = SIGMA_LOST;
			expect_range(&a, pause[tries - 1] / 2, pause[tries - 1], "lost");
		}
	tap_end();

	tap_begin("backoff: after a 429 it begins at 2 s");
	for (int i = 0; i < (int) lengthof(purposes); i++)
		for (int tries = 1; purposes[i] != SIGMA_SIGN_IN && tries <= (int) lengthof(limited); tries++)
		{
			SigmaAttempt a = replied(purposes[i], 429, true);

			a.max_retries = 100;
			a.tries = tries;
			expect_range(&a, limited[tries - 1] / 2, limited[tries - 1], "429");
		}
	tap_end();

	tap_begin("backoff: stays at its cap after any number of tries");
	{
		SigmaAttempt a = replied(SIGMA_READ, 503, false);

		a.max_retries = INT_MAX;
		for (int tries = 10; tries < 1000; tries++)
		{
			a.tries = tries;
			expect_range(&a, 15000, 30000, "503");
		}
		a.tries = INT_MAX;
		expect_range(&a, 15000, 30000, "503");
	}
	tap_end();
}

static void
test_sign_in(void)
{
	static const long pause[] = {2000, 4000, 8000, 16000, 16000, 16000};

	tap_begin("sign-in 429: waits for the published second, doubled up to 16 s");
	for (int tries = 1; tries <= (int) lengthof(pause); tries++)
	{
		SigmaAttempt a = replied(SIGMA_SIGN_IN, 429, true);

		a.tries = tries;
		expect_range(&a, pause[tries - 1] / 2, pause[tries - 1], "429");
	}
	tap_end();

	tap_begin("sign-in 429: costs time and not tries, 30 s per allowed retry");
	for (int max_retries = 0; max_retries <= 100; max_retries++)
		for (int tries = 1; tries < 2000; tries += 37)
		{
			SigmaAttempt a = replied(SIGMA_SIGN_IN, 429, true);

			a.max_retries = max_retries;
			a.tries = tries;
			a.waited_ms = Max(30000L * max_retries - 1, 0);
			EXPECT((sigma_retry_delay(&a) >= 0) == (max_retries > 0),
				   "max_retries %d, try %d, just before the end", max_retries, tries);
			a.waited_ms = 30000L * max_retries;
			EXPECT(sigma_retry_delay(&a) == -1, "max_retries %d, try %d, at the end", max_retries, tries);
		}
	tap_end();

	tap_begin("sign-in: what is not a 429 has tries like any request");
	{
		SigmaAttempt a = replied(SIGMA_SIGN_IN, 503, true);

		a.tries = a.max_retries + 1;
		EXPECT(sigma_retry_delay(&a) == -1, "503");
		a = broken(SIGMA_SIGN_IN, SIGMA_LOST, true);
		a.tries = a.max_retries + 1;
		EXPECT(sigma_retry_delay(&a) == -1, "lost");
		a = replied(SIGMA_SIGN_IN, 401, true);
		EXPECT(sigma_retry_delay(&a) == -1, "401");
	}
	tap_end();
}

static void
test_asked_delay(void)
{
	SigmaAttempt a = replied(SIGMA_READ, 429, false);

	tap_begin("Retry-After: is granted, with up to a tenth and 100 ms more");
	a.retry_after = "10";
	expect_range(&a, 10000, 11100, "10 s");
	a.retry_after = "0";
	expect_range(&a, 0, 100, "at once");
	a.retry_after = "86400";
	expect_range(&a, 60000, 66100, "over the cap");
	a.tries = 5;
	a.retry_after = "1";
	expect_range(&a, 1000, 1200, "takes the place of the backoff");
	a.status = 503;
	expect_range(&a, 1000, 1200, "with a 503");
	tap_end();

	tap_begin("Retry-After: at sign-in up to a second more");
	a = replied(SIGMA_SIGN_IN, 429, true);
	a.retry_after = "1";
	expect_range(&a, 1000, 2100, "1 s");
	a.retry_after = "0";
	expect_range(&a, 0, 1000, "at once");
	a = replied(SIGMA_SIGN_IN, 503, true);
	a.retry_after = "1";
	expect_range(&a, 1000, 1200, "1 s with a 503");
	tap_end();

	tap_begin("Retry-After: a date counts from now");
	a = replied(SIGMA_READ, 429, false);
	a.now = 784111777;
	a.retry_after = "Sun, 06 Nov 1994 08:49:57 GMT";
	expect_range(&a, 20000, 22100, "in 20 s");
	a.retry_after = "Sun, 06 Nov 1994 08:49:37 GMT";
	expect_range(&a, 0, 100, "now");
	a.retry_after = "Sun, 06 Nov 1994 08:49:36 GMT";
	expect_range(&a, 0, 100, "past");
	tap_end();

	tap_begin("Retry-After: what makes no sense leaves the backoff as it is");
	a = replied(SIGMA_READ, 429, false);
	a.tries = 3;
	a.retry_after = "soon";
	expect_range(&a, 8000, 16000, "a word");
	a.retry_after = "";
	expect_range(&a, 8000, 16000, "nothing");
	a.retry_after = "-1";
	expect_range(&a, 8000, 16000, "negative");
	tap_end();

	tap_begin("Retry-After: never makes an attempt repeatable that is not");
	a = replied(SIGMA_READ, 404, false);
	a.retry_after = "1";
	EXPECT(sigma_retry_delay(&a) == -1, "404");
	a = replied(SIGMA_READ, 301, false);
	a.retry_after = "1";
	EXPECT(sigma_retry_delay(&a) == -1, "301");
	a = replied(SIGMA_WRITE, 503, true);
	a.retry_after = "1";
	EXPECT(sigma_retry_delay(&a) == -1, "503 of a write");
	tap_end();
}

void
test_retry(void)
{
	test_statuses();
	test_stale_status();
	test_tries();
	test_outcome_unknown();
	test_backoff();
	test_sign_in();
	test_asked_delay();
}

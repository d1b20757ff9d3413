/*-------------------------------------------------------------------------
 *
 * fuzz_retry.c
 *	  The rules of retry.c hold for any attempt and any Retry-After.
 *
 * Input: twelve bytes that make up an attempt, then the header's value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "session/session_internal.h"

#include <time.h>

#include "fuzz.h"

#define HEAD 12

/* What an all-digits value means, by the C library; -1 if it is none. */
static long
seconds_of(const char *value)
{
	size_t		blank = strspn(value, " \t");
	size_t		digits = strspn(value + blank, "0123456789");
	unsigned long long seconds;

	if (digits == 0 || value[blank + digits + strspn(value + blank + digits, " \t")] != '\0')
		return -1;
	seconds = strtoull(value + blank, NULL, 10);	/* saturates */
	return seconds >= 60 ? 60000 : (long) seconds * 1000;
}

static void
check_retry_after(const char *value, int64 now)
{
	long		ms = sigma_parse_retry_after(value, now);
	long		number = seconds_of(value);
	struct tm	tm = {0};
	const char *rest;

	CHECK(ms >= -1 && ms <= 60000);
	if (number >= 0)
	{
		CHECK(ms == number);
		return;
	}
	if (ms < 0)
		return;
	/* not a number, but accepted: a date.  The C library must read the same. */
	rest = strptime(value + strspn(value, " \t"), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (rest && tm.tm_year >= 70)
	{
		int64		moment = timegm(&tm);

		CHECK(ms == (moment <= now ? 0 : Min(moment - now, 60) * 1000));
	}
	/* later is never longer */
	CHECK(sigma_parse_retry_after(value, now + 1) <= ms);
}

static void
check_attempt(const SigmaAttempt *a)
{
	long		delay = sigma_retry_delay(a);
	bool		replied = a->outcome == SIGMA_REPLIED;
	bool		turn = replied && a->status == 429 && a->purpose == SIGMA_SIGN_IN;
	SigmaAttempt other;

	CHECK(delay >= -1);
	/* the longest: a full Retry-After, a tenth of it, and a second at sign-in */
	CHECK(delay <= (turn ? 67000 : 66100));
	if (delay < 0)
		return;

	/* a write whose body left is repeated for one reason only */
	if (a->purpose == SIGMA_WRITE && a->body_left)
		CHECK(replied && a->status == 429);
	CHECK(!sigma_outcome_unknown(a));
	/* nothing is repeated that was carried out, or refused for good */
	if (replied)
		CHECK(a->status == 429 || (a->status >= 500 && a->status <= 530 && a->status != 501) ||
			  (a->purpose != SIGMA_WRITE && (a->status == 408 || a->status == 425)));
	/* there is an end */
	CHECK(turn ? a->waited_ms < 30000L * a->max_retries : a->tries <= a->max_retries);
	/* what a server asks for is granted */
	if (a->retry_after && sigma_parse_retry_after(a->retry_after, a->now) >= 0)
		CHECK(delay >= sigma_parse_retry_after(a->retry_after, a->now));
	else
		CHECK(delay >= (turn ? 1000 : replied && a->status == 429 ? 2000 : 100) &&
			  delay <= (turn ? 16000 : 30000));

	/* the same attempt as a read, or with nothing sent, is repeatable as well */
	other = *a;
	other.body_left = false;
	CHECK(sigma_retry_delay(&other) == delay);
	if (!turn)
	{
		other = *a;
		other.purpose = SIGMA_READ;
		CHECK(sigma_retry_delay(&other) == delay);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SigmaAttempt a = {0};
	char	   *value;
	int64		now;

	if (size < HEAD)
		return 0;
	/* the status that came, and those that matter more often than by chance */
	a.outcome = (SigmaOutcome) (data[0] & 0x80 ? 0 : data[0] % (SIGMA_NO_RESOURCES + 1));
	a.status = data[1] & 0x80 ? 400 + data[2] % 200 : data[1] << 8 | data[2];
	a.purpose = (SigmaPurpose) (data[3] % (SIGMA_SIGN_IN + 1));
	a.body_left = data[3] & 0x80;
	a.tries = 1 + data[4] % 128;
	a.max_retries = data[5] % 101;
	a.waited_ms = (long) data[6] * 12345;
	a.random = data[7] / 256.0;
	/* around the RFC's example, or anywhere */
	now = data[8] & 0x80 ? 784111777 - 128 + data[9] :
		((int64) data[8] << 32 | (int64) data[9] << 24 | data[10] << 16 | data[11] << 8) - (INT64CONST(1) << 37);
	a.now = now;

	value = malloc(size - HEAD + 1);
	memcpy(value, data + HEAD, size - HEAD);
	value[size - HEAD] = '\0';
	check_retry_after(value, now);
	check_attempt(&a);
	a.retry_after = value;
	check_attempt(&a);
	free(value);
	return 0;
}

/*-------------------------------------------------------------------------
 *
 * retry.c
 *	  May this request be sent again, and when.
 *
 * The rules are pure functions of what is known of the attempt, so that they
 * can be tested and fuzzed without a network or a backend.  They come from
 * doc/internals.md, "Retries": a read may be repeated after any failure that
 * may pass by itself; a write only if it is certain that it was not carried
 * out, since the API has no idempotency key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"
#include "session/session_internal.h"

/* The first pause; each further one is twice as long, up to the cap. */
#define BACKOFF_FIRST_MS	200L
#define BACKOFF_CAP_MS		30000L

/*
 * Where too much is asked for, it is mostly the edge that says so, without a
 * Retry-After, and it lets nobody in again for seconds.
 */
#define LIMITED_FIRST_MS	2000L

/* A server may ask for any pause; we grant it up to this. */
#define RETRY_AFTER_CAP_MS	60000L

/*
 * The published limit is one sign-in a second, for all sessions of one client
 * together.  Whoever is told to wait waits for about that long, and goes on
 * for this long per allowed retry, so that many sessions which start at once
 * all get their turn.
 */
#define SIGN_IN_FIRST_MS	1000L
#define SIGN_IN_CAP_MS		8000L
#define SIGN_IN_PATIENCE_MS 30000L

bool
sigma_status_passes(int status, SigmaPurpose purpose)
{
	switch (status)
	{
		case 429:
		case 500:
		case 502:
		case 503:
		case 504:
			/* the edge's words for an origin that did not answer well */
		case 520:
		case 521:
		case 522:
		case 523:
		case 524:
		case 527:
		case 530:
			return true;
		case 408:
		case 425:
			/* they ask to come again, but promise no more than that */
			return purpose != SIGMA_WRITE;
		default:
			return false;
	}
}

/* A failure that may pass by itself. */
static bool
is_transient(const SigmaAttempt *attempt)
{
	switch (attempt->outcome)
	{
		case SIGMA_REPLIED:
			return sigma_status_passes(attempt->status, attempt->purpose);
		case SIGMA_LOST:
		case SIGMA_CONNECT_TIMEOUT:
		case SIGMA_REQUEST_TIMEOUT:
			return true;
		default:
			return false;
	}
}

/*
 * Is it open whether a write was carried out?  It is not if no byte of its
 * body has left, or if the server refused it (a status below 500).
 */
bool
sigma_outcome_unknown(const SigmaAttempt *attempt)
{
	if (attempt->purpose != SIGMA_WRITE || !attempt->body_left)
		return false;
	return attempt->outcome != SIGMA_REPLIED || attempt->status >= 500;
}

/*
 * Was the connection lost while nobody looked after it?  The peer has waited
 * in vain, for a handshake to go on say, so that is no failure of its own: a
 * read is sent again at once, and no try is spent.
 */
bool
sigma_attempt_is_free(const SigmaAttempt *attempt)
{
	if (!attempt->unattended || attempt->purpose == SIGMA_WRITE)
		return false;
	return attempt->outcome == SIGMA_NO_CONNECT || attempt->outcome == SIGMA_NO_TLS ||
		attempt->outcome == SIGMA_LOST;
}

/* A pause between half of "ms" and the whole of it. */
static long
jitter(long ms, double random)
{
	return (long) (ms / 2.0 + ms / 2.0 * random);
}

/* first, doubled for each try after the first, but never over cap */
static long
doubled(long first, long cap, int tries)
{
	long		ms = first;

	while (--tries > 0 && ms < cap)
		ms *= 2;
	return ms < cap ? ms : cap;
}

/*
 * How many milliseconds to wait before the request is sent again; -1 if it
 * must not be.
 */
long
sigma_retry_delay(const SigmaAttempt *attempt)
{
	bool		limited = attempt->outcome == SIGMA_REPLIED && attempt->status == 429;
	bool		turn = limited && attempt->purpose == SIGMA_SIGN_IN;
	long		asked;

	if (!is_transient(attempt) || sigma_outcome_unknown(attempt))
		return -1;

	/* being told to wait one's turn at sign-in costs time, not tries */
	if (turn)
	{
		if (attempt->waited_ms >= SIGN_IN_PATIENCE_MS * attempt->max_retries)
			return -1;
	}
	else if (attempt->tries > attempt->max_retries)
		return -1;

	if (attempt->retry_after &&
		(asked = sigma_parse_retry_after(attempt->retry_after, attempt->now)) >= 0)
	{
		/* a little later than asked, so that not all come back at once */
		return asked + (long) (attempt->random * (asked / 10.0 + (turn ? 1000.0 : 100.0)));
	}

	if (turn)
		return jitter(2 * doubled(SIGN_IN_FIRST_MS, SIGN_IN_CAP_MS, attempt->tries),
					  attempt->random);
	/* never sooner than that */
	if (limited)
		return jitter(2 * doubled(LIMITED_FIRST_MS, BACKOFF_CAP_MS / 2, attempt->tries),
					  attempt->random);
	return jitter(doubled(BACKOFF_FIRST_MS, BACKOFF_CAP_MS, attempt->tries), attempt->random);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64
days_from_civil(int64 year, int month, int day)
{
	int64		era;
	int64		year_of_era;
	int64		day_of_year;

	/* count years from March, so that a leap day ends one */
	if (month <= 2)
		year--;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		day_of_year - 719468;
}

/*
 * An HTTP date of the preferred form (RFC 9110, 5.6.7) in seconds since 1970;
 * -1 if it is none.
 */
int64
sigma_parse_http_date(const char *value)
{
	static const char form[] = "AAA, 00 AAA 0000 00:00:00 GMT";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	char		month_name[4];
	const char *found;
	int			month,
				day,
				year,
				hour,
				minute,
				second;
	bool		leap;

	/* sscanf() alone would take blanks, signs and short fields */
	for (int i = 0; form[i]; i++)
	{
		bool		letter = (value[i] >= 'A' && value[i] <= 'Z') || (value[i] >= 'a' && value[i] <= 'z');
		bool		digit = value[i] >= '0' && value[i] <= '9';

		if (form[i] == 'A' ? !letter : form[i] == '0' ? !digit : value[i] != form[i])
			return -1;
	}
	if (value[strlen(form) + strspn(value + strlen(form), " \t")] != '\0' ||
		sscanf(value + 5, "%2d %3s %4d %2d:%2d:%2d", &day, month_name, &year, &hour, &minute, &second) != 6)
		return -1;
	found = strstr(months, month_name);
	if (found == NULL || (found - months) % 3 != 0)
		return -1;
	month = (int) (found - months) / 3 + 1;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day < 1 || day > days[month - 1] + (month == 2 && leap) ||
		year < 1970 || hour > 23 || minute > 59 || second > 60)
		return -1;
	return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/*
 * The pause that a Retry-After header asks for, in milliseconds, at most the
 * cap: a number of seconds or a date (RFC 9110, 10.2.3).  "now" is in seconds
 * since 1970.  -1 if the value is neither; 0 for a date that has passed.
 */
long
sigma_parse_retry_after(const char *value, int64 now)
{
	const char *p = value;
	int64		seconds = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p >= '0' && *p <= '9')
	{
		for (; *p >= '0' && *p <= '9'; p++)
			if (seconds < RETRY_AFTER_CAP_MS)
				seconds = seconds * 10 + (*p - '0');
		while (*p == ' ' || *p == '\t')
			p++;
		if (*p != '\0')
			return -1;
	}
	else
	{
		int64		date = sigma_parse_http_date(p);

		if (date < 0)
			return -1;
		seconds = date > now ? date - now : 0;
	}
	return seconds >= RETRY_AFTER_CAP_MS / 1000 ? RETRY_AFTER_CAP_MS : (long) seconds * 1000;
}

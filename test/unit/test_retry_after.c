/*-------------------------------------------------------------------------
 *
 * test_retry_after.c
 *	  The header Retry-After: seconds or a date (RFC 9110, 10.2.3).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "session/session_internal.h"

#include <time.h>

#include "tap.h"

/* the moment of RFC 9110's own example */
#define EXAMPLE		784111777
#define EXAMPLE_TEXT "Sun, 06 Nov 1994 08:49:37 GMT"

/*
 * Parses a copy that ends where it ends, so that a read behind the
 * terminating NUL is seen.
 */
static long
parse(const char *value, int64 now)
{
	char	   *copy = strdup(value);
	long		ms = sigma_parse_retry_after(copy, now);

	free(copy);
	return ms;
}

static void
test_seconds(void)
{
	static const struct
	{
		const char *value;
		long		ms;
	}			cases[] = {
		{"0", 0}, {"00", 0}, {"1", 1000}, {"9", 9000}, {"01", 1000}, {"0000000000000000000000059", 59000},
		{"59", 59000}, {"60", 60000}, {"61", 60000}, {"3600", 60000}, {"59999", 60000},
		{"60000", 60000}, {"60001", 60000}, {"600000", 60000},
		{" 5", 5000}, {"\t5", 5000}, {"5 ", 5000}, {"5\t ", 5000}, {"  5  ", 5000},
		{"2147483647", 60000}, {"2147483648", 60000}, {"4294967295", 60000}, {"4294967296", 60000},
		{"4294967301", 60000}, {"9223372036854775807", 60000}, {"9223372036854775808", 60000},
		{"18446744073709551615", 60000}, {"18446744073709551621", 60000},
		{"99999999999999999999999999999999999999999999999999999999999999", 60000},
	};

	tap_begin("Retry-After in seconds: value, white space, cap and overflow");
	for (int i = 0; i < (int) lengthof(cases); i++)
		EXPECT(parse(cases[i].value, EXAMPLE) == cases[i].ms, "\"%s\" gives %ld",
			   cases[i].value, parse(cases[i].value, EXAMPLE));
	for (int seconds = 0; seconds <= 100000; seconds++)
	{
		char		value[16];

		snprintf(value, sizeof(value), "%d", seconds);
		EXPECT(parse(value, 0) == Min(seconds, 60) * 1000L, "%d", seconds);
	}
	tap_end();
}

static void
test_garbage(void)
{
	static const char *const cases[] = {
		"", " ", "\t", "-1", "-0", "+1", "1.5", "1,", "1;", "1s", "1 s", "5 5", "0x10", "1e3", "1_000",
		"soon", "null", "NaN", "inf", "%s%n", "Sun", "Sun,", "GMT", "\r", "1\r", "1\n", "\v1", "\f1",
		"\302\2401", "\331\241", "Sun, 06 Nov 1994", "1994-11-06T08:49:37Z",
	};

	tap_begin("Retry-After: neither a number nor a date");
	for (int i = 0; i < (int) lengthof(cases); i++)
		EXPECT(parse(cases[i], 0) == -1, "\"%s\" gives %ld", cases[i], parse(cases[i], 0));
	tap_end();
}

/* A date as a server writes it, by the C library and not by our own sums. */
static void
format_date(char *out, size_t size, int64 moment)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	time_t		t = (time_t) moment;
	struct tm	tm;

	gmtime_r(&t, &tm);
	snprintf(out, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
			 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
test_dates(void)
{
	char		value[64];

	tap_begin("Retry-After as a date: RFC 9110's example");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE - 7) == 7000, "7 s");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE - 1) == 1000, "1 s");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE) == 0, "now");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE + 1) == 0, "1 s ago");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE + 1000000000) == 0, "long ago");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE - 59) == 59000, "59 s");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE - 60) == 60000, "60 s");
	EXPECT(parse(EXAMPLE_TEXT, EXAMPLE - 61) == 60000, "61 s");
	EXPECT(parse(EXAMPLE_TEXT, 0) == 60000, "years");
	EXPECT(parse("  " EXAMPLE_TEXT "  ", EXAMPLE - 7) == 7000, "white space around it");
	tap_end();

	tap_begin("Retry-After as a date: every day from 1970 to 2500, leap years and all");
	for (int64 day = 0; day < 194000; day++)
	{
		int64		moment = day * 86400 + (day * 7919) % 86400;

		format_date(value, sizeof(value), moment);
		EXPECT(parse(value, moment - 7) == 7000, "%s gives %ld", value, parse(value, moment - 7));
	}
	tap_end();

	tap_begin("Retry-After as a date: every second of a day");
	for (int64 second = 0; second < 86400; second++)
	{
		format_date(value, sizeof(value), 951782400 + second);	/* 29 Feb 2000 */
		EXPECT(parse(value, 951782400 + second - 30) == 30000, "%s", value);
	}
	tap_end();

	tap_begin("Retry-After as a date: the edges");
	EXPECT(parse("Thu, 01 Jan 1970 00:00:00 GMT", -5) == 5000, "the first second of 1970");
	EXPECT(parse("Thu, 01 Jan 1970 00:00:00 GMT", 0) == 0, "the same, now");
	EXPECT(parse("Fri, 31 Dec 9999 23:59:59 GMT", INT64CONST(253402300799) - 3) == 3000, "the last one");
	EXPECT(parse("Fri, 31 Dec 9999 23:59:59 GMT", 0) == 60000, "the last one, from 1970");
	EXPECT(parse("Tue, 19 Jan 2038 03:14:08 GMT", INT64CONST(2147483648) - 3) == 3000, "past 2^31");
	EXPECT(parse("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 - 3) == 3000, "a leap second");
	EXPECT(parse("Tue, 29 Feb 2000 12:00:00 GMT", 951825600 - 3) == 3000, "29 Feb 2000");
	tap_end();
}

static void
test_bad_dates(void)
{
	static const char *const cases[] = {
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1969 08:49:37 GMT",
		"Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 -1:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:-1:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 08:49:-1 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GM", "Sun, 06 Nov 1994 08:49 GMT",
		"Sun, 06 Nov 1994 08.49.37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
		"06 Nov 1994 08:49:37 GMT", ", 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 No 1994 08:49:37 GMT", "Sun, 06 November 1994 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
		"Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 NOV 1994 08:49:37 GMT", "Sun, 06 11 1994 08:49:37 GMT",
		"Sun, Nov 06 1994 08:49:37 GMT", "Sun, 006 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 19940 08:49:37 GMT", "Sun, 06 Nov 1994 008:49:37 GMT",
		"Sun, 06 Nov 1994 08:049:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 gmt", "Sun, 06 Nov 1994 08:49:37 GM T",
	};
	static const char *const loose[] = {
		EXAMPLE_TEXT "x", EXAMPLE_TEXT " x", EXAMPLE_TEXT "+1", EXAMPLE_TEXT ", 5",
		"Sun,06Nov1994 08:49:37 GMT", "Sun,   06   Nov   1994   08:49:37   GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08: 9: 7 GMT",
		"Sun,\n06 Nov 1994 08:49:37 GMT", "S, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37GMT",
	};
	static const char *const impossible[] = {
		"Sat, 30 Feb 2036 00:00:00 GMT", "Sun, 29 Feb 2037 00:00:00 GMT",
		"Mon, 29 Feb 2100 00:00:00 GMT", "Tue, 31 Apr 2035 00:00:00 GMT",
		"Sun, 31 Jun 2035 00:00:00 GMT", "Mon, 31 Sep 2035 00:00:00 GMT",
		"Sat, 31 Nov 2035 00:00:00 GMT",
	};

	tap_begin("Retry-After as a date: wrong fields");
	for (int i = 0; i < (int) lengthof(cases); i++)
		EXPECT(parse(cases[i], 0) == -1, "\"%s\" gives %ld", cases[i], parse(cases[i], 0));
	tap_end();

	tap_begin("Retry-After as a date: cut anywhere");
	for (size_t length = 0; length < strlen(EXAMPLE_TEXT); length++)
	{
		char	   *cut = strndup(EXAMPLE_TEXT, length);

		EXPECT(parse(cut, 0) == -1, "\"%s\"", cut);
		free(cut);
	}
	tap_end();

	tap_begin("Retry-After as a date: the form is fixed, nothing before, between or behind");
	for (int i = 0; i < (int) lengthof(loose); i++)
		EXPECT(parse(loose[i], 0) == -1, "\"%s\" gives %ld", loose[i], parse(loose[i], 0));
	tap_end();

	tap_begin("Retry-After as a date: days that the calendar does not have");
	for (int i = 0; i < (int) lengthof(impossible); i++)
		EXPECT(parse(impossible[i], 0) == -1, "\"%s\" gives %ld", impossible[i], parse(impossible[i], 0));
	tap_end();
}

void
test_retry_after(void)
{
	test_seconds();
	test_garbage();
	test_dates();
	test_bad_dates();
}

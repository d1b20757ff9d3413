/*-------------------------------------------------------------------------
 *
 * test_report.c
 *	  The parts of failure.c and text.c that need no backend: SQLSTATE by cause, cleaning
 *	  of foreign text, masking of secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/pg_list.h"

#include "base/base.h"

#include "mb/pg_wchar.h"

#include "backend_shim.h"
#include "tap.h"

/* Cleans a copy that has nothing behind it. */
static char *
clean(const char *text, size_t length, size_t limit)
{
	char	   *copy = malloc(length);
	char	   *out;

	memcpy(copy, text, length);
	out = sigma_clean_text(copy, length, limit);
	free(copy);
	return out;
}

static void
test_clean_text(void)
{
#define CASE(text, limit, cleaned) {text, sizeof(text) - 1, limit, cleaned}
	static const struct
	{
		const char *text;
		size_t		length;
		size_t		limit;
		const char *cleaned;
	}			cases[] = {
		CASE("", 10, ""), CASE("", 0, ""), CASE("abc", 10, "abc"), CASE("abc", 3, "abc"),
		CASE("abcd", 3, "abc..."), CASE("abcd", 0, "..."), CASE("a\nb\tc\rd", 10, "a b c d"),
		CASE("\x01\x1f\x7f", 10, "   "), CASE("a\0b", 10, "a b"), CASE("\x1b[31mred", 20, " [31mred"),
		CASE("\xc3\xa9", 10, "\xc3\xa9"), CASE("\xf0\x9f\x98\x80", 10, "\xf0\x9f\x98\x80"),
		/* cut between characters, never within one */
		CASE("a\xc3\xa9z", 2, "a..."), CASE("a\xc3\xa9z", 3, "a\xc3\xa9..."),
		CASE("\xf0\x9f\x98\x80z", 1, "..."), CASE("\xf0\x9f\x98\x80z", 3, "..."),
		CASE("\xf0\x9f\x98\x80z", 4, "\xf0\x9f\x98\x80..."),
		/* what is not UTF-8 becomes ASCII, all of it */
		CASE("\xff", 10, "?"), CASE("a\xe9" "b", 10, "a?b"), CASE("\xc3", 10, "?"),
		CASE("\xc3\xa9\xff", 10, "???"), CASE("\xed\xa0\x80", 10, "???"), CASE("\xc0\x80", 10, "??"),
		/* what else a terminal or a reader would obey: C1, marks of direction, separators, the invisible */
		CASE("a\xc2\x9b" "5m\xc2\x85z", 20, "a 5m z"), CASE("\xc2\xa0\xc2\xa1", 10, "\xc2\xa0\xc2\xa1"),
		CASE("a\xe2\x80\xaetxt\xe2\x80\xac", 20, "a txt "), CASE("\xe2\x81\xa6x\xe2\x81\xa9", 20, " x "),
		CASE("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", 20, "   "), CASE("a\xe2\x80\xa8z\xe2\x80\xa9", 20, "a z "),
		CASE("\xef\xbb\xbfx\xc2\xad\xe2\x80\x8b", 20, " x  "), CASE("\xf3\xa0\x81\x81", 20, " "),
		/* letters of some languages, and faces, are joined so */
		CASE("\xe2\x80\x8c\xe2\x80\x8d", 20, "\xe2\x80\x8c\xe2\x80\x8d"),
		CASE("\xff\xfe\xfd\xfc", 2, "??..."), CASE("\xf0\x9f\x98", 10, "???"), CASE("abc\xf0", 3, "abc..."),
	};

	tap_begin("foreign text: cut between characters, without control characters, in the right encoding");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *out = clean(cases[i].text, cases[i].length, cases[i].limit);

		EXPECT(strcmp(out, cases[i].cleaned) == 0, "case %d gives \"%s\"", i, out);
	}
	tap_end();

	tap_begin("foreign text: any bytes at any limit come out short and printable");
	for (int round = 0; round < 20000; round++)
	{
		unsigned char text[24];
		size_t		length = rand() % (sizeof(text) + 1);
		size_t		limit = rand() % 30;
		char	   *out;

		for (size_t i = 0; i < length; i++)
			text[i] = (unsigned char) (rand() % 3 ? 0x80 + rand() % 128 : rand() % 128);
		out = clean((char *) text, length, limit);
		EXPECT(strlen(out) <= limit + (length > limit ? 3 : 0), "round %d is too long", round);
		EXPECT(pg_verify_mbstr(PG_UTF8, out, (int) strlen(out), true), "round %d is not UTF-8", round);
		for (const char *p = out; *p; p++)
			EXPECT((unsigned char) *p >= 0x20 && *p != 0x7F && memcmp(p, "\xc2\x9b", 2) != 0,
				   "round %d has a control character", round);
		pfree(out);
	}
	tap_end();

	tap_begin("foreign text: in a database that is not UTF-8, ASCII and question marks");
	shim_encoding = PG_LATIN1;
	EXPECT(strcmp(clean("a\xc3\xa9z", 4, 10), "a??z") == 0, "LATIN1");
	shim_encoding = PG_SQL_ASCII;
	EXPECT(strcmp(clean("a\xc3\xa9z", 4, 10), "a??z") == 0, "SQL_ASCII");
	shim_encoding = PG_UTF8;
	tap_end();
}

static void
test_quoted(void)
{
	static const struct
	{
		const char *text;
		const char *quoted;
	}			cases[] = {
		{"", "\"\""}, {"plain", "\"plain\""}, {"a\"b", "\"a\\\"b\""}, {"a\\", "\"a\\\\\""},
		{"\\\"", "\"\\\\\\\"\""}, {"a\x1b\nb", "\"a  b\""}, {"\xc3\xa9", "\"\xc3\xa9\""},
		{"\xe2\x80\xae\"", "\" \\\"\""},
	};
	char		longer[301];

	tap_begin("foreign text: in quotes that it cannot leave");
	for (int i = 0; i < (int) lengthof(cases); i++)
		EXPECT(strcmp(sigma_quoted(cases[i].text), cases[i].quoted) == 0, "case %d gives %s", i,
			   sigma_quoted(cases[i].text));
	memset(longer, '"', 300);
	longer[300] = '\0';
	EXPECT(strlen(sigma_quoted(longer)) == 2 + 3 + 2 * 200, "cut");
	memset(longer, 'x', 199);
	memcpy(longer + 199, "\xc3\xa9", 3);
	EXPECT(strcmp(sigma_quoted(longer) + 200, "...\"") == 0, "cut between characters");
	EXPECT(strcmp(sigma_shown_id("b490ca3a-a47a-4000-8a56-00000000000f"), "b490ca3a-a47a-4000-8a56-00000000000f") == 0, "an id");
	EXPECT(strcmp(sigma_shown_id("1, status 200"), "\"1, status 200\"") == 0, "what is none");
	EXPECT(strcmp(sigma_shown_id(""), "\"\"") == 0, "nothing");
	shim_encoding = PG_LATIN1;
	EXPECT(strcmp(sigma_quoted("K\xf6ln\x9b"), "\"K\xf6ln \"") == 0, "LATIN1");
	shim_encoding = PG_WIN1252;
	EXPECT(strcmp(sigma_quoted("\x80 20"), "\"\x80 20\"") == 0, "WIN1252 has letters there");
	shim_encoding = PG_SQL_ASCII;
	EXPECT(strcmp(sigma_quoted("K\xf6ln\x9b"), "\"K?ln?\"") == 0, "SQL_ASCII");
	shim_encoding = PG_UTF8;
	tap_end();
}

/*
 * Masks up to three secrets.  Masks side by side count as one: how many there
 * are of them is nobody's concern.
 */
static char *
mask(const char *text, const char *first, const char *second, const char *third)
{
	char	   *out;
	char	   *twice;
	List	   *secrets = lappend(NIL, unconstify(char *, first));

	if (second)
		secrets = lappend(secrets, unconstify(char *, second));
	if (third)
		secrets = lappend(secrets, unconstify(char *, third));
	out = pstrdup(sigma_mask(pstrdup(text), secrets));
	while ((twice = strstr(out, "******")) != NULL)
		memmove(twice, twice + 3, strlen(twice + 3) + 1);
	return out;
}

static void
test_mask(void)
{
	static const struct
	{
		const char *text;
		const char *secret;
		const char *masked;
	}			cases[] = {
		{"the key is hunter2.", "hunter2", "the key is ***."}, {"hunter2", "hunter2", "***"},
		{"hunter2hunter2", "hunter2", "***"}, {"xhunter2y", "hunter2", "x***y"},
		{"nothing here", "hunter2", "nothing here"}, {"", "hunter2", ""}, {"text", "", "text"},
		{"hunter", "hunter2", "hunter"}, {"Hunter2", "hunter2", "Hunter2"},
		{"abababab", "abab", "***"}, {"x***y", "***", "x***y"}, {"x****y", "****", "x***y"},
		/* short ones as whole words only */
		{"a cat", "a", "*** cat"}, {"cat a", "a", "cat ***"}, {"a", "a", "***"}, {"cat", "a", "cat"},
		{"(abc)", "abc", "(***)"}, {"abcd", "abc", "abcd"}, {"_abc", "abc", "_abc"}, {"abc_", "abc", "abc_"},
		{"1abc", "abc", "1abc"}, {"abc=abc;xabc", "abc", "***=***;xabc"}, {"abcdx", "abcd", "***x"},
		{"\"pw\":\"pw\"", "pw", "\"***\":\"***\""}, {"a\xc3\xa9z", "\xc3\xa9", "a\xc3\xa9z"},
		{"multi\nline\nkey!", "line\nkey", "multi\n***!"},
		/* a long one that is cut off, by whoever repeats it */
		{"key MIIEvQIBADANBgkqhkiG", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "key ***"},
		{"key MIIEvQIBADANBgkqhki... end", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "key ***... end"},
		{"MIIEvQIBADAN, MIIEvQIx", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "***, MIIEvQIx"},
	};

	tap_begin("secrets: masked wherever they stand, short ones as words");
	for (int i = 0; i < (int) lengthof(cases); i++)
	{
		char	   *out = mask(cases[i].text, cases[i].secret, NULL, NULL);

		EXPECT(strcmp(out, cases[i].masked) == 0, "\"%s\" without \"%s\" is \"%s\"",
			   cases[i].text, cases[i].secret, out);
	}
	EXPECT(strcmp(sigma_mask(pstrdup("text"), NIL), "text") == 0, "no secrets");
	EXPECT(strcmp(mask("one two three four", "four", "two1", "three"), "one two *** ***") == 0, "three secrets");
	tap_end();

	tap_begin("secrets: one that holds another leaves nothing behind");
	EXPECT(strstr(mask("x hunter2-and-more y", "hunter2", "hunter2-and-more", NULL), "and-more") == NULL,
		   "the shorter first");
	EXPECT(strstr(mask("x hunter2-and-more y", "hunter2-and-more", "hunter2", NULL), "and-more") == NULL,
		   "the longer first");
	EXPECT(strcmp(mask("x hunter2-hunter3 y", "hunter2", "hunter3", "hunter2-hunter3"), "x *** y") == 0,
		   "two parts and the whole");
	EXPECT(strcmp(mask("x one-two-three y", "one-two", "two-three", NULL), "x *** y") == 0, "two that overlap");
	/* the mask of one must not be taken apart by another */
	EXPECT(strcmp(mask("x hunter2 y", "hunter2", "*", NULL), "x *** y") == 0, "a star");
	tap_end();
}

typedef struct CauseCase
{
	SigmaOutcome outcome;
	int			status;
	SigmaPurpose purpose;
	const char *sqlstate;
} CauseCase;

static const CauseCase causes[] = {
	{SIGMA_NO_RESOLVE, 0, SIGMA_READ, "08001"}, {SIGMA_NO_CONNECT, 0, SIGMA_READ, "08001"},
	{SIGMA_NO_TLS, 0, SIGMA_READ, "08001"}, {SIGMA_TLS_UNKNOWN_CA, 0, SIGMA_READ, "08001"},
	{SIGMA_TLS_EXPIRED, 0, SIGMA_READ, "08001"}, {SIGMA_TLS_WRONG_HOST, 0, SIGMA_READ, "08001"},
	{SIGMA_CA_FILE_UNUSABLE, 0, SIGMA_READ, "08001"}, {SIGMA_CONNECT_TIMEOUT, 0, SIGMA_READ, "08006"},
	{SIGMA_REQUEST_TIMEOUT, 0, SIGMA_READ, "08006"}, {SIGMA_LOST, 0, SIGMA_READ, "08006"},
	{SIGMA_NO_SYSTEM_CA, 0, SIGMA_READ, "08001"}, {SIGMA_HEAD_TOO_LARGE, 0, SIGMA_READ, "HV000"},
	{SIGMA_BAD_CODING, 0, SIGMA_READ, "HV000"},
	{SIGMA_TOO_LARGE, 0, SIGMA_READ, "HV000"}, {SIGMA_GARBLED, 0, SIGMA_READ, "HV000"},
	{SIGMA_NO_RESOURCES, 0, SIGMA_READ, "53200"}, {SIGMA_LOST, 0, SIGMA_SIGN_IN, "08006"},
	{SIGMA_REPLIED, 400, SIGMA_WRITE, "22023"}, {SIGMA_REPLIED, 422, SIGMA_WRITE, "22023"},
	{SIGMA_REPLIED, 401, SIGMA_READ, "28000"}, {SIGMA_REPLIED, 403, SIGMA_READ, "42501"},
	{SIGMA_REPLIED, 404, SIGMA_WRITE, "P0002"}, {SIGMA_REPLIED, 409, SIGMA_WRITE, "23505"},
	{SIGMA_REPLIED, 429, SIGMA_READ, "53400"}, {SIGMA_REPLIED, 500, SIGMA_READ, "58000"},
	{SIGMA_REPLIED, 503, SIGMA_READ, "58000"}, {SIGMA_REPLIED, 599, SIGMA_READ, "58000"},
	{SIGMA_REPLIED, 301, SIGMA_READ, "HV000"}, {SIGMA_REPLIED, 418, SIGMA_READ, "HV000"},
	{SIGMA_REPLIED, 400, SIGMA_SIGN_IN, "28000"}, {SIGMA_REPLIED, 401, SIGMA_SIGN_IN, "28000"},
	{SIGMA_REPLIED, 403, SIGMA_SIGN_IN, "28000"}, {SIGMA_REPLIED, 404, SIGMA_SIGN_IN, "28000"},
	{SIGMA_REPLIED, 429, SIGMA_SIGN_IN, "53400"}, {SIGMA_REPLIED, 503, SIGMA_SIGN_IN, "58000"},
	{SIGMA_REPLIED, 302, SIGMA_SIGN_IN, "HV000"},
};

static SigmaProblem
problem(const CauseCase *cause)
{
	SigmaProblem p = {.outcome = cause->outcome, .status = cause->status, .purpose = cause->purpose,
		.request = "POST /v2/connections", .server = "sigma", .attempts = 3,
		.api_code = "some\ncode", .api_message = "some\x1b message", .api_request_id = "r1",
	.transport_text = ""};

	return p;
}

static void
test_causes(void)
{
	tap_begin("failures: the promised SQLSTATE for every cause, and what is known of it");
	for (int i = 0; i < (int) lengthof(causes); i++)
	{
		SigmaProblem p = problem(&causes[i]);
		SigmaFailure *f = sigma_problem_to_failure(&p);

		EXPECT(strcmp(unpack_sql_state(f->sqlstate), causes[i].sqlstate) == 0, "outcome %d, status %d: %s",
			   causes[i].outcome, causes[i].status, unpack_sql_state(f->sqlstate));
		/* PostgreSQL's style: a clause without a full stop, then sentences */
		EXPECT(f->message[strlen(f->message) - 1] != '.', "%s", f->message);
		EXPECT(f->detail[strlen(f->detail) - 1] == '.', "%s", f->detail);
		EXPECT(strncmp(f->detail, "POST /v2/connections", 20) == 0, "%s", f->detail);
		EXPECT(strstr(f->detail, "after 3 attempts") != NULL, "%s", f->detail);
		EXPECT(strstr(f->detail, "requestId \"r1\"") != NULL, "%s", f->detail);
		EXPECT(f->hint == NULL || f->hint[strlen(f->hint) - 1] == '.', "%s", f->hint);
		EXPECT(strpbrk(f->message, "\n\x1b") == NULL && strpbrk(f->detail, "\n\x1b") == NULL, "cleaned");
	}
	tap_end();

	tap_begin("failures: an open outcome is 08007 and names what to look for");
	for (int i = 0; i < (int) lengthof(causes); i++)
	{
		SigmaProblem p = problem(&causes[i]);
		SigmaFailure *f;

		p.outcome_unknown = true;
		p.subject = "connection \"x\"";
		f = sigma_problem_to_failure(&p);
		EXPECT(strcmp(unpack_sql_state(f->sqlstate), "08007") == 0, "%s", unpack_sql_state(f->sqlstate));
		EXPECT(strstr(f->message, "connection \"x\"") != NULL, "%s", f->message);
		EXPECT(strstr(f->detail, "POST /v2/connections") != NULL, "%s", f->detail);
		p.subject = NULL;
		f = sigma_problem_to_failure(&p);
		EXPECT(strstr(f->message, "POST /v2/connections") != NULL, "%s", f->message);
	}
	tap_end();

	tap_begin("failures: no two causes of a failed handshake read alike");
	for (int i = SIGMA_NO_RESOLVE; i <= SIGMA_NO_RESOURCES; i++)
		for (int j = i + 1; j <= SIGMA_NO_RESOURCES; j++)
		{
			CauseCase	one = {(SigmaOutcome) i, 0, SIGMA_READ, ""};
			CauseCase	two = {(SigmaOutcome) j, 0, SIGMA_READ, ""};
			SigmaProblem p = problem(&one);
			SigmaProblem q = problem(&two);

			EXPECT(strcmp(sigma_problem_to_failure(&p)->message, sigma_problem_to_failure(&q)->message) != 0,
				   "%d and %d", i, j);
		}
	tap_end();
}

void
test_report(void)
{
	MemoryContext context = shim_context();

	test_clean_text();
	test_quoted();
	test_mask();
	test_causes();
	MemoryContextDelete(context);
}

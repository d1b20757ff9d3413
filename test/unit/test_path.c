/*-------------------------------------------------------------------------
 *
 * test_path.c
 *	  Paths of the API: percent-encoding, and keys that are to be filled in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/base.h"

#include "mb/pg_wchar.h"

#include "backend_shim.h"
#include "tap.h"

static void
test_encode(void)
{
	tap_begin("paths: every byte is encoded but letters, digits and -._~");
	for (int c = 0; c < 256; c++)
	{
		char		byte = (char) c;
		char	   *encoded = sigma_url_encode(&byte, 1);
		char		expected[4];
		bool		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~';

		snprintf(expected, sizeof(expected), plain ? "%c" : "%%%02X", c);
		EXPECT(strcmp(encoded, expected) == 0, "byte %d gives %s", c, encoded);
	}
	EXPECT(strcmp(sigma_url_encode("", 0), "") == 0, "nothing");
	EXPECT(strcmp(sigma_url_encode("a\0b", 3), "a%00b") == 0, "a NUL");
	tap_end();

	tap_begin("paths: a text of the database is encoded as UTF-8");
	EXPECT(strcmp(sigma_text_url_encode("\xc3\xa9/?"), "%C3%A9%2F%3F") == 0, "UTF-8");
	shim_encoding = PG_LATIN1;
	EXPECT(strcmp(sigma_text_url_encode("\xe9/?"), "%C3%A9%2F%3F") == 0, "LATIN1");
	shim_encoding = PG_UTF8;
	tap_end();
}

static const char *
filled(const char *path, char *first, char *second)
{
	char	   *values[SIGMA_MAX_KEYS] = {first, second};
	char	   *out = sigma_fill_path(path, values);

	return out ? out : "(none)";
}

static void
test_fill(void)
{
	const char *keys[SIGMA_MAX_KEYS];

	tap_begin("paths: keys are found and filled in");
	EXPECT(sigma_path_keys("/v2/members", keys) == 0, "no key");
	EXPECT(sigma_path_keys("/v2/a/{a_id}/b", keys) == 1 && strcmp(keys[0], "a_id") == 0, "one key");
	EXPECT(sigma_path_keys("/v2/{a}/{bc}", keys) == 2 && strcmp(keys[0], "a") == 0 &&
		   strcmp(keys[1], "bc") == 0, "two keys");
	EXPECT(strcmp(filled("/v2/members", NULL, NULL), "/v2/members") == 0, "no key");
	EXPECT(strcmp(filled("/v2/a/{a_id}/b", "x", NULL), "/v2/a/x/b") == 0, "one key");
	EXPECT(strcmp(filled("/v2/{a}/{b}", "x", "y"), "/v2/x/y") == 0, "two keys");
	EXPECT(strcmp(filled("/v2/{a}/{b}", NULL, "y"), "/v2/{a}/y") == 0, "an open key");
	EXPECT(strcmp(filled("/v2/{a}/{b}", "x", NULL), "/v2/x/{b}") == 0, "an open key");
	tap_end();

	tap_begin("paths: no key leads to another path");
	EXPECT(strcmp(filled("/v2/a/{a}", "..", NULL), "(none)") == 0, "the parent");
	EXPECT(strcmp(filled("/v2/a/{a}", ".", NULL), "(none)") == 0, "the list");
	EXPECT(strcmp(filled("/v2/a/{a}", "", NULL), "(none)") == 0, "nothing");
	EXPECT(strcmp(filled("/v2/{a}/{b}", "x", ".."), "(none)") == 0, "the second");
	EXPECT(strcmp(filled("/v2/a/{a}", "../b", NULL), "/v2/a/..%2Fb") == 0, "a slash");
	EXPECT(strcmp(filled("/v2/a/{a}", "x?y=z#w", NULL), "/v2/a/x%3Fy%3Dz%23w") == 0, "a query");
	EXPECT(strcmp(filled("/v2/a/{a}", "%2e%2e", NULL), "/v2/a/%252e%252e") == 0, "already encoded");
	EXPECT(strcmp(filled("/v2/a/{a}", "...", NULL), "/v2/a/...") == 0, "three dots");
	EXPECT(strcmp(filled("/v2/{a}/{b}", "{b}", "y"), "/v2/%7Bb%7D/y") == 0, "braces");
	tap_end();
}

/* What a path is taken for; or the sentence that says why it is for nothing. */
static const char *
normal(const char *path)
{
	char	   *out;
	const char *problem = sigma_normal_path(path, &out);

	return problem ? problem : out;
}

static void
test_normal(void)
{
	static const struct
	{
		const char *path;
		const char *normal;
	}			cases[] = {
		{"/v2/x", "/v2/x"}, {"/V2/X/", "/v2/x"}, {"/", ""}, {"/v2/%61", "/v2/a"}, {"/v2/%2561", "/v2/a"},
		{"/v2/%25%36%31", "/v2/a"}, {"/v2/a;b=c/d;", "/v2/a/d"}, {"/v2/a%3bb/c", "/v2/a/c"},
		{"/v2/a.", "/v2/a"}, {"/v2/a%20. /", "/v2/a"}, {"/v2/%20a/b", "/v2/a/b"}, {"/v2/.a", "/v2/.a"},
		{"/v2/a%2fb", "/v2/a/b"}, {"/v2/a%5cb", "/v2/a/b"}, {"/v2/a%3fb/c", "/v2/a"}, {"/v2/a%23b", "/v2/a"},
		{"/v2/100%25", "/v2/100%"}, {"/v2/%C3%A9", "/v2/\xc3\xa9"}, {"/v2/%EF%BD%81", "/v2/a"},
		{"/v2/%E2%84%AA", "/v2/k"}, {"/v2/a%C2%A0", "/v2/a"},
	};
	static const char *const none[] = {
		"/v2/%", "/v2/%zz", "/v2/%4", "/v2/%00", "/v2/%2500", "/v2/%0a", "/v2/%7f", "/v2/%25u0061",
		"/v2//x", "/v2/;/x", "/;x/y", "/v2/%20/x", "/v2/./x", "/v2/..", "/v2/..;/x", "/v2/..;a", "/v2/.%20./x", "/v2/...",
		"/v2/%2e%2e/x", "/v2/%252e%252e/x", "/v2/%EF%BC%8E%EF%BC%8E/x", "/v2/%ff", "/v2/%C1%A1", "/v2/%C2%AD",
		"/v2/%E2%80%AE",
	};

	tap_begin("paths: as the most lenient server reads them");
	for (int i = 0; i < (int) lengthof(cases); i++)
		EXPECT(strcmp(normal(cases[i].path), cases[i].normal) == 0, "%s gives %s", cases[i].path, normal(cases[i].path));
	for (int i = 0; i < (int) lengthof(none); i++)
		EXPECT(strncmp(normal(none[i]), "It ", 3) == 0 || strncmp(normal(none[i]), "A ", 2) == 0, "%s gives %s",
			   none[i], normal(none[i]));
	tap_end();
}

/* Paths that anybody has written: which may be asked for? */
static void
test_template(void)
{
	static const char *const good[] = {"/v2/x", "/v2/{x}", "/v2/{a b}/y:{c}", "/v2/{a}/{b}/{c}/{d}", "/v2.1/x%20y"};
	static const char *const bad[] = {
		"", "v2", "//x", "/v2/x?y", "/v2/x#y", "/v2/x y", "/v2/../x", "/v2/{x", "/v2/x}", "/v2/{}", "/v2/{{x}}", "/v2/{a{b}}",
		"/v2/{a}/{a}", "/{a}/{b}/{c}/{d}/{e}", "/v2/\xc3\xa9", "/v2/%zz",
	};

	tap_begin("paths: with columns in braces");
	for (int i = 0; i < (int) lengthof(good); i++)
		EXPECT(sigma_template_problem(good[i]) == NULL, "%s: %s", good[i], sigma_template_problem(good[i]));
	for (int i = 0; i < (int) lengthof(bad); i++)
		EXPECT(sigma_template_problem(bad[i]) != NULL, "%s is taken", bad[i]);
	tap_end();
}

void
test_path(void)
{
	MemoryContext context = shim_context();

	test_encode();
	test_fill();
	test_normal();
	test_template();
	MemoryContextDelete(context);
}

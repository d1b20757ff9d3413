/*-------------------------------------------------------------------------
 *
 * test_jwt.c
 *	  JSON Web Tokens: the example of RFC 7515, and what stands in ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "config/config.h"
#include "session/session_internal.h"

#include "common/base64.h"
#include "mb/pg_wchar.h"

#include "backend_shim.h"
#include "tap.h"

/* The object in the n-th part of a JWT, as text. */
static char *
part(const char *jwt, int n)
{
	const char *start = jwt;
	int			length;
	char	   *padded;
	char	   *out;
	int			out_length;

	while (n-- > 0)
		start = strchr(start, '.') + 1;
	length = (int) strcspn(start, ".");
	padded = palloc0(length + 5);
	for (int i = 0; i < length; i++)
		padded[i] = start[i] == '-' ? '+' : start[i] == '_' ? '/' : start[i];
	while (length % 4 != 0)
		padded[length++] = '=';
	out = palloc0(length + 1);
	out_length = pg_b64_decode(padded, length, (void *) out, length);
	return out_length < 0 ? "(no base64)" : out;
}

static void
test_vector(void)
{
	/* RFC 7515, appendix A.1 */
	static const unsigned char key[] = {
		3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143,
		90, 179, 40, 230, 240, 84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191,
		211, 251, 90, 146, 210, 6, 71, 239, 150, 138, 180, 195, 119, 98, 61, 34,
		61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208, 128, 163
	};
	char	   *jwt = sigma_sign_hs256("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
									   "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}",
									   (const char *) key, sizeof(key));

	tap_begin("JWT: the example of RFC 7515");
	EXPECT(strcmp(jwt,
				  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
				  ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
				  ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == 0, "got %s", jwt);
	tap_end();
}

static void
test_claims(void)
{
	SigmaSettings settings = {.client_id = "an \"id\"", .client_secret = "key"};
	char	   *jwt;

	tap_begin("JWT: what stands in it");
	settings.impersonate = "a\\b@example.com";
	jwt = sigma_jwt(&settings, 1000);
	EXPECT(strcmp(part(jwt, 0), "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"an \\\"id\\\"\"}") == 0,
		   "header %s", part(jwt, 0));
	EXPECT(strcmp(part(jwt, 1), "{\"kid\":\"an \\\"id\\\"\",\"sub\":\"a\\\\b@example.com\",\"iat\":1000,\"exp\":1300}") == 0,
		   "a member: %s", part(jwt, 1));
	settings.tenant = "t";
	jwt = sigma_jwt(&settings, 1000);
	EXPECT(strcmp(part(jwt, 1), "{\"kid\":\"an \\\"id\\\"\",\"sub\":\"a\\\\b@example.com\",\"tenant\":\"t\",\"iat\":1000,\"exp\":1300}") == 0,
		   "a member in a tenant: %s", part(jwt, 1));
	settings.impersonate = NULL;
	jwt = sigma_jwt(&settings, INT64CONST(4102444800));
	EXPECT(strcmp(part(jwt, 1), "{\"kid\":\"an \\\"id\\\"\",\"tenant\":\"t\",\"iat\":4102444800,\"exp\":4102445100}") == 0,
		   "a tenant: %s", part(jwt, 1));
	EXPECT(strspn(jwt, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(jwt),
		   "characters of %s", jwt);
	tap_end();

	tap_begin("JWT: text is UTF-8, whatever the database's encoding");
	settings.client_id = "x";
	settings.client_secret = "\xc3\xa9";
	settings.tenant = "\xc3\xa9";
	jwt = sigma_jwt(&settings, 1000);
	settings.client_secret = "\xe9";
	settings.tenant = "\xe9";
	shim_encoding = PG_LATIN1;
	EXPECT(strcmp(sigma_jwt(&settings, 1000), jwt) == 0, "another token");
	EXPECT(strcmp(settings.client_secret, "\xe9") == 0, "the secret itself stays");
	shim_encoding = PG_UTF8;
	tap_end();
}

void
test_jwt(void)
{
	MemoryContext context = shim_context();

	test_vector();
	test_claims();
	MemoryContextDelete(context);
}

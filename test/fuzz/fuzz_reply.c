/*-------------------------------------------------------------------------
 *
 * fuzz_reply.c
 *	  Replies that are not rows: tokens, error objects, and foreign text.
 *
 * Input: a limit, an encoding, and the body.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/pg_list.h"

#include "base/base.h"
#include "json/json.h"

#include "mb/pg_wchar.h"

#include "backend_shim.h"
#include "fuzz.h"

#define HEAD 2

/* What is shown is short, printable, and in the database's encoding. */
static void
check_clean(const char *text, size_t length, size_t limit)
{
	char	   *clean = sigma_clean_text(text, length, limit);

	CHECK(strlen(clean) <= limit + (length > limit ? 3 : 0));
	CHECK(pg_verify_mbstr(shim_encoding, clean, (int) strlen(clean), true));
	for (const char *p = clean; *p; p++)
		CHECK((unsigned char) *p >= 0x20 && *p != 0x7F);
}

/* Half of the text is a secret: nothing of it may be left. */
static void
check_mask(const char *text, size_t length)
{
	char	   *whole = pnstrdup(text, length);
	char	   *secret = pnstrdup(whole, strlen(whole) / 2);
	char	   *masked;

	/* a mask in the secret is not what this is about */
	if (strlen(secret) < 4 || strchr(secret, '*'))
		return;
	masked = sigma_mask(whole, lappend(NIL, secret));
	CHECK(strstr(masked, secret) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body;
	size_t		length;
	MemoryContext context;
	char	   *token = NULL;
	char	   *code;
	char	   *message;
	char	   *request_id;
	double		expires_in;

	if (size < HEAD)
		return 0;
	shim_encoding = data[1] & 1 ? PG_LATIN1 : PG_UTF8;
	length = size - HEAD;
	context = shim_context();
	body = memcpy(palloc(length), data + HEAD, length);

	if (sigma_json_token(body, length, &token, &expires_in))
	{
		CHECK(token[0] != '\0');
		for (const char *p = token; *p; p++)
			CHECK(*p > ' ' && *p <= '~');
	}
	CHECK(expires_in == -1 || expires_in > 0);
	if (sigma_json_error_object(body, length, &code, &message, &request_id))
	{
		CHECK(code || message);
		if (code)
			check_clean(code, strlen(code), data[0]);
		if (message)
			check_clean(message, strlen(message), data[0]);
	}
	check_clean(body, length, data[0]);
	check_mask(body, length);
	MemoryContextDelete(context);
	return 0;
}

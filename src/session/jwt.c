/*-------------------------------------------------------------------------
 *
 * jwt.c
 *	  The JSON Web Token by which a client says whom it wants to speak as.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"

#include "base/base.h"
#include "json/json.h"
#include "config/config.h"
#include "session/session_internal.h"

/* It is used at once; so much is for clocks that differ. */
#define LIFE_S 300

/* base64url without padding (RFC 7515, section 2) */
static void
append_base64url(StringInfo s, const void *bytes, int length)
{
	int			room = pg_b64_enc_len(length);
	char	   *encoded = palloc(room);
	int			n = pg_b64_encode(bytes, length, encoded, room);

	for (int i = 0; i < n && encoded[i] != '='; i++)
		appendStringInfoChar(s, encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i]);
	pfree(encoded);
}

/* A JWT from two objects in JSON, signed with a key by HMAC and SHA-256. */
char *
sigma_sign_hs256(const char *header, const char *claims, const char *key, size_t key_length)
{
	StringInfoData jwt;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_hmac_ctx *ctx;
	bool		ok;

	initStringInfo(&jwt);
	append_base64url(&jwt, header, (int) strlen(header));
	appendStringInfoChar(&jwt, '.');
	append_base64url(&jwt, claims, (int) strlen(claims));

	ctx = pg_hmac_create(PG_SHA256);
	ok = ctx && pg_hmac_init(ctx, (const uint8 *) key, key_length) >= 0 &&
		pg_hmac_update(ctx, (const uint8 *) jwt.data, jwt.len) >= 0 &&
		pg_hmac_final(ctx, digest, sizeof(digest)) >= 0;
	if (ctx)
		pg_hmac_free(ctx);
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute an HMAC with SHA-256")));
	appendStringInfoChar(&jwt, '.');
	append_base64url(&jwt, digest, sizeof(digest));
	return jwt.data;
}

/*
 * Whom the settings say to speak as, signed with the client secret; "now" is
 * in seconds since 1970.
 */
char *
sigma_jwt(const SigmaSettings *settings, int64 now)
{
	char	   *kid = sigma_text_to_json(settings->client_id);
	char	   *header = psprintf("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":%s}", kid);
	char	   *key = sigma_to_utf8(settings->client_secret);
	StringInfoData claims;
	char	   *jwt;

	initStringInfo(&claims);
	appendStringInfo(&claims, "{\"kid\":%s", kid);
	if (settings->impersonate)
		appendStringInfo(&claims, ",\"sub\":%s", sigma_text_to_json(settings->impersonate));
	if (settings->tenant)
		appendStringInfo(&claims, ",\"tenant\":%s", sigma_text_to_json(settings->tenant));
	appendStringInfo(&claims, ",\"iat\":" INT64_FORMAT ",\"exp\":" INT64_FORMAT "}",
					 now, now + LIFE_S);

	jwt = sigma_sign_hs256(sigma_to_utf8(header), sigma_to_utf8(claims.data), key, strlen(key));
	if (key != settings->client_secret)
		explicit_bzero(key, strlen(key));
	return jwt;
}

/*-------------------------------------------------------------------------
 *
 * exchange.c
 *	  What a token request of RFC 8693 proves: a JSON Web Token, signed with a
 *	  client's secret, that names a member or a tenant to speak as.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "simulator.h"

#define SIGNATURE_SIZE		32	/* HMAC-SHA256 */

/* A JWT's clock may differ from ours by so much, and it may live so long. */
#define CLOCK_SKEW_S		60
#define MAX_LIFE_S			3600

/*
 * The bytes that base64url without padding stands for; the buffer is terminated.
 * False if it is not that.
 */
static bool
base64url_decode(const char *text, size_t len, Buffer *bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t	bits = 0;
	int			nbits = 0;

	if (len == 0 || len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (digit == NULL)
			return false;
		bits = bits << 6 | (uint32_t) (digit - digits);
		nbits += 6;
		if (nbits >= 8)
		{
			char		byte = (char) (bits >> (nbits - 8));

			nbits -= 8;
			bits &= (1u << nbits) - 1;
			buffer_append(bytes, &byte, 1);
		}
	}
	return bits == 0;
}

/* A part of a JWT as an object; NULL if it is none. */
static cJSON *
decode_object(const char *text, size_t len)
{
	Buffer		bytes = {0};
	cJSON	   *json = NULL;

	if (base64url_decode(text, len, &bytes))
		json = json_parse(bytes.data, bytes.len);
	buffer_free(&bytes);
	return json;
}

/* Is what stands before the last dot signed with this secret? */
static bool
signature_is_right(const char *jwt, const char *last_dot, const char *secret)
{
	Buffer		got = {0};
	unsigned char expected[SIGNATURE_SIZE];
	bool		right;

	right = base64url_decode(last_dot + 1, strlen(last_dot + 1), &got) &&
		got.len == SIGNATURE_SIZE &&
		gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, strlen(secret), jwt,
						 (size_t) (last_dot - jwt), expected) == 0 &&
		memcmp(got.data, expected, SIGNATURE_SIZE) == 0;
	buffer_free(&got);
	return right;
}

static bool
string_is(const cJSON *object, const char *key, const char *value)
{
	const char *string = json_string(object, key);

	return string && strcmp(string, value) == 0;
}

/* Was it made just now, and does it end soon? */
static bool
times_are_sane(const cJSON *claims)
{
	const cJSON *iat = cJSON_GetObjectItemCaseSensitive(claims, "iat");
	const cJSON *exp = cJSON_GetObjectItemCaseSensitive(claims, "exp");
	double		now = (double) realtime_ms() / 1000;

	return json_is_int(iat, now - CLOCK_SKEW_S, now + CLOCK_SKEW_S) &&
		json_is_int(exp, now, now + MAX_LIFE_S);
}

/*
 * The claims of a JWT that a client has signed; NULL if it is not right in
 * every way.
 */
cJSON *
exchange_claims(const char *jwt, const char *client_id, const char *secret)
{
	const char *dot = strchr(jwt, '.');
	const char *last_dot = strrchr(jwt, '.');
	cJSON	   *header;
	cJSON	   *claims;

	if (dot == NULL || last_dot == dot || memchr(dot + 1, '.', (size_t) (last_dot - dot - 1)) ||
		!signature_is_right(jwt, last_dot, secret))
		return NULL;
	header = decode_object(jwt, (size_t) (dot - jwt));
	claims = decode_object(dot + 1, (size_t) (last_dot - dot - 1));
	if (!string_is(header, "alg", "HS256") || !string_is(header, "typ", "JWT") ||
		!string_is(header, "kid", client_id) || !string_is(claims, "kid", client_id) ||
		!times_are_sane(claims))
	{
		cJSON_Delete(claims);
		claims = NULL;
	}
	cJSON_Delete(header);
	return claims;
}

/* The entry of a collection whose field has this value, and its place in it. */
static const cJSON *
find_entry(const char *collection, const char *field, const char *value, int *place)
{
	const cJSON *entry;

	*place = 0;
	cJSON_ArrayForEach(entry, catalogue_collection(collection))
	{
		if (string_is(entry, field, value))
			return entry;
		(*place)++;
	}
	return NULL;
}

/*
 * Who is it that the claims name?  False if there is nobody like that, or if
 * they name neither a member nor a tenant.
 */
bool
exchange_identity(const cJSON *claims, Identity *who)
{
	const cJSON *sub = cJSON_GetObjectItemCaseSensitive(claims, "sub");
	const cJSON *tenant = cJSON_GetObjectItemCaseSensitive(claims, "tenant");
	bool		found = sub || tenant;
	int			place;

	memset(who, 0, sizeof(*who));
	make_id("organization", 0, who->organization_id);
	pthread_rwlock_rdlock(&organization_lock);
	if (tenant)
	{
		found = cJSON_IsString(tenant) &&
			find_entry("tenants", "tenantOrganizationId", tenant->valuestring, &place);
		if (found)
		{
			snprintf(who->organization_id, sizeof(who->organization_id), "%s", tenant->valuestring);
			make_id("tenantAdmin", place, who->user_id);
		}
	}
	if (found && sub)
	{
		const cJSON *member = cJSON_IsString(sub)
			? find_entry("members", "email", sub->valuestring, &place) : NULL;

		found = member != NULL;
		if (found)
		{
			snprintf(who->user_id, sizeof(who->user_id), "%s", json_string(member, "memberId"));
			who->limited = string_is(member, "memberType", "Viewer");
		}
	}
	if (found)
		snprintf(who->as, sizeof(who->as), "%s%s%s", sub ? sub->valuestring : "",
				 sub && tenant ? " " : "", tenant ? tenant->valuestring : "");
	pthread_rwlock_unlock(&organization_lock);
	return found;
}

/* May a member, by its place, speak as others? */
bool
exchange_allowed(int member)
{
	bool		admin;

	pthread_rwlock_rdlock(&organization_lock);
	admin = string_is(cJSON_GetArrayItem(catalogue_collection("members"), member),
					  "memberType", "Admin");
	pthread_rwlock_unlock(&organization_lock);
	return admin;
}

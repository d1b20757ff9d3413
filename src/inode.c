/*-------------------------------------------------------------------------
 *
 * inode.c
 *	  The two spellings of an object's identifier.
 *
 * Sigma writes the identifier of a folder, document or warehouse table as a
 * UUID ("inodeId") in some replies, and in others as the same 128 bits in
 * base 62 ("urlId", which also stands in URLs), with "inode-" before it where
 * a lineage names its nodes.  Only one spelling can be compared with itself.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(sigma_inode_id);

#define INODE_PREFIX "inode-"

/*
 * 128 bits take up to 22 digits.  One in a billion identifiers needs fewer
 * than 17; what is shorter still is taken for an identifier of another kind.
 */
#define MAX_DIGITS 22
#define MIN_DIGITS 17

/* The value of a base-62 digit, or -1. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 36;
	return -1;
}

/* Base 62 into bytes; false if it is none, or more than they hold. */
static bool
decode_url_id(const char *text, size_t length, unsigned char *bytes)
{
	if (length < MIN_DIGITS || length > MAX_DIGITS)
		return false;
	memset(bytes, 0, UUID_LEN);
	for (size_t i = 0; i < length; i++)
	{
		int			carry = digit_value(text[i]);

		if (carry < 0)
			return false;
		for (int j = UUID_LEN - 1; j >= 0; j--)
		{
			carry += bytes[j] * 62;
			bytes[j] = carry & 0xff;
			carry >>= 8;
		}
		if (carry > 0)
			return false;
	}
	return true;
}

/* A UUID as it is usually written into bytes; false if it is none. */
static bool
decode_uuid(const char *text, size_t length, unsigned char *bytes)
{
	int			n = 0;

	if (length != 36)
		return false;
	memset(bytes, 0, UUID_LEN);
	for (size_t i = 0; i < length; i++)
	{
		int			digit = digit_value(text[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (text[i] != '-')
				return false;
			continue;
		}
		/* A to F, which stand behind z in base 62 */
		if (digit >= 36)
			digit -= 26;
		if (digit < 0 || digit > 15)
			return false;
		bytes[n / 2] |= n % 2 ? digit : digit << 4;
		n++;
	}
	return true;
}

/*
 * sigma_inode_id(id) returns text: the identifier as a UUID, however it is
 * spelled; what is no such identifier comes back as it is.
 */
Datum
sigma_inode_id(PG_FUNCTION_ARGS)
{
	text	   *id = PG_GETARG_TEXT_PP(0);
	const char *data = VARDATA_ANY(id);
	size_t		length = VARSIZE_ANY_EXHDR(id);
	const char *digits = data;
	size_t		ndigits = length;
	pg_uuid_t	uuid;

	if (length > strlen(INODE_PREFIX) && memcmp(data, INODE_PREFIX, strlen(INODE_PREFIX)) == 0)
	{
		digits += strlen(INODE_PREFIX);
		ndigits -= strlen(INODE_PREFIX);
	}
	if (!decode_url_id(digits, ndigits, uuid.data) && !decode_uuid(digits, ndigits, uuid.data))
		PG_RETURN_TEXT_P(id);
	PG_RETURN_TEXT_P(cstring_to_text(DatumGetCString(DirectFunctionCall1(uuid_out,
																		 UUIDPGetDatum(&uuid)))));
}

/*-------------------------------------------------------------------------
 *
 * json_internal.h
 *	  What only the files of json/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_JSON_INTERNAL_H
#define SIGMA_JSON_INTERNAL_H

#include "json/json.h"

/* ---------------------------------------------------------- jsontext.c */

/* Where a name of a set is to be found: by length and by two letters, in which field names mostly differ. */
static inline int
sigma_name_bucket(const char *name, size_t length)
{
	if (length == 0)
		return 0;
	return (int) ((length * 7 + (unsigned char) name[0] * 3 + (unsigned char) name[length - 1]) % 64);
}

/* What sigma_names_init() does, in what is there already: the list, and room for lengths and links. */
extern void sigma_names_fill(SigmaNames *names);

/* May a name be in the set?  Most that are not are told from it at once. */
static inline bool
sigma_names_may_have(const SigmaNames *names, const char *name, size_t length)
{
	return names->buckets[sigma_name_bucket(name, length)] >= 0;
}

extern SigmaEscape sigma_json_unescape(const SigmaJsonValue *string, char *out, size_t *length);

#endif							/* SIGMA_JSON_INTERNAL_H */

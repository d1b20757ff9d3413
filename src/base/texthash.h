/*-------------------------------------------------------------------------
 *
 * texthash.h
 *	  A hash table of structs whose key is a C string: PostgreSQL's
 *	  lib/simplehash.h with what all such tables have in common.
 *
 * To be included once for each table, like simplehash.h itself, after
 *
 *		#define SH_PREFIX			names the functions: PREFIX_create(), ...
 *		#define SH_ELEMENT_TYPE		a struct with "uint32 hash; char status;"
 *		#define SH_KEY				its member with the key, a char *
 *
 * The including file is to include "common/hashfn.h".  The table and its
 * functions are static.  Keys belong to whoever inserts them.
 *
 *-------------------------------------------------------------------------
 */
#define SH_KEY_TYPE char *
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), (int) strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, element) (element)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

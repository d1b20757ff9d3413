/*-------------------------------------------------------------------------
 *
 * type_stubs.h
 *	  Input functions of types, as strict about their argument as the real ones.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TYPE_STUBS_H
#define TYPE_STUBS_H

#include "postgres.h"

#include "fmgr.h"

/* The stub for a type's input function; texts come back as a C string. */
extern PGFunction stub_input(Oid type);

#endif							/* TYPE_STUBS_H */

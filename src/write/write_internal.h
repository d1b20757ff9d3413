/*-------------------------------------------------------------------------
 *
 * write_internal.h
 *	  What only the files of write/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_WRITE_INTERNAL_H
#define SIGMA_WRITE_INTERNAL_H

#include "base/base.h"
#include "write/write.h"

/* -------------------------------------------------------- connection.c */

extern char *sigma_entry_difference(SigmaSpan before, SigmaSpan after);

#endif							/* SIGMA_WRITE_INTERNAL_H */

/*-------------------------------------------------------------------------
 *
 * base_internal.h
 *	  What only the files of base/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_BASE_INTERNAL_H
#define SIGMA_BASE_INTERNAL_H

#include "base/base.h"

/* -------------------------------------------------------------- text.c */

/*
 * Would the character (in Unicode) change what stands around it, on a terminal or in a log?
 * Controls move the cursor or begin a line; others let text be read from right
 * to left, or cannot be seen.  Those that join letters are needed.
 */
extern bool sigma_is_strange(uint32 c);

#endif							/* SIGMA_BASE_INTERNAL_H */

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

/* ------------------------------------------------------------ report.c */

extern bool sigma_is_strange(uint32 c);

#endif							/* SIGMA_BASE_INTERNAL_H */

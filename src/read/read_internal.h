/*-------------------------------------------------------------------------
 *
 * read_internal.h
 *	  What only the files of read/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_READ_INTERNAL_H
#define SIGMA_READ_INTERNAL_H

#include "base/base.h"
#include "read/read.h"

/* ------------------------------------------------------------- pager.c */

extern void sigma_pager_start(SigmaPager *pager);
extern bool sigma_pager_would_wait(SigmaPager *pager);
extern const SigmaFailure *sigma_pager_failure(const SigmaPager *pager);
extern bool sigma_pager_nothing(const SigmaPager *pager);
extern bool sigma_pager_refused_filters(const SigmaPager *pager);
extern void sigma_pager_rewind(SigmaPager *pager);

/* -------------------------------------------------------------- walk.c */

extern void sigma_walk_close(SigmaWalk *walk);

#endif							/* SIGMA_READ_INTERNAL_H */

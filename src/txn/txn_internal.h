/*-------------------------------------------------------------------------
 *
 * txn_internal.h
 *	  What only the files of txn/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_TXN_INTERNAL_H
#define SIGMA_TXN_INTERNAL_H

#include "session/session.h"
#include "txn/txn.h"

/* ------------------------------------------------------- transaction.c */

extern void sigma_effect_told(SigmaEffect *effect);
extern bool sigma_effect_is_undone(const SigmaSession *session, const char *id);
extern bool sigma_effect_gone(const SigmaSession *session, const char *id);

#endif							/* SIGMA_TXN_INTERNAL_H */

/*-------------------------------------------------------------------------
 *
 * functions_internal.h
 *	  What only the files of functions/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FUNCTIONS_INTERNAL_H
#define SIGMA_FUNCTIONS_INTERNAL_H

#include "fmgr.h"

#include "session/session.h"
#include "functions/functions.h"

/* --------------------------------------------------------- functions.c */

extern Oid	sigma_function_server(FunctionCallInfo fcinfo);
extern SigmaSession *sigma_function_session(FunctionCallInfo fcinfo);
extern void sigma_check_writable(const SigmaSession *session, const char *function);

#endif							/* SIGMA_FUNCTIONS_INTERNAL_H */

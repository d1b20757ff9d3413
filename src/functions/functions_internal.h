/*-------------------------------------------------------------------------
 *
 * functions_internal.h
 *	  What the files of functions/ share.  There is no door: nobody but SQL
 *	  calls what is here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGMA_FUNCTIONS_INTERNAL_H
#define SIGMA_FUNCTIONS_INTERNAL_H

#include "fmgr.h"

#include "json/json.h"
#include "catalog/catalog.h"
#include "session/session.h"

/* ------------------------------------------------------------ server.c */

extern char *sigma_text_argument(FunctionCallInfo fcinfo, int i, const char *name);
extern char *sigma_jsonb_argument(FunctionCallInfo fcinfo, int i);
extern char *sigma_query_argument(FunctionCallInfo fcinfo, int i, List **secrets);
extern Oid	sigma_function_server(FunctionCallInfo fcinfo);
extern SigmaSession *sigma_function_session(FunctionCallInfo fcinfo);
extern void sigma_check_writable(const SigmaSession *session, const char *function);

/* A member of a reply, as a function shows it. */
typedef struct SigmaMember
{
	const char *name;
	SigmaKind	kind;
} SigmaMember;

extern SigmaCall *sigma_run_request(SigmaSession *session, const SigmaCallSpec *spec, const char *id);
extern SigmaJsonValue sigma_reply_value(SigmaCall *call);
extern Datum sigma_members_to_row(FunctionCallInfo fcinfo, SigmaCall *call, int n,
								  const SigmaMember *members);

#endif							/* SIGMA_FUNCTIONS_INTERNAL_H */

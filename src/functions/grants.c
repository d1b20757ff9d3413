/*-------------------------------------------------------------------------
 *
 * grants.c
 *	  The SQL functions that grant and revoke the use of a connection.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "json/json.h"
#include "session/session.h"
#include "read/read.h"
#include "write/write.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_grant_connection);
PG_FUNCTION_INFO_V1(sigma_revoke_connection);

/* Exactly one of the arguments member_id and team_id; the other is NULL. */
static void
grantee_arguments(FunctionCallInfo fcinfo, char **member_id, char **team_id)
{
	*member_id = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	*team_id = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	if ((*member_id == NULL) == (*team_id == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a grant is for a member or for a team"),
				 errhint("Give exactly one of \"member_id\" and \"team_id\".")));
}

/*
 * sigma_grant_connection(server, connection_id, permission, member_id, team_id)
 */
Datum
sigma_grant_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *member_id;
	char	   *team_id;

	sigma_check_writable(session, "sigma_grant_connection()");
	grantee_arguments(fcinfo, &member_id, &team_id);
	sigma_grant_call(session, CurrentMemoryContext, sigma_text_argument(fcinfo, 1, "connection_id"),
					 sigma_text_argument(fcinfo, 2, "permission"), member_id, team_id, NULL);
	PG_RETURN_VOID();
}

/*
 * sigma_revoke_connection(server, connection_id, permission, member_id,
 * team_id) returns how many grants were revoked
 */
Datum
sigma_revoke_connection(PG_FUNCTION_ARGS)
{
	SigmaSession *session = sigma_function_session(fcinfo);
	char	   *connection = sigma_text_argument(fcinfo, 1, "connection_id");
	char	   *permission = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *member_id;
	char	   *team_id;
	SigmaPager *pager = NULL;
	SigmaEntry	entry;
	List	   *grants = NIL;
	ListCell   *lc;

	sigma_check_writable(session, "sigma_revoke_connection()");
	grantee_arguments(fcinfo, &member_id, &team_id);
	/* all are found before the first is revoked: a list that shrinks is no list */
	while ((pager = sigma_find_grant(session, pager, connection, permission, member_id, team_id,
									 &entry, NULL)) != NULL)
	{
		SigmaJsonValue object = sigma_json_object(entry.text);
		char	   *grant_id = sigma_json_member_text(&object, "grantId");

		if (grant_id)
			grants = lappend(grants, grant_id);
	}
	foreach(lc, grants)
		sigma_revoke_call(session, CurrentMemoryContext, connection, lfirst(lc), NULL);
	PG_RETURN_INT32(list_length(grants));
}

/*-------------------------------------------------------------------------
 *
 * about.c
 *	  The SQL functions that say who one is to Sigma, and which versions
 *	  are at work.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/base.h"
#include "json/json.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_whoami);
PG_FUNCTION_INFO_V1(sigma_fdw_version);

/*
 * sigma_whoami(server) returns (user_id, organization_id)
 */
Datum
sigma_whoami(PG_FUNCTION_ARGS)
{
	static const SigmaMember members[] = {{"userId", SIGMA_ID}, {"organizationId", SIGMA_ID}};
	SigmaSession *session = sigma_function_session(fcinfo);
	SigmaCallSpec spec = {.method = "GET", .target = "/v2/whoami", .purpose = SIGMA_READ};

	PG_RETURN_DATUM(sigma_members_to_row(fcinfo, sigma_call(session, CurrentMemoryContext, &spec),
										 lengthof(members), members));
}

/*
 * sigma_fdw_version() returns the versions of the extension and its libraries
 */
Datum
sigma_fdw_version(PG_FUNCTION_ARGS UNUSED)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("sigma_fdw %s, %s, cJSON %s", SIGMA_FDW_VERSION,
											  sigma_transport_version(),
											  sigma_json_library_version())));
}

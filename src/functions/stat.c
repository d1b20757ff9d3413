/*-------------------------------------------------------------------------
 *
 * stat.c
 *	  The functions behind the views sigma_stat_..., and sigma_stat_reset().
 *
 * They ask Sigma nothing, and write nothing.  As with PostgreSQL's own
 * statistics, everybody sees what is his own, and whoever has the privileges
 * of pg_read_all_stats sees all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "base/compat.h"
#include "catalog/catalog.h"
#include "session/session.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_stat_resources);
PG_FUNCTION_INFO_V1(sigma_stat_progress);
PG_FUNCTION_INFO_V1(sigma_stat_reset);

/* May the caller see what belongs to a role? */
static bool
may_see(Oid role)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), role);
}

/* Likewise of a user mapping: PUBLIC's is that of all who may use the server. */
static bool
may_see_mapping(const SigmaStatRow *row)
{
	return may_see(row->userid) ||
		(!OidIsValid(row->userid) &&
		 sigma_server_aclcheck(row->serverid, GetUserId(), ACL_USAGE) == ACLCHECK_OK);
}

/* A text, or NULL if it is NULL or empty. */
static void
set_text(Datum *value, bool *isnull, const char *text)
{
	*isnull = text == NULL || text[0] == '\0';
	if (!*isnull)
		*value = CStringGetTextDatum(text);
}

/*
 * sigma_stat_resources() returns setof (serverid, server, userid, username,
 * resource, a column per counter, stats_reset)
 */
Datum
sigma_stat_resources(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz since;
	SigmaStatRow *rows;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	n = sigma_stat_read(&rows, &since);
	for (int i = 0; i < n; i++)
	{
		const SigmaStatRow *row = &rows[i];
		ForeignServer *server = GetForeignServerExtended(row->serverid, FSV_MISSING_OK);
		Datum		values[5 + SIGMA_STAT_COUNTERS + 1];
		bool		nulls[lengthof(values)] = {false};

		/* of a server that has been dropped there is nothing to tell any more */
		if (server == NULL || !may_see_mapping(row))
			continue;
		values[0] = ObjectIdGetDatum(row->serverid);
		set_text(&values[1], &nulls[1], server->servername);
		values[2] = ObjectIdGetDatum(row->userid);
		set_text(&values[3], &nulls[3],
				 OidIsValid(row->userid) ? GetUserNameFromId(row->userid, true) : "public");
		set_text(&values[4], &nulls[4], row->resource);
		for (int j = 0; j < SIGMA_STAT_COUNTERS; j++)
			values[5 + j] = j == SIGMA_STAT_WAIT || j == SIGMA_STAT_THROTTLE
				? Float8GetDatum((double) row->counts[j] / 1000) : Int64GetDatum(row->counts[j]);
		values[5 + SIGMA_STAT_COUNTERS] = TimestampTzGetDatum(since);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* A number; NULL if it is -1. */
static void
set_number(Datum *value, bool *isnull, int64 n)
{
	*isnull = n < 0;
	*value = Int64GetDatum(n);
}

/*
 * sigma_stat_progress() returns setof (pid, datid, userid, serverid, server,
 * resource, a column per number, seconds)
 *
 * As with pg_stat_progress_..., of others' readings only process and database are
 * shown.
 */
Datum
sigma_stat_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();
	SigmaProgressRow *rows;
	int			n;

	if (!sigma_progress_is_shown())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("sigma_fdw must be loaded via \"shared_preload_libraries\""),
				 errhint("Add sigma_fdw to shared_preload_libraries, and restart the server.")));
	InitMaterializedSRF(fcinfo, 0);
	n = sigma_progress_read(&rows);
	for (int i = 0; i < n; i++)
	{
		const SigmaProgressRow *row = &rows[i];
		Datum		values[6 + SIGMA_PROGRESS_NUMBERS + 1];
		bool		nulls[lengthof(values)];

		memset(nulls, true, sizeof(nulls));
		nulls[0] = nulls[1] = false;
		values[0] = Int32GetDatum(row->pid);
		values[1] = ObjectIdGetDatum(row->database);
		if (may_see(row->role))
		{
			nulls[2] = nulls[3] = nulls[lengthof(values) - 1] = false;
			values[2] = ObjectIdGetDatum(row->role);
			values[3] = ObjectIdGetDatum(row->serverid);
			set_text(&values[4], &nulls[4], row->server);
			set_text(&values[5], &nulls[5], row->resource);
			for (int j = 0; j < SIGMA_PROGRESS_NUMBERS; j++)
				set_number(&values[6 + j], &nulls[6 + j], row->numbers[j]);
			values[lengthof(values) - 1] = Float8GetDatum((double) (now - row->began) / USECS_PER_SEC);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * sigma_stat_reset()
 *
 * What all sessions share is for the function's owner to reset; a session's own
 * counters are everybody's own.
 */
Datum
sigma_stat_reset(PG_FUNCTION_ARGS)
{
	if (sigma_stat_is_shared() && !sigma_function_ownercheck(fcinfo->flinfo->fn_oid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FUNCTION, "sigma_stat_reset");
	sigma_stat_clear();
	PG_RETURN_VOID();
}

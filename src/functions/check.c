/*-------------------------------------------------------------------------
 *
 * check.c
 *	  sigma_check(): what works between this database and Sigma, step by step,
 *	  and what to do where it does not.
 *
 * A step that fails ends the steps that need it; it never ends the function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "base/base.h"
#include "json/json.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session.h"
#include "read/read.h"
#include "functions/functions_internal.h"

PG_FUNCTION_INFO_V1(sigma_check);

#define WHOAMI "/v2/whoami"

/* More than this makes signed tokens and Retry-After dates unreliable. */
#define MAX_CLOCK_SKEW_S 60

/* The error data of a step that was caught, as a row's texts. */
typedef struct Caught
{
	char	   *detail;
	char	   *hint;
} Caught;

/* What a row says of a step that was tried, if it is wanted. */
static const char *
with_request(bool verbose, const char *detail, const char *request, const SigmaStats *stats)
{
	if (!verbose)
		return detail;
	return psprintf("%s; tried %s (requests: " INT64_FORMAT ", time: %.0f ms)", detail, request, stats->requests,
					stats->wait_ms);
}

static void
add_step(ReturnSetInfo *result, const char *step, bool ok, const char *detail, const char *hint)
{
	Datum		values[4] = {0};
	bool		nulls[4] = {false};

	values[0] = CStringGetTextDatum(step);
	values[1] = BoolGetDatum(ok);
	nulls[2] = detail == NULL;
	if (detail)
		values[2] = CStringGetTextDatum(detail);
	nulls[3] = hint == NULL;
	if (hint)
		values[3] = CStringGetTextDatum(hint);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Calls a step; if it raises, returns false and tells why in *caught. */
static bool
try_step(void (*step) (void *), void *arg, Caught *caught)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		step(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* who cancels the query wants an end, not a report */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			ReThrowError(error);
		ok = false;
		caught->detail = error->detail ? psprintf("%s (%s)", error->message, error->detail)
			: pstrdup(error->message);
		caught->hint = error->hint;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return ok;
}

/* ------------------------------------------------------------------- steps */

typedef struct Check
{
	ReturnSetInfo *result;
	Oid			serverid;
	SigmaSession *session;
	MemoryContext context;		/* the session's use */
	SigmaProbe	probe;
	bool		verbose;
	const SigmaResource *resource;
	char	   *detail;			/* of a step that went well */
	SigmaStats	stats;			/* of the step in hand */
} Check;

static void
step_mapping(void *arg)
{
	Check	   *check = arg;

	check->session = sigma_session_open(check->serverid, GetUserId(), check->context);
	sigma_session_check_secret(check->session);
}

static void
step_probe(void *arg)
{
	Check	   *check = arg;

	sigma_session_probe(check->session, check->context, &check->probe);
}

static void
step_identity(void *arg)
{
	Check	   *check = arg;
	SigmaCallSpec spec = {
		.method = "GET",
		.target = WHOAMI,
		.purpose = SIGMA_READ,
		.stats = &check->stats,
	};
	SigmaCall  *call = sigma_call(check->session, check->context, &spec);
	SigmaJsonValue reply;
	const char *error;
	char	   *user;
	char	   *organization;

	if (!sigma_json_check(sigma_call_body(call), &reply, &error))
		sigma_raise_reply(sigma_call_target(call), "%s", error);
	user = sigma_json_member_text(&reply, "userId");
	organization = sigma_json_member_text(&reply, "organizationId");
	if (user == NULL || organization == NULL)
		sigma_raise_reply(sigma_call_target(call), "it names no user or no organization");
	check->detail = psprintf("member %s of organization %s", sigma_shown_id(user),
							 sigma_shown_id(organization));
}

/* Reads the first entry, below the first parent if there are parents. */
static void
step_resource(void *arg)
{
	Check	   *check = arg;
	SigmaBound	bound[SIGMA_MAX_KEYS] = {{0}};
	SigmaWalkSpec spec = {.resource = check->resource, .bound = bound, .limit = 1};
	const SigmaFailure *missing;
	MemoryContext context = AllocSetContextCreate(check->context, "sigma check",
												  ALLOCSET_SMALL_SIZES);
	SigmaWalk  *walk;
	SigmaEntry	entry;

	if (sigma_is_optional(check->resource))
		spec.missing = SIGMA_MISSING_TELLS;
	walk = sigma_walk_open(check->session, context, &spec, &check->stats);
	if (sigma_walk_first(walk, &entry))
		check->detail = "readable";
	else if ((missing = sigma_walk_missing(walk)) != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(check->context);

		check->detail = psprintf("not offered by this organization: %s (%s)", missing->message,
								 missing->detail);
		MemoryContextSwitchTo(old);
	}
	else
		check->detail = "readable, and empty as far as was looked";
	MemoryContextDelete(context);
}

/*
 * What an exchange without a sign-in tells of name service, connection, TLS
 * and whether it is the API at all.  False if it is of no use to go on.
 */
static bool
report_probe(Check *check)
{
	const SigmaProbe *p = &check->probe;
	const SigmaFailure *f = p->failure;
	bool		resolved = p->outcome != SIGMA_NO_RESOLVE;
	bool		tls_failed = p->outcome >= SIGMA_NO_TLS && p->outcome <= SIGMA_NO_SYSTEM_CA;
	bool		connected;

	connected = resolved && p->outcome != SIGMA_NO_CONNECT &&
		p->outcome != SIGMA_CONNECT_TIMEOUT && p->outcome != SIGMA_NO_RESOURCES;
	add_step(check->result, "dns", resolved, resolved ? p->base_url : f->detail,
			 resolved ? NULL : f->hint);
	if (!resolved)
		return false;
	add_step(check->result, "connect", connected,
			 !connected ? f->detail : check->verbose ? psprintf("connected; tried %s", p->base_url) : NULL,
			 connected ? NULL : f->hint);
	if (!connected)
		return false;
	if (strncmp(p->base_url, "https:", 6) == 0)
		add_step(check->result, "tls", !tls_failed,
				 tls_failed ? psprintf("%s (%s)", f->message, f->detail) : "certificate verified",
				 tls_failed ? f->hint : NULL);
	else
		add_step(check->result, "tls", true, "not used: the server is on this machine", NULL);
	if (tls_failed)
		return false;

	/* without a sign-in the API answers 401, with its own error object */
	if (p->outcome == SIGMA_REPLIED && p->status == 401 && p->is_sigma)
		add_step(check->result, "region", true,
				 check->verbose ? "the host answers as the Sigma API does; tried GET " WHOAMI " without a token: HTTP status 401"
				 : "the host answers as the Sigma API does", NULL);
	else
		add_step(check->result, "region", false,
				 p->outcome == SIGMA_REPLIED
				 ? psprintf("the host answers with HTTP status %d%s, not as the Sigma API does",
							p->status, p->is_sigma ? "" : " and no error object")
				 : psprintf("%s (%s)", f->message, f->detail),
				 psprintf("Check region or base_url of the server: it must be the API host of your organization's region. To set the address: %s.",
						  sigma_alter_address(sigma_session_settings(check->session))));
	return p->outcome == SIGMA_REPLIED;
}

static void
report_clock(Check *check)
{
	int64		skew;

	if (check->probe.date < 0)
	{
		add_step(check->result, "clock", true, "the server does not tell its time", NULL);
		return;
	}
	skew = (int64) time(NULL) - check->probe.date;
	if (skew < 0)
		skew = -skew;
	add_step(check->result, "clock", skew <= MAX_CLOCK_SKEW_S,
			 psprintf("this machine and the server differ by " INT64_FORMAT " s", skew),
			 skew <= MAX_CLOCK_SKEW_S ? NULL : "Set the clock of this machine, for example with \"timedatectl set-ntp true\".");
}

/* Reads an entry of each resource. */
static void
check_resources(Check *check)
{
	Caught		caught = {0};

	for (int i = 0; i < sigma_nresources; i++)
	{
		const char *step;
		const char *request;
		bool		ok;

		check->resource = sigma_resources[i];
		check->stats = (SigmaStats)
		{
			0
		};
		step = psprintf("resource %s", check->resource->name);
		request = psprintf("GET %s", check->resource->path);
		ok = try_step(step_resource, check, &caught);
		add_step(check->result, step, ok,
				 with_request(check->verbose, ok ? check->detail : caught.detail, request, &check->stats),
				 ok ? NULL : caught.hint);
	}
}

/*
 * sigma_check(server, verbose) returns setof (step, ok, detail, hint), in the
 * order in which things are to be mended
 */
Datum
sigma_check(PG_FUNCTION_ARGS)
{
	Check		check = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Caught		caught = {0};
	const char *identity;

	check.serverid = sigma_function_server(fcinfo);
	check.context = CurrentMemoryContext;
	check.verbose = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	InitMaterializedSRF(fcinfo, 0);

	if (!try_step(step_mapping, &check, &caught))
	{
		add_step(check.result, "mapping", false, caught.detail, caught.hint);
		return (Datum) 0;
	}
	identity = sigma_session_identity(check.session);
	add_step(check.result, "mapping", true,
			 psprintf("user mapping of \"%s\"%s%s", GetUserNameFromId(GetUserId(), false),
					  identity ? ", which signs in " : "", identity ? identity : ""), NULL);
	if (!try_step(step_probe, &check, &caught))
	{
		add_step(check.result, "connect", false, caught.detail, caught.hint);
		return (Datum) 0;
	}
	if (!report_probe(&check))
		return (Datum) 0;
	report_clock(&check);

	if (!try_step(step_identity, &check, &caught))
	{
		bool		signed_in = sigma_session_is_signed_in(check.session);

		add_step(check.result, "token", signed_in, signed_in ? NULL : caught.detail,
				 signed_in ? NULL : caught.hint);
		if (signed_in)
			add_step(check.result, "identity", false, caught.detail, caught.hint);
		return (Datum) 0;
	}
	add_step(check.result, "token", true,
			 check.verbose
			 ? psprintf("signed in; tried %s",
						sigma_shown_request("POST", sigma_session_settings(check.session)->token_url, NULL))
			 : "signed in", NULL);
	add_step(check.result, "identity", true,
			 with_request(check.verbose, check.detail, "GET " WHOAMI, &check.stats), NULL);

	check_resources(&check);
	return (Datum) 0;
}

/*-------------------------------------------------------------------------
 *
 * record.c
 *	  The record of writes: a line in the server's log for each that was sent,
 *	  or a NOTICE in place of it in a dry run.
 *
 * What others have named is quoted, so that a name cannot end the line's words
 * with its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/base.h"
#include "json/json.h"
#include "session/session.h"
#include "txn/txn_internal.h"

bool		sigma_dry_run = false;
bool		sigma_log_writes = true;

void
sigma_record_write(const SigmaEffect *effect, const SigmaCallSpec *spec, const char *id,
				   const SigmaCall *call, SigmaFate fate)
{
	StringInfoData s;
	const char *request_id = sigma_call_request_id(call);
	int			status = sigma_call_status(call);

	if (!sigma_log_writes || fate == SIGMA_NOT_SENT)
		return;
	initStringInfo(&s);
	appendStringInfo(&s, "Sigma write by %s on server %s: %s", sigma_quoted(effect->role),
					 sigma_quoted(effect->server),
					 sigma_shown_request(spec->method, spec->target, NULL));
	if (spec->subject)
		appendStringInfo(&s, " (%s)", spec->subject);
	if (id)
		appendStringInfo(&s, ", id %s", sigma_shown_id(id));
	if (status)
		appendStringInfo(&s, ", status %d", status);
	if (fate == SIGMA_UNKNOWN)
		appendStringInfoString(&s, ", outcome unknown");
	if (request_id)
		appendStringInfo(&s, ", requestId %s", sigma_shown_id(request_id));
	/* what became of the write is yet to be noted: like the others, this message must not end it */
	SIGMA_DEBUG(LOG_SERVER_ONLY, "%s", s.data);
	pfree(s.data);
}

void
sigma_announce(const SigmaCallSpec *spec, const char *change)
{
	SigmaHiding hiding;

	/* the statement may hold secrets, and so may one that it is a part of */
	sigma_hide_statement(&hiding);
	ereport(NOTICE,
			(errmsg("dry run: %s", sigma_shown_request(spec->method, spec->target, spec->body)),
			 change ? errdetail("%s", change) :
			 spec->subject ? errdetail("Not sent: %s.", spec->subject) : 0));
	sigma_show_statement(&hiding);
}

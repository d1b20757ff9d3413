/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *	  How a session gets its token, keeps it, and loses it.
 *
 * One sign-in at a time is under way in a session, and, if the library is
 * preloaded, one in the cluster for the same credentials.  Calls that need a
 * token wait for it; if it fails for good, they fail with it.
 *
 * A session that speaks as somebody else signs in in two steps: the client
 * credentials get the client's own token, the actor token, and with that and a
 * JWT it gets the token that its calls are sent with (RFC 8693).  The actor
 * token is kept for the next time.  Each step has its own retries.
 *
 * A secret that stands in a file is read before each token request, so that
 * one which has been replaced counts at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <time.h>

#include "common/pg_prng.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "base/base.h"
#include "json/json.h"
#include "http/http.h"
#include "config/config.h"
#include "session/session_internal.h"

/* A token is renewed this long before its end, or a tenth of its life. */
#define RENEWAL_MARGIN_S 60.0

static void
end_sign_in(SigmaSession *s)
{
	wipe(s->sign_in_body);
	s->sign_in_body = NULL;
	wipe(s->subject_token);
	s->subject_token = NULL;
	s->sign_in = NULL;
	if (s->sign_in_context)
		MemoryContextDelete(s->sign_in_context);
	s->sign_in_context = NULL;
}

/* Another backend may sign in now, or use what this one has got. */
static void
end_election(SigmaSession *s, const char *token, double life_ms)
{
	if (s->elected)
		sigma_shared_signed_in(&s->token_key, token, life_ms);
	s->elected = false;
}

static void
drop(char **secret)
{
	wipe(*secret);
	if (*secret)
		pfree(*secret);
	*secret = NULL;
}

/* Forgets the token. */
void
sigma_drop_token(SigmaSession *s)
{
	drop(&s->token);
}

/* Forgets the client's own token, beside that of whom it speaks as. */
void
sigma_drop_actor_token(SigmaSession *s)
{
	drop(&s->actor_token);
}

/* A step of the sign-in has ended; the next one has retries of its own. */
static void
end_step(SigmaSession *s)
{
	end_sign_in(s);
	s->sign_in_tries = 0;
	s->sign_in_waited_ms = 0;
	s->sign_in_steps++;
}

/* There is no next one, be it for good or bad. */
static void
end_last_step(SigmaSession *s)
{
	end_step(s);
	s->sign_in_steps = 0;
	s->actor_is_new = false;
}

/* Nobody waits for a token any more: ends the sign-in, wherever it stands. */
void
sigma_give_up_sign_in(SigmaSession *s)
{
	end_last_step(s);
	end_election(s, NULL, 0);
	s->sign_in_resume_ms = 0;
}

/* What stands for this session's token, and its budget, among those that are shared. */
void
sigma_set_shared_keys(SigmaSession *s)
{
	const SigmaSettings *settings = s->settings;
	const char *token_key[] = {
		settings->token_url, settings->token_basic ? "basic" : "body",
		settings->ca_file ? settings->ca_file : "",
		settings->client_id, settings->client_secret,
		settings->impersonate ? settings->impersonate : "",
		settings->tenant ? settings->tenant : "",
		NULL,
	};

	/* with the secret: who does not know it has no say in how many there may be */
	const char *budget_key[] = {
		settings->origin, settings->client_id, settings->client_secret,
		NULL,
	};

	s->token_key = sigma_shared_key(token_key);
	s->budget_key = sigma_shared_key(budget_key);
}

/*
 * Takes the secret from its file, if it stands in one.  What is wrong, if it
 * cannot be had, in the current memory context; else NULL.
 */
static SigmaFailure *
load_secret(SigmaSession *s)
{
	SigmaSettings *settings = s->settings;
	char	   *secret;
	SigmaFailure *failure;

	if (settings->client_secret_file == NULL)
		return NULL;
	failure = sigma_read_secret_file(settings, &secret);
	if (failure)
		return failure;
	if (settings->client_secret == NULL || strcmp(secret, settings->client_secret) != 0)
	{
		/* what was got, or is shared, belongs to another secret */
		end_election(s, NULL, 0);
		sigma_drop_actor_token(s);
		drop(&settings->client_secret);
		settings->client_secret = MemoryContextStrdup(s->context, secret);
		sigma_set_shared_keys(s);
	}
	drop(&secret);
	return NULL;
}

bool
sigma_token_is_good(const SigmaSession *s)
{
	return s->token && now_ms() < s->token_end_ms;
}

/* Does the session speak as somebody else than its credentials' owner? */
static bool
impersonates(const SigmaSession *s)
{
	return s->settings->impersonate || s->settings->tenant;
}

/* The token request with the client credentials. */
static void
ask_as_client(SigmaSession *s, SigmaRequest *request)
{
	const SigmaSettings *settings = s->settings;
	char	   *secret;

	if (settings->token_basic)
	{
		s->sign_in_body = pstrdup("grant_type=client_credentials");
		request->basic_user = settings->client_id;
		request->basic_password = settings->client_secret;
		return;
	}
	secret = sigma_text_url_encode(settings->client_secret);
	s->sign_in_body = psprintf("grant_type=client_credentials&client_id=%s&client_secret=%s",
							   sigma_text_url_encode(settings->client_id), secret);
	wipe(secret);
}

/* The one that exchanges the client's own token for another's. */
static void
ask_as_other(SigmaSession *s, SigmaRequest *request)
{
	char	   *actor = sigma_url_encode(s->actor_token, strlen(s->actor_token));

	s->subject_token = sigma_jwt(s->settings, (int64) time(NULL));
	s->sign_in_body = psprintf("grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Atoken-exchange"
							   "&subject_token=%s"
							   "&subject_token_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Atoken-type%%3Ajwt"
							   "&actor_token=%s"
							   "&actor_token_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Atoken-type%%3Aaccess_token",
							   s->subject_token, actor);
	wipe(actor);
	request->bearer = s->actor_token;
}

/* Sends the sign-in's next token request. */
static void
start_sign_in(SigmaSession *s)
{
	const SigmaSettings *settings = s->settings;
	SigmaRequest request = {.method = "POST"};
	MemoryContext old;

	end_sign_in(s);
	s->sign_in_context = AllocSetContextCreate(s->context, "sigma sign-in", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(s->sign_in_context);
	if (impersonates(s) && s->actor_token && now_ms() < s->actor_end_ms)
		ask_as_other(s, &request);
	else
		ask_as_client(s, &request);
	request.url = settings->token_url;
	request.content_type = "Content-Type: application/x-www-form-urlencoded";
	request.body = s->sign_in_body;
	request.body_length = strlen(s->sign_in_body);
	request.repeatable = true;
	request.loopback = settings->token_loopback;
	s->sign_in = sigma_transfer_start(s->transport, s->sign_in_context, &request);
	s->sign_in_tries++;
	sigma_stat_add(s, NULL, SIGMA_STAT_SIGN_INS, 1);
	SIGMA_DEBUG(DEBUG1, "signing in to server \"%s\", try %d", settings->server, s->sign_in_tries);
	MemoryContextSwitchTo(old);
}

/* Every call that waits for a token fails with the sign-in. */
static void
fail_waiting_calls(SigmaSession *s, const SigmaFailure *failure)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);
		MemoryContext old;

		if (call->state != CALL_READY)
			continue;
		/* first, in case there is no memory for more */
		call->failure = &sigma_out_of_memory;
		finish_call(call);
		sigma_stat_ended(call, false);
		old = MemoryContextSwitchTo(call->context);
		call->failure = sigma_copy_failure(failure);
		MemoryContextSwitchTo(old);
	}
}

/* The sign-in has ended without a token. */
void
sigma_fail_sign_in(SigmaSession *s, const SigmaFailure *failure)
{
	end_last_step(s);
	end_election(s, NULL, 0);
	fail_waiting_calls(s, failure);
}

/* Uses a token from now on, for so long. */
static void
use_token(SigmaSession *s, char *token, double life_ms)
{
	sigma_drop_token(s);
	s->token = MemoryContextStrdup(s->context, token);
	wipe(token);
	s->token_number++;
	s->token_borrowed = false;
	s->token_end_ms = now_ms() + life_ms;
	SIGMA_DEBUG(DEBUG1, "signed in to server \"%s\", to renew the token in %.0f s", s->settings->server, life_ms / 1000);
}

/*
 * Takes the token from a reply, and with it ends this step of the sign-in;
 * false if there is none in it.
 */
static bool
take_token(SigmaSession *s, const SigmaReply *reply)
{
	bool		is_actor = impersonates(s) && s->subject_token == NULL;
	char	   *token;
	double		expires_in;
	double		life_ms;

	if (!sigma_json_token(reply->body.data, reply->body.length, &token, &expires_in))
		return false;

	/*
	 * Of a token whose end is not known, a 401 will tell.  Whatever it says, it is tried: a life
	 * too short for one request must not lead to sign-ins without end.
	 */
	life_ms = expires_in < 0 ? INFINITY :
		Max(500, 1000 * (expires_in - Min(RENEWAL_MARGIN_S, expires_in / 10)));
	if (is_actor)
	{
		end_step(s);
		s->actor_is_new = true;
		sigma_drop_actor_token(s);
		s->actor_token = MemoryContextStrdup(s->context, token);
		s->actor_end_ms = now_ms() + life_ms;
		wipe(token);
	}
	else
	{
		end_last_step(s);
		end_election(s, token, life_ms);
		use_token(s, token, life_ms);
	}
	return true;
}

/* The sign-in's transfer has ended. */
void
sigma_finish_sign_in(SigmaSession *s)
{
	const SigmaReply *reply = sigma_transfer_reply(s->sign_in);
	bool		exchange = s->subject_token != NULL;
	bool		good = reply->status >= 200 && reply->status < 300;
	bool		answered = reply->outcome == SIGMA_REPLIED && good;
	SigmaFailure *failure;
	SigmaAttempt attempt = {
		.outcome = reply->outcome,
		.status = reply->status,
		.purpose = SIGMA_SIGN_IN,
		.body_left = reply->body_left,
		.unattended = reply->unattended,
		.tries = s->sign_in_tries,
		.max_retries = s->settings->max_retries,
		.waited_ms = s->sign_in_waited_ms,
		.retry_after = reply->retry_after[0] ? reply->retry_after : NULL,
		.now = (int64) time(NULL),
		.random = pg_prng_double(&pg_global_prng_state),
	};
	SigmaProblem problem = {
		.purpose = SIGMA_SIGN_IN,
		.request = sigma_shown_request("POST", s->settings->token_url, NULL),
		.identity = exchange ? sigma_session_identity(s) : NULL,
		.attempts = s->sign_in_tries,
		.waited_ms = s->sign_in_waited_ms,
	};
	long		delay;

	SIGMA_DEBUG(DEBUG1, "signing in to server \"%s\": status %d%s", s->settings->server, reply->status,
				reply->new_connection ? ", over a new connection" : "");
	if (answered && take_token(s, reply))
		return;
	sigma_stat_add(s, NULL, SIGMA_STAT_SIGN_INS_FAILED, 1);
	if (sigma_attempt_is_free(&attempt))
	{
		s->sign_in_tries--;
		end_sign_in(s);
		return;
	}
	if (exchange && reply->outcome == SIGMA_REPLIED && reply->status == 401 && !s->actor_is_new)
	{
		/* it may be the kept actor token that is good no more */
		sigma_drop_actor_token(s);
		end_step(s);
		return;
	}
	/* the step before was this second's sign-in: that there is but one is no bad luck */
	if (s->sign_in_steps > 0 && reply->status == 429)
		attempt.max_retries = Max(attempt.max_retries, 1);
	delay = answered ? -1 : sigma_retry_delay(&attempt);
	if (delay >= 0)
	{
		s->sign_in_waited_ms += delay;
		s->sign_in_resume_ms = now_ms() + delay;
		end_sign_in(s);
		return;
	}
	failure = sigma_describe_failure(s, reply, &problem, NIL);
	if (answered)
	{
		failure->sqlstate = ERRCODE_FDW_ERROR;
		failure->message = psprintf("server \"%s\" answered the sign-in without a usable access_token",
									s->settings->server);
		failure->hint = psprintf("Check base_url and token_url of the server. To set the address: %s.",
								 sigma_alter_address(s->settings));
	}
	/* so that the next sign-in does not begin with what has just been refused */
	if (exchange && reply->status == 401)
		sigma_drop_actor_token(s);
	sigma_fail_sign_in(s, failure);
}

/*
 * There is a call, but no token for it: takes one that another backend has
 * got, waits for one that is signing in, or signs in.
 */
void
sigma_seek_token(SigmaSession *s, SigmaCall *waiting)
{
	SigmaFailure *failure;
	char	   *token;
	double		left_ms;

	if (s->sign_in || now_ms() < s->sign_in_resume_ms || now_ms() < s->look_again_ms)
		return;
	failure = load_secret(s);
	if (failure)
	{
		sigma_fail_sign_in(s, failure);
		return;
	}
	/* even if this one is to sign in: nobody waits long for who is left alone meanwhile */
	switch (sigma_shared_token(&s->token_key, &token, &left_ms))
	{
		case SIGMA_SHARED_TOKEN:
			sigma_give_up_sign_in(s);
			use_token(s, token, left_ms);
			s->token_borrowed = true;
			return;
		case SIGMA_SHARED_WAIT:
			s->elected = false;
			s->look_again_ms = now_ms() + LOOK_AGAIN_MS;
			return;
		case SIGMA_SHARED_SIGN_IN:
			s->elected = true;
			break;
	}
	start_sign_in(s);
	if (waiting->spec.stats)
		waiting->spec.stats->sign_ins++;
}

/*-------------------------------------------------------------------------
 *
 * session.c
 *	  An authenticated conversation with one server as one user.
 *
 * A session belongs to a user mapping, so that no user ever speaks with
 * another's token.  It keeps a token and open connections from statement to
 * statement.  When its server or mapping is altered or dropped, it is marked
 * as stale: whoever is using it finishes with it, the next statement gets a
 * new one.
 *
 * A call is one request with everything that belongs to it: sign-in, retries,
 * a renewed token after a 401.  Several calls of a session may be under way
 * at once; all of them advance whenever somebody waits for one.  A call is in
 * one of four states:
 *
 *	  READY     to be sent as soon as there is a token and a free place
 *	  PAUSED    READY again when its time has come
 *	  FLYING    its transfer is under way
 *	  DONE      it has a reply, or a failure
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include <ctype.h>
#include <math.h>
#include <time.h>

#include "access/xact.h"
#include "common/base64.h"
#include "common/pg_prng.h"
#include "lib/ilist.h"
#include "portability/instr_time.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* A token is renewed this long before its end, or a tenth of its life. */
#define RENEWAL_MARGIN_S 60.0

/* How often to ask again for what another backend holds. */
#define LOOK_AGAIN_MS 5.0

struct SigmaSession
{
	dlist_node	node;			/* in sessions */
	MemoryContext context;
	SigmaSettings *settings;
	SigmaTransport *transport;
	uint32		server_hash;	/* of the catalog rows it was made from */
	uint32		mapping_hash;
	bool		stale;			/* they have changed since */
	int			references;
	dlist_head	calls;			/* those that are not DONE */
	int			flying;			/* calls in that state */
	double	   *totals;			/* per resource, the last "total" seen; or -1 */

	/* what is shared with other backends */
	SigmaSharedKey token_key;
	SigmaSharedKey budget_key;
	bool		elected;		/* to sign in for all who share the token */
	double		look_again_ms;	/* when to ask again for what another holds */

	/* the token */
	char	   *token;			/* or NULL */
	double		token_end_ms;	/* when to renew it, by the monotonic clock */
	uint64		token_number;	/* tells tokens apart */

	/* the sign-in under way, if any of these is set */
	MemoryContext sign_in_context;
	SigmaTransfer *sign_in;
	char	   *sign_in_body;
	int			sign_in_tries;
	long		sign_in_waited_ms;
	double		sign_in_resume_ms;	/* not before this time */
};

typedef enum CallState
{
	CALL_READY,
	CALL_PAUSED,
	CALL_FLYING,
	CALL_DONE
} CallState;

struct SigmaCall
{
	dlist_node	node;			/* in the session's calls, unless DONE */
	SigmaSession *session;		/* NULL once it is gone */
	MemoryContext context;
	SigmaCallSpec spec;			/* a copy */
	char	   *url;
	CallState	state;
	SigmaTransfer *transfer;	/* of the last attempt */
	int			tries;			/* attempts that count against max_retries */
	bool		renewed;		/* a 401 has led to a new token already */
	uint64		token_number;	/* the token it was sent with */
	long		waited_ms;
	double		resume_ms;		/* if PAUSED */
	bool		not_found;
	SigmaFailure *failure;		/* if DONE and failed */
	MemoryContextCallback callback;
};

/* A use of a session; ends with a memory context. */
typedef struct Reference
{
	SigmaSession *session;
	MemoryContextCallback callback;
} Reference;

static dlist_head sessions = DLIST_STATIC_INIT(sessions);

static double
now_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_MILLISEC(now);
}

/* A secret that is no longer needed. */
static void
wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
}

/* ----------------------------------------------------- sessions' life time */

static void
end_sign_in(SigmaSession *s)
{
	wipe(s->sign_in_body);
	s->sign_in_body = NULL;
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
drop_token(SigmaSession *s)
{
	wipe(s->token);
	if (s->token)
		pfree(s->token);
	s->token = NULL;
}

/* A call's transfer is no longer under way. */
static void
land(SigmaSession *s)
{
	s->flying--;
	sigma_shared_end_request(&s->budget_key);
}

static void
detach_call(SigmaCall *call)
{
	SigmaSession *s = call->session;

	if (call->transfer)
		sigma_transfer_free(call->transfer);
	call->transfer = NULL;
	if (s == NULL)
		return;
	if (call->state == CALL_FLYING)
		land(s);
	if (call->state != CALL_DONE)
		dlist_delete(&call->node);
	call->state = CALL_DONE;
	call->session = NULL;
	/* nobody is left to wait for the token: a cancel ends that, too */
	if (dlist_is_empty(&s->calls))
	{
		end_sign_in(s);
		end_election(s, NULL, 0);
		s->sign_in_tries = 0;
		s->sign_in_waited_ms = 0;
		s->sign_in_resume_ms = 0;
	}
}

static void
detach_call_callback(void *arg)
{
	detach_call(arg);
}

static void
destroy_session(SigmaSession *s)
{
	while (!dlist_is_empty(&s->calls))
		detach_call(dlist_head_element(SigmaCall, node, &s->calls));
	end_sign_in(s);
	end_election(s, NULL, 0);
	drop_token(s);
	wipe(s->settings->client_secret);
	dlist_delete(&s->node);
	MemoryContextDelete(s->context);
}

/* Ends the stale sessions that nobody uses. */
static void
sweep_sessions(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &sessions)
	{
		SigmaSession *s = dlist_container(SigmaSession, node, iter.cur);

		if (s->stale && s->references == 0)
			destroy_session(s);
	}
}

static void
release_reference(void *arg)
{
	Reference  *reference = arg;

	reference->session->references--;
}

/* A server or a user mapping has changed: which sessions were made from it? */
static void
on_invalidation(Datum arg UNUSED, int cacheid, uint32 hash)
{
	dlist_iter	iter;

	dlist_foreach(iter, &sessions)
	{
		SigmaSession *s = dlist_container(SigmaSession, node, iter.cur);

		if (hash == 0 ||
			hash == (cacheid == FOREIGNSERVEROID ? s->server_hash : s->mapping_hash))
			s->stale = true;
	}
}

static void
on_transaction_end(XactEvent event, void *arg UNUSED)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		sweep_sessions();
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_invalidation, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_invalidation, (Datum) 0);
	RegisterXactCallback(on_transaction_end, NULL);
	registered = true;
}

static SigmaSession *
find_session(Oid umid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &sessions)
	{
		SigmaSession *s = dlist_container(SigmaSession, node, iter.cur);

		if (!s->stale && s->settings->umid == umid)
			return s;
	}
	return NULL;
}

static SigmaSession *
create_session(Oid serverid, Oid userid)
{
	/* in the caller's context until nothing can fail any more */
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "sigma session",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	SigmaSession *s = palloc0(sizeof(SigmaSession));

	s->context = context;
	dlist_init(&s->calls);
	s->settings = sigma_settings(serverid, userid);
	s->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	s->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(s->settings->umid));
	s->totals = palloc(sigma_nresources * sizeof(double));
	for (int i = 0; i < sigma_nresources; i++)
		s->totals[i] = -1;
	s->token_key = sigma_shared_key((const char *const[]) {
									s->settings->token_url, s->settings->token_basic ? "basic" : "body",
									s->settings->ca_file ? s->settings->ca_file : "",
									s->settings->client_id, s->settings->client_secret, NULL});
	s->budget_key = sigma_shared_key((const char *const[]) {s->settings->base_url, NULL});
	s->transport = sigma_transport_create(context, s->settings);
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_head(&sessions, &s->node);
	return s;
}

/*
 * The session of a user with a server, made if there is none.  The caller's
 * use of it ends with the memory context, which must be that of its calls or
 * a parent of it.  Raises 28000 if the user has no mapping.  Makes no request.
 */
SigmaSession *
sigma_session_open(Oid serverid, Oid userid, MemoryContext context)
{
	Reference  *reference = MemoryContextAllocZero(context, sizeof(Reference));
	List	   *options;
	Oid			umid;
	SigmaSession *s = NULL;

	register_callbacks();
	sweep_sessions();
	umid = sigma_mapping(serverid, userid, &options);
	if (OidIsValid(umid))
		s = find_session(umid);
	if (s == NULL)
		s = create_session(serverid, userid);

	s->references++;
	reference->session = s;
	reference->callback.func = release_reference;
	reference->callback.arg = reference;
	MemoryContextRegisterResetCallback(context, &reference->callback);
	return s;
}

/* The foreign server's name; it lives as long as the session. */
const char *
sigma_session_server(const SigmaSession *session)
{
	return session->settings->server;
}

Oid
sigma_session_serverid(const SigmaSession *session)
{
	return session->settings->serverid;
}

/* How many requests may be under way at once. */
int
sigma_session_concurrency(const SigmaSession *session)
{
	return session->settings->max_concurrency;
}

/* Keeps the number of entries that a list said it has. */
void
sigma_session_note_total(SigmaSession *session, const SigmaResource *resource, double total)
{
	for (int i = 0; i < sigma_nresources; i++)
		if (sigma_resources[i] == resource)
			session->totals[i] = total;
}

/* The number last kept, or -1; makes no session and no request. */
double
sigma_last_total(Oid serverid, Oid userid, const SigmaResource *resource)
{
	List	   *options;
	Oid			umid = sigma_mapping(serverid, userid, &options);
	SigmaSession *s = OidIsValid(umid) ? find_session(umid) : NULL;

	for (int i = 0; s && i < sigma_nresources; i++)
		if (sigma_resources[i] == resource)
			return s->totals[i];
	return -1;
}

/* Would a request to this path (decoded) fetch a token? */
bool
sigma_session_is_sign_in(const SigmaSession *session, const char *path)
{
	char	   *url = psprintf("%s%s", session->settings->base_url, path);
	size_t		length = strlen(url);
	static const char token_path[] = "/auth/token";
	size_t		token_length = strlen(token_path);

	while (length > 0 && url[length - 1] == '/')
		url[--length] = '\0';
	return pg_strcasecmp(url, session->settings->token_url) == 0 ||
		(length >= token_length && pg_strcasecmp(url + length - token_length, token_path) == 0);
}

/* --------------------------------------------------------------- failures */

/* What must not be shown in a message about a request of this session. */
static List *
session_secrets(const SigmaSession *s, List *secrets)
{
	const SigmaSettings *settings = s->settings;
	char	   *pair = psprintf("%s:%s", settings->client_id, settings->client_secret);
	int			length = (int) strlen(pair);
	int			encoded_length = pg_b64_enc_len(length);
	char	   *encoded = palloc0(encoded_length + 1);

	secrets = list_copy(secrets);
	secrets = lappend(secrets, settings->client_secret);
	secrets = lappend(secrets, sigma_url_encode(settings->client_secret,
												strlen(settings->client_secret)));
	if (pg_b64_encode((const void *) pair, length, encoded, encoded_length) > 0)
		secrets = lappend(secrets, encoded);
	if (s->token)
		secrets = lappend(secrets, s->token);
	return secrets;
}

/* What to tell of a request that has failed for good; palloc'd. */
static SigmaFailure *
describe_failure(const SigmaSession *s, const SigmaReply *reply, SigmaProblem *problem,
				 List *secrets)
{
	char	   *code = NULL;
	char	   *message = NULL;
	char	   *request_id = NULL;

	if (reply->outcome == SIGMA_REPLIED)
		(void) sigma_json_error_object(reply->body.data, reply->body.length,
									   &code, &message, &request_id);
	secrets = session_secrets(s, secrets);
	problem->outcome = reply->outcome;
	problem->status = reply->status;
	problem->server = s->settings->server;
	problem->api_code = code ? sigma_mask(code, secrets) : NULL;
	problem->api_message = message ? sigma_mask(message, secrets) : NULL;
	problem->api_request_id = request_id ? sigma_mask(request_id, secrets) : NULL;
	problem->transport_text = sigma_mask(pstrdup(reply->text), secrets);
	problem->html = reply->html;
	problem->connect_timeout_ms = s->settings->connect_timeout_ms;
	problem->request_timeout_ms = s->settings->request_timeout_ms;
	problem->max_response_size = s->settings->max_response_size;
	return sigma_problem_to_failure(problem);
}

/*
 * Asks who we are without saying it, to learn whether the host can be reached
 * and is the API.  Raises only what interrupts the wait.
 */
void
sigma_session_probe(SigmaSession *s, MemoryContext context, SigmaProbe *probe)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	SigmaRequest request = {
		.method = "GET",
		.url = psprintf("%s/v2/whoami", s->settings->base_url),
		.repeatable = true,
		.loopback = s->settings->loopback,
	};
	SigmaProblem problem = {.purpose = SIGMA_READ, .method = "GET", .target = "/v2/whoami"};
	SigmaTransfer *transfer = sigma_transfer_start(s->transport, context, &request);
	const SigmaReply *reply = sigma_transfer_reply(transfer);
	char	   *code;
	char	   *message;
	char	   *request_id;

	while (!sigma_transfer_done(transfer))
		sigma_transport_wait(s->transport, -1);
	probe->base_url = pstrdup(s->settings->base_url);
	probe->outcome = reply->outcome;
	probe->status = reply->status;
	probe->is_sigma = sigma_json_error_object(reply->body.data, reply->body.length,
											  &code, &message, &request_id) && request_id;
	probe->date = sigma_parse_http_date(reply->date);
	probe->failure = describe_failure(s, reply, &problem, NIL);
	sigma_transfer_free(transfer);
	MemoryContextSwitchTo(old);
}

/* Has the session a token? */
bool
sigma_session_is_signed_in(const SigmaSession *session)
{
	return session->token != NULL;
}

/* ---------------------------------------------------------------- sign-in */

static bool
token_is_good(const SigmaSession *s)
{
	return s->token && now_ms() < s->token_end_ms;
}

static void
start_sign_in(SigmaSession *s)
{
	const SigmaSettings *settings = s->settings;
	SigmaRequest request = {.method = "POST"};
	MemoryContext old;

	end_sign_in(s);
	s->sign_in_context = AllocSetContextCreate(s->context, "sigma sign-in", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(s->sign_in_context);
	if (settings->token_basic)
	{
		s->sign_in_body = pstrdup("grant_type=client_credentials");
		request.basic_user = settings->client_id;
		request.basic_password = settings->client_secret;
	}
	else
		s->sign_in_body = psprintf("grant_type=client_credentials&client_id=%s&client_secret=%s",
								   sigma_text_url_encode(settings->client_id),
								   sigma_text_url_encode(settings->client_secret));
	request.url = settings->token_url;
	request.content_type = "Content-Type: application/x-www-form-urlencoded";
	request.body = s->sign_in_body;
	request.body_length = strlen(s->sign_in_body);
	request.repeatable = true;
	request.loopback = settings->token_loopback;
	s->sign_in = sigma_transfer_start(s->transport, s->sign_in_context, &request);
	s->sign_in_tries++;
	MemoryContextSwitchTo(old);
}

static void
finish_call(SigmaCall *call)
{
	dlist_delete(&call->node);
	call->state = CALL_DONE;
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
		old = MemoryContextSwitchTo(call->context);
		call->failure = sigma_copy_failure(failure);
		MemoryContextSwitchTo(old);
		finish_call(call);
	}
}

/* Uses a token from now on, for so long. */
static void
use_token(SigmaSession *s, char *token, double life_ms)
{
	drop_token(s);
	s->token = MemoryContextStrdup(s->context, token);
	wipe(token);
	s->token_number++;
	s->token_end_ms = now_ms() + life_ms;
}

/* Takes the token from a reply; false if there is none in it. */
static bool
take_token(SigmaSession *s, const SigmaReply *reply)
{
	char	   *token;
	double		expires_in;
	double		life_ms;

	if (!sigma_json_token(reply->body.data, reply->body.length, &token, &expires_in))
		return false;
	/*
	 * Of a token whose end is not known, a 401 will tell.  Whatever it says,
	 * it is tried: a life too short for one request must not lead to sign-ins
	 * without end.
	 */
	life_ms = expires_in < 0 ? INFINITY :
		Max(500, 1000 * (expires_in - Min(RENEWAL_MARGIN_S, expires_in / 10)));
	end_election(s, token, life_ms);
	use_token(s, token, life_ms);
	return true;
}

/* The sign-in's transfer has ended. */
static void
finish_sign_in(SigmaSession *s)
{
	const SigmaReply *reply = sigma_transfer_reply(s->sign_in);
	bool		answered = reply->outcome == SIGMA_REPLIED &&
		reply->status >= 200 && reply->status < 300;
	SigmaFailure *failure;
	SigmaAttempt attempt = {
		.outcome = reply->outcome,
		.status = reply->status,
		.purpose = SIGMA_SIGN_IN,
		.body_left = reply->body_left,
		.tries = s->sign_in_tries,
		.max_retries = s->settings->max_retries,
		.waited_ms = s->sign_in_waited_ms,
		.retry_after = reply->retry_after[0] ? reply->retry_after : NULL,
		.now = (int64) time(NULL),
		.random = pg_prng_double(&pg_global_prng_state),
	};
	SigmaProblem problem = {
		.purpose = SIGMA_SIGN_IN,
		.method = "POST",
		.target = s->settings->token_url,
		.attempts = s->sign_in_tries,
	};
	long		delay;

	if (answered && take_token(s, reply))
	{
		end_sign_in(s);
		s->sign_in_tries = 0;
		s->sign_in_waited_ms = 0;
		return;
	}
	delay = answered ? -1 : sigma_retry_delay(&attempt);
	if (delay >= 0)
	{
		s->sign_in_waited_ms += delay;
		s->sign_in_resume_ms = now_ms() + delay;
		end_sign_in(s);
		return;
	}
	failure = describe_failure(s, reply, &problem, NIL);
	if (answered)
	{
		failure->sqlstate = ERRCODE_FDW_ERROR;
		failure->message = psprintf("server \"%s\" answered the sign-in without a usable access_token",
									s->settings->server);
		failure->hint = "Check base_url and token_url of the server.";
	}
	end_sign_in(s);
	end_election(s, NULL, 0);
	s->sign_in_tries = 0;
	s->sign_in_waited_ms = 0;
	fail_waiting_calls(s, failure);
}

/*
 * There is a call, but no token for it: takes one that another backend has
 * got, waits for one that is signing in, or signs in.
 */
static void
seek_token(SigmaSession *s, SigmaCall *waiting)
{
	char	   *token;
	double		left_ms;

	if (s->sign_in || now_ms() < s->sign_in_resume_ms || now_ms() < s->look_again_ms)
		return;
	if (!s->elected)
	{
		switch (sigma_shared_token(&s->token_key, &token, &left_ms))
		{
			case SIGMA_SHARED_TOKEN:
				use_token(s, token, left_ms);
				return;
			case SIGMA_SHARED_WAIT:
				s->look_again_ms = now_ms() + LOOK_AGAIN_MS;
				return;
			case SIGMA_SHARED_SIGN_IN:
				s->elected = true;
				break;
		}
	}
	start_sign_in(s);
	if (waiting->spec.stats)
		waiting->spec.stats->sign_ins++;
}

/* ------------------------------------------------------------------ calls */

static void
send_call(SigmaCall *call)
{
	SigmaSession *s = call->session;
	SigmaRequest request = {
		.method = call->spec.method,
		.url = call->url,
		.bearer = s->token,
		.content_type = "Content-Type: application/json",
		.body = call->spec.body,
		.body_length = call->spec.body ? strlen(call->spec.body) : 0,
		.repeatable = call->spec.purpose != SIGMA_WRITE,
		.loopback = s->settings->loopback,
	};

	if (call->transfer)
		sigma_transfer_free(call->transfer);
	call->transfer = NULL;
	/* first, so that an error here lets go of the place that it has taken */
	call->state = CALL_FLYING;
	s->flying++;
	call->transfer = sigma_transfer_start(s->transport, call->context, &request);
	call->token_number = s->token_number;
	call->tries++;
	if (call->spec.stats)
		call->spec.stats->requests++;
}

static void
fail_call(SigmaCall *call, const SigmaReply *reply, const SigmaAttempt *attempt)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	SigmaProblem problem = {
		.purpose = call->spec.purpose,
		.outcome_unknown = sigma_outcome_unknown(attempt),
		.method = call->spec.method,
		.target = call->spec.target,
		.subject = call->spec.subject,
		.attempts = call->tries,
	};

	call->failure = describe_failure(call->session, reply, &problem, call->spec.secrets);
	MemoryContextSwitchTo(old);
	finish_call(call);
}

/* A call's transfer has ended. */
static void
receive_reply(SigmaCall *call)
{
	SigmaSession *s = call->session;
	const SigmaReply *reply = sigma_transfer_reply(call->transfer);
	SigmaAttempt attempt = {
		.outcome = reply->outcome,
		.status = reply->status,
		.purpose = call->spec.purpose,
		.body_left = reply->body_left,
		.tries = call->tries,
		.max_retries = s->settings->max_retries,
		.waited_ms = call->waited_ms,
		.retry_after = reply->retry_after[0] ? reply->retry_after : NULL,
		.now = (int64) time(NULL),
		.random = pg_prng_double(&pg_global_prng_state),
	};
	long		delay;

	land(s);
	call->state = CALL_READY;
	if (call->spec.stats)
		call->spec.stats->bytes += reply->body.length;

	if (reply->outcome == SIGMA_REPLIED)
	{
		if (reply->status >= 200 && reply->status < 300)
		{
			finish_call(call);
			return;
		}
		if (reply->status == 404 && call->spec.purpose == SIGMA_LOOKUP)
		{
			call->not_found = true;
			finish_call(call);
			return;
		}
		if (reply->status == 401 && !call->renewed)
		{
			/* refused, so surely not carried out; no try is spent */
			if (call->token_number == s->token_number && s->token)
			{
				sigma_shared_drop_token(&s->token_key, s->token);
				drop_token(s);
			}
			call->renewed = true;
			call->tries--;
			return;
		}
	}
	delay = sigma_retry_delay(&attempt);
	if (delay < 0)
	{
		fail_call(call, reply, &attempt);
		return;
	}
	call->state = CALL_PAUSED;
	call->waited_ms += delay;
	call->resume_ms = now_ms() + delay;
	if (call->spec.stats)
		call->spec.stats->retries++;
}

/* Does whatever can be done without waiting. */
static void
advance(SigmaSession *s)
{
	dlist_mutable_iter iter;

	if (s->sign_in && sigma_transfer_done(s->sign_in))
		finish_sign_in(s);

	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_FLYING && call->transfer && sigma_transfer_done(call->transfer))
			receive_reply(call);
	}
	dlist_foreach_modify(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_PAUSED && now_ms() >= call->resume_ms)
			call->state = CALL_READY;
		if (call->state != CALL_READY)
			continue;
		if (!token_is_good(s))
			seek_token(s, call);
		if (token_is_good(s) && s->flying < s->settings->max_concurrency &&
			now_ms() >= s->look_again_ms)
		{
			if (sigma_shared_begin_request(&s->budget_key, s->settings->max_concurrency))
				send_call(call);
			else
				s->look_again_ms = now_ms() + LOOK_AGAIN_MS;
		}
	}
}

/* How long nothing will happen by itself, in ms; -1: until a transfer ends. */
static long
idle_time(SigmaSession *s)
{
	double		next = INFINITY;
	bool		waiting = false;
	dlist_iter	iter;
	double		left;

	dlist_foreach(iter, &s->calls)
	{
		SigmaCall  *call = dlist_container(SigmaCall, node, iter.cur);

		if (call->state == CALL_PAUSED)
			next = Min(next, call->resume_ms);
		waiting |= call->state == CALL_READY;
	}
	if (waiting && !s->sign_in && !token_is_good(s))
		next = Min(next, Max(s->sign_in_resume_ms, s->look_again_ms));
	else if (waiting && s->look_again_ms > now_ms())
		next = Min(next, s->look_again_ms);
	if (isinf(next))
		return -1;
	left = next - now_ms();
	return left <= 0 ? 0 : (long) left + 1;
}

/*
 * Begins a call; nothing is waited for.  The call belongs to the memory
 * context: an error, or its end, gives the request up.  The spec's strings
 * and list must live as long, except method, which must be constant.
 */
SigmaCall *
sigma_call_start(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	MemoryContext call_context = AllocSetContextCreate(context, "sigma call", ALLOCSET_SMALL_SIZES);
	SigmaCall  *call = MemoryContextAllocZero(call_context, sizeof(SigmaCall));
	MemoryContext old = MemoryContextSwitchTo(call_context);

	call->context = call_context;
	call->spec = *spec;
	call->url = psprintf("%s%s", session->settings->base_url, spec->target);
	call->state = CALL_READY;
	call->session = session;
	dlist_push_tail(&session->calls, &call->node);
	call->callback.func = detach_call_callback;
	call->callback.arg = call;
	MemoryContextRegisterResetCallback(call_context, &call->callback);
	MemoryContextSwitchTo(old);

	advance(session);
	return call;
}

bool
sigma_call_done(const SigmaCall *call)
{
	return call->state == CALL_DONE;
}

/*
 * Waits until the call is done, well or badly.  Raises only what interrupts
 * the wait: a cancel, a termination, a statement_timeout.
 */
void
sigma_call_wait(SigmaCall *call)
{
	double		start = now_ms();

	while (call->state != CALL_DONE)
	{
		SigmaSession *s = call->session;

		advance(s);
		if (call->state != CALL_DONE)
			sigma_transport_wait(s->transport, idle_time(s));
	}
	if (call->spec.stats)
		call->spec.stats->wait_ms += now_ms() - start;
}

/* Lets a session's calls go on as far as they can without waiting. */
void
sigma_session_poll(SigmaSession *session)
{
	advance(session);
	sigma_transport_wait(session->transport, 0);
	advance(session);
}

/* A beacon for somebody else's event set; see transport.c. */
SigmaBeacon *
sigma_session_beacon(SigmaSession *session, MemoryContext context)
{
	return sigma_beacon_create(session->transport, context);
}

/*
 * The descriptor that becomes readable when the session has something to do,
 * or after at most so many milliseconds.
 */
int
sigma_session_light(SigmaSession *session, SigmaBeacon *beacon, long timeout_ms)
{
	long		idle;

	advance(session);
	idle = idle_time(session);
	return sigma_beacon_light(beacon, idle < 0 ? timeout_ms : Min(idle, timeout_ms));
}

/* Why a call that is done has failed; NULL if it has not. */
const SigmaFailure *
sigma_call_failure(const SigmaCall *call)
{
	return call->failure;
}

/* Did a look-up by key find that there is no such thing? */
bool
sigma_call_not_found(const SigmaCall *call)
{
	return call->not_found;
}

/*
 * May the request have been carried out, as far as this side can tell?  Asked
 * of a write whose wait was interrupted.
 */
bool
sigma_call_may_have_acted(const SigmaCall *call)
{
	if (call->state == CALL_DONE)
		return call->failure == NULL ||
			call->failure->sqlstate == ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
	return call->state == CALL_FLYING && call->transfer && sigma_transfer_body_left(call->transfer);
}

/* The reply's body, NUL-terminated; it lives as long as the call. */
SigmaSpan
sigma_call_body(const SigmaCall *call)
{
	return sigma_transfer_reply(call->transfer)->body;
}

/* "GET /v2/connections?limit=1000", palloc'd, for messages. */
const char *
sigma_call_target(const SigmaCall *call)
{
	return psprintf("%s %s", call->spec.method, call->spec.target);
}

/* Ends the call, and its memory. */
void
sigma_call_free(SigmaCall *call)
{
	MemoryContextDelete(call->context);
}

/* A whole call: begins, waits, and raises if it has failed. */
SigmaCall *
sigma_call(SigmaSession *session, MemoryContext context, const SigmaCallSpec *spec)
{
	SigmaCall  *call = sigma_call_start(session, context, spec);

	sigma_call_wait(call);
	if (call->failure)
		sigma_raise(call->failure);
	return call;
}

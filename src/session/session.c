/*-------------------------------------------------------------------------
 *
 * session.c
 *	  An authenticated conversation with one server as one user: how long it
 *	  lives, and who has it.
 *
 * A session belongs to a user mapping, so that no user ever speaks with
 * another's token.  It keeps a token and open connections from statement to
 * statement.  When its server or mapping is altered or dropped, it is marked
 * as stale: whoever is using it finishes with it, the next statement gets a
 * new one.
 *
 * How it signs in stands in sign_in.c, what it says in call.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "common/hashfn.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/base.h"
#include "json/json.h"
#include "http/http.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "session/session_internal.h"

/* So many sessions that nobody uses keep their connections. */
#define MAX_IDLE_CONNECTED 8

/* A use of a session; ends with a memory context. */
typedef struct Reference
{
	SigmaSession *session;
	MemoryContextCallback callback;
} Reference;

/* What a session has learned of a resource. */
typedef struct Note
{
	const SigmaResource *resource;	/* constant, so the pointer is the key */
	double		total;			/* the last "total" seen; or -1 */
	TimestampTz warned[SIGMA_WARNINGS]; /* the statement that was told last */
	char		status;
} Note;

#define SH_PREFIX notes
#define SH_ELEMENT_TYPE Note
#define SH_KEY_TYPE const SigmaResource *
#define SH_KEY resource
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) &(key), (int) sizeof(key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static dlist_head sessions = DLIST_STATIC_INIT(sessions);
static uint64 invalidations = 0;	/* how many there have been */

static void
destroy_session(SigmaSession *s)
{
	while (!dlist_is_empty(&s->calls))
		sigma_detach_call(dlist_head_element(SigmaCall, node, &s->calls));
	sigma_give_up_sign_in(s);
	sigma_drop_token(s);
	sigma_drop_actor_token(s);
	wipe(s->settings->client_secret);
	dlist_delete(&s->node);
	MemoryContextDelete(s->context);
}

/* Gives connections back; the token stays. */
static void
disconnect(SigmaSession *s)
{
	if (s->transport_context)
		MemoryContextDelete(s->transport_context);
	s->transport_context = NULL;
	s->transport = NULL;
}

static void
connect_session(SigmaSession *s)
{
	const SigmaSettings *settings = s->settings;
	SigmaLimits limits = {
		.ca_file = settings->ca_file,
		.connect_timeout_ms = settings->connect_timeout_ms,
		.request_timeout_ms = settings->request_timeout_ms,
		.max_response_size = settings->max_response_size,
		/* one more, for sign-ins */
		.max_connections = settings->max_concurrency + 1,
	};

	if (s->transport)
		return;
	s->transport_context = AllocSetContextCreate(s->context, "sigma transport",
												 ALLOCSET_SMALL_SIZES);
	s->transport = sigma_transport_create(s->transport_context, &limits);
}

void
sigma_session_sweep(void)
{
	dlist_mutable_iter iter;
	int			idle = 0;

	/* those used last stand first */
	dlist_foreach_modify(iter, &sessions)
	{
		SigmaSession *s = dlist_container(SigmaSession, node, iter.cur);

		if (s->references > 0)
			continue;
		if (s->stale)
			destroy_session(s);
		else if (s->transport && ++idle > MAX_IDLE_CONNECTED)
			disconnect(s);
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

	invalidations++;
	dlist_foreach(iter, &sessions)
	{
		SigmaSession *s = dlist_container(SigmaSession, node, iter.cur);

		if (hash == 0 ||
			hash == (cacheid == FOREIGNSERVEROID ? s->server_hash : s->mapping_hash))
			s->stale = true;
	}
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_invalidation, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_invalidation, (Datum) 0);
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
	uint64		before = invalidations;

	s->context = context;
	dlist_init(&s->calls);
	s->settings = sigma_settings(serverid, userid);
	s->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	s->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(s->settings->umid));
	s->width = s->settings->max_concurrency;
	s->notes = notes_create(context, 16, NULL);
	/* a secret in a file is read when there is to be a sign-in */
	if (s->settings->client_secret)
		sigma_set_shared_keys(s);
	MemoryContextSwitchTo(old);

	sigma_prepare_conversion();
	sigma_stat_prepare();
	/* a change while the settings were read may not be in them, and has not found the session */
	s->stale = invalidations != before;
	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_head(&sessions, &s->node);
	return s;
}

SigmaSession *
sigma_session_open(Oid serverid, Oid userid, MemoryContext context)
{
	Reference  *reference = MemoryContextAllocZero(context, sizeof(Reference));
	List	   *options;
	Oid			umid;
	SigmaSession *s = NULL;

	register_callbacks();
	sigma_session_sweep();
	umid = sigma_mapping(serverid, userid, &options);
	if (OidIsValid(umid))
		s = find_session(umid);
	if (s == NULL)
		s = create_session(serverid, userid);
	dlist_move_head(&sessions, &s->node);
	connect_session(s);

	s->references++;
	reference->session = s;
	reference->callback.func = release_reference;
	reference->callback.arg = reference;
	MemoryContextRegisterResetCallback(context, &reference->callback);
	return s;
}

const char *
sigma_session_server(const SigmaSession *session)
{
	return session->settings->server;
}

const SigmaSettings *
sigma_session_settings(const SigmaSession *session)
{
	return session->settings;
}

Oid
sigma_session_serverid(const SigmaSession *session)
{
	return session->settings->serverid;
}

int
sigma_session_max_response_size(const SigmaSession *session)
{
	return session->settings->max_response_size;
}

int
sigma_session_concurrency(const SigmaSession *session)
{
	return session->settings->max_concurrency;
}

bool
sigma_session_keeps_on_rollback(const SigmaSession *session)
{
	return session->settings->keep_on_rollback;
}

int
sigma_session_rollback_timeout(const SigmaSession *session)
{
	return session->settings->rollback_timeout_ms;
}

void
sigma_session_pin(SigmaSession *session)
{
	session->references++;
}

void
sigma_session_unpin(SigmaSession *session)
{
	Assert(session->references > 0);
	session->references--;
}

/* The session's note on a resource, made if there is none. */
static Note *
note_on(SigmaSession *session, const SigmaResource *resource)
{
	bool		found;
	Note	   *note = notes_insert(session->notes, resource, &found);

	if (!found)
	{
		note->total = -1;
		memset(note->warned, 0, sizeof(note->warned));
	}
	return note;
}

bool
sigma_session_warns(SigmaSession *session, SigmaWarning warning, const SigmaResource *resource)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Note	   *note = note_on(session, resource);

	if (note->warned[warning] == now)
		return false;
	note->warned[warning] = now;
	return true;
}

void
sigma_session_note_total(SigmaSession *session, const SigmaResource *resource, double total)
{
	note_on(session, resource)->total = total;
}

double
sigma_last_total(Oid serverid, Oid userid, const SigmaResource *resource)
{
	List	   *options;
	Oid			umid = sigma_mapping(serverid, userid, &options);
	SigmaSession *s = OidIsValid(umid) ? find_session(umid) : NULL;
	Note	   *note = s ? notes_lookup(s->notes, resource) : NULL;

	return note ? note->total : -1;
}

/* Does a URL begin with this one, and go on at most with what some servers pass over? */
static bool
is_below(const char *url, const char *place)
{
	size_t		length = strlen(place);

	return pg_strncasecmp(url, place, length) == 0 &&
		!isalnum((unsigned char) url[length]) && url[length] != '-' && url[length] != '_';
}

/* Would a request to this path (from sigma_normal_path()) fetch a token? */
static bool
is_sign_in(const SigmaSession *session, const char *path)
{
	const char *token_url = session->settings->token_url;
	const char *host = strstr(token_url, "://") + strlen("://");
	int			path_begin = (int) (host - token_url + strcspn(host, "/"));
	char	   *token_path;
	char	   *url = psprintf("%s%s", session->settings->base_url, path);

	for (const char *p = path; (p = strchr(p, '/')) != NULL; p++)
		if (is_below(p, "/auth/token"))
			return true;
	/* it may be elsewhere */
	if (sigma_normal_path(token_url + path_begin, &token_path) != NULL || token_path[0] == '\0')
		return pg_strcasecmp(url, token_url) == 0;
	return is_below(url, psprintf("%.*s%s", path_begin, token_url, token_path));
}

void
sigma_session_check_path(const SigmaSession *session, const char *path, const char *what)
{
	char	   *normal;
	const char *problem = sigma_path_problem(path, &normal);

	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid path for %s", what),
				 errdetail("%s", problem),
				 errhint("A path begins with a slash and stays on the server, such as /v2/connections; what follows a question mark goes into \"query\".")));
	if (is_sign_in(session, normal))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s does not fetch tokens", what),
				 errdetail("A token would be readable in SQL; sign-in is done for every request by itself.")));
}

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
	SigmaProblem problem = {.purpose = SIGMA_READ, .request = "GET /v2/whoami"};
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
	probe->failure = sigma_describe_failure(s, reply, &problem, NIL);
	sigma_transfer_free(transfer);
	MemoryContextSwitchTo(old);
}

bool
sigma_session_is_signed_in(const SigmaSession *session)
{
	return session->token != NULL;
}

void
sigma_session_check_secret(const SigmaSession *session)
{
	SigmaFailure *failure;
	char	   *secret;

	if (session->settings->client_secret_file == NULL)
		return;
	failure = sigma_read_secret_file(session->settings, &secret);
	if (failure)
		sigma_raise(failure);
	wipe(secret);
	pfree(secret);
}

void
sigma_session_poll(SigmaSession *session)
{
	sigma_advance(session);
	sigma_transport_wait(session->transport, 0);
	sigma_advance(session);
}

void
sigma_session_sleep(SigmaSession *session, long ms)
{
	double		end = now_ms() + ms;
	double		left;

	while ((left = end - now_ms()) > 0)
	{
		long		idle;

		sigma_advance(session);
		idle = sigma_idle_time(session);
		sigma_transport_wait(session->transport, idle < 0 ? (long) left + 1 : Min(idle, (long) left + 1));
	}
}

SigmaPollFd *
sigma_session_pollfd(SigmaSession *session, MemoryContext context)
{
	return sigma_pollfd_create(session->transport, context);
}

int
sigma_session_arm(SigmaSession *session, SigmaPollFd *pollfd, long timeout_ms)
{
	long		idle;

	sigma_advance(session);
	idle = sigma_idle_time(session);
	/* who waits for the descriptor does not see the latch */
	if (session->queued)
		idle = Min(idle, ASK_AGAIN_IDLE_MS);
	return sigma_pollfd_arm(pollfd, idle < 0 ? timeout_ms : Min(idle, timeout_ms));
}

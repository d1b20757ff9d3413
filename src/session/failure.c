/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  What is told of a request that failed, without the session's secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "nodes/pg_list.h"

#include "base/base.h"
#include "json/json.h"
#include "http/http.h"
#include "config/config.h"
#include "session/session_internal.h"

/* So much of a text is searched for secrets: several times what is shown. */
#define MASKED_LOOK 4096

char *
sigma_session_identity(const SigmaSession *session)
{
	const char *member = session->settings->impersonate;
	const char *tenant = session->settings->tenant;

	if (member && tenant)
		return psprintf("as %s to tenant %s", sigma_quoted(member), sigma_quoted(tenant));
	if (member)
		return psprintf("as %s", sigma_quoted(member));
	return tenant ? psprintf("to tenant %s", sigma_quoted(tenant)) : NULL;
}

/* What must not be shown in a message about a request of this session. */
static List *
session_secrets(const SigmaSession *s, List *secrets)
{
	const SigmaSettings *settings = s->settings;

	secrets = list_copy(secrets);
	/* one in a file may not have been read yet, and then nobody has been told it */
	if (settings->client_secret)
	{
		char	   *pair = psprintf("%s:%s", settings->client_id, settings->client_secret);
		int			length = (int) strlen(pair);
		int			encoded_length = pg_b64_enc_len(length);
		char	   *encoded = palloc0(encoded_length + 1);

		secrets = lappend(secrets, settings->client_secret);
		secrets = lappend(secrets, sigma_url_encode(settings->client_secret,
													strlen(settings->client_secret)));
		if (pg_b64_encode((const void *) pair, length, encoded, encoded_length) > 0)
			secrets = lappend(secrets, encoded);
	}
	if (s->token)
		secrets = lappend(secrets, s->token);
	if (s->actor_token)
	{
		secrets = lappend(secrets, s->actor_token);
		secrets = lappend(secrets, sigma_url_encode(s->actor_token, strlen(s->actor_token)));
	}
	if (s->subject_token)
	{
		/* the rest of it is no secret, and could be put together again */
		secrets = lappend(secrets, s->subject_token);
		secrets = lappend(secrets, strrchr(s->subject_token, '.') + 1);
	}
	return secrets;
}

/*
 * A text of the server's (or NULL) with the secrets masked.  What is shown of it
 * is less than what is kept here, and "details" may be of very many secrets.
 */
static char *
masked(char *text, List *secrets)
{
	size_t		length;

	if (text == NULL)
		return NULL;
	length = strlen(text);
	if (length > MASKED_LOOK)
		text[pg_encoding_mbcliplen(PG_UTF8, text, (int) length, MASKED_LOOK)] = '\0';
	return sigma_mask(text, secrets);
}

/* The statement that raises the limit which a reply, or its absence, tells of; or NULL. */
static const char *
allow_more(const SigmaSettings *settings, const SigmaProblem *problem)
{
	if (problem->outcome == SIGMA_CONNECT_TIMEOUT)
		return sigma_allow_more(settings, "connect_timeout");
	if (problem->outcome == SIGMA_REQUEST_TIMEOUT)
		return sigma_allow_more(settings, "request_timeout");
	if (problem->outcome == SIGMA_TOO_LARGE)
		return sigma_allow_more(settings, "max_response_size");
	return problem->status == 429 ? sigma_allow_more(settings, "max_retries") : NULL;
}

/*
 * Reads the secret from the mapping's file: what is wrong, if it cannot be had;
 * else NULL, and *secret has it, palloc'd.
 */
SigmaFailure *
sigma_read_secret_file(const SigmaSettings *settings, char **secret)
{
	const char *problem = sigma_read_secret(settings->client_secret_file, secret);

	if (problem == NULL)
		return NULL;
	return sigma_secret_failure(settings->server, settings->client_secret_file, problem,
								sigma_alter_mapping(settings, "SET client_secret_file '...'"));
}

/* What to tell of a request that has failed for good; palloc'd. */
SigmaFailure *
sigma_describe_failure(const SigmaSession *s, const SigmaReply *reply, SigmaProblem *problem,
					   List *secrets)
{
	char	   *code = NULL;
	char	   *message = NULL;
	char	   *request_id = NULL;

	secrets = session_secrets(s, secrets);
	/* what answers a sign-in may be a token in an unknown shape: it is not shown */
	if (reply->outcome == SIGMA_REPLIED &&
		!sigma_json_error_object(reply->body.data, reply->body.length, &code, &message, &request_id) &&
		problem->purpose != SIGMA_SIGN_IN && !reply->html && reply->body.data[0] != '<' &&
		reply->body.length > 0 && reply->body.length <= REPLY_LOOK)
		problem->reply = masked(pnstrdup(reply->body.data, reply->body.length), secrets);
	problem->outcome = reply->outcome;
	problem->status = reply->status;
	problem->server = s->settings->server;
	problem->api_code = masked(code, secrets);
	problem->api_message = masked(message, secrets);
	problem->api_request_id = masked(request_id, secrets);
	problem->transport_text = masked(pstrdup(reply->text), secrets);
	problem->html = reply->html;
	problem->connect_timeout_ms = s->settings->connect_timeout_ms;
	problem->request_timeout_ms = s->settings->request_timeout_ms;
	problem->max_response_size = s->settings->max_response_size;
	problem->remedies.address = sigma_alter_address(s->settings);
	problem->remedies.bare_address = sigma_alter_bare_address(s->settings);
	problem->remedies.credentials = sigma_alter_credentials(s->settings);
	if (problem->identity)
		problem->remedies.identity = sigma_alter_identity(s->settings);
	problem->remedies.ca_file = sigma_alter_server(s->settings, "ca_file", "/...");
	problem->remedies.limit = allow_more(s->settings, problem);
	return sigma_problem_to_failure(problem);
}

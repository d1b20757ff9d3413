/*-------------------------------------------------------------------------
 *
 * auth.c
 *	  Client credentials and the tokens issued for them.  What a token of
 *	  somebody else is given for stands in exchange.c.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulator.h"

#define TOKEN_BYTES			32
#define TOKEN_SIZE			(2 * TOKEN_BYTES + 1)
#define MAX_TOKENS			10000
#define ACCESS_TOKEN_TYPE	"urn:ietf:params:oauth:token-type:access_token"
#define JWT_TYPE			"urn:ietf:params:oauth:token-type:jwt"
#define EXCHANGE_GRANT		"urn:ietf:params:oauth:grant-type:token-exchange"
#define LIMITED_CLIENT		1	/* the second one's member does not see everything */
#define FORM_TYPE			"application/x-www-form-urlencoded"

static const char not_verified[] =
	"We cannot verify your identity.  Please try again later.";

typedef struct Token
{
	char		access[TOKEN_SIZE];
	char		refresh[TOKEN_SIZE];	/* "" if it cannot be refreshed */
	int			client;
	Identity	who;
	long		serial;
	int64_t		expires_at;		/* on the monotonic clock */
} Token;

static pthread_mutex_t auth_lock = PTHREAD_MUTEX_INITIALIZER;
static Identity own[MAX_CLIENTS];	/* each client's own member */
static bool revoked[MAX_CLIENTS];
static Token *tokens;
static int	ntokens;
static int	tokens_size;
static long next_token_serial = 1;
static int64_t token_requests;
static int	token_lifetime;
static int	token_rate;
static int64_t passed_at[MAX_TOKEN_RATE];	/* when the last ones passed; a ring */
static int64_t npassed;
static cJSON *expires_in;		/* goes into the reply as it is; NULL: lifetime */
static bool expires_in_absent;

void
auth_init(void)
{
	for (int i = 0; i < options.nclients; i++)
	{
		make_id("member", i, own[i].user_id);
		make_id("organization", 0, own[i].organization_id);
		own[i].limited = i == LIMITED_CLIENT;
	}
	token_lifetime = options.token_lifetime;
	token_rate = options.token_rate;
}

/*
 * Back to what the command line said.  Tokens stay valid: a client keeps its
 * token from one test to the next, and that is no fault.
 */
void
auth_reset(void)
{
	pthread_mutex_lock(&auth_lock);
	memset(revoked, 0, sizeof(revoked));
	token_lifetime = options.token_lifetime;
	token_rate = options.token_rate;
	token_requests = 0;
	npassed = 0;
	cJSON_Delete(expires_in);
	expires_in = NULL;
	expires_in_absent = false;
	pthread_mutex_unlock(&auth_lock);
}

const char *
auth_client_id(int client)
{
	return options.client_id[client];
}

int64_t
auth_token_requests(void)
{
	int64_t		n;

	pthread_mutex_lock(&auth_lock);
	n = token_requests;
	pthread_mutex_unlock(&auth_lock);
	return n;
}

void
auth_revoke_tokens(void)
{
	pthread_mutex_lock(&auth_lock);
	free(tokens);
	tokens = NULL;
	ntokens = tokens_size = 0;
	pthread_mutex_unlock(&auth_lock);
}

bool
auth_revoke_client(const char *client_id)
{
	bool		found = false;

	pthread_mutex_lock(&auth_lock);
	for (int i = 0; i < options.nclients; i++)
	{
		if (strcmp(options.client_id[i], client_id) == 0)
			found = revoked[i] = true;
	}
	pthread_mutex_unlock(&auth_lock);
	return found;
}

/* Take the settings about tokens; returns what is wrong, or NULL. */
const char *
auth_configure(const cJSON *config)
{
	const cJSON *lifetime = cJSON_GetObjectItemCaseSensitive(config, "token_lifetime");
	const cJSON *rate = cJSON_GetObjectItemCaseSensitive(config, "token_rate");
	const cJSON *expires = cJSON_GetObjectItemCaseSensitive(config, "expires_in");

	if (lifetime && !json_is_int(lifetime, 0, 1e9))
		return "token_lifetime must be a number of seconds";
	if (rate && !json_is_int(rate, 0, MAX_TOKEN_RATE))
		return "token_rate must be a number";
	pthread_mutex_lock(&auth_lock);
	if (lifetime)
		token_lifetime = lifetime->valueint;
	if (rate)
		token_rate = rate->valueint;
	if (expires)
	{
		cJSON_Delete(expires_in);
		expires_in = NULL;
		expires_in_absent = cJSON_IsString(expires) &&
			strcmp(expires->valuestring, "absent") == 0;
		if (!expires_in_absent)
			expires_in = cJSON_Duplicate(expires, true);
	}
	pthread_mutex_unlock(&auth_lock);
	return NULL;
}

/* The value of a form field, decoded; NULL if it is not there. */
static char *
form_value(const Buffer *body, const char *name)
{
	const char *p = body->data;
	const char *end = p + body->len;
	size_t		name_len = strlen(name);

	while (p && p < end)
	{
		const char *amp = memchr(p, '&', (size_t) (end - p));
		size_t		len = (size_t) ((amp ? amp : end) - p);

		if (len > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=')
			return url_decode(p + name_len + 1, len - name_len - 1, true);
		p = amp ? amp + 1 : NULL;
	}
	return NULL;
}

/* Which client has these credentials?  -1 if none; the lock is held. */
static int
find_client(const char *id, const char *secret)
{
	for (int i = 0; i < options.nclients; i++)
	{
		if (id && secret && !revoked[i] &&
			strcmp(options.client_id[i], id) == 0 &&
			strcmp(options.client_secret[i], secret) == 0)
			return i;
	}
	return -1;
}

/*
 * Who asks for a token?  HTTP Basic wins over the body.  Leaves -1 for wrong
 * credentials; req->auth stays NULL if there are none.
 */
static void
identify_client(Request *req)
{
	char	   *password = NULL;
	char	   *user = MHD_basic_auth_get_username_password(req->mhd, &password);

	if (user)
	{
		req->auth = "basic";
		req->client = find_client(user, password);
	}
	else
	{
		char	   *id = form_value(&req->body, "client_id");
		char	   *secret = form_value(&req->body, "client_secret");

		if (id || secret)
		{
			req->auth = "body";
			req->client = find_client(id, secret);
		}
		free(id);
		free(secret);
	}
	MHD_free(user);
	MHD_free(password);
}

/* Reply with a new token; one that was exchanged has another form. */
static void
make_token(Request *req, Reply *reply, const Identity *who, bool exchanged)
{
	Token	   *token;
	cJSON	   *json = cJSON_CreateObject();

	if (ntokens == MAX_TOKENS)
	{
		ntokens /= 2;
		memmove(tokens, tokens + ntokens, (size_t) ntokens * sizeof(Token));
	}
	if (ntokens == tokens_size)
	{
		tokens_size = tokens_size ? tokens_size * 2 : 64;
		tokens = xrealloc(tokens, (size_t) tokens_size * sizeof(Token));
	}
	token = &tokens[ntokens++];
	random_hex(token->access, TOKEN_BYTES);
	token->refresh[0] = '\0';
	if (!exchanged)
		random_hex(token->refresh, TOKEN_BYTES);
	token->client = req->client;
	token->who = req->who = *who;
	token->serial = req->token = next_token_serial++;
	token->expires_at = monotonic_ms() + (int64_t) token_lifetime * 1000;

	cJSON_AddStringToObject(json, "access_token", token->access);
	if (exchanged)
		cJSON_AddStringToObject(json, "issued_token_type", ACCESS_TOKEN_TYPE);
	else
		cJSON_AddStringToObject(json, "refresh_token", token->refresh);
	cJSON_AddStringToObject(json, "token_type", exchanged ? "Bearer" : "bearer");
	if (expires_in)
		cJSON_AddItemToObject(json, "expires_in", cJSON_Duplicate(expires_in, true));
	else if (!expires_in_absent)
		cJSON_AddNumberToObject(json, "expires_in", token_lifetime);
	reply_set_json(reply, 200, json);
	reply_header(reply, "Cache-Control", "no-store");
}

/* The client that a refresh token belongs to, or -1. */
static int
refresh_owner(const char *refresh)
{
	for (int i = 0; i < ntokens; i++)
	{
		if (refresh[0] && strcmp(tokens[i].refresh, refresh) == 0)
			return revoked[tokens[i].client] ? -1 : tokens[i].client;
	}
	return -1;
}

/* The token with this text, or NULL; the lock is held. */
static const Token *
find_token(const char *access)
{
	for (int i = ntokens - 1; i >= 0; i--)
	{
		if (strcmp(tokens[i].access, access) == 0)
			return &tokens[i];
	}
	return NULL;
}

/* The token in the request's header, or NULL. */
static const char *
bearer(Request *req)
{
	const char *header = MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, "Authorization");

	return header && strncasecmp(header, "Bearer ", 7) == 0 && header[7] ? header + 7 : NULL;
}

static bool
is_valid(const Token *token)
{
	return token && monotonic_ms() < token->expires_at && !revoked[token->client];
}

/* Does a token request say what it exchanges, in the types that are known? */
static bool
exchange_form(Request *req, Reply *reply)
{
	static const char *const fields[][2] = {
		{"subject_token", NULL}, {"subject_token_type", JWT_TYPE},
		{"actor_token", NULL}, {"actor_token_type", ACCESS_TOKEN_TYPE}
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		char	   *value = form_value(&req->body, fields[i][0]);
		bool		good = value && value[0] &&
			(fields[i][1] == NULL || strcmp(value, fields[i][1]) == 0);

		free(value);
		if (!good)
		{
			reply_invalid(req, reply, "%s is missing, or not supported", fields[i][0]);
			return false;
		}
	}
	return true;
}

/*
 * A client asks for a token that speaks for somebody else: its own token is in
 * the header and in the body, its secret has signed whom it wants to be.
 */
static void
exchange_token(Request *req, Reply *reply)
{
	char	   *actor;
	char	   *subject;
	const Token *token;
	cJSON	   *claims = NULL;
	Identity	who;

	if (!exchange_form(req, reply))
		return;
	req->auth = "exchange";
	actor = form_value(&req->body, "actor_token");
	subject = form_value(&req->body, "subject_token");
	token = find_token(actor);
	if (bearer(req) && strcmp(bearer(req), actor) == 0 && is_valid(token) && !token->who.as[0])
	{
		req->client = token->client;
		claims = exchange_claims(subject, options.client_id[req->client],
								 options.client_secret[req->client]);
	}
	if (claims && exchange_allowed(req->client) && exchange_identity(claims, &who))
		make_token(req, reply, &who, true);
	else
		reply_error(req, reply, 401, "unauthorized", "%s", not_verified);
	cJSON_Delete(claims);
	free(actor);
	free(subject);
}

/*
 * Is this one token request too many within a second?  Those that were refused
 * do not count.
 */
static bool
over_token_rate(void)
{
	int64_t		now = monotonic_ms();

	if (token_rate == 0)
		return false;
	if (npassed >= token_rate &&
		now - passed_at[(npassed - token_rate) % MAX_TOKEN_RATE] < 1000)
		return true;
	passed_at[npassed++ % MAX_TOKEN_RATE] = now;
	return false;
}

/* Answer a token request; the lock is held. */
static void
token_answer(Request *req, Reply *reply, const char *grant)
{
	if (over_token_rate())
		reply_error(req, reply, 429, "too_many_requests", "Too many token requests");
	else if (grant == NULL)
		reply_invalid(req, reply, "grant_type is required");
	else if (strcmp(grant, "client_credentials") == 0)
	{
		identify_client(req);
		if (req->client < 0)
			reply_error(req, reply, 401, "unauthorized", "%s", not_verified);
		else
			make_token(req, reply, &own[req->client], false);
	}
	else if (strcmp(grant, "refresh_token") == 0)
	{
		char	   *refresh = form_value(&req->body, "refresh_token");
		int			owner;

		identify_client(req);
		owner = refresh ? refresh_owner(refresh) : -1;
		if (refresh == NULL)
			reply_invalid(req, reply, "refresh_token is required");
		else if (owner < 0 || (req->auth && req->client != owner))
			reply_error(req, reply, 401, "unauthorized", "%s", not_verified);
		else
		{
			req->client = owner;
			make_token(req, reply, &own[owner], false);
		}
		free(refresh);
	}
	else if (strcmp(grant, EXCHANGE_GRANT) == 0)
		exchange_token(req, reply);
	else
		reply_invalid(req, reply, "grant_type is not supported");
}

/* POST /v2/auth/token */
void
auth_token(Request *req, Reply *reply)
{
	const char *type = MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, "Content-Type");
	char	   *grant;

	if (strcmp(req->method, "POST") != 0)
	{
		reply_header(reply, "Allow", "POST");
		reply_error(req, reply, 405, "method_not_allowed", "Method not allowed");
		return;
	}
	grant = form_value(&req->body, "grant_type");
	pthread_mutex_lock(&auth_lock);
	token_requests++;
	if (type == NULL || strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) != 0)
		reply_invalid(req, reply, "Content-Type must be " FORM_TYPE);
	else
		token_answer(req, reply, grant);
	pthread_mutex_unlock(&auth_lock);
	free(grant);
}

/*
 * Who sends the request?  Notes the client and the token as far as they are
 * known, for the log; returns why it is not signed in, or NULL if it is.
 */
const char *
auth_identify(Request *req)
{
	const char *problem = not_verified;
	const Token *token;

	if (bearer(req) == NULL)
		return "Token missing or malformed";
	pthread_mutex_lock(&auth_lock);
	token = find_token(bearer(req));
	if (token)
	{
		req->client = token->client;
		req->token = token->serial;
		req->who = token->who;
		if (is_valid(token))
			problem = NULL;
	}
	pthread_mutex_unlock(&auth_lock);
	return problem;
}

/* Is the request signed in?  If not, the reply says so. */
bool
auth_check(Request *req, Reply *reply)
{
	const char *problem = auth_identify(req);

	if (problem)
		reply_error(req, reply, 401, "unauthorized", "%s", problem);
	return problem == NULL;
}

/* GET /v2/whoami */
void
auth_whoami(Request *req, Reply *reply)
{
	cJSON	   *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "userId", req->who.user_id);
	cJSON_AddStringToObject(json, "organizationId", req->who.organization_id);
	reply_set_json(reply, 200, json);
}

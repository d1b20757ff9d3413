/*-------------------------------------------------------------------------
 *
 * control.c
 *	  The door for the tests: everything under /_sim/.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

static void
reply_done(Reply *reply)
{
	reply_set_json(reply, 200, cJSON_CreateObject());
}

static void
log_get(Request *req, Reply *reply)
{
	const char *count = query_value(req, "count");
	char	   *text = log_render(query_value(req, "method"), query_value(req, "path_prefix"),
								  count && strcmp(count, "1") == 0);

	reply->status = 200;
	buffer_string(&reply->body, text);
	free(text);
}

static void
log_delete(Request *req, Reply *reply)
{
	(void) req;
	log_clear();
	reply_done(reply);
}

static void
stats_get(Request *req, Reply *reply)
{
	cJSON	   *json = cJSON_CreateObject();

	(void) req;
	server_stats(json);
	pthread_rwlock_rdlock(&organization_lock);
	cJSON_AddNumberToObject(json, "created", (double) store_created());
	pthread_rwlock_unlock(&organization_lock);
	cJSON_AddNumberToObject(json, "token_requests", (double) auth_token_requests());
	reply_set_json(reply, 200, json);
}

/* What a connection was made from, secrets and all. */
static void
details_get(Request *req, Reply *reply)
{
	int64_t		slot;
	const cJSON *details = NULL;

	/* a write lock, since looking makes a generated connection take shape */
	pthread_rwlock_wrlock(&organization_lock);
	slot = store_find(req->param[0]);
	if (slot >= 0)
		details = store_get(slot)->details;
	if (slot < 0)
		reply_not_found(req, reply, "Connection");
	else
		reply_set_json(reply, 200, details ? cJSON_Duplicate(details, true) : cJSON_CreateNull());
	pthread_rwlock_unlock(&organization_lock);
}

static void
reset_post(Request *req, Reply *reply)
{
	(void) req;
	pthread_rwlock_wrlock(&organization_lock);
	store_init();
	catalogue_init();
	pthread_rwlock_unlock(&organization_lock);
	fault_clear();
	auth_reset();
	shape_reset();
	limit_reset();
	export_init();
	server_set_latency(options.latency_ms);
	server_reset_stats();
	log_clear();
	reply_done(reply);
}

static void
config_post(Request *req, Reply *reply)
{
	static const char *const known[] = {
		"latency_ms", "token_lifetime", "token_rate", "expires_in", "ids", "list_omits", "export", "limiter"
	};
	const cJSON *latency = cJSON_GetObjectItemCaseSensitive(req->json, "latency_ms");
	const cJSON *item;
	const char *problem;

	cJSON_ArrayForEach(item, req->json)
	{
		bool		found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || (item->string && strcmp(item->string, known[i]) == 0);
		if (!found)
		{
			reply_invalid(req, reply, "unknown setting");
			return;
		}
	}
	if (latency && !json_is_int(latency, 0, 3600000))
	{
		reply_invalid(req, reply, "latency_ms must be a number of milliseconds");
		return;
	}
	problem = export_configure(req->json);
	if (problem == NULL)
		problem = shape_configure(req->json);
	if (problem == NULL)
		problem = auth_configure(req->json);
	if (problem == NULL)
		problem = limit_configure(req->json);
	if (problem)
	{
		reply_invalid(req, reply, "%s", problem);
		return;
	}
	if (latency)
		server_set_latency(latency->valueint);
	reply_done(reply);
}

static void
revoke_tokens_post(Request *req, Reply *reply)
{
	(void) req;
	auth_revoke_tokens();
	reply_done(reply);
}

static void
revoke_client_post(Request *req, Reply *reply)
{
	const char *id = json_string(req->json, "client_id");

	if (id && auth_revoke_client(id))
		reply_done(reply);
	else
		reply_not_found(req, reply, "Client");
}

static void
fault_post(Request *req, Reply *reply)
{
	const char *problem = fault_add(req->json);

	if (problem)
		reply_invalid(req, reply, "%s", problem);
	else
		reply_done(reply);
}

static void
fault_get(Request *req, Reply *reply)
{
	(void) req;
	reply_set_json(reply, 200, fault_list());
}

static void
fault_delete(Request *req, Reply *reply)
{
	(void) req;
	fault_clear();
	reply_done(reply);
}

static const Route control_routes[] = {
	{"GET", "/_sim/log", log_get},
	{"DELETE", "/_sim/log", log_delete},
	{"GET", "/_sim/stats", stats_get},
	{"GET", "/_sim/details/{}", details_get},
	{"POST", "/_sim/reset", reset_post},
	{"POST", "/_sim/config", config_post},
	{"POST", "/_sim/revoke-tokens", revoke_tokens_post},
	{"POST", "/_sim/revoke-client", revoke_client_post},
	{"POST", "/_sim/fault", fault_post},
	{"GET", "/_sim/fault", fault_get},
	{"DELETE", "/_sim/fault", fault_delete},
};

void
control_answer(Request *req, Reply *reply)
{
	for (size_t i = 0; i < sizeof(control_routes) / sizeof(control_routes[0]); i++)
	{
		if (strcmp(req->method, control_routes[i].method) == 0 &&
			route_match(req, control_routes[i].pattern))
		{
			control_routes[i].handler(req, reply);
			return;
		}
	}
	reply_error(req, reply, 404, "not_found", "No such control");
}

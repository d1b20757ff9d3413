/*-------------------------------------------------------------------------
 *
 * route.c
 *	  Who answers a request, and the reading of its parameters.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

/* Guards the connections and the catalogue. */
pthread_rwlock_t organization_lock = PTHREAD_RWLOCK_INITIALIZER;

/* The first that matches counts, so fixed paths stand before patterns. */
static const Route routes[] = {
	{"GET", "/v2/whoami", auth_whoami},
	{"GET", "/v2/connections", connection_list},
	{"POST", "/v2/connections", connection_create},
	{"GET", "/v2/connections/paths", path_list},
	{"GET", "/v2/connections/paths/{}", path_get},
	{"GET", "/v2/connections/paths/{}/grants", grant_list},
	{"POST", "/v2/connections/paths/{}/grants", grant_create},
	{"DELETE", "/v2/connections/paths/{}/grants/{}", grant_delete},
	{"GET", "/v2/connections/{}", connection_get},
	{"PUT", "/v2/connections/{}", connection_put},
	{"PATCH", "/v2/connections/{}", connection_patch},
	{"DELETE", "/v2/connections/{}", connection_delete},
	{"GET", "/v2/connections/{}/test", connection_test},
	{"POST", "/v2/connections/{}/sync", connection_sync},
	{"GET", "/v2/connections/{}/grants", grant_list},
	{"POST", "/v2/connections/{}/grants", grant_create},
	{"DELETE", "/v2/connections/{}/grants/{}", grant_delete},
	{"POST", "/v2/connection/{}/lookup", connection_lookup},
	{"POST", "/v2/workbooks/{}/export", export_workbook},
	{"POST", "/v2/reports/{}/export", export_report},
	{"GET", "/v2/query/{}/download", export_download},
};

#define NROUTES (sizeof(routes) / sizeof(routes[0]))

/* Does the request's path match?  If so, take its parameters from it. */
bool
route_match(Request *req, const char *pattern)
{
	const char *path = req->path;

	for (int i = 0; i < req->nparams; i++)
		free(req->param[i]);
	req->nparams = 0;
	while (*pattern)
	{
		if (strncmp(pattern, "{}", 2) == 0 && req->nparams < MAX_PATH_PARAMS)
		{
			size_t		len = strcspn(path, "/");

			if (len == 0)
				return false;
			req->param[req->nparams++] = id_as_stored(url_decode(path, len, false));
			path += len;
			pattern += 2;
		}
		else if (*pattern++ != *path++)
			return false;
	}
	return *path == '\0';
}

/* A query parameter, decoded; NULL if it is not given. */
const char *
query_value(Request *req, const char *name)
{
	if (req->ignore_page && strcmp(name, "page") == 0)
		return NULL;
	return MHD_lookup_connection_value(req->mhd, MHD_GET_ARGUMENT_KIND, name);
}

bool
query_bool(Request *req, Reply *reply, const char *name, bool *value)
{
	const char *text = query_value(req, name);

	*value = text && strcmp(text, "true") == 0;
	if (text == NULL || *value || strcmp(text, "false") == 0)
		return true;
	reply_invalid(req, reply, "Query parameter %s must be true or false", name);
	return false;
}

static bool
digits(const char *text, int64_t *value)
{
	size_t		len = strlen(text);

	if (len == 0 || len > 15 || strspn(text, "0123456789") != len)
		return false;
	*value = strtoll(text, NULL, 10);
	return true;
}

/* The page wanted of a list; replies and returns false if it is not valid. */
bool
page_args(Request *req, Reply *reply, PageArgs *page,
		  const char *token_name, const char *size_name)
{
	const char *token = query_value(req, token_name);
	const char *size = query_value(req, size_name);

	page->offset = 0;
	page->limit = 50;
	if (size && (!digits(size, &page->limit) || page->limit < 1 || page->limit > 1000))
	{
		reply_invalid(req, reply, "Query parameter %s must be a number from 1 to 1000", size_name);
		return false;
	}
	if (token && !digits(token, &page->offset))
	{
		reply_invalid(req, reply, "Query parameter %s is not a page token", token_name);
		return false;
	}
	return true;
}

/* A request body must be a JSON object, and say that it is JSON. */
bool
body_object(Request *req, Reply *reply)
{
	if (!req->is_json)
		reply_invalid(req, reply, "Content-Type must be application/json");
	else if (req->json == NULL)
		reply_invalid(req, reply, "The request body is not valid JSON");
	else if (!cJSON_IsObject(req->json))
		reply_invalid(req, reply, "The request body must be an object");
	else
		return true;
	return false;
}

/* Add to the list of methods that an endpoint knows. */
void
allow_method(Buffer *methods, const char *method)
{
	if (methods->len > 0)
		buffer_string(methods, ", ");
	buffer_string(methods, method);
}

static void
find_and_answer(Request *req, Reply *reply)
{
	Buffer		methods = {0};

	for (size_t i = 0; i < NROUTES; i++)
	{
		if (!route_match(req, routes[i].pattern))
			continue;
		if (strcmp(req->method, routes[i].method) == 0)
		{
			buffer_free(&methods);
			routes[i].handler(req, reply);
			return;
		}
		allow_method(&methods, routes[i].method);
	}
	if (endpoint_answer(req, reply, &methods))
		;						/* done */
	else if (methods.len > 0)
	{
		reply_header(reply, "Allow", methods.data);
		reply_error(req, reply, 405, "method_not_allowed", "Method not allowed");
	}
	else
		reply_error(req, reply, 404, "not_found", "No such endpoint");
	buffer_free(&methods);
}

/* Answer a request of the API as Sigma would. */
void
api_answer(Request *req, Reply *reply)
{
	if (strcmp(req->path, "/v2/auth/token") == 0)
	{
		auth_token(req, reply);
		return;
	}
	if (!auth_check(req, reply))
		return;
	if (strcmp(req->method, "GET") == 0)
		pthread_rwlock_rdlock(&organization_lock);
	else
		pthread_rwlock_wrlock(&organization_lock);
	find_and_answer(req, reply);
	shape_reply(req, reply);
	pthread_rwlock_unlock(&organization_lock);
}

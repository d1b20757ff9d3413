/*-------------------------------------------------------------------------
 *
 * misbehave.c
 *	  What a fault does to a request.
 *
 * Some faults take the place of the request, some carry it out and spoil the
 * reply.  Both kinds stand in one table.
 *
 *-------------------------------------------------------------------------
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "simulator.h"

typedef struct Misdeed
{
	const char *name;
	Handler		before;			/* instead of carrying the request out ... */
	Handler		after;			/* ... or after it */
} Misdeed;

static double
param_number(const Request *req, const char *key, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(req->fault, key);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

/* A parameter as text: a string as it is, anything else as JSON. */
static void
param_text(const Request *req, const char *key, Buffer *into)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(req->fault, key);

	if (cJSON_IsString(item))
		buffer_string(into, item->valuestring);
	else if (item)
	{
		char	   *text = json_print(item);

		buffer_string(into, text);
		free(text);
	}
}

static void
set_content_type(Reply *reply, const char *type)
{
	free(reply->content_type);
	reply->content_type = xstrdup(type);
}

static void
add_headers(const Request *req, Reply *reply)
{
	const cJSON *header;

	cJSON_ArrayForEach(header, cJSON_GetObjectItemCaseSensitive(req->fault, "headers"))
	{
		char		number[64];

		if (cJSON_IsString(header))
			reply_header(reply, header->string, header->valuestring);
		else if (cJSON_IsNumber(header))
		{
			snprintf(number, sizeof(number), "%.0f", header->valuedouble);
			reply_header(reply, header->string, number);
		}
	}
}

static const char *
status_code_name(unsigned int status)
{
	switch (status)
	{
		case 400:
		case 422:
			return "invalid_request";
		case 401:
			return "unauthorized";
		case 403:
			return "forbidden";
		case 404:
			return "not_found";
		case 409:
			return "conflict";
		case 429:
			return "too_many_requests";
		default:
			return "internal_error";
	}
}

/* The page of what stands before the API. */
void
reply_edge(Request *req, Reply *reply, unsigned int status)
{
	buffer_printf(&reply->body,
				  "<!DOCTYPE html>\n<html lang=\"en-US\">\n"
				  "<head><title>sigma.example | %u</title></head>\n"
				  "<body><h1>Error %u</h1><p>The web server reported an error.</p>\n"
				  "<p>Ray ID: <strong>%.16s</strong></p></body>\n</html>\n",
				  status, status, req->id);
	set_content_type(reply, "text/html; charset=UTF-8");
	reply_header(reply, "Server", "cloudflare");
	reply->status = status;
}

static void
do_status(Request *req, Reply *reply)
{
	unsigned int status = (unsigned int) param_number(req, "status", 500);

	if (cJSON_GetObjectItemCaseSensitive(req->fault, "body"))
		param_text(req, "body", &reply->body);
	else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(req->fault, "html")))
		reply_edge(req, reply, status);
	else if (status >= 400)
		reply_error(req, reply, status, status_code_name(status), "The simulator was told to fail");
	reply->status = status;
	add_headers(req, reply);
}

static void
do_body(Request *req, Reply *reply)
{
	param_text(req, "body", &reply->body);
	reply->status = (unsigned int) param_number(req, "status", 200);
	add_headers(req, reply);
}

/* An error that repeats what was sent, secrets included. */
static void
do_echo(Request *req, Reply *reply)
{
	const char *header = MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, "Authorization");
	unsigned int status = (unsigned int) param_number(req, "status", 400);

	reply_error(req, reply, status, status_code_name(status), "%s %.*s", header ? header : "",
				(int) req->body.len, req->body.data ? req->body.data : "");
	add_headers(req, reply);
}

static void
do_close(Request *req, Reply *reply)
{
	(void) req;
	reply->mode = SEND_NOTHING;
	reply->status = 0;
}

static void
do_reset(Request *req, Reply *reply)
{
	(void) req;
	reply->mode = SEND_RESET;
	reply->status = 0;
}

static void
do_never(Request *req, Reply *reply)
{
	(void) req;
	reply->mode = SEND_NEVER;
	reply->status = 0;
}

static void
do_truncate(Request *req, Reply *reply)
{
	reply->mode = SEND_TRUNCATED;
	reply->send_arg = (int64_t) param_number(req, "bytes", 0);
}

static void
do_drip(Request *req, Reply *reply)
{
	reply->mode = SEND_DRIP;
	reply->send_arg = (int64_t) param_number(req, "ms_per_byte", 100);
}

static void
do_big(Request *req, Reply *reply)
{
	reply->mode = SEND_PADDED;
	reply->send_arg = (int64_t) param_number(req, "bytes", 1 << 20);
	reply->status = 200;
}

/* Compress more of a body; the flush mode Z_FINISH ends it. */
static void
deflate_into(z_stream *z, Buffer *out, const void *data, size_t len, int flush)
{
	unsigned char chunk[65536];

	z->next_in = (unsigned char *) (uintptr_t) data;
	z->avail_in = (uInt) len;
	do
	{
		z->next_out = chunk;
		z->avail_out = sizeof(chunk);
		deflate(z, flush);
		buffer_append(out, chunk, sizeof(chunk) - z->avail_out);
	} while (z->avail_out == 0);
}

static void
gzip_begin(z_stream *z)
{
	memset(z, 0, sizeof(*z));
	/* 16 on top of the window bits asks for the gzip format */
	if (deflateInit2(z, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 9,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
}

static void
do_gzip(Request *req, Reply *reply)
{
	z_stream	z;
	Buffer		packed = {0};

	(void) req;
	gzip_begin(&z);
	deflate_into(&z, &packed, reply->body.data, reply->body.len, Z_FINISH);
	deflateEnd(&z);
	buffer_free(&reply->body);
	reply->body = packed;
	reply_header(reply, "Content-Encoding", "gzip");
}

/* A small reply that grows to a large, valid page when it is unpacked. */
static void
do_gzip_bomb(Request *req, Reply *reply)
{
	static const char head[] = "{\"entries\":[";
	static const char tail[] = "],\"nextPage\":null,\"total\":0}";
	const size_t chunk = 1 << 20;
	char	   *spaces = xmalloc(chunk);
	int			mb = (int) param_number(req, "mb", 100);
	z_stream	z;

	memset(spaces, ' ', chunk);
	gzip_begin(&z);
	deflate_into(&z, &reply->body, head, strlen(head), Z_NO_FLUSH);
	for (int i = 0; i < mb; i++)
		deflate_into(&z, &reply->body, spaces, chunk, Z_NO_FLUSH);
	deflate_into(&z, &reply->body, tail, strlen(tail), Z_FINISH);
	deflateEnd(&z);
	free(spaces);
	reply->status = 200;
	reply_header(reply, "Content-Encoding", "gzip");
}

/* An empty page that promises another, each time a new one. */
static void
do_endless(Request *req, Reply *reply)
{
	static atomic_long next_page = 1;
	cJSON	   *json = cJSON_CreateObject();
	char		token[32];

	(void) req;
	snprintf(token, sizeof(token), "%ld", atomic_fetch_add(&next_page, 1));
	cJSON_AddItemToObject(json, "entries", cJSON_CreateArray());
	cJSON_AddStringToObject(json, "nextPage", token);
	cJSON_AddBoolToObject(json, "hasMore", true);
	reply_set_json(reply, 200, json);
}

/* Put a parsed body back into the reply. */
static void
rewrite_body(Reply *reply, cJSON *json)
{
	unsigned int status = reply->status;

	reply_set_json(reply, status, json);
}

static void
do_page_loop(Request *req, Reply *reply)
{
	cJSON	   *json = json_parse(reply->body.data, reply->body.len);

	(void) req;
	if (!cJSON_IsObject(json))
	{
		cJSON_Delete(json);
		return;
	}
	json_set(json, "nextPage", cJSON_CreateString("50"));
	json_set(json, "hasMore", cJSON_CreateTrue());
	rewrite_body(reply, json);
}

static void
set_fields(cJSON *object, const cJSON *fields)
{
	const cJSON *field;

	cJSON_ArrayForEach(field, fields)
		json_set(object, field->string, cJSON_Duplicate(field, true));
}

static void
remove_fields(cJSON *object, const cJSON *names)
{
	const cJSON *name;

	cJSON_ArrayForEach(name, names)
	{
		if (cJSON_IsString(name))
			cJSON_DeleteItemFromObjectCaseSensitive(object, name->valuestring);
	}
}

static void
patch_entry(cJSON *entries, const cJSON *patch)
{
	const cJSON *index = cJSON_GetObjectItemCaseSensitive(patch, "index");
	const cJSON *replace = cJSON_GetObjectItemCaseSensitive(patch, "replace");
	cJSON	   *entry = NULL;

	if (cJSON_IsNumber(index))
		entry = cJSON_GetArrayItem(entries, index->valueint);
	if (entry == NULL)
		return;
	if (replace)
	{
		cJSON_ReplaceItemViaPointer(entries, entry, cJSON_Duplicate(replace, true));
		return;
	}
	set_fields(entry, cJSON_GetObjectItemCaseSensitive(patch, "set"));
	remove_fields(entry, cJSON_GetObjectItemCaseSensitive(patch, "remove"));
}

static void
do_edit(Request *req, Reply *reply)
{
	cJSON	   *json = json_parse(reply->body.data, reply->body.len);
	cJSON	   *entries = cJSON_GetObjectItemCaseSensitive(json, "entries");
	const cJSON *raw = cJSON_GetObjectItemCaseSensitive(req->fault, "raw_entry");
	const cJSON *index = cJSON_GetObjectItemCaseSensitive(raw, "index");
	const cJSON *patch;

	if (json == NULL)
		return;
	cJSON_ArrayForEach(patch, cJSON_GetObjectItemCaseSensitive(req->fault, "entries_patch"))
		patch_entry(entries, patch);
	if (cJSON_IsNumber(index) && json_string(raw, "text") &&
		index->valueint < cJSON_GetArraySize(entries))
		cJSON_ReplaceItemInArray(entries, index->valueint,
								 cJSON_CreateRaw(json_string(raw, "text")));
	set_fields(json, cJSON_GetObjectItemCaseSensitive(req->fault, "set"));
	remove_fields(json, cJSON_GetObjectItemCaseSensitive(req->fault, "remove"));
	rewrite_body(reply, json);
	add_headers(req, reply);
}

static void
do_nothing(Request *req, Reply *reply)
{
	(void) req;
	(void) reply;
}

static const Misdeed misdeeds[] = {
	{"status", do_status, NULL},
	{"delay", NULL, do_nothing},
	{"body", do_body, NULL},
	{"echo", do_echo, NULL},
	{"edit", NULL, do_edit},
	{"lost-reply", NULL, do_close},
	{"close", do_close, NULL},
	{"reset", do_reset, NULL},
	{"never", do_never, NULL},
	{"truncate", NULL, do_truncate},
	{"drip", NULL, do_drip},
	{"gzip", NULL, do_gzip},
	{"gzip-bomb", do_gzip_bomb, NULL},
	{"big", do_big, NULL},
	{"page-loop", NULL, do_page_loop},
	{"endless", do_endless, NULL},
};

static const Misdeed *
find_misdeed(const char *name)
{
	for (size_t i = 0; name && i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++)
	{
		if (strcmp(misdeeds[i].name, name) == 0)
			return &misdeeds[i];
	}
	return NULL;
}

/* What is wrong with a rule, or NULL. */
const char *
misbehave_check(const cJSON *rule)
{
	static const struct
	{
		const char *key;
		double		low;
		double		high;
		const char *problem;
	}			numbers[] = {
		{"status", 200, 599, "status must be a number from 200 to 599"},
		{"ms", 0, 3.6e6, "ms must be a number of milliseconds"},
		{"ms_per_byte", 0, 3.6e6, "ms_per_byte must be a number of milliseconds"},
		{"bytes", 0, 1e13, "bytes must be a number"},
		{"mb", 0, 1e5, "mb must be a number of megabytes"},
	};

	if (find_misdeed(json_string(rule, "do")) == NULL)
		return "do must name a known fault";
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(rule, numbers[i].key);

		if (item && !json_is_int(item, numbers[i].low, numbers[i].high))
			return numbers[i].problem;
	}
	return NULL;
}

/* Spoil a request before it is carried out; true if that was the reply. */
bool
misbehave_before(Request *req, Reply *reply)
{
	const Misdeed *misdeed = find_misdeed(req->fault_name);

	if (misdeed == NULL)
		return false;
	/* any fault can come late; for "delay" there is nothing else to it */
	wait_ms((int64_t) param_number(req, "ms", 0));
	req->ignore_page = misdeed->after == do_page_loop;
	if (misdeed->before == NULL)
		return false;
	misdeed->before(req, reply);
	if (json_string(req->fault, "content_type"))
		set_content_type(reply, json_string(req->fault, "content_type"));
	return true;
}

/* Spoil the reply of a request that was carried out. */
void
misbehave_after(Request *req, Reply *reply)
{
	const Misdeed *misdeed = find_misdeed(req->fault_name);

	if (misdeed && misdeed->after)
		misdeed->after(req, reply);
}

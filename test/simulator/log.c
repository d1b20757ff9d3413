/*-------------------------------------------------------------------------
 *
 * log.c
 *	  The request log: what a test asks to learn what the client did.
 *
 * No secret is kept here, not even the simulator's own.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

/* A benchmark may send millions of requests; only so many are kept. */
#define MAX_ENTRIES		200000

typedef struct LogEntry
{
	char	   *method;
	char	   *path;
	char	   *query;
	char	   *body;			/* JSON text without secrets, or NULL */
	char	   *fault;
	const char *client;
	char	   *as;				/* whom the token speaks for, if not the client */
	const char *auth;
	unsigned int status;		/* 0: no reply yet, or none at all */
	long		connection;
	long		token;
	int			concurrent;
	int64_t		started_ms;
	int64_t		finished_ms;
	bool		in_file;
} LogEntry;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static LogEntry *entries;
static int64_t nentries;
static int64_t entries_size;
static int64_t first_serial = 1;	/* of entries[0] */
static int64_t base_serial;		/* the last one before the log was emptied */
static int64_t next_serial = 1;
static FILE *log_file;

static const char *const secret_keys[] = {
	"password", "privateKey", "privateKeyPassphrase", "token",
	"clientSecret", "serviceAccount", "value", "accessToken"
};

static bool
is_secret_key(const char *key)
{
	for (size_t i = 0; i < sizeof(secret_keys) / sizeof(secret_keys[0]); i++)
	{
		if (strcmp(key, secret_keys[i]) == 0)
			return true;
	}
	return strncmp(key, "secret", 6) == 0;
}

/* Put stars in the place of everything secret, whatever its JSON type. */
static void
mask_secrets(cJSON *json)
{
	for (cJSON *item = json->child; item;)
	{
		cJSON	   *next = item->next;

		if (item->string && is_secret_key(item->string))
		{
			cJSON	   *stars = cJSON_CreateString("***");

			/* by pointer, since a key may stand there twice */
			stars->string = xstrdup(item->string);
			cJSON_ReplaceItemViaPointer(json, item, stars);
		}
		else
			mask_secrets(item);
		item = next;
	}
}

static char *
masked_body(const cJSON *json)
{
	cJSON	   *copy = cJSON_Duplicate(json, true);
	char	   *text;

	mask_secrets(copy);
	text = json_print(copy);
	cJSON_Delete(copy);
	return text;
}

void
log_open(const char *file)
{
	if (file == NULL)
		return;
	log_file = fopen(file, "a");
	if (log_file == NULL)
	{
		fprintf(stderr, "sigma-simulator: could not open \"%s\": %s\n", file, strerror(errno));
		exit(1);
	}
}

static void
entry_free(LogEntry *entry)
{
	free(entry->method);
	free(entry->path);
	free(entry->query);
	free(entry->body);
	free(entry->fault);
	free(entry->as);
}

/* Forget the oldest entries; the lock is held. */
static void
forget(int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		entry_free(&entries[i]);
	nentries -= count;
	memmove(entries, entries + count, (size_t) nentries * sizeof(LogEntry));
	first_serial += count;
}

void
log_clear(void)
{
	pthread_mutex_lock(&log_lock);
	if (nentries > 0)
		forget(nentries);
	base_serial = next_serial - 1;
	pthread_mutex_unlock(&log_lock);
}

void
log_close(void)
{
	log_clear();
	free(entries);
	entries = NULL;
	entries_size = 0;
	if (log_file)
		fclose(log_file);
}

/* A request has begun; returns the serial number of its entry. */
int64_t
log_begin(Request *req, int concurrent)
{
	LogEntry   *entry;
	int64_t		serial;

	pthread_mutex_lock(&log_lock);
	if (nentries == MAX_ENTRIES)
		forget(MAX_ENTRIES / 2);
	if (nentries == entries_size)
	{
		entries_size = entries_size ? entries_size * 2 : 256;
		entries = xrealloc(entries, (size_t) entries_size * sizeof(LogEntry));
	}
	entry = &entries[nentries++];
	memset(entry, 0, sizeof(*entry));
	entry->method = xstrdup(req->method);
	entry->path = xstrdup(req->path);
	entry->query = xstrdup(req->query);
	entry->connection = req->channel->serial;
	entry->concurrent = concurrent;
	entry->started_ms = realtime_ms();
	serial = next_serial++;
	pthread_mutex_unlock(&log_lock);
	return serial;
}

/* The entry of a request, or NULL if it was forgotten; the lock is held. */
static LogEntry *
entry_of(const Request *req)
{
	int64_t		i = req->log_serial - first_serial;

	return req->log_serial > 0 && i >= 0 && i < nentries ? &entries[i] : NULL;
}

/* Add a string, or null. */
static void
append_string(Buffer *buf, const char *key, const char *value)
{
	cJSON	   *json = value ? cJSON_CreateString(value) : cJSON_CreateNull();
	char	   *text = json_print(json);

	buffer_printf(buf, ",\"%s\":%s", key, text);
	free(text);
	cJSON_Delete(json);
}

static void
append_number(Buffer *buf, const char *key, int64_t value)
{
	if (value != 0)
		buffer_printf(buf, ",\"%s\":%lld", key, (long long) value);
	else
		buffer_printf(buf, ",\"%s\":null", key);
}

static void
append_entry(Buffer *buf, int64_t n, const LogEntry *entry)
{
	buffer_printf(buf, "{\"n\":%lld", (long long) n);
	append_string(buf, "method", entry->method);
	append_string(buf, "path", entry->path);
	append_string(buf, "query", entry->query);
	append_number(buf, "status", entry->status);
	append_number(buf, "connection", entry->connection);
	append_number(buf, "token", entry->token);
	append_string(buf, "client", entry->client);
	append_string(buf, "as", entry->as);
	append_string(buf, "auth", entry->auth);
	buffer_string(buf, ",\"body\":");
	buffer_string(buf, entry->body ? entry->body : "null");
	append_string(buf, "fault", entry->fault);
	append_number(buf, "started_ms", entry->started_ms);
	append_number(buf, "finished_ms", entry->finished_ms);
	append_number(buf, "concurrent", entry->concurrent);
	buffer_string(buf, "}");
}

/* Write an entry to the file, unless it is there; the lock is held. */
static void
append_to_file(const Request *req, LogEntry *entry)
{
	Buffer		line = {0};

	if (log_file == NULL || entry->in_file)
		return;
	append_entry(&line, req->log_serial - base_serial, entry);
	buffer_string(&line, "\n");
	fwrite(line.data, 1, line.len, log_file);
	fflush(log_file);
	buffer_free(&line);
	entry->in_file = true;
}

/*
 * The reply is made, and about to be sent.  The entry is complete from here
 * on, since the client may look into the log as soon as it has the reply; and
 * in the file as well, since the simulator may be killed at any time.
 */
void
log_reply(Request *req, unsigned int status)
{
	LogEntry   *entry;
	bool		is_token = strcmp(req->path, "/v2/auth/token") == 0;
	char	   *body = req->json && !is_token ? masked_body(req->json) : NULL;

	pthread_mutex_lock(&log_lock);
	entry = entry_of(req);
	if (entry)
	{
		entry->status = status;
		entry->token = req->token;
		entry->client = req->client >= 0 ? auth_client_id(req->client) : NULL;
		entry->as = req->who.as[0] ? xstrdup(req->who.as) : NULL;
		entry->auth = req->auth;
		entry->body = body;
		entry->fault = req->fault_name ? xstrdup(req->fault_name) : NULL;
		entry->finished_ms = realtime_ms();
		body = NULL;
		append_to_file(req, entry);
	}
	pthread_mutex_unlock(&log_lock);
	free(body);
}

/* The reply is sent, or the client has gone. */
void
log_end(Request *req)
{
	LogEntry   *entry;

	if (req->log_serial == 0)
		return;
	pthread_mutex_lock(&log_lock);
	entry = entry_of(req);
	if (entry)
	{
		entry->finished_ms = realtime_ms();
		append_to_file(req, entry);
	}
	pthread_mutex_unlock(&log_lock);
}

/* The log as JSON text, or only the number of entries. */
char *
log_render(const char *method, const char *path_prefix, bool count_only)
{
	Buffer		buf = {0};
	int64_t		count = 0;

	pthread_mutex_lock(&log_lock);
	buffer_string(&buf, "{\"entries\":[");
	for (int64_t i = 0; i < nentries; i++)
	{
		const LogEntry *entry = &entries[i];

		if (method && strcmp(method, entry->method) != 0)
			continue;
		if (path_prefix && strncmp(path_prefix, entry->path, strlen(path_prefix)) != 0)
			continue;
		if (!count_only)
		{
			if (count > 0)
				buffer_string(&buf, ",\n");
			append_entry(&buf, first_serial + i - base_serial, entry);
		}
		count++;
	}
	pthread_mutex_unlock(&log_lock);
	if (count_only)
	{
		buf.len = 0;
		buffer_printf(&buf, "{\"count\":%lld}", (long long) count);
	}
	else
		buffer_string(&buf, "]}");
	return buf.data;
}

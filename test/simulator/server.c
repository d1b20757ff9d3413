/*-------------------------------------------------------------------------
 *
 * server.c
 *	  Receives requests with libmicrohttpd and hands them on.
 *
 * Each TCP connection has its own thread: a request that sleeps, drips or is
 * held for ever must not hold up the others.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simulator.h"

static struct MHD_Daemon *daemon_handle;
static int	stop_pipe[2] = {-1, -1};	/* readable once the server stops */
static atomic_int latency_ms;

static pthread_mutex_t stats_lock = PTHREAD_MUTEX_INITIALIZER;
static long last_channel;		/* serial number; outlives a reset */
static struct
{
	long		requests;
	long		connections_opened;
	long		open_connections;
	long		in_flight;
	long		max_in_flight;
} stats;

/* Sleep; false if the server stops meanwhile. */
bool
wait_ms(int64_t ms)
{
	struct pollfd p = {.fd = stop_pipe[0], .events = POLLIN};
	int64_t		end = monotonic_ms() + ms;

	for (;;)
	{
		int64_t		left = end - monotonic_ms();

		if (left <= 0)
			return true;
		if (poll(&p, 1, left > 3600000 ? 3600000 : (int) left) > 0)
			return false;
	}
}

/*
 * Wait (ms < 0: for ever) until the client closes its side; true if the time
 * passed without that.
 */
bool
wait_until_gone(int fd, int64_t ms)
{
	struct pollfd p[2] = {
		{.fd = stop_pipe[0], .events = POLLIN},
		{.fd = fd, .events = POLLRDHUP}
	};
	int64_t		end = monotonic_ms() + ms;

	for (;;)
	{
		int64_t		left = ms < 0 ? 3600000 : end - monotonic_ms();

		if (left <= 0)
			return true;
		if (poll(p, 2, left > 3600000 ? 3600000 : (int) left) > 0)
			return false;
	}
}

void
server_set_latency(int ms)
{
	atomic_store(&latency_ms, ms);
}

void
server_stats(cJSON *into)
{
	pthread_mutex_lock(&stats_lock);
	cJSON_AddNumberToObject(into, "requests", (double) stats.requests);
	cJSON_AddNumberToObject(into, "connections_opened", (double) stats.connections_opened);
	cJSON_AddNumberToObject(into, "open_connections", (double) stats.open_connections);
	cJSON_AddNumberToObject(into, "max_concurrent", (double) stats.max_in_flight);
	pthread_mutex_unlock(&stats_lock);
}

/* What is going on now stays counted. */
void
server_reset_stats(void)
{
	pthread_mutex_lock(&stats_lock);
	stats.requests = 0;
	stats.connections_opened = 0;
	stats.max_in_flight = stats.in_flight;
	pthread_mutex_unlock(&stats_lock);
}

static void *
request_new(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	Request    *req = xmalloc(sizeof(Request));
	const char *query = strchr(uri, '?');
	char		hex[33];

	(void) cls;
	req->mhd = mhd;
	req->path = xstrdup(uri);
	if (query)
		req->path[query - uri] = '\0';
	req->query = xstrdup(query ? query + 1 : "");
	req->is_control = strncmp(uri, "/_sim/", 6) == 0;
	req->client = -1;
	random_hex(hex, 16);
	snprintf(req->id, sizeof(req->id), "%.8s-%.4s-4%.3s-9%.3s-%.12s",
			 hex, hex + 8, hex + 13, hex + 17, hex + 20);
	return req;
}

static void
request_free(Request *req)
{
	for (int i = 0; i < req->nparams; i++)
		free(req->param[i]);
	free(req->method);
	free(req->path);
	free(req->query);
	free(req->fault_name);
	buffer_free(&req->body);
	cJSON_Delete(req->json);
	cJSON_Delete(req->fault);
	free(req);
}

/*
 * The request is over for the count of requests in flight.  This is called
 * before the reply leaves, so that a client's next request never overlaps the
 * one it already has the answer to.
 */
static void
request_landed(Request *req)
{
	if (!req->in_flight)
		return;
	req->in_flight = false;
	pthread_mutex_lock(&stats_lock);
	stats.in_flight--;
	pthread_mutex_unlock(&stats_lock);
}

/* The head of a request has arrived. */
static void
request_begin(Request *req, const char *method)
{
	const union MHD_ConnectionInfo *info;
	const char *type;
	long		concurrent;

	req->begun = true;
	req->method = xstrdup(method);
	info = MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	req->fd = info->connect_fd;
	info = MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	req->channel = info->socket_context;
	type = MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, "Content-Type");
	req->is_json = type && strncasecmp(type, "application/json", 16) == 0;
	if (req->is_control)
		return;

	pthread_mutex_lock(&stats_lock);
	stats.requests++;
	if (req->channel->serial == 0)
	{
		req->channel->serial = ++last_channel;
		stats.connections_opened++;
		stats.open_connections++;
	}
	concurrent = ++stats.in_flight;
	if (concurrent > stats.max_in_flight)
		stats.max_in_flight = concurrent;
	pthread_mutex_unlock(&stats_lock);
	req->in_flight = true;
	req->log_serial = log_begin(req, (int) concurrent);
}

/* The whole request has arrived: answer it. */
static enum MHD_Result
request_answer(Request *req)
{
	Reply		reply = {0};
	enum MHD_Result result;

	if (req->body.len > 0)
		req->json = json_parse(req->body.data, req->body.len);
	if (req->is_control)
		control_answer(req, &reply);
	else
	{
		fault_take(req);
		wait_ms(atomic_load(&latency_ms));
		/* token requests have a limit of their own */
		if (strcmp(req->path, "/v2/auth/token") != 0 && !limit_passes())
			reply_edge(req, &reply, 429);
		else if (req->too_large)
			reply_error(req, &reply, 413, "invalid_request", "The request body is too large");
		else if (misbehave_before(req, &reply))
			auth_identify(req);
		else
		{
			api_answer(req, &reply);
			misbehave_after(req, &reply);
		}
		log_reply(req, reply.status);
		if (reply.mode == SEND_NORMAL || reply.mode == SEND_NOTHING ||
			reply.mode == SEND_RESET)
			request_landed(req);
	}
	result = reply_send(req, &reply);
	reply_free(&reply);
	return result;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url,
		   const char *method, const char *version, const char *upload_data,
		   size_t *upload_size, void **context)
{
	Request    *req = *context;

	(void) cls;
	(void) mhd;
	(void) url;
	(void) version;
	if (!req->begun)
	{
		request_begin(req, method);
		return MHD_YES;
	}
	if (*upload_size > 0)
	{
		/* a body that is too large is still read, so that the reply arrives */
		if (req->body.len + *upload_size > MAX_BODY)
			req->too_large = true;
		else
			buffer_append(&req->body, upload_data, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return request_answer(req);
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	Request    *req = *context;

	(void) cls;
	(void) mhd;
	(void) code;
	if (req == NULL)
		return;
	request_landed(req);
	log_end(req);
	request_free(req);
	*context = NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	Channel    *channel = *context;

	(void) cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		const union MHD_ConnectionInfo *info;
		int			on = 1;

		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		setsockopt(info->connect_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		*context = xmalloc(sizeof(Channel));
		return;
	}
	if (channel == NULL)
		return;
	if (channel->serial != 0)
	{
		pthread_mutex_lock(&stats_lock);
		stats.open_connections--;
		pthread_mutex_unlock(&stats_lock);
	}
	free(channel);
	*context = NULL;
}

/* libmicrohttpd reports every client that goes away; that is not news here. */
static void
on_message(void *cls, const char *fmt, va_list args)
{
	(void) cls;
	(void) fmt;
	(void) args;
}

bool
server_start(char *cert, char *key)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t) options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, key},
		{MHD_OPTION_END, 0, NULL}
	};

	if (cert)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	if (pipe(stop_pipe) != 0)
		return false;
	server_set_latency(options.latency_ms);
	daemon_handle = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL,
									 MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
									 MHD_OPTION_SOCK_ADDR, &address,
									 MHD_OPTION_URI_LOG_CALLBACK, request_new, NULL,
									 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
									 MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
									 MHD_OPTION_CONNECTION_LIMIT, 4096u,
									 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) 262144,
									 MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u,
									 MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
									 MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
									 MHD_OPTION_ARRAY, tls,
									 MHD_OPTION_END);
	return daemon_handle != NULL;
}

int
server_port(void)
{
	return MHD_get_daemon_info(daemon_handle, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void
server_stop(void)
{
	/* wakes every request that waits; the byte is never read */
	if (write(stop_pipe[1], "x", 1) != 1)
		abort();
	MHD_stop_daemon(daemon_handle);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
}

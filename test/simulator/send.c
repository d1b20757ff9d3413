/*-------------------------------------------------------------------------
 *
 * send.c
 *	  Making replies, and sending them in good and bad ways.
 *
 * The bad ways go through libmicrohttpd too, as replies whose body comes from
 * a callback that is slow or gives up; so they work over TLS as well.
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simulator.h"

/* What the body callback needs; lives as long as the response. */
typedef struct Sender
{
	SendMode	mode;
	int64_t		arg;
	int			fd;
	Buffer		body;
} Sender;

static const char padded_head[] = "{\"entries\":[],\"nextPage\":null,\"total\":0,\"padding\":\"";
static const char padded_tail[] = "\"}";

void
reply_header(Reply *reply, const char *name, const char *value)
{
	if (reply->nheaders == MAX_HEADERS)
		return;
	reply->header_name[reply->nheaders] = xstrdup(name);
	reply->header_value[reply->nheaders] = xstrdup(value);
	reply->nheaders++;
}

void
reply_free(Reply *reply)
{
	for (int i = 0; i < reply->nheaders; i++)
	{
		free(reply->header_name[i]);
		free(reply->header_value[i]);
	}
	free(reply->content_type);
	buffer_free(&reply->body);
}

/* Takes the JSON value over. */
void
reply_set_json(Reply *reply, unsigned int status, cJSON *json)
{
	char	   *text = json_print(json);

	reply->status = status;
	reply->body.len = 0;
	buffer_string(&reply->body, text);
	free(text);
	cJSON_Delete(json);
}

static void
reply_error_text(Request *req, Reply *reply, unsigned int status,
				 const char *code, const char *message)
{
	cJSON	   *error = cJSON_CreateObject();

	cJSON_AddStringToObject(error, "requestId", req->id);
	cJSON_AddStringToObject(error, "message", message);
	cJSON_AddStringToObject(error, "code", code);
	reply_set_json(reply, status, error);
}

void
reply_error(Request *req, Reply *reply, unsigned int status,
			const char *code, const char *fmt,...)
{
	char		message[1024];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	reply_error_text(req, reply, status, code, message);
}

void
reply_invalid(Request *req, Reply *reply, const char *fmt,...)
{
	char		message[1024];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	reply_error_text(req, reply, 400, "invalid_request", message);
}

void
reply_not_found(Request *req, Reply *reply, const char *what)
{
	reply_error(req, reply, 404, "not_found", "%s not found", what);
}

static ssize_t
send_padded(const Sender *sender, uint64_t pos, char *out, size_t max)
{
	uint64_t	tail_at = (uint64_t) sender->arg - strlen(padded_tail);
	size_t		n = 0;

	for (; n < max && pos < (uint64_t) sender->arg; n++, pos++)
	{
		if (pos < strlen(padded_head))
			out[n] = padded_head[pos];
		else if (pos < tail_at)
			out[n] = 'x';
		else
			out[n] = padded_tail[pos - tail_at];
	}
	return (ssize_t) n;
}

/* libmicrohttpd asks for the body from pos on. */
static ssize_t
send_body(void *cls, uint64_t pos, char *out, size_t max)
{
	Sender	   *sender = cls;
	size_t		n;

	switch (sender->mode)
	{
		case SEND_TRUNCATED:
			if (pos >= (uint64_t) sender->arg || pos >= sender->body.len)
				return MHD_CONTENT_READER_END_WITH_ERROR;
			n = sender->body.len - pos;
			if (n > (uint64_t) sender->arg - pos)
				n = (size_t) ((uint64_t) sender->arg - pos);
			if (n > max)
				n = max;
			memcpy(out, sender->body.data + pos, n);
			return (ssize_t) n;
		case SEND_DRIP:
			if (!wait_until_gone(sender->fd, sender->arg))
				return MHD_CONTENT_READER_END_WITH_ERROR;
			out[0] = sender->body.data[pos];
			return 1;
		case SEND_PADDED:
			return send_padded(sender, pos, out, max);
		default:
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
}

static void
sender_free(void *cls)
{
	Sender	   *sender = cls;

	buffer_free(&sender->body);
	free(sender);
}

static struct MHD_Response *
make_response(Request *req, Reply *reply)
{
	struct MHD_Response *response;
	Sender	   *sender;
	uint64_t	size = reply->body.len;

	if (reply->mode == SEND_NORMAL ||
		(reply->mode == SEND_DRIP && reply->body.len == 0))
	{
		response = MHD_create_response_from_buffer(reply->body.len, reply->body.data,
												   MHD_RESPMEM_MUST_FREE);
		memset(&reply->body, 0, sizeof(reply->body));
		return response;
	}
	sender = xmalloc(sizeof(Sender));
	sender->mode = reply->mode;
	sender->arg = reply->send_arg;
	sender->fd = req->fd;
	sender->body = reply->body;
	memset(&reply->body, 0, sizeof(reply->body));
	if (reply->mode == SEND_PADDED)
	{
		int64_t		least = (int64_t) (strlen(padded_head) + strlen(padded_tail));

		if (sender->arg < least)
			sender->arg = least;
		size = (uint64_t) sender->arg;
	}
	return MHD_create_response_from_callback(size, 65536, send_body, sender, sender_free);
}

/*
 * Close the connection with a TCP reset.  libmicrohttpd would shut the socket
 * down properly first, so another socket takes its place: the old one is then
 * closed here and now, and with a zero linger time that is a reset.
 */
static void
reset_connection(int fd)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	int			stand_in = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	if (stand_in >= 0)
	{
		dup2(stand_in, fd);
		close(stand_in);
	}
}

/* Send the reply; MHD_NO makes libmicrohttpd close the connection. */
enum MHD_Result
reply_send(Request *req, Reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	switch (reply->mode)
	{
		case SEND_NEVER:
			wait_until_gone(req->fd, -1);
			return MHD_NO;
		case SEND_RESET:
			reset_connection(req->fd);
			return MHD_NO;
		case SEND_NOTHING:
			return MHD_NO;
		default:
			break;
	}
	response = make_response(req, reply);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type",
							reply->content_type ? reply->content_type : "application/json");
	MHD_add_response_header(response, "x-request-id", req->id);
	for (int i = 0; i < reply->nheaders; i++)
		MHD_add_response_header(response, reply->header_name[i], reply->header_value[i]);
	result = MHD_queue_response(req->mhd, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

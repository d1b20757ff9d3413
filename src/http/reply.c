/*-------------------------------------------------------------------------
 *
 * reply.c
 *	  What a reply is made into: its head, its body whole and decoded, its outcome.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "http/http_curl.h"


/* Heads, interim replies and trailers of one reply, in bytes. */
#define MAX_HEAD_SIZE (256 * 1024)

/* A peer may lose its patience with somebody who is gone for so long. */
#define UNATTENDED_MS 1000

/* A piece of the reply's body. */
size_t
sigma_on_body(char *data, size_t size, size_t n, void *arg)
{
	SigmaTransfer *transfer = arg;
	size_t		max = transfer->transport->max_response_size;

	n *= size;
	if (transfer->bad_coding)
		return 0;
	if (transfer->stream)
	{
		long		status = 0;

		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status == 200)
			return sigma_on_streamed(transfer, data, n);
	}
	if (n > max - transfer->length)
	{
		transfer->too_large = true;
		return 0;
	}
	/* one byte more, so that the text can end in a NUL */
	if (transfer->length + n + 1 > transfer->capacity)
	{
		size_t		capacity = Max(transfer->capacity * 2, 16 * 1024);
		curl_off_t	announced = 0;
		char	   *buffer;

		curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
		if (announced > 0 && announced < (curl_off_t) max && (size_t) announced + 1 > capacity)
			capacity = (size_t) announced + 1;
		capacity = Max(Min(capacity, max + 1), transfer->length + n + 1);
		buffer = realloc(transfer->buffer, capacity);
		if (buffer == NULL)
		{
			transfer->no_memory = true;
			return 0;
		}
		transfer->buffer = buffer;
		transfer->capacity = capacity;
	}
	memcpy(transfer->buffer + transfer->length, data, n);
	transfer->length += n;
	transfer->buffer[transfer->length] = '\0';
	return n;
}

/* If the header has this name, its value and the value's length. */
static bool
header_value(const char *line, size_t length, const char *name,
			 const char **value, size_t *value_length)
{
	size_t		n = strlen(name);

	if (length <= n || line[n] != ':' || pg_strncasecmp(line, name, n) != 0)
		return false;
	line += n + 1;
	length -= n + 1;
	while (length > 0 && (*line == ' ' || *line == '\t'))
		line++, length--;
	while (length > 0 && strchr(" \t\r\n", line[length - 1]))
		length--;
	*value = line;
	*value_length = length;
	return true;
}

/* Keeps a header's value, cut to the room there is. */
static void
keep_value(char *room, size_t size, const char *value, size_t length)
{
	length = Min(length, size - 1);
	memcpy(room, value, length);
	room[length] = '\0';
}

/*
 * Notes how the body is coded; false if it is in a way that was not asked for.
 * More than one coding is none of those: what is small on the wire could be
 * coded any number of times.
 */
static bool
note_coding(SigmaTransfer *transfer, const char *value, size_t length)
{
	if (length == 0 || (length == 8 && pg_strncasecmp(value, "identity", 8) == 0))
		return true;
	if (transfer->gzip ||
		!((length == 4 && pg_strncasecmp(value, "gzip", 4) == 0) ||
		  (length == 6 && pg_strncasecmp(value, "x-gzip", 6) == 0)))
		return false;
	transfer->gzip = true;
	return true;
}

/* A line of the reply's head, of an interim reply's, or of the trailer. */
size_t
sigma_on_header(char *line, size_t size, size_t n, void *arg)
{
	SigmaTransfer *transfer = arg;
	SigmaReply *reply = &transfer->reply;
	const char *value;
	size_t		length;

	n *= size;
	if (n > MAX_HEAD_SIZE - transfer->head_length)
	{
		transfer->head_too_large = true;
		return 0;
	}
	transfer->head_length += n;
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
	{
		/* the head of an interim reply says nothing of the final one */
		reply->retry_after[0] = '\0';
		reply->request_id[0] = '\0';
		reply->html = false;
		reply->text_type = false;
		transfer->gzip = false;
		transfer->chunked = false;
		transfer->bad_coding = false;
	}
	else if (transfer->length > 0 || transfer->streams)
		return n;				/* a trailer, which says nothing */
	else if (header_value(line, n, "content-encoding", &value, &length))
		/* it matters if there is a body: a proxy's that would not connect us never comes */
		transfer->bad_coding |= !note_coding(transfer, value, length);
	else if (header_value(line, n, "transfer-encoding", &value, &length))
	{
		/* libcurl would decode such a body by itself */
		transfer->chunked = length == 7 && pg_strncasecmp(value, "chunked", 7) == 0;
		if (!transfer->chunked)
		{
			transfer->bad_coding = true;
			return 0;
		}
	}
	else if (header_value(line, n, "retry-after", &value, &length))
		keep_value(reply->retry_after, sizeof(reply->retry_after), value, length);
	else if (header_value(line, n, "date", &value, &length))
		keep_value(reply->date, sizeof(reply->date), value, length);
	else if (header_value(line, n, "x-request-id", &value, &length))
		keep_value(reply->request_id, sizeof(reply->request_id), value, length);
	else if (header_value(line, n, "content-type", &value, &length))
	{
		reply->html = length >= 9 && pg_strncasecmp(value, "text/html", 9) == 0;
		reply->text_type = !reply->html &&
			((length >= 5 && pg_strncasecmp(value, "text/", 5) == 0) ||
			 (length >= 16 && pg_strncasecmp(value, "application/yaml", 16) == 0));
	}
	return n;
}

/* Does a body say where it ends, other than by the end of the connection? */
static bool
is_bounded(const SigmaTransfer *transfer)
{
	curl_off_t	announced = -1;

	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	return announced >= 0 || transfer->chunked || transfer->gzip;
}

/*
 * A transfer has ended: fills in its reply.  A body that is still to be decoded
 * is not done yet; see sigma_transport_decode().
 */
void
sigma_transfer_finish(SigmaTransfer *transfer, CURLcode result)
{
	SigmaReply *reply = &transfer->reply;
	long		status = 0;
	long		head_sent = 0;
	long		connects = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	reply->new_connection = connects > 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &head_sent);
	reply->status = (int) status;
	reply->outcome = sigma_transfer_outcome(transfer, result);
	reply->body_left = transfer->request_body ? transfer->request_sent > 0 : head_sent > 0;
	reply->unattended = transfer->idle_ms >= UNATTENDED_MS;
	reply->body.data = transfer->buffer ? transfer->buffer : "";
	reply->body.length = transfer->length;
	if (result == CURLE_OK)
		transfer->error[0] = '\0';
	else if (result == CURLE_SEND_FAIL_REWIND)
		/* libcurl's own words tell why it does not send a write again, not what happened */
		strlcpy(transfer->error, "the server closed the connection", sizeof(transfer->error));
	else if (transfer->error[0] == '\0')
		strlcpy(transfer->error, curl_easy_strerror(result), sizeof(transfer->error));
	if (result == CURLE_OK && transfer->streams && !is_bounded(transfer))
	{
		reply->outcome = SIGMA_LOST;
		strlcpy(transfer->error, "the body ends with the connection, and nothing says that it is whole",
				sizeof(transfer->error));
	}
	if (result == CURLE_OK && transfer->gzip && !transfer->streams)
	{
		transfer->inflater = sigma_inflate_begin(reply->body.data, transfer->length,
												 transfer->transport->max_response_size);
		if (transfer->inflater == NULL)
			reply->outcome = SIGMA_NO_RESOURCES;
	}
	if (transfer->streams)
		reply->body = sigma_span("");
	transfer->done = transfer->inflater == NULL || transfer->streams;
}

/* A body has been decoded, or cannot be. */
static void
finish_decoding(SigmaTransfer *transfer, SigmaInflateResult result)
{
	SigmaReply *reply = &transfer->reply;
	char	   *body = NULL;

	if (result == SIGMA_INFLATE_DONE)
		body = sigma_inflate_take(transfer->inflater, &transfer->length);
	if (body)
	{
		free(transfer->buffer);
		transfer->buffer = body;
		reply->body.data = body;
		reply->body.length = transfer->length;
	}
	else if (result == SIGMA_INFLATE_TOO_LARGE)
		reply->outcome = SIGMA_TOO_LARGE;
	else if (result == SIGMA_INFLATE_BAD)
	{
		reply->outcome = SIGMA_BAD_CODING;
		strlcpy(transfer->error, "the body is not what gzip makes, or is cut off",
				sizeof(transfer->error));
	}
	else
		reply->outcome = SIGMA_NO_RESOURCES;
	sigma_inflate_end(transfer->inflater);
	transfer->inflater = NULL;
	transfer->done = true;
}

/*
 * Decodes the bodies that have arrived whole; true if there was one.  An
 * interrupt leaves the rest for the next time.
 */
bool
sigma_transport_decode(SigmaTransport *t)
{
	bool		any = false;
	dlist_iter	iter;

	dlist_foreach(iter, &t->transfers)
	{
		SigmaTransfer *transfer = dlist_container(SigmaTransfer, node, iter.cur);
		SigmaInflateResult result;

		if (transfer->inflater == NULL || transfer->streams)
			continue;
		while ((result = sigma_inflate_step(transfer->inflater)) == SIGMA_INFLATE_MORE)
			CHECK_FOR_INTERRUPTS();
		finish_decoding(transfer, result);
		any = true;
	}
	return any;
}

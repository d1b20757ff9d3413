/*-------------------------------------------------------------------------
 *
 * transfer.c
 *	  One request to libcurl, from its options to its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/base.h"
#include "http/http_curl.h"

/* There is a connection, and the request is about to leave. */
static int
on_connected(void *arg, char *primary UNUSED, char *local UNUSED, int primary_port UNUSED,
			 int local_port UNUSED)
{
	((SigmaTransfer *) arg)->connected = true;
	return CURL_PREREQFUNC_OK;
}

/* libcurl takes a piece of the request's body. */
static size_t
on_read(char *buffer, size_t size, size_t n, void *arg)
{
	SigmaTransfer *transfer = arg;

	n = Min(n * size, transfer->request_length - transfer->request_sent);
	memcpy(buffer, transfer->request_body + transfer->request_sent, n);
	transfer->request_sent += n;
	return n;
}

/* libcurl starts a repeatable request again. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	SigmaTransfer *transfer = arg;

	if (origin != SEEK_SET || offset < 0 || offset > (curl_off_t) transfer->request_length)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->request_sent = (size_t) offset;
	return CURL_SEEKFUNC_OK;
}

void
sigma_transfer_free(SigmaTransfer *transfer)
{
	sigset_t	saved;

	enter_curl(&saved);
	if (transfer->transport)
	{
		dlist_delete(&transfer->node);
		if (transfer->easy)
			curl_multi_remove_handle(transfer->transport->multi, transfer->easy);
		transfer->transport = NULL;
	}
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	transfer->easy = NULL;
	leave_curl(&saved);
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	sigma_inflate_end(transfer->inflater);
	transfer->inflater = NULL;
	free(transfer->buffer);
	transfer->buffer = NULL;
	free(transfer->handed);
	transfer->handed = NULL;
	transfer->reply.body.data = NULL;
	transfer->reply.body.length = 0;
}

static void
release_transfer_callback(void *arg)
{
	sigma_transfer_free(arg);
}

/* What holds for every request. */
static bool
set_common_options(SigmaTransfer *transfer, const SigmaRequest *request)
{
	SigmaTransport *t = transfer->transport;
	CURL	   *e = transfer->easy;
	bool		ok = true;

#define SET(option, value) (ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK)
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_PROTOCOLS_STR, request->loopback ? "http,https" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	if (request->loopback)
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* of a host's addresses, each but the last gets half of it; see sigma_transport_come_back() */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) t->connect_timeout_ms + 1000);
	SET(CURLOPT_PREREQFUNCTION, on_connected);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_USERAGENT, "sigma_fdw/" SIGMA_FDW_VERSION);
	SET(CURLOPT_BUFFERSIZE, 256L * 1024);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (t->ca_file)
		SET(CURLOPT_CAINFO, t->ca_file);
	SET(CURLOPT_OPENSOCKETFUNCTION, sigma_on_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_CLOSESOCKETFUNCTION, sigma_on_close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, t);
	SET(CURLOPT_WRITEFUNCTION, sigma_on_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, sigma_on_header);
	SET(CURLOPT_HEADERDATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* do not wait for a resolver thread when the transfer is given up */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
#undef SET
	return ok;
}

static bool
add_header(SigmaTransfer *transfer, const char *header)
{
	struct curl_slist *headers = curl_slist_append(transfer->headers, header);

	if (headers == NULL)
		return false;
	transfer->headers = headers;
	return true;
}

/* Method, body, sign-in. */
static bool
set_request(SigmaTransfer *transfer, const SigmaRequest *request)
{
	CURL	   *e = transfer->easy;
	bool		ok = true;

#define SET(option, value) (ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK)
	ok = ok && add_header(transfer, request->accept ? request->accept : "Accept: application/json");
	ok = ok && add_header(transfer, "Accept-Encoding: gzip");
	if (request->body)
	{
		transfer->request_body = request->body;
		transfer->request_length = request->body_length;
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_length);
		SET(CURLOPT_READFUNCTION, on_read);
		SET(CURLOPT_READDATA, transfer);
		if (request->repeatable)
		{
			SET(CURLOPT_SEEKFUNCTION, on_seek);
			SET(CURLOPT_SEEKDATA, transfer);
		}
		/* an interim reply before the body would cost a round trip */
		ok = ok && add_header(transfer, "Expect:");
		ok = ok && add_header(transfer, request->content_type);
	}

	/*
	 * without a body there is nothing to rewind: but only over a kept connection does libcurl
	 * repeat it
	 */
	if (!request->repeatable && (!request->body || sigma_transport_has_dead_connection(transfer->transport)))
		SET(CURLOPT_FRESH_CONNECT, 1L);
	if (strcmp(request->method, "GET") != 0 && (!request->body || strcmp(request->method, "POST") != 0))
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	if (request->bearer)
	{
		SET(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	else if (request->basic_user)
	{
		SET(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, request->basic_user);
		SET(CURLOPT_PASSWORD, request->basic_password);
	}
	SET(CURLOPT_HTTPHEADER, transfer->headers);
#undef SET
	return ok;
}

SigmaTransfer *
sigma_transfer_start(SigmaTransport *transport, MemoryContext context,
					 const SigmaRequest *request)
{
	SigmaTransfer *transfer = MemoryContextAllocZero(context, sizeof(SigmaTransfer));
	sigset_t	saved;
	bool		ok;

	sigma_transport_come_back(transport);
	transfer->transport = transport;
	transfer->began_ms = transport->waited_ms;
	transfer->reply.text = transfer->error;
	transfer->stream = request->stream;
	dlist_push_tail(&transport->transfers, &transfer->node);
	transfer->callback.func = release_transfer_callback;
	transfer->callback.arg = transfer;
	MemoryContextRegisterResetCallback(context, &transfer->callback);

	enter_curl(&saved);
	transfer->easy = curl_easy_init();
	ok = transfer->easy && set_common_options(transfer, request) &&
		set_request(transfer, request) &&
		curl_multi_add_handle(transport->multi, transfer->easy) == CURLM_OK;
	leave_curl(&saved);
	if (!ok)
	{
		sigma_transfer_free(transfer);
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not set up a request"),
				 errdetail("libcurl refused an option, or is out of memory.")));
	}
	return transfer;
}

bool
sigma_transfer_done(const SigmaTransfer *transfer)
{
	return transfer->done;
}

bool
sigma_transfer_body_left(const SigmaTransfer *transfer)
{
	return transfer->request_body ? transfer->request_sent > 0 : true;
}

const SigmaReply *
sigma_transfer_reply(const SigmaTransfer *transfer)
{
	return &transfer->reply;
}

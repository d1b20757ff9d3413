/*-------------------------------------------------------------------------
 *
 * outcome.c
 *	  What libcurl's result of a transfer means for us.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/http_curl.h"


/* A certificate was not accepted: why? */
static SigmaOutcome
certificate_outcome(const SigmaTransfer *transfer)
{
	long		result = 0;

	/*
	 * OpenSSL's verdict, where the TLS library is OpenSSL: 9 not yet valid, 10 expired.  The host
	 * name is compared by libcurl itself, after a verdict of 0; other libraries are told apart by
	 * the message.
	 */
	curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	if (result == 9 || result == 10 || strstr(transfer->error, "expired"))
		return SIGMA_TLS_EXPIRED;
	if (result == 0 || result == 62 || strstr(transfer->error, "match"))
		return SIGMA_TLS_WRONG_HOST;
	return SIGMA_TLS_UNKNOWN_CA;
}

/* Had a connection been made, with its TLS, before the transfer ended? */
static bool
was_connected(const SigmaTransfer *transfer)
{
	curl_off_t	connected_us = 0;
	long		head_sent = 0;

	/* some releases tell the one although there never was a connection */
	curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &head_sent);
	return connected_us > 0 && head_sent > 0;
}

/* Which of the two limits struck? */
static SigmaOutcome
timeout_outcome(const SigmaTransfer *transfer)
{
	const SigmaTransport *t = transfer->transport;

	return transfer->connected || t->request_timeout_ms <= t->connect_timeout_ms
		? SIGMA_REQUEST_TIMEOUT : SIGMA_CONNECT_TIMEOUT;
}

/* What libcurl's result means for us. */
SigmaOutcome
sigma_transfer_outcome(const SigmaTransfer *transfer, CURLcode result)
{
	switch (result)
	{
		case CURLE_OK:
			return SIGMA_REPLIED;
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
			return SIGMA_NO_RESOLVE;
		case CURLE_COULDNT_CONNECT:
			return transfer->no_descriptor ? SIGMA_NO_RESOURCES : SIGMA_NO_CONNECT;
		case CURLE_OPERATION_TIMEDOUT:
			return timeout_outcome(transfer);
		case CURLE_PEER_FAILED_VERIFICATION:
			return certificate_outcome(transfer);
		case CURLE_SSL_CACERT_BADFILE:
			return transfer->transport->ca_file ? SIGMA_CA_FILE_UNUSABLE : SIGMA_NO_SYSTEM_CA;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ISSUER_ERROR:
			return SIGMA_NO_TLS;
		case CURLE_WRITE_ERROR:
			if (transfer->too_large)
				return SIGMA_TOO_LARGE;
			if (transfer->head_too_large)
				return SIGMA_HEAD_TOO_LARGE;
			if (transfer->bad_coding)
				return SIGMA_BAD_CODING;
			return transfer->no_memory ? SIGMA_NO_RESOURCES : SIGMA_LOST;
#if LIBCURL_VERSION_NUM >= 0x080600
		case CURLE_TOO_LARGE:	/* it has bounds of its own: so many lines, so many bytes */
			return SIGMA_HEAD_TOO_LARGE;
#endif
		case CURLE_OUT_OF_MEMORY:
			return SIGMA_NO_RESOURCES;
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_UNSUPPORTED_PROTOCOL:	/* "HTTP/0.9" */
			return SIGMA_GARBLED;
		case CURLE_BAD_CONTENT_ENCODING:
			return SIGMA_BAD_CODING;
		default:
			/* a proxy, say, that would not connect us */
			return was_connected(transfer) ? SIGMA_LOST : SIGMA_NO_CONNECT;
	}
}

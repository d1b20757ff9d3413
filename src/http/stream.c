/*-------------------------------------------------------------------------
 *
 * stream.c
 *	  Bodies that are handed over as they come.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/base.h"
#include "http/http_curl.h"


/*
 * So much of a body that is streamed is kept before the peer has to wait.  What
 * libcurl hands over at once is less.
 */
#define STREAM_KEEP (1024 * 1024)

/* Drops bytes at a buffer's front and appends others; false if there is no memory. */
static bool
append_piece(char **buffer, size_t *length, size_t *capacity, size_t dropped, const char *data, size_t n)
{
	*length -= dropped;
	if (dropped > 0)
		memmove(*buffer, *buffer + dropped, *length);
	if (*length + n > *capacity)
	{
		size_t		larger = Max(*capacity * 2, *length + n);
		char	   *moved = realloc(*buffer, larger);

		if (moved == NULL)
			return false;
		*buffer = moved;
		*capacity = larger;
	}
	if (n > 0)
		memcpy(*buffer + *length, data, n);
	*length += n;
	return true;
}

/* A piece of a body that is streamed; the peer waits while enough is kept. */
size_t
sigma_on_streamed(SigmaTransfer *transfer, const char *data, size_t n)
{
	transfer->streams = true;
	transfer->reply.status = 200;
	transfer->transport->streamed = true;
	if (transfer->length - transfer->dropped + n > STREAM_KEEP)
	{
		transfer->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	/* time limits are of a wait in which nothing comes */
	transfer->began_ms = transfer->transport->waited_ms;
	if (!append_piece(&transfer->buffer, &transfer->length, &transfer->capacity, transfer->dropped, data, n))
	{
		transfer->no_memory = true;
		return 0;
	}
	transfer->dropped = 0;
	return n;
}

bool
sigma_transfer_streams(const SigmaTransfer *transfer)
{
	return transfer->streams;
}

/* As much may come again as may be kept. */
static void
go_on(SigmaTransfer *transfer)
{
	SigmaTransport *t = transfer->transport;
	sigset_t	saved;

	transfer->paused = false;
	transfer->began_ms = t->waited_ms;
	/* it hands over what it has held back, by sigma_on_body() */
	enter_curl_watched(&saved);
	curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
	(void) leave_curl_watched(&saved);
	/* not all releases ask to be called then */
	t->timer_set = true;
	t->timer_ms = now_ms();
}

/* A body that cannot be decoded is not whole. */
static void
spoil_stream(SigmaTransfer *transfer, SigmaOutcome outcome, const char *why)
{
	transfer->reply.outcome = outcome;
	strlcpy(transfer->error, why, sizeof(transfer->error));
	transfer->spoilt = true;
}

/*
 * Decodes what has come until enough is there; false if no more will come of
 * it.  "ended": nothing will come behind it.
 */
static bool
decode_stream(SigmaTransfer *transfer, bool hungry, bool ended)
{
	size_t		had;

	if (transfer->inflater == NULL)
		transfer->inflater = sigma_inflate_begin(NULL, 0, SIZE_MAX);
	if (transfer->inflater == NULL)
	{
		spoil_stream(transfer, SIGMA_NO_RESOURCES, "");
		return false;
	}
	had = sigma_inflate_decoded(transfer->inflater).length;
	while (transfer->length > transfer->dropped &&
		   (sigma_inflate_decoded(transfer->inflater).length < STREAM_KEEP ||
			(hungry && sigma_inflate_decoded(transfer->inflater).length < had + STREAM_KEEP)))
	{
		SigmaInflateResult result;

		CHECK_FOR_INTERRUPTS();
		sigma_inflate_feed(transfer->inflater, transfer->buffer + transfer->dropped,
						   transfer->length - transfer->dropped);
		result = sigma_inflate_step(transfer->inflater);
		transfer->dropped = transfer->length - sigma_inflate_unused(transfer->inflater);
		if (result == SIGMA_INFLATE_MORE)
			continue;
		spoil_stream(transfer, result == SIGMA_INFLATE_NO_MEMORY ? SIGMA_NO_RESOURCES : SIGMA_BAD_CODING,
					 "the body is not what gzip makes");
		return false;
	}
	if (!ended || transfer->length > transfer->dropped)
		return true;
	if (transfer->reply.outcome == SIGMA_REPLIED && !sigma_inflate_is_whole(transfer->inflater))
		spoil_stream(transfer, SIGMA_LOST, "the body is cut off");
	return false;
}

/*
 * Moves what has come behind what was handed over before, of which "used" bytes
 * are dropped; false if there is no memory.  libcurl appends to another buffer,
 * so that whatever else makes it work does not touch what the reader has.
 */
static bool
hand_over(SigmaTransfer *transfer, size_t used)
{
	if (!append_piece(&transfer->handed, &transfer->handed_length, &transfer->handed_capacity, used,
					  transfer->buffer + transfer->dropped, transfer->length - transfer->dropped))
	{
		spoil_stream(transfer, SIGMA_NO_RESOURCES, "");
		return false;
	}
	transfer->dropped = transfer->length;
	return true;
}

/* Takes out of the buffer what has come; false if no more will come. */
static bool
take_out(SigmaTransfer *transfer, size_t used, bool hungry)
{
	if (transfer->spoilt)
		return false;
	if (transfer->gzip)
		return decode_stream(transfer, hungry, transfer->done);
	return hand_over(transfer, used) && !transfer->done;
}

bool
sigma_transfer_take(SigmaTransfer *transfer, size_t used, bool hungry, SigmaSpan *rest)
{
	bool		more;

	if (transfer->inflater)
		sigma_inflate_drop(transfer->inflater, used);
	more = take_out(transfer, used, hungry);
	/* libcurl hands over a quarter of a megabyte at most */
	if (more && transfer->paused && !transfer->done && transfer->length - transfer->dropped <= STREAM_KEEP / 2)
	{
		go_on(transfer);
		/* what it had held back may be all that comes for now */
		more = take_out(transfer, 0, hungry);
	}
	if (transfer->inflater)
		*rest = sigma_inflate_decoded(transfer->inflater);
	else
	{
		rest->data = transfer->handed;
		rest->length = transfer->handed_length;
	}
	return more;
}

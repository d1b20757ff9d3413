/*-------------------------------------------------------------------------
 *
 * inflate.c
 *	  Decodes a gzip'd body a slice at a time.
 *
 * libcurl could decode by itself, but only inside of its own calls, where a
 * backend hears no cancel: a few kilobytes that decode to nothing, or to
 * gigabytes, would hold it for as long as the other side likes.  Here each
 * step takes and makes a bounded number of bytes, and whoever calls looks for
 * interrupts in between.
 *
 * Several members one behind the other are one body (RFC 1952, 2.2).  What
 * stands behind the last one, or is cut off within it, makes the body bad.
 *
 * Pure functions: no palloc, no ereport.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <zlib.h>

#include "http/http_internal.h"

/* What a step takes at most, and makes; some tenths of a millisecond's work. */
#define SLICE_IN	(64 * 1024)
#define SLICE_OUT	(256 * 1024)

/* windowBits of zlib's that accept the gzip format, and no other */
#define GZIP_ONLY	(MAX_WBITS + 16)

struct SigmaInflater
{
	z_stream	stream;
	const unsigned char *in;	/* the caller's; what has not been taken yet */
	size_t		in_left;
	char	   *out;			/* malloc'd */
	size_t		length;
	size_t		capacity;
	size_t		max;			/* bytes that it may become */
	bool		in_member;		/* a member has begun, and has not ended */
};

/*
 * Begins to decode a body, which must stay where it is until the end.  "max"
 * bounds the decoded size, in bytes.  NULL: out of memory.
 */
SigmaInflater *
sigma_inflate_begin(const char *body, size_t length, size_t max)
{
	SigmaInflater *inflater = calloc(1, sizeof(SigmaInflater));

	if (inflater == NULL)
		return NULL;
	if (inflateInit2(&inflater->stream, GZIP_ONLY) != Z_OK)
	{
		free(inflater);
		return NULL;
	}
	inflater->in = (const unsigned char *) body;
	inflater->in_left = length;
	inflater->max = max;
	return inflater;
}

/* Makes room for a slice more, and the NUL behind it. */
static bool
make_room(SigmaInflater *inflater)
{
	size_t		capacity;
	char	   *out;

	if (inflater->capacity - inflater->length > SLICE_OUT)
		return true;
	capacity = Max(inflater->capacity * 2, inflater->length + SLICE_OUT + 1);
	out = realloc(inflater->out, capacity);
	if (out == NULL)
		return false;
	inflater->out = out;
	inflater->capacity = capacity;
	return true;
}

/* Goes one bounded step further. */
SigmaInflateResult
sigma_inflate_step(SigmaInflater *inflater)
{
	z_stream   *z = &inflater->stream;
	size_t		taken = Min(inflater->in_left, SLICE_IN);
	int			result;

	/* no body at all is an empty one, which some servers send coded */
	if (taken == 0)
		return inflater->in_member ? SIGMA_INFLATE_BAD : SIGMA_INFLATE_DONE;
	if (!make_room(inflater))
		return SIGMA_INFLATE_NO_MEMORY;
	z->next_in = (z_const Bytef *) inflater->in;
	z->avail_in = (uInt) taken;
	z->next_out = (Bytef *) inflater->out + inflater->length;
	z->avail_out = SLICE_OUT;
	inflater->in_member = true;
	result = inflate(z, Z_NO_FLUSH);
	inflater->in += taken - z->avail_in;
	inflater->in_left -= taken - z->avail_in;
	inflater->length += SLICE_OUT - z->avail_out;
	if (inflater->length > inflater->max)
		return SIGMA_INFLATE_TOO_LARGE;
	if (result == Z_STREAM_END)
	{
		inflater->in_member = false;
		return inflateReset(z) == Z_OK ? SIGMA_INFLATE_MORE : SIGMA_INFLATE_BAD;
	}
	if (result == Z_MEM_ERROR)
		return SIGMA_INFLATE_NO_MEMORY;
	return result == Z_OK ? SIGMA_INFLATE_MORE : SIGMA_INFLATE_BAD;
}

/*
 * The decoded body, with a NUL behind it, once a step has returned DONE; it is
 * malloc'd, and the caller's from then on.  NULL: out of memory.
 */
char *
sigma_inflate_take(SigmaInflater *inflater, size_t *length)
{
	char	   *out;

	if (!make_room(inflater))
		return NULL;
	out = inflater->out;
	*length = inflater->length;
	out[*length] = '\0';
	inflater->out = NULL;
	return out;
}

/*
 * The same of a body that comes piece by piece: begins with nothing, and is fed
 * one piece after another, each once the one before has been used up.
 */
void
sigma_inflate_feed(SigmaInflater *inflater, const char *data, size_t length)
{
	inflater->in = (const unsigned char *) data;
	inflater->in_left = length;
}

/* How many bytes of the piece have not been used. */
size_t
sigma_inflate_unused(const SigmaInflater *inflater)
{
	return inflater->in_left;
}

/* Is the body whole, as far as it has come? */
bool
sigma_inflate_is_whole(const SigmaInflater *inflater)
{
	return !inflater->in_member;
}

/* What has been decoded and not been dropped; it stays until the next step or drop. */
SigmaSpan
sigma_inflate_decoded(const SigmaInflater *inflater)
{
	SigmaSpan	decoded = {inflater->out ? inflater->out : "", inflater->length};

	return decoded;
}

/* So many bytes in front of that are not wanted any more. */
void
sigma_inflate_drop(SigmaInflater *inflater, size_t n)
{
	if (n == 0)
		return;
	inflater->length -= n;
	memmove(inflater->out, inflater->out + n, inflater->length);
}

/* Frees all but what has been taken; NULL is nothing. */
void
sigma_inflate_end(SigmaInflater *inflater)
{
	if (inflater == NULL)
		return;
	(void) inflateEnd(&inflater->stream);
	free(inflater->out);
	free(inflater);
}

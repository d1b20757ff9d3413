/*-------------------------------------------------------------------------
 *
 * test_wire.c
 *	  What keeps a reply from holding a backend: inflate.c, watchdog.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/http_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "tap.h"

#define MAX_SIZE ((size_t) 1024 * 1024)

typedef struct Bytes
{
	unsigned char *data;
	size_t		length;
} Bytes;

/* Appends text as a gzip member. */
static void
add_member(Bytes *bytes, const char *text, size_t n)
{
	z_stream	z = {0};
	uLong		room;

	(void) deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	room = deflateBound(&z, n) + 32;
	bytes->data = realloc(bytes->data, bytes->length + room);
	z.next_in = (z_const Bytef *) text;
	z.avail_in = (uInt) n;
	z.next_out = bytes->data + bytes->length;
	z.avail_out = (uInt) room;
	(void) deflate(&z, Z_FINISH);
	bytes->length += z.total_out;
	(void) deflateEnd(&z);
}

/* Decodes; the text is malloc'd, and NULL unless the result is DONE. */
static SigmaInflateResult
decode(const void *data, size_t n, char **text, size_t *length, int *steps)
{
	SigmaInflater *inflater = sigma_inflate_begin(data, n, MAX_SIZE);
	SigmaInflateResult result;

	*text = NULL;
	*length = 0;
	*steps = 0;
	do
	{
		result = sigma_inflate_step(inflater);
		(*steps)++;
	} while (result == SIGMA_INFLATE_MORE);
	if (result == SIGMA_INFLATE_DONE)
		*text = sigma_inflate_take(inflater, length);
	sigma_inflate_end(inflater);
	return result;
}

static void
test_members(void)
{
	char		big[700000];
	Bytes		bytes = {NULL, 0};
	char	   *text;
	size_t		length;
	int			steps;

	memset(big, 'x', sizeof(big));
	tap_begin("inflate: members one behind the other are one body, in slices");
	add_member(&bytes, "{\"a\":", 5);
	add_member(&bytes, "", 0);
	add_member(&bytes, big, sizeof(big));
	EXPECT(decode(bytes.data, bytes.length, &text, &length, &steps) == SIGMA_INFLATE_DONE, "whole");
	EXPECT(length == 5 + sizeof(big) && text && memcmp(text, "{\"a\":xx", 7) == 0 && text[length] == '\0',
		   "%zu bytes", length);
	EXPECT(steps >= 5, "%d steps", steps);
	free(text);
	EXPECT(decode("", 0, &text, &length, &steps) == SIGMA_INFLATE_DONE && length == 0, "no body");
	free(text);
	tap_end();

	tap_begin("inflate: every cut, every spoilt byte of the head, what stands behind");
	for (size_t cut = 1; cut < bytes.length; cut++)
	{
		SigmaInflateResult result = decode(bytes.data, bytes.length - cut, &text, &length, &steps);

		/* a cut between two members is not to be seen */
		EXPECT(result == SIGMA_INFLATE_BAD || (result == SIGMA_INFLATE_DONE && length <= 5), "cut %zu", cut);
		free(text);
	}
	for (int i = 0; i < 3; i++)
	{
		bytes.data[i] ^= 0x40;
		EXPECT(decode(bytes.data, bytes.length, &text, &length, &steps) == SIGMA_INFLATE_BAD, "byte %d", i);
		bytes.data[i] ^= 0x40;
	}
	bytes.data = realloc(bytes.data, bytes.length + 1);
	bytes.data[bytes.length] = 'x';
	EXPECT(decode(bytes.data, bytes.length + 1, &text, &length, &steps) == SIGMA_INFLATE_BAD, "behind it");
	tap_end();
	free(bytes.data);
}

static void
test_sizes(void)
{
	char	   *big = calloc(1, MAX_SIZE + 1);
	unsigned char *empty = malloc(300000);
	Bytes		bytes = {NULL, 0};
	char	   *text;
	size_t		length;
	int			steps;

	tap_begin("inflate: as much as is allowed, and a byte more");
	add_member(&bytes, big, MAX_SIZE);
	EXPECT(decode(bytes.data, bytes.length, &text, &length, &steps) == SIGMA_INFLATE_DONE, "the most");
	EXPECT(length == MAX_SIZE, "%zu bytes", length);
	free(text);
	bytes.length = 0;
	add_member(&bytes, big, MAX_SIZE + 1);
	EXPECT(decode(bytes.data, bytes.length, &text, &length, &steps) == SIGMA_INFLATE_TOO_LARGE, "one more");
	tap_end();

	tap_begin("inflate: blocks of nothing end, a slice at a time");
	memcpy(empty, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	for (size_t i = 10; i + 5 <= 300000; i += 5)
		memcpy(empty + i, "\0\0\0\xff\xff", 5);
	EXPECT(decode(empty, 300000, &text, &length, &steps) == SIGMA_INFLATE_BAD, "cut off");
	EXPECT(steps >= 4, "%d steps", steps);
	tap_end();
	free(bytes.data);
	free(empty);
	free(big);
}

/* Writes for as long as somebody reads. */
static void *
write_on(void *arg)
{
	static char filler[65536];

	while (send(*(int *) arg, filler, sizeof(filler), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000.0 + t.tv_nsec / 1e6;
}

static void
test_watchdog(void)
{
	int			ends[2];
	char		buffer[65536];
	pthread_t	writer;
	sigset_t	all;
	sigset_t	saved;
	double		began;
	bool		struck;

	tap_begin("watchdog: a reader that is fed without end is ended, a quick one is not");
	sigma_watchdog_begin(200);
	EXPECT(!sigma_watchdog_end(), "nothing done");
	if (sigma_watchdog_signal() == 0)
	{
		tap_end();
		return;
	}
	sigfillset(&all);
	sigdelset(&all, sigma_watchdog_signal());
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a pair of sockets");
	sigma_watch_socket(ends[0]);
	sigma_watch_socket(ends[1]);
	sigma_unwatch_socket(ends[1]);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	EXPECT(pthread_create(&writer, NULL, write_on, &ends[1]) == 0, "a writer");
	began = cpu_ms();
	sigma_watchdog_begin(200);
	/* bounded, so that a watchdog that sleeps fails the test rather than hang it */
	while (recv(ends[0], buffer, sizeof(buffer), 0) > 0 && cpu_ms() - began < 5000)
		;
	struck = sigma_watchdog_end();
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	EXPECT(struck, "it strikes");
	EXPECT(cpu_ms() - began >= 100 && cpu_ms() - began < 4000, "after %.0f ms", cpu_ms() - began);
	shutdown(ends[0], SHUT_RDWR);
	pthread_join(writer, NULL);
	sigma_unwatch_socket(ends[0]);
	close(ends[0]);
	close(ends[1]);
	tap_end();
}

void
test_wire(void)
{
	test_members();
	test_sizes();
	test_watchdog();
}

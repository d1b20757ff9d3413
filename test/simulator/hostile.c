/*-------------------------------------------------------------------------
 *
 * hostile.c
 *	  sigma-hostile: a TCP server on 127.0.0.1 that wrongs its clients.
 *
 * What an HTTP library cannot be made to do is done here on plain sockets,
 * with one thread for each client.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "process.h"

/* More than a backlog of zero can hold, whatever the kernel makes of it. */
#define FILLERS		8

typedef void (*Treatment) (int fd);

typedef struct Mode
{
	const char *name;
	Treatment	treat;			/* NULL: connections are never accepted */
	const char *help;
	void		(*prepare) (void);	/* called once, before the first client; or NULL */
} Mode;

static const Mode *mode;

/* Read until the client goes. */
static void
swallow(int fd)
{
	char		buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/* Wait for the first bytes of the client; false if it goes instead. */
static bool
first_bytes(int fd)
{
	char		buf[4096];

	return read(fd, buf, sizeof(buf)) > 0;
}

/* Send a byte each second; false if the client has gone. */
static bool
drip(int fd, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		struct pollfd p = {.fd = fd, .events = POLLRDHUP};

		if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1)
			return false;
		if (poll(&p, 1, 1000) > 0)
			return false;
	}
	return true;
}

static void
send_text(int fd, const char *text)
{
	while (*text)
	{
		ssize_t		n = send(fd, text, strlen(text), MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
	}
}

static void
treat_drip(int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
		"Content-Type: application/json\r\n"
		"Content-Length: 1000000000\r\n\r\n";

	if (!first_bytes(fd))
		return;
	send_text(fd, head);
	while (drip(fd, " ", 1))
		;
}

static void
treat_drip_headers(int fd)
{
	static const char start[] = "HTTP/1.1 200 OK\r\n";
	static const char header[] = "X-Slow: yes\r\n";

	if (!first_bytes(fd) || !drip(fd, start, strlen(start)))
		return;
	while (drip(fd, header, strlen(header)))
		;
}

/* Close with a TCP reset, by a linger time of zero. */
static void
treat_reset(int fd)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	if (first_bytes(fd))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static void
treat_garbage(int fd)
{
	static const unsigned char garbage[] = {
		0x00, 0x01, 0xff, 0xfe, 'n', 'o', 't', ' ', 'H', 'T', 'T', 'P', 0x80, '\n',
		0x16, 0x03, 0x7f, 0x00, '\r', '\n', '\r', '\n', 0xde, 0xad, 0xbe, 0xef
	};

	if (!first_bytes(fd))
		return;
	if (send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL) < 0)
		return;
	/* a proper end, so that the garbage is sure to arrive */
	shutdown(fd, SHUT_WR);
	swallow(fd);
}

static void
treat_close(int fd)
{
	first_bytes(fd);
}

/* ------------------------------------------------- floods, and odd codings */

/* A flood is over after this many bytes, if the client has not gone before. */
#define FLOOD_BYTES	((size_t) 1 << 31)

#define OK_HEAD		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define EMPTY_LIST	"{\"entries\": [], \"nextPage\": null, \"total\": 0}"

static bool
send_bytes(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0)
	{
		ssize_t		sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t) sent;
	}
	return true;
}

/* The same bytes over and over, in large pieces. */
static void
flood(int fd, const void *bytes, size_t n)
{
	size_t		piece = (64 * 1024 / n + 1) * n;
	char	   *buf = malloc(piece);

	if (buf == NULL)
		return;
	for (size_t i = 0; i < piece; i += n)
		memcpy(buf + i, bytes, n);
	for (size_t sent = 0; sent < FLOOD_BYTES && send_bytes(fd, buf, piece); sent += piece)
		;
	free(buf);
}

/* After what begins the reply, a flood of something. */
static void
treat_flood(int fd, const char *start, const char *what)
{
	if (!first_bytes(fd))
		return;
	send_text(fd, start);
	flood(fd, what, strlen(what));
}

static void
treat_headers(int fd)
{
	treat_flood(fd, OK_HEAD, "X-Filler: 0123456789012345678901234567890123456789\r\n");
}

static void
treat_interim(int fd)
{
	treat_flood(fd, "", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n");
}

static void
treat_trailers(int fd)
{
	treat_flood(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
				"X-Filler: 0123456789012345678901234567890123456789\r\n");
}

static void
treat_chunk_extension(int fd)
{
	treat_flood(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2;", "0123456789012345678901234567890123456789");
}

static void
treat_chunk_line(int fd)
{
	treat_flood(fd, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n", "20;e=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n                                \r\n");
}

/* gzip's head, then stored blocks of no bytes: what comes never decodes to anything. */
static const unsigned char gzip_head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
static const unsigned char empty_block[] = {0, 0, 0, 0xff, 0xff};

static void
treat_empty_blocks(int fd)
{
	if (!first_bytes(fd))
		return;
	send_text(fd, OK_HEAD "Content-Encoding: gzip\r\n\r\n");
	if (send_bytes(fd, gzip_head, sizeof(gzip_head)))
		flood(fd, empty_block, sizeof(empty_block));
}

/* Bytes as one gzip member; the caller frees it. */
static unsigned char *
gzip_member(const void *bytes, size_t n, size_t *length)
{
	z_stream	z = {0};
	unsigned char *out;
	uLong		room;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	room = deflateBound(&z, n);
	out = malloc(room);
	if (out == NULL)
		abort();
	z.next_in = (z_const Bytef *) bytes;
	z.avail_in = (uInt) n;
	z.next_out = out;
	z.avail_out = (uInt) room;
	(void) deflate(&z, Z_FINISH);
	*length = z.total_out;
	(void) deflateEnd(&z);
	return out;
}

/* What a mode sends that takes long to make: made before the first client comes. */
static unsigned char *coded;
static size_t coded_length;

/* Whitespace, gzip'd so many times. */
static void
prepare_coded(int codings, size_t n)
{
	coded = malloc(n);
	coded_length = n;
	if (coded == NULL)
		abort();
	memset(coded, ' ', n);
	for (int i = 0; i < codings; i++)
	{
		unsigned char *once_more = gzip_member(coded, coded_length, &coded_length);

		free(coded);
		coded = once_more;
	}
}

static void
send_coded(int fd, const char *codings)
{
	char		head[300];

	if (!first_bytes(fd))
		return;
	snprintf(head, sizeof(head), OK_HEAD "%sContent-Length: %zu\r\n\r\n", codings, coded_length);
	send_text(fd, head);
	(void) send_bytes(fd, coded, coded_length);
	/* to close while a part of the request is unread would be a reset, and the reply might be lost */
	swallow(fd);
}

static void
prepare_bomb(void)
{
	prepare_coded(1, (size_t) 512 << 20);
}

static void
treat_bomb(int fd)
{
	send_coded(fd, "Content-Encoding: gzip\r\n");
}

static void
prepare_stacked(void)
{
	prepare_coded(4, (size_t) 128 << 20);
}

static void
treat_stacked(int fd)
{
	send_coded(fd, "Content-Encoding: gzip, gzip, gzip, gzip\r\n");
}

static void
treat_stacked_lines(int fd)
{
	send_coded(fd, "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
			   "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n");
}

/* JSON that is small on the wire and, decoded, just under the default cap, full of the same thing. */
static void
prepare_full(const char *start, const char *unit, const char *end)
{
	size_t		n = (size_t) 60 << 20;
	size_t		length = strlen(unit);
	unsigned char *text = malloc(strlen(start) + n + length + strlen(end));
	unsigned char *p = text;

	if (text == NULL)
		abort();
	p = (unsigned char *) stpcpy((char *) p, start);
	while ((size_t) (p - text) < n)
		p = (unsigned char *) memcpy(p, unit, length) + length;
	p = (unsigned char *) stpcpy((char *) p, end);
	coded = gzip_member(text, (size_t) (p - text), &coded_length);
	free(text);
}

static void
prepare_full_token(void)
{
	prepare_full("{\"access_token\": \"t\", \"expires_in\": 3600, \"more\": [", "1,", "1]}");
}

static void
prepare_long_token(void)
{
	prepare_full("{\"expires_in\": 3600, \"access_token\": \"", "t", "\"}");
}

static void
prepare_full_entry(void)
{
	prepare_full("{\"entries\": [{", "\"a\":1,", "\"a\":1}], \"nextPage\": null}");
}

static void
prepare_full_page(void)
{
	prepare_full("{\"entries\": [", "{},", "{}], \"nextPage\": null}");
}

static void
prepare_long_next(void)
{
	prepare_full("{\"entries\": [], \"nextPage\": \"", "a", "\"}");
}

static void
treat_transfer_gzip(int fd)
{
	if (!first_bytes(fd))
		return;
	send_text(fd, OK_HEAD "Transfer-Encoding: gzip, gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
	swallow(fd);
}

static void
treat_brotli(int fd)
{
	if (!first_bytes(fd))
		return;
	send_text(fd, OK_HEAD "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}");
	swallow(fd);
}

/* An empty list, as two gzip members, the second without its last "cut" bytes. */
static void
send_members(int fd, size_t cut, const char *behind)
{
	static const char text[] = EMPTY_LIST;
	size_t		length1;
	size_t		length2;
	unsigned char *one = gzip_member(text, 5, &length1);
	unsigned char *two = gzip_member(text + 5, strlen(text) - 5, &length2);
	char		head[200];

	snprintf(head, sizeof(head), OK_HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
			 length1 + length2 - cut + strlen(behind));
	while (first_bytes(fd))
	{
		send_text(fd, head);
		(void) send_bytes(fd, one, length1);
		(void) send_bytes(fd, two, length2 - cut);
		send_text(fd, behind);
	}
	free(one);
	free(two);
}

static void
treat_members(int fd)
{
	send_members(fd, 0, "");
}

static void
treat_cut_member(int fd)
{
	send_members(fd, 3, "");
}

static void
treat_behind_member(int fd)
{
	send_members(fd, 0, "more");
}

static const Mode modes[] = {
	{"no-accept", NULL, "a full backlog: a connect hangs", NULL},
	{"silent", swallow, "reads, never answers", NULL},
	{"tls-stall", swallow, "the same, for a client that begins TLS", NULL},
	{"drip", treat_drip, "a body without end, a byte a second", NULL},
	{"drip-headers", treat_drip_headers, "headers without end, a byte a second", NULL},
	{"reset", treat_reset, "a TCP reset after the request", NULL},
	{"garbage", treat_garbage, "bytes that are not HTTP", NULL},
	{"close", treat_close, "closes after the request without answering", NULL},
	{"headers", treat_headers, "headers without end, as fast as they go", NULL},
	{"interim", treat_interim, "interim replies (103) without end", NULL},
	{"trailers", treat_trailers, "a trailer without end", NULL},
	{"chunk-extension", treat_chunk_extension, "one chunk's extension without end", NULL},
	{"chunk-line", treat_chunk_line, "small chunks without end, each with an extension", NULL},
	{"empty-blocks", treat_empty_blocks, "gzip that decodes to nothing, without end", NULL},
	{"bomb", treat_bomb, "gzip that decodes to 512 MB", prepare_bomb},
	{"stacked", treat_stacked, "four gzip codings, one in another, in one line", prepare_stacked},
	{"stacked-lines", treat_stacked_lines, "the same in four lines", prepare_stacked},
	{"full-token", treat_bomb, "a token, with millions of other things", prepare_full_token},
	{"long-token", treat_bomb, "a token of 60 MB", prepare_long_token},
	{"full-entry", treat_bomb, "an entry of millions of members", prepare_full_entry},
	{"full-page", treat_bomb, "a page of millions of entries", prepare_full_page},
	{"long-next", treat_bomb, "a token of the next page of 60 MB", prepare_long_next},
	{"transfer-gzip", treat_transfer_gzip, "Transfer-Encoding: gzip, gzip, chunked", NULL},
	{"brotli", treat_brotli, "a coding that nobody asked for", NULL},
	{"members", treat_members, "an empty list in two gzip members", NULL},
	{"cut-member", treat_cut_member, "the same, cut off", NULL},
	{"behind-member", treat_behind_member, "the same, with something behind it", NULL},
};

#define NMODES (sizeof(modes) / sizeof(modes[0]))

static void
usage(FILE *out)
{
	fputs("sigma-hostile is a TCP server on 127.0.0.1 that wrongs its clients.\n\n"
		  "Usage: sigma-hostile MODE [OPTION]...\n\n"
		  "  --port N               port to listen on (default 0: any free one)\n"
		  "  --port-file FILE       write the port number to FILE\n"
		  "  --exit-with PID        exit when this process is gone\n"
		  "  --help                 show this help\n\nModes:\n", out);
	for (size_t i = 0; i < NMODES; i++)
		fprintf(out, "  %-15s %s\n", modes[i].name, modes[i].help);
}

static void __attribute__((noreturn))
usage_error(void)
{
	usage(stderr);
	exit(2);
}

static void __attribute__((noreturn))
die(const char *what)
{
	fprintf(stderr, "sigma-hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *
client_thread(void *arg)
{
	int			fd = (int) (intptr_t) arg;

	mode->treat(fd);
	close(fd);
	return NULL;
}

static void *
accept_thread(void *arg)
{
	int			listener = (int) (intptr_t) arg;

	for (;;)
	{
		int			fd = accept(listener, NULL, NULL);
		pthread_t	thread;

		if (fd < 0)
			continue;
		if (pthread_create(&thread, NULL, client_thread, (void *) (intptr_t) fd) == 0)
			pthread_detach(thread);
		else
			close(fd);
	}
	return NULL;
}

/*
 * Fill the backlog with connections of our own, which stay open until the
 * program ends.  The kernel then drops the first packet of any other client,
 * as a host behind a silent firewall would.
 */
static void
fill_backlog(const struct sockaddr_in *address)
{
	for (int i = 0; i < FILLERS; i++)
	{
		int			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (fd < 0)
			die("could not make a socket");
		if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0)
			continue;
		/* the first that hangs shows that the backlog is full */
		if (poll(&p, 1, 200) == 0)
			return;
	}
}

static int
listen_on(int port, int backlog, struct sockaddr_in *address)
{
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int			on = 1;
	socklen_t	len = sizeof(*address);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_port = htons((uint16_t) port);
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		die("could not make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *) address, sizeof(*address)) != 0 ||
		listen(fd, backlog) != 0 ||
		getsockname(fd, (struct sockaddr *) address, &len) != 0)
		die("could not listen");
	return fd;
}

static const Mode *
find_mode(const char *name)
{
	for (size_t i = 0; i < NMODES; i++)
	{
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"port", required_argument, NULL, 'p'},
		{"port-file", required_argument, NULL, 'f'},
		{"exit-with", required_argument, NULL, 'x'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	const char *port_file = NULL;
	long		port = 0;
	long		exit_with = 0;
	struct sockaddr_in address;
	int			listener;
	int			letter;

	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
	{
		if (letter == 'h')
		{
			usage(stdout);
			return 0;
		}
		if (letter == 'f')
			port_file = optarg;
		else if (letter == 'p' ? !parse_int(optarg, 0, 65535, &port) :
				 letter != 'x' || !parse_int(optarg, 0, 0x7fffffff, &exit_with))
			usage_error();
	}
	mode = optind == argc - 1 ? find_mode(argv[optind]) : NULL;
	if (mode == NULL)
		usage_error();

	if (mode->prepare)
		mode->prepare();
	process_block_signals();
	listener = listen_on((int) port, mode->treat ? 128 : 0, &address);
	if (mode->treat == NULL)
		fill_backlog(&address);
	else
	{
		pthread_t	thread;

		if (pthread_create(&thread, NULL, accept_thread, (void *) (intptr_t) listener) != 0)
			die("could not start a thread");
		pthread_detach(thread);
	}
	if (port_file && !write_port_file(port_file, ntohs(address.sin_port)))
		die("could not write the port file");
	printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	process_wait_for_end((int) exit_with);

	/* the end of the program closes every socket, whatever the threads do */
	_exit(0);
}

/*-------------------------------------------------------------------------
 *
 * socket.c
 *	  The sockets of a transport: those that are open, and those that libcurl
 *	  waits for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>
#include <unistd.h>

#include "storage/fd.h"

#include "http/http_curl.h"


/* libcurl watches a socket, watches it otherwise, or no longer. */
int
sigma_on_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *socket_arg UNUSED)
{
	SigmaTransport *t = arg;
	int			i;

	t->set_stale = true;
	for (i = 0; i < t->nsockets && t->sockets[i].fd != fd; i++)
		;
	if (what == CURL_POLL_REMOVE)
	{
		if (i < t->nsockets)
			t->sockets[i] = t->sockets[--t->nsockets];
		return 0;
	}
	if (i == t->nsockets)
	{
		if (t->nsockets == t->capacity)
		{
			int			capacity = t->capacity ? t->capacity * 2 : 8;
			Socket	   *sockets = realloc(t->sockets, capacity * sizeof(Socket));

			if (sockets == NULL)
				return -1;
			t->sockets = sockets;
			t->capacity = capacity;
		}
		t->sockets[t->nsockets++].fd = fd;
	}
	t->sockets[i].what = what;
	return 0;
}

/* Remembers a connection's descriptor; false if there is no memory. */
static bool
note_open(SigmaTransport *t, int fd)
{
	if (t->nopen == t->open_capacity)
	{
		int			capacity = t->open_capacity ? t->open_capacity * 2 : 8;
		int		   *open = realloc(t->open, capacity * sizeof(int));

		if (open == NULL)
			return false;
		t->open = open;
		t->open_capacity = capacity;
	}
	t->open[t->nopen++] = fd;
	return true;
}

/* Sockets count among the descriptors that fd.c keeps account of. */
curl_socket_t
sigma_on_open_socket(void *arg, curlsocktype purpose UNUSED, struct curl_sockaddr *address)
{
	SigmaTransfer *transfer = arg;
	curl_socket_t fd;

	if (!AcquireExternalFD())
	{
		transfer->no_descriptor = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd == CURL_SOCKET_BAD || !note_open(transfer->transport, fd))
	{
		ReleaseExternalFD();
		if (fd != CURL_SOCKET_BAD)
			close(fd);
		return CURL_SOCKET_BAD;
	}
	sigma_watch_socket(fd);
	return fd;
}

int
sigma_on_close_socket(void *arg, curl_socket_t fd)
{
	SigmaTransport *t = arg;

	for (int i = 0; i < t->nopen; i++)
		if (t->open[i] == fd)
		{
			t->open[i] = t->open[--t->nopen];
			break;
		}
	sigma_unwatch_socket(fd);
	ReleaseExternalFD();
	return close(fd);
}

static bool
is_watched(const SigmaTransport *t, int fd)
{
	for (int i = 0; i < t->nsockets; i++)
		if (t->sockets[i].fd == fd)
			return true;
	return false;
}

/*
 * Has the server closed a kept connection, or said something on it unasked?
 * libcurl looks, too, but recent releases do not do so each time; a read does
 * not mind, being repeated, but a write that goes into a dead connection ends
 * with nobody knowing what became of it.
 */
bool
sigma_transport_has_dead_connection(const SigmaTransport *t)
{
	for (int i = 0; i < t->nopen; i++)
	{
		char		byte;
		ssize_t		n;

		/* what libcurl watches is in use, and may well have something to say */
		if (is_watched(t, t->open[i]))
			continue;
		n = recv(t->open[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
			return true;
	}
	return false;
}

/* The sockets that libcurl waits for, by number from 0; false behind the last. */
bool
sigma_transport_socket(const SigmaTransport *t, int i, int *fd, bool *to_read, bool *to_write)
{
	if (i >= t->nsockets)
		return false;
	*fd = t->sockets[i].fd;
	*to_read = (t->sockets[i].what & CURL_POLL_IN) != 0;
	*to_write = (t->sockets[i].what & CURL_POLL_OUT) != 0;
	return true;
}

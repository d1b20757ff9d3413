/*-------------------------------------------------------------------------
 *
 * pollfd.c
 *	  A transport's sockets and timer as one descriptor.
 *
 * Somebody else's event set, such as an asynchronous Append's, can wait for one
 * descriptor per request, but a transport has any number of sockets, and a
 * timer.  An epoll descriptor stands for all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "http/http_internal.h"

#ifdef HAVE_SYS_EPOLL_H
#include <sys/epoll.h>
#include <sys/timerfd.h>
#endif

#include "storage/fd.h"

struct SigmaPollFd
{
	SigmaTransport *transport;
	int			epoll;			/* -1 if there is none */
	int			timer;
	MemoryContextCallback callback;
};

static void
close_pollfd(void *arg)
{
	SigmaPollFd *pollfd = arg;

	if (pollfd->timer >= 0)
	{
		close(pollfd->timer);
		ReleaseExternalFD();
	}
	if (pollfd->epoll >= 0)
	{
		close(pollfd->epoll);
		ReleaseExternalFD();
	}
	pollfd->epoll = pollfd->timer = -1;
}

SigmaPollFd *
sigma_pollfd_create(SigmaTransport *transport, MemoryContext context)
{
	SigmaPollFd *pollfd = MemoryContextAllocZero(context, sizeof(SigmaPollFd));

	pollfd->transport = transport;
	pollfd->epoll = pollfd->timer = -1;
	pollfd->callback.func = close_pollfd;
	pollfd->callback.arg = pollfd;
	MemoryContextRegisterResetCallback(context, &pollfd->callback);
	return pollfd;
}

#ifdef HAVE_SYS_EPOLL_H
/* An epoll or a timer's descriptor, of which fd.c knows. */
static int
create_descriptor(bool timer)
{
	int			fd = -1;

	if (AcquireExternalFD())
	{
		fd = timer ? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) : epoll_create1(EPOLL_CLOEXEC);
		if (fd < 0)
			ReleaseExternalFD();
	}
	if (fd < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not create a descriptor to wait for: %m")));
	return fd;
}

static void
watch(int epoll, int fd, uint32 events)
{
	struct epoll_event event = {.events = events};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not watch a socket: %m")));
}
#endif

int
sigma_pollfd_arm(SigmaPollFd *pollfd, long timeout_ms)
{
#ifdef HAVE_SYS_EPOLL_H
	bool		to_read;
	bool		to_write;
	int			fd;
	struct itimerspec at;
	double		wait_ms;

	memset(&at, 0, sizeof(at));
	close_pollfd(pollfd);
	pollfd->epoll = create_descriptor(false);
	pollfd->timer = create_descriptor(true);
	/* zero would mean never */
	wait_ms = Max(sigma_transport_lend(pollfd->transport, (double) timeout_ms), 0.001);
	at.it_value.tv_sec = (time_t) (wait_ms / 1000);
	at.it_value.tv_nsec = (long) ((wait_ms - at.it_value.tv_sec * 1000.0) * 1000000);
	timerfd_settime(pollfd->timer, 0, &at, NULL);
	watch(pollfd->epoll, pollfd->timer, EPOLLIN);
	for (int i = 0; sigma_transport_socket(pollfd->transport, i, &fd, &to_read, &to_write); i++)
		watch(pollfd->epoll, fd, (to_read ? EPOLLIN : 0) | (to_write ? EPOLLOUT : 0));
	return pollfd->epoll;
#else
	return -1;
#endif
}

bool
sigma_pollfd_supported(void)
{
#ifdef HAVE_SYS_EPOLL_H
	return true;
#else
	return false;
#endif
}

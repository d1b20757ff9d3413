/*-------------------------------------------------------------------------
 *
 * process.c
 *	  Start and end of the two server programs.
 *
 * A test that is killed cannot stop its servers, so a server can be told to
 * end together with another process.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

/* Read a whole decimal number within bounds. */
bool
parse_int(const char *text, long low, long high, long *value)
{
	char	   *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' &&
		*value >= low && *value <= high;
}

/*
 * Block the signals that end the program, before any thread starts, so that
 * only process_wait_for_end() sees them.
 */
void
process_block_signals(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * Is the process gone?  A process that has ended but was not yet waited for
 * still takes signals; only its pidfd tells.
 */
static bool
process_gone(int pid, int pidfd)
{
	if (pidfd >= 0)
	{
		struct pollfd p = {.fd = pidfd, .events = POLLIN};

		return poll(&p, 1, 0) > 0;
	}
	return kill(pid, 0) != 0 && errno == ESRCH;
}

/* Return at SIGTERM or SIGINT, or when the given process (0: none) ends. */
void
process_wait_for_end(int exit_with)
{
	sigset_t	set;
	struct timespec second = {.tv_sec = 1};
	int			pidfd = -1;

#ifdef SYS_pidfd_open
	if (exit_with > 0)
		pidfd = (int) syscall(SYS_pidfd_open, exit_with, 0);
#endif
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	while (sigtimedwait(&set, NULL, &second) < 0)
	{
		if (exit_with > 0 && process_gone(exit_with, pidfd))
			break;
	}
	if (pidfd >= 0)
		close(pidfd);
}

/* Write the port number so that a reader sees the whole file or none. */
bool
write_port_file(const char *file, int port)
{
	char		temporary[4096];
	FILE	   *f;
	int			len;

	len = snprintf(temporary, sizeof(temporary), "%s.%ld.new", file, (long) getpid());
	if (len < 0 || (size_t) len >= sizeof(temporary))
	{
		errno = ENAMETOOLONG;
		return false;
	}
	f = fopen(temporary, "w");
	if (f == NULL)
		return false;
	fprintf(f, "%d\n", port);
	if (fclose(f) != 0 || rename(temporary, file) != 0)
	{
		int			saved = errno;

		unlink(temporary);
		errno = saved;
		return false;
	}
	return true;
}

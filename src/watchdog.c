/*-------------------------------------------------------------------------
 *
 * watchdog.c
 *	  Ends a stay in libcurl that takes too long.
 *
 * While libcurl runs, signals are blocked and nobody looks for a cancel.  It
 * works on sockets that do not block, so a stay takes microseconds; but it
 * goes on for as long as a peer keeps its sockets full with something that it
 * reads over, and then nothing of PostgreSQL's could end it.  The ways to do
 * that which are known are closed elsewhere (no HTTP/2, no decoding inside of
 * libcurl, bounded heads).  This is for those that are not.
 *
 * A timer counts the processor time of the stay.  When it strikes, the sockets
 * are shut down: the next read finds the end of the stream, the transfer
 * fails, and libcurl returns.  Processor time rather than the clock, so that a
 * machine that is busy or asleep, or a debugger, harms nobody.
 *
 * The timer's signal is a real-time one, which PostgreSQL does not use; its
 * handler is there only during a stay.  It is sent to this very thread, since
 * libcurl's resolver threads must not take it.
 *
 *-------------------------------------------------------------------------
 */
#include "sigma_fdw.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && defined(SYS_gettid) && defined(SIGEV_THREAD_ID)
#define HAVE_WATCHDOG 1
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#endif

/* More sockets than that are not watched: max_concurrency allows 64 a session. */
#define MAX_WATCHED 512

/* The sockets that are open, or -1; the handler reads it at any moment. */
static volatile int watched[MAX_WATCHED];
static volatile int nwatched = 0;	/* no more places than these are in use */

/* A socket is open from now on. */
void
sigma_watch_socket(int fd)
{
	int			i;

	for (i = 0; i < nwatched && watched[i] != -1; i++)
		;
	if (i == MAX_WATCHED)
		return;
	watched[i] = fd;
	if (i == nwatched)
		nwatched = i + 1;
}

/* It is about to be closed. */
void
sigma_unwatch_socket(int fd)
{
	for (int i = 0; i < nwatched; i++)
		if (watched[i] == fd)
			watched[i] = -1;
}

#ifdef HAVE_WATCHDOG

static volatile sig_atomic_t struck;
static timer_t timer;
static pid_t timer_owner = 0;	/* the process that has made it; a fork has none */
static struct sigaction previous;

/* The signal, which must not be among those that are blocked meanwhile. */
int
sigma_watchdog_signal(void)
{
	return SIGRTMIN + 7;
}

static void
strike(int signo UNUSED)
{
	int			saved_errno = errno;

	struck = true;
	for (int i = 0; i < nwatched; i++)
		if (watched[i] != -1)
			(void) shutdown(watched[i], SHUT_RDWR);
	errno = saved_errno;
}

/* A stay begins, which may take so much processor time, in ms. */
void
sigma_watchdog_begin(int limit_ms)
{
	struct sigaction action = {.sa_handler = strike, .sa_flags = SA_RESTART};
	struct itimerspec limit = {.it_value = {limit_ms / 1000, limit_ms % 1000 * 1000000L},
		/* again, if the first time was between two connections */
	.it_interval = {0, 100 * 1000000L}};

	struck = false;
	if (timer_owner != getpid())
	{
		struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};

		event.sigev_signo = sigma_watchdog_signal();
		event.sigev_notify_thread_id = (pid_t) syscall(SYS_gettid);
		if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0)
			return;
		timer_owner = getpid();
	}
	sigemptyset(&action.sa_mask);
	sigaction(sigma_watchdog_signal(), &action, &previous);
	timer_settime(timer, 0, &limit, NULL);
}

/* It has ended: did it take longer? */
bool
sigma_watchdog_end(void)
{
	struct itimerspec never = {{0, 0}, {0, 0}};

	if (timer_owner != getpid())
		return false;
	timer_settime(timer, 0, &never, NULL);
	sigaction(sigma_watchdog_signal(), &previous, NULL);
	return struck;
}

#else							/* !HAVE_WATCHDOG */

int
sigma_watchdog_signal(void)
{
	return 0;
}

void
sigma_watchdog_begin(int limit_ms UNUSED)
{
}

bool
sigma_watchdog_end(void)
{
	return false;
}

#endif							/* HAVE_WATCHDOG */
